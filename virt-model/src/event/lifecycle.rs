//! Life cycle events of domains and their details.

use std::fmt;

/// Declares the events: libvirt's number, virsh's word, the type of the detail.
macro_rules! events {
    ($($(#[$doc:meta])* $event:ident($detail:ident) = $number:literal, $word:literal;)*) => {
        /// A change in a domain's life cycle and what led to it: `virDomainEventType` and the detail that goes with it.
        ///
        /// [`Display`](fmt::Display) is virsh's text.
        ///
        /// ```
        /// use virt_model::event::{LifecycleEvent, StoppedDetail};
        ///
        /// let event = LifecycleEvent::Stopped(StoppedDetail::Destroyed);
        /// assert_eq!((event.number(), event.detail()), (5, 1));
        /// assert_eq!(event.to_string(), "Stopped Destroyed");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum LifecycleEvent {
            $($(#[$doc])* $event($detail),)*
        }

        impl LifecycleEvent {
            /// libvirt's number of the event.
            pub const fn number(self) -> u32 {
                match self {
                    $(LifecycleEvent::$event(_) => $number,)*
                }
            }

            /// libvirt's number of the detail.
            pub const fn detail(self) -> u32 {
                match self {
                    $(LifecycleEvent::$event(detail) => detail.number(),)*
                }
            }

            /// virsh's word for the event.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(LifecycleEvent::$event(_) => $word,)*
                }
            }

            /// virsh's words for the detail.
            pub const fn detail_str(self) -> &'static str {
                match self {
                    $(LifecycleEvent::$event(detail) => detail.as_str(),)*
                }
            }
        }
    };
}

impl fmt::Display for LifecycleEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.as_str(), self.detail_str())
    }
}

events! {
    /// There is a new definition of the domain.
    Defined(DefinedDetail) = 0, "Defined";
    /// The definition is gone.
    Undefined(UndefinedDetail) = 1, "Undefined";
    /// The domain started.
    Started(StartedDetail) = 2, "Started";
    /// The domain was paused.
    Suspended(SuspendedDetail) = 3, "Suspended";
    /// The domain goes on.
    Resumed(ResumedDetail) = 4, "Resumed";
    /// The domain stopped.
    Stopped(StoppedDetail) = 5, "Stopped";
    /// The guest shut down; the domain has not stopped yet.
    Shutdown(ShutdownDetail) = 6, "Shutdown";
    /// The guest suspended itself.
    PmSuspended(PmSuspendedDetail) = 7, "PMSuspended";
    /// The guest crashed.
    Crashed(CrashedDetail) = 8, "Crashed";
}

super::words! {
    /// Why a domain is defined (`virDomainEventDefinedDetailType`).
    DefinedDetail {
        /// A new domain.
        Added = 0, "Added";
        /// Its definition changed.
        Updated = 1, "Updated";
        /// It has a new name.
        Renamed = 2, "Renamed";
        /// A snapshot has its definition.
        FromSnapshot = 3, "Snapshot";
    }
    /// Why a domain is undefined (`virDomainEventUndefinedDetailType`).
    UndefinedDetail {
        /// Its definition was removed.
        Removed = 0, "Removed";
        /// It has a new name.
        Renamed = 1, "Renamed";
    }
    /// How a domain started (`virDomainEventStartedDetailType`).
    StartedDetail {
        /// From its definition.
        Booted = 0, "Booted";
        /// It came from another host.
        Migrated = 1, "Migrated";
        /// From a saved state.
        Restored = 2, "Restored";
        /// From a snapshot.
        FromSnapshot = 3, "Snapshot";
        /// The guest woke up.
        Wakeup = 4, "Event wakeup";
    }
    /// Why a domain was paused (`virDomainEventSuspendedDetailType`).
    SuspendedDetail {
        /// Somebody wanted it.
        Paused = 0, "Paused";
        /// It migrates to another host.
        Migrated = 1, "Migrated";
        /// A disk failed.
        IoError = 2, "I/O Error";
        /// A watchdog fired.
        Watchdog = 3, "Watchdog";
        /// Its saved state was that of a paused domain.
        Restored = 4, "Restored";
        /// Its snapshot was that of a paused domain.
        FromSnapshot = 5, "Snapshot";
        /// A call of libvirt's failed.
        ApiError = 6, "API error";
        /// It migrates to another host, in post-copy mode.
        Postcopy = 7, "Post-copy";
        /// Its migration in post-copy mode failed.
        PostcopyFailed = 8, "Post-copy Error";
    }
    /// Why a domain goes on (`virDomainEventResumedDetailType`).
    ResumedDetail {
        /// Somebody wanted it.
        Unpaused = 0, "Unpaused";
        /// It came from another host.
        Migrated = 1, "Migrated";
        /// Its snapshot was that of a running domain.
        FromSnapshot = 2, "Snapshot";
        /// It runs on the host it migrates to, in post-copy mode.
        Postcopy = 3, "Post-copy";
        /// Its migration in post-copy mode failed, and it runs.
        PostcopyFailed = 4, "Post-copy Error";
    }
    /// Why a domain stopped (`virDomainEventStoppedDetailType`).
    StoppedDetail {
        /// The guest shut down.
        Shutdown = 0, "Shutdown";
        /// Somebody stopped it by force.
        Destroyed = 1, "Destroyed";
        /// The guest crashed.
        Crashed = 2, "Crashed";
        /// It migrated to another host.
        Migrated = 3, "Migrated";
        /// Its state was saved.
        Saved = 4, "Saved";
        /// The hypervisor failed.
        Failed = 5, "Failed";
        /// Its snapshot was that of a domain that was off.
        FromSnapshot = 6, "Snapshot";
    }
    /// How a guest shut down (`virDomainEventShutdownDetailType`).
    ShutdownDetail {
        /// It is done, whoever wanted it.
        Finished = 0, "Finished";
        /// The guest wanted it.
        Guest = 1, "Finished after guest request";
        /// The host wanted it.
        Host = 2, "Finished after host request";
    }
    /// How a guest suspended itself (`virDomainEventPMSuspendedDetailType`).
    PmSuspendedDetail {
        /// To memory.
        Memory = 0, "Memory";
        /// To disk.
        Disk = 1, "Disk";
    }
    /// How a guest crashed (`virDomainEventCrashedDetailType`).
    CrashedDetail {
        /// It panicked.
        Panicked = 0, "Panicked";
        /// It loaded a crash kernel.
        Crashloaded = 1, "Crashloaded";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers of a detail have no gap, so that a newer libvirt's detail is not mistaken for another.
    #[test]
    fn numbers_count_up() {
        let numbers = SuspendedDetail::ALL.iter().map(|detail| detail.number());
        assert!(numbers.eq(0..9));
        let numbers = StoppedDetail::ALL.iter().map(|detail| detail.number());
        assert!(numbers.eq(0..7));
    }

    #[test]
    fn texts_are_virshs() {
        for (event, numbers, text) in [
            (
                LifecycleEvent::Defined(DefinedDetail::Added),
                (0, 0),
                "Defined Added",
            ),
            (
                LifecycleEvent::Started(StartedDetail::Wakeup),
                (2, 4),
                "Started Event wakeup",
            ),
            (
                LifecycleEvent::Stopped(StoppedDetail::FromSnapshot),
                (5, 6),
                "Stopped Snapshot",
            ),
            (
                LifecycleEvent::PmSuspended(PmSuspendedDetail::Disk),
                (7, 1),
                "PMSuspended Disk",
            ),
        ] {
            assert_eq!((event.number(), event.detail()), numbers);
            assert_eq!(event.to_string(), text);
        }
    }
}
