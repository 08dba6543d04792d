//! What the server says about each type of event: its category, its name, and the text of an event.

use vi_types::objects::{
    Description, ElementDescription, Event, EventDescription, EventDescriptionEventDetail, EventEx,
    TaskEvent,
};
use vi_types::{Object, Poly, View, path};

use crate::task;

/// What is said about a type.
struct Detail {
    ty: &'static str,
    category: &'static str,
    description: &'static str,
    /// The text of an event, with paths of its properties in braces.
    format: &'static str,
}

const fn detail(
    ty: &'static str,
    category: &'static str,
    description: &'static str,
    format: &'static str,
) -> Detail {
    Detail {
        ty,
        category,
        description,
        format,
    }
}

const INFO: &str = "info";
const WARNING: &str = "warning";
const ERROR: &str = "error";
const USER: &str = "user";

/// The types that the simulator writes, sorted by name. The texts are those of govmomi's simulator, where it has the type,
/// and of real servers otherwise.
#[rustfmt::skip]
const DETAILS: &[Detail] = &[
    detail("BadUsernameSessionEvent", ERROR, "Invalid user name", "Cannot login {userName}@{ipAddress}"),
    detail("DVPortgroupCreatedEvent", INFO, "dvPort group created", "dvPort group {net.name} in {datacenter.name} was added"),
    detail("DVPortgroupDestroyedEvent", INFO, "dvPort group deleted", "dvPort group {net.name} in {datacenter.name} was deleted"),
    detail("DVPortgroupReconfiguredEvent", INFO, "dvPort group reconfigured", "dvPort group {net.name} in {datacenter.name} was reconfigured"),
    detail("DVPortgroupRenamedEvent", INFO, "dvPort group renamed", "dvPort group {oldName} in {datacenter.name} was renamed to {newName}"),
    detail("DatacenterCreatedEvent", INFO, "Datacenter created", "Created datacenter {datacenter.name} in folder {parent.name}"),
    detail("DatastoreCapacityIncreasedEvent", INFO, "Datastore capacity increased", "Datastore {datastore.name} increased in capacity from {oldCapacity} bytes to {newCapacity} bytes in {datacenter.name}"),
    detail("DatastoreDestroyedEvent", INFO, "Datastore deleted", "Removed unconfigured datastore {datastore.name}"),
    detail("DatastoreDiscoveredEvent", INFO, "Datastore discovered", "Discovered datastore {datastore.name} on {host.name} in {datacenter.name}"),
    detail("DatastoreFileCopiedEvent", INFO, "File or directory copied to datastore", "Copy of file or directory {sourceFile} from {sourceDatastore.name} to {datastore.name} as {targetFile}"),
    detail("DatastoreFileDeletedEvent", INFO, "File or directory deleted", "Deletion of file or directory {targetFile} from {datastore.name} was initiated"),
    detail("DatastoreFileMovedEvent", INFO, "File or directory moved to datastore", "Move of file or directory {sourceFile} from {sourceDatastore.name} to {datastore.name} as {targetFile}"),
    detail("DatastoreRemovedOnHostEvent", INFO, "Datastore removed from host", "Datastore {datastore.name} was removed from {host.name} in {datacenter.name}"),
    detail("DatastoreRenamedEvent", INFO, "Datastore renamed", "Renamed datastore from {oldName} to {newName} in {datacenter.name}"),
    detail("DatastoreRenamedOnHostEvent", INFO, "Datastore renamed from host", "Renamed datastore from {oldName} to {newName} by {host.name} in {datacenter.name}"),
    detail("DvsCreatedEvent", INFO, "vSphere Distributed Switch created", "A vSphere Distributed Switch {dvs.name} was created in {datacenter.name}"),
    detail("DvsDestroyedEvent", INFO, "vSphere Distributed Switch deleted", "vSphere Distributed Switch {dvs.name} in {datacenter.name} was deleted"),
    detail("DvsHostJoinedEvent", INFO, "Host joined the vSphere Distributed Switch", "The host {hostJoined.name} joined the vSphere Distributed Switch {dvs.name} in {datacenter.name}"),
    detail("DvsHostLeftEvent", INFO, "Host left vSphere Distributed Switch", "The host {hostLeft.name} left the vSphere Distributed Switch {dvs.name} in {datacenter.name}"),
    detail("DvsReconfiguredEvent", INFO, "vSphere Distributed Switch reconfigured", "The vSphere Distributed Switch {dvs.name} in {datacenter.name} was reconfigured"),
    detail("DvsRenamedEvent", INFO, "vSphere Distributed Switch renamed", "The vSphere Distributed Switch {oldName} in {datacenter.name} was renamed to {newName}"),
    detail("EnteredMaintenanceModeEvent", INFO, "Entered maintenance mode", "Host {host.name} in {datacenter.name} has entered maintenance mode"),
    detail("EventEx", INFO, "Event", "{message}"),
    detail("ExitMaintenanceModeEvent", INFO, "Exit maintenance mode", "Host {host.name} in {datacenter.name} has exited maintenance mode"),
    detail("ExtendedEvent", INFO, "Extended event", "{message}"),
    detail("GeneralEvent", INFO, "General event", "General event: {message}"),
    detail("GeneralUserEvent", USER, "General user event", "User logged event: {message}"),
    detail("HostConnectedEvent", INFO, "Host connected", "Connected to {host.name} in {datacenter.name}"),
    detail("HostConnectionLostEvent", ERROR, "Host connection lost", "Host {host.name} in {datacenter.name} is not responding"),
    detail("HostDisconnectedEvent", INFO, "Host disconnected", "Disconnected from {host.name} in {datacenter.name}. Reason: {reason}"),
    detail("LocalDatastoreCreatedEvent", INFO, "Local datastore created", "Created local datastore {datastore.name} on {host.name} in {datacenter.name}"),
    detail("NASDatastoreCreatedEvent", INFO, "NAS datastore created", "Created NAS datastore {datastore.name} on {host.name} in {datacenter.name}"),
    detail("ResourcePoolCreatedEvent", INFO, "Resource pool created", "Created resource pool {resourcePool.name} in compute-resource {computeResource.name} in {datacenter.name}"),
    detail("ResourcePoolDestroyedEvent", INFO, "Resource pool deleted", "Removed resource pool {resourcePool.name} on {computeResource.name} in {datacenter.name}"),
    detail("TaskEvent", INFO, "Task event", "Task: {info.descriptionId}"),
    detail("UserLoginSessionEvent", INFO, "User login", "User {userName}@{ipAddress} logged in as {userAgent}"),
    detail("UserLogoutSessionEvent", INFO, "User logout", "User {userName}@{ipAddress} logged out (login time: {loginTime}, number of API invocations: {callCount}, user agent: {userAgent})"),
    detail("VMFSDatastoreCreatedEvent", INFO, "VMFS datastore created", "Created VMFS datastore {datastore.name} on {host.name} in {datacenter.name}"),
    detail("VMFSDatastoreExpandedEvent", INFO, "VMFS datastore expanded", "Expanded VMFS datastore {datastore.name} on {host.name} in {datacenter.name}"),
    detail("VMFSDatastoreExtendedEvent", INFO, "VMFS datastore extended", "Extended VMFS datastore {datastore.name} on {host.name} in {datacenter.name}"),
    detail("VmAcquiredMksTicketEvent", INFO, "VM acquired MKS ticket", "A ticket for {vm.name} on {host.name} in {datacenter.name} has been acquired"),
    detail("VmAcquiredTicketEvent", INFO, "VM acquired ticket", "A ticket for {vm.name} of type {ticketType} on {host.name} in {datacenter.name} has been acquired"),
    detail("VmBeingClonedEvent", INFO, "VM being cloned", "Cloning {vm.name} on host {host.name} in {datacenter.name} to {destName} on host {destHost.name}"),
    detail("VmBeingCreatedEvent", INFO, "Creating VM", "Creating {vm.name} on host {host.name} in {datacenter.name}"),
    detail("VmBeingHotMigratedEvent", INFO, "VM is hot migrating", "Migrating {vm.name} from {host.name} in {datacenter.name} to {destHost.name} in {destDatacenter.name}"),
    detail("VmBeingRelocatedEvent", INFO, "VM relocating", "Relocating {vm.name} from {host.name} in {datacenter.name} to {destHost.name} in {destDatacenter.name}"),
    detail("VmCloneFailedEvent", ERROR, "Cannot complete VM clone", "Failed to clone {vm.name} on {host.name} in {datacenter.name}: {reason.localizedMessage}"),
    detail("VmClonedEvent", INFO, "VM cloned", "Clone of {sourceVm.name} completed"),
    detail("VmConnectedEvent", INFO, "VM connected", "Virtual machine {vm.name} is connected"),
    detail("VmCreatedEvent", INFO, "VM created", "Created virtual machine {vm.name} on {host.name} in {datacenter.name}"),
    detail("VmDisconnectedEvent", INFO, "VM disconnected", "{vm.name} on host {host.name} in {datacenter.name} is disconnected"),
    detail("VmDiskFailedEvent", ERROR, "Virtual disk failed", "Error detected for virtual disk {disk} of {vm.name} on {host.name} in {datacenter.name}: {reason.localizedMessage}"),
    detail("VmFailedMigrateEvent", ERROR, "Cannot migrate VM", "Cannot migrate {vm.name} from {host.name} to {destHost.name} in {datacenter.name}: {reason.localizedMessage}"),
    detail("VmFailedToPowerOffEvent", ERROR, "Cannot power off the VM", "Cannot power off {vm.name} on {host.name} in {datacenter.name}: {reason.localizedMessage}"),
    detail("VmFailedToPowerOnEvent", ERROR, "Cannot power on the VM", "Cannot power on {vm.name} on {host.name} in {datacenter.name}: {reason.localizedMessage}"),
    detail("VmFailedToResetEvent", ERROR, "VM cannot reset", "Cannot reset {vm.name} on {host.name} in {datacenter.name}: {reason.localizedMessage}"),
    detail("VmFailedToSuspendEvent", ERROR, "VM cannot suspend", "Cannot suspend {vm.name} on {host.name} in {datacenter.name}: {reason.localizedMessage}"),
    detail("VmGuestOSCrashedEvent", ERROR, "Guest OS crashed", "{vm.name} on {host.name}: Guest operating system has crashed"),
    detail("VmGuestRebootEvent", INFO, "Guest reboot", "Guest OS reboot for {vm.name} on {host.name} in {datacenter.name}"),
    detail("VmGuestShutdownEvent", INFO, "Guest OS shut down", "Guest OS shut down for {vm.name} on {host.name} in {datacenter.name}"),
    detail("VmGuestStandbyEvent", INFO, "Guest standby", "Guest OS standby for {vm.name} on {host.name} in {datacenter.name}"),
    detail("VmMessageErrorEvent", ERROR, "VM error message", "Error message on {vm.name} on {host.name} in {datacenter.name}: {message}"),
    detail("VmMessageEvent", INFO, "VM information message", "Message on {vm.name} on {host.name} in {datacenter.name}: {message}"),
    detail("VmMessageWarningEvent", WARNING, "VM warning message", "Warning message on {vm.name} on {host.name} in {datacenter.name}: {message}"),
    detail("VmMigratedEvent", INFO, "VM migrated", "Migration of virtual machine {vm.name} from {sourceHost.name} to {host.name} completed"),
    detail("VmPoweredOffEvent", INFO, "VM powered off", "{vm.name} on {host.name} in {datacenter.name} is powered off"),
    detail("VmPoweredOnEvent", INFO, "VM powered on", "{vm.name} on {host.name} in {datacenter.name} is powered on"),
    detail("VmReconfiguredEvent", INFO, "VM reconfigured", "Reconfigured {vm.name} on {host.name} in {datacenter.name}"),
    detail("VmRegisteredEvent", INFO, "VM registered", "Registered {vm.name} on {host.name} in {datacenter.name}"),
    detail("VmRelocateFailedEvent", ERROR, "Cannot relocate VM", "Cannot relocate virtual machine {vm.name} from {host.name} to {destHost.name} in {datacenter.name}: {reason.localizedMessage}"),
    detail("VmRelocatedEvent", INFO, "VM relocated", "Completed the relocation of the virtual machine {vm.name}"),
    detail("VmRemoteConsoleConnectedEvent", INFO, "VM remote console connected", "Remote console connected to {vm.name} on host {host.name}"),
    detail("VmRemoteConsoleDisconnectedEvent", INFO, "VM remote console disconnected", "Remote console disconnected from {vm.name} on host {host.name}"),
    detail("VmRemovedEvent", INFO, "VM removed", "Removed {vm.name} on {host.name} from {datacenter.name}"),
    detail("VmRenamedEvent", INFO, "VM renamed", "Renamed {vm.name} from {oldName} to {newName} in {datacenter.name}"),
    detail("VmResettingEvent", INFO, "VM resetting", "{vm.name} on {host.name} in {datacenter.name} is reset"),
    detail("VmResourcePoolMovedEvent", INFO, "VM moved to another resource pool", "Moved {vm.name} from resource pool {oldParent.name} to {newParent.name} in {datacenter.name}"),
    detail("VmResumingEvent", INFO, "VM resuming", "{vm.name} on {host.name} in {datacenter.name} is resumed"),
    detail("VmStartingEvent", INFO, "VM starting", "{vm.name} on host {host.name} in {datacenter.name} is starting"),
    detail("VmStoppingEvent", INFO, "VM stopping", "{vm.name} on host {host.name} in {datacenter.name} is stopping"),
    detail("VmSuspendedEvent", INFO, "VM suspended", "{vm.name} on {host.name} in {datacenter.name} is suspended"),
    detail("VmSuspendingEvent", INFO, "VM being suspended", "{vm.name} on {host.name} in {datacenter.name} is being suspended"),
];

