//! ServiceInstance: the entry point of the API.

use vi_types::methods::{CurrentTime, RetrieveServiceContent};
use vi_types::objects::ServiceContent;
use vi_types::{DateTime, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::session::now;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(retrieve_service_content).anonymous(),
        Row::new(current_time),
    ]
}

fn retrieve_service_content(
    call: &mut Call<'_>,
    _: &RetrieveServiceContent,
) -> Result<ServiceContent, SoapFault> {
    let instance = call
        .state
        .world
        .read::<properties::ServiceInstance>(call.this);
    let content = instance.and_then(|instance| instance.content.as_deref());
    content
        .cloned()
        .ok_or_else(|| fault::managed_object_not_found(call.this))
}

fn current_time(_: &mut Call<'_>, _: &CurrentTime) -> Result<DateTime, SoapFault> {
    Ok(now())
}

/// The properties, with the clock set.
pub(crate) fn properties(stored: &properties::ServiceInstance) -> properties::ServiceInstance {
    properties::ServiceInstance {
        server_clock: Some(now()),
        ..stored.clone()
    }
}
