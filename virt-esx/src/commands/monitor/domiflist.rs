use serde::Serialize;
use virt_model::DomainXmlFlags;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::definition::{self, Definition, child_attribute, first_attribute, or_dash};
use crate::commands::domain_arg::DomainArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::table::Table;

/// list all domain virtual interfaces
///
/// Get the summary of virtual interfaces for a domain.
#[derive(Debug, clap::Args)]
pub(crate) struct Domiflist {
    #[command(flatten)]
    domain: DomainArg,

    /// get inactive rather than running configuration
    #[arg(long)]
    inactive: bool,
}

/// The network interfaces of a domain.
#[derive(Debug, Serialize)]
pub(crate) struct Interfaces {
    domain: String,
    interfaces: Vec<Interface>,
}

/// A network interface.
#[derive(Debug, Serialize)]
struct Interface {
    /// The host's name of it, if it has one.
    interface: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    source: Option<String>,
    model: Option<String>,
    mac: Option<String>,
}

impl Query for Domiflist {
    type Answer = Interfaces;

    async fn ask(self, connection: &Connection) -> Result<Interfaces, Failure> {
        let domain = self.domain.find(connection).await?;
        let flags = match self.inactive {
            true => DomainXmlFlags::INACTIVE,
            false => DomainXmlFlags::NONE,
        };
        let definition = Definition::of(&domain, flags).await?;
        let interfaces = definition.devices("interface").map(|interface| {
            let of = |child, name| child_attribute(interface, child, name).map(str::to_owned);
            let sources = ["bridge", "dev", "network", "name"];
            let kind = definition::attribute(interface, "type").unwrap_or_default();
            Interface {
                interface: of("target", "dev"),
                kind: kind.to_owned(),
                source: first_attribute(interface, "source", &sources).map(str::to_owned),
                model: of("model", "type"),
                mac: of("mac", "address"),
            }
        });
        Ok(Interfaces {
            domain: domain.name().to_owned(),
            interfaces: interfaces.collect(),
        })
    }
}

impl Answer for Interfaces {
    const SCHEMA: &'static str = "virt-esx/domain-interfaces/1";

    fn text(&self, quiet: bool) -> String {
        let mut table = Table::new(["Interface", "Type", "Source", "Model", "MAC"]);
        for interface in &self.interfaces {
            table.push([
                or_dash(interface.interface.as_deref()),
                &interface.kind,
                or_dash(interface.source.as_deref()),
                or_dash(interface.model.as_deref()),
                or_dash(interface.mac.as_deref()),
            ]);
        }
        table.render(!quiet)
    }
}
