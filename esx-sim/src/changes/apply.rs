//! How a change is made.

use vi_types::enums::VirtualDeviceConfigSpecOperation;
use vi_types::methods::{
    AcquireTicket, AnswerVm, CloneVmTask, CreateSnapshotTask, CreateVmTask, DestroyTask,
    MigrateVmTask, PowerOffVmTask, PowerOnVmTask, RebootGuest, ReconfigVmTask,
    RemoveAllSnapshotsTask, RenameTask, ResetVmTask, RevertToCurrentSnapshotTask, ShutdownGuest,
    StandbyGuest, SuspendVmTask, UnregisterVm,
};
use vi_types::objects::{
    CryptoKeyId, KeyProviderId, OptionValue, VirtualCdrom, VirtualCdromIsoBackingInfo,
    VirtualDevice, VirtualDeviceConfigSpec, VirtualDeviceDeviceBackingInfo,
    VirtualDeviceFileBackingInfo, VirtualDisk, VirtualDiskFlatVer2BackingInfo, VirtualEthernetCard,
    VirtualEthernetCardNetworkBackingInfo, VirtualMachineCloneSpec, VirtualMachineConfigSpec,
    VirtualMachineFileInfo, VirtualScsiController, VirtualVmxnet, VirtualVmxnet3,
};
use vi_types::{Any, ManagedObject, ManagedObjectReference, Method, Poly, SoapFault, properties};

use super::{Action, Change, Target, world};
use crate::call;
use crate::machine::config::escaped;
use crate::machine::device::{add, connectable, device};
use crate::machine::{console, power, set_config};
use crate::simulator::{Settings, Simulator, State};
use crate::world::inventory::{ancestors, datastore, hosts, root_folder};

/// What a client would get: the message of a fault.
type Made = Result<(), String>;

impl Simulator {
    pub(super) fn make(&self, change: &Change) -> Made {
        match &change.action {
            Action::DropConnections => self.drop_connections(),
            Action::ExpireSessions => self.expire_sessions(),
            Action::Restart => self.restart(),
            _ => return self.with_state(|state, settings| Making { state, settings }.make(change)),
        }
        Ok(())
    }
}

/// A change being made.
struct Making<'a> {
    state: &'a mut State,
    settings: &'a Settings,
}

