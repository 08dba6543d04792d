//! Tells each change of a virtual machine's power state, until it is interrupted.
//!
//! ```console
//! $ VI_PASSWORD=… cargo run -p vi-client --example watch_power -- root 127.0.0.1 8443 SHA256-THUMBPRINT [CHANGES]
//! ```
//!
//! With a number, it ends after so many changes.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

mod common;

use std::collections::HashMap;
use std::error::Error;

use vi_types::enums::VirtualMachinePowerState;
use vi_types::objects::{
    ObjectSpec, PropertyFilterSpec, PropertySpec, SelectionSpec, TraversalSpec,
};
use vi_types::{ManagedObjectReference, Poly};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, arguments) = common::connect("[CHANGES]").await?;
    let mut left: Option<usize> = arguments.first().map(|count| count.parse()).transpose()?;
    let root = client.service_content().root_folder.clone();
    let view = client
        .container_view(&root, ["VirtualMachine"], true)
        .await?;
    let mut watch = client.watch(power_states(view.reference())).await?;

    let mut known: HashMap<ManagedObjectReference, (String, VirtualMachinePowerState)> =
        HashMap::new();
    let mut is_first = true;
    while left != Some(0) {
        let objects = watch.next().await?;
        for object in objects {
            let (name, state) = known
                .entry(object.obj.clone())
                .or_insert_with(|| (object.obj.to_string(), VirtualMachinePowerState::default()));
            for change in object.change_set {
                let Some(value) = change.val else {
                    continue;
                };
                match change.name.as_str() {
                    "name" => *name = value.cast()?,
                    "runtime.powerState" => {
                        let new: VirtualMachinePowerState = value.cast()?;
                        if !is_first {
                            println!("{name}: {state} -> {new}");
                            left = left.map(|left| left.saturating_sub(1));
                        }
                        *state = new;
                    }
                    _ => {}
                }
            }
        }
        if is_first {
            println!("watching {} virtual machines", known.len());
            is_first = false;
        }
    }
    watch.close().await;
    view.close().await?;
    client.close().await?;
    Ok(())
}

/// Names and power states of the machines in a view.
fn power_states(view: &ManagedObjectReference) -> PropertyFilterSpec {
    PropertyFilterSpec {
        prop_set: vec![PropertySpec {
            r#type: "VirtualMachine".to_owned(),
            path_set: vec!["name".to_owned(), "runtime.powerState".to_owned()],
            ..PropertySpec::default()
        }],
        object_set: vec![ObjectSpec {
            obj: view.clone(),
            skip: Some(true),
            select_set: vec![Poly::<SelectionSpec>::new(TraversalSpec {
                r#type: "ContainerView".to_owned(),
                path: "view".to_owned(),
                skip: Some(false),
                ..TraversalSpec::default()
            })],
            ..Default::default()
        }],
        ..PropertyFilterSpec::default()
    }
}
