//! The shell: reads commands from a terminal or from another standard input.
//!
//! It prints what virsh 9.0.0 prints: a prompt, which is followed by the line itself if the input is not a
//! terminal, and an empty line at the end. With `--output json` or `jsonl`, only the commands print.

mod editor;

use std::io::{self, IsTerminal as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use self::editor::{LineEditor, WantsNames};
use crate::answer::Format;
use crate::complete::Names;
use crate::failure::Failure;
use crate::session::Session;
use crate::signals::Signal;
use crate::ui::{Closed, Line, Terminal, read_plain};

/// How long names are kept for completion, so that the next TAB needs no request.
const FRESH: Duration = Duration::from_secs(5);

const WELCOME: &str = "Welcome to virt-esx, the virtualization interactive terminal.\n\n\
                       Type:  'help' for help with commands\n       'quit' to quit\n\n";

/// Runs the commands of the standard input up to its end or `quit`, and gives the exit status.
///
/// The status is 0, as virsh's, also if commands failed. It is 1 if the connection of `-c` cannot be opened, and
/// 130 if Ctrl-C ended commands that do not come from a terminal.
pub(crate) async fn run(session: &mut Session) -> u8 {
    let status = session.open(None).await;
    if status != 0 {
        return status;
    }
    let mut shell = Shell::new(session);
    // A standard output that cannot be written is reported at the program's end.
    shell.run(session).await.unwrap_or(0)
}

struct Shell {
    terminal: Terminal,
    /// Whether prompts are printed.
    is_text: bool,
    /// `None` if the standard input is not a terminal.
    editor: Option<Arc<Mutex<LineEditor>>>,
    wanted: UnboundedReceiver<WantsNames>,
    known: Option<(Instant, Names, Vec<String>)>,
}

impl Shell {
    fn new(session: &Session) -> Self {
        let (sender, wanted) = unbounded_channel();
        let editor = match io::stdin().is_terminal() {
            true => LineEditor::new(sender).ok(),
            false => None,
        };
        Self {
            terminal: session.terminal().clone(),
            is_text: session.printing().format() == Format::Text,
            editor: editor.map(|editor| Arc::new(Mutex::new(editor))),
            wanted,
            known: None,
        }
    }

    async fn run(&mut self, session: &mut Session) -> Result<u8, Closed> {
        if !session.printing().quiet {
            self.print(WELCOME)?;
        }
        while !session.is_over() {
            match self.read(session).await? {
                Line::Text(line) => session.run_text(&line).await,
                // The editor takes Ctrl-C for a key.
                Line::Interrupted => {}
                Line::TooLong => {
                    let reason = "a line of the standard input is longer than 1 MiB";
                    self.terminal.report(&Failure::new(reason));
                    return Ok(1);
                }
                Line::End => break,
            }
            match session.ended_by() {
                Some(signal) if signal != Signal::Interrupt || self.editor.is_none() => {
                    return Ok(signal.status());
                }
                _ => {}
            }
        }
        self.print("\n")?;
        Ok(0)
    }

    /// Reads a line. Meanwhile, answers the editor's requests for names.
    async fn read(&mut self, session: &mut Session) -> Result<Line, Closed> {
        let signals = session.signals().clone();
        let prompt = match session.is_readonly() {
            false => "virt-esx # ",
            true => "virt-esx > ",
        };
        let terminal = self.terminal.clone();
        let editor = self.editor.clone();
        if editor.is_none() {
            self.print(prompt)?;
        }
        let mut line = std::pin::pin!(terminal.read_line(Box::new(move || match editor {
            Some(editor) => {
                let mut editor = editor.lock().unwrap_or_else(PoisonError::into_inner);
                editor.read(prompt)
            }
            None => read_plain(),
        })));
        let line = loop {
            tokio::select! {
                line = &mut line => break line,
                Some(WantsNames(kind, names)) = self.wanted.recv() => {
                    // The editor may have lost its patience.
                    let _ = names.send(names_of(kind, &mut self.known, session).await);
                }
                signal = signals.next() => {
                    session.end_by(signal);
                    break Line::Interrupted;
                }
            }
        };
        if self.editor.is_none()
            && let Line::Text(line) = &line
        {
            self.print(&format!("{line}\n"))?;
        }
        Ok(line)
    }

    fn print(&self, text: &str) -> Result<(), Closed> {
        match self.is_text {
            true => self.terminal.print(text),
            false => Ok(()),
        }
    }
}

/// The names of a kind, the last of which are kept in `known`; none without a connection.
async fn names_of(
    kind: Names,
    known: &mut Option<(Instant, Names, Vec<String>)>,
    session: &Session,
) -> Vec<String> {
    let is_fresh = |since: &Instant, of: &Names| since.elapsed() < FRESH && *of == kind;
    if let Some((_, _, names)) = known.as_ref().filter(|(since, of, _)| is_fresh(since, of)) {
        return names.clone();
    }
    let names = session.names(&kind).await;
    *known = Some((Instant::now(), kind, names.clone()));
    names
}
