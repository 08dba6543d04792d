use std::{cell::RefCell, collections::HashMap, mem, rc::Rc, str::FromStr};

use xmltree::{AttributeMap, Element, Namespace, XMLNode};

use super::{XmlError, metadata};
use crate::{ErrorNumber, words::Word};

/// The paths of attributes and elements that no reader took.
pub(crate) type Unmodelled = RefCell<Vec<String>>;

/// An element being read. Readers take attributes and children out of it; dropping it reports the
/// remaining ones as not modelled.
pub struct Node<'r> {
    /// The name, without a prefix.
    pub(crate) name: String,
    path: String,
    text: String,
    attributes: AttributeMap<String, String>,
    children: Vec<Child>,
    /// The namespaces in force.
    namespaces: Rc<Namespace>,
    unmodelled: &'r Unmodelled,
}

/// An element to be written.
pub struct Tree(pub(crate) Element);

/// A child that was not taken yet.
struct Child {
    element: Element,
    /// The position among the siblings of the same name, from 1. None: it is the only one.
    index: Option<usize>,
}

impl<'r> Node<'r> {
    /// The document's root.
    pub(crate) fn root(element: Element, unmodelled: &'r Unmodelled) -> Node<'r> {
        let path = format!("/{}", full_name(&element));
        Node::new(element, path, &Rc::new(Namespace::empty()), unmodelled)
    }

    fn new(
        mut element: Element,
        path: String,
        outer: &Rc<Namespace>,
        unmodelled: &'r Unmodelled,
    ) -> Node<'r> {
        let namespaces = element.namespaces.take();
        let namespaces = namespaces.map_or_else(|| outer.clone(), Rc::new);
        let mut text = String::new();
        let mut children: Vec<Child> = Vec::new();
        for node in element.children {
            match node {
                XMLNode::Element(element) => children.push(Child {
                    element,
                    index: None,
                }),
                XMLNode::Text(part) | XMLNode::CData(part) => text.push_str(&part),
                _ => {}
            }
        }
        number(&mut children);
        Node {
            name: element.name,
            path,
            text,
            attributes: element.attributes,
            children,
            namespaces,
            unmodelled,
        }
    }

    /// Reports the whole element as not modelled.
    pub(crate) fn unmodelled(mut self) {
        self.attributes.clear();
        self.children.clear();
        self.unmodelled.borrow_mut().push(self.path.clone());
    }

    /// The text between the tags.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Takes an attribute.
    pub(crate) fn attr(&mut self, name: &str) -> Option<String> {
        self.attributes.shift_remove(name)
    }

    /// Whether the element has an attribute that was not taken yet.
    pub(crate) fn has_attr(&self, name: &str) -> bool {
        self.attributes.contains_key(name)
    }

    /// Takes a required attribute.
    pub(crate) fn required(&mut self, name: &str) -> Result<String, XmlError> {
        self.attr(name).ok_or_else(|| self.missing(name))
    }

    /// The error for a missing required attribute.
    pub(crate) fn missing(&self, attribute: &str) -> XmlError {
        self.error(format!(
            "Missing required attribute '{attribute}' in element '{}'",
            self.name
        ))
    }

    /// Takes all attributes, in the order of the document.
    pub(crate) fn all_attrs(&mut self) -> Vec<(String, String)> {
        mem::take(&mut self.attributes).into_iter().collect()
    }

    /// Takes an attribute whose value is a word of `W`.
    pub(crate) fn word<W: Word>(&mut self, name: &str) -> Result<Option<W>, XmlError> {
        let Some(value) = self.attr(name) else {
            return Ok(None);
        };
        let known = W::WORDS.iter().copied().find(|known| known.word() == value);
        known.map(Some).ok_or_else(|| self.invalid(name, &value))
    }

    /// Takes an attribute; an empty one counts as absent. libvirt reads some attributes so
    /// (`virXMLPropString` and a check for the empty string).
    pub(crate) fn filled(&mut self, name: &str) -> Option<String> {
        self.attr(name).filter(|value| !value.is_empty())
    }

    /// Takes a decimal number.
    pub(crate) fn number<N: Number>(&mut self, name: &str) -> Result<Option<N>, XmlError> {
        self.number_read(name, decimal)
    }

    /// Takes a number: decimal, hexadecimal with `0x`, or octal with `0`.
    pub(crate) fn number_or_hex<N: Number>(&mut self, name: &str) -> Result<Option<N>, XmlError> {
        self.number_read(name, any_base)
    }

    fn number_read<N: Number>(
        &mut self,
        name: &str,
        read: impl Fn(&str) -> Option<N>,
    ) -> Result<Option<N>, XmlError> {
        let Some(value) = self.attr(name) else {
            return Ok(None);
        };
        let found = read(&value);
        found
            .map(Some)
            .ok_or_else(|| self.no_number(name, &value, N::NAME))
    }

