//! Elements that are kept as XML.

/// An element without its name: its type, its other attributes and its content.
///
/// The prefixes are `xsi:` and `xsd:`, whatever the server used, so that the element fits into any message of this crate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawElement {
    /// `xsi:type`, if there was one.
    pub type_name: Option<String>,
    /// The other attributes as they are written in a start tag, each with a blank before it.
    pub attributes: String,
    /// Everything between the start tag and the end tag.
    pub content: String,
}
