//! What VMware Tools report of the guest.

use std::net::IpAddr;

use vi_client::property_set;
use vi_types::{enums::VirtualMachinePowerState, objects::GuestNicInfo};
use virt_model::{
    ErrorNumber, Uuid,
    domain::{DomainInterface, DomainIpAddress, InterfaceAddressesSource},
    flags::{HostnameFlags, refuse_unknown},
};

use super::{Domain, identity, lifecycle::NOT_ON};
use crate::{Error, ErrorKind, Result};

property_set! {
    struct Hostname: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
        host_name: Option<String> = guest.host_name,
    }
}

property_set! {
    struct Cards: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
        net: Vec<GuestNicInfo> = guest.net,
    }
}

property_set! {
    struct BiosUuid: VirtualMachine {
        uuid: String = config.uuid,
    }
}

impl Domain {
    /// The guest's host name, which VMware Tools report. The domain must run. One request.
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if it does not run; [`ErrorKind::NoTools`] if there is no name;
    /// [`ErrorKind::UnsupportedFlags`] for [`HostnameFlags::LEASE`].
    #[doc(alias = "virDomainGetHostname")]
    pub async fn hostname(&self, flags: HostnameFlags) -> Result<String> {
        refuse_unknown(flags, HostnameFlags::AGENT, "esxDomainGetHostname")?;
        let found: Hostname = self.properties().await?;
        check_on(&found.power_state)?;
        let name = found.host_name.filter(|name| !name.is_empty());
        name.ok_or_else(|| {
            let message = "hostName field not available (missing VMware Tools?)";
            Error::new(ErrorKind::NoTools, ErrorNumber::OperationInvalid, message)
        })
    }

    /// The guest's connected network cards and their addresses, which VMware Tools report. A card is named after its
    /// network. The domain must run. One request.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] for any other source than [`InterfaceAddressesSource::Agent`]; [`ErrorKind::WrongState`] if
    /// the domain does not run; [`ErrorKind::NoTools`] if no cards are reported.
    #[doc(alias = "virDomainInterfaceAddresses")]
    pub async fn interface_addresses(
        &self,
        source: InterfaceAddressesSource,
    ) -> Result<Vec<DomainInterface>> {
        if source != InterfaceAddressesSource::Agent {
            let message = format!("Unknown IP address data source {}", source.number());
            let number = ErrorNumber::ArgumentUnsupported;
            let error = Error::new(ErrorKind::Argument, number, message);
            return Err(
                error.advise("ESX knows the addresses that the guest reports: source agent")
            );
        }
        let found: Cards = self.properties().await?;
        check_on(&found.power_state)?;
        if found.net.is_empty() {
            // libvirt's text, which names a property of the API.
            let message = "Missing property 'guest.net' in answer";
            let error = Error::new(ErrorKind::NoTools, ErrorNumber::InternalError, message);
            return Err(
                error.advise("VMware Tools do not run in the guest, or have not reported yet")
            );
        }
        Ok(found.net.iter().filter_map(interface).collect())
    }

    /// The UUID that the guest reads from its SMBIOS: the BIOS UUID. Guests differ in the byte order in which they show it,
    /// see [`Uuid::swapped`]. One request. (libvirt has no such function.)
    ///
    /// # Errors
    /// [`ErrorKind::Property`] if the server does not tell it; [`ErrorKind::UnreadableDomain`] if it is no UUID.
    pub async fn smbios_uuid(&self) -> Result<Uuid> {
        let found: BiosUuid = self.properties().await?;
        identity::uuid(Some(&found.uuid), true)
    }
}

fn check_on(power_state: &VirtualMachinePowerState) -> Result<()> {
    match power_state {
        VirtualMachinePowerState::PoweredOn => Ok(()),
        _ => Err(Error::new(
            ErrorKind::WrongState,
            ErrorNumber::OperationInvalid,
            NOT_ON,
        )),
    }
}

/// A connected card of a network (esxDomainInterfaceAddresses of libvirt 9.0.0).
fn interface(card: &GuestNicInfo) -> Option<DomainInterface> {
    let name = card.network.clone().filter(|_| card.connected)?;
    let address = |text: &str, prefix: i32| {
        let addr: IpAddr = text.parse().ok()?;
        let prefix = u32::try_from(prefix).unwrap_or(0);
        Some(DomainIpAddress { addr, prefix })
    };
    // Before API 4.1 there are addresses without prefixes only.
    let addrs = match card.ip_config.as_deref() {
        Some(config) => {
            let all = config.ip_address.iter();
            all.filter_map(|one| address(&one.ip_address, one.prefix_length))
                .collect()
        }
        None => {
            let all = card.ip_address.iter();
            all.filter_map(|one| address(one, 0)).collect()
        }
    };
    Some(DomainInterface {
        name,
        hwaddr: card.mac_address.as_ref().and_then(|mac| mac.parse().ok()),
        addrs,
        ..DomainInterface::default()
    })
}
