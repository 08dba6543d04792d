use esx_driver::{
    Connect, Domain, ErrorKind, What,
    virt_model::{ErrorNumber, ModificationImpact, TypedParam, domain::DomainBlockInfo},
};
use esx_sim::{Script, Simulator};
use vi_types::{
    ManagedObjectReference,
    enums::VirtualMachinePowerState,
    objects::{
        StorageIoAllocationInfo, VirtualDisk, VirtualMachineFileLayoutEx,
        VirtualMachineFileLayoutExDiskLayout, VirtualMachineFileLayoutExDiskUnit,
        VirtualMachineFileLayoutExFileInfo,
    },
    properties::VirtualMachine,
};

use crate::{host, methods, text};

async fn domain(name: &str) -> (Simulator, Connect, Domain) {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name(name).await.unwrap();
    simulator.clear_requests();
    (simulator, connect, domain)
}

/// Gives each disk of a machine a chain of these files: the sizes of descriptor and extent.
pub(super) fn lay_out(simulator: &Simulator, vm: &ManagedObjectReference, chain: &[(i64, i64)]) {
    simulator.change(vm, |vm: &mut VirtualMachine| {
        let devices = &vm.config.as_ref().unwrap().hardware.device;
        let disks = devices
            .iter()
            .filter_map(|device| device.cast::<VirtualDisk>());
        let mut layout = VirtualMachineFileLayoutEx::default();
        for disk in disks {
            let mut of_disk = VirtualMachineFileLayoutExDiskLayout {
                key: disk.base.key,
                ..Default::default()
            };
            for sizes in chain {
                let mut unit = VirtualMachineFileLayoutExDiskUnit::default();
                for size in <[i64; 2]>::from(*sizes) {
                    let key = i32::try_from(layout.file.len()).unwrap();
                    unit.file_key.push(key);
                    layout.file.push(VirtualMachineFileLayoutExFileInfo {
                        key,
                        size,
                        ..Default::default()
                    });
                }
                of_disk.chain.push(unit);
            }
            layout.disk.push(of_disk);
        }
        vm.layout_ex = Some(layout.into());
    });
}

#[tokio::test]
async fn sizes_of_a_disk_by_name_or_source() {
    let (simulator, _connect, domain) = domain("web01").await;
    lay_out(&simulator, domain.moref(), &[(512, 9000), (600, 4000)]);
    let expected = DomainBlockInfo {
        capacity: 32 << 30,
        allocation: 4600,
        physical: 4600,
    };
    for path in ["sda", "[ssd] web01/web01.vmdk"] {
        simulator.clear_requests();
        assert_eq!(domain.block_info(path).await.unwrap(), expected, "{path}");
        assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    }
    let error = domain.block_info("vda").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "invalid argument: invalid path vda not assigned to domain"
    );
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::NotFound(What::Device), ErrorNumber::InvalidArg)
    );
}

#[tokio::test]
async fn sizes_of_all_disks() {
    let (simulator, _connect, domain) = domain("files").await;
    lay_out(&simulator, domain.moref(), &[(1, 2)]);
    let infos = domain.block_infos().await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    let info = |capacity| {
        Some(DomainBlockInfo {
            capacity,
            allocation: 3,
            physical: 3,
        })
    };
    let expected = [
        ("sda".to_owned(), info(120 << 30)),
        ("sdb".to_owned(), info(2048 << 30)),
    ];
    assert_eq!(infos, expected);
}

/// The host does not know the size of an image in a drive until it searches the datastore.
#[tokio::test]
async fn an_image_in_a_drive() {
    let (simulator, _connect, domain) = domain("installer").await;
    lay_out(&simulator, domain.moref(), &[(1, 2)]);
    let path = "[ssd] iso/netinst.iso";
    assert!(simulator.write_file(path, vec![0; 700]));
    let info = domain.block_info(path).await.unwrap();
    assert_eq!(
        (info.capacity, info.allocation, info.physical),
        (700, 700, 700)
    );
    let expected = [
        "RetrievePropertiesEx",
        "RetrievePropertiesEx",
        "SearchDatastore_Task",
        "RetrievePropertiesEx",
    ];
    assert_eq!(methods(&simulator)[..4], expected);
    assert!(simulator.delete_file(path));
    assert_eq!(
        text(domain.block_info(path).await),
        "Storage volume not found: No storage volume with key or path '[ssd] iso/netinst.iso'"
    );
}

