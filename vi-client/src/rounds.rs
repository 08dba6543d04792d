//! A budget for what may be done again and again although it brings nothing.

use std::fmt;
use std::time::Duration;

use crate::Error;

/// How many rounds in a row have brought nothing, and how many may.
///
/// Whoever asks a server in a loop keeps one for each activity (an answer of many pages, a watch, the questions of a task).
/// A round that brings something makes the budget whole again; after one that brings nothing, there is a pause that grows
/// with their number. Behind the last one is an error that says what the server does, such as
/// [`Error::Stalled`](crate::Error::Stalled).
///
/// ```
/// use std::time::Duration;
/// use vi_client::Rounds;
///
/// let longest = Duration::from_secs(30);
/// let mut rounds = Rounds::of(2);
/// assert_eq!(rounds.pause(longest), Duration::ZERO);
/// rounds = rounds.fruitless();
/// assert_eq!((rounds.are_spent(), rounds.pause(longest)), (false, Duration::from_millis(100)));
/// rounds = rounds.fruitless().fruitless();
/// assert_eq!((rounds.are_spent(), rounds.pause(longest)), (true, Duration::from_millis(400)));
/// assert!(!rounds.fruitful().are_spent());
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Rounds {
    spent: u32,
    most: u32,
}

impl Rounds {
    /// The pause after the first fruitless round; it doubles with each further one.
    const FIRST_PAUSE: Duration = Duration::from_millis(100);

    /// The longest pause while the server answers.
    pub const LONGEST: Duration = Duration::from_secs(5);

    /// A budget of so many fruitless rounds in a row.
    pub const fn of(most: u32) -> Self {
        Self { spent: 0, most }
    }

    /// After a round that has brought something.
    #[must_use]
    pub const fn fruitful(self) -> Self {
        Self::of(self.most)
    }

    /// After a round that has brought nothing.
    #[must_use]
    pub const fn fruitless(self) -> Self {
        Self {
            spent: self.spent.saturating_add(1),
            ..self
        }
    }

    /// How many rounds in a row have brought nothing.
    pub const fn count(self) -> u32 {
        self.spent
    }

    /// Whether more rounds than the budget has have brought nothing.
    pub const fn are_spent(self) -> bool {
        self.spent > self.most
    }

    /// Notes a round. If it has brought nothing, pauses before the next one, for at most [`LONGEST`](Self::LONGEST).
    ///
    /// # Errors
    /// [`Error::Stalled`] with the method and what the server does, if the budget is spent.
    pub async fn note(
        &mut self,
        has_brought: bool,
        method: &'static str,
        behaviour: &'static str,
    ) -> Result<(), Error> {
        *self = match has_brought {
            true => self.fruitful(),
            false => self.fruitless(),
        };
        if self.are_spent() {
            return Err(Error::Stalled {
                method,
                behaviour,
                rounds: self.spent,
            });
        }
        // A timer would take a millisecond.
        if !has_brought {
            tokio::time::sleep(self.pause(Self::LONGEST)).await;
        }
        Ok(())
    }

    /// How long to pause before the next round.
    pub fn pause(self, longest: Duration) -> Duration {
        match self.spent {
            0 => Duration::ZERO,
            spent => (Self::FIRST_PAUSE * (1 << (spent - 1).min(16))).min(longest),
        }
    }
}

impl fmt::Debug for Rounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.spent, self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_limit() {
        let pauses = |longest| {
            [0, 1, 2, 3, 6, 9, 10, u32::MAX].map(|spent| {
                let rounds = Rounds { spent, most: 5 };
                rounds.pause(Duration::from_secs(longest)).as_millis()
            })
        };
        let expected = [0, 100, 200, 400, 3_200, 25_600, 30_000, 30_000];
        assert_eq!(pauses(30), expected);
        let expected = [0, 100, 200, 400, 3_200, 5_000, 5_000, 5_000];
        assert_eq!(pauses(5), expected);
    }
}
