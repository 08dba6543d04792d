//! Which device of the machine a definition means.
//!
//! What a definition says of a device must hold of the device: it is never a device that only resembles it. Texts are those
//! of libvirt 9.0.0 (virDomainNetFindIdx, virDomainDefFindDevice, and the QEMU driver's qemuDomainDetachDevice…).

use vi_types::Poly;
use vi_types::objects::{
    VirtualCdrom, VirtualDevice, VirtualDisk, VirtualEthernetCard, VirtualFloppy,
    VirtualScsiPassthrough,
};
use virt_model::domain::{
    Address, CharDevice, Device, DeviceInfo, Disk, DiskDevice, DiskSource, Interface,
    InterfaceSource, PciAddress,
};
use virt_model::{ErrorNumber, MacAddress};

use super::wanted::not_supported;
use super::{Applied, Hardware, Name, Wanted, board};
use crate::{Error, ErrorKind, Result, What};

impl Hardware {
    /// The name of the device that `device` means.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is none, [`ErrorKind::Ambiguous`] if there are several or if what the definition
    /// says is true of different devices.
    pub(super) fn find(&self, device: &Device) -> Result<Name> {
        let name = match device {
            Device::Disk(disk) => self.find_disk(disk)?,
            Device::Interface(card) => self.find_card(card)?,
            Device::Serial(port) | Device::Console(port) => {
                self.find_port(port, device, |name| match name {
                    Name::Serial(number) => Some(number),
                    _ => None,
                })?
            }
            Device::Parallel(port) => self.find_port(port, device, |name| match name {
                Name::Parallel(number) => Some(number),
                _ => None,
            })?,
            Device::Controller(controller) => {
                let missing = || {
                    missing(format!(
                        "controller {}:{} not found",
                        controller.kind, controller.index
                    ))
                };
                let name = board::controller_name(controller)?;
                let name = name.ok_or_else(|| not_detachable(device.kind()))?;
                self.expect(name, device)?.ok_or_else(missing)?
            }
            Device::Sound(_) | Device::Tpm(_) | Device::Video(_) => {
                let wanted = Wanted::of(device, self)?;
                let name = wanted.ok_or_else(|| not_detachable(device.kind()))?.name;
                let missing = || {
                    let kind = device.kind();
                    missing(format!("matching {kind} device not found"))
                };
                self.expect(name, device)?.ok_or_else(missing)?
            }
            other => return Err(not_supported(other.kind())),
        };
        check_alias(device, name)?;
        Ok(name)
    }

    /// The name of the device that a detachment with `device` means: that of [`find`](Hardware::find), whose kind, source
    /// and model must be those of the definition too, as far as it has them.
    pub(super) fn find_to_detach(&self, device: &Device) -> Result<Name> {
        let name = self.find(device)?;
        let mut device = device.clone();
        let has_source = match &mut device {
            Device::Disk(disk) => disk.source != DiskSource::File(None),
            Device::Interface(card) => {
                // It is the type of a definition without one.
                if card.source == InterfaceSource::User {
                    card.source = InterfaceSource::Null;
                }
                true
            }
            _ => return Ok(name),
        };
        let Some(found) = self.get(name) else {
            return Ok(name);
        };
        let is_kind = match &device {
            Device::Disk(disk) => match disk.device {
                DiskDevice::Cdrom => found.is::<VirtualCdrom>(),
                DiskDevice::Floppy => found.is::<VirtualFloppy>(),
                DiskDevice::Lun => found.is::<VirtualScsiPassthrough>(),
                _ => found.is::<VirtualDisk>(),
            },
            _ => true,
        };
        let wanted = match is_kind && has_source {
            true => Wanted::of(&device, self)?,
            false => None,
        };
        let applied = match wanted {
            Some(wanted) => wanted.applied(found, self)?,
            None => Applied::Same,
        };
        let is_same = match applied {
            Applied::Same => true,
            // How a disk is written does not make it another one.
            Applied::Edited(edited) => found.is::<VirtualDisk>() || edited.backing == found.backing,
            Applied::Other => false,
        };
        match is_kind && is_same {
            true => Ok(name),
            false => Err(contradiction(format!(
                "'{name}' has another kind, source or model"
            ))),
        }
    }

    /// The name of the device that an update with `device` means: that of [`find`](Hardware::find), and of a port its
    /// number, since an update changes its end on the host.
    pub(super) fn find_for_update(&self, device: &Device) -> Result<Name> {
        let name = match device {
            Device::Serial(port) | Device::Console(port) => port.target_port.map(Name::Serial),
            Device::Parallel(port) => port.target_port.map(Name::Parallel),
            _ => None,
        };
        match name {
            None => self.find(device),
            Some(name) if self.get(name).is_some() => {
                check_alias(device, name)?;
                Ok(name)
            }
            Some(_) => Err(missing(
                "device not present in domain configuration".to_owned(),
            )),
        }
    }

    /// The name of the device with that alias.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is none.
    pub(super) fn find_alias(&self, alias: &str) -> Result<Name> {
        let name = alias.parse::<Name>().ok();
        let name = name.filter(|name| self.get(*name).is_some());
        name.ok_or_else(|| {
            missing(format!("no device found with alias {alias}")).advise(
                "aliases are the names of VMX files: scsi0:1, ethernet0, serial0, floppy0, scsi0",
            )
        })
    }

