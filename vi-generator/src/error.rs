//! Mistakes in descriptions.

use std::fmt;

use crate::grammar::Keyword;

/// All mistakes of a description.
///
/// Displayed as one line each, `file:line: mistake`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors {
    /// The path of the description.
    pub file: String,
    /// The mistakes, in the order of their lines; there is at least one.
    pub mistakes: Vec<Mistake>,
}

impl Errors {
    pub(crate) fn new(file: &str, mut mistakes: Vec<Mistake>) -> Self {
        mistakes.sort_by_key(|mistake| mistake.line);
        Self {
            file: file.to_owned(),
            mistakes,
        }
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.mistakes.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{}:{}: {}", self.file, mistake.line, mistake.kind)?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

/// One mistake and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, counted from 1.
    pub line: usize,
    /// The mistake.
    pub kind: MistakeKind,
}

/// A mistake, with the expected text.
///
/// `owner` is the definition with the mistake, with its keyword: `object VirtualDisk`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MistakeKind {
    /// Text outside of a definition that does not begin one.
    #[error("'{found}' does not begin a definition; expected enum, object, fault, managed object, method, family or section{}", hint(.nearest))]
    NotADefinition {
        /// The line's first word.
        found: String,
        /// The keyword that was probably meant.
        nearest: Option<String>,
    },
    /// The first line of a definition is invalid.
    #[error("'{found}' is not the first line of a definition; expected '{}'", .keyword.header())]
    Header {
        /// The line.
        found: String,
        /// The definition's keyword.
        keyword: Keyword,
    },
    /// A line that begins with `family` and is invalid.
    #[error("'{found}' does not begin a family; expected 'family <name> [needs <family>...]'")]
    Family {
        /// The line.
        found: String,
    },
    /// Invalid or reserved name of a family.
    #[error(
        "'{name}' is not a valid name for a family; expected lower-case letters and digits, and none of {reserved}"
    )]
    FamilyName {
        /// The name.
        name: String,
        /// The reserved names.
        reserved: String,
    },
    /// A family that began before.
    #[error("family {name} already began in line {first}; keep its definitions together")]
    FamilyTwice {
        /// The name.
        name: String,
        /// The line of the first one.
        first: usize,
    },
    /// A line that begins with `section` and is invalid.
    #[error("'{found}' does not begin a section; expected 'section <name>'")]
    Section {
        /// The line.
        found: String,
    },
    /// Invalid name of a section.
    #[error(
        "'{name}' is not a valid name for a section; expected lower-case letters, digits and underscores"
    )]
    SectionName {
        /// The name.
        name: String,
    },
    /// A section that began before in the same family.
    #[error("section {name} already began in line {first}; keep its definitions together")]
    SectionTwice {
        /// The name.
        name: String,
        /// The line of the first one.
        first: usize,
    },
    /// An unknown family after `needs`.
    #[error("family {name} needs the unknown family '{needed}'{}", hint(.nearest))]
    UnknownFamily {
        /// The family.
        name: String,
        /// The needed family.
        needed: String,
        /// The one that was probably meant.
        nearest: Option<String>,
    },
    /// A required type that is not always compiled with its owner.
    #[error(
        "{owner}: {name} requires {ty} of family {family}; move one of them, or let the one family need the other"
    )]
    OutOfFamily {
        /// The definition.
        owner: String,
        /// The property, the parameter, "its return value" or "its base class".
        name: String,
        /// The type.
        ty: String,
        /// The family of the type.
        family: String,
    },
    /// A definition begins inside another one.
    #[error("{owner} begins inside {open} of line {open_line}; expected 'end' first")]
    Nested {
        /// The inner definition.
        owner: String,
        /// The outer definition.
        open: String,
        /// Where the outer definition begins.
        open_line: usize,
    },
    /// The text ends inside a definition.
    #[error("{owner} has no end; expected a line 'end' behind its last member")]
    NoEnd {
        /// The definition.
        owner: String,
    },
    /// A property or parameter is not three words and annotations.
    #[error(
        "{owner}: '{found}' is not a {what}; expected '<type> <name> <occurrence>' and annotations"
    )]
    Member {
        /// The definition.
        owner: String,
        /// The line.
        found: String,
        /// "property" or "parameter".
        what: &'static str,
    },
    /// An enum's line is not a value.
    #[error("{owner}: '{found}' is not a value; expected one word, or '<value> since <version>'")]
    Value {
        /// The definition.
        owner: String,
        /// The line.
        found: String,
    },
    /// An unknown occurrence.
    #[error("{owner}: {name} has the unknown occurrence '{found}'; expected {expected}")]
    Occurrence {
        /// The definition.
        owner: String,
        /// The property, the parameter or "its return value".
        name: String,
        /// The text instead of the occurrence.
        found: String,
        /// The possible occurrences.
        expected: &'static str,
    },
    /// An unknown annotation.
    #[error("{owner}: '{found}' is not an annotation{}; expected any of {expected}", hint(.nearest))]
    Annotation {
        /// The definition.
        owner: String,
        /// The word.
        found: String,
        /// The annotation that was probably meant.
        nearest: Option<String>,
        /// The possible annotations.
        expected: String,
    },
    /// An annotation without its word.
    #[error("{owner}: '{annotation}' lacks its word; expected '{annotation} <{value}>'")]
    AnnotationValue {
        /// The definition.
        owner: String,
        /// The annotation.
        annotation: &'static str,
        /// The expected word.
        value: &'static str,
    },
    /// An annotation that is given twice.
    #[error("{owner}: '{annotation}' is given twice; one is enough")]
    AnnotationTwice {
        /// The definition.
        owner: String,
        /// The annotation.
        annotation: &'static str,
    },
    /// An annotation that does not fit the type or occurrence.
    #[error("{owner}: '{annotation}' does not fit {name}, a {found}; it is for {expected}")]
    AnnotationMisplaced {
        /// The definition.
        owner: String,
        /// The annotation.
        annotation: &'static str,
        /// The property or parameter.
        name: String,
        /// Its type or occurrence.
        found: String,
        /// The types or occurrences that the annotation is for.
        expected: &'static str,
    },
    /// `throws`, `privilege` or `result` that is empty, given twice, or too long.
    #[error("{owner}: '{found}' is not complete or given twice; expected one line '{expected}'")]
    MethodLine {
        /// The definition.
        owner: String,
        /// The line.
        found: String,
        /// The form of the line.
        expected: &'static str,
    },
    /// A name that was already defined.
    #[error(
        "{owner} is already defined in line {first}; names of types are unique, those of methods as well"
    )]
    DefinedTwice {
        /// The second definition.
        owner: String,
        /// The line of the first one.
        first: usize,
    },
    /// A definition with the name of a primitive type.
    #[error("{owner} has the name of a predefined type; choose another one")]
    Predefined {
        /// The definition.
        owner: String,
    },
    /// A property that the object or a base class already has.
    #[error(
        "{owner}: {name} is already in {other} (line {first}); a property or parameter is named once"
    )]
    MemberTwice {
        /// The definition.
        owner: String,
        /// The property or parameter.
        name: String,
        /// The definition that has it: the same one or a base class.
        other: String,
        /// The line of the first one.
        first: usize,
    },
    /// A value that the enum already has.
    #[error("{owner}: the value {name} is already in line {first}; one is enough")]
    ValueTwice {
        /// The definition.
        owner: String,
        /// The value.
        name: String,
        /// The line of the first one.
        first: usize,
    },
    /// Two names that are different on the wire and the same in Rust.
    #[error(
        "{owner}: {name} and {other} (line {first}) would both be called {rust} in Rust; rename or leave out one"
    )]
    SameInRust {
        /// The definition that has them, or their kind.
        owner: String,
        /// The second name.
        name: String,
        /// The first name.
        other: String,
        /// The line of the first one.
        first: usize,
        /// The name in Rust.
        rust: String,
    },
    /// A name that Rust cannot have.
    #[error(
        "{owner}: '{name}' is not a name; expected letters, digits and '_', not beginning with a digit"
    )]
    NotAName {
        /// The definition.
        owner: String,
        /// The word.
        name: String,
    },
    /// A type that is not defined.
    #[error("{owner}: {name} has the unknown type '{ty}'{}; expected a predefined type or an enum, object or fault of this file", hint(.nearest))]
    UnknownType {
        /// The definition.
        owner: String,
        /// The property, the parameter or "its return value".
        name: String,
        /// The type.
        ty: String,
        /// The type that was probably meant.
        nearest: Option<String>,
    },
    /// A base class that is not defined.
    #[error("{owner} extends the unknown {wanted} '{base}'{}; expected {} of this file", hint(.nearest), article(.wanted))]
    UnknownBase {
        /// The definition.
        owner: String,
        /// The base class.
        base: String,
        /// "object", "object or fault" or "managed object".
        wanted: &'static str,
        /// The one that was probably meant.
        nearest: Option<String>,
    },
    /// A fault that is not defined, or an object that is not a fault.
    #[error("{owner}: '{fault}' is {}{}; expected a fault of this file", if *.is_object { "an object, not a fault" } else { "an unknown fault" }, hint(.nearest))]
    UnknownFault {
        /// The definition.
        owner: String,
        /// The name.
        fault: String,
        /// Whether there is an object of that name.
        is_object: bool,
        /// The fault that was probably meant.
        nearest: Option<String>,
    },
    /// An annotation that names a definition of the wrong kind.
    #[error("{owner}: '{annotation} {target}' names {found}; expected {}", article(.expected))]
    WrongTarget {
        /// The definition.
        owner: String,
        /// The annotation.
        annotation: &'static str,
        /// The name.
        target: String,
        /// The kind of the definition.
        found: String,
        /// The expected kind.
        expected: &'static str,
    },
    /// A class that descends from itself.
    #[error(
        "{owner} extends itself: {path}; a chain of base classes ends at one without 'extends'"
    )]
    BaseCycle {
        /// The definition.
        owner: String,
        /// The chain: `A -> B -> A`.
        path: String,
    },
    /// An object that cannot exist because it would contain itself.
    #[error(
        "{owner} requires itself: {path}; no value could exist, so one of these must be optional or a list"
    )]
    RequiredCycle {
        /// The definition.
        owner: String,
        /// The cycle: `A.b -> B.a -> A`.
        path: String,
    },
    /// A method without an object that it is called on.
    #[error("{owner}: the first parameter is {}; expected 'ManagedObjectReference _this r', or _this:<member of ServiceContent>", .found.as_deref().unwrap_or("missing"))]
    This {
        /// The definition.
        owner: String,
        /// The first parameter.
        found: Option<String>,
    },
}

/// The hint with the nearest name, if there is one.
fn hint(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map(|name| format!(" (did you mean '{name}'?)"))
        .unwrap_or_default()
}

/// The words with "a" or "an" before them.
fn article(words: &str) -> String {
    let article = if words.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {words}")
}
