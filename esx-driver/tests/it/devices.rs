//! Devices: attached, changed and detached.

use esx_driver::{
    Connect, DeviceModifyFlags, Domain, Error, ErrorKind, What, virt_model::DomainXmlFlags,
};
use esx_sim::{Script, Simulator};
use vi_types::objects::VirtualDisk;
use vi_types::properties::VirtualMachine;

use crate::{host, methods, open, text};

const NONE: DeviceModifyFlags = DeviceModifyFlags::NONE;

/// A domain that is off, on a host with a free disk and an image.
pub(crate) async fn off() -> (Simulator, Domain) {
    let (simulator, connect) = host().await;
    let domain = prepared(&simulator, &connect, "build/ci").await;
    (simulator, domain)
}

async fn prepared(simulator: &Simulator, connect: &Connect, name: &str) -> Domain {
    assert!(simulator.make_disk("[ssd] spare/data.vmdk", 2 << 20, "lsiLogic"));
    assert!(simulator.write_file("[ssd] iso/tools.iso", "an image"));
    let domain = connect.lookup_by_name(name).await.unwrap();
    simulator.clear_requests();
    domain
}

async fn xml(domain: &Domain) -> String {
    domain.xml_desc(DomainXmlFlags::SECURE).await.unwrap()
}

/// The lines that the second text has and the first one lacks, sorted and without indentation.
fn added(before: &str, after: &str) -> Vec<String> {
    let mut before: Vec<&str> = before.lines().collect();
    let after = after.lines().filter(|line| {
        let known = before.iter().position(|known| known == line);
        known.map(|at| before.remove(at)).is_none()
    });
    let mut lines: Vec<String> = after.map(|line| line.trim().to_owned()).collect();
    lines.sort();
    lines
}

const DISK: &str = "<disk type='file' device='disk'><source file='[ssd] spare/data.vmdk'/>\
    <target dev='sdb' bus='scsi'/></disk>";

