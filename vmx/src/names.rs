//! File names: what a VMX file calls `disk.vmdk` or `/vmfs/volumes/ds/vm/disk.vmdk`, a definition
//! calls `[ds] vm/disk.vmdk`.
//!
//! [`FileNames`] translates both ways. [`Datastores`] knows a host's datastores, [`Folder`] needs
//! no host.

mod datastores;
mod folder;

pub use datastores::{Datastore, Datastores};
pub use folder::Folder;
use virt_model::{ErrorNumber, domain::Disk};

/// How file names of VMX files become those of definitions, and back.
///
/// No I/O is meant to happen here: who needs a server's datastores asks for them before
/// ([`Datastores`]).
pub trait FileNames {
    /// The definition's name of the file that a VMX file calls `name`; `None` for a CD-ROM image
    /// that is `missing` and [may be](Missing::Allowed).
    ///
    /// # Errors
    /// When nothing can be made of the name.
    fn parse(&self, name: &str, missing: Missing) -> Result<Option<String>, FileNameError>;

    /// The VMX file's name of the file that a definition calls `source`.
    ///
    /// # Errors
    /// When nothing can be made of the name.
    fn format(&self, source: &str) -> Result<String, FileNameError>;

    /// The model of SCSI controller that a disk was made for, where a definition says `auto`:
    /// `lsilogic`, `vmpvscsi`, …. `None` where nobody knows.
    ///
    /// # Errors
    /// When asking failed.
    fn scsi_model(&self, disk: &Disk) -> Result<Option<String>, FileNameError> {
        let _ = disk;
        Ok(None)
    }
}

/// Whether a file name may refer to a datastore that is not there: only that of a CD-ROM image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// Then the drive is empty.
    Allowed,
    /// Then it is an error.
    Refused,
}

/// A file name that cannot be translated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .number.with(.message))]
#[non_exhaustive]
pub struct FileNameError {
    /// libvirt's kind of error.
    pub number: ErrorNumber,
    /// What is wrong with which name.
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

    /// An [`ErrorNumber::InternalError`], which most of libvirt's are.
    pub fn internal(message: impl Into<String>) -> FileNameError {
        FileNameError::new(ErrorNumber::InternalError, message)
    }

    /// libvirt's error for a name it has no rule for.
    pub fn unknown(name: &str) -> FileNameError {
        FileNameError::internal(format!("Could not handle file name '{name}'"))
    }
}