#[tokio::test]
async fn a_host_that_tells_no_sizes() {
    let (simulator, _connect, domain) = domain("web01").await;
    simulator.change(domain.moref(), |vm: &mut VirtualMachine| {
        vm.layout_ex = None
    });
    let error = domain.block_info("sda").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Property);
    assert_eq!(
        error.to_string(),
        "internal error: Missing 'layoutEx.disk' property of disk 'sda'"
    );
}

fn limit(value: u64) -> Vec<TypedParam> {
    vec![TypedParam::new("total_iops_sec", value)]
}

#[tokio::test(start_paused = true)]
async fn limits_of_a_disk() {
    let (simulator, _connect, domain) = domain("web01").await;
    let none = ModificationImpact::NONE;
    assert_eq!(domain.block_io_tune("sda", none).await.unwrap(), limit(0));
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    // Nothing is sent that changes nothing.
    simulator.clear_requests();
    let change = domain.set_block_io_tune("sda", &limit(0), none);
    change.await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);

    simulator.clear_requests();
    simulator.script(Script::new("*").steps(1));
    let both = ModificationImpact::LIVE | ModificationImpact::CONFIG;
    let change = domain.set_block_io_tune("sda", &limit(500), both);
    change.await.unwrap();
    let expected = [
        // The disk and the domain's state; whether a task is in the way; the task.
        "RetrievePropertiesEx",
        "RetrievePropertiesEx",
        "ReconfigVM_Task",
        "RetrievePropertiesEx",
        "RetrievePropertiesEx",
    ];
    assert_eq!(methods(&simulator), expected);
    assert_eq!(domain.block_io_tune("sda", none).await.unwrap(), limit(500));
    let change = domain.set_block_io_tune("sda", &limit(0), none);
    change.await.unwrap();
    assert_eq!(domain.block_io_tune("sda", none).await.unwrap(), limit(0));
}

/// The API's -1 is no limit.
#[tokio::test]
async fn a_disk_without_limit() {
    let (simulator, _connect, domain) = domain("web01").await;
    simulator.change(domain.moref(), |vm: &mut VirtualMachine| {
        let devices = &mut vm.config.as_mut().unwrap().hardware.device;
        let mut disks = devices
            .iter_mut()
            .filter_map(|device| device.cast_mut::<VirtualDisk>());
        let allocation = StorageIoAllocationInfo {
            limit: Some(-1),
            ..Default::default()
        };
        disks.next().unwrap().storage_io_allocation = Some(allocation.into());
    });
    let found = domain
        .block_io_tune("sda", ModificationImpact::CONFIG)
        .await;
    assert_eq!(found.unwrap(), limit(0));
}

#[tokio::test]
async fn limits_that_there_are_not() {
    let (simulator, _connect, domain) = domain("web01").await;
    let none = ModificationImpact::NONE;
    let both = ModificationImpact::LIVE | ModificationImpact::CONFIG;
    let other = [TypedParam::new("read_bytes_sec", 5_u64)];
    let error = domain
        .set_block_io_tune("sda", &other, none)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    assert_eq!(
        error.to_string(),
        "argument unsupported: parameter 'read_bytes_sec' not supported"
    );
    assert_eq!(
        text(domain.block_io_tune("sda", both).await),
        "Flags 'VIR_DOMAIN_AFFECT_LIVE' and 'VIR_DOMAIN_AFFECT_CONFIG' are mutually exclusive"
    );
    let unknown = ModificationImpact::from_bits(0x10);
    assert_eq!(
        text(domain.set_block_io_tune("sda", &limit(1), unknown).await),
        "unsupported flags (0x10) in function esxDomainSetBlockIoTune"
    );
    assert_eq!(methods(&simulator), <[String; 0]>::default());
    assert_eq!(
        text(domain.block_io_tune("sdz", none).await),
        "invalid argument: disk 'sdz' was not found in the domain config"
    );
    simulator.set_power_state(domain.moref(), VirtualMachinePowerState::PoweredOff);
    for refused in [
        text(domain.block_io_tune("sda", ModificationImpact::LIVE).await),
        text(domain.set_block_io_tune("sda", &limit(1), both).await),
    ] {
        assert_eq!(
            refused,
            "Requested operation is not valid: domain is not running"
        );
    }
}
