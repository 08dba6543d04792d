//! What is in a file: sparse blocks that copies share.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use bytes::{Bytes, BytesMut};
use vi_types::DateTime;

use super::store::{BLOCK, Store, Stored};

/// What is in a file. A clone shares all blocks with it, until one of the two is changed.
#[derive(Clone)]
pub(crate) struct Content {
    length: u64,
    /// The blocks that were written, by their number. The others are holes, which read as zeros.
    blocks: Arc<BTreeMap<u64, Block>>,
    is_preallocated: bool,
    /// A number that no other content has or had, other than copies.
    version: u64,
    /// When it was written; not while nobody has since the server was made.
    pub(super) modified: Option<DateTime>,
}

#[derive(Clone)]
enum Block {
    /// Somebody has written zeros.
    Zeros,
    /// So many bytes of a block; the rest of it are zeros.
    Data(Arc<Stored>, usize),
}

/// A block of zeros.
static ZEROS: LazyLock<Bytes> = LazyLock::new(|| vec![0; BLOCK].into());

/// The number of the last version of a content.
static LAST: AtomicU64 = AtomicU64::new(0);

fn next_version() -> u64 {
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

impl Default for Content {
    fn default() -> Self {
        Self::zeros(0)
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("length", &self.length)
            .field("allocated", &self.allocated())
            .finish_non_exhaustive()
    }
}

/// Bytes that are in memory anyway: they count towards no limit.
impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        let starts = (0..bytes.len()).step_by(BLOCK);
        let blocks = starts.zip(0..).map(|(start, number)| {
            let block = bytes.slice(start..bytes.len().min(start + BLOCK));
            let length = block.len();
            (number, Block::Data(Arc::new(Stored::free(block)), length))
        });
        Self {
            blocks: Arc::new(blocks.collect()),
            ..Self::zeros(bytes.len() as u64)
        }
    }
}

impl Content {
    /// A hole of that many bytes.
    pub(crate) fn zeros(length: u64) -> Self {
        Self {
            length,
            blocks: Arc::default(),
            is_preallocated: false,
            version: next_version(),
            modified: None,
        }
    }

    /// The same, where every byte has its place on the datastore already.
    pub(crate) fn preallocated(self) -> Self {
        Self {
            is_preallocated: true,
            ..self
        }
    }

    /// The same, where zeros that were written are holes, and only what was written has its place.
    pub(crate) fn shrunk(mut self) -> Self {
        Arc::make_mut(&mut self.blocks).retain(|_, block| !matches!(block, Block::Zeros));
        Self {
            is_preallocated: false,
            version: next_version(),
            ..self
        }
    }

    /// Whether every byte has its place on the datastore, written or not.
    #[cfg(test)]
    pub(crate) fn is_preallocated(&self) -> bool {
        self.is_preallocated
    }

    /// Its length in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// A number that changes with the content.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// The bytes that it takes on its datastore: those that were written, in whole blocks.
    pub(crate) fn allocated(&self) -> u64 {
        if self.is_preallocated {
            return self.length;
        }
        let whole = self.blocks.len() as u64 * BLOCK as u64;
        let last = self.blocks.last_key_value();
        // The last block ends with the file.
        let missing = last.map_or(0, |(number, _)| {
            ((number + 1) * BLOCK as u64).saturating_sub(self.length)
        });
        whole - missing
    }

    /// Cuts it off, or extends it with a hole.
    pub(crate) fn set_length(&mut self, length: u64) {
        if length < self.length {
            let (last, within) = (length / BLOCK as u64, (length % BLOCK as u64) as usize);
            let blocks = Arc::make_mut(&mut self.blocks);
            let beyond = match within {
                0 => last,
                _ => last + 1,
            };
            blocks.split_off(&beyond);
            if let Some(Block::Data(_, count)) = blocks.get_mut(&last) {
                *count = (*count).min(within);
            }
        }
        self.length = length;
        self.version = next_version();
    }

    /// Writes bytes, beyond the end too.
    ///
    /// # Errors
    /// Those of [`Store::keep`]. What was written before stays.
    pub(crate) fn write_at(&mut self, store: &Store, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let (mut offset, mut rest) = (offset, bytes);
        while !rest.is_empty() {
            let within = (offset % BLOCK as u64) as usize;
            let (part, after) = rest.split_at(rest.len().min(BLOCK - within));
            self.write_block(store, offset / BLOCK as u64, within, part)?;
            offset += part.len() as u64;
            rest = after;
            self.length = self.length.max(offset);
        }
        self.version = next_version();
        Ok(())
    }

