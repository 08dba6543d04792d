use super::flags;

flags! {
    /// Flags of taking a snapshot (`virDomainSnapshotCreateFlags`).
    pub struct SnapshotCreateFlags {
        /// Restore or change the metadata of an existing snapshot.
        REDEFINE = 0,
        /// Make the redefined snapshot the current one.
        CURRENT = 1,
        /// Keep no metadata of the snapshot.
        NO_METADATA = 2,
        /// Stop the domain after the snapshot.
        HALT = 3,
        /// Snapshot the disks but not the memory.
        DISK_ONLY = 4,
        /// Use existing external files.
        REUSE_EXT = 5,
        /// Have the guest agent quiesce the guest's file systems.
        QUIESCE = 6,
        /// Snapshot all disks or none.
        ATOMIC = 7,
        /// Keep the domain running meanwhile.
        LIVE = 8,
        /// Check the XML against libvirt's schema.
        VALIDATE = 9,
    }

    /// Which snapshots a list has, and in which order (`virDomainSnapshotListFlags`).
    ///
    /// The groups restrict the list as those of [`DomainFilter`](super::DomainFilter) do.
    pub struct SnapshotListFlags {
        /// Of a domain: only snapshots without a parent. Of a snapshot: its descendants, not only
        /// its children (libvirt's second name of this bit is `DESCENDANTS`).
        ROOTS = 0,
        /// Has metadata.
        METADATA = 1,
        /// Has no child.
        LEAVES = 2,
        /// Has a child.
        NO_LEAVES = 3,
        /// Has no metadata.
        NO_METADATA = 4,
        /// Was taken while the domain was off.
        INACTIVE = 5,
        /// Was taken while the domain was running, with its memory.
        ACTIVE = 6,
        /// Was taken of the disks but not the memory of a running domain.
        DISK_ONLY = 7,
        /// Is stored within the disk images.
        INTERNAL = 8,
        /// Is stored in files of its own.
        EXTERNAL = 9,
        /// List parents before their children.
        TOPOLOGICAL = 10,
    }
    groups {
        /// With or without metadata.
        FILTERS_METADATA = METADATA | NO_METADATA,
        /// With or without children.
        FILTERS_LEAVES = LEAVES | NO_LEAVES,
        /// What the domain was doing.
        FILTERS_STATUS = INACTIVE | ACTIVE | DISK_ONLY,
        /// Where the snapshot is stored.
        FILTERS_LOCATION = INTERNAL | EXTERNAL,
    }

    /// What is deleted with a snapshot (`virDomainSnapshotDeleteFlags`).
    pub struct SnapshotDeleteFlags {
        /// Delete the descendants too.
        CHILDREN = 0,
        /// Delete the metadata only.
        METADATA_ONLY = 1,
        /// Delete the descendants only.
        CHILDREN_ONLY = 2,
    }

    /// What a domain does after it is reverted to a snapshot (`virDomainSnapshotRevertFlags`).
    pub struct SnapshotRevertFlags {
        /// Run, whatever its state in the snapshot.
        RUNNING = 0,
        /// Be paused, whatever its state in the snapshot.
        PAUSED = 1,
        /// Revert even where that is risky.
        FORCE = 2,
        /// Make the NVRAM file anew from its template.
        RESET_NVRAM = 3,
    }

    /// What of a snapshot's definition is written (`virDomainSnapshotXMLFlags`).
    pub struct SnapshotXmlFlags {
        /// Write passwords.
        SECURE = 0,
    }
}
