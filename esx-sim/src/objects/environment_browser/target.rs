//! What a host, or the hosts of a compute resource, have for machines.

use std::collections::BTreeSet;

use vi_types::enums::DrsBehavior;
use vi_types::objects::{
    ConfigTarget, DistributedVirtualPortgroupInfo, DistributedVirtualSwitchInfo,
    OpaqueNetworkSummary, OpaqueNetworkTargetInfo, VirtualMachineDatastoreInfo,
    VirtualMachineNetworkInfo, VirtualMachinePciPassthroughInfo, VirtualMachineTargetInfo,
};
use vi_types::{ManagedObjectReference, Poly, properties};

use crate::machine::hardware::Hardware;
use crate::world::World;

/// Hosts, and what they have.
struct Target<'a> {
    world: &'a World,
    hosts: Vec<&'a properties::HostSystem>,
}

/// What these hosts of a compute resource have.
pub(super) fn of(
    world: &World,
    compute: &properties::ComputeResource,
    hosts: &[ManagedObjectReference],
) -> ConfigTarget {
    let hosts = hosts.iter();
    let target = Target {
        world,
        hosts: hosts.filter_map(|host| world.read(host)).collect(),
    };
    let pool = compute.resource_pool.as_ref();
    let pool = pool.and_then(|pool| world.read::<properties::ResourcePool>(pool));
    ConfigTarget {
        resource_pool: pool.and_then(|pool| pool.runtime.clone()),
        auto_vmotion: Some(target.is_balanced()),
        ..target.describe()
    }
}

