//! Lines of the standard input.

use std::io::{self, BufRead as _};
use std::sync::{OnceLock, mpsc};

use tokio::sync::{Mutex, oneshot};

use super::Terminal;

/// The standard input, which a thread of its own reads: a command that is told to end need not wait
/// for a line.
#[derive(Debug, Default)]
pub(super) struct Input {
    reader: OnceLock<mpsc::Sender<Request>>,
    /// The line that was asked for. Who stops waiting leaves it to the next one.
    pending: Mutex<Option<oneshot::Receiver<Line>>>,
}

/// What a line is asked for with.
#[derive(Debug)]
pub(crate) enum Prompt {
    /// A question on the standard error.
    Question(String),
}

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line without its end.
    Text(String),
    /// The end of the input.
    End,
}

#[derive(Debug)]
struct Request {
    terminal: Terminal,
    prompt: Prompt,
    reply: oneshot::Sender<Line>,
}

impl Input {
    /// Reads the next line. Two who ask at the same time are served one after the other.
    pub(super) async fn read_line(&self, terminal: Terminal, prompt: Prompt) -> Line {
        let mut pending = self.pending.lock().await;
        let line = pending.get_or_insert_with(|| {
            let (reply, line) = oneshot::channel();
            let request = Request {
                terminal,
                prompt,
                reply,
            };
            // Without the thread there is no reply, which is the end of the input.
            let _ = self.reader.get_or_init(start).send(request);
            line
        });
        let line = line.await.unwrap_or(Line::End);
        *pending = None;
        line
    }
}

/// Starts the thread. It is not one of the runtime's, for which the program would wait at its end.
fn start() -> mpsc::Sender<Request> {
    let (sender, requests) = mpsc::channel::<Request>();
    std::thread::spawn(move || {
        for request in requests {
            let line = read(&request.terminal, &request.prompt);
            // Nobody may be left who wants it.
            let _ = request.reply.send(line);
        }
    });
    sender
}

fn read(terminal: &Terminal, prompt: &Prompt) -> Line {
    match prompt {
        Prompt::Question(text) => {
            terminal.tell(text);
            read_plain()
        }
    }
}

/// A line as it comes; one that is not UTF-8 in the nearest UTF-8.
fn read_plain() -> Line {
    let mut line = Vec::new();
    match io::stdin().lock().read_until(b'\n', &mut line) {
        Ok(1..) => {
            let line = String::from_utf8_lossy(&line);
            Line::Text(line.trim_end_matches(['\r', '\n']).to_owned())
        }
        Ok(0) | Err(_) => Line::End,
    }
}
