//! PropertyCollector: reads properties of many objects at once, and tells when they change.

mod reading;
mod selection;
mod updates;

use std::collections::HashMap;
use std::time::Duration;

use vi_types::methods::{
    CancelRetrievePropertiesEx, CancelWaitForUpdates, CheckForUpdates,
    ContinueRetrievePropertiesEx, CreateFilter, CreatePropertyCollector, DestroyPropertyCollector,
    RetrieveProperties, RetrievePropertiesEx, WaitForUpdates, WaitForUpdatesEx,
};
use vi_types::objects::{ObjectContent, PropertyFilterSpec, RetrieveResult, UpdateSet};
use vi_types::{Any, ManagedObjectReference, SoapFault, properties};

use crate::call::{Call, Row, Turn};
use crate::fault;
use crate::world::inventory::DEFAULT_COLLECTOR;
use reading::Scope;
use selection::Selection;
use updates::{Collector, Filter, Limits};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(retrieve_properties).anonymous(),
        Row::new(retrieve_properties_ex).anonymous(),
        Row::new(continue_retrieve_properties_ex),
        Row::new(cancel_retrieve_properties_ex),
        Row::new(create_filter),
        Row::waiting(wait_for_updates),
        Row::waiting(wait_for_updates_ex),
        Row::new(check_for_updates),
        Row::new(cancel_wait_for_updates),
        Row::new(create_property_collector),
        Row::new(destroy_property_collector),
    ]
}

/// What collectors remember between calls.
#[derive(Default)]
pub(crate) struct Collectors {
    /// By collector and session: each session has filters of its own on the collector that all share.
    collectors: HashMap<(ManagedObjectReference, String), Collector>,
    /// What the server limits in updates.
    pub(crate) limits: Limits,
    /// The rest of answers that were given in part, by their token.
    pages: HashMap<String, Page>,
    tokens: u64,
}

/// What is left of a retrieve.
struct Page {
    session: Option<String>,
    size: usize,
    rest: Rest,
}

/// Objects still to be read, for each specification those in reverse order.
type Rest = Vec<(Selection, Vec<ManagedObjectReference>)>;

impl Collectors {
    /// Forgets everything of a session.
    pub(crate) fn end_session(&mut self, session: &str) {
        self.collectors.retain(|(_, owner), _| owner != session);
        self.pages
            .retain(|_, page| page.session.as_deref() != Some(session));
    }

    /// Forgets everything of all sessions, as a server does that restarts.
    pub(crate) fn restart(&mut self) {
        self.collectors.clear();
        self.pages.clear();
    }

    /// Forgets all versions that clients have.
    pub(crate) fn forget_versions(&mut self) {
        let collectors = self.collectors.values_mut();
        collectors.for_each(Collector::forget_versions);
    }

    /// Forgets a filter.
    pub(crate) fn remove_filter(&mut self, filter: &ManagedObjectReference) {
        for collector in self.collectors.values_mut() {
            collector.filters.retain(|one| one.reference != *filter);
        }
    }

    /// The filters of a collector, as one session sees them.
    pub(crate) fn filters(
        &self,
        collector: &ManagedObjectReference,
        session: &str,
    ) -> Vec<ManagedObjectReference> {
        let key = (collector.clone(), session.to_owned());
        let filters = self
            .collectors
            .get(&key)
            .map(|collector| &collector.filters);
        let filters = filters.into_iter().flatten();
        filters.map(|filter| filter.reference.clone()).collect()
    }
}

fn retrieve_properties(
    call: &mut Call<'_>,
    request: &RetrieveProperties,
) -> Result<Vec<ObjectContent>, SoapFault> {
    let mut rest = select(call, &request.spec_set)?;
    call.state.time_passes();
    Ok(read(call, &mut rest, usize::MAX))
}

fn retrieve_properties_ex(
    call: &mut Call<'_>,
    request: &RetrievePropertiesEx,
) -> Result<Option<Box<RetrieveResult>>, SoapFault> {
    let size = match request.options.max_objects {
        None => usize::MAX,
        Some(size) => usize::try_from(size)
            .ok()
            .filter(|size| *size > 0)
            .ok_or_else(|| fault::invalid_argument("options.maxObjects"))?,
    };
    let size = size.min(call.settings.page.unwrap_or(usize::MAX));
    let rest = select(call, &request.spec_set)?;
    call.state.time_passes();
    let result = page(call, rest, size);
    Ok((!result.objects.is_empty()).then(|| Box::new(result)))
}

