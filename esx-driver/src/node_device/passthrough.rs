//! Passing PCI devices through to domains.

use vi_client::property_set;
use vi_types::{
    ManagedObjectReference, Poly,
    objects::{HostPciDevice, HostPciPassthruConfig, HostPciPassthruInfo},
    references::HostPciPassthruSystem,
};
use virt_model::{ErrorDomain, ErrorNumber, node_device::NodeDeviceCapabilityType};

use super::{NodeDevice, name::pci_name, no_device, pci::PASSTHROUGH_DRIVER};
use crate::{
    Error, ErrorKind, Operation, Result,
    connect::no_host,
    engine::{Change, Effect, Runner},
};

property_set! {
    struct PassthroughState: HostSystem {
        pci: Vec<HostPciDevice> = hardware.pci_device,
        passthrough: Vec<Poly<HostPciPassthruInfo>> = config.pci_passthru_info,
        system: Option<ManagedObjectReference> = config_manager.pci_passthru_system,
    }
}

/// Whether a PCI device is passed through to domains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Passthrough {
    /// Whether it can be.
    pub is_capable: bool,
    /// Whether it is configured to be.
    pub is_enabled: bool,
    /// Whether domains can have it now.
    pub is_active: bool,
}

impl Passthrough {
    fn of(info: &HostPciPassthruInfo) -> Passthrough {
        Passthrough {
            is_capable: info.passthru_capable,
            is_enabled: info.passthru_enabled,
            is_active: info.passthru_active,
        }
    }

    /// Whether the host has to be rebooted before what is configured becomes true.
    pub fn needs_reboot(self) -> bool {
        self.is_enabled != self.is_active
    }
}

impl NodeDevice {
    /// Whether the PCI device is passed through to domains: one request.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] if it is no PCI device; [`ErrorKind::NotFound`] if the host does not have it any more;
    /// [`ErrorKind::Unsupported`] if the server's API is older than 4.0.
    pub async fn passthrough(&self) -> Result<Passthrough> {
        let state = self.passthrough_state().await?;
        let (_, info) = self.own(&state)?;
        Ok(info.map(Passthrough::of).unwrap_or_default())
    }

