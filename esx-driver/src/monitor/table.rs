//! Rows by reference, and the sorted list of them that a snapshot has.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use vi_types::ManagedObjectReference;

/// What a list shows.
pub(super) trait Shown {
    fn sort_key(&self) -> &str;
}

/// Rows, and how they are shown. Only rows that have changed are shown anew.
pub(super) struct Table<R, S> {
    rows: HashMap<ManagedObjectReference, R>,
    /// Rows that have changed since the last list.
    changed: HashSet<ManagedObjectReference>,
    /// The last list, by name.
    list: Vec<Arc<S>>,
    /// The rows' places in it.
    places: HashMap<ManagedObjectReference, usize>,
    /// Whether rows have come or gone since.
    is_reordered: bool,
}

impl<R, S> Default for Table<R, S> {
    fn default() -> Self {
        Self {
            rows: HashMap::new(),
            changed: HashSet::new(),
            list: Vec::new(),
            places: HashMap::new(),
            is_reordered: false,
        }
    }
}

impl<R, S: Shown> Table<R, S> {
    /// A row, to be changed.
    pub(super) fn change(&mut self, moref: &ManagedObjectReference) -> Option<&mut R> {
        let row = self.rows.get_mut(moref)?;
        if !self.changed.contains(moref) {
            self.changed.insert(moref.clone());
        }
        Some(row)
    }

    /// A row, for what is not shown.
    pub(super) fn hidden(&mut self, moref: &ManagedObjectReference) -> Option<&mut R> {
        self.rows.get_mut(moref)
    }

    /// Adds a row.
    pub(super) fn add(&mut self, moref: ManagedObjectReference, row: R) {
        self.changed.insert(moref.clone());
        self.is_reordered |= self.rows.insert(moref, row).is_none();
    }

    /// Removes a row. Returns whether it was there.
    pub(super) fn remove(&mut self, moref: &ManagedObjectReference) -> bool {
        self.changed.remove(moref);
        let is_gone = self.rows.remove(moref).is_some();
        self.is_reordered |= is_gone;
        is_gone
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&ManagedObjectReference, &R)> {
        self.rows.iter()
    }

    /// Changes each row for which `change` returns true.
    pub(super) fn change_each(
        &mut self,
        mut change: impl FnMut(&ManagedObjectReference, &mut R) -> bool,
    ) {
        for (moref, row) in &mut self.rows {
            if change(moref, row) && !self.changed.contains(moref) {
                self.changed.insert(moref.clone());
            }
        }
    }

    /// The list, with changed rows as `show` makes them.
    pub(super) fn list(&mut self, mut show: impl FnMut(&R) -> S) -> Vec<Arc<S>> {
        if !self.is_reordered {
            for moref in self.changed.drain() {
                let (Some(row), Some(&at)) = (self.rows.get(&moref), self.places.get(&moref))
                else {
                    continue;
                };
                let shown = show(row);
                self.is_reordered |= shown.sort_key() != self.list[at].sort_key();
                self.list[at] = Arc::new(shown);
            }
        }
        if self.is_reordered {
            self.reorder(show);
        }
        self.list.clone()
    }

    fn reorder(&mut self, mut show: impl FnMut(&R) -> S) {
        let mut all: Vec<_> = Vec::with_capacity(self.rows.len());
        for (moref, row) in &self.rows {
            let place = self
                .places
                .get(moref)
                .filter(|_| !self.changed.contains(moref));
            let shown = match place {
                Some(&at) => Arc::clone(&self.list[at]),
                None => Arc::new(show(row)),
            };
            all.push((moref, shown));
        }
        all.sort_by(|(one, shown), (other, than)| {
            shown
                .sort_key()
                .cmp(than.sort_key())
                .then_with(|| one.cmp(other))
        });
        let places = all.iter().enumerate();
        self.places = places
            .map(|(at, (moref, _))| ((*moref).clone(), at))
            .collect();
        self.list = all.into_iter().map(|(_, shown)| shown).collect();
        self.changed.clear();
        self.is_reordered = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq)]
    struct Line(String);

    impl Shown for Line {
        fn sort_key(&self) -> &str {
            &self.0
        }
    }

    fn moref(value: &str) -> ManagedObjectReference {
        ManagedObjectReference::new("VirtualMachine", value)
    }

    fn list(table: &mut Table<String, Line>, shown: &mut usize) -> String {
        let list = table.list(|row| {
            *shown += 1;
            Line(row.clone())
        });
        let names: Vec<_> = list.iter().map(|line| line.0.as_str()).collect();
        names.join(" ")
    }

    #[test]
    fn only_what_has_changed_is_shown_anew() {
        let mut table = Table::default();
        let mut shown = 0;
        for (value, name) in [("1", "c"), ("2", "a"), ("3", "b")] {
            table.add(moref(value), name.to_owned());
        }
        assert_eq!(list(&mut table, &mut shown), "a b c");
        assert_eq!(shown, 3);
        // Nothing has changed.
        assert_eq!(list(&mut table, &mut shown), "a b c");
        assert_eq!(shown, 3);
        // A new name takes another place.
        *table.change(&moref("2")).unwrap() = "d".to_owned();
        assert_eq!(list(&mut table, &mut shown), "b c d");
        assert_eq!(shown, 4);
        assert!(table.remove(&moref("1")));
        assert!(!table.remove(&moref("1")));
        assert_eq!(list(&mut table, &mut shown), "b d");
        assert_eq!(shown, 4);
        *table.change(&moref("3")).unwrap() = "b2".to_owned();
        table.add(moref("4"), "c".to_owned());
        assert_eq!(list(&mut table, &mut shown), "b2 c d");
        assert_eq!(shown, 6);
        table.change_each(|moref, _| moref.value == "4");
        assert_eq!(list(&mut table, &mut shown), "b2 c d");
        assert_eq!(shown, 7);
    }
}
