use esx_driver::virt_model::event::DomainEventId;
use esx_driver::{Connect, Domain, DomainEvent};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use serde::Serialize;

use super::detail::{self, Detail};
use crate::commands::domain_arg::{Any, Keys as _};
use crate::commands::event_loop::{self, Kind, Printer, Waiting};
use crate::commands::options::check_exclusive;
use crate::commands::{Command, domain_arg};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// Domain Events
///
/// List event types, or wait for domain events to occur. ESX has no events of some types; docs/parity.md lists what the
/// others are made of. The type question is not virsh's: the host asks a question, or it was answered.
#[derive(Debug, clap::Args)]
pub(crate) struct Event {
    /// filter by domain name, id or uuid
    #[arg(value_name = "domain")]
    domain: Option<String>,

    /// which event type to wait for
    #[arg(value_name = "event")]
    event: Option<String>,

    /// wait for all events instead of just one type
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    waiting: Waiting,
}

/// What an event's JSON document has besides the time and the kind.
#[derive(Debug, Serialize)]
struct Rest<'a> {
    /// The domain's name.
    domain: &'a str,
    uuid: String,
    #[serde(flatten)]
    detail: Detail<'a>,
}

impl Kind for DomainEventId {
    fn listed() -> Vec<Self> {
        Self::ALL.to_vec()
    }

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl Command for Event {
    fn check(&self) -> Result<(), Failure> {
        let event = self.event.is_some();
        check_exclusive([("all", self.all), ("event", event)])?;
        check_exclusive([("list", self.waiting.list), ("all", self.all)])?;
        check_exclusive([("list", self.waiting.list), ("event", event)])?;
        if self.waiting.list {
            return Ok(());
        }
        self.kinds()?;
        self.waiting.check_timeout()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        if self.waiting.list {
            return event_loop::print_kinds::<DomainEventId>(ui);
        }
        let domain = self.find(connection).await?;
        let kinds = self.kinds()?;
        let events = connection.domain_events();
        let mut events = events.stream(domain.as_ref(), kinds).await?;
        let printer = self.waiting.printer(ui);
        let texts = events.by_ref().map(|event| Ok(print(printer, &event?)));
        let followed = self.waiting.follow(ui, texts).await;
        event_loop::tell_dropped(ui, events.dropped());
        drop(events);
        followed
    }
}

impl Event {
    fn kinds(&self) -> Result<Vec<DomainEventId>, Failure> {
        match &self.event {
            Some(event) => Ok(vec![event_loop::kind(event)?]),
            None if self.all => Ok(DomainEventId::listed()),
            None => Err(Failure::new(
                "one of --list, --all, or --event <type> is required",
            )),
        }
    }

    async fn find(&self, connection: &Connect) -> Result<Option<Domain>, Failure> {
        let Some(domain) = &self.domain else {
            return Ok(None);
        };
        domain_arg::check(domain)?;
        let domain = domain_arg::find(connection, domain, Any::KEYS).await?;
        Ok(Some(domain))
    }
}

fn print(printer: Printer, event: &DomainEvent) -> String {
    let name = event.domain.name();
    let rest = Rest {
        domain: name,
        uuid: event.domain.uuid().to_string(),
        detail: Detail::new(name, &event.detail),
    };
    printer.print(
        Timestamp::now(),
        "virt-esx/domain-event/1",
        event.id(),
        rest,
        &detail::text(name, &event.detail),
    )
}
