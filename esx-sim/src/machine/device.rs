//! Devices of machines: built-in ones, and how others are added, changed and removed.
//!
//! Clients give new devices temporary keys, so that a new disk can name a new controller. The host replaces them with keys
//! that depend on the type and the unit of the device, as ESX 5.5 and later do.

mod backing;
mod board;
mod disk;
mod edit;
mod fault;
mod plug;
mod slot;

use std::collections::HashMap;

use vi_types::enums::VirtualMachinePowerState::{self, PoweredOn};
use vi_types::enums::{VirtualDeviceConfigSpecFileOperation, VirtualDeviceConfigSpecOperation};
use vi_types::objects::{
    Description, OpaqueNetworkSummary, VirtualController, VirtualDevice, VirtualDeviceBackingInfo,
    VirtualDeviceConfigSpec, VirtualDeviceConnectInfo, VirtualDeviceFileBackingInfo, VirtualDisk,
    VirtualEthernetCardDistributedVirtualPortBackingInfo, VirtualEthernetCardNetworkBackingInfo,
    VirtualEthernetCardOpaqueNetworkBackingInfo, VirtualMachineConfigInfo,
};
use vi_types::{ManagedObjectReference, Poly, SoapFault, properties};

pub(crate) use self::backing::{NO_FILE, is_mac};
pub(crate) use self::board::board;
use self::fault::{device_not_found, invalid_operation};
pub(crate) use self::slot::{most_controllers, most_units};
use super::hardware::Hardware;
use crate::distributed::GROUP;
use crate::files::{DatastorePath, Descriptor, Entry};
use crate::world::World;
use crate::world::inventory::parts::text;

/// A machine whose devices change.
pub(super) struct Devices<'a> {
    pub(super) world: &'a World,
    pub(super) host: Option<&'a ManagedObjectReference>,
    pub(super) vm: &'a ManagedObjectReference,
    /// Makes the addresses of network cards and the UUIDs of disks.
    pub(super) number: u64,
    /// Datastore path of its VMX file.
    pub(super) path: &'a str,
    /// Whether a client requests the change. If so, mistakes are faults, and files must exist or are made.
    pub(super) from_client: bool,
    pub(super) power: VirtualMachinePowerState,
    /// The machine's version of virtual hardware, if it is not the host's newest one.
    pub(super) version: Option<&'a str>,
}

/// Changes of files.
#[derive(Default)]
pub(super) struct FileChanges {
    made: Vec<(DatastorePath, Entry)>,
    deleted: Vec<DatastorePath>,
}

impl FileChanges {
    pub(super) fn write(self, world: &mut World) {
        for location in self.deleted {
            world.delete(&location);
        }
        for (location, entry) in self.made {
            world.put(&location, entry);
        }
    }

    /// Whether no file exists at a location or is to be made there.
    fn is_free(&self, world: &World, location: &DatastorePath) -> bool {
        let is_there = world.entry(location).is_some() && !self.deleted.contains(location);
        !is_there && !self.made.iter().any(|(made, _)| made == location)
    }

    fn make_disk(&mut self, location: &DatastorePath, descriptor: &Descriptor) {
        self.made.extend(descriptor.files(location));
    }

    /// Gives a disk the capacity in its descriptor. What is on it stays.
    fn grow_disk(&mut self, world: &World, location: &DatastorePath, descriptor: &Descriptor) {
        let [text, (extent, fresh)] = descriptor.files(location);
        let content = match world.data(&extent) {
            Some(mut data) => {
                data.set_length(descriptor.capacity_kb.saturating_mul(1024));
                Entry::File(data)
            }
            None => fresh,
        };
        self.made.extend([text, (extent, content)]);
    }

    fn delete_disk(&mut self, location: &DatastorePath, descriptor: &Descriptor) {
        let files = descriptor.files(location).into_iter();
        self.deleted.extend(files.map(|(file, _)| file));
    }
}

