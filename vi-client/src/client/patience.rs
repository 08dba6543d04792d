//! How long a body may stand still.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::transport::Body;
use crate::{Error, Limits};

/// How many bytes have to come within the time that a body may stand still. Less than that is no progress: a server that
/// sends a byte a second would be waited for until the deadline.
const PROGRESS: usize = 1 << 10;

/// Reads a body as long as it does not stand still. Only the time of waiting for the server counts.
#[derive(Debug)]
pub(super) struct Patience {
    method: &'static str,
    silence: Duration,
    /// How long was waited for the last bytes, and how many those are: less than [`PROGRESS`].
    waited: Duration,
    received: usize,
}

impl Patience {
    pub(super) fn new(method: &'static str, limits: &Limits) -> Self {
        Self {
            method,
            silence: limits.silence_of_bodies(),
            waited: Duration::ZERO,
            received: 0,
        }
    }

    /// The next piece of the body; `None` at its end.
    pub(super) async fn chunk(&mut self, body: &mut Body) -> Result<Option<Bytes>, Error> {
        let begun = Instant::now();
        let rest = self.silence.saturating_sub(self.waited);
        let chunk = tokio::time::timeout(rest, body.chunk()).await;
        let chunk = chunk.map_err(|_| Error::StandsStill {
            method: self.method,
            received: self.received,
            after: self.silence,
        })??;
        let length = chunk.as_ref().map_or(0, Bytes::len);
        if length >= PROGRESS || self.received + length >= PROGRESS {
            (self.received, self.waited) = (0, Duration::ZERO);
        } else {
            self.received += length;
            self.waited += begun.elapsed();
        }
        Ok(chunk)
    }
}
