use esx_driver::DomainConfiguration;
use serde::Serialize;
use virt_model::DomainXmlFlags;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::xpath;

/// domain information in XML
///
/// Output the domain information as an XML dump to stdout.
#[derive(Debug, clap::Args)]
pub(crate) struct Dumpxml {
    #[command(flatten)]
    domain: DomainArg,

    /// show inactive defined XML
    #[arg(long)]
    inactive: bool,

    /// include security sensitive information in XML dump
    #[arg(long)]
    security_info: bool,

    /// update guest CPU according to host CPU
    #[arg(long)]
    update_cpu: bool,

    /// provide XML suitable for migrations
    #[arg(long)]
    migratable: bool,

    #[command(flatten)]
    parts: xpath::Parts,
}

/// A domain's definition.
#[derive(Debug, Serialize)]
pub(crate) struct Definition {
    /// libvirt's document, or the parts of it that were asked for.
    pub(crate) xml: String,
}

impl Query for Dumpxml {
    type Answer = Definition;

    async fn ask(self, connection: &Connection) -> Result<Definition, Failure> {
        let (domain, configuration) = self
            .domain
            .find_with::<DomainConfiguration>(connection)
            .await?;
        if self.security_info && connection.is_readonly() {
            let line = "operation forbidden: virDomainGetXMLDesc with secure flag";
            return Err(Failure::new(line));
        }
        let flags = [
            (self.inactive, DomainXmlFlags::INACTIVE),
            (self.security_info, DomainXmlFlags::SECURE),
            (self.update_cpu, DomainXmlFlags::UPDATE_CPU),
            (self.migratable, DomainXmlFlags::MIGRATABLE),
        ];
        let flags = options::flags(DomainXmlFlags::NONE, flags);
        let xml = domain.xml_desc_of(&configuration?, flags).await?;
        Ok(Definition {
            xml: self.parts.of(xml)?,
        })
    }
}

impl Answer for Definition {
    const SCHEMA: &'static str = "virt-esx/domain-definition/1";

    fn is_document(&self) -> bool {
        true
    }

    fn text(&self, _quiet: bool) -> String {
        self.xml.clone()
    }
}
