//! `anyType`: values whose type is stated in the message only.

use std::fmt;

use crate::binary::Binary;
use crate::datetime::DateTime;
use crate::enumeration::Enum;
use crate::error::DecodeError;
use crate::moref::ManagedObjectReference;
use crate::object::{DataObject, Object, cloned};
use crate::poly::Poly;
use crate::raw::RawElement;
use crate::value::{Value, View};

/// A value of any type.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Any {
    /// No value.
    #[default]
    None,
    /// `xsd:boolean`.
    Bool(bool),
    /// `xsd:byte`.
    Byte(i8),
    /// `xsd:short`.
    Short(i16),
    /// `xsd:int`.
    Int(i32),
    /// `xsd:long`.
    Long(i64),
    /// `xsd:float`.
    Float(f32),
    /// `xsd:double`.
    Double(f64),
    /// `xsd:string`.
    String(String),
    /// `xsd:anyURI`.
    Uri(String),
    /// `xsd:dateTime`.
    DateTime(DateTime),
    /// `xsd:base64Binary`.
    Binary(Binary),
    /// A reference to a managed object.
    Moref(ManagedObjectReference),
    /// A value of an enum.
    Enum(Box<EnumValue>),
    /// A data object or a fault.
    Object(Box<dyn Object>),
    /// `ArrayOf…`.
    Array(Box<Array>),
    /// A value of a type that this build doesn't have.
    Unknown(Box<RawElement>),
    /// A value that could not be decoded, with the error.
    Undecodable(Box<Undecodable>),
}

/// A value of an enum whose type is known by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumValue {
    /// The enum's name on the wire.
    pub type_name: String,
    /// The value as it is written on the wire.
    pub value: String,
}

/// The values of an `ArrayOf…`.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// The schema's name of the declared type of the items: `string`, `VirtualDevice`.
    pub item: String,
    /// The items.
    pub items: Vec<Any>,
}

/// A value that could not be decoded.
#[derive(Clone, Debug)]
pub struct Undecodable {
    /// The error, with the place in the value.
    pub error: DecodeError,
    /// The element as received.
    pub element: RawElement,
}

impl Any {
    /// The object as a value of any type.
    pub fn object(object: impl DataObject) -> Self {
        Self::Object(Box::new(object))
    }

    /// The enum's value as a value of any type.
    pub fn enumeration<E: Enum>(value: &E) -> Self {
        Self::enumeration_of(E::NAME, value.as_str())
    }

    pub(crate) fn enumeration_of(type_name: &str, value: &str) -> Self {
        Self::Enum(Box::new(EnumValue {
            type_name: type_name.to_owned(),
            value: value.to_owned(),
        }))
    }

    /// Whether there is no value.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// The data object, if it is one.
    pub fn as_object(&self) -> Option<&dyn Object> {
        match self {
            Self::Object(object) => Some(&**object),
            _ => None,
        }
    }

    /// The value's type as people and `xsi:type` name it.
    pub fn type_name(&self) -> String {
        let name = match self {
            Self::None => "nothing",
            Self::Bool(_) => "xsd:boolean",
            Self::Byte(_) => "xsd:byte",
            Self::Short(_) => "xsd:short",
            Self::Int(_) => "xsd:int",
            Self::Long(_) => "xsd:long",
            Self::Float(_) => "xsd:float",
            Self::Double(_) => "xsd:double",
            Self::String(_) => "xsd:string",
            Self::Uri(_) => "xsd:anyURI",
            Self::DateTime(_) => "xsd:dateTime",
            Self::Binary(_) => "xsd:base64Binary",
            Self::Moref(_) => "ManagedObjectReference",
            Self::Enum(value) => &value.type_name,
            Self::Object(object) => object.type_name(),
            Self::Array(array) => return array.type_name(),
            Self::Unknown(element) => element
                .type_name
                .as_deref()
                .unwrap_or("a value without a type"),
            Self::Undecodable(value) => value
                .element
                .type_name
                .as_deref()
                .unwrap_or("a value without a type"),
        };
        name.to_owned()
    }

    /// The value as a `T`.
    ///
    /// # Errors
    /// If it is of another type.
    pub fn cast<T: FromAny>(self) -> Result<T, CastError> {
        T::from_any(self)
    }
}

