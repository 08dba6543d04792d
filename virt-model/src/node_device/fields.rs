//! Numbers in elements of their own, with the errors that libvirt gives for them.

use super::NodeDeviceDef;
use crate::xml::{Node, XmlError, decimal};

/// Reads the child `name` as a decimal number; `what` is libvirt's name of it.
pub(super) fn number<N: std::str::FromStr>(
    node: &mut Node<'_>,
    name: &str,
    what: &str,
    def: &NodeDeviceDef,
) -> Result<N, XmlError> {
    match maybe_number(node, name, what, def)? {
        Some(number) => Ok(number),
        None => Err(def.error(node, &format!("no {what} supplied"))),
    }
}

/// The same for a child that may be absent.
pub(super) fn maybe_number<N: std::str::FromStr>(
    node: &mut Node<'_>,
    name: &str,
    what: &str,
    def: &NodeDeviceDef,
) -> Result<Option<N>, XmlError> {
    let Some(text) = node.text_of(name) else {
        return Ok(None);
    };
    let number = decimal(&text);
    number
        .map(Some)
        .ok_or_else(|| def.error(node, &format!("invalid {what} supplied")))
}

/// Reads a hexadecimal number, with or without `0x`.
pub(super) fn hex(text: &str) -> Option<u32> {
    let text = text.trim_ascii_start();
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let digits = digits.unwrap_or(text);
    // `from_str_radix` would accept a sign.
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, 16).ok()
}

/// The child `name`: an ID of four hexadecimal digits, and what it stands for as text.
pub(super) fn id(
    node: &mut Node<'_>,
    name: &str,
    what: &str,
    def: &NodeDeviceDef,
) -> Result<(u32, Option<String>), XmlError> {
    let child = node.child(name);
    let Some(mut child) = child.filter(|child| child.has_attr("id")) else {
        return Err(def.error(node, &format!("no {what} supplied")));
    };
    let id = child.attr("id").and_then(|id| hex(&id));
    let Some(id) = id else {
        return Err(def.error(&child, &format!("invalid {what} supplied")));
    };
    Ok((
        id,
        Some(child.text().to_owned()).filter(|text| !text.is_empty()),
    ))
}

/// The element of an ID.
pub(super) fn id_element(name: &str, id: u32, text: Option<&String>) -> xmltree::Element {
    use crate::xml::Build;
    let element = xmltree::Element::new(name).attr("id", format!("{id:#06x}"));
    match text {
        Some(text) => element.text(text),
        None => element,
    }
}
