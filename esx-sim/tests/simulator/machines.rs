//! How machines are made, copied and changed.

use vi_types::enums::VirtualMachinePowerState::{PoweredOff, PoweredOn};
use vi_types::enums::{
    VirtualDeviceConfigSpecFileOperation as FileOperation,
    VirtualDeviceConfigSpecOperation as Operation,
};
use vi_types::methods::{
    CloneVmTask, CreateSnapshotTask, CreateVmTask, ReconfigVmTask, UnregisterVm,
};
use vi_types::objects::{
    ConcurrentAccess, DeviceNotFound, DuplicateName, FileAlreadyExists, FileNotFound,
    InvalidArgument, InvalidController, InvalidDatastore, InvalidDeviceBacking,
    InvalidDeviceOperation, InvalidDeviceSpec, InvalidName, MissingController, NotSupported,
    OptionValue, ParaVirtualScsiController, VirtualCdrom, VirtualCdromIsoBackingInfo,
    VirtualController, VirtualDevice, VirtualDeviceConfigSpec, VirtualDeviceDeviceBackingInfo,
    VirtualDeviceFileBackingInfo, VirtualDisk, VirtualDiskFlatVer2BackingInfo, VirtualE1000,
    VirtualEthernetCard, VirtualEthernetCardNetworkBackingInfo, VirtualIdeController,
    VirtualMachineCloneSpec, VirtualMachineConfigInfo, VirtualMachineConfigSpec,
    VirtualMachineFileInfo, VirtualMachineFlagInfo, VirtualMachineRelocateSpec,
    VirtualScsiController,
};
use vi_types::properties::{Datastore, Folder, HostSystem, Network, ResourcePool};
use vi_types::{Any, ManagedObjectReference, Poly};

use crate::client::moref;
pub(crate) use crate::host::Host;

pub(crate) fn label(device: &VirtualDevice) -> String {
    device.device_info.as_ref().unwrap().label.clone()
}

pub(crate) fn change(
    operation: Operation,
    file: Option<FileOperation>,
    device: impl Into<Poly<VirtualDevice>>,
) -> Poly<VirtualDeviceConfigSpec> {
    VirtualDeviceConfigSpec {
        operation: Some(operation),
        file_operation: file,
        device: device.into(),
        ..VirtualDeviceConfigSpec::default()
    }
    .into()
}

pub(crate) fn add(device: impl Into<Poly<VirtualDevice>>) -> Poly<VirtualDeviceConfigSpec> {
    change(Operation::Add, None, device)
}

pub(crate) fn controller(key: i32) -> ParaVirtualScsiController {
    ParaVirtualScsiController {
        base: VirtualScsiController {
            base: VirtualController {
                base: VirtualDevice {
                    key,
                    ..VirtualDevice::default()
                },
                ..VirtualController::default()
            },
            ..VirtualScsiController::default()
        },
        ..ParaVirtualScsiController::default()
    }
}

pub(crate) fn disk(file: &str, controller: i32, capacity_in_kb: i64) -> VirtualDisk {
    VirtualDisk {
        base: VirtualDevice {
            key: -1,
            controller_key: Some(controller),
            backing: Some(
                VirtualDiskFlatVer2BackingInfo {
                    base: VirtualDeviceFileBackingInfo {
                        file_name: file.to_owned(),
                        ..VirtualDeviceFileBackingInfo::default()
                    },
                    ..VirtualDiskFlatVer2BackingInfo::default()
                }
                .into(),
            ),
            ..VirtualDevice::default()
        },
        capacity_in_kb,
        ..VirtualDisk::default()
    }
}

pub(crate) fn new_disk(controller: i32, capacity_in_kb: i64) -> Poly<VirtualDeviceConfigSpec> {
    let disk = disk("", controller, capacity_in_kb);
    change(Operation::Add, Some(FileOperation::Create), disk)
}

pub(crate) fn card(network: &str) -> VirtualE1000 {
    VirtualE1000 {
        base: VirtualEthernetCard {
            base: VirtualDevice {
                backing: Some(
                    VirtualEthernetCardNetworkBackingInfo {
                        base: VirtualDeviceDeviceBackingInfo {
                            device_name: network.to_owned(),
                            ..VirtualDeviceDeviceBackingInfo::default()
                        },
                        ..VirtualEthernetCardNetworkBackingInfo::default()
                    }
                    .into(),
                ),
                ..VirtualDevice::default()
            },
            ..VirtualEthernetCard::default()
        },
        ..VirtualE1000::default()
    }
}

