//! Snapshots of virtual machines.
//!
//! The tree of snapshots is the machine's property `snapshot`. Each snapshot is also a managed object, with the machine's
//! configuration at the time of the snapshot. From then on, the machine writes to delta disks (see [`chain`]); nothing is
//! ever written to disks here, so all are empty.

use std::collections::BTreeSet;

use bytes::Bytes;
use vi_types::enums::VirtualMachinePowerState::{self, PoweredOff, PoweredOn, Suspended};
use vi_types::enums::VirtualScsiSharing;
use vi_types::objects::{
    MemorySnapshotOnIndependentDisk, SnapshotDisabled, SnapshotFault,
    SnapshotIncompatibleDeviceInVm, SnapshotLocked, TooManySnapshotLevels,
    VirtualDiskFlatVer2BackingInfo, VirtualMachineConfigInfo, VirtualMachineFileLayoutEx,
    VirtualMachineFileLayoutExFileInfo, VirtualMachineFileLayoutExSnapshotLayout,
    VirtualMachineSnapshotInfo, VirtualMachineSnapshotTree, VirtualScsiController,
};
use vi_types::{DateTime, ManagedObjectReference, SoapFault, properties};
use vmx::VmxFile;
use vmx::escape::PIPE;

use super::{chain, guest, power};
use crate::fault;
use crate::files::{DatastorePath, Entry};
use crate::world::World;

/// The largest depth of the tree, as in VMware's "Configuration Maximums" of ESX 5 and later.
const MOST_LEVELS: usize = 32;

/// Length of a `.vmsn` file in bytes.
const STATE_FILE: u64 = 28_672;

/// A snapshot to be taken.
pub(crate) struct NewSnapshot {
    pub(crate) name: String,
    pub(crate) description: String,
    /// Whether it includes the memory of a running machine. A revert then starts the machine again.
    pub(crate) memory: bool,
    /// Whether VMware Tools flush the guest's file systems before.
    pub(crate) quiesce: bool,
    pub(crate) at: DateTime,
}

/// Takes a snapshot, which becomes the machine's current one.
///
/// # Errors
/// Those of [`check_new`].
pub(crate) fn create(
    world: &mut World,
    vm: &ManagedObjectReference,
    new: NewSnapshot,
) -> Result<ManagedObjectReference, SoapFault> {
    let machine = machine(world, vm)?;
    check_new(machine, &new)?;
    let power = power_state(machine);
    let config = machine.config.clone();
    let is_on = power == PoweredOn;
    let id = world.next_snapshot_id(vm);
    let snapshot = reference(world, vm, id);
    let tree = VirtualMachineSnapshotTree {
        snapshot: snapshot.clone(),
        vm: vm.clone(),
        name: new.name,
        description: new.description,
        id: Some(id),
        create_time: new.at,
        // Without its memory, a running machine is off in the snapshot (API reference of `CreateSnapshot_Task`).
        state: match power {
            PoweredOn if !new.memory => PoweredOff,
            power => power,
        },
        quiesced: is_on && new.quiesce,
        replay_supported: Some(false),
        ..VirtualMachineSnapshotTree::default()
    };
    world.add(
        snapshot.value.clone(),
        properties::VirtualMachineSnapshot {
            config,
            vm: Some(vm.clone()),
            ..properties::VirtualMachineSnapshot::default()
        },
    );
    write_files(world, vm, &snapshot, id, is_on && new.memory);
    change_tree(world, vm, |info| {
        let current = info.current_snapshot.replace(snapshot.clone());
        let parent = current.and_then(|current| find_mut(&mut info.root_snapshot_list, &current));
        match parent {
            Some(parent) => parent.child_snapshot_list.push(tree),
            None => info.root_snapshot_list.push(tree),
        }
    });
    chain::branch(world, vm);
    write_list(world, vm);
    Ok(snapshot)
}

