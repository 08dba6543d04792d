//! Methods as values.

use crate::moref::ManagedObjectReference;
use crate::object::{Object, ObjectInfo};
use crate::property::{Property, PropertyMut};
use crate::registry::Registry;
use crate::value::View;

/// The request of a method: a struct of its parameters.
pub trait Method: Object + Default {
    /// What it returns.
    type Output: Default + Send + Sync + 'static;
    /// The bindings it belongs to.
    type Bindings: Bindings;
    /// What was returned, for code that treats all types alike.
    fn output(returned: &Self::Output) -> Property<'_>;
    /// What is returned, to be filled.
    fn output_mut(returned: &mut Self::Output) -> PropertyMut<'_>;

    /// The method's name on the wire, such as `PowerOnVM_Task`.
    fn name() -> &'static str {
        Self::type_info().name
    }

    /// The types that may occur in its answer.
    fn registry() -> &'static Registry {
        Self::Bindings::registry()
    }

    /// Which object it is called on.
    fn called_on() -> This {
        let info = Self::registry().method(Self::name());
        info.map_or(This::Explicit, |info| info.this)
    }

    /// The object it is called on, where the request says so.
    fn this(&self) -> Option<&ManagedObjectReference> {
        let index = Self::type_info().layout().index_of("_this")?;
        match self.get(index).view() {
            View::Moref(this) => Some(this),
            _ => None,
        }
    }
}

/// One generated set of bindings.
pub trait Bindings {
    /// Its types and methods by their names.
    fn registry() -> &'static Registry;
}

/// Which object a method is called on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum This {
    /// The one that the request names.
    Explicit,
    /// The only instance of its type, which `ServiceContent` has under this property.
    ServiceContent(&'static str),
}

/// The description of a method.
#[derive(Debug)]
pub struct MethodInfo {
    /// The method's name on the wire.
    pub name: &'static str,
    /// The request's parameters.
    pub request: &'static ObjectInfo,
    /// Which object it is called on.
    pub this: This,
    /// The schema's name of the result's type, of an item's where it is a list; empty when nothing is returned.
    pub returns: &'static str,
    /// The first API version that has it; empty when the description doesn't say.
    pub since: &'static str,
}
