//! HostDateTimeSystem: a host's clock and the servers that it asks for the time.

use std::time::{SystemTime, UNIX_EPOCH};

use vi_types::methods::{
    QueryAvailableTimeZones, QueryDateTime, RefreshDateTimeSystem, UpdateDateTimeConfig,
};
use vi_types::objects::{HostDateTimeInfo, HostDateTimeSystemTimeZone};
use vi_types::{DateTime, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::world::inventory::systems;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(now),
        Row::new(zones),
        Row::new(configure),
        Row::new(refresh),
    ]
}

fn now(_: &mut Call<'_>, _: &QueryDateTime) -> Result<DateTime, SoapFault> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let seconds = since.map_or(0, |since| since.as_secs());
    Ok(DateTime::from_epoch_seconds(seconds.cast_signed()))
}

fn zones(
    _: &mut Call<'_>,
    _: &QueryAvailableTimeZones,
) -> Result<Vec<HostDateTimeSystemTimeZone>, SoapFault> {
    Ok(vec![systems::utc()])
}

fn configure(call: &mut Call<'_>, request: &UpdateDateTimeConfig) -> Result<(), SoapFault> {
    let world = &mut call.state.world;
    let config = &request.config;
    if config.time_zone.as_ref().is_some_and(|zone| *zone != systems::utc().key) {
        return Err(fault::invalid_argument("timeZone"));
    }
    let system = world.read::<properties::HostDateTimeSystem>(call.this);
    let mut info: HostDateTimeInfo = system
        .and_then(|system| system.date_time_info.as_deref())
        .cloned()
        .unwrap_or_default();
    if let Some(ntp) = &config.ntp_config {
        info.ntp_config = Some(ntp.clone());
    }
    if let Some(protocol) = &config.protocol {
        info.system_clock_protocol = Some(protocol.clone());
    }
    if let Some(enabled) = config.enabled {
        info.enabled = Some(enabled);
    }
    let host = systems::owner(world, call.this, |managers| &managers.date_time_system);
    world.change(call.this, |system: &mut properties::HostDateTimeSystem| {
        system.date_time_info = Some(info.clone().into());
    });
    if let Some(host) = host {
        world.change(&host, |host: &mut properties::HostSystem| {
            if let Some(config) = host.config.as_deref_mut() {
                config.date_time_info = Some(info.into());
            }
        });
    }
    Ok(())
}

fn refresh(_: &mut Call<'_>, _: &RefreshDateTimeSystem) -> Result<(), SoapFault> {
    Ok(())
}
