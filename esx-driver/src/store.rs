//! Where a connection keeps what has to outlive a program.

use std::{
    collections::HashMap,
    fmt, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use tempfile::NamedTempFile;
use vi_client::bounded;

/// How long an entry of a [`FolderStore`] may be, in bytes. The networks of a host take some ten thousand.
const LONGEST: usize = 16 << 20;

/// Where a connection keeps what has to outlive a program: by now, the networks that a host had when
/// [changes of its interfaces began](crate::Connect::interface_change_begin). Nothing of it is secret.
///
/// A connection keeps it in memory unless [`OpenOptions::store`](crate::OpenOptions::store) says otherwise;
/// [`FolderStore`] keeps it in files.
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// What is kept under a key; `None` if nothing is. A key has letters, digits, `-` and `_` only.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self, key: &str) -> io::Result<Option<String>>;

    /// Keeps a text under a key that has none: `false`, and nothing changes, if it has one. Of several programs that do it
    /// at the same time, one gets `true`.
    ///
    /// # Errors
    /// When it cannot be written; then nothing is kept.
    fn add(&self, key: &str, text: &str) -> io::Result<bool>;

    /// Forgets what is kept under a key: `false` if nothing is.
    ///
    /// # Errors
    /// When it cannot be removed.
    fn remove(&self, key: &str) -> io::Result<bool>;
}

/// Keeps everything as long as the connection lives.
#[derive(Debug, Default)]
pub(crate) struct MemoryStore(Mutex<HashMap<String, String>>);

impl Store for MemoryStore {
    fn read(&self, key: &str) -> io::Result<Option<String>> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(entries.get(key).cloned())
    }

    fn add(&self, key: &str, text: &str) -> io::Result<bool> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.contains_key(key) {
            return Ok(false);
        }
        entries.insert(key.to_owned(), text.to_owned());
        Ok(true)
    }

    fn remove(&self, key: &str) -> io::Result<bool> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(entries.remove(key).is_some())
    }
}

/// Keeps each entry in a file of a folder. Files have the mode 0600 and appear as a whole; the folder is made with the mode
/// 0700 when it is first needed.
///
/// What is no regular file, is longer than 16 MiB, or may be written by others than its owner is not read.
#[derive(Debug, Clone)]
pub struct FolderStore {
    folder: PathBuf,
}

impl FolderStore {
    /// The store in that folder, which need not exist.
    pub fn new(folder: impl Into<PathBuf>) -> FolderStore {
        FolderStore {
            folder: folder.into(),
        }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(key)
    }
}

impl Store for FolderStore {
    fn read(&self, key: &str) -> io::Result<Option<String>> {
        let path = self.path(key);
        let of_file = |error| about(&path, error);
        match fs::symlink_metadata(&path) {
            Ok(metadata) => check(&metadata).map_err(of_file)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(of_file(error)),
        }
        let file = match fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(of_file(error)),
        };
        let mut bytes = Vec::new();
        bounded::read(file, LONGEST, &mut bytes).map_err(of_file)?;
        let text = String::from_utf8(bytes);
        text.map(Some)
            .map_err(|error| of_file(io::Error::new(io::ErrorKind::InvalidData, error)))
    }

    fn add(&self, key: &str, text: &str) -> io::Result<bool> {
        make_folder(&self.folder).map_err(|error| about(&self.folder, error))?;
        let path = self.path(key);
        let of_file = |error| about(&path, error);
        let file = written(&self.folder, ".new-", text.as_bytes()).map_err(of_file)?;
        match file.persist_noclobber(&path) {
            Ok(_) => Ok(true),
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(of_file(error.error)),
        }
    }

    fn remove(&self, key: &str) -> io::Result<bool> {
        let path = self.path(key);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(about(&path, error)),
        }
    }
}

/// An error that names its file.
fn about(path: &Path, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// A new file with that content, which can take a name at once. Files that `tempfile` makes have the mode 0600 from the
/// beginning.
pub(crate) fn written(folder: &Path, prefix: &str, content: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .prefix(prefix)
        .tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Makes a folder that only its owner may enter, and those above it, where there are none.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Refuses what this store has not written.
fn check(metadata: &fs::Metadata) -> io::Result<()> {
    let refused = |why| Err(io::Error::new(io::ErrorKind::InvalidData, why));
    if !metadata.is_file() {
        return refused("it is no regular file");
    }
    if metadata.len() > LONGEST as u64 {
        return refused("it is too long");
    }
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::mode(metadata) & 0o022 != 0 {
        return refused("others than its owner may write it");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_kept_once_and_forgotten_once() {
        let folder = tempfile::tempdir().unwrap();
        let files = FolderStore::new(folder.path().join("a/b"));
        let stores: [&dyn Store; 2] = [&MemoryStore::default(), &files];
        for store in stores {
            assert_eq!(store.read("k-1").unwrap(), None);
            assert!(!store.remove("k-1").unwrap());
            assert!(store.add("k-1", "one").unwrap());
            assert!(!store.add("k-1", "two").unwrap());
            assert_eq!(store.read("k-1").unwrap().as_deref(), Some("one"));
            assert!(store.remove("k-1").unwrap());
            assert_eq!(store.read("k-1").unwrap(), None);
        }
        let left = fs::read_dir(folder.path().join("a/b")).unwrap();
        assert_eq!(left.count(), 0, "temporary files");
    }

    #[cfg(unix)]
    #[test]
    fn files_are_their_owners_and_others_are_not_read() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let store = FolderStore::new(folder.path().join("state"));
        store.add("k", "text").unwrap();
        let path = folder.path().join("state/k");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(&folder.path().join("state")), 0o700);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o622)).unwrap();
        let error = store.read("k").unwrap_err().to_string();
        assert!(
            error.ends_with("others than its owner may write it"),
            "{error}"
        );
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        let error = store.read("k").unwrap_err().to_string();
        assert!(error.ends_with("it is no regular file"), "{error}");
    }
}
