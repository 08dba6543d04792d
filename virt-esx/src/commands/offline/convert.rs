//! What commands without a host share: many files at once, and errors that show their line.

use std::collections::BTreeMap;
use std::fs;
use std::io::IsTerminal as _;
use std::num::NonZero;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use esx_driver::vi_client::bounded;
use serde::{Serialize, Serializer};
use vmx::VmxError;

use crate::answer::{self, Format};
use crate::commands::file;
use crate::failure::Failure;
use crate::ui::{self, Closed, Ui, foreign};

/// The conversion of one file.
#[derive(Debug, Default, Serialize)]
pub(super) struct Converted {
    /// The file, as the command line names it.
    file: String,
    /// Printed on the standard output.
    document: Option<String>,
    /// The file that it was written to.
    written: Option<String>,
    /// Why it failed, as it is printed.
    #[serde(serialize_with = "lines")]
    error: Option<String>,
    /// What the other format cannot hold.
    warnings: Vec<String>,
}

/// The lines of an error, without what stands in front of it.
fn lines<S: Serializer>(error: &Option<String>, to: S) -> Result<S::Ok, S::Error> {
    let error = error.as_deref();
    let error = error.map(|text| text.strip_prefix("error: ").unwrap_or(text));
    error
        .map(|text| text.lines().collect::<Vec<_>>())
        .serialize(to)
}

/// The conversions of several files as JSON.
#[derive(Debug, Serialize)]
struct Files {
    files: Vec<Converted>,
}

impl Converted {
    pub(super) fn printed(text: String) -> Converted {
        Converted {
            document: Some(text),
            ..Converted::default()
        }
    }

