//! The editor of commands such as `snapshot-edit`: the program of `VISUAL` or `EDITOR`, else `vi`, on a temporary file.
//!
//! Texts and order are those of virsh 9.0.0 (`vshEditFile`, `vshAskReedit` and virsh-edit.c), except that the answer to
//! "Try again?" is a line instead of a key, and that a document that is refused is a failure also without a terminal:
//! virsh then prints that an object without a name was edited, or crashes.

use std::env;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::{Command, ExitStatus};

use tempfile::NamedTempFile;

use super::file;
use crate::failure::Failure;
use crate::ui::{Line, Ui};

/// Why an edited text was not taken.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// This failed.
    Failed(Failure),
    /// Somebody else has changed the object since its text was read.
    Changed,
}

impl<F: Into<Failure>> From<F> for Refusal {
    fn from(failure: F) -> Self {
        Self::Failed(failure.into())
    }
}

/// Has `text` edited and gives the result to `apply`, until that takes it or the user gives up. `None`: the text was not
/// changed. `apply` is told with `true` that the user wants it whoever else has changed the object.
///
/// # Errors
/// The editor's; what `apply` says when there is no terminal to ask on, or the user gives up.
pub(crate) async fn edit<T>(
    ui: &Ui,
    text: &str,
    mut apply: impl AsyncFnMut(&str, bool) -> Result<T, Refusal>,
) -> Result<Option<T>, Failure> {
    let file = write(text)?;
    let path = file.path().display().to_string();
    loop {
        // Ctrl-C is the editor's.
        ui.lend_terminal(true);
        let edited = run(&path).await;
        ui.lend_terminal(false);
        edited?;
        let edited = file::read(&path).await?;
        if edited == text {
            return Ok(None);
        }
        let mut is_forced = false;
        loop {
            let (failure, asked) = match apply(&edited, is_forced).await {
                Ok(done) => return Ok(Some(done)),
                Err(Refusal::Failed(failure)) => (Some(failure), "Failed."),
                Err(Refusal::Changed) => (None, CHANGED),
            };
            match ask(ui, failure, asked).await? {
                Again::Edit => break,
                Again::Force => is_forced = true,
            }
        }
    }
}

const CHANGED: &str = "The XML configuration was changed by another user.";

/// What the user wants after a failure.
enum Again {
    Edit,
    Force,
}

/// Asks what to do. A failure that was told is not told again by the command that ends with it.
async fn ask(ui: &Ui, failure: Option<Failure>, asked: &str) -> Result<Again, Failure> {
    if !std::io::stdin().is_terminal() {
        let line = Failure::new(asked);
        return Err(failure.map_or(line, |failure| failure.followed_by(asked)));
    }
    if let Some(failure) = &failure {
        ui.tell(&failure.to_string());
    }
    let prompt = format!("{asked} Try again? [y,n,f,?]: ");
    loop {
        let Line::Text(answer) = ui.terminal().ask(&prompt).await else {
            return Err(Failure::new(asked));
        };
        match answer.trim() {
            "y" => return Ok(Again::Edit),
            "f" => return Ok(Again::Force),
            "n" => return Err(Failure::new(asked)),
            "?" => ui.tell(HELP),
            _ => {}
        }
    }
}

const HELP: &str = "y - yes, start editor again
n - no, throw away my changes
f - force, try to redefine again
? - print this help
";

/// A file with the text, which is deleted when it is dropped.
fn write(text: &str) -> Result<NamedTempFile, Failure> {
    let made = tempfile::Builder::new()
        .prefix("virt-esx")
        .suffix(".xml")
        .tempfile();
    let mut made = made.map_err(|error| {
        let reason = file::c_text(&error);
        Failure::new(format!("failed to create temporary file: {reason}"))
    })?;
    made.write_all(text.as_bytes()).map_err(|error| {
        let (path, reason) = (made.path().display(), file::c_text(&error));
        Failure::new(format!(
            "write: {path}: failed to write to temporary file: {reason}"
        ))
    })?;
    Ok(made)
}

/// Runs the editor on the file to its end.
async fn run(path: &str) -> Result<(), Failure> {
    let of_environment = |name| env::var(name).ok();
    let editor = of_environment("VISUAL").or_else(|| of_environment("EDITOR"));
    let editor = editor.unwrap_or_else(|| "vi".to_owned());
    let words = words(&editor, path);
    let shown: Vec<_> = words.iter().map(|word| quoted(word)).collect();
    let shown = shown.join(" ");
    let started =
        tokio::task::spawn_blocking(move || Command::new(&words[0]).args(&words[1..]).status());
    let status = match started.await {
        Ok(Ok(status)) => status,
        // virsh finds a program without a path before it starts it.
        Ok(Err(error)) if !Path::new(&editor).is_absolute() => {
            let reason = file::c_text(&error);
            return Err(Failure::new(format!(
                "Cannot find '{editor}' in path: {reason}"
            )));
        }
        Ok(Err(error)) => {
            let reason = file::c_text(&error);
            return Err(Failure::new(format!(
                "cannot execute binary {editor}: {reason}"
            )));
        }
        Err(error) => return Err(Failure::new(error.to_string())),
    };
    match status.success() {
        true => Ok(()),
        false => {
            let how = how_it_ended(status);
            Err(Failure::new(format!(
                "internal error: Child process ({shown}) unexpected {how}"
            )))
        }
    }
}

/// The command line: a shell's if there is more than a program's name and path.
fn words(editor: &str, path: &str) -> Vec<String> {
    let is_plain = |text: &str| {
        let is_accepted = |c: char| c.is_ascii_alphanumeric() || "-/_.:@".contains(c);
        text.chars().all(is_accepted)
    };
    match cfg!(not(unix)) || (is_plain(editor) && is_plain(path)) {
        true => vec![editor.to_owned(), path.to_owned()],
        false => vec!["sh".to_owned(), "-c".to_owned(), format!("{editor} {path}")],
    }
}

/// A word as libvirt shows it in a command line.
fn quoted(word: &str) -> String {
    let is_plain = word
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-/_.:@+=,%".contains(c));
    match is_plain {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

fn how_it_ended(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("fatal signal {signal}");
    }
    format!("exit status {}", status.code().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{quoted, words};

    #[test]
    fn a_shell_runs_what_is_more_than_a_program() {
        for (editor, expected) in [
            ("vi", vec!["vi", "/tmp/a.xml"]),
            ("/usr/bin/vim.tiny", vec!["/usr/bin/vim.tiny", "/tmp/a.xml"]),
            ("emacs -nw", vec!["sh", "-c", "emacs -nw /tmp/a.xml"]),
            ("", vec!["", "/tmp/a.xml"]),
        ] {
            assert_eq!(words(editor, "/tmp/a.xml"), expected);
        }
    }

    // virsh 9.0.0 shows the command line that failed so.
    #[test]
    fn command_lines_are_quoted() {
        for (word, expected) in [
            ("/tmp/a.xml", "/tmp/a.xml"),
            ("true;false /tmp/a.xml", "'true;false /tmp/a.xml'"),
            ("it's", "'it'\\''s'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
