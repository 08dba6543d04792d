//! A snapshot's definition, as several commands print it.

use esx_driver::SnapshotEntry;
use serde::Serialize;
use virt_model::flags::SnapshotXmlFlags;

use crate::answer::Answer;
use crate::connection::Connection;
use crate::failure::Failure;

/// A snapshot's definition.
#[derive(Debug, Serialize)]
pub(crate) struct Definition {
    /// libvirt's document, or the parts of it that were asked for.
    pub(super) xml: String,

    /// What virsh prints behind it.
    #[serde(skip)]
    pub(super) end: &'static str,
}

/// The document of a snapshot. On a read-only connection libvirt shows no secrets.
pub(super) fn of(
    connection: &Connection,
    entry: &SnapshotEntry,
    flags: SnapshotXmlFlags,
) -> Result<String, Failure> {
    if flags.contains(SnapshotXmlFlags::SECURE) && connection.is_readonly() {
        let line = "operation forbidden: virDomainSnapshotGetXMLDesc with secure flag";
        return Err(Failure::new(line));
    }
    Ok(entry.xml_desc(flags)?)
}

impl Answer for Definition {
    const SCHEMA: &'static str = "virt-esx/snapshot-definition/1";

    fn is_document(&self) -> bool {
        true
    }

    fn text(&self, _quiet: bool) -> String {
        format!("{}{}", self.xml, self.end)
    }
}
