//! A server and our session with it.

mod cookies;
mod exchange;
mod files;
mod session;

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::HeaderValue;
use tokio::sync::OnceCell;
use vi_types::objects::{AboutInfo, ServiceContent};
use vi_types::wire::{self, Decoded, ItemDecoder, Limits, ResponseError};
use vi_types::{
    DataObject, DecodeError, ManagedObjectReference, Method, Object, SoapFault, This, View, methods,
};

use crate::error::not_authenticated;
use crate::transport::{Transport, TransportError};
use crate::watch::Slot;
use crate::{ApiVersion, Error, Negotiation, since};

pub use files::DatastoreFile;

use exchange::{Answer, Incoming, Outgoing, Wire};
use session::Session;

/// How a [`Client`] behaves; the defaults suit a command or a service.
#[derive(Clone, Debug)]
pub struct Options {
    negotiation: Negotiation,
    deadline: Duration,
    largest_answer: usize,
    parallel_calls: usize,
    keep_alive: Option<Duration>,
    user_agent: HeaderValue,
    locale: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            negotiation: Negotiation::default(),
            deadline: Duration::from_secs(300),
            largest_answer: 1 << 30,
            parallel_calls: 8,
            keep_alive: None,
            user_agent: HeaderValue::from_static(concat!("vi-client/", env!("CARGO_PKG_VERSION"))),
            locale: None,
        }
    }
}

impl Options {
    /// How the version of the API is chosen; from `about` unless said otherwise.
    #[must_use]
    pub fn negotiation(mut self, negotiation: Negotiation) -> Self {
        self.negotiation = negotiation;
        self
    }

    /// How long a call may take, from sending it to the last byte of its answer; 5 minutes unless said otherwise.
    #[must_use]
    pub fn deadline(mut self, after: Duration) -> Self {
        self.deadline = after;
        self
    }

    /// The most bytes an answer may have, before and after decompression; 1 GiB unless said otherwise.
    #[must_use]
    pub fn largest_answer(mut self, bytes: usize) -> Self {
        self.largest_answer = bytes;
        self
    }

    /// How many calls may be with the server at a time (others wait); 8 unless said otherwise, at least 1.
    ///
    /// Hosts stall when 50 to 60 calls are open.
    #[must_use]
    pub fn parallel_calls(mut self, most: usize) -> Self {
        self.parallel_calls = most.clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        self
    }

    /// Reads the server's clock at this interval while logged in, so that the session does not end for being idle
    /// (after 30 minutes on most servers); never unless said otherwise.
    #[must_use]
    pub fn keep_alive(mut self, interval: Option<Duration>) -> Self {
        self.keep_alive = interval;
        self
    }

    /// The `User-Agent`; `vi-client/VERSION` unless said otherwise, or if the text cannot stand in a header.
    #[must_use]
    pub fn user_agent(mut self, name: &str) -> Self {
        if let Ok(name) = HeaderValue::from_str(name) {
            self.user_agent = name;
        }
        self
    }

    /// The language of the session's messages, such as `en_US`; the server's choice unless said otherwise.
    #[must_use]
    pub fn locale(mut self, locale: impl Into<String>) -> Self {
        self.locale = Some(locale.into());
        self
    }
}

/// A VI server and our session with it. A cheap clone: all clones are the same session.
///
/// A call is a request struct of [`vi_types::methods`] given to [`call`](Self::call). When the session has ended on
/// the server, the call that notices logs in again (all others wait for that one login) and is sent once more, which
/// is safe as the server says that it did not run it.
///
/// End with [`close`](Self::close): a session that nobody logs out stays on the server for half an hour, and servers
/// run out of sessions.
///
/// Dropping a call's future is safe at any time; what the server did with the request is unknown then.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    wire: Wire,
    options: Options,
    content: ServiceContent,
    /// The server's version, if it has an order.
    server: Option<ApiVersion>,
    /// The service content in the spoken version, read when the first one lacks something.
    later_content: OnceCell<ServiceContent>,
    spoken: Mutex<Option<ApiVersion>>,
    session: Session,
    waiter: Slot,
}

