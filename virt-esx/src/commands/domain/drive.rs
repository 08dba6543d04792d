//! Disks and drives in a domain's document, as virsh finds and changes them.

use xmltree::{Element, XMLNode};

use crate::failure::Failure;
use crate::markup::{self, attribute_of};

/// Which disks are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Any,
    /// CD-ROM and floppy drives.
    WithMedia,
}

/// The disk whose source or target is `path`. libvirt calls a disk on SCSI and a drive on SATA both `sda`, and virsh takes
/// the first one. It is taken to be shown only: a disk that is changed must be the only one.
///
/// # Errors
/// virsh's text if there is none. An error that names all if there are several and one is to be changed.
pub(super) fn find(
    document: Element,
    path: &str,
    wanted: Wanted,
    is_only_shown: bool,
) -> Result<Element, Failure> {
    let mut found = all(document, path, wanted)?;
    if is_only_shown || found.len() == 1 {
        return Ok(found.swap_remove(0));
    }
    let shown = |disk: &Element| {
        let device = disk.attributes.get("device").map_or("disk", String::as_str);
        let bus = attribute_of(disk, "target", "bus").unwrap_or("unknown");
        match source_of(disk) {
            Some(source) => format!("the {device} '{source}' on {bus}"),
            None => format!("an empty {device} on {bus}"),
        }
    };
    let shown: Vec<_> = found.iter().map(shown).collect();
    let line = format!("Several disks are called '{path}': {}", shown.join(", "));
    Err(Failure::new(line).advise(
        "use the source of the disk; detach-device-alias takes VMware's names, such as scsi0:0 and sata0:0",
    ))
}

/// The disks whose source or target is `path`: one or more.
fn all(document: Element, path: &str, wanted: Wanted) -> Result<Vec<Element>, Failure> {
    let disks = markup::devices(document, "disk").into_iter();
    let disks = disks.filter(|disk| {
        let device = disk.attributes.get("device").map(String::as_str);
        wanted == Wanted::Any || matches!(device, Some("cdrom" | "floppy"))
    });
    let found: Vec<_> = disks
        .filter(|disk| {
            source_of(disk) == Some(path) || attribute_of(disk, "target", "dev") == Some(path)
        })
        .collect();
    match found.is_empty() {
        true => {
            let line = format!("No disk found whose source path or target is {path}");
            Err(Failure::new(line))
        }
        false => Ok(found),
    }
}

/// The file or device of a disk.
fn source_of(disk: &Element) -> Option<&str> {
    let mut sources = ["file", "dev", "dir", "name"].into_iter();
    sources.find_map(|attribute| attribute_of(disk, "source", attribute))
}

/// What is done to a medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MediaAction {
    Eject,
    Insert,
    Update,
}

impl MediaAction {
    /// virsh's word.
    pub(super) fn word(self) -> &'static str {
        match self {
            MediaAction::Eject => "eject",
            MediaAction::Insert => "insert",
            MediaAction::Update => "update",
        }
    }
}

