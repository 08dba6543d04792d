use super::find_storage_pool_sources::{Sources, find};
use crate::commands::Query;
use crate::commands::options::check_texts;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::markup::escaped;

/// find potential storage pool sources
///
/// Returns XML <sources> document.
#[allow(rustdoc::invalid_html_tags, reason = "help text, as virsh has it")]
#[derive(Debug, clap::Args)]
pub(crate) struct FindStoragePoolSourcesAs {
    /// type of storage pool sources to find
    #[arg(id = "type", value_name = "type")]
    kind: String,

    /// optional host to query
    #[arg(value_name = "host")]
    host: Option<String>,

    /// optional port to query
    #[arg(value_name = "port")]
    port: Option<String>,

    /// optional initiator IQN to use for query
    #[arg(value_name = "initiator")]
    initiator: Option<String>,
}

impl Query for FindStoragePoolSourcesAs {
    type Answer = Sources;

    async fn ask(self, connection: &Connection) -> Result<Sources, Failure> {
        let kind = Some(self.kind.clone());
        check_texts([
            ("type", &kind),
            ("host", &self.host),
            ("initiator", &self.initiator),
        ])?;
        if self.host.is_some() {
            let checked = check_texts([("port", &self.port)]);
            checked.map_err(|failure| failure.followed_by("missing argument"))?;
        }
        find(connection, &self.kind, self.specification().as_deref()).await
    }
}

impl FindStoragePoolSourcesAs {
    /// The document that restricts the sources; none without a host, as in virsh.
    fn specification(&self) -> Option<String> {
        let host = escaped(self.host.as_ref()?);
        let port = self
            .port
            .as_ref()
            .map(|port| format!(" port='{}'", escaped(port)));
        let initiator = self.initiator.as_ref().map(|iqn| {
            let iqn = escaped(iqn);
            format!("  <initiator>\n    <iqn name='{iqn}'/>\n  </initiator>\n")
        });
        let (port, initiator) = (port.unwrap_or_default(), initiator.unwrap_or_default());
        Some(format!(
            "<source>\n  <host name='{host}'{port}/>\n{initiator}</source>\n"
        ))
    }
}
