//! Clones of domains: by the vCenter, or on a lone host by copying the files.

mod copy;
mod file;

use vi_client::{Client, property_set};
use vi_types::ManagedObjectReference;
use vi_types::methods::{CloneVmTask, FindChild};
use vi_types::objects::{
    DuplicateName, VirtualMachineCloneSpec, VirtualMachineRelocateSpec, VirtualMachineSnapshotTree,
};
use virt_model::{ErrorNumber, Uuid};
use vmx::escape::PERCENT;

use super::Domain;
use crate::engine::{Change, Effect, Machine, Runner};
use crate::inventory::{self, Place};
use crate::{Connect, Error, ErrorKind, Operation, Result, What, datastore};

property_set! {
    struct Source: VirtualMachine {
        folder: Option<ManagedObjectReference> = parent,
        pool: Option<ManagedObjectReference> = resource_pool,
        host: Option<ManagedObjectReference> = runtime.host,
        current_snapshot: Option<ManagedObjectReference> = snapshot.current_snapshot,
        snapshots: Vec<VirtualMachineSnapshotTree> = snapshot.root_snapshot_list,
    }
}

property_set! {
    struct Clone: VirtualMachine {
        uuid: Option<String> = config.uuid,
        instance_uuid: Option<String> = config.instance_uuid,
    }
}

/// How a domain is cloned. The default is a full clone beside the domain, which is off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CloneOptions {
    /// The clone shares the disks of a snapshot instead of copying them: of `snapshot`, or of the current one. Needs a
    /// vCenter.
    pub linked: bool,
    /// Clones the domain as it was at the snapshot of this name. Needs a vCenter.
    pub snapshot: Option<String>,
    /// The datastore of the clone's files; without it the domain's.
    pub datastore: Option<String>,
    /// The host of the clone, by its name or its reference; without it the domain's. Needs a vCenter.
    pub host: Option<String>,
    /// The clone is a template. Needs a vCenter.
    pub template: bool,
    /// Starts the clone.
    pub start: bool,
}

const COULD_NOT: &str = "Could not clone domain";

impl Domain {
    /// Makes a clone of the domain with the name `name`, and returns it. The host gives it UUIDs and MAC addresses of its own.
    ///
    /// With a vCenter (`vpx://`, or `vcenter=`), the vCenter clones: also domains that run, and also
    /// [linked](CloneOptions::linked). The clone is in the domain's folder.
    ///
    /// A lone host cannot clone. There the domain has to be off; its disks are copied into a new directory, as they are
    /// now if there are snapshots, its VMX file is edited, and the copy is registered. If that fails, the directory is
    /// removed again, or the error's [advice](Error::advice) says what is left.
    ///
    /// libvirt has no such function; virt-clone makes clones of what it has.
    ///
    /// # Errors
    /// [`ErrorKind::Exists`] if there is a domain of that name, or on a lone host a directory; [`ErrorKind::NotFound`] if
    /// there is no such snapshot, datastore or host; [`ErrorKind::WrongState`] if the domain is not off and the host is a
    /// lone one; [`ErrorKind::Unsupported`] if the options need a vCenter and there is none; [`ErrorKind::Definition`] for
    /// a name that cannot be; what [all tasks](Operation) may end with.
    pub fn clone_to(&self, name: &str, options: CloneOptions) -> Operation<'static, Domain> {
        let (domain, name) = (self.clone(), name.to_owned());
        Operation::new(COULD_NOT, move |mut runner| {
            Box::pin(async move {
                check_name(&name)?;
                let options = &options;
                match domain.connect.managed_by().await? {
                    Some((client, place)) => {
                        let at = (client.clone(), place.clone());
                        domain.clone_at(at, &mut runner, &name, options).await
                    }
                    None => domain.clone_here(&mut runner, &name, options).await,
                }
            })
        })
    }

    /// Lets the vCenter clone the domain.
    async fn clone_at(
        &self,
        (client, place): (Client, Place),
        runner: &mut Runner<'_>,
        name: &str,
        options: &CloneOptions,
    ) -> Result<Domain> {
        let raw_name = PERCENT.escape(name).into_owned();
        let read = self.clone_request(&client, &place, &raw_name, options);
        let (vm, request) = runner.prepare(read).await?;
        let folder = request.folder.clone();
        let change = Change::task(&client, request)
            .of(Machine {
                moref: vm,
                ..self.machine()
            })
            .verified_by({
                let client = client.clone();
                move || {
                    let (client, folder, name) = (client.clone(), folder.clone(), raw_name.clone());
                    // There was nothing of that name before.
                    Box::pin(async move { clone_in(client, folder, name).await })
                }
            });
        let cloned = runner.perform(change).await;
        let vm = cloned.map_err(|error| explain(error, name))?;
        let found = runner.prepare(self.connect.clone_found(&client, &vm)).await;
        found.map_err(|error| {
            error.note(&format!(
                "the clone '{name}' was made, but not found on this host"
            ))
        })
    }

    /// The virtual machine at the vCenter, and the request that clones it.
    async fn clone_request(
        &self,
        client: &Client,
        place: &Place,
        raw_name: &str,
        options: &CloneOptions,
    ) -> Result<(ManagedObjectReference, CloneVmTask)> {
        let (_, vm) = self.at_vcenter().await?;
        let source = client.read_opt::<Source>(vm.as_ref()).await?;
        let source = source.ok_or_else(|| super::no_domain_with_uuid(self.uuid))?;
        let snapshot = snapshot(&source, options)?;
        let place = match &options.host {
            Some(host) => Some(inventory::read(client).await?.host(host)?),
            // A template has no pool, so it needs a place.
            None => source.pool.is_none().then(|| place.clone()),
        };
        let host = place.as_ref().map(|place| place.host_system.clone());
        let host = host.or(source.host);
        let datastore = match (&options.datastore, &host) {
            (Some(name), Some(host)) => Some(datastore::by_name(client, host, name).await?),
            _ => None,
        };
        let folder = source.folder;
        let folder = match folder {
            Some(folder) => folder,
            None => self.connect.vm_folder().await?.clone(),
        };
        let child = FindChild {
            entity: folder.clone(),
            name: raw_name.to_owned(),
            ..FindChild::default()
        };
        if client.call(&child).await?.is_some() {
            return Err(exists(&self.shown(raw_name)));
        }
        let move_type = match (options.linked, &snapshot) {
            (true, _) => Some("createNewChildDiskBacking"),
            (false, Some(_)) => Some("moveAllDiskBackingsAndDisallowSharing"),
            (false, None) => None,
        };
        let spec = VirtualMachineCloneSpec {
            location: VirtualMachineRelocateSpec {
                pool: place.map(|place| place.resource_pool).or(source.pool),
                host,
                datastore,
                disk_move_type: move_type.map(str::to_owned),
                ..VirtualMachineRelocateSpec::default()
            },
            template: options.template,
            power_on: options.start,
            snapshot,
            ..VirtualMachineCloneSpec::default()
        };
        let moref = vm.to_moref();
        Ok((moref, vm.clone_vm_task(folder, raw_name, spec)))
    }

    /// A name of the inventory, unescaped.
    fn shown(&self, raw_name: &str) -> String {
        super::identity::name(raw_name).unwrap_or_else(|_| raw_name.to_owned())
    }
}

