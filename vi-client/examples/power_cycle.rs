//! Stops a virtual machine, starts it again, and shows how far each task is.
//!
//! ```console
//! $ VI_PASSWORD=… cargo run -p vi-client --example power_cycle -- root 127.0.0.1 8443 SHA256-THUMBPRINT web01
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

mod common;

use std::error::Error;

use vi_client::retrieve::{Retrieve, Selection};
use vi_client::{Client, Watch, property_set};
use vi_types::ManagedObjectReference;
use vi_types::enums::{TaskInfoState, VirtualMachinePowerState};
use vi_types::methods::{PowerOffVmTask, PowerOnVmTask};
use vi_types::objects::{ObjectSpec, PropertyFilterSpec, PropertySpec, TaskInfo};

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
        let task = client
            .call(&PowerOffVmTask {
                this: vm.clone(),
                ..Default::default()
            })
            .await?;
        follow(&client, &task).await?;
    }
    let request = PowerOnVmTask {
        this: vm,
        ..PowerOnVmTask::default()
    };
    let task = client.call(&request).await?;
    follow(&client, &task).await?;
    client.close().await?;
    Ok(())
}

/// Waits for a task and shows its progress; fails if the task does.
async fn follow(client: &Client, task: &ManagedObjectReference) -> Result<(), Box<dyn Error>> {
    let spec = PropertyFilterSpec {
        prop_set: vec![PropertySpec {
            r#type: "Task".to_owned(),
            path_set: vec!["info".to_owned()],
            ..PropertySpec::default()
        }],
        object_set: vec![ObjectSpec {
            obj: task.clone(),
            ..ObjectSpec::default()
        }],
        ..PropertyFilterSpec::default()
    };
    let mut watch = client.watch(spec).await?;
    let end = wait(&mut watch).await?;
    watch.close().await;
    match end.error {
        Some(error) if end.state == TaskInfoState::Error => {
            let text = error.localized_message.unwrap_or_default();
            Err(format!(
                "{}: {} - {text}",
                end.description_id,
                error.fault.type_name()
            )
            .into())
        }
        _ => Ok(()),
    }
}

/// Waits until the task is over.
async fn wait(watch: &mut Watch) -> Result<TaskInfo, Box<dyn Error>> {
    loop {
        let objects = watch.next().await?.into_iter();
        for change in objects.flat_map(|object| object.change_set) {
            let info: TaskInfo = change.val.unwrap_or_default().cast()?;
            let percent = info.progress.unwrap_or_default();
            match info.state {
                TaskInfoState::Queued => println!("{}: queued", info.description_id),
                TaskInfoState::Running => println!("{}: {percent} %", info.description_id),
                _ => {
                    println!("{}: {}", info.description_id, info.state);
                    return Ok(info);
                }
            }
        }
    }
}
