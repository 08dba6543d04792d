//! A snapshot's definition.

use virt_model::{
    Document as _, DomainState, SnapshotDef,
    flags::{SnapshotXmlFlags, refuse_unknown},
    snapshot::{SnapshotDomain, SnapshotState},
};

use super::{DomainSnapshot, SnapshotEntry};
use crate::Result;

impl DomainSnapshot {
    /// The snapshot's definition as libvirt's XML document: one request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) of [`What::Snapshot`](crate::What::Snapshot) if the snapshot
    /// does not exist any more; [`ErrorKind::UnsupportedFlags`](crate::ErrorKind::UnsupportedFlags) for any flag.
    #[doc(alias = "virDomainSnapshotGetXMLDesc")]
    pub async fn xml_desc(&self, flags: SnapshotXmlFlags) -> Result<String> {
        check(flags)?;
        let tree = self.domain.snapshots().await?;
        let node = self.find(&tree)?;
        SnapshotEntry::new(&self.domain, &tree, node).xml_desc(flags)
    }
}

impl SnapshotEntry {
    /// The snapshot's definition.
    pub fn definition(&self) -> SnapshotDef {
        SnapshotDef {
            description: Some(self.description.clone()),
            state: state(self.state),
            parent: self.parent.clone(),
            creation_time: self.creation_time,
            domain: Some(SnapshotDomain::Uuid(self.snapshot.domain.uuid())),
            ..SnapshotDef::new(self.snapshot.name())
        }
    }

    /// The snapshot's [definition](SnapshotEntry::definition) as libvirt's XML document: no request.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFlags`](crate::ErrorKind::UnsupportedFlags) for any flag.
    pub fn xml_desc(&self, flags: SnapshotXmlFlags) -> Result<String> {
        check(flags)?;
        Ok(self.definition().to_xml(flags))
    }
}

fn check(flags: SnapshotXmlFlags) -> Result<()> {
    Ok(refuse_unknown(
        flags,
        SnapshotXmlFlags::NONE,
        "esxDomainSnapshotGetXMLDesc",
    )?)
}

/// libvirt's word for the state; `None` if the state is not known.
fn state(state: DomainState) -> Option<SnapshotState> {
    match state {
        DomainState::Running => Some(SnapshotState::Running),
        DomainState::Paused => Some(SnapshotState::Paused),
        DomainState::Shutoff => Some(SnapshotState::Shutoff),
        // The server has no other states.
        _ => None,
    }
}
