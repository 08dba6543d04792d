//! XML in a canonical form, so that equivalent documents compare equal.
//!
//! Prefixes are resolved (also in the value of `xsi:type`), attributes have no order, declarations of namespaces
//! and comments are dropped, references and CDATA are text, and blanks between elements are nothing.

use std::collections::BTreeMap;

use quick_xml::escape::unescape;
use quick_xml::events::{BytesStart, Event};

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// A name and the namespace it is in; that is empty where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) namespace: String,
    pub(crate) local: String,
}

/// An element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: Name,
    /// `xsi:type`.
    pub(crate) ty: Option<Name>,
    /// The other attributes.
    pub(crate) attributes: BTreeMap<Name, String>,
    /// The text of an element without children.
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// Reads a document.
    pub(crate) fn parse(document: &str) -> Result<Self, String> {
        let mut reader = quick_xml::Reader::from_str(document);
        reader.config_mut().expand_empty_elements = true;
        let mut scopes = vec![BTreeMap::from([("xml".to_owned(), "xml".to_owned())])];
        let mut open = vec![Self::default()];
        loop {
            let event = reader.read_event().map_err(|error| error.to_string())?;
            let Some(last) = open.last_mut() else {
                return Err("an end tag too many".to_owned());
            };
            match event {
                Event::Start(start) => {
                    let scope = scope(&start, scopes.last().cloned().unwrap_or_default())?;
                    open.push(Self::start(&start, &scope)?);
                    scopes.push(scope);
                }
                Event::End(_) => {
                    scopes.pop();
                    let mut done = open.pop().unwrap_or_default();
                    if !done.children.is_empty() && done.text.trim().is_empty() {
                        done.text.clear();
                    }
                    let Some(parent) = open.last_mut() else {
                        return Err("an end tag too many".to_owned());
                    };
                    parent.children.push(done);
                }
                Event::Text(text) => last.text.push_str(&text.xml10_content()),
                Event::CData(data) => last.text.push_str(&data),
                Event::GeneralRef(name) => {
                    let reference = format!("&{};", &*name);
                    last.text
                        .push_str(&unescape(&reference).map_err(|error| error.to_string())?);
                }
                Event::Eof => break,
                _ => {}
            }
        }
        match open.pop().map(|document| document.children) {
            Some(mut children) if open.is_empty() && children.len() == 1 => Ok(children.remove(0)),
            _ => Err("it is not one element".to_owned()),
        }
    }

    fn start(start: &BytesStart<'_>, scope: &BTreeMap<String, String>) -> Result<Self, String> {
        let mut element = Self {
            name: resolve(start.name().as_ref(), scope, true)?,
            ..Self::default()
        };
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| error.to_string())?;
            let key: &str = attribute.key.as_ref();
            if key == "xmlns" || key.starts_with("xmlns:") {
                continue;
            }
            let name = resolve(key, scope, false)?;
            let value = unescape(&attribute.value).map_err(|error| error.to_string())?;
            if name.namespace == XSI && name.local == "type" {
                element.ty = Some(resolve(value.trim(), scope, true)?);
            } else {
                element.attributes.insert(name, value.into_owned());
            }
        }
        Ok(element)
    }

    /// The first element of that name below this one, at any depth, or this one.
    pub(crate) fn find(&self, local: &str) -> Option<&Self> {
        if self.name.local == local {
            return Some(self);
        }
        self.children.iter().find_map(|child| child.find(local))
    }
}

/// The prefixes that are declared for an element's content, and for itself.
fn scope(
    start: &BytesStart<'_>,
    mut scope: BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, String> {
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let key: &str = attribute.key.as_ref();
        let prefix = match key.strip_prefix("xmlns") {
            Some("") => "",
            Some(prefix) if prefix.starts_with(':') => &prefix[1..],
            _ => continue,
        };
        let value = unescape(&attribute.value).map_err(|error| error.to_string())?;
        scope.insert(prefix.to_owned(), value.into_owned());
    }
    Ok(scope)
}

/// A name with its prefix resolved; the default namespace is not for attributes.
fn resolve(
    name: &str,
    scope: &BTreeMap<String, String>,
    has_default: bool,
) -> Result<Name, String> {
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    let namespace = match scope.get(prefix) {
        Some(_) if prefix.is_empty() && !has_default => String::new(),
        Some(namespace) => namespace.clone(),
        None if prefix.is_empty() => String::new(),
        None => return Err(format!("the prefix of '{name}' is not declared")),
    };
    let local = local.to_owned();
    Ok(Name { namespace, local })
}

/// What one document has and the other doesn't.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// Where: `returnval/objects[2]/obj`.
    pub(crate) path: String,
    /// The type of the object it is in, where `xsi:type` says it or the caller wrote it there.
    pub(crate) owner: String,
    /// The element's name, for one that is only in the first document.
    pub(crate) lost: Option<String>,
    /// What is different.
    pub(crate) what: String,
}

/// How `found` differs from `expected`; nothing when they say the same.
pub(crate) fn differences(expected: &Element, found: &Element) -> Vec<Difference> {
    let mut all = Vec::new();
    compare(expected, found, &expected.name.local, &mut all);
    all
}

fn compare(expected: &Element, found: &Element, path: &str, all: &mut Vec<Difference>) {
    let owner = expected
        .ty
        .as_ref()
        .map(|ty| ty.local.clone())
        .unwrap_or_default();
    let mut differ = |path: &str, lost: Option<&str>, what: String| {
        all.push(Difference {
            path: path.to_owned(),
            owner: owner.clone(),
            lost: lost.map(str::to_owned),
            what,
        });
    };
    if expected.name != found.name {
        differ(
            path,
            None,
            format!("{:?} instead of {:?}", found.name, expected.name),
        );
        return;
    }
    if expected.ty != found.ty {
        differ(
            path,
            None,
            format!("type {:?} instead of {:?}", found.ty, expected.ty),
        );
    }
    if expected.attributes != found.attributes {
        let (now, then) = (&found.attributes, &expected.attributes);
        differ(
            path,
            None,
            format!("attributes {now:?} instead of {then:?}"),
        );
    }
    if expected.text != found.text {
        differ(
            path,
            None,
            format!("text {:?} instead of {:?}", found.text, expected.text),
        );
    }
    let mut rest = found.children.iter().peekable();
    let mut pairs = Vec::new();
    for (index, child) in expected.children.iter().enumerate() {
        let name = &child.name.local;
        let path = format!("{path}/{name}[{}]", index + 1);
        match rest.peek() {
            Some(next) if next.name == child.name => {
                pairs.push((child, *next, path));
                rest.next();
            }
            _ => differ(&path, Some(name), format!("'{}' is lost", child.text)),
        }
    }
    for extra in rest {
        differ(path, None, format!("<{}> is there too", extra.name.local));
    }
    for (expected, found, path) in pairs {
        compare(expected, found, &path, all);
    }
}
