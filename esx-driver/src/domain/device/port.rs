//! Serial and parallel ports.

use vi_types::Poly;
use vi_types::objects::{
    VirtualDevice, VirtualDeviceBackingInfo, VirtualDeviceConnectInfo,
    VirtualDeviceDeviceBackingInfo, VirtualDeviceFileBackingInfo, VirtualDevicePipeBackingInfo,
    VirtualDeviceUriBackingInfo, VirtualParallelPort, VirtualParallelPortDeviceBackingInfo,
    VirtualParallelPortFileBackingInfo, VirtualSerialPort, VirtualSerialPortDeviceBackingInfo,
    VirtualSerialPortFileBackingInfo, VirtualSerialPortPipeBackingInfo,
    VirtualSerialPortUriBackingInfo,
};

use super::disk::{file_name, is_same};
use super::{Applied, Keys, Name};

/// A serial or parallel port of a definition.
pub(super) struct WantedPort<'a> {
    pub(super) keys: &'a Keys,
    pub(super) name: Name,
    pub(super) is_on: bool,
}

impl WantedPort<'_> {
    /// The device for the host, without key and controller.
    pub(super) fn device(&self) -> Poly<VirtualDevice> {
        let base = VirtualDevice {
            backing: Some(self.backing()),
            connectable: Some(
                VirtualDeviceConnectInfo {
                    start_connected: true,
                    allow_guest_control: true,
                    connected: self.is_on,
                    ..VirtualDeviceConnectInfo::default()
                }
                .into(),
            ),
            ..VirtualDevice::default()
        };
        match self.is_serial() {
            true => VirtualSerialPort {
                base,
                yield_on_poll: true,
                ..VirtualSerialPort::default()
            }
            .into(),
            false => VirtualParallelPort {
                base,
                ..VirtualParallelPort::default()
            }
            .into(),
        }
    }

    /// The device `old` as it is wanted.
    pub(super) fn applied(&self, old: &Poly<VirtualDevice>) -> Applied {
        let is_alike = match self.is_serial() {
            true => old.is::<VirtualSerialPort>(),
            false => old.is::<VirtualParallelPort>(),
        };
        if !is_alike {
            return Applied::Other;
        }
        let backing = self.backing();
        if old
            .backing
            .as_ref()
            .is_some_and(|old| is_same_end(old, &backing))
        {
            return Applied::Same;
        }
        let mut device = old.clone();
        device.backing = Some(backing);
        Applied::Edited(device)
    }

    fn is_serial(&self) -> bool {
        matches!(self.name, Name::Serial(_))
    }

    fn backing(&self) -> Poly<VirtualDeviceBackingInfo> {
        let value = |key: &str| self.keys.of_name(self.name, key);
        let name = value("fileName").unwrap_or_default();
        let device = || VirtualDeviceDeviceBackingInfo {
            device_name: name.clone(),
            ..VirtualDeviceDeviceBackingInfo::default()
        };
        let file = || VirtualDeviceFileBackingInfo {
            file_name: file_name(name.clone()),
            ..VirtualDeviceFileBackingInfo::default()
        };
        match (self.is_serial(), value("fileType").as_deref()) {
            (true, Some("file")) => VirtualSerialPortFileBackingInfo {
                base: file(),
                ..Default::default()
            }
            .into(),
            (true, Some("pipe")) => VirtualSerialPortPipeBackingInfo {
                base: VirtualDevicePipeBackingInfo {
                    pipe_name: name,
                    ..Default::default()
                },
                endpoint: value("pipe.endPoint").unwrap_or_default(),
                no_rx_loss: Some(self.keys.is(self.name, "tryNoRxLoss")),
                ..VirtualSerialPortPipeBackingInfo::default()
            }
            .into(),
            (true, Some("network")) => VirtualSerialPortUriBackingInfo {
                base: VirtualDeviceUriBackingInfo {
                    service_uri: name,
                    direction: value("network.endPoint").unwrap_or_default(),
                    ..VirtualDeviceUriBackingInfo::default()
                },
                ..VirtualSerialPortUriBackingInfo::default()
            }
            .into(),
            (true, _) => VirtualSerialPortDeviceBackingInfo {
                base: device(),
                ..Default::default()
            }
            .into(),
            (false, Some("file")) => VirtualParallelPortFileBackingInfo {
                base: file(),
                ..Default::default()
            }
            .into(),
            (false, _) => VirtualParallelPortDeviceBackingInfo {
                base: device(),
                ..Default::default()
            }
            .into(),
        }
    }
}

/// Whether two backings are one end on the host. libvirt's definition has only the name of a pipe, and no proxy of a URI.
fn is_same_end(old: &Poly<VirtualDeviceBackingInfo>, new: &Poly<VirtualDeviceBackingInfo>) -> bool {
    let pipes = (
        old.cast::<VirtualDevicePipeBackingInfo>(),
        new.cast::<VirtualDevicePipeBackingInfo>(),
    );
    if let (Some(old), Some(new)) = pipes {
        return old.pipe_name == new.pipe_name;
    }
    let uris = (
        old.cast::<VirtualDeviceUriBackingInfo>(),
        new.cast::<VirtualDeviceUriBackingInfo>(),
    );
    if let (Some(old), Some(new)) = uris {
        return old.service_uri == new.service_uri && old.direction == new.direction;
    }
    is_same(old, new)
}
