//! What a property can hold.

use std::any::Any as StdAny;
use std::fmt;

use crate::any::{Any, Array};
use crate::binary::Binary;
use crate::datetime::DateTime;
use crate::error::DecodeError;
use crate::moref::ManagedObjectReference;
use crate::object::{DataObject, Object};
use crate::wire::Reader;

/// A property's value: a primitive, an enum, an object, or one of these optionally or repeatedly.
///
/// There is one of these for each generated type and for each way a property may hold it, so what can be
/// left to code that treats all types alike is left to it: a data object gives itself with
/// [`object_mut`](Value::object_mut), and the provided methods do the rest.
pub trait Value: StdAny + Send + Sync {
    /// What is held, for code that treats all types alike.
    fn view(&self) -> View<'_>;

    /// The data object that is held, to be changed.
    fn object_mut(&mut self) -> Option<&mut dyn Object> {
        None
    }

    /// Takes one more element in: a list grows, an object's properties are set, everything else is replaced.
    /// The reader stands just behind the start tag, and behind the end tag afterwards.
    ///
    /// # Errors
    /// When the element's content is not of this type.
    fn decode(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        match self.object_mut() {
            Some(object) => reader.object(object),
            None => reader.skip(),
        }
    }

    /// Becomes a copy of what is seen in a value of the same type; one of another type changes nothing.
    fn assign(&mut self, from: View<'_>) {
        if let (Some(object), View::Object(from)) = (self.object_mut(), from) {
            object.copy_from(from);
        }
    }

    /// Like [`Value::decode`], for a value that need not be there.
    ///
    /// # Errors
    /// As [`Value::decode`].
    fn decode_optional(slot: &mut Option<Self>, reader: &mut Reader<'_>) -> Result<(), DecodeError>
    where
        Self: Sized + Default,
    {
        slot.insert(Self::default()).decode(reader)
    }

    /// Like [`Value::decode`], for one more value of a list.
    ///
    /// # Errors
    /// As [`Value::decode`].
    fn decode_item(list: &mut Vec<Self>, reader: &mut Reader<'_>) -> Result<(), DecodeError>
    where
        Self: Sized + Default,
    {
        list.push(Self::default());
        match list.last_mut() {
            Some(item) => item.decode(reader),
            None => Ok(()),
        }
    }
}

/// A look at a [`Value`].
#[derive(Clone, Copy)]
pub enum View<'a> {
    /// An optional value that is not there.
    Unset,
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
    /// `xsd:string` and everything that is a string on the wire.
    Text(&'a str),
    /// `xsd:dateTime`.
    DateTime(DateTime),
    /// `xsd:base64Binary`, decoded.
    Binary(&'a [u8]),
    /// An enum: its type and its value.
    Enum(&'static str, &'a str),
    /// A reference to a managed object.
    Moref(&'a ManagedObjectReference),
    /// A data object.
    Object(&'a dyn Object),
    /// A value of any type.
    Any(&'a Any),
    /// A repeated element.
    List(&'a dyn List),
}

/// The values of a repeated element.
pub trait List {
    /// How many there are.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The value at a position; panics beyond the end.
    fn item(&self, index: usize) -> View<'_>;
}

impl View<'_> {
    /// A copy as a value of its own; `declared` is the schema's name of the declared type, which names an
    /// array (`ArrayOfVirtualDevice`).
    pub fn to_any(&self, declared: &str) -> Any {
        match *self {
            View::Unset => Any::None,
            View::Bool(value) => Any::Bool(value),
            View::Byte(value) => Any::Byte(value),
            View::Short(value) => Any::Short(value),
            View::Int(value) => Any::Int(value),
            View::Long(value) => Any::Long(value),
            View::Float(value) => Any::Float(value),
            View::Double(value) => Any::Double(value),
            View::Text(value) => Any::String(value.to_owned()),
            View::DateTime(value) => Any::DateTime(value),
            View::Binary(value) => Any::Binary(Binary(value.to_owned())),
            View::Enum(ty, value) => Any::enumeration_of(ty, value),
            View::Moref(value) => Any::Moref(value.clone()),
            View::Object(object) => Any::Object(object.boxed_clone()),
            View::Any(any) => any.clone(),
            View::List(list) => Any::Array(Box::new(Array {
                item: declared.to_owned(),
                items: (0..list.len())
                    .map(|index| list.item(index).to_any(declared))
                    .collect(),
            })),
        }
    }
}

impl PartialEq for View<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (View::Unset, View::Unset) => true,
            (View::Bool(left), View::Bool(right)) => left == right,
            (View::Byte(left), View::Byte(right)) => left == right,
            (View::Short(left), View::Short(right)) => left == right,
            (View::Int(left), View::Int(right)) => left == right,
            (View::Long(left), View::Long(right)) => left == right,
            (View::Float(left), View::Float(right)) => left == right,
            (View::Double(left), View::Double(right)) => left == right,
            (View::Text(left), View::Text(right)) => left == right,
            (View::DateTime(left), View::DateTime(right)) => left == right,
            (View::Binary(left), View::Binary(right)) => left == right,
            (View::Enum(_, left), View::Enum(_, right)) => left == right,
            (View::Moref(left), View::Moref(right)) => left == right,
            (View::Object(left), View::Object(right)) => left == right,
            (View::Any(left), View::Any(right)) => left == right,
            (View::List(left), View::List(right)) => {
                left.len() == right.len()
                    && (0..left.len()).all(|index| left.item(index) == right.item(index))
            }
            _ => false,
        }
    }
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            View::Unset => f.write_str("unset"),
            View::Bool(value) => value.fmt(f),
            View::Byte(value) => value.fmt(f),
            View::Short(value) => value.fmt(f),
            View::Int(value) => value.fmt(f),
            View::Long(value) => value.fmt(f),
            View::Float(value) => value.fmt(f),
            View::Double(value) => value.fmt(f),
            View::Text(value) => value.fmt(f),
            View::DateTime(value) => fmt::Display::fmt(&value, f),
            View::Binary(value) => write!(f, "({} bytes)", value.len()),
            View::Enum(_, value) => f.write_str(value),
            View::Moref(value) => fmt::Display::fmt(value, f),
            View::Object(object) => object.fmt(f),
            View::Any(any) => any.fmt(f),
            View::List(list) => f
                .debug_list()
                .entries((0..list.len()).map(|index| list.item(index)))
                .finish(),
        }
    }
}

impl<T: Value + Default> Value for Option<T> {
    fn view(&self) -> View<'_> {
        match self {
            Some(value) => value.view(),
            None => View::Unset,
        }
    }

