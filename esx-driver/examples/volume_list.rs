//! Measures the list of a datastore with many files. The simulated host is a process of its own.
//!
//! ```console
//! $ cargo run --release -p esx-driver --example volume_list -- --files 100000 --folders 1000
//! ```
//!
//! It prints time, requests and the memory of the client: first for the stream of volumes, which searches the folders one
//! by one, then for the list, which the server answers at once.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

mod measured;

use std::error::Error;
use std::time::Instant;
use std::{env, io};

use esx_driver::auth::{AuthFileSearch, NoPrompts};
use esx_driver::{EsxUri, OpenOptions};
use esx_sim::Simulator;
use futures_util::StreamExt as _;

use measured::{Process, memory_mb, number};

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

async fn measure(files: u64, folders: u64) -> Result<()> {
    let (count, places) = (files.to_string(), folders.to_string());
    let arguments = ["serve", "--files", &count, "--folders", &places];
    let mut server = Process::start(&arguments)?;
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

    let (begun, before) = (Instant::now(), requests(&mut server)?);
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
        requests(&mut server)? - before,
        memory_mb("VmHWM"),
    );

    let (begun, before) = (Instant::now(), requests(&mut server)?);
    let listed = pool.list_all_volumes().await?;
    println!(
        "list: {} volumes in {:.1} s; {} requests; at most {} MB",
        listed.len(),
        begun.elapsed().as_secs_f64(),
        requests(&mut server)? - before,
        memory_mb("VmHWM"),
    );
    if found != listed.len() {
        return Err(format!("the stream has {found} volumes, the list {}", listed.len()).into());
    }
    Ok(connect.close().await?)
}

/// How many requests the server had.
fn requests(server: &mut Process) -> Result<usize> {
    Ok(server.ask("")?.parse()?)
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
