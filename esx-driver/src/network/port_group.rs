//! Limits and VLANs of port groups, as documents and as hosts say them.

use vi_types::Poly;
use vi_types::objects::{
    DvPortSetting, DvsTrafficShapingPolicy, HostNetworkPolicy, HostNetworkTrafficShapingPolicy,
    HostPortGroupSpec, VMwareDvsPortSetting, VmwareDistributedVirtualSwitchTrunkVlanSpec,
    VmwareDistributedVirtualSwitchVlanIdSpec,
};
use virt_model::{Bandwidth, BandwidthRate, ErrorNumber, Vlan, VlanTag, network::PortGroup};

use crate::{Error, ErrorKind, Result};

/// The VLAN of a port group that carries all VLANs.
pub(super) const ALL_VLANS: u32 = VlanTag::MAX_ID;

/// The port group of a host's specification.
pub(super) fn of_host(spec: &HostPortGroupSpec) -> PortGroup {
    PortGroup {
        bandwidth: bandwidth(&spec.policy),
        vlan: u32::try_from(spec.vlan_id).ok().and_then(one_vlan),
        ..PortGroup::new(&spec.name)
    }
}

/// A host's specification of the port group. Of a port group that there is, `known` says what the document does not.
pub(super) fn to_host(
    group: &PortGroup,
    switch: &str,
    known: Option<&HostPortGroupSpec>,
) -> Result<HostPortGroupSpec> {
    let mut spec = known.cloned().unwrap_or_default();
    spec.name.clone_from(&group.name);
    spec.vswitch_name = switch.to_owned();
    spec.vlan_id = vlan_id(group)?;
    let before = spec.policy.shaping_policy.take();
    spec.policy.shaping_policy = match shaping(group.bandwidth.as_ref())? {
        Some(shaping) => Some(shaping.into()),
        // The limits of the switch hold without a policy; they did not hold before, if there was one.
        None => before.map(|before| {
            HostNetworkTrafficShapingPolicy {
                enabled: Some(false),
                ..*before
            }
            .into()
        }),
    };
    Ok(spec)
}

/// The limits of a policy, if its traffic shaping is enabled. They hold for both directions.
pub(super) fn bandwidth(policy: &HostNetworkPolicy) -> Option<Bandwidth> {
    let shaping = policy.shaping_policy.as_ref();
    let shaping = shaping.filter(|shaping| shaping.enabled == Some(true))?;
    let rate = rate(
        shaping.average_bandwidth,
        shaping.peak_bandwidth,
        shaping.burst_size,
    );
    Some(Bandwidth {
        inbound: Some(rate.clone()),
        outbound: Some(rate),
        ..Bandwidth::default()
    })
}

/// Servers count in bits per second and bytes.
fn rate(average: Option<i64>, peak: Option<i64>, burst: Option<i64>) -> BandwidthRate {
    let scaled = |value: Option<i64>, unit: u64| {
        let value = u64::try_from(value.unwrap_or(0)).unwrap_or(0);
        value / unit
    };
    BandwidthRate {
        average: scaled(average, 8 * 1000),
        peak: scaled(peak, 8 * 1000),
        burst: scaled(burst, 1024),
        ..BandwidthRate::default()
    }
}

/// The traffic shaping of a document's limits: none without limits. Hosts shape both directions alike; the text is
/// libvirt's (esxBandwidthToShapingPolicy, 9.0.0).
pub(super) fn shaping(
    bandwidth: Option<&Bandwidth>,
) -> Result<Option<HostNetworkTrafficShapingPolicy>> {
    let Some(bandwidth) = bandwidth else {
        return Ok(None);
    };
    let rate = match (&bandwidth.inbound, &bandwidth.outbound) {
        (Some(inbound), Some(outbound)) if inbound == outbound => inbound,
        _ => {
            return Err(unsupported(
                "Different inbound and outbound bandwidth is unsupported".to_owned(),
            ));
        }
    };
    if (rate.average, rate.peak, rate.burst) == (0, 0, 0) {
        return Ok(None);
    }
    Ok(Some(HostNetworkTrafficShapingPolicy {
        enabled: Some(true),
        average_bandwidth: scaled(rate.average, 8 * 1000)?,
        peak_bandwidth: scaled(rate.peak, 8 * 1000)?,
        burst_size: scaled(rate.burst, 1024)?,
        ..HostNetworkTrafficShapingPolicy::default()
    }))
}

