//! Checks a parsed description for mistakes.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use crate::error::{Mistake, MistakeKind};
use crate::grammar::{Keyword, Occurrence, Predefined};
use crate::model::{Description, Method, Object, Type};
use crate::names::{field_name, nearest, type_name, variant_name};
use crate::parse::RETURNED;
use crate::shape::{Meaning, Shape};

/// All mistakes other than those of grammar.
pub(crate) fn check(description: &Description) -> Vec<Mistake> {
    let mut check = Check {
        shape: Shape::of(description),
        mistakes: Vec::new(),
    };
    check.families();
    check.sections();
    check.definitions();
    check.enums();
    for object in description
        .objects
        .iter()
        .chain(&description.managed_objects)
    {
        check.base(object);
        check.members(object);
    }
    for method in &description.methods {
        check.method(method);
    }
    check.required_cycles();
    check.mistakes
}

struct Check<'a> {
    shape: Shape<'a>,
    mistakes: Vec<Mistake>,
}

/// A name, its line and its owner.
struct Named<'a> {
    line: usize,
    name: &'a str,
    title: String,
}

impl<'a> Check<'a> {
    fn mistake(&mut self, line: usize, kind: MistakeKind) {
        self.mistakes.push(Mistake { line, kind });
    }

    fn families(&mut self) {
        let families = &self.shape.description.families;
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for family in families {
            let (line, name) = (family.line, &family.name);
            let letters = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
            let is_name = name.starts_with(|first: char| first.is_ascii_lowercase())
                && name.chars().all(letters);
            if !is_name || RESERVED.contains(&name.as_str()) {
                let (name, reserved) = (name.clone(), RESERVED.join(", "));
                self.mistake(line, MistakeKind::FamilyName { name, reserved });
            }
            if let Some(&first) = seen.get(name.as_str()) {
                let name = name.clone();
                self.mistake(line, MistakeKind::FamilyTwice { name, first });
            }
            seen.entry(name).or_insert(line);
            for needed in &family.needs {
                let mut names = families.iter().map(|family| family.name.as_str());
                if !names.clone().any(|known| known == needed) {
                    let kind = MistakeKind::UnknownFamily {
                        name: name.clone(),
                        needed: needed.clone(),
                        nearest: nearest(needed, names.by_ref()),
                    };
                    self.mistake(line, kind);
                }
            }
        }
    }

    fn sections(&mut self) {
        let mut seen: HashMap<(Option<&str>, &str), usize> = HashMap::new();
        for section in &self.shape.description.sections {
            let (line, name) = (section.line, &section.name);
            let letters = |letter: char| {
                letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_'
            };
            if !name.chars().all(letters) {
                let name = name.clone();
                self.mistake(line, MistakeKind::SectionName { name });
            }
            match seen.entry((section.family.as_deref(), name)) {
                Entry::Occupied(first) => {
                    let (name, first) = (name.clone(), *first.get());
                    self.mistake(line, MistakeKind::SectionTwice { name, first });
                }
                Entry::Vacant(free) => {
                    free.insert(line);
                }
            }
        }
    }

    /// A required type must be compiled wherever its owner is.
    fn is_at_hand(&mut self, owner: &str, of: Option<&str>, name: &str, line: usize, ty: &str) {
        let Some(family) = self.shape.family_of_type(ty) else {
            return;
        };
        self.is_reachable(owner, of, name, line, ty, family);
    }

    fn is_reachable(
        &mut self,
        owner: &str,
        of: Option<&str>,
        name: &str,
        line: usize,
        ty: &str,
        family: &str,
    ) {
        if !self.shape.has(of, family) {
            let kind = MistakeKind::OutOfFamily {
                owner: owner.to_owned(),
                name: name.to_owned(),
                ty: ty.to_owned(),
                family: family.to_owned(),
            };
            self.mistake(line, kind);
        }
    }

    /// Names of types are unique, names of methods among themselves as well.
    fn definitions(&mut self) {
        let description = self.shape.description;
        let objects = description
            .objects
            .iter()
            .chain(&description.managed_objects);
        let mut types: Vec<Named<'a>> = objects
            .map(|object| Named {
                line: object.line,
                name: &object.name,
                title: object.title(),
            })
            .chain(description.enums.iter().map(|definition| Named {
                line: definition.line,
                name: &definition.name,
                title: definition.title(),
            }))
            .collect();
        types.sort_by_key(|named| named.line);
        for named in &types {
            if Predefined::parse(named.name).is_some() {
                let owner = named.title.clone();
                self.mistake(named.line, MistakeKind::Predefined { owner });
            }
        }
        let methods = description.methods.iter().map(|method| Named {
            line: method.line,
            name: &method.name,
            title: method.title(),
        });
        self.unique_definitions(types, "types");
        self.unique_definitions(methods.collect(), "methods");
    }

