//! `virt-esx watch` on a real terminal: in tmux, with keys, sizes, signals and a server that goes away.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::peers::{Simulator, Tools};
use super::process::{self, step};
use super::report::Report;

const SECTION: &str = "watch in a terminal";

/// How long a screen may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// The prompt of the shell around it.
const PROMPT: &str = "ready>";

/// Somebody else's change.
const CHANGES: &str = "3 ask db01 cdrom-locked\n";

/// Runs the screens one after the other.
pub(crate) fn run(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let auth = tools.auth_file("terminal.conf", "root", "password")?;
    let play = tools.scratch.join("terminal.changes");
    fs::write(&play, CHANGES).map_err(|error| error.to_string())?;
    let play = play.to_string_lossy().into_owned();
    let simulator = tools.start_esx_sim(&["--esx", "--play", &play])?;

    let mut command = tools.client(&tools.virt_esx, &auth);
    let run = process::run(command.args(["-c", &simulator.uri, "watch"]), "")?;
    let held = run.status == Some(1) && run.stderr.contains("needs a terminal");
    report.check(SECTION, "without a terminal", held, &run.to_string());

    let mut terminal = Tmux::start(tools, &auth)?;
    terminal.steps(report, &simulator)?;
    let port = simulator.port().to_owned();
    terminal.lose_the_server(tools, report, simulator, &port)
}

/// A shell in a tmux of its own.
struct Tmux {
    socket: String,
    virt_esx: String,
    pid_file: PathBuf,
}

impl Tmux {
    fn start(tools: &Tools, auth: &std::path::Path) -> Result<Self, String> {
        let tmux = Self {
            socket: format!("virt-esx-{}", std::process::id()),
            virt_esx: tools.virt_esx.display().to_string(),
            pid_file: tools.scratch.join("terminal.pid"),
        };
        let mut command = tools.client("tmux", auth);
        command
            .args(["-L", &tmux.socket, "-f", "/dev/null", "new-session", "-d"])
            .args(["-x", "100", "-y", "16", "env"])
            .arg(format!("PS1={PROMPT}"))
            .arg("sh");
        step(&mut command)?;
        tmux.wait_for(|screen| screen.contains(PROMPT))
            .map_err(|screen| format!("no prompt in tmux:\n{screen}"))?;
        Ok(tmux)
    }

    fn tmux(&self, args: &[&str]) -> Result<String, String> {
        let mut command = Command::new("tmux");
        let run = process::run(command.args(["-L", &self.socket]).args(args), "")?;
        match run.succeeded() {
            true => Ok(run.stdout),
            false => Err(format!("tmux {args:?}: {run}")),
        }
    }

    /// Presses keys by tmux's names; what is no name is typed.
    fn press(&self, keys: &[&str]) -> Result<(), String> {
        self.tmux(&[&["send-keys"], keys].concat()).map(drop)
    }

    /// Types a command line of the shell.
    fn type_line(&self, line: &str) -> Result<(), String> {
        self.tmux(&["send-keys", "-l", line])?;
        self.press(&["Enter"])
    }

    /// Starts `watch` with these options, and notes its process id.
    fn watch(&self, uri: &str, environment: &str) -> Result<(), String> {
        let (pid, program) = (self.pid_file.display(), &self.virt_esx);
        self.type_line(&format!(
            "clear; {environment} sh -c 'echo $$ > {pid}; exec {program} -c \"{uri}\" watch --interval 1'"
        ))
    }

    fn screen(&self) -> String {
        self.tmux(&["capture-pane", "-p"])
            .unwrap_or_else(|error| error)
    }

