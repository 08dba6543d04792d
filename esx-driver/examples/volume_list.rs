//! Measures the list of a datastore with many files. The simulated host is a process of its own.
//!
//! ```console
//! $ cargo run --release -p esx-driver --example volume_list -- --files 100000 --folders 1000
//! ```
//!
//! It prints time, requests and the memory of the client: first for the stream of volumes, which searches the folders one
//! by one, then for the list, which the server answers at once.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::Instant;
use std::{env, fs};

use esx_driver::auth::{AuthFileSearch, NoPrompts};
use esx_driver::{EsxUri, OpenOptions};
use esx_sim::Simulator;
use futures_util::StreamExt as _;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let files = number(&arguments, "--files", 100_000);
    let folders = number(&arguments, "--folders", 1000).max(1);
    match arguments.first().map(String::as_str) {
        Some("serve") => serve(files, folders).await,
        _ => measure(files, folders).await,
    }
}

fn number(arguments: &[String], name: &str, default: u64) -> u64 {
    let mut after = arguments.iter().skip_while(|one| *one != name).skip(1);
    let given = after.next().and_then(|value| value.parse().ok());
    given.unwrap_or(default)
}

async fn measure(files: u64, folders: u64) -> Result<()> {
    let mut server = Server::start(files, folders)?;
    let uri: EsxUri = format!("esx://{}/?no_verify=1", server.line()?).parse()?;
    let connect = OpenOptions::new(&NoPrompts)
        .auth_files(AuthFileSearch::default())
        .password("password".to_owned().into())
        .open(&uri)
        .await?;
    let pool = connect.storage_pool_lookup_by_name("datastore1").await?;
    println!(
        "{files} files in {folders} folders; the client has {} MB",
        memory_mb("VmRSS")
    );

    let (begun, before) = (Instant::now(), server.requests()?);
    let (mut volumes, mut found, mut first) = (pool.volumes(), 0, None);
    while let Some(entry) = volumes.next().await {
        entry?;
        found += 1;
        first.get_or_insert_with(|| begun.elapsed());
    }
    println!(
        "stream: {found} volumes in {:.1} s, the first after {:.3} s; {} requests; at most {} MB",
        begun.elapsed().as_secs_f64(),
        first.unwrap_or_default().as_secs_f64(),
        server.requests()? - before,
        memory_mb("VmHWM"),
    );

    let (begun, before) = (Instant::now(), server.requests()?);
    let listed = pool.list_all_volumes().await?;
    println!(
        "list: {} volumes in {:.1} s; {} requests; at most {} MB",
        listed.len(),
        begun.elapsed().as_secs_f64(),
        server.requests()? - before,
        memory_mb("VmHWM"),
    );
    if found != listed.len() {
        return Err(format!("the stream has {found} volumes, the list {}", listed.len()).into());
    }
    Ok(connect.close().await?)
}

/// A line of this process' memory, in MB.
fn memory_mb(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kb = line.and_then(|line| line.split_whitespace().nth(1));
    kb.and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// The process with the simulated host.
struct Server {
    child: Child,
    lines: io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Server {
    fn start(files: u64, folders: u64) -> Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .args(["serve", "--files", &files.to_string()])
            .args(["--folders", &folders.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let lines = BufReader::new(stdout).lines();
        Ok(Self { child, lines })
    }

    fn line(&mut self) -> Result<String> {
        Ok(self.lines.next().ok_or("the server ended")??)
    }

    /// How many requests there were.
    fn requests(&mut self) -> Result<usize> {
        let input = self.child.stdin.as_mut().ok_or("no input")?;
        writeln!(input)?;
        input.flush()?;
        Ok(self.line()?.parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Without its input it ends by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn serve(files: u64, folders: u64) -> Result<()> {
    let simulator = Simulator::esx().build();
    for file in 0..files {
        let path = format!("[datastore1] images/{:05}/{file:07}.iso", file % folders);
        simulator.write_file(&path, "");
    }
    let server = simulator.listen("127.0.0.1:0", true).await?;
    println!("{}@{}", simulator.user(), server.addr());
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in io::stdin().lines().map_while(std::result::Result::ok) {
            let _ = sender.send(line);
        }
    });
    while lines.recv().await.is_some() {
        println!("{}", simulator.requests().len());
    }
    Ok(())
}
