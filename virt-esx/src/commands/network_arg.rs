//! The argument that names a network.

use esx_driver::{Connect, Network};
use virt_model::Uuid;

use super::options;
use crate::failure::Failure;

/// The argument `network` of a command: `#[command(flatten)] network: NetworkArg`.
#[derive(Debug, clap::Args)]
pub(crate) struct NetworkArg {
    /// network name or uuid
    #[arg(id = "network", value_name = "network")]
    text: String,
}

impl NetworkArg {
    /// Finds the network.
    ///
    /// # Errors
    /// virsh's text, and below it the reason.
    pub(crate) async fn find(&self, connection: &Connect) -> Result<Network, Failure> {
        options::check_text("network", Some(&self.text))?;
        find(connection, &self.text).await
    }
}

/// Finds the network that `text` means. virsh takes 36 characters for a UUID first.
pub(crate) async fn find(connection: &Connect, text: &str) -> Result<Network, Failure> {
    let uuid = text.parse::<Uuid>().ok().filter(|_| text.len() == 36);
    if let Some(uuid) = uuid
        && let Ok(network) = connection.network_lookup_by_uuid(uuid).await
    {
        return Ok(network);
    }
    let failed = |error| Failure::because(format!("failed to get network '{text}'"), error);
    connection
        .network_lookup_by_name(text)
        .await
        .map_err(failed)
}
