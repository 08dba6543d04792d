use esx_driver::{Domain, Operation, RebootFlags};
use virt_model::DomainState;

use super::lifecycle::{Common, Verb};
use super::mode::Mode;
use crate::failure::Failure;

/// reboot a domain
///
/// Run a reboot command in the target domain.
#[derive(Debug, clap::Args)]
pub(crate) struct Reboot {
    #[command(flatten)]
    common: Common,

    #[command(flatten)]
    mode: Mode,
}

impl Verb for Reboot {
    fn name(&self) -> &'static str {
        "reboot"
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn check(&self) -> Result<(), Failure> {
        self.mode.check()
    }

    fn fits(&self, state: DomainState) -> bool {
        state == DomainState::Running
    }

    fn perform(&self, domain: &Domain) -> Operation<'static> {
        domain.reboot(RebootFlags::from_bits(self.mode.flags()))
    }

    fn done(&self, name: &str) -> String {
        format!("Domain '{name}' is being rebooted")
    }

    fn failed(&self, name: &str) -> String {
        format!("Failed to reboot domain '{name}'")
    }
}