    /// The name of a disk or drive by its bus and target, and by its address if the definition has one.
    fn find_disk(&self, disk: &Disk) -> Result<Name> {
        let dev = &disk.target.dev;
        let slot = self.slot(disk.target.bus, dev);
        let slot = slot.filter(|slot| self.get(Name::Disk(*slot)).is_some());
        let Some(slot) = slot else {
            return Err(missing(format!("no target device {dev}")));
        };
        match &disk.info.address {
            Some(Address::Drive(address)) if *address != self.names(slot).1 => {
                let mut slots = vmx::Slot::all(slot.bus, self.version, self.libvirt);
                let other = slots.find(|slot| self.names(*slot).1 == *address);
                let other = match other {
                    Some(other) => format!("is that of '{}'", self.names(other).0),
                    None => "is none of this bus".to_owned(),
                };
                Err(contradiction(format!(
                    "the target is '{dev}', and the address {other}"
                )))
            }
            Some(Address::Drive(_)) | None => Ok(Name::Disk(slot)),
            Some(other) => Err(contradiction(format!(
                "the target is '{dev}', and the address is of type '{}'",
                other.kind()
            ))),
        }
    }

    /// The name of a network card by its MAC address and its PCI address, as far as the definition has them.
    fn find_card(&self, card: &Interface) -> Result<Name> {
        let mac = card.mac.filter(|mac| *mac != MacAddress::default());
        let pci = match &card.info.address {
            Some(Address::Pci(pci)) => Some(pci),
            Some(other) => {
                let message = format!("a card has no address of type '{}'", other.kind());
                return Err(contradiction(message));
            }
            None => None,
        };
        let cards = self.named().filter_map(|(name, device)| {
            let found = device.cast::<VirtualEthernetCard>()?;
            let mac_fits = mac.is_none_or(|mac| mac_of(found) == Some(mac));
            let pci_fits = pci.is_none_or(|pci| pci_of(device).as_ref() == Some(pci));
            // An alias decides if there is nothing else.
            let alias_fits = mac.is_some() || pci.is_some() || alias_fits(&card.info, name);
            (mac_fits && pci_fits && alias_fits).then_some(name)
        });
        let found: Vec<Name> = cards.collect();
        match (found.as_slice(), mac) {
            ([name], _) => Ok(*name),
            ([], Some(mac)) => Err(missing(format!(
                "no device matching MAC address {mac} found"
            ))),
            ([], None) => Err(missing("no matching device found".to_owned())),
            (_, Some(mac)) => Err(ambiguous(format!(
                "multiple devices matching MAC address {mac} found"
            ))),
            (_, None) => Err(ambiguous("multiple matching devices found".to_owned())),
        }
    }

    /// The name of a port by its number, if the definition has one, and by its end on the host.
    fn find_port(
        &self,
        port: &CharDevice,
        device: &Device,
        number: fn(Name) -> Option<u32>,
    ) -> Result<Name> {
        let wanted = Wanted::of(device, self)?.ok_or_else(|| not_detachable(device.kind()))?;
        let mut found = Vec::new();
        for (name, device) in self.named() {
            let Some(known) = number(name) else {
                continue;
            };
            let is_same = matches!(wanted.applied(device, self)?, Applied::Same);
            let number_fits = port.target_port.is_none_or(|wanted| wanted == known);
            if is_same && number_fits && alias_fits(&port.info, name) {
                found.push(name);
            }
        }
        match found.as_slice() {
            [name] => Ok(*name),
            [] => Err(missing(
                "device not present in domain configuration".to_owned(),
            )),
            _ => Err(ambiguous("multiple matching devices found".to_owned())),
        }
    }

    /// The name, if the machine has such a device and it is as `device` describes it.
    fn expect(&self, name: Name, device: &Device) -> Result<Option<Name>> {
        let Some(found) = self.get(name) else {
            return Ok(None);
        };
        // The memory of a video card is what an update changes.
        if name == Name::Video {
            return Ok(Some(name));
        }
        let Some(wanted) = Wanted::of(device, self)? else {
            return Ok(None);
        };
        Ok(match wanted.applied(found, self)? {
            Applied::Other => None,
            _ => Some(name),
        })
    }
}

/// Checks that the alias of a definition, if it has one, is that name.
fn check_alias(device: &Device, name: Name) -> Result<()> {
    let alias = device.info().and_then(|info| info.alias.as_deref());
    match alias {
        Some(alias) if alias != name.to_string() => Err(contradiction(format!(
            "the alias is '{alias}', and the rest describes '{name}'"
        ))),
        _ => Ok(()),
    }
}

/// Whether the alias of a definition, if it has one, is that name.
fn alias_fits(info: &DeviceInfo, name: Name) -> bool {
    let alias = info.alias.as_deref();
    alias.is_none_or(|alias| alias == name.to_string())
}

/// The MAC address of a card.
pub(in crate::domain) fn mac_of(card: &VirtualEthernetCard) -> Option<MacAddress> {
    card.mac_address.as_deref()?.parse().ok()
}

/// The PCI address of a device in libvirt's form.
fn pci_of(device: &Poly<VirtualDevice>) -> Option<PciAddress> {
    let slot = device.slot_info.as_ref()?;
    let slot = slot.cast::<vi_types::objects::VirtualDevicePciBusSlotInfo>()?;
    Some(vmx::pci_address(i64::from(slot.pci_slot_number)))
}

fn missing(message: String) -> Error {
    let kind = ErrorKind::NotFound(What::Device);
    Error::new(kind, ErrorNumber::DeviceMissing, message)
}

fn ambiguous(message: String) -> Error {
    Error::new(ErrorKind::Ambiguous, ErrorNumber::OperationFailed, message)
}

/// The error of a definition whose parts mean different devices.
fn contradiction(message: String) -> Error {
    Error::new(
        ErrorKind::Ambiguous,
        ErrorNumber::OperationFailed,
        format!("the definition means no single device: {message}"),
    )
}

fn not_detachable(kind: &str) -> Error {
    Error::new(
        ErrorKind::Definition,
        ErrorNumber::OperationUnsupported,
        format!("live detach of device '{kind}' is not supported"),
    )
}
