//! Shares, reservations, limits and affinities of machines.

use vi_types::enums::SharesLevel;
use vi_types::objects::{
    ResourceAllocationInfo, VirtualMachineAffinityInfo, VirtualMachineConfigInfo,
    VirtualMachineConfigSpec,
};

use crate::world::inventory::parts::allocation;

/// Shares of a virtual processor at the level `normal`.
const CPU_SHARES: i32 = 1000;
/// Shares of a MB of memory at the level `normal`.
const MEMORY_SHARES: i32 = 10;

/// Sets affinities, and what follows from the size of a machine: its shares, and a reservation of all its memory.
pub(super) fn complete(config: &mut VirtualMachineConfigInfo, spec: &VirtualMachineConfigSpec) {
    set_affinity(&mut config.cpu_affinity, spec.cpu_affinity.as_deref());
    set_affinity(&mut config.memory_affinity, spec.memory_affinity.as_deref());
    let hardware = &config.hardware;
    let (cpus, memory_mb) = (hardware.num_cpu, hardware.memory_mb);
    let cpu = config
        .cpu_allocation
        .get_or_insert_with(|| allocation(0).into());
    set_shares(cpu, cpus.saturating_mul(CPU_SHARES));
    let memory = config
        .memory_allocation
        .get_or_insert_with(|| allocation(0).into());
    set_shares(memory, memory_mb.saturating_mul(MEMORY_SHARES));
    if config.memory_reservation_locked_to_max == Some(true) {
        memory.reservation = Some(i64::from(memory_mb));
    }
}

/// An empty set removes the affinity (API reference of `VirtualMachineAffinityInfo.affinitySet`).
fn set_affinity(
    affinity: &mut Option<Box<VirtualMachineAffinityInfo>>,
    new: Option<&VirtualMachineAffinityInfo>,
) {
    if let Some(new) = new {
        *affinity = (!new.affinity_set.is_empty()).then(|| new.clone().into());
    }
}

/// The number of shares counts at the level `custom` only. At the others it follows from the size of the machine (API
/// reference of `SharesInfo.level`).
fn set_shares(allocation: &mut ResourceAllocationInfo, normal: i32) {
    if let Some(shares) = allocation.shares.as_deref_mut() {
        shares.shares = match shares.level {
            SharesLevel::Low => normal / 2,
            SharesLevel::Normal => normal,
            SharesLevel::High => normal.saturating_mul(2),
            _ => shares.shares,
        };
    }
}
