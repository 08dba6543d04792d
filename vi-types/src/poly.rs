//! Positions that hold an object of the declared type or of any descendant.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use crate::error::DecodeError;
use crate::object::{BASE, DataObject, Extends, Object, ObjectInfo};
use crate::property::{Property, PropertyMut};
use crate::raw::RawElement;
use crate::value::{Value, View};
use crate::wire::Reader;

/// A `B` or a descendant of it.
///
/// Dereferences to `B`; [`cast`](Self::cast) and [`downcast_ref`](Self::downcast_ref) give a descendant. An object of a
/// type that this build does not know is kept whole: it dereferences to a `B`, has its own
/// [`type_name`](Self::type_name), and is encoded as received.
pub struct Poly<B: DataObject> {
    /// A `B` by its chain of bases: `new` takes nothing else and `read` checks it.
    object: Box<dyn Object>,
    base: PhantomData<fn() -> B>,
}

impl<B: DataObject> Poly<B> {
    /// Holds that object.
    pub fn new<T: Extends<B>>(object: T) -> Self {
        Self::holding(Box::new(object))
    }

    fn holding(object: Box<dyn Object>) -> Self {
        Self {
            object,
            base: PhantomData,
        }
    }

    /// Holds an object if it is a `B` or a descendant; returns it otherwise.
    ///
    /// # Errors
    /// The object, if it is not a `B` or a descendant.
    pub fn from_object(object: Box<dyn Object>) -> Result<Self, Box<dyn Object>> {
        if object.cast::<B>().is_some() {
            Ok(Self::holding(object))
        } else {
            Err(object)
        }
    }

    /// The object's type as the wire names it.
    pub fn type_name(&self) -> &str {
        self.object.type_name()
    }

    /// Whether the object is a `T` or a descendant of it.
    pub fn is<T: DataObject>(&self) -> bool {
        self.cast::<T>().is_some()
    }

    /// The object as a `T`, if it is that or a descendant of it.
    pub fn cast<T: DataObject>(&self) -> Option<&T> {
        self.object.cast()
    }

    /// The object as a `T`, to be changed, if it is that or a descendant of it.
    pub fn cast_mut<T: DataObject>(&mut self) -> Option<&mut T> {
        self.object.cast_mut()
    }

    /// The object as a `T`, if it is exactly that.
    pub fn downcast_ref<T: DataObject>(&self) -> Option<&T> {
        self.object.downcast_ref()
    }

    /// The object without its type.
    pub fn as_object(&self) -> &dyn Object {
        &*self.object
    }

    /// The object without its type, to be changed.
    pub fn as_object_mut(&mut self) -> &mut dyn Object {
        &mut *self.object
    }

    /// The object itself.
    pub fn into_object(self) -> Box<dyn Object> {
        self.object
    }
}

impl<B: DataObject> Deref for Poly<B> {
    type Target = B;

    #[expect(
        clippy::expect_used,
        reason = "every constructor checks that the object is a B"
    )]
    fn deref(&self) -> &B {
        self.object.cast().expect("a Poly holds what it says")
    }
}

impl<B: DataObject> DerefMut for Poly<B> {
    fn deref_mut(&mut self) -> &mut B {
        if self.object.cast_mut::<B>().is_none() {
            // Only a base class without properties is no part of its descendants; it has no size either, so
            // that any of its values will do and nothing is leaked.
            return Box::leak(Box::default());
        }
        #[expect(clippy::expect_used, reason = "it was there a line ago")]
        self.object.cast_mut().expect("a Poly holds what it says")
    }
}

impl<B: DataObject, T: Extends<B>> From<T> for Poly<B> {
    fn from(object: T) -> Self {
        Self::new(object)
    }
}

impl<B: DataObject> Default for Poly<B> {
    fn default() -> Self {
        Self::holding(Box::new(B::default()))
    }
}

impl<B: DataObject> Clone for Poly<B> {
    fn clone(&self) -> Self {
        Self::holding(self.object.clone())
    }
}

impl<B: DataObject> PartialEq for Poly<B> {
    fn eq(&self, other: &Self) -> bool {
        *self.object == *other.object
    }
}

impl<B: DataObject> fmt::Debug for Poly<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object.fmt(f)
    }
}

impl<B: DataObject> Value for Poly<B> {
    fn view(&self) -> View<'_> {
        View::Object(&*self.object)
    }

    fn decode(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        self.object = reader.descendant(B::type_info())?;
        Ok(())
    }

    fn assign(&mut self, from: View<'_>) {
        if let View::Object(object) = from
            && let Ok(copy) = Self::from_object(object.boxed_clone())
        {
            *self = copy;
        }
    }

    fn decode_optional(
        slot: &mut Option<Self>,
        reader: &mut Reader<'_>,
    ) -> Result<(), DecodeError> {
        *slot = Some(Self::holding(reader.descendant(B::type_info())?));
        Ok(())
    }

    fn decode_item(list: &mut Vec<Self>, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        reader.allocate(size_of::<Self>())?;
        list.push(Self::holding(reader.descendant(B::type_info())?));
        Ok(())
    }
}

/// An object of a type that this build does not have.
///
/// It acts as an object of the declared type and keeps the rest as XML.
#[derive(Clone)]
pub struct UnknownObject {
    /// The type's name on the wire.
    pub type_name: String,
    /// The properties of the declared type.
    pub declared: Box<dyn Object>,
    /// The element as received.
    pub element: RawElement,
}

impl PartialEq for UnknownObject {
    fn eq(&self, other: &Self) -> bool {
        self.type_name == other.type_name && self.element == other.element
    }
}

/// Nothing is declared with the type of an [`UnknownObject`], so that nobody makes one by it.
pub(crate) static UNKNOWN: ObjectInfo = ObjectInfo::new("", None, "", || {
    unreachable!("an unknown object is only made of an element")
});

impl Object for UnknownObject {
    fn type_info() -> &'static ObjectInfo {
        &UNKNOWN
    }

    fn get(&self, index: usize) -> Property<'_> {
        match index {
            BASE => Property::Object(&*self.declared),
            index => self.declared.get(index),
        }
    }

    fn get_mut(&mut self, index: usize) -> PropertyMut<'_> {
        match index {
            BASE => PropertyMut::Object(&mut *self.declared),
            index => self.declared.get_mut(index),
        }
    }
}
