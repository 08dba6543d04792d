//! Reading.

use std::borrow::Cow;
use std::str::FromStr;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::any::{Any, Array, Undecodable};
use crate::binary::Binary;
use crate::datetime::DateTime;
use crate::enumeration::Enum;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::moref::ManagedObjectReference;
use crate::object::{Object, ObjectInfo, name_key};
use crate::poly::UnknownObject;
use crate::property::PropertyMut;
use crate::raw::RawElement;
use crate::registry::Registry;
use crate::value::View;
use crate::wire::tokens::{Child, Namespace, Tokens, trim};
use crate::wire::{Limits, raw};

/// Reads the values of one message.
///
/// Every method reads one element: the reader stands just behind its start tag, and behind its end tag
/// afterwards.
#[derive(Debug)]
pub struct Reader<'a> {
    pub(crate) tokens: Tokens<'a>,
    pub(crate) types: Types,
    /// Elements that their type lacks, as `Type.element`, each once, at most [`NOTED`] of them.
    pub(crate) unknown: Vec<String>,
    /// Whether the message is a request: a server is strict where a client takes what it gets.
    pub(crate) is_request: bool,
    /// How many more bytes of memory the values may take.
    pub(crate) memory: usize,
}

/// The types of a registry, those found before sooner: few types make up most of an answer.
#[derive(Debug)]
pub(crate) struct Types {
    registry: &'static Registry,
    /// [`SLOTS`] of them, or none before the first type.
    found: Vec<Option<&'static ObjectInfo>>,
}

/// An answer has about thirty types. Two of them in one slot would be looked for in the registry again and again.
const SLOTS: usize = 256;

impl Types {
    pub(crate) fn new(registry: &'static Registry) -> Self {
        Self {
            registry,
            found: Vec::new(),
        }
    }

    /// All of it; what is left is as [`new`](Self::new) makes it.
    pub(crate) fn take(&mut self) -> Self {
        let registry = self.registry;
        std::mem::replace(self, Self::new(registry))
    }

    pub(crate) fn registry(&self) -> &'static Registry {
        self.registry
    }

    /// The data object or fault with this name.
    #[inline]
    fn object(&mut self, name: &str) -> Option<&'static ObjectInfo> {
        self.known(name).or_else(|| self.look_up(name))
    }

    #[inline(never)]
    fn look_up(&mut self, name: &str) -> Option<&'static ObjectInfo> {
        let info = self.registry.object(name)?;
        self.found.resize(SLOTS, None);
        self.found[slot(name)] = Some(info);
        Some(info)
    }

    /// The same, if it was found before.
    #[inline]
    fn known(&self, name: &str) -> Option<&'static ObjectInfo> {
        let info = self.found.get(slot(name)).copied().flatten()?;
        (info.name == name).then_some(info)
    }
}

/// Where [`Types`] keeps the type with this name.
#[inline]
fn slot(name: &str) -> usize {
    // Names of one family end alike and begin alike, but seldom both in the same length.
    let bytes = name.as_bytes();
    let word = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(head), Some(tail)) => {
            u64::from_le_bytes(*head) ^ u64::from_le_bytes(*tail).rotate_left(29)
        }
        _ => name_key(bytes),
    };
    let hash = (word ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (hash >> (u64::BITS - SLOTS.ilog2())) as usize
}

/// How many unknown elements and types a message is searched for; a hostile one could have millions.
const NOTED: usize = 64;

