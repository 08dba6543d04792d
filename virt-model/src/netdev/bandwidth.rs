use xmltree::Element;

use crate::{
    ErrorNumber,
    xml::{Build, Node, XmlError, broken, decimal},
};

/// Limits of network traffic: `<bandwidth>`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bandwidth {
    /// The limit of traffic to the guest or network.
    pub inbound: Option<BandwidthRate>,
    /// The limit of traffic from the guest or network.
    pub outbound: Option<BandwidthRate>,
    #[doc(hidden)]
    pub _more: (),
}

/// The limit of one direction. A zero means that the attribute is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BandwidthRate {
    /// The average rate, in KiB/s.
    pub average: u64,
    /// The highest rate, in KiB/s.
    pub peak: u64,
    /// The amount sent at the highest rate, in KiB.
    pub burst: u64,
    /// The guaranteed rate, in KiB/s; inbound only.
    pub floor: u64,
    #[doc(hidden)]
    pub _more: (),
}

impl Bandwidth {
    /// Reads `<bandwidth>`; one without limits is none.
    ///
    /// `allow_floor` is false where libvirt refuses a floor.
    pub(crate) fn read(
        mut node: Node<'_>,
        allow_floor: bool,
    ) -> Result<Option<Bandwidth>, XmlError> {
        for name in ["inbound", "outbound"] {
            if node.count(name) > 1 {
                let message = format!("Only one child <{name}> element allowed");
                return Err(node.fail(ErrorNumber::XmlDetail, message));
            }
        }
        let inbound = node.child("inbound");
        let inbound = inbound
            .map(|node| BandwidthRate::read(node, allow_floor))
            .transpose()?;
        let outbound = match node.child("outbound") {
            Some(node) => {
                let has_floor = node.has_attr("floor");
                if has_floor {
                    let message = "'floor' attribute allowed only in <inbound> element";
                    return Err(node.unsupported(message));
                }
                Some(BandwidthRate::read(node, false)?)
            }
            None => None,
        };
        let is_empty = inbound.is_none() && outbound.is_none();
        Ok((!is_empty).then_some(Bandwidth {
            inbound,
            outbound,
            _more: (),
        }))
    }

    pub(crate) fn to_element(&self) -> Element {
        let direction = |name, rate: &Option<BandwidthRate>| rate.as_ref()?.to_element(name);
        broken(
            Element::new("bandwidth")
                .children(direction("inbound", &self.inbound))
                .children(direction("outbound", &self.outbound)),
        )
    }
}

impl BandwidthRate {
    fn read(mut node: Node<'_>, allow_floor: bool) -> Result<BandwidthRate, XmlError> {
        let mut rate = |name: &str| match node.attr(name) {
            Some(value) => decimal(&value).map(Some).ok_or_else(|| {
                node.unsupported(format!(
                    "could not convert bandwidth {name} value '{value}'"
                ))
            }),
            None => Ok(None),
        };
        let (average, peak) = (rate("average")?, rate("peak")?);
        let (burst, floor) = (rate("burst")?, rate("floor")?);
        if floor.is_some() && !allow_floor {
            return Err(node.unsupported("floor attribute is not supported for this config"));
        }
        if average.is_none() && floor.is_none() {
            let message = "Missing mandatory average or floor attributes";
            return Err(node.fail(ErrorNumber::XmlDetail, message));
        }
        Ok(BandwidthRate {
            average: average.unwrap_or(0),
            peak: peak.unwrap_or(0),
            burst: burst.unwrap_or(0),
            floor: floor.unwrap_or(0),
            _more: (),
        })
    }

    /// None if it has neither average nor floor, which libvirt's `virNetDevBandwidthFormat` leaves
    /// out.
    fn to_element(&self, name: &str) -> Option<Element> {
        let set = |value: u64| Some(value).filter(|&value| value > 0);
        if self.average == 0 && self.floor == 0 {
            return None;
        }
        Some(
            Element::new(name)
                .maybe_attr("average", set(self.average))
                .maybe_attr("peak", set(self.peak))
                .maybe_attr("floor", set(self.floor))
                .maybe_attr("burst", set(self.burst)),
        )
    }
}
