//! From a request to its answer: routing by path, the effects of rules, and turns until a method returns.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, ALLOW, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, HeaderValue, RANGE,
};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use tokio::sync::watch;
use vi_types::ManagedObjectReference;

use super::Settings;
use crate::call::{self, SoapCall, Turn, Waiting};
use crate::changes::{Changes, Churn};
use crate::folder;
use crate::hosts::Hosts;
use crate::objects::property_collector::Collectors;
use crate::payload::{Answer, Dropped, Payload};
use crate::recording::Recorded;
use crate::rule::{Effect, Rule};
use crate::screen;
use crate::session::{self, Sessions};
use crate::task::Tasks;
use crate::transfers::Transfers;
use crate::upload::{NotCollected, Upload};
use crate::version::versions_document;
use crate::world::World;

/// The largest request in bytes, other than a file. No client of the VI API sends a larger one.
const MAX_REQUEST: usize = 64 << 20;

/// The largest file whose bytes are recorded with the request that brings it.
const RECORDED_UPLOAD: u64 = 1 << 20;

/// The most bytes of a refused file that are read and thrown away, so that its client reads why.
const DRAINED: u64 = 64 << 20;

/// The part that all handles of a simulator share.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) state: Mutex<State>,
    /// The world's version; waiting calls wait for its change.
    pub(super) changes: watch::Sender<u64>,
    /// How often all connections broke; they end when it changes.
    pub(super) restarts: watch::Sender<u64>,
    /// What happens in the background from the first request on; `None` after it.
    pub(super) to_come: Mutex<Option<(Option<Changes>, Option<Churn>)>>,
}

/// State that changes while the simulator runs.
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) sessions: Sessions,
    pub(crate) collectors: Collectors,
    pub(crate) tasks: Tasks,
    pub(crate) transfers: Transfers,
    /// The hosts of a vCenter that listen.
    pub(crate) hosts: Hosts,
    /// Number of tickets for screens so far.
    pub(crate) tickets: u64,
    /// Properties that nobody may read: type and path.
    pub(crate) unreadable: Vec<(String, String)>,
    pub(super) rules: Vec<Rule>,
    pub(super) recorded: Vec<Recorded>,
    /// Calls that wait for something to change.
    pub(super) waits: usize,
    pub(super) most_waits: usize,
}

impl State {
    /// Advances all tasks by one step, because a client looks: clients ask again and again until what they wait for is done.
    pub(crate) fn time_passes(&mut self) {
        self.tasks.step_by_itself(&mut self.world);
    }
}