impl Client {
    /// Connects to a server: reads its service content and chooses the version of the API. No login yet.
    ///
    /// Must be called, as everything here, on a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// When the server cannot be reached or is not a VI server.
    pub async fn connect(transport: impl Transport, options: Options) -> Result<Self, Error> {
        let wire = Wire::new(Box::new(transport), &options);
        let asked = match &options.negotiation {
            Negotiation::About | Negotiation::Unversioned => None,
            Negotiation::Listed => wire.listed_version().await?,
            Negotiation::Exactly(version) => Some(version.clone()),
        };
        let request = methods::RetrieveServiceContent {
            this: service_instance(),
            ..Default::default()
        };
        let call = outgoing(&request, &request.this);
        let answer = wire.call(&call, asked.as_ref(), None).await?;
        let content = decode::<methods::RetrieveServiceContent>(&answer.envelope)
            .map_err(|error| failed(call.method, error))?;
        let spoken = match &options.negotiation {
            Negotiation::About => ApiVersion::parse(&content.about.api_version)
                .map(|version| version.min(ApiVersion::newest())),
            _ => asked,
        };
        tracing::debug!(
            server = content.about.full_name,
            version = spoken.as_ref().map(ApiVersion::as_str),
            "connected"
        );
        Ok(Self(Arc::new(Inner {
            wire,
            options,
            server: ApiVersion::parse(&content.about.api_version),
            content,
            later_content: OnceCell::new(),
            spoken: Mutex::new(spoken),
            session: Session::default(),
            waiter: Slot::default(),
        })))
    }

    /// What the server offers, as it said when we connected.
    pub fn service_content(&self) -> &ServiceContent {
        &self.0.content
    }

    /// What the server says of itself.
    pub fn about(&self) -> &AboutInfo {
        &self.0.content.about
    }

    /// The version of the API that we ask the server to speak; 2.5 when we ask for none.
    pub fn api_version(&self) -> ApiVersion {
        self.spoken().unwrap_or_else(ApiVersion::oldest)
    }

    /// Whether nobody between us and the server can read along.
    pub fn is_secure(&self) -> bool {
        self.0.wire.transport.is_secure()
    }

    /// Calls a method on the object that the request names, or on the only instance that the server has.
    ///
    /// # Errors
    /// The server's fault, or why there was no usable answer.
    pub async fn call<M: Method>(&self, request: &M) -> Result<M::Output, Error> {
        let this = self
            .target(M::name(), request.this(), M::called_on())
            .await?;
        self.typed(&this, request, Renewal::Once).await
    }

