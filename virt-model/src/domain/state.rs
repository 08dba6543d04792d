use std::fmt;

/// The state of a domain (libvirt's `virDomainState`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum DomainState {
    /// Not known.
    #[default]
    NoState = 0,
    /// Is running.
    Running = 1,
    /// Is blocked on a resource.
    Blocked = 2,
    /// Is paused: its memory is kept, and it can be resumed.
    Paused = 3,
    /// Is being shut down.
    Shutdown = 4,
    /// Is shut off.
    Shutoff = 5,
    /// Is shut off after a crash.
    Crashed = 6,
    /// Is suspended by the guest's power management.
    PmSuspended = 7,
}

impl DomainState {
    /// Every state, in the order of the numbers.
    pub const ALL: [DomainState; 8] = [
        DomainState::NoState,
        DomainState::Running,
        DomainState::Blocked,
        DomainState::Paused,
        DomainState::Shutdown,
        DomainState::Shutoff,
        DomainState::Crashed,
        DomainState::PmSuspended,
    ];

    /// libvirt's number.
    pub const fn number(self) -> u32 {
        self as u32
    }

    /// The name libvirt writes in its XML documents (`virDomainStateTypeToString`): `nostate`,
    /// `running`, `shutoff`, ….
    pub const fn as_str(self) -> &'static str {
        match self {
            DomainState::NoState => "nostate",
            DomainState::Running => "running",
            DomainState::Blocked => "blocked",
            DomainState::Paused => "paused",
            DomainState::Shutdown => "shutdown",
            DomainState::Shutoff => "shutoff",
            DomainState::Crashed => "crashed",
            DomainState::PmSuspended => "pmsuspended",
        }
    }

    /// libvirt's names of the reasons for this state, indexed by the reason's number
    /// (`virDomain…ReasonTypeToString`).
    pub const fn reasons(self) -> &'static [&'static str] {
        match self {
            DomainState::NoState | DomainState::Blocked | DomainState::PmSuspended => &["unknown"],
            DomainState::Running => &[
                "unknown",
                "booted",
                "migrated",
                "restored",
                "from snapshot",
                "unpaused",
                "migration canceled",
                "save canceled",
                "wakeup",
                "crashed",
                "post-copy",
                "post-copy failed",
            ],
            DomainState::Paused => &[
                "unknown",
                "user",
                "migration",
                "save",
                "dump",
                "ioerror",
                "watchdog",
                "from snapshot",
                "shutdown",
                "snapshot",
                "panicked",
                "starting up",
                "post-copy",
                "post-copy failed",
            ],
            DomainState::Shutdown => &["unknown", "user"],
            DomainState::Shutoff => &[
                "unknown",
                "shutdown",
                "destroyed",
                "crashed",
                "migrated",
                "saved",
                "failed",
                "from snapshot",
                "daemon",
            ],
            DomainState::Crashed => &["unknown", "panicked"],
        }
    }
}

impl fmt::Display for DomainState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The reason for a domain's state: libvirt's number, whose meaning depends on the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct StateReason(pub u32);

impl StateReason {
    /// Not known. Every state has this reason.
    pub const UNKNOWN: StateReason = StateReason(0);

    /// libvirt's name of the reason. None if `state` has no such reason.
    pub fn name(self, state: DomainState) -> Option<&'static str> {
        state.reasons().get(self.0 as usize).copied()
    }
}

/// A domain's memory, processors and state (libvirt's `virDomainInfo`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DomainInfo {
    /// The state.
    pub state: DomainState,
    /// Maximum memory, in KiB.
    pub max_mem: u64,
    /// Memory in use, in KiB.
    pub memory: u64,
    /// Number of virtual processors.
    pub nr_virt_cpu: u32,
    /// Processor time used, in nanoseconds.
    pub cpu_time: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_order() {
        for (i, state) in DomainState::ALL.into_iter().enumerate() {
            assert_eq!(state.number() as usize, i);
        }
    }

    #[test]
    fn reason_zero_is_unknown_in_every_state() {
        for state in DomainState::ALL {
            assert_eq!(StateReason::UNKNOWN.name(state), Some("unknown"));
        }
    }

    #[test]
    fn reasons_depend_on_the_state() {
        assert_eq!(StateReason(2).name(DomainState::Shutoff), Some("destroyed"));
        assert_eq!(StateReason(1).name(DomainState::Running), Some("booted"));
        assert_eq!(StateReason(1).name(DomainState::Blocked), None);
    }
}
