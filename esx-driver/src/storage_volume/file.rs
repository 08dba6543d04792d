//! A file of a datastore as a volume: what a search tells of it, and what that means.

use std::sync::{Arc, OnceLock};

use vi_types::Poly;
use vi_types::objects::{
    FileInfo, FileQuery, FloppyImageFileInfo, FloppyImageFileQuery, FolderFileInfo,
    FolderFileQuery, IsoImageFileInfo, IsoImageFileQuery, VmDiskFileInfo, VmDiskFileQuery,
    VmDiskFileQueryFlags,
};
use virt_model::storage_vol::{StorageVolFormat, StorageVolInfo, StorageVolType};

use super::no_volume;
use crate::datastore::{Store, is_missing};
use crate::{Connect, DatastorePath, ErrorKind, Result};

/// A file of a datastore.
#[derive(Clone)]
pub(super) struct File {
    pub(super) store: Arc<Store>,
    pub(super) path: DatastorePath,
    /// The key, once somebody has asked for it.
    pub(super) key: Arc<OnceLock<String>>,
}

/// What a search tells of a file.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) shape: Shape,
    /// The file's size in bytes; that of a disk is what its files take.
    pub(super) size: u64,
}

/// What a file is.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    /// A virtual disk.
    Disk(Disk),
    /// A CD image.
    Iso,
    /// A floppy image.
    Floppy,
    /// A directory.
    Directory,
    /// Any other file.
    Other,
}

/// What a search tells of a virtual disk.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    /// In KiB.
    pub(super) capacity_kb: i64,
    /// The API's type of what machines call the disk's backing, such as `VirtualDiskFlatVer2BackingInfo`, if the server
    /// tells.
    pub(super) kind: Option<String>,
    /// The files with the disk's content, if the server tells.
    pub(super) extents: Vec<String>,
    pub(super) is_encrypted: bool,
}

impl File {
    pub(super) fn new(store: &Arc<Store>, path: DatastorePath) -> File {
        File {
            store: Arc::clone(store),
            path,
            key: Arc::default(),
        }
    }

    /// What the server tells of the file: a search task, after a request for the datastore's browser if that is not known
    /// yet.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such file.
    pub(super) async fn facts(&self, connect: &Connect) -> Result<Facts> {
        let browser = self.store.browser(connect).await?;
        let queries = any_file(connect);
        let found = connect.browse(browser, &self.path, queries).await?;
        if let Some(found) = found {
            return Ok(Facts::of(&found));
        }
        // Browsers hide the extents of disks, but servers give them.
        if !is_extent(self.path.file()) {
            return Err(no_volume(&self.path));
        }
        // Browsers hide the extents of disks, but servers give them.
        match connect.file_length(&self.path).await {
            Ok(size) => Ok(Facts {
                shape: Shape::Other,
                size,
            }),
            Err(error) if error.kind() == ErrorKind::File => {
                Err(no_volume(&self.path).because(error))
            }
            Err(error) => Err(error),
        }
    }

    /// The same, but `None` if there is neither such a file nor its directory.
    pub(super) async fn facts_if_there(&self, connect: &Connect) -> Result<Option<Facts>> {
        match self.facts(connect).await {
            Ok(facts) => Ok(Some(facts)),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound(_)) => Ok(None),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether the name is that of a virtual disk.
    pub(super) fn is_disk_name(&self) -> bool {
        has_suffix(self.path.file(), ".vmdk") && !is_extent(self.path.file())
    }
}

impl Facts {
    pub(super) fn of(file: &Poly<FileInfo>) -> Facts {
        let shape = if let Some(disk) = file.cast::<VmDiskFileInfo>() {
            Shape::Disk(Disk {
                capacity_kb: disk.capacity_kb.unwrap_or(0),
                kind: disk.disk_type.clone(),
                extents: disk.disk_extents.clone(),
                is_encrypted: disk.encryption.is_some(),
            })
        } else if file.is::<IsoImageFileInfo>() {
            Shape::Iso
        } else if file.is::<FloppyImageFileInfo>() {
            Shape::Floppy
        } else if file.is::<FolderFileInfo>() {
            Shape::Directory
        } else {
            Shape::Other
        };
        let size = file.file_size.and_then(|size| u64::try_from(size).ok());
        Facts {
            shape,
            size: size.unwrap_or(0),
        }
    }