impl PartialEq for Any {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Bool(left), Self::Bool(right)) => left == right,
            (Self::Byte(left), Self::Byte(right)) => left == right,
            (Self::Short(left), Self::Short(right)) => left == right,
            (Self::Int(left), Self::Int(right)) => left == right,
            (Self::Long(left), Self::Long(right)) => left == right,
            (Self::Float(left), Self::Float(right)) => left == right,
            (Self::Double(left), Self::Double(right)) => left == right,
            (Self::String(left), Self::String(right)) | (Self::Uri(left), Self::Uri(right)) => {
                left == right
            }
            (Self::DateTime(left), Self::DateTime(right)) => left == right,
            (Self::Binary(left), Self::Binary(right)) => left == right,
            (Self::Moref(left), Self::Moref(right)) => left == right,
            (Self::Enum(left), Self::Enum(right)) => left == right,
            (Self::Object(left), Self::Object(right)) => **left == **right,
            (Self::Array(left), Self::Array(right)) => left == right,
            (Self::Unknown(left), Self::Unknown(right)) => left == right,
            (Self::Undecodable(left), Self::Undecodable(right)) => left.element == right.element,
            _ => false,
        }
    }
}

impl Array {
    /// The array's own type: `ArrayOfString`, `ArrayOfVirtualDevice`.
    ///
    /// Only the names of primitives are capitalised; a type whose name begins in lower case keeps it.
    pub fn type_name(&self) -> String {
        let mut name = String::from("ArrayOf");
        match PRIMITIVES.iter().find(|primitive| **primitive == self.item) {
            Some(primitive) => {
                let (first, rest) = primitive.split_at(1);
                name.push_str(&first.to_ascii_uppercase());
                name.push_str(rest);
            }
            None => name.push_str(&self.item),
        }
        name
    }

    /// The declared item type that an array's type name stands for.
    pub(crate) fn item_type(array: &str) -> Option<String> {
        let item = array.strip_prefix("ArrayOf")?;
        // The result is used as an element name, so it must be valid as one.
        let is_in_names = |c: char| c.is_alphanumeric() || "_-.".contains(c);
        if !item.starts_with(char::is_alphabetic) || !item.chars().all(is_in_names) {
            return None;
        }
        let primitive = PRIMITIVES.iter().find(|primitive| {
            primitive[1..] == *item.get(1..).unwrap_or_default()
                && primitive[..1].eq_ignore_ascii_case(item.get(..1).unwrap_or_default())
        });
        Some(primitive.map_or(item, |primitive| *primitive).to_owned())
    }
}

/// The schema types that are written with the prefix `xsd:`.
pub(crate) const PRIMITIVES: [&str; 12] = [
    "boolean",
    "byte",
    "short",
    "int",
    "long",
    "float",
    "double",
    "string",
    "anyURI",
    "dateTime",
    "base64Binary",
    "anyType",
];

/// A value is of another type than expected.
#[derive(Clone, Debug)]
pub enum CastError {
    /// The value is of another type.
    Type {
        /// The expected type.
        expected: String,
        /// The value found.
        found: String,
    },
    /// The value is a number outside the range of the expected type.
    Range {
        /// The expected type.
        expected: &'static str,
        /// The value found.
        value: i64,
    },
    /// The value could not be decoded.
    Undecodable(DecodeError),
}

