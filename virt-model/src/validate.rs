//! libvirt's generic checks of definitions, which it makes for every driver.
//!
//! The checks and their order are those of libvirt 9.0's `virDomainDefValidate` and of its callers,
//! observed with `virsh domxml-to-native`.

mod chardev;
mod cpu;
mod disk;
mod known;

use std::collections::BTreeSet;

use crate::{
    DomainDef, ErrorNumber, XmlError,
    domain::{
        CharDevice, CharSource, Defaults, Device, Filesystem, FilesystemType, Interface, Video,
        VideoModel,
    },
};

impl DomainDef {
    /// Checks a complete definition ([`post_parse`](DomainDef::post_parse)) as libvirt checks it
    /// before it is defined or converted.
    ///
    /// # Errors
    /// libvirt's first error.
    pub fn validate(&self, defaults: &Defaults) -> Result<(), XmlError> {
        let devices = &self.devices;
        devices.videos.iter().try_for_each(check_video)?;
        cpu::check_tune(&self.cpu_tune)?;
        if let Some(topology) = self.cpu.as_ref().and_then(|cpu| cpu.topology.as_ref()) {
            cpu::check_topology(topology)?;
        }
        self.check_controllers()?;
        if !defaults.any_net_model {
            devices.interfaces.iter().try_for_each(check_net_model)?;
        }
        devices.disks.iter().try_for_each(disk::check)?;
        devices.filesystems.iter().try_for_each(check_filesystem)?;
        let is_serial = |console: &CharDevice| console.target_type.as_deref() == Some("serial");
        if devices.consoles.iter().skip(1).any(is_serial) {
            return Err(unsupported("Only the first console can be a serial port"));
        }
        if devices.videos.iter().filter(|video| video.primary).count() > 1 {
            return Err(unsupported("Only one primary video device is supported"));
        }
        let ports = devices.serials.iter().chain(&devices.parallels);
        let mut ports = ports.chain(&devices.consoles);
        ports.try_for_each(|port| chardev::check_source(&port.source))?;
        for channel in &devices.channels {
            // The hypervisor chooses the path of a channel's socket.
            if !matches!(channel.source, CharSource::Unix { .. }) {
                chardev::check_source(&channel.source)?;
            }
        }
        disk::check_distinct(&devices.disks)
    }

    fn check_controllers(&self) -> Result<(), XmlError> {
        let mut indices = BTreeSet::new();
        for controller in &self.devices.controllers {
            let (kind, index) = (controller.kind, controller.index);
            if !indices.insert((kind, index)) {
                let text = format!("Multiple '{kind}' controllers with index '{index}'");
                return Err(XmlError::new(ErrorNumber::XmlError, text));
            }
        }
        Ok(())
    }
}

impl Device {
    /// Checks a complete device ([`post_parse`](Device::post_parse)) as libvirt checks it before a driver
    /// gets it (`virDomainDeviceDefValidate`). That it fits to the domain's other devices is not
    /// checked.
    ///
    /// # Errors
    /// libvirt's first error.
    pub fn validate(&self, defaults: &Defaults) -> Result<(), XmlError> {
        match self {
            Device::Video(video) => check_video(video),
            Device::Interface(interface) if !defaults.any_net_model => check_net_model(interface),
            Device::Disk(disk) => disk::check(disk),
            Device::Filesystem(filesystem) => check_filesystem(filesystem),
            Device::Serial(port) | Device::Parallel(port) | Device::Console(port) => {
                chardev::check_source(&port.source)
            }
            Device::Channel(channel) if !matches!(channel.source, CharSource::Unix { .. }) => {
                chardev::check_source(&channel.source)
            }
            _ => Ok(()),
        }
    }
}

fn check_video(video: &Video) -> Result<(), XmlError> {
    for (name, size) in [
        ("ram", video.ram),
        ("vram64", video.vram64),
        ("vgamem", video.vgamem),
    ] {
        if size.is_some_and(|size| size > 0) && video.model != VideoModel::Qxl {
            return Err(unsupported(format!(
                "{name} attribute only supported for video type qxl"
            )));
        }
    }
    Ok(())
}

fn check_net_model(interface: &Interface) -> Result<(), XmlError> {
    let Some(model) = &interface.model else {
        return Ok(());
    };
    if Interface::known_model(model).is_some() {
        return Ok(());
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !model.bytes().all(plain) {
        let text = "Model name contains invalid characters";
        return Err(XmlError::new(ErrorNumber::InvalidArg, text));
    }
    Err(unsupported(format!("driver does not support net model '{model}'")).with_value(model))
}

fn check_filesystem(filesystem: &Filesystem) -> Result<(), XmlError> {
    let needs_source = !matches!(
        filesystem.kind,
        FilesystemType::Ram | FilesystemType::Volume
    );
    match needs_source && filesystem.source.is_none() {
        true => Err(XmlError::new(ErrorNumber::NoSource, &filesystem.target)),
        false => Ok(()),
    }
}

fn unsupported(message: impl Into<String>) -> XmlError {
    XmlError::new(ErrorNumber::ConfigUnsupported, message)
}

fn internal(message: impl Into<String>) -> XmlError {
    XmlError::new(ErrorNumber::InternalError, message)
}
