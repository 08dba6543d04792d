//! The domain document besides its devices: form, errors, and what is not modelled.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use proptest::prelude::*;
use virt_model::{Document, DomainDef, DomainXmlFlags, ErrorNumber, xml};

/// Everything that is modelled, except devices.
const FULL: &str = "\
<domain type='vmware' id='7' xmlns:vmware='http://libvirt.org/schemas/domain/vmware/1.0'>
  <name>a &lt;b&gt; &amp; c/d</name>
  <uuid>564d9bef-0000-1111-2222-aea8b9103515</uuid>
  <hwuuid>564d9bef-0000-1111-2222-aea8b9103516</hwuuid>
  <genid>13c67c91-9f47-526f-b0d6-e4dd2e4bb4f9</genid>
  <title>Books</title>
  <description>Two lines,
&quot;quoted&quot;</description>
  <metadata>
    <shelf:place xmlns:shelf=\"http://example.org/shelf\" row=\"it's 4 &lt; 5\" shelf:side=\"left\">
      <shelf:number>12</shelf:number>
      <note xmlns=\"http://example.org/note\">mixed <b>text</b></note>
      <shelf:empty/>
    </shelf:place>
    <other xmlns=\"urn:other\"/>
  </metadata>
  <memory unit='KiB'>1048576</memory>
  <currentMemory unit='KiB'>524288</currentMemory>
  <memtune>
    <hard_limit unit='KiB'>1</hard_limit>
    <soft_limit unit='KiB'>2</soft_limit>
    <min_guarantee unit='KiB'>3</min_guarantee>
    <swap_hard_limit unit='KiB'>4</swap_hard_limit>
  </memtune>
  <vcpu placement='auto' cpuset='0,3-5' current='2'>4</vcpu>
  <cputune>
    <shares>1000</shares>
    <period>100000</period>
    <quota>-1</quota>
    <global_period>100001</global_period>
    <global_quota>-2</global_quota>
  </cputune>
  <os firmware='efi'>
    <type arch='x86_64' machine='pc'>hvm</type>
    <firmware>
      <feature enabled='yes' name='secure-boot'/>
      <feature enabled='no' name='enrolled-keys'/>
    </firmware>
    <loader readonly='yes' secure='no' type='pflash'>/fw/code.fd</loader>
    <nvram template='/fw/vars.fd'>[shelf] books/books.nvram</nvram>
    <kernel>/boot/k</kernel>
    <initrd>/boot/i</initrd>
    <cmdline>quiet splash</cmdline>
    <boot dev='cdrom'/>
    <boot dev='hd'/>
    <bootmenu enable='yes' timeout='3000'/>
    <bios useserial='yes' rebootTimeout='-1'/>
    <smbios mode='host'/>
  </os>
  <features>
    <acpi/>
    <apic eoi='on'/>
    <pae/>
    <hap state='off'/>
    <viridian/>
    <privnet/>
    <pmu state='on'/>
    <vmport state='off'/>
    <smm state='on'/>
  </features>
  <cpu mode='custom' match='exact' check='partial'>
    <model fallback='forbid'>Bookworm</model>
    <vendor>ACME</vendor>
    <topology sockets='2' dies='1' clusters='1' cores='2' threads='1'/>
    <feature policy='require' name='vmx'/>
    <numa>
      <cell id='0' cpus='0-1' memory='524288' unit='KiB'/>
      <cell id='1' cpus='2-3' memory='524288' unit='KiB'/>
    </numa>
  </cpu>
  <clock offset='variable' adjustment='-3600' basis='utc'>
    <timer name='rtc' present='no' tickpolicy='catchup' track='guest'/>
    <timer name='tsc' frequency='3000000000' mode='native'/>
  </clock>
  <on_poweroff>preserve</on_poweroff>
  <on_reboot>rename-restart</on_reboot>
  <on_crash>coredump-destroy</on_crash>
  <devices>
  </devices>
  <vmware:datacenterpath>folder/center</vmware:datacenterpath>
  <vmware:moref>vm-42</vmware:moref>
</domain>
";

/// The smallest document, with `rest` in it.
fn least(rest: &str) -> String {
    format!(
        "<domain type='vmware'><name>n</name><memory>4096</memory><os><type>hvm</type></os>{rest}</domain>"
    )
}

