//! Making volumes.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_core::Stream;
use futures_util::stream;
use vi_types::Poly;
use vi_types::objects::FileBackedVirtualDiskSpec;
use virt_model::flags::{StorageVolCreateFlags, StorageVolParseFlags, refuse_unknown};
use virt_model::storage_vol::{StorageVolFormat, StorageVolType};
use virt_model::{ErrorNumber, StoragePoolType, StorageVolDef};

use super::file::{File, has_suffix};
use super::{StorageVol, unsupported};
use crate::datastore::{Store, is_taken, item_name};
use crate::document::check_known;
use crate::engine::Runner;
use crate::storage_pool::Backend;
use crate::{
    Connect, DatastorePath, Error, ErrorKind, Operation, Result, StoragePool, UploadOptions,
    UploadSource, What,
};

const CREATE: &str = "Could not create volume";

/// What is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    /// A virtual disk of that capacity and layout.
    Disk {
        capacity_kb: i64,
        layout: &'static str,
    },
    /// A file of so many zeros.
    Zeros(u64),
    Directory,
}

impl StoragePool {
    /// Makes a volume.
    ///
    /// | document | what is made |
    /// |---|---|
    /// | format `vmdk`, name `directory/file.vmdk` | a virtual disk for LSI Logic controllers; its blocks are allocated at once if the allocation is the capacity (as it is without one), and when they are written if it is 0 |
    /// | the same, with [`PREALLOC_METADATA`](StorageVolCreateFlags::PREALLOC_METADATA) | a virtual disk whose blocks are allocated and filled with zeros at once |
    /// | format `iso`; or format `raw` and a name that ends in `.iso`, `.img`, `.flp` or `.raw` | a file of as many zeros as the allocation says; 0 is an empty file, for a content that is uploaded later |
    /// | type `dir` | a directory |
    ///
    /// Directories that are missing are made. In the names of new files and directories, characters that no file system
    /// takes are replaced by `_`, and other characters than plain ASCII are written in base64 between `+` and `-`, as
    /// VMware's tools do; the volume that is returned has the name that came of it.
    ///
    /// # Errors
    /// libvirt's for names, formats and sizes of other forms; [`ErrorKind::Definition`] if the document cannot be read;
    /// [`ErrorKind::Exists`] if there is such a file; [`ErrorKind::Unsupported`] for iSCSI pools.
    #[doc(alias = "virStorageVolCreateXML")]
    pub fn create_volume_xml(
        &self,
        xml: &str,
        flags: StorageVolCreateFlags,
    ) -> Operation<'static, StorageVol> {
        let (pool, xml) = (self.clone(), xml.to_owned());
        Operation::new(CREATE, move |mut runner| {
            Box::pin(async move {
                let known =
                    StorageVolCreateFlags::PREALLOC_METADATA | StorageVolCreateFlags::VALIDATE;
                refuse_unknown(flags, known, "esxStorageVolCreateXML")?;
                let store = pool.store()?;
                let def = read(&xml, flags)?;
                let wanted = wanted(&def, flags)?;
                let path = DatastorePath::new(pool.name(), escaped(&def.name));
                let file = File::new(&store, path);
                pool.make(&mut runner, &file, wanted).await?;
                Ok(StorageVol::of_file(pool.connect(), &store, file.path))
            })
        })
    }

    /// The datastore, for making volumes.
    pub(super) fn store(&self) -> Result<Arc<Store>> {
        match self.backend() {
            Backend::Datastore(moref) => Ok(Store::at(moref, self.name())),
            Backend::Iscsi { .. } => Err(Error::new(
                ErrorKind::Unsupported,
                ErrorNumber::NoSupport,
                "iSCSI storage pool does not support volume creation",
            )
            .advise("the target's server makes LUNs; refresh the pool when it has")),
        }
    }

    async fn make(&self, runner: &mut Runner<'_>, file: &File, wanted: Wanted) -> Result<()> {
        let connect = self.connect();
        let path = &file.path;
        match wanted {
            Wanted::Directory => {
                let change = connect.directory_creation(path, true).await?;
                runner.perform(change).await.map_err(already_there)
            }
            Wanted::Disk {
                capacity_kb,
                layout,
            } => {
                let spec = FileBackedVirtualDiskSpec {
                    capacity_kb,
                    ..disk_spec(layout)
                };
                let is_there = runner.prepare(file.is_there(connect)).await?;
                let change = connect.disk_creation(path, Poly::new(spec)).await?;
                let change = match is_there {
                    // The server refuses it, in its own words.
                    true => change,
                    false => connect.seen_creation(change, &file.store, path, capacity_kb),
                };
                let made = file.make_directory(runner, connect).await?;
                let created = runner.perform(change).await;
                created.map_err(|error| made.explain(already_there(error)))
            }
            Wanted::Zeros(length) => {
                if runner.prepare(file.is_there(connect)).await? {
                    let message = format!("{CREATE}: '{path}' already exists");
                    let kind = ErrorKind::Exists(What::StorageVol);
                    return Err(Error::new(kind, ErrorNumber::OperationFailed, message));
                }
                let made = file.make_directory(runner, connect).await?;
                let source = UploadSource::again(move || zeros(length));
                let options = UploadOptions::default();
                let uploaded = connect.upload_file(path, length, source, options);
                let uploaded = runner.prepare(uploaded).await;
                uploaded.map(drop).map_err(|error| made.explain(error))
            }
        }
    }
}

