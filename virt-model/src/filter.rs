use std::{fmt, ops::BitOr};

/// Which domains a listing wants: libvirt's `VIR_CONNECT_LIST_DOMAINS_*` flags.
///
/// The flags come in groups ([`DomainFilter::GROUPS`]). A domain is listed when it has, of every
/// group that is mentioned, one of the mentioned properties; a group that is not mentioned, or
/// mentioned whole, asks nothing. The default lists everything.
///
/// ```
/// use virt_model::DomainFilter;
/// let filter = DomainFilter::ACTIVE | DomainFilter::NO_AUTOSTART;
/// assert!(filter.asks(DomainFilter::FILTERS_AUTOSTART));
/// assert!(filter.admits(DomainFilter::ACTIVE, true, DomainFilter::INACTIVE));
/// assert!(!filter.admits(DomainFilter::ACTIVE, false, DomainFilter::INACTIVE));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct DomainFilter(u32);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:literal,)*) => {
        impl DomainFilter {
            $($(#[$doc])* pub const $name: DomainFilter = DomainFilter(1 << $bit);)*

            const NAMES: &'static [(&'static str, DomainFilter)] =
                &[$((stringify!($name), DomainFilter::$name)),*];
        }
    };
}

flags! {
    /// Has an id: runs or is paused.
    ACTIVE = 0,
    /// Has no id.
    INACTIVE = 1,
    /// Stays when it is stopped.
    PERSISTENT = 2,
    /// Is gone when it is stopped.
    TRANSIENT = 3,
    /// Runs.
    RUNNING = 4,
    /// Is paused.
    PAUSED = 5,
    /// Is off.
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

impl DomainFilter {
    /// Lists every domain.
    pub const ALL: DomainFilter = DomainFilter(0);

    /// The group of [`ACTIVE`](Self::ACTIVE) and [`INACTIVE`](Self::INACTIVE).
    pub const FILTERS_ACTIVE: DomainFilter = DomainFilter(0b11);
    /// The group of [`PERSISTENT`](Self::PERSISTENT) and [`TRANSIENT`](Self::TRANSIENT).
    pub const FILTERS_PERSISTENT: DomainFilter = DomainFilter(0b11 << 2);
    /// The group of [`RUNNING`](Self::RUNNING), [`PAUSED`](Self::PAUSED),
    /// [`SHUTOFF`](Self::SHUTOFF) and [`OTHER`](Self::OTHER).
    pub const FILTERS_STATE: DomainFilter = DomainFilter(0b1111 << 4);
    /// The group of [`MANAGEDSAVE`](Self::MANAGEDSAVE) and
    /// [`NO_MANAGEDSAVE`](Self::NO_MANAGEDSAVE).
    pub const FILTERS_MANAGEDSAVE: DomainFilter = DomainFilter(0b11 << 8);
    /// The group of [`AUTOSTART`](Self::AUTOSTART) and [`NO_AUTOSTART`](Self::NO_AUTOSTART).
    pub const FILTERS_AUTOSTART: DomainFilter = DomainFilter(0b11 << 10);
    /// The group of [`HAS_SNAPSHOT`](Self::HAS_SNAPSHOT) and [`NO_SNAPSHOT`](Self::NO_SNAPSHOT).
    pub const FILTERS_SNAPSHOT: DomainFilter = DomainFilter(0b11 << 12);
    /// The group of [`HAS_CHECKPOINT`](Self::HAS_CHECKPOINT) and
    /// [`NO_CHECKPOINT`](Self::NO_CHECKPOINT).
    pub const FILTERS_CHECKPOINT: DomainFilter = DomainFilter(0b11 << 14);

    /// Every flag there is.
    pub const FILTERS_ALL: DomainFilter = DomainFilter(0xffff);

    /// The groups.
    pub const GROUPS: [DomainFilter; 7] = [
        DomainFilter::FILTERS_ACTIVE,
        DomainFilter::FILTERS_PERSISTENT,
        DomainFilter::FILTERS_STATE,
        DomainFilter::FILTERS_MANAGEDSAVE,
        DomainFilter::FILTERS_AUTOSTART,
        DomainFilter::FILTERS_SNAPSHOT,
        DomainFilter::FILTERS_CHECKPOINT,
    ];

    /// libvirt's bits; bits that libvirt 9 does not know are kept, for the driver to refuse.
    pub const fn from_bits(bits: u32) -> DomainFilter {
        DomainFilter(bits)
    }

    /// libvirt's bits.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether every flag of `other` is set.
    pub const fn contains(self, other: DomainFilter) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any flag of `other` is set.
    pub const fn intersects(self, other: DomainFilter) -> bool {
        self.0 & other.0 != 0
    }

    /// The flags set here and not in `other`.
    pub const fn without(self, other: DomainFilter) -> DomainFilter {
        DomainFilter(self.0 & !other.0)
    }

    /// Whether no flag is set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether the answer for `group` can matter: some of its flags are set, and not all.
    pub const fn asks(self, group: DomainFilter) -> bool {
        self.intersects(group) && !self.contains(group)
    }

    /// Whether a domain passes the group of two flags `yes` and `no`, when it `is` what `yes`
    /// says.
    pub const fn admits(self, yes: DomainFilter, is: bool, no: DomainFilter) -> bool {
        let group = DomainFilter(yes.0 | no.0);
        !self.intersects(group) || self.contains(if is { yes } else { no })
    }
}

impl BitOr for DomainFilter {
    type Output = DomainFilter;

    fn bitor(self, other: DomainFilter) -> DomainFilter {
        DomainFilter(self.0 | other.0)
    }
}

impl std::ops::BitOrAssign for DomainFilter {
    fn bitor_assign(&mut self, other: DomainFilter) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for DomainFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = *self;
        f.write_str("DomainFilter(")?;
        let mut bar = "";
        for &(name, flag) in DomainFilter::NAMES {
            if self.contains(flag) {
                write!(f, "{bar}{name}")?;
                bar = " | ";
                rest = rest.without(flag);
            }
        }
        if !rest.is_empty() {
            write!(f, "{bar}{:#x}", rest.0)?;
        }
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_cover_the_flags_once() {
        let mut seen = DomainFilter::ALL;
        for group in DomainFilter::GROUPS {
            assert!(!seen.intersects(group));
            seen |= group;
        }
        let named = DomainFilter::NAMES
            .iter()
            .fold(DomainFilter::ALL, |a, (_, b)| a | *b);
        assert_eq!(seen, named);
        assert_eq!(seen, DomainFilter::FILTERS_ALL);
    }

    #[test]
    fn a_group_mentioned_whole_asks_nothing() {
        let group = DomainFilter::AUTOSTART | DomainFilter::NO_AUTOSTART;
        assert!(!DomainFilter::ALL.asks(group));
        assert!(!group.asks(group));
        assert!(DomainFilter::AUTOSTART.asks(group));
        for is in [true, false] {
            assert!(group.admits(DomainFilter::AUTOSTART, is, DomainFilter::NO_AUTOSTART));
        }
    }

    #[test]
    fn debug_names_the_flags() {
        let filter = DomainFilter::ACTIVE | DomainFilter::OTHER | DomainFilter::from_bits(1 << 20);
        assert_eq!(
            format!("{filter:?}"),
            "DomainFilter(ACTIVE | OTHER | 0x100000)"
        );
    }
}
