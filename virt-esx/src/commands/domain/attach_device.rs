use super::device_change::{Affects, Changed, Verb};
use crate::answering::Answering;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::check_text;
use crate::commands::{Command, file};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// attach device from an XML file
///
/// Attach the device of libvirt's XML in the file: a disk, drive, network card, controller, port, sound card or TPM.
#[derive(Debug, clap::Args)]
pub(crate) struct AttachDevice {
    #[command(flatten)]
    domain: DomainArg,

    /// XML file
    #[arg(value_name = "file", required = true)]
    file: String,

    #[command(flatten)]
    affects: Affects,

    #[command(flatten)]
    answering: Answering,
}

impl Command for AttachDevice {
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
        let done = Verb::Attach.run(connection, &domain, &xml, flags).await;
        done.map_err(|reason| {
            Failure::because(
                format!("Failed to attach device from {}", self.file),
                reason,
            )
        })?;
        Ok(ui.answer(&Changed {
            domain: domain.name().to_owned(),
            xml,
            text: "Device attached successfully",
            is_loud: false,
        })?)
    }
}
