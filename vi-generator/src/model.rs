//! A description as it was written, before anything is derived from it.

use crate::grammar::{Keyword, Occurrence};

/// Everything a description says, in its order.
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

/// A part of a description that is compiled only when somebody asks for it: a feature of the generated crate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    /// The line that begins it.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// The families it needs, as they are written.
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
    /// The family it belongs to; what belongs to none is always compiled.
    pub family: Option<String>,
    /// The section of that family it stands in; `None` before the first one.
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
    /// The value as it is written on the wire.
    pub name: String,
    /// The version that introduced it, where that is not the enumeration's.
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
    /// The family it belongs to; what belongs to none is always compiled.
    pub family: Option<String>,
    /// The section of that family it stands in; `None` before the first one.
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
    /// Its type and what is known about it.
    pub ty: Type,
}

/// The type of a property, parameter or result, with everything said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// The type's name as the description writes it: `String`, `VirtualDevice`.
    pub name: String,
    /// How often it occurs.
    pub occurrence: Occurrence,
    /// What else is said about it.
    pub annotations: Annotations,
}

/// What a description says about a type besides name and occurrence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Annotations {
    /// `since`: the version that introduced it, where that is not the owner's.
    pub since: Option<String>,
    /// `to`: the managed object a reference leads to.
    pub to: Option<String>,
    /// `link`: the object whose key the string is.
    pub link: Option<String>,
    /// `holds`: the fault in a localized fault.
    pub holds: Option<String>,
    /// `names`: `TypeName`, `MethodName` or `PropertyPath`, as the string is one.
    pub names: Option<String>,
    /// `required`: present from its version on, although optional in the schema.
    pub required: bool,
    /// `linkable`: may be the target of a link.
    pub linkable: bool,
    /// `secret`: to be kept out of logs.
    pub secret: bool,
    /// `priv`: the privileges that are needed to read it, or on the object it names.
    pub privileges: Vec<String>,
}

/// A method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method {
    /// The line of its beginning.
    pub line: usize,
    /// Its name on the wire.
    pub name: String,
    /// The family it belongs to; what belongs to none is always compiled.
    pub family: Option<String>,
    /// The section of that family it stands in; `None` before the first one.
    pub section: Option<String>,
    /// The version that introduced it.
    pub since: Option<String>,
    /// What it returns.
    pub returns: Option<Type>,
    /// Its parameters; the first one is `_this` or `_this:<member>`.
    pub parameters: Vec<Member>,
    /// `result`: what a task that it starts gives in the end.
    pub result: Option<Type>,
    /// Where `result` is said.
    pub result_line: usize,
    /// `throws`: the faults it declares, with their line.
    pub throws: Vec<Fault>,
    /// `privilege`: what the caller has to be allowed.
    pub privilege: Option<String>,
    /// Where `privilege` is said.
    pub privilege_line: usize,
}

/// A fault that a method declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line that names it.
    pub line: usize,
    /// Its name.
    pub name: String,
}

impl Description {
    /// Family and section of all definitions, in the order of the description: what stands before the first section
    /// of a family comes first.
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
    /// The `ServiceContent` member that holds the only instance the method is called on, where it is called on one.
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
