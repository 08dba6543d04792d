//! Files that are read and written, and definitions that are written and read.

use proptest::prelude::*;
use virt_model::domain::{Address, Disk, DiskBus, DiskDevice, DriveAddress};
use virt_model::{DomainDef, Uuid};
use vmx::{FormatOptions, Mode, ParseOptions};

use super::devices::{bridge, card};
use super::disks::{disk, file};
use super::{Host, format, simple};

fn parse(text: &str, mode: Mode) -> DomainDef {
    let options = match mode {
        Mode::Strict => ParseOptions::strict(),
        Mode::Lenient => ParseOptions::default(),
    };
    vmx::parse(text, &Host, &options).unwrap().domain
}

/// Checks that a definition survives being written and read.
#[track_caller]
fn comes_back(text: &str, hardware: u32, mode: Mode) {
    let def = parse(text, mode);
    let options = FormatOptions::new(hardware).mode(mode);
    let written = format(&def, &options).unwrap();
    let mut again = parse(&written, mode);
    // A file that was written has one UUID only; libvirt reads it as both.
    again.hwuuid = def.hwuuid;
    assert_eq!(again, def, "{written}");
}

#[test]
fn devices_come_back() {
    let text = r#"
config.version = "8"
virtualHW.version = "10"
guestOS = "centos-64"
uuid.bios = "0a 1b 2c 3d 4e 5f 40 71-82 93 a4 b5 c6 d7 e8 f9"
displayName = "a%2fb|22"
annotation = "first"
memsize = "2048"
sched.mem.max = "1024"
sched.mem.minsize = "12"
numvcpus = "4"
cpuid.coresPerSocket = "2"
sched.cpu.affinity = "0,1,2,5"
sched.cpu.shares = "high"
RemoteDisplay.vnc.enabled = "true"
RemoteDisplay.vnc.port = "5905"
RemoteDisplay.vnc.password = "x"
scsi0.present = "true"
scsi0.virtualDev = "pvscsi"
scsi0:9.present = "true"
scsi0:9.fileName = "/vol/fast/a.vmdk"
scsi0:9.writeThrough = "true"
scsi1.present = "true"
scsi1:3.present = "true"
scsi1:3.deviceType = "cdrom-image"
scsi1:3.fileName = "/vol/iso/a.iso"
ide0:1.present = "true"
ide0:1.fileName = "/vol/fast/b.vmdk"
ide0:1.mode = "independent-nonpersistent"
ide1:0.present = "true"
ide1:0.deviceType = "atapi-cdrom"
ide1:0.fileName = "auto detect"
floppy1.present = "true"
floppy1.fileType = "file"
floppy1.fileName = "/vol/fast/x.flp"
isolation.tools.hgfs.disable = "false"
sharedFolder.maxNum = "1"
sharedFolder0.present = "true"
sharedFolder0.enabled = "true"
sharedFolder0.hostPath = "/srv"
sharedFolder0.guestName = "srv"
ethernet0.present = "true"
ethernet0.virtualDev = "vmxnet"
ethernet0.features = "15"
ethernet0.networkName = "lan"
ethernet0.connectionType = "custom"
ethernet0.vnet = "vmnet2"
ethernet0.addressType = "static"
ethernet0.address = "00:50:56:11:22:33"
ethernet1.present = "true"
ethernet1.connectionType = "nat"
ethernet1.addressType = "generated"
ethernet1.generatedAddress = "00:0c:29:11:22:33"
svga.vramSize = "8388608"
serial0.present = "true"
serial0.fileType = "network"
serial0.fileName = "telnet://192.0.2.1:4001"
serial2.present = "true"
serial2.fileType = "pipe"
serial2.fileName = "/tmp/p"
parallel1.present = "true"
parallel1.fileType = "file"
parallel1.fileName = "/vol/fast/lpt"
firmware = "efi"
nvram = "/vol/fast/a.nvram"
smbios.reflecthost = "true"
"#;
    comes_back(text, 10, Mode::Strict);
    comes_back(text, 10, Mode::Lenient);
}

