//! A domain's definition: libvirt's `<domain>` document.
//!
//! Each file has the structs of one device or subject, their reader and their writer.
//! [`Document::read_xml`] reports elements and attributes that have no field here.
//! [`DomainDef::post_parse`] adds what libvirt adds to every definition after reading it.

mod any_device;
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
mod memory;
mod os;
mod parameters;
mod post_parse;
mod sound;
mod state;
mod stats;
mod tpm;
mod tune;
mod vcpu;
mod video;

pub use any_device::Device;
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
    Interface, InterfaceSource, InterfaceType, LinkState, MacType, Socket, VdsSource, VhostUserMode,
};
pub use memballoon::Memballoon;
pub use os::{BootDevice, BootMenu, Firmware, FirmwareFeature, Loader, Os, SmbiosMode};
pub use parameters::{
    DomainInterface, DomainIpAddress, InterfaceAddressesSource, MemoryParameters, MetadataType,
    NumaParameters, NumatuneMemMode, SchedulerParameters, VcpuInfo, VcpuState,
};
pub use post_parse::Defaults;
pub use sound::Sound;
pub use state::{DomainInfo, DomainState, StateReason};
pub use stats::{
    ControlState, DiskErrorCode, DomainBlockInfo, DomainControlInfo, DomainDiskError,
    DomainJobInfo, DomainMemoryStat, JobOperation, JobType, MemoryStatTag, PmSuspendTarget,
};
pub use tpm::{Tpm, TpmBackend};
pub use tune::{CpuTune, MemoryTune};
pub use vcpu::{Placement, Vcpu};
pub use video::{Video, VideoModel};

use std::collections::BTreeMap;

use xmltree::Element;

use crate::{
    Document, DomainXmlFlags, ErrorNumber, Uuid,
    words::words,
    xml::{self, Build, Node, Tree, XmlError, broken, decimal},
};

words! {
    /// What a domain does after its guest powered off, rebooted or crashed.
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
    /// The type of the hypervisor, `type` of `<domain>`: `vmware`, `kvm`, ….
    pub virt_type: String,
    /// The ID of a running domain. It is not part of the inactive document.
    pub id: Option<u32>,
    /// The name. None only for a VMX file without a name; a document always has one.
    pub name: Option<String>,
    /// The UUID. None: not chosen yet.
    pub uuid: Option<Uuid>,
    /// The UUID that the guest's firmware shows, if it differs from [`DomainDef::uuid`].
    pub hwuuid: Option<Uuid>,
    /// The generation ID.
    pub genid: Option<Uuid>,
    /// A title, on one line.
    pub title: Option<String>,
    /// A description for people.
    pub description: Option<String>,
    /// The children of `<metadata>`: data of applications, each in a namespace of its own.
    pub metadata: Vec<xml::Element>,
    /// Memory, in KiB.
    pub memory: u64,
    /// Memory at the start of the domain, in KiB. None: all of [`DomainDef::memory`].
    pub current_memory: Option<u64>,
    /// Limits of memory.
    pub memory_tune: MemoryTune,
    /// The virtual processors.
    pub vcpu: Vcpu,
    /// How processor time is shared.
    pub cpu_tune: CpuTune,
    /// The machine and architecture, and how it boots.
    pub os: Os,
    /// Features of the hypervisor and the machine.
    pub features: Features,
    /// The model and topology of the processors.
    pub cpu: Option<Cpu>,
    /// The clock.
    pub clock: Clock,
    /// What the domain does after the guest powered off.
    pub on_poweroff: LifecycleAction,
    /// What the domain does after the guest rebooted.
    pub on_reboot: LifecycleAction,
    /// What the domain does after the guest crashed.
    pub on_crash: LifecycleAction,
    /// The devices.
    pub devices: Devices,
    /// The elements in namespaces of their own, which the driver of a hypervisor knows, in the order
    /// of the document. libvirt's drivers each read one namespace and drop the others.
    pub namespace_data: Vec<xml::Element>,
    #[doc(hidden)]
    pub _more: (),
}

impl DomainDef {
    /// A definition with that type and name, and libvirt's defaults.
    pub fn new(virt_type: impl Into<String>, name: impl Into<String>) -> DomainDef {
        DomainDef {
            virt_type: virt_type.into(),
            name: Some(name.into()),
            ..DomainDef::default()
        }
    }

