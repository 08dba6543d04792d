use super::needless::{is_needless, left_out};
use super::reader::Reader;
use crate::{Entry, Warning};

impl Reader<'_> {
    /// Warns of devices and settings that the definition lacks, and of repeated keys.
    pub(super) fn leftovers(&mut self) {
        let file = self.file;
        let entries = file.entries().filter(|entry| !self.is_read(*entry));
        let mut warnings: Vec<_> = entries
            .filter_map(|entry| {
                let message = self.leftover(entry)?;
                entry.counts().then(|| warning(entry, message))
            })
            .take(LIMIT)
            .collect();
        let twice = file
            .repeated()
            .filter(|(first, again)| first.value() != again.value());
        warnings.extend(twice.take(LIMIT).map(|(first, again)| {
            let line = first.position().line;
            let text = format!("the key is there twice; line {line} counts");
            Warning {
                left_out: false,
                ..warning(again, text)
            }
        }));
        self.extend_warnings(warnings);
    }

    /// What to say of an assignment that was not read; nothing if nobody misses it.
    fn leftover(&self, entry: Entry<'_>) -> Option<String> {
        let key = entry.key().to_ascii_lowercase();
        let (device, name) = key.split_once('.').unwrap_or((&key, ""));
        if is_device(device) {
            if name == "present" {
                let is_lost = is_true(&entry.value()) && !self.is_carried(device);
                return is_lost.then(|| self.lost_device(device));
            }
            // A device that is not there has no settings, and one that is left out has its own warning.
            if !self.is_carried(device) {
                return None;
            }
        }
        let is_off = |key: &str| !self.string(key).is_some_and(|value| is_true(&value));
        if key.starts_with("remotedisplay.vnc.") && is_off("RemoteDisplay.vnc.enabled")
            || device.starts_with("sharedfolder") && !self.is_carried(device)
        {
            return None;
        }
        let value = entry.value();
        if is_needless(entry.key(), &value) || is_of_another_connection(self, &key) {
            return None;
        }
        Some(left_out(entry.key()))
    }

    fn lost_device(&self, device: &str) -> String {
        let of = |name: &str| self.string(&format!("{device}.{name}"));
        let kind = of("deviceType").unwrap_or_default();
        match of("fileName") {
            Some(name) if device.starts_with("usb") || device.starts_with("ehci") => format!(
                "a {kind} on USB, which is left out: the guest does not find '{name}' any more"
            ),
            _ => "there is no such device in the definition".to_owned(),
        }
    }
}

/// Whether a key names the network of a kind of connection that the card does not have.
fn is_of_another_connection(reader: &Reader<'_>, key: &str) -> bool {
    let Some(device) = key
        .strip_suffix(".vnet")
        .or(key.strip_suffix(".networkname"))
    else {
        return false;
    };
    let kind = reader.string(&format!("{device}.connectionType"));
    device.starts_with("ethernet") && kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("custom"))
}

fn is_true(value: &str) -> bool {
    value.trim().eq_ignore_ascii_case("true")
}

fn warning(entry: Entry<'_>, message: String) -> Warning {
    Warning {
        position: Some(entry.position()),
        key: Some(entry.key().to_owned()),
        message,
        left_out: true,
    }
}

/// The largest number of warnings: a hostile file may have millions of devices.
const LIMIT: usize = 200;

/// Whether `device`, in lower case, is a device that a user may miss. Others, such as `vmci0`, `hpet0`
/// and `pciBridge4`, are part of every VMware machine.
fn is_device(device: &str) -> bool {
    let family = device.trim_end_matches(|c: char| c.is_ascii_digit() || c == ':');
    matches!(
        family,
        "scsi"
            | "sata"
            | "ide"
            | "nvme"
            | "floppy"
            | "ethernet"
            | "serial"
            | "parallel"
            | "usb"
            | "ehci"
            | "usb_xhci"
            | "sound"
            | "vtpm"
            | "nvdimm"
            | "pcipassthru"
            | "vwdt"
            | "smc"
    )
}
