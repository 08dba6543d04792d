use serde::Serialize;
use virt_model::domain::{ControlState, DomainControlInfo};

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::connection::Connection;
use crate::failure::Failure;

/// domain control interface state
///
/// Returns state of a control interface to the domain.
#[derive(Debug, clap::Args)]
pub(crate) struct Domcontrol {
    #[command(flatten)]
    domain: DomainArg,
}

/// Whether a domain can be controlled.
#[derive(Debug, Serialize)]
pub(crate) struct Control {
    /// `ok`, `background job`, `occupied` or `error`.
    state: &'static str,
    /// How long it has been in this state; 0 if that is not known.
    state_time_ms: u64,

    #[serde(skip)]
    is_timed: bool,
}

impl Query for Domcontrol {
    type Answer = Control;

    async fn ask(self, connection: &Connection) -> Result<Control, Failure> {
        let domain = self.domain.find(connection).await?;
        Ok(Control::new(domain.control_info().await?))
    }
}

impl Control {
    fn new(info: DomainControlInfo) -> Self {
        Self {
            state: match info.state {
                ControlState::Ok => "ok",
                ControlState::Job => "background job",
                ControlState::Occupied => "occupied",
                _ => "error",
            },
            state_time_ms: info.state_time,
            is_timed: matches!(info.state, ControlState::Job | ControlState::Occupied),
        }
    }
}

impl Answer for Control {
    const SCHEMA: &'static str = "virt-esx/domain-control/1";

    fn text(&self, _quiet: bool) -> String {
        match self.is_timed {
            true => {
                let (seconds, rest) = (self.state_time_ms / 1000, self.state_time_ms % 1000);
                format!("{} ({seconds}.{rest:03}s)\n", self.state)
            }
            false => format!("{}\n", self.state),
        }
    }
}

#[cfg(test)]
mod tests {
    use virt_model::domain::{ControlState, DomainControlInfo};

    use super::Control;
    use crate::answer::Answer as _;

    #[test]
    fn a_job_has_its_time() {
        for (state, expected) in [
            (ControlState::Ok, "ok\n"),
            (ControlState::Job, "background job (61.005s)\n"),
            (ControlState::Occupied, "occupied (61.005s)\n"),
            (ControlState::Error, "error\n"),
        ] {
            let info = DomainControlInfo {
                state,
                state_time: 61_005,
            };
            assert_eq!(Control::new(info).text(false), expected);
        }
    }
}
