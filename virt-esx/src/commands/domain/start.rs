use std::io::IsTerminal as _;

use esx_driver::{CreateFlags, Domain, Operation};
use virt_model::DomainState;

use super::action::{Action, ActionOptions};
use crate::commands::domain_arg::{KeySet, Keys as _, NameOrUuid};
use crate::commands::options;
use crate::failure::Failure;

/// start a (previously defined) inactive domain
///
/// Start a domain. A suspended domain has to be resumed instead.
#[derive(Debug, clap::Args)]
pub(crate) struct Start {
    #[command(flatten)]
    options: ActionOptions,

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

impl Action for Start {
    fn keys(&self) -> KeySet {
        NameOrUuid::KEYS
    }

    fn name(&self) -> &'static str {
        "start"
    }

    fn function(&self) -> &'static str {
        // virsh calls the older function only without flags.
        match self.paused
            || self.autodestroy
            || self.bypass_cache
            || self.force_boot
            || self.reset_nvram
        {
            true => "virDomainCreateWithFlags",
            false => "virDomainCreate",
        }
    }

    fn options(&self) -> &ActionOptions {
        &self.options
    }

    fn fits(&self, state: DomainState) -> bool {
        state == DomainState::Shutoff
    }

    fn refuse(&self, domain: &Domain) -> Result<(), Failure> {
        match domain.id() {
            Some(_) => Err(Failure::new("Domain is already active")),
            None if self.pass_fds.is_some() => Err(Failure::because(
                self.failed(domain.name()),
                Failure::unsupported("virDomainCreateWithFiles"),
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
        let flags = options::flags(CreateFlags::NONE, flags);
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
            true => Failure::unsupported("virDomainOpenConsole"),
            false => Failure::new("Cannot run interactive console without a controlling TTY"),
        })
    }
}
