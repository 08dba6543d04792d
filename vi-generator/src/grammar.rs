//! The syntax of a description.
//!
//! A description is read line by line. `#` begins a comment anywhere in a line; any number of blanks separates words. It
//! is a list of definitions, each of which ends with a line `end`:
//!
//! ```text
//! enum NAME [since VERSION]
//!     VALUE [since VERSION]
//! end
//!
//! object NAME [extends BASE] [since VERSION]             also `fault` and `managed object`
//!     TYPE NAME OCCURRENCE [ANNOTATION]...
//! end
//!
//! method NAME [returns TYPE OCCURRENCE] [ANNOTATION]...  `since` is the method's, the others the return value's
//!     ManagedObjectReference _this r                     or _this:MEMBER, see below
//!     TYPE NAME OCCURRENCE [ANNOTATION]...
//!     result TYPE OCCURRENCE [ANNOTATION]...
//!     throws FAULT, FAULT
//!     privilege PRIVILEGE
//! end
//! ```
//!
//! Between definitions, a line
//!
//! ```text
//! family NAME [needs FAMILY...]
//! ```
//!
//! begins a family: the definitions after it are compiled only with the feature of that name. The definitions before the
//! first family are always compiled. A line
//!
//! ```text
//! section NAME
//! ```
//!
//! begins a section of the family, or of the core before the first family. The definitions of a section share generated
//! files, which are named after family and section: `objects/host_time.rs`.
//!
//! This is the grammar of libvirt's `esx_vi_generator.input` with annotations, `fault`, `family`, `section` and the last
//! three lines of a method added. Properties stand in the order of the schema, base classes first.
//!
//! - A `fault` is an object that descends from `MethodFault`; the root is `fault MethodFault`. In a description
//!   that doesn't define `MethodFault`, as libvirt's, it stands for a value of any type.
//! - `_this:MEMBER` binds a method to the only instance of its object: `ServiceContent` has it in `MEMBER`.
//! - `to`, `link` and `holds` may name a definition that the description lacks, but not one of another kind.
//!
//! libvirt's generator skips text outside of definitions, so a definition with a misspelt keyword is lost silently. Here
//! such text is a mistake.

use std::fmt;

/// The keyword of a definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keyword {
    /// `enum`
    Enum,
    /// `object`
    Object,
    /// `fault`
    Fault,
    /// `managed object`
    ManagedObject,
    /// `method`
    Method,
}

impl Keyword {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Enum,
        Self::Object,
        Self::Fault,
        Self::ManagedObject,
        Self::Method,
    ];

    /// The keyword that a line's words begin with, and the words behind it.
    pub(crate) fn split<'a, 'b>(words: &'b [&'a str]) -> Option<(Self, &'b [&'a str])> {
        match words {
            ["enum", rest @ ..] => Some((Self::Enum, rest)),
            ["object", rest @ ..] => Some((Self::Object, rest)),
            ["fault", rest @ ..] => Some((Self::Fault, rest)),
            ["managed", "object", rest @ ..] => Some((Self::ManagedObject, rest)),
            ["method", rest @ ..] => Some((Self::Method, rest)),
            _ => None,
        }
    }

    /// The syntax of a definition's first line.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Enum => "enum <name> [since <version>]",
            Self::Object => "object <name> [extends <object>] [since <version>]",
            Self::Fault => "fault <name> [extends <fault>] [since <version>]",
            Self::ManagedObject => {
                "managed object <name> [extends <managed object>] [since <version>]"
            }
            Self::Method => "method <name> [returns <type> <occurrence>] [<annotation>...]",
        }
    }
}

impl fmt::Display for Keyword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Enum => "enum",
            Self::Object => "object",
            Self::Fault => "fault",
            Self::ManagedObject => "managed object",
            Self::Method => "method",
        })
    }
}

/// How often a property, parameter or return value occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Occurrence {
    /// `r`: exactly once.
    Required,
    /// `o`: at most once.
    Optional,
    /// `rl`: at least once.
    RequiredList,
    /// `ol`: any number of times.
    OptionalList,
    /// `i`: skipped when it is read and never written; its type need not be defined.
    Ignored,
}

impl Occurrence {
    /// The word in a description.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Required => "r",
            Self::Optional => "o",
            Self::RequiredList => "rl",
            Self::OptionalList => "ol",
            Self::Ignored => "i",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "r" => Self::Required,
            "o" => Self::Optional,
            "rl" => Self::RequiredList,
            "ol" => Self::OptionalList,
            "i" => Self::Ignored,
            _ => return None,
        })
    }
}

/// The predefined types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Predefined {
    /// `Boolean`
    Boolean,
    /// `Byte`, 8 bits with sign.
    Byte,
    /// `Short`, 16 bits with sign.
    Short,
    /// `Int`, 32 bits with sign.
    Int,
    /// `Long`, 64 bits with sign.
    Long,
    /// `Float`
    Float,
    /// `Double`
    Double,
    /// `String`
    String,
    /// `AnyURI`, a string.
    AnyUri,
    /// `Base64Binary`
    Base64Binary,
    /// `DateTime`
    DateTime,
    /// `AnyType`: a value with its type.
    AnyType,
    /// `ManagedObjectReference`
    ManagedObjectReference,
    /// `MethodFault`, in descriptions that don't define it: read as `AnyType`.
    MethodFault,
}

impl Predefined {
    /// All but [`Predefined::MethodFault`].
    pub const ALL: [Self; 13] = [
        Self::Boolean,
        Self::Byte,
        Self::Short,
        Self::Int,
        Self::Long,
        Self::Float,
        Self::Double,
        Self::String,
        Self::AnyUri,
        Self::Base64Binary,
        Self::DateTime,
        Self::AnyType,
        Self::ManagedObjectReference,
    ];

    /// The name in a description.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boolean => "Boolean",
            Self::Byte => "Byte",
            Self::Short => "Short",
            Self::Int => "Int",
            Self::Long => "Long",
            Self::Float => "Float",
            Self::Double => "Double",
            Self::String => "String",
            Self::AnyUri => "AnyURI",
            Self::Base64Binary => "Base64Binary",
            Self::DateTime => "DateTime",
            Self::AnyType => "AnyType",
            Self::ManagedObjectReference => "ManagedObjectReference",
            Self::MethodFault => "MethodFault",
        }
    }

    /// The name in the schema.
    pub const fn wire_name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::Byte => "byte",
            Self::Short => "short",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::String => "string",
            Self::AnyUri => "anyURI",
            Self::Base64Binary => "base64Binary",
            Self::DateTime => "dateTime",
            Self::AnyType => "anyType",
            Self::ManagedObjectReference => "ManagedObjectReference",
            Self::MethodFault => "MethodFault",
        }
    }

    /// The predefined type with that name; never [`Predefined::MethodFault`].
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ty| ty.name() == name)
    }
}
