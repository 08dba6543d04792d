//! Sizes of pools, volumes and disks, as virsh prints them.

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

#[cfg(test)]
mod tests {
    use super::pretty;

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
}