/// Checks that a snapshot of a machine can be taken.
///
/// # Errors
/// - `InvalidPowerState` for a snapshot without memory of a suspended machine, unless the machine's
///   `capability.diskOnlySnapshotOnSuspendedVMSupported` says otherwise.
/// - `ToolsUnavailable` for a quiesced snapshot of a running machine whose VMware Tools don't run. The API reference says
///   that such a request is not quiesced; the fault lets clients meet a refusal.
/// - `SnapshotDisabled`, `SnapshotLocked` if `config.flags` says so.
/// - `SnapshotFault` for a second snapshot without `capability.multipleSnapshotsSupported`.
/// - `TooManySnapshotLevels` beyond [`MOST_LEVELS`].
/// - `SnapshotIncompatibleDeviceInVm` if a SCSI controller shares its bus.
/// - `MemorySnapshotOnIndependentDisk` for a snapshot with memory of a machine with independent disks.
fn check_new(machine: &properties::VirtualMachine, new: &NewSnapshot) -> Result<(), SoapFault> {
    let power = power_state(machine);
    let capability = machine.capability.as_deref();
    let disk_only =
        capability.and_then(|capability| capability.disk_only_snapshot_on_suspended_vm_supported);
    if power == Suspended && !new.memory && disk_only != Some(true) {
        return Err(fault::invalid_power_state(Suspended, PoweredOff));
    }
    if power == PoweredOn && new.quiesce && !guest::is_tools_running(machine) {
        return Err(fault::tools_unavailable());
    }
    let Some(config) = machine.config.as_deref() else {
        return Ok(());
    };
    if config.flags.snapshot_disabled == Some(true) {
        let message = "Snapshots are disabled for this virtual machine.";
        return Err(SoapFault::new(SnapshotDisabled::default(), message));
    }
    check_unlocked(machine)?;
    let info = machine.snapshot.as_deref();
    let levels = info.map_or(0, levels_of_current);
    if levels > 0 && capability.is_some_and(|capability| !capability.multiple_snapshots_supported) {
        let message = "The virtual machine does not support multiple snapshots.";
        return Err(SoapFault::new(SnapshotFault::default(), message));
    }
    if levels >= MOST_LEVELS {
        let message = "Virtual machine has too many snapshot levels.";
        return Err(SoapFault::new(TooManySnapshotLevels::default(), message));
    }
    for device in &config.hardware.device {
        let controller = device.cast::<VirtualScsiController>();
        if controller.is_some_and(|one| one.shared_bus != VirtualScsiSharing::NoSharing) {
            let fault = SnapshotIncompatibleDeviceInVm {
                fault: fault::localized(
                    vi_types::objects::MethodFault::default(),
                    "The virtual machine is configured to use a device that prevents the operation: Device \
                     'SCSI controller' is a SCSI controller engaged in bus-sharing.",
                ),
                ..SnapshotIncompatibleDeviceInVm::default()
            };
            let message = "The virtual machine has a device that snapshots are not possible with.";
            return Err(SoapFault::new(fault, message));
        }
        let backing = device.backing.as_ref();
        let disk = backing.and_then(|backing| backing.cast::<VirtualDiskFlatVer2BackingInfo>());
        if new.memory
            && power == PoweredOn
            && disk.is_some_and(|disk| disk.disk_mode.starts_with("independent"))
        {
            let message = "Cannot take a memory snapshot, since the virtual machine is configured with independent \
                           disks.";
            return Err(SoapFault::new(
                MemorySnapshotOnIndependentDisk::default(),
                message,
            ));
        }
    }
    Ok(())
}

/// Fails with `SnapshotLocked` if the machine's snapshots must not be changed.
fn check_unlocked(machine: &properties::VirtualMachine) -> Result<(), SoapFault> {
    let flags = machine.config.as_deref().map(|config| &config.flags);
    match flags.and_then(|flags| flags.snapshot_locked) {
        Some(true) => Err(SoapFault::new(
            SnapshotLocked::default(),
            "The snapshots of the virtual machine are locked.",
        )),
        _ => Ok(()),
    }
}

