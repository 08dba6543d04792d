//! The calls that change a host's interfaces, each with how to see whether it was done.

use vi_types::{
    Method,
    objects::{
        DistributedVirtualSwitchPortConnection, HostIpConfig, HostIpConfigIpV6Address,
        HostIpRouteConfig, HostVirtualNic, HostVirtualNicSpec, PhysicalNicLinkInfo,
    },
};

use super::definition::{HostInterfaces, is_same_address};
use crate::{
    Connect, Result,
    connect::no_host,
    engine::{Change, Effect},
    network::own_uuid,
};

/// Whose an interface of the host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// The kernel's.
    Kernel,
    /// That of the service console, which ESX had up to 4.1.
    Console,
}

impl Owner {
    /// How its interfaces' names begin.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Owner::Kernel => "vmk",
            Owner::Console => "vswif",
        }
    }

    /// Whose an interface of that name is.
    pub(super) fn of(name: &str) -> Owner {
        match name.starts_with(Owner::Console.prefix()) {
            true => Owner::Console,
            false => Owner::Kernel,
        }
    }
}

/// Where an interface of the kernel is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Place {
    /// In this port group of a standard switch.
    Group(String),
    /// At a port of this port group of a distributed switch.
    Port(DistributedVirtualSwitchPortConnection),
}

impl Place {
    /// Whether an interface is there.
    pub(super) fn has(&self, nic: &HostVirtualNic) -> bool {
        match self {
            Place::Group(group) => nic.portgroup == *group,
            Place::Port(wanted) => {
                let port = nic.spec.distributed_virtual_port.as_deref();
                port.is_some_and(|port| is_same_group(port, wanted))
            }
        }
    }

    /// What a specification says of it.
    pub(super) fn put(&self, spec: &mut HostVirtualNicSpec) {
        match self {
            Place::Group(group) => spec.portgroup = Some(group.clone()),
            Place::Port(port) => spec.distributed_virtual_port = Some(port.clone().into()),
        }
    }
}

/// Whether two ports are in one port group of a distributed switch.
fn is_same_group(
    one: &DistributedVirtualSwitchPortConnection,
    other: &DistributedVirtualSwitchPortConnection,
) -> bool {
    own_uuid(&one.switch_uuid) == own_uuid(&other.switch_uuid)
        && one.portgroup_key == other.portgroup_key
}

impl Connect {
    /// What the host has of interfaces: one request.
    pub(super) async fn host_interfaces(&self) -> Result<HostInterfaces> {
        let host: Option<HostInterfaces> = self.read_complete(self.host_system().await?).await?;
        host.ok_or_else(no_host)
    }

    /// Makes an interface at a place, and returns its name: the first that is free, `device`.
    pub(super) async fn add_nic(
        &self,
        owner: Owner,
        device: &str,
        place: Place,
        mut spec: HostVirtualNicSpec,
    ) -> Result<Change<String>> {
        let system = self.network_system().await?;
        // A distributed port is in the specification, and its port group has no name for the host.
        let group = match &place {
            Place::Group(group) => group.clone(),
            Place::Port(_) => {
                place.put(&mut spec);
                String::new()
            }
        };
        let group = group.as_str();
        let device = device.to_owned();
        let made = move |now: &HostInterfaces| {
            // A port group of a standard switch has one at most.
            let is_only = matches!(place, Place::Group(_));
            let mut all = now.kernel().filter(|nic| place.has(nic));
            let found = all.find(|nic| is_only || nic.device == device);
            found.map(|nic| nic.device.clone())
        };
        Ok(match owner {
            Owner::Kernel => self.nic_seen(system.add_virtual_nic(group, spec), made),
            Owner::Console => {
                self.nic_seen(system.add_service_console_virtual_nic(group, spec), made)
            }
        })
    }

    /// Changes of an interface what `spec` sets.
    pub(super) async fn update_nic(
        &self,
        owner: Owner,
        device: &str,
        spec: HostVirtualNicSpec,
    ) -> Result<Change<()>> {
        let system = self.network_system().await?;
        let (name, wanted) = (device.to_owned(), spec.clone());
        let done = move |now: &HostInterfaces| {
            let nic = now.kernel().find(|nic| nic.device == name);
            nic.filter(|nic| is_like(nic, &wanted)).map(drop)
        };
        Ok(match owner {
            Owner::Kernel => self.nic_seen(system.update_virtual_nic(device, spec), done),
            Owner::Console => self.nic_seen(
                system.update_service_console_virtual_nic(device, spec),
                done,
            ),
        })
    }