    fn unique_definitions(&mut self, all: Vec<Named<'a>>, what: &str) {
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let mut in_rust: HashMap<String, (&str, usize)> = HashMap::new();
        for Named { line, name, title } in all {
            if !is_name(name) {
                let name = name.to_owned();
                self.mistake(line, MistakeKind::NotAName { owner: title, name });
                continue;
            }
            if let Some(&first) = seen.get(name) {
                self.mistake(
                    line,
                    MistakeKind::DefinedTwice {
                        owner: title,
                        first,
                    },
                );
                continue;
            }
            seen.insert(name, line);
            let rust = type_name(name);
            if let Some(&(other, first)) = in_rust.get(&rust) {
                let kind = same_in_rust(what.to_owned(), name, other, first, rust);
                self.mistake(line, kind);
                continue;
            }
            in_rust.insert(rust, (name, line));
        }
    }

    fn enums(&mut self) {
        for definition in &self.shape.description.enums {
            let mut seen: HashMap<&str, usize> = HashMap::new();
            let mut in_rust: HashMap<String, (&str, usize)> = HashMap::new();
            for value in &definition.values {
                let (line, name) = (value.line, value.name.as_str());
                let owner = definition.title();
                if let Some(&first) = seen.get(name) {
                    let name = name.to_owned();
                    self.mistake(line, MistakeKind::ValueTwice { owner, name, first });
                    continue;
                }
                seen.insert(name, line);
                let rust = variant_name(name);
                if !is_name(&rust) {
                    let name = name.to_owned();
                    self.mistake(line, MistakeKind::NotAName { owner, name });
                } else if let Some(&(other, first)) = in_rust.get(&rust) {
                    self.mistake(line, same_in_rust(owner, name, other, first, rust));
                } else {
                    in_rust.insert(rust, (name, line));
                }
            }
        }
    }

    fn base(&mut self, object: &'a Object) {
        let Some(name) = &object.extends else { return };
        let description = self.shape.description;
        let owner = object.title();
        let (wanted, known) = match object.keyword {
            Keyword::ManagedObject => ("managed object", &description.managed_objects),
            Keyword::Fault => ("fault", &description.objects),
            _ => ("object", &description.objects),
        };
        let same_kind = |base: &&Object| base.keyword == object.keyword;
        if self.shape.base(object).filter(same_kind).is_none() {
            let candidates = known
                .iter()
                .filter(same_kind)
                .map(|base| base.name.as_str());
            let nearest = nearest(name, candidates.filter(|base| *base != object.name));
            let base = name.clone();
            let kind = MistakeKind::UnknownBase {
                owner,
                base,
                wanted,
                nearest,
            };
            return self.mistake(object.line, kind);
        }
        if let Some(base) = self.shape.base(object)
            && let Some(family) = &base.family
        {
            let of = object.family.as_deref();
            self.is_reachable(&owner, of, BASE, object.line, &base.name, family);
        }
        let ancestors = self.shape.ancestors(object);
        let last = ancestors.last().copied().unwrap_or(object);
        // Each class of a cycle is checked here; the first one of the file reports it.
        let is_first = ancestors
            .iter()
            .all(|ancestor| object.line <= ancestor.line);
        if is_first && last.extends.as_deref() == Some(&object.name) {
            let mut path = vec![object.name.as_str()];
            path.extend(ancestors.iter().map(|ancestor| ancestor.name.as_str()));
            path.push(&object.name);
            let path = path.join(" -> ");
            self.mistake(object.line, MistakeKind::BaseCycle { owner, path });
        }
    }

    fn members(&mut self, object: &'a Object) {
        let owner = object.title();
        let mut seen: HashMap<&str, (&Object, usize)> = HashMap::new();
        for ancestor in self.shape.ancestors(object) {
            for member in &ancestor.members {
                seen.entry(&member.name).or_insert((ancestor, member.line));
            }
        }
        let mut in_rust: HashMap<String, (&str, usize)> = HashMap::new();
        for member in &object.members {
            let name = member.name.as_str();
            self.name(&owner, member.line, name);
            if member.ty.occurrence != Occurrence::Ignored {
                self.ty(&owner, name, member.line, &member.ty);
            }
            if is_required(&member.ty) && object.keyword != Keyword::ManagedObject {
                let of = object.family.as_deref();
                self.is_at_hand(&owner, of, name, member.line, &member.ty.name);
            }
            if let Some(&(other, first)) = seen.get(name) {
                let (owner, name, other) = (owner.clone(), name.to_owned(), other.title());
                self.mistake(
                    member.line,
                    MistakeKind::MemberTwice {
                        owner,
                        name,
                        other,
                        first,
                    },
                );
                continue;
            }
            seen.insert(name, (object, member.line));
            self.unique_in_rust(&mut in_rust, &owner, member.line, name);
        }
    }

