//! What the background task of all watches does next: pure transitions, without I/O.
//!
//! A [`State`] says what the [runner](super::runner) has to do; each variant holds a struct whose `next` takes the replies
//! that this very step can have, and no others. So a pair of state and reply that cannot occur does not compile.
//!
//! One round: create what is missing on the server, ask what has changed if a filter is new or an answer was lost, and
//! wait for the next change. A truncated answer is followed by its rest. A round that brings nothing (no answer, no
//! session, an answer that says nothing new and does not wait) is followed by a pause that grows with the number of such
//! rounds in a row. After [`ROUNDS`] of them, the watches that do not keep trying fail.

use std::time::Duration;

use crate::Rounds;

/// How many rounds in a row may bring nothing, before watches fail.
pub(super) const ROUNDS: Rounds = Rounds::of(5);

/// The longest pause while the server cannot be reached.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What is to be done next. `E` is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State<E> {
    /// Nothing, until a watch is awaited.
    Idle(Idle),
    /// Create the collector and the filters that are missing.
    Subscribing(Subscribing),
    /// Ask what has changed, without waiting.
    Checking(Checking),
    /// Wait for the next change.
    Waiting(Waiting),
    /// Ask for the rest of an answer.
    Truncated(Truncated),
    /// Pause.
    Pausing(Pausing<E>),
    /// End the watches that do not keep trying.
    GivingUp(GivingUp<E>),
    /// End all watches.
    Failed(E),
}

/// See [`State::Idle`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Idle {
    rounds: Rounds,
    then: Step,
}

/// See [`State::Subscribing`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subscribing {
    rounds: Rounds,
    pub(super) from: Remains,
}

/// See [`State::Checking`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checking {
    rounds: Rounds,
    /// Whether to ask for all objects, instead of for what changed since the last answer.
    pub(super) is_anew: bool,
}

/// See [`State::Waiting`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    rounds: Rounds,
}

/// See [`State::Truncated`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Truncated {
    rounds: Rounds,
}

/// See [`State::Pausing`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pausing<E> {
    /// The rounds in a row that brought nothing.
    pub(super) rounds: Rounds,
    pub(super) trouble: Trouble<E>,
    then: Step,
}

/// See [`State::GivingUp`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GivingUp<E>(pub(super) Pausing<E>);

/// What to begin with when the watches go on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Step {
    /// With what is missing on the server, as always.
    #[default]
    Subscribe,
    /// Asking again: the last answer was lost.
    Check,
    /// Asking for all objects: the server has forgotten what it told.
    CheckAnew,
    /// With all filters: the server has lost them.
    Resubscribe,
    /// With all filters: what the server has is not known.
    Rebuild,
}

/// What there is on the server before subscribing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remains {
    /// What was created before.
    All,
    /// Nothing.
    Nothing,
    /// That is not known: it is destroyed first.
    Unknown,
}

/// Why a round brought nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble<E> {
    /// A call failed.
    Lost(E),
    /// The answers bring nothing.
    Stalled(Stall),
}

/// What a server does whose answers bring nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stall {
    /// It does not wait for a change.
    Hasty,
    /// It announces the rest of an answer, which does not come.
    Stale,
    /// It tells at once, and again, what it has told before.
    Again,
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Loss<E> {
    /// There was no answer.
    Answer(E),
    /// The server has forgotten the version of its last answer.
    Version(E),
    /// The session, the collector or a filter is gone.
    Subscription(E),
    /// The server refuses the call, or its answer cannot be read.
    Refused(E),
    /// No call will be answered: the client is closed, or the login is refused.
    Ended(E),
}

/// The reply to subscribing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SubscribeReply<E> {
    /// All filters exist; `is_new` if the server has not told the objects of one.
    Done {
        is_new: bool,
    },
    /// All filters exist, and no watch is awaited.
    Unawaited,
    Failed(Loss<E>),
}

