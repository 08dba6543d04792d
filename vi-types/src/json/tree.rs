//! What was read before it could be known what it is.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    Deserialize, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;

use crate::any::{Any, Array, EnumValue, PRIMITIVES};
use crate::moref::ManagedObjectReference;
use crate::value::View;
use crate::wire::Writer;

/// A value of JSON.
#[derive(Debug)]
pub(super) enum Tree {
    Null,
    Bool(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    List(Vec<Tree>),
    Map(Entries),
}

pub(super) type Entries = Vec<(String, Tree)>;

impl Tree {
    /// The value as serde's errors call it.
    pub(super) fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Self::Null => Unexpected::Unit,
            Self::Bool(value) => Unexpected::Bool(*value),
            Self::Integer(value) => match i64::try_from(*value) {
                Ok(value) => Unexpected::Signed(value),
                Err(_) => Unexpected::Other("a large integer"),
            },
            Self::Float(value) => Unexpected::Float(*value),
            Self::Text(value) => Unexpected::Str(value),
            Self::List(_) => Unexpected::Seq,
            Self::Map(_) => Unexpected::Map,
        }
    }

    /// Writes the value as the element that it would be in XML; the error is what is wrong with a name.
    pub(super) fn write(&self, name: &str, writer: &mut Writer) -> Result<(), String> {
        check_name(name)?;
        match self {
            Self::Null => {}
            Self::List(items) => {
                for item in items {
                    item.write(name, writer)?;
                }
            }
            Self::Map(entries) => write_map(entries, name, writer)?,
            scalar => writer.element(name, "", View::Text(&scalar.text())),
        }
        Ok(())
    }

    /// A scalar as XML has it; nothing for everything else.
    fn text(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(value) => value.clone(),
            Self::Null | Self::List(_) | Self::Map(_) => String::new(),
        }
    }
}

/// The string under a name.
pub(super) fn text<'a>(entries: &'a Entries, name: &str) -> Option<&'a str> {
    match get(entries, name)? {
        Tree::Text(text) => Some(text),
        _ => None,
    }
}

fn get<'a>(entries: &'a Entries, name: &str) -> Option<&'a Tree> {
    let (_, value) = entries.iter().find(|(key, _)| key == name)?;
    Some(value)
}

fn write_map(entries: &Entries, name: &str, writer: &mut Writer) -> Result<(), String> {
    let ty = text(entries, "_typeName").unwrap_or_default();
    if ty == "ManagedObjectReference" {
        let part = |name| text(entries, name).unwrap_or_default();
        let moref = ManagedObjectReference::new(part("type"), part("value"));
        writer.element(name, "", View::Any(&Any::Moref(moref)));
        return Ok(());
    }
    match get(entries, "_value") {
        None => {
            writer.raw(&start_tag(name, &xsi_type(ty))?);
            write_properties(entries, writer)?;
        }
        Some(Tree::List(items)) => {
            let item = Array::item_type(ty).unwrap_or_else(|| "item".to_owned());
            writer.raw(&start_tag(name, &xsi_type(ty))?);
            for value in items {
                value.write(&item, writer)?;
            }
        }
        Some(scalar) => {
            check_type(ty)?;
            // An enum, or a primitive: they are written alike.
            let value = Any::Enum(Box::new(EnumValue {
                type_name: xsi_type(ty),
                value: scalar.text(),
            }));
            writer.element(name, "", View::Any(&value));
            return Ok(());
        }
    }
    writer.raw("</");
    writer.raw(name);
    writer.raw(">");
    Ok(())
}

/// Writes the properties of an object, without an element around them.
pub(super) fn write_properties(entries: &Entries, writer: &mut Writer) -> Result<(), String> {
    for (name, value) in entries {
        match (name.as_str(), value) {
            // It is checked when the whole is read.
            ("_xml", Tree::Text(content)) => writer.raw(content),
            (name, value) if !name.starts_with('_') => value.write(name, writer)?,
            _ => {}
        }
    }
    Ok(())
}

/// `<name xsi:type="…">`, the type left out if it is empty.
pub(super) fn start_tag(name: &str, xsi_type: &str) -> Result<String, String> {
    check_name(name)?;
    if xsi_type.is_empty() {
        return Ok(format!("<{name}>"));
    }
    check_type(xsi_type)?;
    Ok(format!("<{name} xsi:type=\"{xsi_type}\">"))
}

/// A type's name as `xsi:type` has it.
fn xsi_type(ty: &str) -> String {
    match PRIMITIVES.contains(&ty) {
        true => format!("xsd:{ty}"),
        false => ty.to_owned(),
    }
}

/// Whether XML can have a type of such a name.
pub(super) fn check_type(ty: &str) -> Result<(), String> {
    check_name(ty.strip_prefix("xsd:").unwrap_or(ty))
}

/// Whether XML can have such a name.
fn check_name(name: &str) -> Result<(), String> {
    let starts = |first: char| first.is_alphabetic() || first == '_';
    let rest = |other: char| other.is_alphanumeric() || "_-.".contains(other);
    if name.starts_with(starts) && name.chars().all(rest) {
        return Ok(());
    }
    let name: String = name.chars().take(64).collect();
    Err(format!("{name:?} is no name of a type or property"))
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Growing)
    }
}

struct Growing;

impl<'de> Visitor<'de> for Growing {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        Tree::deserialize(deserializer)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Integer(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Integer(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Tree, E> {
        Ok(Tree::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Tree, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Tree::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Tree::Map(entries))
    }
}

/// Reads a tree again.
pub(super) struct Replay<E>(Tree, PhantomData<E>);

impl<'de, E: Error> IntoDeserializer<'de, E> for Tree {
    type Deserializer = Replay<E>;

    fn into_deserializer(self) -> Replay<E> {
        Replay(self, PhantomData)
    }
}

impl<'de, E: Error> Deserializer<'de> for Replay<E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match self.0 {
            Tree::Null => visitor.visit_unit(),
            Tree::Bool(value) => visitor.visit_bool(value),
            Tree::Integer(value) => match (i64::try_from(value), u64::try_from(value)) {
                (Ok(value), _) => visitor.visit_i64(value),
                (_, Ok(value)) => visitor.visit_u64(value),
                _ => visitor.visit_i128(value),
            },
            Tree::Float(value) => visitor.visit_f64(value),
            Tree::Text(value) => visitor.visit_string(value),
            Tree::List(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter())),
            Tree::Map(entries) => visitor.visit_map(MapDeserializer::new(entries.into_iter())),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match self.0 {
            Tree::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
