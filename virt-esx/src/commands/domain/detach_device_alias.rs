use serde::Serialize;
use virt_model::DeviceModifyFlags;

use crate::answer::{Answer, unless_quiet};
use crate::answering::Answering;
use crate::commands::Command;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::{self, check_exclusive, check_text};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// detach device from an alias
///
/// Detach device identified by the given alias from a domain: VMware's name of it, such as scsi0:1, ethernet0 or serial0.
#[derive(Debug, clap::Args)]
pub(crate) struct DetachDeviceAlias {
    #[command(flatten)]
    domain: DomainArg,

    /// device alias
    #[arg(value_name = "alias", required = true)]
    alias: String,

    /// affect next boot
    #[arg(long)]
    config: bool,

    /// affect running domain
    #[arg(long)]
    live: bool,

    /// affect current domain
    #[arg(long)]
    current: bool,

    #[command(flatten)]
    answering: Answering,
}

/// A device that was detached.
#[derive(Debug, Serialize)]
struct Detached {
    domain: String,
    alias: String,
}

impl Command for DetachDeviceAlias {
    fn check(&self) -> Result<(), Failure> {
        let current = ("current", self.current);
        check_exclusive([current, ("config", self.config)])?;
        check_exclusive([current, ("live", self.live)])?;
        self.answering.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let policy = self.answering.policy(connection.policy(), ui)?;
        let domain = self.domain.find(&connection.with_policy(policy)).await?;
        check_text("alias", Some(&self.alias))?;
        let flags = options::flags(
            DeviceModifyFlags::NONE,
            [
                (self.config, DeviceModifyFlags::CONFIG),
                (self.live, DeviceModifyFlags::LIVE),
            ],
        );
        let line = format!("Failed to detach device with alias {}", self.alias);
        let failed = |reason| Failure::because(&line, reason);
        let writable = connection.check_writable("virDomainDetachDeviceAlias");
        writable.map_err(failed)?;
        let detached = domain.detach_device_alias(&self.alias, flags).await;
        detached.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Detached {
            domain: domain.name().to_owned(),
            alias: self.alias,
        })?)
    }
}

impl Answer for Detached {
    const SCHEMA: &'static str = "virt-esx/device-detached/1";

    fn text(&self, quiet: bool) -> String {
        unless_quiet(quiet, || {
            "Device detach request sent successfully\n".to_owned()
        })
    }
}
