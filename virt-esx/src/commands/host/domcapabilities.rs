use serde::Serialize;
use virt_model::Document as _;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::options::check_texts;
use crate::connection::Connection;
use crate::failure::Failure;

/// domain capabilities
///
/// Prints libvirt's XML document about what a definition of a domain can ask for on the host.
#[derive(Debug, clap::Args)]
pub(crate) struct Domcapabilities {
    /// virtualization type (/domain/@type): vmware
    #[arg(value_name = "string")]
    virttype: Option<String>,

    /// path to emulator binary (/domain/devices/emulator); a host has none
    #[arg(value_name = "string")]
    emulatorbin: Option<String>,

    /// domain architecture (/domain/os/type/@arch)
    #[arg(value_name = "string")]
    arch: Option<String>,

    /// machine type (/domain/os/type/@machine); a host has none
    #[arg(value_name = "string")]
    machine: Option<String>,
}

/// What a definition can ask for.
#[derive(Debug, Serialize)]
pub(crate) struct DomainOffer {
    /// libvirt's document.
    xml: String,
    domain_type: String,
    arch: String,
    max_vcpus: Option<u32>,
}

impl Query for Domcapabilities {
    type Answer = DomainOffer;

    fn check(&self) -> Result<(), Failure> {
        check_texts([
            ("virttype", &self.virttype),
            ("emulatorbin", &self.emulatorbin),
            ("arch", &self.arch),
            ("machine", &self.machine),
        ])
    }

    async fn ask(self, connection: &Connection) -> Result<DomainOffer, Failure> {
        let found = connection.domain_capabilities(
            self.emulatorbin.as_deref(),
            self.arch.as_deref(),
            self.machine.as_deref(),
            self.virttype.as_deref(),
            0,
        );
        let failed = |error| Failure::because("failed to get emulator capabilities", error);
        let found = found.await.map_err(failed)?;
        Ok(DomainOffer {
            xml: found.to_xml(Default::default()),
            domain_type: found.domain,
            arch: found.arch,
            max_vcpus: found.max_vcpus,
        })
    }
}

impl Answer for DomainOffer {
    const SCHEMA: &'static str = "virt-esx/domain-capabilities/1";

    fn is_document(&self) -> bool {
        true
    }

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", self.xml)
    }
}
