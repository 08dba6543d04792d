//! Which objects, and which of their properties, a filter specification is about.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use vi_types::objects::{ObjectSpec, PropertyFilterSpec, SelectionSpec, TraversalSpec};
use vi_types::{Field, ManagedObjectReference, Object, ObjectInfo, Poly, SoapFault, View, path};

use super::reading::{Scope, Seen};
use crate::fault;
use crate::version::ApiVersion;
use crate::world::inventory::managers;

/// A `PropertyFilterSpec` with its names resolved.
pub(crate) struct Selection {
    properties: Vec<Properties>,
    roots: Vec<Root>,
    traversals: Vec<Traversal>,
    /// Whether objects that don't exist are reported instead of failing the call.
    pub(crate) reports_missing: bool,
}

/// The properties of one type.
struct Properties {
    ty: String,
    all: bool,
    paths: Vec<String>,
}

/// An object to begin at.
struct Root {
    object: ManagedObjectReference,
    skip: bool,
    next: Vec<usize>,
}

/// A step from objects of a type to those that a property of them refers to.
struct Traversal {
    ty: String,
    path: String,
    skip: bool,
    next: Vec<usize>,
}

/// What to read of an object.
pub(crate) enum Wanted<'a> {
    /// Every property that is set.
    All,
    /// These.
    Paths(Vec<&'a str>),
}

impl Selection {
    /// Resolves the names in a specification; a property that no object of its type can have is an
    /// `InvalidProperty` fault.
    pub(crate) fn compile(
        spec: &PropertyFilterSpec,
        version: ApiVersion,
    ) -> Result<Self, SoapFault> {
        let mut traversals = Traversals::default();
        for object in &spec.object_set {
            traversals.declare(&object.select_set)?;
        }
        let roots = spec
            .object_set
            .iter()
            .map(|object| traversals.root(object))
            .collect::<Result<_, _>>()?;
        let traversals = traversals.resolve()?;
        for traversal in &traversals {
            check(&traversal.ty, &traversal.path, version)?;
        }
        let mut properties = Vec::new();
        for wanted in &spec.prop_set {
            for path in &wanted.path_set {
                check(&wanted.r#type, path, version)?;
            }
            properties.push(Properties {
                ty: wanted.r#type.clone(),
                all: wanted.all.unwrap_or_default(),
                paths: wanted.path_set.clone(),
            });
        }
        Ok(Self {
            properties,
            roots,
            traversals,
            reports_missing: spec.report_missing_objects_in_results.unwrap_or_default(),
        })
    }

    /// Whether it goes beyond the objects it names.
    pub(crate) fn traverses(&self) -> bool {
        !self.traversals.is_empty()
    }

    /// The objects there are, each once, in the order they are met, and the ones that were named but are
    /// not there.
    pub(crate) fn objects(
        &self,
        scope: &Scope<'_>,
    ) -> (Vec<ManagedObjectReference>, Vec<ManagedObjectReference>) {
        let mut found = Found::default();
        let missing = self.walk_to(scope, &mut found);
        (found.objects, missing)
    }

    /// The same, with the way that leads to them.
    pub(crate) fn walk(&self, scope: &Scope<'_>) -> Walk {
        let mut found = Found {
            way: Some(Way::default()),
            ..Found::default()
        };
        let missing = self.walk_to(scope, &mut found);
        let mut way = found.way.unwrap_or_default();
        way.absent.extend(missing.iter().cloned());
        Walk {
            objects: found.objects,
            missing,
            way,
        }
    }

    /// Whether the steps from an object that was on the way lead elsewhere now.
    pub(crate) fn leads_elsewhere(
        &self,
        scope: &Scope<'_>,
        object: &ManagedObjectReference,
        steps: &[(usize, u64)],
    ) -> bool {
        let Some(state) = scope.object(object).filter(|_| !steps.is_empty()) else {
            return !steps.is_empty();
        };
        let mut steps = steps.iter();
        steps.any(|(index, targets)| {
            let mut now = DefaultHasher::new();
            let traversal = &self.traversals[*index];
            targets_of(scope, object, state.as_object(), traversal, |target| {
                target.hash(&mut now);
            });
            now.finish() != *targets
        })
    }

    fn walk_to(&self, scope: &Scope<'_>, found: &mut Found) -> Vec<ManagedObjectReference> {
        let mut missing = Vec::new();
        for root in &self.roots {
            if !scope.exists(&root.object) {
                missing.push(root.object.clone());
                continue;
            }
            self.visit(scope, &root.object, root.skip, &root.next, found);
        }
        missing
    }

    /// What to read of an object; `None` when its type is not asked for.
    pub(crate) fn wanted(&self, info: &ObjectInfo) -> Option<Wanted<'_>> {
        let mut paths = Vec::new();
        let mut asked = false;
        for properties in &self.properties {
            if !info.is_a(&properties.ty) {
                continue;
            }
            if properties.all {
                return Some(Wanted::All);
            }
            asked = true;
            for path in &properties.paths {
                if !paths.contains(&path.as_str()) {
                    paths.push(path);
                }
            }
        }
        asked.then_some(Wanted::Paths(paths))
    }

