//! What a running domain reports: sizes, memory, jobs.

use crate::words::words;

/// The sizes of a disk, in bytes (libvirt's `virDomainBlockInfo`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DomainBlockInfo {
    /// How large the disk is for the guest.
    pub capacity: u64,
    /// How much storage of the host it takes.
    pub allocation: u64,
    /// How large its file is.
    pub physical: u64,
}

words! {
    /// What a [`DomainMemoryStat`] measures (`virDomainMemoryStatTags`), with virsh's words.
    pub enum MemoryStatTag {
        SwapIn = "swap_in",
        SwapOut = "swap_out",
        MajorFault = "major_fault",
        MinorFault = "minor_fault",
        Unused = "unused",
        Available = "available",
        /// The memory that the balloon leaves to the guest.
        ActualBalloon = "actual",
        /// The memory of the host that the domain takes.
        Rss = "rss",
        Usable = "usable",
        LastUpdate = "last_update",
        DiskCaches = "disk_caches",
        HugetlbPgalloc = "hugetlb_pgalloc",
        HugetlbPgfail = "hugetlb_pgfail",
    }
}

/// A measurement of a domain's memory (libvirt's `virDomainMemoryStatStruct`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DomainMemoryStat {
    /// What was measured.
    pub tag: MemoryStatTag,
    /// The value, in KiB where it is a size.
    pub val: u64,
}

/// The state of a job (libvirt's `virDomainJobType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum JobType {
    /// There is none.
    #[default]
    None = 0,
    /// It runs, and its end can be estimated.
    Bounded = 1,
    /// It runs, and its end is not known.
    Unbounded = 2,
    /// It has ended.
    Completed = 3,
    /// It has failed.
    Failed = 4,
    /// It was cancelled.
    Cancelled = 5,
}

/// What a job does (libvirt's `virDomainJobOperation`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum JobOperation {
    /// Something that libvirt has no name for.
    #[default]
    Unknown = 0,
    /// It starts the domain.
    Start = 1,
    /// It saves the domain.
    Save = 2,
    /// It restores the domain.
    Restore = 3,
    /// The domain comes from another host.
    MigrationIn = 4,
    /// The domain goes to another host.
    MigrationOut = 5,
    /// It takes a snapshot.
    Snapshot = 6,
    /// It reverts to a snapshot.
    SnapshotRevert = 7,
    /// It dumps the domain's memory.
    Dump = 8,
    /// It makes a backup.
    Backup = 9,
    /// It deletes a snapshot.
    SnapshotDelete = 10,
}

/// A job of a domain: what the API knows of libvirt's `virDomainJobInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DomainJobInfo {
    /// Whether it runs.
    pub job_type: JobType,
    /// What it does.
    pub operation: JobOperation,
    /// How long it has been running, or ran, in milliseconds.
    pub time_elapsed: u64,
    /// How much of it is done, in percent. (libvirt has bytes instead.)
    pub progress: Option<u8>,
    /// Why it failed.
    pub error: Option<String>,
}

/// Whether a domain can be controlled (libvirt's `virDomainControlState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ControlState {
    /// It can.
    #[default]
    Ok = 0,
    /// A job runs.
    Job = 1,
    /// A question waits for its answer; nothing else can be done before.
    Occupied = 2,
    /// It cannot, for the host does not.
    Error = 3,
}

/// The state of a domain's control (libvirt's `virDomainControlInfo`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DomainControlInfo {
    /// Whether it can be controlled.
    pub state: ControlState,
    /// How long it has been in this state, in milliseconds; 0 if that is not known.
    pub state_time: u64,
}

/// What is wrong with a disk (libvirt's `virDomainDiskErrorCode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum DiskErrorCode {
    /// Nothing.
    #[default]
    None = 0,
    /// Something.
    Unspec = 1,
    /// There is no space left for it.
    NoSpace = 2,
}

/// A disk with an error (libvirt's `virDomainDiskError`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainDiskError {
    /// The disk's name: `sda`.
    pub disk: String,
    /// What is wrong with it.
    pub error: DiskErrorCode,
}

words! {
    /// How a guest is put to sleep (libvirt's `virNodeSuspendTarget`).
    pub enum PmSuspendTarget {
        /// Its memory stays powered.
        Mem = "mem",
        /// Its memory is written to its disk.
        Disk = "disk",
        /// Both.
        Hybrid = "hybrid",
    }
}
