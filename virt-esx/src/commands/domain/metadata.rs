use esx_driver::{Domain, ErrorKind, What};
use serde::Serialize;
use virt_model::domain::MetadataType;
use virt_model::flags::{ModificationImpact, refuse_both};

use super::impact::{Changed, Impact};
use crate::answer::Answer;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::{check_exclusive, check_text};
use crate::commands::{Command, editor};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// show or set domain's custom XML metadata
///
/// Shows or modifies the XML metadata of a domain: the option libvirt.metadata of its VMX file.
#[derive(Debug, clap::Args)]
pub(crate) struct Metadata {
    #[command(flatten)]
    domain: DomainArg,

    /// URI of the namespace
    #[arg(value_name = "uri")]
    uri: String,

    #[command(flatten)]
    impact: Impact,

    /// use an editor to change the metadata
    #[arg(long)]
    edit: bool,

    /// key to be used as a namespace identifier
    #[arg(value_name = "key")]
    key: Option<String>,

    /// new metadata to set
    #[arg(value_name = "set")]
    set: Option<String>,

    /// remove the metadata corresponding to an uri
    #[arg(long)]
    remove: bool,
}

/// An element of a domain's metadata.
#[derive(Debug, Serialize)]
pub(crate) struct Element {
    domain: String,
    uri: String,
    xml: String,
}

impl Command for Metadata {
    fn check(&self) -> Result<(), Failure> {
        self.impact.check()?;
        let (edit, remove) = (("edit", self.edit), ("remove", self.remove));
        let set = ("set", self.set.is_some());
        check_exclusive([edit, set])?;
        check_exclusive([remove, edit])?;
        check_exclusive([remove, set])
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let domain = self.domain.find(connection).await?;
        check_text("uri", Some(&self.uri))?;
        check_text("key", self.key.as_deref())?;
        check_text("set", self.set.as_deref())?;
        if (self.set.is_some() || self.edit) && self.key.is_none() {
            return Err(Failure::new(
                "namespace key is required when modifying metadata",
            ));
        }
        if self.remove || self.set.is_some() {
            let changed = self.write(connection, &domain, self.set.as_deref()).await?;
            return Ok(ui.answer(&changed)?);
        }
        if !self.edit {
            let flags = self.impact.flags();
            let xml = domain.metadata(MetadataType::Element, Some(&self.uri), flags);
            return Ok(ui.answer(&Element {
                xml: xml.await?,
                domain: domain.name().to_owned(),
                uri: self.uri,
            })?);
        }
        let text = self.read(&domain).await?;
        let edited = editor::edit(ui, &text, async |edited: &str, _| {
            Ok(self.write(connection, &domain, Some(edited)).await?)
        });
        match edited.await? {
            Some(changed) => Ok(ui.answer(&changed)?),
            None if ui.is_quiet() => Ok(()),
            // virsh prints no line break behind it.
            None => Ok(ui.print("Metadata not changed")?),
        }
    }
}

impl Metadata {
    /// The element to edit: an empty line if there is none.
    async fn read(&self, domain: &Domain) -> Result<String, Failure> {
        let (live, config) = (ModificationImpact::LIVE, ModificationImpact::CONFIG);
        let flags = self.impact.flags();
        let both = refuse_both(
            flags,
            (live, "VIR_DOMAIN_AFFECT_LIVE"),
            (config, "VIR_DOMAIN_AFFECT_CONFIG"),
        );
        both.map_err(|error| Failure::new(error.to_string()))?;
        let found = domain.metadata(MetadataType::Element, Some(&self.uri), flags);
        match found.await {
            Ok(xml) => Ok(xml),
            Err(error) if error.kind() == ErrorKind::NotFound(What::Metadata) => {
                Ok("\n".to_owned())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Sets the element, or removes it.
    async fn write(
        &self,
        connection: &Connection,
        domain: &Domain,
        xml: Option<&str>,
    ) -> Result<Changed, Failure> {
        connection.check_writable("virDomainSetMetadata")?;
        let key = self.key.as_deref().filter(|_| xml.is_some());
        let flags = self.impact.flags();
        let part = MetadataType::Element;
        let set = domain.set_metadata(part, xml, key, Some(&self.uri), flags);
        set.await?;
        Ok(Changed::new("metadata", domain).saying(match xml {
            Some(_) => "Metadata modified\n",
            None => "Metadata removed\n",
        }))
    }
}

impl Answer for Element {
    const SCHEMA: &'static str = "virt-esx/domain-metadata/1";

    fn is_document(&self) -> bool {
        true
    }

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", self.xml)
    }
}
