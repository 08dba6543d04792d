//! The keys of volumes.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt as _};
use vi_client::property_set;
use vi_client::retrieve::{Retrieve, Selection};
use vi_types::Poly;
use vi_types::objects::{
    VirtualDevice, VirtualDeviceFileBackingInfo, VirtualDisk, VirtualDiskFlatVer2BackingInfo,
    VirtualDiskSeSparseBackingInfo, VirtualDiskSparseVer2BackingInfo,
};
use vi_types::properties::HostSystem;
use virt_model::{ErrorNumber, Uuid};

use super::file::{File, Shape, listed};
use super::{Backend, StorageVol, no_volume};
use crate::connect::ProductLine;
use crate::datastore::{FoundIn, Store};
use crate::{Connect, DatastorePath, Error, ErrorKind, Result};

/// How many disks are asked for their UUIDs at a time.
const AT_A_TIME: usize = 8;

property_set! {
    struct Devices: VirtualMachine {
        devices: Vec<Poly<VirtualDevice>> = config.hardware.device,
    }
}

impl StorageVol {
    /// A text that stays the same when the volume moves within its host.
    ///
    /// | volume | key | requests |
    /// |---|---|---|
    /// | virtual disk on a host | the disk's UUID | one the first time |
    /// | any other file | its datastore path | none |
    /// | LUN | the MD5 sum of the LUN's UUID, as a UUID | none |
    ///
    /// A vCenter does not tell the UUIDs of disks, so there the key of every file is its path. The links of a chain of
    /// snapshots have the same UUID.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such disk.
    #[doc(alias = "virStorageVolGetKey")]
    pub async fn key(&self) -> Result<String> {
        match &self.backend {
            Backend::Lun(lun) => Ok(lun.key.clone()),
            Backend::File(file) => file.key(&self.connect).await,
        }
    }
}

impl File {
    async fn key(&self, connect: &Connect) -> Result<String> {
        if let Some(known) = self.key.get() {
            return Ok(known.clone());
        }
        let key = match self.has_uuid(connect) {
            true => {
                let uuid = connect.disk_uuid(&self.path).await?;
                reformatted(&uuid.ok_or_else(|| no_volume(&self.path))?)?
            }
            false => self.path.to_string(),
        };
        Ok(self.key.get_or_init(|| key).clone())
    }

    /// Whether the key is a UUID, if the file is what its name says.
    pub(super) fn has_uuid(&self, connect: &Connect) -> bool {
        connect.product().line == ProductLine::Esx && self.is_disk_name()
    }

    /// Fails unless the file is there: one request for a virtual disk on a host, which tells the key too; a search for any
    /// other file.
    pub(super) async fn ensure_there(&self, connect: &Connect) -> Result<()> {
        if self.has_uuid(connect) {
            match connect.disk_uuid(&self.path).await {
                Ok(Some(uuid)) => {
                    let key = reformatted(&uuid)?;
                    self.key.get_or_init(|| key);
                    return Ok(());
                }
                // The search says what is missing, and finds directories of such names.
                Ok(None) => {}
                Err(error) if error.fault().is_some() => {}
                Err(error) => return Err(error),
            }
        }
        self.facts(connect).await.map(drop)
    }
}

