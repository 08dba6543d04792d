//! JSON in the form of vSphere's VI JSON; other self-describing formats of serde work too.
//!
//! | value | JSON |
//! |---|---|
//! | data object, fault | an object with its type under `_typeName`; unset properties are left out |
//! | request | the same, with the method's name; VI JSON has its `_this` in the URL, here it is a property |
//! | list | an array |
//! | `boolean`, integers, `float`, `double` | `true`, `5`, `1.5`; what is no number is `"NaN"`, `"INF"`, `"-INF"` |
//! | `string`, `anyURI`, enum | a string |
//! | `dateTime`, `base64Binary` | a string, as in XML: RFC 3339 where a zone is given |
//! | reference | `{"_typeName": "ManagedObjectReference", "type": …, "value": …}` |
//! | `anyType` | data objects and references as above; the rest as `{"_typeName": "int", "_value": 5}` and `{"_typeName": "ArrayOfInt", "_value": [5]}` |
//!
//! Secret properties (passwords, tickets) are written like all others, because JSON is for storing and sending. Use
//! `Debug` for logs: it hides them.
//!
//! # Reading
//!
//! Properties may come in any order; reading is fastest with `_typeName` first. It may be missing if the declared type has
//! no descendants. `null` means unset. An error names its place:
//! `device[3].backing.fileName: invalid type: integer `5`, expected a string`.
//!
//! As in XML, a required property must exist, and unknown parts are not errors:
//!
//! - an unknown property is skipped;
//! - an unknown value of an enum is kept;
//! - an object of an unknown type is kept whole, as the XML that it would have been: an
//!   [`UnknownObject`](crate::UnknownObject) where a known type was declared, an [`Any::Unknown`](crate::Any)
//!   inside `anyType`. JSON doesn't say the order that the schema has; the XML has that of the JSON.
//!
//! A value that is kept as XML, because its type is unknown or it could not be decoded, is written with its content under
//! `_xml` and its attributes under `_attributes`. This is an addition of this crate. Reading decodes that XML, so a build
//! that knows the type gets the object.
//!
//! # Types of other bindings
//!
//! Generated types know the set that they belong to. [`Any`](crate::Any) itself is read with the types of this
//! crate; [`In`] reads one with those of another set.

mod read;
mod tree;
mod write;

pub use read::{Base, In, deserialize, deserialize_enumeration, fill};
pub use write::serialize;

/// serde's traits for a generated type: `object` for whatever has properties, `object base` for a type that
/// positions are declared with, `enum`.
#[doc(hidden)]
#[macro_export]
macro_rules! serde {
    (object base $type:ident) => {
        $crate::serde!(object $type);
        impl $crate::json::Base for $type {
            type Bindings = super::super::Bindings;
        }
    };
    (object $type:ident) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::json::serialize(self, serializer)
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::json::deserialize::<Self, super::super::Bindings, D>(deserializer)
            }
        }
    };
    (enum $type:ident) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($crate::Enum::as_str(self))
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::json::deserialize_enumeration(deserializer)
            }
        }
    };
}
