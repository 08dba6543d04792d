//! Datastores: searching, files and disks; machines that come from their files and leave them behind.

use esx_sim::Simulator;
use vi_types::enums::{TaskInfoState, VirtualMachinePowerState};
use vi_types::methods::{
    CopyDatastoreFileTask, CreateVirtualDiskTask, DeleteDatastoreFileTask, DeleteVirtualDiskTask,
    FindByUuid, MakeDirectory, MoveDatastoreFileTask, QueryVirtualDiskUuid, RefreshDatastore,
    RegisterVmTask, SearchDatastoreSubFoldersTask, SearchDatastoreTask, UnregisterVm,
};
use vi_types::objects::{
    AlreadyExists, DuplicateName, FileAlreadyExists, FileBackedVirtualDiskSpec, FileNotFound,
    FileQuery, FileQueryFlags, FolderFileInfo, FolderFileQuery, HostDatastoreBrowserSearchResults,
    HostDatastoreBrowserSearchSpec, InvalidArgument, InvalidDatastore, InvalidDatastorePath,
    InvalidPowerState, InvalidVmConfig, IsoImageFileInfo, IsoImageFileQuery, LocalizedMethodFault,
    NotFound, TaskInfo, TemplateConfigFileQuery, VirtualDiskSpec, VmConfigFileQuery,
    VmDiskFileInfo, VmDiskFileQuery, VmDiskFileQueryFilter, VmDiskFileQueryFlags, VmLogFileQuery,
    VmSnapshotFileQuery,
};
use vi_types::{Any, ManagedObjectReference, Method, Poly, SoapFault, properties};

use crate::client::{Client, moref};

async fn host() -> (Simulator, Client) {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    (simulator, client)
}

/// How the task ended that a call began.
async fn task<M: Method<Output = ManagedObjectReference>>(
    client: &Client,
    request: &M,
) -> Result<TaskInfo, SoapFault> {
    let task = client.call(request).await?;
    while client.simulator.step_tasks() {}
    let task: properties::Task = client.simulator.properties(&task).unwrap();
    Ok(*task.info.unwrap())
}

/// What a task found that succeeded.
async fn result<M: Method<Output = ManagedObjectReference>>(client: &Client, request: &M) -> Any {
    let info = task(client, request).await.unwrap();
    assert_eq!(info.state, TaskInfoState::Success, "{:?}", info.error);
    info.result.unwrap_or_default()
}

/// Why a task failed.
async fn error<M: Method<Output = ManagedObjectReference>>(
    client: &Client,
    request: &M,
) -> LocalizedMethodFault {
    let info = task(client, request).await.unwrap();
    assert_eq!(info.state, TaskInfoState::Error);
    *info.error.unwrap()
}

fn browser(simulator: &Simulator, name: &str) -> ManagedObjectReference {
    let stores = simulator.objects("Datastore").into_iter();
    let stores = stores.filter_map(|store| simulator.properties::<properties::Datastore>(&store));
    let mut found = stores.filter(|store| store.name.as_deref() == Some(name));
    found.next().unwrap().browser.clone().unwrap()
}

fn all_details() -> HostDatastoreBrowserSearchSpec {
    HostDatastoreBrowserSearchSpec {
        query: vec![
            VmDiskFileQuery {
                details: Some(
                    VmDiskFileQueryFlags {
                        capacity_kb: true,
                        controller_type: Some(true),
                        ..VmDiskFileQueryFlags::default()
                    }
                    .into(),
                ),
                ..VmDiskFileQuery::default()
            }
            .into(),
            IsoImageFileQuery::default().into(),
        ],
        details: Some(
            FileQueryFlags {
                file_type: true,
                file_size: true,
                ..FileQueryFlags::default()
            }
            .into(),
        ),
        ..HostDatastoreBrowserSearchSpec::default()
    }
}

fn names(results: &HostDatastoreBrowserSearchResults) -> Vec<&str> {
    results.file.iter().map(|file| file.path.as_str()).collect()
}

