//! Folders, datacenters and resource pools that clients make, change and remove.

use esx_sim::Simulator;
use vi_types::enums::SharesLevel;
use vi_types::enums::VirtualMachinePowerState::PoweredOff;
use vi_types::methods::{
    CreateDatacenter, CreateFolder, CreateResourcePool, CreateVmTask, DestroyChildren,
    FindByInventoryPath, MoveIntoFolderTask, MoveIntoResourcePool, UpdateConfig,
};
use vi_types::objects::{
    ConcurrentAccess, DuplicateName, InvalidArgument, InvalidDatastore, InvalidFolder, InvalidName,
    InvalidPowerState, ManagedObjectNotFound, NotSupported, ResourceAllocationInfo,
    ResourceConfigSpec, ResourceInUse, SharesInfo, VirtualMachineConfigSpec,
    VirtualMachineFileInfo,
};
use vi_types::properties::{
    ComputeResource, Datacenter, Folder, HostSystem, ManagedEntity, ResourcePool, VirtualMachine,
};
use vi_types::{DataObject, ManagedObjectReference, Method, SoapFault};

use crate::client::moref;
use crate::host::{Host, destroy, rename};

fn create_folder(parent: &ManagedObjectReference, name: &str) -> CreateFolder {
    CreateFolder {
        this: parent.clone(),
        name: name.to_owned(),
        ..CreateFolder::default()
    }
}

fn move_into(
    folder: &ManagedObjectReference,
    list: &[&ManagedObjectReference],
) -> MoveIntoFolderTask {
    MoveIntoFolderTask {
        this: folder.clone(),
        list: list.iter().map(|one| (*one).clone()).collect(),
        ..MoveIntoFolderTask::default()
    }
}

fn create_pool(parent: &ManagedObjectReference, name: &str) -> CreateResourcePool {
    CreateResourcePool {
        this: parent.clone(),
        name: name.to_owned(),
        spec: shares(100, 1000),
        ..CreateResourcePool::default()
    }
}

/// Shares with a reservation and a limit for both processors and memory.
fn shares(reservation: i64, limit: i64) -> ResourceConfigSpec {
    let allocation = || ResourceAllocationInfo {
        reservation: Some(reservation),
        expandable_reservation: Some(true),
        limit: Some(limit),
        shares: Some(
            SharesInfo {
                shares: 4000,
                level: SharesLevel::Normal,
                ..SharesInfo::default()
            }
            .into(),
        ),
        ..ResourceAllocationInfo::default()
    };
    ResourceConfigSpec {
        cpu_allocation: allocation(),
        memory_allocation: allocation(),
        ..ResourceConfigSpec::default()
    }
}

async fn at(host: &Host, path: &str) -> Option<ManagedObjectReference> {
    let request = FindByInventoryPath {
        inventory_path: path.to_owned(),
        ..FindByInventoryPath::default()
    };
    host.client.call(&request).await.unwrap()
}

/// The fault of a call that is no task.
async fn refused<F: DataObject + Clone, M: Method>(host: &Host, request: &M) -> F
where
    M::Output: std::fmt::Debug,
{
    let fault: SoapFault = host.client.call(request).await.unwrap_err();
    fault.cast::<F>().unwrap().clone()
}

fn folder(host: &Host, folder: &ManagedObjectReference) -> Folder {
    host.simulator.properties(folder).unwrap()
}

fn pool(host: &Host, pool: &ManagedObjectReference) -> ResourcePool {
    host.simulator.properties(pool).unwrap()
}

/// The root pool of the host that a machine runs on.
fn root_pool(host: &Host, vm: &ManagedObjectReference) -> ManagedObjectReference {
    let own = host
        .vm(vm)
        .runtime
        .as_deref()
        .unwrap()
        .host
        .clone()
        .unwrap();
    let own: HostSystem = host.simulator.properties(&own).unwrap();
    let owner: ComputeResource = host
        .simulator
        .properties(own.parent.as_ref().unwrap())
        .unwrap();
    owner.resource_pool.clone().unwrap()
}