pub(crate) fn files(path: &str) -> Option<Box<VirtualMachineFileInfo>> {
    Some(
        VirtualMachineFileInfo {
            vm_path_name: Some(path.to_owned()),
            ..VirtualMachineFileInfo::default()
        }
        .into(),
    )
}

pub(crate) fn create(name: &str, devices: Vec<Poly<VirtualDeviceConfigSpec>>) -> CreateVmTask {
    CreateVmTask {
        this: moref("Folder", "ha-folder-vm"),
        config: VirtualMachineConfigSpec {
            name: Some(name.to_owned()),
            files: files("[ssd]"),
            guest_id: Some("ubuntu64Guest".to_owned()),
            annotation: Some("made by a test".to_owned()),
            num_cpus: Some(2),
            memory_mb: Some(1024),
            device_change: devices,
            ..VirtualMachineConfigSpec::default()
        },
        pool: moref("ResourcePool", "ha-root-pool"),
        ..CreateVmTask::default()
    }
}

pub(crate) fn reconfig(
    vm: &ManagedObjectReference,
    spec: VirtualMachineConfigSpec,
) -> ReconfigVmTask {
    ReconfigVmTask {
        this: vm.clone(),
        spec,
        ..ReconfigVmTask::default()
    }
}

pub(crate) fn with_devices(
    devices: Vec<Poly<VirtualDeviceConfigSpec>>,
) -> VirtualMachineConfigSpec {
    VirtualMachineConfigSpec {
        device_change: devices,
        ..VirtualMachineConfigSpec::default()
    }
}

