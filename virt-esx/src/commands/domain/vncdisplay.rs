use serde::Serialize;
use virt_model::DomainXmlFlags;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::definition::{Definition, attribute, child_attribute};
use crate::commands::domain_arg::DomainArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// vnc display
///
/// Output the IP address and port number for the VNC display.
#[derive(Debug, clap::Args)]
pub(crate) struct Vncdisplay {
    #[command(flatten)]
    domain: DomainArg,
}

/// A domain's VNC display.
#[derive(Debug, Serialize)]
pub(crate) struct Display {
    domain: String,
    /// `ADDRESS:NUMBER`, or `:NUMBER` if it listens on all addresses.
    display: String,
}

impl Query for Vncdisplay {
    type Answer = Display;

    async fn ask(self, connection: &Connection) -> Result<Display, Failure> {
        let domain = self.domain.find(connection).await?;
        if domain.id().is_none() {
            return Err(Failure::new("Domain is not running"));
        }
        let definition = Definition::of(&domain, DomainXmlFlags::NONE).await?;
        let mut displays = definition.devices("graphics");
        let vnc = displays.find(|graphics| attribute(graphics, "type") == Some("vnc"));
        let port = |vnc| -> Option<i64> { attribute(vnc, "port")?.parse().ok() };
        let Some((vnc, port)) = vnc.and_then(|vnc| Some((vnc, port(vnc)?))) else {
            let line = "Failed to get VNC port. Is this domain using VNC?";
            return Err(Failure::new(line));
        };
        let own = attribute(vnc, "listen");
        let own = own.or_else(|| child_attribute(vnc, "listen", "address"));
        let address = own
            .filter(|address| *address != "0.0.0.0")
            .unwrap_or_default();
        Ok(Display {
            domain: domain.name().to_owned(),
            display: format!("{address}:{}", port - 5900),
        })
    }
}

impl Answer for Display {
    const SCHEMA: &'static str = "virt-esx/domain-vnc-display/1";

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", foreign::line(&self.display))
    }
}
