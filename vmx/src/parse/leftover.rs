use super::reader::Reader;
use crate::{Entry, Warning};

impl Reader<'_> {
    /// Warns of devices that the definition lacks, and of repeated keys.
    pub(super) fn leftovers(&mut self) {
        let file = self.file;
        let devices = file.entries().filter(|entry| {
            // The comparison is cheap and rules out most keys.
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
            let line = first.position().line;
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
        position: Some(entry.position()),
        key: Some(entry.key().to_owned()),
        message,
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
    )
}
