use super::reader::Reader;
use crate::Warning;

impl Reader<'_> {
    /// Warns of devices that the definition has no place for, and of keys that count twice.
    pub(super) fn leftovers(&mut self) {
        let file = self.file;
        let mut warnings = Vec::new();
        for entry in file.entries() {
            if warnings.len() == LIMIT {
                break;
            }
            let key = entry.key().to_ascii_lowercase();
            let warning = |message: &str| Warning {
                place: Some(entry.place()),
                key: Some(entry.key().to_owned()),
                message: message.to_owned(),
            };
            if !entry.counts() {
                if let Some(first) = file
                    .find(&key)
                    .filter(|first| first.value() != entry.value())
                {
                    let line = first.place().line;
                    warnings.push(warning(&format!(
                        "the key is there twice; line {line} counts"
                    )));
                }
                continue;
            }
            let Some(device) = key.strip_suffix(".present") else {
                continue;
            };
            let present = entry.value().trim().eq_ignore_ascii_case("true");
            if present && is_device(device) && !self.is_carried(device) {
                warnings.push(warning("there is no such device in the definition"));
            }
        }
        self.extend_warnings(warnings);
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
