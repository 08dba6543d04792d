//! Folder: what lies in the inventory, and how virtual machines get there.

use vi_types::enums::VirtualMachinePowerState::PoweredOff;
use vi_types::methods::{CreateVmTask, RegisterVmTask};
use vi_types::objects::{VirtualMachineConfigSpec, VirtualMachineFileInfo};
use vi_types::{Any, ManagedObjectReference, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::files::DatastorePath;
use crate::machine::{self, NewMachine, Place, config, place};
use crate::vmx::{self, VmxValues};
use crate::world::World;
use crate::world::inventory::{ServerKind, ancestors};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(create_vm),
        Row::new(register_vm),
    ]
}

/// Makes a machine with its files.
fn create_vm(
    call: &mut Call<'_>,
    request: &CreateVmTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let world = &mut call.state.world;
    world.fill_files();
    let place = place::resolve(
        world,
        call.this,
        Some(&request.pool),
        request.host.as_ref(),
    )?;
    let spec = request.config.clone();
    if spec.name.is_none() {
        return Err(fault::invalid_argument("configSpec.name"));
    }
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
    machine::create(world, new)
}

/// Adds the machine of a VMX file to the inventory.
fn register_vm(
    call: &mut Call<'_>,
    request: &RegisterVmTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let world = &mut call.state.world;
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
        Ok(vm)
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