/// Devices while they change.
struct Change<'a> {
    of: &'a Devices<'a>,
    list: Vec<Poly<VirtualDevice>>,
    /// The keys of new devices by the client's temporary keys.
    keys: HashMap<i32, i32>,
    files: FileChanges,
    hardware: Hardware,
    /// Whether the machine's options let devices come and go while it runs.
    can_plug: bool,
}

impl Devices<'_> {
    /// The devices after the changes, and the changes of files. `can_plug` says whether the machine's options let devices
    /// come and go while it runs.
    ///
    /// # Errors
    /// Those of configurations have the index of the change.
    /// - `DeviceNotFound` for a change of an unknown device.
    /// - `InvalidController` for an unknown controller or one that takes no such devices, `MissingController` for a disk or
    ///   drive without one.
    /// - `InvalidDeviceSpec` for a device that a machine cannot have, a taken unit, a changed type, an invalid address, or a
    ///   shrunk disk.
    /// - `DeviceUnsupportedForVmVersion` for a device that is newer than the machine's hardware.
    /// - `TooManyDevices` for more devices of a kind than a machine can have.
    /// - `InvalidDeviceOperation` for the removal of a built-in device or of a controller in use, for a file operation that
    ///   does not fit, and for another capacity of a disk with snapshots.
    /// - `DisallowedDiskModeChange` for another mode of a disk with snapshots.
    /// - `InvalidDeviceBacking` for a disk or card without a backing, for an unknown network, and for a disk file that the
    ///   machine already uses.
    /// - `InvalidPowerState`, `DeviceHotPlugNotSupported` for a change that is not possible while the machine runs or is
    ///   suspended.
    /// - `FileNotFound`, `FileAlreadyExists`, `FileLocked`, `FileTooLarge`, `NoDiskSpace`, `InvalidDatastore`,
    ///   `InvalidDatastorePath` for the files of devices.
    pub(super) fn change(
        &self,
        list: Vec<Poly<VirtualDevice>>,
        specs: &[Poly<VirtualDeviceConfigSpec>],
        can_plug: bool,
    ) -> Result<(Vec<Poly<VirtualDevice>>, FileChanges), SoapFault> {
        let newest = self.world.release().hardware;
        let hardware = Hardware::parse(self.version.unwrap_or(newest));
        let mut change = Change {
            of: self,
            list,
            keys: HashMap::new(),
            files: FileChanges::default(),
            hardware: hardware.unwrap_or(Hardware::OLDEST),
            can_plug,
        };
        for (index, spec) in (0..).zip(specs) {
            let file = spec.file_operation.as_ref();
            match &spec.operation {
                Some(VirtualDeviceConfigSpecOperation::Add) => {
                    change.add(index, spec.device.clone(), file)?;
                }
                Some(VirtualDeviceConfigSpecOperation::Remove) => {
                    change.remove(index, spec.device.key, file)?;
                }
                // Without an operation, the device is edited.
                _ => change.edit(index, spec.device.clone(), file)?,
            }
        }
        change.list_attached();
        Ok((change.list, change.files))
    }
}

