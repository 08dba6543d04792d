//! Making networks from libvirt's documents.

use std::collections::HashSet;

use tracing::warn;
use vi_types::objects::{
    HostNetworkPolicy, HostPortGroupSpec, HostVirtualSwitchBondBridge, HostVirtualSwitchSpec,
    PhysicalNic,
};
use virt_model::{
    ErrorNumber, NetworkDef,
    flags::{NetworkCreateFlags, NetworkDefineFlags, refuse_unknown},
    network::{ForwardDevice, ForwardMode, PortGroup},
};

use super::{Network, changes::refused, definition::HostNetwork, port_group, switches::Switch};
use crate::{
    Connect, Error, ErrorKind, Operation, Result, What, document,
    engine::Runner,
    near::Near,
    undo::{Undo, take_back},
};

/// The ports of a switch that libvirt makes (esxNetworkDefineXMLFlags, 9.0.0). Hosts since 5.5 ignore the number.
const PORTS: i32 = 128;

/// A switch and its port groups, as the host is told to make them.
struct Plan {
    switch: HostVirtualSwitchSpec,
    groups: Vec<HostPortGroupSpec>,
}

impl Connect {
    /// Makes the network of libvirt's XML document: a standard virtual switch with the document's port groups. It is
    /// active at once, as all networks of hosts.
    ///
    /// | document | host |
    /// |---|---|
    /// | `<forward mode='bridge'>` with `<interface dev=…>` | the switch's network cards; without `<forward>` it has none |
    /// | `<portgroup>` | port group |
    /// | `<vlan>` of a port group, or of the network for port groups without one | its VLAN; 4095 is all of them |
    /// | `<bandwidth>` of the network or of a port group | traffic shaping, which is the same in both directions |
    /// | `<mtu>` | the size of packets |
    ///
    /// The rest of the document is about what hosts do not have (addresses, DHCP, DNS, bridges, …) and is ignored with a warning.
    ///
    /// If a step fails, those before it are taken back; the error says what is left if that fails, too. Requests: one to
    /// read, one for the switch, one for all port groups, and one to read the switch's key.
    ///
    /// # Errors
    /// [`ErrorKind::Definition`] if the document cannot be read; [`ErrorKind::Exists`] if the host has a switch of that
    /// name, or a port group of the name of one of the document's; [`ErrorKind::NotFound`] for a network card that the
    /// host does not have; [`ErrorKind::Unsupported`] for what hosts cannot do; [`ErrorKind::UnsupportedFlags`]; what any
    /// [`Operation`] may fail with.
    #[doc(alias("virNetworkDefineXML", "virNetworkDefineXMLFlags"))]
    pub fn network_define_xml(
        &self,
        xml: &str,
        flags: NetworkDefineFlags,
    ) -> Operation<'static, Network> {
        let validate = NetworkDefineFlags::VALIDATE;
        let def = refuse_unknown(flags, validate, "esxNetworkDefineXMLFlags")
            .map_err(Error::from)
            .and_then(|()| document::read(xml, flags.contains(validate)));
        self.make_network("Could not define network", def)
    }

    /// Makes the network of libvirt's XML document and starts it. Hosts keep all their networks, so it is the same as
    /// [`network_define_xml`](Connect::network_define_xml).
    ///
    /// # Errors
    /// As [`network_define_xml`](Connect::network_define_xml).
    #[doc(alias("virNetworkCreateXML", "virNetworkCreateXMLFlags"))]
    pub fn network_create_xml(
        &self,
        xml: &str,
        flags: NetworkCreateFlags,
    ) -> Operation<'static, Network> {
        let validate = NetworkCreateFlags::VALIDATE;
        let def = refuse_unknown(flags, validate, "esxNetworkCreateXMLFlags")
            .map_err(Error::from)
            .and_then(|()| document::read(xml, flags.contains(validate)));
        self.make_network("Could not create network", def)
    }

    fn make_network(
        &self,
        could_not: &'static str,
        def: Result<NetworkDef>,
    ) -> Operation<'static, Network> {
        let connect = self.clone();
        Operation::new(could_not, move |mut runner| {
            Box::pin(async move {
                let def = def?;
                let found = runner.prepare(connect.host_network()).await?;
                let plan = Plan::of(&def, &found.host)?;
                let mut done = Vec::new();
                let made = connect
                    .make_switch(&mut runner, &def, plan, &mut done)
                    .await;
                match made {
                    Ok(network) => Ok(network),
                    Err(error) => Err(take_back(error, done).await),
                }
            })
        })
    }

    /// Makes the switch and its port groups. `done` is what to take back.
    async fn make_switch(
        &self,
        runner: &mut Runner<'_>,
        def: &NetworkDef,
        plan: Plan,
        done: &mut Vec<Undo>,
    ) -> Result<Network> {
        let name = &def.name;
        let change = self.add_switch(name, plan.switch).await?;
        let made = runner.perform(change).await;
        made.map_err(|error| refused(error, &format!("network '{name}'")))?;
        // Its port groups go with it.
        done.push((
            format!("the switch '{name}' was made"),
            Some(self.remove_switch(name).await?),
        ));
        if !plan.groups.is_empty() {
            let change = self.add_groups(plan.groups).await?;
            let made = runner.perform(change).await;
            made.map_err(|error| refused(error, &names_of(&def.port_groups)))?;
        }
        let made = match runner.prepare(self.made()).await {
            Ok(made) => made,
            // It is there as it was asked for; only its key is not known.
            Err(error) => {
                done.clear();
                return Err(error.note(&format!("the network '{name}' was made")));
            }
        };
        let mut groups = def.port_groups.iter();
        if let Some(missing) = groups.find(|group| made.group(&group.name).is_none()) {
            return Err(not_made(&format!("port group '{}'", missing.name)));
        }
        let Some(switch) = made.switch(name) else {
            done.clear();
            return Err(not_made(&format!("network '{name}'")));
        };
        Ok(Switch::Standard(switch).network(self))
    }
}

