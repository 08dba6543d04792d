//! The documents besides `<domain>`: pairs of a document and the form in which libvirt 9.0 writes it
//! (observed with virsh and the test driver), errors, and what is not modelled.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use virt_model::{
    Document, NetworkDef, Read, SecretDef, SnapshotDef, StoragePoolDef, StoragePoolType,
    StorageVolDef, StorageVolParseFlags, XmlError,
    storage_pool::{StoragePoolSource, sources_to_xml},
    storage_vol::{StorageVolDevice, StorageVolExtent, StorageVolTimestamps, Timestamp},
};

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

pairs! {
    "storage_pool", StoragePoolDef:
    pool_of_a_directory = "dir",
    pool_of_a_local_datastore = "esx-local",
    pool_of_a_vmfs_datastore = "esx-vmfs",
    pool_of_nfs = "netfs",
    pool_of_cifs = "netfs-cifs",
    pool_of_a_volume_group = "logical",
    pool_of_a_disk = "disk",
    pool_of_iscsi_with_chap = "iscsi-chap",
    pool_of_iscsi_without_the_host = "iscsi-direct",
    pool_of_an_adapter = "scsi",
    pool_of_an_adapter_by_its_parent = "scsi-parent",
    pool_of_a_virtual_adapter = "scsi-fc",
    pool_of_multipath_devices = "mpath",
    pool_of_ceph = "rbd",
    pool_of_gluster = "gluster",
    pool_of_zfs = "zfs",
    pool_of_virtuozzo = "vstorage",
    pool_of_sheepdog = "sheepdog",
}

pairs! {
    "secret", SecretDef:
    secret_without_anything = "bare",
    secret_of_a_volume = "volume",
    secret_of_ceph = "ceph",
    secret_of_iscsi = "iscsi",
    secret_of_tls = "tls",
    secret_of_a_tpm = "vtpm",
}

/// A volume's document has the formats of its pool.
macro_rules! volumes {
    ($($name:ident = $pool:ident $file:literal,)+) => { $(
        #[test]
        fn $name() {
            check_volume(
                StoragePoolType::$pool,
                include_str!(concat!("documents/storage_vol/", $file, ".xml")),
                include_str!(concat!("documents/storage_vol/", $file, ".out.xml")),
            );
        }
    )+ };
}

volumes! {
    volume_with_defaults = Dir "plain",
    volume_of_a_datastore = Fs "esx",
    volume_of_a_lun = Iscsi "lun",
    volume_with_encryption = Dir "encrypted",
    volume_with_a_backing_store = Dir "backed",
    volume_of_a_partition = Disk "partition",
    volume_with_a_secret_by_its_uuid = Dir "keyed-encryption",
}

fn read_volume(pool: StoragePoolType, xml: &str) -> Result<Read<StorageVolDef>, XmlError> {
    StorageVolDef::read_xml_in(pool, StorageVolParseFlags::NONE, xml)
}

