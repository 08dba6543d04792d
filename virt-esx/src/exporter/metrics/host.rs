//! Metrics of hosts.

use esx_driver::vi_types::Enum as _;
use esx_driver::vi_types::enums::{HostSystemPowerState, ManagedEntityStatus};
use esx_driver::{MonitorSnapshot, MonitoredHost};

use super::{
    Labels, Unique, Writer, alarms, bytes, families, hertz, hundredths, kilobytes, labelled,
    milliseconds, moment, table,
};

/// Writes the metrics of all hosts.
pub(super) fn write(writer: &mut Writer, servers: &[(&str, &MonitorSnapshot)]) {
    let mut unique = Unique::default();
    let mut hosts = Vec::new();
    for (connection, known) in servers {
        for host in &known.hosts {
            let labels = unique.labels(&host.name, &host.moref.value, |name| {
                Labels::new(&[
                    ("connection", connection),
                    ("host_name", name),
                    ("dc_name", &host.datacenter),
                    ("cluster_name", &host.cluster),
                ])
            });
            hosts.push((labels, &**host));
        }
    }
    table(writer, HOST, labelled(&hosts));
}

families! {
    /// A host.
    HOST: MonitoredHost =
    Gauge "vmware_host_power_state" "Whether the host is on." = same, from "runtime.powerState":
        |host, out| out.put(Some(host.power_state == HostSystemPowerState::PoweredOn));
    Gauge "vmware_host_standby_mode" {"standby_mode_state"} "Whether the host is in standby mode." = same,
        from "runtime.standbyMode":
        |host, out| if let Some(mode) = &host.standby_mode {
            out.with(&[("standby_mode_state", mode)], Some(mode == "in"));
        };
    Gauge "vmware_host_connection_state" {"state"} "Whether the vCenter reaches the host." = same,
        from "runtime.connectionState":
        |host, out| {
            let state = host.connection_state.as_str();
            out.with(&[("state", state)], Some(state == "connected"));
        };
    Gauge "vmware_host_maintenance_mode" "Whether the host is in maintenance mode." = same,
        from "runtime.inMaintenanceMode":
        |host, out| out.put(Some(host.in_maintenance));
    Gauge "vmware_host_boot_timestamp_seconds" "When the host was started, in seconds since 1970." = same,
        from "runtime.bootTime":
        |host, out| out.put(host.boot_time.as_ref().and_then(moment));
    Gauge "vmware_host_cpu_usage_hertz" "Used processor time."
        instead of "host_cpu_usage, host_cpu_usagemhz_average (MHz)", from "quickStats.overallCpuUsage":
        |host, out| out.put(hertz(host.cpu_usage_mhz));
    Gauge "vmware_host_cpu_max_hertz" "What all cores can do." instead of "host_cpu_max (MHz)",
        from "summary.hardware.cpuMhz, numCpuCores":
        |host, out| out.put(hertz(Some(host.max_cpu_mhz())));
    Gauge "vmware_host_num_cpu" "The number of cores." = same, from "summary.hardware.numCpuCores":
        |host, out| out.put(Some(host.cpu_cores));
    Gauge "vmware_host_memory_usage_bytes" "Used memory." instead of "host_memory_usage (MB)",
        from "quickStats.overallMemoryUsage":
        |host, out| out.put(bytes(host.memory_usage_kib));
    Gauge "vmware_host_memory_max_bytes" "The memory." instead of "host_memory_max (MB)",
        from "summary.hardware.memorySize":
        |host, out| out.put(Some(host.memory_bytes));
    Gauge "vmware_host_vms" "The number of machines on the host.", from "vm":
        |host, out| out.put(Some(host.domains));
    Gauge "vmware_host_uptime_seconds" "Time since the host was started.", from "quickStats.uptime":
        |host, out| out.put(host.uptime_seconds);
    Info "vmware_host_product_info" {"version, build"} "What runs on the host." = same, from "summary.config.product":
        |host, out| out.with(&[("version", &host.version), ("build", &host.build)], Some(true));
    Info "vmware_host_hardware_info" {"hardware_model, hardware_cpu_model"} "The hardware of the host." = same,
        from "summary.hardware":
        |host, out| out.with(
            &[("hardware_model", &host.model), ("hardware_cpu_model", &host.cpu_model)],
            Some(true),
        );
    Gauge "vmware_host_yellow_alarms" "The number of triggered yellow alarms." = same, from "triggeredAlarmState":
        |host, out| out.put(alarms(&host.alarms, &ManagedEntityStatus::Yellow));
    Gauge "vmware_host_red_alarms" "The number of triggered red alarms." = same, from "triggeredAlarmState":
        |host, out| out.put(alarms(&host.alarms, &ManagedEntityStatus::Red));
    Gauge "vmware_host_cpu_usage_ratio" "Used part of the time of all processors."
        instead of "host_cpu_usage_average (1/100 %)", from "cpu.usage.average":
        |host, out| out.put(hundredths(host.counter("cpu.usage.average")));
    Gauge "vmware_host_cpu_demand_hertz" "What all machines would use if nothing limited them."
        instead of "host_cpu_demand_average (MHz)", from "cpu.demand.average":
        |host, out| out.put(host.counter("cpu.demand.average").map(|mhz| mhz * 1_000_000));
    Gauge "vmware_host_cpu_costop_seconds"
        "Time in the newest sample of 20 seconds in which processors of machines waited for each other."
        instead of "host_cpu_costop_summation (ms)", from "cpu.costop.summation":
        |host, out| out.put(milliseconds(host.counter("cpu.costop.summation")));
    Gauge "vmware_host_cpu_idle_seconds" "Time in the newest sample of 20 seconds in which processors were idle."
        instead of "host_cpu_idle_summation (ms)", from "cpu.idle.summation":
        |host, out| out.put(milliseconds(host.counter("cpu.idle.summation")));
    Gauge "vmware_host_cpu_ready_seconds"
        "Time in the newest sample of 20 seconds in which machines could run and got no processor."
        instead of "host_cpu_ready_summation (ms)", from "cpu.ready.summation":
        |host, out| out.put(milliseconds(host.counter("cpu.ready.summation")));
    Gauge "vmware_host_cpu_swapwait_seconds"
        "Time in the newest sample of 20 seconds in which machines waited for swapped memory."
        instead of "host_cpu_swapwait_summation (ms)", from "cpu.swapwait.summation":
        |host, out| out.put(milliseconds(host.counter("cpu.swapwait.summation")));
    Gauge "vmware_host_cpu_used_seconds" "Time in the newest sample of 20 seconds in which processors were used."
        instead of "host_cpu_used_summation (ms)", from "cpu.used.summation":
        |host, out| out.put(milliseconds(host.counter("cpu.used.summation")));
    Gauge "vmware_host_disk_read_bytes_per_second" "Bytes read a second."
        instead of "host_disk_read_average (KB/s)", from "disk.read.average":
        |host, out| out.put(kilobytes(host.counter("disk.read.average")));
    Gauge "vmware_host_disk_write_bytes_per_second" "Bytes written a second."
        instead of "host_disk_write_average (KB/s)", from "disk.write.average":
        |host, out| out.put(kilobytes(host.counter("disk.write.average")));
    Gauge "vmware_host_disk_max_total_latency_seconds" "Highest latency of all disks.", from "disk.maxTotalLatency.latest":
        |host, out| out.put(milliseconds(host.counter("disk.maxTotalLatency.latest")));
    Gauge "vmware_host_mem_active_bytes" "Memory that guests have touched recently."
        instead of "host_mem_active_average (KB)", from "mem.active.average":
        |host, out| out.put(kilobytes(host.counter("mem.active.average")));
    Gauge "vmware_host_mem_latency_ratio" "Part of the time in which machines waited for memory."
        instead of "host_mem_latency_average (1/100 %)", from "mem.latency.average":
        |host, out| out.put(hundredths(host.counter("mem.latency.average")));
    Gauge "vmware_host_mem_swapin_bytes" "Memory swapped in." instead of "host_mem_swapin_average (KB)",
        from "mem.swapin.average":
        |host, out| out.put(kilobytes(host.counter("mem.swapin.average")));
    Gauge "vmware_host_mem_swapout_bytes" "Memory swapped out." instead of "host_mem_swapout_average (KB)",
        from "mem.swapout.average":
        |host, out| out.put(kilobytes(host.counter("mem.swapout.average")));
    Gauge "vmware_host_mem_swapin_bytes_per_second" "Memory swapped in a second."
        instead of "host_mem_swapinRate_average (KB/s)", from "mem.swapinRate.average":
        |host, out| out.put(kilobytes(host.counter("mem.swapinRate.average")));
    Gauge "vmware_host_mem_swapout_bytes_per_second" "Memory swapped out a second."
        instead of "host_mem_swapoutRate_average (KB/s)", from "mem.swapoutRate.average":
        |host, out| out.put(kilobytes(host.counter("mem.swapoutRate.average")));
    Gauge "vmware_host_mem_vmmemctl_bytes" "Memory that balloons have taken from guests."
        instead of "host_mem_vmmemctl_average (KB)", from "mem.vmmemctl.average":
        |host, out| out.put(kilobytes(host.counter("mem.vmmemctl.average")));
    Gauge "vmware_host_net_received_bytes_per_second" "Bytes received a second."
        instead of "host_net_bytesRx_average (KB/s)", from "net.bytesRx.average":
        |host, out| out.put(kilobytes(host.counter("net.bytesRx.average")));
    Gauge "vmware_host_net_transmitted_bytes_per_second" "Bytes sent a second."
        instead of "host_net_bytesTx_average (KB/s)", from "net.bytesTx.average":
        |host, out| out.put(kilobytes(host.counter("net.bytesTx.average")));
    Gauge "vmware_host_net_usage_bytes_per_second" "Bytes received and sent a second."
        instead of "host_net_usage_average (KB/s)", from "net.usage.average":
        |host, out| out.put(kilobytes(host.counter("net.usage.average")));
    Gauge "vmware_host_net_dropped_rx_packets" "Packets dropped when received in the newest sample of 20 seconds."
        instead of "host_net_droppedRx_summation", from "net.droppedRx.summation":
        |host, out| out.put(host.counter("net.droppedRx.summation"));
    Gauge "vmware_host_net_dropped_tx_packets" "Packets dropped when sent in the newest sample of 20 seconds."
        instead of "host_net_droppedTx_summation", from "net.droppedTx.summation":
        |host, out| out.put(host.counter("net.droppedTx.summation"));
    Gauge "vmware_host_net_errors_rx_packets" "Errors of receiving in the newest sample of 20 seconds."
        instead of "host_net_errorsRx_summation", from "net.errorsRx.summation":
        |host, out| out.put(host.counter("net.errorsRx.summation"));
    Gauge "vmware_host_net_errors_tx_packets" "Errors of sending in the newest sample of 20 seconds."
        instead of "host_net_errorsTx_summation", from "net.errorsTx.summation":
        |host, out| out.put(host.counter("net.errorsTx.summation"));
    Gauge "vmware_host_power_watts" "Electrical power.", from "power.power.average":
        |host, out| out.put(host.counter("power.power.average"));
}
