//! virsh, with many files at once.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::super::peers::Tools;

/// How many files one process is given: the limit of an argument is 128 KiB.
const AT_ONCE: usize = 200;

/// What virsh prints behind each file. It writes what it has printed before any error.
const MARK: &str = "error: @@@@\n";

/// What virsh answered to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// What it printed.
    Text(String),
    /// It printed nothing, and ended or hung.
    Gone(&'static str),
}

/// virsh on an ESX server.
pub(super) struct Virsh<'a> {
    tools: &'a Tools,
    uri: &'a str,
    auth: &'a Path,
}

impl<'a> Virsh<'a> {
    pub(super) fn new(tools: &'a Tools, uri: &'a str, auth: &'a Path) -> Self {
        Self { tools, uri, auth }
    }

    /// The answers to the files, in their order. Some files make virsh end or hang: the next one gets another process.
    pub(super) fn convert(&self, paths: &[PathBuf]) -> Result<Vec<Answer>, String> {
        let mut answers = Vec::with_capacity(paths.len());
        while answers.len() < paths.len() {
            let rest = &paths[answers.len()..];
            let part = &rest[..rest.len().min(AT_ONCE)];
            let (printed, how) = self.run(part)?;
            // What follows the last mark belongs to a file whose conversion did not end.
            let mut texts: Vec<&str> = printed.split(MARK).collect();
            let last = texts.pop().unwrap_or_default();
            if texts.is_empty() && last.contains("failed to connect") {
                return Err(last.to_owned());
            }
            let found = texts.len();
            // An empty line follows each command.
            let text = |text: &str| without_libxml2(text.strip_prefix('\n').unwrap_or(text));
            answers.extend(texts.into_iter().map(|found| Answer::Text(text(found))));
            if found < part.len() {
                answers.push(Answer::Gone(how));
            }
        }
        answers.truncate(paths.len());
        Ok(answers)
    }

    /// What one process prints, and how it ended.
    fn run(&self, paths: &[PathBuf]) -> Result<(String, &'static str), String> {
        let commands: Vec<_> = paths
            .iter()
            .map(|path| {
                format!(
                    "domxml-from-native vmware-vmx '{}'; echo --err @@@@",
                    path.display()
                )
            })
            .collect();
        // Errors and documents in one stream, in their order.
        let script = "exec timeout 20 virsh -c \"$0\" \"$1\" 2>&1";
        let mut command = self.tools.client("sh", self.auth);
        let output = command
            .args(["-c", script, self.uri, &commands.join("; ")])
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .map_err(|error| format!("cannot run virsh: {error}"))?;
        let how = match output.status.code() {
            Some(124) => "virsh hangs",
            _ => "virsh crashes",
        };
        Ok((String::from_utf8_lossy(&output.stdout).into_owned(), how))
    }
}

/// What virsh itself printed: libxml2 writes a line of its own where an encoding does not fit.
fn without_libxml2(text: &str) -> String {
    let lines = text.split_inclusive('\n');
    lines
        .filter(|line| !line.starts_with("encoding error : "))
        .collect()
}
