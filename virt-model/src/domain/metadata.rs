//! `<metadata>`: elements of others, in namespaces of their own.

use std::collections::BTreeSet;

use xmltree::{AttributeMap, Element, Namespace, XMLNode};

/// The elements, able to stand alone: each declares the namespaces that it needs.
///
/// `outer` are the namespaces of the document's root.
pub(super) fn read(elements: Vec<Element>, outer: Option<&Namespace>) -> Vec<Element> {
    let none = Namespace::empty();
    let outer = outer.unwrap_or(&none);
    let declared = |mut element: Element| {
        let mut needed = BTreeSet::new();
        prefixes(&element, &mut needed);
        let found = element.namespaces.take();
        let found = found.as_ref().unwrap_or(outer);
        declare(&mut element, found, |prefix, uri| {
            outer.get(prefix) != Some(uri) || needed.contains(prefix)
        });
        inner(&mut element, found);
        element
    };
    elements.into_iter().map(declared).collect()
}

/// Declares what is new in the elements within.
fn inner(element: &mut Element, outer: &Namespace) {
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

/// Puts declarations before the attributes.
fn declare(element: &mut Element, found: &Namespace, wanted: impl Fn(&str, &str) -> bool) {
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

/// The prefixes that an element and those within use.
fn prefixes(element: &Element, found: &mut BTreeSet<String>) {
    found.insert(element.prefix.clone().unwrap_or_default());
    for name in element.attributes.keys() {
        found.extend(name.split_once(':').map(|(prefix, _)| prefix.to_owned()));
    }
    for child in element.children.iter().filter_map(XMLNode::as_element) {
        prefixes(child, found);
    }
}