/// The reply to asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CheckReply<E> {
    Told {
        is_truncated: bool,
    },
    /// Nothing has changed; `is_new` if the server has not told the objects of a filter.
    Nothing {
        is_new: bool,
    },
    Stalled(Stall),
    Failed(Loss<E>),
}

/// What ends a wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum WaitReply<E> {
    Told {
        is_truncated: bool,
    },
    /// Nothing has changed in time.
    Nothing,
    Stalled(Stall),
    /// The server has not told the objects of a filter that was added meanwhile.
    Overdue,
    /// Nobody listens any more.
    Left,
    Failed(Loss<E>),
    /// A filter could not be added.
    NotAdded(Loss<E>),
}

/// The reply to asking for the rest of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RestReply<E> {
    Told { is_truncated: bool },
    Nothing,
    Stalled(Stall),
    Failed(Loss<E>),
}

impl<E> Loss<E> {
    pub(super) fn map<F>(self, error: impl FnOnce(E) -> F) -> Loss<F> {
        match self {
            Loss::Answer(lost) => Loss::Answer(error(lost)),
            Loss::Version(lost) => Loss::Version(error(lost)),
            Loss::Subscription(lost) => Loss::Subscription(error(lost)),
            Loss::Refused(lost) => Loss::Refused(error(lost)),
            Loss::Ended(lost) => Loss::Ended(error(lost)),
        }
    }
}

impl<E> State<E> {
    /// The name, for traces.
    pub(super) fn name(&self) -> &'static str {
        match self {
            State::Idle(_) => "idle",
            State::Subscribing(_) => "subscribing",
            State::Checking(_) => "checking",
            State::Waiting(_) => "waiting",
            State::Truncated(_) => "truncated",
            State::Pausing(_) => "pausing",
            State::GivingUp(_) => "giving up",
            State::Failed(_) => "failed",
        }
    }
}

impl Default for Idle {
    fn default() -> Self {
        Self {
            rounds: ROUNDS,
            then: Step::default(),
        }
    }
}

impl Idle {
    /// A watch is awaited.
    pub(super) fn next<E>(self) -> State<E> {
        let rounds = self.rounds;
        let subscribing = |from| State::Subscribing(Subscribing { rounds, from });
        let checking = |is_anew| State::Checking(Checking { rounds, is_anew });
        match self.then {
            Step::Subscribe => subscribing(Remains::All),
            Step::Check => checking(false),
            Step::CheckAnew => checking(true),
            Step::Resubscribe => subscribing(Remains::Nothing),
            Step::Rebuild => subscribing(Remains::Unknown),
        }
    }
}

impl Subscribing {
    pub(super) fn next<E>(self, reply: SubscribeReply<E>) -> State<E> {
        let rounds = self.rounds;
        match reply {
            SubscribeReply::Done { is_new: true } => State::Checking(Checking {
                rounds,
                is_anew: false,
            }),
            SubscribeReply::Done { is_new: false } => State::Waiting(Waiting { rounds }),
            SubscribeReply::Unawaited => idle(rounds),
            SubscribeReply::Failed(loss) => lost(rounds, Step::Rebuild, loss),
        }
    }
}

impl Checking {
    pub(super) fn next<E>(self, reply: CheckReply<E>) -> State<E> {
        // Only waiting shows that the server is well: a check succeeds after each of many logins, too.
        let rounds = self.rounds;
        match reply {
            CheckReply::Told { is_truncated: true } => State::Truncated(Truncated { rounds }),
            // The filter selects nothing, or the server tells of a later filter only in a new collector: asked for everything,
            // vcsim tells only of the later filter, as if the others selected nothing.
            CheckReply::Nothing { is_new: true } if !self.is_anew => {
                State::Subscribing(Subscribing {
                    rounds,
                    from: Remains::Unknown,
                })
            }
            CheckReply::Told { .. } | CheckReply::Nothing { .. } => idle(rounds),
            CheckReply::Stalled(stall) => stalled(rounds, Step::Check, stall),
            CheckReply::Failed(loss) if self.is_anew => lost(rounds, Step::CheckAnew, loss),
            CheckReply::Failed(loss) => lost(rounds, Step::Check, loss),
        }
    }
}

