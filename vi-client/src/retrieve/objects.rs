use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use super::{ObjectProperties, Pages};
use crate::Error;
use crate::transport::BoxFuture;

/// An answer of the property collector, read object by object.
///
/// Each object is decoded as soon as it has arrived, so that memory holds one piece of a long answer at a time. Reading
/// continues only while [`next`](Self::next) is awaited; each page has the deadline of a call
/// ([`Limits::deadline`](crate::Limits::deadline)).
///
/// Dropping `Objects` early closes the connection if a page is arriving, and cancels the remaining pages.
pub struct Objects {
    /// Reads the answer; `None` at its end.
    reading: Option<BoxFuture<'static, Result<(), Error>>>,
    /// Why reading failed, returned after the objects that had arrived.
    failure: Option<Error>,
    arrived: Arc<Mutex<VecDeque<ObjectProperties>>>,
}

impl Objects {
    pub(super) fn new(mut pages: Pages) -> Self {
        let arrived = Arc::default();
        let queue: Arc<Mutex<VecDeque<_>>> = Arc::clone(&arrived);
        let reading = Box::pin(async move {
            let mut take = |object| lock(&queue).push_back(object);
            while pages.next_arriving(&mut take).await? {}
            Ok(())
        });
        Self {
            reading: Some(reading),
            failure: None,
            arrived,
        }
    }

    /// The next object; `None` after the last one.
    ///
    /// # Errors
    /// As [`Client::call`](crate::Client::call), after the objects that had arrived; no more follow. If the session ends
    /// between two pages, the rest of the answer is lost: an error ([`Error::is_not_authenticated`]), unlike in
    /// [`Client::retrieve`](crate::Client::retrieve).
    pub async fn next(&mut self) -> Result<Option<ObjectProperties>, Error> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// Like [`next`](Self::next), for streams.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<ObjectProperties>, Error>> {
        loop {
            if let Some(object) = lock(&self.arrived).pop_front() {
                return Poll::Ready(Ok(Some(object)));
            }
            let Some(reading) = &mut self.reading else {
                return Poll::Ready(self.failure.take().map_or(Ok(None), Err));
            };
            match reading.as_mut().poll(context) {
                Poll::Ready(result) => {
                    self.reading = None;
                    self.failure = result.err();
                }
                Poll::Pending if lock(&self.arrived).is_empty() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
    }
}

fn lock<T>(queue: &Mutex<T>) -> MutexGuard<'_, T> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Objects")
            .field("ended", &self.reading.is_none())
            .finish_non_exhaustive()
    }
}
