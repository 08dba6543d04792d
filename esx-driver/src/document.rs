//! Reading the documents that callers pass.

use tracing::warn;
use virt_model::{Document, ErrorNumber, XmlError};

use crate::{Error, ErrorKind, Result};

/// Reads a document. Elements and attributes that are not modelled are logged and ignored. With `validate` they are an
/// error, as they are to libvirt's schema.
pub(crate) fn read<D: Document>(xml: &str, validate: bool) -> Result<D> {
    let read = D::read_xml(xml).map_err(Error::of_document)?;
    check_known(&read.unmodelled, validate)?;
    Ok(read.document)
}

/// Tells in the log what of a document is not known, or makes it an error with `validate`.
pub(crate) fn check_known(unknown: &[String], validate: bool) -> Result<()> {
    if validate && !unknown.is_empty() {
        let message = format!("{} is not known", unknown.join(", "));
        return Err(Error::new(
            ErrorKind::Definition,
            ErrorNumber::XmlInvalidSchema,
            message,
        ));
    }
    for path in unknown {
        warn!("{path} is ignored: this driver does not know it");
    }
    Ok(())
}

impl Error {
    /// A document that cannot be read.
    pub(crate) fn of_document(error: XmlError) -> Error {
        Error::new(ErrorKind::Definition, error.number(), error.message()).because(error)
    }
}
