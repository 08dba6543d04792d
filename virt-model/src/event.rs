//! Events: libvirt's kinds of events, their details, and virsh's words for them.
//!
//! A kind of event has an id: [`DomainEventId`], [`NetworkEventId`] and so on. What an event tells besides is in enums of
//! its own, such as [`LifecycleEvent`] or [`TrayChangeReason`].

mod close;
mod domain;
mod lifecycle;
mod network;
mod node_device;
mod secret;
mod storage_pool;

pub use self::close::ConnectCloseReason;
pub use self::domain::{
    AgentLifecycleReason, AgentLifecycleState, DomainEventId, GraphicsAddress,
    GraphicsAddressFamily, GraphicsPhase, GraphicsSubjectIdentity, IoErrorAction, MetadataType,
    TrayChangeReason, WatchdogAction,
};
pub use self::lifecycle::{
    CrashedDetail, DefinedDetail, LifecycleEvent, PmSuspendedDetail, ResumedDetail, ShutdownDetail,
    StartedDetail, StoppedDetail, SuspendedDetail, UndefinedDetail,
};
pub use self::network::{NetworkEventId, NetworkLifecycleEvent};
pub use self::node_device::{NodeDeviceEventId, NodeDeviceLifecycleEvent};
pub use self::secret::{SecretEventId, SecretLifecycleEvent};
pub use self::storage_pool::{StoragePoolEventId, StoragePoolLifecycleEvent};

/// Declares enums with libvirt's numbers and virsh's words.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $number:literal, $words:literal;)* })*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$value_doc])* $value = $number,)*
        }

        impl $name {
            /// Every value, in the order of the numbers.
            pub const ALL: &'static [$name] = &[$($name::$value),*];

            /// libvirt's number.
            pub const fn number(self) -> u32 {
                self as u32
            }

            /// virsh's words.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $($name::$value => $words,)*
                }
            }

            /// The value with that number.
            pub fn from_number(number: u32) -> Option<$name> {
                $name::ALL.iter().copied().find(|value| value.number() == number)
            }

            /// The value that virsh calls so.
            pub fn from_name(name: &str) -> Option<$name> {
                $name::ALL.iter().copied().find(|value| value.as_str() == name)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )* };
}

use words;