    /// Writes a text to a file, whose folder is made.
    pub(super) fn written(path: &Path, text: &str) -> Converted {
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        match folder.and_then(|()| fs::write(path, text)) {
            Ok(()) => Converted {
                written: Some(path.display().to_string()),
                ..Converted::default()
            },
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
/// files, a line with its name stands in front of each document, and a summary follows.
///
/// # Errors
/// When the output cannot be written any more.
pub(super) fn convert_all<I: Sync>(
    ui: &Ui,
    inputs: &[I],
    name: impl Fn(&I) -> String + Sync,
    convert: impl Fn(&I) -> Converted + Sync,
) -> Result<(), Failure> {
    let mut summary = Summary::default();
    let mut printed = Ok(());
    let named = |input: &I| Converted {
        file: name(input),
        ..convert(input)
    };
    in_order(inputs, named, |converted| {
        printed = summary.print(ui, converted, inputs.len() > 1);
        printed.is_ok()
    });
    printed?;
    if ui.format() == Format::Json {
        let files = std::mem::take(&mut summary.files);
        ui.print(&answer::json(
            "virt-esx/converted-files/1",
            &Files { files },
        ))?;
    }
    summary.end(ui, inputs.len());
    Ok(())
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

/// The most warnings about a file that are shown: nobody reads more.
const MOST_WARNINGS: usize = 1000;

/// The numbers of failures and warnings of several files.
#[derive(Debug, Default)]
struct Summary {
    failed: usize,
    warnings: usize,
    /// What is printed as one document at the end.
    files: Vec<Converted>,
}

impl Summary {
    fn print(&mut self, ui: &Ui, converted: Converted, are_several: bool) -> Result<(), Closed> {
        let Converted {
            error, warnings, ..
        } = &converted;
        self.failed += usize::from(error.is_some());
        self.warnings += warnings.len();
        let more = warnings.len().saturating_sub(MOST_WARNINGS);
        for warning in warnings.iter().take(MOST_WARNINGS) {
            ui.warn(warning);
        }
        if more > 0 {
            ui.warn(format_args!(
                "{more} more warnings about the same file are not shown"
            ));
        }
        if let Some(error) = error {
            ui.fail_styled(error);
        }
        match ui.format() {
            Format::Text => {
                let Some(document) = &converted.document else {
                    return Ok(());
                };
                if are_several {
                    ui.print(&format!("==> {} <==\n", foreign::line(&converted.file)))?;
                }
                ui.document(document)
            }
            Format::Json => {
                self.files.push(converted);
                Ok(())
            }
            Format::Jsonl => ui.print(&answer::json_line("virt-esx/converted-file/1", &converted)),
        }
    }

    fn end(&self, ui: &Ui, files: usize) {
        let Self {
            failed, warnings, ..
        } = self;
        if files > 1 {
            let converted = files - failed;
            ui.tell(&format!(
                "{files} files: {converted} converted, {failed} failed, {warnings} warnings\n"
            ));
        }
    }
}

/// A file's content, or that of the standard input if it is called `-`: of at most as many bytes as virsh reads.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let read = if is_standard_input(path) {
        let mut text = Vec::new();
        bounded::read(std::io::stdin().lock(), file::LARGEST, &mut text).map(|()| text)
    } else {
        bounded::read_file(path, file::LARGEST)
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
        let help = error.help();
        let help = help.map(|help| format!("  help: {}\n", foreign::lines(help)));
        return plain() + &help.unwrap_or_default();
    };
    // Nobody reads a line of a megabyte.
    if line_length(text, bytes.start) > 1000 {
        return plain();
    }
    annotated(
        &error.to_string(),
        error.help(),
        error.key().unwrap_or_default(),
        name,
        text,
        bytes,
    )
}

/// The title, and the place in the text that it is about.
fn annotated(
    title: &str,
    help: Option<&str>,
    key: &str,
    name: &str,
    text: &[u8],
    bytes: Range<usize>,
) -> String {
    let text = shown(text);
    let bytes = whole_chars(&text, bytes);
    let (title, name, key) = (
        foreign::line(title),
        foreign::line(name),
        foreign::line(key),
    );
    let annotation = AnnotationKind::Primary.span(bytes);
    let annotation = annotation.label((!key.is_empty()).then_some(key));
    let source = Snippet::source(text).path(&*name);
    let report = Level::ERROR
        .primary_title(title)
        .element(source.annotation(annotation));
    let report = report.elements(help.map(|help| Level::HELP.message(foreign::line(help))));
    let renderer = match std::io::stderr().is_terminal() {
        true => Renderer::styled(),
        false => Renderer::plain(),
    };
    let decor = match ui::is_unicode() {
        true => DecorStyle::Unicode,
        false => DecorStyle::Ascii,
    };
    renderer.decor_style(decor).render(&[report]) + "\n"
}

/// The range with the whole of each character that it cuts: positions count bytes, and the renderer panics inside a character.
fn whole_chars(text: &str, bytes: Range<usize>) -> Range<usize> {
    let start = bytes.start.min(text.len());
    let (mut start, mut end) = (start, bytes.end.clamp(start, text.len()));
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

/// The file as text in which every byte has its place. The renderer shows ASCII's control characters; others that a terminal
/// would act on are shown as characters of the same length.
fn shown(text: &[u8]) -> String {
    match std::str::from_utf8(text) {
        Ok(text) => {
            let harmless = |c: char| match c.len_utf8() {
                2 if foreign::is_command(c) => '¿',
                3 if foreign::is_command(c) => char::REPLACEMENT_CHARACTER,
                _ => c,
            };
            text.chars().map(harmless).collect()
        }
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::ops::Range;

    use vmx::names::Folder;
    use vmx::{Mode, ParseOptions};

    use super::{annotated, error, whole_chars};

    /// Texts whose places are hard to show.
    fn texts() -> Vec<Vec<u8>> {
        let texts = [
            "",
            "é",
            "a = \"é\"\r\nb\t=\t\"漢字\"\r\n",
            "\u{feff}a = \"x\"\n",
            "a\u{200d}b\u{200b}=e\u{301}\n😀 = \"👩\u{200d}💻\"\n",
            "a\0b = \"\0\"\n\0",
            "\x1b[31m = \"\x07\u{9b}\u{202e}\"\r",
            "\n\n\r\r\n\t\u{2028}x\u{2029}\n",
            "\u{10ffff}\u{fffd}\u{e000}",
        ];
        let mut texts: Vec<_> = texts.map(|text| text.as_bytes().to_vec()).into();
        // UTF-16 with half a character, windows-1252, Shift JIS, and bytes that are no text.
        texts.push(b"\xff\xfea\0=\0\x3d\xd8\n\0".to_vec());
        texts.push(b".encoding = \"windows-1252\"\na = \"\xe9\x80\x9b\"\n".to_vec());
        texts.push(b".encoding = \"Shift_JIS\"\na = \"\x83\x5c\x81\"\n".to_vec());
        texts.push((0..=255).collect());
        texts
    }

    #[test]
    fn every_place_of_every_text_can_be_shown() {
        for text in texts() {
            for start in 0..text.len() + 3 {
                for end in start..text.len() + 3 {
                    let shown = annotated("title", None, "key", "a\x1b.vmx", &text, start..end);
                    assert!(!shown.contains(['\x07', '\u{9b}', '\u{202e}']), "{shown:?}");
                    assert!(shown.contains("a\\x1b.vmx"), "{shown:?}");
                }
            }
        }
    }

    #[test]
    fn places_are_whole_characters() {
        for (at, expected) in [
            (0..0, 0..0),
            (1..1, 0..2),
            (0..1, 0..2),
            (2..9, 2..5),
            (9..9, 5..5),
        ] {
            assert_eq!(whole_chars("é漢", at.clone()), expected, "{at:?}");
        }
        #[allow(clippy::reversed_empty_ranges, reason = "a position that is none")]
        let reversed: Range<usize> = 4..1;
        assert_eq!(whole_chars("é漢", reversed), 2..5);
    }

    #[test]
    fn every_mistake_can_be_shown() {
        let key = "\nconfig.version = \"8\"\nvirtualHW.version = \"13\"\n";
        for text in texts() {
            for at in 0..=text.len() {
                // A part of the text where each reader stumbles elsewhere.
                for text in [
                    text[..at].to_vec(),
                    [&text[at..], key.as_bytes()].concat(),
                    [key.as_bytes(), &text[at..]].concat(),
                    [b"memsize = \"", &text[at..], b"\"", key.as_bytes()].concat(),
                ] {
                    let mut options = ParseOptions::default();
                    options.mode = Mode::Strict;
                    if let Err(mistake) = vmx::parse(text.as_slice(), &Folder::default(), &options)
                    {
                        assert!(error(&mistake, "-", &text).starts_with("error: "));
                    }
                }
            }
        }
    }
}
