//! Deleting, wiping and resizing volumes.

use vi_types::objects::FileLocked;
use virt_model::flags::{StorageVolDeleteFlags, StorageVolResizeFlags, refuse_unknown};
use virt_model::storage_vol::StorageVolWipeAlgorithm;
use virt_model::{ErrorDomain, ErrorNumber};

use super::file::{File, Shape, everything, is_extent};
use super::users::User;
use super::{StorageVol, unsupported};
use crate::engine::{Change, Effect, Runner};
use crate::{Connect, DatastorePath, Error, ErrorKind, Operation, Result};

/// The flags that resizing accepts.
const RESIZE_FLAGS: StorageVolResizeFlags = StorageVolResizeFlags::from_bits(
    StorageVolResizeFlags::ALLOCATE.bits()
        | StorageVolResizeFlags::DELTA.bits()
        | StorageVolResizeFlags::SHRINK.bits(),
);

impl StorageVol {
    /// Deletes the volume: a virtual disk with all its files, any other file, or an empty directory.
    ///
    /// Before a disk is deleted, its datastore's machines are read in one request. The disk of a machine that is off may be
    /// deleted, as in libvirt. (libvirt 9.0.0 deletes virtual disks only.)
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFlags`] for any flag, as in libvirt; [`ErrorKind::WrongState`] if the disk belongs to a chain
    /// of snapshots, or the directory is not empty; [`ErrorKind::Unsupported`] for LUNs, and for a file that belongs to a
    /// disk; [`ErrorKind::TaskFailed`] if a machine that runs has the disk.
    #[doc(alias = "virStorageVolDelete")]
    pub fn delete(&self, flags: StorageVolDeleteFlags) -> Operation<'static> {
        let volume = self.clone();
        Operation::new(DELETE, move |mut runner| {
            Box::pin(async move {
                refuse_unknown(flags, StorageVolDeleteFlags::NONE, "esxStorageVolDelete")?;
                let file = volume.file("volume deletion")?;
                let connect = &volume.connect;
                if file.is_disk_name() {
                    let user = runner
                        .prepare(file.ensure_unchained(connect, DELETE))
                        .await?;
                    let change = connect.disk_deletion(&file.store, &file.path).await?;
                    return perform(&mut runner, change, user, OFF).await;
                }
                runner.prepare(file.ensure_deletable(connect)).await?;
                runner.perform(file.deletion(connect).await?).await
            })
        })
    }

    /// Writes zeros over a virtual disk: the same as [`wipe_pattern`](StorageVol::wipe_pattern) with zeros.
    ///
    /// # Errors
    /// As [`wipe_pattern`](StorageVol::wipe_pattern).
    #[doc(alias = "virStorageVolWipe")]
    pub fn wipe(&self) -> Operation<'static> {
        self.wipe_pattern(StorageVolWipeAlgorithm::Zero)
    }

    /// Overwrites a virtual disk. The API has zeros only.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for another algorithm, and for anything but virtual disks; [`ErrorKind::WrongState`] if
    /// the disk belongs to a chain of snapshots; [`ErrorKind::TaskFailed`] if a machine that runs has the disk.
    #[doc(alias = "virStorageVolWipePattern")]
    pub fn wipe_pattern(&self, algorithm: StorageVolWipeAlgorithm) -> Operation<'static> {
        let volume = self.clone();
        Operation::new(WIPE, move |mut runner| {
            Box::pin(async move {
                if algorithm != StorageVolWipeAlgorithm::Zero {
                    // libvirt's text for a function that a driver does not have.
                    let message = "virStorageVolWipePattern";
                    return Err(Error::new(
                        ErrorKind::Unsupported,
                        ErrorNumber::NoSupport,
                        message,
                    )
                    .advise("the API of the host writes zeros only: --algorithm zero"));
                }
                let file = volume.file("volume wiping")?;
                file.ensure_disk("wiped", "delete it instead")?;
                let connect = &volume.connect;
                let user = runner.prepare(file.ensure_unchained(connect, WIPE)).await?;
                let change = connect.disk_wiping(&file.path).await?;
                perform(&mut runner, change, user, OFF).await
            })
        })
    }

    /// Sets the capacity of a virtual disk in bytes, rounded up to KiB. With
    /// [`DELTA`](StorageVolResizeFlags::DELTA) `capacity` is added to the current one. A disk that has the capacity already
    /// is left alone.
    ///
    /// With [`ALLOCATE`](StorageVolResizeFlags::ALLOCATE) the new part is allocated and filled with zeros at once.
    ///
    /// The disk of a running machine is resized by its domain, see
    /// [`Domain::block_resize`](crate::Domain::block_resize).
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] for a smaller capacity without [`SHRINK`](StorageVolResizeFlags::SHRINK);
    /// [`ErrorKind::Unsupported`] for a smaller one with it, since the API cannot do that, and for anything but virtual
    /// disks; [`ErrorKind::WrongState`] if the disk belongs to a chain of snapshots; [`ErrorKind::TaskFailed`] if a machine
    /// that runs has the disk.
    #[doc(alias = "virStorageVolResize")]
    pub fn resize(&self, capacity: u64, flags: StorageVolResizeFlags) -> Operation<'static> {
        let volume = self.clone();
        Operation::new(RESIZE, move |mut runner| {
            Box::pin(async move {
                refuse_unknown(flags, RESIZE_FLAGS, "esxStorageVolResize")?;
                let file = volume.file("volume resizing")?;
                file.ensure_disk("resized", "its size is that of what is uploaded to it")?;
                let connect = &volume.connect;
                let facts = runner.prepare(file.facts(connect)).await?;
                let current = facts.info().capacity;
                let Some(wanted) = new_capacity(current, capacity, flags)? else {
                    return Ok(());
                };
                let zeroed = flags
                    .contains(StorageVolResizeFlags::ALLOCATE)
                    .then_some(true);
                let user = runner
                    .prepare(file.ensure_unchained(connect, RESIZE))
                    .await?;
                let change = connect
                    .disk_extension(&file.store, &file.path, wanted, zeroed)
                    .await?;
                perform(&mut runner, change, user, RUNNING).await
            })
        })
    }
}

const DELETE: &str = "Could not delete volume";
const WIPE: &str = "Could not wipe volume";
const RESIZE: &str = "Could not resize volume";

/// What to do about a machine that has the disk.
const OFF: &str = "shut it down, or detach the disk from it, and try again";
const RUNNING: &str = "resize the disk through its domain (blockresize), or shut it down";

/// Performs a change of a disk. If the host says that it is locked, the error says by whom.
async fn perform(
    runner: &mut Runner<'_>,
    change: Change<()>,
    user: Option<User>,
    advice: &str,
) -> Result<()> {
    runner.perform(change).await.map_err(|error| {
        let is_locked = error.fault().is_some_and(|fault| fault.is::<FileLocked>());
        match user {
            Some(user) if is_locked && user.is_running() => error.advise(format!(
                "the domain '{}' runs with it: {advice}",
                user.name()
            )),
            _ => error,
        }
    })
}

impl File {
    async fn deletion(&self, connect: &Connect) -> Result<Change<()>> {
        let (seen, file) = (connect.clone(), self.clone());
        let deletion = connect.deletion(&self.path).await?;
        Ok(deletion.verified_by(move || {
            let (connect, file) = (seen.clone(), file.clone());
            Box::pin(async move {
                Ok(match file.facts_if_there(&connect).await? {
                    Some(_) => Effect::NotDone,
                    None => Effect::Done(()),
                })
            })
        }))
    }

    /// Fails for anything but virtual disks, by the name.
    fn ensure_disk(&self, done: &str, advice: &str) -> Result<()> {
        match self.is_disk_name() {
            true => Ok(()),
            false => {
                let path = &self.path;
                let message = format!("'{path}' is no virtual disk and cannot be {done}");
                Err(unsupported(message).advise(advice))
            }
        }
    }

    /// Fails unless the file can be deleted by itself.
    async fn ensure_deletable(&self, connect: &Connect) -> Result<()> {
        let facts = self.facts(connect).await?;
        let path = &self.path;
        if matches!(facts.shape, Shape::Directory) {
            let browser = self.store.browser(connect).await?;
            let inside = connect.files_in(browser, path, everything()).await?;
            if let Some(file) = inside.first() {
                let message = format!("{DELETE}: the directory '{path}' is not empty");
                let number = ErrorNumber::OperationInvalid;
                return Err(
                    Error::new(ErrorKind::WrongState, number, message).advise(format!(
                        "delete what is in it first, such as '{}'",
                        file.path
                    )),
                );
            }
        }
        if is_extent(path.file())
            && let Some(disk) = self.disk_of_extent()
        {
            let disk = File::new(&self.store, disk);
            if disk.facts_if_there(connect).await?.is_some() {
                let disk = &disk.path;
                let message = format!("{DELETE}: '{path}' belongs to the disk '{disk}'");
                return Err(unsupported(message).advise(format!("delete '{disk}'")));
            }
        }
        Ok(())
    }

    /// The disk that an extent belongs to, by the extent's name.
    fn disk_of_extent(&self) -> Option<DatastorePath> {
        let (stem, _) = self.path.path().rsplit_once('-')?;
        Some(DatastorePath::new(
            self.path.datastore(),
            format!("{stem}.vmdk"),
        ))
    }
}

/// The capacity that a disk is to get, in KiB; `None` if it has it. The rules and texts are those of libvirt's storage
/// driver (storageVolResize of storage_driver.c, 9.0.0).
fn new_capacity(current: u64, capacity: u64, flags: StorageVolResizeFlags) -> Result<Option<i64>> {
    let shrinks = flags.contains(StorageVolResizeFlags::SHRINK);
    let wanted = match flags.contains(StorageVolResizeFlags::DELTA) {
        true if shrinks => Some(current.saturating_sub(capacity)),
        true => current.checked_add(capacity),
        false => Some(capacity),
    };
    let argument = |message: &str| {
        Error::new(ErrorKind::Argument, ErrorNumber::InvalidArg, message)
            .in_part(ErrorDomain::Storage)
    };
    let kb = wanted.and_then(|wanted| i64::try_from(wanted.div_ceil(1024)).ok());
    let kb = kb.ok_or_else(|| argument("the capacity is larger than any disk can be"))?;
    let now = i64::try_from(current / 1024).unwrap_or(i64::MAX);
    if kb == now {
        return Ok(None);
    }
    if kb > now {
        return Ok(Some(kb));
    }
    if !shrinks {
        return Err(argument(
            "Can't shrink capacity below current capacity unless shrink flag explicitly specified",
        ));
    }
    Err(
        unsupported("the API of the host cannot make a virtual disk smaller")
            .advise("make a smaller disk, copy the content in the guest, and delete this one"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacities() {
        let (none, delta, shrink) = (
            StorageVolResizeFlags::NONE,
            StorageVolResizeFlags::DELTA,
            StorageVolResizeFlags::SHRINK,
        );
        for (current, capacity, flags, expected) in [
            (4096, 8192, none, Ok(Some(8))),
            (4096, 4096, none, Ok(None)),
            (4096, 4097, none, Ok(Some(5))),
            (4096, 2048, none, Err(ErrorKind::Argument)),
            (4096, 2048, shrink, Err(ErrorKind::Unsupported)),
            (4096, 8192, shrink, Ok(Some(8))),
            (4096, 1024, delta, Ok(Some(5))),
            (4096, 0, delta, Ok(None)),
            (4096, 0, delta | shrink, Ok(None)),
            (4096, 1024, delta | shrink, Err(ErrorKind::Unsupported)),
            (4096, 9999, delta | shrink, Err(ErrorKind::Unsupported)),
            (4096, u64::MAX, delta, Err(ErrorKind::Argument)),
            (4096, u64::MAX, none, Ok(Some(1 << 54))),
        ] {
            let found = new_capacity(current, capacity, flags).map_err(|error| error.kind());
            assert_eq!(found, expected, "{current} {capacity} {flags:?}");
        }
    }
}
