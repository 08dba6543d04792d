//! Hosts with their datastores and networks.

use vi_types::enums::{HostSystemConnectionState, HostSystemPowerState, ManagedEntityStatus};
use vi_types::objects::{
    AutoStartDefaults, AutoStartPowerInfo, Description, ElementDescription, HealthSystemRuntime,
    HostAutoStartManagerConfig, HostBiosInfo, HostCapability, HostConfigInfo, HostConfigManager,
    HostConfigSummary, HostCpuIdInfo, HostCpuInfo, HostCpuPackage, HostHardwareInfo,
    HostHardwareSummary, HostLicensableResourceInfo, HostListSummary, HostListSummaryQuickStats,
    HostNumaInfo, HostNumaNode, HostNumericSensorInfo, HostRuntimeInfo, HostSystemHealthInfo,
    HostSystemInfo, KeyAnyValue, ResourcePoolResourceUsage, ResourcePoolRuntimeInfo,
    ResourcePoolSummary,
};
use vi_types::{Any, ManagedObjectReference, Poly, properties};

use super::parts::{boot_time, entity, made_time, pool_config, text, uuid};
use super::{ServerKind, datastore, evc, network, service, storage};
use crate::version::{ApiVersion, Release};
use crate::world::World;

/// Two packages of eight cores of two threads each.
pub(crate) const PACKAGES: i16 = 2;
pub(crate) const CORES: i16 = 16;
pub(crate) const THREADS: i16 = 32;
/// 2.4 GHz.
const HZ: i64 = 2_394_230_000;
pub(crate) const MHZ: i32 = 2394;
/// 128 GiB, less what the firmware keeps.
pub(crate) const MEMORY: i64 = 137_339_867_136;
const MEMORY_USED_MB: i32 = 38_912;

const VENDOR: &str = "Example Systems";
const MODEL: &str = "Rack Server 2U";
const CPU_MODEL: &str = "Intel(R) Xeon(R) Silver 4314 CPU @ 2.40GHz";

/// What distinguishes one host from another.
pub(crate) struct HostSpec {
    pub(crate) reference: ManagedObjectReference,
    pub(crate) parent: ManagedObjectReference,
    /// Host and domain name, such as `esx.example.com`.
    pub(crate) name: String,
    /// Makes addresses and UUIDs; from 1.
    pub(crate) number: u16,
    pub(crate) release: &'static Release,
    /// The address of the vCenter.
    pub(crate) managed_by: Option<String>,
}

impl HostSpec {
    fn uuid(&self) -> String {
        uuid(0x4c4c, u64::from(self.number))
    }

    fn since(&self, version: &str) -> bool {
        self.release.version() >= ApiVersion::since(version)
    }

    /// The name of an object that belongs to the host: ESX has fixed names, a vCenter numbers.
    pub(super) fn part(&self, kind: &str) -> String {
        match self.reference.value.strip_prefix("host-") {
            Some(number) => format!("{kind}-{number}"),
            None => format!("ha-{}", kind.to_ascii_lowercase()),
        }
    }
}

/// Puts a host in that has no virtual machines yet.
pub(crate) fn add(
    world: &mut World,
    spec: &HostSpec,
    datastores: &[ManagedObjectReference],
    networks: &[ManagedObjectReference],
) {
    let network_info = network::info(world, spec);
    let network_system = network::add_system(world, spec, &network_info);
    let (storage_system, datastore_system) = storage::add_systems(world, spec, datastores);
    let auto_start = auto_start(None);
    let auto_start_manager = world.add(
        spec.part("autoStartManager"),
        properties::HostAutoStartManager {
            config: Some(auto_start.clone().into()),
            ..properties::HostAutoStartManager::default()
        },
    );
    let browser = datastore::add_browser(world, spec.part("datastoreBrowser"), datastores.to_vec());
    add_environment(world, &spec.parent, &browser);
    let host = properties::HostSystem {
        datastore_browser: Some(browser),
        base: entity(&spec.name, Some(&spec.parent)),
        runtime: Some(runtime(spec).into()),
        summary: Some(summary(spec).into()),
        hardware: Some(hardware(spec).into()),
        capability: Some(capability(spec).into()),
        config_manager: Some(
            HostConfigManager {
                auto_start_manager: Some(auto_start_manager),
                network_system: Some(network_system),
                storage_system: Some(storage_system),
                datastore_system: Some(datastore_system),
                ..HostConfigManager::default()
            }
            .into(),
        ),
        config: Some(
            HostConfigInfo {
                host: spec.reference.clone(),
                product: service::about(ServerKind::Esx, spec.release),
                network: Some(network_info.into()),
                auto_start: Some(auto_start.into()),
                ..HostConfigInfo::default()
            }
            .into(),
        ),
        licensable_resource: spec.since("5.0").then(|| licensable().into()),
        datastore: datastores.to_vec(),
        network: networks.to_vec(),
        ..properties::HostSystem::default()
    };
    world.add(spec.reference.value.clone(), host);
}

