//! Devices of machines: built-in ones, and how others are added, changed and removed.
//!
//! Clients give new devices temporary keys, so that a new disk can name a new controller. The host replaces them with keys
//! that depend on the type and the unit of the device, as ESX 5.5 and later do.

mod backing;
mod board;
mod slot;

use std::collections::HashMap;

use vi_types::enums::{VirtualDeviceConfigSpecFileOperation, VirtualDeviceConfigSpecOperation};
use vi_types::objects::{
    Description, DeviceNotFound, InvalidController, InvalidDeviceBacking, InvalidDeviceOperation,
    InvalidDeviceSpec, InvalidVmConfig, MissingController, VirtualController, VirtualDevice,
    VirtualDeviceConfigSpec, VirtualDeviceConnectInfo, VirtualDeviceFileBackingInfo, VirtualDisk,
    VirtualEthernetCardNetworkBackingInfo,
};
use vi_types::{ManagedObjectReference, Poly, SoapFault};

pub(crate) use self::board::board;
use crate::files::{DatastorePath, Descriptor};
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
    pub(super) is_on: bool,
}

/// Changes of disk files.
#[derive(Default)]
pub(super) struct FileChanges {
    made: Vec<(DatastorePath, Descriptor)>,
    deleted: Vec<(DatastorePath, Descriptor)>,
}

impl FileChanges {
    pub(super) fn write(self, world: &mut World) {
        for (location, descriptor) in self.deleted {
            for (file, _) in descriptor.files(&location) {
                world.delete(&file);
            }
        }
        for (location, descriptor) in self.made {
            for (file, entry) in descriptor.files(&location) {
                world.put(&file, entry);
            }
        }
    }

    /// Whether no file exists at a location or is to be made there.
    fn is_free(&self, world: &World, location: &DatastorePath) -> bool {
        world.entry(location).is_none() && !self.made.iter().any(|(made, _)| made == location)
    }
}

/// Devices while they change.
struct Change<'a> {
    of: &'a Devices<'a>,
    list: Vec<Poly<VirtualDevice>>,
    /// The keys of new devices by the client's temporary keys.
    keys: HashMap<i32, i32>,
    files: FileChanges,
}

