//! What happens to one domain, in order: changes of its state, which wait for what the server says about their reason, and
//! events that need no reason.
//!
//! Without I/O and without a clock: time is an argument.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;
use vi_types::DateTime;
use virt_model::event::{DefinedDetail, LifecycleEvent};

use super::DomainEventDetail;
use super::clue::{Clue, Facet};
use super::lifecycle::{self, CRASHED, Observed, UPDATED, Which};

/// How long a change of a domain's state waits for the server's event that says why. Hosts write the event after the
/// change; both come with the same waiting call, or with the next one.
pub(super) const REASON_WAIT: Duration = Duration::from_secs(1);

/// How long what the server said is kept for a change that it may explain: a guest takes minutes to shut down.
const CLUE_LIFE: Duration = Duration::from_secs(600);

/// How long after the first change that a revert explains there may be more of them.
const REVERT: Duration = Duration::from_secs(2);

/// Most clues that are kept.
const CLUES: usize = 64;

/// A domain's handle with what of it makes its life cycle.
pub(super) type State<D> = (D, Observed);

/// Something that happened to a domain.
#[derive(Debug)]
pub(super) struct Happened<D> {
    /// The domain, as it was then.
    pub(super) domain: D,
    pub(super) time: Option<DateTime>,
    pub(super) detail: DomainEventDetail,
}

/// What happens to one domain, whose handles are `D`.
pub(super) struct Timeline<D> {
    /// The state after all that waits.
    state: Option<State<D>>,
    waiting: VecDeque<Waiting<D>>,
    clues: VecDeque<Said>,
    /// The guest has suspended the domain, as far as events have been told.
    is_asleep: bool,
    /// The crash of the guest has been told.
    is_crash_told: bool,
    /// When a revert explained a change the first time.
    reverted: Option<Instant>,
    /// The configuration changed, and nobody has said how.
    is_unexplained: bool,
}

/// A clue, when it came, and the time of its event.
struct Said {
    clue: Clue,
    came: Instant,
    time: Option<DateTime>,
}

enum Waiting<D> {
    /// A change, until its reason or this time has come.
    Change {
        before: Option<State<D>>,
        now: Option<State<D>>,
        until: Instant,
    },
    /// An event behind changes that wait.
    Event(Happened<D>),
}

/// What has to be said about a change before it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    /// Nothing: there is one answer only.
    None,
    /// How it came here, and runs.
    Appears,
    /// How it left, while it was active.
    Leaves,
    /// Why it has another power state.
    Power(lifecycle::Power),
    /// What happened to its configuration.
    Configuration,
    /// The same, and it has another name, which may be all.
    Name,
}

impl Question {
    fn about(before: Option<&Observed>, now: Option<&Observed>) -> Question {
        use lifecycle::Power::Off;

        match (before, now) {
            (None, Some(now)) if now.power != Off => Question::Appears,
            (Some(before), None) if before.power != Off => Question::Leaves,
            (Some(before), Some(now)) if before.power != now.power => Question::Power(now.power),
            (Some(before), Some(now)) if before.configuration != now.configuration => {
                match before.name == now.name {
                    true => Question::Configuration,
                    false => Question::Name,
                }
            }
            _ => Question::None,
        }
    }

    /// Whether the clue is the answer.
    fn is_answered_by(self, clue: Clue) -> bool {
        match self {
            Question::None => true,
            Question::Appears => {
                matches!(
                    clue,
                    Clue::Added | Clue::Migrated | Clue::On | Clue::Suspended
                )
            }
            Question::Leaves => matches!(clue, Clue::Removed | Clue::Migrated | Clue::Off { .. }),
            Question::Power(power) => clue == Clue::Reverting || clue.power() == Some(power),
            Question::Configuration => matches!(clue, Clue::Reconfigured | Clue::Reverting),
            Question::Name => {
                matches!(clue, Clue::Renamed | Clue::Reconfigured | Clue::Reverting)
            }
        }
    }

    /// Whether the clue is used up by a change that has this question.
    fn uses(self, clue: Clue) -> bool {
        match self {
            Question::None => false,
            Question::Appears | Question::Leaves => clue.facet() != Facet::Task,
            Question::Power(_) => clue.facet() == Facet::Power,
            Question::Configuration | Question::Name => clue.facet() == Facet::Configuration,
        }
    }
}

