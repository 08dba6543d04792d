use esx_driver::{DatastorePath, Domain, ErrorKind, UndefineFlags};
use serde::Serialize;
use virt_model::domain::{Disk, DiskDevice, DomainDef};
use virt_model::{Document as _, DomainXmlFlags};

use crate::answer::{self, Format};
use crate::commands::Command;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::{self, check_exclusive, check_requires};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, foreign};

/// undefine an inactive domain
///
/// The host unregisters the domain; its files stay on their datastores, except those that the options name. With
/// --remove-all-storage and --delete-storage-volume-snapshots the host removes everything that belongs to the domain.
#[derive(Debug, clap::Args)]
pub(crate) struct Undefine {
    #[command(flatten)]
    domain: DomainArg,

    /// remove domain managed state file
    #[arg(long)]
    managed_save: bool,

    /// remove associated storage volumes (comma separated list of targets or source paths) (see domblklist)
    #[arg(value_name = "storage")]
    storage: Option<String>,

    /// remove all associated storage volumes (use with caution)
    #[arg(long)]
    remove_all_storage: bool,

    /// delete snapshots associated with volume(s), requires --remove-all-storage (must be supported by storage driver)
    #[arg(long)]
    delete_storage_volume_snapshots: bool,

    /// wipe data on the removed volumes
    #[arg(long)]
    wipe_storage: bool,

    /// remove all domain snapshot metadata (vm must be inactive)
    #[arg(long)]
    snapshots_metadata: bool,

    /// remove all domain checkpoint metadata (vm must be inactive)
    #[arg(long)]
    checkpoints_metadata: bool,

    /// remove nvram file
    #[arg(long)]
    nvram: bool,

    /// keep nvram file
    #[arg(long)]
    keep_nvram: bool,

    /// remove TPM state
    #[arg(long)]
    tpm: bool,

    /// keep TPM state
    #[arg(long)]
    keep_tpm: bool,
}

/// A domain that was undefined.
#[derive(Debug, Serialize)]
struct Undefined {
    name: String,
    /// Those that were to be removed.
    volumes: Vec<Volume>,
}

/// A disk or an image of the domain.
#[derive(Debug, Serialize)]
struct Volume {
    target: String,
    path: String,
    removed: bool,

    #[serde(skip)]
    is_disk: bool,
}

impl Command for Undefine {
    fn check(&self) -> Result<(), Failure> {
        check_requires(
            (
                "delete-storage-volume-snapshots",
                self.delete_storage_volume_snapshots,
            ),
            ("remove-all-storage", self.remove_all_storage),
        )?;
        check_exclusive([("nvram", self.nvram), ("keep-nvram", self.keep_nvram)])?;
        check_exclusive([("tpm", self.tpm), ("keep-tpm", self.keep_tpm)])?;
        match self.wipe_storage && !self.removes_storage() {
            true => Err(Failure::new(
                "'--wipe-storage' requires '--storage <string>' or '--remove-all-storage'",
            )),
            false => Ok(()),
        }
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let domain = self.domain.find(connection).await?;
        let volumes = match self.removes_storage() {
            true => self.volumes(ui, connection, &domain).await?,
            false => Vec::new(),
        };
        self.undefine(connection, &domain).await?;
        let mut undefined = Undefined {
            name: domain.name().to_owned(),
            volumes,
        };
        say(
            ui,
            format!(
                "Domain '{}' has been undefined\n",
                foreign::line(&undefined.name)
            ),
        )?;
        let reason = self.remove(ui, connection, &mut undefined.volumes).await?;
        match ui.format() {
            Format::Text => {}
            Format::Json => ui.print(&answer::json(SCHEMA, &undefined))?,
            Format::Jsonl => ui.print(&answer::json_line(SCHEMA, &undefined))?,
        }
        match reason {
            Some(reason) => Err(reason),
            None => Ok(()),
        }
    }
}

const SCHEMA: &str = "virt-esx/domain-undefined/1";

impl Undefine {
    fn removes_storage(&self) -> bool {
        self.remove_all_storage || self.storage().is_some()
    }

    /// The value of `--storage`; virsh takes an empty one for none.
    fn storage(&self) -> Option<&str> {
        self.storage.as_deref().filter(|text| !text.is_empty())
    }

