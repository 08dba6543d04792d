//! The devices that machines can have.

use vi_types::enums::{SharesLevel, VirtualScsiSharing};
use vi_types::objects::{
    ChoiceOption, ParaVirtualScsiController, ParaVirtualScsiControllerOption, SharesOption,
    StorageIoAllocationOption, VirtualAhciController,
    VirtualAhciControllerOption, VirtualBusLogicController, VirtualBusLogicControllerOption,
    VirtualCdrom, VirtualCdromOption, VirtualControllerOption, VirtualDevice, VirtualDeviceOption,
    VirtualDisk, VirtualDiskOption, VirtualE1000, VirtualE1000Option, VirtualE1000e,
    VirtualE1000eOption, VirtualEthernetCardOption, VirtualFloppy, VirtualFloppyOption,
    VirtualIdeController, VirtualIdeControllerOption, VirtualKeyboard, VirtualKeyboardOption,
    VirtualLsiLogicController, VirtualLsiLogicControllerOption, VirtualLsiLogicSasController,
    VirtualLsiLogicSasControllerOption, VirtualMachineVideoCard, VirtualNvmeController,
    VirtualNvmeControllerOption, VirtualParallelPort, VirtualParallelPortOption, VirtualPcNet32,
    VirtualPcNet32Option, VirtualPciController, VirtualPciControllerOption, VirtualPointingDevice,
    VirtualPointingDeviceOption, VirtualPs2Controller, VirtualPs2ControllerOption,
    VirtualSataControllerOption, VirtualScsiControllerOption, VirtualSerialPort,
    VirtualSerialPortOption, VirtualSioController, VirtualSioControllerOption,
    VirtualUsbController, VirtualUsbControllerOption, VirtualUsbxhciController,
    VirtualUsbxhciControllerOption, VirtualVideoCardOption, VirtualVmxnet3, VirtualVmxnet3Option,
    VirtualVmxnetOption,
};
use vi_types::Poly;

use super::option::{flag, int, long, words};
use crate::machine::device::{most_controllers, most_units};
use crate::machine::hardware::{self, Hardware};
use crate::performance::element;
use crate::world::World;

type Device = Poly<VirtualDevice>;

/// The largest disk in KiB: 62 TB, and 2 TB less 512 bytes before ESX 5.5.
fn largest_disk(world: &World) -> i64 {
    match world.since("5.5") {
        true => 62 << 30,
        false => (2 << 30) - 1,
    }
}

/// What a disk may have of the datastore's operations a second (API reference of `StorageIOAllocationInfo`): -1 is no limit,
/// and its shares are 200 to 4000.
fn disk_operations() -> StorageIoAllocationOption {
    let shares = SharesOption {
        shares_option: int(200, 4000, 1000),
        default_level: SharesLevel::Normal,
        ..SharesOption::default()
    };
    StorageIoAllocationOption {
        limit_option: long(-1, i64::from(i32::MAX), -1),
        shares_option: shares,
        ..StorageIoAllocationOption::default()
    }
}

/// Who describes the devices of a version.
struct Devices<'a> {
    world: &'a World,
    hardware: Hardware,
    options: Vec<Poly<VirtualDeviceOption>>,
}

/// The options of all devices that machines of a version can have.
pub(super) fn all(world: &World, hardware: Hardware) -> Vec<Poly<VirtualDeviceOption>> {
    let mut devices = Devices {
        world,
        hardware,
        options: Vec::new(),
    };
    devices.add_board();
    devices.add_disk_controllers();
    devices.add_usb();
    devices.add_drives_and_ports();
    devices.add_cards();
    devices.options
}

