//! The client: one server and one session.

mod cookies;
mod exchange;
mod files;
mod patience;
mod pending;
mod repeat;
mod screen;
mod session;

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::HeaderValue;
use tokio::sync::OnceCell;
use vi_types::objects::{AboutInfo, ServiceContent};
use vi_types::wire::{self, Decoded, ItemDecoder, ResponseError};
use vi_types::{
    DataObject, ManagedObjectReference, Method, Object, SoapFault, This, View, methods, references,
};

use crate::error::not_authenticated;
use crate::limits::Spent;
use crate::retrieve::Paging;
use crate::transport::{BoxFuture, Transport, TransportError};
use crate::watch::WaiterHandle;
use crate::{ApiVersion, Error, Limits, Negotiation, since};

pub use exchange::Traffic;
pub use files::{
    DatastoreFile, Download, FileHead, FilePart, FileRange, FileVersion, Files, Sent, UploadSource,
};

use exchange::{HttpCalls, ResponseReader, SoapRequest, SoapResponse};
pub(crate) use repeat::Repeats;
use repeat::only_reads;
use session::Session;

/// Options of a [`Client`]; the defaults suit a command or a service.
#[derive(Clone, Debug)]
pub struct Options {
    negotiation: Negotiation,
    limits: Limits,
    parallel_calls: usize,
    keep_alive: Option<Duration>,
    user_agent: HeaderValue,
    locale: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            negotiation: Negotiation::default(),
            limits: Limits::default(),
            parallel_calls: 8,
            keep_alive: None,
            user_agent: HeaderValue::from_static(concat!("vi-client/", env!("CARGO_PKG_VERSION"))),
            locale: None,
        }
    }
}

impl Options {
    /// How the version of the API is chosen (default: [`Negotiation::About`]).
    #[must_use]
    pub fn negotiation(mut self, negotiation: Negotiation) -> Self {
        self.negotiation = negotiation;
        self
    }

    /// What the server's answers may cost, in memory and time.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How many calls the server works on at a time; further calls wait here (default: 8, minimum: 1).
    ///
    /// Hosts stall when 50 to 60 calls are open.
    #[must_use]
    pub fn parallel_calls(mut self, most: usize) -> Self {
        self.parallel_calls = most.clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        self
    }

    /// Reads the server's clock at this interval while logged in, because most servers end a session that is idle for 30
    /// minutes (default: never).
    #[must_use]
    pub fn keep_alive(mut self, interval: Option<Duration>) -> Self {
        self.keep_alive = interval;
        self
    }

    /// The `User-Agent` header (default: `vi-client/VERSION`). A name that no header can hold is ignored.
    #[must_use]
    pub fn user_agent(mut self, name: &str) -> Self {
        if let Ok(name) = HeaderValue::from_str(name) {
            self.user_agent = name;
        }
        self
    }

    /// The language of the session's messages, such as `en_US` (default: the server chooses).
    #[must_use]
    pub fn locale(mut self, locale: impl Into<String>) -> Self {
        self.locale = Some(locale.into());
        self
    }
}

/// A VI server and a session on it. Clones are cheap and share the session.
///
/// [`call`](Self::call) takes a request struct of [`vi_types::methods`]. If the server has ended the session, the call
/// that notices logs in again (all other calls wait for that one login) and is sent once more. That is safe, because
/// the server refused the first request without running it.
///
/// Call [`close`](Self::close) at the end: without a logout, a session stays on the server for half an hour, and servers
/// run out of sessions.
///
/// A call's future may be dropped at any time. Whether the server ran the request is then unknown.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: HttpCalls,
    options: Options,
    content: ServiceContent,
    /// The server's version of the API; `None` if it is not a number, as on unreleased servers.
    server: Option<ApiVersion>,
    /// The service content in the negotiated version, read when the first one lacks a member.
    later_content: OnceCell<ServiceContent>,
    version: Mutex<Option<ApiVersion>>,
    session: Session,
    waiter: WaiterHandle,
    paging: Mutex<Paging>,
}

