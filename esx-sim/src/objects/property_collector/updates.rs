//! What changed since a client last asked.

use std::collections::{HashMap, HashSet};

use vi_types::enums::{ObjectUpdateKind, PropertyChangeOp};
use vi_types::objects::{
    MissingObject, ObjectUpdate, PropertyChange, PropertyFilterUpdate, UpdateSet,
};
use vi_types::{Any, ManagedObjectReference, SoapFault, View};

use super::reading::{Scope, content};
use super::selection::Selection;
use crate::fault;

/// The filters of a collector, and how far its client is.
#[derive(Default)]
pub(crate) struct Collector {
    pub(crate) filters: Vec<Filter>,
    /// How often waiting was cancelled.
    pub(crate) cancels: u64,
    /// The version of the last answer.
    version: u64,
    /// The last answer, for a client that did not get it.
    last: Option<UpdateSet>,
}

impl Collector {
    /// What changed since the version that the client has; everything when it has none. `None` when
    /// nothing did.
    pub(crate) fn updates(
        &mut self,
        scope: &Scope<'_>,
        version: &str,
        most: Option<usize>,
    ) -> Result<Option<UpdateSet>, SoapFault> {
        match version {
            "" => self.filters.iter_mut().for_each(Filter::restart),
            known if known == self.version.to_string() => {}
            lost if self.version > 0 && lost == (self.version - 1).to_string() => {
                if let Some(last) = &self.last {
                    return Ok(Some(last.clone()));
                }
                return Err(fault::invalid_collector_version());
            }
            _ => return Err(fault::invalid_collector_version()),
        }
        let mut left = most.unwrap_or(usize::MAX);
        let filters: Vec<_> = self
            .filters
            .iter_mut()
            .filter_map(|filter| filter.update(scope, &mut left))
            .collect();
        if filters.is_empty() {
            return Ok(None);
        }
        self.version += 1;
        let is_behind = |filter: &Filter| filter.seen != Some(scope.world_version());
        let updates = UpdateSet {
            version: self.version.to_string(),
            filter_set: filters,
            truncated: self.filters.iter().any(is_behind).then_some(true),
            ..UpdateSet::default()
        };
        self.last = Some(updates.clone());
        Ok(Some(updates))
    }
}

/// A filter, and what its client knows.
pub(crate) struct Filter {
    pub(crate) reference: ManagedObjectReference,
    selection: Selection,
    partial: bool,
    /// The version of the world that the client knows completely.
    seen: Option<u64>,
    reported: HashMap<ManagedObjectReference, Reported>,
    missing: HashSet<ManagedObjectReference>,
}

/// What the client knows of an object.
struct Reported {
    /// The version of the world it knows.
    at: u64,
    values: Vec<(String, Any)>,
}

impl Filter {
    pub(crate) fn new(
        reference: ManagedObjectReference,
        selection: Selection,
        partial: bool,
    ) -> Self {
        Self {
            reference,
            selection,
            partial,
            seen: None,
            reported: HashMap::new(),
            missing: HashSet::new(),
        }
    }

    /// Forgets what the client knows.
    fn restart(&mut self) {
        self.seen = None;
        self.reported.clear();
        self.missing.clear();
    }

