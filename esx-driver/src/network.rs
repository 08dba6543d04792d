//! Networks: the virtual switches of a host.

mod definition;
mod list;

use std::fmt;

use virt_model::{ErrorNumber, Uuid};

pub(crate) use self::definition::networks;
use crate::{Connect, Error, ErrorKind, What, derived_uuid::derived_uuid};

/// A network: libvirt's `virNetwork`, a standard virtual switch of the connection's host.
///
/// A cheap clone that talks to a server through its [`Connect`]. A switch has no UUID; as in libvirt's ESX driver, the
/// UUID is the MD5 sum of the switch's key. Keys are unique on one host only: switches of the same name on two hosts
/// have the same UUID.
///
/// Distributed switches are no networks, as in libvirt.
#[derive(Clone)]
pub struct Network {
    connect: Connect,
    name: String,
    uuid: Uuid,
}

impl Network {
    fn new(connect: &Connect, name: String, key: &str) -> Network {
        Network {
            connect: connect.clone(),
            name,
            uuid: derived_uuid(key),
        }
    }

    /// The switch's name.
    #[doc(alias = "virNetworkGetName")]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The MD5 sum of the switch's key.
    #[doc(alias = "virNetworkGetUUID")]
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// The connection.
    pub fn connect(&self) -> &Connect {
        &self.connect
    }

    /// Whether the network is active: always. As in libvirt's ESX driver there is no request, so the switch may not
    /// exist any more.
    #[doc(alias = "virNetworkIsActive")]
    pub fn is_active(&self) -> bool {
        true
    }

    /// Whether the network is persistent: always, without a request.
    #[doc(alias = "virNetworkIsPersistent")]
    pub fn is_persistent(&self) -> bool {
        true
    }

    /// Whether the network starts with its host: always, without a request.
    #[doc(alias = "virNetworkGetAutostart")]
    pub fn autostart(&self) -> bool {
        true
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("name", &self.name)
            .field("uuid", &self.uuid)
            .finish_non_exhaustive()
    }
}

fn no_network_with_uuid(uuid: Uuid) -> Error {
    no_network(format!(
        "Could not find HostVirtualSwitch with UUID '{uuid}'"
    ))
}

fn no_network(message: String) -> Error {
    let kind = ErrorKind::NotFound(What::Network);
    Error::new(kind, ErrorNumber::NoNetwork, message)
}
