//! Answers that arrive in pieces.
//!
//! Large answers are lists, of which only the arriving item must be in memory. Items are cut out of the message as they
//! become complete. The rest (envelope, token or fault) is a small message, which is decoded at the end like any other.

use std::fmt;
use std::marker::PhantomData;

use crate::error::DecodeError;
use crate::method::Method;
use crate::object::{DataObject, Object, ObjectInfo};
use crate::property::PropertyMut;
use crate::registry::Registry;
use crate::wire::Limits;
use crate::wire::envelope::{Decoded, ResponseError, decode_text, open_body};
use crate::wire::mend::{Mended, append, cut_off};
use crate::wire::reader::{Reader, Types};
use crate::wire::tokens::{Around, Namespace, Tokens, is_blank_byte};

/// Decodes the answer to a request of type `M` while it arrives, and returns the `T`s in it one by one.
///
/// The items are those of the first list of `T` in the result: the result itself, or a property of it. The decoder does no
/// I/O: [`push`](Self::push) takes received bytes, [`next`](Self::next) returns the complete items, and
/// [`finish`](Self::finish) returns the rest at the end. The bytes of a returned item are dropped.
///
/// ```
/// # #[cfg(feature = "api")] {
/// use vi_types::methods::RetrievePropertiesEx;
/// use vi_types::objects::ObjectContent;
/// use vi_types::wire::{ItemDecoder, Limits};
///
/// let answer = "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body>\
///     <RetrievePropertiesExResponse xmlns='urn:vim25'><returnval><token>7</token>\
///     <objects><obj type='Datacenter'>dc-1</obj></objects>\
///     <objects><obj type='Datacenter'>dc-2</obj></objects>\
///     </returnval></RetrievePropertiesExResponse></e:Body></e:Envelope>";
/// let mut decoder = ItemDecoder::<RetrievePropertiesEx, ObjectContent>::new(Limits::default());
/// let mut found = Vec::new();
/// for piece in answer.as_bytes().chunks(100) {
///     decoder.push(piece);
///     while let Some(content) = decoder.next().unwrap() {
///         found.push(content.obj.value);
///     }
/// }
/// let rest = decoder.finish().unwrap().returnval.unwrap();
/// assert_eq!(found, ["dc-1", "dc-2"]);
/// assert_eq!(rest.token.as_deref(), Some("7"));
/// # }
/// ```
pub struct ItemDecoder<M, T> {
    pieces: Pieces,
    of: PhantomData<fn() -> (M, T)>,
}

impl<M: Method, T: DataObject> ItemDecoder<M, T> {
    /// Waits for the beginning of an answer.
    pub fn new(limits: Limits) -> Self {
        let mut returned = M::Output::default();
        let place = Place::find(M::output_mut(&mut returned), T::type_info());
        Self {
            pieces: Pieces::new(M::name(), M::registry(), place, limits),
            of: PhantomData,
        }
    }

    /// Takes the next bytes of the answer, which may be cut anywhere.
    pub fn push(&mut self, bytes: &[u8]) {
        self.pieces.push(bytes);
    }

    /// The next complete item; `None` if more bytes are needed, or after the last item.
    ///
    /// # Errors
    /// If an item cannot be decoded. Decoding cannot continue then.
    #[expect(
        clippy::should_implement_trait,
        reason = "None is not the end, so this is no iterator"
    )]
    pub fn next(&mut self) -> Result<Option<T>, DecodeError> {
        loop {
            let mut item = T::default();
            match self.pieces.next(&mut item)? {
                Found::Item => return Ok(Some(item)),
                Found::Other => {}
                Found::Nothing => return Ok(None),
            }
        }
    }

    /// How many bytes of memory the items returned so far took, about: the text that they were read from, and what was
    /// allocated for objects and lists.
    pub fn taken(&self) -> usize {
        self.pieces.memory
    }

    /// How many bytes of the answer wait in the decoder: an item that is not complete, and what is no item.
    pub fn waiting(&self) -> usize {
        self.pieces.waiting()
    }

    /// The result, without the items already returned.
    ///
    /// # Errors
    /// As [`decode_response`](super::decode_response), and if the message is incomplete.
    pub fn finish(mut self) -> Result<Decoded<M::Output>, ResponseError> {
        self.pieces.end();
        let mut decoded = decode_text::<M>(&self.pieces.rest, self.pieces.limits).map_err(
            |error| match error {
                ResponseError::Decode(error) => {
                    let taken = self.pieces.taken_before(error.offset());
                    error.behind(taken).into()
                }
                fault => fault,
            },
        )?;
        let mut unknown = self.pieces.unknown;
        for name in decoded.unknown {
            if !unknown.contains(&name) {
                unknown.push(name);
            }
        }
        decoded.unknown = unknown;
        decoded.add_mended(self.pieces.mended);
        Ok(decoded)
    }
}