/// Gives a compute resource its environment browser, which looks at the datastores of its first host.
fn add_environment(
    world: &mut World,
    compute: &ManagedObjectReference,
    datastores: &ManagedObjectReference,
) {
    let known = world.read::<properties::ComputeResource>(compute);
    if known.is_none_or(|compute| compute.environment_browser.is_some()) {
        return;
    }
    let number = compute.value.strip_prefix("domain-");
    let name = number.map_or("ha-environment-browser".to_owned(), |number| {
        format!("envbrowser-{number}")
    });
    let browser = world.add(
        name,
        properties::EnvironmentBrowser {
            datastore_browser: Some(datastores.clone()),
            ..properties::EnvironmentBrowser::default()
        },
    );
    world.change(compute, |compute: &mut properties::ComputeResource| {
        compute.environment_browser = Some(browser);
    });
}

/// The environment browser of a host's compute resource.
pub(crate) fn environment(
    world: &World,
    host: &ManagedObjectReference,
) -> Option<ManagedObjectReference> {
    let compute = world.read::<properties::ComputeResource>(world.parent(host)?)?;
    compute.environment_browser.clone()
}

/// What licences of hosts are counted by.
fn licensable() -> HostLicensableResourceInfo {
    let resource = |key: &str, value: i16| KeyAnyValue {
        key: key.to_owned(),
        value: Any::Long(value.into()),
        ..KeyAnyValue::default()
    };
    HostLicensableResourceInfo {
        resource: vec![
            resource("numCpuPackages", PACKAGES),
            resource("numCpuCores", CORES),
        ],
        ..HostLicensableResourceInfo::default()
    }
}

/// Lets the first of a host's virtual machines start with it.
pub(crate) fn start_first_vm(world: &mut World, host: &ManagedObjectReference) {
    let Some(state) = world.read::<properties::HostSystem>(host) else {
        return;
    };
    let config = auto_start(state.vm.first());
    let managers = state.config_manager.as_deref();
    let manager = managers.and_then(|managers| managers.auto_start_manager.clone());
    world.change(host, |host: &mut properties::HostSystem| {
        if let Some(host) = host.config.as_deref_mut() {
            host.auto_start = Some(config.clone().into());
        }
    });
    if let Some(manager) = manager {
        world.change(
            &manager,
            |manager: &mut properties::HostAutoStartManager| manager.config = Some(config.into()),
        );
    }
}

fn auto_start(vm: Option<&ManagedObjectReference>) -> HostAutoStartManagerConfig {
    let power_info = vm.into_iter().map(|vm| AutoStartPowerInfo {
        key: vm.clone(),
        start_order: 1,
        start_delay: -1,
        wait_for_heartbeat: vi_types::enums::AutoStartWaitHeartbeatSetting::SystemDefault,
        start_action: "powerOn".to_owned(),
        stop_delay: -1,
        stop_action: "systemDefault".to_owned(),
        ..AutoStartPowerInfo::default()
    });
    HostAutoStartManagerConfig {
        defaults: Some(
            AutoStartDefaults {
                enabled: Some(true),
                start_delay: Some(120),
                stop_delay: Some(120),
                wait_for_heartbeat: Some(false),
                stop_action: text("PowerOff"),
                ..AutoStartDefaults::default()
            }
            .into(),
        ),
        power_info: power_info.collect(),
        ..HostAutoStartManagerConfig::default()
    }
}

fn runtime(_: &HostSpec) -> HostRuntimeInfo {
    HostRuntimeInfo {
        connection_state: HostSystemConnectionState::Connected,
        power_state: HostSystemPowerState::PoweredOn,
        standby_mode: text("none"),
        in_maintenance_mode: false,
        boot_time: Some(boot_time()),
        health_system_runtime: Some(
            HealthSystemRuntime {
                system_health_info: Some(
                    HostSystemHealthInfo {
                        numeric_sensor_info: sensors(),
                        ..HostSystemHealthInfo::default()
                    }
                    .into(),
                ),
                ..HealthSystemRuntime::default()
            }
            .into(),
        ),
        ..HostRuntimeInfo::default()
    }
}

