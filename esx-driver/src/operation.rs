//! Something that changes the server.

use std::{
    borrow::Cow,
    fmt,
    future::{Future, IntoFuture},
    sync::Arc,
    time::Duration,
};

use futures_core::future::BoxFuture;

use crate::{
    Progress, Result,
    engine::{Change, Changes, Options, Runner},
};

/// A change of the server that returns a `T`. Nothing is sent before it is awaited.
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
/// The change is done when the await returns `Ok`. What the host asks on the way is answered or reported by the
/// connection's [policy](crate::policy::Policy). A call is sent once: when there is no reply, the server is read for what
/// came of it, and the error says that it was not done ([`ErrorKind::NotDone`](crate::ErrorKind::NotDone)) or that nobody
/// knows ([`ErrorKind::InDoubt`](crate::ErrorKind::InDoubt)). What was done before a failure is told by
/// [`Error::outcome`](crate::Error::outcome). A future that is dropped leaves the host to itself (a task
/// that it has begun goes on), and no property filter behind.
#[must_use = "nothing is done before it is awaited"]
pub struct Operation<'a, T = ()> {
    could_not: Cow<'static, str>,
    work: Work<T>,
    options: Options<'a>,
}

/// What is done.
type Work<T> = Box<dyn for<'b> FnOnce(Runner<'b>) -> BoxFuture<'b, Result<T>> + Send>;

impl<T> Operation<'static, T> {
    /// Whatever `work` does by means of the [`Runner`]. `could_not` is how libvirt says that it failed: `Could not start
    /// domain`.
    pub(crate) fn new(
        could_not: impl Into<Cow<'static, str>>,
        work: impl for<'b> FnOnce(Runner<'b>) -> BoxFuture<'b, Result<T>> + Send + 'static,
    ) -> Operation<'static, T> {
        Operation {
            could_not: could_not.into(),
            work: Box::new(work),
            options: Options::default(),
        }
    }
}

impl<T: Send + 'static> Operation<'static, T> {
    /// A change alone; or an error that was found before, which is told when the operation is awaited.
    pub(crate) fn of(
        could_not: impl Into<Cow<'static, str>>,
        change: Result<Change<T>>,
    ) -> Operation<'static, T> {
        Operation::new(could_not, move |mut runner| {
            Box::pin(async move { runner.perform(change?).await })
        })
    }
}

impl<'a, T> Operation<'a, T> {
    /// Calls `told` each time the host's progress changes.
    pub fn on_progress(mut self, told: impl Fn(Progress) + Send + Sync + 'a) -> Operation<'a, T> {
        self.options.progress = Some(Box::new(told));
        self
    }

    /// Gives up waiting after `after`, whatever is waited for: [`ErrorKind::Timeout`](crate::ErrorKind::Timeout). A task that
    /// has begun by then goes on. If the server has not answered the call that changes something by then, nobody knows
    /// whether it does it: [`ErrorKind::InDoubt`](crate::ErrorKind::InDoubt).
    pub fn deadline(mut self, after: Duration) -> Operation<'a, T> {
        self.options.deadline = Some(after);
        self
    }

    /// Asks the host to cancel the task when the future `when` ends:
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled), with what came of it. Many tasks, power-on among them, cannot
    /// be cancelled and go on. It takes some seconds at most, also if the server is silent.
    pub fn cancelled_by(mut self, when: impl Future<Output = ()> + Send + 'a) -> Operation<'a, T> {
        self.options.cancelled = Some(Box::pin(when));
        self
    }
}

impl<'a, T: 'a> IntoFuture for Operation<'a, T> {
    type Output = Result<T>;
    type IntoFuture = BoxFuture<'a, Result<T>>;

    fn into_future(self) -> BoxFuture<'a, Result<T>> {
        Box::pin(async move {
            let changes = Arc::<Changes>::default();
            let runner = Runner::new(self.could_not, self.options, Arc::clone(&changes));
            let result = (self.work)(runner).await;
            result.map_err(|error| changes.explain(error))
        })
    }
}

impl<T> fmt::Debug for Operation<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("could_not", &self.could_not)
            .finish_non_exhaustive()
    }
}
