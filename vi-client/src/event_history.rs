//! The server's event history: what has happened, page by page, and what happens.
//!
//! ```no_run
//! use vi_client::event_history::{EventFilter, event_type};
//! # use vi_client::{Client, Error};
//!
//! # async fn run(client: &Client) -> Result<(), Error> {
//! let filter = EventFilter::new().types(["VmPoweredOnEvent", "VmPoweredOffEvent"]);
//! let mut history = client.event_history(filter).await?;
//! loop {
//!     let page = history.next_page(100).await?;
//!     if page.is_empty() {
//!         break;
//!     }
//!     for event in page {
//!         println!("{} {} {:?}", event.created_time, event_type(&event), event.full_formatted_message);
//!     }
//! }
//! // From here on, what happens.
//! let mut follow = history.follow();
//! while let Some(event) = follow.next().await {
//!     println!("{}", event_type(&event?));
//! }
//! # Ok(()) }
//! ```
//!
//! An event is a [`Poly<Event>`](vi_types::Poly). One of a type that this build leaves out (most of the 442 are in families,
//! which are features of vi-types) or that is newer than this crate is kept whole: it dereferences to an
//! [`Event`], with time, user and the objects that it is about, it has its own
//! [`event_type`], and its other properties are in the XML of [`unknown_event`].

mod collector;
mod filter;
mod follow;
mod seen;
mod turning;
mod types;

use vi_types::methods::{ReadNextEvents, ReadPreviousEvents, ResetCollector, RewindCollector};
use vi_types::objects::{Event, EventFilterSpec};
use vi_types::{Method as _, Poly};

use self::collector::Collector;
pub use self::filter::EventFilter;
pub use self::follow::EventFollow;
use self::seen::Seen;
use self::turning::Turning;
pub use self::types::{descendants, event_id, event_type, event_types, is_event, unknown_event};
use crate::{Client, Error};

/// The most events in a page: servers refuse more.
pub const LARGEST_PAGE: usize = 1_000;

/// A position in the server's event history, seen through a filter: an `EventHistoryCollector`.
///
/// A new one is before the oldest event. The server keeps a collector for it until [`close`](Self::close) or the end of the
/// session; dropping it destroys the collector in the background. If the session ends meanwhile, the collector is lost and
/// calls fail with `ManagedObjectNotFound`; [`follow`](Self::follow) gets over that.
#[derive(Debug)]
pub struct EventHistory {
    collector: Collector,
    filter: EventFilterSpec,
    seen: Seen,
    turning: Turning,
    /// Whether `seen` is what there was when something was read, and not only empty.
    has_begun: bool,
}

impl Client {
    /// Opens the event history. One request.
    ///
    /// # Errors
    /// As [`call`](Self::call); [`Error::NoSuchService`] if the server has no events.
    pub async fn event_history(
        &self,
        filter: impl Into<EventFilter>,
    ) -> Result<EventHistory, Error> {
        let filter = filter.into().into_spec(self);
        Ok(EventHistory {
            collector: Collector::create(self, &filter).await?,
            filter,
            seen: Seen::default(),
            turning: Turning::default(),
            has_begun: false,
        })
    }
}

impl EventHistory {
    /// The next newer events, at most `most` (from 1 to [`LARGEST_PAGE`]), oldest first; none at the end. Events that
    /// happen later can be read later. One request.
    ///
    /// # Errors
    /// As [`Client::call`]; [`Error::Stalled`] if the server gives the same events again and again.
    pub async fn next_page(&mut self, most: usize) -> Result<Vec<Poly<Event>>, Error> {
        let request = ReadNextEvents {
            this: self.collector.reference().clone(),
            max_count: page_size(most),
            ..ReadNextEvents::default()
        };
        let mut page = self.collector.call(&request).await?;
        self.turning.note(ReadNextEvents::name(), &page).await?;
        // The API promises this order, but govmomi's simulator reads from the newest to the oldest.
        page.sort_by_key(|event| event.key);
        self.seen.add_all(&page);
        self.has_begun = true;
        Ok(page)
    }

    /// The next older events, at most `most` (from 1 to [`LARGEST_PAGE`]), newest first; none at the oldest. One request.
    ///
    /// # Errors
    /// As [`next_page`](Self::next_page).
    pub async fn previous_page(&mut self, most: usize) -> Result<Vec<Poly<Event>>, Error> {
        let request = ReadPreviousEvents {
            this: self.collector.reference().clone(),
            max_count: page_size(most),
            ..ReadPreviousEvents::default()
        };
        let mut page = self.collector.call(&request).await?;
        self.turning.note(ReadPreviousEvents::name(), &page).await?;
        page.sort_by_key(|event| std::cmp::Reverse(event.key));
        Ok(page)
    }

    /// The latest page: the newest events, newest first; the server's default is 10. One request.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn latest(&mut self) -> Result<Vec<Poly<Event>>, Error> {
        let mut page = self.collector.latest_page().await?;
        page.sort_by_key(|event| event.key);
        self.seen.add_all(&page);
        self.has_begun = true;
        page.reverse();
        Ok(page)
    }

    /// Sets the size of the latest page, from 1 to [`LARGEST_PAGE`]. One request.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn set_page_size(&mut self, size: usize) -> Result<(), Error> {
        self.collector.set_page_size(page_size(size)).await
    }

    /// Goes before the oldest event. One request.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn rewind(&mut self) -> Result<(), Error> {
        let this = self.collector.reference().clone();
        let request = RewindCollector {
            this,
            ..RewindCollector::default()
        };
        self.turning = Turning::default();
        self.collector.call(&request).await
    }

    /// Goes before the latest page, so that [`previous_page`](Self::previous_page) continues [`latest`](Self::latest). One
    /// request.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn reset(&mut self) -> Result<(), Error> {
        let this = self.collector.reference().clone();
        let request = ResetCollector {
            this,
            ..ResetCollector::default()
        };
        self.turning = Turning::default();
        self.collector.call(&request).await
    }

    /// The events after those that [`next_page`](Self::next_page) and [`latest`](Self::latest) have returned, as they
    /// happen; those after the first poll if neither was called.
    pub fn follow(self) -> EventFollow {
        EventFollow::new(self.collector, self.filter, self.seen, self.has_begun)
    }

    /// Destroys the collector.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub async fn close(self) -> Result<(), Error> {
        self.collector.close().await
    }
}

/// A number of events that servers take.
fn page_size(most: usize) -> i32 {
    i32::try_from(most.clamp(1, LARGEST_PAGE)).unwrap_or(1)
}
