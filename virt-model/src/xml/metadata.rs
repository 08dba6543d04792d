//! Elements in foreign namespaces, made independent of the document they were in.

use std::collections::BTreeSet;

use xmltree::{AttributeMap, Namespace, XMLNode};

use super::Element;

/// The element with declarations of all namespaces that it needs.
///
/// `outer` are the namespaces of the document's root.
pub(crate) fn stand_alone(mut element: xmltree::Element, outer: &Namespace) -> Element {
    let mut needed = BTreeSet::new();
    prefixes(&element, &mut needed);
    let found = element.namespaces.take();
    let found = found.as_ref().unwrap_or(outer);
    declare(&mut element, found, |prefix, uri| {
        outer.get(prefix) != Some(uri) || needed.contains(prefix)
    });
    inner(&mut element, found);
    Element::from_tree(element)
}

/// Declares, in each child, the namespaces that its parent does not declare.
fn inner(element: &mut xmltree::Element, outer: &Namespace) {
    for child in &mut element.children {
        let XMLNode::Element(child) = child else {
            continue;
        };
        match child.namespaces.take() {
            Some(found) => {
                declare(child, &found, |prefix, uri| outer.get(prefix) != Some(uri));
                inner(child, &found);
            }
            None => inner(child, outer),
        }
    }
}

/// Adds the wanted declarations in front of the attributes.
fn declare(element: &mut xmltree::Element, found: &Namespace, wanted: impl Fn(&str, &str) -> bool) {
    let mut attributes = AttributeMap::new();
    for (prefix, uri) in found {
        if matches!(prefix, "xml" | "xmlns") || !wanted(prefix, uri) {
            continue;
        }
        match prefix {
            "" if uri.is_empty() => {}
            "" => drop(attributes.insert("xmlns".to_owned(), uri.to_owned())),
            _ => drop(attributes.insert(format!("xmlns:{prefix}"), uri.to_owned())),
        }
    }
    attributes.append(&mut element.attributes);
    element.attributes = attributes;
}

/// Collects the prefixes that an element and its descendants use.
fn prefixes(element: &xmltree::Element, found: &mut BTreeSet<String>) {
    found.insert(element.prefix.clone().unwrap_or_default());
    for name in element.attributes.keys() {
        found.extend(name.split_once(':').map(|(prefix, _)| prefix.to_owned()));
    }
    for child in element.children.iter().filter_map(XMLNode::as_element) {
        prefixes(child, found);
    }
}
