//! What libvirt adds to every definition that it reads from a document.

use virt_model::domain::{Defaults, Disk, DiskBus, DiskDevice, DiskSource};
use virt_model::{DomainDef, ErrorNumber};

use super::target;
use crate::VmxError;

/// The definition with what libvirt's reader adds.
pub(super) fn completed(def: &DomainDef) -> Result<DomainDef, VmxError> {
    let mut def = def.clone();
    def.devices.disks.iter_mut().for_each(empty_drive);
    def.devices.disks = in_order(std::mem::take(&mut def.devices.disks));
    for interface in &mut def.devices.interfaces {
        // Names that libvirt gave to a running domain's cards.
        interface
            .target_dev
            .take_if(|dev| GENERATED.iter().any(|prefix| dev.starts_with(prefix)));
    }
    def.post_parse(&Defaults::vmware())
        .map_err(|error| VmxError::new(error.number(), error.message()))?;
    if def.memory == 0 {
        let text = "Memory size must be specified via <memory> or in the <numa> configuration";
        return Err(VmxError::new(ErrorNumber::XmlError, text).with_key("memsize"));
    }
    Ok(def)
}

/// A drive without a medium is one of images, whatever its document says.
fn empty_drive(disk: &mut Disk) {
    let nothing = match &disk.source {
        DiskSource::Block(path) | DiskSource::Dir(path) => path.is_none(),
        DiskSource::Network(disk) => disk.is_none(),
        DiskSource::Volume(disk) => disk.is_none(),
        _ => false,
    };
    let removable = matches!(disk.device, DiskDevice::Cdrom | DiskDevice::Floppy);
    if nothing && removable && disk.startup_policy.is_none() {
        disk.source = DiskSource::File(None);
    }
}

/// The disks of a bus together, in the order of their names, where the first of them was.
fn in_order(disks: Vec<Disk>) -> Vec<Disk> {
    let mut order: Vec<(DiskBus, Option<u32>, usize)> = Vec::with_capacity(disks.len());
    for (i, disk) in disks.iter().enumerate() {
        let bus = disk.target.bus;
        let index = target::index(&disk.target.dev);
        let higher = order
            .iter()
            .position(|known| known.0 == bus && known.1 > index);
        let behind = || order.iter().rposition(|known| known.0 == bus);
        let at = higher.or_else(|| behind().map(|last| last + 1));
        order.insert(at.unwrap_or(order.len()), (bus, index, i));
    }
    let mut disks: Vec<Option<Disk>> = disks.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|(_, _, i)| disks[i].take())
        .collect()
}

const GENERATED: [&str; 3] = ["vnet", "macvtap", "macvlan"];
