//! What a monitor watches: the properties of which the server reports changes.

use vi_client::property_set;
use vi_client::retrieve::{Retrieve, Selection};
use vi_types::enums::{
    HostSystemConnectionState, HostSystemPowerState, ManagedEntityStatus,
    VirtualMachineConnectionState, VirtualMachineToolsStatus,
};
use vi_types::objects::{
    AlarmState, DatastoreHostMount, DatastoreSummary, GuestDiskInfo, HostHardwareSummary,
    ResourcePoolRuntimeInfo, VirtualDevice, VirtualMachineQuestionInfo, VirtualMachineSnapshotTree,
    VirtualMachineStorageSummary,
};
use vi_types::properties::{ComputeResource, Datacenter, Folder, HostSystem, ResourcePool};
use vi_types::{DateTime, ManagedObjectReference, Poly};

use super::MonitorOptions;
use crate::Connect;

property_set! {
    /// What places a folder, or a cluster of datastores, in the inventory.
    pub(super) struct FolderEntity: Folder {
        pub(super) name: String = name,
        pub(super) parent: Option<ManagedObjectReference> = parent,
    }
}

property_set! {
    pub(super) struct DatacenterEntity: Datacenter {
        pub(super) name: String = name,
        pub(super) parent: Option<ManagedObjectReference> = parent,
    }
}

property_set! {
    pub(super) struct ComputeEntity: ComputeResource {
        pub(super) name: String = name,
        pub(super) parent: Option<ManagedObjectReference> = parent,
    }
}

property_set! {
    /// A virtual machine; the identity of the domain comes from [`Connect::with_identity`].
    pub(super) struct Machine: VirtualMachine {
        pub(super) status: Option<ManagedEntityStatus> = overall_status,
        pub(super) parent: Option<ManagedObjectReference> = parent,
        pub(super) resource_pool: Option<ManagedObjectReference> = resource_pool,
        pub(super) datastore: Vec<ManagedObjectReference> = datastore,
        pub(super) template: Option<bool> = config.template,
        pub(super) version: Option<String> = config.version,
        pub(super) config_file: Option<String> = config.files.vm_path_name,
        pub(super) guest_os: Option<String> = config.guest_full_name,
        pub(super) cpus: Option<i32> = config.hardware.num_cpu,
        pub(super) memory_mib: Option<i32> = config.hardware.memory_mb,
        pub(super) host: Option<ManagedObjectReference> = runtime.host,
        pub(super) connection: Option<VirtualMachineConnectionState> = runtime.connection_state,
        pub(super) boot_time: Option<DateTime> = runtime.boot_time,
        pub(super) max_cpu_mhz: Option<i32> = runtime.max_cpu_usage,
        pub(super) question: Option<VirtualMachineQuestionInfo> = runtime.question,
    }
}

property_set! {
    /// Properties since API 5.0.
    pub(super) struct MachineSince5: VirtualMachine {
        pub(super) storage: Option<VirtualMachineStorageSummary> = summary.storage,
        pub(super) needs_consolidation: Option<bool> = runtime.consolidation_needed,
    }
}

property_set! {
    pub(super) struct Devices: VirtualMachine {
        pub(super) devices: Vec<Poly<VirtualDevice>> = config.hardware.device,
    }
}

property_set! {
    pub(super) struct Guest: VirtualMachine {
        pub(super) tools_version: Option<String> = guest.tools_version,
        pub(super) tools_status: Option<VirtualMachineToolsStatus> = guest.tools_status,
        pub(super) state: Option<String> = guest.guest_state,
        pub(super) host_name: Option<String> = guest.host_name,
        pub(super) ip_address: Option<String> = guest.ip_address,
        pub(super) disks: Vec<GuestDiskInfo> = guest.disk,
    }
}

property_set! {
    /// Properties since API 5.0.
    pub(super) struct GuestSince5: VirtualMachine {
        pub(super) tools_running: Option<String> = guest.tools_running_status,
        pub(super) tools_version_status: Option<String> = guest.tools_version_status2,
    }
}

property_set! {
    pub(super) struct Snapshots: VirtualMachine {
        pub(super) roots: Vec<VirtualMachineSnapshotTree> = snapshot.root_snapshot_list,
    }
}

property_set! {
    pub(super) struct MachineAlarms: VirtualMachine {
        pub(super) alarms: Vec<AlarmState> = triggered_alarm_state,
    }
}

