//! Sizes and limits of disks.

use std::collections::HashMap;

use vi_client::property_set;
use vi_types::Poly;
use vi_types::enums::{VirtualDeviceConfigSpecOperation, VirtualMachinePowerState};
use vi_types::objects::{
    FileQuery, StorageIoAllocationInfo, VirtualDevice, VirtualDeviceConfigSpec, VirtualDisk,
    VirtualMachineConfigSpec, VirtualMachineFileLayoutEx,
};
use virt_model::domain::DomainBlockInfo;
use virt_model::{ErrorNumber, ModificationImpact, ParamValue, TypedParam};

use super::Domain;
use super::disks::{self, Drive};
use super::reconfiguration::{check_impact, check_live, known_impact, live, unsupported_parameter};
use crate::{DatastorePath, Error, ErrorKind, Operation, Result, What};

property_set! {
    struct Disks: VirtualMachine {
        version: Option<String> = config.version,
        devices: Vec<Poly<VirtualDevice>> = config.hardware.device,
        layout: Option<VirtualMachineFileLayoutEx> = layout_ex,
    }
}

property_set! {
    pub(super) struct Devices: VirtualMachine {
        pub(super) power_state: VirtualMachinePowerState = runtime.power_state,
        pub(super) version: Option<String> = config.version,
        pub(super) devices: Vec<Poly<VirtualDevice>> = config.hardware.device,
    }
}

impl Devices {
    /// The disk with that key.
    pub(super) fn disk(&self, key: i32) -> Option<&VirtualDisk> {
        let devices = self.devices.iter();
        let mut disks = devices.filter_map(|device| device.cast::<VirtualDisk>());
        disks.find(|disk| disk.base.key == key)
    }
}

/// The edit that shares out the host's input and output to a disk anew.
pub(super) fn allocated(
    mut disk: VirtualDisk,
    allocation: StorageIoAllocationInfo,
) -> Poly<VirtualDeviceConfigSpec> {
    disk.storage_io_allocation = Some(allocation.into());
    Poly::new(VirtualDeviceConfigSpec {
        operation: Some(VirtualDeviceConfigSpecOperation::Edit),
        device: Poly::new(disk),
        ..VirtualDeviceConfigSpec::default()
    })
}

/// The parameter of libvirt's block I/O tuning that the API has too.
const TOTAL_IOPS_SEC: &str = "total_iops_sec";

