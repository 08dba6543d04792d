use esx_driver::DefineFlags;
use serde::Serialize;

use crate::answer::Answer;
use crate::answering::Answering;
use crate::commands::Command;
use crate::commands::file;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, foreign};

/// define (but don't start) a domain from an XML file
///
/// Define a domain: its configuration is written beside its first disk, which must exist, and registered.
/// A domain that exists gets what differs, without being removed.
#[derive(Debug, clap::Args)]
pub(crate) struct Define {
    /// file containing an XML domain description
    #[arg(value_name = "file")]
    file: String,

    /// validate the XML against the schema
    #[arg(long)]
    validate: bool,

    #[command(flatten)]
    answering: Answering,
}

/// A domain that was defined.
#[derive(Debug, Serialize)]
pub(crate) struct Defined {
    name: String,
    uuid: String,

    #[serde(skip)]
    file: String,
}

impl Command for Define {
    fn check(&self) -> Result<(), Failure> {
        self.answering.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let xml = file::read(&self.file).await?;
        let policy = self.answering.policy(connection.policy(), ui)?;
        let flags = match self.validate {
            true => DefineFlags::VALIDATE,
            false => DefineFlags::NONE,
        };
        let failed = |reason| {
            let line = format!("Failed to define domain from {}", self.file);
            Failure::because(line, reason)
        };
        let function = match self.validate {
            true => "virDomainDefineXMLFlags",
            false => "virDomainDefineXML",
        };
        let writable = connection.check_writable(function);
        writable.map_err(failed)?;
        let connect = connection.with_policy(policy);
        let domain = connect.define_xml(&xml, flags).await;
        let domain = domain.map_err(|error| failed(error.into()))?;
        let defined = Defined {
            name: domain.name().to_owned(),
            uuid: domain.uuid().to_string(),
            file: self.file,
        };
        Ok(ui.answer(&defined)?)
    }
}

impl Answer for Defined {
    const SCHEMA: &'static str = "virt-esx/domain-defined/1";

    fn text(&self, quiet: bool) -> String {
        if quiet {
            return String::new();
        }
        format!(
            "Domain '{}' defined from {}\n",
            foreign::line(&self.name),
            foreign::line(&self.file)
        )
    }
}
