//! XML as libvirt reads and writes it: the [`Element`]s that definitions keep unchanged, the error
//! of documents, and the bounds of what is read.

mod element;
mod error;
mod foreign;
mod metadata;
mod node;
mod parse;

pub use element::{Content, Element};
pub use error::XmlError;
pub(crate) use node::{Node, Tree, Unmodelled, decimal};
pub(crate) use parse::tree;
pub use parse::{MAX_DEPTH, MAX_NODES, MAX_SIZE};

use xmltree::XMLNode;

use crate::{ErrorNumber, Uuid};

/// Whether a text can be the prefix of a namespace: a name without a colon (libxml2's `xmlValidateNCName`).
pub fn is_prefix(text: &str) -> bool {
    let is_first = |c: char| c.is_alphabetic() || c == '_';
    let is_next = |c: char| is_first(c) || c.is_numeric() || matches!(c, '-' | '.' | '\u{b7}');
    let mut chars = text.chars();
    chars.next().is_some_and(is_first) && chars.all(is_next)
}

/// The text of `root` as libvirt writes it, with a newline at the end.
///
/// Each level is indented by two blanks. Attributes are in single quotes. An element without content
/// is `<x/>`; one with only text is on one line. Between elements, a text of white space with a
/// newline is written as an empty line, which libvirt's capabilities have. An empty text makes
/// `<x></x>`. Comments and processing instructions are not written. The children of `<metadata>` are
/// written as libxml2 writes them: attributes in double quotes, with their comments.
pub(crate) fn to_string(root: &xmltree::Element) -> String {
    let mut out = String::new();
    element(&mut out, root, 0);
    out
}

/// A text node that [`to_string`] writes as an empty line.
pub(crate) fn empty_line() -> XMLNode {
    XMLNode::Text("\n".to_owned())
}

/// Makes an empty element be written as `<x>`, a line break and `</x>`. libvirt writes some elements
/// so, because its formatter opens them before it knows whether they have children.
pub(crate) fn broken(mut element: xmltree::Element) -> xmltree::Element {
    if element.children.is_empty() {
        // No document that is read or written has CDATA in its tree, so it can stand for the break.
        element.children.push(XMLNode::CData(String::new()));
    }
    element
}

/// libvirt's words for a switch (`virTristateSwitch`).
pub(crate) fn on_off(value: bool) -> &'static str {
    if value { "on" } else { "off" }
}

/// libvirt's words for a fact (`virTristateBool`).
pub(crate) fn yes_no(value: bool) -> &'static str {
    if value { "yes" } else { "no" }
}

/// Reads a UUID; an empty element counts as absent.
pub(crate) fn read_uuid(node: Option<Node<'_>>) -> Result<Option<Uuid>, XmlError> {
    let Some(node) = node else {
        return Ok(None);
    };
    if node.text().is_empty() {
        return Ok(None);
    }
    let uuid = node.text().parse();
    uuid.map(Some).map_err(|_| {
        let message = format!("malformed {} element", node.name);
        node.fail(ErrorNumber::InternalError, message)
    })
}

/// Builds trees in one expression.
pub(crate) trait Build: Sized {
    /// Adds the attribute `name='value'`.
    fn attr(self, name: &str, value: impl ToString) -> Self;
    /// Adds the attribute `name='value'` if there is a value.
    fn maybe_attr(self, name: &str, value: Option<impl ToString>) -> Self;
    /// Adds a child.
    fn child(self, child: xmltree::Element) -> Self;
    /// Adds children.
    fn children(self, children: impl IntoIterator<Item = xmltree::Element>) -> Self;
    /// Adds a child `<name>text</name>` if there is a text.
    fn maybe_text(self, name: &str, text: Option<impl ToString>) -> Self;
    /// Adds text.
    fn text(self, text: impl ToString) -> Self;
}

impl Build for xmltree::Element {
    fn attr(mut self, name: &str, value: impl ToString) -> xmltree::Element {
        self.attributes.insert(name.to_owned(), value.to_string());
        self
    }

