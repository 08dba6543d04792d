//! Addresses of devices, as virsh's options name them: `pci:0000.00.07.0`, `scsi:0.0.1`, `0000:01:02.3`.

use crate::failure::Failure;

/// An address of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Address {
    /// Domain, bus, slot and function.
    Pci([u32; 4]),
    Ccw([u32; 3]),
    /// Controller and bus, and the unit.
    Drive(DriveBus, [u32; 2], u64),
    /// Bus and port.
    Usb([u32; 2]),
}

/// The bus of a [`Address::Drive`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DriveBus {
    Scsi,
    Ide,
    Sata,
}

impl Address {
    /// Reads the address of a disk, whose target has to be on its bus.
    ///
    /// # Errors
    /// virsh's text.
    pub(super) fn of_disk(text: &str, target: &str) -> Result<Address, Failure> {
        let address = Address::parse(text);
        let address = address.ok_or_else(|| Failure::new("Invalid address."))?;
        let (fits, expected) = match target.get(..2) {
            Some("vd") => (
                matches!(address, Address::Pci(_) | Address::Ccw(_)),
                "a pci:0000.00.00.00 or ccw:00.0.0000",
            ),
            Some("sd") => (
                matches!(
                    address,
                    Address::Drive(DriveBus::Scsi | DriveBus::Sata, ..) | Address::Usb(_)
                ),
                "a scsi:00.00.00 or usb:00.00 or sata:00.00.00",
            ),
            Some("hd") => (
                matches!(address, Address::Drive(DriveBus::Ide, ..)),
                "an ide:00.00.00",
            ),
            _ => (true, ""),
        };
        match fits {
            true => Ok(address),
            false => Err(Failure::new(format!("expecting {expected} address."))),
        }
    }

    fn parse(text: &str) -> Option<Address> {
        let (kind, numbers) = text.split_once(':')?;
        let mut numbers = Numbers(Some(numbers));
        let drive = |bus, mut numbers: Numbers<'_>| {
            let place = [small(numbers.next(10)?)?, small(numbers.next(10)?)?];
            Some(Address::Drive(bus, place, numbers.next(10)?))
        };
        match kind {
            "pci" => Address::parse_pci(numbers),
            "ccw" => {
                let mut number = || small(numbers.next(16)?);
                Some(Address::Ccw([number()?, number()?, number()?]))
            }
            "usb" => {
                let mut number = || small(numbers.next(10)?);
                Some(Address::Usb([number()?, number()?]))
            }
            "scsi" => drive(DriveBus::Scsi, numbers),
            "ide" => drive(DriveBus::Ide, numbers),
            "sata" => drive(DriveBus::Sata, numbers),
            _ => None,
        }
    }

    /// Reads the PCI address of a device of the host: `0000:01:02.3`.
    pub(super) fn parse_host_pci(text: &str) -> Option<Address> {
        Address::parse_pci(Numbers(Some(text)))
    }

    fn parse_pci(mut numbers: Numbers<'_>) -> Option<Address> {
        let mut number = || small(numbers.next(16)?);
        Some(Address::Pci([number()?, number()?, number()?, number()?]))
    }

    /// The element, as virsh writes it.
    pub(super) fn xml(self, is_multifunction: bool) -> String {
        match self {
            Address::Pci([domain, bus, slot, function]) => {
                let multifunction = if is_multifunction {
                    " multifunction='on'"
                } else {
                    ""
                };
                format!(
                    "<address type='pci' domain='0x{domain:04x}' bus='0x{bus:02x}' slot='0x{slot:02x}' \
                     function='0x{function:x}'{multifunction}/>"
                )
            }
            Address::Ccw([cssid, ssid, devno]) => format!(
                "<address type='ccw' cssid='0x{cssid:02x}' ssid='0x{ssid:x}' devno='0x{devno:04x}'/>"
            ),
            Address::Drive(_, [controller, bus], unit) => format!(
                "<address type='drive' controller='{controller}' bus='{bus}' unit='{unit}'/>"
            ),
            Address::Usb([bus, port]) => {
                format!("<address type='usb' bus='{bus}' port='{port}'/>")
            }
        }
    }
}

fn small(number: u64) -> Option<u32> {
    u32::try_from(number).ok()
}

/// Numbers with any character between them; None behind the last one. What follows the last number that is asked for
/// is not looked at, as in virsh.
struct Numbers<'a>(Option<&'a str>);

