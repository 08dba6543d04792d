//! Views of an object's properties, without their types.

use crate::error::DecodeError;
use crate::object::{DataObject, Object, ObjectInfo};
use crate::value::{List, Value, View};
use crate::wire::Reader;

/// A property of an object.
#[derive(Clone, Copy)]
pub enum Property<'a> {
    /// A value other than a data object of exactly the declared type.
    Value(&'a dyn Value),
    /// A required data object.
    Object(&'a dyn Object),
    /// An optional data object.
    Optional(&'a dyn OptionalObject),
    /// A list of data objects.
    Objects(&'a dyn Objects),
    /// A property that this build leaves out, because its type belongs to a disabled feature.
    Absent,
    /// Not a property but the description of the object's type, for [`INFO`](crate::INFO).
    Info(&'static ObjectInfo),
}

/// A mutable property of an object.
pub enum PropertyMut<'a> {
    /// A value other than a data object of exactly the declared type.
    Value(&'a mut dyn Value),
    /// A required data object.
    Object(&'a mut dyn Object),
    /// An optional data object.
    Optional(&'a mut dyn OptionalObject),
    /// A list of data objects.
    Objects(&'a mut dyn Objects),
    /// A property that this build leaves out, because its type belongs to a disabled feature.
    Absent,
}

impl<'a> Property<'a> {
    /// The value.
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
        // Most are values. The processor predicts this separate check better than a match of all kinds.
        match self {
            Self::Value(value) => value.decode(reader),
            property => property.decode_object(reader),
        }
    }

    #[inline(never)]
    fn decode_object(self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        let object = match self {
            // A part of the object around it.
            Self::Object(object) => return reader.object(object),
            Self::Optional(object) => object.fill(),
            Self::Objects(objects) => objects.push(),
            Self::Value(_) | Self::Absent => return reader.skip(),
        };
        reader.allocate(size_of_val(object))?;
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

/// An optional data object, without its type.
pub trait OptionalObject {
    /// The object, if it is set.
    fn get(&self) -> Option<&dyn Object>;
    /// Replaces the object with a new one whose properties are unset.
    fn fill(&mut self) -> &mut dyn Object;
    /// Removes the object.
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

/// A list of data objects, without their type.
#[expect(
    clippy::len_without_is_empty,
    reason = "one per type of object is compiled of each method"
)]
pub trait Objects {
    /// The number of objects.
    fn len(&self) -> usize;
    /// The object at a position; panics beyond the end.
    fn item(&self, index: usize) -> &dyn Object;
    /// Appends an object whose properties are unset.
    fn push(&mut self) -> &mut dyn Object;
    /// Removes all objects.
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
