//! OptionManager: settings of a server.

use vi_types::methods::QueryOptions;
use vi_types::objects::OptionValue;
use vi_types::{Any, Poly, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(query_options),
    ]
}

/// The setting of that name, or all whose names begin with one that ends with a dot.
fn query_options(
    call: &mut Call<'_>,
    request: &QueryOptions,
) -> Result<Vec<Poly<OptionValue>>, SoapFault> {
    let manager = call.state.world.read::<properties::OptionManager>(call.this);
    let settings = manager.into_iter().flat_map(|manager| &manager.setting);
    let name = request.name.as_deref().unwrap_or_default();
    let is_wanted = |setting: &&Poly<OptionValue>| match name.is_empty() || name.ends_with('.') {
        true => setting.key.starts_with(name),
        false => setting.key == name,
    };
    let found: Vec<_> = settings.filter(is_wanted).cloned().collect();
    match found.is_empty() && !name.is_empty() {
        true => Err(fault::invalid_name(name)),
        false => Ok(found),
    }
}

/// A setting with a number.
pub(crate) fn number(key: &str, value: i32) -> Poly<OptionValue> {
    OptionValue {
        key: key.to_owned(),
        value: Some(Any::Int(value)),
        ..OptionValue::default()
    }
    .into()
}
