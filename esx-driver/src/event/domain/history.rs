//! The server's own events: why a state changed, and what no property shows.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tracing::warn;
use vi_client::Error as Cause;
use vi_client::event_history::{EventFilter, EventFollow};
use vi_types::Poly;
use vi_types::objects::Event;

use super::{clue, speech};
use crate::Connect;

/// How long to wait before the server is asked again for its events.
const RETRY: Duration = Duration::from_secs(60);

/// The history of the server, as far as somebody needs it and the server tells it.
pub(super) enum History {
    /// Nobody needs it.
    Unused,
    Followed(EventFollow),
    /// The server does not tell it, or not any more. It is asked again at this time.
    Refused(Instant),
}

impl History {
    /// Follows the events. If the server refuses, all events are told with the details that properties show.
    pub(super) async fn follow(connect: &Connect) -> History {
        match from_now_on(connect).await {
            Ok(events) => History::Followed(events),
            Err(error) => History::refused(&error),
        }
    }

    fn refused(error: &Cause) -> History {
        warn!(%error, "the server does not tell its events, so events have less details");
        History::Refused(Instant::now() + RETRY)
    }

    /// Whether reasons can be waited for.
    pub(super) fn is_told(&self) -> bool {
        matches!(self, History::Followed(_))
    }

    /// The next event of the server. `None` if it has become able or unable to tell events.
    pub(super) async fn next(&mut self, connect: &Connect) -> Option<Poly<Event>> {
        let error = match self {
            History::Unused => return std::future::pending().await,
            History::Refused(until) => {
                sleep_until(*until).await;
                *self = History::follow(connect).await;
                return None;
            }
            History::Followed(events) => match events.next().await {
                Some(Ok(event)) => return Some(event),
                Some(Err(error)) => error,
                None => Cause::Closed {
                    method: "ReadNextEvents",
                },
            },
        };
        *self = History::refused(&error);
        None
    }
}

/// The server's events from now on, oldest first.
async fn from_now_on(connect: &Connect) -> Result<EventFollow, Cause> {
    let filter = EventFilter::new().types(types());
    let mut history = connect.client().event_history(filter).await?;
    // They begin after the newest event.
    history.latest().await?;
    Ok(history.follow())
}

/// The types of events that say something.
fn types() -> impl Iterator<Item = &'static str> {
    clue::types().chain(speech::TYPES)
}