/// A directory that was made for a volume, if it was.
pub(super) struct MadeDirectory(Option<DatastorePath>);

impl MadeDirectory {
    /// The error of making the volume, with what is left.
    pub(super) fn explain(self, error: Error) -> Error {
        match self.0 {
            Some(directory) => {
                error.note(&format!("the directory '{directory}' was made and stays"))
            }
            None => error,
        }
    }
}

impl File {
    /// Makes the directory of the file if it is missing.
    pub(super) async fn make_directory(
        &self,
        runner: &mut Runner<'_>,
        connect: &Connect,
    ) -> Result<MadeDirectory> {
        let directory = self.path.parent();
        let made = match directory.path() {
            "" => false,
            _ => connect.ensure_directory(runner, &directory).await?,
        };
        Ok(MadeDirectory(made.then_some(directory)))
    }

    /// Whether there is a file of that name: one request for a virtual disk on a host, a search for any other file.
    pub(super) async fn is_there(&self, connect: &Connect) -> Result<bool> {
        if self.has_uuid(connect) {
            match connect.disk_uuid(&self.path).await {
                Ok(uuid) => return Ok(uuid.is_some()),
                Err(error) if error.fault().is_some() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.facts_if_there(connect).await?.is_some())
    }
}

/// Reads the document of a volume in a pool of files.
pub(super) fn read(xml: &str, flags: StorageVolCreateFlags) -> Result<StorageVolDef> {
    // The formats are the same in pools of all types that datastores have.
    let pool = StoragePoolType::Dir;
    let read = StorageVolDef::read_xml_in(pool, StorageVolParseFlags::NONE, xml);
    let read = read.map_err(Error::of_document)?;
    let validate = flags.contains(StorageVolCreateFlags::VALIDATE);
    check_known(&read.unmodelled, validate)?;
    Ok(read.document)
}

/// Checks of libvirt's driver, in its order (esxStorageVolCreateXML of esx_storage_backend_vmfs.c, 9.0.0).
fn wanted(def: &StorageVolDef, flags: StorageVolCreateFlags) -> Result<Wanted> {
    let eager = flags.contains(StorageVolCreateFlags::PREALLOC_METADATA);
    match def.kind {
        StorageVolType::File => {}
        StorageVolType::Dir => {
            check_components(def)?;
            return Ok(Wanted::Directory);
        }
        _ => return Err(not_a_file()),
    }
    let fills = match def.allocation {
        allocation if allocation == def.capacity => Some(true),
        0 => Some(false),
        _ => None,
    };
    let odd_relation = || {
        Error::new(
            ErrorKind::Definition,
            ErrorNumber::InternalError,
            "Unsupported capacity-to-allocation relation",
        )
        .advise("the allocation has to be 0 or the capacity")
    };
    if is_plain(def) {
        check_components(def)?;
        if eager {
            return Err(unsupported("only virtual disks have preallocated blocks"));
        }
        let fills = fills.ok_or_else(odd_relation)?;
        return Ok(Wanted::Zeros(if fills { def.capacity } else { 0 }));
    }
    check_disk_name(def)?;
    let fills = fills.ok_or_else(odd_relation)?;
    let layout = match (fills, eager) {
        (true, true) => "eagerZeroedThick",
        (true, false) => "preallocated",
        (false, false) => "thin",
        (false, true) => {
            return Err(Error::new(
                ErrorKind::Argument,
                ErrorNumber::InvalidArg,
                "a disk without allocation cannot have preallocated blocks",
            ));
        }
    };
    let capacity_kb = i64::try_from(def.capacity.div_ceil(1024)).unwrap_or(i64::MAX);
    Ok(Wanted::Disk {
        capacity_kb,
        layout,
    })
}

/// libvirt's check that comes first.
pub(super) fn check_file(def: &StorageVolDef) -> Result<()> {
    match def.kind {
        StorageVolType::File => Ok(()),
        _ => Err(not_a_file()),
    }
}

fn not_a_file() -> Error {
    no_support("Creating non-file volumes is not supported")
}

/// Whether it is a file that is no virtual disk. libvirt's driver makes none of these, and says of their names that the
/// suffix `.vmdk` is missing.
fn is_plain(def: &StorageVolDef) -> bool {
    let is = |suffix| has_suffix(&def.name, suffix);
    match def.target.format {
        Some(StorageVolFormat::Iso) => !is(".vmdk"),
        Some(StorageVolFormat::Raw) => [".iso", ".img", ".flp", ".raw"].into_iter().any(is),
        _ => false,
    }
}

/// The rules for names of virtual disks: `directory/file.vmdk`, of the format `vmdk`.
pub(super) fn check_disk_name(def: &StorageVolDef) -> Result<()> {
    let name = &def.name;
    if !name.contains('/') {
        return Err(bad_name(name));
    }
    check_components(def)?;
    if !has_suffix(name, ".vmdk") {
        return Err(no_support(&format!(
            "Volume name '{name}' has unsupported suffix, expecting '.vmdk'"
        )));
    }
    match def.target.format {
        Some(StorageVolFormat::Vmdk) => Ok(()),
        format => {
            let format = format.map_or("raw", StorageVolFormat::as_str);
            let message = format!("Creation of {format} volumes is not supported");
            Err(no_support(&message).advise("virtual disks have the format 'vmdk'"))
        }
    }
}

/// The rules for any name: no part is empty or too long, and none leads elsewhere.
pub(super) fn check_components(def: &StorageVolDef) -> Result<()> {
    let name = &def.name;
    for part in name.split('/') {
        if matches!(part, "" | "." | "..") {
            return Err(bad_name(name));
        }
        let bytes = item_name(part).len();
        if bytes > LONGEST_NAME {
            let message = format!(
                "Volume name '{name}' is too long: a part of it has {bytes} bytes on the datastore, which takes \
                 {LONGEST_NAME}"
            );
            let error = Error::new(ErrorKind::Argument, ErrorNumber::InvalidArg, message);
            return Err(error.advise(
                "letters that are not ASCII take more room, as they are written in base64",
            ));
        }
    }
    Ok(())
}

/// The longest name of a file or directory, in bytes.
const LONGEST_NAME: usize = 255;

fn bad_name(name: &str) -> Error {
    let message = format!("Volume name '{name}' doesn't have expected format '<directory>/<file>'");
    Error::new(ErrorKind::Argument, ErrorNumber::InternalError, message)
}

/// The name as the driver writes it: directories and file are escaped one by one. (libvirt 9.0.0 escapes nested directories
/// as one, so that `a/b/c.vmdk` becomes `a+JQ-2fb/c.vmdk`.)
pub(super) fn escaped(name: &str) -> String {
    let parts: Vec<String> = name.split('/').map(item_name).collect();
    parts.join("/")
}

fn disk_spec(layout: &str) -> FileBackedVirtualDiskSpec {
    let mut spec = FileBackedVirtualDiskSpec::default();
    spec.base.disk_type = layout.to_owned();
    spec.base.adapter_type = "lsiLogic".to_owned();
    spec
}

fn no_support(message: &str) -> Error {
    Error::new(ErrorKind::Unsupported, ErrorNumber::NoSupport, message)
}

/// The error with the kind that says that there is such a file, if it says that.
pub(super) fn already_there(error: Error) -> Error {
    match is_taken(&error) {
        true => error.with_kind(ErrorKind::Exists(What::StorageVol)),
        false => error,
    }
}

/// So many zeros, in pieces.
fn zeros(length: u64) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
    stream::unfold(length, |left| async move {
        let piece = usize::try_from(left).unwrap_or(usize::MAX).min(ZEROS.len());
        let piece = Bytes::from_static(&ZEROS).split_to(piece);
        let rest = left - piece.len() as u64;
        (!piece.is_empty()).then_some((Ok(piece), rest))
    })
}

