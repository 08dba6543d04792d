//! The VMX file of a clone.

use virt_model::{ErrorNumber, Uuid};
use vmx::VmxFile;
use vmx::escape::{PERCENT, PIPE};
use vmx::names::{Datastores, FileNames as _, Missing};

use crate::{DatastorePath, Error, ErrorKind, Result};

/// What the clone has of its own.
pub(super) struct Edit<'a> {
    pub(super) name: &'a str,
    /// The name of its directory and files.
    pub(super) item: &'a str,
    /// The BIOS UUID.
    pub(super) uuid: Uuid,
    /// The disks, and their copies in its directory.
    pub(super) disks: Vec<(&'a DatastorePath, &'a DatastorePath)>,
    /// The file names of the original's directory.
    pub(super) names: &'a Datastores,
    /// The original's VMX file.
    pub(super) source: &'a DatastorePath,
}

/// The text of the clone's file.
pub(super) struct Edited {
    pub(super) text: Vec<u8>,
    /// The name of the original's file of firmware variables.
    pub(super) nvram: Option<String>,
}

/// What names or belongs to the original only. The host makes new ones of what it needs.
const OWN: &[&str] = &[
    "uuid.location",
    "uuid.action",
    "vc.uuid",
    "vm.genid",
    "vm.genidX",
    "vmci0.id",
    "extendedConfigFile",
    "sched.swap.derivedName",
    "workingDir",
    "checkpoint.vmState",
    "checkpoint.vmState.readOnly",
    "migrate.hostLog",
    "replay.filename",
];

/// Edits the original's file so that it is the clone's. What nobody knows stays as it is.
///
/// # Errors
/// [`ErrorKind::Definition`] if the file does not have one of the disks, or if its encoding lacks a character of the name.
pub(super) fn edit(text: &[u8], edit: &Edit<'_>) -> Result<Edited> {
    let mut file = VmxFile::read(text).map_err(Error::of_vmx)?;
    let mut changes = disks(&file, edit)?;
    changes.extend(images(&file, edit));
    changes.extend(cards(&file));
    let nvram = file.get("nvram").map(|name| name.into_owned());
    if nvram.is_some() {
        changes.push(("nvram".to_owned(), Some(format!("{}.nvram", edit.item))));
    }
    let name = PIPE.escape(edit.name);
    let name = PERCENT.escape(&name).into_owned();
    changes.push(("displayName".to_owned(), Some(name)));
    changes.push(("uuid.bios".to_owned(), Some(spaced(edit.uuid))));
    changes.extend(OWN.iter().map(|key| ((*key).to_owned(), None)));
    for (key, value) in changes {
        match value {
            Some(value) => file.set(&key, &value).map_err(Error::of_vmx)?,
            None => drop(file.remove(&key)),
        }
    }
    Ok(Edited {
        text: file.as_bytes().to_vec(),
        // A file elsewhere belongs to nobody in particular.
        nvram: nvram.filter(|name| !name.contains('/')),
    })
}

/// A key, and its new value if it keeps one.
type KeyChange = (String, Option<String>);

/// The names of the copied disks.
fn disks(file: &VmxFile, edit: &Edit<'_>) -> Result<Vec<KeyChange>> {
    let mut changes = Vec::new();
    for (from, to) in &edit.disks {
        let entry = file.entries().find(|entry| {
            let is_file = suffix(entry.key(), ".fileName").is_some();
            is_file && resolved(edit, &entry.value()).as_ref() == Some(*from)
        });
        let Some(entry) = entry else {
            let message = format!("the file '{}' does not have the disk '{from}'", edit.source);
            return Err(Error::new(
                ErrorKind::Definition,
                ErrorNumber::InternalError,
                message,
            ));
        };
        changes.push((entry.key().to_owned(), Some(to.file().to_owned())));
        let device = suffix(entry.key(), ".fileName").unwrap_or_default();
        let redo = format!("{device}.redo");
        if file.get(&redo).is_some() {
            changes.push((redo, Some(String::new())));
        }
    }
    Ok(changes)
}

/// The file that a name means.
fn resolved(edit: &Edit<'_>, name: &str) -> Option<DatastorePath> {
    let path = edit.names.parse(name, Missing::Allowed).ok()??;
    let path: DatastorePath = path.parse().ok()?;
    // In a datastore's root the directory is empty.
    Some(DatastorePath::new(
        path.datastore(),
        path.path().trim_start_matches('/'),
    ))
}

/// Images in drives, which stay where they are: their names are no longer relative.
fn images(file: &VmxFile, edit: &Edit<'_>) -> Vec<KeyChange> {
    let images = file.entries().filter_map(|entry| {
        let device = suffix(entry.key(), ".fileName")?;
        let kind = |key: &str| {
            let value = file.get(&format!("{device}.{key}"));
            value.map(|value| value.to_ascii_lowercase())
        };
        let is_image = kind("deviceType").as_deref() == Some("cdrom-image")
            || kind("fileType").as_deref() == Some("file") && device.starts_with("floppy");
        let name = entry.value();
        if !is_image || name.is_empty() || name.starts_with('/') || name.contains('\\') {
            return None;
        }
        let path = resolved(edit, &name)?;
        let absolute = edit.names.format(&path.to_string()).ok()?;
        Some((entry.key().to_owned(), Some(absolute)))
    });
    images.collect()
}

