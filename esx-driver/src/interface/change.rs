//! Changing the interfaces of the kernel.

use std::net::{IpAddr, Ipv4Addr};

use vi_client::property_set;
use vi_types::{
    objects::{
        HostIpConfig, HostIpConfigIpV6Address, HostIpConfigIpV6AddressConfiguration,
        HostVirtualNic, HostVirtualNicSpec,
    },
    references::HostNetworkSystem,
};
use virt_model::{
    ErrorNumber, InterfaceDef,
    flags::{InterfaceDefineFlags, refuse_unknown},
    interface::{InterfaceType, Protocol, ProtocolFamily},
};

use super::{Interface, Kind};
use crate::{
    Connect, Error, ErrorKind, Operation, Result, What,
    connect::no_host,
    document,
    engine::{Change, Effect},
};

property_set! {
    struct Kernel: HostSystem {
        vnics: Vec<HostVirtualNic> = config.network.vnic,
    }
}

impl Connect {
    /// Changes an interface of the kernel as the document says: its addresses, DHCP and the size of packets. What the
    /// document does not say stays. Two requests, of which the second changes.
    ///
    /// The host chooses the names of new interfaces of its kernel, and a document does not name the port group that one
    /// needs; so none is made.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the host's kernel has no interface of that name; [`ErrorKind::Definition`] for a
    /// document that cannot be read or asks for what interfaces of the kernel do not have; what any [`Operation`] may
    /// fail with.
    #[doc(alias = "virInterfaceDefineXML")]
    pub fn interface_define_xml(
        &self,
        xml: &str,
        flags: InterfaceDefineFlags,
    ) -> Operation<'static, Interface> {
        let connect = self.clone();
        let validate = InterfaceDefineFlags::VALIDATE;
        let def = refuse_unknown(flags, validate, "esxInterfaceDefineXML")
            .map_err(Error::from)
            .and_then(|()| document::read::<InterfaceDef>(xml, flags.contains(validate)));
        Operation::new("Could not define interface", move |mut runner| {
            Box::pin(async move {
                let def = def?;
                if def.interface_type() != InterfaceType::Ethernet {
                    return Err(refused(format!(
                        "interfaces of the type '{}' cannot be defined",
                        def.interface_type()
                    ))
                    .advise("net-define makes a switch with several cards"));
                }
                let (system, nic) = runner.prepare(connect.kernel_nic(&def.name)).await?;
                let spec = changed(&nic, &def)?;
                let wanted = spec.clone();
                let request = system.update_virtual_nic(&nic.device, spec);
                let change = connect.nic_seen(request, &nic.device, move |now| {
                    now.is_some_and(|now| is_like(&now.spec, &wanted))
                });
                runner.perform(change).await?;
                Ok(Interface {
                    connect: connect.clone(),
                    name: nic.device,
                    mac: nic.spec.mac,
                    kind: Kind::Kernel,
                })
            })
        })
    }

    /// The host's network system, and the interface of the kernel of that name.
    async fn kernel_nic(&self, name: &str) -> Result<(HostNetworkSystem, HostVirtualNic)> {
        let host: Option<Kernel> = self.read_complete(self.host_system()).await?;
        let host = host.ok_or_else(no_host)?;
        let mut nics = host.vnics.into_iter();
        let nic = nics.find(|nic| nic.device.eq_ignore_ascii_case(name));
        let nic = nic.ok_or_else(|| {
            let message = format!("the host's kernel has no interface '{name}'");
            let kind = ErrorKind::NotFound(What::Interface);
            Error::new(kind, ErrorNumber::NoInterface, message)
                .advise("only interfaces of the kernel can be changed, such as vmk0")
        })?;
        Ok((self.network_system()?, nic))
    }

    /// A call that changes the interface `device`; `is_done` is asked with what the host has of it.
    fn nic_seen<M: vi_types::Method<Output = ()>>(
        &self,
        request: M,
        device: &str,
        is_done: impl Fn(Option<&HostVirtualNic>) -> bool + Send + Sync + Clone + 'static,
    ) -> Change<()> {
        let (connect, device) = (self.clone(), device.to_owned());
        Change::call(self.client(), request).verified_by(move || {
            let (connect, device, is_done) = (connect.clone(), device.clone(), is_done.clone());
            Box::pin(async move {
                let host: Option<Kernel> = connect.read_complete(connect.host_system()).await?;
                let host = host.ok_or_else(no_host)?;
                let now = host.vnics.iter().find(|nic| nic.device == device);
                Ok(match is_done(now) {
                    true => Effect::Done(()),
                    false => Effect::NotDone,
                })
            })
        })
    }
}

