use xmltree::Element;

use super::{InterfaceDef, InterfaceType, read_all};
use crate::{
    words::words,
    xml::{Build, Node, XmlError, broken, decimal},
};

words! {
    /// How a bond divides the traffic among its network cards.
    pub enum BondMode {
        BalanceRr = "balance-rr",
        ActiveBackup = "active-backup",
        BalanceXor = "balance-xor",
        Broadcast = "broadcast",
        Lacp = "802.3ad",
        BalanceTlb = "balance-tlb",
        BalanceAlb = "balance-alb",
    }
}

words! {
    /// How a bond asks for the state of a link.
    pub enum MiiCarrier {
        Ioctl = "ioctl",
        Netif = "netif",
    }
}

words! {
    /// Which answers to its ARP requests a bond checks.
    pub enum ArpValidate {
        None = "none",
        Active = "active",
        Backup = "backup",
        All = "all",
    }
}

/// Several network cards as one: `<bond>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bond {
    /// How the traffic is divided.
    pub mode: Option<BondMode>,
    /// The monitor of the links. A bond has at most one monitor: this one comes first.
    pub mii_monitor: Option<MiiMonitor>,
    /// The monitor by ARP requests.
    pub arp_monitor: Option<ArpMonitor>,
    /// The network cards.
    pub interfaces: Vec<InterfaceDef>,
    #[doc(hidden)]
    pub _more: (),
}

/// A monitor of links: `<miimon>`. Times are in ms.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MiiMonitor {
    /// The time between two looks.
    pub freq: i32,
    /// How long a link must be down before it counts as down; 0 if the document does not say.
    pub down_delay: i32,
    /// How long a link must be up before it counts as up; 0 if the document does not say.
    pub up_delay: i32,
    /// How the links are looked at.
    pub carrier: Option<MiiCarrier>,
    #[doc(hidden)]
    pub _more: (),
}

/// A monitor by ARP requests: `<arpmon>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ArpMonitor {
    /// The time between two requests, in ms.
    pub interval: i32,
    /// The address that is asked for.
    pub target: String,
    /// Which answers are checked.
    pub validate: Option<ArpValidate>,
    #[doc(hidden)]
    pub _more: (),
}

impl Bond {
    pub(super) fn read(mut node: Node<'_>) -> Result<Bond, XmlError> {
        let mode = node.filled("mode");
        let mode = known(&node, mode, "unknown bonding mode", BondMode::from_word)?;
        let interfaces = read_all(&mut node, InterfaceType::Bond)?;
        let mii_monitor = node.child("miimon").map(MiiMonitor::read).transpose()?;
        let arp_monitor = match node.child("arpmon") {
            Some(arp) if mii_monitor.is_none() => Some(ArpMonitor::read(arp)?),
            Some(arp) => {
                arp.unmodelled();
                None
            }
            None => None,
        };
        Ok(Bond {
            mode,
            mii_monitor,
            arp_monitor,
            interfaces,
            _more: (),
        })
    }

    pub(super) fn to_element(&self) -> Element {
        let arp = self.arp_monitor.as_ref();
        let arp = arp.filter(|_| self.mii_monitor.is_none());
        broken(
            Element::new("bond")
                .maybe_attr("mode", self.mode)
                .children(self.mii_monitor.as_ref().map(MiiMonitor::to_element))
                .children(arp.map(ArpMonitor::to_element))
                .children(self.interfaces.iter().map(InterfaceDef::to_element)),
        )
    }
}

impl MiiMonitor {
    fn read(mut node: Node<'_>) -> Result<MiiMonitor, XmlError> {
        let mut time = |name: &str| match node.filled(name) {
            Some(text) => decimal(&text).map(Some).ok_or(()),
            None => Ok(None),
        };
        let (freq, down_delay, up_delay) = (time("freq"), time("downdelay"), time("updelay"));
        let Ok(Some(freq)) = freq else {
            return Err(node.error("bond interface miimon freq missing or invalid"));
        };
        let Ok(down_delay) = down_delay else {
            return Err(node.error("bond interface miimon downdelay invalid"));
        };
        let Ok(up_delay) = up_delay else {
            return Err(node.error("bond interface miimon updelay invalid"));
        };
        let carrier = node.filled("carrier");
        Ok(MiiMonitor {
            freq,
            down_delay: down_delay.unwrap_or(0),
            up_delay: up_delay.unwrap_or(0),
            carrier: known(
                &node,
                carrier,
                "unknown mii bonding carrier",
                MiiCarrier::from_word,
            )?,
            _more: (),
        })
    }

    fn to_element(&self) -> Element {
        let set = |value: i32| Some(value).filter(|&value| value > 0);
        Element::new("miimon")
            .attr("freq", self.freq)
            .maybe_attr("downdelay", set(self.down_delay))
            .maybe_attr("updelay", set(self.up_delay))
            .maybe_attr("carrier", self.carrier)
    }
}

impl ArpMonitor {
    fn read(mut node: Node<'_>) -> Result<ArpMonitor, XmlError> {
        let interval = node.filled("interval").and_then(|text| decimal(&text));
        let Some(interval) = interval else {
            return Err(node.error("bond interface arpmon interval missing or invalid"));
        };
        let Some(target) = node.filled("target") else {
            return Err(node.error("bond interface arpmon target missing"));
        };
        let validate = node.filled("validate");
        let unknown = "unknown arp bonding validate";
        Ok(ArpMonitor {
            interval,
            target,
            validate: known(&node, validate, unknown, ArpValidate::from_word)?,
            _more: (),
        })
    }

    fn to_element(&self) -> Element {
        Element::new("arpmon")
            .attr("interval", self.interval)
            .attr("target", &self.target)
            .maybe_attr("validate", self.validate)
    }
}

/// The value that a word stands for, with libvirt's error: `unknown` and the word.
fn known<W>(
    node: &Node<'_>,
    word: Option<String>,
    unknown: &str,
    read: impl Fn(&str) -> Option<W>,
) -> Result<Option<W>, XmlError> {
    let Some(word) = word else {
        return Ok(None);
    };
    let value = read(&word);
    value
        .map(Some)
        .ok_or_else(|| node.error(format!("{unknown} {word}")))
}
