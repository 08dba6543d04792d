//! XML with the types of its schema.

use std::collections::BTreeSet;

use vi_types::wire::{Limits, decode_response, encode_response};
use vi_types::{Any, DateTime, Method, Registry, View};

use crate::canonical::{Element, Name, differences};

const VIM: &str = "urn:vim25";
const XSD: &str = "http://www.w3.org/2001/XMLSchema";

/// The schema's primitive types; `ManagedObjectReference` is none, as it is of the API's own namespace.
const PRIMITIVES: [&str; 12] = [
    "anyType",
    "anyURI",
    "base64Binary",
    "boolean",
    "byte",
    "dateTime",
    "double",
    "float",
    "int",
    "long",
    "short",
    "string",
];

/// Gives every element below a type: the one it says, or the declared one. So it is no difference whether a type is
/// said that is known anyway. Values are brought into one way of writing: `1` is `true`, `.50` is `.5`.
///
/// What stands below something that the schema doesn't have stays as it is.
pub(crate) fn settle(element: &mut Element, declared: &str, registry: &Registry) {
    let said = element.ty.as_ref().map(|ty| ty.local.clone());
    let ty = said.unwrap_or_else(|| declared.to_owned());
    if ty.is_empty() {
        return;
    }
    let namespace = if PRIMITIVES.contains(&ty.as_str()) {
        XSD
    } else {
        VIM
    };
    element.ty.get_or_insert_with(|| Name {
        namespace: namespace.to_owned(),
        local: ty.clone(),
    });
    if element.children.is_empty() {
        element.text = value(&ty, std::mem::take(&mut element.text));
    }
    if let Some(item) = ty.strip_prefix("ArrayOf") {
        let primitive = PRIMITIVES
            .iter()
            .find(|primitive| primitive.eq_ignore_ascii_case(item));
        let item = primitive.map_or(item, |primitive| *primitive);
        element
            .children
            .iter_mut()
            .for_each(|child| settle(child, item, registry));
        return;
    }
    let info = registry
        .object(&ty)
        .or_else(|| Some((vi_types::interface().method(&ty)?.request)()));
    let Some(layout) = info.map(|info| info.layout()) else {
        return;
    };
    for child in &mut element.children {
        let index = layout.index_of(&child.name.local);
        if let Some(field) = index.and_then(|index| layout.field(index)) {
            settle(child, field.ty, registry);
        }
    }
}

/// A value in one way of writing.
fn value(ty: &str, text: String) -> String {
    let trimmed = text.trim();
    match ty {
        "boolean" => match trimmed {
            "1" => "true".to_owned(),
            "0" => "false".to_owned(),
            other => other.to_owned(),
        },
        "float" => trimmed
            .parse()
            .map_or(text, |number: f32| format!("{number:?}")),
        "double" => trimmed
            .parse()
            .map_or(text, |number: f64| format!("{number:?}")),
        "dateTime" => match trimmed.parse::<DateTime>() {
            Ok(time) => {
                format!(
                    "{} s {} ns",
                    time.epoch_seconds().unwrap_or_default(),
                    time.subsecond_nanoseconds()
                )
            }
            Err(_) => text,
        },
        "base64Binary" => text.split_whitespace().collect(),
        "byte" | "int" | "long" | "short" => trimmed.to_owned(),
        _ => text,
    }
}

/// Something that a server sends though the schema doesn't have it so.
pub(crate) struct Known {
    /// The words of what is said about it.
    pub(crate) words: &'static [&'static str],
    pub(crate) reason: &'static str,
}