    /// Memory at the start of the domain, in KiB.
    pub fn current_memory(&self) -> u64 {
        self.current_memory.unwrap_or(self.memory)
    }
}

impl Document for DomainDef {
    const ROOT: &'static str = "domain";
    type Flags = DomainXmlFlags;

    fn read(node: &mut Node<'_>) -> Result<DomainDef, XmlError> {
        let mut def = DomainDef {
            // libvirt reads the ID of running domains only; a text that is no number is ignored.
            id: node.attr("id").and_then(|id| decimal(&id)),
            ..DomainDef::default()
        };
        let Some(name) = node.text_of("name") else {
            return Err(node.fail(ErrorNumber::NoName, ""));
        };
        def.name = Some(name);
        def.uuid = xml::read_uuid(node.child("uuid"))?;
        def.hwuuid = match node.child("hwuuid") {
            Some(hwuuid) => match hwuuid.text().parse() {
                Ok(uuid) => Some(uuid),
                Err(_) => {
                    // libvirt before 12.4 does not know the element, so an invalid one is no error.
                    hwuuid.unmodelled();
                    None
                }
            },
            None => None,
        };
        if node.count("genid") > 1 {
            return Err(node.error("element 'genid' can only appear once"));
        }
        def.genid = read_genid(node.child("genid"))?;
        def.title = node.text_of("title");
        if def.title.as_ref().is_some_and(|title| title.contains('\n')) {
            return Err(node.error("Domain title can't contain newlines"));
        }
        def.description = node.text_of("description");
        def.virt_type = read_virt_type(node)?;
        let Some(mut os) = node.child("os") else {
            return Err(node.error("an os <type> must be specified"));
        };
        def.os = Os::read_type(&mut os)?;
        if let Some(mut metadata) = node.child("metadata") {
            def.metadata = metadata.elements();
        }
        let memory = memory::read_size(node.child("memory"), "./memory[1]")?;
        let current = memory::read_size(node.child("currentMemory"), "./currentMemory[1]")?;
        if let Some(tune) = node.child("memtune") {
            def.memory_tune = MemoryTune::read(tune)?;
        }
        if let Some(vcpu) = node.child("vcpu") {
            def.vcpu = Vcpu::read(vcpu)?;
        }
        if let Some(tune) = node.child("cputune") {
            def.cpu_tune = CpuTune::read(tune)?;
        }
        if let Some(features) = node.child("features") {
            def.features = Features::read(features)?;
        }
        def.cpu = node.child("cpu").map(Cpu::read).transpose()?;
        let numa = def.cpu.iter().flat_map(|cpu| &cpu.numa);
        let cpus = numa.filter_map(|cell| cell.cpus.as_ref()?.last());
        if cpus.max().unwrap_or_default() >= def.vcpu.max {
            let message = "CPU IDs in <numa> exceed the <vcpu> count";
            return Err(node.fail(ErrorNumber::InternalError, message));
        }
        for (name, action) in [
            ("on_poweroff", &mut def.on_poweroff),
            ("on_reboot", &mut def.on_reboot),
            ("on_crash", &mut def.on_crash),
        ] {
            if let Some(word) = node.text_of(name) {
                *action = LifecycleAction::from_word(&word)
                    .ok_or_else(|| node.unsupported(format!("unknown {name} action: {word}")))?;
            }
        }
        if let Some(clock) = node.child("clock") {
            def.clock = Clock::read(clock)?;
        }
        def.os.read_rest(os)?;
        let (devices, late) = Devices::read(node.children("devices"))?;
        def.devices = devices;
        let cells = def.cpu.iter().flat_map(|cpu| &cpu.numa);
        let of_cells = cells.fold(0_u64, |sum, cell| sum.saturating_add(cell.memory));
        let Some(memory) = memory.or_else(|| Some(of_cells).filter(|&sum| sum > 0)) else {
            return Err(node.error(
                "Memory size must be specified via <memory> or in the <numa> configuration",
            ));
        };
        def.memory = memory;
        // libvirt cuts it down to the maximum, and takes 0 for the maximum
        // (virDomainDefPostParseMemory). The maximum itself is told in one way only.
        def.current_memory = current.filter(|&current| current > 0 && current < memory);
        if let Some(error) = late {
            return Err(error);
        }
        def.namespace_data = node.in_namespaces();
        Ok(def)
    }

