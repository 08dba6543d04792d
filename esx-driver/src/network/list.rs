//! All networks of a host, and one by its name or UUID.

use vi_client::property_set;
use vi_types::objects::HostVirtualSwitch;
use virt_model::{
    Uuid,
    flags::{NetworkFilter, refuse_unknown},
};

use super::{Network, no_network, no_network_with_uuid};
use crate::{Connect, Result, connect::no_host, near::Near};

property_set! {
    struct Switches: HostSystem {
        switches: Vec<HostVirtualSwitch> = config.network.vswitch,
    }
}

impl Connect {
    /// The host's networks that `filter` admits, in the host's order.
    ///
    /// Every network is active, persistent and starts with its host. A filter that wants none of these is answered
    /// without a request; any other takes one request.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFlags`](crate::ErrorKind::UnsupportedFlags) for bits that libvirt does not have;
    /// [`ErrorKind::Property`](crate::ErrorKind::Property) if the user may not read the host's switches.
    #[doc(alias = "virConnectListAllNetworks")]
    pub async fn list_all_networks(&self, filter: NetworkFilter) -> Result<Vec<Network>> {
        refuse_unknown(
            filter,
            NetworkFilter::FILTERS_ALL,
            "esxConnectListAllNetworks",
        )?;
        let admits = filter.admits(NetworkFilter::ACTIVE, true, NetworkFilter::INACTIVE)
            && filter.admits(NetworkFilter::PERSISTENT, true, NetworkFilter::TRANSIENT)
            && filter.admits(NetworkFilter::AUTOSTART, true, NetworkFilter::NO_AUTOSTART);
        match admits {
            true => self.networks().await,
            false => Ok(Vec::new()),
        }
    }

    /// The number of active networks, which are all: one request.
    ///
    /// # Errors
    /// As [`list_all_networks`](Connect::list_all_networks).
    #[doc(alias = "virConnectNumOfNetworks")]
    pub async fn num_of_networks(&self) -> Result<usize> {
        Ok(self.networks().await?.len())
    }

    /// The names of the active networks, which are all: one request.
    ///
    /// # Errors
    /// As [`list_all_networks`](Connect::list_all_networks).
    #[doc(alias = "virConnectListNetworks")]
    pub async fn list_networks(&self) -> Result<Vec<String>> {
        let networks = self.networks().await?;
        Ok(networks.into_iter().map(|network| network.name).collect())
    }

    /// The number of inactive networks: always 0, without a request.
    #[doc(alias = "virConnectNumOfDefinedNetworks")]
    pub fn num_of_defined_networks(&self) -> usize {
        0
    }

    /// The names of the inactive networks: always none, without a request.
    #[doc(alias = "virConnectListDefinedNetworks")]
    pub fn list_defined_networks(&self) -> Vec<String> {
        Vec::new()
    }

    /// The network of that name: one request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none; as
    /// [`list_all_networks`](Connect::list_all_networks).
    #[doc(alias = "virNetworkLookupByName")]
    pub async fn network_lookup_by_name(&self, name: &str) -> Result<Network> {
        let mut near = Near::new(name);
        for network in self.networks().await? {
            if network.name == name {
                return Ok(network);
            }
            near.consider(&network.name);
        }
        let missing = no_network(format!(
            "Could not find HostVirtualSwitch with name '{name}'"
        ));
        Err(near.advise(missing))
    }

    /// The network with that UUID: one request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none; as
    /// [`list_all_networks`](Connect::list_all_networks).
    #[doc(alias = "virNetworkLookupByUUID")]
    pub async fn network_lookup_by_uuid(&self, uuid: Uuid) -> Result<Network> {
        let mut networks = self.networks().await?.into_iter();
        let found = networks.find(|network| network.uuid == uuid);
        found.ok_or_else(|| no_network_with_uuid(uuid))
    }

    async fn networks(&self) -> Result<Vec<Network>> {
        let found: Option<Switches> = self.read_complete(self.host_system()).await?;
        let found = found.ok_or_else(no_host)?;
        let networks = found.switches.into_iter();
        Ok(networks
            .map(|switch| Network::new(self, switch.name, &switch.key))
            .collect())
    }
}
