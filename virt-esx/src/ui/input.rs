//! Lines of the standard input, and of the terminal.

use std::io::{self, ErrorKind};
use std::sync::{OnceLock, mpsc};

use esx_driver::vi_client::bounded;
#[cfg(unix)]
use tokio::io::AsyncReadExt as _;
#[cfg(unix)]
use tokio::net::unix::pipe::Receiver;
use tokio::sync::{Mutex, oneshot};
use zeroize::Zeroizing;

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
    let mut line = Vec::new();
    let mut terminal = terminal::open().ok()?;
    read_line(&mut terminal, LONGEST, &mut line).await;
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

/// Asks for a secret on the controlling terminal. Dropping the future ends the reading.
#[cfg(unix)]
pub(super) async fn read_secret(question: String) -> io::Result<Zeroizing<String>> {
    // With room for all of it the bytes never move, so that no copy of them stays anywhere.
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST_SECRET + 1));
    let Ok(mut terminal) = terminal::open() else {
        return read_secret_in_thread(question).await;
    };
    let silent = terminal::Silent::new(&question)?;
    read_line(&mut terminal, LONGEST_SECRET, &mut line).await;
    drop(silent);
    match line.len() {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        LONGEST_SECRET.. => Err(ErrorKind::FileTooLarge.into()),
        _ => match std::str::from_utf8(&line) {
            Ok(text) => Ok(Zeroizing::new(
                text.trim_end_matches(['\r', '\n']).to_owned(),
            )),
            Err(_) => Err(ErrorKind::InvalidData.into()),
        },
    }
}

#[cfg(not(unix))]
pub(super) async fn read_secret(question: String) -> io::Result<Zeroizing<String>> {
    read_secret_in_thread(question).await
}

/// Asks in a thread, which does not hold the program at its end.
async fn read_secret_in_thread(question: String) -> io::Result<Zeroizing<String>> {
    let asked = tokio::task::spawn_blocking(|| rpassword::prompt_password(question));
    let secret = asked
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)));
    secret.map(Zeroizing::new)
}

/// The most bytes of a secret.
#[cfg(unix)]
const LONGEST_SECRET: usize = 16 << 10;

/// Reads up to the end of a line, or a little more than `longest` bytes.
#[cfg(unix)]
async fn read_line(terminal: &mut Receiver, longest: usize, line: &mut Vec<u8>) {
    while !line.ends_with(b"\n") && line.len() < longest {
        let rest = longest - line.len();
        match terminal.take(rest as u64).read_buf(line).await {
            Ok(1..) => {}
            Ok(0) | Err(_) => break,
        }
    }
}

/// The controlling terminal.
#[cfg(unix)]
mod terminal {
    use std::fs::{File, OpenOptions};
    use std::io::{self, Write as _};
    use std::os::unix::fs::OpenOptionsExt as _;

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
    use tokio::net::unix::pipe::Receiver;

    /// Opens it so that waiting for it needs no thread.
    pub(super) fn open() -> io::Result<Receiver> {
        // A new description of the file: `O_NONBLOCK` on the standard input would hold for other programs, too.
        let terminal = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open("/dev/tty")?;
        // A terminal is read as a pipe is.
        Receiver::from_file_unchecked(terminal)
    }

    /// While this is there, the terminal does not show what is typed.
    pub(super) struct Silent {
        terminal: File,
        before: Termios,
    }

    impl Silent {
        /// Asks on the terminal.
        pub(super) fn new(question: &str) -> io::Result<Self> {
            let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty")?;
            let before = tcgetattr(&terminal)?;
            let mut silent = before.clone();
            silent.local_modes.remove(LocalModes::ECHO);
            silent.local_modes.insert(LocalModes::ECHONL);
            tcsetattr(&terminal, OptionalActions::Now, &silent)?;
            let silent = Self { terminal, before };
            (&silent.terminal).write_all(question.as_bytes())?;
            Ok(silent)
        }
    }

    impl Drop for Silent {
        fn drop(&mut self) {
            // What cannot be set stays as it is.
            let _ = tcsetattr(&self.terminal, OptionalActions::Now, &self.before);
        }
    }
}
