//! What hosts can reach: their own disks, and the iSCSI targets in their network.

use std::collections::HashMap;

use vi_types::ManagedObjectReference;

use super::inventory::parts::mix;
use crate::storage::IscsiTarget;

/// Disks, whether or not a host has looked for them.
#[derive(Default)]
pub(crate) struct Fabric {
    /// The targets in the network.
    pub(crate) targets: Vec<IscsiTarget>,
    /// The disks on the first adapter of each host. Several hosts can have the same one.
    disks: HashMap<ManagedObjectReference, Vec<Disk>>,
    /// CHAP secrets that hosts were told, by host and by what they are for. Servers give none back.
    secrets: HashMap<(ManagedObjectReference, String), String>,
    /// What was made of exported folders that were mounted once. Their content is still there.
    pub(crate) exports: HashMap<(String, String), ManagedObjectReference>,
    /// Hosts with VMFS datastores that were unmounted there. A rescan does not mount them.
    pub(crate) unmounted: Vec<(ManagedObjectReference, ManagedObjectReference)>,
    /// Hosts with VMFS datastores whose disks they don't see any more.
    pub(crate) lost: Vec<(ManagedObjectReference, ManagedObjectReference)>,
}

/// A disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Disk {
    /// Its canonical name, such as `naa.600508b1001c…`.
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) kind: DiskKind,
}

/// Where a disk is, and what is on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiskKind {
    /// In the host.
    Local,
    /// In the host, with a partition of another operating system.
    Foreign,
    /// A disk of an iSCSI target.
    Iscsi,
}

impl Disk {
    /// A disk in a host, whose name depends on a text.
    pub(crate) fn local(seed: &str, bytes: u64, kind: DiskKind) -> Self {
        let (high, low) = (hash(seed), mix(hash(seed)));
        Self {
            name: format!("naa.600508b1001c{:04x}{low:016x}", high & 0xffff),
            bytes,
            kind,
        }
    }

    /// A disk of a target.
    pub(crate) fn of_target(target: &IscsiTarget, lun: usize, bytes: u64) -> Self {
        let (high, low) = (hash(&target.name), mix(hash(&target.name) ^ lun as u64));
        Self {
            name: format!("naa.6001405{:09x}{low:016x}", high & 0xf_ffff_ffff),
            bytes,
            kind: DiskKind::Iscsi,
        }
    }

    /// What `scsiLun.uuid` is for it.
    pub(crate) fn uuid(&self, lun: usize) -> String {
        let digits = self.name.trim_start_matches("naa.");
        let model = match self.kind {
            DiskKind::Iscsi => "4c554e202020",
            _ => "4c4f47494341",
        };
        format!("0200{lun:02x}0000{digits}{model}")
    }

    /// `/vmfs/devices/disks/naa.…`.
    pub(crate) fn path(&self) -> String {
        format!("/vmfs/devices/disks/{}", self.name)
    }
}

/// A number that depends on a text, the same in every run.
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |number, byte| {
        mix(number ^ u64::from(byte))
    })
}

impl Fabric {
    /// The disks on the first adapter of a host.
    pub(crate) fn disks(&self, host: &ManagedObjectReference) -> &[Disk] {
        self.disks.get(host).map_or(&[], Vec::as_slice)
    }

    /// Gives a host a disk, unless it has it.
    pub(crate) fn attach(&mut self, host: &ManagedObjectReference, disk: Disk) {
        let disks = self.disks.entry(host.clone()).or_default();
        if !disks.iter().any(|other| other.name == disk.name) {
            disks.push(disk);
        }
    }

    /// A target with an address.
    pub(crate) fn target(&self, name: &str, address: &str, port: i32) -> Option<&IscsiTarget> {
        self.targets.iter().find(|target| {
            let here = |(own, own_port): &(String, i32)| own == address && *own_port == port;
            target.name == name && target.portals().iter().any(here)
        })
    }

    /// The secret that a host was told for something.
    pub(crate) fn secret(&self, host: &ManagedObjectReference, of: &str) -> Option<&str> {
        let secret = self.secrets.get(&(host.clone(), of.to_owned()));
        secret.map(String::as_str)
    }

    /// Remembers or forgets a secret.
    pub(crate) fn set_secret(
        &mut self,
        host: &ManagedObjectReference,
        of: &str,
        secret: Option<String>,
    ) {
        let key = (host.clone(), of.to_owned());
        match secret {
            Some(secret) => self.secrets.insert(key, secret),
            None => self.secrets.remove(&key),
        };
    }

    /// Whether a volume was unmounted on a host.
    pub(crate) fn is_unmounted(
        &self,
        host: &ManagedObjectReference,
        store: &ManagedObjectReference,
    ) -> bool {
        self.unmounted
            .iter()
            .any(|(on, what)| on == host && what == store)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disks_have_names_of_32_digits_that_differ() {
        let target = IscsiTarget::new("iqn.a");
        let disks = [
            Disk::local("a", 1, DiskKind::Local),
            Disk::local("b", 1, DiskKind::Local),
            Disk::of_target(&target, 0, 1),
            Disk::of_target(&target, 1, 1),
        ];
        for (index, disk) in disks.iter().enumerate() {
            let digits = disk.name.strip_prefix("naa.").unwrap();
            assert_eq!(digits.len(), 32, "{digits}");
            assert!(disks[..index].iter().all(|other| other.name != disk.name));
        }
    }
}