#[tokio::test]
async fn folders_take_what_their_parents_take() {
    let host = Host::vcenter().await;
    let web = at(&host, "Berlin/vm/Web").await.unwrap();
    let made = host.client.call(&create_folder(&web, "a/b")).await.unwrap();
    assert_eq!(at(&host, "Berlin/vm/Web/a%2fb").await, Some(made.clone()));
    let (parent, child) = (folder(&host, &web), folder(&host, &made));
    assert_eq!(child.child_type, parent.child_type);
    assert!(parent.child_entity.contains(&made));
    let fault: DuplicateName = refused(&host, &create_folder(&web, "a/b")).await;
    assert_eq!(fault.object, made);
    refused::<InvalidName, _>(&host, &create_folder(&web, "")).await;
    let inner = host
        .client
        .call(&create_folder(&made, "inner"))
        .await
        .unwrap();
    host.succeeds(&rename(&made, "outer")).await;
    assert_eq!(
        at(&host, "Berlin/vm/Web/outer/inner").await,
        Some(inner.clone())
    );
    host.succeeds(&destroy(&made)).await;
    assert!(!folder(&host, &web).child_entity.contains(&made));
    assert_eq!(host.simulator.properties::<Folder>(&inner).map(drop), None);
    let lone = Host::esx().await;
    let own = moref("Folder", "ha-folder-vm");
    refused::<NotSupported, _>(&lone, &create_folder(&own, "x")).await;
}

#[tokio::test]
async fn a_new_datacenter_has_its_folders() {
    let host = Host::vcenter().await;
    let europe = at(&host, "Europe").await.unwrap();
    let create = |this: &ManagedObjectReference, name: &str| CreateDatacenter {
        this: this.clone(),
        name: name.to_owned(),
        ..CreateDatacenter::default()
    };
    let made = host.client.call(&create(&europe, "Rome")).await.unwrap();
    for name in ["vm", "host", "datastore", "network"] {
        assert!(
            at(&host, &format!("Europe/Rome/{name}")).await.is_some(),
            "{name}"
        );
    }
    let state: Datacenter = host.simulator.properties(&made).unwrap();
    let vm = state.vm_folder.clone().unwrap();
    // What belongs to a datacenter goes with it only.
    host.fails::<NotSupported>(&destroy(&vm)).await;
    host.fails::<NotSupported>(&rename(&vm, "machines")).await;
    refused::<DuplicateName, _>(&host, &create(&europe, "Rome")).await;
    refused::<NotSupported, _>(&host, &create(&vm, "Milan")).await;
    host.succeeds(&rename(&made, "Roma")).await;
    assert_eq!(at(&host, "Europe/Roma/vm").await, Some(vm));
    host.succeeds(&destroy(&made)).await;
    assert_eq!(at(&host, "Europe/Roma").await, None);
    // One with hosts stays.
    let paris = at(&host, "Europe/Paris").await.unwrap();
    host.fails::<InvalidPowerState>(&destroy(&paris)).await;
    for vm in host.simulator.objects("VirtualMachine") {
        host.simulator.set_power_state(&vm, PoweredOff);
    }
    host.fails::<ResourceInUse>(&destroy(&paris)).await;
    assert!(at(&host, "Europe/Paris").await.is_some());
}

#[tokio::test]
async fn a_folder_takes_its_machines_along() {
    let host = Host::vcenter().await;
    let vms = at(&host, "Berlin/vm").await.unwrap();
    let made = host
        .client
        .call(&create_folder(&vms, "Doomed"))
        .await
        .unwrap();
    let vm = host.simulator.vm("installer").unwrap();
    let path = host.config(&vm).files.vm_path_name.unwrap();
    host.succeeds(&move_into(&made, &[&vm])).await;
    host.succeeds(&destroy(&made)).await;
    assert_eq!(host.simulator.vm("installer"), None);
    assert_eq!(host.simulator.file(&path), None);
}

