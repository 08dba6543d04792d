//! Controllers, units and keys of devices.

use vi_types::objects::{
    ParaVirtualScsiController, VirtualAhciController, VirtualCdrom, VirtualController,
    VirtualDevice, VirtualDisk, VirtualEthernetCard, VirtualFloppy, VirtualIdeController,
    VirtualNvmeController, VirtualParallelPort, VirtualScsiController, VirtualSerialPort,
    VirtualUsbController, VirtualUsbxhciController,
};
use vi_types::{Poly, SoapFault};

use super::Change;
use super::board::{PCI, SIO};
use super::fault::{invalid, invalid_controller, missing_controller, too_many_devices};
use crate::machine::hardware::Hardware;

/// The label of a device.
pub(super) enum Name {
    Whole(String),
    /// The first free number is added.
    Numbered(&'static str),
}

/// A kind of controller that clients can add.
struct Controllers {
    /// The key of the first one.
    first: i32,
    /// The largest number in one machine.
    most: i32,
    name: &'static str,
    /// The unit of the first one on the PCI bus.
    unit: i32,
}

/// The units of a controller for disks and drives.
struct Units {
    /// The key of a device at unit 0 of bus 0.
    first: i32,
    /// Number of units.
    count: i32,
    /// The unit of the controller itself.
    reserved: Option<i32>,
}

impl Change<'_> {
    /// Gives a new device its key, controller and unit.
    pub(super) fn place(
        &self,
        index: i32,
        device: &mut Poly<VirtualDevice>,
    ) -> Result<Name, SoapFault> {
        if device.is::<VirtualController>() {
            return self.place_controller(index, device);
        }
        if device.is::<VirtualDisk>() || device.is::<VirtualCdrom>() {
            self.place_on_bus(index, device)?;
            return Ok(Name::Numbered(match device.is::<VirtualDisk>() {
                true => "Hard disk",
                false => "CD/DVD drive",
            }));
        }
        let (first, parent, unit, name) = if device.is::<VirtualEthernetCard>() {
            (4000, PCI, 7, "Network adapter")
        } else if device.is::<VirtualFloppy>() {
            (8000, SIO, 0, "Floppy drive")
        } else if device.is::<VirtualSerialPort>() {
            (9000, SIO, 0, "Serial port")
        } else if device.is::<VirtualParallelPort>() {
            (10_000, SIO, 0, "Parallel port")
        } else {
            (13_000, PCI, 32, "Device")
        };
        // In a VMX file, such devices have numbers.
        let is_kept = !self.of.from_client && (first..first + 1000).contains(&device.key);
        device.key = self.free_key(if is_kept { device.key } else { first });
        device.controller_key = Some(parent);
        device.unit_number = Some(unit + device.key - first);
        Ok(Name::Numbered(name))
    }

    fn place_controller(
        &self,
        index: i32,
        device: &mut Poly<VirtualDevice>,
    ) -> Result<Name, SoapFault> {
        let kind = controllers(device).ok_or_else(|| invalid(index, "device"))?;
        let key_of = |bus: i32| kind.first + bus;
        let is_free = |bus: i32| !self.list.iter().any(|one| one.key == key_of(bus));
        let wanted = device
            .cast::<VirtualController>()
            .map_or(0, |one| one.bus_number);
        let bus = match (0..kind.most).contains(&wanted) && is_free(wanted) {
            true => Some(wanted),
            false => (0..kind.most).find(|bus| is_free(*bus)),
        };
        let bus = bus.ok_or_else(|| too_many_devices(device.type_name()))?;
        device.key = key_of(bus);
        device.controller_key = Some(PCI);
        device.unit_number = Some(kind.unit + bus);
        if let Some(controller) = device.cast_mut::<VirtualController>() {
            controller.bus_number = bus;
        }
        if let Some(controller) = device.cast_mut::<VirtualScsiController>() {
            controller.hot_add_remove = Some(true);
            controller.scsi_ctlr_unit_number = Some(7);
        }
        Ok(Name::Whole(match kind.most {
            1 => kind.name.to_owned(),
            _ => format!("{} {bus}", kind.name),
        }))
    }

