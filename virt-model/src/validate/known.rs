use crate::{
    DomainDef, ErrorNumber, LibvirtVersion, XmlError,
    domain::{ControllerType, DiskBus, InterfaceSource},
};

impl DomainDef {
    /// Checks that the reader of the libvirt version `libvirt` knows everything in the definition.
    ///
    /// # Errors
    /// The error that the reader of that version gives.
    pub fn check_known_to(&self, libvirt: LibvirtVersion) -> Result<(), XmlError> {
        let devices = &self.devices;
        let refused = |text: &str| Err(XmlError::new(ErrorNumber::XmlError, text));
        if libvirt < LibvirtVersion::V11_5 {
            let mut disks = devices.disks.iter();
            if disks.any(|disk| disk.target.bus == DiskBus::Nvme) {
                return refused("Invalid value for attribute 'bus' in element 'target': 'nvme'.");
            }
            let mut controllers = devices.controllers.iter();
            if controllers.any(|controller| controller.kind == ControllerType::Nvme) {
                return refused(
                    "Invalid value for attribute 'type' in element 'controller': 'nvme'.",
                );
            }
        }
        let no_group = |source: &InterfaceSource| match source {
            InterfaceSource::Vds(port) => port.portgroup_id.is_none(),
            _ => false,
        };
        let mut interfaces = devices.interfaces.iter();
        if libvirt < LibvirtVersion::V11_3 && interfaces.any(|card| no_group(&card.source)) {
            return refused("Missing required attribute 'portgroupid' in element 'source'");
        }
        // Before 12.4, <nvram> needs a loader's path or automatic selection of the firmware.
        let named = self
            .os
            .loader
            .as_ref()
            .is_some_and(|loader| loader.path.is_some());
        let has_nvram = self.os.nvram.is_some() || self.os.nvram_template.is_some();
        if has_nvram && !named && self.os.firmware.is_none() && libvirt < LibvirtVersion::V12_4 {
            let text = "no loader path specified and firmware auto selection disabled";
            return Err(XmlError::new(ErrorNumber::XmlDetail, text));
        }
        Ok(())
    }
}
