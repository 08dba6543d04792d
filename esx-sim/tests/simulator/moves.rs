//! Moves of machines between the hosts and datastores of a vCenter.

use vi_types::enums::VirtualMachinePowerState::{PoweredOff, PoweredOn};
use vi_types::enums::{HostSystemConnectionState, VirtualMachineMovePriority};
use vi_types::methods::{MigrateVmTask, RelocateVmTask, ValidateMigration};
use vi_types::objects::{
    CannotAccessVmDisk, HostNotConnected, InvalidArgument, InvalidPowerState, InvalidState,
    ManagedObjectNotFound, MigrationErrorEvent, MigrationFault, NotSupported, VirtualDevice,
    VirtualDisk, VirtualDiskFlatVer2BackingInfo, VirtualMachineRelocateSpec,
    VirtualMachineRelocateSpecDiskLocator,
};
use vi_types::properties::{Datastore, HostSystem, ResourcePool, VirtualMachineSnapshot};
use vi_types::{ManagedObjectReference, Poly, properties};

use crate::client::moref;
use crate::host::Host;

fn migrate(
    vm: &ManagedObjectReference,
    pool: Option<&ManagedObjectReference>,
    host: Option<&ManagedObjectReference>,
) -> MigrateVmTask {
    MigrateVmTask {
        this: vm.clone(),
        pool: pool.cloned(),
        host: host.cloned(),
        priority: VirtualMachineMovePriority::DefaultPriority,
        ..MigrateVmTask::default()
    }
}

fn validate(
    vms: &[&ManagedObjectReference],
    host: Option<&ManagedObjectReference>,
) -> ValidateMigration {
    ValidateMigration {
        this: moref("ServiceInstance", "ServiceInstance"),
        vm: vms.iter().map(|vm| (*vm).clone()).collect(),
        host: host.cloned(),
        ..ValidateMigration::default()
    }
}

/// A vCenter with its hosts by name.
struct Hosts {
    host: Host,
    first: ManagedObjectReference,
    second: ManagedObjectReference,
    edge: ManagedObjectReference,
}

impl Hosts {
    async fn new() -> Self {
        let host = Host::vcenter().await;
        let named = |name: &str| {
            let hosts = host.simulator.objects("HostSystem").into_iter();
            let mut found = hosts.filter(|one| {
                let state: HostSystem = host.simulator.properties(one).unwrap();
                state.name.as_deref() == Some(name)
            });
            found.next().unwrap()
        };
        let (first, second) = (named("esx-01.example.com"), named("esx-02.example.com"));
        let edge = named("esx-edge.example.com");
        Self {
            host,
            first,
            second,
            edge,
        }
    }

    fn host_of(&self, vm: &ManagedObjectReference) -> ManagedObjectReference {
        let state = self.host.vm(vm);
        let runtime = state.runtime.unwrap().host.unwrap();
        assert_eq!(state.summary.unwrap().runtime.host, Some(runtime.clone()));
        runtime
    }

    fn vms_of(&self, host: &ManagedObjectReference) -> Vec<ManagedObjectReference> {
        let host: HostSystem = self.host.simulator.properties(host).unwrap();
        host.vm
    }

    fn pool_of(&self, host: &ManagedObjectReference) -> ManagedObjectReference {
        let host: HostSystem = self.host.simulator.properties(host).unwrap();
        let owner = host.parent.clone().unwrap();
        let owner: properties::ComputeResource = self.host.simulator.properties(&owner).unwrap();
        owner.resource_pool.unwrap()
    }
}

