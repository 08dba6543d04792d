//! Definitions and their VMX files: each test adds something to the simplest definition and checks the
//! lines that the file gets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod corners;
mod devices;
mod disks;
mod errors;
mod general;
mod large;
mod lenient;
mod loss;
mod round_trip;
mod versions;

use virt_model::domain::Disk;
use virt_model::{DomainDef, Uuid};
use vmx::names::{FileNameError, Missing};
use vmx::{FileNames, FormatOptions, LibvirtVersion, Mode, VmxError};

/// The file names of a host that has all datastores in `/vol` and knows the models of disks.
struct Host;

impl FileNames for Host {
    fn parse(&self, name: &str, _: Missing) -> Result<Option<String>, FileNameError> {
        let name = name.strip_prefix("/vol/").unwrap_or(name);
        Ok(Some(match name.split_once('/') {
            Some((ds, path)) if !ds.is_empty() => format!("[{ds}] {path}"),
            _ => name.to_owned(),
        }))
    }

    fn format(&self, source: &str) -> Result<String, FileNameError> {
        match source
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("] "))
        {
            Some((ds, path)) => Ok(format!("/vol/{ds}/{path}")),
            None if source.starts_with('/') => Ok(source.to_owned()),
            None => Err(FileNameError::unknown(source)),
        }
    }

    fn scsi_model(&self, disk: &Disk) -> Result<Option<String>, FileNameError> {
        let path = disk.source.path().unwrap_or_default();
        Ok(["lsilogic", "vmpvscsi"]
            .into_iter()
            .find(|model| path.contains(model))
            .map(str::to_owned))
    }
}

/// The simplest definition.
fn simple() -> DomainDef {
    let mut def = DomainDef::new("vmware", "web");
    def.uuid = Some(Uuid::from_bytes([
        0x0a, 0x1b, 0x2c, 0x3d, 0x4e, 0x5f, 0x40, 0x71, 0x82, 0x93, 0xa4, 0xb5, 0xc6, 0xd7, 0xe8,
        0xf9,
    ]));
    def.memory = 8192;
    def
}

fn strict(hardware: u32) -> FormatOptions {
    FormatOptions::new(hardware).mode(Mode::Strict)
}

fn format(def: &DomainDef, options: &FormatOptions) -> Result<String, VmxError> {
    vmx::format(def, &Host, options)
}

/// The lines that a file has beyond that of the simplest definition. Lines that only the latter has
/// start with `-`.
fn difference(def: &DomainDef, options: &FormatOptions) -> Result<Vec<String>, VmxError> {
    let base = format(&simple(), options)?;
    let text = format(def, options)?;
    let added = text
        .lines()
        .filter(|line| !base.lines().any(|old| old == *line));
    let gone = base
        .lines()
        .filter(|line| !text.lines().any(|new| new == *line));
    Ok(added
        .map(str::to_owned)
        .chain(gone.map(|line| format!("-{line}")))
        .collect())
}

/// Checks the lines that `edit` adds, on hardware 4, whose files have the fewest lines.
#[track_caller]
fn check(edit: impl FnOnce(&mut DomainDef), expected: &[&str]) {
    check_with(&strict(4), edit, expected);
}

#[track_caller]
fn check_with(options: &FormatOptions, edit: impl FnOnce(&mut DomainDef), expected: &[&str]) {
    let mut def = simple();
    edit(&mut def);
    let found = difference(&def, options).unwrap_or_else(|error| vec![error.to_string()]);
    let expected: Vec<&str> = expected.to_vec();
    assert_eq!(found, expected);
}

/// Checks the error after `edit`.
#[track_caller]
fn refused(options: &FormatOptions, edit: impl FnOnce(&mut DomainDef), expected: &str) {
    let mut def = simple();
    edit(&mut def);
    let found = format(&def, options).map_err(|error| error.to_string());
    assert_eq!(found, Err(expected.to_owned()));
}

fn as_libvirt(version: LibvirtVersion, hardware: u32) -> FormatOptions {
    strict(hardware).as_libvirt(version)
}
