//! Property paths made of plain field accesses, which the compiler checks.

use std::marker::PhantomData;

use crate::moref::ManagedObjectReference;
use crate::object::{DataObject, ManagedObject, Object};
use crate::poly::Poly;
use crate::property::Property;
use crate::reference::TypedReference;

/// A property path whose steps are fields of the generated structs; `F` is what the last one holds.
///
/// A step's name on the wire is found by matching the field's address in a default object, so no code is generated for
/// paths.
///
/// ```
/// use vi_types::path::Path;
/// use vi_types::properties::VirtualMachine;
///
/// let path = Path::<VirtualMachine>::start()
///     .step(|vm| &vm.config)
///     .step(|config| &config.hardware)
///     .step(|hardware| &hardware.num_cpu);
/// assert_eq!(path.as_str(), "config.hardware.numCPU");
/// ```
///
/// ```compile_fail,E0609
/// # use vi_types::path::Path;
/// # use vi_types::properties::VirtualMachine;
/// let path = Path::<VirtualMachine>::start().step(|vm| &vm.power_state);
/// ```
#[derive(Clone, Debug)]
pub struct Path<F> {
    text: String,
    field: PhantomData<fn() -> F>,
}

impl<P: ManagedObject> Path<P> {
    /// The path without steps, from the properties of a managed object.
    pub fn start() -> Self {
        Self::new(String::new())
    }
}

impl<F> Path<F> {
    fn new(text: String) -> Self {
        Self {
            text,
            field: PhantomData,
        }
    }

    /// The path with the names of the wire.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The path with the names of the wire, of a property that can be read as a `D`.
    pub fn read_as<D>(self) -> String
    where
        F: ReadAs<D>,
    {
        self.text
    }
}

impl<F: Through> Path<F> {
    /// Adds a step to a property: `|object| &object.field`, where `field` may be one of a base class.
    ///
    /// # Panics
    /// If the function returns a reference to anything but a property, such as the base class.
    #[expect(
        clippy::panic,
        reason = "each field of a generated struct but the base class is a property"
    )]
    pub fn step<G: 'static>(self, field: fn(&F::Object) -> &G) -> Path<G> {
        let object = F::Object::default();
        let Some(name) = name_of(&object, field(&object)) else {
            let (ty, text) = (F::Object::type_info().name, self.text);
            panic!("a step that is no property of {ty} (path '{text}')");
        };
        match self.text.as_str() {
            "" => Path::new(name.to_owned()),
            text => Path::new(format!("{text}.{name}")),
        }
    }
}

/// The name of the property of `object` at the address of `field`.
fn name_of<G>(object: &dyn Object, field: &G) -> Option<&'static str> {
    let place = |value: *const (), size| (value.addr(), size);
    let looked_for = place(std::ptr::from_ref(field).cast(), size_of::<G>());
    let mut fields = object.info().all_fields().enumerate();
    let (_, field) = fields.find(|(index, _)| {
        // A type's first property lies where the type does, hence the size as well.
        let (property, size) = match object.get(*index) {
            Property::Value(value) => (std::ptr::from_ref(value).cast(), size_of_val(value)),
            Property::Object(object) => (std::ptr::from_ref(object).cast(), size_of_val(object)),
            Property::Optional(object) => (std::ptr::from_ref(object).cast(), size_of_val(object)),
            Property::Objects(objects) => {
                (std::ptr::from_ref(objects).cast(), size_of_val(objects))
            }
            Property::Absent | Property::Info(_) => return false,
        };
        place(property, size) == looked_for
    })?;
    Some(field.name)
}

/// A value that a [`Path`] can continue from: an object or an optional object.
#[diagnostic::on_unimplemented(
    message = "a property path ends at `{Self}`",
    note = "it goes on from a data object only: not from a list, nor from a value"
)]
pub trait Through {
    /// The object with the next property.
    type Object: DataObject;
}

impl<T: DataObject> Through for T {
    type Object = T;
}

impl<T: DataObject> Through for Option<Box<T>> {
    type Object = T;
}

impl<B: DataObject> Through for Poly<B> {
    type Object = B;
}

impl<B: DataObject> Through for Option<Poly<B>> {
    type Object = B;
}

/// The types that a property of this type can be read as.
///
/// A `T`, `Option<T>` or `Option<Box<T>>` is read as a `T` or an `Option<T>`, a `Vec<T>` as that or as an `Option` of
/// it. A reference may be read as a [`TypedReference`].
#[diagnostic::on_unimplemented(
    message = "a property that is a `{Self}` cannot be read as a `{D}`",
    note = "a `T`, `Option<T>` or `Option<Box<T>>` is read as a `T` or `Option<T>`, a `Vec<T>` as a `Vec<T>`"
)]
pub trait ReadAs<D> {}

impl<T> ReadAs<T> for T {}
impl<T> ReadAs<Option<T>> for T {}
impl<T> ReadAs<T> for Option<T> {}
impl<T> ReadAs<T> for Option<Box<T>> {}
impl<T> ReadAs<Option<T>> for Option<Box<T>> {}
impl<R: TypedReference> ReadAs<R> for ManagedObjectReference {}
impl<R: TypedReference> ReadAs<Option<R>> for ManagedObjectReference {}
impl<R: TypedReference> ReadAs<R> for Option<ManagedObjectReference> {}
impl<R: TypedReference> ReadAs<Option<R>> for Option<ManagedObjectReference> {}
impl<R: TypedReference> ReadAs<Vec<R>> for Vec<ManagedObjectReference> {}
