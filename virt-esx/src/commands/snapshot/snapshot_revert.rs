use serde::Serialize;
use virt_model::flags::SnapshotRevertFlags;

use crate::answer::Answer;
use crate::commands::domain_arg::DomainArg;
use crate::commands::{Query, options};
use crate::connection::Connection;
use crate::failure::Failure;

/// Revert a domain to a snapshot
///
/// The domain is what it was when the snapshot was taken: its disks, its configuration, and its memory if the snapshot
/// has it.
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
}

/// A domain that reverted.
#[derive(Debug, Serialize)]
pub(crate) struct Reverted {
    domain: String,
    name: String,
}

impl Query for SnapshotRevert {
    type Answer = Reverted;

    async fn ask(self, connection: &Connection) -> Result<Reverted, Failure> {
        let domain = self.domain.find(connection).await?;
        options::check_text("snapshotname", self.snapshotname.as_deref())?;
        let snapshot = match (&self.snapshotname, self.current) {
            (Some(_), true) => {
                let line = "--snapshotname and --current are mutually exclusive";
                return Err(Failure::new(line));
            }
            (None, false) => {
                return Err(Failure::new("--snapshotname or --current is required"));
            }
            (Some(name), false) => domain.snapshot_lookup_by_name(name).await?,
            (None, true) => domain.snapshot_current().await?,
        };
        let name = snapshot.name().to_owned();
        let failed = |reason| Failure::because(format!("Failed to revert snapshot {name}"), reason);
        let writable = connection.check_writable("virDomainRevertToSnapshot");
        writable.map_err(failed)?;
        if self.running && self.paused {
            return Err(failed(Failure::new(
                "Flags 'VIR_DOMAIN_SNAPSHOT_REVERT_RUNNING' and 'VIR_DOMAIN_SNAPSHOT_REVERT_PAUSED' are mutually exclusive",
            )));
        }
        // virsh gives the flag of --force only when the driver calls reverting risky, which that of ESX never does.
        let flags = [
            (self.running, SnapshotRevertFlags::RUNNING),
            (self.paused, SnapshotRevertFlags::PAUSED),
            (self.reset_nvram, SnapshotRevertFlags::RESET_NVRAM),
        ];
        let flags = options::flags(SnapshotRevertFlags::NONE, flags);
        let reverted = snapshot.revert(flags).await;
        reverted.map_err(|error| failed(error.into()))?;
        Ok(Reverted {
            domain: domain.name().to_owned(),
            name,
        })
    }
}

impl Answer for Reverted {
    const SCHEMA: &'static str = "virt-esx/snapshot-reverted/1";

    fn text(&self, quiet: bool) -> String {
        match quiet {
            true => String::new(),
            false => format!("Domain snapshot {} reverted\n", self.name),
        }
    }
}
