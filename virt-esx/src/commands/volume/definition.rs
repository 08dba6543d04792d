//! Documents of volumes that commands make.

use std::fmt::Write as _;

/// A volume that `vol-create-as` describes.
#[derive(Debug, Default)]
pub(super) struct NewVolume<'a> {
    pub(super) name: &'a str,
    pub(super) capacity: u64,
    pub(super) allocation: Option<u64>,
    pub(super) format: Option<&'a str>,
    /// The path of the volume whose content it begins with.
    pub(super) backing: Option<&'a str>,
    pub(super) backing_format: Option<&'a str>,
}

impl NewVolume<'_> {
    /// virsh's document of it.
    pub(super) fn xml(&self) -> String {
        let mut out = format!("<volume>\n  <name>{}</name>\n", escaped(self.name));
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  <capacity>{}</capacity>", self.capacity);
        if let Some(allocation) = self.allocation {
            let _ = writeln!(out, "  <allocation>{allocation}</allocation>");
        }
        let format_element = |format| format!("    <format type='{}'/>\n", escaped(format));
        if let Some(format) = self.format {
            out += &format!("  <target>\n{}  </target>\n", format_element(format));
        }
        if let Some(path) = self.backing {
            let _ = writeln!(out, "  <backingStore>\n    <path>{}</path>", escaped(path));
            out += &self.backing_format.map(format_element).unwrap_or_default();
            out += "  </backingStore>\n";
        }
        out + "</volume>\n"
    }
}

/// Escapes what would end the text or the value in single quotes. virsh escapes nothing, so that such names cannot be
/// created with it.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('\'', "&apos;")
}

#[cfg(test)]
mod tests {
    use super::NewVolume;

    #[test]
    fn documents_are_virshs() {
        let bare = NewVolume {
            name: "a",
            capacity: 5,
            ..NewVolume::default()
        };
        let expected = "<volume>\n  <name>a</name>\n  <capacity>5</capacity>\n</volume>\n";
        assert_eq!(bare.xml(), expected);
        let full = NewVolume {
            name: "n/z.vmdk",
            capacity: 1_048_576,
            allocation: Some(0),
            format: Some("vmdk"),
            backing: Some("[datastore1] n/n.vmdk"),
            backing_format: Some("raw"),
        };
        let expected = "<volume>\n  <name>n/z.vmdk</name>\n  <capacity>1048576</capacity>\n  \
                        <allocation>0</allocation>\n  <target>\n    <format type='vmdk'/>\n  </target>\n  \
                        <backingStore>\n    <path>[datastore1] n/n.vmdk</path>\n    <format type='raw'/>\n  \
                        </backingStore>\n</volume>\n";
        assert_eq!(full.xml(), expected);
    }

    #[test]
    fn names_may_have_any_characters() {
        let odd = NewVolume {
            name: "<a> & 'b' \"c\"",
            ..NewVolume::default()
        };
        let xml = odd.xml();
        let root = xmltree::Element::parse(xml.as_bytes()).unwrap();
        let name = root.get_child("name").and_then(xmltree::Element::get_text);
        assert_eq!(name.as_deref(), Some(odd.name));
    }
}
