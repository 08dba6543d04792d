//! Datastores: their mounts, their files, and the names of both.

mod browse;
mod disks;
mod files;
mod item;
mod path;
mod transfer;

use vi_client::{
    Client, property_set,
    retrieve::{Retrieve, Selection},
};
use vi_types::ManagedObjectReference;
use vi_types::objects::DatastoreHostMount;
use vi_types::properties::HostSystem;
use virt_model::ErrorNumber;
use vmx::names::Datastore;

pub(crate) use self::browse::Browser;
pub(crate) use self::item::item_name;
pub use self::path::DatastorePath;
pub use self::transfer::{DownloadOptions, FileDownload, Piece, Sha256, UploadOptions, Uploaded};
use crate::{Connect, Error, ErrorKind, Result, What};

property_set! {
    struct Mounts: Datastore {
        name: String = summary.name,
        hosts: Vec<DatastoreHostMount> = host,
    }
}

property_set! {
    struct DatastoreName: Datastore {
        name: String = name,
    }
}

/// The reference of the host's datastore of that name: one request.
///
/// # Errors
/// [`ErrorKind::NotFound`] if the host has none.
pub(crate) async fn of_host(
    client: &Client,
    host: &ManagedObjectReference,
    name: &str,
) -> Result<ManagedObjectReference> {
    let request = Retrieve::from(host)
        .skip_start()
        .select(Selection::along(|host: &HostSystem| &host.datastore));
    let found = client.retrieve_set::<DatastoreName>(request).await?;
    let mut found = found.into_iter();
    let is_it = found.find(|found| {
        let properties = found.properties.as_ref();
        properties.is_ok_and(|datastore| datastore.name == name)
    });
    is_it
        .map(|found| found.object)
        .ok_or_else(|| no_datastore(name).advise("the host has no such datastore"))
}

/// The error that there is no datastore of that name.
pub(crate) fn no_datastore(name: &str) -> Error {
    let kind = ErrorKind::NotFound(What::Datastore);
    let message = format!("Could not find datastore with name '{name}'");
    Error::new(kind, ErrorNumber::InternalError, message)
}

impl Connect {
    /// The host's datastores with their mount paths on the host, in the server's order: one request.
    ///
    /// # Errors
    /// [`ErrorKind::Property`] if the server does not give a mount path.
    pub(crate) async fn mounts(&self) -> Result<Vec<Datastore>> {
        let host = &self.place().host_system;
        let request = Retrieve::from(host)
            .skip_start()
            .select(Selection::along(|host: &HostSystem| &host.datastore));
        let found = self.client().retrieve_set::<Mounts>(request).await?;
        let mounts = found.into_iter().map(|found| {
            let mounts = found.properties.map_err(Error::missing_property)?;
            let mut hosts = mounts.hosts.into_iter();
            let here = hosts.find(|mount| mount.key == *host);
            let mount = here.and_then(|mount| mount.mount_info.path);
            Ok(Datastore {
                name: mounts.name,
                mount: mount.ok_or_else(|| {
                    let message = "Could not lookup datastore host mount";
                    Error::new(ErrorKind::Property, ErrorNumber::InternalError, message)
                })?,
            })
        });
        mounts.collect()
    }
}
