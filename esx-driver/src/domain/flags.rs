//! Flags of libvirt's functions.

use std::{fmt, ops::BitOr};

use virt_model::{ErrorNumber, domain::XmlFlags};

use crate::{Error, ErrorKind, Result};

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident { $($(#[$flag_doc:meta])* $flag:ident = $bit:literal,)* })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $name(u32);

        impl $name {
            /// None of them.
            pub const NONE: $name = $name(0);
            $($(#[$flag_doc])* pub const $flag: $name = $name(1 << $bit);)*

            /// Flags by libvirt's numbers.
            pub const fn from_bits(bits: u32) -> $name {
                $name(bits)
            }

            /// libvirt's numbers, added up.
            pub const fn bits(self) -> u32 {
                self.0
            }

            /// These without those.
            pub const fn without(self, others: $name) -> $name {
                $name(self.0 & !others.0)
            }

            /// libvirt's ESX driver knows no (other) flags of `function`.
            pub(crate) fn are_none(self, function: &str) -> Result<()> {
                match self.0 {
                    0 => Ok(()),
                    bits => Err(unsupported(bits, function)),
                }
            }
        }

        impl BitOr for $name {
            type Output = $name;

            fn bitor(self, other: $name) -> $name {
                $name(self.0 | other.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "(0x{:x})"), self.0)
            }
        }
    )* };
}

flags! {
    /// `virDomainCreateFlags`. As in libvirt's ESX driver none of them is supported.
    CreateFlags {
        /// Starts paused.
        PAUSED = 0,
        /// Is destroyed with the connection.
        AUTODESTROY = 1,
        /// Leaves the file system's cache alone.
        BYPASS_CACHE = 2,
        /// Forgets a managed save image.
        FORCE_BOOT = 3,
        /// Checks the XML against the schema.
        VALIDATE = 4,
        /// Begins with a new NVRAM.
        RESET_NVRAM = 5,
    }
    /// `virDomainShutdownFlagValues`. As in libvirt's ESX driver none of them is supported.
    ShutdownFlags {
        /// By the ACPI power button.
        ACPI_POWER_BTN = 0,
        /// By the guest agent.
        GUEST_AGENT = 1,
        /// By initctl.
        INITCTL = 2,
        /// By a signal.
        SIGNAL = 3,
        /// By the hypervisor's own way.
        PARAVIRT = 4,
    }
    /// `virDomainRebootFlagValues`. As in libvirt's ESX driver none of them is supported.
    RebootFlags {
        /// By the ACPI power button.
        ACPI_POWER_BTN = 0,
        /// By the guest agent.
        GUEST_AGENT = 1,
        /// By initctl.
        INITCTL = 2,
        /// By a signal.
        SIGNAL = 3,
        /// By the hypervisor's own way.
        PARAVIRT = 4,
    }
    /// `virDomainDefineFlags`.
    DefineFlags {
        /// Checks the document: what of it is not known is an error.
        VALIDATE = 0,
    }
    /// `virDomainUndefineFlagsValues`. Only snapshots' metadata, of which there are none, are supported, as in libvirt.
    UndefineFlags {
        /// Removes a managed save image.
        MANAGED_SAVE = 0,
        /// Removes snapshots' metadata.
        SNAPSHOTS_METADATA = 1,
        /// Removes the NVRAM file.
        NVRAM = 2,
        /// Keeps the NVRAM file.
        KEEP_NVRAM = 3,
        /// Removes checkpoints' metadata.
        CHECKPOINTS_METADATA = 4,
        /// Removes the TPM's state.
        TPM = 5,
        /// Keeps the TPM's state.
        KEEP_TPM = 6,
    }
    /// `virDomainDestroyFlagsValues`. As in libvirt's ESX driver none of them is supported.
    DestroyFlags {
        /// Only if the guest lets itself be ended.
        GRACEFUL = 0,
        /// Removes the logs too.
        REMOVE_LOGS = 1,
    }
}

/// Refuses the flags of a document that libvirt's ESX driver does not know.
pub(super) fn check_xml(flags: XmlFlags, function: &str) -> Result<()> {
    let known = XmlFlags::SECURE | XmlFlags::INACTIVE | XmlFlags::MIGRATABLE;
    match flags.bits() & !known.bits() {
        0 => Ok(()),
        bits => Err(unsupported(bits, function)),
    }
}

fn unsupported(bits: u32, function: &str) -> Error {
    let message = format!("unsupported flags (0x{bits:x}) in function {function}");
    Error::new(
        ErrorKind::UnsupportedFlags,
        ErrorNumber::InvalidArg,
        message,
    )
}
