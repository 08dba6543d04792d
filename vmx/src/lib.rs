//! VMware's VMX files as libvirt's domain definitions, and back.
//!
//! - [`VmxFile`] is the text: keys and values in their order, edited without touching the rest;
//! - [`FileNames`] translates file names between the two worlds;
//! - [`VmxError`] and [`Warning`] say what could not be converted, with line and key.

mod error;
pub mod escape;
mod file;
pub mod names;
mod options;

pub use error::{Place, VmxError, Warning};
pub use file::{Entry, VmxFile};
pub use names::FileNames;
pub use options::{FormatOptions, LibvirtVersion, Mode, ParseLibvirtVersionError, ParseOptions};
