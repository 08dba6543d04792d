//! Metrics of datastores and resource pools.

use esx_driver::vi_types::enums::ManagedEntityStatus;
use esx_driver::{MonitorSnapshot, MonitoredDatastore, MonitoredResourcePool};

use super::{Labels, Unique, Writer, alarms, families, hertz, labelled, table};

/// Writes the metrics of all datastores and resource pools.
pub(super) fn write(writer: &mut Writer, servers: &[(&str, &MonitorSnapshot)]) {
    let mut unique = Unique::default();
    let (mut stores, mut pools) = (Vec::new(), Vec::new());
    for (connection, known) in servers {
        for store in &known.datastores {
            let labels = unique.labels(&store.name, &store.moref.value, |name| {
                Labels::new(&[
                    ("connection", connection),
                    ("ds_name", name),
                    ("dc_name", &store.datacenter),
                    ("ds_cluster", &store.cluster),
                ])
            });
            stores.push((labels, &**store));
        }
        for pool in &known.resource_pools {
            let labels = unique.labels(&pool.path, &pool.moref.value, |path| {
                Labels::new(&[
                    ("connection", connection),
                    ("resource_pool", path),
                    ("owner", &pool.owner),
                    ("dc_name", &pool.datacenter),
                ])
            });
            pools.push((labels, &**pool));
        }
    }
    table(writer, DATASTORE, labelled(&stores));
    table(writer, POOL, labelled(&pools));
}

families! {
    /// A datastore.
    DATASTORE: MonitoredDatastore =
    Gauge "vmware_datastore_capacity_size_bytes" "The size." instead of "datastore_capacity_size", from "summary.capacity":
        |store, out| out.put(Some(store.capacity_bytes));
    Gauge "vmware_datastore_freespace_size_bytes" "What is free." instead of "datastore_freespace_size",
        from "summary.freeSpace":
        |store, out| out.put(Some(store.free_bytes));
    Gauge "vmware_datastore_uncommitted_size_bytes" "By how much thin disks may still grow."
        instead of "datastore_uncommited_size", from "summary.uncommitted":
        |store, out| out.put(store.uncommitted_bytes);
    Gauge "vmware_datastore_provisioned_size_bytes" "What is used, and by how much thin disks may still grow."
        instead of "datastore_provisoned_size", from "summary":
        |store, out| out.put(store.uncommitted_bytes.map(|uncommitted| {
            store.capacity_bytes.saturating_sub(store.free_bytes).saturating_add(uncommitted)
        }));
    Gauge "vmware_datastore_hosts" "How many hosts have mounted it." = same, from "host":
        |store, out| out.put(Some(store.hosts));
    Gauge "vmware_datastore_vms" "How many machines have files on it." = same, from "vm":
        |store, out| out.put(Some(store.domains));
    Gauge "vmware_datastore_maintenance_mode" {"mode"} "The maintenance mode, always 1." = same,
        from "summary.maintenanceMode":
        |store, out| if let Some(mode) = &store.maintenance_mode {
            out.with(&[("mode", mode)], Some(true));
        };
    Gauge "vmware_datastore_type" {"ds_type"} "The type, always 1." = same, from "summary.type":
        |store, out| out.with(&[("ds_type", &store.kind)], Some(true));
    Gauge "vmware_datastore_accessible" "Whether a host reaches it. If not, its sizes are those of before." = same,
        from "summary.accessible":
        |store, out| out.put(Some(store.is_accessible));
    Gauge "vmware_datastore_yellow_alarms" "The number of triggered yellow alarms." = same, from "triggeredAlarmState":
        |store, out| out.put(alarms(&store.alarms, &ManagedEntityStatus::Yellow));
    Gauge "vmware_datastore_red_alarms" "The number of triggered red alarms." = same, from "triggeredAlarmState":
        |store, out| out.put(alarms(&store.alarms, &ManagedEntityStatus::Red));
}

families! {
    /// A resource pool.
    POOL: MonitoredResourcePool =
    Gauge "vmware_resource_pool_cpu_usage_hertz" "Used processor time.", from "runtime.cpu.overallUsage":
        |pool, out| out.put(hertz(Some(pool.cpu_mhz.usage)));
    Gauge "vmware_resource_pool_cpu_limit_hertz" "What can be used at most.", from "runtime.cpu.maxUsage":
        |pool, out| out.put(hertz(Some(pool.cpu_mhz.limit)));
    Gauge "vmware_resource_pool_cpu_reservation_hertz" "Reserved processor time.", from "config.cpuAllocation.reservation":
        |pool, out| out.put(hertz(Some(pool.cpu_mhz.reservation)));
    Gauge "vmware_resource_pool_cpu_reservation_used_hertz" "What of the reservation is given to machines and pools.",
        from "runtime.cpu.reservationUsed":
        |pool, out| out.put(hertz(Some(pool.cpu_mhz.reservation_used)));
    Gauge "vmware_resource_pool_memory_usage_bytes" "Used memory.", from "runtime.memory.overallUsage":
        |pool, out| out.put(Some(pool.memory_bytes.usage));
    Gauge "vmware_resource_pool_memory_limit_bytes" "What can be used at most.", from "runtime.memory.maxUsage":
        |pool, out| out.put(Some(pool.memory_bytes.limit));
    Gauge "vmware_resource_pool_memory_reservation_bytes" "Reserved memory.", from "config.memoryAllocation.reservation":
        |pool, out| out.put(Some(pool.memory_bytes.reservation));
    Gauge "vmware_resource_pool_memory_reservation_used_bytes" "What of the reservation is given to machines and pools.",
        from "runtime.memory.reservationUsed":
        |pool, out| out.put(Some(pool.memory_bytes.reservation_used));
    Gauge "vmware_resource_pool_vms" "The number of machines in the pool, without those in pools below.", from "vm":
        |pool, out| out.put(Some(pool.domains));
    Gauge "vmware_resource_pool_yellow_alarms" "The number of triggered yellow alarms.", from "triggeredAlarmState":
        |pool, out| out.put(alarms(&pool.alarms, &ManagedEntityStatus::Yellow));
    Gauge "vmware_resource_pool_red_alarms" "The number of triggered red alarms.", from "triggeredAlarmState":
        |pool, out| out.put(alarms(&pool.alarms, &ManagedEntityStatus::Red));
}