    fn write_block(
        &mut self,
        store: &Store,
        number: u64,
        within: usize,
        part: &[u8],
    ) -> io::Result<()> {
        let known = match self.blocks.get(&number) {
            Some(Block::Data(_, length)) => *length,
            _ => 0,
        };
        let block = if within == 0 && known <= part.len() {
            block(store, Bytes::copy_from_slice(part))?
        } else {
            let mut whole = vec![0; known.max(within + part.len())];
            whole[..known].copy_from_slice(&self.of_block(number, 0, known)?);
            whole[within..within + part.len()].copy_from_slice(part);
            block(store, whole.into())?
        };
        Arc::make_mut(&mut self.blocks).insert(number, block);
        Ok(())
    }

    /// A part of a block.
    fn of_block(&self, number: u64, start: usize, length: usize) -> io::Result<Bytes> {
        match self.blocks.get(&number) {
            Some(Block::Data(stored, known)) if start + length <= *known => {
                stored.read(start, length)
            }
            Some(Block::Data(stored, known)) if start < *known => {
                let mut whole = vec![0; length];
                let there = known - start;
                whole[..there].copy_from_slice(&stored.read(start, there)?);
                Ok(whole.into())
            }
            _ => Ok(ZEROS.slice(..length)),
        }
    }

    /// What is there from an offset on, without copying it: at most `most` bytes and not beyond a block. Nothing at the end.
    pub(crate) fn piece(&self, offset: u64, most: u64) -> io::Result<Bytes> {
        let left = self.length.saturating_sub(offset).min(most);
        let within = (offset % BLOCK as u64) as usize;
        let length = (BLOCK - within).min(usize::try_from(left).unwrap_or(BLOCK));
        match length {
            0 => Ok(Bytes::new()),
            length => self.of_block(offset / BLOCK as u64, within, length),
        }
    }

    /// A part of it, as far as it is there.
    ///
    /// # Errors
    /// The file of the store cannot be read.
    pub(crate) fn read_at(&self, range: Range<u64>) -> io::Result<Bytes> {
        let first = self.piece(range.start, range.end.saturating_sub(range.start))?;
        let mut at = range.start + first.len() as u64;
        if first.is_empty() || at >= range.end.min(self.length) {
            return Ok(first);
        }
        let mut whole = BytesMut::from(&first[..]);
        loop {
            let piece = self.piece(at, range.end.saturating_sub(at))?;
            if piece.is_empty() {
                return Ok(whole.freeze());
            }
            at += piece.len() as u64;
            whole.extend_from_slice(&piece);
        }
    }
}

fn block(store: &Store, bytes: Bytes) -> io::Result<Block> {
    if bytes == ZEROS.slice(..bytes.len()) {
        return Ok(Block::Zeros);
    }
    let length = bytes.len();
    Ok(Block::Data(Arc::new(store.keep(bytes)?), length))
}

/// Makes a content of what arrives in pieces.
pub(crate) struct Writer {
    store: Store,
    content: Content,
    /// The last block, until it is full.
    block: BytesMut,
}