/// Decodes an answer and encodes it again; both have to say the same, and nothing may be unknown.
///
/// What is wrong and not `known` is the error; what is known and met goes to `shown`, by its reason.
pub(crate) fn again<M: Method>(
    answer: &[u8],
    known: &[Known],
    shown: &mut BTreeSet<&'static str>,
) -> Result<(), String> {
    let decoded =
        decode_response::<M>(answer, Limits::default()).map_err(|error| error.to_string())?;
    let mut mistakes: Vec<String> = decoded
        .unknown
        .iter()
        .map(|unknown| format!("{unknown} is unknown"))
        .collect();
    undecodable(M::output(&decoded.returnval).view(), &mut mistakes);
    let text = std::str::from_utf8(answer).map_err(|error| error.to_string())?;
    let then = returned::<M>(text)?;
    let now = returned::<M>(&encode_response::<M>(&decoded.returnval))?;
    if then.children.is_empty() {
        mistakes.push("the answer is empty".to_owned());
    }
    for difference in differences(&then, &now) {
        let element = difference
            .lost
            .map(|lost| format!("{}.{lost}", difference.owner));
        // One that is unknown was told already.
        if element.is_none_or(|element| !decoded.unknown.contains(&element)) {
            mistakes.push(format!("{}: {}", difference.path, difference.what));
        }
    }
    mistakes.retain(|mistake| {
        let is_it = |known: &&Known| known.words.iter().all(|word| mistake.contains(word));
        let known = known.iter().find(is_it);
        shown.extend(known.map(|known| known.reason));
        known.is_none()
    });
    mistakes.truncate(20);
    if mistakes.is_empty() {
        Ok(())
    } else {
        Err(mistakes.join("; "))
    }
}

/// Values that are only kept as XML, because of a mistake in them or because nothing is known of their type.
fn undecodable(view: View<'_>, mistakes: &mut Vec<String>) {
    match view {
        View::List(list) => list.iter().for_each(|item| undecodable(item, mistakes)),
        View::Object(object) => {
            if object.unknown().is_some() {
                mistakes.push(format!("{} is an unknown type", object.type_name()));
            }
            let count = object.info().layout().len();
            (0..count).for_each(|index| undecodable(object.get(index).view(), mistakes));
        }
        View::Any(Any::Object(object)) => undecodable(View::Object(&**object), mistakes),
        View::Any(Any::Array(array)) => {
            array
                .items
                .iter()
                .for_each(|item| undecodable(View::Any(item), mistakes));
        }
        View::Any(Any::Undecodable(value)) => mistakes.push(value.error.to_string()),
        View::Any(any @ Any::Unknown(_)) => {
            mistakes.push(format!("{} is an unknown type", any.type_name()));
        }
        _ => {}
    }
}

/// The element with what was returned, its types settled.
fn returned<M: Method>(document: &str) -> Result<Element, String> {
    let document = Element::parse(document)?;
    let name = format!("{}Response", M::name());
    let mut response = document
        .find(&name)
        .ok_or_else(|| format!("there is no {name}"))?
        .clone();
    for returned in &mut response.children {
        settle(returned, M::INFO.returns, M::registry());
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use vi_types::methods::RetrieveProperties;

    use super::*;

    /// What is wrong with an answer of one object with this property.
    fn check(property: &str, known: &[Known]) -> Result<(), String> {
        let answer = format!(
            "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/' \
             xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xmlns:xsd='http://www.w3.org/2001/XMLSchema'>\
             <e:Body><RetrievePropertiesResponse xmlns='urn:vim25'><returnval><obj type='Task'>task-1</obj>\
             <propSet><name>info</name>{property}</propSet></returnval></RetrievePropertiesResponse></e:Body>\
             </e:Envelope>"
        );
        again::<RetrieveProperties>(answer.as_bytes(), known, &mut BTreeSet::new())
    }

    #[test]
    fn what_is_known_stays_what_it_was() {
        assert_eq!(
            check(
                "<val xsi:type='xsd:dateTime'>2026-01-01T00:00:00.500Z</val>",
                &[]
            ),
            Ok(())
        );
        assert_eq!(
            check(
                "<val xsi:type='Description'><label>a</label><summary xsi:type='xsd:string'>b</summary></val>",
                &[]
            ),
            Ok(())
        );
    }

    #[test]
    fn unknown_elements_are_told_unless_they_are_expected() {
        let value = "<val xsi:type='Description'><label>a</label><summary>b</summary><colour>c</colour></val>";
        let told = "Description.colour is unknown";
        assert!(check(value, &[]).is_err_and(|found| found.starts_with(told)));
        let known = Known {
            words: &["Description.colour", "unknown"],
            reason: "a test",
        };
        assert_eq!(check(value, &[known]), Ok(()));
    }

    #[test]
    fn values_that_are_not_understood_are_told() {
        assert!(check("<val xsi:type='NoSuchType'><a>1</a></val>", &[]).is_err());
        assert!(check("<val xsi:type='xsd:int'>one</val>", &[]).is_err());
        assert!(check("<val xsi:type='Description'><label>a</label></val>", &[]).is_err());
    }
}
