//! Virtual machines: a handful that differ in everything that can differ, or any number of dull ones.

use vi_types::enums::{VirtualMachinePowerState, VirtualScsiSharing};
use vi_types::objects::{
    ParaVirtualScsiController, ToolsConfigInfo, VirtualAhciController, VirtualBusLogicController,
    VirtualCdrom, VirtualCdromIsoBackingInfo, VirtualCdromRemotePassthroughBackingInfo,
    VirtualDevice, VirtualDeviceDeviceBackingInfo, VirtualDeviceFileBackingInfo,
    VirtualDeviceRemoteDeviceBackingInfo, VirtualDisk, VirtualDiskFlatVer2BackingInfo,
    VirtualE1000, VirtualE1000e, VirtualEthernetCard, VirtualEthernetCardNetworkBackingInfo,
    VirtualLsiLogicController, VirtualLsiLogicSasController, VirtualMachineConfigSpec,
    VirtualMachineFileInfo, VirtualNvmeController, VirtualPcNet32, VirtualScsiController,
    VirtualSerialPort, VirtualSerialPortFileBackingInfo, VirtualUsbxhciController, VirtualVmxnet3,
};
use vi_types::{DateTime, ManagedObjectReference, Poly};

use super::ServerKind;
use super::parts::{boot_time, datastore_path, mix, text, uuid};
use crate::machine::device::{add as addition, connectable, controller, device};
use crate::machine::snapshot::{self, NewSnapshot};
use crate::machine::{self, NewMachine, Place};
use crate::world::World;

/// Where virtual machines can be.
pub(crate) struct Site {
    /// What the names of the handful begin with here.
    pub(crate) prefix: &'static str,
    pub(crate) place: Place,
    pub(crate) datastores: Vec<ManagedObjectReference>,
    pub(crate) network: ManagedObjectReference,
}

/// An operating system.
struct Guest {
    id: &'static str,
    windows: bool,
    efi: bool,
}

const DEBIAN: Guest = guest("debian12_64Guest", false, false);
const RHEL: Guest = guest("rhel9_64Guest", false, true);
const UBUNTU: Guest = guest("ubuntu64Guest", false, true);
const WINDOWS: Guest = guest("windows2019srvNext_64Guest", true, true);
const FREEBSD: Guest = guest("freebsd13_64Guest", false, false);