impl<M, T> fmt::Debug for ItemDecoder<M, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the text: it may hold secrets.
        f.debug_struct("ItemDecoder")
            .field("items", &self.pieces.items)
            .field("waiting", &self.pieces.waiting())
            .finish_non_exhaustive()
    }
}

/// Where an answer has its items.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// They are what is returned.
    Returned,
    /// They are this property of what is returned.
    Property(&'static str),
    /// It has none.
    Nowhere,
}

impl Place {
    fn find(returned: PropertyMut<'_>, item: &'static ObjectInfo) -> Self {
        let object = match returned {
            PropertyMut::Objects(list) => {
                return match std::ptr::eq(list.push().info(), item) {
                    true => Self::Returned,
                    false => Self::Nowhere,
                };
            }
            PropertyMut::Object(object) => object,
            PropertyMut::Optional(object) => object.fill(),
            _ => return Self::Nowhere,
        };
        let fields = object.info().all_fields().enumerate();
        for (index, field) in fields {
            if let PropertyMut::Objects(list) = object.get_mut(index)
                && std::ptr::eq(list.push().info(), item)
            {
                return Self::Property(field.name);
            }
        }
        Self::Nowhere
    }
}

/// What [`Pieces::next`] did.
enum Found {
    /// It filled an item.
    Item,
    /// It took something else, or gave up filling an item for now: call again, with a new item.
    Other,
    /// More bytes are needed.
    Nothing,
}

/// The part of the decoder that doesn't depend on types.
struct Pieces {
    method: &'static str,
    place: Place,
    limits: Limits,
    types: Types,
    unknown: Vec<String>,
    mended: Mended,
    stage: Stage,
    /// What came and was not taken yet, from `start` on.
    text: String,
    start: usize,
    /// The first bytes of a character that was cut.
    cut: Vec<u8>,
    /// The message without the items.
    rest: String,
    /// How many bytes were taken out at which positions of `rest`.
    taken: Vec<(usize, usize)>,
    /// All of these bytes.
    taken_bytes: usize,
    /// How many items were given.
    items: usize,
    /// How many bytes of memory they took.
    memory: usize,
    /// How far the element that begins at `start` was searched for its end.
    searched: usize,
    /// The least length of the text that is worth another try: what is incomplete again and again would otherwise
    /// cost as much as the square of its length.
    least: usize,
}

enum Stage {
    /// Before the items.
    Head,
    /// Between two items.
    Items(Scope),
    /// Behind the items, or in an answer without any.
    Tail,
}

/// What is open around the items.
struct Scope {
    depth: usize,
    prefixes: Vec<(String, Namespace)>,
}

