//! Virtual disks, and files that running machines have.

use vi_types::enums::VirtualDeviceConfigSpecOperation;
use vi_types::enums::VirtualMachinePowerState::PoweredOff;
use vi_types::methods::{
    CloneVmTask, CopyDatastoreFileTask, CopyVirtualDiskTask, DeleteDatastoreFileTask,
    DeleteVirtualDiskTask, EagerZeroVirtualDiskTask, ExtendVirtualDiskTask, InflateVirtualDiskTask,
    MoveDatastoreFileTask, MoveVirtualDiskTask, QueryVirtualDiskFragmentation,
    QueryVirtualDiskGeometry, QueryVirtualDiskUuid, ReconfigVmTask, SetVirtualDiskUuid,
    ShrinkVirtualDiskTask, ZeroFillVirtualDiskTask,
};
use vi_types::objects::{
    FileAlreadyExists, FileLocked, FileNotFound, InvalidArgument, InvalidDiskFormat, VirtualDevice,
    VirtualDeviceConfigSpec, VirtualDeviceFileBackingInfo, VirtualDisk, VirtualDiskSpec,
    VirtualMachineConfigSpec,
};
use vi_types::{Any, ManagedObjectReference, Method, Poly, properties};

use crate::host::Host;

fn copy(from: &str, to: &str) -> CopyVirtualDiskTask {
    CopyVirtualDiskTask {
        source_name: from.to_owned(),
        dest_name: to.to_owned(),
        ..CopyVirtualDiskTask::default()
    }
}

fn extend(name: &str, new_capacity_kb: i64) -> ExtendVirtualDiskTask {
    ExtendVirtualDiskTask {
        name: name.to_owned(),
        new_capacity_kb,
        ..ExtendVirtualDiskTask::default()
    }
}

const DISK: &str = "[ssd] disks/one.vmdk";

async fn host_with_disk() -> Host {
    let host = Host::esx().await;
    assert!(host.simulator.make_disk(DISK, 2048, "lsilogic"));
    host
}

async fn locked(host: &Host, request: &impl Method<Output = ManagedObjectReference>) -> String {
    let fault: FileLocked = host.fails(request).await;
    fault.file.clone()
}

#[tokio::test]
async fn disks_are_copied_with_their_content() {
    let host = host_with_disk().await;
    let target = "[ssd] disks/two.vmdk";
    let result = host.succeeds(&copy(DISK, target)).await;
    assert_eq!(result, Any::from(target.to_owned()));
    assert!(host.text(target).contains("RW 4096 VMFS \"two-flat.vmdk\""));
    let content = host.simulator.file("[ssd] disks/two-flat.vmdk").unwrap();
    assert_eq!(content.len(), 2 << 20);
    let fault: FileAlreadyExists = host.fails(&copy(DISK, target)).await;
    assert_eq!(fault.file, target);
    let mut request = copy(DISK, target);
    request.force = Some(true);
    request.dest_spec = Some(
        VirtualDiskSpec {
            disk_type: "thin".to_owned(),
            adapter_type: "busLogic".to_owned(),
            ..VirtualDiskSpec::default()
        }
        .into(),
    );
    host.succeeds(&request).await;
    let text = host.text(target);
    assert!(text.contains("ddb.adapterType = \"buslogic\""), "{text}");
    assert!(text.contains("ddb.thinProvisioned = \"1\""), "{text}");
    host.fails::<FileNotFound>(&copy("[ssd] disks/none.vmdk", "[ssd] disks/a.vmdk"))
        .await;
    let fault: FileNotFound = host.fails(&copy(DISK, "[ssd] nowhere/a.vmdk")).await;
    assert_eq!(fault.file, "[ssd] nowhere");
}

#[tokio::test]
async fn disks_are_moved_with_their_content() {
    let host = host_with_disk().await;
    let target = "[datastore1] moved.vmdk";
    let request = MoveVirtualDiskTask {
        source_name: DISK.to_owned(),
        dest_name: target.to_owned(),
        ..MoveVirtualDiskTask::default()
    };
    let result = host.succeeds(&request).await;
    assert_eq!(result, Any::from(target.to_owned()));
    assert!(host.text(target).contains("\"moved-flat.vmdk\""));
    for gone in [DISK, "[ssd] disks/one-flat.vmdk"] {
        assert_eq!(host.simulator.file(gone), None);
    }
    host.fails::<FileNotFound>(&request).await;
}

