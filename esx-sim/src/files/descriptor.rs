//! The small text files that describe virtual disks.

use bytes::Bytes;

use super::{Content, DatastorePath, Entry};
use crate::world::World;
use crate::world::inventory::datastore::volume;

/// What the descriptor of a disk says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// As `ddb.adapterType` has it, such as `lsilogic`.
    pub(crate) adapter: String,
    pub(crate) capacity_kb: u64,
    /// Whether its blocks are allocated when they are first written.
    pub(crate) thin: bool,
    /// The id of its content.
    pub(crate) content: u32,
    /// The disk that it has the changes to, if it is a delta disk.
    pub(crate) parent: Option<Parent>,
    /// The UUID that it was given, if it does not have the one of its place.
    pub(crate) uuid: Option<String>,
}

/// The disk below a delta disk, as the delta disk's descriptor names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parent {
    pub(crate) content: u32,
    /// The name of its descriptor in the same folder, or its whole path below `/vmfs/volumes/`.
    pub(crate) name: String,
}

/// The id of a content that nobody has changed since the disk was made.
const FRESH: u32 = 0xffff_fffe;

/// The longest descriptor that is read, in bytes.
const LONGEST: u64 = 64 << 10;

/// Types of controllers, and what they are in descriptors.
const ADAPTERS: &[(&str, &str)] = &[
    ("VirtualLsiLogicController", "lsilogic"),
    ("VirtualBusLogicController", "buslogic"),
    ("VirtualLsiLogicSASController", "lsisas1068"),
    ("ParaVirtualSCSIController", "pvscsi"),
    ("VirtualIDEController", "ide"),
];

impl Parent {
    /// A disk below another one, which may be in another folder.
    pub(crate) fn of(disk: &DatastorePath, below: &DatastorePath, content: u32) -> Self {
        let path = &below.path;
        let name = match disk.parent() == below.parent() {
            true => path.rsplit('/').next().unwrap_or(path).to_owned(),
            false => format!("/vmfs/volumes/{}/{path}", volume(&below.store.value)),
        };
        Self { content, name }
    }
}

impl Descriptor {
    /// For a disk without a parent, whose blocks are all allocated.
    pub(crate) fn new(adapter: &str, capacity_kb: u64) -> Self {
        Self {
            adapter: adapter.to_owned(),
            capacity_kb,
            thin: false,
            content: FRESH,
            parent: None,
            uuid: None,
        }
    }

    /// The same for a disk on a controller of that type.
    pub(crate) fn of(controller: &str, capacity_kb: u64) -> Self {
        let mut known = ADAPTERS.iter();
        let adapter = known.find(|(ty, _)| *ty == controller);
        Self::new(
            adapter.map_or("lsilogic", |(_, adapter)| adapter),
            capacity_kb,
        )
    }

    /// What the file at a location says; none if it is no descriptor. The extents of disks are too long to be one.
    pub(crate) fn at(world: &World, location: &DatastorePath) -> Option<Self> {
        let data = world.data(location)?;
        (data.length() <= LONGEST).then_some(())?;
        Self::read(&data.read_at(0..data.length()).ok()?)
    }

    /// What a descriptor says; none if it is no descriptor.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        text.starts_with("# Disk DescriptorFile").then_some(())?;
        let mut read = Self::new("lsilogic", 0);
        let (mut sectors, mut parent, mut name) = (0, u32::MAX, None);
        for line in text.lines() {
            if let Some(extent) = line.strip_prefix("RW ") {
                sectors += extent.split(' ').next()?.parse::<u64>().ok()?;
            }
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            let value = value.trim().trim_matches('"');
            match key.trim() {
                "ddb.adapterType" => value.clone_into(&mut read.adapter),
                "ddb.uuid" => read.uuid = Some(value.to_owned()),
                "ddb.thinProvisioned" => read.thin = value == "1",
                "CID" => read.content = u32::from_str_radix(value, 16).ok()?,
                "parentCID" => parent = u32::from_str_radix(value, 16).ok()?,
                "parentFileNameHint" => name = Some(value.to_owned()),
                _ => {}
            }
        }
        read.capacity_kb = sectors / 2;
        read.parent = name.map(|name| Parent {
            content: parent,
            name,
        });
        Some(read)
    }

    /// The type of the controller it is made for.
    pub(crate) fn controller(&self) -> Option<&'static str> {
        let mut known = ADAPTERS.iter();
        let found = known.find(|(_, adapter)| adapter.eq_ignore_ascii_case(&self.adapter));
        found.map(|(controller, _)| *controller)
    }

    /// That of a copy, which has all the content itself.
    pub(crate) fn flattened(self) -> Self {
        Self {
            parent: None,
            content: FRESH,
            uuid: None,
            ..self
        }
    }

    /// The descriptor, and beside it what is on the disk.
    pub(crate) fn files(&self, location: &DatastorePath) -> [(DatastorePath, Entry); 2] {
        let stem = location
            .path
            .strip_suffix(".vmdk")
            .unwrap_or(&location.path);
        let (kind, extent, ending) = match &self.parent {
            None => ("vmfs", "VMFS", "flat"),
            Some(_) => ("vmfsSparse", "VMFSSPARSE", "delta"),
        };
        let content = DatastorePath::new(&location.store, &format!("{stem}-{ending}.vmdk"));
        let name = content.path.rsplit('/').next().unwrap_or_default();
        let parent = self.parent.as_ref();
        let below = parent.map_or(u32::MAX, |parent| parent.content);
        let hint = parent.map_or(String::new(), |parent| {
            format!("parentFileNameHint=\"{}\"\n", parent.name)
        });
        let uuid = match &self.uuid {
            Some(uuid) => format!("ddb.uuid = \"{uuid}\"\n"),
            None => String::new(),
        };
        let thin = match self.thin {
            true => "ddb.thinProvisioned = \"1\"\n",
            false => "",
        };
        let text = format!(
            "# Disk DescriptorFile\nversion=1\nencoding=\"UTF-8\"\nCID={:08x}\nparentCID={below:08x}\n\
             createType=\"{kind}\"\n{hint}\n# Extent description\nRW {} {extent} \"{name}\"\n\n# The Disk Data Base\n\
             #DDB\n\nddb.adapterType = \"{}\"\n{thin}{uuid}ddb.virtualHWVersion = \"20\"\n",
            self.content,
            self.capacity_kb * 2,
            self.adapter,
        );
        let data = match parent {
            None => match Content::zeros(self.capacity_kb << 10) {
                sparse if self.thin => sparse,
                sparse => sparse.preallocated(),
            },
            Some(_) => empty_delta(self.capacity_kb * 2),
        };
        [
            (location.clone(), Entry::bytes(text)),
            (content, Entry::File(data)),
        ]
    }
}

