//! A host's own interfaces: those of its kernel, and of the service console that ESX had up to 4.1.

use vi_types::SoapFault;
use vi_types::objects::{
    DistributedVirtualSwitchPortConnection, HostIpConfig, HostNetworkInfo, HostVirtualNic,
    HostVirtualNicSpec,
};

use super::Edit;
use super::address::{self, Asking};
use super::switch::MTU;
use crate::distributed;
use crate::fault;
use crate::machine::device;
use crate::world::inventory::parts::text;

/// The interface's TCP/IP stack if it asks for no other.
pub(crate) const DEFAULT_STACK: &str = "defaultTcpipStack";

/// Whose interface it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The kernel's.
    Kernel,
    /// The service console's.
    Console,
}

impl Kind {
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::Kernel => "vmk",
            Self::Console => "vswif",
        }
    }

    pub(super) fn list(self, info: &HostNetworkInfo) -> &Vec<HostVirtualNic> {
        match self {
            Self::Kernel => &info.vnic,
            Self::Console => &info.console_vnic,
        }
    }

    fn list_mut(self, info: &mut HostNetworkInfo) -> &mut Vec<HostVirtualNic> {
        match self {
            Self::Kernel => &mut info.vnic,
            Self::Console => &mut info.console_vnic,
        }
    }
}

/// Where an interface is.
struct Place {
    /// Empty on a distributed or opaque switch.
    group: String,
    port: Option<DistributedVirtualSwitchPortConnection>,
}

