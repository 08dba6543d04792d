//! The files on datastores.

mod content;
mod descriptor;
mod space;
mod store;

use ::vmx::VmxFile;
use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use vi_types::objects::VirtualCdromIsoBackingInfo;
use vi_types::{DateTime, ManagedObjectReference, SoapFault, properties};

use crate::event::Clock;
use crate::fault;
use crate::machine::{chain, snapshot};
use crate::vmx;
use crate::world::World;
use crate::world::inventory::{ancestors, parts};
pub(crate) use content::{Content, Writer};
pub(crate) use descriptor::{Descriptor, Parent};
pub(crate) use store::Store;

/// Files and folders by datastore.
///
/// They are made at the first access to a file, since most tests access none.
#[derive(Default)]
pub(crate) struct Files {
    stores: HashMap<ManagedObjectReference, Entries>,
    filled: bool,
    /// Where their bytes are kept.
    store: Store,
}

/// Files and folders of a datastore by path.
#[derive(Default)]
struct Entries {
    by_path: BTreeMap<String, Entry>,
    /// The bytes that the files take.
    allocated: u64,
}

impl Entries {
    fn insert(&mut self, path: String, entry: Entry) {
        self.allocated += entry.allocated();
        if let Some(old) = self.by_path.insert(path, entry) {
            self.allocated -= old.allocated();
        }
    }

    fn remove(&mut self, path: &str) -> Option<Entry> {
        let old = self.by_path.remove(path)?;
        self.allocated -= old.allocated();
        Some(old)
    }
}

/// A file or folder.
#[derive(Clone)]
pub(crate) enum Entry {
    Folder,
    File(Content),
    /// The VMX file of a virtual machine, which follows the machine's properties.
    Config(ManagedObjectReference, Option<Written>),
}

impl Entry {
    /// A file with these bytes.
    pub(crate) fn bytes(bytes: impl Into<Bytes>) -> Self {
        Self::File(bytes.into().into())
    }

    /// A file of this many zero bytes, none of which was ever written.
    pub(crate) fn zeros(length: u64) -> Self {
        Self::File(Content::zeros(length))
    }

    /// The bytes that it takes on its datastore. VMX files are too small to count.
    fn allocated(&self) -> u64 {
        match self {
            Self::File(content) => content.allocated(),
            Self::Folder | Self::Config(..) => 0,
        }
    }
}

/// A VMX file as a client wrote it.
#[derive(Clone)]
pub(crate) struct Written {
    text: Bytes,
    /// The VMX file that the machine's properties gave at that time. The text is valid as long as they give the same.
    properties: VmxFile,
}

impl Written {
    /// The text with the keys changed that differ in `now`.
    fn following(&self, now: VmxFile) -> Bytes {
        let before = &self.properties;
        if before.as_bytes() == now.as_bytes() {
            return self.text.clone();
        }
        let edited = || -> Option<VmxFile> {
            let mut file = VmxFile::read(&self.text[..]).ok()?;
            for entry in before.entries() {
                if now.find(entry.key()).is_none() {
                    file.remove(entry.key());
                }
            }
            for entry in now.entries() {
                if before.get(entry.key()) != Some(entry.value()) {
                    file.set(entry.key(), &entry.value()).ok()?;
                }
            }
            Some(file)
        };
        // What the encoding of the text cannot say is said in a new one.
        bytes(&edited().unwrap_or(now))
    }
}

fn bytes(file: &VmxFile) -> Bytes {
    Bytes::copy_from_slice(file.as_bytes())
}

/// A datastore path with its datastore resolved.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DatastorePath {
    pub(crate) store: ManagedObjectReference,
    /// Without slashes at its ends; empty for the datastore itself.
    pub(crate) path: String,
}

/// The largest file that is read as a whole, in bytes.
pub(crate) const LARGEST_WHOLE: u64 = 256 << 20;

/// Length of an NVRAM file in bytes.
const NVRAM: u64 = 8684;

/// Length of an installation image in bytes.
const IMAGE: u64 = 4 << 20;