    /// Takes an attribute that is `yes` or `no`.
    pub(crate) fn yes_no(&mut self, name: &str) -> Result<Option<bool>, XmlError> {
        self.either(name, "yes", "no")
    }

    /// Takes an attribute that is `on` or `off`.
    pub(crate) fn on_off(&mut self, name: &str) -> Result<Option<bool>, XmlError> {
        self.either(name, "on", "off")
    }

    fn either(&mut self, name: &str, yes: &str, no: &str) -> Result<Option<bool>, XmlError> {
        match self.attr(name) {
            None => Ok(None),
            Some(value) if value == yes => Ok(Some(true)),
            Some(value) if value == no => Ok(Some(false)),
            Some(value) => Err(self.invalid(name, &value)),
        }
    }

    /// Takes an attribute whose value must be one of `words`, and keeps it as text.
    pub(crate) fn one_of(
        &mut self,
        name: &str,
        words: &[&str],
    ) -> Result<Option<String>, XmlError> {
        match self.attr(name) {
            Some(value) if !words.contains(&value.as_str()) => Err(self.invalid(name, &value)),
            value => Ok(value),
        }
    }

    /// The same, with the error that libvirt's older readers give: `unknown` and the value.
    pub(crate) fn old_one_of(
        &mut self,
        name: &str,
        words: &[&str],
        unknown: &str,
    ) -> Result<Option<String>, XmlError> {
        match self.attr(name) {
            Some(value) if !words.contains(&value.as_str()) => {
                Err(self.unsupported(format!("{unknown} '{value}'")))
            }
            value => Ok(value),
        }
    }

    /// Takes an attribute whose value is a word of `W`, with the error that libvirt's older readers
    /// give: `unknown` and the value.
    pub(crate) fn old_word<W: Word>(
        &mut self,
        name: &str,
        unknown: &str,
    ) -> Result<Option<W>, XmlError> {
        let value = self.attr(name);
        self.known_word(value, unknown)
    }

    /// The same; an empty attribute counts as absent.
    pub(crate) fn old_filled_word<W: Word>(
        &mut self,
        name: &str,
        unknown: &str,
    ) -> Result<Option<W>, XmlError> {
        let value = self.filled(name);
        self.known_word(value, unknown)
    }

    fn known_word<W: Word>(
        &self,
        value: Option<String>,
        unknown: &str,
    ) -> Result<Option<W>, XmlError> {
        let Some(value) = value else {
            return Ok(None);
        };
        let known = W::WORDS.iter().copied().find(|known| known.word() == value);
        known
            .map(Some)
            .ok_or_else(|| self.unsupported(format!("{unknown} '{value}'")))
    }

