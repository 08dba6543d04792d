//! A collector on the server.

use vi_types::methods::{CreateCollectorForEvents, DestroyCollector, SetCollectorPageSize};
use vi_types::objects::{Event, EventFilterSpec};
use vi_types::{ManagedObjectReference, Method, Poly};

use crate::{Client, Error, property_set};

property_set! {
    /// The newest events.
    struct Latest: EventHistoryCollector {
        page: Vec<Poly<Event>> = latest_page,
    }
}

/// A collector, destroyed with this.
#[derive(Debug)]
pub(super) struct Collector {
    client: Client,
    reference: ManagedObjectReference,
    /// Whether it must still be destroyed.
    is_open: bool,
}

impl Collector {
    pub(super) async fn create(client: &Client, filter: &EventFilterSpec) -> Result<Self, Error> {
        let request = CreateCollectorForEvents {
            filter: filter.clone(),
            ..CreateCollectorForEvents::default()
        };
        Ok(Self {
            reference: client.call(&request).await?,
            client: client.clone(),
            is_open: true,
        })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn reference(&self) -> &ManagedObjectReference {
        &self.reference
    }

    /// Calls a method of the collector, which another session does not have.
    pub(super) async fn call<M: Method>(&self, request: &M) -> Result<M::Output, Error> {
        self.client.call_in_this_session(request).await
    }

    pub(super) async fn latest_page(&self) -> Result<Vec<Poly<Event>>, Error> {
        let latest: Latest = self.client.read(&self.reference).await?;
        Ok(latest.page)
    }

    pub(super) async fn set_page_size(&self, max_count: i32) -> Result<(), Error> {
        let request = SetCollectorPageSize {
            this: self.reference.clone(),
            max_count,
            ..SetCollectorPageSize::default()
        };
        self.call(&request).await
    }

    /// Destroys the collector.
    pub(super) async fn close(mut self) -> Result<(), Error> {
        self.is_open = false;
        self.call(&destroy(&self.reference)).await
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        if !self.is_open {
            return;
        }
        let (client, request) = (self.client.clone(), destroy(&self.reference));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = client.call_in_this_session(&request).await {
                    // The server destroys it with the session.
                    tracing::debug!(%error, "an event collector could not be destroyed");
                }
            });
        }
    }
}

fn destroy(collector: &ManagedObjectReference) -> DestroyCollector {
    DestroyCollector {
        this: collector.clone(),
        ..DestroyCollector::default()
    }
}
