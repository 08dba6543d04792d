//! Datastores: their mounts, their files, and the names of both.

mod browse;
mod disks;
mod files;
mod item;
mod manage;
mod path;
mod transfer;

use vi_client::{
    Client, property_set,
    retrieve::{PropertySet, Retrieve, Selection, Typed},
};
use vi_types::ManagedObjectReference;
use vi_types::objects::{DatastoreHostMount, HostMountInfo};
use vi_types::properties::HostSystem;
use virt_model::ErrorNumber;
use vmx::{escape::PERCENT, names::Datastore};

pub(crate) use self::browse::{Browser, FoundIn, Store, is_missing};
pub(crate) use self::item::item_name;
pub(crate) use self::manage::is_taken;
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
        name: String = summary.name,
    }
}

/// A request that leads from a host to its datastores, for callers that read or watch more than one set.
pub(crate) fn of_host(host: &ManagedObjectReference) -> Retrieve {
    Retrieve::from(host).select(Selection::along(|host: &HostSystem| &host.datastore))
}

/// Properties of all datastores of a host, in the server's order: one request.
///
/// # Errors
/// If the server does not answer.
pub(crate) async fn all<P: PropertySet>(
    client: &Client,
    host: &ManagedObjectReference,
) -> Result<Vec<Typed<P>>> {
    let request = of_host(host).skip_start();
    Ok(client.retrieve_set::<P>(request).await?)
}

/// The reference of the host's datastore of that name, as people write it or as the server escapes it: one request.
///
/// # Errors
/// [`ErrorKind::NotFound`] if the host has none.
pub(crate) async fn by_name(
    client: &Client,
    host: &ManagedObjectReference,
    name: &str,
) -> Result<ManagedObjectReference> {
    let mut found = all::<DatastoreName>(client, host).await?.into_iter();
    let escaped = PERCENT.escape(name);
    let is_it = found.find(|found| {
        let properties = found.properties.as_ref();
        properties.is_ok_and(|datastore| datastore.name == name || datastore.name == escaped)
    });
    is_it
        .map(|found| found.object)
        .ok_or_else(|| no_datastore(name).advise("the host has no such datastore"))
}

/// How a host has mounted a datastore; `None` if it has not. `mounts` are those of all hosts of a vCenter.
pub(crate) fn mount_on<'a>(
    mounts: &'a [DatastoreHostMount],
    host: &ManagedObjectReference,
) -> Option<&'a HostMountInfo> {
    let mount = mounts.iter().find(|mount| mount.key == *host)?;
    Some(&mount.mount_info)
}

/// What tells a mounted datastore from others on its host, and makes its pool's UUID: the path where the host has mounted it,
/// as in libvirt. The API lets hosts leave out the path; then the datastore's URL.
pub(crate) fn place_of<'a>(mount: &'a HostMountInfo, url: &'a str) -> &'a str {
    mount.path.as_deref().unwrap_or(url)
}

/// The error that there is no datastore of that name.
pub(crate) fn no_datastore(name: &str) -> Error {
    let kind = ErrorKind::NotFound(What::Datastore);
    let message = format!("Could not find datastore with name '{name}'");
    Error::new(kind, ErrorNumber::InternalError, message)
}

/// libvirt's text for a datastore that the host has not mounted (esxVI_LookupDatastoreHostMount of esx_vi.c, 9.0.0).
pub(crate) fn no_mount() -> Error {
    let message = "Could not lookup datastore host mount";
    Error::new(ErrorKind::Property, ErrorNumber::InternalError, message)
}

impl Connect {
    /// The host's datastores with their mount paths on the host, in the server's order: one request.
    ///
    /// # Errors
    /// [`ErrorKind::Property`] if the server does not give a mount path.
    pub(crate) async fn mounts(&self) -> Result<Vec<Datastore>> {
        let host = &self.place().await?.host_system;
        let found = all::<Mounts>(self.client(), host).await?;
        let mounts = found.into_iter().map(|found| {
            let mounts = found.properties.map_err(Error::missing_property)?;
            let path = mount_on(&mounts.hosts, host).and_then(|mount| mount.path.clone());
            Ok(Datastore {
                name: mounts.name,
                mount: path.ok_or_else(no_mount)?,
            })
        });
        mounts.collect()
    }
}
