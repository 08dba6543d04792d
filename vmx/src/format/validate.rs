//! What libvirt's reader refuses in a document, as far as it is about what VMX files have.

use std::collections::{BTreeMap, BTreeSet};

use virt_model::domain::{
    Address, CharDevice, CharSource, ControllerType, CpuTune, Devices, Disk, DiskBus, DiskDevice,
    DiskSource, FilesystemType, InterfaceSource, VideoModel,
};
use virt_model::{DomainDef, ErrorNumber};

use super::ethernet::known_model;
use crate::{LibvirtVersion, VmxError};

/// Checks what libvirt's reader didn't know then.
pub(super) fn known(def: &DomainDef, libvirt: LibvirtVersion) -> Result<(), VmxError> {
    capabilities(def)?;
    let devices = &def.devices;
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
    // Where VMware has its file now was a firmware's, which names a file or is chosen by libvirt.
    let named = def
        .os
        .loader
        .as_ref()
        .is_some_and(|loader| loader.path.is_some());
    let has_nvram = def.os.nvram.is_some() || def.os.nvram_template.is_some();
    if has_nvram && !named && def.os.firmware.is_none() && libvirt < LibvirtVersion::V12_4 {
        let text = "no loader path specified and firmware auto selection disabled";
        return Err(VmxError::new(ErrorNumber::XmlDetail, text));
    }
    Ok(())
}

/// What the host says it can run: whole machines of VMware's for PCs.
fn capabilities(def: &DomainDef) -> Result<(), VmxError> {
    let arch = def.os.arch.as_deref().unwrap_or("i686");
    let os_type = match def.os.os_type.as_str() {
        "hvm" => String::new(),
        other => format!("ostype={other} "),
    };
    let kind = match def.virt_type.as_str() {
        // Any, for libvirt.
        "none" => String::new(),
        kind => format!("domaintype={kind} "),
    };
    let known = matches!(arch, "i686" | "x86_64") && os_type.is_empty();
    if known && (kind.is_empty() || def.virt_type == "vmware") {
        return Ok(());
    }
    // libvirt's text ends in a blank.
    let text = format!("could not find capabilities for {os_type}arch={arch} {kind}");
    Err(VmxError::new(ErrorNumber::InvalidArg, text)
        .with_help("type 'vmware', arch 'i686' or 'x86_64', os type 'hvm'"))
}

/// Checks what libvirt checks before it comes to VMX.
pub(super) fn validate(def: &DomainDef) -> Result<(), VmxError> {
    let devices = &def.devices;
    for video in &devices.videos {
        for (name, size) in [
            ("ram", video.ram),
            ("vram64", video.vram64),
            ("vgamem", video.vgamem),
        ] {
            if size.is_some_and(|size| size > 0) && video.model != VideoModel::Qxl {
                return Err(VmxError::unsupported(format!(
                    "{name} attribute only supported for video type qxl"
                )));
            }
        }
    }
    tuning(&def.cpu_tune)?;
    if let Some(topology) = def.cpu.as_ref().and_then(|cpu| cpu.topology) {
        let counts = [
            topology.sockets,
            topology.dies.unwrap_or(1),
            topology.clusters.unwrap_or(1),
            topology.cores,
            topology.threads,
        ];
        let product = counts
            .into_iter()
            .try_fold(1_u32, |product, count| product.checked_mul(count));
        if product.is_none() {
            return Err(VmxError::unsupported(format!(
                "cpu topology results in more than {} cpus",
                u32::MAX
            )));
        }
    }
    let mut indices = BTreeSet::new();
    for controller in &devices.controllers {
        let (kind, index) = (controller.kind, controller.index);
        if !indices.insert((kind, index)) {
            let text = format!("Multiple '{kind}' controllers with index '{index}'");
            return Err(VmxError::new(ErrorNumber::XmlError, text));
        }
    }
    for interface in &devices.interfaces {
        if let Some(model) = &interface.model
            && known_model(model).is_none()
        {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
            if !model.bytes().all(plain) {
                let text = "Model name contains invalid characters";
                return Err(VmxError::new(ErrorNumber::InvalidArg, text));
            }
            return Err(VmxError::unsupported(format!(
                "driver does not support net model '{model}'"
            ))
            .with_value(model));
        }
    }
    devices.disks.iter().try_for_each(disk)?;
    for filesystem in &devices.filesystems {
        let named = !matches!(
            filesystem.kind,
            FilesystemType::Ram | FilesystemType::Volume
        );
        if named && filesystem.source.is_none() {
            return Err(no_source(&filesystem.target));
        }
    }
    let is_serial = |console: &CharDevice| console.target_type.as_deref() == Some("serial");
    if devices.consoles.iter().skip(1).any(is_serial) {
        return Err(VmxError::unsupported(
            "Only the first console can be a serial port",
        ));
    }
    if devices.videos.iter().filter(|video| video.primary).count() > 1 {
        return Err(VmxError::unsupported(
            "Only one primary video device is supported",
        ));
    }
    ports(devices).try_for_each(|port| source(&port.source))?;
    // The sockets of channels have paths of the hypervisor's choice.
    let channels = devices.channels.iter().map(|channel| &channel.source);
    let channels = channels.filter(|source| !matches!(source, CharSource::Unix { .. }));
    channels.into_iter().try_for_each(source)?;
    distinct(&devices.disks)
}

/// The bounds of what the kernel's schedulers take.
fn tuning(tune: &CpuTune) -> Result<(), VmxError> {
    let times = 1000..=1_000_000;
    let quotas = 1000..=17_592_186_044_415;
    // Below zero there is no limit.
    let quota = |quota: Option<i64>| quota.and_then(|quota| u64::try_from(quota).ok());
    for (name, value, range) in [
        ("shares", tune.shares, 2..=262_144),
        ("period", tune.period, times.clone()),
        ("quota", quota(tune.quota), quotas.clone()),
        ("global_period", tune.global_period, times),
        ("global_quota", quota(tune.global_quota), quotas),
    ] {
        if value.is_some_and(|value| value > 0 && !range.contains(&value)) {
            return Err(VmxError::unsupported(format!(
                "Value of cputune '{name}' must be in range [{}, {}]",
                range.start(),
                range.end()
            )));
        }
    }
    Ok(())
}

fn ports(devices: &Devices) -> impl Iterator<Item = &CharDevice> {
    let ports = devices.serials.iter().chain(&devices.parallels);
    ports.chain(&devices.consoles)
}

/// The error for a device that has to have a source.
pub(super) fn no_source(device: &str) -> VmxError {
    VmxError::new(ErrorNumber::NoSource, device).with_help("a <source>")
}

fn disk(disk: &Disk) -> Result<(), VmxError> {
    let (dev, bus) = (&disk.target.dev, disk.target.bus);
    let outside = matches!(
        disk.source,
        DiskSource::Block(_) | DiskSource::Network(_) | DiskSource::Volume(_)
    );
    if disk.device == DiskDevice::Lun && !outside {
        return Err(VmxError::unsupported(
            "disk device='lun' is only valid for block type disk source",
        ));
    }
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
        | CharSource::Pipe { path: None }
        | CharSource::Unix { path: None, .. } => "path",
        CharSource::Udp {
            connect_service: None,
            ..
        } => "service",
        CharSource::SpicePort { channel: None } => {
            return Err(VmxError::unsupported(
                "Missing source channel attribute for char device",
            ));
        }
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
