use super::flags;

flags! {
    /// Flags of starting a domain (`virDomainCreateFlags`).
    pub struct CreateFlags {
        /// Start the domain paused.
        PAUSED = 0,
        /// Destroy the domain when the connection is closed.
        AUTODESTROY = 1,
        /// Bypass the file system's cache when the saved memory is read.
        BYPASS_CACHE = 2,
        /// Discard a managed save image and boot.
        FORCE_BOOT = 3,
        /// Check the XML against libvirt's schema.
        VALIDATE = 4,
        /// Make the NVRAM file anew from its template.
        RESET_NVRAM = 5,
    }

    /// Ways to shut a domain down (`virDomainShutdownFlagValues`).
    pub struct ShutdownFlags {
        /// Press the ACPI power button.
        ACPI_POWER_BTN = 0,
        /// Ask the guest agent.
        GUEST_AGENT = 1,
        /// Write to initctl.
        INITCTL = 2,
        /// Send a signal to the guest's init process.
        SIGNAL = 3,
        /// Use the hypervisor's paravirtualized way.
        PARAVIRT = 4,
    }

    /// Ways to reboot a domain (`virDomainRebootFlagValues`).
    pub struct RebootFlags {
        /// Press the ACPI power button.
        ACPI_POWER_BTN = 0,
        /// Ask the guest agent.
        GUEST_AGENT = 1,
        /// Write to initctl.
        INITCTL = 2,
        /// Send a signal to the guest's init process.
        SIGNAL = 3,
        /// Use the hypervisor's paravirtualized way.
        PARAVIRT = 4,
    }

    /// Flags of defining a domain (`virDomainDefineFlags`).
    pub struct DefineFlags {
        /// Refuse a document with elements or attributes that are not known.
        VALIDATE = 0,
    }

    /// What is removed or kept when a domain is undefined (`virDomainUndefineFlagsValues`).
    pub struct UndefineFlags {
        /// Remove a managed save image.
        MANAGED_SAVE = 0,
        /// Remove the snapshots' metadata.
        SNAPSHOTS_METADATA = 1,
        /// Remove the NVRAM file.
        NVRAM = 2,
        /// Keep the NVRAM file.
        KEEP_NVRAM = 3,
        /// Remove the checkpoints' metadata.
        CHECKPOINTS_METADATA = 4,
        /// Remove the TPM's state.
        TPM = 5,
        /// Keep the TPM's state.
        KEEP_TPM = 6,
    }

    /// Flags of destroying a domain (`virDomainDestroyFlagsValues`).
    pub struct DestroyFlags {
        /// Send SIGTERM only; never SIGKILL.
        GRACEFUL = 0,
        /// Remove the domain's logs.
        REMOVE_LOGS = 1,
    }

    /// What a change of a device concerns (`virDomainDeviceModifyFlags`).
    /// [`DeviceModifyFlags::NONE`] is libvirt's `CURRENT`: the running domain if it runs, else the
    /// definition.
    pub struct DeviceModifyFlags {
        /// The running domain.
        LIVE = 0,
        /// The definition of the next start.
        CONFIG = 1,
        /// Even if the guest uses the device: ejects a medium that the guest has locked.
        FORCE = 2,
    }

    /// Flags of migrating a domain (`virDomainMigrateFlags`).
    pub struct MigrateFlags {
        /// Do not stop the domain meanwhile.
        LIVE = 0,
        /// The source host talks to the destination.
        PEER2PEER = 1,
        /// Send the memory over libvirt's own connection.
        TUNNELLED = 2,
        /// Define the domain on the destination.
        PERSIST_DEST = 3,
        /// Undefine the domain on the source.
        UNDEFINE_SOURCE = 4,
        /// Leave the domain paused on the destination.
        PAUSED = 5,
        /// Copy all of the disks.
        NON_SHARED_DISK = 6,
        /// Copy what the disks have more than their base images.
        NON_SHARED_INC = 7,
        /// Let nobody change the domain meanwhile.
        CHANGE_PROTECTION = 8,
        /// Migrate even if it may be unsafe.
        UNSAFE = 9,
        /// Migrate the definition of a domain that does not run.
        OFFLINE = 10,
        /// Compress the memory.
        COMPRESSED = 11,
        /// Give up at a soft error, such as a disk that cannot be read.
        ABORT_ON_ERROR = 12,
        /// Slow the domain down until the migration ends.
        AUTO_CONVERGE = 13,
        /// Keep all memory from being swapped during a migration over RDMA.
        RDMA_PIN_ALL = 14,
        /// Allow a switch to post-copy.
        POSTCOPY = 15,
        /// Encrypt with TLS.
        TLS = 16,
        /// Send the memory over several connections.
        PARALLEL = 17,
        /// Write to both sides while disks are copied.
        NON_SHARED_SYNCHRONOUS_WRITES = 18,
        /// Resume a failed post-copy migration.
        POSTCOPY_RESUME = 19,
        /// Send the memory without copying it first.
        ZEROCOPY = 20,
    }

    /// What a change of a domain concerns (`virDomainModificationImpact`).
    /// [`ModificationImpact::NONE`] is libvirt's `CURRENT`: the running domain if it runs, else the
    /// definition.
    pub struct ModificationImpact {
        /// The running domain.
        LIVE = 0,
        /// The definition of the next start.
        CONFIG = 1,
    }

    /// Which amount of memory is changed (`virDomainMemoryModFlags`).
    pub struct MemoryModFlags {
        /// That of the running domain.
        LIVE = 0,
        /// That of the next start.
        CONFIG = 1,
        /// The maximum.
        MAXIMUM = 2,
    }

    /// Which number of virtual processors is read or changed (`virDomainVcpuFlags`).
    pub struct VcpuFlags {
        /// That of the running domain.
        LIVE = 0,
        /// That of the next start.
        CONFIG = 1,
        /// The maximum.
        MAXIMUM = 2,
        /// The number that the guest has online.
        GUEST = 3,
        /// Makes added processors removable while the domain runs.
        HOTPLUGGABLE = 4,
    }

    /// Who tells the host name of a domain (`virDomainGetHostnameFlags`).
    pub struct HostnameFlags {
        /// The leases of libvirt's DHCP servers.
        LEASE = 0,
        /// The guest agent.
        AGENT = 1,
    }

    /// How the size of a disk is given (`virDomainBlockResizeFlags`).
    pub struct BlockResizeFlags {
        /// In bytes instead of KiB.
        BYTES = 0,
        /// Take the size of the whole device.
        CAPACITY = 1,
    }

    /// What of a domain's definition is written (`virDomainXMLFlags`).
    pub struct DomainXmlFlags {
        /// Write passwords.
        SECURE = 0,
        /// Write the definition of the next start, not of the running domain.
        INACTIVE = 1,
        /// Write the features of the host's processor.
        UPDATE_CPU = 2,
        /// Write a document fit for migration.
        MIGRATABLE = 3,
    }

    /// Which statistics of domains are wanted (`virDomainStatsTypes`); no flag means all.
    pub struct StatsTypes {
        /// The state and its reason.
        STATE = 0,
        /// Processor time.
        CPU_TOTAL = 1,
        /// Memory.
        BALLOON = 2,
        /// Virtual processors.
        VCPU = 3,
        /// Network interfaces.
        INTERFACE = 4,
        /// Disks.
        BLOCK = 5,
        /// Performance events.
        PERF = 6,
        /// I/O threads.
        IOTHREAD = 7,
        /// Memory bandwidth.
        MEMORY = 8,
        /// How fast memory changes.
        DIRTYRATE = 9,
        /// What only this hypervisor measures.
        VM = 10,
    }

    /// Of which domains statistics are wanted, and how (`virConnectGetAllDomainStatsFlags`). The filters are those of
    /// [`DomainFilter`].
    pub struct StatsFlags {
        /// Is running or paused.
        ACTIVE = 0,
        /// Is neither running nor paused.
        INACTIVE = 1,
        /// Stays defined when it is stopped.
        PERSISTENT = 2,
        /// Vanishes when it is stopped.
        TRANSIENT = 3,
        /// Is running.
        RUNNING = 4,
        /// Is paused.
        PAUSED = 5,
        /// Is shut off.
        SHUTOFF = 6,
        /// Is in any other state.
        OTHER = 7,
        /// Only what is known at once.
        NOWAIT = 29,
        /// Also the images below a disk's current one.
        BACKING = 30,
        /// Refuse statistics that the hypervisor does not have.
        ENFORCE_STATS = 31,
    }

    /// Which job is meant (`virDomainGetJobStatsFlags`).
    pub struct JobStatsFlags {
        /// The last one that ended, not the one that runs.
        COMPLETED = 0,
        /// Do not forget it.
        KEEP_COMPLETED = 1,
    }

    /// Which messages of a domain are wanted (`virDomainMessageType`); no flag means all.
    pub struct MessageFlags {
        /// That it uses something deprecated.
        DEPRECATION = 0,
        /// That something makes it unreliable.
        TAINTING = 1,
    }

    /// How a job is aborted (`virDomainAbortJobFlagsValues`).
    pub struct AbortJobFlags {
        /// Interrupt a migration in its post-copy phase.
        POSTCOPY = 0,
    }

    /// Which domains a list has (`virConnectListAllDomainsFlags`).
    ///
    /// The flags come in groups ([`DomainFilter::GROUPS`]). A group with no flag set, or with all of
    /// them, restricts nothing. A domain is listed if it has one of the properties set in every
    /// other group. [`DomainFilter::NONE`] lists all domains.
    ///
    /// ```
    /// use virt_model::DomainFilter;
    /// let filter = DomainFilter::ACTIVE | DomainFilter::NO_AUTOSTART;
    /// assert!(filter.restricts(DomainFilter::FILTERS_AUTOSTART));
    /// assert!(filter.admits(DomainFilter::ACTIVE, true, DomainFilter::INACTIVE));
    /// assert!(!filter.admits(DomainFilter::ACTIVE, false, DomainFilter::INACTIVE));
    /// ```
    pub struct DomainFilter {
        /// Is running or paused.
        ACTIVE = 0,
        /// Is neither running nor paused.
        INACTIVE = 1,
        /// Stays defined when it is stopped.
        PERSISTENT = 2,
        /// Vanishes when it is stopped.
        TRANSIENT = 3,
        /// Is running.
        RUNNING = 4,
        /// Is paused.
        PAUSED = 5,
        /// Is shut off.
        SHUTOFF = 6,
        /// Is in any other state.
        OTHER = 7,
        /// Has a managed save image.
        MANAGEDSAVE = 8,
        /// Has no managed save image.
        NO_MANAGEDSAVE = 9,
        /// Starts with its host.
        AUTOSTART = 10,
        /// Does not start with its host.
        NO_AUTOSTART = 11,
        /// Has a snapshot.
        HAS_SNAPSHOT = 12,
        /// Has no snapshot.
        NO_SNAPSHOT = 13,
        /// Has a checkpoint.
        HAS_CHECKPOINT = 14,
        /// Has no checkpoint.
        NO_CHECKPOINT = 15,
    }
    groups {
        /// Active or not.
        FILTERS_ACTIVE = ACTIVE | INACTIVE,
        /// Persistent or transient.
        FILTERS_PERSISTENT = PERSISTENT | TRANSIENT,
        /// The state.
        FILTERS_STATE = RUNNING | PAUSED | SHUTOFF | OTHER,
        /// With or without a managed save image.
        FILTERS_MANAGEDSAVE = MANAGEDSAVE | NO_MANAGEDSAVE,
        /// With or without autostart.
        FILTERS_AUTOSTART = AUTOSTART | NO_AUTOSTART,
        /// With or without snapshots.
        FILTERS_SNAPSHOT = HAS_SNAPSHOT | NO_SNAPSHOT,
        /// With or without checkpoints.
        FILTERS_CHECKPOINT = HAS_CHECKPOINT | NO_CHECKPOINT,
    }
}
