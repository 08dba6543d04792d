//! What the watches have on the server: a property collector and its filters.

use std::time::Duration;

use futures_core::future::BoxFuture;
use vi_types::methods::{
    CancelWaitForUpdates, CheckForUpdates, CreateFilter, CreatePropertyCollector, CurrentTime,
    DestroyPropertyCollector, DestroyPropertyFilter, WaitForUpdates, WaitForUpdatesEx,
};
use vi_types::objects::{
    InvalidCollectorVersion, ManagedObjectNotFound, PropertyFilterSpec, UpdateSet, WaitOptions,
};
use vi_types::{ManagedObjectReference, Method, SoapFault};

use super::state::Loss;
use crate::{Client, Error};

/// How long the server may wait before it answers without changes. Proxies close connections that are idle longer.
pub(super) const LONGEST: Duration = Duration::from_secs(60);

/// How often a request that destroys something is sent again.
const DESTROY_ATTEMPTS: u32 = 5;

/// A property collector.
#[derive(Clone, Debug)]
pub(super) struct Collector {
    pub(super) reference: ManagedObjectReference,
    /// Whether only this client uses it, so that destroying it destroys all its filters. Servers before 4.1 have only the
    /// one of the session.
    is_own: bool,
    /// How many logins there were before it was created, to notice a new session: its collector may be another one with the
    /// same reference.
    logins: u64,
    /// The version of the last update set; empty at first.
    pub(super) version: String,
}

/// How to ask for changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    /// The server answers at once.
    Check,
    /// The server waits for a change.
    Wait,
}

/// The answer: `None` if nothing has changed.
pub(super) type Answer = Result<Option<UpdateSet>, Error>;

impl Collector {
    /// Creates a collector, in a new session if the old one has ended.
    pub(super) async fn create(client: &Client) -> Result<Self, Error> {
        let is_own = has::<CreatePropertyCollector>(client);
        let reference = match is_own {
            true => client.call(&CreatePropertyCollector::default()).await?,
            false => {
                // A call that logs in again if it has to, because those that follow do not.
                let clock = CurrentTime {
                    this: ManagedObjectReference::new("ServiceInstance", "ServiceInstance"),
                    ..Default::default()
                };
                client.call(&clock).await?;
                client.service_content().property_collector.clone()
            }
        };
        Ok(Self {
            reference,
            is_own,
            logins: client.logins(),
            version: String::new(),
        })
    }

    pub(super) async fn create_filter(
        &self,
        client: &Client,
        spec: PropertyFilterSpec,
    ) -> Result<ManagedObjectReference, Error> {
        let request = CreateFilter {
            spec,
            partial_updates: false,
            ..CreateFilter::default()
        };
        client
            .call_on_in_this_session(&self.reference, &request)
            .await
    }

    /// Destroys the collector with all its filters, or those of `filters` in the collector that the session shares.
    pub(super) async fn destroy(
        self,
        client: &Client,
        filters: impl IntoIterator<Item = ManagedObjectReference>,
    ) {
        if self.is_own {
            let request = DestroyPropertyCollector::default();
            retry_destroy(|| client.call_on_in_this_session(&self.reference, &request)).await;
        } else {
            for filter in filters {
                destroy_filter(client, filter).await;
            }
        }
    }

    /// Says if this is the collector of a session that has ended, although the session that followed has one with the same
    /// reference.
    pub(super) fn stale(&self, client: &Client) -> Option<Loss<Error>> {
        let is_stale = !self.is_own && client.logins() != self.logins;
        is_stale.then(|| {
            Loss::Subscription(Error::Fault {
                method: wait_method(client),
                fault: Box::new(SoapFault {
                    code: String::new(),
                    string: "the session was renewed".to_owned(),
                    detail: None,
                }),
            })
        })
    }

