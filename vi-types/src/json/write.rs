//! Writing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap, SerializeSeq as _, Serializer};

use crate::any::{Any, Array};
use crate::binary::Binary;
use crate::datetime::DateTime;
use crate::moref::ManagedObjectReference;
use crate::object::{DataObject, Object};
use crate::poly::Poly;
use crate::raw::RawElement;
use crate::value::{Value as _, View};

/// Serialises an object; generated types call this.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(object: &dyn Object, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("_typeName", object.type_name())?;
    if let Some(unknown) = object.unknown() {
        // Before the properties: whoever knows the type has no use for them.
        xml::<S>(&mut map, &unknown.element)?;
    }
    for (index, field) in object.info().all_fields().enumerate() {
        match object.get(index).view() {
            View::Unset => {}
            view => map.serialize_entry(field.name, &Plain(view))?,
        }
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
            View::Float(value) if value.is_finite() => serializer.serialize_f32(value),
            View::Float(value) => serializer.serialize_str(no_number(value.into())),
            View::Double(value) if value.is_finite() => serializer.serialize_f64(value),
            View::Double(value) => serializer.serialize_str(no_number(value)),
            View::Text(value) | View::Enum(_, value) => serializer.serialize_str(value),
            View::DateTime(value) => serializer.collect_str(&value),
            View::Binary(value) => serializer.serialize_str(&STANDARD.encode(value)),
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

/// XML Schema's names for what JSON has no numbers for.
fn no_number(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "INF"
    } else {
        "-INF"
    }
}

impl Serialize for dyn Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(self, serializer)
    }
}

impl<B: DataObject> Serialize for Poly<B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(self.as_object(), serializer)
    }
}

impl Serialize for DateTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Plain(self.view()).serialize(serializer)
    }
}

impl Serialize for Binary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Plain(self.view()).serialize(serializer)
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
                typed(serializer, unprefixed(&name), &Plain(primitive.inner()))
            }
        }
    }
}

/// The items of an array inside `anyType`, whose type the array's name says.
struct Items<'a>(&'a Array);

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Array {
            item: declared,
            items,
        } = self.0;
        let mut out = serializer.serialize_seq(Some(items.len()))?;
        for item in items {
            match item {
                Any::Enum(value) if value.type_name == *declared => {
                    out.serialize_element(&value.value)?;
                }
                Any::None | Any::Enum(_) | Any::Array(_) => out.serialize_element(item)?,
                Any::Unknown(_) | Any::Undecodable(_) => out.serialize_element(item)?,
                primitive if unprefixed(&primitive.type_name()) == declared => {
                    out.serialize_element(&Plain(primitive.inner()))?;
                }
                other => out.serialize_element(other)?,
            }
        }
        out.end()
    }
}

/// The name of a type in JSON, where XML's may have a prefix.
fn unprefixed(name: &str) -> &str {
    name.strip_prefix("xsd:").unwrap_or(name)
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
        // With its prefix: XML may have a type `string` as well as `xsd:string`.
        map.serialize_entry("_typeName", name)?;
    }
    xml::<S>(&mut map, element)?;
    map.end()
}

/// What is only there as XML.
fn xml<S: Serializer>(map: &mut S::SerializeMap, element: &RawElement) -> Result<(), S::Error> {
    map.serialize_entry("_xml", &element.content)?;
    if !element.attributes.is_empty() {
        map.serialize_entry("_attributes", &element.attributes)?;
    }
    Ok(())
}
