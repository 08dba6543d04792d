//! Addresses of a host's interfaces.

use std::net::{Ipv4Addr, Ipv6Addr};

use vi_types::SoapFault;
use vi_types::objects::{
    HostIpConfig, HostIpConfigIpV6Address, HostIpConfigIpV6AddressConfiguration,
};

use crate::fault;
use crate::world::inventory::parts::text;

/// Where an address of IPv6 comes from.
const MANUAL: &str = "manual";

/// The network of each link, and that of which routers tell.
const LINK: u64 = 0xfe80 << 48;
const ROUTERS: u64 = 0x2001_0db8_0000_0001;

/// What an interface asks for, and what its host knows.
pub(super) struct Asking<'a> {
    pub(super) mac: &'a str,
    /// What it has.
    pub(super) before: Option<&'a HostIpConfig>,
    /// Whether the host speaks IPv6; its API may be too old to say so.
    pub(super) v6: Option<bool>,
    /// Whether what is asked for is everything, or a change.
    pub(super) whole: bool,
}

/// The addresses that an interface gets. DHCP servers and routers give it such that are made of its MAC address.
///
/// # Errors
/// - `InvalidArgument` for texts that are no addresses or masks, and for one without the other.
/// - `InvalidState` for addresses of IPv6 on a host without it.
pub(super) fn granted(
    asked: &HostIpConfig,
    asking: &Asking<'_>,
) -> Result<HostIpConfig, SoapFault> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (ip, mask) = (given(&asked.ip_address), given(&asked.subnet_mask));
    let (ip_address, subnet_mask) = match (ip, mask) {
        _ if asked.dhcp => (Some(lease(asking.mac)), text("255.255.255.0")),
        (None, None) => (None, None),
        (Some(ip), Some(mask)) if is_v4(&ip) && prefix_length(&mask).is_some() => {
            (Some(ip), Some(mask))
        }
        (Some(ip), _) if is_v4(&ip) => return Err(fault::invalid_argument("nic.ip.subnetMask")),
        _ => return Err(fault::invalid_argument("nic.ip.ipAddress")),
    };
    Ok(HostIpConfig {
        dhcp: asked.dhcp,
        ip_address,
        subnet_mask,
        ip_v6_config: granted_v6(asked.ip_v6_config.as_deref(), asking)?.map(Box::new),
        ..HostIpConfig::default()
    })
}

fn granted_v6(
    asked: Option<&HostIpConfigIpV6AddressConfiguration>,
    asking: &Asking<'_>,
) -> Result<Option<HostIpConfigIpV6AddressConfiguration>, SoapFault> {
    let before = asking
        .before
        .and_then(|before| before.ip_v6_config.as_deref());
    if asking.v6 != Some(true) {
        let asks = asked.is_some_and(|asked| {
            !asked.ip_v6_address.is_empty()
                || asked.auto_configuration_enabled == Some(true)
                || asked.dhcp_v6_enabled == Some(true)
        });
        return match asks {
            true => Err(fault::invalid_state()),
            false => Ok(None),
        };
    }
    let is_manual = |one: &&HostIpConfigIpV6Address| one.origin.as_deref() == Some(MANUAL);
    let known = before.filter(|_| !asking.whole || asked.is_none());
    let known = known.into_iter().flat_map(|before| &before.ip_v6_address);
    let mut manual: Vec<_> = known.filter(is_manual).cloned().collect();
    for one in asked.into_iter().flat_map(|asked| &asked.ip_v6_address) {
        // Clients send back what they have read, also addresses that nobody has set.
        if one.origin.as_deref().is_some_and(|origin| origin != MANUAL) {
            continue;
        }
        let address = one.ip_address.parse::<Ipv6Addr>();
        let address = address
            .ok()
            .filter(|_| (1..=128).contains(&one.prefix_length));
        let Some(address) = address else {
            return Err(fault::invalid_argument("nic.ip.ipV6Config.ipV6Address"));
        };
        manual.retain(|known| known.ip_address.parse() != Ok(address));
        if one.operation.as_deref() != Some("remove") {
            manual.push(v6(address, one.prefix_length, MANUAL));
        }
    }
    let setting = |of: fn(&HostIpConfigIpV6AddressConfiguration) -> Option<bool>| {
        asked.and_then(of).or(before.and_then(of)).unwrap_or(false)
    };
    let automatic = setting(|config| config.auto_configuration_enabled);
    let dhcp = setting(|config| config.dhcp_v6_enabled);
    let mut addresses = only_link(asking.mac).ip_v6_address;
    if automatic {
        addresses.push(v6(own(asking.mac, ROUTERS), 64, "linklayer"));
    }
    if dhcp {
        let [.., last] = bytes(asking.mac);
        let leased = Ipv6Addr::new(0x2001, 0xdb8, 0, 1, 0, 0, 0xd, u16::from(last));
        addresses.push(v6(leased, 128, "dhcp"));
    }
    addresses.append(&mut manual);
    Ok(Some(HostIpConfigIpV6AddressConfiguration {
        ip_v6_address: addresses,
        auto_configuration_enabled: Some(automatic),
        dhcp_v6_enabled: Some(dhcp),
        ..HostIpConfigIpV6AddressConfiguration::default()
    }))
}

