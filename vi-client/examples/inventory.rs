//! Reads the whole configuration and state of every virtual machine of a host or vCenter, in one request a page.
//! benches/peers/run measures it beside other libraries.
//!
//! ```console
//! $ VI_PASSWORD=… cargo run -p vi-client --example inventory -- root 127.0.0.1 8443 SHA256-THUMBPRINT
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

mod common;

use std::error::Error;

use vi_client::property_set;
use vi_client::retrieve::{PropertySet as _, Retrieve, Selection};
use vi_types::enums::VirtualMachinePowerState;
use vi_types::objects::{
    GuestInfo, VirtualDisk, VirtualMachineConfigInfo, VirtualMachineRuntimeInfo,
};

property_set! {
    struct Everything: VirtualMachine {
        config: Option<VirtualMachineConfigInfo> = config,
        runtime: VirtualMachineRuntimeInfo = runtime,
        guest: Option<GuestInfo> = guest,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _) = common::connect("").await?;
    let request =
        Retrieve::from(&client.service_content().root_folder).select_all(Selection::inventory());
    let (mut machines, mut running, mut addresses) = (0, 0, 0);
    let (mut processors, mut disks, mut kilobytes) = (0, 0, 0);
    let mut objects = client.objects(request.set::<Everything>());
    // Each is forgotten when it was counted, so that a large inventory needs no more memory than a small one.
    while let Some(mut found) = objects.next().await? {
        let machine = match Everything::from_properties(&mut found) {
            Ok(machine) => machine,
            Err(error) => {
                println!("{error}");
                continue;
            }
        };
        machines += 1;
        running += i32::from(machine.runtime.power_state == VirtualMachinePowerState::PoweredOn);
        addresses += machine.guest.iter().flat_map(|guest| &guest.net).count();
        let hardware = machine.config.as_ref().map(|config| &config.hardware);
        processors += hardware.map_or(0, |hardware| hardware.num_cpu);
        let devices = hardware.iter().flat_map(|hardware| &hardware.device);
        for disk in devices.filter_map(|device| device.cast::<VirtualDisk>()) {
            disks += 1;
            kilobytes += disk.capacity_in_kb;
        }
    }
    println!("{machines} virtual machines with {processors} processors, {running} of them running");
    println!(
        "{disks} disks of {} GiB, {addresses} network adapters seen by guests",
        kilobytes >> 20
    );
    client.close().await?;
    Ok(())
}
