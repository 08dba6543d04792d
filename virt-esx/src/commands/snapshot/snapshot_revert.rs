use serde::Serialize;
use virt_model::flags::SnapshotRevertFlags;

use super::lookup::{self, Current};
use crate::answer::{Answer, unless_quiet};
use crate::commands::domain_arg::DomainArg;
use crate::commands::{Command, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::progress;
use crate::ui::{Ui, foreign};

/// Revert a domain to a snapshot
///
/// The domain is what it was when the snapshot was taken: its disks, its configuration, and its memory if the snapshot
/// has it. Ctrl-C cancels the host's task.
#[derive(Debug, clap::Args)]
pub(crate) struct SnapshotRevert {
    #[command(flatten)]
    domain: DomainArg,

    /// snapshot name
    #[arg(value_name = "snapshotname")]
    snapshotname: Option<String>,

    /// revert to current snapshot
    #[arg(long)]
    current: bool,

    /// after reverting, change state to running
    #[arg(long)]
    running: bool,

    /// after reverting, change state to paused
    #[arg(long)]
    paused: bool,

    /// try harder on risky reverts
    #[arg(long)]
    force: bool,

    /// re-initialize NVRAM from its pristine template
    #[arg(long)]
    reset_nvram: bool,

    #[command(flatten)]
    progress: progress::Options,
}

/// A domain that reverted.
#[derive(Debug, Serialize)]
struct Reverted {
    domain: String,
    name: String,
}

impl Command for SnapshotRevert {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let domain = self.domain.find(connection).await?;
        let name = self.snapshotname.as_deref();
        let found = lookup::find(&domain, name, self.current, Current::Alone).await?;
        let name = found.snapshot.name().to_owned();
        let failed = |reason| Failure::because(format!("Failed to revert snapshot {name}"), reason);
        let writable = connection.check_writable("virDomainRevertToSnapshot");
        writable.map_err(failed)?;
        // virsh gives the flag of --force only when the driver calls reverting risky, which that of ESX never does.
        let flags = [
            (self.running, SnapshotRevertFlags::RUNNING),
            (self.paused, SnapshotRevertFlags::PAUSED),
            (self.reset_nvram, SnapshotRevertFlags::RESET_NVRAM),
        ];
        let flags = options::flags(SnapshotRevertFlags::NONE, flags);
        let operation = found.snapshot.revert(flags);
        let reverted = ui.perform(operation, &self.progress, domain.name()).await;
        reverted.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Reverted {
            domain: domain.name().to_owned(),
            name,
        })?)
    }
}

impl Answer for Reverted {
    const SCHEMA: &'static str = "virt-esx/snapshot-reverted/1";

    fn text(&self, quiet: bool) -> String {
        unless_quiet(quiet, || {
            format!("Domain snapshot {} reverted\n", foreign::line(&self.name))
        })
    }
}
