use esx_driver::Secret;

use crate::commands::Query;
use crate::commands::dumpxml::Definition;
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

impl Query for SecretDumpxml {
    type Answer = Definition<Secret>;

    async fn ask(self, connection: &Connection) -> Result<Self::Answer, Failure> {
        let xml = self.secret.find(connection).await?.xml_desc()?;
        Definition::new(xml, &self.parts)
    }
}