#[cfg(test)]
mod tests {
    use virt_model::storage_vol::StorageVolTarget;

    use super::*;

    fn def(kind: StorageVolType, name: &str, format: StorageVolFormat) -> StorageVolDef {
        StorageVolDef {
            kind,
            capacity: 1 << 20,
            allocation: 1 << 20,
            target: StorageVolTarget {
                format: Some(format),
                ..StorageVolTarget::default()
            },
            ..StorageVolDef::new(name)
        }
    }

    #[test]
    fn definitions_are_checked_in_order() {
        use StorageVolFormat::{Iso, Qcow2, Raw, Vmdk};
        use StorageVolType::{Block, Dir, File};

        let thick = Wanted::Disk {
            capacity_kb: 1024,
            layout: "preallocated",
        };
        let format = |name| {
            Err(format!(
                "internal error: Volume name '{name}' doesn't have expected format '<directory>/<file>'"
            ))
        };
        let support = |text: &str| {
            Err(format!(
                "this function is not supported by the connection driver: {text}"
            ))
        };
        let suffix = |name: &str| {
            support(&format!(
                "Volume name '{name}' has unsupported suffix, expecting '.vmdk'"
            ))
        };
        for (kind, name, image, expected) in [
            (File, "d/x.vmdk", Vmdk, Ok(thick.clone())),
            (File, "d/x.VMDK", Vmdk, Ok(thick.clone())),
            (File, "a/b/x.vmdk", Vmdk, Ok(thick)),
            (File, "x.vmdk", Vmdk, format("x.vmdk")),
            (File, "x.vmdk", Raw, format("x.vmdk")),
            (File, "/d/x.vmdk", Vmdk, format("/d/x.vmdk")),
            (File, "d/", Vmdk, format("d/")),
            (File, "d//x.vmdk", Vmdk, format("d//x.vmdk")),
            (File, "../x.vmdk", Vmdk, format("../x.vmdk")),
            (File, "d/x", Vmdk, suffix("d/x")),
            (File, "d/x", Raw, suffix("d/x")),
            (File, "d/x.qcow2", Qcow2, suffix("d/x.qcow2")),
            (
                File,
                "d/x.vmdk",
                Raw,
                support("Creation of raw volumes is not supported"),
            ),
            (
                File,
                "d/x.vmdk",
                Iso,
                support("Creation of iso volumes is not supported"),
            ),
            (
                Block,
                "x",
                Raw,
                support("Creating non-file volumes is not supported"),
            ),
            (File, "x.iso", Iso, Ok(Wanted::Zeros(1 << 20))),
            (File, "d/x.img", Raw, Ok(Wanted::Zeros(1 << 20))),
            (File, "d/../x.img", Raw, format("d/../x.img")),
            (Dir, "isos", Raw, Ok(Wanted::Directory)),
            (Dir, "a/b", Raw, Ok(Wanted::Directory)),
            (Dir, "", Raw, format("")),
        ] {
            let found = wanted(&def(kind, name, image), StorageVolCreateFlags::NONE);
            let found = found.map_err(|error| error.to_string());
            assert_eq!(found, expected, "{kind} {name} {image}");
        }
    }