#[tokio::test]
async fn objects_move_between_folders() {
    let host = Host::vcenter().await;
    let web = at(&host, "Berlin/vm/Web").await.unwrap();
    let archive = at(&host, "Berlin/vm/Databases/Archive").await.unwrap();
    let databases = at(&host, "Berlin/vm/Databases").await.unwrap();
    let vm = at(&host, "Berlin/vm/Web/web01").await.unwrap();
    host.succeeds(&move_into(&archive, &[&vm])).await;
    assert_eq!(
        at(&host, "Berlin/vm/Databases/Archive/web01").await,
        Some(vm.clone())
    );
    assert!(!folder(&host, &web).child_entity.contains(&vm));
    // A folder goes with everything in it.
    host.succeeds(&move_into(&web, &[&archive])).await;
    assert_eq!(
        at(&host, "Berlin/vm/Web/Archive/web01").await,
        Some(vm.clone())
    );

    let fault: InvalidFolder = host.fails(&move_into(&archive, &[&web])).await;
    assert_eq!(fault.target, archive);
    host.fails::<InvalidFolder>(&move_into(&web, &[&web])).await;
    let paris = at(&host, "Europe/Paris/vm").await.unwrap();
    host.fails::<InvalidFolder>(&move_into(&paris, &[&vm]))
        .await;
    let hosts = at(&host, "Berlin/host").await.unwrap();
    host.fails::<NotSupported>(&move_into(&hosts, &[&vm])).await;
    host.fails::<NotSupported>(&move_into(&hosts, &[&web]))
        .await;
    let nobody = moref("VirtualMachine", "vm-9999");
    let fault: ManagedObjectNotFound = host.fails(&move_into(&web, &[&nobody])).await;
    assert_eq!(fault.obj, nobody);
    let twin = host
        .client
        .call(&create_folder(&databases, "web01"))
        .await
        .unwrap();
    let fault: DuplicateName = host.fails(&move_into(&databases, &[&vm])).await;
    assert_eq!(fault.object, twin);
}

#[tokio::test]
async fn pools_are_made_in_pools() {
    for host in [Host::esx().await, Host::vcenter().await] {
        let vm = host.simulator.vm("web01").unwrap();
        let root = root_pool(&host, &vm);
        let made = host.client.call(&create_pool(&root, "gold")).await.unwrap();
        let state = pool(&host, &made);
        assert_eq!(state.name.as_deref(), Some("gold"));
        assert_eq!(state.parent.as_ref(), Some(&root));
        assert_eq!(state.owner, pool(&host, &root).owner);
        let config = state.config.as_deref().unwrap();
        assert_eq!(config.cpu_allocation.reservation, Some(100));
        assert_eq!(config.memory_allocation.limit, Some(1000));
        assert_eq!(config.entity.as_ref(), Some(&made));
        assert_eq!(state.summary.as_ref().unwrap().config, *config);
        assert_eq!(pool(&host, &root).resource_pool, [made.clone()]);
        let fault: DuplicateName = refused(&host, &create_pool(&root, "gold")).await;
        assert_eq!(fault.object, made);
        refused::<InvalidName, _>(&host, &create_pool(&root, "")).await;
        for spec in [shares(-1, -1), shares(10, 5), shares(0, -2)] {
            let mut request = create_pool(&root, "silver");
            request.spec = spec;
            refused::<InvalidArgument, _>(&host, &request).await;
        }
    }
}

