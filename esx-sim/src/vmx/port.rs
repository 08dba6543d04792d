//! Serial and parallel ports in VMX files.

use vi_types::Poly;
use vi_types::objects::{
    VirtualDevice, VirtualDeviceBackingInfo, VirtualDeviceDeviceBackingInfo,
    VirtualDeviceFileBackingInfo, VirtualDevicePipeBackingInfo, VirtualDeviceUriBackingInfo,
    VirtualParallelPort, VirtualParallelPortDeviceBackingInfo, VirtualParallelPortFileBackingInfo,
    VirtualSerialPort, VirtualSerialPortDeviceBackingInfo, VirtualSerialPortFileBackingInfo,
    VirtualSerialPortPipeBackingInfo, VirtualSerialPortThinPrintBackingInfo,
    VirtualSerialPortUriBackingInfo,
};

use super::File;
use super::read::Maker;
use crate::machine::device::device;

impl File {
    /// A serial or parallel port.
    pub(super) fn port(&mut self, device: &Poly<VirtualDevice>) {
        let slot = match device.is::<VirtualSerialPort>() {
            true => format!("serial{}", device.key - SERIAL),
            false => format!("parallel{}", device.key - PARALLEL),
        };
        self.set(&format!("{slot}.present"), "TRUE");
        self.start_connected(&slot, device);
        if let Some(backing) = device.backing.as_ref() {
            self.port_backing(&slot, backing);
        }
        if device
            .cast::<VirtualSerialPort>()
            .is_some_and(|port| port.yield_on_poll)
        {
            self.set(&format!("{slot}.yieldOnMsrRead"), "TRUE");
        }
    }

    fn port_backing(&mut self, slot: &str, backing: &Poly<VirtualDeviceBackingInfo>) {
        let mut kind = |kind: &str, name: &str| {
            self.set(&format!("{slot}.fileType"), kind);
            self.set(&format!("{slot}.fileName"), name);
        };
        if let Some(device) = backing.cast::<VirtualDeviceDeviceBackingInfo>() {
            kind("device", &device.device_name);
        }
        if let Some(uri) = backing.cast::<VirtualDeviceUriBackingInfo>() {
            kind("network", &uri.service_uri);
            self.set(&format!("{slot}.network.endPoint"), &uri.direction);
            return;
        }
        if let Some(pipe) = backing.cast::<VirtualDevicePipeBackingInfo>() {
            kind("pipe", &pipe.pipe_name);
        }
        if let Some(pipe) = backing.cast::<VirtualSerialPortPipeBackingInfo>() {
            self.set(&format!("{slot}.pipe.endPoint"), &pipe.endpoint);
            let is_lossless = pipe.no_rx_loss == Some(true);
            let is_lossless = if is_lossless { "TRUE" } else { "FALSE" };
            self.set(&format!("{slot}.tryNoRxLoss"), is_lossless);
        }
        if let Some(file) = backing.cast::<VirtualDeviceFileBackingInfo>() {
            let name = self.file_name(file);
            self.set(&format!("{slot}.fileType"), "file");
            self.set(&format!("{slot}.fileName"), &name);
        }
        if backing.is::<VirtualSerialPortThinPrintBackingInfo>() {
            self.set(&format!("{slot}.fileType"), "thinprint");
        }
    }
}

/// Keys of the first serial and the first parallel port.
const SERIAL: i32 = 9000;
const PARALLEL: i32 = 10_000;

impl Maker<'_> {
    pub(super) fn serial(&mut self, index: i32) {
        let slot = format!("serial{index}");
        if !self.is_present(&slot) {
            return;
        }
        let port = VirtualSerialPort {
            base: VirtualDevice {
                backing: self.serial_backing(&slot),
                connectable: self.connectable(&slot),
                ..device(SERIAL + index, None)
            },
            yield_on_poll: self.is(&slot, "yieldOnMsrRead"),
            ..VirtualSerialPort::default()
        };
        self.add(port);
    }

    pub(super) fn parallel(&mut self, index: i32) {
        let slot = format!("parallel{index}");
        if !self.is_present(&slot) {
            return;
        }
        let backing = match self.value(&slot, "fileType").eq_ignore_ascii_case("file") {
            true => VirtualParallelPortFileBackingInfo {
                base: self.file(&self.value(&slot, "fileName")),
                ..Default::default()
            }
            .into(),
            false => VirtualParallelPortDeviceBackingInfo {
                base: self.host_device(&slot),
                ..Default::default()
            }
            .into(),
        };
        let port = VirtualParallelPort {
            base: VirtualDevice {
                backing: Some(backing),
                connectable: self.connectable(&slot),
                ..device(PARALLEL + index, None)
            },
            ..VirtualParallelPort::default()
        };
        self.add(port);
    }

    fn serial_backing(&self, slot: &str) -> Option<Poly<VirtualDeviceBackingInfo>> {
        let name = self.value(slot, "fileName");
        let kind = self.value(slot, "fileType").to_ascii_lowercase();
        Some(match &*kind {
            "file" => VirtualSerialPortFileBackingInfo {
                base: self.file(&name),
                ..Default::default()
            }
            .into(),
            "pipe" => VirtualSerialPortPipeBackingInfo {
                base: VirtualDevicePipeBackingInfo {
                    pipe_name: name,
                    ..Default::default()
                },
                endpoint: self.value(slot, "pipe.endPoint"),
                no_rx_loss: Some(self.is(slot, "tryNoRxLoss")),
                ..Default::default()
            }
            .into(),
            "network" => VirtualSerialPortUriBackingInfo {
                base: VirtualDeviceUriBackingInfo {
                    service_uri: name,
                    direction: match self.value(slot, "network.endPoint") {
                        none if none.is_empty() => "server".to_owned(),
                        direction => direction,
                    },
                    ..Default::default()
                },
                ..Default::default()
            }
            .into(),
            "thinprint" => VirtualSerialPortThinPrintBackingInfo::default().into(),
            "device" => VirtualSerialPortDeviceBackingInfo {
                base: self.host_device(slot),
                ..Default::default()
            }
            .into(),
            _ => return None,
        })
    }

    /// The device of the host that a slot names.
    pub(super) fn host_device(&self, slot: &str) -> VirtualDeviceDeviceBackingInfo {
        VirtualDeviceDeviceBackingInfo {
            device_name: self.value(slot, "fileName"),
            use_auto_detect: Some(self.is(slot, "autodetect")),
            ..VirtualDeviceDeviceBackingInfo::default()
        }
    }
}
