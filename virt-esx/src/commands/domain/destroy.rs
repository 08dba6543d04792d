use esx_driver::{DestroyFlags, Domain, Operation};
use virt_model::DomainState;

use super::action::{Action, ActionOptions};
use crate::commands::options;

/// destroy (stop) a domain
///
/// Forcefully stop a given domain, but leave its resources intact.
#[derive(Debug, clap::Args)]
pub(crate) struct Destroy {
    #[command(flatten)]
    options: ActionOptions,

    /// terminate gracefully
    #[arg(long)]
    graceful: bool,

    /// remove domain logs
    #[arg(long)]
    remove_logs: bool,
}

impl Action for Destroy {
    fn name(&self) -> &'static str {
        "destroy"
    }

    fn function(&self) -> &'static str {
        match self.graceful || self.remove_logs {
            true => "virDomainDestroyFlags",
            false => "virDomainDestroy",
        }
    }

    fn options(&self) -> &ActionOptions {
        &self.options
    }

    fn fits(&self, state: DomainState) -> bool {
        state == DomainState::Running
    }

    fn perform(&self, domain: &Domain) -> Operation<'static> {
        let flags = [
            (self.graceful, DestroyFlags::GRACEFUL),
            (self.remove_logs, DestroyFlags::REMOVE_LOGS),
        ];
        let flags = options::flags(DestroyFlags::NONE, flags);
        domain.destroy(flags)
    }

    fn done(&self, name: &str) -> String {
        format!("Domain '{name}' destroyed")
    }

    fn failed(&self, name: &str) -> String {
        format!("Failed to destroy domain '{name}'")
    }
}
