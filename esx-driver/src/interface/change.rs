//! Making, changing and removing interfaces.

use vi_types::objects::{DistributedVirtualSwitchPortConnection, HostVirtualNic};
use virt_model::{
    ErrorNumber, InterfaceDef,
    flags::{InterfaceDefineFlags, refuse_unknown},
    interface::InterfaceKind,
};

use super::{
    Interface, Kind,
    calls::Owner,
    definition::HostInterfaces,
    no_interface,
    plan::{Plan, Step},
};
use crate::{
    Connect, Error, ErrorKind, Operation, Result, document,
    engine::Runner,
    network::refused,
    undo::{Undo, take_back},
};

impl Connect {
    /// Changes an interface, or makes one of the kernel, as the document says. What the document does not say stays.
    ///
    /// | document | host |
    /// |---|---|
    /// | `<interface type='ethernet' name='vmk0'>` | that interface of the kernel (of the service console: `vswif0`), which exists |
    /// | `<interface type='bridge' name='GROUP'>` with `<bridge><interface type='ethernet' name='vmk1'/></bridge>` | the same, in the port group GROUP of a standard switch, or on a vCenter of a distributed one: it is made there, or goes there |
    /// | `<protocol family='ipv4'>`, `'ipv6'` | its addresses, DHCP, and the addresses that routers announce; none if it is empty |
    /// | `<route gateway=…>` | the default gateway of the host; of an interface that has one of its own, or a TCP/IP stack of its own, that one |
    /// | `<mtu>` | the size of packets |
    /// | `<mac>` of the inner interface | the hardware address of a new interface |
    /// | `<interface type='ethernet' name='vmnic0'>` with `<link speed=…>` | the speed of a network card, full duplex |
    ///
    /// A host chooses the names of new interfaces: the first that is free. A bond is a switch with several network cards,
    /// and VLANs are those of port groups; both are changed as [networks](Connect::network_define_xml).
    ///
    /// If a step fails, those before it are taken back; the error says what is left if that fails, too. Requests: one to
    /// read, one for the interface and one for the gateways if they change, and one to read a new interface.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] for an interface or a port group that the host does not have; [`ErrorKind::WrongState`] if
    /// the port group has another interface; [`ErrorKind::Definition`] for a document that cannot be read or asks for what
    /// hosts do not have; [`ErrorKind::UnsupportedFlags`]; what any [`Operation`] may fail with.
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
                let (host, port) = runner.prepare(connect.place_of(&def)).await?;
                let plan = Plan::of(&def, &host, port)?;
                connect.check_gateway(&plan)?;
                let device = plan.device.clone();
                let is_new = matches!(plan.step, Step::Add(..));
                let mut done = Vec::new();
                if let Err(error) = connect.follow(&mut runner, plan, &mut done).await {
                    return Err(take_back(error, done).await);
                }
                if !is_new {
                    return connect.interface_of(&host, &device);
                }
                let made = runner.prepare(connect.host_interfaces()).await;
                let made = made.and_then(|host| connect.interface_of(&host, &device));
                made.map_err(|error| error.note(&format!("the interface '{device}' was made")))
            })
        })
    }

    /// What the host has of interfaces, and a port of the port group that a document names, if that is one of a distributed
    /// switch: one request.
    async fn place_of(
        &self,
        def: &InterfaceDef,
    ) -> Result<(
        HostInterfaces,
        Option<DistributedVirtualSwitchPortConnection>,
    )> {
        if let InterfaceKind::Bridge(_) = &def.kind
            && let Some((host, ports)) = self.with_ports::<HostInterfaces>().await?
        {
            let port = match host.has_group(&def.name) {
                true => None,
                false => {
                    let port = ports.port_in(&def.name)?;
                    let no_group = || host.no_group(&def.name, Some(&ports));
                    Some(port.ok_or_else(no_group)?)
                }
            };
            return Ok((host, port));
        }
        Ok((self.host_interfaces().await?, None))
    }

    /// Refuses a gateway of an interface alone on a server that does not know such ones.
    fn check_gateway(&self, plan: &Plan) -> Result<()> {
        match &plan.step {
            Step::Update(spec, _)
                if spec.ip_route_spec.is_some() && !self.client().api_version().at_least(6, 5) =>
            {
                let message = format!(
                    "the interface '{}' is in a TCP/IP stack of its own, whose gateway can be set since API 6.5 only",
                    plan.device
                );
                let number = ErrorNumber::ConfigUnsupported;
                let error = Error::new(ErrorKind::Unsupported, number, message);
                Err(error.advise("leave out <route gateway=…/>"))
            }
            _ => Ok(()),
        }
    }

    /// Does what was planned. `done` is what to take back.
    async fn follow(
        &self,
        runner: &mut Runner<'_>,
        plan: Plan,
        done: &mut Vec<Undo>,
    ) -> Result<()> {
        let Plan {
            device,
            owner,
            step,
            gateways,
        } = plan;
        let what = format!("interface '{device}'");
        let failed = |error| refused(error, &what);
        match step {
            Step::Nothing => {}
            Step::Speed(speed) => {
                let change = self.set_speed(&device, speed).await?;
                runner.perform(change).await.map_err(failed)?;
            }
            Step::Update(spec, back) => {
                let change = self.update_nic(owner, &device, spec).await?;
                runner.perform(change).await.map_err(failed)?;
                let undo = self.update_nic(owner, &device, back).await?;
                done.push((format!("the {what} was changed"), Some(undo)));
            }
            Step::Add(place, spec) => {
                let change = self.add_nic(owner, &device, place, spec).await?;
                let made = runner.perform(change).await.map_err(failed)?;
                let undo = self.remove_nic(owner, &made).await?;
                done.push((format!("the interface '{made}' was made"), Some(undo)));
                if made != device {
                    let message = format!("the host made the interface '{made}', not '{device}'");
                    let number = ErrorNumber::OperationFailed;
                    return Err(Error::new(ErrorKind::UnexpectedValue, number, message));
                }
            }
        }
        if let Some(gateways) = gateways {
            let change = self.set_gateways(owner, gateways).await?;
            let set = runner.perform(change).await;
            set.map_err(|error| refused(error, &format!("gateway of the {what}")))?;
        }
        Ok(())
    }

    /// The handle of an interface of the kernel, or of a network card.
    fn interface_of(&self, host: &HostInterfaces, device: &str) -> Result<Interface> {
        let mut all = host.interfaces(self);
        let found = all.find(|one| one.name == device && one.kind != Kind::Bond);
        found.ok_or_else(|| no_interface("name", device))
    }
}