impl Waiting {
    pub(super) fn next<E>(self, reply: WaitReply<E>) -> State<E> {
        let rounds = self.rounds;
        match reply {
            WaitReply::Told { is_truncated: true } => {
                State::Truncated(Truncated { rounds: ROUNDS })
            }
            WaitReply::Told { .. } | WaitReply::Nothing => idle(ROUNDS),
            WaitReply::Stalled(stall) => stalled(rounds, Step::Subscribe, stall),
            WaitReply::Overdue => State::Checking(Checking {
                rounds,
                is_anew: false,
            }),
            WaitReply::Left => idle(rounds),
            WaitReply::Failed(loss) => lost(rounds, Step::Check, loss),
            WaitReply::NotAdded(loss) => lost(rounds, Step::Rebuild, loss),
        }
    }
}

impl Truncated {
    pub(super) fn next<E>(self, reply: RestReply<E>) -> State<E> {
        let rounds = self.rounds;
        match reply {
            RestReply::Told { is_truncated: true } => State::Truncated(self),
            RestReply::Told { .. } | RestReply::Nothing => idle(rounds),
            RestReply::Stalled(stall) => stalled(rounds, Step::Check, stall),
            RestReply::Failed(loss) => lost(rounds, Step::Check, loss),
        }
    }
}

impl<E> Pausing<E> {
    /// How long to pause.
    pub(super) fn pause(&self) -> Duration {
        let longest = match self.trouble {
            // The server has answered. Sessions may end twice before a wait shows that all is well.
            Trouble::Lost(_)
                if self.rounds.count() <= 2
                    && matches!(self.then, Step::CheckAnew | Step::Resubscribe) =>
            {
                return Duration::ZERO;
            }
            Trouble::Lost(_) => LONGEST_PAUSE,
            Trouble::Stalled(_) => Rounds::LONGEST,
        };
        self.rounds.pause(longest)
    }

    /// The pause is over.
    pub(super) fn next(self) -> State<E> {
        State::Idle(Idle {
            rounds: self.rounds,
            then: self.then,
        })
    }
}

impl<E> GivingUp<E> {
    /// The watches that do not keep trying have ended.
    pub(super) fn next(self) -> State<E> {
        State::Pausing(self.0)
    }
}

fn idle<E>(rounds: Rounds) -> State<E> {
    State::Idle(Idle {
        rounds,
        then: Step::Subscribe,
    })
}

fn stalled<E>(rounds: Rounds, then: Step, stall: Stall) -> State<E> {
    paused(rounds, Trouble::Stalled(stall), then)
}

/// A call has failed. If there was no answer, the watches go on with `again`.
fn lost<E>(rounds: Rounds, again: Step, loss: Loss<E>) -> State<E> {
    match loss {
        Loss::Answer(error) => paused(rounds, Trouble::Lost(error), again),
        Loss::Version(error) => paused(rounds, Trouble::Lost(error), Step::CheckAnew),
        Loss::Subscription(error) => paused(rounds, Trouble::Lost(error), Step::Resubscribe),
        Loss::Refused(error) => State::GivingUp(GivingUp(Pausing {
            rounds: rounds.fruitless(),
            trouble: Trouble::Lost(error),
            then: Step::Rebuild,
        })),
        Loss::Ended(error) => State::Failed(error),
    }
}

/// Pauses, or gives up first if that was the case often.
fn paused<E>(rounds: Rounds, trouble: Trouble<E>, then: Step) -> State<E> {
    let pausing = Pausing {
        rounds: rounds.fruitless(),
        trouble,
        then,
    };
    match pausing.rounds.are_spent() {
        true => State::GivingUp(GivingUp(pausing)),
        false => State::Pausing(pausing),
    }
}

#[cfg(test)]
mod tests;
