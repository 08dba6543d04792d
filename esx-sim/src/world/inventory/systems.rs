//! The systems of hosts that have no state but their own: services, firewall, time, health and passed-through devices;
//! and the licences and logs of the server.

mod pci;

use vi_types::objects::{
    ElementDescription, HealthSystemRuntime, HostConfigManager, HostDateTimeInfo,
    HostDateTimeSystemTimeZone, HostFirewallDefaultPolicy, HostFirewallInfo, HostFirewallRule,
    HostFirewallRuleset, HostFirewallRulesetIpList, HostHardwareElementInfo,
    HostHardwareStatusInfo, HostNtpConfig, HostService, HostServiceInfo, HostStorageElementInfo,
    KeyAnyValue, KeyValue, LicenseFeatureInfo, LicenseManagerEvaluationInfo,
    LicenseManagerLicenseInfo,
};
use vi_types::{Any, ManagedObjectReference, Poly, enums, properties};

use super::parts::{boot_time, text};
use super::{ServerKind, hosts};
use crate::health::Health;
use crate::world::World;

/// Puts the systems of all hosts in, and what the server has of them.
pub(crate) fn equip(world: &mut World) {
    for (number, host) in hosts(world).into_iter().enumerate() {
        let systems = Systems {
            host: &host,
            number,
        };
        systems.add(world);
    }
    add_managers(world);
}

struct Systems<'a> {
    host: &'a ManagedObjectReference,
    number: usize,
}

impl Systems<'_> {
    /// The name of a system: ESX has fixed names, a vCenter adds the host's number.
    fn part(&self, kind: &str) -> String {
        match self.host.value.strip_prefix("host-") {
            Some(number) => format!("{kind}-{number}"),
            None => kind.to_owned(),
        }
    }

    fn add(&self, world: &mut World) {
        let services = services();
        let service_system = world.add(
            self.part("serviceSystem"),
            properties::HostServiceSystem {
                service_info: Some(services.clone().into()),
                ..properties::HostServiceSystem::default()
            },
        );
        let firewall = firewall();
        let firewall_system = world.add(
            self.part("firewallSystem"),
            properties::HostFirewallSystem {
                firewall_info: Some(firewall.clone().into()),
                ..properties::HostFirewallSystem::default()
            },
        );
        let time = time(world);
        let date_time_system = world.since("2.5").then(|| {
            world.add(
                self.part("dateTimeSystem"),
                properties::HostDateTimeSystem {
                    date_time_info: Some(time.clone().into()),
                    ..properties::HostDateTimeSystem::default()
                },
            )
        });
        let health = self.health(world);
        let health_status_system = world.since("2.5").then(|| {
            world.add(
                self.part("healthStatusSystem"),
                properties::HostHealthStatusSystem {
                    runtime: Some(health.clone().into()),
                    ..properties::HostHealthStatusSystem::default()
                },
            )
        });
        let devices = pci::devices(world, self.host);
        let passthrough = match world.since("4.0") {
            true => pci::passthrough(&devices),
            false => Vec::new(),
        };
        let pci_passthru_system = world.since("4.0").then(|| {
            world.add(
                self.part("pciPassthruSystem"),
                properties::HostPciPassthruSystem {
                    pci_passthru_info: passthrough.clone(),
                    ..properties::HostPciPassthruSystem::default()
                },
            )
        });
        let has_time = world.since("2.5");
        world.change(self.host, |host: &mut properties::HostSystem| {
            if let Some(managers) = host.config_manager.as_deref_mut() {
                managers.service_system = Some(service_system);
                managers.firewall_system = Some(firewall_system);
                managers.date_time_system = date_time_system;
                managers.health_status_system = health_status_system;
                managers.pci_passthru_system = pci_passthru_system;
            }
            if let Some(config) = host.config.as_deref_mut() {
                config.service = Some(services.into());
                config.firewall = Some(firewall.into());
                config.date_time_info = has_time.then(|| time.into());
                config.pci_passthru_info = passthrough;
            }
            if let Some(hardware) = host.hardware.as_deref_mut() {
                hardware.pci_device = devices;
            }
            if has_time {
                if let Some(runtime) = host.runtime.as_deref_mut() {
                    runtime.health_system_runtime = Some(health.clone().into());
                }
                let summary = host.summary.as_deref_mut();
                if let Some(runtime) = summary.and_then(|summary| summary.runtime.as_deref_mut()) {
                    runtime.health_system_runtime = Some(health.into());
                }
            }
        });
    }

    /// The sensors that the host has already, and the state of its memory, processors and disks.
    fn health(&self, world: &World) -> HealthSystemRuntime {
        let host = world.read::<properties::HostSystem>(self.host);
        let runtime = host.and_then(|host| host.runtime.as_deref());
        let known = runtime.and_then(|runtime| runtime.health_system_runtime.as_deref());
        let element = |name: String| HostHardwareElementInfo {
            name,
            status: green(),
            ..HostHardwareElementInfo::default()
        };
        let memory = (1..=4).map(|bank| element(format!("Memory Device {bank}")).into());
        let packages = (1..=2).map(|package| element(format!("CPU{package}")).into());
        let slot = self.number % 8;
        let disk = HostStorageElementInfo {
            base: element(format!("Disk {slot} on HBA 0")),
            ..HostStorageElementInfo::default()
        };
        HealthSystemRuntime {
            hardware_status_info: Some(
                HostHardwareStatusInfo {
                    memory_status_info: memory.collect(),
                    cpu_status_info: packages.collect(),
                    storage_status_info: vec![disk],
                    ..HostHardwareStatusInfo::default()
                }
                .into(),
            ),
            ..known.cloned().unwrap_or_default()
        }
    }
}

