use std::collections::BTreeSet;

use virt_model::domain::{Address, Controller, ControllerType, Disk, DiskBus, PciAddress};

use super::Writer;
use crate::{LibvirtVersion, VmxError, pci_address};

/// The buses whose controllers are in files, in libvirt's order.
const BUSES: [(DiskBus, ControllerType); 3] = [
    (DiskBus::Scsi, ControllerType::Scsi),
    (DiskBus::Sata, ControllerType::Sata),
    (DiskBus::Nvme, ControllerType::Nvme),
];

impl Writer<'_> {
    /// Writes the controllers that have disks, and in lenient mode all that the definition has. Tells whether there are any.
    pub(super) fn controllers(
        &mut self,
        disks: &[Disk],
        controllers: Vec<Controller>,
    ) -> Result<bool, VmxError> {
        let mut used = [
            used_scsi(disks),
            self.used(disks, DiskBus::Sata)?,
            self.used(disks, DiskBus::Nvme)?,
        ];
        for ((bus, kind), used) in BUSES.into_iter().zip(&mut used) {
            used.extend(self.empty(disks, &controllers, bus, kind));
        }
        let [scsi, ..] = &used;
        let mut models: Vec<(u32, Option<String>)> = Vec::new();
        for Controller {
            kind, index, model, ..
        } in &controllers
        {
            if *kind == ControllerType::Scsi && scsi.contains(index) {
                models.push((*index, self.virtual_device(disks, *index, model.clone())?));
            }
        }
        for ((bus, kind), used) in BUSES.into_iter().zip(&used) {
            for index in used {
                self.line(&format!("{bus}{index}.present"), "true");
                let model = models.iter().rfind(|(known, _)| known == index);
                if let (DiskBus::Scsi, Some((_, Some(model)))) = (bus, model) {
                    self.line(&format!("{bus}{index}.virtualDev"), model);
                }
                let mut same = controllers
                    .iter()
                    .filter(|controller| controller.kind == kind && controller.index == *index);
                if let Some(number) = same.find_map(|controller| self.pci_slot(controller)) {
                    self.line(&format!("{bus}{index}.pciSlotNumber"), number);
                }
            }
        }
        Ok(used.iter().any(|used| !used.is_empty()))
    }

    /// Controllers without disks, which VMware allows, of a bus. libvirt adds those below the last one with disks, which have
    /// neither a model nor an address; it also counts 6 SATA ports per controller where VMware has 30.
    fn empty(
        &self,
        disks: &[Disk],
        controllers: &[Controller],
        bus: DiskBus,
        kind: ControllerType,
    ) -> Vec<u32> {
        let needed = match bus {
            DiskBus::Sata => 10,
            DiskBus::Nvme => 13,
            _ => 0,
        };
        if !self.lenient() || self.options.hardware_version < needed {
            return Vec::new();
        }
        let with_disks = disks.iter().filter_map(|disk| match disk.info.address {
            Some(Address::Drive(address)) if disk.target.bus == bus => Some(address.controller),
            _ => None,
        });
        let last = with_disks.max();
        let is_own = |controller: &&Controller| {
            let has_place = self.pci_slot(controller).is_some();
            let is_behind = last.is_none_or(|last| controller.index > last);
            controller.kind == kind
                && controller.index < 4
                && (is_behind || has_place || controller.model.is_some())
                && self
                    .virtual_device(&[], controller.index, controller.model.clone())
                    .is_ok()
        };
        let own = controllers.iter().filter(is_own);
        own.map(|controller| controller.index).collect()
    }

    /// The place of a controller on VMware's PCI bus, which the newest libvirt reads.
    fn pci_slot(&self, controller: &Controller) -> Option<u32> {
        match controller.info.address {
            Some(Address::Pci(address)) if self.lenient() && self.since(LibvirtVersion::Newest) => {
                pci_slot_number(address)
            }
            _ => None,
        }
    }

    /// VMware's word for the model of a SCSI controller.
    fn virtual_device(
        &self,
        disks: &[Disk],
        index: u32,
        mut model: Option<String>,
    ) -> Result<Option<String>, VmxError> {
        if model.as_deref() == Some(AUTO) {
            if let Some(found) = self.found_model(disks, index)? {
                model = Some(found);
            } else if self.lenient() {
                model = None;
            }
        }
        match model.as_deref() {
            None | Some("buslogic" | "lsilogic" | "lsisas1068") => Ok(model),
            Some("vmpvscsi") => Ok(Some("pvscsi".to_owned())),
            Some(found) => Err(VmxError::internal(format!(
                "Expecting domain XML attribute 'model' of entry 'controller' to be 'buslogic' or \
                 'lsilogic' or 'lsisas1068' or 'vmpvscsi' but found '{found}'"
            ))
            .with_key(format!("scsi{index}.virtualDev"))
            .with_value(found)),
        }
    }

    /// The model of SCSI controller that the disks on it were made for.
    fn found_model(&self, disks: &[Disk], index: u32) -> Result<Option<String>, VmxError> {
        let mut found = None;
        for disk in disks.iter().filter(|disk| scsi(disk) == Some(index)) {
            let model = self
                .names
                .scsi_model(disk)
                .map_err(|error| VmxError::new(error.number, error.message))?;
            if found.get_or_insert_with(|| model.clone()) != &model {
                return Err(VmxError::internal(format!(
                    "Disks on SCSI controller {index} have inconsistent controller models, cannot \
                     autodetect model"
                ))
                .with_key(format!("scsi{index}.virtualDev")));
            }
        }
        Ok(found.flatten())
    }

    /// The controllers of a bus that have disks in the file.
    fn used(&self, disks: &[Disk], bus: DiskBus) -> Result<BTreeSet<u32>, VmxError> {
        disks
            .iter()
            .filter(|disk| disk.target.bus == bus)
            .map(|disk| Ok(self.slot(disk)?.controller))
            .collect()
    }
}

