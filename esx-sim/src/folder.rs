//! `/folder/…`: access to datastore files over HTTP.
//!
//! `/folder/DIRECTORY%2FNAME?dcPath=DATACENTER&dsName=DATASTORE` is a file or a folder, which shows what is in it;
//! without the path it is the datastore, without `dsName` the datacenter, without both the server. At a host's own address
//! there is no `dcPath`.

mod index;
mod place;
mod range;
mod upload;

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, ALLOW, AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName, IF_RANGE,
    LAST_MODIFIED, RANGE, SET_COOKIE, WWW_AUTHENTICATE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use vi_types::{DateTime, ManagedObjectReference, properties};

pub(crate) use self::place::path_in;
use self::place::{NoPlace, Place};
use self::range::RangeRequest;
pub(crate) use self::upload::Upload;
use crate::files::{Content, DatastorePath, Entry};
use crate::machine::lock;
use crate::objects::session_manager::{self, LoginClient};
use crate::payload::{Answer, Payload};
use crate::session;
use crate::simulator::{Settings, State};
use crate::world::World;

/// The cookie with a ticket for a request.
const TICKET: &str = "vmware_cgi_ticket";

/// Types of datastores whose files are objects of their own: what is on a disk cannot be reached by a path.
const WITHOUT_EXTENTS: [&str; 3] = ["vsan", "VVOL", "PMEM"];

/// Answers a request for a file other than a PUT, at the server's own address or that of one of its hosts.
pub(crate) fn answer(
    state: &mut State,
    settings: &Settings,
    host: Option<&ManagedObjectReference>,
    head: &Parts,
) -> Answer {
    let Some(admitted) = admit(state, settings, host, head) else {
        return not_logged_in();
    };
    state.time_passes();
    state.world.fill_files();
    let answer = match head.method {
        Method::GET => get(state, host, head),
        Method::HEAD => get(state, host, head).map(|body| {
            let length = body.length();
            Payload::announcing(Bytes::new(), length)
        }),
        Method::DELETE => delete(&mut state.world, host, &head.uri),
        _ => {
            let mut refusal = text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
            set(&mut refusal, ALLOW, "GET, HEAD, PUT, DELETE");
            refusal
        }
    };
    admitted.tell(answer)
}

/// Begins a PUT.
///
/// # Errors
/// The refusal, which has an empty body: virsh 9.0.0 crashes when there is text.
pub(crate) fn begin_upload(
    state: &mut State,
    settings: &Settings,
    host: Option<&ManagedObjectReference>,
    head: &Parts,
) -> Result<(Upload, Admitted), Box<Answer>> {
    let Some(admitted) = admit(state, settings, host, head) else {
        return Err(Box::new(not_logged_in().map(|_| Payload::default())));
    };
    state.world.fill_files();
    match Upload::begin(state, host, head) {
        Ok(upload) => Ok((upload, admitted)),
        Err(status) => Err(Box::new(admitted.tell(text(status, "")))),
    }
}

/// The answer to a request without valid credentials.
pub(crate) fn not_logged_in() -> Answer {
    let mut refusal = text(StatusCode::UNAUTHORIZED, "not logged in");
    set(
        &mut refusal,
        WWW_AUTHENTICATE,
        "Basic realm=\"VMware HTTP server\"",
    );
    refusal
}

/// Who shows valid credentials.
#[derive(Default)]
pub(crate) struct Admitted {
    /// The cookie of a session that has begun with this request.
    cookie: Option<String>,
}

impl Admitted {
    /// The answer with the cookie.
    pub(crate) fn tell(&self, mut answer: Answer) -> Answer {
        let cookie = self.cookie.as_deref();
        if let Some(cookie) = cookie.and_then(|cookie| session::set_cookie(cookie, false)) {
            answer.headers_mut().insert(SET_COOKIE, cookie);
        }
        answer
    }
}

/// Checks the credentials of a request: a session, a ticket for it, or name and password, which begin a session. A host of
/// a vCenter knows tickets only.
pub(crate) fn admit(
    state: &mut State,
    settings: &Settings,
    host: Option<&ManagedObjectReference>,
    head: &Parts,
) -> Option<Admitted> {
    if let Some(ticket) = session::cookie(&head.headers, TICKET) {
        let target = head
            .uri
            .path_and_query()
            .map_or("", |target| target.as_str());
        if state
            .sessions
            .use_ticket(&ticket, &head.method, target, host)
        {
            return Some(Admitted::default());
        }
    }
    if host.is_some() {
        return None;
    }
    let session = session::cookie_of(&head.headers);
    if let Some(session) = session.filter(|one| state.sessions.with_cookie(one).is_some()) {
        state.sessions.touch(&session);
        return Some(Admitted::default());
    }
    let (user, password) = basic(&head.headers)?;
    let client = LoginClient {
        locale: None,
        user_agent: session::user_agent_of(&head.headers),
    };
    let (cookie, _) = session_manager::log_in(state, settings, &user, &password, client)?;
    Some(Admitted {
        cookie: Some(cookie),
    })
}

/// Name and password of a header.
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let given = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, given) = given.split_once(' ')?;
    let given = STANDARD.decode(given.trim()).ok()?;
    let given = String::from_utf8(given).ok()?;
    let (user, password) = given.split_once(':')?;
    scheme
        .eq_ignore_ascii_case("basic")
        .then(|| (user.to_owned(), password.to_owned()))
}

