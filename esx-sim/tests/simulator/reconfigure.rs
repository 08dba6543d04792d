//! What a reconfiguration can change, and what it refuses in which state.

use vi_types::enums::VirtualMachinePowerState::{PoweredOff, PoweredOn, Suspended};
use vi_types::enums::{
    SharesLevel, VirtualDeviceConfigSpecFileOperation as FileOperation,
    VirtualDeviceConfigSpecOperation as Operation,
};
use vi_types::methods::{CreateSnapshotTask, PowerOffVmTask, PowerOnVmTask, ReconfigVmTask};
use vi_types::objects::{
    CpuHotPlugNotSupported, DeviceHotPlugNotSupported, DeviceUnsupportedForVmVersion,
    DisallowedDiskModeChange, FileAlreadyExists, FileLocked, FileNotFound, FileTooLarge,
    InsufficientMemoryResourcesFault, InvalidArgument, InvalidDeviceBacking,
    InvalidDeviceOperation, InvalidDeviceSpec, InvalidPowerState, MemoryHotPlugNotSupported,
    NoDiskSpace, OptionValue, ResourceAllocationInfo, SharesInfo, TooManyDevices, VirtualCdrom,
    VirtualCdromIsoBackingInfo, VirtualCdromRemotePassthroughBackingInfo, VirtualDevice,
    VirtualDeviceConfigSpec, VirtualDeviceConnectInfo, VirtualDeviceFileBackingInfo, VirtualDisk,
    VirtualDiskFlatVer2BackingInfo, VirtualEthernetCard, VirtualFloppy,
    VirtualFloppyImageBackingInfo, VirtualHardwareVersionNotSupported, VirtualMachineAffinityInfo,
    VirtualMachineConfigSpec, VirtualNvmeController, VirtualSerialPort,
    VirtualSerialPortFileBackingInfo, VirtualTpm, VirtualUsbxhciController, VirtualVmxnet3,
};
use vi_types::properties::VirtualMachine;
use vi_types::{Any, ManagedObjectReference, Poly};

use crate::machines::{
    Host, add, card, change, controller, create, disk, new_disk, reconfig, with_devices,
};

fn spec() -> VirtualMachineConfigSpec {
    VirtualMachineConfigSpec::default()
}

fn option(key: &str, value: &str) -> Poly<OptionValue> {
    OptionValue {
        key: key.to_owned(),
        value: Some(Any::from(value.to_owned())),
        ..OptionValue::default()
    }
    .into()
}

fn edit(device: impl Into<Poly<VirtualDevice>>) -> Poly<VirtualDeviceConfigSpec> {
    change(Operation::Edit, None, device)
}

fn remove(device: Poly<VirtualDevice>) -> Poly<VirtualDeviceConfigSpec> {
    change(Operation::Remove, None, device)
}

/// A change of one device.
fn one(vm: &ManagedObjectReference, change: Poly<VirtualDeviceConfigSpec>) -> ReconfigVmTask {
    reconfig(vm, with_devices(vec![change]))
}

fn serial(file: &str) -> VirtualSerialPort {
    let backing = VirtualSerialPortFileBackingInfo {
        base: VirtualDeviceFileBackingInfo {
            file_name: file.to_owned(),
            ..VirtualDeviceFileBackingInfo::default()
        },
        ..VirtualSerialPortFileBackingInfo::default()
    };
    VirtualSerialPort {
        base: VirtualDevice {
            backing: Some(backing.into()),
            ..VirtualDevice::default()
        },
        yield_on_poll: true,
        ..VirtualSerialPort::default()
    }
}

fn floppy(image: &str) -> VirtualFloppy {
    let backing = VirtualFloppyImageBackingInfo {
        base: VirtualDeviceFileBackingInfo {
            file_name: image.to_owned(),
            ..VirtualDeviceFileBackingInfo::default()
        },
        ..VirtualFloppyImageBackingInfo::default()
    };
    VirtualFloppy {
        base: VirtualDevice {
            backing: Some(backing.into()),
            ..VirtualDevice::default()
        },
        ..VirtualFloppy::default()
    }
}

fn iso(image: &str) -> Poly<vi_types::objects::VirtualDeviceBackingInfo> {
    VirtualCdromIsoBackingInfo {
        base: VirtualDeviceFileBackingInfo {
            file_name: image.to_owned(),
            ..VirtualDeviceFileBackingInfo::default()
        },
        ..VirtualCdromIsoBackingInfo::default()
    }
    .into()
}

