//! The properties of an object, seen without their types.

use crate::error::DecodeError;
use crate::object::{DataObject, Object, ObjectInfo};
use crate::value::{List, Value, View};
use crate::wire::Reader;

/// A property of an object.
#[derive(Clone, Copy)]
pub enum Property<'a> {
    /// Anything but a data object of exactly the declared type.
    Value(&'a dyn Value),
    /// A data object that is always there.
    Object(&'a dyn Object),
    /// A data object that need not be there.
    Optional(&'a dyn OptionalObject),
    /// A list of data objects.
    Objects(&'a dyn Objects),
    /// A property that this build leaves out, since its type belongs to a feature that is off.
    Absent,
    /// No property: the description of the object's type, which is asked for by [`INFO`](crate::INFO).
    Info(&'static ObjectInfo),
}

/// A property of an object, to be changed.
pub enum PropertyMut<'a> {
    /// Anything but a data object of exactly the declared type.
    Value(&'a mut dyn Value),
    /// A data object that is always there.
    Object(&'a mut dyn Object),
    /// A data object that need not be there.
    Optional(&'a mut dyn OptionalObject),
    /// A list of data objects.
    Objects(&'a mut dyn Objects),
    /// A property that this build leaves out, since its type belongs to a feature that is off.
    Absent,
}

impl<'a> Property<'a> {
    /// What is held.
    pub fn view(self) -> View<'a> {
        match self {
            Self::Value(value) => value.view(),
            Self::Object(object) => View::Object(object),
            Self::Optional(object) => object.get().map_or(View::Unset, View::Object),
            Self::Objects(objects) if objects.len() == 0 => View::Unset,
            Self::Objects(objects) => View::List(List::Objects(objects)),
            Self::Absent | Self::Info(_) => View::Unset,
        }
    }
}

impl PropertyMut<'_> {
    /// Takes one more element in: a list grows, an object's properties are set, everything else is replaced.
    /// The reader stands just behind the start tag, and behind the end tag afterwards.
    ///
    /// # Errors
    /// When the element's content is not of the property's type.
    pub fn decode(self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        // Most are values. Asked apart: that is guessed better than which of all it is.
        match self {
            Self::Value(value) => value.decode(reader),
            property => property.decode_object(reader),
        }
    }

    #[inline(never)]
    fn decode_object(self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        let object = match self {
            Self::Object(object) => object,
            Self::Optional(object) => object.fill(),
            Self::Objects(objects) => objects.push(),
            Self::Value(_) | Self::Absent => return reader.skip(),
        };
        reader.object(object)
    }

    /// Becomes a copy of what is seen in a property of the same type; one of another type changes nothing.
    pub fn assign(self, from: View<'_>) {
        match (self, from) {
            (Self::Value(value), from) => value.assign(from),
            (Self::Object(object), View::Object(from)) => object.copy_from(from),
            (Self::Optional(object), View::Unset) => object.clear(),
            (Self::Optional(object), View::Object(from)) => object.fill().copy_from(from),
            (Self::Objects(objects), View::Unset) => objects.clear(),
            (Self::Objects(objects), View::List(from)) => {
                objects.clear();
                for from in from.iter() {
                    if let View::Object(from) = from {
                        objects.push().copy_from(from);
                    }
                }
            }
            _ => {}
        }
    }
}

/// A data object that need not be there, seen without its type.
pub trait OptionalObject {
    /// The object, if it is there.
    fn get(&self) -> Option<&dyn Object>;
    /// A new object with every property unset, in place of what was there.
    fn fill(&mut self) -> &mut dyn Object;
    /// There is no object any more.
    fn clear(&mut self);
}

impl<T: DataObject> OptionalObject for Option<Box<T>> {
    fn get(&self) -> Option<&dyn Object> {
        match self {
            Some(object) => Some(object.as_object()),
            None => None,
        }
    }

    fn fill(&mut self) -> &mut dyn Object {
        self.insert(T::boxed()).as_object_mut()
    }

    fn clear(&mut self) {
        *self = None;
    }
}

/// A list of data objects, seen without their type.
#[expect(
    clippy::len_without_is_empty,
    reason = "one per type of object is compiled of each method"
)]
pub trait Objects {
    /// How many there are.
    fn len(&self) -> usize;
    /// The object at a position; panics beyond the end.
    fn item(&self, index: usize) -> &dyn Object;
    /// One more object, with every property unset, at the end.
    fn push(&mut self) -> &mut dyn Object;
    /// There are no objects any more.
    fn clear(&mut self);
}

impl<T: DataObject> Objects for Vec<T> {
    fn len(&self) -> usize {
        self.len()
    }

    fn item(&self, index: usize) -> &dyn Object {
        self[index].as_object()
    }

    fn push(&mut self) -> &mut dyn Object {
        self.push(T::default());
        let last = self.len() - 1;
        self[last].as_object_mut()
    }

    fn clear(&mut self) {
        self.clear();
    }
}
