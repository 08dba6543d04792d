//! Directories of the host that the guest sees.

use super::DeviceInfo;
use crate::words::words;

words! {
    /// What the guest sees.
    #[derive(Default)]
    pub enum FilesystemType {
        #[default]
        Mount = "mount",
        Block = "block",
        File = "file",
        Template = "template",
        Ram = "ram",
        Bind = "bind",
        Volume = "volume",
    }
}

words! {
    /// Whose rights files have.
    pub enum AccessMode {
        Passthrough = "passthrough",
        Mapped = "mapped",
        Squash = "squash",
    }
}

/// A directory of the host that the guest sees.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filesystem {
    /// What the guest sees.
    pub kind: FilesystemType,
    /// Whose rights files have.
    pub access_mode: Option<AccessMode>,
    /// The driver, `type` of `<driver>`.
    pub driver: Option<String>,
    /// Where it is on the host: the attribute `dir`, `dev`, `file` or `name` of `<source>`, as
    /// its kind has it.
    pub source: Option<String>,
    /// Where the guest sees it.
    pub target: String,
    /// Whether the guest can't write to it.
    pub readonly: bool,
    /// Address, alias.
    pub info: DeviceInfo,
}