#[tokio::test]
async fn pools_change_and_keep_what_is_not_set() {
    let host = Host::vcenter().await;
    let vm = host.simulator.vm("web01").unwrap();
    let root = root_pool(&host, &vm);
    let made = host.client.call(&create_pool(&root, "gold")).await.unwrap();
    host.client
        .call(&create_pool(&root, "silver"))
        .await
        .unwrap();
    let update = |name: Option<&str>, config: Option<ResourceConfigSpec>| UpdateConfig {
        this: made.clone(),
        name: name.map(str::to_owned),
        config: config.map(Into::into),
        ..UpdateConfig::default()
    };
    let sparse = ResourceConfigSpec {
        cpu_allocation: ResourceAllocationInfo {
            limit: Some(2000),
            ..ResourceAllocationInfo::default()
        },
        ..ResourceConfigSpec::default()
    };
    host.client
        .call(&update(Some("platinum"), Some(sparse)))
        .await
        .unwrap();
    let state = pool(&host, &made);
    assert_eq!(state.name.as_deref(), Some("platinum"));
    assert_eq!(state.summary.as_ref().unwrap().name, "platinum");
    let config = state.config.as_deref().unwrap();
    assert_eq!(config.cpu_allocation.limit, Some(2000));
    assert_eq!(config.cpu_allocation.reservation, Some(100));
    assert_eq!(config.memory_allocation.limit, Some(1000));
    refused::<DuplicateName, _>(&host, &update(Some("silver"), None)).await;
    let old = ResourceConfigSpec {
        change_version: Some("long ago".to_owned()),
        ..ResourceConfigSpec::default()
    };
    refused::<ConcurrentAccess, _>(&host, &update(None, Some(old))).await;
    let mut request = update(Some("mine"), None);
    request.this = root.clone();
    refused::<NotSupported, _>(&host, &request).await;
    host.succeeds(&rename(&made, "gold")).await;
    assert_eq!(pool(&host, &made).summary.as_ref().unwrap().name, "gold");
    host.fails::<DuplicateName>(&rename(&made, "silver")).await;
    host.fails::<NotSupported>(&rename(&root, "mine")).await;
}

#[tokio::test]
async fn machines_and_pools_move_and_outlive_their_pools() {
    let host = Host::vcenter().await;
    let vm = host.simulator.vm("web01").unwrap();
    let root = root_pool(&host, &vm);
    let outer = host
        .client
        .call(&create_pool(&root, "outer"))
        .await
        .unwrap();
    let inner = host
        .client
        .call(&create_pool(&outer, "inner"))
        .await
        .unwrap();
    let put = |into: &ManagedObjectReference, what: &ManagedObjectReference| MoveIntoResourcePool {
        this: into.clone(),
        list: vec![what.clone()],
        ..MoveIntoResourcePool::default()
    };
    host.client.call(&put(&inner, &vm)).await.unwrap();
    assert_eq!(host.vm(&vm).resource_pool, Some(inner.clone()));
    assert_eq!(pool(&host, &inner).vm, [vm.clone()]);
    assert!(!pool(&host, &root).vm.contains(&vm));
    refused::<InvalidArgument, _>(&host, &put(&inner, &outer)).await;
    refused::<InvalidArgument, _>(&host, &put(&outer, &root)).await;
    let far = host.simulator.vm("paris-web01").unwrap();
    refused::<InvalidArgument, _>(&host, &put(&outer, &far)).await;
    let twin = host
        .client
        .call(&create_pool(&root, "inner"))
        .await
        .unwrap();
    let fault: DuplicateName = refused(&host, &put(&root, &inner)).await;
    assert_eq!(fault.object, twin);

    // The end of a pool is not that of its content.
    host.succeeds(&destroy(&inner)).await;
    assert_eq!(host.vm(&vm).resource_pool, Some(outer.clone()));
    assert_eq!(pool(&host, &outer).resource_pool, []);
    host.client.call(&put(&outer, &twin)).await.unwrap();
    host.client.call(&put(&twin, &vm)).await.unwrap();
    let children = DestroyChildren {
        this: root.clone(),
        ..DestroyChildren::default()
    };
    host.client.call(&children).await.unwrap();
    assert_eq!(pool(&host, &root).resource_pool, []);
    assert_eq!(host.vm(&vm).resource_pool, Some(root.clone()));
    assert_eq!(
        host.simulator.properties::<ManagedEntity>(&twin).map(drop),
        None
    );
    host.fails::<NotSupported>(&destroy(&root)).await;
}

