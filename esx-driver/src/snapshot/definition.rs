//! A snapshot's definition.

use virt_model::{
    Document as _, DomainState, SnapshotDef,
    flags::{SnapshotXmlFlags, refuse_unknown},
    snapshot::{SnapshotDomain, SnapshotState},
};

use super::DomainSnapshot;
use crate::Result;

impl DomainSnapshot {
    /// The snapshot's definition as libvirt's XML document: one request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) of [`What::Snapshot`](crate::What::Snapshot) if the snapshot
    /// does not exist any more; [`ErrorKind::UnsupportedFlags`](crate::ErrorKind::UnsupportedFlags) for any flag.
    #[doc(alias = "virDomainSnapshotGetXMLDesc")]
    pub async fn xml_desc(&self, flags: SnapshotXmlFlags) -> Result<String> {
        refuse_unknown(flags, SnapshotXmlFlags::NONE, "esxDomainSnapshotGetXMLDesc")?;
        let tree = self.domain.snapshots().await?;
        let node = self.find(&tree)?;
        let def = SnapshotDef {
            description: Some(node.description.clone()),
            state: state(node.state),
            parent: tree.parent(node).map(|parent| parent.name.clone()),
            creation_time: Some(node.creation_time),
            domain: Some(SnapshotDomain::Uuid(self.domain.uuid())),
            ..SnapshotDef::new(&node.name)
        };
        Ok(def.to_xml(flags))
    }
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
