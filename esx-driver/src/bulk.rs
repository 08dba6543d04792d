//! The same operation on many things.

use std::future::IntoFuture;

use futures_core::Stream;
use futures_util::{StreamExt as _, stream};

use crate::Result;

/// The usual number of operations at a time: hosts work on few tasks at once, and let the others queue.
pub const DEFAULT_PARALLEL: usize = 8;

/// Runs an operation for each item, `parallel` of them at a time (at least one), and gives each result as soon as it is
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
/// `operate` makes the [`Operation`](crate::Operation) of an item. All operations on one connection share one waiting
/// call. A stream that is dropped begins nothing more; tasks that have begun go on.
pub fn run<I, T, F>(
    items: impl IntoIterator<Item = I, IntoIter: Send + 'static>,
    parallel: usize,
    mut operate: impl FnMut(&I) -> F + Send + 'static,
) -> impl Stream<Item = (I, Result<T>)> + Unpin + Send
where
    I: Send + 'static,
    T: Send + 'static,
    F: IntoFuture<Output = Result<T>, IntoFuture: Send> + 'static,
{
    let operations = stream::iter(items).map(move |item| {
        let operation = operate(&item).into_future();
        async move {
            let result = operation.await;
            (item, result)
        }
    });
    Box::pin(operations.buffer_unordered(parallel.max(1)))
}