#[tokio::test]
async fn a_machine_is_made_of_a_specification() {
    let host = Host::esx().await;
    let devices = vec![
        add(controller(-101)),
        new_disk(-101, 2048),
        new_disk(-101, 4096),
        add(card("DMZ")),
    ];
    let vm = host.made(&create("new/one", devices)).await;
    let state = host.vm(&vm);
    let config = host.config(&vm);
    assert_eq!(config.name, "new%2fone");
    assert_eq!(config.guest_full_name, "Ubuntu Linux (64-bit)");
    assert_eq!(config.annotation.as_deref(), Some("made by a test"));
    assert_eq!(
        (config.hardware.num_cpu, config.hardware.memory_mb),
        (2, 1024)
    );
    assert_eq!(
        host.devices(&vm),
        [
            ("SCSI controller 0".to_owned(), 1000),
            ("Hard disk 1".to_owned(), 2000),
            ("Hard disk 2".to_owned(), 2001),
            ("Network adapter 1".to_owned(), 4000)
        ]
    );
    let runtime = state.runtime.as_deref().unwrap();
    assert_eq!(runtime.power_state, PoweredOff);
    let summary = state.summary.as_deref().unwrap();
    assert_eq!(summary.config.num_virtual_disks, Some(2));
    assert_eq!(summary.config.name, "new%2fone");
    assert_eq!(summary.vm.as_ref(), Some(&vm));

    // Everything that it lies in lists it.
    let folder: Folder = host
        .simulator
        .properties(&moref("Folder", "ha-folder-vm"))
        .unwrap();
    assert!(folder.child_entity.contains(&vm));
    let pool = state.resource_pool.as_ref().unwrap();
    let pool: ResourcePool = host.simulator.properties(pool).unwrap();
    assert!(pool.vm.contains(&vm));
    let on: HostSystem = host
        .simulator
        .properties(runtime.host.as_ref().unwrap())
        .unwrap();
    assert!(on.vm.contains(&vm));
    let network: Network = host.simulator.properties(&state.network[0]).unwrap();
    assert_eq!(network.name.as_deref(), Some("DMZ"));
    assert_eq!(network.vm, [vm.clone()]);
    let store: Datastore = host.simulator.properties(&state.datastore[0]).unwrap();
    assert_eq!(store.name.as_deref(), Some("ssd"));
    assert!(store.vm.contains(&vm));

    let text = host.text("[ssd] new-one/new-one.vmx");
    for line in [
        "displayName = \"new%2fone\"",
        "memSize = \"1024\"",
        "scsi0:1.fileName = \"new-one_1.vmdk\"",
        "ethernet0.networkName = \"DMZ\"",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let extent = host.text("[ssd] new-one/new-one_1.vmdk");
    assert!(extent.contains("RW 8192 VMFS"), "{extent}");
}

#[tokio::test]
async fn machines_of_one_name_go_to_directories_of_their_own() {
    let host = Host::esx().await;
    let vm = host.made(&create("twin", Vec::new())).await;
    let fault: DuplicateName = host.fails(&create("twin", Vec::new())).await;
    assert_eq!((&*fault.name, fault.object), ("twin", vm.clone()));
    let unregister = UnregisterVm {
        this: vm,
        ..UnregisterVm::default()
    };
    host.client.call(&unregister).await.unwrap();
    let vm = host.made(&create("twin", Vec::new())).await;
    assert_eq!(
        host.config(&vm).files.vm_path_name.as_deref(),
        Some("[ssd] twin_1/twin.vmx")
    );
}

#[tokio::test]
async fn a_machine_that_cannot_be_is_not_made() {
    let host = Host::esx().await;
    let machines = host.simulator.objects("VirtualMachine");
    let of = |change: fn(&mut VirtualMachineConfigSpec)| {
        let mut request = create("new", Vec::new());
        change(&mut request.config);
        request
    };
    host.fails::<InvalidName>(&of(|spec| spec.name = Some(String::new())))
        .await;
    for (request, property) in [
        (of(|spec| spec.name = None), "configSpec.name"),
        (of(|spec| spec.files = None), "configSpec.files.vmPathName"),
        (of(|spec| spec.num_cpus = Some(0)), "configSpec.numCPUs"),
        (
            of(|spec| spec.memory_mb = Some(1023)),
            "configSpec.memoryMB",
        ),
        (
            of(|spec| spec.num_cores_per_socket = Some(3)),
            "configSpec.numCoresPerSocket",
        ),
        (
            of(|spec| spec.uuid = Some("1".to_owned())),
            "configSpec.uuid",
        ),
        (
            of(|spec| spec.firmware = Some("coreboot".to_owned())),
            "configSpec.firmware",
        ),
    ] {
        let fault: InvalidArgument = host.fails(&request).await;
        assert_eq!(fault.invalid_property.as_deref(), Some(property));
    }
    host.fails::<InvalidDatastore>(&of(|spec| spec.files = files("[nowhere]")))
        .await;
    host.fails::<FileAlreadyExists>(&of(|spec| spec.files = files("[ssd] web01/web01.vmx")))
        .await;
    assert_eq!(host.simulator.objects("VirtualMachine"), machines);
    assert_eq!(host.simulator.file("[ssd] new/new.vmx"), None);
}

#[tokio::test]
async fn a_device_that_cannot_be_is_refused_by_its_number() {
    let host = Host::esx().await;
    let make = |device| create("new", vec![add(controller(-101)), device]);

    let fault: InvalidDeviceSpec = host.fails(&make(new_disk(-101, 0))).await;
    assert_eq!(fault.device_index, 1);
    let fault: InvalidController = host.fails(&make(new_disk(-7, 1024))).await;
    assert_eq!((fault.device_index, fault.controller_key), (1, -7));
    // A keyboard takes no disks.
    host.fails::<InvalidController>(&make(new_disk(600, 1024)))
        .await;
    let mut alone = disk("", 0, 1024);
    alone.controller_key = None;
    let alone = change(Operation::Add, Some(FileOperation::Create), alone);
    host.fails::<MissingController>(&make(alone)).await;
    let mut reserved = disk("", -101, 1024);
    reserved.unit_number = Some(7);
    let reserved = change(Operation::Add, Some(FileOperation::Create), reserved);
    host.fails::<InvalidDeviceSpec>(&make(reserved)).await;

    let fault: FileNotFound = host.fails(&make(add(disk("[ssd] no.vmdk", -101, 1)))).await;
    assert_eq!(fault.file, "[ssd] no.vmdk");
    let there = disk("[ssd] web01/web01.vmdk", -101, 1024);
    let there = change(Operation::Add, Some(FileOperation::Create), there);
    host.fails::<FileAlreadyExists>(&make(there)).await;
    host.fails::<InvalidDeviceBacking>(&make(add(card("no such network"))))
        .await;
    let image = VirtualCdrom {
        base: VirtualDevice {
            controller_key: Some(200),
            backing: Some(
                VirtualCdromIsoBackingInfo {
                    base: VirtualDeviceFileBackingInfo {
                        file_name: "[ssd] no.iso".to_owned(),
                        ..VirtualDeviceFileBackingInfo::default()
                    },
                    ..VirtualCdromIsoBackingInfo::default()
                }
                .into(),
            ),
            ..VirtualDevice::default()
        },
        ..VirtualCdrom::default()
    };
    host.fails::<FileNotFound>(&make(add(image))).await;
}

#[tokio::test]
async fn devices_of_the_board_can_be_named_as_new_ones() {
    let host = Host::esx().await;
    let mut ide: Poly<VirtualDevice> = VirtualIdeController::default().into();
    let controller = ide.cast_mut::<VirtualController>().unwrap();
    controller.key = -5;
    controller.bus_number = 1;
    let vm = host
        .made(&create("new", vec![add(ide), new_disk(-5, 1024)]))
        .await;
    assert_eq!(host.devices(&vm), [("Hard disk 1".to_owned(), 3002)]);
    let config = host.config(&vm);
    let controllers = config.hardware.device.iter();
    let controllers = controllers.filter(|one| one.is::<VirtualIdeController>());
    assert_eq!(controllers.count(), 2);
}

#[tokio::test]
async fn a_machine_is_changed_as_far_as_the_specification_goes() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("installer").unwrap();
    let before = host.config(&vm);
    let spec = VirtualMachineConfigSpec {
        name: Some("renamed".to_owned()),
        num_cpus: Some(4),
        flags: Some(
            VirtualMachineFlagInfo {
                snapshot_locked: Some(true),
                ..VirtualMachineFlagInfo::default()
            }
            .into(),
        ),
        ..VirtualMachineConfigSpec::default()
    };
    host.succeeds(&reconfig(&vm, spec)).await;
    let after = host.config(&vm);
    assert_eq!(after.name, "renamed");
    assert_eq!(host.simulator.vm("renamed"), Some(vm.clone()));
    assert_eq!(after.hardware.num_cpu, 4);
    assert_eq!(after.hardware.memory_mb, before.hardware.memory_mb);
    assert_eq!(after.hardware.device, before.hardware.device);
    assert_eq!(after.flags.snapshot_locked, Some(true));
    assert_eq!(after.flags.enable_logging, before.flags.enable_logging);
    assert_ne!(after.change_version, before.change_version);
    let summary = host.vm(&vm).summary.unwrap();
    assert_eq!(summary.config.num_cpu, Some(4));
    assert_eq!(summary.runtime, *host.vm(&vm).runtime.unwrap());

    let outdated = VirtualMachineConfigSpec {
        change_version: Some(before.change_version),
        ..VirtualMachineConfigSpec::default()
    };
    host.fails::<ConcurrentAccess>(&reconfig(&vm, outdated))
        .await;
    let taken = VirtualMachineConfigSpec {
        name: Some("web01".to_owned()),
        ..VirtualMachineConfigSpec::default()
    };
    host.fails::<DuplicateName>(&reconfig(&vm, taken)).await;
}

