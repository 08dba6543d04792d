//! The free space of datastores, which follows what is written.

use vi_types::objects::DatastoreInfo;
use vi_types::{ManagedObjectReference, properties};

use super::{DatastorePath, Entry};
use crate::world::World;

impl World {
    /// The bytes that the files of a datastore take.
    pub(crate) fn allocated(&self, store: &ManagedObjectReference) -> u64 {
        let files = self.files.stores.get(store);
        files.map_or(0, |files| files.allocated)
    }

    /// The bytes that a file takes, or a folder with everything in it.
    pub(crate) fn allocated_by(&self, location: &DatastorePath) -> u64 {
        let Some(store) = self.files.stores.get(&location.store) else {
            return 0;
        };
        let below = format!("{}/", location.path);
        let own = store.by_path.get_key_value(&location.path).into_iter();
        let beneath = store.by_path.range(below.clone()..);
        let all = own.chain(beneath.take_while(|(path, _)| path.starts_with(&below)));
        all.map(|(_, entry)| entry.allocated()).sum()
    }

    /// The bytes that the file with a disk's content takes. A third of a thin disk is written that a machine of the preset
    /// has, as its `layoutEx` says.
    pub(crate) fn taken_by(&self, extent: &DatastorePath) -> u64 {
        match self.entry(extent) {
            Some(Entry::File(content))
                if content.modified.is_none() && content.allocated() == 0 =>
            {
                content.length() / 3
            }
            Some(entry) => entry.allocated(),
            None => 0,
        }
    }

    /// The bytes that are free on a datastore.
    pub(crate) fn free_space(&self, store: &ManagedObjectReference) -> u64 {
        let store = self.read::<properties::Datastore>(store);
        let summary = store.and_then(|store| store.summary.as_deref());
        summary.map_or(0, |summary| u64::try_from(summary.free_space).unwrap_or(0))
    }

    /// Changes the free space by what the files of a datastore take more or less than before. The files that machines have
    /// from the start are in the figures of the start.
    pub(super) fn follow_space(&mut self, store: &ManagedObjectReference, before: u64) {
        let now = self.allocated(store);
        if !self.files.filled || now == before {
            return;
        }
        let change = i64::try_from(now.abs_diff(before)).unwrap_or(i64::MAX);
        let changed = |free: i64| match now > before {
            true => free.saturating_sub(change).max(0),
            false => free.saturating_add(change),
        };
        self.change(store, |store: &mut properties::Datastore| {
            if let Some(summary) = store.summary.as_deref_mut() {
                summary.free_space = changed(summary.free_space).min(summary.capacity);
            }
            let info = store.info.as_mut();
            if let Some(info) = info.and_then(|info| info.cast_mut::<DatastoreInfo>()) {
                info.free_space = changed(info.free_space);
            }
        });
    }
}