fn cdrom(controller: i32) -> VirtualCdrom {
    VirtualCdrom {
        base: VirtualDevice {
            controller_key: Some(controller),
            backing: Some(VirtualCdromRemotePassthroughBackingInfo::default().into()),
            ..VirtualDevice::default()
        },
        ..VirtualCdrom::default()
    }
}

fn disk_with(change: impl FnOnce(&mut VirtualDiskFlatVer2BackingInfo)) -> VirtualDisk {
    let mut disk = disk("", 1000, 4096);
    let backing = disk.backing.as_mut().unwrap();
    change(backing.cast_mut().unwrap());
    disk
}

impl Host {
    fn device(&self, vm: &ManagedObjectReference, key: i32) -> Poly<VirtualDevice> {
        let mut devices = self.config(vm).hardware.device.into_iter();
        devices.find(|device| device.key == key).unwrap()
    }

    fn set<T>(
        &self,
        vm: &ManagedObjectReference,
        set: impl FnOnce(&mut vi_types::objects::VirtualMachineConfigInfo) -> T,
    ) {
        self.simulator.change(vm, |vm: &mut VirtualMachine| {
            set(vm.config.as_deref_mut().unwrap())
        });
    }
}

#[tokio::test]
async fn a_running_machine_gets_processors_and_memory_where_it_has_hot_add() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("web01").unwrap();
    let cpus = |cpus| {
        let spec = VirtualMachineConfigSpec {
            num_cpus: Some(cpus),
            ..spec()
        };
        reconfig(&vm, spec)
    };
    let memory = |memory_mb| {
        let spec = VirtualMachineConfigSpec {
            memory_mb: Some(memory_mb),
            ..spec()
        };
        reconfig(&vm, spec)
    };
    host.fails::<CpuHotPlugNotSupported>(&cpus(4)).await;
    host.fails::<MemoryHotPlugNotSupported>(&memory(8192)).await;
    // The same values are no change.
    host.succeeds(&cpus(2)).await;
    host.succeeds(&memory(4096)).await;
    host.set(&vm, |config| {
        config.cpu_hot_add_enabled = Some(true);
        config.memory_hot_add_enabled = Some(true);
    });
    host.succeeds(&cpus(4)).await;
    host.succeeds(&memory(8192)).await;
    let hardware = host.config(&vm).hardware;
    assert_eq!((hardware.num_cpu, hardware.memory_mb), (4, 8192));
    host.fails::<CpuHotPlugNotSupported>(&cpus(2)).await;
    let fault: InvalidPowerState = host.fails(&memory(4096)).await;
    assert_eq!(fault.existing_state, PoweredOn);
    host.simulator.set_power_state(&vm, Suspended);
    host.fails::<InvalidPowerState>(&cpus(8)).await;

    let old = esx_sim::Simulator::esx().api_version("2.5").unwrap();
    let host = Host::of(old.build()).await;
    let vm = host.simulator.vm("web01").unwrap();
    let spec = VirtualMachineConfigSpec {
        num_cpus: Some(4),
        ..spec()
    };
    host.fails::<InvalidPowerState>(&reconfig(&vm, spec)).await;
}

#[tokio::test]
async fn some_properties_change_only_while_a_machine_is_off() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("web01").unwrap();
    let changes: [fn(&mut VirtualMachineConfigSpec); 6] = [
        |spec| spec.firmware = Some("efi".to_owned()),
        |spec| spec.guest_id = Some("otherGuest".to_owned()),
        |spec| spec.version = Some("vmx-19".to_owned()),
        |spec| spec.cpu_hot_add_enabled = Some(true),
        |spec| spec.num_cores_per_socket = Some(2),
        |spec| spec.uuid = Some("564d0000-0000-0000-0000-000000000001".to_owned()),
    ];
    for change in changes {
        let mut new = spec();
        change(&mut new);
        for power in [PoweredOn, Suspended] {
            host.simulator.set_power_state(&vm, power.clone());
            let fault: InvalidPowerState = host.fails(&reconfig(&vm, new.clone())).await;
            assert_eq!(fault.existing_state, power, "{new:?}");
        }
        host.simulator.set_power_state(&vm, PoweredOff);
        host.succeeds(&reconfig(&vm, new)).await;
    }
    // Names and notes change at any time.
    for power in [PoweredOn, Suspended, PoweredOff] {
        host.simulator.set_power_state(&vm, power);
        let new = VirtualMachineConfigSpec {
            annotation: Some("new".to_owned()),
            extra_config: vec![option("guestinfo.a", "1")],
            ..spec()
        };
        host.succeeds(&reconfig(&vm, new)).await;
    }
}

