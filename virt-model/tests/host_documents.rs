//! The documents of a host's interfaces and devices: pairs of a document and the form in which libvirt
//! 9.0 writes it (observed with virsh and the test driver), and errors.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{fs, path::Path};

use virt_model::{Document, InterfaceDef, NodeDeviceDef};

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
        let error = D::read_xml(document).unwrap_err();
        assert_eq!(error.to_string(), expected.trim(), "{document}");
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
