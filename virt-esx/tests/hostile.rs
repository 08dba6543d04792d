//! `virt-esx` against servers that are broken or hostile: how long it takes, how much memory, and how it ends. The table
//! is in `docs/reliability.md`; `UPDATE_RELIABILITY=1 cargo test -p virt-esx --test hostile` writes it.
//!
//! A server relays to a simulated host, but for one request, which a [`Case`](cases::Case) answers. Cases are in
//! `hostile/cases.rs`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "hostile/cases.rs"]
mod cases;
#[path = "hostile/server.rs"]
mod server;

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use cases::{CASES, Case};
use esx_sim::Simulator;
use server::Server;

const PASSWORD: &str = "secret";

/// What a command came to.
struct Ended {
    code: Option<i32>,
    stderr: String,
    took: Duration,
    /// The most memory that was resident, in MB.
    peak: u64,
}

/// The most memory that a process had so far.
fn peak(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kb: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kb / 1024)
}

fn run(port: u16, command: &[&str]) -> Ended {
    let uri = format!("esx://root@127.0.0.1:{port}/?transport=http");
    let begin = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_virt-esx"))
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("VIRT_ESX_PASSWORD", PASSWORD)
        .args(["-c", &uri])
        .args(command)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let reading = thread::spawn(move || {
        let mut text = Vec::new();
        stderr.read_to_end(&mut text).unwrap();
        String::from_utf8_lossy(&text).into_owned()
    });
    // The kernel keeps the highest value, so that only what comes after the last look is missed.
    let mut most = 0;
    let status = loop {
        most = peak(child.id()).unwrap_or(0).max(most);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        thread::sleep(Duration::from_millis(2));
    };
    Ended {
        code: status.code(),
        stderr: reading.join().unwrap(),
        took: begin.elapsed(),
        peak: most,
    }
}

/// What is wrong with how a case ended.
fn wrong(case: &Case, ended: &Ended) -> Option<String> {
    let mut wrong = Vec::new();
    if ended.code != Some(case.code) {
        wrong.push(format!("it ends with {:?}", ended.code));
    }
    if !ended.stderr.contains(case.says) || ended.stderr.contains("panicked") {
        wrong.push("it says something else".to_owned());
    }
    let lines = ended.stderr.lines().count();
    if lines > 100 {
        wrong.push(format!("it says {lines} lines"));
    }
    if ended.took > Duration::from_secs(case.seconds) {
        wrong.push(format!("it takes {:?}", ended.took));
    }
    if ended.peak > case.megabytes {
        wrong.push(format!("it takes {} MB", ended.peak));
    }
    let begin: String = ended.stderr.chars().take(600).collect();
    (!wrong.is_empty()).then(|| format!("{}: {}\n{begin}", case.what, wrong.join(", ")))
}

#[test]
fn hostile_servers_cost_little() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let only = std::env::var("HOSTILE").unwrap_or_default();
    let waiting = Mutex::new(CASES.iter().filter(|case| case.what.contains(&only)));
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(case) = waiting.lock().unwrap().next() else {
                        break;
                    };
                    // Tasks that are not over are in the way of others.
                    let simulator = Simulator::esx()
                        .vms(3)
                        .credentials("root", PASSWORD)
                        .build();
                    simulator.stop_tasks();
                    let behind = runtime.block_on(simulator.listen("127.0.0.1:0", false));
                    let behind = behind.unwrap();
                    let server = Server::start(behind.addr(), case);
                    let ended = run(server.port(), case.command());
                    if std::env::var_os("HOSTILE").is_some() {
                        let said: String = ended.stderr.chars().take(200).collect();
                        eprintln!("{} MB {:?} {}: {said}", ended.peak, ended.took, case.what);
                    }
                    failures.lock().unwrap().extend(wrong(case, &ended));
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

const BEGIN: &str = "<!-- hostile answers: begin -->\n";
const END: &str = "<!-- hostile answers: end -->\n";

fn table() -> String {
    let mut table = String::from(
        "| answer | to | time | memory | exit code | outcome |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for case in CASES {
        let outcome = match case.says {
            "" => "nothing is said".to_owned(),
            says => format!("“{}”", says.replace('<', "&lt;")),
        };
        table.push_str(&format!(
            "| {} | {} | < {} s | < {} MB | {} | {outcome} |\n",
            case.what,
            case.at.name(),
            case.seconds,
            case.megabytes,
            case.code
        ));
    }
    table
}

#[test]
fn the_page_has_every_case() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reliability.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, behind) = rest.split_once(END).unwrap();
    let made = format!("{before}{BEGIN}\n{}\n{END}{behind}", table());
    if std::env::var_os("UPDATE_RELIABILITY").is_some() {
        std::fs::write(&path, made).unwrap();
    } else {
        assert!(
            made == page,
            "docs/reliability.md is out of date: UPDATE_RELIABILITY=1 cargo test -p virt-esx --test hostile"
        );
    }
}
