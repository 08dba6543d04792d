//! Sizes of disks.

use vi_types::objects::{VirtualDeviceFileBackingInfo, VirtualDisk};
use virt_model::flags::refuse_unknown;
use virt_model::{BlockResizeFlags, ErrorNumber};

use super::{Changes, Hardware, Name};
use crate::domain::Domain;
use crate::domain::disks::several;
use crate::{Error, ErrorKind, Operation, Result, What};

impl Domain {
    /// Grows a disk. `disk` is its target (`sda`) or its source (`[datastore] web01/web01.vmdk`); `size` is in KiB, with
    /// [`BlockResizeFlags::BYTES`] in bytes.
    ///
    /// A disk that has the size already is not changed, and nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] of [`What::Device`] if there is no such disk; [`ErrorKind::Definition`] for a size that is
    /// smaller or no multiple of KiB; what [all tasks](Operation) may end with: hosts refuse to grow a disk with snapshots.
    #[doc(alias = "virDomainBlockResize")]
    pub fn block_resize(
        &self,
        disk: &str,
        size: u64,
        flags: BlockResizeFlags,
    ) -> Operation<'static> {
        let (domain, disk) = (self.clone(), disk.to_owned());
        Operation::new("Could not resize block device", move |mut runner| {
            Box::pin(async move {
                refuse_unknown(flags, BlockResizeFlags::BYTES, "esxDomainBlockResize")?;
                let kib = kib(size, flags)?;
                let machine = runner.prepare(domain.hardware()).await?;
                let name = machine.find_disk_device(&disk)?;
                let Some(mut device) = machine.get(name).cloned() else {
                    return Ok(());
                };
                let Some(found) = device.cast_mut::<VirtualDisk>() else {
                    return Err(no_disk(&disk));
                };
                if found.capacity_in_kb == kib {
                    return Ok(());
                }
                if found.capacity_in_kb > kib {
                    let message = format!(
                        "cannot shrink the disk '{disk}' from {} KiB to {kib} KiB",
                        found.capacity_in_kb
                    );
                    return Err(Error::new(
                        ErrorKind::Definition,
                        ErrorNumber::OperationUnsupported,
                        message,
                    ));
                }
                found.capacity_in_kb = kib;
                // Servers that know this property prefer it.
                found.capacity_in_bytes =
                    found.capacity_in_bytes.and_then(|_| kib.checked_mul(1024));
                let mut changes = Changes::of(&machine);
                changes.edit(device);
                let change = domain.reconfiguration(changes.into_spec(), move |now| {
                    let device = now.get(name);
                    let disk = device.and_then(|device| device.cast::<VirtualDisk>());
                    disk.is_some_and(|disk| disk.capacity_in_kb == kib)
                });
                runner.perform(change).await
            })
        })
    }
}

impl Hardware {
    /// The disk with that target or source. Drives do not count.
    fn find_disk_device(&self, wanted: &str) -> Result<Name> {
        let found = self.named().filter_map(|(name, device)| {
            let Name::Disk(slot) = name else {
                return None;
            };
            device.cast::<VirtualDisk>()?;
            let backing = device.backing.as_ref();
            let file = backing.and_then(|backing| backing.cast::<VirtualDeviceFileBackingInfo>());
            let is_it =
                self.names(slot).0 == wanted || file.is_some_and(|file| file.file_name == wanted);
            is_it.then_some(name)
        });
        let found: Vec<Name> = found.collect();
        match found.as_slice() {
            [name] => Ok(*name),
            [] => Err(no_disk(wanted)),
            // A disk on SCSI and one on SATA may have the same target.
            _ => Err(several(wanted)),
        }
    }
}

/// The error for a disk that the machine does not have; the text is that of libvirt 9.0.0 (qemuDomainBlockResize).
fn no_disk(disk: &str) -> Error {
    let kind = ErrorKind::NotFound(What::Device);
    Error::new(
        kind,
        ErrorNumber::InvalidArg,
        format!("invalid path: {disk}"),
    )
}

/// The size in KiB.
fn kib(size: u64, flags: BlockResizeFlags) -> Result<i64> {
    let kib = match flags.contains(BlockResizeFlags::BYTES) {
        true => size.div_ceil(1024),
        false => size,
    };
    i64::try_from(kib)
        .ok()
        .filter(|kib| kib.checked_mul(1024).is_some())
        .ok_or_else(|| {
            let message = format!("size must be less than {}", u64::MAX / 1024);
            Error::new(ErrorKind::Definition, ErrorNumber::Overflow, message)
        })
}
