//! A network's definition, made from the properties of its switch.

use std::collections::HashSet;

use vi_client::{
    property_set,
    retrieve::{PropertySet as _, Retrieve, Selection},
};
use vi_types::objects::{
    HostNetworkInfo, HostNetworkPolicy, HostPortGroup, HostVirtualSwitch, PhysicalNic,
};
use vi_types::properties::Datacenter;
use virt_model::{
    Bandwidth, BandwidthRate, Document as _, ErrorNumber, NetworkDef,
    flags::NetworkXmlFlags,
    network::{Forward, ForwardMode, PortGroup},
};
use vmx::escape::PERCENT;

use super::{Network, no_network_with_uuid};
use crate::{Connect, Error, ErrorKind, Result, connect::no_host, derived_uuid::derived_uuid};

property_set! {
    struct HostNetwork: HostSystem {
        switches: Vec<HostVirtualSwitch> = config.network.vswitch,
        nics: Vec<PhysicalNic> = config.network.pnic,
        port_groups: Vec<HostPortGroup> = config.network.portgroup,
    }
}

property_set! {
    struct Name: Network {
        name: String = name,
    }
}

impl Network {
    /// The network's definition as libvirt's XML document: one request. A switch with physical network cards is a
    /// bridge to them. Port groups are listed if virtual machines can use them.
    ///
    /// As in libvirt's ESX driver no flag changes the document.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the switch does not exist any more; [`ErrorKind::Property`] if the user may not read
    /// the host's network; [`ErrorKind::UnexpectedValue`] if the switch has a network card or port group that the host
    /// does not have.
    #[doc(alias = "virNetworkGetXMLDesc")]
    pub async fn xml_desc(&self, flags: NetworkXmlFlags) -> Result<String> {
        let (host, usable) = self.read().await?;
        let mut switches = host.switches.iter();
        let switch = switches.find(|switch| derived_uuid(&switch.key) == self.uuid);
        let switch = switch.ok_or_else(|| no_network_with_uuid(self.uuid))?;
        Ok(def(switch, &host.nics, &host.port_groups, &usable)?.to_xml(flags))
    }

    /// The host's network, and the names of the port groups that virtual machines of the datacenter can use.
    async fn read(&self) -> Result<(HostNetwork, HashSet<String>)> {
        let connect = &self.connect;
        let host_system = connect.host_system();
        let start = [host_system.clone(), connect.place().datacenter.clone()];
        let request = Retrieve::from_each(start)
            .select(Selection::along(|datacenter: &Datacenter| {
                &datacenter.network
            }))
            .set::<HostNetwork>()
            .set::<Name>();
        let mut host = None;
        let mut usable = HashSet::new();
        for mut found in connect.client().retrieve(&request).await? {
            if found.object == *host_system {
                // A list that the user may not read is not taken for an empty one.
                if let Some(problem) = found.problems().next() {
                    return Err(Error::missing_property(problem));
                }
                let properties = HostNetwork::from_properties(&mut found);
                host = Some(properties.map_err(Error::missing_property)?);
            } else if let Ok(Name { name }) = Name::from_properties(&mut found) {
                // Inventory names have `/`, `\` and `%` escaped; names of port groups have not. libvirt 9.0 compares
                // them without unescaping, and so leaves such port groups out.
                if let Ok(plain) = PERCENT.unescape(&name) {
                    usable.insert(plain.into_owned());
                }
                usable.insert(name);
            }
        }
        Ok((host.ok_or_else(no_host)?, usable))
    }
}

/// The networks of a host, in its order, with their definitions. Those list all port groups, and are `None` if a switch
/// has a network card or port group that the host does not have.
pub(crate) fn networks(
    connect: &Connect,
    host: &HostNetworkInfo,
) -> Vec<(Network, Option<NetworkDef>)> {
    let groups = host.portgroup.iter();
    let all = groups.map(|group| group.spec.name.clone()).collect();
    let networks = host.vswitch.iter().map(|switch| {
        let network = Network::new(connect, switch.name.clone(), &switch.key);
        (network, def(switch, &host.pnic, &host.portgroup, &all).ok())
    });
    networks.collect()
}

/// The definition of a switch of the host. Port groups that are not `usable` are the host's own, such as the one for
/// its management.
fn def(
    switch: &HostVirtualSwitch,
    nics: &[PhysicalNic],
    port_groups: &[HostPortGroup],
    usable: &HashSet<String>,
) -> Result<NetworkDef> {
    let mut def = NetworkDef::new(&switch.name);
    def.uuid = Some(derived_uuid(&switch.key));
    let mut devices = Vec::new();
    for key in &switch.pnic {
        let mut nics = nics.iter();
        let nic = nics.find(|nic| nic.key.as_ref() == Some(key));
        devices.push(
            nic.ok_or_else(|| missing("PhysicalNic", key))?
                .device
                .clone(),
        );
    }
    match devices.is_empty() {
        true => def.bridge.stp = false,
        false => def.forward = Some(Forward::to(ForwardMode::Bridge, devices)),
    }
    def.bandwidth = switch.spec.policy.as_deref().and_then(bandwidth);
    for key in &switch.portgroup {
        let mut port_groups = port_groups.iter();
        let group = port_groups.find(|group| group.key.as_ref() == Some(key));
        let group = group.ok_or_else(|| missing("HostPortGroup", key))?;
        if usable.contains(&group.spec.name) {
            def.port_groups.push(PortGroup {
                bandwidth: bandwidth(&group.spec.policy),
                ..PortGroup::new(&group.spec.name)
            });
        }
    }
    Ok(def)
}

/// The limits of a policy, if its traffic shaping is enabled. They hold for both directions.
fn bandwidth(policy: &HostNetworkPolicy) -> Option<Bandwidth> {
    let shaping = policy.shaping_policy.as_ref();
    let shaping = shaping.filter(|shaping| shaping.enabled == Some(true))?;
    let scaled = |value: Option<i64>, unit: u64| {
        let value = u64::try_from(value.unwrap_or(0)).unwrap_or(0);
        value / unit
    };
    // The server counts in bits per second and bytes.
    let rate = BandwidthRate {
        average: scaled(shaping.average_bandwidth, 8 * 1000),
        peak: scaled(shaping.peak_bandwidth, 8 * 1000),
        burst: scaled(shaping.burst_size, 1024),
        ..BandwidthRate::default()
    };
    Some(Bandwidth {
        inbound: Some(rate.clone()),
        outbound: Some(rate),
        ..Bandwidth::default()
    })
}

fn missing(what: &str, key: &str) -> Error {
    let message = format!("Could not find {what} with key '{key}'");
    Error::new(
        ErrorKind::UnexpectedValue,
        ErrorNumber::InternalError,
        message,
    )
}
