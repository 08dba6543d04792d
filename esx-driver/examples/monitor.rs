//! Prints what a monitor knows of a server, and what it costs, at every poll:
//!
//!     cargo run --example monitor -- 'esx://root@esx1.example.com/?no_verify=1' [SNAPSHOTS [SECONDS]]
//!
//! So many snapshots, one in so many seconds or when something changes. The password is that of auth.conf.

#![allow(clippy::print_stdout, reason = "this is what the example is for")]

use std::error::Error;
use std::time::Duration;

use esx_driver::auth::NoPrompts;
use esx_driver::{Connect, EsxUri, Monitor, MonitorConnection, MonitorOptions};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let uri: EsxUri = arguments.next().ok_or("which server?")?.parse()?;
    let count: u32 = arguments
        .next()
        .map_or(Ok(u32::MAX), |count| count.parse())?;
    let mut options = MonitorOptions::default();
    if let Some(seconds) = arguments.next() {
        options.interval = Duration::from_secs(seconds.parse()?);
    }
    let connect = Connect::open(&uri, &NoPrompts).await?;
    let monitor = Monitor::start(&connect, options).await?;
    let mut snapshot = monitor.snapshot();
    for _ in 0..count {
        println!(
            "{} domains, {} hosts, {} datastores, {} pools; {} samples, {} requests, {} bytes in {:?}",
            snapshot.domains.len(),
            snapshot.hosts.len(),
            snapshot.datastores.len(),
            snapshot.resource_pools.len(),
            snapshot.poll.samples,
            snapshot.poll.requests,
            snapshot.poll.bytes,
            snapshot.poll.duration,
        );
        if let MonitorConnection::Lost { error, .. } = &snapshot.connection {
            println!("lost: {error}");
        }
        if let Some(problem) = &snapshot.poll.problem {
            println!("no counters: {problem}");
        }
        for domain in &snapshot.domains {
            println!(
                "{}: {}, cpu {:?} {:?} ns, read {:?} B/s, received {:?} B/s",
                domain.name,
                domain.state,
                domain.cpu_ratio(),
                domain.cpu_time_ns,
                domain.read_bytes_rate(),
                domain.rx_bytes_rate(),
            );
        }
        match monitor.changed(snapshot.number).await {
            Some(next) => snapshot = next,
            None => break,
        }
    }
    monitor.close().await;
    connect.close().await?;
    Ok(())
}