#[tokio::test]
async fn disks_are_found_with_what_they_are_made_for() {
    let (simulator, client) = host().await;
    simulator.make_disk("[ssd] web01/old.vmdk", 1024, "buslogic");
    let request = SearchDatastoreTask {
        this: browser(&simulator, "ssd"),
        datastore_path: "[ssd] web01".to_owned(),
        search_spec: Some(all_details().into()),
        ..Default::default()
    };
    let found: HostDatastoreBrowserSearchResults = result(&client, &request).await.cast().unwrap();
    assert_eq!(found.folder_path.as_deref(), Some("[ssd] web01/"));
    assert_eq!(names(&found), ["old.vmdk", "web01.vmdk"]);
    let facts = |index: usize| {
        let disk = found.file[index].cast::<VmDiskFileInfo>().unwrap();
        (
            disk.capacity_kb.unwrap(),
            disk.controller_type.clone().unwrap(),
            disk.file_size.unwrap(),
        )
    };
    assert_eq!(
        facts(0),
        (1024, "VirtualBusLogicController".to_owned(), 1 << 20)
    );
    assert_eq!(
        facts(1),
        (
            32 << 20,
            "ParaVirtualSCSIController".to_owned(),
            (32 << 30) / 3
        )
    );

    let spec = HostDatastoreBrowserSearchSpec {
        match_pattern: vec!["WEB*.vmdk".to_owned()],
        ..all_details()
    };
    let request = SearchDatastoreTask {
        search_spec: Some(spec.into()),
        ..request
    };
    let found: HostDatastoreBrowserSearchResults = result(&client, &request).await.cast().unwrap();
    assert_eq!(names(&found), ["web01.vmdk"]);
}

#[tokio::test]
async fn folders_are_searched_with_those_in_them() {
    let (simulator, client) = host().await;
    simulator.write_file("[ssd] a/b/c.iso", "image");
    let request = SearchDatastoreSubFoldersTask {
        this: browser(&simulator, "ssd"),
        datastore_path: "[ssd]".to_owned(),
        search_spec: Some(all_details().into()),
        ..Default::default()
    };
    let found: Vec<HostDatastoreBrowserSearchResults> =
        result(&client, &request).await.cast().unwrap();
    let paths: Vec<_> = found
        .iter()
        .map(|results| results.folder_path.as_deref().unwrap())
        .collect();
    assert_eq!(paths[..3], ["[ssd]", "[ssd] a/", "[ssd] a/b/"]);
    assert!(paths.contains(&"[ssd] web01/"));
    assert_eq!(names(&found[2]), ["c.iso"]);
    let image = found[2].file[0].cast::<IsoImageFileInfo>().unwrap();
    assert_eq!(image.file_size, Some(5));

    let folders = HostDatastoreBrowserSearchSpec {
        query: vec![FolderFileQuery::default().into()],
        match_pattern: vec!["web01".to_owned()],
        ..HostDatastoreBrowserSearchSpec::default()
    };
    let request = SearchDatastoreTask {
        this: request.this,
        datastore_path: request.datastore_path,
        search_spec: Some(folders.into()),
        ..Default::default()
    };
    let found: HostDatastoreBrowserSearchResults = result(&client, &request).await.cast().unwrap();
    assert_eq!(names(&found), ["web01"]);
    assert!(found.file[0].is::<FolderFileInfo>());
}

#[tokio::test]
async fn a_search_needs_a_place_of_its_datastore() {
    let (simulator, client) = host().await;
    let search = |path: &str| SearchDatastoreTask {
        this: browser(&simulator, "ssd"),
        datastore_path: path.to_owned(),
        search_spec: None,
        ..Default::default()
    };
    let refused = client.call(&search("web01")).await.unwrap_err();
    assert!(refused.is::<InvalidDatastorePath>());
    let refused = client.call(&search("[other] web01")).await.unwrap_err();
    assert!(refused.is::<InvalidDatastore>());
    let refused = client.call(&search("[datastore1] db01")).await.unwrap_err();
    assert!(refused.is::<InvalidDatastorePath>());
    let error = error(&client, &search("[ssd] nowhere")).await;
    let fault = error.fault.cast::<FileNotFound>().unwrap();
    assert_eq!(fault.file, "[ssd] nowhere");
}

