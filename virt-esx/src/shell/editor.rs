//! The line editor of the shell, with completion and history.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use esx_driver::EsxUri;
use esx_driver::vi_client::bounded;
use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Context, Editor, Helper};
use tokio::sync::mpsc::UnboundedSender;

use crate::complete::{Candidates, Names, complete};
use crate::ui::Line;
use crate::words;

/// How long TAB waits for the server's names.
const PATIENCE: Duration = Duration::from_secs(3);

/// The number of lines in the history.
const REMEMBERED: usize = 1000;

/// A request for names, which the shell answers while a line is edited.
pub(super) struct WantsNames(pub(super) Names, pub(super) mpsc::Sender<Vec<String>>);

/// The editor, and the file of its history.
pub(super) struct LineEditor {
    editor: Editor<Completions, FileHistory>,
    history: Option<PathBuf>,
}

impl LineEditor {
    /// An editor with the history of earlier shells, which sends its requests for names to `names`.
    pub(super) fn new(names: UnboundedSender<WantsNames>) -> Result<Self, ReadlineError> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .history_ignore_space(true)
            .max_history_size(REMEMBERED)?
            .build();
        let history = FileHistory::with_config(&config);
        let mut editor = Editor::with_history(config, history)?;
        editor.set_helper(Some(Completions {
            names,
            files: FilenameCompleter::new(),
        }));
        let history = crate::state::folder().map(|folder| folder.join("history"));
        // There is none in the first shell. Something else at its place is neither read nor written.
        let history = history.filter(|path| !path.exists() || is_history(path));
        if let Some(path) = &history {
            let _ = editor.load_history(path);
        }
        Ok(Self { editor, history })
    }

    /// Reads a line.
    pub(super) fn read(&mut self, prompt: &str) -> Line {
        match self.editor.readline(prompt) {
            Ok(line) => {
                self.remember(&line);
                Line::Text(line)
            }
            Err(ReadlineError::Interrupted) => Line::Interrupted,
            Err(_) => Line::End,
        }
    }

    fn remember(&mut self, line: &str) {
        if !may_be_kept(line) || !matches!(self.editor.add_history_entry(line), Ok(true)) {
            return;
        }
        if let Some(path) = &self.history
            && prepare(path).is_ok()
            // The editor reads what other shells have written meanwhile.
            && is_history(path)
        {
            // The shell goes on without a history.
            let _ = self.editor.append_history(path);
        }
    }
}

/// The most bytes of a history that is read.
const LARGEST: usize = 4 << 20;

/// Whether this is a file that ends soon enough.
fn is_history(path: &Path) -> bool {
    path.is_file() && bounded::read_file(path, LARGEST).is_ok()
}

/// Whether a line may be written to the history: not if a URI in it has a password (which the driver refuses).
fn may_be_kept(line: &str) -> bool {
    if EsxUri::without_secrets(line) != line {
        return false;
    }
    let mut rest = line.split("://").skip(1);
    !rest.any(|rest| {
        let end = rest
            .find(['/', '?', '#', ' ', '\t', ';'])
            .unwrap_or(rest.len());
        let user = rest[..end].rsplit_once('@');
        user.is_some_and(|(user, _)| user.contains(':'))
    })
}

/// Creates the file, which only its owner may read, and its folder.
fn prepare(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Completes commands, options, names and files.
struct Completions {
    names: UnboundedSender<WantsNames>,
    files: FilenameCompleter,
}

impl Completions {
    /// The names of a kind; none if there is no connection, or it takes too long.
    fn names(&self, kind: Names) -> Vec<String> {
        let (sender, names) = mpsc::channel();
        if self.names.send(WantsNames(kind, sender)).is_err() {
            return Vec::new();
        }
        names.recv_timeout(PATIENCE).unwrap_or_default()
    }
}

impl Completer for Completions {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let completion = complete(&line[..position]);
        let candidates = match completion.candidates {
            Candidates::Words(words) => words,
            Candidates::Names(kind, start) => start.matching(self.names(kind)),
            Candidates::Files(_) => return self.files.complete_path(line, position),
        };
        let pair = |word: String| Pair {
            replacement: words::quoted(&word) + " ",
            display: word,
        };
        Ok((completion.start, candidates.into_iter().map(pair).collect()))
    }
}

impl Hinter for Completions {
    type Hint = String;
}

impl Highlighter for Completions {}

impl Validator for Completions {}

impl Helper for Completions {}

#[cfg(test)]
mod tests {
    use super::may_be_kept;

    #[test]
    fn passwords_are_not_kept() {
        for line in [
            "list",
            "connect esx://root@host:444/?a=b",
            "connect esx://host:1/ ; echo a:b",
        ] {
            assert!(may_be_kept(line), "{line}");
        }
        for line in [
            "connect esx://root:secret@host/",
            "connect 'vpx://a%40b:s@h/d/c'",
            "connect esx://root:se@cret@host",
        ] {
            assert!(!may_be_kept(line), "{line}");
        }
    }
}
