//! What the task manager tells of tasks: the names of what they do, their states, and who starts them.

use vi_types::objects::{Description, ElementDescription, TaskDescription, TypeDescription};

/// Tasks by their `descriptionId`, with the names that servers give them.
#[rustfmt::skip]
const NAMES: &[(&str, &str)] = &[
    ("Datacenter.destroy", "Remove datacenter"),
    ("Datacenter.rename", "Rename datacenter"),
    ("Datastore.destroy", "Remove datastore"),
    ("Datastore.enterMaintenanceMode", "Datastore enter maintenance mode"),
    ("Datastore.exitMaintenanceMode", "Datastore exit maintenance mode"),
    ("Datastore.rename", "Rename datastore"),
    ("DistributedVirtualPortgroup.destroy", "Delete a group of distributed virtual ports"),
    ("DistributedVirtualPortgroup.reconfigure", "Reconfigure distributed port group"),
    ("DistributedVirtualPortgroup.rename", "Rename dvPort group"),
    ("DistributedVirtualSwitch.addPortgroup", "Create a group of distributed virtual ports"),
    ("DistributedVirtualSwitch.addPortgroups", "Add dvPort groups"),
    ("DistributedVirtualSwitch.reconfigure", "Reconfigure vSphere Distributed Switch"),
    ("dvs.DistributedVirtualPortgroup.reconfigure", "Reconfigure dvPort group"),
    ("FileManager.copyFile", "Copy file"),
    ("FileManager.deleteFile", "Delete file"),
    ("FileManager.moveFile", "Move file"),
    ("Folder.createDistributedVirtualSwitch", "Create a vSphere Distributed Switch"),
    ("Folder.createVm", "Create virtual machine"),
    ("Folder.destroy", "Remove folder"),
    ("Folder.moveInto", "Move entities"),
    ("Folder.registerVm", "Register virtual machine"),
    ("Folder.rename", "Rename folder"),
    ("host.NetworkSystem.addPortGroup", "Add port group"),
    ("host.NetworkSystem.addServiceConsoleVirtualNic", "Add service console virtual NIC"),
    ("host.NetworkSystem.addVirtualNic", "Add virtual NIC"),
    ("host.NetworkSystem.addVirtualSwitch", "Add virtual switch"),
    ("host.NetworkSystem.removePortGroup", "Remove port group"),
    ("host.NetworkSystem.removeServiceConsoleVirtualNic", "Remove service console virtual NIC"),
    ("host.NetworkSystem.removeVirtualNic", "Remove virtual NIC"),
    ("host.NetworkSystem.removeVirtualSwitch", "Remove virtual switch"),
    ("host.NetworkSystem.restartServiceConsoleVirtualNic", "Restart service console virtual NIC"),
    ("host.NetworkSystem.updateConsoleIpRouteConfig", "Update console IP route configuration"),
    ("host.NetworkSystem.updateDnsConfig", "Update DNS configuration"),
    ("host.NetworkSystem.updateIpRouteConfig", "Update IP route configuration"),
    ("host.NetworkSystem.updateIpRouteTableConfig", "Update IP route table configuration"),
    ("host.NetworkSystem.updateNetworkConfig", "Update network configuration"),
    ("host.NetworkSystem.updatePhysicalNicLinkSpeed", "Update physical NIC link speed"),
    ("host.NetworkSystem.updatePortGroup", "Update port group"),
    ("host.NetworkSystem.updateServiceConsoleVirtualNic", "Update service console virtual NIC"),
    ("host.NetworkSystem.updateVirtualNic", "Update virtual NIC"),
    ("host.NetworkSystem.updateVirtualSwitch", "Update virtual switch"),
    ("HostDatastoreBrowser.search", "Search datastore"),
    ("HostDatastoreBrowser.searchSubFolders", "Search datastore and its folders"),
    ("HostSystem.disconnect", "Disconnect host"),
    ("HostSystem.enterMaintenanceMode", "Enter maintenance mode"),
    ("HostSystem.enterStandbyMode", "Enter standby mode"),
    ("HostSystem.exitMaintenanceMode", "Exit maintenance mode"),
    ("HostSystem.exitStandbyMode", "Exit standby mode"),
    ("HostSystem.reboot", "Reboot host"),
    ("HostSystem.reconnect", "Reconnect host"),
    ("HostSystem.shutdown", "Shut down host"),
    ("Network.destroy", "Remove network"),
    ("ResourcePool.destroy", "Remove resource pool"),
    ("ResourcePool.rename", "Rename resource pool"),
    ("VirtualDiskManager.copyVirtualDisk", "Copy virtual disk"),
    ("VirtualDiskManager.createVirtualDisk", "Create virtual disk"),
    ("VirtualDiskManager.defragmentVirtualDisk", "Defragment virtual disk"),
    ("VirtualDiskManager.deleteVirtualDisk", "Delete virtual disk"),
    ("VirtualDiskManager.eagerZeroVirtualDisk", "Zero virtual disk"),
    ("VirtualDiskManager.extendVirtualDisk", "Extend virtual disk"),
    ("VirtualDiskManager.inflateVirtualDisk", "Inflate virtual disk"),
    ("VirtualDiskManager.moveVirtualDisk", "Move virtual disk"),
    ("VirtualDiskManager.shrinkVirtualDisk", "Shrink virtual disk"),
    ("VirtualDiskManager.zeroFillVirtualDisk", "Fill virtual disk with zeros"),
    ("VirtualMachine.clone", "Clone virtual machine"),
    ("VirtualMachine.consolidateDisks", "Consolidate virtual machine disk files"),
    ("VirtualMachine.createScreenshot", "Create a screenshot of a virtual machine"),
    ("VirtualMachine.createSnapshot", "Create virtual machine snapshot"),
    ("VirtualMachine.destroy", "Delete virtual machine"),
    ("VirtualMachine.migrate", "Migrate virtual machine"),
    ("VirtualMachine.powerOff", "Power Off virtual machine"),
    ("VirtualMachine.powerOn", "Power On virtual machine"),
    ("VirtualMachine.reconfigure", "Reconfigure virtual machine"),
    ("VirtualMachine.relocate", "Relocate virtual machine"),
    ("VirtualMachine.removeAllSnapshots", "Remove all snapshots"),
    ("VirtualMachine.rename", "Rename virtual machine"),
    ("VirtualMachine.reset", "Reset virtual machine"),
    ("VirtualMachine.revertToCurrentSnapshot", "Revert to current snapshot"),
    ("VirtualMachine.suspend", "Suspend virtual machine"),
    ("vm.Snapshot.remove", "Remove snapshot"),
    ("vm.Snapshot.revert", "Revert snapshot"),
    ("VmwareDistributedVirtualSwitch.destroy", "Delete vSphere Distributed Switch"),
    ("VmwareDistributedVirtualSwitch.rename", "Rename vSphere Distributed Switch"),
];

