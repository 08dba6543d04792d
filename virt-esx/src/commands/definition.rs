//! What virsh reads out of a domain's definition.

use esx_driver::Domain;
use tracing::Instrument as _;
use virt_model::DomainXmlFlags;
use xmltree::Element;

use crate::connection::Connection;
use crate::failure::Failure;
use crate::log;

/// A domain's definition.
pub(crate) struct Definition(Element);

impl Definition {
    /// Reads the definition of a domain.
    ///
    /// # Errors
    /// virsh's line above the driver's error.
    pub(crate) async fn of(domain: &Domain, flags: DomainXmlFlags) -> Result<Self, Failure> {
        // A list of disks does not show what libvirt would refuse elsewhere in the definition.
        let incidental = tracing::warn_span!(log::INCIDENTAL);
        let xml = domain.xml_desc(flags).instrument(incidental).await;
        let xml = xml.map_err(failed)?;
        Self::parse(&xml)
    }

    /// The definition with its passwords, which a read-only connection does not give.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub(crate) async fn with_secrets(
        domain: &Domain,
        connection: &Connection,
    ) -> Result<Self, Failure> {
        if connection.is_readonly() {
            let reason = "operation forbidden: virDomainGetXMLDesc with secure flag";
            return Err(failed(Failure::new(reason)));
        }
        Self::of(domain, DomainXmlFlags::SECURE).await
    }

    pub(super) fn parse(xml: &str) -> Result<Self, Failure> {
        let root = Element::parse(xml.as_bytes());
        let root = root.map_err(|error| {
            let reason = Failure::new(error.to_string());
            Failure::because("cannot read the document", reason)
        })?;
        Ok(Self(root))
    }

    /// The devices of that kind, in the order of the document.
    pub(crate) fn devices<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Element> {
        let devices = self.0.get_child("devices");
        let devices = devices.into_iter().flat_map(|devices| &devices.children);
        let devices = devices.filter_map(|child| child.as_element());
        devices.filter(move |device| device.name == kind)
    }
}

fn failed(reason: impl Into<Failure>) -> Failure {
    Failure::because("Failed to get domain description xml", reason)
}

/// The attribute `name` of the first child `child` that has it.
pub(crate) fn child_attribute<'a>(device: &'a Element, child: &str, name: &str) -> Option<&'a str> {
    let children = device.children.iter().filter_map(|node| node.as_element());
    let mut found = children.filter(|element| element.name == child);
    found.find_map(|element| attribute(element, name))
}

/// The first of the attributes `names` of a child `child`.
pub(crate) fn first_attribute<'a>(
    device: &'a Element,
    child: &str,
    names: &[&str],
) -> Option<&'a str> {
    names
        .iter()
        .find_map(|name| child_attribute(device, child, name))
}

/// An attribute. virsh takes an empty one for none.
pub(crate) fn attribute<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    let value = element.attributes.get(name)?;
    Some(value.as_str()).filter(|value| !value.is_empty())
}

/// What a table shows for nothing.
pub(crate) fn or_dash(text: Option<&str>) -> &str {
    text.unwrap_or("-")
}
