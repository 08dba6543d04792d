//! Watches: changes of properties, as the server reports them.
//!
//! - [`subscriber`]: a watch's end of the channel to the background task of the client;
//! - [`runner`]: that task, which calls the server; [`state`] decides, without I/O, what it does next;
//! - [`difference`]: what is new in what the server tells, for a [`Watch`]; [`objects`]: the same as property sets.

mod connection;
mod difference;
mod objects;
mod pace;
mod runner;
mod server;
mod state;
mod subscriber;

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use vi_types::objects::{ObjectUpdate, PropertyFilterSpec};

pub use self::connection::{Connection, ConnectionState};
use self::difference::Difference;
pub use self::objects::{ObjectChange, ObjectWatch, WatchedObjects};
pub(crate) use self::runner::WaiterHandle;
use self::subscriber::Subscriber;
use crate::{Client, Error};

/// Watches properties of objects on the server, and tells what is new.
///
/// [`Client::watch_set`] tells the same with typed properties, and keeps the objects.
///
/// All watches of a client share one property collector and one waiting call, which is sent only while a caller awaits
/// [`next`](Self::next). After a lost connection, an expired session or a restart of the server, the filters are created
/// again and the watch compares: it tells only the difference to what it has told before. By default it fails if that does
/// not succeed within several attempts, see [`keep_trying`](Self::keep_trying).
///
/// [`close`](Self::close) destroys the filter on the server; dropping the watch does so in the background. The collector
/// is destroyed with the last watch.
#[derive(Debug)]
pub struct Watch {
    subscriber: Subscriber,
    known: Difference,
}

impl Client {
    /// Watches what `spec` selects.
    ///
    /// # Errors
    /// As [`call`](Self::call): the server's fault if it does not take the filter.
    pub async fn watch(&self, spec: PropertyFilterSpec) -> Result<Watch, Error> {
        let known = Difference::new(&spec);
        let subscriber = Subscriber::new(self, spec).await?;
        Ok(Watch { subscriber, known })
    }
}

impl Watch {
    /// The next changes; the first time, all objects with their properties, none if there are none. Later, there is always
    /// a change. Truncated answers of the server are joined, so that an update is complete.
    ///
    /// A changed object enters, is modified (its changed properties are told) or leaves. An object that never existed is
    /// told as leaving, too, once.
    ///
    /// # Errors
    /// The reason why watching failed; no update follows.
    pub async fn next(&mut self) -> Result<Vec<ObjectUpdate>, Arc<Error>> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// Like [`next`](Self::next), for streams.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Vec<ObjectUpdate>, Arc<Error>>> {
        loop {
            match self.subscriber.poll_next(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Ready(Ok(batch)) => {
                    if let Some(updates) = self.known.take(batch) {
                        return Poll::Ready(Ok(updates));
                    }
                }
            }
        }
    }

    /// Goes on forever after failures that may pass, with growing pauses of at most half a minute. By default a watch fails
    /// after five failures in a row, which takes three seconds if the server refuses connections.
    ///
    /// Some failures end every watch: the client is closed, or the server refuses its password.
    pub fn keep_trying(&self) {
        self.subscriber.keep_trying();
    }

    /// Whether the server can be reached: tells "no change" from "no connection".
    pub fn connection(&self) -> Connection {
        self.subscriber.connection()
    }

    /// Destroys the filter and waits until it is destroyed.
    pub async fn close(self) {
        self.subscriber.close().await;
    }
}