impl Edit<'_> {
    /// Makes an interface, which gets the first free name of its kind if it has none. Returns the name.
    ///
    /// # Errors
    /// - `AlreadyExists` if the port group has an interface.
    /// - `InvalidArgument` for addresses, masks and sizes of packets that there cannot be.
    /// - `InvalidState` for addresses of IPv6 on a host without it.
    /// - `PlatformConfigFault` without such a port group, distributed port, opaque network or TCP/IP stack.
    /// - `NotSupported` for the service console of a host without one.
    pub(crate) fn add_interface(
        &mut self,
        kind: Kind,
        device: Option<&str>,
        group: &str,
        spec: &HostVirtualNicSpec,
    ) -> Result<String, SoapFault> {
        self.check_kind(kind)?;
        let place = self.place(group, spec, None)?;
        let taken = |name: &str| kind.list(&self.info).iter().any(|nic| nic.device == name);
        let device = match device {
            Some(device) if taken(device) => return Err(fault::already_exists(device)),
            Some(device) => device.to_owned(),
            None => {
                let mut names = (0..).map(|number| format!("{}{number}", kind.prefix()));
                names.find(|name| !taken(name)).unwrap_or_default()
            }
        };
        let mac = match spec.mac.as_deref().filter(|mac| !mac.is_empty()) {
            Some(mac) if device::is_mac(mac) => mac.to_owned(),
            Some(_) => return Err(fault::invalid_argument("nic.mac")),
            None => self.new_mac(),
        };
        let stack = match spec.net_stack_instance_key.as_deref() {
            _ if !self.since("5.5") => None,
            None => text(DEFAULT_STACK),
            Some(key) => Some(self.stack(key)?),
        };
        let asking = Asking {
            mac: &mac,
            before: None,
            v6: self.info.ip_v6_enabled,
            whole: true,
        };
        let nothing = HostIpConfig::default();
        let ip = address::granted(spec.ip.as_deref().unwrap_or(&nothing), &asking)?;
        let has_switches = self.since("4.0");
        let made = HostVirtualNic {
            key: format!("key-vim.host.VirtualNic-{device}"),
            port: Some(port_key(&device)).filter(|_| !place.group.is_empty()),
            portgroup: place.group.clone(),
            spec: HostVirtualNicSpec {
                ip: Some(ip.into()),
                mac: Some(mac),
                portgroup: Some(place.group).filter(|group| has_switches && !group.is_empty()),
                distributed_virtual_port: place.port.map(Box::new),
                mtu: has_switches.then_some(mtu(spec)?.unwrap_or(1500)),
                tso_enabled: has_switches.then_some(spec.tso_enabled.unwrap_or(true)),
                net_stack_instance_key: stack,
                ..spec.clone()
            },
            device: device.clone(),
            ..HostVirtualNic::default()
        };
        kind.list_mut(&mut self.info).push(made);
        Ok(device)
    }

    /// Changes an interface. Members that are unset stay as they are; `whole` says that addresses of IPv6 are all that it is
    /// to have, not those that come and go.
    ///
    /// # Errors
    /// - `NotFound` without such an interface.
    /// - `PlatformConfigFault` for another TCP/IP stack, and for a port group with another interface.
    /// - Those of [`add_interface`](Self::add_interface).
    pub(crate) fn update_interface(
        &mut self,
        kind: Kind,
        device: &str,
        group: Option<&str>,
        spec: &HostVirtualNicSpec,
        whole: bool,
    ) -> Result<(), SoapFault> {
        let index = self.interface(kind, device)?;
        let mut nic = kind.list(&self.info)[index].clone();
        let group = group.or(spec.portgroup.as_deref());
        let moves = group.is_some_and(|group| !group.is_empty() && group != nic.portgroup)
            || is_elsewhere(&nic.spec, spec);
        if moves {
            let place = self.place(group.unwrap_or_default(), spec, Some(device))?;
            nic.port = Some(port_key(device)).filter(|_| !place.group.is_empty());
            nic.spec.distributed_virtual_port = place.port.map(Box::new);
            nic.spec.opaque_network.clone_from(&spec.opaque_network);
            let named = Some(place.group.clone()).filter(|group| !group.is_empty());
            nic.spec.portgroup = named.filter(|_| self.since("4.0"));
            nic.portgroup = place.group;
        }
        if let Some(mac) = &spec.mac {
            if !device::is_mac(mac) {
                return Err(fault::invalid_argument("nic.mac"));
            }
            nic.spec.mac = Some(mac.clone());
        }
        if let Some(asked) = spec.ip.as_deref() {
            let asking = Asking {
                mac: nic.spec.mac.as_deref().unwrap_or_default(),
                before: nic.spec.ip.as_deref(),
                v6: self.info.ip_v6_enabled,
                whole,
            };
            nic.spec.ip = Some(address::granted(asked, &asking)?.into());
        }
        if let Some(mtu) = mtu(spec)?.filter(|_| self.since("4.0")) {
            nic.spec.mtu = Some(mtu);
        }
        nic.spec.tso_enabled = spec.tso_enabled.or(nic.spec.tso_enabled);
        if spec.ip_route_spec.is_some() {
            nic.spec.ip_route_spec.clone_from(&spec.ip_route_spec);
        }
        if let Some(key) = &spec.net_stack_instance_key
            && nic
                .spec
                .net_stack_instance_key
                .as_ref()
                .is_some_and(|own| own != key)
        {
            return Err(fault::platform_config(&format!(
                "The TCP/IP stack of the interface {device} cannot change"
            )));
        }
        kind.list_mut(&mut self.info)[index] = nic;
        Ok(())
    }

    /// Removes an interface.
    ///
    /// # Errors
    /// `NotFound` without such an interface.
    pub(crate) fn remove_interface(&mut self, kind: Kind, device: &str) -> Result<(), SoapFault> {
        let index = self.interface(kind, device)?;
        kind.list_mut(&mut self.info).remove(index);
        let is_it = |name: &mut String| name == device;
        if let Some(dns) = self.info.dns_config.as_mut() {
            dns.virtual_nic_device.take_if(is_it);
        }
        if let Some(routes) = self.info.ip_route_config.as_mut() {
            routes.gateway_device.take_if(is_it);
            routes.ip_v6_gateway_device.take_if(is_it);
        }
        Ok(())
    }

    /// Restarts an interface of the service console: nothing changes.
    ///
    /// # Errors
    /// `NotFound` without such an interface.
    pub(crate) fn restart_interface(&self, device: &str) -> Result<(), SoapFault> {
        self.interface(Kind::Console, device).map(|_| ())
    }

    /// The index of an interface.
    fn interface(&self, kind: Kind, device: &str) -> Result<usize, SoapFault> {
        self.check_kind(kind)?;
        let mut list = kind.list(&self.info).iter();
        let found = list.position(|nic| nic.device == device);
        found.ok_or_else(fault::not_found)
    }

    fn check_kind(&self, kind: Kind) -> Result<(), SoapFault> {
        match kind == Kind::Console && self.since("5.0") {
            true => Err(fault::not_supported()),
            false => Ok(()),
        }
    }

    /// Where a new interface goes, or `own` goes.
    fn place(
        &self,
        group: &str,
        spec: &HostVirtualNicSpec,
        own: Option<&str>,
    ) -> Result<Place, SoapFault> {
        if let Some(asked) = spec.distributed_virtual_port.as_deref() {
            let port = self.distributed_port(asked)?;
            let group = String::new();
            return Ok(Place {
                group,
                port: Some(port),
            });
        }
        if let Some(asked) = spec.opaque_network.as_deref() {
            let id = &asked.opaque_network_id;
            let mut networks = self.info.opaque_network.iter();
            return match networks.any(|network| network.opaque_network_id == *id) {
                true => Ok(Place {
                    group: String::new(),
                    port: None,
                }),
                false => Err(fault::platform_config(&format!(
                    "The host has no opaque network {id}"
                ))),
            };
        }
        if self.group(group).is_err() {
            return Err(fault::platform_config(&format!(
                "The host has no port group '{group}'"
            )));
        }
        let mut others = self.info.vnic.iter().chain(&self.info.console_vnic);
        let is_taken = others.any(|nic| nic.portgroup == group && Some(&*nic.device) != own);
        match (is_taken, own) {
            (false, _) => Ok(Place {
                group: group.to_owned(),
                port: None,
            }),
            (true, None) => Err(fault::already_exists(group)),
            // `UpdateVirtualNic` does not declare `AlreadyExists`.
            (true, Some(_)) => Err(fault::platform_config(&format!(
                "The port group '{group}' has another interface"
            ))),
        }
    }

    /// The port of a distributed switch that an interface gets.
    fn distributed_port(
        &self,
        asked: &DistributedVirtualSwitchPortConnection,
    ) -> Result<DistributedVirtualSwitchPortConnection, SoapFault> {
        let interfaces = self
            .info
            .vnic
            .iter()
            .flat_map(|nic| &nic.spec.distributed_virtual_port);
        let taken: Vec<_> = interfaces
            .filter_map(|port| port.port_key.clone())
            .collect();
        let port = distributed::connect(self.world, self.host, asked, self.host, &taken);
        port.ok_or_else(|| {
            let group = asked.portgroup_key.as_deref().unwrap_or_default();
            fault::platform_config(&format!(
                "The host cannot connect to the port group '{group}' of the distributed switch {}",
                asked.switch_uuid
            ))
        })
    }

    fn stack(&self, key: &str) -> Result<String, SoapFault> {
        let mut stacks = self.info.net_stack_instance.iter();
        match stacks.any(|stack| stack.key.as_deref() == Some(key)) {
            true => Ok(key.to_owned()),
            false => Err(fault::platform_config(&format!(
                "The host has no TCP/IP stack '{key}'"
            ))),
        }
    }

    /// A MAC address that no interface of the host has: VMware's prefix, and a number of the host's first physical NIC.
    fn new_mac(&self) -> String {
        let nic = self.info.pnic.first();
        let number = nic
            .and_then(|nic| nic.mac.split(':').nth(4))
            .unwrap_or("00");
        let mut addresses = (0..=u8::MAX).map(|last| format!("00:50:56:61:{number}:{last:02x}"));
        let is_free = |mac: &String| {
            let mut all = self.info.vnic.iter().chain(&self.info.console_vnic);
            !all.any(|nic| nic.spec.mac.as_ref() == Some(mac))
        };
        addresses.find(is_free).unwrap_or_default()
    }
}

/// Whether a specification names another distributed port or opaque network than the interface has.
fn is_elsewhere(now: &HostVirtualNicSpec, asked: &HostVirtualNicSpec) -> bool {
    let port = asked.distributed_virtual_port.as_deref();
    let is_there = port.is_none_or(|asked| {
        now.distributed_virtual_port.as_deref().is_some_and(|now| {
            distributed::is_same_uuid(&now.switch_uuid, &asked.switch_uuid)
                && (asked.portgroup_key.is_none() || now.portgroup_key == asked.portgroup_key)
                && (asked.port_key.is_none() || now.port_key == asked.port_key)
        })
    });
    let network = asked.opaque_network.as_deref();
    !is_there || network.is_some_and(|asked| now.opaque_network.as_deref() != Some(asked))
}

/// The size of packets that an interface asks for.
fn mtu(spec: &HostVirtualNicSpec) -> Result<Option<i32>, SoapFault> {
    match spec.mtu {
        Some(mtu) if !MTU.contains(&mtu) => Err(fault::invalid_argument("nic.mtu")),
        mtu => Ok(mtu),
    }
}

/// The key of an interface's port in its port group.
pub(crate) fn port_key(device: &str) -> String {
    format!("key-vim.host.PortGroup.Port-{device}")
}
