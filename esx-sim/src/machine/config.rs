//! Configurations of machines: defaults of the host, and changes by a specification.

mod check;
mod resources;

use vi_types::enums::VirtualMachinePowerState::PoweredOff;
use vi_types::objects::{
    OptionValue, VirtualHardware, VirtualMachineBootOptions, VirtualMachineConfigInfo,
    VirtualMachineConfigInfoDatastoreUrlPair, VirtualMachineConfigSpec,
    VirtualMachineDefaultPowerOpInfo, VirtualMachineFileInfo, VirtualMachineFlagInfo,
};
use vi_types::{
    Any, DataObject, DateTime, ManagedObjectReference, Object, Poly, PropertyMut, SoapFault, View,
    properties,
};

use super::NewMachine;
use super::device::{Devices, FileChanges, board};
use super::{guest, storage};
use crate::fault;
use crate::world::World;
use crate::world::inventory::datastore::volume;
use crate::world::inventory::parts::{made_time, text, uuid};
use crate::world::inventory::{ServerKind, ancestors};

/// A configuration, and the changes of disk files that it needs.
pub(super) struct Made {
    pub(super) config: VirtualMachineConfigInfo,
    pub(super) files: FileChanges,
}

/// Options in `extraConfig` that every machine has. They are left out of VMX files.
const OF_EVERY_MACHINE: [(&str, &str); 7] = [
    ("svga.present", "TRUE"),
    ("pciBridge0.present", "TRUE"),
    ("pciBridge4.present", "TRUE"),
    ("pciBridge4.virtualDev", "pcieRootPort"),
    ("pciBridge4.functions", "8"),
    ("hpet0.present", "TRUE"),
    ("tools.guest.desktop.autolock", "FALSE"),
];

/// Parts of a specification that are not copied into the configuration, because their name or type differs there or they
/// need a check.
const NOT_COPIED: &[&str] = &[
    "changeVersion",
    "name",
    "files",
    "cpuFeatureMask",
    "extraConfig",
    "vAppConfig",
    "cpuAffinity",
    "memoryAffinity",
];

/// The configuration of a new machine.
///
/// # Errors
/// Those of [`apply`].
pub(super) fn fresh(
    world: &World,
    vm: &ManagedObjectReference,
    new: &NewMachine,
) -> Result<Made, SoapFault> {
    let files = new.spec.files.as_deref();
    let path = files.and_then(|files| files.vm_path_name.as_deref());
    let devices = Devices {
        world,
        host: Some(&new.place.host),
        vm,
        number: new.number,
        path: path.unwrap_or_default(),
        from_client: new.from_client,
        power: new.power.clone(),
        version: new.spec.version.as_deref(),
    };
    let base = of_host(world, new, path.unwrap_or_default());
    let mut made = apply(world, &devices, base, &new.spec)?;
    let config = &mut made.config;
    let (bios, instance) = match world.kind() {
        ServerKind::Esx => (0x564d, 0x52ab),
        ServerKind::VCenter => (0x4203, 0x5003),
    };
    if config.uuid.is_empty() {
        config.uuid = uuid(bios, new.number);
    }
    if config.instance_uuid.is_none() && world.since("4.0") {
        config.instance_uuid = Some(uuid(instance, new.number | 1 << 32));
    }
    Ok(made)
}

/// The configuration of a machine after a change.
///
/// # Errors
/// - `ConcurrentAccess` if the specification names another `changeVersion`.
/// - Those of [`check::check_power`] and [`apply`].
pub(super) fn changed(
    world: &World,
    vm: &ManagedObjectReference,
    machine: &properties::VirtualMachine,
    spec: &VirtualMachineConfigSpec,
) -> Result<Made, SoapFault> {
    let Some(config) = machine.config.as_deref() else {
        return Err(fault::invalid_state());
    };
    if spec
        .change_version
        .as_ref()
        .is_some_and(|version| *version != config.change_version)
    {
        return Err(fault::concurrent_change());
    }
    let runtime = machine.runtime.as_deref();
    let power = runtime.map_or(PoweredOff, |runtime| runtime.power_state.clone());
    check::check_power(world, &power, config, spec)?;
    let devices = Devices {
        world,
        host: runtime.and_then(|runtime| runtime.host.as_ref()),
        vm,
        number: number_of(vm),
        path: config.files.vm_path_name.as_deref().unwrap_or_default(),
        from_client: true,
        power,
        version: spec.version.as_deref().or(Some(&config.version)),
    };
    apply(world, &devices, config.clone(), spec)
}

