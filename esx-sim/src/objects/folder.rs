//! Folder: what lies in the inventory, and how virtual machines get there.

use vi_types::enums::VirtualMachinePowerState::PoweredOff;
use vi_types::methods::{
    CreateDatacenter, CreateDvsTask, CreateFolder, CreateVmTask, MoveIntoFolderTask, RegisterVmTask,
};
use vi_types::objects::{
    DatacenterCreatedEvent, VirtualMachineConfigSpec, VirtualMachineFileInfo, VmBeingCreatedEvent, VmCreatedEvent,
    VmRegisteredEvent,
};
use vi_types::{Any, ManagedObjectReference, SoapFault, properties};

use crate::call::{Call, Row};
use crate::distributed;
use crate::event::lifecycle;
use crate::fault;
use crate::files::DatastorePath;
use crate::machine::{self, NewMachine, Place, config, place};
use super::managed_entity::check_name;
use crate::vmx::{self, VmxValues};
use crate::world::inventory::{ServerKind, ancestors, folders};
use crate::world::{World, container_view};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(create_folder),
        Row::new(create_datacenter),
        Row::new(create_switch),
        Row::new(move_into),
        Row::new(create_vm),
        Row::new(register_vm),
    ]
}

/// Makes a folder for the same kinds of objects. The folders of an ESX host are as they are.
fn create_folder(
    call: &mut Call<'_>,
    request: &CreateFolder,
) -> Result<ManagedObjectReference, SoapFault> {
    let world = &mut call.state.world;
    let types = child_types(world, call.this)?;
    if world.kind() == ServerKind::Esx || !types.iter().any(|ty| ty == "Folder") {
        return Err(fault::not_supported());
    }
    check_new_name(world, call.this, &request.name)?;
    let types: Vec<_> = types.iter().map(String::as_str).collect();
    let made = folders::add(world, call.this, &config::escaped(&request.name), &types);
    container_view::refresh(world);
    Ok(made)
}

/// Makes a datacenter with its folders.
fn create_datacenter(
    call: &mut Call<'_>,
    request: &CreateDatacenter,
) -> Result<ManagedObjectReference, SoapFault> {
    let world = &mut call.state.world;
    let types = child_types(world, call.this)?;
    if world.kind() == ServerKind::Esx || !types.iter().any(|ty| ty == "Datacenter") {
        return Err(fault::not_supported());
    }
    check_new_name(world, call.this, &request.name)?;
    let made = folders::add_datacenter(world, call.this, &config::escaped(&request.name));
    container_view::refresh(world);
    let event = DatacenterCreatedEvent {
        parent: lifecycle::folder_argument(world, call.this),
        ..DatacenterCreatedEvent::default()
    };
    world.log(&made.datacenter, event);
    Ok(made.datacenter)
}

/// Makes a distributed switch.
fn create_switch(
    call: &mut Call<'_>,
    request: &CreateDvsTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let spec = &request.spec;
    let product = spec.product_info.as_deref();
    distributed::check_create(&call.state.world, call.this, &spec.config_spec, product)?;
    let (this, spec) = (call.this.clone(), request.spec.clone());
    call.begin::<CreateDvsTask>("Folder.createDistributedVirtualSwitch", move |world| {
        let product = spec.product_info.as_deref();
        let made = distributed::create(world, &this, &spec.config_spec, product)?;
        Ok(Some(Any::from(made)))
    })
}

/// Moves objects of the inventory into a folder of the same datacenter.
fn move_into(
    call: &mut Call<'_>,
    request: &MoveIntoFolderTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let world = &call.state.world;
    if world.kind() == ServerKind::Esx {
        return Err(fault::not_supported());
    }
    let (into, list) = (call.this.clone(), request.list.clone());
    for object in &list {
        check_move(world, object, &into)?;
    }
    call.begin::<MoveIntoFolderTask>("Folder.moveInto", move |world| {
        for object in &list {
            check_move(world, object, &into)?;
            move_to(world, object, &into);
        }
        container_view::refresh(world);
        Ok(None)
    })
}

