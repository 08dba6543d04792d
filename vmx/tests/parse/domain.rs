//! The domain besides its devices.

use super::{gives, gives_as, gives_no, strict};
use virt_model::Document;
use vmx::names::Datastores;
use vmx::{LibvirtVersion, ParseOptions, VmwareNamespace};

#[test]
fn nothing_but_the_head() {
    let expected = "\
<domain type='vmware'>
  <name>web</name>
  <uuid>00000000-0000-0000-0000-000000000000</uuid>
  <memory unit='KiB'>32768</memory>
  <currentMemory unit='KiB'>32768</currentMemory>
  <vcpu placement='static'>1</vcpu>
  <os>
    <type arch='i686'>hvm</type>
  </os>
  <clock offset='utc'/>
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <video>
      <model type='vmvga' vram='4096' primary='yes'/>
    </video>
  </devices>
</domain>
";
    assert_eq!(strict("", LibvirtVersion::Newest).as_deref(), Ok(expected));
}

#[test]
fn keys_in_any_case_and_the_first_one() {
    gives(
        "MEMSIZE = \"64\"\nmemSize = \"128\"",
        "<memory unit='KiB'>65536</memory>",
    );
}

#[test]
fn names() {
    gives("displayName = \"a%2fb|22|7cc\"", "<name>a/b&quot;|c</name>");
    gives("displayName = \"web 😀 ä\"", "<name>web 😀 ä</name>");
    gives("displayName = \"a|0ab\"", "<name>a\nb</name>");
    gives("displayName = \"ab|00c\"", "<name>ab</name>");
    // Both schemes are resolved one after the other, and only the result must be UTF-8.
    gives("displayName = \"%c3|a4|c3%a4\"", "<name>ää</name>");
    gives("displayName = \"ab%00|\"", "<name>ab</name>");
    gives("displayName = \"ab|00|c3\"", "<name>ab</name>");
}

#[test]
fn names_in_the_files_encoding() {
    for (label, name, expected) in [
        ("windows-1252", &b"\x80 \xe4"[..], "€ ä"),
        ("Shift_JIS", b"~\x81\x60\x95\x5c\\", "‾〜表¥"),
        ("windows-31j", b"~\x81\x60\x95\x5c\\", "~～表\\"),
        ("EUC-KR", b"\xb0\xa1\x81", "가\u{81}"),
        ("ISO-8859-9", b"\x80", "\u{80}"),
    ] {
        let head = format!(
            ".encoding = \"{label}\"\n{}displayName = \"",
            super::file("# displayName\n")
        );
        let text = [head.as_bytes(), name, b"\"\n"].concat();
        let parsed = vmx::parse(text, &Datastores::default(), &ParseOptions::strict()).unwrap();
        assert_eq!(parsed.domain.name.as_deref(), Some(expected), "{label}");
    }
}

#[test]
fn no_name() {
    gives("displayName = \"\"", "<name></name>");
    // A comment keeps the head from having one.
    gives_no("# displayName", "<name>");
}

#[test]
fn descriptions() {
    gives(
        "annotation = \"one|0Atwo|22 50%2f\"",
        "<description>one\ntwo&quot; 50%2f</description>",
    );
    gives(
        "annotation = \"one|00|c3\"",
        "<description>one</description>",
    );
}

#[test]
fn uuids() {
    let bios = "uuid.bios = \"56 4d 9b ef ac d9 b4 e0-c8 f0 ae a8 b9 10 35 15\"\n";
    let vc = "vc.uuid = \"50 01 00 00 00 00 00 00-00 00 00 00 00 00 00 02\"\n";
    let bios_uuid = "564d9bef-acd9-b4e0-c8f0-aea8b9103515";
    let vc_uuid = "50010000-0000-0000-0000-000000000002";
    let both = |uuid: &str| format!("<uuid>{uuid}</uuid>\n<hwuuid>{bios_uuid}</hwuuid>");
    gives(&format!("{bios}{vc}"), &both(vc_uuid));
    gives(bios, &both(bios_uuid));
    gives(vc, &format!("<uuid>{vc_uuid}</uuid>\n<memory unit='KiB'>"));
    gives(
        &format!("{bios}vc.uuid = \"00000000000000000000000000000000\""),
        &both(bios_uuid),
    );
    gives(
        "uuid.action = \"create\"",
        "<uuid>00000000-0000-0000-0000-000000000000</uuid>",
    );
    gives_as(
        LibvirtVersion::V11_10,
        &format!("{bios}{vc}"),
        &format!("<uuid>{bios_uuid}</uuid>\n<memory unit='KiB'>"),
    );
}

#[test]
fn generation_ids() {
    gives(
        "vm.genid = \"1\"\nvm.genidX = \"-1\"",
        "<genid>00000000-0000-0001-ffff-ffffffffffff</genid>",
    );
    gives_no("vm.genid = \"0\"\nvm.genidX = \"0\"", "<genid>");
}

