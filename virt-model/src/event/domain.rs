//! Kinds of domain events, and the details of those that are no life cycle events.

super::words! {
    /// A kind of domain events (`virDomainEventID`).
    ///
    /// ```
    /// use virt_model::event::DomainEventId;
    ///
    /// assert_eq!(DomainEventId::from_name("tray-change"), Some(DomainEventId::TrayChange));
    /// assert_eq!(DomainEventId::TrayChange.number(), 10);
    /// ```
    DomainEventId {
        /// A [`LifecycleEvent`](super::LifecycleEvent).
        Lifecycle = 0, "lifecycle";
        /// The guest rebooted, or was reset.
        Reboot = 1, "reboot";
        /// The guest set its clock.
        RtcChange = 2, "rtc-change";
        /// A watchdog fired: a [`WatchdogAction`].
        Watchdog = 3, "watchdog";
        /// A disk failed: an [`IoErrorAction`].
        IoError = 4, "io-error";
        /// A viewer connected or disconnected: a [`GraphicsPhase`].
        Graphics = 5, "graphics";
        /// Like [`IoError`](DomainEventId::IoError), with a reason.
        IoErrorReason = 6, "io-error-reason";
        /// The hypervisor lost control of the domain.
        ControlError = 7, "control-error";
        /// A block job ended or is ready; the disk by its path.
        BlockJob = 8, "block-job";
        /// A disk's source was changed or dropped because it was missing.
        DiskChange = 9, "disk-change";
        /// A removable medium's tray was moved: a [`TrayChangeReason`].
        TrayChange = 10, "tray-change";
        /// The guest woke up.
        PmWakeup = 11, "pm-wakeup";
        /// The guest suspended itself to memory.
        PmSuspend = 12, "pm-suspend";
        /// The guest's memory balloon has another size.
        BalloonChange = 13, "balloon-change";
        /// The guest suspended itself to disk.
        PmSuspendDisk = 14, "pm-suspend-disk";
        /// A device was removed.
        DeviceRemoved = 15, "device-removed";
        /// A block job ended or is ready; the disk by its target.
        BlockJob2 = 16, "block-job-2";
        /// A tunable was changed.
        Tunable = 17, "tunable";
        /// The guest's agent connected or disconnected: an [`AgentLifecycleState`].
        AgentLifecycle = 18, "agent-lifecycle";
        /// A device was added.
        DeviceAdded = 19, "device-added";
        /// A migration began another pass over the memory.
        MigrationIteration = 20, "migration-iteration";
        /// A job ended.
        JobCompleted = 21, "job-completed";
        /// A device could not be removed.
        DeviceRemovalFailed = 22, "device-removal-failed";
        /// The metadata changed: a [`MetadataType`].
        MetadataChange = 23, "metadata-change";
        /// A disk image grew beyond a threshold.
        BlockThreshold = 24, "block-threshold";
        /// The host's memory failed.
        MemoryFailure = 25, "memory-failure";
        /// A memory device has another size (libvirt 7.9.0).
        MemoryDeviceSizeChange = 26, "memory-device-size-change";
        /// The hypervisor asked a question, or it was answered. libvirt has no such kind and numbers its own without gaps
        /// from 0; this number is out of their way.
        Question = 1000, "question";
    }
    /// What a watchdog did (`virDomainEventWatchdogAction`).
    WatchdogAction {
        /// Nothing.
        None = 0, "none";
        /// The domain was paused.
        Pause = 1, "pause";
        /// The domain was reset.
        Reset = 2, "reset";
        /// The domain was stopped.
        PowerOff = 3, "poweroff";
        /// The guest was asked to shut down.
        Shutdown = 4, "shutdown";
        /// It was only logged.
        Debug = 5, "debug";
        /// The guest got an NMI.
        InjectNmi = 6, "inject-nmi";
    }
    /// What followed from a disk's failure (`virDomainEventIOErrorAction`).
    IoErrorAction {
        /// Nothing: the error was ignored.
        None = 0, "none";
        /// The domain was paused.
        Pause = 1, "pause";
        /// The guest was told.
        Report = 2, "report";
    }
    /// How far a viewer's connection is (`virDomainEventGraphicsPhase`).
    GraphicsPhase {
        /// It began.
        Connect = 0, "connect";
        /// The viewer is authenticated.
        Initialize = 1, "initialize";
        /// It ended.
        Disconnect = 2, "disconnect";
    }
    /// The kind of a [`GraphicsAddress`] (`virDomainEventGraphicsAddressType`).
    GraphicsAddressFamily {
        /// IPv4.
        Ipv4 = 0, "IPv4";
        /// IPv6.
        Ipv6 = 1, "IPv6";
        /// A UNIX socket's path.
        Unix = 2, "unix";
    }
    /// Where a tray went (`virDomainEventTrayChangeReason`).
    TrayChangeReason {
        /// It was opened.
        Open = 0, "opened";
        /// It was closed.
        Close = 1, "closed";
    }
    /// Whether the guest's agent can be reached (`virConnectDomainEventAgentLifecycleState`).
    AgentLifecycleState {
        /// It can.
        Connected = 1, "connected";
        /// It cannot.
        Disconnected = 2, "disconnected";
    }
    /// Why the state of the guest's agent is another one (`virConnectDomainEventAgentLifecycleReason`).
    AgentLifecycleReason {
        /// Unknown.
        Unknown = 0, "unknown";
        /// The domain started.
        DomainStarted = 1, "domain started";
        /// The agent started or ended in a running domain.
        Channel = 2, "channel event";
    }
    /// Which part of the metadata changed (`virDomainMetadataType`).
    MetadataType {
        /// The description.
        Description = 0, "description";
        /// The title.
        Title = 1, "title";
        /// An element of a program's own.
        Element = 2, "element";
    }
}

impl DomainEventId {
    /// Whether libvirt has the kind, not only we.
    pub const fn is_libvirts(self) -> bool {
        !matches!(self, DomainEventId::Question)
    }
}

/// An end of a viewer's connection (`virDomainEventGraphicsAddress`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GraphicsAddress {
    /// The kind of address.
    pub family: GraphicsAddressFamily,
    /// The address, or the socket's path; empty if it is not known.
    pub node: String,
    /// The port; empty if it is not known.
    pub service: String,
}

/// Something that is known about who uses a viewer (`virDomainEventGraphicsSubjectIdentity`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GraphicsSubjectIdentity {
    /// What is known, such as `saslUsername`.
    pub r#type: String,
    /// The name.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of libvirt's kinds have no gap; ours are beyond them.
    #[test]
    fn ids_count_up() {
        let all = DomainEventId::ALL.iter();
        let (libvirts, ours): (Vec<DomainEventId>, Vec<_>) =
            all.copied().partition(|id| id.is_libvirts());
        let numbers = libvirts.iter().map(|id| id.number());
        assert!(numbers.eq(0..27));
        assert!(ours.iter().all(|id| id.number() >= 1000));
    }

    #[test]
    fn names_and_numbers_lead_back() {
        for id in DomainEventId::ALL {
            assert_eq!(DomainEventId::from_name(id.as_str()), Some(*id));
            assert_eq!(DomainEventId::from_number(id.number()), Some(*id));
        }
        assert_eq!(DomainEventId::from_name("Lifecycle"), None);
        assert_eq!(DomainEventId::from_number(999), None);
    }
}