/// `port groups 'a' and 'b'`.
fn names_of(groups: &[PortGroup]) -> String {
    let names: Vec<_> = groups
        .iter()
        .map(|group| format!("'{}'", group.name))
        .collect();
    match &names[..] {
        [name] => format!("port group {name}"),
        names => format!("port groups {}", names.join(", ")),
    }
}

/// The error for a server that says it made something, and has not.
fn not_made(what: &str) -> Error {
    Error::new(
        ErrorKind::UnexpectedValue,
        ErrorNumber::InternalError,
        format!("the server says that it made {what}, but does not show it"),
    )
}

impl Plan {
    /// The checks, their order and their texts are those of esxNetworkDefineXMLFlags of libvirt 9.0.0.
    fn of(def: &NetworkDef, host: &HostNetwork) -> Result<Plan> {
        let name = &def.name;
        if host.standard.iter().any(|switch| switch.name == *name) {
            return Err(Error::new(
                ErrorKind::Exists(What::Network),
                ErrorNumber::InternalError,
                "HostVirtualSwitch already exists, editing existing ones is not supported yet",
            )
            .advise("net-update changes port groups and network cards of a network"));
        }
        if def.uuid.is_some() {
            return Err(unsupported("Cannot use predefined UUID".to_owned())
                .advise("hosts choose UUIDs themselves: leave <uuid> out"));
        }
        let mode = def.forward_mode();
        if !matches!(mode, ForwardMode::None | ForwardMode::Bridge) {
            return Err(unsupported(format!("Unsupported forward mode '{mode}'")));
        }
        let mut names = HashSet::new();
        for group in &def.port_groups {
            let mut known = host.port_groups.iter();
            if known.any(|known| known.spec.name == group.name) || !names.insert(&group.name) {
                return Err(group_exists(&group.name));
            }
        }
        let devices = match &def.forward {
            Some(forward) => nic_keys(name, &forward.devices, &host.nics)?,
            None => Vec::new(),
        };
        let bridge = (!devices.is_empty()).then(|| {
            HostVirtualSwitchBondBridge {
                nic_device: devices,
                ..HostVirtualSwitchBondBridge::default()
            }
            .into()
        });
        let policy = port_group::shaping(def.bandwidth.as_ref())?.map(|shaping| {
            HostNetworkPolicy {
                shaping_policy: Some(shaping.into()),
                ..HostNetworkPolicy::default()
            }
            .into()
        });
        let mtu = def.mtu.map(|mtu| i32::try_from(mtu).unwrap_or(i32::MAX));
        if def.vlan.is_some() && def.port_groups.is_empty() {
            return Err(
                unsupported(format!("network '{name}' has a VLAN but no port group"))
                    .advise("VLANs are those of port groups: add a <portgroup>"),
            );
        }
        let groups = def.port_groups.iter().map(|group| {
            let vlan = group.vlan.clone().or_else(|| def.vlan.clone());
            let group = PortGroup {
                vlan,
                ..group.clone()
            };
            port_group::to_host(&group, name, None)
        });
        let groups = groups.collect::<Result<_>>()?;
        warn_of_the_rest(def);
        Ok(Plan {
            switch: HostVirtualSwitchSpec {
                num_ports: PORTS,
                bridge,
                policy,
                mtu,
                ..HostVirtualSwitchSpec::default()
            },
            groups,
        })
    }
}

