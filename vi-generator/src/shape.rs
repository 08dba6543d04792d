//! Facts derived from a description: the meaning of names, base classes, and containment.

use std::collections::{HashMap, HashSet};

use crate::grammar::{Occurrence, Predefined};
use crate::model::{Description, Enum, Member, Object, Type};

/// A description with its names resolved.
pub(crate) struct Shape<'a> {
    pub(crate) description: &'a Description,
    enums: HashMap<&'a str, &'a Enum>,
    objects: HashMap<&'a str, &'a Object>,
    managed_objects: HashMap<&'a str, &'a Object>,
    /// All families that are compiled with each family: itself, and the families it needs, directly or not.
    families: HashMap<&'a str, HashSet<&'a str>>,
    /// The names of base classes.
    bases: HashSet<&'a str>,
    /// The names of the types of all properties, parameters and results.
    declared: HashSet<&'a str>,
}

/// The meaning of a type's name.
#[derive(Clone, Copy)]
pub(crate) enum Meaning<'a> {
    Predefined(Predefined),
    Enum(&'a Enum),
    Object(&'a Object),
}

impl<'a> Shape<'a> {
    pub(crate) fn of(description: &'a Description) -> Self {
        // The first definition of a name counts; a second one is a mistake that is reported elsewhere.
        fn by_name<T>(all: &[T], name: fn(&T) -> &str) -> HashMap<&str, &T> {
            all.iter()
                .rev()
                .map(|definition| (name(definition), definition))
                .collect()
        }
        Self {
            description,
            enums: by_name(&description.enums, |definition| &definition.name),
            objects: by_name(&description.objects, |definition| &definition.name),
            managed_objects: by_name(&description.managed_objects, |definition| &definition.name),
            families: families(description),
            bases: description
                .objects
                .iter()
                .filter_map(|object| object.extends.as_deref())
                .collect(),
            declared: positions(description).map(|ty| ty.name.as_str()).collect(),
        }
    }

    pub(crate) fn meaning(&self, name: &str) -> Option<Meaning<'a>> {
        if let Some(object) = self.objects.get(name) {
            return Some(Meaning::Object(object));
        }
        if let Some(definition) = self.enums.get(name) {
            return Some(Meaning::Enum(definition));
        }
        if name == Predefined::MethodFault.name() {
            return Some(Meaning::Predefined(Predefined::MethodFault));
        }
        Predefined::parse(name).map(Meaning::Predefined)
    }

    pub(crate) fn object(&self, name: &str) -> Option<&'a Object> {
        self.objects.get(name).copied()
    }

    pub(crate) fn enumeration(&self, name: &str) -> Option<&'a Enum> {
        self.enums.get(name).copied()
    }

    pub(crate) fn managed_object(&self, name: &str) -> Option<&'a Object> {
        self.managed_objects.get(name).copied()
    }

    /// Whether a position of this type may hold other types as well.
    pub(crate) fn is_polymorphic(&self, object: &Object) -> bool {
        self.bases.contains(object.name.as_str())
    }

    /// The base class of an object, or of a managed object.
    pub(crate) fn base(&self, of: &Object) -> Option<&'a Object> {
        let base = of.extends.as_deref()?;
        match of.keyword {
            crate::grammar::Keyword::ManagedObject => self.managed_object(base),
            _ => self.object(base),
        }
    }

    /// The base classes, nearest first; stops where a class would come twice.
    pub(crate) fn ancestors(&self, of: &Object) -> Vec<&'a Object> {
        let mut ancestors: Vec<&Object> = Vec::new();
        let mut next = self.base(of);
        while let Some(object) = next {
            if object.name == of.name || ancestors.iter().any(|known| known.name == object.name) {
                break;
            }
            ancestors.push(object);
            next = self.base(object);
        }
        ancestors
    }

    /// The managed objects that descend from `of`, sorted by name.
    pub(crate) fn managed_descendants(&self, of: &Object) -> Vec<&'a Object> {
        let mut descendants: Vec<&Object> = self.description.managed_objects.iter().collect();
        descendants.retain(|object| {
            let mut ancestors = self.ancestors(object).into_iter();
            ancestors.any(|ancestor| ancestor.name == of.name)
        });
        descendants.sort_by(|left, right| left.name.cmp(&right.name));
        descendants
    }

    /// The object and its ancestors, nearest first, as far as a position is declared that may hold them or any
    /// of their descendants.
    pub(crate) fn declared_bases(&self, of: &'a Object) -> Vec<&'a Object> {
        let mut bases = self.ancestors(of);
        bases.insert(0, of);
        bases.retain(|object| {
            self.is_polymorphic(object) && self.declared.contains(object.name.as_str())
        });
        bases
    }

    /// The nearest ancestor that positions are declared with, of an object that inherits no properties.
    pub(crate) fn declared_base(&self, of: &'a Object) -> Option<&'a Object> {
        if self.inherited(of) > 0 {
            return None;
        }
        let mut bases = self.declared_bases(of).into_iter();
        bases.find(|object| object.name != of.name)
    }

    /// How many properties an object inherits.
    pub(crate) fn inherited(&self, of: &Object) -> usize {
        self.ancestors(of)
            .iter()
            .map(|ancestor| ancestor.stored().count())
            .sum()
    }

    /// The base class if it has properties of its own or inherited ones, so that it is worth a field.
    pub(crate) fn embedded_base(&self, of: &Object) -> Option<&'a Object> {
        let base = self.base(of)?;
        (self.inherited(of) > 0).then_some(base)
    }

    /// The family of the type with that name.
    pub(crate) fn family_of_type(&self, name: &str) -> Option<&'a str> {
        match self.meaning(name)? {
            Meaning::Object(object) => object.family.as_deref(),
            Meaning::Enum(definition) => definition.family.as_deref(),
            Meaning::Predefined(_) => None,
        }
    }

    /// Whether the family `other` is always compiled with the family `owner`.
    pub(crate) fn has(&self, owner: Option<&str>, other: &str) -> bool {
        let with = owner.and_then(|owner| self.families.get(owner));
        with.is_some_and(|with| with.contains(other))
    }

    /// The object a property holds exactly once: a value of the owner can't exist without one of it.
    pub(crate) fn required_object(&self, member: &Member) -> Option<&'a Object> {
        match (member.ty.occurrence, self.meaning(&member.ty.name)) {
            (Occurrence::Required, Some(Meaning::Object(object))) => Some(object),
            _ => None,
        }
    }
}

/// The types of all properties, parameters and results.
fn positions(description: &Description) -> impl Iterator<Item = &Type> {
    let objects = description
        .objects
        .iter()
        .chain(&description.managed_objects);
    let members = objects.flat_map(Object::stored).map(|member| &member.ty);
    let methods = description.methods.iter();
    let parameters = methods.flat_map(|method| method.given().iter().map(|member| &member.ty));
    let results = description
        .methods
        .iter()
        .filter_map(|method| method.returns.as_ref());
    members.chain(parameters).chain(results)
}

/// Each family with all that it needs.
fn families(description: &Description) -> HashMap<&str, HashSet<&str>> {
    let needs: HashMap<&str, &Vec<String>> = description
        .families
        .iter()
        .map(|family| (family.name.as_str(), &family.needs))
        .collect();
    let with = |family| {
        let mut with = HashSet::from([family]);
        let mut open = vec![family];
        while let Some(next) = open.pop() {
            for needed in needs.get(next).into_iter().copied().flatten() {
                if with.insert(needed.as_str()) {
                    open.push(needed);
                }
            }
        }
        (family, with)
    };
    needs.keys().copied().map(with).collect()
}
