//! A description as written.

use crate::grammar::{Keyword, Occurrence};

/// A description: its definitions in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// The families.
    pub families: Vec<Family>,
    /// The sections of the core and of all families.
    pub sections: Vec<Section>,
    /// The enumerations.
    pub enums: Vec<Enum>,
    /// The data objects and faults.
    pub objects: Vec<Object>,
    /// The managed objects.
    pub managed_objects: Vec<Object>,
    /// The methods.
    pub methods: Vec<Method>,
}

/// A part of a description that is compiled only with a feature of the generated crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// The line that begins it.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// The families that it needs.
    pub needs: Vec<String>,
}

/// A part of the core or of a family: the definitions that share generated files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The line that begins it.
    pub line: usize,
    /// Its name, unique in its family.
    pub name: String,
    /// The family it is part of; `None` in the core.
    pub family: Option<String>,
}

/// An enumeration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enum {
    /// The line of its beginning.
    pub line: usize,
    /// Its name on the wire.
    pub name: String,
    /// The family; `None` in the core, which is always compiled.
    pub family: Option<String>,
    /// The section of the family; `None` before the first section.
    pub section: Option<String>,
    /// The version that introduced it.
    pub since: Option<String>,
    /// Its values.
    pub values: Vec<EnumValue>,
}

/// A value of an enumeration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumValue {
    /// Its line.
    pub line: usize,
    /// The value on the wire.
    pub name: String,
    /// The version that introduced it, if it is later than the enumeration.
    pub since: Option<String>,
}

/// A data object, fault or managed object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// The line of its beginning.
    pub line: usize,
    /// [`Keyword::Object`], [`Keyword::Fault`] or [`Keyword::ManagedObject`].
    pub keyword: Keyword,
    /// Its name on the wire.
    pub name: String,
    /// The family; `None` in the core, which is always compiled.
    pub family: Option<String>,
    /// The section of the family; `None` before the first section.
    pub section: Option<String>,
    /// The base class.
    pub extends: Option<String>,
    /// The version that introduced it.
    pub since: Option<String>,
    /// Its own properties, in the order of the schema.
    pub members: Vec<Member>,
}

/// A property or a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its line.
    pub line: usize,
    /// Its name on the wire.
    pub name: String,
    /// Its type, with occurrence and annotations.
    pub ty: Type,
}

/// The type of a property, parameter or result, with occurrence and annotations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// The type's name as the description writes it: `String`, `VirtualDevice`.
    pub name: String,
    /// How often it occurs.
    pub occurrence: Occurrence,
    /// The annotations.
    pub annotations: Annotations,
}

/// The annotations of a type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Annotations {
    /// `since`: the version that introduced it, if it is later than the owner.
    pub since: Option<String>,
    /// `to`: the managed object a reference leads to.
    pub to: Option<String>,
    /// `link`: the object whose key the string is.
    pub link: Option<String>,
    /// `holds`: the fault in a localized fault.
    pub holds: Option<String>,
    /// `names`: `TypeName`, `MethodName` or `PropertyPath`, if the string is one.
    pub names: Option<String>,
    /// `required`: always set from its version on, although optional in the schema.
    pub required: bool,
    /// `linkable`: may be the target of a link.
    pub linkable: bool,
    /// `secret`: to be kept out of logs.
    pub secret: bool,
    /// `priv`: the privileges needed to read the property, or on the object that the parameter names.
    pub privileges: Vec<String>,
}

/// A method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// The line of its beginning.
    pub line: usize,
    /// Its name on the wire.
    pub name: String,
    /// The family; `None` in the core, which is always compiled.
    pub family: Option<String>,
    /// The section of the family; `None` before the first section.
    pub section: Option<String>,
    /// The version that introduced it.
    pub since: Option<String>,
    /// The type of the result.
    pub returns: Option<Type>,
    /// Its parameters; the first one is `_this` or `_this:<member>`.
    pub parameters: Vec<Member>,
    /// `result`: the type of the task's result.
    pub result: Option<Type>,
    /// The line of `result`.
    pub result_line: usize,
    /// `throws`: the declared faults, with their lines.
    pub throws: Vec<Fault>,
    /// `privilege`: the privilege that the caller needs.
    pub privilege: Option<String>,
    /// The line of `privilege`.
    pub privilege_line: usize,
}

/// A fault that a method declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its line.
    pub line: usize,
    /// Its name.
    pub name: String,
}

impl Description {
    /// All families and sections, in the order of the description. A family begins with the part before its first section.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (Option<&str>, Option<&str>)> {
        let families = self
            .families
            .iter()
            .map(|family| Some(family.name.as_str()));
        std::iter::once(None).chain(families).flat_map(|family| {
            let sections = self.sections.iter();
            let sections = sections.filter(move |section| section.family.as_deref() == family);
            let sections = sections.map(|section| Some(section.name.as_str()));
            let all = std::iter::once(None).chain(sections);
            all.map(move |section| (family, section))
        })
    }
}

impl Method {
    /// The property of `ServiceContent` with the only instance that the method is called on, if it is bound to one.
    pub fn bound_to(&self) -> Option<&str> {
        self.parameters.first()?.name.strip_prefix("_this:")
    }

    /// The parameters that a caller gives: without a bound `_this`.
    pub fn given(&self) -> &[Member] {
        match self.bound_to() {
            Some(_) => &self.parameters[1..],
            None => &self.parameters,
        }
    }
}

impl Object {
    /// The properties that are stored: without the ignored ones.
    pub fn stored(&self) -> impl Iterator<Item = &Member> {
        self.members
            .iter()
            .filter(|member| member.ty.occurrence != Occurrence::Ignored)
    }

    /// Keyword and name: `object VirtualDisk`.
    pub fn title(&self) -> String {
        format!("{} {}", self.keyword, self.name)
    }
}

impl Enum {
    /// Keyword and name.
    pub fn title(&self) -> String {
        format!("{} {}", Keyword::Enum, self.name)
    }
}

impl Method {
    /// Keyword and name.
    pub fn title(&self) -> String {
        format!("{} {}", Keyword::Method, self.name)
    }
}
