use vi_types::ManagedObjectReference;

use super::{ObjectProperties, PropertyError};

/// A struct of properties of one type of managed object, read together; made by [`property_set!`](crate::property_set).
pub trait PropertySet: Sized {
    /// The managed object's type, such as `VirtualMachine`.
    const TYPE: &'static str;
    /// The properties' paths.
    const PATHS: &'static [&'static str];

    /// Takes the properties out of an answer.
    ///
    /// # Errors
    /// For the first property that is needed and not there, or that is of another type than declared.
    fn from_properties(properties: &mut ObjectProperties) -> Result<Self, PropertyError>;
}

/// One object's properties as a [`PropertySet`].
#[derive(Clone, Debug)]
pub struct Typed<P> {
    /// The object.
    pub object: ManagedObjectReference,
    /// Its properties, or the first one that was needed and could not be had.
    pub properties: Result<P, PropertyError>,
    /// All properties that the server refused or that could not be decoded, also where the set does without them.
    pub problems: Vec<PropertyError>,
}

impl<P: PropertySet> Typed<P> {
    pub(super) fn new(mut object: ObjectProperties) -> Self {
        let problems = object.problems().collect();
        Self {
            properties: P::from_properties(&mut object),
            object: object.object,
            problems,
        }
    }
}

/// Declares a struct of properties of a managed object, to be read with
/// [`Client::retrieve_set`](crate::Client::retrieve_set).
///
/// Each field names the property's path. A property may lack a value if its field is an `Option` (then `None`) or a
/// `Vec` (then empty); this includes one that the server refuses or that cannot be decoded.
///
/// ```
/// vi_client::property_set! {
///     /// What a list of virtual machines shows.
///     #[derive(Clone, Debug)]
///     pub struct Listed: VirtualMachine {
///         /// The name, percent-escaped as in the inventory.
///         pub name: String = "name",
///         pub uuid: Option<String> = "config.instanceUuid",
///     }
/// }
///
/// use vi_client::retrieve::PropertySet;
/// assert_eq!(Listed::TYPE, "VirtualMachine");
/// assert_eq!(Listed::PATHS, ["name", "config.instanceUuid"]);
/// ```
#[macro_export]
macro_rules! property_set {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident: $object:ident {
            $(
                $(#[$field_attribute:meta])*
                $field_visibility:vis $field:ident: $type:ty = $path:literal
            ),* $(,)?
        }
    ) => {
        $(#[$attribute])*
        $visibility struct $name {
            $($(#[$field_attribute])* $field_visibility $field: $type,)*
        }

        impl $crate::retrieve::PropertySet for $name {
            const TYPE: &'static str = stringify!($object);
            const PATHS: &'static [&'static str] = &[$($path),*];

            fn from_properties(
                properties: &mut $crate::retrieve::ObjectProperties,
            ) -> ::core::result::Result<Self, $crate::retrieve::PropertyError> {
                ::core::result::Result::Ok(Self {
                    $($field: properties.take_if_readable($path)?,)*
                })
            }
        }
    };
}
