//! Sizes of memory: a number and a unit.

use crate::{
    ErrorNumber, size,
    xml::{Node, XmlError, decimal},
};

/// Reads a size in KiB. None if the element is absent or empty. Errors name the element `path`.
pub(super) fn read_size(node: Option<Node<'_>>, path: &str) -> Result<Option<u64>, XmlError> {
    let Some(mut node) = node else {
        return Ok(None);
    };
    let unit = node.filled("unit");
    let text = node.text().to_owned();
    if text.is_empty() {
        return Ok(None);
    }
    read_kib(&node, path, &text, unit.as_deref()).map(Some)
}

/// The size `text` in `unit` as KiB, rounded up. The default unit is KiB.
pub(super) fn read_kib(
    node: &Node<'_>,
    path: &str,
    text: &str,
    unit: Option<&str>,
) -> Result<u64, XmlError> {
    let Some(number) = decimal::<u64>(text) else {
        return Err(node.error(format!(
            "Invalid value '{text}' for element or attribute '{path}'"
        )));
    };
    const MOST: u64 = i64::MAX as u64;
    let kib = size::scale(node, number, unit, "KiB", MOST)?.div_ceil(1024);
    if kib > MOST / 1024 {
        return Err(node.fail(ErrorNumber::Overflow, "size value too large"));
    }
    Ok(kib)
}
