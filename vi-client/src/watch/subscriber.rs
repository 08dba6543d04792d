//! A watch's end of the channel to the background task.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::sync::{mpsc, oneshot};
use vi_types::objects::{ObjectUpdate, PropertyFilterSpec};

use super::Connection;
use crate::{Client, Error};

/// What the server tells in an answer, or in several truncated ones.
#[derive(Debug)]
pub(super) struct Batch {
    /// Whether these are all objects with all properties: what is not among them is gone.
    pub(super) is_complete: bool,
    pub(super) updates: Vec<ObjectUpdate>,
}

/// What a watch receives.
pub(super) type News = Result<Batch, Arc<Error>>;

/// A watch's command to the background task.
#[derive(Debug)]
pub(super) enum Command {
    Add(Box<Subscription>),
    /// A watch is polled and has no news queued.
    Wait,
    Remove {
        id: u64,
        done: Option<oneshot::Sender<()>>,
    },
}

/// What the background task has to know of a new watch.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) id: u64,
    pub(super) spec: PropertyFilterSpec,
    pub(super) news: mpsc::UnboundedSender<News>,
    pub(super) flags: Arc<Flags>,
    /// Receives the outcome of creating the filter for the first time.
    pub(super) ready: oneshot::Sender<Result<(), Error>>,
}

/// What a watch says to the background task without waking it.
#[derive(Debug, Default)]
pub(super) struct Flags {
    /// Whether the caller awaits news and none is queued.
    pub(super) wants_news: AtomicBool,
    /// Whether failures that may pass never end the watch.
    pub(super) keeps_trying: AtomicBool,
}

/// Receives what a filter tells. Dropping it destroys the filter in the background.
#[derive(Debug)]
pub(super) struct Subscriber {
    id: u64,
    news: mpsc::UnboundedReceiver<News>,
    flags: Arc<Flags>,
    commands: mpsc::UnboundedSender<Command>,
    connection: Connection,
    is_open: bool,
}

impl Subscriber {
    /// Creates the filter.
    pub(super) async fn new(client: &Client, spec: PropertyFilterSpec) -> Result<Self, Error> {
        let (sender, news) = mpsc::unbounded_channel();
        let (ready, is_ready) = oneshot::channel();
        let flags = Arc::<Flags>::default();
        let added = client.waiter().add(client, |id| Subscription {
            id,
            spec,
            news: sender,
            flags: Arc::clone(&flags),
            ready,
        });
        // From here on, dropping the future removes the filter.
        let subscriber = Self {
            id: added.id,
            news,
            flags,
            commands: added.commands,
            connection: added.connection,
            is_open: true,
        };
        match is_ready.await {
            Ok(result) => result.map(|()| subscriber),
            Err(_) => Err(Error::Closed {
                method: "CreateFilter",
            }),
        }
    }

    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<News> {
        // `poll_recv` can be pending with news queued, if tokio makes this task yield.
        if let Ok(news) = self.news.try_recv() {
            return Poll::Ready(news);
        }
        match self.news.poll_recv(context) {
            Poll::Ready(Some(news)) => Poll::Ready(news),
            Poll::Ready(None) => Poll::Ready(Err(Arc::new(Error::Closed {
                method: "WaitForUpdatesEx",
            }))),
            Poll::Pending => {
                if !self.flags.wants_news.swap(true, Ordering::AcqRel) {
                    // Sending fails only after the watch has failed; no news come then.
                    let _ = self.commands.send(Command::Wait);
                }
                Poll::Pending
            }
        }
    }

    pub(super) fn keep_trying(&self) {
        self.flags.keeps_trying.store(true, Ordering::Release);
    }

    pub(super) fn connection(&self) -> Connection {
        self.connection.clone()
    }

    pub(super) async fn close(mut self) {
        self.is_open = false;
        let (done, is_done) = oneshot::channel();
        let removal = Command::Remove {
            id: self.id,
            done: Some(done),
        };
        if self.commands.send(removal).is_ok() {
            // The sender is dropped when the filter is destroyed.
            let _ = is_done.await;
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        if self.is_open {
            let removal = Command::Remove {
                id: self.id,
                done: None,
            };
            // Sending fails if everything is destroyed already.
            let _ = self.commands.send(removal);
        }
    }
}
