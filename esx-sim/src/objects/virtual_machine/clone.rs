//! VirtualMachine: clones.

use std::collections::HashSet;

use vi_types::enums::VirtualMachinePowerState::{PoweredOff, PoweredOn};
use vi_types::methods::CloneVmTask;
use vi_types::objects::{
    VirtualDevice, VirtualDeviceFileBackingInfo, VirtualDiskFlatVer2BackingInfo,
    VirtualEthernetCard, VirtualMachineCloneSpec, VirtualMachineConfigInfo,
    VirtualMachineConfigSpec, VirtualMachineFileInfo, VmClonedEvent,
};
use vi_types::{Any, DateTime, ManagedObjectReference, Poly, SoapFault, properties};

use crate::call::{Call, Row};
use crate::event::lifecycle;
use crate::fault;
use crate::files::{DatastorePath, Descriptor, Parent};
use crate::machine::disk::Disk;
use crate::machine::device::disk_file;
use crate::machine::relocation::store_after;
use crate::machine::{self, NewMachine, Place, chain, config, migration, place, power};
use crate::objects::managed_entity::check_name;
use crate::world::World;
use crate::world::inventory::ServerKind;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(clone),
    ]
}

/// Clones a machine. ESX hosts answer `NotSupported`, since cloning is a function of vCenter.
fn clone(
    call: &mut Call<'_>,
    request: &CloneVmTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let world = &mut call.state.world;
    if world.kind() == ServerKind::Esx {
        return Err(fault::not_supported());
    }
    check_name(&request.name)?;
    world.fill_files();
    if world.read::<properties::Folder>(&request.folder).is_none() {
        return Err(fault::managed_object_not_found(&request.folder));
    }
    let source = world.read::<properties::VirtualMachine>(call.this);
    let source = source.ok_or_else(|| fault::managed_object_not_found(call.this))?;
    let location = &request.spec.location;
    let pool = location.pool.as_ref().or(source.resource_pool.as_ref());
    if pool.is_none() && !request.spec.template {
        return Err(fault::invalid_argument("spec.location.pool"));
    }
    let runtime = source.runtime.as_deref();
    let host = match &location.pool {
        // Another pool may be another host's.
        Some(_) => location.host.as_ref(),
        None => (location.host.as_ref()).or(runtime.and_then(|runtime| runtime.host.as_ref())),
    };
    let clone = Clone {
        place: Place {
            pool: pool.filter(|_| !request.spec.template).cloned(),
            ..place::resolve(world, &request.folder, pool, host)?
        },
        source: call.this.clone(),
        name: request.name.clone(),
        spec: request.spec.clone(),
        at: call.state.tasks.time(),
    };
    call.begin::<CloneVmTask>("VirtualMachine.clone", |world| {
        clone.run(world).map(|vm| Some(Any::from(vm)))
    })
}

/// A clone to be made.
struct Clone {
    source: ManagedObjectReference,
    place: Place,
    name: String,
    spec: VirtualMachineCloneSpec,
    at: DateTime,
}

impl Clone {
    fn run(self, world: &mut World) -> Result<ManagedObjectReference, SoapFault> {
        if let Some(other) = config::namesake(world, &self.place.folder, &self.name) {
            return Err(fault::duplicate_name(&self.name, &other));
        }
        let source = self.config(world)?;
        let own = source.files.vm_path_name.as_deref().unwrap_or_default();
        let datacenter = config::datacenter_of(world, &self.source);
        let own = DatastorePath::resolve(world, datacenter, own)?;
        let store = self.spec.location.datastore.clone().unwrap_or(own.store);
        self.check_host(world, &store)?;
        let vmx = place::free_directory(world, &DatastorePath::new(&store, ""), &self.name);
        let mut spec = config::spec_of(&source);
        spec.name = Some(self.name.clone());
        spec.files = Some(
            VirtualMachineFileInfo {
                vm_path_name: Some(vmx.display(world)),
                ..VirtualMachineFileInfo::default()
            }
            .into(),
        );
        let mut files = Vec::new();
        lifecycle::being_cloned(world, &self.source, &self.place.folder, &self.place.host, &self.name);
        let made = self
            .make_disks(world, &mut spec, &vmx, &mut files)
            .and_then(|()| self.make(world, spec));
        if made.is_err() {
            files.push(vmx);
            let directories: HashSet<_> = files.iter().map(DatastorePath::parent).collect();
            for directory in directories {
                world.delete(&directory);
            }
        }
        made
    }

