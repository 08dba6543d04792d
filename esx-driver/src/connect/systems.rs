//! The managers of the connection's host, each of which changes a part of it.

use vi_types::references::{HostDatastoreSystem, HostNetworkSystem, HostStorageSystem};
use virt_model::ErrorNumber;

use super::Connect;
use crate::{Error, ErrorKind, Result};

impl Connect {
    /// What makes and removes the host's datastores.
    pub(crate) async fn datastore_system(&self) -> Result<HostDatastoreSystem> {
        let system = self.place().await?.host.datastore_system.clone();
        system.map(Into::into).ok_or_else(|| no_system("datastore"))
    }

    /// What changes the host's storage.
    pub(crate) async fn storage_system(&self) -> Result<HostStorageSystem> {
        let system = self.place().await?.host.storage_system.clone();
        system.map(Into::into).ok_or_else(|| no_system("storage"))
    }

    /// What changes the host's switches, port groups and interfaces.
    pub(crate) async fn network_system(&self) -> Result<HostNetworkSystem> {
        let system = self.place().await?.host.network_system.clone();
        system.map(Into::into).ok_or_else(|| no_system("network"))
    }
}

/// The server does not show the manager of a part of the host.
pub(crate) fn no_system(of: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        ErrorNumber::NoSupport,
        format!("the server does not show the host's {of} system"),
    )
    .advise("the user needs the privilege System.Read on the host")
}