    /// Removes an interface.
    pub(super) async fn remove_nic(&self, owner: Owner, device: &str) -> Result<Change<()>> {
        let system = self.network_system().await?;
        let name = device.to_owned();
        let done = move |now: &HostInterfaces| {
            let is_gone = now.kernel().all(|nic| nic.device != name);
            is_gone.then_some(())
        };
        Ok(match owner {
            Owner::Kernel => self.nic_seen(system.remove_virtual_nic(device), done),
            Owner::Console => {
                self.nic_seen(system.remove_service_console_virtual_nic(device), done)
            }
        })
    }

    /// Sets the host's gateways.
    pub(super) async fn set_gateways(
        &self,
        owner: Owner,
        routes: HostIpRouteConfig,
    ) -> Result<Change<()>> {
        let system = self.network_system().await?;
        let wanted = routes.clone();
        let done = move |now: &HostInterfaces| {
            let now = now.routes(owner);
            let has_both = now.default_gateway == wanted.default_gateway
                && now.ip_v6_default_gateway == wanted.ip_v6_default_gateway;
            has_both.then_some(())
        };
        Ok(match owner {
            Owner::Kernel => self.nic_seen(system.update_ip_route_config(routes), done),
            Owner::Console => self.nic_seen(system.update_console_ip_route_config(routes), done),
        })
    }

    /// Sets the speed of a network card.
    pub(super) async fn set_speed(
        &self,
        device: &str,
        speed: PhysicalNicLinkInfo,
    ) -> Result<Change<()>> {
        let mut request = self
            .network_system()
            .await?
            .update_physical_nic_link_speed(device);
        request.link_speed = Some(speed.clone().into());
        let device = device.to_owned();
        Ok(self.nic_seen(request, move |now| {
            let mut nics = now.nics.iter();
            let nic = nics.find(|nic| nic.device == device)?;
            (nic.spec.link_speed.as_deref() == Some(&speed)).then_some(())
        }))
    }

    /// A call whose effect is seen in the host's interfaces: `done` returns what the call returns if it was done.
    fn nic_seen<M>(
        &self,
        request: M,
        done: impl Fn(&HostInterfaces) -> Option<M::Output> + Send + Sync + Clone + 'static,
    ) -> Change<M::Output>
    where
        M: Method,
        M::Output: Send + 'static,
    {
        let connect = self.clone();
        Change::call(self.client(), request).verified_by(move || {
            let (connect, done) = (connect.clone(), done.clone());
            Box::pin(async move {
                let now = connect.host_interfaces().await?;
                Ok(done(&now).map_or(Effect::NotDone, Effect::Done))
            })
        })
    }
}

/// Whether an interface has what was asked for.
fn is_like(now: &HostVirtualNic, wanted: &HostVirtualNicSpec) -> bool {
    let has_mtu = wanted.mtu.is_none() || wanted.mtu == now.spec.mtu;
    let group = wanted.portgroup.as_ref();
    let has_group = group.is_none_or(|group| *group == now.portgroup);
    let port = wanted.distributed_virtual_port.as_deref();
    let has_port = port.is_none_or(|port| Place::Port(port.clone()).has(now));
    let has_gateways =
        wanted.ip_route_spec.is_none() || wanted.ip_route_spec == now.spec.ip_route_spec;
    let has_ip = match (&wanted.ip, &now.spec.ip) {
        (None, _) => true,
        (Some(wanted), Some(now)) => has_addresses(now, wanted),
        (Some(_), None) => false,
    };
    has_mtu && has_group && has_port && has_gateways && has_ip
}

fn has_addresses(now: &HostIpConfig, wanted: &HostIpConfig) -> bool {
    let has_ipv4 = wanted.dhcp == now.dhcp
        && (wanted.dhcp
            || (wanted.ip_address == now.ip_address && wanted.subnet_mask == now.subnet_mask));
    let Some(wanted) = &wanted.ip_v6_config else {
        return has_ipv4;
    };
    let Some(now) = &now.ip_v6_config else {
        return false;
    };
    let has = |wanted: &HostIpConfigIpV6Address| {
        let mut addresses = now.ip_v6_address.iter();
        addresses.any(|own| {
            own.prefix_length == wanted.prefix_length
                && is_same_address(&own.ip_address, &wanted.ip_address)
        })
    };
    let mut steps = wanted.ip_v6_address.iter();
    has_ipv4
        && wanted.auto_configuration_enabled == now.auto_configuration_enabled
        && wanted.dhcp_v6_enabled == now.dhcp_v6_enabled
        && steps.all(|step| has(step) == (step.operation.as_deref() == Some("add")))
}
