//! PropertyFilter: what a collector watches.

use vi_types::SoapFault;
use vi_types::methods::DestroyPropertyFilter;

use crate::call::{Call, Row};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(destroy_property_filter),
    ]
}

fn destroy_property_filter(
    call: &mut Call<'_>,
    _: &DestroyPropertyFilter,
) -> Result<(), SoapFault> {
    call.state.collectors.remove_filter(call.this);
    call.state.world.remove(call.this);
    Ok(())
}