    #[test]
    fn layouts_follow_from_the_allocation() {
        let layout = |allocation, flags| {
            let mut def = def(StorageVolType::File, "d/x.vmdk", StorageVolFormat::Vmdk);
            def.allocation = allocation;
            match wanted(&def, flags) {
                Ok(Wanted::Disk { layout, .. }) => Ok(layout),
                Ok(other) => panic!("{other:?}"),
                Err(error) => Err(error.to_string()),
            }
        };
        let (none, eager) = (
            StorageVolCreateFlags::NONE,
            StorageVolCreateFlags::PREALLOC_METADATA,
        );
        assert_eq!(layout(1 << 20, none), Ok("preallocated"));
        assert_eq!(layout(0, none), Ok("thin"));
        assert_eq!(layout(1 << 20, eager), Ok("eagerZeroedThick"));
        assert!(layout(0, eager).is_err());
        assert_eq!(
            layout(5, none),
            Err("internal error: Unsupported capacity-to-allocation relation".to_owned())
        );
    }

    #[test]
    fn every_part_of_a_name_is_escaped_by_itself() {
        for (name, expected) in [
            ("a/b/c.vmdk", "a/b/c.vmdk"),
            ("50%/x+y.vmdk", "50+JQ-25/x+Kw-y.vmdk"),
            ("名前/a b.vmdk", "+5ZCN5YmN/a b.vmdk"),
        ] {
            assert_eq!(escaped(name), expected, "{name}");
        }
    }
}
