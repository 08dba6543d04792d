//! The tree of a domain's snapshots.

use tracing::warn;
use vi_types::{ManagedObjectReference, objects::VirtualMachineSnapshotTree};
use virt_model::{DomainState, flags::SnapshotListFlags};

use crate::domain;

/// All snapshots of a domain, depth first and each before its children, as in libvirt's lists.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
    current: Option<ManagedObjectReference>,
}

/// A snapshot.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) moref: ManagedObjectReference,
    pub(super) name: String,
    pub(super) description: String,
    /// In seconds since the epoch.
    pub(super) creation_time: Option<i64>,
    pub(super) state: DomainState,
    /// The index of its parent.
    parent: Option<usize>,
    /// The index behind its last descendant. The first one follows the snapshot itself.
    end: usize,
}

impl Tree {
    pub(super) fn new(
        roots: Vec<VirtualMachineSnapshotTree>,
        current: Option<ManagedObjectReference>,
    ) -> Tree {
        let mut tree = Tree {
            nodes: Vec::new(),
            current,
        };
        for root in roots {
            tree.add(root, None);
        }
        tree
    }

    fn add(&mut self, snapshot: VirtualMachineSnapshotTree, parent: Option<usize>) {
        let at = self.nodes.len();
        let creation_time = seconds(&snapshot);
        self.nodes.push(Node {
            moref: snapshot.snapshot,
            name: snapshot.name,
            description: snapshot.description,
            creation_time,
            state: domain::state(&snapshot.state),
            parent,
            end: at + 1,
        });
        // Recursion is safe: the decoder limits the depth of an answer.
        for child in snapshot.child_snapshot_list {
            self.add(child, Some(at));
        }
        self.nodes[at].end = self.nodes.len();
    }

    /// The first snapshot with that name: names need not be unique on ESX.
    pub(super) fn by_name(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }

    /// All names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.nodes.iter().map(|node| node.name.as_str())
    }

    /// The snapshot with that reference.
    pub(super) fn get(&self, moref: &ManagedObjectReference) -> Option<&Node> {
        self.nodes.iter().find(|node| node.moref == *moref)
    }

    /// The current snapshot.
    pub(super) fn current(&self) -> Option<&Node> {
        self.get(self.current.as_ref()?)
    }

    /// The parent of a snapshot.
    pub(super) fn parent(&self, node: &Node) -> Option<&Node> {
        Some(&self.nodes[node.parent?])
    }

    /// The snapshots whose parent is `node`.
    pub(super) fn children<'a>(&'a self, node: &Node) -> impl Iterator<Item = &'a Node> {
        let moref = node.moref.clone();
        let is_parent = move |node: &&Node| {
            let parent = self.parent(node);
            parent.is_some_and(|parent| parent.moref == moref)
        };
        self.nodes.iter().filter(is_parent)
    }

    /// The number of snapshots below `node`.
    pub(super) fn descendants(&self, node: &Node) -> usize {
        let at = self
            .nodes
            .iter()
            .position(|other| other.moref == node.moref);
        at.map_or(0, |at| node.end - at - 1)
    }

    /// The snapshots that `flags` admit: all of the domain's, or those below the snapshot `below`. `None` if there is
    /// no such snapshot.
    pub(super) fn select(
        &self,
        flags: SnapshotListFlags,
        below: Option<&ManagedObjectReference>,
    ) -> Option<Vec<&Node>> {
        let start = match below {
            Some(moref) => Some(self.nodes.iter().position(|node| node.moref == *moref)?),
            None => None,
        };
        let range = match start {
            Some(at) => at + 1..self.nodes[at].end,
            None => 0..self.nodes.len(),
        };
        // The bit means ROOTS for a domain, and DESCENDANTS for a snapshot.
        let only_direct = flags.contains(SnapshotListFlags::ROOTS) == start.is_none();
        let selected = range.filter(|&at| {
            let node = &self.nodes[at];
            (!only_direct || node.parent == start) && admits(flags, node, node.end > at + 1)
        });
        Some(selected.map(|at| &self.nodes[at]).collect())
    }
}

/// Whether the groups of `flags` admit a snapshot.
fn admits(flags: SnapshotListFlags, node: &Node, has_children: bool) -> bool {
    use SnapshotListFlags as Flags;

    // For a snapshot of a running domain without its memory the server reports that the domain was off.
    let status = match node.state {
        DomainState::Running | DomainState::Paused => Flags::ACTIVE,
        _ => Flags::INACTIVE,
    };
    flags.admits(Flags::LEAVES, !has_children, Flags::NO_LEAVES)
        && flags.admits(Flags::METADATA, false, Flags::NO_METADATA)
        && flags.admits(Flags::INTERNAL, true, Flags::EXTERNAL)
        && (!flags.intersects(Flags::FILTERS_STATUS) || flags.contains(status))
}