#[tokio::test]
async fn devices_come_change_and_go() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("installer").unwrap();
    host.succeeds(&reconfig(
        &vm,
        with_devices(vec![new_disk(1000, 1024), add(card("Internal"))]),
    ))
    .await;
    let path = "[ssd] installer/installer_1.vmdk";
    assert!(host.text(path).contains("RW 2048 VMFS"));
    assert_eq!(host.vm(&vm).network.len(), 2);
    let layout = host.vm(&vm).layout_ex.unwrap();
    assert!(layout.file.iter().any(|file| file.name == path));
    let find = |key: i32| {
        let devices = host.config(&vm).hardware.device;
        devices
            .into_iter()
            .find(|device| device.key == key)
            .unwrap()
    };
    let mut disk = find(2001);
    assert_eq!(label(&disk), "Hard disk 2");
    disk.cast_mut::<VirtualDisk>().unwrap().capacity_in_kb = 4096;
    let mut nic = find(4001);
    let mac = nic
        .cast::<VirtualEthernetCard>()
        .unwrap()
        .mac_address
        .clone();
    nic.backing = card("DMZ").backing.clone();
    host.succeeds(&reconfig(
        &vm,
        with_devices(vec![
            change(Operation::Edit, None, disk.clone()),
            change(Operation::Edit, None, nic),
        ]),
    ))
    .await;
    assert!(host.text(path).contains("RW 8192 VMFS"));
    assert_eq!(find(4001).device_info.as_ref().unwrap().summary, "DMZ");
    let same = find(4001);
    let same = same.cast::<VirtualEthernetCard>().unwrap();
    assert_eq!(same.mac_address, mac);
    let networks = host.vm(&vm).network;
    let dmz: Network = host.simulator.properties(&networks[1]).unwrap();
    assert!(dmz.vm.contains(&vm));
    let internal = moref("Network", "HaNetwork-Internal");
    let internal: Network = host.simulator.properties(&internal).unwrap();
    assert!(!internal.vm.contains(&vm));

    let smaller = {
        let mut disk = find(2001);
        disk.cast_mut::<VirtualDisk>().unwrap().capacity_in_kb = 1024;
        disk
    };
    let edit = change(Operation::Edit, None, smaller);
    host.fails::<InvalidDeviceSpec>(&reconfig(&vm, with_devices(vec![edit])))
        .await;
    for (file, is_there) in [(None, true), (Some(FileOperation::Destroy), false)] {
        let remove = change(Operation::Remove, file, find(2001));
        host.succeeds(&reconfig(&vm, with_devices(vec![remove])))
            .await;
        assert_eq!(host.simulator.file(path).is_some(), is_there);
        if is_there {
            let again = add(self::disk(path, 1000, 0));
            host.succeeds(&reconfig(&vm, with_devices(vec![again])))
                .await;
            let again = find(2001);
            let again = again.cast::<VirtualDisk>().unwrap();
            assert_eq!(again.capacity_in_kb, 4096);
        }
    }
    let gone = change(Operation::Remove, None, disk);
    host.fails::<DeviceNotFound>(&reconfig(&vm, with_devices(vec![gone])))
        .await;
    // What every machine has stays, and a controller as long as something is attached to it.
    for key in [200, 1000] {
        let remove = change(Operation::Remove, None, find(key));
        host.fails::<InvalidDeviceOperation>(&reconfig(&vm, with_devices(vec![remove])))
            .await;
    }
}

