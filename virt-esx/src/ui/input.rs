//! Lines of the standard input, and of the terminal.

use std::io::{self, ErrorKind};
use std::sync::{OnceLock, mpsc};

use esx_driver::vi_client::bounded;
use tokio::sync::{Mutex, oneshot};

/// The most bytes of a line.
pub(crate) const LONGEST: usize = 1 << 20;

/// The standard input. A thread of its own reads it, so a command that has to end need not wait for a line.
#[derive(Debug, Default)]
pub(super) struct Input {
    reader: OnceLock<mpsc::Sender<Request>>,
    /// The line being read. If its reader is dropped, the next reader gets the line.
    pending: Mutex<Option<oneshot::Receiver<Line>>>,
}

/// The result of reading a line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line without its end.
    Text(String),
    /// Ctrl-C instead of a line.
    Interrupted,
    /// A line of more than [`LONGEST`] bytes, which was not read to its end.
    TooLong,
    /// The end of the input.
    End,
}

/// A way to read a line.
pub(crate) type ReadLine = Box<dyn FnOnce() -> Line + Send>;

struct Request {
    read: ReadLine,
    reply: oneshot::Sender<Line>,
}

impl Input {
    /// Reads the next line with `read`. Concurrent readers get one line each, in turn.
    pub(super) async fn read_line(&self, read: ReadLine) -> Line {
        let mut pending = self.pending.lock().await;
        let line = pending.get_or_insert_with(|| {
            let (reply, line) = oneshot::channel();
            // Without the thread there is no reply, which is the end of the input.
            let _ = self.reader.get_or_init(start).send(Request { read, reply });
            line
        });
        let line = line.await.unwrap_or(Line::End);
        *pending = None;
        line
    }
}

/// Starts the thread. It is not one of the runtime's, because the program would wait for those at its end.
fn start() -> mpsc::Sender<Request> {
    let (sender, requests) = mpsc::channel::<Request>();
    std::thread::spawn(move || {
        for Request { read, reply } in requests {
            // The reader may have been dropped.
            let _ = reply.send(read());
        }
    });
    sender
}

/// Reads a line of the standard input. Bytes that are not UTF-8 are replaced.
pub(crate) fn read_plain() -> Line {
    let mut line = Vec::new();
    match bounded::read_line(&mut io::stdin().lock(), LONGEST, &mut line) {
        Ok(1..) => text(&line),
        Err(error) if error.kind() == ErrorKind::FileTooLarge => Line::TooLong,
        Ok(0) | Err(_) => Line::End,
    }
}

fn text(line: &[u8]) -> Line {
    let line = String::from_utf8_lossy(line);
    Line::Text(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Reads a line of the controlling terminal, without a thread: dropping the future ends the reading.
///
/// `None` if there is no terminal, or the system cannot wait for it (macOS's kqueue refuses `/dev/tty`).
#[cfg(unix)]
pub(super) async fn read_terminal() -> Option<Line> {
    use std::fs::OpenOptions;
    use std::os::unix::fs::OpenOptionsExt as _;

    use tokio::io::AsyncReadExt as _;
    use tokio::net::unix::pipe::Receiver;

    // A new description of the file: `O_NONBLOCK` on the standard input would hold for other programs, too.
    let terminal = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open("/dev/tty")
        .ok()?;
    // A terminal is read as a pipe is.
    let mut terminal = Receiver::from_file_unchecked(terminal).ok()?;
    let mut line = Vec::new();
    while !line.ends_with(b"\n") && line.len() < LONGEST {
        match terminal.read_buf(&mut line).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => break,
        }
    }
    Some(match line.len() {
        0 => Line::End,
        LONGEST.. => Line::TooLong,
        _ => text(&line),
    })
}

/// Always `None`.
#[cfg(not(unix))]
pub(super) async fn read_terminal() -> Option<Line> {
    None
}