impl<D> Default for Timeline<D> {
    fn default() -> Self {
        Timeline {
            state: None,
            waiting: VecDeque::new(),
            clues: VecDeque::new(),
            is_asleep: false,
            is_crash_told: false,
            reverted: None,
            is_unexplained: false,
        }
    }
}

impl<D: Clone> Timeline<D> {
    /// The state after all that waits.
    pub(super) fn state(&self) -> Option<&State<D>> {
        self.state.as_ref()
    }

    /// Whether there is nothing to remember.
    pub(super) fn is_over(&self) -> bool {
        self.state.is_none() && self.waiting.is_empty() && self.clues.is_empty()
    }

    /// Whether it has that name, and that was told.
    pub(super) fn has_told_name(&self, name: &str) -> bool {
        let is_named = |state: &State<D>| state.1.name == name;
        self.state.as_ref().is_some_and(is_named) && !self.has_changes()
    }

    /// Whether changes wait for their reasons.
    fn has_changes(&self) -> bool {
        let mut waiting = self.waiting.iter();
        waiting.any(|waiting| matches!(waiting, Waiting::Change { .. }))
    }

    /// The domain has another state (`None`: it is gone), which is told when its reason is known.
    pub(super) fn change(&mut self, now: Option<State<D>>, at: Instant) {
        let before = std::mem::replace(&mut self.state, now.clone());
        self.waiting.push_back(Waiting::Change {
            before,
            now,
            until: at + REASON_WAIT,
        });
    }

    /// The first state, which is not told.
    pub(super) fn begin(&mut self, state: State<D>) {
        self.state = Some(state);
    }

    /// Something happened that is told after what waits.
    pub(super) fn event(&mut self, detail: DomainEventDetail, time: Option<DateTime>) {
        if let Some((domain, _)) = &self.state {
            let domain = domain.clone();
            self.waiting.push_back(Waiting::Event(Happened {
                domain,
                time,
                detail,
            }));
        }
    }

    /// The server said something.
    pub(super) fn clue(&mut self, clue: Clue, time: Option<DateTime>, at: Instant) {
        self.clues.retain(|said| at - said.came < CLUE_LIFE);
        let has_changes = self.has_changes();
        match clue {
            // Only its own changes are a revert's.
            Clue::OtherTask => self.forget(|clue| clue == Clue::Reverting),
            Clue::Reverting if self.has_said(Clue::Reverting) => {}
            Clue::Refused => self.forget(|clue| clue.facet() == Facet::Power),
            Clue::Reconfigured if self.is_unexplained && !has_changes => {
                self.is_unexplained = false;
                self.event(UPDATED, time);
            }
            Clue::Failed if !has_changes && self.has_power(lifecycle::Power::Off) => {}
            _ if !has_changes && clue.power().is_some_and(|power| self.has_power(power)) => {
                // It explains what is told already.
                self.forget(|clue| clue.facet() == Facet::Power);
            }
            _ => {
                if clue == Clue::Crashed && !std::mem::replace(&mut self.is_crash_told, true) {
                    self.crash(time.clone());
                }
                if self.clues.len() == CLUES {
                    self.clues.pop_front();
                }
                self.clues.push_back(Said {
                    clue,
                    came: at,
                    time,
                });
            }
        }
    }

    /// The guest crashed: that is told at once, before the domain stops for it.
    fn crash(&mut self, time: Option<DateTime>) {
        let stop = self.waiting.iter().position(|waiting| {
            matches!(waiting, Waiting::Change { before: Some((_, before)), .. }
                if before.power == lifecycle::Power::On)
        });
        let before = match stop.map(|at| &self.waiting[at]) {
            Some(Waiting::Change { before, .. }) => before.as_ref(),
            _ => self.state.as_ref(),
        };
        // What is told of a domain that is off comes too late.
        let Some((domain, _)) = before.filter(|(_, state)| state.power == lifecycle::Power::On)
        else {
            return;
        };
        let event = Waiting::Event(Happened {
            domain: domain.clone(),
            time,
            detail: CRASHED,
        });
        self.waiting
            .insert(stop.unwrap_or(self.waiting.len()), event);
    }

    fn has_said(&self, clue: Clue) -> bool {
        self.clues.iter().any(|said| said.clue == clue)
    }

    fn has_power(&self, power: lifecycle::Power) -> bool {
        self.state
            .as_ref()
            .is_some_and(|(_, state)| state.power == power)
    }

    fn forget(&mut self, is_void: impl Fn(Clue) -> bool) {
        self.clues.retain(|said| !is_void(said.clue));
    }

