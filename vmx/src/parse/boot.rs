use virt_model::DomainDef;
use virt_model::domain::{BootDevice, ClockOffset};

use super::reader::Reader;

impl Reader<'_> {
    /// Reads, in lenient mode, the order of devices to boot from, and the guest's clock. libvirt reads neither.
    pub(super) fn boot(&mut self, def: &mut DomainDef) {
        if !self.lenient() {
            return;
        }
        self.boot_order(def);
        self.clock(def);
    }

    fn boot_order(&mut self, def: &mut DomainDef) {
        let key = "bios.bootOrder";
        let Some(order) = self.text(key) else {
            return;
        };
        let mut unknown = Vec::new();
        for word in order
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
        {
            let word = word.to_ascii_lowercase();
            let device = match word.as_str() {
                "hdd" | "hd" | "disk" => BootDevice::HardDisk,
                "cdrom" | "cd" => BootDevice::Cdrom,
                "floppy" | "fd" => BootDevice::Floppy,
                "net" | "network" | "pxe" => BootDevice::Network,
                word if word.starts_with("ethernet") => BootDevice::Network,
                _ => {
                    unknown.push(word);
                    continue;
                }
            };
            if !def.os.boot.contains(&device) {
                def.os.boot.push(device);
            }
        }
        if !unknown.is_empty() {
            let unknown = unknown.join(", ");
            self.warn(
                key,
                format!("definitions do not boot from '{unknown}'; it is left out"),
            );
        }
    }

    fn clock(&mut self, def: &mut DomainDef) {
        let key = "rtc.diffFromUTC";
        if let Some(value) = self.string(key) {
            let seconds = value.trim().parse::<i32>();
            match seconds {
                Ok(0) => {}
                Ok(seconds) => {
                    def.clock.offset = ClockOffset::Variable;
                    def.clock.adjustment = Some(seconds.to_string());
                    def.clock.basis = Some("utc".to_owned());
                }
                Err(_) => self.warn(key, "it is no number of seconds; the clock is UTC"),
            }
        }
        let key = "rtc.startTime";
        if let Some(value) = self.string(key) {
            match value.trim().parse::<u32>() {
                Ok(0) => {}
                Ok(seconds) => {
                    def.clock.offset = ClockOffset::Absolute;
                    def.clock.adjustment = None;
                    def.clock.basis = None;
                    def.clock.start = Some(u64::from(seconds));
                }
                Err(_) => self.warn(key, "it is no number of seconds since 1970; it is left out"),
            }
        }
    }
}
