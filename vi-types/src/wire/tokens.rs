//! The tokenizer: a walk over the text of a message, element by element.
//!
//! It reads what servers send: any prefix, entities and character references, CDATA, comments, processing
//! instructions, either quote. A document type declaration is refused. Names, values and text are slices of
//! the message; nothing is copied unless an escape has to be undone.
//!
//! Most of an answer is `<name>short text</name>` without attributes, with a name that the reader's type
//! expects next, so names are compared eight bytes at a time in place, before their end is looked for.

use std::borrow::Cow;

use crate::error::{DecodeError, DecodeErrorKind};
use crate::object::{Layout, Name, name_key};
use crate::wire::mend::{Mended, is_clean, unescape};
use crate::wire::{Limits, namespace};

/// Where the walk stands.
#[derive(Debug)]
pub(crate) struct Tokens<'a> {
    text: &'a str,
    position: usize,
    open: Vec<Open>,
    /// Whether the innermost open element was written `<a/>` and its end is still to be reported.
    empty: bool,
    /// Where the innermost start tag began.
    tag: usize,
    /// The attributes of the innermost start tag, until the next one.
    attributes: Vec<Attribute<'a>>,
    prefixes: Vec<Prefix<'a>>,
    /// How many elements are open around the innermost declaration, its own included.
    declared: usize,
    /// Where the last attribute's name stands: most attributes of a message have the same.
    usual: (usize, usize),
    /// Whether that name is `xsi:type` with the prefixes in scope, if that is known.
    usual_is_type: Option<bool>,
    /// Up to where the text has neither references nor carriage returns.
    plain: usize,
    /// Up to where the characters of the text were looked at; all of it where that was done before.
    looked_at: usize,
    /// Whether there are none so far that XML forbids.
    clean: bool,
    /// References that are none.
    pub(crate) mended: Mended,
    limits: Limits,
    /// How many elements may be open.
    deepest: usize,
    /// What is around the text, where that is one element of a larger message.
    around: Around,
}

/// The place of a part in its message.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Around {
    /// The bytes of the message before the part.
    pub(crate) offset: usize,
    /// How many elements are open around it.
    pub(crate) depth: usize,
}

/// An open element's name, as a range of the text.
#[derive(Clone, Copy, Debug, Default)]
struct Open {
    start: usize,
    end: usize,
    /// The eight bytes from `start`.
    word: u64,
}

#[derive(Clone, Copy, Debug)]
struct Attribute<'a> {
    name: &'a str,
    /// As written, escapes included.
    value: &'a str,
    /// Whether it is known to be `xsi:type`.
    is_type: bool,
}

/// A namespace declaration in scope.
#[derive(Clone, Copy, Debug)]
struct Prefix<'a> {
    prefix: &'a str,
    namespace: Namespace,
    /// How many elements were open when it was made, its own included.
    depth: usize,
}

/// The namespaces that a message's attributes and types can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Namespace {
    Xsi,
    Xsd,
    Other,
}

/// What [`Tokens::child`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Child {
    /// The start tag of the property with this index, and whether that is a list.
    Known(usize, bool),
    /// Another start tag.
    Unknown,
    /// The end tag of the element that was asked for its children.
    End,
}

/// A start tag to come back to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    tag: usize,
    depth: usize,
    mended: usize,
}