#[tokio::test]
async fn folders_are_made_and_files_moved() {
    let (simulator, client) = host().await;
    let make = |name: &str, parents| MakeDirectory {
        name: name.to_owned(),
        datacenter: None,
        create_parent_directories: Some(parents),
        ..Default::default()
    };
    let refused = client.call(&make("[ssd] a/b", false)).await.unwrap_err();
    assert!(refused.is::<FileNotFound>());
    client.call(&make("[ssd] a/b", true)).await.unwrap();
    let refused = client.call(&make("[ssd] a/b", true)).await.unwrap_err();
    assert!(refused.is::<FileAlreadyExists>());

    simulator.write_file("[ssd] a/b/c", "text");
    let r#move = |from: &str, to: &str| MoveDatastoreFileTask {
        source_name: from.to_owned(),
        destination_name: to.to_owned(),
        ..MoveDatastoreFileTask::default()
    };
    result(&client, &r#move("[ssd] a/b", "[datastore1] d")).await;
    assert_eq!(simulator.file("[datastore1] d/c").unwrap(), "text");
    assert_eq!(simulator.file("[ssd] a/b/c"), None);
    let copy = CopyDatastoreFileTask {
        source_name: "[datastore1] d/c".to_owned(),
        destination_name: "[ssd] a/c".to_owned(),
        ..CopyDatastoreFileTask::default()
    };
    result(&client, &copy).await;
    assert_eq!(simulator.file("[ssd] a/c").unwrap(), "text");
    assert!(simulator.file("[datastore1] d/c").is_some());
    assert!(error(&client, &copy).await.fault.is::<FileAlreadyExists>());
    let nowhere = r#move("[ssd] nowhere", "[ssd] b");
    assert!(error(&client, &nowhere).await.fault.is::<FileNotFound>());
    let within = r#move("[ssd] a", "[ssd] a/b");
    assert!(
        error(&client, &within)
            .await
            .fault
            .is::<FileAlreadyExists>()
    );

    let delete = |name: &str| DeleteDatastoreFileTask {
        name: name.to_owned(),
        datacenter: None,
        ..Default::default()
    };
    result(&client, &delete("[datastore1] d")).await;
    assert_eq!(simulator.file("[datastore1] d/c"), None);
    let again = error(&client, &delete("[datastore1] d")).await;
    assert!(again.fault.is::<FileNotFound>());
}

#[tokio::test]
async fn disks_are_made_and_taken_away() {
    let (simulator, client) = host().await;
    let create = |name: &str| CreateVirtualDiskTask {
        name: name.to_owned(),
        datacenter: Some(moref("Datacenter", "ha-datacenter")),
        spec: FileBackedVirtualDiskSpec {
            base: VirtualDiskSpec {
                disk_type: "thin".to_owned(),
                adapter_type: "busLogic".to_owned(),
                ..Default::default()
            },
            capacity_kb: 2048,
            ..FileBackedVirtualDiskSpec::default()
        }
        .into(),
        ..Default::default()
    };
    let request = create("[ssd] web01/more.vmdk");
    let name = result(&client, &request).await;
    assert_eq!(name, Any::from("[ssd] web01/more.vmdk"));
    let text = simulator.file("[ssd] web01/more.vmdk").unwrap();
    let text = std::str::from_utf8(&text).unwrap();
    assert!(text.contains("RW 4096 VMFS \"more-flat.vmdk\"\n"), "{text}");
    assert!(text.contains("ddb.adapterType = \"buslogic\"\n"), "{text}");
    assert_eq!(
        simulator.file("[ssd] web01/more-flat.vmdk").unwrap().len(),
        2 << 20
    );
    let again = error(&client, &request).await;
    assert!(again.fault.is::<FileAlreadyExists>());
    let nowhere = error(&client, &create("[ssd] nowhere/more.vmdk")).await;
    assert!(nowhere.fault.is::<FileNotFound>());

    let query = |name: &str| QueryVirtualDiskUuid {
        name: name.to_owned(),
        datacenter: None,
        ..Default::default()
    };
    let uuid = client.call(&query("[ssd] web01/more.vmdk")).await.unwrap();
    let other = client.call(&query("[ssd] web01/web01.vmdk")).await.unwrap();
    assert_ne!(uuid, other);
    assert!(uuid.starts_with("60 00 c2 9") && uuid.len() == 47, "{uuid}");

    let delete = DeleteVirtualDiskTask {
        name: "[ssd] web01/more.vmdk".to_owned(),
        datacenter: None,
        ..Default::default()
    };
    result(&client, &delete).await;
    assert_eq!(simulator.file("[ssd] web01/more-flat.vmdk"), None);
    let gone = client.call(&query("[ssd] web01/more.vmdk")).await;
    assert!(gone.unwrap_err().is::<FileNotFound>());
    let store = simulator.objects("Datastore").remove(0);
    client
        .call(&RefreshDatastore {
            this: store,
            ..Default::default()
        })
        .await
        .unwrap();
}

