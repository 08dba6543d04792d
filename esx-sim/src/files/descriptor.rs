//! The small text files that describe virtual disks.

use bytes::Bytes;

use super::{DatastorePath, Entry};

/// What the descriptor of a disk says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Descriptor {
    /// As `ddb.adapterType` has it, such as `lsilogic`.
    pub(crate) adapter: String,
    pub(crate) capacity_kb: u64,
}

/// Types of controllers, and what they are in descriptors.
const ADAPTERS: &[(&str, &str)] = &[
    ("VirtualLsiLogicController", "lsilogic"),
    ("VirtualBusLogicController", "buslogic"),
    ("VirtualLsiLogicSASController", "lsisas1068"),
    ("ParaVirtualSCSIController", "pvscsi"),
    ("VirtualIDEController", "ide"),
];

impl Descriptor {
    /// For a disk on a controller of that type.
    pub(crate) fn of(controller: &str, capacity_kb: u64) -> Self {
        let mut known = ADAPTERS.iter();
        let adapter = known.find(|(ty, _)| *ty == controller);
        Self {
            adapter: adapter
                .map_or("lsilogic", |(_, adapter)| adapter)
                .to_owned(),
            capacity_kb,
        }
    }

    /// What a descriptor says; none if it is no descriptor.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        text.starts_with("# Disk DescriptorFile").then_some(())?;
        let mut sectors = 0;
        let mut adapter = "lsilogic";
        for line in text.lines() {
            if let Some(extent) = line.strip_prefix("RW ") {
                sectors += extent.split(' ').next()?.parse::<u64>().ok()?;
            }
            if let Some(("ddb.adapterType ", value)) = line.split_once('=') {
                adapter = value.trim().trim_matches('"');
            }
        }
        Some(Self {
            adapter: adapter.to_owned(),
            capacity_kb: sectors / 2,
        })
    }

    /// The type of the controller it is made for.
    pub(crate) fn controller(&self) -> Option<&'static str> {
        let mut known = ADAPTERS.iter();
        let found = known.find(|(_, adapter)| adapter.eq_ignore_ascii_case(&self.adapter));
        found.map(|(controller, _)| *controller)
    }

    /// The descriptor, and beside it what is on the disk.
    pub(crate) fn files(&self, location: &DatastorePath) -> [(DatastorePath, Entry); 2] {
        let stem = location
            .path
            .strip_suffix(".vmdk")
            .unwrap_or(&location.path);
        let content = DatastorePath::new(&location.store, &format!("{stem}-flat.vmdk"));
        let name = content.path.rsplit('/').next().unwrap_or_default();
        let text = format!(
            "# Disk DescriptorFile\nversion=1\nencoding=\"UTF-8\"\nCID=fffffffe\nparentCID=ffffffff\n\
             createType=\"vmfs\"\n\n# Extent description\nRW {} VMFS \"{name}\"\n\n# The Disk Data Base\n#DDB\n\n\
             ddb.adapterType = \"{}\"\nddb.virtualHWVersion = \"20\"\n",
            self.capacity_kb * 2,
            self.adapter,
        );
        [
            (location.clone(), Entry::File(Bytes::from(text))),
            (content, Entry::Zeros(self.capacity_kb << 10)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use vi_types::ManagedObjectReference;

    use super::*;

    #[test]
    fn descriptors_are_read_as_they_were_written() {
        let store = ManagedObjectReference::new("Datastore", "1");
        let location = DatastorePath::new(&store, "a/b.vmdk");
        for controller in ADAPTERS.iter().map(|(controller, _)| controller) {
            let descriptor = Descriptor::of(controller, 33_554_432);
            let [(_, text), (flat, content)] = descriptor.files(&location);
            let Entry::File(text) = text else { panic!() };
            let read = Descriptor::read(&text).unwrap();
            assert_eq!(read, descriptor);
            assert_eq!(read.controller(), Some(*controller));
            assert_eq!(flat.path, "a/b-flat.vmdk");
            assert!(matches!(content, Entry::Zeros(34_359_738_368)));
        }
        assert_eq!(Descriptor::read(b"KDMV"), None);
    }
}
