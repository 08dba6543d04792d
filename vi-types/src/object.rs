//! Data objects, and the view of an object whose type is not known at compile time.

use std::any::{Any, TypeId};
use std::fmt;
use std::hash::Hash;
use std::sync::OnceLock;

use crate::moref::ManagedObjectReference;
use crate::poly::{UNKNOWN, UnknownObject};
use crate::property::{Property, PropertyMut};
use crate::value::View;
use crate::wire::Tags;

/// A data object, fault, method request or set of managed-object properties, without its type.
///
/// Properties are addressed by their index in [`ObjectInfo::layout`], which lists the properties of base classes first.
/// Encoding, decoding, equality, `Debug`, JSON and property paths are each written once with these few methods.
pub trait Object: Any + Send + Sync {
    /// The description of this type.
    // Not a constant, which could not refer to a static with a `OnceLock` before Rust 1.90.
    fn type_info() -> &'static ObjectInfo
    where
        Self: Sized;
    /// The property with this index. [`BASE`] gives the base class as an object, [`INFO`] the description of the type.
    ///
    /// Base classes without properties are left out, unless the API declares a position with their type.
    fn get(&self, index: usize) -> Property<'_>;
    /// The property with this index for changing it; [`BASE`] gives the base class.
    ///
    /// Base classes without properties are left out.
    fn get_mut(&mut self, index: usize) -> PropertyMut<'_>;
}

/// The index that stands for all properties of the base class.
// An index instead of a method, because another method for each of thousands of types takes seconds to compile.
pub const BASE: usize = usize::MAX;

/// The index that stands for the description of an object's type, [`Property::Info`].
pub const INFO: usize = usize::MAX - 1;

/// A type of [`Object`] that is known at compile time.
// Methods instead of generic functions: methods are compiled with the type, where the compiler already has its `default`
// and its vtable.
pub trait DataObject: Object + Default {
    /// An object with every property unset.
    fn boxed() -> Box<Self> {
        // A third of what the compiler makes of `Box::default`, thousands of times: nothing has to be moved, nor dropped
        // where there is no memory.
        Box::write(Box::new_uninit(), Self::default())
    }

    /// The same without its type, for [`ObjectInfo::new`].
    fn unset() -> Box<dyn Object> {
        Self::boxed()
    }

    /// The object without its type.
    #[inline(never)]
    fn as_object(&self) -> &dyn Object {
        self
    }

    /// The object without its type.
    #[inline(never)]
    fn as_object_mut(&mut self) -> &mut dyn Object {
        self
    }
}

impl<T: Object + Default> DataObject for T {}

/// `Self` is `B` or a descendant. Implemented for each `B` that the API declares a position with.
pub trait Extends<B: DataObject>: DataObject {}

/// The properties of a managed object. Each is optional, because a request names the properties to read.
pub trait ManagedObject: DataObject {
    /// The type of references to the base class; `ManagedObjectReference` for a root.
    type Base: AsRef<ManagedObjectReference>
        + From<ManagedObjectReference>
        + Into<ManagedObjectReference>
        + fmt::Debug
        + fmt::Display
        + Clone
        + Eq
        + Hash
        + Send
        + Sync
        + 'static;
    /// The managed object's type, as `ManagedObjectReference.type` names it.
    const TYPE: &'static str;
    /// The types of all descendants, including those that this build leaves out.
    const DESCENDANTS: &'static [&'static str];
}

/// How often a property, parameter or result occurs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occurrence {
    /// Exactly once.
    Required,
    /// At most once.
    Optional,
    /// At least once.
    RequiredList,
    /// Any number of times.
    OptionalList,
}

impl Occurrence {
    /// Whether the element may be repeated.
    pub const fn is_list(self) -> bool {
        matches!(self, Self::RequiredList | Self::OptionalList)
    }
}

/// A property of a data object, or a parameter of a method.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The element's name on the wire, such as `numCPU`.
    pub name: &'static str,
    /// The declared type as the schema names it: `string`, `int`, `VirtualDevice`.
    pub ty: &'static str,
    /// How often it occurs.
    pub occurrence: Occurrence,
    /// The first API version with the property; empty if it is the owner's.
    pub since: &'static str,
    /// Whether the value must be kept out of logs and `Debug`.
    pub secret: bool,
}

impl Field {
    /// Reads a line of [`ObjectInfo::text`]: `<type> <name> <occurrence> [since <version>] [secret]`.
    fn parse(line: &'static str) -> Option<Self> {
        let mut words = line.split(' ');
        let (ty, name) = (words.next()?, words.next()?);
        let occurrence = match words.next()? {
            "r" => Occurrence::Required,
            "o" => Occurrence::Optional,
            "rl" => Occurrence::RequiredList,
            "ol" => Occurrence::OptionalList,
            _ => return None,
        };
        let (mut since, mut secret) = ("", false);
        while let Some(word) = words.next() {
            match word {
                "since" => since = words.next()?,
                "secret" => secret = true,
                _ => return None,
            }
        }
        Some(Self {
            name,
            ty,
            occurrence,
            since,
            secret,
        })
    }
}

