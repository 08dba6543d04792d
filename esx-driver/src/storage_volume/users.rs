//! The machines that have a disk.

use vi_client::property_set;
use vi_client::retrieve::{Retrieve, Selection};
use vi_types::Poly;
use vi_types::enums::VirtualMachinePowerState::{self, PoweredOff};
use vi_types::objects::{
    VirtualDevice, VirtualDisk, VirtualMachineFileLayoutEx, VirtualMachineFileLayoutExDiskLayout,
};
use vi_types::properties::Datastore;
use virt_model::ErrorNumber;
use vmx::escape::PERCENT;

use super::file::File;
use super::key::links;
use crate::{Connect, Error, ErrorKind, Result};

property_set! {
    struct Machine: VirtualMachine {
        name: Option<String> = name,
        power_state: Option<VirtualMachinePowerState> = runtime.power_state,
        layout: Option<VirtualMachineFileLayoutEx> = layout_ex,
    }
}

property_set! {
    struct OldMachine: VirtualMachine {
        name: Option<String> = name,
        power_state: Option<VirtualMachinePowerState> = runtime.power_state,
        devices: Vec<Poly<VirtualDevice>> = config.hardware.device,
    }
}

/// A machine that has a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct User {
    /// The machine's name.
    name: String,
    is_running: bool,
    /// Whether other files hold changes to the disk, or the disk holds changes to another: the machine has snapshots.
    in_chain: bool,
}

impl File {
    /// The machine that has the file among those of its disks, if one has: one request.
    ///
    /// A machine with snapshots of the disk comes first, then one that runs.
    pub(super) async fn user(&self, connect: &Connect) -> Result<Option<User>> {
        let browser = self.store.browser(connect).await?;
        let request = Retrieve::from(&browser.moref)
            .skip_start()
            .select(Selection::along(|datastore: &Datastore| &datastore.vm));
        let path = self.path.to_string();
        let client = connect.client();
        let users: Vec<User> = if client.api_version().at_least(4, 0) {
            let machines = client.retrieve_set::<Machine>(request).await?.into_iter();
            let users = machines.filter_map(|machine| {
                let machine = machine.properties.ok()?;
                let in_chain = use_of(machine.layout.as_ref()?, &path)?;
                Some(User::new(machine.name, machine.power_state, in_chain))
            });
            users.collect()
        } else {
            let machines = client.retrieve_set::<OldMachine>(request).await?;
            let users = machines.into_iter().filter_map(|machine| {
                let machine = machine.properties.ok()?;
                let in_chain = use_by(&machine.devices, &path)?;
                Some(User::new(machine.name, machine.power_state, in_chain))
            });
            users.collect()
        };
        let users = users.into_iter();
        Ok(users.max_by_key(|user| (user.in_chain, user.is_running)))
    }

    /// Refuses to touch a disk whose content other files build on.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if a machine has snapshots of the disk.
    pub(super) async fn ensure_unchained(
        &self,
        connect: &Connect,
        could_not: &str,
    ) -> Result<Option<User>> {
        let user = self.user(connect).await?;
        match user {
            Some(user) if user.in_chain => {
                let (path, name) = (&self.path, &user.name);
                let message = format!(
                    "{could_not}: '{path}' belongs to a chain of snapshots of the domain '{name}'"
                );
                Err(Error::new(
                    ErrorKind::WrongState,
                    ErrorNumber::OperationInvalid,
                    message,
                )
                .advise(format!("delete the snapshots of '{name}' first")))
            }
            user => Ok(user),
        }
    }
}

impl User {
    fn new(
        name: Option<String>,
        power_state: Option<VirtualMachinePowerState>,
        in_chain: bool,
    ) -> User {
        let name = name.unwrap_or_default();
        User {
            name: PERCENT
                .unescape(&name)
                .map_or_else(|_| name.clone(), Into::into),
            is_running: power_state.is_some_and(|state| state != PoweredOff),
            in_chain,
        }
    }

    /// Whether the machine is not off.
    pub(super) fn is_running(&self) -> bool {
        self.is_running
    }

    /// The machine's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

/// Whether a machine's disks have the file: `Some(true)` if it belongs to a chain of several.
fn use_of(layout: &VirtualMachineFileLayoutEx, path: &str) -> Option<bool> {
    let mut files = layout.file.iter();
    let key = files.find(|file| file.name == path)?.key;
    let has = |disk: &VirtualMachineFileLayoutExDiskLayout| {
        let mut links = disk.chain.iter();
        links.any(|link| link.file_key.contains(&key))
    };
    let mut snapshots = layout.snapshot.iter().flat_map(|snapshot| &snapshot.disk);
    if snapshots.any(has) {
        return Some(true);
    }
    let mut disks = layout.disk.iter();
    disks
        .find(|disk| has(disk))
        .map(|disk| disk.chain.len() > 1)
}

/// The same by the machine's devices, on servers without such lists.
fn use_by(devices: &[Poly<VirtualDevice>], path: &str) -> Option<bool> {
    let disks = devices
        .iter()
        .filter_map(|device| device.cast::<VirtualDisk>());
    let mut chains = disks.map(links);
    let chain = chains.find(|chain| chain.contains(&path))?;
    Some(chain.len() > 1)
}

#[cfg(test)]
mod tests {
    use vi_types::objects::{
        VirtualMachineFileLayoutExDiskUnit, VirtualMachineFileLayoutExFileInfo,
        VirtualMachineFileLayoutExSnapshotLayout,
    };

    use super::*;

    fn disk(chain: &[i32]) -> VirtualMachineFileLayoutExDiskLayout {
        let unit = |key: &i32| VirtualMachineFileLayoutExDiskUnit {
            file_key: vec![*key],
            ..Default::default()
        };
        VirtualMachineFileLayoutExDiskLayout {
            chain: chain.iter().map(unit).collect(),
            ..Default::default()
        }
    }

    #[test]
    fn a_disk_with_snapshots_is_one_of_a_chain() {
        let file = |key: i32| VirtualMachineFileLayoutExFileInfo {
            key,
            name: key.to_string(),
            ..Default::default()
        };
        let layout = VirtualMachineFileLayoutEx {
            file: (1..=6).map(file).collect(),
            disk: vec![disk(&[1]), disk(&[2, 3])],
            snapshot: vec![VirtualMachineFileLayoutExSnapshotLayout {
                disk: vec![disk(&[4])],
                ..Default::default()
            }],
            ..Default::default()
        };
        for (path, expected) in [
            ("1", Some(false)),
            ("2", Some(true)),
            ("3", Some(true)),
            // The machine was reverted to a snapshot without it.
            ("4", Some(true)),
            // A file that is no disk.
            ("5", None),
            ("7", None),
        ] {
            assert_eq!(use_of(&layout, path), expected, "{path}");
        }
    }
}
