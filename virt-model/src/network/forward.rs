use std::collections::BTreeSet;

use xmltree::Element;

use super::{Nat, NetworkDef};
use crate::{
    domain::PciAddress,
    words::words,
    xml::{Build, Node, XmlError, yes_no},
};

words! {
    /// How a network's traffic leaves the host.
    #[derive(Default)]
    pub enum ForwardMode {
        None = "none",
        #[default]
        Nat = "nat",
        Route = "route",
        Open = "open",
        Bridge = "bridge",
        Private = "private",
        Vepa = "vepa",
        Passthrough = "passthrough",
        Hostdev = "hostdev",
    }
}

impl ForwardMode {
    /// Whether libvirt makes a bridge for a network of this mode.
    pub const fn has_own_bridge(self) -> bool {
        use ForwardMode::{Nat, None, Open, Route};
        matches!(self, None | Nat | Route | Open)
    }
}

/// How a network's traffic leaves the host: `<forward>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Forward {
    /// The mode; never [`ForwardMode::None`] in a document that was read.
    pub mode: ForwardMode,
    /// The devices of the host that traffic leaves through.
    pub devices: Vec<ForwardDevice>,
    /// The device whose virtual functions are used.
    pub physical_function: Option<String>,
    /// Whether libvirt detaches the devices from the host before it gives them to a guest.
    pub managed: bool,
    /// The host's driver that gives the devices to guests.
    pub driver: Option<ForwardDriver>,
    /// How addresses are translated, in the mode `nat`.
    pub nat: Option<Nat>,
    #[doc(hidden)]
    pub _more: (),
}

words! {
    /// A driver that gives devices of the host to guests.
    pub enum ForwardDriver {
        Default = "default",
        Kvm = "kvm",
        Vfio = "vfio",
    }
}

/// A device of the host that a network's traffic leaves through.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ForwardDevice {
    /// A network device, by its name: `<interface>`.
    Netdev(String),
    /// A device of the PCI bus: `<address>`.
    Pci(PciAddress),
}

impl Forward {
    /// Traffic leaves through the network devices of these names.
    pub fn to<I>(mode: ForwardMode, devices: I) -> Forward
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        let devices = devices.into_iter();
        Forward {
            mode,
            devices: devices
                .map(|name| ForwardDevice::Netdev(name.into()))
                .collect(),
            ..Forward::default()
        }
    }

    /// The name of the first device; `dev` of `<forward>`.
    pub fn dev(&self) -> Option<&str> {
        match self.devices.first()? {
            ForwardDevice::Netdev(name) => Some(name),
            ForwardDevice::Pci(_) => None,
        }
    }

    /// None for the mode `none`, in which a network is isolated.
    pub(super) fn read(
        mut node: Node<'_>,
        network: &NetworkDef,
    ) -> Result<Option<Forward>, XmlError> {
        let mode = node.old_filled_word("mode", "unknown forwarding type")?;
        let mut forward = Forward {
            mode: mode.unwrap_or_default(),
            managed: node.attr("managed").as_deref() == Some("yes"),
            ..Forward::default()
        };
        let dev = node.filled("dev");
        forward.read_driver(&mut node, network)?;
        for (name, count) in [("pf", node.count("pf")), ("nat", node.count("nat"))] {
            if count > 1 {
                return Err(node.error(format!(
                    "Only one <{name}> element is allowed in <forward> of network {}",
                    network.name
                )));
            }
        }
        if let Some(nat) = node.child("nat") {
            if forward.mode != ForwardMode::Nat {
                return Err(node.error(format!(
                    "The <nat> element can only be used when <forward> 'mode' is 'nat' in network {}",
                    network.name
                )));
            }
            forward.nat = Some(Nat::read(nat, network)?);
        }
        let mut names = BTreeSet::new();
        for mut interface in node.children("interface") {
            let Some(name) = interface.filled("dev") else {
                return Err(interface.error(format!(
                    "Missing required dev attribute in <forward> <interface> element of network {}",
                    network.name
                )));
            };
            if !names.insert(name.clone()) {
                return Err(interface.error(format!(
                    "interface '{name}' can only be listed once in network {}",
                    network.name
                )));
            }
            forward.devices.push(ForwardDevice::Netdev(name));
        }
        match (dev, forward.dev()) {
            (Some(dev), None) => forward.devices.push(ForwardDevice::Netdev(dev)),
            (Some(dev), Some(first)) if dev != first => {
                return Err(node.error(format!(
                    "<forward dev='{dev}'> must match first <interface dev='{first}'/> in network \
                     {}",
                    network.name
                )));
            }
            _ => {}
        }
        if forward.devices.is_empty() {
            for mut address in node.children("address") {
                match address.attr("type").as_deref() {
                    Some("pci") => {
                        let device = ForwardDevice::Pci(PciAddress::read(&mut address)?);
                        forward.devices.push(device);
                    }
                    Some(other) => {
                        return Err(address.unsupported(format!(
                            "unknown address type '{other}' in network {}",
                            network.name
                        )));
                    }
                    None => {
                        let message = format!("missing address type in network {}", network.name);
                        return Err(address.error(message));
                    }
                }
            }
        }
        // Beside other devices, libvirt does not look at it.
        if forward.devices.is_empty()
            && let Some(mut pf) = node.child("pf")
        {
            let Some(dev) = pf.filled("dev") else {
                return Err(pf.error(format!(
                    "Missing required dev attribute in <pf> element of network '{}'",
                    network.name
                )));
            };
            forward.physical_function = Some(dev);
        }
        Ok((forward.mode != ForwardMode::None).then_some(forward))
    }

    fn read_driver(&mut self, node: &mut Node<'_>, network: &NetworkDef) -> Result<(), XmlError> {
        if let Some(mut driver) = node.child("driver")
            && let Some(word) = driver.filled("name")
        {
            let known = ForwardDriver::from_word(&word).ok_or_else(|| {
                driver.unsupported(format!(
                    "Unknown forward <driver name='{word}'/> in network {}",
                    network.name
                ))
            })?;
            self.driver = Some(known).filter(|driver| *driver != ForwardDriver::Default);
        }
        Ok(())
    }

    pub(super) fn to_element(&self) -> Element {
        let managed = (self.mode == ForwardMode::Hostdev).then(|| yes_no(self.managed));
        let pf = self.physical_function.as_ref();
        Element::new("forward")
            .maybe_attr("dev", self.dev())
            .attr("mode", self.mode)
            .maybe_attr("managed", managed)
            .children(
                self.driver
                    .map(|driver| Element::new("driver").attr("name", driver)),
            )
            .children(self.nat.as_ref().and_then(Nat::to_element))
            .children(pf.map(|dev| Element::new("pf").attr("dev", dev)))
            .children(self.devices.iter().map(ForwardDevice::to_element))
    }
}

impl ForwardDevice {
    fn to_element(&self) -> Element {
        match self {
            ForwardDevice::Netdev(name) => Element::new("interface").attr("dev", name),
            ForwardDevice::Pci(address) => {
                address.write(Element::new("address").attr("type", "pci"))
            }
        }
    }
}
