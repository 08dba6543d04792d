//! What libvirt's reader refuses in a document, as far as it is about what VMX files have.

use std::collections::BTreeMap;

use virt_model::domain::{
    Address, CharDevice, CharSource, ControllerType, Devices, Disk, DiskBus, DiskDevice,
    DiskSource, InterfaceSource,
};
use virt_model::{DomainDef, ErrorNumber};

use super::controller::MODELS;
use super::ethernet::known_model;
use crate::{LibvirtVersion, VmxError};

/// Checks what libvirt checks before it comes to VMX.
pub(super) fn validate(def: &DomainDef, libvirt: LibvirtVersion) -> Result<(), VmxError> {
    let devices = &def.devices;
    known(devices, libvirt)?;
    for controller in &devices.controllers {
        if let Some(model) = &controller.model
            && controller.kind == ControllerType::Scsi
            && !MODELS.contains(&model.as_str())
        {
            return Err(VmxError::unsupported(format!(
                "Unknown model type '{model}'"
            )));
        }
    }
    for interface in &devices.interfaces {
        if let Some(model) = &interface.model
            && known_model(model).is_none()
        {
            return Err(VmxError::unsupported(format!(
                "driver does not support net model '{model}'"
            ))
            .with_value(model));
        }
    }
    devices.disks.iter().try_for_each(disk)?;
    for filesystem in &devices.filesystems {
        if filesystem.source.is_none() {
            return Err(no_source(&filesystem.target));
        }
    }
    ports(devices).try_for_each(|port| source(&port.source))?;
    distinct(&devices.disks)
}

/// Checks that a document has nothing that this libvirt has not heard of.
fn known(devices: &Devices, libvirt: LibvirtVersion) -> Result<(), VmxError> {
    let refused = |text: &str| Err(VmxError::new(ErrorNumber::XmlError, text));
    if libvirt < LibvirtVersion::V11_5 {
        let mut disks = devices.disks.iter();
        if disks.any(|disk| disk.target.bus == DiskBus::Nvme) {
            return refused("Invalid value for attribute 'bus' in element 'target': 'nvme'.");
        }
        let mut controllers = devices.controllers.iter();
        if controllers.any(|controller| controller.kind == ControllerType::Nvme) {
            return refused("Invalid value for attribute 'type' in element 'controller': 'nvme'.");
        }
    }
    let no_group = |source: &InterfaceSource| match source {
        InterfaceSource::Vds(port) => port.portgroup_id.is_none(),
        _ => false,
    };
    let mut interfaces = devices.interfaces.iter();
    if libvirt < LibvirtVersion::V11_3 && interfaces.any(|card| no_group(&card.source)) {
        return refused("Missing required attribute 'portgroupid' in element 'source'");
    }
    Ok(())
}

fn ports(devices: &Devices) -> impl Iterator<Item = &CharDevice> {
    devices.serials.iter().chain(&devices.parallels)
}

/// The error for a device that has to have a source.
pub(super) fn no_source(device: &str) -> VmxError {
    VmxError::new(ErrorNumber::NoSource, device).with_help("a <source>")
}

fn disk(disk: &Disk) -> Result<(), VmxError> {
    let (dev, bus) = (&disk.target.dev, disk.target.bus);
    let floppy = disk.device == DiskDevice::Floppy;
    if floppy != (bus == DiskBus::Fdc) {
        let what = if floppy { "floppy disk" } else { "disk" };
        return Err(VmxError::internal(format!(
            "Invalid bus type '{bus}' for {what}"
        )));
    }
    let named = |prefixes: &[&str]| prefixes.iter().any(|prefix| dev.starts_with(prefix));
    if floppy && !named(&["fd"]) {
        return Err(VmxError::internal(format!(
            "Invalid floppy device name: {dev}"
        )));
    }
    if matches!(disk.device, DiskDevice::Disk | DiskDevice::Lun)
        && !named(&["hd", "sd", "vd", "xvd", "ubd", "nvme"])
    {
        return Err(VmxError::internal(format!(
            "Invalid harddisk device name: {dev}"
        )));
    }
    if matches!(
        bus,
        DiskBus::Scsi | DiskBus::Ide | DiskBus::Fdc | DiskBus::Sata
    ) && let Some(address) = &disk.info.address
        && !matches!(address, Address::Drive(_))
    {
        return Err(VmxError::unsupported(format!(
            "Invalid address type '{}' for the disk '{dev}' with the bus type '{bus}'",
            address.kind()
        )));
    }
    let empty = disk.source.path().is_none() && disk.startup_policy.is_none();
    let outside = match disk.source {
        // Without a source it is none of a block device.
        DiskSource::Block(_) => !empty,
        DiskSource::Network(_) | DiskSource::Volume(_) => true,
        _ => false,
    };
    if disk.device == DiskDevice::Lun && !outside {
        return Err(VmxError::unsupported(
            "disk device='lun' is only valid for block type disk source",
        ));
    }
    let local = matches!(
        disk.source,
        DiskSource::File(None) | DiskSource::Block(None) | DiskSource::Dir(None)
    );
    if disk.device == DiskDevice::Disk && local {
        return Err(no_source(dev));
    }
    Ok(())
}

fn source(source: &CharSource) -> Result<(), VmxError> {
    let missing = match source {
        CharSource::Dev { path: None }
        | CharSource::File { path: None, .. }
        | CharSource::Pipe { path: None } => "path",
        CharSource::Tcp { host: None, .. } => "host",
        CharSource::Tcp { service: None, .. } => "service",
        _ => return Ok(()),
    };
    Err(missing_attribute(missing))
}

/// The error for a port that lacks an attribute of its source.
pub(super) fn missing_attribute(name: &str) -> VmxError {
    VmxError::internal(format!("Missing source {name} attribute for char device"))
}

/// Checks that no two disks have one name or one address.
fn distinct(disks: &[Disk]) -> Result<(), VmxError> {
    let mut names: BTreeMap<&str, &Disk> = BTreeMap::new();
    for disk in disks {
        if let Some(first) = names.insert(&disk.target.dev, disk) {
            let path = |disk: &Disk| disk.source.path().unwrap_or("<null>").to_owned();
            let text = format!(
                "target '{}' duplicated for disk sources '{}' and '{}'",
                disk.target.dev,
                path(first),
                path(disk)
            );
            return Err(VmxError::new(ErrorNumber::XmlError, text));
        }
    }
    let mut places = BTreeMap::new();
    for disk in disks {
        let Some(Address::Drive(address)) = disk.info.address else {
            continue;
        };
        if let Some(first) = places.insert((disk.target.bus, address), disk) {
            return Err(VmxError::unsupported(format!(
                "Found duplicate drive address for disk with target name '{}' controller='{}' \
                 bus='{}' target='{}' unit='{}'",
                first.target.dev, address.controller, address.bus, address.target, address.unit
            )));
        }
    }
    Ok(())
}
