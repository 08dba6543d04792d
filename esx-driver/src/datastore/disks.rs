//! Virtual disks of datastores, whether or not a machine has them: the calls of the API's VirtualDiskManager.

use std::sync::Arc;

use vi_types::Poly;
use vi_types::methods::{
    CopyVirtualDiskTask, CreateVirtualDiskTask, DeleteVirtualDiskTask, ExtendVirtualDiskTask,
    QueryVirtualDiskUuid, ZeroFillVirtualDiskTask,
};
use vi_types::objects::{
    FileNotFound, FileQuery, VirtualDiskSpec, VmDiskFileInfo, VmDiskFileQuery, VmDiskFileQueryFlags,
};

use super::{DatastorePath, Store, is_missing};
use crate::connect::ProductLine;
use crate::engine::{Change, Effect};
use crate::{Connect, Operation, Result};

impl Connect {
    /// Whether the server knows a file as a virtual disk: one request. A vCenter does not tell, so there it is always true
    /// (libvirt 9.0.0, esxVI_LookupStorageVolumeKeyByDatastorePath, does not ask a vCenter either).
    ///
    /// # Errors
    /// If the server does not answer.
    pub async fn has_disk(&self, path: &DatastorePath) -> Result<bool> {
        match self.product().line {
            ProductLine::Esx => Ok(self.disk_uuid(path).await?.is_some()),
            _ => Ok(true),
        }
    }

