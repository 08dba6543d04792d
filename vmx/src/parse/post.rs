//! What libvirt adds to every definition, whatever it is made from.

use virt_model::DomainDef;
use virt_model::domain::{Address, CharDevice, Controller, ControllerType, DiskBus};

/// Adds controllers that disks need, behind those that the file has told of, and the console that
/// every first serial port is.
pub(super) fn complete(def: &mut DomainDef) {
    for (bus, kind) in [
        (DiskBus::Scsi, ControllerType::Scsi),
        (DiskBus::Fdc, ControllerType::Fdc),
        (DiskBus::Ide, ControllerType::Ide),
        (DiskBus::Sata, ControllerType::Sata),
        (DiskBus::Nvme, ControllerType::Nvme),
    ] {
        let disks = def.devices.disks.iter();
        let used = disks.filter_map(|disk| match disk.info.address {
            Some(Address::Drive(address)) if disk.target.bus == bus => Some(address.controller),
            _ => None,
        });
        let Some(last) = used.max() else { continue };
        for index in 0..=last {
            let controllers = &mut def.devices.controllers;
            if !controllers
                .iter()
                .any(|known| known.kind == kind && known.index == index)
            {
                controllers.push(Controller::new(kind, index));
            }
        }
    }
    if let Some(serial) = def.devices.serials.first() {
        def.devices.consoles.push(CharDevice {
            target_type: Some("serial".to_owned()),
            ..serial.clone()
        });
    }
}
