//! What the host's firmware says of the host.

use vi_client::property_set;
use vi_types::objects::{HostBiosInfo, HostCpuPackage, HostSystemInfo};
use virt_model::{
    SysinfoDef,
    sysinfo::{SysinfoBios, SysinfoProcessor, SysinfoSystem},
};

use super::Connect;
use crate::Result;

property_set! {
    struct Firmware: HostSystem {
        system: HostSystemInfo = hardware.system_info,
        bios: Option<HostBiosInfo> = hardware.bios_info,
        packages: Vec<HostCpuPackage> = hardware.cpu_pkg,
    }
}

impl Connect {
    /// What the host's firmware says of the host: one request. Parts that the server does not tell are left out; boards,
    /// case and modules of memory always are.
    ///
    /// # Errors
    /// [`ErrorKind::Property`](crate::ErrorKind::Property) if the server does not say which machine the host is.
    #[doc(alias = "virConnectGetSysinfo")]
    pub async fn sysinfo(&self) -> Result<SysinfoDef> {
        let found: Firmware = self.host_properties().await?;
        Ok(SysinfoDef {
            bios: found.bios.map(bios).unwrap_or_default(),
            system: system(found.system),
            processors: found.packages.into_iter().map(processor).collect(),
            ..SysinfoDef::default()
        })
    }
}

fn bios(bios: HostBiosInfo) -> SysinfoBios {
    // SMBIOS writes 255 where there is no number.
    let number = |number: Option<i32>| number.filter(|number| (0..255).contains(number));
    let release = number(bios.major_release).zip(number(bios.minor_release));
    SysinfoBios {
        vendor: known(bios.vendor),
        version: known(bios.bios_version),
        date: bios.release_date.and_then(|at| date(&at.to_string())),
        release: release.map(|(major, minor)| format!("{major}.{minor}")),
        ..SysinfoBios::default()
    }
}

fn system(system: HostSystemInfo) -> SysinfoSystem {
    SysinfoSystem {
        manufacturer: known(Some(system.vendor)),
        product: known(Some(system.model)),
        serial: known(system.serial_number),
        uuid: known(Some(system.uuid)),
        family: known(system.family),
        ..SysinfoSystem::default()
    }
}

fn processor(package: HostCpuPackage) -> SysinfoProcessor {
    SysinfoProcessor {
        manufacturer: known(Some(package.vendor)),
        version: known(Some(package.description)),
        ..SysinfoProcessor::default()
    }
}

/// A text without blanks around it; None if nothing is left.
fn known(text: Option<String>) -> Option<String> {
    let text = text?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// The day of a time such as `2014-05-07T00:00:00Z` as SMBIOS writes it: `05/07/2014`.
fn date(time: &str) -> Option<String> {
    let (day, _) = time.split_once('T')?;
    let (year, day) = day.split_once('-')?;
    let (month, day) = day.split_once('-')?;
    Some(format!("{month}/{day}/{year}"))
}
