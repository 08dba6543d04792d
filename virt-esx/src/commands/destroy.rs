use esx_driver::{DestroyFlags, Domain, Operation};
use virt_model::DomainState;

use super::lifecycle::{Common, Verb};

/// destroy (stop) a domain
///
/// Forcefully stop a given domain, but leave its resources intact.
#[derive(Debug, clap::Args)]
pub(crate) struct Destroy {
    #[command(flatten)]
    common: Common,

    /// terminate gracefully
    #[arg(long)]
    graceful: bool,

    /// remove domain logs
    #[arg(long)]
    remove_logs: bool,
}

impl Verb for Destroy {
    fn name(&self) -> &'static str {
        "destroy"
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn fits(&self, state: DomainState) -> bool {
        state == DomainState::Running
    }

    fn perform(&self, domain: &Domain) -> Operation<'static> {
        let flags = [
            (self.graceful, DestroyFlags::GRACEFUL),
            (self.remove_logs, DestroyFlags::REMOVE_LOGS),
        ];
        let given = flags.into_iter().filter(|(is_given, _)| *is_given);
        let flags = given.fold(DestroyFlags::NONE, |flags, (_, flag)| flags | flag);
        domain.destroy(flags)
    }

    fn done(&self, name: &str) -> String {
        format!("Domain '{name}' destroyed")
    }

    fn failed(&self, name: &str) -> String {
        format!("Failed to destroy domain '{name}'")
    }
}
