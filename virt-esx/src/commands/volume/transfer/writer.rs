//! Writes what is received to a local file, on a thread that may block.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::partial::{Partial, Source};
use super::ranges::Ranges;
use super::runs;
use crate::failure::Failure;

/// How many pieces wait to be written.
const WAITING: usize = 16;

/// How often the description of a part is renewed.
const PERIOD: Duration = Duration::from_secs(10);

/// What is done with what is received.
pub(in super::super) struct Writing {
    pub(in super::super) target: Target,
    /// How long the whole is.
    pub(in super::super) length: u64,
    /// What is missing, by its offsets in the local file.
    pub(in super::super) missing: Ranges,
    /// Whether blocks of zeros are left out of the file.
    pub(in super::super) is_sparse: bool,
    /// Whether the SHA-256 is wanted.
    pub(in super::super) hashes: bool,
}

/// Where it is written to.
pub(in super::super) enum Target {
    /// To a file that appears when it is complete.
    Partial(Partial, Source),
    /// To what cannot be replaced: a device, a pipe. The pieces come in order.
    InPlace(File, PathBuf),
}

/// Writes on a thread of its own. The thread ends when this is [finished](Self::finish) or dropped, and describes what
/// is missing.
pub(in super::super) struct Writer {
    pieces: mpsc::Sender<(u64, Bytes)>,
    thread: JoinHandle<Written>,
}

/// What was written.
pub(in super::super) struct Written {
    pub(in super::super) target: Target,
    pub(in super::super) missing: Ranges,
    /// Of the whole file, if it is complete and the hash was wanted.
    pub(in super::super) sha256: Option<String>,
    /// Why it was not written.
    pub(in super::super) failure: Option<Failure>,
}

impl Writer {
    /// Starts the thread.
    pub(in super::super) fn start(writing: Writing) -> Self {
        let (pieces, received) = mpsc::channel(WAITING);
        let thread = tokio::task::spawn_blocking(|| write(writing, received));
        Self { pieces, thread }
    }

    /// Writes a piece, at its offset in the local file. False if nothing can be written any more:
    /// [`finish`](Self::finish) says why.
    pub(in super::super) async fn write(&self, offset: u64, bytes: Bytes) -> bool {
        self.pieces.send((offset, bytes)).await.is_ok()
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    /// When the thread has died.
    pub(in super::super) async fn finish(self) -> Result<Written, Failure> {
        drop(self.pieces);
        let died = |error| Failure::new(format!("cannot write: {error}"));
        self.thread.await.map_err(died)
    }
}

/// The SHA-256 of the first bytes of the file.
struct Hash {
    hasher: Sha256,
    at: u64,
}

fn write(writing: Writing, mut received: mpsc::Receiver<(u64, Bytes)>) -> Written {
    let Writing {
        mut target,
        length,
        mut missing,
        is_sparse,
        hashes,
    } = writing;
    let mut hash = hashes.then(|| Hash {
        hasher: Sha256::new(),
        at: 0,
    });
    let mut described = Instant::now();
    let mut all = || {
        target.set_length(length)?;
        while let Some((offset, bytes)) = received.blocking_recv() {
            target.write(offset, &bytes, is_sparse)?;
            missing.remove(&(offset..offset + bytes.len() as u64));
            if let Some(hash) = hash.as_mut().filter(|hash| hash.at == offset) {
                hash.add(&bytes);
            }
            if described.elapsed() >= PERIOD {
                target.describe(&missing)?;
                described = Instant::now();
            }
        }
        if !missing.is_empty() {
            target.describe(&missing)?;
            return Ok(None);
        }
        let hash = hash.take().map(|hash| target.finish_hash(hash));
        hash.transpose()
    };
    let written: io::Result<_> = all();
    let (sha256, failure) = match written {
        Ok(sha256) => (sha256, None),
        Err(error) => (None, Some(target.failure(&error))),
    };
    Written {
        target,
        missing,
        sha256,
        failure,
    }
}

impl Target {
    /// The name of the file that is written.
    pub(in super::super) fn path(&self) -> PathBuf {
        match self {
            Self::Partial(partial, _) => partial.path(),
            Self::InPlace(_, path) => path.clone(),
        }
    }

    /// Gives the file its whole length, so that what is left out of it reads as zeros.
    fn set_length(&self, length: u64) -> io::Result<()> {
        match self {
            Self::Partial(partial, _) => partial.file().set_len(length),
            Self::InPlace(..) => Ok(()),
        }
    }

