//! A few types written by hand in the form that the generator emits, so that the runtime is tested apart
//! from the generator.

use std::ops::{Deref, DerefMut};

use vi_types::wire::Reader;
use vi_types::{
    Any, CastError, DataObject, DateTime, DecodeError, Enum, Extends, Field, FromAny,
    ManagedObjectReference, Method, MethodInfo, Object, ObjectInfo, Occurrence, Poly, Registry,
    This, Value, View,
};

macro_rules! base_of {
    () => {
        None
    };
    ($info:ident) => {
        Some(&$info)
    };
}

macro_rules! object {
    ($(#[$meta:meta])* $name:ident: $info:ident $(, base $base:ident $base_info:ident $inherited:literal)?;
     $($index:literal $field:ident: $ty:ty = $wire:expr),* $(,)?) => {
        $(#[$meta])*
        #[derive(Default)]
        pub(crate) struct $name {
            $(pub(crate) base: $base,)?
            $(pub(crate) $field: $ty),*
        }

        static $info: ObjectInfo = ObjectInfo::new(
            stringify!($name),
            "2.0",
            base_of!($($base_info)?),
            &[$($wire),*],
            || Box::new($name::default()),
        );

        impl DataObject for $name {
            fn type_info() -> &'static ObjectInfo {
                &$info
            }
        }

        impl Object for $name {
            fn info(&self) -> &'static ObjectInfo {
                &$info
            }

            fn get(&self, index: usize) -> &dyn Value {
                $(if (0..$inherited).contains(&index) {
                    let base: &$base = &self.base;
                    return base.get(index);
                })?
                match index {
                    $($index => &self.$field,)*
                    _ => vi_types::no_such_field(index),
                }
            }

            fn get_mut(&mut self, index: usize) -> &mut dyn Value {
                $(if (0..$inherited).contains(&index) {
                    let base: &mut $base = &mut self.base;
                    return base.get_mut(index);
                })?
                match index {
                    $($index => &mut self.$field,)*
                    _ => vi_types::no_such_field(index),
                }
            }

            fn base(&self) -> Option<&dyn Object> {
                $({
                    let base: &$base = &self.base;
                    return Some(base);
                })?
                #[allow(unreachable_code)]
                None
            }

            fn base_mut(&mut self) -> Option<&mut dyn Object> {
                $({
                    let base: &mut $base = &mut self.base;
                    return Some(base);
                })?
                #[allow(unreachable_code)]
                None
            }

        }

        impl Value for $name {
            fn view(&self) -> View<'_> {
                View::Object(self)
            }

            fn object_mut(&mut self) -> Option<&mut dyn Object> {
                Some(self)
            }
        }

        impl Clone for $name {
            fn clone(&self) -> Self {
                vi_types::cloned(self)
            }
        }

        impl Extends<$name> for $name {}

        $(
            impl Deref for $name {
                type Target = $base;

                fn deref(&self) -> &$base {
                    &self.base
                }
            }

            impl DerefMut for $name {
                fn deref_mut(&mut self) -> &mut $base {
                    &mut self.base
                }
            }

            impl Extends<$base> for $name {}
        )?

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                vi_types::equal(self, other)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                vi_types::debug(self, f)
            }
        }
    };
}

use Occurrence::{Optional, OptionalList, Required};

object! { Description: DESCRIPTION;
    0 label: String = Field::new("label", "string", Required),
    1 summary: String = Field::new("summary", "string", Required),
}

object! { Device: DEVICE;
    0 key: i32 = Field::new("key", "int", Required),
    1 device_info: Option<Poly<Description>> = Field::new("deviceInfo", "Description", Optional),
    2 backing: Option<Poly<Backing>> = Field::new("backing", "Backing", Optional),
}

object! { Disk: DISK, base Device DEVICE 3;
    3 capacity_in_kb: i64 = Field::new("capacityInKB", "long", Required),
    4 iofilter: Vec<String> = Field::new("iofilter", "string", OptionalList),
}

object! { Backing: BACKING; }

object! { FileBacking: FILE_BACKING, base Backing BACKING 0;
    0 file_name: String = Field::new("fileName", "string", Required),
    1 datastore: Option<ManagedObjectReference> = Field::new("datastore", "ManagedObjectReference", Optional),
    2 parent: Option<Box<FileBacking>> = Field::new("parent", "FileBacking", Optional),
}

object! { Content: CONTENT;
    0 obj: ManagedObjectReference = Field::new("obj", "ManagedObjectReference", Required),
    1 prop_set: Vec<Property> = Field::new("propSet", "Property", OptionalList),
}

object! { Property: PROPERTY;
    0 name: String = Field::new("name", "string", Required),
    1 val: Any = Field::new("val", "anyType", Required),
}

