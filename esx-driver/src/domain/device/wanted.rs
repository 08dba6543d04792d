//! A device of a definition as a device of the host.

use vi_types::Poly;
use vi_types::objects::VirtualDevice;
use virt_model::ErrorNumber;
use virt_model::domain::{Address, Device, Disk, DiskBus, DriveAddress, Interface, Sound, Video};
use vmx::Slot;

use super::card::WantedCard;
use super::disk::WantedDisk;
use super::port::WantedPort;
use super::{Hardware, Keys, Name, board};
use crate::{Error, ErrorKind, Result};

/// A device that a definition wants.
#[derive(Debug)]
pub(in crate::domain) struct Wanted {
    /// The name that the device is to have. The numbers of cards and ports are chosen by the host.
    pub(in crate::domain) name: Name,
    what: What,
}

#[derive(Debug)]
enum What {
    Disk(Slot, Keys),
    Card(Box<Interface>, Keys),
    Port(Keys),
    /// A controller for disks; the API's type of a SCSI controller, if the definition chooses it.
    Controller(Option<&'static str>),
    Usb(Option<String>),
    Sound(Sound),
    Tpm,
    Video(Video),
}

/// A device of the host compared with what is wanted.
pub(in crate::domain) enum Applied {
    /// It is as wanted.
    Same,
    /// It is so after this change.
    Edited(Poly<VirtualDevice>),
    /// It is another device: it has to be replaced.
    Other,
}

impl Applied {
    pub(super) fn unless_same(device: Poly<VirtualDevice>, old: &Poly<VirtualDevice>) -> Applied {
        match device == *old {
            true => Applied::Same,
            false => Applied::Edited(device),
        }
    }
}

impl Wanted {
    /// What `device` wants of the machine; `None` if every machine has it.
    ///
    /// # Errors
    /// libvirt's error for a device that VMware does not have.
    pub(in crate::domain) fn of(device: &Device, machine: &Hardware) -> Result<Option<Wanted>> {
        let hardware = machine.version;
        let keys = |device: &Device| Keys::of_device(device, hardware);
        let (name, what) = match device {
            Device::Disk(disk) => {
                let keys = keys(&Device::Disk(placed(disk, machine)))?;
                let name = keys.name(|name| matches!(name, Name::Disk(_)));
                let Some(Name::Disk(slot)) = name else {
                    return Err(not_supported(device.kind()));
                };
                (Name::Disk(slot), What::Disk(slot, keys))
            }
            Device::Interface(card) => {
                let keys = keys(device)?;
                (Name::Ethernet(0), What::Card(Box::new(card.clone()), keys))
            }
            Device::Serial(port) | Device::Console(port) => {
                let keys = keys(&Device::Serial(port.clone()))?;
                let name = Name::Serial(port.target_port.unwrap_or_default());
                (name, What::Port(keys))
            }
            Device::Parallel(port) => {
                let name = Name::Parallel(port.target_port.unwrap_or_default());
                (name, What::Port(keys(device)?))
            }
            Device::Controller(controller) => match board::controller_name(controller)? {
                None => return Ok(None),
                Some(name @ (Name::Usb | Name::UsbXhci)) => {
                    (name, What::Usb(controller.model.clone()))
                }
                Some(name) => {
                    let model = controller.model.as_deref().filter(|model| *model != "auto");
                    let is_scsi = matches!(name, Name::Controller(DiskBus::Scsi, _));
                    let kind = match model.filter(|_| is_scsi) {
                        Some(model) => Some(board::scsi_type(model).ok_or_else(|| {
                            let message = format!(
                                "Expecting domain XML attribute 'model' of entry 'controller' to be 'buslogic' or \
                                 'lsilogic' or 'lsisas1068' or 'vmpvscsi' but found '{model}'"
                            );
                            Error::new(
                                ErrorKind::Definition,
                                ErrorNumber::InternalError,
                                message,
                            )
                        })?),
                        None => None,
                    };
                    (name, What::Controller(kind))
                }
            },
            Device::Sound(sound) => {
                board::sound_type(sound)?;
                (Name::Sound, What::Sound(sound.clone()))
            }
            Device::Tpm(_) => {
                keys(device)?;
                (Name::Tpm, What::Tpm)
            }
            Device::Video(video) => {
                keys(device)?;
                (Name::Video, What::Video(video.clone()))
            }
            other => return Err(not_supported(other.kind())),
        };
        Ok(Some(Wanted { name, what }))
    }