/// How many characters of their names are noted: no real name is as long.
const NOTED_LENGTH: usize = 200;

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str, registry: &'static Registry, limits: Limits) -> Self {
        Self {
            tokens: Tokens::new(text, limits),
            types: Types::new(registry),
            unknown: Vec::new(),
            is_request: false,
            memory: limits.memory.saturating_sub(text.len()),
        }
    }

    /// Takes so much of the memory that the values may take. Strings need not be counted, because they are no longer than
    /// the text.
    pub(crate) fn allocate(&mut self, bytes: usize) -> Result<(), DecodeError> {
        // What an allocation takes beside its bytes.
        const AROUND: usize = 16;
        match self.memory.checked_sub(bytes + AROUND) {
            Some(left) => {
                self.memory = left;
                Ok(())
            }
            None => Err(self.too_large()),
        }
    }

    #[cold]
    fn too_large(&self) -> DecodeError {
        let limit = self.tokens.limits().memory;
        DecodeError::new(DecodeErrorKind::TooLarge { limit }, self.tokens.offset())
    }

    /// The innermost open element as XML.
    #[cold]
    fn raw(&mut self) -> Result<RawElement, DecodeError> {
        let element = raw::element(&mut self.tokens)?;
        self.allocate(size_of::<Undecodable>() + element.content.len())?;
        Ok(element)
    }

    /// Fills an object: its properties in any order, lists by repetition, unknown elements noted and skipped.
    ///
    /// # Errors
    /// If a property cannot be decoded, or a required one is missing.
    pub fn object(&mut self, target: &mut dyn Object) -> Result<(), DecodeError> {
        self.fill(target.info(), target)
    }

    /// Fills an object of this type.
    fn fill(
        &mut self,
        info: &'static ObjectInfo,
        target: &mut dyn Object,
    ) -> Result<(), DecodeError> {
        let layout = info.layout();
        let (mut next, mut repeated) = (0, 0);
        let mut last = usize::MAX;
        let mut seen = Seen::default();
        loop {
            let (index, list) = match self.tokens.child(layout, next)? {
                Child::Known(index, list) => (index, list),
                Child::Unknown => {
                    self.skip_unknown(info)?;
                    continue;
                }
                Child::End => break,
            };
            if list {
                repeated = match index == last {
                    true => repeated + 1,
                    // Something else stood between the items.
                    false if seen.contains(index) => length(target, index),
                    false => 0,
                };
            }
            last = index;
            let decoded = match target.get_mut(index) {
                // Most are values. The processor predicts this separate check better than a match of all kinds.
                PropertyMut::Value(value) => value.decode(self),
                PropertyMut::Absent => self.skip_absent(info, index),
                property => property.decode(self),
            };
            if let Err(error) = decoded {
                return Err(error.within(layout.fields[index].name, list.then_some(repeated)));
            }
            seen.insert(index);
            next = if list { index } else { index + 1 };
        }
        match seen.first_missing(&layout.required) {
            None => Ok(()),
            Some(index) => Err(self.missing(info, index)),
        }
    }

    #[cold]
    #[inline(never)]
    fn skip_unknown(&mut self, info: &ObjectInfo) -> Result<(), DecodeError> {
        self.note(|tokens| format!("{}.{}", info.name, tokens.local_name()));
        self.tokens.skip()
    }

    /// Skips a property that this build leaves out.
    #[cold]
    #[inline(never)]
    fn skip_absent(&mut self, info: &'static ObjectInfo, index: usize) -> Result<(), DecodeError> {
        let name = info.layout().fields[index].name;
        self.note(|_| format!("{}.{name}", info.name));
        self.tokens.skip()
    }

    #[cold]
    #[inline(never)]
    fn missing(&self, info: &'static ObjectInfo, index: usize) -> DecodeError {
        DecodeError::new(
            DecodeErrorKind::Missing {
                object: info.name,
                property: info.layout().fields[index].name,
            },
            self.tokens.offset(),
        )
    }

    /// A `base` or a descendant of it, as `xsi:type` says; an unknown type is kept whole.
    ///
    /// # Errors
    /// When the object cannot be decoded.
    pub fn descendant(
        &mut self,
        base: &'static ObjectInfo,
    ) -> Result<Box<dyn Object>, DecodeError> {
        let Some(qualified) = self.tokens.qualified_type() else {
            return self.new_object(base);
        };
        // A type that is known as it is written has no prefix.
        let (name, info) = match self.types.known(qualified) {
            Some(info) => (qualified, Some(info)),
            None => {
                let (_, name) = self.tokens.split_type(qualified);
                (name, self.types.object(name))
            }
        };
        match info {
            Some(info) if info.ancestry().any(|info| std::ptr::eq(info, base)) => {
                self.new_object(info)
            }
            _ if name == base.name => self.new_object(base),
            _ => self.unknown_object(base, name),
        }
    }

    fn new_object(&mut self, info: &'static ObjectInfo) -> Result<Box<dyn Object>, DecodeError> {
        let mut object = (info.new)();
        self.allocate(size_of_val(&*object))?;
        self.fill(info, &mut *object)?;
        Ok(object)
    }

    /// Reads the element twice: as the declared type, and as XML.
    #[cold]
    fn unknown_object(
        &mut self,
        declared: &'static ObjectInfo,
        name: &str,
    ) -> Result<Box<dyn Object>, DecodeError> {
        let mark = self.tokens.mark();
        let noted = self.unknown.len();
        self.note(|_| name.to_owned());
        let mut object = (declared.new)();
        self.allocate(size_of_val(&*object))?;
        self.fill(declared, &mut *object)?;
        self.unknown.truncate(noted + 1);
        self.tokens.rewind(mark)?;
        let element = self.raw()?;
        Ok(Box::new(UnknownObject {
            type_name: name.to_owned(),
            declared: object,
            element,
        }))
    }

    /// A value of the type in `xsi:type`.
    ///
    /// A value that cannot be decoded does not fail the message: it becomes [`Any::Undecodable`].
    ///
    /// # Errors
    /// If the message itself is malformed.
    pub fn any(&mut self) -> Result<Any, DecodeError> {
        self.or_undecodable(Self::typed_any)
    }

    /// Reads a value; one that cannot be decoded is kept as it came.
    fn or_undecodable(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Any, DecodeError>,
    ) -> Result<Any, DecodeError> {
        let mark = self.tokens.mark();
        match read(self) {
            Err(error) if error.is_local() => {
                // The error with its texts.
                self.allocate(256)?;
                self.tokens.rewind(mark)?;
                let element = self.raw()?;
                Ok(Any::Undecodable(Box::new(Undecodable { error, element })))
            }
            result => result,
        }
    }

    fn typed_any(&mut self) -> Result<Any, DecodeError> {
        let Some((namespace, name)) = self.tokens.xsi_type() else {
            return self.untyped_any();
        };
        if namespace == Namespace::Xsd {
            return match self.primitive(name) {
                Some(value) => value,
                None if name == "anyType" => self.untyped_any(),
                None => self.unknown_any(name),
            };
        }
        if let Some(value) = self.named_any(name) {
            return value;
        }
        match Array::item_type(name) {
            Some(item) => self.array(item),
            None => self.unknown_any(name),
        }
    }

    /// `anyType` without a type: text is a string, the rest stays XML.
    fn untyped_any(&mut self) -> Result<Any, DecodeError> {
        let mark = self.tokens.mark();
        match self.text() {
            Ok(text) => Ok(Any::String(text.into_owned())),
            Err(error) if error.is_local() => {
                self.tokens.rewind(mark)?;
                Ok(Any::Unknown(Box::new(self.raw()?)))
            }
            Err(error) => Err(error),
        }
    }

    #[cold]
    fn unknown_any(&mut self, name: &str) -> Result<Any, DecodeError> {
        self.note(|_| name.to_owned());
        Ok(Any::Unknown(Box::new(self.raw()?)))
    }

    /// The items of an `ArrayOf…`, each of its own type, or of the array's where it doesn't say.
    fn array(&mut self, item: String) -> Result<Any, DecodeError> {
        let mut items = Vec::new();
        while self.tokens.next_child()? {
            let index = items.len();
            self.allocate(size_of::<Any>())?;
            let declared = self.types.object(&item);
            let value = match (self.tokens.xsi_type(), declared) {
                (Some((_, name)), Some(declared)) if self.types.object(name).is_none() => {
                    self.or_undecodable(|reader| reader.descendant(declared).map(Any::Object))
                }
                (Some(_), _) => self.any(),
                (None, _) => self.or_undecodable(|reader| reader.item(&item)),
            };
            items.push(value.map_err(|error| error.within(&item, Some(index)))?);
        }
        Ok(Any::Array(Box::new(Array { item, items })))
    }

    /// A value of one of the schema's own types; `None` if that is none of them.
    fn primitive(&mut self, ty: &str) -> Option<Result<Any, DecodeError>> {
        Some(match ty {
            "string" => self.string().map(Any::String),
            "boolean" => self.boolean().map(Any::Bool),
            "byte" => self.integer().map(Any::Byte),
            "short" => self.integer().map(Any::Short),
            "int" => self.integer().map(Any::Int),
            "long" => self.integer().map(Any::Long),
            "float" => self.float().map(Any::Float),
            "double" => self.float().map(Any::Double),
            "dateTime" => self.date_time().map(Any::DateTime),
            "base64Binary" => self.binary().map(Any::Binary),
            "anyURI" => self.string().map(Any::Uri),
            _ => return None,
        })
    }

    /// An array's item that doesn't say its type.
    fn item(&mut self, ty: &str) -> Result<Any, DecodeError> {
        if let Some(value) = self.primitive(ty) {
            return value;
        }
        self.named_any(ty).unwrap_or_else(|| self.untyped_any())
    }

    /// A value of a type that the registry has, or a reference; `None` if it is neither.
    fn named_any(&mut self, ty: &str) -> Option<Result<Any, DecodeError>> {
        if ty == "ManagedObjectReference" {
            return Some(self.moref().map(Any::Moref));
        }
        if let Some(info) = self.types.object(ty) {
            return Some(self.new_object(info).map(Any::Object));
        }
        let info = self.types.registry.enumeration(ty)?;
        let value = self.text();
        Some(value.map(|value| Any::enumeration_of(info.name, &value)))
    }

    /// A value that doesn't say its type but is known to be of this one; XML where the type is unknown.
    pub(crate) fn any_of(&mut self, ty: &str) -> Result<Any, DecodeError> {
        if self.types.object(ty).is_some() {
            return self.or_undecodable(|reader| reader.item(ty));
        }
        let mut element = self.raw()?;
        element.type_name = Some(ty.to_owned());
        Ok(Any::Unknown(Box::new(element)))
    }

    /// Text, unescaped.
    ///
    /// # Errors
    /// When the element holds elements.
    #[inline]
    pub fn text(&mut self) -> Result<Cow<'a, str>, DecodeError> {
        self.tokens.text()
    }

    /// Text of its own.
    ///
    /// # Errors
    /// When the element holds elements.
    #[inline]
    pub fn string(&mut self) -> Result<String, DecodeError> {
        self.text().map(Cow::into_owned)
    }

    /// `true`, `false`, `1` or `0`.
    ///
    /// # Errors
    /// If the text is anything else.
    pub fn boolean(&mut self) -> Result<bool, DecodeError> {
        let text = self.text()?;
        match trim(&text) {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => Err(self.tokens.content("a boolean", &text)),
        }
    }

    /// A decimal integer.
    ///
    /// # Errors
    /// If the text is not one, or the number does not fit.
    pub fn integer<T: FromStr>(&mut self) -> Result<T, DecodeError> {
        let text = self.text()?;
        trim(&text)
            .parse()
            .map_err(|_| self.no_integer(8 * size_of::<T>(), &text))
    }

    #[cold]
    #[inline(never)]
    fn no_integer(&self, bits: usize, text: &str) -> DecodeError {
        self.tokens
            .content(&format!("an integer of {bits} bits"), text)
    }

    /// A floating-point number, `INF`, `-INF` or `NaN`.
    ///
    /// # Errors
    /// If the text is not one.
    pub fn float<T: FromStr>(&mut self) -> Result<T, DecodeError> {
        let text = self.text()?;
        trim(&text)
            .parse()
            .map_err(|_| self.tokens.content("a number", &text))
    }

    /// A date and time. A text that is none is kept in an answer, see [`DateTime::from_wire`].
    ///
    /// # Errors
    /// When the element holds elements. In a request, if the text is no date.
    pub fn date_time(&mut self) -> Result<DateTime, DecodeError> {
        let text = self.text()?;
        match self.is_request {
            false => Ok(DateTime::from_wire(trim(&text))),
            true => trim(&text)
                .parse()
                .map_err(|_| self.tokens.content("a date and time", &text)),
        }
    }

    /// Base64, with or without line breaks and padding.
    ///
    /// # Errors
    /// If the text is not one.
    pub fn binary(&mut self) -> Result<Binary, DecodeError> {
        const BASE64: GeneralPurpose = GeneralPurpose::new(
            &alphabet::STANDARD,
            GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
        );
        let text = self.text()?;
        let characters: Vec<u8> = text
            .bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        BASE64
            .decode(characters)
            .map(Binary)
            .map_err(|_| self.tokens.content("base64", &text))
    }

    /// A reference to a managed object.
    ///
    /// # Errors
    /// When its `type` attribute is missing.
    pub fn moref(&mut self) -> Result<ManagedObjectReference, DecodeError> {
        let r#type = self.tokens.attribute("type").map(Cow::into_owned);
        let value = self.string()?;
        match r#type {
            Some(r#type) => Ok(ManagedObjectReference { r#type, value }),
            None => Err(self
                .tokens
                .content("a reference with a 'type' attribute", &value)),
        }
    }

    /// A value of an enum; an empty one is unset.
    ///
    /// # Errors
    /// When the element holds elements.
    pub fn enumeration<E: Enum>(&mut self) -> Result<E, DecodeError> {
        let text = self.text()?;
        Ok(E::from_wire(trim(&text)))
    }

    /// Skips the element.
    ///
    /// # Errors
    /// If the message is malformed.
    pub fn skip(&mut self) -> Result<(), DecodeError> {
        self.tokens.skip()
    }

    #[cold]
    fn note(&mut self, what: impl FnOnce(&Tokens<'a>) -> String) {
        if self.unknown.len() < NOTED {
            let mut what = what(&self.tokens);
            if let Some((end, _)) = what.char_indices().nth(NOTED_LENGTH) {
                what.truncate(end);
            }
            if !self.unknown.contains(&what) {
                self.unknown.push(what);
            }
        }
    }
}