impl Numbers<'_> {
    /// Reads a number as C's `strtoul` does, but for a minus sign.
    fn next(&mut self, base: u32) -> Option<u64> {
        let text = self.0?;
        let text = text.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
        let text = text.strip_prefix('+').unwrap_or(text);
        let is_digit = |c: char| c.is_digit(base);
        let text = match text.strip_prefix("0x").or(text.strip_prefix("0X")) {
            Some(rest) if base == 16 && rest.starts_with(is_digit) => rest,
            _ => text,
        };
        let digits = text.trim_start_matches(is_digit);
        let number = u64::from_str_radix(&text[..text.len() - digits.len()], base).ok()?;
        let mut rest = digits.chars();
        self.0 = rest.next().map(|_| rest.as_str());
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    /// Expectations are what virsh 9.0.0 prints.
    #[track_caller]
    fn check(target: &str, address: &str, expected: &str) {
        let found = Address::of_disk(address, target);
        let found = found.map(|address| address.xml(true));
        match expected.starts_with('<') {
            true => assert_eq!(found.as_deref(), Ok(expected), "{address}"),
            false => assert_eq!(
                found.unwrap_err().to_string(),
                format!("error: {expected}\n"),
                "{address}"
            ),
        }
    }

    #[test]
    fn addresses_of_disks() {
        for (address, place) in [
            ("pci:0000.00.07.00", ["0000", "00", "07", "0"]),
            ("pci:0000:00:07.00", ["0000", "00", "07", "0"]),
            ("pci:0000.0.0x7.1", ["0000", "00", "07", "1"]),
            ("pci:fffff.fff.fff.fff", ["fffff", "fff", "fff", "fff"]),
            ("pci:0x10.0x10.0x10.0x10", ["0010", "10", "10", "10"]),
            ("pci:1.2.3.4.5", ["0001", "02", "03", "4"]),
            ("pci:1. 2.3.4x", ["0001", "02", "03", "4"]),
        ] {
            let [domain, bus, slot, function] = place;
            let xml = format!(
                "<address type='pci' domain='0x{domain}' bus='0x{bus}' slot='0x{slot}' \
                 function='0x{function}' multifunction='on'/>"
            );
            check("vda", address, &xml);
            check("nvme0n1", address, &xml);
        }
        let drive = |place: [&str; 3]| {
            let [controller, bus, unit] = place;
            format!("<address type='drive' controller='{controller}' bus='{bus}' unit='{unit}'/>")
        };
        for (address, place) in [
            ("scsi:1:2:3", ["1", "2", "3"]),
            ("sata:010.011.012", ["10", "11", "12"]),
            ("scsi:0x10.0x11.0x12", ["0", "10", "0"]),
            ("scsi:1x2y8z", ["1", "2", "8"]),
            (
                "scsi:4294967295.2.18446744073709551615",
                ["4294967295", "2", "18446744073709551615"],
            ),
        ] {
            check("sda", address, &drive(place));
        }
        check("hda", "ide:+1. 1.8", &drive(["1", "1", "8"]));
        check(
            "sda",
            "usb:012.13.x",
            "<address type='usb' bus='12' port='13'/>",
        );
        check(
            "vda",
            "ccw:0xfe.0.1",
            "<address type='ccw' cssid='0xfe' ssid='0x0' devno='0x0001'/>",
        );
    }

    #[test]
    fn mistakes_in_addresses() {
        for address in [
            "0:0:0:0",
            "foo:1",
            "pci:",
            "pci",
            "pci:1.2.3",
            "pci:0x.2.3.4",
            "pci:-1.2.3.4",
            "pci:0x1fffffff0.0.0.0",
            "PCI:1.2.3.4",
            " pci:1.2.3.4",
            "scsi:1..8",
            "scsi:1:2:",
            "scsi:4294967296.2.3",
            "scsi:1.2.18446744073709551616",
            "usb:1",
            "usb:1.8589934592",
            "ccw:1.2",
        ] {
            check("vda", address, "Invalid address.");
        }
        let of_sd = "expecting a scsi:00.00.00 or usb:00.00 or sata:00.00.00 address.";
        check("sda", "ide:1.2.3", of_sd);
        check("sda", "pci:1.2.3.4", of_sd);
        check("hda", "sata:1.2.3", "expecting an ide:00.00.00 address.");
        let of_vd = "expecting a pci:0000.00.00.00 or ccw:00.0.0000 address.";
        check("vda", "scsi:1.2.3", of_vd);
    }
}
