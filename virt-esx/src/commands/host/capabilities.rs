use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::connection::Connection;
use crate::failure::Failure;

/// print the hypervisor's capabilities
///
/// Prints libvirt's XML document about the host and the guests that it can run.
#[derive(Debug, clap::Args)]
pub(crate) struct Capabilities {}

/// What the host offers.
#[derive(Debug, Serialize)]
pub(crate) struct Offer {
    /// libvirt's document.
    xml: String,
    host: Host,
    guests: Vec<Guest>,
}

/// The host's part.
#[derive(Debug, Serialize)]
struct Host {
    /// Null where the host has none.
    uuid: Option<String>,
    arch: String,
    migration_transports: Vec<String>,
}

/// A kind of guest the host can run.
#[derive(Debug, Serialize)]
struct Guest {
    os_type: String,
    arch: String,
    wordsize: u32,
    domain_types: Vec<String>,
}

impl Query for Capabilities {
    type Answer = Offer;

    async fn ask(self, connection: &Connection) -> Result<Offer, Failure> {
        let capabilities = connection.capabilities().await;
        let failed = |error| Failure::because("failed to get capabilities", error);
        Ok(capabilities.map_err(failed)?.into())
    }
}

impl From<virt_model::Capabilities> for Offer {
    fn from(capabilities: virt_model::Capabilities) -> Self {
        let xml = capabilities.to_xml();
        let guests = capabilities.guests.into_iter().map(|guest| Guest {
            os_type: guest.os_type,
            arch: guest.arch,
            wordsize: guest.wordsize,
            domain_types: guest.domain_types,
        });
        let uuid = capabilities.host_uuid;
        Self {
            xml,
            host: Host {
                uuid: (!uuid.is_nil()).then(|| uuid.to_string()),
                arch: capabilities.host_arch,
                migration_transports: capabilities.migration_transports,
            },
            guests: guests.collect(),
        }
    }
}

impl Answer for Offer {
    const SCHEMA: &'static str = "virt-esx/capabilities/1";

    fn is_document(&self) -> bool {
        true
    }

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", self.xml)
    }
}
