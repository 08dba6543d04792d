//! JSON, in the form that vSphere's VI JSON has.
//!
//! A data object is an object with its type under `_typeName`, unset properties left out. Inside `anyType`
//! every value says its type: primitives, enums and arrays as `{"_typeName": …, "_value": …}`. Values of
//! unknown types keep their XML under `_xml`, which is this crate's own addition.

use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};

use crate::any::{Any, Array};
use crate::moref::ManagedObjectReference;
use crate::object::Object;
use crate::raw::RawElement;
use crate::value::View;

/// Serialises an object; generated types call this.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(object: &dyn Object, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("_typeName", object.type_name())?;
    for (index, field) in object.info().all_fields().enumerate() {
        match object.get(index).view() {
            View::Unset => {}
            view => map.serialize_entry(field.name, &Plain(view))?,
        }
    }
    if let Some(unknown) = object.unknown() {
        map.serialize_entry("_xml", &unknown.element.content)?;
    }
    map.end()
}

/// A value where the schema says its type.
struct Plain<'a>(View<'a>);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            View::Unset => serializer.serialize_none(),
            View::Bool(value) => serializer.serialize_bool(value),
            View::Byte(value) => serializer.serialize_i8(value),
            View::Short(value) => serializer.serialize_i16(value),
            View::Int(value) => serializer.serialize_i32(value),
            View::Long(value) => serializer.serialize_i64(value),
            View::Float(value) => serializer.serialize_f32(value),
            View::Double(value) => serializer.serialize_f64(value),
            View::Text(value) | View::Enum(_, value) => serializer.serialize_str(value),
            View::DateTime(value) => serializer.collect_str(&value),
            View::Binary(value) => {
                use base64::Engine as _;
                serializer.serialize_str(&base64::engine::general_purpose::STANDARD.encode(value))
            }
            View::Moref(value) => value.serialize(serializer),
            View::Object(object) => serialize(object, serializer),
            View::Any(any) => any.serialize(serializer),
            View::List(list) => {
                let mut items = serializer.serialize_seq(Some(list.len()))?;
                for item in list.iter() {
                    items.serialize_element(&Plain(item))?;
                }
                items.end()
            }
        }
    }
}

impl Serialize for ManagedObjectReference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("_typeName", "ManagedObjectReference")?;
        map.serialize_entry("type", &self.r#type)?;
        map.serialize_entry("value", &self.value)?;
        map.end()
    }
}

impl Serialize for Any {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_none(),
            Self::Moref(value) => value.serialize(serializer),
            Self::Object(object) => serialize(&**object, serializer),
            Self::Enum(value) => typed(serializer, &value.type_name, &value.value),
            Self::Array(array) => typed(serializer, &array.type_name(), &Items(array)),
            Self::Unknown(element) => unknown(serializer, element),
            Self::Undecodable(value) => unknown(serializer, &value.element),
            primitive => {
                let name = primitive.type_name();
                let name = name.strip_prefix("xsd:").unwrap_or(&name);
                typed(serializer, name, &Plain(primitive.inner()))
            }
        }
    }
}

/// The items of an array inside `anyType`, whose type the array's name says.
struct Items<'a>(&'a Array);

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut items = serializer.serialize_seq(Some(self.0.items.len()))?;
        for item in &self.0.items {
            match item {
                Any::Enum(value) => items.serialize_element(&value.value)?,
                Any::Unknown(_) | Any::Undecodable(_) | Any::Array(_) => {
                    items.serialize_element(item)?
                }
                item if self.0.item == "anyType" => items.serialize_element(item)?,
                item => items.serialize_element(&Plain(item.inner()))?,
            }
        }
        items.end()
    }
}

fn typed<S: Serializer>(
    serializer: S,
    name: &str,
    value: &impl Serialize,
) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(2))?;
    map.serialize_entry("_typeName", name)?;
    map.serialize_entry("_value", value)?;
    map.end()
}

fn unknown<S: Serializer>(serializer: S, element: &RawElement) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    if let Some(name) = &element.type_name {
        map.serialize_entry("_typeName", name)?;
    }
    map.serialize_entry("_xml", &element.content)?;
    map.end()
}