    /// Waits for a screen. The error is the last one.
    fn wait_for(&self, is_there: impl Fn(&str) -> bool) -> Result<String, String> {
        let end = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if is_there(&screen) {
                return Ok(screen);
            }
            if Instant::now() > end {
                return Err(screen);
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Checks that a screen comes.
    fn expect(&self, report: &mut Report, name: &str, is_there: impl Fn(&str) -> bool) {
        match self.wait_for(is_there) {
            Ok(_) => report.pass(SECTION),
            Err(screen) => report.fail(&format!("{SECTION}: {name}"), &screen),
        }
    }

    fn steps(&mut self, report: &mut Report, simulator: &Simulator) -> Result<(), String> {
        self.watch(&simulator.uri, "LC_ALL=C.UTF-8")?;
        self.expect(report, "shows the domains", |screen| {
            has_row(screen, "web01", "running") && screen.contains("q:quit")
        });
        let colours = self.tmux(&["capture-pane", "-p", "-e"])?;
        let found = colours.contains("38;5;2m");
        report.check(SECTION, "uses colours", found, &colours);

        self.press(&["?"])?;
        self.expect(report, "shows the keys", |screen| {
            screen.contains("sort by another column") && screen.contains('\u{2502}')
        });
        self.press(&["q", "/"])?;
        self.tmux(&["send-keys", "-l", "web"])?;
        self.expect(report, "filters", |screen| {
            screen.contains("filter: web") && !screen.contains("db01")
        });
        self.press(&["Enter", "X"])?;
        self.expect(report, "asks before it destroys", |screen| {
            screen.contains("Destroy (power off) 'web01'?")
        });
        self.press(&["y"])?;
        self.expect(report, "destroys", |screen| {
            has_row(screen, "web01", "shut off") && screen.contains("destroying 'web01': done")
        });
        self.press(&["s"])?;
        self.expect(report, "starts", |screen| {
            has_row(screen, "web01", "running") && screen.contains("starting 'web01': done")
        });
        self.press(&["Escape"])?;
        self.expect(report, "clears the message", |screen| {
            !screen.contains("starting 'web01'")
        });
        self.press(&["Escape"])?;
        self.expect(report, "clears the filter", |screen| {
            has_row(screen, "db01", "running")
        });

        self.expect(report, "marks a question of somebody else", |screen| {
            screen.lines().any(|line| line.starts_with("? db01"))
        });
        self.press(&["/"])?;
        self.tmux(&["send-keys", "-l", "db01"])?;
        self.press(&["Enter", "a"])?;
        self.expect(report, "shows the question", |screen| {
            screen.contains("Question of 'db01'") && screen.contains("1. ")
        });
        self.press(&["1", "Enter"])?;
        self.expect(report, "answers it", |screen| {
            has_row(screen, "db01", "running")
                && !screen.lines().any(|line| line.starts_with("? db01"))
                && screen.contains("answering the question of 'db01': done")
        });
        self.press(&["Escape"])?;
        self.expect(report, "clears the second message", |screen| {
            !screen.contains("answering the question")
        });
        self.press(&["Escape"])?;

        self.tmux(&["resize-window", "-x", "44", "-y", "9"])?;
        self.expect(report, "fits a narrow terminal", |screen| {
            screen.contains("CPU%") && !screen.contains("Rd/s") && screen.contains("?:help")
        });
        self.tmux(&["resize-window", "-x", "100", "-y", "16"])?;
        self.expect(report, "fits a wide terminal again", |screen| {
            screen.contains("Rd/s") && screen.contains("q:quit")
        });

        self.press(&["q"])?;
        self.is_restored(report, "q")?;
        self.watch(&simulator.uri, "NO_COLOR=1")?;
        self.expect(report, "starts again", |screen| screen.contains("q:quit"));
        let colours = self.tmux(&["capture-pane", "-p", "-e"])?;
        let found = !colours.contains("38;5;2m");
        report.check(SECTION, "NO_COLOR", found, &colours);
        self.press(&["C-c"])?;
        self.is_restored(report, "Ctrl-C")?;
        for signal in ["TERM", "INT"] {
            self.watch(&simulator.uri, "")?;
            self.expect(report, "starts again", |screen| screen.contains("q:quit"));
            let pid = fs::read_to_string(&self.pid_file).map_err(|error| error.to_string())?;
            step(Command::new("kill").args(["-s", signal, pid.trim()]))?;
            self.is_restored(report, signal)?;
        }

        let (program, uri) = (&self.virt_esx, &simulator.uri);
        self.type_line(&format!("{program} -q -c '{uri}'"))?;
        self.expect(report, "a shell", |screen| screen.contains("virt-esx #"));
        self.type_line("watch")?;
        self.expect(report, "in the shell", |screen| screen.contains("q:quit"));
        self.press(&["q"])?;
        self.type_line("domname 1")?;
        self.expect(report, "the shell goes on", |screen| {
            screen.lines().any(|line| line == "web01" || line == "db01")
        });
        self.type_line("quit")?;
        self.is_restored(report, "the shell")
    }

    /// The server goes away while the table is shown, and comes back.
    fn lose_the_server(
        &self,
        tools: &Tools,
        report: &mut Report,
        simulator: Simulator,
        port: &str,
    ) -> Result<(), String> {
        self.watch(&simulator.uri, "")?;
        self.expect(report, "starts again", |screen| screen.contains("q:quit"));
        drop(simulator);
        self.expect(report, "says that the server is lost", |screen| {
            screen.contains("connection lost ") && has_row(screen, "web01", "")
        });
        let listen = format!("127.0.0.1:{port}");
        let _simulator = tools.start_esx_sim_at(&["--esx"], &listen)?;
        self.expect(report, "finds the server again", |screen| {
            !screen.contains("connection lost ") && has_row(screen, "web01", "running")
        });
        self.press(&["q"])?;
        self.is_restored(report, "q after a lost connection")
    }

    /// Checks that the shell has its terminal again: what it showed, the prompt, and its modes.
    fn is_restored(&self, report: &mut Report, after: &str) -> Result<(), String> {
        self.expect(report, &format!("the prompt after {after}"), |screen| {
            let last = screen.trim_end().lines().last();
            last.is_some_and(|line| line.starts_with(PROMPT)) && !screen.contains("q:quit")
        });
        self.type_line("clear; stty -a | tr ' ;' '\\n\\n' | grep -c -x -e icanon -e echo")?;
        self.expect(report, &format!("the modes after {after}"), |screen| {
            screen.lines().any(|line| line == "2")
        });
        let cursor = self.tmux(&["display-message", "-p", "#{cursor_flag}"])?;
        let name = format!("the cursor after {after}");
        report.check(SECTION, &name, cursor.trim() == "1", &cursor);
        Ok(())
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.tmux(&["kill-server"]);
    }
}

/// Whether the screen has a row of that domain in that state.
fn has_row(screen: &str, name: &str, state: &str) -> bool {
    screen
        .lines()
        .any(|line| line.get(2..).is_some_and(|row| row.starts_with(name)) && line.contains(state))
}
