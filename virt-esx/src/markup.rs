//! XML as virsh writes it, and documents as it changes and prints parts of them: in the form of libxml2, which keeps the
//! white space between elements.

use xmltree::{Element, ParserConfig, XMLNode};

use crate::failure::Failure;

/// A text or an attribute's value as libvirt writes it (`virBufferEscapeString`).
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&apos;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
    out
}

/// The root of a document, with all the white space in it.
///
/// # Errors
/// If it is not XML. The driver's documents are.
pub(crate) fn read(xml: &str) -> Result<Element, Failure> {
    let config = ParserConfig::new().whitespace_to_characters(true);
    Element::parse_with_config(xml.as_bytes(), config).map_err(|error| {
        let reason = Failure::new(error.to_string());
        Failure::because("cannot read the document", reason)
    })
}

/// The devices with that element's name of a domain's document.
pub(crate) fn devices(domain: Element, name: &str) -> Vec<Element> {
    let elements = |parent: Element, name: &str| {
        let children = parent.children.into_iter();
        let elements = children.filter_map(|child| match child {
            XMLNode::Element(child) if child.name == name => Some(child),
            _ => None,
        });
        elements.collect::<Vec<_>>()
    };
    let devices = elements(domain, "devices").into_iter();
    devices.flat_map(|parent| elements(parent, name)).collect()
}

/// The value of an attribute of the child element of that name.
pub(crate) fn attribute_of<'e>(
    element: &'e Element,
    child: &str,
    attribute: &str,
) -> Option<&'e str> {
    let child = element.get_child(child)?;
    child.attributes.get(attribute).map(String::as_str)
}

/// The text of an element (libxml2's `xmlNodeDump`).
pub(crate) fn text(element: &Element) -> String {
    let mut out = String::new();
    write(&mut out, element);
    out
}

fn write(out: &mut String, element: &Element) {
    out.push('<');
    out.push_str(&element.name);
    for (name, value) in &element.attributes {
        out.push_str(&format!(" {name}=\""));
        value.chars().for_each(|c| write_in_attribute(out, c));
        out.push('"');
    }
    if element.children.is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    for child in &element.children {
        match child {
            XMLNode::Element(child) => write(out, child),
            XMLNode::Text(text) | XMLNode::CData(text) => {
                text.chars().for_each(|c| write_in_text(out, c));
            }
            XMLNode::Comment(_) | XMLNode::ProcessingInstruction(..) => {}
        }
    }
    out.push_str(&format!("</{}>", element.name));
}

fn write_in_text(out: &mut String, c: char) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '\r' => out.push_str("&#13;"),
        c => out.push(c),
    }
}

/// In attributes libxml2 also writes what is not ASCII as references, if the document names no encoding.
fn write_in_attribute(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("&quot;"),
        '\n' => out.push_str("&#10;"),
        '\t' => out.push_str("&#9;"),
        c if !c.is_ascii() => out.push_str(&format!("&#x{:X};", u32::from(c))),
        c => write_in_text(out, c),
    }
}

#[cfg(test)]
mod tests {
    use super::{attribute_of, devices, escaped, read, text};

    #[test]
    fn parts_keep_their_white_space() {
        let xml = "<domain xmlns:vmware='urn:x'>\n  <devices>\n    <disk type='file'>\n      \
                   <source file='/i/é&quot;&amp;&lt;😀'/>\n      <serial>é&amp;&lt;&gt;&quot;'</serial>\n    \
                   </disk>\n  </devices>\n  <vmware:moref>1</vmware:moref>\n</domain>\n";
        let disks = devices(read(xml).unwrap(), "disk");
        let shown: Vec<_> = disks.iter().map(text).collect();
        // As virsh 9.0.0 prints it.
        assert_eq!(
            shown,
            [
                "<disk type=\"file\">\n      <source file=\"/i/&#xE9;&quot;&amp;&lt;&#x1F600;\"/>\n      \
                 <serial>é&amp;&lt;&gt;\"'</serial>\n    </disk>"
            ]
        );
        assert_eq!(
            attribute_of(&disks[0], "source", "file"),
            Some("/i/é\"&<😀")
        );
        assert_eq!(attribute_of(&disks[0], "target", "dev"), None);
    }

    #[test]
    fn what_is_written_is_escaped() {
        assert_eq!(escaped("a'b&<>\"c é"), "a&apos;b&amp;&lt;&gt;&quot;c é");
    }
}
