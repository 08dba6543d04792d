//! What can be wrong with a description.

use std::fmt;

use crate::grammar::Keyword;

/// All mistakes of a description.
///
/// Displayed as one line each, `file:line: mistake`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errors {
    /// What the description is called.
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
    /// What is wrong there.
    pub kind: MistakeKind,
}

/// What is wrong, and what would be right.
///
/// `owner` is the definition it is wrong in, with its keyword: `object VirtualDisk`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MistakeKind {
    /// Text outside of a definition that doesn't begin one.
    #[error("'{found}' begins no definition; expected enum, object, fault, managed object, method, family or section{}", hint(.nearest))]
    NotADefinition {
        /// The line's first word.
        found: String,
        /// The keyword that was probably meant.
        nearest: Option<String>,
    },
    /// A definition's first line is not as it should be.
    #[error("'{found}' is no beginning of a definition; expected '{}'", .keyword.header())]
    Header {
        /// The line.
        found: String,
        /// The definition's keyword.
        keyword: Keyword,
    },
    /// A line that should begin a family.
    #[error("'{found}' begins no family; expected 'family <name> [needs <family>...]'")]
    Family {
        /// The line.
        found: String,
    },
    /// A family's name that no feature can have, or that has a meaning of its own.
    #[error(
        "family {name} can't be called so; expected lower-case letters and digits, and none of {reserved}"
    )]
    FamilyName {
        /// The name.
        name: String,
        /// The names that mean something else.
        reserved: String,
    },
    /// A family that was begun before.
    #[error("family {name} is already begun in line {first}; keep its definitions together")]
    FamilyTwice {
        /// The name.
        name: String,
        /// The line of the first one.
        first: usize,
    },
    /// A line that should begin a section.
    #[error("'{found}' begins no section; expected 'section <name>'")]
    Section {
        /// The line.
        found: String,
    },
    /// A section's name that no module can have.
    #[error(
        "section {name} can't be called so; expected lower-case letters, digits and underscores"
    )]
    SectionName {
        /// The name.
        name: String,
    },
    /// A section that its family already has.
    #[error("section {name} is already begun in line {first}; keep its definitions together")]
    SectionTwice {
        /// The name.
        name: String,
        /// The line of the first one.
        first: usize,
    },
    /// A needed family that isn't there.
    #[error("family {name} needs the unknown family '{needed}'{}", hint(.nearest))]
    UnknownFamily {
        /// The family.
        name: String,
        /// What it needs.
        needed: String,
        /// The one that was probably meant.
        nearest: Option<String>,
    },
    /// A type that is not always there where it can't be done without.
    #[error(
        "{owner}: {name} can't do without {ty}, which is in the family {family}; move one of them, or let the one family need the other"
    )]
    OutOfFamily {
        /// The definition.
        owner: String,
        /// The property, the parameter, "its return value" or "its base class".
        name: String,
        /// The type.
        ty: String,
        /// The family that has it.
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
        "{owner}: '{found}' is no {what}; expected '<type> <name> <occurrence>' and annotations"
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
    #[error("{owner}: '{found}' is no value; expected one word, or '<value> since <version>'")]
    Value {
        /// The definition.
        owner: String,
        /// The line.
        found: String,
    },
    /// An occurrence that isn't one.
    #[error("{owner}: {name} has the unknown occurrence '{found}'; expected {expected}")]
    Occurrence {
        /// The definition.
        owner: String,
        /// The property, the parameter or "its return value".
        name: String,
        /// The text where the occurrence should be.
        found: String,
        /// The occurrences that are possible there.
        expected: &'static str,
    },
    /// A word that is no annotation.
    #[error("{owner}: '{found}' is no annotation{}; expected any of {expected}", hint(.nearest))]
    Annotation {
        /// The definition.
        owner: String,
        /// The word.
        found: String,
        /// The annotation that was probably meant.
        nearest: Option<String>,
        /// The annotations that are possible there.
        expected: String,
    },
    /// An annotation without the word that belongs to it.
    #[error("{owner}: '{annotation}' says nothing; expected '{annotation} <{value}>'")]
    AnnotationValue {
        /// The definition.
        owner: String,
        /// The annotation.
        annotation: &'static str,
        /// What belongs behind it.
        value: &'static str,
    },
    /// An annotation that was already given.
    #[error("{owner}: '{annotation}' is given twice; one is enough")]
    AnnotationTwice {
        /// The definition.
        owner: String,
        /// The annotation.
        annotation: &'static str,
    },
    /// An annotation on a type or occurrence it has no meaning for.
    #[error("{owner}: '{annotation}' does not fit {name}, a {found}; it is for {expected}")]
    AnnotationMisplaced {
        /// The definition.
        owner: String,
        /// The annotation.
        annotation: &'static str,
        /// The property or parameter.
        name: String,
        /// The type or occurrence it has.
        found: String,
        /// What it would have to be.
        expected: &'static str,
    },
    /// `throws`, `privilege` or `result` without anything, given twice, or with too much.
    #[error("{owner}: '{found}' is not complete or given twice; expected one line '{expected}'")]
    MethodLine {
        /// The definition.
        owner: String,
        /// The line.
        found: String,
        /// What the line should look like.
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
    /// An enum's value that it already has.
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
        /// The definition that has them, or what they are.
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
    /// A name that cannot be one in Rust.
    #[error(
        "{owner}: '{name}' is no name; expected letters, digits and '_', not beginning with a digit"
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
    /// A fault that is not defined, or an object that isn't one.
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
        /// What it is.
        found: String,
        /// What it should be.
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
    /// An object that cannot exist because it would have to hold itself.
    #[error(
        "{owner} requires itself: {path}; no value could exist, so one of these must be optional or a list"
    )]
    RequiredCycle {
        /// The definition.
        owner: String,
        /// The way back: `A.b -> B.a -> A`.
        path: String,
    },
    /// A method that isn't called on anything.
    #[error("{owner}: the first parameter is {}; expected 'ManagedObjectReference _this r', or _this:<member of ServiceContent>", .found.as_deref().unwrap_or("missing"))]
    This {
        /// The definition.
        owner: String,
        /// The first parameter.
        found: Option<String>,
    },
}

/// The question whether the nearest name was meant, where there is one.
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
