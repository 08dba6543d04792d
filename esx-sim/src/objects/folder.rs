//! Folder: what lies in the inventory, and how virtual machines get there.

use vi_types::enums::{
    ManagedEntityStatus, VirtualMachineConnectionState, VirtualMachinePowerState,
    VirtualMachineToolsStatus,
};
use vi_types::methods::RegisterVmTask;
use vi_types::objects::{
    GuestInfo, VirtualMachineConfigInfo, VirtualMachineFileInfo, VirtualMachineQuickStats,
    VirtualMachineRuntimeInfo, VirtualMachineSummary,
};
use vi_types::{Any, ManagedObjectReference, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::files::Spot;
use crate::simulator::Settings;
use crate::vmx::{self, Keys};
use crate::world::World;
use crate::world::inventory::{self, Kind, ancestors, parts};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new("Folder", register_vm),
    ]
}

/// The machine that a configuration file on a datastore describes becomes part of the inventory.
fn register_vm(
    call: &mut Call<'_>,
    request: &RegisterVmTask,
) -> Result<ManagedObjectReference, SoapFault> {
    let world = &mut call.state.world;
    world.fill_files();
    let above = std::iter::once(call.this).chain(ancestors(world, call.this));
    let datacenter = above.into_iter().find(|one| one.r#type == "Datacenter");
    let spot = Spot::resolve(world, datacenter, &request.path)?;
    if request.name.as_deref() == Some("") {
        return Err(fault::invalid_argument("name"));
    }
    let pool = match (&request.pool, request.as_template) {
        (Some(pool), _) => {
            let found = world.read::<properties::ResourcePool>(pool);
            let found = found.ok_or_else(|| fault::managed_object_not_found(pool))?;
            Some((pool.clone(), found.owner.clone()))
        }
        (None, true) => None,
        (None, false) => return Err(fault::invalid_argument("pool")),
    };
    let host = match (&request.host, &pool) {
        (Some(host), _) => world.get(host).map(|_| host.clone()),
        (None, Some((_, Some(owner)))) => {
            let owner = world.read::<properties::ComputeResource>(owner);
            owner.and_then(|owner| owner.host.first().cloned())
        }
        (None, _) => None,
    };
    let host = host.ok_or_else(|| fault::invalid_argument("host"))?;
    let register = Register {
        folder: call.this.clone(),
        spot,
        name: request.name.clone(),
        template: request.as_template,
        pool: pool.map(|(pool, _)| pool),
        host,
        kind: call.settings.kind,
        hardware: hardware(call.settings),
    };
    call.begin::<RegisterVmTask>("Folder.registerVm", |world| {
        register.run(world).map(|vm| Some(Any::from(vm)))
    })
}

fn hardware(settings: &Settings) -> &'static str {
    settings.release.hardware
}

/// A machine that is about to be registered.
struct Register {
    folder: ManagedObjectReference,
    spot: Spot,
    name: Option<String>,
    template: bool,
    pool: Option<ManagedObjectReference>,
    host: ManagedObjectReference,
    kind: Kind,
    /// The version of virtual hardware where the file has none.
    hardware: &'static str,
}

impl Register {
    fn run(self, world: &mut World) -> Result<ManagedObjectReference, SoapFault> {
        let path = self.spot.display(world);
        let text = world.content(&self.spot).ok_or_else(fault::not_found)?;
        let keys = Keys::read(&text).ok_or_else(fault::invalid_vm_config)?;
        let known = world.all("VirtualMachine").find(|vm| {
            let vm = world.read::<properties::VirtualMachine>(vm);
            let config = vm.and_then(|vm| vm.config.as_ref());
            config.is_some_and(|config| config.files.vm_path_name.as_deref() == Some(&*path))
        });
        if known.is_some() {
            return Err(fault::already_exists(&path));
        }
        let mut config = self.config(world, &keys, &path);
        if let Some(other) = self.namesake(world, &config.name) {
            return Err(fault::duplicate_name(&config.name, &other));
        }
        let number = world.new_vm_number();
        let (value, prefixes) = match self.kind {
            Kind::Esx => (number.to_string(), (0x564d, 0x52ab)),
            Kind::VCenter => (format!("vm-{number}"), (0x4203, 0x5003)),
        };
        if config.uuid.is_empty() {
            config.uuid = parts::uuid(prefixes.0, number);
        }
        let taken = |world: &mut World, uuid: &str| {
            let uuids = &world.by_uuid().instance;
            uuids.contains_key(&uuid.to_ascii_lowercase())
        };
        let instance = config.instance_uuid.take();
        let instance = instance.filter(|instance| !taken(world, instance));
        config.instance_uuid =
            Some(instance.unwrap_or_else(|| parts::uuid(prefixes.1, number | 1 << 32)));

        let vm = ManagedObjectReference::new("VirtualMachine", value.clone());
        let machine = self.machine(world, vm.clone(), config);
        world.add(value, machine);
        inventory::place_vm(world, &vm);
        world.adopt(&self.spot, &vm);
        Ok(vm)
    }