/// The description of a type of data object.
#[derive(Debug)]
pub struct ObjectInfo {
    /// The type's name on the wire.
    pub name: &'static str,
    /// The base class.
    pub base: Option<&'static ObjectInfo>,
    /// The rest of the description: a line with the first API version of the type, which may be empty, then a line for
    /// each property of the type itself, in the order of the schema. The lines are those of generator.input, with the
    /// schema's names of types. Text compiles fastest; [`since`](Self::since) and [`layout`](Self::layout) read it.
    pub text: &'static str,
    /// Makes an object of this type with every property unset.
    pub new: fn() -> Box<dyn Object>,
    layout: OnceLock<Box<Layout>>,
}

impl ObjectInfo {
    /// Describes a type; generated code calls this once per type.
    pub const fn new(
        name: &'static str,
        base: Option<&'static ObjectInfo>,
        text: &'static str,
        new: fn() -> Box<dyn Object>,
    ) -> Self {
        Self {
            name,
            base,
            text,
            new,
            layout: OnceLock::new(),
        }
    }

    /// The first API version with the type; empty if the description does not say.
    pub fn since(&self) -> &'static str {
        self.text.lines().next().unwrap_or_default()
    }

    /// The number of properties beside those of the base class.
    pub(crate) fn own_properties(&self) -> usize {
        self.text.lines().skip(1).count()
    }

    /// All properties, inherited ones first; computed at the first use.
    pub fn layout(&'static self) -> &'static Layout {
        self.layout.get_or_init(|| Box::new(Layout::of(self)))
    }

    /// All properties, inherited ones first, in the order of the schema.
    pub fn all_fields(&'static self) -> impl ExactSizeIterator<Item = &'static Field> {
        self.layout().fields.iter()
    }

    /// Whether this is the type with that name or a descendant of it.
    pub fn is_a(&self, name: &str) -> bool {
        self.ancestry().any(|info| info.name == name)
    }

    /// This type, its base, the base of that, and so on.
    pub fn ancestry(&self) -> impl Iterator<Item = &ObjectInfo> {
        std::iter::successors(Some(self), |info| info.base)
    }
}

/// The flattened properties of a type, prepared for matching element names.
#[derive(Debug)]
pub struct Layout {
    pub(crate) fields: Box<[Field]>,
    /// The names of the fields, apart from the fields because a search visits many of them.
    pub(crate) names: Box<[Name]>,
    /// One bit per field, set where the property is required.
    pub(crate) required: Box<[u64]>,
    /// Whether there are properties of base classes.
    pub(crate) inherits: bool,
    /// The tags of each field's element.
    pub(crate) tags: Box<[Tags]>,
}

/// The name of an element, prepared for comparing eight bytes at a time.
#[derive(Debug)]
pub(crate) struct Name {
    /// The first eight bytes, little endian, zero-padded.
    pub(crate) head: u64,
    /// The bits of a word that `head` is compared with.
    pub(crate) mask: u64,
    /// The last eight bytes, likewise.
    pub(crate) tail: u64,
    pub(crate) length: u32,
    /// Whether the element may be repeated.
    pub(crate) list: bool,
}

impl Name {
    fn of(field: &Field) -> Self {
        let name = field.name.as_bytes();
        Self {
            head: name_key(name),
            mask: u64::MAX >> (64 - 8 * name.len().clamp(1, 8)),
            tail: name_key(&name[name.len().saturating_sub(8)..]),
            length: name.len() as u32,
            list: field.occurrence.is_list(),
        }
    }
}

impl Layout {
    fn of(info: &'static ObjectInfo) -> Self {
        let mut chain: Vec<_> = info.ancestry().map(|info| info.text).collect();
        chain.reverse();
        let fields: Box<[Field]> = chain
            .into_iter()
            .flat_map(|text| text.lines().skip(1))
            .filter_map(Field::parse)
            .collect();
        let mut required = vec![0; fields.len().div_ceil(64)].into_boxed_slice();
        for (index, field) in fields.iter().enumerate() {
            if matches!(field.occurrence, Occurrence::Required) {
                required[index / 64] |= 1 << (index % 64);
            }
        }
        Self {
            names: fields.iter().map(Name::of).collect(),
            tags: fields.iter().map(|field| Tags::of(field.name)).collect(),
            inherits: fields.len() > info.own_properties(),
            fields,
            required,
        }
    }

    /// The index of the property with this name on the wire.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// The property with this index.
    pub fn field(&self, index: usize) -> Option<&Field> {
        self.fields.get(index)
    }

    /// How many properties there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether the type has no properties.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

/// The first eight bytes of an element name as one comparable word.
pub(crate) fn name_key(name: &[u8]) -> u64 {
    let mut word = [0; 8];
    let length = name.len().min(8);
    word[..length].copy_from_slice(&name[..length]);
    u64::from_le_bytes(word)
}

impl dyn Object {
    /// The description of the object's type.
    pub fn info(&self) -> &'static ObjectInfo {
        match self.get(INFO) {
            Property::Info(info) => info,
            _ => &UNKNOWN,
        }
    }

    /// The object as a `T`, if it is exactly that.
    pub fn downcast_ref<T: DataObject>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }

    /// The object as a mutable `T`, if it is exactly that.
    pub fn downcast_mut<T: DataObject>(&mut self) -> Option<&mut T> {
        (self as &mut dyn Any).downcast_mut()
    }

    /// The object as a `T`, if it is that or a descendant of it.
    pub fn cast<T: DataObject>(&self) -> Option<&T> {
        self.upcast(TypeId::of::<T>())?.downcast_ref()
    }

    /// The object as a mutable `T`, if it is that or a descendant of it.
    pub fn cast_mut<T: DataObject>(&mut self) -> Option<&mut T> {
        let mut object = self;
        while (*object).type_id() != TypeId::of::<T>() {
            object = object.base_mut()?;
        }
        (object as &mut dyn Any).downcast_mut()
    }

    /// The properties of the base class as an object of that class.
    ///
    /// Base classes that have no properties are left out, unless some position is declared with them.
    pub fn base(&self) -> Option<&dyn Object> {
        match self.get(BASE) {
            Property::Object(base) => Some(base),
            _ => None,
        }
    }

    /// The mutable properties of the base class; `None` for a base class without properties.
    pub fn base_mut(&mut self) -> Option<&mut dyn Object> {
        match self.get_mut(BASE) {
            PropertyMut::Object(base) => Some(base),
            _ => None,
        }
    }

    /// The name of the object's type on the wire, also where that type is not a known one.
    pub fn type_name(&self) -> &str {
        match self.unknown() {
            Some(unknown) => &unknown.type_name,
            None => self.info().name,
        }
    }

    /// The property with this name on the wire, if the type has it.
    pub fn property(&self, name: &str) -> Option<View<'_>> {
        let index = self.info().layout().index_of(name)?;
        Some(self.get(index).view())
    }

    /// The object as an [`UnknownObject`], if this build does not have its type.
    pub fn unknown(&self) -> Option<&UnknownObject> {
        (self as &dyn Any).downcast_ref()
    }

    /// A copy.
    pub fn boxed_clone(&self) -> Box<dyn Object> {
        if let Some(unknown) = self.unknown() {
            return Box::new(unknown.clone());
        }
        let mut copy = (self.info().new)();
        copy.copy_from(self);
        copy
    }

    /// Copies all properties from an object of the same type; one of another type changes nothing.
    pub(crate) fn copy_from(&mut self, from: &dyn Object) {
        if !std::ptr::eq(self.info(), from.info()) {
            return;
        }
        for index in 0..from.info().layout().len() {
            self.get_mut(index).assign(from.get(index).view());
        }
    }

    fn upcast(&self, to: TypeId) -> Option<&dyn Any> {
        let mut object = self;
        while object.type_id() != to {
            object = object.base()?;
        }
        Some(object)
    }
}

