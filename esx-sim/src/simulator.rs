//! The simulator: what is asked for when one is made, and the handle to it.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::net::ToSocketAddrs;
use tokio::sync::watch;
use vi_types::enums::VirtualMachinePowerState;
use vi_types::{ManagedObject, ManagedObjectReference};

use crate::call::{self, Turn, Waiting};
use crate::files::{Descriptor, Spot};
use crate::folder;
use crate::machine::{place, power};
use crate::objects::property_collector::Collectors;
use crate::payload::{Answer, Dropped, Payload, whole};
use crate::recording::Recorded;
use crate::rule::{Effect, Rule};
use crate::server::{Server, Tls, UriParts};
use crate::session::{self, Sessions};
use crate::task::{Question, Script, Tasks};
use crate::version::{ApiVersion, Release, versions_document};
use crate::world::World;
use crate::world::inventory::{self, Kind};

/// A simulated server. A cheap handle: clones are the same server.
///
/// It is there for as long as a handle, a handler or a [`Server`] is.
#[derive(Clone)]
pub struct Simulator {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Settings,
    state: Mutex<State>,
    /// The world's version; whoever waits for a change waits for this.
    changes: watch::Sender<u64>,
}

/// What was decided when the simulator was made.
pub(crate) struct Settings {
    pub(crate) kind: Kind,
    pub(crate) release: &'static Release,
    pub(crate) user: String,
    pub(crate) password: String,
    /// The most objects a retrieve gives at once, whatever the client asks for.
    pub(crate) page: Option<usize>,
    recording: bool,
    uri: UriParts,
}

impl Settings {
    pub(crate) fn version(&self) -> ApiVersion {
        self.release.version()
    }
}

/// What changes while the simulator runs.
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) sessions: Sessions,
    pub(crate) collectors: Collectors,
    pub(crate) tasks: Tasks,
    /// Properties nobody has the permission to read: type and path.
    pub(crate) unreadable: Vec<(String, String)>,
    rules: Vec<Rule>,
    recorded: Vec<Recorded>,
    /// Calls that wait for something to change.
    waits: usize,
    most_waits: usize,
}

/// What a simulator has to do at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// Tasks that are not over.
    pub tasks: usize,
    /// The most there were at any time.
    pub most_tasks: usize,
    /// All tasks so far.
    pub tasks_begun: usize,
    /// Calls that wait for something to change.
    pub waits: usize,
    /// The most there were at any time.
    pub most_waits: usize,
}

/// What a simulator is to be like; [`Simulator::esx`] and [`Simulator::vcenter`] begin one.
#[derive(Clone)]
pub struct Builder {
    kind: Kind,
    vms: Option<usize>,
    release: &'static Release,
    user: String,
    password: String,
    page: Option<usize>,
    recording: bool,
}

/// There is no such release of the VI API.
#[derive(Debug, thiserror::Error)]
#[error(
    "{asked:?} is not an API version that can be simulated; there are {}",
    known()
)]
pub struct UnknownRelease {
    asked: String,
}

fn known() -> String {
    let names: Vec<_> = crate::version::RELEASES
        .iter()
        .map(|release| release.asked)
        .collect();
    names.join(", ")
}

impl Builder {
    fn new(kind: Kind, user: &str) -> Self {
        Self {
            kind,
            vms: None,
            release: Release::newest(),
            user: user.to_owned(),
            password: "password".to_owned(),
            page: None,
            recording: true,
        }
    }

    /// That many virtual machines instead of a handful. Their content depends on their number only.
    #[must_use]
    pub fn vms(self, count: usize) -> Self {
        Self {
            vms: Some(count),
            ..self
        }
    }

    /// The release to be: `2.5`, `4.0`, `4.1`, `5.0`, `5.1`, `5.5`, `6.0`, `6.5`, `6.7`, `7.0` or `8.0`.
    ///
    /// An older server has fewer methods and properties, and tells other versions of itself.
    pub fn api_version(self, version: &str) -> Result<Self, UnknownRelease> {
        let release = Release::find(version).ok_or_else(|| UnknownRelease {
            asked: version.to_owned(),
        })?;
        Ok(Self { release, ..self })
    }

    /// Who can log in; `root` (ESX) or `administrator@vsphere.local` (vCenter) with `password` otherwise.
    #[must_use]
    pub fn credentials(self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.user(user).password(password)
    }

