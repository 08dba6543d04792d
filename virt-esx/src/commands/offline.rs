//! What commands without a host share: many files at once, and errors that show their line.

use std::fs;
use std::io::{IsTerminal as _, Read as _};
use std::num::NonZero;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use vmx::VmxError;

use crate::failure::Failure;
use crate::outcome::Outcome;

/// What became of one file.
#[derive(Debug, Default)]
pub(super) struct Converted {
    /// Printed on the standard output.
    stdout: String,
    /// Why it failed, as it is printed.
    error: Option<String>,
    /// Lines, as they are printed.
    warnings: Vec<String>,
}

impl Converted {
    pub(super) fn printed(text: String) -> Converted {
        Converted {
            stdout: text,
            ..Converted::default()
        }
    }

    /// Writes a text to a file, whose folder is made.
    pub(super) fn written(path: &Path, text: &str) -> Converted {
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        match folder.and_then(|()| fs::write(path, text)) {
            Ok(()) => Converted::default(),
            Err(error) => {
                let text = format!("cannot write '{}': {error}", path.display());
                Converted::failed(Failure::new(text).to_string())
            }
        }
    }

    pub(super) fn failed(error: String) -> Converted {
        Converted {
            error: Some(error),
            ..Converted::default()
        }
    }

    pub(super) fn with_warnings(mut self, warnings: Vec<String>) -> Converted {
        self.warnings = warnings;
        self
    }
}

/// `convert` of every input, on all processors; in the order of the inputs.
pub(super) fn parallel<I: Sync>(
    inputs: &[I],
    convert: impl Fn(&I) -> Converted + Sync,
) -> Vec<Converted> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(inputs.len()));
    let work = || {
        let mut own = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(input) = inputs.get(index) else {
                break;
            };
            own.push((index, convert(input)));
        }
        // A thread that panicked has taken the others along by then.
        if let Ok(mut done) = done.lock() {
            done.extend(own);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 1..threads.min(inputs.len()) {
            scope.spawn(work);
        }
        work();
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, converted)| converted).collect()
}

/// All texts, and for several files a summary; the warnings unless it is quiet.
pub(super) fn outcome(converted: Vec<Converted>, quiet: bool) -> Outcome {
    let mut outcome = Outcome::default();
    let files = converted.len();
    let (mut failed, mut warnings) = (0, 0);
    for Converted {
        stdout,
        error,
        warnings: lines,
    } in converted
    {
        outcome.stdout.push_str(&stdout);
        let told = lines.iter().filter(|_| !quiet);
        outcome.stderr.extend(told.map(String::as_str));
        outcome.stderr.extend(error.as_deref());
        failed += usize::from(error.is_some());
        warnings += lines.len();
    }
    if files > 1 {
        outcome.stderr.push_str(&format!(
            "{files} files: {} converted, {failed} failed, {warnings} warnings\n",
            files - failed
        ));
    }
    outcome.status = u8::from(failed > 0);
    outcome
}

/// A file's content; that of the standard input, if it is called `-`.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = if is_standard_input(path) {
        let mut text = Vec::new();
        std::io::stdin().read_to_end(&mut text).map(|_| text)
    } else {
        fs::read(path)
    };
    read.map_err(|error| Failure::new(format!("cannot read '{}': {error}", path.display())))
}

/// The whole path of the folder that a file is in, as libvirt's documents have only whole ones; nobody knows that
/// of the standard input.
pub(super) fn folder(path: &Path) -> String {
    if is_standard_input(path) {
        return String::new();
    }
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = whole.parent().unwrap_or(Path::new(""));
    folder.to_string_lossy().into_owned()
}

pub(super) fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The text of an error about a file: libvirt's, with the line that it is about.
pub(super) fn error(error: &VmxError, name: &str, text: &[u8]) -> String {
    let plain = || {
        let line = error.line().map(|line| format!(":{line}"));
        Failure::new(format!("{name}{}: {error}", line.unwrap_or_default())).to_string()
    };
    let Some(bytes) = error.place().map(|place| place.bytes.clone()) else {
        let help = error.help().map(|help| format!("  help: {help}\n"));
        return plain() + &help.unwrap_or_default();
    };
    // Nobody reads a line of a megabyte.
    if line_length(text, bytes.start) > 1000 {
        return plain();
    }
    let annotation = AnnotationKind::Primary.span(bytes).label(error.key());
    let source = Snippet::source(shown(text)).path(name);
    let report = Level::ERROR
        .primary_title(error.to_string())
        .element(source.annotation(annotation));
    let help = error.help().map(|help| format!("expected {help}"));
    let report = report.elements(help.map(|help| Level::HELP.message(help)));
    let renderer = match std::io::stderr().is_terminal() {
        true => Renderer::styled(),
        false => Renderer::plain(),
    };
    renderer.decor_style(DecorStyle::Unicode).render(&[report]) + "\n"
}

/// The file as text in which every byte has its place.
fn shown(text: &[u8]) -> String {
    match std::str::from_utf8(text) {
        Ok(text) => text.to_owned(),
        Err(_) => {
            let ascii = |byte: &u8| {
                if byte.is_ascii() {
                    char::from(*byte)
                } else {
                    '?'
                }
            };
            text.iter().map(ascii).collect()
        }
    }
}

fn line_length(text: &[u8], at: usize) -> usize {
    let (before, behind) = text.split_at(at.min(text.len()));
    let ends = |byte: &u8| *byte == b'\n';
    let start = before.iter().rev().take_while(|byte| !ends(byte)).count();
    start + behind.iter().take_while(|byte| !ends(byte)).count()
}
