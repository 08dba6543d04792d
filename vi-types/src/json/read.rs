//! Reading.

use std::cell::RefCell;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::value::MapDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use super::tree::{self, Entries, Tree};
use crate::any::{Any, Array, FromAny};
use crate::binary::Binary;
use crate::datetime::DateTime;
use crate::enumeration::Enum;
use crate::error::DecodeError;
use crate::method::Bindings;
use crate::moref::ManagedObjectReference;
use crate::object::{DataObject, Field, Layout, Object, ObjectInfo, Occurrence};
use crate::poly::Poly;
use crate::property::{Objects, OptionalObject, PropertyMut};
use crate::registry::Registry;
use crate::value::{List, Values, View};
use crate::wire::{Limits, Reader, Writer};

/// Reads an object; generated types call this. `B` are the bindings they belong to.
///
/// # Errors
/// Those of the deserializer, and those of [`fill`].
pub fn deserialize<'de, T: DataObject, B: Bindings, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let mut object = T::default();
    fill(&mut object, B::registry(), deserializer)?;
    Ok(object)
}

/// Reads an object whose type is not known at compile time: sets the properties that are there.
///
/// # Errors
/// Those of the deserializer, and what is wrong with a property, with its path.
pub fn fill<'de, D: Deserializer<'de>>(
    object: &mut dyn Object,
    registry: &'static Registry,
    deserializer: D,
) -> Result<(), D::Error> {
    let walk = Walk::new(registry);
    walk.document(
        Fill {
            walk: &walk,
            object,
        }
        .deserialize(deserializer),
    )
}

/// Reads a value of an enum; generated types call this.
///
/// # Errors
/// When it is no string.
pub fn deserialize_enumeration<'de, E: Enum, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<E, D::Error> {
    String::deserialize(deserializer).map(|value| E::from_wire(&value))
}

/// A type that a [`Poly`] is declared with, and the bindings where its descendants are.
pub trait Base: DataObject {
    /// The bindings.
    type Bindings: Bindings;
}

impl<'de, B: Base> Deserialize<'de> for Poly<B> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let declared = Declared::Object(B::type_info());
        match Walk::new(B::Bindings::registry()).value(declared, deserializer)? {
            Any::Object(object) => Self::from_object(object)
                .map_err(|object| D::Error::custom(mismatch(B::type_info(), object.type_name()))),
            other => Err(D::Error::custom(mismatch(
                B::type_info(),
                &other.type_name(),
            ))),
        }
    }
}

/// A seed that reads an [`Any`] with the types of these bindings.
#[derive(Clone, Copy, Debug)]
pub struct In(pub &'static Registry);

impl<'de> DeserializeSeed<'de> for In {
    type Value = Any;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Any, D::Error> {
        Walk::new(self.0).value(Declared::Any, deserializer)
    }
}

/// With the types of this crate.
impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[cfg(feature = "api")]
        return In(crate::registry()).deserialize(deserializer);
        #[cfg(not(feature = "api"))]
        return In(&NOTHING).deserialize(deserializer);
    }
}

/// Types that need no registry.
macro_rules! alone {
    ($($type:ty, $declared:expr;)*) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let any = Walk::new(&NOTHING).value($declared, deserializer)?;
                <$type>::from_any(any).map_err(D::Error::custom)
            }
        }
    )*};
}

alone! {
    ManagedObjectReference, Declared::Moref;
    DateTime, Declared::Primitive("dateTime");
    Binary, Declared::Primitive("base64Binary");
}

static NOTHING: Registry = Registry {
    objects: &[],
    enumerations: &[],
    managed_objects: &[],
};

/// One document, and where in it we are.
struct Walk {
    registry: &'static Registry,
    path: RefCell<Vec<Step>>,
}

enum Step {
    Property(&'static str),
    Item(usize),
}

impl Walk {
    fn new(registry: &'static Registry) -> Self {
        Self {
            registry,
            path: RefCell::default(),
        }
    }

    /// Reads a value that is a document of its own.
    fn value<'de, D: Deserializer<'de>>(
        &self,
        declared: Declared<'_>,
        deserializer: D,
    ) -> Result<Any, D::Error> {
        self.document(Typed::new(self, declared).deserialize(deserializer))
    }