impl Connect {
    /// The virtual disk with that UUID on any datastore of the host.
    ///
    /// The disks of the host's domains are looked at first, in one request. Only if it is none of them, the datastores are
    /// searched, and each of their disks is asked for its UUID.
    pub(super) async fn disk_with_uuid(&self, uuid: Uuid) -> Result<Option<StorageVol>> {
        if self.product().line != ProductLine::Esx {
            return Ok(None);
        }
        let wanted = uuid.to_string();
        // As the links of a chain have the same UUID, the first by its path is taken: libvirt takes the first in the
        // order of the server's answer, which is the same on servers that sort.
        let attached = self.disks_of_domains(uuid).await?;
        for path in attached {
            let file = File::new(&Store::named(path.datastore()), path);
            if file.has_key(self, &wanted).await? {
                return Ok(Some(self.volume(file)));
            }
        }
        let mut first_problem = None;
        for browser in self.browsers().await? {
            let found = self.files_below(&browser, listed(false), false).await;
            let found = match found {
                Ok(found) => found,
                // The disk may be on another datastore.
                Err(error) if error.fault().is_some() => {
                    first_problem.get_or_insert(error);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let store = Store::of(browser);
            let files = found.iter().flat_map(|FoundIn { folder, files }| {
                let files = files.iter().map(|file| (file, folder.child(&file.path)));
                let disks = files.filter(|(file, _)| {
                    matches!(super::file::Facts::of(file).shape, Shape::Disk(_))
                });
                disks.map(|(_, path)| File::new(&store, path))
            });
            let asked = files.map(|file| {
                let wanted = wanted.as_str();
                async move {
                    let is_it = file.has_key(self, wanted).await;
                    (file, is_it)
                }
            });
            let mut asked = stream::iter(asked).buffered(AT_A_TIME);
            while let Some((file, is_it)) = asked.next().await {
                match is_it {
                    Ok(true) => return Ok(Some(self.volume(file))),
                    Ok(false) => {}
                    Err(error) if error.fault().is_some() => {
                        first_problem.get_or_insert(error);
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        match first_problem {
            None => Ok(None),
            Some(problem) => Err(super::lookup::no_key(&wanted)
                .advise("some disks or datastores could not be read")
                .because(problem)),
        }
    }

    fn volume(&self, file: File) -> StorageVol {
        StorageVol {
            connect: self.clone(),
            backend: Backend::File(file),
        }
    }

    /// The paths of the disks with that UUID, and of the disks below them, that the host's domains have: one request.
    async fn disks_of_domains(&self, uuid: Uuid) -> Result<BTreeSet<DatastorePath>> {
        let request = Retrieve::from(self.host_system().await?)
            .skip_start()
            .select(Selection::along(|host: &HostSystem| &host.vm));
        let machines = self.client().retrieve_set::<Devices>(request).await?;
        let mut paths = BTreeSet::new();
        // A machine whose devices cannot be read has none that could be compared.
        let machines = machines
            .into_iter()
            .filter_map(|machine| machine.properties.ok());
        for device in machines.flat_map(|machine| machine.devices) {
            let Some(disk) = device.cast::<VirtualDisk>() else {
                continue;
            };
            if disk_uuid(disk).is_some_and(|own| own == uuid) {
                let links = links(disk).into_iter().filter_map(|path| path.parse().ok());
                paths.extend(links);
            }
        }
        Ok(paths)
    }
}

impl File {
    async fn has_key(&self, connect: &Connect, wanted: &str) -> Result<bool> {
        match self.key(connect).await {
            Ok(key) => Ok(key == wanted),
            // Somebody has deleted it meanwhile.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The UUID in the backing of a machine's disk.
fn disk_uuid(disk: &VirtualDisk) -> Option<Uuid> {
    let backing = disk.base.backing.as_ref()?;
    let flat = backing.cast::<VirtualDiskFlatVer2BackingInfo>();
    let text = match flat {
        Some(flat) => flat.uuid.as_ref(),
        None => match backing.cast::<VirtualDiskSparseVer2BackingInfo>() {
            Some(sparse) => sparse.uuid.as_ref(),
            None => {
                let sparse = backing.cast::<VirtualDiskSeSparseBackingInfo>();
                sparse.and_then(|sparse| sparse.uuid.as_ref())
            }
        },
    };
    text?.parse().ok()
}

/// The files of a machine's disk, from the one that it writes to down to the base.
pub(super) fn links(disk: &VirtualDisk) -> Vec<&str> {
    let mut links = Vec::new();
    let Some(backing) = disk.base.backing.as_ref() else {
        return links;
    };
    if let Some(file) = backing.cast::<VirtualDeviceFileBackingInfo>() {
        links.push(file.file_name.as_str());
    }
    let mut parent = backing
        .cast::<VirtualDiskFlatVer2BackingInfo>()
        .and_then(|flat| flat.parent.as_deref());
    while let Some(below) = parent {
        links.push(&below.base.file_name);
        parent = below.parent.as_deref();
    }
    links
}

/// A disk's UUID as libvirt writes it: the server writes `60 00 C2 9d …-…`.
fn reformatted(text: &str) -> Result<String> {
    let uuid: Result<Uuid, _> = text.parse();
    uuid.map(|uuid| uuid.to_string()).map_err(|_| {
        let message = format!("Could not parse UUID from string '{text}'");
        let kind = ErrorKind::UnexpectedValue;
        Error::new(kind, ErrorNumber::InternalError, message)
    })
}