impl DatastorePath {
    pub(crate) fn new(store: &ManagedObjectReference, path: &str) -> Self {
        let parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
        let parts: Vec<_> = parts.collect();
        Self {
            store: store.clone(),
            path: parts.join("/"),
        }
    }

    /// Resolves `[datastore] directory/file` in a datacenter, or in all of them.
    pub(crate) fn resolve(
        world: &World,
        datacenter: Option<&ManagedObjectReference>,
        text: &str,
    ) -> Result<Self, SoapFault> {
        let (name, path) = split(text).ok_or_else(|| fault::invalid_datastore_path(text))?;
        let mut stores = world.all("Datastore");
        let found = stores.find(|store| {
            world.name(store) == Some(name)
                && datacenter.is_none_or(|datacenter| {
                    ancestors(world, store).any(|ancestor| ancestor == datacenter)
                })
        });
        let store = found.ok_or_else(|| fault::invalid_datastore(name))?;
        Ok(Self::new(store, path))
    }

    /// `[datastore] directory/file`.
    pub(crate) fn display(&self, world: &World) -> String {
        let name = world.name(&self.store).unwrap_or_default();
        match self.path.as_str() {
            "" => format!("[{name}]"),
            path => format!("[{name}] {path}"),
        }
    }

    /// The folder it lies in.
    pub(crate) fn parent(&self) -> Self {
        let parent = self.path.rsplit_once('/').map_or("", |(parent, _)| parent);
        Self::new(&self.store, parent)
    }

    /// Something in the folder that this is.
    pub(crate) fn join(&self, path: &str) -> Self {
        Self::new(&self.store, &format!("{}/{path}", self.path))
    }
}

/// The name of the datastore and the rest.
fn split(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.strip_prefix('[')?.split_once(']')?;
    let path = rest.trim_start_matches(' ');
    (!name.is_empty() && path.split('/').all(|part| part != "..")).then_some((name, path))
}

impl World {
    /// Makes the files of the virtual machines unless they exist.
    pub(crate) fn fill_files(&mut self) {
        if self.files.filled {
            return;
        }
        let stores: Vec<_> = self.all("Datastore").cloned().collect();
        for store in stores {
            self.files.stores.entry(store).or_default();
        }
        let vms: Vec<_> = self.all("VirtualMachine").cloned().collect();
        for vm in vms {
            for (location, entry) in files_of(self, &vm) {
                // Delta disks are there from the time when their snapshots were taken.
                if self.entry(&location).is_none() {
                    self.place(&location, entry);
                }
            }
        }
        self.files.filled = true;
    }

    /// Whether the files of the virtual machines are made.
    pub(crate) fn has_files(&self) -> bool {
        self.files.filled
    }

    /// The paths of all files with their lengths in bytes, in order.
    pub(crate) fn all_files(&self) -> Vec<(String, u64)> {
        let stores = self.files.stores.iter().flat_map(|(store, entries)| {
            entries
                .by_path
                .iter()
                .map(move |(path, entry)| (store, path, entry))
        });
        let files = stores.filter_map(|(store, path, entry)| {
            let location = DatastorePath::new(store, path);
            Some((location.display(self), self.length(entry)?))
        });
        let mut files: Vec<_> = files.collect();
        files.sort();
        files
    }

    /// The file or folder at a location. The root of a datastore is a folder.
    pub(crate) fn entry(&self, location: &DatastorePath) -> Option<&Entry> {
        let store = self.files.stores.get(&location.store)?;
        match location.path.as_str() {
            "" => Some(&Entry::Folder),
            path => store.by_path.get(path),
        }
    }

    /// Length of a file in bytes; `None` for a folder.
    pub(crate) fn length(&self, entry: &Entry) -> Option<u64> {
        Some(match entry {
            Entry::Folder => return None,
            Entry::File(content) => content.length(),
            Entry::Config(vm, written) => self.config_text(vm, written.as_ref()).len() as u64,
        })
    }

    /// What is in the file at a location; `None` for a folder.
    pub(crate) fn data(&self, location: &DatastorePath) -> Option<Content> {
        Some(match self.entry(location)? {
            Entry::Folder => return None,
            Entry::File(content) => content.clone(),
            Entry::Config(vm, written) => self.config_text(vm, written.as_ref()).into(),
        })
    }

