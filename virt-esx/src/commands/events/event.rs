use std::time::Duration;

use esx_driver::virt_model::event::{DomainEventId, LifecycleEvent};
use esx_driver::{Connect, Domain, DomainEventDetail, DomainEventStream};
use futures_util::StreamExt as _;
use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use crate::commands::options::check_exclusive;
use crate::commands::{Command, domain_arg, options};
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::{Closed, Ui};

/// Domain Events
///
/// List event types, or wait for domain events to occur. An ESX host or vCenter has events of the type lifecycle only.
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

    /// loop until timeout or interrupt, rather than one-shot
    #[arg(long = "loop")]
    is_loop: bool,

    /// timeout seconds
    #[arg(value_name = "timeout")]
    timeout: Option<i32>,

    /// list valid event types
    #[arg(long)]
    list: bool,

    /// show timestamp for each printed event
    #[arg(long)]
    timestamp: bool,
}

/// The event types.
#[derive(Debug, Serialize)]
struct Types {
    types: Vec<&'static str>,
}

/// An event.
#[derive(Debug, Serialize)]
struct Line<'a> {
    /// When it was told, in UTC.
    time: String,
    event: &'static str,
    /// The domain's name.
    domain: &'a str,
    uuid: String,
    /// What happened, in virsh's words.
    #[serde(rename = "type")]
    kind: &'static str,
    detail: &'static str,
}

impl Command for Event {
    fn check(&self) -> Result<(), Failure> {
        let event = self.event.is_some();
        check_exclusive([("all", self.all), ("event", event)])?;
        check_exclusive([("list", self.list), ("all", self.all)])?;
        check_exclusive([("list", self.list), ("event", event)])?;
        if self.list {
            return Ok(());
        }
        options::check_text("event", self.event.as_deref())?;
        match &self.event {
            Some(event) if kind(event).is_none() => {
                Err(Failure::new(format!("unknown event type {event}")))
            }
            None if !self.all => Err(Failure::new(
                "one of --list, --all, or --event <type> is required",
            )),
            // virsh counts milliseconds in an int.
            _ => match self
                .timeout
                .filter(|seconds| !(1..=i32::MAX / 1000).contains(seconds))
            {
                Some(seconds) => Err(Failure::new(format!(
                    "Numeric value '{seconds}' for <timeout> option is malformed or out of range"
                ))),
                None => Ok(()),
            },
        }
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        if self.list {
            let types = kinds().map(DomainEventId::as_str).collect();
            return Ok(ui.answer(&Types { types })?);
        }
        let domain = self.find(connection).await?;
        if self
            .event
            .as_deref()
            .is_some_and(|event| kind(event) != Some(DomainEventId::Lifecycle))
        {
            return Err(Failure::unsupported("virConnectDomainEventRegisterAny"));
        }
        let mut events = connection
            .domain_events()
            .stream(domain.as_ref(), [DomainEventId::Lifecycle])
            .await?;
        let followed = self.follow(&mut events, ui).await;
        events.close().await;
        let (end, count) = followed?;
        if let Some(end) = end {
            ui.line(end)?;
        }
        ui.line(format!("events received: {count}"))?;
        if count == 0 {
            // virsh says no more than that.
            ui.fail("");
        }
        Ok(())
    }
}

impl Event {
    async fn find(&self, connection: &Connect) -> Result<Option<Domain>, Failure> {
        use crate::commands::domain_arg::{Any, Keys as _};

        let Some(domain) = &self.domain else {
            return Ok(None);
        };
        domain_arg::check(domain)?;
        let domain = domain_arg::find(connection, domain, Any::KEYS).await?;
        Ok(Some(domain))
    }

    /// Prints events until the first one, the time-out or Ctrl-C. Returns virsh's words for an end without an event, and
    /// the number of events.
    async fn follow(
        &self,
        events: &mut DomainEventStream,
        ui: &Ui,
    ) -> Result<(Option<&'static str>, u64), Failure> {
        let interruption = ui.interruption();
        let mut interrupted = std::pin::pin!(interruption.comes());
        let timeout = self.timeout.and_then(|seconds| seconds.try_into().ok());
        let timeout = async move {
            match timeout {
                Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                None => std::future::pending().await,
            }
        };
        let mut timeout = std::pin::pin!(timeout);
        let mut count = 0;
        loop {
            tokio::select! {
                event = events.next() => match event {
                    Some(event) => {
                        let event = event?;
                        let DomainEventDetail::Lifecycle(change) = event.detail else {
                            continue;
                        };
                        self.print(&event.domain, change, ui)?;
                        count += 1;
                        if !self.is_loop {
                            return Ok((None, count));
                        }
                    }
                    // Streams of events end with an error.
                    None => return Ok((None, count)),
                },
                () = &mut timeout => return Ok((Some("event loop timed out"), count)),
                () = &mut interrupted => {
                    ui.accept_interruption();
                    return Ok((Some("event loop interrupted"), count));
                }
            }
        }
    }

    fn print(&self, domain: &Domain, change: LifecycleEvent, ui: &Ui) -> Result<(), Closed> {
        let now = Timestamp::now();
        let name = domain.name();
        let text = format!("event 'lifecycle' for domain '{name}': {change}\n");
        let text = match self.timestamp {
            true => format!("{}: {text}", stamp(now)),
            false => text,
        };
        let line = Line {
            time: format!("{now:.3}"),
            event: DomainEventId::Lifecycle.as_str(),
            domain: name,
            uuid: domain.uuid().to_string(),
            kind: change.as_str(),
            detail: change.detail_str(),
        };
        ui.item("virt-esx/domain-event/1", &line, &text)
    }
}

/// The kinds of events that virsh lists.
fn kinds() -> impl Iterator<Item = DomainEventId> {
    let all = DomainEventId::ALL.iter().copied();
    all.filter(|id| id.is_libvirts())
}

/// The kind that virsh calls so.
fn kind(name: &str) -> Option<DomainEventId> {
    kinds().find(|id| id.as_str() == name)
}

/// The time as libvirt writes it: in UTC, with milliseconds (`virTimeStringNow`).
fn stamp(time: Timestamp) -> String {
    let time = time.to_zoned(TimeZone::UTC);
    time.strftime("%Y-%m-%d %H:%M:%S%.3f+0000").to_string()
}

impl crate::answer::Answer for Types {
    const SCHEMA: &'static str = "virt-esx/event-types/1";

    fn text(&self, _quiet: bool) -> String {
        self.types.iter().map(|name| format!("{name}\n")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::stamp;

    #[test]
    fn a_time_has_milliseconds() {
        let time = "2024-03-02T08:00:00.0501Z".parse().unwrap();
        assert_eq!(stamp(time), "2024-03-02 08:00:00.050+0000");
    }
}
