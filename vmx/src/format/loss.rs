//! What a definition has and its file does not: the file is read back, and what is missing is told.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use virt_model::domain::{
    BootDevice, ControllerType, Device, Devices, DiskSource, Interface, Memballoon,
};
use virt_model::{Document as _, DomainDef, DomainXmlFlags};

use crate::{
    FileNames, FormatOptions, LibvirtVersion, ParseOptions, VmwareNamespace, VmxError, Warning,
};

/// Warnings of what the file `text` does not have of the definition that it was made of.
///
/// Documents have a line for each element, so lines are compared: those of the domain itself, and those of each device with those
/// of the device that was read back.
pub(super) fn losses(
    def: &DomainDef,
    text: &str,
    names: &dyn FileNames,
    options: &FormatOptions,
) -> Result<Vec<Warning>, VmxError> {
    let reading = ParseOptions::default()
        .as_libvirt(options.libvirt)
        .namespace(VmwareNamespace::of(def));
    let mut found = crate::parse(text, names, &reading)?.domain;
    let mut wanted = def.clone();
    agree(&mut wanted, &mut found);
    let (mut wanted_devices, found_devices) = (
        std::mem::take(&mut wanted.devices),
        std::mem::take(&mut found.devices),
    );
    complete(&mut wanted_devices, &found_devices);
    let mut messages = Vec::new();
    compare(&document(&wanted), &document(&found), &mut messages);
    let [found_devices, wanted_devices] = [&found_devices, &wanted_devices].map(|devices| {
        let all = all(devices, options.libvirt);
        all.into_iter().map(Shown::new).collect::<Vec<_>>()
    });
    let mut same = Queues::new(
        found_devices
            .iter()
            .map(|device| (device.kind(), device.xml.as_str())),
    );
    let mut alike = Queues::new(
        found_devices
            .iter()
            .map(|device| (device.kind(), device.source())),
    );
    let mut taken = vec![false; found_devices.len()];
    for device in &wanted_devices {
        let place = same
            .take(&(device.kind(), device.xml.as_str()), &mut taken)
            .or_else(|| alike.take(&(device.kind(), device.source()), &mut taken));
        match place {
            Some(at) => compare(&device.xml, &found_devices[at].xml, &mut messages),
            None => messages.push(format!(
                "{} has no place in a VMX file and is left out",
                start(&device.xml)
            )),
        }
    }
    Ok(messages.into_iter().map(Warning::new).collect())
}

const FLAGS: DomainXmlFlags = DomainXmlFlags::SECURE;

fn document(def: &DomainDef) -> String {
    def.to_xml(DomainXmlFlags::SECURE | DomainXmlFlags::INACTIVE)
}

/// The devices that a file may have or lose. Those that every machine has, and those that libvirt adds for others, are left out.
fn all(devices: &Devices, libvirt: LibvirtVersion) -> Vec<Device> {
    let mut all = Vec::new();
    let disks = devices.disks.iter().cloned().map(|mut disk| {
        // The place of a disk is in its keys; definitions and files count places differently.
        disk.info.address = None;
        disk.info.alias = None;
        disk.target.dev.clear();
        if disk.source == DiskSource::Block(None) && disk.startup_policy.is_none() {
            disk.source = DiskSource::File(None);
        }
        Device::Disk(disk)
    });
    all.extend(disks);
    // The newest libvirt reads all controllers of disks, with their places; an older one adds those that disks need.
    let has_places = libvirt >= LibvirtVersion::Newest;
    let controllers = devices.controllers.iter().filter(|controller| {
        let has_model = controller
            .model
            .as_deref()
            .is_some_and(|model| model != "auto");
        match controller.kind {
            ControllerType::Scsi if !has_places => has_model,
            ControllerType::Scsi | ControllerType::Sata | ControllerType::Nvme => has_places,
            ControllerType::Usb => has_model,
            _ => false,
        }
    });
    all.extend(controllers.cloned().map(|mut controller| {
        if !has_places || controller.kind == ControllerType::Usb {
            controller.info.address = None;
        }
        controller.model.take_if(|model| model == "auto");
        controller.info.alias = None;
        Device::Controller(controller)
    }));
    all.extend(devices.filesystems.iter().cloned().map(Device::Filesystem));
    let cards = devices.interfaces.iter().cloned().map(|card| Interface {
        // How an address came to be shows in the address.
        mac_type: None,
        mac_check: None,
        ..card
    });
    all.extend(cards.map(Device::Interface));
    all.extend(devices.serials.iter().cloned().map(Device::Serial));
    all.extend(devices.parallels.iter().cloned().map(Device::Parallel));
    all.extend(devices.channels.iter().cloned().map(Device::Channel));
    let inputs = devices.inputs.iter().filter(|input| {
        let xml = Device::Input((*input).clone()).to_xml(FLAGS);
        !xml.contains("bus='ps2'")
    });
    all.extend(inputs.cloned().map(Device::Input));
    all.extend(devices.tpms.iter().cloned().map(Device::Tpm));
    all.extend(devices.graphics.iter().cloned().map(Device::Graphics));
    all.extend(devices.sounds.iter().cloned().map(Device::Sound));
    all.extend(devices.videos.iter().cloned().map(Device::Video));
    all.extend(devices.hostdevs.iter().cloned().map(Device::Hostdev));
    let balloons = devices
        .memballoon
        .iter()
        .filter(|balloon: &&Memballoon| balloon.model != "none");
    all.extend(balloons.cloned().map(Device::Memballoon));
    all
}