    /// A whole file; `None` for a folder, and beyond [`LARGEST_WHOLE`].
    pub(crate) fn content(&self, location: &DatastorePath) -> Option<Bytes> {
        let data = self.data(location)?;
        let length = data.length();
        (length <= LARGEST_WHOLE)
            .then(|| data.read_at(0..length).ok())
            .flatten()
    }

    /// When a file or folder was written.
    pub(crate) fn modified(&self, entry: &Entry) -> DateTime {
        let written = match entry {
            Entry::File(content) => content.modified.clone(),
            Entry::Folder | Entry::Config(..) => None,
        };
        written.unwrap_or_else(parts::made_time)
    }

    /// Where the bytes of files are kept.
    pub(crate) fn store(&self) -> Store {
        self.files.store.clone()
    }

    /// Keeps the bytes of files there from now on.
    pub(crate) fn set_store(&mut self, store: Store) {
        self.files.store = store;
    }

    fn config_text(&self, vm: &ManagedObjectReference, written: Option<&Written>) -> Bytes {
        let now = self.config_of(vm);
        match written {
            Some(written) => written.following(now),
            None => bytes(&now),
        }
    }

    /// The configuration that a machine's properties give.
    fn config_of(&self, vm: &ManagedObjectReference) -> VmxFile {
        let vm = self.read::<properties::VirtualMachine>(vm);
        let config = vm.and_then(|vm| vm.config.as_ref());
        config.map_or_else(VmxFile::new, |config| vmx::file(config))
    }

    /// Writes or replaces a file, and makes its missing folders.
    pub(crate) fn put(&mut self, location: &DatastorePath, mut entry: Entry) {
        if let Entry::File(content) = &mut entry {
            content.modified = Some(self.now());
        }
        self.place(location, entry);
    }

    /// The same without a note of when.
    fn place(&mut self, location: &DatastorePath, entry: Entry) {
        if location.path.is_empty() {
            return;
        }
        let store = self.files.stores.entry(location.store.clone()).or_default();
        let before = store.allocated;
        let slashes = location.path.match_indices('/');
        for (end, _) in slashes {
            let folder = &location.path[..end];
            if !store.by_path.contains_key(folder) {
                store.insert(folder.to_owned(), Entry::Folder);
            }
        }
        store.insert(location.path.clone(), entry);
        self.follow_space(&location.store, before);
    }

    /// The time for what is written now. With a steady clock it is the same in every run.
    fn now(&self) -> DateTime {
        match self.events.clock {
            Clock::Server { .. } => self.clock.now(),
            Clock::Steady { .. } => DateTime::from_epoch_seconds(parts::MADE + 86_400),
        }
    }

    /// Writes a file. Writing the VMX file of a machine changes the machine.
    pub(crate) fn write(&mut self, location: &DatastorePath, content: Content) {
        let entry = match self.entry(location) {
            Some(Entry::Config(vm, _)) if content.length() <= LARGEST_WHOLE => {
                let vm = vm.clone();
                let bytes = content.read_at(0..content.length()).unwrap_or_default();
                vmx::apply(self, &vm, location, &bytes);
                self.as_written(vm, bytes)
            }
            _ => Entry::File(content),
        };
        self.put(location, entry);
    }

    /// From now on, a file is the VMX file of the machine that was made of it.
    pub(crate) fn adopt(&mut self, location: &DatastorePath, vm: &ManagedObjectReference) {
        let bytes = self.content(location).unwrap_or_default();
        let entry = self.as_written(vm.clone(), bytes);
        self.put(location, entry);
    }

    fn as_written(&self, vm: ManagedObjectReference, text: Bytes) -> Entry {
        let properties = self.config_of(&vm);
        Entry::Config(vm, Some(Written { text, properties }))
    }

    /// From now on, the VMX file of a machine is an ordinary file. Called before the machine is removed.
    pub(crate) fn let_go(&mut self, vm: &ManagedObjectReference) {
        let mut texts = Vec::new();
        for (store, files) in &self.files.stores {
            for (path, entry) in &files.by_path {
                if let Entry::Config(of, written) = entry
                    && of == vm
                {
                    let text = self.config_text(vm, written.as_ref());
                    texts.push((DatastorePath::new(store, path), text));
                }
            }
        }
        for (location, text) in texts {
            self.put(&location, Entry::bytes(text));
        }
    }