#[tokio::test]
async fn devices_come_and_go_while_a_machine_runs_as_far_as_their_bus_can() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("web01").unwrap();
    let on_bus = |bus: i32| {
        change(
            Operation::Add,
            Some(FileOperation::Create),
            disk("", bus, 4096),
        )
    };
    for hot in [
        on_bus(1000),
        on_bus(15_000),
        add(card("DMZ")),
        add(cdrom(15_000)),
        add(controller(-1)),
        add(VirtualNvmeController::default()),
        add(VirtualUsbxhciController::default()),
    ] {
        host.succeeds(&one(&vm, hot)).await;
    }
    for cold in [
        on_bus(200),
        add(cdrom(200)),
        add(floppy("")),
        add(serial("[ssd] web01/serial.log")),
        add(VirtualTpm::default()),
        remove(host.device(&vm, 14_000)),
    ] {
        let fault: InvalidPowerState = host.fails(&one(&vm, cold.clone())).await;
        assert_eq!(fault.existing_state, PoweredOn, "{cold:?}");
    }
    for key in [2001, 4001, 31_000, 1001] {
        let gone = remove(host.device(&vm, key));
        host.succeeds(&one(&vm, gone)).await;
    }
    host.simulator.set_power_state(&vm, Suspended);
    let fault: InvalidPowerState = host.fails(&one(&vm, on_bus(1000))).await;
    assert_eq!(fault.existing_state, Suspended);
    host.simulator.set_power_state(&vm, PoweredOn);
    let new = VirtualMachineConfigSpec {
        extra_config: vec![option("devices.hotplug", "false")],
        ..spec()
    };
    host.succeeds(&reconfig(&vm, new)).await;
    host.fails::<DeviceHotPlugNotSupported>(&one(&vm, on_bus(1000)))
        .await;
}

#[tokio::test]
async fn hardware_has_limits_that_depend_on_its_version() {
    let host = Host::esx().await;
    let of = |version: &str, change: &dyn Fn(&mut VirtualMachineConfigSpec)| {
        let mut request = create("limited", Vec::new());
        request.config.version = Some(version.to_owned());
        change(&mut request.config);
        request
    };
    for (version, cpus, memory_mb) in [
        ("vmx-04", 4, 65_532),
        ("vmx-07", 8, 261_120),
        ("vmx-10", 64, 1_035_264),
        // The host has no more.
        ("vmx-20", 128, 25_149_440),
    ] {
        let cpus_fault: InvalidArgument = host
            .fails(&of(version, &|spec| spec.num_cpus = Some(2 * cpus)))
            .await;
        assert_eq!(
            cpus_fault.invalid_property.as_deref(),
            Some("configSpec.numCPUs")
        );
        let memory_fault: InvalidArgument = host
            .fails(&of(version, &|spec| spec.memory_mb = Some(memory_mb + 4)))
            .await;
        assert_eq!(
            memory_fault.invalid_property.as_deref(),
            Some("configSpec.memoryMB")
        );
        let most = of(version, &|spec| {
            spec.name = Some(version.to_owned());
            spec.num_cpus = Some(cpus);
            spec.memory_mb = Some(memory_mb);
        });
        let vm = host.made(&most).await;
        assert_eq!(host.config(&vm).version, version);
    }
    host.fails::<VirtualHardwareVersionNotSupported>(&of("vmx-21", &|_| {}))
        .await;
    host.fails::<InvalidArgument>(&of("20", &|_| {})).await;

    let fault: DeviceUnsupportedForVmVersion = host
        .fails(&of("vmx-04", &|spec| {
            spec.device_change = vec![add(card("DMZ")), add(VirtualVmxnet3::default())];
        }))
        .await;
    assert_eq!(
        (fault.device_index, &*fault.expected_version),
        (1, "vmx-07")
    );
    let cards = |count| {
        move |spec: &mut VirtualMachineConfigSpec| {
            spec.device_change = (0..count).map(|_| add(card("DMZ"))).collect();
        }
    };
    for (version, most) in [("vmx-04", 4), ("vmx-20", 10)] {
        host.fails::<TooManyDevices>(&of(version, &cards(most + 1)))
            .await;
    }
    let five = of("vmx-20", &|spec| {
        spec.device_change = (1..=5).map(|key| add(controller(-key))).collect();
    });
    host.fails::<TooManyDevices>(&five).await;

    let old = esx_sim::Simulator::esx().api_version("6.0").unwrap();
    let host = Host::of(old.build()).await;
    let vm = host.simulator.vm("installer").unwrap();
    // The type came with 6.5.
    let nvme = add(VirtualNvmeController::default());
    host.fails::<InvalidDeviceSpec>(&one(&vm, nvme)).await;
}

