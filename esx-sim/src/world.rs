//! The managed objects of a simulated server, as data.

pub(crate) mod container_view;
pub(crate) mod fabric;
pub(crate) mod inventory;
#[cfg(test)]
mod required;

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use vi_types::{ManagedObject, ManagedObjectReference, Object, properties};

use self::fabric::Fabric;
use self::inventory::ServerKind;
use self::inventory::managers::Outline;
use crate::event::EventLog;
use crate::files::Files;
use crate::logs::Logs;
use crate::performance::{Clock, FixedValues};
use crate::version::{ApiVersion, Release};

/// Every managed object there is, by its reference.
pub(crate) struct World {
    kind: ServerKind,
    release: &'static Release,
    /// The release's version of the API, which is asked for often.
    api: ApiVersion,
    objects: HashMap<ManagedObjectReference, Entry>,
    /// The same by type.
    types: HashMap<String, HashSet<ManagedObjectReference>>,
    /// How many changes there have been.
    version: u64,
    /// The objects by the [`World::version`] in which they last changed.
    changes: BTreeMap<u64, ManagedObjectReference>,
    /// The objects that were removed, the latest last, with the version after it.
    removed: VecDeque<(u64, ManagedObjectReference)>,
    /// The version of the last removal that is not in that list any more.
    forgotten: u64,
    /// Numbers for objects that are made while the server runs.
    made: u64,
    /// Virtual machines by their UUIDs, once somebody asked for one.
    uuids: Option<Uuids>,
    /// Virtual machines by the files that their `layoutEx` lists, once somebody asked for one.
    users: OnceCell<HashMap<String, Vec<ManagedObjectReference>>>,
    /// What is on the datastores.
    pub(crate) files: Files,
    /// Disks, whether or not a host sees them.
    pub(crate) fabric: Fabric,
    /// The server's time.
    pub(crate) clock: Clock,
    /// Values of counters that a test has set.
    pub(crate) fixed_values: FixedValues,
    /// What was written into logs.
    pub(crate) logs: Logs,
    /// What has happened.
    pub(crate) events: EventLog,
    /// The number of the last object of the inventory that is neither a machine nor a snapshot.
    numbers: u64,
    /// The number of the last virtual machine that was made while the server runs.
    last_vm: u64,
    /// The id of the last snapshot of each machine that has or had one.
    last_snapshot_ids: HashMap<ManagedObjectReference, i32>,
    /// How many snapshots there have been.
    snapshots: u64,
}

/// Number of removed objects that are remembered for those who watch.
const REMEMBERED: usize = 1000;

/// Virtual machines by their UUIDs, in lower case.
#[derive(Default)]
pub(crate) struct Uuids {
    /// By the UUID of their BIOS, which several machines may share.
    pub(crate) bios: HashMap<String, Vec<ManagedObjectReference>>,
    /// By the UUID the server gave them.
    pub(crate) instance: HashMap<String, Vec<ManagedObjectReference>>,
}

/// One managed object.
struct Entry {
    state: Box<dyn Object>,
    /// [`World::version`] when it last changed.
    changed: u64,
    /// The session it belongs to, and with which it ends; views and property filters have one.
    owner: Option<String>,
}

impl World {
    /// A world without objects.
    pub(crate) fn new(kind: ServerKind, release: &'static Release) -> Self {
        Self {
            kind,
            release,
            api: release.version(),
            objects: HashMap::new(),
            types: HashMap::new(),
            version: 0,
            changes: BTreeMap::new(),
            removed: VecDeque::new(),
            forgotten: 0,
            made: 0,
            uuids: None,
            users: OnceCell::new(),
            files: Files::default(),
            fabric: Fabric::default(),
            clock: Clock::default(),
            fixed_values: FixedValues::default(),
            logs: Logs::default(),
            events: EventLog::new(kind),
            numbers: 1,
            last_vm: 0,
            last_snapshot_ids: HashMap::new(),
            snapshots: 0,
        }
    }

    /// What kind of server it is of.
    pub(crate) fn kind(&self) -> ServerKind {
        self.kind
    }

