//! `/folder/…`: files on datastores, of which there are the configuration files of virtual machines.

mod vmx;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use vi_types::{ManagedObjectReference, properties};

use crate::payload::{Answer, Payload};
use crate::session;
use crate::simulator::State;
use crate::world::World;
use crate::world::inventory::{ancestors, parts::datastore_path};

/// Answers `GET /folder/DIRECTORY%2FNAME.vmx?dcPath=DATACENTER&dsName=DATASTORE`.
pub(crate) fn get(state: &State, uri: &Uri, headers: &HeaderMap) -> Answer {
    let cookie = session::cookie_of(headers);
    let session = cookie.and_then(|cookie| state.sessions.with_cookie(&cookie).cloned());
    if session.is_none() {
        return answer(StatusCode::UNAUTHORIZED, "not logged in");
    }
    match file(&state.world, uri) {
        Some(text) => answer(StatusCode::OK, &text),
        None => answer(StatusCode::NOT_FOUND, "no such file"),
    }
}

fn answer(status: StatusCode, text: &str) -> Answer {
    let mut answer = Response::new(Payload::from(text.to_owned()));
    *answer.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(CONTENT_TYPE, kind);
    answer
}

fn file(world: &World, uri: &Uri) -> Option<String> {
    let path = decode(uri.path().strip_prefix("/folder/")?);
    let (mut datacenter, mut datastore) = (String::new(), String::new());
    for pair in uri.query().unwrap_or_default().split('&') {
        match pair.split_once('=')? {
            ("dcPath", value) => datacenter = decode(value),
            ("dsName", value) => datastore = decode(value),
            _ => {}
        }
    }
    let wanted = datastore_path(&datastore, &path);
    let mut vms = world.all("VirtualMachine");
    vms.find_map(|reference| {
        let vm = world.read::<properties::VirtualMachine>(reference)?;
        let config = vm.config.as_ref()?;
        let is_it = config.files.vm_path_name.as_deref() == Some(wanted.as_str())
            && datacenter_path(world, reference) == datacenter;
        is_it.then(|| vmx::text(config))
    })
}

/// libvirt 12 and later encode some parts twice, since there are servers that decode them twice.
fn decode(text: &str) -> String {
    let once = percent_decode_str(text).decode_utf8_lossy();
    percent_decode_str(&once).decode_utf8_lossy().into_owned()
}

/// The folders and the name of the datacenter an object is in, with slashes between them.
fn datacenter_path(world: &World, object: &ManagedObjectReference) -> String {
    let mut names: Vec<_> = ancestors(world, object)
        .skip_while(|ancestor| ancestor.r#type != "Datacenter")
        .filter_map(|ancestor| world.name(ancestor))
        .collect();
    // The last one is the root folder, which is in no path.
    names.pop();
    names.reverse();
    names.join("/")
}
