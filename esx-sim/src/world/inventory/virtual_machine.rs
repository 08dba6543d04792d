//! Virtual machines: a handful that differ in everything that can differ, or any number of dull ones.

use vi_types::enums::{
    ManagedEntityStatus, VirtualMachineConnectionState, VirtualMachineFaultToleranceState,
    VirtualMachinePowerState, VirtualMachineRecordReplayState, VirtualMachineToolsStatus,
    VirtualScsiSharing,
};
use vi_types::objects::{
    Description, GuestDiskInfo, GuestInfo, GuestNicInfo, GuestScreenInfo, NetIpConfigInfo,
    NetIpConfigInfoIpAddress, OptionValue, ParaVirtualScsiController, ToolsConfigInfo,
    VirtualAhciController, VirtualBusLogicController, VirtualCdrom, VirtualCdromIsoBackingInfo,
    VirtualCdromRemotePassthroughBackingInfo, VirtualController, VirtualDevice,
    VirtualDeviceConnectInfo, VirtualDeviceDeviceBackingInfo, VirtualDeviceFileBackingInfo,
    VirtualDeviceRemoteDeviceBackingInfo, VirtualDisk, VirtualDiskFlatVer2BackingInfo,
    VirtualE1000, VirtualE1000e, VirtualEthernetCard, VirtualEthernetCardNetworkBackingInfo,
    VirtualHardware, VirtualIdeController, VirtualKeyboard, VirtualLsiLogicController,
    VirtualLsiLogicSasController, VirtualMachineBootOptions, VirtualMachineCapability,
    VirtualMachineConfigInfo, VirtualMachineConfigInfoDatastoreUrlPair,
    VirtualMachineConfigSummary, VirtualMachineDefaultPowerOpInfo, VirtualMachineFileInfo,
    VirtualMachineFileLayoutEx, VirtualMachineFileLayoutExFileInfo, VirtualMachineFlagInfo,
    VirtualMachineGuestSummary, VirtualMachineQuickStats, VirtualMachineRuntimeInfo,
    VirtualMachineStorageInfo, VirtualMachineStorageSummary, VirtualMachineSummary,
    VirtualMachineUsageOnDatastore, VirtualMachineVideoCard, VirtualMachineVmciDevice,
    VirtualNvmeController, VirtualPcNet32, VirtualPciController, VirtualPointingDevice,
    VirtualPointingDeviceDeviceBackingInfo, VirtualPs2Controller, VirtualScsiController,
    VirtualSerialPort, VirtualSerialPortFileBackingInfo, VirtualSioController,
    VirtualUsbxhciController, VirtualVmxnet3,
};
use vi_types::{Any, DateTime, ManagedObjectReference, Poly, properties};

use super::Kind;
use super::parts::{
    allocation, boot_time, datastore_path, entity, made_time, mix, suspend_time, text, uuid,
};
use crate::machine::snapshot::{self, NewSnapshot};
use crate::version::{ApiVersion, Release};
use crate::world::World;

/// Where virtual machines can be.
pub(crate) struct Place {
    /// What the names of the handful begin with here.
    pub(crate) prefix: &'static str,
    pub(crate) folder: ManagedObjectReference,
    pub(crate) pool: ManagedObjectReference,
    pub(crate) host: ManagedObjectReference,
    pub(crate) datastores: Vec<ManagedObjectReference>,
    pub(crate) network: ManagedObjectReference,
    pub(crate) kind: Kind,
}

/// An operating system as VMware names it.
struct Guest {
    id: &'static str,
    name: &'static str,
    windows: bool,
    efi: bool,
}

const DEBIAN: Guest = guest(
    "debian12_64Guest",
    "Debian GNU/Linux 12 (64-bit)",
    false,
    false,
);
const RHEL: Guest = guest(
    "rhel9_64Guest",
    "Red Hat Enterprise Linux 9 (64-bit)",
    false,
    true,
);
const UBUNTU: Guest = guest("ubuntu64Guest", "Ubuntu Linux (64-bit)", false, true);
const WINDOWS: Guest = guest(
    "windows2019srvNext_64Guest",
    "Microsoft Windows Server 2022 (64-bit)",
    true,
    true,
);
const FREEBSD: Guest = guest("freebsd13_64Guest", "FreeBSD 13 (64-bit)", false, false);

const fn guest(id: &'static str, name: &'static str, windows: bool, efi: bool) -> Guest {
    Guest {
        id,
        name,
        windows,
        efi,
    }
}

/// What distinguishes one virtual machine from another.
struct Spec {
    /// Makes UUIDs and addresses.
    number: u64,
    /// The name as the server has it: `%2f` for a slash.
    name: String,
    guest: &'static Guest,
    power: Power,
    cpus: i32,
    memory_mb: i32,
    disks_gib: &'static [i64],
    /// What the disks are attached to; as far as it doesn't say, the SCSI controller.
    buses: &'static [Bus],
    scsi: Scsi,
    /// One for each network card.
    cards: &'static [Card],
    /// A serial port that writes to a file.
    serial: bool,
    tools: bool,
    iso: bool,
    annotation: &'static str,
    template: bool,
    /// Taken one after the other.
    snapshots: &'static [Snapshot],
}

/// A snapshot that a machine has from the beginning.
struct Snapshot {
    /// How many of the machine's snapshots lie above it, so that the others are its siblings' children.
    level: usize,
    name: &'static str,
    description: &'static str,
    memory: bool,
    quiesce: bool,
}

