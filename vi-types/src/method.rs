//! Methods as values.

use crate::any::{Any, CastError, FromAny};
use crate::moref::ManagedObjectReference;
use crate::object::{DataObject, Object, ObjectInfo};
use crate::property::{Property, PropertyMut};
use crate::registry::Registry;
use crate::value::View;

/// The request of a method: a struct of its parameters.
pub trait Method: Object + Default {
    /// What it returns.
    type Output: Default + Send + Sync + 'static;
    /// The bindings it belongs to.
    type Bindings: Bindings;
    /// Its description.
    // Here and in no table that all programs have, so that a program has the requests in it that it uses.
    const INFO: MethodInfo;
    /// What was returned, for code that treats all types alike.
    fn output(returned: &Self::Output) -> Property<'_>;
    /// What is returned, to be filled.
    fn output_mut(returned: &mut Self::Output) -> PropertyMut<'_>;

    /// The method's name on the wire, such as `PowerOnVM_Task`.
    fn name() -> &'static str {
        Self::INFO.name
    }

    /// The types that may occur in its answer.
    fn registry() -> &'static Registry {
        Self::Bindings::registry()
    }

    /// Which object it is called on.
    fn called_on() -> This {
        Self::INFO.this
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

/// A method that starts a task.
pub trait TaskMethod: Method {
    /// What the task gives in the end; `()` where the description says nothing of it.
    type Result: FromAny;

    /// Reads `TaskInfo.result`.
    ///
    /// # Errors
    /// When it is of another type than declared.
    fn task_result(result: Option<Any>) -> Result<Self::Result, CastError> {
        Self::Result::from_any(result.unwrap_or_default())
    }
}

/// A method declares the fault `F`: its call may fail with an `F` or a descendant.
///
/// Any method may fail with a `RuntimeFault` besides.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not declare the fault `{F}`",
    note = "its documentation lists those that it declares"
)]
// A marker for each of the 1,580 pairs and no enum for each of the 235 different lists: those enums, each with nothing
// but the conversion of a fault, take ten times as long to compile (0.8 s instead of 0.07 s).
pub trait Throws<F: DataObject>: Method {}

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
#[derive(Clone, Copy, Debug)]
pub struct MethodInfo {
    /// The method's name on the wire.
    pub name: &'static str,
    /// The request's parameters.
    // A function, as a constant cannot refer to a static that holds a `OnceLock` before Rust 1.90.
    pub request: fn() -> &'static ObjectInfo,
    /// The object that the method is called on.
    pub this: This,
    /// The type of that object, such as `VirtualMachine`; the object may also be of a descendant. Empty if the description
    /// does not say.
    pub managed_object: &'static str,
    /// The schema's name of the result's type, of an item's where it is a list; empty when nothing is returned.
    pub returns: &'static str,
    /// The faults that it declares, one blank between them; see [`faults`](Self::faults).
    pub throws: &'static str,
    /// The first API version that has it; empty when the description doesn't say.
    pub since: &'static str,
}

impl MethodInfo {
    /// The names of the faults that it declares.
    pub fn faults(&self) -> impl Iterator<Item = &'static str> {
        self.throws.split_ascii_whitespace()
    }
}
