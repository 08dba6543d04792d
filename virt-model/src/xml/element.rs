use std::{fmt, str::FromStr};

use xmltree::{AttributeMap, XMLNode};

use super::{XmlError, metadata};

/// An element that is kept as it was read: a child of `<metadata>`, or an element in a namespace of
/// its own.
///
/// [`FromStr`] reads one, within the bounds of [`parse`](super::MAX_SIZE);
/// [`Display`](fmt::Display) writes it as libxml2 does, with its namespaces declared.
///
/// ```
/// use virt_model::xml::Element;
///
/// let owner: Element = "<app:owner xmlns:app='urn:app'>alice</app:owner>".parse()?;
/// assert_eq!((owner.namespace(), owner.name()), (Some("urn:app"), "owner"));
/// assert_eq!(owner.text(), "alice");
/// assert_eq!(
///     owner,
///     Element::new("owner").in_namespace("app", "urn:app").with_text("alice")
/// );
/// # Ok::<(), virt_model::XmlError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    prefix: Option<String>,
    namespace: Option<String>,
    name: String,
    attributes: Vec<(String, String)>,
    content: Vec<Content>,
}

/// What an [`Element`] holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Content {
    /// An element.
    Element(Element),
    /// Text, without entities.
    Text(String),
    /// A comment.
    Comment(String),
}

impl Element {
    /// An empty element in no namespace.
    pub fn new(name: impl Into<String>) -> Element {
        Element {
            prefix: None,
            namespace: None,
            name: name.into(),
            attributes: Vec::new(),
            content: Vec::new(),
        }
    }

    /// The element in the namespace `uri`, written with `prefix`; an empty prefix makes `uri` the
    /// default namespace of the element.
    pub fn in_namespace(mut self, prefix: &str, uri: impl Into<String>) -> Element {
        self.prefix = Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty());
        self.namespace = Some(uri.into());
        self
    }

    /// The element with another attribute. `name` may have a prefix; `xmlns:p` declares one.
    pub fn with_attribute(mut self, name: impl Into<String>, value: impl Into<String>) -> Element {
        self.attributes.push((name.into(), value.into()));
        self
    }

    /// The element with another child.
    pub fn with_child(mut self, child: Element) -> Element {
        self.content.push(Content::Element(child));
        self
    }

    /// The element with more text.
    pub fn with_text(mut self, text: impl Into<String>) -> Element {
        self.content.push(Content::Text(text.into()));
        self
    }

    /// The name without the prefix.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The prefix of the name.
    pub fn prefix(&self) -> Option<&str> {
        self.prefix.as_deref()
    }

    /// The URI of the namespace.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// Names, with prefixes, and values of the attributes, in the order of the document.
    ///
    /// Namespace declarations are among them, except that of the element's own namespace.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        let attributes = self.attributes.iter();
        attributes.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of the attribute of that name, which may have a prefix.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes()
            .find_map(|(other, value)| (other == name).then_some(value))
    }

    /// The child elements.
    pub fn children(&self) -> impl Iterator<Item = &Element> {
        self.content.iter().filter_map(|content| match content {
            Content::Element(child) => Some(child),
            _ => None,
        })
    }

    /// Everything between the tags.
    pub fn content(&self) -> &[Content] {
        &self.content
    }

    /// The text directly between the tags.
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|content| match content {
            Content::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    /// The element and its descendants, those in no namespace moved into `uri` with `prefix`. This is how
    /// libvirt keeps an element of metadata (`virDomainSetMetadata`).
    pub fn into_namespace(mut self, prefix: &str, uri: &str) -> Element {
        if self.namespace.is_none() {
            self = self.in_namespace(prefix, uri);
        }
        self.map_children(|child| child.into_namespace(prefix, uri))
    }

    /// The element and its descendants, those in the namespace `uri` moved out of it: the reverse of
    /// [`into_namespace`](Element::into_namespace) (`virDomainGetMetadata`).
    pub fn out_of_namespace(mut self, uri: &str) -> Element {
        if self.namespace.as_deref() == Some(uri) {
            self.namespace = None;
            self.prefix = None;
        }
        let is_other =
            |(name, value): &(String, String)| !(name.starts_with("xmlns") && value == uri);
        self.attributes.retain(is_other);
        self.map_children(|child| child.out_of_namespace(uri))
    }

    fn map_children(mut self, map: impl Fn(Element) -> Element) -> Element {
        let content = self.content.into_iter().map(|content| match content {
            Content::Element(child) => Content::Element(map(child)),
            other => other,
        });
        self.content = content.collect();
        self
    }

    /// The element of a tree in which every element declares, as attributes, the namespaces that
    /// its parent does not.
    pub(crate) fn from_tree(tree: xmltree::Element) -> Element {
        let own = declaration(tree.prefix.as_deref());
        let content = tree.children.into_iter().filter_map(|node| match node {
            XMLNode::Element(child) => Some(Content::Element(Element::from_tree(child))),
            XMLNode::Text(text) | XMLNode::CData(text) => Some(Content::Text(text)),
            XMLNode::Comment(text) => Some(Content::Comment(text)),
            XMLNode::ProcessingInstruction(..) => None,
        });
        Element {
            content: content.collect(),
            attributes: tree
                .attributes
                .into_iter()
                .filter(|(name, _)| *name != own)
                .collect(),
            name: tree.name,
            prefix: tree.prefix,
            namespace: tree.namespace,
        }
    }

    /// The tree of the element within elements that declare `scope`: pairs of a prefix and a URI.
    pub(crate) fn to_tree(&self, scope: &[(String, String)]) -> xmltree::Element {
        let mut declared: Vec<(String, String)> = Vec::new();
        let mut others = AttributeMap::new();
        for (name, value) in &self.attributes {
            match name.strip_prefix("xmlns") {
                Some("") => declared.push((String::new(), value.clone())),
                Some(prefix) if prefix.starts_with(':') => {
                    declared.push((prefix[1..].to_owned(), value.clone()));
                }
                _ => drop(others.insert(name.clone(), value.clone())),
            }
        }
        if let Some(uri) = &self.namespace {
            let prefix = self.prefix.as_deref().unwrap_or_default();
            let known = declared.iter().chain(scope.iter().rev());
            let known = known.into_iter().find(|(other, _)| other == prefix);
            // The prefix `xml` is never declared.
            if prefix != "xml" && known.is_none_or(|(_, known)| known != uri) {
                declared.push((prefix.to_owned(), uri.clone()));
            }
        }
        declared.sort();
        let mut tree = xmltree::Element::new(&self.name);
        tree.prefix.clone_from(&self.prefix);
        tree.namespace.clone_from(&self.namespace);
        for (prefix, uri) in &declared {
            let name = declaration(Some(prefix.as_str()).filter(|prefix| !prefix.is_empty()));
            tree.attributes.insert(name, uri.clone());
        }
        tree.attributes.append(&mut others);
        let inner: Vec<_> = scope.iter().cloned().chain(declared).collect();
        let content = self.content.iter().map(|content| match content {
            Content::Element(child) => XMLNode::Element(child.to_tree(&inner)),
            Content::Text(text) => XMLNode::Text(text.clone()),
            Content::Comment(text) => XMLNode::Comment(text.clone()),
        });
        tree.children.extend(content);
        tree
    }
}

