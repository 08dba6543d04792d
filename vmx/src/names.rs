//! File names. A VMX file names a file `disk.vmdk` or `/vmfs/volumes/ds/vm/disk.vmdk`; a definition
//! names it `[ds] vm/disk.vmdk`.
//!
//! [`FileNames`] translates both ways. [`Datastores`] does so with the datastores of a host, [`Folder`]
//! without a host.

mod datastores;
mod folder;

pub use datastores::{Datastore, Datastores};
pub use folder::Folder;
use virt_model::{ErrorNumber, domain::Disk};

/// Translates file names between VMX files and definitions.
///
/// Implementations should do no I/O; read the datastores of a server before ([`Datastores`]).
pub trait FileNames {
    /// Translates a name of a VMX file into the definition's form. None if its datastore does not exist and
    /// that is [allowed](Missing::Allowed).
    ///
    /// # Errors
    /// If the name cannot be translated.
    fn parse(&self, name: &str, missing: Missing) -> Result<Option<String>, FileNameError>;

    /// Translates a name of a definition into the VMX file's form.
    ///
    /// # Errors
    /// If the name cannot be translated.
    fn format(&self, source: &str) -> Result<String, FileNameError>;

    /// The model of SCSI controller that a disk was made for: `lsilogic`, `vmpvscsi`, …. It is asked for if
    /// the definition's model is `auto`. None if it is not known.
    ///
    /// # Errors
    /// If the model cannot be found out.
    fn scsi_model(&self, disk: &Disk) -> Result<Option<String>, FileNameError> {
        let _ = disk;
        Ok(None)
    }
}

/// Whether a file name may refer to a datastore that does not exist. CD-ROM images may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// It may; the drive is empty then.
    Allowed,
    /// It may not.
    Refused,
}

/// A file name that cannot be translated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .number.with(.message))]
#[non_exhaustive]
pub struct FileNameError {
    /// libvirt's kind of error.
    pub number: ErrorNumber,
    /// What is wrong, with the name.
    pub message: String,
}

impl FileNameError {
    /// An error with this number.
    pub fn new(number: ErrorNumber, message: impl Into<String>) -> FileNameError {
        FileNameError {
            number,
            message: message.into(),
        }
    }

    /// An [`ErrorNumber::InternalError`], as most of libvirt's are.
    pub fn internal(message: impl Into<String>) -> FileNameError {
        FileNameError::new(ErrorNumber::InternalError, message)
    }

    /// libvirt's error for a name of no known form.
    pub fn unknown(name: &str) -> FileNameError {
        FileNameError::internal(format!("Could not handle file name '{name}'"))
    }
}