    fn visit(
        &self,
        scope: &Scope<'_>,
        object: &ManagedObjectReference,
        skip: bool,
        next: &[usize],
        found: &mut Found,
    ) {
        // A stack of its own: real inventories are shallow, hostile specifications need not be.
        let mut ahead = vec![(object.clone(), skip, next)];
        while let Some((object, skip, next)) = ahead.pop() {
            let Some(seen) = scope.object(&object) else {
                if let Some(way) = &mut found.way {
                    way.absent.insert(object);
                }
                continue;
            };
            if let Some(way) = &mut found.way
                && !way.steps.contains_key(&object)
            {
                way.steps.insert(object.clone(), Vec::new());
                if matches!(seen, Seen::Made(_)) {
                    way.made.push(object.clone());
                }
            }
            let state = seen.as_object();
            if !skip && self.wanted(state.info()).is_some() && found.known.insert(object.clone()) {
                found.objects.push(object.clone());
            }
            let below = ahead.len();
            for &index in next {
                let traversal = &self.traversals[index];
                if !state.info().is_a(&traversal.ty)
                    || !found.visited.insert((object.clone(), index))
                {
                    continue;
                }
                let mut targets = found.way.is_some().then(DefaultHasher::new);
                targets_of(scope, &object, state, traversal, |target| {
                    ahead.push((target.clone(), traversal.skip, &traversal.next));
                    if let Some(targets) = &mut targets {
                        target.hash(targets);
                    }
                });
                if let (Some(way), Some(targets)) = (&mut found.way, targets) {
                    let steps = way.steps.entry(object.clone()).or_default();
                    steps.push((index, targets.finish()));
                }
            }
            ahead[below..].reverse();
        }
    }
}

/// Where a selection leads to.
pub(crate) struct Walk {
    /// The objects there are, each once, in the order they are met.
    pub(crate) objects: Vec<ManagedObjectReference>,
    /// The ones that were named but are not there.
    pub(crate) missing: Vec<ManagedObjectReference>,
    pub(crate) way: Way,
}

/// The objects that a walk comes by. As long as their steps lead to the same objects, another walk finds the same.
#[derive(Default)]
pub(crate) struct Way {
    /// The numbers of the steps from each object, with hashes of the references that they lead to.
    pub(crate) steps: HashMap<ManagedObjectReference, Vec<(usize, u64)>>,
    /// Objects that references lead to, but that are not there.
    pub(crate) absent: HashSet<ManagedObjectReference>,
    /// Objects whose properties are made for the occasion, so that nobody knows when they change.
    pub(crate) made: Vec<ManagedObjectReference>,
}

/// The progress of a walk.
#[derive(Default)]
struct Found {
    objects: Vec<ManagedObjectReference>,
    known: HashSet<ManagedObjectReference>,
    /// Steps that were taken: the same step from the same object leads nowhere new.
    visited: HashSet<(ManagedObjectReference, usize)>,
    /// The way, if somebody wants to know it.
    way: Option<Way>,
}

/// The references that a step leads to, if the caller may know them.
fn targets_of(
    scope: &Scope<'_>,
    object: &ManagedObjectReference,
    state: &dyn Object,
    traversal: &Traversal,
    mut found: impl FnMut(&ManagedObjectReference),
) {
    if scope.may_read(object, &traversal.path)
        && let Ok(view) = path::get(state, &traversal.path)
    {
        each_reference(view, &mut found);
    }
}

