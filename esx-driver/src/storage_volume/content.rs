//! Reading and writing what is in a volume.

use virt_model::ErrorNumber;
use virt_model::flags::{StorageVolDownloadFlags, StorageVolUploadFlags, refuse_unknown};

use super::file::{Disk, Facts, File, Shape, has_suffix};
use super::{StorageVol, unsupported};
use crate::{
    Connect, DatastorePath, DownloadOptions, Error, ErrorKind, FileDownload, Result, UploadOptions,
    UploadSource, Uploaded,
};

/// Kinds of datastores whose disks are objects and no files, as `summary.type` has them (VVol and PMem are not verified).
const WITHOUT_EXTENTS: [&str; 3] = ["vsan", "VVOL", "PMEM"];

impl StorageVol {
    /// Begins to download the volume's content, or a part of it. See [`Connect::download_file`] for how it goes on.
    ///
    /// The content of a virtual disk is that of its flat extent, as long as the disk's capacity; that of any other file is
    /// the file. A search task tells which it is.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFlags`] for any flag; [`ErrorKind::Unsupported`] for LUNs, directories, and disks without a
    /// flat extent: those on vSAN, vVol and PMem datastores, those that are the changes since a snapshot, devices of the
    /// host, and encrypted ones; [`ErrorKind::File`] if the server does not give the file, as it does not while a machine
    /// that runs writes to it, or if the extent is shorter than the disk.
    #[doc(alias = "virStorageVolDownload")]
    pub async fn download(
        &self,
        options: DownloadOptions,
        flags: StorageVolDownloadFlags,
    ) -> Result<FileDownload> {
        let known = StorageVolDownloadFlags::NONE;
        refuse_unknown(flags, known, "esxStorageVolDownload")?;
        let file = self.file("volume download")?;
        let content = file.content(&self.connect).await?;
        let path = &content.path;
        let download = match self.connect.download_file(path, options).await {
            Ok(download) => download,
            Err(error) => return Err(file.explain_refusal(error, &self.connect).await),
        };
        if let Some(capacity) = content.capacity
            && download.file_length() < capacity
        {
            let length = download.file_length();
            let message = format!(
                "the extent '{path}' has {length} bytes, but the disk '{}' has {capacity}",
                file.path
            );
            let number = ErrorNumber::OperationFailed;
            return Err(Error::new(ErrorKind::File, number, message)
                .advise("check the disk: its descriptor does not fit its extent"));
        }
        Ok(download)
    }

    /// Uploads the volume's whole content: the server replaces a file, and cannot write a part of it. See
    /// [`Connect::upload_file`] for what is retried.
    ///
    /// A virtual disk takes as many bytes as its capacity, which become those of its flat extent. Of a source without a
    /// length, what is behind the capacity is not read. Any other file becomes as long as the source, and need not have been
    /// there.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFlags`] for any flag; [`ErrorKind::Argument`] for an offset, or a length that is not the
    /// disk's capacity; [`ErrorKind::WrongState`] if a machine that runs has the disk, or it belongs to a chain of
    /// snapshots; [`ErrorKind::Unsupported`] as for [`download`](StorageVol::download); as [`Connect::upload_file`].
    #[doc(alias = "virStorageVolUpload")]
    pub async fn upload(
        &self,
        source: impl Into<UploadSource>,
        offset: u64,
        length: impl Into<Option<u64>>,
        options: UploadOptions,
        flags: StorageVolUploadFlags,
    ) -> Result<Uploaded> {
        let known = StorageVolUploadFlags::NONE;
        refuse_unknown(flags, known, "esxStorageVolUpload")?;
        let file = self.file("volume upload")?;
        let argument = |message| Error::new(ErrorKind::Argument, ErrorNumber::InvalidArg, message);
        if offset != 0 {
            let message = format!("an upload cannot begin at byte {offset} of a volume");
            return Err(argument(message).advise(
                "the server replaces whole files: upload the whole content, without an offset",
            ));
        }
        let source = source.into();
        let length = length.into().or(source.length());
        let content = file.content(&self.connect).await?;
        let length = match content.capacity {
            None => length,
            Some(capacity) if length.is_some_and(|length| length != capacity) => {
                let message = format!(
                    "the content has {} bytes, but the disk '{}' has {capacity}",
                    length.unwrap_or(0),
                    file.path
                );
                return Err(argument(message).advise(
                    "an upload replaces the whole disk: make a disk of the content's size, or pad the content with zeros",
                ));
            }
            Some(capacity) => {
                file.ensure_writable(&self.connect).await?;
                Some(capacity)
            }
        };
        let uploaded = self
            .connect
            .upload_file(&content.path, length, source, options);
        match uploaded.await {
            Ok(uploaded) => Ok(uploaded),
            Err(error) => Err(file.explain_refusal(error, &self.connect).await),
        }
    }
}

/// Where the content of a volume is.
struct Content {
    path: DatastorePath,
    /// How many bytes it has, if it is that of a disk.
    capacity: Option<u64>,
}

impl File {
    async fn content(&self, connect: &Connect) -> Result<Content> {
        let facts = self.facts(connect).await?;
        match facts {
            Facts {
                shape: Shape::Disk(disk),
                ..
            } => {
                let kind = &self.store.browser(connect).await?.kind;
                Ok(Content {
                    path: self.extent(&disk, kind)?,
                    capacity: Some(disk.capacity()),
                })
            }
            Facts {
                shape: Shape::Directory,
                ..
            } => {
                let message = format!("'{}' is a directory and has no content", self.path);
                Err(unsupported(message).advise("name a file in it"))
            }
            _ => Ok(Content {
                path: self.path.clone(),
                capacity: None,
            }),
        }
    }

