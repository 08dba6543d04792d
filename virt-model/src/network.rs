//! A network's definition: libvirt's `<network>` document.
//!
//! What is not modelled (options of dnsmasq, counts of connections) is named by
//! [`Document::read_xml`].

mod address;
mod dns;
mod forward;
mod ip;
mod nat;
mod route;

use std::collections::BTreeSet;

use xmltree::Element;

use crate::{
    Document, ErrorNumber, MacAddress, NetworkXmlFlags, Uuid,
    netdev::{Bandwidth, VirtualPort, Vlan},
    words::words,
    xml::{self, Build, Node, Tree, XmlError, broken, decimal, yes_no},
};

pub use dns::{Dns, DnsForwarder, DnsHost, DnsSrv, DnsTxt};
pub use forward::{Forward, ForwardDevice, ForwardDriver, ForwardMode};
pub use ip::{Bootp, DhcpHost, DhcpLease, DhcpRange, LeaseUnit, NetworkIp};
pub use nat::Nat;
pub use route::Route;

/// A network's definition (libvirt's `virNetworkDef`).
///
/// ```
/// use virt_model::{Document, NetworkDef, network::{Forward, ForwardMode, PortGroup}};
///
/// let network = NetworkDef {
///     forward: Some(Forward::to(ForwardMode::Bridge, ["vmnic0"])),
///     port_groups: vec![PortGroup::new("VM Network")],
///     ..NetworkDef::new("vSwitch0")
/// };
/// assert_eq!(
///     network.to_xml(Default::default()),
///     "\
/// <network>
///   <name>vSwitch0</name>
///   <forward dev='vmnic0' mode='bridge'>
///     <interface dev='vmnic0'/>
///   </forward>
///   <portgroup name='VM Network'>
///   </portgroup>
/// </network>
/// "
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NetworkDef {
    /// The name.
    pub name: String,
    /// The UUID. None: still to be chosen.
    pub uuid: Option<Uuid>,
    /// Whether guests may talk IPv6 to each other though the network has no IPv6 address.
    pub ipv6: bool,
    /// Whether the host trusts guests that change their cards' receive filters.
    pub trust_guest_rx_filters: Option<bool>,
    /// What applications have stored: the children of `<metadata>`, each in a namespace of its own.
    pub metadata: Vec<xml::Element>,
    /// How traffic leaves the host. None: the network is isolated.
    pub forward: Option<Forward>,
    /// The bridge of the host.
    pub bridge: Bridge,
    /// The maximum transmission unit, in bytes.
    pub mtu: Option<u32>,
    /// The address of the bridge.
    pub mac: Option<MacAddress>,
    /// The DNS domain of the guests.
    pub domain: Option<DnsDomain>,
    /// The DNS server of the guests.
    pub dns: Option<Dns>,
    /// VLAN tags of all ports.
    pub vlan: Option<Vlan>,
    /// Limits of the network's traffic.
    pub bandwidth: Option<Bandwidth>,
    /// Whether ports cannot talk to each other.
    pub port_isolated: Option<bool>,
    /// The addresses of the host in the network.
    pub ips: Vec<NetworkIp>,
    /// Routes to other networks.
    pub routes: Vec<Route>,
    /// How cards are announced to the switch.
    pub virtual_port: Option<VirtualPort>,
    /// Classes of ports.
    pub port_groups: Vec<PortGroup>,
    #[doc(hidden)]
    pub _more: (),
}

words! {
    /// Who maintains the bridge's table of MAC addresses.
    pub enum MacTableManager {
        Kernel = "kernel",
        Libvirt = "libvirt",
    }
}

/// The bridge of a network: `<bridge>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    /// The name of the device.
    pub name: Option<String>,
    /// The firewall zone.
    pub zone: Option<String>,
    /// Whether the spanning tree protocol is on, as it is where a document does not say.
    pub stp: bool,
    /// The forward delay, in seconds.
    pub delay: u64,
    /// Who maintains the table of MAC addresses.
    pub mac_table_manager: Option<MacTableManager>,
    #[doc(hidden)]
    pub _more: (),
}