    /// The volumes that the options name and that are there.
    async fn volumes(
        &self,
        ui: &Ui,
        connection: &Connection,
        domain: &Domain,
    ) -> Result<Vec<Volume>, Failure> {
        if domain.id().is_some() {
            return Err(Failure::new(
                "Storage volume deletion is supported only on stopped domains",
            ));
        }
        if self.storage().is_some() && self.remove_all_storage {
            return Err(Failure::new(
                "Specified both --storage and --remove-all-storage",
            ));
        }
        let xml = domain.xml_desc(DomainXmlFlags::INACTIVE).await?;
        let read = DomainDef::read_xml(&xml);
        let read = read.map_err(|error| Failure::new(error.to_string()))?;
        let mut names = self.storage().map(split);
        let disks = &read.document.devices.disks;
        let listed = names.as_deref().unwrap_or_default();
        if let Some(name) = listed.iter().find(|name| is_unclear(name, listed, disks)) {
            let line = format!("Several disks are called '{name}'");
            return Err(
                Failure::new(line).advise("use the sources of the disks, which domblklist shows")
            );
        }
        let mut volumes = Vec::new();
        for disk in disks {
            let Some(path) = disk.source.path() else {
                continue;
            };
            if let Some(names) = &mut names {
                let is_it = |name: &String| *name == disk.target.dev || name == path;
                let Some(at) = names.iter().position(is_it) else {
                    continue;
                };
                names.remove(at);
            }
            volumes.push(Volume {
                target: disk.target.dev.clone(),
                path: path.to_owned(),
                removed: false,
                is_disk: disk.device == DiskDevice::Disk,
            });
        }
        if let Some(name) = names.and_then(|names| names.into_iter().next()) {
            return Err(Failure::new(format!(
                "Volume '{name}' was not found in domain's definition.\n"
            )));
        }
        let mut found = Vec::new();
        for volume in volumes {
            let is_there = match volume.path.parse::<DatastorePath>() {
                Ok(path) if volume.is_disk => connection.has_disk(&path).await?,
                Ok(_) => true,
                Err(_) => false,
            };
            match is_there {
                true => found.push(volume),
                // virsh goes on, and the exit status is 0.
                false => ui.tell(&format!(
                    "error: Storage volume '{}'({}) is not managed by libvirt. Remove it manually.\n\n",
                    foreign::line(&volume.target),
                    foreign::line(&volume.path)
                )),
            }
        }
        Ok(found)
    }

    async fn undefine(&self, connection: &Connection, domain: &Domain) -> Result<(), Failure> {
        let failed = |reason| {
            let line = format!("Failed to undefine domain '{}'", domain.name());
            Failure::because(line, reason)
        };
        let writable = connection.check_writable("virDomainUndefineFlags");
        writable.map_err(failed)?;
        let flags = [
            (self.managed_save, UndefineFlags::MANAGED_SAVE),
            (self.snapshots_metadata, UndefineFlags::SNAPSHOTS_METADATA),
            (
                self.checkpoints_metadata,
                UndefineFlags::CHECKPOINTS_METADATA,
            ),
            (self.nvram, UndefineFlags::NVRAM),
            (self.keep_nvram, UndefineFlags::KEEP_NVRAM),
            (self.tpm, UndefineFlags::TPM),
            (self.keep_tpm, UndefineFlags::KEEP_TPM),
        ];
        let flags = options::flags(UndefineFlags::NONE, flags);
        let undefined = match self.delete_storage_volume_snapshots && !self.wipe_storage {
            true => domain.undefine_with_files().await,
            false => match domain.undefine(flags).await {
                // virsh 9.0.0 then undefines the domain without flags, unless there is --nvram.
                Err(error) if error.kind() == ErrorKind::UnsupportedFlags && !self.nvram => {
                    domain.undefine(UndefineFlags::NONE).await
                }
                undefined => undefined,
            },
        };
        undefined.map_err(|error| failed(error.into()))
    }