impl Interface {
    /// Removes an interface of the kernel from the host.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if it is none of the kernel or does not exist any more; what any [`Operation`] may fail
    /// with: a host does not remove the interface that it is managed by.
    #[doc(alias = "virInterfaceUndefine")]
    pub fn undefine(&self) -> Operation<'static> {
        let interface = self.clone();
        Operation::new("Could not undefine interface", move |mut runner| {
            Box::pin(async move {
                let connect = &interface.connect;
                let prepared = connect.kernel_nic(&interface.name);
                let (system, nic) = runner.prepare(prepared).await?;
                let request = system.remove_virtual_nic(&nic.device);
                let change = connect.nic_seen(request, &nic.device, |now| now.is_none());
                runner.perform(change).await
            })
        })
    }

    /// Starts the interface, which always fails: an interface of a host is active as long as it exists.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`], before anything is sent.
    #[doc(alias = "virInterfaceCreate")]
    pub fn create(&self) -> Operation<'static> {
        let message = format!("the interface '{}' is already active", self.name);
        failing(
            "Could not start interface",
            ErrorKind::WrongState,
            message,
            "",
        )
    }

    /// Stops the interface, which always fails: a host has no interfaces that are not active.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`], before anything is sent.
    #[doc(alias = "virInterfaceDestroy")]
    pub fn destroy(&self) -> Operation<'static> {
        let message = format!("a host cannot stop the interface '{}'", self.name);
        let advice = match self.kind {
            Kind::Kernel => "undefining it removes it from the host",
            _ => "changing its network takes it away from there",
        };
        failing(
            "Could not stop interface",
            ErrorKind::WrongState,
            message,
            advice,
        )
    }
}

fn failing(
    what: &'static str,
    kind: ErrorKind,
    message: String,
    advice: &'static str,
) -> Operation<'static> {
    Operation::new(what, move |_| {
        Box::pin(async move {
            let error = Error::new(kind, ErrorNumber::OperationInvalid, message);
            Err(match advice {
                "" => error,
                advice => error.advise(advice),
            })
        })
    })
}

fn refused(message: String) -> Error {
    Error::new(
        ErrorKind::Definition,
        ErrorNumber::ConfigUnsupported,
        message,
    )
}

/// What an interface becomes by a document: only what changes.
fn changed(nic: &HostVirtualNic, def: &InterfaceDef) -> Result<HostVirtualNicSpec> {
    if let (Some(mac), Some(own)) = (&def.mac, &nic.spec.mac)
        && !mac.eq_ignore_ascii_case(own)
    {
        return Err(refused(format!(
            "the hardware address of the interface '{}' cannot be changed from {own} to {mac}",
            nic.device
        )));
    }
    let mut spec = HostVirtualNicSpec::default();
    if def.mtu > 0 {
        let mtu = i32::try_from(def.mtu);
        spec.mtu = Some(mtu.map_err(|_| refused(format!("the mtu {} is too large", def.mtu)))?);
    }
    if !def.protocols.is_empty() {
        let own = nic.spec.ip.as_deref().cloned().unwrap_or_default();
        spec.ip = Some(Box::new(ip_config(own, def)?));
    }
    Ok(spec)
}

