//! All interfaces of a host, and one by its name or hardware address.

use virt_model::flags::{InterfaceFilter, refuse_unknown};

use super::{Interface, no_interface};
use crate::{Connect, Result, near::Near};

impl Connect {
    /// The host's interfaces that `filter` admits: cards, bonds, interfaces of the kernel; each in the host's order.
    ///
    /// Every interface is active. A filter that wants only others is answered without a request; any other takes one.
    ///
    /// # Errors
    /// [`ErrorKind::UnsupportedFlags`](crate::ErrorKind::UnsupportedFlags) for bits that libvirt does not have;
    /// [`ErrorKind::Property`](crate::ErrorKind::Property) if the user may not read the host's network.
    #[doc(alias = "virConnectListAllInterfaces")]
    pub async fn list_all_interfaces(&self, filter: InterfaceFilter) -> Result<Vec<Interface>> {
        refuse_unknown(
            filter,
            InterfaceFilter::FILTERS_ACTIVE,
            "esxConnectListAllInterfaces",
        )?;
        match filter.admits(InterfaceFilter::ACTIVE, true, InterfaceFilter::INACTIVE) {
            true => self.interfaces().await,
            false => Ok(Vec::new()),
        }
    }

    /// The number of active interfaces, which are all: one request.
    ///
    /// # Errors
    /// As [`list_all_interfaces`](Connect::list_all_interfaces).
    #[doc(alias = "virConnectNumOfInterfaces")]
    pub async fn num_of_interfaces(&self) -> Result<usize> {
        Ok(self.interfaces().await?.len())
    }

    /// The names of the active interfaces, which are all: one request.
    ///
    /// # Errors
    /// As [`list_all_interfaces`](Connect::list_all_interfaces).
    #[doc(alias = "virConnectListInterfaces")]
    pub async fn list_interfaces(&self) -> Result<Vec<String>> {
        let interfaces = self.interfaces().await?.into_iter();
        Ok(interfaces.map(|interface| interface.name).collect())
    }

    /// The number of inactive interfaces: always 0, without a request.
    #[doc(alias = "virConnectNumOfDefinedInterfaces")]
    pub fn num_of_defined_interfaces(&self) -> usize {
        0
    }

    /// The names of the inactive interfaces: always none, without a request.
    #[doc(alias = "virConnectListDefinedInterfaces")]
    pub fn list_defined_interfaces(&self) -> Vec<String> {
        Vec::new()
    }

    /// The interface of that name, in upper or lower case: one request. libvirt's ESX driver compares the name with the
    /// hardware addresses by mistake.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none; as
    /// [`list_all_interfaces`](Connect::list_all_interfaces).
    #[doc(alias = "virInterfaceLookupByName")]
    pub async fn interface_lookup_by_name(&self, name: &str) -> Result<Interface> {
        let interfaces = self.interfaces().await?;
        let exact = interfaces.iter().find(|found| found.name == name);
        let alike = || {
            let mut interfaces = interfaces.iter();
            interfaces.find(|found| found.name.eq_ignore_ascii_case(name))
        };
        if let Some(found) = exact.or_else(alike) {
            return Ok(found.clone());
        }
        let mut near = Near::new(name);
        for interface in &interfaces {
            near.consider(&interface.name);
        }
        Err(near.advise(no_interface("name", name)))
    }

    /// The first interface with that hardware address, in upper or lower case: one request.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if there is none; as
    /// [`list_all_interfaces`](Connect::list_all_interfaces).
    #[doc(alias = "virInterfaceLookupByMACString")]
    pub async fn interface_lookup_by_mac_string(&self, mac: &str) -> Result<Interface> {
        let has_it = |found: &Interface| {
            let own = found.mac.as_deref();
            own.is_some_and(|own| own.eq_ignore_ascii_case(mac))
        };
        let mut interfaces = self.interfaces().await?.into_iter();
        let found = interfaces.find(has_it);
        found.ok_or_else(|| no_interface("MAC address", mac))
    }

    async fn interfaces(&self) -> Result<Vec<Interface>> {
        let host = self.host_interfaces().await?;
        Ok(host.interfaces(self).collect())
    }
}
