use std::io::IsTerminal as _;

use esx_driver::{CreateFlags, Domain, Operation};
use virt_model::DomainState;

use super::domain::By;
use super::lifecycle::{Common, Verb};
use crate::failure::Failure;

/// start a (previously defined) inactive domain
///
/// Start a domain. One that was suspended is not started but resumed.
#[derive(Debug, clap::Args)]
pub(crate) struct Start {
    #[command(flatten)]
    common: Common,

    /// attach to console after creation
    #[arg(long)]
    console: bool,

    /// leave the guest paused after creation
    #[arg(long)]
    paused: bool,

    /// automatically destroy the guest when virsh disconnects
    #[arg(long)]
    autodestroy: bool,

    /// avoid file system cache when loading
    #[arg(long)]
    bypass_cache: bool,

    /// force fresh boot by discarding any managed save
    #[arg(long)]
    force_boot: bool,

    /// pass file descriptors N,M,... to the guest
    #[arg(long, value_name = "string")]
    pass_fds: Option<String>,

    /// re-initialize NVRAM from its pristine template
    #[arg(long)]
    reset_nvram: bool,
}

impl Verb for Start {
    fn by(&self) -> By {
        By::NAME_OR_UUID
    }

    fn name(&self) -> &'static str {
        "start"
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn fits(&self, state: DomainState) -> bool {
        state == DomainState::Shutoff
    }

    fn refuse(&self, domain: &Domain) -> Result<(), Failure> {
        match domain.id() {
            Some(_) => Err(Failure::new("Domain is already active")),
            None if self.pass_fds.is_some() => Err(Failure::because(
                self.failed(domain.name()),
                unsupported("virDomainCreateWithFiles"),
            )),
            None => Ok(()),
        }
    }

    fn perform(&self, domain: &Domain) -> Operation<'static> {
        // There is no managed save image that a fresh boot would discard.
        let flags = [
            (self.paused, CreateFlags::PAUSED),
            (self.autodestroy, CreateFlags::AUTODESTROY),
            (self.bypass_cache, CreateFlags::BYPASS_CACHE),
            (self.reset_nvram, CreateFlags::RESET_NVRAM),
        ];
        let given = flags.into_iter().filter(|(is_given, _)| *is_given);
        let flags = given.fold(CreateFlags::NONE, |flags, (_, flag)| flags | flag);
        domain.create(flags)
    }

    fn done(&self, name: &str) -> String {
        format!("Domain '{name}' started")
    }

    fn failed(&self, name: &str) -> String {
        format!("Failed to start domain '{name}'")
    }

    fn afterwards(&self) -> Result<(), Failure> {
        if !self.console {
            return Ok(());
        }
        Err(match std::io::stdin().is_terminal() {
            true => unsupported("virDomainOpenConsole"),
            false => Failure::new("Cannot run interactive console without a controlling TTY"),
        })
    }
}

fn unsupported(function: &str) -> Failure {
    Failure::new(format!(
        "this function is not supported by the connection driver: {function}"
    ))
}
