use esx_driver::{Domain, Operation};
use virt_model::DomainState;

use super::action::{Action, ActionOptions};

/// resume a domain
///
/// Resume a previously suspended domain.
#[derive(Debug, clap::Args)]
pub(crate) struct Resume {
    #[command(flatten)]
    options: ActionOptions,
}

impl Action for Resume {
    fn name(&self) -> &'static str {
        "resume"
    }

    fn function(&self) -> &'static str {
        "virDomainResume"
    }

    fn options(&self) -> &ActionOptions {
        &self.options
    }

    fn fits(&self, state: DomainState) -> bool {
        state == DomainState::Paused
    }

    fn perform(&self, domain: &Domain) -> Operation<'static> {
        domain.resume()
    }

    fn done(&self, name: &str) -> String {
        format!("Domain '{name}' resumed")
    }

    fn failed(&self, name: &str) -> String {
        format!("Failed to resume domain '{name}'")
    }
}
