//! The statistics that hosts renew every 20 seconds (`quickStats`). The server does not report their changes, so they are
//! read again and again.

use std::collections::HashMap;

use vi_client::retrieve::{PropertySet as _, Retrieve};
use vi_client::{Client, property_set};
use vi_types::ManagedObjectReference;
use vi_types::objects::{HostListSummaryQuickStats, VirtualMachineQuickStats};

use super::snapshot::DomainUsage;
use crate::Result;

property_set! {
    struct OfMachine: VirtualMachine {
        quick: Option<VirtualMachineQuickStats> = summary.quick_stats,
    }
}

property_set! {
    struct OfHost: HostSystem {
        quick: Option<HostListSummaryQuickStats> = summary.quick_stats,
    }
}

/// A host's own use.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct HostUsage {
    pub(super) cpu_mhz: Option<u64>,
    pub(super) memory_kib: Option<u64>,
    pub(super) uptime_seconds: Option<u64>,
}

/// What was read of all.
#[derive(Debug, Default)]
pub(super) struct Usages {
    pub(super) domains: HashMap<ManagedObjectReference, DomainUsage>,
    pub(super) hosts: HashMap<ManagedObjectReference, HostUsage>,
}

/// Reads them of all objects that `way` leads to: one request, or one a page.
pub(super) async fn read(client: &Client, way: Retrieve) -> Result<Usages> {
    let request = way.set::<OfMachine>().set::<OfHost>();
    let mut usages = Usages::default();
    for mut found in client.retrieve(&request).await? {
        if found.object.r#type == OfHost::TYPE {
            let quick = OfHost::from_properties(&mut found).ok();
            let usage = quick.and_then(|found| found.quick).map(of_host);
            usages.hosts.insert(found.object, usage.unwrap_or_default());
        } else {
            let quick = OfMachine::from_properties(&mut found).ok();
            let usage = quick.and_then(|found| found.quick).map(of_domain);
            usages
                .domains
                .insert(found.object, usage.unwrap_or_default());
        }
    }
    Ok(usages)
}

fn of_domain(quick: VirtualMachineQuickStats) -> DomainUsage {
    let percent = quick.overall_cpu_readiness.map(f64::from);
    DomainUsage {
        cpu_mhz: number(quick.overall_cpu_usage),
        cpu_demand_mhz: number(quick.overall_cpu_demand),
        cpu_readiness_ratio: percent.map(|percent| percent / 100.0),
        guest_memory_kib: from_mib(quick.guest_memory_usage),
        host_memory_kib: from_mib(quick.host_memory_usage),
        ballooned_kib: from_mib(quick.ballooned_memory),
        swapped_kib: from_mib(quick.swapped_memory),
        // This one is in KiB.
        compressed_kib: number(quick.compressed_memory),
        shared_kib: from_mib(quick.shared_memory),
        private_kib: from_mib(quick.private_memory),
        overhead_kib: from_mib(quick.consumed_overhead_memory),
        uptime_seconds: number(quick.uptime_seconds),
    }
}

fn of_host(quick: HostListSummaryQuickStats) -> HostUsage {
    HostUsage {
        cpu_mhz: number(quick.overall_cpu_usage),
        memory_kib: from_mib(quick.overall_memory_usage),
        uptime_seconds: number(quick.uptime),
    }
}

/// A number; one below 0 means that there is none.
pub(super) fn number<T: TryInto<u64>>(number: Option<T>) -> Option<u64> {
    number?.try_into().ok()
}

pub(super) fn from_mib(mib: Option<i32>) -> Option<u64> {
    number(mib).map(|mib| mib * 1024)
}
