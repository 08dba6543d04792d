//! The documents besides `<domain>`: pairs of a document and the form in which libvirt 9.0 writes it
//! (observed with virsh and the test driver), errors, and what is not modelled.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use virt_model::{Document, NetworkDef, SnapshotDef};

#[track_caller]
fn check<D: Document + PartialEq + std::fmt::Debug>(input: &str, expected: &str) {
    let read = D::read_xml(input).unwrap();
    assert_eq!(read.unmodelled, Vec::<String>::new());
    let written = read.document.to_xml(D::Flags::default());
    assert_eq!(written, expected);
    // libvirt's form does not change when it is read and written.
    let again = D::from_xml(&written).unwrap();
    assert_eq!(again.to_xml(D::Flags::default()), written);
}

macro_rules! pairs {
    ($folder:literal, $document:ty: $($name:ident = $file:literal,)+) => { $(
        #[test]
        fn $name() {
            check::<$document>(
                include_str!(concat!("documents/", $folder, "/", $file, ".xml")),
                include_str!(concat!("documents/", $folder, "/", $file, ".out.xml")),
            );
        }
    )+ };
}

pairs! {
    "network", NetworkDef:
    network_of_a_bridge = "bridged",
    network_with_nat = "nat",
    network_without_forwarding = "isolated",
    network_whose_mode_is_none = "isolated-by-mode",
    network_of_an_existing_bridge = "existing-bridge",
    network_of_a_physical_function = "physical-function",
    network_of_pci_devices = "pci-devices",
    network_that_is_open = "open",
}

pairs! {
    "snapshot", SnapshotDef:
    snapshot_with_its_domain = "domain",
    snapshot_as_esx_has_it = "esx",
    snapshot_without_anything = "empty",
    snapshot_in_files = "external",
}

#[track_caller]
fn check_error<D: Document + std::fmt::Debug>(input: &str, expected: &str) {
    let error = D::from_xml(input).unwrap_err();
    assert_eq!(error.to_string(), expected, "{input}");
}

#[test]
fn errors_of_networks() {
    check_error::<NetworkDef>(
        "<networ/>",
        "XML error: expecting root element of 'network', not 'networ'",
    );
    let no_name = "missing name information";
    check_error::<NetworkDef>("<network/>", no_name);
    check_error::<NetworkDef>("<network><name/></network>", no_name);
    check_error::<NetworkDef>(
        "<network><name>a/b</name></network>",
        "invalid char in name: /",
    );
    check_error::<NetworkDef>(
        "<network ipv6='x'><name>n</name></network>",
        "XML error: Invalid ipv6 setting 'x' in network 'n'",
    );
    for (within, expected) in [
        ("<uuid>x</uuid>", "internal error: malformed uuid element"),
        (
            "<forward/>",
            "XML error: nat forwarding requested, but no IP address provided for network 'n'",
        ),
        (
            "<forward mode='nix'/>",
            "unsupported configuration: unknown forwarding type 'nix'",
        ),
        (
            "<forward mode='bridge' dev='a'/><bridge name='x'/>",
            "XML error: A network with forward mode='bridge' can specify a bridge name or a forward dev, but not both (network 'n')",
        ),
        (
            "<forward mode='bridge'/><bridge name='x' stp='off'/>",
            "XML error: bridge delay/stp/zone options only allowed in route, nat, and isolated mode, not in bridge (network 'n')",
        ),
        (
            "<forward mode='bridge'/><mtu size='9000'/>",
            "XML error: mtu size only allowed in open, route, nat, and isolated mode, not in bridge (network 'n')",
        ),
        (
            "<forward mode='bridge'><interface/></forward>",
            "XML error: Missing required dev attribute in <forward> <interface> element of network n",
        ),
        (
            "<forward mode='bridge'><interface dev='a'/><interface dev='a'/></forward>",
            "XML error: interface 'a' can only be listed once in network n",
        ),
        (
            "<forward mode='bridge' dev='a'><interface dev='b'/></forward>",
            "XML error: <forward dev='a'> must match first <interface dev='b'/> in network n",
        ),
        (
            "<bridge delay='x'/>",
            "XML error: Invalid delay value in network 'n'",
        ),
        (
            "<bridge macTableManager='x'/>",
            "XML error: Invalid macTableManager setting 'x' in network 'n'",
        ),
        (
            "<mtu size='x'/>",
            "XML error: Invalid mtu size 'x' in network 'n'",
        ),
        (
            "<mac address='x'/>",
            "XML error: Invalid bridge mac address 'x' in network 'n'",
        ),
        (
            "<domain name='a' localOnly='x'/>",
            "XML error: Invalid value for attribute 'localOnly' in element 'domain': 'x'.",
        ),
        (
            "<port isolated='x'/>",
            "XML error: Invalid value for attribute 'isolated' in element 'port': 'x'.",
        ),
        (
            "<portgroup name=''/>",
            "XML error: Missing required name attribute in portgroup",
        ),
        (
            "<portgroup name='p' trustGuestRxFilters='x'/>",
            "XML error: Invalid value for attribute 'trustGuestRxFilters' in element 'portgroup': 'x'.",
        ),
    ] {
        check_error::<NetworkDef>(
            &format!("<network><name>n</name>{within}</network>"),
            expected,
        );
    }
}