impl Interface {
    /// Removes an interface of the kernel, or of the service console, from the host: two requests.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for a network card and a bond; [`ErrorKind::NotFound`] if the interface does not exist
    /// any more; [`ErrorKind::WrongState`] if it is the last one with an address, without which nobody could reach the
    /// host; what any [`Operation`] may fail with.
    #[doc(alias = "virInterfaceUndefine")]
    pub fn undefine(&self) -> Operation<'static> {
        self.remove("Could not undefine interface")
    }

    /// Starts the interface, which always fails: an interface of a host is active as long as it exists.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`], before anything is sent.
    #[doc(alias = "virInterfaceCreate")]
    pub fn create(&self) -> Operation<'static> {
        let message = format!("the interface '{}' is already active", self.name);
        Operation::of(
            "Could not start interface",
            Err(Error::new(
                ErrorKind::WrongState,
                ErrorNumber::OperationInvalid,
                message,
            )),
        )
    }

    /// Stops the interface. A host has none that are not active, so it is removed as [`undefine`](Interface::undefine) does
    /// it: the interface is gone then.
    ///
    /// # Errors
    /// As [`undefine`](Interface::undefine).
    #[doc(alias = "virInterfaceDestroy")]
    pub fn destroy(&self) -> Operation<'static> {
        self.remove("Could not stop interface")
    }

    fn remove(&self, could_not: &'static str) -> Operation<'static> {
        let interface = self.clone();
        Operation::new(could_not, move |mut runner| {
            Box::pin(async move {
                let Interface { connect, name, .. } = &interface;
                interface.check_removable()?;
                let host = runner.prepare(connect.host_interfaces()).await?;
                host.check_reachable_without(name)?;
                let change = connect.remove_nic(Owner::of(name), name).await?;
                let removed = runner.perform(change).await;
                removed.map_err(|error| refused(error, &format!("interface '{name}'")))
            })
        })
    }

    fn check_removable(&self) -> Result<()> {
        let name = &self.name;
        let (message, advice) = match self.kind {
            Kind::Kernel => return Ok(()),
            Kind::Physical => (
                format!("a host can neither stop nor remove its network card '{name}'"),
                "net-update takes it away from its network",
            ),
            Kind::Bond => (
                format!("the bond '{name}' is a switch"),
                "net-undefine removes it",
            ),
        };
        Err(Error::new(ErrorKind::Unsupported, ErrorNumber::NoSupport, message).advise(advice))
    }
}

impl HostInterfaces {
    /// Refuses to remove the interface that the host is reached by.
    fn check_reachable_without(&self, name: &str) -> Result<()> {
        let own = self.kernel().find(|nic| nic.device == name);
        let own = own.ok_or_else(|| no_interface("name", name))?;
        let has_address = |nic: &HostVirtualNic| {
            let ip = nic.spec.ip.as_deref();
            ip.is_some_and(|ip| {
                let address = ip.ip_address.as_deref();
                ip.dhcp || address.is_some_and(|address| !address.is_empty())
            })
        };
        let mut others = self.kernel().filter(|nic| nic.device != name);
        if !has_address(own) || others.any(has_address) {
            return Ok(());
        }
        let message = format!("'{name}' is the last interface of the host with an address");
        let number = ErrorNumber::OperationInvalid;
        Err(Error::new(ErrorKind::WrongState, number, message)
            .advise("nobody could reach the host without it: define another one first"))
    }
}