    /// Takes a step for as long as something is read there; where that fails, the path stays to be told.
    fn within<T, E>(&self, step: Step, read: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.path.borrow_mut().push(step);
        let read = read()?;
        self.path.borrow_mut().pop();
        Ok(read)
    }

    /// The result for the whole document: an error says where it is.
    fn document<T, E: Error>(&self, result: Result<T, E>) -> Result<T, E> {
        result.map_err(|error| {
            let mut path = String::new();
            for step in &*self.path.borrow() {
                match step {
                    Step::Item(index) => path.push_str(&format!("[{index}]")),
                    Step::Property(name) if path.is_empty() => path.push_str(name),
                    Step::Property(name) => path.push_str(&format!(".{name}")),
                }
            }
            match path.is_empty() {
                true => error,
                false => E::custom(format_args!("{path}: {error}")),
            }
        })
    }
}

/// What the schema says of a position.
#[derive(Clone, Copy)]
enum Declared<'a> {
    Any,
    Moref,
    /// A primitive other than `anyType`, by the schema's name.
    Primitive(&'a str),
    Enum(&'static str),
    Object(&'static ObjectInfo),
    /// A type that these bindings don't have.
    Unknown,
}

impl<'a> Declared<'a> {
    fn of(registry: &'static Registry, ty: &'a str) -> Self {
        match ty {
            "anyType" => return Self::Any,
            "ManagedObjectReference" => return Self::Moref,
            ty if crate::any::PRIMITIVES.contains(&ty) => return Self::Primitive(ty),
            _ => {}
        }
        match (registry.object(ty), registry.enumeration(ty)) {
            (Some(info), _) => Self::Object(info),
            (None, Some(info)) => Self::Enum(info.name),
            (None, None) => Self::Unknown,
        }
    }

    /// A look at a value as it is in a property that is declared so.
    fn view(self, any: &Any) -> View<'_> {
        match (self, any) {
            (_, Any::None) => View::Unset,
            (Self::Any | Self::Unknown, any) => View::Any(any),
            (Self::Enum(name), Any::Enum(value)) => View::Enum(name, &value.value),
            (_, any) => any.inner(),
        }
    }
}

impl fmt::Display for Declared<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any | Self::Unknown => f.write_str("a value with its _typeName"),
            Self::Moref => f.write_str("a ManagedObjectReference"),
            Self::Enum(name) => write!(f, "a value of the enum {name}"),
            Self::Object(info) => write!(f, "an object of type {}", info.name),
            Self::Primitive(name) => f.write_str(match *name {
                "boolean" => "a boolean",
                "byte" => "an integer of 8 bits",
                "short" => "an integer of 16 bits",
                "int" => "an integer of 32 bits",
                "long" => "an integer of 64 bits",
                "float" | "double" => "a number, \"NaN\", \"INF\" or \"-INF\"",
                "dateTime" => "a date and time",
                "base64Binary" => "base64",
                _ => "a string",
            }),
        }
    }
}

fn mismatch(declared: &ObjectInfo, found: &str) -> String {
    format!("expected {} or a descendant, found {found}", declared.name)
}

/// Reads an object of exactly the declared type.
struct Fill<'a> {
    walk: &'a Walk,
    object: &'a mut dyn Object,
}

impl<'de> DeserializeSeed<'de> for Fill<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fill<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Declared::Object(self.object.info()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        // XML would be that of a descendant, of which this is all that is wanted.
        properties(self.walk, self.object, &mut map).map(|_| ())
    }
}

/// What is only there as XML.
#[derive(Default)]
struct Xml {
    content: Option<String>,
    attributes: String,
}

impl Xml {
    fn of(entries: &Entries) -> Option<Self> {
        Some(Self {
            content: Some(tree::text(entries, "_xml")?.to_owned()),
            attributes: tree::text(entries, "_attributes")
                .unwrap_or_default()
                .to_owned(),
        })
    }
}

