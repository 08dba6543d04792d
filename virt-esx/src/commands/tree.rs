//! A tree of names, as virsh draws it.

/// A node: its name, and its parent's place in the list.
pub(crate) struct Node<'a> {
    pub(crate) name: &'a str,
    pub(crate) parent: Option<usize>,
}

/// From this width on, children are drawn below their parents.
const WIDEST: usize = 400;

/// The drawing of all nodes. Siblings are in the order of the list. (virsh: `vshTreePrint`.)
pub(crate) fn draw(nodes: &[Node<'_>]) -> String {
    let mut children = vec![Vec::new(); nodes.len()];
    let mut roots = Vec::new();
    for (place, node) in nodes.iter().enumerate() {
        match node.parent {
            Some(parent) => children[parent].push(place),
            None => roots.push(place),
        }
    }
    let mut text = String::new();
    // The nodes to be drawn, the next one at the end: a list, since a server may tell of a tree of any depth.
    let roots = roots.into_iter().rev();
    let mut waiting: Vec<_> = roots.map(|root| (root, None, String::new())).collect();
    while let Some((place, is_last, indent)) = waiting.pop() {
        let branch = if is_last.is_some() { "+- " } else { "" };
        text += &format!("{indent}{branch}{}\n", nodes[place].name);
        let indent = match is_last {
            None => indent,
            // A drawing is no wider than people can read, or a server could make it of any size.
            _ if indent.len() >= WIDEST => indent,
            Some(true) => indent + "  ",
            Some(false) => indent + "| ",
        };
        let children = &children[place];
        match children.last() {
            Some(last) => {
                text += &format!("{indent}  |\n");
                let below = children.iter().rev().map(|child| {
                    let is_last = Some(child == last);
                    let space = if indent.len() < WIDEST { "  " } else { "" };
                    (*child, is_last, format!("{indent}{space}"))
                });
                waiting.extend(below);
            }
            None if is_last != Some(false) => text += &format!("{indent}\n"),
            None => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Node, draw};

    #[test]
    fn deep_trees_stay_readable() {
        let nodes: Vec<_> = (0..10_000)
            .map(|place: usize| Node {
                name: "x",
                parent: place.checked_sub(1),
            })
            .collect();
        assert!(draw(&nodes).lines().all(|line| line.len() < 420));
    }

    // What virsh 9.0.0 prints for snapshot-list --tree.
    #[test]
    fn a_tree_is_drawn_as_by_virsh() {
        let nodes = [
            ("a", None),
            ("b", Some(0)),
            ("c", Some(1)),
            ("d", Some(0)),
            ("e", None),
        ];
        let nodes = nodes.map(|(name, parent)| Node { name, parent });
        let expected = "\
a
  |
  +- b
  |   |
  |   +- c
  |\x20\x20\x20\x20\x20
  +- d
\x20\x20\x20\x20
e

";
        assert_eq!(draw(&nodes), expected);
    }
}
