//! The documents of a host's networks, interfaces and devices: pairs of a document and the form in which libvirt
//! 9.0 writes it (observed with virsh and the test driver), and errors.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::Path};

use virt_model::{
    Document, DomainCapabilitiesDef, InterfaceDef, NetworkDef, NodeDeviceDef, SysinfoDef,
};

/// Checks every pair `NAME.xml` and `NAME.out.xml` of a folder.
fn check_folder<D: Document + PartialEq + std::fmt::Debug>(folder: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/documents")
        .join(folder);
    let mut pairs = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(stem) = name.strip_suffix(".out.xml") else {
            continue;
        };
        let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        let read = D::read_xml(&text(&format!("{stem}.xml"))).unwrap();
        let written = read.document.to_xml(D::Flags::default());
        assert_eq!(written, text(&name), "{name}");
        // libvirt's form does not change when it is read and written.
        let again = D::read_xml(&written).unwrap();
        assert_eq!(
            again.document.to_xml(D::Flags::default()),
            written,
            "{name}"
        );
        assert_eq!(again.unmodelled, Vec::<String>::new(), "{name}");
        pairs += 1;
    }
    assert!(pairs > 5, "{pairs} pairs in {}", folder.display());
}

#[test]
fn interfaces_are_written_as_libvirt_writes_them() {
    check_folder::<InterfaceDef>("interface");
}

#[test]
fn node_devices_are_written_as_libvirt_writes_them() {
    check_folder::<NodeDeviceDef>("node_device");
}

/// Checks the errors of documents: pairs of lines, a document and the error, from a file.
fn check_errors<D: Document + std::fmt::Debug>(pairs: &str) {
    let mut lines = pairs.lines();
    let mut checked = 0;
    while let (Some(document), Some(expected)) = (lines.next(), lines.next()) {
        let error = D::read_xml(document).unwrap_err().to_string();
        // Some of libvirt's texts end with a blank.
        assert_eq!(error.trim(), expected.trim(), "{document}");
        checked += 1;
    }
    assert!(checked > 20, "{checked} errors");
}

#[test]
fn errors_of_interfaces() {
    check_errors::<InterfaceDef>(include_str!("documents/interface/errors.txt"));
}

#[test]
fn errors_of_node_devices() {
    check_errors::<NodeDeviceDef>(include_str!("documents/node_device/errors.txt"));
}

/// What the test driver's `virsh sysinfo` prints, with the other parts as libvirt's schema has them.
#[test]
fn sysinfo_is_read_as_it_is_written() {
    let xml = "\
<sysinfo type='smbios'>
  <bios>
    <entry name='vendor'>LENOVO</entry>
    <entry name='version'>G4ETA1WW (2.61 )</entry>
    <entry name='date'>05/07/2014</entry>
    <entry name='release'>2.61</entry>
  </bios>
  <system>
    <entry name='manufacturer'>a &lt; b</entry>
    <entry name='uuid'>dd8fe884-6c02-601e-7551-cca97df1c5df</entry>
    <entry name='family'>f</entry>
  </system>
  <baseBoard>
    <entry name='product'>p</entry>
  </baseBoard>
  <baseBoard>
    <entry name='location'>l</entry>
  </baseBoard>
  <chassis>
    <entry name='sku'>s</entry>
  </chassis>
  <processor>
    <entry name='type'>t</entry>
    <entry name='part_number'>n</entry>
  </processor>
  <memory_device>
    <entry name='size'>16 GB</entry>
    <entry name='type'>DRAM</entry>
  </memory_device>
  <oemStrings>
    <entry>one</entry>
    <entry>two</entry>
  </oemStrings>
</sysinfo>
";
    let read = SysinfoDef::read_xml(xml).unwrap();
    assert_eq!(read.unmodelled, Vec::<String>::new());
    assert_eq!(read.document.to_xml(Default::default()), xml);
    assert_eq!(
        SysinfoDef::from_xml("<sysinfo type='x'/>")
            .unwrap_err()
            .to_string(),
        "XML error: Invalid value for attribute 'type' in element 'sysinfo': 'x'."
    );
}

/// The document has the shape of those in libvirt's documentation.
#[test]
fn domain_capabilities_are_read_as_they_are_written() {
    let xml = "\
<domainCapabilities>
  <path>/bin/vmx</path>
  <domain>vmware</domain>
  <machine>vmx-19</machine>
  <arch>x86_64</arch>
  <vcpu max='128'/>
  <iothreads supported='no'/>
  <os supported='yes'>
    <enum name='firmware'>
      <value>bios</value>
      <value>efi</value>
    </enum>
    <loader supported='yes'>
      <value>/a</value>
      <enum name='secure'>
        <value>no</value>
      </enum>
    </loader>
  </os>
  <cpu>
    <mode name='host-passthrough' supported='yes'>
      <enum name='hostPassthroughMigratable'/>
    </mode>
    <mode name='maximum' supported='no'/>
    <mode name='host-model' supported='yes'>
      <model fallback='forbid'>Skylake</model>
      <vendor>Intel</vendor>
      <feature policy='require' name='ss'/>
    </mode>
    <mode name='custom' supported='yes'>
      <model usable='yes'>qemu64</model>
    </mode>
  </cpu>
  <memoryBacking supported='no'/>
  <devices>
    <disk supported='yes'>
      <enum name='diskDevice'>
        <value>disk</value>
      </enum>
    </disk>
    <rng supported='no'/>
  </devices>
  <features>
    <gic supported='no'/>
  </features>
</domainCapabilities>
";
    let read = DomainCapabilitiesDef::read_xml(xml).unwrap();
    assert_eq!(read.unmodelled, Vec::<String>::new());
    assert_eq!(read.document.to_xml(Default::default()), xml);
}

#[test]
fn networks_are_written_as_libvirt_writes_them() {
    check_folder::<NetworkDef>("network");
}

#[test]
fn errors_of_networks() {
    check_errors::<NetworkDef>(include_str!("documents/network/errors.txt"));
}
