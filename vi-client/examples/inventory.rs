//! Reads the whole configuration and state of every virtual machine of a host or vCenter, in one request a page.
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
    VirtualMachineSummary,
};

property_set! {
    struct Everything: VirtualMachine {
        config: Option<VirtualMachineConfigInfo> = config,
        runtime: VirtualMachineRuntimeInfo = runtime,
        guest: Option<GuestInfo> = guest,
        summary: VirtualMachineSummary = summary,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _) = common::connect("").await?;
    let request =
        Retrieve::from(&client.service_content().root_folder).select_all(Selection::inventory());
    let (mut machines, mut running, mut addresses, mut megahertz) = (0, 0, 0, 0);
    let (mut disks, mut kilobytes) = (0, 0);
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
        megahertz += machine
            .summary
            .quick_stats
            .overall_cpu_usage
            .unwrap_or_default();
        let devices = machine
            .config
            .iter()
            .flat_map(|config| &config.hardware.device);
        for disk in devices.filter_map(|device| device.cast::<VirtualDisk>()) {
            disks += 1;
            kilobytes += disk.capacity_in_kb;
        }
    }
    println!("{machines} virtual machines, {running} of them running at {megahertz} MHz");
    println!(
        "{disks} disks of {} GiB, {addresses} network adapters seen by guests",
        kilobytes >> 20
    );
    client.close().await?;
    Ok(())
}