    /// Another machine with that name in the folder; only a vCenter minds.
    fn namesake(&self, world: &World, name: &str) -> Option<ManagedObjectReference> {
        let folder = world.read::<properties::Folder>(&self.folder)?;
        let mut others = folder.child_entity.iter();
        let found = others.find(|other| world.name(other) == Some(name));
        found.filter(|_| self.kind == Kind::VCenter).cloned()
    }

    fn config(&self, world: &World, keys: &Keys, path: &str) -> VirtualMachineConfigInfo {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let folder = Some(format!("{folder}/"));
        let base = VirtualMachineConfigInfo {
            change_version: "2024-03-01T08:00:00.000000Z".to_owned(),
            modified: parts::made_time(),
            version: self.hardware.to_owned(),
            template: self.template,
            files: VirtualMachineFileInfo {
                vm_path_name: Some(path.to_owned()),
                snapshot_directory: folder.clone(),
                suspend_directory: folder.clone(),
                log_directory: folder,
                ..VirtualMachineFileInfo::default()
            },
            ..VirtualMachineConfigInfo::default()
        };
        let mut config = vmx::config(world, &self.spot, keys, base);
        let cpu = parts::allocation(1000 * config.hardware.num_cpu);
        let memory = parts::allocation(10 * config.hardware.memory_mb);
        config.cpu_allocation = Some(cpu.into());
        config.memory_allocation = Some(memory.into());
        if let Some(name) = &self.name {
            config.name.clone_from(name);
        }
        if config.name.is_empty() {
            let file = path.rsplit(['/', ' ']).next().unwrap_or(path);
            let name = file.strip_suffix(".vmx").unwrap_or(file);
            name.clone_into(&mut config.name);
        }
        // As servers have names.
        config.name = escaped(&config.name);
        config
    }

    fn machine(
        &self,
        world: &World,
        vm: ManagedObjectReference,
        config: VirtualMachineConfigInfo,
    ) -> properties::VirtualMachine {
        let runtime = VirtualMachineRuntimeInfo {
            host: Some(self.host.clone()),
            connection_state: VirtualMachineConnectionState::Connected,
            power_state: VirtualMachinePowerState::PoweredOff,
            max_cpu_usage: Some(config.hardware.num_cpu * inventory::host::MHZ),
            max_memory_usage: Some(config.hardware.memory_mb),
            ..VirtualMachineRuntimeInfo::default()
        };
        let tools = "guestToolsNotRunning".to_owned();
        let mut machine = properties::VirtualMachine {
            base: parts::entity(&config.name, Some(&self.folder)),
            resource_pool: self.pool.clone(),
            runtime: Some(runtime.clone().into()),
            guest: Some(
                GuestInfo {
                    tools_status: Some(VirtualMachineToolsStatus::ToolsNotInstalled),
                    tools_running_status: Some(tools),
                    guest_state: "notRunning".to_owned(),
                    ..GuestInfo::default()
                }
                .into(),
            ),
            summary: Some(
                VirtualMachineSummary {
                    vm: Some(vm),
                    runtime,
                    quick_stats: VirtualMachineQuickStats {
                        guest_heartbeat_status: ManagedEntityStatus::Gray,
                        ..VirtualMachineQuickStats::default()
                    },
                    overall_status: ManagedEntityStatus::Green,
                    ..VirtualMachineSummary::default()
                }
                .into(),
            ),
            datastore: vec![self.spot.store.clone()],
            network: vmx::networks(world, &config),
            guest_heartbeat_status: Some(ManagedEntityStatus::Gray),
            ..properties::VirtualMachine::default()
        };
        vmx::set(&mut machine, config);
        machine
    }
}

/// `%2f` for a slash, as servers have names; what a VMX file has escaped already stays.
fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (at, c) in name.char_indices() {
        let digits = name.as_bytes().get(at + 1..at + 3);
        let is_escape = digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        match c {
            '%' if !is_escape => out.push_str("%25"),
            '/' => out.push_str("%2f"),
            '\\' => out.push_str("%5c"),
            c => out.push(c),
        }
    }
    out
}
