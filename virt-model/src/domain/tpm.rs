//! Trusted platform modules.

use xmltree::Element;

use super::DeviceInfo;
use crate::{
    DomainXmlFlags,
    xml::{Build, Node, XmlError, yes_no},
};

/// A trusted platform module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tpm {
    /// The model: `tpm-tis`, `tpm-crb`, `tpm-spapr`, ….
    pub model: Option<String>,
    /// The backend.
    pub backend: TpmBackend,
    /// The address and the alias.
    pub info: DeviceInfo,
    #[doc(hidden)]
    pub _more: (),
}

/// The backend of a trusted platform module.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TpmBackend {
    /// A module of the host, passed through.
    Passthrough {
        /// The path of the device.
        device: Option<String>,
    },
    /// An emulator.
    Emulator {
        /// The version of the specification: `1.2`, `2.0`.
        version: Option<String>,
        /// Whether the state is kept when a transient domain ends.
        persistent_state: Option<bool>,
    },
    /// Another backend, by its type.
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

const MODELS: [&str; 5] = [
    "default",
    "tpm-tis",
    "tpm-crb",
    "tpm-spapr",
    "spapr-tpm-proxy",
];

impl Tpm {
    pub(super) fn read(mut node: Node<'_>) -> Result<Tpm, XmlError> {
        if node.count("backend") > 1 {
            return Err(node.error("only one TPM backend is supported"));
        }
        let Some(mut backend) = node.child("backend") else {
            return Err(node.error("missing TPM device backend"));
        };
        Ok(Tpm {
            model: node.one_of("model", &MODELS)?,
            backend: TpmBackend::read(&mut backend)?,
            info: DeviceInfo::read(&mut node)?,
            _more: (),
        })
    }

    pub(super) fn to_element(&self, flags: DomainXmlFlags) -> Element {
        Element::new("tpm")
            .maybe_attr("model", self.model.as_ref())
            .child(self.backend.to_element())
            .children(self.info.to_elements(flags))
    }
}

impl TpmBackend {
    fn read(node: &mut Node<'_>) -> Result<TpmBackend, XmlError> {
        let kind = node.required("type")?;
        Ok(match kind.as_str() {
            "passthrough" => TpmBackend::Passthrough {
                device: node.attr_of("device", "path"),
            },
            "emulator" => TpmBackend::Emulator {
                version: node.one_of("version", &["default", "1.2", "2.0"])?,
                persistent_state: node.yes_no("persistent_state")?,
            },
            "external" => TpmBackend::External,
            _ => return Err(node.invalid("type", &kind)),
        })
    }

    fn to_element(&self) -> Element {
        let backend = Element::new("backend");
        match self {
            TpmBackend::Passthrough { device } => {
                let device = device.as_ref();
                backend
                    .attr("type", "passthrough")
                    .children(device.map(|path| Element::new("device").attr("path", path)))
            }
            TpmBackend::Emulator {
                version,
                persistent_state,
            } => backend
                .attr("type", "emulator")
                .maybe_attr("version", version.as_ref())
                .maybe_attr("persistent_state", persistent_state.map(yes_no)),
            TpmBackend::External => backend.attr("type", "external"),
        }
    }
}