impl Target<'_> {
    /// The largest number that a host has.
    fn most(&self, number: impl Fn(&properties::HostSystem) -> Option<i32>) -> i32 {
        let numbers = self.hosts.iter().filter_map(|host| number(host));
        numbers.max().unwrap_or(0)
    }

    fn describe(&self) -> ConfigTarget {
        let since = |version: &str| self.world.since(version);
        let cpu = |number: fn(&vi_types::objects::HostCpuInfo) -> i16| {
            self.most(move |host| Some(i32::from(number(&host.hardware.as_deref()?.cpu_info))))
        };
        let threads = cpu(|cpu| cpu.num_cpu_threads);
        let memory = self.most(|host| {
            let bytes = host.hardware.as_deref()?.memory_size;
            i32::try_from(bytes >> 20).ok()
        });
        let newest = Hardware::parse(self.world.release().hardware);
        let most_memory = newest.and_then(|newest| i32::try_from(newest.most_memory_mb()).ok());
        let (groups, switches) = self.distributed();
        ConfigTarget {
            num_cpus: threads,
            num_cpu_cores: cpu(|cpu| cpu.num_cpu_cores),
            num_numa_nodes: self.most(|host| {
                let numa = host.hardware.as_deref()?.numa_info.as_deref()?;
                Some(numa.num_nodes)
            }),
            max_cpus_per_host: since("7.0").then_some(threads),
            smc_present: since("5.0").then_some(false),
            datastore: self.datastores(),
            network: self.networks(),
            opaque_network: self.opaque_networks(),
            distributed_virtual_portgroup: groups,
            distributed_virtual_switch: switches,
            max_mem_mb_optimal_perf: memory,
            supported_max_mem_mb: most_memory.filter(|_| since("7.0")),
            pci_passthrough: self.passthrough(),
            sev_supported: since("7.0.1.0").then_some(false),
            max_simultaneous_threads: since("8.0").then_some(1),
            ..ConfigTarget::default()
        }
    }

    /// Whether machines are moved by themselves.
    fn is_balanced(&self) -> bool {
        let host = self.hosts.first().and_then(|host| host.parent.as_ref());
        let cluster = host.and_then(|one| self.world.read::<properties::ClusterComputeResource>(one));
        let configuration = cluster.and_then(|cluster| cluster.configuration.as_deref());
        configuration.is_some_and(|configuration| {
            let drs = &configuration.drs_config;
            drs.enabled == Some(true)
                && drs.default_vm_behavior == Some(DrsBehavior::FullyAutomated)
        })
    }

    /// The objects of a list of the hosts, each once, with whether all hosts have it.
    fn gathered(
        &self,
        list: impl Fn(&properties::HostSystem) -> &[ManagedObjectReference],
    ) -> Vec<(ManagedObjectReference, bool)> {
        let mut known = BTreeSet::new();
        let all = self.hosts.iter().flat_map(|host| list(host));
        let new = all.filter(|one| known.insert(one.value.clone()));
        let new = new.map(|one| {
            let everywhere = self.hosts.iter().all(|host| list(host).contains(one));
            (one.clone(), everywhere)
        });
        new.collect()
    }

    fn info(&self, name: &str, is_everywhere: bool) -> VirtualMachineTargetInfo {
        let tags = match self.hosts.len() > 1 && is_everywhere {
            true => &["compliant", "clusterWide"][..],
            false => &["compliant"],
        };
        VirtualMachineTargetInfo {
            name: name.to_owned(),
            configuration_tag: super::option::words(tags),
            ..VirtualMachineTargetInfo::default()
        }
    }

    fn datastores(&self) -> Vec<VirtualMachineDatastoreInfo> {
        let all = self.gathered(|host| &host.datastore).into_iter();
        let described = all.filter_map(|(store, is_everywhere)| {
            let store = self.world.read::<properties::Datastore>(&store)?;
            let summary = store.summary.as_deref()?;
            let info = store.info.as_ref();
            Some(VirtualMachineDatastoreInfo {
                base: self.info(&summary.name, is_everywhere),
                datastore: summary.clone(),
                capability: store.capability.as_deref().cloned().unwrap_or_default(),
                max_file_size: info.map_or(0, |info| info.max_file_size),
                max_virtual_disk_capacity: info
                    .and_then(|info| info.max_virtual_disk_capacity)
                    .filter(|_| self.world.since("5.5")),
                mode: "readWrite".to_owned(),
                v_storage_support: self
                    .world
                    .since("5.0")
                    .then(|| "vStorageUnsupported".to_owned()),
                ..VirtualMachineDatastoreInfo::default()
            })
        });
        described.collect()
    }

    /// The networks of a type.
    fn of_type(&self, ty: &str) -> impl Iterator<Item = (ManagedObjectReference, bool)> {
        let all = self.gathered(|host| &host.network).into_iter();
        all.filter(move |(network, _)| network.r#type == ty)
    }

    fn networks(&self) -> Vec<VirtualMachineNetworkInfo> {
        let described = self.of_type("Network").filter_map(|(network, is_everywhere)| {
            let network = self.world.read::<properties::Network>(&network)?;
            let summary = network.summary.clone()?;
            Some(VirtualMachineNetworkInfo {
                base: self.info(&summary.name, is_everywhere),
                network: summary,
                ..VirtualMachineNetworkInfo::default()
            })
        });
        described.collect()
    }

    fn opaque_networks(&self) -> Vec<OpaqueNetworkTargetInfo> {
        let described = self.of_type("OpaqueNetwork").filter_map(|(network, is_everywhere)| {
            let network = self.world.read::<properties::Network>(&network)?;
            let summary = network.summary.as_ref()?.cast::<OpaqueNetworkSummary>()?;
            Some(OpaqueNetworkTargetInfo {
                base: self.info(&summary.base.name, is_everywhere),
                network: summary.clone(),
                network_reservation_supported: self.world.since("6.0").then_some(false),
                ..OpaqueNetworkTargetInfo::default()
            })
        });
        described.collect()
    }

    /// Distributed port groups, and their switches.
    fn distributed(
        &self,
    ) -> (
        Vec<DistributedVirtualPortgroupInfo>,
        Vec<DistributedVirtualSwitchInfo>,
    ) {
        let mut groups = Vec::new();
        let mut switches: Vec<DistributedVirtualSwitchInfo> = Vec::new();
        let reserves = self.world.since("6.0").then_some(false);
        for (portgroup, _) in self.of_type("DistributedVirtualPortgroup") {
            let group = self
                .world
                .read::<properties::DistributedVirtualPortgroup>(&portgroup);
            let Some(config) = group.and_then(|group| group.config.as_deref()) else {
                continue;
            };
            let Some(reference) = &config.distributed_virtual_switch else {
                continue;
            };
            let switch = self
                .world
                .read::<properties::DistributedVirtualSwitch>(reference);
            let Some(switch) = switch else { continue };
            let info = DistributedVirtualSwitchInfo {
                switch_name: self.world.name(reference).unwrap_or_default().to_owned(),
                switch_uuid: switch.uuid.clone().unwrap_or_default(),
                distributed_virtual_switch: reference.clone(),
                network_reservation_supported: reserves,
                ..DistributedVirtualSwitchInfo::default()
            };
            groups.push(DistributedVirtualPortgroupInfo {
                switch_name: info.switch_name.clone(),
                switch_uuid: info.switch_uuid.clone(),
                portgroup_name: config.name.clone(),
                portgroup_key: config.key.clone(),
                portgroup_type: config.r#type.clone(),
                uplink_portgroup: config.uplink.unwrap_or(false),
                portgroup,
                network_reservation_supported: reserves,
                ..DistributedVirtualPortgroupInfo::default()
            });
            if !switches.iter().any(|known| known.switch_uuid == info.switch_uuid) {
                switches.push(info);
            }
        }
        (groups, switches)
    }

    /// The PCI devices that machines can have.
    fn passthrough(&self) -> Vec<Poly<VirtualMachinePciPassthroughInfo>> {
        let mut found = Vec::new();
        for host in &self.hosts {
            let (Some(config), Some(hardware)) = (host.config.as_deref(), host.hardware.as_deref())
            else {
                continue;
            };
            let active = config.pci_passthru_info.iter();
            for active in active.filter(|device| device.passthru_active) {
                let mut devices = hardware.pci_device.iter();
                let Some(device) = devices.find(|device| device.id == active.id) else {
                    continue;
                };
                found.push(Poly::new(VirtualMachinePciPassthroughInfo {
                    base: self.info(&device.device_name, false),
                    pci_device: device.clone(),
                    system_id: hardware.system_info.uuid.clone(),
                    ..VirtualMachinePciPassthroughInfo::default()
                }));
            }
        }
        found
    }
}
