//! What a host with a free licence refuses.

use esx_sim::{Licence, Simulator};
use vi_types::enums::VirtualMachinePowerState::PoweredOff;
use vi_types::methods::{
    CloneVmTask, CreateContainerView, CreateSnapshotTask, CreateVmTask, CurrentTime, DestroyTask,
    FindByUuid, Logout, MakeDirectory, PowerOnVmTask, ReconfigVmTask, ReconfigureAutostart,
    RegisterVmTask, RenameTask, ShutdownGuest, UnregisterVm,
};
use vi_types::objects::RestrictedVersion;
use vi_types::{Any, ManagedObjectReference, Method};

use crate::client::moref;
use crate::host::Host;

async fn refuses<M: Method>(host: &Host, this: &ManagedObjectReference, request: &M)
where
    M::Output: std::fmt::Debug,
{
    let fault = host.client.call_on(this, request).await.unwrap_err();
    assert!(fault.is::<RestrictedVersion>(), "{}: {fault}", M::name());
    let text = "Current license or ESXi version prohibits execution of the requested operation.";
    assert_eq!(fault.string, text);
}

#[tokio::test]
async fn a_free_host_is_read_but_not_changed() {
    let simulator = Simulator::esx().licence(Licence::Free).build();
    let host = Host::of(simulator).await;
    let vm = host.simulator.vm("web01").unwrap();
    host.simulator.set_power_state(&vm, PoweredOff);
    let folder = moref("Folder", "ha-folder-vm");
    let before = host.vm(&vm);
    refuses(&host, &vm, &PowerOnVmTask::default()).await;
    refuses(&host, &vm, &ShutdownGuest::default()).await;
    refuses(&host, &vm, &ReconfigVmTask::default()).await;
    refuses(&host, &vm, &CreateSnapshotTask::default()).await;
    refuses(&host, &vm, &CloneVmTask::default()).await;
    refuses(&host, &vm, &RenameTask::default()).await;
    refuses(&host, &vm, &DestroyTask::default()).await;
    refuses(&host, &vm, &UnregisterVm::default()).await;
    refuses(&host, &folder, &CreateVmTask::default()).await;
    refuses(&host, &folder, &RegisterVmTask::default()).await;
    let files = host.client.service("fileManager");
    refuses(&host, &files, &MakeDirectory::default()).await;
    for manager in host.simulator.objects("HostAutoStartManager") {
        refuses(&host, &manager, &ReconfigureAutostart::default()).await;
    }
    assert_eq!(host.vm(&vm).config, before.config);

    // Everything that reads goes on.
    let name = host.client.value(&vm, "name").await;
    assert_eq!(name, Any::from("web01".to_owned()));
    host.client
        .call_on(
            &moref("ServiceInstance", "ServiceInstance"),
            &CurrentTime::default(),
        )
        .await
        .unwrap();
    let request = FindByUuid {
        uuid: host.config(&vm).uuid,
        vm_search: true,
        ..FindByUuid::default()
    };
    assert_eq!(host.client.call(&request).await.unwrap(), Some(vm));
    let view = CreateContainerView {
        container: host.client.content.root_folder.clone(),
        recursive: true,
        ..CreateContainerView::default()
    };
    host.client.call(&view).await.unwrap();
    host.client.call(&Logout::default()).await.unwrap();
}

#[tokio::test]
async fn a_test_uri_names_the_licence() {
    let simulator = Simulator::from_test_uri("test:///default?licence=free")
        .unwrap()
        .build();
    let host = Host::of(simulator).await;
    let vm = host.simulator.vm("web01").unwrap();
    refuses(&host, &vm, &PowerOnVmTask::default()).await;
    let simulator = Simulator::from_test_uri("test:///default?licence=full")
        .unwrap()
        .build();
    let host = Host::of(simulator).await;
    let vm = host.simulator.vm("web01").unwrap();
    host.simulator.set_power_state(&vm, PoweredOff);
    let request = PowerOnVmTask {
        this: vm,
        ..PowerOnVmTask::default()
    };
    host.succeeds(&request).await;
}