impl<'a> Tokens<'a> {
    /// Stands before the root element, behind the XML declaration.
    pub(crate) fn new(text: &'a str, limits: Limits) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self {
            text,
            position: 0,
            open: Vec::with_capacity(16),
            empty: false,
            tag: 0,
            attributes: Vec::new(),
            prefixes: Vec::new(),
            declared: 0,
            usual: (0, 0),
            usual_is_type: None,
            plain: 0,
            looked_at: usize::MAX,
            clean: true,
            mended: Mended::default(),
            limits,
            deepest: limits.depth,
            around: Around::default(),
        }
    }

    /// Stands before an element that is cut out of a message, where these prefixes are in scope.
    pub(crate) fn part(
        text: &'a str,
        limits: Limits,
        around: Around,
        prefixes: impl IntoIterator<Item = (&'a str, Namespace)>,
    ) -> Self {
        Self {
            text,
            around,
            deepest: limits.depth.saturating_sub(around.depth),
            prefixes: prefixes
                .into_iter()
                .map(|(prefix, namespace)| Prefix {
                    prefix,
                    namespace,
                    depth: 0,
                })
                .collect(),
            ..Self::new("", limits)
        }
    }

    /// Looks at all characters of the text on the way, for [`is_clean`](Self::is_clean).
    // A walk of its own over a large message takes a twentieth of the time of decoding it.
    pub(crate) fn watch_characters(&mut self) {
        self.looked_at = 0;
    }

    /// Whether XML may hold every character of the text, those behind the walk included.
    pub(crate) fn is_clean(&mut self) -> bool {
        self.look_at_characters(self.text.len());
        self.clean
    }

    fn look_at_characters(&mut self, end: usize) {
        if self.looked_at < end {
            // A character is at most three bytes longer than its first one.
            let start = self.looked_at.saturating_sub(3);
            self.clean = self.clean && is_clean(&self.text.as_bytes()[start..end]);
            self.looked_at = end;
        }
    }

    /// Ends the text here. It must be behind the walk.
    pub(crate) fn end_at(&mut self, end: usize) {
        self.text = &self.text[..end];
    }

    /// The prefixes in scope, those declared last at the end.
    pub(crate) fn prefixes(&self) -> impl Iterator<Item = (&'a str, Namespace)> {
        self.prefixes
            .iter()
            .map(|prefix| (prefix.prefix, prefix.namespace))
    }

    /// Where the innermost start tag began in the text, in bytes.
    pub(crate) fn start(&self) -> usize {
        self.tag
    }

    /// How many elements are open.
    pub(crate) fn depth(&self) -> usize {
        self.around.depth + self.open.len()
    }

    /// The next child element of the innermost open one, as a property of `layout`; the search begins at
    /// the property that is expected `next`.
    #[inline(always)]
    pub(crate) fn child(&mut self, layout: &Layout, next: usize) -> Result<Child, DecodeError> {
        // Nearly always another tag follows at once. What is no name begins with a lower byte than names do.
        let word = match self.ahead() {
            Some((b'<', word)) if !self.empty => match word.to_le_bytes()[0] {
                b'/' => {
                    self.end_tag()?;
                    return Ok(Child::End);
                }
                first if first > b'?' => Some(word),
                _ => None,
            },
            _ => None,
        };
        let word = match word {
            Some(word) => word,
            None if !self.seek_tag()? => return Ok(Child::End),
            None => self.word(self.position + 1),
        };
        let start = self.position + 1;
        let behind = layout.names.get(next..).unwrap_or_default();
        match self.find_name(start, word, behind, next, layout) {
            Some((found, end)) if self.byte(end) == Some(b'>') => {
                self.enter(end, word)?;
                self.position = end + 1;
                Ok(found)
            }
            Some((found, end)) => {
                self.open_tag(end)?;
                Ok(found)
            }
            None => self.open_other(start, word, layout, next),
        }
    }

    /// The name at `start` among these, the first of which has the index `first`, and where it ends.
    #[inline(always)]
    fn find_name(
        &self,
        start: usize,
        word: u64,
        names: &[Name],
        first: usize,
        layout: &Layout,
    ) -> Option<(Child, usize)> {
        for (skipped, name) in names.iter().enumerate() {
            let index = first + skipped;
            if word & name.mask == name.head && self.goes_on(start, name, layout, index) {
                let end = start + name.length as usize;
                return Some((Child::Known(index, name.list), end));
            }
        }
        None
    }

    /// The rest of [`child`](Self::child) for a tag that has no name of `layout` from `next` on as it is written.
    #[inline(never)]
    fn open_other(
        &mut self,
        name: usize,
        word: u64,
        layout: &Layout,
        next: usize,
    ) -> Result<Child, DecodeError> {
        let before = layout.names.get(..next).unwrap_or_default();
        if let Some((found, end)) = self.find_name(name, word, before, 0, layout) {
            self.open_tag(end)?;
            return Ok(found);
        }
        self.open_named(name)?;
        let qualified = self.name();
        let Some((_, local)) = qualified.split_once(':') else {
            return Ok(Child::Unknown);
        };
        let known = |index: usize| Child::Known(index, layout.names[index].list);
        Ok(layout.index_of(local).map_or(Child::Unknown, known))
    }

    /// The next child element of the innermost open one, whatever its name; `false` at the end tag.
    pub(crate) fn next_child(&mut self) -> Result<bool, DecodeError> {
        if !self.seek_tag()? {
            return Ok(false);
        }
        self.open_named(self.position + 1)?;
        Ok(true)
    }

    /// Opens the tag whose name begins at `name` and may have a prefix: one, and a name behind it. Without it, the name
    /// has to be the same when it is written again.
    fn open_named(&mut self, name: usize) -> Result<(), DecodeError> {
        let end = self.end_of_name(name);
        if let Some((_, local)) = self.text[name..end].split_once(':')
            && (local.is_empty() || local.contains(':'))
        {
            return Err(self.malformed("a tag has no name of the form prefix:name"));
        }
        self.open_tag(end)
    }

    /// The innermost open element's name as written, prefix included.
    pub(crate) fn name(&self) -> &'a str {
        let name = self.open.last().copied().unwrap_or_default();
        &self.text[name.start..name.end]
    }

    /// The innermost open element's name without prefix.
    pub(crate) fn local_name(&self) -> &'a str {
        local(self.name())
    }

    /// Opens the root element.
    pub(crate) fn root(&mut self) -> Result<(), DecodeError> {
        self.skip_blank()?;
        if self.byte(self.position) != Some(b'<') {
            return Err(match self.byte(self.position) {
                None => self.not_soap("it is empty").cut_short(),
                Some(b'{' | b'[') => self.not_soap("it looks like JSON"),
                Some(_) => self.not_soap("it is no XML"),
            });
        }
        self.open_tag(self.end_of_name(self.position + 1))
    }

    /// Opens the next element of a [`part`](Self::part); `false` at the end tag of the element around it.
    pub(crate) fn sibling(&mut self) -> Result<bool, DecodeError> {
        self.skip_blank()?;
        match self.byte(self.position) {
            None => Err(self.truncated()),
            Some(b'<') if self.at_end_tag(self.position) => Ok(false),
            Some(b'<') => {
                self.open_tag(self.end_of_name(self.position + 1))?;
                Ok(true)
            }
            Some(_) => {
                let end = self.end_of_text(self.position);
                if end == self.text.len() {
                    return Err(self.truncated());
                }
                Err(self.content("an element", &self.text[self.position..end]))
            }
        }
    }

    /// Whether the innermost open element was written `<a/>`.
    pub(crate) fn is_empty(&self) -> bool {
        self.empty
    }

    /// Whether nothing but blanks, comments and processing instructions is left behind the root element.
    pub(crate) fn finish(&mut self) -> Result<(), DecodeError> {
        self.skip_blank()?;
        if self.position < self.text.len() {
            return Err(self.malformed("there is more behind the root element"));
        }
        Ok(())
    }

    /// The text of the innermost open element, and its end tag.
    #[inline]
    pub(crate) fn text(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        match self.plain_text() {
            Some(text) => Ok(Cow::Borrowed(text)),
            None => self.escaped_text(),
        }
    }

    /// The text and the end tag, if the tag stands where the text ends and nothing in the text has to be undone.
    // One function for all types, whose result fits into registers.
    #[inline(never)]
    fn plain_text(&mut self) -> Option<&'a str> {
        if self.empty {
            self.close();
            return Some("");
        }
        let start = self.position;
        let end = self.find(start, b'<', b'<');
        if !self.is_plain(start, end) {
            return None;
        }
        self.position = self.after_end_tag(end)?;
        self.close();
        Some(&self.text[start..end])
    }

    /// Skips the rest of the innermost open element, its end tag included.
    pub(crate) fn skip(&mut self) -> Result<(), DecodeError> {
        let depth = self.open.len();
        loop {
            if self.empty {
                self.close();
            } else {
                match self.next_markup()? {
                    Markup::Start => self.open_tag(self.end_of_name(self.position + 1))?,
                    Markup::End => self.end_tag()?,
                }
            }
            if self.open.len() < depth {
                return Ok(());
            }
        }
    }

    /// The start tag of the innermost open element, to come back to.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            tag: self.tag,
            depth: self.open.len(),
            mended: self.mended.count,
        }
    }

    /// Opens the marked element again. The element must not have been left further than by its end tag.
    pub(crate) fn rewind(&mut self, mark: Mark) -> Result<(), DecodeError> {
        self.open.truncate(mark.depth - 1);
        if self.declared >= mark.depth {
            self.undeclare(mark.depth);
        }
        self.plain = 0;
        // What is read again is not counted twice.
        self.mended.count = mark.mended;
        self.position = mark.tag;
        self.empty = false;
        self.open_tag(self.end_of_name(mark.tag + 1))
    }

    /// The value of an attribute of the innermost start tag that is in no namespace.
    pub(crate) fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
            .map(|attribute| unescape(attribute.value).0)
    }

    /// The namespace and name that `xsi:type` of the innermost start tag gives.
    pub(crate) fn xsi_type(&self) -> Option<(Namespace, &'a str)> {
        self.qualified_type().map(|value| self.split_type(value))
    }

    /// What `xsi:type` of the innermost start tag gives, with its prefix.
    #[inline]
    pub(crate) fn qualified_type(&self) -> Option<&'a str> {
        let attribute = match self.attributes.first()? {
            first if first.is_type => first,
            _ => self
                .attributes
                .iter()
                .find(|attribute| self.is_type(attribute.name))?,
        };
        Some(trim(attribute.value))
    }

    /// The namespace and the name of a qualified type.
    pub(crate) fn split_type(&self, qualified: &'a str) -> (Namespace, &'a str) {
        match qualified.find(':') {
            Some(colon) => (self.resolve(&qualified[..colon]), &qualified[colon + 1..]),
            None => (Namespace::Other, qualified),
        }
    }

    /// Whether an attribute with this name is `xsi:type`.
    fn is_type(&self, name: &str) -> bool {
        name.strip_suffix(":type")
            .is_some_and(|prefix| prefix != "xmlns" && self.resolve(prefix) == Namespace::Xsi)
    }

    /// The attributes of the innermost start tag that are neither `xsi:type` nor namespace declarations,
    /// without their prefixes and as written.
    pub(crate) fn other_attributes(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.attributes.iter().filter_map(|attribute| {
            let declaration = attribute.name == "xmlns" || attribute.name.starts_with("xmlns:");
            (!declaration && !attribute.name.contains(':'))
                .then_some((attribute.name, attribute.value))
        })
    }

    /// The innermost open element's content as pieces: see [`Piece`].
    pub(crate) fn piece(&mut self) -> Result<Piece<'a>, DecodeError> {
        if self.empty {
            self.close();
            return Ok(Piece::End);
        }
        match self.byte(self.position) {
            Some(b'<') => {}
            Some(_) => {
                let start = self.position;
                self.position = self.end_of_text(start);
                let (text, bad) = unescape(&self.text[start..self.position]);
                if bad > 0 {
                    self.mended.add(bad, &text, 0);
                }
                return Ok(Piece::Text(text));
            }
            None => return Err(self.truncated()),
        }
        let rest = &self.text[self.position..];
        if rest.starts_with("</") {
            self.end_tag()?;
            return Ok(Piece::End);
        }
        if let Some(data) = self.cdata()? {
            return Ok(Piece::Text(Cow::Borrowed(data)));
        }
        if self.skip_comment()? {
            return Ok(Piece::Text(Cow::Borrowed("")));
        }
        self.open_named(self.position + 1)?;
        Ok(Piece::Start)
    }

    /// Where the walk stands in the message, in bytes.
    pub(crate) fn offset(&self) -> usize {
        self.around.offset + self.position
    }

    /// Where the walk stands in the text, in bytes.
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) fn not_soap(&self, what: &str) -> DecodeError {
        DecodeError::new(DecodeErrorKind::NotSoap(what.to_owned()), self.offset())
    }

    fn resolve(&self, prefix: &str) -> Namespace {
        let declared = self
            .prefixes
            .iter()
            .rev()
            .find(|declared| declared.prefix == prefix);
        match (declared, prefix) {
            (Some(declared), _) => declared.namespace,
            // A server that forgets to declare the customary prefixes still means them.
            (None, "xsi") => Namespace::Xsi,
            (None, "xsd") => Namespace::Xsd,
            (None, _) => Namespace::Other,
        }
    }

    /// Moves to the next start tag of a child and gives `true`, or takes the end tag and gives `false`.
    #[inline]
    fn seek_tag(&mut self) -> Result<bool, DecodeError> {
        if self.empty {
            self.close();
            return Ok(false);
        }
        let bytes = self.text.as_bytes();
        match bytes.get(self.position..self.position + 2) {
            Some([b'<', b'/']) => {
                self.end_tag()?;
                return Ok(false);
            }
            Some([b'<', next]) if !matches!(next, b'!' | b'?') => return Ok(true),
            _ => {}
        }
        self.skip_blank()?;
        match self.byte(self.position) {
            None => Err(self.truncated()),
            Some(b'<') if self.at_end_tag(self.position) => {
                self.end_tag()?;
                Ok(false)
            }
            Some(b'<') => Ok(true),
            Some(_) => {
                let end = self.end_of_text(self.position);
                Err(self.content("an element", &self.text[self.position..end]))
            }
        }
    }

    /// Reads a start tag whose name ends at `end`; the walk stands at its `<`.
    fn open_tag(&mut self, end: usize) -> Result<(), DecodeError> {
        if end == self.position + 1 {
            return Err(match self.byte(end) {
                Some(_) => self.malformed("a tag has no name"),
                None => self.truncated(),
            });
        }
        self.enter(end, self.word(self.position + 1))?;
        self.open_tag_with_attributes(end)
    }

    /// Goes into the element whose start tag's name begins with `word` and ends at `end`, but not over the rest of the
    /// tag.
    #[inline]
    fn enter(&mut self, end: usize, word: u64) -> Result<(), DecodeError> {
        if self.open.len() >= self.deepest {
            return Err(self.too_deep());
        }
        self.tag = self.position;
        self.open.push(Open {
            start: self.position + 1,
            end,
            word,
        });
        self.attributes.clear();
        Ok(())
    }

    fn open_tag_with_attributes(&mut self, end: usize) -> Result<(), DecodeError> {
        let mut at = end;
        loop {
            let before = at;
            at = self.end_of_blank(at);
            match self.byte(at) {
                None => return Err(self.truncated()),
                Some(b'>') => {
                    self.position = at + 1;
                    return Ok(());
                }
                Some(b'/') if self.byte(at + 1) == Some(b'>') => {
                    self.position = at + 2;
                    self.empty = true;
                    return Ok(());
                }
                Some(b'/') if at + 1 == self.text.len() => return Err(self.truncated()),
                Some(_) if at == before => return Err(self.malformed("a tag is not closed")),
                Some(_) => at = self.attribute_at(at)?,
            }
        }
    }

    /// Takes in the attribute that begins at `at` and gives the position behind it.
    fn attribute_at(&mut self, at: usize) -> Result<usize, DecodeError> {
        let bytes = self.text.as_bytes();
        let usual = self.after_usual(at);
        let name_end = match usual {
            Some(end) => end,
            None => self.end_of_name(at),
        };
        let (start, quote) = match usual.and_then(|end| bytes.get(end..end + 2)) {
            Some([b'=', quote @ (b'"' | b'\'')]) => (name_end + 2, *quote),
            _ => self.quote(at, name_end)?,
        };
        let end = self.find(start, quote, b'<');
        if end == bytes.len() {
            return Err(self.truncated());
        }
        if bytes[end] == b'<' {
            return Err(self.malformed("an attribute's value contains '<'"));
        }
        let mut attribute = Attribute {
            name: &self.text[at..name_end],
            value: &self.text[start..end],
            is_type: false,
        };
        if self.attributes.len() >= self.limits.attributes {
            return Err(self.too_many("attributes of one element", self.limits.attributes));
        }
        if self
            .attributes
            .iter()
            .any(|other| other.name == attribute.name)
        {
            return Err(self.malformed("an attribute is given twice"));
        }
        if usual.is_some() {
            attribute.is_type = self.is_usual_type(attribute.name);
        } else if let Some(prefix) = attribute.name.strip_prefix("xmlns:") {
            let namespace = match &*unescape(attribute.value).0 {
                namespace::XSI => Namespace::Xsi,
                namespace::XSD => Namespace::Xsd,
                _ => Namespace::Other,
            };
            if self.prefixes.len() >= self.limits.prefixes {
                return Err(self.too_many("prefixes declared", self.limits.prefixes));
            }
            self.prefixes.push(Prefix {
                prefix,
                namespace,
                depth: self.open.len(),
            });
            self.declared = self.open.len();
            // It may be the prefix of the attributes before.
            self.usual_is_type = None;
            self.attributes
                .iter_mut()
                .for_each(|before| before.is_type = false);
        } else {
            self.usual = (at, name_end);
            self.usual_is_type = None;
            attribute.is_type = self.is_usual_type(attribute.name);
        }
        self.attributes.push(attribute);
        Ok(end + 1)
    }

    /// Where the value of the attribute with this name begins, and the quote before it.
    #[inline(never)]
    fn quote(&self, name: usize, name_end: usize) -> Result<(usize, u8), DecodeError> {
        let equals = self.end_of_blank(name_end);
        if equals == self.text.len() {
            return Err(self.truncated());
        }
        if name_end == name || self.byte(equals) != Some(b'=') {
            return Err(self.malformed("an attribute has no value"));
        }
        let quote = self.end_of_blank(equals + 1);
        match self.byte(quote) {
            Some(mark @ (b'"' | b'\'')) => Ok((quote + 1, mark)),
            None => Err(self.truncated()),
            Some(_) => Err(self.malformed("an attribute's value is not quoted")),
        }
    }

    /// Whether the usual attribute, which has this name, is `xsi:type`.
    #[inline]
    fn is_usual_type(&mut self, name: &str) -> bool {
        match self.usual_is_type {
            Some(is_type) => is_type,
            None => {
                let is_type = self.is_type(name);
                self.usual_is_type = Some(is_type);
                is_type
            }
        }
    }

    /// The end of the attribute's name at `at`, if it is the usual one.
    #[inline]
    fn after_usual(&self, at: usize) -> Option<usize> {
        let (start, end) = self.usual;
        let after = at + (end - start);
        let bytes = self.text.as_bytes();
        let same =
            start < end && self.byte(after) == Some(b'=') && bytes[at..after] == bytes[start..end];
        same.then_some(after)
    }

    /// Reads the end tag at which the walk stands.
    #[inline]
    fn end_tag(&mut self) -> Result<(), DecodeError> {
        match self.after_end_tag(self.position) {
            Some(after) => {
                self.position = after;
                self.close();
                Ok(())
            }
            None => self.odd_end_tag(),
        }
    }

    /// The position behind the innermost open element's end tag, if it stands there without blanks, and not at the
    /// very end of the message.
    #[inline(always)]
    fn after_end_tag(&self, at: usize) -> Option<usize> {
        let name = self.open.last()?;
        let length = name.end - name.start;
        let (tag, behind) = self.text.as_bytes().get(at..)?.split_first_chunk::<2>()?;
        let word = u64::from_le_bytes(*behind.first_chunk::<8>()?);
        if tag != b"</" {
            return None;
        }
        let after = at + 2 + length;
        let same = match length {
            0..=8 => (word ^ name.word) << (64 - 8 * length) == 0,
            9..=16 => word == name.word && self.word(after - 8) == self.word(name.end - 8),
            _ => self.text.as_bytes().get(at + 2..after) == Some(self.name().as_bytes()),
        };
        (same && self.byte(after) == Some(b'>')).then_some(after + 1)
    }

    /// An end tag with blanks in it, or a wrong one.
    #[cold]
    fn odd_end_tag(&mut self) -> Result<(), DecodeError> {
        if self.open.is_empty() {
            return Err(self.malformed("an end tag without a start tag"));
        }
        let at = self.position + 2;
        let name_end = self.end_of_name(at);
        let end = self.end_of_blank(name_end);
        match self.byte(end) {
            None => Err(self.truncated()),
            Some(b'>') if &self.text[at..name_end] == self.name() => {
                self.position = end + 1;
                self.close();
                Ok(())
            }
            Some(_) => {
                let what = format!(
                    "</{}> where </{}> was expected",
                    shortened(&self.text[at..name_end]),
                    shortened(self.name())
                );
                Err(self.malformed(&what))
            }
        }
    }

    #[inline]
    fn close(&mut self) {
        if self.declared == self.open.len() {
            self.undeclare(self.declared);
        }
        self.open.pop();
        self.empty = false;
    }

    /// Forgets the declarations of elements that are so deep.
    #[inline(never)]
    fn undeclare(&mut self, depth: usize) {
        self.usual_is_type = None;
        while self
            .prefixes
            .last()
            .is_some_and(|prefix| prefix.depth >= depth)
        {
            self.prefixes.pop();
        }
        self.declared = self.prefixes.last().map_or(0, |prefix| prefix.depth);
    }

    /// The text of an element with escapes, CDATA or comments in it.
    #[cold]
    fn escaped_text(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        let depth = self.open.len();
        let mut whole = String::new();
        loop {
            match self.piece()? {
                Piece::Text(text) => whole.push_str(&text),
                Piece::End => return Ok(Cow::Owned(whole)),
                Piece::Start => {
                    let found = format!("<{}>", shortened(self.name()));
                    while self.open.len() >= depth {
                        self.skip()?;
                    }
                    return Err(self.content("text", &found));
                }
            }
        }
    }

    /// Moves to the next start or end tag, over text, comments and everything else.
    fn next_markup(&mut self) -> Result<Markup, DecodeError> {
        loop {
            let rest = &self.text.as_bytes()[self.position..];
            self.position += memchr::memchr(b'<', rest).ok_or_else(|| self.truncated())?;
            if self.at_end_tag(self.position) {
                return Ok(Markup::End);
            }
            if self.cdata()?.is_none() && !self.skip_comment()? {
                return Ok(Markup::Start);
            }
        }
    }

    /// Skips blanks, comments and processing instructions.
    fn skip_blank(&mut self) -> Result<(), DecodeError> {
        loop {
            self.position = self.end_of_blank(self.position);
            if self.byte(self.position) != Some(b'<') || !self.skip_comment()? {
                return Ok(());
            }
        }
    }

    /// Skips the comment or processing instruction at which the walk stands, if it is one.
    fn skip_comment(&mut self) -> Result<bool, DecodeError> {
        let rest = &self.text[self.position..];
        let (length, end) = if let Some(rest) = rest.strip_prefix("<?") {
            (2, rest.find("?>").map(|end| end + 2))
        } else if let Some(rest) = rest.strip_prefix("<!--") {
            (4, rest.find("-->").map(|end| end + 3))
        } else if rest.starts_with("<!") && !rest.starts_with("<![CDATA[") {
            return Err(
                if rest
                    .get(..9)
                    .is_some_and(|start| start.eq_ignore_ascii_case("<!DOCTYPE"))
                {
                    DecodeError::new(DecodeErrorKind::Dtd, self.offset())
                } else if "<![CDATA[".starts_with(rest)
                    || "<!--".starts_with(rest)
                    || "<!DOCTYPE".starts_with(rest)
                {
                    self.truncated()
                } else {
                    self.malformed("'<!' begins neither a comment nor CDATA")
                },
            );
        } else {
            return Ok(false);
        };
        self.position += length + end.ok_or_else(|| self.truncated())?;
        Ok(true)
    }

    /// The CDATA section at which the walk stands, if it is one.
    fn cdata(&mut self) -> Result<Option<&'a str>, DecodeError> {
        let Some(rest) = self.text[self.position..].strip_prefix("<![CDATA[") else {
            return Ok(None);
        };
        let end = rest.find("]]>").ok_or_else(|| self.truncated())?;
        self.position += "<![CDATA[".len() + end + "]]>".len();
        Ok(Some(&rest[..end]))
    }

    /// The position of the next `<`, or the end of the message.
    #[inline(never)]
    fn end_of_text(&self, start: usize) -> usize {
        self.find(start, b'<', b'<')
    }

    /// The position of the next of two bytes, or the end of the message.
    #[inline(always)]
    fn find(&self, start: usize, one: u8, other: u8) -> usize {
        let behind = &self.text.as_bytes()[start..];
        // What is looked for is seldom far; 64 bytes by words before a call of memchr pays.
        let (seen, far) = match behind.split_first_chunk::<64>() {
            Some((near, far)) => {
                for (number, word) in near.as_chunks::<8>().0.iter().enumerate() {
                    let word = u64::from_le_bytes(*word);
                    let found = has_byte(word, one) | has_byte(word, other);
                    if found != 0 {
                        return start + 8 * number + (found.trailing_zeros() / 8) as usize;
                    }
                }
                (64, far)
            }
            None => (0, behind),
        };
        let found = memchr::memchr2(one, other, far);
        found.map_or(self.text.len(), |length| start + seen + length)
    }

    /// Whether the text between two positions needs no unescaping.
    #[inline]
    fn is_plain(&mut self, start: usize, end: usize) -> bool {
        end <= self.plain || self.look_for_escapes(start, end)
    }

    /// Looks for escapes further ahead than this text goes, as most messages have few.
    #[inline(never)]
    fn look_for_escapes(&mut self, start: usize, end: usize) -> bool {
        let ahead = end.max(start + 4096).min(self.text.len());
        self.look_at_characters(ahead);
        let found = memchr::memchr2(b'&', b'\r', &self.text.as_bytes()[start..ahead]);
        self.plain = found.map_or(ahead, |length| start + length);
        end <= self.plain
    }

    /// Whether a name that begins like this one at `start` goes on like it, and ends there.
    #[inline]
    fn goes_on(&self, start: usize, name: &Name, layout: &Layout, index: usize) -> bool {
        let bytes = self.text.as_bytes();
        let end = start + name.length as usize;
        let same = match name.length {
            0..=8 => true,
            9..=16 => self.word(end - 8) == name.tail,
            _ => self.is_at(start, layout, index),
        };
        same && bytes
            .get(end)
            .is_some_and(|next| matches!(next, b'>' | b'/') || is_blank_byte(*next))
    }

    /// Whether the name of the property with this index stands at `start`.
    // Long names are rare; they shall take no registers from the others.
    #[inline(never)]
    fn is_at(&self, start: usize, layout: &Layout, index: usize) -> bool {
        let name = layout.fields[index].name;
        self.text.as_bytes().get(start..start + name.len()) == Some(name.as_bytes())
    }

    /// The next byte, and the eight behind it.
    #[inline]
    fn ahead(&self) -> Option<(u8, u64)> {
        let rest = self.text.as_bytes().get(self.position..)?;
        let (first, rest) = rest.split_first()?;
        Some((*first, u64::from_le_bytes(*rest.first_chunk::<8>()?)))
    }

    /// The eight bytes from `at`, zero-padded at the end of the message.
    #[inline]
    fn word(&self, at: usize) -> u64 {
        let bytes = self.text.as_bytes();
        match bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            Some(chunk) => u64::from_le_bytes(*chunk),
            None => last_word(bytes, at),
        }
    }

    fn end_of_name(&self, start: usize) -> usize {
        let bytes = self.text.as_bytes();
        bytes[start.min(bytes.len())..]
            .iter()
            .position(|byte| ENDS_NAME[usize::from(*byte)])
            .map_or(bytes.len(), |length| start + length)
    }

    #[inline]
    fn end_of_blank(&self, start: usize) -> usize {
        let bytes = self.text.as_bytes();
        // Mostly there is none, or one blank.
        match bytes.get(start..).unwrap_or_default() {
            [first, ..] if *first > b' ' => return start,
            [b' ', second, ..] if *second > b' ' => return start + 1,
            _ => {}
        }
        bytes[start.min(bytes.len())..]
            .iter()
            .position(|byte| !is_blank_byte(*byte))
            .map_or(bytes.len(), |length| start + length)
    }

    #[inline]
    fn at_end_tag(&self, at: usize) -> bool {
        self.text.as_bytes().get(at..at + 2) == Some(b"</")
    }

    #[inline]
    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    #[cold]
    fn too_deep(&self) -> DecodeError {
        let limit = self.limits.depth;
        DecodeError::new(DecodeErrorKind::TooDeep { limit }, self.offset())
    }

    #[cold]
    fn too_many(&self, what: &'static str, limit: usize) -> DecodeError {
        DecodeError::new(DecodeErrorKind::TooMany { what, limit }, self.offset())
    }

    #[cold]
    fn truncated(&self) -> DecodeError {
        let what = match self.open.last() {
            Some(_) => format!("it ends within <{}>", shortened(self.name())),
            None => "it ends too early".to_owned(),
        };
        let end = self.around.offset + self.text.len();
        DecodeError::new(DecodeErrorKind::Malformed(what), end).cut_short()
    }

    #[cold]
    pub(crate) fn malformed(&self, what: &str) -> DecodeError {
        DecodeError::new(DecodeErrorKind::Malformed(what.to_owned()), self.offset())
    }

    /// An error about what the element holds; `found` is shortened.
    #[cold]
    pub(crate) fn content(&self, expected: &str, found: &str) -> DecodeError {
        let found = if found.is_empty() {
            "nothing".to_owned()
        } else {
            format!("'{}'", shortened(found))
        };
        DecodeError::new(
            DecodeErrorKind::Content {
                expected: expected.to_owned(),
                found,
            },
            self.offset(),
        )
    }
}

