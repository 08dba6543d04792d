use esx_driver::{Domain, ErrorKind, What};
use serde::Serialize;
use virt_model::domain::MetadataType;

use super::impact::{Changed, Impact};
use crate::answer::Answer;
use crate::commands::domain_arg::DomainArg;
use crate::commands::{Command, editor};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, foreign};

/// show or set domain's description or title
///
/// Allows setting or modifying the description or title of a domain. The description is the virtual machine's annotation;
/// the title is the option libvirt.title of its VMX file.
#[derive(Debug, clap::Args)]
pub(crate) struct Desc {
    #[command(flatten)]
    domain: DomainArg,

    #[command(flatten)]
    impact: Impact,

    /// modify/get the title instead of description
    #[arg(long)]
    title: bool,

    /// open an editor to modify the description
    #[arg(long)]
    edit: bool,

    /// message
    #[arg(id = "new-desc", value_name = "new-desc", num_args = 0..)]
    new_desc: Vec<String>,
}

/// A domain's description or title; null if there is none.
#[derive(Debug, Serialize)]
pub(crate) struct Description {
    domain: String,
    /// `description` or `title`.
    part: &'static str,
    text: Option<String>,
}

impl Command for Desc {
    fn check(&self) -> Result<(), Failure> {
        self.impact.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let domain = self.domain.find(connection).await?;
        let given = (!self.new_desc.is_empty()).then(|| self.new_desc.join(" "));
        if self.edit {
            let text = match given {
                Some(text) => text,
                None => self.read(&domain).await?.unwrap_or_default(),
            };
            let edited = editor::edit(ui, &text, async |edited: &str, _| {
                // Editors end a text with a line break.
                let edited = edited.strip_suffix('\n').unwrap_or(edited);
                Ok(self.write(connection, &domain, edited).await?)
            });
            return match edited.await? {
                Some(changed) => Ok(ui.answer(&changed)?),
                None if ui.is_quiet() => Ok(()),
                None => Ok(ui.line(format!("Domain {} not changed", self.part()))?),
            };
        }
        match given {
            Some(text) => {
                let changed = self.write(connection, &domain, &text).await?;
                Ok(ui.answer(&changed)?)
            }
            None => Ok(ui.answer(&Description {
                domain: domain.name().to_owned(),
                part: self.part(),
                text: self.read(&domain).await?,
            })?),
        }
    }
}

impl Desc {
    fn part(&self) -> &'static str {
        match self.title {
            true => "title",
            false => "description",
        }
    }

    fn kind(&self) -> MetadataType {
        match self.title {
            true => MetadataType::Title,
            false => MetadataType::Description,
        }
    }

    async fn read(&self, domain: &Domain) -> Result<Option<String>, Failure> {
        match domain
            .metadata(self.kind(), None, self.impact.flags())
            .await
        {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound(What::Metadata) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn write(
        &self,
        connection: &Connection,
        domain: &Domain,
        text: &str,
    ) -> Result<Changed, Failure> {
        let failed = |reason| {
            let line = format!("Failed to set new domain {}", self.part());
            Failure::because(line, reason)
        };
        let writable = connection.check_writable("virDomainSetMetadata");
        writable.map_err(failed)?;
        // An empty text removes it.
        let text = (!text.is_empty()).then_some(text);
        let set = domain.set_metadata(self.kind(), text, None, None, self.impact.flags());
        set.await.map_err(|error| failed(error.into()))?;
        // virsh prints no line break behind these two.
        Ok(Changed::new("desc", domain).saying(match self.title {
            true => "Domain title updated successfully",
            false => "Domain description updated successfully",
        }))
    }
}

impl Answer for Description {
    const SCHEMA: &'static str = "virt-esx/domain-description/1";

    /// virsh prints no line break behind it.
    fn text(&self, _quiet: bool) -> String {
        match &self.text {
            Some(text) => text.clone(),
            None => format!(
                "No {} for domain: {}",
                self.part,
                foreign::line(&self.domain)
            ),
        }
    }
}
