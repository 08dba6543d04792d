//! What the task manager tells of tasks: the names of what they do, their states, and who starts them.

use vi_types::objects::{Description, ElementDescription, TaskDescription, TypeDescription};

/// What tasks do, by their `descriptionId`.
const METHODS: &[(&str, &str)] = &[
    ("Datacenter.destroy", "Remove datacenter"),
    ("Datacenter.rename", "Rename datacenter"),
    ("Datastore.destroy", "Remove datastore"),
    (
        "Datastore.enterMaintenanceMode",
        "Enter datastore maintenance mode",
    ),
    (
        "Datastore.exitMaintenanceMode",
        "Exit datastore maintenance mode",
    ),
    ("Datastore.rename", "Rename datastore"),
    (
        "DistributedVirtualPortgroup.destroy",
        "Remove distributed port group",
    ),
    (
        "DistributedVirtualPortgroup.reconfigure",
        "Reconfigure distributed port group",
    ),
    (
        "DistributedVirtualPortgroup.rename",
        "Rename distributed port group",
    ),
    (
        "DistributedVirtualSwitch.addPortgroup",
        "Add distributed port group",
    ),
    (
        "DistributedVirtualSwitch.addPortgroups",
        "Add distributed port groups",
    ),
    (
        "DistributedVirtualSwitch.reconfigure",
        "Reconfigure distributed switch",
    ),
    ("FileManager.copyFile", "Copy file"),
    ("FileManager.deleteFile", "Delete file"),
    ("FileManager.moveFile", "Move file"),
    (
        "Folder.createDistributedVirtualSwitch",
        "Create a distributed switch",
    ),
    ("Folder.createVm", "Create virtual machine"),
    ("Folder.destroy", "Remove folder"),
    ("Folder.moveInto", "Move entities"),
    ("Folder.registerVm", "Register virtual machine"),
    ("Folder.rename", "Rename folder"),
    ("HostDatastoreBrowser.search", "Search datastore"),
    (
        "HostDatastoreBrowser.searchSubFolders",
        "Search datastore and its folders",
    ),
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
    (
        "VirtualDiskManager.createVirtualDisk",
        "Create virtual disk",
    ),
    (
        "VirtualDiskManager.defragmentVirtualDisk",
        "Defragment virtual disk",
    ),
    (
        "VirtualDiskManager.deleteVirtualDisk",
        "Delete virtual disk",
    ),
    (
        "VirtualDiskManager.eagerZeroVirtualDisk",
        "Zero virtual disk",
    ),
    (
        "VirtualDiskManager.extendVirtualDisk",
        "Extend virtual disk",
    ),
    (
        "VirtualDiskManager.inflateVirtualDisk",
        "Inflate virtual disk",
    ),
    ("VirtualDiskManager.moveVirtualDisk", "Move virtual disk"),
    (
        "VirtualDiskManager.shrinkVirtualDisk",
        "Shrink virtual disk",
    ),
    (
        "VirtualDiskManager.zeroFillVirtualDisk",
        "Fill virtual disk with zeros",
    ),
    ("VirtualMachine.clone", "Clone virtual machine"),
    (
        "VirtualMachine.consolidateDisks",
        "Consolidate virtual machine disk files",
    ),
    (
        "VirtualMachine.createScreenshot",
        "Create virtual machine screenshot",
    ),
    (
        "VirtualMachine.createSnapshot",
        "Create virtual machine snapshot",
    ),
    ("VirtualMachine.destroy", "Delete virtual machine"),
    ("VirtualMachine.migrate", "Migrate virtual machine"),
    ("VirtualMachine.powerOff", "Power Off virtual machine"),
    ("VirtualMachine.powerOn", "Power On virtual machine"),
    ("VirtualMachine.reconfigure", "Reconfigure virtual machine"),
    ("VirtualMachine.relocate", "Relocate virtual machine"),
    ("VirtualMachine.removeAllSnapshots", "Remove all snapshots"),
    ("VirtualMachine.rename", "Rename virtual machine"),
    ("VirtualMachine.reset", "Reset virtual machine"),
    (
        "VirtualMachine.revertToCurrentSnapshot",
        "Revert to current snapshot",
    ),
    ("VirtualMachine.suspend", "Suspend virtual machine"),
    (
        "VmwareDistributedVirtualSwitch.destroy",
        "Remove distributed switch",
    ),
    (
        "VmwareDistributedVirtualSwitch.rename",
        "Rename distributed switch",
    ),
    ("vm.Snapshot.remove", "Remove snapshot"),
    ("vm.Snapshot.revert", "Revert snapshot"),
];

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
        method_info: METHODS.iter().map(|&one| element(one).into()).collect(),
        state: states.map(|one| element(one).into()).into(),
        reason: reasons.map(|one| reason(one).into()).into(),
        ..TaskDescription::default()
    }
}
