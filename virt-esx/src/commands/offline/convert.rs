//! What commands without a host share: many files at once, and errors that show their line.

use std::collections::BTreeMap;
use std::fs;
use std::io::{IsTerminal as _, Read as _};
use std::num::NonZero;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use vmx::VmxError;

use crate::failure::Failure;
use crate::ui::{Closed, Ui};

/// The conversion of one file.
#[derive(Debug, Default)]
pub(super) struct Converted {
    /// Printed on the standard output.
    stdout: String,
    /// Why it failed, as it is printed.
    error: Option<String>,
    /// What the other format cannot hold.
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

/// Converts all inputs on all processors, and prints the results as they come, in the order of the inputs. For several
/// files, a summary follows.
///
/// # Errors
/// When the output cannot be written any more.
pub(super) fn convert_all<I: Sync>(
    ui: &Ui,
    inputs: &[I],
    convert: impl Fn(&I) -> Converted + Sync,
) -> Result<(), Failure> {
    let mut summary = Summary::default();
    let mut printed = Ok(());
    in_order(inputs, convert, |converted| {
        printed = summary.print(ui, converted);
        printed.is_ok()
    });
    summary.end(ui, inputs.len());
    Ok(printed?)
}

/// Converts all inputs, and passes the results to `take` in the order of the inputs until that returns false.
fn in_order<I: Sync, C: Send>(
    inputs: &[I],
    convert: impl Fn(&I) -> C + Sync,
    mut take: impl FnMut(C) -> bool,
) {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = threads.min(inputs.len());
    if threads == 1 {
        inputs.iter().map(convert).all(take);
        return;
    }
    let next = AtomicUsize::new(0);
    // No more than a few wait for a slow one before them.
    let (sender, done) = mpsc::sync_channel(threads);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let (sender, next, convert) = (sender.clone(), &next, &convert);
            scope.spawn(move || {
                while let Some((index, input)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    inputs.get(index).map(|input| (index, input))
                } {
                    if sender.send((index, convert(input))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut expected = 0;
        for (index, converted) in done {
            early.insert(index, converted);
            while let Some(converted) = early.remove(&expected) {
                expected += 1;
                if !take(converted) {
                    return;
                }
            }
        }
    });
}

/// The numbers of failures and warnings of several files.
#[derive(Debug, Default)]
struct Summary {
    failed: usize,
    warnings: usize,
}

impl Summary {
    fn print(&mut self, ui: &Ui, converted: Converted) -> Result<(), Closed> {
        let Converted {
            stdout,
            error,
            warnings,
        } = converted;
        self.failed += usize::from(error.is_some());
        self.warnings += warnings.len();
        for warning in warnings {
            ui.warn(warning);
        }
        if let Some(error) = error {
            ui.fail(&error);
        }
        ui.print(&stdout)
    }

    fn end(&self, ui: &Ui, files: usize) {
        let Self { failed, warnings } = self;
        if files > 1 {
            let converted = files - failed;
            ui.tell(&format!(
                "{files} files: {converted} converted, {failed} failed, {warnings} warnings\n"
            ));
        }
    }
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
    let Some(bytes) = error.position().map(|position| position.bytes.clone()) else {
        let help = error.help().map(|help| format!("  help: {help}\n"));
        return plain() + &help.unwrap_or_default();
    };
    // Nobody reads a line of a megabyte.
    if line_length(text, bytes.start) > 1000 {
        return plain();
    }
    let text = shown(text);
    let bytes = whole_chars(&text, bytes);
    let annotation = AnnotationKind::Primary.span(bytes).label(error.key());
    let source = Snippet::source(text).path(name);
    let report = Level::ERROR
        .primary_title(error.to_string())
        .element(source.annotation(annotation));
    let report = report.elements(error.help().map(|help| Level::HELP.message(help)));
    let renderer = match std::io::stderr().is_terminal() {
        true => Renderer::styled(),
        false => Renderer::plain(),
    };
    renderer.decor_style(DecorStyle::Unicode).render(&[report]) + "\n"
}

/// The range with the whole of each character that it cuts: positions count bytes, and the renderer panics inside a character.
fn whole_chars(text: &str, bytes: Range<usize>) -> Range<usize> {
    let (mut start, mut end) = (bytes.start.min(text.len()), bytes.end.min(text.len()));
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end.max(start)
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
