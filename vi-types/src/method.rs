//! Methods as values.

use crate::any::{Any, CastError, FromAny};
use crate::moref::ManagedObjectReference;
use crate::object::{DataObject, Object, ObjectInfo};
use crate::property::{Property, PropertyMut};
use crate::registry::Registry;
use crate::value::View;

/// The request of a method: a struct of its parameters.
pub trait Method: Object + Default {
    /// The type of the result.
    type Output: Default + Send + Sync + 'static;
    /// The bindings that the method belongs to.
    type Bindings: Bindings;
    /// Its description.
    // A constant instead of a table, so that a program contains only the requests that it uses.
    const INFO: MethodInfo;
    /// The result, for code that is the same for all types.
    fn output(returned: &Self::Output) -> Property<'_>;
    /// The result, to be filled.
    fn output_mut(returned: &mut Self::Output) -> PropertyMut<'_>;

    /// The method's name on the wire, such as `PowerOnVM_Task`.
    fn name() -> &'static str {
        Self::INFO.name
    }

    /// The types that the answer may name.
    fn registry() -> &'static Registry {
        Self::Bindings::registry()
    }

    /// The object that the method is called on.
    fn called_on() -> This {
        Self::INFO.this
    }

    /// The object that the request names, if it names one.
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
    /// The type of the task's result; `()` if the description names none.
    type Result: FromAny;

    /// Reads `TaskInfo.result`.
    ///
    /// # Errors
    /// If the result is of another type than declared.
    fn task_result(result: Option<Any>) -> Result<Self::Result, CastError> {
        Self::Result::from_any(result.unwrap_or_default())
    }
}

/// A method declares the fault `F`: its call may fail with an `F` or a descendant.
///
/// Any method may also fail with a `RuntimeFault`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not declare the fault `{F}`",
    note = "its documentation lists those that it declares",
    note = "for a descendant of one of them, or a `RuntimeFault`, match the one that is declared, or use `SoapFault::cast`"
)]
// A marker for each of the 1,580 pairs, because an enum for each of the 235 different lists would take ten times as long
// to compile (0.8 s instead of 0.07 s), with nothing but the conversion of a fault.
pub trait Throws<F: DataObject>: Method {}

/// One generated set of bindings.
pub trait Bindings {
    /// The types by their names on the wire.
    fn registry() -> &'static Registry;
}

/// How the object that a method is called on is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum This {
    /// The request names it.
    Explicit,
    /// It is the only instance of its type, in this property of `ServiceContent`.
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
    /// The schema's name of the result's type, or of an item's type if it is a list; empty if the method returns nothing.
    pub returns: &'static str,
    /// The declared faults, separated by blanks; see [`faults`](Self::faults).
    pub throws: &'static str,
    /// The first API version with the method; empty if the description does not say.
    pub since: &'static str,
}

impl MethodInfo {
    /// The names of the declared faults.
    pub fn faults(&self) -> impl Iterator<Item = &'static str> {
        self.throws.split_ascii_whitespace()
    }
}
