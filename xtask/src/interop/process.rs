use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

/// The output and the status of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// `None` when a signal ended it.
    pub(crate) status: Option<i32>,
}

impl Run {
    pub(crate) fn succeeded(&self) -> bool {
        self.status == Some(0)
    }

    /// Without the lines of advice of virt-esx, which virsh has not.
    pub(crate) fn without_hints(mut self) -> Self {
        let lines = self.stderr.split_inclusive('\n');
        self.stderr = lines.filter(|line| !line.starts_with("hint: ")).collect();
        self
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => writeln!(f, "exit status {status}")?,
            None => writeln!(f, "ended by a signal")?,
        }
        self.stdout
            .lines()
            .try_for_each(|line| writeln!(f, "| {line}"))?;
        self.stderr
            .lines()
            .try_for_each(|line| writeln!(f, "! {line}"))
    }
}

/// Runs `command` with `input` on its standard input, for at most two minutes.
pub(crate) fn run(command: &mut Command, input: &str) -> Result<Run, String> {
    let mut limited = Command::new("timeout");
    limited
        .arg("120")
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        limited.current_dir(directory);
    }
    limited
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let failed = |error| format!("cannot run {:?}: {error}", command.get_program());
    let mut child = limited.spawn().map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that doesn't read its input has done nothing wrong.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    Ok(Run {
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        status: output.status.code(),
    })
}

/// Runs a step of the preparation, whose output only matters when it fails.
pub(crate) fn step(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("cannot run {shown}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(format!(
        "{shown} failed ({})\n{}",
        output.status,
        String::from_utf8_lossy(&text)
    ))
}

/// A server that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Kept open, as it may print more.
    stdout: Option<BufReader<ChildStdout>>,
    /// The line it printed when it was ready.
    pub(crate) greeting: String,
}

impl Server {
    /// Starts `program` and waits for its first line.
    pub(crate) fn start<S: AsRef<OsStr>>(program: S, args: &[&str]) -> Result<Self, String> {
        let program = program.as_ref();
        let failed = |error| format!("cannot start {program:?}: {error}");
        let mut command = Command::new(program);
        let command = command
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().map_err(failed)?;
        let mut greeting = String::new();
        let mut stdout = child.stdout.take().map(BufReader::new);
        if let Some(stdout) = &mut stdout {
            stdout.read_line(&mut greeting).map_err(failed)?;
        }
        let server = Self {
            child,
            stdout,
            greeting: greeting.trim().to_owned(),
        };
        if server.greeting.is_empty() {
            return Err(format!("{program:?} ended without saying where it listens"));
        }
        Ok(server)
    }

    /// Writes a line to its standard input, and gives the line that it prints.
    pub(crate) fn ask(&mut self, line: &str) -> Result<String, String> {
        let failed = |error: std::io::Error| format!("cannot ask for {line:?}: {error}");
        let (Some(stdin), Some(stdout)) = (&mut self.child.stdin, &mut self.stdout) else {
            return Err(format!("nobody to ask for {line:?}"));
        };
        writeln!(stdin, "{line}").map_err(failed)?;
        let mut answer = String::new();
        stdout.read_line(&mut answer).map_err(failed)?;
        Ok(answer)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing to do about either call's failure.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