fn continue_retrieve_properties_ex(
    call: &mut Call<'_>,
    request: &ContinueRetrievePropertiesEx,
) -> Result<RetrieveResult, SoapFault> {
    let Page { size, rest, .. } = take_page(call, &request.token)?;
    Ok(page(call, rest, size))
}

fn cancel_retrieve_properties_ex(
    call: &mut Call<'_>,
    request: &CancelRetrievePropertiesEx,
) -> Result<(), SoapFault> {
    take_page(call, &request.token).map(drop)
}

fn create_filter(
    call: &mut Call<'_>,
    request: &CreateFilter,
) -> Result<ManagedObjectReference, SoapFault> {
    let session = call.own_session()?;
    let selection = compile(call, &request.spec)?;
    let filter = properties::PropertyFilter {
        spec: Some(request.spec.clone().into()),
        partial_updates: Some(request.partial_updates),
        ..properties::PropertyFilter::default()
    };
    let reference = call.state.world.add_for_session(&session, filter);
    let filter = Filter::new(reference.clone(), selection, request.partial_updates);
    collector(call)?.filters.push(filter);
    Ok(reference)
}

fn wait_for_updates(
    call: &mut Call<'_>,
    request: &WaitForUpdates,
) -> Result<Turn<UpdateSet>, SoapFault> {
    let updates = wait(call, request.version.as_deref(), None, None)?;
    Ok(match updates {
        Turn::Done(Some(updates)) => Turn::Done(updates),
        Turn::Done(None) | Turn::Wait => Turn::Wait,
    })
}

fn wait_for_updates_ex(
    call: &mut Call<'_>,
    request: &WaitForUpdatesEx,
) -> Result<Turn<Option<Box<UpdateSet>>>, SoapFault> {
    let options = request.options.as_ref();
    let seconds = match options.and_then(|options| options.max_wait_seconds) {
        None => None,
        Some(seconds) => Some(
            u64::try_from(seconds)
                .map_err(|_| fault::invalid_argument("options.maxWaitSeconds"))?,
        ),
    };
    let most = match options.and_then(|options| options.max_object_updates) {
        None => None,
        Some(most) => Some(
            usize::try_from(most)
                .ok()
                .filter(|most| *most > 0)
                .ok_or_else(|| fault::invalid_argument("options.maxObjectUpdates"))?,
        ),
    };
    let longest = seconds.map(Duration::from_secs);
    Ok(
        match wait(call, request.version.as_deref(), longest, most)? {
            Turn::Done(updates) => Turn::Done(updates.map(Box::new)),
            Turn::Wait => Turn::Wait,
        },
    )
}

fn check_for_updates(
    call: &mut Call<'_>,
    request: &CheckForUpdates,
) -> Result<Option<Box<UpdateSet>>, SoapFault> {
    Ok(updates(call, request.version.as_deref(), None)?.map(Box::new))
}

fn cancel_wait_for_updates(
    call: &mut Call<'_>,
    _: &CancelWaitForUpdates,
) -> Result<(), SoapFault> {
    collector(call)?.cancels += 1;
    call.state.world.touch();
    Ok(())
}

fn create_property_collector(
    call: &mut Call<'_>,
    _: &CreatePropertyCollector,
) -> Result<ManagedObjectReference, SoapFault> {
    let session = call.own_session()?;
    let state = properties::PropertyCollector::default();
    Ok(call.state.world.add_for_session(&session, state))
}

/// The collector that all sessions share cannot be destroyed.
fn destroy_property_collector(
    call: &mut Call<'_>,
    _: &DestroyPropertyCollector,
) -> Result<(), SoapFault> {
    if DEFAULT_COLLECTOR.contains(&call.this.value.as_str()) {
        return Err(fault::invalid_request("this collector cannot be destroyed"));
    }
    let session = call.own_session()?;
    let removed = call
        .state
        .collectors
        .collectors
        .remove(&(call.this.clone(), session));
    for filter in removed.into_iter().flat_map(|collector| collector.filters) {
        call.state.world.remove(&filter.reference);
    }
    call.state.world.remove(call.this);
    Ok(())
}

