//! Lifecycle events of domains.

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

use self::transition::{Observed, Power, Which};
use crate::{Connect, Domain, Error, Result, domain::no_domain_with_uuid};

const VIRTUAL_MACHINE: &str = <VirtualMachine as ManagedObject>::TYPE;

property_set! {
    struct Reference: HostSystem {}
}

/// A lifecycle event of a domain: what libvirt gives to callbacks of `VIR_DOMAIN_EVENT_ID_LIFECYCLE`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DomainLifecycleEvent {
    /// The domain, with the name and id that it had at the time of the event.
    pub domain: Domain,
    /// What happened to it.
    pub event: DomainEvent,
}

/// A [`Stream`] of lifecycle events, made by [`Connect::domain_events`].
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

/// A virtual machine that the filter selects.
#[derive(Default)]
struct Machine {
    properties: ObjectProperties,
    /// The state that the events so far led to. `None`: the machine has not been a domain yet.
    state: Option<(Domain, Observed)>,
}

impl Connect {
    /// The lifecycle events of the host's domains from now on, or of one domain.
    ///
    /// The driver watches the properties of the virtual machines, and reports how they changed. So the events of a
    /// domain always fit together: `Stopped` follows `Started`, and nothing is reported twice. Properties do not say
    /// why they changed, so the details are always these:
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
    /// When a connection breaks or a session expires, the stream reconnects in the background and then reports the
    /// difference between before and after. A domain that was stopped and started again in between has no event.
    ///
    /// Three requests. While the stream is polled, one call waits at the server for the next change; all streams and
    /// [operations](crate::Operation) of a connection share that call.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) if `domain` does not exist any more; otherwise the error of the
    /// request that failed.
    #[doc(alias = "virConnectDomainEventRegisterAny")]
    pub async fn domain_events(&self, domain: Option<&Domain>) -> Result<DomainEvents> {
        let start = match domain {
            Some(domain) => Retrieve::from(domain.moref()),
            // The filter selects the host too, so that the server answers at once even if the host has no machine.
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
        events.read_first_state().await?;
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
                Poll::Ready(Ok(updates)) => self.apply(updates),
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