    /// Type and sizes. The allocation of a disk is what its files take; otherwise capacity and allocation are the size.
    pub(super) fn info(&self) -> StorageVolInfo {
        let (kind, capacity, allocation) = match &self.shape {
            Shape::Disk(disk) => (StorageVolType::File, disk.capacity(), self.size),
            Shape::Directory => (StorageVolType::Dir, 0, 0),
            _ => (StorageVolType::File, self.size, self.size),
        };
        StorageVolInfo {
            kind,
            capacity,
            allocation,
        }
    }

    /// The format, in libvirt's words.
    pub(super) fn format(&self) -> StorageVolFormat {
        match &self.shape {
            Shape::Disk(_) => StorageVolFormat::Vmdk,
            Shape::Iso => StorageVolFormat::Iso,
            Shape::Directory => StorageVolFormat::Dir,
            Shape::Floppy | Shape::Other => StorageVolFormat::Raw,
        }
    }

    /// Whether lists have it.
    pub(super) fn is_listed(&self) -> bool {
        matches!(self.shape, Shape::Disk(_) | Shape::Iso | Shape::Floppy)
    }
}

impl Disk {
    /// In bytes.
    pub(super) fn capacity(&self) -> u64 {
        u64::try_from(self.capacity_kb)
            .unwrap_or(0)
            .saturating_mul(1024)
    }
}

/// What libvirt's driver lists (esxVI_LookupFileInfoByDatastorePath and esxVI_LookupDatastoreContentByDatastoreName,
/// 9.0.0): virtual disks, CD images and floppy images. With `sizes` a disk's capacity is told.
pub(super) fn listed(sizes: bool) -> Vec<Poly<FileQuery>> {
    let disks = VmDiskFileQuery {
        details: Some(Box::new(VmDiskFileQueryFlags {
            capacity_kb: sizes,
            ..VmDiskFileQueryFlags::default()
        })),
        ..VmDiskFileQuery::default()
    };
    vec![
        Poly::new(disks),
        Poly::new(IsoImageFileQuery::default()),
        Poly::new(FloppyImageFileQuery::default()),
    ]
}

/// The same, and directories.
pub(super) fn listed_and_directories() -> Vec<Poly<FileQuery>> {
    let mut queries = listed(true);
    queries.push(Poly::new(FolderFileQuery::default()));
    queries
}

/// Every file, with all that is told of virtual disks.
fn any_file(connect: &Connect) -> Vec<Poly<FileQuery>> {
    let version = connect.client().api_version();
    let disks = VmDiskFileQuery {
        details: Some(Box::new(VmDiskFileQueryFlags {
            disk_type: true,
            capacity_kb: true,
            disk_extents: Some(true),
            encryption: version.at_least(6, 5).then_some(true),
            ..VmDiskFileQueryFlags::default()
        })),
        ..VmDiskFileQuery::default()
    };
    vec![
        Poly::new(disks),
        Poly::new(IsoImageFileQuery::default()),
        Poly::new(FloppyImageFileQuery::default()),
        Poly::new(FolderFileQuery::default()),
        // The base of all queries finds files of every kind.
        Poly::new(FileQuery::default()),
    ]
}

/// Every file and directory, without details.
pub(super) fn everything() -> Vec<Poly<FileQuery>> {
    vec![
        Poly::new(FolderFileQuery::default()),
        Poly::new(FileQuery::default()),
    ]
}

/// Whether a name is that of a file with a disk's content, which goes with the disk: it is no disk of its own.
pub(super) fn is_extent(name: &str) -> bool {
    const EXTENTS: [&str; 6] = [
        "-flat.vmdk",
        "-delta.vmdk",
        "-sesparse.vmdk",
        "-ctk.vmdk",
        "-rdm.vmdk",
        "-rdmp.vmdk",
    ];
    EXTENTS.iter().any(|suffix| has_suffix(name, suffix))
}

/// Whether a name ends so, in upper or lower case.
pub(super) fn has_suffix(name: &str, suffix: &str) -> bool {
    let start = name.len().checked_sub(suffix.len());
    let end = start.and_then(|start| name.get(start..));
    end.is_some_and(|end| end.eq_ignore_ascii_case(suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extents_are_known_by_their_names() {
        for (name, expected) in [
            ("web-flat.vmdk", true),
            ("web-000001-delta.vmdk", true),
            ("web-000001-SESPARSE.VMDK", true),
            ("web-ctk.vmdk", true),
            ("web.vmdk", false),
            ("web-000001.vmdk", false),
            ("flat.vmdk", false),
            ("-flat.vmdk", true),
            ("名前", false),
            ("", false),
        ] {
            assert_eq!(is_extent(name), expected, "{name}");
        }
    }
}