#[tokio::test(start_paused = true)]
async fn a_device_comes_and_goes() {
    for (device, lines) in [
        (
            DISK,
            &[
                "<disk type='file' device='disk'>",
                "<source file='[ssd] spare/data.vmdk'/>",
                "<target dev='sdb' bus='scsi'/>",
                "<address type='drive' controller='0' bus='0' target='0' unit='1'/>",
                "</disk>",
            ][..],
        ),
        (
            "<disk device='cdrom'><source file='[ssd] iso/tools.iso'/><target dev='hdc'/></disk>",
            &[
                "<disk type='file' device='cdrom'>",
                "<source file='[ssd] iso/tools.iso'/>",
                "<target dev='hdc' bus='ide'/>",
                "<readonly/>",
                "<address type='drive' controller='0' bus='1' target='0' unit='0'/>",
                "</disk>",
                "<controller type='ide' index='0'/>",
            ],
        ),
        (
            "<interface type='bridge'><mac address='00:50:56:00:00:77'/><source bridge='VM Network'/>\
             <model type='e1000e'/></interface>",
            &[
                "<interface type='bridge'>",
                "<mac address='00:50:56:00:00:77' type='static'/>",
                "<source bridge='VM Network'/>",
                "<model type='e1000e'/>",
                "</interface>",
            ],
        ),
        (
            "<controller type='scsi' model='lsisas1068'/>",
            &["<controller type='scsi' index='1' model='lsisas1068'/>"],
        ),
        (
            "<serial type='file'><source path='[datastore1] build-ci/console.log'/></serial>",
            &[
                "<serial type='file'>",
                "<source path='[datastore1] build-ci/console.log'/>",
                "<target port='0'/>",
                "</serial>",
                "<console type='file'>",
                "<source path='[datastore1] build-ci/console.log'/>",
                "<target type='serial' port='0'/>",
                "</console>",
            ],
        ),
    ] {
        let (simulator, domain) = off().await;
        let before = xml(&domain).await;
        domain.attach_device(device, NONE).await.expect(device);
        let after = xml(&domain).await;
        let mut lines = lines.to_vec();
        lines.sort_unstable();
        assert_eq!(added(&before, &after), lines, "{device}");
        let device = device.replace("type='scsi' model", "type='scsi' index='1' model");
        domain.detach_device(&device, NONE).await.expect(&device);
        assert_eq!(xml(&domain).await, before, "{device}");
        assert!(simulator.file("[ssd] spare/data.vmdk").is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn attaching_reads_the_machine_once() {
    let (simulator, domain) = off().await;
    simulator.script(Script::new("*").steps(1));
    domain.attach_device(DISK, NONE).await.unwrap();
    assert_eq!(
        methods(&simulator),
        [
            // The devices.
            "RetrievePropertiesEx",
            // Power state, question and recent tasks, with their states.
            "RetrievePropertiesEx",
            "ReconfigVM_Task",
            // The task, at once and a moment later.
            "RetrievePropertiesEx",
            "RetrievePropertiesEx",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_missing_controller_is_added_with_the_disk() {
    let (_, domain) = off().await;
    let before = xml(&domain).await;
    let disk = DISK.replace(
        "</disk>",
        "<address type='drive' controller='2' bus='0' target='0' unit='3'/></disk>",
    );
    domain.attach_device(&disk, NONE).await.unwrap();
    let after = xml(&domain).await;
    let added = added(&before, &after);
    assert!(
        added.contains(&"<controller type='scsi' index='2' model='vmpvscsi'/>".to_owned()),
        "{added:?}"
    );
    assert!(
        added.contains(
            &"<address type='drive' controller='2' bus='0' target='0' unit='3'/>".to_owned()
        ),
        "{added:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn every_disk_is_found_by_the_name_that_documents_give_it() {
    // On virtual hardware 13 and later libvirt counts up to 64 disks per controller.
    for (dev, unit) in [
        ("sdc", (0, 2)),
        ("sdh", (0, 8)),
        ("sdp", (0, 16)),
        ("sdbm", (1, 0)),
    ] {
        let (_, domain) = off().await;
        let disk = DISK.replace("sdb", dev);
        domain.attach_device(&disk, NONE).await.unwrap();
        let (controller, unit) = unit;
        let place = format!(
            "<target dev='{dev}' bus='scsi'/>\n      <address type='drive' controller='{controller}' bus='0' target='0' \
             unit='{unit}'/>"
        );
        let document = xml(&domain).await;
        assert!(document.contains(&place), "{place} is not in {document}");
        domain.detach_device(&disk, NONE).await.unwrap();
        assert!(!xml(&domain).await.contains(&place), "{dev}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_drive_gets_another_medium() {
    let (simulator, connect) = host().await;
    let domain = prepared(&simulator, &connect, "installer").await;
    let medium = |source: &str| {
        format!("<disk type='file' device='cdrom'>{source}<target dev='sda' bus='sata'/></disk>")
    };
    let tools = medium("<source file='[ssd] iso/tools.iso'/>");
    domain.update_device(&tools, NONE).await.unwrap();
    assert!(
        xml(&domain)
            .await
            .contains("<source file='[ssd] iso/tools.iso'/>")
    );
    simulator.clear_requests();
    domain.update_device(&tools, NONE).await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    // The drive of a machine whose medium is the client's has no place in documents, but a name.
    let web01 = connect.lookup_by_name("web01").await.unwrap();
    web01.update_device(&tools, NONE).await.unwrap();
    assert!(
        xml(&web01)
            .await
            .contains("<source file='[ssd] iso/tools.iso'/>")
    );
}

#[tokio::test(start_paused = true)]
async fn a_card_gets_another_network() {
    let (_, connect) = host().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    let card = "<interface type='bridge'><mac address='00:0c:29:00:00:01'/><source bridge='DMZ'/>\
                <link state='down'/></interface>";
    domain.update_device(card, NONE).await.unwrap();
    let document = xml(&domain).await;
    assert!(document.contains("<source bridge='DMZ'/>"), "{document}");
}

/// The error of each, which must leave the machine as it was, and send nothing.
#[tokio::test(start_paused = true)]
async fn what_means_no_single_device_changes_none() {
    let (simulator, domain) = off().await;
    let card = |mac: &str| {
        format!(
            "<interface type='bridge'><mac address='{mac}'/><source bridge='VM Network'/></interface>"
        )
    };
    let missing = ErrorKind::NotFound(What::Device);
    let cases: [(&str, ErrorKind, &str); 9] = [
        (
            "<disk><source file='[ssd] a.vmdk'/><target dev='sdx' bus='scsi'/></disk>",
            missing,
            "device not found: no target device sdx",
        ),
        (
            "<disk><source file='[ssd] a.vmdk'/><target dev='sda' bus='scsi'/>\
             <address type='drive' controller='0' bus='0' target='0' unit='1'/></disk>",
            ErrorKind::Ambiguous,
            "operation failed: the definition means no single device: the target is 'sda', and the address is that of 'sdb'",
        ),
        (
            "<disk><source file='[ssd] a.vmdk'/><target dev='sda' bus='scsi'/><alias name='scsi0:1'/></disk>",
            ErrorKind::Ambiguous,
            "operation failed: the definition means no single device: the alias is 'scsi0:1', and the rest describes 'scsi0:0'",
        ),
        (
            &card("00:50:56:01:02:03"),
            missing,
            "device not found: no device matching MAC address 00:50:56:01:02:03 found",
        ),
        (
            "<serial type='file'><source path='[ssd] x.log'/></serial>",
            missing,
            "device not found: device not present in domain configuration",
        ),
        (
            "<controller type='scsi' index='3'/>",
            missing,
            "device not found: controller scsi:3 not found",
        ),
        (
            "<controller type='scsi' index='0' model='buslogic'/>",
            missing,
            "device not found: controller scsi:0 not found",
        ),
        (
            "<sound model='ich9'/>",
            missing,
            "device not found: matching sound device not found",
        ),
        (
            "<watchdog model='i6300esb'/>",
            ErrorKind::Definition,
            "Operation not supported: live attach of device 'watchdog' is not supported",
        ),
    ];
    for (device, kind, message) in cases {
        let error = domain.detach_device(device, NONE).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.to_string().as_str()),
            (kind, message),
            "{device}"
        );
    }
    let error = domain.detach_device_alias("net0", NONE).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "device not found: no device found with alias net0"
    );
    assert!(
        methods(&simulator)
            .iter()
            .all(|method| method == "RetrievePropertiesEx")
    );
}

#[tokio::test(start_paused = true)]
async fn attaching_is_refused() {
    let (simulator, domain) = off().await;
    let taken = DISK.replace("sdb", "sda");
    let virtio = DISK.replace("dev='sdb' bus='scsi'", "dev='vda' bus='virtio'");
    let cases: [(&str, &str); 4] = [
        (&taken, "operation failed: target sda already exists"),
        (
            &virtio,
            "unsupported configuration: Unsupported disk address type 'none'",
        ),
        (
            "<interface type='user'/>",
            "unsupported configuration: Unsupported net type 'user'",
        ),
        ("<foo/>", "internal error: unknown device type 'foo'"),
    ];
    for (device, message) in cases {
        assert_eq!(
            text(domain.attach_device(device, NONE).await),
            message,
            "{device}"
        );
    }
    assert_eq!(
        text(domain.attach_device(DISK, DeviceModifyFlags::LIVE).await),
        "Requested operation is not valid: domain is not running"
    );
    assert_eq!(
        text(domain.attach_device(DISK, DeviceModifyFlags::FORCE).await),
        "unsupported flags (0x4) in function esxDomainAttachDeviceFlags"
    );
    assert!(!methods(&simulator).contains(&"ReconfigVM_Task".to_owned()));
    let absent = DISK.replace("data.vmdk", "absent.vmdk");
    let error: Error = domain.attach_device(&absent, NONE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TaskFailed, "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_alias_is_vmwares_name() {
    let (_, domain) = off().await;
    let before = xml(&domain).await;
    domain.attach_device(DISK, NONE).await.unwrap();
    domain.detach_device_alias("scsi0:1", NONE).await.unwrap();
    assert_eq!(xml(&domain).await, before);
}

/// libvirt calls scsi0:0 and sata0:0 both `sda`.
#[tokio::test(start_paused = true)]
async fn a_disk_and_a_drive_of_one_name_are_told_apart() {
    use esx_driver::BlockResizeFlags;
    let (simulator, connect) = host().await;
    let domain = prepared(&simulator, &connect, "installer").await;
    let before = xml(&domain).await;
    assert_eq!(before.matches("<target dev='sda' bus=").count(), 2);
    let disk = "[ssd] installer/installer.vmdk";
    // What is about hard disks means the hard disk.
    let named = domain.block_info("sda").await.unwrap();
    assert_eq!(named, domain.block_info(disk).await.unwrap());
    let kib = (named.capacity >> 10) + 1024;
    domain
        .block_resize("sda", kib, BlockResizeFlags::NONE)
        .await
        .unwrap();
    let capacity = domain.block_info(disk).await.unwrap().capacity;
    assert_eq!(capacity, kib << 10);
    // A definition has the bus.
    let drive = "<disk type='file' device='cdrom'><target dev='sda' bus='sata'/></disk>";
    domain.detach_device(drive, NONE).await.unwrap();
    let after = xml(&domain).await;
    assert!(
        after.contains(disk) && !after.contains("bus='sata'"),
        "{after}"
    );
    domain.attach_device(drive, NONE).await.unwrap();
    let disk = format!(
        "<disk type='file' device='disk'><source file='{disk}'/><target dev='sda' bus='scsi'/></disk>"
    );
    domain.detach_device(&disk, NONE).await.unwrap();
    let after = xml(&domain).await;
    assert!(
        after.contains("bus='sata'") && !after.contains("bus='scsi'"),
        "{after}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_name_of_two_disks_is_refused() {
    use esx_driver::BlockResizeFlags;
    use esx_driver::virt_model::ModificationImpact;
    let (simulator, domain) = off().await;
    let sata = |dev: &str| DISK.replace("'sdb' bus='scsi'", &format!("'{dev}' bus='sata'"));
    let error = domain.attach_device(&sata("sda"), NONE).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "operation failed: target sda already exists"
    );
    // Other programs put a disk there.
    domain.attach_device(&sata("sdb"), NONE).await.unwrap();
    simulator.change(domain.moref(), |vm: &mut VirtualMachine| {
        let devices = &mut vm.config.as_mut().unwrap().hardware.device;
        let disks = devices
            .iter_mut()
            .filter_map(|device| device.cast_mut::<VirtualDisk>());
        for disk in disks.filter(|disk| disk.base.unit_number == Some(1)) {
            disk.base.unit_number = Some(0);
        }
    });
    let expected = "operation failed: several disks are called 'sda'";
    let none = ModificationImpact::default();
    let tune = |path: &str| domain.set_block_io_tune(path, &[], none);
    for error in [
        domain.block_info("sda").await.unwrap_err(),
        domain.block_io_tune("sda", none).await.unwrap_err(),
        tune("sda").await.unwrap_err(),
        domain
            .block_resize("sda", 3 << 20, BlockResizeFlags::NONE)
            .await
            .unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Ambiguous);
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_disk_grows_and_never_shrinks() {
    use esx_driver::BlockResizeFlags;
    let (simulator, domain) = off().await;
    domain.attach_device(DISK, NONE).await.unwrap();
    let size = |kib: u64| domain.block_resize("sdb", kib, BlockResizeFlags::NONE);
    size(4 << 20).await.unwrap();
    let source = "[ssd] spare/data.vmdk";
    let bytes = 5 << 30;
    domain
        .block_resize(source, bytes, BlockResizeFlags::BYTES)
        .await
        .unwrap();
    simulator.clear_requests();
    size(5 << 20).await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    assert_eq!(
        text(size(1 << 20).await),
        "Operation not supported: cannot shrink the disk 'sdb' from 5242880 KiB to 1048576 KiB"
    );
    assert_eq!(
        text(domain.block_resize("sdz", 1, BlockResizeFlags::NONE).await),
        "invalid argument: invalid path: sdz"
    );
}

#[tokio::test(start_paused = true)]
async fn libvirts_older_versions_count_disks_differently() {
    // Their documents call scsi1:0 of a wide controller `sdp`, and their address is another one.
    let simulator = Simulator::esx().build();
    let connect = open(&simulator, "esx://esx.example.com/?libvirt=9.0.0")
        .await
        .unwrap();
    let domain = prepared(&simulator, &connect, "web01").await;
    let disk = DISK.replace("sdb", "sdp");
    domain.attach_device(&disk, NONE).await.unwrap();
    let document = xml(&domain).await;
    assert!(
        document.contains("<target dev='sdp' bus='scsi'/>"),
        "{document}"
    );
    domain.detach_device(&disk, NONE).await.unwrap();
    assert!(!xml(&domain).await.contains("sdp"));
}
