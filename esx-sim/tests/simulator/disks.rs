//! Virtual disks, and files that running machines have.

use vi_types::enums::VirtualMachinePowerState::PoweredOff;
use vi_types::methods::{
    CopyDatastoreFileTask, CopyVirtualDiskTask, DeleteDatastoreFileTask, DeleteVirtualDiskTask,
    ExtendVirtualDiskTask, MoveDatastoreFileTask, MoveVirtualDiskTask, ZeroFillVirtualDiskTask,
};
use vi_types::objects::{
    FileAlreadyExists, FileLocked, FileNotFound, InvalidArgument, VirtualDisk, VirtualDiskSpec,
};
use vi_types::{Any, ManagedObjectReference, Method};

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
