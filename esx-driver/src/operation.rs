//! Something that is done to a domain.

use std::{
    fmt,
    future::{Future, IntoFuture},
    time::Duration,
};

use futures_core::future::BoxFuture;

use crate::{Domain, Error, ErrorKind, Progress, Result, engine};

/// Something that is to be done to a domain. Nothing is sent before it is awaited.
///
/// ```no_run
/// # use std::time::Duration;
/// # use esx_driver::{CreateFlags, Domain, Result};
/// # async fn start(domain: &Domain) -> Result<()> {
/// domain
///     .create(CreateFlags::NONE)
///     .on_progress(|progress| tracing::info!(percent = progress.percent))
///     .deadline(Duration::from_secs(600))
///     .await
/// # }
/// ```
///
/// It is done once it is awaited to the end. What the host asks on the way is answered or reported by the connection's
/// [policy](crate::question::Policy). A future that is dropped leaves the host to itself (a task that it has begun goes
/// on), and no property filter behind.
#[must_use = "nothing is done before it is awaited"]
pub struct Operation<'a> {
    domain: Domain,
    work: Work,
    options: engine::Options<'a>,
}

/// What is done.
type Work =
    Box<dyn for<'b> FnOnce(Domain, engine::Options<'b>) -> BoxFuture<'b, Result<()>> + Send>;

impl Operation<'static> {
    /// Whatever `work` does, which heeds the options.
    pub(crate) fn new(
        domain: &Domain,
        work: impl for<'b> FnOnce(Domain, engine::Options<'b>) -> BoxFuture<'b, Result<()>>
        + Send
        + 'static,
    ) -> Operation<'static> {
        Operation {
            domain: domain.clone(),
            work: Box::new(work),
            options: engine::Options::default(),
        }
    }

    /// Calls that begin no task: they are over when the host answers, and have no progress.
    pub(crate) fn calls<F: Future<Output = Result<()>> + Send + 'static>(
        domain: &Domain,
        calls: impl FnOnce(Domain) -> F + Send + 'static,
    ) -> Operation<'static> {
        Operation::new(domain, |domain, options| {
            let calls = calls(domain);
            Box::pin(patience(options, calls))
        })
    }

    /// Fails.
    pub(crate) fn refused(domain: &Domain, error: Error) -> Operation<'static> {
        Operation::calls(domain, |_| async { Err(error) })
    }
}

impl<'a> Operation<'a> {
    /// Tells how far the host is, each time that changes.
    pub fn on_progress(mut self, told: impl Fn(Progress) + Send + Sync + 'a) -> Operation<'a> {
        self.options.progress = Some(Box::new(told));
        self
    }

    /// Waits no longer than that: [`ErrorKind::Timeout`]. A task that has begun by then goes on.
    pub fn deadline(mut self, after: Duration) -> Operation<'a> {
        self.options.deadline = Some(after);
        self
    }

    /// Asks the host to cancel the task when that future ends: [`ErrorKind::Cancelled`], with what came of it. Many
    /// tasks, starts among them, cannot be cancelled and go on.
    pub fn cancelled_by(mut self, when: impl Future<Output = ()> + Send + 'a) -> Operation<'a> {
        self.options.cancelled = Some(Box::pin(when));
        self
    }
}

/// What calls come to, unless the caller loses patience first.
async fn patience(
    options: engine::Options<'_>,
    calls: impl Future<Output = Result<()>> + Send,
) -> Result<()> {
    use virt_model::ErrorNumber::{OperationAborted, OperationTimeout};

    let advice = "whether the host does it is not known";
    let time = async {
        match options.deadline {
            Some(after) => tokio::time::sleep(after).await,
            None => std::future::pending().await,
        }
    };
    let wish = async {
        match options.cancelled {
            Some(cancelled) => cancelled.await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        result = calls => result,
        () = wish => Err(Error::new(ErrorKind::Cancelled, OperationAborted, "the caller did not wait for the host").advise(advice)),
        () = time => Err(Error::new(ErrorKind::Timeout, OperationTimeout, "the host takes too long").advise(advice)),
    }
}

impl<'a> IntoFuture for Operation<'a> {
    type Output = Result<()>;
    type IntoFuture = BoxFuture<'a, Result<()>>;

    fn into_future(self) -> BoxFuture<'a, Result<()>> {
        (self.work)(self.domain, self.options)
    }
}

impl fmt::Debug for Operation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}
