use esx_driver::Connect;
use serde::Serialize;

use crate::answer::Answer;
use crate::commands::{Query, file, options};
use crate::connection::Connection;
use crate::failure::Failure;

/// discover potential storage pool sources
///
/// Returns XML <sources> document.
#[allow(rustdoc::invalid_html_tags, reason = "help text, as virsh has it")]
#[derive(Debug, clap::Args)]
pub(crate) struct FindStoragePoolSources {
    /// type of storage pool sources to discover
    #[arg(id = "type", value_name = "type")]
    kind: String,

    /// optional file of source xml to query for pools
    #[arg(id = "srcSpec", value_name = "srcSpec")]
    specification: Option<String>,
}

/// Where pools could be.
#[derive(Debug, Serialize)]
pub(crate) struct Sources {
    /// libvirt's document.
    xml: String,
}

impl Query for FindStoragePoolSources {
    type Answer = Sources;

    async fn ask(self, connection: &Connection) -> Result<Sources, Failure> {
        options::check_text("type", Some(&self.kind))?;
        options::check_text("srcSpec", self.specification.as_deref())?;
        let specification = match self.specification {
            Some(path) => Some(file::read(&path).await?),
            None => None,
        };
        find(connection, &self.kind, specification.as_deref()).await
    }
}

/// Finds sources of pools of that type.
///
/// # Errors
/// virsh's line, and below it the reason.
pub(super) async fn find(
    connection: &Connection,
    kind: &str,
    specification: Option<&str>,
) -> Result<Sources, Failure> {
    let failed =
        |reason| Failure::because(format!("Failed to find any {kind} pool sources"), reason);
    let writable = connection.check_writable("virConnectFindStoragePoolSources");
    writable.map_err(failed)?;
    let found = Connect::find_storage_pool_sources(connection, kind, specification).await;
    let xml = found.map_err(|error| failed(error.into()))?;
    Ok(Sources { xml })
}

impl Answer for Sources {
    const SCHEMA: &'static str = "virt-esx/pool-sources/1";

    /// virsh ends the document with a line break of its own.
    fn is_document(&self) -> bool {
        true
    }

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", self.xml)
    }
}
