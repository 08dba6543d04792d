//! Methods as values.

use crate::moref::ManagedObjectReference;
use crate::object::{Object, ObjectInfo};
use crate::property::{Property, PropertyMut};
use crate::registry::Registry;

/// The request of a method: a struct of its parameters.
pub trait Method: Object + Default {
    /// The method's name on the wire, such as `PowerOnVM_Task`.
    const NAME: &'static str;
    /// Which object it is called on.
    const THIS: This;
    /// What it returns.
    type Output: Default + Send + Sync + 'static;
    /// What was returned, for code that treats all types alike.
    fn output(returned: &Self::Output) -> Property<'_>;
    /// What is returned, to be filled.
    fn output_mut(returned: &mut Self::Output) -> PropertyMut<'_>;
    /// The types that may occur in its answer.
    fn registry() -> &'static Registry;
    /// The object it is called on, where the request says so.
    fn this(&self) -> Option<&ManagedObjectReference>;
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
