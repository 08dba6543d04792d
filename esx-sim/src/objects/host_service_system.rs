//! HostServiceSystem: the services of a host.

use vi_types::methods::{
    RefreshServices, RestartService, StartService, StopService, UpdateServicePolicy,
};
use vi_types::objects::{HostService, HostServiceInfo};
use vi_types::{SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::world::inventory::systems;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(start),
        Row::new(stop),
        Row::new(restart),
        Row::new(set_policy),
        Row::new(refresh),
    ]
}

/// Changes a service, in the system and in the host's configuration.
fn change(
    call: &mut Call<'_>,
    id: &str,
    change: impl FnOnce(&mut HostService) -> Result<(), SoapFault>,
) -> Result<(), SoapFault> {
    let world = &mut call.state.world;
    let system = world.read::<properties::HostServiceSystem>(call.this);
    let mut info: HostServiceInfo = system
        .and_then(|system| system.service_info.as_deref())
        .cloned()
        .unwrap_or_default();
    let mut services = info.service.iter_mut();
    let service = services.find(|service| service.key == id);
    change(service.ok_or_else(fault::not_found)?)?;
    let host = systems::owner(world, call.this, |managers| &managers.service_system);
    world.change(call.this, |system: &mut properties::HostServiceSystem| {
        system.service_info = Some(info.clone().into());
    });
    if let Some(host) = host {
        world.change(&host, |host: &mut properties::HostSystem| {
            if let Some(config) = host.config.as_deref_mut() {
                config.service = Some(info.into());
            }
        });
    }
    Ok(())
}

fn start(call: &mut Call<'_>, request: &StartService) -> Result<(), SoapFault> {
    switch(call, &request.id, true)
}

fn stop(call: &mut Call<'_>, request: &StopService) -> Result<(), SoapFault> {
    switch(call, &request.id, false)
}

/// Starts or stops a service; `InvalidState` if it is so already.
fn switch(call: &mut Call<'_>, id: &str, running: bool) -> Result<(), SoapFault> {
    change(call, id, |service| {
        if service.running == running {
            return Err(fault::invalid_state());
        }
        service.running = running;
        Ok(())
    })
}

fn restart(call: &mut Call<'_>, request: &RestartService) -> Result<(), SoapFault> {
    change(call, &request.id, |service| {
        match service.running {
            true => Ok(()),
            false => Err(fault::invalid_state()),
        }
    })
}

fn set_policy(call: &mut Call<'_>, request: &UpdateServicePolicy) -> Result<(), SoapFault> {
    if !["on", "automatic", "off"].contains(&request.policy.as_str()) {
        return Err(fault::invalid_argument("policy"));
    }
    change(call, &request.id, |service| {
        service.policy.clone_from(&request.policy);
        Ok(())
    })
}

fn refresh(_: &mut Call<'_>, _: &RefreshServices) -> Result<(), SoapFault> {
    Ok(())
}