    /// Removes the volumes. Returns the last reason for which one could not be removed: as in virsh it follows the lines of all.
    async fn remove(
        &self,
        ui: &Ui,
        connection: &Connection,
        volumes: &mut [Volume],
    ) -> Result<Option<Failure>, Failure> {
        let is_gone = self.delete_storage_volume_snapshots && !self.wipe_storage;
        let mut reason = None;
        for volume in volumes {
            let named = format!(
                "'{}'({})",
                foreign::line(&volume.target),
                foreign::line(&volume.path)
            );
            let Ok(path) = volume.path.parse::<DatastorePath>() else {
                continue;
            };
            if is_gone && !volume.is_disk {
                continue;
            }
            if self.wipe_storage {
                say(ui, format!("Wiping volume {named} ... "))?;
                if let Err(error) = connection.wipe_disk(&path).await {
                    ui.fail("error: Failed! Volume not removed.\n");
                    reason = Some(error.into());
                    continue;
                }
                say(ui, "Done.\n".to_owned())?;
            }
            let removed = match is_gone {
                true => Ok(()),
                false => connection.delete_disk(&path).await,
            };
            match removed {
                Ok(()) => {
                    volume.removed = true;
                    say(ui, format!("Volume {named} removed.\n"))?;
                }
                Err(error) => {
                    ui.fail(&format!("error: Failed to remove storage volume {named}\n"));
                    reason = Some(error.into());
                }
            }
        }
        Ok(reason)
    }
}

/// Prints a text that `--quiet` and JSON leave out.
fn say(ui: &Ui, text: String) -> Result<(), Failure> {
    match ui.format() {
        Format::Text if !ui.is_quiet() => Ok(ui.print(&text)?),
        _ => Ok(()),
    }
}

/// Whether a name in a list leaves a hard disk out that is called so, too: libvirt calls one on SCSI and one on SATA both `sda`.
/// Each mention of a name is one disk, in their order, so that a CD-ROM drive behind the disk does not matter.
fn is_unclear(name: &str, listed: &[String], disks: &[Disk]) -> bool {
    let mentions = listed.iter().filter(|listed| *listed == name).count();
    let called = disks
        .iter()
        .filter(|disk| disk.target.dev == name && disk.source.path().is_some());
    let mut left_out = called.skip(mentions);
    left_out.any(|disk| disk.device == DiskDevice::Disk)
}

/// The names of a list; two commas are one in a name.
fn split(list: &str) -> Vec<String> {
    let mut names = vec![String::new()];
    let mut characters = list.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            ',' if characters.next_if_eq(&',').is_none() => names.push(String::new()),
            character => {
                if let Some(name) = names.last_mut() {
                    name.push(character);
                }
            }
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use virt_model::domain::{Disk, DiskBus, DiskDevice, DiskSource};

    use super::{is_unclear, split};

    #[test]
    fn no_hard_disk_is_left_out_by_its_name() {
        let disk = |device, bus, dev: &str| {
            let mut disk = Disk {
                device,
                source: DiskSource::File(Some("[ds] a".to_owned())),
                ..Disk::default()
            };
            disk.target.bus = bus;
            disk.target.dev = dev.to_owned();
            disk
        };
        let (hard, drive) = (DiskDevice::Disk, DiskDevice::Cdrom);
        for (list, kinds, unclear) in [
            ("sda", vec![hard], false),
            ("sda", vec![hard, drive], false),
            ("sda", vec![drive, hard], true),
            ("sda", vec![hard, hard], true),
            ("sda,sda", vec![hard, hard], false),
            ("sdb", vec![hard, hard], false),
        ] {
            let buses = [DiskBus::Scsi, DiskBus::Sata];
            let disks = kinds.into_iter().zip(buses);
            let disks: Vec<_> = disks.map(|(kind, bus)| disk(kind, bus, "sda")).collect();
            let listed = split(list);
            assert_eq!(
                is_unclear(&listed[0], &listed, &disks),
                unclear,
                "{list} {disks:?}"
            );
        }
    }

    #[test]
    fn lists_are_split_at_single_commas() {
        for (list, names) in [
            ("sda", vec!["sda"]),
            ("sda,[ds] a b.vmdk", vec!["sda", "[ds] a b.vmdk"]),
            (",sda", vec!["", "sda"]),
            ("sda,,", vec!["sda,"]),
            ("a,,b,c", vec!["a,b", "c"]),
        ] {
            assert_eq!(split(list), names, "{list}");
        }
    }
}
