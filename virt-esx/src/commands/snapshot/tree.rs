//! A tree of names, as virsh draws it.

/// A node: its name, and its parent's place in the list.
pub(super) struct Node<'a> {
    pub(super) name: &'a str,
    pub(super) parent: Option<usize>,
}

/// The drawing of all nodes. Siblings are in the order of the list. (virsh: `vshTreePrint`.)
pub(super) fn draw(nodes: &[Node<'_>]) -> String {
    let mut text = String::new();
    let roots = nodes.iter().enumerate();
    for (root, _) in roots.filter(|(_, node)| node.parent.is_none()) {
        draw_node(nodes, root, None, "", &mut text);
    }
    text
}

/// Draws a node and what is below it. `is_last` of a root is not known.
fn draw_node(
    nodes: &[Node<'_>],
    node: usize,
    is_last: Option<bool>,
    indent: &str,
    text: &mut String,
) {
    let branch = if is_last.is_some() { "+- " } else { "" };
    *text += &format!("{indent}{branch}{}\n", nodes[node].name);
    let indent = match is_last {
        None => indent.to_owned(),
        Some(true) => format!("{indent}  "),
        Some(false) => format!("{indent}| "),
    };
    let children: Vec<_> = (0..nodes.len())
        .filter(|child| nodes[*child].parent == Some(node))
        .collect();
    match children.last() {
        Some(last) => {
            *text += &format!("{indent}  |\n");
            for child in &children {
                let is_last = Some(child == last);
                draw_node(nodes, *child, is_last, &format!("{indent}  "), text);
            }
        }
        None if is_last != Some(false) => *text += &format!("{indent}\n"),
        None => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{Node, draw};

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
