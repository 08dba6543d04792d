//! Sizes with units, as libvirt's `virScaleInteger` reads them.

use crate::{
    ErrorNumber,
    xml::{Node, XmlError},
};

/// `number` times the bytes of its unit; `default` is the unit where the document names none.
///
/// # Errors
/// libvirt's errors if the unit is not known, or the size is larger than `most` bytes.
pub(crate) fn scale(
    node: &Node<'_>,
    number: u64,
    unit: Option<&str>,
    default: &str,
    most: u64,
) -> Result<u64, XmlError> {
    let named = unit.unwrap_or_default();
    let Some(bytes) = unit_bytes(unit.unwrap_or(default)) else {
        return Err(node.fail(ErrorNumber::InvalidArg, format!("unknown suffix '{named}'")));
    };
    let size = number.checked_mul(bytes).filter(|size| *size <= most);
    size.ok_or_else(|| {
        node.fail(
            ErrorNumber::Overflow,
            format!("value too large: {number}{named}"),
        )
    })
}

/// The bytes of a unit: `KB` is 1000, `KiB` and `K` are 1024. Upper and lower case are the same.
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