#[test]
fn sata_and_nvme_come_back() {
    let text = r#"
config.version = "8"
virtualHW.version = "19"
uuid.bios = "0a 1b 2c 3d 4e 5f 40 71-82 93 a4 b5 c6 d7 e8 f9"
displayName = "new"
scsi0.present = "true"
scsi0:0.present = "true"
scsi0:0.fileName = "/vol/fast/a.vmdk"
scsi0:20.present = "true"
scsi0:20.fileName = "/vol/fast/b.vmdk"
sata0.present = "true"
sata0:0.present = "true"
sata0:0.deviceType = "cdrom-image"
sata0:0.fileName = "emptyBackingString"
sata0:7.present = "true"
sata0:7.fileName = "/vol/fast/c.vmdk"
nvme0.present = "true"
nvme0:3.present = "true"
nvme0:3.fileName = "/vol/fast/d.vmdk"
firmware = "efi"
vtpm.present = "TRUE"
"#;
    comes_back(text, 19, Mode::Lenient);
}

fn any_disk() -> impl Strategy<Value = Disk> {
    (0_u32..4, 0_u32..70, 0_usize..10, ".{0,12}").prop_map(|(controller, unit, bus, name)| {
        let bus = DiskBus::ALL[bus];
        let device = DiskDevice::ALL[unit as usize % DiskDevice::ALL.len()];
        let mut disk = disk(device, file(&name), "sda");
        disk.target.bus = bus;
        disk.target.dev = name;
        if unit % 3 == 0 {
            let address = DriveAddress::new(controller, 0, unit);
            disk.info.address = Some(Address::Drive(address));
        }
        disk
    })
}

proptest! {
    #[test]
    fn texts_come_back(name in "[^\\p{Cc}]{1,20}", text in "[^\r]*", network in ".+", bytes: [u8; 16]) {
        let mut def = simple();
        def.uuid = Some(Uuid::from_bytes(bytes));
        def.name = Some(name.clone());
        def.description = Some(text.clone());
        def.devices.interfaces.push(card("00:0c:29:01:02:03", bridge(&network)));
        let written = format(&def, &FormatOptions::new(7)).unwrap();
        let again = parse(&written, Mode::Lenient);
        prop_assert_eq!(again.name.as_deref(), Some(name.as_str()));
        prop_assert_eq!(again.uuid, def.uuid);
        prop_assert_eq!(again.description.unwrap_or_default(), text);
        prop_assert_eq!(&again.devices.interfaces[0].source, &bridge(&network));
    }

    #[test]
    fn numbers_come_back(megabytes in 1_u64..1 << 30, current in 1_u64..1 << 30, vcpus in 1_u32..5000, shares: Option<u64>) {
        let mut def = simple();
        def.memory = megabytes * 4096;
        def.current_memory = Some(current.min(megabytes) * 1024);
        def.vcpu.max = vcpus;
        for mode in [Mode::Strict, Mode::Lenient] {
            let shares = shares.map(|shares| shares.clamp(2, 262_144));
            def.cpu_tune.shares = shares;
            let written = format(&def, &FormatOptions::new(4).mode(mode)).unwrap();
            let again = parse(&written, mode);
            prop_assert_eq!(again.memory, def.memory);
            prop_assert_eq!(again.current_memory(), def.current_memory());
            prop_assert_eq!(again.vcpu.max, vcpus);
            prop_assert_eq!(again.cpu_tune.shares, shares);
        }
    }

    #[test]
    fn any_disks_are_written_or_refused(disks in prop::collection::vec(any_disk(), 0..6), hardware: u32, memory: u64) {
        let mut def = simple();
        def.memory = memory;
        def.devices.disks = disks;
        for mode in [Mode::Strict, Mode::Lenient] {
            let _ = format(&def, &FormatOptions::new(hardware).mode(mode));
        }
    }
}