fn get(state: &mut State, host: Option<&ManagedObjectReference>, head: &Parts) -> Answer {
    let world = &state.world;
    let location = match Place::of(world, host, &head.uri) {
        Err(reason) => return nothing(&reason),
        Ok(Place::Server) => return html(index::server(world)),
        Ok(Place::Datacenter(datacenter)) => return html(index::datacenter(world, &datacenter)),
        Ok(Place::DatastorePath(location)) => location,
    };
    if !is_accessible(world, &location.store) {
        return inaccessible();
    }
    let Some(entry) = world.entry(&location).filter(|_| !hides(world, &location)) else {
        return text(StatusCode::NOT_FOUND, "not found");
    };
    let Some(content) = world.data(&location) else {
        return html(index::folder(world, &location));
    };
    if lock::is_written(world, &location) {
        let why = "a virtual machine that is on writes to this file";
        return text(StatusCode::FORBIDDEN, why);
    }
    let (tag, modified) = (tag(entry, &content), http_date(&world.modified(entry)));
    let length = content.length();
    let still = head.headers.get(IF_RANGE);
    let is_as_before = still.is_none_or(|still| *still == *tag || *still == *modified);
    let asked = head.headers.get(RANGE).filter(|_| is_as_before);
    let asked = RangeRequest::read(asked, length);
    let range = match &asked {
        RangeRequest::Whole => 0..length,
        RangeRequest::Part(range) => range.clone(),
        RangeRequest::Beyond => {
            let mut refusal = text(StatusCode::RANGE_NOT_SATISFIABLE, "there is no such range");
            set(&mut refusal, CONTENT_RANGE, &format!("bytes */{length}"));
            return refusal;
        }
    };
    let (first, last) = (range.start, range.end.saturating_sub(1));
    let body = match head.method {
        // The length is all that is asked for.
        Method::HEAD => Payload::announcing(Bytes::new(), range.end - range.start),
        _ => match state.transfers.begin(host) {
            None => return text(StatusCode::SERVICE_UNAVAILABLE, "too many transfers"),
            Some(transfer) => Payload::file(content, range, state.transfers.pace(), transfer),
        },
    };
    let mut answer = Response::new(body);
    set(&mut answer, CONTENT_TYPE, "application/octet-stream");
    set(&mut answer, ACCEPT_RANGES, "bytes");
    set(&mut answer, ETAG, &tag);
    set(&mut answer, LAST_MODIFIED, &modified);
    if let RangeRequest::Part(_) = asked {
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
        let range = format!("bytes {first}-{last}/{length}");
        set(&mut answer, CONTENT_RANGE, &range);
    }
    answer
}

fn delete(world: &mut World, host: Option<&ManagedObjectReference>, uri: &Uri) -> Answer {
    let location = match Place::of(world, host, uri) {
        Ok(Place::DatastorePath(location)) => location,
        Ok(_) => return nothing(&NoPlace::NotFound),
        Err(reason) => return nothing(&reason),
    };
    if !is_accessible(world, &location.store) {
        return inaccessible();
    }
    if !world.list(&location).is_empty() {
        return text(StatusCode::CONFLICT, "the folder is not empty");
    }
    if hides(world, &location) || world.entry(&location).is_none() || location.path.is_empty() {
        return text(StatusCode::NOT_FOUND, "not found");
    }
    if lock::check_free(world, &location).is_err() {
        return text(
            StatusCode::FORBIDDEN,
            "a virtual machine that is on has this file",
        );
    }
    world.delete(&location);
    text(StatusCode::NO_CONTENT, "")
}

/// Whether a datastore cannot show this file: what is on a disk of a datastore whose disks are objects.
fn hides(world: &World, location: &DatastorePath) -> bool {
    let store = world.read::<properties::Datastore>(&location.store);
    let summary = store.and_then(|store| store.summary.as_deref());
    let is_extent = ["-flat.vmdk", "-delta.vmdk", "-sesparse.vmdk"]
        .iter()
        .any(|ending| location.path.ends_with(ending));
    is_extent && summary.is_some_and(|summary| WITHOUT_EXTENTS.contains(&summary.r#type.as_str()))
}

fn is_accessible(world: &World, store: &ManagedObjectReference) -> bool {
    let store = world.read::<properties::Datastore>(store);
    let summary = store.and_then(|store| store.summary.as_deref());
    summary.is_none_or(|summary| summary.accessible)
}

/// What changes with a file.
fn tag(entry: &Entry, content: &Content) -> String {
    let version = match entry {
        // It is made for every request.
        Entry::Config(..) => {
            let mut hasher = DefaultHasher::new();
            let text = content.read_at(0..content.length()).unwrap_or_default();
            text.hash(&mut hasher);
            hasher.finish()
        }
        Entry::File(_) | Entry::Folder => content.version(),
    };
    format!("\"{version:x}-{:x}\"", content.length())
}

fn http_date(time: &DateTime) -> String {
    let seconds = time.epoch_seconds().unwrap_or_default();
    let seconds = u64::try_from(seconds).unwrap_or(0);
    let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
    httpdate::fmt_http_date(time.unwrap_or(SystemTime::UNIX_EPOCH))
}

fn nothing(reason: &NoPlace) -> Answer {
    match reason {
        NoPlace::NotFound => text(StatusCode::NOT_FOUND, "not found"),
        NoPlace::Invalid => text(StatusCode::BAD_REQUEST, "this names no file"),
    }
}

fn inaccessible() -> Answer {
    let why = "the datastore is not accessible";
    text(StatusCode::INTERNAL_SERVER_ERROR, why)
}

fn html(page: String) -> Answer {
    let mut answer = Response::new(Payload::from(page));
    set(&mut answer, CONTENT_TYPE, "text/html; charset=utf-8");
    answer
}

pub(crate) fn text(status: StatusCode, text: &str) -> Answer {
    let mut answer = Response::new(Payload::from(text.to_owned()));
    *answer.status_mut() = status;
    set(&mut answer, CONTENT_TYPE, "text/plain; charset=utf-8");
    answer
}

fn set(answer: &mut Answer, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}