/// Removes everything that belongs to a session.
pub(crate) fn end_session(state: &mut State, session: &str) {
    state.world.end_session(session);
    state.collectors.end_session(session);
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, and wakes waiting calls if the world has changed.
    pub(super) fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let mut state = self.lock();
        let result = change(&mut state);
        let version = state.world.version();
        drop(state);
        self.changes.send_if_modified(|known| {
            let newer = *known != version;
            *known = version;
            newer
        });
        result
    }

    /// The answer to a request, unless the server restarts before it is complete.
    ///
    /// It is sent to the server's own address, or to that of a host of a vCenter.
    pub(super) async fn answer(
        self: &Arc<Self>,
        host: Option<&ManagedObjectReference>,
        request: Request<Upload>,
    ) -> Result<Answer, Dropped> {
        let mut restarts = self.restarts.subscribe();
        tokio::select! {
            biased;
            _ = restarts.changed() => Err(Dropped),
            answer = self.route(host, request) => answer,
        }
    }

    async fn route(
        self: &Arc<Self>,
        host: Option<&ManagedObjectReference>,
        request: Request<Upload>,
    ) -> Result<Answer, Dropped> {
        let path = request.uri().path().trim_end_matches('/');
        let is_file = path == "/folder" || path.starts_with("/folder/");
        if is_file && request.method() == Method::PUT {
            return self.upload(host, request).await;
        }
        let (head, body) = request.into_parts();
        let body = match body.collect(MAX_REQUEST).await {
            Ok(body) => body,
            Err(NotCollected::Torn) => return Err(Dropped),
            Err(NotCollected::TooLarge) => {
                let text = "the request is too large".to_owned();
                return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", text));
            }
        };
        let request = Request::from_parts(head, body);
        match (request.uri().path().trim_end_matches('/'), request.method()) {
            _ if is_file => return self.file(host, request).await,
            _ if host.is_some() => {
                self.record(&request, None);
                let text = "this host of a simulated vCenter has only /folder".to_owned();
                return Ok(plain(StatusCode::NOT_FOUND, "text/plain", text));
            }
            ("/sdk", &Method::POST) => return self.soap(request).await,
            ("/screen", _) => return self.screen(request).await,
            _ => self.record(&request, None),
        }
        Ok(
            match (request.uri().path().trim_end_matches('/'), request.method()) {
                ("/sdk/vimServiceVersions.xml", &Method::GET) => {
                    match versions_document(self.settings.release) {
                        Some(document) => plain(StatusCode::OK, "text/xml", document),
                        None => plain(StatusCode::NOT_FOUND, "text/plain", "not found".to_owned()),
                    }
                }
                (path @ ("/sdk" | "/sdk/vimServiceVersions.xml"), _) => {
                    let allowed = if path == "/sdk" { "POST" } else { "GET" };
                    let text = "method not allowed".to_owned();
                    let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED, "text/plain", text);
                    let allowed = HeaderValue::from_static(allowed);
                    answer.headers_mut().insert(ALLOW, allowed);
                    answer
                }
                _ => plain(StatusCode::NOT_FOUND, "text/plain", "not found".to_owned()),
            },
        )
    }

    async fn soap(&self, request: Request<Bytes>) -> Result<Answer, Dropped> {
        let soap = match call::read(request.headers(), request.body()) {
            Ok(soap) => soap,
            Err(fault) => {
                self.record(&request, None);
                return Ok(call::fault_answer(&fault));
            }
        };
        self.record(&request, Some(&soap));
        let call = &soap.call;
        let effects = self.effects(&call.name, Some(&call.this), None, soap.cookie.as_deref());
        let run = async { Ok(self.run(&soap).await) };
        self.spoiled(&effects, run).await
    }

    async fn file(
        &self,
        host: Option<&ManagedObjectReference>,
        request: Request<Bytes>,
    ) -> Result<Answer, Dropped> {
        self.record(&request, None);
        let effects = self.effects_on_file(request.method(), request.uri(), request.headers());
        let (mut head, _) = request.into_parts();
        let ignores_range = is_there(&effects, |effect| matches!(effect, Effect::IgnoreRange));
        if ignores_range {
            head.headers.remove(RANGE);
        }
        let answer = async {
            let mut answer =
                self.change(|state| folder::answer(state, &self.settings, host, &head));
            if ignores_range {
                answer.headers_mut().remove(ACCEPT_RANGES);
            }
            Ok(answer)
        };
        self.spoiled(&effects, answer).await
    }

    /// Writes a file while it arrives.
    async fn upload(
        self: &Arc<Self>,
        host: Option<&ManagedObjectReference>,
        request: Request<Upload>,
    ) -> Result<Answer, Dropped> {
        let (head, mut body) = request.into_parts();
        let announced = head.headers.get(CONTENT_LENGTH);
        let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let is_small = announced.is_some_and(|length| length <= RECORDED_UPLOAD);
        if is_small && !head.headers.contains_key(EXPECT) {
            body = body.gather().await;
        }
        let read = body.read().clone();
        let recorded = match read.len() as u64 <= RECORDED_UPLOAD {
            true => read,
            false => Bytes::new(),
        };
        let recorded = Request::from_parts(head.clone(), recorded);
        self.record(&recorded, None);
        let effects = self.effects_on_file(&head.method, &head.uri, &head.headers);
        let torn_after = effects.iter().find_map(|effect| match effect {
            Effect::Tear(bytes) => Some(*bytes),
            _ => None,
        });
        if let Some(bytes) = torn_after {
            body = body.torn_after(bytes);
        }
        let answer = self.receive(host, &head, body);
        let answer = self.spoiled(&effects, answer).await?;
        // virsh 9.0.0 crashes when a refusal has a text.
        Ok(match answer.status().is_success() {
            true => answer,
            false => answer.map(|_| Payload::default()),
        })
    }

    async fn receive(
        self: &Arc<Self>,
        host: Option<&ManagedObjectReference>,
        head: &Parts,
        mut body: Upload,
    ) -> Result<Answer, Dropped> {
        let begun = self.change(|state| folder::begin_upload(state, &self.settings, host, head));
        let (upload, admitted) = match begun {
            Ok(begun) => begun,
            Err(refusal) => {
                // A client that asks first sends nothing.
                if !head.headers.contains_key(EXPECT) {
                    body.drain(DRAINED).await;
                }
                return Ok(*refusal);
            }
        };
        let mut receiving = Receiving {
            shared: Arc::clone(self),
            upload: Some(upload),
        };
        while let Some(next) = body.next().await {
            let (Ok(bytes), Some(upload)) = (next, &mut receiving.upload) else {
                return Err(Dropped);
            };
            if let Some(pace) = &mut upload.pace {
                pace.take(bytes.len() as u64).await;
            }
            if let Err(status) = upload.write(&bytes) {
                drop(receiving);
                body.drain(DRAINED).await;
                return Ok(admitted.tell(folder::text(status, "")));
            }
        }
        let finished = receiving.finish();
        let status = finished.unwrap_or_else(|status| status);
        Ok(admitted.tell(folder::text(status, "")))
    }

    async fn screen(&self, request: Request<Bytes>) -> Result<Answer, Dropped> {
        self.record(&request, None);
        let cookie = session::cookie_of(request.headers());
        let effects = self.effects(request.method().as_str(), None, None, cookie.as_deref());
        let (head, _) = request.into_parts();
        let answer =
            async { Ok(self.change(|state| screen::answer(state, &self.settings, &head))) };
        self.spoiled(&effects, answer).await
    }

    /// Applies the effects of rules to an answer.
    async fn spoiled(
        &self,
        effects: &[Effect],
        answer: impl Future<Output = Result<Answer, Dropped>>,
    ) -> Result<Answer, Dropped> {
        let has = |wanted: fn(&Effect) -> bool| is_there(effects, wanted);
        for effect in effects {
            if let Effect::Delay(time) = effect {
                tokio::time::sleep(*time).await;
            }
        }
        if has(|effect| matches!(effect, Effect::Silence)) {
            std::future::pending::<()>().await;
        }
        if has(|effect| matches!(effect, Effect::DropBefore)) {
            return Err(Dropped);
        }
        if let Some(answer) = effects.iter().find_map(Effect::instead) {
            return Ok(answer);
        }
        let answer = answer.await?;
        if has(|effect| matches!(effect, Effect::DropAfter)) {
            return Err(Dropped);
        }
        Ok(effects
            .iter()
            .fold(answer, |answer, effect| effect.spoil(answer)))
    }

    /// The effects of rules on a request for a file.
    fn effects_on_file(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Vec<Effect> {
        let cookie = session::cookie_of(headers);
        let path = folder::path_in(uri);
        self.effects(method.as_str(), None, path.as_deref(), cookie.as_deref())
    }

    /// The effects of rules on a call, or on another request.
    fn effects(
        &self,
        method: &str,
        this: Option<&ManagedObjectReference>,
        file: Option<&str>,
        cookie: Option<&str>,
    ) -> Vec<Effect> {
        self.change(|state| {
            let name = this.and_then(|this| state.world.name(this)).or(file);
            let rules = state.rules.iter_mut();
            let effects: Vec<_> = rules
                .filter_map(|rule| rule.apply(method, this, name))
                .collect();
            let expires = |effect: &Effect| matches!(effect, Effect::ExpireSession);
            if let Some(cookie) = cookie
                && effects.iter().any(expires)
                && let Some(session) = state.sessions.end(cookie)
            {
                end_session(state, &session);
            }
            effects
        })
    }

    /// Gives the call one turn after another until its method returns.
    async fn run(&self, soap: &SoapCall) -> Answer {
        let mut waiting = Waiting::default();
        let mut changes = self.changes.subscribe();
        let mut counted = None;
        loop {
            changes.mark_unchanged();
            let turn = self.change(|state| call::turn(soap, state, &self.settings, &mut waiting));
            if let Turn::Done(answer) = turn {
                return answer;
            }
            counted.get_or_insert_with(|| Waits::one_more(self));
            let timeout = self.lock().tasks.next_timeout();
            match waiting.deadline.into_iter().chain(timeout).min() {
                None => {
                    let _ = changes.changed().await;
                }
                Some(deadline) => {
                    let _ = tokio::time::timeout_at(deadline, changes.changed()).await;
                }
            }
        }
    }

    fn record(&self, request: &Request<Bytes>, soap: Option<&SoapCall>) {
        if !self.settings.recording {
            return;
        }
        let recorded = Recorded {
            method: soap.map(|soap| soap.call.name.clone()),
            this: soap.map(|soap| soap.call.this.clone()),
            verb: request.method().clone(),
            path: request.uri().to_string(),
            headers: request.headers().clone(),
            body: request.body().clone(),
        };
        self.lock().recorded.push(recorded);
    }
}

