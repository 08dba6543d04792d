//! The same for many domains.

use std::future::IntoFuture;

use futures_core::Stream;
use futures_util::{StreamExt as _, stream};

use crate::{Domain, Result};

/// How many are under way at a time, unless said otherwise: hosts work on few tasks at once, and let the others queue.
pub const DEFAULT_PARALLEL: usize = 8;

/// Does something to each domain, `parallel` of them at a time (at least one), and gives each result as soon as it is
/// there.
///
/// ```no_run
/// # use esx_driver::{CreateFlags, Domain, bulk};
/// # use futures_util::StreamExt as _;
/// # async fn start(domains: Vec<Domain>) {
/// let mut results = bulk::run(domains, bulk::DEFAULT_PARALLEL, |domain| {
///     domain.create(CreateFlags::NONE)
/// });
/// while let Some((domain, result)) = results.next().await {
///     match result {
///         Ok(()) => tracing::info!(name = domain.name(), "started"),
///         Err(error) => tracing::error!(name = domain.name(), %error),
///     }
/// }
/// # }
/// ```
///
/// All of them share one waiting call. A stream that is dropped begins nothing more; tasks that have begun go on.
pub fn run<F>(
    domains: impl IntoIterator<Item = Domain, IntoIter: Send + 'static>,
    parallel: usize,
    mut act: impl FnMut(&Domain) -> F + Send + 'static,
) -> impl Stream<Item = (Domain, Result<()>)> + Unpin + Send
where
    F: IntoFuture<Output = Result<()>, IntoFuture: Send> + 'static,
{
    let acts = stream::iter(domains).map(move |domain| {
        let act = act(&domain).into_future();
        async move {
            let result = act.await;
            (domain, result)
        }
    });
    Box::pin(acts.buffer_unordered(parallel.max(1)))
}
