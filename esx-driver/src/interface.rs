//! Interfaces: the network cards of a host, what it makes of several of them, and its own addresses.

mod calls;
mod change;
mod definition;
mod list;
mod plan;
mod transaction;

use std::fmt;

use virt_model::ErrorNumber;

use crate::{Connect, Error, ErrorKind, What};

/// An interface of a host: libvirt's `virInterface`.
///
/// There are three kinds, in this order: the physical network cards (`vmnic0`), as in libvirt's ESX driver; the standard
/// switches with two or more of them, as bonds of the switch's name; and the interfaces of the kernel (`vmk0`), which have
/// the host's addresses.
///
/// A cheap clone that talks to a server through its [`Connect`].
#[derive(Clone)]
pub struct Interface {
    connect: Connect,
    name: String,
    mac: Option<String>,
    kind: Kind,
}

/// What an interface is to its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A physical network card.
    Physical,
    /// A switch with several cards.
    Bond,
    /// An interface of the kernel or of the service console.
    Kernel,
}

impl Interface {
    /// The name.
    #[doc(alias = "virInterfaceGetName")]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The hardware address, as the host writes it; that of a bond is its first card's. None: the host does not tell.
    #[doc(alias = "virInterfaceGetMACString")]
    pub fn mac(&self) -> Option<&str> {
        self.mac.as_deref()
    }

    /// The connection.
    pub fn connect(&self) -> &Connect {
        &self.connect
    }

    /// Whether the interface is active: always. As in libvirt's ESX driver there is no request, so the interface may not
    /// exist any more.
    #[doc(alias = "virInterfaceIsActive")]
    pub fn is_active(&self) -> bool {
        true
    }
}

impl fmt::Debug for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interface")
            .field("name", &self.name)
            .field("mac", &self.mac)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

fn no_interface(what: &str, value: &str) -> Error {
    let message = format!("Could not find physical NIC with {what} '{value}'");
    let kind = ErrorKind::NotFound(What::Interface);
    Error::new(kind, ErrorNumber::NoInterface, message)
}
