use serde::Serialize;
use virt_model::flags::SnapshotDeleteFlags;

use super::lookup::{self, Current};
use crate::answer::{Answer, unless_quiet};
use crate::commands::domain_arg::DomainArg;
use crate::commands::{Command, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::progress;
use crate::ui::{Ui, foreign};

/// Delete a domain snapshot
///
/// Snapshot Delete. The domain and later snapshots keep what they need of its disks. Ctrl-C cancels the host's task.
#[derive(Debug, clap::Args)]
pub(crate) struct SnapshotDelete {
    #[command(flatten)]
    domain: DomainArg,

    /// snapshot name
    #[arg(value_name = "snapshotname")]
    snapshotname: Option<String>,

    /// delete current snapshot
    #[arg(long)]
    current: bool,

    /// delete snapshot and all children
    #[arg(long)]
    children: bool,

    /// delete children but not snapshot
    #[arg(long)]
    children_only: bool,

    /// delete only libvirt metadata, leaving snapshot contents behind
    #[arg(long)]
    metadata: bool,

    #[command(flatten)]
    progress: progress::Options,
}

/// A snapshot that was deleted.
#[derive(Debug, Serialize)]
struct Deleted {
    domain: String,
    name: String,
    children_only: bool,
}

impl Command for SnapshotDelete {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let domain = self.domain.find(connection).await?;
        let name = self.snapshotname.as_deref();
        let found = lookup::find(&domain, name, self.current, Current::Alone).await?;
        let name = found.snapshot.name().to_owned();
        let failed = |reason| Failure::because(format!("Failed to delete snapshot {name}"), reason);
        let writable = connection.check_writable("virDomainSnapshotDelete");
        writable.map_err(failed)?;
        let flags = [
            (self.children, SnapshotDeleteFlags::CHILDREN),
            (self.children_only, SnapshotDeleteFlags::CHILDREN_ONLY),
            (self.metadata, SnapshotDeleteFlags::METADATA_ONLY),
        ];
        let flags = options::flags(SnapshotDeleteFlags::NONE, flags);
        let operation = found.snapshot.delete(flags);
        let deleted = ui.perform(operation, &self.progress, domain.name()).await;
        deleted.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Deleted {
            domain: domain.name().to_owned(),
            name,
            children_only: self.children_only,
        })?)
    }
}

impl Answer for Deleted {
    const SCHEMA: &'static str = "virt-esx/snapshot-deleted/1";

    fn text(&self, quiet: bool) -> String {
        let what = if self.children_only { " children" } else { "" };
        unless_quiet(quiet, || {
            format!(
                "Domain snapshot {}{what} deleted\n",
                foreign::line(&self.name)
            )
        })
    }
}