#[tokio::test]
async fn disks_grow_also_for_the_machines_that_have_them() {
    let host = host_with_disk().await;
    host.succeeds(&extend(DISK, 4096)).await;
    assert!(host.text(DISK).contains("RW 8192 VMFS"));
    let fault: InvalidArgument = host.fails(&extend(DISK, 4095)).await;
    assert_eq!(fault.invalid_property.as_deref(), Some("newCapacityKb"));
    let vm = host.simulator.vm("installer").unwrap();
    let capacity = || {
        let devices = host.config(&vm).hardware.device;
        let mut disks = devices
            .iter()
            .filter_map(|device| device.cast::<VirtualDisk>());
        disks.next().unwrap().capacity_in_kb
    };
    let before = capacity();
    let path = "[ssd] installer/installer.vmdk";
    host.succeeds(&extend(path, before + 1024)).await;
    assert_eq!(capacity(), before + 1024);
    let zero = ZeroFillVirtualDiskTask {
        name: DISK.to_owned(),
        ..ZeroFillVirtualDiskTask::default()
    };
    host.succeeds(&zero).await;
}

#[tokio::test]
async fn files_of_running_machines_stay() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("web01").unwrap();
    let disk = "[ssd] web01/web01.vmdk";
    let to = "[ssd] elsewhere.vmdk";
    let delete_disk = DeleteVirtualDiskTask {
        name: disk.to_owned(),
        ..DeleteVirtualDiskTask::default()
    };
    assert_eq!(locked(&host, &delete_disk).await, disk);
    assert_eq!(locked(&host, &copy(disk, to)).await, disk);
    assert_eq!(locked(&host, &extend(disk, 1 << 30)).await, disk);
    let move_disk = MoveVirtualDiskTask {
        source_name: disk.to_owned(),
        dest_name: to.to_owned(),
        ..MoveVirtualDiskTask::default()
    };
    assert_eq!(locked(&host, &move_disk).await, disk);
    let delete = |name: &str| DeleteDatastoreFileTask {
        name: name.to_owned(),
        ..DeleteDatastoreFileTask::default()
    };
    let flat = "[ssd] web01/web01-flat.vmdk";
    assert_eq!(locked(&host, &delete(flat)).await, flat);
    let vmx = "[ssd] web01/web01.vmx";
    assert_eq!(locked(&host, &delete(vmx)).await, vmx);
    locked(&host, &delete("[ssd] web01")).await;
    let copy_file = |from: &str| CopyDatastoreFileTask {
        source_name: from.to_owned(),
        destination_name: "[ssd] copied".to_owned(),
        ..CopyDatastoreFileTask::default()
    };
    assert_eq!(locked(&host, &copy_file(flat)).await, flat);
    let move_file = MoveDatastoreFileTask {
        source_name: vmx.to_owned(),
        destination_name: "[ssd] moved.vmx".to_owned(),
        ..MoveDatastoreFileTask::default()
    };
    assert_eq!(locked(&host, &move_file).await, vmx);
    // Its configuration can be read, and its log is no secret.
    host.succeeds(&copy_file(vmx)).await;
    host.succeeds(&delete("[ssd] web01/vmware.log")).await;
    // All ends with the machine.
    host.simulator.set_power_state(&vm, PoweredOff);
    host.succeeds(&copy(disk, to)).await;
    host.succeeds(&delete_disk).await;
    assert_eq!(host.simulator.file(disk), None);
}

/// A disk with content.
async fn written() -> Host {
    let host = host_with_disk().await;
    assert!(
        host.simulator
            .write_file_part("[ssd] disks/one-flat.vmdk", 4096, b"content")
    );
    host
}

fn content(host: &Host, extent: &str) -> (usize, Vec<u8>) {
    let bytes = host.simulator.file(extent).unwrap();
    (bytes.len(), bytes[4096..4103].to_vec())
}