#[test]
fn memory() {
    let check = |lines: &str, current: u64, guarantee: Option<u64>| {
        let least = guarantee.map(|kib| {
            format!("\n<memtune>\n<min_guarantee unit='KiB'>{kib}</min_guarantee>\n</memtune>")
        });
        let part = format!(
            "<currentMemory unit='KiB'>{current}</currentMemory>{}\n<vcpu",
            least.unwrap_or_default()
        );
        gives(&format!("memsize = \"512\"\n{lines}"), &part);
    };
    check("", 524_288, None);
    check("sched.mem.max = \"100\"", 102_400, None);
    check("sched.mem.max = \"unlimited\"", 524_288, None);
    check("sched.mem.max = \"-5\"", 524_288, None);
    check("sched.mem.max = \"0\"", 524_288, None);
    check("sched.mem.max = \"1000\"", 524_288, None);
    check("sched.mem.minsize = \"64\"", 524_288, Some(65_536));
    check("sched.mem.minsize = \"1000\"", 524_288, Some(524_288));
    check("sched.mem.minsize = \"-1\"", 524_288, None);
    check("sched.mem.min = \"64\"", 524_288, None);
}

#[test]
fn processors() {
    gives("numvcpus = \"4\"", "<vcpu placement='static'>4</vcpu>");
    gives(
        "numvcpus = \"4\"\ncpuid.coresPerSocket = \"2\"",
        "<cpu>\n<topology sockets='2' dies='1' clusters='1' cores='2' threads='1'/>\n</cpu>",
    );
    gives(
        "numvcpus = \"7\"\ncpuid.coresPerSocket = \"2\"",
        "<topology sockets='3' dies='1' clusters='1' cores='2' threads='1'/>",
    );
    gives_no("numvcpus = \"4\"\ncpuid.coresPerSocket = \"1\"", "<cpu>");
    // 32 bits are kept of each, and those are 0 here.
    gives_no(
        "numvcpus = \"4294967297\"\ncpuid.coresPerSocket = \"4294967296\"",
        "<cpu>",
    );
}

#[test]
fn affinity() {
    let check = |value: &str, set: &str| {
        gives(
            &format!("numvcpus = \"2\"\nsched.cpu.affinity = \"{value}\""),
            &format!("<vcpu placement='static'{set}>2</vcpu>"),
        );
    };
    check("all", "");
    check("All", "");
    check("3,1", " cpuset='1,3'");
    check(" 0, 1 ,2", " cpuset='0-2'");
    check("4,4", " cpuset='4'");
}

#[test]
fn shares() {
    let check = |value: &str, shares: u64| {
        gives(
            &format!("numvcpus = \"2\"\nsched.cpu.shares = \"{value}\""),
            &format!("<cputune>\n<shares>{shares}</shares>\n</cputune>"),
        );
    };
    check("low", 1000);
    check("Normal", 2000);
    check("HIGH", 4000);
    check("77", 77);
    check("-1", u64::MAX);
}

#[test]
fn machines() {
    gives(
        "guestOS = \"debian12-64\"",
        "<type arch='x86_64'>hvm</type>",
    );
    gives("guestOS = \"debian12\"", "<type arch='i686'>hvm</type>");
    gives("guestOS = \"X-64 \"", "<type arch='i686'>hvm</type>");
    gives("smbios.reflectHost = \"TRUE\"", "<smbios mode='host'/>");
    gives_no("smbios.reflectHost = \"FALSE\"", "<smbios");
}

#[test]
fn firmware() {
    gives(
        "firmware = \"efi\"",
        "<os firmware='efi'>\n<type arch='i686'>hvm</type>\n</os>",
    );
    gives(
        "firmware = \"efi\"\nuefi.secureBoot.enabled = \"TRUE\"\nnvram = \"web.nvram\"",
        "<type arch='i686'>hvm</type>
        <firmware>
        <feature enabled='yes' name='enrolled-keys'/>
        <feature enabled='yes' name='secure-boot'/>
        </firmware>
        <nvram>[fast] web/web.nvram</nvram>",
    );
    gives_no("uefi.secureBoot.enabled = \"TRUE\"", "<firmware>");
    gives_no(
        "firmware = \"efi\"\nuefi.secureBoot.enabled = \"FALSE\"",
        "<firmware>",
    );
    gives("nvram = \"\"", "<nvram>[fast] web/</nvram>");
}

#[test]
fn a_namespace_of_vmwares() {
    let options = ParseOptions::strict().namespace(VmwareNamespace::new("a/b", "vm-7"));
    let parsed = vmx::parse(super::file(""), &Datastores::default(), &options).unwrap();
    let document = parsed.domain.to_xml(Default::default());
    let root = "<domain type='vmware' xmlns:vmware='http://libvirt.org/schemas/domain/vmware/1.0'>";
    assert!(document.starts_with(root), "{document}");
    let end = "  <vmware:datacenterpath>a/b</vmware:datacenterpath>\n  <vmware:moref>vm-7</vmware:moref>\n</domain>\n";
    assert!(document.ends_with(end), "{document}");
}
