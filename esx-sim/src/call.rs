//! From a request's bytes to the function that runs the method, and from its result to the answer's bytes.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, SET_COOKIE};
use http::{HeaderMap, Response, StatusCode};
use tokio::time::Instant;
use vi_types::objects::{HostConfigManager, TaskInProgress};
use vi_types::wire::{self, Limits, Writer};
use vi_types::{
    Any, ManagedObjectReference, Method, MethodInfo, Object, ObjectInfo, SoapFault, properties,
};

use crate::fault;
use crate::objects;
use crate::payload::{Answer, Payload};
use crate::session;
use crate::simulator::{Licence, Settings, State};
use crate::task::Wait;
use crate::version::{self, ApiVersion};
use crate::world::World;
use crate::world::inventory::{hosts, managers};

/// A call of a method, with everything that its function needs.
pub(crate) struct Call<'a> {
    /// The object it is called on.
    pub(crate) this: &'a ManagedObjectReference,
    /// The state of the simulator.
    pub(crate) state: &'a mut State,
    /// Settings that stay the same while the simulator runs.
    pub(crate) settings: &'a Settings,
    /// The caller's cookie, even if its session is over.
    pub(crate) cookie: Option<&'a str>,
    /// The cookie that the answer sets.
    pub(crate) new_cookie: Option<String>,
    /// The caller's version of the API.
    pub(crate) view: ApiVersion,
    /// What the caller's program calls itself.
    pub(crate) user_agent: &'a str,
    /// State of a waiting method between its turns.
    pub(crate) waiting: &'a mut Waiting,
}

impl Call<'_> {
    /// A writer for answers in the caller's version of the API.
    fn writer(&self) -> Writer {
        let view = self.view;
        match view < self.settings.version() {
            true => Writer::for_reader(move |since| ApiVersion::since(since) <= view),
            false => Writer::new(),
        }
    }

    /// Does something whose events are the caller's.
    fn acting_for_its_user<R>(&mut self, run: impl FnOnce(&mut Self) -> R) -> R {
        let session = self
            .cookie
            .and_then(|cookie| self.state.sessions.with_cookie(cookie));
        let user = session.map_or(&self.settings.user, |session| &session.user_name);
        self.state.world.events.act_for(Some(user.clone()), None);
        let result = run(self);
        self.state.world.events.act_for(None, None);
        result
    }

    /// The key of the caller's session.
    pub(crate) fn session(&self) -> Option<&str> {
        let session = self.state.sessions.with_cookie(self.cookie?)?;
        Some(&session.key)
    }

    /// The host one of whose managers is called, such as its network system.
    pub(crate) fn host_of_manager(
        &self,
        manager: impl Fn(&HostConfigManager) -> Option<&ManagedObjectReference>,
    ) -> Result<ManagedObjectReference, SoapFault> {
        let world = &self.state.world;
        let is_it = |host: &ManagedObjectReference| {
            let host = world.read::<properties::HostSystem>(host);
            let managers = host.and_then(|host| host.config_manager.as_deref());
            managers.and_then(&manager) == Some(self.this)
        };
        let found = hosts(world).into_iter().find(is_it);
        found.ok_or_else(|| fault::managed_object_not_found(self.this))
    }

    /// The key of the caller's session, for methods that are called within one.
    pub(crate) fn own_session(&self) -> Result<String, SoapFault> {
        let key = self.session().map(str::to_owned);
        key.ok_or_else(|| fault::not_authenticated(self.this))
    }
}

impl Call<'_> {
    /// Begins a task of the method `M`, of the object that is called.
    ///
    /// `description` is its `descriptionId`, such as `VirtualMachine.powerOn`; `work` is done at its end.
    pub(crate) fn begin<M: Method>(
        &mut self,
        description: &str,
        work: impl FnOnce(&mut World) -> Result<Option<Any>, SoapFault> + Send + 'static,
    ) -> Result<ManagedObjectReference, SoapFault> {
        self.begin_of::<M>(self.this, description, work)
    }

    /// The same, where the task is another object's.
    pub(crate) fn begin_of<M: Method>(
        &mut self,
        of: &ManagedObjectReference,
        description: &str,
        work: impl FnOnce(&mut World) -> Result<Option<Any>, SoapFault> + Send + 'static,
    ) -> Result<ManagedObjectReference, SoapFault> {
        let State { world, tasks, .. } = &mut *self.state;
        tasks.begin(world, of, M::name(), description, None, Box::new(work))
    }

    /// The same for a task of the object that is called, which waits for something before its work.
    pub(crate) fn begin_waiting<M: Method>(
        &mut self,
        description: &str,
        wait: Wait,
        work: impl FnOnce(&mut World) -> Result<Option<Any>, SoapFault> + Send + 'static,
    ) -> Result<ManagedObjectReference, SoapFault> {
        let State { world, tasks, .. } = &mut *self.state;
        let (of, method) = (self.this, M::name());
        tasks.begin(world, of, method, description, Some(wait), Box::new(work))
    }
}