#[tokio::test]
async fn copies_moves_and_larger_disks_keep_their_content() {
    let host = written().await;
    host.succeeds(&copy(DISK, "[datastore1] two.vmdk")).await;
    assert_eq!(
        content(&host, "[datastore1] two-flat.vmdk"),
        (2 << 20, b"content".to_vec())
    );
    let moved = MoveVirtualDiskTask {
        source_name: DISK.to_owned(),
        dest_name: "[ssd] moved.vmdk".to_owned(),
        ..MoveVirtualDiskTask::default()
    };
    let uuid = |name: &str| QueryVirtualDiskUuid {
        name: name.to_owned(),
        ..QueryVirtualDiskUuid::default()
    };
    let before = host.client.call(&uuid(DISK)).await.unwrap();
    host.succeeds(&moved).await;
    assert_eq!(
        host.client.call(&uuid("[ssd] moved.vmdk")).await.unwrap(),
        before,
        "it is the same disk"
    );
    host.succeeds(&extend("[ssd] moved.vmdk", 4096)).await;
    assert_eq!(
        content(&host, "[ssd] moved-flat.vmdk"),
        (4 << 20, b"content".to_vec())
    );
    assert_eq!(
        host.client.call(&uuid("[ssd] moved.vmdk")).await.unwrap(),
        before
    );
    // What is written to a copy is not in the original.
    assert!(
        host.simulator
            .write_file_part("[datastore1] two-flat.vmdk", 4096, b"another")
    );
    assert_eq!(content(&host, "[ssd] moved-flat.vmdk").1, b"content");
    let zeros = ZeroFillVirtualDiskTask {
        name: "[ssd] moved.vmdk".to_owned(),
        ..ZeroFillVirtualDiskTask::default()
    };
    host.succeeds(&zeros).await;
    assert_eq!(
        content(&host, "[ssd] moved-flat.vmdk"),
        (4 << 20, vec![0; 7])
    );
}

#[tokio::test]
async fn disks_take_the_space_that_their_type_says() {
    let host = written().await;
    let simulator = &host.simulator;
    let free = || {
        let stores = simulator.objects("Datastore").into_iter();
        let stores =
            stores.filter_map(|store| simulator.properties::<properties::Datastore>(&store));
        let mut summaries = stores.filter_map(|store| store.summary);
        summaries
            .find(|summary| summary.name == "ssd")
            .unwrap()
            .free_space
    };
    let thin = "[ssd] thin.vmdk";
    let mut request = copy(DISK, thin);
    request.dest_spec = Some(
        VirtualDiskSpec {
            disk_type: "thin".to_owned(),
            adapter_type: "lsiLogic".to_owned(),
            ..VirtualDiskSpec::default()
        }
        .into(),
    );
    let before = free();
    host.succeeds(&request).await;
    let taken = before - free();
    assert!(taken > 0 && taken < 2 << 20, "{taken}");
    let inflate = InflateVirtualDiskTask {
        name: thin.to_owned(),
        ..InflateVirtualDiskTask::default()
    };
    let eager = EagerZeroVirtualDiskTask {
        name: thin.to_owned(),
        ..EagerZeroVirtualDiskTask::default()
    };
    let shrink = ShrinkVirtualDiskTask {
        name: thin.to_owned(),
        ..ShrinkVirtualDiskTask::default()
    };
    let fault: InvalidDiskFormat = host.fails(&eager).await;
    assert_eq!(fault, InvalidDiskFormat::default());
    host.succeeds(&shrink).await;
    host.succeeds(&inflate).await;
    assert!(before - free() >= 2 << 20);
    assert!(!host.text(thin).contains("thinProvisioned"));
    host.succeeds(&eager).await;
    let fault: InvalidDiskFormat = host.fails(&shrink).await;
    assert_eq!(fault, InvalidDiskFormat::default());
    assert_eq!(
        content(&host, "[ssd] thin-flat.vmdk"),
        (2 << 20, b"content".to_vec())
    );
    let delete = DeleteVirtualDiskTask {
        name: thin.to_owned(),
        ..DeleteVirtualDiskTask::default()
    };
    host.succeeds(&delete).await;
    assert_eq!(free(), before);
}

