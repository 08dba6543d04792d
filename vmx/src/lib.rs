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
//! - [`to_domain`] converts a file; [`parse`] does so with [`ParseOptions`] and a [`FileNames`], which
//!   translates file names.
//! - [`format`](format()) converts a definition into a file, with [`FormatOptions`]; [`to_file`] also tells what the file lacks.
//! - [`VmxFile`] is the text of a file: its keys and values, which can be edited without changing the
//!   rest.
//! - [`VmxError`] and [`Warning`] carry the line, the key and the value.
//! - [`Slot`] is the place of a disk, and what definitions call it.
//! - [`VmwareNamespace`] has the elements of a domain in VMware's namespace, which VMX files lack.
//!
//! The crate does no I/O.
//!
//! # Strict and lenient mode
//!
//! [`Mode::Strict`] reproduces a [`LibvirtVersion`]: its definition or its error, byte for byte.
//! [`Mode::Lenient`] also converts files that VMware reads but libvirt refuses, and reports each
//! difference as a warning. Where libvirt converts a file, both modes give the same definition, except
//! that lenient mode
//!
//! - resolves VMware's escapes (`|22` for a quote) in all names, reads an empty name of a file, device or network and
//!   `emptyBackingString` as none, and gives a virtual machine whose name is missing or has line ends a name that libvirt accepts;
//! - leaves out the `nvram` file of a BIOS, with which libvirt defines no domain;
//! - leaves out an all-zero UUID or MAC address, and the MAC address of a group, for libvirt to choose one;
//! - gives each disk a name of its own: libvirt calls `scsi0:0` and `sata0:0` both `sda`, and defines no such
//!   domain. The disk that the machine boots from keeps `sda`;
//! - takes guests on ARM (`guestOS = "arm-ubuntu-64"`) for `aarch64` with EFI;
//! - connects a network card without a `connectionType` as VMware does: `bridged`;
//! - takes a serial or parallel port without a file or device for one of type `null`, and a `cdrom-raw` without a drive of the host
//!   for an empty CD-ROM drive: libvirt defines neither;
//! - takes the MAC address of a card that has it under the key of another `addressType`;
//! - takes a serial port at `telnet://:2001` for one that listens on all addresses;
//! - does not cut numbers to 32 bits, but says that they are too large;
//! - carries what libvirt's document has a place for, and libvirt does not read: disks that machines share
//!   (`sharing`, `sharedBus`) and disks on USB, cards that are not connected, `bios.bootOrder`, `rtc.diffFromUTC` and
//!   `rtc.startTime`, `mks.enable3d`, `managedvm.autoAddVTPM`, `sched.mem.min`, and a machine without a video card
//!   (`svga.present`) or a high precision timer (`hpet0.present`);
//! - warns about every other key that VMware may act on ([`Warning::left_out`]). The few kinds that nobody
//!   misses are listed, with the reasons, in `src/parse/needless.rs`.
//!
//! Lenient mode also reads:
//!
//! - two statements on one line (the first value is kept if the second one makes no sense), values without quotes, `;` and `//` comments, unescaped quotes in values, a byte order mark, NULs,
//!   lines that are not assignments, and files whose `.encoding` is wrong or missing;
//! - any `config.version` and `virtualHW.version`; numbers and booleans with blanks around them; `1`,
//!   `yes` and `on`. A value that makes no sense is replaced by a default;
//! - any amount of memory; processors whose topology, affinity or shares make no sense;
//! - `firmware = "bios"`, which is VMware's default;
//! - file names of another computer (`C:\…`, `\\server\…`), and names whose datastore is not known;
//! - disks that are not `.vmdk` files: images in other formats and disks of the host; `auto detect` in a
//!   slot that is not marked as a CD-ROM drive; CD-ROM images without the suffix `.iso`; floppy drives
//!   without a type; a wrong `deviceType`;
//! - SCSI controllers and network cards of models that libvirt does not know;
//! - network cards that are bridged without the name of a network (VMware's `vmnet0`), host-only
//!   (`vmnet1`), on a custom network without a name, or connected in another way; ports of distributed
//!   switches without IDs, also with an older libvirt version;
//! - shared folders that are incomplete, which are left out, and serial and parallel ports that libvirt has no word for
//!   (`thinprint`), which are of type `null`.
//!
//! It refuses only texts that are not VMX files, and encrypted files. It also warns of devices that
//! libvirt's definitions cannot have (other USB devices, sound, …), and of repeated keys.
//!
//! # Building values
//!
//! Structs whose fields are public get new fields in minor releases. Build them with
//! `..Default::default()`; a hidden field `_more` enforces it. [`ParseOptions`] and [`FormatOptions`]
//! are built with their functions and methods.

mod defaults;
mod error;
pub mod escape;
mod file;
mod format;
pub mod names;
mod namespace;
mod options;
mod parse;
mod slot;

pub use defaults::defaults;
pub use error::{Position, VmxError, Warning};
pub use file::{Entry, VmxFile};
pub use format::{Formatted, format, to_file};
pub use names::FileNames;
pub use namespace::VmwareNamespace;
pub use options::{FormatOptions, Mode, ParseOptions};
pub use parse::{Parsed, parse, parse_file, pci_address, to_domain};
pub use slot::{NoSlot, Slot};
pub use virt_model::{self, LibvirtVersion};

/// The type of opaque networks, which NSX makes: the value of `ethernetN.opaqueNetwork.type`.
///
/// libvirt (12.4.0) does not know such networks. A lenient conversion takes a network of a document whose name is a UUID for the
/// opaque network with that id, and the other way round.
pub const OPAQUE_NETWORK: &str = "nsx.LogicalSwitch";

/// The README's examples, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
