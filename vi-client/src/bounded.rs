//! Files and streams, with a limit that counts the bytes that are read.
//!
//! The size that a file tells is that of a regular file only: devices, pipes and files of `/proc` tell none, and have no end.

use std::fs::File;
use std::io::{self, BufRead, ErrorKind, Read};
use std::path::Path;

use tracing::warn;

/// Appends what `reader` has, of at most `largest` bytes.
///
/// # Errors
/// The reader's, and [`ErrorKind::FileTooLarge`] if there are more bytes: then `bytes` has one more than that.
pub fn read(reader: impl Read, largest: usize, bytes: &mut Vec<u8>) -> io::Result<()> {
    let before = bytes.len();
    reader.take(one_more(largest)).read_to_end(bytes)?;
    match bytes.len() - before > largest {
        true => Err(too_large(largest)),
        false => Ok(()),
    }
}

/// The content of a file, of at most `largest` bytes.
///
/// # Errors
/// When it cannot be opened, and as [`read`].
pub fn read_file(path: impl AsRef<Path>, largest: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    read(File::open(path)?, largest, &mut bytes)?;
    Ok(bytes)
}

/// The content of a file that decides what a program does, such as one with passwords or answers: of at most `largest` bytes,
/// with a warning if others than its owner may write it.
///
/// # Errors
/// As [`read_file`].
pub fn read_trusted_file(path: impl AsRef<Path>, largest: usize) -> io::Result<Vec<u8>> {
    let path = path.as_ref();
    let file = File::open(path)?;
    if let Ok(metadata) = file.metadata()
        && let Some(problem) = writable_by_others(&metadata)
    {
        let shown = path.display();
        warn!("'{shown}' {problem}: chmod go-w '{shown}', as its owner");
    }
    let mut bytes = Vec::new();
    read(file, largest, &mut bytes)?;
    Ok(bytes)
}

/// Appends a line, with its end if there is one, of at most `largest` bytes, and returns its length: 0 at the end.
///
/// # Errors
/// As [`read`]. The rest of a line that is too long is not read.
pub fn read_line(
    reader: &mut impl BufRead,
    largest: usize,
    line: &mut Vec<u8>,
) -> io::Result<usize> {
    let length = reader.take(one_more(largest)).read_until(b'\n', line)?;
    match length > largest {
        true => Err(too_large(largest)),
        false => Ok(length),
    }
}

fn one_more(largest: usize) -> u64 {
    u64::try_from(largest).map_or(u64::MAX, |largest| largest.saturating_add(1))
}

fn too_large(largest: usize) -> io::Error {
    let limit = match largest {
        _ if largest >= 1 << 20 => format!("{} MiB", largest >> 20),
        _ if largest >= 1 << 10 => format!("{} KiB", largest >> 10),
        _ => format!("{largest} bytes"),
    };
    io::Error::new(
        ErrorKind::FileTooLarge,
        format!("it has more than {limit}, which is the most that is read"),
    )
}

/// Why others than its owner, or root, may write a file. Nothing for what is no file: a pipe is its writer's.
#[cfg(unix)]
fn writable_by_others(metadata: &std::fs::Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;

    if !metadata.is_file() {
        return None;
    }
    let owner = metadata.uid();
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Some("belongs to another user, who may change it".to_owned());
    }
    let mode = metadata.mode() & 0o7777;
    (mode & 0o022 != 0)
        .then(|| format!("may be written by others than its owner (mode {mode:04o})"))
}

#[cfg(not(unix))]
fn writable_by_others(_: &std::fs::Metadata) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn bytes_are_counted_where_no_size_is_told() {
        let mut bytes = b"x".to_vec();
        read(b"12345".as_slice(), 5, &mut bytes).unwrap();
        assert_eq!(bytes, b"x12345");
        let error = read(io::repeat(0), 4 << 20, &mut Vec::new()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(
            error.to_string(),
            "it has more than 4 MiB, which is the most that is read"
        );
    }

    #[test]
    #[cfg(unix)]
    fn devices_and_folders_end() {
        for (path, expected) in [
            ("/dev/zero", ErrorKind::FileTooLarge),
            ("/dev/null", ErrorKind::Other),
            ("/", ErrorKind::IsADirectory),
            ("/nowhere/at/all", ErrorKind::NotFound),
        ] {
            let found = read_file(path, 1 << 16).map_err(|error| error.kind());
            assert_eq!(found.err().unwrap_or(ErrorKind::Other), expected, "{path}");
        }
    }

    #[test]
    fn lines_are_counted_too() {
        let mut text = b"one\n\nthree".as_slice();
        for expected in ["one\n", "\n", "three", ""] {
            let mut line = Vec::new();
            let length = read_line(&mut text, 5, &mut line).unwrap();
            assert_eq!(
                (line.as_slice(), length),
                (expected.as_bytes(), expected.len())
            );
        }
        let mut endless = io::BufReader::new(io::repeat(b'a'));
        let mut line = Vec::new();
        let error = read_line(&mut endless, 1000, &mut line).unwrap_err();
        assert_eq!((error.kind(), line.len()), (ErrorKind::FileTooLarge, 1001));
    }

    #[test]
    #[cfg(unix)]
    fn others_that_may_write_are_told() {
        use std::os::unix::fs::PermissionsExt as _;

        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"x").unwrap();
        for (mode, expected) in [
            (0o600, None),
            (0o644, None),
            (0o660, Some("0660")),
            (0o602, Some("0602")),
        ] {
            let permissions = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(file.path(), permissions).unwrap();
            let found = writable_by_others(&file.path().metadata().unwrap());
            let expected = expected
                .map(|mode| format!("may be written by others than its owner (mode {mode})"));
            assert_eq!(found, expected);
            assert_eq!(read_trusted_file(file.path(), 1).unwrap(), b"x");
        }
        assert_eq!(
            writable_by_others(&Path::new("/tmp").metadata().unwrap()),
            None
        );
    }
}