    /// Checks that the host of the clone has the datastores and networks that the clone needs.
    fn check_host(&self, world: &World, store: &ManagedObjectReference) -> Result<(), SoapFault> {
        let location = &self.spec.location;
        let stores = location.disk.iter().map(|locator| &locator.datastore);
        let host = world.read::<properties::HostSystem>(&self.place.host);
        for store in stores.chain([store]) {
            let found = world.read::<properties::Datastore>(store);
            let found = found.ok_or_else(|| fault::managed_object_not_found(store))?;
            if !host.is_some_and(|host| host.datastore.contains(store)) {
                let name = found.name.as_deref().unwrap_or_default();
                return Err(fault::invalid_datastore(name));
            }
        }
        let changed = self.spec.config.iter().map(|config| &config.device_change);
        let mut changed = changed.chain([&location.device_change]);
        let machine = world.read::<properties::VirtualMachine>(&self.source);
        let Some(machine) = machine.filter(|_| changed.all(Vec::is_empty)) else {
            // The devices may fit after the change.
            return Ok(());
        };
        let store_of = |device: &Poly<VirtualDevice>, now: &ManagedObjectReference| {
            store_after(location, Some(device), now)
        };
        let host = &self.place.host;
        let problems = migration::problems(world, machine, host, &PoweredOff, store_of);
        problems.into_iter().next().map_or(Ok(()), Err)
    }

    /// The configuration to clone: that of the machine, or of one of its snapshots.
    fn config(&self, world: &World) -> Result<VirtualMachineConfigInfo, SoapFault> {
        let config = match &self.spec.snapshot {
            Some(snapshot) => {
                let found = world.read::<properties::VirtualMachineSnapshot>(snapshot);
                let found = found.filter(|found| found.vm.as_ref() == Some(&self.source));
                found.and_then(|found| found.config.as_deref())
            }
            None => {
                let source = world.read::<properties::VirtualMachine>(&self.source);
                source.and_then(|source| source.config.as_deref())
            }
        };
        config.cloned().ok_or_else(|| {
            let meant = self.spec.snapshot.as_ref().unwrap_or(&self.source);
            fault::managed_object_not_found(meant)
        })
    }

    /// Makes the disk files, and removes generated addresses of network cards. `made` gets the disks.
    fn make_disks(
        &self,
        world: &mut World,
        spec: &mut VirtualMachineConfigSpec,
        vmx: &DatastorePath,
        made: &mut Vec<DatastorePath>,
    ) -> Result<(), SoapFault> {
        let datacenter = config::datacenter_of(world, &self.source).cloned();
        let stem = vmx.path.strip_suffix(".vmx").unwrap_or(&vmx.path);
        for change in &mut spec.device_change {
            if let Some(card) = change.device.cast_mut::<VirtualEthernetCard>()
                && card.address_type.as_deref() != Some("manual")
            {
                card.address_type = None;
                card.mac_address = None;
            }
            let Some((_, file)) = disk_file(&change.device) else {
                continue;
            };
            let from = DatastorePath::resolve(world, datacenter.as_ref(), &file.file_name)?;
            let path = match made.len() {
                0 => format!("{stem}.vmdk"),
                number => format!("{stem}_{number}.vmdk"),
            };
            let store = self.store_of(&change.device, &vmx.store).clone();
            let to = match store == vmx.store {
                true => DatastorePath::new(&store, &path),
                false => {
                    let root = DatastorePath::new(&store, "");
                    let mut others = made.iter().filter(|other| other.store == store);
                    let name = path.rsplit('/').next().unwrap_or_default();
                    let directory = others.next().map_or_else(
                        || place::free_directory(world, &root, &self.name).parent(),
                        DatastorePath::parent,
                    );
                    directory.join(name)
                }
            };
            let move_type = self.move_type(&change.device);
            let disk = self.new_disk(world, &from, &to, move_type)?;
            let thin = disk.descriptor.thin;
            disk.put(world, &to)?;
            made.push(to.clone());
            let Some(backing) = change.device.backing.as_mut() else {
                continue;
            };
            if let Some(flat) = backing.cast_mut::<VirtualDiskFlatVer2BackingInfo>() {
                flat.uuid = None;
                flat.thin_provisioned = Some(thin);
                chain::show_parents(world, flat, &to);
            }
            if let Some(file) = backing.cast_mut::<VirtualDeviceFileBackingInfo>() {
                file.file_name = to.display(world);
                file.datastore = Some(to.store);
            }
        }
        Ok(())
    }

