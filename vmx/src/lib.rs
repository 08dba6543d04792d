//! VMware's VMX files as libvirt's domain definitions, and back.
//!
//! - [`VmxFile`] is the text: keys and values in their order, edited without touching the rest;
//! - [`parse`] makes a definition of a file, [`format`](format()) a file of a definition;
//! - [`FileNames`] translates file names between the two worlds;
//! - [`VmxError`] and [`Warning`] say what could not be converted, with line and key.

mod error;
pub mod escape;
mod file;
mod format;
pub mod names;
mod options;
mod parse;

pub use error::{Place, VmxError, Warning};
pub use file::{Entry, VmxFile};
pub use format::format;
pub use names::FileNames;
pub use options::{FormatOptions, LibvirtVersion, Mode, ParseLibvirtVersionError, ParseOptions};
pub use parse::{Parsed, parse, parse_file, to_domain};