/// The configuration of a machine after its VMX file was written. Properties that VMX files don't have stay.
pub(crate) fn rewritten(
    world: &World,
    vm: &ManagedObjectReference,
    spec: &VirtualMachineConfigSpec,
) -> Option<VirtualMachineConfigInfo> {
    let machine = world.read::<properties::VirtualMachine>(vm)?;
    let mut config = machine.config.as_deref()?.clone();
    let runtime = machine.runtime.as_deref();
    let path = config.files.vm_path_name.clone().unwrap_or_default();
    let devices = Devices {
        world,
        host: runtime.and_then(|runtime| runtime.host.as_ref()),
        vm,
        number: number_of(vm),
        path: &path,
        from_client: false,
        power: runtime.map_or(PoweredOff, |runtime| runtime.power_state.clone()),
        version: spec.version.as_deref(),
    };
    config.annotation = None;
    config.hardware.num_cpu = 1;
    config.hardware.memory_mb = 32;
    config.hardware.device = board(world, devices.number);
    let made = apply(world, &devices, config, spec).ok()?;
    Some(made.config)
}

/// The specification of a copy of a machine, with the same disk files but without UUIDs.
pub(crate) fn spec_of(config: &VirtualMachineConfigInfo) -> VirtualMachineConfigSpec {
    let mut spec = VirtualMachineConfigSpec::default();
    let names = spec.as_object().info().layout();
    for index in 0..names.len() {
        let Some(field) = names.field(index) else {
            continue;
        };
        if NOT_COPIED.contains(&field.name) {
            continue;
        }
        if let Some(view) = config.as_object().property(field.name) {
            spec.as_object_mut().get_mut(index).assign(view);
        }
    }
    let hardware = &config.hardware;
    VirtualMachineConfigSpec {
        uuid: None,
        instance_uuid: None,
        create_date: None,
        cpu_affinity: config.cpu_affinity.clone(),
        memory_affinity: config.memory_affinity.clone(),
        num_cpus: Some(hardware.num_cpu),
        num_cores_per_socket: hardware.num_cores_per_socket,
        memory_mb: Some(i64::from(hardware.memory_mb)),
        power_op_info: Some(config.default_power_ops.clone().into()),
        extra_config: config.extra_config.clone(),
        device_change: super::device::specs_of(&hardware.device),
        ..spec
    }
}

/// Applies a specification to a configuration.
///
/// # Errors
/// Those of [`check::check_spec`], [`check::check_resources`] and [`Devices::change`].
fn apply(
    world: &World,
    devices: &Devices<'_>,
    mut config: VirtualMachineConfigInfo,
    spec: &VirtualMachineConfigSpec,
) -> Result<Made, SoapFault> {
    if devices.from_client {
        check::check_spec(world, devices.host, &config, spec)?;
    }
    if let Some(name) = &spec.name {
        config.name = escaped(name);
    }
    merge(&mut config, spec.as_object());
    if spec.guest_id.is_some() {
        config.guest_full_name = guest::full_name(&config.guest_id);
    }
    if let Some(operations) = spec.power_op_info.as_deref() {
        merge(&mut config.default_power_ops, operations.as_object());
    }
    let hardware = &mut config.hardware;
    if let Some(cpus) = spec.num_cpus {
        hardware.num_cpu = cpus;
    }
    if let Some(cores) = spec.num_cores_per_socket {
        hardware.num_cores_per_socket = Some(cores);
    }
    if let Some(memory_mb) = spec.memory_mb {
        hardware.memory_mb = i32::try_from(memory_mb).unwrap_or(i32::MAX);
    }
    for option in &spec.extra_config {
        set_extra(&mut config.extra_config, option);
    }
    resources::complete(&mut config, spec);
    if devices.from_client {
        check::check_resources(world, devices.host, &devices.power, &config)?;
    }
    let can_plug = hot_plug(&config);
    let list = std::mem::take(&mut config.hardware.device);
    let (list, files) = devices.change(list, &spec.device_change, can_plug)?;
    config.hardware.device = list;
    config.datastore_url = datastore_urls(world, devices);
    Ok(Made { config, files })
}

/// Whether the options of a machine let devices come and go while it runs.
fn hot_plug(config: &VirtualMachineConfigInfo) -> bool {
    let option = config
        .extra_config
        .iter()
        .find(|option| option.key == "devices.hotplug");
    let value = option.and_then(|option| option.value.as_ref());
    !matches!(value, Some(Any::String(value)) if value.eq_ignore_ascii_case("false"))
}

