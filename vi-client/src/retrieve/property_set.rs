use std::slice::Iter;

use vi_types::ManagedObjectReference;

use super::{ObjectProperties, PropertyError};

/// A struct of properties of one type of managed object, declared by [`property_set!`](crate::property_set).
pub trait PropertySet: Sized {
    /// The managed object's type, such as `VirtualMachine`.
    const TYPE: &'static str;

    /// The properties' paths, such as `runtime.powerState`, in the order of the fields.
    fn paths() -> &'static [String];

    /// Takes the properties out of an answer.
    ///
    /// # Errors
    /// For the first property that lacks a value the struct needs, or that is of another type than declared.
    fn from_properties(properties: &mut ObjectProperties) -> Result<Self, PropertyError> {
        Self::updated(None, properties)
    }

    /// Takes the properties out of what a watch tells of an object, and copies those that it does not mention from
    /// `before`.
    ///
    /// # Errors
    /// As [`from_properties`](Self::from_properties).
    #[doc(hidden)]
    fn updated(before: Option<&Self>, told: &mut ObjectProperties) -> Result<Self, PropertyError>;

    /// Whether [`updated`](Self::updated) finds a value for every property that needs one.
    #[doc(hidden)]
    fn is_complete(before: Option<&Self>, told: &ObjectProperties) -> bool;

    /// Whether both have the same properties.
    #[doc(hidden)]
    fn is_same(&self, other: &Self) -> bool;
}