impl Change<'_> {
    fn add(
        &mut self,
        index: i32,
        mut device: Poly<VirtualDevice>,
        file: Option<&VirtualDeviceConfigSpecFileOperation>,
    ) -> Result<(), SoapFault> {
        let own = device.key;
        if let Some(key) = self.built_in(&device) {
            self.keys.insert(own, key);
            return Ok(());
        }
        self.check_known(index, &device)?;
        let name = self.place(index, &mut device)?;
        self.check_plug(index, &device, plug::Way::In)?;
        self.check_number(&device)?;
        self.back(index, &mut device, file)?;
        self.connect(&mut device);
        self.describe(&mut device, &name);
        self.keys.insert(own, device.key);
        self.list.push(device);
        Ok(())
    }

    fn remove(
        &mut self,
        index: i32,
        key: i32,
        file: Option<&VirtualDeviceConfigSpecFileOperation>,
    ) -> Result<(), SoapFault> {
        let at = self.position(index, key)?;
        let is_used = self.list.iter().any(|one| one.controller_key == Some(key));
        if board::has(&self.list[at]) || is_used {
            let remove = VirtualDeviceConfigSpecOperation::Remove;
            return Err(invalid_operation(index, Some(remove), None));
        }
        let device = self.list[at].clone();
        self.check_plug(index, &device, plug::Way::Out)?;
        match file {
            None => {}
            Some(VirtualDeviceConfigSpecFileOperation::Destroy) => self.destroy(index, &device)?,
            Some(other) => return Err(invalid_operation(index, None, Some(other))),
        }
        self.list.remove(at);
        Ok(())
    }

    fn position(&self, index: i32, key: i32) -> Result<usize, SoapFault> {
        let found = self.list.iter().position(|one| one.key == key);
        found.ok_or_else(|| device_not_found(index))
    }

    /// A device is connected while its machine runs, if it is to be.
    fn connect(&self, device: &mut Poly<VirtualDevice>) {
        if let Some(info) = device.connectable.as_deref_mut() {
            info.connected &= self.of.power == PoweredOn;
            info.status = text(if info.connected { "ok" } else { "untried" });
        }
    }

    /// Sets the label and the summary of a device.
    fn describe(&self, device: &mut Poly<VirtualDevice>, name: &slot::Name) {
        let label = match name {
            slot::Name::Whole(label) => label.clone(),
            slot::Name::Numbered(kind) => {
                let is_taken = |label: &String| {
                    let mut infos = self.list.iter().filter_map(|one| one.device_info.as_ref());
                    infos.any(|info| info.label == *label)
                };
                let mut labels = (1..).map(|number| format!("{kind} {number}"));
                labels.find(|label| !is_taken(label)).unwrap_or_default()
            }
        };
        let summary = backing::summary(device).unwrap_or_else(|| label.clone());
        device.device_info = Some(
            Description {
                label,
                summary,
                ..Description::default()
            }
            .into(),
        );
    }

    /// Lists the attached devices in every controller.
    fn list_attached(&mut self) {
        let mut attached: HashMap<i32, Vec<i32>> = HashMap::new();
        for device in &self.list {
            if let Some(controller) = device.controller_key {
                attached.entry(controller).or_default().push(device.key);
            }
        }
        for device in &mut self.list {
            let keys = attached.remove(&device.key).unwrap_or_default();
            if let Some(controller) = device.cast_mut::<VirtualController>() {
                controller.device = keys;
            }
        }
    }
}

/// Changes that add all of these devices except the built-in ones.
pub(super) fn specs_of(devices: &[Poly<VirtualDevice>]) -> Vec<Poly<VirtualDeviceConfigSpec>> {
    let own = devices.iter().filter(|device| !board::has(device));
    own.cloned().map(add).collect()
}

/// The addition of a device.
pub(crate) fn add(device: Poly<VirtualDevice>) -> Poly<VirtualDeviceConfigSpec> {
    VirtualDeviceConfigSpec {
        operation: Some(VirtualDeviceConfigSpecOperation::Add),
        device,
        ..VirtualDeviceConfigSpec::default()
    }
    .into()
}

/// A device without label; `at` is the controller's key and the unit on it.
pub(crate) fn device(key: i32, at: Option<(i32, i32)>) -> VirtualDevice {
    VirtualDevice {
        key,
        controller_key: at.map(|(controller, _)| controller),
        unit_number: at.map(|(_, unit)| unit),
        ..VirtualDevice::default()
    }
}

/// The same for a controller.
pub(crate) fn controller(key: i32, bus_number: i32) -> VirtualController {
    VirtualController {
        base: device(key, None),
        bus_number,
        ..VirtualController::default()
    }
}

