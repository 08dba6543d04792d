//! `/folder/…`: access to datastore files over HTTP.
//!
//! `/folder/DIRECTORY%2FNAME?dcPath=DATACENTER&dsName=DATASTORE` is a file or a folder, which shows what is in it;
//! without the path it is the datastore, without `dsName` the datacenter, without both the server.

mod index;
mod range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, ALLOW, AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, HeaderName, RANGE,
    SET_COOKIE, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use vi_types::ManagedObjectReference;

use self::range::RangeRequest;
use crate::files::{DatastorePath, Entry, LARGEST_WHOLE};
use crate::payload::{Answer, Payload};
use crate::session;
use crate::simulator::{Settings, State};
use crate::world::World;
use crate::world::inventory::ancestors;

/// The cookie of a client that has logged in with name and password.
const TICKET: &str = "vmware_cgi_ticket";

/// Answers a request for a file.
pub(crate) fn answer(state: &mut State, settings: &Settings, request: &Request<Bytes>) -> Answer {
    let Some(ticket) = admit(state, settings, request.headers()) else {
        return not_logged_in();
    };
    state.world.fill_files();
    let mut answer = match *request.method() {
        Method::GET => get(&state.world, request),
        Method::HEAD => get(&state.world, request).map(|body| {
            let length = body.length();
            Payload::announcing(Bytes::new(), length)
        }),
        Method::PUT => put(&mut state.world, request),
        Method::DELETE => delete(&mut state.world, request.uri()),
        _ => {
            let mut refusal = text(StatusCode::METHOD_NOT_ALLOWED, "method not allowed");
            set(&mut refusal, ALLOW, "GET, HEAD, PUT, DELETE");
            refusal
        }
    };
    if let Some(ticket) = ticket {
        let cookie = format!("{TICKET}=\"{ticket}\"; Path=/folder; HttpOnly");
        set(&mut answer, SET_COOKIE, &cookie);
    }
    answer
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

/// Checks the credentials of a request: a session, the cookie of an earlier answer, or name and password. The last gives
/// a new cookie.
pub(crate) fn admit(
    state: &mut State,
    settings: &Settings,
    headers: &HeaderMap,
) -> Option<Option<String>> {
    let session = session::cookie_of(headers);
    if session.is_some_and(|session| state.sessions.with_cookie(&session).is_some()) {
        return Some(None);
    }
    if session::cookie(headers, TICKET).is_some_and(|ticket| state.sessions.has_ticket(&ticket)) {
        return Some(None);
    }
    let given = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, given) = given.split_once(' ')?;
    let given = STANDARD.decode(given.trim()).ok()?;
    let expected = format!("{}:{}", settings.user, settings.password);
    (scheme.eq_ignore_ascii_case("basic") && given == expected.as_bytes())
        .then(|| Some(state.sessions.begin_ticket()))
}

fn get(world: &World, request: &Request<Bytes>) -> Answer {
    let place = match Place::of(world, request.uri()) {
        Some(place) => place,
        None => return text(StatusCode::NOT_FOUND, "not found"),
    };
    let location = match place {
        Place::Server => return html(index::server(world)),
        Place::Datacenter(datacenter) => return html(index::datacenter(world, &datacenter)),
        Place::DatastorePath(location) => location,
    };
    let Some(entry) = world.entry(&location) else {
        return text(StatusCode::NOT_FOUND, "not found");
    };
    let Some(length) = world.length(entry) else {
        return html(index::folder(world, &location));
    };
    let asked = RangeRequest::read(request.headers().get(RANGE), length);
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
    let body = match *request.method() {
        // The length is all that is asked for.
        Method::HEAD => Payload::announcing(Bytes::new(), range.end - range.start),
        _ => match world.data(&location).and_then(|data| {
            let small = range.end - range.start <= LARGEST_WHOLE;
            small.then(|| data.read_at(range).ok()).flatten()
        }) {
            Some(bytes) => Payload::from(bytes),
            None => {
                let why = "a simulator has no room for so much of this file: ask for a range of it";
                return text(StatusCode::INSUFFICIENT_STORAGE, why);
            }
        },
    };
    let mut answer = Response::new(body);
    set(&mut answer, CONTENT_TYPE, "application/octet-stream");
    set(&mut answer, ACCEPT_RANGES, "bytes");
    if let RangeRequest::Part(_) = asked {
        *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
        let range = format!("bytes {first}-{last}/{length}");
        set(&mut answer, CONTENT_RANGE, &range);
    }
    answer
}