/// Copies the set properties of `from` to properties of the same names. Objects are merged, lists are replaced.
fn merge(to: &mut dyn Object, from: &dyn Object) {
    let fields = from.info().layout();
    let same_type = std::ptr::eq(from.info(), to.info());
    for index in 0..fields.len() {
        let Some(field) = fields.field(index) else {
            continue;
        };
        let Some(at) = to.info().layout().index_of(field.name) else {
            continue;
        };
        if !same_type && NOT_COPIED.contains(&field.name) {
            continue;
        }
        match from.get(index).view() {
            View::Unset => {}
            View::List(list) if list.is_empty() => {}
            View::Object(value) => match to.get_mut(at) {
                PropertyMut::Object(old) => merge(old, value),
                PropertyMut::Optional(old) => {
                    let mut merged = old
                        .get()
                        .map_or_else(|| value.boxed_clone(), |old| old.boxed_clone());
                    merge(&mut *merged, value);
                    PropertyMut::Optional(old).assign(View::Object(&*merged));
                }
                other => other.assign(View::Object(value)),
            },
            view => to.get_mut(at).assign(view),
        }
    }
}

/// Sets an option. An empty value removes it (API reference of `VirtualMachineConfigSpec.extraConfig`).
fn set_extra(list: &mut Vec<Poly<OptionValue>>, option: &Poly<OptionValue>) {
    let is_empty = match &option.value {
        None => true,
        Some(Any::String(value)) => value.is_empty(),
        Some(_) => false,
    };
    let is_it = |one: &Poly<OptionValue>| one.key.eq_ignore_ascii_case(&option.key);
    let at = list.iter().position(is_it);
    match (at, is_empty) {
        (Some(at), true) => drop(list.remove(at)),
        (Some(at), false) => list[at] = option.clone(),
        (None, true) => {}
        (None, false) => list.push(option.clone()),
    }
}

/// The options of a machine that are keys of its VMX file: all but those of every machine.
pub(crate) fn own_options(config: &VirtualMachineConfigInfo) -> impl Iterator<Item = (&str, &str)> {
    let options = config.extra_config.iter().filter_map(|option| {
        let Some(Any::String(value)) = &option.value else {
            return None;
        };
        Some((&*option.key, &**value))
    });
    options.filter(|(key, value)| *key != "nvram" && !OF_EVERY_MACHINE.contains(&(key, value)))
}

/// The defaults of a host for a new machine.
fn of_host(world: &World, new: &NewMachine, path: &str) -> VirtualMachineConfigInfo {
    let since = |version| world.since(version);
    let folder = path
        .rsplit_once('/')
        .map(|(folder, _)| format!("{folder}/"));
    let file = path.rsplit(['/', ' ']).next().unwrap_or(path);
    let stem = file.strip_suffix(".vmx").unwrap_or(file);
    let nvram = ("nvram", format!("{stem}.nvram"));
    let others = OF_EVERY_MACHINE.map(|(key, value)| (key, value.to_owned()));
    let extra = std::iter::once(nvram).chain(others).map(|(key, value)| {
        OptionValue {
            key: key.to_owned(),
            value: Some(Any::from(value)),
            ..OptionValue::default()
        }
        .into()
    });
    VirtualMachineConfigInfo {
        change_version: "2024-03-01T08:00:00.000000Z".to_owned(),
        modified: DateTime::from_epoch_seconds(0),
        name: escaped(stem),
        version: world.release().hardware.to_owned(),
        create_date: since("6.7").then(made_time),
        npiv_temporary_disabled: since("4.0").then_some(true),
        template: new.template,
        guest_id: "otherGuest".to_owned(),
        guest_full_name: guest::full_name("otherGuest"),
        files: VirtualMachineFileInfo {
            vm_path_name: Some(path.to_owned()),
            snapshot_directory: folder.clone(),
            suspend_directory: folder.clone(),
            log_directory: folder,
            ..VirtualMachineFileInfo::default()
        },
        flags: VirtualMachineFlagInfo {
            disable_acceleration: Some(false),
            enable_logging: Some(true),
            use_toe: Some(false),
            run_with_debug_info: Some(false),
            monitor_type: text("release"),
            ht_sharing: text("any"),
            snapshot_disabled: Some(false),
            snapshot_locked: Some(false),
            disk_uuid_enabled: Some(false),
            virtual_mmu_usage: text("automatic"),
            snapshot_power_off_behavior: text("powerOff"),
            ..VirtualMachineFlagInfo::default()
        },
        default_power_ops: VirtualMachineDefaultPowerOpInfo {
            power_off_type: text("soft"),
            suspend_type: text("hard"),
            reset_type: text("soft"),
            default_power_off_type: text("soft"),
            default_suspend_type: text("hard"),
            default_reset_type: text("soft"),
            standby_action: text("checkpoint"),
            ..VirtualMachineDefaultPowerOpInfo::default()
        },
        hardware: VirtualHardware {
            num_cpu: 1,
            num_cores_per_socket: since("5.0").then_some(1),
            memory_mb: 32,
            virtual_ich7m_present: since("5.0").then_some(false),
            virtual_smc_present: since("5.0").then_some(false),
            device: board(world, new.number),
            ..VirtualHardware::default()
        },
        memory_hot_add_enabled: since("4.0").then_some(false),
        cpu_hot_add_enabled: since("4.0").then_some(false),
        cpu_hot_remove_enabled: since("4.0").then_some(false),
        extra_config: extra.collect(),
        swap_placement: text("inherit"),
        boot_options: Some(
            VirtualMachineBootOptions {
                boot_delay: Some(0),
                enter_bios_setup: Some(false),
                ..VirtualMachineBootOptions::default()
            }
            .into(),
        ),
        v_asserts_enabled: since("4.0").then_some(false),
        change_tracking_enabled: since("4.0").then_some(false),
        firmware: since("5.0").then(|| "bios".to_owned()),
        max_mks_connections: since("5.0").then_some(40),
        guest_auto_lock_enabled: since("5.0").then_some(true),
        ..VirtualMachineConfigInfo::default()
    }
}

