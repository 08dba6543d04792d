//! The common part of the commands that take a snapshot.

use esx_driver::Domain;
use serde::Serialize;
use virt_model::flags::SnapshotCreateFlags;

use crate::answer::Answer;
use crate::commands::options;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::progress;
use crate::ui::{Ui, foreign};

/// How the snapshot is taken.
#[derive(Debug, clap::Args)]
pub(super) struct How {
    /// take snapshot but create no metadata
    #[arg(long)]
    no_metadata: bool,

    /// halt domain after snapshot is created
    #[arg(long)]
    halt: bool,

    /// capture disk state but not vm state
    #[arg(long)]
    disk_only: bool,

    /// reuse any existing external files
    #[arg(long)]
    reuse_external: bool,

    /// quiesce guest's file systems
    #[arg(long)]
    quiesce: bool,

    /// require atomic operation
    #[arg(long)]
    atomic: bool,

    /// take a live snapshot
    #[arg(long)]
    live: bool,

    /// validate the XML against the schema
    #[arg(long)]
    validate: bool,
}

/// A snapshot that was taken.
#[derive(Debug, Serialize)]
struct Created {
    domain: String,
    name: String,

    /// The file of its document.
    #[serde(skip)]
    file: Option<String>,
}

impl How {
    pub(super) fn flags(&self) -> SnapshotCreateFlags {
        let flags = [
            (self.no_metadata, SnapshotCreateFlags::NO_METADATA),
            (self.halt, SnapshotCreateFlags::HALT),
            (self.disk_only, SnapshotCreateFlags::DISK_ONLY),
            (self.reuse_external, SnapshotCreateFlags::REUSE_EXT),
            (self.quiesce, SnapshotCreateFlags::QUIESCE),
            (self.atomic, SnapshotCreateFlags::ATOMIC),
            (self.live, SnapshotCreateFlags::LIVE),
            (self.validate, SnapshotCreateFlags::VALIDATE),
        ];
        options::flags(SnapshotCreateFlags::NONE, flags)
    }
}

/// Takes the snapshot of the document `xml`, which is that of `file` if it has one.
pub(super) async fn create(
    ui: &Ui,
    connection: &Connection,
    domain: &Domain,
    (xml, file): (&str, Option<String>),
    flags: SnapshotCreateFlags,
    progress: &progress::Options,
) -> Result<(), Failure> {
    connection.check_writable("virDomainSnapshotCreateXML")?;
    let operation = domain.snapshot_create_xml(xml, flags);
    let snapshot = ui.perform(operation, progress, domain.name()).await?;
    Ok(ui.answer(&Created {
        domain: domain.name().to_owned(),
        name: snapshot.name().to_owned(),
        file,
    })?)
}

impl Answer for Created {
    const SCHEMA: &'static str = "virt-esx/snapshot-created/1";

    /// Without a line's end, like virsh.
    fn text(&self, quiet: bool) -> String {
        let name = foreign::line(&self.name);
        let file = self.file.as_deref().map(foreign::line);
        match (file, quiet) {
            (_, true) => String::new(),
            (Some(file), false) => format!("Domain snapshot {name} created from '{file}'"),
            (None, false) => format!("Domain snapshot {name} created"),
        }
    }
}