fn green() -> Poly<ElementDescription> {
    Health::Green.described("Physical element")
}

/// The services that every ESXi has: key, label, whether it runs, what starts it, and the rulesets that it needs.
const SERVICES: [(&str, &str, bool, &str, &[&str]); 7] = [
    ("DCUI", "Direct Console UI", true, "on", &[]),
    ("TSM", "ESXi Shell", false, "off", &[]),
    ("TSM-SSH", "SSH", false, "off", &["sshServer"]),
    ("ntpd", "NTP Daemon", true, "automatic", &["ntpClient"]),
    ("lbtd", "Load-Based Teaming Daemon", true, "on", &[]),
    ("snmpd", "SNMP Server", false, "on", &["snmp"]),
    (
        "vpxa",
        "VMware vCenter Agent",
        true,
        "on",
        &["vpxHeartbeats"],
    ),
];

fn services() -> HostServiceInfo {
    let services = SERVICES.map(|(key, label, running, policy, rulesets)| HostService {
        key: key.to_owned(),
        label: label.to_owned(),
        required: false,
        uninstallable: false,
        running,
        ruleset: rulesets.iter().map(|&ruleset| ruleset.to_owned()).collect(),
        policy: policy.to_owned(),
        ..HostService::default()
    });
    HostServiceInfo {
        service: services.into(),
        ..HostServiceInfo::default()
    }
}

fn firewall() -> HostFirewallInfo {
    use enums::HostFirewallRuleDirection::{Inbound, Outbound};
    let ruleset = |key: &str, label: &str, port, direction, protocol: &str, enabled| {
        let service = SERVICES.iter().find(|service| service.4.contains(&key));
        HostFirewallRuleset {
            key: key.to_owned(),
            label: label.to_owned(),
            required: false,
            rule: vec![HostFirewallRule {
                port,
                direction,
                protocol: protocol.to_owned(),
                ..HostFirewallRule::default()
            }],
            service: service.map(|service| service.0.to_owned()),
            enabled,
            allowed_hosts: Some(
                HostFirewallRulesetIpList {
                    all_ip: true,
                    ..HostFirewallRulesetIpList::default()
                }
                .into(),
            ),
            ..HostFirewallRuleset::default()
        }
    };
    HostFirewallInfo {
        default_policy: HostFirewallDefaultPolicy {
            incoming_blocked: Some(true),
            outgoing_blocked: Some(true),
            ..HostFirewallDefaultPolicy::default()
        },
        ruleset: vec![
            ruleset("sshServer", "SSH Server", 22, Inbound, "tcp", true),
            ruleset("sshClient", "SSH Client", 22, Outbound, "tcp", false),
            ruleset("nfsClient", "NFS Client", 2049, Outbound, "tcp", false),
            ruleset("dns", "DNS Client", 53, Outbound, "udp", true),
            ruleset("ntpClient", "NTP Client", 123, Outbound, "udp", true),
            ruleset("snmp", "SNMP Server", 161, Inbound, "udp", true),
            ruleset("syslog", "syslog", 514, Outbound, "udp", false),
            ruleset("vMotion", "vMotion", 8000, Inbound, "tcp", true),
            ruleset(
                "vpxHeartbeats",
                "VMware vCenter Agent",
                902,
                Outbound,
                "udp",
                true,
            ),
        ],
        ..HostFirewallInfo::default()
    }
}

/// The only time zone that ESXi has.
pub(crate) fn utc() -> HostDateTimeSystemTimeZone {
    HostDateTimeSystemTimeZone {
        key: "UTC".to_owned(),
        name: "UTC".to_owned(),
        description: "UTC".to_owned(),
        gmt_offset: 0,
        ..HostDateTimeSystemTimeZone::default()
    }
}

/// The time servers, and from the release on that tells it that the clock is in step.
fn time(world: &World) -> HostDateTimeInfo {
    let tells = world.since("7.0.3.0");
    HostDateTimeInfo {
        time_zone: utc(),
        ntp_config: Some(
            HostNtpConfig {
                server: vec![
                    "0.pool.ntp.example.com".to_owned(),
                    "192.0.2.123".to_owned(),
                ],
                ..HostNtpConfig::default()
            }
            .into(),
        ),
        system_clock_protocol: world.since("7.0.0.0").then(|| "ntp".to_owned()),
        enabled: tells.then_some(true),
        service_sync: tells.then_some(true),
        last_sync_time: tells.then(boot_time),
        remote_ntp_server: tells.then(|| "192.0.2.123".to_owned()),
        ..HostDateTimeInfo::default()
    }
}