impl Client {
    /// Connects to a server: reads its service content and chooses the version of the API. Does not log in.
    ///
    /// This crate needs a tokio runtime with I/O and time.
    ///
    /// # Errors
    /// If the server cannot be reached or is not a VI server.
    pub async fn connect(transport: impl Transport, options: Options) -> Result<Self, Error> {
        let http = HttpCalls::new(Box::new(transport), &options);
        let asked = match &options.negotiation {
            Negotiation::About | Negotiation::Unversioned => None,
            Negotiation::Listed => http.listed_version().await?,
            Negotiation::Exactly(version) => Some(version.clone()),
        };
        let request = methods::RetrieveServiceContent {
            this: service_instance(),
            ..Default::default()
        };
        let call = outgoing(&request, &request.this)?;
        let mut repeats = Repeats::once();
        let answer = loop {
            match http.call(&call, asked.as_ref(), None).await {
                Ok(answer) => break answer,
                Err(error) => repeats.after(call.method, error).await?,
            }
        };
        let wire = options.limits.wire();
        let content = decode::<methods::RetrieveServiceContent>(&answer.envelope, wire)
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
            http,
            options,
            server: ApiVersion::parse(&content.about.api_version),
            content,
            later_content: OnceCell::new(),
            version: Mutex::new(spoken),
            session: Session::default(),
            waiter: WaiterHandle::default(),
            paging: Mutex::default(),
        })))
    }

    /// The service instance, whose methods belong to the server as a whole.
    ///
    /// ```no_run
    /// # async fn run(client: &vi_client::Client) -> Result<(), vi_client::Error> {
    /// let clock = client.call(&client.service_instance().current_time()).await?;
    /// # let _: vi_client::vi_types::DateTime = clock;
    /// # Ok(()) }
    /// ```
    ///
    /// The methods of the other services are requests without an object; the client knows where the server has it:
    ///
    /// ```no_run
    /// use vi_client::vi_types::methods::FindByIp;
    ///
    /// # async fn run(client: &vi_client::Client) -> Result<(), vi_client::Error> {
    /// let search = FindByIp { ip: "192.0.2.7".to_owned(), vm_search: true, ..Default::default() };
    /// let vm = client.call(&search).await?;
    /// # let _: Option<vi_client::vi_types::ManagedObjectReference> = vm;
    /// # Ok(()) }
    /// ```
    pub fn service_instance(&self) -> references::ServiceInstance {
        service_instance().into()
    }

    /// The server's services, as read while connecting.
    pub fn service_content(&self) -> &ServiceContent {
        &self.0.content
    }

    /// The server's name, product and version.
    pub fn about(&self) -> &AboutInfo {
        &self.0.content.about
    }

    /// How many requests were sent and how many bytes received so far, by all clones of this client.
    pub fn traffic(&self) -> Traffic {
        self.0.http.traffic()
    }

    /// The methods of the calls whose answers are waited for, the oldest call first. Calls that wait for changes are not
    /// among them.
    pub fn calls_under_way(&self) -> Vec<&'static str> {
        self.0.http.pending.methods()
    }

    /// The version of the API that requests ask for; 2.5 if they ask for none.
    pub fn api_version(&self) -> ApiVersion {
        self.version().unwrap_or_else(ApiVersion::oldest)
    }

    /// Whether the connection is private: HTTPS, or within the process.
    pub fn is_secure(&self) -> bool {
        self.0.http.transport.is_secure()
    }

    /// Calls a method on the object that the request names, or on the server's only instance of a service.
    ///
    /// # Errors
    /// The server's fault, or the reason why there is no usable answer.
    pub async fn call<M: Method>(&self, request: &M) -> Result<M::Output, Error> {
        let this = self
            .target(M::name(), request.this(), M::called_on())
            .await?;
        self.typed(&this, request, Renewal::Once).await
    }

    /// Calls a method on `this` instead of the object that the request names, for instance on a property collector that
    /// the caller created.
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

    /// Calls a method whose request is valid in the current session only, so the session is not renewed for it.
    pub(crate) async fn call_in_this_session<M: Method>(
        &self,
        request: &M,
    ) -> Result<M::Output, Error> {
        let this = self
            .target(M::name(), request.this(), M::called_on())
            .await?;
        self.call_on_in_this_session(&this, request).await
    }

    /// Calls a method on an object that exists in the current session only, so the session is not renewed for it.
    pub(crate) async fn call_on_in_this_session<M: Method>(
        &self,
        this: &ManagedObjectReference,
        request: &M,
    ) -> Result<M::Output, Error> {
        self.typed(this, request, Renewal::Never).await
    }

    /// Like [`call_on_in_this_session`](Self::call_on_in_this_session), for a call that the server answers when something
    /// has happened, or after `longest`. It has a connection of its own, beside those of the parallel calls.
    pub(crate) async fn call_waiting<M: Method>(
        &self,
        this: &ManagedObjectReference,
        request: &M,
        longest: Duration,
    ) -> Result<M::Output, Error> {
        self.check_supported(request, this)?;
        let mut call = outgoing(request, this)?;
        call.waits = Some(longest);
        self.decoded::<M>(call, Renewal::Never).await
    }

    /// What the server's answers may cost.
    pub(crate) fn limits(&self) -> &Limits {
        &self.0.options.limits
    }

    /// Whether the server gives more than the first page of an answer.
    pub(crate) fn paging(&self) -> Paging {
        *self.0.paging.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_paging(&self, paging: Paging) {
        *self.0.paging.lock().unwrap_or_else(PoisonError::into_inner) = paging;
    }

    /// The background task that serves all watches.
    pub(crate) fn waiter(&self) -> &WaiterHandle {
        &self.0.waiter
    }

    /// The part of a call that is compiled for each method; the rest is in [`exchange`](Self::exchange).
    async fn typed<M: Method>(
        &self,
        this: &ManagedObjectReference,
        request: &M,
        renewal: Renewal,
    ) -> Result<M::Output, Error> {
        self.check_supported(request, this)?;
        self.decoded::<M>(outgoing(request, this)?, renewal).await
    }

    async fn decoded<M: Method>(
        &self,
        call: SoapRequest,
        renewal: Renewal,
    ) -> Result<M::Output, Error> {
        let mut output = None;
        let limits = self.0.options.limits.wire();
        let mut keep = |envelope: &[u8]| {
            output = Some(decode::<M>(envelope, limits)?);
            Ok(())
        };
        self.exchange(call, renewal, &mut keep).await?;
        Ok(output.unwrap_or_default())
    }

    /// Refuses a method or parameter that came to the API after the server's version.
    fn check_supported<M: Method>(
        &self,
        request: &M,
        this: &ManagedObjectReference,
    ) -> Result<(), Error> {
        let server = self.0.server.as_ref();
        Ok(since::check(M::registry(), M::INFO, request, this, server)?)
    }

    /// Calls a method, gives the `T`s of its answer to `take` while they arrive, and returns the rest of the answer. If the
    /// call is sent again, `take` gets [`Arrival::Again`] first.
    ///
    /// With `pauses`, the future is pending once after every piece of the answer that had some `T`s, so that the caller
    /// can work on them; without it, they are kept. `spent` is what the retrieve has cost so far, and then what it has cost
    /// with this call.
    pub(crate) async fn call_items<M: Method, T: DataObject>(
        &self,
        request: &M,
        renewal: Renewal,
        pauses: bool,
        take: &mut (dyn FnMut(Arrival<T>) + Send),
        spent: &mut Spent,
    ) -> Result<M::Output, Error> {
        let this = self
            .target(M::name(), request.this(), M::called_on())
            .await?;
        self.check_supported(request, &this)?;
        let mut answer = Items::<M, T> {
            decoder: None,
            take,
            pauses,
            output: None,
            limits: &self.0.options.limits,
            before: *spent,
            spent,
            excess: None,
        };
        self.exchange(outgoing(request, &this)?, renewal, &mut answer)
            .await?;
        match answer.excess {
            Some(excess) => Err(excess),
            None => Ok(answer.output.unwrap_or_default()),
        }
    }

    fn check_open(&self, method: &'static str) -> Result<(), Error> {
        match self.0.session.closed.load(Ordering::Acquire) {
            true => Err(Error::Closed { method }),
            false => Ok(()),
        }
    }

    /// Sends a call and decodes its answer. A call that only reads is sent again if the answer does not arrive.
    async fn exchange(
        &self,
        call: SoapRequest,
        renewal: Renewal,
        decode: &mut dyn ResponseReader,
    ) -> Result<(), Error> {
        let mut repeats = Repeats::new();
        loop {
            // On the heap, so that the futures of callers are not nested deeper than compilers go.
            let sent: BoxFuture<'_, _> = Box::pin(self.exchange_once(&call, renewal, decode));
            match sent.await {
                Err(error) if only_reads(call.method) => repeats.after(call.method, error).await?,
                result => return result,
            }
            decode.begin_again();
        }
    }

    /// Sends a call and decodes its answer; logs in again if the session has ended.
    async fn exchange_once(
        &self,
        call: &SoapRequest,
        renewal: Renewal,
        decode: &mut dyn ResponseReader,
    ) -> Result<(), Error> {
        let mut renewed = renewal == Renewal::Never;
        loop {
            self.check_open(call.method)?;
            let logins = self.0.session.logins();
            match self.send_call(call, decode).await? {
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

    /// Sends a call and decodes its answer. Tries another version if the server refuses the first one.
    async fn send_call(
        &self,
        call: &SoapRequest,
        decode: &mut dyn ResponseReader,
    ) -> Result<Result<SoapResponse, ResponseError>, Error> {
        let mut renegotiated = false;
        loop {
            let spoken = self.version();
            let http = &self.0.http;
            let answer = http.call(call, spoken.as_ref(), Some(&mut *decode)).await?;
            match decode.end(&answer.envelope) {
                Ok(()) => return Ok(Ok(answer)),
                Err(ResponseError::Fault(fault))
                    if refuses_version(&fault) && spoken.is_some() && !renegotiated =>
                {
                    renegotiated = true;
                    let listed = self.0.http.listed_version().await?;
                    tracing::debug!(?spoken, ?listed, "the server refuses the version");
                    *self.0.version_lock() =
                        listed.filter(|version| Some(version) != spoken.as_ref());
                }
                Err(error) => return Ok(Err(error)),
            }
        }
    }

    /// The object that a method is called on: the one that the request names, or the instance in the service content.
    async fn target(
        &self,
        method: &'static str,
        named: Option<&ManagedObjectReference>,
        this: This,
    ) -> Result<ManagedObjectReference, Error> {
        let member = match (named, this) {
            (Some(named), _) => return Ok(named.clone()),
            (None, This::ServiceContent(member)) => member,
            // Every request names an object or a member of the service content.
            (None, This::Explicit) => "_this",
        };
        if let Some(found) = service_member(&self.0.content, member) {
            return Ok(found);
        }
        let none = Error::NoSuchService { method, member };
        let later = self.version().is_some() && self.0.options.negotiation == Negotiation::About;
        if !later {
            return Err(none);
        }
        // The service content was read without a version, so it lacks the members that came after 2.5.
        let content = self.0.later_content.get_or_try_init(|| async {
            let request = methods::RetrieveServiceContent {
                this: service_instance(),
                ..Default::default()
            };
            self.call_on(&request.this, &request).await
        });
        service_member(content.await?, member).ok_or(none)
    }

    fn version(&self) -> Option<ApiVersion> {
        self.0.version_lock().clone()
    }
}

/// What arrives of the answer of a method that returns many objects.
pub(crate) enum Arrival<T> {
    /// An object.
    Item(T),
    /// The call is sent again: all objects of its answer come once more.
    Again,
}

/// Reads the answer of a method that returns many objects.
struct Items<'a, M: Method, T> {
    decoder: Option<ItemDecoder<M, T>>,
    take: &'a mut (dyn FnMut(Arrival<T>) + Send),
    pauses: bool,
    output: Option<M::Output>,
    limits: &'a Limits,
    /// What the retrieve has cost before this answer, and with it.
    before: Spent,
    spent: &'a mut Spent,
    /// Why the end of the answer was not taken.
    excess: Option<Error>,
}

impl<M: Method, T: DataObject> ResponseReader for Items<'_, M, T> {
    fn begin_again(&mut self) {
        *self.spent = self.before;
        (self.take)(Arrival::Again);
    }

    fn begin(&mut self) -> bool {
        self.decoder = None;
        *self.spent = self.before;
        true
    }

    fn piece(&mut self, piece: &[u8]) -> Result<bool, Error> {
        let method = M::name();
        let decoder = self
            .decoder
            .get_or_insert_with(|| ItemDecoder::new(self.limits.wire()));
        decoder.push(piece);
        self.spent.text += piece.len();
        let mut found = false;
        while let Some(item) = decoder
            .next()
            .map_err(|error| Error::Decode { method, error })?
        {
            (self.take)(Arrival::Item(item));
            found = true;
            self.spent.objects += 1;
            if !self.pauses {
                self.spent.memory = self.before.memory + decoder.taken();
            }
            self.spent.check(self.limits, method)?;
        }
        let limit = self.limits.largest_answer;
        if decoder.waiting() > limit {
            let announced = None;
            return Err(TransportError::TooLarge { limit, announced }.into());
        }
        self.spent.check(self.limits, method)?;
        Ok(found && self.pauses)
    }

    fn end(&mut self, whole: &[u8]) -> Result<(), ResponseError> {
        match self.piece(whole) {
            Ok(_) => {}
            Err(Error::Decode { error, .. }) => return Err(error.into()),
            Err(excess) => {
                self.excess = Some(excess);
                return Ok(());
            }
        }
        let Some(decoder) = self.decoder.take() else {
            return Ok(());
        };
        self.output = Some(known::<M>(decoder.finish()?));
        Ok(())
    }
}

/// Whether a call logs in again and is sent once more if the session has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Renewal {
    Once,
    Never,
}

