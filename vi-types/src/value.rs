//! Values of properties.

use std::fmt;

use crate::any::{Any, Array};
use crate::binary::Binary;
use crate::datetime::DateTime;
use crate::enumeration::Enum;
use crate::error::DecodeError;
use crate::moref::ManagedObjectReference;
use crate::object::Object;
use crate::property::Objects;
use crate::wire::Reader;

/// A value other than a data object: a primitive, an enum, a [`Poly`](crate::Poly), an [`Any`](crate::Any), or an option
/// or list of them.
pub trait Value: Send + Sync + 'static {
    /// The value, for code that is the same for all types.
    fn view(&self) -> View<'_>;

    /// Takes one more element in: a list grows, everything else is replaced. The reader stands just behind the
    /// start tag, and behind the end tag afterwards.
    ///
    /// # Errors
    /// When the element's content is not of this type.
    fn decode(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError>;

    /// Becomes a copy of what is seen in a value of the same type; one of another type changes nothing.
    fn assign(&mut self, from: View<'_>);

    /// Like [`Value::decode`], for an optional value.
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
        reader.allocate(size_of::<Self>())?;
        list.push(Self::default());
        match list.last_mut() {
            Some(item) => item.decode(reader),
            None => Ok(()),
        }
    }
}

/// A view of a [`Value`].
#[derive(Clone, Copy)]
pub enum View<'a> {
    /// An optional value that is unset.
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
    /// `xsd:string` and other strings.
    Text(&'a str),
    /// `xsd:dateTime`.
    DateTime(&'a DateTime),
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
    List(List<'a>),
}

/// A view of the values of a repeated element.
#[derive(Clone, Copy)]
pub enum List<'a> {
    /// Values.
    Values(&'a dyn Values),
    /// Data objects of exactly the declared type.
    Objects(&'a dyn Objects),
}

impl<'a> List<'a> {
    /// The number of values.
    pub fn len(self) -> usize {
        match self {
            Self::Values(values) => values.len(),
            Self::Objects(objects) => objects.len(),
        }
    }

    /// Whether the list is empty.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The value at a position; panics beyond the end.
    pub fn item(self, index: usize) -> View<'a> {
        match self {
            Self::Values(values) => values.item(index),
            Self::Objects(objects) => View::Object(objects.item(index)),
        }
    }

    /// The values in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = View<'a>> {
        (0..self.len()).map(move |index| self.item(index))
    }
}

/// A list of values, without their type.
pub trait Values {
    /// The number of values.
    fn len(&self) -> usize;
    /// Whether the list is empty.
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
            View::DateTime(value) => Any::DateTime(value.clone()),
            View::Binary(value) => Any::Binary(Binary(value.to_owned())),
            View::Enum(ty, value) => Any::enumeration_of(ty, value),
            View::Moref(value) => Any::Moref(value.clone()),
            View::Object(object) => Any::Object(object.boxed_clone()),
            View::Any(any) => any.clone(),
            View::List(list) => Any::Array(Box::new(Array {
                item: declared.to_owned(),
                items: list.iter().map(|item| item.to_any(declared)).collect(),
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
            (View::List(left), View::List(right)) => left.iter().eq(right.iter()),
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
            View::List(list) => f.debug_list().entries(list.iter()).finish(),
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
            View::List(List::Values(self))
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
                for from in from.iter() {
                    let mut item = T::default();
                    item.assign(from);
                    self.push(item);
                }
            }
            _ => {}
        }
    }
}

impl<T: Value> Values for Vec<T> {
    fn len(&self) -> usize {
        self.len()
    }

    fn item(&self, index: usize) -> View<'_> {
        self[index].view()
    }
}

impl<E: Enum> Value for E {
    fn view(&self) -> View<'_> {
        View::Enum(E::NAME, self.as_str())
    }

    fn decode(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        *self = reader.enumeration()?;
        Ok(())
    }

    fn assign(&mut self, from: View<'_>) {
        if let View::Enum(name, value) = from
            && name == E::NAME
        {
            *self = E::from_wire(value);
        }
    }

    /// An empty element is no value.
    fn decode_optional(
        slot: &mut Option<Self>,
        reader: &mut Reader<'_>,
    ) -> Result<(), DecodeError> {
        let value: E = reader.enumeration()?;
        *slot = (!value.is_unset()).then_some(value);
        Ok(())
    }
}

/// The answer of a method that returns nothing.
impl Value for () {
    fn view(&self) -> View<'_> {
        View::Unset
    }

    fn decode(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        reader.skip()
    }

    fn assign(&mut self, _: View<'_>) {}
}

/// How a type is viewed, read and assigned: by value, or by reference where it is not `Copy`.
macro_rules! plain {
    ($($type:ty, |$this:ident| $view:expr, |$reader:ident| $read:expr, $pattern:pat => $copy:expr;)*) => {$(
        impl Value for $type {
            fn view(&self) -> View<'_> {
                let $this = self;
                $view
            }

            fn decode(&mut self, $reader: &mut Reader<'_>) -> Result<(), DecodeError> {
                *self = $read?;
                Ok(())
            }

            fn assign(&mut self, from: View<'_>) {
                if let $pattern = from {
                    *self = $copy;
                }
            }
        }
    )*};
}

plain! {
    bool, |value| View::Bool(*value), |reader| reader.boolean(), View::Bool(value) => value;
    i8, |value| View::Byte(*value), |reader| reader.integer(), View::Byte(value) => value;
    i16, |value| View::Short(*value), |reader| reader.integer(), View::Short(value) => value;
    i32, |value| View::Int(*value), |reader| reader.integer(), View::Int(value) => value;
    i64, |value| View::Long(*value), |reader| reader.integer(), View::Long(value) => value;
    f32, |value| View::Float(*value), |reader| reader.float(), View::Float(value) => value;
    f64, |value| View::Double(*value), |reader| reader.float(), View::Double(value) => value;
    DateTime, |value| View::DateTime(value), |reader| reader.date_time(), View::DateTime(value) => value.clone();
    String, |value| View::Text(value), |reader| reader.string(), View::Text(text) => text.to_owned();
    Binary, |value| View::Binary(&value.0), |reader| reader.binary(), View::Binary(bytes) => Binary(bytes.to_owned());
    ManagedObjectReference, |value| View::Moref(value), |reader| reader.moref(), View::Moref(moref) => moref.clone();
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
