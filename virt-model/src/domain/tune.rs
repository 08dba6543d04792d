//! Limits and shares: `<memtune>` and `<cputune>`.

/// Limits of memory, in KiB.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemoryTune {
    /// The most the domain may use.
    pub hard_limit: Option<u64>,
    /// The most it may use when memory is short.
    pub soft_limit: Option<u64>,
    /// The most memory and swap together.
    pub swap_hard_limit: Option<u64>,
    /// What it is sure to get.
    pub min_guarantee: Option<u64>,
}

/// How processor time is shared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CpuTune {
    /// The weight beside other domains.
    pub shares: Option<u64>,
    /// Period of enforcement of a processor, in microseconds.
    pub period: Option<u64>,
    /// Time of a processor in a period, in microseconds.
    pub quota: Option<i64>,
    /// Period of enforcement of the whole domain, in microseconds.
    pub global_period: Option<u64>,
    /// Time of the whole domain in a period, in microseconds.
    pub global_quota: Option<i64>,
}
