use esx_driver::{Domain, Operation};
use virt_model::DomainState;

use super::lifecycle::{Common, Verb};

/// resume a domain
///
/// Resume a previously suspended domain.
#[derive(Debug, clap::Args)]
pub(crate) struct Resume {
    #[command(flatten)]
    common: Common,
}

impl Verb for Resume {
    fn name(&self) -> &'static str {
        "resume"
    }

    fn common(&self) -> &Common {
        &self.common
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
