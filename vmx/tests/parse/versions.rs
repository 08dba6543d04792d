//! What each libvirt added.

use super::{gives_as, gives_no_as, refuses_as, strict};
use vmx::LibvirtVersion;

/// The version `first` has to give `part`, the one before must not.
#[track_caller]
fn since(first: LibvirtVersion, lines: &str, part: &str) {
    gives_as(first, lines, part);
    gives_no_as(before(first), lines, part);
}

fn before(version: LibvirtVersion) -> LibvirtVersion {
    let at = LibvirtVersion::ALL
        .iter()
        .position(|known| *known == version);
    LibvirtVersion::ALL[at.unwrap() - 1]
}

#[test]
fn features_come_with_their_versions() {
    let v11_3 = LibvirtVersion::V11_3;
    since(
        v11_3,
        "numvcpus = \"2\"\ncpuid.coresPerSocket = \"2\"",
        " clusters='1'",
    );
    since(
        v11_3,
        "firmware = \"efi\"\nuefi.secureBoot.enabled = \"true\"",
        "<feature enabled='yes' name='secure-boot'/>",
    );
    since(
        LibvirtVersion::V11_5,
        "nvme0.present = \"true\"\nnvme0:0.present = \"true\"\nnvme0:0.fileName = \"a.vmdk\"",
        "<target dev='nvme0n1' bus='nvme'/>",
    );
    let v12_4 = LibvirtVersion::V12_4;
    since(v12_4, "vtpm.present = \"true\"", "<tpm model='tpm-crb'>");
    since(v12_4, "nvram = \"a\"", "<nvram>[fast] web/a</nvram>");
    let uuid = "uuid.bios = \"00000000000000000000000000000001\"";
    since(v12_4, uuid, "<hwuuid>");
    let newest = LibvirtVersion::Newest;
    for bus in ["scsi", "sata", "nvme"] {
        let lines = format!("{bus}0.present = \"true\"\n{bus}0.pciSlotNumber = \"32\"");
        since(
            newest,
            &lines,
            &format!("<controller type='{bus}' index='0'>"),
        );
    }
}

#[test]
fn what_was_refused_once() {
    let old = LibvirtVersion::V9_0;
    let new = LibvirtVersion::V11_3;
    let drive =
        "ide0:0.present = \"true\"\nide0:0.deviceType = \"cdrom-image\"\nide0:0.fileName = \"\"";
    refuses_as(
        old,
        drive,
        "Invalid or not yet handled value '' for VMX entry 'ide0:0.fileName' for device type 'cdrom-image'",
    );
    gives_as(new, drive, "<disk type='file' device='cdrom'>");
    assert!(strict("a.*.b = \"1\"", old).is_err());
    assert!(strict("a.*.b = \"1\"", new).is_ok());
    let name = "ide0:0.present = \"true\"\nide0:0.fileName = \"sub/a.vmdk\"";
    refuses_as(
        LibvirtVersion::V11_5,
        name,
        "Could not handle file name 'sub/a.vmdk'",
    );
    gives_as(
        LibvirtVersion::V11_10,
        name,
        "<source file='[fast] web/sub/a.vmdk'/>",
    );
}
