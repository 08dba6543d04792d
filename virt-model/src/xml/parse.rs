use xml::{
    EventReader, ParserConfig,
    attribute::OwnedAttribute,
    common::Position,
    name::OwnedName,
    namespace::Namespace,
    reader::{Error, ErrorKind, XmlEvent},
};
use xmltree::{Element, XMLNode};

use super::XmlError;
use crate::ErrorNumber;

/// The largest document that is read, in bytes.
pub const MAX_SIZE: usize = 16 << 20;

/// The deepest nesting of elements that is read.
pub const MAX_DEPTH: usize = 128;

/// The largest number of elements and attributes together that is read. Where many namespaces are in force, each element
/// counts for as many as there are.
pub const MAX_NODES: usize = 1_000_000;

/// The number of namespaces in force that cost nothing: two are XML's own.
const FREE_NAMESPACES: usize = 10;

/// The tree of a document.
///
/// Blanks between elements, comments and processing instructions are dropped; comments within the
/// children of `<metadata>` are kept. The name of an attribute keeps its prefix. An element has its
/// namespaces in [`Element::namespaces`] if they differ from its parent's.
///
/// # Errors
/// If the text is not well-formed XML, has a document type declaration (which could define
/// entities), or exceeds [`MAX_SIZE`], [`MAX_DEPTH`] or [`MAX_NODES`].
pub(crate) fn tree(text: &str) -> Result<Element, XmlError> {
    tree_within(text, MAX_NODES, false)
}

/// The tree of an element that is kept unchanged, with its comments.
///
/// # Errors
/// As for [`tree`].
pub(super) fn tree_with_comments(text: &str) -> Result<Element, XmlError> {
    tree_within(text, MAX_NODES, true)
}

fn tree_within(text: &str, max_nodes: usize, comments: bool) -> Result<Element, XmlError> {
    if text.len() > MAX_SIZE {
        return Err(refused(format!(
            "the document has {} bytes; at most {MAX_SIZE} are read",
            text.len()
        )));
    }
    let mut config = ParserConfig::new();
    config.whitespace_to_characters = true;
    config.cdata_to_characters = true;
    config.allow_multiple_root_elements = false;
    config.ignore_root_level_whitespace = true;
    config.ignore_comments = false;
    config.max_attributes = 1 << 10;
    // A `&str` is UTF-8, whatever the declaration says.
    config.ignore_invalid_encoding_declarations = true;
    config.override_encoding = Some(xml::Encoding::Utf8);

    let mut reader = EventReader::new_with_config(text.as_bytes(), config);
    let mut tree = Tree {
        root: None,
        open: Vec::new(),
        nodes_left: max_nodes,
        comments,
    };
    loop {
        match reader.next().map_err(syntax)? {
            XmlEvent::StartElement {
                name,
                attributes,
                namespace,
            } => tree.open(name, attributes, namespace)?,
            XmlEvent::EndElement { .. } => tree.close(),
            XmlEvent::Characters(text) | XmlEvent::CData(text) => tree.text(text),
            XmlEvent::Comment(text) => tree.comment(text),
            XmlEvent::Doctype { .. } => {
                return Err(refused(
                    "a document type declaration (<!DOCTYPE …>) is not accepted; \
                     remove it and replace entities by their text",
                ));
            }
            XmlEvent::EndDocument => break,
            _ => {}
        }
    }
    tree.root
        .ok_or_else(|| refused("the document has no element"))
}

fn refused(message: impl Into<String>) -> XmlError {
    XmlError::new(ErrorNumber::XmlDetail, message)
}

fn syntax(error: Error) -> XmlError {
    let at = error.position();
    let (line, column) = (at.row + 1, at.column + 1);
    let message = match error.kind() {
        ErrorKind::Syntax(message) => message.to_string(),
        ErrorKind::UnexpectedEof => "the document ends too early".to_owned(),
        _ => error.to_string(),
    };
    refused(format!("line {line}, column {column}: {message}"))
}

/// The tree that has been read so far.
struct Tree {
    root: Option<Element>,
    /// The open elements, each with all namespaces in scope.
    open: Vec<(Element, Namespace)>,
    nodes_left: usize,
    /// Whether all comments are kept.
    comments: bool,
}