fn with_devices(devices: &str) -> String {
    least(&format!("<devices>{devices}</devices>"))
}

#[test]
fn all_of_it() {
    let read = DomainDef::read_xml(FULL).unwrap();
    assert_eq!(read.unmodelled, Vec::<String>::new());
    let written = read.document.to_xml(DomainXmlFlags::NONE);
    assert_eq!(written, FULL);
    assert_eq!(DomainDef::from_xml(&written).unwrap(), read.document);
}

#[test]
fn the_inactive_definition_has_no_number() {
    let def = DomainDef::from_xml(FULL).unwrap();
    assert_eq!(
        def.to_xml(DomainXmlFlags::INACTIVE),
        FULL.replace(" id='7'", "")
    );
}

#[test]
fn namespaces_of_the_root_that_metadata_needs_move_there() {
    let def = DomainDef::from_xml(
        "<domain type='vmware' xmlns:a='urn:a' xmlns:b='urn:b'><name>n</name>\
         <metadata><a:x/></metadata><memory>1</memory><os><type>hvm</type></os></domain>",
    )
    .unwrap();
    let written = def.to_xml(DomainXmlFlags::NONE);
    assert!(
        written.contains("<metadata>\n    <a:x xmlns:a=\"urn:a\"/>\n  </metadata>"),
        "{written}"
    );
}

#[test]
fn comments_in_metadata_stay() {
    let document = least(
        "<metadata><a:x xmlns:a='urn:a'><!-- one --><a:y/><!--two--></a:x>\
         <a:z xmlns:a='urn:b'>t<!-- - -->u</a:z><a:w xmlns:a='urn:c'><!--only--></a:w></metadata>\
         <!-- nobody's -->",
    );
    let written = DomainDef::from_xml(&document)
        .unwrap()
        .to_xml(DomainXmlFlags::NONE);
    let expected = r#"  <metadata>
    <a:x xmlns:a="urn:a">
      <!-- one -->
      <a:y/>
      <!--two-->
    </a:x>
    <a:z xmlns:a="urn:b">t<!-- - -->u</a:z>
    <a:w xmlns:a="urn:c">
      <!--only-->
    </a:w>
  </metadata>
"#;
    assert!(written.contains(expected), "{written}");
    assert!(!written.contains("nobody"), "{written}");
}

#[test]
fn defaults() {
    let def = DomainDef::from_xml(&least("")).unwrap();
    assert_eq!(
        def,
        DomainDef {
            memory: 4096,
            ..DomainDef::new("vmware", "n")
        }
    );
}

#[test]
fn double_quotes_declarations_comments_and_cdata() {
    let def = DomainDef::from_xml(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n<!-- a --><domain type=\"vmware\">\
         <name><![CDATA[<ü>]]></name><!-- b --><memory unit=\"MiB\">1</memory>\
         <os><type>hvm</type></os></domain>\n<!-- c -->",
    )
    .unwrap();
    assert_eq!(def.name.as_deref(), Some("<ü>"));
    assert_eq!(def.memory, 1024);
}

#[track_caller]
fn check_memory(element: &str, expected: u64) {
    let document = least("").replace("<memory>4096</memory>", element);
    assert_eq!(DomainDef::from_xml(&document).unwrap().memory, expected);
}

#[test]
fn units_of_memory() {
    check_memory("<memory unit='b'>1025</memory>", 2);
    check_memory("<memory unit='KB'>1024</memory>", 1000);
    check_memory("<memory unit='KiB'>5</memory>", 5);
    check_memory("<memory unit='M'>2</memory>", 2048);
    check_memory("<memory unit='GiB'> 1</memory>", 1 << 20);
    check_memory("<memory>7</memory>", 7);
    check_memory("<memory unit=''>7</memory>", 7);
    check_memory("<cpu><numa><cell cpus='0' memory='5'/></numa></cpu>", 5);
}

