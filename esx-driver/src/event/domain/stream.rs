//! Events of domains as a stream.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use virt_model::event::DomainEventId;

use super::DomainEvent;
use super::source::Source;
use crate::{Connect, Domain, Result};

/// A [`Stream`] of events, made by [`DomainEvents::stream`](super::DomainEvents::stream).
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
///
/// After an error there are no more events. What was made on the server is destroyed by
/// [`close`](DomainEventStream::close), and in the background when the stream is dropped.
pub struct DomainEventStream {
    source: Source,
    ids: Vec<DomainEventId>,
}

impl DomainEventStream {
    pub(super) async fn begin(
        connect: &Connect,
        domain: Option<&Domain>,
        ids: Vec<DomainEventId>,
    ) -> Result<DomainEventStream> {
        let source = Source::begin(connect, domain).await?;
        Ok(DomainEventStream { source, ids })
    }

    /// Ends the stream, and returns when what was made for it on the server is destroyed.
    pub async fn close(self) {
        self.source.close().await;
    }
}

impl Stream for DomainEventStream {
    type Item = Result<DomainEvent>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<DomainEvent>>> {
        loop {
            match Pin::new(&mut self.source).poll_next(context) {
                Poll::Ready(Some(Ok(event))) if !self.ids.contains(&event.id()) => {}
                other => return other,
            }
        }
    }
}

impl fmt::Debug for DomainEventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DomainEventStream")
            .field("ids", &self.ids)
            .finish_non_exhaustive()
    }
}
