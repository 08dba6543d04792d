//! Snapshots of domains.

mod definition;
mod lifecycle;
mod list;
mod tree;

use std::fmt;

use vi_client::property_set;
use vi_types::{ManagedObjectReference, objects::VirtualMachineSnapshotTree};
use virt_model::ErrorNumber;

pub use self::list::SnapshotEntry;
use self::tree::{Node, Tree};
use crate::{Domain, Error, ErrorKind, Result, What, domain::no_domain_with_uuid};

/// A snapshot of a domain: libvirt's `virDomainSnapshot`.
///
/// A cheap clone that talks to a server through its [`Domain`]. libvirt identifies a snapshot by its name, which need
/// not be unique on ESX; a handle keeps the server's reference, so that snapshots of the same name are told apart.
/// Every call that reads takes one request.
#[derive(Clone)]
pub struct DomainSnapshot {
    domain: Domain,
    moref: ManagedObjectReference,
    name: String,
}

property_set! {
    struct Snapshots: VirtualMachine {
        current: Option<ManagedObjectReference> = snapshot.current_snapshot,
        roots: Vec<VirtualMachineSnapshotTree> = snapshot.root_snapshot_list,
    }
}

impl DomainSnapshot {
    fn new(domain: &Domain, node: &Node) -> DomainSnapshot {
        DomainSnapshot {
            domain: domain.clone(),
            moref: node.moref.clone(),
            name: node.name.clone(),
        }
    }

    /// The name.
    #[doc(alias = "virDomainSnapshotGetName")]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The domain.
    #[doc(alias = "virDomainSnapshotGetDomain")]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The server's reference of the snapshot.
    pub fn moref(&self) -> &ManagedObjectReference {
        &self.moref
    }

    /// The parent: the snapshot that was current when this one was taken.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] of [`What::Snapshot`] if this snapshot does not exist any more, or has no parent.
    #[doc(alias = "virDomainSnapshotGetParent")]
    pub async fn parent(&self) -> Result<DomainSnapshot> {
        let tree = self.domain.snapshots().await?;
        let node = self.find(&tree)?;
        match tree.parent(node) {
            Some(parent) => Ok(DomainSnapshot::new(&self.domain, parent)),
            None => {
                let name = &self.name;
                Err(no_snapshot(format!(
                    "snapshot '{name}' does not have a parent"
                )))
            }
        }
    }

    /// Whether this is the domain's current snapshot. (libvirt's ESX driver compares names: to it every snapshot with
    /// the name of the current one is current.)
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] of [`What::Snapshot`] if the snapshot does not exist any more.
    #[doc(alias = "virDomainSnapshotIsCurrent")]
    pub async fn is_current(&self) -> Result<bool> {
        let tree = self.domain.snapshots().await?;
        self.find(&tree)?;
        Ok(tree
            .current()
            .is_some_and(|current| current.moref == self.moref))
    }

    /// Whether libvirt keeps metadata of the snapshot: never, the server stores everything.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] of [`What::Snapshot`] if the snapshot does not exist any more.
    #[doc(alias = "virDomainSnapshotHasMetadata")]
    pub async fn has_metadata(&self) -> Result<bool> {
        let tree = self.domain.snapshots().await?;
        self.find(&tree).map(|_| false)
    }

    /// This snapshot among those of its domain.
    fn find<'a>(&self, tree: &'a Tree) -> Result<&'a Node> {
        tree.get(&self.moref)
            .ok_or_else(|| no_snapshot_with_name(&self.name))
    }
}

impl Domain {
    /// The tree of the domain's snapshots: one request.
    async fn snapshots(&self) -> Result<Tree> {
        let found = self.connect().read_complete(self.moref()).await?;
        let snapshots: Snapshots = found.ok_or_else(|| no_domain_with_uuid(self.uuid()))?;
        Ok(Tree::new(snapshots.roots, snapshots.current))
    }
}

impl fmt::Debug for DomainSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DomainSnapshot")
            .field("name", &self.name)
            .field("domain", &self.domain.name())
            .field("moref", &self.moref)
            .finish_non_exhaustive()
    }
}

fn no_snapshot_with_name(name: &str) -> Error {
    no_snapshot(format!("Could not find snapshot with name '{name}'"))
}

fn no_snapshot(message: String) -> Error {
    let kind = ErrorKind::NotFound(What::Snapshot);
    Error::new(kind, ErrorNumber::NoDomainSnapshot, message)
}