impl Pieces {
    fn new(
        method: &'static str,
        registry: &'static Registry,
        place: Place,
        limits: Limits,
    ) -> Self {
        Self {
            method,
            place,
            limits,
            types: Types::new(registry),
            unknown: Vec::new(),
            mended: Mended::default(),
            stage: match place {
                Place::Nowhere => Stage::Tail,
                _ => Stage::Head,
            },
            text: String::new(),
            start: 0,
            cut: Vec::new(),
            rest: String::new(),
            taken: Vec::new(),
            taken_bytes: 0,
            items: 0,
            memory: 0,
            searched: 0,
            least: 0,
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        // Moving what is left costs no more than what has been taken since.
        if self.start > self.text.len() / 2 {
            self.text.drain(..self.start);
            self.start = 0;
        }
        let mut joined = std::mem::take(&mut self.cut);
        let bytes = match joined.is_empty() {
            true => bytes,
            false => {
                joined.extend_from_slice(bytes);
                &joined
            }
        };
        let (whole, cut) = bytes.split_at(bytes.len() - cut_off(bytes));
        self.cut.extend_from_slice(cut);
        self.mended.merge(append(whole, &mut self.text));
    }

    fn waiting(&self) -> usize {
        let taken = self.taken.len() * size_of::<(usize, usize)>();
        self.text.len() - self.start + self.rest.len() + taken
    }

    /// Where in the message `start` is.
    fn offset(&self) -> usize {
        self.rest.len() + self.taken_bytes
    }

    fn taken_before(&self, position: usize) -> usize {
        self.taken
            .iter()
            .take_while(|(at, _)| *at <= position)
            .map(|(_, bytes)| bytes)
            .sum()
    }

    fn next(&mut self, item: &mut dyn Object) -> Result<Found, DecodeError> {
        let waiting = self.text.len() - self.start;
        match &self.stage {
            Stage::Head => {
                if waiting < self.least {
                    return Ok(Found::Nothing);
                }
                self.head();
                Ok(match self.stage {
                    Stage::Head => Found::Nothing,
                    _ => Found::Other,
                })
            }
            Stage::Items(_) => self.element(item),
            Stage::Tail => {
                self.keep(waiting);
                Ok(Found::Nothing)
            }
        }
    }

    /// Looks for the place of the items.
    fn head(&mut self) {
        let text = &self.text[self.start..];
        let mut reader = Reader::new(text, self.types.registry(), self.limits);
        match open_items(&mut reader, self.method, self.place) {
            Ok(true) => {
                let tokens = &reader.tokens;
                self.stage = Stage::Items(Scope {
                    depth: tokens.depth(),
                    prefixes: tokens
                        .prefixes()
                        .map(|(prefix, namespace)| (prefix.to_owned(), namespace))
                        .collect(),
                });
                // The reader doesn't count a byte order mark.
                let mark = text.len() - text.trim_start_matches('\u{feff}').len();
                let end = mark.min('\u{feff}'.len_utf8()) + tokens.position();
                self.keep(end);
                self.least = 0;
            }
            Err(error) if error.is_truncated() => self.least = 2 * text.len(),
            // Reported at the end, when all of the message is there.
            Ok(false) | Err(_) => self.stage = Stage::Tail,
        }
    }

    /// Takes the element that begins here, if all of it has arrived.
    fn element(&mut self, item: &mut dyn Object) -> Result<Found, DecodeError> {
        let (around, name) = (self.offset(), self.item_name());
        let Stage::Items(scope) = &self.stage else {
            return Ok(Found::Nothing);
        };
        let text = &self.text[self.start..];
        if self.searched == 0 && text.len() < self.least {
            return Ok(Found::Nothing);
        }
        let around = Around {
            offset: around,
            depth: scope.depth,
        };
        let prefixes = scope
            .prefixes
            .iter()
            .map(|(prefix, namespace)| (prefix.as_str(), *namespace));
        let mut tokens = Tokens::part(text, self.limits, around, prefixes);
        match tokens.sibling() {
            Ok(true) if self.searched > 0 => {}
            Ok(true) => self.least = 0,
            Ok(false) => {
                self.stage = Stage::Tail;
                return Ok(Found::Other);
            }
            Err(error) if error.is_truncated() => {
                self.least = 2 * text.len();
                return Ok(Found::Nothing);
            }
            Err(error) => return Err(self.outside(error)),
        }
        let before = tokens.start();
        if before > 0 {
            // Comments before an item that arrives in many pieces are read once.
            self.keep(before);
            return Ok(Found::Other);
        }
        let end = if tokens.is_empty() {
            tokens.position()
        } else {
            let from = self.searched.max(tokens.position());
            match end_tag(text, tokens.name(), from) {
                Ok(end) => end,
                Err(searched) => {
                    self.searched = searched;
                    return Ok(Found::Nothing);
                }
            }
        };
        if end < self.least && !tokens.is_empty() {
            self.searched = end;
            return Ok(Found::Other);
        }
        // An end tag of that name may be one of an element further in, or no tag at all; then the text ends too
        // early, but never within a tag or an entity.
        let is_item = tokens.local_name() == name;
        tokens.end_at(end);
        let mut reader = Reader {
            tokens,
            types: self.types.take(),
            unknown: std::mem::take(&mut self.unknown),
            is_request: false,
            memory: self.limits.memory.saturating_sub(size_of_val(item) + end),
        };
        let result = match is_item {
            true => reader.object(item),
            false => reader.skip(),
        };
        let length = reader.tokens.position();
        let mended = reader.tokens.mended;
        let memory = self.limits.memory.saturating_sub(reader.memory);
        self.unknown = reader.unknown;
        self.types = reader.types;
        match result {
            Ok(()) => {
                if is_item {
                    self.mended.merge(mended);
                }
                (self.searched, self.least) = (0, 0);
                if !is_item {
                    self.keep(length);
                    return Ok(Found::Other);
                }
                self.take(length);
                self.items += 1;
                self.memory += memory;
                Ok(Found::Item)
            }
            Err(error) if error.is_truncated() => {
                self.searched = end;
                self.least = 2 * end;
                Ok(Found::Other)
            }
            Err(error) if is_item => Err(self.outside(error.within(name, Some(self.items)))),
            Err(error) => Err(self.outside(error)),
        }
    }

    fn item_name(&self) -> &'static str {
        match self.place {
            Place::Property(name) => name,
            Place::Returned | Place::Nowhere => "returnval",
        }
    }