/// Numbers of grains that an entry of a delta disk's directory is for.
const GRAINS_PER_TABLE: u64 = 4096;

/// A delta disk without any changes: its header of 2,048 bytes, and the directory of its tables, of which there is none.
/// The format is COWD, with grains of a sector.
fn empty_delta(sectors: u64) -> Content {
    let tables = sectors.div_ceil(GRAINS_PER_TABLE);
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    let directory = tables * 4;
    let first = 4;
    let free = first + directory.div_ceil(512);
    let mut header = b"COWD".to_vec();
    for value in [1, 3, sectors, 1, first, tables, free] {
        header.extend_from_slice(&number(value));
    }
    let mut content = Content::from(Bytes::from(header));
    content.set_length(free * 512);
    content
}

/// The names of the files with the content of a disk, as its descriptor has them.
pub(super) fn extents(text: &[u8]) -> Vec<String> {
    let Ok(text) = std::str::from_utf8(text) else {
        return Vec::new();
    };
    let extents = text.lines().filter(|line| line.starts_with("RW "));
    let names = extents.filter_map(|line| line.split('"').nth(1));
    names.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use vi_types::ManagedObjectReference;

    use super::*;

    fn whole(entry: &Entry) -> Bytes {
        let Entry::File(content) = entry else {
            panic!("it is a file");
        };
        content.read_at(0..content.length()).unwrap()
    }

    #[test]
    fn descriptors_are_read_as_they_were_written() {
        let store = ManagedObjectReference::new("Datastore", "1");
        let location = DatastorePath::new(&store, "a/b.vmdk");
        for controller in ADAPTERS.iter().map(|(controller, _)| controller) {
            let descriptor = Descriptor::of(controller, 33_554_432);
            let [(_, text), (flat, content)] = descriptor.files(&location);
            let text = whole(&text);
            let read = Descriptor::read(&text).unwrap();
            assert_eq!(read, descriptor);
            assert_eq!(read.controller(), Some(*controller));
            assert_eq!(extents(&text), ["b-flat.vmdk"]);
            assert_eq!(flat.path, "a/b-flat.vmdk");
            let Entry::File(content) = content else {
                panic!()
            };
            assert_eq!(content.length(), 34_359_738_368);
            assert!(content.is_preallocated());
        }
        assert_eq!(Descriptor::read(b"KDMV"), None);
    }

    #[test]
    fn a_delta_disk_names_its_parent() {
        let store = ManagedObjectReference::new("Datastore", "1");
        let location = DatastorePath::new(&store, "a/b-000001.vmdk");
        let descriptor = Descriptor {
            thin: true,
            content: 0x12,
            parent: Some(Parent {
                content: 0xab,
                name: "b.vmdk".to_owned(),
            }),
            ..Descriptor::new("pvscsi", 4096)
        };
        let [(_, text), (delta, content)] = descriptor.files(&location);
        let text = whole(&text);
        assert_eq!(Descriptor::read(&text), Some(descriptor.clone()));
        let text = String::from_utf8(text.to_vec()).unwrap();
        for line in [
            "CID=00000012\nparentCID=000000ab\ncreateType=\"vmfsSparse\"\nparentFileNameHint=\"b.vmdk\"\n",
            "RW 8192 VMFSSPARSE \"b-000001-delta.vmdk\"\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
        assert_eq!(delta.path, "a/b-000001-delta.vmdk");
        let header = whole(&content);
        assert_eq!(&header[..8], b"COWD\x01\0\0\0");
        assert_eq!(header.len(), 2048 + 512);
        assert_eq!(
            descriptor.flattened(),
            Descriptor {
                thin: true,
                ..Descriptor::new("pvscsi", 4096)
            }
        );
    }
}
