//! The tokenizer against quick-xml: both find the same elements, attributes and texts, or both refuse.
//!
//! The tokenizer is tested from outside: content of an unknown type is kept as XML without prefixes, comments and CDATA.

use quick_xml::events::Event;
use vi_types::Any;
use vi_types::methods::RetrievePropertiesEx;
use vi_types::wire::{Limits, decode_response};

pub(crate) fn check(data: &[u8]) {
    let Ok(content) = str::from_utf8(data) else {
        return;
    };
    let theirs = theirs(content);
    if theirs == Err(Refusal::NoContent) {
        return;
    }
    match (ours(content), theirs) {
        (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs),
        (Err(_), Err(_)) => {}
        // `<?>a<?>` is a processing instruction without a target, which quick-xml takes for one that ends at once.
        (Ok(_), Err(Refusal::Malformed(why)))
            if why.contains("processing instruction") && content.contains("<?>") => {}
        // A reference to nothing costs only itself.
        (Ok(_), Err(Refusal::Malformed(why))) if is_about_a_reference(&why) => {}
        (Ok(ours), Err(Refusal::Malformed(why))) => {
            panic!("only quick-xml refuses: {why}\n{ours:?}")
        }
        (Err(error), Ok(theirs)) => {
            assert!(
                is_stricter(&error) || error.contains("is given twice") && has_twins(&theirs),
                "only the tokenizer refuses: {error}\n{theirs:?}"
            );
        }
        (_, Err(Refusal::NoContent)) => {}
    }
}

/// Whether quick-xml refuses a reference, which the tokenizer reads as U+FFFD or as it stands.
fn is_about_a_reference(why: &str) -> bool {
    ["entity", "character reference", "';' after '&'"]
        .iter()
        .any(|what| why.contains(what))
}

/// What the tokenizer refuses on purpose, and quick-xml doesn't see.
fn is_stricter(error: &str) -> bool {
    [
        "elements are nested more than",
        "document type declaration",
        // quick-xml takes any bytes for a name, of an attribute as well: `<>`, `<a<b>`, `<a b</c="d">`.
        "a tag has no name",
        "a tag is not closed",
        "a type's name has blanks",
        "an attribute has no value",
        "an attribute's value contains '<'",
        "begins neither a comment nor CDATA",
    ]
    .iter()
    .any(|what| error.contains(what))
}

/// Whether two attributes of an element differ only in characters that XML forbids, which are U+FFFD to the tokenizer.
fn has_twins(told: &[Told]) -> bool {
    told.iter().any(|told| match told {
        Told::Start(_, attributes) => {
            let mut names: Vec<_> = attributes.iter().map(|(name, _)| name).collect();
            names.sort();
            names.windows(2).any(|pair| pair[0] == pair[1])
        }
        Told::Text(_) | Told::End => false,
    })
}

#[derive(Debug, PartialEq)]
enum Refusal {
    /// The text is no content of an element: it closes the one that it is put into.
    NoContent,
    Malformed(String),
}

/// What content holds. Prefixes are gone, and so are attributes that have one.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Start(String, Vec<(String, String)>),
    Text(String),
    End,
}

fn ours(content: &str) -> Result<Vec<Told>, String> {
    let message = format!(
        "<Envelope xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><Body>\
         <RetrievePropertiesExResponse><returnval><objects><obj type=\"A\">a</obj><propSet><name>p</name>\
         <val xsi:type=\"Nobodys\">{content}</val></propSet></objects></returnval>\
         </RetrievePropertiesExResponse></Body></Envelope>"
    );
    let decoded = decode_response::<RetrievePropertiesEx>(message.as_bytes(), Limits::default())
        .map_err(|error| error.to_string())?;
    let mut result = decoded.returnval.ok_or("nothing was returned")?;
    match result.objects.remove(0).prop_set.remove(0).val {
        // Attributes are kept as they were written, so what is wrong in them shows here.
        Any::Unknown(element) => theirs(&element.content)
            .map_err(|refusal| format!("{refusal:?} in {:?}", element.content)),
        other => panic!("{other:?}"),
    }
}

fn theirs(content: &str) -> Result<Vec<Told>, Refusal> {
    tell(content).map_err(|error| match error.downcast::<Closed>() {
        Ok(_) => Refusal::NoContent,
        Err(error) => Refusal::Malformed(error.to_string()),
    })
}

/// The element around the content was closed in it.
#[derive(Debug)]
struct Closed;

impl std::fmt::Display for Closed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("closed")
    }
}

impl std::error::Error for Closed {}

fn tell(content: &str) -> Result<Vec<Told>, Box<dyn std::error::Error>> {
    let document = format!("<val>{content}</val>");
    let mut reader = quick_xml::Reader::from_str(&document);
    reader.config_mut().expand_empty_elements = true;
    let mut told = Vec::new();
    let mut depth = 0;
    loop {
        match reader.read_event()? {
            Event::Start(start) => {
                depth += 1;
                let mut attributes = Vec::new();
                for attribute in start.attributes() {
                    let attribute = attribute?;
                    let name = attribute.key.as_ref();
                    // One with a prefix isn't kept, so that its value isn't looked at, unless it declares another prefix.
                    if name.starts_with("xmlns:") {
                        quick_xml::escape::unescape(&attribute.value)?;
                    } else if !name.contains(':') && name != "xmlns" {
                        let value = quick_xml::escape::unescape(&attribute.value)?;
                        attributes.push((carried(name), carried(&value)));
                    }
                }
                told.push(Told::Start(local(start.name().as_ref()), attributes));
            }
            Event::End(_) => {
                depth -= 1;
                told.push(Told::End);
                if depth == 0 && reader.buffer_position() < document.len() as u64 {
                    return Err(Box::new(Closed));
                }
            }
            Event::Text(text) => push_text(&mut told, &text.xml10_content()),
            Event::CData(data) => push_text(&mut told, &data),
            Event::GeneralRef(name) => {
                let text = quick_xml::escape::unescape(&format!("&{};", &*name))?.into_owned();
                push_text(&mut told, &text);
            }
            Event::Eof if depth == 0 => return Ok(told),
            Event::Eof => return Err("it ends too early".into()),
            _ => {}
        }
    }
}

fn local(name: &str) -> String {
    carried(name.rsplit(':').next().unwrap_or_default())
}

fn push_text(told: &mut Vec<Told>, text: &str) {
    let text = &*carried(text);
    match told.last_mut() {
        _ if text.is_empty() => {}
        Some(Told::Text(before)) => before.push_str(text),
        _ => told.push(Told::Text(text.to_owned())),
    }
}

/// Characters that XML cannot have are taken by both; what is kept has U+FFFD in their place.
fn carried(text: &str) -> String {
    let is_no_character = |c: char| {
        matches!(c, '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}') && !matches!(c, '\t' | '\n' | '\r')
    };
    text.replace(is_no_character, "\u{fffd}")
}
