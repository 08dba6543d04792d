use esx_driver::{Domain, Operation};
use virt_model::DomainState;

use super::action::{Action, ActionOptions};

/// reset a domain
///
/// Reset the target domain as if by power button.
#[derive(Debug, clap::Args)]
pub(crate) struct Reset {
    #[command(flatten)]
    options: ActionOptions,
}

impl Action for Reset {
    fn name(&self) -> &'static str {
        "reset"
    }

    fn function(&self) -> &'static str {
        "virDomainReset"
    }

    fn options(&self) -> &ActionOptions {
        &self.options
    }

    fn fits(&self, state: DomainState) -> bool {
        state == DomainState::Running
    }

    fn perform(&self, domain: &Domain) -> Operation<'static> {
        domain.reset()
    }

    fn done(&self, name: &str) -> String {
        format!("Domain '{name}' was reset")
    }

    fn failed(&self, name: &str) -> String {
        format!("Failed to reset domain '{name}'")
    }
}