/// What is said about a type, or about the nearest of its base classes of which anything is said.
fn of(event: &Poly<Event>) -> Option<&'static Detail> {
    let find = |name: &str| {
        let found = DETAILS.binary_search_by_key(&name, |detail| detail.ty);
        found.ok().map(|index| &DETAILS[index])
    };
    let info = event.as_object().info();
    find(event.type_name()).or_else(|| info.ancestry().find_map(|info| find(info.name)))
}

/// The category of an event: `info`, `warning`, `error` or `user`.
pub(super) fn category(event: &Poly<Event>) -> &str {
    let severity = event
        .cast::<EventEx>()
        .and_then(|event| event.severity.as_deref());
    severity.unwrap_or_else(|| of(event).map_or(INFO, |detail| detail.category))
}

/// The text of an event.
pub(super) fn message(event: &Poly<Event>) -> String {
    if let Some(task) = event.cast::<TaskEvent>() {
        return format!("Task: {}", task::name(&task.info.description_id));
    }
    match of(event) {
        Some(detail) => filled(detail.format, event.as_object()),
        None => event.type_name().to_owned(),
    }
}

/// A text with the values of an event's properties instead of their paths.
fn filled(format: &str, event: &dyn Object) -> String {
    let mut pieces = format.split('{');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (path, rest) = piece.split_once('}').unwrap_or((piece, ""));
        match path::get(event, path) {
            Ok(View::Text(value)) => text.push_str(value),
            Ok(View::DateTime(time)) => text.push_str(&time.to_string()),
            Ok(View::Int(number)) => text.push_str(&number.to_string()),
            Ok(View::Long(number)) => text.push_str(&number.to_string()),
            _ => {}
        }
        text.push_str(rest);
    }
    text
}

