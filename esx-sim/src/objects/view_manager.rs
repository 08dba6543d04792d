//! ViewManager: makes views.

use vi_types::methods::{CreateContainerView, CreateListView, DestroyView};
use vi_types::{ManagedObjectReference, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::objects::list_view;
use crate::world::container_view;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(create_container_view),
        Row::new(create_list_view),
        Row::new(destroy_view),
    ]
}

fn create_container_view(
    call: &mut Call<'_>,
    request: &CreateContainerView,
) -> Result<ManagedObjectReference, SoapFault> {
    let session = call.own_session()?;
    let world = &mut call.state.world;
    if world.get(&request.container).is_none() {
        return Err(fault::managed_object_not_found(&request.container));
    }
    let mut view = properties::ContainerView {
        container: Some(request.container.clone()),
        r#type: request.r#type.clone(),
        recursive: Some(request.recursive),
        ..properties::ContainerView::default()
    };
    view.view = container_view::content(
        world,
        &request.container,
        &request.r#type,
        request.recursive,
    );
    Ok(world.add_for_session(&session, view))
}

fn create_list_view(
    call: &mut Call<'_>,
    request: &CreateListView,
) -> Result<ManagedObjectReference, SoapFault> {
    let session = call.own_session()?;
    let (shown, _) = list_view::split(call, &request.obj);
    let view = properties::ListView {
        base: properties::ManagedObjectView {
            view: shown,
            ..properties::ManagedObjectView::default()
        },
        ..properties::ListView::default()
    };
    Ok(call.state.world.add_for_session(&session, view))
}

fn destroy_view(call: &mut Call<'_>, _: &DestroyView) -> Result<(), SoapFault> {
    call.state.world.remove(call.this);
    Ok(())
}