/// Checks that an object can lie in a folder.
///
/// # Errors
/// - `ManagedObjectNotFound` for an unknown object.
/// - `NotSupported` for an object of a type that the folder does not take, and for a folder that is a datacenter's own.
/// - `InvalidFolder` for a folder that goes into itself, and for another datacenter.
/// - `DuplicateName` if the folder has another object of that name.
fn check_move(
    world: &World,
    object: &ManagedObjectReference,
    into: &ManagedObjectReference,
) -> Result<(), SoapFault> {
    let types = child_types(world, into)?;
    let state = world.get(object);
    let state = state.ok_or_else(|| fault::managed_object_not_found(object))?;
    let parent = world.parent(object);
    let parent = parent.filter(|parent| parent.r#type == "Folder");
    let takes = match world.read::<properties::Folder>(object) {
        Some(folder) => folder.child_type == types,
        None => types.iter().any(|ty| state.info().is_a(ty)),
    };
    if !takes || parent.is_none() {
        return Err(fault::not_supported());
    }
    let is_below = object == into || ancestors(world, into).any(|one| one == object);
    if is_below || datacenter(world, into) != datacenter(world, object) {
        return Err(fault::invalid_folder(into));
    }
    let name = world.name(object).unwrap_or_default();
    match config::namesake(world, into, name) {
        Some(other) if other != *object => Err(fault::duplicate_name(name, &other)),
        _ => Ok(()),
    }
}

fn move_to(
    world: &mut World,
    object: &ManagedObjectReference,
    into: &ManagedObjectReference,
) {
    if let Some(now) = place::of(world, object) {
        let folder = into.clone();
        return place::move_to(world, object, &Place { folder, ..now });
    }
    let before = world.change(object, |entity: &mut properties::ManagedEntity| {
        entity.parent.replace(into.clone())
    });
    if let Some(before) = before.flatten() {
        world.change(&before, |folder: &mut properties::Folder| {
            folder.child_entity.retain(|one| one != object);
        });
    }
    folders::put(world, into, object);
}

/// The types of objects that a folder takes.
fn child_types(
    world: &World,
    folder: &ManagedObjectReference,
) -> Result<Vec<String>, SoapFault> {
    let found = world.read::<properties::Folder>(folder);
    let found = found.ok_or_else(|| fault::managed_object_not_found(folder))?;
    Ok(found.child_type.clone())
}

/// Checks the name of a new object in a folder.
fn check_new_name(
    world: &World,
    folder: &ManagedObjectReference,
    name: &str,
) -> Result<(), SoapFault> {
    check_name(name)?;
    match config::namesake(world, folder, name) {
        Some(other) => Err(fault::duplicate_name(name, &other)),
        None => Ok(()),
    }
}

/// Checks that a folder takes machines.
fn check_takes_vms(world: &World, folder: &ManagedObjectReference) -> Result<(), SoapFault> {
    match child_types(world, folder)?.iter().any(|ty| ty == "VirtualMachine") {
        true => Ok(()),
        false => Err(fault::not_supported()),
    }
}

/// Makes a machine with its files.
fn create_vm(
    call: &mut Call<'_>,
    request: &CreateVmTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let world = &mut call.state.world;
    check_takes_vms(world, call.this)?;
    world.fill_files();
    let place = place::resolve(
        world,
        call.this,
        Some(&request.pool),
        request.host.as_ref(),
    )?;
    let spec = request.config.clone();
    let Some(name) = &spec.name else {
        return Err(fault::invalid_argument("configSpec.name"));
    };
    check_name(name)?;
    let files = spec.files.as_deref();
    if files.and_then(|files| files.vm_path_name.as_ref()).is_none() {
        return Err(fault::invalid_argument("configSpec.files.vmPathName"));
    }
    call.begin::<CreateVmTask>("Folder.createVm", |world| {
        create(world, place, spec).map(|vm| Some(Any::from(vm)))
    })
}

fn create(
    world: &mut World,
    place: Place,
    mut spec: VirtualMachineConfigSpec,
) -> Result<ManagedObjectReference, SoapFault> {
    let name = spec.name.as_deref().unwrap_or_default();
    if let Some(other) = config::namesake(world, &place.folder, name) {
        return Err(fault::duplicate_name(name, &other));
    }
    let files = spec.files.as_deref();
    let path = files.and_then(|files| files.vm_path_name.as_deref());
    let location = DatastorePath::resolve(world, datacenter(world, &place.folder), path.unwrap_or_default())?;
    let location = match location.path.ends_with(".vmx") {
        true => location,
        false => place::free_directory(world, &location, name),
    };
    check_store(world, &place, &location)?;
    if world.entry(&location).is_some() {
        return Err(fault::file_already_exists(&location.display(world)));
    }
    spec.files = Some(
        VirtualMachineFileInfo {
            vm_path_name: Some(location.display(world)),
            ..VirtualMachineFileInfo::default()
        }
        .into(),
    );
    config::drop_taken_instance_uuid(world, &mut spec);
    let number = world.new_vm_number();
    let new = NewMachine {
        spec,
        place,
        template: false,
        power: PoweredOff,
        number,
        from_client: true,
    };
    let spec = new.spec.clone();
    let vm = machine::create(world, new)?;
    let being_created = VmBeingCreatedEvent {
        config_spec: Some(spec.into()),
        ..VmBeingCreatedEvent::default()
    };
    world.log(&vm, being_created);
    world.log(&vm, VmCreatedEvent::default());
    Ok(vm)
}

/// Adds the machine of a VMX file to the inventory.
fn register_vm(
    call: &mut Call<'_>,
    request: &RegisterVmTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let world = &mut call.state.world;
    check_takes_vms(world, call.this)?;
    world.fill_files();
    let location = DatastorePath::resolve(world, datacenter(world, call.this), &request.path)?;
    if request.name.as_deref() == Some("") {
        return Err(fault::invalid_argument("name"));
    }
    if request.pool.is_none() && !request.as_template {
        return Err(fault::invalid_argument("pool"));
    }
    let register = Register {
        place: place::resolve(
            world,
            call.this,
            request.pool.as_ref(),
            request.host.as_ref(),
        )?,
        location,
        name: request.name.clone(),
        template: request.as_template,
    };
    call.begin::<RegisterVmTask>("Folder.registerVm", |world| {
        register.run(world).map(|vm| Some(Any::from(vm)))
    })
}

/// A machine to be registered.
struct Register {
    place: Place,
    location: DatastorePath,
    name: Option<String>,
    template: bool,
}

impl Register {
    fn run(self, world: &mut World) -> Result<ManagedObjectReference, SoapFault> {
        let path = self.location.display(world);
        check_store(world, &self.place, &self.location)?;
        let text = world.content(&self.location).ok_or_else(fault::not_found)?;
        let keys = VmxValues::read(&text).ok_or_else(fault::invalid_vm_config)?;
        let known = world.all("VirtualMachine").find(|vm| {
            let vm = world.read::<properties::VirtualMachine>(vm);
            let config = vm.and_then(|vm| vm.config.as_ref());
            config.is_some_and(|config| config.files.vm_path_name.as_deref() == Some(&*path))
        });
        if known.is_some() {
            return Err(fault::already_exists(&path));
        }
        let mut spec = vmx::spec(world, &self.location, &keys, None);
        spec.name = self.name.or(spec.name);
        // Only a vCenter minds two machines of one name in a folder.
        if let Some(name) = &spec.name
            && world.kind() == ServerKind::VCenter
            && let Some(other) = config::namesake(world, &self.place.folder, name)
        {
            return Err(fault::duplicate_name(name, &other));
        }
        spec.files = Some(
            VirtualMachineFileInfo {
                vm_path_name: Some(path),
                ..VirtualMachineFileInfo::default()
            }
            .into(),
        );
        config::drop_taken_instance_uuid(world, &mut spec);
        let number = world.new_vm_number();
        let new = NewMachine {
            spec,
            place: self.place,
            template: self.template,
            power: PoweredOff,
            number,
            from_client: false,
        };
        let vm = machine::create(world, new)?;
        world.adopt(&self.location, &vm);
        world.log(&vm, VmRegisteredEvent::default());
        Ok(vm)
    }
}

/// Fails with `InvalidDatastore` if the host of a machine does not have the datastore of its VMX file.
fn check_store(world: &World, place: &Place, vmx: &DatastorePath) -> Result<(), SoapFault> {
    let host = world.read::<properties::HostSystem>(&place.host);
    match host.is_some_and(|host| host.datastore.contains(&vmx.store)) {
        true => Ok(()),
        false => Err(fault::invalid_datastore(world.name(&vmx.store).unwrap_or_default())),
    }
}

/// The datacenter that a folder belongs to.
fn datacenter<'a>(
    world: &'a World,
    folder: &'a ManagedObjectReference,
) -> Option<&'a ManagedObjectReference> {
    let above = std::iter::once(folder).chain(ancestors(world, folder));
    above.into_iter().find(|one| one.r#type == "Datacenter")
}
