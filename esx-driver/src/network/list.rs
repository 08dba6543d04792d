//! All networks of a host, and one by its name or UUID.

use virt_model::{
    ErrorNumber, Uuid,
    flags::{NetworkFilter, refuse_unknown},
};

use super::{Kind, Network, no_network, one_of_uuid};
use crate::{Connect, Error, ErrorKind, Result, near::Near};

impl Connect {
    /// The host's networks that `filter` admits: standard switches in the host's order, then distributed switches, then
    /// opaque ones.
    ///
    /// Every network is active, persistent and starts with its host. A filter that wants none of these is answered
    /// without a request; any other takes one request.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFlags`] for bits that libvirt does not have;
    /// [`ErrorKind::Property`] if the user may not read the host's switches.
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

    /// The network of that name: one request. A standard switch is found before others of its name, as in libvirt.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is none; [`ErrorKind::Ambiguous`] if several switches that are no standard ones
    /// have the name, which distributed switches of two folders may; as [`list_all_networks`](Connect::list_all_networks).
    #[doc(alias = "virNetworkLookupByName")]
    pub async fn network_lookup_by_name(&self, name: &str) -> Result<Network> {
        let networks = self.networks().await?;
        let mut found = Vec::new();
        for network in networks.iter().filter(|network| network.name == name) {
            match network.kind == Kind::Standard {
                true => return Ok(network.clone()),
                false => found.push(network),
            }
        }
        match &found[..] {
            [network] => Ok(Network::clone(network)),
            [] => {
                let mut near = Near::new(name);
                networks.iter().for_each(|other| near.consider(&other.name));
                Err(near.advise(no_network(format!(
                    "Could not find HostVirtualSwitch with name '{name}'"
                ))))
            }
            several => {
                let uuids: Vec<_> = several.iter().map(|one| one.uuid.to_string()).collect();
                let message = format!("several networks have the name '{name}'");
                Err(
                    Error::new(ErrorKind::Ambiguous, ErrorNumber::OperationFailed, message)
                        .advise(format!("name one by its UUID: {}", uuids.join(", "))),
                )
            }
        }
    }

    /// The network with that UUID: one request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is none; [`ErrorKind::Ambiguous`] if the server gives several switches one key; as
    /// [`list_all_networks`](Connect::list_all_networks).
    #[doc(alias = "virNetworkLookupByUUID")]
    pub async fn network_lookup_by_uuid(&self, uuid: Uuid) -> Result<Network> {
        let mut found = self.networks().await?;
        found.retain(|network| network.uuid == uuid);
        one_of_uuid(uuid, &found, Network::name)
    }
}
