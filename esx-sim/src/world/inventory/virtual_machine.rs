//! Virtual machines of the presets: a small mixed set, or any number of machines that differ little.

mod maker;

use vi_types::{DateTime, ManagedObjectReference};

use self::maker::Maker;
use super::ServerKind;
use super::parts::{BOOT, mix};
use crate::machine::snapshot::{self, NewSnapshot};
use crate::machine::{self, Place, power};
use crate::world::World;

/// Where virtual machines can be.
pub(crate) struct Site {
    /// What the names of the handful begin with here.
    pub(crate) prefix: &'static str,
    pub(crate) place: Place,
    pub(crate) datastores: Vec<ManagedObjectReference>,
    pub(crate) network: ManagedObjectReference,
}

/// Which virtual machines a server has.
#[derive(Clone, Copy)]
pub(crate) enum Machines<'a> {
    /// A handful of different ones, or those of them that have these names.
    Handful(Option<&'a [String]>),
    /// That many, which differ little.
    Many(usize),
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

/// What the presets vary between virtual machines.
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
    /// Number of snapshots above it in the tree.
    level: usize,
    name: &'static str,
    description: &'static str,
    memory: bool,
    quiesce: bool,
}

/// A tree with two branches. The last snapshot is the current one.
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

/// Puts the virtual machines in, numbered from `first`: so many, spread over the sites, or a handful in each.
pub(crate) fn add(world: &mut World, sites: &[Site], machines: Machines<'_>, first: u64) {
    let (specs, names): (Vec<_>, _) = match machines {
        Machines::Many(count) => ((first..).take(count).map(dull).collect(), None),
        Machines::Handful(names) => (handful(first, sites, world.kind()), names),
    };
    let per_site = specs.len().div_ceil(sites.len().max(1)).max(1);
    for (index, spec) in specs.into_iter().enumerate() {
        let Some(site) = sites.get(index / per_site) else {
            break;
        };
        // The others have the numbers and places that they have without it.
        if names.is_some_and(|names| !names.contains(&spec.name)) {
            continue;
        }
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
        if let Some(above) = above.last()
            && snapshot::current(world, vm).ok().as_ref() != Some(above)
        {
            // The machines of the presets can go back.
            let power = power::of(world, vm);
            let _ = snapshot::revert(world, above, false);
            power::set(world, vm, power);
        }
        let new = NewSnapshot {
            name: spec.name.to_owned(),
            description: spec.description.to_owned(),
            memory: spec.memory,
            quiesce: spec.quiesce,
            at: DateTime::from_epoch_seconds(BOOT + 60 * minutes),
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

/// The machine with that number, for any number of machines.
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