fn put(world: &mut World, request: &Request<Bytes>) -> Answer {
    let Some(Place::DatastorePath(location)) = Place::of(world, request.uri()) else {
        return text(StatusCode::NOT_FOUND, "there is no such datastore");
    };
    if request.headers().contains_key(CONTENT_RANGE) {
        return text(StatusCode::BAD_REQUEST, "only whole files can be written");
    }
    let status = match world.entry(&location) {
        Some(Entry::Folder) => return text(StatusCode::CONFLICT, "this is a folder"),
        Some(_) => StatusCode::OK,
        None if world.has_folder_of(&location) => StatusCode::CREATED,
        None => {
            return text(
                StatusCode::NOT_FOUND,
                "the folder of this file is not there",
            );
        }
    };
    world.write(&location, request.body().clone().into());
    text(status, "")
}

fn delete(world: &mut World, uri: &Uri) -> Answer {
    let Some(Place::DatastorePath(location)) = Place::of(world, uri) else {
        return text(StatusCode::NOT_FOUND, "not found");
    };
    if !world.list(&location).is_empty() {
        return text(StatusCode::CONFLICT, "the folder is not empty");
    }
    match world.delete(&location) {
        true => text(StatusCode::NO_CONTENT, ""),
        false => text(StatusCode::NOT_FOUND, "not found"),
    }
}

/// What a URI names.
enum Place {
    Server,
    Datacenter(ManagedObjectReference),
    DatastorePath(DatastorePath),
}

impl Place {
    fn of(world: &World, uri: &Uri) -> Option<Self> {
        let path = decode(uri.path().strip_prefix("/folder").unwrap_or_default());
        let (mut datacenter, mut datastore) = (None, None);
        for pair in uri.query().unwrap_or_default().split('&') {
            match pair.split_once('=') {
                Some(("dcPath", value)) => datacenter = Some(decode(value)),
                Some(("dsName", value)) => datastore = Some(decode(value)),
                _ => {}
            }
        }
        let path = path.trim_matches('/');
        if path.split('/').any(|part| part == "..") {
            return None;
        }
        let found = match &datacenter {
            Some(wanted) => {
                let is_it =
                    |name: &str, one: &ManagedObjectReference| datacenter_path(world, one) == name;
                Some(named(world, "Datacenter", wanted, is_it)?)
            }
            None => None,
        };
        let Some(datastore) = datastore else {
            return match (path, found) {
                ("", Some(found)) => Some(Self::Datacenter(found)),
                ("", None) => Some(Self::Server),
                _ => None,
            };
        };
        let is_in = |one: &ManagedObjectReference| {
            let mut ancestors = ancestors(world, one);
            found
                .as_ref()
                .is_none_or(|found| ancestors.any(|ancestor| ancestor == found))
        };
        let is_it =
            |name: &str, one: &ManagedObjectReference| world.name(one) == Some(name) && is_in(one);
        let store = named(world, "Datastore", &datastore, is_it)?;
        Some(Self::DatastorePath(DatastorePath::new(&store, path)))
    }
}

/// The object with a name. libvirt 12 and later encode it twice, since there are servers that decode it twice.
fn named(
    world: &World,
    ty: &str,
    name: &str,
    is_it: impl Fn(&str, &ManagedObjectReference) -> bool,
) -> Option<ManagedObjectReference> {
    let twice = decode(name);
    let find = |name: &str| world.all(ty).find(|one| is_it(name, one));
    find(name).or_else(|| find(&twice)).cloned()
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The folders and the name of a datacenter, with slashes between them.
fn datacenter_path(world: &World, datacenter: &ManagedObjectReference) -> String {
    let above = ancestors(world, datacenter);
    let mut names: Vec<_> = std::iter::once(datacenter)
        .chain(above)
        .filter_map(|one| world.name(one))
        .collect();
    // The last one is the root folder, which is in no path.
    names.pop();
    names.reverse();
    names.join("/")
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