/// A limit of a document in the server's unit; `None` for none.
pub(super) fn scaled(value: u64, unit: u64) -> Result<Option<i64>> {
    let value = value.checked_mul(unit).map(i64::try_from);
    match value {
        Some(Ok(0)) => Ok(None),
        Some(Ok(value)) => Ok(Some(value)),
        _ => Err(unsupported("bandwidth is too large for a host".to_owned())),
    }
}

/// Port groups of hosts have one VLAN, none (0), or all of them.
fn vlan_id(group: &PortGroup) -> Result<i32> {
    let Some(vlan) = &group.vlan else {
        return Ok(0);
    };
    let name = &group.name;
    match &vlan.tags[..] {
        [tag] if tag.native_mode.is_none() => Ok(i32::try_from(tag.id).unwrap_or(i32::MAX)),
        [_] => Err(unsupported(format!(
            "port group '{name}' cannot have a native VLAN"
        ))),
        _ => Err(unsupported(format!(
            "port group '{name}' cannot be a trunk of {} VLANs",
            vlan.tags.len()
        ))
        .advise(format!(
            "a port group has one VLAN, or all of them: {ALL_VLANS}"
        ))),
    }
}

fn one_vlan(id: u32) -> Option<Vlan> {
    (id != 0).then(|| vlans(id == ALL_VLANS, [id]))
}

fn vlans(trunk: bool, ids: impl IntoIterator<Item = u32>) -> Vlan {
    let tags = ids.into_iter().map(|id| VlanTag {
        id,
        ..VlanTag::default()
    });
    Vlan {
        trunk,
        tags: tags.collect(),
        ..Vlan::default()
    }
}

/// The port group of a distributed switch.
pub(super) fn of_distributed(name: &str, setting: Option<&Poly<DvPortSetting>>) -> PortGroup {
    let ports = setting.and_then(|setting| setting.cast::<DvPortSetting>());
    PortGroup {
        bandwidth: ports.and_then(|ports| {
            // The switch's in is the guest's out.
            let inbound = ports
                .out_shaping_policy
                .as_deref()
                .and_then(distributed_rate);
            let outbound = ports
                .in_shaping_policy
                .as_deref()
                .and_then(distributed_rate);
            let limited = inbound.is_some() || outbound.is_some();
            limited.then(|| Bandwidth {
                inbound,
                outbound,
                ..Bandwidth::default()
            })
        }),
        vlan: setting
            .and_then(|setting| setting.cast::<VMwareDvsPortSetting>())
            .and_then(distributed_vlan),
        ..PortGroup::new(name)
    }
}

fn distributed_rate(policy: &DvsTrafficShapingPolicy) -> Option<BandwidthRate> {
    if policy.enabled.as_ref()?.value != Some(true) {
        return None;
    }
    Some(rate(
        policy
            .average_bandwidth
            .as_ref()
            .and_then(|policy| policy.value),
        policy
            .peak_bandwidth
            .as_ref()
            .and_then(|policy| policy.value),
        policy.burst_size.as_ref().and_then(|policy| policy.value),
    ))
}

/// The VLANs of a distributed port group. Those of a private VLAN are not known without the switch.
fn distributed_vlan(setting: &VMwareDvsPortSetting) -> Option<Vlan> {
    let vlan = setting.vlan.as_ref()?;
    if let Some(one) = vlan.cast::<VmwareDistributedVirtualSwitchVlanIdSpec>() {
        return u32::try_from(one.vlan_id).ok().and_then(one_vlan);
    }
    let trunk = vlan.cast::<VmwareDistributedVirtualSwitchTrunkVlanSpec>()?;
    let mut ids = Vec::new();
    for range in &trunk.vlan_id {
        let start = u32::try_from(range.start).ok()?;
        let end = u32::try_from(range.end).ok()?.min(ALL_VLANS - 1);
        // All that there are.
        if start <= 1 && end == ALL_VLANS - 1 {
            return one_vlan(ALL_VLANS);
        }
        ids.extend(start..=end);
    }
    (!ids.is_empty()).then(|| vlans(true, ids))
}

pub(super) fn unsupported(message: String) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        ErrorNumber::ConfigUnsupported,
        message,
    )
}
