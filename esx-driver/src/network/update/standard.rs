//! Changing parts of a standard switch.

use vi_types::objects::{
    HostPortGroup, HostVirtualSwitch, HostVirtualSwitchBondBridge, HostVirtualSwitchSimpleBridge,
};
use virt_model::{ErrorNumber, flags::NetworkUpdateCommand as Command, network::PortGroup};

use super::{
    super::{
        Network,
        define::{group_exists, nic_named},
        definition::Found,
        lifecycle::foreign_port,
        port_group,
    },
    Entry,
};
use crate::{Error, ErrorKind, Result, engine::Change};

impl Network {
    pub(super) async fn change_group(
        &self,
        command: Command,
        group: &PortGroup,
        switch: &HostVirtualSwitch,
        found: &Found,
    ) -> Result<Change<()>> {
        let connect = &self.connect;
        let name = &group.name;
        let mut groups = found.host.port_groups.iter();
        let known = groups.find(|known| known.spec.name == *name);
        let is_own = |known: &&HostPortGroup| known.spec.vswitch_name == switch.name;
        match (command, known.filter(is_own)) {
            (Command::AddFirst | Command::AddLast, Some(_)) => {
                Err(self.exists(&Entry::group(name)))
            }
            (Command::AddFirst | Command::AddLast, None) => match known {
                Some(_) => Err(group_exists(name)),
                None => {
                    let spec = port_group::to_host(group, &switch.name, None)?;
                    connect.add_groups(vec![spec]).await
                }
            },
            (Command::Modify | Command::Delete, None) => Err(self.lacks(&Entry::group(name))),
            (Command::Modify, Some(known)) => {
                let spec = port_group::to_host(group, &switch.name, Some(&known.spec))?;
                connect.update_group(spec).await
            }
            (Command::Delete, Some(known)) => {
                if let Some(kind) = foreign_port(known) {
                    let network = &self.name;
                    return Err(Error::new(
                        ErrorKind::WrongState,
                        ErrorNumber::OperationInvalid,
                        format!("port group '{name}' of network '{network}' has a '{kind}' port"),
                    )
                    .advise("an interface of the host is in it"));
                }
                connect.remove_group(name).await
            }
            (other, _) => Err(self.unsupported(&format!("updated by '{other}'"))),
        }
    }

    pub(super) async fn change_nic(
        &self,
        command: Command,
        device: &str,
        switch: &HostVirtualSwitch,
        found: &Found,
    ) -> Result<Change<()>> {
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
                    return Err(self.lacks(&Entry::nic(device)));
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
                    return Err(self.exists(&Entry::nic(device)));
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
        self.connect.update_switch(&switch.name, spec, keys).await
    }
}
