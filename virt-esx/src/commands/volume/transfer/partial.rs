//! A download that is not complete: the file `FILE.part`, and what is known about it in `FILE.part.json`.
//!
//! `FILE` itself appears when everything is there, so nobody takes a part for the whole. The description is written after
//! the bytes that it does not call missing are on the disk, so it is never too optimistic: what came since it was written
//! is received again.

use std::ffi::OsString;
use std::fmt::Display;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use esx_driver::vi_client::bounded;
use serde::{Deserialize, Serialize};

use super::ranges::Ranges;
use crate::failure::Failure;

/// The version of the description.
const SCHEMA: &str = "virt-esx/partial-download/1";

/// The most bytes of a description. A range that is missing takes some 30.
const LARGEST: usize = 16 << 20;

/// What is downloaded: the same volume with the same content, and the same part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct Source {
    /// The volume's path.
    pub(in super::super) volume: String,
    /// The first byte.
    pub(in super::super) offset: u64,
    /// How many bytes.
    pub(in super::super) length: u64,
    /// How many bytes the server has.
    pub(in super::super) whole: u64,
    /// By what the server tells versions of the content apart.
    pub(in super::super) validator: Option<String>,
}

/// What `FILE.part.json` holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Description {
    schema: String,
    #[serde(flatten)]
    source: Source,
    /// The bytes that are missing, by their offsets in the local file.
    missing: Ranges,
}

/// A download that is not complete.
#[derive(Debug)]
pub(in super::super) struct Partial {
    /// Where the whole will be.
    target: PathBuf,
    file: File,
    /// Whether there was no such file before.
    is_new: bool,
}

/// What is missing of a download that begins.
#[derive(Debug, PartialEq, Eq)]
pub(in super::super) enum Begun {
    /// Everything.
    New,
    /// These bytes, by their offsets in the local file.
    Resumed(Ranges),
}

