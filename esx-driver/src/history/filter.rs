//! Which events are wanted.

use vi_client::event_history::{EventFilter, descendants, event_types};
use vi_client::vi_types::DateTime;
use vi_client::vi_types::enums::EventFilterSpecRecursionOption as Recursion;

use virt_model::ErrorNumber;

use crate::connect::ProductLine;
use crate::near::Near;
use crate::{Connect, Domain, Error, ErrorKind, Result};

/// Which events of the history are wanted: those that fit everything that is set.
#[derive(Clone, Debug, Default)]
pub struct HistoryFilter {
    types: Vec<String>,
    domain: Option<Domain>,
    events: EventFilter,
}

impl HistoryFilter {
    /// All events.
    pub fn new() -> HistoryFilter {
        HistoryFilter::default()
    }

    /// The names that [`event_type`](Self::event_type) takes, sorted: the classes of the VI API. It takes other ids, too.
    pub fn type_names() -> impl Iterator<Item = &'static str> {
        event_types()
    }

    /// Adds a type: a class of the VI API, such as `VmPoweredOnEvent`, with its descendants (`VmEvent` has all of virtual
    /// machines), or the id of an extended event, which has a dot, such as `esx.problem.net.connectivity.lost`.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`] if there is no such class; the message names the one that is most alike.
    pub fn event_type(mut self, name: &str) -> Result<HistoryFilter> {
        if name.contains('.') {
            self.types.push(name.to_owned());
            return Ok(self);
        }
        if !event_types().any(|known| known == name) {
            let mut near = Near::new(name);
            event_types().for_each(|known| near.consider(known));
            let message = format!("unknown event type '{name}'");
            let error = Error::new(ErrorKind::Argument, ErrorNumber::InvalidArg, message);
            return Err(near.advise(error));
        }
        self.types.push(name.to_owned());
        self.types.extend(descendants(name).map(str::to_owned));
        Ok(self)
    }

    /// Events about one domain.
    pub fn domain(mut self, domain: &Domain) -> HistoryFilter {
        self.domain = Some(domain.clone());
        self
    }

    /// Events that happened at this time of the server's clock or later.
    pub fn since(mut self, time: DateTime) -> HistoryFilter {
        self.events = self.events.since(time);
        self
    }

    /// Events that happened at this time of the server's clock or earlier.
    pub fn until(mut self, time: DateTime) -> HistoryFilter {
        self.events = self.events.until(time);
        self
    }

    pub(super) async fn into_events(self, connect: &Connect) -> Result<EventFilter> {
        let events = self.events.types(self.types);
        Ok(match self.domain {
            Some(domain) => events.entity(domain.vm(), Recursion::All),
            None if connect.product().line == ProductLine::Vpx => {
                events.entity(connect.host_system().await?.clone(), Recursion::All)
            }
            None => events,
        })
    }
}
