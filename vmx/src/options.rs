use virt_model::LibvirtVersion;

use crate::VmwareNamespace;

/// What becomes of a VMX file that VMware reads and libvirt refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// libvirt's definition or libvirt's error, byte for byte.
    Strict,
    /// A definition, and a warning for each thing that could not be carried over.
    #[default]
    Lenient,
}

/// How a VMX file becomes a definition.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ParseOptions {
    /// The libvirt whose definition is made.
    pub libvirt: LibvirtVersion,
    /// What becomes of a file that libvirt refuses.
    pub mode: Mode,
    /// The name of a domain whose file has no `displayName`, in [`Mode::Lenient`]. VMware takes
    /// the file's name without `.vmx`.
    pub default_name: Option<String>,
    /// The definition's elements in VMware's namespace.
    pub namespace: VmwareNamespace,
}

impl ParseOptions {
    /// The options that give the newest libvirt's answer.
    pub fn strict() -> ParseOptions {
        ParseOptions {
            mode: Mode::Strict,
            ..ParseOptions::default()
        }
    }

    /// As this libvirt does it.
    #[must_use]
    pub fn as_libvirt(mut self, version: LibvirtVersion) -> ParseOptions {
        self.libvirt = version;
        self
    }

    /// With this [`default_name`](ParseOptions::default_name).
    #[must_use]
    pub fn default_name(mut self, name: impl Into<String>) -> ParseOptions {
        self.default_name = Some(name.into());
        self
    }

    /// With this [`namespace`](ParseOptions::namespace).
    #[must_use]
    pub fn namespace(mut self, namespace: VmwareNamespace) -> ParseOptions {
        self.namespace = namespace;
        self
    }
}

/// How a definition becomes a VMX file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FormatOptions {
    /// The libvirt whose file is made.
    pub libvirt: LibvirtVersion,
    /// Whether what libvirt refuses and VMware has is written: SATA and NVMe disks, more NICs.
    pub mode: Mode,
    /// The file's `virtualHW.version`: 4 for ESX 3.5, 7 for 4.x, … 21 for 8.0.
    pub hardware_version: u32,
}

impl FormatOptions {
    /// The options for a file of this `virtualHW.version`.
    pub fn new(hardware_version: u32) -> FormatOptions {
        FormatOptions {
            libvirt: LibvirtVersion::default(),
            mode: Mode::default(),
            hardware_version,
        }
    }

    /// As this libvirt does it.
    #[must_use]
    pub fn as_libvirt(mut self, version: LibvirtVersion) -> FormatOptions {
        self.libvirt = version;
        self
    }

    /// With this [`mode`](FormatOptions::mode).
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> FormatOptions {
        self.mode = mode;
        self
    }
}
