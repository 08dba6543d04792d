//! Whether a watch has a connection.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;

use crate::Error;

/// Whether the server can be asked for changes, as seen by the watches of a client.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum ConnectionState {
    /// The last call was answered.
    #[default]
    Connected,
    /// The connection, the session or the subscription is lost. The watches try to get it back as long as they are
    /// awaited; what they told last may be old.
    Reconnecting {
        /// When that was noticed.
        since: Instant,
        /// Why the last call failed.
        error: Arc<Error>,
    },
    /// The watches have failed, or the last one is closed.
    Ended,
}

impl ConnectionState {
    /// Whether the last call was answered.
    pub fn is_connected(&self) -> bool {
        matches!(self, Self::Connected)
    }
}

/// The state of the connection that watches use, to be asked at any time. Clones are cheap and independent.
#[derive(Clone, Debug)]
pub struct Connection(watch::Receiver<ConnectionState>);

impl Connection {
    pub(super) fn new(states: watch::Receiver<ConnectionState>) -> Self {
        Self(states)
    }

    /// The state now.
    pub fn state(&self) -> ConnectionState {
        self.0.borrow().clone()
    }

    /// Waits until the connection is lost, is back, or ends, and returns the state; at once if that has happened since the
    /// last call. A further error while reconnecting is no change. Never returns after [`ConnectionState::Ended`].
    pub async fn changed(&mut self) -> ConnectionState {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        self.0.borrow_and_update().clone()
    }
}