    /// Takes the PCI device from its driver, so that domains can have it: enables its passthrough. What is enabled already
    /// stays so. Many hosts have to be [rebooted](Passthrough::needs_reboot) then; the device shows the driver
    /// `pciPassthru` when domains can have it.
    ///
    /// `driver` is the driver that gets it: `pciPassthru`, the only one that hosts have, also if it is not given.
    ///
    /// Three requests: what the device is before and after, and the change. If nothing is to be changed, one.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] if it is no PCI device, or for another driver; [`ErrorKind::NotFound`] if the host does not
    /// have it any more; [`ErrorKind::Unsupported`] if the device cannot be passed through, or the server's API is older
    /// than 4.0; what any [`Operation`] may fail with.
    #[doc(alias("virNodeDeviceDettach", "virNodeDeviceDetachFlags"))]
    pub fn detach(&self, driver: Option<&str>) -> Operation<'static, Passthrough> {
        let unknown = driver.filter(|driver| *driver != PASSTHROUGH_DRIVER);
        // libvirt's text (virDomainDriverNodeDeviceDetachFlags and its drivers, 9.0.0).
        let refused = unknown.map(|driver| {
            invalid(format!("unknown driver name '{driver}'")).advise(format!(
                "hosts have one driver for it, {PASSTHROUGH_DRIVER}: leave it out"
            ))
        });
        self.set_passthrough("Could not detach device", true, refused)
    }

    /// Gives the PCI device back to the host: disables its passthrough. What is disabled already stays so. Many hosts have
    /// to be [rebooted](Passthrough::needs_reboot) then.
    ///
    /// Requests as of [`detach`](NodeDevice::detach).
    ///
    /// # Errors
    /// As [`detach`](NodeDevice::detach); the host refuses it while a domain that runs has the device.
    #[doc(alias = "virNodeDeviceReAttach")]
    pub fn re_attach(&self) -> Operation<'static, Passthrough> {
        self.set_passthrough("Could not re-attach device", false, None)
    }

    /// Resets the device: hosts have no call for it, so this always fails.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`].
    #[doc(alias = "virNodeDeviceReset")]
    pub fn reset(&self) -> Result<()> {
        let message = format!("the server cannot reset the device '{}'", self.name);
        Err(unsupported(message)
            .advise("a device that is passed through is reset when its domain starts"))
    }

    fn set_passthrough(
        &self,
        could_not: &'static str,
        enabled: bool,
        refused: Option<Error>,
    ) -> Operation<'static, Passthrough> {
        let device = self.clone();
        Operation::new(could_not, move |mut runner| {
            Box::pin(async move {
                if let Some(refused) = refused {
                    return Err(refused);
                }
                device.change_passthrough(&mut runner, enabled).await
            })
        })
    }

    async fn change_passthrough(
        &self,
        runner: &mut Runner<'_>,
        enabled: bool,
    ) -> Result<Passthrough> {
        let state = runner.prepare(self.passthrough_state()).await?;
        let (pci, info) = self.own(&state)?;
        let before = info.map(Passthrough::of).unwrap_or_default();
        if before.is_enabled == enabled {
            return Ok(before);
        }
        if enabled && !before.is_capable {
            let (name, product) = (&self.name, &pci.device_name);
            let message =
                format!("the device '{name}' ({product}) cannot be passed through to domains");
            return Err(unsupported(message)
                .advise("the host's firmware must have the I/O MMU enabled (VT-d, AMD-Vi)"));
        }
        let Some(system) = state.system.clone() else {
            let message = "the server does not show the host's PCI passthrough system".to_owned();
            return Err(
                unsupported(message).advise("the user needs the privilege System.Read on the host")
            );
        };
        let config = HostPciPassthruConfig {
            id: pci.id.clone(),
            passthru_enabled: enabled,
            ..HostPciPassthruConfig::default()
        };
        let system = HostPciPassthruSystem::from(system);
        let request = system.update_passthru_config(vec![Poly::new(config)]);
        let device = self.clone();
        let change = Change::call(self.connect.client(), request).verified_by(move || {
            let device = device.clone();
            Box::pin(async move {
                Ok(match device.passthrough().await?.is_enabled == enabled {
                    true => Effect::Done(()),
                    false => Effect::NotDone,
                })
            })
        });
        runner.perform(change).await?;
        // It is done, whatever the server says of the state.
        Ok(self.passthrough().await.unwrap_or(Passthrough {
            is_enabled: enabled,
            ..before
        }))
    }

    async fn passthrough_state(&self) -> Result<PassthroughState> {
        if !self.capabilities.contains(&NodeDeviceCapabilityType::Pci) {
            // libvirt's text (virDomainDriverNodeDeviceGetPCIInfo of domain_driver.c, 9.0.0).
            return Err(invalid(format!("Device {} is not a PCI device", self.name)));
        }
        if !self.connect.client().api_version().at_least(4, 0) {
            let message = "the server's API is too old to pass devices through to domains";
            return Err(unsupported(message.to_owned()));
        }
        let host = self.connect.host_system().await?;
        let found: Option<PassthroughState> = self.connect.read_complete(host).await?;
        found.ok_or_else(no_host)
    }

    /// What a host says of the device.
    fn own<'s>(
        &self,
        state: &'s PassthroughState,
    ) -> Result<(&'s HostPciDevice, Option<&'s HostPciPassthruInfo>)> {
        let mut devices = state.pci.iter();
        let pci = devices.find(|pci| pci_name(&pci.id) == self.name);
        let pci = pci.ok_or_else(|| no_device(&self.name))?;
        let mut infos = state.passthrough.iter();
        let info = infos.find(|info| info.id == pci.id);
        Ok((pci, info.map(|info| &**info)))
    }
}

fn invalid(message: String) -> Error {
    let error = Error::new(ErrorKind::Argument, ErrorNumber::InvalidArg, message);
    error.in_part(ErrorDomain::NodeDev)
}

fn unsupported(message: String) -> Error {
    let error = Error::new(ErrorKind::Unsupported, ErrorNumber::NoSupport, message);
    error.in_part(ErrorDomain::NodeDev)
}
