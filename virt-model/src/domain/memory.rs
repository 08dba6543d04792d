//! Sizes of memory: a number and a unit.

use crate::{
    ErrorNumber,
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
    let Some(bytes) = unit_bytes(unit.unwrap_or("KiB")) else {
        let unit = unit.unwrap_or_default();
        return Err(node.fail(ErrorNumber::InvalidArg, format!("unknown suffix '{unit}'")));
    };
    const MOST: u64 = i64::MAX as u64;
    match number.checked_mul(bytes) {
        Some(size) if size.div_ceil(1024) <= MOST / 1024 => Ok(size.div_ceil(1024)),
        Some(..=MOST) => Err(node.fail(ErrorNumber::Overflow, "size value too large")),
        _ => Err(node.fail(
            ErrorNumber::Overflow,
            format!("value too large: {number}{}", unit.unwrap_or_default()),
        )),
    }
}

/// The bytes of a unit: `KB` is 1000, `KiB` and `K` are 1024. Upper and lower case are the same, as in
/// libvirt's `virScaleInteger`.
fn unit_bytes(unit: &str) -> Option<u64> {
    let unit = unit.to_ascii_lowercase();
    if matches!(unit.as_str(), "" | "b" | "byte" | "bytes") {
        return Some(1);
    }
    let power = 1 + "kmgtpe".find(unit.chars().next()?)? as u32;
    match &unit[1..] {
        "" | "ib" => Some(1024u64.pow(power)),
        "b" => Some(1000u64.pow(power)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        for (unit, bytes) in [
            ("b", Some(1)),
            ("bytes", Some(1)),
            ("k", Some(1024)),
            ("KiB", Some(1024)),
            ("KB", Some(1000)),
            ("MiB", Some(1 << 20)),
            ("g", Some(1 << 30)),
            ("EB", Some(1_000_000_000_000_000_000)),
            ("kk", None),
            ("é", None),
            ("x", None),
        ] {
            assert_eq!(unit_bytes(unit), bytes, "{unit}");
        }
    }
}
