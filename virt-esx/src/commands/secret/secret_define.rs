use virt_model::SecretDefineFlags;

use super::change::Changed;
use crate::commands::{Query, file, options};
use crate::connection::Connection;
use crate::failure::Failure;

/// define or modify a secret from an XML file
///
/// Define or modify a secret. A host keeps no secrets: it is kept in the file of --keyring, unless it is ephemeral. Without
/// that, it is forgotten when virt-esx ends, so it is for the commands behind it, in the shell or behind a semicolon.
#[derive(Debug, clap::Args)]
pub(crate) struct SecretDefine {
    /// file containing secret attributes in XML
    #[arg(value_name = "file")]
    file: String,

    /// validate the XML against the schema
    #[arg(long)]
    validate: bool,
}

impl Query for SecretDefine {
    type Answer = Changed;

    async fn ask(self, connection: &Connection) -> Result<Changed, Failure> {
        let Self { file, .. } = &self;
        options::check_text("file", Some(file))?;
        let xml = file::read(file).await?;
        let failed =
            |reason| Failure::because(format!("Failed to set attributes from {file}"), reason);
        let writable = connection.check_writable("virSecretDefineXML");
        writable.map_err(failed)?;
        let flags = [(self.validate, SecretDefineFlags::VALIDATE)];
        let flags = options::flags(SecretDefineFlags::NONE, flags);
        let secret = connection.secret_define_xml(&xml, flags).await;
        let uuid = secret.map_err(|error| failed(error.into()))?.uuid();
        let text = format!("Secret {uuid} created");
        Ok(Changed::new("secret-define", uuid, text))
    }
}