/// `EventManager.description`: all types of this build.
pub(crate) fn description() -> EventDescription {
    let category = |(key, label): (&str, &str)| ElementDescription {
        base: Description {
            label: label.to_owned(),
            summary: label.to_owned(),
            ..Description::default()
        },
        key: key.to_owned(),
        ..ElementDescription::default()
    };
    let categories = [
        (INFO, "Information"),
        (WARNING, "Warning"),
        (ERROR, "Error"),
        (USER, "User"),
    ];
    let event = <Event as Object>::type_info();
    let types = vi_types::registry().descendants(event);
    EventDescription {
        category: categories.map(|one| category(one).into()).into(),
        event_info: types.map(|info| type_detail(info.name)).collect(),
        ..EventDescription::default()
    }
}

fn type_detail(ty: &str) -> EventDescriptionEventDetail {
    let detail = DETAILS.iter().find(|detail| detail.ty == ty);
    let format = detail.map_or("", |detail| detail.format);
    // A view of the datacenter need not say which one it is, and so on.
    let on_datacenter = format.replace(" in {datacenter.name}", "");
    let on_host = on_datacenter
        .replace(" on host {host.name}", "")
        .replace(" on {host.name}", "");
    EventDescriptionEventDetail {
        key: ty.to_owned(),
        description: Some(detail.map_or(ty, |detail| detail.description).to_owned()),
        category: detail.map_or(INFO, |detail| detail.category).to_owned(),
        format_on_compute_resource: on_datacenter.clone(),
        format_on_vm: on_host.replace("{vm.name}", "Virtual machine"),
        format_on_datacenter: on_datacenter,
        format_on_host: on_host,
        full_format: format.to_owned(),
        ..EventDescriptionEventDetail::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_of_a_format_is_a_property_of_its_type() {
        for detail in DETAILS {
            let info = vi_types::registry().object(detail.ty).unwrap();
            let event = (info.new)();
            for piece in detail.format.split('{').skip(1) {
                let (path, _) = piece.split_once('}').unwrap();
                assert!(path::get(&*event, path).is_ok(), "{}: {path}", detail.ty);
            }
        }
    }

    #[test]
    fn types_are_sorted_by_name() {
        assert!(DETAILS.is_sorted_by_key(|detail| detail.ty));
    }
}
