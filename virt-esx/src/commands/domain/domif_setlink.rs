use virt_model::DeviceModifyFlags;

use super::device_change::{self, Changed, Definition, Verb};
use super::network_card;
use crate::answering::Answering;
use crate::commands::Command;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::check_text;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::markup;
use crate::ui::Ui;

/// set link state of a virtual interface
///
/// Set link state of a domain's virtual interface. This command wraps usage of update-device command.
#[derive(Debug, clap::Args)]
pub(crate) struct DomifSetlink {
    #[command(flatten)]
    domain: DomainArg,

    /// interface device (MAC Address)
    #[arg(value_name = "interface", required = true)]
    interface: String,

    /// new state of the device
    #[arg(value_name = "state", required = true)]
    state: String,

    /// affect next boot
    #[arg(long)]
    config: bool,

    /// print XML document rather than set the interface link state
    #[arg(long)]
    print_xml: bool,

    #[command(flatten)]
    answering: Answering,
}

impl Command for DomifSetlink {
    fn check(&self) -> Result<(), Failure> {
        self.answering.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let policy = self.answering.policy(connection.policy(), ui)?;
        let domain = self.domain.find(&connection.with_policy(policy)).await?;
        check_text("interface", Some(&self.interface))?;
        check_text("state", Some(&self.state))?;
        if !["up", "down"].contains(&self.state.as_str()) {
            return Err(Failure::new(format!("invalid link state '{}'", self.state)));
        }
        let flags = match domain.id() {
            Some(_) if !self.config => DeviceModifyFlags::LIVE,
            _ => DeviceModifyFlags::CONFIG,
        };
        let document = device_change::document(&domain, Some(flags)).await?;
        let mut card = network_card::find_named(document, &self.interface)?;
        network_card::set_link(&mut card, &self.state);
        let xml = markup::text(&card);
        if self.print_xml {
            return Ok(ui.answer(&Definition::new(xml))?);
        }
        let updated = Verb::Update
            .run(connection, &domain, &xml, Some(flags))
            .await;
        updated
            .map_err(|reason| Failure::because("Failed to update interface link state", reason))?;
        Ok(ui.answer(&Changed {
            domain: domain.name().to_owned(),
            xml,
            text: "Device updated successfully",
            is_loud: false,
        })?)
    }
}
