use std::collections::BTreeSet;

use virt_model::domain::{Address, Controller, ControllerType, Disk, DiskBus};

use super::Writer;
use crate::VmxError;

impl Writer<'_> {
    /// Writes the controllers that have disks. Tells whether there are any.
    pub(super) fn controllers(
        &mut self,
        disks: &[Disk],
        controllers: Vec<Controller>,
    ) -> Result<bool, VmxError> {
        let scsi = used_scsi(disks);
        let mut models: Vec<(u32, Option<String>)> = Vec::new();
        let empty = self.empty_sata(disks, &controllers);
        for controller in controllers {
            let Controller {
                kind, index, model, ..
            } = controller;
            if kind == ControllerType::Scsi && scsi.contains(&index) {
                models.push((index, self.virtual_device(disks, index, model)?));
            }
        }
        for index in &scsi {
            self.line(&format!("scsi{index}.present"), "true");
            let model = models.iter().rfind(|(known, _)| known == index);
            if let Some((_, Some(model))) = model {
                self.line(&format!("scsi{index}.virtualDev"), model);
            }
        }
        let mut any = !scsi.is_empty();
        for bus in [DiskBus::Sata, DiskBus::Nvme] {
            let mut used = self.used(disks, bus)?;
            if bus == DiskBus::Sata {
                used.extend(&empty);
            }
            for index in used {
                self.line(&format!("{bus}{index}.present"), "true");
                any = true;
            }
        }
        Ok(any)
    }

    /// Writes SATA controllers without disks, which VMware allows. libvirt counts 6 ports per controller
    /// and VMware 30, so libvirt may have added controllers for disks that are on VMware's first one.
    fn empty_sata(&self, disks: &[Disk], controllers: &[Controller]) -> Vec<u32> {
        let needed = disks.iter().filter_map(|disk| match disk.info.address {
            Some(Address::Drive(address)) if disk.target.bus == DiskBus::Sata => {
                Some(address.controller)
            }
            _ => None,
        });
        let last = needed.max();
        if !self.lenient() || self.options.hardware_version < 10 {
            return Vec::new();
        }
        let sata = controllers
            .iter()
            .filter(|controller| controller.kind == ControllerType::Sata);
        let indices = sata.map(|controller| controller.index);
        indices
            .filter(|&index| index < 4 && last.is_none_or(|last| index > last))
            .collect()
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
                .with_help("no <driver name>, or the model of the disk's SCSI controller"),
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

/// The model that stands for the one that the disks were made for.
const AUTO: &str = "auto";
