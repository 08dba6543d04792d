use esx_driver::{DefineFlags, Domain};
use serde::Serialize;
use virt_model::DomainXmlFlags;

use crate::answer::Answer;
use crate::answering::Answering;
use crate::commands::Command;
use crate::commands::domain_arg::DomainArg;
use crate::commands::editor::{self, Refusal};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, foreign};

/// edit XML configuration for a domain
///
/// Edit the XML configuration for a domain; what was changed is changed in the domain. The editor is that of the
/// environment variable VISUAL or EDITOR, else vi.
#[derive(Debug, clap::Args)]
pub(crate) struct Edit {
    #[command(flatten)]
    domain: DomainArg,

    /// skip validation of the XML against the schema
    #[arg(long)]
    skip_validate: bool,

    #[command(flatten)]
    answering: Answering,
}

/// A domain whose definition was edited.
#[derive(Debug, Serialize)]
struct Edited {
    name: String,
    /// Whether anything was changed.
    changed: bool,
}

impl Command for Edit {
    fn check(&self) -> Result<(), Failure> {
        self.answering.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let policy = self.answering.policy(connection.policy(), ui)?;
        let domain = self.domain.find(&connection.with_policy(policy)).await?;
        let xml = described(connection, &domain).await?;
        let flags = match self.skip_validate {
            true => DefineFlags::NONE,
            false => DefineFlags::VALIDATE,
        };
        let edited = editor::edit(ui, &xml, async |text, is_forced| {
            if !is_forced && described(connection, &domain).await? != xml {
                return Err(Refusal::Changed);
            }
            connection.check_writable("virDomainDefineXMLFlags")?;
            Ok(domain.connect().define_xml(text, flags).await?)
        })
        .await?;
        let name = edited.as_ref().unwrap_or(&domain).name().to_owned();
        Ok(ui.answer(&Edited {
            name,
            changed: edited.is_some(),
        })?)
    }
}

/// The document to edit: with passwords, which a read-only connection must not have.
async fn described(connection: &Connection, domain: &Domain) -> Result<String, Failure> {
    if connection.is_readonly() {
        return Err(Failure::new(
            "operation forbidden: virDomainGetXMLDesc with secure flag",
        ));
    }
    let flags = DomainXmlFlags::SECURE | DomainXmlFlags::INACTIVE;
    Ok(domain.xml_desc(flags).await?)
}

impl Answer for Edited {
    const SCHEMA: &'static str = "virt-esx/domain-edited/1";

    fn text(&self, quiet: bool) -> String {
        let name = foreign::line(&self.name);
        match self.changed {
            _ if quiet => String::new(),
            false => format!("Domain '{name}' XML configuration not changed.\n"),
            true => format!("Domain '{name}' XML configuration edited.\n"),
        }
    }
}
