//! Writing.

use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::any::{Any, Array};
use crate::moref::ManagedObjectReference;
use crate::object::{Object, ObjectInfo};
use crate::raw::RawElement;
use crate::value::View;

/// Writes elements as the schema wants them.
///
/// Base properties come first, then declaration order; `xsi:type` is written where a value's type differs
/// from the declared one, and always inside `anyType`; no blanks between elements, which strict clients
/// refuse. The prefixes `xsi:` and `xsd:` must be declared around what is written.
#[derive(Default)]
pub struct Writer {
    out: String,
    /// Whether the reader knows what came with a version of the API; it knows everything if there is none.
    knows: Option<Knows>,
}

/// Whether somebody knows what came with a version of the API.
type Knows = Box<dyn Fn(&str) -> bool>;

impl Writer {
    /// Writes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes for somebody who has an older version of the API: properties of later versions are left out, and
    /// objects of later types are written as the nearest base class that is old enough.
    ///
    /// `knows` is asked with [`Field::since`](crate::Field::since) and
    /// [`ObjectInfo::since`](crate::ObjectInfo::since), unless they are empty.
    pub fn for_reader(knows: impl Fn(&str) -> bool + 'static) -> Self {
        Self {
            out: String::new(),
            knows: Some(Box::new(knows)),
        }
    }

    /// What was written.
    pub fn finish(self) -> String {
        self.out
    }

    /// Writes text as it is.
    pub(crate) fn raw(&mut self, text: &str) {
        self.out.push_str(text);
    }

    /// Writes a value as an element, or as one for each item of a list; nothing when it is unset.
    ///
    /// `declared` is the schema's name of the declared type.
    pub fn element(&mut self, name: &str, declared: &str, view: View<'_>) {
        match view {
            View::Unset => {}
            View::List(list) => {
                for item in list.iter() {
                    self.element(name, declared, item);
                }
            }
            View::Object(object) => self.object(name, Some(declared), object),
            View::Any(any) => self.any(name, any),
            View::Moref(moref) => self.moref(name, "", moref),
            view => {
                self.start(name, "");
                self.text(view);
                self.end(name);
            }
        }
    }

    /// Writes the properties of an object, without an element around them.
    pub fn properties(&mut self, object: &dyn Object) {
        self.properties_as(object, object.info());
    }

    /// Writes those properties of an object that it has from a base class.
    fn properties_as(&mut self, object: &dyn Object, base: &'static ObjectInfo) {
        // Those of the base classes come first.
        for (index, field) in base.all_fields().enumerate() {
            if self.knows(field.since) {
                self.element(field.name, field.ty, object.get(index).view());
            }
        }
    }

    fn knows(&self, since: &str) -> bool {
        since.is_empty() || self.knows.as_ref().is_none_or(|knows| knows(since))
    }