/// Without a usable `<currentMemory>` it is all of the memory, as with one that is the same or larger. All of
/// them read as the same definition.
#[test]
fn current_memory_that_is_all_of_it() {
    let memory = |current: &str| {
        let document = format!(
            "<domain type='vmware'><name>n</name><memory>1000</memory>{current}<os><type>hvm</type></os></domain>"
        );
        DomainDef::from_xml(&document).unwrap()
    };
    let all = memory("");
    assert_eq!((all.current_memory, all.current_memory()), (None, 1000));
    for kib in [0, 1000, 1001] {
        assert_eq!(
            memory(&format!("<currentMemory>{kib}</currentMemory>")),
            all,
            "{kib}"
        );
    }
    assert_eq!(
        memory("<currentMemory>999</currentMemory>").current_memory,
        Some(999)
    );
    assert_eq!(
        DomainDef::from_xml(&all.to_xml(DomainXmlFlags::NONE)).unwrap(),
        all
    );
}

#[track_caller]
fn check_error(document: &str, number: ErrorNumber, text: &str, path: Option<&str>) {
    let error = DomainDef::from_xml(document).unwrap_err();
    assert_eq!(error.to_string(), text, "{document}");
    assert_eq!(error.number(), number, "{document}");
    assert_eq!(error.path(), path, "{document}");
}

/// Of several errors, the reader gives the one that libvirt finds first.
#[test]
fn the_first_error() {
    let error = |document: &str| DomainDef::from_xml(document).unwrap_err().to_string();
    let wrong = "<memory unit='x'>1</memory><on_reboot>x</on_reboot><clock offset='x'/>";
    let rest = "<devices><disk><source file='a'/></disk><input type='x'/></devices>";
    let domain = |kind: &str, uuid: &str, os: &str, inside: &str| {
        format!(
            "<domain type='{kind}'><name>n</name><uuid>{uuid}</uuid>{inside}{os}{rest}</domain>"
        )
    };
    let os = "<os><type>hvm</type><smbios mode='x'/></os>";
    for (document, expected) in [
        (
            domain("x", "x", "", wrong),
            "internal error: malformed uuid element",
        ),
        (
            domain("x", "", "", wrong),
            "unsupported configuration: invalid domain type x",
        ),
        (
            domain("vmware", "", "", wrong),
            "XML error: an os <type> must be specified",
        ),
        (
            domain("vmware", "", os, wrong),
            "invalid argument: unknown suffix 'x'",
        ),
        (
            domain("vmware", "", os, &wrong.replace(" unit='x'", "")),
            "unsupported configuration: unknown on_reboot action: x",
        ),
        (
            domain("vmware", "", os, "<clock offset='x'/>"),
            "unsupported configuration: unknown clock offset 'x'",
        ),
        (
            domain("vmware", "", os, ""),
            "unsupported configuration: unknown smbios mode 'x'",
        ),
        (
            domain("vmware", "", "<os><type>hvm</type></os>", ""),
            "unsupported configuration: unknown input device type 'x'",
        ),
        (
            domain("vmware", "", "<os><type>hvm</type></os>", "").replace("<input type='x'/>", ""),
            "XML error: Memory size must be specified via <memory> or in the <numa> configuration",
        ),
        (
            domain(
                "vmware",
                "",
                "<os><type>hvm</type></os>",
                "<memory>1</memory>",
            )
            .replace("<input type='x'/>", ""),
            "missing target information for device a",
        ),
    ] {
        assert_eq!(error(&document), expected, "{document}");
    }
}

#[test]
fn a_hardware_uuid_that_is_none_is_passed_over() {
    let read = DomainDef::read_xml(&least("<hwuuid>x</hwuuid>")).unwrap();
    assert_eq!(read.document.hwuuid, None);
    assert_eq!(read.unmodelled, ["/domain/hwuuid"]);
}

