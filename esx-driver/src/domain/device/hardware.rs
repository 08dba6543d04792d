//! The devices that a machine has.

use vi_client::property_set;
use vi_types::Poly;
use vi_types::enums::VirtualMachinePowerState;
use vi_types::objects::VirtualDevice;
use virt_model::LibvirtVersion;
use virt_model::domain::{DiskBus, DriveAddress};
use vmx::Slot;

use super::Name;
use crate::Result;
use crate::domain::Domain;

property_set! {
    struct Configuration: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
        version: String = config.version,
        // vcsim has none.
        change_version: Option<String> = config.change_version,
        path: String = config.files.vm_path_name,
        devices: Vec<Poly<VirtualDevice>> = config.hardware.device,
    }
}

/// A machine's devices, with what a change of them needs to know.
#[derive(Debug, Clone)]
pub(in crate::domain) struct Hardware {
    pub(in crate::domain) devices: Vec<Poly<VirtualDevice>>,
    /// The `virtualHW.version`.
    pub(in crate::domain) version: u32,
    /// The libvirt version whose names devices have in documents.
    pub(in crate::domain) libvirt: LibvirtVersion,
    /// Identifies the state of the configuration. A change that names it is refused if there was another one meanwhile.
    pub(in crate::domain) change_version: Option<String>,
    pub(in crate::domain) power_state: VirtualMachinePowerState,
    /// The datastore path of the VMX file.
    pub(in crate::domain) path: String,
    /// Whether the machine runs, so that new devices are connected at once.
    pub(in crate::domain) is_on: bool,
}

impl Domain {
    /// Reads the machine's devices: one request.
    pub(in crate::domain) async fn hardware(&self) -> Result<Hardware> {
        let found: Configuration = self.properties().await?;
        Ok(Hardware {
            devices: found.devices,
            version: found
                .version
                .trim_start_matches("vmx-")
                .parse()
                .unwrap_or(4),
            libvirt: self.connect.uri().libvirt().unwrap_or_default(),
            change_version: found.change_version.filter(|version| !version.is_empty()),
            path: found.path,
            is_on: found.power_state == VirtualMachinePowerState::PoweredOn,
            power_state: found.power_state,
        })
    }
}

impl Hardware {
    /// A machine that is not made yet.
    pub(in crate::domain) fn nothing(version: u32) -> Hardware {
        Hardware {
            devices: Vec::new(),
            version,
            libvirt: LibvirtVersion::default(),
            change_version: None,
            power_state: VirtualMachinePowerState::PoweredOff,
            path: String::new(),
            is_on: false,
        }
    }

    /// The devices with their names, without those that libvirt has no word for.
    pub(in crate::domain) fn named(&self) -> impl Iterator<Item = (Name, &Poly<VirtualDevice>)> {
        let named = self
            .devices
            .iter()
            .map(|device| (Name::of(device, &self.devices), device));
        named.filter_map(|(name, device)| Some((name?, device)))
    }

    /// The device of that name.
    pub(in crate::domain) fn get(&self, name: Name) -> Option<&Poly<VirtualDevice>> {
        self.named()
            .find(|(known, _)| *known == name)
            .map(|(_, device)| device)
    }

    /// The name and the address of a slot in documents.
    pub(in crate::domain) fn names(&self, slot: Slot) -> (String, DriveAddress) {
        slot.names(self.version, self.libvirt)
    }

    /// The slot that documents call by this name.
    pub(in crate::domain) fn slot(&self, bus: DiskBus, dev: &str) -> Option<Slot> {
        Slot::all(bus, self.version, self.libvirt).find(|slot| self.names(*slot).0 == dev)
    }
}
