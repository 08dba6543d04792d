//! Network cards.

use vi_types::Poly;
use vi_types::objects::{
    DistributedVirtualSwitchPortConnection, VirtualDevice, VirtualDeviceBackingInfo,
    VirtualDeviceConnectInfo, VirtualDeviceDeviceBackingInfo, VirtualE1000, VirtualE1000e,
    VirtualEthernetCard, VirtualEthernetCardDistributedVirtualPortBackingInfo,
    VirtualEthernetCardNetworkBackingInfo, VirtualEthernetCardOpaqueNetworkBackingInfo,
    VirtualPcNet32, VirtualVmxnet, VirtualVmxnet2, VirtualVmxnet3,
};
use virt_model::ErrorNumber;
use virt_model::domain::{Interface, InterfaceSource, LinkState};

use super::{Applied, Keys, Name};
use crate::{Error, ErrorKind, Result};

/// A network card of a definition.
pub(super) struct WantedCard<'a> {
    pub(super) keys: &'a Keys,
    pub(super) card: &'a Interface,
    pub(super) is_on: bool,
}

/// The keys of the only card.
const NAME: Name = Name::Ethernet(0);

impl WantedCard<'_> {
    /// The device for the host, without key and controller.
    pub(super) fn device(&self) -> Result<Poly<VirtualDevice>> {
        let is_up = self.is_up().unwrap_or(true);
        let (mac_address, address_type) = match self.address() {
            Some((mac, kind)) => (Some(mac), Some(kind)),
            None => (None, None),
        };
        let backing = self.backing()?.ok_or_else(|| {
            let message = "a network card of a VMware host needs a network";
            Error::new(
                ErrorKind::Definition,
                ErrorNumber::ConfigUnsupported,
                message,
            )
            .advise(
                "use <interface type='bridge'> with the name of a port group, or <interface type='network'> with a network's \
                 name and portgroup",
            )
        })?;
        let base = VirtualEthernetCard {
            base: VirtualDevice {
                backing: Some(backing),
                connectable: Some(
                    VirtualDeviceConnectInfo {
                        start_connected: is_up,
                        allow_guest_control: true,
                        connected: self.is_on && is_up,
                        ..VirtualDeviceConnectInfo::default()
                    }
                    .into(),
                ),
                ..VirtualDevice::default()
            },
            address_type,
            mac_address,
            ..VirtualEthernetCard::default()
        };
        let vmxnet = |base| VirtualVmxnet {
            base,
            ..Default::default()
        };
        Ok(match self.kind() {
            "VirtualVmxnet3" => VirtualVmxnet3 {
                base: vmxnet(base),
                ..Default::default()
            }
            .into(),
            "VirtualVmxnet2" => VirtualVmxnet2 {
                base: vmxnet(base),
                ..Default::default()
            }
            .into(),
            "VirtualVmxnet" => vmxnet(base).into(),
            "VirtualE1000e" => VirtualE1000e {
                base,
                ..Default::default()
            }
            .into(),
            "VirtualPCNet32" => VirtualPcNet32 {
                base,
                ..Default::default()
            }
            .into(),
            _ => VirtualE1000 {
                base,
                ..Default::default()
            }
            .into(),
        })
    }

    /// The device `old` as it is wanted. What the definition does not say stays.
    pub(super) fn applied(&self, old: &Poly<VirtualDevice>) -> Result<Applied> {
        let has_model = self.card.model.is_some();
        if !old.is::<VirtualEthernetCard>() || has_model && old.type_name() != self.kind() {
            return Ok(Applied::Other);
        }
        let mut device = old.clone();
        let backing = self.backing()?;
        if let Some(backing) = backing
            && !old
                .backing
                .as_ref()
                .is_some_and(|old| is_same(old, &backing))
        {
            device.backing = Some(backing);
        }
        if let Some(is_up) = self.is_up()
            && let Some(connection) = device.connectable.as_deref_mut()
        {
            let now = self.is_on && is_up;
            if (
                connection.start_connected,
                connection.connected && self.is_on,
            ) != (is_up, now)
            {
                connection.start_connected = is_up;
                connection.connected = now;
                connection.status = None;
            }
        }
        if let Some((mac, kind)) = self.address()
            && let Some(card) = device.cast_mut::<VirtualEthernetCard>()
        {
            let known = card.mac_address.as_deref().unwrap_or_default();
            let is_same = known.eq_ignore_ascii_case(&mac);
            let type_is_same = card
                .address_type
                .as_deref()
                .is_some_and(|known| known.eq_ignore_ascii_case(&kind));
            if !is_same {
                card.mac_address = Some(mac);
            }
            if !is_same || self.card.mac_type.is_some() && !type_is_same {
                card.address_type = Some(kind);
            }
        }
        Ok(Applied::unless_same(device, old))
    }

    /// The API's type of the card. VMware's oldest model that all guests know is the default.
    fn kind(&self) -> &'static str {
        let vmxnet2 = self.keys.of_name(NAME, "features").as_deref() == Some("15");
        match self.keys.of_name(NAME, "virtualDev").as_deref() {
            Some("vmxnet3") => "VirtualVmxnet3",
            Some("vmxnet") if vmxnet2 => "VirtualVmxnet2",
            Some("vmxnet") => "VirtualVmxnet",
            Some("e1000e") => "VirtualE1000e",
            Some("vlance") => "VirtualPCNet32",
            _ => "VirtualE1000",
        }
    }

    /// The state of the cable, if the definition tells it.
    fn is_up(&self) -> Option<bool> {
        self.card.link_state.map(|state| state != LinkState::Down)
    }

    /// The MAC address and its type in the API's words; `None` if the host chooses one.
    fn address(&self) -> Option<(String, String)> {
        let kind = match self.keys.of_name(NAME, "addressType").as_deref() {
            Some("static") => "manual",
            Some("vpx") => "assigned",
            _ => "generated",
        };
        let mac = self.card.mac.filter(|mac| *mac != Default::default())?;
        Some((mac.to_string(), kind.to_owned()))
    }

    /// `None` for a card that the definition connects to nothing.
    fn backing(&self) -> Result<Option<Poly<VirtualDeviceBackingInfo>>> {
        Ok(Some(match &self.card.source {
            InterfaceSource::Bridge { bridge } => VirtualEthernetCardNetworkBackingInfo {
                base: VirtualDeviceDeviceBackingInfo {
                    device_name: bridge.clone(),
                    ..VirtualDeviceDeviceBackingInfo::default()
                },
                ..VirtualEthernetCardNetworkBackingInfo::default()
            }
            .into(),
            InterfaceSource::Vds(source) => VirtualEthernetCardDistributedVirtualPortBackingInfo {
                port: DistributedVirtualSwitchPortConnection {
                    switch_uuid: source.switch_id.to_vmx(),
                    portgroup_key: source.portgroup_id.clone(),
                    // The host chooses a port of the group.
                    port_key: (source.port_id != 0).then(|| source.port_id.to_string()),
                    connection_cookie: match source.port_id {
                        0 => None,
                        _ => i32::try_from(source.connection_id).ok(),
                    },
                    ..DistributedVirtualSwitchPortConnection::default()
                },
                ..VirtualEthernetCardDistributedVirtualPortBackingInfo::default()
            }
            .into(),
            // An opaque network by its id.
            InterfaceSource::Network {
                network,
                portgroup: None,
            } => VirtualEthernetCardOpaqueNetworkBackingInfo {
                opaque_network_id: network.clone(),
                opaque_network_type: vmx::OPAQUE_NETWORK.to_owned(),
                ..VirtualEthernetCardOpaqueNetworkBackingInfo::default()
            }
            .into(),
            InterfaceSource::Null => return Ok(None),
            other => {
                let message = format!("Unsupported net type '{}'", other.kind());
                return Err(Error::new(
                    ErrorKind::Definition,
                    ErrorNumber::ConfigUnsupported,
                    message,
                )
                .advise(
                    "VMware's hosts have bridges (port groups) and ports of distributed switches",
                ));
            }
        }))
    }
}

