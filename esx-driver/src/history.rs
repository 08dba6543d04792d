//! The host's own event history: what has happened and what happens, as the server words it.
//!
//! libvirt has no such thing; [`DomainEvents`](crate::DomainEvents) are libvirt's events.

mod event;
mod filter;
mod value;

use futures_core::Stream;
use std::pin::Pin;
use std::task::{Context, Poll};

use vi_client::event_history::{EventFollow, EventHistory, LARGEST_PAGE};

pub use self::event::HistoryEvent;
pub use self::filter::HistoryFilter;
pub use self::value::HistoryValue;
use crate::{Connect, Result};

/// A position in a host's event history; a new one is before the oldest event.
///
/// The server remembers it until [`close`](Self::close) or the end of the session. Dropping it tells the server in the
/// background.
#[derive(Debug)]
pub struct History(EventHistory);

impl Connect {
    /// Opens the event history: that of the ESX host, or on a vCenter what it tells of the connection's host and its
    /// domains. A filter of one domain is about that domain, wherever it was. One request.
    ///
    /// # Errors
    /// The server cannot be reached, has no events, or does not show them to the user.
    pub async fn history(&self, filter: HistoryFilter) -> Result<History> {
        let filter = filter.into_events(self).await?;
        Ok(History(self.client().event_history(filter).await?))
    }
}

impl History {
    /// The next newer events, oldest first; none at the end. One request.
    ///
    /// # Errors
    /// The server cannot be reached, or the session has ended.
    pub async fn next_page(&mut self) -> Result<Vec<HistoryEvent>> {
        let page = self.0.next_page(LARGEST_PAGE).await?;
        Ok(page.into_iter().map(HistoryEvent::new).collect())
    }

    /// The newest events, oldest first, at most `most`. Two requests, and one more for every 1,000 events beyond the first.
    ///
    /// # Errors
    /// The server cannot be reached, or the session has ended.
    pub async fn newest(&mut self, most: usize) -> Result<Vec<HistoryEvent>> {
        if most == 0 {
            return Ok(Vec::new());
        }
        self.0.set_page_size(most).await?;
        let mut events = self.0.latest().await?;
        if events.len() == LARGEST_PAGE && most > LARGEST_PAGE {
            self.0.reset().await?;
            while events.len() < most {
                let page = self.0.previous_page(most - events.len()).await?;
                if page.is_empty() {
                    break;
                }
                events.extend(page);
            }
        }
        // A page that grew meanwhile has events twice.
        events.sort_by_key(|event| event.key);
        events.dedup_by_key(|event| event.key);
        let first = events.len().saturating_sub(most);
        Ok(events.drain(first..).map(HistoryEvent::new).collect())
    }

    /// The events after those that were returned, as they happen; those after the first poll if none were.
    pub fn follow(self) -> HistoryFollow {
        HistoryFollow(self.0.follow())
    }

    /// Tells the server to forget the position.
    ///
    /// # Errors
    /// The server cannot be reached, or the session has ended.
    pub async fn close(self) -> Result<()> {
        Ok(self.0.close().await?)
    }
}

/// New events of a host in the order in which they happen: a stream that ends only with an error.
///
/// A lost connection, an ended session and a restart of the server are repaired, and no event is lost that the server still
/// has.
#[derive(Debug)]
pub struct HistoryFollow(EventFollow);

impl HistoryFollow {
    /// The next event; `None` after an error.
    pub async fn next(&mut self) -> Option<Result<HistoryEvent>> {
        let event = self.0.next().await?;
        Some(event.map(HistoryEvent::new).map_err(Into::into))
    }

    /// Tells the server that nobody follows any more.
    pub async fn close(self) {
        self.0.close().await;
    }
}

impl Stream for HistoryFollow {
    type Item = Result<HistoryEvent>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = Pin::new(&mut self.0).poll_next(context);
        next.map(|next| next.map(|event| event.map(HistoryEvent::new).map_err(Into::into)))
    }
}
