use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::connection::Connection;
use crate::failure::Failure;

/// storage pool capabilities
///
/// Returns capabilities of storage pool support.
#[derive(Debug, clap::Args)]
pub(crate) struct PoolCapabilities {}

/// Which types of pools there are.
#[derive(Debug, Serialize)]
pub(crate) struct Capabilities {
    /// libvirt's document.
    xml: String,
}

impl Query for PoolCapabilities {
    type Answer = Capabilities;

    async fn ask(self, connection: &Connection) -> Result<Capabilities, Failure> {
        Ok(Capabilities {
            xml: connection.storage_pool_capabilities(),
        })
    }
}

impl Answer for Capabilities {
    const SCHEMA: &'static str = "virt-esx/pool-capabilities/1";

    /// virsh ends the document with a line break of its own.
    fn is_document(&self) -> bool {
        true
    }

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", self.xml)
    }
}
