//! Stops a virtual machine, starts it again, and shows how far each task is.
//!
//! ```console
//! $ VI_PASSWORD=… cargo run -p vi-client --example power_cycle -- root 127.0.0.1 8443 SHA256-THUMBPRINT web01
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

mod common;

use std::error::Error;

use vi_client::retrieve::{Retrieve, Selection};
use vi_client::{Client, property_set};
use vi_types::enums::VirtualMachinePowerState;
use vi_types::methods::{PowerOffVmTask, PowerOnVmTask};
use vi_types::{ManagedObjectReference, TaskMethod};

property_set! {
    struct Machine: VirtualMachine {
        name: String = "name",
        state: VirtualMachinePowerState = "runtime.powerState",
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, arguments) = common::connect("NAME").await?;
    let name = arguments.first().ok_or("which virtual machine?")?;
    let request =
        Retrieve::from(&client.service_content().root_folder).select_all(Selection::inventory());
    let mut found = client
        .retrieve_set::<Machine>(request)
        .await?
        .into_iter()
        .filter_map(|found| Some((found.object, found.properties.ok()?)));
    let (vm, machine) = found
        .find(|(_, machine)| machine.name == *name)
        .ok_or_else(|| format!("there is no virtual machine '{name}'"))?;
    if machine.state == VirtualMachinePowerState::PoweredOn {
        run(
            &client,
            &vm,
            &PowerOffVmTask {
                this: vm.clone(),
                ..PowerOffVmTask::default()
            },
        )
        .await?;
    }
    let request = PowerOnVmTask {
        this: vm.clone(),
        ..PowerOnVmTask::default()
    };
    run(&client, &vm, &request).await?;
    client.close().await?;
    Ok(())
}

/// Starts a task of a virtual machine and shows its progress until it is over; fails if the task does, or if it waits for
/// an answer.
async fn run<M>(
    client: &Client,
    vm: &ManagedObjectReference,
    request: &M,
) -> Result<(), vi_client::Error>
where
    M: TaskMethod<Output = ManagedObjectReference, Result = ()>,
{
    client
        .run(request)
        .questions_of(vm)
        .on_progress(|info| match info.progress {
            Some(percent) => println!("{}: {percent} %", M::name()),
            None => println!("{}: {}", M::name(), info.state),
        })
        .await?;
    println!("{}: done", M::name());
    Ok(())
}
