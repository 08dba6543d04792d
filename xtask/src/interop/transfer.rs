use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use super::peers::{Simulator, Tools};
use super::process;
use super::report::Report;

const SECTION: &str = "transfer";
/// The most memory that the client may need, in KiB.
const MEMORY: u64 = 64 << 10;
/// The bytes a second of each connection of the slow server.
const SLOW: &str = "50M";

/// A file goes to esx-sim and comes back over TLS: by the example `transfer` of esx-driver, and by curl.
///
/// Prints the rates, by turns, and the memory; with a server that gives 50 MB/s a connection also those of several
/// connections. The environment's `TRANSFER_MIB` is the size of the file (default: 256), `TRANSFER_ROUNDS` how often it moves
/// (default: 3), and `TRANSFER_PROGRAMS` a folder with other builds of `esx-sim` and `examples/transfer`, such as
/// target/release: only those can be compared with curl.
pub(crate) fn run(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let number = |name: &str, default: u64| match std::env::var(name) {
        Ok(value) => value
            .parse()
            .map_err(|_| format!("{name} is no number: {value}")),
        Err(_) => Ok(default),
    };
    let (mib, rounds) = (number("TRANSFER_MIB", 256)?, number("TRANSFER_ROUNDS", 3)?);
    let release = std::env::var("TRANSFER_PROGRAMS").ok();
    let (esx_sim, transfer) = match &release {
        Some(folder) => {
            let folder = Path::new(folder);
            (folder.join("esx-sim"), folder.join("examples/transfer"))
        }
        None => (tools.esx_sim.clone(), tools.transfer.clone()),
    };
    let mover = Mover {
        tools,
        transfer: &transfer,
        file: tools.scratch.join("transfer.img").display().to_string(),
    };
    write_random(Path::new(&mover.file), mib).map_err(|error| error.to_string())?;

    let store = tools.scratch.join("transfer-store");
    std::fs::create_dir_all(&store).map_err(|error| error.to_string())?;
    let store = store.display().to_string();
    let fast = tools.start_program(&esx_sim, &["--store", &store])?;
    let both = [(Direction::Up, "up"), (Direction::Down, "down")];
    for (direction, name) in both {
        let (mut ours, mut curls) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let moved = mover.ours(&fast, direction, "/dev/null", &[])?;
            report.check(
                SECTION,
                "memory",
                moved.memory < MEMORY,
                &format!("{} KiB", moved.memory),
            );
            ours.push(moved);
            curls.push(mover.curl(&fast, direction, "/dev/null")?);
        }
        let memory = ours
            .iter()
            .map(|moved| moved.memory)
            .max()
            .unwrap_or_default();
        let ours = median(ours.iter().map(|moved| moved.rate).collect());
        let curl = median(curls);
        let ratio = ours / curl;
        let text = format!(
            "{name}: {ours:.0} MB/s, curl {curl:.0} MB/s, ratio {ratio:.2}, {mib} MiB, peak {memory} KiB"
        );
        report.note(SECTION, &text);
        if release.is_some() {
            report.check(SECTION, "as fast as curl", ratio > 0.8, &text);
        }
    }
    same_content(&mover, &fast, report)?;
    drop(fast);

    let slow = tools.start_program(&esx_sim, &["--store", &store, "--file-rate", SLOW])?;
    mover.ours(&slow, Direction::Up, "", &[])?;
    let one = mover.ours(&slow, Direction::Down, "/dev/null", &["--connections", "1"])?;
    let four = mover.ours(&slow, Direction::Down, "/dev/null", &["--connections", "4"])?;
    let text = format!(
        "down at {SLOW} a connection: {:.0} MB/s on one, {:.0} MB/s on four, peak {} KiB",
        one.rate, four.rate, four.memory
    );
    report.note(SECTION, &text);
    report.check(
        SECTION,
        "four connections",
        four.rate > 1.5 * one.rate,
        &text,
    );
    report.check(SECTION, "memory", four.memory < MEMORY, &text);
    Ok(())
}