/// Sets the model of a SCSI disk's controller from the name of the disk's driver, an old way of naming
/// models that libvirt still reads.
pub(super) fn legacy_model(disk: &Disk, controllers: &mut [Controller]) -> Result<(), VmxError> {
    let (Some(index), Some(driver)) = (scsi(disk), &disk.driver.name) else {
        return Ok(());
    };
    let model = driver.to_ascii_lowercase();
    if !ControllerType::Scsi.models().contains(&model.as_str()) {
        return Err(
            VmxError::internal(format!("Unknown driver name '{driver}'"))
                .with_value(driver)
                .with_help("use no <driver name>, or the model of the disk's SCSI controller"),
        );
    }
    // libvirt takes the first controller with that index, of any type.
    let Some(controller) = controllers.iter_mut().find(|known| known.index == index) else {
        return Err(VmxError::internal(format!(
            "Missing SCSI controller for index {index}"
        )));
    };
    // It compares numbers of models, so the model of a controller of another type is taken for the
    // SCSI model with the same number.
    let models = controller.kind.models().iter();
    let mut numbered = models.zip(ControllerType::Scsi.models());
    let known = controller.model.as_ref().map(|known| {
        let found = numbered.find(|(model, _)| *model == known);
        found.map_or(known.as_str(), |(_, scsi)| scsi)
    });
    match known {
        None => controller.model = Some(model),
        Some(known) if known == model => {}
        Some(known) => {
            return Err(VmxError::internal(format!(
                "Inconsistent SCSI controller model ('{driver}' is not '{known}') for SCSI \
                 controller index {index}"
            )));
        }
    }
    Ok(())
}

/// The index of a SCSI disk's controller.
fn scsi(disk: &Disk) -> Option<u32> {
    match disk.info.address {
        Some(Address::Drive(address)) if disk.target.bus == DiskBus::Scsi => {
            Some(address.controller)
        }
        _ => None,
    }
}

fn used_scsi(disks: &[Disk]) -> BTreeSet<u32> {
    disks.iter().filter_map(scsi).collect()
}

/// VMware's number for an address on the PCI bus: the reverse of [`pci_address`]. None if it has none.
fn pci_slot_number(address: PciAddress) -> Option<u32> {
    let number = address.slot | address.bus << 5 | address.function << 10;
    let is_same = pci_address(i64::from(number)) == address;
    (is_same && address.bus < 32).then_some(number)
}

/// The model that stands for the one that the disks were made for.
const AUTO: &str = "auto";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_on_the_pci_bus_are_written_as_they_are_read() {
        for number in 0..1 << 13 {
            assert_eq!(
                pci_slot_number(pci_address(number)),
                u32::try_from(number).ok()
            );
        }
        for address in [
            PciAddress::new(32, 0, 0),
            PciAddress::new(1 << 30, 0, 0),
            PciAddress::new(0, 32, 0),
            PciAddress::new(0, 0, 8),
            PciAddress {
                domain: 1,
                ..PciAddress::new(0, 1, 0)
            },
        ] {
            assert_eq!(pci_slot_number(address), None, "{address:?}");
        }
    }
}
