//! Lists and lookups of snapshots.

use virt_model::{
    DomainState,
    flags::{SnapshotListFlags, refuse_unknown},
};

use super::{
    DomainSnapshot, no_snapshot, no_snapshot_with_name,
    tree::{Node, Tree},
};
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
    /// When the snapshot was taken, in seconds since the epoch. It is unset if the server's text is no date, which a warning
    /// tells.
    pub creation_time: Option<i64>,
    /// The domain's state when the snapshot was taken. It is [`DomainState::Shutoff`] also for a snapshot of a running
    /// domain without its memory.
    pub state: DomainState,
    /// Whether it is the current snapshot.
    pub is_current: bool,
    /// The number of its children.
    pub children: usize,
    /// The number of all snapshots below it.
    pub descendants: usize,
}

impl SnapshotEntry {
    pub(super) fn new(domain: &Domain, tree: &Tree, node: &Node) -> SnapshotEntry {
        let current = tree.current();
        SnapshotEntry {
            snapshot: DomainSnapshot::new(domain, node),
            description: node.description.clone(),
            parent: tree.parent(node).map(|parent| parent.name.clone()),
            creation_time: node.creation_time,
            state: node.state,
            is_current: current.is_some_and(|current| current.moref == node.moref),
            children: tree.children(node).count(),
            descendants: tree.descendants(node),
        }
    }
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

    /// The number of the domain's snapshots that `flags` admit: one request. (libvirt's ESX driver refuses the flags that
    /// do not choose roots, leaves or metadata.)
    ///
    /// # Errors
    /// As [`list_all_snapshots`](Domain::list_all_snapshots).
    #[doc(alias = "virDomainSnapshotNum")]
    pub async fn snapshot_num(&self, flags: SnapshotListFlags) -> Result<usize> {
        refuse_unknown(flags, KNOWN, "esxDomainSnapshotNum")?;
        let tree = self.snapshots().await?;
        Ok(tree.select(flags, None).map_or(0, |nodes| nodes.len()))
    }

    /// The names of the domain's snapshots that `flags` admit, parents before children: one request. On ESX several
    /// snapshots may have the same name.
    ///
    /// # Errors
    /// As [`list_all_snapshots`](Domain::list_all_snapshots).
    #[doc(alias = "virDomainSnapshotListNames")]
    pub async fn snapshot_list_names(&self, flags: SnapshotListFlags) -> Result<Vec<String>> {
        refuse_unknown(flags, KNOWN, "esxDomainSnapshotListNames")?;
        let tree = self.snapshots().await?;
        Ok(names(tree.select(flags, None).unwrap_or_default()))
    }

    /// The snapshot with that name; if there are several, the first of the list. One request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) of [`What::Snapshot`](crate::What::Snapshot) if there is none.
    #[doc(alias = "virDomainSnapshotLookupByName")]
    pub async fn snapshot_lookup_by_name(&self, name: &str) -> Result<DomainSnapshot> {
        Ok(self.snapshot_entry(name).await?.snapshot)
    }

    /// The snapshot with that name as in a listing: one request. If there are several, it is the first of the list.
    ///
    /// # Errors
    /// As [`snapshot_lookup_by_name`](Domain::snapshot_lookup_by_name).
    pub async fn snapshot_entry(&self, name: &str) -> Result<SnapshotEntry> {
        let tree = self.snapshots().await?;
        match tree.by_name(name) {
            Some(node) => Ok(SnapshotEntry::new(self, &tree, node)),
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
        Ok(self.snapshot_current_entry().await?.snapshot)
    }

    /// The current snapshot as in a listing: one request.
    ///
    /// # Errors
    /// As [`snapshot_current`](Domain::snapshot_current).
    pub async fn snapshot_current_entry(&self) -> Result<SnapshotEntry> {
        let tree = self.snapshots().await?;
        match tree.current() {
            Some(node) => Ok(SnapshotEntry::new(self, &tree, node)),
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

    /// The number of the snapshots below this one that `flags` admit: one request.
    ///
    /// # Errors
    /// As [`list_all_children`](DomainSnapshot::list_all_children).
    #[doc(alias = "virDomainSnapshotNumChildren")]
    pub async fn num_children(&self, flags: SnapshotListFlags) -> Result<usize> {
        refuse_unknown(flags, KNOWN, "esxDomainSnapshotNumChildren")?;
        let tree = self.domain.snapshots().await?;
        Ok(self.below(&tree, flags)?.len())
    }

    /// The names of the snapshots below this one that `flags` admit: one request.
    ///
    /// # Errors
    /// As [`list_all_children`](DomainSnapshot::list_all_children).
    #[doc(alias = "virDomainSnapshotListChildrenNames")]
    pub async fn list_children_names(&self, flags: SnapshotListFlags) -> Result<Vec<String>> {
        refuse_unknown(flags, KNOWN, "esxDomainSnapshotListChildrenNames")?;
        let tree = self.domain.snapshots().await?;
        Ok(names(self.below(&tree, flags)?))
    }

    fn below<'a>(&self, tree: &'a Tree, flags: SnapshotListFlags) -> Result<Vec<&'a Node>> {
        let nodes = tree.select(flags, Some(&self.moref));
        nodes.ok_or_else(|| no_snapshot_with_name(&self.name))
    }
}

fn names(nodes: Vec<&Node>) -> Vec<String> {
    nodes.into_iter().map(|node| node.name.clone()).collect()
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
    let entries = nodes.into_iter();
    let entries = entries.map(|node| SnapshotEntry::new(domain, tree, node));
    Some(entries.collect())
}
