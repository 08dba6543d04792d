use esx_driver::virt_model::event::NetworkEventId;
use esx_driver::{NetworkEvent, NetworkEventDetail};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use serde::Serialize;

use crate::commands::event_loop::{self, Kind, Printer, Waiting, Wanted};
use crate::commands::{Command, network_arg, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, foreign};

/// Network Events
///
/// List event types, or wait for network events to occur.
#[derive(Debug, clap::Args)]
pub(crate) struct NetEvent {
    /// filter by network name or uuid
    #[arg(value_name = "network")]
    network: Option<String>,

    /// which event type to wait for
    #[arg(value_name = "event")]
    event: Option<String>,

    #[command(flatten)]
    waiting: Waiting,
}

/// What an event's JSON document has besides the time and the kind.
#[derive(Debug, Serialize)]
struct Rest<'a> {
    /// The network's name.
    network: &'a str,
    uuid: String,
    /// What happened, in virsh's words.
    #[serde(rename = "type")]
    change: &'static str,
}

impl Kind for NetworkEventId {
    /// virsh 9.0.0 does not know the metadata of networks.
    fn listed() -> Vec<Self> {
        vec![Self::Lifecycle]
    }

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl Command for NetEvent {
    fn check(&self) -> Result<(), Failure> {
        self.wanted().map(drop)
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let Wanted::One(kind) = self.wanted()? else {
            return event_loop::print_kinds::<NetworkEventId>(ui);
        };
        // virsh reports an unknown network too, and then waits for events of all networks.
        let network = match &self.network {
            Some(text) => {
                options::check_text("network", Some(text))?;
                Some(network_arg::find(connection, text).await?)
            }
            None => None,
        };
        let events = connection.network_events();
        let mut events = events.stream(network.as_ref(), [kind]).await?;
        let printer = self.waiting.printer(ui);
        let texts = events.by_ref().map(|event| Ok(print(printer, &event?)));
        self.waiting.follow(ui, texts).await?;
        event_loop::tell_dropped(ui, events.dropped());
        Ok(())
    }
}

impl NetEvent {
    fn wanted(&self) -> Result<Wanted<NetworkEventId>, Failure> {
        self.waiting.wanted(self.event.as_deref())
    }
}

fn print(printer: Printer, event: &NetworkEvent) -> String {
    let NetworkEventDetail::Lifecycle(change) = event.detail else {
        return String::new();
    };
    let (name, change) = (event.network.name(), change.as_str());
    let rest = Rest {
        network: name,
        uuid: event.network.uuid().to_string(),
        change,
    };
    let text = format!(
        "event 'lifecycle' for network {}: {change}\n",
        foreign::line(name)
    );
    let schema = "virt-esx/network-event/1";
    printer.print(
        Timestamp::now(),
        schema,
        NetworkEventId::Lifecycle,
        rest,
        &text,
    )
}
