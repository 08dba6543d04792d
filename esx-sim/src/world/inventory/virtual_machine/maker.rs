//! The specification of a machine of a preset.

use vi_types::enums::{VirtualMachinePowerState, VirtualScsiSharing};
use vi_types::objects::{
    ParaVirtualScsiController, ToolsConfigInfo, VirtualAhciController, VirtualBusLogicController,
    VirtualCdrom, VirtualCdromIsoBackingInfo, VirtualCdromRemotePassthroughBackingInfo,
    VirtualDevice, VirtualDeviceDeviceBackingInfo, VirtualDeviceFileBackingInfo,
    VirtualDeviceRemoteDeviceBackingInfo, VirtualDisk, VirtualDiskFlatVer2BackingInfo,
    VirtualE1000, VirtualE1000e, VirtualEthernetCard, VirtualEthernetCardNetworkBackingInfo,
    VirtualLsiLogicController, VirtualLsiLogicSasController, VirtualMachineConfigSpec,
    VirtualMachineFileInfo, VirtualNvmeController, VirtualPcNet32, VirtualScsiController,
    VirtualSerialPort, VirtualSerialPortFileBackingInfo, VirtualUsbxhciController, VirtualVmxnet3,
};
use vi_types::{ManagedObjectReference, Poly};

use super::{Bus, Card, Power, Scsi, Site, Spec};
use crate::machine::device::{add as addition, connectable, controller, device};
use crate::machine::{NewMachine, Place};
use crate::world::World;
use crate::world::inventory::ServerKind;
use crate::world::inventory::parts::{datastore_path, text, uuid};

/// Makes the specification of one virtual machine.
pub(super) struct Maker<'a> {
    world: &'a World,
    spec: &'a Spec,
    site: &'a Site,
    /// The datastore its files are on, and its name.
    datastore: (ManagedObjectReference, String),
    network: String,
    /// Where its files are on the datastore.
    directory: String,
}

const KB_PER_GIB: i64 = 1 << 20;

impl<'a> Maker<'a> {
    pub(super) fn new(world: &'a World, site: &'a Site, spec: &'a Spec) -> Self {
        let pick = (spec.number as usize) % site.datastores.len().max(1);
        let datastore = site.datastores.get(pick).cloned().unwrap_or_default();
        let datastore_name = world.name(&datastore).unwrap_or_default().to_owned();
        let network = world.name(&site.network).unwrap_or_default().to_owned();
        Self {
            world,
            spec,
            site,
            datastore: (datastore, datastore_name),
            network,
            // Servers put a dash where the name has a slash.
            directory: spec.name.replace("%2f", "-"),
        }
    }

    fn since(&self, version: &str) -> bool {
        self.world.since(version)
    }

    fn path(&self, file: &str) -> String {
        datastore_path(&self.datastore.1, &format!("{}/{file}", self.directory))
    }

    /// What a disk is attached to, as far as such a server knows of it.
    fn bus(&self, disk: i32) -> Bus {
        let wanted = usize::try_from(disk)
            .ok()
            .and_then(|disk| self.spec.buses.get(disk));
        match wanted {
            Some(Bus::Sata) if self.since("5.5") => Bus::Sata,
            Some(Bus::Nvme) if self.since("6.5") => Bus::Nvme,
            _ => Bus::Scsi,
        }
    }

    fn mac(&self, nic: u8) -> String {
        let oui = match self.world.kind() {
            ServerKind::Esx => "00:0c:29",
            ServerKind::VCenter => "00:50:56",
        };
        let [.., a, b] = self.spec.number.to_be_bytes();
        format!("{oui}:{nic:02x}:{a:02x}:{b:02x}")
    }

    pub(super) fn machine(&self) -> NewMachine {
        let spec = self.spec;
        NewMachine {
            spec: self.config(),
            place: Place {
                pool: (!spec.template)
                    .then(|| self.site.place.pool.clone())
                    .flatten(),
                ..self.site.place.clone()
            },
            template: spec.template,
            power: match spec.power {
                Power::On => VirtualMachinePowerState::PoweredOn,
                Power::Off => VirtualMachinePowerState::PoweredOff,
                Power::Suspended => VirtualMachinePowerState::Suspended,
            },
            number: spec.number,
            from_client: false,
        }
    }