    fn method(&mut self, method: &'a Method) {
        let owner = method.title();
        self.this(method);
        let mut seen: HashMap<&str, usize> = HashMap::new();
        let mut in_rust: HashMap<String, (&str, usize)> = HashMap::new();
        for (index, parameter) in method.parameters.iter().enumerate() {
            let name = parameter.name.as_str();
            if index > 0 || method.bound_to().is_none() {
                self.name(&owner, parameter.line, name);
            }
            self.ty(&owner, name, parameter.line, &parameter.ty);
            if is_required(&parameter.ty) {
                let of = method.family.as_deref();
                self.is_at_hand(&owner, of, name, parameter.line, &parameter.ty.name);
            }
            if let Some(&first) = seen.get(name) {
                let (owner, name, other) = (owner.clone(), name.to_owned(), owner.clone());
                self.mistake(
                    parameter.line,
                    MistakeKind::MemberTwice {
                        owner,
                        name,
                        other,
                        first,
                    },
                );
                continue;
            }
            seen.insert(name, parameter.line);
            self.unique_in_rust(&mut in_rust, &owner, parameter.line, name);
        }
        if let Some(returns) = &method.returns {
            self.ty(&owner, RETURNED, method.line, returns);
            let of = method.family.as_deref();
            self.is_at_hand(&owner, of, RETURNED, method.line, &returns.name);
        }
        if let Some(result) = &method.result {
            self.ty(&owner, RESULT, method.result_line, result);
            let of = method.family.as_deref();
            self.is_at_hand(&owner, of, RESULT, method.result_line, &result.name);
        }
        for fault in &method.throws {
            self.fault(&owner, fault.line, &fault.name);
        }
    }

    fn this(&mut self, method: &Method) {
        let first = method.parameters.first();
        let is_right = first.is_some_and(|first| {
            (first.name == "_this" || method.bound_to().is_some_and(|member| !member.is_empty()))
                && first.ty.name == Predefined::ManagedObjectReference.name()
                && first.ty.occurrence == Occurrence::Required
        });
        if !is_right {
            let found = first.map(|first| format!("'{} {}'", first.ty.name, first.name));
            let line = first.map_or(method.line, |first| first.line);
            self.mistake(
                line,
                MistakeKind::This {
                    owner: method.title(),
                    found,
                },
            );
        }
    }

    fn name(&mut self, owner: &str, line: usize, name: &str) {
        if !is_name(name) {
            let (owner, name) = (owner.to_owned(), name.to_owned());
            self.mistake(line, MistakeKind::NotAName { owner, name });
        }
    }

