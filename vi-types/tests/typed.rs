//! References of one type, typed paths, declared faults, results of tasks.
#![cfg(feature = "api")]
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::collections::HashSet;

use vi_types::enums::VirtualMachineMovePriority;
use vi_types::methods::{CloneVmTask, MigrateVmTask, PowerOffVmTask, PowerOnVmTask};
use vi_types::objects::{InvalidState, TaskInProgress};
use vi_types::path::Path;
use vi_types::{
    Any, DataObject, FromAny, ManagedObject, ManagedObjectReference, Method, TaskMethod, Throws,
    TypedReference, interface, properties, references, registry,
};

fn moref(ty: &str) -> ManagedObjectReference {
    ManagedObjectReference::new(ty, "1")
}

#[test]
fn a_reference_goes_as_one_to_its_base_class() {
    fn entity(entity: &references::ManagedEntity) -> &ManagedObjectReference {
        entity
    }
    let vm = references::VirtualMachine::from(moref("VirtualMachine"));
    assert_eq!(entity(&vm).value, "1");
    assert_eq!(vm, moref("VirtualMachine"));
    assert_eq!(vm.to_string(), "VirtualMachine:1");
    assert_eq!(HashSet::from([vm.clone(), vm.clone()]).len(), 1);
    assert_eq!(ManagedObjectReference::from(&vm), moref("VirtualMachine"));
    assert_eq!(ManagedObjectReference::from(vm), moref("VirtualMachine"));
    assert_eq!(references::VirtualMachine::TYPE, "VirtualMachine");
}

#[test]
fn a_reference_is_checked_by_the_name_of_its_type() {
    let entity = |ty| references::ManagedEntity::from_moref(moref(ty)).is_some();
    assert!(entity("ManagedEntity") && entity("VirtualMachine"));
    // Of a family that may be left out.
    assert!(entity("VirtualApp"));
    assert!(!entity("Task") && !entity("ExtensibleManagedObject"));
    let compute = |ty| references::ComputeResource::from_any(Any::Moref(moref(ty)));
    assert!(compute("ClusterComputeResource").is_ok());
    assert_eq!(
        compute("Folder").unwrap_err().to_string(),
        "expected a reference to a ComputeResource but found one to a Folder"
    );
}

#[test]
fn a_type_knows_its_descendants() {
    fn descendants<T: ManagedObject>() -> HashSet<&'static str> {
        let known = registry().managed_objects.iter();
        let known = known.filter(|info| info.is_a(T::TYPE) && info.name != T::TYPE);
        let known: HashSet<_> = known.map(|info| info.name).collect();
        let all: HashSet<_> = T::DESCENDANTS.iter().copied().collect();
        assert!(known.is_subset(&all), "{:?}", &known - &all);
        all
    }
    assert!(descendants::<properties::ExtensibleManagedObject>().contains("Task"));
    assert!(descendants::<properties::ManagedEntity>().contains("ClusterComputeResource"));
    assert!(descendants::<properties::VirtualMachine>().is_empty());
}

#[test]
fn a_method_is_a_function_of_its_reference() {
    let vm = references::VirtualMachine::from(moref("VirtualMachine"));
    let request = vm.power_on_vm_task();
    assert_eq!(request.this, moref("VirtualMachine"));
    assert!(request.host.is_none());

    let host = references::HostSystem::from(moref("HostSystem"));
    let request = MigrateVmTask {
        host: Some(host.into()),
        ..vm.migrate_vm_task(VirtualMachineMovePriority::HighPriority)
    };
    assert_eq!(request.host, Some(moref("HostSystem")));
    assert_eq!(request.priority, VirtualMachineMovePriority::HighPriority);

    let folder = references::Folder::from(moref("Folder"));
    let request = vm.clone_vm_task(&folder, "copy", Default::default());
    assert_eq!(
        (request.folder, request.name),
        (moref("Folder"), "copy".to_owned())
    );
    // Of a base class, through the reference to that.
    assert_eq!(vm.rename_task("other").this, moref("VirtualMachine"));
}

#[test]
fn declared_faults_are_known_to_the_compiler_and_by_name() {
    fn declares<M: Throws<F>, F: DataObject>() {
        let mut faults = M::INFO.faults();
        assert!(faults.any(|name| name == F::type_info().name));
    }
    declares::<PowerOnVmTask, TaskInProgress>();
    declares::<PowerOnVmTask, InvalidState>();
    let faults: Vec<_> = PowerOffVmTask::INFO.faults().collect();
    assert_eq!(faults, ["TaskInProgress", "InvalidState"]);
    for method in interface().methods {
        for fault in method.faults() {
            let info = registry().object(fault);
            assert!(info.is_none_or(|info| info.is_a("MethodFault")), "{fault}");
        }
    }
}

#[test]
fn the_result_of_a_task_is_typed() {
    let result = CloneVmTask::task_result(Some(Any::Moref(moref("VirtualMachine"))));
    assert_eq!(result.unwrap(), moref("VirtualMachine"));
    let error = CloneVmTask::task_result(Some(Any::Bool(true))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected ManagedObjectReference but found xsd:boolean"
    );
    assert!(CloneVmTask::task_result(None).is_err());
    PowerOnVmTask::task_result(None).unwrap();
    PowerOnVmTask::task_result(Some(Any::Bool(true))).unwrap();
}

#[test]
fn a_typed_path_has_the_names_of_the_wire() {
    let vm = Path::<properties::VirtualMachine>::start;
    // Inherited, once and twice.
    assert_eq!(vm().step(|vm| &vm.name).as_str(), "name");
    assert_eq!(vm().step(|vm| &vm.custom_value).as_str(), "customValue");
    // Through Option<Box<_>>, Option<Poly<_>> and an object that is always there.
    let files = vm().step(|vm| &vm.config).step(|config| &config.files);
    assert_eq!(
        files.step(|files| &files.vm_path_name).as_str(),
        "config.files.vmPathName"
    );
    let compute = Path::<properties::ClusterComputeResource>::start();
    let summary = compute.step(|cluster| &cluster.summary);
    assert_eq!(
        summary.step(|summary| &summary.num_hosts).as_str(),
        "summary.numHosts"
    );
    // A type that begins with an object of another type.
    let dns = Path::<properties::HostSystem>::start()
        .step(|host| &host.config)
        .step(|config| &config.network)
        .step(|network| &network.dns_config)
        .step(|dns| &dns.host_name);
    assert_eq!(
        dns.read_as::<Option<String>>(),
        "config.network.dnsConfig.hostName"
    );
}

/// Each property of these types, with its name in Rust worked out from the source by the macro.
#[test]
fn each_field_finds_its_own_property() {
    macro_rules! fields {
        ($object:ident: $($field:ident = $name:literal,)*) => {$(
            let path = Path::<properties::$object>::start().step(|object| &object.$field);
            assert_eq!(path.as_str(), $name);
        )*};
    }
    fields! { VirtualMachine:
        available_field = "availableField",
        value = "value",
        parent = "parent",
        overall_status = "overallStatus",
        config_issue = "configIssue",
        effective_role = "effectiveRole",
        permission = "permission",
        tag = "tag",
        recent_task = "recentTask",
        capability = "capability",
        layout_ex = "layoutEx",
        environment_browser = "environmentBrowser",
        parent_v_app = "parentVApp",
        runtime = "runtime",
        datastore = "datastore",
        network = "network",
        root_snapshot = "rootSnapshot",
        guest_heartbeat_status = "guestHeartbeatStatus",
    }
}
