//! A document's port group as the setting of a distributed switch's ports. The other direction is in
//! [`port_group`](super::port_group).

use vi_types::{
    Poly,
    objects::{
        BoolPolicy, DvPortSetting, DvsTrafficShapingPolicy, LongPolicy, NumericRange,
        VMwareDvsPortSetting, VmwareDistributedVirtualSwitchTrunkVlanSpec,
        VmwareDistributedVirtualSwitchVlanIdSpec, VmwareDistributedVirtualSwitchVlanSpec,
    },
};
use virt_model::{BandwidthRate, network::PortGroup};

use super::port_group::{ALL_VLANS, scaled, unsupported};
use crate::Result;

/// The VLANs and limits of a port group. What the document does not say is none, and no limit.
pub(super) fn of(group: &PortGroup) -> Result<Poly<DvPortSetting>> {
    let bandwidth = group.bandwidth.as_ref();
    let inbound = bandwidth.and_then(|bandwidth| bandwidth.inbound.as_ref());
    let outbound = bandwidth.and_then(|bandwidth| bandwidth.outbound.as_ref());
    let setting = VMwareDvsPortSetting {
        base: DvPortSetting {
            // The switch's in is the guest's out.
            in_shaping_policy: Some(shaping(outbound)?.into()),
            out_shaping_policy: Some(shaping(inbound)?.into()),
            ..DvPortSetting::default()
        },
        vlan: Some(vlan(group)?),
        ..VMwareDvsPortSetting::default()
    };
    Ok(Poly::new(setting))
}

fn shaping(rate: Option<&BandwidthRate>) -> Result<DvsTrafficShapingPolicy> {
    let rate = rate.filter(|rate| (rate.average, rate.peak, rate.burst) != (0, 0, 0));
    let Some(rate) = rate else {
        return Ok(DvsTrafficShapingPolicy {
            enabled: Some(flag(false).into()),
            ..DvsTrafficShapingPolicy::default()
        });
    };
    // A limit that is left out is the other one: the server refuses a peak below the average.
    let average = if rate.average == 0 {
        rate.peak
    } else {
        rate.average
    };
    let long = |value: u64, unit: u64| -> Result<_> {
        let value = scaled(value, unit)?;
        Ok(value.map(|value| {
            LongPolicy {
                value: Some(value),
                ..LongPolicy::default()
            }
            .into()
        }))
    };
    Ok(DvsTrafficShapingPolicy {
        enabled: Some(flag(true).into()),
        average_bandwidth: long(average, 8 * 1000)?,
        peak_bandwidth: long(rate.peak.max(average), 8 * 1000)?,
        burst_size: long(rate.burst, 1024)?,
        ..DvsTrafficShapingPolicy::default()
    })
}

fn flag(value: bool) -> BoolPolicy {
    BoolPolicy {
        value: Some(value),
        ..BoolPolicy::default()
    }
}

fn vlan(group: &PortGroup) -> Result<Poly<VmwareDistributedVirtualSwitchVlanSpec>> {
    let tags = group.vlan.as_ref().map_or(&[][..], |vlan| &vlan.tags);
    let is_trunk = group.vlan.as_ref().is_some_and(|vlan| vlan.trunk);
    if tags.iter().any(|tag| tag.native_mode.is_some()) {
        let name = &group.name;
        return Err(unsupported(format!(
            "port group '{name}' cannot have a native VLAN"
        )));
    }
    let mut ids: Vec<u32> = tags.iter().map(|tag| tag.id).collect();
    ids.sort_unstable();
    let one = |id: u32| VmwareDistributedVirtualSwitchVlanIdSpec {
        vlan_id: i32::try_from(id).unwrap_or(i32::MAX),
        ..VmwareDistributedVirtualSwitchVlanIdSpec::default()
    };
    match ids[..] {
        [] => return Ok(one(0).into()),
        [id] if !is_trunk && id != ALL_VLANS => return Ok(one(id).into()),
        _ => {}
    }
    if ids.contains(&ALL_VLANS) {
        ids = (0..ALL_VLANS).collect();
    }
    let mut ranges: Vec<NumericRange> = Vec::new();
    for id in ids {
        let id = i32::try_from(id).unwrap_or(i32::MAX);
        match ranges.last_mut() {
            Some(last) if id <= last.end.saturating_add(1) => last.end = id,
            _ => ranges.push(NumericRange {
                start: id,
                end: id,
                ..NumericRange::default()
            }),
        }
    }
    let trunk = VmwareDistributedVirtualSwitchTrunkVlanSpec {
        vlan_id: ranges,
        ..VmwareDistributedVirtualSwitchTrunkVlanSpec::default()
    };
    Ok(trunk.into())
}