#[test]
fn errors_of_addresses() {
    for (ip, expected) in [
        (
            "<ip/>",
            "XML error: Missing required address attribute in network 'n'",
        ),
        (
            "<ip address='x'/>",
            "XML error: Invalid address 'x' in network 'n'",
        ),
        (
            "<ip address='1.2.3.4' prefix='x'/>",
            "XML error: Invalid value for attribute 'prefix' in element 'ip': 'x'. Expected non-negative integer value",
        ),
        (
            "<ip address='1.2.3.4' prefix='33'/>",
            "unsupported configuration: Invalid IPv4 prefix '33' in network 'n'",
        ),
        (
            "<ip address='1.2.3.4' netmask='255.0.0.0' prefix='8'/>",
            "unsupported configuration: Network 'n' IP address cannot have both a prefix and a netmask",
        ),
        (
            "<ip address='fd::1'/>",
            "unsupported configuration: no family specified for non-IPv4 address 'fd::1' in network 'n'",
        ),
        (
            "<ip address='fd::1' family='ipv6' netmask='1.1.1.1'/>",
            "unsupported configuration: netmask not allowed for IPv6 address 'fd::1' in network 'n'",
        ),
        (
            "<ip address='1.2.3.4' family='ipv5'/>",
            "XML error: Unrecognized family 'ipv5' in network 'n'",
        ),
        (
            "<ip address='1.2.3.4' localPtr='x'/>",
            "XML error: Invalid value for attribute 'localPtr' in element 'ip': 'x'.",
        ),
        (
            "<ip address='1.2.3.4'><dhcp><range start='1.2.3.5'/></dhcp></ip>",
            "XML error: Missing 'end' attribute in dhcp range for network 'n'",
        ),
        (
            "<ip address='1.2.3.4'><dhcp><host mac='x' ip='1.2.3.7'/></dhcp></ip>",
            "XML error: Cannot parse MAC address 'x' in network 'n'",
        ),
        (
            "<ip address='1.2.3.4'><dhcp><host name='h'/></dhcp></ip>",
            "XML error: Missing IP address in static host definition for network 'n'",
        ),
    ] {
        check_error::<NetworkDef>(&format!("<network><name>n</name>{ip}</network>"), expected);
    }
}

