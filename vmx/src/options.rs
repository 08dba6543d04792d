use virt_model::LibvirtVersion;

use crate::VmwareNamespace;

/// What happens to VMX files and definitions that VMware accepts but libvirt refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Mode {
    /// Convert as libvirt does, or give libvirt's error, byte for byte.
    Strict,
    /// Convert them, with a warning for each difference.
    #[default]
    Lenient,
}

/// Options of reading a VMX file.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ParseOptions {
    /// The libvirt version whose definitions and errors to reproduce.
    pub libvirt: LibvirtVersion,
    /// What happens to a file that libvirt refuses.
    pub mode: Mode,
    /// The name of a domain whose file has no `displayName`, in [`Mode::Lenient`]. VMware takes the
    /// file's name without `.vmx`.
    pub default_name: Option<String>,
    /// Whether disks keep libvirt's names in [`Mode::Lenient`], though two may have one. A program that finds disks by their names
    /// needs the names that libvirt gives their places ([`Slot::names`](crate::Slot::names)).
    pub libvirts_disk_names: bool,
    /// The elements in VMware's namespace that the definition gets.
    pub namespace: VmwareNamespace,
}

impl ParseOptions {
    /// Options that reproduce the newest libvirt version.
    pub fn strict() -> ParseOptions {
        ParseOptions {
            mode: Mode::Strict,
            ..ParseOptions::default()
        }
    }

    /// Sets [`libvirt`](field@Self::libvirt).
    #[must_use]
    pub fn as_libvirt(mut self, version: LibvirtVersion) -> ParseOptions {
        self.libvirt = version;
        self
    }

    /// Sets [`default_name`](field@ParseOptions::default_name).
    #[must_use]
    pub fn default_name(mut self, name: impl Into<String>) -> ParseOptions {
        self.default_name = Some(name.into());
        self
    }

    /// Sets [`libvirts_disk_names`](field@ParseOptions::libvirts_disk_names).
    #[must_use]
    pub fn libvirts_disk_names(mut self) -> ParseOptions {
        self.libvirts_disk_names = true;
        self
    }

    /// Sets [`namespace`](field@ParseOptions::namespace).
    #[must_use]
    pub fn namespace(mut self, namespace: VmwareNamespace) -> ParseOptions {
        self.namespace = namespace;
        self
    }
}

/// Options of writing a VMX file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FormatOptions {
    /// The libvirt version whose files and errors to reproduce.
    pub libvirt: LibvirtVersion,
    /// Whether devices are written that VMware has but libvirt refuses: SATA and NVMe disks, more network
    /// cards.
    pub mode: Mode,
    /// The file's `virtualHW.version`: 4 for ESX 3.5, 7 for 4.x, … 21 for 8.0.
    pub hardware_version: u32,
}

impl FormatOptions {
    /// Options for a file with that `virtualHW.version`.
    pub fn new(hardware_version: u32) -> FormatOptions {
        FormatOptions {
            libvirt: LibvirtVersion::default(),
            mode: Mode::default(),
            hardware_version,
        }
    }

    /// Sets [`libvirt`](field@Self::libvirt).
    #[must_use]
    pub fn as_libvirt(mut self, version: LibvirtVersion) -> FormatOptions {
        self.libvirt = version;
        self
    }

    /// Sets [`mode`](field@FormatOptions::mode).
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> FormatOptions {
        self.mode = mode;
        self
    }
}