    /// Deletes a file, or a folder and everything in it. Returns whether it existed.
    pub(crate) fn delete(&mut self, location: &DatastorePath) -> bool {
        let Some(store) = self.files.stores.get_mut(&location.store) else {
            return false;
        };
        let before = store.allocated;
        let mut gone = vec![location.path.clone()];
        if let Some(Entry::Folder) = store.by_path.get(&location.path) {
            let below = format!("{}/", location.path);
            let paths = store.by_path.range(below.clone()..).map(|(path, _)| path);
            gone.extend(paths.take_while(|path| path.starts_with(&below)).cloned());
        }
        let removed = gone
            .iter()
            .filter(|path| store.remove(path).is_some())
            .count();
        self.follow_space(&location.store, before);
        removed > 0
    }

    /// Gives a file another place. Its folder is made; a machine's VMX file goes on to follow the machine.
    pub(crate) fn rename(&mut self, from: &DatastorePath, to: &DatastorePath) {
        let Some(store) = self.files.stores.get_mut(&from.store) else {
            return;
        };
        let before = store.allocated;
        if let Some(entry) = store.remove(&from.path) {
            self.follow_space(&from.store, before);
            self.place(to, entry);
        }
    }

    /// The files of a virtual disk: its descriptor, and those that the descriptor names.
    pub(crate) fn disk_files(&self, location: &DatastorePath) -> Vec<DatastorePath> {
        let Some(text) = self.content(location) else {
            return Vec::new();
        };
        let extents = descriptor::extents(&text).into_iter();
        let extents = extents.map(|name| location.parent().join(&name));
        std::iter::once(location.clone()).chain(extents).collect()
    }

    /// Copies a file, or a folder and everything in it.
    pub(crate) fn copy(&mut self, from: &DatastorePath, to: &DatastorePath) {
        let below = format!("{}/", from.path);
        let Some(store) = self.files.stores.get(&from.store) else {
            return;
        };
        let own = store.by_path.get_key_value(&from.path).into_iter();
        let beneath = store.by_path.range(below.clone()..);
        let copied: Vec<_> = own
            .chain(beneath.take_while(|(path, _)| path.starts_with(&below)))
            .map(|(path, entry)| {
                let place = to.join(&path[from.path.len()..]);
                match entry {
                    Entry::Config(vm, written) => {
                        (place, Entry::bytes(self.config_text(vm, written.as_ref())))
                    }
                    other => (place, other.clone()),
                }
            })
            .collect();
        for (place, entry) in copied {
            self.put(&place, entry);
        }
    }

    /// The content of a folder, sorted by name.
    pub(crate) fn list(&self, folder: &DatastorePath) -> Vec<(&str, &Entry)> {
        let prefix = match folder.path.as_str() {
            "" => String::new(),
            path => format!("{path}/"),
        };
        let Some(store) = self.files.stores.get(&folder.store) else {
            return Vec::new();
        };
        let mut found: Vec<(&str, &Entry)> = Vec::new();
        let mut from = prefix.clone();
        // What is in folders is passed over, a folder at a time.
        'folders: loop {
            let ahead = store.by_path.range(from..);
            for (path, entry) in ahead.take_while(|(path, _)| path.starts_with(&prefix)) {
                let name = &path[prefix.len()..];
                if let Some((folder, _)) = name.split_once('/') {
                    // The character after a slash.
                    from = format!("{prefix}{folder}0");
                    continue 'folders;
                }
                if !name.is_empty() {
                    found.push((name, entry));
                }
            }
            return found;
        }
    }

    /// Fails unless a new file can be made there: `FileAlreadyExists`, or `FileNotFound` without its folder.
    pub(crate) fn check_room(&self, location: &DatastorePath) -> Result<(), SoapFault> {
        if self.entry(location).is_some() {
            return Err(fault::file_already_exists(&location.display(self)));
        }
        match self.entry(&location.parent()) {
            Some(Entry::Folder) => Ok(()),
            _ => Err(fault::file_not_found(&location.parent().display(self))),
        }
    }

    /// Whether the folder of a location exists.
    pub(crate) fn has_folder_of(&self, location: &DatastorePath) -> bool {
        matches!(self.entry(&location.parent()), Some(Entry::Folder))
    }
}

