use esx_driver::{Domain, Operation, ShutdownFlags};
use virt_model::DomainState;

use super::action::{Action, ActionOptions};
use super::shutdown_mode::ShutdownMode;
use crate::failure::Failure;

/// gracefully shutdown a domain
///
/// Run shutdown in the target domain. The command ends when the guest has been asked, before it is off.
#[derive(Debug, clap::Args)]
pub(crate) struct Shutdown {
    #[command(flatten)]
    options: ActionOptions,

    #[command(flatten)]
    mode: ShutdownMode,
}

impl Action for Shutdown {
    fn name(&self) -> &'static str {
        "shutdown"
    }

    fn function(&self) -> &'static str {
        match self.mode.flags() {
            0 => "virDomainShutdown",
            _ => "virDomainShutdownFlags",
        }
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
        domain.shutdown(ShutdownFlags::from_bits(self.mode.flags()))
    }

    fn done(&self, name: &str) -> String {
        format!("Domain '{name}' is being shutdown")
    }

    fn failed(&self, name: &str) -> String {
        format!("Failed to shutdown domain '{name}'")
    }
}
