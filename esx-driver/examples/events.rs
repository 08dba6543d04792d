//! Prints what happens to the domains of a host, until it is interrupted.
//!
//! ```console
//! $ cargo run -p esx-driver --example events -- 'esx://root@esx1.example.com/?no_verify=1'
//! ```
//!
//! The password is in `auth.conf`.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use std::error::Error;

use esx_driver::{Connect, EsxUri, auth::NoPrompts, virt_model::event::DomainEventId};
use futures_util::StreamExt as _;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let uri: EsxUri = std::env::args().nth(1).ok_or("usage: URI")?.parse()?;
    let connect = Connect::open(&uri, &NoPrompts).await?;
    let mut events = connect
        .domain_events()
        .stream(None, DomainEventId::ALL.iter().copied())
        .await?;
    loop {
        tokio::select! {
            event = events.next() => match event {
                Some(event) => {
                    let event = event?;
                    println!("{}: {:?}", event.domain.name(), event.detail);
                }
                None => break,
            },
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                break;
            }
        }
    }
    drop(events);
    connect.close().await?;
    Ok(())
}
