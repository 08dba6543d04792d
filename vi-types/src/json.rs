//! JSON, in the form that vSphere's VI JSON has; any other format of serde that describes itself will do too.
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
//! Secret properties (passwords, tickets) are written like all others: JSON is for storing and sending, and not
//! for logs, which have `Debug`.
//!
//! # Reading
//!
//! Properties may come in any order; `_typeName` costs least as the first. It may be missing where the declared
//! type has no descendants. `null` is no value. An error says where it is:
//! `device[3].backing.fileName: invalid type: integer `5`, expected a string`.
//!
//! As in XML, a required property must be there, and nothing unknown is an error:
//!
//! - an unknown property is skipped;
//! - an unknown value of an enum is kept;
//! - an object of an unknown type is kept whole, as the XML that it would have been: an
//!   [`UnknownObject`](crate::UnknownObject) where a known type was declared, an [`Any::Unknown`](crate::Any)
//!   inside `anyType`. JSON doesn't say the order that the schema has; the XML has that of the JSON.
//!
//! What is only there as XML, of a type unknown here or a value that could not be decoded, is written with its
//! content under `_xml` (and attributes, if any, under `_attributes`), which is this crate's own addition. It is
//! decoded when it is read, so that a build which knows the type has the object.
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
