//! A domain's definition: libvirt's `<domain>` document.
//!
//! One file a device or subject; each has the structs, how they are read and how they are
//! written. What is not here is not modelled: [`DomainDef::from_xml`] names it by its path.

mod chardev;
mod clock;
mod controller;
mod cpu;
mod device;
mod disk;
mod features;
mod filesystem;
mod graphics;
mod hostdev;
mod input;
mod interface;
mod memballoon;
mod os;
mod sound;
mod state;
mod tpm;
mod tune;
mod vcpu;
mod video;
mod xml;

pub use chardev::{CharDevice, CharSource, SocketMode, TcpProtocol};
pub use clock::{Clock, ClockOffset, Timer};
pub use controller::{Controller, ControllerType};
pub use cpu::{Cpu, CpuFeature, CpuMatch, CpuMode, CpuModel, CpuTopology, NumaCell};
pub use device::{Address, DeviceInfo, DriveAddress, PciAddress};
pub use disk::{
    CacheMode, Disk, DiskBus, DiskDevice, DiskDriver, DiskGeometry, DiskSource, DiskTarget,
    DiskType, NetworkDisk, NetworkHost, StartupPolicy, Tray, VolumeDisk,
};
pub use features::Features;
pub use filesystem::{AccessMode, Filesystem, FilesystemType};
pub use graphics::{Graphics, GraphicsType, Listen};
pub use hostdev::{Hostdev, HostdevSource};
pub use input::{Input, InputBus, InputType};
pub use interface::{
    Interface, InterfaceSource, InterfaceType, LinkState, MacType, VdsSource, VirtualPort,
};
pub use memballoon::Memballoon;
pub use os::{BootDevice, BootMenu, Firmware, FirmwareFeature, Loader, Os, SmbiosMode};
pub use sound::Sound;
pub use state::{DomainInfo, DomainState, StateReason};
pub use tpm::{Tpm, TpmBackend};
pub use tune::{CpuTune, MemoryTune};
pub use vcpu::{Placement, Vcpu};
pub use video::{Video, VideoModel};
pub use xml::XmlFlags;

use xmltree::Element;

use crate::{Uuid, words::words};

words! {
    /// What a domain does after an event of its life.
    pub enum LifecycleAction {
        Destroy = "destroy",
        Restart = "restart",
        RenameRestart = "rename-restart",
        Preserve = "preserve",
        CoredumpDestroy = "coredump-destroy",
        CoredumpRestart = "coredump-restart",
    }
}

/// A domain's definition (libvirt's `virDomainDef`).
///
/// A value: nothing here talks to a hypervisor. Sizes are in KiB.
#[derive(Debug, Clone, PartialEq)]
pub struct DomainDef {
    /// The kind of hypervisor, `type` of `<domain>`: `vmware`, `kvm`, ….
    pub virt_type: String,
    /// The number of a running domain; not part of the inactive document.
    pub id: Option<u32>,
    /// The name.
    pub name: String,
    /// The UUID. None: still to be chosen.
    pub uuid: Option<Uuid>,
    /// The UUID that the guest sees as the hardware's, where that is another one.
    pub hwuuid: Option<Uuid>,
    /// The generation ID.
    pub genid: Option<Uuid>,
    /// A short description of one line.
    pub title: Option<String>,
    /// A description for people.
    pub description: Option<String>,
    /// What applications have stored: the children of `<metadata>`, each in a namespace of its
    /// own.
    pub metadata: Vec<Element>,
    /// Memory, in KiB.
    pub memory: u64,
    /// Memory the domain has at its start, in KiB. None: all of [`DomainDef::memory`].
    pub current_memory: Option<u64>,
    /// Limits of memory.
    pub memory_tune: MemoryTune,
    /// Processors.
    pub vcpu: Vcpu,
    /// How processor time is shared.
    pub cpu_tune: CpuTune,
    /// What is booted, and on which kind of machine.
    pub os: Os,
    /// Features of the machine.
    pub features: Features,
    /// The model and topology of the processors.
    pub cpu: Option<Cpu>,
    /// The clock.
    pub clock: Clock,
    /// After the guest has powered off.
    pub on_poweroff: LifecycleAction,
    /// After the guest has rebooted.
    pub on_reboot: LifecycleAction,
    /// After the guest has crashed.
    pub on_crash: LifecycleAction,
    /// The devices.
    pub devices: Devices,
    /// The path of the domain's datacenter, `<vmware:datacenterpath>`.
    pub datacenter_path: Option<String>,
    /// The managed object ID of the domain, `<vmware:moref>`.
    pub moref: Option<String>,
}

impl DomainDef {
    /// The namespace of `<vmware:datacenterpath>` and `<vmware:moref>`.
    pub const VMWARE_NAMESPACE: &'static str = "http://libvirt.org/schemas/domain/vmware/1.0";

    /// A definition of that kind and name, with nothing in it but libvirt's defaults.
    pub fn new(virt_type: impl Into<String>, name: impl Into<String>) -> DomainDef {
        DomainDef {
            virt_type: virt_type.into(),
            name: name.into(),
            ..DomainDef::default()
        }
    }

    /// Memory the domain has at its start, in KiB.
    pub fn current_memory(&self) -> u64 {
        self.current_memory.unwrap_or(self.memory)
    }
}

impl Default for DomainDef {
    fn default() -> DomainDef {
        DomainDef {
            virt_type: String::new(),
            id: None,
            name: String::new(),
            uuid: None,
            hwuuid: None,
            genid: None,
            title: None,
            description: None,
            metadata: Vec::new(),
            memory: 0,
            current_memory: None,
            memory_tune: MemoryTune::default(),
            vcpu: Vcpu::default(),
            cpu_tune: CpuTune::default(),
            os: Os::default(),
            features: Features::default(),
            cpu: None,
            clock: Clock::default(),
            on_poweroff: LifecycleAction::Destroy,
            on_reboot: LifecycleAction::Restart,
            on_crash: LifecycleAction::Destroy,
            devices: Devices::default(),
            datacenter_path: None,
            moref: None,
        }
    }
}

/// A domain's devices; each list is in the order of the document.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Devices {
    /// The program that emulates the machine.
    pub emulator: Option<String>,
    /// Disks, CD-ROM and floppy drives.
    pub disks: Vec<Disk>,
    /// Controllers.
    pub controllers: Vec<Controller>,
    /// Directories of the host that the guest sees.
    pub filesystems: Vec<Filesystem>,
    /// Network cards.
    pub interfaces: Vec<Interface>,
    /// Serial ports.
    pub serials: Vec<CharDevice>,
    /// Parallel ports.
    pub parallels: Vec<CharDevice>,
    /// Consoles.
    pub consoles: Vec<CharDevice>,
    /// Channels between host and guest.
    pub channels: Vec<CharDevice>,
    /// Mice, keyboards, tablets.
    pub inputs: Vec<Input>,
    /// Trusted platform modules.
    pub tpms: Vec<Tpm>,
    /// Where the guest's screen is shown.
    pub graphics: Vec<Graphics>,
    /// Sound cards.
    pub sounds: Vec<Sound>,
    /// Video cards.
    pub videos: Vec<Video>,
    /// Devices of the host given to the guest.
    pub hostdevs: Vec<Hostdev>,
    /// The memory balloon.
    pub memballoon: Option<Memballoon>,
}
