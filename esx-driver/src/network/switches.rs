//! The switches that a host has.

use vi_client::{
    property_set,
    retrieve::{PropertySet as _, Retrieve},
};
use vi_types::objects::{
    HostOpaqueNetworkInfo, HostOpaqueSwitch, HostProxySwitch, HostVirtualSwitch,
};
use virt_model::Uuid;

use super::{Kind, Network};
use crate::{Connect, Error, Result, connect::no_host, derived_uuid::derived_uuid};

property_set! {
    pub(super) struct Switches: HostSystem {
        pub(super) standard: Vec<HostVirtualSwitch> = config.network.vswitch,
        pub(super) distributed: Vec<HostProxySwitch> = config.network.proxy_switch,
        pub(super) opaque: Vec<HostOpaqueSwitch> = config.network.opaque_switch,
        pub(super) opaque_networks: Vec<HostOpaqueNetworkInfo> = config.network.opaque_network,
    }
}

/// One of them.
#[derive(Debug, Clone, Copy)]
pub(super) enum Switch<'a> {
    Standard(&'a HostVirtualSwitch),
    Distributed(&'a HostProxySwitch),
    Opaque(&'a HostOpaqueSwitch),
    /// An opaque network of a host without an opaque switch that carries it.
    Network(&'a HostOpaqueNetworkInfo),
}

impl Switch<'_> {
    pub(super) fn name(&self) -> &str {
        match self {
            Switch::Standard(switch) => &switch.name,
            Switch::Distributed(switch) => &switch.dvs_name,
            Switch::Opaque(switch) => switch.name.as_deref().unwrap_or(&switch.key),
            Switch::Network(network) => &network.opaque_network_name,
        }
    }

    pub(super) fn uuid(&self) -> Uuid {
        let (key, of_key): (&str, fn(&str) -> Uuid) = match self {
            Switch::Standard(switch) => (&switch.key, derived_uuid),
            Switch::Distributed(switch) => (&switch.dvs_uuid, own_uuid),
            Switch::Opaque(switch) => (&switch.key, own_uuid),
            Switch::Network(network) => (&network.opaque_network_id, own_uuid),
        };
        match key {
            // govmomi's vcsim gives switches no keys. All of them would be one network.
            "" => derived_uuid(self.name()),
            key => of_key(key),
        }
    }

    pub(super) fn network(&self, connect: &Connect) -> Network {
        Network {
            connect: connect.clone(),
            name: self.name().to_owned(),
            uuid: self.uuid(),
            kind: match self {
                Switch::Standard(_) => Kind::Standard,
                Switch::Distributed(_) => Kind::Distributed,
                Switch::Opaque(_) | Switch::Network(_) => Kind::Opaque,
            },
        }
    }
}

/// All switches of a host: those that libvirt knows come first.
pub(super) fn all<'a>(
    standard: &'a [HostVirtualSwitch],
    distributed: &'a [HostProxySwitch],
    opaque: &'a [HostOpaqueSwitch],
    opaque_networks: &'a [HostOpaqueNetworkInfo],
) -> impl Iterator<Item = Switch<'a>> {
    // Distributed switches that carry the networks of a manager list them, as opaque switches do.
    let carried = !opaque.is_empty() || distributed.iter().any(carries_opaque);
    let alone = match carried {
        true => &[],
        false => opaque_networks,
    };
    let standard = standard.iter().map(Switch::Standard);
    standard
        .chain(distributed.iter().map(Switch::Distributed))
        .chain(opaque.iter().map(Switch::Opaque))
        .chain(alone.iter().map(Switch::Network))
}

/// Whether a distributed switch carries networks of NSX.
pub(super) fn carries_opaque(switch: &HostProxySwitch) -> bool {
    switch.nsxt_enabled == Some(true)
}

impl Switches {
    pub(super) fn networks(&self, connect: &Connect) -> Vec<Network> {
        let Switches {
            standard,
            distributed,
            opaque,
            opaque_networks,
        } = self;
        let switches = all(standard, distributed, opaque, opaque_networks);
        switches.map(|switch| switch.network(connect)).collect()
    }
}

impl Connect {
    /// The networks of the host: one request.
    pub(super) async fn networks(&self) -> Result<Vec<Network>> {
        let request = Retrieve::from(self.host_system().await?)
            .properties(Switches::TYPE, self.known_paths(Switches::paths()));
        let found = self.client().retrieve(&request).await?.pop();
        let mut found = found.ok_or_else(no_host)?;
        // A list that the user may not read is not taken for an empty one.
        if let Some(problem) = found.problems().next() {
            return Err(Error::missing_property(problem));
        }
        let switches = Switches::from_properties(&mut found).map_err(Error::missing_property)?;
        Ok(switches.networks(self))
    }

    /// Those of the paths that the server's version of the API has.
    pub(super) fn known_paths(&self, paths: &'static [String]) -> Vec<String> {
        let version = self.client().api_version();
        let known = |path: &&String| match path.as_str() {
            "config.network.proxySwitch" => version.at_least(4, 0),
            "config.uplink" => version.at_least(6, 5),
            "config.network.opaqueSwitch" | "config.network.opaqueNetwork" => {
                version.at_least(5, 5)
            }
            _ => true,
        };
        paths.iter().filter(known).cloned().collect()
    }
}

/// The UUID that a text says, in whatever groups its digits are; else the text's MD5 sum. vCenters write the UUIDs of
/// distributed switches as `50 2e 0c 8a 3d 05 2b 9c-41 …`.
pub(crate) fn own_uuid(text: &str) -> Uuid {
    text.parse().unwrap_or_else(|_| derived_uuid(text))
}