#[tokio::test]
async fn a_running_machine_moves_to_the_other_host_of_its_cluster() {
    let hosts = Hosts::new().await;
    let vm = hosts.host.simulator.vm("web01").unwrap();
    assert_eq!(hosts.host_of(&vm), hosts.first);
    let request = validate(&[&vm], Some(&hosts.second));
    let events = hosts.host.client.call(&request).await.unwrap();
    assert_eq!(events, []);
    let pool = hosts.pool_of(&hosts.first);
    let request = migrate(&vm, Some(&pool), Some(&hosts.second));
    hosts.host.succeeds(&request).await;
    assert_eq!(hosts.host_of(&vm), hosts.second);
    assert!(!hosts.vms_of(&hosts.first).contains(&vm));
    assert!(hosts.vms_of(&hosts.second).contains(&vm));
    let state = hosts.host.vm(&vm);
    assert_eq!(state.runtime.unwrap().power_state, PoweredOn);
    let pool: ResourcePool = hosts.host.simulator.properties(&pool).unwrap();
    assert_eq!(pool.vm.iter().filter(|one| **one == vm).count(), 1);
    // The pool stays if it is left out, and so does the host that is in the pool.
    let request = migrate(&vm, None, Some(&hosts.first));
    hosts.host.succeeds(&request).await;
    assert_eq!(hosts.host_of(&vm), hosts.first);
    // Somewhere else is not here.
    hosts.host.fails::<MigrationFault>(&request).await;
    let request = validate(&[&vm], Some(&hosts.first));
    let events = hosts.host.client.call(&request).await.unwrap();
    assert_eq!(
        events[0].full_formatted_message.as_deref(),
        Some(
            "Unable to migrate web01 from esx-01.example.com to esx-01.example.com: The virtual machine is already on \
             the host 'esx-01.example.com'."
        )
    );
    let request = migrate(&vm, Some(&hosts.pool_of(&hosts.first)), None);
    hosts.host.succeeds(&request).await;
    assert_eq!(hosts.host_of(&vm), hosts.first);
}

#[tokio::test]
async fn some_targets_make_no_sense() {
    let hosts = Hosts::new().await;
    let host = &hosts.host;
    let vm = host.simulator.vm("web01").unwrap();
    let pool = hosts.pool_of(&hosts.first);
    let wrong = |request| async move {
        let fault: InvalidArgument = host.fails(&request).await;
        fault.invalid_property.unwrap()
    };
    assert_eq!(wrong(migrate(&vm, None, None)).await, "host");
    let request = migrate(&vm, Some(&pool), Some(&hosts.edge));
    assert_eq!(wrong(request).await, "host");
    let request = migrate(&vm, None, Some(&hosts.edge));
    assert_eq!(wrong(request).await, "pool");
    let nowhere = moref("HostSystem", "host-999");
    let fault: ManagedObjectNotFound = host.fails(&migrate(&vm, None, Some(&nowhere))).await;
    assert_eq!(fault.obj, nowhere);
    let mut request = migrate(&vm, None, Some(&hosts.second));
    request.state = Some(PoweredOff);
    host.fails::<InvalidPowerState>(&request).await;
    for request in [
        validate(&[], Some(&hosts.second)),
        validate(&[&vm, &vm], Some(&hosts.second)),
        validate(&[&vm], None),
    ] {
        let fault = host.client.call(&request).await.unwrap_err();
        assert!(fault.is::<InvalidArgument>());
    }
    assert_eq!(hosts.host_of(&vm), hosts.first);
}

#[tokio::test]
async fn a_host_without_the_machines_files_cannot_take_it() {
    let hosts = Hosts::new().await;
    let vm = hosts.host.simulator.vm("web01").unwrap();
    let pool = hosts.pool_of(&hosts.edge);
    let mut request = validate(&[&vm], Some(&hosts.edge));
    request.pool = Some(pool.clone());
    let events = hosts.host.client.call(&request).await.unwrap();
    let event = events[0].cast::<MigrationErrorEvent>().unwrap();
    let text = event.full_formatted_message.as_deref().unwrap();
    assert!(
        text.starts_with(
            "Unable to migrate web01 from esx-01.example.com to esx-edge.example.com: Currently connected device \
             'Hard disk 1' uses backing '[production-"
        ),
        "{text}"
    );
    let fault = event.fault.fault.cast::<CannotAccessVmDisk>().unwrap();
    assert_eq!(fault.device, "Hard disk 1");
    let request = migrate(&vm, Some(&pool), Some(&hosts.edge));
    let again: CannotAccessVmDisk = hosts.host.fails(&request).await;
    assert_eq!(again, *fault);
    assert_eq!(hosts.host_of(&vm), hosts.first);
}

