use serde::Serialize;
use virt_model::DomainXmlFlags;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::domain_arg::{self, Any, Keys as _};
use crate::commands::file;
use crate::commands::options::check_exclusive;
use crate::connection::Connection;
use crate::failure::Failure;

/// Convert domain XML to native config
///
/// Convert domain XML config to a native guest configuration format. File names are looked up among
/// the datastores of the host; 'xml2vmx' needs no host.
#[derive(Debug, clap::Args)]
#[command(name = "domxml-to-native")]
pub(crate) struct DomxmlToNative {
    /// target config data type format: vmware-vmx
    #[arg(value_name = "format")]
    format: String,

    /// domain name, id or uuid
    #[arg(long, value_name = "string")]
    domain: Option<String>,

    /// xml data file to export from
    #[arg(value_name = "xml")]
    xml: Option<String>,
}

/// A domain's configuration in the host's own form.
#[derive(Debug, Serialize)]
pub(crate) struct Native {
    config: String,
}

impl Query for DomxmlToNative {
    type Answer = Native;

    fn check(&self) -> Result<(), Failure> {
        match (&self.domain, &self.xml) {
            (None, None) => Err(Failure::new("need either domain or domain XML")),
            (domain, xml) => {
                check_exclusive([("domain", domain.is_some()), ("xml", xml.is_some())])
            }
        }
    }

    async fn ask(self, connection: &Connection) -> Result<Native, Failure> {
        let xml = match (&self.domain, &self.xml) {
            (Some(domain), _) => {
                let domain = domain_arg::find(connection, domain, Any::KEYS).await?;
                domain.xml_desc(DomainXmlFlags::NONE).await?
            }
            (None, file) => file::read(file.as_deref().unwrap_or_default()).await?,
        };
        connection.check_writable("virConnectDomainXMLToNative")?;
        let config = connection.domain_xml_to_native(&self.format, &xml).await?;
        Ok(Native { config })
    }
}

impl Answer for Native {
    const SCHEMA: &'static str = "virt-esx/native-config/1";

    fn is_document(&self) -> bool {
        true
    }

    fn text(&self, _quiet: bool) -> String {
        self.config.clone()
    }
}