const NEW: &str = r#".encoding = "UTF-8"
config.version = "8"
virtualHW.version = "13"
displayName = "new/one"
guestOS = "debian12-64"
uuid.bios = "56 4d 11 11 22 22 33 33-44 44 55 55 66 66 77 77"
memSize = "2048"
numvcpus = "4"
scsi0.present = "TRUE"
scsi0.virtualDev = "lsilogic"
scsi0:0.present = "TRUE"
scsi0:0.deviceType = "scsi-hardDisk"
scsi0:0.fileName = "new.vmdk"
ethernet0.present = "TRUE"
ethernet0.networkName = "VM Network"
ethernet0.addressType = "static"
ethernet0.address = "00:50:56:11:22:33"
"#;

fn register(simulator: &Simulator, path: &str) -> RegisterVmTask {
    RegisterVmTask {
        this: simulator
            .objects("Folder")
            .into_iter()
            .find(is_vm_folder)
            .unwrap(),
        path: path.to_owned(),
        pool: Some(simulator.objects("ResourcePool").remove(0)),
        host: Some(simulator.objects("HostSystem").remove(0)),
        ..RegisterVmTask::default()
    }
}

fn is_vm_folder(folder: &ManagedObjectReference) -> bool {
    ["ha-folder-vm", "group-v3"].contains(&folder.value.as_str())
}

#[tokio::test]
async fn a_machine_is_made_of_its_file() {
    let (simulator, client) = host().await;
    simulator.make_disk("[ssd] new/new.vmdk", 4096, "lsilogic");
    simulator.write_file("[ssd] new/new.vmx", NEW);
    let request = register(&simulator, "[ssd] new/new.vmx");
    let made: ManagedObjectReference = result(&client, &request).await.cast().unwrap();
    assert_eq!(made, moref("VirtualMachine", "8"));
    assert_eq!(simulator.vm("new%2fone"), Some(made.clone()));
    let vm: properties::VirtualMachine = simulator.properties(&made).unwrap();
    let config = vm.config.as_ref().unwrap();
    assert_eq!(config.uuid, "564d1111-2222-3333-4444-555566667777");
    assert_eq!(config.version, "vmx-13");
    assert_eq!(
        (config.hardware.memory_mb, config.hardware.num_cpu),
        (2048, 4)
    );
    let disk = config
        .hardware
        .device
        .iter()
        .find_map(Poly::cast::<vi_types::objects::VirtualDisk>);
    assert_eq!(disk.unwrap().capacity_in_kb, 4096);
    let runtime = vm.runtime.as_ref().unwrap();
    assert_eq!(runtime.power_state, VirtualMachinePowerState::PoweredOff);
    let network = moref("Network", "HaNetwork-VM Network");
    assert_eq!(vm.network, [network]);
    assert_eq!(simulator.file("[ssd] new/new.vmx").unwrap(), NEW);
    let find = FindByUuid {
        uuid: config.uuid.clone(),
        vm_search: true,
        ..FindByUuid::default()
    };
    assert_eq!(client.call(&find).await.unwrap(), Some(made.clone()));
    let folder: properties::Folder = simulator.properties(&request.this).unwrap();
    assert!(folder.child_entity.contains(&made));
    let host = simulator.objects("HostSystem").remove(0);
    let host: properties::HostSystem = simulator.properties(&host).unwrap();
    assert!(host.vm.contains(&made));

    let known = error(&client, &request).await;
    let known = known.fault.cast::<AlreadyExists>().unwrap();
    assert_eq!(known.name.as_deref(), Some("[ssd] new/new.vmx"));

    // The files stay when the machine goes, and it can come back.
    client
        .call(&UnregisterVm {
            this: made.clone(),
            ..Default::default()
        })
        .await
        .unwrap();
    assert_eq!(simulator.vm("new%2fone"), None);
    assert_eq!(simulator.file("[ssd] new/new.vmx").unwrap(), NEW);
    let again: ManagedObjectReference = result(&client, &request).await.cast().unwrap();
    assert_eq!(
        again,
        moref("VirtualMachine", "9"),
        "numbers are not used again"
    );
}

