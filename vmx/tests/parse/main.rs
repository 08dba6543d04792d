//! VMX files and their definitions: tables of lines and parts of the documents.
//!
//! The lines follow a head that makes them a complete file. Definitions are compared as documents.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod corners;
mod devices;
mod disks;
mod domain;
mod errors;
mod field;
mod hostile;
mod kinds;
mod lenient;
mod versions;

use virt_model::{Document, DomainXmlFlags};
use vmx::names::{Datastore, Datastores};
use vmx::{LibvirtVersion, Mode, ParseOptions};

/// A file of these lines.
fn file(lines: &str) -> String {
    let mut text = String::new();
    for (key, value) in [
        ("config.version", "8"),
        ("virtualHW.version", "9"),
        ("displayName", "web"),
    ] {
        if !lines
            .to_ascii_lowercase()
            .contains(&key.to_ascii_lowercase())
        {
            text.push_str(&format!("{key} = \"{value}\"\n"));
        }
    }
    text + lines
}

fn host(libvirt: LibvirtVersion) -> Datastores {
    Datastores {
        datastores: vec![Datastore {
            name: "fast".to_owned(),
            mount: "/vmfs/volumes/4f0a-77".to_owned(),
        }],
        directory: "[fast] web".to_owned(),
        libvirt,
        ..Datastores::default()
    }
}

/// The document that libvirt makes, or its error.
fn strict(lines: &str, libvirt: LibvirtVersion) -> Result<String, String> {
    let options = ParseOptions::strict().as_libvirt(libvirt);
    let parsed = vmx::parse(file(lines), &host(libvirt), &options);
    let parsed = parsed.map_err(|error| error.to_string())?;
    assert_eq!(parsed.warnings, []);
    Ok(parsed.domain.to_xml(DomainXmlFlags::SECURE))
}

/// The document that lenient mode makes, and its warnings.
fn lenient(lines: &str) -> (String, Vec<String>) {
    let options = ParseOptions::default();
    assert_eq!(options.mode, Mode::Lenient);
    let parsed = vmx::parse(file(lines), &host(options.libvirt), &options).unwrap();
    let warnings = parsed.warnings.iter().map(ToString::to_string).collect();
    (parsed.domain.to_xml(DomainXmlFlags::SECURE), warnings)
}

/// Checks that the lines make a document with `part`. Indentation does not count.
#[track_caller]
fn gives(lines: &str, part: &str) {
    gives_as(LibvirtVersion::Newest, lines, part);
}

#[track_caller]
fn gives_as(libvirt: LibvirtVersion, lines: &str, part: &str) {
    let document = strict(lines, libvirt).unwrap_or_else(|error| panic!("{error}\n{lines}"));
    assert!(has(&document, part), "no\n{part}\nin\n{document}");
}

/// Checks that the lines make a document without `part`.
#[track_caller]
fn gives_no(lines: &str, part: &str) {
    gives_no_as(LibvirtVersion::Newest, lines, part);
}

#[track_caller]
fn gives_no_as(libvirt: LibvirtVersion, lines: &str, part: &str) {
    let document = strict(lines, libvirt).unwrap_or_else(|error| panic!("{error}\n{lines}"));
    assert!(!has(&document, part), "{part}\nin\n{document}");
}

/// Checks that strict mode refuses the lines with this internal error.
#[track_caller]
fn refuses(lines: &str, message: &str) {
    refuses_as(LibvirtVersion::Newest, lines, message);
}

#[track_caller]
fn refuses_as(libvirt: LibvirtVersion, lines: &str, message: &str) {
    let found = strict(lines, libvirt);
    assert_eq!(found, Err(format!("internal error: {message}")), "{lines}");
}

fn has(document: &str, part: &str) -> bool {
    let bare = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n");
    bare(document).contains(&bare(part))
}
