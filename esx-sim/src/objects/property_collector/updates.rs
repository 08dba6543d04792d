//! What changed since a client last asked.

use std::collections::{HashMap, HashSet, VecDeque};

use vi_types::enums::{ObjectUpdateKind, PropertyChangeOp};
use vi_types::objects::{
    MissingObject, ObjectUpdate, PropertyChange, PropertyFilterUpdate, UpdateSet,
};
use vi_types::{Any, ManagedObjectReference, SoapFault, View};

use super::reading::{Scope, content};
use super::selection::{Selection, Walk, Way};
use crate::fault;

/// The filters of a collector, and how far its client is.
#[derive(Default)]
pub(crate) struct Collector {
    pub(crate) filters: Vec<Filter>,
    /// How often waiting was cancelled.
    pub(crate) cancels: u64,
    /// The version of the last answer.
    version: u64,
    /// The last answers, the latest last, for a client that did not get them.
    answers: VecDeque<UpdateSet>,
}

/// What a server limits.
pub(crate) struct Limits {
    /// The most objects in one answer.
    pub(crate) objects: usize,
    /// The number of versions before the last one that clients can ask for.
    pub(crate) versions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            objects: usize::MAX,
            versions: 1,
        }
    }
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
        let limits = scope.limits();
        match version {
            "" => self.filters.iter_mut().for_each(Filter::restart),
            known if known == self.version.to_string() => {}
            lost => {
                let behind = lost.parse().ok().and_then(|lost| self.version.checked_sub(lost));
                let behind = behind.and_then(|behind| usize::try_from(behind).ok());
                let known = behind.filter(|behind| *behind <= limits.versions);
                let index = known.and_then(|behind| self.answers.len().checked_sub(behind));
                let answer = index.and_then(|index| self.answers.get(index));
                let answer = answer.ok_or_else(fault::invalid_collector_version)?;
                return Ok(Some(answer.clone()));
            }
        }
        let mut left = most.unwrap_or(usize::MAX).min(limits.objects);
        let filters: Vec<_> = self
            .filters
            .iter_mut()
            .filter_map(|filter| filter.update(scope, &mut left))
            .collect();
        if filters.is_empty() {
            return Ok(None);
        }
        self.version += 1;
        let updates = UpdateSet {
            version: self.version.to_string(),
            filter_set: filters,
            truncated: self.filters.iter().any(Filter::is_behind).then_some(true),
            ..UpdateSet::default()
        };
        while self.answers.len() >= limits.versions.max(1) {
            self.answers.pop_front();
        }
        if limits.versions > 0 {
            self.answers.push_back(updates.clone());
        }
        Ok(Some(updates))
    }

    /// Forgets all versions that clients have.
    pub(crate) fn forget_versions(&mut self) {
        self.answers.clear();
        // No client has had the next one.
        self.version += 1;
    }
}

