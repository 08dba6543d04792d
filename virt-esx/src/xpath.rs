//! Parts of an XML document, chosen by XPath and printed as virsh prints them.

use sxd_document::dom::{ChildOfElement, Document, Element};
use sxd_document::{Package, QName};
use sxd_xpath::nodeset::Node;
use sxd_xpath::{Context, Factory, Value};

use crate::failure::Failure;

/// The options of the commands that print a document: which parts of it.
#[derive(Debug, clap::Args)]
pub(crate) struct Parts {
    /// xpath expression to filter the XML document
    #[arg(long, value_name = "string")]
    xpath: Option<String>,

    /// wrap xpath results in an common root element
    #[arg(long)]
    wrap: bool,
}

impl Parts {
    /// The parts of the document `xml` that the options select: all of it without `--xpath`.
    pub(crate) fn of(&self, xml: String) -> Result<String, Failure> {
        match &self.xpath {
            Some(expression) => select(&xml, expression, self.wrap),
            None => Ok(xml),
        }
    }
}

/// The nodes of the document `xml` that `expression` selects, a line each; with `wrap` they are the
/// content of one element `nodes`.
///
/// The form is libxml2's, which virsh uses for this: attributes in double quotes.
fn select(xml: &str, expression: &str, wrap: bool) -> Result<String, Failure> {
    let incorrect = || Failure::new(format!("internal error: Incorrect xpath '{expression}'"));
    let package = parse(xml)?;
    let document = package.as_document();
    let xpath = Factory::new().build(expression).ok().flatten();
    let xpath = xpath.ok_or_else(incorrect)?;
    let mut context = Context::new();
    let mut known = Vec::new();
    if let Some(root) = document
        .root()
        .children()
        .iter()
        .find_map(|child| child.element())
    {
        for namespace in root.namespaces_in_scope() {
            context.set_namespace(namespace.prefix(), namespace.uri());
            known.push(namespace.prefix().to_owned());
        }
    }
    // The library takes it for granted that all of them are known.
    if prefixes(expression).any(|prefix| !known.iter().any(|known| known == prefix)) {
        return Err(incorrect());
    }
    let Ok(Value::Nodeset(found)) = xpath.evaluate(&context, document.root()) else {
        return Err(incorrect());
    };
    let found = found.document_order();
    Ok(match wrap {
        true => wrapped(&found),
        false => found
            .iter()
            .map(|node| format!("{}\n", shown(*node, 0)))
            .collect(),
    })
}

/// The document `xml` with `text` as the content of the element that `path` names (`/volume/name`), as libxml2 prints it:
/// without a declaration, and without an end of the last line.
///
/// # Errors
/// When the document cannot be read.
pub(crate) fn with_text(xml: &str, path: &str, text: &str) -> Result<String, Failure> {
    let package = parse(xml)?;
    let document = package.as_document();
    let mut element_ = None;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let children: Vec<_> = match element_ {
            None => document
                .root()
                .children()
                .iter()
                .filter_map(|child| child.element())
                .collect(),
            Some(parent) => Element::children(&parent)
                .iter()
                .filter_map(|child| child.element())
                .collect(),
        };
        let mut children = children.into_iter();
        element_ = children.find(|child| child.name().local_part() == name);
        if element_.is_none() {
            break;
        }
    }
    if let Some(element_) = element_ {
        element_.set_text(text);
    }
    let children = document.root().children();
    let mut elements = children.iter().filter_map(|child| child.element());
    Ok(elements
        .next()
        .map(|root| element(root, 0))
        .unwrap_or_default())
}

/// The namespace prefixes in an XPath: names in front of a single colon, outside quotes.
fn prefixes(expression: &str) -> impl Iterator<Item = &str> {
    let outside = expression.split(['"', '\'']).step_by(2);
    outside.flat_map(|text| {
        let colons = text.match_indices(':').map(|(at, _)| at);
        colons.filter_map(move |at| {
            let (before, after) = (&text[..at], &text[at + 1..]);
            let is_axis = after.starts_with(':') || before.ends_with(':');
            let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
            let start = before.trim_end_matches(is_name).len();
            (!is_axis).then_some(&before[start..])
        })
    })
}