#[test]
fn errors_of_the_domain() {
    use ErrorNumber::{ConfigUnsupported, InternalError, InvalidArg, NoName, Overflow, XmlError};
    let d = Some("/domain");
    check_error(
        "<a/>",
        XmlError,
        "XML error: expecting root element of 'domain', not 'a'",
        None,
    );
    check_error("<domain type='x'/>", NoName, "missing name information", d);
    check_error(
        "<domain><name>n</name></domain>",
        InternalError,
        "internal error: missing domain type attribute",
        d,
    );
    check_error(
        "<domain type='x'><name>n</name></domain>",
        ConfigUnsupported,
        "unsupported configuration: invalid domain type x",
        d,
    );
    check_error(
        "<domain type='vmware'><name/></domain>",
        NoName,
        "missing name information",
        d,
    );
    check_error(
        "<domain type='vmware'><name>n</name></domain>",
        XmlError,
        "XML error: an os <type> must be specified",
        d,
    );
    check_error(
        "<domain type='vmware'><name>n</name><os><type>hvm</type></os></domain>",
        XmlError,
        "XML error: Memory size must be specified via <memory> or in the <numa> configuration",
        d,
    );
    check_error(
        &least("<cpu migratable='on'/>"),
        ConfigUnsupported,
        "unsupported configuration: Attribute migratable is only allowed for 'host-passthrough' / \
         'maximum' CPU mode",
        Some("/domain/cpu"),
    );
    check_error(
        &least("<uuid>564d</uuid>"),
        InternalError,
        "internal error: malformed uuid element",
        Some("/domain/uuid"),
    );
    check_error(
        &least("").replace("<memory>", "<memory unit='ZB'>"),
        InvalidArg,
        "invalid argument: unknown suffix 'ZB'",
        Some("/domain/memory"),
    );
    check_error(
        &least("").replace("<memory>4096", "<memory unit='EiB'>16"),
        Overflow,
        "numerical overflow: value too large: 16EiB",
        Some("/domain/memory"),
    );
    check_error(
        &least("").replace("<memory>4096", "<memory unit='b'>9223372036854775807"),
        Overflow,
        "numerical overflow: size value too large",
        Some("/domain/memory"),
    );
    check_error(
        &least("<vcpu>many</vcpu>"),
        XmlError,
        "XML error: maximum vcpus count must be an integer",
        Some("/domain/vcpu"),
    );
    check_error(
        &least("<vcpu current='3'>2</vcpu>"),
        ConfigUnsupported,
        "unsupported configuration: maximum vCPU count must not be less than current vCPU count",
        Some("/domain/vcpu"),
    );
    check_error(
        &least("<vcpu>0</vcpu>"),
        InternalError,
        "internal error: CPU IDs in <numa> exceed the <vcpu> count",
        d,
    );
    check_error(
        &least("<vcpu cpuset='1,^1'>1</vcpu>"),
        ConfigUnsupported,
        "unsupported configuration: Invalid value of 'cpuset': 1,^1",
        Some("/domain/vcpu"),
    );
    check_error(
        &least("").replace("<memory>4096", "<memory> 1 "),
        XmlError,
        "XML error: Invalid value ' 1 ' for element or attribute './memory[1]'",
        Some("/domain/memory"),
    );
    check_error(
        &least("<memtune><hard_limit>x</hard_limit></memtune>"),
        XmlError,
        "XML error: Invalid value 'x' for element or attribute './memtune/hard_limit[1]'",
        Some("/domain/memtune/hard_limit"),
    );
    check_error(
        &least("<cputune><shares>x</shares></cputune>"),
        XmlError,
        "XML error: can't parse cputune shares value",
        Some("/domain/cputune"),
    );
    check_error(
        &least("<cpu mode='x'/>"),
        ConfigUnsupported,
        "unsupported configuration: Invalid mode attribute 'x'",
        Some("/domain/cpu"),
    );
    check_error(
        &least("<cpu><feature name='x'/></cpu>"),
        XmlError,
        "XML error: Non-empty feature list specified without CPU model",
        Some("/domain/cpu"),
    );
    check_error(
        &least("<clock offset='x'/>"),
        ConfigUnsupported,
        "unsupported configuration: unknown clock offset 'x'",
        Some("/domain/clock"),
    );
    check_error(
        &least("<features><x/></features>"),
        ConfigUnsupported,
        "unsupported configuration: unexpected feature 'x'",
        Some("/domain/features"),
    );
    let os = |os: &str| least("").replace("<os><type>hvm</type></os>", os);
    check_error(
        &os("<os><type>hvm</type><smbios mode='x'/></os>"),
        ConfigUnsupported,
        "unsupported configuration: unknown smbios mode 'x'",
        Some("/domain/os/smbios"),
    );
    check_error(
        &os("<os><type>x</type></os>"),
        ConfigUnsupported,
        "unsupported configuration: unknown OS type 'x'",
        Some("/domain/os"),
    );
    check_error(
        &os("<os><type arch='x'>hvm</type></os>"),
        ConfigUnsupported,
        "unsupported configuration: Unknown architecture x",
        Some("/domain/os"),
    );
    check_error(
        &os("<os firmware='x'><type>hvm</type></os>"),
        XmlError,
        "XML error: unknown firmware value x",
        Some("/domain/os"),
    );
    check_error(
        &least("<vcpu cpuset='1-'>2</vcpu>"),
        InvalidArg,
        "invalid argument: Failed to parse bitmap '1-'",
        Some("/domain/vcpu"),
    );
    check_error(
        &least("<on_crash>weep</on_crash>"),
        ConfigUnsupported,
        "unsupported configuration: unknown on_crash action: weep",
        d,
    );
    check_error(
        &least("<cpu><topology sockets='0' cores='1' threads='1'/></cpu>"),
        XmlError,
        "XML error: Invalid value for attribute 'sockets' in element 'topology': Zero is not permitted",
        Some("/domain/cpu/topology"),
    );
}