property_set! {
    pub(super) struct Host: HostSystem {
        pub(super) name: String = name,
        pub(super) parent: Option<ManagedObjectReference> = parent,
        pub(super) status: Option<ManagedEntityStatus> = overall_status,
        pub(super) connection: HostSystemConnectionState = runtime.connection_state,
        pub(super) power_state: Option<HostSystemPowerState> = runtime.power_state,
        pub(super) in_maintenance: Option<bool> = runtime.in_maintenance_mode,
        pub(super) boot_time: Option<DateTime> = runtime.boot_time,
        pub(super) hardware: Option<HostHardwareSummary> = summary.hardware,
        pub(super) product: Option<String> = summary.config.product.full_name,
        pub(super) version: Option<String> = summary.config.product.version,
        pub(super) build: Option<String> = summary.config.product.build,
        pub(super) alarms: Vec<AlarmState> = triggered_alarm_state,
    }
}

property_set! {
    /// Properties since API 5.0.
    pub(super) struct HostSince5: HostSystem {
        pub(super) standby_mode: Option<String> = runtime.standby_mode,
    }
}

property_set! {
    pub(super) struct Store: Datastore {
        pub(super) parent: Option<ManagedObjectReference> = parent,
        pub(super) status: Option<ManagedEntityStatus> = overall_status,
        pub(super) summary: DatastoreSummary = summary,
        pub(super) hosts: Vec<DatastoreHostMount> = host,
        pub(super) alarms: Vec<AlarmState> = triggered_alarm_state,
    }
}

property_set! {
    pub(super) struct Pool: ResourcePool {
        pub(super) name: String = name,
        pub(super) parent: Option<ManagedObjectReference> = parent,
        pub(super) owner: Option<ManagedObjectReference> = owner,
        pub(super) status: Option<ManagedEntityStatus> = overall_status,
        pub(super) runtime: Option<ResourcePoolRuntimeInfo> = runtime,
        pub(super) cpu_reservation: Option<i64> = config.cpu_allocation.reservation,
        pub(super) memory_reservation: Option<i64> = config.memory_allocation.reservation,
        pub(super) alarms: Vec<AlarmState> = triggered_alarm_state,
    }
}

/// The way from a server's root folder to everything that a monitor knows. Only types whose properties are read are read.
pub(super) fn everything(connect: &Connect) -> Retrieve {
    let client = connect.client();
    let folders = Selection::by_name("folder");
    let pools = Selection::along(|pool: &ResourcePool| &pool.resource_pool).named("pool");
    let datacenters = Selection::along(|center: &Datacenter| &center.datastore).named("datastore");
    let request = Retrieve::from(&client.service_content().root_folder)
        .select(
            Selection::along(|folder: &Folder| &folder.child_entity)
                .named("folder")
                .select(folders.clone())
                .select(Selection::by_name("hostFolder"))
                .select(Selection::by_name("vmFolder"))
                .select(Selection::by_name("datastore"))
                .select(Selection::by_name("datastoreFolder"))
                .select(Selection::by_name("host"))
                .select(Selection::by_name("pools")),
        )
        .select(
            Selection::along(|center: &Datacenter| &center.host_folder)
                .named("hostFolder")
                .select(folders.clone()),
        )
        .select(
            Selection::along(|center: &Datacenter| &center.vm_folder)
                .named("vmFolder")
                .select(folders.clone()),
        )
        .select(datacenters)
        .select(
            Selection::along(|compute: &ComputeResource| &compute.host)
                .named("host")
                // The machines of a vApp are in no folder.
                .select(Selection::along(|host: &HostSystem| &host.vm).named("vm")),
        )
        .select(
            Selection::along(|compute: &ComputeResource| &compute.resource_pool)
                .named("pools")
                .select(pools.select(Selection::by_name("pool"))),
        );
    match client.api_version().at_least(4, 0) {
        true => request.select(
            Selection::along(|center: &Datacenter| &center.datastore_folder)
                .named("datastoreFolder")
                .select(folders),
        ),
        // A name that is referred to has to exist.
        false => request.select(
            Selection::along(|center: &Datacenter| &center.datastore).named("datastoreFolder"),
        ),
    }
}

/// What to watch.
pub(super) fn request(connect: &Connect, options: &MonitorOptions) -> Retrieve {
    let is_since_5 = connect.client().api_version().at_least(5, 0);
    let mut request = connect
        .with_identity(everything(connect))
        .set::<FolderEntity>()
        .set::<DatacenterEntity>()
        .set::<ComputeEntity>()
        .set::<Machine>()
        .set::<Host>();
    if is_since_5 {
        request = request.set::<MachineSince5>().set::<HostSince5>();
    }
    if options.devices {
        request = request.set::<Devices>();
    }
    if options.guests {
        request = request.set::<Guest>();
        if is_since_5 {
            request = request.set::<GuestSince5>();
        }
    }
    if options.snapshots {
        request = request.set::<Snapshots>();
    }
    if options.alarms {
        request = request.set::<MachineAlarms>();
    }
    if options.datastores {
        request = request.set::<Store>();
    }
    if options.resource_pools {
        request = request.set::<Pool>();
    }
    request
}