/// Sets a machine's hardware and power state to those of a snapshot, which becomes the current one.
///
/// After a snapshot with memory the machine runs, unless `suppress_power_on` is set; after one without it is off (API
/// reference of `RevertToSnapshot_Task`).
pub(crate) fn revert(
    world: &mut World,
    snapshot: &ManagedObjectReference,
    suppress_power_on: bool,
) -> Result<(), SoapFault> {
    let own = world.read::<properties::VirtualMachineSnapshot>(snapshot);
    let own = own.ok_or_else(|| fault::managed_object_not_found(snapshot))?;
    let (vm, then) = (own.vm.clone(), own.config.as_deref().cloned());
    let (Some(vm), Some(then)) = (vm, then) else {
        return Err(fault::managed_object_not_found(snapshot));
    };
    let machine = machine(world, &vm)?;
    let roots = machine.snapshot.as_deref();
    let tree = roots.and_then(|info| find(&info.root_snapshot_list, snapshot));
    let Some(tree) = tree else {
        return Err(fault::managed_object_not_found(snapshot));
    };
    let to = match (&tree.state, suppress_power_on) {
        (PoweredOn, true) => PoweredOff,
        (state, _) => state.clone(),
    };
    let Some(now) = machine.config.as_deref() else {
        return Err(fault::invalid_state());
    };
    // The identity of the machine stays.
    let config = VirtualMachineConfigInfo {
        name: now.name.clone(),
        uuid: now.uuid.clone(),
        instance_uuid: now.instance_uuid.clone(),
        template: now.template,
        files: now.files.clone(),
        ..then
    };
    let before = chain::files(world, &vm);
    super::set_config(world, &vm, config);
    // The changes since the snapshots before are lost.
    chain::collapse(world, &vm, &before, false);
    chain::branch(world, &vm);
    power::set(world, &vm, to);
    change_tree(world, &vm, |info| {
        info.current_snapshot = Some(snapshot.clone());
    });
    write_list(world, &vm);
    Ok(())
}

/// The current snapshot of a machine.
///
/// # Errors
/// `NotFound` for a machine without snapshots.
pub(crate) fn current(
    world: &World,
    vm: &ManagedObjectReference,
) -> Result<ManagedObjectReference, SoapFault> {
    let info = machine(world, vm)?.snapshot.as_deref();
    let current = info.and_then(|info| info.current_snapshot.clone());
    current.ok_or_else(fault::not_found)
}

/// Removes a snapshot, with its descendants if `children` is set. Otherwise its children move to its parent.
///
/// If the current snapshot is removed, its nearest remaining ancestor becomes the current one. With `consolidate`, disks
/// that no snapshot needs any more are merged.
pub(crate) fn remove(
    world: &mut World,
    snapshot: &ManagedObjectReference,
    children: bool,
    consolidate: bool,
) -> Result<(), SoapFault> {
    let vm = of(world, snapshot)?;
    check_unlocked(machine(world, &vm)?)?;
    let before = chain::files(world, &vm);
    let mut removed = Vec::new();
    change_tree(world, &vm, |info| {
        let parent = parent_of(&info.root_snapshot_list, snapshot);
        if let Some(mut tree) = take(&mut info.root_snapshot_list, snapshot, children) {
            removed.push(snapshot.clone());
            if children {
                references(&tree.child_snapshot_list, &mut removed);
            }
            tree.child_snapshot_list.clear();
        }
        if info
            .current_snapshot
            .as_ref()
            .is_some_and(|current| removed.contains(current))
        {
            info.current_snapshot = parent;
        }
    });
    forget(world, &vm, &removed);
    settle(world, &vm, &before, consolidate);
    Ok(())
}

