use std::collections::BTreeSet;

use virt_model::domain::{Interface, InterfaceSource, LinkState, MacType, VdsSource};
use virt_model::{DomainDef, MacAddress, Uuid};

use super::reader::Reader;
use crate::{LibvirtVersion, OPAQUE_NETWORK, VmxError};

impl Reader<'_> {
    /// The numbers of the network cards. libvirt collects them before it reads anything.
    pub(super) fn interface_indices(&mut self) -> Result<BTreeSet<u32>, VmxError> {
        const PREFIX: &str = "ethernet";
        let mut misnamed: Vec<_> = self
            .file
            .starting_with(PREFIX)
            .filter(|entry| {
                let index = entry.key()[PREFIX.len()..].split_once('.');
                let index = index.map(|(index, _)| index).unwrap_or_default();
                let digits = index.bytes().all(|byte| byte.is_ascii_digit());
                !digits || index.parse::<i32>().is_err()
            })
            .collect();
        misnamed.sort_by_key(|entry| entry.position().bytes.start);
        for entry in misnamed {
            let key = entry.key();
            let message = format!("failed to parse the index of the VMX key '{key}'");
            let error = VmxError::internal(message)
                .with_key(key)
                .with_value(entry.value())
                .with_position(Some(entry.position()))
                .with_help("write ethernetN.NAME, with a number N");
            self.tolerate(error, "it is left out")?;
        }
        Ok(self.indices(PREFIX))
    }

    /// Reads network cards.
    pub(super) fn interfaces(
        &mut self,
        def: &mut DomainDef,
        indices: &BTreeSet<u32>,
    ) -> Result<(), VmxError> {
        for index in indices {
            let interface = self.interface(*index)?;
            def.devices.interfaces.extend(interface);
        }
        Ok(())
    }

    fn interface(&mut self, index: u32) -> Result<Option<Interface>, VmxError> {
        let device = format!("ethernet{index}");
        let present = self.boolean(&format!("{device}.present"), false)?;
        let connected = self.starts_connected(&device)?;
        if !present {
            return Ok(None);
        }
        self.carried(&device);
        let mut interface = Interface::default();
        // libvirt reads the keys in this order, which decides its first error.
        self.address(&device, &mut interface)?;
        interface.model = self.interface_model(&device)?;
        self.connection(&device, &mut interface)?;
        if self.lenient() && !connected {
            interface.link_state = Some(LinkState::Down);
        }
        Ok(Some(interface))
    }

    fn address(&mut self, device: &str, interface: &mut Interface) -> Result<(), VmxError> {
        let key = format!("{device}.addressType");
        let kind = self.string(&key);
        let lower = kind.as_ref().map(|kind| kind.to_ascii_lowercase());
        let address_key = match lower.as_deref() {
            None => "generatedAddress",
            Some("generated" | "vpx") => {
                interface.mac_type = Some(MacType::Generated);
                "generatedAddress"
            }
            Some("static") => {
                interface.mac_type = Some(MacType::Static);
                "address"
            }
            Some(_) => {
                let found = kind.unwrap_or_default();
                let error = self.expecting(&key, "'generated' or 'static' or 'vpx'", &found);
                self.tolerate(error, "it is left out")?;
                "generatedAddress"
            }
        };
        let mut mac = self.mac(&format!("{device}.{address_key}"))?;
        if self.lenient() && mac == MacAddress::default() {
            mac = self.other_address(device, address_key)?.unwrap_or(mac);
        }
        // libvirt chooses one for a card without an address.
        interface.mac = Some(mac).filter(|mac| !self.lenient() || *mac != MacAddress::default());
        interface.mac_check = self
            .string(&format!("{device}.checkMACAddress"))
            .map(|value| value == "true");
        Ok(())
    }

    /// The address of a card whose file has it under the key that the type of address does not name.
    fn other_address(
        &mut self,
        device: &str,
        missing: &str,
    ) -> Result<Option<MacAddress>, VmxError> {
        let other = match missing {
            "address" => "generatedAddress",
            _ => "address",
        };
        let key = format!("{device}.{other}");
        let value = self.file.get(&key).unwrap_or_default();
        let is_one = mac_address(&value).is_some_and(|mac| mac != MacAddress::default());
        if !is_one {
            return Ok(None);
        }
        let mac = self.mac(&key)?;
        if mac == MacAddress::default() {
            return Ok(None);
        }
        self.warn(
            &key,
            format!("the card has no address in '{device}.{missing}'; this one is used"),
        );
        Ok(Some(mac))
    }

    /// Reads a MAC address. It is zero if the file has none.
    fn mac(&mut self, key: &str) -> Result<MacAddress, VmxError> {
        let Some(value) = self.string(key) else {
            return Ok(MacAddress::default());
        };
        if let Some(mac) = mac_address(&value) {
            let is_group = mac.as_bytes()[0] & 1 == 1;
            if self.lenient() && is_group {
                let message =
                    "it is the address of a group, which libvirt gives no card; it is left out";
                self.warn(key, message);
                return Ok(MacAddress::default());
            }
            return Ok(mac);
        }
        let message = format!("Expecting VMX entry '{key}' to be MAC address but found '{value}'");
        let error = self
            .error(key, message)
            .with_help("write six hexadecimal numbers: 00:0c:29:1a:2b:3c");
        self.tolerate(error, "it is left out")?;
        Ok(MacAddress::default())
    }

    fn interface_model(&mut self, device: &str) -> Result<Option<String>, VmxError> {
        let key = format!("{device}.virtualDev");
        let features = self.long(&format!("{device}.features"), 0)?;
        let Some(value) = self.string(&key) else {
            return Ok(None);
        };
        let model = value.to_ascii_lowercase();
        match model.as_str() {
            "vlance" | "vmxnet3" | "e1000" | "e1000e" => Ok(Some(model)),
            "vmxnet" => {
                let model = if features == 15 { "vmxnet2" } else { "vmxnet" };
                Ok(Some(model.to_owned()))
            }
            "vmxnet2" if self.lenient() => Ok(Some(model)),
            "" if self.lenient() => Ok(None),
            _ => {
                let accepted = "'vlance' or 'vmxnet' or 'vmxnet3' or 'e1000' or 'e1000e'";
                let error = self.expecting(&key, accepted, &value);
                self.tolerate(error, "the card has no model")?;
                Ok(None)
            }
        }
    }

    fn connection(&mut self, device: &str, interface: &mut Interface) -> Result<(), VmxError> {
        if self.lenient() {
            return self.lenient_connection(device, interface);
        }
        let key = format!("{device}.connectionType");
        let network_key = format!("{device}.networkName");
        let kind = self.string(&key);
        let lower = kind.as_ref().map(|kind| kind.to_ascii_lowercase());
        let network = match lower.as_deref() {
            None => self.text(&network_key),
            Some("bridged" | "custom") => self.essential(&network_key, "")?,
            Some(_) => None,
        };
        let vnet = match lower.as_deref() {
            Some("custom") => self.essential(&format!("{device}.vnet"), "")?,
            _ => None,
        };
        if let Some(source) = self.distributed_switch(device)? {
            interface.source = InterfaceSource::Vds(source);
            return Ok(());
        }
        interface.source = match (lower.as_deref(), network) {
            (None | Some("bridged" | "custom"), Some(network)) => {
                interface.target_dev = vnet;
                InterfaceSource::Bridge { bridge: network }
            }
            (None, None) => InterfaceSource::Null,
            (Some("nat"), _) => InterfaceSource::User,
            _ => return Err(self.unknown_connection(&key, &kind.unwrap_or_default())),
        };
        Ok(())
    }

    fn unknown_connection(&self, key: &str, found: &str) -> VmxError {
        let text = match found.eq_ignore_ascii_case("hostonly") {
            true => format!("No yet handled value '{found}' for VMX entry '{key}'"),
            false => format!("Invalid value '{found}' for VMX entry '{key}'"),
        };
        self.error(key, text).with_help(CONNECTIONS)
    }

    /// Reads the connection of a card as VMware does: an empty value is none, and a card without any connection is bridged.
    fn lenient_connection(
        &mut self,
        device: &str,
        interface: &mut Interface,
    ) -> Result<(), VmxError> {
        let key = |name: &str| format!("{device}.{name}");
        let filled = |name: &str| self.text(&key(name)).filter(|value| !value.is_empty());
        let (kind, network) = (filled("connectionType"), filled("networkName"));
        let lower = kind.as_ref().map(|kind| kind.trim().to_ascii_lowercase());
        let vnet = match lower.as_deref() {
            Some("custom") => filled("vnet"),
            None if network.is_none() => filled("vnet"),
            _ => None,
        };
        if let Some(source) = self.distributed_switch(device)? {
            interface.source = InterfaceSource::Vds(source);
            return Ok(());
        }
        match self.opaque_network(device) {
            Opaque::None => {}
            Opaque::Network(network) => {
                interface.source = InterfaceSource::Network {
                    network,
                    portgroup: None,
                };
                return Ok(());
            }
            Opaque::Unknown(key, why) if kind.is_none() && network.is_none() && vnet.is_none() => {
                self.warn(&key, format!("{why}; the card is not connected"));
                interface.source = InterfaceSource::Null;
                return Ok(());
            }
            Opaque::Unknown(key, why) => self.warn(&key, format!("{why}; it is left out")),
        }
        let bridge = |bridge: String| InterfaceSource::Bridge { bridge };
        interface.source = match (lower.as_deref(), network, vnet) {
            (Some("nat"), ..) => InterfaceSource::User,
            (Some("custom") | None, network, Some(vnet)) => {
                interface.target_dev = Some(vnet.clone());
                bridge(network.unwrap_or(vnet))
            }
            (Some("custom"), Some(network), None) => {
                self.lacks(&key("vnet"), "the network's name is used")?;
                bridge(network)
            }
            (Some("custom"), None, None) => {
                self.lacks(&key("vnet"), "the card is not connected")?;
                InterfaceSource::Null
            }
            (None | Some("bridged"), Some(network), _) => bridge(network),
            (None | Some("bridged"), None, _) => {
                self.lacks(&key("networkName"), "VMware's network 'vmnet0' is used")?;
                bridge("vmnet0".to_owned())
            }
            (Some(other), ..) => {
                let key = key("connectionType");
                let error = self.unknown_connection(&key, &kind.unwrap_or_default());
                let is_isolated = other == "hostonly";
                let instead = match is_isolated {
                    true => "VMware's network 'vmnet1' is used, without its isolation",
                    false => "the card is not connected",
                };
                self.tolerate(error, instead)?;
                match is_isolated {
                    true => bridge("vmnet1".to_owned()),
                    false => InterfaceSource::Null,
                }
            }
        };
        Ok(())
    }

    /// The opaque network of a card, which libvirt does not know. Documents name the network by its id.
    fn opaque_network(&mut self, device: &str) -> Opaque {
        let key = |name: &str| format!("{device}.opaqueNetwork.{name}");
        let (id, kind) = (self.text(&key("id")), self.text(&key("type")));
        if id.is_none() && kind.is_none() {
            return Opaque::None;
        }
        let id = id.unwrap_or_default();
        let is_known = kind.as_ref().is_none_or(|kind| kind == OPAQUE_NETWORK);
        if is_known && id.parse::<Uuid>().is_ok() {
            return Opaque::Network(id);
        }
        let kind = kind.unwrap_or_else(|| "a network manager".to_owned());
        let why = match id.is_empty() {
            true => format!("the opaque network of {kind} has no id"),
            false => format!("libvirt has no opaque networks, such as '{id}' of {kind}"),
        };
        Opaque::Unknown(key("id"), why)
    }

    fn distributed_switch(&mut self, device: &str) -> Result<Option<VdsSource>, VmxError> {
        let key = |name: &str| format!("{device}.dvs.{name}");
        if self.file.find(&key("switchId")).is_none() {
            return Ok(None);
        }
        let switch_id = self.uuid(&key("switchId"))?.unwrap_or(Uuid::NIL);
        let optional = self.since(LibvirtVersion::V11_3);
        let mut source = VdsSource {
            switch_id,
            ..VdsSource::default()
        };
        if optional {
            source.portgroup_id = self.text(&key("portgroupId"));
            source.port_id = self.long(&key("portId"), 0)?;
            source.connection_id = self.long(&key("connectionId"), 0)?;
        } else {
            // This libvirt defines no card without one.
            let id = self.essential(&key("portgroupId"), "it is empty")?;
            source.portgroup_id = Some(id.unwrap_or_default());
            source.port_id = self.essential_long(&key("portId"), 0)?;
            source.connection_id = self.essential_long(&key("connectionId"), 0)?;
        }
        Ok(Some(source))
    }
}

/// Reads a MAC address as libvirt's `virMacAddrParse` does: one or two digits for each byte; text after
/// a blank or a non-ASCII byte is ignored.
fn mac_address(text: &str) -> Option<MacAddress> {
    let end = text
        .find(|c: char| c <= ' ' || !c.is_ascii())
        .unwrap_or(text.len());
    let parts = text[..end].split(':');
    let short = parts.clone().all(|part| part.len() <= 2);
    text[..end].parse().ok().filter(|_| short)
}

/// What a file says of an opaque network.
enum Opaque {
    None,
    /// The id of a network that documents can name.
    Network(String),
    /// The key of a network that they cannot, and why.
    Unknown(String, String),
}

const CONNECTIONS: &str = "write bridged, nat or custom";