/// The DNS domain of a network: `<domain>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DnsDomain {
    /// The name.
    pub name: String,
    /// Whether requests for names in the domain are never forwarded.
    pub local_only: Option<bool>,
    #[doc(hidden)]
    pub _more: (),
}

/// A class of ports: `<portgroup>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PortGroup {
    /// The name.
    pub name: String,
    /// Whether cards that name no port group are in this one.
    pub default: bool,
    /// Whether the host trusts guests that change their cards' receive filters.
    pub trust_guest_rx_filters: Option<bool>,
    /// VLAN tags.
    pub vlan: Option<Vlan>,
    /// How cards are announced to the switch.
    pub virtual_port: Option<VirtualPort>,
    /// Limits of each card's traffic.
    pub bandwidth: Option<Bandwidth>,
    #[doc(hidden)]
    pub _more: (),
}

impl NetworkDef {
    /// An isolated network of that name.
    pub fn new(name: impl Into<String>) -> NetworkDef {
        NetworkDef {
            name: name.into(),
            ..NetworkDef::default()
        }
    }

    /// How traffic leaves the host; [`ForwardMode::None`] if it does not.
    pub fn forward_mode(&self) -> ForwardMode {
        self.forward
            .as_ref()
            .map_or(ForwardMode::None, |forward| forward.mode)
    }
}

impl Document for NetworkDef {
    const ROOT: &'static str = "network";
    type Flags = NetworkXmlFlags;

    /// The checks and their order are those of libvirt 9.0's `virNetworkDefParseXML`, observed with
    /// the test driver.
    fn read(node: &mut Node<'_>) -> Result<NetworkDef, XmlError> {
        let Some(name) = node.text_of("name") else {
            return Err(node.fail(ErrorNumber::NoName, ""));
        };
        if name.contains('/') {
            return Err(node.fail(ErrorNumber::XmlDetail, "invalid char in name: /"));
        }
        let mut def = NetworkDef::new(name);
        def.uuid = xml::read_uuid(node.child("uuid"))?;
        def.ipv6 = match node.attr("ipv6").as_deref() {
            None | Some("no") => false,
            Some("yes") => true,
            Some(other) => return Err(def.error(node, format!("Invalid ipv6 setting '{other}'"))),
        };
        def.trust_guest_rx_filters = node.yes_no("trustGuestRxFilters")?;
        if let Some(mut metadata) = node.child("metadata") {
            def.metadata = metadata.elements();
        }
        if let Some(mut domain) = node.child("domain") {
            let local_only = domain.yes_no("localOnly")?;
            def.domain = domain.attr("name").map(|name| DnsDomain {
                name,
                local_only,
                _more: (),
            });
        }
        if let Some(bandwidth) = node.child("bandwidth") {
            def.bandwidth = Bandwidth::read(bandwidth, false)?;
        }
        def.vlan = node.child("vlan").map(Vlan::read).transpose()?;
        if let Some(mut port) = node.child("port") {
            def.port_isolated = port.yes_no("isolated")?;
        }
        let bridge = node.child("bridge");
        let mut bridge_options = false;
        if let Some(mut bridge) = bridge {
            bridge_options = ["stp", "delay", "zone"]
                .iter()
                .any(|name| bridge.has_attr(name));
            def.bridge = Bridge::read(&mut bridge, &def)?;
        }
        if let Some(mut mac) = node.child("mac")
            && let Some(address) = mac.attr("address")
        {
            let parsed = address
                .parse()
                .map_err(|_| def.error(&mac, format!("Invalid bridge mac address '{address}'")))?;
            def.mac = Some(parsed);
        }
        if let Some(mut mtu) = node.child("mtu")
            && let Some(size) = mtu.attr("size")
        {
            let parsed = decimal(&size)
                .ok_or_else(|| def.error(&mtu, format!("Invalid mtu size '{size}'")))?;
            def.mtu = Some(parsed);
        }
        if let Some(dns) = node.child("dns") {
            def.dns = Some(Dns::read(dns, &def)?);
        }
        for ip in node.children("ip") {
            let ip = NetworkIp::read(ip, &def)?;
            def.ips.push(ip);
        }
        let reachable: BTreeSet<_> = def.ips.iter().filter_map(address::Range::of).collect();
        for route in node.children("route") {
            let route = Route::read(route, &def)?;
            def.check_reachable(node, &route, &reachable)?;
            def.routes.push(route);
        }
        for port_group in node.children("portgroup") {
            def.port_groups.push(PortGroup::read(port_group)?);
        }
        let virtual_port = node.child("virtualport");
        def.virtual_port = virtual_port
            .map(|port| VirtualPort::read(port, true))
            .transpose()?;
        if let Some(forward) = node.child("forward") {
            def.forward = Forward::read(forward, &def)?;
        }
        def.check_forward(node, bridge_options)?;
        Ok(def)
    }