/// How many items a list has.
#[cold]
fn length(object: &dyn Object, index: usize) -> usize {
    match object.get(index).view() {
        View::List(items) => items.len(),
        _ => 0,
    }
}

/// The properties that an object has had so far, one bit each.
#[derive(Default)]
struct Seen {
    first: u64,
    /// For types with more than 64 properties.
    rest: Vec<u64>,
}

impl Seen {
    #[inline]
    fn insert(&mut self, index: usize) {
        if index < 64 {
            self.first |= 1 << index;
        } else {
            self.insert_far(index);
        }
    }

    fn contains(&self, index: usize) -> bool {
        let word = match index / 64 {
            0 => self.first,
            word => self.rest.get(word - 1).copied().unwrap_or_default(),
        };
        word & (1 << (index % 64)) != 0
    }

    fn insert_far(&mut self, index: usize) {
        let word = index / 64 - 1;
        if self.rest.len() <= word {
            self.rest.resize(word + 1, 0);
        }
        self.rest[word] |= 1 << (index % 64);
    }

    #[inline]
    fn first_missing(&self, required: &[u64]) -> Option<usize> {
        match required {
            [] => None,
            [required] => {
                let missing = required & !self.first;
                (missing != 0).then(|| missing.trailing_zeros() as usize)
            }
            required => self.first_missing_of_many(required),
        }
    }

    #[inline(never)]
    fn first_missing_of_many(&self, required: &[u64]) -> Option<usize> {
        let words = std::iter::once(&self.first)
            .chain(&self.rest)
            .chain(std::iter::repeat(&0));
        required
            .iter()
            .zip(words)
            .enumerate()
            .find_map(|(word, (required, seen))| {
                let missing = required & !seen;
                (missing != 0).then(|| word * 64 + missing.trailing_zeros() as usize)
            })
    }
}