/// One object's properties as a [`PropertySet`].
#[non_exhaustive]
#[derive(Clone, Debug)]
pub struct Typed<P> {
    /// The object.
    pub object: ManagedObjectReference,
    /// The properties, or the error of the first property that the set needs and lacks.
    pub properties: Result<P, PropertyError>,
    /// All properties that the server refused or that could not be decoded, including optional ones.
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

/// The next field's path, for [`property_set!`](crate::property_set).
#[doc(hidden)]
pub fn next_path(paths: &mut Iter<'static, String>) -> &'static str {
    // A set has a path for each field.
    paths.next().map_or("", String::as_str)
}

/// Declares a struct of properties of a managed object.
///
/// [`Client::read`](crate::Client::read) reads it of one object, [`Client::retrieve_set`](crate::Client::retrieve_set)
/// of many.
///
/// Each field names its property by a path of Rust fields, such as `config.hardware.num_cpu`: first a field of the
/// struct in [`vi_types::properties`], then fields of structs in [`vi_types::objects`]. The compiler checks that the
/// property exists and that its type fits the field: a property of type `T` is read as `T` or `Option<T>`, a list as
/// `Vec<T>`, and a reference also as one of [`vi_types::references`]. A path ends at a list.
///
/// A property without a value, one that the server refuses, and one that cannot be decoded are `None` in an `Option`
/// and empty in a `Vec`. Any other field needs a value; without it, reading the set is an error.
///
/// ```
/// use vi_client::retrieve::PropertySet;
/// use vi_client::vi_types::enums::VirtualMachinePowerState;
/// use vi_client::vi_types::objects::{GuestNicInfo, VirtualDevice};
/// use vi_client::vi_types::{Poly, references};
///
/// vi_client::property_set! {
///     /// What a list of virtual machines shows.
///     #[derive(Clone, Debug)]
///     pub struct Listed: VirtualMachine {
///         /// The name, percent-escaped as in the inventory.
///         pub name: String = name,
///         pub state: VirtualMachinePowerState = runtime.power_state,
///         pub uuid: Option<String> = config.instance_uuid,
///         pub devices: Vec<Poly<VirtualDevice>> = config.hardware.device,
///         pub nics: Vec<GuestNicInfo> = guest.net,
///         pub pool: Option<references::ResourcePool> = resource_pool,
///     }
/// }
///
/// assert_eq!(Listed::TYPE, "VirtualMachine");
/// assert_eq!(Listed::paths()[1..4], ["runtime.powerState", "config.instanceUuid", "config.hardware.device"]);
/// ```
///
/// A path may also be a string, which the compiler does not check. Use it to go beyond an item of a list, named by its
/// key, or to a property that only a descendant of the declared type has.
///
/// ```
/// vi_client::property_set! {
///     struct Disk: VirtualMachine {
///         name: String = name,
///         capacity: Option<i64> = "config.hardware.device[2000].capacityInKB",
///     }
/// }
/// ```
///
/// No such property:
///
/// ```compile_fail,E0609
/// vi_client::property_set! {
///     struct Wrong: VirtualMachine { state: Option<String> = runtime.state }
/// }
/// ```
///
/// Another type:
///
/// ```compile_fail,E0277
/// vi_client::property_set! {
///     struct Wrong: VirtualMachine { name: i32 = name }
/// }
/// ```
///
/// One value for a list:
///
/// ```compile_fail,E0277
/// # use vi_client::vi_types::objects::GuestNicInfo;
/// vi_client::property_set! {
///     struct Wrong: VirtualMachine { nic: GuestNicInfo = guest.net }
/// }
/// ```
///
/// A path beyond a list:
///
/// ```compile_fail,E0599
/// vi_client::property_set! {
///     struct Wrong: VirtualMachine { key: Vec<i32> = config.hardware.device.key }
/// }
/// ```
///
/// `base`, which is a base class and not a property:
///
/// ```compile_fail
/// # use vi_client::vi_types::properties::ManagedEntity;
/// vi_client::property_set! {
///     struct Wrong: VirtualMachine { name: ManagedEntity = base }
/// }
/// ```
#[macro_export]
macro_rules! property_set {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident: $object:ident {
            $(
                $(#[$field_attribute:meta])*
                $field_visibility:vis $field:ident: $type:ty = $($step:tt).+
            ),* $(,)?
        }
    ) => {
        $(#[$attribute])*
        $visibility struct $name {
            $($(#[$field_attribute])* $field_visibility $field: $type,)*
        }

        impl $crate::retrieve::PropertySet for $name {
            const TYPE: &'static str =
                <$crate::vi_types::properties::$object as $crate::vi_types::ManagedObject>::TYPE;

            fn paths() -> &'static [::std::string::String] {
                static PATHS: ::std::sync::OnceLock<::std::vec::Vec<::std::string::String>> =
                    ::std::sync::OnceLock::new();
                PATHS.get_or_init(|| {
                    ::std::vec![$($crate::property_path!($object, $type, $($step).+)),*]
                })
            }

            #[allow(unused_mut, unused_variables)]
            fn updated(
                before: ::core::option::Option<&Self>,
                told: &mut $crate::retrieve::ObjectProperties,
            ) -> ::core::result::Result<Self, $crate::retrieve::PropertyError> {
                let mut paths = <Self as $crate::retrieve::PropertySet>::paths().iter();
                ::core::result::Result::Ok(Self {
                    $($field: told.take_or_copy(
                        $crate::retrieve::next_path(&mut paths),
                        before.map(|before| &before.$field),
                    )?,)*
                })
            }

            #[allow(unused_mut, unused_variables)]
            fn is_complete(
                before: ::core::option::Option<&Self>,
                told: &$crate::retrieve::ObjectProperties,
            ) -> bool {
                let mut paths = <Self as $crate::retrieve::PropertySet>::paths().iter();
                true $(&& told.suffices::<$type>(
                    $crate::retrieve::next_path(&mut paths),
                    before.is_some(),
                ))*
            }

            #[allow(unused_variables)]
            fn is_same(&self, other: &Self) -> bool {
                true $(&& self.$field == other.$field)*
            }
        }
    };
}

/// The path of a field of a [`property_set!`](crate::property_set).
#[doc(hidden)]
#[macro_export]
macro_rules! property_path {
    ($object:ident, $type:ty, $path:literal) => {
        ::std::string::String::from($path)
    };
    ($object:ident, $type:ty, $($step:ident).+) => {
        $crate::vi_types::path::Path::<$crate::vi_types::properties::$object>::start()
            $(.step($crate::property_step!($step)))+
            .read_as::<$type>()
    };
}

/// A step of a path, to a property.
#[doc(hidden)]
#[macro_export]
macro_rules! property_step {
    (base) => {
        ::core::compile_error!("`base` is no property: those of a base class are named directly")
    };
    ($step:ident) => {
        |object| &object.$step
    };
}