/// A piece of an element's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'a> {
    /// Text, unescaped; a comment is an empty one.
    Text(Cow<'a, str>),
    /// A start tag, now the innermost open element.
    Start,
    /// The end tag of the innermost open element.
    End,
}

enum Markup {
    Start,
    End,
}

pub(crate) fn local(name: &str) -> &str {
    name.split_once(':').map_or(name, |(_, local)| local)
}

/// The beginning of a text, for people.
#[cold]
pub(crate) fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(40) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// The text without blanks around it.
#[inline]
pub(crate) fn trim(text: &str) -> &str {
    match (text.as_bytes().first(), text.as_bytes().last()) {
        // Nearly always there are none.
        (Some(b'!'..), Some(b'!'..)) => text,
        _ => text.trim_matches([' ', '\t', '\r', '\n']),
    }
}

pub(crate) fn is_blank_byte(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The bytes that no name has.
const ENDS_NAME: [bool; 256] = {
    let mut table = [false; 256];
    let ends = b">/<=\"'&!? \t\r\n";
    let mut at = 0;
    while at < ends.len() {
        table[ends[at] as usize] = true;
        at += 1;
    }
    table
};

/// A word whose lowest set bit is the high bit of the first byte of `word` that equals `byte`; zero when none
/// does. Higher bits may be set wrongly.
#[inline]
fn has_byte(word: u64, byte: u8) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zeroed = word ^ (ONES * u64::from(byte));
    zeroed.wrapping_sub(ONES) & !zeroed & HIGH
}

/// What is left of the message, as a word.
#[cold]
#[inline(never)]
fn last_word(bytes: &[u8], at: usize) -> u64 {
    name_key(&bytes[at.min(bytes.len())..])
}

#[cfg(test)]
mod tests;