#[tokio::test]
async fn hosts_in_bad_states_take_no_machines() {
    let hosts = Hosts::new().await;
    let host = &hosts.host;
    let vm = host.simulator.vm("web01").unwrap();
    let set = |change: fn(&mut HostSystem)| {
        host.simulator.change(&hosts.second, change).unwrap();
    };
    let request = migrate(&vm, None, Some(&hosts.second));
    set(|host| host.capability.as_deref_mut().unwrap().vmotion_supported = false);
    host.fails::<MigrationFault>(&request).await;
    // A machine that is off needs no vMotion.
    host.simulator.set_power_state(&vm, PoweredOff);
    host.succeeds(&request).await;
    host.succeeds(&migrate(&vm, None, Some(&hosts.first))).await;
    host.simulator.set_power_state(&vm, PoweredOn);
    set(|host| {
        host.capability.as_deref_mut().unwrap().vmotion_supported = true;
        host.runtime.as_deref_mut().unwrap().in_maintenance_mode = true;
    });
    host.fails::<InvalidState>(&request).await;
    set(|host| {
        let runtime = host.runtime.as_deref_mut().unwrap();
        runtime.in_maintenance_mode = false;
        runtime.connection_state = HostSystemConnectionState::Disconnected;
    });
    host.fails::<HostNotConnected>(&request).await;
    assert_eq!(hosts.host_of(&vm), hosts.first);
}

#[tokio::test]
async fn a_lone_host_moves_nothing() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("web01").unwrap();
    let own = moref("HostSystem", "ha-host");
    host.fails::<NotSupported>(&migrate(&vm, None, Some(&own)))
        .await;
    host.fails::<NotSupported>(&relocate(&vm, VirtualMachineRelocateSpec::default()))
        .await;
    let fault = host.client.call(&validate(&[&vm], Some(&own))).await;
    assert!(fault.unwrap_err().is::<NotSupported>());
}

fn relocate(vm: &ManagedObjectReference, spec: VirtualMachineRelocateSpec) -> RelocateVmTask {
    RelocateVmTask {
        this: vm.clone(),
        spec,
        ..RelocateVmTask::default()
    }
}

fn store(host: &Host, name: &str) -> ManagedObjectReference {
    let mut stores = host.simulator.objects("Datastore").into_iter();
    let is_it = |store: &ManagedObjectReference| {
        let store: Datastore = host.simulator.properties(store).unwrap();
        store.name.as_deref() == Some(name)
    };
    stores.find(is_it).unwrap()
}

/// The files of a machine's disks and of those below them.
fn disks(host: &Host, vm: &ManagedObjectReference) -> Vec<String> {
    let devices = host.config(vm).hardware.device;
    devices
        .iter()
        .flat_map(|device| chain(host, device))
        .collect()
}

/// The files of a disk and of those below it; none for another device.
fn chain(host: &Host, device: &Poly<VirtualDevice>) -> Vec<String> {
    let backing = device
        .backing
        .as_ref()
        .filter(|_| device.is::<VirtualDisk>());
    let first = backing.and_then(|backing| backing.cast::<VirtualDiskFlatVer2BackingInfo>());
    let chain = std::iter::successors(first, |disk| disk.parent.as_deref());
    let file = |disk: &VirtualDiskFlatVer2BackingInfo| {
        let path = disk.file_name.clone();
        let (name, _) = path.trim_start_matches('[').split_once(']').unwrap();
        assert_eq!(disk.datastore, Some(store(host, name)));
        path
    };
    chain.map(file).collect()
}

