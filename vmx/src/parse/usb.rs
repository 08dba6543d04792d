//! Disks on USB, which libvirt's documents have and its reader of VMX files leaves out.

use std::collections::BTreeSet;

use virt_model::DomainDef;
use virt_model::domain::{Disk, DiskBus, DiskDevice, DiskSource};

use super::reader::Reader;
use crate::VmxError;
use crate::names::Missing;
use crate::slot::letters;

/// VMware's controllers, the slowest first, and how many devices each has at most.
const CONTROLLERS: [&str; 3] = ["usb", "ehci", "usb_xhci"];
const PORTS: u32 = 16;

impl Reader<'_> {
    /// Reads, in lenient mode, the disks on USB. A document has no place for the controller and the port;
    /// each disk gets the first name that is free.
    pub(super) fn usb_disks(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        // Whoever finds disks by the names of their places has none for these.
        if !self.lenient() || self.options.libvirts_disk_names {
            return Ok(());
        }
        let disks = def.devices.disks.iter();
        let mut taken: BTreeSet<String> = disks.map(|disk| disk.target.dev.clone()).collect();
        for controller in CONTROLLERS {
            if self.file.find(&format!("{controller}.present")).is_none() {
                continue;
            }
            for port in 0..PORTS {
                let device = format!("{controller}:{port}");
                let Some(source) = self.usb_disk(&device)? else {
                    continue;
                };
                self.carried(controller);
                self.carried(&device);
                if !self.starts_connected(&device)? {
                    self.warn_unconnected(&device);
                }
                let mut names = (0..).map(|index| format!("sd{}", letters(index)));
                let name = names.find(|name| !taken.contains(name)).unwrap_or_default();
                taken.insert(name.clone());
                let mut disk = Disk {
                    device: DiskDevice::Disk,
                    source: DiskSource::File(Some(source)),
                    ..Disk::default()
                };
                disk.target.bus = DiskBus::Usb;
                disk.target.dev = name;
                def.devices.disks.push(disk);
            }
        }
        Ok(())
    }

    /// The file of a device on USB, if it is a disk that is present.
    fn usb_disk(&mut self, device: &str) -> Result<Option<String>, VmxError> {
        let key = |name: &str| format!("{device}.{name}");
        let is = |reader: &Self, name: &str, wanted: &str| {
            let value = reader.file.get(&key(name));
            value.is_some_and(|value| value.trim().eq_ignore_ascii_case(wanted))
        };
        if !is(self, "deviceType", "disk") || !is(self, "present", "true") {
            return Ok(None);
        }
        let name = self.text(&key("fileName")).filter(|name| !name.is_empty());
        let Some(name) = name else {
            return Ok(None);
        };
        // They are read.
        let _ = (
            self.string(&key("deviceType")),
            self.string(&key("present")),
        );
        self.file_name(&key("fileName"), &name, Missing::Refused)
    }
}