#[test]
fn errors_of_bandwidths_and_vlans() {
    for (within, expected) in [
        (
            "<bandwidth><inbound/></bandwidth>",
            "Missing mandatory average or floor attributes",
        ),
        (
            "<bandwidth><inbound peak='1'/></bandwidth>",
            "Missing mandatory average or floor attributes",
        ),
        (
            "<bandwidth><inbound average='x'/></bandwidth>",
            "unsupported configuration: could not convert bandwidth average value 'x'",
        ),
        (
            "<bandwidth><inbound average='1' burst='x'/></bandwidth>",
            "unsupported configuration: could not convert bandwidth burst value 'x'",
        ),
        (
            "<bandwidth><inbound average='1' floor='2'/></bandwidth>",
            "unsupported configuration: floor attribute is not supported for this config",
        ),
        (
            "<bandwidth><outbound average='1' floor='2'/></bandwidth>",
            "unsupported configuration: 'floor' attribute allowed only in <inbound> element",
        ),
        (
            "<bandwidth><inbound average='1'/><inbound average='2'/></bandwidth>",
            "Only one child <inbound> element allowed",
        ),
        (
            "<vlan/>",
            "XML error: missing tag id - each <vlan> must have at least one <tag id='n'/> subelement",
        ),
        (
            "<vlan><tag/></vlan>",
            "XML error: Missing required attribute 'id' in element 'tag'",
        ),
        (
            "<vlan><tag id='x'/></vlan>",
            "XML error: Invalid value for attribute 'id' in element 'tag': 'x'. Expected non-negative integer value",
        ),
        (
            "<vlan><tag id='4096'/></vlan>",
            "XML error: vlan tag id 4096 too large (maximum 4095)",
        ),
        (
            "<vlan trunk='no'><tag id='4'/><tag id='5'/></vlan>",
            "XML error: invalid \"trunk='no'\" in <vlan> - trunk='yes' is required for more than one vlan tag",
        ),
        (
            "<vlan trunk='x'><tag id='4'/></vlan>",
            "XML error: invalid \"trunk='x'\" in <vlan> - must be yes or no",
        ),
        (
            "<vlan><tag id='4' nativeMode='x'/></vlan>",
            "XML error: Invalid value for attribute 'nativeMode' in element 'tag': 'x'.",
        ),
        (
            "<virtualport/>",
            "XML error: missing required virtualport type",
        ),
        (
            "<virtualport type='x'/>",
            "unsupported configuration: unknown virtualport type x",
        ),
    ] {
        let document = format!(
            "<network><name>n</name><forward mode='bridge'/><bridge name='b'/>{within}</network>"
        );
        check_error::<NetworkDef>(&document, expected);
    }
}

#[test]
fn errors_of_snapshots() {
    check_error::<SnapshotDef>(
        "<domainsnapsho/>",
        "XML error: expecting root element of 'domainsnapshot', not 'domainsnapsho'",
    );
    for (within, expected) in [
        (
            "<memory snapshot='x'/>",
            "XML error: Invalid value for attribute 'snapshot' in element 'memory': 'x'.",
        ),
        (
            "<memory snapshot='external'/>",
            "XML error: external memory snapshots require a filename",
        ),
        (
            "<memory snapshot='internal' file='f'/>",
            "XML error: memory filename 'f' requires external snapshot",
        ),
        (
            "<disks><disk/></disks>",
            "internal error: missing name from disk snapshot element",
        ),
        (
            "<disks><disk name='vda' snapshot='default'/></disks>",
            "XML error: Invalid value for attribute 'snapshot' in element 'disk': 'default'.",
        ),
    ] {
        check_error::<SnapshotDef>(
            &format!("<domainsnapshot>{within}</domainsnapshot>"),
            expected,
        );
    }
}

#[test]
fn what_is_not_modelled_is_named() {
    let read = NetworkDef::read_xml(
        "<network connections='2'>
           <name>n</name><title>t</title>
           <forward mode='nat'><nat ipv6='yes'/></forward>
           <dns enable='no'/>
           <ip address='10.0.0.1' prefix='8'><tftp root='/t'/></ip>
           <ip address='10.0.0.2' prefix='8' x='y'/>
         </network>",
    )
    .unwrap();
    let mut unmodelled = read.unmodelled;
    unmodelled.sort();
    assert_eq!(
        unmodelled,
        [
            "/network/@connections",
            "/network/dns",
            "/network/forward/nat",
            "/network/ip[1]/tftp",
            "/network/ip[2]/@x",
            "/network/title",
        ]
    );
    // libvirt ignores these unless a snapshot is redefined.
    let read = SnapshotDef::read_xml(
        "<domainsnapshot><state>nix</state><creationTime>x</creationTime><cookie/>
           <disks><disk name='vda'><source file='f'/></disk></disks>
         </domainsnapshot>",
    )
    .unwrap();
    let mut unmodelled = read.unmodelled;
    unmodelled.sort();
    assert_eq!(
        unmodelled,
        [
            "/domainsnapshot/cookie",
            "/domainsnapshot/creationTime",
            "/domainsnapshot/disks/disk/source",
            "/domainsnapshot/state",
        ]
    );
}

/// libvirt writes an empty element, which it does not read back.
#[test]
fn a_rate_of_zero_is_an_empty_bandwidth() {
    let network = "<network><name>n</name><bandwidth><inbound average='0'/></bandwidth></network>";
    let written = NetworkDef::from_xml(network)
        .unwrap()
        .to_xml(Default::default());
    assert!(
        written.contains("  <bandwidth>\n  </bandwidth>\n"),
        "{written}"
    );
    assert_eq!(NetworkDef::from_xml(&written).unwrap().bandwidth, None);
}