    fn write(&mut self, offset: u64, bytes: &[u8], is_sparse: bool) -> io::Result<()> {
        let file = match self {
            Self::Partial(partial, _) => partial.file(),
            // What is on a device may not be zero already.
            Self::InPlace(file, _) => return file.write_all(bytes),
        };
        match is_sparse {
            true => runs::data(offset, bytes)
                .into_iter()
                .try_for_each(|(at, part)| write_at(file, at, part)),
            false => write_at(file, offset, bytes),
        }
    }

    fn describe(&self, missing: &Ranges) -> io::Result<()> {
        match self {
            Self::Partial(partial, source) => partial.describe(source, missing),
            Self::InPlace(..) => Ok(()),
        }
    }

    /// Hashes what came out of order, and what an earlier download has left.
    fn finish_hash(&mut self, mut hash: Hash) -> io::Result<String> {
        if let Self::Partial(partial, _) = self {
            let mut file = partial.file();
            file.seek(SeekFrom::Start(hash.at))?;
            let mut buffer = vec![0; 1 << 20];
            loop {
                let count = file.read(&mut buffer)?;
                if count == 0 {
                    break;
                }
                hash.add(&buffer[..count]);
            }
        }
        Ok(hex(&hash.hasher.finalize()))
    }

    fn failure(&self, error: &io::Error) -> Failure {
        Failure::new(format!("cannot write {}: {error}", self.path().display()))
    }
}

impl Hash {
    fn add(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.at += bytes.len() as u64;
    }
}

/// Writes `bytes` at `offset` of a file that nobody else writes.
fn write_at(mut file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

/// A digest as people and `sha256sum` write it.
pub(in super::super) fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether what is at `path` cannot be replaced by another file: a device, a pipe.
pub(in super::super) fn is_special(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use bytes::Bytes;

    use super::{Partial, Ranges, Source, Target, Writer, Writing, Written};
    use crate::commands::volume::transfer::partial::Begun;

    /// `sha256sum` of `0123456789`.
    const DIGITS: &str = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882";

    fn source(length: u64) -> Source {
        Source {
            volume: "[ds] x".to_owned(),
            offset: 0,
            length,
            whole: length,
            validator: None,
        }
    }

    fn write(target: &Path, length: u64, is_sparse: bool, pieces: &[(u64, &[u8])]) -> Written {
        let source = source(length);
        let mut partial = Partial::open(target).unwrap();
        let missing = match partial.begin(&source, true).unwrap() {
            Begun::New => Ranges::one(source.range()),
            Begun::Resumed(missing) => missing,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            let writer = Writer::start(Writing {
                target: Target::Partial(partial, source),
                length,
                missing,
                is_sparse,
                hashes: true,
            });
            for (offset, bytes) in pieces {
                assert!(writer.write(*offset, Bytes::copy_from_slice(bytes)).await);
            }
            writer.finish().await.unwrap()
        })
    }

    fn complete(written: Written) -> Option<String> {
        assert!(written.missing.is_empty(), "{:?}", written.missing);
        assert_eq!(written.failure, None);
        if let Target::Partial(partial, _) = written.target {
            partial.complete().unwrap();
        }
        written.sha256
    }

    #[test]
    fn pieces_come_in_any_order_and_in_several_downloads() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("x");
        for pieces in [
            vec![(0, &b"01234"[..]), (5, b"56789")],
            vec![(5, b"56789"), (0, b"01234")],
            vec![(0, b"01"), (6, b"6789"), (2, b"23"), (4, b"45")],
        ] {
            let written = write(&target, 10, false, &pieces);
            assert_eq!(complete(written).as_deref(), Some(DIGITS));
            assert_eq!(fs::read(&target).unwrap(), b"0123456789");
            fs::remove_file(&target).unwrap();
        }
        let written = write(&target, 10, false, &[(2, b"234")]);
        assert_eq!(written.sha256, None);
        let missing: Vec<_> = written.missing.iter().cloned().collect();
        assert_eq!(missing, [0..2, 5..10]);
        drop(written);
        let written = write(&target, 10, false, &[(0, b"01"), (5, b"56789")]);
        assert_eq!(complete(written).as_deref(), Some(DIGITS));
    }

    #[cfg(unix)]
    #[test]
    fn zeros_need_no_room() {
        use std::os::unix::fs::MetadataExt as _;

        let folder = tempfile::tempdir().unwrap();
        let mut content = vec![0; 1 << 20];
        content[500_000] = 1;
        for is_sparse in [false, true] {
            let target = folder.path().join("x");
            let written = write(&target, 1 << 20, is_sparse, &[(0, &content)]);
            complete(written).unwrap();
            assert_eq!(fs::read(&target).unwrap(), content);
            let blocks = fs::metadata(&target).unwrap().blocks();
            assert_eq!(blocks < 1024, is_sparse, "{blocks}");
            fs::remove_file(target).unwrap();
        }
    }
}
