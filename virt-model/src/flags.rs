//! Flags of libvirt's functions.
//!
//! Each type is a `u32` with libvirt's numbers and names. Bits without a name here are kept: a newer
//! client may send them, and the function that is given them refuses them ([`refuse_unknown`]).

mod domain;
mod interface;
mod network;
mod node_device;
mod secret;
mod snapshot;
mod storage;

pub use domain::{
    AbortJobFlags, BlockResizeFlags, CreateFlags, DefineFlags, DestroyFlags, DeviceModifyFlags,
    DomainFilter, DomainXmlFlags, HostnameFlags, JobStatsFlags, MemoryModFlags, MessageFlags,
    MigrateFlags, ModificationImpact, RebootFlags, ShutdownFlags, StatsFlags, StatsTypes,
    UndefineFlags, VcpuFlags,
};
pub use interface::{InterfaceDefineFlags, InterfaceFilter, InterfaceXmlFlags};
pub use network::{
    NetworkCreateFlags, NetworkDefineFlags, NetworkFilter, NetworkUpdateCommand,
    NetworkUpdateFlags, NetworkUpdateSection, NetworkXmlFlags,
};
pub use node_device::{NodeDeviceCreateFlags, NodeDeviceDefineFlags, NodeDeviceFilter};
pub use secret::{SecretDefineFlags, SecretFilter};
pub use snapshot::{
    SnapshotCreateFlags, SnapshotDeleteFlags, SnapshotListFlags, SnapshotRevertFlags,
    SnapshotXmlFlags,
};
pub use storage::{
    StoragePoolBuildFlags, StoragePoolCreateFlags, StoragePoolDefineFlags, StoragePoolDeleteFlags,
    StoragePoolFilter, StoragePoolXmlFlags, StorageVolCreateFlags, StorageVolDeleteFlags,
    StorageVolDownloadFlags, StorageVolInfoFlags, StorageVolParseFlags, StorageVolResizeFlags,
    StorageVolUploadFlags,
};

use crate::ErrorNumber;

/// The flags of one of libvirt's functions.
pub trait Flags: Copy {
    /// The flags with these bits, known or not.
    fn from_bits(bits: u32) -> Self;

    /// libvirt's number.
    fn bits(self) -> u32;
}

/// Refuses the bits of `flags` that are not in `known`, as libvirt's `virCheckFlags` does.
///
/// `function` is the name of libvirt's function, which the text repeats.
///
/// ```
/// use virt_model::flags::{DestroyFlags, refuse_unknown};
///
/// let flags = DestroyFlags::GRACEFUL | DestroyFlags::from_bits(0x100);
/// let error = refuse_unknown(flags, DestroyFlags::GRACEFUL, "esxDomainDestroyFlags").unwrap_err();
/// assert_eq!(error.to_string(), "unsupported flags (0x100) in function esxDomainDestroyFlags");
/// ```
///
/// # Errors
/// If there are such bits.
pub fn refuse_unknown<F: Flags>(
    flags: F,
    known: F,
    function: &'static str,
) -> Result<(), UnsupportedFlags> {
    match flags.bits() & !known.bits() {
        0 => Ok(()),
        bits => Err(UnsupportedFlags { bits, function }),
    }
}