#[tokio::test]
async fn what_cannot_be_registered_is_refused() {
    let (simulator, client) = host().await;
    simulator.write_file("[ssd] new/broken.vmx", "nothing");
    let request = |path: &str| register(&simulator, path);
    let refused = client.call(&request("new/new.vmx")).await.unwrap_err();
    assert!(refused.is::<InvalidDatastorePath>());
    let refused = client.call(&request("[other] new/new.vmx")).await;
    assert!(refused.unwrap_err().is::<InvalidDatastore>());
    let without_pool = RegisterVmTask {
        pool: None,
        ..request("[ssd] new/broken.vmx")
    };
    let refused = client.call(&without_pool).await.unwrap_err();
    assert!(refused.is::<InvalidArgument>());
    let missing = error(&client, &request("[ssd] new/new.vmx")).await;
    assert!(missing.fault.is::<NotFound>());
    let broken = error(&client, &request("[ssd] new/broken.vmx")).await;
    assert!(broken.fault.is::<InvalidVmConfig>());
}

#[tokio::test]
async fn names_are_used_once_in_a_folder_of_a_vcenter() {
    let simulator = Simulator::vcenter().build();
    let client = Client::login(&simulator).await;
    let store = "production-shared";
    for name in ["one", "two"] {
        simulator.write_file(&format!("[{store}] {name}/{name}.vmx"), NEW);
    }
    let request = |name: &str| RegisterVmTask {
        host: None,
        ..register(&simulator, &format!("[{store}] {name}/{name}.vmx"))
    };
    let made: ManagedObjectReference = result(&client, &request("one")).await.cast().unwrap();
    assert!(made.value.starts_with("vm-"), "{made}");
    let vm: properties::VirtualMachine = simulator.properties(&made).unwrap();
    assert!(vm.runtime.as_ref().unwrap().host.is_some());
    let same = error(&client, &request("two")).await;
    assert_eq!(same.fault.cast::<DuplicateName>().unwrap().object, made);
    let other = RegisterVmTask {
        name: Some("other".to_owned()),
        ..request("two")
    };
    result(&client, &other).await;
    assert!(simulator.vm("other").is_some());
}

#[tokio::test]
async fn only_machines_that_are_off_leave_the_inventory() {
    let (simulator, client) = host().await;
    let vm = simulator.vm("web01").unwrap();
    let unregister = UnregisterVm {
        this: vm.clone(),
        ..Default::default()
    };
    let refused = client.call(&unregister).await.unwrap_err();
    assert!(refused.is::<InvalidPowerState>());
    simulator.set_power_state(&vm, VirtualMachinePowerState::Suspended);
    let before = simulator.file("[ssd] web01/web01.vmx").unwrap();
    client.call(&unregister).await.unwrap();
    assert_eq!(simulator.vm("web01"), None);
    assert_eq!(simulator.file("[ssd] web01/web01.vmx").unwrap(), before);
}

/// What a search of `[ssd]` and of the folders in it finds, with its details.
async fn found(
    client: &Client,
    path: &str,
    spec: HostDatastoreBrowserSearchSpec,
) -> Vec<HostDatastoreBrowserSearchResults> {
    let request = SearchDatastoreSubFoldersTask {
        this: browser(&client.simulator, "ssd"),
        datastore_path: path.to_owned(),
        search_spec: Some(spec.into()),
        ..Default::default()
    };
    let Any::Array(array) = result(client, &request).await else {
        panic!("it is a list");
    };
    array
        .items
        .into_iter()
        .map(|item| item.cast().unwrap())
        .collect()
}

