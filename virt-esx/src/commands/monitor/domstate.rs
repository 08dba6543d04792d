use esx_driver::DomainPower;
use serde::Serialize;
use virt_model::{DomainState, StateReason};

use crate::answer::Answer;
use crate::commands::domain_arg::DomainArg;
use crate::commands::{Query, state};
use crate::connection::Connection;
use crate::failure::Failure;

/// domain state
///
/// Returns state about a domain.
#[derive(Debug, clap::Args)]
pub(crate) struct Domstate {
    #[command(flatten)]
    domain: DomainArg,

    /// also print reason for the state
    #[arg(long)]
    reason: bool,
}

/// A domain's state and the reason for it.
#[derive(Debug, Serialize)]
pub(crate) struct StateAndReason {
    #[serde(serialize_with = "state::name")]
    state: DomainState,
    reason: &'static str,

    #[serde(skip)]
    show_reason: bool,
}

impl Query for Domstate {
    type Answer = StateAndReason;

    async fn ask(self, connection: &Connection) -> Result<StateAndReason, Failure> {
        let (_, power) = self.domain.find_with::<DomainPower>(connection).await?;
        let (state, reason) = power?.state();
        Ok(StateAndReason::new(state, reason, self.reason))
    }
}

impl StateAndReason {
    fn new(state: DomainState, reason: StateReason, show_reason: bool) -> Self {
        Self {
            state,
            reason: reason.name(state).unwrap_or("unknown"),
            show_reason,
        }
    }
}

impl Answer for StateAndReason {
    const SCHEMA: &'static str = "virt-esx/domain-state/1";

    fn text(&self, _quiet: bool) -> String {
        let state = state::word(self.state);
        match self.show_reason {
            true => format!("{state} ({})\n", self.reason),
            false => format!("{state}\n"),
        }
    }
}

#[cfg(test)]
mod tests {
    use virt_model::{DomainState, StateReason};

    use super::StateAndReason;
    use crate::answer::Answer as _;

    #[test]
    fn the_reason_is_shown_when_asked_for() {
        let text = |reason| {
            StateAndReason::new(DomainState::Shutoff, StateReason::UNKNOWN, reason).text(false)
        };
        assert_eq!(text(false), "shut off\n");
        assert_eq!(text(true), "shut off (unknown)\n");
    }
}
