use super::device_address::Address;
use super::device_change::{Affects, Changed, Definition, Verb};
use crate::answering::Answering;
use crate::commands::Command;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::{check_exclusive, check_requires, check_text, check_texts};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::markup::escaped;
use crate::ui::Ui;

/// attach disk device
///
/// Attach new disk device. The source is a file of a datastore, `[datastore] folder/disk.vmdk`.
#[derive(Debug, clap::Args)]
pub(crate) struct AttachDisk {
    #[command(flatten)]
    domain: DomainArg,

    /// source of disk device or name of network disk
    #[arg(value_name = "source", required = true)]
    source: String,

    /// target of disk device
    #[arg(value_name = "target", required = true)]
    target: String,

    /// target bus of disk device
    #[arg(value_name = "targetbus")]
    targetbus: Option<String>,

    /// driver of disk device
    #[arg(value_name = "driver")]
    driver: Option<String>,

    /// subdriver of disk device
    #[arg(value_name = "subdriver")]
    subdriver: Option<String>,

    /// IOThread to be used by supported device
    #[arg(value_name = "iothread")]
    iothread: Option<String>,

    /// cache mode of disk device
    #[arg(value_name = "cache")]
    cache: Option<String>,

    /// io policy of disk device
    #[arg(value_name = "io")]
    io: Option<String>,

    /// target device type
    #[arg(id = "type", value_name = "type")]
    kind: Option<String>,

    /// mode of device reading and writing
    #[arg(value_name = "mode")]
    mode: Option<String>,

    /// type of source (block|file|network)
    #[arg(value_name = "sourcetype")]
    sourcetype: Option<String>,

    /// serial of disk device
    #[arg(value_name = "serial")]
    serial: Option<String>,

    /// wwn of disk device
    #[arg(value_name = "wwn")]
    wwn: Option<String>,

    /// custom alias name of disk device
    #[arg(value_name = "alias")]
    alias: Option<String>,

    /// needs rawio capability
    #[arg(long)]
    rawio: bool,

    /// address of disk device
    #[arg(value_name = "address")]
    address: Option<String>,

    /// use multifunction pci under specified address
    #[arg(long)]
    multifunction: bool,

    /// print XML document rather than attach the disk
    #[arg(long)]
    print_xml: bool,

    /// protocol used by disk device source
    #[arg(id = "source-protocol", value_name = "source-protocol")]
    source_protocol: Option<String>,

    /// host name for source of disk device
    #[arg(id = "source-host-name", value_name = "source-host-name")]
    source_host_name: Option<String>,

    /// host transport for source of disk device
    #[arg(id = "source-host-transport", value_name = "source-host-transport")]
    source_host_transport: Option<String>,

    /// host socket for source of disk device
    #[arg(id = "source-host-socket", value_name = "source-host-socket")]
    source_host_socket: Option<String>,

    #[command(flatten)]
    affects: Affects,

    #[command(flatten)]
    answering: Answering,
}

impl Command for AttachDisk {
    fn check(&self) -> Result<(), Failure> {
        self.affects.check()?;
        let protocol = ("source-protocol", self.source_protocol.is_some());
        let name = ("source-host-name", self.source_host_name.is_some());
        let transport = (
            "source-host-transport",
            self.source_host_transport.is_some(),
        );
        let socket = ("source-host-socket", self.source_host_socket.is_some());
        check_requires(name, protocol)?;
        check_requires(transport, protocol)?;
        check_requires(socket, protocol)?;
        check_requires(socket, transport)?;
        check_exclusive([name, socket])?;
        self.answering.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let xml = self.xml()?;
        if self.print_xml {
            return Ok(ui.answer(&Definition::new(xml))?);
        }
        let policy = self.answering.policy(connection.policy(), ui)?;
        let domain = self.domain.find(&connection.with_policy(policy)).await?;
        let flags = self.affects.flags(&domain);
        let attached = Verb::Attach.run(connection, &domain, &xml, flags).await;
        attached.map_err(|reason| Failure::because("Failed to attach disk", reason))?;
        Ok(ui.answer(&Changed {
            domain: domain.name().to_owned(),
            xml,
            text: "Disk attached successfully",
            is_loud: false,
        })?)
    }
}

/// The attribute of `<source>` that names it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum SourceType {
    File,
    Block,
    Network,
}

