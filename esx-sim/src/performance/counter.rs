//! The counters that servers have.

use std::collections::HashMap;
use std::sync::LazyLock;

use vi_types::enums::{PerfStatsType, PerfSummaryType};
use vi_types::objects::{Description, ElementDescription, PerfCounterInfo};
use vi_types::{Enum, Poly};

use crate::world::inventory::ServerKind;

/// A counter of a server.
pub(crate) struct Counter {
    /// Its number, which differs between an ESX host and a vCenter.
    pub(crate) id: i32,
    pub(crate) group: &'static str,
    pub(crate) name: &'static str,
    rollup: PerfSummaryType,
    stats: PerfStatsType,
    unit: &'static str,
    /// The lowest collection level with which a server keeps it: of an entity as a whole, and of the entity's parts.
    pub(crate) level: i32,
    pub(crate) part_level: i32,
    machines: Extent,
    hosts: Extent,
    label: &'static str,
}

/// What of an entity a counter has values of.
#[derive(Clone, Copy)]
pub(crate) struct Extent {
    pub(crate) whole: bool,
    pub(crate) parts: Option<Parts>,
}

/// The parts of an entity, which are a counter's instances.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parts {
    /// Virtual CPUs, or threads of a host: `0`, `1`, ...
    Cpus,
    /// Network cards by their device's key: `4000`, ...; physical ones by their name: `vmnic0`, ...
    Nics,
    /// Virtual disks by their place: `scsi0:0`, ...; LUNs by their name: `naa.` ...
    Disks,
    /// Datastores by their UUID.
    Stores,
}

/// All counters of a kind of server, in the order of their ids.
pub(crate) fn counters(kind: ServerKind) -> &'static [Counter] {
    static ESX: LazyLock<Vec<Counter>> = LazyLock::new(|| read(ServerKind::Esx));
    static VCENTER: LazyLock<Vec<Counter>> = LazyLock::new(|| read(ServerKind::VCenter));
    match kind {
        ServerKind::Esx => &ESX,
        ServerKind::VCenter => &VCENTER,
    }
}

/// The ids of an ESX host begin with the group's number.
const GROUPS: &[(&str, i32)] = &[
    ("cpu", 0),
    ("mem", 1),
    ("disk", 2),
    ("net", 3),
    ("sys", 4),
    ("rescpu", 5),
    ("virtualDisk", 9),
    ("datastore", 10),
    ("power", 11),
];

fn read(kind: ServerKind) -> Vec<Counter> {
    let mut in_groups: HashMap<&str, i32> = HashMap::new();
    let mut counters = Vec::new();
    let lines = include_str!("counters.txt").lines();
    let lines = lines.filter(|line| !line.starts_with('#'));
    for (line_number, line) in (2..).zip(lines) {
        let mut words = line.split_whitespace();
        let mut word = || words.next().unwrap_or_default();
        let (group, name, rollup, stats, unit) = (word(), word(), word(), word(), word());
        let (level, part_level, server) = (word(), word(), word());
        let (machines, hosts) = (extent(word()), extent(word()));
        let number = in_groups.entry(group).or_default();
        *number += 1;
        let id = match kind {
            ServerKind::Esx => {
                let group = GROUPS.iter().find(|(known, _)| *known == group);
                group.map_or(0, |(_, base)| base << 16) + *number
            }
            ServerKind::VCenter => line_number,
        };
        let is_here = match server {
            "esx" => kind == ServerKind::Esx,
            "vcenter" => kind == ServerKind::VCenter,
            _ => true,
        };
        if is_here {
            counters.push(Counter {
                id,
                group,
                name,
                rollup: PerfSummaryType::from_wire(rollup),
                stats: PerfStatsType::from_wire(stats),
                unit,
                level: level.parse().unwrap_or(4),
                part_level: part_level.parse().unwrap_or(4),
                machines,
                hosts,
                label: line.get(106..).unwrap_or(name),
            });
        }
    }
    counters.sort_by_key(|counter| counter.id);
    counters
}

fn extent(word: &str) -> Extent {
    Extent {
        whole: word.starts_with('.'),
        parts: match word.trim_start_matches('.') {
            "cpu" => Some(Parts::Cpus),
            "nic" => Some(Parts::Nics),
            "disk" => Some(Parts::Disks),
            "store" => Some(Parts::Stores),
            _ => None,
        },
    }
}

impl Counter {
    /// What it has values of, of a virtual machine or of a host.
    pub(crate) fn extent(&self, of_machine: bool) -> Extent {
        match of_machine {
            true => self.machines,
            false => self.hosts,
        }
    }

    /// `cpu.usage.average`.
    pub(crate) fn full_name(&self) -> String {
        format!("{}.{}.{}", self.group, self.name, self.rollup.as_str())
    }

    /// What a client sees of it.
    pub(crate) fn info(&self) -> PerfCounterInfo {
        PerfCounterInfo {
            key: self.id,
            name_info: element(self.name, self.label),
            group_info: element(self.group, group_label(self.group)),
            unit_info: element(self.unit, unit_label(self.unit)),
            rollup_type: self.rollup.clone(),
            stats_type: self.stats.clone(),
            level: Some(self.level),
            per_device_level: Some(self.part_level),
            ..PerfCounterInfo::default()
        }
    }
}

/// A key with the text that clients show for it.
pub(crate) fn element(key: &str, label: &str) -> Poly<ElementDescription> {
    ElementDescription {
        base: Description {
            label: label.to_owned(),
            summary: label.to_owned(),
            ..Description::default()
        },
        key: key.to_owned(),
        ..ElementDescription::default()
    }
    .into()
}

fn group_label(group: &'static str) -> &'static str {
    match group {
        "cpu" => "CPU",
        "mem" => "Memory",
        "disk" => "Disk",
        "net" => "Network",
        "sys" => "System",
        "rescpu" => "Resource group CPU",
        "virtualDisk" => "Virtual disk",
        "datastore" => "Datastore",
        "power" => "Power",
        other => other,
    }
}

fn unit_label(unit: &'static str) -> &'static str {
    match unit {
        "percent" => "%",
        "kiloBytes" => "KB",
        "kiloBytesPerSecond" => "KBps",
        "megaHertz" => "MHz",
        "millisecond" => "ms",
        "microsecond" => "µs",
        "second" => "s",
        "number" => "num",
        "watt" => "W",
        "joule" => "J",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_line_of_the_table_is_complete() {
        for kind in [ServerKind::Esx, ServerKind::VCenter] {
            let mut ids = HashSet::new();
            for counter in counters(kind) {
                let name = (counter.group, counter.name);
                assert!(ids.insert(counter.id), "{name:?} has an id of its own");
                assert_ne!(counter.unit, unit_label(counter.unit), "{name:?}");
                assert_ne!(counter.group, group_label(counter.group), "{name:?}");
                assert!((1..=4).contains(&counter.level), "{name:?}");
                assert!((1..=4).contains(&counter.part_level), "{name:?}");
                let known = !matches!(counter.rollup, PerfSummaryType::Unrecognized(_))
                    && !matches!(counter.stats, PerfStatsType::Unrecognized(_));
                assert!(known, "{name:?}");
                let extents = [counter.machines, counter.hosts];
                assert!(
                    extents.iter().any(|one| one.whole || one.parts.is_some()),
                    "{name:?}"
                );
                let label = counter.label;
                assert!(label.starts_with(char::is_uppercase), "{name:?}: {label:?}");
            }
        }
    }
}
