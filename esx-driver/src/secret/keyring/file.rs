//! Files that only their owner may read.

use std::{
    fs::{File, Metadata},
    io,
    path::Path,
};

#[cfg(unix)]
use std::{
    fs::OpenOptions,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
};

#[cfg(unix)]
use rustix::{fs::OFlags, process::geteuid};

/// Opens a file for reading. A pipe does not make it wait.
#[cfg(unix)]
pub(super) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags(OFlags::NONBLOCK));
    options.open(path)
}

/// Opens the file of a lock, which is made if there is none.
#[cfg(unix)]
pub(super) fn open_lock(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(false).mode(0o600);
    let options = options.custom_flags(flags(OFlags::NONBLOCK | OFlags::NOFOLLOW));
    options.open(path)
}

/// Checks that it is a file, of this user, which nobody else may read or write.
///
/// # Errors
/// What it is instead.
#[cfg(unix)]
pub(super) fn check(metadata: &Metadata) -> Result<(), String> {
    let mode = metadata.mode() & 0o7777;
    if !metadata.is_file() {
        return Err("is no file".to_owned());
    }
    if metadata.uid() != geteuid().as_raw() {
        return Err("belongs to another user".to_owned());
    }
    match mode & 0o177 {
        0 => Ok(()),
        _ => Err(format!("has the mode {mode:04o}, and not 0600")),
    }
}

#[cfg(unix)]
fn flags(flags: OFlags) -> i32 {
    flags.bits().cast_signed()
}

#[cfg(not(unix))]
pub(super) fn open(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(not(unix))]
pub(super) fn open_lock(_: &Path) -> io::Result<File> {
    Err(no_modes())
}

#[cfg(not(unix))]
pub(super) fn check(_: &Metadata) -> Result<(), String> {
    Err("cannot be used: this system has no modes of files".to_owned())
}

#[cfg(not(unix))]
fn no_modes() -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        "this system has no modes of files",
    )
}