/// Sets an object's properties. With XML, the object is only half of what is there.
fn properties<'de, A: MapAccess<'de>>(
    walk: &Walk,
    object: &mut dyn Object,
    map: &mut A,
) -> Result<Xml, A::Error> {
    let info = object.info();
    let layout = info.layout();
    let mut seen = vec![false; layout.len()];
    let mut xml = Xml::default();
    while let Some(key) = map.next_key_seed(KeyIn(layout))? {
        match key {
            Key::Property(index, field) => {
                seen[index] = walk.within(Step::Property(field.name), || {
                    map.next_value_seed(Slot {
                        walk,
                        field,
                        property: object.get_mut(index),
                    })
                })?;
            }
            Key::TypeName => {
                let name: String = map.next_value()?;
                let known = walk.registry.object(&name);
                if known.is_some_and(|known| !known.is_a(info.name)) {
                    return Err(A::Error::custom(mismatch(info, &name)));
                }
            }
            Key::Xml => xml.content = Some(map.next_value()?),
            Key::Attributes => xml.attributes = map.next_value()?,
            Key::Unknown => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    if xml.content.is_none() {
        check_required(info, |index| seen[index])?;
    }
    Ok(xml)
}

fn check_required<E: Error>(
    info: &'static ObjectInfo,
    is_there: impl Fn(usize) -> bool,
) -> Result<(), E> {
    let missing = info.all_fields().enumerate().find(|(index, field)| {
        matches!(field.occurrence, Occurrence::Required) && !is_there(*index)
    });
    match missing {
        None => Ok(()),
        Some((_, field)) => Err(E::custom(format_args!(
            "{} object is missing the required '{}' property",
            info.name, field.name
        ))),
    }
}

/// A name in an object of known type.
enum Key<'a> {
    Property(usize, &'a Field),
    TypeName,
    Xml,
    Attributes,
    Unknown,
}

struct KeyIn(&'static Layout);

impl<'de> DeserializeSeed<'de> for KeyIn {
    type Value = Key<'static>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KeyIn {
    type Value = Key<'static>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a property")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        let Self(layout) = self;
        let index = layout.index_of(name);
        Ok(match (index, index.and_then(|index| layout.field(index))) {
            (Some(index), Some(field)) => Key::Property(index, field),
            _ => match name {
                "_typeName" => Key::TypeName,
                "_xml" => Key::Xml,
                "_attributes" => Key::Attributes,
                _ => Key::Unknown,
            },
        })
    }
}

/// Reads a property; whether it has a value then.
struct Slot<'a> {
    walk: &'a Walk,
    field: &'static Field,
    property: PropertyMut<'a>,
}

impl Slot<'_> {
    fn clear(self) {
        match self.property {
            PropertyMut::Value(value) => value.assign(View::Unset),
            PropertyMut::Optional(object) => object.clear(),
            PropertyMut::Objects(objects) => objects.clear(),
            PropertyMut::Object(_) | PropertyMut::Absent => {}
        }
    }
}

impl<'de> DeserializeSeed<'de> for Slot<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Slot<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let declared = Declared::of(self.walk.registry, self.field.ty);
        write!(f, "{declared}")
    }

    fn visit_none<E: Error>(self) -> Result<bool, E> {
        self.clear();
        Ok(false)
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        self.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        let walk = self.walk;
        match self.property {
            PropertyMut::Object(object) => Fill { walk, object }.deserialize(deserializer)?,
            PropertyMut::Optional(object) => {
                let object = OptionalObject::fill(object);
                Fill { walk, object }.deserialize(deserializer)?;
            }
            PropertyMut::Objects(objects) => {
                objects.clear();
                deserializer.deserialize_seq(Pushing { walk, objects })?;
            }
            PropertyMut::Value(value) => {
                let declared = Declared::of(walk.registry, self.field.ty);
                let item = Typed::new(walk, declared);
                if self.field.occurrence.is_list() {
                    let items = deserializer.deserialize_seq(ListOf(item))?;
                    let items = Items { declared, items };
                    value.assign(View::List(List::Values(&items)));
                } else {
                    let any = item.deserialize(deserializer)?;
                    value.assign(declared.view(&any));
                }
            }
            PropertyMut::Absent => {
                IgnoredAny::deserialize(deserializer)?;
            }
        }
        Ok(true)
    }
}

/// Reads objects of exactly the declared type.
struct Pushing<'a> {
    walk: &'a Walk,
    objects: &'a mut dyn Objects,
}