#[tokio::test]
async fn a_disk_belongs_to_one_running_machine() {
    let host = Host::esx().await;
    let installer = host.simulator.vm("installer").unwrap();
    let path = "[ssd] web01/web01.vmdk";
    let taken = add(disk(path, 1000, 0));
    let fault: FileLocked = host.fails(&one(&installer, taken.clone())).await;
    assert_eq!(fault.file, path);
    let web01 = host.simulator.vm("web01").unwrap();
    let off = PowerOffVmTask {
        this: web01.clone(),
        ..PowerOffVmTask::default()
    };
    host.succeeds(&off).await;
    host.succeeds(&one(&installer, taken.clone())).await;
    // A machine has a disk once.
    host.fails::<InvalidDeviceBacking>(&one(&installer, taken))
        .await;
    let on = |vm: &ManagedObjectReference| PowerOnVmTask {
        this: vm.clone(),
        ..PowerOnVmTask::default()
    };
    host.succeeds(&on(&installer)).await;
    let fault: FileLocked = host.fails(&on(&web01)).await;
    assert_eq!(fault.file, path);
    host.simulator.set_power_state(&installer, PoweredOff);
    assert!(host.simulator.delete_file(path));
    let fault: FileNotFound = host.fails(&on(&web01)).await;
    assert_eq!(fault.file, path);
}

#[tokio::test]
async fn media_and_networks_change_while_a_machine_runs() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("web01").unwrap();
    let image = "[ssd] iso/other.iso";
    assert!(host.simulator.write_file(image, "an image"));
    let mut drive = host.device(&vm, 16_000);
    assert!(!drive.connectable.as_ref().unwrap().connected);
    drive.backing = Some(iso("[ssd] iso/none.iso"));
    host.fails::<FileNotFound>(&one(&vm, edit(drive.clone())))
        .await;
    drive.backing = Some(iso(image));
    drive.connectable = Some(
        VirtualDeviceConnectInfo {
            start_connected: true,
            allow_guest_control: true,
            connected: true,
            ..VirtualDeviceConnectInfo::default()
        }
        .into(),
    );
    host.succeeds(&one(&vm, edit(drive))).await;
    let drive = host.device(&vm, 16_000);
    assert_eq!(
        drive.device_info.as_ref().unwrap().summary,
        "ISO [ssd] iso/other.iso"
    );
    let info = drive.connectable.as_ref().unwrap();
    assert_eq!((info.connected, info.status.as_deref()), (true, Some("ok")));

    let mut nic = host.device(&vm, 4000);
    nic.backing = card("DMZ").backing.clone();
    nic.connectable.as_mut().unwrap().connected = false;
    host.succeeds(&one(&vm, edit(nic.clone()))).await;
    let now = host.device(&vm, 4000);
    assert_eq!(now.device_info.as_ref().unwrap().summary, "DMZ");
    assert!(!now.connectable.as_ref().unwrap().connected);
    let mac = |nic: &mut Poly<VirtualDevice>, mac: &str| {
        let card = nic.cast_mut::<VirtualEthernetCard>().unwrap();
        card.mac_address = Some(mac.to_owned());
        card.address_type = Some("manual".to_owned());
    };
    mac(&mut nic, "00:50:56:01:02:03");
    host.fails::<InvalidPowerState>(&one(&vm, edit(nic.clone())))
        .await;

    // What is connected while the machine runs is not while it is off.
    host.simulator.set_power_state(&vm, PoweredOff);
    let connected = |key| {
        host.device(&vm, key)
            .connectable
            .as_ref()
            .unwrap()
            .connected
    };
    assert!(!connected(16_000));
    host.succeeds(&one(&vm, edit(nic.clone()))).await;
    for wrong in [
        "",
        "1",
        "00:50:56:01:02",
        "01:50:56:01:02:03",
        "00:00:00:00:00:00",
    ] {
        let mut nic = nic.clone();
        mac(&mut nic, wrong);
        if !wrong.is_empty() {
            host.fails::<InvalidDeviceSpec>(&one(&vm, edit(nic))).await;
        }
    }
    host.simulator.set_power_state(&vm, PoweredOn);
    assert!(connected(16_000) && connected(4000));
}

