use esx_driver::virt_model::event::NodeDeviceEventId;
use esx_driver::{NodeDeviceEvent, NodeDeviceEventDetail};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use serde::Serialize;

use crate::commands::event_loop::{self, Kind, Printer, Waiting, Wanted};
use crate::commands::{Command, nodedev_arg, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, foreign};

/// Node Device Events
///
/// List event types, or wait for node device events to occur. The devices are those of the host that change while it runs.
#[derive(Debug, clap::Args)]
pub(crate) struct NodedevEvent {
    /// filter by node device name
    #[arg(value_name = "device")]
    device: Option<String>,

    /// which event type to wait for
    #[arg(value_name = "event")]
    event: Option<String>,

    #[command(flatten)]
    waiting: Waiting,
}

/// What an event's JSON document has besides the time and the kind.
#[derive(Debug, Serialize)]
struct Rest<'a> {
    /// The device's name.
    device: &'a str,
    /// What happened, in virsh's words, if the kind is lifecycle.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    change: Option<&'static str>,
}

impl Kind for NodeDeviceEventId {
    fn listed() -> Vec<Self> {
        Self::ALL.to_vec()
    }

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl Command for NodedevEvent {
    fn check(&self) -> Result<(), Failure> {
        self.wanted().map(drop)
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let Wanted::One(kind) = self.wanted()? else {
            return event_loop::print_kinds::<NodeDeviceEventId>(ui);
        };
        let device = match &self.device {
            Some(text) => {
                options::check_text("device", Some(text))?;
                let device = nodedev_arg::find(connection, text).await?;
                Some(device.name().to_owned())
            }
            None => None,
        };
        let events = connection.node_device_events();
        let mut events = events.stream(device.as_ref(), [kind]).await?;
        let printer = self.waiting.printer(ui);
        let texts = events.by_ref().map(|event| Ok(print(printer, &event?)));
        self.waiting.follow(ui, texts).await?;
        event_loop::tell_dropped(ui, events.dropped());
        Ok(())
    }
}

impl NodedevEvent {
    fn wanted(&self) -> Result<Wanted<NodeDeviceEventId>, Failure> {
        self.waiting.wanted(self.event.as_deref())
    }
}

fn print(printer: Printer, event: &NodeDeviceEvent) -> String {
    use NodeDeviceEventId as Id;

    let (kind, change) = match event.detail {
        NodeDeviceEventDetail::Lifecycle(change) => (Id::Lifecycle, Some(change.as_str())),
        _ => (Id::Update, None),
    };
    let device = event.name.as_str();
    let happened = change.map(|change| format!(": {change}"));
    let happened = happened.unwrap_or_default();
    let text = format!(
        "event '{kind}' for node device {}{happened}\n",
        foreign::line(device)
    );
    let rest = Rest { device, change };
    let schema = "virt-esx/node-device-event/1";
    printer.print(Timestamp::now(), schema, kind, rest, &text)
}