/// One property of the object that is called.
pub(crate) fn fetch(call: &Call<'_>, path: &str) -> Result<Option<Any>, SoapFault> {
    selection::check(&call.this.r#type, path, call.settings.version())?;
    let scope = Scope::of(call);
    if let Some(refusal) = scope.refusal(call.this, path) {
        return Err(fault::of(refusal));
    }
    let state = scope.object(call.this);
    Ok(state.and_then(|state| reading::value(state.as_object(), path)))
}

/// The properties as one session sees them.
pub(crate) fn properties(
    this: &ManagedObjectReference,
    collectors: &Collectors,
    session: Option<&str>,
) -> properties::PropertyCollector {
    properties::PropertyCollector {
        filter: session.map_or_else(Vec::new, |session| collectors.filters(this, session)),
        ..properties::PropertyCollector::default()
    }
}

fn compile(call: &Call<'_>, spec: &PropertyFilterSpec) -> Result<Selection, SoapFault> {
    Selection::compile(spec, call.settings.version())
}

/// The objects that a retrieve is about.
fn select(call: &Call<'_>, specs: &[PropertyFilterSpec]) -> Result<Rest, SoapFault> {
    let scope = Scope::of(call);
    specs
        .iter()
        .map(|spec| {
            let selection = compile(call, spec)?;
            if selection.traverses() && call.session().is_none() {
                return Err(fault::not_authenticated(call.this));
            }
            let (mut objects, missing) = selection.objects(&scope);
            if let Some(missing) = missing.first().filter(|_| !selection.reports_missing) {
                return Err(fault::managed_object_not_found(missing));
            }
            objects.reverse();
            Ok((selection, objects))
        })
        .collect()
}

/// Reads the next objects, and takes them off the rest.
fn read(call: &Call<'_>, rest: &mut Rest, most: usize) -> Vec<ObjectContent> {
    let scope = Scope::of(call);
    let mut read = Vec::new();
    for (selection, objects) in rest.iter_mut() {
        while read.len() < most
            && let Some(object) = objects.pop()
        {
            read.extend(reading::content(&scope, selection, object));
        }
    }
    rest.retain(|(_, objects)| !objects.is_empty());
    read
}

/// One page of a retrieve; what is left is kept under a token.
fn page(call: &mut Call<'_>, mut rest: Rest, size: usize) -> RetrieveResult {
    let mut result = RetrieveResult {
        objects: read(call, &mut rest, size),
        ..RetrieveResult::default()
    };
    if !rest.is_empty() {
        let session = call.session().map(str::to_owned);
        let collectors = &mut call.state.collectors;
        collectors.tokens += 1;
        let token = collectors.tokens.to_string();
        let page = Page {
            session,
            size,
            rest,
        };
        collectors.pages.insert(token.clone(), page);
        result.token = Some(token);
    }
    result
}

fn take_page(call: &mut Call<'_>, token: &str) -> Result<Page, SoapFault> {
    let session = call.session().map(str::to_owned);
    let pages = &mut call.state.collectors.pages;
    let own = pages.get(token).is_some_and(|page| page.session == session);
    let page = own.then(|| pages.remove(token)).flatten();
    page.ok_or_else(|| fault::invalid_property("token"))
}

/// What is remembered of the collector that is called.
fn collector<'a>(call: &'a mut Call<'_>) -> Result<&'a mut Collector, SoapFault> {
    let key = (call.this.clone(), call.own_session()?);
    Ok(call.state.collectors.collectors.entry(key).or_default())
}

/// Waits until there are updates, for no longer than given; nothing when the time was over first.
fn wait(
    call: &mut Call<'_>,
    version: Option<&str>,
    longest: Option<Duration>,
    most: Option<usize>,
) -> Result<Turn<Option<UpdateSet>>, SoapFault> {
    let cancels = collector(call)?.cancels;
    if *call.waiting.cancels.get_or_insert(cancels) != cancels {
        return Err(fault::request_canceled());
    }
    loop {
        if let Some(updates) = updates(call, version, most)? {
            return Ok(Turn::Done(Some(updates)));
        }
        let state = &mut *call.state;
        if !state.tasks.step_by_itself(&mut state.world) {
            break;
        }
    }
    Ok(match call.waiting.is_over(longest) {
        true => Turn::Done(None),
        false => Turn::Wait,
    })
}

/// What changed since that version, for no more than so many objects.
fn updates(
    call: &mut Call<'_>,
    version: Option<&str>,
    most: Option<usize>,
) -> Result<Option<UpdateSet>, SoapFault> {
    let key = (call.this.clone(), call.own_session()?);
    // Taken out while the rest of the state is read.
    let mut own = call
        .state
        .collectors
        .collectors
        .remove(&key)
        .unwrap_or_default();
    let updates = own.updates(&Scope::of(call), version.unwrap_or_default(), most);
    call.state.collectors.collectors.insert(key, own);
    updates
}
