use std::io::{self, ErrorKind, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::{MultiProgress, ProgressDrawTarget};
use tracing_subscriber::fmt::MakeWriter;
use zeroize::Zeroizing;

use super::foreign;
use super::input::{self, Input, Line, ReadLine};
use crate::failure::Failure;

/// The streams of this process. All clones are the same.
///
/// No write panics. The first error of the standard output is kept and [reported at the end](Self::exit_status);
/// errors of the standard error are ignored, because nobody could read a report.
#[derive(Debug, Clone)]
pub(crate) struct Terminal(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    streams: Streams,
    /// The first error of the standard output.
    error: Mutex<Option<io::Error>>,
    /// Hidden until a command draws progress.
    bars: MultiProgress,
    input: Input,
    /// What is told while the terminal [shows something else](Terminal::hold).
    held: Mutex<Option<String>>,
}

/// Where text goes.
#[derive(Debug)]
enum Streams {
    Process,
    /// Standard output and standard error of a test.
    #[cfg(test)]
    Kept(Mutex<[String; 2]>),
}

/// The standard output cannot be written any more.
#[derive(Debug)]
pub(crate) struct Closed;

impl Terminal {
    /// The streams of the process.
    pub(crate) fn new() -> Self {
        Self::with(Streams::Process)
    }

    /// Streams that are [kept](Self::kept).
    #[cfg(test)]
    pub(crate) fn keeping() -> Self {
        Self::with(Streams::Kept(Mutex::default()))
    }

    fn with(streams: Streams) -> Self {
        Self(Arc::new(Shared {
            streams,
            error: Mutex::default(),
            bars: MultiProgress::with_draw_target(ProgressDrawTarget::hidden()),
            input: Input::default(),
            held: Mutex::default(),
        }))
    }

    /// What was printed and what was reported.
    #[cfg(test)]
    pub(crate) fn kept(&self) -> [String; 2] {
        match &self.0.streams {
            Streams::Process => Default::default(),
            Streams::Kept(kept) => lock(kept).clone(),
        }
    }

    /// Prints on the standard output, at once, as [people can read it](foreign::text).
    ///
    /// # Errors
    /// When that failed, now or before.
    pub(crate) fn print(&self, text: &str) -> Result<(), Closed> {
        self.print_bytes(foreign::text(text).as_bytes())
    }

    /// Prints bytes, which need not be text, on the standard output, at once.
    ///
    /// # Errors
    /// When that failed, now or before.
    pub(crate) fn print_bytes(&self, bytes: &[u8]) -> Result<(), Closed> {
        if self.is_closed() {
            return Err(Closed);
        }
        let written = match &self.0.streams {
            Streams::Process => self.suspend(|| write(io::stdout().lock(), bytes)),
            #[cfg(test)]
            Streams::Kept(kept) => {
                lock(kept)[0].push_str(&String::from_utf8_lossy(bytes));
                Ok(())
            }
        };
        written.map_err(|error| {
            lock(&self.0.error).get_or_insert(error);
            Closed
        })
    }

    /// Prints on the standard error, as [people can read it](foreign::text). Errors are ignored.
    pub(crate) fn tell(&self, text: &str) {
        self.tell_styled(&foreign::text(text));
    }

    /// Prints on the standard error what has colours or carriage returns of ours in it.
    pub(crate) fn tell_styled(&self, text: &str) {
        if let Some(held) = &mut *lock(&self.0.held) {
            if held.len() < MOST_HELD {
                held.push_str(text);
            }
            return;
        }
        match &self.0.streams {
            Streams::Process => {
                let _ = self.suspend(|| write(io::stderr().lock(), text.as_bytes()));
            }
            #[cfg(test)]
            Streams::Kept(kept) => lock(kept)[1].push_str(text),
        }
    }

    /// Keeps what is told until the returned value is dropped, since the terminal shows something else.
    pub(crate) fn hold(&self) -> Held {
        lock(&self.0.held).get_or_insert_default();
        Held(self.clone())
    }

    /// Prints the lines of a failure and what to try next.
    pub(crate) fn report(&self, failure: &Failure) {
        self.tell(&failure.to_string());
        for advice in failure.advice().into_iter().flat_map(str::lines) {
            self.tell(&format!("hint: {}\n", foreign::lines(advice)));
        }
    }

    /// Reads the next line of the standard input with `read`, which may block.
    ///
    /// A line that is not waited for is the next caller's.
    pub(crate) async fn read_line(&self, read: ReadLine) -> Line {
        self.0.input.read_line(read).await
    }

    /// Asks a question on the standard error, and reads the answer from the standard input.
    pub(crate) async fn ask(&self, question: &str) -> Line {
        let bars = HiddenBars::new(&self.0.bars);
        self.tell(question);
        let unanswered = Unanswered(self);
        let terminal = match io::stdin().is_terminal() {
            true => input::read_terminal().await,
            false => None,
        };
        let line = match terminal {
            Some(line) => line,
            None => self.read_line(Box::new(input::read_plain)).await,
        };
        std::mem::forget(unanswered);
        drop(bars);
        line
    }

    /// Asks for a secret on the terminal, which does not show what is typed. Dropping the future makes it show again.
    pub(crate) async fn ask_secret(&self, question: String) -> io::Result<Zeroizing<String>> {
        let bars = HiddenBars::new(&self.0.bars);
        let secret = input::read_secret(question).await;
        drop(bars);
        secret
    }

    /// Whether the standard output could not be written.
    pub(crate) fn is_closed(&self) -> bool {
        lock(&self.0.error).is_some()
    }

    /// The status to exit with when the commands came to `status`.
    ///
    /// A reader that went away (`virt-esx list | head -1`) is not a failure; any other write error
    /// (a full disk) is.
    pub(crate) fn exit_status(&self, status: u8) -> u8 {
        let error = lock(&self.0.error).take();
        match error.filter(|error| error.kind() != ErrorKind::BrokenPipe) {
            Some(error) => {
                self.tell(&format!("error: cannot write the output: {error}\n"));
                1
            }
            None => status,
        }
    }

    /// The progress bars.
    pub(super) fn bars(&self) -> &MultiProgress {
        &self.0.bars
    }

    /// Writes to the terminal while no progress bar is drawn there.
    fn suspend<T>(&self, work: impl FnOnce() -> T) -> T {
        match self.0.bars.is_hidden() {
            true => work(),
            false => self.0.bars.suspend(work),
        }
    }
}

/// How much is kept of what is told while the terminal shows something else.
const MOST_HELD: usize = 64 * 1024;

/// While this is there, nothing is written to the standard error.
pub(crate) struct Held(Terminal);

impl Drop for Held {
    fn drop(&mut self) {
        let held = lock(&self.0.0.held).take();
        self.0.tell_styled(&held.unwrap_or_default());
    }
}

/// While this is there, no progress is drawn.
struct HiddenBars<'a> {
    bars: &'a MultiProgress,
    were_drawn: bool,
}

impl<'a> HiddenBars<'a> {
    fn new(bars: &'a MultiProgress) -> Self {
        let were_drawn = !bars.is_hidden();
        if were_drawn {
            // What cannot be removed stays on the terminal.
            let _ = bars.clear();
            bars.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self { bars, were_drawn }
    }
}

impl Drop for HiddenBars<'_> {
    fn drop(&mut self) {
        if self.were_drawn {
            self.bars.set_draw_target(super::bars::target());
        }
    }
}

/// A question whose line ends when nobody waits for the answer any more, as after Ctrl-C.
struct Unanswered<'a>(&'a Terminal);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        self.0.tell("\n");
    }
}

fn write(mut stream: impl Write, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes)?;
    stream.flush()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The standard error for the log: writing to it never fails, since a logger that cannot write
/// would complain there, and panic when it cannot do that either.
#[derive(Debug, Clone)]
pub(crate) struct Stderr(pub(crate) Terminal);

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.tell(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Stderr {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
