use std::io::{ErrorKind, IsTerminal as _, Write};
use std::process::ExitCode;

use crate::failure::Failure;

/// What a run leaves behind: the text of both streams and the exit status.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    /// Printed on the standard output.
    pub(crate) stdout: String,
    /// Printed on the standard error.
    pub(crate) stderr: String,
    /// The exit status: 0, 1 as virsh for every failure, or 130 after Ctrl-C.
    pub(crate) status: u8,
}

impl Outcome {
    /// A success that printed `stdout`.
    pub(crate) fn success(stdout: String) -> Self {
        Self {
            stdout,
            ..Self::default()
        }
    }

    /// A failure before a command began: only `error: ` lines.
    pub(crate) fn refused(failure: &Failure) -> Self {
        let mut stderr = failure.to_string();
        if let Some(advice) = failure.advice().filter(|_| std::io::stderr().is_terminal()) {
            stderr.push_str(&format!("hint: {advice}\n"));
        }
        Self {
            stdout: String::new(),
            stderr,
            status: 1,
        }
    }

    /// Interrupted by Ctrl-C: the status a shell gives a program that SIGINT ended.
    pub(crate) fn interrupted() -> Self {
        Self {
            status: 130,
            ..Self::default()
        }
    }

    /// This, and then that; the exit status is that of the worse one.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            stdout: self.stdout + &other.stdout,
            stderr: self.stderr + &other.stderr,
            status: self.status.max(other.status),
        }
    }

    /// Writes both streams, the standard output first, and makes the exit status.
    ///
    /// A reader that went away (`virt-esx list | head -1`) is not a failure; any other write
    /// error (a full disk) is.
    pub(crate) fn print(&self) -> ExitCode {
        let written = write(std::io::stdout().lock(), &self.stdout);
        let status = match written {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                let line = format!("error: cannot write the output: {error}\n");
                // Nobody is left to tell when the standard error is gone as well.
                let _ = write(std::io::stderr().lock(), &line);
                1
            }
            _ => self.status,
        };
        let _ = write(std::io::stderr().lock(), &self.stderr);
        ExitCode::from(status)
    }
}

fn write(mut stream: impl Write, text: &str) -> std::io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}
