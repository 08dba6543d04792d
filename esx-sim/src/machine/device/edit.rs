//! Changes of existing devices. Properties that a client leaves out keep their values.

use vi_types::enums::VirtualDeviceConfigSpecFileOperation as FileOperation;
use vi_types::objects::{VirtualCdrom, VirtualDevice, VirtualDeviceFileBackingInfo, VirtualDisk};
use vi_types::{Object, Poly, SoapFault, View};

use super::fault::{invalid, invalid_operation};
use super::{Change, file_backing};

impl Change<'_> {
    pub(super) fn edit(
        &mut self,
        index: i32,
        mut device: Poly<VirtualDevice>,
        file: Option<&FileOperation>,
    ) -> Result<(), SoapFault> {
        let at = self.position(index, device.key)?;
        let old = self.list[at].clone();
        if device.type_name() != old.type_name() {
            return Err(invalid(index, "device"));
        }
        if let Some(file) = file {
            return Err(invalid_operation(index, None, Some(file)));
        }
        let (controller, unit) = (device.controller_key, device.unit_number);
        device.device_info = old.device_info.clone();
        fill(&mut device, &old);
        device.controller_key = old.controller_key;
        device.unit_number = old.unit_number;
        self.back_again(index, &old, &mut device)?;
        self.connect(&mut device);
        self.check_edit(&old, &device)?;
        let moves = controller.is_some_and(|key| Some(key) != old.controller_key)
            || unit.is_some_and(|unit| unit >= 0 && Some(unit) != old.unit_number);
        if moves && (device.is::<VirtualDisk>() || device.is::<VirtualCdrom>()) {
            device.controller_key = controller.or(old.controller_key);
            device.unit_number = unit;
            self.move_device(index, at, &mut device)?;
        }
        self.list[at] = device;
        Ok(())
    }

    /// Attaches a disk or drive to another controller or unit, which gives it another key.
    fn move_device(
        &mut self,
        index: i32,
        at: usize,
        device: &mut Poly<VirtualDevice>,
    ) -> Result<(), SoapFault> {
        let own = device.key;
        let old = self.list.remove(at);
        let placed = self.place(index, device);
        // Moving takes a machine that is off, like the parts of a device that are frozen.
        let checked = placed.and_then(|_| {
            let mut moved = old.clone();
            moved.key = device.key;
            moved.controller_key = device.controller_key;
            moved.unit_number = device.unit_number;
            self.check_edit(&old, &moved)
        });
        if checked.is_ok() {
            self.keys.insert(own, device.key);
        }
        self.list.insert(at, old);
        checked
    }
}

/// Sets the properties of a changed device that the client left out. A backing of the same file is completed too.
fn fill(device: &mut Poly<VirtualDevice>, old: &Poly<VirtualDevice>) {
    fill_object(device.as_object_mut(), old.as_object());
    if let (Some(old), Some(new)) = (old.cast::<VirtualDisk>(), device.cast_mut::<VirtualDisk>())
        && new.capacity_in_kb <= 0
    {
        new.capacity_in_kb = old.capacity_in_kb;
    }
    let own = old.backing.as_ref();
    let name = file_backing(old).map(|file| file.file_name.clone());
    let (Some(own), Some(backing)) = (own, device.backing.as_mut()) else {
        return;
    };
    if own.type_name() != backing.type_name() {
        return;
    }
    if let Some(file) = backing.cast_mut::<VirtualDeviceFileBackingInfo>() {
        match name {
            // A backing without a file means the same file.
            Some(name) if file.file_name.is_empty() => file.file_name = name,
            Some(name) if file.file_name != name => return,
            _ => {}
        }
    } else {
        return;
    }
    fill_object(backing.as_object_mut(), own.as_object());
}

/// Copies the properties of `old` that `new`, an object of the same type, does not have.
fn fill_object(new: &mut dyn Object, old: &dyn Object) {
    for index in 0..new.info().layout().len() {
        let is_unset = match new.get(index).view() {
            View::Unset => true,
            View::List(list) => list.is_empty(),
            View::Text(text) => text.is_empty(),
            _ => false,
        };
        if is_unset {
            new.get_mut(index).assign(old.get(index).view());
        }
    }
}
