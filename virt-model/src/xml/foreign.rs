//! libxml2's form of elements. libvirt keeps the children of `<metadata>` unchanged and has libxml2
//! write them (observed with libvirt 9.0).

use xmltree::{Element, XMLNode};

use super::{indent, name};

/// An element as libxml2 writes it.
pub(super) fn to_string(element: &Element) -> String {
    let mut out = String::new();
    start(&mut out, element, 0);
    out
}

/// Writes an element as libxml2 does: attributes in double quotes, and no indentation in elements
/// that hold text.
pub(super) fn write(out: &mut String, element: &Element, depth: usize) {
    indent(out, depth);
    start(out, element, depth);
    out.push('\n');
}

fn start(out: &mut String, element: &Element, depth: usize) {
    out.push('<');
    name(out, element);
    for (name, value) in &element.attributes {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        escape(out, value, true);
        out.push('"');
    }
    if element.children.is_empty() {
        out.push_str("/>");
        return;
    }
    out.push('>');
    let mixed = element.children.iter().any(|node| node.as_text().is_some());
    if !mixed {
        out.push('\n');
    }
    for child in &element.children {
        match child {
            XMLNode::Element(child) if mixed => start(out, child, depth + 1),
            XMLNode::Element(child) => write(out, child, depth + 1),
            XMLNode::Text(text) => escape(out, text, false),
            XMLNode::Comment(text) => {
                if !mixed {
                    indent(out, depth + 1);
                }
                out.push_str("<!--");
                out.push_str(text);
                out.push_str("-->");
                if !mixed {
                    out.push('\n');
                }
            }
            _ => {}
        }
    }
    if !mixed {
        indent(out, depth);
    }
    out.push_str("</");
    name(out, element);
    out.push('>');
}

fn escape(out: &mut String, text: &str, attribute: bool) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\r' => out.push_str("&#13;"),
            '"' if attribute => out.push_str("&quot;"),
            '\n' if attribute => out.push_str("&#10;"),
            '\t' if attribute => out.push_str("&#9;"),
            c => out.push(c),
        }
    }
}