impl Inner {
    fn version_lock(&self) -> std::sync::MutexGuard<'_, Option<ApiVersion>> {
        self.version.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Encodes a request, unless it would say something else than was meant.
fn outgoing<M: Method>(request: &M, this: &ManagedObjectReference) -> Result<SoapRequest, Error> {
    if let Some(parameter) = wire::unsendable(request) {
        return Err(Error::Unsendable {
            method: M::name(),
            parameter,
        });
    }
    Ok(SoapRequest {
        method: M::name(),
        this: this.clone(),
        envelope: Bytes::from(wire::encode_request(request, this)),
        waits: None,
    })
}

fn decode<M: Method>(envelope: &[u8], limits: wire::Limits) -> Result<M::Output, ResponseError> {
    wire::decode_response::<M>(envelope, limits).map(known::<M>)
}

/// The returned value. Logs elements that the bindings lack, and warns of what no text may hold.
fn known<M: Method>(decoded: Decoded<M::Output>) -> M::Output {
    if !decoded.unknown.is_empty() {
        tracing::debug!(method = M::name(), unknown = ?decoded.unknown, "not in the bindings");
    }
    let mended = &decoded.mended;
    if mended.count > 0 {
        tracing::warn!(
            method = M::name(),
            places = mended.count,
            first = mended.first,
            "the server's answer has characters that XML forbids, which are read as U+FFFD"
        );
    }
    decoded.returnval
}

fn failed(method: &'static str, error: ResponseError) -> Error {
    match error {
        ResponseError::Fault(fault) => Error::Fault { method, fault },
        ResponseError::Decode(error) => Error::Decode { method, error },
    }
}

/// Servers that refuse the version answer `Unsupported version URI "urn:vim25/…" while parsing SOAP body` and run
/// nothing.
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
