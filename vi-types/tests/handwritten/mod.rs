//! A few types written by hand in the form that the generator emits, so that the runtime is tested apart
//! from the generator.

use std::ops::{Deref, DerefMut};

use vi_types::{
    Any, BASE, Bindings, CastError, DateTime, Enum, EnumInfo, Extends, FromAny, INFO, Interface,
    ManagedObjectReference, Method, MethodInfo, Object, ObjectInfo, Poly, Property, PropertyMut,
    Registry, This,
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
     $($index:literal $kind:ident $field:ident: $ty:ty = $wire:literal),* $(,)?) => {
        $(#[$meta])*
        #[derive(Default)]
        pub(crate) struct $name {
            $(pub(crate) base: $base,)?
            $(pub(crate) $field: $ty),*
        }

        static $info: ObjectInfo = ObjectInfo::new(
            stringify!($name),
            base_of!($($base_info)?),
            concat!("2.0\n", $($wire, "\n"),*),
            <$name as vi_types::DataObject>::unset,
        );

        impl Object for $name {
            fn type_info() -> &'static ObjectInfo {
                &$info
            }

            fn get(&self, index: usize) -> Property<'_> {
                $(
                    let base: &$base = &self.base;
                    if index == BASE {
                        return Property::Object(base);
                    }
                    if (0..$inherited).contains(&index) {
                        return base.get(index);
                    }
                )?
                match index {
                    INFO => Property::Info(&$info),
                    $($index => Property::$kind(&self.$field),)*
                    _ => Property::Absent,
                }
            }

            fn get_mut(&mut self, index: usize) -> PropertyMut<'_> {
                $(
                    let base: &mut $base = &mut self.base;
                    if index == BASE {
                        return PropertyMut::Object(base);
                    }
                    if (0..$inherited).contains(&index) {
                        return base.get_mut(index);
                    }
                )?
                match index {
                    $($index => PropertyMut::$kind(&mut self.$field),)*
                    _ => PropertyMut::Absent,
                }
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

object! { Description: DESCRIPTION;
    0 Value label: String = "string label r",
    1 Value summary: String = "string summary r",
}

object! { Device: DEVICE;
    0 Value key: i32 = "int key r",
    1 Value device_info: Option<Poly<Description>> = "Description deviceInfo o",
    2 Value backing: Option<Poly<Backing>> = "Backing backing o",
}

object! { Disk: DISK, base Device DEVICE 3;
    3 Value capacity_in_kb: i64 = "long capacityInKB r",
    4 Value iofilter: Vec<String> = "string iofilter ol",
}

object! { Backing: BACKING; }

object! { FileBacking: FILE_BACKING, base Backing BACKING 0;
    0 Value file_name: String = "string fileName r",
    1 Value datastore: Option<ManagedObjectReference> = "ManagedObjectReference datastore o",
    2 Optional parent: Option<Box<FileBacking>> = "FileBacking parent o",
}

object! { Content: CONTENT;
    0 Value obj: ManagedObjectReference = "ManagedObjectReference obj r",
    1 Objects prop_set: Vec<DynamicProperty> = "DynamicProperty propSet ol",
}

object! { DynamicProperty: DYNAMIC_PROPERTY;
    0 Value name: String = "string name r",
    1 Value val: Any = "anyType val r",
}

object! { Everything: EVERYTHING;
    0 Value boolean: Option<bool> = "boolean boolean o",
    1 Value byte: Option<i8> = "byte byte o",
    2 Value short: Option<i16> = "short short o",
    3 Value int: Option<i32> = "int int o",
    4 Value long: Option<i64> = "long long o",
    5 Value float: Option<f32> = "float float o",
    6 Value double: Option<f64> = "double double o",
    7 Value string: Option<String> = "string string o",
    8 Value time: Option<DateTime> = "dateTime time o",
    9 Value binary: Option<vi_types::Binary> = "base64Binary binary o",
    10 Value state: Option<PowerState> = "PowerState state o",
    11 Value device: Vec<Poly<Device>> = "Device device ol",
    12 Value required_state: PowerState = "PowerState requiredState r",
}

object! { NotAuthenticated: NOT_AUTHENTICATED;
    0 Value privilege_id: String = "string privilegeId r",
}

object! { Login: LOGIN;
    0 Value user_name: String = "string userName r",
    1 Value password: String = "string password r secret",
}

object! { Retrieve: RETRIEVE;
    0 Value this: ManagedObjectReference = "ManagedObjectReference _this r",
    1 Objects spec: Vec<DynamicProperty> = "DynamicProperty spec ol",
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PowerState {
    PoweredOff,
    PoweredOn,
    Unrecognized(String),
}

impl Enum for PowerState {
    const NAME: &'static str = "PowerState";
    const VALUES: &'static str = "poweredOff\npoweredOn since 2.5\n";

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

impl FromAny for PowerState {
    fn from_any(any: Any) -> Result<Self, CastError> {
        vi_types::enumeration_from_any(any)
    }
}

impl Method for Login {
    type Bindings = Handwritten;
    type Output = Content;
    const INFO: MethodInfo = MethodInfo {
        name: "Login",
        request: Self::type_info,
        this: This::ServiceContent("sessionManager"),
        managed_object: "SessionManager",
        returns: "Content",
        throws: "",
        since: "2.0",
    };

    fn output(returned: &Content) -> Property<'_> {
        Property::Object(returned)
    }

    fn output_mut(returned: &mut Content) -> PropertyMut<'_> {
        PropertyMut::Object(returned)
    }
}

impl Method for Retrieve {
    type Bindings = Handwritten;
    type Output = Vec<Content>;
    const INFO: MethodInfo = MethodInfo {
        name: "Retrieve",
        request: Self::type_info,
        this: This::Explicit,
        managed_object: "PropertyCollector",
        returns: "Content",
        throws: "",
        since: "2.0",
    };

    fn output(returned: &Vec<Content>) -> Property<'_> {
        Property::Objects(returned)
    }

    fn output_mut(returned: &mut Vec<Content>) -> PropertyMut<'_> {
        PropertyMut::Objects(returned)
    }
}

pub(crate) struct Handwritten;

impl Bindings for Handwritten {
    fn registry() -> &'static Registry {
        &REGISTRY
    }
}

pub(crate) static REGISTRY: Registry = Registry {
    objects: &[
        &BACKING,
        &CONTENT,
        &DESCRIPTION,
        &DEVICE,
        &DISK,
        &DYNAMIC_PROPERTY,
        &EVERYTHING,
        &FILE_BACKING,
        &NOT_AUTHENTICATED,
    ],
    enumerations: &[EnumInfo::of::<PowerState>()],
    managed_objects: &[],
};

pub(crate) static INTERFACE: Interface = Interface {
    registry: &REGISTRY,
    methods: &[&Login::INFO, &Retrieve::INFO],
};