    /// Deletes a virtual disk with all its files, and nothing but virtual disks: an image in a drive stays. Unlike
    /// [`StorageVol::delete`](crate::StorageVol::delete) nobody checks whether a domain has it; a host refuses to delete the
    /// disk of a domain that runs.
    ///
    /// # Errors
    /// What [all tasks](Operation) may end with.
    pub fn delete_disk(&self, path: &DatastorePath) -> Operation<'static> {
        let (connect, path) = (self.clone(), path.clone());
        Operation::new("Could not delete volume", move |mut runner| {
            Box::pin(async move {
                let store = Store::named(path.datastore());
                let deletion = runner.prepare(connect.disk_deletion(&store, &path));
                let deletion = deletion.await?;
                runner.perform(deletion).await
            })
        })
    }

    /// Writes zeros over a virtual disk. Unlike [`StorageVol::wipe`](crate::StorageVol::wipe) nobody checks whether a domain
    /// has it.
    ///
    /// # Errors
    /// What [all tasks](Operation) may end with.
    pub fn wipe_disk(&self, path: &DatastorePath) -> Operation<'static> {
        let (connect, path) = (self.clone(), path.clone());
        Operation::new("Could not wipe volume", move |mut runner| {
            Box::pin(async move {
                let wiping = runner.prepare(connect.disk_wiping(&path)).await?;
                runner.perform(wiping).await
            })
        })
    }

    /// The UUID of a virtual disk as the server writes it: one request. `None` if there is no such file.
    ///
    /// # Errors
    /// If the server does not answer, or the file is no virtual disk.
    pub(crate) async fn disk_uuid(&self, path: &DatastorePath) -> Result<Option<String>> {
        let request = QueryVirtualDiskUuid {
            name: path.to_string(),
            datacenter: Some(self.place().await?.datacenter.clone()),
            ..QueryVirtualDiskUuid::default()
        };
        match self.client().call(&request).await {
            Ok(uuid) => Ok(Some(uuid)),
            Err(error) if error.is_fault::<FileNotFound>() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Makes a virtual disk.
    pub(crate) async fn disk_creation(
        &self,
        path: &DatastorePath,
        spec: Poly<VirtualDiskSpec>,
    ) -> Result<Change<()>> {
        let request = CreateVirtualDiskTask {
            name: path.to_string(),
            datacenter: Some(self.place().await?.datacenter.clone()),
            spec,
            ..CreateVirtualDiskTask::default()
        };
        Ok(Change::task_without_result(self.client(), request))
    }

    /// The same, for a disk of which is known that it was not there before: it is there if it has that capacity.
    pub(crate) fn seen_creation(
        &self,
        change: Change<()>,
        store: &Arc<Store>,
        path: &DatastorePath,
        capacity_kb: i64,
    ) -> Change<()> {
        let see = Seeing::new(self, store, path);
        change.verified_by(move || {
            let see = see.clone();
            Box::pin(async move {
                Ok(match see.capacity_kb().await? {
                    Some(there) if there == capacity_kb => Effect::Done(()),
                    // The server may be at it.
                    _ => Effect::Unknown,
                })
            })
        })
    }

    /// Copies a virtual disk with all its content. Nothing is overwritten. Without a `spec` the server decides how the copy
    /// is laid out.
    pub(crate) async fn disk_copy(
        &self,
        from: (&Connect, &DatastorePath),
        to: &DatastorePath,
        spec: Option<Poly<VirtualDiskSpec>>,
    ) -> Result<Change<()>> {
        let (origin, from) = from;
        let request = CopyVirtualDiskTask {
            source_name: from.to_string(),
            source_datacenter: Some(origin.place().await?.datacenter.clone()),
            dest_name: to.to_string(),
            dest_datacenter: Some(self.place().await?.datacenter.clone()),
            dest_spec: spec,
            force: Some(false),
            ..CopyVirtualDiskTask::default()
        };
        // A copy that is there may be half a copy, so nothing but the task's end says that it is done.
        Ok(Change::task_without_result(self.client(), request))
    }

    /// Deletes a virtual disk with all its files. Nobody checks whether a domain has it; a host refuses to delete the disk of
    /// a domain that runs.
    pub(crate) async fn disk_deletion(
        &self,
        store: &Arc<Store>,
        path: &DatastorePath,
    ) -> Result<Change<()>> {
        let request = DeleteVirtualDiskTask {
            name: path.to_string(),
            datacenter: Some(self.place().await?.datacenter.clone()),
            ..DeleteVirtualDiskTask::default()
        };
        let see = Seeing::new(self, store, path);
        Ok(Change::task(self.client(), request).verified_by(move || {
            let see = see.clone();
            Box::pin(async move {
                Ok(match see.is_there().await? {
                    true => Effect::NotDone,
                    false => Effect::Done(()),
                })
            })
        }))
    }

    /// Writes zeros over a virtual disk.
    pub(crate) async fn disk_wiping(&self, path: &DatastorePath) -> Result<Change<()>> {
        let request = ZeroFillVirtualDiskTask {
            name: path.to_string(),
            datacenter: Some(self.place().await?.datacenter.clone()),
            ..ZeroFillVirtualDiskTask::default()
        };
        Ok(Change::task(self.client(), request))
    }

    /// Makes a virtual disk larger. With `zeroed` the new part is allocated and filled with zeros at once.
    pub(crate) async fn disk_extension(
        &self,
        store: &Arc<Store>,
        path: &DatastorePath,
        capacity_kb: i64,
        zeroed: Option<bool>,
    ) -> Result<Change<()>> {
        let request = ExtendVirtualDiskTask {
            name: path.to_string(),
            datacenter: Some(self.place().await?.datacenter.clone()),
            new_capacity_kb: capacity_kb,
            eager_zero: zeroed,
            ..ExtendVirtualDiskTask::default()
        };
        let see = Seeing::new(self, store, path);
        Ok(Change::task(self.client(), request).verified_by(move || {
            let see = see.clone();
            Box::pin(async move {
                Ok(match see.capacity_kb().await? {
                    Some(now) if now == capacity_kb => Effect::Done(()),
                    _ => Effect::Unknown,
                })
            })
        }))
    }
}

/// A disk that is looked at to see what came of a change.
#[derive(Clone)]
struct Seeing {
    connect: Connect,
    store: Arc<Store>,
    path: DatastorePath,
}

impl Seeing {
    fn new(connect: &Connect, store: &Arc<Store>, path: &DatastorePath) -> Seeing {
        Seeing {
            connect: connect.clone(),
            store: Arc::clone(store),
            path: path.clone(),
        }
    }

    async fn is_there(&self) -> Result<bool> {
        Ok(self.capacity_kb().await?.is_some())
    }

    /// The disk's capacity; `None` if there is no such disk.
    async fn capacity_kb(&self) -> Result<Option<i64>> {
        let browser = self.store.browser(&self.connect).await?;
        let query = Poly::<FileQuery>::new(VmDiskFileQuery {
            details: Some(Box::new(VmDiskFileQueryFlags {
                capacity_kb: true,
                ..VmDiskFileQueryFlags::default()
            })),
            ..VmDiskFileQuery::default()
        });
        let found = self.connect.browse(browser, &self.path, vec![query]).await;
        let found = match found {
            // Its directory is gone, too.
            Err(error) if is_missing(&error) => None,
            found => found?,
        };
        let disk = found.as_ref().map(|file| file.cast::<VmDiskFileInfo>());
        Ok(disk.map(|disk| disk.and_then(|disk| disk.capacity_kb).unwrap_or(0)))
    }
}