impl Connect {
    /// The folder of new virtual machines at the vCenter, or at the host.
    async fn vm_folder(&self) -> Result<&ManagedObjectReference> {
        let place = match self.managed_by().await? {
            Some((_, place)) => place,
            None => self.place().await?,
        };
        Ok(&place.vm_folder)
    }

    /// The domain of a clone that the vCenter made.
    async fn clone_found(&self, client: &Client, vm: &ManagedObjectReference) -> Result<Domain> {
        let found = match self.vcenter() {
            None => self.domain(vm).await?,
            // The host has a reference of its own.
            Some(_) => {
                let clone: Clone = client.read(vm).await?;
                let uuid = match self.by_instance_uuid() {
                    true => clone.instance_uuid,
                    false => clone.uuid,
                };
                let uuid: Option<Uuid> = uuid.and_then(|uuid| uuid.parse().ok());
                Some(self.lookup_by_uuid(uuid.unwrap_or(Uuid::NIL)).await?)
            }
        };
        found.ok_or_else(|| super::no_domain(format!("Could not find the clone '{}'", vm.value)))
    }
}

/// The snapshot that is cloned, if one is.
fn snapshot(source: &Source, options: &CloneOptions) -> Result<Option<ManagedObjectReference>> {
    let missing = |message: String| {
        let kind = ErrorKind::NotFound(What::Snapshot);
        Error::new(kind, ErrorNumber::NoDomainSnapshot, message)
    };
    match &options.snapshot {
        Some(name) => match named(&source.snapshots, name) {
            Some(snapshot) => Ok(Some(snapshot.clone())),
            None => {
                let message = format!("Could not find snapshot with name '{name}'");
                Err(missing(message))
            }
        },
        None if options.linked => match &source.current_snapshot {
            Some(snapshot) => Ok(Some(snapshot.clone())),
            None => Err(missing("Domain has no current snapshot".to_owned())
                .advise("a linked clone shares the disks of a snapshot: take one first")),
        },
        None => Ok(None),
    }
}

/// The first snapshot of that name, depth first as in libvirt.
fn named<'a>(
    trees: &'a [VirtualMachineSnapshotTree],
    name: &str,
) -> Option<&'a ManagedObjectReference> {
    trees.iter().find_map(|tree| match tree.name == name {
        true => Some(&tree.snapshot),
        // Recursion is safe: the decoder limits the depth of an answer.
        false => named(&tree.child_snapshot_list, name),
    })
}

/// Whether the clone is there. While it is made, it has no configuration.
async fn clone_in(
    client: Client,
    folder: ManagedObjectReference,
    name: String,
) -> Result<Effect<ManagedObjectReference>> {
    let request = FindChild {
        entity: folder,
        name,
        ..FindChild::default()
    };
    let Some(vm) = client.call(&request).await? else {
        return Ok(Effect::NotDone);
    };
    let clone = client.read_opt::<Clone>(&vm).await?;
    Ok(match clone.and_then(|clone| clone.uuid) {
        Some(_) => Effect::Done(vm),
        None => Effect::Unknown,
    })
}

/// libvirt's text for a name that is taken. The API does not declare this fault of cloning, but vCenters send it.
fn explain(error: Error, name: &str) -> Error {
    match error.cause() {
        Some(cause) if cause.is_fault::<DuplicateName>() => exists(name).because(error),
        _ => error,
    }
}

fn exists(name: &str) -> Error {
    Error::new(
        ErrorKind::Exists(What::Domain),
        ErrorNumber::OperationFailed,
        format!("domain '{name}' already exists"),
    )
}

/// Refuses names that no domain can have.
fn check_name(name: &str) -> Result<()> {
    let message = match name {
        "" => "the name of a clone must not be empty",
        name if name.contains('\n') => "invalid char in name: \n",
        _ => return Ok(()),
    };
    Err(Error::new(
        ErrorKind::Definition,
        ErrorNumber::XmlDetail,
        message,
    ))
}