impl Writer {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            content: Content::default(),
            block: BytesMut::new(),
        }
    }

    /// How many bytes there are.
    pub(crate) fn length(&self) -> u64 {
        self.content.length + self.block.len() as u64
    }

    /// Adds bytes.
    ///
    /// # Errors
    /// Those of [`Store::keep`].
    pub(crate) fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.block.capacity() == 0 {
                self.block.reserve(BLOCK.min(bytes.len().max(4096)));
            }
            let (part, rest) = bytes.split_at(bytes.len().min(BLOCK - self.block.len()));
            self.block.extend_from_slice(part);
            bytes = rest;
            if self.block.len() == BLOCK {
                self.keep()?;
            }
        }
        Ok(())
    }

    fn keep(&mut self) -> io::Result<()> {
        let bytes = std::mem::take(&mut self.block).freeze();
        let length = bytes.len() as u64;
        if length > 0 {
            let block = block(&self.store, bytes)?;
            let number = self.content.length / BLOCK as u64;
            Arc::make_mut(&mut self.content.blocks).insert(number, block);
            self.content.length += length;
        }
        Ok(())
    }

    /// What has arrived. A last part for which the store has no room is lost, which is the error beside it.
    pub(crate) fn finish(mut self) -> (Content, io::Result<()>) {
        let kept = self.keep();
        (self.content, kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that differ from block to block.
    fn sample(length: usize) -> Vec<u8> {
        (0..length)
            .map(|at| (at / 7 + at / BLOCK * 31 + 1) as u8)
            .collect()
    }

    fn whole(content: &Content) -> Vec<u8> {
        content.read_at(0..content.length()).unwrap().to_vec()
    }

    fn stores() -> [(Store, tempfile::TempDir); 2] {
        let folder = || tempfile::tempdir().unwrap();
        let own = folder();
        [
            (Store::in_memory(Some(8 << 20)), folder()),
            (Store::in_folder(own.path(), Some(8 << 20)).unwrap(), own),
        ]
    }

    #[test]
    fn what_is_written_anywhere_is_read_and_copies_keep_what_they_have() {
        for (store, _folder) in stores() {
            let mut model = Vec::new();
            let mut content = Content::default();
            let block = BLOCK as u64;
            for (offset, length) in [
                (0, 10),
                (5, 3),
                (block - 2, 5),
                (3 * block + 100, 2 * BLOCK),
                (block, BLOCK),
                (0, 0),
                (2 * block + 7, 1),
            ] {
                let copy = (content.clone(), model.clone());
                let bytes = sample(length);
                content.write_at(&store, offset, &bytes).unwrap();
                let (offset, end) = (offset as usize, offset as usize + length);
                if length > 0 {
                    model.resize(model.len().max(end), 0);
                    model[offset..end].copy_from_slice(&bytes);
                }
                assert!(whole(&content) == model, "{offset}+{length}");
                assert!(whole(&copy.0) == copy.1);
            }
            for length in [model.len() - 1, 3 * BLOCK + 50, 3 * BLOCK, 9, 0, 700_000, 5] {
                content.set_length(length as u64);
                model.resize(length, 0);
                assert!(whole(&content) == model, "{length}");
            }
            content.set_length(20);
            assert_eq!(whole(&content)[5..], [0; 15], "what was cut off is gone");
        }
    }

    #[test]
    fn pieces_make_a_content() {
        for (store, _folder) in stores() {
            for (length, step) in [(0, 1), (1, 1), (BLOCK, 1000), (3 * BLOCK + 17, 16_000)] {
                let bytes = sample(length);
                let mut writer = Writer::new(store.clone());
                for piece in bytes.chunks(step) {
                    writer.write(piece).unwrap();
                }
                assert_eq!(writer.length(), length as u64);
                let (content, kept) = writer.finish();
                kept.unwrap();
                assert!(whole(&content) == bytes);
                assert_eq!(content.allocated(), length as u64);
            }
            assert_eq!(store.used(), 0, "nobody has any of it");
        }
    }

    #[test]
    fn holes_take_no_room_and_zeros_none_in_memory() {
        let store = Store::in_memory(Some(1000));
        let mut content = Content::zeros(1 << 40);
        assert_eq!(content.allocated(), 0);
        assert_eq!(content.clone().preallocated().allocated(), 1 << 40);
        content
            .write_at(&store, 1 << 30, &vec![0; 4 * BLOCK])
            .unwrap();
        assert_eq!(content.allocated(), 4 * BLOCK as u64);
        assert_eq!(store.used(), 0);
        content.write_at(&store, 5, b"abc").unwrap();
        assert_eq!(store.used(), 8);
        assert_eq!(content.piece(4, 10).unwrap()[..], *b"\0abc\0\0\0\0\0\0");
        assert_eq!(content.piece((1 << 40) - 3, 10).unwrap().len(), 3);
        assert_eq!(content.piece(1 << 40, 10).unwrap().len(), 0);
        content.set_length(7);
        assert_eq!(content.allocated(), 7);
    }

    #[test]
    fn a_full_store_says_so() {
        let store = Store::in_memory(Some(BLOCK as u64));
        let mut content = Content::default();
        content.write_at(&store, 0, &sample(BLOCK)).unwrap();
        let error = content.write_at(&store, BLOCK as u64, b"x").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        assert_eq!(content.length(), BLOCK as u64);
        drop(content);
        Content::default().write_at(&store, 0, b"x").unwrap();
    }
}
