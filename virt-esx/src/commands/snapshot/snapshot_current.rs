use esx_driver::{ErrorKind, What};
use serde::Serialize;
use virt_model::flags::{SnapshotCreateFlags, SnapshotXmlFlags};

use super::definition::{self, Definition};
use crate::answer::Answer;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::check_exclusive;
use crate::commands::{Command, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// Get or set the current snapshot
///
/// libvirt makes another snapshot the current one by redefining it, which ESX does not support: there only
/// snapshot-revert does.
#[derive(Debug, clap::Args)]
pub(crate) struct SnapshotCurrent {
    #[command(flatten)]
    domain: DomainArg,

    /// list the name, rather than the full xml
    #[arg(long)]
    name: bool,

    /// include security sensitive information in XML dump
    #[arg(long)]
    security_info: bool,

    /// name of existing snapshot to make current
    #[arg(value_name = "snapshotname")]
    snapshotname: Option<String>,
}

/// The current snapshot.
#[derive(Debug, Serialize)]
struct CurrentName {
    domain: String,
    name: String,
}

impl Command for SnapshotCurrent {
    fn check(&self) -> Result<(), Failure> {
        let snapshotname = self.snapshotname.is_some();
        check_exclusive([("name", self.name), ("snapshotname", snapshotname)])
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let domain = self.domain.find(connection).await?;
        options::check_text("snapshotname", self.snapshotname.as_deref())?;
        if let Some(name) = &self.snapshotname {
            let entry = domain.snapshot_entry(name).await?;
            // virsh redefines the snapshot by its document with all secrets. libvirt's ESX driver refuses both.
            let xml = definition::of(connection, &entry, SnapshotXmlFlags::SECURE)?;
            let flags = SnapshotCreateFlags::REDEFINE | SnapshotCreateFlags::CURRENT;
            domain.snapshot_create_xml(&xml, flags).await?;
            return Ok(());
        }
        let current = domain.snapshot_current_entry().await;
        let current = current.map_err(|error| match error.kind() {
            ErrorKind::NotFound(What::Snapshot) => {
                let name = domain.name();
                Failure::new(format!("domain '{name}' has no current snapshot"))
            }
            _ => error.into(),
        })?;
        if self.name {
            return Ok(ui.answer(&CurrentName {
                domain: domain.name().to_owned(),
                name: current.snapshot.name().to_owned(),
            })?);
        }
        let flags = [(self.security_info, SnapshotXmlFlags::SECURE)];
        let flags = options::flags(SnapshotXmlFlags::NONE, flags);
        let xml = definition::of(connection, &current, flags)?;
        Ok(ui.answer(&Definition { xml, end: "" })?)
    }
}

impl Answer for CurrentName {
    const SCHEMA: &'static str = "virt-esx/snapshot-current/1";

    /// Without a line's end, like virsh.
    fn text(&self, _quiet: bool) -> String {
        self.name.clone()
    }
}