fn datastore_urls(
    world: &World,
    devices: &Devices<'_>,
) -> Vec<VirtualMachineConfigInfoDatastoreUrlPair> {
    let store = storage::store_of(world, devices.host, devices.path);
    let pair = |store: ManagedObjectReference| VirtualMachineConfigInfoDatastoreUrlPair {
        name: world.name(&store).unwrap_or_default().to_owned(),
        url: format!("/vmfs/volumes/{}", volume(&store.value)),
        ..VirtualMachineConfigInfoDatastoreUrlPair::default()
    };
    store.into_iter().map(pair).collect()
}

/// `changeVersion` for a change at that time.
pub(super) fn change_version(at: &DateTime) -> String {
    let text = at.to_string();
    format!("{}.000000Z", text.trim_end_matches('Z'))
}

/// The number that a machine was made with.
fn number_of(vm: &ManagedObjectReference) -> u64 {
    let digits = vm.value.trim_start_matches("vm-");
    digits.parse().unwrap_or_default()
}

/// Another object with that name in a folder.
pub(crate) fn namesake(
    world: &World,
    folder: &ManagedObjectReference,
    name: &str,
) -> Option<ManagedObjectReference> {
    let name = escaped(name);
    let folder = world.read::<properties::Folder>(folder)?;
    let mut others = folder.child_entity.iter();
    others
        .find(|other| world.name(other) == Some(&*name))
        .cloned()
}

/// Removes the instance UUID from a specification if another machine has it. The new machine then gets another one.
pub(crate) fn drop_taken_instance_uuid(world: &mut World, spec: &mut VirtualMachineConfigSpec) {
    if let Some(uuid) = &spec.instance_uuid {
        let uuid = uuid.to_ascii_lowercase();
        if world.by_uuid().instance.contains_key(&uuid) {
            spec.instance_uuid = None;
        }
    }
}

/// The datacenter that something lies in.
pub(crate) fn datacenter_of<'a>(
    world: &'a World,
    object: &ManagedObjectReference,
) -> Option<&'a ManagedObjectReference> {
    ancestors(world, object).find(|one| one.r#type == "Datacenter")
}

/// Escapes a name as servers do: `%2f` for a slash. Existing escapes stay.
pub(crate) fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for (at, c) in name.char_indices() {
        let digits = name.as_bytes().get(at + 1..at + 3);
        let is_escape = digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        match c {
            '%' if !is_escape => out.push_str("%25"),
            '/' => out.push_str("%2f"),
            '\\' => out.push_str("%5c"),
            c => out.push(c),
        }
    }
    out
}