/// A fan, a temperature, a power supply's voltage and its power.
fn sensors() -> Vec<HostNumericSensorInfo> {
    let sensor = |name: &str, kind: &str, reading: i64, modifier: i32, unit: &str| {
        let state = Description {
            label: "Green".to_owned(),
            summary: "Sensor is operating under normal conditions".to_owned(),
            ..Description::default()
        };
        HostNumericSensorInfo {
            name: format!("{name} --- Normal"),
            health_state: Some(Poly::new(ElementDescription {
                base: state,
                key: "green".to_owned(),
                ..ElementDescription::default()
            })),
            current_reading: reading,
            unit_modifier: modifier,
            base_units: unit.to_owned(),
            sensor_type: kind.to_owned(),
            ..HostNumericSensorInfo::default()
        }
    };
    vec![
        sensor("System Board 1 Fan 1", "fan", 504_000, -2, "RPM"),
        sensor(
            "System Board 1 Inlet Temp",
            "temperature",
            2200,
            -2,
            "Degrees C",
        ),
        sensor("Power Supply 1 Voltage 1", "voltage", 23_000, -2, "Volts"),
        sensor(
            "System Board 1 Pwr Consumption",
            "power",
            15_400,
            -2,
            "Watts",
        ),
    ]
}

fn summary(spec: &HostSpec) -> HostListSummary {
    HostListSummary {
        host: Some(spec.reference.clone()),
        hardware: Some(
            HostHardwareSummary {
                vendor: VENDOR.to_owned(),
                model: MODEL.to_owned(),
                uuid: spec.uuid(),
                memory_size: MEMORY,
                cpu_model: CPU_MODEL.to_owned(),
                cpu_mhz: MHZ,
                num_cpu_pkgs: PACKAGES,
                num_cpu_cores: CORES,
                num_cpu_threads: THREADS,
                num_nics: 2,
                num_hbas: 1,
                ..HostHardwareSummary::default()
            }
            .into(),
        ),
        runtime: Some(runtime(spec).into()),
        config: HostConfigSummary {
            name: spec.name.clone(),
            port: 443,
            product: Some(service::about(ServerKind::Esx, spec.release).into()),
            vmotion_enabled: spec.managed_by.is_some(),
            fault_tolerance_enabled: spec.since("4.0").then_some(false),
            ..HostConfigSummary::default()
        },
        quick_stats: HostListSummaryQuickStats {
            overall_cpu_usage: Some(3171),
            overall_memory_usage: Some(MEMORY_USED_MB),
            distributed_cpu_fairness: Some(0),
            distributed_memory_fairness: Some(0),
            uptime: spec.since("4.1").then_some(1_209_600),
            ..HostListSummaryQuickStats::default()
        },
        overall_status: ManagedEntityStatus::Green,
        reboot_required: false,
        management_server_ip: spec.managed_by.clone(),
        max_evc_mode_key: spec
            .managed_by
            .as_ref()
            .and_then(|_| evc::of_hosts(spec.release)),
        ..HostListSummary::default()
    }
}

fn hardware(spec: &HostSpec) -> HostHardwareInfo {
    let threads = THREADS / PACKAGES;
    let packages = (0..PACKAGES).map(|package| HostCpuPackage {
        index: package,
        vendor: "intel".to_owned(),
        hz: HZ,
        bus_hz: 100_000_000,
        description: CPU_MODEL.to_owned(),
        thread_id: (package * threads..(package + 1) * threads).collect(),
        cpu_feature: cpu_features(),
        ..HostCpuPackage::default()
    });
    let nodes = (0..PACKAGES).map(|node| HostNumaNode {
        type_id: node as i8,
        cpu_id: (node * threads..(node + 1) * threads).collect(),
        memory_range_begin: i64::from(node) * (MEMORY / 2),
        memory_range_length: MEMORY / 2,
        ..HostNumaNode::default()
    });
    HostHardwareInfo {
        system_info: HostSystemInfo {
            vendor: VENDOR.to_owned(),
            model: MODEL.to_owned(),
            uuid: spec.uuid(),
            serial_number: spec
                .since("6.7")
                .then(|| format!("EXMPL{:03}", spec.number)),
            ..HostSystemInfo::default()
        },
        cpu_info: HostCpuInfo {
            num_cpu_packages: PACKAGES,
            num_cpu_cores: CORES,
            num_cpu_threads: THREADS,
            hz: HZ,
            ..HostCpuInfo::default()
        },
        cpu_pkg: packages.collect(),
        memory_size: MEMORY,
        numa_info: Some(
            HostNumaInfo {
                r#type: "NUMA".to_owned(),
                num_nodes: i32::from(PACKAGES),
                numa_node: nodes.collect(),
                ..HostNumaInfo::default()
            }
            .into(),
        ),
        smc_present: spec.since("5.0").then_some(false),
        cpu_feature: cpu_features(),
        bios_info: Some(
            HostBiosInfo {
                bios_version: text("1.7.2"),
                release_date: Some(made_time()),
                ..HostBiosInfo::default()
            }
            .into(),
        ),
        ..HostHardwareInfo::default()
    }
}

