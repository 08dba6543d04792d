//! What happens to domains, as the host tells it.

mod transition;

use std::collections::{HashMap, VecDeque};
use std::fmt;
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
use virt_model::DomainEvent;

use self::transition::{Moment, Power, Seen};
use crate::{Connect, Domain, Error, Result, domain::no_domain_with_uuid};

const VIRTUAL_MACHINE: &str = <VirtualMachine as ManagedObject>::TYPE;

property_set! {
    struct Reference: HostSystem {}
}

/// A lifecycle event of a domain: what libvirt gives to callbacks of `VIR_DOMAIN_EVENT_ID_LIFECYCLE`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DomainLifecycleEvent {
    /// The domain, as it was when the event was told.
    pub domain: Domain,
    /// What happened to it.
    pub event: DomainEvent,
}

/// Lifecycle events of domains, as they happen: a [`Stream`] made by [`Connect::domain_events`].
///
/// ```no_run
/// # use esx_driver::{Connect, Result};
/// use futures_util::StreamExt as _;
///
/// # async fn follow(connect: &Connect) -> Result<()> {
/// let mut events = connect.domain_events(None).await?;
/// while let Some(event) = events.next().await {
///     let event = event?;
///     tracing::info!(domain = event.domain.name(), event = %event.event);
/// }
/// # Ok(()) }
/// ```
///
/// After an error there are no more events. The property filter on the server is destroyed by
/// [`close`](DomainEvents::close), and in the background when the stream is dropped.
pub struct DomainEvents {
    connect: Connect,
    /// `None` after an error.
    watch: Option<Watch>,
    machines: HashMap<ManagedObjectReference, Machine>,
    events: VecDeque<DomainLifecycleEvent>,
}

/// A virtual machine that is watched.
#[derive(Default)]
struct Machine {
    properties: ObjectProperties,
    /// What was told of it last; `None` as long as it is no domain.
    told: Option<(Domain, Seen)>,
}

impl Connect {
    /// The lifecycle events of the host's domains from now on, or of one domain.
    ///
    /// A domain is watched by the properties of its virtual machine, and an event says what changed between two states
    /// of them. The events of a domain therefore always fit together: `Stopped` follows `Started`, and nothing is told
    /// twice. They do not tell why something changed:
    ///
    /// | change | events |
    /// |---|---|
    /// | the machine appears | `Defined Added`, and those of a domain that was off until then |
    /// | off to on | `Started Booted` |
    /// | off to suspended | `Started Booted`, `Suspended Paused` |
    /// | on to suspended | `Suspended Paused` |
    /// | suspended to on | `Resumed Unpaused` |
    /// | on to off | `Stopped Shutdown`, also when the host stopped the domain or the guest crashed |
    /// | suspended to off | `Stopped Destroyed`: a guest that does not run cannot shut itself down |
    /// | the name changes | `Undefined Renamed` with the old name, `Defined Renamed` with the new one |
    /// | the machine leaves | those of a domain that stops, if it was on or suspended, and `Undefined Removed` |
    ///
    /// On a vCenter a machine also appears and leaves when it migrates to or from the host of the connection. A reset
    /// and a reboot of the guest change no property, so they are no events.
    ///
    /// A connection that breaks and a session that ends are mended in the background. What changed meanwhile is told
    /// then, as the difference between before and after: a domain that was stopped and started again in between has no
    /// event.
    ///
    /// Three requests; while the stream is polled, one call waits at the server for the next change. All streams and
    /// [operations](crate::Operation) of a connection share it.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if `domain` is no more; when the server cannot be asked.
    pub async fn domain_events(&self, domain: Option<&Domain>) -> Result<DomainEvents> {
        let start = match domain {
            Some(domain) => Retrieve::from(domain.moref()),
            // The host itself is watched so that the server has something to tell though there are no machines.
            None => Retrieve::from(self.host_system())
                .select(Selection::along(|host: &HostSystem| &host.vm))
                .set::<Reference>(),
        };
        let request = self.with_identity(start);
        let gone = |domain: &Domain| no_domain_with_uuid(domain.uuid());
        let watch = match (self.client().watch(request.filter()).await, domain) {
            (Ok(watch), _) => watch,
            (Err(error), Some(domain)) if error.is_not_found() => {
                return Err(gone(domain).because(error));
            }
            (Err(error), _) => return Err(error.into()),
        };
        let mut events = DomainEvents {
            connect: self.clone(),
            watch: Some(watch),
            machines: HashMap::new(),
            events: VecDeque::new(),
        };
        events.begin().await?;
        match domain {
            Some(domain) if !events.machines.contains_key(domain.moref()) => {
                events.close().await;
                Err(gone(domain))
            }
            _ => Ok(events),
        }
    }
}

impl DomainEvents {
    /// Destroys the property filter on the server, and returns when that is done.
    pub async fn close(mut self) {
        if let Some(watch) = self.watch.take() {
            watch.close().await;
        }
    }

    /// Learns what there is, which is no news.
    async fn begin(&mut self) -> Result<()> {
        if let Some(watch) = &mut self.watch {
            let there = watch.next().await.map_err(Cause::Shared)?;
            self.take(there);
            self.events.clear();
        }
        Ok(())
    }

    fn take(&mut self, updates: Vec<ObjectUpdate>) {
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
        let told = machine.and_then(|machine| machine.told);
        self.tell(told.as_ref(), None);
    }

    fn change(&mut self, update: ObjectUpdate) {
        let moref = update.obj.clone();
        let machine = self.machines.entry(moref.clone()).or_default();
        machine.properties.apply(update);
        let properties = machine.properties.clone();
        let (domain, power_state) = match self.connect.identify_with_state(properties) {
            Ok(identified) => identified,
            Err(error) => {
                // A machine that is just being made lacks something. One that was a domain remains what it was.
                debug!(%moref, %error, "a virtual machine that is no domain");
                return;
            }
        };
        let before = machine.told.as_ref().map(|(_, seen)| seen.power);
        let seen = Seen {
            name: domain.name().to_owned(),
            power: Power::new(&power_state, before),
        };
        let now = (domain, seen);
        let before = machine.told.replace(now.clone());
        self.tell(before.as_ref(), Some(&now));
    }

    /// Queues the events between two states.
    fn tell(&mut self, before: Option<&(Domain, Seen)>, now: Option<&(Domain, Seen)>) {
        let seen = |state: Option<&'_ (Domain, Seen)>| state.map(|(_, seen)| seen.clone());
        let events = transition::events(seen(before).as_ref(), seen(now).as_ref());
        for (moment, event) in events {
            let state = match moment {
                Moment::Before => before,
                Moment::Now => now,
            };
            if let Some((domain, _)) = state {
                let domain = domain.clone();
                let event = DomainLifecycleEvent { domain, event };
                self.events.push_back(event);
            }
        }
    }
}

impl Stream for DomainEvents {
    type Item = Result<DomainLifecycleEvent>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<DomainLifecycleEvent>>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Poll::Ready(Some(Ok(event)));
            }
            let Some(watch) = &mut self.watch else {
                return Poll::Ready(None);
            };
            match watch.poll_next(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(updates)) => self.take(updates),
                Poll::Ready(Err(error)) => {
                    self.watch = None;
                    return Poll::Ready(Some(Err(Error::from(Cause::Shared(error)))));
                }
            }
        }
    }
}

impl fmt::Debug for DomainEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DomainEvents")
            .field("connect", &self.connect)
            .field("domains", &self.machines.len())
            .finish_non_exhaustive()
    }
}
