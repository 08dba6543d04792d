//! Writing.

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::any::{Any, Array};
use crate::moref::ManagedObjectReference;
use crate::object::{BASE, Field, Layout, Object, ObjectInfo};
use crate::property::Property;
use crate::raw::RawElement;
use crate::value::View;

/// Writes elements in the order of the schema.
///
/// Base properties come first, then declaration order. `xsi:type` is written if a value's type differs from the declared
/// one, and always inside `anyType`. There are no blanks between elements, because strict clients refuse them. The
/// surrounding element must declare the prefixes `xsi:` and `xsd:`.
#[derive(Default)]
pub struct Writer {
    /// What was written: UTF-8, of which each piece is; as bytes, since cutting a text asks where its characters are.
    out: Vec<u8>,
    /// Whether the reader knows the features of a version of the API; without it, the reader knows all.
    knows: Option<Knows>,
}

/// Whether a reader knows the features of a version of the API.
type Knows = Box<dyn Fn(&str) -> bool>;

impl Writer {
    /// An empty writer.
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer for a reader with an older version of the API: properties of later versions are left out, and objects of
    /// later types are written as their nearest base class that is old enough.
    ///
    /// `knows` is called with [`Field::since`](crate::Field::since) and
    /// [`ObjectInfo::since`](crate::ObjectInfo::since), unless they are empty.
    pub fn for_reader(knows: impl Fn(&str) -> bool + 'static) -> Self {
        Self {
            out: Vec::new(),
            knows: Some(Box::new(knows)),
        }
    }

    /// The written text.
    pub fn finish(self) -> String {
        String::from_utf8(self.out)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }

    /// Writes text as it is.
    pub(crate) fn raw(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Writes a value as an element, or as one for each item of a list; nothing when it is unset.
    ///
    /// `declared` is the schema's name of the declared type.
    pub fn element(&mut self, name: &str, declared: &str, view: View<'_>) {
        self.view(&Tags::of(name), declared, view);
    }

    /// Writes the properties of an object, without an element around them.
    pub fn properties(&mut self, object: &dyn Object) {
        let layout = object.info().layout();
        self.first_properties(object, layout, layout.len());
    }

    /// Writes the parameters of a request, but not what it is called on.
    pub(crate) fn parameters(&mut self, request: &dyn Object) {
        let layout = request.info().layout();
        for (index, field) in layout.fields.iter().enumerate() {
            if field.name != "_this" {
                self.view(&layout.tags[index], field.ty, request.get(index).view());
            }
        }
    }

    /// Writes so many of the first properties of an object: all of them, or those that it has from a base class.
    fn first_properties(&mut self, object: &dyn Object, layout: &Layout, count: usize) {
        let mut index = 0;
        // Those of the base class come first. It is asked itself, as it needs not go down the chain for each.
        if layout.inherits
            && let Property::Object(base) = object.get(BASE)
        {
            let layout = base.info().layout();
            index = layout.len().min(count);
            self.first_properties(base, layout, index);
        }
        let (fields, tags) = (&layout.fields[..count], &layout.tags[..count]);
        while index < count {
            let (field, tags) = (&fields[index], &tags[index]);
            // Most properties are values or objects, and most of these are unset: finding that out is what takes the
            // time.
            match object.get(index) {
                Property::Value(value) => match value.view() {
                    View::Unset => {}
                    view if self.knows(field) => self.view(tags, field.ty, view),
                    _ => {}
                },
                Property::Optional(object) => match object.get() {
                    Some(object) if self.knows(field) => self.declared_object(tags, object),
                    _ => {}
                },
                property => self.objects(field, tags, property),
            }
            index += 1;
        }
    }

    /// An object that is always there, or a list of objects, of exactly the declared type.
    #[inline(never)]
    fn objects(&mut self, field: &Field, tags: &Tags, property: Property<'_>) {
        if !self.knows(field) {
            return;
        }
        match property {
            Property::Object(object) => self.declared_object(tags, object),
            Property::Objects(objects) => {
                for item in 0..objects.len() {
                    self.declared_object(tags, objects.item(item));
                }
            }
            Property::Value(_) | Property::Optional(_) | Property::Absent | Property::Info(_) => {}
        }
    }

    fn declared_object(&mut self, tags: &Tags, object: &dyn Object) {
        tags.start.push_to(&mut self.out);
        self.properties(object);
        tags.end.push_to(&mut self.out);
    }

    /// A value that is set.
    fn view(&mut self, tags: &Tags, declared: &str, view: View<'_>) {
        // Most are texts. Asked first, and apart: that is guessed better than which of many kinds it is.
        if let View::Text(text) | View::Enum(_, text) = view {
            tags.start.push_to(&mut self.out);
            escape(text, &mut self.out);
            tags.end.push_to(&mut self.out);
        } else {
            self.other_view(tags, declared, view);
        }
    }

    /// A value that is set, and no text.
    #[inline(never)]
    fn other_view(&mut self, tags: &Tags, declared: &str, view: View<'_>) {
        let out = &mut self.out;
        match view {
            View::Unset => return,
            View::List(list) => {
                for item in list.iter() {
                    self.view(tags, declared, item);
                }
                return;
            }
            View::Object(object) => return self.object(tags, Some(declared), object),
            View::Any(any) => return self.any(tags, any),
            View::Moref(moref) => return self.moref(tags, "", moref),
            View::Bool(value) => {
                tags.start.push_to(out);
                boolean(value, out);
            }
            View::Int(value) => {
                tags.start.push_to(out);
                out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            }
            view => {
                tags.start.push_to(out);
                self.text(view);
            }
        }
        tags.end.push_to(&mut self.out);
    }

    /// Whether the reader knows a property.
    #[inline]
    fn knows(&self, field: &Field) -> bool {
        match &self.knows {
            Some(knows) => field.since.is_empty() || knows(field.since),
            None => true,
        }
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
        let Some(knows) = &self.knows else {
            return own;
        };
        let is_known = |info: &ObjectInfo| info.since().is_empty() || knows(info.since());
        let mut info = own;
        while !is_known(info) && declared != Some(info.name) {
            match info.base {
                Some(base) if base.base.is_some() || base.own_properties() > 0 => info = base,
                _ => return own,
            }
        }
        info
    }

    fn object(&mut self, tags: &Tags, declared: Option<&str>, object: &dyn Object) {
        if let Some(unknown) = object.unknown() {
            return self.raw_element(tags, &unknown.element);
        }
        let info = self.type_for_reader(object.info(), declared);
        if declared == Some(info.name) {
            tags.start.push_to(&mut self.out);
        } else {
            self.start(tags, info.name);
        }
        let layout = info.layout();
        self.first_properties(object, layout, layout.len());
        tags.end.push_to(&mut self.out);
    }

    fn moref(&mut self, tags: &Tags, xsi_type: &str, moref: &ManagedObjectReference) {
        self.open(tags);
        if !xsi_type.is_empty() {
            self.xsi_type(xsi_type);
        }
        self.raw(" type=\"");
        escape(&moref.r#type, &mut self.out);
        self.raw("\">");
        escape(&moref.value, &mut self.out);
        tags.end.push_to(&mut self.out);
    }

    fn any(&mut self, tags: &Tags, any: &Any) {
        match any {
            Any::None => {}
            Any::Moref(moref) => self.moref(tags, "ManagedObjectReference", moref),
            Any::Object(object) => self.object(tags, None, &**object),
            Any::Unknown(element) => self.raw_element(tags, element),
            Any::Undecodable(value) => self.raw_element(tags, &value.element),
            Any::Array(array) => self.array(tags, array),
            Any::Enum(value) => {
                self.start(tags, &value.type_name);
                escape(&value.value, &mut self.out);
                tags.end.push_to(&mut self.out);
            }
            any => {
                self.start(tags, &any.type_name());
                self.text(any.inner());
                tags.end.push_to(&mut self.out);
            }
        }
    }

    fn array(&mut self, tags: &Tags, array: &Array) {
        self.start(tags, &array.type_name());
        let item_tags = Tags::of(&array.item);
        for item in &array.items {
            self.any(&item_tags, item);
        }
        tags.end.push_to(&mut self.out);
    }

    fn raw_element(&mut self, tags: &Tags, element: &RawElement) {
        self.open(tags);
        if let Some(ty) = &element.type_name {
            self.xsi_type(ty);
        }
        self.raw(&element.attributes);
        self.raw(">");
        self.raw(&element.content);
        tags.end.push_to(&mut self.out);
    }

    /// A start tag without its end, `<name`.
    fn open(&mut self, tags: &Tags) {
        tags.start.push_to(&mut self.out);
        self.out.pop();
    }

    /// A start tag with the type of what is in the element.
    fn start(&mut self, tags: &Tags, xsi_type: &str) {
        self.open(tags);
        self.xsi_type(xsi_type);
        self.out.push(b'>');
    }

    fn xsi_type(&mut self, name: &str) {
        self.raw(" xsi:type=\"");
        escape(name, &mut self.out);
        self.out.push(b'"');
    }

    fn text(&mut self, view: View<'_>) {
        match view {
            View::Bool(value) => boolean(value, &mut self.out),
            View::Byte(value) => self.integer(value),
            View::Short(value) => self.integer(value),
            View::Int(value) => self.integer(value),
            View::Long(value) => self.integer(value),
            View::Float(value) => self.float(f64::from(value), value),
            View::Double(value) => self.float(value, value),
            View::Text(value) | View::Enum(_, value) => escape(value, &mut self.out),
            View::DateTime(value) => value.write(&mut self.out),
            View::Binary(value) => self.raw(&STANDARD.encode(value)),
            View::Unset | View::Moref(_) | View::Object(_) | View::Any(_) | View::List(_) => {}
        }
    }

    fn integer(&mut self, value: impl itoa::Integer) {
        self.raw(itoa::Buffer::new().format(value));
    }

    fn display(&mut self, value: impl std::fmt::Display) {
        // Writing to memory cannot fail.
        let _ = write!(self.out, "{value}");
    }

    /// XML Schema's names for what is no number.
    fn float(&mut self, value: f64, shown: impl std::fmt::Display) {
        if value.is_nan() {
            self.raw("NaN");
        } else if value == f64::INFINITY {
            self.raw("INF");
        } else if value == f64::NEG_INFINITY {
            self.raw("-INF");
        } else {
            self.display(shown);
        }
    }
}

/// The tags of an element, made once for all elements of that name.
#[derive(Debug)]
pub(crate) struct Tags {
    /// `<name>`
    start: Tag,
    /// `</name>`
    end: Tag,
}

impl Tags {
    pub(crate) fn of(name: &str) -> Self {
        Self {
            start: Tag::new("<", name),
            end: Tag::new("</", name),
        }
    }
}

#[derive(Debug)]
struct Tag {
    /// The tag with blanks behind it, if it is no longer than this.
    chunk: [u8; CHUNK],
    /// The tag's length then.
    length: u8,
    /// A longer tag.
    long: Option<Box<[u8]>>,
}

/// So many bytes of a tag are copied with the blanks behind it: two moves, where a length that is not known takes a call.
const CHUNK: usize = 32;

impl Tag {
    fn new(before: &str, name: &str) -> Self {
        let mut chunk = [b' '; CHUNK];
        let parts = || [before, name, ">"].into_iter().flat_map(str::bytes);
        let length = parts().count();
        if length > CHUNK {
            return Self {
                chunk,
                length: 0,
                long: Some(parts().collect()),
            };
        }
        for (place, byte) in chunk.iter_mut().zip(parts()) {
            *place = byte;
        }
        Self {
            chunk,
            length: length as u8,
            long: None,
        }
    }

    #[inline]
    fn push_to(&self, out: &mut Vec<u8>) {
        match &self.long {
            None => {
                let end = out.len() + usize::from(self.length);
                out.extend_from_slice(&self.chunk);
                out.truncate(end);
            }
            Some(tag) => out.extend_from_slice(tag),
        }
    }
}

fn boolean(value: bool, out: &mut Vec<u8>) {
    match value {
        true => out.extend_from_slice(b"true"),
        false => out.extend_from_slice(b"false"),
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer")
            .field("out", &String::from_utf8_lossy(&self.out))
            .finish_non_exhaustive()
    }
}

/// Text that is safe in element content and in attributes.
///
/// Characters that XML cannot carry at all (control characters other than tab, line feed and carriage
/// return, and U+FFFE and U+FFFF) become U+FFFD. A carriage return is written as a reference, since a reader
/// would make it a line feed.
pub(crate) fn escaped(text: &str) -> Cow<'_, str> {
    match is_clean(text.as_bytes()) {
        true => Cow::Borrowed(text),
        false => Cow::Owned(escape_some(text)),
    }
}

/// Appends text, [`escaped`].
fn escape(text: &str, out: &mut Vec<u8>) {
    if is_clean(text.as_bytes()) {
        return out.extend_from_slice(text.as_bytes());
    }
    escape_into(text, out);
}

#[cold]
fn escape_into(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(escape_some(text).as_bytes());
}

fn escape_some(text: &str) -> String {
    let is_suspicious = |byte: &u8| SUSPICIOUS[usize::from(*byte)];
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(at) = rest.as_bytes().iter().position(is_suspicious) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        let mut characters = special.chars();
        match characters.next() {
            Some('&') => out.push_str("&amp;"),
            Some('<') => out.push_str("&lt;"),
            Some('>') => out.push_str("&gt;"),
            Some('"') => out.push_str("&quot;"),
            Some('\r') => out.push_str("&#13;"),
            Some(character) if is_in_xml(character) => out.push(character),
            Some(_) => out.push('\u{fffd}'),
            None => {}
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out
}

/// Whether XML can carry a character.
pub(crate) fn is_in_xml(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        '\0'..'\u{20}' | '\u{fffe}' | '\u{ffff}' => false,
        _ => true,
    }
}

/// Whether [`escaped`] gives back a text that has no tabs and line feeds.
#[inline]
fn is_clean(text: &[u8]) -> bool {
    // Eight bytes at a time; those at the end that make no eight are looked at in one word with some before them.
    if let Some(last) = text.last_chunk::<8>() {
        let mut clean = is_clean_word(*last);
        let mut rest = text;
        while let Some((word, behind)) = rest.split_first_chunk::<8>() {
            clean &= is_clean_word(*word);
            rest = behind;
        }
        return clean;
    }
    if let (Some([a, b, c, d]), Some([e, f, g, h])) =
        (text.first_chunk::<4>(), text.last_chunk::<4>())
    {
        return is_clean_word([*a, *b, *c, *d, *e, *f, *g, *h]);
    }
    let is_clean = |byte: &u8| *byte >= 0x20 && !SUSPICIOUS[usize::from(*byte)];
    text.iter().all(is_clean)
}

#[inline]
fn is_clean_word(word: [u8; 8]) -> bool {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let word = u64::from_ne_bytes(word);
    // The upper bit of each byte that is zero, and maybe of others, but only if one is.
    let zero = |word: u64| word.wrapping_sub(EACH) & !word & (EACH << 7);
    let is = |word: u64, byte: u8| zero(word ^ (EACH * u64::from(byte)));
    let found = zero(word & (EACH * 0xe0))
        // `<` and `>` differ in one bit, and so do `"` and `&`.
        | is(word | (EACH * 0x02), b'>')
        | is(word | (EACH * 0x04), b'&')
        | is(word, 0xef);
    found == 0
}

/// The bytes that may begin a character which [`escaped`] doesn't leave as it is.
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
        let out = escaped("a<b>&\"c\"\t\n\r\0\u{1f}\u{fffe}\u{ff21}\u{ffff}ä日🦀");
        assert_eq!(
            out,
            "a&lt;b&gt;&amp;&quot;c&quot;\t\n&#13;\u{fffd}\u{fffd}\u{fffd}\u{ff21}\u{fffd}ä日🦀"
        );
    }

    #[test]
    fn what_is_to_be_escaped_is_found_wherever_it_stands() {
        for length in 0..20 {
            for at in 0..=length {
                for (special, written) in [
                    ('&', "&amp;"),
                    ('<', "&lt;"),
                    ('>', "&gt;"),
                    ('"', "&quot;"),
                    ('\r', "&#13;"),
                    ('\u{1f}', "\u{fffd}"),
                    ('\u{ffff}', "\u{fffd}"),
                    ('\n', "\n"),
                    ('\'', "'"),
                    ('ﬀ', "ﬀ"),
                ] {
                    let (before, behind) = ("~".repeat(at), " ".repeat(length - at));
                    let text = format!("{before}{special}{behind}");
                    assert_eq!(escaped(&text), format!("{before}{written}{behind}"));
                }
            }
        }
    }

    #[test]
    fn tags_of_any_length_are_written() {
        for length in [1, 29, 30, 31, 32, 33, 100] {
            let name = "n".repeat(length);
            let mut writer = Writer::new();
            writer.element(&name, "string", View::Text("é"));
            assert_eq!(writer.finish(), format!("<{name}>é</{name}>"));
        }
    }
}