impl Making<'_> {
    fn make(&mut self, change: &Change) -> Made {
        let of = &change.of;
        match &change.action {
            Action::PowerOn => self.run(&self.vm(of)?, &PowerOnVmTask::default()),
            Action::PowerOff => self.run(&self.vm(of)?, &PowerOffVmTask::default()),
            Action::Suspend => self.run(&self.vm(of)?, &SuspendVmTask::default()),
            Action::Reset => self.run(&self.vm(of)?, &ResetVmTask::default()),
            Action::ShutdownGuest => self.call(&self.vm(of)?, &ShutdownGuest::default()),
            Action::RebootGuest => self.call(&self.vm(of)?, &RebootGuest::default()),
            Action::StandbyGuest => self.call(&self.vm(of)?, &StandbyGuest::default()),
            Action::CrashGuest => {
                let vm = self.vm(of)?;
                is_on(power::crash_guest(&mut self.state.world, &vm))
            }
            Action::RunTools(running) => {
                let vm = self.vm(of)?;
                is_on(power::run_tools(&mut self.state.world, &vm, *running))
            }
            Action::Ask(question) => {
                let (vm, question) = (self.vm(of)?, question.clone());
                self.state.tasks.ask(&mut self.state.world, &vm, question);
                Ok(())
            }
            Action::Answer(choice) => self.answer(&self.vm(of)?, choice.as_deref()),
            Action::Create(host) => self.create(&of.to_string(), host.as_deref()),
            Action::Clone(name) => self.clone(&self.vm(of)?, name),
            Action::Unregister => self.call(&self.vm(of)?, &UnregisterVm::default()),
            Action::Destroy => self.run(&self.find(of, NAMED)?, &DestroyTask::default()),
            Action::Rename(name) => {
                let request = RenameTask {
                    new_name: name.clone(),
                    ..RenameTask::default()
                };
                self.run(&self.find(of, NAMED)?, &request)
            }
            Action::Migrate(host) => {
                let request = MigrateVmTask {
                    host: Some(self.find(&Target::Named(host.clone()), &["HostSystem"])?),
                    ..MigrateVmTask::default()
                };
                self.run(&self.vm(of)?, &request)
            }
            Action::CreateSnapshot(name) => {
                let request = CreateSnapshotTask {
                    name: name.clone(),
                    ..CreateSnapshotTask::default()
                };
                self.run(&self.vm(of)?, &request)
            }
            Action::Revert => self.run(&self.vm(of)?, &RevertToCurrentSnapshotTask::default()),
            Action::RemoveSnapshots => self.run(&self.vm(of)?, &RemoveAllSnapshotsTask::default()),
            Action::SetCpus(number) => self.reconfigure(of, |spec| spec.num_cpus = Some(*number)),
            Action::SetMemory(mb) => self.reconfigure(of, |spec| spec.memory_mb = Some(*mb)),
            Action::SetAnnotation(text) => {
                self.reconfigure(of, |spec| spec.annotation = Some(text.clone()))
            }
            Action::SetExtra(key, value) => self.reconfigure(of, |spec| {
                spec.extra_config.push(
                    OptionValue {
                        key: key.clone(),
                        value: Some(Any::from(value.clone())),
                        ..OptionValue::default()
                    }
                    .into(),
                );
            }),
            Action::Encrypt { key, provider } => self.encrypt(of, key, provider.as_deref()),
            Action::AddDisk(mb) => self.add_disk(of, *mb),
            Action::AddNic(network) => self.reconfigure(of, |spec| {
                spec.device_change.push(add(network_card(network)));
            }),
            Action::RemoveDevice(label) => self.change_device(
                of,
                |device| label_of(device) == Some(label),
                VirtualDeviceConfigSpecOperation::Remove,
                |_| {},
            ),
            Action::ConnectCdrom(connected) => self.change_cdrom(of, |drive| {
                let info = drive.connectable.get_or_insert_default();
                info.connected = *connected;
                info.start_connected = *connected;
            }),
            Action::InsertCdrom(path) => self.change_cdrom(of, |drive| {
                let backing = VirtualCdromIsoBackingInfo {
                    base: VirtualDeviceFileBackingInfo {
                        file_name: path.clone(),
                        ..VirtualDeviceFileBackingInfo::default()
                    },
                    ..VirtualCdromIsoBackingInfo::default()
                };
                drive.backing = Some(backing.into());
                drive.connectable = Some(connectable(true).into());
            }),
            Action::SetBalloon(mb) => {
                let vm = self.vm(of)?;
                power::set_balloon(&mut self.state.world, &vm, *mb);
                Ok(())
            }
            Action::OpenConsole(open) => {
                let vm = self.vm(of)?;
                if *open {
                    let request = AcquireTicket {
                        ticket_type: "mks".to_owned(),
                        ..AcquireTicket::default()
                    };
                    self.call(&vm, &request)?;
                }
                match console::count(&mut self.state.world, &vm, *open) {
                    true => Ok(()),
                    false => Err("nobody looks at its screen".to_owned()),
                }
            }
            Action::ReachDatastore(reached) => {
                let store = self.find(of, &["Datastore"])?;
                world::reach_datastore(&mut self.state.world, &store, *reached);
                Ok(())
            }
            Action::MaintainDatastore(on) => {
                let store = self.find(of, &["Datastore"])?;
                world::maintain_datastore(&mut self.state.world, &store, *on);
                Ok(())
            }
            Action::FillDatastore(free) => {
                let store = self.find(of, &["Datastore"])?;
                datastore::set_free_space(&mut self.state.world, &store, *free);
                Ok(())
            }
            Action::AddDatastore => world::add_datastore(&mut self.state.world, &of.to_string()),
            Action::RemoveDatastore => {
                let store = self.find(of, &["Datastore"])?;
                world::remove_datastore(&mut self.state.world, &store)
            }
            Action::AddSwitch => world::add_switch(&mut self.state.world, &of.to_string()),
            Action::RemoveSwitch => world::remove_switch(&mut self.state.world, &of.to_string()),
            Action::AddNetwork(switch) => {
                world::add_network(&mut self.state.world, &of.to_string(), switch)
            }
            Action::RemoveNetwork => world::remove_network(&mut self.state.world, &of.to_string()),
            Action::AddPhysicalNic => world::add_nic(&mut self.state.world, &of.to_string()),
            Action::RemovePhysicalNic => world::remove_nic(&mut self.state.world, &of.to_string()),
            Action::ReachHost(reached) => {
                let host = self.find(of, &["HostSystem"])?;
                world::reach_host(&mut self.state.world, &host, *reached);
                Ok(())
            }
            Action::MaintainHost(on) => {
                let host = self.find(of, &["HostSystem"])?;
                world::maintain_host(&mut self.state.world, &host, *on);
                Ok(())
            }
            // They are changes of the server.
            Action::DropConnections | Action::ExpireSessions | Action::Restart => Ok(()),
        }
    }

    fn vm(&self, of: &Target) -> Result<ManagedObjectReference, String> {
        self.find(of, &["VirtualMachine"])
    }

    /// The object, which has one of these types. Of several with the same name, the first type and the oldest one count.
    fn find(&self, of: &Target, types: &[&str]) -> Result<ManagedObjectReference, String> {
        let world = &self.state.world;
        let name = match of {
            Target::Object(object) if types.contains(&&*object.r#type) => {
                let found = world.get(object).map(|_| object.clone());
                return found.ok_or_else(|| format!("there is no {}", object.value));
            }
            Target::Object(object) => {
                return Err(format!("a {} has no such change", object.r#type));
            }
            Target::Named(name) => name,
        };
        let wanted = escaped(name);
        let oldest = |is_it: &dyn Fn(&ManagedObjectReference) -> bool| {
            types.iter().find_map(|ty| {
                let found = world.all(ty).filter(|object| is_it(object));
                found.min_by_key(|object| (object.value.len(), &object.value))
            })
        };
        let found = oldest(&|object| world.name(object) == Some(&*wanted))
            .or_else(|| oldest(&|object| object.value == *name));
        found.cloned().ok_or_else(|| match types {
            ["VirtualMachine"] => format!("there is no virtual machine '{name}'"),
            ["HostSystem"] => format!("there is no host '{name}'"),
            ["Datastore"] => format!("there is no datastore '{name}'"),
            _ => format!("there is no '{name}' in the inventory"),
        })
    }

    /// Calls a method that has no task.
    fn call<M: Method>(&mut self, of: &ManagedObjectReference, request: &M) -> Made {
        let called = call::by_another_client(of, request, self.state, self.settings);
        called.map(drop).map_err(message)
    }

    /// Calls a method, and runs its task to the end or to its question.
    fn run<M: Method<Output = ManagedObjectReference>>(
        &mut self,
        of: &ManagedObjectReference,
        request: &M,
    ) -> Made {
        let task = call::by_another_client(of, request, self.state, self.settings);
        let task = task.map_err(message)?;
        let State { world, tasks, .. } = &mut *self.state;
        tasks.run(world, &task);
        let task = world.read::<properties::Task>(&task);
        let error = task.and_then(|task| task.info.as_deref()?.error.as_deref());
        match error {
            None => Ok(()),
            Some(error) => {
                let message = error.localized_message.clone();
                Err(message.unwrap_or_else(|| error.fault.type_name().to_owned()))
            }
        }
    }

    fn encrypt(&mut self, of: &Target, key: &str, provider: Option<&str>) -> Made {
        let vm = self.vm(of)?;
        let world = &mut self.state.world;
        if !world.since("6.5") {
            return Err("no machine is encrypted before API 6.5".to_owned());
        }
        let machine = world.read::<properties::VirtualMachine>(&vm);
        let Some(config) = machine.and_then(|machine| machine.config.as_deref()) else {
            return Err("it has no configuration".to_owned());
        };
        let provider = provider.map(|id| KeyProviderId {
            id: id.to_owned(),
            ..KeyProviderId::default()
        });
        let key = CryptoKeyId {
            key_id: key.to_owned(),
            provider_id: provider.map(Into::into),
            ..CryptoKeyId::default()
        };
        let mut config = config.clone();
        config.key_id = Some(key.into());
        set_config(world, &vm, config);
        Ok(())
    }

    fn answer(&mut self, vm: &ManagedObjectReference, choice: Option<&str>) -> Made {
        let machine = self.state.world.read::<properties::VirtualMachine>(vm);
        let runtime = machine.and_then(|machine| machine.runtime.as_deref());
        let Some(question) = runtime.and_then(|runtime| runtime.question.as_deref()) else {
            return Err("it asks no question".to_owned());
        };
        let choices = &question.choice.choice_info;
        let found = match choice {
            Some(wanted) => choices
                .iter()
                .find(|choice| choice.key == wanted || choice.label == wanted),
            None => question
                .choice
                .default_index
                .and_then(|index| choices.get(usize::try_from(index).ok()?)),
        };
        let Some(found) = found else {
            let labels: Vec<_> = choices.iter().map(|choice| &*choice.label).collect();
            return Err(format!(
                "the question has no such choice (its choices: {})",
                labels.join(", ")
            ));
        };
        let request = AnswerVm {
            question_id: question.id.clone(),
            answer_choice: found.key.clone(),
            ..AnswerVm::default()
        };
        self.call(vm, &request)
    }

    fn create(&mut self, name: &str, host: Option<&str>) -> Made {
        let host = match host {
            Some(host) => self.find(&Target::from(host), &["HostSystem"])?,
            None => hosts(&self.state.world)
                .into_iter()
                .next()
                .ok_or("there is no host")?,
        };
        let world = &self.state.world;
        let state = world.read::<properties::HostSystem>(&host);
        let store = state.and_then(|host| world.name(host.datastore.first()?));
        let compute = state.and_then(|host| host.parent.as_ref());
        let compute = compute.and_then(|one| world.read::<properties::ComputeResource>(one));
        let pool = compute.and_then(|compute| compute.resource_pool.clone());
        let datacenter =
            ancestors(world, &host).find_map(|one| world.read::<properties::Datacenter>(one));
        let folder = datacenter.and_then(|datacenter| datacenter.vm_folder.clone());
        let (Some(store), Some(pool), Some(folder)) = (store, pool, folder) else {
            return Err("the host has no place for machines".to_owned());
        };
        let files = VirtualMachineFileInfo {
            vm_path_name: Some(format!("[{store}]")),
            ..VirtualMachineFileInfo::default()
        };
        let request = CreateVmTask {
            config: VirtualMachineConfigSpec {
                name: Some(name.to_owned()),
                files: Some(files.into()),
                guest_id: Some("otherGuest64".to_owned()),
                num_cpus: Some(1),
                memory_mb: Some(1024),
                ..VirtualMachineConfigSpec::default()
            },
            pool,
            host: Some(host),
            ..CreateVmTask::default()
        };
        self.run(&folder, &request)
    }

    fn clone(&mut self, vm: &ManagedObjectReference, name: &str) -> Made {
        let request = CloneVmTask {
            folder: (self.state.world.parent(vm).cloned())
                .or_else(|| root_folder(&self.state.world))
                .unwrap_or_default(),
            name: name.to_owned(),
            spec: VirtualMachineCloneSpec::default(),
            ..CloneVmTask::default()
        };
        self.run(vm, &request)
    }

    fn reconfigure(
        &mut self,
        of: &Target,
        change: impl FnOnce(&mut VirtualMachineConfigSpec),
    ) -> Made {
        let mut request = ReconfigVmTask::default();
        change(&mut request.spec);
        self.run(&self.vm(of)?, &request)
    }

    fn devices(&self, of: &Target) -> Result<&[Poly<VirtualDevice>], String> {
        let vm = self.vm(of)?;
        let machine = self.state.world.read::<properties::VirtualMachine>(&vm);
        let config = machine.and_then(|machine| machine.config.as_deref());
        let config = config.ok_or("it has no configuration")?;
        Ok(&config.hardware.device)
    }

    fn add_disk(&mut self, of: &Target, mb: i64) -> Made {
        let mut devices = self.devices(of)?.iter();
        let controller = devices.find(|device| device.is::<VirtualScsiController>());
        let controller = controller.ok_or("it has no SCSI controller")?.key;
        let backing = VirtualDiskFlatVer2BackingInfo {
            base: VirtualDeviceFileBackingInfo::default(),
            disk_mode: "persistent".to_owned(),
            thin_provisioned: Some(true),
            ..VirtualDiskFlatVer2BackingInfo::default()
        };
        let disk = VirtualDisk {
            base: VirtualDevice {
                backing: Some(backing.into()),
                controller_key: Some(controller),
                ..device(-1, None)
            },
            capacity_in_kb: mb << 10,
            ..VirtualDisk::default()
        };
        let addition = VirtualDeviceConfigSpec {
            operation: Some(VirtualDeviceConfigSpecOperation::Add),
            file_operation: Some(vi_types::enums::VirtualDeviceConfigSpecFileOperation::Create),
            device: disk.into(),
            ..VirtualDeviceConfigSpec::default()
        };
        self.reconfigure(of, |spec| spec.device_change.push(addition.into()))
    }

    fn change_cdrom(&mut self, of: &Target, change: impl FnOnce(&mut Poly<VirtualDevice>)) -> Made {
        let is_drive = |device: &Poly<VirtualDevice>| device.is::<VirtualCdrom>();
        let edit = VirtualDeviceConfigSpecOperation::Edit;
        self.change_device(of, is_drive, edit, change)
    }

    fn change_device(
        &mut self,
        of: &Target,
        is_it: impl Fn(&Poly<VirtualDevice>) -> bool,
        operation: VirtualDeviceConfigSpecOperation,
        change: impl FnOnce(&mut Poly<VirtualDevice>),
    ) -> Made {
        let devices = self.devices(of)?;
        let Some(found) = devices.iter().find(|device| is_it(device)) else {
            let labels: Vec<_> = devices.iter().filter_map(label_of).collect();
            return Err(format!(
                "it has no such device (its devices: {})",
                labels.join(", ")
            ));
        };
        let mut device = found.clone();
        change(&mut device);
        let change = VirtualDeviceConfigSpec {
            operation: Some(operation),
            device,
            ..VirtualDeviceConfigSpec::default()
        };
        self.reconfigure(of, |spec| spec.device_change.push(change.into()))
    }
}

/// Types of objects that have names, those first that scripts name most.
const NAMED: &[&str] = &[
    "VirtualMachine",
    "HostSystem",
    "ResourcePool",
    "Folder",
    "Datacenter",
    "ClusterComputeResource",
    properties::Datastore::TYPE,
    "Network",
];

fn is_on(changed: bool) -> Made {
    match changed {
        true => Ok(()),
        false => Err("the machine is not on".to_owned()),
    }
}

fn message(fault: SoapFault) -> String {
    fault.string
}

fn label_of(device: &Poly<VirtualDevice>) -> Option<&str> {
    Some(&device.device_info.as_ref()?.label)
}

fn network_card(network: &str) -> Poly<VirtualDevice> {
    let backing = VirtualEthernetCardNetworkBackingInfo {
        base: VirtualDeviceDeviceBackingInfo {
            device_name: network.to_owned(),
            ..VirtualDeviceDeviceBackingInfo::default()
        },
        ..VirtualEthernetCardNetworkBackingInfo::default()
    };
    let card = VirtualEthernetCard {
        base: VirtualDevice {
            backing: Some(backing.into()),
            connectable: Some(connectable(true).into()),
            ..device(-1, None)
        },
        address_type: Some("generated".to_owned()),
        ..VirtualEthernetCard::default()
    };
    VirtualVmxnet3 {
        base: VirtualVmxnet {
            base: card,
            ..VirtualVmxnet::default()
        },
        ..VirtualVmxnet3::default()
    }
    .into()
}
