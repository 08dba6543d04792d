use esx_driver::virt_model::event::StoragePoolEventId;
use esx_driver::{StoragePoolEvent, StoragePoolEventDetail};
use futures_util::StreamExt as _;
use jiff::Timestamp;
use serde::Serialize;

use crate::commands::event_loop::{self, Kind, Printer, Waiting, Wanted};
use crate::commands::{Command, options, pool_arg};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Ui, foreign};

/// Storage Pool Events
///
/// List event types, or wait for storage pool events to occur. A storage pool is a datastore.
#[derive(Debug, clap::Args)]
pub(crate) struct PoolEvent {
    /// filter by storage pool name or uuid
    #[arg(value_name = "pool")]
    pool: Option<String>,

    /// which event type to wait for
    #[arg(value_name = "event")]
    event: Option<String>,

    #[command(flatten)]
    waiting: Waiting,
}

/// What an event's JSON document has besides the time and the kind.
#[derive(Debug, Serialize)]
struct Rest<'a> {
    /// The pool's name.
    pool: &'a str,
    uuid: String,
    /// What happened, in virsh's words, if the kind is lifecycle.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    change: Option<&'static str>,
}

impl Kind for StoragePoolEventId {
    fn listed() -> Vec<Self> {
        Self::ALL.to_vec()
    }

    fn name(self) -> &'static str {
        self.as_str()
    }
}

impl Command for PoolEvent {
    fn check(&self) -> Result<(), Failure> {
        self.wanted().map(drop)
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let Wanted::One(kind) = self.wanted()? else {
            return event_loop::print_kinds::<StoragePoolEventId>(ui);
        };
        // virsh reports an unknown pool too, and then waits for events of all pools.
        let pool = match &self.pool {
            Some(text) => {
                options::check_text("pool", Some(text))?;
                Some(pool_arg::find(connection, text).await?)
            }
            None => None,
        };
        let uuid = pool.map(|pool| pool.uuid());
        let events = connection.storage_pool_events();
        let mut events = events.stream(uuid.as_ref(), [kind]).await?;
        let printer = self.waiting.printer(ui);
        let texts = events.by_ref().map(|event| Ok(print(printer, &event?)));
        self.waiting.follow(ui, texts).await?;
        event_loop::tell_dropped(ui, events.dropped());
        Ok(())
    }
}

impl PoolEvent {
    fn wanted(&self) -> Result<Wanted<StoragePoolEventId>, Failure> {
        self.waiting.wanted(self.event.as_deref())
    }
}

fn print(printer: Printer, event: &StoragePoolEvent) -> String {
    use StoragePoolEventId as Id;

    let (kind, change) = match event.detail {
        StoragePoolEventDetail::Lifecycle(change) => (Id::Lifecycle, Some(change.as_str())),
        _ => (Id::Refresh, None),
    };
    let pool = event.name.as_str();
    let happened = change.map(|change| format!(": {change}"));
    let happened = happened.unwrap_or_default();
    let text = format!(
        "event '{kind}' for storage pool {}{happened}\n",
        foreign::line(pool)
    );
    let rest = Rest {
        pool,
        uuid: event.uuid.to_string(),
        change,
    };
    let schema = "virt-esx/storage-pool-event/1";
    printer.print(Timestamp::now(), schema, kind, rest, &text)
}
