//! The argument that names a network.

use esx_driver::{Connect, Network};
use virt_model::Uuid;

use super::change::{Arg, Definable, Makeable, Noun};
use super::options;
use crate::failure::Failure;

/// The argument `network` of a command: `#[command(flatten)] network: NetworkArg`.
#[derive(Debug, clap::Args)]
pub(crate) struct NetworkArg {
    /// network name or uuid
    #[arg(id = "network", value_name = "network")]
    text: String,
}

impl Arg for NetworkArg {
    type Noun = Network;

    fn text(&self) -> &str {
        self.text()
    }

    async fn find(&self, connection: &Connect) -> Result<Network, Failure> {
        self.find(connection).await
    }
}

impl Noun for Network {
    const NOUN: &'static str = "network";
    const TITLE: &'static str = "Network";

    fn name(&self) -> &str {
        self.name()
    }
}

impl Definable for Network {
    const CHANGED: &'static str = "virt-esx/network-changed/1";
    const EDITED: &'static str = "virt-esx/network-edited/1";
}

impl Makeable for Network {
    const MADE: &'static str = "virt-esx/network-made/1";

    fn uuid(&self) -> Uuid {
        self.uuid()
    }
}

impl NetworkArg {
    /// The text of the command line, which virsh prints in its messages.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Finds the network.
    ///
    /// # Errors
    /// virsh's text, and below it the reason.
    pub(crate) async fn find(&self, connection: &Connect) -> Result<Network, Failure> {
        options::check_text("network", Some(&self.text))?;
        find(connection, &self.text).await
    }

    /// Finds the network of that name.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    pub(crate) async fn find_by_name(&self, connection: &Connect) -> Result<Network, Failure> {
        options::check_text("network", Some(&self.text))?;
        find_by_name(connection, &self.text).await
    }

    /// Finds the network of that UUID.
    ///
    /// # Errors
    /// As [`find`](Self::find). Of anything that has not the length of a UUID, virsh gives no reason.
    pub(crate) async fn find_by_uuid(&self, connection: &Connect) -> Result<Network, Failure> {
        options::check_text("network", Some(&self.text))?;
        let failed = || not_found(&self.text);
        if self.text.len() != UUID_LENGTH {
            return Err(Failure::new(failed()));
        }
        let Ok(uuid) = self.text.parse() else {
            let reason = "uuidstr in virNetworkLookupByUUIDString must be a valid UUID";
            return Err(Failure::because(failed(), Failure::new(reason)));
        };
        let found = connection.network_lookup_by_uuid(uuid).await;
        found.map_err(|error| Failure::because(failed(), error))
    }
}

/// Finds the network that `text` means. virsh takes 36 characters for a UUID first.
pub(crate) async fn find(connection: &Connect, text: &str) -> Result<Network, Failure> {
    let uuid = text
        .parse::<Uuid>()
        .ok()
        .filter(|_| text.len() == UUID_LENGTH);
    if let Some(uuid) = uuid
        && let Ok(network) = connection.network_lookup_by_uuid(uuid).await
    {
        return Ok(network);
    }
    find_by_name(connection, text).await
}

async fn find_by_name(connection: &Connect, name: &str) -> Result<Network, Failure> {
    let found = connection.network_lookup_by_name(name).await;
    found.map_err(|error| Failure::because(not_found(name), error))
}

/// The characters of a UUID with its hyphens.
const UUID_LENGTH: usize = 36;

fn not_found(text: &str) -> String {
    format!("failed to get network '{text}'")
}