    /// Calls a method on `this`, whatever the request says: for instance on a property collector of one's own.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_on<M: Method>(
        &self,
        this: &ManagedObjectReference,
        request: &M,
    ) -> Result<M::Output, Error> {
        self.typed(this, request, Renewal::Once).await
    }

    /// Calls a method whose request means nothing to another session: it is not renewed.
    pub(crate) async fn call_in_this_session<M: Method>(
        &self,
        request: &M,
    ) -> Result<M::Output, Error> {
        let this = self
            .target(M::name(), request.this(), M::called_on())
            .await?;
        self.call_on_in_this_session(&this, request).await
    }

    /// Calls a method on `this`, which means nothing to another session: it is not renewed.
    pub(crate) async fn call_on_in_this_session<M: Method>(
        &self,
        this: &ManagedObjectReference,
        request: &M,
    ) -> Result<M::Output, Error> {
        self.typed(this, request, Renewal::Never).await
    }

    /// Who waits for all that is watched.
    pub(crate) fn waiter(&self) -> &Slot {
        &self.0.waiter
    }

    /// The part of a call that is compiled for each method; all else is in [`exchange`](Self::exchange).
    async fn typed<M: Method>(
        &self,
        this: &ManagedObjectReference,
        request: &M,
        renewal: Renewal,
    ) -> Result<M::Output, Error> {
        self.is_known(request, this)?;
        let mut output = None;
        let mut keep = |envelope: &[u8]| {
            output = Some(decode::<M>(envelope)?);
            Ok(())
        };
        self.exchange(outgoing(request, this), renewal, &mut keep)
            .await?;
        Ok(output.unwrap_or_default())
    }

    /// Whether the server's version of the API has the method, and all that is set in the request.
    fn is_known<M: Method>(&self, request: &M, this: &ManagedObjectReference) -> Result<(), Error> {
        let server = self.0.server.as_ref();
        Ok(since::check(M::registry(), M::INFO, request, this, server)?)
    }

    /// Calls a method and gives the `T`s of its answer to `take` while it arrives, and what else was returned.
    ///
    /// With `pauses`, the future is pending once after every piece of the answer that had some, so that whoever polls
    /// it gets to them.
    pub(crate) async fn call_items<M: Method, T: DataObject>(
        &self,
        request: &M,
        renewal: Renewal,
        pauses: bool,
        take: &mut (dyn FnMut(T) + Send),
    ) -> Result<M::Output, Error> {
        let this = self
            .target(M::name(), request.this(), M::called_on())
            .await?;
        self.is_known(request, &this)?;
        let mut answer = Items::<M, T> {
            decoder: None,
            take,
            pauses,
            output: None,
        };
        self.exchange(outgoing(request, &this), renewal, &mut answer)
            .await?;
        Ok(answer.output.unwrap_or_default())
    }

    fn is_open(&self, method: &'static str) -> Result<(), Error> {
        match self.0.session.closed.load(Ordering::Acquire) {
            true => Err(Error::Closed { method }),
            false => Ok(()),
        }
    }

    /// Sends a call and decodes its answer, with a new session if the old one has ended.
    async fn exchange(
        &self,
        call: Outgoing,
        renewal: Renewal,
        decode: &mut dyn Answer,
    ) -> Result<(), Error> {
        let mut renewed = renewal == Renewal::Never;
        loop {
            self.is_open(call.method)?;
            let logins = self.0.session.logins();
            match self.speak(&call, decode).await? {
                Ok(_) => return Ok(()),
                Err(ResponseError::Fault(fault)) if not_authenticated(&fault) && !renewed => {
                    renewed = true;
                    if !self.renew(logins).await? {
                        return Err(failed(call.method, ResponseError::Fault(fault)));
                    }
                }
                Err(error) => return Err(failed(call.method, error)),
            }
        }
    }

    /// Sends a call and decodes its answer: in another version if the server refuses ours, over another connection if
    /// an idle one turned out to be dead and the call only reads.
    async fn speak(
        &self,
        call: &Outgoing,
        decode: &mut dyn Answer,
    ) -> Result<Result<Incoming, ResponseError>, Error> {
        let (mut renegotiated, mut reconnected) = (false, false);
        loop {
            let spoken = self.spoken();
            let answer = match self
                .0
                .wire
                .call(call, spoken.as_ref(), Some(&mut *decode))
                .await
            {
                Err(Error::Transport(TransportError::Closed {
                    answering: false,
                    reused: true,
                    ..
                })) if only_reads(call.method) && !reconnected => {
                    reconnected = true;
                    continue;
                }
                answer => answer?,
            };
            match decode.end(&answer.envelope) {
                Ok(()) => return Ok(Ok(answer)),
                Err(ResponseError::Fault(fault))
                    if refuses_version(&fault) && spoken.is_some() && !renegotiated =>
                {
                    renegotiated = true;
                    let listed = self.0.wire.listed_version().await?;
                    tracing::debug!(?spoken, ?listed, "the server refuses the version");
                    *self.0.spoken_lock() =
                        listed.filter(|version| Some(version) != spoken.as_ref());
                }
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    /// The object that a call is for: the one that the request names, or the instance in the service content.
    async fn target(
        &self,
        method: &'static str,
        named: Option<&ManagedObjectReference>,
        this: This,
    ) -> Result<ManagedObjectReference, Error> {
        let member = match (named, this) {
            (Some(named), _) => return Ok(named.clone()),
            (None, This::ServiceContent(member)) => member,
            // Every request has one or the other.
            (None, This::Explicit) => "_this",
        };
        if let Some(found) = service_member(&self.0.content, member) {
            return Ok(found);
        }
        let none = Error::NoSuchService { method, member };
        let later = self.spoken().is_some() && self.0.options.negotiation == Negotiation::About;
        if !later {
            return Err(none);
        }
        // The service content was read without a version, so it lacks what came after 2.5.
        let content = self.0.later_content.get_or_try_init(|| async {
            let request = methods::RetrieveServiceContent {
                this: service_instance(),
                ..Default::default()
            };
            self.call_on(&request.this, &request).await
        });
        service_member(content.await?, member).ok_or(none)
    }

    fn spoken(&self) -> Option<ApiVersion> {
        self.0.spoken_lock().clone()
    }
}

/// The answer of a method that returns many objects.
struct Items<'a, M: Method, T> {
    decoder: Option<ItemDecoder<M, T>>,
    take: &'a mut (dyn FnMut(T) + Send),
    pauses: bool,
    output: Option<M::Output>,
}

impl<M: Method, T: DataObject> Answer for Items<'_, M, T> {
    fn begin(&mut self) -> bool {
        self.decoder = None;
        true
    }

    fn piece(&mut self, piece: &[u8]) -> Result<bool, DecodeError> {
        let decoder = self
            .decoder
            .get_or_insert_with(|| ItemDecoder::new(Limits::default()));
        decoder.push(piece)?;
        let mut found = false;
        while let Some(item) = decoder.next()? {
            (self.take)(item);
            found = true;
        }
        Ok(found && self.pauses)
    }

    fn end(&mut self, whole: &[u8]) -> Result<(), ResponseError> {
        self.piece(whole)?;
        let Some(decoder) = self.decoder.take() else {
            return Ok(());
        };
        self.output = Some(known::<M>(decoder.finish()?));
        Ok(())
    }
}