    /// The name of the one who can log in.
    #[must_use]
    pub fn user(self, user: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            ..self
        }
    }

    /// The password of the one who can log in.
    #[must_use]
    pub fn password(self, password: impl Into<String>) -> Self {
        Self {
            password: password.into(),
            ..self
        }
    }

    /// The most objects an answer of `RetrievePropertiesEx` has, also when the client asks for more.
    #[must_use]
    pub fn page_size(self, objects: usize) -> Self {
        Self {
            page: Some(objects),
            ..self
        }
    }

    /// Whether [`Simulator::requests`] has the requests; it does unless told otherwise.
    #[must_use]
    pub fn record(self, recording: bool) -> Self {
        Self { recording, ..self }
    }

    /// Makes the server.
    pub fn build(self) -> Simulator {
        let (world, path) = inventory::make(self.kind, self.release, self.vms);
        let settings = Settings {
            uri: UriParts {
                scheme: self.kind.scheme(),
                user: utf8_percent_encode(&self.user, USER).to_string(),
                path,
            },
            kind: self.kind,
            release: self.release,
            user: self.user,
            password: self.password,
            page: self.page,
            recording: self.recording,
        };
        let changes = watch::Sender::new(world.version());
        let state = State {
            world,
            sessions: Sessions::default(),
            collectors: Collectors::default(),
            tasks: Tasks::default(),
            unreadable: Vec::new(),
            rules: Vec::new(),
            recorded: Vec::new(),
            waits: 0,
            most_waits: 0,
        };
        Simulator {
            shared: Arc::new(Shared {
                settings,
                state: Mutex::new(state),
                changes,
            }),
        }
    }
}

impl fmt::Debug for Builder {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("kind", &self.kind)
            .field("vms", &self.vms)
            .field("api_version", &self.release.api)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// What stays as it is in the user part of a URI.
const USER: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

impl Simulator {
    /// An ESX host with a handful of virtual machines in all power states.
    pub fn esx() -> Builder {
        Builder::new(Kind::Esx, "root")
    }

    /// A vCenter with two datacenters, folders, a cluster of two hosts and stand-alone hosts.
    pub fn vcenter() -> Builder {
        Builder::new(Kind::VCenter, "administrator@vsphere.local")
    }

    /// The function that answers requests, for a client in the same process.
    ///
    /// Requests have the path in their URI (`/sdk`). The future of a method that waits does not end
    /// before something changes. Where a rule closes the connection, the answer is empty and has a
    /// [`std::io::ErrorKind`] among its extensions.
    pub fn handler(
        &self,
    ) -> impl Fn(Request<Bytes>) -> BoxFuture<'static, Response<Bytes>> + Clone + Send + Sync + 'static
    {
        let shared = Arc::clone(&self.shared);
        move |request| {
            let shared = Arc::clone(&shared);
            Box::pin(async move { whole(shared.answer(request).await) })
        }
    }

    /// Listens at an address; port 0 is any free port. The server ends when it is dropped.
    ///
    /// `tls` is `true` for a certificate made for the purpose, `false` for plain HTTP, or a [`Tls`].
    pub async fn listen(
        &self,
        address: impl ToSocketAddrs,
        tls: impl Into<Tls>,
    ) -> io::Result<Server> {
        let shared = Arc::clone(&self.shared);
        let answering = Arc::new(move |request| {
            let shared = Arc::clone(&shared);
            Box::pin(async move { shared.answer(request).await }) as BoxFuture<'static, _>
        });
        let uri = self.shared.settings.uri.clone();
        Server::start(address, tls.into(), uri, answering).await
    }

    /// The user who can log in.
    pub fn user(&self) -> &str {
        &self.shared.settings.user
    }

    /// That user's password.
    pub fn password(&self) -> &str {
        &self.shared.settings.password
    }

    /// `esx` or `vpx`: the scheme of a libvirt URI for this server.
    pub fn scheme(&self) -> &'static str {
        self.shared.settings.uri.scheme
    }

    /// The path of a libvirt URI for this server, percent-encoded and without a slash in front: empty
    /// for an ESX host, the inventory path of the first host for a vCenter.
    pub fn path(&self) -> &str {
        &self.shared.settings.uri.path
    }

