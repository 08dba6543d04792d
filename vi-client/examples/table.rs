//! Every virtual machine of a host or vCenter as a row of a table, read in one request a page.
//!
//! ```console
//! $ VI_PASSWORD=… cargo run -p vi-client --example table -- root 127.0.0.1 8443 SHA256-THUMBPRINT
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

mod common;

use std::error::Error;

use vi_client::property_set;
use vi_client::retrieve::{Retrieve, Selection};
use vi_types::enums::VirtualMachinePowerState;

property_set! {
    struct Row: VirtualMachine {
        name: String = "name",
        state: VirtualMachinePowerState = "runtime.powerState",
        cpus: Option<i32> = "config.hardware.numCPU",
        memory: Option<i32> = "config.hardware.memoryMB",
        guest: Option<String> = "config.guestFullName",
        address: Option<String> = "guest.ipAddress",
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _) = common::connect("").await?;
    let request =
        Retrieve::from(&client.service_content().root_folder).select_all(Selection::inventory());
    println!(
        "{:24} {:10} {:>4} {:>9}  {:15}  GUEST",
        "NAME", "STATE", "CPUS", "MEMORY", "ADDRESS"
    );
    for found in client.retrieve_set::<Row>(request).await? {
        match found.properties {
            Ok(row) => println!(
                "{:24} {:10} {:>4} {:>5} MiB  {:15}  {}",
                row.name,
                row.state,
                row.cpus.unwrap_or_default(),
                row.memory.unwrap_or_default(),
                row.address.as_deref().unwrap_or("-"),
                row.guest.as_deref().unwrap_or("-"),
            ),
            // One machine that can't be read is no reason to hide the others.
            Err(error) => println!("{}: {error}", found.object),
        }
    }
    client.close().await?;
    Ok(())
}
