#![doc = include_str!("../README.md")]
//! ## Inside
//!
//! Data objects and faults are structs in [`objects`], enumerations are in [`enums`], requests in [`methods`], and the
//! properties of managed objects in [`properties`]. All of them are generated from a description of the API;
//! [`families`] lists the contents of each family. The runtime below them is written by hand:
//!
//! - [`Object`] and [`Property`] are views of any type, so that encoding, decoding, equality, `Debug`, JSON and property
//!   [`path`]s are each written once;
//! - [`Poly`] holds an object of a declared type or of a descendant, even one that this build does not know;
//! - [`Any`] holds a value whose type is stated in the message only, or one that could not be decoded:
//!   [`Any::Undecodable`];
//! - [`wire`] reads and writes whole messages.
//!
//! References to managed objects have types in [`references`], with the API's methods as functions. The required
//! parameters are the arguments; set optional ones in the request:
//!
#![cfg_attr(feature = "api", doc = "```")]
#![cfg_attr(not(feature = "api"), doc = "```ignore")]
//! use vi_types::enums::VirtualMachineMovePriority::HighPriority;
//! use vi_types::methods::MigrateVmTask;
//! use vi_types::{ManagedObjectReference, references};
//!
//! let found = ManagedObjectReference::new("VirtualMachine", "vm-16");
//! let vm = references::VirtualMachine::from_moref(found).ok_or("no virtual machine")?;
//! let host = ManagedObjectReference::new("HostSystem", "host-9");
//! let request = MigrateVmTask { host: Some(host), ..vm.migrate_vm_task(HighPriority) };
//! assert_eq!(request.this, *vm.as_ref());
//! # Ok::<(), &str>(())
//! ```
//!
//! Unknown enum values, types and elements are not errors, and a value that cannot be decoded does not fail the rest of
//! the answer: see [`Any::Undecodable`].

mod any;
mod binary;
mod datetime;
mod enumeration;
mod error;
mod fault;
#[cfg(feature = "api")]
#[rustfmt::skip]
mod generated;
#[cfg(feature = "serde")]
pub mod json;
#[cfg(feature = "api")]
mod localized;
mod method;
mod moref;
mod object;
pub mod path;
mod poly;
mod property;
mod raw;
mod reference;
mod registry;
mod value;
mod version;
pub mod wire;

pub use any::{Any, Array, CastError, EnumValue, FromAny, Undecodable, enumeration_from_any};
pub use binary::Binary;
pub use datetime::{DateTime, ParseDateTimeError};
pub use enumeration::{Enum, EnumInfo};
pub use error::{DecodeError, DecodeErrorKind};
pub use fault::SoapFault;
#[cfg(all(feature = "api", doc))]
pub use generated::families;
#[cfg(feature = "api")]
pub use generated::{
    Bindings as Vim, enums, interface, methods, objects, properties, references, registry,
};
pub use method::{Bindings, Method, MethodInfo, TaskMethod, This, Throws};
pub use moref::ManagedObjectReference;
pub use object::{
    BASE, DataObject, Extends, Field, INFO, Layout, ManagedObject, Object, ObjectInfo, Occurrence,
    cloned, debug, equal,
};
pub use poly::{Poly, UnknownObject};
pub use property::{Objects, OptionalObject, Property, PropertyMut};
pub use raw::RawElement;
pub use reference::TypedReference;
pub use registry::{Interface, Registry};
pub use value::{List, Value, Values, View};
pub use version::VersionNumbers;
