//! Names of disks in lenient mode: no two disks have one, as libvirt demands of every document.

use std::collections::BTreeSet;

use virt_model::DomainDef;
use virt_model::domain::{Address, Disk, DiskBus, DiskDevice, DriveAddress};

use super::reader::Reader;
use crate::Slot;
use crate::defaults::SCSI_UNITS;
use crate::slot::letters;

impl Reader<'_> {
    /// Gives disks whose names others have names of their own.
    ///
    /// libvirt counts SCSI and SATA devices with the same letters, so that `scsi0:0` and `sata0:0`, which is what VMware makes,
    /// are both `sda`. Disks keep their names before CD-ROM drives do, the one that the machine boots from before all others,
    /// and SCSI before SATA. The next ones get the first letters that are free, with the address of their real place.
    pub(super) fn distinct_names(&self, def: &mut DomainDef) {
        let disks = &mut def.devices.disks;
        if disks.len() != self.slots.len() {
            return;
        }
        let first = self.boots_from();
        let mut order: Vec<usize> = (0..disks.len()).collect();
        order.sort_by_key(|&at| {
            let is_first = Some(self.slots[at]) == first;
            (!is_first, disks[at].device != DiskDevice::Disk)
        });
        let mut taken: BTreeSet<String> = BTreeSet::new();
        let mut renamed = Vec::new();
        for at in order {
            if !taken.insert(disks[at].target.dev.clone()) {
                renamed.push(at);
            }
        }
        renamed.sort_unstable();
        for at in renamed {
            let slot = self.slots[at];
            let disk = &mut disks[at];
            let address = place(slot);
            // A name that tells another place than the address does would be taken for the place when the document is written
            // as a file.
            let free = (0..).find(|&index| {
                disk.target.dev = format!("sd{}", letters(index));
                !taken.contains(&disk.target.dev)
                    && disk.target.address(SCSI_UNITS) != Some(address)
            });
            if free.is_some() {
                taken.insert(disk.target.dev.clone());
                disk.info.address = Some(Address::Drive(address));
            }
        }
        for bus in [DiskBus::Scsi, DiskBus::Sata] {
            real_places(disks, &self.slots, bus);
        }
    }

    /// The slot of the disk that the machine boots from, if the file says so: the first of `bios.hddOrder`.
    fn boots_from(&self) -> Option<Slot> {
        let order = self.string("bios.hddOrder")?;
        let first = order.split(',').next()?.trim().to_ascii_lowercase();
        first.parse().ok()
    }
}

/// Gives all disks of a bus the addresses of their places if two have the same one, which libvirt's addresses may be.
fn real_places(disks: &mut [Disk], slots: &[Slot], bus: DiskBus) {
    let of_bus = || (0..slots.len()).filter(|&at| slots[at].bus == bus);
    let mut seen = BTreeSet::new();
    let is_new = |at: usize| match &disks[at].info.address {
        Some(Address::Drive(address)) => {
            seen.insert((address.controller, address.bus, address.unit))
        }
        _ => true,
    };
    if of_bus().all(is_new) {
        return;
    }
    for at in of_bus() {
        disks[at].info.address = Some(Address::Drive(place(slots[at])));
    }
}

/// The address that is a slot's place.
fn place(slot: Slot) -> DriveAddress {
    DriveAddress::new(slot.controller, 0, slot.unit)
}