/// A filter, and what its client knows.
///
/// It looks only at what has changed since it last looked. That is enough as long as the objects on the way to what it
/// selects lead to the same objects; if they don't, it walks the way again.
pub(crate) struct Filter {
    pub(crate) reference: ManagedObjectReference,
    selection: Selection,
    partial: bool,
    /// The version of the world in which it last looked.
    seen: Option<u64>,
    way: Way,
    selected: HashSet<ManagedObjectReference>,
    /// Objects that may have something new for the client, each once.
    due: VecDeque<ManagedObjectReference>,
    is_due: HashSet<ManagedObjectReference>,
    /// What the client knows.
    reported: HashMap<ManagedObjectReference, Vec<(String, Any)>>,
    missing: HashSet<ManagedObjectReference>,
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
            way: Way::default(),
            selected: HashSet::new(),
            due: VecDeque::new(),
            is_due: HashSet::new(),
            reported: HashMap::new(),
            missing: HashSet::new(),
        }
    }

    /// Forgets what the client knows.
    fn restart(&mut self) {
        self.seen = None;
        self.due.clear();
        self.is_due.clear();
        self.reported.clear();
        self.missing.clear();
    }

    /// Whether there may be more than the last answer had room for.
    fn is_behind(&self) -> bool {
        !self.due.is_empty()
    }

    /// What the client doesn't know yet, for no more than `left` objects.
    fn update(&mut self, scope: &Scope<'_>, left: &mut usize) -> Option<PropertyFilterUpdate> {
        let missing = self.look(scope);
        let mut updates = Vec::new();
        while *left > 0
            && let Some(object) = self.due.pop_front()
        {
            self.is_due.remove(&object);
            if let Some(update) = self.object(scope, object) {
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

    /// Notes which objects may have something new, and returns the ones that were named but are not there.
    fn look(&mut self, scope: &Scope<'_>) -> Vec<ManagedObjectReference> {
        let world = scope.world();
        let before = self.seen.replace(world.version());
        if before == self.seen {
            return Vec::new();
        }
        let walks = match before {
            None => true,
            Some(before) => self.note_changes(scope, before),
        };
        if !walks {
            return Vec::new();
        }
        let Walk {
            objects,
            missing,
            way,
        } = self.selection.walk(scope);
        self.way = way;
        self.selected = objects.iter().cloned().collect();
        let reported = self.reported.keys();
        let gone = reported.filter(|one| !self.selected.contains(one));
        let mut gone: Vec<_> = gone.cloned().collect();
        gone.sort();
        for object in gone.into_iter().rev() {
            if self.is_due.insert(object.clone()) {
                self.due.push_front(object);
            }
        }
        for object in objects {
            if !self.reported.contains_key(&object) {
                self.note(object);
            }
        }
        missing
    }

    /// Notes which of the selected objects have changed. Returns whether others may be selected now.
    fn note_changes(&mut self, scope: &Scope<'_>, since: u64) -> bool {
        let world = scope.world();
        // What has changed is compared with what is on the way, the smaller number with the larger one.
        let on_the_way = self.way.steps.len() + self.way.absent.len();
        let few = world.changed_since(since).take(on_the_way + 1).count() <= on_the_way;
        let (changed, mut walks) = match world.removed_since(since).filter(|_| few) {
            Some(mut removed) => {
                let changed: Vec<_> = world.changed_since(since).collect();
                let is_new = |object: &&ManagedObjectReference| self.way.absent.contains(*object);
                let walks = removed.any(|object| self.way.steps.contains_key(object))
                    || (!self.way.absent.is_empty() && changed.iter().any(is_new));
                (changed, walks)
            }
            None => {
                let way = self.way.steps.keys();
                let mut changed: Vec<_> = way
                    .clone()
                    .filter_map(|object| Some((world.changed(object)?, object)))
                    .filter(|(changed, _)| *changed > since)
                    .collect();
                changed.sort();
                let mut absent = self.way.absent.iter();
                let walks = way.clone().any(|object| world.changed(object).is_none())
                    || absent.any(|object| scope.exists(object));
                (changed.into_iter().map(|(_, object)| object).collect(), walks)
            }
        };
        let mut new = Vec::new();
        for object in changed {
            let steps = self.way.steps.get(object);
            walks = walks
                || steps.is_some_and(|steps| self.selection.leads_elsewhere(scope, object, steps));
            if self.selected.contains(object) {
                new.push(object.clone());
            }
        }
        new.extend(self.way.made.iter().cloned());
        for object in new {
            self.note(object);
        }
        walks
    }

    fn note(&mut self, object: ManagedObjectReference) {
        if self.is_due.insert(object.clone()) {
            self.due.push_back(object);
        }
    }

    /// What is new about an object.
    fn object(
        &mut self,
        scope: &Scope<'_>,
        object: ManagedObjectReference,
    ) -> Option<ObjectUpdate> {
        let is_selected = self.selected.contains(&object);
        let read = is_selected.then(|| content(scope, &self.selection, object.clone()));
        let Some(read) = read.flatten() else {
            let known = self.reported.remove(&object);
            return known.map(|_| update(ObjectUpdateKind::Leave, object));
        };
        let values: Vec<_> = read
            .prop_set
            .into_iter()
            .map(|property| (property.name, property.val))
            .collect();
        let (kind, changes) = match self.reported.get(&object) {
            None => {
                let all = values
                    .iter()
                    .map(|(name, val)| assign(name.clone(), val.clone()));
                (ObjectUpdateKind::Enter, all.collect())
            }
            Some(known) => {
                let changes = changes(known, &values, self.partial);
                (ObjectUpdateKind::Modify, changes)
            }
        };
        if kind == ObjectUpdateKind::Modify && changes.is_empty() {
            return None;
        }
        self.reported.insert(object.clone(), values);
        let mut update = update(kind, object);
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