    /// Takes the first child of that name.
    pub(crate) fn child(&mut self, name: &str) -> Option<Node<'r>> {
        let named = |child: &Child| child.element.name == name && child.element.namespace.is_none();
        let at = self.children.iter().position(named)?;
        let child = self.children.remove(at);
        Some(self.node(child))
    }

    /// Takes all children in namespaces, unchanged.
    pub(crate) fn in_namespaces(&mut self) -> Vec<super::Element> {
        let in_namespace = |child: &mut Child| child.element.namespace.is_some();
        let found = self.children.extract_if(.., in_namespace);
        found
            .map(|child| metadata::stand_alone(child.element, &self.namespaces))
            .collect()
    }

    /// Takes all children of that name.
    pub(crate) fn children(&mut self, name: &str) -> Vec<Node<'r>> {
        let named =
            |child: &mut Child| child.element.name == name && child.element.namespace.is_none();
        let found: Vec<Child> = self.children.extract_if(.., named).collect();
        found.into_iter().map(|child| self.node(child)).collect()
    }

    /// Takes all children, in the order of the document.
    pub(crate) fn all_children(&mut self) -> Vec<Node<'r>> {
        let children = mem::take(&mut self.children);
        children.into_iter().map(|child| self.node(child)).collect()
    }

    /// Takes all children unchanged, each with the namespace declarations it needs.
    pub(crate) fn elements(&mut self) -> Vec<super::Element> {
        let children = mem::take(&mut self.children).into_iter();
        let stand_alone = |child: Child| metadata::stand_alone(child.element, &self.namespaces);
        children.map(stand_alone).collect()
    }

    /// The number of children of that name that were not taken yet.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.child_names().filter(|&child| child == name).count()
    }

    /// The names of the children that were not taken yet.
    pub(crate) fn child_names(&self) -> impl Iterator<Item = &str> {
        let children = self.children.iter();
        children.map(|child| child.element.name.as_str())
    }

    /// Takes the first child of that name, and tells whether there was one.
    pub(crate) fn has(&mut self, name: &str) -> bool {
        self.child(name).is_some()
    }

    /// Takes the first child of that name and gives its text. None if the text is empty.
    pub(crate) fn text_of(&mut self, name: &str) -> Option<String> {
        let mut child = self.child(name)?;
        Some(mem::take(&mut child.text)).filter(|text| !text.is_empty())
    }

    /// Takes the first child of that name and gives one of its attributes.
    pub(crate) fn attr_of(&mut self, name: &str, attribute: &str) -> Option<String> {
        self.child(name)?.attr(attribute)
    }

    fn node(&self, child: Child) -> Node<'r> {
        let path = child.path(&self.path);
        Node::new(child.element, path, &self.namespaces, self.unmodelled)
    }

    /// An [`ErrorNumber::XmlError`] about this element.
    pub(crate) fn error(&self, message: impl Into<String>) -> XmlError {
        self.fail(ErrorNumber::XmlError, message)
    }

    /// An [`ErrorNumber::ConfigUnsupported`] about this element.
    pub(crate) fn unsupported(&self, message: impl Into<String>) -> XmlError {
        self.fail(ErrorNumber::ConfigUnsupported, message)
    }

    /// An error with that number about this element.
    pub(crate) fn fail(&self, number: ErrorNumber, message: impl Into<String>) -> XmlError {
        XmlError::new(number, message).at(&self.path)
    }

    /// The error for an attribute whose value is not one of the known words.
    pub(crate) fn invalid(&self, attribute: &str, value: &str) -> XmlError {
        self.error(format!(
            "Invalid value for attribute '{attribute}' in element '{}': '{value}'.",
            self.name
        ))
    }

    /// The error for an attribute whose value is not a number of the expected kind.
    pub(crate) fn no_number(&self, attribute: &str, value: &str, expected: &str) -> XmlError {
        self.error(format!(
            "Invalid value for attribute '{attribute}' in element '{}': '{value}'. \
             Expected {expected}",
            self.name
        ))
    }
}

impl Drop for Node<'_> {
    fn drop(&mut self) {
        let mut unmodelled = self.unmodelled.borrow_mut();
        let attributes = self.attributes.keys();
        unmodelled.extend(attributes.map(|name| format!("{}/@{name}", self.path)));
        unmodelled.extend(self.children.iter().map(|child| child.path(&self.path)));
    }
}

impl Child {
    fn path(&self, parent: &str) -> String {
        let name = full_name(&self.element);
        match self.index {
            Some(index) => format!("{parent}/{name}[{index}]"),
            None => format!("{parent}/{name}"),
        }
    }
}

fn full_name(element: &Element) -> String {
    match &element.prefix {
        Some(prefix) => format!("{prefix}:{}", element.name),
        None => element.name.clone(),
    }
}

/// Gives each child its position among the siblings of the same name.
fn number(children: &mut [Child]) {
    let names: Vec<String> = children
        .iter()
        .map(|child| full_name(&child.element))
        .collect();
    let mut alike: HashMap<&str, usize> = HashMap::new();
    for name in &names {
        *alike.entry(name).or_default() += 1;
    }
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for (child, name) in children.iter_mut().zip(&names) {
        let index = seen.entry(name).or_default();
        *index += 1;
        child.index = (alike[name.as_str()] > 1).then_some(*index);
    }
}

/// A type of number that attributes have.
pub(crate) trait Number: FromStr + TryFrom<i128> {
    /// The name of the type in libvirt's errors.
    const NAME: &'static str;
}

impl Number for u16 {
    const NAME: &'static str = "non-negative integer value";
}

impl Number for u32 {
    const NAME: &'static str = "non-negative integer value";
}

impl Number for u64 {
    const NAME: &'static str = "non-negative integer value";
}

impl Number for i32 {
    const NAME: &'static str = "integer value";
}

impl Number for i64 {
    const NAME: &'static str = "long long integer value";
}

/// Reads a decimal number as C's `strtol` does: leading blanks and a sign are allowed.
pub(crate) fn decimal<N: FromStr>(text: &str) -> Option<N> {
    text.trim_ascii_start().parse().ok()
}

/// Reads a number as C's `strtol` does with base 0: the prefix tells the base.
fn any_base<N: Number>(text: &str) -> Option<N> {
    let text = text.trim_ascii_start();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (base, digits) = match digits.get(..2) {
        Some("0x" | "0X") => (16, &digits[2..]),
        Some(start) if start.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    // `from_str_radix` would accept a second sign.
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let number = i128::from_str_radix(digits, base).ok()?;
    N::try_from(sign * number).ok()
}
