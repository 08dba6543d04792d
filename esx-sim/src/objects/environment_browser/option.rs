//! What machines of a version of virtual hardware can be like.

use vi_types::enums::SharesLevel;
use vi_types::objects::{
    BoolOption, IntOption, LongOption, ResourceAllocationOption, ResourceConfigOption,
    SharesOption, VirtualHardwareOption, VirtualMachineConfigOption,
};

use super::{devices, guests};
use crate::machine::device::board;
use crate::machine::hardware::Hardware;
use crate::machine::summary::capability;
use crate::world::World;

pub(super) fn int(min: i32, max: i32, default_value: i32) -> IntOption {
    IntOption {
        min,
        max,
        default_value,
        ..IntOption::default()
    }
}

pub(super) fn long(min: i64, max: i64, default_value: i64) -> LongOption {
    LongOption {
        min,
        max,
        default_value,
        ..LongOption::default()
    }
}

pub(super) fn flag(supported: bool, default_value: bool) -> BoolOption {
    BoolOption {
        supported,
        default_value,
        ..BoolOption::default()
    }
}

/// The options of a version, with these guests or with all of them. `None` if none of these guests is known.
pub(super) fn of(
    world: &World,
    hardware: Hardware,
    description: String,
    wanted: &[String],
) -> Option<VirtualMachineConfigOption> {
    let guests: Vec<_> = guests::all(world, hardware)
        .filter(|guest| wanted.is_empty() || wanted.contains(&guest.id))
        .collect();
    // The first choice of who does not choose.
    let default = guests.iter().position(|guest| guest.id == "otherGuest64");
    (!guests.is_empty()).then(|| VirtualMachineConfigOption {
        version: hardware.name(),
        description,
        guest_os_default_index: default.and_then(|at| i32::try_from(at).ok()).unwrap_or(0),
        guest_os_descriptor: guests,
        hardware_options: hardware_options(world, hardware),
        capabilities: capability(),
        default_device: board(world, 0),
        supported_monitor_type: words(&["release", "debug", "stats"]),
        supported_ovf_environment_transport: match world.since("4.0") {
            true => words(&["iso", "com.vmware.guestInfo"]),
            false => Vec::new(),
        },
        supported_ovf_install_transport: match world.since("4.0") {
            true => words(&["iso"]),
            false => Vec::new(),
        },
        ..VirtualMachineConfigOption::default()
    })
}

pub(super) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The numbers of processors that a machine can have.
pub(super) fn most_cpus(hardware: Hardware) -> i32 {
    // What the simulated hosts support (`capability.maxSupportedVcpus`).
    hardware.most_cpus().min(128)
}

fn hardware_options(world: &World, hardware: Hardware) -> VirtualHardwareOption {
    let number = hardware.number();
    let shares = |level| SharesOption {
        shares_option: int(0, 1_000_000, 1000),
        default_level: level,
        ..SharesOption::default()
    };
    let allocation = || ResourceAllocationOption {
        shares_option: shares(SharesLevel::Normal),
        ..ResourceAllocationOption::default()
    };
    let one = |since: i32| Some(Box::new(int(0, i32::from(number >= since), 0)));
    VirtualHardwareOption {
        hw_version: number,
        virtual_device_option: devices::all(world, hardware),
        device_list_readonly: false,
        num_cpu: (1..=most_cpus(hardware)).collect(),
        num_cores_per_socket: world
            .since("5.0")
            .then(|| int(1, most_cpus(hardware), 1).into()),
        num_cpu_readonly: false,
        memory_mb: long(4, hardware.most_memory_mb(), 1024),
        num_pci_controllers: int(1, 1, 1),
        num_ide_controllers: int(2, 2, 2),
        num_usb_controllers: int(0, 1, 0),
        num_usbxhci_controllers: world.since("5.0").then(|| one(8)).flatten(),
        num_sio_controllers: int(1, 1, 1),
        num_ps2_controllers: int(1, 1, 1),
        resource_config_option: world.since("4.1").then(|| {
            let option = ResourceConfigOption {
                cpu_allocation_option: allocation(),
                memory_allocation_option: allocation(),
                ..ResourceConfigOption::default()
            };
            option.into()
        }),
        num_tpm_devices: world.since("6.7").then(|| one(14)).flatten(),
        num_wdt_devices: world.since("7.0").then(|| one(17)).flatten(),
        num_precision_clock_devices: world.since("7.0").then(|| one(17)).flatten(),
        ..VirtualHardwareOption::default()
    }
}
