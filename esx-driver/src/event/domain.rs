//! Events of domains.

mod agent;
mod balloon;
mod clue;
mod devices;
mod groups;
mod history;
mod jobs;
mod lifecycle;
mod metadata;
mod questions;
mod source;
mod speech;
mod timeline;

use futures_core::future::BoxFuture;
use vi_types::DateTime;
use virt_model::TypedParam;
use virt_model::event::{
    AgentLifecycleReason, AgentLifecycleState, DomainEventId, GraphicsAddress, GraphicsPhase,
    GraphicsSubjectIdentity, IoErrorAction, LifecycleEvent, MetadataType, TrayChangeReason,
    WatchdogAction,
};

use super::callbacks::{Callbacks, Event};
use super::events::Events;
use super::source::{Running, Source};
use super::stream::EventStream;
use crate::{Connect, Domain, Result, question::Question};

/// Something that happened to a domain: what libvirt gives to callbacks of `virConnectDomainEventRegisterAny`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DomainEvent {
    /// The domain, with the name and id that it had at the time of the event.
    pub domain: Domain,
    /// When it happened, by the server's clock. `None` if the server did not say.
    pub time: Option<DateTime>,
    /// What happened.
    pub detail: DomainEventDetail,
}

/// What happened to a domain.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum DomainEventDetail {
    /// A change in its life cycle.
    Lifecycle(LifecycleEvent),
    /// The guest rebooted, or was reset.
    Reboot,
    /// A watchdog fired.
    Watchdog(WatchdogAction),
    /// A disk failed.
    IoError {
        /// The disk's file.
        path: String,
        /// The disk's alias.
        alias: String,
        /// What followed.
        action: IoErrorAction,
    },
    /// A disk failed, with a reason.
    IoErrorReason {
        /// The disk's file.
        path: String,
        /// The disk's alias.
        alias: String,
        /// What followed.
        action: IoErrorAction,
        /// The reason: `enospc` if the datastore is full, otherwise the server's word, or empty.
        reason: String,
    },
    /// A viewer connected or disconnected.
    Graphics {
        /// How far the connection is.
        phase: GraphicsPhase,
        /// The server's end.
        local: GraphicsAddress,
        /// The viewer's end.
        remote: GraphicsAddress,
        /// How the viewer was authenticated.
        auth_scheme: String,
        /// Who uses it.
        subject: Vec<GraphicsSubjectIdentity>,
    },
    /// The server lost its connection to the domain's host, so the domain's state is not known.
    ControlError,
    /// A removable medium was inserted or ejected.
    TrayChange {
        /// The drive's alias.
        alias: String,
        /// Where the tray went.
        reason: TrayChangeReason,
    },
    /// The guest woke up.
    PmWakeup,
    /// The guest suspended itself to memory.
    PmSuspend,
    /// The memory balloon has another size.
    BalloonChange {
        /// The memory that the guest has left, in KiB.
        actual: u64,
    },
    /// A device was removed.
    DeviceRemoved {
        /// The device's alias.
        alias: String,
    },
    /// A device was added.
    DeviceAdded {
        /// The device's alias.
        alias: String,
    },
    /// The guest's agent (VMware Tools) started or ended.
    AgentLifecycle {
        /// Whether it can be reached now.
        state: AgentLifecycleState,
        /// Why.
        reason: AgentLifecycleReason,
    },
    /// A job of the domain ended.
    JobCompleted {
        /// The job, as [`job_stats`](Domain::job_stats) tells it.
        params: Vec<TypedParam>,
    },
    /// The metadata changed.
    MetadataChange {
        /// Which part.
        kind: MetadataType,
        /// The namespace of an element.
        uri: Option<String>,
    },
    /// The host asked a question, or it was answered. (Not in libvirt.)
    Question(QuestionEvent),
}

/// What happened to a question of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuestionEvent {
    /// The host asked it, and the domain is blocked.
    Raised(Question),
    /// Somebody answered it, or it is not asked any more.
    Answered(Question),
}