impl Devices<'_> {
    /// The devices after the changes, and the changes of disk files.
    ///
    /// # Errors
    /// Each has the index of the change.
    /// - `DeviceNotFound` for a change of an unknown device.
    /// - `InvalidController` for an unknown controller or one that takes no such devices, `MissingController` for a disk or
    ///   drive without one.
    /// - `InvalidDeviceSpec` for a device that a machine cannot have, a taken unit, a changed type, or a shrunk disk.
    /// - `InvalidDeviceOperation` for the removal of a built-in device or of a controller in use.
    /// - `InvalidDeviceBacking` for a disk or card without a backing, and for an unknown network.
    /// - `FileNotFound`, `FileAlreadyExists`, `InvalidDatastore`, `InvalidDatastorePath` for the files of disks and
    ///   images.
    pub(super) fn change(
        &self,
        list: Vec<Poly<VirtualDevice>>,
        specs: &[Poly<VirtualDeviceConfigSpec>],
    ) -> Result<(Vec<Poly<VirtualDevice>>, FileChanges), SoapFault> {
        let mut change = Change {
            of: self,
            list,
            keys: HashMap::new(),
            files: FileChanges::default(),
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
        let name = self.place(index, &mut device)?;
        self.back(index, &mut device, file)?;
        self.describe(&mut device, &name);
        self.keys.insert(own, device.key);
        self.list.push(device);
        Ok(())
    }

    fn edit(
        &mut self,
        index: i32,
        mut device: Poly<VirtualDevice>,
        file: Option<&VirtualDeviceConfigSpecFileOperation>,
    ) -> Result<(), SoapFault> {
        let at = self.position(index, device.key)?;
        let old = &self.list[at];
        if device.type_name() != old.type_name() {
            return Err(invalid(index, "device"));
        }
        if let Some(file) = file {
            return Err(invalid_operation(index, None, Some(file)));
        }
        device.device_info = old.device_info.clone();
        device.controller_key = old.controller_key;
        device.unit_number = old.unit_number;
        if device.backing.is_none() {
            device.backing = old.backing.clone();
        }
        if device.connectable.is_none() {
            device.connectable = old.connectable.clone();
        }
        self.back_again(index, at, &mut device)?;
        self.list[at] = device;
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
        let device = self.list.remove(at);
        match file {
            None => {}
            Some(VirtualDeviceConfigSpecFileOperation::Destroy) => self.destroy(index, &device)?,
            Some(other) => return Err(invalid_operation(index, None, Some(other))),
        }
        Ok(())
    }

    fn position(&self, index: i32, key: i32) -> Result<usize, SoapFault> {
        let found = self.list.iter().position(|one| one.key == key);
        found.ok_or_else(|| {
            let fault = DeviceNotFound {
                base: spec_fault(index, "device.key"),
                ..DeviceNotFound::default()
            };
            SoapFault::new(
                fault,
                format!("Invalid configuration for device '{index}'."),
            )
        })
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

pub(crate) fn connectable(connected: bool) -> VirtualDeviceConnectInfo {
    VirtualDeviceConnectInfo {
        start_connected: true,
        allow_guest_control: true,
        connected,
        status: text(if connected { "ok" } else { "untried" }),
        ..VirtualDeviceConnectInfo::default()
    }
}

/// The networks that a machine is on.
pub(crate) fn networks(
    world: &World,
    config: &vi_types::objects::VirtualMachineConfigInfo,
) -> Vec<ManagedObjectReference> {
    let mut found = Vec::new();
    for device in &config.hardware.device {
        let backing = device.backing.as_ref();
        let network =
            backing.and_then(|backing| backing.cast::<VirtualEthernetCardNetworkBackingInfo>());
        if let Some(network) = network.and_then(|network| network.network.as_ref())
            && world.get(network).is_some()
            && !found.contains(network)
        {
            found.push(network.clone());
        }
    }
    found
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

fn spec_fault(index: i32, property: &str) -> InvalidDeviceSpec {
    InvalidDeviceSpec {
        base: InvalidVmConfig {
            property: Some(format!("virtualDeviceSpec.{property}")),
            ..InvalidVmConfig::default()
        },
        device_index: index,
        ..InvalidDeviceSpec::default()
    }
}

fn invalid(index: i32, property: &str) -> SoapFault {
    let message = format!("Invalid configuration for device '{index}'.");
    SoapFault::new(spec_fault(index, property), message)
}

fn invalid_operation(
    index: i32,
    operation: Option<VirtualDeviceConfigSpecOperation>,
    file: Option<&VirtualDeviceConfigSpecFileOperation>,
) -> SoapFault {
    let fault = InvalidDeviceOperation {
        base: spec_fault(index, "operation"),
        bad_op: operation,
        bad_file_op: file.cloned(),
        ..InvalidDeviceOperation::default()
    };
    SoapFault::new(fault, format!("Invalid operation for device '{index}'."))
}

fn invalid_backing(index: i32) -> SoapFault {
    let fault = InvalidDeviceBacking {
        base: spec_fault(index, "device.backing"),
        ..InvalidDeviceBacking::default()
    };
    let message = format!("Incompatible device backing specified for device '{index}'.");
    SoapFault::new(fault, message)
}

fn missing_controller(index: i32) -> SoapFault {
    let fault = MissingController {
        base: spec_fault(index, "device.controllerKey"),
        ..MissingController::default()
    };
    SoapFault::new(fault, format!("Device '{index}' needs a controller."))
}

fn invalid_controller(index: i32, key: i32) -> SoapFault {
    let fault = InvalidController {
        base: spec_fault(index, "device.controllerKey"),
        controller_key: key,
        ..InvalidController::default()
    };
    SoapFault::new(
        fault,
        format!("Device '{index}' refers to an invalid controller."),
    )
}
