//! The server's own events: why a state changed, and what no property shows.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tracing::warn;
use vi_client::Error as Cause;
use vi_client::event_history::{EventFilter, EventFollow};
use vi_types::enums::EventFilterSpecRecursionOption;
use vi_types::objects::Event;
use vi_types::{ManagedObjectReference, Poly};

use super::{clue, speech};
use crate::{Connect, Scheme};

/// How long to wait before the server is asked again for its events.
const RETRY: Duration = Duration::from_secs(60);

/// The history of the server, as far as somebody needs it and the server tells it.
pub(super) enum History {
    /// Nobody needs it.
    Unused,
    Followed(Followed),
    /// The server does not tell it, or not any more. It is asked again at this time.
    Refused(Instant),
}

/// The events of the connection's host.
pub(super) struct Followed {
    /// Those of the host and of the machines on it.
    own: EventFollow,
    /// Those of a vCenter about machines that moved, which are of the host that they have moved to.
    moves: Option<EventFollow>,
}

impl Followed {
    async fn next(&mut self) -> Option<Result<Poly<Event>, Cause>> {
        let Some(moves) = &mut self.moves else {
            return self.own.next().await;
        };
        tokio::select! {
            biased;
            event = moves.next() => event,
            event = self.own.next() => event,
        }
    }
}

impl History {
    /// Follows the events. If the server refuses, all events are told with the details that properties show.
    pub(super) async fn follow(connect: &Connect, host: &ManagedObjectReference) -> History {
        match from_now_on(connect, host).await {
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
    pub(super) async fn next(
        &mut self,
        connect: &Connect,
        host: &ManagedObjectReference,
    ) -> Option<Poly<Event>> {
        let error = match self {
            History::Unused => return std::future::pending().await,
            History::Refused(until) => {
                sleep_until(*until).await;
                *self = History::follow(connect, host).await;
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

/// The host's events from now on, oldest first.
async fn from_now_on(connect: &Connect, host: &ManagedObjectReference) -> Result<Followed, Cause> {
    // A vCenter has the events of many hosts.
    if connect.uri().scheme() != Scheme::Vpx {
        let filter = EventFilter::new().types(types().chain(clue::moves()));
        let own = follow(connect, filter).await?;
        return Ok(Followed { own, moves: None });
    }
    let all = EventFilterSpecRecursionOption::All;
    let own = EventFilter::new().types(types()).entity(host.clone(), all);
    let moves = EventFilter::new().types(clue::moves());
    let own = follow(connect, own).await?;
    let moves = match follow(connect, moves).await {
        Ok(moves) => Some(moves),
        Err(error) if error.is_broken() => return Err(error),
        // A user may have the permission for the host only.
        Err(error) => {
            warn!(%error, "the server does not tell which machines moved, so events of those have less details");
            None
        }
    };
    Ok(Followed { own, moves })
}

async fn follow(connect: &Connect, filter: EventFilter) -> Result<EventFollow, Cause> {
    let client = connect.client();
    let mut history = client.event_history(filter.without_messages()).await?;
    // They begin after the newest event.
    history.latest().await?;
    Ok(history.follow())
}

/// The types of events that say something, except that a machine moved.
fn types() -> impl Iterator<Item = &'static str> {
    clue::types().chain(speech::TYPES)
}
