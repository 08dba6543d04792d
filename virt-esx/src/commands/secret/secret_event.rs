use esx_driver::virt_model::event::SecretEventId;
use esx_driver::{SecretEvent as Event, SecretEventDetail};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use serde::Serialize;

use crate::commands::event_loop::{self, Kind, Printer, Waiting, Wanted};
use crate::commands::{Command, options, secret_arg};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// Secret Events
///
/// List event types, or wait for secret events to occur. A host keeps no secrets, so there are events only of what this run
/// changes.
#[derive(Debug, clap::Args)]
pub(crate) struct SecretEvent {
    /// filter by secret name or uuid
    #[arg(value_name = "secret")]
    secret: Option<String>,

    /// which event type to wait for
    #[arg(value_name = "event")]
    event: Option<String>,

    #[command(flatten)]
    waiting: Waiting,
}

/// What an event's JSON document has besides the time and the kind.
#[derive(Debug, Serialize)]
struct Rest {
    /// The secret's UUID.
    secret: String,
    /// What happened, in virsh's words, if the kind is lifecycle.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    change: Option<&'static str>,
}

impl Kind for SecretEventId {
    fn listed() -> Vec<Self> {
        Self::ALL.to_vec()
    }

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl Command for SecretEvent {
    fn check(&self) -> Result<(), Failure> {
        self.wanted().map(drop)
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let Wanted::One(kind) = self.wanted()? else {
            return event_loop::print_kinds::<SecretEventId>(ui);
        };
        // virsh reports an unknown secret too, and then waits for events of all secrets.
        let secret = match &self.secret {
            Some(text) => {
                options::check_text("secret", Some(text))?;
                Some(secret_arg::find(connection, text).await?.uuid())
            }
            None => None,
        };
        let events = connection.secret_events();
        let mut events = events.stream(secret.as_ref(), [kind]).await?;
        let printer = self.waiting.printer(ui);
        let texts = events.by_ref().map(|event| Ok(print(printer, &event?)));
        self.waiting.follow(ui, texts).await?;
        event_loop::tell_dropped(ui, events.dropped());
        Ok(())
    }
}

impl SecretEvent {
    fn wanted(&self) -> Result<Wanted<SecretEventId>, Failure> {
        self.waiting.wanted(self.event.as_deref())
    }
}

fn print(printer: Printer, event: &Event) -> String {
    let (kind, change) = match event.detail {
        SecretEventDetail::Lifecycle(change) => (SecretEventId::Lifecycle, Some(change.as_str())),
        _ => (SecretEventId::ValueChanged, None),
    };
    let secret = event.secret.to_string();
    let happened = change
        .map(|change| format!(": {change}"))
        .unwrap_or_default();
    let text = format!("event '{kind}' for secret {secret}{happened}\n");
    let rest = Rest { secret, change };
    printer.print(
        Timestamp::now(),
        "virt-esx/secret-event/1",
        kind,
        rest,
        &text,
    )
}