impl Domain {
    /// The sizes of a disk, named as in the definition (`sda`) or by its source (`[datastore] web/web.vmdk`).
    ///
    /// One request; an image in a drive takes more, as the host has to search its datastore. The host gives one size of a
    /// disk's files, which is [`allocation`](DomainBlockInfo::allocation) and [`physical`](DomainBlockInfo::physical). A
    /// disk with snapshots is its newest file. (libvirt's ESX driver has no such function.)
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] of [`What::Device`] if there is no such disk or the drive is empty; [`ErrorKind::Property`]
    /// if the server does not give the sizes.
    #[doc(alias = "virDomainGetBlockInfo")]
    pub async fn block_info(&self, path: &str) -> Result<DomainBlockInfo> {
        let found: Disks = self.properties().await?;
        let drives = self.drives(&found.devices, found.version.as_deref());
        let drive = disks::find(&drives, path)?;
        let info = self.info_of(drive, found.layout.as_ref()).await?;
        info.ok_or_else(|| {
            let message = format!("disk '{path}' does not currently have a source assigned");
            disks::invalid(message)
        })
    }

    /// The names and sizes of all disks and drives, in the order of the definition; an empty drive has no sizes.
    ///
    /// # Errors
    /// As [`block_info`](Domain::block_info).
    pub async fn block_infos(&self) -> Result<Vec<(String, Option<DomainBlockInfo>)>> {
        let found: Disks = self.properties().await?;
        let mut infos = Vec::new();
        for drive in self.drives(&found.devices, found.version.as_deref()) {
            let info = self.info_of(&drive, found.layout.as_ref()).await?;
            infos.push((drive.target, info));
        }
        Ok(infos)
    }

    /// The limits of a disk's input and output, named as for [`block_info`](Domain::block_info): `total_iops_sec`, 0 if
    /// there is none. The API has no others. (libvirt's ESX driver has no such function.)
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] of [`What::Device`] if there is no such disk; [`ErrorKind::WrongState`] with
    /// [`LIVE`](ModificationImpact::LIVE) if the domain does not run.
    #[doc(alias = "virDomainGetBlockIoTune")]
    pub async fn block_io_tune(
        &self,
        path: &str,
        flags: ModificationImpact,
    ) -> Result<Vec<TypedParam>> {
        check_impact(flags, "esxDomainGetBlockIoTune")?;
        let found: Devices = self.properties().await?;
        check_live(flags.contains(ModificationImpact::LIVE), &found.power_state)?;
        let drives = self.drives(&found.devices, found.version.as_deref());
        let limit = limit_of(disk(&drives, path)?);
        Ok(vec![TypedParam::new(TOTAL_IOPS_SEC, limit)])
    }

    /// Limits the input and output of a disk. `total_iops_sec` is the only limit that the API has; 0 removes it. It
    /// affects the running domain as well as its next start, whatever `flags` say. If the disk has the limit already,
    /// nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] of [`What::Device`] if there is no such disk; [`ErrorKind::Argument`] for any
    /// other parameter; [`ErrorKind::WrongState`] as [`block_io_tune`](Domain::block_io_tune); what
    /// [all tasks](Operation) may end with.
    #[doc(alias = "virDomainSetBlockIoTune")]
    pub fn set_block_io_tune(
        &self,
        path: &str,
        params: &[TypedParam],
        flags: ModificationImpact,
    ) -> Operation<'static> {
        let domain = self.clone();
        let wanted = wanted_limit(params);
        let path = path.to_owned();
        Operation::new("Could not change block I/O throttle", move |mut runner| {
            Box::pin(async move {
                known_impact(flags, "esxDomainSetBlockIoTune")?;
                let wanted = wanted?;
                let is_live = flags.contains(ModificationImpact::LIVE);
                let read = domain.disk_to_limit(&path, is_live);
                let found = runner.prepare(read).await?;
                let Some(wanted) = wanted.filter(|wanted| *wanted != limit_of(&found)) else {
                    return Ok(());
                };
                let key = found.base.key;
                // What is not sent stays: the shares.
                let allocation = StorageIoAllocationInfo {
                    limit: Some(api_limit(wanted)),
                    ..StorageIoAllocationInfo::default()
                };
                let spec = VirtualMachineConfigSpec {
                    device_change: vec![allocated(found, allocation)],
                    ..VirtualMachineConfigSpec::default()
                };
                let has_limit = move |found: &Devices| {
                    let disk = found.disk(key);
                    disk.is_some_and(|disk| limit_of(disk) == wanted)
                };
                let change = domain.reconfigure(spec, has_limit);
                runner.perform(live(change, is_live)).await
            })
        })
    }

    /// The disk whose limit is to be changed.
    async fn disk_to_limit(&self, path: &str, is_live: bool) -> Result<VirtualDisk> {
        let found: Devices = self.properties().await?;
        check_live(is_live, &found.power_state)?;
        let drives = self.drives(&found.devices, found.version.as_deref());
        disk(&drives, path).cloned()
    }

    pub(super) fn drives<'a>(
        &self,
        devices: &'a [Poly<VirtualDevice>],
        version: Option<&str>,
    ) -> Vec<Drive<'a>> {
        let libvirt = self.connect.uri().libvirt().unwrap_or_default();
        disks::drives(devices, version, libvirt)
    }

    /// The sizes of a disk or drive; `None` if it is empty or the host's own.
    async fn info_of(
        &self,
        drive: &Drive<'_>,
        layout: Option<&VirtualMachineFileLayoutEx>,
    ) -> Result<Option<DomainBlockInfo>> {
        let Some(disk) = drive.disk() else {
            return match drive.source.map(str::parse::<DatastorePath>) {
                Some(Ok(path)) => self.image_info(&path).await.map(Some),
                _ => Ok(None),
            };
        };
        let file = layout.and_then(|layout| newest_file(layout, disk));
        let size = file.ok_or_else(|| {
            let message = format!(
                "Missing 'layoutEx.disk' property of disk '{}'",
                drive.target
            );
            Error::new(ErrorKind::Property, ErrorNumber::InternalError, message)
        })?;
        Ok(Some(DomainBlockInfo {
            capacity: capacity(disk),
            allocation: size,
            physical: size,
        }))
    }

    /// The sizes of an image in a drive.
    async fn image_info(&self, path: &DatastorePath) -> Result<DomainBlockInfo> {
        let browsers = self.connect.browsers().await?;
        let mut browsers = browsers.iter();
        let missing = || {
            let message = format!("No storage volume with key or path '{path}'");
            let kind = ErrorKind::NotFound(What::StorageVol);
            Error::new(kind, ErrorNumber::NoStorageVol, message)
        };
        let browser = browsers.find(|browser| browser.datastore == path.datastore());
        let browser = browser.ok_or_else(missing)?;
        let query = Poly::new(FileQuery::default());
        let file = self.connect.browse(browser, path, vec![query]).await?;
        let size = file.and_then(|file| file.file_size).ok_or_else(missing)?;
        let size = u64::try_from(size).unwrap_or(0);
        Ok(DomainBlockInfo {
            capacity: size,
            allocation: size,
            physical: size,
        })
    }
}

