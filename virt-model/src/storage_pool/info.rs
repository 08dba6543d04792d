use std::fmt;

/// The state of a storage pool (libvirt's `virStoragePoolState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum StoragePoolState {
    /// Is not running.
    #[default]
    Inactive = 0,
    /// Is being built.
    Building = 1,
    /// Is running.
    Running = 2,
    /// Is running, but not as it should.
    Degraded = 3,
    /// Is running, but cannot be reached.
    Inaccessible = 4,
}

impl StoragePoolState {
    /// Every state, in the order of the numbers.
    pub const ALL: [StoragePoolState; 5] = [
        StoragePoolState::Inactive,
        StoragePoolState::Building,
        StoragePoolState::Running,
        StoragePoolState::Degraded,
        StoragePoolState::Inaccessible,
    ];

    /// libvirt's number.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// virsh's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            StoragePoolState::Inactive => "inactive",
            StoragePoolState::Building => "building",
            StoragePoolState::Running => "running",
            StoragePoolState::Degraded => "degraded",
            StoragePoolState::Inaccessible => "inaccessible",
        }
    }
}

impl fmt::Display for StoragePoolState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A storage pool's state and sizes (libvirt's `virStoragePoolInfo`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoragePoolInfo {
    /// The state.
    pub state: StoragePoolState,
    /// The size of the storage, in bytes.
    pub capacity: u64,
    /// How much of it is in use, in bytes.
    pub allocation: u64,
    /// How much of it is free, in bytes.
    pub available: u64,
}