impl<'de> Visitor<'de> for Pushing<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Self { walk, objects } = self;
        let mut index = 0;
        loop {
            let push = Push {
                walk,
                objects: &mut *objects,
            };
            match walk.within(Step::Item(index), || seq.next_element_seed(push))? {
                Some(()) => index += 1,
                None => return Ok(()),
            }
        }
    }
}

/// Reads one more object.
struct Push<'a> {
    walk: &'a Walk,
    objects: &'a mut dyn Objects,
}

impl<'de> DeserializeSeed<'de> for Push<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let (walk, object) = (self.walk, self.objects.push());
        Fill { walk, object }.deserialize(deserializer)
    }
}

/// Reads a list of values.
struct ListOf<'a>(Typed<'a>);

impl<'de> DeserializeSeed<'de> for ListOf<'_> {
    type Value = Vec<Any>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Any>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ListOf<'_> {
    type Value = Vec<Any>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Any>, A::Error> {
        let Self(item) = self;
        let mut items = Vec::new();
        while let Some(item) = item
            .walk
            .within(Step::Item(items.len()), || seq.next_element_seed(item))?
        {
            items.push(item);
        }
        Ok(items)
    }
}

/// Values for a property that is a list.
struct Items<'a> {
    declared: Declared<'a>,
    items: Vec<Any>,
}

impl Values for Items<'_> {
    fn len(&self) -> usize {
        self.items.len()
    }

    fn item(&self, index: usize) -> View<'_> {
        self.declared.view(&self.items[index])
    }
}

/// Reads a value of a declared type, or of one that it says.
#[derive(Clone, Copy)]
struct Typed<'a> {
    walk: &'a Walk,
    declared: Declared<'a>,
    /// The item type of the `ArrayOf…` that this is in. Items may be of any type if they say so.
    array: Option<&'a str>,
}

impl<'a> Typed<'a> {
    fn new(walk: &'a Walk, declared: Declared<'a>) -> Self {
        Self {
            walk,
            declared,
            array: None,
        }
    }

    /// What is neither an object nor a list.
    fn scalar<E: Error>(self, value: Tree) -> Result<Any, E> {
        let read = match (self.declared, &value) {
            (Declared::Primitive(name), value) => primitive(name, value),
            (Declared::Enum(name), Tree::Text(text)) => Some(Any::enumeration_of(name, text)),
            (Declared::Any, Tree::Null) => Some(Any::None),
            // The items of an array of an unknown type.
            (Declared::Unknown, Tree::Null) => Some(Any::None),
            (Declared::Unknown, Tree::Text(text)) => Some(Any::String(text.clone())),
            _ => None,
        };
        read.ok_or_else(|| {
            let is_of_type = match (self.declared, &value) {
                (Declared::Primitive(name), Tree::Integer(_)) => {
                    matches!(name, "byte" | "short" | "int" | "long")
                }
                (Declared::Primitive(name), Tree::Text(_)) => {
                    matches!(name, "dateTime" | "base64Binary" | "float" | "double")
                }
                _ => false,
            };
            match is_of_type {
                true => E::invalid_value(value.unexpected(), &self),
                false => E::invalid_type(value.unexpected(), &self),
            }
        })
    }