#[tokio::test]
async fn options_are_merged_and_stand_in_the_file() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("installer").unwrap();
    let option = |key: &str, value: &str| {
        OptionValue {
            key: key.to_owned(),
            value: Some(Any::from(value.to_owned())),
            ..OptionValue::default()
        }
        .into()
    };
    let spec = |options| VirtualMachineConfigSpec {
        extra_config: options,
        ..VirtualMachineConfigSpec::default()
    };
    let path = "[ssd] installer/installer.vmx";
    let before = host.config(&vm).extra_config.len();
    let options = vec![option("guestinfo.a", "1"), option("guestinfo.b", "2 \"x\"")];
    host.succeeds(&reconfig(&vm, spec(options))).await;
    assert_eq!(host.config(&vm).extra_config.len(), before + 2);
    let text = host.text(path);
    assert!(text.contains("guestinfo.a = \"1\""), "{text}");
    assert!(text.contains("guestinfo.b = \"2 |22x|22\""), "{text}");
    let options = vec![option("guestinfo.a", ""), option("guestinfo.b", "3")];
    host.succeeds(&reconfig(&vm, spec(options))).await;
    assert_eq!(host.config(&vm).extra_config.len(), before + 1);
    let text = host.text(path);
    assert!(!text.contains("guestinfo.a"), "{text}");
    assert!(text.contains("guestinfo.b = \"3\""), "{text}");
}

#[tokio::test]
async fn a_written_file_stays_as_it_is_but_for_what_changes() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("installer").unwrap();
    let path = "[ssd] installer/installer.vmx";
    let text = host.text(path).replace("memSize", "MEMSIZE");
    let text = format!("# by hand\nsched.cpu.shares = \"normal\"\n{text}");
    assert!(host.simulator.write_file(path, text.clone()));
    assert_eq!(host.text(path), text);
    let spec = VirtualMachineConfigSpec {
        memory_mb: Some(2048),
        ..VirtualMachineConfigSpec::default()
    };
    host.succeeds(&reconfig(&vm, spec)).await;
    let expected = text.replace("MEMSIZE = \"4096\"", "MEMSIZE = \"2048\"");
    assert_ne!(expected, text);
    assert_eq!(host.text(path), expected);
}

fn clone(
    source: &ManagedObjectReference,
    name: &str,
    spec: VirtualMachineCloneSpec,
) -> CloneVmTask {
    CloneVmTask {
        this: source.clone(),
        folder: moref("Folder", "group-v3"),
        name: name.to_owned(),
        spec,
        ..CloneVmTask::default()
    }
}

