//! VirtualMachine: clones.

use vi_types::enums::VirtualMachinePowerState::{PoweredOff, PoweredOn};
use vi_types::methods::CloneVmTask;
use vi_types::objects::{
    VirtualDeviceFileBackingInfo, VirtualDisk, VirtualDiskFlatVer2BackingInfo, VirtualEthernetCard,
    VirtualMachineCloneSpec, VirtualMachineConfigInfo, VirtualMachineConfigSpec,
    VirtualMachineFileInfo,
};
use vi_types::{Any, DateTime, ManagedObjectReference, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::files::{DatastorePath, Descriptor};
use crate::machine::{self, NewMachine, Place, config, place, power};
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
    if request.name.is_empty() {
        return Err(fault::invalid_argument("name"));
    }
    world.fill_files();
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
        if world.read::<properties::Datastore>(&store).is_none() {
            return Err(fault::managed_object_not_found(&store));
        }
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
        let made = self
            .copy_disks(world, &mut spec, &vmx)
            .and_then(|()| self.make(world, spec));
        if made.is_err() {
            world.delete(&vmx.parent());
        }
        made
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

    /// Copies disk files beside the new VMX file, and removes generated addresses of network cards.
    fn copy_disks(
        &self,
        world: &mut World,
        spec: &mut VirtualMachineConfigSpec,
        vmx: &DatastorePath,
    ) -> Result<(), SoapFault> {
        let datacenter = config::datacenter_of(world, &self.source).cloned();
        let stem = vmx.path.strip_suffix(".vmx").unwrap_or(&vmx.path);
        let mut disks = 0;
        for change in &mut spec.device_change {
            if let Some(card) = change.device.cast_mut::<VirtualEthernetCard>()
                && card.address_type.as_deref() != Some("manual")
            {
                card.address_type = None;
                card.mac_address = None;
            }
            if !change.device.is::<VirtualDisk>() {
                continue;
            }
            let Some(backing) = change.device.backing.as_mut() else {
                continue;
            };
            if let Some(flat) = backing.cast_mut::<VirtualDiskFlatVer2BackingInfo>() {
                flat.uuid = None;
                flat.parent = None;
            }
            let Some(file) = backing.cast_mut::<VirtualDeviceFileBackingInfo>() else {
                continue;
            };
            let from = DatastorePath::resolve(world, datacenter.as_ref(), &file.file_name)?;
            let path = match disks {
                0 => format!("{stem}.vmdk"),
                number => format!("{stem}_{number}.vmdk"),
            };
            disks += 1;
            let to = DatastorePath::new(&vmx.store, &path);
            let text = world.content(&from);
            let descriptor = text.and_then(|text| Descriptor::read(&text));
            let descriptor = descriptor.ok_or_else(|| fault::file_not_found(&file.file_name))?;
            for (location, entry) in descriptor.flattened().files(&to) {
                world.put(&location, entry);
            }
            file.file_name = to.display(world);
            file.datastore = Some(to.store);
        }
        Ok(())
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
        let moved = VirtualMachineConfigSpec {
            device_change: self.spec.location.device_change.clone(),
            ..VirtualMachineConfigSpec::default()
        };
        for spec in std::iter::once(&moved).chain(self.spec.config.as_deref()) {
            if let Err(fault) = machine::reconfigure(world, &vm, spec, self.at) {
                place::leave(world, &vm);
                return Err(fault);
            }
        }
        if self.spec.power_on && !self.spec.template {
            power::set(world, &vm, PoweredOn);
        }
        Ok(vm)
    }
}