    /// The device for the host, without key and controller. `scsi` is the API's type of a SCSI controller whose type the
    /// definition leaves open.
    ///
    /// # Errors
    /// For a device that hosts do not have.
    pub(super) fn device(&self, machine: &Hardware, scsi: &str) -> Result<Poly<VirtualDevice>> {
        let is_on = machine.is_on;
        Ok(match &self.what {
            What::Disk(slot, keys) => WantedDisk {
                keys,
                slot: *slot,
                is_on,
            }
            .device(),
            What::Card(card, keys) => WantedCard { keys, card, is_on }.device()?,
            What::Port(keys) => WantedPort {
                keys,
                name: self.name,
                is_on,
            }
            .device(),
            What::Controller(kind) => match self.name {
                Name::Controller(bus, index) => {
                    board::disk_controller(bus, index, kind.unwrap_or(scsi))
                }
                _ => return Err(not_supported("controller")),
            },
            What::Usb(model) => board::usb_controller(self.name, model.as_deref()),
            What::Sound(sound) => board::sound_card(sound, is_on)?,
            What::Tpm => board::tpm(),
            What::Video(_) => return Err(not_supported("video")),
        })
    }

    /// The device `old` of the host as it is wanted.
    ///
    /// # Errors
    /// For a device that hosts do not have.
    pub(in crate::domain) fn applied(
        &self,
        old: &Poly<VirtualDevice>,
        machine: &Hardware,
    ) -> Result<Applied> {
        let is_on = machine.is_on;
        let is_type = |kind: Option<&str>| match kind {
            Some(kind) if old.type_name() != kind => Applied::Other,
            _ => Applied::Same,
        };
        Ok(match &self.what {
            What::Disk(slot, keys) => WantedDisk {
                keys,
                slot: *slot,
                is_on,
            }
            .applied(old),
            What::Card(card, keys) => WantedCard { keys, card, is_on }.applied(old)?,
            What::Port(keys) => WantedPort {
                keys,
                name: self.name,
                is_on,
            }
            .applied(old),
            What::Controller(kind) => is_type(*kind),
            What::Sound(sound) => is_type(Some(board::sound_type(sound)?)),
            What::Usb(_) | What::Tpm => Applied::Same,
            What::Video(video) => board::video(video, old),
        })
    }
}

/// The disk with an address from which the vmx crate takes the slot that documents call by the disk's name.
///
/// Names alone are not enough: libvirt counts 15 disks per SCSI controller when it reads a document, and up to 64 when it
/// reads a VMX file.
fn placed(disk: &Disk, machine: &Hardware) -> Disk {
    let mut disk = disk.clone();
    let slot = machine.slot(disk.target.bus, &disk.target.dev);
    let is_its = |slot: Slot| match &disk.info.address {
        None => true,
        Some(Address::Drive(address)) => machine.names(slot).1 == *address,
        Some(_) => false,
    };
    if let Some(slot) = slot.filter(|slot| is_its(*slot)) {
        let Slot {
            controller, unit, ..
        } = slot;
        disk.info.address = Some(Address::Drive(match slot.bus {
            DiskBus::Ide => DriveAddress::new(0, controller, unit),
            _ => DriveAddress::new(controller, 0, unit),
        }));
    }
    disk
}

/// The error for a device that cannot be attached or detached; the text is that of libvirt's QEMU driver.
pub(super) fn not_supported(kind: &str) -> Error {
    Error::new(
        ErrorKind::Definition,
        ErrorNumber::OperationUnsupported,
        format!("live attach of device '{kind}' is not supported"),
    )
}
