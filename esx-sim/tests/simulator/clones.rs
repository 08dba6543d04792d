//! Clones: linked ones, their disks, and what keeps them from being made. `machines.rs` has full clones.

use vi_types::enums::VirtualMachinePowerState::PoweredOff;
use vi_types::methods::{
    CancelTask, CloneVmTask, CreateSnapshotTask, RelocateVmTask, UnregisterVm,
};
use vi_types::objects::{
    InvalidArgument, InvalidDatastore, InvalidName, InvalidState, ManagedObjectNotFound,
    RequestCanceled, VirtualDisk, VirtualDiskFlatVer2BackingInfo, VirtualMachineCloneSpec,
    VirtualMachineRelocateSpec, VirtualMachineRelocateSpecDiskLocator,
};
use vi_types::properties::{Datastore, HostSystem};
use vi_types::{ManagedObjectReference, properties};

use crate::client::moref;
use crate::host::{Host, destroy};

const LINKED: &str = "createNewChildDiskBacking";

fn clone(
    host: &Host,
    source: &ManagedObjectReference,
    name: &str,
    spec: VirtualMachineCloneSpec,
) -> CloneVmTask {
    CloneVmTask {
        this: source.clone(),
        folder: host.vm(source).parent.clone().unwrap(),
        name: name.to_owned(),
        spec,
        ..CloneVmTask::default()
    }
}

fn linked(snapshot: Option<&ManagedObjectReference>) -> VirtualMachineCloneSpec {
    VirtualMachineCloneSpec {
        location: VirtualMachineRelocateSpec {
            disk_move_type: Some(LINKED.to_owned()),
            ..VirtualMachineRelocateSpec::default()
        },
        snapshot: snapshot.cloned(),
        ..VirtualMachineCloneSpec::default()
    }
}

async fn snapshot(host: &Host, vm: &ManagedObjectReference) -> ManagedObjectReference {
    let take = CreateSnapshotTask {
        this: vm.clone(),
        name: "base".to_owned(),
        ..CreateSnapshotTask::default()
    };
    host.made(&take).await
}

/// The files of a machine's disks, each with those below it.
fn chains(host: &Host, vm: &ManagedObjectReference) -> Vec<Vec<String>> {
    let devices = host.config(vm).hardware.device;
    let disks = devices.iter().filter(|device| device.is::<VirtualDisk>());
    let chain = |disk: &vi_types::Poly<vi_types::objects::VirtualDevice>| {
        let backing = disk.backing.as_ref().unwrap();
        let first = backing.cast::<VirtualDiskFlatVer2BackingInfo>();
        let chain = std::iter::successors(first, |disk| disk.parent.as_deref());
        chain.map(|disk| disk.file_name.clone()).collect()
    };
    disks.map(chain).collect()
}

fn store(host: &Host, name: &str) -> ManagedObjectReference {
    let mut stores = host.simulator.objects("Datastore").into_iter();
    let is_it = |store: &ManagedObjectReference| {
        let store: Datastore = host.simulator.properties(store).unwrap();
        store.name.as_deref() == Some(name)
    };
    stores.find(is_it).unwrap()
}

fn exists(host: &Host, path: &str) -> bool {
    host.simulator.file(path).is_some()
}

/// A machine that is off, the file of its only disk, and a snapshot of it.
async fn source(host: &Host) -> (ManagedObjectReference, String, ManagedObjectReference) {
    let vm = host.simulator.vm("web01").unwrap();
    host.simulator.set_power_state(&vm, PoweredOff);
    let disk = chains(host, &vm)[0][0].clone();
    let snapshot = snapshot(host, &vm).await;
    (vm, disk, snapshot)
}

#[tokio::test]
async fn a_linked_clone_has_only_what_is_new() {
    let host = Host::vcenter().await;
    let (vm, base, snapshot) = source(&host).await;
    let spec = linked(Some(&snapshot));
    let copy = host.made(&clone(&host, &vm, "linked", spec)).await;
    let chain = &chains(&host, &copy)[0];
    let own = base.replace("web01/web01.vmdk", "linked/linked.vmdk");
    assert_eq!(chain, &[own.clone(), base.clone()]);
    let text = host.text(&own);
    assert!(text.contains("createType=\"vmfsSparse\""), "{text}");
    assert!(
        text.contains("parentFileNameHint=\"/vmfs/volumes/"),
        "{text}"
    );
    assert!(text.contains("/web01/web01.vmdk\""), "{text}");
    assert!(exists(&host, &own.replace(".vmdk", "-delta.vmdk")));
    // Its end is not that of the disk below it, and the end of the source is not, either.
    let spec = linked(Some(&snapshot));
    let other = host.made(&clone(&host, &vm, "other", spec)).await;
    host.succeeds(&destroy(&copy)).await;
    assert!(!exists(&host, &own));
    assert!(exists(&host, &base));
    host.succeeds(&destroy(&vm)).await;
    assert!(exists(&host, &base));
    assert!(!exists(&host, &base.replace(".vmdk", ".vmx")));
    host.succeeds(&destroy(&other)).await;
    assert_eq!(host.simulator.vm("other"), None);
    assert!(!exists(&host, &base));
}

