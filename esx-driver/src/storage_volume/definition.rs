//! Sizes and documents of volumes.

use virt_model::flags::{NoFlags, StorageVolInfoFlags, refuse_unknown};
use virt_model::storage_vol::{StorageVolInfo, StorageVolTarget};
use virt_model::{Document as _, StorageVolDef};

use super::lun::{Lun, no_lun};
use super::{Backend, StorageVol};
use crate::Result;

impl StorageVol {
    /// The volume's type and sizes: a search task for a file, one request for a LUN.
    ///
    /// The allocation of a disk is what its files take; that of any other file is its length. With
    /// [`GET_PHYSICAL`](StorageVolInfoFlags::GET_PHYSICAL) it is the same.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such file or LUN, or the LUN is no disk.
    #[doc(alias("virStorageVolGetInfo", "virStorageVolGetInfoFlags"))]
    pub async fn info(&self, flags: StorageVolInfoFlags) -> Result<StorageVolInfo> {
        let known = StorageVolInfoFlags::GET_PHYSICAL;
        refuse_unknown(flags, known, "esxStorageVolGetInfo")?;
        match &self.backend {
            Backend::File(file) => Ok(file.facts(&self.connect).await?.info()),
            Backend::Lun(lun) => Ok(self.disk_of(lun).await?.info()),
        }
    }

    /// The volume's definition. Requests as [`info`](StorageVol::info), and that of the [key](StorageVol::key).
    ///
    /// # Errors
    /// As [`info`](StorageVol::info) and [`key`](StorageVol::key).
    pub async fn definition(&self) -> Result<StorageVolDef> {
        let (info, path, format) = match &self.backend {
            Backend::File(file) => {
                let facts = file.facts(&self.connect).await?;
                (facts.info(), file.path.to_string(), Some(facts.format()))
            }
            Backend::Lun(lun) => {
                let lun = self.disk_of(lun).await?;
                (lun.info(), lun.path, None)
            }
        };
        let mut def = StorageVolDef::new(self.name());
        def.kind = info.kind;
        def.key = Some(self.key().await?);
        def.capacity = info.capacity;
        def.allocation = info.allocation;
        def.target = StorageVolTarget {
            path: Some(path),
            format,
            ..StorageVolTarget::default()
        };
        Ok(def)
    }

    /// The volume's definition as libvirt's XML document. Requests as [`definition`](StorageVol::definition).
    ///
    /// # Errors
    /// As [`definition`](StorageVol::definition).
    #[doc(alias = "virStorageVolGetXMLDesc")]
    pub async fn xml_desc(&self) -> Result<String> {
        Ok(self.definition().await?.to_xml(NoFlags::NONE))
    }

    /// A LUN as it is now.
    async fn disk_of(&self, lun: &Lun) -> Result<Lun> {
        let mut luns = self.connect.luns_of(&lun.target).await?.into_iter();
        let found = luns.find(|other| other.key == lun.key && other.capacity.is_some());
        found.ok_or_else(|| no_lun(&lun.name))
    }
}
