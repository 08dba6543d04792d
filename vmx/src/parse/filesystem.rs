use std::collections::BTreeSet;

use virt_model::DomainDef;
use virt_model::domain::{AccessMode, Filesystem, FilesystemType};

use super::reader::Reader;
use crate::VmxError;

impl Reader<'_> {
    /// Reads shared folders.
    pub(super) fn filesystems(&mut self, def: &mut DomainDef) -> Result<(), VmxError> {
        if self.boolean("isolation.tools.hgfs.disable", true)? {
            return Ok(());
        }
        let count = self.long("sharedFolder.maxNum", 0)?;
        for index in self.indices("sharedFolder") {
            if i64::from(index) < count {
                let filesystem = self.filesystem(index)?;
                def.devices.filesystems.extend(filesystem);
            }
        }
        Ok(())
    }

    fn filesystem(&mut self, index: u32) -> Result<Option<Filesystem>, VmxError> {
        let key = |name: &str| format!("sharedFolder{index}.{name}");
        let present = self.boolean(&key("present"), false)?;
        let enabled = self.boolean(&key("enabled"), false)?;
        if !present || !enabled {
            return Ok(None);
        }
        let instead = "the folder is left out";
        let Some(source) = self.essential(&key("hostPath"), instead)? else {
            return Ok(None);
        };
        let Some(target) = self.essential(&key("guestName"), instead)? else {
            return Ok(None);
        };
        for (name, value) in [("hostPath", &source), ("guestName", &target)] {
            if !self.is_name(value) {
                self.warn(&key(name), "it is empty; the folder is left out");
                return Ok(None);
            }
        }
        self.carried(&format!("sharedFolder{index}"));
        let writable = self.boolean(&key("writeAccess"), false)?;
        Ok(Some(Filesystem {
            kind: FilesystemType::Mount,
            access_mode: Some(AccessMode::Passthrough),
            source: Some(source),
            target,
            readonly: !writable,
            ..Filesystem::default()
        }))
    }

    /// The numbers N of keys `<prefix>N.…`, in ascending order. It finds what libvirt's loop over all
    /// numbers finds, without the loop.
    pub(super) fn indices(&self, prefix: &str) -> BTreeSet<u32> {
        self.file
            .starting_with(prefix)
            .filter_map(|entry| {
                let (number, _) = entry.key()[prefix.len()..].split_once('.')?;
                // libvirt looks for the canonical form of each number only.
                let index: u32 = number.parse().ok()?;
                (index.to_string() == number).then_some(index)
            })
            .collect()
    }
}
