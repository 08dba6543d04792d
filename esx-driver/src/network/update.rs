//! Changing parts of a network.

mod distributed;
mod standard;

use virt_model::{
    Document as _, ErrorNumber, NetworkDef,
    flags::{
        NetworkUpdateCommand as Command, NetworkUpdateFlags, NetworkUpdateSection as Section,
        refuse_unknown,
    },
    network::PortGroup,
    xml::Element,
};

use super::{Network, changes::refused, definition::Found, switches::Switch};
use crate::{Error, ErrorKind, Operation, Result, What, engine::Change};

/// What is changed.
enum Part {
    PortGroup(PortGroup),
    /// A physical network card by its name.
    Nic(String),
}

/// A part as libvirt's texts name it.
struct Entry {
    what: What,
    section: &'static str,
    element: String,
}

impl Entry {
    fn group(name: &str) -> Entry {
        Entry {
            what: What::PortGroup,
            section: "portgroup",
            element: format!("<portgroup name='{name}'>"),
        }
    }

    fn nic(device: &str) -> Entry {
        Entry {
            what: What::Device,
            section: "interface",
            element: format!("<interface dev='{device}'>"),
        }
    }
}

impl Network {
    /// Changes a part of the network: a port group is added, changed or removed (its VLAN and limits are those of the
    /// document then), or a physical network card is added or removed. The change is at once one of the running network and
    /// of its definition, whatever the flags. Port groups have no order of their own, so it does not matter where one is
    /// added, and `parent_index` is ignored, as in libvirt for these sections. Two requests.
    ///
    /// Of a distributed switch the vCenter is asked, if the connection is one to it: port groups are the same on all its hosts,
    /// and network cards are those of the connection's host. Two requests and those of a task. Unlike a host's, its port
    /// groups may be trunks of several VLANs, and may limit the two directions differently.
    ///
    /// # Errors
    /// [`ErrorKind::Definition`] if the document cannot be read, or is of another section; [`ErrorKind::Exists`] if there is
    /// such a part already; [`ErrorKind::NotFound`] if there is none; [`ErrorKind::WrongState`] if a port group is in use;
    /// [`ErrorKind::Unsupported`] for other sections, and for switches that their host cannot change;
    /// [`ErrorKind::UnsupportedFlags`]; what any [`Operation`] may fail with.
    #[doc(alias = "virNetworkUpdate")]
    pub fn update(
        &self,
        command: Command,
        section: Section,
        _parent_index: i32,
        xml: &str,
        flags: NetworkUpdateFlags,
    ) -> Operation<'static> {
        let known = NetworkUpdateFlags::LIVE | NetworkUpdateFlags::CONFIG;
        let part = refuse_unknown(flags, known, "esxNetworkUpdate")
            .map_err(Error::from)
            .and_then(|()| self.read_part(command, section, xml));
        let network = self.clone();
        Operation::new("Could not update network", move |mut runner| {
            Box::pin(async move {
                let part = part?;
                let change = network.change(command, &part);
                let change = runner.prepare(change).await?;
                let what = match &part {
                    Part::PortGroup(group) => format!("port group '{}'", group.name),
                    Part::Nic(device) => format!("network '{}' with '{device}'", network.name),
                };
                let done = runner.perform(change).await;
                done.map_err(|error| refused(error, &what))
            })
        })
    }

    async fn change(&self, command: Command, part: &Part) -> Result<Change<()>> {
        let found: Found = self.connect.host_network().await?;
        match (found.switch(self)?, part) {
            (Switch::Standard(switch), Part::PortGroup(group)) => {
                self.change_group(command, group, switch, &found).await
            }
            (Switch::Standard(switch), Part::Nic(device)) => {
                self.change_nic(command, device, switch, &found).await
            }
            (Switch::Distributed(switch), Part::PortGroup(group)) => {
                self.change_distributed_group(command, group, switch, &found)
            }
            (Switch::Distributed(switch), Part::Nic(device)) => {
                self.change_uplink(command, device, switch, &found).await
            }
            (Switch::Opaque(_) | Switch::Network(_), _) => Err(self.unsupported("changed")),
        }
    }

    /// The error for a part that is to be added and that there is.
    fn exists(&self, entry: &Entry) -> Error {
        let (section, element, network) = (entry.section, &entry.element, &self.name);
        Error::new(
            ErrorKind::Exists(entry.what),
            ErrorNumber::OperationInvalid,
            format!(
                "there is an existing {section} entry in network '{network}' that matches \"{element}\""
            ),
        )
    }

    /// The error for a part that is to be changed or removed and that there is not.
    fn lacks(&self, entry: &Entry) -> Error {
        let (section, element, network) = (entry.section, &entry.element, &self.name);
        Error::new(
            ErrorKind::NotFound(entry.what),
            ErrorNumber::OperationInvalid,
            format!(
                "couldn't find {} entry in network '{network}' matching {element}",
                with_article(section)
            ),
        )
    }

    /// The texts are those of virNetworkDefUpdateSection of libvirt 9.0.0, observed with the test driver.
    fn read_part(&self, command: Command, section: Section, xml: &str) -> Result<Part> {
        let element = match section {
            Section::Portgroup => "portgroup",
            Section::ForwardInterface => "interface",
            other => {
                let section = match other {
                    Section::ForwardPf => "forward pf".to_owned(),
                    Section::IpDhcpHost | Section::IpDhcpRange => "ip dhcp".to_owned(),
                    other => other.to_string(),
                };
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    ErrorNumber::NoSupport,
                    format!(
                        "can't update '{section}' section of network '{}'",
                        self.name
                    ),
                )
                .advise("a switch has port groups and network cards (forward-interface)"));
            }
        };
        let root: Element = xml.parse().map_err(Error::of_document)?;
        if root.name() != element {
            return Err(broken(format!(
                "unexpected element <{}>, expecting <{element}>, while updating network '{}'",
                root.name(),
                self.name
            )));
        }
        if section == Section::ForwardInterface {
            let dev = root.attribute("dev").unwrap_or_default();
            if dev.is_empty() {
                return Err(broken(
                    "missing dev attribute in <interface> element".to_owned(),
                ));
            }
            if command == Command::Modify {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    ErrorNumber::NoSupport,
                    "forward interface entries cannot be modified, only added or deleted",
                ));
            }
            return Ok(Part::Nic(dev.to_owned()));
        }
        // A port group alone is no document that the model reads.
        let document = format!(
            "<network><name>x</name>{}</network>",
            without_declaration(xml)
        );
        let read = NetworkDef::read_xml(&document).map_err(Error::of_document)?;
        crate::document::check_known(&read.unmodelled, false)?;
        match read.document.port_groups.into_iter().next() {
            Some(group) => Ok(Part::PortGroup(group)),
            None => Err(broken(
                "Missing required name attribute in portgroup".to_owned(),
            )),
        }
    }
}

fn with_article(section: &str) -> String {
    let article = match section.starts_with('i') {
        true => "an",
        false => "a",
    };
    format!("{article} {section}")
}

fn without_declaration(xml: &str) -> &str {
    let xml = xml.trim_start();
    match xml
        .strip_prefix("<?xml")
        .and_then(|rest| rest.split_once("?>"))
    {
        Some((_, rest)) => rest,
        None => xml,
    }
}

fn broken(message: String) -> Error {
    Error::new(ErrorKind::Definition, ErrorNumber::XmlError, message)
}
