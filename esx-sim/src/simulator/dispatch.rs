//! From a request to its answer: routing by path, the effects of rules, and turns until a method returns.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use tokio::sync::watch;
use vi_types::ManagedObjectReference;

use super::Settings;
use crate::call::{self, SoapCall, Turn, Waiting};
use crate::changes::{Changes, Churn};
use crate::folder;
use crate::objects::property_collector::Collectors;
use crate::payload::{Answer, Dropped, Payload};
use crate::recording::Recorded;
use crate::rule::{Effect, Rule};
use crate::screen;
use crate::session::{self, Sessions};
use crate::task::Tasks;
use crate::version::versions_document;
use crate::world::World;

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
    pub(super) async fn answer(&self, request: Request<Bytes>) -> Result<Answer, Dropped> {
        let mut restarts = self.restarts.subscribe();
        tokio::select! {
            biased;
            _ = restarts.changed() => Err(Dropped),
            answer = self.route(request) => answer,
        }
    }

    async fn route(&self, request: Request<Bytes>) -> Result<Answer, Dropped> {
        match (request.uri().path().trim_end_matches('/'), request.method()) {
            ("/sdk", &Method::POST) => return self.soap(request).await,
            (path, _) if path == "/folder" || path.starts_with("/folder/") => {
                return self.file(request).await;
            }
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
        let effects = self.effects(&call.name, Some(&call.this), soap.cookie.as_deref());
        self.spoiled(&effects, self.run(&soap)).await
    }

    async fn file(&self, request: Request<Bytes>) -> Result<Answer, Dropped> {
        self.record(&request, None);
        let cookie = session::cookie_of(request.headers());
        let effects = self.effects(request.method().as_str(), None, cookie.as_deref());
        let answer = async { self.change(|state| folder::answer(state, &self.settings, &request)) };
        self.spoiled(&effects, answer).await
    }

    async fn screen(&self, request: Request<Bytes>) -> Result<Answer, Dropped> {
        self.record(&request, None);
        let cookie = session::cookie_of(request.headers());
        let effects = self.effects(request.method().as_str(), None, cookie.as_deref());
        let answer = async { self.change(|state| screen::answer(state, &self.settings, &request)) };
        self.spoiled(&effects, answer).await
    }

    /// Applies the effects of rules to an answer.
    async fn spoiled(
        &self,
        effects: &[Effect],
        answer: impl Future<Output = Answer>,
    ) -> Result<Answer, Dropped> {
        let has = |wanted: fn(&Effect) -> bool| effects.iter().any(wanted);
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
        let answer = answer.await;
        if has(|effect| matches!(effect, Effect::DropAfter)) {
            return Err(Dropped);
        }
        Ok(effects
            .iter()
            .fold(answer, |answer, effect| effect.spoil(answer)))
    }

    /// The effects of rules on a call, or on a request for a file.
    fn effects(
        &self,
        method: &str,
        this: Option<&ManagedObjectReference>,
        cookie: Option<&str>,
    ) -> Vec<Effect> {
        self.change(|state| {
            let name = this.and_then(|this| state.world.name(this));
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
            match waiting.deadline {
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
