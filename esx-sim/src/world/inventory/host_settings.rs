//! What is set on a host: advanced options, the power policy, and the certificate that it shows.

use vi_types::objects::{
    BoolOption, Description, ElementDescription, HostCertificateManagerCertificateInfo,
    HostPowerPolicy, LongOption, OptionDef, OptionType, OptionValue, PowerSystemCapability,
    PowerSystemInfo, StringOption,
};
use vi_types::{Any, DateTime, ManagedObjectReference, Poly, properties};

use super::hosts;
use super::parts::{MADE, text};
use crate::world::World;

/// A kind of option with its value when it was not set: for numbers with the least and the greatest value.
#[derive(Clone, Copy)]
enum Kind {
    Number(i64, i64, i64),
    Switch(bool),
    Text(&'static str),
    /// A text that the host itself sets.
    Fixed(&'static str),
}

use Kind::{Fixed, Number, Switch, Text};

/// Advanced options of ESXi: key, what it is, and the kind.
const OPTIONS: [(&str, &str, Kind); 44] = [
    (
        "Annotations.WelcomeMessage",
        "Welcome message in the initial screen",
        Text(""),
    ),
    (
        "COW.COWMaxHeapSizeMB",
        "Maximum size of the COW heap in MB",
        Number(192, 15, 192),
    ),
    (
        "Config.HostAgent.log.level",
        "Log level of the host agent",
        Text("info"),
    ),
    (
        "Config.HostAgent.plugins.hostsvc.esxAdminsGroup",
        "Active Directory group of administrators",
        Text("ESX Admins"),
    ),
    (
        "Config.HostAgent.plugins.solo.enableMob",
        "Managed object browser",
        Switch(false),
    ),
    (
        "DataMover.HardwareAcceleratedInit",
        "Hardware accelerated VMFS data initialization",
        Number(1, 0, 1),
    ),
    (
        "DataMover.HardwareAcceleratedMove",
        "Hardware accelerated VMFS data movement",
        Number(1, 0, 1),
    ),
    (
        "Disk.DiskMaxIOSize",
        "Max Disk READ/WRITE I/O size before splitting (in KB)",
        Number(32_767, 32, 32_767),
    ),
    (
        "Disk.MaxLUN",
        "Maximum LUN ID that is scanned",
        Number(1024, 1, 16_384),
    ),
    (
        "Disk.QFullSampleSize",
        "I/O samples to monitor for detecting non-transient queue full",
        Number(0, 0, 64),
    ),
    (
        "Disk.QFullThreshold",
        "BUSY or QFULL threshold upon which LUN queue depth is throttled",
        Number(8, 1, 16),
    ),
    (
        "Disk.UseDeviceReset",
        "Use device reset (instead of bus reset)",
        Number(1, 0, 1),
    ),
    (
        "Mem.AllocGuestLargePage",
        "Enable large page backing of guest memory",
        Number(1, 0, 1),
    ),
    (
        "Mem.ShareForceSalting",
        "Page sharing between machines needs equal salts",
        Number(2, 0, 2),
    ),
    ("Misc.HostName", "Host name", Fixed("esx")),
    (
        "NFS.HeartbeatFrequency",
        "Time between heartbeats in seconds",
        Number(12, 1, 3600),
    ),
    (
        "NFS.HeartbeatMaxFailures",
        "Failures before a server is inaccessible",
        Number(10, 1, 100),
    ),
    (
        "NFS.HeartbeatTimeout",
        "Time before a heartbeat times out in seconds",
        Number(5, 1, 30),
    ),
    (
        "NFS.MaxQueueDepth",
        "Maximum queue depth per volume",
        Number(4_294_967_295, 1, 4_294_967_295),
    ),
    (
        "NFS.MaxVolumes",
        "Maximum number of mounted NFS volumes",
        Number(32, 8, 256),
    ),
    (
        "NFS41.MaxVolumes",
        "Maximum number of mounted NFS 4.1 volumes",
        Number(32, 8, 256),
    ),
    (
        "Net.FollowHardwareMac",
        "If set to 1, the management interface follows the hardware's MAC",
        Number(1, 0, 1),
    ),
    (
        "Net.TcpipHeapMax",
        "Maximum size of the TCP/IP heap in MB",
        Number(512, 32, 1536),
    ),
    (
        "Net.TcpipHeapSize",
        "Initial size of the TCP/IP heap in MB",
        Number(0, 0, 32),
    ),
    (
        "Numa.LocalityWeightActionAffinity",
        "Benefit of running related worlds on one node",
        Number(0, 0, 130),
    ),
    (
        "Power.CpuPolicy",
        "Power management policy of the processors",
        Text("Balanced"),
    ),
    (
        "ScratchConfig.ConfiguredScratchLocation",
        "Directory for scratch data after the next boot",
        Text(""),
    ),
    (
        "ScratchConfig.CurrentScratchLocation",
        "Directory for scratch data",
        Fixed("/tmp/scratch"),
    ),
    (
        "Security.AccountLockFailures",
        "Failed logins before an account is locked",
        Number(5, 0, 100),
    ),
    (
        "Security.AccountUnlockTime",
        "Seconds until a locked account is unlocked",
        Number(900, 1, 86_400),
    ),
    (
        "Security.PasswordHistory",
        "Passwords to remember for each user",
        Number(0, 0, 12),
    ),
    (
        "Security.PasswordQualityControl",
        "Raw options for pam_passwdqc.so",
        Text("retry=3 min=disabled,disabled,disabled,7,7"),
    ),
    (
        "Syslog.global.defaultRotate",
        "Number of rotated logs to keep",
        Number(8, 0, 100),
    ),
    (
        "Syslog.global.defaultSize",
        "Size of logs before they are rotated in KiB",
        Number(1024, 1, 10_240),
    ),
    (
        "Syslog.global.logDir",
        "Datastore path of the directory for logs",
        Text("[] /scratch/log"),
    ),
    (
        "Syslog.global.logHost",
        "The remote hosts to send logs to",
        Text(""),
    ),
    (
        "UserVars.DcuiTimeOut",
        "An idle time in seconds before the console logs out",
        Number(600, 0, 86_400),
    ),
    (
        "UserVars.ESXiShellInteractiveTimeOut",
        "Idle time before an interactive shell is logged out",
        Number(0, 0, 86_400),
    ),
    (
        "UserVars.ESXiShellTimeOut",
        "Time before the shell and SSH are disabled",
        Number(0, 0, 86_400),
    ),
    (
        "UserVars.HostClientSessionTimeout",
        "Time before a session of the host client ends",
        Number(900, 0, 7200),
    ),
    (
        "UserVars.SuppressShellWarning",
        "Don't show warning for enabled local and remote shell access",
        Number(0, 0, 1),
    ),
    (
        "VMFS3.UseATSForHBOnVMFS5",
        "Use ATS for heartbeats on VMFS5",
        Number(1, 0, 1),
    ),
    (
        "VMkernel.Boot.execInstalledOnly",
        "Run only programs that are installed",
        Switch(false),
    ),
    (
        "VMkernel.Boot.hyperthreading",
        "Enable hyperthreading if available",
        Switch(true),
    ),
];

/// Puts the managers of all hosts' settings in.
pub(crate) fn equip(world: &mut World) {
    let (defined, values) = (definitions(), values());
    for host in hosts(world) {
        let part = |kind: &str, on_esx: &str| match host.value.strip_prefix("host-") {
            Some(number) => format!("{kind}-{number}"),
            None => on_esx.to_owned(),
        };
        let options = world.add(
            part("EsxHostAdvSettings", "ha-adv-options"),
            properties::OptionManager {
                supported_option: defined.clone(),
                setting: values.clone(),
                ..properties::OptionManager::default()
            },
        );
        let (capability, info) = power();
        let power_system = world.since("4.1").then(|| {
            world.add(
                part("powerSystem", "ha-power-system"),
                properties::HostPowerSystem {
                    capability: Some(capability.clone().into()),
                    info: Some(info.clone().into()),
                    ..properties::HostPowerSystem::default()
                },
            )
        });
        let name = world.name(&host).unwrap_or_default().to_owned();
        let certificates = world.since("6.0").then(|| {
            world.add(
                part("certificateManager", "ha-certificate-manager"),
                properties::HostCertificateManager {
                    certificate_info: Some(certificate(&name).into()),
                    ..properties::HostCertificateManager::default()
                },
            )
        });
        let licences = world.all("LicenseManager").next().cloned();
        let licences = licences.filter(|_| world.since("4.0"));
        world.change(&host, |host: &mut properties::HostSystem| {
            let config = host.config.as_deref_mut();
            if let Some(config) = config {
                config.option.clone_from(&values);
                config.option_def.clone_from(&defined);
                if power_system.is_some() {
                    config.power_system_capability = Some(capability.into());
                    config.power_system_info = Some(info.into());
                }
            }
            if let Some(managers) = host.config_manager.as_deref_mut() {
                managers.advanced_option = Some(options);
                managers.power_system = power_system;
                managers.certificate_manager = certificates;
                managers.license_manager = licences;
            }
        });
    }
}

fn value_of(kind: Kind) -> Any {
    match kind {
        Number(value, ..) => Any::Long(value),
        Switch(value) => Any::Bool(value),
        Text(value) | Fixed(value) => Any::String(value.to_owned()),
    }
}

fn values() -> Vec<Poly<OptionValue>> {
    let value = |&(key, _, kind): &(&str, &str, Kind)| {
        OptionValue {
            key: key.to_owned(),
            value: Some(value_of(kind)),
            ..OptionValue::default()
        }
        .into()
    };
    OPTIONS.iter().map(value).collect()
}

fn definitions<T: From<OptionDef>>() -> Vec<T> {
    let definition = |&(key, what, kind): &(&str, &str, Kind)| {
        T::from(OptionDef {
            base: ElementDescription {
                base: Description {
                    label: key.rsplit('.').next().unwrap_or(key).to_owned(),
                    summary: what.to_owned(),
                    ..Description::default()
                },
                key: key.to_owned(),
                ..ElementDescription::default()
            },
            option_type: option_type(kind),
            ..OptionDef::default()
        })
    };
    OPTIONS.iter().map(definition).collect()
}

fn option_type(kind: Kind) -> Poly<OptionType> {
    let base = OptionType {
        value_is_readonly: Some(matches!(kind, Fixed(_))),
        ..OptionType::default()
    };
    match kind {
        Number(default_value, min, max) => LongOption {
            base,
            min,
            max,
            default_value,
            ..LongOption::default()
        }
        .into(),
        Switch(default_value) => BoolOption {
            base,
            supported: true,
            default_value,
            ..BoolOption::default()
        }
        .into(),
        Text(value) | Fixed(value) => StringOption {
            base,
            default_value: value.to_owned(),
            ..StringOption::default()
        }
        .into(),
    }
}

fn power() -> (PowerSystemCapability, PowerSystemInfo) {
    let policies = [
        (1, "static", "High performance"),
        (2, "dynamic", "Balanced"),
        (3, "low", "Low power"),
        (4, "custom", "Custom"),
    ];
    let policies = policies.map(|(key, short, what)| HostPowerPolicy {
        key,
        name: format!("PowerPolicy.{short}.name"),
        short_name: short.to_owned(),
        description: what.to_owned(),
        ..HostPowerPolicy::default()
    });
    let info = PowerSystemInfo {
        current_policy: policies[1].clone(),
        ..PowerSystemInfo::default()
    };
    let capability = PowerSystemCapability {
        available_policy: policies.into(),
        ..PowerSystemCapability::default()
    };
    (capability, info)
}

fn certificate(host: &str) -> HostCertificateManagerCertificateInfo {
    let years = |count: i64| DateTime::from_epoch_seconds(MADE + count * 31_557_600);
    HostCertificateManagerCertificateInfo {
        issuer: text("O=VMware Installer"),
        not_before: Some(years(0)),
        not_after: Some(years(10)),
        subject: Some(format!(
            "CN={host},OU=VMware ESX Server Default Certificate,O=VMware\\, Inc,C=US"
        )),
        status: "good".to_owned(),
        ..HostCertificateManagerCertificateInfo::default()
    }
}

/// The host of an option manager, if it is one's.
pub(crate) fn host_of_options(
    world: &World,
    manager: &ManagedObjectReference,
) -> Option<ManagedObjectReference> {
    super::systems::owner(world, manager, |managers| &managers.advanced_option)
}