/// The connection of a device that is to be connected while its machine runs, or not.
pub(crate) fn connectable(connected: bool) -> VirtualDeviceConnectInfo {
    VirtualDeviceConnectInfo {
        start_connected: connected,
        allow_guest_control: true,
        connected,
        status: text(if connected { "ok" } else { "untried" }),
        ..VirtualDeviceConnectInfo::default()
    }
}

/// The networks that a machine of a host is on.
pub(crate) fn networks(
    world: &World,
    host: Option<&ManagedObjectReference>,
    config: &VirtualMachineConfigInfo,
) -> Vec<ManagedObjectReference> {
    let mut found = Vec::new();
    for device in &config.hardware.device {
        let backing = device.backing.as_ref();
        let network = backing.and_then(|backing| network(world, host, backing));
        if let Some(network) = network
            && !found.contains(&network)
        {
            found.push(network);
        }
    }
    found
}

/// The network that a card's backing means. Each datacenter has an opaque network of one id; that of the host is meant, if a
/// host is given.
pub(super) fn network(
    world: &World,
    host: Option<&ManagedObjectReference>,
    backing: &Poly<VirtualDeviceBackingInfo>,
) -> Option<ManagedObjectReference> {
    if let Some(network) = backing.cast::<VirtualEthernetCardNetworkBackingInfo>() {
        let network = network.network.clone()?;
        return world.get(&network).map(|_| network);
    }
    if let Some(port) = backing.cast::<VirtualEthernetCardDistributedVirtualPortBackingInfo>() {
        let group = ManagedObjectReference::new(GROUP, port.port.portgroup_key.clone()?);
        return world.get(&group).map(|_| group);
    }
    let mut all = world.all("OpaqueNetwork");
    let found = all.find(|network| {
        let state = world.read::<properties::Network>(network);
        let is_near = host.is_none_or(|host| state.is_some_and(|state| state.host.contains(host)));
        is_near && is_network(world, network, backing)
    });
    found.cloned()
}

/// Whether a distributed or opaque network is the one that a card's backing means.
pub(super) fn is_network(
    world: &World,
    network: &ManagedObjectReference,
    backing: &Poly<VirtualDeviceBackingInfo>,
) -> bool {
    if let Some(port) = backing.cast::<VirtualEthernetCardDistributedVirtualPortBackingInfo>() {
        return network.r#type == GROUP && port.port.portgroup_key.as_ref() == Some(&network.value);
    }
    let opaque = backing.cast::<VirtualEthernetCardOpaqueNetworkBackingInfo>();
    let state = world.read::<properties::Network>(network);
    let summary = state.and_then(|state| state.summary.as_ref());
    let summary = summary.and_then(|summary| summary.cast::<OpaqueNetworkSummary>());
    summary.is_some_and(|summary| {
        opaque.is_some_and(|opaque| opaque.opaque_network_id == summary.opaque_network_id)
    })
}

/// The file that a device is backed by.
pub(super) fn file_backing(device: &VirtualDevice) -> Option<&VirtualDeviceFileBackingInfo> {
    device.backing.as_ref()?.cast()
}

/// The disk and its file, for a device that is a disk in a file.
pub(crate) fn disk_file(
    device: &Poly<VirtualDevice>,
) -> Option<(&VirtualDisk, &VirtualDeviceFileBackingInfo)> {
    Some((device.cast()?, file_backing(device)?))
}

/// Connects the devices of a machine that is switched on, and disconnects those of one that is switched off.
pub(super) fn set_power(config: &mut VirtualMachineConfigInfo, is_on: bool) {
    for device in &mut config.hardware.device {
        if let Some(info) = device.connectable.as_deref_mut() {
            let connected = is_on && info.start_connected;
            if info.connected != connected {
                info.connected = connected;
                info.status = text(if connected { "ok" } else { "untried" });
            }
        }
    }
}
