//! Sizes of pools, volumes and disks, as virsh prints and reads them.

use super::number;
use crate::failure::Failure;

/// A size in the largest unit of which it has one, as virsh shows it (vshPrettyCapacity).
///
/// virsh shows pools and volumes with two decimals, disks with three.
#[expect(clippy::cast_precision_loss, reason = "few decimals are shown")]
pub(crate) fn pretty(bytes: u64, decimals: usize) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut size = bytes as f64;
    let mut units = units.into_iter();
    let mut unit = units.next().unwrap_or_default();
    for larger in units {
        if size < 1024.0 {
            break;
        }
        (size, unit) = (size / 1024.0, larger);
    }
    format!("{size:.decimals$} {unit}")
}

/// The bytes that `text` means: a number with a unit, or of bytes (vshVolSize).
///
/// # Errors
/// virsh's text, and libvirt's reason if there is one.
pub(crate) fn parse(text: &str) -> Result<u64, Failure> {
    number::scaled(text, 1).map_err(|reason| {
        let failure = Failure::new(format!("Malformed size {text}"));
        match reason {
            Some(reason) => failure.followed_by(reason),
            None => failure,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{parse, pretty};

    #[test]
    fn sizes_for_people() {
        for (bytes, decimals, expected) in [
            (0, 3, "0.000 B"),
            (1023, 3, "1023.000 B"),
            (1024, 3, "1.000 KiB"),
            (1_099_506_450_432, 3, "1023.995 GiB"),
            (1 << 40, 2, "1.00 TiB"),
            (1_610_612_736, 2, "1.50 GiB"),
            (u64::MAX, 2, "16.00 EiB"),
        ] {
            assert_eq!(pretty(bytes, decimals), expected);
        }
    }

    #[test]
    fn sizes_of_people() {
        for (text, expected) in [("5", 5), (" 5", 5), ("+5", 5), ("010", 10), ("2M", 2 << 20)] {
            assert_eq!(parse(text), Ok(expected), "{text:?}");
        }
        for (text, expected) in [
            ("x", "error: Malformed size x\n"),
            ("-1", "error: Malformed size -1\n"),
            (
                "1.5G",
                "error: Malformed size 1.5G\nerror: invalid argument: unknown suffix '.5G'\n",
            ),
            (
                "99999E",
                "error: Malformed size 99999E\nerror: numerical overflow: value too large: 99999E\n",
            ),
        ] {
            let failure = parse(text).unwrap_err();
            assert_eq!(failure.to_string(), expected);
        }
    }
}
