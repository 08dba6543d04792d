//! HostFirewallSystem: the rulesets of a host's firewall.

use vi_types::methods::{
    DisableRuleset, EnableRuleset, RefreshFirewall, UpdateDefaultPolicy, UpdateRuleset,
};
use vi_types::objects::{HostFirewallInfo, HostFirewallRuleset};
use vi_types::{SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::world::inventory::systems;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(enable),
        Row::new(disable),
        Row::new(update),
        Row::new(set_default),
        Row::new(refresh),
    ]
}

/// Changes the firewall, in the system and in the host's configuration.
fn change(
    call: &mut Call<'_>,
    change: impl FnOnce(&mut HostFirewallInfo) -> Result<(), SoapFault>,
) -> Result<(), SoapFault> {
    let world = &mut call.state.world;
    let system = world.read::<properties::HostFirewallSystem>(call.this);
    let mut info: HostFirewallInfo = system
        .and_then(|system| system.firewall_info.as_deref())
        .cloned()
        .unwrap_or_default();
    change(&mut info)?;
    let host = systems::owner(world, call.this, |managers| &managers.firewall_system);
    world.change(call.this, |system: &mut properties::HostFirewallSystem| {
        system.firewall_info = Some(info.clone().into());
    });
    if let Some(host) = host {
        world.change(&host, |host: &mut properties::HostSystem| {
            if let Some(config) = host.config.as_deref_mut() {
                config.firewall = Some(info.into());
            }
        });
    }
    Ok(())
}

fn change_ruleset(
    call: &mut Call<'_>,
    id: &str,
    step: impl FnOnce(&mut HostFirewallRuleset),
) -> Result<(), SoapFault> {
    change(call, |info| {
        let mut rulesets = info.ruleset.iter_mut();
        let ruleset = rulesets.find(|ruleset| ruleset.key == id);
        step(ruleset.ok_or_else(fault::not_found)?);
        Ok(())
    })
}

fn enable(call: &mut Call<'_>, request: &EnableRuleset) -> Result<(), SoapFault> {
    change_ruleset(call, &request.id, |ruleset| ruleset.enabled = true)
}

fn disable(call: &mut Call<'_>, request: &DisableRuleset) -> Result<(), SoapFault> {
    change_ruleset(call, &request.id, |ruleset| ruleset.enabled = false)
}

fn update(call: &mut Call<'_>, request: &UpdateRuleset) -> Result<(), SoapFault> {
    let allowed = request.spec.allowed_hosts.clone();
    change_ruleset(call, &request.id, |ruleset| {
        ruleset.allowed_hosts = Some(allowed.into());
    })
}

fn set_default(call: &mut Call<'_>, request: &UpdateDefaultPolicy) -> Result<(), SoapFault> {
    change(call, |info| {
        info.default_policy = request.default_policy.clone();
        Ok(())
    })
}

fn refresh(_: &mut Call<'_>, _: &RefreshFirewall) -> Result<(), SoapFault> {
    Ok(())
}