    /// The requests so far, oldest first.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.lock().recorded.clone()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.shared.lock().recorded.clear();
    }

    /// Spoils answers from now on; see [`Rule`].
    pub fn inject(&self, rule: Rule) {
        self.shared.lock().rules.push(rule);
    }

    /// Ends all rules.
    pub fn clear_rules(&self) {
        self.shared.lock().rules.clear();
    }

    /// What clients made for their sessions and did not destroy: property collectors, property filters and views.
    /// All of it ends with its session.
    pub fn leftovers(&self) -> Vec<ManagedObjectReference> {
        let state = self.shared.lock();
        let mut found: Vec<_> = state.world.of_sessions().cloned().collect();
        found.sort_by(|a, b| natural(&a.value).cmp(&natural(&b.value)));
        found
    }

    /// How much there is to do, and was at most.
    pub fn load(&self) -> Load {
        let state = self.shared.lock();
        Load {
            waits: state.waits,
            most_waits: state.most_waits,
            ..state.tasks.load()
        }
    }

    /// Ends all sessions, as a server does that restarts or finds them idle for too long.
    pub fn expire_sessions(&self) {
        self.shared.change(|state| {
            for session in state.sessions.end_all() {
                end_session(state, &session);
            }
        });
    }

    /// How many sessions there are.
    pub fn sessions(&self) -> usize {
        self.shared.lock().sessions.all().count()
    }

    /// From now on nobody may read a property, or what lies below it, of objects of a type: it is missing
    /// for want of permission. For example `VirtualMachine` and `config.uuid`.
    pub fn set_unreadable(&self, ty: impl Into<String>, path: impl Into<String>) {
        self.shared.change(|state| {
            state.unreadable.push((ty.into(), path.into()));
            state.world.touch_all();
        });
    }

    /// The managed objects of exactly that type, in the order of their names.
    pub fn objects(&self, ty: &str) -> Vec<ManagedObjectReference> {
        let state = self.shared.lock();
        let mut found: Vec<_> = state.world.all(ty).cloned().collect();
        found.sort_by(|a, b| natural(&a.value).cmp(&natural(&b.value)));
        found
    }

    /// The virtual machine with that name.
    pub fn vm(&self, name: &str) -> Option<ManagedObjectReference> {
        let state = self.shared.lock();
        let mut vms = state.world.all("VirtualMachine");
        vms.find(|vm| state.world.name(vm) == Some(name)).cloned()
    }

    /// The properties of an object, as they are; `None` when there is no such object or it is no `T`.
    pub fn properties<T: ManagedObject + Clone>(
        &self,
        reference: &ManagedObjectReference,
    ) -> Option<T> {
        self.shared.lock().world.read::<T>(reference).cloned()
    }

    /// Changes the properties of an object, and tells everybody who waits for changes. `None` when there
    /// is no such object or it is no `T`.
    pub fn change<T: ManagedObject, R>(
        &self,
        reference: &ManagedObjectReference,
        change: impl FnOnce(&mut T) -> R,
    ) -> Option<R> {
        self.shared
            .change(|state| state.world.change(reference, change))
    }

    /// Gives a virtual machine another power state, wherever that shows; whether there is such a machine.
    pub fn set_power_state(
        &self,
        vm: &ManagedObjectReference,
        power: VirtualMachinePowerState,
    ) -> bool {
        self.shared
            .change(|state| power::set(&mut state.world, vm, power))
    }

    /// The content of a file on a datastore, `[datastore] directory/file`; `None` when there is no such file.
    pub fn file(&self, path: &str) -> Option<Bytes> {
        self.shared.change(|state| {
            state.world.fill_files();
            let spot = Spot::resolve(&state.world, None, path).ok()?;
            state.world.content(&spot)
        })
    }

    /// Writes a file on a datastore, with the folders it lies in; whether there is such a datastore. The file of a
    /// virtual machine's configuration changes the machine.
    pub fn write_file(&self, path: &str, content: impl Into<Bytes>) -> bool {
        self.shared.change(|state| {
            state.world.fill_files();
            let spot = Spot::resolve(&state.world, None, path);
            let spot = spot.map(|spot| state.world.write(&spot, content.into()));
            spot.is_ok()
        })
    }

    /// Makes a virtual disk on a datastore, with the folders it lies in; whether there is such a datastore.
    ///
    /// `adapter` is what the disk is made for: `lsilogic`, `buslogic`, `lsisas1068`, `pvscsi` or `ide`.
    pub fn make_disk(&self, path: &str, capacity_kb: u64, adapter: &str) -> bool {
        let adapter = adapter.to_owned();
        let descriptor = Descriptor {
            adapter,
            capacity_kb,
        };
        self.shared.change(|state| {
            state.world.fill_files();
            let Ok(spot) = Spot::resolve(&state.world, None, path) else {
                return false;
            };
            for (spot, entry) in descriptor.files(&spot) {
                state.world.put(&spot, entry);
            }
            true
        })
    }

    /// Takes a file off its datastore, or a folder with everything in it; whether there was one.
    pub fn delete_file(&self, path: &str) -> bool {
        self.shared.change(|state| {
            state.world.fill_files();
            let spot = Spot::resolve(&state.world, None, path);
            spot.is_ok_and(|spot| state.world.delete(&spot))
        })
    }

    /// What tasks that begin from now on meet; see [`Script`].
    pub fn script(&self, script: Script) {
        self.shared.lock().tasks.script(script);
    }

    /// A virtual machine asks a question that no task waits for.
    pub fn ask(&self, vm: &ManagedObjectReference, question: Question) {
        self.shared
            .change(|state| state.tasks.ask(&mut state.world, vm, question));
    }

    /// From now on tasks go on only with [`step_tasks`](Self::step_tasks). Otherwise they take a step whenever a
    /// client reads a task, or waits for changes while there are none.
    pub fn stop_tasks(&self) {
        self.shared.lock().tasks.stop();
    }

    /// Lets every task that no question blocks take a step; whether there was one.
    pub fn step_tasks(&self) -> bool {
        self.shared
            .change(|state| state.tasks.step(&mut state.world))
    }

    /// Takes a virtual machine out of the inventory; whether there was one.
    pub fn remove_vm(&self, vm: &ManagedObjectReference) -> bool {
        self.shared
            .change(|state| place::leave(&mut state.world, vm))
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator")
            .field("kind", &self.shared.settings.kind)
            .field("version", &self.shared.settings.version())
            .finish_non_exhaustive()
    }
}

