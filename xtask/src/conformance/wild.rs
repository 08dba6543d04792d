use std::fs;
use std::io;
use std::path::Path;

use vmx::names::Datastores;
use vmx::{LibvirtVersion, ParseOptions};

use super::Tally;
use super::diff::unified;
use virt_model::domain::{DiskDevice, DiskSource};
use virt_model::{Document, DomainDef, DomainXmlFlags};

/// Converts VMX files of people: strictly, and compares with what virsh printed beside; and
/// leniently, where only an encrypted file may be refused.
pub(super) fn run(folder: &Path, warnings: bool, tally: &mut Tally) -> io::Result<()> {
    let mut files: Vec<_> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|suffix| suffix == "vmx"));
    files.sort();
    for path in files {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let bytes = fs::read(&path)?;
        if let Some(expected) = answer(&path)? {
            let found = as_virsh(&bytes);
            if found == expected {
                tally.pass();
            } else {
                tally.fail(&format!("strict/{name}"), &unified(&expected, &found));
            }
        }
        match lenient(&bytes) {
            Ok(told) => {
                tally.pass();
                for warning in told.iter().filter(|_| warnings) {
                    println!("{name}: {warning}");
                }
            }
            Err(error) => tally.fail(&format!("lenient/{name}"), &error),
        }
    }
    Ok(())
}

/// What virsh printed: the document with an empty line behind it, or the line of the error.
fn answer(path: &Path) -> io::Result<Option<String>> {
    for suffix in ["xml", "err"] {
        let path = path.with_extension(suffix);
        if path.is_file() {
            // libvirt prints a name as the file has it, even where that is no text.
            let answer = fs::read(path)?;
            return Ok(Some(String::from_utf8_lossy(&answer).into_owned()));
        }
    }
    Ok(None)
}

/// What strict mode makes of a file, as virsh 9.0.0 prints it when the server knows none of the datastores.
pub(crate) fn as_virsh(bytes: &[u8]) -> String {
    let libvirt = LibvirtVersion::V9_0;
    let names = Datastores {
        directory: "[?] ?".to_owned(),
        libvirt,
        ..Datastores::default()
    };
    match vmx::parse(bytes, &names, &ParseOptions::strict().as_libvirt(libvirt)) {
        Ok(parsed) => format!("{}\n", parsed.domain.to_xml(DomainXmlFlags::INACTIVE)),
        Err(error) => format!("error: {error}\n"),
    }
}

/// The warnings, once our own reader has taken the document back.
fn lenient(bytes: &[u8]) -> Result<Vec<String>, String> {
    let parsed = match vmx::to_domain(bytes) {
        Ok(parsed) => parsed,
        Err(error) if error.key() == Some("encryption.data") => return Ok(vec![error.to_string()]),
        Err(error) => return Err(format!("error: {error}")),
    };
    let mut domain = parsed.domain;
    let xml = domain.to_xml(DomainXmlFlags::SECURE);
    let read = DomainDef::from_xml(&xml).map_err(|error| format!("error: {error}\n{xml}"))?;
    // Who reads a document takes every empty drive for one of images, as libvirt does.
    for disk in &mut domain.devices.disks {
        let drive = disk.device != DiskDevice::Disk;
        if drive && disk.source == DiskSource::Block(None) && disk.startup_policy.is_none() {
            disk.source = DiskSource::File(None);
        }
    }
    let (made, again) = (
        domain.to_xml(DomainXmlFlags::SECURE),
        read.to_xml(DomainXmlFlags::SECURE),
    );
    if again != made {
        return Err(unified(&made, &again));
    }
    Ok(parsed.warnings.iter().map(ToString::to_string).collect())
}