/// Refuses two flags together, as libvirt's `VIR_EXCLUSIVE_FLAGS_GOTO` does.
///
/// Each flag comes with its full name in libvirt, which the text repeats.
///
/// ```
/// use virt_model::flags::{VcpuFlags, refuse_both};
///
/// let flags = VcpuFlags::LIVE | VcpuFlags::CONFIG;
/// let live = (VcpuFlags::LIVE, "VIR_DOMAIN_AFFECT_LIVE");
/// let config = (VcpuFlags::CONFIG, "VIR_DOMAIN_AFFECT_CONFIG");
/// assert_eq!(
///     refuse_both(flags, live, config).unwrap_err().to_string(),
///     "Flags 'VIR_DOMAIN_AFFECT_LIVE' and 'VIR_DOMAIN_AFFECT_CONFIG' are mutually exclusive"
/// );
/// assert_eq!(refuse_both(VcpuFlags::LIVE, live, config), Ok(()));
/// ```
///
/// # Errors
/// If both are set.
pub fn refuse_both<F: Flags>(
    flags: F,
    one: (F, &'static str),
    other: (F, &'static str),
) -> Result<(), ExclusiveFlags> {
    let has = |flag: F| flags.bits() & flag.bits() != 0;
    match has(one.0) && has(other.0) {
        false => Ok(()),
        true => Err(ExclusiveFlags {
            flags: [one.1, other.1],
        }),
    }
}

/// Two flags that exclude each other.
///
/// [`Display`](std::fmt::Display) is libvirt's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Flags '{}' and '{}' are mutually exclusive", flags[0], flags[1])]
#[non_exhaustive]
pub struct ExclusiveFlags {
    /// libvirt's names of the flags.
    pub flags: [&'static str; 2],
}

impl ExclusiveFlags {
    /// libvirt's number for the error.
    pub const fn number(&self) -> ErrorNumber {
        ErrorNumber::InvalidArg
    }
}

/// Flags that a function does not know.
///
/// [`Display`](std::fmt::Display) is libvirt's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unsupported flags (0x{bits:x}) in function {function}")]
#[non_exhaustive]
pub struct UnsupportedFlags {
    /// The bits that are not known.
    pub bits: u32,
    /// libvirt's name of the function.
    pub function: &'static str,
}

impl UnsupportedFlags {
    /// libvirt's number for the error.
    pub const fn number(&self) -> ErrorNumber {
        ErrorNumber::InvalidArg
    }
}

/// Declares flag types: `NAME = bit number`, and groups of flags for the functions that list.
macro_rules! flags {
    ($(
        $(#[$doc:meta])*
        pub struct $name:ident {
            $($(#[$flag_doc:meta])* $flag:ident = $bit:literal,)*
        }
        $(groups {
            $($(#[$group_doc:meta])* $group:ident = $($member:ident)|+,)*
        })?
    )*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $name(u32);

        impl $name {
            /// No flag.
            pub const NONE: $name = $name(0);
            $($(#[$flag_doc])* pub const $flag: $name = $name(1 << $bit);)*

            /// Every flag with its name, in the order of the numbers.
            pub const NAMES: &'static [(&'static str, $name)] =
                &[$((stringify!($flag), $name::$flag)),*];

            /// The flags with these bits, known or not.
            pub const fn from_bits(bits: u32) -> $name {
                $name(bits)
            }

            /// libvirt's number.
            pub const fn bits(self) -> u32 {
                self.0
            }

            /// Whether no flag is set.
            pub const fn is_empty(self) -> bool {
                self.0 == 0
            }

            /// Whether every flag of `others` is set.
            pub const fn contains(self, others: $name) -> bool {
                self.0 & others.0 == others.0
            }

            /// Whether any flag of `others` is set.
            pub const fn intersects(self, others: $name) -> bool {
                self.0 & others.0 != 0
            }

            /// These flags except those of `others`.
            pub const fn without(self, others: $name) -> $name {
                $name(self.0 & !others.0)
            }
        }

        $(impl $name {
            $($(#[$group_doc])* pub const $group: $name = $name($($name::$member.0)|+);)*

            /// The groups.
            pub const GROUPS: &'static [$name] = &[$($name::$group),*];

            /// All flags of all groups.
            pub const FILTERS_ALL: $name = $name($($name::$group.0)|*);

            /// Whether `group` restricts the list: some of its flags are set, but not all.
            pub const fn restricts(self, group: $name) -> bool {
                self.intersects(group) && !self.contains(group)
            }

            /// Whether the group of the two flags `yes` and `no` admits an object that has (`is`)
            /// or lacks the property of `yes`.
            pub const fn admits(self, yes: $name, is: bool, no: $name) -> bool {
                let group = $name(yes.0 | no.0);
                !self.intersects(group) || self.contains(if is { yes } else { no })
            }
        })?

        impl $crate::flags::Flags for $name {
            fn from_bits(bits: u32) -> $name {
                $name(bits)
            }

            fn bits(self) -> u32 {
                self.0
            }
        }

        impl std::ops::BitOr for $name {
            type Output = $name;

            fn bitor(self, other: $name) -> $name {
                $name(self.0 | other.0)
            }
        }

        impl std::ops::BitOrAssign for $name {
            fn bitor_assign(&mut self, other: $name) {
                self.0 |= other.0;
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let names = $name::NAMES.iter().map(|&(name, flag)| (name, flag.0));
                $crate::flags::debug(f, stringify!($name), self.0, names)
            }
        }
    )* };
}

use flags;

flags! {
    /// The flags of a function that has none yet.
    pub struct NoFlags {}
}

/// Writes `Type(NAME | NAME | 0xREST)`.
fn debug(
    f: &mut std::fmt::Formatter<'_>,
    type_name: &str,
    bits: u32,
    names: impl Iterator<Item = (&'static str, u32)>,
) -> std::fmt::Result {
    let mut rest = bits;
    let mut parts = Vec::new();
    for (name, flag) in names {
        if rest & flag != 0 {
            parts.push(name.to_owned());
            rest &= !flag;
        }
    }
    if rest != 0 {
        parts.push(format!("{rest:#x}"));
    }
    if parts.is_empty() {
        parts.push("NONE".to_owned());
    }
    write!(f, "{type_name}({})", parts.join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_names_the_flags_and_keeps_the_rest() {
        let filter = DomainFilter::ACTIVE | DomainFilter::OTHER | DomainFilter::from_bits(1 << 20);
        assert_eq!(
            format!("{filter:?}"),
            "DomainFilter(ACTIVE | OTHER | 0x100000)"
        );
        assert_eq!(format!("{:?}", CreateFlags::NONE), "CreateFlags(NONE)");
    }

    #[test]
    fn contains_means_all_of_them() {
        let flags = DomainXmlFlags::SECURE | DomainXmlFlags::INACTIVE;
        assert!(flags.contains(DomainXmlFlags::INACTIVE));
        assert!(flags.contains(DomainXmlFlags::NONE));
        assert!(!flags.contains(DomainXmlFlags::SECURE | DomainXmlFlags::MIGRATABLE));
        assert_eq!(
            flags.without(DomainXmlFlags::SECURE),
            DomainXmlFlags::INACTIVE
        );
    }

    #[test]
    fn only_unknown_bits_are_refused() {
        let known = UndefineFlags::NVRAM | UndefineFlags::KEEP_NVRAM;
        assert_eq!(refuse_unknown(UndefineFlags::NONE, known, "f"), Ok(()));
        assert_eq!(refuse_unknown(UndefineFlags::NVRAM, known, "f"), Ok(()));
        let error = refuse_unknown(UndefineFlags::from_bits(0x8000_000f), known, "f").unwrap_err();
        assert_eq!((error.bits, error.function), (0x8000_0003, "f"));
        assert_eq!(error.number(), ErrorNumber::InvalidArg);
    }

    /// The groups of `names`' flags do not overlap; the sum of all groups is `all`.
    #[track_caller]
    fn check_groups(groups: impl Iterator<Item = u32>, all: u32) {
        let mut seen = 0;
        for group in groups {
            assert_eq!(seen & group, 0, "{group:#x} overlaps another group");
            seen |= group;
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn groups_do_not_overlap() {
        check_groups(
            DomainFilter::GROUPS.iter().map(|group| group.bits()),
            0xffff,
        );
        check_groups(NetworkFilter::GROUPS.iter().map(|group| group.bits()), 0x3f);
        check_groups(
            InterfaceFilter::GROUPS.iter().map(|group| group.bits()),
            0x3,
        );
        check_groups(
            NodeDeviceFilter::GROUPS.iter().map(|group| group.bits()),
            0xc03f_ffff,
        );
        check_groups(
            StoragePoolFilter::GROUPS.iter().map(|group| group.bits()),
            0xf_ffff,
        );
        check_groups(SecretFilter::GROUPS.iter().map(|group| group.bits()), 0xf);
        check_groups(
            SnapshotListFlags::GROUPS.iter().map(|group| group.bits()),
            // Neither ROOTS nor TOPOLOGICAL is in a group.
            0x3fe,
        );
    }

    #[test]
    fn a_group_mentioned_whole_restricts_nothing() {
        let group = DomainFilter::FILTERS_AUTOSTART;
        assert!(!DomainFilter::NONE.restricts(group));
        assert!(!group.restricts(group));
        assert!(DomainFilter::AUTOSTART.restricts(group));
        for is in [true, false] {
            assert!(group.admits(DomainFilter::AUTOSTART, is, DomainFilter::NO_AUTOSTART));
        }
    }

    /// libvirt's numbers, as its public headers have them.
    #[test]
    fn numbers_are_libvirts() {
        let numbers = [
            (CreateFlags::RESET_NVRAM.bits(), 1 << 5),
            (ShutdownFlags::PARAVIRT.bits(), 1 << 4),
            (RebootFlags::GUEST_AGENT.bits(), 1 << 1),
            (DefineFlags::VALIDATE.bits(), 1),
            (UndefineFlags::KEEP_TPM.bits(), 1 << 6),
            (DestroyFlags::REMOVE_LOGS.bits(), 1 << 1),
            (ModificationImpact::CONFIG.bits(), 1 << 1),
            (MemoryModFlags::MAXIMUM.bits(), 1 << 2),
            (VcpuFlags::HOTPLUGGABLE.bits(), 1 << 4),
            (HostnameFlags::AGENT.bits(), 1 << 1),
            (BlockResizeFlags::CAPACITY.bits(), 1 << 1),
            (DomainXmlFlags::MIGRATABLE.bits(), 1 << 3),
            (MigrateFlags::UNSAFE.bits(), 1 << 9),
            (MigrateFlags::ZEROCOPY.bits(), 1 << 20),
            (DomainFilter::NO_CHECKPOINT.bits(), 1 << 15),
            (SnapshotCreateFlags::VALIDATE.bits(), 1 << 9),
            (SnapshotListFlags::TOPOLOGICAL.bits(), 1 << 10),
            (SnapshotDeleteFlags::CHILDREN_ONLY.bits(), 1 << 2),
            (SnapshotRevertFlags::RESET_NVRAM.bits(), 1 << 3),
            (SnapshotXmlFlags::SECURE.bits(), 1),
            (NetworkXmlFlags::INACTIVE.bits(), 1),
            (NetworkFilter::INACTIVE.bits(), 1),
            (NetworkFilter::ACTIVE.bits(), 2),
            (NetworkDefineFlags::VALIDATE.bits(), 1),
            (NetworkCreateFlags::VALIDATE.bits(), 1),
            (NetworkUpdateFlags::CONFIG.bits(), 2),
            (NetworkUpdateCommand::AddFirst.number(), 4),
            (NetworkUpdateSection::DnsSrv.number(), 12),
            (InterfaceFilter::ACTIVE.bits(), 2),
            (InterfaceXmlFlags::INACTIVE.bits(), 1),
            (InterfaceDefineFlags::VALIDATE.bits(), 1),
            (NodeDeviceFilter::CAP_VPD.bits(), 1 << 21),
            (NodeDeviceFilter::ACTIVE.bits(), 1 << 31),
            (StoragePoolFilter::ISCSI_DIRECT.bits(), 1 << 19),
            (StoragePoolXmlFlags::INACTIVE.bits(), 1),
            (StoragePoolCreateFlags::VALIDATE.bits(), 1 << 3),
            (StoragePoolBuildFlags::OVERWRITE.bits(), 1 << 3),
            (StoragePoolDeleteFlags::ZEROED.bits(), 1),
            (StorageVolCreateFlags::VALIDATE.bits(), 1 << 2),
            (StorageVolDeleteFlags::WITH_SNAPSHOTS.bits(), 1 << 1),
            (StorageVolResizeFlags::SHRINK.bits(), 1 << 2),
            (StorageVolInfoFlags::GET_PHYSICAL.bits(), 1),
            (SecretFilter::NO_PRIVATE.bits(), 1 << 3),
        ];
        for (ours, libvirts) in numbers {
            assert_eq!(ours, libvirts);
        }
    }
}
