//! The devices that every machine has.

use vi_types::Poly;
use vi_types::objects::{
    Description, VirtualController, VirtualDevice, VirtualDeviceDeviceBackingInfo,
    VirtualIdeController, VirtualKeyboard, VirtualMachineVideoCard, VirtualMachineVmciDevice,
    VirtualPciController, VirtualPointingDevice, VirtualPointingDeviceDeviceBackingInfo,
    VirtualPs2Controller, VirtualSioController,
};

use super::Change;
use crate::world::World;
use crate::world::inventory::parts::mix;

pub(super) const PCI: i32 = 100;
const IDE: i32 = 200;
const PS2: i32 = 300;
pub(super) const SIO: i32 = 400;
const VIDEO: i32 = 500;
const KEYBOARD: i32 = 600;
const POINTING: i32 = 700;
const VMCI: i32 = 12_000;

/// The devices of a machine before others are added.
pub(crate) fn board(world: &World, number: u64) -> Vec<Poly<VirtualDevice>> {
    let modern = world.since("4.0");
    let ide = |bus| VirtualIdeController {
        base: controller(IDE + bus, &format!("IDE {bus}"), bus),
        ..VirtualIdeController::default()
    };
    let mut devices: Vec<Poly<VirtualDevice>> = vec![
        ide(0).into(),
        ide(1).into(),
        VirtualPs2Controller {
            base: controller(PS2, "PS2 controller 0", 0),
            ..VirtualPs2Controller::default()
        }
        .into(),
        VirtualPciController {
            base: controller(PCI, "PCI controller 0", 0),
            ..VirtualPciController::default()
        }
        .into(),
        VirtualSioController {
            base: controller(SIO, "SIO controller 0", 0),
            ..VirtualSioController::default()
        }
        .into(),
        VirtualKeyboard {
            base: device(KEYBOARD, "Keyboard", "Keyboard", Some((PS2, 0))),
            ..VirtualKeyboard::default()
        }
        .into(),
        VirtualPointingDevice {
            base: VirtualDevice {
                backing: Some(
                    VirtualPointingDeviceDeviceBackingInfo {
                        base: VirtualDeviceDeviceBackingInfo {
                            device_name: String::new(),
                            use_auto_detect: Some(false),
                            ..VirtualDeviceDeviceBackingInfo::default()
                        },
                        host_pointing_device: "autodetect".to_owned(),
                        ..VirtualPointingDeviceDeviceBackingInfo::default()
                    }
                    .into(),
                ),
                ..device(
                    POINTING,
                    "Pointing device",
                    "Pointing device; Device",
                    Some((PS2, 1)),
                )
            },
            ..VirtualPointingDevice::default()
        }
        .into(),
        VirtualMachineVideoCard {
            base: device(VIDEO, "Video card", "Video card", Some((PCI, 0))),
            video_ram_size_in_kb: Some(4096),
            num_displays: modern.then_some(1),
            use_auto_detect: modern.then_some(false),
            enable3_d_support: modern.then_some(false),
            use3d_renderer: world.since("5.1").then(|| "automatic".to_owned()),
            ..VirtualMachineVideoCard::default()
        }
        .into(),
    ];
    if modern {
        let summary = "Device on the virtual machine PCI bus";
        devices.push(
            VirtualMachineVmciDevice {
                base: device(VMCI, "VMCI device", summary, Some((PCI, 17))),
                id: Some(mix(number) as i64 & 0x7fff_ffff),
                allow_unrestricted_communication: Some(false),
                ..VirtualMachineVmciDevice::default()
            }
            .into(),
        );
    }
    devices
}

/// Whether a device is one of the board.
pub(super) fn has(device: &Poly<VirtualDevice>) -> bool {
    device.is::<VirtualIdeController>()
        || device.is::<VirtualPs2Controller>()
        || device.is::<VirtualPciController>()
        || device.is::<VirtualSioController>()
        || device.is::<VirtualKeyboard>()
        || device.is::<VirtualPointingDevice>()
        || device.is::<VirtualMachineVideoCard>()
        || device.is::<VirtualMachineVmciDevice>()
}

impl Change<'_> {
    /// The key of the existing device for a built-in one that a client adds. Clients may add built-in devices; the host
    /// uses its own. A video card takes the memory size of the added one.
    pub(super) fn built_in(&mut self, device: &Poly<VirtualDevice>) -> Option<i32> {
        if !has(device) {
            return None;
        }
        let bus = |device: &Poly<VirtualDevice>| {
            let controller = device.cast::<VirtualController>();
            controller.map(|controller| controller.bus_number)
        };
        let mut own = self.list.iter_mut();
        let own = own.find(|one| one.type_name() == device.type_name() && bus(one) == bus(device));
        let own = own?;
        if let Some(size) = device
            .cast::<VirtualMachineVideoCard>()
            .and_then(|video| video.video_ram_size_in_kb)
            && let Some(video) = own.cast_mut::<VirtualMachineVideoCard>()
        {
            video.video_ram_size_in_kb = Some(size);
        }
        Some(own.key)
    }
}

fn device(key: i32, label: &str, summary: &str, at: Option<(i32, i32)>) -> VirtualDevice {
    VirtualDevice {
        device_info: Some(
            Description {
                label: label.to_owned(),
                summary: summary.to_owned(),
                ..Description::default()
            }
            .into(),
        ),
        ..super::device(key, at)
    }
}

fn controller(key: i32, label: &str, bus_number: i32) -> VirtualController {
    VirtualController {
        base: device(key, label, label, None),
        bus_number,
        ..VirtualController::default()
    }
}
