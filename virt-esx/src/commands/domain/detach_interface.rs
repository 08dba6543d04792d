use virt_model::DeviceModifyFlags;

use super::device_change::{self, Affects, Changed, Definition, Verb};
use super::network_card;
use crate::answering::Answering;
use crate::commands::Command;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::{check_text, check_texts};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::markup;
use crate::ui::Ui;

/// detach network interface
///
/// Detach network interface: the only one of its type, or the one with the MAC address.
#[derive(Debug, clap::Args)]
pub(crate) struct DetachInterface {
    #[command(flatten)]
    domain: DomainArg,

    /// network interface type
    #[arg(id = "type", value_name = "type", required = true)]
    kind: String,

    /// MAC address
    #[arg(value_name = "mac")]
    mac: Option<String>,

    #[command(flatten)]
    affects: Affects,

    /// print XML document rather than detach the interface
    #[arg(long)]
    print_xml: bool,

    #[command(flatten)]
    answering: Answering,
}

impl Command for DetachInterface {
    fn check(&self) -> Result<(), Failure> {
        self.affects.check()?;
        self.answering.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let policy = self.answering.policy(connection.policy(), ui)?;
        let domain = self.domain.find(&connection.with_policy(policy)).await?;
        // virsh has its summary as the second line of what it finds itself.
        let failed = |reason: Failure| reason.followed_by("Failed to detach interface");
        let texts = check_text("type", Some(&self.kind));
        let texts = texts.and_then(|()| check_texts([("mac", &self.mac)]));
        texts.map_err(failed)?;
        let flags = self.affects.flags(&domain);
        let document = device_change::document(&domain, flags).await?;
        let card = network_card::find(document, &self.kind, self.mac.as_deref());
        if self.print_xml {
            let xml = markup::text(&card?);
            let both = DeviceModifyFlags::CONFIG | DeviceModifyFlags::LIVE;
            let is_twice = flags == Some(both);
            return Ok(ui.answer(&Definition { xml, is_twice })?);
        }
        let xml = markup::text(&card.map_err(failed)?);
        // virsh calls the function twice for a running domain and its definition, which are one on ESX.
        let detached = Verb::Detach.run(connection, &domain, &xml, flags).await;
        detached.map_err(|reason| Failure::because("Failed to detach interface", reason))?;
        Ok(ui.answer(&Changed {
            domain: domain.name().to_owned(),
            xml,
            text: "Interface detached successfully",
            is_loud: false,
        })?)
    }
}
