//! Snapshots: how they are taken, what a revert makes of a machine, and what is left when they go.

use esx_sim::{Question, Script, Simulator};
use vi_types::enums::VirtualMachinePowerState::{self, PoweredOff, PoweredOn, Suspended};
use vi_types::enums::{TaskInfoState, VirtualScsiSharing};
use vi_types::methods::{
    AnswerVm, CreateSnapshotExTask, CreateSnapshotTask, RemoveAllSnapshotsTask, RemoveSnapshotTask,
    RenameSnapshot, RevertToCurrentSnapshotTask, RevertToSnapshotTask,
};
use vi_types::objects::{
    InvalidName, InvalidPowerState, MemorySnapshotOnIndependentDisk, MethodFault, MethodNotFound,
    NotFound, SnapshotDisabled, SnapshotFault, SnapshotIncompatibleDeviceInVm, SnapshotLocked,
    TaskInProgress, TaskInfo, TooManySnapshotLevels, ToolsUnavailable,
    VirtualDiskFlatVer2BackingInfo, VirtualMachineGuestQuiesceSpec, VirtualMachineSnapshotTree,
    VirtualScsiController,
};
use vi_types::{DataObject, ManagedObject, ManagedObjectReference, Method, SoapFault, properties};

use crate::client::Client;

struct Host {
    simulator: Simulator,
    client: Client,
    vm: ManagedObjectReference,
}

impl Host {
    async fn with(vm: &str) -> Self {
        let simulator = Simulator::esx().build();
        let client = Client::login(&simulator).await;
        let vm = simulator.vm(vm).unwrap();
        Self {
            simulator,
            client,
            vm,
        }
    }

    fn read<T: ManagedObject + Clone>(&self, object: &ManagedObjectReference) -> T {
        self.simulator.properties(object).unwrap()
    }

    fn vm(&self) -> properties::VirtualMachine {
        self.read(&self.vm)
    }

    fn change(&self, change: impl FnOnce(&mut properties::VirtualMachine)) {
        self.simulator.change(&self.vm, change).unwrap();
    }

    fn power(&self) -> VirtualMachinePowerState {
        self.vm().runtime.unwrap().power_state
    }

    /// How the task ended that a call began.
    async fn task<M: Method<Output = ManagedObjectReference>>(&self, request: &M) -> TaskInfo {
        let task = self.client.call(request).await.unwrap();
        while self.simulator.step_tasks() {}
        *self.read::<properties::Task>(&task).info.unwrap()
    }

    async fn succeeds<M: Method<Output = ManagedObjectReference>>(&self, request: &M) -> TaskInfo {
        let info = self.task(request).await;
        assert_eq!(info.state, TaskInfoState::Success, "{:?}", info.error);
        info
    }

    async fn fails<F: DataObject + vi_types::Extends<MethodFault> + Clone>(
        &self,
        request: &impl Method<Output = ManagedObjectReference>,
    ) -> F {
        let error = self.task(request).await.error.unwrap();
        error.fault.cast::<F>().unwrap().clone()
    }

    fn create(&self, name: &str, memory: bool) -> CreateSnapshotTask {
        CreateSnapshotTask {
            this: self.vm.clone(),
            name: name.to_owned(),
            description: Some(format!("{name} it is")),
            memory,
            ..CreateSnapshotTask::default()
        }
    }

    async fn created(&self, name: &str, memory: bool) -> ManagedObjectReference {
        let info = self.succeeds(&self.create(name, memory)).await;
        info.result.unwrap().cast().unwrap()
    }

    async fn revert(&self, snapshot: &ManagedObjectReference) {
        self.succeeds(&RevertToSnapshotTask {
            this: snapshot.clone(),
            ..Default::default()
        })
        .await;
    }

    async fn remove(&self, snapshot: &ManagedObjectReference, remove_children: bool) {
        self.succeeds(&RemoveSnapshotTask {
            this: snapshot.clone(),
            remove_children,
            ..Default::default()
        })
        .await;
    }