/// Gives the disks that are named without a folder the whole name that they have in the file's folder.
fn complete(wanted: &mut Devices, found: &Devices) {
    for disk in &mut wanted.disks {
        let DiskSource::File(Some(path)) = &mut disk.source else {
            continue;
        };
        if path.starts_with(['/', '[']) {
            continue;
        }
        let in_folder = format!("/{path}");
        let mut names = found.disks.iter().filter_map(|disk| disk.source.path());
        if let Some(whole) = names.find(|whole| whole.ends_with(&in_folder)) {
            *path = whole.to_owned();
        }
    }
}

/// Takes away what says the same in both.
fn agree(wanted: &mut DomainDef, found: &mut DomainDef) {
    for def in [&mut *wanted, &mut *found] {
        def.id = None;
        // Both libvirt and VMware begin with the disk if nothing else is said.
        if def.os.boot == [BootDevice::HardDisk] {
            def.os.boot.clear();
        }
        let topology = def.cpu.as_mut().and_then(|cpu| cpu.topology.as_mut());
        if let Some(topology) = topology {
            topology.dies.get_or_insert(1);
            topology.clusters.get_or_insert(1);
        }
    }
    // VMware chooses it for a domain without one.
    if wanted.uuid.is_none_or(|uuid| uuid.is_nil()) {
        wanted.uuid = None;
    }
}

/// A device with its document, which is made once.
struct Shown {
    device: Device,
    xml: String,
}

impl Shown {
    fn new(device: Device) -> Shown {
        let xml = device.to_xml(FLAGS);
        Shown { device, xml }
    }

    fn kind(&self) -> &str {
        self.device.kind()
    }

    /// The file of a disk; the devices of other kinds have none.
    fn source(&self) -> Option<Option<&str>> {
        match &self.device {
            Device::Disk(disk) => Some(disk.source.path()),
            _ => None,
        }
    }
}

/// The places of items by what they are called, so that documents with many items are compared in linear time.
struct Queues<K>(HashMap<K, VecDeque<usize>>);

impl<K: Hash + Eq> Queues<K> {
    fn new(items: impl IntoIterator<Item = K>) -> Queues<K> {
        let mut queues: HashMap<K, VecDeque<usize>> = HashMap::new();
        for (at, item) in items.into_iter().enumerate() {
            queues.entry(item).or_default().push_back(at);
        }
        Queues(queues)
    }

    /// Takes the first item that is called so and that nobody has taken.
    fn take(&mut self, name: &K, taken: &mut [bool]) -> Option<usize> {
        let queue = self.0.get_mut(name)?;
        while let Some(at) = queue.pop_front() {
            if !std::mem::replace(&mut taken[at], true) {
                return Some(at);
            }
        }
        None
    }
}

/// Tells of the lines of `wanted` that `found` does not have.
fn compare(wanted: &str, found: &str, messages: &mut Vec<String>) {
    // Most devices are the same.
    if wanted == found {
        return;
    }
    let found: Vec<&str> = found.lines().map(str::trim).collect();
    let mut taken = vec![false; found.len()];
    let mut same = Queues::new(found.iter().copied().map(without_end));
    let wanted = wanted.lines().map(str::trim);
    let missing: Vec<&str> = wanted
        .filter(|line| same.take(&without_end(line), &mut taken).is_none())
        .collect();
    let mut alike = Queues::new(found.iter().map(|line| (tag(line), line.starts_with("</"))));
    for line in missing {
        let tag = tag(line);
        // Tags without anything are those of what is inside.
        let says_nothing = line.starts_with("</") || line == format!("<{tag}>");
        if says_nothing {
            continue;
        }
        messages.push(match alike.take(&(tag, false), &mut taken) {
            Some(other) => format!("{line} is {} in a VMX file", found[other]),
            None => format!("{line} has no place in a VMX file and is left out"),
        });
    }
}

/// A line whose element may have others inside, or not: what is inside has lines of its own.
fn without_end(line: &str) -> &str {
    let line = line.strip_suffix('>').unwrap_or(line);
    line.strip_suffix('/').unwrap_or(line)
}

/// The name of the element at the start of a line.
fn tag(line: &str) -> &str {
    let name = line.trim_start_matches(['<', '/']);
    let end = name.find([' ', '>', '/']).unwrap_or(name.len());
    &name[..end]
}

/// A device in few words: its first line.
fn start(xml: &str) -> &str {
    xml.lines().next().unwrap_or_default().trim()
}
