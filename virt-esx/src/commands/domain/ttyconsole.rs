use virt_model::DomainXmlFlags;

use crate::commands::Command;
use crate::commands::definition::{Definition, attribute};
use crate::commands::domain_arg::DomainArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// tty console
///
/// Output the device for the TTY console. A domain on ESX has none, so the command fails.
#[derive(Debug, clap::Args)]
pub(crate) struct Ttyconsole {
    #[command(flatten)]
    domain: DomainArg,
}

/// The device of a console.
#[derive(Debug, serde::Serialize)]
struct Console<'a> {
    tty: &'a str,
}

impl Command for Ttyconsole {
    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let domain = self.domain.find(connection).await?;
        let definition = Definition::of(&domain, DomainXmlFlags::NONE).await?;
        let mut consoles = definition.devices("console");
        match consoles.find_map(|console| attribute(console, "tty")) {
            Some(tty) => {
                let console = Console { tty };
                ui.item("virt-esx/domain-tty/1", &console, &format!("{tty}\n"))?;
            }
            // virsh says nothing about it.
            None => ui.fail(""),
        }
        Ok(())
    }
}