/// `vm-9` before `vm-10`.
fn natural(value: &str) -> (usize, &str) {
    (value.len(), value)
}

/// Takes out what belongs to a session.
pub(crate) fn end_session(state: &mut State, session: &str) {
    state.world.end_session(session);
    state.collectors.end_session(session);
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to the state and wakes those who wait, if the world is not what it was.
    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
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

    async fn answer(&self, request: Request<Bytes>) -> Result<Answer, Dropped> {
        match (request.uri().path().trim_end_matches('/'), request.method()) {
            ("/sdk", &Method::POST) => return self.soap(request).await,
            (path, _) if path == "/folder" || path.starts_with("/folder/") => {
                return self.file(request).await;
            }
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
        let asked = match call::read(request.headers(), request.body()) {
            Ok(asked) => asked,
            Err(fault) => {
                self.record(&request, None);
                return Ok(call::fault_answer(&fault));
            }
        };
        self.record(&request, Some(&asked));
        let call = &asked.request;
        let effects = self.effects(&call.name, Some(&call.this), asked.cookie.as_deref());
        self.spoiled(&effects, self.run(&asked)).await
    }

    async fn file(&self, request: Request<Bytes>) -> Result<Answer, Dropped> {
        self.record(&request, None);
        let cookie = session::cookie_of(request.headers());
        let effects = self.effects(request.method().as_str(), None, cookie.as_deref());
        let answer = async { self.change(|state| folder::answer(state, &self.settings, &request)) };
        self.spoiled(&effects, answer).await
    }

    /// What comes of an answer with these effects.
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

    /// What the rules say about a call, or about a request for a file.
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

    /// Gives the call one turn after another until it has an answer.
    async fn run(&self, asked: &call::Asked) -> Answer {
        let mut waiting = Waiting::default();
        let mut changes = self.changes.subscribe();
        let mut counted = None;
        loop {
            changes.mark_unchanged();
            let turn = self.change(|state| call::turn(asked, state, &self.settings, &mut waiting));
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

    fn record(&self, request: &Request<Bytes>, asked: Option<&call::Asked>) {
        if !self.settings.recording {
            return;
        }
        let recorded = Recorded {
            method: asked.map(|asked| asked.request.name.clone()),
            this: asked.map(|asked| asked.request.this.clone()),
            verb: request.method().clone(),
            path: request.uri().to_string(),
            headers: request.headers().clone(),
            body: request.body().clone(),
        };
        self.lock().recorded.push(recorded);
    }
}

/// A call that waits, counted for as long as somebody is there to hear its answer.
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