/// When a snapshot was taken, in seconds since the epoch.
fn seconds(snapshot: &VirtualMachineSnapshotTree) -> Option<i64> {
    let seconds = snapshot.create_time.epoch_seconds();
    let seconds = seconds.inspect_err(|error| {
        warn!(snapshot = snapshot.name, %error, "when a snapshot was taken is not known");
    });
    seconds.ok()
}

#[cfg(test)]
mod tests {
    use vi_types::{DateTime, enums::VirtualMachinePowerState};

    use super::*;

    fn snapshot(
        name: &str,
        state: VirtualMachinePowerState,
        children: Vec<VirtualMachineSnapshotTree>,
    ) -> VirtualMachineSnapshotTree {
        VirtualMachineSnapshotTree {
            snapshot: reference(name),
            name: name.trim_end_matches('\'').to_owned(),
            create_time: DateTime::from_epoch_seconds(1_270_730_711),
            state,
            child_snapshot_list: children,
            ..VirtualMachineSnapshotTree::default()
        }
    }

    fn reference(name: &str) -> ManagedObjectReference {
        ManagedObjectReference::new("VirtualMachineSnapshot", name)
    }

    /// `a` with the children `b`, which has `c`, and `d`; beside it `e`, and another with the name `c`.
    fn tree() -> Tree {
        use VirtualMachinePowerState::{PoweredOff, PoweredOn, Suspended};

        let roots = vec![
            snapshot(
                "a",
                PoweredOff,
                vec![
                    snapshot("b", PoweredOn, vec![snapshot("c", Suspended, vec![])]),
                    snapshot("d", PoweredOff, vec![]),
                ],
            ),
            snapshot("e", PoweredOn, vec![]),
            snapshot("c'", PoweredOn, vec![]),
        ];
        Tree::new(roots, Some(reference("d")))
    }

    #[test]
    fn what_flags_select() {
        use SnapshotListFlags as Flags;

        let tree = tree();
        for (flags, below, expected) in [
            (Flags::NONE, None, "a b c d e c'"),
            (Flags::ROOTS, None, "a e c'"),
            (Flags::LEAVES, None, "c d e c'"),
            (Flags::NO_LEAVES, None, "a b"),
            (Flags::ROOTS | Flags::LEAVES, None, "e c'"),
            (Flags::ROOTS | Flags::NO_LEAVES, None, "a"),
            (Flags::FILTERS_LEAVES, None, "a b c d e c'"),
            (Flags::METADATA, None, ""),
            (Flags::NO_METADATA, None, "a b c d e c'"),
            (Flags::INACTIVE, None, "a d"),
            (Flags::ACTIVE, None, "b c e c'"),
            (Flags::ACTIVE | Flags::DISK_ONLY, None, "b c e c'"),
            (Flags::DISK_ONLY, None, ""),
            (Flags::INTERNAL, None, "a b c d e c'"),
            (Flags::EXTERNAL, None, ""),
            (Flags::TOPOLOGICAL, None, "a b c d e c'"),
            (Flags::NONE, Some("a"), "b d"),
            (Flags::ROOTS, Some("a"), "b c d"),
            (Flags::ROOTS | Flags::LEAVES, Some("a"), "c d"),
            (Flags::NONE, Some("b"), "c"),
            (Flags::ROOTS, Some("e"), ""),
        ] {
            let below = below.map(reference);
            let nodes = tree.select(flags, below.as_ref()).unwrap();
            let names: Vec<_> = nodes.iter().map(|node| &node.moref.value[..]).collect();
            assert_eq!(names.join(" "), expected, "{flags:?} {below:?}");
        }
        assert!(tree.select(Flags::NONE, Some(&reference("x"))).is_none());
    }

    #[test]
    fn names_and_parents() {
        let tree = tree();
        for (name, moref, parent) in [
            ("a", "a", None),
            ("b", "b", Some("a")),
            ("c", "c", Some("b")),
            ("d", "d", Some("a")),
            ("e", "e", None),
        ] {
            let node = tree.by_name(name).unwrap();
            assert_eq!(node.moref.value, moref);
            let found = tree.parent(node).map(|parent| &parent.name[..]);
            assert_eq!(found, parent, "{name}");
        }
        assert!(tree.by_name("x").is_none());
        let other = tree.get(&reference("c'")).unwrap();
        assert!(tree.parent(other).is_none());
        assert_eq!(tree.current().unwrap().name, "d");
    }

    #[test]
    fn a_current_snapshot_that_does_not_exist() {
        assert!(Tree::new(vec![], Some(reference("x"))).current().is_none());
        assert!(Tree::default().current().is_none());
    }
}