/// The name of the task with that `descriptionId`; the id itself if it has none.
pub(crate) fn name(id: &str) -> &str {
    let known = NAMES.iter().find(|(known, _)| *known == id);
    known.map_or(id, |(_, name)| name)
}

/// `TaskManager.description`.
pub(crate) fn description() -> TaskDescription {
    let base = |label: &str| Description {
        label: label.to_owned(),
        summary: label.to_owned(),
        ..Description::default()
    };
    let element = |(key, label): (&str, &str)| ElementDescription {
        base: base(label),
        key: key.to_owned(),
        ..ElementDescription::default()
    };
    let reason = |(key, label): (&str, &str)| TypeDescription {
        base: base(label),
        key: key.to_owned(),
        ..TypeDescription::default()
    };
    let states = [
        ("queued", "Queued"),
        ("running", "Running"),
        ("success", "Success"),
        ("error", "Error"),
    ];
    let reasons = [
        ("TaskReasonAlarm", "Alarm task"),
        ("TaskReasonSchedule", "Scheduled task"),
        ("TaskReasonSystem", "System task"),
        ("TaskReasonUser", "User task"),
    ];
    TaskDescription {
        method_info: NAMES.iter().map(|&one| element(one).into()).collect(),
        state: states.map(|one| element(one).into()).into(),
        reason: reasons.map(|one| reason(one).into()).into(),
        ..TaskDescription::default()
    }
}
