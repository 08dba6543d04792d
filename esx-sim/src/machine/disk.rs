//! A virtual disk with what is on it, whether or not a machine has it.

use vi_types::{ManagedObjectReference, SoapFault};

use crate::fault;
use crate::files::{Content, DatastorePath, Descriptor, Entry};
use crate::machine::chain;
use crate::world::World;
use crate::world::inventory::datastore::check_space;

/// A disk: its descriptor, and the content of its extent.
pub(crate) struct Disk {
    pub(crate) descriptor: Descriptor,
    pub(crate) data: Content,
}

impl Disk {
    /// A disk of zeros, or a delta disk without any changes.
    pub(crate) fn new(descriptor: Descriptor) -> Self {
        // Where it is makes no difference to what is on it.
        let place = DatastorePath::new(&ManagedObjectReference::default(), "");
        let data = match descriptor.files(&place) {
            [_, (_, Entry::File(data))] => data,
            _ => Content::default(),
        };
        Self { descriptor, data }
    }

    /// The disk at a location.
    ///
    /// # Errors
    /// `FileNotFound` if there is no descriptor.
    pub(crate) fn read(world: &World, location: &DatastorePath) -> Result<Self, SoapFault> {
        let descriptor = descriptor(world, location)?;
        let extent = world.disk_files(location).into_iter().nth(1);
        let data = extent.and_then(|extent| world.data(&extent));
        Ok(match data {
            Some(data) => Self { descriptor, data },
            None => Self::new(descriptor),
        })
    }

    /// The same without disks below it: it has the content of the lowest one. Delta disks have none here, as there are no
    /// guests that write.
    pub(crate) fn flattened(self, world: &World, location: &DatastorePath) -> Self {
        let lowest = chain::of(world, location).pop();
        let lowest = lowest.filter(|lowest| lowest != location);
        let lowest = lowest.and_then(|lowest| Self::read(world, &lowest).ok());
        let thin = lowest
            .as_ref()
            .map_or(self.descriptor.thin, |lowest| lowest.descriptor.thin);
        let data = lowest.map_or(self.data, |lowest| lowest.data);
        let descriptor = Descriptor {
            thin,
            ..self.descriptor.flattened()
        };
        let mut data = data;
        data.set_length(descriptor.capacity_kb.saturating_mul(1024));
        Self { descriptor, data }
    }

    /// Lets the content take its place at once, or when it is written.
    pub(crate) fn set_thin(&mut self, thin: bool) {
        self.descriptor.thin = thin;
        let data = std::mem::take(&mut self.data);
        self.data = match thin {
            true => data.shrunk(),
            false => data.preallocated(),
        };
    }

    /// Writes the disk to a location, in the place of one that is there.
    ///
    /// # Errors
    /// `NoDiskSpace` without room for its content.
    pub(crate) fn put(self, world: &mut World, location: &DatastorePath) -> Result<(), SoapFault> {
        let [(place, text), (extent, _)] = self.descriptor.files(location);
        let before = world.data(&extent).map_or(0, |old| old.allocated());
        let more = self.data.allocated().saturating_sub(before);
        check_space(world, location, more)?;
        world.put(&place, text);
        world.put(&extent, Entry::File(self.data));
        Ok(())
    }
}

/// What the descriptor at a location says.
pub(crate) fn descriptor(world: &World, location: &DatastorePath) -> Result<Descriptor, SoapFault> {
    let found = Descriptor::at(world, location);
    found.ok_or_else(|| fault::file_not_found(&location.display(world)))
}