impl PartialEq for dyn Object {
    fn eq(&self, other: &Self) -> bool {
        equal(self, other)
    }
}

impl fmt::Debug for dyn Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(self, f)
    }
}

impl Clone for Box<dyn Object> {
    fn clone(&self) -> Self {
        self.as_ref().boxed_clone()
    }
}

/// Whether two objects are of the same type and have equal properties.
pub fn equal(left: &dyn Object, right: &dyn Object) -> bool {
    match (left.unknown(), right.unknown()) {
        (Some(left), Some(right)) => return left == right,
        (None, None) => {}
        _ => return false,
    }
    if !std::ptr::eq(left.info(), right.info()) {
        return false;
    }
    (0..left.info().layout().len()).all(|index| left.get(index).view() == right.get(index).view())
}

/// A copy of an object.
pub fn cloned<T: DataObject>(object: &T) -> T {
    let mut copy = T::default();
    (&mut copy as &mut dyn Object).copy_from(object);
    copy
}

/// Writes an object as `Type { property: value, … }`: unset properties are left out, secret ones hidden.
pub fn debug(object: &dyn Object, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut out = f.debug_struct(object.type_name());
    for (index, field) in object.info().all_fields().enumerate() {
        match object.get(index).view() {
            View::Unset => {}
            _ if field.secret => {
                out.field(field.name, &format_args!("(secret)"));
            }
            view => {
                out.field(field.name, &view);
            }
        }
    }
    if object.unknown().is_some() {
        return out.finish_non_exhaustive();
    }
    out.finish()
}