/// The document, without the white space that only indents it.
fn parse(xml: &str) -> Result<Package, Failure> {
    let root = xmltree::Element::parse(xml.as_bytes());
    let root = root.map_err(|error| {
        let reason = Failure::new(error.to_string());
        Failure::because("cannot read the document", reason)
    })?;
    let package = Package::new();
    let document = package.as_document();
    document.root().append_child(copy(&root, document));
    Ok(package)
}

/// An element of that document; the library's own parser would not keep the order of attributes.
fn copy<'d>(from: &xmltree::Element, document: Document<'d>) -> Element<'d> {
    let to = document.create_element(QName::with_namespace_uri(
        from.namespace.as_deref(),
        &from.name,
    ));
    to.set_preferred_prefix(from.prefix.as_deref());
    for (prefix, uri) in from.namespaces.iter().flat_map(|namespaces| &namespaces.0) {
        if !matches!(prefix.as_str(), "" | "xml" | "xmlns") {
            to.register_prefix(prefix, uri);
        }
    }
    for (name, value) in &from.attributes {
        to.set_attribute_value(name.as_str(), value);
    }
    let has_elements = from
        .children
        .iter()
        .any(|child| child.as_element().is_some());
    for child in &from.children {
        if let Some(child) = child.as_element() {
            to.append_child(copy(child, document));
        } else if let Some(text) = child.as_text()
            && !(has_elements && text.trim().is_empty())
        {
            to.append_child(document.create_text(text));
        }
    }
    to
}

fn wrapped(found: &[Node<'_>]) -> String {
    let mut attributes: Vec<(String, String)> = Vec::new();
    let mut content = String::new();
    let mut is_text = false;
    for node in found {
        match node {
            Node::Attribute(attribute) => {
                let name = attribute.name().local_part().to_owned();
                attributes.retain(|(other, _)| *other != name);
                attributes.push((name, attribute.value().to_owned()));
            }
            Node::Text(text) => {
                is_text = true;
                content += &escaped(text.text(), false);
            }
            node => content += &format!("  {}\n", shown(*node, 1)),
        }
    }
    let mut out = "<nodes".to_owned();
    for (name, value) in attributes {
        out += &format!(" {name}=\"{}\"", escaped(&value, true));
    }
    match (content.is_empty(), is_text) {
        (true, _) => out += "/>\n",
        (false, true) => out += &format!(">{content}</nodes>\n"),
        (false, false) => out += &format!(">\n{content}</nodes>\n"),
    }
    out
}

/// A node as it stands in a document, indented by so many levels from its second line on.
fn shown(node: Node<'_>, depth: usize) -> String {
    match node {
        Node::Root(root) => {
            let children = root.children();
            let elements = children.iter().filter_map(|child| child.element());
            let elements: Vec<_> = elements.map(|child| element(child, depth)).collect();
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n",
                elements.join("\n")
            )
        }
        Node::Element(node) => element(node, depth),
        Node::Attribute(attribute) => {
            let (name, value) = (attribute.name().local_part(), attribute.value());
            format!(" {name}=\"{}\"", escaped(value, true))
        }
        Node::Text(text) => escaped(text.text(), false),
        Node::Comment(comment) => format!("<!--{}-->", comment.text()),
        Node::ProcessingInstruction(instruction) => format!("<?{}?>", instruction.target()),
        Node::Namespace(namespace) => namespace.uri().to_owned(),
    }
}

