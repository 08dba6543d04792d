use virt_model::DomainDef;
use virt_model::domain::{BootDevice, ClockOffset, DiskDevice, Timer};

use super::reader::Reader;
use crate::{Slot, VmxError};

impl Reader<'_> {
    /// Reads, in lenient mode, the order of devices to boot from, and the guest's clock. libvirt reads neither.
    pub(super) fn boot(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        if !self.lenient() {
            return Ok(());
        }
        self.boot_order(def);
        self.clock(def)
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

    /// Warns, in lenient mode, of an order of disks to boot from that the definition does not have: it has them in the order of
    /// their names.
    pub(super) fn disk_order(&mut self, def: &DomainDef) {
        let key = "bios.hddOrder";
        // Disks that are called as libvirt calls them have no order; the key is left out.
        if !self.lenient() || self.options.libvirts_disk_names {
            return;
        }
        let Some(order) = self.text(key) else {
            return;
        };
        let disks = &def.devices.disks;
        let is_disk = |at: &usize| disks[*at].device == DiskDevice::Disk;
        let name = |at: usize| disks[at].target.dev.as_str();
        let mut named: Vec<(&str, Slot)> = Vec::new();
        for slot in order.split(',') {
            let Ok(slot) = slot.trim().to_ascii_lowercase().parse() else {
                continue;
            };
            let at = self.slots.iter().position(|found| *found == slot);
            if let Some(at) = at.filter(is_disk)
                && !named.iter().any(|(_, found)| *found == slot)
            {
                named.push((name(at), slot));
            }
        }
        let mut names: Vec<&str> = (0..disks.len()).filter(is_disk).map(name).collect();
        names.sort_by_key(|name| in_order(name));
        let Some((first, slot)) = named.first() else {
            return;
        };
        let same = names
            .iter()
            .zip(&named)
            .all(|(name, (found, _))| name == found);
        if !same {
            let message = match names.first() {
                Some(other) if other != first => format!(
                    "the machine boots from {slot}, which is '{first}'; the first disk of the definition is '{other}'"
                ),
                _ => format!(
                    "the machine tries its disks in another order than their names have: {order}"
                ),
            };
            self.warn(key, message);
        }
    }

    fn clock(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        let start = self.clock_number("rtc.startTime", 0, i64::from(u32::MAX), "since 1970");
        // VMware's clock is set to a time, or differs from that of the host.
        let most = i64::from(i32::MAX);
        let seconds = self.clock_number("rtc.diffFromUTC", -most, most, "from UTC");
        if start != 0 {
            def.clock.offset = ClockOffset::Absolute;
            def.clock.start = u64::try_from(start).ok();
            if seconds != 0 {
                let message = "'rtc.startTime' sets the clock; it is left out";
                self.warn("rtc.diffFromUTC", message);
            }
        } else if seconds != 0 {
            def.clock.offset = ClockOffset::Variable;
            def.clock.adjustment = Some(seconds.to_string());
            def.clock.basis = Some("utc".to_owned());
        }
        if !self.boolean("hpet0.present", true)? {
            def.clock.timers.push(Timer {
                name: "hpet".to_owned(),
                present: Some(false),
                ..Timer::default()
            });
        }
        Ok(())
    }

    /// A number of seconds, or 0 with a warning.
    fn clock_number(&mut self, key: &str, least: i64, most: i64, what: &str) -> i64 {
        let Some(value) = self.string(key) else {
            return 0;
        };
        let value = value.trim();
        let is_number = |text: &str| {
            let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        };
        let why = match value.parse::<i64>() {
            Ok(seconds) if (least..=most).contains(&seconds) => return seconds,
            _ if !is_number(value) => format!("'{value}' is no number of seconds {what}"),
            _ if value.starts_with('-') => {
                format!("it is less than {least}, the least number of seconds {what}")
            }
            _ => format!("it is more than {most}, the largest number of seconds {what}"),
        };
        self.warn(key, format!("{why}; it is left out"));
        0
    }
}

/// What sorts the names of disks as they are counted: `sdz` is before `sdaa`.
pub(crate) fn in_order(name: &str) -> (&str, usize, &str) {
    (name.get(..2).unwrap_or(name), name.len(), name)
}
