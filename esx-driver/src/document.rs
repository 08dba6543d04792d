//! libvirt's documents, as callers give them.

use tracing::warn;
use virt_model::{Document, ErrorNumber, XmlError};

use crate::{Error, ErrorKind, Result};

/// Reads a document. What of it is not modelled is told in the log, or is an error with `validate`, as libvirt's schema
/// would have it.
pub(crate) fn read<D: Document>(xml: &str, validate: bool) -> Result<D> {
    let read = D::read_xml(xml).map_err(Error::of_document)?;
    if validate && !read.unmodelled.is_empty() {
        let message = format!("{} is not known", read.unmodelled.join(", "));
        return Err(Error::new(
            ErrorKind::Definition,
            ErrorNumber::XmlInvalidSchema,
            message,
        ));
    }
    for path in read.unmodelled {
        warn!("{path} is not known to this driver and is left out");
    }
    Ok(read.document)
}

impl Error {
    /// A document that cannot be read.
    pub(crate) fn of_document(error: XmlError) -> Error {
        Error::new(ErrorKind::Definition, error.number(), error.message()).because(error)
    }
}