    /// An object whose type was read.
    fn object<'de, A: MapAccess<'de>>(self, name: &str, mut map: A) -> Result<Any, A::Error> {
        let walk = self.walk;
        let found = Declared::of(walk.registry, name);
        let fits = match (self.declared, found) {
            (Declared::Any, _) | (Declared::Moref, Declared::Moref) => true,
            (Declared::Object(_), Declared::Unknown) => true,
            (Declared::Object(base), Declared::Object(info)) => {
                self.array.is_some() || info.is_a(base.name)
            }
            _ => self.array.is_some(),
        };
        if !fits {
            return Err(match self.declared {
                Declared::Object(base) => A::Error::custom(mismatch(base, name)),
                declared => A::Error::custom(format_args!("expected {declared}, found {name}")),
            });
        }
        let xml = match found {
            Declared::Object(info) => {
                let mut object = (info.new)();
                let xml = properties(walk, &mut *object, &mut map)?;
                if xml.content.is_none() {
                    return Ok(Any::Object(object));
                }
                xml
            }
            Declared::Moref => return moref(&rest(map)?),
            Declared::Unknown => {
                if let Some(item) = Array::item_type(name) {
                    let declared = Declared::of(walk.registry, &item);
                    let list = ListOf(Typed {
                        walk,
                        declared,
                        array: Some(&item),
                    });
                    match value(name, list, map)? {
                        Ok(items) => return Ok(Any::Array(Box::new(Array { item, items }))),
                        Err(xml) => xml,
                    }
                } else {
                    let entries = rest(map)?;
                    match Xml::of(&entries) {
                        Some(xml) => xml,
                        None => self.as_xml(name, entries).map_err(A::Error::custom)?,
                    }
                }
            }
            found => match value(name, Typed::new(walk, found), map)? {
                Ok(any) => return Ok(any),
                Err(xml) => xml,
            },
        };
        self.decode(Some(name), &xml).map_err(A::Error::custom)
    }

    /// An object that doesn't say its type.
    fn untyped<E: Error>(self, entries: Entries) -> Result<Any, E> {
        if let Some(xml) = Xml::of(&entries) {
            return self.decode(None, &xml).map_err(E::custom);
        }
        match self.declared {
            Declared::Moref => moref(&entries),
            Declared::Object(info) => {
                let objects = self.walk.registry.objects;
                let has_descendants = objects
                    .iter()
                    .filter_map(|info| info.base)
                    .any(|base| std::ptr::eq(base, info));
                if has_descendants {
                    return Err(E::custom(format_args!(
                        "expected a _typeName, since {} has descendants",
                        info.name
                    )));
                }
                self.object(info.name, MapDeserializer::new(entries.into_iter()))
            }
            _ => Err(E::invalid_type(Tree::Map(entries).unexpected(), &self)),
        }
    }

    /// An object of an unknown type as the XML that it would have been.
    fn as_xml(self, name: &str, mut entries: Entries) -> Result<Xml, String> {
        tree::check_type(name)?;
        entries.insert(0, ("_typeName".to_owned(), Tree::Text(name.to_owned())));
        let mut writer = Writer::new();
        Tree::Map(entries).write("value", &mut writer)?;
        let element = writer.finish();
        // Behind the start tag, before the end tag.
        let start = tree::start_tag("value", name)?.len();
        let end = element.len() - "</value>".len();
        Ok(Xml {
            content: Some(element[start..end].to_owned()),
            attributes: String::new(),
        })
    }

    /// Decodes what is there as XML, as it would be decoded in an answer.
    fn decode(self, xsi_type: Option<&str>, xml: &Xml) -> Result<Any, String> {
        let message = |error: DecodeError| format!("in its XML: {error}");
        // Whatever stands in it: it is read as a whole, and only what is well-formed is kept.
        let mut element = String::from("<value");
        if let Some(name) = xsi_type {
            let quote = if name.contains('"') { '\'' } else { '"' };
            element.push_str(&format!(" xsi:type={quote}{name}{quote}"));
        }
        element.push_str(&xml.attributes);
        element.push('>');
        element.push_str(xml.content.as_deref().unwrap_or_default());
        element.push_str("</value>");
        if let Some(item) = self.array {
            let start = tree::start_tag("array", &format!("ArrayOf{item}"))?;
            element = format!("{start}{element}</array>");
        }
        let mut reader = Reader::new(&element, self.walk.registry, Limits::default());
        reader.tokens.root().map_err(message)?;
        let read = match (self.declared, self.array) {
            (Declared::Object(base), None) => reader.descendant(base).map(Any::Object),
            _ => reader.any(),
        };
        let any = read.map_err(message)?;
        reader.tokens.finish().map_err(message)?;
        match (any, self.array) {
            (Any::Array(mut array), Some(_)) if array.items.len() == 1 => {
                Ok(array.items.pop().unwrap_or_default())
            }
            (_, Some(_)) => Err("in its XML: expected one element".to_owned()),
            (any, None) => Ok(any),
        }
    }
}