    /// Forgets what was said about a domain that does not exist.
    pub(super) fn expire(&mut self, at: Instant) {
        if self.state.is_none() && self.waiting.is_empty() {
            self.clues.retain(|said| at - said.came < REASON_WAIT);
        }
    }

    /// The events that can be told now. Without a history, no change waits for a reason.
    pub(super) fn tell(&mut self, has_history: bool, at: Instant) -> Vec<Happened<D>> {
        if self
            .reverted
            .is_some_and(|reverted| at - reverted >= REVERT)
        {
            self.reverted = None;
            self.forget(|clue| clue == Clue::Reverting);
        }
        let mut told = Vec::new();
        while let Some(next) = self.waiting.pop_front() {
            match next {
                Waiting::Event(event) => told.push(event),
                Waiting::Change { before, now, until } => {
                    let is_last = !self.has_changes();
                    let observed =
                        |state: &Option<State<D>>| state.as_ref().map(|state| state.1.clone());
                    let question =
                        Question::about(observed(&before).as_ref(), observed(&now).as_ref());
                    let answer = self.answer(question, is_last);
                    if has_history && answer.is_none() && question != Question::None && at < until {
                        self.waiting
                            .push_front(Waiting::Change { before, now, until });
                        break;
                    }
                    self.tell_change((before, now), question, answer, has_history, &mut told);
                    if self.has_said(Clue::Reverting) {
                        self.reverted.get_or_insert(at);
                    }
                }
            }
        }
        told
    }

    /// The index of the clue that answers the question. Of several changes, each gets the first answer; the last one gets
    /// the last, since changes that follow each other closely are one for the watch.
    fn answer(&self, question: Question, is_last: bool) -> Option<usize> {
        let mut answers = self
            .clues
            .iter()
            .enumerate()
            .filter_map(|(index, said)| question.is_answered_by(said.clue).then_some(index));
        match is_last && question != Question::Configuration {
            true => answers.next_back(),
            false => answers.next(),
        }
    }

    fn tell_change(
        &mut self,
        (before, now): (Option<State<D>>, Option<State<D>>),
        question: Question,
        answer: Option<usize>,
        has_history: bool,
        told: &mut Vec<Happened<D>>,
    ) {
        // Without an answer, what was said before may still tell something.
        let end = answer.map_or(self.clues.len(), |answer| answer + 1);
        let used: Vec<Clue> = self.clues.iter().take(end).map(|said| said.clue).collect();
        let time = answer.and_then(|answer| self.clues[answer].time.clone());
        let mut observed = (
            before.as_ref().map(|state| state.1.clone()),
            now.as_ref().map(|state| state.1.clone()),
        );
        if let Some(before) = &mut observed.0 {
            before.is_asleep |= self.is_asleep;
        }
        let clues = has_history.then_some(used.as_slice());
        let events = lifecycle::events(observed.0.as_ref(), observed.1.as_ref(), clues);
        let is_updated = events.iter().any(|(_, event)| {
            matches!(
                event,
                DomainEventDetail::Lifecycle(LifecycleEvent::Defined(
                    DefinedDetail::Updated | DefinedDetail::FromSnapshot
                ))
            )
        });
        let is_reconfigured = observed
            .0
            .zip(observed.1)
            .is_some_and(|(before, now)| before.configuration != now.configuration);
        self.is_unexplained = is_reconfigured && !is_updated;
        let mut index = 0;
        self.clues.retain(|said| {
            let is_used = index < end
                && (question.uses(said.clue) || is_updated && said.clue == Clue::Reconfigured);
            index += 1;
            !is_used
        });
        for (which, detail) in events {
            // The server's event and the property tell of the same crash.
            if detail == CRASHED && std::mem::replace(&mut self.is_crash_told, true) {
                continue;
            }
            let state = match which {
                Which::Old => before.as_ref(),
                Which::New => now.as_ref(),
            };
            if let DomainEventDetail::Lifecycle(LifecycleEvent::Started(_)) = detail {
                self.is_crash_told = false;
            }
            self.is_asleep = match detail {
                DomainEventDetail::PmSuspend => true,
                DomainEventDetail::Lifecycle(
                    LifecycleEvent::Started(_)
                    | LifecycleEvent::Resumed(_)
                    | LifecycleEvent::Stopped(_),
                ) => false,
                _ => self.is_asleep,
            };
            if let Some((domain, _)) = state {
                told.push(Happened {
                    domain: domain.clone(),
                    time: time.clone(),
                    detail,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests;
