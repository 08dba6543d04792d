//! ListView: objects the client names.

use vi_types::methods::{ModifyListView, ResetListView, ResetListViewFromView};
use vi_types::{ManagedObjectReference, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(modify_list_view),
        Row::new(reset_list_view),
        Row::new(reset_list_view_from_view),
    ]
}

/// Gives back the objects that could not be added because there are none such.
fn modify_list_view(
    call: &mut Call<'_>,
    request: &ModifyListView,
) -> Result<Vec<ManagedObjectReference>, SoapFault> {
    let (added, unknown) = split(call, &request.add);
    change(call, |view| {
        view.retain(|object| !request.remove.contains(object) && !added.contains(object));
        view.extend(added);
    })?;
    Ok(unknown)
}

/// Gives back the objects that could not be added because there are none such.
fn reset_list_view(
    call: &mut Call<'_>,
    request: &ResetListView,
) -> Result<Vec<ManagedObjectReference>, SoapFault> {
    let (added, unknown) = split(call, &request.obj);
    change(call, |view| *view = added)?;
    Ok(unknown)
}

fn reset_list_view_from_view(
    call: &mut Call<'_>,
    request: &ResetListViewFromView,
) -> Result<(), SoapFault> {
    let source = call
        .state
        .world
        .read::<properties::ManagedObjectView>(&request.view);
    let shown = source.map(|source| source.view.clone());
    let shown = shown.ok_or_else(|| fault::managed_object_not_found(&request.view))?;
    change(call, |view| *view = shown)
}

/// Objects there are, and objects there are not.
pub(crate) fn split(
    call: &Call<'_>,
    objects: &[ManagedObjectReference],
) -> (Vec<ManagedObjectReference>, Vec<ManagedObjectReference>) {
    let world = &call.state.world;
    objects
        .iter()
        .cloned()
        .partition(|object| world.is_visible(object, call.session()))
}

fn change(
    call: &mut Call<'_>,
    change: impl FnOnce(&mut Vec<ManagedObjectReference>),
) -> Result<(), SoapFault> {
    let this = call.this;
    let change = |view: &mut properties::ListView| change(&mut view.view);
    let changed = call.state.world.change(this, change);
    changed.ok_or_else(|| fault::managed_object_not_found(this))
}
