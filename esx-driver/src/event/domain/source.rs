//! Where lifecycle events come from: the properties of the virtual machines.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use tracing::debug;
use vi_client::{
    Error as Cause, Watch, property_set,
    retrieve::{ObjectProperties, Retrieve, Selection},
};
use vi_types::{
    ManagedObject, ManagedObjectReference,
    enums::ObjectUpdateKind,
    objects::ObjectUpdate,
    properties::{HostSystem, VirtualMachine},
};

use super::transition::{self, Observed, Power, Which};
use super::{DomainEvent, DomainEventDetail};
use crate::{Connect, Domain, Error, Result, domain::no_domain_with_uuid};

const VIRTUAL_MACHINE: &str = <VirtualMachine as ManagedObject>::TYPE;

property_set! {
    struct Reference: HostSystem {}
}

/// Follows the power states and names of virtual machines.
pub(super) struct Source {
    connect: Connect,
    /// `None` after an error.
    watch: Option<Watch>,
    machines: HashMap<ManagedObjectReference, Machine>,
    events: VecDeque<DomainEvent>,
}

/// A virtual machine that the filter selects.
#[derive(Default)]
struct Machine {
    properties: ObjectProperties,
    /// The state that the events so far led to. `None`: the machine has not been a domain yet.
    state: Option<(Domain, Observed)>,
}

impl Source {
    pub(super) async fn begin(connect: &Connect, domain: Option<&Domain>) -> Result<Source> {
        let start = match domain {
            Some(domain) => Retrieve::from(domain.moref()),
            // The filter selects the host too, so that the server answers at once even if the host has no machine.
            None => Retrieve::from(connect.host_system())
                .select(Selection::along(|host: &HostSystem| &host.vm))
                .set::<Reference>(),
        };
        let request = connect.with_identity(start);
        let gone = |domain: &Domain| no_domain_with_uuid(domain.uuid());
        let watch = match (connect.client().watch(request.filter()).await, domain) {
            (Ok(watch), _) => watch,
            (Err(error), Some(domain)) if error.is_not_found() => {
                return Err(gone(domain).because(error));
            }
            (Err(error), _) => return Err(error.into()),
        };
        let mut events = Source {
            connect: connect.clone(),
            watch: Some(watch),
            machines: HashMap::new(),
            events: VecDeque::new(),
        };
        events.read_first_state().await?;
        match domain {
            Some(domain) if !events.machines.contains_key(domain.moref()) => {
                events.close().await;
                Err(gone(domain))
            }
            _ => Ok(events),
        }
    }

    /// Destroys the property filter on the server, and returns when that is done.
    pub(super) async fn close(mut self) {
        if let Some(watch) = self.watch.take() {
            watch.close().await;
        }
    }

    /// Reads the state at the beginning, which is not reported.
    async fn read_first_state(&mut self) -> Result<()> {
        if let Some(watch) = &mut self.watch {
            let first = watch.next().await.map_err(Cause::Shared)?;
            self.apply(first);
            self.events.clear();
        }
        Ok(())
    }

    fn apply(&mut self, updates: Vec<ObjectUpdate>) {
        let machines = updates
            .into_iter()
            .filter(|update| update.obj.r#type == VIRTUAL_MACHINE);
        for update in machines {
            match update.kind {
                ObjectUpdateKind::Leave => self.leave(&update.obj),
                _ => self.change(update),
            }
        }
    }

    fn leave(&mut self, moref: &ManagedObjectReference) {
        let machine = self.machines.remove(moref);
        let state = machine.and_then(|machine| machine.state);
        self.queue_events(state.as_ref(), None);
    }

    fn change(&mut self, update: ObjectUpdate) {
        let moref = update.obj.clone();
        let machine = self.machines.entry(moref.clone()).or_default();
        machine.properties.apply(update);
        let properties = machine.properties.clone();
        let (domain, power_state) = match self.connect.identify_with_state(properties) {
            Ok(identified) => identified,
            Err(error) => {
                // A machine that is being created lacks properties. One that was a domain keeps its last state.
                debug!(%moref, %error, "a virtual machine that is no domain");
                return;
            }
        };
        let before = machine.state.as_ref().map(|(_, observed)| observed.power);
        let observed = Observed {
            name: domain.name().to_owned(),
            power: Power::new(&power_state, before),
        };
        let now = (domain, observed);
        let before = machine.state.replace(now.clone());
        self.queue_events(before.as_ref(), Some(&now));
    }

    /// Queues the events between two states.
    fn queue_events(
        &mut self,
        before: Option<&(Domain, Observed)>,
        now: Option<&(Domain, Observed)>,
    ) {
        let observed =
            |state: Option<&(Domain, Observed)>| state.map(|(_, observed)| observed.clone());
        let events = transition::events(observed(before).as_ref(), observed(now).as_ref());
        for (which, event) in events {
            let state = match which {
                Which::Old => before,
                Which::New => now,
            };
            if let Some((domain, _)) = state {
                let domain = domain.clone();
                let event = DomainEvent {
                    domain,
                    time: None,
                    detail: DomainEventDetail::Lifecycle(event),
                };
                self.events.push_back(event);
            }
        }
    }
}

impl Stream for Source {
    type Item = Result<DomainEvent>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<DomainEvent>>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            let Some(watch) = &mut self.watch else {
                return Poll::Ready(None);
            };
            match watch.poll_next(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(updates)) => self.apply(updates),
                Poll::Ready(Err(error)) => {
                    self.watch = None;
                    return Poll::Ready(Some(Err(Error::from(Cause::Shared(error)))));
                }
            }
        }
    }
}