    fn tree(&self, flags: DomainXmlFlags) -> Tree {
        let id = self
            .id
            .filter(|_| !flags.contains(DomainXmlFlags::INACTIVE));
        let mut namespaces: Vec<(String, String)> = Vec::new();
        for element in &self.namespace_data {
            if let (Some(prefix), Some(uri)) = (element.prefix(), element.namespace())
                && prefix != "xml"
                && namespaces.iter().all(|(known, _)| known != prefix)
            {
                namespaces.push((prefix.to_owned(), uri.to_owned()));
            }
        }
        let data = self.namespace_data.iter();
        let data = data.map(|element| element.to_tree(&namespaces));
        let kib = |name, size: u64| Element::new(name).attr("unit", "KiB").text(size);
        let metadata = self.metadata.iter().map(|element| element.to_tree(&[]));
        let metadata = Element::new("metadata").children(metadata);
        let root = Element::new("domain")
            .attr("type", &self.virt_type)
            .maybe_attr("id", id);
        let root = namespaces.iter().fold(root, |root, (prefix, uri)| {
            root.attr(&format!("xmlns:{prefix}"), uri)
        });
        let root = root
            .maybe_text("name", self.name.as_ref())
            .maybe_text("uuid", self.uuid)
            .maybe_text("hwuuid", self.hwuuid)
            .maybe_text("genid", self.genid)
            .maybe_text("title", self.title.as_ref())
            .maybe_text("description", self.description.as_ref())
            .children((!self.metadata.is_empty()).then_some(metadata))
            .child(kib("memory", self.memory))
            .child(kib("currentMemory", self.current_memory()))
            .children(self.memory_tune.to_element())
            .child(self.vcpu.to_element())
            .children(self.cpu_tune.to_element())
            .child(self.os.to_element())
            .children(self.features.to_element())
            .children(self.cpu.as_ref().map(Cpu::to_element))
            .child(self.clock.to_element())
            .child(Element::new("on_poweroff").text(self.on_poweroff))
            .child(Element::new("on_reboot").text(self.on_reboot))
            .child(Element::new("on_crash").text(self.on_crash))
            .child(self.devices.to_element(flags))
            .children(data);
        Tree(root)
    }
}

impl Default for DomainDef {
    fn default() -> DomainDef {
        DomainDef {
            virt_type: String::new(),
            id: None,
            name: None,
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
            namespace_data: Vec::new(),
            _more: (),
        }
    }
}

/// A domain's devices; each list is in the order of the document.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Devices {
    /// The path of the program that emulates the machine.
    pub emulator: Option<String>,
    /// Disks, CD-ROM and floppy drives.
    pub disks: Vec<Disk>,
    /// Controllers.
    pub controllers: Vec<Controller>,
    /// Directories of the host that the guest can mount.
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
    /// Ways to see the guest's screen.
    pub graphics: Vec<Graphics>,
    /// Sound cards.
    pub sounds: Vec<Sound>,
    /// Video cards.
    pub videos: Vec<Video>,
    /// Devices of the host that are passed through to the guest.
    pub hostdevs: Vec<Hostdev>,
    /// The memory balloon.
    pub memballoon: Option<Memballoon>,
    #[doc(hidden)]
    pub _more: (),
}

/// libvirt's types of hypervisors (`virDomainVirtType`).
const VIRT_TYPES: [&str; 17] = [
    "qemu",
    "kqemu",
    "kvm",
    "xen",
    "lxc",
    "uml",
    "openvz",
    "test",
    "vmware",
    "hyperv",
    "vbox",
    "phyp",
    "parallels",
    "bhyve",
    "vz",
    "hvf",
    "none",
];

fn read_virt_type(node: &mut Node<'_>) -> Result<String, XmlError> {
    let Some(kind) = node.filled("type") else {
        let message = "missing domain type attribute";
        return Err(node.fail(ErrorNumber::InternalError, message));
    };
    if !VIRT_TYPES.contains(&kind.as_str()) {
        return Err(node.unsupported(format!("invalid domain type {kind}")));
    }
    Ok(kind)
}

/// Reads `<genid>`. An empty one asks for a new ID at every start, which is not modelled.
fn read_genid(node: Option<Node<'_>>) -> Result<Option<Uuid>, XmlError> {
    match node {
        Some(node) if node.text().is_empty() => {
            node.unmodelled();
            Ok(None)
        }
        node => xml::read_uuid(node),
    }
}

