//! Changes of properties, as the server tells them.

mod waiter;

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::sync::{mpsc, oneshot};
use vi_types::objects::{ObjectUpdate, PropertyFilterSpec};

pub(crate) use self::waiter::Slot;
use self::waiter::{Command, Update};
use crate::{Client, Error};

/// Watches properties of objects on the server.
///
/// All watches of a client share one property collector of their own and one waiting call, which is made only while
/// somebody is in [`next`](Self::next). A connection that breaks and a session that ends are mended in the background:
/// everything that is watched is then told anew.
///
/// The filter on the server is destroyed by [`close`](Self::close), and in the background when the watch is dropped;
/// with the last watch the collector goes too.
#[derive(Debug)]
pub struct Watch {
    id: u64,
    updates: mpsc::UnboundedReceiver<Update>,
    /// Whether somebody waits for the next update.
    hungry: Arc<AtomicBool>,
    commands: mpsc::UnboundedSender<Command>,
    is_open: bool,
}

impl Client {
    /// Watches what `spec` selects.
    ///
    /// # Errors
    /// As [`call`](Self::call): the server's fault if it does not take the filter.
    pub async fn watch(&self, spec: PropertyFilterSpec) -> Result<Watch, Error> {
        let (sender, updates) = mpsc::unbounded_channel();
        let (ready, is_ready) = oneshot::channel();
        let hungry = Arc::new(AtomicBool::new(false));
        let (id, commands) = self.waiter().add(self, |id| Command::Add {
            id,
            spec: Box::new(spec),
            updates: sender,
            hungry: Arc::clone(&hungry),
            ready,
        });
        // From here on a dropped future takes the watch back.
        let watch = Watch {
            id,
            updates,
            hungry,
            commands,
            is_open: true,
        };
        match is_ready.await {
            Ok(result) => result.map(|()| watch),
            Err(_) => Err(Error::Closed {
                method: "CreateFilter",
            }),
        }
    }
}

impl Watch {
    /// What changed since the last time; the first time, everything there is. Answers that the server truncates are put
    /// together, so that an update is complete.
    ///
    /// After a lost session everything is told anew, as objects that enter; objects that were known and are gone by then
    /// are told as objects that leave. So are objects that were asked for and do not exist.
    ///
    /// # Errors
    /// Why the server can't be asked any more; nothing comes after that.
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
        // Polling can also be pending because the task has had its turn, while there is an update.
        if let Ok(update) = self.updates.try_recv() {
            return Poll::Ready(update);
        }
        match self.updates.poll_recv(context) {
            Poll::Ready(Some(update)) => Poll::Ready(update),
            Poll::Ready(None) => Poll::Ready(Err(Arc::new(Error::Closed {
                method: "WaitForUpdatesEx",
            }))),
            Poll::Pending => {
                if !self.hungry.swap(true, Ordering::AcqRel) {
                    // Nobody listens only when the watch has failed before; then nothing comes either.
                    let _ = self.commands.send(Command::Wait);
                }
                Poll::Pending
            }
        }
    }

    /// Destroys the filter, and returns when that is done.
    pub async fn close(mut self) {
        self.is_open = false;
        let (done, is_done) = oneshot::channel();
        let removal = Command::Remove {
            id: self.id,
            done: Some(done),
        };
        if self.commands.send(removal).is_ok() {
            // Dropped when there is nothing to do any more.
            let _ = is_done.await;
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.is_open {
            let removal = Command::Remove {
                id: self.id,
                done: None,
            };
            // Nobody listens when everything was destroyed before.
            let _ = self.commands.send(removal);
        }
    }
}
