//! What is new in what the server tells.

use std::collections::{HashMap, HashSet};

use vi_types::ManagedObjectReference;
use vi_types::enums::ObjectUpdateKind;
use vi_types::objects::{ObjectUpdate, PropertyFilterSpec};

use super::subscriber::Batch;
use crate::retrieve::ObjectProperties;

/// The objects as they were told to the user of a watch.
#[derive(Debug, Default)]
pub(super) struct Difference {
    known: HashMap<ManagedObjectReference, ObjectProperties>,
    /// The objects that the filter starts from, and whether their absence was told.
    starts: HashMap<ManagedObjectReference, bool>,
    has_begun: bool,
}

impl Difference {
    pub(super) fn new(spec: &PropertyFilterSpec) -> Self {
        let starts = spec.object_set.iter();
        Self {
            starts: starts.map(|start| (start.obj.clone(), false)).collect(),
            ..Self::default()
        }
    }

    /// What is new; `None` if nothing is, but not the first time.
    pub(super) fn take(&mut self, batch: Batch) -> Option<Vec<ObjectUpdate>> {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        let mut there = HashSet::new();
        let mut news = Vec::new();
        for update in batch.updates {
            let is_there = update.kind != ObjectUpdateKind::Leave;
            let is_mentioned = match (batch.is_complete, is_there) {
                (true, true) => !there.insert(update.obj.clone()),
                (true, false) => there.remove(&update.obj),
                (false, _) => true,
            };
            let is_whole = update.kind == ObjectUpdateKind::Enter || !is_mentioned;
            news.extend(match is_there {
                true => self.change(update, is_whole),
                false => self.leave(update.obj),
            });
        }
        if batch.is_complete {
            let known = self.known.keys();
            let gone = known.filter(|object| !there.contains(object)).cloned();
            let mut gone: Vec<_> = gone.collect();
            gone.sort();
            news.extend(gone.into_iter().filter_map(|object| self.leave(object)));
        }
        (is_first || !news.is_empty()).then_some(news)
    }

    fn change(&mut self, mut update: ObjectUpdate, is_whole: bool) -> Option<ObjectUpdate> {
        if let Some(is_absence_told) = self.starts.get_mut(&update.obj) {
            *is_absence_told = false;
        }
        match self.known.get_mut(&update.obj) {
            Some(known) => known.take_difference(update, is_whole),
            None => {
                update.kind = ObjectUpdateKind::Enter;
                let mut known = ObjectProperties::default();
                known.apply(update.clone());
                self.known.insert(update.obj.clone(), known);
                Some(update)
            }
        }
    }

    fn leave(&mut self, object: ManagedObjectReference) -> Option<ObjectUpdate> {
        let was_known = self.known.remove(&object).is_some();
        let is_told = match self.starts.get_mut(&object) {
            Some(is_absence_told) => std::mem::replace(is_absence_told, true),
            None => !was_known,
        };
        (!is_told).then(|| leave(object))
    }
}

/// An update which says that the object has left.
pub(super) fn leave(obj: ManagedObjectReference) -> ObjectUpdate {
    ObjectUpdate {
        kind: ObjectUpdateKind::Leave,
        obj,
        ..ObjectUpdate::default()
    }
}

#[cfg(test)]
mod tests {
    use vi_types::enums::PropertyChangeOp;
    use vi_types::objects::{ObjectSpec, PropertyChange};

    use super::*;

    /// `+1 a=x b=y` enters, `1 a=z b` is modified (`b` loses its value), `-1` leaves.
    fn update(text: &str) -> ObjectUpdate {
        let mut words = text.split(' ');
        let object = words.next().unwrap();
        let change = |word: &str| {
            let (name, val) = word.split_once('=').unwrap_or((word, ""));
            PropertyChange {
                name: name.to_owned(),
                op: PropertyChangeOp::Assign,
                val: (!val.is_empty()).then(|| val.to_owned().into()),
                ..PropertyChange::default()
            }
        };
        ObjectUpdate {
            kind: match &object[..1] {
                "+" => ObjectUpdateKind::Enter,
                "-" => ObjectUpdateKind::Leave,
                _ => ObjectUpdateKind::Modify,
            },
            obj: reference(object.trim_start_matches(['+', '-'])),
            change_set: words.map(change).collect(),
            ..ObjectUpdate::default()
        }
    }

    fn reference(value: &str) -> ManagedObjectReference {
        ManagedObjectReference::new("VirtualMachine", value)
    }

    fn text(update: ObjectUpdate) -> String {
        let sign = match update.kind {
            ObjectUpdateKind::Enter => "+",
            ObjectUpdateKind::Leave => "-",
            _ => "",
        };
        let mut text = format!("{sign}{}", update.obj.value);
        let mut changes = update.change_set;
        changes.sort_by(|a, b| a.name.cmp(&b.name));
        for change in changes {
            let val: Option<String> = change.val.unwrap_or_default().cast().unwrap();
            match val {
                Some(val) => text.push_str(&format!(" {}={val}", change.name)),
                None => text.push_str(&format!(" {}", change.name)),
            }
        }
        text
    }

    /// What is told (`all: …` for complete batches), and what is new.
    #[test]
    fn only_differences_are_told() {
        let spec = PropertyFilterSpec {
            object_set: vec![ObjectSpec {
                obj: reference("9"),
                ..ObjectSpec::default()
            }],
            ..PropertyFilterSpec::default()
        };
        let mut difference = Difference::new(&spec);
        for (told, expected) in [
            // The first time, even if there is nothing.
            ("all", Some("")),
            ("all", None),
            ("+1 a=x, +2 a=x b=y", Some("+1 a=x, +2 a=x b=y")),
            ("1 a=x", None),
            ("1 a=y b", Some("1 a=y")),
            ("2 a=z b, 1 b=u", Some("2 a=z b, 1 b=u")),
            // Told anew: unchanged, changed, new, and gone.
            ("all: +1 a=y b=u, +2 a=z", None),
            ("all: +1 a=y, +3 a=x", Some("1 b, +3 a=x, -2")),
            // In the course of being told anew, objects change and leave.
            ("all: +1 a=z, +3 a=x, 1 b=v, -3", Some("1 a=z, 1 b=v, -3")),
            ("all: +1 a=q, 1 a=z b=v", Some("1 a=q b, 1 a=z b=v")),
            ("+1 a=z b=v", None),
            // Nobody knew it.
            ("-7", None),
            // An object that the filter starts from does not exist.
            ("all: -9, +1 a=z b=v", Some("-9")),
            ("all: -9, +1 a=z b=v", None),
            ("+9 a=x", Some("+9 a=x")),
            ("-9", Some("-9")),
            ("-9", None),
            ("all", Some("-1")),
            ("5 a=x", Some("+5 a=x")),
        ] {
            let (is_complete, updates) = match told.strip_prefix("all") {
                Some(updates) => (true, updates.trim_start_matches([':', ' '])),
                None => (false, told),
            };
            let updates = updates.split(", ").filter(|text| !text.is_empty());
            let batch = Batch {
                is_complete,
                updates: updates.map(update).collect(),
            };
            let news = difference.take(batch);
            let news = news.map(|news| news.into_iter().map(text).collect::<Vec<_>>().join(", "));
            assert_eq!(news.as_deref(), expected, "{told}");
        }
    }
}
