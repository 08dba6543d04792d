//! HostPowerSystem: how a host saves power.

use vi_types::SoapFault;
use vi_types::methods::ConfigurePowerPolicy;
use vi_types::properties;

use crate::call::{Call, Row};
use crate::fault;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(configure),
    ]
}

fn configure(call: &mut Call<'_>, request: &ConfigurePowerPolicy) -> Result<(), SoapFault> {
    let host = call.host_of_manager(|managers| managers.power_system.as_ref())?;
    let world = &mut call.state.world;
    let system = world.read::<properties::HostPowerSystem>(call.this);
    let capability = system.and_then(|system| system.capability.as_deref());
    let mut policies = capability.into_iter().flat_map(|capability| &capability.available_policy);
    let policy = policies.find(|policy| policy.key == request.key);
    let policy = policy.ok_or_else(|| fault::invalid_argument("key"))?.clone();
    world.change(call.this, |system: &mut properties::HostPowerSystem| {
        if let Some(info) = system.info.as_deref_mut() {
            info.current_policy.clone_from(&policy);
        }
    });
    world.change(&host, |host: &mut properties::HostSystem| {
        let config = host.config.as_deref_mut();
        if let Some(info) = config.and_then(|config| config.power_system_info.as_deref_mut()) {
            info.current_policy = policy;
        }
    });
    Ok(())
}
