//! HostAutoStartManager: which virtual machines start and stop with their host.

use vi_types::methods::ReconfigureAutostart;
use vi_types::objects::{AutoStartDefaults, AutoStartPowerInfo, HostAutoStartManagerConfig};
use vi_types::{SoapFault, properties};

use crate::call::{Call, Row};

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(reconfigure_autostart),
    ]
}

fn reconfigure_autostart(
    call: &mut Call<'_>,
    request: &ReconfigureAutostart,
) -> Result<(), SoapFault> {
    let world = &mut call.state.world;
    let spec = &request.spec;
    let mut config = None;
    world.change(
        call.this,
        |manager: &mut properties::HostAutoStartManager| {
            let own = manager.config.get_or_insert_default();
            merge(own, spec);
            config = Some(own.clone());
        },
    );
    // The host's configuration shows it too.
    let hosts: Vec<_> = world.all("HostSystem").cloned().collect();
    let of = hosts.into_iter().find(|host| {
        let host = world.read::<properties::HostSystem>(host);
        let manager = host.and_then(|host| host.config_manager.as_deref());
        manager.and_then(|manager| manager.auto_start_manager.as_ref()) == Some(call.this)
    });
    if let Some(host) = of {
        world.change(&host, |host: &mut properties::HostSystem| {
            if let Some(host) = host.config.as_deref_mut() {
                host.auto_start = config;
            }
        });
    }
    Ok(())
}

/// Only what a request sets changes; machines are found by their key.
fn merge(config: &mut HostAutoStartManagerConfig, spec: &HostAutoStartManagerConfig) {
    if let Some(new) = spec.defaults.as_deref() {
        let own: &mut AutoStartDefaults = config.defaults.get_or_insert_default();
        own.enabled = new.enabled.or(own.enabled);
        own.start_delay = new.start_delay.or(own.start_delay);
        own.stop_delay = new.stop_delay.or(own.stop_delay);
        own.wait_for_heartbeat = new.wait_for_heartbeat.or(own.wait_for_heartbeat);
        if new.stop_action.is_some() {
            own.stop_action.clone_from(&new.stop_action);
        }
    }
    for new in &spec.power_info {
        let same = |info: &&mut AutoStartPowerInfo| info.key == new.key;
        match config.power_info.iter_mut().find(same) {
            Some(own) => *own = new.clone(),
            None => config.power_info.push(new.clone()),
        }
    }
}
