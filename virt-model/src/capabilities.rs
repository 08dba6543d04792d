use xmltree::{Element, XMLNode};

use crate::{
    Uuid,
    xml::{self, Build},
};

/// What a host can do (libvirt's `<capabilities>` document).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// The UUID of the host. [`Uuid::NIL`] is not written.
    pub host_uuid: Uuid,
    /// The architecture of the host, in libvirt's words: `x86_64`.
    pub host_arch: String,
    /// The transports of migration URIs. If there are any, the document says that the host can migrate
    /// domains live.
    pub migration_transports: Vec<String>,
    /// The types of guests, in the order in which they are written.
    pub guests: Vec<CapabilitiesGuest>,
    #[doc(hidden)]
    pub _more: (),
}

/// A type of guest that a host can run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CapabilitiesGuest {
    /// `hvm` for full virtualization.
    pub os_type: String,
    /// The architecture of the guest, in libvirt's words.
    pub arch: String,
    /// The size of a word, in bits.
    pub wordsize: u32,
    /// The domain types, such as `vmware`.
    pub domain_types: Vec<String>,
    #[doc(hidden)]
    pub _more: (),
}

impl Capabilities {
    fn to_element(&self) -> Element {
        let mut root = Element::new("capabilities");
        root.children.push(xml::empty_line());
        root.children.push(XMLNode::Element(self.host()));
        root.children.push(xml::empty_line());
        for guest in &self.guests {
            root.children.push(XMLNode::Element(guest.to_element()));
            root.children.push(xml::empty_line());
        }
        root
    }

    /// The document's text, as libvirt writes it. (It has no flags and is only written, so
    /// capabilities are not a [`Document`](crate::Document).)
    pub fn to_xml(&self) -> String {
        xml::to_string(&self.to_element())
    }

    fn host(&self) -> Element {
        let mut host = Element::new("host");
        if !self.host_uuid.is_nil() {
            host = host.child(Element::new("uuid").text(self.host_uuid));
        }
        host = host
            .child(Element::new("cpu").child(Element::new("arch").text(&self.host_arch)))
            .child(Element::new("power_management"))
            .child(Element::new("iommu").attr("support", "no"));
        if !self.migration_transports.is_empty() {
            let transports = self
                .migration_transports
                .iter()
                .fold(Element::new("uri_transports"), |all, transport| {
                    all.child(Element::new("uri_transport").text(transport))
                });
            host = host.child(
                Element::new("migration_features")
                    .child(Element::new("live"))
                    .child(transports),
            );
        }
        host
    }
}

impl CapabilitiesGuest {
    fn to_element(&self) -> Element {
        let arch = Element::new("arch")
            .attr("name", &self.arch)
            .child(Element::new("wordsize").text(self.wordsize));
        let arch = self.domain_types.iter().fold(arch, |arch, domain| {
            arch.child(Element::new("domain").attr("type", domain))
        });
        Element::new("guest")
            .child(Element::new("os_type").text(&self.os_type))
            .child(arch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(arch: &str, wordsize: u32) -> CapabilitiesGuest {
        CapabilitiesGuest {
            os_type: "hvm".to_owned(),
            arch: arch.to_owned(),
            wordsize,
            domain_types: vec!["vmware".to_owned()],
            _more: (),
        }
    }

    #[test]
    fn a_host_as_libvirt_prints_it() {
        let capabilities = Capabilities {
            host_uuid: "dd4532ee-bbf0-4bd9-8c30-fa9d2a4ea6e6".parse().unwrap(),
            host_arch: "x86_64".to_owned(),
            migration_transports: vec!["vpxmigr".to_owned()],
            guests: vec![guest("i686", 32), guest("x86_64", 64)],
            _more: (),
        };
        let expected = "\
<capabilities>

  <host>
    <uuid>dd4532ee-bbf0-4bd9-8c30-fa9d2a4ea6e6</uuid>
    <cpu>
      <arch>x86_64</arch>
    </cpu>
    <power_management/>
    <iommu support='no'/>
    <migration_features>
      <live/>
      <uri_transports>
        <uri_transport>vpxmigr</uri_transport>
      </uri_transports>
    </migration_features>
  </host>

  <guest>
    <os_type>hvm</os_type>
    <arch name='i686'>
      <wordsize>32</wordsize>
      <domain type='vmware'/>
    </arch>
  </guest>

  <guest>
    <os_type>hvm</os_type>
    <arch name='x86_64'>
      <wordsize>64</wordsize>
      <domain type='vmware'/>
    </arch>
  </guest>

</capabilities>
";
        assert_eq!(capabilities.to_xml(), expected);
    }

    #[test]
    fn no_uuid_and_no_migration() {
        let capabilities = Capabilities {
            host_arch: "i686".to_owned(),
            ..Capabilities::default()
        };
        let expected = "\
<capabilities>

  <host>
    <cpu>
      <arch>i686</arch>
    </cpu>
    <power_management/>
    <iommu support='no'/>
  </host>

</capabilities>
";
        assert_eq!(capabilities.to_xml(), expected);
    }
}