    /// Asks for changes. Nothing is sent before the future is polled.
    pub(super) fn ask(&self, client: &Client, asking: Asking) -> BoxFuture<'static, Answer> {
        let (client, this) = (client.clone(), self.reference.clone());
        let version = Some(self.version.clone());
        if has::<WaitForUpdatesEx>(&client) {
            let longest = match asking {
                Asking::Check => Duration::ZERO,
                Asking::Wait => LONGEST,
            };
            let request = WaitForUpdatesEx {
                version,
                options: Some(Box::new(WaitOptions {
                    max_wait_seconds: i32::try_from(longest.as_secs()).ok(),
                    ..WaitOptions::default()
                })),
                ..Default::default()
            };
            return Box::pin(async move {
                let updates = client.call_waiting(&this, &request, longest).await?;
                Ok(updates.map(|updates| *updates))
            });
        }
        match asking {
            Asking::Check => Box::pin(async move {
                let request = CheckForUpdates {
                    version,
                    ..Default::default()
                };
                let updates = client.call_on_in_this_session(&this, &request).await?;
                Ok(updates.map(|updates| *updates))
            }),
            Asking::Wait => Box::pin(async move {
                let request = WaitForUpdates {
                    version,
                    ..Default::default()
                };
                // The server waits without a limit, so this is the limit.
                let wait = client.call_waiting(&this, &request, LONGEST);
                if let Ok(updates) = tokio::time::timeout(LONGEST, wait).await {
                    return updates.map(Some);
                }
                let cancel = CancelWaitForUpdates::default();
                client.call_on_in_this_session(&this, &cancel).await?;
                Ok(None)
            }),
        }
    }
}

pub(super) async fn destroy_filter(client: &Client, this: ManagedObjectReference) {
    let request = DestroyPropertyFilter {
        this,
        ..Default::default()
    };
    retry_destroy(|| client.call_in_this_session(&request)).await;
}

/// Sends a request that destroys an object, again if there is no answer: a second request does no harm.
async fn retry_destroy<F: Future<Output = Result<(), Error>>>(mut ask: impl FnMut() -> F) {
    for failures in 0.. {
        match ask().await {
            Ok(()) => return,
            Err(error) if error.is_broken() && failures < DESTROY_ATTEMPTS => {
                tokio::time::sleep(Duration::from_millis(100 << failures)).await;
            }
            Err(error) => {
                // The server destroys it with the session.
                tracing::debug!(%error, "a property filter could not be destroyed");
                return;
            }
        }
    }
}

fn has<M: Method>(client: &Client) -> bool {
    client.api_version().has(M::INFO.since)
}

/// The method that waits for changes.
pub(super) fn wait_method(client: &Client) -> &'static str {
    match has::<WaitForUpdatesEx>(client) {
        true => WaitForUpdatesEx::name(),
        false => WaitForUpdates::name(),
    }
}

/// What an error of a call means for the watches.
pub(super) fn loss(error: Error, collector: Option<&Collector>) -> Loss<Error> {
    match &error {
        Error::Closed { .. } => Loss::Ended(error),
        _ if error.is_broken() => Loss::Answer(error),
        // The client has forgotten the password; another attempt could lock the account.
        Error::Renewal(_) => Loss::Ended(error),
        _ if error.is_not_authenticated() => Loss::Subscription(error),
        _ if error.is_fault::<InvalidCollectorVersion>() => {
            match collector.is_some_and(|collector| !collector.version.is_empty()) {
                true => Loss::Version(error),
                false => Loss::Subscription(error),
            }
        }
        _ if collector.is_some_and(|own| missing(&error) == Some(&own.reference)) => {
            Loss::Subscription(error)
        }
        _ => Loss::Refused(error),
    }
}

/// The object that the server says does not exist.
pub(super) fn missing(error: &Error) -> Option<&ManagedObjectReference> {
    let gone = error.fault()?.cast::<ManagedObjectNotFound>()?;
    Some(&gone.obj)
}
