use std::net::IpAddr;

use serde::Serialize;
use virt_model::DomainXmlFlags;
use xmltree::Element;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::definition::{Definition, attribute, child_attribute};
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::{self, check_exclusive};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// domain display connection URI
///
/// Output the IP address and port number for the graphical display.
#[derive(Debug, clap::Args)]
pub(crate) struct Domdisplay {
    #[command(flatten)]
    domain: DomainArg,

    /// includes the password into the connection URI if available
    #[arg(long)]
    include_password: bool,

    /// select particular graphical display (e.g. "vnc", "spice", "rdp", "dbus")
    #[arg(value_name = "type")]
    r#type: Option<String>,

    /// show all possible graphical displays
    #[arg(long)]
    all: bool,
}

/// The URIs of a domain's displays.
#[derive(Debug, Serialize)]
pub(crate) struct Displays {
    domain: String,
    displays: Vec<String>,

    #[serde(skip)]
    all: bool,
}

/// The kinds of displays in virsh's order.
const KINDS: [&str; 4] = ["vnc", "spice", "rdp", "dbus"];

impl Query for Domdisplay {
    type Answer = Displays;

    fn check(&self) -> Result<(), Failure> {
        check_exclusive([("all", self.all), ("type", self.r#type.is_some())])
    }

    async fn ask(self, connection: &Connection) -> Result<Displays, Failure> {
        let domain = self.domain.find(connection).await?;
        if domain.id().is_none() {
            return Err(Failure::new("Domain is not running"));
        }
        let wanted = self.r#type.as_deref();
        options::check_text("type", wanted)?;
        let definition = match self.include_password {
            true => Definition::with_secrets(&domain, connection).await?,
            false => Definition::of(&domain, DomainXmlFlags::NONE).await?,
        };
        let server = connection.uri().server();
        let kinds = KINDS.into_iter();
        let kinds = kinds.filter(|kind| wanted.is_none_or(|wanted| wanted == *kind));
        let mut displays: Vec<_> = kinds
            .filter_map(|kind| uri(&definition, kind, server))
            .collect();
        if displays.is_empty() {
            return Err(Failure::new(match wanted {
                Some(wanted) => format!("No graphical display with type '{wanted}' found"),
                None => "No graphical display found".to_owned(),
            }));
        }
        if !self.all {
            displays.truncate(1);
        }
        Ok(Displays {
            domain: domain.name().to_owned(),
            displays,
            all: self.all,
        })
    }
}

/// The URI of the domain's first display of that kind, as virsh writes it. A display that listens on all addresses is
/// reached at the server's; one that names no address, at `localhost`.
fn uri(definition: &Definition, kind: &str, server: &str) -> Option<String> {
    let mut displays = definition.devices("graphics");
    let display = displays.find(|graphics| attribute(graphics, "type") == Some(kind))?;
    let number = |name| -> Option<i32> {
        let text = attribute(display, name)?;
        text.parse().ok().filter(|number| *number != 0)
    };
    let (port, tls_port) = (number("port"), number("tlsPort"));
    let socket = match child_attribute(display, "listen", "type") {
        Some("socket") => child_attribute(display, "listen", "socket"),
        _ => None,
    };
    if port.is_none() && tls_port.is_none() && socket.is_none() {
        return None;
    }
    let password = attribute(display, "passwd");
    let mut uri = kind.to_owned();
    uri += if socket.is_some() { "+unix://" } else { "://" };
    if let Some(password) = password.filter(|_| kind == "vnc") {
        uri += &format!(":{password}@");
    }
    uri += &match (socket, address(display, server)) {
        (Some(socket), _) => socket.to_owned(),
        (None, None) => "localhost".to_owned(),
        (None, Some(address)) if address.contains(':') => format!("[{address}]"),
        (None, Some(address)) => address.to_owned(),
    };
    if let Some(port) = port {
        // A VNC display is counted from this port.
        let port = if kind == "vnc" {
            i64::from(port) - 5900
        } else {
            port.into()
        };
        uri += &format!(":{port}");
    }
    if let Some(port) = tls_port {
        uri += &format!("?tls-port={port}");
    }
    if let Some(password) = password.filter(|_| kind == "spice") {
        let separator = if tls_port.is_some() { '&' } else { '?' };
        uri += &format!("{separator}password={password}");
    }
    Some(uri)
}

/// The address that a display listens at.
fn address<'a>(display: &'a Element, server: &'a str) -> Option<&'a str> {
    let own = child_attribute(display, "listen", "address");
    let own = own.or_else(|| attribute(display, "listen"))?;
    let is_any = own
        .parse()
        .is_ok_and(|address: IpAddr| address.is_unspecified());
    match is_any {
        true => Some(server).filter(|server| !server.is_empty()),
        false => Some(own),
    }
}

impl Answer for Displays {
    const SCHEMA: &'static str = "virt-esx/domain-displays/1";

    fn text(&self, _quiet: bool) -> String {
        match self.all {
            true => self
                .displays
                .iter()
                .map(|uri| format!("{}\n", foreign::line(uri)))
                .collect(),
            // virsh ends the line with that of the command's end, and with --quiet not at all.
            false => self.displays.concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::uri;
    use crate::commands::definition::Definition;

    #[track_caller]
    fn check(graphics: &str, kind: &str, expected: Option<&str>) {
        let xml = format!("<domain><devices>{graphics}</devices></domain>");
        let definition = Definition::parse(&xml).unwrap();
        assert_eq!(uri(&definition, kind, "esx1").as_deref(), expected);
    }

    /// What virsh 9.0.0 prints for such documents.
    #[test]
    fn displays() {
        let any = "<graphics type='vnc' port='5901' listen='0.0.0.0' passwd='secret'/>";
        check(any, "vnc", Some("vnc://:secret@esx1:1"));
        check(any, "spice", None);
        let both = "<graphics type='vnc' port='5904'/>\
                    <graphics type='spice' port='5902' tlsPort='5903' listen='10.0.0.1' passwd='s p'/>";
        check(both, "vnc", Some("vnc://localhost:4"));
        let expected = "spice://10.0.0.1:5902?tls-port=5903&password=s p";
        check(both, "spice", Some(expected));
        let v6 =
            "<graphics type='vnc' port='5900'><listen type='address' address='::1'/></graphics>";
        check(v6, "vnc", Some("vnc://[::1]:0"));
        check(
            "<graphics type='rdp' port='3389'/>",
            "rdp",
            Some("rdp://localhost:3389"),
        );
        let auto = "<graphics type='vnc' port='-1' autoport='yes'/>";
        check(auto, "vnc", Some("vnc://localhost:-5901"));
        let socket = "<graphics type='vnc'><listen type='socket' socket='/run/x'/></graphics>";
        check(socket, "vnc", Some("vnc+unix:///run/x"));
        check("<graphics type='vnc'/>", "vnc", None);
    }
}
