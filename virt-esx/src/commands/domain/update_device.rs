use virt_model::DeviceModifyFlags;

use super::device_change::{Affects, Changed, Verb};
use crate::answering::Answering;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::check_text;
use crate::commands::{Command, file};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// update device from an XML file
///
/// Update the device that libvirt's XML in the file means: its medium, network, end on the host, memory or cache.
#[derive(Debug, clap::Args)]
pub(crate) struct UpdateDevice {
    #[command(flatten)]
    domain: DomainArg,

    /// XML file
    #[arg(value_name = "file", required = true)]
    file: String,

    #[command(flatten)]
    affects: Affects,

    /// force device update
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    answering: Answering,
}

impl Command for UpdateDevice {
    fn check(&self) -> Result<(), Failure> {
        self.affects.check()?;
        self.answering.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let policy = self.answering.policy(connection.policy(), ui)?;
        let domain = self.domain.find(&connection.with_policy(policy)).await?;
        check_text("file", Some(&self.file))?;
        let xml = file::read(&self.file).await?;
        let flags = self.affects.flags(&domain);
        let flags = match self.force {
            true => Some(flags.unwrap_or_default() | DeviceModifyFlags::FORCE),
            false => flags,
        };
        let done = Verb::Update.run(connection, &domain, &xml, flags).await;
        done.map_err(|reason| {
            Failure::because(
                format!("Failed to update device from {}", self.file),
                reason,
            )
        })?;
        Ok(ui.answer(&Changed {
            domain: domain.name().to_owned(),
            xml,
            text: "Device updated successfully",
            is_loud: false,
        })?)
    }
}
