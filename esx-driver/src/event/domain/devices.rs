//! Events of devices: added, removed, and the media of drives.

use std::collections::BTreeMap;

use vi_client::property_set;
use vi_types::Poly;
use vi_types::objects::{
    VirtualCdrom, VirtualDevice, VirtualDeviceDeviceBackingInfo, VirtualDeviceFileBackingInfo,
    VirtualDeviceRemoteDeviceBackingInfo, VirtualDisk, VirtualFloppy,
};
use virt_model::event::TrayChangeReason;

use super::DomainEventDetail;
use crate::domain::DeviceName;

property_set! {
    pub(super) struct Configured: VirtualMachine {
        devices: Vec<Poly<VirtualDevice>> = config.hardware.device,
    }
}

/// The devices of a domain, as far as events are made of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Devices(BTreeMap<DeviceName, Device>);

#[derive(Debug, Clone, PartialEq)]
struct Device {
    /// With the type, what makes it the same device: a card of another model in the same place is another one.
    key: i32,
    kind: String,
    /// The file of a disk.
    file: Option<String>,
    /// What is in a drive.
    medium: Option<Medium>,
}

#[derive(Debug, Clone, PartialEq)]
struct Medium {
    source: String,
    is_inserted: bool,
}

impl Devices {
    /// The devices of a machine. A machine that is off disconnects its drives; what counts then is what it will do at its
    /// start, so that a start and a stop move no tray.
    pub(super) fn new(configured: Configured, is_active: bool) -> Devices {
        let all = &configured.devices;
        let named = all.iter().filter_map(|device| {
            let name = DeviceName::of(device, all)?;
            let is_drive = device.is::<VirtualCdrom>() || device.is::<VirtualFloppy>();
            Some((
                name,
                Device {
                    key: device.key,
                    kind: device.type_name().to_owned(),
                    file: device
                        .is::<VirtualDisk>()
                        .then(|| source(device))
                        .filter(|file| !file.is_empty()),
                    medium: is_drive.then(|| Medium {
                        source: source(device),
                        is_inserted: device.connectable.as_ref().is_some_and(
                            |it| match is_active {
                                true => it.connected,
                                false => it.start_connected,
                            },
                        ),
                    }),
                },
            ))
        });
        Devices(named.collect())
    }

    /// The disks with their files.
    pub(super) fn disks(&self) -> impl Iterator<Item = (String, &str)> {
        let disks = self.0.iter();
        disks.filter_map(|(name, device)| Some((name.to_string(), device.file.as_deref()?)))
    }
}

/// The events that lead from some devices to others.
pub(super) fn events(before: &Devices, now: &Devices) -> Vec<DomainEventDetail> {
    let is_in = |devices: &Devices, name: &DeviceName, device: &Device| {
        let other = devices.0.get(name);
        other.is_some_and(|other| (other.key, &other.kind) == (device.key, &device.kind))
    };
    let mut events = Vec::new();
    for (name, device) in &before.0 {
        if !is_in(now, name, device) {
            let alias = name.to_string();
            events.push(DomainEventDetail::DeviceRemoved { alias });
        }
    }
    for (name, device) in &now.0 {
        let alias = name.to_string();
        if !is_in(before, name, device) {
            events.push(DomainEventDetail::DeviceAdded { alias });
            continue;
        }
        let medium = before.0.get(name).and_then(|device| device.medium.as_ref());
        for reason in tray(medium, device.medium.as_ref()) {
            let alias = alias.clone();
            events.push(DomainEventDetail::TrayChange { alias, reason });
        }
    }
    events
}

/// How the tray moves. A medium that takes another's place needs the tray twice.
fn tray(before: Option<&Medium>, now: Option<&Medium>) -> Vec<TrayChangeReason> {
    use TrayChangeReason::{Close, Open};

    let (Some(before), Some(now)) = (before, now) else {
        return Vec::new();
    };
    match (before.is_inserted, now.is_inserted) {
        (true, true) if before.source != now.source => vec![Open, Close],
        (true, false) => vec![Open],
        (false, true) => vec![Close],
        _ => Vec::new(),
    }
}

/// The file or the host's device behind a device.
fn source(device: &VirtualDevice) -> String {
    let Some(backing) = &device.backing else {
        return String::new();
    };
    if let Some(file) = backing.cast::<VirtualDeviceFileBackingInfo>() {
        file.file_name.clone()
    } else if let Some(device) = backing.cast::<VirtualDeviceDeviceBackingInfo>() {
        device.device_name.clone()
    } else if let Some(device) = backing.cast::<VirtualDeviceRemoteDeviceBackingInfo>() {
        device.device_name.clone()
    } else {
        String::new()
    }
}
