//! The end of a connection.

use futures_core::future::BoxFuture;
use vi_client::{Error as Cause, property_set, retrieve::Retrieve, transport::TransportError};
use virt_model::event::ConnectCloseReason;

use super::callbacks::{CallbackId, Callbacks, Event};
use super::events::Events;
use super::follow::begin;
use super::source::{Running, Source};
use crate::{Connect, Result};

impl Connect {
    /// Registers a callback that is told when the connection is lost, and why. Any number can be registered.
    ///
    /// The driver notices that by a waiting call, which the server answers at least once a minute. It mends a broken
    /// connection and renews an ended session, and gives up after several failures in a row:
    ///
    /// | reason | what happened |
    /// |---|---|
    /// | `Client` | [`close`](Connect::close) was called |
    /// | `KeepAlive` | the server does not answer in time |
    /// | `Eof` | the server closes connections without answering |
    /// | `Error` | anything else: there is no connection any more, or no new session |
    ///
    /// Then each callback is called once; it stays registered until it is [taken back](Connect::unregister_close_callback),
    /// and is called again only if another one is registered later and the connection is lost once more. The connection can
    /// still be used: every call tries again.
    ///
    /// Callbacks run as those of [`Events`](crate::Events) do. Three requests for the first one, and a fourth that waits
    /// at the server, which is shared with events and [operations](crate::Operation).
    ///
    /// # Errors
    /// That of the request that failed.
    #[doc(alias = "virConnectRegisterCloseCallback")]
    pub async fn register_close_callback(
        &self,
        callback: impl Fn(ConnectCloseReason) + Send + Sync + 'static,
    ) -> Result<CallbackId> {
        let call = move |closed: &Closed| callback(closed.0);
        Events::of(self).register(None, (), call).await
    }

    /// Takes the registration of a close callback back. No call begins after this returned.
    ///
    /// # Errors
    /// [`ErrorKind::Argument`](crate::ErrorKind::Argument) if there is no such registration.
    #[doc(alias = "virConnectUnregisterCloseCallback")]
    pub fn unregister_close_callback(&self, id: CallbackId) -> Result<()> {
        Events::<Closed>::of(self).deregister(id)?;
        Ok(())
    }
}

/// The connection is lost.
#[derive(Debug, Clone)]
struct Closed(ConnectCloseReason);

impl Event for Closed {
    type Object = ();
    type Id = ();

    fn id(&self) {}

    fn is_about(&self, (): &()) -> bool {
        true
    }
}

property_set! {
    struct Nothing: HostSystem {}
}

impl Source for Closed {
    fn start(
        connect: Connect,
        callbacks: Callbacks<Closed>,
    ) -> BoxFuture<'static, Result<Running>> {
        Box::pin(async move {
            let request = Retrieve::from(connect.host_system().await?);
            let (mut watch, _) = begin::<Nothing>(&connect, request).await?;
            let running: Running = Box::pin(async move {
                loop {
                    if let Err(cause) = watch.next_changes().await {
                        callbacks.dispatch(Closed(reason(&cause)));
                        return cause;
                    }
                }
            });
            Ok(running)
        })
    }
}

/// Why the connection was lost, in libvirt's words.
fn reason(cause: &Cause) -> ConnectCloseReason {
    match cause {
        Cause::Renewal(cause) | Cause::Shared(cause) => reason(cause),
        Cause::Closed { .. } => ConnectCloseReason::Client,
        Cause::Deadline { .. }
        | Cause::StandsStill { .. }
        | Cause::Transport(TransportError::ConnectTimeout { .. }) => ConnectCloseReason::KeepAlive,
        Cause::Transport(TransportError::Closed { .. }) => ConnectCloseReason::Eof,
        _ => ConnectCloseReason::Error,
    }
}