    /// The datastore of a disk of the clone.
    fn store_of<'a>(
        &'a self,
        disk: &Poly<VirtualDevice>,
        home: &'a ManagedObjectReference,
    ) -> &'a ManagedObjectReference {
        let mut locators = self.spec.location.disk.iter();
        let own = locators.find(|locator| locator.disk_id == disk.key);
        own.map_or(home, |locator| &locator.datastore)
    }

    /// The `diskMoveType` of a disk.
    fn move_type(&self, disk: &Poly<VirtualDevice>) -> Option<&str> {
        let location = &self.spec.location;
        let mut locators = location.disk.iter();
        let own = locators.find(|locator| locator.disk_id == disk.key);
        let own = own.and_then(|locator| locator.disk_move_type.as_deref());
        own.or(location.disk_move_type.as_deref())
    }

    /// The disk at `to` for the disk at `from`: a copy with all the content, or one with a disk of the source below it.
    ///
    /// # Errors
    /// `InvalidArgument` for a new child of a disk that a machine writes to, which only snapshots keep from changing (API
    /// reference of `VirtualMachineRelocateDiskMoveOptions`).
    fn new_disk(
        &self,
        world: &World,
        from: &DatastorePath,
        to: &DatastorePath,
        move_type: Option<&str>,
    ) -> Result<Disk, SoapFault> {
        let disk = Disk::read(world, from)?;
        let own = disk.descriptor.clone();
        let invalid = || fault::invalid_argument("spec.location.diskMoveType");
        match move_type {
            None
            | Some(
                "moveAllDiskBackingsAndAllowSharing"
                | "moveAllDiskBackingsAndDisallowSharing"
                | "moveAllDiskBackingsAndConsolidate",
            ) => Ok(disk.flattened(world, from)),
            Some("createNewChildDiskBacking") if self.spec.snapshot.is_none() => Err(invalid()),
            Some("createNewChildDiskBacking") => Ok(Disk::new(Descriptor {
                thin: true,
                parent: Some(Parent::of(to, from, own.content)),
                ..own.flattened()
            })),
            Some("moveChildMostDiskBacking") => {
                let below = chain::of(world, from).into_iter().nth(1);
                let content = own.parent.as_ref().map(|parent| parent.content);
                let parent = below.zip(content);
                let descriptor = Descriptor {
                    parent: parent.map(|(below, content)| Parent::of(to, &below, content)),
                    uuid: None,
                    ..own
                };
                Ok(Disk { descriptor, ..disk })
            }
            Some(_) => Err(invalid()),
        }
    }

    fn make(
        &self,
        world: &mut World,
        spec: VirtualMachineConfigSpec,
    ) -> Result<ManagedObjectReference, SoapFault> {
        let number = world.new_vm_number();
        let new = NewMachine {
            spec,
            place: self.place.clone(),
            template: self.spec.template,
            power: PoweredOff,
            number,
            from_client: true,
        };
        let vm = machine::create(world, new)?;
        let source = world.about(&self.source).vm();
        let moved = VirtualMachineConfigSpec {
            device_change: self.spec.location.device_change.clone(),
            ..VirtualMachineConfigSpec::default()
        };
        for spec in std::iter::once(&moved).chain(self.spec.config.as_deref()) {
            if let Err(fault) = machine::reconfigure(world, &vm, spec, self.at.clone()) {
                place::leave(world, &vm);
                return Err(fault);
            }
        }
        let cloned = VmClonedEvent {
            source_vm: source,
            ..VmClonedEvent::default()
        };
        world.log(&vm, cloned);
        if self.spec.power_on && !self.spec.template {
            power::set(world, &vm, PoweredOn);
        }
        Ok(vm)
    }
}
