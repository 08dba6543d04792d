//! The end and the names of machines.

use vi_types::enums::VirtualMachinePowerState::PoweredOff;
use vi_types::objects::{DuplicateName, InvalidName, InvalidPowerState, ManagedObjectNotFound};
use vi_types::properties::{Datastore, Folder, HostAutoStartManager, HostSystem, ResourcePool};

use crate::client::moref;
use crate::host::{Host, destroy, rename};

#[tokio::test]
async fn a_destroyed_machine_takes_its_files_along() {
    let host = Host::esx().await;
    // It has two disks and snapshots, and another one has an image in its drive.
    for (name, directory) in [
        ("db01", "[datastore1] db01"),
        ("installer", "[ssd] installer"),
    ] {
        let vm = host.simulator.vm(name).unwrap();
        let before = host.vm(&vm);
        let path = before.config.unwrap().files.vm_path_name.unwrap();
        assert_eq!(path, format!("{directory}/{name}.vmx"));
        let layout = before.layout_ex.unwrap();
        assert!(host.simulator.file(&path).is_some());
        host.simulator.set_power_state(&vm, PoweredOff);
        host.succeeds(&destroy(&vm)).await;
        assert_eq!(host.simulator.vm(name), None);
        let fault: ManagedObjectNotFound = host.fails(&destroy(&vm)).await;
        assert_eq!(fault.obj, vm);
        for file in &layout.file {
            assert_eq!(host.simulator.file(&file.name), None, "{}", file.name);
        }
        assert!(
            !host.simulator.delete_file(directory),
            "{directory} is gone"
        );
        let folder: Folder = host
            .simulator
            .properties(&moref("Folder", "ha-folder-vm"))
            .unwrap();
        assert!(!folder.child_entity.contains(&vm));
        let pool = moref("ResourcePool", "ha-root-pool");
        let pool: ResourcePool = host.simulator.properties(&pool).unwrap();
        assert!(!pool.vm.contains(&vm));
        for store in host.simulator.objects("Datastore") {
            let store: Datastore = host.simulator.properties(&store).unwrap();
            assert!(!store.vm.contains(&vm));
        }
    }
    assert!(host.simulator.file("[ssd] iso/netinst.iso").is_some());
}

#[tokio::test]
async fn what_others_have_put_into_the_directory_stays() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("installer").unwrap();
    assert!(
        host.simulator
            .write_file("[ssd] installer/notes.txt", "mine")
    );
    host.succeeds(&destroy(&vm)).await;
    assert_eq!(host.simulator.file("[ssd] installer/installer.vmx"), None);
    assert_eq!(host.text("[ssd] installer/notes.txt"), "mine");
}

#[tokio::test]
async fn a_running_machine_stays() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("web01").unwrap();
    host.fails::<InvalidPowerState>(&destroy(&vm)).await;
    assert!(host.simulator.file("[ssd] web01/web01.vmx").is_some());
}

#[tokio::test]
async fn a_renamed_machine_keeps_its_files() {
    let host = Host::vcenter().await;
    let vm = host.simulator.vm("web01").unwrap();
    host.succeeds(&rename(&vm, "web/1")).await;
    let state = host.vm(&vm);
    assert_eq!(state.name.as_deref(), Some("web%2f1"));
    assert_eq!(state.config.as_deref().unwrap().name, "web%2f1");
    let path = state.config.unwrap().files.vm_path_name.unwrap();
    assert!(path.ends_with("web01/web01.vmx"), "{path}");
    assert!(host.text(&path).contains("displayName = \"web%2f1\""));
    host.fails::<InvalidName>(&rename(&vm, "")).await;
    host.fails::<InvalidName>(&rename(&vm, &"x".repeat(81)))
        .await;
    let fault: DuplicateName = host.fails(&rename(&vm, "router")).await;
    assert_eq!(Some(fault.object), host.simulator.vm("router"));
    // Its own name is no other's.
    host.succeeds(&rename(&vm, "web/1")).await;
    let task = host.task(&rename(&vm, "web01")).await.unwrap();
    assert_eq!(task.description_id, "VirtualMachine.rename");
    assert_eq!(host.vm(&vm).name.as_deref(), Some("web01"));
}

#[tokio::test]
async fn a_machine_that_is_gone_does_not_start_with_its_host() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("web01").unwrap();
    let starts = || {
        let own: HostSystem = host
            .simulator
            .properties(&moref("HostSystem", "ha-host"))
            .unwrap();
        let manager = host.simulator.objects("HostAutoStartManager").remove(0);
        let manager: HostAutoStartManager = host.simulator.properties(&manager).unwrap();
        let shown = own.config.as_deref().unwrap().auto_start.clone();
        assert_eq!(shown, manager.config);
        let mut listed = shown.as_deref().unwrap().power_info.iter();
        listed.any(|info| info.key == vm)
    };
    assert!(starts());
    host.simulator.set_power_state(&vm, PoweredOff);
    host.succeeds(&destroy(&vm)).await;
    assert!(!starts());
}