/// What an interface has of IPv6 that asks for nothing: its address of the link.
pub(crate) fn only_link(mac: &str) -> HostIpConfigIpV6AddressConfiguration {
    HostIpConfigIpV6AddressConfiguration {
        ip_v6_address: vec![v6(own(mac, LINK), 64, "other")],
        auto_configuration_enabled: Some(false),
        dhcp_v6_enabled: Some(false),
        ..HostIpConfigIpV6AddressConfiguration::default()
    }
}

fn v6(address: Ipv6Addr, prefix_length: i32, origin: &str) -> HostIpConfigIpV6Address {
    HostIpConfigIpV6Address {
        ip_address: address.to_string(),
        prefix_length,
        origin: text(origin),
        dad_state: text("preferred"),
        ..HostIpConfigIpV6Address::default()
    }
}

/// The address of an interface in a network, made of its MAC address (RFC 4291, appendix A).
fn own(mac: &str, network: u64) -> Ipv6Addr {
    let [a, b, c, d, e, f] = bytes(mac);
    let interface = u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
    Ipv6Addr::from_bits(u128::from(network) << 64 | u128::from(interface))
}

/// The address that a DHCP server gives.
fn lease(mac: &str) -> String {
    let [.., e, f] = bytes(mac);
    let last = 128 + (e ^ f) % 96;
    Ipv4Addr::new(192, 0, 2, last).to_string()
}

/// The six bytes of a MAC address; zeros instead of what is none.
fn bytes(mac: &str) -> [u8; 6] {
    let mut bytes = [0; 6];
    for (byte, digits) in bytes.iter_mut().zip(mac.split(':')) {
        *byte = u8::from_str_radix(digits, 16).unwrap_or(0);
    }
    bytes
}

pub(super) fn is_v4(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok()
}

/// The number of ones of an IPv4 mask; `None` if it is no mask.
pub(super) fn prefix_length(mask: &str) -> Option<u32> {
    let bits = mask.parse::<Ipv4Addr>().ok()?.to_bits();
    (bits.leading_ones() + bits.trailing_zeros() == 32).then(|| bits.leading_ones())
}

/// The network of an IPv4 address.
pub(super) fn network(address: &str, mask: &str) -> Option<(Ipv4Addr, u32)> {
    let length = prefix_length(mask)?;
    let (address, mask) = (
        address.parse::<Ipv4Addr>().ok()?,
        mask.parse::<Ipv4Addr>().ok()?,
    );
    Some((address & mask, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_ones_before_zeros() {
        for (mask, length) in [
            ("255.255.255.0", Some(24)),
            ("255.255.255.255", Some(32)),
            ("0.0.0.0", Some(0)),
            ("255.0.255.0", None),
            ("24", None),
        ] {
            assert_eq!(prefix_length(mask), length, "{mask}");
        }
    }
}