    /// The flat extent of a disk on a datastore of that kind.
    fn extent(&self, disk: &Disk, datastore: &str) -> Result<DatastorePath> {
        let path = &self.path;
        let refused = |what: &str, advice: &str| {
            let message = format!("the content of the disk '{path}' is no file: {what}");
            Err(unsupported(message).advise(advice))
        };
        let mut objects = WITHOUT_EXTENTS.iter();
        if objects.any(|kind| kind.eq_ignore_ascii_case(datastore)) {
            return refused(
                &format!("it is an object of a datastore of the type {datastore}"),
                "copy the disk to a VMFS or NFS datastore first (vol-clone to another pool, or clone the domain)",
            );
        }
        if disk.is_encrypted {
            return refused("it is encrypted", "read it in the guest");
        }
        let kind = disk.kind.as_deref().unwrap_or_default();
        if kind.contains("RawDiskMapping") || kind.contains("RawDisk") {
            return refused("it is a device of the host", "read it in a guest");
        }
        let is_delta = |file: &str| {
            ["-delta.vmdk", "-sesparse.vmdk"]
                .iter()
                .any(|suffix| has_suffix(file, suffix))
        };
        if kind.contains("Sparse") || disk.extents.iter().any(|extent| is_delta(extent)) {
            return refused(
                "it is the changes since a snapshot",
                "delete the snapshots, or copy the disk first (vol-clone), which joins its chain",
            );
        }
        match disk.extents.as_slice() {
            // Servers that do not tell.
            [] => Ok(self.flat_extent()),
            [extent] if extent.starts_with('[') => extent.parse(),
            [extent] => Ok(self.path.parent().child(extent)),
            _ => refused(
                "it is in several files",
                "copy the disk first (vol-clone), which makes one of them",
            ),
        }
    }

    /// The flat extent as servers name it.
    fn flat_extent(&self) -> DatastorePath {
        let name = self.path.file();
        let stem = name.len().saturating_sub(".vmdk".len());
        let stem = name.get(..stem).unwrap_or(name);
        self.path.parent().child(&format!("{stem}-flat.vmdk"))
    }

    /// Refuses to overwrite a disk that a machine uses or whose content other files build on.
    async fn ensure_writable(&self, connect: &Connect) -> Result<()> {
        const UPLOAD: &str = "Could not upload to volume";
        match self.ensure_unchained(connect, UPLOAD).await? {
            Some(user) if user.is_running() => {
                let (path, name) = (&self.path, user.name());
                let message = format!("{UPLOAD}: the domain '{name}' runs with '{path}'");
                let number = ErrorNumber::OperationInvalid;
                Err(Error::new(ErrorKind::WrongState, number, message)
                    .advise(format!("shut '{name}' down first")))
            }
            _ => Ok(()),
        }
    }

    /// If the server does not give or take a disk's content, the error says which machine is in the way.
    async fn explain_refusal(&self, error: Error, connect: &Connect) -> Error {
        if error.kind() != ErrorKind::File || !self.is_disk_name() {
            return error;
        }
        match self.user(connect).await {
            Ok(Some(user)) if user.is_running() => {
                let name = user.name();
                error.advise_also(&format!(
                    "the domain '{name}' runs with the disk, which locks it: shut '{name}' down, or make a snapshot of it and \
                     download the extent below"
                ))
            }
            _ => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datastore::Store;

    fn disk(kind: &str, extents: &[&str]) -> Disk {
        Disk {
            capacity_kb: 1024,
            kind: (!kind.is_empty()).then(|| kind.to_owned()),
            extents: extents.iter().map(|&extent| extent.to_owned()).collect(),
            is_encrypted: false,
        }
    }

    #[test]
    fn only_flat_extents_are_content() {
        let path: DatastorePath = "[ds] web/web.vmdk".parse().unwrap();
        let file = File::new(&Store::named("ds"), path);
        let flat = "VirtualDiskFlatVer2BackingInfo";
        for (disk, datastore, expected) in [
            (disk("", &[]), "VMFS", Ok("[ds] web/web-flat.vmdk")),
            (
                disk(flat, &["[ds] web/x-flat.vmdk"]),
                "NFS",
                Ok("[ds] web/x-flat.vmdk"),
            ),
            (
                disk(flat, &["web-flat.vmdk"]),
                "",
                Ok("[ds] web/web-flat.vmdk"),
            ),
            (disk(flat, &["a", "b"]), "VMFS", Err("in several files")),
            (disk("", &["web-delta.vmdk"]), "VMFS", Err("a snapshot")),
            (
                disk("VirtualDiskSeSparseBackingInfo", &[]),
                "VMFS",
                Err("a snapshot"),
            ),
            (
                disk("VirtualDiskRawDiskMappingVer1BackingInfo", &[]),
                "VMFS",
                Err("device of the host"),
            ),
            (disk(flat, &[]), "VSAN", Err("an object of")),
            (disk(flat, &[]), "VVOL", Err("an object of")),
            (disk(flat, &[]), "PMEM", Err("an object of")),
        ] {
            let found = file.extent(&disk, datastore);
            match expected {
                Ok(expected) => assert_eq!(found.unwrap().to_string(), expected),
                Err(part) => {
                    let error = found.unwrap_err();
                    assert!(error.to_string().contains(part), "{error}");
                    assert_eq!(error.kind(), ErrorKind::Unsupported);
                    assert!(error.advice().is_some());
                }
            }
        }
    }
}
