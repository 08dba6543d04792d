//! Where the bytes of files are kept: in memory up to a limit, or in a temporary file.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// Bytes in a block, the unit that files are kept in.
pub(crate) const BLOCK: usize = 256 << 10;

/// The most bytes that are kept in memory unless somebody says otherwise.
const MEMORY: u64 = 1 << 30;

/// Keeps blocks. All handles are the same store.
#[derive(Clone)]
pub(crate) struct Store(Arc<Shared>);

struct Shared {
    /// The most bytes that it keeps.
    limit: u64,
    used: AtomicU64,
    /// `None` keeps blocks in memory.
    slots: Option<Mutex<Slots>>,
}

/// A file with a place for each block. It has no name, so it is gone with the program, however that ends.
struct Slots {
    file: File,
    free: Vec<u64>,
    /// How many there are.
    count: u64,
}

impl Default for Store {
    fn default() -> Self {
        Self::new(None, None)
    }
}

impl Store {
    /// In memory, at most that many bytes.
    pub(crate) fn in_memory(limit: Option<u64>) -> Self {
        Self::new(None, limit)
    }

    /// In a file without a name in a folder, which has to exist.
    pub(crate) fn in_folder(folder: &Path, limit: Option<u64>) -> io::Result<Self> {
        let slots = Slots {
            file: tempfile::tempfile_in(folder)?,
            free: Vec::new(),
            count: 0,
        };
        Ok(Self::new(Some(slots), limit))
    }

    fn new(slots: Option<Slots>, limit: Option<u64>) -> Self {
        let own = if slots.is_some() { u64::MAX } else { MEMORY };
        Self(Arc::new(Shared {
            limit: limit.unwrap_or(own),
            used: AtomicU64::new(0),
            slots: slots.map(Mutex::new),
        }))
    }

    /// The bytes it keeps.
    #[cfg(test)]
    pub(super) fn used(&self) -> u64 {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Keeps the bytes of a block.
    ///
    /// # Errors
    /// [`io::ErrorKind::StorageFull`] beyond the limit; those of the file.
    pub(super) fn keep(&self, bytes: Bytes) -> io::Result<Stored> {
        let length = bytes.len() as u64;
        let used = self.0.used.fetch_add(length, Ordering::Relaxed) + length;
        // Gives the room back when this fails.
        let mut kept = Stored {
            length,
            place: Place::Memory(Bytes::new()),
            store: Some(self.clone()),
        };
        if used > self.0.limit {
            let limit = self.0.limit;
            let why = format!("the simulator keeps at most {limit} bytes of files");
            return Err(io::Error::new(io::ErrorKind::StorageFull, why));
        }
        kept.place = match &self.0.slots {
            None => Place::Memory(bytes),
            Some(slots) => Place::Slot(lock(slots).write(&bytes)?),
        };
        Ok(kept)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("limit", &self.0.limit)
            .field("used", &self.0.used)
            .finish_non_exhaustive()
    }
}

impl Slots {
    fn write(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.count += 1;
            self.count - 1
        });
        let at = SeekFrom::Start(slot * BLOCK as u64);
        let written = self.file.seek(at).and_then(|_| self.file.write_all(bytes));
        if written.is_err() {
            self.free.push(slot);
        }
        written.map(|()| slot)
    }

    fn read(&mut self, slot: u64, offset: usize, length: usize) -> io::Result<Bytes> {
        let at = SeekFrom::Start(slot * BLOCK as u64 + offset as u64);
        self.file.seek(at)?;
        let mut bytes = vec![0; length];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}

fn lock(slots: &Mutex<Slots>) -> MutexGuard<'_, Slots> {
    slots.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The bytes of a block, which never change. Dropping it gives their room back.
pub(super) struct Stored {
    length: u64,
    place: Place,
    /// None for bytes that are in memory anyway.
    store: Option<Store>,
}

enum Place {
    Memory(Bytes),
    Slot(u64),
}

impl Stored {
    /// Bytes that count towards no limit.
    pub(super) fn free(bytes: Bytes) -> Self {
        Self {
            length: bytes.len() as u64,
            place: Place::Memory(bytes),
            store: None,
        }
    }

    /// A part of them.
    pub(super) fn read(&self, offset: usize, length: usize) -> io::Result<Bytes> {
        match (
            &self.place,
            self.store.as_ref().and_then(|store| store.0.slots.as_ref()),
        ) {
            (Place::Memory(bytes), _) => Ok(bytes.slice(offset..offset + length)),
            (Place::Slot(slot), Some(slots)) => lock(slots).read(*slot, offset, length),
            (Place::Slot(_), None) => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Drop for Stored {
    fn drop(&mut self) {
        let Some(store) = &self.store else { return };
        store.0.used.fetch_sub(self.length, Ordering::Relaxed);
        if let (Place::Slot(slot), Some(slots)) = (&self.place, &store.0.slots) {
            lock(slots).free.push(*slot);
        }
    }
}
