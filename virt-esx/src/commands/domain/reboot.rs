use esx_driver::{Domain, Operation, RebootFlags};
use virt_model::DomainState;

use super::action::{Action, ActionOptions};
use super::shutdown_mode::ShutdownMode;
use crate::failure::Failure;

/// reboot a domain
///
/// Run a reboot command in the target domain.
#[derive(Debug, clap::Args)]
pub(crate) struct Reboot {
    #[command(flatten)]
    options: ActionOptions,

    #[command(flatten)]
    mode: ShutdownMode,
}

impl Action for Reboot {
    fn name(&self) -> &'static str {
        "reboot"
    }

    fn function(&self) -> &'static str {
        "virDomainReboot"
    }

    fn options(&self) -> &ActionOptions {
        &self.options
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