    /// The error, seen from outside of the list.
    fn outside(&self, error: DecodeError) -> DecodeError {
        match self.place {
            Place::Property(_) => error.within("returnval", Some(0)),
            Place::Returned | Place::Nowhere => error,
        }
    }

    /// Moves so many bytes to the message without items.
    fn keep(&mut self, bytes: usize) {
        let end = self.start + bytes;
        self.rest.push_str(&self.text[self.start..end]);
        self.start = end;
    }

    /// Drops so many bytes, which were an item.
    fn take(&mut self, bytes: usize) {
        self.start += bytes;
        self.taken_bytes += bytes;
        match self.taken.last_mut() {
            Some((at, taken)) if *at == self.rest.len() => *taken += bytes,
            _ => self.taken.push((self.rest.len(), bytes)),
        }
    }

    /// Nothing more comes.
    fn end(&mut self) {
        let cut = std::mem::take(&mut self.cut);
        self.mended.merge(append(&cut, &mut self.text));
        self.keep(self.text.len() - self.start);
    }
}

/// Opens the element that has the items in it; `false` if there is none.
fn open_items(reader: &mut Reader<'_>, method: &str, place: Place) -> Result<bool, DecodeError> {
    open_body(reader)?;
    if reader.tokens.local_name().strip_suffix("Response") != Some(method) {
        return Ok(false);
    }
    if matches!(place, Place::Property(_)) {
        loop {
            if !reader.tokens.next_child()? {
                return Ok(false);
            }
            if reader.tokens.local_name() == "returnval" {
                break;
            }
            reader.skip()?;
        }
    }
    Ok(!reader.tokens.is_empty())
}

/// The position behind what looks like the first end tag of that name; if there is none, how far that is sure.
fn end_tag(text: &str, name: &str, mut from: usize) -> Result<usize, usize> {
    let tag = format!("</{name}");
    let bytes = text.as_bytes();
    loop {
        let Some(found) = memchr::memmem::find(&bytes[from..], tag.as_bytes()) else {
            return Err((bytes.len() + 1).saturating_sub(tag.len()).max(from));
        };
        let at = from + found;
        let behind = at + tag.len();
        let blanks = bytes[behind..]
            .iter()
            .take_while(|byte| is_blank_byte(**byte))
            .count();
        match bytes.get(behind + blanks) {
            Some(b'>') => return Ok(behind + blanks + 1),
            Some(_) => from = behind,
            None => return Err(at),
        }
    }
}
