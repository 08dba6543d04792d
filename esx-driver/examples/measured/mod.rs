//! What the programs that measure have in common: options, memory, and a server that is a process of its own.

use std::error::Error;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::{env, fs};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The number behind an option of the command line.
pub(crate) fn number(arguments: &[String], name: &str, default: u64) -> u64 {
    let mut after = arguments.iter().skip_while(|one| *one != name).skip(1);
    let given = after.next().and_then(|value| value.parse().ok());
    given.unwrap_or(default)
}

/// A line of this process' memory, such as `VmHWM`, in MB.
pub(crate) fn memory_mb(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kb = line.and_then(|line| line.split_whitespace().nth(1));
    kb.and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// This program once more, with other arguments. It answers lines with lines, and ends with its input or when this is dropped.
pub(crate) struct Process {
    child: Child,
    lines: io::Lines<BufReader<ChildStdout>>,
}

impl Process {
    pub(crate) fn start(arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let lines = BufReader::new(stdout).lines();
        Ok(Self { child, lines })
    }

    pub(crate) fn line(&mut self) -> Result<String> {
        Ok(self.lines.next().ok_or("the server ended")??)
    }

    pub(crate) fn say(&mut self, text: &str) -> Result<()> {
        let input = self.child.stdin.as_mut().ok_or("no input")?;
        writeln!(input, "{text}")?;
        Ok(input.flush()?)
    }

    pub(crate) fn ask(&mut self, text: &str) -> Result<String> {
        self.say(text)?;
        self.line()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