#[tokio::test]
async fn disks_are_asked_for_their_facts() {
    let host = host_with_disk().await;
    let given = "60 00 c2 94 1b 2d 3e 4f-50 61 72 83 94 a5 b6 c7";
    let set = |uuid: &str| SetVirtualDiskUuid {
        name: DISK.to_owned(),
        uuid: uuid.to_owned(),
        ..SetVirtualDiskUuid::default()
    };
    let query = QueryVirtualDiskUuid {
        name: DISK.to_owned(),
        ..QueryVirtualDiskUuid::default()
    };
    host.client
        .call(&set("6000C294-1b2d-3e4f-5061-728394a5b6c7"))
        .await
        .unwrap();
    assert_eq!(host.client.call(&query).await.unwrap(), given);
    assert!(
        host.client
            .call(&set("x"))
            .await
            .unwrap_err()
            .is::<InvalidArgument>()
    );
    let geometry = QueryVirtualDiskGeometry {
        name: DISK.to_owned(),
        ..QueryVirtualDiskGeometry::default()
    };
    let geometry = host.client.call(&geometry).await.unwrap();
    assert_eq!(
        (geometry.cylinder, geometry.head, geometry.sector),
        (2, 64, 32)
    );
    let fragmentation = QueryVirtualDiskFragmentation {
        name: DISK.to_owned(),
        ..QueryVirtualDiskFragmentation::default()
    };
    assert_eq!(host.client.call(&fragmentation).await.unwrap(), 0);
}

#[tokio::test]
async fn disks_of_machines_keep_their_content() {
    let host = Host::vcenter().await;
    let vms = host.simulator.objects("VirtualMachine").into_iter();
    let mut off = vms.filter(|vm| {
        let runtime = host.vm(vm).runtime.unwrap();
        runtime.power_state == PoweredOff
            && !host.config(vm).template
            && host.vm(vm).root_snapshot.is_empty()
    });
    let (vm, path) = off
        .find_map(|vm| Some((vm.clone(), first_disk(&host, &vm)?.1)))
        .unwrap();
    let extent = path.replace(".vmdk", "-flat.vmdk");
    assert!(host.simulator.write_file_part(&extent, 4096, b"content"));
    let clone = CloneVmTask {
        this: vm.clone(),
        folder: host.vm(&vm).parent.clone().unwrap(),
        name: "copy".to_owned(),
        ..CloneVmTask::default()
    };
    let copy = host.made(&clone).await;
    let (_, copied) = first_disk(&host, &copy).unwrap();
    let part = |path: &str| {
        host.simulator
            .file_part(&path.replace(".vmdk", "-flat.vmdk"), 4096..4103)
    };
    assert_eq!(part(&copied).unwrap(), "content");

    let (mut device, _) = first_disk(&host, &vm).unwrap();
    if let Some(disk) = device.cast_mut::<VirtualDisk>() {
        disk.capacity_in_kb += 1 << 20;
    }
    let change = VirtualDeviceConfigSpec {
        operation: Some(VirtualDeviceConfigSpecOperation::Edit),
        device,
        ..VirtualDeviceConfigSpec::default()
    };
    let grow = ReconfigVmTask {
        this: vm.clone(),
        spec: VirtualMachineConfigSpec {
            device_change: vec![change.into()],
            ..VirtualMachineConfigSpec::default()
        },
        ..ReconfigVmTask::default()
    };
    host.succeeds(&grow).await;
    assert_eq!(part(&path).unwrap(), "content");
}

/// The first disk of a machine, with the path of its file.
fn first_disk(host: &Host, vm: &ManagedObjectReference) -> Option<(Poly<VirtualDevice>, String)> {
    let devices = host.config(vm).hardware.device.into_iter();
    let mut disks = devices.filter(|device| device.is::<VirtualDisk>());
    disks.find_map(|device| {
        let file = device
            .backing
            .as_ref()?
            .cast::<VirtualDeviceFileBackingInfo>()?;
        let path = file.file_name.clone();
        Some((device, path))
    })
}
