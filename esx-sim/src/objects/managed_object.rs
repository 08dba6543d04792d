//! What can be called on every managed object.

use vi_types::methods::Fetch;
use vi_types::{Any, SoapFault};

use crate::call::{Call, Row};
use crate::objects::property_collector;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(fetch).anonymous(),
    ]
}

/// One property. No schema tells of this method; pyvmomi reads properties with it.
fn fetch(call: &mut Call<'_>, request: &Fetch) -> Result<Option<Any>, SoapFault> {
    property_collector::fetch(call, &request.prop)
}
