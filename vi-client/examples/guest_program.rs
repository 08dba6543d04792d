//! Runs a program in a virtual machine's guest and waits for its end.
//!
//! ```console
//! $ VI_PASSWORD=… GUEST_PASSWORD=… cargo run -p vi-client --features guest --example guest_program -- \
//!       root 127.0.0.1 8443 SHA256-THUMBPRINT vm-16 GUEST-USER /bin/ls -l
//! ```
//!
//! The virtual machine is named by its reference's value, as in `VirtualMachine:vm-16`; VMware Tools must run in it.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

mod common;

use std::error::Error;
use std::time::Duration;

use vi_client::property_set;
use vi_types::ManagedObjectReference;
use vi_types::methods::{ListProcessesInGuest, StartProgramInGuest};
use vi_types::objects::{GuestAuthentication, GuestProgramSpec, NamePasswordAuthentication};

property_set! {
    struct Operations: GuestOperationsManager {
        processes: Option<ManagedObjectReference> = process_manager,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, arguments) = common::connect("VM GUEST-USER PROGRAM [ARGUMENT...]").await?;
    let [vm, user, program, rest @ ..] = &arguments[..] else {
        return Err("which virtual machine, as whom, which program?".into());
    };
    let vm = ManagedObjectReference::new("VirtualMachine", vm);
    let operations = client
        .service_content()
        .guest_operations_manager
        .clone()
        .ok_or("the server runs nothing in guests")?;
    let operations: Operations = client.read(&operations).await?;
    let manager = operations
        .processes
        .ok_or("the server runs no programs in guests")?;
    let auth = NamePasswordAuthentication {
        base: GuestAuthentication {
            interactive_session: false,
            ..Default::default()
        },
        username: user.clone(),
        password: std::env::var("GUEST_PASSWORD")?,
        ..Default::default()
    };
    let request = StartProgramInGuest {
        this: manager.clone(),
        vm: vm.clone(),
        auth: auth.clone().into(),
        spec: GuestProgramSpec {
            program_path: program.clone(),
            arguments: rest.join(" "),
            ..GuestProgramSpec::default()
        }
        .into(),
        ..Default::default()
    };
    let pid = client.call(&request).await?;
    println!("process {pid}");
    let request = ListProcessesInGuest {
        this: manager,
        vm,
        auth: auth.into(),
        pids: vec![pid],
        ..Default::default()
    };
    loop {
        let processes = client.call(&request).await?;
        let Some(process) = processes.into_iter().find(|process| process.pid == pid) else {
            return Err("the guest has forgotten the process".into());
        };
        if let Some(end) = process.end_time {
            println!(
                "ended at {end} with {}",
                process.exit_code.unwrap_or_default()
            );
            break;
        }
        // The API has no way to be told; VMware Tools look once a second.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    client.close().await?;
    Ok(())
}
