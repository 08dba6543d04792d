use super::device_address::Address;
use super::device_change::{Affects, Changed, Definition, Verb};
use crate::answering::Answering;
use crate::commands::Command;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::{self, check_text, check_texts};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// attach network interface
///
/// Attach new network interface. A bridge is a port group of the host, `VM Network`.
#[derive(Debug, clap::Args)]
pub(crate) struct AttachInterface {
    #[command(flatten)]
    domain: DomainArg,

    /// network interface type
    #[arg(id = "type", value_name = "type", required = true)]
    kind: String,

    /// source of network interface
    #[arg(value_name = "source", required = true)]
    source: String,

    /// target network name
    #[arg(value_name = "target")]
    target: Option<String>,

    /// MAC address
    #[arg(value_name = "mac")]
    mac: Option<String>,

    /// script used to bridge network interface
    #[arg(value_name = "script")]
    script: Option<String>,

    /// model type
    #[arg(value_name = "model")]
    model: Option<String>,

    /// custom alias name of interface device
    #[arg(value_name = "alias")]
    alias: Option<String>,

    /// control domain's incoming traffics
    #[arg(value_name = "inbound")]
    inbound: Option<String>,

    /// control domain's outgoing traffics
    #[arg(value_name = "outbound")]
    outbound: Option<String>,

    #[command(flatten)]
    affects: Affects,

    /// print XML document rather than attach the interface
    #[arg(long)]
    print_xml: bool,

    /// libvirt will automatically detach/attach the device from/to host
    #[arg(long)]
    managed: bool,

    /// mode attribute of <source/> element
    #[arg(id = "source-mode", value_name = "source-mode")]
    source_mode: Option<String>,

    #[command(flatten)]
    answering: Answering,
}

impl Command for AttachInterface {
    fn check(&self) -> Result<(), Failure> {
        self.affects.check()?;
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
        attached.map_err(|reason| Failure::because("Failed to attach interface", reason))?;
        Ok(ui.answer(&Changed {
            domain: domain.name().to_owned(),
            xml,
            text: "Interface attached successfully",
            is_loud: false,
        })?)
    }
}

impl AttachInterface {
    /// The card's document, with virsh's checks and in its order. virsh escapes nothing here.
    fn xml(&self) -> Result<String, Failure> {
        check_text("type", Some(&self.kind))?;
        check_text("source", Some(&self.source))?;
        check_texts([
            ("target", &self.target),
            ("mac", &self.mac),
            ("script", &self.script),
            ("model", &self.model),
            ("alias", &self.alias),
            ("inbound", &self.inbound),
            ("outbound", &self.outbound),
            ("source-mode", &self.source_mode),
        ])?;
        let kind = self.kind.as_str();
        if !["network", "bridge", "direct", "hostdev", "vhostuser"].contains(&kind) {
            let line = format!("No support for {kind} in command 'attach-interface'");
            return Err(Failure::new(line));
        }
        if let Some(mode) = &self.source_mode
            && !["server", "client"].contains(&mode.as_str())
        {
            return Err(Failure::new(format!("Invalid source mode: {mode}")));
        }
        let inbound = Rate::inbound(self.inbound.as_deref())?;
        let outbound = Rate::outbound(self.outbound.as_deref())?;

        let managed = if self.managed { " managed='yes'" } else { "" };
        let mut xml = format!("<interface type='{kind}'{managed}>\n");
        let source = &self.source;
        xml += &match kind {
            "hostdev" => {
                let address = Address::parse_host_pci(source).ok_or_else(|| {
                    Failure::new(format!(
                        "cannot parse pci address '{source}' for network interface"
                    ))
                })?;
                let address = address.xml(false);
                format!("  <source>\n    {address}\n  </source>\n")
            }
            "vhostuser" => {
                let mode = self.source_mode.as_ref();
                let mode = mode.ok_or_else(|| Failure::new("source-mode is mandatory"))?;
                format!("  <source type='unix' path='{source}' mode='{mode}'/>\n")
            }
            "direct" => format!("  <source dev='{source}'/>\n"),
            // The attribute has the type's name: `network`, `bridge`.
            kind => format!("  <source {kind}='{source}'/>\n"),
        };
        for (element, attribute, value) in [
            ("target", "dev", &self.target),
            ("mac", "address", &self.mac),
            ("script", "path", &self.script),
            ("model", "type", &self.model),
            ("alias", "name", &self.alias),
        ] {
            if let Some(value) = value {
                xml += &format!("  <{element} {attribute}='{value}'/>\n");
            }
        }
        if inbound.is_some() || outbound.is_some() {
            xml += "  <bandwidth>\n";
            for (element, rate) in [("inbound", inbound), ("outbound", outbound)] {
                if let Some(rate) = rate {
                    xml += &format!("    <{element}{}/>\n", rate.attributes());
                }
            }
            xml += "  </bandwidth>\n";
        }
        Ok(xml + "</interface>\n")
    }
}

/// A limit of traffic, `average,peak,burst,floor`: any of them may be missing.
struct Rate([u64; 4]);

const FIELDS: [&str; 4] = ["average", "peak", "burst", "floor"];

impl Rate {
    fn inbound(text: Option<&str>) -> Result<Option<Rate>, Failure> {
        match text.map(Rate::parse).transpose()? {
            Some(Rate([0, _, _, 0])) => {
                Err(Failure::new("either inbound average or floor is mandatory"))
            }
            rate => Ok(rate),
        }
    }

    fn outbound(text: Option<&str>) -> Result<Option<Rate>, Failure> {
        match text.map(Rate::parse).transpose()? {
            Some(Rate([0, ..])) => Err(Failure::new("outbound average is mandatory")),
            Some(Rate([.., floor])) if floor > 0 => {
                Err(Failure::new("outbound floor is unsupported yet"))
            }
            rate => Ok(rate),
        }
    }

    fn parse(text: &str) -> Result<Rate, Failure> {
        if text.split(',').count() > FIELDS.len() {
            let line = format!("Rate string '{text}' has too many fields");
            return Err(Failure::new(line));
        }
        let mut rate = [0; 4];
        for ((value, field), number) in text.split(',').zip(FIELDS).zip(&mut rate) {
            if !value.is_empty() {
                let malformed = || Failure::new(format!("field '{field}' is malformed"));
                *number = options::number(value).map_err(|_| malformed())?;
            }
        }
        Ok(Rate(rate))
    }

    fn attributes(&self) -> String {
        let fields = FIELDS.iter().zip(self.0);
        let given = fields.filter(|(_, value)| *value > 0);
        given
            .map(|(field, value)| format!(" {field}='{value}'"))
            .collect()
    }
}