impl Devices<'_> {
    /// Adds the options of a device, if machines of the version can have it.
    fn add<T, O>(&mut self, device: T, option: impl FnOnce(&Self, &Device) -> O)
    where
        T: Into<Device>,
        O: Into<Poly<VirtualDeviceOption>>,
    {
        let device = device.into();
        if hardware::has(self.hardware, &device) {
            let option = option(self, &device);
            self.options.push(option.into());
        }
    }

    fn device(&self, device: &Device, controller: &str, is_plugged: bool) -> VirtualDeviceOption {
        let is_plugged = is_plugged && self.hardware.has_hot_plug();
        VirtualDeviceOption {
            r#type: device.type_name().to_owned(),
            controller_type: (!controller.is_empty()).then(|| controller.to_owned()),
            auto_assign_controller: (!controller.is_empty()).then(|| flag(true, true).into()),
            deprecated: false,
            plug_and_play: is_plugged,
            hot_remove_supported: self.world.since("4.0").then_some(is_plugged),
            ..VirtualDeviceOption::default()
        }
    }

    fn controller(
        &self,
        device: &Device,
        is_plugged: bool,
        most: i32,
        supported: &[&str],
    ) -> VirtualControllerOption {
        let controller = match device.is::<VirtualPciController>() {
            true => "",
            false => "VirtualPCIController",
        };
        VirtualControllerOption {
            base: self.device(device, controller, is_plugged),
            devices: int(0, most, 0),
            supported_device: words(supported),
            ..VirtualControllerOption::default()
        }
    }

    fn add_board(&mut self) {
        self.add(VirtualPciController::default(), |this, device| {
            let most = |device: Device| match hardware::has(this.hardware, &device) {
                true => int(0, most_controllers(&device), 0),
                false => int(0, 0, 0),
            };
            let cards = this.hardware.most(&VirtualE1000::default().into());
            let cards = int(0, number(cards), 0);
            let since = |version: &str| this.world.since(version);
            VirtualPciControllerOption {
                base: this.controller(device, false, 64, &[]),
                num_scsi_controllers: most(VirtualLsiLogicController::default().into()),
                num_ethernet_cards: cards.clone(),
                num_video_cards: int(1, 1, 1),
                num_sound_cards: int(0, 1, 0),
                num_vmi_roms: int(0, 0, 0),
                num_vmci_devices: since("4.0").then(|| int(1, 1, 1).into()),
                num_pci_passthrough_devices: since("4.0").then(|| int(0, 16, 0).into()),
                num_sas_scsi_controllers: since("4.0")
                    .then(|| most(VirtualLsiLogicSasController::default().into()).into()),
                num_vmxnet3_ethernet_cards: since("4.0").then(|| cards.into()),
                num_para_virtual_scsi_controllers: since("4.0")
                    .then(|| most(ParaVirtualScsiController::default().into()).into()),
                num_sata_controllers: since("5.5")
                    .then(|| most(VirtualAhciController::default().into()).into()),
                num_nvme_controllers: since("6.5")
                    .then(|| most(VirtualNvmeController::default().into()).into()),
                ..VirtualPciControllerOption::default()
            }
        });
        self.add(VirtualIdeController::default(), |this, device| {
            let units = most_units(device, this.hardware);
            VirtualIdeControllerOption {
                base: this.controller(device, false, units, &["VirtualDisk", "VirtualCdrom"]),
                num_ide_disks: int(0, units, 0),
                num_ide_cdroms: int(0, units, 0),
                ..VirtualIdeControllerOption::default()
            }
        });
        self.add(VirtualPs2Controller::default(), |this, device| {
            let supported = ["VirtualKeyboard", "VirtualPointingDevice"];
            VirtualPs2ControllerOption {
                base: this.controller(device, false, 2, &supported),
                num_keyboards: int(1, 1, 1),
                num_pointing_devices: int(1, 1, 1),
                ..VirtualPs2ControllerOption::default()
            }
        });
        self.add(VirtualSioController::default(), |this, device| {
            let most = |device: Device| int(0, number(this.hardware.most(&device)), 0);
            let supported = ["VirtualFloppy", "VirtualSerialPort", "VirtualParallelPort"];
            VirtualSioControllerOption {
                base: this.controller(device, false, 64, &supported),
                num_floppy_drives: most(VirtualFloppy::default().into()),
                num_serial_ports: most(VirtualSerialPort::default().into()),
                num_parallel_ports: most(VirtualParallelPort::default().into()),
                ..VirtualSioControllerOption::default()
            }
        });
        self.add(VirtualKeyboard::default(), |this, device| {
            VirtualKeyboardOption {
                base: this.device(device, "VirtualPS2Controller", false),
                ..VirtualKeyboardOption::default()
            }
        });
        self.add(VirtualPointingDevice::default(), |this, device| {
            VirtualPointingDeviceOption {
                base: this.device(device, "VirtualPS2Controller", false),
                ..VirtualPointingDeviceOption::default()
            }
        });
        self.add(VirtualMachineVideoCard::default(), |this, device| {
            let modern = this.world.since("4.0");
            VirtualVideoCardOption {
                base: this.device(device, "VirtualPCIController", false),
                video_ram_size_in_kb: Some(long(1024, 131_072, 4096).into()),
                num_displays: modern.then(|| int(1, 10, 1).into()),
                use_auto_detect: modern.then(|| flag(true, false).into()),
                support3_d: modern.then(|| flag(false, false).into()),
                ..VirtualVideoCardOption::default()
            }
        });
    }

    fn scsi(&self, device: &Device) -> VirtualScsiControllerOption {
        let units = most_units(device, self.hardware);
        let supported = ["VirtualDisk", "VirtualCdrom", "VirtualSCSIPassthrough"];
        VirtualScsiControllerOption {
            base: self.controller(device, true, units, &supported),
            num_scsi_disks: int(0, units, 0),
            num_scsi_cdroms: int(0, units, 0),
            num_scsi_passthrough: int(0, units, 0),
            sharing: vec![
                VirtualScsiSharing::NoSharing,
                VirtualScsiSharing::VirtualSharing,
                VirtualScsiSharing::PhysicalSharing,
            ],
            default_shared_index: 0,
            hot_add_remove: flag(true, true),
            scsi_ctlr_unit_number: 7,
            ..VirtualScsiControllerOption::default()
        }
    }

    fn add_disk_controllers(&mut self) {
        self.add(VirtualBusLogicController::default(), |this, device| {
            VirtualBusLogicControllerOption {
                base: this.scsi(device),
                ..VirtualBusLogicControllerOption::default()
            }
        });
        self.add(VirtualLsiLogicController::default(), |this, device| {
            VirtualLsiLogicControllerOption {
                base: this.scsi(device),
                ..VirtualLsiLogicControllerOption::default()
            }
        });
        self.add(VirtualLsiLogicSasController::default(), |this, device| {
            VirtualLsiLogicSasControllerOption {
                base: this.scsi(device),
                ..VirtualLsiLogicSasControllerOption::default()
            }
        });
        self.add(ParaVirtualScsiController::default(), |this, device| {
            ParaVirtualScsiControllerOption {
                base: this.scsi(device),
                ..ParaVirtualScsiControllerOption::default()
            }
        });
        self.add(VirtualAhciController::default(), |this, device| {
            let units = most_units(device, this.hardware);
            let base = VirtualSataControllerOption {
                base: this.controller(device, true, units, &["VirtualDisk", "VirtualCdrom"]),
                num_sata_disks: int(0, units, 0),
                num_sata_cdroms: int(0, units, 0),
                ..VirtualSataControllerOption::default()
            };
            VirtualAhciControllerOption {
                base,
                ..VirtualAhciControllerOption::default()
            }
        });
        self.add(VirtualNvmeController::default(), |this, device| {
            let units = most_units(device, this.hardware);
            VirtualNvmeControllerOption {
                base: this.controller(device, true, units, &["VirtualDisk"]),
                num_nvme_disks: int(0, units, 0),
                ..VirtualNvmeControllerOption::default()
            }
        });
    }

    fn add_usb(&mut self) {
        self.add(VirtualUsbController::default(), |this, device| {
            let speeds = match this.world.since("5.0") {
                true => words(&["low", "full", "high"]),
                false => Vec::new(),
            };
            VirtualUsbControllerOption {
                base: this.controller(device, true, 20, &["VirtualUSB"]),
                auto_connect_devices: flag(true, false),
                ehci_supported: flag(true, true),
                supported_speeds: speeds,
                ..VirtualUsbControllerOption::default()
            }
        });
        self.add(VirtualUsbxhciController::default(), |this, device| {
            VirtualUsbxhciControllerOption {
                base: this.controller(device, true, 20, &["VirtualUSB"]),
                auto_connect_devices: flag(true, false),
                supported_speeds: words(&["low", "full", "high", "superSpeed"]),
                ..VirtualUsbxhciControllerOption::default()
            }
        });
    }

    fn add_drives_and_ports(&mut self) {
        self.add(VirtualDisk::default(), |this, device| {
            // SCSI disks come and go in machines of every version.
            let base = VirtualDeviceOption {
                plug_and_play: true,
                hot_remove_supported: this.world.since("4.0").then_some(true),
                ..this.device(device, "VirtualSCSIController", true)
            };
            let capacity = long(1024, largest_disk(this.world), 16 << 20);
            VirtualDiskOption {
                base,
                capacity_in_kb: capacity,
                io_allocation_option: this.world.since("4.1").then(|| disk_operations().into()),
                ..VirtualDiskOption::default()
            }
        });
        self.add(VirtualCdrom::default(), |this, device| VirtualCdromOption {
            base: this.device(device, "VirtualIDEController", false),
            ..VirtualCdromOption::default()
        });
        self.add(VirtualFloppy::default(), |this, device| {
            VirtualFloppyOption {
                base: this.device(device, "VirtualSIOController", false),
                ..VirtualFloppyOption::default()
            }
        });
        self.add(VirtualSerialPort::default(), |this, device| {
            VirtualSerialPortOption {
                base: this.device(device, "VirtualSIOController", false),
                yield_on_poll: flag(true, true),
                ..VirtualSerialPortOption::default()
            }
        });
        self.add(VirtualParallelPort::default(), |this, device| {
            VirtualParallelPortOption {
                base: this.device(device, "VirtualSIOController", false),
                ..VirtualParallelPortOption::default()
            }
        });
    }

    fn card(&self, device: &Device) -> VirtualEthernetCardOption {
        let choice = |keys: &[&str]| ChoiceOption {
            choice_info: keys.iter().map(|key| element(key, key)).collect(),
            default_index: Some(0),
            ..ChoiceOption::default()
        };
        VirtualEthernetCardOption {
            base: self.device(device, "VirtualPCIController", true),
            supported_oui: choice(&["00:50:56", "00:0c:29"]),
            mac_type: choice(&["generated", "manual", "assigned"]),
            wake_on_lan_enabled: flag(true, true),
            vm_direct_path_gen2_supported: self.world.since("4.1").then_some(false),
            ..VirtualEthernetCardOption::default()
        }
    }

    fn add_cards(&mut self) {
        self.add(VirtualPcNet32::default(), |this, device| {
            VirtualPcNet32Option {
                base: this.card(device),
                supports_morphing: true,
                ..VirtualPcNet32Option::default()
            }
        });
        self.add(VirtualE1000::default(), |this, device| VirtualE1000Option {
            base: this.card(device),
            ..VirtualE1000Option::default()
        });
        self.add(VirtualE1000e::default(), |this, device| {
            VirtualE1000eOption {
                base: this.card(device),
                ..VirtualE1000eOption::default()
            }
        });
        self.add(VirtualVmxnet3::default(), |this, device| {
            let base = VirtualVmxnetOption {
                base: this.card(device),
                ..VirtualVmxnetOption::default()
            };
            VirtualVmxnet3Option {
                base,
                ..VirtualVmxnet3Option::default()
            }
        });
    }
}

fn number(most: Option<usize>) -> i32 {
    most.and_then(|most| i32::try_from(most).ok()).unwrap_or(i32::MAX)
}
