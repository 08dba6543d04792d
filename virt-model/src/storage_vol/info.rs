use crate::words::words;

words! {
    /// The type of a volume (libvirt's `virStorageVolType`).
    #[derive(Default)]
    pub enum StorageVolType {
        /// A file.
        #[default]
        File = "file",
        /// A device.
        Block = "block",
        /// A directory.
        Dir = "dir",
        /// Something of a server.
        Network = "network",
        /// A directory of a server.
        Netdir = "netdir",
        /// A directory of the format `ploop`.
        Ploop = "ploop",
    }
}

impl StorageVolType {
    /// libvirt's number.
    pub const fn number(self) -> u32 {
        self as u32
    }
}

/// A volume's type and sizes (libvirt's `virStorageVolInfo`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StorageVolInfo {
    /// The type.
    pub kind: StorageVolType,
    /// The size that a guest sees, in bytes.
    pub capacity: u64,
    /// How much of the pool is in use, in bytes; the physical size if
    /// [`GET_PHYSICAL`](crate::StorageVolInfoFlags::GET_PHYSICAL) was asked for.
    pub allocation: u64,
}

words! {
    /// How a volume is wiped (libvirt's `virStorageVolWipeAlgorithm`).
    #[derive(Default)]
    pub enum StorageVolWipeAlgorithm {
        /// One pass of zeros.
        #[default]
        Zero = "zero",
        /// Four passes, by NNSA policy letter NAP-14.1-C.
        Nnsa = "nnsa",
        /// Four passes, by DoD 5220.22-M.
        Dod = "dod",
        /// Nine passes, by the German BSI.
        Bsi = "bsi",
        /// 35 passes, by Gutmann.
        Gutmann = "gutmann",
        /// Seven passes, by Schneier.
        Schneier = "schneier",
        /// Seven passes, by Pfitzner.
        Pfitzner7 = "pfitzner7",
        /// 33 passes, by Pfitzner.
        Pfitzner33 = "pfitzner33",
        /// One pass of random bytes.
        Random = "random",
        /// The blocks are given back.
        Trim = "trim",
    }
}

impl StorageVolWipeAlgorithm {
    /// libvirt's number.
    pub const fn number(self) -> u32 {
        self as u32
    }
}