#[tokio::test]
async fn a_copy_has_an_identity_and_disks_of_its_own() {
    let host = Host::vcenter().await;
    let source = host.simulator.vm("db01").unwrap();
    let spec = VirtualMachineCloneSpec {
        power_on: true,
        config: Some(
            VirtualMachineConfigSpec {
                memory_mb: Some(2048),
                ..VirtualMachineConfigSpec::default()
            }
            .into(),
        ),
        ..VirtualMachineCloneSpec::default()
    };
    let vm = host.made(&clone(&source, "copy", spec)).await;
    let (old, new) = (host.config(&source), host.config(&vm));
    assert_eq!(new.name, "copy");
    assert_ne!(new.uuid, old.uuid);
    assert_ne!(new.instance_uuid, old.instance_uuid);
    assert_eq!(new.guest_id, old.guest_id);
    assert_eq!(new.hardware.num_cpu, old.hardware.num_cpu);
    assert_eq!(new.hardware.memory_mb, 2048);
    assert_eq!(host.devices(&vm), host.devices(&source));
    let macs = |config: &VirtualMachineConfigInfo| -> Vec<_> {
        let devices = config.hardware.device.iter();
        let cards = devices.filter_map(|device| device.cast::<VirtualEthernetCard>());
        cards.map(|card| card.mac_address.clone()).collect()
    };
    assert_ne!(macs(&new), macs(&old));
    assert_eq!(macs(&new).len(), 2);
    let path = new.files.vm_path_name.unwrap();
    let disk = path.replace("copy.vmx", "copy_1.vmdk");
    assert!(host.text(&disk).contains("RW 1048576000 VMFS"));
    assert!(host.text(&path).contains("displayName = \"copy\""));
    let state = host.vm(&vm);
    let runtime = state.runtime.as_deref();
    assert_eq!(runtime.unwrap().power_state, PoweredOn);
    assert_eq!(state.snapshot, None);
    assert_eq!(state.parent, Some(moref("Folder", "group-v3")));
}

#[tokio::test]
async fn what_is_copied_can_be_a_snapshot_and_become_a_template() {
    let host = Host::vcenter().await;
    let source = host.simulator.vm("web01").unwrap();
    let take = CreateSnapshotTask {
        this: source.clone(),
        name: "then".to_owned(),
        ..CreateSnapshotTask::default()
    };
    let snapshot = host.made(&take).await;
    host.simulator.set_power_state(&source, PoweredOff);
    let spec = VirtualMachineConfigSpec {
        num_cpus: Some(8),
        ..VirtualMachineConfigSpec::default()
    };
    host.succeeds(&reconfig(&source, spec)).await;
    let spec = VirtualMachineCloneSpec {
        snapshot: Some(snapshot),
        template: true,
        ..VirtualMachineCloneSpec::default()
    };
    let vm = host.made(&clone(&source, "template", spec)).await;
    let config = host.config(&vm);
    assert_eq!(config.hardware.num_cpu, 2);
    assert!(config.template);
    assert_eq!(host.vm(&vm).resource_pool, None);
    // A machine needs a pool, which a template has none to give of.
    let request = clone(&vm, "again", VirtualMachineCloneSpec::default());
    let fault: InvalidArgument = host.fails(&request).await;
    assert_eq!(
        fault.invalid_property.as_deref(),
        Some("spec.location.pool")
    );
}

#[tokio::test]
async fn some_copies_cannot_be_made() {
    let host = Host::vcenter().await;
    let source = host.simulator.vm("web01").unwrap();
    let machines = host.simulator.objects("VirtualMachine");
    let plain = VirtualMachineCloneSpec::default;
    let mut request = clone(&source, "web01", plain());
    request.folder = host.vm(&source).parent.clone().unwrap();
    host.fails::<DuplicateName>(&request).await;
    let remove = change(Operation::Remove, None, disk("", 1000, 1));
    let spec = VirtualMachineCloneSpec {
        location: VirtualMachineRelocateSpec {
            device_change: vec![remove],
            ..VirtualMachineRelocateSpec::default()
        },
        ..plain()
    };
    host.fails::<DeviceNotFound>(&clone(&source, "copy", spec))
        .await;
    assert_eq!(host.simulator.objects("VirtualMachine"), machines);
    let stores = ["production-shared", "production-local"];
    for store in stores {
        let path = format!("[{store}] copy/copy.vmx");
        assert_eq!(host.simulator.file(&path), None);
    }
    let host = Host::esx().await;
    let source = host.simulator.vm("web01").unwrap();
    host.fails::<NotSupported>(&clone(&source, "copy", plain()))
        .await;
}
