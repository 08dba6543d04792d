//! VMware's VMX files as libvirt's domain definitions, and back.
//!
//! ```
//! let text = "config.version = \"8\"\nvirtualHW.version = \"13\"\ndisplayName = \"web\"\n";
//! let parsed = vmx::to_domain(text)?;
//! assert_eq!(parsed.domain.name.as_deref(), Some("web"));
//! for warning in &parsed.warnings {
//!     eprintln!("{warning}");
//! }
//! # Ok::<(), vmx::VmxError>(())
//! ```
//!
//! - [`to_domain`] converts a file without asking further; [`parse`] takes a [`FileNames`], which
//!   translates file names between the two worlds, and [`ParseOptions`];
//! - [`VmxFile`] is the text: keys and values in their order, edited without touching the rest;
//! - [`format`](format()) makes a file of a definition, for a host's [`FormatOptions`]; what it writes
//!   beyond libvirt is said there;
//! - [`VmxError`] and [`Warning`] say what could not be converted, with line, key and value.
//!
//! No I/O happens here.
//!
//! # As libvirt, or as VMware
//!
//! [`Mode::Strict`] gives the definition that libvirt gives, or libvirt's error, for each
//! [`LibvirtVersion`]. [`Mode::Lenient`] also converts what VMware reads and libvirt refuses, and
//! tells in warnings what it did instead. Where libvirt converts a file, both give the same
//! definition, but for names: VMware's escapes (`|22` for a quote) are undone in all of them, an
//! empty one of a file or a drive is none, and a virtual machine without a name, or with line ends
//! in it, gets one that libvirt takes back.
//!
//! What lenient mode reads beyond libvirt:
//!
//! - values without quotes, `;` and `//` comments, unescaped quotes in values, a byte order mark,
//!   NULs, lines that are no assignment; files whose `.encoding` is wrong or missing;
//! - any `config.version` and `virtualHW.version`; numbers and booleans with blanks around, `1`,
//!   `yes` and `on`; a default where a value cannot be read;
//! - any amount of memory; processors whose topology, affinity or shares cannot be read;
//! - `firmware = "bios"`, which is what a file without the key has;
//! - file names of another computer (`C:\…`, `\\server\…`), and names whose datastore is not known;
//! - disks that are no `.vmdk`: images in other formats, disks of the host; `auto detect` in a slot
//!   that doesn't say it is a CD-ROM drive; CD-ROM images that don't end in `.iso`; floppies that
//!   don't say what they are; a `deviceType` that doesn't fit;
//! - SCSI controllers and network cards of a model that libvirt doesn't know;
//! - network cards that are bridged without a network's name (VMware's `vmnet0`), host-only
//!   (`vmnet1`), on a custom network without a name, or connected in another way; ports of
//!   distributed switches without ids, also as an older libvirt;
//! - shared folders, serial and parallel ports that lack something or that libvirt has no word
//!   for (`thinprint`): they are left out, with a warning.
//!
//! Only a text that is no VMX file and an encrypted file are refused. Devices that libvirt's
//! definition has no place for (USB, sound, …) and keys that count twice are told as well.

mod defaults;
mod error;
pub mod escape;
mod file;
mod format;
pub mod names;
mod namespace;
mod options;
mod parse;

pub use defaults::defaults;
pub use error::{Place, VmxError, Warning};
pub use file::{Entry, VmxFile};
pub use format::format;
pub use names::FileNames;
pub use namespace::VmwareNamespace;
pub use options::{FormatOptions, Mode, ParseOptions};
pub use parse::{Parsed, parse, parse_file, to_domain};
pub use virt_model::{self, LibvirtVersion};

/// The README's examples, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
