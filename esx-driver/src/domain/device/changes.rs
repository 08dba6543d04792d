//! Additions, changes and removals of devices in one specification.

use vi_types::Poly;
use vi_types::enums::VirtualDeviceConfigSpecOperation;
use vi_types::objects::{
    VirtualDevice, VirtualDeviceConfigSpec, VirtualMachineConfigSpec, VirtualScsiController,
};
use virt_model::ErrorNumber;
use virt_model::domain::DiskBus;
use vmx::Slot;

use super::{Hardware, Name, Wanted, board};
use crate::{Error, ErrorKind, Result, What};

/// The changes of a machine's devices.
pub(in crate::domain) struct Changes<'a> {
    machine: &'a Hardware,
    specs: Vec<Poly<VirtualDeviceConfigSpec>>,
    removed: Vec<Name>,
    /// New devices, with the temporary keys by which others name them.
    added: Vec<(Name, i32)>,
}

impl<'a> Changes<'a> {
    /// No changes of that machine.
    pub(in crate::domain) fn of(machine: &'a Hardware) -> Changes<'a> {
        Changes {
            machine,
            specs: Vec::new(),
            removed: Vec::new(),
            added: Vec::new(),
        }
    }

    /// Adds a device, and the controller that it needs.
    ///
    /// # Errors
    /// [`ErrorKind::Exists`] if there is a device of that name.
    pub(in crate::domain) fn add(&mut self, wanted: &Wanted) -> Result<()> {
        // The host numbers cards and ports.
        let is_numbered = matches!(
            wanted.name,
            Name::Ethernet(_) | Name::Serial(_) | Name::Parallel(_)
        );
        if !is_numbered && self.has(wanted.name) {
            return Err(self.exists(wanted.name));
        }
        let device = wanted.device(self.machine, self.scsi_type())?;
        self.add_device(wanted.name, device);
        Ok(())
    }

    /// Adds a device, and the controller that a disk or drive needs.
    pub(in crate::domain) fn add_device(&mut self, name: Name, mut device: Poly<VirtualDevice>) {
        if let Name::Disk(slot) = name {
            device.controller_key = self.controller(slot);
            device.unit_number = i32::try_from(slot.unit).ok();
        }
        // Hosts take negative keys for temporary ones.
        device.key = -1 - i32::try_from(self.added.len()).unwrap_or(i32::MAX - 1);
        self.added.push((name, device.key));
        self.push(VirtualDeviceConfigSpecOperation::Add, device);
    }

    /// Replaces the device with the same key.
    pub(in crate::domain) fn edit(&mut self, device: Poly<VirtualDevice>) {
        self.push(VirtualDeviceConfigSpecOperation::Edit, device);
    }

    /// Removes a device. Files stay.
    pub(in crate::domain) fn remove(&mut self, name: Name) {
        if let Some(device) = self.machine.get(name) {
            self.removed.push(name);
            self.push(VirtualDeviceConfigSpecOperation::Remove, device.clone());
        }
    }

    /// The specification.
    pub(in crate::domain) fn into_spec(self) -> VirtualMachineConfigSpec {
        VirtualMachineConfigSpec {
            change_version: self.machine.change_version.clone(),
            device_change: self.specs,
            ..VirtualMachineConfigSpec::default()
        }
    }

    /// Whether the machine has a device of that name after the changes so far.
    pub(in crate::domain) fn has(&self, name: Name) -> bool {
        let stays = self.machine.get(name).is_some() && !self.removed.contains(&name);
        stays || self.added.iter().any(|(added, _)| *added == name)
    }

    /// The key of a disk's controller, which is added if it is missing. Floppy drives are where the host puts them.
    fn controller(&mut self, slot: Slot) -> Option<i32> {
        if slot.bus == DiskBus::Fdc {
            return None;
        }
        let name = Name::Controller(slot.bus, slot.controller);
        if let Some((_, key)) = self.added.iter().rfind(|(added, _)| *added == name) {
            return Some(*key);
        }
        if !self.has(name) {
            let kind = self.scsi_type();
            let controller = board::disk_controller(slot.bus, slot.controller, kind);
            self.add_device(name, controller);
            return self.controller(slot);
        }
        self.machine.get(name).map(|device| device.key)
    }

    /// The type of SCSI controllers whose type is left open: that of the machine's first one.
    fn scsi_type(&self) -> &'a str {
        let mut devices = self.machine.devices.iter();
        let first = devices.find(|device| device.is::<VirtualScsiController>());
        first.map_or(board::LSI_LOGIC, |device| device.type_name())
    }

    fn push(&mut self, operation: VirtualDeviceConfigSpecOperation, device: Poly<VirtualDevice>) {
        let spec = VirtualDeviceConfigSpec {
            operation: Some(operation),
            device,
            ..VirtualDeviceConfigSpec::default()
        };
        self.specs.push(spec.into());
    }

    /// The error for a place that is taken; the texts are those of libvirt 9.0.0's QEMU driver.
    fn exists(&self, name: Name) -> Error {
        let message = match name {
            Name::Disk(slot) => {
                let message = format!("target {} already exists", self.machine.names(slot).0);
                let kind = ErrorKind::Exists(What::Device);
                return Error::new(kind, ErrorNumber::OperationFailed, message)
                    .advise(format!("the host has a disk or drive at {slot}"));
            }
            Name::Controller(bus, index) => format!("target {bus}:{index} already exists"),
            _ => format!("the domain has a device '{name}' already"),
        };
        let kind = ErrorKind::Exists(What::Device);
        Error::new(kind, ErrorNumber::OperationFailed, message)
    }
}