/// The addresses that a document asks for.
fn ip_config(own: HostIpConfig, def: &InterfaceDef) -> Result<HostIpConfig> {
    let mut ip = own;
    if let Some(ipv4) = def.protocol(ProtocolFamily::Ipv4) {
        ip.dhcp = ipv4.dhcp.is_some();
        let address = match ipv4.ips.as_slice() {
            _ if ip.dhcp => None,
            [] => None,
            [one] => Some((one.address.clone(), netmask(&one.address, one.prefix)?)),
            _ => {
                return Err(refused(format!(
                    "the interface '{}' can have one IPv4 address only",
                    def.name
                )));
            }
        };
        (ip.ip_address, ip.subnet_mask) = address.unzip();
    }
    if let Some(ipv6) = def.protocol(ProtocolFamily::Ipv6) {
        let known = ip.ip_v6_config.take();
        let known = known.map(|config| *config).unwrap_or_default();
        ip.ip_v6_config = Some(Box::new(ipv6_config(&known, ipv6)?));
    }
    Ok(ip)
}

/// The IPv6 addresses that a document asks for: those that are new are added, those that are missing are removed.
fn ipv6_config(
    known: &HostIpConfigIpV6AddressConfiguration,
    wanted: &Protocol,
) -> Result<HostIpConfigIpV6AddressConfiguration> {
    let mut addresses = Vec::new();
    let step = |address: &str, prefix_length, operation: &str| HostIpConfigIpV6Address {
        ip_address: address.to_owned(),
        prefix_length,
        operation: Some(operation.to_owned()),
        ..HostIpConfigIpV6Address::default()
    };
    for ip in &wanted.ips {
        if !matches!(ip.address.parse(), Ok(IpAddr::V6(_))) {
            return Err(refused(format!("'{}' is no IPv6 address", ip.address)));
        }
        let mut known = known.ip_v6_address.iter();
        if !known.any(|known| known.ip_address.eq_ignore_ascii_case(&ip.address)) {
            addresses.push(step(&ip.address, ip.prefix, "add"));
        }
    }
    for old in &known.ip_v6_address {
        let is_own = old
            .origin
            .as_deref()
            .is_none_or(|origin| origin == "manual");
        let mut wanted = wanted.ips.iter();
        let stays = wanted.any(|ip| ip.address.eq_ignore_ascii_case(&old.ip_address));
        if is_own && !stays {
            addresses.push(step(&old.ip_address, old.prefix_length, "remove"));
        }
    }
    Ok(HostIpConfigIpV6AddressConfiguration {
        ip_v6_address: addresses,
        auto_configuration_enabled: Some(wanted.autoconf),
        dhcp_v6_enabled: Some(wanted.dhcp.is_some()),
        ..HostIpConfigIpV6AddressConfiguration::default()
    })
}

/// The netmask of a prefix, if it is that of an IPv4 address.
fn netmask(address: &str, prefix: i32) -> Result<String> {
    if address.parse::<Ipv4Addr>().is_err() {
        return Err(refused(format!("'{address}' is no IPv4 address")));
    }
    match u32::try_from(prefix) {
        Ok(prefix @ 1..=32) => Ok(Ipv4Addr::from_bits(u32::MAX << (32 - prefix)).to_string()),
        _ => Err(refused(format!(
            "the address {address} needs a prefix of 1 to 32 bits"
        ))),
    }
}

/// Whether an interface is what was asked for.
fn is_like(now: &HostVirtualNicSpec, wanted: &HostVirtualNicSpec) -> bool {
    let same_mtu = wanted.mtu.is_none() || wanted.mtu == now.mtu;
    let same_ip = match (&wanted.ip, &now.ip) {
        (None, _) => true,
        (Some(wanted), Some(now)) => {
            let has_address = |address: &HostIpConfigIpV6Address| {
                let config = now.ip_v6_config.as_ref();
                config.is_some_and(|config| {
                    let mut own = config.ip_v6_address.iter();
                    own.any(|own| own.ip_address.eq_ignore_ascii_case(&address.ip_address))
                })
            };
            let mut steps = wanted
                .ip_v6_config
                .iter()
                .flat_map(|config| &config.ip_v6_address);
            let done = steps
                .all(|step| has_address(step) == (step.operation.as_deref() != Some("remove")));
            let same_address = wanted.dhcp || wanted.ip_address == now.ip_address;
            done && wanted.dhcp == now.dhcp && same_address
        }
        (Some(_), None) => false,
    };
    same_mtu && same_ip
}
