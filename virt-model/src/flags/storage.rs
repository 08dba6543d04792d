use super::flags;

flags! {
    /// Which storage pools a list has (`virConnectListAllStoragePoolsFlags`).
    ///
    /// The groups restrict the list as those of [`DomainFilter`](super::DomainFilter) do.
    pub struct StoragePoolFilter {
        /// Is not active.
        INACTIVE = 0,
        /// Is active.
        ACTIVE = 1,
        /// Stays defined when it is stopped.
        PERSISTENT = 2,
        /// Vanishes when it is stopped.
        TRANSIENT = 3,
        /// Starts with its host.
        AUTOSTART = 4,
        /// Does not start with its host.
        NO_AUTOSTART = 5,
        /// Is of the type `dir`.
        DIR = 6,
        /// Is of the type `fs`.
        FS = 7,
        /// Is of the type `netfs`.
        NETFS = 8,
        /// Is of the type `logical`.
        LOGICAL = 9,
        /// Is of the type `disk`.
        DISK = 10,
        /// Is of the type `iscsi`.
        ISCSI = 11,
        /// Is of the type `scsi`.
        SCSI = 12,
        /// Is of the type `mpath`.
        MPATH = 13,
        /// Is of the type `rbd`.
        RBD = 14,
        /// Is of the type `sheepdog`.
        SHEEPDOG = 15,
        /// Is of the type `gluster`.
        GLUSTER = 16,
        /// Is of the type `zfs`.
        ZFS = 17,
        /// Is of the type `vstorage`.
        VSTORAGE = 18,
        /// Is of the type `iscsi-direct`.
        ISCSI_DIRECT = 19,
    }
    groups {
        /// Active or not.
        FILTERS_ACTIVE = ACTIVE | INACTIVE,
        /// Persistent or transient.
        FILTERS_PERSISTENT = PERSISTENT | TRANSIENT,
        /// With or without autostart.
        FILTERS_AUTOSTART = AUTOSTART | NO_AUTOSTART,
        /// The type; see [`StoragePoolType::filter`](crate::storage_pool::StoragePoolType::filter).
        FILTERS_POOL_TYPE = DIR | FS | NETFS | LOGICAL | DISK | ISCSI | SCSI | MPATH | RBD | SHEEPDOG | GLUSTER | ZFS | VSTORAGE | ISCSI_DIRECT,
    }

    /// What of a storage pool's definition is written (`virStorageXMLFlags`).
    pub struct StoragePoolXmlFlags {
        /// Write the definition of the next start, not that of the running pool.
        INACTIVE = 0,
    }

    /// Flags of defining a storage pool (`virStoragePoolDefineFlags`).
    pub struct StoragePoolDefineFlags {
        /// Refuse a document with elements or attributes that are not known.
        VALIDATE = 0,
    }

    /// Flags of starting a storage pool (`virStoragePoolCreateFlags`).
    pub struct StoragePoolCreateFlags {
        /// Build the pool first.
        WITH_BUILD = 0,
        /// Build the pool first, over data that is there.
        WITH_BUILD_OVERWRITE = 1,
        /// Build the pool first, unless there is data.
        WITH_BUILD_NO_OVERWRITE = 2,
        /// Refuse a document with elements or attributes that are not known.
        VALIDATE = 3,
    }

    /// Flags of building a storage pool (`virStoragePoolBuildFlags`).
    pub struct StoragePoolBuildFlags {
        /// Repair or initialize again what is there.
        REPAIR = 0,
        /// Extend what is there.
        RESIZE = 1,
        /// Refuse to overwrite data.
        NO_OVERWRITE = 2,
        /// Overwrite data.
        OVERWRITE = 3,
    }

    /// Flags of deleting a storage pool (`virStoragePoolDeleteFlags`).
    pub struct StoragePoolDeleteFlags {
        /// Overwrite all data with zeros.
        ZEROED = 0,
    }

    /// How the document of a volume is read (`VIR_VOL_XML_PARSE_*`).
    pub struct StorageVolParseFlags {
        /// The document need not have a capacity.
        NO_CAPACITY = 0,
        /// The document need not have a capacity if it has a backing store.
        OPT_CAPACITY = 1,
    }

    /// Flags of making a volume (`virStorageVolCreateFlags`).
    pub struct StorageVolCreateFlags {
        /// Allocate the metadata.
        PREALLOC_METADATA = 0,
        /// Copy by references to the original's blocks.
        REFLINK = 1,
        /// Refuse a document with elements or attributes that are not known.
        VALIDATE = 2,
    }

    /// Flags of deleting a volume (`virStorageVolDeleteFlags`).
    pub struct StorageVolDeleteFlags {
        /// Overwrite all data with zeros.
        ZEROED = 0,
        /// Delete the volume's snapshots, too.
        WITH_SNAPSHOTS = 1,
    }

    /// Flags of resizing a volume (`virStorageVolResizeFlags`).
    pub struct StorageVolResizeFlags {
        /// Allocate the new capacity.
        ALLOCATE = 0,
        /// The size is to be added to the current one.
        DELTA = 1,
        /// Allow the volume to become smaller.
        SHRINK = 2,
    }

    /// Flags of writing a volume's content (`virStorageVolUploadFlags`).
    pub struct StorageVolUploadFlags {
        /// The stream has holes.
        SPARSE_STREAM = 0,
    }

    /// Flags of reading a volume's content (`virStorageVolDownloadFlags`).
    pub struct StorageVolDownloadFlags {
        /// The stream has holes.
        SPARSE_STREAM = 0,
    }

    /// Flags of asking for a volume's sizes (`virStorageVolInfoFlags`).
    pub struct StorageVolInfoFlags {
        /// Tell the physical size instead of the allocation.
        GET_PHYSICAL = 0,
    }
}