    fn maybe_attr(self, name: &str, value: Option<impl ToString>) -> xmltree::Element {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    fn child(mut self, child: xmltree::Element) -> xmltree::Element {
        self.children.push(XMLNode::Element(child));
        self
    }

    fn children(
        mut self,
        children: impl IntoIterator<Item = xmltree::Element>,
    ) -> xmltree::Element {
        let children = children.into_iter().map(XMLNode::Element);
        self.children.extend(children);
        self
    }

    fn maybe_text(self, name: &str, text: Option<impl ToString>) -> xmltree::Element {
        self.children(text.map(|text| xmltree::Element::new(name).text(text)))
    }

    fn text(mut self, text: impl ToString) -> xmltree::Element {
        self.children.push(XMLNode::Text(text.to_string()));
        self
    }
}

fn element(out: &mut String, element: &xmltree::Element, depth: usize) {
    indent(out, depth);
    out.push('<');
    name(out, element);
    for (name, value) in &element.attributes {
        out.push(' ');
        out.push_str(name);
        out.push_str("='");
        escape(out, value);
        out.push('\'');
    }
    if element.children.is_empty() {
        out.push_str("/>\n");
        return;
    }
    out.push('>');
    if element
        .children
        .iter()
        .any(|child| child.as_element().is_some())
    {
        out.push('\n');
        let foreign = element.name == "metadata" && element.namespace.is_none();
        for child in &element.children {
            match child {
                XMLNode::Element(child) if foreign => foreign::write(out, child, depth + 1),
                XMLNode::Element(child) => self::element(out, child, depth + 1),
                XMLNode::Text(text) if text.trim().is_empty() && text.contains('\n') => {
                    out.push('\n');
                }
                // libvirt's documents have no text beside elements.
                _ => {}
            }
        }
        indent(out, depth);
    } else {
        for child in &element.children {
            match child {
                XMLNode::Text(text) => escape(out, text),
                XMLNode::CData(_) => {
                    out.push('\n');
                    indent(out, depth);
                }
                _ => {}
            }
        }
    }
    out.push_str("</");
    name(out, element);
    out.push_str(">\n");
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn name(out: &mut String, element: &xmltree::Element) {
    if let Some(prefix) = &element.prefix {
        out.push_str(prefix);
        out.push(':');
    }
    out.push_str(&element.name);
}

/// Escapes the five special characters, and drops control characters that XML cannot hold, as
/// libvirt's `virBufferEscapeString` does.
fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' | '\n' | '\r' => out.push(c),
            // XML cannot hold these.
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => {}
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use xmltree::Element;

    #[track_caller]
    fn check(element: Element, expected: &str) {
        assert_eq!(to_string(&element), expected);
    }

    #[test]
    fn empty_elements() {
        check(Element::new("x"), "<x/>\n");
        check(Element::new("x").text(""), "<x></x>\n");
    }

    #[test]
    fn attributes_keep_their_order() {
        check(
            Element::new("x").attr("b", 1).attr("a", "2"),
            "<x b='1' a='2'/>\n",
        );
    }

    #[test]
    fn special_characters() {
        check(
            Element::new("x").attr("a", "<'\">").text("a & b\u{1}\tc"),
            "<x a='&lt;&apos;&quot;&gt;'>a &amp; b\tc</x>\n",
        );
    }

    #[test]
    fn nesting_and_empty_lines() {
        let mut root =
            Element::new("root").child(Element::new("a").child(Element::new("b").text("t")));
        root.children.push(empty_line());
        check(root, "<root>\n  <a>\n    <b>t</b>\n  </a>\n\n</root>\n");
    }

    #[test]
    fn prefixes() {
        let mut element = Element::new("moref").attr("x", 1);
        element.prefix = Some("vmware".to_owned());
        check(element, "<vmware:moref x='1'/>\n");
    }

    #[test]
    fn what_was_written_reads_back() {
        let element = Element::new("x")
            .attr("a", "<'\">")
            .child(Element::new("y").text("ä & 'b'"));
        let read = tree(&to_string(&element)).unwrap();
        assert_eq!(read.attributes, element.attributes);
        assert_eq!(read.get_child("y").unwrap().get_text().unwrap(), "ä & 'b'");
    }
}
