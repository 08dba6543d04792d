//! Policies of switches and port groups.

use vi_types::SoapFault;
use vi_types::objects::{
    HostNetworkPolicy, HostNetworkSecurityPolicy, HostNetworkTrafficShapingPolicy,
    HostNicTeamingPolicy,
};

use crate::fault;

/// How a switch can spread traffic over its physical NICs.
pub(crate) const TEAMING: [&str; 4] = [
    "loadbalance_ip",
    "loadbalance_srcmac",
    "loadbalance_srcid",
    "failover_explicit",
];

/// Checks the values of a policy.
///
/// # Errors
/// `InvalidArgument` with the path of the policy in the call, and that of its mistake.
pub(super) fn check(policy: &HostNetworkPolicy, path: &str) -> Result<(), SoapFault> {
    let invalid = |what: &str| Err(fault::invalid_argument(&format!("{path}.{what}")));
    let teaming = policy.nic_teaming.as_deref();
    if let Some(way) = teaming.and_then(|teaming| teaming.policy.as_deref())
        && !TEAMING.contains(&way)
    {
        return invalid("nicTeaming.policy");
    }
    let named = nics(policy).unwrap_or_default();
    if (1..named.len()).any(|index| named[..index].contains(&named[index])) {
        return invalid("nicTeaming.nicOrder");
    }
    if let Some(shaping) = policy.shaping_policy.as_deref() {
        let limits = [
            ("averageBandwidth", shaping.average_bandwidth),
            ("peakBandwidth", shaping.peak_bandwidth),
            ("burstSize", shaping.burst_size),
        ];
        for (name, limit) in limits {
            if limit.is_some_and(|limit| limit < 0) {
                return invalid(&format!("shapingPolicy.{name}"));
            }
        }
    }
    Ok(())
}

/// The physical NICs that a policy orders, the active ones first; none if it does not order them.
pub(super) fn nics(policy: &HostNetworkPolicy) -> Option<Vec<String>> {
    let order = policy.nic_teaming.as_deref()?.nic_order.as_deref()?;
    let named = order.active_nic.iter().chain(&order.standby_nic);
    Some(named.cloned().collect())
}

/// Orders the physical NICs of a switch: those that left it are gone, those that came are active.
pub(super) fn order(policy: &mut HostNetworkPolicy, devices: &[String]) {
    let teaming = policy.nic_teaming.get_or_insert_default();
    let order = teaming.nic_order.get_or_insert_default();
    order.active_nic.retain(|nic| devices.contains(nic));
    order.standby_nic.retain(|nic| devices.contains(nic));
    for device in devices {
        if !order.active_nic.contains(device) && !order.standby_nic.contains(device) {
            order.active_nic.push(device.clone());
        }
    }
}

/// A policy with everything that another one sets: a switch's that is changed, or that its port group replaces in part.
pub(crate) fn merged(base: &HostNetworkPolicy, over: &HostNetworkPolicy) -> HostNetworkPolicy {
    fn or<T: Clone>(over: &Option<T>, base: &Option<T>) -> Option<T> {
        over.as_ref().or(base.as_ref()).cloned()
    }
    let security = match (over.security.as_deref(), base.security.as_deref()) {
        (Some(over), Some(base)) => Some(
            HostNetworkSecurityPolicy {
                allow_promiscuous: or(&over.allow_promiscuous, &base.allow_promiscuous),
                mac_changes: or(&over.mac_changes, &base.mac_changes),
                forged_transmits: or(&over.forged_transmits, &base.forged_transmits),
                ..HostNetworkSecurityPolicy::default()
            }
            .into(),
        ),
        _ => or(&over.security, &base.security),
    };
    let nic_teaming = match (over.nic_teaming.as_deref(), base.nic_teaming.as_deref()) {
        (Some(over), Some(base)) => Some(
            HostNicTeamingPolicy {
                policy: or(&over.policy, &base.policy),
                reverse_policy: or(&over.reverse_policy, &base.reverse_policy),
                notify_switches: or(&over.notify_switches, &base.notify_switches),
                rolling_order: or(&over.rolling_order, &base.rolling_order),
                failure_criteria: or(&over.failure_criteria, &base.failure_criteria),
                nic_order: or(&over.nic_order, &base.nic_order),
                ..HostNicTeamingPolicy::default()
            }
            .into(),
        ),
        _ => or(&over.nic_teaming, &base.nic_teaming),
    };
    let shaping = (
        over.shaping_policy.as_deref(),
        base.shaping_policy.as_deref(),
    );
    let shaping_policy = match shaping {
        (Some(over), Some(base)) => Some(
            HostNetworkTrafficShapingPolicy {
                enabled: or(&over.enabled, &base.enabled),
                average_bandwidth: or(&over.average_bandwidth, &base.average_bandwidth),
                peak_bandwidth: or(&over.peak_bandwidth, &base.peak_bandwidth),
                burst_size: or(&over.burst_size, &base.burst_size),
                ..HostNetworkTrafficShapingPolicy::default()
            }
            .into(),
        ),
        _ => or(&over.shaping_policy, &base.shaping_policy),
    };
    HostNetworkPolicy {
        security,
        nic_teaming,
        offload_policy: or(&over.offload_policy, &base.offload_policy),
        shaping_policy,
        ..HostNetworkPolicy::default()
    }
}
