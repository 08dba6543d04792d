//! Faults: the answer of a server instead of a result.

use std::fmt;

use crate::any::Any;
use crate::object::{DataObject, Object};
use crate::raw::RawElement;
use crate::value::{List, View};
use crate::wire;

/// `soapenv:Fault`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SoapFault {
    /// `faultcode`, such as `ServerFaultCode`.
    pub code: String,
    /// `faultstring`: a sentence in the language of the session.
    pub string: String,
    /// The fault object: a descendant of `MethodFault`, or another value.
    pub detail: Option<Any>,
}

impl SoapFault {
    /// Makes a SOAP fault of a fault object; `string` is the text for people.
    pub fn new(fault: impl DataObject, string: impl Into<String>) -> Self {
        Self {
            code: "ServerFaultCode".to_owned(),
            string: string.into(),
            detail: Some(Any::object(fault)),
        }
    }

    /// The name of the fault's type, if it has a detail.
    pub fn type_name(&self) -> Option<String> {
        self.detail.as_ref().map(Any::type_name)
    }

    /// The fault as a `T`, if it is that or a descendant of it.
    pub fn cast<T: DataObject>(&self) -> Option<&T> {
        self.detail.as_ref()?.as_object()?.cast()
    }

    /// Whether the fault is a `T` or a descendant of it.
    pub fn is<T: DataObject>(&self) -> bool {
        self.cast::<T>().is_some()
    }
}

/// What is behind a fault.
impl SoapFault {
    /// The fault's type with the properties of its own that are set, such as `InvalidProperty (name:
    /// config.instanceUuid)`: all that there is to say where a server sends no text. `None` without a detail.
    ///
    /// Long values are cut, and at most eight properties are named.
    pub fn described(&self) -> Option<String> {
        let detail = self.detail.as_ref()?;
        Some(match detail {
            Any::Object(object) => described(&**object),
            Any::Unknown(element) => with_properties(&detail.type_name(), of_element(element)),
            Any::Undecodable(value) => {
                with_properties(&detail.type_name(), of_element(&value.element))
            }
            Any::String(text) => cut(text),
            _ => detail.type_name(),
        })
    }

    /// The server's text; without one what [`described`](Self::described) says, and without a detail the code.
    pub fn text(&self) -> String {
        match self.string.trim().is_empty() {
            false => self.string.clone(),
            true => self
                .described()
                .unwrap_or_else(|| match self.code.is_empty() {
                    true => "a fault without a text".to_owned(),
                    false => self.code.clone(),
                }),
        }
    }

    /// What the server says below its text, outermost first: the messages of the fault (`faultMessage`), and then those
    /// of the faults that caused it (`faultCause`), each once.
    pub fn reasons(&self) -> Vec<String> {
        let mut reasons = Reasons {
            said: vec![self.string.trim().to_owned()],
        };
        if let Some(fault) = self.detail.as_ref().and_then(Any::as_object) {
            reasons.add(fault, 0);
        }
        reasons.said.remove(0);
        reasons.said
    }
}

/// So deep may faults cause each other.
const DEEPEST: usize = 16;
/// So many reasons are told.
const MOST: usize = 32;

struct Reasons {
    said: Vec<String>,
}

impl Reasons {
    fn add(&mut self, fault: &dyn Object, depth: usize) {
        if let View::List(messages @ List::Objects(_)) = property(fault, "faultMessage") {
            for message in messages.iter().take(MOST) {
                let View::Object(message) = message else {
                    continue;
                };
                match (property(message, "message"), property(message, "key")) {
                    (View::Text(text), _) | (View::Unset, View::Text(text)) => self.say(text),
                    _ => {}
                }
            }
        }
        let View::Object(cause) = property(fault, "faultCause") else {
            return;
        };
        let View::Object(inner) = property(cause, "fault") else {
            return;
        };
        match property(cause, "localizedMessage") {
            View::Text(text) if !text.trim().is_empty() => self.say(text),
            _ => self.say(&described(inner)),
        }
        if depth < DEEPEST {
            self.add(inner, depth + 1);
        }
    }

    fn say(&mut self, text: &str) {
        let text = text.trim();
        let known = self.said.iter().any(|said| said == text);
        if !text.is_empty() && !known && self.said.len() <= MOST {
            self.said.push(text.to_owned());
        }
    }
}

/// A property by its name on the wire.
fn property<'a>(object: &'a dyn Object, name: &str) -> View<'a> {
    match object.info().layout().index_of(name) {
        Some(index) => object.get(index).view(),
        None => View::Unset,
    }
}

/// The properties that every fault has.
const OF_ALL: [&str; 2] = ["faultCause", "faultMessage"];

/// A fault's type with the properties of its own.
fn described(object: &dyn Object) -> String {
    let properties = match object.unknown() {
        Some(unknown) => of_element(&unknown.element),
        None => of_object(object),
    };
    with_properties(object.type_name(), properties)
}

fn with_properties(name: &str, mut properties: Vec<String>) -> String {
    properties.truncate(8);
    match properties.is_empty() {
        true => name.to_owned(),
        false => format!("{name} ({})", properties.join(", ")),
    }
}

/// `name: value` of the properties of a fault that only its type has.
fn of_object(object: &dyn Object) -> Vec<String> {
    let fields = object.info().all_fields().enumerate();
    let shown = fields.filter(|(_, field)| !field.secret && !OF_ALL.contains(&field.name));
    let shown = shown.filter_map(|(index, field)| {
        let value = shown_value(object.get(index).view())?;
        Some(format!("{}: {value}", field.name))
    });
    shown.collect()
}

/// A value for people; `None` if there is none, or if it is not a simple one.
fn shown_value(view: View<'_>) -> Option<String> {
    Some(match view {
        View::Bool(value) => value.to_string(),
        View::Byte(value) => value.to_string(),
        View::Short(value) => value.to_string(),
        View::Int(value) => value.to_string(),
        View::Long(value) => value.to_string(),
        View::Float(value) => value.to_string(),
        View::Double(value) => value.to_string(),
        View::Text(text) | View::Enum(_, text) => {
            return Some(cut(text)).filter(|text| !text.is_empty());
        }
        View::DateTime(value) => value.to_string(),
        View::Moref(value) => cut(&value.to_string()),
        View::List(List::Values(values)) => {
            let items =
                (0..values.len().min(8)).filter_map(|index| shown_value(values.item(index)));
            return Some(items.collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty());
        }
        View::Object(object) => object.type_name().to_owned(),
        View::Any(any) => any.type_name(),
        View::Unset | View::Binary(_) | View::List(List::Objects(_)) => return None,
    })
}

/// The same of a fault that this build does not know, or cannot decode: its elements with a text.
fn of_element(element: &RawElement) -> Vec<String> {
    let texts = wire::texts_of(&element.content).unwrap_or_default();
    let own = texts
        .into_iter()
        .filter(|(name, text)| !OF_ALL.contains(&name.as_str()) && !text.trim().is_empty());
    own.map(|(name, text)| format!("{name}: {}", cut(&text)))
        .collect()
}

/// At most 200 characters of a text, on one line.
fn cut(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(200) {
        line.truncate(end);
        line.push('…');
    }
    line
}

impl fmt::Display for SoapFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.type_name(), self.string.trim().is_empty()) {
            (Some(name), false) => write!(f, "{name} - {}", self.string),
            (None, false) => write!(f, "{} - {}", self.code, self.string),
            (_, true) => f.write_str(&self.text()),
        }
    }
}

impl std::error::Error for SoapFault {}