/// Whether two backings are one network.
fn is_same(old: &Poly<VirtualDeviceBackingInfo>, new: &Poly<VirtualDeviceBackingInfo>) -> bool {
    let ports = (
        old.cast::<VirtualEthernetCardDistributedVirtualPortBackingInfo>(),
        new.cast::<VirtualEthernetCardDistributedVirtualPortBackingInfo>(),
    );
    if let (Some(old), Some(new)) = ports {
        let (old, new) = (&old.port, &new.port);
        let uuid = |text: &str| -> String {
            let digits = text.chars().filter(char::is_ascii_hexdigit);
            digits.map(|digit| digit.to_ascii_lowercase()).collect()
        };
        return uuid(&old.switch_uuid) == uuid(&new.switch_uuid)
            && old.portgroup_key == new.portgroup_key
            && (new.port_key.is_none() || old.port_key == new.port_key);
    }
    let opaque = (
        old.cast::<VirtualEthernetCardOpaqueNetworkBackingInfo>(),
        new.cast::<VirtualEthernetCardOpaqueNetworkBackingInfo>(),
    );
    if let (Some(old), Some(new)) = opaque {
        return old
            .opaque_network_id
            .eq_ignore_ascii_case(&new.opaque_network_id);
    }
    super::disk::is_same(old, new)
}
