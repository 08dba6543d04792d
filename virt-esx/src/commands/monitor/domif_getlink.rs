use serde::Serialize;
use virt_model::{DomainXmlFlags, MacAddress};

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::definition::{Definition, child_attribute};
use crate::commands::domain_arg::DomainArg;
use crate::commands::options;
use crate::connection::Connection;
use crate::failure::Failure;

/// get link state of a virtual interface
///
/// Get link state of a domain's virtual interface.
#[derive(Debug, clap::Args)]
pub(crate) struct DomifGetlink {
    #[command(flatten)]
    domain: DomainArg,

    /// interface device (MAC Address)
    #[arg(value_name = "interface")]
    interface: String,

    /// Get persistent interface state
    #[arg(long)]
    config: bool,
}

/// The state of an interface's link.
#[derive(Debug, Serialize)]
pub(crate) struct Link {
    /// As the command line has it.
    interface: String,
    /// `up` or `down`.
    state: String,
}

impl Query for DomifGetlink {
    type Answer = Link;

    fn check(&self) -> Result<(), Failure> {
        options::check_text("interface", Some(&self.interface))
    }

    async fn ask(self, connection: &Connection) -> Result<Link, Failure> {
        let domain = self.domain.find(connection).await?;
        let flags = match self.config {
            true => DomainXmlFlags::INACTIVE,
            false => DomainXmlFlags::NONE,
        };
        let definition = Definition::of(&domain, flags).await?;
        let mac: Option<MacAddress> = self.interface.parse().ok();
        let mut interfaces = definition
            .devices("interface")
            .filter(|interface| match mac {
                Some(mac) => {
                    let address = child_attribute(interface, "mac", "address");
                    address.and_then(|address| address.parse().ok()) == Some(mac)
                }
                None => child_attribute(interface, "target", "dev") == Some(&*self.interface),
            });
        let (found, another) = (interfaces.next(), interfaces.next());
        let kind = if mac.is_some() { "mac" } else { "dev" };
        let Some(found) = found else {
            return Err(Failure::new(format!(
                "Interface ({kind}: {}) not found.",
                self.interface
            )));
        };
        if another.is_some() {
            return Err(Failure::new(format!(
                "multiple matching interfaces found for '{}'",
                self.interface
            )));
        }
        let state = child_attribute(found, "link", "state").unwrap_or("up");
        Ok(Link {
            state: state.to_owned(),
            interface: self.interface,
        })
    }
}

impl Answer for Link {
    const SCHEMA: &'static str = "virt-esx/domain-interface-link/1";

    fn text(&self, _quiet: bool) -> String {
        // virsh ends the line with that of the command's end, and with --quiet not at all.
        format!("{} {}", self.interface, self.state)
    }
}