/// What a licence allows: the key with the limit, and the name.
const FEATURES: [(&str, &str); 6] = [
    ("vsmp:768", "Up to 768-way virtual SMP"),
    ("vmotion", "vSphere vMotion"),
    ("storagevmotion", "vSphere Storage vMotion"),
    ("das", "vSphere HA"),
    ("drs", "vSphere DRS"),
    ("dvs", "vSphere Distributed Switch"),
];

/// The licence of the hosts.
fn licence(world: &World) -> LicenseManagerLicenseInfo {
    let packages = 2 * i32::try_from(hosts(world).len()).unwrap_or(i32::MAX / 2);
    let is_counted = world.kind() == ServerKind::VCenter;
    let feature = |(key, name): (&str, &str)| {
        let pair = KeyValue {
            key: key.to_owned(),
            value: name.to_owned(),
            ..KeyValue::default()
        };
        property("feature", Any::object(pair))
    };
    let mut facts = vec![
        property("ProductName", Any::String("VMware ESX Server".to_owned())),
        property(
            "ProductVersion",
            Any::String(world.release().asked.to_owned()),
        ),
    ];
    if !is_counted {
        let unlimited = "This license is unlimited".to_owned();
        facts.push(property("count_disabled", Any::String(unlimited)));
    }
    facts.extend(FEATURES.map(feature));
    LicenseManagerLicenseInfo {
        license_key: "0A1B2-C3D4E-5F6A7-B8C9D-0E1F2".to_owned(),
        edition_key: "esx.enterprisePlus.cpuPackage".to_owned(),
        name: "vSphere Enterprise Plus".to_owned(),
        total: if is_counted { 2 * packages } else { 0 },
        used: Some(packages),
        cost_unit: "cpuPackage".to_owned(),
        properties: facts,
        ..LicenseManagerLicenseInfo::default()
    }
}

/// What servers have before there are licence keys: the edition, which is a feature, too, and the others.
fn old_features() -> Vec<LicenseFeatureInfo> {
    let feature = |key: &str, name: &str, edition| LicenseFeatureInfo {
        key: key.to_owned(),
        feature_name: name.to_owned(),
        cost_unit: "cpuPackage".to_owned(),
        edition: Some(edition),
        ..LicenseFeatureInfo::default()
    };
    vec![
        feature("esxFull", "ESX Server Standard", true),
        feature("vsmp", "Virtual SMP", false),
        feature("san", "SAN", false),
    ]
}

/// The licences and the logs of the whole server.
fn add_managers(world: &mut World) {
    let evaluation = LicenseManagerEvaluationInfo {
        properties: vec![
            property("expirationHours", Any::Int(0)),
            property(
                "diagnostic",
                Any::String("The evaluation period is over".to_owned()),
            ),
        ],
        ..LicenseManagerEvaluationInfo::default()
    };
    let since_4 = world.since("4.0");
    let licence = since_4.then(|| licence(world));
    let assignments = (since_4 && world.kind() == ServerKind::VCenter).then(|| {
        world.add(
            "LicenseAssignmentManager",
            properties::LicenseAssignmentManager::default(),
        )
    });
    let licenses = world.add(
        "ha-license-manager",
        properties::LicenseManager {
            licensed_edition: text(if since_4 {
                "esx.enterprisePlus.cpuPackage"
            } else {
                "esxFull"
            }),
            feature_info: if since_4 { Vec::new() } else { old_features() },
            licenses: licence.into_iter().collect(),
            evaluation: since_4.then(|| evaluation.into()),
            license_assignment_manager: assignments,
            ..properties::LicenseManager::default()
        },
    );
    let diagnostics = world.add("ha-diagnosticmgr", properties::DiagnosticManager::default());
    let instances: Vec<_> = world.all("ServiceInstance").cloned().collect();
    for instance in instances {
        world.change(&instance, |instance: &mut properties::ServiceInstance| {
            if let Some(content) = instance.content.as_deref_mut() {
                content.license_manager = Some(licenses.clone());
                content.diagnostic_manager = Some(diagnostics.clone());
            }
        });
    }
}

fn property(key: &str, value: Any) -> KeyAnyValue {
    KeyAnyValue {
        key: key.to_owned(),
        value,
        ..KeyAnyValue::default()
    }
}

/// The host that has a system.
pub(crate) fn owner(
    world: &World,
    system: &ManagedObjectReference,
    of: fn(&HostConfigManager) -> &Option<ManagedObjectReference>,
) -> Option<ManagedObjectReference> {
    hosts(world).into_iter().find(|host| {
        let host = world.read::<properties::HostSystem>(host);
        let managers = host.and_then(|host| host.config_manager.as_deref());
        managers.and_then(|managers| of(managers).as_ref()) == Some(system)
    })
}