    fn config(&self) -> VirtualMachineConfigSpec {
        let spec = self.spec;
        VirtualMachineConfigSpec {
            name: Some(spec.name.clone()),
            guest_id: text(spec.guest.id),
            annotation: text(spec.annotation),
            files: Some(
                VirtualMachineFileInfo {
                    vm_path_name: Some(self.path(&format!("{}.vmx", self.directory))),
                    ..VirtualMachineFileInfo::default()
                }
                .into(),
            ),
            tools: Some(
                ToolsConfigInfo {
                    tools_version: Some(if spec.tools { 12_389 } else { 0 }),
                    after_power_on: Some(true),
                    after_resume: Some(true),
                    before_guest_standby: Some(true),
                    before_guest_shutdown: Some(true),
                    before_guest_reboot: Some(false),
                    tools_upgrade_policy: text("manual"),
                    sync_time_with_host: Some(false),
                    ..ToolsConfigInfo::default()
                }
                .into(),
            ),
            num_cpus: Some(spec.cpus),
            memory_mb: Some(i64::from(spec.memory_mb)),
            firmware: (self.since("5.0") && spec.guest.efi).then(|| "efi".to_owned()),
            device_change: self.devices().into_iter().map(addition).collect(),
            ..VirtualMachineConfigSpec::default()
        }
    }

    fn devices(&self) -> Vec<Poly<VirtualDevice>> {
        let spec = self.spec;
        let mut devices = vec![self.scsi_controller()];
        if self.since("5.5") {
            devices.push(
                VirtualAhciController {
                    base: vi_types::objects::VirtualSataController {
                        base: controller(SATA, 0),
                        ..Default::default()
                    },
                    ..VirtualAhciController::default()
                }
                .into(),
            );
        }
        if self.since("5.5") && spec.guest.windows {
            devices.push(
                VirtualUsbxhciController {
                    base: controller(0, 0),
                    auto_connect_devices: Some(false),
                    ..VirtualUsbxhciController::default()
                }
                .into(),
            );
        }
        let disks = || (0..).zip(spec.disks_gib);
        if disks().any(|(index, _)| self.bus(index) == Bus::Nvme) {
            devices.push(
                VirtualNvmeController {
                    base: controller(NVME, 0),
                    ..VirtualNvmeController::default()
                }
                .into(),
            );
        }
        devices.push(self.cdrom());
        devices.extend(disks().map(|(index, gib)| self.disk(index, *gib)));
        devices.extend(
            (0..)
                .zip(spec.cards)
                .map(|(nic, card)| self.nic(nic, *card)),
        );
        if spec.serial {
            devices.push(self.serial_port());
        }
        devices
    }

    fn scsi_controller(&self) -> Poly<VirtualDevice> {
        let base = VirtualScsiController {
            base: controller(SCSI, 0),
            shared_bus: VirtualScsiSharing::NoSharing,
            ..VirtualScsiController::default()
        };
        let kind = match self.spec.scsi {
            // The others came later.
            Scsi::ParaVirtual | Scsi::LsiLogicSas if !self.since("4.0") => Scsi::LsiLogic,
            kind => kind,
        };
        match kind {
            Scsi::ParaVirtual => ParaVirtualScsiController {
                base,
                ..ParaVirtualScsiController::default()
            }
            .into(),
            Scsi::LsiLogic => VirtualLsiLogicController {
                base,
                ..VirtualLsiLogicController::default()
            }
            .into(),
            Scsi::LsiLogicSas => VirtualLsiLogicSasController {
                base,
                ..VirtualLsiLogicSasController::default()
            }
            .into(),
            Scsi::BusLogic => VirtualBusLogicController {
                base,
                ..VirtualBusLogicController::default()
            }
            .into(),
        }
    }

    fn file(&self, file_name: String) -> VirtualDeviceFileBackingInfo {
        VirtualDeviceFileBackingInfo {
            file_name,
            datastore: Some(self.datastore.0.clone()),
            ..VirtualDeviceFileBackingInfo::default()
        }
    }