#[tokio::test]
async fn an_edit_says_only_what_changes() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("installer").unwrap();
    let before = host.device(&vm, 2000);
    // Neither controller nor unit nor the rest of the backing.
    let mut disk = disk_with(|backing| {
        "independent_persistent".clone_into(&mut backing.disk_mode);
    });
    disk.key = 2000;
    disk.controller_key = None;
    disk.capacity_in_kb = 0;
    host.succeeds(&one(&vm, edit(disk))).await;
    let after = host.device(&vm, 2000);
    let flat = |device: &Poly<VirtualDevice>| -> VirtualDiskFlatVer2BackingInfo {
        let backing = device.backing.as_ref().unwrap();
        backing
            .cast::<VirtualDiskFlatVer2BackingInfo>()
            .unwrap()
            .clone()
    };
    let expected = VirtualDiskFlatVer2BackingInfo {
        disk_mode: "independent_persistent".to_owned(),
        ..flat(&before)
    };
    assert_eq!(flat(&after), expected);
    assert_eq!(after.unit_number, before.unit_number);
    let capacity = |disk: &Poly<VirtualDevice>| disk.cast::<VirtualDisk>().unwrap().capacity_in_kb;
    assert_eq!(capacity(&after), capacity(&before));

    // A disk moves to another unit or controller, and gets the key of its place.
    host.succeeds(&one(&vm, add(controller(-1)))).await;
    let mut moved = after.clone();
    moved.controller_key = Some(1001);
    moved.unit_number = Some(3);
    host.simulator.set_power_state(&vm, PoweredOn);
    host.fails::<InvalidPowerState>(&one(&vm, edit(moved.clone())))
        .await;
    host.simulator.set_power_state(&vm, PoweredOff);
    host.succeeds(&one(&vm, edit(moved.clone()))).await;
    let text = host.text("[ssd] installer/installer.vmx");
    assert!(
        text.contains("scsi1:3.fileName = \"installer.vmdk\""),
        "{text}"
    );
    assert!(!text.contains("scsi0:0."), "{text}");
    assert_eq!(host.device(&vm, 2019).controller_key, Some(1001));
    host.fails::<InvalidDeviceSpec>(&one(
        &vm,
        edit(VirtualDisk {
            base: VirtualDevice {
                key: 2019,
                unit_number: Some(7),
                ..VirtualDevice::default()
            },
            ..VirtualDisk::default()
        }),
    ))
    .await;
}

#[tokio::test]
async fn files_are_made_replaced_and_kept() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("installer").unwrap();
    let path = "[ssd] installer/data.vmdk";
    let on = |operation| change(Operation::Add, operation, disk(path, 1000, 4096));
    host.fails::<FileNotFound>(&one(&vm, on(None))).await;
    host.succeeds(&one(&vm, on(Some(FileOperation::Create))))
        .await;
    host.succeeds(&one(&vm, remove(host.device(&vm, 2001))))
        .await;
    host.fails::<FileAlreadyExists>(&one(&vm, on(Some(FileOperation::Create))))
        .await;
    let larger = change(
        Operation::Add,
        Some(FileOperation::Replace),
        disk(path, 1000, 8192),
    );
    host.succeeds(&one(&vm, larger)).await;
    assert!(host.text(path).contains("RW 16384 VMFS"));
    host.fails::<InvalidDeviceOperation>(&one(&vm, on(Some(FileOperation::Destroy))))
        .await;

    let thin = disk_with(|backing| backing.thin_provisioned = Some(true));
    let thin = change(Operation::Add, Some(FileOperation::Create), thin);
    host.succeeds(&one(&vm, thin)).await;
    let text = host.text("[ssd] installer/installer_1.vmdk");
    assert!(text.contains("ddb.thinProvisioned = \"1\""), "{text}");
    let mode = disk_with(|backing| "volatile".clone_into(&mut backing.disk_mode));
    let mode = change(Operation::Add, Some(FileOperation::Create), mode);
    host.fails::<InvalidDeviceSpec>(&one(&vm, mode)).await;
    let huge = new_disk(1000, 63 << 30);
    host.fails::<FileTooLarge>(&one(&vm, huge)).await;
    host.fails::<NoDiskSpace>(&one(&vm, new_disk(1000, 60 << 30)))
        .await;

    // A port's file is made now or when the machine starts; that of a drive must be there.
    let log = "[ssd] installer/second.log";
    host.succeeds(&one(&vm, add(serial(log)))).await;
    assert_eq!(host.simulator.file(log), None);
    let log = "[ssd] installer/third.log";
    let made = change(Operation::Add, Some(FileOperation::Create), serial(log));
    host.succeeds(&one(&vm, made)).await;
    assert_eq!(host.simulator.file(log).unwrap().len(), 0);
    let image = "[ssd] installer/disk.flp";
    host.fails::<FileNotFound>(&one(&vm, add(floppy(image))))
        .await;
    let made = change(Operation::Add, Some(FileOperation::Create), floppy(image));
    host.succeeds(&one(&vm, made)).await;
    assert_eq!(host.simulator.file(image).unwrap().len(), 1_474_560);
    host.succeeds(&one(&vm, add(floppy(image)))).await;
    host.fails::<TooManyDevices>(&one(&vm, add(floppy(image))))
        .await;
}

