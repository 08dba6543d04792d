//! Events of domains.

mod source;
mod stream;
mod transition;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use futures_util::StreamExt as _;
use tokio::sync::oneshot;
use tracing::warn;
use vi_types::DateTime;
use virt_model::TypedParam;
use virt_model::event::{
    AgentLifecycleReason, AgentLifecycleState, DomainEventId, GraphicsAddress, GraphicsPhase,
    GraphicsSubjectIdentity, IoErrorAction, LifecycleEvent, MetadataType, TrayChangeReason,
    WatchdogAction,
};

pub use self::stream::DomainEventStream;
use super::callbacks::{CallbackId, CallbackIds};
use crate::{Connect, Domain, Error, ErrorKind, Result, question::Question};

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
/// events.deregister(id).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct DomainEvents {
    connect: Connect,
}

/// The registrations of a connection.
#[derive(Default)]
struct Registrations {
    /// Dropping a sender ends its task.
    running: Mutex<HashMap<CallbackId, oneshot::Sender<()>>>,
}

impl Connect {
    /// The events of this connection's domains. No request.
    pub fn domain_events(&self) -> DomainEvents {
        DomainEvents {
            connect: self.clone(),
        }
    }
}

impl DomainEvents {
    /// Calls `callback` for each event of the kind `id`, of all domains or of one, from now on until
    /// [`deregister`](Self::deregister). The same callback may be registered any number of times.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if `domain` does not exist any more; otherwise the error of the request that failed.
    #[doc(alias = "virConnectDomainEventRegisterAny")]
    pub async fn register(
        &self,
        domain: Option<&Domain>,
        id: DomainEventId,
        callback: impl Fn(&DomainEvent) + Send + Sync + 'static,
    ) -> Result<CallbackId> {
        let mut stream = self.stream(domain, [id]).await?;
        let registrations = self.connect.shared::<Registrations>();
        let callback_id = self.connect.shared::<CallbackIds>().next();
        let (running, ended) = oneshot::channel();
        let mut map = registrations
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        map.insert(callback_id, running);
        drop(map);
        tokio::spawn(async move {
            let mut ended = ended;
            loop {
                tokio::select! {
                    biased;
                    _ = &mut ended => break,
                    event = stream.next() => match event {
                        Some(Ok(event)) => callback(&event),
                        Some(Err(error)) => warn!(%error, "no more events"),
                        None => break,
                    },
                }
            }
            stream.close().await;
        });
        Ok(callback_id)
    }

    /// Ends a registration. No call of its callback begins after that.
    ///
    /// # Errors
    /// If there is no such registration.
    #[doc(alias = "virConnectDomainEventDeregisterAny")]
    pub async fn deregister(&self, id: CallbackId) -> Result<()> {
        let registrations = self.connect.shared::<Registrations>();
        let mut map = registrations
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match map.remove(&id) {
            Some(_) => Ok(()),
            None => {
                let message = format!("could not find event callback {id} for deletion");
                Err(Error::new(
                    ErrorKind::Argument,
                    virt_model::ErrorNumber::InvalidArg,
                    message,
                ))
            }
        }
    }

    /// The events of the kinds `ids`, of all domains or of one, as a stream. Dropping it ends it.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub async fn stream(
        &self,
        domain: Option<&Domain>,
        ids: impl IntoIterator<Item = DomainEventId>,
    ) -> Result<DomainEventStream> {
        let ids = ids.into_iter().collect();
        DomainEventStream::begin(&self.connect, domain, ids).await
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
