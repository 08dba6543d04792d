//! What the server tells, without types.

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use vi_client::vi_types::{Any, Object, UnknownObject, View};
use virt_model::xml::Element;

/// A value as the server has told it. Serialized, it is what one would expect of it: a number, a list, an object.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum HistoryValue {
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A number with a fraction.
    Double(f64),
    /// A text, an enum's value, or a time.
    Text(String),
    /// A list.
    List(Vec<HistoryValue>),
    /// Properties by their names, in the order of the API. An object of another class than the one that is declared has
    /// its class as `_typeName`, as in VMware's JSON.
    Object(Vec<(String, HistoryValue)>),
}

impl HistoryValue {
    /// A property of an object.
    pub fn get(&self, name: &str) -> Option<&HistoryValue> {
        let HistoryValue::Object(properties) = self else {
            return None;
        };
        let mut properties = properties.iter();
        properties.find_map(|(known, value)| (known == name).then_some(value))
    }
}

impl Serialize for HistoryValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            HistoryValue::Bool(value) => serializer.serialize_bool(*value),
            HistoryValue::Int(value) => serializer.serialize_i64(*value),
            HistoryValue::Double(value) => serializer.serialize_f64(*value),
            HistoryValue::Text(value) => serializer.serialize_str(value),
            HistoryValue::List(values) => serializer.collect_seq(values),
            HistoryValue::Object(properties) => {
                let mut map = serializer.serialize_map(Some(properties.len()))?;
                for (name, value) in properties {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

/// The name of the member with an object's class.
const TYPE_NAME: &str = "_typeName";

/// All properties of an object that are set, its class first.
pub(super) fn object(object: &dyn Object) -> HistoryValue {
    let class = HistoryValue::Text(object.type_name().to_owned());
    let mut properties = vec![(TYPE_NAME.to_owned(), class)];
    add(object, &mut properties);
    HistoryValue::Object(properties)
}

fn add(object: &dyn Object, properties: &mut Vec<(String, HistoryValue)>) {
    // What this build does not know of the object is in its XML.
    let any: &dyn std::any::Any = object;
    if let Some(unknown) = any.downcast_ref::<UnknownObject>() {
        let first = properties.len();
        add(&*unknown.declared, properties);
        let mut rest = read(&unknown.element.content).unwrap_or_default();
        rest.retain(|(name, _)| properties[first..].iter().all(|(known, _)| known != name));
        properties.extend(rest);
        return;
    }
    for (index, field) in object.info().all_fields().enumerate() {
        // Secrets are none of an event's business.
        if !field.secret
            && let Some(value) = view(object.get(index).view(), field.ty)
        {
            properties.push((field.name.to_owned(), value));
        }
    }
}

/// A value whose type is declared as `declared`; none if it is not set.
fn view(value: View<'_>, declared: &str) -> Option<HistoryValue> {
    Some(match value {
        View::Unset => return None,
        View::Bool(value) => HistoryValue::Bool(value),
        View::Byte(value) => HistoryValue::Int(value.into()),
        View::Short(value) => HistoryValue::Int(value.into()),
        View::Int(value) => HistoryValue::Int(value.into()),
        View::Long(value) => HistoryValue::Int(value),
        View::Float(value) => HistoryValue::Double(value.into()),
        View::Double(value) => HistoryValue::Double(value),
        View::Text(value) | View::Enum(_, value) => HistoryValue::Text(value.to_owned()),
        View::DateTime(value) => HistoryValue::Text(value.to_string()),
        View::Binary(bytes) => HistoryValue::List(
            bytes
                .iter()
                .map(|&byte| HistoryValue::Int(byte.into()))
                .collect(),
        ),
        View::Moref(reference) => HistoryValue::Object(vec![
            (
                "type".to_owned(),
                HistoryValue::Text(reference.r#type.clone()),
            ),
            (
                "value".to_owned(),
                HistoryValue::Text(reference.value.clone()),
            ),
        ]),
        View::Object(own) if own.type_name() == declared => {
            let mut properties = Vec::new();
            add(own, &mut properties);
            HistoryValue::Object(properties)
        }
        View::Object(own) => object(own),
        View::Any(any) => return any_value(any),
        View::List(list) if list.is_empty() => return None,
        View::List(list) => HistoryValue::List(
            list.iter()
                .filter_map(|item| view(item, declared))
                .collect(),
        ),
    })
}

fn any_value(any: &Any) -> Option<HistoryValue> {
    match any {
        Any::None => None,
        Any::Array(array) => {
            let items = array.items.iter().filter_map(any_value);
            Some(HistoryValue::List(items.collect()))
        }
        Any::Enum(value) => Some(HistoryValue::Text(value.value.clone())),
        Any::Unknown(element) => read(&element.content).map(HistoryValue::Object),
        Any::Undecodable(value) => Some(HistoryValue::Text(value.element.content.clone())),
        any => view(any.inner(), ""),
    }
}

/// The properties in the XML of an object. One that is repeated is a list; numbers and booleans stay texts, because only
/// the object's type could tell them from others.
fn read(content: &str) -> Option<Vec<(String, HistoryValue)>> {
    let declared = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"";
    let root: Element = format!("<event {declared}>{content}</event>")
        .parse()
        .ok()?;
    Some(children(&root))
}

fn children(element: &Element) -> Vec<(String, HistoryValue)> {
    let mut properties: Vec<(String, HistoryValue)> = Vec::new();
    for child in element.children() {
        let value = element_value(child);
        match properties.iter_mut().find(|(name, _)| name == child.name()) {
            Some((_, HistoryValue::List(values))) => values.push(value),
            Some((_, first)) => {
                let before = std::mem::replace(first, HistoryValue::Bool(false));
                *first = HistoryValue::List(vec![before, value]);
            }
            None => properties.push((child.name().to_owned(), value)),
        }
    }
    properties
}

fn element_value(element: &Element) -> HistoryValue {
    let class = element.attribute("xsi:type");
    let class = class.filter(|class| !class.starts_with("xsd:"));
    let class = class.map(|class| (TYPE_NAME.to_owned(), HistoryValue::Text(class.to_owned())));
    if element.children().next().is_some() {
        let properties = class.into_iter().chain(children(element));
        return HistoryValue::Object(properties.collect());
    }
    match element.attribute("type") {
        Some(ty) => HistoryValue::Object(vec![
            ("type".to_owned(), HistoryValue::Text(ty.to_owned())),
            ("value".to_owned(), HistoryValue::Text(element.text())),
        ]),
        None => HistoryValue::Text(element.text()),
    }
}