/// What goes up with one program comes down with the other as it was.
fn same_content(mover: &Mover<'_>, server: &Simulator, report: &mut Report) -> Result<(), String> {
    let copy = mover
        .tools
        .scratch
        .join("transfer-copy.img")
        .display()
        .to_string();
    mover.ours(server, Direction::Up, "", &[])?;
    mover.curl(server, Direction::Down, &copy)?;
    report.check(
        SECTION,
        "ours up, curl's down",
        mover.is_same(&copy)?,
        "the files differ",
    );
    mover.curl(server, Direction::Up, "")?;
    for connections in ["1", "4"] {
        mover.ours(
            server,
            Direction::Down,
            &copy,
            &["--connections", connections],
        )?;
        report.check(
            SECTION,
            "curl's up, ours down",
            mover.is_same(&copy)?,
            "the files differ",
        );
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

struct Mover<'a> {
    tools: &'a Tools,
    transfer: &'a Path,
    /// What goes up.
    file: String,
}

struct Moved {
    /// MB/s.
    rate: f64,
    /// KiB.
    memory: u64,
}

impl Mover<'_> {
    /// Moves the file with the example; `to` is where it comes down.
    fn ours(
        &self,
        server: &Simulator,
        direction: Direction,
        to: &str,
        options: &[&str],
    ) -> Result<Moved, String> {
        let auth = self.tools.auth_file("transfer.conf", "root", "password")?;
        let mut command = self.tools.client(self.transfer, &auth);
        let (action, local) = match direction {
            Direction::Up => ("upload", self.file.as_str()),
            Direction::Down => ("download", to),
        };
        command.args([&server.uri, action, "[datastore1] db01/transfer.img", local]);
        let run = process::run(command.args(options), "")?;
        let words: Vec<_> = run.stdout.split_whitespace().collect();
        let before = |unit: &str| {
            let at = words.iter().position(|word| *word == unit)?;
            words.get(at.checked_sub(1)?)?.parse::<f64>().ok()
        };
        match (run.succeeded(), before("MB/s"), before("kB")) {
            (true, Some(rate), Some(memory)) => Ok(Moved {
                rate,
                memory: memory as u64,
            }),
            _ => Err(format!("transfer failed: {run}")),
        }
    }

    /// Moves the file with curl; gives the rate in MB/s.
    fn curl(&self, server: &Simulator, direction: Direction, to: &str) -> Result<f64, String> {
        let url = format!(
            "https://127.0.0.1:{}/folder/db01/transfer.img?dcPath=ha-datacenter&dsName=datastore1",
            server.port()
        );
        let mut command = Command::new("curl");
        command.args([
            "--silent",
            "--show-error",
            "--fail",
            "--insecure",
            "--user",
            "root:password",
        ]);
        match direction {
            Direction::Up => command.args(["--upload-file", &self.file, "--output", "/dev/null"]),
            Direction::Down => command.args(["--output", to]),
        };
        let begun = Instant::now();
        let run = process::run(command.arg(&url), "")?;
        if !run.succeeded() {
            return Err(format!("curl failed: {run}"));
        }
        let length = std::fs::metadata(&self.file)
            .map_err(|error| error.to_string())?
            .len();
        Ok(length as f64 / 1e6 / begun.elapsed().as_secs_f64())
    }

    fn is_same(&self, copy: &str) -> Result<bool, String> {
        Ok(process::run(Command::new("cmp").args([&self.file, copy]), "")?.succeeded())
    }
}

/// Bytes that are nowhere the same.
fn write_random(path: &Path, mib: u64) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut block = vec![0; 1 << 20];
    for _ in 0..mib {
        for word in block.chunks_exact_mut(8) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            word.copy_from_slice(&state.to_le_bytes());
        }
        file.write_all(&block)?;
    }
    Ok(())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().unwrap_or_default()
}
