//! The options that say which of libvirt's configurations of a domain is meant, and what changes of a domain report.

use serde::Serialize;
use virt_model::flags::ModificationImpact;

use crate::answer::{Answer, unless_quiet};
use crate::commands::options::{self, check_exclusive};
use crate::failure::Failure;

/// The options that say which configuration is meant. A domain of ESX has one, which is that of the running domain and
/// that of its next start.
#[derive(Debug, clap::Args)]
pub(crate) struct Impact {
    /// affect next boot
    #[arg(long)]
    pub(super) config: bool,

    /// affect running domain
    #[arg(long)]
    pub(super) live: bool,

    /// affect current domain
    #[arg(long)]
    pub(super) current: bool,
}

impl Impact {
    /// Refuses combinations that contradict each other.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let current = ("current", self.current);
        check_exclusive([current, ("live", self.live)])?;
        check_exclusive([current, ("config", self.config)])
    }

    /// libvirt's flags.
    pub(super) fn flags(&self) -> ModificationImpact {
        let flags = [
            (self.live, ModificationImpact::LIVE),
            (self.config, ModificationImpact::CONFIG),
        ];
        options::flags(ModificationImpact::NONE, flags)
    }

    /// Whether any of the options was given. Without them, virsh calls the older function without flags.
    pub(super) fn is_given(&self) -> bool {
        self.config || self.live || self.current
    }
}

/// A domain that was changed.
#[derive(Debug, Serialize)]
pub(crate) struct Changed {
    command: &'static str,
    domain: String,

    #[serde(skip)]
    text: &'static str,
}

impl Changed {
    /// A change of which virsh prints nothing.
    pub(super) fn new(command: &'static str, domain: &esx_driver::Domain) -> Self {
        Self {
            command,
            domain: domain.name().to_owned(),
            text: "",
        }
    }

    /// The same with the text that virsh prints without `-q`.
    pub(super) fn saying(self, text: &'static str) -> Self {
        Self { text, ..self }
    }
}

impl Answer for Changed {
    const SCHEMA: &'static str = "virt-esx/domain-changed/1";

    fn text(&self, quiet: bool) -> String {
        unless_quiet(quiet, || self.text.to_owned())
    }
}
