//! Virtual disks of datastores: whether they are there, wiping and deleting them.

use vi_types::methods::{DeleteVirtualDiskTask, QueryVirtualDiskUuid, ZeroFillVirtualDiskTask};
use vi_types::objects::FileNotFound;

use super::DatastorePath;
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
        if self.product().line != ProductLine::Esx {
            return Ok(true);
        }
        let request = QueryVirtualDiskUuid {
            name: path.to_string(),
            datacenter: Some(self.place().datacenter.clone()),
            ..QueryVirtualDiskUuid::default()
        };
        match self.client().call(&request).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_fault::<FileNotFound>() => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes a virtual disk with all its files. Nobody checks whether a domain has it; a host refuses to delete the disk of
    /// a domain that runs.
    ///
    /// # Errors
    /// What [all tasks](Operation) may end with.
    pub fn delete_disk(&self, path: &DatastorePath) -> Operation<'static> {
        let request = DeleteVirtualDiskTask {
            name: path.to_string(),
            datacenter: Some(self.place().datacenter.clone()),
            ..DeleteVirtualDiskTask::default()
        };
        let (connect, path) = (self.clone(), path.clone());
        let change = Change::task(self.client(), request).verified_by(move || {
            let (connect, path) = (connect.clone(), path.clone());
            Box::pin(async move {
                Ok(match connect.product().line {
                    ProductLine::Esx if connect.has_disk(&path).await? => Effect::NotDone,
                    ProductLine::Esx => Effect::Done(()),
                    _ => Effect::Unknown,
                })
            })
        });
        Operation::of("Could not delete volume", Ok(change))
    }

    /// Writes zeros over a virtual disk.
    ///
    /// # Errors
    /// What [all tasks](Operation) may end with.
    pub fn wipe_disk(&self, path: &DatastorePath) -> Operation<'static> {
        let request = ZeroFillVirtualDiskTask {
            name: path.to_string(),
            datacenter: Some(self.place().datacenter.clone()),
            ..ZeroFillVirtualDiskTask::default()
        };
        let change = Change::task(self.client(), request);
        Operation::of("Could not wipe volume", Ok(change))
    }
}
