//! Metrics of domains: libvirt's, and those of VMware's virtual machines.

use esx_driver::vi_types::enums::ManagedEntityStatus;
use esx_driver::{
    MonitorSnapshot, MonitoredDisk, MonitoredDomain, MonitoredInterface, MonitoredVcpu,
};

use super::{
    Labels, Unique, Writer, alarms, bytes, families, hertz, hundredths, kilobytes, labelled,
    milliseconds, moment, seconds, table,
};

/// Writes the metrics of all domains.
pub(super) fn write(writer: &mut Writer, servers: &[(&str, &MonitorSnapshot)]) {
    let all = || {
        servers.iter().flat_map(|(connection, known)| {
            known
                .domains
                .iter()
                .map(move |domain| (*connection, &**domain))
        })
    };
    let mut unique = Unique::default();
    let domains: Vec<_> = all()
        .map(|(connection, domain)| {
            let uuid = domain.uuid.to_string();
            let labels = unique.labels(&domain.name, &domain.moref.value, |name| {
                Labels::new(&[
                    ("connection", connection),
                    ("domain", name),
                    ("uuid", &uuid),
                ])
            });
            (labels, domain)
        })
        .collect();
    table(writer, DOMAIN, labelled(&domains));
    let disks = parts(
        &domains,
        |domain| &domain.disks,
        |disk| {
            let source = disk.source.as_deref().unwrap_or_default();
            Labels::new(&[("source_file", source), ("target_device", &disk.target)])
        },
    );
    table(writer, DISK, labelled(&disks));
    let interfaces = parts(
        &domains,
        |domain| &domain.interfaces,
        |card| {
            let source = card.source.as_deref().unwrap_or_default();
            Labels::new(&[("source_bridge", source), ("target_device", &card.name)])
        },
    );
    table(writer, INTERFACE, labelled(&interfaces));
    let processors = parts(
        &domains,
        |domain| &domain.processors,
        |vcpu| Labels::new(&[("vcpu", &vcpu.number.to_string())]),
    );
    table(writer, VCPU, labelled(&processors));

    let mut unique = Unique::default();
    let machines: Vec<_> = all()
        .map(|(connection, domain)| {
            let labels = unique.labels(&domain.name, &domain.moref.value, |name| {
                Labels::new(&[
                    ("connection", connection),
                    ("vm_name", name),
                    ("ds_name", &domain.datastore),
                    ("host_name", &domain.host_name),
                    ("dc_name", &domain.datacenter),
                    ("cluster_name", &domain.cluster),
                ])
            });
            (labels, domain)
        })
        .collect();
    table(writer, MACHINE, labelled(&machines));
}