    fn decode(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        T::decode_optional(self, reader)
    }

    fn assign(&mut self, from: View<'_>) {
        match from {
            View::Unset => *self = None,
            from => self.insert(T::default()).assign(from),
        }
    }
}

impl<T: Value + Default> Value for Vec<T> {
    fn view(&self) -> View<'_> {
        if self.is_empty() {
            View::Unset
        } else {
            View::List(self)
        }
    }

    fn decode(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        T::decode_item(self, reader)
    }

    fn assign(&mut self, from: View<'_>) {
        match from {
            View::Unset => self.clear(),
            View::List(from) => {
                self.clear();
                for index in 0..from.len() {
                    let mut item = T::default();
                    item.assign(from.item(index));
                    self.push(item);
                }
            }
            _ => {}
        }
    }
}

impl<T: Value> List for Vec<T> {
    fn len(&self) -> usize {
        self.len()
    }

    fn item(&self, index: usize) -> View<'_> {
        self[index].view()
    }
}

impl<T: DataObject> Value for Box<T> {
    fn view(&self) -> View<'_> {
        View::Object(&**self)
    }

    fn object_mut(&mut self) -> Option<&mut dyn Object> {
        Some(&mut **self)
    }
}

/// The answer of a method that returns nothing.
impl Value for () {
    fn view(&self) -> View<'_> {
        View::Unset
    }
}

macro_rules! primitive {
    ($($type:ty, $view:ident, $read:ident;)*) => {$(
        impl Value for $type {
            fn view(&self) -> View<'_> {
                View::$view(*self)
            }

            fn decode(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
                *self = reader.$read()?;
                Ok(())
            }

            fn assign(&mut self, from: View<'_>) {
                if let View::$view(value) = from {
                    *self = value;
                }
            }
        }
    )*};
}

primitive! {
    bool, Bool, boolean;
    i8, Byte, integer;
    i16, Short, integer;
    i32, Int, integer;
    i64, Long, integer;
    f32, Float, float;
    f64, Double, float;
    DateTime, DateTime, date_time;
}

impl Value for String {
    fn view(&self) -> View<'_> {
        View::Text(self)
    }

    fn decode(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        *self = reader.text()?.into_owned();
        Ok(())
    }

    fn assign(&mut self, from: View<'_>) {
        if let View::Text(text) = from {
            text.clone_into(self);
        }
    }
}

impl Value for Binary {
    fn view(&self) -> View<'_> {
        View::Binary(&self.0)
    }

    fn decode(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        *self = reader.binary()?;
        Ok(())
    }

    fn assign(&mut self, from: View<'_>) {
        if let View::Binary(bytes) = from {
            bytes.clone_into(&mut self.0);
        }
    }
}

impl Value for ManagedObjectReference {
    fn view(&self) -> View<'_> {
        View::Moref(self)
    }

    fn decode(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        *self = reader.moref()?;
        Ok(())
    }

    fn assign(&mut self, from: View<'_>) {
        if let View::Moref(reference) = from {
            self.clone_from(reference);
        }
    }
}

impl Value for Any {
    fn view(&self) -> View<'_> {
        match self {
            Any::None => View::Unset,
            any => View::Any(any),
        }
    }

    fn decode(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        *self = reader.any()?;
        Ok(())
    }

    fn assign(&mut self, from: View<'_>) {
        match from {
            View::Unset => *self = Any::None,
            View::Any(any) => self.clone_from(any),
            _ => {}
        }
    }
}