/// The name of the attribute that declares a prefix.
fn declaration(prefix: Option<&str>) -> String {
    match prefix {
        Some(prefix) => format!("xmlns:{prefix}"),
        None => "xmlns".to_owned(),
    }
}

impl FromStr for Element {
    type Err = XmlError;

    fn from_str(text: &str) -> Result<Element, XmlError> {
        let tree = super::parse::tree_with_comments(text)?;
        Ok(metadata::stand_alone(tree, &xmltree::Namespace::empty()))
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::foreign::to_string(&self.to_tree(&[])))
    }
}

#[cfg(test)]
mod tests {
    use super::Element;

    #[track_caller]
    fn check(text: &str, stored: &str) {
        let element: Element = text.parse().unwrap();
        let element = element.into_namespace("k", "urn:x");
        assert_eq!(element.to_string(), stored);
        let kept: Element = stored.parse().unwrap();
        assert_eq!(kept.out_of_namespace("urn:x").to_string(), text);
    }

    /// Observed with virsh's `metadata` and `dumpxml` of libvirt 9.0.0.
    #[test]
    fn metadata_gets_a_namespace_and_loses_it() {
        check("<a>b</a>", r#"<k:a xmlns:k="urn:x">b</k:a>"#);
        check(
            "<a b=\"1\">\n  <c/>\n</a>",
            "<k:a xmlns:k=\"urn:x\" b=\"1\">\n  <k:c/>\n</k:a>",
        );
        check(
            "<a xmlns:z=\"urn:z\">\n  <z:c>t</z:c>\n</a>",
            "<k:a xmlns:k=\"urn:x\" xmlns:z=\"urn:z\">\n  <z:c>t</z:c>\n</k:a>",
        );
    }
}