object! { Everything: EVERYTHING;
    0 boolean: Option<bool> = Field::new("boolean", "boolean", Optional),
    1 byte: Option<i8> = Field::new("byte", "byte", Optional),
    2 short: Option<i16> = Field::new("short", "short", Optional),
    3 int: Option<i32> = Field::new("int", "int", Optional),
    4 long: Option<i64> = Field::new("long", "long", Optional),
    5 float: Option<f32> = Field::new("float", "float", Optional),
    6 double: Option<f64> = Field::new("double", "double", Optional),
    7 string: Option<String> = Field::new("string", "string", Optional),
    8 time: Option<DateTime> = Field::new("time", "dateTime", Optional),
    9 binary: Option<vi_types::Binary> = Field::new("binary", "base64Binary", Optional),
    10 state: Option<PowerState> = Field::new("state", "PowerState", Optional),
    11 device: Vec<Poly<Device>> = Field::new("device", "Device", OptionalList),
    12 required_state: PowerState = Field::new("requiredState", "PowerState", Required),
}

object! { NotAuthenticated: NOT_AUTHENTICATED;
    0 privilege_id: String = Field::new("privilegeId", "string", Required),
}

object! { Login: LOGIN;
    0 user_name: String = Field::new("userName", "string", Required),
    1 password: String = Field::new("password", "string", Required).secret(),
}

object! { Retrieve: RETRIEVE;
    0 this: ManagedObjectReference = Field::new("_this", "ManagedObjectReference", Required),
    1 spec: Vec<Property> = Field::new("spec", "Property", OptionalList),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PowerState {
    PoweredOff,
    PoweredOn,
    Unrecognized(String),
}

impl Enum for PowerState {
    const NAME: &'static str = "PowerState";
    const VALUES: &'static [&'static str] = &["poweredOff", "poweredOn"];

    fn as_str(&self) -> &str {
        match self {
            Self::PoweredOff => "poweredOff",
            Self::PoweredOn => "poweredOn",
            Self::Unrecognized(value) => value,
        }
    }

    fn from_wire(value: &str) -> Self {
        match value {
            "poweredOff" => Self::PoweredOff,
            "poweredOn" => Self::PoweredOn,
            _ => Self::Unrecognized(value.to_owned()),
        }
    }
}

impl Default for PowerState {
    fn default() -> Self {
        Self::Unrecognized(String::new())
    }
}

impl Value for PowerState {
    fn view(&self) -> View<'_> {
        View::Enum(Self::NAME, self.as_str())
    }

    fn decode(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        *self = reader.enumeration()?;
        Ok(())
    }

    fn decode_optional(
        slot: &mut Option<Self>,
        reader: &mut Reader<'_>,
    ) -> Result<(), DecodeError> {
        *slot = reader.optional_enumeration()?;
        Ok(())
    }

    fn assign(&mut self, from: View<'_>) {
        if let View::Enum("PowerState", value) = from {
            *self = Self::from_wire(value);
        }
    }
}

impl FromAny for PowerState {
    fn from_any(any: Any) -> Result<Self, CastError> {
        vi_types::enumeration_from_any(any)
    }
}

impl Method for Login {
    const NAME: &'static str = "Login";
    const THIS: This = This::ServiceContent("sessionManager");
    type Output = Content;

    fn registry() -> &'static Registry {
        &REGISTRY
    }

    fn this(&self) -> Option<&ManagedObjectReference> {
        None
    }
}

impl Method for Retrieve {
    const NAME: &'static str = "Retrieve";
    const THIS: This = This::Explicit;
    type Output = Vec<Content>;

    fn registry() -> &'static Registry {
        &REGISTRY
    }

    fn this(&self) -> Option<&ManagedObjectReference> {
        Some(&self.this)
    }
}

static LOGIN_METHOD: MethodInfo = MethodInfo {
    name: "Login",
    request: &LOGIN,
    this: Login::THIS,
    returns: "Content",
    since: "2.0",
};
static RETRIEVE_METHOD: MethodInfo = MethodInfo {
    name: "Retrieve",
    request: &RETRIEVE,
    this: This::Explicit,
    returns: "Content",
    since: "2.0",
};

pub(crate) static REGISTRY: Registry = Registry {
    objects: &[
        ("Backing", &BACKING),
        ("Content", &CONTENT),
        ("Description", &DESCRIPTION),
        ("Device", &DEVICE),
        ("Disk", &DISK),
        ("Everything", &EVERYTHING),
        ("FileBacking", &FILE_BACKING),
        ("NotAuthenticated", &NOT_AUTHENTICATED),
        ("Property", &PROPERTY),
    ],
    enumerations: &[("PowerState", PowerState::VALUES)],
    methods: &[("Login", &LOGIN_METHOD), ("Retrieve", &RETRIEVE_METHOD)],
    managed_objects: &[],
};
