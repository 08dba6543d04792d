//! Command lines on a program's standard input.

use std::path::Path;

use super::super::process;
use super::super::report::Report;
use super::{Known, Pair};

/// Between the answers to two command lines.
const MARK: &str = "@@";

/// Compares what virsh prints for the lines on `virsh`'s server with what virt-esx prints on `ours`'s, which is the
/// same one if the lines change nothing.
pub(super) fn compare(
    (virsh, ours): (&Pair<'_>, &Pair<'_>),
    lines: &[&str],
    known: &[Known],
    report: &mut Report,
) -> Result<(), String> {
    let words = |line: &&str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let words: Vec<_> = lines.iter().map(words).collect();
    let theirs = Batch::run(virsh, "virsh".as_ref(), &words)?;
    let batch = Batch::run(ours, &ours.tools.virt_esx, &words)?;
    let mut shown = vec![false; known.len()];
    for (index, (line, words)) in lines.iter().zip(&words).enumerate() {
        let (theirs, ours_printed) = (theirs.both(index), batch.both(index));
        let is_known = |known: &Known| {
            let mut wanted = known.words.iter();
            // A file is known by its name.
            let is_word = |found: &str, word: &str| found.rsplit('/').next() == Some(word);
            wanted.all(|word| {
                let mut found = words.iter();
                found.any(|found| found == word || is_word(found, word))
            })
        };
        match known.iter().position(is_known) {
            Some(known) if theirs != ours_printed => shown[known] = true,
            _ => {
                let found = format!("virsh: {theirs}virt-esx: {ours_printed}");
                report.check(&ours.section, line, theirs == ours_printed, &found);
            }
        }
    }
    for (known, shown) in known.iter().zip(shown) {
        let name = format!("{}: known difference {:?}", ours.section, known.words);
        match shown {
            true => report.note(&name, known.reason),
            false => report.fail(&name, "does not show any more: remove it from the list"),
        }
    }
    Ok(())
}

/// What a program printed for each line of its standard input.
pub(super) struct Batch {
    stdout: Vec<String>,
    stderr: Vec<String>,
}

impl Batch {
    /// Runs the command lines, between which both streams get a mark.
    pub(super) fn run(
        pair: &Pair<'_>,
        program: &Path,
        lines: &[Vec<String>],
    ) -> Result<Self, String> {
        let mut input = String::new();
        for args in lines {
            input += &format!("echo {MARK}\necho --err {MARK}\n{}\n", args.join(" "));
        }
        let mut command = pair.tools.client(program, &pair.auth);
        // virsh repeats its input as if on a terminal of this width.
        let run = process::run(
            command.env("COLUMNS", "1000").args(["-c", &pair.uri]),
            &input,
        )?
        .without_hints();
        let split = |text: &str, mark: &str| -> Vec<String> {
            // Not the prompts, behind which both programs repeat the input.
            let is_own = |line: &&str| {
                let mut starts = ["virsh # ", "virt-esx # "].into_iter();
                !starts.any(|start| line.starts_with(start))
            };
            let lines = text.lines().filter(is_own);
            let text: String = lines.map(|line| format!("{line}\n")).collect();
            text.split(mark)
                .skip(1)
                .map(|part| part.trim_end().to_owned() + "\n")
                .collect()
        };
        let batch = Self {
            stdout: split(&run.stdout, &format!("{MARK}\n")),
            stderr: split(&run.stderr, &format!("error: {MARK}\n")),
        };
        match (batch.stdout.len(), batch.stderr.len()) {
            (out, err) if out == lines.len() && err == lines.len() => Ok(batch),
            counts => Err(format!(
                "{counts:?} answers to {} lines:\n{run}",
                lines.len()
            )),
        }
    }

    pub(super) fn stdout(&self, index: usize) -> String {
        self.stdout[index].trim_start_matches('\n').to_owned()
    }

    pub(super) fn both(&self, index: usize) -> String {
        format!("{}{}", self.stdout(index), self.stderr[index])
    }
}