/// The parts of all domains with the labels of their domain and their own.
fn parts<'a, T>(
    domains: &[(Labels, &'a MonitoredDomain)],
    of: impl Fn(&'a MonitoredDomain) -> &'a Vec<T>,
    labels: impl Fn(&T) -> Labels,
) -> Vec<(Labels, &'a T)> {
    let mut parts = Vec::new();
    for (domain_labels, domain) in domains {
        for part in of(domain) {
            parts.push((domain_labels.and(&labels(part)), part));
        }
    }
    parts
}

families! {
    /// A domain, in libvirt's words.
    DOMAIN: MonitoredDomain =
    Gauge "libvirt_domain_state_code"
        "The state: 0 unknown, 1 running, 3 suspended, 4 shutting down, 5 off, 6 crashed, 7 standby." = same,
        from "runtime.powerState, runtime.connectionState":
        |domain, out| out.put(Some(domain.state.number()));
    Gauge "libvirt_domain_info_maximum_memory_bytes" "Configured memory." = same, from "config.hardware.memoryMB":
        |domain, out| out.put(bytes(Some(domain.max_memory_kib)));
    Gauge "libvirt_domain_info_memory_usage_bytes"
        "Memory that the balloon leaves to the guest: the current memory of libvirt." = same,
        from "config.hardware.memoryMB, quickStats.balloonedMemory":
        |domain, out| out.put(bytes(Some(domain.memory_kib)));
    Gauge "libvirt_domain_info_virtual_cpus" "The number of processors." = same, from "config.hardware.numCPU":
        |domain, out| out.put(Some(domain.vcpus));
    Counter "libvirt_domain_info_cpu_time_seconds_total"
        "Processor time since the exporter began." = same, from "cpu.used.summation, integrated":
        |domain, out| out.put(seconds(domain.cpu_time_ns));
    Counter "libvirt_domain_info_cpu_system_seconds_total"
        "Time of the kernel of the host for the domain since the exporter began.", from "cpu.system.summation, integrated":
        |domain, out| out.put(seconds(domain.cpu_system_ns));
    Info "virt_esx_domain_info"
        {"host_name, cluster_name, dc_name, folder, resource_pool, config_file, guest_os, vm"}
        "Where the domain is and what it is, to be joined with its other metrics.", from "the inventory":
        |domain, out| out.with(&[
            ("host_name", &domain.host_name),
            ("cluster_name", &domain.cluster),
            ("dc_name", &domain.datacenter),
            ("folder", &domain.folder),
            ("resource_pool", &domain.resource_pool),
            ("config_file", &domain.config_file),
            ("guest_os", &domain.guest_os),
            ("vm", &domain.moref.value),
        ], Some(true));
    Gauge "virt_esx_domain_question_pending" "Whether the domain waits for the answer to a question.",
        from "runtime.question":
        |domain, out| out.put(Some(domain.question.is_some()));
    Gauge "virt_esx_domain_uptime_seconds" "Time since the domain was started.", from "quickStats.uptimeSeconds":
        |domain, out| out.put(domain.usage.uptime_seconds);
    Gauge "virt_esx_domain_cpu_readiness_ratio"
        "Part of the time in which the domain could run and got no processor.", from "quickStats.overallCpuReadiness":
        |domain, out| out.put(domain.usage.cpu_readiness_ratio);
    Gauge "virt_esx_domain_committed_bytes" "Size of the files of the domain. The server may have counted them hours ago.",
        from "summary.storage.committed":
        |domain, out| out.put(domain.committed_bytes);
    Gauge "virt_esx_domain_uncommitted_bytes" "By how much thin disks of the domain may still grow.",
        from "summary.storage.uncommitted":
        |domain, out| out.put(domain.uncommitted_bytes);
    Gauge "virt_esx_domain_consolidation_needed" "Whether disks of the domain have files to be consolidated.",
        from "runtime.consolidationNeeded":
        |domain, out| out.put(Some(domain.needs_consolidation));
    Gauge "virt_esx_domain_sample_timestamp_seconds"
        "When the newest sample of counters was taken, by the clock of the host, in seconds since 1970.", from "QueryPerf":
        |domain, out| out.put(domain.sampled.as_ref().and_then(moment));
}

families! {
    /// A disk of a domain.
    DISK: MonitoredDisk =
    Counter "libvirt_domain_block_stats_read_bytes_total" "Bytes read since the exporter began." = same,
        from "virtualDisk.read.average, integrated":
        |disk, out| out.put(disk.read_bytes);
    Counter "libvirt_domain_block_stats_read_requests_total" "Reading requests since the exporter began." = same,
        from "virtualDisk.numberReadAveraged.average, integrated":
        |disk, out| out.put(disk.read_requests);
    Counter "libvirt_domain_block_stats_read_seconds_total" "Time of reading requests since the exporter began." = same,
        from "virtualDisk.totalReadLatency.average and requests, integrated":
        |disk, out| out.put(seconds(disk.read_time_ns));
    Counter "libvirt_domain_block_stats_write_bytes_total" "Bytes written since the exporter began." = same,
        from "virtualDisk.write.average, integrated":
        |disk, out| out.put(disk.write_bytes);
    Counter "libvirt_domain_block_stats_write_requests_total" "Writing requests since the exporter began." = same,
        from "virtualDisk.numberWriteAveraged.average, integrated":
        |disk, out| out.put(disk.write_requests);
    Counter "libvirt_domain_block_stats_write_seconds_total" "Time of writing requests since the exporter began." = same,
        from "virtualDisk.totalWriteLatency.average and requests, integrated":
        |disk, out| out.put(seconds(disk.write_time_ns));
    Gauge "virt_esx_domain_block_capacity_bytes" "Size of the disk, as the guest sees it.",
        from "VirtualDisk.capacityInBytes":
        |disk, out| out.put(Some(disk.capacity_bytes));
}

families! {
    /// A network interface of a domain.
    INTERFACE: MonitoredInterface =
    Counter "libvirt_domain_interface_stats_receive_bytes_total" "Bytes received since the exporter began." = same,
        from "net.bytesRx.average, integrated":
        |card, out| out.put(card.rx_bytes);
    Counter "libvirt_domain_interface_stats_receive_packets_total" "Packets received since the exporter began." = same,
        from "net.packetsRx.summation, added up":
        |card, out| out.put(card.rx_packets);
    Counter "libvirt_domain_interface_stats_receive_drops_total"
        "Packets that were dropped when received, since the exporter began." = same,
        from "net.droppedRx.summation, added up":
        |card, out| out.put(card.rx_dropped);
    Counter "libvirt_domain_interface_stats_transmit_bytes_total" "Bytes sent since the exporter began." = same,
        from "net.bytesTx.average, integrated":
        |card, out| out.put(card.tx_bytes);
    Counter "libvirt_domain_interface_stats_transmit_packets_total" "Packets sent since the exporter began." = same,
        from "net.packetsTx.summation, added up":
        |card, out| out.put(card.tx_packets);
    Counter "libvirt_domain_interface_stats_transmit_drops_total"
        "Packets that were dropped when sent, since the exporter began." = same,
        from "net.droppedTx.summation, added up":
        |card, out| out.put(card.tx_dropped);
}

families! {
    /// A processor of a domain.
    VCPU: MonitoredVcpu =
    Counter "libvirt_domain_vcpu_time_seconds_total" "Time in which the processor ran, since the exporter began.",
        from "cpu.used.summation, added up":
        |vcpu, out| out.put(seconds(vcpu.time_ns));
    Counter "libvirt_domain_vcpu_delay_seconds_total"
        "Time in which the processor could run and got none of the host, since the exporter began.",
        from "cpu.ready.summation, added up":
        |vcpu, out| out.put(seconds(vcpu.ready_ns));
    Counter "libvirt_domain_vcpu_wait_seconds_total"
        "Time in which the processor waited or was idle, since the exporter began.",
        from "cpu.wait.summation, added up":
        |vcpu, out| out.put(seconds(vcpu.wait_ns));
}

families! {
    /// A domain, in VMware's words.
    MACHINE: MonitoredDomain =
    Gauge "vmware_vm_power_state" "Whether the machine is on." = same, from "runtime.powerState":
        |vm, out| out.put(Some(is_on(vm)));
    Gauge "vmware_vm_boot_timestamp_seconds" "When the machine was started, in seconds since 1970." = same,
        from "runtime.bootTime":
        |vm, out| out.put(vm.boot_time.as_ref().and_then(moment));
    Gauge "vmware_vm_num_cpu" "The number of processors." = same, from "config.hardware.numCPU":
        |vm, out| out.put(Some(vm.vcpus));
    Gauge "vmware_vm_memory_max_bytes" "Configured memory." instead of "vm_memory_max (MB)",
        from "config.hardware.memoryMB":
        |vm, out| out.put(bytes(Some(vm.max_memory_kib)));
    Gauge "vmware_vm_max_cpu_usage_hertz" "What the host lets the machine use at most." instead of "vm_max_cpu_usage (MHz)",
        from "runtime.maxCpuUsage":
        |vm, out| out.put(hertz(vm.max_cpu_mhz));
    Gauge "vmware_vm_template" "Whether the machine is a template." = same, from "config.template":
        |vm, out| out.put(Some(vm.is_template));
    Gauge "vmware_vm_snapshots" "The number of snapshots." = same, from "snapshot":
        |vm, out| out.put(u64::try_from(vm.snapshots.len()).ok());
    Gauge "vmware_vm_snapshot_timestamp_seconds" {"vm_snapshot_name"}
        "When the snapshot was made, in seconds since 1970." = same, from "snapshot":
        |vm, out| for snapshot in &vm.snapshots {
            let labels = [("vm_snapshot_name", snapshot.name.as_str())];
            out.with(&labels, moment(&snapshot.created));
        };
    Gauge "vmware_vm_guest_disk_capacity_bytes" {"partition"} "Size of a file system of the guest."
        instead of "vm_guest_disk_capacity", from "guest.disk":
        |vm, out| for disk in &vm.guest.disks {
            out.with(&[("partition", &disk.path)], Some(disk.capacity_bytes));
        };
    Gauge "vmware_vm_guest_disk_free_bytes" {"partition"} "What is free of a file system of the guest."
        instead of "vm_guest_disk_free", from "guest.disk":
        |vm, out| for disk in &vm.guest.disks {
            out.with(&[("partition", &disk.path)], Some(disk.free_bytes));
        };
    Gauge "vmware_vm_guest_tools_running_status" {"tools_status"} "How the tools of the guest are, always 1." = same,
        from "guest.toolsStatus":
        |vm, out| label(out, "tools_status", vm.guest.tools_status.as_deref());
    Gauge "vmware_vm_guest_tools_version" {"tools_version"} "The version of the tools of the guest, always 1." = same,
        from "guest.toolsVersion":
        |vm, out| label(out, "tools_version", vm.guest.tools_version.as_deref());
    Gauge "vmware_vm_guest_tools_version_status" {"tools_version_status"}
        "How the version of the tools of the guest is, always 1." = same, from "guest.toolsVersionStatus2":
        |vm, out| label(out, "tools_version_status", vm.guest.tools_version_status.as_deref());
    Gauge "vmware_vm_yellow_alarms" "The number of triggered yellow alarms." = same, from "triggeredAlarmState":
        |vm, out| out.put(alarms(&vm.alarms, &ManagedEntityStatus::Yellow));
    Gauge "vmware_vm_red_alarms" "The number of triggered red alarms." = same, from "triggeredAlarmState":
        |vm, out| out.put(alarms(&vm.alarms, &ManagedEntityStatus::Red));
    Gauge "vmware_vm_cpu_usage_hertz" "Used processor time." instead of "vm_cpu_usagemhz_average (MHz)",
        from "quickStats.overallCpuUsage":
        |vm, out| out.put(hertz(vm.usage.cpu_mhz));
    Gauge "vmware_vm_cpu_demand_hertz" "What the machine would use if nothing limited it."
        instead of "vm_cpu_demand_average (MHz)", from "quickStats.overallCpuDemand":
        |vm, out| out.put(hertz(vm.usage.cpu_demand_mhz));
    Gauge "vmware_vm_cpu_usage_ratio" "Used part of the time of all processors." instead of "vm_cpu_usage_average (1/100 %)",
        from "cpu.usage.average":
        |vm, out| out.put(vm.cpu_ratio());
    Gauge "vmware_vm_cpu_ready_seconds"
        "Time in the newest sample of 20 seconds in which processors could run and got none of the host."
        instead of "vm_cpu_ready_summation (ms)", from "cpu.ready.summation":
        |vm, out| out.put(milliseconds(vm.counter("cpu.ready.summation")));
    Gauge "vmware_vm_cpu_maxlimited_seconds"
        "Time in the newest sample of 20 seconds in which a limit kept processors from running."
        instead of "vm_cpu_maxlimited_summation (ms)", from "cpu.maxlimited.summation":
        |vm, out| out.put(milliseconds(vm.counter("cpu.maxlimited.summation")));
    Gauge "vmware_vm_cpu_costop_seconds"
        "Time in the newest sample of 20 seconds in which processors waited for each other."
        instead of "vm_cpu_costop_summation (ms)", from "cpu.costop.summation":
        |vm, out| out.put(milliseconds(vm.counter("cpu.costop.summation")));
    Gauge "vmware_vm_cpu_idle_seconds" "Time in the newest sample of 20 seconds in which processors were idle."
        instead of "vm_cpu_idle_summation (ms)", from "cpu.idle.summation":
        |vm, out| out.put(milliseconds(vm.counter("cpu.idle.summation")));
    Gauge "vmware_vm_mem_usage_ratio" "Used part of the memory." instead of "vm_mem_usage_average (1/100 %)",
        from "mem.usage.average":
        |vm, out| out.put(hundredths(vm.counter("mem.usage.average")));
    Gauge "vmware_vm_mem_consumed_bytes" "Memory that the machine takes of the host."
        instead of "vm_mem_consumed_average (KB)", from "quickStats.hostMemoryUsage":
        |vm, out| out.put(bytes(vm.usage.host_memory_kib));
    Gauge "vmware_vm_mem_active_bytes" "Memory that the guest has touched recently."
        instead of "vm_mem_active_average (KB)", from "quickStats.guestMemoryUsage":
        |vm, out| out.put(bytes(vm.usage.guest_memory_kib));
    Gauge "vmware_vm_mem_swapped_bytes" "Memory that the host has swapped out."
        instead of "vm_mem_swapped_average (KB)", from "quickStats.swappedMemory":
        |vm, out| out.put(bytes(vm.usage.swapped_kib));
    Gauge "vmware_vm_mem_vmmemctl_bytes" "Memory that the balloon has taken from the guest."
        instead of "vm_mem_vmmemctl_average (KB)", from "quickStats.balloonedMemory":
        |vm, out| out.put(bytes(vm.usage.ballooned_kib));
    Gauge "vmware_vm_disk_max_total_latency_seconds" "Highest latency of all disks."
        instead of "vm_disk_maxTotalLatency_latest (ms)", from "disk.maxTotalLatency.latest":
        |vm, out| out.put(milliseconds(vm.counter("disk.maxTotalLatency.latest")));
    Gauge "vmware_vm_disk_usage_bytes_per_second" "Bytes read and written a second."
        instead of "vm_disk_usage_average (KB/s)", from "disk.usage.average":
        |vm, out| out.put(kilobytes(vm.counter("disk.usage.average")));
    Gauge "vmware_vm_disk_read_bytes_per_second" "Bytes read a second."
        instead of "vm_disk_read_average (KB/s)", from "disk.read.average":
        |vm, out| out.put(kilobytes(vm.counter("disk.read.average")));
    Gauge "vmware_vm_disk_write_bytes_per_second" "Bytes written a second."
        instead of "vm_disk_write_average (KB/s)", from "disk.write.average":
        |vm, out| out.put(kilobytes(vm.counter("disk.write.average")));
    Gauge "vmware_vm_net_received_bytes_per_second" "Bytes received a second."
        instead of "vm_net_received_average (KB/s)", from "net.received.average":
        |vm, out| out.put(kilobytes(vm.counter("net.received.average")));
    Gauge "vmware_vm_net_transmitted_bytes_per_second" "Bytes sent a second."
        instead of "vm_net_transmitted_average (KB/s)", from "net.transmitted.average":
        |vm, out| out.put(kilobytes(vm.counter("net.transmitted.average")));
    Gauge "vmware_vm_net_multicast_rx_packets" "Multicasts received in the newest sample of 20 seconds."
        instead of "vm_net_multicastRx_summation", from "net.multicastRx.summation":
        |vm, out| out.put(vm.counter("net.multicastRx.summation"));
    Gauge "vmware_vm_net_multicast_tx_packets" "Multicasts sent in the newest sample of 20 seconds."
        instead of "vm_net_multicastTx_summation", from "net.multicastTx.summation":
        |vm, out| out.put(vm.counter("net.multicastTx.summation"));
    Gauge "vmware_vm_net_broadcast_rx_packets" "Broadcasts received in the newest sample of 20 seconds."
        instead of "vm_net_broadcastRx_summation", from "net.broadcastRx.summation":
        |vm, out| out.put(vm.counter("net.broadcastRx.summation"));
    Gauge "vmware_vm_net_broadcast_tx_packets" "Broadcasts sent in the newest sample of 20 seconds."
        instead of "vm_net_broadcastTx_summation", from "net.broadcastTx.summation":
        |vm, out| out.put(vm.counter("net.broadcastTx.summation"));
    Gauge "vmware_vm_net_dropped_rx_packets" "Packets dropped when received in the newest sample of 20 seconds."
        instead of "vm_net_droppedRx_summation", from "net.droppedRx.summation":
        |vm, out| out.put(vm.counter("net.droppedRx.summation"));
    Gauge "vmware_vm_net_dropped_tx_packets" "Packets dropped when sent in the newest sample of 20 seconds."
        instead of "vm_net_droppedTx_summation", from "net.droppedTx.summation":
        |vm, out| out.put(vm.counter("net.droppedTx.summation"));
}

fn is_on(vm: &MonitoredDomain) -> bool {
    use esx_driver::virt_model::DomainState as Is;

    matches!(
        vm.state,
        Is::Running | Is::Blocked | Is::Shutdown | Is::PmSuspended
    )
}

/// A sample whose value is in its label.
fn label(out: &mut super::Samples<'_>, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        out.with(&[(name, value)], Some(true));
    }
}
