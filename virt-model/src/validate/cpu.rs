use super::unsupported;
use crate::{
    XmlError,
    domain::{CpuTopology, CpuTune},
};

pub(super) fn check_topology(topology: &CpuTopology) -> Result<(), XmlError> {
    let counts = [
        topology.sockets,
        topology.dies.unwrap_or(1),
        topology.clusters.unwrap_or(1),
        topology.cores,
        topology.threads,
    ];
    let product = counts
        .into_iter()
        .try_fold(1_u32, |product, count| product.checked_mul(count));
    if product.is_none() {
        return Err(unsupported(format!(
            "cpu topology results in more than {} cpus",
            u32::MAX
        )));
    }
    Ok(())
}

/// Checks the ranges that the kernel's scheduler accepts.
pub(super) fn check_tune(tune: &CpuTune) -> Result<(), XmlError> {
    let times = 1000..=1_000_000;
    let quotas = 1000..=17_592_186_044_415;
    // A negative quota means no limit.
    let quota = |quota: Option<i64>| quota.and_then(|quota| u64::try_from(quota).ok());
    for (name, value, range) in [
        ("shares", tune.shares, 2..=262_144),
        ("period", tune.period, times.clone()),
        ("quota", quota(tune.quota), quotas.clone()),
        ("global_period", tune.global_period, times),
        ("global_quota", quota(tune.global_quota), quotas),
    ] {
        if value.is_some_and(|value| value > 0 && !range.contains(&value)) {
            return Err(unsupported(format!(
                "Value of cputune '{name}' must be in range [{}, {}]",
                range.start(),
                range.end()
            )));
        }
    }
    Ok(())
}
