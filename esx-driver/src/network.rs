//! Networks: the switches of a host.

mod attach;
mod changes;
mod define;
mod definition;
mod lifecycle;
mod list;
mod port_group;
mod setting;
mod switches;
mod update;

use std::fmt;

use virt_model::{ErrorNumber, Uuid};

pub(crate) use self::{
    attach::Ports,
    changes::refused,
    definition::{distributed_group, networks},
    switches::own_uuid,
};
use crate::{Connect, Error, ErrorKind, Result, What};

/// A network: libvirt's `virNetwork`, a switch of the connection's host.
///
/// | switch | UUID | what can be changed |
/// |---|---|---|
/// | a standard virtual switch, as in libvirt | the MD5 sum of its key, or of its name if the server gives it no key | all of it |
/// | a distributed switch of a vCenter, as the host has it | the switch's own, the same on all its hosts | its port groups and the host's network cards on it, by the vCenter |
/// | an opaque switch of a network manager, such as NSX | its key, or the key's MD5 sum | nothing |
///
/// A cheap clone that talks to a server through its [`Connect`]. Keys of standard switches are unique on one host only:
/// such switches of the same name on two hosts have the same UUID.
///
/// ```no_run
/// # async fn run(connect: &esx_driver::Connect) -> esx_driver::Result<()> {
/// use esx_driver::virt_model::flags::{
///     NetworkDefineFlags, NetworkUpdateCommand, NetworkUpdateFlags, NetworkUpdateSection,
/// };
///
/// let xml = "<network>
///   <name>lab</name>
///   <forward mode='bridge'><interface dev='vmnic2'/></forward>
///   <portgroup name='Lab'><vlan><tag id='42'/></vlan></portgroup>
/// </network>";
/// let network = connect
///     .network_define_xml(xml, NetworkDefineFlags::NONE)
///     .await?;
/// network
///     .update(
///         NetworkUpdateCommand::AddLast,
///         NetworkUpdateSection::Portgroup,
///         -1,
///         "<portgroup name='Guests'/>",
///         NetworkUpdateFlags::NONE,
///     )
///     .await?;
/// network.undefine().await
/// # }
/// ```
#[derive(Clone)]
pub struct Network {
    connect: Connect,
    name: String,
    uuid: Uuid,
    kind: Kind,
}

/// What a network is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A standard virtual switch.
    Standard,
    /// A distributed switch.
    Distributed,
    /// An opaque switch, or an opaque network that belongs to none.
    Opaque,
}

impl Network {
    /// The switch's name.
    #[doc(alias = "virNetworkGetName")]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The UUID; see [`Network`].
    #[doc(alias("virNetworkGetUUID", "virNetworkGetUUIDString"))]
    pub fn uuid(&self) -> Uuid {
        self.uuid
    }

    /// The connection.
    pub fn connect(&self) -> &Connect {
        &self.connect
    }

    /// The name of the network's bridge, which is the switch. No request.
    #[doc(alias = "virNetworkGetBridgeName")]
    pub fn bridge_name(&self) -> &str {
        &self.name
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

    /// Sets whether the network starts with its host. All do, so `true` changes nothing. No request.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for `false`.
    #[doc(alias = "virNetworkSetAutostart")]
    pub fn set_autostart(&self, autostart: bool) -> Result<()> {
        match autostart {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Unsupported,
                ErrorNumber::InternalError,
                "Cannot deactivate network autostart",
            )),
        }
    }

    /// The addresses that the network has leased to the card with that address, or to all. Switches lease none, so this
    /// fails always, without a request.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`].
    pub fn dhcp_leases(&self, _mac: Option<&str>) -> Result<std::convert::Infallible> {
        Err(Error::new(
            ErrorKind::Unsupported,
            ErrorNumber::NoSupport,
            "this function is not supported by the connection driver: virNetworkGetDHCPLeases",
        )
        .advise(format!(
            "'{}' is a switch, which has no DHCP server; addresses of domains are those that their guests report",
            self.name
        )))
    }

    /// libvirt's text of the other drivers for what a network cannot do.
    fn unsupported(&self, what: &str) -> Error {
        let manager = match self.kind {
            Kind::Standard => "its host",
            Kind::Distributed => "its vCenter",
            Kind::Opaque => "its network manager",
        };
        Error::new(
            ErrorKind::Unsupported,
            ErrorNumber::OperationUnsupported,
            format!("network '{}' cannot be {what} here", self.name),
        )
        .advise(format!("it belongs to {manager}"))
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("name", &self.name)
            .field("uuid", &self.uuid)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// libvirt's text (esxNetworkLookupByUUID, 9.0.0).
fn no_network_with_uuid(uuid: Uuid) -> Error {
    no_network(format!(
        "Could not find HostVirtualSwitch with UUID '{uuid}'"
    ))
}

/// The only one of those with a UUID. Servers that give two switches one key have several.
fn one_of_uuid<T: Clone>(uuid: Uuid, all: &[T], name: impl Fn(&T) -> &str) -> Result<T> {
    match all {
        [one] => Ok(one.clone()),
        [] => Err(no_network_with_uuid(uuid)),
        several => {
            let names: Vec<_> = several
                .iter()
                .map(|one| format!("'{}'", name(one)))
                .collect();
            let message = format!("several networks have the UUID {uuid}");
            Err(
                Error::new(ErrorKind::Ambiguous, ErrorNumber::OperationFailed, message)
                    .advise(format!("name one by its name: {}", names.join(", "))),
            )
        }
    }
}

fn no_network(message: String) -> Error {
    let kind = ErrorKind::NotFound(What::Network);
    Error::new(kind, ErrorNumber::NoNetwork, message)
}