#[tokio::test]
async fn shares_follow_their_level() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("installer").unwrap();
    let allocation = |level: SharesLevel, shares| {
        let shares = SharesInfo {
            level,
            shares,
            ..SharesInfo::default()
        };
        ResourceAllocationInfo {
            shares: Some(shares.into()),
            ..ResourceAllocationInfo::default()
        }
    };
    let shares = || {
        let config = host.config(&vm);
        let number = |allocation: Option<Box<ResourceAllocationInfo>>| {
            allocation.unwrap().shares.unwrap().shares
        };
        (
            number(config.cpu_allocation),
            number(config.memory_allocation),
        )
    };
    // 2 processors and 4096 MB.
    for (level, expected) in [
        (SharesLevel::Low, (1000, 20_480)),
        (SharesLevel::Normal, (2000, 40_960)),
        (SharesLevel::High, (4000, 81_920)),
        (SharesLevel::Custom, (77, 77)),
    ] {
        let new = VirtualMachineConfigSpec {
            cpu_allocation: Some(allocation(level.clone(), 77).into()),
            memory_allocation: Some(allocation(level, 77).into()),
            ..spec()
        };
        host.succeeds(&reconfig(&vm, new)).await;
        assert_eq!(shares(), expected);
    }
    let new = VirtualMachineConfigSpec {
        num_cpus: Some(4),
        cpu_allocation: Some(allocation(SharesLevel::High, 0).into()),
        ..spec()
    };
    host.succeeds(&reconfig(&vm, new)).await;
    assert_eq!(shares().0, 8000);
}

#[tokio::test]
async fn resources_are_those_of_the_host() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("web01").unwrap();
    let memory = |reservation, limit| {
        let allocation = ResourceAllocationInfo {
            reservation,
            limit,
            ..ResourceAllocationInfo::default()
        };
        let new = VirtualMachineConfigSpec {
            memory_allocation: Some(allocation.into()),
            ..spec()
        };
        reconfig(&vm, new)
    };
    for (reservation, limit, property) in [
        (Some(-1), None, "reservation"),
        (Some(2048), Some(1024), "reservation"),
        (None, Some(-2), "limit"),
    ] {
        let fault: InvalidArgument = host.fails(&memory(reservation, limit)).await;
        let expected = format!("configSpec.memoryAllocation.{property}");
        assert_eq!(fault.invalid_property, Some(expected));
    }
    let much = memory(Some(1 << 30), None);
    host.fails::<InsufficientMemoryResourcesFault>(&much).await;
    host.succeeds(&memory(Some(512), Some(2048))).await;
    let state = host.vm(&vm);
    let allocation = state.config.unwrap().memory_allocation.unwrap();
    assert_eq!(
        (allocation.reservation, allocation.limit),
        (Some(512), Some(2048))
    );
    let summary = state.summary.unwrap();
    assert_eq!(summary.config.memory_reservation, Some(512));

    let affinity = |numbers: &[i32]| {
        let affinity = VirtualMachineAffinityInfo {
            affinity_set: numbers.to_vec(),
            ..VirtualMachineAffinityInfo::default()
        };
        let new = VirtualMachineConfigSpec {
            cpu_affinity: Some(affinity.into()),
            ..spec()
        };
        reconfig(&vm, new)
    };
    let set = || host.config(&vm).cpu_affinity.map(|one| one.affinity_set);
    host.succeeds(&affinity(&[0, 2, 3])).await;
    assert_eq!(set(), Some(vec![0, 2, 3]));
    // One that the host does not have, and fewer than the machine's processors.
    for wrong in [&[0, 1000][..], &[1]] {
        host.fails::<InvalidArgument>(&affinity(wrong)).await;
    }
    host.succeeds(&affinity(&[])).await;
    assert_eq!(set(), None);
}

