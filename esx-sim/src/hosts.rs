//! The hosts of a simulated vCenter at addresses of their own, where they have the files of their datastores.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use http::uri::Authority;
use vi_types::{ManagedObjectReference, properties};

use crate::world::World;

/// The hosts that listen.
#[derive(Debug, Default)]
pub(crate) struct Hosts(Vec<HostAddress>);

/// Where a host listens.
#[derive(Clone, Debug)]
pub(crate) struct HostAddress {
    pub(crate) host: ManagedObjectReference,
    pub(crate) address: SocketAddr,
    /// Thumbprints of its certificate.
    pub(crate) sha1: Option<String>,
    pub(crate) sha256: Option<String>,
}

impl Hosts {
    pub(crate) fn add(&mut self, host: HostAddress) {
        self.0.retain(|other| other.address != host.address);
        self.0.push(host);
    }

    /// The host that listens there. A URL without a port means 443.
    pub(crate) fn at(&self, authority: &Authority) -> Option<&HostAddress> {
        let ip: IpAddr = authority.host().trim_matches(['[', ']']).parse().ok()?;
        let address = SocketAddr::new(ip, authority.port_u16().unwrap_or(443));
        self.0.iter().find(|host| host.address == address)
    }
}

/// The address of the nth host of a server: the loopback address so far behind the server's own.
pub(crate) fn address(server: SocketAddr, number: u32) -> io::Result<SocketAddr> {
    let IpAddr::V4(own) = server.ip() else {
        return Err(no_addresses(server));
    };
    if !own.is_loopback() {
        return Err(no_addresses(server));
    }
    let ip = Ipv4Addr::from_bits(own.to_bits().wrapping_add(number));
    match ip.is_loopback() {
        true => Ok(SocketAddr::new(ip.into(), server.port())),
        false => Err(no_addresses(server)),
    }
}

fn no_addresses(server: SocketAddr) -> io::Error {
    let ip = server.ip();
    io::Error::new(
        io::ErrorKind::AddrNotAvailable,
        format!(
            "hosts have addresses behind their server's on the loopback network, such as 127.0.0.1, not {ip}"
        ),
    )
}

/// Shows in the properties of a host where it listens.
pub(crate) fn show(world: &mut World, at: &HostAddress) {
    let (ip, port) = (at.address.ip().to_string(), at.address.port());
    world.change(&at.host, |host: &mut properties::HostSystem| {
        let network = host.config.as_deref_mut();
        let network = network.and_then(|config| config.network.as_deref_mut());
        // The first interface is the management's.
        let nic = network.and_then(|network| network.vnic.first_mut());
        if let Some(own) = nic.and_then(|nic| nic.spec.ip.as_deref_mut()) {
            own.ip_address = Some(ip);
        }
        if let Some(summary) = host.summary.as_deref_mut() {
            summary.config.port = i32::from(port);
            summary.config.ssl_thumbprint.clone_from(&at.sha1);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_behind_their_server() {
        let server = "127.0.0.1:8443".parse().unwrap();
        assert_eq!(address(server, 2).unwrap().to_string(), "127.0.0.3:8443");
        for other in ["192.0.2.1:8443", "[::1]:8443", "127.255.255.255:1"] {
            let error = address(other.parse().unwrap(), 1).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AddrNotAvailable, "{other}");
        }
    }

    #[test]
    fn a_url_names_the_host_at_its_address() {
        let mut hosts = Hosts::default();
        for (value, address) in [("host-1", "127.0.0.2:443"), ("host-2", "127.0.0.3:8443")] {
            hosts.add(HostAddress {
                host: ManagedObjectReference::new("HostSystem", value),
                address: address.parse().unwrap(),
                sha1: None,
                sha256: None,
            });
        }
        for (authority, expected) in [
            ("127.0.0.2", Some("host-1")),
            ("127.0.0.2:443", Some("host-1")),
            ("127.0.0.3:8443", Some("host-2")),
            ("127.0.0.3", None),
            ("esx-01.local", None),
        ] {
            let found = hosts.at(&authority.parse().unwrap());
            assert_eq!(
                found.map(|host| host.host.value.as_str()),
                expected,
                "{authority}"
            );
        }
    }
}