    fn tree(&self, _: NetworkXmlFlags) -> Tree {
        let metadata = self.metadata.iter().map(|element| element.to_tree(&[]));
        let metadata = Element::new("metadata").children(metadata);
        let domain = self.domain.as_ref().map(|domain| {
            Element::new("domain")
                .attr("name", &domain.name)
                .maybe_attr("localOnly", domain.local_only.map(yes_no))
        });
        let with = |element, attribute, value: Option<String>| {
            value.map(|value| Element::new(element).attr(attribute, value))
        };
        let root = Element::new("network")
            .maybe_attr("ipv6", self.ipv6.then_some(yes_no(true)))
            .maybe_attr(
                "trustGuestRxFilters",
                self.trust_guest_rx_filters.map(yes_no),
            )
            .maybe_text("name", Some(&self.name))
            .maybe_text("uuid", self.uuid)
            .children((!self.metadata.is_empty()).then_some(metadata))
            .children(self.forward.as_ref().map(Forward::to_element))
            .children(self.bridge.to_element(self.forward_mode()))
            .children(with("mtu", "size", self.mtu.map(|mtu| mtu.to_string())))
            .children(with("mac", "address", self.mac.map(|mac| mac.to_string())))
            .children(domain)
            .children(self.dns.as_ref().and_then(Dns::to_element))
            .children(self.vlan.as_ref().map(Vlan::to_element))
            .children(self.bandwidth.as_ref().map(Bandwidth::to_element))
            .children(
                self.port_isolated
                    .map(|isolated| Element::new("port").attr("isolated", yes_no(isolated))),
            )
            .children(self.ips.iter().map(NetworkIp::to_element))
            .children(self.routes.iter().map(Route::to_element))
            .children(self.virtual_port.as_ref().map(VirtualPort::to_element))
            .children(self.port_groups.iter().map(PortGroup::to_element));
        Tree(root)
    }
}

impl NetworkDef {
    /// Checks what the forward mode needs and excludes.
    fn check_forward(&self, node: &Node<'_>, bridge_options: bool) -> Result<(), XmlError> {
        use ForwardMode::{Bridge, Nat, Open, Route};
        let (mode, name) = (self.forward_mode(), &self.name);
        if matches!(mode, Nat | Route | Open) && self.ips.is_empty() {
            return Err(node.error(format!(
                "{mode} forwarding requested, but no IP address provided for network '{name}'"
            )));
        }
        let forward = self.forward.as_ref();
        if mode == Open && forward.is_some_and(|forward| forward.dev().is_some()) {
            return Err(node.error(format!(
                "forward dev not allowed for network '{name}' with forward mode='{mode}'"
            )));
        }
        if !mode.has_own_bridge() {
            if bridge_options {
                return Err(node.error(format!(
                    "bridge delay/stp/zone options only allowed in route, nat, and isolated \
                     mode, not in {mode} (network '{name}')"
                )));
            }
            if self.mtu.is_some() {
                return Err(node.error(format!(
                    "mtu size only allowed in open, route, nat, and isolated mode, not in {mode} \
                     (network '{name}')"
                )));
            }
        }
        let has_device = self
            .forward
            .as_ref()
            .is_some_and(|forward| !forward.devices.is_empty());
        if mode == Bridge && self.bridge.name.is_some() && has_device {
            return Err(node.error(format!(
                "A network with forward mode='{mode}' can specify a bridge name or a forward \
                 dev, but not both (network '{name}')"
            )));
        }
        Ok(())
    }

