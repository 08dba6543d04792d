//! OptionManager: settings of a server, and advanced options of a host.

use vi_types::methods::{QueryOptions, UpdateOptions};
use vi_types::objects::{LongOption, OptionValue};
use vi_types::{Any, Poly, SoapFault, View, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::world::inventory::host_settings;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(query_options),
        Row::new(update_options),
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

/// Changes settings: all of them or, if one is wrong, none.
///
/// # Errors
/// - `InvalidName` for a setting that does not exist.
/// - `InvalidArgument` for a value of another type, one out of range, and a setting that only the host changes.
fn update_options(call: &mut Call<'_>, request: &UpdateOptions) -> Result<(), SoapFault> {
    let world = &mut call.state.world;
    let manager = world.read::<properties::OptionManager>(call.this);
    let manager = manager.ok_or_else(|| fault::managed_object_not_found(call.this))?;
    let mut settings = manager.setting.clone();
    for wanted in &request.changed_value {
        let place = settings.iter_mut().find(|setting| setting.key == wanted.key);
        let place = place.ok_or_else(|| fault::invalid_name(&wanted.key))?;
        let invalid = || fault::invalid_argument("changedValue.value");
        let value = wanted.value.clone().unwrap_or_default();
        let is_same_type = |one: &Any| std::mem::discriminant(one) == std::mem::discriminant(&value);
        if !place.value.as_ref().is_some_and(is_same_type) {
            return Err(invalid());
        }
        let mut definitions = manager.supported_option.iter();
        let definition = definitions.find(|definition| definition.key == wanted.key);
        if let Some(definition) = definition {
            let kind = &definition.option_type;
            let range = kind.cast::<LongOption>().map(|kind| kind.min..=kind.max);
            let is_outside = |range: std::ops::RangeInclusive<i64>| match value.inner() {
                View::Long(number) => !range.contains(&number),
                _ => false,
            };
            if kind.value_is_readonly.unwrap_or_default() || range.is_some_and(is_outside) {
                return Err(invalid());
            }
        }
        place.value = Some(value);
    }
    let host = host_settings::host_of_options(world, call.this);
    world.change(call.this, |manager: &mut properties::OptionManager| {
        manager.setting.clone_from(&settings);
    });
    if let Some(host) = host {
        world.change(&host, |host: &mut properties::HostSystem| {
            if let Some(config) = host.config.as_deref_mut() {
                config.option = settings;
            }
        });
    }
    Ok(())
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