/// State of a waiting method between its turns.
#[derive(Default)]
pub(crate) struct Waiting {
    /// When it gives up waiting; set in its first turn.
    pub(crate) deadline: Option<Instant>,
    /// How often its collector's waits had been cancelled when it began.
    pub(crate) cancels: Option<u64>,
}

impl Waiting {
    /// Whether it has waited for `after`, counted from its first turn.
    pub(crate) fn is_over(&mut self, after: Option<Duration>) -> bool {
        let Some(after) = after else { return false };
        let now = Instant::now();
        now >= *self.deadline.get_or_insert(now + after)
    }
}

/// The result of one turn of a method.
pub(crate) enum Turn<T> {
    /// The method returned.
    Done(T),
    /// The method needs another turn after the next change, or at its deadline.
    Wait,
}

/// A method that the simulator has.
pub(crate) struct Row {
    info: MethodInfo,
    anonymous: bool,
    waits: bool,
    run: Run,
}

/// The function of a method that may wait.
type Waits<M> = fn(&mut Call<'_>, &M) -> Result<Turn<<M as Method>::Output>, SoapFault>;

type Run = Box<dyn Fn(&mut Call<'_>, &dyn Object) -> Result<Turn<String>, SoapFault> + Send + Sync>;

impl Row {
    /// The method `M`, of the managed object that its description names and of that one's descendants.
    pub(crate) fn new<M: Method>(
        run: fn(&mut Call<'_>, &M) -> Result<M::Output, SoapFault>,
    ) -> Self {
        Self::make::<M>(move |call, request| run(call, request).map(Turn::Done))
    }

    /// The same for a method that may wait.
    pub(crate) fn waiting<M: Method>(run: Waits<M>) -> Self {
        Self {
            waits: true,
            ..Self::make::<M>(run)
        }
    }

    /// The method's name on the wire.
    pub(crate) fn name(&self) -> &'static str {
        self.info.name
    }

    /// Lets it be called without a session.
    pub(crate) fn anonymous(self) -> Self {
        Self {
            anonymous: true,
            ..self
        }
    }

    fn make<M: Method>(
        run: impl Fn(&mut Call<'_>, &M) -> Result<Turn<M::Output>, SoapFault> + Send + Sync + 'static,
    ) -> Self {
        Self {
            info: M::INFO,
            anonymous: false,
            waits: false,
            run: Box::new(move |call, request| {
                let request = request.downcast_ref::<M>().ok_or_else(|| {
                    fault::invalid_request(format_args!("not a request of {}", M::name()))
                })?;
                Ok(match run(call, request)? {
                    Turn::Done(result) => {
                        let writer = call.writer();
                        Turn::Done(wire::encode_response_with::<M>(writer, &result))
                    }
                    Turn::Wait => Turn::Wait,
                })
            }),
        }
    }

    /// Whether objects of that type have it. A method whose description names no managed object is every object's.
    fn is_of(&self, object: &ObjectInfo) -> bool {
        self.info.managed_object.is_empty() || object.is_a(self.info.managed_object)
    }

    /// Whether it changes nothing but what belongs to a session: views, collectors and filters.
    fn reads(&self) -> bool {
        let object = self.info.managed_object;
        OF_SESSIONS.contains(&object)
            || READING
                .iter()
                .any(|beginning| self.info.name.starts_with(beginning))
    }

    /// Whether it tells its caller how things are, and at once. Time passes before it does. The methods that wait, and those
    /// that choose objects first, let time pass themselves.
    fn looks(&self) -> bool {
        let names = READING.iter().chain(&LOOKING);
        let looks = names
            .into_iter()
            .any(|beginning| self.info.name.starts_with(beginning));
        looks && !self.waits && !self.info.name.starts_with("RetrieveProperties")
    }

    fn is_since(&self, version: ApiVersion) -> bool {
        ApiVersion::since(self.info.since) <= version
    }
}

/// Managed objects whose methods read, or change only what belongs to a session.
const OF_SESSIONS: &[&str] = &[
    "ContainerView",
    "EventHistoryCollector",
    "HistoryCollector",
    "HostDatastoreBrowser",
    "InventoryView",
    "ListView",
    "ManagedObjectView",
    "PropertyCollector",
    "PropertyFilter",
    "SearchIndex",
    "SessionManager",
    "View",
    "ViewManager",
];

/// Beginnings of the names of methods that read.
const READING: &[&str] = &[
    "Browse",
    "CreateCollector",
    "Current",
    "Fetch",
    "Query",
    "Read",
    "Refresh",
    "Reload",
    "Retrieve",
    "Validate",
];

/// Beginnings of the names of others that tell something.
const LOOKING: [&str; 4] = ["CheckForUpdates", "Continue", "Find", "SessionIsActive"];

/// All methods there are, by name.
static ROWS: LazyLock<HashMap<&'static str, Vec<Row>>> = LazyLock::new(|| {
    let mut rows: HashMap<_, Vec<_>> = HashMap::new();
    for row in objects::rows() {
        rows.entry(row.info.name).or_default().push(row);
    }
    rows
});

/// A decoded request with its cookie and version.
pub(crate) struct SoapCall {
    pub(crate) call: wire::Request,
    pub(crate) cookie: Option<String>,
    /// The caller's version of the API.
    view: ApiVersion,
    /// What the caller's program calls itself.
    user_agent: String,
}

/// Decodes a request.
pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Result<SoapCall, SoapFault> {
    let request =
        wire::decode_request(body, vi_types::interface(), Limits::default()).map_err(|error| {
            fault::invalid_request(format_args!("cannot read the request: {error}"))
        })?;
    Ok(SoapCall {
        call: request,
        cookie: session::cookie_of(headers),
        view: version::view_of(headers),
        user_agent: session::user_agent_of(headers).to_owned(),
    })
}

/// Gives a call one turn.
pub(crate) fn turn(
    request: &SoapCall,
    state: &mut State,
    settings: &Settings,
    waiting: &mut Waiting,
) -> Turn<Answer> {
    let mut call = Call {
        this: &request.call.this,
        state,
        settings,
        cookie: request.cookie.as_deref(),
        view: request.view,
        user_agent: &request.user_agent,
        new_cookie: None,
        waiting,
    };
    match run(&mut call, &request.call) {
        Err(fault) => Turn::Done(fault_answer(&fault)),
        Ok(Turn::Wait) => Turn::Wait,
        Ok(Turn::Done(body)) => {
            let cookie = call
                .new_cookie
                .and_then(|cookie| session::set_cookie(&cookie, false));
            let mut answer = soap(StatusCode::OK, body);
            if let Some(cookie) = cookie {
                answer.headers_mut().insert(SET_COOKIE, cookie);
            }
            Turn::Done(answer)
        }
    }
}

/// Runs a method that does not wait, as another client calls it: one with all rights and the newest API.
pub(crate) fn by_another_client<M: Method>(
    this: &ManagedObjectReference,
    request: &M,
    state: &mut State,
    settings: &Settings,
) -> Result<M::Output, SoapFault> {
    let row = row(&this.r#type, M::name());
    let row = row.ok_or_else(|| fault::method_not_found(this, M::name()))?;
    if !row.is_since(settings.version()) {
        return Err(fault::method_not_found(this, M::name()));
    }
    let mut waiting = Waiting::default();
    let mut call = Call {
        this,
        state,
        settings,
        cookie: None,
        view: settings.version(),
        user_agent: "",
        new_cookie: None,
        waiting: &mut waiting,
    };
    let result = call.acting_for_its_user(|call| (row.run)(call, request));
    match result? {
        Turn::Wait => Ok(M::Output::default()),
        Turn::Done(body) => {
            let decoded = wire::decode_response::<M>(body.as_bytes(), Limits::default());
            let decoded = decoded
                .map_err(|error| fault::invalid_request(format_args!("not an answer: {error}")))?;
            Ok(decoded.returnval)
        }
    }
}

fn run(call: &mut Call<'_>, request: &wire::Request) -> Result<Turn<String>, SoapFault> {
    let this = &request.this;
    let row = row(&this.r#type, &request.name);
    if let Some(cookie) = call.cookie {
        call.state.sessions.touch(cookie);
    }
    if call.session().is_none() && !row.is_some_and(|row| row.anonymous) {
        return Err(fault::not_authenticated(this));
    }
    if !call.state.world.is_visible(this, call.session()) {
        return Err(fault::managed_object_not_found(this));
    }
    match (row, &request.method) {
        (Some(row), Some(_)) if !row.is_since(call.settings.version()) => {
            Err(fault::method_not_found(this, &request.name))
        }
        (Some(row), Some(_)) if !row.reads() && call.settings.licence == Licence::Free => {
            Err(fault::restricted_version())
        }
        (Some(row), Some(method)) => {
            if row.looks() {
                call.state.time_passes();
            }
            let result = call.acting_for_its_user(|call| (row.run)(call, &**method));
            if result.as_ref().is_err_and(SoapFault::is::<TaskInProgress>) {
                // The client will try again until the other task is over.
                call.state.time_passes();
            }
            result
        }
        (None, Some(_)) if managers::answer(&this.r#type, &request.name).is_none() => {
            Err(fault::not_implemented(this, &request.name))
        }
        (None, Some(_)) | (_, None) => match managers::answer(&this.r#type, &request.name) {
            Some(content) => Ok(Turn::Done(wire::encode_raw_response(
                &request.name,
                content,
            ))),
            None if managers::is_outline(&this.r#type) => {
                Err(fault::not_implemented(this, &request.name))
            }
            None => Err(fault::method_not_found(this, &request.name)),
        },
    }
}

/// The row of a method, which the object's type may have from an ancestor.
fn row(object: &str, method: &str) -> Option<&'static Row> {
    let info = managers::info(object)?;
    let mut rows = ROWS.get(method)?.iter();
    rows.find(|row| row.is_of(info))
}

/// A fault as an answer.
pub(crate) fn fault_answer(fault: &SoapFault) -> Answer {
    soap(StatusCode::INTERNAL_SERVER_ERROR, wire::encode_fault(fault))
}

fn soap(status: StatusCode, body: String) -> Answer {
    let mut answer = Response::new(Payload::from(Bytes::from(body)));
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static("text/xml; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}