/// The errors were observed with the test driver of libvirt 9.0.0.
#[test]
fn errors_of_network_cards() {
    use ErrorNumber::{ConfigUnsupported, XmlError};
    let missing = |what, element| {
        format!("XML error: Missing required attribute '{what}' in element '{element}'")
    };
    let no_integer = |value| {
        format!(
            "XML error: Invalid value for attribute 'port' in element 'source': '{value}'. Expected integer value"
        )
    };
    let check = |kind: &str, content: &str, number, text: &str, path: &str| {
        let interface = format!("<interface type='{kind}'>{content}</interface>");
        let path = format!("/domain/devices/interface{path}");
        check_error(&with_devices(&interface), number, text, Some(&path));
    };
    let source = |kind, content: &str, text: &str| {
        check(kind, content, XmlError, text, "/source");
    };
    for kind in ["client", "mcast", "udp"] {
        source(kind, "<source port='1'/>", &missing("address", "source"));
        source(kind, "<source address='a'/>", &missing("port", "source"));
    }
    source(
        "server",
        "<source address='a'/>",
        &missing("port", "source"),
    );
    source("server", "<source port=''/>", &no_integer(""));
    source(
        "server",
        "<source port='3000000000'/>",
        &no_integer("3000000000"),
    );
    source(
        "udp",
        "<source address='a' port='1'/>",
        "XML error: '<local>' element missing for 'udp' socket interface",
    );
    let local = "<source address='a' port='1'><local address='b'/></source>";
    let text = missing("port", "local");
    check("udp", local, XmlError, &text, "/source/local");
    source("vhostuser", "<source/>", &missing("type", "source"));
    source(
        "vhostuser",
        "<source type='unix'/>",
        &missing("path", "source"),
    );
    source(
        "vhostuser",
        "<source type='unix' path='/a'/>",
        &missing("mode", "source"),
    );
    check(
        "vhostuser",
        "<source type='tcp'/>",
        ConfigUnsupported,
        "unsupported configuration: Type='tcp' unsupported for <interface type='vhostuser'>",
        "/source",
    );
    source(
        "direct",
        "<source dev='a' mode='x'/>",
        "XML error: Invalid value for attribute 'mode' in element 'source': 'x'.",
    );
    check(
        "user",
        "<virtualport type='openvswitch'/>",
        ConfigUnsupported,
        "unsupported configuration: <virtualport> element unsupported for <interface type='user'>",
        "/virtualport",
    );
    check(
        "bridge",
        "<source bridge='a'/><virtualport type='none'/>",
        ConfigUnsupported,
        "unsupported configuration: unknown virtualport type none",
        "/virtualport",
    );
    check(
        "bridge",
        "<source bridge='a'/><virtualport/>",
        XmlError,
        "XML error: missing required virtualport type",
        "/virtualport",
    );
}

