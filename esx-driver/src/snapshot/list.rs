//! Lists and lookups of snapshots.

use virt_model::{
    DomainState,
    flags::{SnapshotListFlags, refuse_unknown},
};

use super::{DomainSnapshot, no_snapshot, no_snapshot_with_name, tree::Tree};
use crate::{Domain, Result, near::Near};

/// A snapshot of a listing, with what was read along.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SnapshotEntry {
    /// The snapshot.
    pub snapshot: DomainSnapshot,
    /// The description; often empty.
    pub description: String,
    /// The name of the parent.
    pub parent: Option<String>,
    /// When the snapshot was taken, in seconds since the epoch.
    pub creation_time: i64,
    /// The domain's state when the snapshot was taken. It is [`DomainState::Shutoff`] also for a snapshot of a running
    /// domain without its memory.
    pub state: DomainState,
}

impl Domain {
    /// The domain's snapshots that `flags` admit, parents before children: one request.
    ///
    /// libvirt's ESX driver does not have this function. virsh 9.0 then lists names instead, and ignores the groups
    /// [`FILTERS_STATUS`](SnapshotListFlags::FILTERS_STATUS) and
    /// [`FILTERS_LOCATION`](SnapshotListFlags::FILTERS_LOCATION). No snapshot has metadata. All are internal, as
    /// libvirt calls snapshots whose document has no disks. None is [`DISK_ONLY`](SnapshotListFlags::DISK_ONLY): the
    /// server does not say whether a snapshot has the memory.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such virtual machine any more;
    /// [`ErrorKind::UnsupportedFlags`](crate::ErrorKind::UnsupportedFlags) for bits that libvirt does not have.
    #[doc(alias = "virDomainListAllSnapshots")]
    pub async fn list_all_snapshots(&self, flags: SnapshotListFlags) -> Result<Vec<SnapshotEntry>> {
        refuse_unknown(flags, KNOWN, "esxDomainListAllSnapshots")?;
        let tree = self.snapshots().await?;
        Ok(entries(self, &tree, flags, None).unwrap_or_default())
    }

    /// The snapshot with that name; if there are several, the first of the list. One request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) of [`What::Snapshot`](crate::What::Snapshot) if there is none.
    #[doc(alias = "virDomainSnapshotLookupByName")]
    pub async fn snapshot_lookup_by_name(&self, name: &str) -> Result<DomainSnapshot> {
        let tree = self.snapshots().await?;
        match tree.by_name(name) {
            Some(node) => Ok(DomainSnapshot::new(self, node)),
            None => {
                let mut near = Near::new(name);
                tree.names().for_each(|known| near.consider(known));
                Err(near.advise(no_snapshot_with_name(name)))
            }
        }
    }

    /// The current snapshot: one request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) of [`What::Snapshot`](crate::What::Snapshot) if there is none.
    #[doc(alias = "virDomainSnapshotCurrent")]
    pub async fn snapshot_current(&self) -> Result<DomainSnapshot> {
        let tree = self.snapshots().await?;
        match tree.current() {
            Some(node) => Ok(DomainSnapshot::new(self, node)),
            None => Err(no_snapshot("Domain has no current snapshot".to_owned())),
        }
    }

    /// Whether the domain has a current snapshot: one request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is no such virtual machine any more.
    #[doc(alias = "virDomainHasCurrentSnapshot")]
    pub async fn has_current_snapshot(&self) -> Result<bool> {
        Ok(self.snapshots().await?.current().is_some())
    }
}

impl DomainSnapshot {
    /// The snapshots below this one that `flags` admit: its children, or with [`ROOTS`](SnapshotListFlags::ROOTS) (here
    /// libvirt's name for the bit is `DESCENDANTS`) all descendants. One request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) of [`What::Snapshot`](crate::What::Snapshot) if this snapshot
    /// does not exist any more; otherwise as [`Domain::list_all_snapshots`].
    #[doc(alias = "virDomainSnapshotListAllChildren")]
    pub async fn list_all_children(&self, flags: SnapshotListFlags) -> Result<Vec<SnapshotEntry>> {
        refuse_unknown(flags, KNOWN, "esxDomainSnapshotListAllChildren")?;
        let tree = self.domain.snapshots().await?;
        let entries = entries(&self.domain, &tree, flags, Some(self));
        entries.ok_or_else(|| no_snapshot_with_name(&self.name))
    }
}

const KNOWN: SnapshotListFlags = SnapshotListFlags::from_bits(
    SnapshotListFlags::FILTERS_ALL.bits()
        | SnapshotListFlags::ROOTS.bits()
        | SnapshotListFlags::TOPOLOGICAL.bits(),
);

fn entries(
    domain: &Domain,
    tree: &Tree,
    flags: SnapshotListFlags,
    below: Option<&DomainSnapshot>,
) -> Option<Vec<SnapshotEntry>> {
    let nodes = tree.select(flags, below.map(|snapshot| &snapshot.moref))?;
    let entries = nodes.into_iter().map(|node| SnapshotEntry {
        snapshot: DomainSnapshot::new(domain, node),
        description: node.description.clone(),
        parent: tree.parent(node).map(|parent| parent.name.clone()),
        creation_time: node.creation_time,
        state: node.state,
    });
    Some(entries.collect())
}