/// The keys of the network cards that the document names.
fn nic_keys(network: &str, devices: &[ForwardDevice], nics: &[PhysicalNic]) -> Result<Vec<String>> {
    let keys = devices.iter().map(|device| match device {
        ForwardDevice::Netdev(name) => {
            let nic = nic_named(name, nics)?;
            Ok(nic.key.clone().unwrap_or_else(|| name.clone()))
        }
        _ => Err(Error::new(
            ErrorKind::Unsupported,
            ErrorNumber::NoSupport,
            format!("unsupported device type in network {network} interface pool"),
        )),
    });
    keys.collect()
}

/// The physical network card of that name.
pub(super) fn nic_named<'a>(name: &str, nics: &'a [PhysicalNic]) -> Result<&'a PhysicalNic> {
    let mut near = Near::new(name);
    for nic in nics {
        if nic.device == name {
            return Ok(nic);
        }
        near.consider(&nic.device);
    }
    Err(near.advise(Error::new(
        ErrorKind::NotFound(What::Device),
        ErrorNumber::InternalError,
        format!("Could not find PhysicalNic with name '{name}'"),
    )))
}

/// The error for a port group whose name the host has. Names are unique on all of a host's switches.
pub(super) fn group_exists(name: &str) -> Error {
    Error::new(
        ErrorKind::Exists(What::PortGroup),
        ErrorNumber::NetworkExist,
        format!("HostPortGroup with name '{name}' exists already"),
    )
}

/// Tells in the log what hosts do not have.
fn warn_of_the_rest(def: &NetworkDef) {
    let bridge = &def.bridge;
    // Whether a document asks for the spanning tree protocol cannot be seen: it does if it says nothing.
    let has_bridge = bridge.name.is_some()
        || bridge.zone.is_some()
        || bridge.delay != 0
        || bridge.mac_table_manager.is_some();
    for (element, is_there) in [
        (
            "<bridge> with name, zone, delay or macTableManager",
            has_bridge,
        ),
        ("<ip>", !def.ips.is_empty()),
        ("<domain>", def.domain.is_some()),
        ("<mac>", def.mac.is_some()),
        ("<metadata>", !def.metadata.is_empty()),
        ("<virtualport>", def.virtual_port.is_some()),
        ("<port isolated=...>", def.port_isolated.is_some()),
    ] {
        if is_there {
            warn!("{element} is ignored: a switch has none");
        }
    }
}

fn unsupported(message: String) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        ErrorNumber::ConfigUnsupported,
        message,
    )
}