/// Puts the medium `source` into a drive, a block device of the host if `is_block`; None takes the medium out.
///
/// # Errors
/// virsh's text if the drive has a medium and should not have one, or the other way round.
pub(super) fn change_medium(
    drive: &mut Element,
    path: &str,
    action: MediaAction,
    source: Option<&str>,
    is_block: bool,
) -> Result<(), Failure> {
    let position = |drive: &Element, name: &str| {
        let mut children = drive.children.iter();
        children.position(|child| child.as_element().is_some_and(|child| child.name == name))
    };
    let old = position(drive, "source");
    let is_policy_only = |source: &Element| {
        let mut names = source.attributes.keys();
        source.children.is_empty() && names.all(|name| name == "startupPolicy")
    };
    let has_medium = drive
        .get_child("source")
        .is_some_and(|source| !is_policy_only(source));
    if action == MediaAction::Insert && has_medium {
        return Err(Failure::new(format!(
            "The disk device '{path}' already has media"
        )));
    }
    // virsh takes a source that only has a policy for a medium here.
    if source.is_none() && old.is_none() {
        return Err(Failure::new(format!(
            "The disk device '{path}' doesn't have media"
        )));
    }
    let kind = if is_block && source.is_some() {
        "block"
    } else {
        "file"
    };
    drive.attributes.insert("type".to_owned(), kind.to_owned());
    let policy = attribute_of(drive, "source", "startupPolicy").map(str::to_owned);
    if let Some(old) = old {
        drive.children.remove(old);
    }
    let (Some(source), Some(target)) = (source, position(drive, "target")) else {
        return Ok(());
    };
    let attribute = if is_block { "dev" } else { "file" };
    let mut new = Element::new("source");
    new.attributes
        .insert(attribute.to_owned(), source.to_owned());
    if let Some(policy) = policy {
        new.attributes.insert("startupPolicy".to_owned(), policy);
    }
    // The target keeps its indentation, and the new element gets the same.
    let before = target.checked_sub(1).and_then(|at| drive.children.get(at));
    let indentation = before.filter(|node| node.as_text().is_some()).cloned();
    let new = [Some(XMLNode::Element(new)), indentation];
    drive
        .children
        .splice(target..target, new.into_iter().flatten());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{MediaAction, Wanted, change_medium, find};
    use crate::markup::{self, read};

    const DOMAIN: &str = "<domain>\n  <devices>
    <disk type='block' device='cdrom'>
      <driver name='a'/>
      <source dev='/dev/sr0' startupPolicy='optional'/>
      <geometry cyls='1'/>
      <target dev='hda' bus='ide'/>
      <readonly/>
    </disk>
    <disk type='file' device='cdrom'>
      <target dev='hdb' bus='ide'/>
    </disk>
    <disk type='block' device='cdrom'>
      <source startupPolicy='optional'/>
      <target dev='hdc' bus='ide'/>
    </disk>
    <disk type='file' device='disk'>
      <source file='hdd'/>
      <target dev='sda' bus='scsi'/>
    </disk>
    <disk type='file' device='floppy'>
      <source file='[a] f.img'/>
      <target dev='sda' bus='fdc'/>
    </disk>
  </devices>\n</domain>\n";

    /// The document of the drive after the change, or virsh's text. Expectations are what virsh 9.0.0 prints.
    #[track_caller]
    fn check(
        path: &str,
        action: MediaAction,
        source: Option<&str>,
        is_block: bool,
        expected: &str,
    ) {
        let drive = find(read(DOMAIN).unwrap(), path, Wanted::WithMedia, true);
        let found = drive.and_then(|mut drive| {
            change_medium(&mut drive, path, action, source, is_block)?;
            Ok(markup::text(&drive))
        });
        let found = found.unwrap_or_else(|failure| failure.to_string());
        assert_eq!(found, expected);
    }

    #[test]
    fn media_are_changed() {
        let head = |kind| {
            format!(
                "<disk type=\"{kind}\" device=\"cdrom\">\n      <driver name=\"a\"/>\n      \n      <geometry cyls=\"1\"/>\n      "
            )
        };
        let tail = "<target dev=\"hda\" bus=\"ide\"/>\n      <readonly/>\n    </disk>";
        let ejected = head("file") + tail;
        check("hda", MediaAction::Eject, None, false, &ejected);
        check("/dev/sr0", MediaAction::Update, None, false, &ejected);
        let source = "<source file=\"b\" startupPolicy=\"optional\"/>\n      ";
        check(
            "hda",
            MediaAction::Update,
            Some("b"),
            false,
            &(head("file") + source + tail),
        );
        check(
            "hda",
            MediaAction::Update,
            Some("b"),
            true,
            &(head("block") + &source.replace("file", "dev") + tail),
        );
        check("hda", MediaAction::Update, None, true, &ejected);
        check(
            "hda",
            MediaAction::Insert,
            Some("b"),
            false,
            "error: The disk device 'hda' already has media\n",
        );
        check(
            "hdb",
            MediaAction::Insert,
            Some("b"),
            false,
            "<disk type=\"file\" device=\"cdrom\">\n      <source file=\"b\"/>\n      \
             <target dev=\"hdb\" bus=\"ide\"/>\n    </disk>",
        );
        for action in [MediaAction::Eject, MediaAction::Update] {
            let expected = "error: The disk device 'hdb' doesn't have media\n";
            check("hdb", action, None, false, expected);
        }
        let policy = "<disk type=\"file\" device=\"cdrom\">\n      \n      \
             <source file=\"b\" startupPolicy=\"optional\"/>\n      \
             <target dev=\"hdc\" bus=\"ide\"/>\n    </disk>";
        check("hdc", MediaAction::Insert, Some("b"), false, policy);
        let emptied = "<disk type=\"file\" device=\"cdrom\">\n      \n      <target dev=\"hdc\" bus=\"ide\"/>\n    </disk>";
        check("hdc", MediaAction::Eject, None, false, emptied);
    }

    #[test]
    fn the_first_disk_with_that_source_or_target_is_found() {
        let disk = |path, wanted| find(read(DOMAIN).unwrap(), path, wanted, true);
        let device = |path, wanted| disk(path, wanted).unwrap().attributes["device"].clone();
        assert_eq!(device("sda", Wanted::Any), "disk");
        assert_eq!(device("sda", Wanted::WithMedia), "floppy");
        assert_eq!(device("[a] f.img", Wanted::Any), "floppy");
        assert_eq!(device("hdd", Wanted::Any), "disk");
        assert_eq!(
            disk("hdd", Wanted::WithMedia).unwrap_err().to_string(),
            "error: No disk found whose source path or target is hdd\n"
        );
    }

    #[test]
    fn a_change_is_of_one_disk() {
        let disk = |path, wanted| find(read(DOMAIN).unwrap(), path, wanted, false);
        let failure = disk("sda", Wanted::Any).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "error: Several disks are called 'sda': the disk 'hdd' on scsi, the floppy '[a] f.img' on fdc\n"
        );
        assert!(failure.advice().unwrap().contains("sata0:0"));
        for (path, wanted, device) in [
            ("sda", Wanted::WithMedia, "floppy"),
            ("hdd", Wanted::Any, "disk"),
            ("[a] f.img", Wanted::Any, "floppy"),
            ("hda", Wanted::Any, "cdrom"),
        ] {
            assert_eq!(disk(path, wanted).unwrap().attributes["device"], device);
        }
        let twice = DOMAIN
            .replace("bus='fdc'", "bus='sata'")
            .replace("'hdb' bus='ide'", "'sda' bus='scsi'");
        let failure = find(read(&twice).unwrap(), "sda", Wanted::WithMedia, false).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "error: Several disks are called 'sda': an empty cdrom on scsi, the floppy '[a] f.img' on sata\n"
        );
        assert!(
            disk("nosuch", Wanted::Any)
                .unwrap_err()
                .to_string()
                .contains("No disk found")
        );
    }
}
