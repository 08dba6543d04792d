//! The performance counters of a server, by their names.

use std::collections::HashMap;

use vi_client::{Client, property_set};
use vi_types::{
    Enum as _, ManagedObjectReference,
    methods::QueryPerf,
    objects::{
        PerfCounterInfo, PerfEntityMetric, PerfMetricId, PerfMetricIntSeries, PerfQuerySpec,
    },
};
use virt_model::ErrorNumber;

use crate::{Error, ErrorKind, Result};

/// The length of a sample in seconds: the only one of which hosts have the newest (`refreshRate`).
pub(crate) const SAMPLE_SECONDS: i32 = 20;

property_set! {
    struct Known: PerformanceManager {
        counters: Vec<PerfCounterInfo> = perf_counter,
    }
}

/// Reads the ids of the counters by their names (`cpu.usage.average`): one request. The ids are others on a vCenter than
/// on a host. The answer is large, because there are no descriptions without their texts.
pub(crate) async fn ids(client: &Client) -> Result<HashMap<String, i32>> {
    let manager = client.service_content().perf_manager.clone();
    let manager = manager.ok_or_else(|| {
        let message = "the server has no performance counters";
        Error::new(ErrorKind::Unsupported, ErrorNumber::NoSupport, message)
    })?;
    let known: Known = client.read(&manager).await?;
    let counters = known.counters.iter();
    Ok(counters
        .map(|counter| (name(counter), counter.key))
        .collect())
}

fn name(counter: &PerfCounterInfo) -> String {
    let (group, name) = (&counter.group_info.key, &counter.name_info.key);
    format!("{group}.{name}.{}", counter.rollup_type.as_str())
}

/// Asks for the newest value of one instance of a counter: one request. None if the server has none.
pub(crate) async fn newest(
    client: &Client,
    entity: &ManagedObjectReference,
    counter: i32,
    instance: String,
) -> Result<Option<i64>> {
    let metric = PerfMetricId {
        counter_id: counter,
        instance,
        ..PerfMetricId::default()
    };
    let spec = PerfQuerySpec {
        entity: entity.clone(),
        max_sample: Some(1),
        metric_id: vec![metric],
        interval_id: Some(SAMPLE_SECONDS),
        format: Some("normal".to_owned()),
        ..PerfQuerySpec::default()
    };
    let request = QueryPerf {
        query_spec: vec![spec],
        ..QueryPerf::default()
    };
    let answer = client.call(&request).await?;
    let measured = answer
        .first()
        .and_then(|one| one.cast::<PerfEntityMetric>());
    let series = measured.and_then(|measured| measured.value.first());
    let series = series.and_then(|series| series.cast::<PerfMetricIntSeries>());
    // -1 stands for no value.
    Ok(series
        .and_then(|series| series.value.last().copied())
        .filter(|value| *value >= 0))
}