fn each_reference(view: View<'_>, found: &mut impl FnMut(&ManagedObjectReference)) {
    match view {
        View::Moref(reference) => found(reference),
        View::List(list) => {
            (0..list.len()).for_each(|index| each_reference(list.item(index), found));
        }
        _ => {}
    }
}

/// The traversals of a specification while their names are being resolved.
#[derive(Default)]
struct Traversals<'a> {
    declared: Vec<&'a TraversalSpec>,
    names: HashMap<&'a str, usize>,
}

impl<'a> Traversals<'a> {
    /// Numbers the traversals in a list of selections, and those within them.
    fn declare(&mut self, selections: &'a [Poly<SelectionSpec>]) -> Result<(), SoapFault> {
        for selection in selections {
            let Some(traversal) = selection.cast::<TraversalSpec>() else {
                continue;
            };
            if let Some(name) = &selection.name
                && self.names.insert(name, self.declared.len()).is_some()
            {
                return Err(fault::invalid_argument("specSet.objectSet.selectSet.name"));
            }
            self.declared.push(traversal);
            self.declare(&traversal.select_set)?;
        }
        Ok(())
    }

    fn root(&self, spec: &'a ObjectSpec) -> Result<Root, SoapFault> {
        Ok(Root {
            object: spec.obj.clone(),
            skip: spec.skip.unwrap_or_default(),
            next: self.indexes(&spec.select_set)?,
        })
    }

    fn resolve(&self) -> Result<Vec<Traversal>, SoapFault> {
        self.declared
            .iter()
            .map(|spec| {
                Ok(Traversal {
                    ty: spec.r#type.clone(),
                    path: spec.path.clone(),
                    skip: spec.skip.unwrap_or_default(),
                    next: self.indexes(&spec.select_set)?,
                })
            })
            .collect()
    }

    /// The numbers of the traversals that a list of selections holds or names.
    fn indexes(&self, selections: &'a [Poly<SelectionSpec>]) -> Result<Vec<usize>, SoapFault> {
        let unknown = || fault::invalid_argument("specSet.objectSet.selectSet");
        selections
            .iter()
            .map(|selection| match selection.cast::<TraversalSpec>() {
                Some(traversal) => {
                    let mut declared = self.declared.iter();
                    let index = declared.position(|one| std::ptr::eq(*one, traversal));
                    index.ok_or_else(unknown)
                }
                None => {
                    let name = selection.name.as_deref().ok_or_else(unknown)?;
                    self.names.get(name).copied().ok_or_else(unknown)
                }
            })
            .collect()
    }
}

/// Whether objects of a type can have a property, in this version of the API.
pub(crate) fn check(ty: &str, property: &str, version: ApiVersion) -> Result<(), SoapFault> {
    let registry = vi_types::registry();
    // Of types the simulator has no objects of, nothing is known but that they may be asked for.
    let Some(mut info) = managers::info(ty).or_else(|| registry.object(ty)) else {
        return Ok(());
    };
    let invalid = || fault::invalid_property(property);
    let mut steps = path::steps(property).peekable();
    while let Some(step) = steps.next() {
        let (name, key) = match step.split_once('[') {
            Some((name, key)) => (name, Some(key)),
            None => (step, None),
        };
        let field = field(info, name).ok_or_else(invalid)?;
        if key.is_some_and(|key| !field.occurrence.is_list() || !is_key(key)) {
            return Err(invalid());
        }
        let since = if field.since.is_empty() {
            "2.0"
        } else {
            field.since
        };
        if ApiVersion::since(since) > version {
            return Err(invalid());
        }
        if steps.peek().is_some() {
            info = registry.object(field.ty).ok_or_else(invalid)?;
        }
    }
    Ok(())
}

/// Whether this is the rest of a step behind the bracket: a number, or a text in quotes.
fn is_key(rest: &str) -> bool {
    let key = rest.strip_suffix(']').unwrap_or_default();
    let quoted = key.strip_prefix('"').and_then(|key| key.strip_suffix('"'));
    quoted.is_some() || key.parse::<i64>().is_ok()
}

/// A field of a type, or of one of its descendants.
fn field(info: &'static ObjectInfo, name: &str) -> Option<&'static Field> {
    let own = |info: &'static ObjectInfo| info.all_fields().find(|field| field.name == name);
    own(info).or_else(|| {
        let objects = vi_types::registry().objects.iter();
        let mut descendants = objects.filter(|one| one.is_a(info.name));
        descendants.find_map(|one| own(one))
    })
}