#[test]
fn errors_of_devices() {
    use ErrorNumber::{ConfigUnsupported, InternalError, NoSource, NoTarget, XmlError};
    let check = |devices: &str, number, text: &str, path: &str| {
        check_error(&with_devices(devices), number, text, Some(path));
    };
    check(
        "<disk><source file='a'/></disk>",
        NoTarget,
        "missing target information for device a",
        "/domain/devices/disk",
    );
    check(
        "<disk><target dev='sda'/></disk>",
        NoSource,
        "missing source information for device sda",
        "/domain/devices/disk",
    );
    check(
        "<disk/><disk/>",
        NoTarget,
        "missing target information for device",
        "/domain/devices/disk[1]",
    );
    check(
        "<disk type='tape'/>",
        XmlError,
        "XML error: Invalid value for attribute 'type' in element 'disk': 'tape'.",
        "/domain/devices/disk",
    );
    check(
        "<interface type='bridge'><mac address='00:0c'/></interface>",
        XmlError,
        "XML error: unable to parse mac address '00:0c'",
        "/domain/devices/interface/mac",
    );
    check(
        "<interface type='bridge'><mac address='01:00:00:00:00:00'/></interface>",
        XmlError,
        "XML error: expected unicast mac address, found multicast '01:00:00:00:00:00'",
        "/domain/devices/interface/mac",
    );
    check(
        "<interface type='bridge'/>",
        XmlError,
        "XML error: interface type='bridge' requires a 'source' element",
        "/domain/devices/interface",
    );
    check(
        "<interface type='bridge'><source/></interface>",
        XmlError,
        "XML error: Missing required attribute 'bridge' in element 'source'",
        "/domain/devices/interface/source",
    );
    check(
        "<interface type='user'><link state='x'/></interface>",
        ConfigUnsupported,
        "unsupported configuration: unknown interface link state 'x'",
        "/domain/devices/interface/link",
    );
    check(
        "<interface type='user'><mtu size='x'/></interface>",
        XmlError,
        "XML error: malformed mtu size",
        "/domain/devices/interface/mtu",
    );
    check(
        "<controller type='scsi' model='LSILogic'/>",
        ConfigUnsupported,
        "unsupported configuration: Unknown model type 'LSILogic'",
        "/domain/devices/controller",
    );
    check(
        "<disk><source file='a'/><target dev='sda' tray='open'/></disk>",
        ConfigUnsupported,
        "unsupported configuration: tray is only valid for cdrom and floppy",
        "/domain/devices/disk/target",
    );
    check(
        "<disk><source file='a'/><target dev='sda'/><wwn>x</wwn></disk>",
        InternalError,
        "internal error: Malformed wwn: x",
        "/domain/devices/disk",
    );
    check(
        "<disk><driver type='x'/><source file='a'/><target dev='sda'/></disk>",
        ConfigUnsupported,
        "unsupported configuration: unknown driver format value 'x'",
        "/domain/devices/disk/driver",
    );
    check(
        "<disk><source file='a'/><target dev='sda'/><address type='x'/></disk>",
        ConfigUnsupported,
        "unsupported configuration: unknown address type 'x'",
        "/domain/devices/disk/address",
    );
    check(
        "<serial type='x'/>",
        ConfigUnsupported,
        "unsupported configuration: unknown type presented to host for character device: x",
        "/domain/devices/serial",
    );
    check(
        "<serial type='null'><target port='x'/></serial>",
        XmlError,
        "XML error: Invalid port number: x",
        "/domain/devices/serial/target",
    );
    check(
        "<serial type='tcp'><protocol type='x'/></serial>",
        ConfigUnsupported,
        "unsupported configuration: Unknown protocol 'x'",
        "/domain/devices/serial/protocol",
    );
    check(
        "<serial type='dev'><source path='a'/><source path='b'/></serial>",
        XmlError,
        "XML error: only one source element is allowed for character device",
        "/domain/devices/serial",
    );
    check(
        "<channel type='null'/>",
        XmlError,
        "XML error: target type must be specified for channel device",
        "/domain/devices/channel",
    );
    check(
        "<graphics type='vnc' port='x'/>",
        InternalError,
        "internal error: cannot parse vnc port x",
        "/domain/devices/graphics",
    );
    check(
        "<graphics type='vnc' listen='a'><listen type='address' address='b'/></graphics>",
        ConfigUnsupported,
        "unsupported configuration: graphics 'listen' attribute 'a' must match 'address' \
         attribute of first listen element (found 'b')",
        "/domain/devices/graphics/listen",
    );
    check(
        "<video><model type='x'/></video>",
        ConfigUnsupported,
        "unsupported configuration: unknown video model 'x'",
        "/domain/devices/video/model",
    );
    check(
        "<video><model vram='x'/></video>",
        XmlError,
        "XML error: cannot parse video vram 'x'",
        "/domain/devices/video/model",
    );
    check(
        "<video><model heads='x'/></video>",
        InternalError,
        "internal error: cannot parse video heads 'x'",
        "/domain/devices/video/model",
    );
    check(
        "<input type='x'/>",
        ConfigUnsupported,
        "unsupported configuration: unknown input device type 'x'",
        "/domain/devices/input",
    );
    check(
        "<filesystem><source dir='a'/><target dir=''/></filesystem>",
        NoTarget,
        "missing target information for device a",
        "/domain/devices/filesystem",
    );
    check(
        "<controller type='scsi' index='-1'/>",
        XmlError,
        "XML error: Invalid value for attribute 'index' in element 'controller': '-1'. \
         Expected non-negative value",
        "/domain/devices/controller",
    );
    check(
        "<input type='mouse'><address type='pci' slot='32'/></input>",
        XmlError,
        "XML error: Invalid PCI address slot='0x20', must be <= 0x1F",
        "/domain/devices/input/address",
    );
    check(
        "<input type='mouse'><address type='pci' slot='0xg'/></input>",
        XmlError,
        "XML error: Invalid value for attribute 'slot' in element 'address': '0xg'. \
         Expected non-negative integer value",
        "/domain/devices/input/address",
    );
}

