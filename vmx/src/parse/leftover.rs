use super::reader::Reader;
use crate::{Entry, Warning};

impl Reader<'_> {
    /// Warns of devices that the definition has no place for, and of keys that are there twice.
    pub(super) fn leftovers(&mut self) {
        let file = self.file;
        let devices = file.entries().filter(|entry| {
            // Most keys end otherwise.
            let device = entry.key().len().checked_sub(PRESENT.len());
            let Some((device, key)) = device.and_then(|at| entry.key().split_at_checked(at)) else {
                return false;
            };
            key.eq_ignore_ascii_case(PRESENT)
                && entry.value().trim().eq_ignore_ascii_case("true")
                && self.is_left_out(&device.to_ascii_lowercase())
                && entry.counts()
        });
        let mut warnings: Vec<_> = devices
            .take(LIMIT)
            .map(|entry| {
                warning(
                    entry,
                    "there is no such device in the definition".to_owned(),
                )
            })
            .collect();
        let twice = file
            .repeated()
            .filter(|(first, again)| first.value() != again.value());
        warnings.extend(twice.take(LIMIT).map(|(first, again)| {
            let line = first.place().line;
            warning(again, format!("the key is there twice; line {line} counts"))
        }));
        self.extend_warnings(warnings);
    }

    fn is_left_out(&self, device: &str) -> bool {
        is_device(device) && !self.is_carried(device)
    }
}

const PRESENT: &str = ".present";

fn warning(entry: Entry<'_>, message: String) -> Warning {
    Warning {
        place: Some(entry.place()),
        key: Some(entry.key().to_owned()),
        message,
    }
}

/// A hostile file has millions of devices.
const LIMIT: usize = 200;

/// Whether this, in lower case, is a device of the guest: what a virtual machine may miss. Others,
/// such as `vmci0`, `hpet0` and `pciBridge4`, belong to VMware's machine.
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
    )
}
