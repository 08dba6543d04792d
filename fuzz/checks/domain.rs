//! Domain documents: no text panics, a definition is the same after writing and reading it, and completing a completed
//! definition changes nothing.

use virt_model::domain::{Defaults, DiskSource, VideoModel};
use virt_model::{Document, DomainDef, DomainXmlFlags};

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let Ok(read) = DomainDef::read_xml(text) else {
        return;
    };
    let mut def = read.document;
    // What is in a <source> of these is not modelled, and without it a disk cannot be read.
    def.devices.disks.retain(|disk| {
        !matches!(
            disk.source,
            DiskSource::Nvme | DiskSource::VhostUser | DiskSource::VhostVdpa
        )
    });
    for disk in &mut def.devices.disks {
        // A <source> that says nothing is not written, and a disk without one is one of files.
        let nothing = matches!(
            disk.source,
            DiskSource::Block(None)
                | DiskSource::Dir(None)
                | DiskSource::Network(None)
                | DiskSource::Volume(None)
        );
        if nothing && disk.startup_policy.is_none() {
            disk.source = DiskSource::File(None);
        }
    }
    sort(&mut def);
    let written = def.to_xml(DomainXmlFlags::SECURE);
    let mut again = DomainDef::read_xml(&written).expect("what was written can be read");
    assert_eq!(again.unmodelled, Vec::<String>::new());
    sort(&mut again.document);
    assert_eq!(again.document.to_xml(DomainXmlFlags::SECURE), written);

    let defaults = Defaults {
        arch: Some("i686".to_owned()),
        video: VideoModel::Vmvga,
        scsi_units: 16,
        ..Defaults::default()
    };
    if def.post_parse(&defaults).is_ok() {
        let complete = def.clone();
        def.post_parse(&defaults).expect("it was complete before");
        assert_eq!(def, complete);
    }
}

/// As in libvirt, where a disk goes depends on whether the document names its bus; what is written always does.
fn sort(def: &mut DomainDef) {
    def.devices
        .disks
        .sort_by_cached_key(|disk| format!("{disk:?}"));
}