impl Tree {
    fn open(
        &mut self,
        name: OwnedName,
        attributes: Vec<OwnedAttribute>,
        namespace: Namespace,
    ) -> Result<(), XmlError> {
        // The parser copies all namespaces in force for each element.
        let namespaces = namespace.0.len().saturating_sub(FREE_NAMESPACES);
        let nodes = 1 + attributes.len() + namespaces;
        let nodes_left = self.nodes_left.checked_sub(nodes);
        self.nodes_left = nodes_left.ok_or_else(|| {
            refused(format!(
                "the document has too many elements, attributes and namespaces; at most {MAX_NODES} are read"
            ))
        })?;
        if self.open.len() == MAX_DEPTH {
            return Err(refused(format!(
                "elements are nested more than {MAX_DEPTH} levels deep, at '{}'",
                name.local_name
            )));
        }
        let inherited = match self.open.last() {
            Some((_, outer)) => *outer == namespace,
            None => namespace.is_essentially_empty(),
        };
        let mut element = Element::new(&name.local_name);
        element.prefix = name.prefix;
        element.namespace = name.namespace;
        element.namespaces = (!inherited).then(|| namespace.clone());
        for attribute in attributes {
            let OwnedName {
                local_name, prefix, ..
            } = attribute.name;
            let name = match prefix {
                Some(prefix) => format!("{prefix}:{local_name}"),
                None => local_name,
            };
            element.attributes.insert(name, attribute.value);
        }
        self.open.push((element, namespace));
        Ok(())
    }

    fn close(&mut self) {
        let Some((mut element, _)) = self.open.pop() else {
            return;
        };
        if element
            .children
            .iter()
            .any(|node| node.as_element().is_some())
        {
            let blank = |node: &XMLNode| node.as_text().is_some_and(|text| text.trim().is_empty());
            element.children.retain(|node| !blank(node));
        }
        match self.open.last_mut() {
            Some((parent, _)) => parent.children.push(XMLNode::Element(element)),
            None => self.root = Some(element),
        }
    }

    fn text(&mut self, text: String) {
        let Some((element, _)) = self.open.last_mut() else {
            return;
        };
        match element.children.last_mut() {
            Some(XMLNode::Text(before)) => before.push_str(&text),
            _ => element.children.push(XMLNode::Text(text)),
        }
    }

    fn comment(&mut self, text: String) {
        let kept = self.comments
            || matches!(self.open.as_slice(), [_, (outer, _), _, ..]
            if outer.name == "metadata" && outer.namespace.is_none());
        if let Some((element, _)) = self.open.last_mut().filter(|_| kept) {
            element.children.push(XMLNode::Comment(text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_and_attributes_are_counted() {
        let text = "<a b='1' c='2'><d/><d/></a>";
        assert!(tree_within(text, 5, false).is_ok());
        let error = tree_within(text, 4, false).unwrap_err();
        assert!(error.message().contains("too many elements"), "{error}");
    }

    #[test]
    fn namespaces_are_counted_at_each_element() {
        let declared = |count: usize| {
            let names = (0..count).map(|at| format!("xmlns:n{at}='urn:{at}' "));
            format!("<a {}>{}</a>", names.collect::<String>(), "<b/>".repeat(10))
        };
        assert!(tree_within(&declared(5), 11, false).is_ok());
        assert!(tree_within(&declared(100), 11 * 101, false).is_ok());
        let error = tree_within(&declared(100), 11 * 50, false).unwrap_err();
        assert!(error.message().contains("too many elements"), "{error}");
    }

    #[track_caller]
    fn check(text: &str, expected: Element) {
        assert_eq!(tree(text).unwrap(), expected);
    }

    #[test]
    fn blanks_count_only_beside_nothing_else() {
        use crate::xml::Build;
        check("<a> </a>", Element::new("a").text(" "));
        check(
            "<a>\n  <b/>\n</a>",
            Element::new("a").child(Element::new("b")),
        );
        check(
            "<a>x<b/> </a>",
            Element::new("a").text("x").child(Element::new("b")),
        );
    }

    #[test]
    fn prefixes_of_attributes_stay() {
        let element = tree("<a xmlns:p='urn:p' p:b='1' b='2'/>").unwrap();
        let attributes: Vec<_> = element.attributes.into_iter().collect();
        assert_eq!(
            attributes,
            [
                ("p:b".to_owned(), "1".to_owned()),
                ("b".to_owned(), "2".to_owned())
            ]
        );
    }
}
