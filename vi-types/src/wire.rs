//! SOAP: envelopes, and the XML in them.
//!
//! Knows no particular type of the API. A [`Reader`] fills any [`Object`](crate::object::Object) by its description; a
//! [`Writer`] writes any object.

mod envelope;
mod items;
mod mend;
mod raw;
mod reader;
mod tokens;
mod writer;

pub(crate) use envelope::texts_of;
pub use envelope::{
    Decoded, Request, ResponseError, decode_request, decode_response, encode_fault,
    encode_raw_response, encode_request, encode_response, encode_response_with,
};
pub use items::ItemDecoder;
pub use mend::{Mended, unsendable};
pub use reader::Reader;
pub use writer::Writer;
pub(crate) use writer::{Tags, escaped};

/// Limits of decoding.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// How deep elements may be nested (default: 128).
    ///
    /// The deepest real answers are snapshot trees and disk chains: about 32 levels of two elements each.
    pub depth: usize,
    /// How many attributes an element may have (default: 64).
    ///
    /// Real elements have up to about ten, nearly all of them declarations of the envelope. The count is what keeps the
    /// work linear: an attribute is compared with the others of its element.
    pub attributes: usize,
    /// How many prefixes may be declared around an element (default: 128).
    ///
    /// Real messages declare about ten. Again the count keeps the work linear: a prefix is looked up among them.
    pub prefixes: usize,
    /// How many bytes of memory the values of a message may take, with the text that they are read from; of an answer that
    /// arrives in pieces, those of one item (default: 128 MiB).
    ///
    /// This is an estimate: what is allocated for objects and lists. Real answers take one to three bytes for each byte of
    /// text, but one that is made for it takes a hundred: seven bytes of XML can be an object of a thousand.
    pub memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth: 128,
            attributes: 64,
            prefixes: 128,
            memory: 128 << 20,
        }
    }
}

/// The namespaces of a message.
pub(crate) mod namespace {
    pub(crate) const ENVELOPE: &str = "http://schemas.xmlsoap.org/soap/envelope/";
    pub(crate) const ENCODING: &str = "http://schemas.xmlsoap.org/soap/encoding/";
    pub(crate) const XSD: &str = "http://www.w3.org/2001/XMLSchema";
    pub(crate) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
    pub(crate) const VIM: &str = "urn:vim25";
}