    fn serial_port(&self) -> Poly<VirtualDevice> {
        let backing = VirtualSerialPortFileBackingInfo {
            base: self.file(self.path("serial.log")),
            ..VirtualSerialPortFileBackingInfo::default()
        };
        VirtualSerialPort {
            base: VirtualDevice {
                backing: Some(backing.into()),
                connectable: Some(connectable(true).into()),
                ..VirtualDevice::default()
            },
            yield_on_poll: true,
            ..VirtualSerialPort::default()
        }
        .into()
    }

    fn cdrom(&self) -> Poly<VirtualDevice> {
        let at = match self.since("5.5") {
            true => (SATA, 0),
            false => (IDE, 0),
        };
        let backing = match self.spec.iso {
            true => VirtualCdromIsoBackingInfo {
                base: self.file(datastore_path(&self.datastore.1, "iso/netinst.iso")),
                ..VirtualCdromIsoBackingInfo::default()
            }
            .into(),
            false => VirtualCdromRemotePassthroughBackingInfo {
                base: VirtualDeviceRemoteDeviceBackingInfo {
                    device_name: String::new(),
                    use_auto_detect: Some(false),
                    ..VirtualDeviceRemoteDeviceBackingInfo::default()
                },
                exclusive: false,
                ..VirtualCdromRemotePassthroughBackingInfo::default()
            }
            .into(),
        };
        VirtualCdrom {
            base: VirtualDevice {
                backing: Some(backing),
                connectable: Some(connectable(self.spec.iso).into()),
                ..device(0, Some(at))
            },
            ..VirtualCdrom::default()
        }
        .into()
    }

    fn disk(&self, index: i32, gib: i64) -> Poly<VirtualDevice> {
        let file = match index {
            0 => format!("{}.vmdk", self.directory),
            _ => format!("{}_{index}.vmdk", self.directory),
        };
        let controller = match self.bus(index) {
            Bus::Scsi => SCSI,
            Bus::Sata => SATA,
            Bus::Nvme => NVME,
        };
        let number = self.spec.number * 16 + index as u64;
        let backing = VirtualDiskFlatVer2BackingInfo {
            base: self.file(self.path(&file)),
            disk_mode: "persistent".to_owned(),
            thin_provisioned: Some(true),
            uuid: Some(uuid(0x6000, number)),
            ..VirtualDiskFlatVer2BackingInfo::default()
        };
        VirtualDisk {
            base: VirtualDevice {
                backing: Some(backing.into()),
                controller_key: Some(controller),
                ..VirtualDevice::default()
            },
            capacity_in_kb: gib * KB_PER_GIB,
            ..VirtualDisk::default()
        }
        .into()
    }

    fn nic(&self, index: u8, kind: Card) -> Poly<VirtualDevice> {
        let backing = VirtualEthernetCardNetworkBackingInfo {
            base: VirtualDeviceDeviceBackingInfo {
                device_name: self.network.clone(),
                use_auto_detect: Some(false),
                ..VirtualDeviceDeviceBackingInfo::default()
            },
            ..VirtualEthernetCardNetworkBackingInfo::default()
        };
        let card = VirtualEthernetCard {
            base: VirtualDevice {
                backing: Some(backing.into()),
                connectable: Some(connectable(true).into()),
                ..VirtualDevice::default()
            },
            mac_address: Some(self.mac(index)),
            ..VirtualEthernetCard::default()
        };
        let kind = match kind {
            Card::Vmxnet3 if !self.since("4.0") => Card::E1000,
            Card::E1000e if !self.since("5.0") => Card::E1000,
            kind => kind,
        };
        match kind {
            Card::Vmxnet3 => VirtualVmxnet3 {
                base: vi_types::objects::VirtualVmxnet {
                    base: card,
                    ..Default::default()
                },
                ..VirtualVmxnet3::default()
            }
            .into(),
            Card::E1000 => VirtualE1000 {
                base: card,
                ..VirtualE1000::default()
            }
            .into(),
            Card::E1000e => VirtualE1000e {
                base: card,
                ..VirtualE1000e::default()
            }
            .into(),
            Card::PcNet32 => VirtualPcNet32 {
                base: card,
                ..VirtualPcNet32::default()
            }
            .into(),
        }
    }
}

/// The keys by which disks name their controllers; that of the IDE controller is the machine's own.
const SCSI: i32 = 1000;
const SATA: i32 = 15_000;
const NVME: i32 = 31_000;
const IDE: i32 = 201;
