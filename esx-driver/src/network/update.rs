//! Changing parts of a network.

use vi_types::objects::{
    HostPortGroup, HostVirtualSwitch, HostVirtualSwitchBondBridge, HostVirtualSwitchSimpleBridge,
};
use virt_model::{
    Document as _, ErrorNumber, NetworkDef,
    flags::{
        NetworkUpdateCommand as Command, NetworkUpdateFlags, NetworkUpdateSection as Section,
        refuse_unknown,
    },
    network::PortGroup,
    xml::Element,
};

use super::{
    Network,
    changes::refused,
    define::{group_exists, nic_named},
    definition::Found,
    lifecycle::check_ports,
    port_group,
    switches::Switch,
};
use crate::{
    Error, ErrorKind, Operation, Result, What,
    engine::{Change, Runner},
};

/// What is changed.
enum Part {
    PortGroup(PortGroup),
    /// A physical network card by its name.
    Nic(String),
}

impl Network {
    /// Changes a part of the network: a port group is added, changed or removed (its VLAN and limits are those of the
    /// document then), or a physical network card is added or removed. The change is at once one of the running network and
    /// of its definition, whatever the flags. Port groups have no order of their own, so it does not matter where one is
    /// added, and `parent_index` is ignored, as in libvirt for these sections. Two requests.
    ///
    /// # Errors
    /// [`ErrorKind::Definition`] if the document cannot be read, or is of another section; [`ErrorKind::Exists`] if there is
    /// such a part already; [`ErrorKind::NotFound`] if there is none; [`ErrorKind::WrongState`] if a port group is in use;
    /// [`ErrorKind::Unsupported`] for other sections, and for switches that their host cannot change;
    /// [`ErrorKind::UnsupportedFlags`]; what any [`Operation`] may fail with.
    #[doc(alias = "virNetworkUpdate")]
    pub fn update(
        &self,
        command: Command,
        section: Section,
        _parent_index: i32,
        xml: &str,
        flags: NetworkUpdateFlags,
    ) -> Operation<'static> {
        let known = NetworkUpdateFlags::LIVE | NetworkUpdateFlags::CONFIG;
        let part = refuse_unknown(flags, known, "esxNetworkUpdate")
            .map_err(Error::from)
            .and_then(|()| self.read_part(command, section, xml));
        let network = self.clone();
        Operation::new("Could not update network", move |mut runner| {
            Box::pin(async move {
                let part = part?;
                let found = runner.prepare(network.connect.host_network()).await?;
                let Switch::Standard(switch) = found.switch(network.uuid)? else {
                    return Err(network.unsupported("changed"));
                };
                match part {
                    Part::PortGroup(group) => {
                        let change = network.change_group(command, &group, switch, &found)?;
                        let what = format!("port group '{}'", group.name);
                        perform(&mut runner, change, &what).await
                    }
                    Part::Nic(device) => {
                        let change = network.change_nic(command, &device, switch, &found)?;
                        let what = format!("network '{}' with '{device}'", network.name);
                        perform(&mut runner, change, &what).await
                    }
                }
            })
        })
    }

    /// The texts are those of virNetworkDefUpdateSection of libvirt 9.0.0, observed with the test driver.
    fn read_part(&self, command: Command, section: Section, xml: &str) -> Result<Part> {
        let element = match section {
            Section::Portgroup => "portgroup",
            Section::ForwardInterface => "interface",
            other => {
                let section = match other {
                    Section::ForwardPf => "forward pf".to_owned(),
                    Section::IpDhcpHost | Section::IpDhcpRange => "ip dhcp".to_owned(),
                    other => other.to_string(),
                };
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    ErrorNumber::NoSupport,
                    format!(
                        "can't update '{section}' section of network '{}'",
                        self.name
                    ),
                )
                .advise("a switch has port groups and network cards (forward-interface)"));
            }
        };
        let root: Element = xml.parse().map_err(Error::of_document)?;
        if root.name() != element {
            return Err(broken(format!(
                "unexpected element <{}>, expecting <{element}>, while updating network '{}'",
                root.name(),
                self.name
            )));
        }
        if section == Section::ForwardInterface {
            let dev = root.attribute("dev").unwrap_or_default();
            if dev.is_empty() {
                return Err(broken(
                    "missing dev attribute in <interface> element".to_owned(),
                ));
            }
            if command == Command::Modify {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    ErrorNumber::NoSupport,
                    "forward interface entries cannot be modified, only added or deleted",
                ));
            }
            return Ok(Part::Nic(dev.to_owned()));
        }
        // A port group alone is no document that the model reads.
        let document = format!(
            "<network><name>x</name>{}</network>",
            without_declaration(xml)
        );
        let read = NetworkDef::read_xml(&document).map_err(Error::of_document)?;
        crate::document::check_known(&read.unmodelled, false)?;
        match read.document.port_groups.into_iter().next() {
            Some(group) => Ok(Part::PortGroup(group)),
            None => Err(broken(
                "Missing required name attribute in portgroup".to_owned(),
            )),
        }
    }

    fn change_group(
        &self,
        command: Command,
        group: &PortGroup,
        switch: &HostVirtualSwitch,
        found: &Found,
    ) -> Result<Change<()>> {
        let connect = &self.connect;
        let (name, network) = (&group.name, &self.name);
        let mut groups = found.host.port_groups.iter();
        let known = groups.find(|known| known.spec.name == *name);
        let is_own = |known: &&HostPortGroup| known.spec.vswitch_name == switch.name;
        match (command, known.filter(is_own)) {
            (Command::AddFirst | Command::AddLast, Some(_)) => Err(Error::new(
                ErrorKind::Exists(What::PortGroup),
                ErrorNumber::OperationInvalid,
                format!(
                    "there is an existing portgroup entry in network '{network}' that matches \"<portgroup name='{name}'>\""
                ),
            )),
            (Command::AddFirst | Command::AddLast, None) => match known {
                Some(_) => Err(group_exists(name)),
                None => connect.add_group(port_group::to_host(group, &switch.name, None)?),
            },
            (Command::Modify | Command::Delete, None) => Err(Error::new(
                ErrorKind::NotFound(What::PortGroup),
                ErrorNumber::OperationInvalid,
                format!(
                    "couldn't find a portgroup entry in network '{network}' matching <portgroup name='{name}'>"
                ),
            )),
            (Command::Modify, Some(known)) => {
                let spec = port_group::to_host(group, &switch.name, Some(&known.spec))?;
                connect.update_group(spec)
            }
            (Command::Delete, Some(known)) => {
                check_ports(known)?;
                connect.remove_group(name)
            }
            (other, _) => Err(self.unsupported(&format!("updated by '{other}'"))),
        }
    }

    fn change_nic(
        &self,
        command: Command,
        device: &str,
        switch: &HostVirtualSwitch,
        found: &Found,
    ) -> Result<Change<()>> {
        let network = &self.name;
        let nics = &found.host.nics;
        let mut spec = switch.spec.clone();
        let bridge = spec.bridge.take();
        let mut bond = match bridge.as_ref() {
            None => HostVirtualSwitchBondBridge::default(),
            Some(bridge) => match bridge.cast::<HostVirtualSwitchSimpleBridge>() {
                Some(simple) => HostVirtualSwitchBondBridge {
                    nic_device: vec![simple.nic_device.clone()],
                    ..HostVirtualSwitchBondBridge::default()
                },
                None => bridge
                    .cast::<HostVirtualSwitchBondBridge>()
                    .cloned()
                    .unwrap_or_default(),
            },
        };
        // A card that was removed from the host may still be one of the switch's, by its name in the key.
        let known = nics.iter().find(|nic| nic.device == device);
        let key = known.and_then(|nic| nic.key.clone());
        let is_it = |other: &String| other == device || key.as_ref() == Some(other);
        let is_own = bond.nic_device.iter().any(is_it);
        let mut keys = switch.pnic.clone();
        let policy = spec.policy.as_deref_mut();
        let order = policy
            .and_then(|policy| policy.nic_teaming.as_deref_mut())
            .and_then(|teaming| teaming.nic_order.as_deref_mut());
        match command {
            Command::Delete => {
                if !is_own {
                    return Err(Error::new(
                        ErrorKind::NotFound(What::Device),
                        ErrorNumber::OperationInvalid,
                        format!(
                            "couldn't find an interface entry in network '{network}' matching <interface dev='{device}'>"
                        ),
                    ));
                }
                bond.nic_device.retain(|other| !is_it(other));
                match &key {
                    Some(key) => keys.retain(|other| other != key),
                    None => keys.retain(|other| !other.ends_with(&format!("-{device}"))),
                }
                if let Some(order) = order {
                    order.active_nic.retain(|other| other != device);
                    order.standby_nic.retain(|other| other != device);
                }
            }
            _ => {
                if is_own {
                    return Err(Error::new(
                        ErrorKind::Exists(What::Device),
                        ErrorNumber::OperationInvalid,
                        format!(
                            "there is an existing interface entry in network '{network}' that matches \"<interface dev='{device}'>\""
                        ),
                    ));
                }
                let nic = nic_named(device, nics)?;
                bond.nic_device.push(device.to_owned());
                keys.extend(nic.key.clone());
                if let Some(order) = order {
                    order.active_nic.push(device.to_owned());
                }
            }
        }
        spec.bridge = (!bond.nic_device.is_empty()).then(|| bond.into());
        self.connect.update_switch(&switch.name, spec, keys)
    }
}

async fn perform(runner: &mut Runner<'_>, change: Change<()>, what: &str) -> Result<()> {
    let done = runner.perform(change).await;
    done.map_err(|error| refused(error, what))
}

fn without_declaration(xml: &str) -> &str {
    let xml = xml.trim_start();
    match xml
        .strip_prefix("<?xml")
        .and_then(|rest| rest.split_once("?>"))
    {
        Some((_, rest)) => rest,
        None => xml,
    }
}

fn broken(message: String) -> Error {
    Error::new(ErrorKind::Definition, ErrorNumber::XmlError, message)
}
