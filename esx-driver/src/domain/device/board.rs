//! Controllers, and the devices that a machine has one of.

use vi_types::Poly;
use vi_types::enums::VirtualScsiSharing;
use vi_types::objects::{
    ParaVirtualScsiController, VirtualAhciController, VirtualBusLogicController, VirtualController,
    VirtualDevice, VirtualDeviceConnectInfo, VirtualDeviceDeviceBackingInfo, VirtualEnsoniq1371,
    VirtualHdAudioCard, VirtualIdeController, VirtualLsiLogicController,
    VirtualLsiLogicSasController, VirtualMachineVideoCard, VirtualNvmeController,
    VirtualSataController, VirtualScsiController, VirtualSoundBlaster16, VirtualSoundCard,
    VirtualSoundCardDeviceBackingInfo, VirtualTpm, VirtualUsbController, VirtualUsbxhciController,
};
use virt_model::ErrorNumber;
use virt_model::domain::{Controller, ControllerType, DiskBus, Sound, Video};

use super::{Applied, Name};
use crate::{Error, ErrorKind, Result};

/// A controller for disks and drives with that number. `kind` is the API's type of a SCSI controller.
pub(super) fn disk_controller(bus: DiskBus, index: u32, kind: &str) -> Poly<VirtualDevice> {
    let base = VirtualController {
        bus_number: i32::try_from(index).unwrap_or(i32::MAX),
        ..VirtualController::default()
    };
    match bus {
        DiskBus::Ide => VirtualIdeController {
            base,
            ..Default::default()
        }
        .into(),
        DiskBus::Sata => VirtualAhciController {
            base: VirtualSataController {
                base,
                ..Default::default()
            },
            ..Default::default()
        }
        .into(),
        DiskBus::Nvme => VirtualNvmeController {
            base,
            ..Default::default()
        }
        .into(),
        _ => scsi_controller(base, kind),
    }
}

fn scsi_controller(base: VirtualController, kind: &str) -> Poly<VirtualDevice> {
    let base = VirtualScsiController {
        base,
        shared_bus: VirtualScsiSharing::NoSharing,
        ..VirtualScsiController::default()
    };
    match kind {
        "ParaVirtualSCSIController" => ParaVirtualScsiController {
            base,
            ..Default::default()
        }
        .into(),
        "VirtualLsiLogicSASController" => VirtualLsiLogicSasController {
            base,
            ..Default::default()
        }
        .into(),
        "VirtualBusLogicController" => VirtualBusLogicController {
            base,
            ..Default::default()
        }
        .into(),
        _ => VirtualLsiLogicController {
            base,
            ..Default::default()
        }
        .into(),
    }
}

/// The API's type of a SCSI controller of libvirt's model.
pub(super) fn scsi_type(model: &str) -> Option<&'static str> {
    Some(match model {
        "vmpvscsi" => "ParaVirtualSCSIController",
        "lsisas1068" => "VirtualLsiLogicSASController",
        "buslogic" => "VirtualBusLogicController",
        "lsilogic" => LSI_LOGIC,
        _ => return None,
    })
}

/// The controller that every guest knows.
pub(super) const LSI_LOGIC: &str = "VirtualLsiLogicController";

/// The name of a controller of a definition; `None` if every machine has it.
///
/// # Errors
/// For a controller that VMware does not have. The text is that of libvirt's QEMU driver.
pub(in crate::domain) fn controller_name(controller: &Controller) -> Result<Option<Name>> {
    let bus = match controller.kind {
        ControllerType::Scsi => DiskBus::Scsi,
        ControllerType::Sata => DiskBus::Sata,
        ControllerType::Nvme => DiskBus::Nvme,
        ControllerType::Usb => return usb_name(controller).map(Some),
        ControllerType::Ide | ControllerType::Fdc | ControllerType::Pci => return Ok(None),
        other => {
            return Err(unsupported(format!(
                "'{other}' controller cannot be hot plugged."
            )));
        }
    };
    if controller.index > 3 {
        let index = controller.index;
        let kind = controller.kind;
        let message = format!("{kind} controller index {index} out of [0..3] range");
        return Err(Error::new(
            ErrorKind::Definition,
            ErrorNumber::InternalError,
            message,
        ));
    }
    Ok(Some(Name::Controller(bus, controller.index)))
}

