use std::io::IsTerminal as _;

use esx_driver::CreateFlags;
use serde::Serialize;

use crate::answer::Answer;
use crate::answering::Answering;
use crate::commands::options::{self, check_text};
use crate::commands::{Command, file};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, foreign};

/// create a domain from an XML file
///
/// Create a domain and start it. The host makes it, beside its first disk, without an upload. A disk that does not exist is
/// made if the XML has its geometry. The domain stays defined when it is stopped.
#[derive(Debug, clap::Args)]
pub(crate) struct Create {
    /// file containing an XML domain description
    #[arg(value_name = "file", required = true)]
    file: String,

    /// attach to console after creation
    #[arg(long)]
    console: bool,

    /// leave the guest paused after creation
    #[arg(long)]
    paused: bool,

    /// automatically destroy the guest when virsh disconnects
    #[arg(long)]
    autodestroy: bool,

    /// pass file descriptors N,M,... to the guest
    #[arg(long, value_name = "string")]
    pass_fds: Option<String>,

    /// validate the XML against the schema
    #[arg(long)]
    validate: bool,

    /// re-initialize NVRAM from its pristine template
    #[arg(long)]
    reset_nvram: bool,

    #[command(flatten)]
    answering: Answering,
}

/// A domain that was created.
#[derive(Debug, Serialize)]
struct Created {
    name: String,
    uuid: String,
    id: Option<i32>,

    #[serde(skip)]
    file: String,
}

impl Command for Create {
    fn check(&self) -> Result<(), Failure> {
        self.answering.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        check_text("file", Some(&self.file))?;
        let xml = file::read(&self.file).await?;
        let policy = self.answering.policy(connection.policy(), ui)?;
        let flags = options::flags(
            CreateFlags::NONE,
            [
                (self.paused, CreateFlags::PAUSED),
                (self.autodestroy, CreateFlags::AUTODESTROY),
                (self.validate, CreateFlags::VALIDATE),
                (self.reset_nvram, CreateFlags::RESET_NVRAM),
            ],
        );
        let line = format!("Failed to create domain from {}", self.file);
        let failed = |reason| Failure::because(&line, reason);
        if self.pass_fds.is_some() {
            return Err(failed(Failure::unsupported("virDomainCreateXMLWithFiles")));
        }
        let writable = connection.check_writable("virDomainCreateXML");
        writable.map_err(failed)?;
        let created = connection.with_policy(policy).create_xml(&xml, flags).await;
        let domain = created.map_err(|error| failed(error.into()))?;
        ui.answer(&Created {
            name: domain.name().to_owned(),
            uuid: domain.uuid().to_string(),
            id: domain.id(),
            file: self.file,
        })?;
        if !self.console {
            return Ok(());
        }
        Err(match std::io::stdin().is_terminal() {
            true => Failure::unsupported("virDomainOpenConsole"),
            false => Failure::new("Cannot run interactive console without a controlling TTY"),
        })
    }
}

impl Answer for Created {
    const SCHEMA: &'static str = "virt-esx/domain-created/1";

    fn text(&self, quiet: bool) -> String {
        if quiet {
            return String::new();
        }
        format!(
            "Domain '{}' created from {}\n",
            foreign::line(&self.name),
            foreign::line(&self.file)
        )
    }
}