#[tokio::test]
async fn a_relocated_machine_has_its_files_elsewhere() {
    let hosts = Hosts::new().await;
    let host = &hosts.host;
    // It has two disks and, below them, those of its snapshots.
    let vm = host.simulator.vm("db01").unwrap();
    let before = host.config(&vm).files.vm_path_name.unwrap();
    let (from, to) = match before.starts_with("[production-shared]") {
        true => ("[production-shared]", "production-local"),
        false => ("[production-local]", "production-shared"),
    };
    let old: Vec<_> = host.vm(&vm).layout_ex.unwrap().file;
    let deltas = old.iter().filter(|file| file.name.ends_with("-delta.vmdk"));
    assert!(
        deltas.count() > 4,
        "also those of the other branch: {old:#?}"
    );
    assert!(old.iter().all(|file| file.name.starts_with(from)));
    let text = host.text(&before);
    let spec = VirtualMachineRelocateSpec {
        datastore: Some(store(host, to)),
        ..VirtualMachineRelocateSpec::default()
    };
    host.succeeds(&relocate(&vm, spec)).await;
    let new = host.vm(&vm).layout_ex.unwrap().file;
    let to = format!("[{to}]");
    for file in &old {
        let moved = file.name.replace(from, &to);
        assert!(new.iter().any(|file| file.name == moved), "{moved}");
        // The others are too large to be read at once.
        if file.size < 65_536 {
            assert!(host.simulator.file(&moved).is_some(), "{moved}");
        }
        assert_eq!(host.simulator.file(&file.name), None, "{}", file.name);
    }
    assert!(disks(host, &vm).iter().all(|path| path.starts_with(&to)));
    assert_eq!(host.text(&before.replace(from, &to)), text);
    // Every disk of every snapshot is there, with the disks below it.
    for snapshot in host.simulator.objects("VirtualMachineSnapshot") {
        let own: VirtualMachineSnapshot = host.simulator.properties(&snapshot).unwrap();
        if own.vm.as_ref() == Some(&vm) {
            let devices = own.config.as_deref().unwrap().hardware.device.iter();
            for path in devices.flat_map(|device| chain(host, device)) {
                assert!(path.starts_with(&to), "{path}");
                assert!(host.simulator.file(&path).is_some(), "{path}");
            }
        }
    }
    assert_eq!(
        host.vm(&vm).datastore,
        [store(host, to.trim_matches(['[', ']']))]
    );
    let left: Datastore = host
        .simulator
        .properties(&store(host, from.trim_matches(['[', ']'])))
        .unwrap();
    assert!(!left.vm.contains(&vm));
}

#[tokio::test]
async fn single_disks_move_and_machines_move_with_their_files_to_hosts_without_these() {
    let hosts = Hosts::new().await;
    let host = &hosts.host;
    let vm = host.simulator.vm("web01").unwrap();
    let home = host.config(&vm).files.vm_path_name.unwrap();
    let other = match home.starts_with("[production-shared]") {
        true => "production-local",
        false => "production-shared",
    };
    let locator = |disk_id: i32, name: &str| VirtualMachineRelocateSpecDiskLocator {
        disk_id,
        datastore: store(host, name),
        ..VirtualMachineRelocateSpecDiskLocator::default()
    };
    let spec = VirtualMachineRelocateSpec {
        disk: vec![locator(2000, other)],
        ..VirtualMachineRelocateSpec::default()
    };
    host.succeeds(&relocate(&vm, spec)).await;
    assert_eq!(host.config(&vm).files.vm_path_name, Some(home));
    let moved = disks(host, &vm);
    assert!(
        moved
            .iter()
            .all(|path| path.starts_with(&format!("[{other}] web01/"))),
        "{moved:?}"
    );
    assert!(host.text(&moved[0]).starts_with("# Disk DescriptorFile"));
    let spec = VirtualMachineRelocateSpec {
        disk: vec![locator(1, other)],
        ..VirtualMachineRelocateSpec::default()
    };
    let fault: InvalidArgument = host.fails(&relocate(&vm, spec)).await;
    assert_eq!(fault.invalid_property.as_deref(), Some("spec.disk.diskId"));

    let spec = VirtualMachineRelocateSpec {
        host: Some(hosts.edge.clone()),
        pool: Some(hosts.pool_of(&hosts.edge)),
        ..VirtualMachineRelocateSpec::default()
    };
    host.fails::<CannotAccessVmDisk>(&relocate(&vm, spec.clone()))
        .await;
    let spec = VirtualMachineRelocateSpec {
        datastore: Some(store(host, "esx-edge-shared")),
        ..spec
    };
    host.succeeds(&relocate(&vm, spec)).await;
    assert_eq!(hosts.host_of(&vm), hosts.edge);
    let moved = disks(host, &vm);
    assert!(
        moved
            .iter()
            .all(|path| path.starts_with("[esx-edge-shared] web01/")),
        "{moved:?}"
    );
}
