//! Secrets that outlive the connection, in a file.

mod file;
mod format;

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::{Instant, sleep};
use vi_client::bounded;
use virt_model::{ErrorDomain, ErrorNumber};
use zeroize::Zeroizing;

use self::format::Damage;
use super::store::Entry;
use crate::{Error, ErrorKind, Result, store};

/// The most bytes of a keyring.
const LARGEST: usize = 1 << 20;

/// How long a writer waits for another one.
const PATIENCE: Duration = Duration::from_secs(5);

/// Between two looks at whether the other writer is done.
const PAUSE: Duration = Duration::from_millis(10);

/// A file with secrets. It is read anew by each function, so what other programs write is seen.
pub(super) struct Keyring {
    path: PathBuf,
}

/// A keyring that nobody else writes. Readers need no lock, since a file is replaced as a whole.
pub(super) struct Locked<'a> {
    keyring: &'a Keyring,
    /// The lock ends with it, whatever becomes of the process.
    _lock: File,
}

impl Keyring {
    /// The keyring at that path.
    pub(super) fn at(path: &Path) -> Keyring {
        // So that what a link leads to is replaced, and not the link.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        Keyring { path }
    }

    /// The secrets: none, if there is no file.
    pub(super) fn read(&self) -> Result<Vec<Entry>> {
        let file = match file::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.error("cannot be opened").because(error)),
        };
        let unreadable = |error: io::Error| self.error("cannot be read").because(error);
        let metadata = file.metadata().map_err(unreadable)?;
        file::check(&metadata).map_err(|problem| {
            let shown = self.path.display();
            self.error(&problem).advise(format!(
                "only its owner may read a keyring: chmod 600 '{shown}', as its owner"
            ))
        })?;
        // With room for all of it the bytes never move, so that no copy of them stays anywhere.
        let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST + 64));
        bounded::read(file, LARGEST, &mut bytes).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => self.error("is larger than 1 MiB"),
            _ => unreadable(error),
        })?;
        format::decode(&bytes).map_err(|damage| self.damaged(damage))
    }

    /// Waits until nobody else writes it. Makes the folder that it is in, if there is none.
    pub(super) async fn lock(&self) -> Result<Locked<'_>> {
        let unwritable = |error: io::Error| self.error("cannot be locked").because(error);
        store::make_folder(&self.folder()).map_err(unwritable)?;
        let lock = file::open_lock(&self.beside(".lock")).map_err(unwritable)?;
        let end = Instant::now() + PATIENCE;
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < end => sleep(PAUSE).await,
                Err(TryLockError::WouldBlock) => {
                    return Err(self.error("is being written by another program"));
                }
                Err(TryLockError::Error(error)) => return Err(unwritable(error)),
            }
        }
        Ok(Locked {
            keyring: self,
            _lock: lock,
        })
    }

    fn folder(&self) -> PathBuf {
        let folder = self.path.parent();
        let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
        folder.unwrap_or(Path::new(".")).to_owned()
    }

    /// The file whose name has this behind that of the keyring.
    fn beside(&self, ending: &str) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(ending);
        path.into()
    }

    fn damaged(&self, damage: Damage) -> Error {
        let error = match damage {
            Damage::Foreign => self.error("is no keyring"),
            Damage::Version => {
                let error = self.error("has a version that this program does not know");
                return error.advise("use the program that wrote it, or a newer one");
            }
            Damage::Line(number) => self.error(&format!("cannot be understood: line {number}")),
            Damage::CutOff => self.error("is not complete"),
            Damage::Changed => self.error("is damaged: its sum is another one"),
        };
        error.advise("move the file away, and define the secrets anew")
    }

    /// The error, which never has anything of the content.
    fn error(&self, problem: &str) -> Error {
        let message = format!("the keyring '{}' {problem}", self.path.display());
        let error = Error::new(ErrorKind::Keyring, ErrorNumber::OperationFailed, message);
        error.in_part(ErrorDomain::Secret)
    }
}

impl Locked<'_> {
    /// Replaces `before`, which was read under the lock, by `now`.
    pub(super) fn write(&self, before: &[Entry], now: &[Entry]) -> Result<()> {
        let bytes = format::encode(now);
        if bytes == format::encode(before) {
            return Ok(());
        }
        if bytes.len() > LARGEST {
            return Err(self.keyring.error("would be larger than 1 MiB"));
        }
        self.replace(&bytes)
            .map_err(|error| self.keyring.error("cannot be written").because(error))
    }

    /// A file of that content takes the place of the other one, whatever happens meanwhile.
    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let folder = self.keyring.folder();
        store::written(&folder, ".keyring-", bytes)?.persist(&self.keyring.path)?;
        // Otherwise the name may be lost with the power.
        File::open(folder)?.sync_all()
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests;
