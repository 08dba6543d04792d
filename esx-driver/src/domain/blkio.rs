//! How the host shares out the input and output of disks.

use vi_types::Poly;
use vi_types::enums::SharesLevel;
use vi_types::objects::{
    SharesInfo, StorageIoAllocationInfo, VirtualDeviceConfigSpec, VirtualDisk,
    VirtualMachineConfigSpec,
};
use virt_model::{ErrorNumber, ModificationImpact, ParamValue, TypedParam};

use super::Domain;
use super::block::{Devices, allocated, disk};
use super::reconfiguration::{check_impact, check_live, known_impact, live, unsupported_parameter};
use crate::{Error, ErrorKind, Operation, Result};

/// The parameter of libvirt's block I/O that the API has too: the shares of each disk.
const DEVICE_WEIGHT: &str = "device_weight";

impl Domain {
    /// How disks share the host's input and output: `device_weight` with the name and the shares of each disk,
    /// `sda,1000,sdb,500`. The API has no other parameters. One request. (libvirt's ESX driver has no such function.)
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] for an inactive domain with [`ModificationImpact::LIVE`]; [`ErrorKind::Argument`];
    /// [`ErrorKind::UnsupportedFlags`].
    #[doc(alias = "virDomainGetBlkioParameters")]
    pub async fn blkio_parameters(&self, flags: ModificationImpact) -> Result<Vec<TypedParam>> {
        check_impact(flags, "esxDomainGetBlkioParameters")?;
        let found: Devices = self.properties().await?;
        check_live(flags.contains(ModificationImpact::LIVE), &found.power_state)?;
        let drives = self.drives(&found.devices, found.version.as_deref());
        let weights = drives.iter().filter_map(|drive| {
            let shares = shares_of(drive.disk()?)?;
            Some(format!("{},{shares}", drive.target))
        });
        let weights: Vec<_> = weights.collect();
        Ok(vec![TypedParam::new(DEVICE_WEIGHT, weights.join(","))])
    }

    /// Sets how disks share the host's input and output: `device_weight` as
    /// [`blkio_parameters`](Domain::blkio_parameters) returns it, with names or sources of disks. Disks that are not named
    /// stay as they are. It affects the running domain as well as its next start, whatever `flags` say.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such disk; [`ErrorKind::Argument`] for any other parameter, or a text of
    /// another form; [`ErrorKind::WrongState`] for an inactive domain with [`ModificationImpact::LIVE`];
    /// [`ErrorKind::UnsupportedFlags`]; what [all tasks](Operation) may end with.
    #[doc(alias = "virDomainSetBlkioParameters")]
    pub fn set_blkio_parameters(
        &self,
        params: &[TypedParam],
        flags: ModificationImpact,
    ) -> Operation<'static> {
        let domain = self.clone();
        let wanted = wanted_weights(params);
        Operation::new("Could not change blkio parameters", move |mut runner| {
            Box::pin(async move {
                known_impact(flags, "esxDomainSetBlkioParameters")?;
                let wanted = wanted?;
                let is_live = flags.contains(ModificationImpact::LIVE);
                let disks = runner
                    .prepare(domain.disks_to_weigh(&wanted, is_live))
                    .await?;
                let keys: Vec<_> = disks
                    .iter()
                    .map(|(disk, weight)| (disk.base.key, *weight))
                    .collect();
                let spec = VirtualMachineConfigSpec {
                    device_change: disks.into_iter().map(edit).collect(),
                    ..VirtualMachineConfigSpec::default()
                };
                let change = domain.reconfigure(spec, move |found: &Devices| {
                    let has = |(key, weight): &(i32, i32)| {
                        found.disk(*key).and_then(shares_of) == Some(*weight)
                    };
                    keys.iter().all(has)
                });
                runner.perform(live(change, is_live)).await
            })
        })
    }

    /// The disks of these names or sources, each with its new weight.
    async fn disks_to_weigh(
        &self,
        wanted: &[(String, i32)],
        is_live: bool,
    ) -> Result<Vec<(VirtualDisk, i32)>> {
        let found: Devices = self.properties().await?;
        check_live(is_live, &found.power_state)?;
        let drives = self.drives(&found.devices, found.version.as_deref());
        let disks = wanted.iter().map(|(path, weight)| {
            let disk = disk(&drives, path)?;
            Ok((disk.clone(), *weight))
        });
        disks.collect()
    }
}

/// The edit that gives a disk its weight. What is not sent stays: the limit.
fn edit((disk, weight): (VirtualDisk, i32)) -> Poly<VirtualDeviceConfigSpec> {
    let shares = SharesInfo {
        level: SharesLevel::Custom,
        shares: weight,
        ..SharesInfo::default()
    };
    let allocation = StorageIoAllocationInfo {
        shares: Some(shares.into()),
        ..StorageIoAllocationInfo::default()
    };
    allocated(disk, allocation)
}

/// A disk's number of shares, which the host also tells for its levels.
fn shares_of(disk: &VirtualDisk) -> Option<i32> {
    let allocation = disk.storage_io_allocation.as_ref()?;
    allocation.shares.as_ref().map(|shares| shares.shares)
}

/// The disks and weights that `params` have, in the words of libvirt's QEMU driver.
fn wanted_weights(params: &[TypedParam]) -> Result<Vec<(String, i32)>> {
    let mut wanted = Vec::new();
    for param in params {
        let text = match &param.value {
            ParamValue::String(text) if param.field == DEVICE_WEIGHT => text,
            _ => {
                let advice = "the API has the shares of disks only: device_weight";
                return Err(unsupported_parameter(&param.field).advise(advice));
            }
        };
        let invalid = |message| Error::new(ErrorKind::Argument, ErrorNumber::InvalidArg, message);
        let words: Vec<_> = text.split(',').collect();
        for pair in words.chunks(2) {
            let [path, weight] = pair else {
                return Err(invalid(format!(
                    "unable to parse blkio device '{DEVICE_WEIGHT}' '{text}'"
                )));
            };
            let number = weight.parse().ok().filter(|weight| *weight > 0);
            let number = number.ok_or_else(|| {
                invalid(format!(
                    "invalid value '{weight}' for parameter '{DEVICE_WEIGHT}' of device '{path}'"
                ))
            })?;
            wanted.push(((*path).to_owned(), number));
        }
    }
    Ok(wanted)
}
