//! Trusted platform modules.

use super::DeviceInfo;

/// A trusted platform module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tpm {
    /// The model: `tpm-tis`, `tpm-crb`, `tpm-spapr`, ….
    pub model: Option<String>,
    /// What stands behind it.
    pub backend: TpmBackend,
    /// Address, alias.
    pub info: DeviceInfo,
}

/// What stands behind a trusted platform module.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TpmBackend {
    /// A module of the host.
    Passthrough {
        /// Its device.
        device: Option<String>,
    },
    /// A program.
    Emulator {
        /// The version of the specification: `1.2`, `2.0`.
        version: Option<String>,
        /// Whether its state outlives the domain's definition.
        persistent_state: Option<bool>,
    },
    /// Something else.
    External,
}

impl Default for TpmBackend {
    fn default() -> TpmBackend {
        TpmBackend::Emulator {
            version: None,
            persistent_state: None,
        }
    }
}