#[tokio::test]
async fn machines_are_made_only_where_they_can_be() {
    let host = Host::vcenter().await;
    let vm = host.simulator.vm("web01").unwrap();
    let (root, folder) = (root_pool(&host, &vm), host.vm(&vm).parent.clone().unwrap());
    let create = |name: &str, path: &str| CreateVmTask {
        this: folder.clone(),
        config: VirtualMachineConfigSpec {
            name: Some(name.to_owned()),
            files: Some(
                VirtualMachineFileInfo {
                    vm_path_name: Some(path.to_owned()),
                    ..VirtualMachineFileInfo::default()
                }
                .into(),
            ),
            ..VirtualMachineConfigSpec::default()
        },
        pool: root.clone(),
        ..CreateVmTask::default()
    };
    let machines = host.simulator.objects("VirtualMachine");
    host.fails::<InvalidName>(&create("", "[production-shared]"))
        .await;
    host.fails::<InvalidDatastore>(&create("new", "[esx-edge-shared]"))
        .await;
    host.fails::<InvalidDatastore>(&create("new", "[nowhere]"))
        .await;
    let mut request = create("new", "[production-shared]");
    request.this = at(&host, "Berlin/host").await.unwrap();
    host.fails::<NotSupported>(&request).await;
    let mut request = create("new", "[production-shared]");
    request.pool = moref("ResourcePool", "resgroup-999");
    host.fails::<ManagedObjectNotFound>(&request).await;
    let far = host.simulator.vm("paris-web01").unwrap();
    let mut request = create("new", "[production-shared]");
    request.host = host.vm(&far).runtime.as_deref().unwrap().host.clone();
    let fault: InvalidArgument = host.fails(&request).await;
    assert_eq!(fault.invalid_property.as_deref(), Some("host"));
    assert_eq!(host.simulator.objects("VirtualMachine"), machines);
    host.made(&create("new", "[production-shared]")).await;
    assert!(
        host.simulator
            .file("[production-shared] new/new.vmx")
            .is_some()
    );
}

/// The names of the machines, in order.
fn names(simulator: &Simulator) -> Vec<String> {
    let vms = simulator.objects("VirtualMachine");
    let name = |vm| simulator.read(vm, |vm: &VirtualMachine| vm.name.clone());
    let mut names: Vec<_> = vms.iter().filter_map(name).flatten().collect();
    names.sort();
    names
}

#[test]
fn only_some_machines_of_the_mixed_set() {
    for (builder, wanted) in [
        (Simulator::esx(), ["db01", "files"]),
        (Simulator::vcenter(), ["paris-files", "web01"]),
    ] {
        let (whole, some) = (
            builder.clone().build(),
            builder.clone().only(wanted).build(),
        );
        assert_eq!(names(&some), wanted);
        assert!(names(&whole).len() > 6);
        for name in wanted {
            let (theirs, ours) = (whole.vm(name).unwrap(), some.vm(name).unwrap());
            let place = |simulator: &Simulator, vm: &ManagedObjectReference| {
                let vm: VirtualMachine = simulator.properties(vm).unwrap();
                let config = vm.config.unwrap();
                let host = vm.runtime.unwrap().host;
                (config.uuid.clone(), config.files.clone(), host)
            };
            assert_eq!(place(&some, &ours), place(&whole, &theirs), "{name}");
        }
        assert_eq!(names(&builder.clone().only(["nosuch"]).build()), [""; 0]);
        // Any number of machines has no names to choose from.
        assert_eq!(names(&builder.only(["web01"]).vms(3).build()).len(), 3);
    }
}