/// A tree with a branch, whose second child of the root is the current snapshot.
const SNAPSHOTS: [Snapshot; 4] = [
    Snapshot {
        level: 0,
        name: "installed",
        description: "Fresh from the installer",
        memory: false,
        quiesce: false,
    },
    Snapshot {
        level: 1,
        name: "before-upgrade",
        description: "",
        memory: true,
        quiesce: false,
    },
    Snapshot {
        level: 2,
        name: "upgraded",
        description: "Version 16 <stable> & running",
        memory: true,
        quiesce: false,
    },
    Snapshot {
        level: 1,
        name: "tuned",
        description: "",
        memory: false,
        quiesce: true,
    },
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bus {
    Scsi,
    Sata,
    Nvme,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scsi {
    ParaVirtual,
    LsiLogic,
    LsiLogicSas,
    BusLogic,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Card {
    Vmxnet3,
    E1000,
    E1000e,
    PcNet32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Power {
    On,
    Off,
    Suspended,
}

/// Puts the virtual machines in, numbered from `first`: that many, spread over the places, or a handful in
/// each place. They are put into no folder, pool or host.
pub(crate) fn add(
    world: &mut World,
    release: &'static Release,
    places: &[Place],
    count: Option<usize>,
    first: u64,
) -> Vec<ManagedObjectReference> {
    let mut vms = Vec::new();
    let specs = match count {
        Some(count) => (first..).take(count).map(dull).collect(),
        None => handful(first, places),
    };
    let per_place = specs.len().div_ceil(places.len().max(1)).max(1);
    for (index, spec) in specs.into_iter().enumerate() {
        let Some(place) = places.get(index / per_place) else {
            break;
        };
        let vm = Maker::new(world, release, place, &spec).add(world);
        add_snapshots(world, &vm, spec.snapshots);
        vms.push(vm);
    }
    vms
}

/// Takes snapshots, each half an hour after the one before it.
fn add_snapshots(world: &mut World, vm: &ManagedObjectReference, snapshots: &[Snapshot]) {
    let mut above = Vec::new();
    for (minutes, spec) in (0..).step_by(30).zip(snapshots) {
        above.truncate(spec.level);
        snapshot::set_current(world, vm, above.last());
        let new = NewSnapshot {
            name: spec.name.to_owned(),
            description: spec.description.to_owned(),
            memory: spec.memory,
            quiesce: spec.quiesce,
            at: DateTime::from_epoch_seconds(boot_time().epoch_seconds() + 60 * minutes),
        };
        // The machines of the presets can have snapshots.
        above.extend(snapshot::create(world, vm, new));
    }
}

fn handful(first: u64, places: &[Place]) -> Vec<Spec> {
    let mut specs = Vec::new();
    for place in places {
        let number = first + specs.len() as u64;
        let name = |name: &str| format!("{}{name}", place.prefix);
        let base = || Spec {
            number,
            name: String::new(),
            guest: &DEBIAN,
            power: Power::On,
            cpus: 2,
            memory_mb: 4096,
            disks_gib: &[32],
            buses: &[],
            scsi: Scsi::ParaVirtual,
            cards: &[Card::Vmxnet3],
            serial: false,
            tools: true,
            iso: false,
            annotation: "",
            template: false,
            snapshots: &[],
        };
        let all = [
            Spec {
                name: name("web01"),
                annotation: "Front end <nginx> & certificates",
                ..base()
            },
            Spec {
                name: name("db01"),
                guest: &RHEL,
                cpus: 8,
                memory_mb: 32_768,
                disks_gib: &[64, 500],
                cards: &[Card::Vmxnet3, Card::Vmxnet3],
                snapshots: if place.prefix.is_empty() {
                    &SNAPSHOTS
                } else {
                    &[]
                },
                ..base()
            },
            Spec {
                name: name("files"),
                guest: &WINDOWS,
                cpus: 4,
                memory_mb: 16_384,
                disks_gib: &[120, 2048],
                buses: &[Bus::Scsi, Bus::Sata],
                scsi: Scsi::LsiLogicSas,
                cards: &[Card::E1000e],
                ..base()
            },
            Spec {
                name: name("router"),
                guest: &FREEBSD,
                cpus: 1,
                memory_mb: 512,
                disks_gib: &[8],
                scsi: Scsi::BusLogic,
                cards: &[Card::Vmxnet3, Card::E1000, Card::PcNet32],
                tools: false,
                ..base()
            },
            Spec {
                name: name("desktop"),
                guest: &UBUNTU,
                power: Power::Suspended,
                cpus: 4,
                memory_mb: 8192,
                disks_gib: &[80],
                scsi: Scsi::LsiLogic,
                cards: &[Card::E1000],
                ..base()
            },
            // A name with a slash, which the server escapes.
            Spec {
                name: name("build%2fci"),
                guest: &UBUNTU,
                power: Power::Off,
                cpus: 16,
                memory_mb: 65_536,
                disks_gib: &[200, 100],
                buses: &[Bus::Scsi, Bus::Nvme],
                ..base()
            },
            Spec {
                name: name("installer"),
                power: Power::Off,
                disks_gib: &[16],
                iso: true,
                serial: true,
                tools: false,
                template: place.kind == Kind::VCenter,
                ..base()
            },
        ];
        specs.extend(
            (number..)
                .zip(all)
                .map(|(number, spec)| Spec { number, ..spec }),
        );
    }
    specs
}

/// The machine with that number, when there are many of them.
fn dull(number: u64) -> Spec {
    const ROLES: [&str; 8] = ["web", "db", "app", "cache", "build", "mail", "dns", "desk"];
    const GUESTS: [&Guest; 5] = [&DEBIAN, &RHEL, &UBUNTU, &WINDOWS, &FREEBSD];
    let random = mix(number);
    let role = ROLES[(number % 8) as usize];
    Spec {
        number,
        name: format!("{role}{number:05}"),
        guest: GUESTS[(random % 5) as usize],
        power: match number % 10 {
            0..=5 => Power::On,
            6..=8 => Power::Off,
            _ => Power::Suspended,
        },
        cpus: 1 << (random >> 8 & 3),
        memory_mb: 1024 << (random >> 16 & 3),
        disks_gib: if random >> 24 & 3 == 0 {
            &[32, 100]
        } else {
            &[32]
        },
        buses: &[],
        scsi: Scsi::ParaVirtual,
        cards: &[Card::Vmxnet3],
        serial: false,
        tools: random >> 32 & 7 != 0,
        iso: false,
        annotation: "",
        template: false,
        snapshots: &[],
    }
}

/// Makes one virtual machine.
struct Maker<'a> {
    spec: &'a Spec,
    place: &'a Place,
    release: &'static Release,
    reference: ManagedObjectReference,
    /// Name of the datastore its files are on.
    datastore: (ManagedObjectReference, String),
    network: String,
    /// Where its files are on the datastore.
    directory: String,
}

const KB_PER_GIB: i64 = 1 << 20;

impl<'a> Maker<'a> {
    fn new(world: &World, release: &'static Release, place: &'a Place, spec: &'a Spec) -> Self {
        let value = match place.kind {
            Kind::Esx => spec.number.to_string(),
            Kind::VCenter => format!("vm-{}", spec.number),
        };
        let pick = (spec.number as usize) % place.datastores.len().max(1);
        let datastore = place.datastores.get(pick).cloned().unwrap_or_default();
        let datastore_name = world.name(&datastore).unwrap_or_default().to_owned();
        let network = world.name(&place.network).unwrap_or_default().to_owned();
        Self {
            spec,
            place,
            release,
            reference: ManagedObjectReference::new("VirtualMachine", value),
            datastore: (datastore, datastore_name),
            network,
            // Servers put a dash where the name has a slash.
            directory: spec.name.replace("%2f", "-"),
        }
    }

    fn since(&self, version: &str) -> bool {
        self.release.version() >= ApiVersion::since(version)
    }

    fn on(&self) -> bool {
        self.spec.power == Power::On
    }

    fn path(&self, file: &str) -> String {
        datastore_path(&self.datastore.1, &format!("{}/{file}", self.directory))
    }

    fn nics(&self) -> u8 {
        u8::try_from(self.spec.cards.len()).unwrap_or(u8::MAX)
    }

    /// What a disk is attached to, as far as such a server knows of it.
    fn bus(&self, disk: i32) -> Bus {
        let wanted = usize::try_from(disk)
            .ok()
            .and_then(|disk| self.spec.buses.get(disk));
        match wanted {
            Some(Bus::Sata) if self.since("5.5") => Bus::Sata,
            Some(Bus::Nvme) if self.since("6.5") => Bus::Nvme,
            _ => Bus::Scsi,
        }
    }

    /// The keys of the disks on a bus.
    fn disks_on(&self, bus: Bus) -> Vec<i32> {
        let disks = (0..).zip(self.spec.disks_gib).map(|(index, _)| index);
        disks
            .filter(|index| self.bus(*index) == bus)
            .map(|index| 2000 + index)
            .collect()
    }

    fn mac(&self, nic: u8) -> String {
        let oui = match self.place.kind {
            Kind::Esx => "00:0c:29",
            Kind::VCenter => "00:50:56",
        };
        let [.., a, b] = self.spec.number.to_be_bytes();
        format!("{oui}:{nic:02x}:{a:02x}:{b:02x}")
    }

    fn address(&self, nic: u8) -> String {
        let [.., a, b] = self.spec.number.to_be_bytes();
        format!("10.{nic}.{a}.{b}")
    }

    fn host_name(&self) -> String {
        let name = self.spec.name.replace("%2f", "-");
        format!("{name}.example.com")
    }

    fn bios_uuid(&self) -> String {
        let prefix = match self.place.kind {
            Kind::Esx => 0x564d,
            Kind::VCenter => 0x4203,
        };
        uuid(prefix, self.spec.number)
    }

    fn instance_uuid(&self) -> String {
        let prefix = match self.place.kind {
            Kind::Esx => 0x52ab,
            Kind::VCenter => 0x5003,
        };
        uuid(prefix, self.spec.number | 1 << 32)
    }

    fn disk_bytes(&self) -> i64 {
        self.spec.disks_gib.iter().sum::<i64>() << 30
    }

    fn add(&self, world: &mut World) -> ManagedObjectReference {
        let heartbeat = match self.on() && self.spec.tools {
            true => ManagedEntityStatus::Green,
            false => ManagedEntityStatus::Gray,
        };
        let vm = properties::VirtualMachine {
            base: entity(&self.spec.name, Some(&self.place.folder)),
            capability: Some(self.capability().into()),
            config: Some(self.config().into()),
            layout_ex: self.since("4.0").then(|| self.layout().into()),
            storage: self.since("4.0").then(|| self.storage().into()),
            resource_pool: (!self.spec.template).then(|| self.place.pool.clone()),
            runtime: Some(self.runtime().into()),
            guest: Some(self.guest().into()),
            summary: Some(self.summary(&heartbeat).into()),
            datastore: vec![self.datastore.0.clone()],
            network: vec![self.place.network.clone()],
            guest_heartbeat_status: Some(heartbeat),
            ..properties::VirtualMachine::default()
        };
        let reference = world.add(self.reference.value.clone(), vm);
        world.change(
            &self.datastore.0,
            |datastore: &mut properties::Datastore| {
                datastore.vm.push(reference.clone());
            },
        );
        world.change(&self.place.network, |network: &mut properties::Network| {
            network.vm.push(reference.clone());
        });
        reference
    }

    fn capability(&self) -> VirtualMachineCapability {
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

    fn config(&self) -> VirtualMachineConfigInfo {
        let spec = self.spec;
        let extra = [
            ("nvram", format!("{}.nvram", self.directory)),
            ("svga.present", "TRUE".to_owned()),
            ("pciBridge0.present", "TRUE".to_owned()),
            ("pciBridge4.present", "TRUE".to_owned()),
            ("pciBridge4.virtualDev", "pcieRootPort".to_owned()),
            ("pciBridge4.functions", "8".to_owned()),
            ("hpet0.present", "TRUE".to_owned()),
            ("tools.guest.desktop.autolock", "FALSE".to_owned()),
        ];
        let extra = extra.into_iter().map(|(key, value)| {
            OptionValue {
                key: key.to_owned(),
                value: Some(Any::from(value)),
                ..OptionValue::default()
            }
            .into()
        });
        VirtualMachineConfigInfo {
            change_version: "2024-03-01T08:00:00.000000Z".to_owned(),
            modified: DateTime::from_epoch_seconds(0),
            name: spec.name.clone(),
            guest_full_name: spec.guest.name.to_owned(),
            version: self.release.hardware.to_owned(),
            uuid: self.bios_uuid(),
            create_date: self.since("6.7").then(made_time),
            instance_uuid: self.since("4.0").then(|| self.instance_uuid()),
            npiv_temporary_disabled: self.since("4.0").then_some(true),
            template: spec.template,
            guest_id: spec.guest.id.to_owned(),
            alternate_guest_name: String::new(),
            annotation: text(spec.annotation),
            files: VirtualMachineFileInfo {
                vm_path_name: Some(self.path(&format!("{}.vmx", self.directory))),
                snapshot_directory: Some(self.path("")),
                suspend_directory: Some(self.path("")),
                log_directory: Some(self.path("")),
                ..VirtualMachineFileInfo::default()
            },
            tools: Some(
                ToolsConfigInfo {
                    tools_version: Some(if spec.tools { 12_389 } else { 0 }),
                    after_power_on: Some(true),
                    after_resume: Some(true),
                    before_guest_standby: Some(true),
                    before_guest_shutdown: Some(true),
                    before_guest_reboot: Some(false),
                    tools_upgrade_policy: text("manual"),
                    sync_time_with_host: Some(false),
                    ..ToolsConfigInfo::default()
                }
                .into(),
            ),
            flags: VirtualMachineFlagInfo {
                disable_acceleration: Some(false),
                enable_logging: Some(true),
                use_toe: Some(false),
                run_with_debug_info: Some(false),
                monitor_type: text("release"),
                ht_sharing: text("any"),
                snapshot_disabled: Some(false),
                snapshot_locked: Some(false),
                disk_uuid_enabled: Some(false),
                virtual_mmu_usage: text("automatic"),
                snapshot_power_off_behavior: text("powerOff"),
                ..VirtualMachineFlagInfo::default()
            },
            default_power_ops: VirtualMachineDefaultPowerOpInfo {
                power_off_type: text("soft"),
                suspend_type: text("hard"),
                reset_type: text("soft"),
                default_power_off_type: text("soft"),
                default_suspend_type: text("hard"),
                default_reset_type: text("soft"),
                standby_action: text("checkpoint"),
                ..VirtualMachineDefaultPowerOpInfo::default()
            },
            hardware: VirtualHardware {
                num_cpu: spec.cpus,
                num_cores_per_socket: self.since("5.0").then_some(1),
                memory_mb: spec.memory_mb,
                virtual_ich7m_present: self.since("5.0").then_some(false),
                virtual_smc_present: self.since("5.0").then_some(false),
                device: self.devices(),
                ..VirtualHardware::default()
            },
            cpu_allocation: Some(allocation(1000 * spec.cpus).into()),
            memory_allocation: Some(allocation(10 * spec.memory_mb).into()),
            memory_hot_add_enabled: self.since("4.0").then_some(false),
            cpu_hot_add_enabled: self.since("4.0").then_some(false),
            cpu_hot_remove_enabled: self.since("4.0").then_some(false),
            extra_config: extra.collect(),
            datastore_url: vec![VirtualMachineConfigInfoDatastoreUrlPair {
                name: self.datastore.1.clone(),
                url: format!(
                    "/vmfs/volumes/{}",
                    super::host::volume(&self.datastore.0.value)
                ),
                ..VirtualMachineConfigInfoDatastoreUrlPair::default()
            }],
            swap_placement: text("inherit"),
            boot_options: Some(
                VirtualMachineBootOptions {
                    boot_delay: Some(0),
                    enter_bios_setup: Some(false),
                    ..VirtualMachineBootOptions::default()
                }
                .into(),
            ),
            v_asserts_enabled: self.since("4.0").then_some(false),
            change_tracking_enabled: self.since("4.0").then_some(false),
            firmware: self
                .since("5.0")
                .then(|| if spec.guest.efi { "efi" } else { "bios" }.to_owned()),
            max_mks_connections: self.since("5.0").then_some(40),
            guest_auto_lock_enabled: self.since("5.0").then_some(true),
            ..VirtualMachineConfigInfo::default()
        }
    }

    fn devices<T: From<Poly<VirtualDevice>>>(&self) -> Vec<T> {
        let spec = self.spec;
        let modern = self.since("4.0");
        let mut devices: Vec<Poly<VirtualDevice>> = vec![
            VirtualIdeController {
                base: controller(200, "IDE 0", 0, None, &[]),
                ..VirtualIdeController::default()
            }
            .into(),
            VirtualIdeController {
                base: controller(201, "IDE 1", 1, None, &[]),
                ..VirtualIdeController::default()
            }
            .into(),
            VirtualPs2Controller {
                base: controller(300, "PS2 controller 0", 0, None, &[600, 700]),
                ..VirtualPs2Controller::default()
            }
            .into(),
            VirtualPciController {
                base: controller(100, "PCI controller 0", 0, None, &[500, 12_000, 1000, 4000]),
                ..VirtualPciController::default()
            }
            .into(),
            VirtualSioController {
                base: controller(400, "SIO controller 0", 0, None, &[]),
                ..VirtualSioController::default()
            }
            .into(),
            VirtualKeyboard {
                base: device(600, "Keyboard", "Keyboard", Some((300, 0))),
                ..VirtualKeyboard::default()
            }
            .into(),
            VirtualPointingDevice {
                base: VirtualDevice {
                    backing: Some(
                        VirtualPointingDeviceDeviceBackingInfo {
                            base: VirtualDeviceDeviceBackingInfo {
                                device_name: String::new(),
                                use_auto_detect: Some(false),
                                ..VirtualDeviceDeviceBackingInfo::default()
                            },
                            host_pointing_device: "autodetect".to_owned(),
                            ..VirtualPointingDeviceDeviceBackingInfo::default()
                        }
                        .into(),
                    ),
                    ..device(
                        700,
                        "Pointing device",
                        "Pointing device; Device",
                        Some((300, 1)),
                    )
                },
                ..VirtualPointingDevice::default()
            }
            .into(),
            VirtualMachineVideoCard {
                base: device(500, "Video card", "Video card", Some((100, 0))),
                video_ram_size_in_kb: Some(4096),
                num_displays: modern.then_some(1),
                use_auto_detect: modern.then_some(false),
                enable3_d_support: modern.then_some(false),
                use3d_renderer: self.since("5.1").then(|| "automatic".to_owned()),
                ..VirtualMachineVideoCard::default()
            }
            .into(),
        ];
        if modern {
            devices.push(
                VirtualMachineVmciDevice {
                    base: device(
                        12_000,
                        "VMCI device",
                        "Device on the virtual machine PCI bus",
                        Some((100, 17)),
                    ),
                    id: Some(mix(spec.number) as i64 & 0x7fff_ffff),
                    allow_unrestricted_communication: Some(false),
                    ..VirtualMachineVmciDevice::default()
                }
                .into(),
            );
        }
        devices.push(self.scsi_controller());
        if self.since("5.5") {
            devices.push(
                VirtualAhciController {
                    base: vi_types::objects::VirtualSataController {
                        base: controller(
                            15_000,
                            "SATA controller 0",
                            0,
                            Some((100, 24)),
                            &[&[16_000][..], &self.disks_on(Bus::Sata)].concat(),
                        ),
                        ..Default::default()
                    },
                    ..VirtualAhciController::default()
                }
                .into(),
            );
        }
        if self.since("5.5") && spec.guest.windows {
            devices.push(
                VirtualUsbxhciController {
                    base: controller(14_000, "USB xHCI controller", 0, Some((100, 23)), &[]),
                    auto_connect_devices: Some(false),
                    ..VirtualUsbxhciController::default()
                }
                .into(),
            );
        }
        let on_nvme = self.disks_on(Bus::Nvme);
        if !on_nvme.is_empty() {
            devices.push(
                VirtualNvmeController {
                    base: controller(31_000, "NVME controller 0", 0, Some((100, 30)), &on_nvme),
                    ..VirtualNvmeController::default()
                }
                .into(),
            );
        }
        devices.push(self.cdrom());
        for (index, gib) in (0..).zip(spec.disks_gib) {
            devices.push(self.disk(index, *gib));
        }
        for (nic, card) in (0..).zip(spec.cards) {
            devices.push(self.nic(nic, *card));
        }
        if spec.serial {
            devices.push(self.serial_port());
        }
        devices.into_iter().map(T::from).collect()
    }

    fn scsi_controller(&self) -> Poly<VirtualDevice> {
        let base = VirtualScsiController {
            base: controller(
                1000,
                "SCSI controller 0",
                0,
                Some((100, 3)),
                &self.disks_on(Bus::Scsi),
            ),
            hot_add_remove: Some(true),
            shared_bus: VirtualScsiSharing::NoSharing,
            scsi_ctlr_unit_number: Some(7),
            ..VirtualScsiController::default()
        };
        let kind = match self.spec.scsi {
            // The others came later.
            Scsi::ParaVirtual | Scsi::LsiLogicSas if !self.since("4.0") => Scsi::LsiLogic,
            kind => kind,
        };
        match kind {
            Scsi::ParaVirtual => ParaVirtualScsiController {
                base,
                ..ParaVirtualScsiController::default()
            }
            .into(),
            Scsi::LsiLogic => VirtualLsiLogicController {
                base,
                ..VirtualLsiLogicController::default()
            }
            .into(),
            Scsi::LsiLogicSas => VirtualLsiLogicSasController {
                base,
                ..VirtualLsiLogicSasController::default()
            }
            .into(),
            Scsi::BusLogic => VirtualBusLogicController {
                base,
                ..VirtualBusLogicController::default()
            }
            .into(),
        }
    }

    fn serial_port(&self) -> Poly<VirtualDevice> {
        let file = self.path("serial.log");
        VirtualSerialPort {
            base: VirtualDevice {
                backing: Some(
                    VirtualSerialPortFileBackingInfo {
                        base: VirtualDeviceFileBackingInfo {
                            file_name: file.clone(),
                            datastore: Some(self.datastore.0.clone()),
                            ..VirtualDeviceFileBackingInfo::default()
                        },
                        ..VirtualSerialPortFileBackingInfo::default()
                    }
                    .into(),
                ),
                connectable: Some(connectable(self.on()).into()),
                ..device(
                    9000,
                    "Serial port 1",
                    &format!("File {file}"),
                    Some((400, 0)),
                )
            },
            yield_on_poll: true,
            ..VirtualSerialPort::default()
        }
        .into()
    }

    fn cdrom(&self) -> Poly<VirtualDevice> {
        let (key, parent) = match self.since("5.5") {
            true => (16_000, 15_000),
            false => (3002, 201),
        };
        let base = match self.spec.iso {
            true => VirtualDevice {
                backing: Some(
                    VirtualCdromIsoBackingInfo {
                        base: VirtualDeviceFileBackingInfo {
                            file_name: datastore_path(&self.datastore.1, "iso/netinst.iso"),
                            datastore: Some(self.datastore.0.clone()),
                            ..VirtualDeviceFileBackingInfo::default()
                        },
                        ..VirtualCdromIsoBackingInfo::default()
                    }
                    .into(),
                ),
                connectable: Some(connectable(self.on()).into()),
                ..device(
                    key,
                    "CD/DVD drive 1",
                    &format!(
                        "ISO {}",
                        datastore_path(&self.datastore.1, "iso/netinst.iso")
                    ),
                    Some((parent, 0)),
                )
            },
            false => VirtualDevice {
                backing: Some(
                    VirtualCdromRemotePassthroughBackingInfo {
                        base: VirtualDeviceRemoteDeviceBackingInfo {
                            device_name: String::new(),
                            use_auto_detect: Some(false),
                            ..VirtualDeviceRemoteDeviceBackingInfo::default()
                        },
                        exclusive: false,
                        ..VirtualCdromRemotePassthroughBackingInfo::default()
                    }
                    .into(),
                ),
                connectable: Some(connectable(false).into()),
                ..device(key, "CD/DVD drive 1", "Remote device", Some((parent, 0)))
            },
        };
        VirtualCdrom {
            base,
            ..VirtualCdrom::default()
        }
        .into()
    }

    fn disk(&self, index: i32, gib: i64) -> Poly<VirtualDevice> {
        let file = match index {
            0 => format!("{}.vmdk", self.directory),
            _ => format!("{}_{index}.vmdk", self.directory),
        };
        let kb = gib * KB_PER_GIB;
        let bus = self.bus(index);
        let before = (0..index).filter(|other| self.bus(*other) == bus).count();
        let before = i32::try_from(before).unwrap_or(0);
        let at = match bus {
            // Unit 7 is the controller itself.
            Bus::Scsi => (1000, if before < 7 { before } else { before + 1 }),
            // Unit 0 is the CD-ROM drive.
            Bus::Sata => (15_000, before + 1),
            Bus::Nvme => (31_000, before),
        };
        let number = self.spec.number * 16 + index as u64;
        VirtualDisk {
            base: VirtualDevice {
                backing: Some(
                    VirtualDiskFlatVer2BackingInfo {
                        base: VirtualDeviceFileBackingInfo {
                            file_name: self.path(&file),
                            datastore: Some(self.datastore.0.clone()),
                            ..VirtualDeviceFileBackingInfo::default()
                        },
                        disk_mode: "persistent".to_owned(),
                        split: Some(false),
                        write_through: Some(false),
                        thin_provisioned: Some(true),
                        uuid: Some(uuid(0x6000, number)),
                        ..VirtualDiskFlatVer2BackingInfo::default()
                    }
                    .into(),
                ),
                ..device(
                    2000 + index,
                    &format!("Hard disk {}", index + 1),
                    &format!("{} KB", grouped(kb)),
                    Some(at),
                )
            },
            capacity_in_kb: kb,
            capacity_in_bytes: self.since("5.5").then_some(kb << 10),
            disk_object_id: self
                .since("5.5")
                .then(|| format!("{}-{}", self.reference.value, 2000 + index)),
            ..VirtualDisk::default()
        }
        .into()
    }

    fn nic(&self, index: u8, kind: Card) -> Poly<VirtualDevice> {
        let number = i32::from(index);
        let card = VirtualEthernetCard {
            base: VirtualDevice {
                backing: Some(
                    VirtualEthernetCardNetworkBackingInfo {
                        base: VirtualDeviceDeviceBackingInfo {
                            device_name: self.network.clone(),
                            use_auto_detect: Some(false),
                            ..VirtualDeviceDeviceBackingInfo::default()
                        },
                        network: Some(self.place.network.clone()),
                        ..VirtualEthernetCardNetworkBackingInfo::default()
                    }
                    .into(),
                ),
                connectable: Some(connectable(self.on()).into()),
                ..device(
                    4000 + number,
                    &format!("Network adapter {}", index + 1),
                    &self.network,
                    Some((100, 7 + number)),
                )
            },
            address_type: text(match self.place.kind {
                Kind::Esx => "generated",
                Kind::VCenter => "assigned",
            }),
            mac_address: Some(self.mac(index)),
            wake_on_lan_enabled: Some(true),
            ..VirtualEthernetCard::default()
        };
        let kind = match kind {
            Card::Vmxnet3 if !self.since("4.0") => Card::E1000,
            Card::E1000e if !self.since("5.0") => Card::E1000,
            kind => kind,
        };
        match kind {
            Card::Vmxnet3 => VirtualVmxnet3 {
                base: vi_types::objects::VirtualVmxnet {
                    base: card,
                    ..Default::default()
                },
                ..VirtualVmxnet3::default()
            }
            .into(),
            Card::E1000 => VirtualE1000 {
                base: card,
                ..VirtualE1000::default()
            }
            .into(),
            Card::E1000e => VirtualE1000e {
                base: card,
                ..VirtualE1000e::default()
            }
            .into(),
            Card::PcNet32 => VirtualPcNet32 {
                base: card,
                ..VirtualPcNet32::default()
            }
            .into(),
        }
    }

    fn runtime(&self) -> VirtualMachineRuntimeInfo {
        let spec = self.spec;
        VirtualMachineRuntimeInfo {
            host: Some(self.place.host.clone()),
            connection_state: VirtualMachineConnectionState::Connected,
            power_state: match spec.power {
                Power::On => VirtualMachinePowerState::PoweredOn,
                Power::Off => VirtualMachinePowerState::PoweredOff,
                Power::Suspended => VirtualMachinePowerState::Suspended,
            },
            fault_tolerance_state: self
                .since("4.0")
                .then_some(VirtualMachineFaultToleranceState::NotConfigured),
            tools_installer_mounted: false,
            suspend_time: (spec.power == Power::Suspended).then(suspend_time),
            boot_time: self.on().then(boot_time),
            suspend_interval: Some(0),
            max_cpu_usage: Some(spec.cpus * super::host::MHZ),
            max_memory_usage: Some(spec.memory_mb),
            num_mks_connections: 0,
            record_replay_state: self
                .since("4.0")
                .then_some(VirtualMachineRecordReplayState::Inactive),
            clean_power_off: (self.since("4.0") && spec.power == Power::Off).then_some(true),
            online_standby: self.since("5.1").then_some(false),
            consolidation_needed: self.since("5.0").then_some(false),
            ..VirtualMachineRuntimeInfo::default()
        }
    }

    fn tools_status(&self) -> VirtualMachineToolsStatus {
        match (self.spec.tools, self.on()) {
            (false, _) => VirtualMachineToolsStatus::ToolsNotInstalled,
            (true, false) => VirtualMachineToolsStatus::ToolsNotRunning,
            (true, true) => VirtualMachineToolsStatus::ToolsOk,
        }
    }

    fn tools_version_status(&self) -> Option<String> {
        let status = match self.spec.tools {
            true => "guestToolsUnmanaged",
            false => "guestToolsNotInstalled",
        };
        self.since("4.0").then(|| status.to_owned())
    }

    fn tools_running_status(&self) -> Option<String> {
        let status = match self.spec.tools && self.on() {
            true => "guestToolsRunning",
            false => "guestToolsNotRunning",
        };
        self.since("4.0").then(|| status.to_owned())
    }

    /// Whether the tools tell something of the guest.
    fn speaks(&self) -> bool {
        self.spec.tools && self.on()
    }

    fn guest(&self) -> GuestInfo {
        let spec = self.spec;
        let speaks = self.speaks();
        let nics = if speaks { self.nics() } else { 0 };
        let disks: &[i64] = if speaks { spec.disks_gib } else { &[] };
        let paths = match spec.guest.windows {
            true => ["C:\\", "D:\\"],
            false => ["/", "/srv"],
        };
        let disk = |(gib, path): (&i64, &str)| GuestDiskInfo {
            disk_path: text(path),
            capacity: Some(gib << 30),
            free_space: Some((gib << 30) / 3),
            ..GuestDiskInfo::default()
        };
        GuestInfo {
            tools_status: Some(self.tools_status()),
            tools_version_status: self.tools_version_status(),
            tools_version_status2: self
                .since("5.0")
                .then(|| self.tools_version_status())
                .flatten(),
            tools_running_status: self.tools_running_status(),
            tools_version: text(if spec.tools { "12389" } else { "0" }),
            guest_id: speaks.then(|| spec.guest.id.to_owned()),
            guest_family: speaks.then(|| {
                let family = if spec.guest.windows {
                    "windowsGuest"
                } else {
                    "linuxGuest"
                };
                family.to_owned()
            }),
            guest_full_name: speaks.then(|| spec.guest.name.to_owned()),
            host_name: speaks.then(|| self.host_name()),
            ip_address: speaks.then(|| self.address(0)),
            net: (0..nics).map(|nic| self.guest_nic(nic)).collect(),
            disk: disks.iter().zip(paths).map(disk).collect(),
            screen: Some(
                GuestScreenInfo {
                    width: 1024,
                    height: 768,
                    ..GuestScreenInfo::default()
                }
                .into(),
            ),
            guest_state: if self.on() { "running" } else { "notRunning" }.to_owned(),
            app_heartbeat_status: self.since("4.1").then(|| "appStatusGray".to_owned()),
            app_state: self.since("5.5").then(|| "none".to_owned()),
            guest_operations_ready: self.since("5.0").then_some(speaks),
            interactive_guest_operations_ready: self.since("5.0").then_some(false),
            ..GuestInfo::default()
        }
    }

    fn guest_nic(&self, nic: u8) -> GuestNicInfo {
        let [.., a, b] = self.spec.number.to_be_bytes();
        let link_local = format!("fe80::250:56ff:fe{nic:02x}:{a:02x}{b:02x}");
        let ip = |address: &str, prefix_length| NetIpConfigInfoIpAddress {
            ip_address: address.to_owned(),
            prefix_length,
            state: text("preferred"),
            ..NetIpConfigInfoIpAddress::default()
        };
        let config = || {
            NetIpConfigInfo {
                ip_address: vec![ip(&self.address(nic), 16), ip(&link_local, 64)],
                ..NetIpConfigInfo::default()
            }
            .into()
        };
        GuestNicInfo {
            network: Some(self.network.clone()),
            ip_address: vec![self.address(nic), link_local.clone()],
            mac_address: Some(self.mac(nic)),
            connected: true,
            device_config_id: 4000 + i32::from(nic),
            ip_config: self.since("4.1").then(config),
            ..GuestNicInfo::default()
        }
    }

    fn summary(&self, heartbeat: &ManagedEntityStatus) -> VirtualMachineSummary {
        let spec = self.spec;
        VirtualMachineSummary {
            vm: Some(self.reference.clone()),
            runtime: self.runtime(),
            guest: Some(
                VirtualMachineGuestSummary {
                    guest_id: self.speaks().then(|| spec.guest.id.to_owned()),
                    guest_full_name: self.speaks().then(|| spec.guest.name.to_owned()),
                    tools_status: Some(self.tools_status()),
                    tools_version_status: self.tools_version_status(),
                    tools_version_status2: self
                        .since("5.0")
                        .then(|| self.tools_version_status())
                        .flatten(),
                    tools_running_status: self.tools_running_status(),
                    host_name: self.speaks().then(|| self.host_name()),
                    ip_address: self.speaks().then(|| self.address(0)),
                    ..VirtualMachineGuestSummary::default()
                }
                .into(),
            ),
            config: VirtualMachineConfigSummary {
                name: spec.name.clone(),
                template: spec.template,
                vm_path_name: self.path(&format!("{}.vmx", self.directory)),
                memory_size_mb: Some(spec.memory_mb),
                cpu_reservation: Some(0),
                memory_reservation: Some(0),
                num_cpu: Some(spec.cpus),
                num_ethernet_cards: Some(i32::from(self.nics())),
                num_virtual_disks: i32::try_from(spec.disks_gib.len()).ok(),
                uuid: Some(self.bios_uuid()),
                instance_uuid: self.since("4.0").then(|| self.instance_uuid()),
                guest_id: text(spec.guest.id),
                guest_full_name: text(spec.guest.name),
                annotation: text(spec.annotation),
                install_boot_required: self.since("4.0").then_some(false),
                hw_version: self
                    .since("6.9.1")
                    .then(|| self.release.hardware.to_owned()),
                ..VirtualMachineConfigSummary::default()
            },
            storage: self.since("4.0").then(|| {
                VirtualMachineStorageSummary {
                    committed: self.disk_bytes() / 3,
                    uncommitted: self.disk_bytes() / 3 * 2,
                    unshared: self.disk_bytes() / 3,
                    timestamp: boot_time(),
                    ..VirtualMachineStorageSummary::default()
                }
                .into()
            }),
            quick_stats: self.quick_stats(heartbeat),
            overall_status: ManagedEntityStatus::Green,
            ..VirtualMachineSummary::default()
        }
    }

    fn quick_stats(&self, heartbeat: &ManagedEntityStatus) -> VirtualMachineQuickStats {
        let used = if self.on() {
            self.spec.memory_mb / 4
        } else {
            0
        };
        let modern = self.since("4.0");
        VirtualMachineQuickStats {
            overall_cpu_usage: Some(if self.on() { 71 } else { 0 }),
            overall_cpu_demand: modern.then_some(0),
            guest_memory_usage: Some(used),
            host_memory_usage: Some(used),
            guest_heartbeat_status: heartbeat.clone(),
            distributed_cpu_entitlement: Some(0),
            distributed_memory_entitlement: Some(0),
            static_cpu_entitlement: modern.then_some(0),
            static_memory_entitlement: modern.then_some(0),
            private_memory: modern.then_some(used),
            shared_memory: modern.then_some(0),
            swapped_memory: modern.then_some(0),
            ballooned_memory: modern.then_some(0),
            consumed_overhead_memory: modern.then_some(if self.on() { 54 } else { 0 }),
            uptime_seconds: (self.since("4.1") && self.on()).then_some(1_206_000),
            ..VirtualMachineQuickStats::default()
        }
    }

    fn layout(&self) -> VirtualMachineFileLayoutEx {
        let kinds = [
            ("vmx", "config"),
            ("nvram", "nvram"),
            ("vmsd", "snapshotList"),
        ];
        let mut files: Vec<(String, &str, i64)> = kinds
            .into_iter()
            .map(|(ending, kind)| (format!("{}.{ending}", self.directory), kind, 4096))
            .collect();
        for (index, gib) in self.spec.disks_gib.iter().enumerate() {
            let suffix = if index == 0 {
                String::new()
            } else {
                format!("_{index}")
            };
            let name = format!("{}{suffix}", self.directory);
            files.push((format!("{name}.vmdk"), "diskDescriptor", 512));
            files.push((format!("{name}-flat.vmdk"), "diskExtent", (gib << 30) / 3));
        }
        let file = |(key, (name, kind, size)): (i32, (String, &str, i64))| {
            VirtualMachineFileLayoutExFileInfo {
                key,
                name: self.path(&name),
                r#type: kind.to_owned(),
                size,
                accessible: self.since("6.0").then_some(true),
                ..VirtualMachineFileLayoutExFileInfo::default()
            }
        };
        VirtualMachineFileLayoutEx {
            file: (0..).zip(files).map(file).collect(),
            timestamp: boot_time(),
            ..VirtualMachineFileLayoutEx::default()
        }
    }

    fn storage(&self) -> VirtualMachineStorageInfo {
        VirtualMachineStorageInfo {
            per_datastore_usage: vec![VirtualMachineUsageOnDatastore {
                datastore: self.datastore.0.clone(),
                committed: self.disk_bytes() / 3,
                uncommitted: self.disk_bytes() / 3 * 2,
                unshared: self.disk_bytes() / 3,
                ..VirtualMachineUsageOnDatastore::default()
            }],
            timestamp: boot_time(),
            ..VirtualMachineStorageInfo::default()
        }
    }
}

/// `at` is the controller's key and the unit on it.
pub(crate) fn device(
    key: i32,
    label: &str,
    summary: &str,
    at: Option<(i32, i32)>,
) -> VirtualDevice {
    VirtualDevice {
        key,
        device_info: Some(
            Description {
                label: label.to_owned(),
                summary: summary.to_owned(),
                ..Description::default()
            }
            .into(),
        ),
        controller_key: at.map(|(controller, _)| controller),
        unit_number: at.map(|(_, unit)| unit),
        ..VirtualDevice::default()
    }
}

pub(crate) fn controller(
    key: i32,
    label: &str,
    bus_number: i32,
    at: Option<(i32, i32)>,
    devices: &[i32],
) -> VirtualController {
    VirtualController {
        base: device(key, label, label, at),
        bus_number,
        device: devices.to_vec(),
        ..VirtualController::default()
    }
}

pub(crate) fn connectable(connected: bool) -> VirtualDeviceConnectInfo {
    VirtualDeviceConnectInfo {
        start_connected: true,
        allow_guest_control: true,
        connected,
        status: text(if connected { "ok" } else { "untried" }),
        ..VirtualDeviceConnectInfo::default()
    }
}

/// `33,554,432`.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (33_554_432, "33,554,432"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }
}