/// A file while it arrives. When this is dropped before its end, the part that has arrived is the file.
struct Receiving {
    shared: Arc<Shared>,
    upload: Option<folder::Upload>,
}

impl Receiving {
    /// Puts the file in its place.
    fn finish(mut self) -> Result<StatusCode, StatusCode> {
        match self.upload.take() {
            Some(upload) => self.shared.change(|state| upload.finish(&mut state.world)),
            None => Err(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

impl Drop for Receiving {
    fn drop(&mut self) {
        if let Some(upload) = self.upload.take() {
            // Nobody is there to be told.
            let _ = self.shared.change(|state| upload.finish(&mut state.world));
        }
    }
}

fn is_there(effects: &[Effect], wanted: fn(&Effect) -> bool) -> bool {
    effects.iter().any(wanted)
}

/// Counts a waiting call until its answer is taken or its client is gone.
struct Waits<'a>(&'a Shared);

impl<'a> Waits<'a> {
    fn one_more(shared: &'a Shared) -> Self {
        let mut state = shared.lock();
        state.waits += 1;
        state.most_waits = state.most_waits.max(state.waits);
        drop(state);
        Self(shared)
    }
}

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.lock().waits -= 1;
    }
}

fn plain(status: StatusCode, kind: &'static str, text: String) -> Answer {
    let mut answer = Response::new(Payload::from(text));
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static(kind);
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}