    /// Attaches a disk or drive to its controller, at its unit or the first free one.
    fn place_on_bus(&self, index: i32, device: &mut Poly<VirtualDevice>) -> Result<(), SoapFault> {
        let named = device
            .controller_key
            .ok_or_else(|| missing_controller(index))?;
        let key = self.keys.get(&named).copied().unwrap_or(named);
        let mut devices = self.list.iter();
        let found = devices.find(|one| one.key == key);
        let found = found.ok_or_else(|| invalid_controller(index, named))?;
        let units = units(found, self.hardware).ok_or_else(|| invalid_controller(index, named))?;
        let bus = found
            .cast::<VirtualController>()
            .map_or(0, |one| one.bus_number);
        let is_free = |unit: &i32| {
            let mut there = self
                .list
                .iter()
                .filter(|one| one.controller_key == Some(key));
            units.reserved != Some(*unit) && !there.any(|one| one.unit_number == Some(*unit))
        };
        let unit = match device.unit_number.filter(|unit| *unit >= 0) {
            Some(unit) if is_free(&unit) && unit < units.count => unit,
            Some(_) => return Err(invalid(index, "device.unitNumber")),
            None => (0..units.count)
                .find(is_free)
                .ok_or_else(|| invalid(index, "device.unitNumber"))?,
        };
        device.controller_key = Some(key);
        device.unit_number = Some(unit);
        // A SCSI bus has 16 keys even if it has more units.
        let stride = match units.first {
            2000 => 16,
            _ => units.count,
        };
        device.key = self.free_key(units.first + stride * bus + unit);
        Ok(())
    }

    /// The first free key, counted from `first`.
    fn free_key(&self, first: i32) -> i32 {
        let is_free = |key: &i32| !self.list.iter().any(|one| one.key == *key);
        (first..).find(is_free).unwrap_or(first)
    }
}

/// How many controllers of its kind a machine can have; 0 for those that nobody can add.
pub(crate) fn most_controllers(controller: &Poly<VirtualDevice>) -> i32 {
    controllers(controller).map_or(0, |kind| kind.most)
}

/// How many disks and drives a controller takes.
pub(crate) fn most_units(controller: &Poly<VirtualDevice>, hardware: Hardware) -> i32 {
    units(controller, hardware).map_or(0, |units| units.count - i32::from(units.reserved.is_some()))
}

fn controllers(device: &Poly<VirtualDevice>) -> Option<Controllers> {
    let kind = |first, most, name, unit| Controllers {
        first,
        most,
        name,
        unit,
    };
    if device.is::<VirtualScsiController>() {
        Some(kind(1000, 4, "SCSI controller", 3))
    } else if device.is::<VirtualAhciController>() {
        Some(kind(15_000, 4, "SATA controller", 24))
    } else if device.is::<VirtualNvmeController>() {
        Some(kind(31_000, 4, "NVME controller", 30))
    } else if device.is::<VirtualUsbxhciController>() {
        Some(kind(14_000, 1, "USB xHCI controller", 23))
    } else if device.is::<VirtualUsbController>() {
        Some(kind(7000, 1, "USB controller", 22))
    } else {
        None
    }
}

fn units(controller: &Poly<VirtualDevice>, hardware: Hardware) -> Option<Units> {
    let units = |first, count, reserved| Units {
        first,
        count,
        reserved,
    };
    if controller.is::<VirtualScsiController>() {
        let is_para_virtual = controller.is::<ParaVirtualScsiController>();
        Some(units(2000, hardware.scsi_units(is_para_virtual), Some(7)))
    } else if controller.is::<VirtualIdeController>() {
        Some(units(3000, 2, None))
    } else if controller.is::<VirtualAhciController>() {
        Some(units(16_000, 30, None))
    } else if controller.is::<VirtualNvmeController>() {
        Some(units(32_000, 64, None))
    } else {
        None
    }
}