impl Devices {
    /// Reads all `<devices>` elements. The second value is an error that libvirt reports only if the
    /// rest of the document is valid.
    fn read(nodes: Vec<Node<'_>>) -> Result<(Devices, Option<XmlError>), XmlError> {
        let mut devices = Devices::default();
        let mut without_index = Vec::new();
        let mut disks = Vec::new();
        let children = nodes.into_iter().flat_map(|mut node| node.all_children());
        for child in children {
            match child.name.as_str() {
                "emulator" if devices.emulator.is_none() => {
                    devices.emulator = Some(child.text().to_owned());
                }
                "disk" => disks.push(Disk::read(child)?),
                "controller" => {
                    let (controller, has_index) = Controller::read(child)?;
                    if !has_index {
                        without_index.push(devices.controllers.len());
                    }
                    devices.controllers.push(controller);
                }
                "filesystem" => devices.filesystems.push(Filesystem::read(child)?),
                "interface" => devices.interfaces.push(Interface::read(child)?),
                "serial" => devices.serials.extend(CharDevice::read(child)?),
                "parallel" => devices.parallels.extend(CharDevice::read(child)?),
                "console" => devices.consoles.extend(CharDevice::read(child)?),
                "channel" => devices.channels.extend(CharDevice::read(child)?),
                "input" => devices.inputs.push(Input::read(child)?),
                "tpm" => devices.tpms.push(Tpm::read(child)?),
                "graphics" => devices.graphics.push(Graphics::read(child)?),
                "sound" => devices.sounds.push(Sound::read(child)?),
                "video" => devices.videos.push(Video::read(child)?),
                "hostdev" => devices.hostdevs.extend(Hostdev::read(child)?),
                "memballoon" => {
                    if devices.memballoon.is_some() {
                        let message = "only a single memory balloon device is supported";
                        return Err(child.fail(ErrorNumber::InternalError, message));
                    }
                    devices.memballoon = Some(Memballoon::read(child)?);
                }
                _ => child.unmodelled(),
            }
        }
        devices.number(without_index);
        let late = disks.iter_mut().find_map(|disk| disk.late.take());
        devices.disks = disk::in_order(disks);
        Ok((devices, late))
    }

    /// Gives controllers without an index the next free index of their type.
    fn number(&mut self, without_index: Vec<usize>) {
        let mut next: BTreeMap<ControllerType, u32> = BTreeMap::new();
        for (at, controller) in self.controllers.iter().enumerate() {
            if without_index.binary_search(&at).is_err() {
                let next = next.entry(controller.kind).or_default();
                *next = (*next).max(controller.index.saturating_add(1));
            }
        }
        for at in without_index {
            let controller = &mut self.controllers[at];
            let next = next.entry(controller.kind).or_default();
            controller.index = *next;
            *next = next.saturating_add(1);
        }
    }

    fn to_element(&self, flags: DomainXmlFlags) -> Element {
        let of = |name, ports: &[CharDevice]| -> Vec<Element> {
            let ports = ports.iter();
            ports.map(|port| port.to_element(name, flags)).collect()
        };
        let devices = Element::new("devices")
            .maybe_text("emulator", self.emulator.as_ref())
            .children(self.disks.iter().map(|device| device.to_element(flags)))
            .children(
                self.controllers
                    .iter()
                    .map(|device| device.to_element(flags)),
            )
            .children(
                self.filesystems
                    .iter()
                    .map(|device| device.to_element(flags)),
            )
            .children(
                self.interfaces
                    .iter()
                    .map(|device| device.to_element(flags)),
            )
            .children(of("serial", &self.serials))
            .children(of("parallel", &self.parallels))
            .children(of("console", &self.consoles))
            .children(of("channel", &self.channels))
            .children(self.inputs.iter().map(|device| device.to_element(flags)))
            .children(self.tpms.iter().map(|device| device.to_element(flags)))
            .children(self.graphics.iter().map(|device| device.to_element(flags)))
            .children(self.sounds.iter().map(|device| device.to_element(flags)))
            .children(self.videos.iter().map(|device| device.to_element(flags)))
            .children(self.hostdevs.iter().map(|device| device.to_element(flags)))
            .children(
                self.memballoon
                    .iter()
                    .map(|device| device.to_element(flags)),
            );
        broken(devices)
    }
}