/// The events of a connection's domains.
///
/// The driver watches properties of the virtual machines, which are the truth: the life cycle events of a domain always
/// fit together, and nothing is told twice. The server's own events say why a state changed, and tell what no property
/// shows. A change waits for its reason if there is more than one possibility, at most a second; without the right to read
/// events (`System.View`) the detail is the usual one:
///
/// | change | events, with the usual detail first |
/// |---|---|
/// | the machine appears | `Defined Added`, and those of a domain that was off until then, or `Started Migrated`, `Resumed Migrated` |
/// | off to on | `Started` `Booted`, `Snapshot` |
/// | off to suspended | `Started`, `Suspended` |
/// | on to suspended | `Suspended` `Paused`, `I/O Error`, `Snapshot`; `PMSuspended Memory` if the guest wanted it |
/// | suspended to on | `Resumed` `Unpaused`, `Snapshot`; `Started Event wakeup` after `PMSuspended` |
/// | on to off | `Stopped` `Shutdown`, `Destroyed`, `Crashed`, `Failed`, `Snapshot`; `Shutdown` before `Stopped Shutdown` |
/// | suspended to off | `Stopped` `Destroyed`, `Snapshot` |
/// | the guest goes to standby, or comes back | `PMSuspended Memory`, `Started Event wakeup` |
/// | the guest crashes | `Crashed Panicked` |
/// | the configuration changes | `Defined` `Updated`, `Snapshot` |
/// | the name changes | `Undefined Renamed` with the old name, `Defined Renamed` with the new one |
/// | the machine leaves | those of a domain that stops, or `Suspended Migrated`, `Stopped Migrated`; `Undefined Removed` |
///
/// A domain whose host the vCenter has lost stays as it was; the difference is told when the host is back. `docs/parity.md`
/// has the sources of all kinds. All registrations of a connection share one source, which asks the server only for what
/// they need: two requests for each group of properties (identity and state; devices; tools; questions; metadata; tasks),
/// one more for the first group, and four for the server's events (eight for those of a vCenter). One call waits at the
/// server for the next change.
///
/// ```no_run
/// # use esx_driver::{Connect, DomainEventDetail, Result, virt_model::event::DomainEventId};
/// # async fn follow(connect: &Connect) -> Result<()> {
/// let events = connect.domain_events();
/// let id = events
///     .register(None, DomainEventId::Lifecycle, |event| {
///         if let DomainEventDetail::Lifecycle(change) = &event.detail {
///             tracing::info!(domain = event.domain.name(), %change);
///         }
///     })
///     .await?;
/// // …
/// events.deregister(id)?;
/// # Ok(()) }
/// ```
pub type DomainEvents = Events<DomainEvent>;

/// A [`Stream`](crate::Stream) of events of domains.
///
/// ```no_run
/// # use esx_driver::{Connect, Result, virt_model::event::DomainEventId};
/// use futures_util::StreamExt as _;
///
/// # async fn follow(connect: &Connect) -> Result<()> {
/// let ids = [DomainEventId::Lifecycle, DomainEventId::Reboot];
/// let mut events = connect.domain_events().stream(None, ids).await?;
/// while let Some(event) = events.next().await {
///     let event = event?;
///     tracing::info!(domain = event.domain.name(), kind = %event.id());
/// }
/// # Ok(()) }
/// ```
pub type DomainEventStream = EventStream<DomainEvent>;

impl Connect {
    /// The events of this connection's domains. No request.
    pub fn domain_events(&self) -> DomainEvents {
        Events::of(self)
    }
}

impl Event for DomainEvent {
    type Object = Domain;
    type Id = DomainEventId;

    fn id(&self) -> DomainEventId {
        self.detail.id()
    }

    fn is_about(&self, domain: &Domain) -> bool {
        // A domain that gets another name or UUID is still the same one.
        self.domain.moref() == domain.moref()
    }
}

impl Source for DomainEvent {
    fn start(
        connect: Connect,
        callbacks: Callbacks<DomainEvent>,
    ) -> BoxFuture<'static, Result<Running>> {
        Box::pin(async move {
            let source = source::Source::start(connect, callbacks).await?;
            let running: Running = Box::pin(source.run());
            Ok(running)
        })
    }

    fn extend(connect: Connect, _: Callbacks<DomainEvent>) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move { connect.shared::<source::Extender>().extend().await })
    }
}

impl DomainEvent {
    /// The kind of event.
    pub fn id(&self) -> DomainEventId {
        self.detail.id()
    }
}

impl DomainEventDetail {
    /// The kind of event.
    pub fn id(&self) -> DomainEventId {
        match self {
            DomainEventDetail::Lifecycle(_) => DomainEventId::Lifecycle,
            DomainEventDetail::Reboot => DomainEventId::Reboot,
            DomainEventDetail::Watchdog(_) => DomainEventId::Watchdog,
            DomainEventDetail::IoError { .. } => DomainEventId::IoError,
            DomainEventDetail::IoErrorReason { .. } => DomainEventId::IoErrorReason,
            DomainEventDetail::Graphics { .. } => DomainEventId::Graphics,
            DomainEventDetail::ControlError => DomainEventId::ControlError,
            DomainEventDetail::TrayChange { .. } => DomainEventId::TrayChange,
            DomainEventDetail::PmWakeup => DomainEventId::PmWakeup,
            DomainEventDetail::PmSuspend => DomainEventId::PmSuspend,
            DomainEventDetail::BalloonChange { .. } => DomainEventId::BalloonChange,
            DomainEventDetail::DeviceRemoved { .. } => DomainEventId::DeviceRemoved,
            DomainEventDetail::DeviceAdded { .. } => DomainEventId::DeviceAdded,
            DomainEventDetail::AgentLifecycle { .. } => DomainEventId::AgentLifecycle,
            DomainEventDetail::JobCompleted { .. } => DomainEventId::JobCompleted,
            DomainEventDetail::MetadataChange { .. } => DomainEventId::MetadataChange,
            DomainEventDetail::Question(_) => DomainEventId::Question,
        }
    }
}