/// Removes all snapshots of a machine, and leaves the machine as it is. With `consolidate`, its disks are merged.
pub(crate) fn remove_all(
    world: &mut World,
    vm: &ManagedObjectReference,
    consolidate: bool,
) -> Result<(), SoapFault> {
    check_unlocked(machine(world, vm)?)?;
    let before = chain::files(world, vm);
    let mut removed = Vec::new();
    change_tree(world, vm, |info| {
        references(&info.root_snapshot_list, &mut removed);
        info.root_snapshot_list.clear();
        info.current_snapshot = None;
    });
    forget(world, vm, &removed);
    settle(world, vm, &before, consolidate);
    Ok(())
}

/// Merges the disks of a machine that no snapshot needs any more.
pub(crate) fn consolidate(world: &mut World, vm: &ManagedObjectReference) -> Result<(), SoapFault> {
    check_unlocked(machine(world, vm)?)?;
    let before = chain::files(world, vm);
    settle(world, vm, &before, true);
    Ok(())
}

/// Deletes and merges disks after snapshots were removed. `before` are the machine's disk files before.
fn settle(
    world: &mut World,
    vm: &ManagedObjectReference,
    before: &BTreeSet<DatastorePath>,
    consolidate: bool,
) {
    let is_needed = chain::collapse(world, vm, before, consolidate);
    // Shows the files that are left.
    super::refresh(world, vm);
    if world.since("5.0") {
        world.change(vm, |vm: &mut properties::VirtualMachine| {
            if let Some(runtime) = vm.runtime.as_deref_mut() {
                runtime.consolidation_needed = Some(is_needed);
            }
            if let Some(summary) = vm.summary.as_deref_mut() {
                summary.runtime.consolidation_needed = Some(is_needed);
            }
        });
    }
    write_list(world, vm);
}

/// Sets the name and the description of a snapshot as far as they are given.
pub(crate) fn rename(
    world: &mut World,
    snapshot: &ManagedObjectReference,
    name: Option<&str>,
    description: Option<&str>,
) -> Result<(), SoapFault> {
    let vm = of(world, snapshot)?;
    change_tree(world, &vm, |info| {
        let Some(tree) = find_mut(&mut info.root_snapshot_list, snapshot) else {
            return;
        };
        if let Some(name) = name {
            name.clone_into(&mut tree.name);
        }
        if let Some(description) = description {
            description.clone_into(&mut tree.description);
        }
    });
    write_list(world, &vm);
    Ok(())
}

/// The machine that a snapshot is of.
pub(crate) fn of(
    world: &World,
    snapshot: &ManagedObjectReference,
) -> Result<ManagedObjectReference, SoapFault> {
    let own = world.read::<properties::VirtualMachineSnapshot>(snapshot);
    let vm = own.and_then(|own| own.vm.clone());
    vm.ok_or_else(|| fault::managed_object_not_found(snapshot))
}

/// Removes the snapshots of a machine from the inventory. Called before the machine is removed.
pub(crate) fn let_go(world: &mut World, vm: &ManagedObjectReference) {
    for snapshot in all(world, vm) {
        world.remove(&snapshot);
    }
}

/// The snapshots of a machine, parents first.
pub(crate) fn all(world: &World, vm: &ManagedObjectReference) -> Vec<ManagedObjectReference> {
    let vm = world.read::<properties::VirtualMachine>(vm);
    let mut all = Vec::new();
    if let Some(info) = vm.and_then(|vm| vm.snapshot.as_deref()) {
        references(&info.root_snapshot_list, &mut all);
    }
    all
}

fn machine<'a>(
    world: &'a World,
    vm: &ManagedObjectReference,
) -> Result<&'a properties::VirtualMachine, SoapFault> {
    let machine = world.read::<properties::VirtualMachine>(vm);
    machine.ok_or_else(|| fault::managed_object_not_found(vm))
}

fn power_state(machine: &properties::VirtualMachine) -> VirtualMachinePowerState {
    let runtime = machine.runtime.as_deref();
    runtime.map_or(PoweredOff, |runtime| runtime.power_state.clone())
}