const fn guest(id: &'static str, windows: bool, efi: bool) -> Guest {
    Guest { id, windows, efi }
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

/// Puts the virtual machines in, numbered from `first`: that many, spread over the sites, or a handful in each.
pub(crate) fn add(world: &mut World, sites: &[Site], count: Option<usize>, first: u64) {
    let specs = match count {
        Some(count) => (first..).take(count).map(dull).collect(),
        None => handful(first, sites, world.kind()),
    };
    let per_site = specs.len().div_ceil(sites.len().max(1)).max(1);
    for (index, spec) in specs.into_iter().enumerate() {
        let Some(site) = sites.get(index / per_site) else {
            break;
        };
        let machine = Maker::new(world, site, &spec).machine();
        // The presets' specifications are such that machines can be made of them.
        if let Ok(vm) = machine::create(world, machine) {
            add_snapshots(world, &vm, spec.snapshots);
        }
    }
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

fn handful(first: u64, sites: &[Site], kind: ServerKind) -> Vec<Spec> {
    let mut specs = Vec::new();
    for site in sites {
        let number = first + specs.len() as u64;
        let name = |name: &str| format!("{}{name}", site.prefix);
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
                snapshots: if site.prefix.is_empty() {
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
                template: kind == ServerKind::VCenter,
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

/// Makes the specification of one virtual machine.
struct Maker<'a> {
    world: &'a World,
    spec: &'a Spec,
    site: &'a Site,
    /// The datastore its files are on, and its name.
    datastore: (ManagedObjectReference, String),
    network: String,
    /// Where its files are on the datastore.
    directory: String,
}

const KB_PER_GIB: i64 = 1 << 20;

impl<'a> Maker<'a> {
    fn new(world: &'a World, site: &'a Site, spec: &'a Spec) -> Self {
        let pick = (spec.number as usize) % site.datastores.len().max(1);
        let datastore = site.datastores.get(pick).cloned().unwrap_or_default();
        let datastore_name = world.name(&datastore).unwrap_or_default().to_owned();
        let network = world.name(&site.network).unwrap_or_default().to_owned();
        Self {
            world,
            spec,
            site,
            datastore: (datastore, datastore_name),
            network,
            // Servers put a dash where the name has a slash.
            directory: spec.name.replace("%2f", "-"),
        }
    }

    fn since(&self, version: &str) -> bool {
        self.world.since(version)
    }

    fn on(&self) -> bool {
        self.spec.power == Power::On
    }

    fn path(&self, file: &str) -> String {
        datastore_path(&self.datastore.1, &format!("{}/{file}", self.directory))
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

    fn mac(&self, nic: u8) -> String {
        let oui = match self.world.kind() {
            ServerKind::Esx => "00:0c:29",
            ServerKind::VCenter => "00:50:56",
        };
        let [.., a, b] = self.spec.number.to_be_bytes();
        format!("{oui}:{nic:02x}:{a:02x}:{b:02x}")
    }

    fn machine(&self) -> NewMachine {
        let spec = self.spec;
        NewMachine {
            spec: self.config(),
            place: Place {
                pool: (!spec.template)
                    .then(|| self.site.place.pool.clone())
                    .flatten(),
                ..self.site.place.clone()
            },
            template: spec.template,
            power: match spec.power {
                Power::On => VirtualMachinePowerState::PoweredOn,
                Power::Off => VirtualMachinePowerState::PoweredOff,
                Power::Suspended => VirtualMachinePowerState::Suspended,
            },
            number: spec.number,
            from_client: false,
        }
    }

    fn config(&self) -> VirtualMachineConfigSpec {
        let spec = self.spec;
        VirtualMachineConfigSpec {
            name: Some(spec.name.clone()),
            guest_id: text(spec.guest.id),
            annotation: text(spec.annotation),
            files: Some(
                VirtualMachineFileInfo {
                    vm_path_name: Some(self.path(&format!("{}.vmx", self.directory))),
                    ..VirtualMachineFileInfo::default()
                }
                .into(),
            ),
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
            num_cpus: Some(spec.cpus),
            memory_mb: Some(i64::from(spec.memory_mb)),
            firmware: (self.since("5.0") && spec.guest.efi).then(|| "efi".to_owned()),
            device_change: self.devices().into_iter().map(addition).collect(),
            ..VirtualMachineConfigSpec::default()
        }
    }

    fn devices(&self) -> Vec<Poly<VirtualDevice>> {
        let spec = self.spec;
        let mut devices = vec![self.scsi_controller()];
        if self.since("5.5") {
            devices.push(
                VirtualAhciController {
                    base: vi_types::objects::VirtualSataController {
                        base: controller(SATA, 0),
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
                    base: controller(0, 0),
                    auto_connect_devices: Some(false),
                    ..VirtualUsbxhciController::default()
                }
                .into(),
            );
        }
        let disks = || (0..).zip(spec.disks_gib);
        if disks().any(|(index, _)| self.bus(index) == Bus::Nvme) {
            devices.push(
                VirtualNvmeController {
                    base: controller(NVME, 0),
                    ..VirtualNvmeController::default()
                }
                .into(),
            );
        }
        devices.push(self.cdrom());
        devices.extend(disks().map(|(index, gib)| self.disk(index, *gib)));
        devices.extend(
            (0..)
                .zip(spec.cards)
                .map(|(nic, card)| self.nic(nic, *card)),
        );
        if spec.serial {
            devices.push(self.serial_port());
        }
        devices
    }

    fn scsi_controller(&self) -> Poly<VirtualDevice> {
        let base = VirtualScsiController {
            base: controller(SCSI, 0),
            shared_bus: VirtualScsiSharing::NoSharing,
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

    fn file(&self, file_name: String) -> VirtualDeviceFileBackingInfo {
        VirtualDeviceFileBackingInfo {
            file_name,
            datastore: Some(self.datastore.0.clone()),
            ..VirtualDeviceFileBackingInfo::default()
        }
    }

    fn serial_port(&self) -> Poly<VirtualDevice> {
        let backing = VirtualSerialPortFileBackingInfo {
            base: self.file(self.path("serial.log")),
            ..VirtualSerialPortFileBackingInfo::default()
        };
        VirtualSerialPort {
            base: VirtualDevice {
                backing: Some(backing.into()),
                connectable: Some(connectable(self.on()).into()),
                ..VirtualDevice::default()
            },
            yield_on_poll: true,
            ..VirtualSerialPort::default()
        }
        .into()
    }

    fn cdrom(&self) -> Poly<VirtualDevice> {
        let at = match self.since("5.5") {
            true => (SATA, 0),
            false => (IDE, 0),
        };
        let backing = match self.spec.iso {
            true => VirtualCdromIsoBackingInfo {
                base: self.file(datastore_path(&self.datastore.1, "iso/netinst.iso")),
                ..VirtualCdromIsoBackingInfo::default()
            }
            .into(),
            false => VirtualCdromRemotePassthroughBackingInfo {
                base: VirtualDeviceRemoteDeviceBackingInfo {
                    device_name: String::new(),
                    use_auto_detect: Some(false),
                    ..VirtualDeviceRemoteDeviceBackingInfo::default()
                },
                exclusive: false,
                ..VirtualCdromRemotePassthroughBackingInfo::default()
            }
            .into(),
        };
        VirtualCdrom {
            base: VirtualDevice {
                backing: Some(backing),
                connectable: Some(connectable(self.spec.iso && self.on()).into()),
                ..device(0, Some(at))
            },
            ..VirtualCdrom::default()
        }
        .into()
    }

    fn disk(&self, index: i32, gib: i64) -> Poly<VirtualDevice> {
        let file = match index {
            0 => format!("{}.vmdk", self.directory),
            _ => format!("{}_{index}.vmdk", self.directory),
        };
        let controller = match self.bus(index) {
            Bus::Scsi => SCSI,
            Bus::Sata => SATA,
            Bus::Nvme => NVME,
        };
        let number = self.spec.number * 16 + index as u64;
        let backing = VirtualDiskFlatVer2BackingInfo {
            base: self.file(self.path(&file)),
            disk_mode: "persistent".to_owned(),
            thin_provisioned: Some(true),
            uuid: Some(uuid(0x6000, number)),
            ..VirtualDiskFlatVer2BackingInfo::default()
        };
        VirtualDisk {
            base: VirtualDevice {
                backing: Some(backing.into()),
                controller_key: Some(controller),
                ..VirtualDevice::default()
            },
            capacity_in_kb: gib * KB_PER_GIB,
            ..VirtualDisk::default()
        }
        .into()
    }

    fn nic(&self, index: u8, kind: Card) -> Poly<VirtualDevice> {
        let backing = VirtualEthernetCardNetworkBackingInfo {
            base: VirtualDeviceDeviceBackingInfo {
                device_name: self.network.clone(),
                use_auto_detect: Some(false),
                ..VirtualDeviceDeviceBackingInfo::default()
            },
            ..VirtualEthernetCardNetworkBackingInfo::default()
        };
        let card = VirtualEthernetCard {
            base: VirtualDevice {
                backing: Some(backing.into()),
                connectable: Some(connectable(self.on()).into()),
                ..VirtualDevice::default()
            },
            mac_address: Some(self.mac(index)),
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
}

/// The keys by which disks name their controllers; that of the IDE controller is the machine's own.
const SCSI: i32 = 1000;
const SATA: i32 = 15_000;
const NVME: i32 = 31_000;
const IDE: i32 = 201;
