//! The way to files directly at a host of a vCenter, without the vCenter in between.

use tracing::{debug, warn};
use vi_client::{
    Files, property_set,
    retrieve::{Retrieve, Selection},
};
use vi_types::ManagedObjectReference;
use vi_types::enums::HostSystemConnectionState;
use vi_types::objects::{DatastoreHostMount, HostVirtualNic};
use vi_types::properties::HostSystem;
use virt_model::ErrorNumber;

use crate::datastore::no_datastore;
use crate::{Connect, DatastorePath, Error, ErrorKind, Result, Scheme, What};

property_set! {
    struct Mounts: Datastore {
        name: String = name,
        hosts: Vec<DatastoreHostMount> = host,
    }
}

property_set! {
    struct Host: HostSystem {
        connection: HostSystemConnectionState = runtime.connection_state,
        port: i32 = summary.config.port,
        nics: Vec<HostVirtualNic> = config.network.vnic,
    }
}

/// What is to be done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

impl Connect {
    /// The way to the files of a datastore: through the server, or directly to a host if that is wanted, the server is a
    /// vCenter and a host can be used. Directly it costs two requests to find the host.
    pub(super) async fn way_to(
        &self,
        path: &DatastorePath,
        access: Access,
        is_direct: bool,
    ) -> Files {
        if !is_direct || self.uri().scheme() != Scheme::Vpx {
            return self.client().files();
        }
        match self.at_host(path, access).await {
            Ok(files) => files,
            Err(error) => self.through_vcenter(path, &error),
        }
    }

    /// The way through the vCenter, after the direct one has failed.
    pub(super) fn through_vcenter(&self, path: &DatastorePath, error: &Error) -> Files {
        warn!(%error, "no host gives '{path}' directly, so it goes through the vCenter");
        self.client().files()
    }

    /// A host that has the datastore: the host of the connection if it can be used, otherwise any other.
    async fn at_host(&self, path: &DatastorePath, access: Access) -> Result<Files> {
        let own = &self.place().await?.host_system;
        let request = Retrieve::from(own)
            .skip_start()
            .select(Selection::along(|host: &HostSystem| &host.datastore));
        let found = self.client().retrieve_set::<Mounts>(request).await?;
        let mut found = found.into_iter().filter_map(|found| found.properties.ok());
        let datastore = found.find(|found| found.name == path.datastore());
        let datastore = datastore.ok_or_else(|| no_datastore(path.datastore()))?;
        let mut hosts: Vec<_> = datastore
            .hosts
            .iter()
            .filter(|mount| is_usable(mount, access))
            .map(|mount| &mount.key)
            .collect();
        hosts.sort_by_key(|host| *host != own);
        for host in hosts {
            match self.address_of_host(host).await {
                Ok(Some((address, port))) => return Ok(self.files_at(&address, port)),
                Ok(None) => debug!(%host, "not connected, or without an address"),
                Err(error) => debug!(%host, %error, "not usable"),
            }
        }
        let message = format!("No connected host has '{}'", path.datastore());
        let kind = ErrorKind::NotFound(What::Host);
        Err(Error::new(kind, ErrorNumber::OperationFailed, message))
    }

    /// The management address of a host: that of its first network interface, which is `vmk0`.
    async fn address_of_host(
        &self,
        host: &ManagedObjectReference,
    ) -> Result<Option<(String, u16)>> {
        let host: Host = self.client().read(host).await?;
        if host.connection != HostSystemConnectionState::Connected {
            return Ok(None);
        }
        let management = |nic: &&HostVirtualNic| nic.device == "vmk0";
        let nic = host.nics.iter().find(management).or(host.nics.first());
        let address = nic
            .and_then(|nic| nic.spec.ip.as_ref()?.ip_address.clone())
            .filter(|address| !address.is_empty());
        let port = u16::try_from(host.port).unwrap_or_default();
        Ok(address.map(|address| (address, port)))
    }

    fn files_at(&self, address: &str, port: u16) -> Files {
        let opener = self.clone();
        let endpoint = self.endpoint_beside(address, port);
        let base = match port {
            443 if endpoint.scheme == vi_client::transport::Scheme::Https => {
                // The ticket is for exactly this URL.
                let whole = endpoint.to_string();
                whole.strip_suffix(":443").unwrap_or(&whole).to_owned()
            }
            _ => endpoint.to_string(),
        };
        debug!(%base, "directly to the host");
        self.client().files_at_host(base, move |certificate| {
            opener.transport_beside(endpoint.clone(), certificate)
        })
    }
}

fn is_usable(mount: &DatastoreHostMount, access: Access) -> bool {
    let info = &mount.mount_info;
    info.mounted != Some(false)
        && info.accessible != Some(false)
        && (access == Access::Read || info.access_mode != "readOnly")
}
