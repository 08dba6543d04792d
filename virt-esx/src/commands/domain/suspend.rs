use esx_driver::{Domain, Operation};
use virt_model::DomainState;

use super::action::{Action, ActionOptions};

/// suspend a domain
///
/// Suspend a running domain. ESX writes its memory to a file; the domain is paused until it is resumed.
#[derive(Debug, clap::Args)]
pub(crate) struct Suspend {
    #[command(flatten)]
    options: ActionOptions,
}

impl Action for Suspend {
    fn name(&self) -> &'static str {
        "suspend"
    }

    fn function(&self) -> &'static str {
        "virDomainSuspend"
    }

    fn options(&self) -> &ActionOptions {
        &self.options
    }

    fn fits(&self, state: DomainState) -> bool {
        state == DomainState::Running
    }

    fn perform(&self, domain: &Domain) -> Operation<'static> {
        domain.suspend()
    }

    fn done(&self, name: &str) -> String {
        format!("Domain '{name}' suspended")
    }

    fn failed(&self, name: &str) -> String {
        format!("Failed to suspend domain '{name}'")
    }
}