/// A new reference. ESX hosts name snapshots after their machines; a vCenter numbers all snapshots.
fn reference(world: &mut World, vm: &ManagedObjectReference, id: i32) -> ManagedObjectReference {
    let value = match vm.value.starts_with("vm-") {
        true => format!("snapshot-{}", world.next_snapshot_number()),
        false => format!("{}-snapshot-{id}", vm.value),
    };
    ManagedObjectReference::new("VirtualMachineSnapshot", value)
}

/// Changes a machine's tree of snapshots in all properties that show it.
fn change_tree(
    world: &mut World,
    vm: &ManagedObjectReference,
    change: impl FnOnce(&mut VirtualMachineSnapshotInfo),
) {
    let mut families = Vec::new();
    world.change(vm, |vm: &mut properties::VirtualMachine| {
        let info = vm.snapshot.get_or_insert_default();
        change(info);
        families_of(&info.root_snapshot_list, &mut families);
        vm.root_snapshot = roots(&info.root_snapshot_list);
        // A machine without snapshots has no tree.
        if info.root_snapshot_list.is_empty() {
            vm.snapshot = None;
        }
    });
    for (snapshot, children) in families {
        let own = world.read::<properties::VirtualMachineSnapshot>(&snapshot);
        if own.is_some_and(|own| own.child_snapshot != children) {
            world.change(&snapshot, |own: &mut properties::VirtualMachineSnapshot| {
                own.child_snapshot = children
            });
        }
    }
}

/// Every snapshot with its children.
fn families_of(
    trees: &[VirtualMachineSnapshotTree],
    found: &mut Vec<(ManagedObjectReference, Vec<ManagedObjectReference>)>,
) {
    for tree in trees {
        found.push((tree.snapshot.clone(), roots(&tree.child_snapshot_list)));
        families_of(&tree.child_snapshot_list, found);
    }
}

fn roots(trees: &[VirtualMachineSnapshotTree]) -> Vec<ManagedObjectReference> {
    trees.iter().map(|tree| tree.snapshot.clone()).collect()
}

/// Every snapshot in the trees, parents first.
fn references(trees: &[VirtualMachineSnapshotTree], found: &mut Vec<ManagedObjectReference>) {
    for tree in trees {
        found.push(tree.snapshot.clone());
        references(&tree.child_snapshot_list, found);
    }
}

fn find<'a>(
    trees: &'a [VirtualMachineSnapshotTree],
    snapshot: &ManagedObjectReference,
) -> Option<&'a VirtualMachineSnapshotTree> {
    trees
        .iter()
        .find_map(|tree| match tree.snapshot == *snapshot {
            true => Some(tree),
            false => find(&tree.child_snapshot_list, snapshot),
        })
}

fn find_mut<'a>(
    trees: &'a mut [VirtualMachineSnapshotTree],
    snapshot: &ManagedObjectReference,
) -> Option<&'a mut VirtualMachineSnapshotTree> {
    trees
        .iter_mut()
        .find_map(|tree| match tree.snapshot == *snapshot {
            true => Some(tree),
            false => find_mut(&mut tree.child_snapshot_list, snapshot),
        })
}

fn parent_of(
    trees: &[VirtualMachineSnapshotTree],
    snapshot: &ManagedObjectReference,
) -> Option<ManagedObjectReference> {
    trees.iter().find_map(|tree| {
        let children = &tree.child_snapshot_list;
        match children.iter().any(|child| child.snapshot == *snapshot) {
            true => Some(tree.snapshot.clone()),
            false => parent_of(children, snapshot),
        }
    })
}

/// Takes a snapshot out of the trees. Unless `children` is set, its children take its place.
fn take(
    trees: &mut Vec<VirtualMachineSnapshotTree>,
    snapshot: &ManagedObjectReference,
    children: bool,
) -> Option<VirtualMachineSnapshotTree> {
    let Some(at) = trees.iter().position(|tree| tree.snapshot == *snapshot) else {
        return trees
            .iter_mut()
            .find_map(|tree| take(&mut tree.child_snapshot_list, snapshot, children));
    };
    let mut taken = trees.remove(at);
    if !children {
        let children = std::mem::take(&mut taken.child_snapshot_list);
        trees.splice(at..at, children);
    }
    Some(taken)
}

