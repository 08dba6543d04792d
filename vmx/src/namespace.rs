use virt_model::{DomainDef, xml::Element};

/// libvirt's elements of a domain in VMware's namespace, which its ESX driver writes.
///
/// ```
/// use vmx::virt_model::{Document, DomainDef};
/// use vmx::VmwareNamespace;
///
/// let mut def = DomainDef::new("vmware", "web");
/// VmwareNamespace::new("Main/East", "vm-42").put_into(&mut def);
/// let xml = def.to_xml(Default::default());
/// assert!(xml.starts_with("<domain type='vmware' xmlns:vmware='http://libvirt.org/schemas/domain/vmware/1.0'>"));
/// assert!(xml.contains("  <vmware:moref>vm-42</vmware:moref>\n"));
/// assert_eq!(VmwareNamespace::of(&def).moref.as_deref(), Some("vm-42"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct VmwareNamespace {
    /// The path of the datacenter, such as `folder/datacenter`: `<vmware:datacenterpath>`.
    pub datacenter_path: Option<String>,
    /// The ID of the virtual machine as a managed object: `<vmware:moref>`.
    pub moref: Option<String>,
    #[doc(hidden)]
    pub _more: (),
}

impl VmwareNamespace {
    /// The namespace.
    pub const URI: &str = "http://libvirt.org/schemas/domain/vmware/1.0";

    /// The prefix that libvirt writes.
    pub const PREFIX: &str = "vmware";

    /// Both elements.
    pub fn new(datacenter_path: impl Into<String>, moref: impl Into<String>) -> VmwareNamespace {
        VmwareNamespace {
            datacenter_path: Some(datacenter_path.into()),
            moref: Some(moref.into()),
            _more: (),
        }
    }

    /// The elements of a definition; the first of a name counts.
    pub fn of(def: &DomainDef) -> VmwareNamespace {
        let text = |name| {
            let mut elements = def.namespace_data.iter();
            let element = elements.find(|element| is_ours(element) && element.name() == name)?;
            Some(element.text())
        };
        VmwareNamespace {
            datacenter_path: text(DATACENTER_PATH),
            moref: text(MOREF),
            _more: (),
        }
    }

    /// Replaces the elements of a definition by these.
    pub fn put_into(&self, def: &mut DomainDef) {
        def.namespace_data.retain(|element| !is_ours(element));
        let elements = [
            (DATACENTER_PATH, &self.datacenter_path),
            (MOREF, &self.moref),
        ];
        let elements = elements.into_iter().filter_map(|(name, text)| {
            let element =
                Element::new(name).in_namespace(VmwareNamespace::PREFIX, VmwareNamespace::URI);
            Some(element.with_text(text.as_ref()?))
        });
        def.namespace_data.extend(elements);
    }

    /// The paths, such as `/domain/qemu:commandline`, of what a definition has in other namespaces,
    /// or in this one besides the known elements. A VMX file has no place for it.
    pub fn unknown(def: &DomainDef) -> Vec<String> {
        let name = |element: &Element| match element.prefix() {
            Some(prefix) => format!("{prefix}:{}", element.name()),
            None => element.name().to_owned(),
        };
        let names: Vec<String> = def.namespace_data.iter().map(name).collect();
        let mut paths = Vec::new();
        for (at, element) in def.namespace_data.iter().enumerate() {
            let alike = |other: &&String| **other == names[at];
            let before = names[..at].iter().filter(alike).count();
            let is_known = is_ours(element) && matches!(element.name(), DATACENTER_PATH | MOREF);
            if is_known && before == 0 {
                continue;
            }
            paths.push(match names.iter().filter(alike).count() {
                1 => format!("/domain/{}", names[at]),
                _ => format!("/domain/{}[{}]", names[at], before + 1),
            });
        }
        paths
    }
}

const DATACENTER_PATH: &str = "datacenterpath";
const MOREF: &str = "moref";

fn is_ours(element: &Element) -> bool {
    element.namespace() == Some(VmwareNamespace::URI)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

    use super::*;
    use virt_model::Document;

    fn read(elements: &str) -> DomainDef {
        let read = DomainDef::read_xml(&format!(
            "<domain type='vmware' xmlns:v='{}' xmlns:q='urn:q'><name>n</name><memory>1</memory>
               <os><type>hvm</type></os>{elements}</domain>",
            VmwareNamespace::URI
        ));
        let read = read.unwrap();
        assert_eq!(read.unmodelled, Vec::<String>::new());
        read.document
    }

    #[test]
    fn the_first_of_a_name_counts_whatever_its_prefix() {
        let def = read("<v:moref>a</v:moref><v:moref>b</v:moref><q:moref>c</q:moref>");
        let found = VmwareNamespace::of(&def);
        assert_eq!(
            (found.moref.as_deref(), found.datacenter_path),
            (Some("a"), None)
        );
    }

    #[test]
    fn other_elements_stay_and_are_named() {
        let mut def = read("<q:a/><v:moref>a</v:moref><v:moref/><q:b><q:c/></q:b><q:a/><v:x/>");
        assert_eq!(
            VmwareNamespace::unknown(&def),
            [
                "/domain/q:a[1]",
                "/domain/v:moref[2]",
                "/domain/q:b",
                "/domain/q:a[2]",
                "/domain/v:x"
            ]
        );
        VmwareNamespace::new("d", "m").put_into(&mut def);
        let names: Vec<_> = def.namespace_data.iter().map(Element::name).collect();
        assert_eq!(names, ["a", "b", "a", "datacenterpath", "moref"]);
    }
}