#[tokio::test]
async fn extents_of_disks_go_by_their_descriptors() {
    let (simulator, client) = host().await;
    simulator.make_disk("[ssd] a/x.vmdk", 1024, "lsilogic");
    for name in [
        "x-delta.vmdk",
        "x-ctk.vmdk",
        "x-sesparse.vmdk",
        "raw.vmdk",
        "no-flat.txt",
    ] {
        simulator.write_file(&format!("[ssd] a/{name}"), "not a descriptor");
    }
    for spec in [all_details(), HostDatastoreBrowserSearchSpec::default()] {
        let all = spec.query.is_empty();
        let found = found(&client, "[ssd] a", spec).await;
        let expected: &[&str] = match all {
            true => &["no-flat.txt", "raw.vmdk", "x.vmdk"],
            false => &["raw.vmdk", "x.vmdk"],
        };
        assert_eq!(names(&found[0]), expected);
    }
    // The folder itself may be a part of the path.
    let same = found(&client, "[ssd] ./a/.", all_details()).await;
    assert_eq!(same[0].folder_path.as_deref(), Some("[ssd] a/"));
}

#[tokio::test]
async fn queries_filter_and_tell_what_they_ask_for() {
    let (simulator, client) = host().await;
    simulator.make_disk("[ssd] a/bus.vmdk", 2048, "buslogic");
    simulator.make_disk("[ssd] a/lsi.vmdk", 1024, "lsilogic");
    for name in ["m.vmx", "t.vmtx", "s.vmsn", "l.log"] {
        simulator.write_file(&format!("[ssd] a/{name}"), "text");
    }
    let disks = |filter: VmDiskFileQueryFilter| HostDatastoreBrowserSearchSpec {
        query: vec![
            VmDiskFileQuery {
                filter: Some(filter.into()),
                details: Some(
                    VmDiskFileQueryFlags {
                        disk_type: true,
                        capacity_kb: true,
                        hardware_version: true,
                        controller_type: Some(true),
                        disk_extents: Some(true),
                        thin: Some(true),
                        ..VmDiskFileQueryFlags::default()
                    }
                    .into(),
                ),
                ..VmDiskFileQuery::default()
            }
            .into(),
        ],
        ..HostDatastoreBrowserSearchSpec::default()
    };
    let filter = VmDiskFileQueryFilter::default;
    let of = |ty: &str| vec![ty.to_owned()];
    for (filter, expected) in [
        (filter(), &["bus.vmdk", "lsi.vmdk"][..]),
        (
            VmDiskFileQueryFilter {
                controller_type: of("VirtualBusLogicController"),
                ..filter()
            },
            &["bus.vmdk"],
        ),
        (
            VmDiskFileQueryFilter {
                thin: Some(true),
                ..filter()
            },
            &[],
        ),
        (
            VmDiskFileQueryFilter {
                disk_type: of("VirtualDiskSparseVer2BackingInfo"),
                ..filter()
            },
            &[],
        ),
        (
            VmDiskFileQueryFilter {
                match_hardware_version: vec![4],
                ..filter()
            },
            &[],
        ),
    ] {
        let found = found(&client, "[ssd] a", disks(filter)).await;
        assert_eq!(names(&found[0]), expected);
    }
    let found_disks = found(&client, "[ssd] a", disks(filter())).await;
    let disk = found_disks[0].file[1].cast::<VmDiskFileInfo>().unwrap();
    assert_eq!(
        disk.disk_type.as_deref(),
        Some("VirtualDiskFlatVer2BackingInfo")
    );
    assert_eq!((disk.capacity_kb, disk.thin), (Some(1024), Some(false)));
    assert_eq!(disk.disk_extents, ["[ssd] a/lsi-flat.vmdk"]);
    assert!(disk.hardware_version.is_some() && disk.base.file_size.is_none());

    let kinds: [(Poly<FileQuery>, &[&str]); 4] = [
        (VmConfigFileQuery::default().into(), &["m.vmx", "t.vmtx"]),
        (TemplateConfigFileQuery::default().into(), &["t.vmtx"]),
        (VmSnapshotFileQuery::default().into(), &["s.vmsn"]),
        (VmLogFileQuery::default().into(), &["l.log"]),
    ];
    for (query, expected) in kinds {
        let spec = HostDatastoreBrowserSearchSpec {
            query: vec![query],
            ..HostDatastoreBrowserSearchSpec::default()
        };
        assert_eq!(names(&found(&client, "[ssd] a", spec).await[0]), expected);
    }
    let spec = HostDatastoreBrowserSearchSpec {
        match_pattern: vec!["M.*".to_owned()],
        search_case_insensitive: Some(false),
        ..HostDatastoreBrowserSearchSpec::default()
    };
    assert_eq!(names(&found(&client, "[ssd] a", spec).await[0]), [""; 0]);
}