    /// The release of the server that it is of.
    pub(crate) fn release(&self) -> &'static Release {
        self.release
    }

    /// Whether the server's API has what came with that version.
    pub(crate) fn since(&self, version: &str) -> bool {
        self.api >= ApiVersion::since(version)
    }

    /// Puts an object in, or in the place of one with the same name.
    pub(crate) fn add<T: ManagedObject>(
        &mut self,
        value: impl Into<String>,
        state: T,
    ) -> ManagedObjectReference {
        let reference = ManagedObjectReference::new(T::TYPE, value);
        self.insert(reference, Box::new(state), None)
    }

    /// Puts an object in of which only properties are known.
    pub(crate) fn add_outline(&mut self, reference: ManagedObjectReference, state: Outline) {
        self.insert(reference, Box::new(state), None);
    }

    /// Puts an object in that only one session sees, under a name of its own.
    pub(crate) fn add_for_session<T: ManagedObject>(
        &mut self,
        session: &str,
        state: T,
    ) -> ManagedObjectReference {
        self.made += 1;
        let value = format!("session[{session}]{}", self.made);
        let reference = ManagedObjectReference::new(T::TYPE, value);
        self.insert(reference, Box::new(state), Some(session.to_owned()))
    }

    fn insert(
        &mut self,
        reference: ManagedObjectReference,
        state: Box<dyn Object>,
        owner: Option<String>,
    ) -> ManagedObjectReference {
        self.version += 1;
        self.forget_uuids(&reference);
        let entry = Entry {
            state,
            changed: self.version,
            owner,
        };
        self.changes.insert(self.version, reference.clone());
        if let Some(replaced) = self.objects.insert(reference.clone(), entry) {
            self.changes.remove(&replaced.changed);
        }
        let types = self.types.entry(reference.r#type.clone()).or_default();
        types.insert(reference.clone());
        reference
    }

    /// Takes an object out; whether there was one.
    pub(crate) fn remove(&mut self, reference: &ManagedObjectReference) -> bool {
        self.version += 1;
        self.forget_uuids(reference);
        if let Some(same) = self.types.get_mut(&reference.r#type) {
            same.remove(reference);
        }
        let Some(entry) = self.objects.remove(reference) else {
            return false;
        };
        self.changes.remove(&entry.changed);
        self.note_removal(reference.clone());
        true
    }

    fn note_removal(&mut self, reference: ManagedObjectReference) {
        self.removed.push_back((self.version, reference));
        if self.removed.len() > REMEMBERED
            && let Some((version, _)) = self.removed.pop_front()
        {
            self.forgotten = version;
        }
    }

    /// Takes everything out that belongs to a session.
    pub(crate) fn end_session(&mut self, session: &str) {
        let owned = self.objects.iter();
        let owned = owned.filter(|(_, entry)| entry.owner.as_deref() == Some(session));
        let owned: Vec<_> = owned.map(|(reference, _)| reference.clone()).collect();
        self.version += 1;
        for reference in owned {
            self.remove(&reference);
        }
        let objects = &self.objects;
        self.events
            .retain_collectors(|one| objects.contains_key(one));
    }

    /// The object's properties, whatever it is.
    pub(crate) fn get(&self, reference: &ManagedObjectReference) -> Option<&dyn Object> {
        Some(&*self.objects.get(reference)?.state)
    }

    /// Whether that session may know of the object.
    pub(crate) fn is_visible(
        &self,
        reference: &ManagedObjectReference,
        session: Option<&str>,
    ) -> bool {
        match self.objects.get(reference) {
            None => false,
            Some(entry) => entry.owner.is_none() || entry.owner.as_deref() == session,
        }
    }

    /// The object as a `T`, if it is that or a descendant of it.
    pub(crate) fn read<T: ManagedObject>(&self, reference: &ManagedObjectReference) -> Option<&T> {
        self.get(reference)?.cast()
    }

    /// Changes an object; `None` when there is none or it is no `T`.
    pub(crate) fn change<T: ManagedObject, R>(
        &mut self,
        reference: &ManagedObjectReference,
        change: impl FnOnce(&mut T) -> R,
    ) -> Option<R> {
        let entry = self.objects.get_mut(reference)?;
        let before = Indexed::of(&*entry.state);
        let result = change(entry.state.cast_mut::<T>()?);
        self.note_change(reference, before);
        Some(result)
    }

    /// The same for a change that has to look at other objects. The object itself is empty for it.
    pub(crate) fn update<T: ManagedObject + Default, R>(
        &mut self,
        reference: &ManagedObjectReference,
        update: impl FnOnce(&World, &mut T) -> R,
    ) -> Option<R> {
        let entry = self.objects.get_mut(reference)?;
        let before = Indexed::of(&*entry.state);
        let mut object = std::mem::take(entry.state.cast_mut::<T>()?);
        let result = update(self, &mut object);
        let entry = self.objects.get_mut(reference)?;
        *entry.state.cast_mut::<T>()? = object;
        self.note_change(reference, before);
        Some(result)
    }

    fn note_change(&mut self, reference: &ManagedObjectReference, before: Indexed) {
        let Some(entry) = self.objects.get_mut(reference) else {
            return;
        };
        self.version += 1;
        let changed = std::mem::replace(&mut entry.changed, self.version);
        if let Some(reference) = self.changes.remove(&changed) {
            self.changes.insert(self.version, reference);
        }
        let now = Indexed::of(&*entry.state);
        if before.uuids != now.uuids {
            self.uuids = None;
        }
        if before.files != now.files {
            self.users.take();
        }
    }

    /// Changes measurements of an object, of which nobody is notified.
    pub(crate) fn change_silently<T: ManagedObject>(
        &mut self,
        reference: &ManagedObjectReference,
        change: impl FnOnce(&mut T),
    ) {
        let entry = self.objects.get_mut(reference);
        if let Some(object) = entry.and_then(|entry| entry.state.cast_mut::<T>()) {
            change(object);
        }
    }

    /// Everything that belongs to a session.
    pub(crate) fn of_sessions(&self) -> impl Iterator<Item = &ManagedObjectReference> {
        let owned = self
            .objects
            .iter()
            .filter(|(_, entry)| entry.owner.is_some());
        owned.map(|(reference, _)| reference)
    }

    /// Wakes all waiting calls, though nothing changed.
    pub(crate) fn touch(&mut self) {
        self.version += 1;
    }

    /// Makes every object count as changed.
    pub(crate) fn touch_all(&mut self) {
        self.changes.clear();
        for (reference, entry) in &mut self.objects {
            self.version += 1;
            entry.changed = self.version;
            self.changes.insert(self.version, reference.clone());
        }
    }

    /// How many changes there have been.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// The [`World::version`] in which the object last changed.
    pub(crate) fn changed(&self, reference: &ManagedObjectReference) -> Option<u64> {
        Some(self.objects.get(reference)?.changed)
    }

    /// The objects that changed or were made since a version, in the order of their last changes.
    pub(crate) fn changed_since(
        &self,
        version: u64,
    ) -> impl Iterator<Item = &ManagedObjectReference> {
        self.changes.range(version + 1..).map(|(_, object)| object)
    }

    /// The objects that were removed since a version; `None` if that is forgotten.
    pub(crate) fn removed_since(
        &self,
        version: u64,
    ) -> Option<impl Iterator<Item = &ManagedObjectReference>> {
        if version < self.forgotten {
            return None;
        }
        let latest = self.removed.iter().rev();
        let latest = latest.take_while(move |(removed, _)| *removed > version);
        Some(latest.map(|(_, object)| object))
    }

    /// The value of a reference that no object of the inventory has or had: what is given, with a number.
    pub(crate) fn next_value(&mut self, kind: &str) -> String {
        self.numbers += 1;
        format!("{kind}{}", self.numbers)
    }

    /// A number that no virtual machine has or had.
    pub(crate) fn new_vm_number(&mut self) -> u64 {
        let numbers = self.all("VirtualMachine").filter_map(|vm| {
            let digits = vm.value.trim_start_matches("vm-");
            digits.parse::<u64>().ok()
        });
        self.last_vm = numbers.fold(self.last_vm, u64::max) + 1;
        self.last_vm
    }

    /// An id that no snapshot of the machine has or had.
    pub(crate) fn next_snapshot_id(&mut self, vm: &ManagedObjectReference) -> i32 {
        let last = self.last_snapshot_ids.entry(vm.clone()).or_default();
        *last += 1;
        *last
    }

    /// A number that no snapshot has or had.
    pub(crate) fn next_snapshot_number(&mut self) -> u64 {
        self.snapshots += 1;
        self.snapshots
    }

    /// Every object of one type, in no particular order.
    pub(crate) fn all(&self, ty: &str) -> impl Iterator<Item = &ManagedObjectReference> {
        self.types.get(ty).into_iter().flatten()
    }

    /// The virtual machines whose `layoutEx` lists a file, by its datastore path. VI API 2.5 has no such lists.
    pub(crate) fn users_of(&self, file: &str) -> &[ManagedObjectReference] {
        let users = self.users.get_or_init(|| {
            let mut users: HashMap<String, Vec<_>> = HashMap::new();
            for reference in self.all("VirtualMachine") {
                let vm = self.read::<properties::VirtualMachine>(reference);
                let layout = vm.and_then(|vm| vm.layout_ex.as_deref());
                for file in layout.into_iter().flat_map(|layout| &layout.file) {
                    let of_file = users.entry(file.name.clone()).or_default();
                    of_file.push(reference.clone());
                }
            }
            users
        });
        users.get(file).map_or(&[], Vec::as_slice)
    }

    /// Name of an inventory object, as the server has it (with `%2f` for a slash).
    pub(crate) fn name(&self, reference: &ManagedObjectReference) -> Option<&str> {
        self.read::<properties::ManagedEntity>(reference)?
            .name
            .as_deref()
    }

    /// The parent of an inventory object.
    pub(crate) fn parent(
        &self,
        reference: &ManagedObjectReference,
    ) -> Option<&ManagedObjectReference> {
        self.read::<properties::ManagedEntity>(reference)?
            .parent
            .as_ref()
    }

    /// Virtual machines by their UUIDs.
    pub(crate) fn by_uuid(&mut self) -> &Uuids {
        let objects = &self.objects;
        self.uuids.get_or_insert_with(|| {
            let mut uuids = Uuids::default();
            for (reference, entry) in objects {
                let vm = entry.state.downcast_ref::<properties::VirtualMachine>();
                let Some(config) = vm.and_then(|vm| vm.config.as_ref()) else {
                    continue;
                };
                let bios = config.uuid.to_ascii_lowercase();
                uuids.bios.entry(bios).or_default().push(reference.clone());
                if let Some(instance) = &config.instance_uuid {
                    let instance = instance.to_ascii_lowercase();
                    uuids
                        .instance
                        .entry(instance)
                        .or_default()
                        .push(reference.clone());
                }
            }
            uuids
        })
    }

    fn forget_uuids(&mut self, changed: &ManagedObjectReference) {
        if changed.r#type == "VirtualMachine" {
            self.uuids = None;
            self.users.take();
        }
    }
}

/// Numbers that change with what a virtual machine is found by.
struct Indexed {
    uuids: u64,
    files: u64,
}

impl Indexed {
    fn of(object: &dyn Object) -> Self {
        Self {
            uuids: uuids(object),
            files: files(object),
        }
    }
}

/// A number that changes with the files that a virtual machine lists.
fn files(object: &dyn Object) -> u64 {
    let mut hasher = DefaultHasher::new();
    let vm = object.downcast_ref::<properties::VirtualMachine>();
    if let Some(layout) = vm.and_then(|vm| vm.layout_ex.as_deref()) {
        for file in &layout.file {
            file.name.hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// A number that changes with the UUIDs of a virtual machine.
fn uuids(object: &dyn Object) -> u64 {
    let mut hasher = DefaultHasher::new();
    let vm = object.downcast_ref::<properties::VirtualMachine>();
    if let Some(config) = vm.and_then(|vm| vm.config.as_deref()) {
        (&config.uuid, &config.instance_uuid).hash(&mut hasher);
    }
    hasher.finish()
}
