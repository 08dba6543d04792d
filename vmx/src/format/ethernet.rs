use virt_model::domain::{Interface, InterfaceSource, LinkState, MacType, VdsSource};
use virt_model::{DomainDef, MacAddress, Uuid};

use super::Writer;
use crate::{LibvirtVersion, OPAQUE_NETWORK, VmxError};

impl Writer<'_> {
    /// Writes network cards, numbered by their order in the definition.
    pub(super) fn interfaces(&mut self, def: &DomainDef) -> Result<(), VmxError> {
        // VMware allows ten since Workstation 6, virtual hardware 6; libvirt does so from 7 on.
        let ten = if self.lenient() { 6 } else { 7 };
        let last = match self.options.hardware_version >= ten {
            true => 9,
            false => 3,
        };
        for (index, interface) in def.devices.interfaces.iter().enumerate() {
            if index > last {
                return Err(VmxError::internal(format!(
                    "Ethernet controller index {index} out of [0..{last}] range"
                ))
                .with_key(format!("ethernet{index}")));
            }
            let device = format!("ethernet{index}");
            self.line(&format!("{device}.present"), "true");
            self.interface_model(&device, interface)?;
            self.connection(&device, interface)?;
            if self.lenient() && interface.link_state == Some(LinkState::Down) {
                self.line(&format!("{device}.startConnected"), "false");
            }
            self.mac(&device, interface);
        }
        Ok(())
    }

    fn interface_model(&mut self, device: &str, interface: &Interface) -> Result<(), VmxError> {
        let Some(found) = &interface.model else {
            return Ok(());
        };
        let key = format!("{device}.virtualDev");
        match Interface::known_model(found).unwrap_or(found) {
            "unknown" => {}
            model @ ("vlance" | "vmxnet" | "vmxnet3" | "e1000" | "e1000e") => {
                self.line(&key, model)
            }
            // vmxnet2 is a vmxnet with features 15.
            "vmxnet2" => {
                self.line(&key, "vmxnet");
                self.line(&format!("{device}.features"), 15);
            }
            found => {
                return Err(VmxError::internal(format!(
                    "Expecting domain XML entry 'devices/interface/model' to be 'vlance' or \
                     'vmxnet' or 'vmxnet2' or 'vmxnet3' or 'e1000' or 'e1000e' but found '{found}'"
                ))
                .with_key(key)
                .with_value(found));
            }
        }
        Ok(())
    }

    fn connection(&mut self, device: &str, interface: &Interface) -> Result<(), VmxError> {
        let key = |name: &str| format!("{device}.{name}");
        match &interface.source {
            InterfaceSource::Bridge { bridge } => {
                self.text(&key("networkName"), bridge);
                match &interface.target_dev {
                    None => self.line(&key("connectionType"), "bridged"),
                    Some(vnet) => {
                        self.line(&key("connectionType"), "custom");
                        self.text(&key("vnet"), vnet);
                    }
                }
            }
            InterfaceSource::User => self.line(&key("connectionType"), "nat"),
            // VMware connects a card without a type of connection to its bridged network.
            InterfaceSource::Null if self.lenient() => {
                self.line(&key("connectionType"), "custom");
                self.line(&key("vnet"), "");
            }
            InterfaceSource::Null => {}
            InterfaceSource::Vds(source) => self.distributed_switch(device, source),
            // Documents name an opaque network by its id.
            InterfaceSource::Network {
                network,
                portgroup: None,
            } if self.lenient() && network.parse::<Uuid>().is_ok() => {
                self.text(&key("opaqueNetwork.id"), network);
                self.text(&key("opaqueNetwork.type"), OPAQUE_NETWORK);
            }
            other => {
                return Err(VmxError::unsupported(format!(
                    "Unsupported net type '{}'",
                    other.kind()
                ))
                .with_key(key("connectionType"))
                .with_help("use type 'bridge', 'user', 'null' or 'vds'"));
            }
        }
        Ok(())
    }

    fn distributed_switch(&mut self, device: &str, source: &VdsSource) {
        let key = |name: &str| format!("{device}.dvs.{name}");
        let all = !self.since(LibvirtVersion::V11_3);
        self.line(&key("switchId"), source.switch_id.to_vmx());
        if all || source.port_id != 0 {
            self.line(&key("portId"), source.port_id);
        }
        match &source.portgroup_id {
            // libvirt escapes the value as in XML (virBufferEscapeString).
            Some(id) if !self.lenient() => self.line(&key("portgroupId"), xml_escaped(id)),
            Some(id) => self.text(&key("portgroupId"), id),
            None => {}
        }
        if all || source.connection_id != 0 {
            self.line(&key("connectionId"), source.connection_id);
        }
    }

    fn mac(&mut self, device: &str, interface: &Interface) {
        let key = |name: &str| format!("{device}.{name}");
        let Some(mac) = interface.mac else {
            self.line(&key("addressType"), "generated");
            return;
        };
        let MacLines { kind, vpx, check } = mac_lines(mac, interface);
        match kind {
            MacType::Static => {
                self.line(&key("addressType"), "static");
                self.line(&key("address"), mac);
            }
            _ => {
                let word = if vpx { "vpx" } else { "generated" };
                self.line(&key("addressType"), word);
                self.line(&key("generatedAddress"), mac);
                if !vpx {
                    self.line(&key("generatedAddressOffset"), 0);
                }
            }
        }
        if let Some(check) = check {
            self.line(&key("checkMACAddress"), check);
        }
    }
}

/// Writes the keys that describe a MAC address.
#[derive(Debug, PartialEq, Eq)]
struct MacLines {
    kind: MacType,
    /// Whether vCenter generated the address.
    vpx: bool,
    /// Whether VMware checks that the address is one of its own.
    check: Option<bool>,
}

fn mac_lines(mac: MacAddress, interface: &Interface) -> MacLines {
    let [a, b, c, d, ..] = *mac.as_bytes();
    let (kind, vpx, check) = match ([a, b, c], d) {
        ([0x00, 0x0c, 0x29], _) => (MacType::Generated, false, None),
        ([0x00, 0x50, 0x56], 0x00..=0x3f) => (MacType::Static, false, None),
        ([0x00, 0x50, 0x56], 0x80..=0xbf) => (MacType::Generated, true, None),
        // VMware would refuse an address of another vendor.
        _ => (MacType::Static, false, Some(false)),
    };
    let check = match interface.mac_type {
        Some(MacType::Generated) => None,
        _ => check,
    };
    MacLines {
        kind: interface.mac_type.unwrap_or(kind),
        vpx,
        check: interface.mac_check.or(check),
    }
}

/// Escapes a text as libvirt escapes attributes of XML.
fn xml_escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c => out.push(c),
        }
    }
    out
}