/// The files that a virtual machine has.
pub(crate) fn files_of(
    world: &World,
    reference: &ManagedObjectReference,
) -> Vec<(DatastorePath, Entry)> {
    let vm = world.read::<properties::VirtualMachine>(reference);
    let Some((vm, config)) = vm.and_then(|vm| Some((vm, vm.config.as_ref()?))) else {
        return Vec::new();
    };
    let resolve = |text: &str| {
        let (name, path) = split(text)?;
        let mut stores = vm.datastore.iter();
        let store = stores.find(|store| world.name(store) == Some(name))?;
        Some(DatastorePath::new(store, path))
    };
    let mut files = Vec::new();
    if let Some(location) = config.files.vm_path_name.as_deref().and_then(resolve) {
        let beside = |ending: &str| {
            let name = location.path.strip_suffix(".vmx").unwrap_or(&location.path);
            DatastorePath::new(&location.store, &format!("{name}.{ending}"))
        };
        files.push((beside("nvram"), Entry::zeros(NVRAM)));
        files.push((
            beside("vmsd"),
            Entry::bytes(snapshot::list(world, reference)),
        ));
        let log = b"vmx| Log for VMware ESX\n";
        files.push((location.parent().join("vmware.log"), Entry::bytes(&log[..])));
        files.push((location, Entry::Config(reference.clone(), None)));
    }
    let layout = vm.layout_ex.as_deref();
    for file in layout.into_iter().flat_map(|layout| &layout.file) {
        if file.r#type.starts_with("snapshot")
            && let Some(location) = resolve(&file.name)
            && !files.iter().any(|(other, _)| *other == location)
        {
            let length = u64::try_from(file.size).unwrap_or_default();
            files.push((location, Entry::zeros(length)));
        }
    }
    for (location, descriptor) in chain::bottoms(world, reference) {
        files.extend(descriptor.files(&location));
    }
    for device in &config.hardware.device {
        let Some(backing) = device.backing.as_ref() else {
            continue;
        };
        if let Some(iso) = backing.cast::<VirtualCdromIsoBackingInfo>()
            && let Some(location) = resolve(&iso.file_name)
        {
            files.push((location, Entry::zeros(IMAGE)));
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::Release;
    use crate::world::inventory::ServerKind;

    #[test]
    fn paths_name_a_datastore_and_what_is_on_it() {
        for (text, expected) in [
            ("[ds] a/b.vmx", Some(("ds", "a/b.vmx"))),
            ("[ds]a", Some(("ds", "a"))),
            ("[ds]", Some(("ds", ""))),
            ("[] a", None),
            ("a/b", None),
            ("[ds a", None),
            ("[ds] a/../b", None),
        ] {
            assert_eq!(split(text), expected, "{text}");
        }
    }

    #[test]
    fn folders_have_what_lies_right_in_them() {
        let mut world = World::new(ServerKind::Esx, Release::newest());
        let store = ManagedObjectReference::new("Datastore", "1");
        let at = |path: &str| DatastorePath::new(&store, path);
        for path in ["a/b/c", "a/d", "a.b", "e"] {
            world.put(&at(path), Entry::zeros(1));
        }
        let names = |world: &World, path: &str| {
            let found = world.list(&at(path)).into_iter();
            found.map(|(name, _)| name.to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&world, ""), ["a", "a.b", "e"]);
        assert_eq!(names(&world, "/a/"), ["b", "d"]);
        world.copy(&at("a"), &at("e/f"));
        assert_eq!(names(&world, "e/f"), ["b", "d"]);
        assert!(world.delete(&at("a")));
        assert!(!world.delete(&at("a")));
        assert_eq!(names(&world, ""), ["a.b", "e"]);
    }
}