/// MAC addresses: the host makes new ones.
fn cards(file: &VmxFile) -> Vec<KeyChange> {
    let entries = file.starting_with("ethernet");
    let changes = entries.filter_map(|entry| {
        let key = entry.key();
        let (_, property) = key.split_once('.')?;
        let value = match property.to_ascii_lowercase().as_str() {
            "address" | "generatedaddress" | "generatedaddressoffset" => None,
            "addresstype" => Some("generated".to_owned()),
            _ => return None,
        };
        Some((key.to_owned(), value))
    });
    changes.collect()
}

/// What is in front of `end`, in any case.
fn suffix<'a>(key: &'a str, end: &str) -> Option<&'a str> {
    let at = key.len().checked_sub(end.len())?;
    let (front, found) = key.split_at_checked(at)?;
    found.eq_ignore_ascii_case(end).then_some(front)
}

/// A UUID as VMX files have it: `56 4d 9b ef ac d9 b4 e0-c8 f0 ae a8 b9 10 35 15`.
fn spaced(uuid: Uuid) -> String {
    let bytes = uuid.as_bytes().map(|byte| format!("{byte:02x}"));
    format!("{}-{}", bytes[..8].join(" "), bytes[8..].join(" "))
}

#[cfg(test)]
mod tests {
    use vmx::names::Datastore;

    use super::*;

    const ORIGINAL: &str = r#"# by hand
.encoding = "UTF-8"
displayName = "web01"
uuid.bios = "56 4d 9b ef ac d9 b4 e0-c8 f0 ae a8 b9 10 35 15"
uuid.location = "56 4d 9b ef ac d9 b4 e0-c8 f0 ae a8 b9 10 35 16"
vc.uuid = "52 4d 9b ef ac d9 b4 e0-c8 f0 ae a8 b9 10 35 17"
nvram = "web01.nvram"
guestinfo.role = "web"
scsi0:0.fileName = "web01-000002.vmdk"
scsi0:0.redo = "x"
SCSI0:1.FILENAME = "/vmfs/volumes/5458b680/data/data.vmdk"
sata0:0.deviceType = "cdrom-image"
sata0:0.fileName = "tools.iso"
sata0:1.deviceType = "cdrom-image"
sata0:1.fileName = "/vmfs/volumes/5458b680/iso/a.iso"
serial0.fileName = "serial.log"
ethernet0.addressType = "static"
ethernet0.address = "00:50:56:00:00:01"
ethernet0.networkName = "VM Network"
ethernet1.addressType = "vpx"
ethernet1.generatedAddress = "00:50:56:00:00:02"
ethernet1.generatedAddressOffset = "0"
sched.swap.derivedName = "/vmfs/volumes/x/web01.vswp"
"#;

    const CLONE: &str = r#"# by hand
.encoding = "UTF-8"
displayName = "web |22two|22%2f2"
uuid.bios = "00 01 02 03 04 05 06 07-08 09 0a 0b 0c 0d 0e 0f"
nvram = "web2.nvram"
guestinfo.role = "web"
scsi0:0.fileName = "web2.vmdk"
scsi0:0.redo = ""
SCSI0:1.FILENAME = "web2_1.vmdk"
sata0:0.deviceType = "cdrom-image"
sata0:0.fileName = "/vmfs/volumes/5458b680/web01/tools.iso"
sata0:1.deviceType = "cdrom-image"
sata0:1.fileName = "/vmfs/volumes/5458b680/iso/a.iso"
serial0.fileName = "serial.log"
ethernet0.addressType = "generated"
ethernet0.networkName = "VM Network"
ethernet1.addressType = "generated"
"#;

    fn edited(disks: &[(&str, &str)]) -> Result<Edited> {
        let names = Datastores {
            datastores: vec![Datastore {
                name: "ds".to_owned(),
                mount: "/vmfs/volumes/5458b680".to_owned(),
            }],
            directory: "[ds] web01".to_owned(),
            ..Datastores::default()
        };
        let path = |text: &str| -> DatastorePath { text.parse().unwrap() };
        let disks: Vec<_> = disks
            .iter()
            .map(|(from, to)| (path(from), path(to)))
            .collect();
        let source = path("[ds] web01/web01.vmx");
        edit(
            ORIGINAL.as_bytes(),
            &Edit {
                name: "web \"two\"/2",
                item: "web2",
                uuid: Uuid::from_bytes(std::array::from_fn(|at| at as u8)),
                disks: disks.iter().map(|(from, to)| (from, to)).collect(),
                names: &names,
                source: &source,
            },
        )
    }

    #[test]
    fn a_clone_has_its_own_name_identity_disks_and_addresses() {
        let disks = [
            ("[ds] web01/web01-000002.vmdk", "[ds] web2/web2.vmdk"),
            ("[ds] data/data.vmdk", "[ds] web2/web2_1.vmdk"),
        ];
        let edited = edited(&disks).unwrap();
        assert_eq!(String::from_utf8(edited.text).unwrap(), CLONE);
        assert_eq!(edited.nvram.as_deref(), Some("web01.nvram"));
    }

    #[test]
    fn a_disk_that_the_file_does_not_have_is_an_error() {
        let error = edited(&[("[ds] web01/other.vmdk", "[ds] web2/web2.vmdk")]);
        let error = error.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Definition);
        assert_eq!(
            error.message(),
            "the file '[ds] web01/web01.vmx' does not have the disk '[ds] web01/other.vmdk'"
        );
    }
}