impl fmt::Display for CastError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Type { expected, found } => write!(f, "expected {expected} but found {found}"),
            Self::Range { expected, value } => write!(f, "{value} does not fit into {expected}"),
            Self::Undecodable(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CastError {}

impl CastError {
    fn new(expected: &str, found: &Any) -> Self {
        match found {
            Any::Undecodable(value) => Self::Undecodable(value.error.clone()),
            _ => Self::Type {
                expected: expected.to_owned(),
                found: found.type_name(),
            },
        }
    }
}

/// A type that [`Any::cast`] can convert to.
pub trait FromAny: Sized {
    /// The value as this type.
    ///
    /// # Errors
    /// If it is of another type.
    fn from_any(any: Any) -> Result<Self, CastError>;
}

/// Accepts and drops any value.
impl FromAny for () {
    fn from_any(_: Any) -> Result<Self, CastError> {
        Ok(())
    }
}

impl FromAny for Any {
    fn from_any(any: Any) -> Result<Self, CastError> {
        Ok(any)
    }
}

impl<T: FromAny> FromAny for Option<T> {
    fn from_any(any: Any) -> Result<Self, CastError> {
        match any {
            Any::None => Ok(None),
            any => T::from_any(any).map(Some),
        }
    }
}

impl<T: FromAny> FromAny for Vec<T> {
    fn from_any(any: Any) -> Result<Self, CastError> {
        match any {
            Any::None => Ok(Vec::new()),
            Any::Array(array) => array.items.into_iter().map(T::from_any).collect(),
            any => Err(CastError::new("an array", &any)),
        }
    }
}

impl<B: DataObject> FromAny for Poly<B> {
    fn from_any(any: Any) -> Result<Self, CastError> {
        match any {
            Any::Object(object) => Self::from_object(object)
                .map_err(|object| CastError::new(B::type_info().name, &Any::Object(object))),
            any => Err(CastError::new(B::type_info().name, &any)),
        }
    }
}

impl<T: DataObject> FromAny for T {
    /// Takes a descendant of `T` too, and keeps its properties as a `T`.
    fn from_any(any: Any) -> Result<Self, CastError> {
        match any {
            Any::Object(mut object) => match object.cast_mut::<T>() {
                Some(found) => Ok(std::mem::take(found)),
                None => match object.cast::<T>() {
                    Some(found) => Ok(cloned(found)),
                    None => Err(CastError::new(T::type_info().name, &Any::Object(object))),
                },
            },
            any => Err(CastError::new(T::type_info().name, &any)),
        }
    }
}

/// Converts to an enum; generated `FromAny` impls call this.
///
/// # Errors
/// If the value is of another type. A string is accepted, because the API declares most enumerations as strings.
pub fn enumeration_from_any<E: Enum>(any: Any) -> Result<E, CastError> {
    match any {
        Any::Enum(value) if value.type_name == E::NAME => Ok(E::from_wire(&value.value)),
        Any::String(value) => Ok(E::from_wire(&value)),
        any => Err(CastError::new(E::NAME, &any)),
    }
}

macro_rules! primitive {
    ($($type:ty, $expected:literal, $($variant:ident)|+;)*) => {$(
        impl FromAny for $type {
            fn from_any(any: Any) -> Result<Self, CastError> {
                match any {
                    $(Any::$variant(value))|+ => Ok(value),
                    any => Err(CastError::new($expected, &any)),
                }
            }
        }
    )*};
}

primitive! {
    bool, "xsd:boolean", Bool;
    f32, "xsd:float", Float;
    f64, "xsd:double", Double;
    String, "xsd:string", String | Uri;
    DateTime, "xsd:dateTime", DateTime;
    Binary, "xsd:base64Binary", Binary;
    ManagedObjectReference, "ManagedObjectReference", Moref;
}

macro_rules! integer {
    ($($type:ty, $expected:literal;)*) => {$(
        impl FromAny for $type {
            /// Takes any integer that fits, because a property may be a short on one server and an int on another.
            fn from_any(any: Any) -> Result<Self, CastError> {
                let value = match any {
                    Any::Byte(value) => i64::from(value),
                    Any::Short(value) => i64::from(value),
                    Any::Int(value) => i64::from(value),
                    Any::Long(value) => value,
                    any => return Err(CastError::new($expected, &any)),
                };
                <$type>::try_from(value).map_err(|_| CastError::Range { expected: $expected, value })
            }
        }
    )*};
}

integer! {
    i8, "xsd:byte";
    i16, "xsd:short";
    i32, "xsd:int";
    i64, "xsd:long";
}

macro_rules! into_any {
    ($($type:ty, $variant:ident;)*) => {$(
        impl From<$type> for Any {
            fn from(value: $type) -> Self {
                Self::$variant(value)
            }
        }
    )*};
}

into_any! {
    bool, Bool;
    i8, Byte;
    i16, Short;
    i32, Int;
    i64, Long;
    f32, Float;
    f64, Double;
    String, String;
    DateTime, DateTime;
    Binary, Binary;
    ManagedObjectReference, Moref;
    Box<dyn Object>, Object;
}

impl From<&str> for Any {
    fn from(value: &str) -> Self {
        Self::String(value.to_owned())
    }
}

impl Any {
    /// The value, for code that is the same for all types.
    pub fn inner(&self) -> View<'_> {
        match self {
            Self::None => View::Unset,
            Self::Bool(value) => View::Bool(*value),
            Self::Byte(value) => View::Byte(*value),
            Self::Short(value) => View::Short(*value),
            Self::Int(value) => View::Int(*value),
            Self::Long(value) => View::Long(*value),
            Self::Float(value) => View::Float(*value),
            Self::Double(value) => View::Double(*value),
            Self::String(value) | Self::Uri(value) => View::Text(value),
            Self::DateTime(value) => View::DateTime(value),
            Self::Binary(value) => View::Binary(&value.0),
            Self::Moref(value) => View::Moref(value),
            Self::Object(object) => View::Object(&**object),
            Self::Array(array) => array.items.view(),
            Self::Enum(_) | Self::Unknown(_) | Self::Undecodable(_) => View::Any(self),
        }
    }
}

impl fmt::Display for EnumValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.value)
    }
}