/// How large a disk is for the guest, in bytes.
pub(super) fn capacity(disk: &VirtualDisk) -> u64 {
    let bytes = disk.capacity_in_bytes.unwrap_or(disk.capacity_in_kb << 10);
    u64::try_from(bytes).unwrap_or(0)
}

/// The size of the newest file of a disk, with its extents, in bytes.
pub(super) fn newest_file(layout: &VirtualMachineFileLayoutEx, disk: &VirtualDisk) -> Option<u64> {
    chain(layout, disk).map(|sizes| sizes.last().copied())?
}

/// The sizes of the files of a disk, each with its extents: the base first, the newest last. `None` if the host does not
/// tell.
pub(super) fn chain(layout: &VirtualMachineFileLayoutEx, disk: &VirtualDisk) -> Option<Vec<u64>> {
    let sizes: HashMap<i32, i64> = layout
        .file
        .iter()
        .map(|file| (file.key, file.size))
        .collect();
    let mut disks = layout.disk.iter();
    let disk = disks.find(|other| other.key == disk.base.key)?;
    let size = |keys: &[i32]| {
        let sizes = keys.iter().filter_map(|key| sizes.get(key).copied());
        u64::try_from(sizes.sum::<i64>()).unwrap_or(0)
    };
    Some(disk.chain.iter().map(|unit| size(&unit.file_key)).collect())
}

/// The disk of that name or source, in libvirt's words for tuning it.
pub(super) fn disk<'a>(drives: &[Drive<'a>], path: &str) -> Result<&'a VirtualDisk> {
    let found = match disks::find(drives, path) {
        Err(error) if error.kind() == ErrorKind::Ambiguous => return Err(error),
        found => found.ok().and_then(Drive::disk),
    };
    found.ok_or_else(|| disks::invalid(format!("disk '{path}' was not found in the domain config")))
}

/// A disk's limit of operations a second; 0 is none. The API's -1 means none too.
fn limit_of(disk: &VirtualDisk) -> u64 {
    let allocation = disk.storage_io_allocation.as_ref();
    let limit = allocation.and_then(|allocation| allocation.limit);
    limit
        .and_then(|limit| u64::try_from(limit).ok())
        .unwrap_or(0)
}

fn api_limit(limit: u64) -> i64 {
    match limit {
        0 => -1,
        limit => i64::try_from(limit).unwrap_or(i64::MAX),
    }
}

/// The limit that `params` set, if they do.
fn wanted_limit(params: &[TypedParam]) -> Result<Option<u64>> {
    let mut wanted = None;
    for param in params {
        match &param.value {
            ParamValue::ULLong(limit) if param.field == TOTAL_IOPS_SEC => wanted = Some(*limit),
            _ => {
                let advice =
                    "the API limits the operations a second of a disk only: total_iops_sec";
                return Err(unsupported_parameter(&param.field).advise(advice));
            }
        }
    }
    Ok(wanted)
}
