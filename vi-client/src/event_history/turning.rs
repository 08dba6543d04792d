//! Whether the pages of a history come to an end.

use std::collections::HashSet;

use vi_types::Poly;
use vi_types::objects::Event;

use crate::{Error, Rounds};

/// The pages that were read since the position was set.
#[derive(Debug)]
pub(super) struct Turning {
    /// The keys of all events.
    keys: HashSet<i32>,
    /// The pages that had no new event.
    rounds: Rounds,
}

impl Default for Turning {
    fn default() -> Self {
        Self {
            keys: HashSet::new(),
            rounds: Rounds::of(5),
        }
    }
}

impl Turning {
    /// Notes a page that `method` has read. An empty one is the end for now.
    pub(super) async fn note(
        &mut self,
        method: &'static str,
        page: &[Poly<Event>],
    ) -> Result<(), Error> {
        if page.is_empty() {
            return Ok(());
        }
        let before = self.keys.len();
        self.keys.extend(page.iter().map(|event| event.key));
        let has_new = self.keys.len() > before;
        let behaviour = "gives a page of events that it has given before";
        self.rounds.note(has_new, method, behaviour).await
    }
}
