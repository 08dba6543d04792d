//! The properties `summary`, `runtime` and `capability` of a machine.

use vi_types::enums::{
    ManagedEntityStatus, VirtualMachineConnectionState, VirtualMachineFaultToleranceState,
    VirtualMachineRecordReplayState,
};
use vi_types::objects::{
    ResourceAllocationInfo, VirtualDisk, VirtualEthernetCard, VirtualMachineCapability,
    VirtualMachineConfigInfo, VirtualMachineConfigSummary, VirtualMachineQuickStats,
    VirtualMachineRuntimeInfo, VirtualMachineSummary,
};
use vi_types::{ManagedObjectReference, properties};

use crate::world::World;
use crate::world::inventory::host;

pub(super) fn capability() -> VirtualMachineCapability {
    VirtualMachineCapability {
        snapshot_operations_supported: true,
        multiple_snapshots_supported: true,
        snapshot_config_supported: true,
        powered_off_snapshots_supported: true,
        memory_snapshots_supported: true,
        revert_to_snapshot_supported: true,
        quiesced_snapshots_supported: true,
        console_preferences_supported: true,
        cpu_feature_mask_supported: true,
        tools_auto_update_supported: true,
        swap_placement_supported: true,
        tools_sync_time_supported: true,
        virtual_mmu_usage_supported: true,
        disk_shares_supported: true,
        boot_options_supported: true,
        setting_video_ram_size_supported: true,
        ..VirtualMachineCapability::default()
    }
}

/// The runtime of a machine on a host, without its power state.
pub(super) fn runtime(
    world: &World,
    host: &ManagedObjectReference,
    config: &VirtualMachineConfigInfo,
) -> VirtualMachineRuntimeInfo {
    VirtualMachineRuntimeInfo {
        host: Some(host.clone()),
        connection_state: VirtualMachineConnectionState::Connected,
        fault_tolerance_state: world
            .since("4.0")
            .then_some(VirtualMachineFaultToleranceState::NotConfigured),
        tools_installer_mounted: false,
        suspend_interval: Some(0),
        max_cpu_usage: Some(config.hardware.num_cpu * host::MHZ),
        max_memory_usage: Some(config.hardware.memory_mb),
        num_mks_connections: 0,
        record_replay_state: world
            .since("4.0")
            .then_some(VirtualMachineRecordReplayState::Inactive),
        online_standby: world.since("5.1").then_some(false),
        consolidation_needed: world.since("5.0").then_some(false),
        ..VirtualMachineRuntimeInfo::default()
    }
}

/// A summary without configuration and power state.
pub(super) fn summary(world: &World, vm: &ManagedObjectReference) -> VirtualMachineSummary {
    VirtualMachineSummary {
        vm: Some(vm.clone()),
        config: VirtualMachineConfigSummary {
            install_boot_required: world.since("4.0").then_some(false),
            ..VirtualMachineConfigSummary::default()
        },
        overall_status: ManagedEntityStatus::Green,
        ..VirtualMachineSummary::default()
    }
}

/// Writes a configuration into `summary.config` and the limits of `runtime`.
pub(super) fn show_config(
    world: &World,
    vm: &mut properties::VirtualMachine,
    config: &VirtualMachineConfigInfo,
) {
    let devices = &config.hardware.device;
    let disks = devices.iter().filter(|device| device.is::<VirtualDisk>());
    let cards = devices
        .iter()
        .filter(|device| device.is::<VirtualEthernetCard>());
    let summary = &mut vm.summary.get_or_insert_default().config;
    summary.name.clone_from(&config.name);
    summary.template = config.template;
    summary.vm_path_name = config.files.vm_path_name.clone().unwrap_or_default();
    summary.memory_size_mb = Some(config.hardware.memory_mb);
    summary.num_cpu = Some(config.hardware.num_cpu);
    summary.uuid = Some(config.uuid.clone());
    summary.instance_uuid.clone_from(&config.instance_uuid);
    summary.guest_id = Some(config.guest_id.clone());
    summary.guest_full_name = Some(config.guest_full_name.clone());
    summary.annotation.clone_from(&config.annotation);
    summary.num_virtual_disks = i32::try_from(disks.count()).ok();
    summary.num_ethernet_cards = i32::try_from(cards.count()).ok();
    let reserved = |allocation: Option<&ResourceAllocationInfo>| {
        let reservation = allocation.and_then(|allocation| allocation.reservation);
        i32::try_from(reservation.unwrap_or(0)).ok()
    };
    summary.cpu_reservation = reserved(config.cpu_allocation.as_deref());
    summary.memory_reservation = reserved(config.memory_allocation.as_deref());
    summary.hw_version = world.since("6.9.1").then(|| config.version.clone());
    if let Some(runtime) = vm.runtime.as_deref_mut() {
        runtime.max_cpu_usage = Some(config.hardware.num_cpu * host::MHZ);
        runtime.max_memory_usage = Some(config.hardware.memory_mb);
        if let Some(summary) = vm.summary.as_deref_mut() {
            summary.runtime = runtime.clone();
        }
    }
}

/// Measurements of the host, which depend on the power state and the memory only.
pub(super) fn quick_stats(
    world: &World,
    is_on: bool,
    memory_mb: i32,
    heartbeat: ManagedEntityStatus,
) -> VirtualMachineQuickStats {
    let used = if is_on { memory_mb / 4 } else { 0 };
    let modern = world.since("4.0");
    VirtualMachineQuickStats {
        overall_cpu_usage: Some(if is_on { 71 } else { 0 }),
        overall_cpu_demand: modern.then_some(0),
        guest_memory_usage: Some(used),
        host_memory_usage: Some(used),
        guest_heartbeat_status: heartbeat,
        distributed_cpu_entitlement: Some(0),
        distributed_memory_entitlement: Some(0),
        static_cpu_entitlement: modern.then_some(0),
        static_memory_entitlement: modern.then_some(0),
        private_memory: modern.then_some(used),
        shared_memory: modern.then_some(0),
        swapped_memory: modern.then_some(0),
        ballooned_memory: modern.then_some(0),
        consumed_overhead_memory: modern.then_some(if is_on { 54 } else { 0 }),
        uptime_seconds: (world.since("4.1") && is_on).then_some(1_206_000),
        ..VirtualMachineQuickStats::default()
    }
}