/// The depth of the current snapshot; 0 if there is none.
fn levels_of_current(info: &VirtualMachineSnapshotInfo) -> usize {
    let mut current = info.current_snapshot.clone();
    let mut levels = 0;
    while let Some(snapshot) = current {
        levels += 1;
        current = parent_of(&info.root_snapshot_list, &snapshot);
    }
    levels
}

/// Adds a snapshot's files to the datastore and to the layout of the machine's files.
fn write_files(
    world: &mut World,
    vm: &ManagedObjectReference,
    snapshot: &ManagedObjectReference,
    id: i32,
    memory: bool,
) {
    let config = world.read::<properties::VirtualMachine>(vm);
    let Some(config) = config.and_then(|vm| vm.config.as_deref()) else {
        return;
    };
    let path = config.files.vm_path_name.as_deref().unwrap_or_default();
    let stem = path.strip_suffix(".vmx").unwrap_or(path);
    let length = u64::try_from(config.hardware.memory_mb).unwrap_or_default() << 20;
    let state = (
        format!("{stem}-Snapshot{id}.vmsn"),
        "snapshotData",
        STATE_FILE,
    );
    let content = (
        format!("{stem}-Snapshot{id}.vmem"),
        "snapshotMemory",
        length,
    );
    let has_memory_key = world.since("6.0");
    let accessible = world.since("6.0").then_some(true);
    let files = match memory {
        true => vec![state, content],
        false => vec![state],
    };
    world.change(vm, |vm: &mut properties::VirtualMachine| {
        let Some(layout) = vm.layout_ex.as_deref_mut() else {
            return;
        };
        let first = layout.file.iter().map(|file| file.key + 1).max();
        let first = first.unwrap_or(0);
        for (key, (name, kind, size)) in (first..).zip(&files) {
            layout.file.push(VirtualMachineFileLayoutExFileInfo {
                key,
                name: name.clone(),
                r#type: (*kind).to_owned(),
                size: i64::try_from(*size).unwrap_or(i64::MAX),
                accessible,
                ..VirtualMachineFileLayoutExFileInfo::default()
            });
        }
        let memory_key = has_memory_key.then_some(if memory { first + 1 } else { -1 });
        layout
            .snapshot
            .push(VirtualMachineFileLayoutExSnapshotLayout {
                key: snapshot.clone(),
                data_key: first,
                memory_key,
                ..VirtualMachineFileLayoutExSnapshotLayout::default()
            });
    });
    if world.has_files() {
        for (name, _, size) in files {
            if let Ok(location) = DatastorePath::resolve(world, None, &name) {
                world.put(&location, Entry::zeros(size));
            }
        }
    }
}

/// Writes the file that lists a machine's snapshots.
fn write_list(world: &mut World, vm: &ManagedObjectReference) {
    let machine = world.read::<properties::VirtualMachine>(vm);
    let config = machine.and_then(|machine| machine.config.as_deref());
    let path = config.and_then(|config| config.files.vm_path_name.as_deref());
    let stem = path.and_then(|path| path.strip_suffix(".vmx"));
    let Some(stem) = stem.filter(|_| world.has_files()) else {
        return;
    };
    if let Ok(location) = DatastorePath::resolve(world, None, &format!("{stem}.vmsd")) {
        let text = list(world, vm);
        world.put(&location, Entry::bytes(text));
    }
}

