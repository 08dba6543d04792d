use super::dumpxml::Definition;
use crate::commands::Query;
use crate::commands::file;
use crate::connection::Connection;
use crate::failure::Failure;

/// Convert native config to domain XML
///
/// Convert native guest configuration format to domain XML format. File names are looked up among
/// the datastores of the host; 'vmx2xml' needs no host.
#[derive(Debug, clap::Args)]
#[command(name = "domxml-from-native")]
pub(crate) struct DomxmlFromNative {
    /// source config data format: vmware-vmx
    #[arg(value_name = "format")]
    format: String,

    /// config data file to import from
    #[arg(value_name = "config")]
    config: String,
}

impl Query for DomxmlFromNative {
    type Answer = Definition;

    async fn ask(self, connection: &Connection) -> Result<Definition, Failure> {
        let config = file::read_bytes(&self.config).await?;
        connection.check_writable("virConnectDomainXMLFromNative")?;
        let xml = connection
            .domain_xml_from_native(&self.format, &config)
            .await?;
        Ok(Definition { xml })
    }
}