fn element(element_: Element<'_>, depth: usize) -> String {
    let name = full_name(element_);
    let mut out = format!("<{name}");
    if element_
        .parent()
        .is_some_and(|parent| parent.root().is_some())
    {
        for namespace in element_
            .namespaces_in_scope()
            .iter()
            .filter(|namespace| namespace.prefix() != "xml")
        {
            out += &format!(" xmlns:{}=\"{}\"", namespace.prefix(), namespace.uri());
        }
    }
    for attribute in element_.attributes() {
        let (name, value) = (attribute.name().local_part(), attribute.value());
        out += &format!(" {name}=\"{}\"", escaped(value, true));
    }
    let children = element_.children();
    if children.is_empty() {
        return out + "/>";
    }
    out.push('>');
    if children.iter().any(|child| child.text().is_some()) {
        for child in children {
            out += &within(child, depth);
        }
    } else {
        for child in children {
            let indent = "  ".repeat(depth + 1);
            out += &format!("\n{indent}{}", within(child, depth + 1));
        }
        out += &format!("\n{}", "  ".repeat(depth));
    }
    out + &format!("</{name}>")
}

fn within(child: ChildOfElement<'_>, depth: usize) -> String {
    match child {
        ChildOfElement::Element(child) => element(child, depth),
        ChildOfElement::Text(text) => escaped(text.text(), false),
        ChildOfElement::Comment(comment) => shown(Node::Comment(comment), depth),
        ChildOfElement::ProcessingInstruction(one) => {
            shown(Node::ProcessingInstruction(one), depth)
        }
    }
}

fn full_name(element: Element<'_>) -> String {
    let name = element.name().local_part();
    match element.preferred_prefix() {
        Some(prefix) => format!("{prefix}:{name}"),
        None => name.to_owned(),
    }
}

fn escaped(text: &str, in_attribute: bool) -> String {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    match in_attribute {
        true => text.replace('"', "&quot;").replace('\n', "&#10;"),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::{select, with_text};

    const XML: &str = "<domain type='vmware' xmlns:vmware='urn:x'>\n  <name>a &lt; b</name>\n  <devices>\n    \
                       <disk type='file' device='disk'>\n      <target dev='sda'/>\n    </disk>\n  \
                       </devices>\n  <vmware:moref>1</vmware:moref>\n</domain>\n";

    #[track_caller]
    fn check(expression: &str, wrap: bool, expected: &str) {
        assert_eq!(select(XML, expression, wrap).as_deref(), Ok(expected));
    }

    #[test]
    fn nodes_are_printed_as_libxml2_does() {
        check("/domain/name", false, "<name>a &lt; b</name>\n");
        check(
            "//disk",
            false,
            "<disk type=\"file\" device=\"disk\">\n  <target dev=\"sda\"/>\n</disk>\n",
        );
        check(
            "//name | //target",
            false,
            "<name>a &lt; b</name>\n<target dev=\"sda\"/>\n",
        );
        check("//disk/@type", false, " type=\"file\"\n");
        check("//name/text()", false, "a &lt; b\n");
        check("//vmware:moref", false, "<vmware:moref>1</vmware:moref>\n");
        check("//nothing", false, "");
    }

    #[test]
    fn an_elements_text_is_replaced() {
        let xml = "<volume type='file'>\n  <name>a</name>\n  <target>\n    <name>b</name>\n  </target>\n</volume>\n";
        let expected = "<volume type=\"file\">\n  <name>x &lt;y&gt;</name>\n  <target>\n    <name>b</name>\n  </target>\n</volume>";
        let found = with_text(xml, "/volume/name", "x <y>");
        assert_eq!(found.as_deref(), Ok(expected));
        assert!(with_text(xml, "/volume/nothing", "x").is_ok_and(|xml| xml.contains(">a<")));
    }

    #[test]
    fn they_can_be_wrapped() {
        check(
            "//disk",
            true,
            "<nodes>\n  <disk type=\"file\" device=\"disk\">\n    <target dev=\"sda\"/>\n  </disk>\n</nodes>\n",
        );
        check("//nothing", true, "<nodes/>\n");
        check("//@type", true, "<nodes type=\"file\"/>\n");
        check("//text()", true, "<nodes>a &lt; b1</nodes>\n");
    }

    #[test]
    fn what_selects_no_nodes_is_refused() {
        for expression in ["count(//disk)", "//disk[", "", "//nosuch:moref"] {
            let failure = select(XML, expression, false).unwrap_err();
            let text = format!("error: internal error: Incorrect xpath '{expression}'\n");
            assert_eq!(failure.to_string(), text);
        }
    }
}
