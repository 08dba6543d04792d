//! Datastores: their mounts, their files, and the names of both.

mod browse;
mod files;
mod item;
mod path;

use vi_client::{
    property_set,
    retrieve::{Retrieve, Selection},
};
use vi_types::objects::DatastoreHostMount;
use vi_types::properties::HostSystem;
use virt_model::ErrorNumber;
use vmx::names::Datastore;

pub(crate) use self::browse::Browser;
pub(crate) use self::item::item_name;
pub use self::path::DatastorePath;
use crate::{Connect, Error, ErrorKind, Result};

property_set! {
    struct Mounts: Datastore {
        name: String = summary.name,
        hosts: Vec<DatastoreHostMount> = host,
    }
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