/// Whether a call that finds the session ended is sent once more in a new one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renewal {
    Once,
    Never,
}

impl Inner {
    fn spoken_lock(&self) -> std::sync::MutexGuard<'_, Option<ApiVersion>> {
        self.spoken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("server", &self.about().full_name)
            .field("version", &self.api_version().as_str())
            .finish_non_exhaustive()
    }
}

fn service_instance() -> ManagedObjectReference {
    ManagedObjectReference::new("ServiceInstance", "ServiceInstance")
}

fn service_member(content: &ServiceContent, member: &str) -> Option<ManagedObjectReference> {
    match (content as &dyn Object).property(member) {
        Some(View::Moref(reference)) => Some(reference.clone()),
        _ => None,
    }
}

fn outgoing<M: Method>(request: &M, this: &ManagedObjectReference) -> Outgoing {
    Outgoing {
        method: M::name(),
        this: this.clone(),
        envelope: Bytes::from(wire::encode_request(request, this)),
    }
}

fn decode<M: Method>(envelope: &[u8]) -> Result<M::Output, ResponseError> {
    wire::decode_response::<M>(envelope, Limits::default()).map(known::<M>)
}

/// What was returned; what the bindings don't have is logged.
fn known<M: Method>(decoded: Decoded<M::Output>) -> M::Output {
    if !decoded.unknown.is_empty() {
        tracing::debug!(method = M::name(), unknown = ?decoded.unknown, "not in the bindings");
    }
    decoded.returnval
}

fn failed(method: &'static str, error: ResponseError) -> Error {
    match error {
        ResponseError::Fault(fault) => Error::Fault { method, fault },
        ResponseError::Decode(error) => Error::Decode { method, error },
    }
}

/// Whether sending a call twice does no harm. `ContinueRetrievePropertiesEx` is not among them: it moves on.
fn only_reads(method: &str) -> bool {
    ["Retrieve", "Query", "Find", "CurrentTime"]
        .iter()
        .any(|prefix| method.starts_with(prefix))
}

/// Servers say "Unsupported version URI "urn:vim25/…" while parsing SOAP body", having run nothing.
fn refuses_version(fault: &SoapFault) -> bool {
    fault.string.to_lowercase().contains("unsupported version")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_go_anywhere() {
        fn anywhere<T: Clone + Send + Sync + 'static>() {}
        anywhere::<Client>();
        fn travels<T: Send>(_: &T) {}
        #[allow(dead_code, reason = "the types are the test")]
        async fn futures_are_send(client: Client) {
            let request = methods::CurrentTime {
                this: service_instance(),
                ..Default::default()
            };
            travels(&client.call(&request));
            travels(&client.close());
        }
    }
}
