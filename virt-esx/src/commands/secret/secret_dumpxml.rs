use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::secret_arg::SecretArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::xpath;

/// secret attributes in XML
///
/// Output attributes of a secret as an XML dump to stdout.
#[derive(Debug, clap::Args)]
pub(crate) struct SecretDumpxml {
    #[command(flatten)]
    secret: SecretArg,

    #[command(flatten)]
    parts: xpath::Parts,
}

/// A secret's definition.
#[derive(Debug, Serialize)]
pub(crate) struct Definition {
    /// libvirt's document, or the parts of it that were asked for.
    xml: String,
}

impl Query for SecretDumpxml {
    type Answer = Definition;

    async fn ask(self, connection: &Connection) -> Result<Definition, Failure> {
        let xml = self.secret.find(connection).await?.xml_desc()?;
        Ok(Definition {
            xml: self.parts.of(xml)?,
        })
    }
}

impl Answer for Definition {
    const SCHEMA: &'static str = "virt-esx/secret-definition/1";

    fn text(&self, _quiet: bool) -> String {
        self.xml.clone()
    }
}