#[track_caller]
fn check_unmodelled(document: &str, expected: &[&str]) {
    let read = DomainDef::read_xml(document).unwrap();
    assert_eq!(read.unmodelled, expected, "{document}");
}

#[test]
fn what_is_not_modelled_is_named() {
    check_unmodelled(&least("<genid/>"), &["/domain/genid"]);
    check_unmodelled(&least("<iothreads>2</iothreads>"), &["/domain/iothreads"]);
    check_unmodelled(
        &with_devices("<rng model='virtio'><backend model='random'/></rng>"),
        &["/domain/devices/rng"],
    );
    check_unmodelled(
        &with_devices(
            "<disk><source file='a'/><target dev='sda'/></disk>\
             <disk><source file='b' index='1'/><target dev='sdb'/><backingStore/></disk>",
        ),
        &[
            "/domain/devices/disk[2]/source/@index",
            "/domain/devices/disk[2]/backingStore",
        ],
    );
    check_unmodelled(
        &least("<features><acpi/><hyperv/></features>"),
        &["/domain/features/hyperv"],
    );
    check_unmodelled(
        &with_devices(
            "<hostdev mode='capabilities' type='misc'><source/></hostdev><watchdog/><watchdog/>",
        ),
        &[
            "/domain/devices/hostdev",
            "/domain/devices/watchdog[1]",
            "/domain/devices/watchdog[2]",
        ],
    );
    check_unmodelled(
        &with_devices("<emulator>/a</emulator><emulator>/b</emulator>"),
        &["/domain/devices/emulator[2]"],
    );
    check_unmodelled(
        "<domain type='kvm' xmlns:q='urn:q' q:a='1'><name>n</name><memory>1</memory>\
         <os><type>hvm</type></os><q:commandline/></domain>",
        &["/domain/@q:a"],
    );
}

/// Elements in namespaces of their own, kept in their order and written with their declarations.
#[test]
fn namespace_data() {
    let document = "<domain type='kvm' xmlns:q='urn:q' xmlns:r='urn:r' xmlns:s='urn:s'>\
         <name>n</name><q:line s:a='&lt;'><q:arg/><r:arg>t</r:arg></q:line><memory>1</memory>\
         <os><type>hvm</type></os><d xmlns='urn:d'><e/></d><r:x xmlns:r='urn:other'/><r:y/>\
         </domain>";
    let read = DomainDef::read_xml(document).unwrap();
    assert_eq!(read.unmodelled, Vec::<String>::new());
    let data = &read.document.namespace_data;
    let names: Vec<_> = data
        .iter()
        .map(|element| (element.prefix(), element.namespace(), element.name()))
        .collect();
    assert_eq!(
        names,
        [
            (Some("q"), Some("urn:q"), "line"),
            (None, Some("urn:d"), "d"),
            (Some("r"), Some("urn:other"), "x"),
            (Some("r"), Some("urn:r"), "y"),
        ]
    );
    let written = read.document.to_xml(DomainXmlFlags::NONE);
    assert!(
        written.starts_with("<domain type='kvm' xmlns:q='urn:q' xmlns:r='urn:other'>\n"),
        "{written}"
    );
    let end = "  </devices>
  <q:line xmlns:r='urn:r' xmlns:s='urn:s' s:a='&lt;'>
    <q:arg/>
    <r:arg>t</r:arg>
  </q:line>
  <d xmlns='urn:d'>
    <e/>
  </d>
  <r:x/>
  <r:y xmlns:r='urn:r'/>
</domain>
";
    assert!(written.ends_with(end), "{written}");
    let again = DomainDef::from_xml(&written).unwrap();
    assert_eq!(&again.namespace_data, data);
}