#[tokio::test]
async fn a_linked_clone_moves_with_a_copy_of_the_disk_below_it() {
    let host = Host::vcenter().await;
    let (vm, base, snapshot) = source(&host).await;
    let spec = linked(Some(&snapshot));
    let copy = host.made(&clone(&host, &vm, "linked", spec)).await;
    let other = match base.starts_with("[production-shared]") {
        true => "production-local",
        false => "production-shared",
    };
    let relocate = RelocateVmTask {
        this: copy.clone(),
        spec: VirtualMachineRelocateSpec {
            datastore: Some(store(&host, other)),
            ..VirtualMachineRelocateSpec::default()
        },
        ..RelocateVmTask::default()
    };
    host.succeeds(&relocate).await;
    let own = format!("[{other}] linked/linked.vmdk");
    let below = format!("[{other}] linked/web01.vmdk");
    assert_eq!(chains(&host, &copy)[0], [own.clone(), below.clone()]);
    let text = host.text(&own);
    assert!(text.contains("parentFileNameHint=\"web01.vmdk\""), "{text}");
    assert!(exists(&host, &below));
    assert!(exists(&host, &base));
}

#[tokio::test]
async fn a_full_clone_of_a_linked_one_has_everything_itself() {
    let host = Host::vcenter().await;
    let (vm, _, base) = source(&host).await;
    let copy = host
        .made(&clone(&host, &vm, "linked", linked(Some(&base))))
        .await;
    for move_type in [None, Some("moveAllDiskBackingsAndDisallowSharing")] {
        let spec = VirtualMachineCloneSpec {
            location: VirtualMachineRelocateSpec {
                disk_move_type: move_type.map(str::to_owned),
                ..VirtualMachineRelocateSpec::default()
            },
            ..VirtualMachineCloneSpec::default()
        };
        let name = move_type.unwrap_or("full");
        let full = host.made(&clone(&host, &copy, name, spec)).await;
        let chain = &chains(&host, &full)[0];
        assert_eq!(chain.len(), 1);
        assert!(host.text(&chain[0]).contains("createType=\"vmfs\""));
    }
    // Only the newest disk is copied.
    let spec = VirtualMachineCloneSpec {
        location: VirtualMachineRelocateSpec {
            disk_move_type: Some("moveChildMostDiskBacking".to_owned()),
            ..VirtualMachineRelocateSpec::default()
        },
        ..VirtualMachineCloneSpec::default()
    };
    let child = host.made(&clone(&host, &copy, "child", spec)).await;
    let (chain, before) = (&chains(&host, &child)[0], &chains(&host, &copy)[0]);
    assert_eq!(chain[1..], before[1..]);
    assert_ne!(chain[0], before[0]);
}

#[tokio::test]
async fn single_disks_of_a_clone_are_elsewhere() {
    let host = Host::vcenter().await;
    let vm = host.simulator.vm("db01").unwrap();
    let stores = ["production-shared", "production-local"];
    let locator = |disk_id: i32, name: &str| VirtualMachineRelocateSpecDiskLocator {
        disk_id,
        datastore: store(&host, name),
        ..VirtualMachineRelocateSpecDiskLocator::default()
    };
    let spec = VirtualMachineCloneSpec {
        location: VirtualMachineRelocateSpec {
            datastore: Some(store(&host, stores[0])),
            disk: vec![locator(2001, stores[1])],
            ..VirtualMachineRelocateSpec::default()
        },
        ..VirtualMachineCloneSpec::default()
    };
    let copy = host.made(&clone(&host, &vm, "spread", spec)).await;
    let disks: Vec<_> = chains(&host, &copy).into_iter().flatten().collect();
    assert_eq!(
        disks,
        [
            "[production-shared] spread/spread.vmdk",
            "[production-local] spread/spread_1.vmdk"
        ]
    );
    assert!(disks.iter().all(|disk| exists(&host, disk)));
}