#[tokio::test]
async fn the_file_of_a_machine_follows() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("installer").unwrap();
    let path = "[ssd] installer/installer.vmx";
    let missing = VirtualCdromIsoBackingInfo::default();
    let empty = VirtualCdrom {
        base: VirtualDevice {
            backing: Some(missing.into()),
            ..cdrom(200).base
        },
        ..VirtualCdrom::default()
    };
    let allocation = |reservation, limit, level| ResourceAllocationInfo {
        reservation: Some(reservation),
        limit: Some(limit),
        shares: Some(
            SharesInfo {
                level,
                shares: 77,
                ..SharesInfo::default()
            }
            .into(),
        ),
        ..ResourceAllocationInfo::default()
    };
    let new = VirtualMachineConfigSpec {
        num_cpus: Some(4),
        num_cores_per_socket: Some(2),
        cpu_allocation: Some(allocation(500, 2000, SharesLevel::High).into()),
        memory_allocation: Some(allocation(256, 1024, SharesLevel::Custom).into()),
        cpu_affinity: Some(
            VirtualMachineAffinityInfo {
                affinity_set: vec![0, 1, 2, 3],
                ..VirtualMachineAffinityInfo::default()
            }
            .into(),
        ),
        cpu_hot_add_enabled: Some(true),
        memory_hot_add_enabled: Some(true),
        firmware: Some("efi".to_owned()),
        device_change: vec![
            change(
                Operation::Add,
                Some(FileOperation::Create),
                disk_with(|backing| {
                    "independent_nonpersistent".clone_into(&mut backing.disk_mode);
                    backing.sharing = Some("sharingMultiWriter".to_owned());
                }),
            ),
            add(card("DMZ")),
            add(card("Internal")),
            add(cdrom(200)),
            add(empty),
            add(serial("[ssd] installer/log")),
            change(
                Operation::Add,
                Some(FileOperation::Create),
                floppy("[ssd] installer/a.flp"),
            ),
            add(VirtualUsbxhciController::default()),
            add(VirtualTpm::default()),
        ],
        ..spec()
    };
    host.succeeds(&reconfig(&vm, new)).await;
    // The card before the last one leaves a gap.
    host.succeeds(&one(&vm, remove(host.device(&vm, 4001))))
        .await;
    let mut last = host.device(&vm, 4002);
    last.connectable.as_mut().unwrap().start_connected = false;
    host.succeeds(&one(&vm, edit(last))).await;
    let text = host.text(path);
    for line in [
        "numvcpus = \"4\"",
        "cpuid.coresPerSocket = \"2\"",
        "sched.cpu.min = \"500\"",
        "sched.cpu.max = \"2000\"",
        "sched.cpu.shares = \"high\"",
        "sched.mem.minSize = \"256\"",
        "sched.mem.max = \"1024\"",
        "sched.mem.shares = \"77\"",
        "sched.cpu.affinity = \"0,1,2,3\"",
        "vcpu.hotadd = \"TRUE\"",
        "mem.hotadd = \"TRUE\"",
        "firmware = \"efi\"",
        "scsi0:1.mode = \"independent-nonpersistent\"",
        "scsi0:1.sharing = \"multi-writer\"",
        "ethernet2.networkName = \"Internal\"",
        "ethernet2.startConnected = \"FALSE\"",
        "ide0:0.clientDevice = \"TRUE\"",
        "ide0:1.fileName = \"emptyBackingString\"",
        "serial1.fileName = \"log\"",
        "floppy0.fileName = \"a.flp\"",
        "usb_xhci.present = \"TRUE\"",
        "vtpm.present = \"TRUE\"",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("ethernet1."), "{text}");

    // The properties follow the file as well.
    let before = host.config(&vm);
    assert!(host.simulator.write_file(path, text.clone()));
    let after = host.config(&vm);
    let keys = |config: &vi_types::objects::VirtualMachineConfigInfo| {
        let devices = config.hardware.device.iter();
        let mut keys: Vec<_> = devices
            .map(|one| (one.key, one.unit_number, one.type_name().to_owned()))
            .collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&after), keys(&before));
    assert_eq!(after.cpu_allocation, before.cpu_allocation);
    assert_eq!(after.memory_allocation, before.memory_allocation);
    assert_eq!(after.cpu_affinity, before.cpu_affinity);
    assert_eq!(after.cpu_hot_add_enabled, Some(true));
    let text = text.replace("sched.mem.max = \"1024\"\n", "");
    assert!(host.simulator.write_file(path, text.clone()));
    let limit = host.config(&vm).memory_allocation.unwrap().limit;
    assert_eq!(limit, Some(-1));
    // A change afterwards edits the text where it is.
    let mut last = host.device(&vm, 4002);
    last.connectable.as_mut().unwrap().start_connected = true;
    host.succeeds(&one(&vm, edit(last))).await;
    let expected = text.replace("ethernet2.startConnected = \"FALSE\"\n", "");
    assert_eq!(host.text(path), expected);
}