    /// The tree in one line: names, children in brackets, the current one with a star.
    fn tree(&self) -> String {
        fn line(trees: &[VirtualMachineSnapshotTree], current: Option<&str>) -> String {
            let one = |tree: &VirtualMachineSnapshotTree| {
                let star = current == Some(&tree.snapshot.value);
                let below = match tree.child_snapshot_list.as_slice() {
                    [] => String::new(),
                    children => format!("[{}]", line(children, current)),
                };
                format!("{}{}{below}", tree.name, if star { "*" } else { "" })
            };
            trees.iter().map(one).collect::<Vec<_>>().join(" ")
        }
        let Some(info) = self.vm().snapshot else {
            return String::new();
        };
        let current = info.current_snapshot.map(|current| current.value);
        line(&info.root_snapshot_list, current.as_deref())
    }

    fn root(&self) -> VirtualMachineSnapshotTree {
        self.vm().snapshot.unwrap().root_snapshot_list.remove(0)
    }
}

#[tokio::test]
async fn a_snapshot_is_taken() {
    let host = Host::with("web01").await;
    assert_eq!(host.vm().snapshot, None);
    let snapshot = host.created("one", true).await;
    assert_eq!(snapshot.r#type, "VirtualMachineSnapshot");
    let tree = host.root();
    assert_eq!(tree.snapshot, snapshot);
    assert_eq!(tree.vm, host.vm);
    assert_eq!(
        (&*tree.name, &*tree.description, tree.id),
        ("one", "one it is", Some(1))
    );
    assert_eq!(tree.state, PoweredOn);
    assert!(!tree.quiesced);
    assert_eq!(host.vm().root_snapshot, [snapshot.clone()]);
    let own: properties::VirtualMachineSnapshot = host.read(&snapshot);
    assert_eq!(own.vm.as_ref(), Some(&host.vm));
    assert_eq!(own.config.unwrap().name, "web01");
    let second = host.created("two", true).await;
    assert_eq!(host.tree(), "one[two*]");
    let own: properties::VirtualMachineSnapshot = host.read(&snapshot);
    assert_eq!(own.child_snapshot, [second]);
    let newer = &host.root().child_snapshot_list[0];
    assert!(newer.create_time.epoch_seconds() > tree.create_time.epoch_seconds());
    assert_eq!(newer.id, Some(2));
}

#[tokio::test]
async fn a_snapshot_says_what_a_revert_leads_to() {
    for (power, memory, expected) in [
        (PoweredOn, true, PoweredOn),
        (PoweredOn, false, PoweredOff),
        (PoweredOff, true, PoweredOff),
        (PoweredOff, false, PoweredOff),
        (Suspended, true, Suspended),
    ] {
        let host = Host::with("web01").await;
        host.simulator.set_power_state(&host.vm, power);
        let snapshot = host.created("one", memory).await;
        assert_eq!(host.root().state, expected);
        for before in [PoweredOn, PoweredOff, Suspended] {
            host.simulator.set_power_state(&host.vm, before);
            host.revert(&snapshot).await;
            assert_eq!(host.power(), expected);
        }
    }
}

#[tokio::test]
async fn a_revert_leaves_a_machine_off_when_told_to() {
    let host = Host::with("web01").await;
    host.created("one", true).await;
    host.succeeds(&RevertToCurrentSnapshotTask {
        this: host.vm.clone(),
        suppress_power_on: Some(true),
        ..Default::default()
    })
    .await;
    assert_eq!(host.power(), PoweredOff);
}

#[tokio::test]
async fn a_revert_brings_back_the_hardware_and_no_name() {
    let host = Host::with("web01").await;
    let snapshot = host.created("one", false).await;
    let before = host.vm().config.unwrap().hardware;
    host.change(|vm| {
        let config = vm.config.as_deref_mut().unwrap();
        config.name = "renamed".to_owned();
        config.hardware.memory_mb = 1;
        config.hardware.device.truncate(3);
        vm.name = Some("renamed".to_owned());
        vm.network.clear();
    });
    host.revert(&snapshot).await;
    let vm = host.vm();
    let config = vm.config.as_deref().unwrap();
    assert_eq!(config.name, "renamed");
    assert_eq!(config.hardware.memory_mb, before.memory_mb);
    assert_eq!(config.hardware.device.len(), before.device.len());
    assert_eq!(vm.network.len(), 1);
    let summary = vm.summary.as_deref().unwrap();
    assert_eq!(summary.config.memory_size_mb, Some(before.memory_mb));
}

#[tokio::test]
async fn branches_grow_where_a_machine_went_back_to() {
    let host = Host::with("web01").await;
    let one = host.created("one", false).await;
    host.created("two", false).await;
    host.revert(&one).await;
    assert_eq!(host.tree(), "one*[two]");
    let three = host.created("three", false).await;
    host.created("four", false).await;
    assert_eq!(host.tree(), "one[two three[four*]]");
    host.remove(&three, false).await;
    assert_eq!(host.tree(), "one[two four*]");
    assert_eq!(
        host.simulator
            .properties::<properties::VirtualMachineSnapshot>(&three),
        None
    );
    host.remove(&one, false).await;
    assert_eq!(host.tree(), "two four*");
    assert_eq!(host.vm().root_snapshot.len(), 2);
}

#[tokio::test]
async fn what_was_current_gives_way_to_its_nearest_ancestor() {
    let host = Host::with("web01").await;
    let one = host.created("one", false).await;
    let two = host.created("two", false).await;
    let three = host.created("three", false).await;
    host.remove(&three, false).await;
    assert_eq!(host.tree(), "one[two*]");
    host.created("four", false).await;
    host.remove(&two, true).await;
    assert_eq!(host.tree(), "one*");
    host.remove(&one, true).await;
    assert_eq!(host.vm().snapshot, None);
    assert!(host.vm().root_snapshot.is_empty());
    let request = RevertToCurrentSnapshotTask {
        this: host.vm.clone(),
        ..Default::default()
    };
    host.fails::<NotFound>(&request).await;
}

#[tokio::test]
async fn all_snapshots_go_at_once() {
    let host = Host::with("db01").await;
    assert_eq!(host.tree(), "installed[before-upgrade[upgraded] tuned*]");
    let request = RemoveAllSnapshotsTask {
        this: host.vm.clone(),
        ..Default::default()
    };
    host.succeeds(&request).await;
    assert_eq!(host.tree(), "");
    assert!(host.simulator.objects("VirtualMachineSnapshot").is_empty());
    assert_eq!(host.power(), PoweredOn);
}

#[tokio::test]
async fn the_files_of_a_snapshot_come_and_go() {
    let host = Host::with("web01").await;
    let files = || {
        let layout = host.vm().layout_ex.unwrap();
        let names = layout
            .file
            .iter()
            .filter(|file| file.r#type.starts_with("snapshot"));
        let names = names.map(|file| file.name.clone());
        (names.collect::<Vec<_>>(), layout.snapshot)
    };
    let before = files();
    let snapshot = host.created("one", true).await;
    let (names, layouts) = files();
    let state = "[ssd] web01/web01-Snapshot1.vmsn";
    let memory = "[ssd] web01/web01-Snapshot1.vmem";
    assert!(names.contains(&state.to_owned()), "{names:?}");
    assert!(names.contains(&memory.to_owned()), "{names:?}");
    assert_eq!(layouts[0].key, snapshot);
    assert!(host.simulator.file(state).is_some());
    host.remove(&snapshot, false).await;
    assert_eq!(files(), before);
    assert!(host.simulator.file(state).is_none());
}

#[tokio::test]
async fn a_snapshot_gets_another_name() {
    let host = Host::with("web01").await;
    let snapshot = host.created("one", false).await;
    let rename = |name: Option<&str>, description: Option<&str>| RenameSnapshot {
        this: snapshot.clone(),
        name: name.map(str::to_owned),
        description: description.map(str::to_owned),
        ..RenameSnapshot::default()
    };
    host.client.call(&rename(Some("two"), None)).await.unwrap();
    assert_eq!(host.tree(), "two*");
    assert_eq!(host.root().description, "one it is");
    host.client.call(&rename(None, Some(""))).await.unwrap();
    assert_eq!((&*host.root().name, &*host.root().description), ("two", ""));
    let fault = host.client.call(&rename(Some(""), None)).await.unwrap_err();
    assert!(fault.cast::<InvalidName>().is_some());
}

#[tokio::test]
async fn nothing_else_happens_to_a_machine_meanwhile() {
    let host = Host::with("web01").await;
    host.simulator.stop_tasks();
    let task = host.client.call(&host.create("one", false)).await.unwrap();
    let fault = host
        .client
        .call(&host.create("two", false))
        .await
        .unwrap_err();
    assert_eq!(fault.cast::<TaskInProgress>().unwrap().task, task);
    while host.simulator.step_tasks() {}
    let snapshot = host.root().snapshot;
    let revert = RevertToSnapshotTask {
        this: snapshot.clone(),
        ..Default::default()
    };
    let task = host.client.call(&revert).await.unwrap();
    assert_eq!(host.vm().recent_task[0], task);
    let remove = RemoveSnapshotTask {
        this: snapshot,
        ..Default::default()
    };
    let fault: SoapFault = host.client.call(&remove).await.unwrap_err();
    assert_eq!(fault.cast::<TaskInProgress>().unwrap().task, task);
}

#[tokio::test]
async fn a_snapshot_task_asks() {
    let host = Host::with("web01").await;
    let script = Script::new("CreateSnapshot_Task").asks(Question::disk_full());
    host.simulator.script(script);
    let task = host.client.call(&host.create("one", false)).await.unwrap();
    while host.simulator.step_tasks() {}
    assert_eq!(host.tree(), "");
    let question = host.vm().runtime.unwrap().question.unwrap();
    let cancel = AnswerVm {
        this: host.vm.clone(),
        question_id: question.id,
        answer_choice: "1".to_owned(),
        ..Default::default()
    };
    host.client.call(&cancel).await.unwrap();
    let info = host.read::<properties::Task>(&task).info.unwrap();
    assert_eq!(info.state, TaskInfoState::Error);
    assert_eq!(host.tree(), "");
}

#[tokio::test]
async fn some_snapshots_cannot_be_taken() {
    let host = Host::with("web01").await;
    let fault = host.client.call(&host.create("", false)).await.unwrap_err();
    assert!(fault.cast::<InvalidName>().is_some());

    host.simulator.set_power_state(&host.vm, Suspended);
    let fault: InvalidPowerState = host.fails(&host.create("one", false)).await;
    assert_eq!(fault.existing_state, Suspended);
    host.simulator.set_power_state(&host.vm, PoweredOn);

    let set_mode = |mode: &str| {
        host.change(|vm| {
            let devices = &mut vm.config.as_deref_mut().unwrap().hardware.device;
            let backings = devices.iter_mut().filter_map(|one| one.backing.as_mut());
            let disks = backings.filter_map(|one| one.cast_mut::<VirtualDiskFlatVer2BackingInfo>());
            disks.for_each(|disk| mode.clone_into(&mut disk.disk_mode));
        });
    };
    set_mode("independent_persistent");
    host.fails::<MemorySnapshotOnIndependentDisk>(&host.create("one", true))
        .await;
    host.created("no memory", false).await;
    set_mode("persistent");

    host.change(|vm| {
        vm.config.as_deref_mut().unwrap().flags.snapshot_locked = Some(true);
    });
    host.fails::<SnapshotLocked>(&host.create("one", true))
        .await;
    let remove = RemoveSnapshotTask {
        this: host.root().snapshot,
        ..Default::default()
    };
    host.fails::<SnapshotLocked>(&remove).await;
    host.change(|vm| {
        let flags = &mut vm.config.as_deref_mut().unwrap().flags;
        flags.snapshot_locked = Some(false);
        flags.snapshot_disabled = Some(true);
    });
    host.fails::<SnapshotDisabled>(&host.create("one", true))
        .await;
    host.change(|vm| {
        vm.config.as_deref_mut().unwrap().flags.snapshot_disabled = None;
        let capability = vm.capability.as_deref_mut().unwrap();
        capability.multiple_snapshots_supported = false;
    });
    host.fails::<SnapshotFault>(&host.create("one", true)).await;
    host.change(|vm| {
        let capability = vm.capability.as_deref_mut().unwrap();
        capability.multiple_snapshots_supported = true;
        let devices = &mut vm.config.as_deref_mut().unwrap().hardware.device;
        let mut controllers = devices.iter_mut().filter_map(|one| one.cast_mut());
        let scsi: &mut VirtualScsiController = controllers.next().unwrap();
        scsi.shared_bus = VirtualScsiSharing::PhysicalSharing;
    });
    host.fails::<SnapshotIncompatibleDeviceInVm>(&host.create("one", true))
        .await;
    assert_eq!(host.tree(), "no memory*");
}

#[tokio::test]
async fn a_guest_is_quiesced_by_its_tools() {
    let quiesce = |host: &Host| CreateSnapshotTask {
        quiesce: true,
        ..host.create("one", false)
    };
    let host = Host::with("web01").await;
    host.succeeds(&quiesce(&host)).await;
    assert!(host.root().quiesced);
    let host = Host::with("router").await;
    host.fails::<ToolsUnavailable>(&quiesce(&host)).await;
    // One that is off has nothing to write.
    host.simulator.set_power_state(&host.vm, PoweredOff);
    host.succeeds(&quiesce(&host)).await;
    assert!(!host.root().quiesced);
}

#[tokio::test]
async fn a_specification_can_say_how_to_quiesce() {
    let host = Host::with("web01").await;
    let spec = VirtualMachineGuestQuiesceSpec {
        timeout: Some(10),
        ..VirtualMachineGuestQuiesceSpec::default()
    };
    for (spec, quiesced) in [(None, false), (Some(spec.into()), true)] {
        let request = CreateSnapshotExTask {
            this: host.vm.clone(),
            name: quiesced.to_string(),
            quiesce_spec: spec,
            ..CreateSnapshotExTask::default()
        };
        host.succeeds(&request).await;
        let info = host.vm().snapshot.unwrap();
        let mut last = &info.root_snapshot_list[0];
        while let Some(child) = last.child_snapshot_list.first() {
            last = child;
        }
        assert_eq!(
            (&*last.name, last.quiesced),
            (&*quiesced.to_string(), quiesced)
        );
    }
    // It came with 6.5.
    let simulator = Simulator::esx().api_version("6.0").unwrap().build();
    let client = Client::login(&simulator).await;
    let request = CreateSnapshotExTask {
        this: simulator.vm("web01").unwrap(),
        name: "new".to_owned(),
        ..CreateSnapshotExTask::default()
    };
    let fault = client.call(&request).await.unwrap_err();
    assert!(fault.is::<MethodNotFound>(), "{fault}");
}

#[tokio::test]
async fn there_is_a_lowest_level() {
    let host = Host::with("web01").await;
    for level in 1..=32 {
        host.created(&level.to_string(), false).await;
    }
    host.fails::<TooManySnapshotLevels>(&host.create("33", false))
        .await;
}

#[tokio::test]
async fn a_vcenter_numbers_all_snapshots() {
    let simulator = Simulator::vcenter().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let host = Host {
        simulator,
        client,
        vm,
    };
    let one = host.created("one", false).await;
    // Four are in the preset.
    assert_eq!(one.value, "snapshot-5");
    assert_eq!(host.root().id, Some(1));
}