#[tokio::test]
async fn some_clones_make_no_sense() {
    let host = Host::vcenter().await;
    let (vm, _, snapshot) = source(&host).await;
    let invalid = |request| {
        let host = &host;
        async move {
            let fault: InvalidArgument = host.fails(&request).await;
            fault.invalid_property.unwrap()
        }
    };
    let move_type = "spec.location.diskMoveType";
    let request = clone(&host, &vm, "copy", linked(None));
    assert_eq!(invalid(request).await, move_type);
    let mut spec = linked(Some(&snapshot));
    spec.location.disk_move_type = Some("throwAway".to_owned());
    assert_eq!(invalid(clone(&host, &vm, "copy", spec)).await, move_type);
    let plain = VirtualMachineCloneSpec::default;
    host.fails::<InvalidName>(&clone(&host, &vm, "", plain()))
        .await;
    let mut request = clone(&host, &vm, "copy", plain());
    request.folder = moref("Folder", "group-v999");
    host.fails::<ManagedObjectNotFound>(&request).await;
    let other = host.simulator.vm("db01").unwrap();
    let request = clone(&host, &other, "copy", linked(Some(&snapshot)));
    host.fails::<ManagedObjectNotFound>(&request).await;

    // A host takes only what is on its datastores.
    let mut spec = plain();
    spec.location.datastore = Some(store(&host, "esx-edge-shared"));
    host.fails::<InvalidDatastore>(&clone(&host, &vm, "copy", spec))
        .await;
    let mut edge = host
        .simulator
        .objects("HostSystem")
        .into_iter()
        .filter(|one| {
            let state: HostSystem = host.simulator.properties(one).unwrap();
            state.name.as_deref() == Some("esx-edge.example.com")
        });
    let edge = edge.next().unwrap();
    let state: HostSystem = host.simulator.properties(&edge).unwrap();
    let compute: properties::ComputeResource = host
        .simulator
        .properties(&state.parent.clone().unwrap())
        .unwrap();
    let mut spec = linked(Some(&snapshot));
    spec.location.pool = compute.resource_pool.clone();
    spec.location.host = Some(edge);
    host.fails::<InvalidDatastore>(&clone(&host, &vm, "copy", spec.clone()))
        .await;
    spec.location.disk_move_type = None;
    spec.location.datastore = Some(store(&host, "esx-edge-shared"));
    host.made(&clone(&host, &vm, "far", spec.clone())).await;
    let locator = VirtualMachineRelocateSpecDiskLocator {
        disk_id: 2000,
        datastore: store(&host, "production-shared"),
        ..VirtualMachineRelocateSpecDiskLocator::default()
    };
    spec.location.disk = vec![locator];
    host.fails::<InvalidDatastore>(&clone(&host, &vm, "copy", spec))
        .await;
    assert_eq!(host.simulator.vm("copy"), None);
    assert!(!exists(&host, "[production-shared] copy/copy.vmx"));
}

#[tokio::test]
async fn a_cancelled_clone_leaves_nothing() {
    let host = Host::vcenter().await;
    host.simulator.stop_tasks();
    let vm = host.simulator.vm("db01").unwrap();
    let machines = host.simulator.objects("VirtualMachine");
    let request = clone(&host, &vm, "copy", VirtualMachineCloneSpec::default());
    let task = host.client.call(&request).await.unwrap();
    host.simulator.step_tasks();
    let cancel = CancelTask {
        this: task.clone(),
        ..CancelTask::default()
    };
    host.client.call(&cancel).await.unwrap();
    let state: properties::Task = host.simulator.properties(&task).unwrap();
    let info = state.info.unwrap();
    assert!(info.cancelled);
    assert!(info.error.unwrap().fault.is::<RequestCanceled>());
    assert!(!host.simulator.step_tasks());
    assert_eq!(host.simulator.objects("VirtualMachine"), machines);
    // It is over, and cannot be cancelled again.
    let fault = host.client.call(&cancel).await.unwrap_err();
    assert!(fault.is::<InvalidState>());
    // The machine has no task any more.
    host.simulator.set_power_state(&vm, PoweredOff);
    let unregister = UnregisterVm {
        this: vm.clone(),
        ..UnregisterVm::default()
    };
    host.client.call(&unregister).await.unwrap();
}
