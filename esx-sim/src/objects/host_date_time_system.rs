//! HostDateTimeSystem: a host's clock and the servers that it asks for the time.

use vi_types::methods::{
    QueryAvailableTimeZones, QueryDateTime, RefreshDateTimeSystem, TestTimeService,
    UpdateDateTimeConfig,
};
use vi_types::objects::{
    HostDateTimeInfo, HostDateTimeSystemServiceTestResult, HostDateTimeSystemTimeZone,
};
use vi_types::{DateTime, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::world::inventory::systems;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(now),
        Row::new(test),
        Row::new(zones),
        Row::new(configure),
        Row::new(refresh),
    ]
}

/// The server's time. Unlike `CurrentTime`, hosts tell it with fractions of a second.
fn now(call: &mut Call<'_>, _: &QueryDateTime) -> Result<DateTime, SoapFault> {
    let microseconds = call.state.world.clock.microseconds();
    let seconds = DateTime::from_epoch_seconds(microseconds.div_euclid(1_000_000));
    let text = seconds.to_string();
    let fraction = microseconds.rem_euclid(1_000_000);
    let precise = format!("{}.{fraction:06}Z", text.trim_end_matches('Z'));
    Ok(precise.parse().unwrap_or(seconds))
}

/// All is well while the service runs and has a server to ask.
fn test(
    call: &mut Call<'_>,
    _: &TestTimeService,
) -> Result<Option<Box<HostDateTimeSystemServiceTestResult>>, SoapFault> {
    let world = &call.state.world;
    let host = systems::owner(world, call.this, |managers| &managers.date_time_system);
    let host = host.and_then(|host| world.read::<properties::HostSystem>(&host));
    let config = host.and_then(|host| host.config.as_deref());
    let services = config.and_then(|config| config.service.as_deref());
    let mut services = services.into_iter().flat_map(|info| &info.service);
    let is_running = services.any(|service| service.key == "ntpd" && service.running);
    let info = config.and_then(|config| config.date_time_info.as_deref());
    let ntp = info.and_then(|info| info.ntp_config.as_deref());
    let has_server = ntp.is_some_and(|ntp| !ntp.server.is_empty());
    let word = |is_well: bool| if is_well { "yes" } else { "no" };
    let result = HostDateTimeSystemServiceTestResult {
        working_normally: is_running && has_server,
        report: vec![
            format!("Service is running: {}", word(is_running)),
            format!("Servers are configured: {}", word(has_server)),
        ],
        ..HostDateTimeSystemServiceTestResult::default()
    };
    Ok(Some(result.into()))
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