/// The file that lists a machine's snapshots. It is empty before the first snapshot.
pub(crate) fn list(world: &World, vm: &ManagedObjectReference) -> Bytes {
    let machine = world.read::<properties::VirtualMachine>(vm);
    let Some((machine, info)) = machine.and_then(|vm| Some((vm, vm.snapshot.as_deref()?))) else {
        return Bytes::new();
    };
    let config = machine.config.as_deref();
    let path = config.and_then(|config| config.files.vm_path_name.as_deref());
    let name = path.and_then(|path| path.rsplit(['/', ' ']).next());
    let stem = name.map_or("", |name| name.strip_suffix(".vmx").unwrap_or(name));
    let mut file = VmxFile::new();
    let mut set = |key: &str, value: &str| {
        // These names are keys, and UTF-8 has every character.
        let _ = file.set(key, &PIPE.escape(value));
    };
    set(".encoding", "UTF-8");
    let mut trees = Vec::new();
    flatten(&info.root_snapshot_list, None, &mut trees);
    let uid = |tree: &VirtualMachineSnapshotTree| tree.id.unwrap_or_default().to_string();
    let last = trees.iter().filter_map(|(tree, _)| tree.id).max();
    set("snapshot.lastUID", &last.unwrap_or_default().to_string());
    let current = info.current_snapshot.as_ref();
    if let Some((tree, _)) = trees
        .iter()
        .find(|(tree, _)| Some(&tree.snapshot) == current)
    {
        set("snapshot.current", &uid(tree));
    }
    for (index, (tree, parent)) in trees.iter().enumerate() {
        let mut set = |key: &str, value: &str| set(&format!("snapshot{index}.{key}"), value);
        set("uid", &uid(tree));
        set("filename", &format!("{stem}-Snapshot{}.vmsn", uid(tree)));
        if let Some(parent) = parent {
            set("parent", &parent.to_string());
        }
        set("displayName", &tree.name);
        set("description", &tree.description);
        let own = world.read::<properties::VirtualMachineSnapshot>(&tree.snapshot);
        let config = own.and_then(|own| own.config.as_deref());
        let disks = config
            .into_iter()
            .flat_map(|config| &config.hardware.device);
        let disks: Vec<_> = disks.filter_map(chain::location).collect();
        set("numDisks", &disks.len().to_string());
        for (number, disk) in disks.iter().enumerate() {
            let name = disk.path.rsplit('/').next().unwrap_or_default();
            set(&format!("disk{number}.fileName"), name);
        }
    }
    set("snapshot.numSnapshots", &trees.len().to_string());
    Bytes::copy_from_slice(file.as_bytes())
}

/// Every snapshot with the id of its parent.
fn flatten<'a>(
    trees: &'a [VirtualMachineSnapshotTree],
    parent: Option<i32>,
    found: &mut Vec<(&'a VirtualMachineSnapshotTree, Option<i32>)>,
) {
    for tree in trees {
        found.push((tree, parent));
        flatten(&tree.child_snapshot_list, tree.id, found);
    }
}

/// Removes snapshots from the inventory, and their files from the datastore.
fn forget(world: &mut World, vm: &ManagedObjectReference, removed: &[ManagedObjectReference]) {
    let mut files = Vec::new();
    world.change(vm, |vm: &mut properties::VirtualMachine| {
        if let Some(layout) = vm.layout_ex.as_deref_mut() {
            files = drop_from_layout(layout, removed);
        }
    });
    for name in files {
        if let Ok(location) = DatastorePath::resolve(world, None, &name) {
            world.delete(&location);
        }
    }
    for snapshot in removed {
        world.remove(snapshot);
    }
}

/// Removes snapshots from a layout, and returns the names of their files.
fn drop_from_layout(
    layout: &mut VirtualMachineFileLayoutEx,
    removed: &[ManagedObjectReference],
) -> Vec<String> {
    let mut keys = Vec::new();
    layout.snapshot.retain(|one| {
        let stays = !removed.contains(&one.key);
        if !stays {
            keys.push(one.data_key);
            keys.extend(one.memory_key);
        }
        stays
    });
    let mut names = Vec::new();
    layout.file.retain(|file| {
        let stays = !keys.contains(&file.key);
        if !stays {
            names.push(file.name.clone());
        }
        stays
    });
    names
}
