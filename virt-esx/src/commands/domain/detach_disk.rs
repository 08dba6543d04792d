use super::device_change::{self, Affects, Changed, Definition, Verb};
use super::drive::{self, Wanted};
use crate::answering::Answering;
use crate::commands::Command;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::check_text;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::markup;
use crate::ui::Ui;

/// detach disk device
///
/// Detach disk device. Its file stays on its datastore.
#[derive(Debug, clap::Args)]
pub(crate) struct DetachDisk {
    #[command(flatten)]
    domain: DomainArg,

    /// target of disk device
    #[arg(value_name = "target", required = true)]
    target: String,

    #[command(flatten)]
    affects: Affects,

    /// print XML document rather than detach the disk
    #[arg(long)]
    print_xml: bool,

    #[command(flatten)]
    answering: Answering,
}

impl Command for DetachDisk {
    fn check(&self) -> Result<(), Failure> {
        self.affects.check()?;
        self.answering.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let policy = self.answering.policy(connection.policy(), ui)?;
        let domain = self.domain.find(&connection.with_policy(policy)).await?;
        check_text("target", Some(&self.target))?;
        let flags = self.affects.flags(&domain);
        let document = device_change::document(&domain, flags).await?;
        let disk = drive::find(document, &self.target, Wanted::Any, self.print_xml)?;
        let xml = markup::text(&disk);
        if self.print_xml {
            return Ok(ui.answer(&Definition::new(xml))?);
        }
        let detached = Verb::Detach.run(connection, &domain, &xml, flags).await;
        detached.map_err(|reason| Failure::because("Failed to detach disk", reason))?;
        Ok(ui.answer(&Changed {
            domain: domain.name().to_owned(),
            xml,
            text: "Disk detached successfully",
            is_loud: false,
        })?)
    }
}
