//! EventManager: the event log, and collectors that read it.

use vi_types::methods::{CreateCollectorForEvents, LogUserEvent, PostEvent, QueryEvents};
use vi_types::objects::{
    Event, EventFilterSpec, GeneralEvent, GeneralUserEvent, ManagedEntityEventArgument,
};
use vi_types::{Any, ManagedObjectReference, Poly, SoapFault, properties};

use crate::call::{Call, Row};
use crate::event::{Collector, Filter, LARGEST_PAGE};
use crate::fault;
use crate::world::inventory::ServerKind;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(create_collector),
        Row::new(query_events),
        Row::new(log_user_event),
        Row::new(post_event),
    ]
}

/// Most collectors at the same time.
pub(crate) const MOST_COLLECTORS: i32 = 1_000;

fn create_collector(
    call: &mut Call<'_>,
    request: &CreateCollectorForEvents,
) -> Result<ManagedObjectReference, SoapFault> {
    let session = call.own_session()?;
    let world = &mut call.state.world;
    if world.events.collectors() >= usize::try_from(MOST_COLLECTORS).unwrap_or(usize::MAX) {
        return Err(fault::invalid_state());
    }
    let filter = checked(call, &request.filter)?;
    let world = &mut call.state.world;
    let collector = Collector::new(filter);
    let shown = properties::EventHistoryCollector {
        base: properties::HistoryCollector {
            filter: Some(Any::object(request.filter.clone())),
            ..properties::HistoryCollector::default()
        },
        initialized: world.since("8.0.3.0").then_some(true),
        latest_page: collector.latest(world.events.entries()),
        ..properties::EventHistoryCollector::default()
    };
    let reference = world.add_for_session(&session, shown);
    world.events.add_collector(reference.clone(), collector);
    Ok(reference)
}

/// The newest events that fit, oldest first.
fn query_events(
    call: &mut Call<'_>,
    request: &QueryEvents,
) -> Result<Vec<Poly<Event>>, SoapFault> {
    let filter = checked(call, &request.filter)?;
    let most = request.filter.max_count.and_then(|most| usize::try_from(most).ok());
    let most = most.filter(|most| *most > 0).unwrap_or(LARGEST_PAGE);
    let log = &call.state.world.events;
    let newest = log.entries().iter().rev().filter(|entry| filter.fits(entry));
    let newest = newest.take(most.min(LARGEST_PAGE));
    let mut events: Vec<_> = newest.map(|entry| filter.shown(entry)).collect();
    events.reverse();
    Ok(events)
}

/// Fails with `ManagedObjectNotFound` for a filter of an entity that does not exist.
fn checked(call: &Call<'_>, spec: &EventFilterSpec) -> Result<Filter, SoapFault> {
    if let Some(entity) = spec.entity.as_deref()
        && call.state.world.get(&entity.entity).is_none()
    {
        return Err(fault::managed_object_not_found(&entity.entity));
    }
    Ok(Filter::new(spec.clone()))
}

fn log_user_event(call: &mut Call<'_>, request: &LogUserEvent) -> Result<(), SoapFault> {
    let world = &mut call.state.world;
    if world.get(&request.entity).is_none() {
        return Err(fault::managed_object_not_found(&request.entity));
    }
    let event = GeneralUserEvent {
        base: GeneralEvent {
            message: request.msg.clone(),
            ..GeneralEvent::default()
        },
        entity: Some(
            ManagedEntityEventArgument {
                base: world.entity(&request.entity),
                entity: request.entity.clone(),
                ..ManagedEntityEventArgument::default()
            }
            .into(),
        ),
        ..GeneralUserEvent::default()
    };
    world.log(&request.entity, event);
    Ok(())
}

/// Writes an event of the client's. ESX hosts answer `NotSupported`: posting is a function of vCenter.
fn post_event(call: &mut Call<'_>, request: &PostEvent) -> Result<(), SoapFault> {
    let world = &mut call.state.world;
    if world.kind() == ServerKind::Esx {
        return Err(fault::not_supported());
    }
    let event = request.event_to_post.clone();
    let vm = event.vm.as_deref().map(|argument| argument.vm.clone());
    let host = event.host.as_deref().map(|argument| argument.host.clone());
    let about = match vm.or(host) {
        Some(object) if world.get(&object).is_none() => {
            return Err(fault::managed_object_not_found(&object));
        }
        Some(object) => world.about(&object),
        None => world.about_server(),
    };
    world.log_about(&about, event);
    Ok(())
}