#[track_caller]
fn check_volume(pool: StoragePoolType, input: &str, expected: &str) {
    let read = read_volume(pool, input).unwrap();
    assert_eq!(read.unmodelled, Vec::<String>::new());
    let written = read.document.to_xml(Default::default());
    assert_eq!(written, expected);
    // libvirt's form does not change when it is read and written, also where the pool is not known.
    let again = StorageVolDef::from_xml(&written).unwrap();
    assert_eq!(again.to_xml(Default::default()), written);
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

#[test]
fn errors_of_pools() {
    for (document, expected) in [
        (
            "<poo/>",
            "XML error: expecting root element of 'pool', not 'poo'",
        ),
        (
            "<pool/>",
            "XML error: Missing required attribute 'type' in element 'pool'",
        ),
        (
            "<pool type='x'/>",
            "XML error: Invalid value for attribute 'type' in element 'pool': 'x'.",
        ),
        (
            "<pool type='dir'/>",
            "XML error: missing pool source name element",
        ),
        // A source's name stands for the pool's only in some types.
        (
            "<pool type='netfs'><source><name>n</name></source></pool>",
            "XML error: missing pool source name element",
        ),
        (
            "<pool type='sheepdog'><source><name>n</name></source></pool>",
            "XML error: missing storage pool source host name",
        ),
        (
            "<pool type='dir'><name>a/b</name></pool>",
            "XML error: name a/b cannot contain '/'",
        ),
        (
            "<pool type='dir'><name>p</name><uuid>1</uuid></pool>",
            "XML error: malformed uuid element",
        ),
        (
            "<pool type='dir'><name>p</name></pool>",
            "XML error: missing storage pool target path",
        ),
        (
            "<pool type='fs'><name>p</name></pool>",
            "XML error: missing storage pool source device name",
        ),
        (
            "<pool type='netfs'><name>p</name></pool>",
            "XML error: missing storage pool source host name",
        ),
        (
            "<pool type='netfs'><name>p</name><source><host name='h'/></source></pool>",
            "XML error: missing storage pool source path",
        ),
        (
            "<pool type='rbd'><name>p</name></pool>",
            "XML error: missing storage pool source host name",
        ),
        (
            "<pool type='rbd'><name>p</name><source/></pool>",
            "XML error: element 'name' is mandatory for RBD pool",
        ),
        (
            "<pool type='iscsi-direct'><name>p</name><source><host name='h'/></source></pool>",
            "unsupported configuration: missing initiator IQN",
        ),
        (
            "<pool type='netfs'><name>p</name><features><cow state='no'/></features></pool>",
            "this function is not supported by the connection driver: cow feature may only be used for 'fs' and 'dir' pools",
        ),
        (
            "<pool type='dir'><name>p</name><features><cow state='x'/></features></pool>",
            "XML error: Invalid value for attribute 'state' in element 'cow': 'x'.",
        ),
    ] {
        check_error::<StoragePoolDef>(document, expected);
    }
}

#[test]
fn errors_of_pool_sources() {
    for (within, expected) in [
        ("<host/>", "XML error: missing storage pool host name"),
        (
            "<host name='h' port='x'/>",
            "XML error: Invalid value for attribute 'port' in element 'host': 'x'. Expected integer value",
        ),
        (
            "<device/>",
            "XML error: missing storage pool source device path",
        ),
        (
            "<device path='d' part_separator='x'/>",
            "XML error: Invalid value for attribute 'part_separator' in element 'device': 'x'.",
        ),
        (
            "<format type='ext4'/>",
            "unsupported configuration: unknown pool format type ext4",
        ),
        (
            "<format type='cifs'/><protocol ver='3'/>",
            "unsupported configuration: storage pool protocol ver unsupported for pool type 'cifs'",
        ),
        ("<auth type='x'/>", "XML error: missing username for auth"),
        (
            "<auth type='x' username='u'/>",
            "unsupported configuration: unknown auth type 'x'",
        ),
        (
            "<auth type='none' username='u'/>",
            "XML error: Missing <secret> element in auth",
        ),
        (
            "<auth type='none' username='u'><secret usage='s'/></auth>",
            "unsupported configuration: storage pool missing auth type",
        ),
        (
            "<auth type='chap' username='u'><secret/></auth>",
            "XML error: missing secret uuid or usage attribute",
        ),
        (
            "<auth type='chap' username='u'><secret uuid='' usage='s'/></auth>",
            "XML error: either secret uuid or usage expected",
        ),
        (
            "<auth type='chap' username='u'><secret uuid='x'/></auth>",
            "XML error: invalid secret uuid 'x'",
        ),
        (
            "<adapter type='x'/>",
            "XML error: Invalid value for attribute 'type' in element 'adapter': 'x'.",
        ),
    ] {
        check_error::<StoragePoolDef>(
            &format!("<pool type='netfs'><source>{within}</source></pool>"),
            expected,
        );
    }
}

#[test]
fn errors_of_adapters() {
    for (adapter, expected) in [
        ("", "XML error: missing storage pool source adapter"),
        (
            "<adapter/>",
            "XML error: missing storage pool source adapter",
        ),
        (
            "<adapter name='a' wwnn='1'/>",
            "XML error: Use of 'wwnn', 'wwpn', and 'parent' attributes requires use of the adapter 'type'",
        ),
        (
            "<adapter name='a'><parentaddr/></adapter>",
            "XML error: Use of 'parentaddr' element requires use of the adapter 'type'",
        ),
        (
            "<adapter type='scsi_host'/>",
            "XML error: Either 'name' or 'parent' must be specified for the 'scsi_host' adapter",
        ),
        (
            "<adapter type='scsi_host'><parentaddr unique_id='x'/></adapter>",
            "XML error: Missing scsi_host PCI address element",
        ),
        (
            "<adapter type='scsi_host'><parentaddr><address slot='1'/></parentaddr></adapter>",
            "XML error: Missing or invalid scsi adapter 'unique_id' value",
        ),
        (
            "<adapter type='scsi_host' name='a'><parentaddr unique_id='1'><address/></parentaddr></adapter>",
            "XML error: Both 'name' and 'parent' cannot be specified for the 'scsi_host' adapter",
        ),
        (
            "<adapter type='fc_host' wwnn='1'/>",
            "XML error: 'wwnn' and 'wwpn' must be specified for adapter type 'fchost'",
        ),
        (
            "<adapter type='fc_host' wwnn='0X20000000c9831b4b' wwpn='20000000c9831b4b'/>",
            "internal error: Malformed wwn: 0X20000000c9831b4b",
        ),
        (
            "<adapter type='fc_host' wwnn='20000000c9831b4b' wwpn='20000000c9831b4b' parent_wwnn='1'/>",
            "XML error: when providing parent_wwnn='1', the parent_wwpn must also be provided",
        ),
        (
            "<adapter type='fc_host' wwnn='20000000c9831b4b' wwpn='20000000c9831b4b' parent_wwpn='1'/>",
            "XML error: when providing parent_wwpn='1', the parent_wwnn must also be provided",
        ),
        (
            "<adapter type='fc_host' wwnn='20000000c9831b4b' wwpn='20000000c9831b4b' parent_fabric_wwn='1'/>",
            "internal error: Malformed wwn: 1",
        ),
    ] {
        check_error::<StoragePoolDef>(
            &format!("<pool type='scsi'><name>p</name><source>{adapter}</source></pool>"),
            expected,
        );
    }
}

#[test]
fn errors_of_permissions() {
    for (within, expected) in [
        ("<mode>8</mode>", "XML error: malformed octal mode"),
        ("<mode>1000</mode>", "XML error: malformed octal mode"),
        ("<owner/>", "XML error: malformed owner element"),
        ("<owner>-2</owner>", "XML error: malformed owner element"),
        (
            "<group>4294967296</group>",
            "XML error: malformed group element",
        ),
        ("<group>5 </group>", "XML error: malformed group element"),
    ] {
        let target = format!("<target><path>/t</path><permissions>{within}</permissions></target>");
        check_error::<StoragePoolDef>(
            &format!("<pool type='dir'><name>p</name>{target}</pool>"),
            expected,
        );
        check_error::<StorageVolDef>(
            &format!("<volume><name>v</name><capacity>1</capacity>{target}</volume>"),
            expected,
        );
    }
}

#[test]
fn errors_of_volumes() {
    for (document, expected) in [
        (
            "<vol/>",
            "XML error: expecting root element of 'volume', not 'vol'",
        ),
        (
            "<volume type='x'/>",
            "XML error: missing volume name element",
        ),
        (
            "<volume type='x'><name>v</name></volume>",
            "unsupported configuration: unknown volume type 'x'",
        ),
        (
            "<volume><name>v</name></volume>",
            "XML error: missing capacity element",
        ),
        (
            "<volume><name>v</name><capacity>1 </capacity></volume>",
            "XML error: malformed capacity element",
        ),
        (
            "<volume><name>v</name><capacity unit='Ki'>1</capacity></volume>",
            "invalid argument: unknown suffix 'Ki'",
        ),
        (
            "<volume><name>v</name><capacity unit='EiB'>8</capacity></volume>",
            "numerical overflow: value too large: 8EiB",
        ),
        (
            "<volume><name>v</name><capacity>1</capacity><allocation>-1</allocation></volume>",
            "XML error: malformed capacity element",
        ),
        // The backing store is read before the capacity.
        (
            "<volume><name>v</name><backingStore><path>/b</path><format type='x'/></backingStore></volume>",
            "unsupported configuration: unknown volume format type x",
        ),
    ] {
        check_error::<StorageVolDef>(document, expected);
    }
    for (within, expected) in [
        (
            "<format type='auto'/>",
            "unsupported configuration: unknown volume format type auto",
        ),
        (
            "<compat>1</compat>",
            "XML error: forbidden characters in 'compat' attribute",
        ),
        (
            "<compat>1.1.1</compat>",
            "XML error: forbidden characters in 'compat' attribute",
        ),
        (
            "<clusterSize>x</clusterSize>",
            "XML error: Invalid value 'x' for element or attribute './target/clusterSize'",
        ),
        (
            "<features><x/></features>",
            "unsupported configuration: unsupported feature x",
        ),
        (
            "<encryption/>",
            "XML error: unknown volume encryption format",
        ),
        (
            "<encryption format='x'/>",
            "unsupported configuration: unknown volume encryption format type x",
        ),
        (
            "<encryption format='luks' engine='x'/>",
            "XML error: Invalid value for attribute 'engine' in element 'encryption': 'x'.",
        ),
        (
            "<encryption format='luks'><secret/></encryption>",
            "XML error: unknown volume encryption secret type",
        ),
        (
            "<encryption format='luks'><secret type='none'/></encryption>",
            "unsupported configuration: unknown volume encryption secret type none",
        ),
        (
            "<encryption format='luks'><cipher size='1'/></encryption>",
            "XML error: cipher info missing 'name' attribute",
        ),
        (
            "<encryption format='luks'><cipher name='a'/></encryption>",
            "XML error: Missing required attribute 'size' in element 'cipher'",
        ),
        (
            "<encryption format='luks'><ivgen name='a'/></encryption>",
            "XML error: ivgen element found, but cipher is missing",
        ),
        (
            "<encryption format='luks'><cipher name='a' size='1'/><ivgen/></encryption>",
            "XML error: missing ivgen info name string",
        ),
    ] {
        let document = format!(
            "<volume><name>v</name><capacity>1</capacity><target>{within}</target></volume>"
        );
        let error = read_volume(StoragePoolType::Dir, &document).unwrap_err();
        assert_eq!(error.to_string(), expected, "{document}");
    }
}

#[test]
fn formats_are_those_of_the_pool() {
    use StoragePoolType::{Dir, Disk, Iscsi};
    let document = "<volume><name>v</name><capacity>1</capacity>
                      <target><format type='linux'/></target></volume>";
    assert!(read_volume(Dir, document).is_err());
    assert!(read_volume(Disk, document).is_ok());
    let read = read_volume(Iscsi, document).unwrap();
    assert_eq!(read.document.target.format, None);
    assert_eq!(read.unmodelled, ["/volume/target/format"]);
}

#[test]
fn a_capacity_may_be_missing_where_the_caller_says_so() {
    let read = |flags, within: &str| {
        let document = format!("<volume><name>v</name>{within}</volume>");
        let read = StorageVolDef::read_xml_in(StoragePoolType::Dir, flags, &document);
        read.map(|read| read.document.capacity).ok()
    };
    let backed = "<backingStore><path>/b</path></backingStore>";
    assert_eq!(read(StorageVolParseFlags::NO_CAPACITY, ""), Some(0));
    assert_eq!(read(StorageVolParseFlags::OPT_CAPACITY, ""), None);
    assert_eq!(read(StorageVolParseFlags::OPT_CAPACITY, backed), Some(0));
    assert_eq!(read(StorageVolParseFlags::NONE, backed), None);
}

#[test]
fn errors_of_secrets() {
    for (document, expected) in [
        (
            "<secre/>",
            "XML error: expecting root element of 'secret', not 'secre'",
        ),
        (
            "<secret ephemeral='x'/>",
            "XML error: invalid value of 'ephemeral'",
        ),
        (
            "<secret private='x'/>",
            "XML error: invalid value of 'private'",
        ),
        (
            "<secret><uuid>x</uuid></secret>",
            "internal error: malformed uuid element",
        ),
        (
            "<secret><usage/></secret>",
            "XML error: unknown secret usage type",
        ),
        (
            "<secret><usage type='x'/></secret>",
            "unsupported configuration: unknown secret usage type x",
        ),
        (
            "<secret><usage type='volume'/></secret>",
            "internal error: volume usage specified, but volume path is missing",
        ),
        (
            "<secret><usage type='ceph'/></secret>",
            "internal error: Ceph usage specified, but name is missing",
        ),
        (
            "<secret><usage type='iscsi'><name>n</name></usage></secret>",
            "internal error: iSCSI usage specified, but target is missing",
        ),
        (
            "<secret><usage type='tls'/></secret>",
            "internal error: TLS usage specified, but name is missing",
        ),
        (
            "<secret><usage type='vtpm'/></secret>",
            "internal error: vTPM usage specified, but name is missing",
        ),
    ] {
        check_error::<SecretDef>(document, expected);
    }
}

/// libvirt writes these and does not read them, so nothing in them is an error.
#[test]
fn what_is_only_shown_is_read_leniently() {
    let pool = StoragePoolDef::read_xml(
        "<pool type='dir'><name>p</name><capacity unit='K'>2</capacity><available>x</available>
           <target><path>/t</path></target></pool>",
    )
    .unwrap();
    assert_eq!(pool.unmodelled, ["/pool/available"]);
    assert_eq!((pool.document.capacity, pool.document.available), (2048, 0));
    let volume = StorageVolDef::read_xml(
        "<volume><name>v</name><capacity>1</capacity><physical unit='x'>2</physical>
           <source>
             <device path='/dev/sda'><extent start='0' end='9'/><extent start='x' end='9'/></device>
             <device/>
           </source>
           <target><timestamps><atime>7.25</atime><mtime>x</mtime></timestamps></target></volume>",
    )
    .unwrap();
    let mut unmodelled = volume.unmodelled;
    unmodelled.sort();
    assert_eq!(
        unmodelled,
        [
            "/volume/physical",
            "/volume/source/device[1]/extent[2]",
            "/volume/source/device[2]",
            "/volume/target/timestamps/mtime",
        ]
    );
    let volume = volume.document;
    let device = StorageVolDevice {
        path: "/dev/sda".to_owned(),
        extents: vec![StorageVolExtent { start: 0, end: 9 }],
        ..StorageVolDevice::default()
    };
    assert_eq!(volume.source, [device]);
    let timestamps = StorageVolTimestamps {
        atime: Some(Timestamp {
            seconds: 7,
            nanoseconds: 250_000_000,
        }),
        ..StorageVolTimestamps::default()
    };
    assert_eq!(volume.target.timestamps, Some(timestamps));
    let written = volume.to_xml(Default::default());
    assert!(
        written.contains("    <timestamps>\n      <atime>7.250000000</atime>\n    </timestamps>\n"),
        "{written}"
    );
    assert!(
        written.contains("      <extent start='0' end='9'/>\n"),
        "{written}"
    );
}

/// A source's elements that pools of the type do not have are read and not written.
#[test]
fn a_pool_shows_only_what_its_type_has() {
    let pool = StoragePoolDef::from_xml(
        "<pool type='dir'><name>p</name>
           <source><host name='h'/><device path='/d'/><dir path='/e'/><name>n</name></source>
           <target><path>/t</path></target></pool>",
    )
    .unwrap();
    let written = pool.to_xml(Default::default());
    assert!(written.contains("  <source>\n  </source>\n"), "{written}");
}

/// libvirt writes a number that it does not read back.
#[test]
fn large_owners_are_written_with_a_sign() {
    let pool = StoragePoolDef::from_xml(
        "<pool type='dir'><name>p</name><target><path>/t</path>
           <permissions><owner>4294967294</owner></permissions></target></pool>",
    )
    .unwrap();
    let written = pool.to_xml(Default::default());
    assert!(written.contains("<owner>-2</owner>"), "{written}");
    let error = StoragePoolDef::from_xml(&written).unwrap_err();
    assert_eq!(error.to_string(), "XML error: malformed owner element");
}

#[test]
fn a_source_is_read_by_itself() {
    let read = |xml, kind| StoragePoolSource::read_xml(xml, kind).map(|read| read.document);
    let source = read("<source/>", StoragePoolType::Netfs).unwrap();
    assert_eq!(
        sources_to_xml(StoragePoolType::Netfs, &[source]),
        "<sources>\n  <source>\n    <format type='auto'/>\n  </source>\n</sources>\n"
    );
    assert_eq!(
        sources_to_xml(StoragePoolType::Iscsi, &[]),
        "<sources>\n</sources>\n"
    );
    let error = read("<sourc/>", StoragePoolType::Dir).unwrap_err();
    assert_eq!(
        error.to_string(),
        "XML error: expecting root element of 'source', not 'sourc'"
    );
}