/// CPUID leaves with the registers as ESX writes them: most significant bit first, in groups of four.
/// Bit 29 of EDX in leaf 0x80000001 says that the processor has a 64-bit mode.
fn cpu_features<T: From<HostCpuIdInfo>>() -> Vec<T> {
    let leaves: [(u32, [u32; 4]); 4] = [
        (0, [0x0000_001b, 0x756e_6547, 0x6c65_746e, 0x4965_6e69]),
        (1, [0x0006_06a6, 0x0020_0800, 0x7ffe_fbff, 0xbfeb_fbff]),
        (0x8000_0000, [0x8000_0008, 0, 0, 0]),
        (0x8000_0001, [0, 0, 0x0000_0121, 0x2c10_0800]),
    ];
    leaves
        .into_iter()
        .map(|(level, [eax, ebx, ecx, edx])| {
            T::from(HostCpuIdInfo {
                level: level as i32,
                eax: Some(register(eax)),
                ebx: Some(register(ebx)),
                ecx: Some(register(ecx)),
                edx: Some(register(edx)),
                ..HostCpuIdInfo::default()
            })
        })
        .collect()
}

fn register(value: u32) -> String {
    let groups = (0..8)
        .rev()
        .map(|group| format!("{:04b}", (value >> (4 * group)) & 0xf));
    groups.collect::<Vec<_>>().join(":")
}

fn capability(spec: &HostSpec) -> HostCapability {
    HostCapability {
        recursive_resource_pools_supported: true,
        cpu_memory_resource_configuration_supported: true,
        reboot_supported: true,
        shutdown_supported: true,
        vmotion_supported: true,
        standby_supported: true,
        max_supported_vms: Some(1024),
        max_running_vms: Some(1024),
        max_supported_vcpus: Some(match spec.since("5.0") {
            true => 128,
            false => 8,
        }),
        datastore_principal_supported: false,
        san_supported: true,
        nfs_supported: true,
        iscsi_supported: true,
        vlan_tagging_supported: true,
        nic_teaming_supported: true,
        high_guest_mem_supported: true,
        maintenance_mode_supported: true,
        suspended_relocate_supported: true,
        per_vm_swap_files: true,
        unshared_swap_v_motion_supported: true,
        screenshot_supported: true,
        scaled_screenshot_supported: true,
        ..HostCapability::default()
    }
}

/// The root resource pool of a compute resource.
pub(crate) fn pool(
    name: &str,
    own: &ManagedObjectReference,
    owner: &ManagedObjectReference,
) -> properties::ResourcePool {
    let usage = ResourcePoolResourceUsage {
        reservation_used: 0,
        reservation_used_for_vm: 0,
        unreserved_for_pool: 32_768,
        unreserved_for_vm: 32_768,
        overall_usage: 3171,
        max_usage: 38_304,
        ..ResourcePoolResourceUsage::default()
    };
    let runtime = ResourcePoolRuntimeInfo {
        memory: usage.clone(),
        cpu: usage,
        overall_status: ManagedEntityStatus::Green,
        ..ResourcePoolRuntimeInfo::default()
    };
    properties::ResourcePool {
        base: entity(name, Some(owner)),
        summary: Some(
            ResourcePoolSummary {
                name: name.to_owned(),
                config: pool_config(own),
                runtime: runtime.clone(),
                ..ResourcePoolSummary::default()
            }
            .into(),
        ),
        runtime: Some(runtime.into()),
        owner: Some(owner.clone()),
        config: Some(pool_config(own).into()),
        ..properties::ResourcePool::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_are_39_characters_most_significant_bit_first() {
        assert_eq!(
            register(0x8000_0001),
            "1000:0000:0000:0000:0000:0000:0000:0001"
        );
        let features: Vec<HostCpuIdInfo> = cpu_features();
        let leaf = features
            .iter()
            .find(|leaf| leaf.level == -2_147_483_647)
            .unwrap();
        let bits: String = leaf.edx.as_ref().unwrap().split(':').collect();
        assert_eq!(bits.chars().rev().nth(29), Some('1'));
    }
}