    /// What the client doesn't know yet, for no more than `left` objects.
    fn update(&mut self, scope: &Scope<'_>, left: &mut usize) -> Option<PropertyFilterUpdate> {
        let version = scope.world_version();
        if self.seen == Some(version) {
            return None;
        }
        let (objects, missing) = self.selection.objects(scope);
        let mut updates = Vec::new();
        let mut complete = true;
        let gone: Vec<_> = {
            let there: HashSet<_> = objects.iter().collect();
            let mut gone: Vec<_> = self
                .reported
                .keys()
                .filter(|one| !there.contains(one))
                .collect();
            gone.sort();
            gone.into_iter().cloned().collect()
        };
        for object in gone {
            if *left == 0 {
                complete = false;
                break;
            }
            *left -= 1;
            self.reported.remove(&object);
            updates.push(update(ObjectUpdateKind::Leave, object));
        }
        for object in objects {
            let known = self.reported.get(&object);
            if known.is_some_and(|known| scope.unchanged_since(&object, known.at)) {
                continue;
            }
            if *left == 0 {
                complete = false;
                break;
            }
            if let Some(update) = self.object(scope, object, version) {
                *left -= 1;
                updates.push(update);
            }
        }
        let missing: Vec<_> = missing
            .into_iter()
            .filter(|object| self.missing.insert(object.clone()))
            .map(|object| MissingObject {
                fault: fault::missing_object(&object),
                obj: object,
                ..MissingObject::default()
            })
            .collect();
        self.seen = complete.then_some(version);
        if updates.is_empty() && missing.is_empty() {
            return None;
        }
        Some(PropertyFilterUpdate {
            filter: self.reference.clone(),
            object_set: updates,
            missing_set: missing,
            ..PropertyFilterUpdate::default()
        })
    }

    /// What is new about an object.
    fn object(
        &mut self,
        scope: &Scope<'_>,
        object: ManagedObjectReference,
        version: u64,
    ) -> Option<ObjectUpdate> {
        let read = content(scope, &self.selection, object)?;
        let values: Vec<_> = read
            .prop_set
            .into_iter()
            .map(|property| (property.name, property.val))
            .collect();
        let (kind, changes) = match self.reported.get(&read.obj) {
            None => {
                let all = values
                    .iter()
                    .map(|(name, val)| assign(name.clone(), val.clone()));
                (ObjectUpdateKind::Enter, all.collect())
            }
            Some(known) => {
                let changes = changes(&known.values, &values, self.partial);
                (ObjectUpdateKind::Modify, changes)
            }
        };
        let reported = Reported {
            at: version,
            values,
        };
        self.reported.insert(read.obj.clone(), reported);
        if kind == ObjectUpdateKind::Modify && changes.is_empty() {
            return None;
        }
        let mut update = update(kind, read.obj);
        update.change_set = changes;
        if update.kind == ObjectUpdateKind::Enter {
            update.missing_set = read.missing_set;
        }
        Some(update)
    }
}

fn update(kind: ObjectUpdateKind, object: ManagedObjectReference) -> ObjectUpdate {
    ObjectUpdate {
        kind,
        obj: object,
        ..ObjectUpdate::default()
    }
}

fn assign(name: String, val: Any) -> PropertyChange {
    PropertyChange {
        name,
        op: PropertyChangeOp::Assign,
        val: Some(val).filter(|val| !val.is_none()),
        ..PropertyChange::default()
    }
}

fn changes(old: &[(String, Any)], new: &[(String, Any)], partial: bool) -> Vec<PropertyChange> {
    let mut changes = Vec::new();
    for (name, val) in new {
        let before = old
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, val)| val);
        match before {
            Some(before) if before == val => {}
            Some(Any::Object(before)) if partial && val.as_object().is_some() => {
                nested(name, "", View::Object(&**before), val.inner(), &mut changes);
            }
            _ => changes.push(assign(name.clone(), val.clone())),
        }
    }
    for (name, _) in old {
        if !new.iter().any(|(known, _)| known == name) {
            changes.push(assign(name.clone(), Any::None));
        }
    }
    changes
}

/// The smallest properties that differ: those of objects one by one, lists and everything else as a whole.
fn nested(
    name: &str,
    declared: &str,
    old: View<'_>,
    new: View<'_>,
    changes: &mut Vec<PropertyChange>,
) {
    if old == new {
        return;
    }
    match (old, new) {
        (View::Object(old), View::Object(new)) if old.type_name() == new.type_name() => {
            for (index, field) in new.info().all_fields().enumerate() {
                let name = format!("{name}.{}", field.name);
                let (old, new) = (old.get(index).view(), new.get(index).view());
                nested(&name, field.ty, old, new, changes);
            }
        }
        (_, new) => changes.push(assign(name.to_owned(), new.to_any(declared))),
    }
}