    /// The type to write an object as: its own, or a base class that the reader knows.
    ///
    /// The declared type is as far as it goes. The root of all data objects says nothing, so an object that has
    /// no better one keeps its own.
    fn type_for_reader(
        &self,
        own: &'static ObjectInfo,
        declared: Option<&str>,
    ) -> &'static ObjectInfo {
        let mut info = own;
        while !self.knows(info.since) && declared != Some(info.name) {
            match info.base {
                Some(base) if base.base.is_some() || !base.properties.is_empty() => info = base,
                _ => return own,
            }
        }
        info
    }

    fn object(&mut self, name: &str, declared: Option<&str>, object: &dyn Object) {
        if let Some(unknown) = object.unknown() {
            return self.raw_element(name, &unknown.element);
        }
        let info = self.type_for_reader(object.info(), declared);
        let differs = declared.is_none_or(|declared| declared != info.name);
        self.start(name, if differs { info.name } else { "" });
        self.properties_as(object, info);
        self.end(name);
    }

    fn moref(&mut self, name: &str, xsi_type: &str, moref: &ManagedObjectReference) {
        self.out.push('<');
        self.out.push_str(name);
        if !xsi_type.is_empty() {
            self.out.push_str(" xsi:type=\"");
            self.out.push_str(xsi_type);
            self.out.push('"');
        }
        self.out.push_str(" type=\"");
        escape(&moref.r#type, &mut self.out);
        self.out.push_str("\">");
        escape(&moref.value, &mut self.out);
        self.end(name);
    }

    fn any(&mut self, name: &str, any: &Any) {
        match any {
            Any::None => {}
            Any::Moref(moref) => self.moref(name, "ManagedObjectReference", moref),
            Any::Object(object) => self.object(name, None, &**object),
            Any::Unknown(element) => self.raw_element(name, element),
            Any::Undecodable(value) => self.raw_element(name, &value.element),
            Any::Array(array) => self.array(name, array),
            Any::Enum(value) => {
                self.start(name, &value.type_name);
                escape(&value.value, &mut self.out);
                self.end(name);
            }
            any => {
                self.start(name, &any.type_name());
                self.text(any.inner());
                self.end(name);
            }
        }
    }

    fn array(&mut self, name: &str, array: &Array) {
        self.start(name, &array.type_name());
        for item in &array.items {
            self.any(&array.item, item);
        }
        self.end(name);
    }

    fn raw_element(&mut self, name: &str, element: &RawElement) {
        self.out.push('<');
        self.out.push_str(name);
        if let Some(ty) = &element.type_name {
            self.out.push_str(" xsi:type=\"");
            escape(ty, &mut self.out);
            self.out.push('"');
        }
        self.out.push_str(&element.attributes);
        self.out.push('>');
        self.out.push_str(&element.content);
        self.end(name);
    }

    fn start(&mut self, name: &str, xsi_type: &str) {
        self.out.push('<');
        self.out.push_str(name);
        if !xsi_type.is_empty() {
            self.out.push_str(" xsi:type=\"");
            escape(xsi_type, &mut self.out);
            self.out.push('"');
        }
        self.out.push('>');
    }

    fn end(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    fn text(&mut self, view: View<'_>) {
        match view {
            View::Bool(value) => self.out.push_str(if value { "true" } else { "false" }),
            View::Byte(value) => self.integer(value),
            View::Short(value) => self.integer(value),
            View::Int(value) => self.integer(value),
            View::Long(value) => self.integer(value),
            View::Float(value) => self.float(f64::from(value), value),
            View::Double(value) => self.float(value, value),
            View::Text(value) | View::Enum(_, value) => escape(value, &mut self.out),
            View::DateTime(value) => value.write(&mut self.out),
            View::Binary(value) => STANDARD.encode_string(value, &mut self.out),
            View::Unset | View::Moref(_) | View::Object(_) | View::Any(_) | View::List(_) => {}
        }
    }

    fn integer(&mut self, value: impl itoa::Integer) {
        self.out.push_str(itoa::Buffer::new().format(value));
    }

    fn display(&mut self, value: impl std::fmt::Display) {
        // Writing to a String cannot fail.
        let _ = write!(self.out, "{value}");
    }

    /// XML Schema's names for what is no number.
    fn float(&mut self, value: f64, shown: impl std::fmt::Display) {
        if value.is_nan() {
            self.out.push_str("NaN");
        } else if value == f64::INFINITY {
            self.out.push_str("INF");
        } else if value == f64::NEG_INFINITY {
            self.out.push_str("-INF");
        } else {
            self.display(shown);
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("out", &self.out)
            .finish_non_exhaustive()
    }
}

/// Appends text that is safe in element content and in attributes.
///
/// Characters that XML cannot carry at all (control characters other than tab, line feed and carriage
/// return, and U+FFFE and U+FFFF) become U+FFFD. A carriage return is written as a reference, since a reader
/// would make it a line feed.
pub(crate) fn escape(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(at) = suspicious(rest.as_bytes()) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut characters = special.chars();
        match characters.next() {
            Some('&') => out.push_str("&amp;"),
            Some('<') => out.push_str("&lt;"),
            Some('>') => out.push_str("&gt;"),
            Some('"') => out.push_str("&quot;"),
            Some('\r') => out.push_str("&#13;"),
            Some('\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}') => out.push('\u{fffd}'),
            other => out.extend(other),
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
}

/// The position of the first byte that may begin a character which [`escape`] doesn't copy.
#[inline]
fn suspicious(text: &[u8]) -> Option<usize> {
    // Sixteen at a time, without a branch for each.
    let clean = text
        .chunks_exact(16)
        .take_while(|chunk| {
            !chunk.iter().fold(false, |found, byte| {
                found
                    | (*byte < 0x20)
                    | matches!(byte, b'&')
                    | matches!(byte, b'<')
                    | matches!(byte, b'>')
                    | matches!(byte, b'"')
                    | matches!(byte, 0xef)
            })
        })
        .count();
    let from = 16 * clean;
    text[from..]
        .iter()
        .position(|byte| SUSPICIOUS[usize::from(*byte)])
        .map(|at| from + at)
}

/// The bytes that may begin a character which [`escape`] doesn't copy.
const SUSPICIOUS: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = byte != b'\t' as usize && byte != b'\n' as usize;
        byte += 1;
    }
    table[b'&' as usize] = true;
    table[b'<' as usize] = true;
    table[b'>' as usize] = true;
    table[b'"' as usize] = true;
    // U+FFFE and U+FFFF begin with it.
    table[0xef] = true;
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_xml_cannot_carry_is_escaped_or_replaced() {
        let mut out = String::new();
        escape(
            "a<b>&\"c\"\t\n\r\0\u{1f}\u{fffe}\u{ff21}\u{ffff}ä日🦀",
            &mut out,
        );
        assert_eq!(
            out,
            "a&lt;b&gt;&amp;&quot;c&quot;\t\n&#13;\u{fffd}\u{fffd}\u{fffd}\u{ff21}\u{fffd}ä日🦀"
        );
    }
}