impl AttachDisk {
    /// The disk's document, with virsh's checks and in its order. What virsh does not escape is not escaped.
    fn xml(&self) -> Result<String, Failure> {
        check_text("target", Some(&self.target))?;
        check_texts([
            ("targetbus", &self.targetbus),
            ("driver", &self.driver),
            ("subdriver", &self.subdriver),
            ("iothread", &self.iothread),
            ("cache", &self.cache),
            ("io", &self.io),
            ("type", &self.kind),
            ("mode", &self.mode),
            ("sourcetype", &self.sourcetype),
            ("serial", &self.serial),
            ("wwn", &self.wwn),
            ("alias", &self.alias),
            ("address", &self.address),
            ("source-protocol", &self.source_protocol),
            ("source-host-name", &self.source_host_name),
            ("source-host-transport", &self.source_host_transport),
            ("source-host-socket", &self.source_host_socket),
        ])?;
        let source_type = self.source_type()?;
        let mode = match self.mode.as_deref() {
            None => "",
            Some("readonly") => "  <readonly/>\n",
            Some("shareable") => "  <shareable/>\n",
            Some(mode) => {
                let line = format!("No support for {mode} in command 'attach-disk'");
                return Err(Failure::new(line));
            }
        };
        if let Some(wwn) = self.wwn.as_deref().filter(|wwn| !is_wwn(wwn)) {
            return Err(Failure::new(format!(
                "internal error: Malformed wwn: {wwn}"
            )));
        }
        let address = match &self.address {
            Some(address) => Some(Address::of_disk(address, &self.target)?),
            None => None,
        };

        let kind = match source_type {
            SourceType::File => "file",
            SourceType::Block => "block",
            SourceType::Network => "network",
        };
        let mut xml = format!("<disk type='{kind}'");
        push_attribute(&mut xml, "device", &self.kind);
        if self.rawio {
            xml += " rawio='yes'";
        }
        xml += ">\n";
        xml += &self.driver_xml();
        xml += &self.source_xml(source_type);
        xml += &format!("  <target dev='{}'", self.target);
        if let Some(bus) = &self.targetbus {
            xml += &format!(" bus='{bus}'");
        }
        xml += "/>\n";
        xml += mode;
        if let Some(serial) = &self.serial {
            xml += &format!("  <serial>{serial}</serial>\n");
        }
        if let Some(alias) = &self.alias {
            xml += &format!("  <alias name='{alias}'/>\n");
        }
        if let Some(wwn) = &self.wwn {
            xml += &format!("  <wwn>{wwn}</wwn>\n");
        }
        if let Some(address) = address {
            xml += &format!("  {}\n", address.xml(self.multifunction));
        }
        Ok(xml + "</disk>\n")
    }

    fn source_type(&self) -> Result<SourceType, Failure> {
        let by_protocol = self.source_protocol.is_some();
        let found = match self.sourcetype.as_deref() {
            Some("file") => SourceType::File,
            Some("block") => SourceType::Block,
            Some("network") => SourceType::Network,
            Some(unknown) => {
                return Err(Failure::new(format!("Unknown source type: '{unknown}'")));
            }
            None if by_protocol => SourceType::Network,
            None if matches!(self.driver.as_deref(), Some("file" | "tap")) => SourceType::File,
            None if is_block_device(&self.source) => SourceType::Block,
            None => SourceType::File,
        };
        if by_protocol != (found == SourceType::Network) {
            let line = "--source-protocol option requires --sourcetype network";
            return Err(Failure::new(line));
        }
        Ok(found)
    }

    fn driver_xml(&self) -> String {
        let mut attributes = String::new();
        for (name, value) in [
            ("name", &self.driver),
            ("type", &self.subdriver),
            ("iothread", &self.iothread),
            ("cache", &self.cache),
            ("io", &self.io),
        ] {
            push_attribute(&mut attributes, name, value);
        }
        match attributes.is_empty() {
            true => attributes,
            false => format!("  <driver{attributes}/>\n"),
        }
    }

    fn source_xml(&self, source_type: SourceType) -> String {
        let source = escaped(&self.source);
        match source_type {
            SourceType::File => return format!("  <source file='{source}'/>\n"),
            SourceType::Block => return format!("  <source dev='{source}'/>\n"),
            SourceType::Network => {}
        }
        let mut xml = "  <source".to_owned();
        push_attribute(&mut xml, "protocol", &self.source_protocol);
        xml += &format!(" name='{source}'");
        let mut host = String::new();
        push_attribute(&mut host, "transport", &self.source_host_transport);
        push_attribute(&mut host, "socket", &self.source_host_socket);
        if let Some(name) = &self.source_host_name {
            let (name, port) = match name.split_once(':') {
                Some((name, port)) => (name.to_owned(), Some(port.to_owned())),
                None => (name.clone(), None),
            };
            push_attribute(&mut host, "name", &Some(name));
            push_attribute(&mut host, "port", &port);
        }
        match host.is_empty() {
            true => xml + "/>\n",
            false => format!("{xml}>\n    <host{host}/>\n  </source>\n"),
        }
    }
}

/// Whether there is a block device of that name here, where the command runs: virsh looks there, wherever the domain is.
#[cfg(unix)]
fn is_block_device(path: &str) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    std::fs::metadata(path).is_ok_and(|found| found.file_type().is_block_device())
}

#[cfg(not(unix))]
fn is_block_device(_path: &str) -> bool {
    false
}

/// A World Wide Name: 16 hexadecimal digits.
fn is_wwn(text: &str) -> bool {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    digits.len() == 16 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
}

fn push_attribute(xml: &mut String, name: &str, value: &Option<String>) {
    if let Some(value) = value {
        *xml += &format!(" {name}='{}'", escaped(value));
    }
}