    /// Checks that one of the network's addresses leads to the gateway of a route.
    fn check_reachable(
        &self,
        node: &Node<'_>,
        route: &Route,
        reachable: &BTreeSet<address::Range>,
    ) -> Result<(), XmlError> {
        match address::is_within(route.gateway, reachable) {
            true => Ok(()),
            false => Err(node.unsupported(format!(
                "unreachable static route gateway '{}' specified for network '{}'",
                route.gateway, self.name
            ))),
        }
    }

    /// The error of something in the network, in libvirt's form.
    fn error(&self, node: &Node<'_>, message: String) -> XmlError {
        node.error(format!("{message} in network '{}'", self.name))
    }
}

impl Bridge {
    fn read(node: &mut Node<'_>, network: &NetworkDef) -> Result<Bridge, XmlError> {
        let delay = match node.attr("delay") {
            Some(delay) => decimal(&delay)
                .ok_or_else(|| network.error(node, "Invalid delay value".to_owned()))?,
            None => 0,
        };
        let mac_table_manager = match node.attr("macTableManager") {
            Some(word) => Some(MacTableManager::from_word(&word).ok_or_else(|| {
                network.error(node, format!("Invalid macTableManager setting '{word}'"))
            })?),
            None => None,
        };
        Ok(Bridge {
            name: node.filled("name"),
            zone: node.filled("zone"),
            stp: node.attr("stp").as_deref() != Some("off"),
            delay,
            mac_table_manager,
            _more: (),
        })
    }

    /// libvirt writes the bridge of a mode that makes one even when nothing is known of it.
    fn to_element(&self, mode: ForwardMode) -> Option<Element> {
        let own = mode.has_own_bridge();
        if !own && self.name.is_none() && self.mac_table_manager.is_none() {
            return None;
        }
        Some(
            Element::new("bridge")
                .maybe_attr("name", self.name.as_ref())
                .maybe_attr("zone", self.zone.as_ref())
                .maybe_attr("stp", own.then(|| xml::on_off(self.stp)))
                .maybe_attr("delay", own.then_some(self.delay))
                .maybe_attr("macTableManager", self.mac_table_manager),
        )
    }
}

impl Default for Bridge {
    fn default() -> Bridge {
        Bridge {
            name: None,
            zone: None,
            stp: true,
            delay: 0,
            mac_table_manager: None,
            _more: (),
        }
    }
}

impl PortGroup {
    /// A port group of that name.
    pub fn new(name: impl Into<String>) -> PortGroup {
        PortGroup {
            name: name.into(),
            ..PortGroup::default()
        }
    }

    fn read(mut node: Node<'_>) -> Result<PortGroup, XmlError> {
        let Some(name) = node.filled("name") else {
            return Err(node.error("Missing required name attribute in portgroup"));
        };
        let default = node.attr("default").as_deref() == Some("yes");
        let trust_guest_rx_filters = node.yes_no("trustGuestRxFilters")?;
        let virtual_port = node.child("virtualport");
        let bandwidth = match node.child("bandwidth") {
            Some(bandwidth) => Bandwidth::read(bandwidth, false)?,
            None => None,
        };
        Ok(PortGroup {
            name,
            default,
            trust_guest_rx_filters,
            virtual_port: virtual_port
                .map(|port| VirtualPort::read(port, true))
                .transpose()?,
            bandwidth,
            vlan: node.child("vlan").map(Vlan::read).transpose()?,
            _more: (),
        })
    }

    fn to_element(&self) -> Element {
        broken(
            Element::new("portgroup")
                .attr("name", &self.name)
                .maybe_attr("default", self.default.then_some(yes_no(true)))
                .maybe_attr(
                    "trustGuestRxFilters",
                    self.trust_guest_rx_filters.map(yes_no),
                )
                .children(self.vlan.as_ref().map(Vlan::to_element))
                .children(self.virtual_port.as_ref().map(VirtualPort::to_element))
                .children(self.bandwidth.as_ref().map(Bandwidth::to_element)),
        )
    }
}
