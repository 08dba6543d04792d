use virt_model::DomainDef;
use virt_model::domain::{Address, Controller, ControllerType, DeviceInfo, PciAddress};

use super::reader::Reader;
use crate::{LibvirtVersion, VmxError};

impl Reader<'_> {
    /// Whether a SCSI, SATA or NVMe controller is present. libvirt after 12.5.0 adds each present one to
    /// the definition, with its PCI address; older versions add those that disks need.
    pub(super) fn controller(
        &mut self,
        def: &mut DomainDef,
        kind: ControllerType,
        index: u32,
    ) -> Result<Option<Controller>, VmxError> {
        let name = format!("{kind}{index}");
        if !self.boolean(&format!("{name}.present"), false)? {
            return Ok(None);
        }
        self.carried(&name);
        let mut controller = Controller::new(kind, index);
        if kind == ControllerType::Scsi {
            controller.model = self.scsi_model(&format!("{name}.virtualDev"))?;
        }
        if self.since(LibvirtVersion::Newest) {
            let slot = self.long(&format!("{name}.pciSlotNumber"), -1)?;
            if self.lenient() && !(-1..=LAST_PCI_SLOT).contains(&slot) {
                let key = format!("{name}.pciSlotNumber");
                self.warn(
                    &key,
                    format!("{slot} is no place on the PCI bus; it is left out"),
                );
            } else if slot != -1 {
                controller.info = DeviceInfo::at(Address::Pci(pci_address(slot)));
            }
            def.devices.controllers.push(controller.clone());
        }
        Ok(Some(controller))
    }

    fn scsi_model(&mut self, key: &str) -> Result<Option<String>, VmxError> {
        let Some(value) = self.string(key) else {
            return Ok(None);
        };
        let model = value.to_ascii_lowercase();
        match model.as_str() {
            "buslogic" | "lsilogic" | "lsisas1068" => Ok(Some(model)),
            "pvscsi" => Ok(Some("vmpvscsi".to_owned())),
            // ESX 2 had these names.
            "vmxbuslogic" | "vmxlsilogic" if self.lenient() => Ok(Some(model.replace("vmx", ""))),
            _ => {
                let accepted = "'buslogic' or 'lsilogic' or 'lsisas1068' or 'pvscsi'";
                // libvirt quotes the value in lower case.
                let error = self.expecting(key, accepted, &model);
                self.tolerate(error, "the controller has no model")?;
                Ok(None)
            }
        }
    }
}

/// The last `pciSlotNumber`: 3 bits of function, 5 bits of bus and 5 bits of slot.
const LAST_PCI_SLOT: i64 = (1 << 13) - 1;

/// libvirt's form of the address in a `pciSlotNumber`: 3 bits of function, 5 bits of bus and 5 bits of slot.
pub fn pci_address(number: i64) -> PciAddress {
    let bits = |from: u32, count: u32| (number >> from & ((1 << count) - 1)) as u32;
    PciAddress::new(bits(5, 5), bits(0, 5), bits(10, 3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pci_slot_numbers() {
        for (number, expected) in [
            (16, (0, 0x10, 0)),
            (32, (1, 0, 0)),
            (34, (1, 2, 0)),
            (160, (5, 0, 0)),
            (224, (7, 0, 0)),
            (1184, (5, 0, 1)),
            (2240, (6, 0, 2)),
            (8192 + 33, (1, 1, 0)),
        ] {
            let PciAddress {
                bus,
                slot,
                function,
                ..
            } = pci_address(number);
            assert_eq!((bus, slot, function), expected, "{number}");
        }
    }
}
