//! Small pieces that the presets are made of. Everything is the same in every run.

use vi_types::enums::{ManagedEntityStatus, SharesLevel};
use vi_types::objects::{ResourceAllocationInfo, ResourceConfigSpec, SharesInfo};
use vi_types::{DateTime, ManagedObjectReference, properties};

/// When the hosts and machines were made: 2024-03-01T08:00:00Z.
pub(crate) const MADE: i64 = 1_709_280_000;
/// When hosts were started, in seconds since 1970.
pub(crate) const BOOT: i64 = MADE + 3600;

pub(crate) fn made_time() -> DateTime {
    DateTime::from_epoch_seconds(MADE)
}

pub(crate) fn boot_time() -> DateTime {
    DateTime::from_epoch_seconds(BOOT)
}

pub(crate) fn suspend_time() -> DateTime {
    DateTime::from_epoch_seconds(MADE + 7200)
}

/// Numbers without a pattern from a number: the mixing function of SplitMix64.
pub(crate) fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A UUID that begins with the given digits.
pub(crate) fn uuid(prefix: u16, number: u64) -> String {
    let high = mix(number.wrapping_mul(2)).to_be_bytes();
    let low = mix(number.wrapping_mul(2) + 1).to_be_bytes();
    let [a, b, c, d, e, f, ..] = high;
    let [g, h, i, j, k, l, m, n] = low;
    format!(
        "{prefix:04x}{a:02x}{b:02x}-{c:02x}{d:02x}-{e:02x}{f:02x}-{g:02x}{h:02x}-{i:02x}{j:02x}{k:02x}{l:02x}{m:02x}{n:02x}"
    )
}

/// `[datastore] directory/file`.
pub(crate) fn datastore_path(datastore: &str, path: &str) -> String {
    format!("[{datastore}] {path}")
}

pub(crate) fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// What every object of the inventory has.
pub(crate) fn entity(
    name: &str,
    parent: Option<&ManagedObjectReference>,
) -> properties::ManagedEntity {
    properties::ManagedEntity {
        parent: parent.cloned(),
        overall_status: Some(ManagedEntityStatus::Green),
        config_status: Some(ManagedEntityStatus::Green),
        effective_role: vec![-1],
        name: text(name),
        alarm_actions_enabled: Some(true),
        ..properties::ManagedEntity::default()
    }
}

/// A folder without anything in it.
pub(crate) fn folder(
    name: &str,
    parent: Option<&ManagedObjectReference>,
    child_type: &[&str],
) -> properties::Folder {
    properties::Folder {
        base: entity(name, parent),
        child_type: child_type.iter().map(|ty| (*ty).to_owned()).collect(),
        ..properties::Folder::default()
    }
}

/// A share of a resource that is not limited and has the shares given.
pub(crate) fn allocation(shares: i32) -> ResourceAllocationInfo {
    ResourceAllocationInfo {
        reservation: Some(0),
        expandable_reservation: Some(false),
        limit: Some(-1),
        shares: Some(
            SharesInfo {
                shares,
                level: SharesLevel::Normal,
                ..SharesInfo::default()
            }
            .into(),
        ),
        ..ResourceAllocationInfo::default()
    }
}

/// The shares of a root resource pool.
pub(crate) fn pool_config(entity: &ManagedObjectReference) -> ResourceConfigSpec {
    ResourceConfigSpec {
        entity: Some(entity.clone()),
        cpu_allocation: allocation(4000),
        memory_allocation: allocation(163_840),
        ..ResourceConfigSpec::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_well_formed_and_differ() {
        let one = uuid(0x564d, 1);
        assert!(one.starts_with("564d"));
        let lengths: Vec<_> = one.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_ne!(one, uuid(0x564d, 2));
        assert_eq!(one, uuid(0x564d, 1));
    }
}
