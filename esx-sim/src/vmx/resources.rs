//! Resources and switches of machines in VMX files.

use vi_types::enums::SharesLevel;
use vi_types::objects::{
    ResourceAllocationInfo, SharesInfo, VirtualMachineAffinityInfo, VirtualMachineBootOptions,
    VirtualMachineConfigInfo, VirtualMachineConfigSpec, VirtualMachineFlagInfo,
};

use super::VmxValues;
use crate::world::World;

/// The keys and values of a configuration. What is as on every machine is left out.
pub(super) fn keys(config: &VirtualMachineConfigInfo) -> Vec<(&'static str, String)> {
    let mut keys = Vec::new();
    if let Some(cpu) = config.cpu_allocation.as_deref() {
        let own = [
            ("sched.cpu.min", cpu.reservation.filter(|mhz| *mhz > 0)),
            ("sched.cpu.max", cpu.limit.filter(|mhz| *mhz >= 0)),
        ];
        let own = own
            .into_iter()
            .filter_map(|(key, mhz)| Some((key, mhz?.to_string())));
        keys.extend(own);
        if !keys.is_empty() {
            keys.insert(0, ("sched.cpu.units", "mhz".to_owned()));
        }
        keys.extend(shares(cpu).map(|shares| ("sched.cpu.shares", shares)));
    }
    if let Some(memory) = config.memory_allocation.as_deref() {
        if let Some(reserved) = memory.reservation.filter(|mb| *mb > 0) {
            keys.push(("sched.mem.min", reserved.to_string()));
            keys.push(("sched.mem.minSize", reserved.to_string()));
        }
        if let Some(limit) = memory.limit.filter(|mb| *mb >= 0) {
            keys.push(("sched.mem.max", limit.to_string()));
        }
        keys.extend(shares(memory).map(|shares| ("sched.mem.shares", shares)));
    }
    for (key, affinity) in [
        ("sched.cpu.affinity", config.cpu_affinity.as_deref()),
        ("sched.mem.affinity", config.memory_affinity.as_deref()),
    ] {
        if let Some(affinity) = affinity {
            let numbers: Vec<_> = affinity.affinity_set.iter().map(i32::to_string).collect();
            keys.push((key, numbers.join(",")));
        }
    }
    let boot = config.boot_options.as_deref();
    if let Some(delay) = boot
        .and_then(|boot| boot.boot_delay)
        .filter(|delay| *delay > 0)
    {
        keys.push(("bios.bootDelay", delay.to_string()));
    }
    for (key, is_set) in [
        ("sched.mem.pin", config.memory_reservation_locked_to_max),
        ("vcpu.hotadd", config.cpu_hot_add_enabled),
        ("vcpu.hotremove", config.cpu_hot_remove_enabled),
        ("mem.hotadd", config.memory_hot_add_enabled),
        ("vhv.enable", config.nested_hv_enabled),
        ("disk.EnableUUID", config.flags.disk_uuid_enabled),
        ("ctkEnabled", config.change_tracking_enabled),
        (
            "bios.forceSetupOnce",
            boot.and_then(|boot| boot.enter_bios_setup),
        ),
        (
            "uefi.secureBoot.enabled",
            boot.and_then(|boot| boot.efi_secure_boot_enabled),
        ),
    ] {
        if is_set == Some(true) {
            keys.push((key, "TRUE".to_owned()));
        }
    }
    keys
}

/// The level, or the number at the level `custom`. None for the level that every machine has.
fn shares(allocation: &ResourceAllocationInfo) -> Option<String> {
    let shares = allocation.shares.as_deref()?;
    match shares.level {
        SharesLevel::Low => Some("low".to_owned()),
        SharesLevel::High => Some("high".to_owned()),
        SharesLevel::Custom => Some(shares.shares.to_string()),
        _ => None,
    }
}

/// Adds what a file says to a specification. A missing key means what it does on a new machine.
pub(super) fn read(world: &World, keys: &VmxValues, spec: &mut VirtualMachineConfigSpec) {
    let since = |version, is_set| world.since(version).then_some(is_set);
    let minimum = keys
        .number("sched.mem.min")
        .or(keys.number("sched.mem.minSize"));
    let allocation = |minimum: Option<i64>, kind: &str| ResourceAllocationInfo {
        reservation: Some(minimum.unwrap_or(0).max(0)),
        limit: Some(
            keys.number(&format!("sched.{kind}.max"))
                .unwrap_or(-1)
                .max(-1),
        ),
        shares: Some(shares_of(keys.get(&format!("sched.{kind}.shares"))).into()),
        ..ResourceAllocationInfo::default()
    };
    spec.cpu_allocation = Some(allocation(keys.number("sched.cpu.min"), "cpu").into());
    spec.memory_allocation = Some(allocation(minimum, "mem").into());
    let affinity = |key| {
        let value = keys.get(key).unwrap_or_default();
        let numbers = value
            .split(',')
            .filter_map(|number| number.trim().parse().ok());
        Some(
            VirtualMachineAffinityInfo {
                affinity_set: numbers.collect(),
                ..VirtualMachineAffinityInfo::default()
            }
            .into(),
        )
    };
    spec.cpu_affinity = affinity("sched.cpu.affinity");
    spec.memory_affinity = affinity("sched.mem.affinity");
    spec.memory_reservation_locked_to_max = match keys.is("sched.mem.pin") {
        true => Some(true),
        false => None,
    };
    spec.cpu_hot_add_enabled = since("4.0", keys.is("vcpu.hotadd"));
    spec.cpu_hot_remove_enabled = since("4.0", keys.is("vcpu.hotremove"));
    spec.memory_hot_add_enabled = since("4.0", keys.is("mem.hotadd"));
    spec.change_tracking_enabled = since("4.0", keys.is("ctkEnabled"));
    spec.nested_hv_enabled = keys
        .get("vhv.enable")
        .and(since("5.1", keys.is("vhv.enable")));
    spec.flags = Some(
        VirtualMachineFlagInfo {
            disk_uuid_enabled: Some(keys.is("disk.EnableUUID")),
            ..VirtualMachineFlagInfo::default()
        }
        .into(),
    );
    let secure = keys.get("uefi.secureBoot.enabled");
    spec.boot_options = Some(
        VirtualMachineBootOptions {
            boot_delay: Some(keys.number("bios.bootDelay").unwrap_or(0)),
            enter_bios_setup: Some(keys.is("bios.forceSetupOnce")),
            efi_secure_boot_enabled: secure.and(since("6.5", keys.is("uefi.secureBoot.enabled"))),
            ..VirtualMachineBootOptions::default()
        }
        .into(),
    );
}

pub(super) fn shares_of(value: Option<String>) -> SharesInfo {
    let value = value.unwrap_or_default().to_ascii_lowercase();
    let number = value.parse().ok();
    SharesInfo {
        level: match &*value {
            "low" => SharesLevel::Low,
            "high" => SharesLevel::High,
            _ if number.is_some() => SharesLevel::Custom,
            _ => SharesLevel::Normal,
        },
        shares: number.unwrap_or(0),
        ..SharesInfo::default()
    }
}
