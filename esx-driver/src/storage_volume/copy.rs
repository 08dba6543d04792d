//! Copying volumes.

use vi_types::objects::FileLocked;
use virt_model::StorageVolDef;
use virt_model::flags::{StorageVolCreateFlags, refuse_unknown};

use super::create::{already_there, check_components, check_disk_name, check_file, escaped, read};
use super::file::{File, Shape, has_suffix};
use super::{Backend, StorageVol, unsupported};
use crate::{Connect, DatastorePath, Error, Operation, Result, StoragePool};

const COPY: &str = "Could not copy volume";

impl StoragePool {
    /// Makes a volume as a copy of another one, which may be in another pool. A virtual disk is copied with all its content,
    /// also that of the disks below it; any other file as it is. The document tells the name; capacity, allocation and
    /// format are those of the original.
    ///
    /// What is there is not overwritten, and directories that are missing are made. If the answer to the request is lost,
    /// nobody knows whether a copy that is there is complete: [`ErrorKind::InDoubt`](crate::ErrorKind::InDoubt).
    ///
    /// # Errors
    /// As [`create_volume_xml`](StoragePool::create_volume_xml); [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if the
    /// original is not there; [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for LUNs and directories.
    #[doc(alias = "virStorageVolCreateXMLFrom")]
    pub fn create_volume_xml_from(
        &self,
        xml: &str,
        original: &StorageVol,
        flags: StorageVolCreateFlags,
    ) -> Operation<'static, StorageVol> {
        let (pool, xml, original) = (self.clone(), xml.to_owned(), original.clone());
        Operation::new(COPY, move |mut runner| {
            Box::pin(async move {
                let known = StorageVolCreateFlags::VALIDATE;
                refuse_unknown(flags, known, "esxStorageVolCreateXMLFrom")?;
                let store = pool.store()?;
                let def = read(&xml, flags)?;
                let Backend::File(from) = &original.backend else {
                    return Err(unsupported("a LUN cannot be copied to a file")
                        .advise("copy its content in a guest that has both"));
                };
                let connect = pool.connect();
                let path = DatastorePath::new(pool.name(), escaped(&def.name));
                let file = File::new(&store, path);
                let (origin, to) = (&original.connect, &file.path);
                let is_disk = from.is_disk_name();
                check_file(&def)?;
                match is_disk {
                    true => check_disk_name(&def)?,
                    false => {
                        check_plain(&def)?;
                        runner.prepare(from.ensure_plain(origin)).await?;
                    }
                }
                let made = file.make_directory(&mut runner, connect).await?;
                let from_there = (origin, &from.path);
                let copied = match is_disk {
                    true => {
                        let change = connect.disk_copy(from_there, to, None).await?;
                        runner.perform(change).await
                    }
                    false => {
                        runner
                            .perform(connect.file_copy(from_there, to).await?)
                            .await
                    }
                };
                if let Err(error) = copied {
                    let error = made.explain(already_there(error));
                    return Err(explain_lock(error, from, origin).await);
                }
                Ok(StorageVol::of_file(connect, &store, file.path))
            })
        })
    }
}

/// The rules for the copy of a file that is no virtual disk.
fn check_plain(def: &StorageVolDef) -> Result<()> {
    check_components(def)?;
    match has_suffix(&def.name, ".vmdk") {
        false => Ok(()),
        true => Err(unsupported(
            "the copy of a file that is no virtual disk cannot have the suffix '.vmdk'",
        )),
    }
}

impl File {
    /// Fails for directories, which servers would copy with everything in them.
    async fn ensure_plain(&self, connect: &Connect) -> Result<()> {
        match self.facts(connect).await?.shape {
            Shape::Directory => Err(unsupported(format!(
                "'{}' is a directory and cannot be copied as a volume",
                self.path
            ))),
            _ => Ok(()),
        }
    }
}

/// If the host says that the original is locked, the error says by whom.
async fn explain_lock(error: Error, from: &File, origin: &Connect) -> Error {
    if !error.fault().is_some_and(|fault| fault.is::<FileLocked>()) {
        return error;
    }
    match from.user(origin).await {
        Ok(Some(user)) if user.is_running() => error.advise_also(&format!(
            "the domain '{}' runs with it: shut it down, or clone the domain",
            user.name()
        )),
        _ => error,
    }
}