    fn unique_in_rust(
        &mut self,
        in_rust: &mut HashMap<String, (&'a str, usize)>,
        owner: &str,
        line: usize,
        name: &'a str,
    ) {
        let rust = field_name(name);
        if let Some(&(other, first)) = in_rust.get(&rust) {
            return self.mistake(
                line,
                same_in_rust(owner.to_owned(), name, other, first, rust),
            );
        }
        in_rust.insert(rust, (name, line));
    }

    fn fault(&mut self, owner: &str, line: usize, name: &str) {
        let found = self.shape.object(name);
        if found.is_some_and(|object| object.keyword == Keyword::Fault) {
            return;
        }
        let faults = self.shape.description.objects.iter();
        let faults = faults.filter(|object| object.keyword == Keyword::Fault);
        let kind = MistakeKind::UnknownFault {
            owner: owner.to_owned(),
            fault: name.to_owned(),
            is_object: found.is_some(),
            nearest: nearest(name, faults.map(|fault| fault.name.as_str())),
        };
        self.mistake(line, kind);
    }

    fn ty(&mut self, owner: &str, name: &str, line: usize, ty: &Type) {
        let Some(meaning) = self.shape.meaning(&ty.name) else {
            let description = self.shape.description;
            let mut known: Vec<&str> = Predefined::ALL.into_iter().map(Predefined::name).collect();
            known.extend(
                description
                    .objects
                    .iter()
                    .map(|object| object.name.as_str()),
            );
            known.extend(
                description
                    .enums
                    .iter()
                    .map(|definition| definition.name.as_str()),
            );
            let kind = MistakeKind::UnknownType {
                owner: owner.to_owned(),
                name: name.to_owned(),
                ty: ty.name.clone(),
                nearest: nearest(&ty.name, known),
            };
            return self.mistake(line, kind);
        };
        let predefined = match meaning {
            Meaning::Predefined(predefined) => Some(predefined),
            Meaning::Enum(_) | Meaning::Object(_) => None,
        };
        let is_string = predefined == Some(Predefined::String);
        let is_reference = predefined == Some(Predefined::ManagedObjectReference);
        let is_optional = matches!(
            ty.occurrence,
            Occurrence::Optional | Occurrence::OptionalList
        );
        let annotations = &ty.annotations;
        let fits = [
            (
                "to",
                annotations.to.is_some(),
                is_reference,
                "ManagedObjectReference",
            ),
            ("link", annotations.link.is_some(), is_string, "String"),
            ("names", annotations.names.is_some(), is_string, "String"),
            (
                "holds",
                annotations.holds.is_some(),
                predefined.is_none(),
                "an object that holds a fault",
            ),
            (
                "required",
                annotations.required,
                is_optional,
                "what is o or ol",
            ),
        ];
        for (annotation, given, fits, expected) in fits {
            if given && !fits {
                let kind = MistakeKind::AnnotationMisplaced {
                    owner: owner.to_owned(),
                    annotation,
                    name: name.to_owned(),
                    found: ty.name.clone(),
                    expected,
                };
                self.mistake(line, kind);
            }
        }
        self.target(
            owner,
            line,
            "to",
            annotations.to.as_deref(),
            Keyword::ManagedObject,
        );
        self.target(
            owner,
            line,
            "link",
            annotations.link.as_deref(),
            Keyword::Object,
        );
        self.target(
            owner,
            line,
            "holds",
            annotations.holds.as_deref(),
            Keyword::Fault,
        );
    }

    /// An annotation may name a definition that the description lacks, but not one of another kind.
    fn target(
        &mut self,
        owner: &str,
        line: usize,
        annotation: &'static str,
        name: Option<&str>,
        wanted: Keyword,
    ) {
        let Some(name) = name else { return };
        let found = match (self.shape.object(name), self.shape.managed_object(name)) {
            (Some(object), _) | (None, Some(object)) => object.keyword,
            (None, None) if self.shape.enumeration(name).is_some() => Keyword::Enum,
            (None, None) => return,
        };
        if found != wanted {
            let expected = match wanted {
                Keyword::ManagedObject => "managed object",
                Keyword::Fault => "fault",
                _ => "object",
            };
            let (owner, target) = (owner.to_owned(), name.to_owned());
            let found = format!("the {found} of that name");
            let kind = MistakeKind::WrongTarget {
                owner,
                annotation,
                target,
                found,
                expected,
            };
            self.mistake(line, kind);
        }
    }

    /// Objects that hold themselves in required properties, their own or inherited ones.
    ///
    /// Everything optional is boxed and lists are on the heap, so these cycles are also the only ones
    /// that would make a type infinitely large.
    fn required_cycles(&mut self) {
        let description = self.shape.description;
        let mut done = HashSet::new();
        for object in &description.objects {
            let mut path = Vec::new();
            self.walk_required(object, &mut path, &mut done);
        }
    }

    fn walk_required(
        &mut self,
        object: &'a Object,
        path: &mut Vec<(&'a Object, String)>,
        done: &mut HashSet<&'a str>,
    ) {
        if let Some(start) = path.iter().position(|(known, _)| known.name == object.name) {
            let mut steps: Vec<&str> = path[start..]
                .iter()
                .map(|(_, step)| step.as_str())
                .collect();
            steps.push(&object.name);
            let (owner, path) = (object.title(), steps.join(" -> "));
            return self.mistake(object.line, MistakeKind::RequiredCycle { owner, path });
        }
        if done.contains(object.name.as_str()) {
            return;
        }
        let mut holders = vec![object];
        holders.extend(self.shape.ancestors(object));
        for holder in holders {
            for member in &holder.members {
                if let Some(required) = self.shape.required_object(member) {
                    path.push((object, format!("{}.{}", object.name, member.name)));
                    self.walk_required(required, path, done);
                    path.pop();
                }
            }
        }
        done.insert(&object.name);
    }
}

/// Names that families must not have: other features, and modules of generated code.
const RESERVED: [&str; 6] = ["api", "core", "default", "full", "serde", "std"];

/// What a base class is called in mistakes.
const BASE: &str = "its base class";

/// What a task's result is called in mistakes.
const RESULT: &str = "its result";

fn is_required(ty: &Type) -> bool {
    matches!(
        ty.occurrence,
        Occurrence::Required | Occurrence::RequiredList
    )
}

fn same_in_rust(owner: String, name: &str, other: &str, first: usize, rust: String) -> MistakeKind {
    let (name, other) = (name.to_owned(), other.to_owned());
    MistakeKind::SameInRust {
        owner,
        name,
        other,
        first,
        rust,
    }
}

fn is_name(name: &str) -> bool {
    let name = name.strip_prefix("r#").unwrap_or(name);
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        && name.chars().any(|letter| letter.is_ascii_alphanumeric())
}
