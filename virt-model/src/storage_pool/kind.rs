use crate::{flags::StoragePoolFilter, words::words};

words! {
    /// The type of a storage pool (libvirt's `virStoragePoolType`).
    #[derive(Default)]
    pub enum StoragePoolType {
        /// A directory.
        #[default]
        Dir = "dir",
        /// A file system on a device.
        Fs = "fs",
        /// A directory of a server.
        Netfs = "netfs",
        /// A volume group of LVM.
        Logical = "logical",
        /// A partitioned disk.
        Disk = "disk",
        /// A target of iSCSI.
        Iscsi = "iscsi",
        /// A target of iSCSI that the hypervisor talks to itself.
        IscsiDirect = "iscsi-direct",
        /// An adapter of SCSI.
        Scsi = "scsi",
        /// The devices of the multipath daemon.
        Mpath = "mpath",
        /// A pool of Ceph.
        Rbd = "rbd",
        /// A cluster of Sheepdog.
        Sheepdog = "sheepdog",
        /// A volume of Gluster.
        Gluster = "gluster",
        /// A pool of ZFS.
        Zfs = "zfs",
        /// A cluster of Virtuozzo Storage.
        Vstorage = "vstorage",
    }
}

words! {
    /// The format of a pool's source: a file system, a protocol, or a table of partitions.
    ///
    /// Which a pool can have depends on its type; see [`StoragePoolType::formats`].
    pub enum StoragePoolFormat {
        Auto = "auto",
        Ext2 = "ext2",
        Ext3 = "ext3",
        Ext4 = "ext4",
        Ufs = "ufs",
        Iso9660 = "iso9660",
        Udf = "udf",
        Gfs = "gfs",
        Gfs2 = "gfs2",
        Vfat = "vfat",
        HfsPlus = "hfs+",
        Xfs = "xfs",
        Ocfs2 = "ocfs2",
        Vmfs = "vmfs",
        Nfs = "nfs",
        GlusterFs = "glusterfs",
        Cifs = "cifs",
        Unknown = "unknown",
        Dos = "dos",
        Dvh = "dvh",
        Gpt = "gpt",
        Mac = "mac",
        Bsd = "bsd",
        Pc98 = "pc98",
        Sun = "sun",
        Lvm2 = "lvm2",
    }
}

/// What pools of a type have (libvirt's `virStoragePoolOptions`).
#[derive(Default)]
pub(super) struct Uses {
    pub(super) hosts: bool,
    pub(super) devices: bool,
    pub(super) needs_device: bool,
    pub(super) dir: bool,
    pub(super) adapter: bool,
    /// A name of the source, which is also the pool's if the pool has none, and the other way round.
    pub(super) name: bool,
    pub(super) initiator: bool,
    pub(super) target: bool,
}

impl StoragePoolType {
    /// libvirt's number.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The formats that a source can have. None: pools of the type have no format.
    pub const fn formats(self) -> &'static [StoragePoolFormat] {
        use StoragePoolFormat::*;
        match self {
            StoragePoolType::Fs => &[
                Auto, Ext2, Ext3, Ext4, Ufs, Iso9660, Udf, Gfs, Gfs2, Vfat, HfsPlus, Xfs, Ocfs2,
                Vmfs,
            ],
            StoragePoolType::Netfs => &[Auto, Nfs, GlusterFs, Cifs],
            StoragePoolType::Logical => &[Unknown, Lvm2],
            StoragePoolType::Disk => &[Unknown, Dos, Dvh, Gpt, Mac, Bsd, Pc98, Sun, Lvm2],
            _ => &[],
        }
    }

    /// The format where a document names none.
    pub const fn default_format(self) -> Option<StoragePoolFormat> {
        match self {
            StoragePoolType::Fs | StoragePoolType::Netfs => Some(StoragePoolFormat::Auto),
            StoragePoolType::Logical => Some(StoragePoolFormat::Lvm2),
            StoragePoolType::Disk => Some(StoragePoolFormat::Unknown),
            _ => None,
        }
    }

    /// The flag of lists that admits pools of this type.
    pub fn filter(self) -> StoragePoolFilter {
        use StoragePoolType::*;
        match self {
            Dir => StoragePoolFilter::DIR,
            Fs => StoragePoolFilter::FS,
            Netfs => StoragePoolFilter::NETFS,
            Logical => StoragePoolFilter::LOGICAL,
            Disk => StoragePoolFilter::DISK,
            Iscsi => StoragePoolFilter::ISCSI,
            IscsiDirect => StoragePoolFilter::ISCSI_DIRECT,
            Scsi => StoragePoolFilter::SCSI,
            Mpath => StoragePoolFilter::MPATH,
            Rbd => StoragePoolFilter::RBD,
            Sheepdog => StoragePoolFilter::SHEEPDOG,
            Gluster => StoragePoolFilter::GLUSTER,
            Zfs => StoragePoolFilter::ZFS,
            Vstorage => StoragePoolFilter::VSTORAGE,
        }
    }

    pub(super) fn uses(self) -> Uses {
        use StoragePoolType::*;
        Uses {
            hosts: matches!(self, Netfs | Iscsi | IscsiDirect | Rbd | Sheepdog | Gluster),
            devices: matches!(self, Fs | Logical | Disk | Iscsi | IscsiDirect | Zfs),
            needs_device: matches!(self, Fs | Disk),
            dir: matches!(self, Netfs | Gluster),
            adapter: self == Scsi,
            name: matches!(self, Logical | Rbd | Sheepdog | Gluster | Zfs | Vstorage),
            initiator: matches!(self, Iscsi | IscsiDirect),
            target: !matches!(self, IscsiDirect | Rbd | Sheepdog | Gluster),
        }
    }
}

impl StoragePoolFilter {
    /// Whether the list has pools of that type.
    pub fn admits_type(self, kind: StoragePoolType) -> bool {
        !self.intersects(StoragePoolFilter::FILTERS_POOL_TYPE) || self.contains(kind.filter())
    }
}