fn usb_name(controller: &Controller) -> Result<Name> {
    Ok(match controller.model.as_deref() {
        Some("nec-xhci" | "qemu-xhci") => Name::UsbXhci,
        None | Some("ehci" | "piix3-uhci" | "piix4-uhci" | "ich9-ehci1") => Name::Usb,
        Some(model) => {
            return Err(
                unsupported(format!("VMware has no USB controller of model '{model}'"))
                    .advise("use model 'ehci' for USB 2 or 'nec-xhci' for USB 3"),
            );
        }
    })
}

/// A USB controller.
pub(super) fn usb_controller(name: Name, model: Option<&str>) -> Poly<VirtualDevice> {
    if name == Name::UsbXhci {
        return VirtualUsbxhciController::default().into();
    }
    let is_fast = !matches!(model, Some("piix3-uhci" | "piix4-uhci"));
    VirtualUsbController {
        auto_connect_devices: Some(false),
        ehci_enabled: Some(is_fast),
        ..VirtualUsbController::default()
    }
    .into()
}

/// A sound card.
///
/// # Errors
/// For a model that VMware does not have.
pub(super) fn sound_card(sound: &Sound, is_on: bool) -> Result<Poly<VirtualDevice>> {
    let any = VirtualSoundCardDeviceBackingInfo {
        base: VirtualDeviceDeviceBackingInfo {
            use_auto_detect: Some(true),
            ..VirtualDeviceDeviceBackingInfo::default()
        },
        ..VirtualSoundCardDeviceBackingInfo::default()
    };
    let base = VirtualSoundCard {
        base: VirtualDevice {
            backing: Some(any.into()),
            connectable: Some(
                VirtualDeviceConnectInfo {
                    start_connected: true,
                    allow_guest_control: true,
                    connected: is_on,
                    ..VirtualDeviceConnectInfo::default()
                }
                .into(),
            ),
            ..VirtualDevice::default()
        },
        ..VirtualSoundCard::default()
    };
    Ok(match sound_type(sound)? {
        "VirtualSoundBlaster16" => VirtualSoundBlaster16 {
            base,
            ..Default::default()
        }
        .into(),
        "VirtualEnsoniq1371" => VirtualEnsoniq1371 {
            base,
            ..Default::default()
        }
        .into(),
        _ => VirtualHdAudioCard {
            base,
            ..Default::default()
        }
        .into(),
    })
}

/// The API's type of a sound card.
pub(super) fn sound_type(sound: &Sound) -> Result<&'static str> {
    Ok(match sound.model.as_str() {
        "sb16" => "VirtualSoundBlaster16",
        "es1370" => "VirtualEnsoniq1371",
        "ich6" | "ich7" | "ich9" => "VirtualHdAudioCard",
        model => {
            return Err(
                unsupported(format!("VMware has no sound card of model '{model}'"))
                    .advise("use model 'sb16', 'es1370' or 'ich9'"),
            );
        }
    })
}

/// A trusted platform module.
pub(super) fn tpm() -> Poly<VirtualDevice> {
    VirtualTpm::default().into()
}

/// The video card `old` with the memory of a definition's card. VMware wants a multiple of 64 KiB.
pub(super) fn video(video: &Video, old: &Poly<VirtualDevice>) -> Applied {
    let mut device = old.clone();
    let Some(card) = device.cast_mut::<VirtualMachineVideoCard>() else {
        return Applied::Other;
    };
    let wanted = video.vram.map(|kib| i64::from(kib.div_ceil(64)) * 64);
    if wanted.is_some() && card.video_ram_size_in_kb != wanted {
        card.video_ram_size_in_kb = wanted;
        // A size that the guest's system decides would not hold.
        card.use_auto_detect = card.use_auto_detect.map(|_| false);
    }
    Applied::unless_same(device, old)
}

fn unsupported(message: String) -> Error {
    Error::new(
        ErrorKind::Definition,
        ErrorNumber::ConfigUnsupported,
        message,
    )
}
