//! Networks of addresses, as libvirt's `virSocketAddr…` functions calculate with them.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::NetworkIp;

/// The bits of an address, from the left of 128.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The bits of an address of that family.
pub(super) fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// A mask of that many bits, from the left of 128.
fn mask(prefix: u32) -> u128 {
    match prefix {
        0 => 0,
        _ => u128::MAX << (128 - prefix.min(128)),
    }
}

/// The length of the network's prefix: that which is given, else that of the address's class, or 64
/// (`virSocketAddrGetIPPrefix`).
pub(super) fn prefix(address: IpAddr, netmask: Option<IpAddr>, prefix: Option<u32>) -> u32 {
    if let Some(netmask) = netmask {
        return bits(netmask).leading_ones();
    }
    match (prefix, address) {
        (Some(prefix), _) if prefix > 0 => prefix,
        (_, address) if address.is_unspecified() => 0,
        (_, IpAddr::V4(address)) => match address.octets()[0] {
            0..=127 => 8,
            128..=191 => 16,
            _ => 24,
        },
        (_, IpAddr::V6(_)) => 64,
    }
}

/// Whether both addresses are in one network of that prefix.
pub(super) fn same_network(one: IpAddr, other: IpAddr, prefix: u32) -> bool {
    one.is_ipv4() == other.is_ipv4() && (bits(one) ^ bits(other)) & mask(prefix) == 0
}

/// The addresses of a network: its family, the length of its prefix, and the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Range {
    is_ipv4: bool,
    prefix: u32,
    start: u128,
}

impl Range {
    /// The network of an address that a definition gives; nothing if it gives none.
    pub(super) fn of(ip: &NetworkIp) -> Option<Range> {
        let address = ip.address?;
        Some(Range::around(
            address,
            prefix(address, ip.netmask, ip.prefix),
        ))
    }

    fn around(address: IpAddr, prefix: u32) -> Range {
        let prefix = prefix.min(128);
        Range {
            is_ipv4: address.is_ipv4(),
            prefix,
            start: bits(address) & mask(prefix),
        }
    }
}

/// Whether an address is in one of the networks. It looks once for each length of a prefix, of which there are few.
pub(super) fn is_within(address: IpAddr, ranges: &BTreeSet<Range>) -> bool {
    let mut from = Range {
        is_ipv4: address.is_ipv4(),
        prefix: 0,
        start: 0,
    };
    while let Some(next) = ranges.range(from..).next() {
        if next.is_ipv4 != address.is_ipv4() {
            return false;
        }
        if ranges.contains(&Range::around(address, next.prefix)) {
            return true;
        }
        let Some(longer) = next.prefix.checked_add(1) else {
            return false;
        };
        from.prefix = longer;
    }
    false
}

/// Whether an address has only zeros behind the prefix.
pub(super) fn is_network(address: IpAddr, prefix: u32) -> bool {
    bits(address) & !mask(prefix) == 0
}

/// Whether an address has only ones behind the prefix.
fn is_broadcast(address: IpAddr, prefix: u32) -> bool {
    let own = mask(width(address));
    (bits(address) | mask(prefix)) & own == own
}

/// Why a range of addresses is not one of the network of `address` (`virSocketAddrGetRange`).
pub(super) fn check_range(
    start: IpAddr,
    end: IpAddr,
    address: IpAddr,
    prefix: u32,
) -> Result<(), String> {
    let same = |other| same_network(address, other, prefix);
    if !same(start) || !same(end) {
        return Err(format!(
            "range {start} - {end} is not entirely within network {address}/{prefix}"
        ));
    }
    if address.is_ipv4() && prefix < 31 {
        let not = |which, what| {
            format!(
                "{which} of range {start} - {end} in network {address}/{prefix} is the {what} address"
            )
        };
        if is_network(start, prefix) {
            return Err(not("start", "network"));
        }
        if is_broadcast(end, prefix) {
            return Err(not("end", "broadcast"));
        }
    }
    if bits(start) > bits(end) {
        return Err(format!("range {start} - {end} is reversed "));
    }
    let count = (bits(end) - bits(start)) >> (128 - width(address));
    match count > 65535 {
        true => Err(format!("range {start} - {end} is too large (> 65535)")),
        false => Ok(()),
    }
}
