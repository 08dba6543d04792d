//! EventHistoryCollector: reads the event log in pages.

use vi_types::methods::{
    DestroyCollector, ReadNextEvents, ReadPreviousEvents, ResetCollector, RewindCollector,
    SetCollectorPageSize,
};
use vi_types::objects::Event;
use vi_types::{Poly, SoapFault, properties};

use crate::call::{Call, Row};
use crate::event::LARGEST_PAGE;
use crate::fault;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(read_next),
        Row::new(read_previous),
        Row::new(rewind),
        Row::new(reset),
        Row::new(set_page_size),
        Row::new(destroy),
    ]
}

/// The next newer events, oldest first; at first the oldest ones, as after `RewindCollector`.
fn read_next(
    call: &mut Call<'_>,
    request: &ReadNextEvents,
) -> Result<Vec<Poly<Event>>, SoapFault> {
    let most = page_size(request.max_count)?;
    let found = call.state.world.events.collector(call.this);
    let (collector, entries) = found.ok_or_else(|| fault::managed_object_not_found(call.this))?;
    Ok(collector.next(entries, most))
}

/// The next older events, newest first.
fn read_previous(
    call: &mut Call<'_>,
    request: &ReadPreviousEvents,
) -> Result<Vec<Poly<Event>>, SoapFault> {
    let most = page_size(request.max_count)?;
    let found = call.state.world.events.collector(call.this);
    let (collector, entries) = found.ok_or_else(|| fault::managed_object_not_found(call.this))?;
    Ok(collector.previous(entries, most))
}

fn rewind(call: &mut Call<'_>, _: &RewindCollector) -> Result<(), SoapFault> {
    let found = call.state.world.events.collector(call.this);
    let (collector, _) = found.ok_or_else(|| fault::managed_object_not_found(call.this))?;
    collector.rewind();
    Ok(())
}

/// Goes to the event before the latest page.
fn reset(call: &mut Call<'_>, _: &ResetCollector) -> Result<(), SoapFault> {
    let found = call.state.world.events.collector(call.this);
    let (collector, entries) = found.ok_or_else(|| fault::managed_object_not_found(call.this))?;
    collector.reset(entries);
    Ok(())
}

/// Sets the size of the latest page.
fn set_page_size(call: &mut Call<'_>, request: &SetCollectorPageSize) -> Result<(), SoapFault> {
    let size = page_size(request.max_count)?;
    let world = &mut call.state.world;
    let found = world.events.collector(call.this);
    let (collector, entries) = found.ok_or_else(|| fault::managed_object_not_found(call.this))?;
    collector.page_size = size;
    let latest = collector.latest(entries);
    world.change(call.this, |shown: &mut properties::EventHistoryCollector| {
        shown.latest_page = latest;
    });
    Ok(())
}

fn destroy(call: &mut Call<'_>, _: &DestroyCollector) -> Result<(), SoapFault> {
    let world = &mut call.state.world;
    world.remove(call.this);
    let this = call.this;
    world.events.retain_collectors(|one| one != this);
    Ok(())
}

/// A number of events, from 1 to 1,000.
///
/// # Errors
/// `InvalidArgument` for any other number.
fn page_size(count: i32) -> Result<usize, SoapFault> {
    let size = usize::try_from(count).ok();
    let size = size.filter(|size| (1..=LARGEST_PAGE).contains(size));
    size.ok_or_else(|| fault::invalid_argument("maxCount"))
}
