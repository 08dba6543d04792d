use std::fmt::Write as _;

use serde::Serialize;
use virt_model::domain::{DomainInterface, InterfaceAddressesSource};

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::check_text;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// Get network interfaces' addresses for a running domain
///
/// VMware Tools in the guest tell them: --source agent.
#[derive(Debug, clap::Args)]
pub(crate) struct Domifaddr {
    #[command(flatten)]
    domain: DomainArg,

    /// network interface name
    #[arg(value_name = "interface")]
    interface: Option<String>,

    /// always display names and MACs of interfaces
    #[arg(long)]
    full: bool,

    /// address source: 'lease', 'agent', or 'arp'
    #[arg(value_name = "source")]
    source: Option<String>,
}

/// A guest's network interfaces.
#[derive(Debug, Serialize)]
pub(crate) struct Addresses {
    domain: String,
    interfaces: Vec<Interface>,

    #[serde(skip)]
    full: bool,
}

#[derive(Debug, Serialize)]
struct Interface {
    name: String,
    mac: Option<String>,
    addresses: Vec<Address>,
}

#[derive(Debug, Serialize)]
struct Address {
    /// `ipv4` or `ipv6`.
    protocol: &'static str,
    address: String,
    prefix: u32,
}

impl Query for Domifaddr {
    type Answer = Addresses;

    fn check(&self) -> Result<(), Failure> {
        check_text("interface", self.interface.as_deref())?;
        check_text("source", self.source.as_deref())?;
        self.source().map(drop)
    }

    async fn ask(self, connection: &Connection) -> Result<Addresses, Failure> {
        let source = self.source()?;
        let domain = self.domain.find(connection).await?;
        let found = domain.interface_addresses(source).await;
        let found = found
            .map_err(|error| Failure::because("Failed to query for interfaces addresses", error))?;
        let wanted = self.interface.as_deref();
        let interfaces = found
            .into_iter()
            .filter(|one| wanted.is_none_or(|name| one.name == name));
        Ok(Addresses {
            domain: domain.name().to_owned(),
            interfaces: interfaces.map(Interface::from).collect(),
            full: self.full,
        })
    }
}

impl Domifaddr {
    fn source(&self) -> Result<InterfaceAddressesSource, Failure> {
        match self.source.as_deref() {
            None | Some("lease") => Ok(InterfaceAddressesSource::Lease),
            Some("agent") => Ok(InterfaceAddressesSource::Agent),
            Some("arp") => Ok(InterfaceAddressesSource::Arp),
            Some(other) => Err(Failure::new(format!("Unknown data source '{other}'"))),
        }
    }
}

impl From<DomainInterface> for Interface {
    fn from(interface: DomainInterface) -> Self {
        let addresses = interface.addrs.into_iter().map(|one| Address {
            protocol: if one.addr.is_ipv4() { "ipv4" } else { "ipv6" },
            address: one.addr.to_string(),
            prefix: one.prefix,
        });
        Self {
            name: interface.name,
            mac: interface.hwaddr.map(|mac| mac.to_string()),
            addresses: addresses.collect(),
        }
    }
}

impl Answer for Addresses {
    const SCHEMA: &'static str = "virt-esx/domain-addresses/1";

    fn text(&self, quiet: bool) -> String {
        let mut text = String::new();
        let mut line = |name: &str, mac: &str, protocol: &str, address: &str| {
            let (name, address) = (foreign::line(name), foreign::line(address));
            // Writing to a string cannot fail.
            let _ = writeln!(text, " {name:<10} {mac:<17}    {protocol:<12} {address}");
        };
        if !quiet {
            line("Name", "MAC address", "Protocol", "Address");
        }
        for one in &self.interfaces {
            let mac = one.mac.as_deref().unwrap_or("N/A");
            if one.addresses.is_empty() {
                line(&one.name, mac, "N/A", "N/A");
            }
            for (at, address) in one.addresses.iter().enumerate() {
                let shown = format!("{}/{}", address.address, address.prefix);
                match self.full || at == 0 {
                    true => line(&one.name, mac, address.protocol, &shown),
                    false => line("-", "-", address.protocol, &shown),
                }
            }
        }
        if !quiet {
            let end = text.find('\n').map_or(0, |end| end + 1);
            text.insert_str(end, &format!("{}\n", "-".repeat(79)));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use virt_model::domain::{DomainInterface, DomainIpAddress};

    use super::{Addresses, Interface};
    use crate::answer::Answer as _;

    fn addresses(full: bool) -> Addresses {
        let address = |text: &str, prefix| DomainIpAddress {
            addr: text.parse().unwrap(),
            prefix,
        };
        let with = DomainInterface {
            name: "VM Network".to_owned(),
            hwaddr: Some("00:0c:29:00:00:02".parse().unwrap()),
            addrs: vec![address("10.0.0.2", 24), address("fe80::2", 64)],
            ..DomainInterface::default()
        };
        let without = DomainInterface {
            name: "a network with a long name".to_owned(),
            ..DomainInterface::default()
        };
        Addresses {
            domain: "db01".to_owned(),
            interfaces: vec![Interface::from(with), Interface::from(without)],
            full,
        }
    }

    /// As virsh prints them.
    #[test]
    fn the_table_is_virshs() {
        assert_eq!(
            addresses(false).text(false),
            " Name       MAC address          Protocol     Address\n\
             -------------------------------------------------------------------------------\n \
             VM Network 00:0c:29:00:00:02    ipv4         10.0.0.2/24\n \
             -          -                    ipv6         fe80::2/64\n \
             a network with a long name N/A                  N/A          N/A\n"
        );
        assert_eq!(
            addresses(true).text(true),
            " VM Network 00:0c:29:00:00:02    ipv4         10.0.0.2/24\n \
             VM Network 00:0c:29:00:00:02    ipv6         fe80::2/64\n \
             a network with a long name N/A                  N/A          N/A\n"
        );
    }
}