#[tokio::test]
async fn a_guest_sees_which_cards_are_connected() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("db01").unwrap();
    let net = || {
        let net = host.vm(&vm).guest.unwrap().net;
        let shown = net.iter();
        shown
            .map(|nic| (nic.connected, nic.ip_address.len()))
            .collect::<Vec<_>>()
    };
    assert_eq!(net(), [(true, 3), (true, 3)]);
    let mut nic = host.device(&vm, 4000);
    nic.connectable.as_mut().unwrap().connected = false;
    host.succeeds(&one(&vm, edit(nic))).await;
    assert_eq!(net(), [(false, 0), (true, 3)]);
    let address = host.vm(&vm).summary.unwrap().guest.unwrap().ip_address;
    assert_eq!(address.as_deref(), Some("10.1.0.2"));
    host.succeeds(&one(&vm, add(card("DMZ")))).await;
    assert_eq!(net().len(), 3);
}

#[tokio::test]
async fn a_disk_with_snapshots_keeps_its_size_until_they_are_gone() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("web01").unwrap();
    let take = CreateSnapshotTask {
        this: vm.clone(),
        name: "one".to_owned(),
        ..CreateSnapshotTask::default()
    };
    host.made(&take).await;
    let before = host.device(&vm, 2000);
    let mut larger = before.clone();
    larger.cast_mut::<VirtualDisk>().unwrap().capacity_in_kb *= 2;
    host.simulator.set_power_state(&vm, PoweredOff);
    host.fails::<InvalidDeviceOperation>(&one(&vm, edit(larger)))
        .await;
    let mut mode = disk_with(|backing| {
        "independent_persistent".clone_into(&mut backing.disk_mode);
    });
    mode.key = 2000;
    host.fails::<DisallowedDiskModeChange>(&one(&vm, edit(mode)))
        .await;
    // A disk that is removed and added again has its chain again.
    host.succeeds(&one(&vm, remove(before.clone()))).await;
    let file = "[ssd] web01/web01-000001.vmdk";
    host.succeeds(&one(&vm, add(disk(file, 1000, 0)))).await;
    let again = host.device(&vm, 2000);
    let parent = |disk: &Poly<VirtualDevice>| {
        let backing = disk.backing.as_ref().unwrap();
        let flat = backing.cast::<VirtualDiskFlatVer2BackingInfo>().unwrap();
        flat.parent.as_ref().unwrap().base.file_name.clone()
    };
    assert_eq!(parent(&again), "[ssd] web01/web01.vmdk");
    assert_eq!(parent(&again), parent(&before));
}

#[tokio::test]
async fn keys_of_a_file_that_no_property_shows_are_options() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("installer").unwrap();
    let path = "[ssd] installer/installer.vmx";
    let value = |key: &str| {
        let options = host.config(&vm).extra_config;
        let option = options.into_iter().find(|option| option.key == key)?;
        option.value.clone()?.cast::<String>().ok()
    };
    let own = "RemoteDisplay.vnc.enabled = \"TRUE\"\nguestinfo.note = \"a |7Cb\"\n";
    let text = format!("{}{own}", host.text(path));
    assert!(host.simulator.write_file(path, text.clone()));
    assert_eq!(value("RemoteDisplay.vnc.enabled").as_deref(), Some("TRUE"));
    assert_eq!(value("guestinfo.note").as_deref(), Some("a |b"));
    assert_eq!(host.text(path), text);
    // They are removed here as well.
    let new = VirtualMachineConfigSpec {
        extra_config: vec![option("remotedisplay.vnc.enabled", "")],
        ..spec()
    };
    host.succeeds(&reconfig(&vm, new)).await;
    assert_eq!(value("RemoteDisplay.vnc.enabled"), None);
    let text = host.text(path);
    assert!(!text.contains("RemoteDisplay"), "{text}");
    assert!(text.contains("guestinfo.note = \"a |7Cb\""), "{text}");
    let text = text.replace("guestinfo.note = \"a |7Cb\"\n", "");
    assert!(host.simulator.write_file(path, text.clone()));
    assert_eq!(value("guestinfo.note"), None);
    assert_eq!(host.text(path), text);
}
