use std::borrow::Cow;
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
                .with_help("ethernetN.NAME, with a number N");
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
        let mac = self.mac(&format!("{device}.{address_key}"))?;
        // libvirt chooses one for a card without an address.
        interface.mac = Some(mac).filter(|mac| !self.lenient() || *mac != MacAddress::default());
        interface.mac_check = self
            .string(&format!("{device}.checkMACAddress"))
            .map(|value| value == "true");
        Ok(())
    }

    /// Reads a MAC address. It is zero if the file has none.
    fn mac(&mut self, key: &str) -> Result<MacAddress, VmxError> {
        let Some(value) = self.string(key) else {
            return Ok(MacAddress::default());
        };
        if let Some(mac) = mac_address(&value) {
            return Ok(mac);
        }
        let message = format!("Expecting VMX entry '{key}' to be MAC address but found '{value}'");
        let error = self
            .error(key, message)
            .with_help("six hexadecimal numbers: 00:0c:29:1a:2b:3c");
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
        let key = format!("{device}.connectionType");
        let network_key = format!("{device}.networkName");
        let vnet_key = format!("{device}.vnet");
        let kind = self.string(&key);
        // VMware takes `bridged` if the file does not say, or has an empty value.
        let named = self.file.find(&network_key).is_some();
        let kind = match kind.filter(|kind| !kind.is_empty() || !self.lenient()) {
            None if self.lenient() && !named => self.unsaid_connection(device),
            kind => kind,
        };
        let lower = kind.as_ref().map(|kind| kind.to_ascii_lowercase());

        let network = match lower.as_deref() {
            None => self.text(&network_key),
            Some("bridged") => self.essential(&network_key, "VMware's network 'vmnet0' is used")?,
            Some("custom") if self.lenient() => self.text(&network_key),
            Some("custom") => self.essential(&network_key, "")?,
            Some(_) => None,
        };
        let mut vnet = None;
        if lower.as_deref() == Some("custom") {
            vnet = self.essential(&vnet_key, "the network's name is used")?;
        }
        if let Some(source) = self.distributed_switch(device)? {
            interface.source = InterfaceSource::Vds(source);
            return Ok(());
        }
        if let Some(id) = self.opaque_network(device) {
            interface.source = InterfaceSource::Network {
                network: id,
                portgroup: None,
            };
            return Ok(());
        }
        let bridge = |name: String| InterfaceSource::Bridge { bridge: name };
        interface.source = match (lower.as_deref(), network) {
            (None, None) => InterfaceSource::Null,
            (None | Some("bridged"), Some(network)) => bridge(network),
            (Some("bridged"), None) => bridge("vmnet0".to_owned()),
            (Some("nat"), _) => InterfaceSource::User,
            (Some("custom"), network) => {
                let (network, vnet) = (
                    network.filter(|name| self.is_name(name)),
                    vnet.filter(|name| self.is_name(name)),
                );
                interface.target_dev = vnet.clone();
                match network.or(vnet) {
                    Some(name) => bridge(name),
                    None => InterfaceSource::Null,
                }
            }
            (Some("hostonly"), _) => {
                let found = kind.unwrap_or_default();
                let text = format!("No yet handled value '{found}' for VMX entry '{key}'");
                let error = self.error(&key, text).with_help(CONNECTIONS);
                self.tolerate(
                    error,
                    "VMware's network 'vmnet1' is used, without its isolation",
                )?;
                bridge("vmnet1".to_owned())
            }
            (Some(_), _) => {
                let found = kind.unwrap_or_default();
                let text = format!("Invalid value '{found}' for VMX entry '{key}'");
                let error = self.error(&key, text).with_help(CONNECTIONS);
                self.tolerate(error, "the card is not connected")?;
                InterfaceSource::Null
            }
        };
        Ok(())
    }

    /// The id of an opaque network, which libvirt does not know. Documents name the network by it.
    fn opaque_network(&mut self, device: &str) -> Option<String> {
        let key = |name: &str| format!("{device}.opaqueNetwork.{name}");
        if !self.lenient() {
            return None;
        }
        let id = self.text(&key("id"))?;
        let kind = self.text(&key("type"));
        let is_known = kind.is_none_or(|kind| kind == OPAQUE_NETWORK);
        (is_known && id.parse::<Uuid>().is_ok()).then_some(id)
    }

    /// The connection of a card whose file has neither a type of connection nor a network.
    fn unsaid_connection(&mut self, device: &str) -> Option<Cow<'static, str>> {
        let is_said = |key: &str| self.file.find(&format!("{device}.{key}")).is_some();
        if is_said("dvs.switchId") {
            return None;
        }
        if self.opaque_network(device).is_some() {
            return None;
        }
        if is_said("opaqueNetwork.id") {
            let key = format!("{device}.opaqueNetwork.id");
            let id = self.text(&key).unwrap_or_default();
            let kind = self.text(&format!("{device}.opaqueNetwork.type"));
            let kind = kind.unwrap_or_else(|| "a network manager".to_owned());
            let message = format!(
                "libvirt has no opaque networks, such as '{id}' of {kind}; the card is not connected"
            );
            self.warn(&key, message);
            return None;
        }
        if is_said("vnet") {
            return Some("custom".into());
        }
        Some("bridged".into())
    }

    fn distributed_switch(&mut self, device: &str) -> Result<Option<VdsSource>, VmxError> {
        let key = |name: &str| format!("{device}.dvs.{name}");
        if self.file.find(&key("switchId")).is_none() {
            return Ok(None);
        }
        let switch_id = self.uuid(&key("switchId"))?.unwrap_or(Uuid::NIL);
        let optional = self.lenient() || self.since(LibvirtVersion::V11_3);
        let mut source = VdsSource {
            switch_id,
            ..VdsSource::default()
        };
        if optional {
            source.portgroup_id = self.text(&key("portgroupId"));
            source.port_id = self.long(&key("portId"), 0)?;
            source.connection_id = self.long(&key("connectionId"), 0)?;
        } else {
            source.portgroup_id = self.essential(&key("portgroupId"), "")?;
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

const CONNECTIONS: &str = "bridged, nat or custom";