#[track_caller]
fn check_refused(document: &str, text: &str) {
    let error = DomainDef::from_xml(document).unwrap_err();
    assert_eq!(error.number(), ErrorNumber::XmlDetail);
    assert!(error.to_string().contains(text), "{error}");
}

#[test]
fn no_document_types_and_no_entities() {
    let bomb = "<!DOCTYPE d [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;'>]>\
                <domain type='vmware'><name>&c;</name></domain>";
    check_refused(bomb, "document type declaration");
    check_refused(
        "<!DOCTYPE d SYSTEM 'file:///etc/passwd'><domain/>",
        "document type declaration",
    );
    check_refused(&least("<title>&unknown;</title>"), "line 1");
}

#[test]
fn no_document() {
    for document in [
        "",
        " ",
        "domain",
        "<domain",
        "<domain></b>",
        "<domain/><b/>",
        "\0",
        "<a>\u{1}</a>",
    ] {
        let error = DomainDef::from_xml(document).unwrap_err();
        assert_eq!(
            error.number(),
            ErrorNumber::XmlDetail,
            "{document:?}: {error}"
        );
    }
    check_refused("<domain>\n  <a></b>", "line 2");
    check_refused("<domain>", "line 1, column 9: ");
}

#[test]
fn bounds() {
    let deep = |depth: usize| format!("{}{}", "<domain>".repeat(depth), "</domain>".repeat(depth));
    assert!(deep(xml::MAX_DEPTH).parse::<xml::Element>().is_ok());
    check_refused(&deep(xml::MAX_DEPTH + 1), "nested more than 128 levels");
    check_refused(&"<a>".repeat(100_000), "nested more than 128 levels");
    check_refused(&" ".repeat(xml::MAX_SIZE + 1), "at most 16777216 are read");
}

#[test]
fn ten_thousand_disks() {
    let disks: String = (0..10_000)
        .map(|disk| format!("<disk><source file='{disk}'/><target dev='sda' bus='scsi'/></disk>"))
        .collect();
    let read = DomainDef::read_xml(&with_devices(&disks)).unwrap();
    assert_eq!(read.unmodelled, Vec::<String>::new());
    assert_eq!(read.document.devices.disks.len(), 10_000);
    let again = DomainDef::from_xml(&read.document.to_xml(DomainXmlFlags::NONE)).unwrap();
    assert_eq!(again.devices, read.document.devices);
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text: String) {
        let _ = DomainDef::read_xml(&text);
    }

    /// Documents from which a piece is removed, or in which it is repeated: their definitions survive being
    /// written and read.
    #[test]
    fn broken_documents(start in 0..FULL.len(), len in 0..200usize, twice: bool) {
        let end = (start + len).min(FULL.len());
        let piece = &FULL[start..end];
        let piece = if twice { piece.repeat(2) } else { String::new() };
        let broken = format!("{}{piece}{}", &FULL[..start], &FULL[end..]);
        if let Ok(def) = DomainDef::from_xml(&broken) {
            let written = def.to_xml(DomainXmlFlags::SECURE);
            prop_assert_eq!(DomainDef::from_xml(&written).unwrap(), def);
        }
    }

    #[test]
    fn texts_of_all_kinds(name in "[^\0-\u{1f}\u{fffe}\u{ffff}]{1,40}", path in "[^\0-\u{1f}\u{fffe}\u{ffff}]{1,40}") {
        let mut def = DomainDef::new("vmware", &name);
        def.title = Some(path.clone());
        let element = xml::Element::new("a").in_namespace("p", "urn:p").with_text(path);
        def.namespace_data.push(element);
        prop_assert_eq!(DomainDef::from_xml(&def.to_xml(DomainXmlFlags::NONE)).unwrap(), def);
    }
}