impl Partial {
    /// Opens `FILE.part`, so that no other download can write it.
    ///
    /// # Errors
    /// When it cannot be opened, or another download writes it.
    pub(in super::super) fn open(target: &Path) -> Result<Self, Failure> {
        if target.is_dir() || target.as_os_str().as_encoded_bytes().ends_with(b"/") {
            return Err(Failure::new(format!("cannot create {}", target.display())));
        }
        // A link is followed, so that it stays.
        let shown = target;
        let target = target.canonicalize().unwrap_or_else(|_| target.to_owned());
        let path = beside(&target, ".part");
        let failed = |error: io::Error| {
            let advice = format!(
                "the content is written to {} first: {error}",
                path.display()
            );
            Failure::new(format!("cannot create {}", shown.display())).advise(advice)
        };
        let is_new = !path.exists();
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false);
        let file = file.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let path = path.display();
                return Err(Failure::new(format!("another download writes {path}")));
            }
            // Not every file system has locks.
            Err(TryLockError::Error(_)) => {}
        }
        Ok(Self {
            target,
            file,
            is_new,
        })
    }

    /// Begins the download of `source` anew, or where an earlier one stopped if `resumes`.
    ///
    /// # Errors
    /// When the file is the part of something else, or cannot be read or written.
    pub(in super::super) fn begin(
        &mut self,
        source: &Source,
        resumes: bool,
    ) -> Result<Begun, Failure> {
        if resumes && !self.is_new {
            return self.check(source).map(Begun::Resumed);
        }
        self.forget().map_err(|error| self.failed(&error))?;
        let emptied = self.file.set_len(0);
        emptied.map_err(|error| self.failed(&error))?;
        Ok(Begun::New)
    }

    /// The first range that is missing, if an earlier download of that volume from that offset has left the file.
    ///
    /// # Errors
    /// When the file is the part of something else.
    pub(in super::super) fn first_missing(
        &self,
        volume: &str,
        offset: u64,
    ) -> Result<Option<Range<u64>>, Failure> {
        if self.is_new {
            return Ok(None);
        }
        let Description {
            source, missing, ..
        } = self.described()?;
        if source.volume != volume {
            return Err(self.refused(&format!("it is a part of {}", source.volume)));
        }
        if source.offset != offset || !missing.are_within(&source.range()) {
            return Err(self.refused(&source.extent()));
        }
        let end = source.length..source.length;
        Ok(Some(missing.iter().next().cloned().unwrap_or(end)))
    }

    fn refused(&self, reason: &str) -> Failure {
        let line = format!("cannot resume from {}: {reason}", self.path().display());
        Failure::new(line).advise("download without --resume to begin anew")
    }

    fn described(&self) -> Result<Description, Failure> {
        let unreadable = |error: &dyn Display| self.refused(&format!("its description: {error}"));
        let read = bounded::read_file(self.description(), LARGEST);
        let text = read.map_err(|error| unreadable(&error))?;
        let description: Description =
            serde_json::from_slice(&text).map_err(|error| unreadable(&error))?;
        match description.schema == SCHEMA {
            true => Ok(description),
            false => Err(self.refused("another version of virt-esx has written it")),
        }
    }

    /// What is missing of `source`, if the file is a part of it.
    fn check(&self, source: &Source) -> Result<Ranges, Failure> {
        let description = self.described()?;
        let known = &description.source;
        if known.volume != source.volume {
            return Err(self.refused(&format!("it is a part of {}", known.volume)));
        }
        if (known.offset, known.length) != (source.offset, source.length) {
            return Err(self.refused(&known.extent()));
        }
        if (known.whole, &known.validator) != (source.whole, &source.validator) {
            return Err(self.refused("the volume has changed since"));
        }
        let missing = description.missing;
        let length = self
            .file
            .metadata()
            .map_err(|error| self.failed(&error))?
            .len();
        // The file has its whole length from the beginning.
        if length != source.length || !missing.are_within(&(0..source.length)) {
            return Err(self.refused("it does not fit its description"));
        }
        Ok(missing)
    }

    /// The file.
    pub(in super::super) fn file(&self) -> &File {
        &self.file
    }

    /// The name of the file.
    pub(in super::super) fn path(&self) -> PathBuf {
        beside(&self.target, ".part")
    }

    fn description(&self) -> PathBuf {
        beside(&self.target, ".part.json")
    }

    /// Describes the file after what is not missing is on the disk.
    pub(in super::super) fn describe(&self, source: &Source, missing: &Ranges) -> io::Result<()> {
        self.file.sync_data()?;
        let description = Description {
            schema: SCHEMA.to_owned(),
            source: source.clone(),
            missing: missing.clone(),
        };
        let text = serde_json::to_string(&description)?;
        let folder = self
            .target
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
        file.write_all(text.as_bytes())?;
        file.persist(self.description())?;
        Ok(())
    }

    /// Makes the complete file what it was downloaded as. It keeps the permissions of the file that it replaces.
    ///
    /// # Errors
    /// When that cannot be done.
    pub(in super::super) fn complete(self) -> Result<(), Failure> {
        if let Ok(old) = fs::metadata(&self.target) {
            // Whoever owns the directory may not own the file.
            let _ = self.file.set_permissions(old.permissions());
        }
        let renamed = fs::rename(self.path(), &self.target);
        renamed.map_err(|error| self.failed(&error))?;
        self.forget().map_err(|error| self.failed(&error))
    }

    /// Removes the file if this download has made it.
    pub(in super::super) fn remove_new(self) {
        if self.is_new {
            // The error that is told already says why there is no file.
            let _ = fs::remove_file(self.path());
            let _ = self.forget();
        }
    }

    fn forget(&self) -> io::Result<()> {
        match fs::remove_file(self.description()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn failed(&self, error: &io::Error) -> Failure {
        Failure::new(format!("cannot write {}: {error}", self.path().display()))
    }
}

impl Source {
    /// The bytes of the local file.
    pub(in super::super) fn range(&self) -> Range<u64> {
        0..self.length
    }

    fn extent(&self) -> String {
        let Self { offset, length, .. } = self;
        format!("it is of {length} bytes from offset {offset}")
    }
}

fn beside(target: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(target);
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;
    use std::path::Path;

    use super::{Begun, Partial, Ranges, Source};

    fn source() -> Source {
        Source {
            volume: "[ds] a/b.vmdk".to_owned(),
            offset: 5,
            length: 10,
            whole: 100,
            validator: Some("\"abc\"".to_owned()),
        }
    }

    /// Leaves a part with this description.
    fn leave(target: &Path, missing: &Ranges) {
        let mut partial = Partial::open(target).unwrap();
        assert_eq!(partial.begin(&source(), true), Ok(Begun::New));
        partial.file().set_len(10).unwrap();
        partial.file().write_all(b"01234").unwrap();
        partial.describe(&source(), missing).unwrap();
    }

    #[test]
    fn a_part_is_resumed_and_completed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x");
        let missing = Ranges::one(5..10);
        leave(&target, &missing);
        assert!(!target.exists());

        let mut partial = Partial::open(&target).unwrap();
        let other = Partial::open(&target).unwrap_err();
        assert!(
            other.to_string().contains("another download writes"),
            "{other}"
        );
        assert_eq!(partial.begin(&source(), true), Ok(Begun::Resumed(missing)));
        partial.complete().unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"01234\0\0\0\0\0");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn without_resume_it_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x");
        leave(&target, &Ranges::one(5..10));
        let mut partial = Partial::open(&target).unwrap();
        assert_eq!(partial.begin(&source(), false), Ok(Begun::New));
        assert_eq!(partial.file().metadata().unwrap().len(), 0);
        assert!(!folder.path().join("x.part.json").exists());
        // It was there before.
        partial.remove_new();
        assert!(folder.path().join("x.part").exists());
    }

    #[test]
    fn a_new_part_without_content_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let mut partial = Partial::open(&folder.path().join("x")).unwrap();
        assert_eq!(partial.begin(&source(), true), Ok(Begun::New));
        partial.remove_new();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn parts_of_something_else_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x");
        leave(&target, &Ranges::one(5..10));
        let other = |change: fn(&mut Source), expected: &str| {
            let mut source = source();
            change(&mut source);
            let failure = Partial::open(&target)
                .unwrap()
                .begin(&source, true)
                .unwrap_err();
            assert!(failure.to_string().contains(expected), "{failure}");
        };
        other(|source| source.volume.clear(), "a part of [ds] a/b.vmdk");
        other(|source| source.offset = 4, "10 bytes from offset 5");
        other(|source| source.length = 4, "10 bytes from offset 5");
        other(|source| source.whole = 4, "has changed since");
        other(|source| source.validator = None, "has changed since");

        fs::write(folder.path().join("x.part"), "short").unwrap();
        other(|_| (), "does not fit its description");
        fs::write(folder.path().join("x.part.json"), "{").unwrap();
        other(|_| (), "its description: EOF");
        fs::remove_file(folder.path().join("x.part.json")).unwrap();
        other(|_| (), "its description: No such file");
    }
}