/// A value of a primitive type, if it is one.
fn primitive(name: &str, value: &Tree) -> Option<Any> {
    Some(match (name, value) {
        ("boolean", Tree::Bool(value)) => Any::Bool(*value),
        ("byte", Tree::Integer(value)) => Any::Byte((*value).try_into().ok()?),
        ("short", Tree::Integer(value)) => Any::Short((*value).try_into().ok()?),
        ("int", Tree::Integer(value)) => Any::Int((*value).try_into().ok()?),
        ("long", Tree::Integer(value)) => Any::Long((*value).try_into().ok()?),
        ("float", value) => Any::Float(number(value)? as f32),
        ("double", value) => Any::Double(number(value)?),
        ("string", Tree::Text(text)) => Any::String(text.clone()),
        ("anyURI", Tree::Text(text)) => Any::Uri(text.clone()),
        ("dateTime", Tree::Text(text)) => Any::DateTime(DateTime::from_wire(text)),
        ("base64Binary", Tree::Text(text)) => Any::Binary(Binary(STANDARD.decode(text).ok()?)),
        _ => return None,
    })
}

fn number(value: &Tree) -> Option<f64> {
    match value {
        Tree::Float(value) => Some(*value),
        Tree::Integer(value) => Some(*value as f64),
        Tree::Text(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "INF" => Some(f64::INFINITY),
            "-INF" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

fn moref<E: Error>(entries: &Entries) -> Result<Any, E> {
    let part = |name| {
        tree::text(entries, name)
            .ok_or_else(|| E::custom(format_args!("a reference needs a string '{name}'")))
    };
    Ok(Any::Moref(ManagedObjectReference::new(
        part("type")?,
        part("value")?,
    )))
}

/// All that is left.
fn rest<'de, A: MapAccess<'de>>(mut map: A) -> Result<Entries, A::Error> {
    let mut entries = Entries::new();
    while let Some(entry) = map.next_entry()? {
        entries.push(entry);
    }
    Ok(entries)
}

/// What is under `_value`, or the XML that is there instead.
fn value<'de, S: DeserializeSeed<'de>, A: MapAccess<'de>>(
    name: &str,
    seed: S,
    mut map: A,
) -> Result<Result<S::Value, Xml>, A::Error> {
    let (mut seed, mut value, mut xml) = (Some(seed), None, Xml::default());
    while let Some(key) = map.next_key::<String>()? {
        match (key.as_str(), seed.take()) {
            ("_value", Some(seed)) => value = Some(map.next_value_seed(seed)?),
            (key, kept) => {
                seed = kept;
                match key {
                    "_xml" => xml.content = Some(map.next_value()?),
                    "_attributes" => xml.attributes = map.next_value()?,
                    _ => {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
            }
        }
    }
    match (value, &xml.content) {
        (Some(value), _) => Ok(Ok(value)),
        (None, Some(_)) => Ok(Err(xml)),
        (None, None) => Err(A::Error::custom(format_args!("{name} has no _value"))),
    }
}

impl<'de> DeserializeSeed<'de> for Typed<'_> {
    type Value = Any;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Any, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Typed<'_> {
    type Value = Any;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.declared)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Any, E> {
        self.scalar(Tree::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Any, E> {
        self.scalar(Tree::Integer(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Any, E> {
        self.scalar(Tree::Integer(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Any, E> {
        self.scalar(Tree::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Any, E> {
        self.scalar(Tree::Text(value.to_owned()))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Any, E> {
        self.scalar(Tree::Text(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Any, E> {
        self.scalar(Tree::Null)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Any, A::Error> {
        let mut entries = Entries::new();
        if let Some(key) = map.next_key::<String>()? {
            if key == "_typeName" {
                let name: String = map.next_value()?;
                return self.object(&name, map);
            }
            entries.push((key, map.next_value()?));
        }
        entries.extend(rest(map)?);
        match entries.iter().position(|(key, _)| key == "_typeName") {
            None => self.untyped(entries),
            Some(index) => match entries.remove(index) {
                (_, Tree::Text(name)) => {
                    self.object(&name, MapDeserializer::new(entries.into_iter()))
                }
                (_, other) => Err(A::Error::invalid_type(other.unexpected(), &"a _typeName")),
            },
        }
    }
}
