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
use crate::world::inventory::{host, parts};

pub(crate) fn capability() -> VirtualMachineCapability {
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

/// Measurements of the host: none of a machine that does not run.
///
/// They depend on the size of the machine and on its UUID. Memory is in MB, usage of processors in MHz.
pub(super) fn quick_stats(
    world: &World,
    is_on: bool,
    config: &VirtualMachineConfigInfo,
    heartbeat: ManagedEntityStatus,
) -> VirtualMachineQuickStats {
    let silent = VirtualMachineQuickStats {
        guest_heartbeat_status: heartbeat,
        ..VirtualMachineQuickStats::default()
    };
    if !is_on {
        return silent;
    }
    let number = config.uuid.bytes().fold(0u64, |number, byte| {
        number.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    let random = parts::mix(number).to_be_bytes();
    let percent = |index: usize, from: i32, to: i32| {
        let byte = random.get(index).copied().unwrap_or_default();
        from + i32::from(byte) % (to - from + 1)
    };
    let of = |whole: i32, percent: i32| {
        let part = i64::from(whole) * i64::from(percent) / 100;
        i32::try_from(part).unwrap_or(i32::MAX)
    };
    let memory_mb = config.hardware.memory_mb;
    let speed = config.hardware.num_cpu.saturating_mul(host::MHZ);
    let usage = of(speed, percent(0, 1, 20)).max(1);
    let active = of(memory_mb, percent(1, 5, 30));
    let private = of(memory_mb, percent(2, 60, 90));
    let shared = of(memory_mb, percent(3, 1, 8));
    let overhead = 40 + of(memory_mb, 1);
    let since = |version: &str, value: i32| world.since(version).then_some(value);
    let uptime = parts::MADE + 86_400 - parts::BOOT;
    VirtualMachineQuickStats {
        overall_cpu_usage: Some(usage),
        overall_cpu_demand: since("4.0", usage + usage / 8),
        overall_cpu_readiness: since("7.0", 0),
        guest_memory_usage: Some(active),
        // What the machine has, without what the host shares with others.
        host_memory_usage: Some(private + overhead),
        distributed_cpu_entitlement: Some(0),
        distributed_memory_entitlement: Some(0),
        static_cpu_entitlement: since("4.0", speed),
        static_memory_entitlement: since("4.0", memory_mb + overhead),
        granted_memory: since("7.0", private + shared),
        private_memory: since("4.0", private),
        shared_memory: since("4.0", shared),
        swapped_memory: since("4.0", 0),
        ballooned_memory: since("4.0", 0),
        consumed_overhead_memory: since("4.0", overhead),
        ft_log_bandwidth: since("4.0", -1),
        ft_secondary_latency: since("4.0", -1),
        compressed_memory: world.since("4.1").then_some(0),
        ssd_swapped_memory: world.since("5.0").then_some(0),
        active_memory: since("7.0.3.0", active),
        uptime_seconds: since("4.1", i32::try_from(uptime).unwrap_or(i32::MAX)),
        ..silent
    }
}
