//! Snapshots: how they are taken, what a revert makes of a machine, and what is left when they go.

use esx_sim::{Question, Script, Simulator};
use vi_types::enums::VirtualMachinePowerState::{self, PoweredOff, PoweredOn, Suspended};
use vi_types::enums::{TaskInfoState, VirtualScsiSharing};
use vi_types::methods::{
    AnswerVm, ConsolidateVmDisksTask, CreateSnapshotExTask, CreateSnapshotTask,
    RemoveAllSnapshotsTask, RemoveSnapshotTask, RenameSnapshot, RevertToCurrentSnapshotTask,
    RevertToSnapshotTask,
};
use vi_types::objects::{
    InvalidName, InvalidPowerState, MemorySnapshotOnIndependentDisk, MethodFault, MethodNotFound,
    NotFound, SnapshotDisabled, SnapshotFault, SnapshotIncompatibleDeviceInVm, SnapshotLocked,
    TaskInProgress, TaskInfo, TooManySnapshotLevels, ToolsUnavailable,
    VirtualDiskFlatVer2BackingInfo, VirtualMachineConfigInfo, VirtualMachineFileLayoutExDiskUnit,
    VirtualMachineGuestQuiesceSpec, VirtualMachineSnapshotTree, VirtualScsiController,
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
    let (earlier, later) = (&tree.create_time, &newer.create_time);
    assert!(later.epoch_seconds().unwrap() > earlier.epoch_seconds().unwrap());
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

/// The name of a file without its folder.
fn base(file: &str) -> String {
    file.rsplit('/').next().unwrap().to_owned()
}

impl Host {
    /// The files of the first disk of a configuration and of those below it, the disk's own first.
    fn chain_of(config: &VirtualMachineConfigInfo) -> Vec<String> {
        let devices = config.hardware.device.iter();
        let mut backings = devices.filter_map(|device| device.backing.as_ref()?.cast());
        let first: &VirtualDiskFlatVer2BackingInfo = backings.next().unwrap();
        let chain = std::iter::successors(Some(first), |backing| backing.parent.as_deref());
        chain.map(|backing| base(&backing.base.file_name)).collect()
    }

    fn chain(&self) -> Vec<String> {
        Self::chain_of(&self.vm().config.unwrap())
    }

    /// The same of a snapshot.
    fn chain_at(&self, snapshot: &ManagedObjectReference) -> Vec<String> {
        let own: properties::VirtualMachineSnapshot = self.read(snapshot);
        Self::chain_of(&own.config.unwrap())
    }

    fn text(&self, name: &str) -> String {
        let bytes = self.simulator.file(&format!("[ssd] web01/{name}")).unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    /// The delta disks of the machine that are there, by their numbers.
    fn deltas(&self) -> Vec<u32> {
        let is_there = |number: &u32| {
            let path = format!("[ssd] web01/web01-{number:06}.vmdk");
            let content = format!("[ssd] web01/web01-{number:06}-delta.vmdk");
            let is_there = self.simulator.file(&path).is_some();
            assert_eq!(self.simulator.file(&content).is_some(), is_there);
            is_there
        };
        (1..10).filter(is_there).collect()
    }
}

#[tokio::test]
async fn a_machine_writes_to_a_delta_disk_after_a_snapshot() {
    let host = Host::with("web01").await;
    let snapshot = host.created("one", false).await;
    assert_eq!(host.chain(), ["web01-000001.vmdk", "web01.vmdk"]);
    assert_eq!(host.chain_at(&snapshot), ["web01.vmdk"]);
    let vmx = host.text("web01.vmx");
    assert!(vmx.contains("fileName = \"web01-000001.vmdk\""), "{vmx}");
    let delta = host.text("web01-000001.vmdk");
    for line in [
        "createType=\"vmfsSparse\"",
        "parentFileNameHint=\"web01.vmdk\"",
        "RW 67108864 VMFSSPARSE \"web01-000001-delta.vmdk\"",
    ] {
        assert!(delta.contains(line), "{delta}");
    }
    let line = |text: &str, key: &str| {
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(key));
        value.unwrap().to_owned()
    };
    let bottom = host.text("web01.vmdk");
    assert_eq!(line(&delta, "parentCID="), line(&bottom, "CID="));
    assert_eq!(line(&bottom, "parentCID="), "ffffffff");
    assert_ne!(line(&delta, "CID="), line(&bottom, "CID="));

    let layout = host.vm().layout_ex.unwrap();
    let name = |key: &i32| {
        let mut files = layout.file.iter();
        base(&files.find(|file| file.key == *key).unwrap().name)
    };
    let files = |units: &[VirtualMachineFileLayoutExDiskUnit]| -> Vec<Vec<String>> {
        let units = units.iter();
        units
            .map(|unit| unit.file_key.iter().map(name).collect())
            .collect()
    };
    let bottom = ["web01.vmdk", "web01-flat.vmdk"];
    let delta = ["web01-000001.vmdk", "web01-000001-delta.vmdk"];
    assert_eq!(layout.disk[0].key, 2000);
    assert_eq!(files(&layout.disk[0].chain), [bottom, delta]);
    assert_eq!(files(&layout.snapshot[0].disk[0].chain), [bottom]);

    let list = host.text("web01.vmsd");
    for line in [
        "snapshot.current = \"1\"",
        "snapshot0.displayName = \"one\"",
        "snapshot0.disk0.fileName = \"web01.vmdk\"",
        "snapshot.numSnapshots = \"1\"",
    ] {
        assert!(list.contains(line), "{list}");
    }
}

#[tokio::test]
async fn disks_are_deleted_and_merged_as_snapshots_go() {
    let host = Host::with("web01").await;
    let one = host.created("one", false).await;
    let two = host.created("two", false).await;
    assert_eq!(
        host.chain(),
        ["web01-000002.vmdk", "web01-000001.vmdk", "web01.vmdk"]
    );

    // A revert loses the changes since, and begins a new branch under the first free name.
    host.revert(&one).await;
    assert_eq!(host.chain(), ["web01-000002.vmdk", "web01.vmdk"]);
    assert_eq!(host.chain_at(&two), ["web01-000001.vmdk", "web01.vmdk"]);
    let three = host.created("three", false).await;
    assert_eq!(host.tree(), "one[two three*]");
    assert_eq!(host.chain_at(&three), ["web01-000002.vmdk", "web01.vmdk"]);
    assert_eq!(host.deltas(), [1, 2, 3]);

    // Two disks are above that of the first snapshot, which stays.
    host.remove(&one, false).await;
    assert_eq!(host.tree(), "two three*");
    assert_eq!(host.deltas(), [1, 2, 3]);
    assert_eq!(
        host.chain(),
        ["web01-000003.vmdk", "web01-000002.vmdk", "web01.vmdk"]
    );
    // Without the other branch, the one that is left is merged into it.
    host.remove(&two, false).await;
    assert_eq!(host.deltas(), [3]);
    assert_eq!(host.chain_at(&three), ["web01.vmdk"]);
    assert_eq!(host.chain(), ["web01-000003.vmdk", "web01.vmdk"]);
    let delta = host.text("web01-000003.vmdk");
    assert!(
        delta.contains("parentFileNameHint=\"web01.vmdk\""),
        "{delta}"
    );
    host.remove(&three, false).await;
    assert_eq!(host.chain(), ["web01.vmdk"]);
    assert_eq!(host.deltas(), []);
    assert_eq!(host.text("web01.vmsd"), "");
    assert_eq!(host.vm().layout_ex.unwrap().disk[0].chain.len(), 1);
}

#[tokio::test]
async fn a_snapshot_in_the_middle_goes() {
    let host = Host::with("web01").await;
    host.created("one", false).await;
    let two = host.created("two", false).await;
    let three = host.created("three", false).await;
    host.remove(&two, false).await;
    // The changes from the second to the third are now in the disk of the second.
    assert_eq!(host.chain_at(&three), ["web01-000001.vmdk", "web01.vmdk"]);
    assert_eq!(
        host.chain(),
        ["web01-000003.vmdk", "web01-000001.vmdk", "web01.vmdk"]
    );
    assert_eq!(host.deltas(), [1, 3]);
    let all = RemoveAllSnapshotsTask {
        this: host.vm.clone(),
        ..Default::default()
    };
    host.succeeds(&all).await;
    assert_eq!(host.chain(), ["web01.vmdk"]);
    assert_eq!(host.deltas(), []);
}

#[tokio::test]
async fn disks_can_be_merged_later() {
    let host = Host::with("web01").await;
    let one = host.created("one", false).await;
    let is_needed = || host.vm().runtime.unwrap().consolidation_needed;
    host.succeeds(&RemoveSnapshotTask {
        this: one,
        consolidate: Some(false),
        ..Default::default()
    })
    .await;
    assert_eq!(host.tree(), "");
    assert_eq!(host.chain(), ["web01-000001.vmdk", "web01.vmdk"]);
    assert_eq!(is_needed(), Some(true));
    host.succeeds(&ConsolidateVmDisksTask {
        this: host.vm.clone(),
        ..Default::default()
    })
    .await;
    assert_eq!(host.chain(), ["web01.vmdk"]);
    assert_eq!((is_needed(), host.deltas()), (Some(false), vec![]));
}

#[tokio::test]
async fn independent_disks_take_no_part() {
    let host = Host::with("web01").await;
    host.change(|vm| {
        let devices = &mut vm.config.as_deref_mut().unwrap().hardware.device;
        let backings = devices.iter_mut().filter_map(|one| one.backing.as_mut());
        let disks = backings.filter_map(|one| one.cast_mut::<VirtualDiskFlatVer2BackingInfo>());
        disks.for_each(|disk| "independent_persistent".clone_into(&mut disk.disk_mode));
    });
    let one = host.created("one", false).await;
    host.revert(&one).await;
    assert_eq!(host.chain(), ["web01.vmdk"]);
    assert_eq!(host.deltas(), []);
}

#[tokio::test]
async fn the_preset_has_a_tree_of_disks() {
    let host = Host::with("db01").await;
    let names: Vec<_> = host
        .vm()
        .config
        .unwrap()
        .hardware
        .device
        .iter()
        .filter_map(|one| {
            let backing = one.backing.as_ref()?;
            Some(base(
                &backing
                    .cast::<VirtualDiskFlatVer2BackingInfo>()?
                    .base
                    .file_name,
            ))
        })
        .collect();
    assert_eq!(names, ["db01-000004.vmdk", "db01_1-000004.vmdk"]);
    assert_eq!(
        host.chain(),
        ["db01-000004.vmdk", "db01-000003.vmdk", "db01.vmdk"]
    );
    let request = RemoveAllSnapshotsTask {
        this: host.vm.clone(),
        ..Default::default()
    };
    host.succeeds(&request).await;
    assert_eq!(host.chain(), ["db01.vmdk"]);
    assert_eq!(host.power(), PoweredOn);
}

#[tokio::test]
async fn an_old_host_has_delta_disks_without_showing_chains() {
    let simulator = Simulator::esx().api_version("2.5").unwrap().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let host = Host {
        simulator,
        client,
        vm,
    };
    let one = host.created("one", false).await;
    assert_eq!(host.chain(), ["web01-000001.vmdk"]);
    host.remove(&one, false).await;
    assert_eq!(host.chain(), ["web01.vmdk"]);
}
