//! The names of devices. They follow libvirt's (udevGenerateDeviceName of node_device_udev.c, 9.0.0).

use vi_types::{
    Poly,
    objects::{HostHostBusAdapter, HostScsiDisk, PhysicalNic, ScsiLun},
};

/// The name of the host itself.
pub(super) const COMPUTER: &str = "computer";

/// The name of a PCI device from its address, `0000:03:00.0`. Old hosts leave out the domain.
pub(crate) fn pci_name(address: &str) -> String {
    let domain = match address.matches(':').count() {
        1 => "0000:",
        _ => "",
    };
    plain(&format!("pci_{domain}{}", address.to_ascii_lowercase()))
}

/// The name of the parent of what is at the PCI device of that address: the host itself, where there is none.
pub(super) fn parent_name(address: Option<&str>) -> String {
    let address = address.filter(|address| !address.is_empty());
    address.map_or_else(|| COMPUTER.to_owned(), pci_name)
}

/// The name of a network card.
pub(crate) fn nic_name(nic: &PhysicalNic) -> String {
    let name = format!("net_{}_{}", nic.device, nic.mac.to_ascii_lowercase());
    plain(&name)
}

/// The name of a storage adapter: `scsi_host32` for vmhba32.
pub(crate) fn adapter_name(adapter: &HostHostBusAdapter) -> String {
    let number = adapter.device.trim_start_matches("vmhba");
    plain(&format!("scsi_host{number}"))
}

/// The name of a disk or drive; `None` of other units, which are no block devices, such as enclosures and tapes.
///
/// libvirt's names end with the serial number, which the name that a host gives to a disk contains already.
pub(crate) fn lun_name(lun: &Poly<ScsiLun>) -> Option<String> {
    let is_block =
        lun.is::<HostScsiDisk>() || matches!(&*lun.lun_type, "disk" | "cdrom" | "opticalDevice");
    let name = lun.canonical_name.as_deref();
    let name = name.unwrap_or(&lun.base.device_name);
    is_block.then(|| plain(&format!("block_{name}")))
}

/// As libvirt does it, everything but letters and digits becomes `_`.
pub(super) fn plain(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    name.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pci_names() {
        for (address, expected) in [
            ("0000:03:00.0", "pci_0000_03_00_0"),
            ("0000:1F:0a.7", "pci_0000_1f_0a_7"),
            ("03:00.0", "pci_0000_03_00_0"),
        ] {
            assert_eq!(pci_name(address), expected);
        }
    }
}
