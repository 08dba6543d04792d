//! PerformanceManager: counters and their values.

use std::collections::BTreeSet;

use vi_types::methods::{
    QueryAvailablePerfMetric, QueryPerf, QueryPerfCounter, QueryPerfCounterByLevel,
    QueryPerfProviderSummary,
};
use vi_types::enums::{PerfStatsType, PerfSummaryType};
use vi_types::objects::{
    OptionValue, PerfInterval, PerformanceDescription, PerfCounterInfo, PerfEntityMetric, PerfEntityMetricBase, PerfEntityMetricCsv, PerfMetricId,
    PerfMetricIntSeries, PerfMetricSeries, PerfMetricSeriesCsv, PerfProviderSummary, PerfQuerySpec,
    PerfSampleInfo,
};
use vi_types::{DateTime, Enum, ManagedObjectReference, Poly, SoapFault, properties};

use crate::call::{Call, Row};
use crate::fault;
use crate::objects::option_manager;
use crate::performance::{Counter, Meter, Part, REFRESH, counters, element};
use crate::world::World;
use crate::world::inventory::ServerKind;

/// The methods.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::new(query_available_perf_metric),
        Row::new(query_perf),
        Row::new(query_perf_counter),
        Row::new(query_perf_counter_by_level),
        Row::new(query_perf_provider_summary),
    ]
}

/// How long a host keeps its own measurements, in seconds.
const KEPT: i64 = 3600;

/// Seconds that a server needs for summaries of half an hour and longer.
const SUMMARY_DELAY: i64 = 1800;

/// The collection level of all historical intervals.
const HISTORY_LEVEL: i32 = 1;

fn query_perf_counter(
    call: &mut Call<'_>,
    request: &QueryPerfCounter,
) -> Result<Vec<PerfCounterInfo>, SoapFault> {
    let known = counters(call.settings.kind);
    let infos = request.counter_id.iter().map(|id| {
        let counter = known.iter().find(|counter| counter.id == *id);
        let counter = counter.ok_or_else(|| fault::invalid_argument("counterId"))?;
        Ok(counter.info())
    });
    infos.collect()
}

fn query_perf_counter_by_level(
    call: &mut Call<'_>,
    request: &QueryPerfCounterByLevel,
) -> Result<Vec<PerfCounterInfo>, SoapFault> {
    if !(1..=4).contains(&request.level) {
        return Err(fault::invalid_argument("level"));
    }
    let known = counters(call.settings.kind).iter();
    let found = known.filter(|counter| counter.level <= request.level);
    Ok(found.map(Counter::info).collect())
}

/// Only virtual machines and hosts are measured all the time.
fn query_perf_provider_summary(
    call: &mut Call<'_>,
    request: &QueryPerfProviderSummary,
) -> Result<PerfProviderSummary, SoapFault> {
    let entity = &request.entity;
    check_entity(&call.state.world, entity)?;
    let is_current = has_measurements(entity);
    Ok(PerfProviderSummary {
        entity: entity.clone(),
        current_supported: is_current,
        summary_supported: true,
        refresh_rate: i32::try_from(REFRESH).ok().filter(|_| is_current),
        ..PerfProviderSummary::default()
    })
}

/// The times are ignored: what there is now has been there all the time.
fn query_available_perf_metric(
    call: &mut Call<'_>,
    request: &QueryAvailablePerfMetric,
) -> Result<Vec<PerfMetricId>, SoapFault> {
    let world = &call.state.world;
    let entity = &request.entity;
    check_entity(world, entity)?;
    let interval = interval(world, request.interval_id, "intervalId")?;
    let Some(meter) = Meter::of(world, entity) else {
        return Ok(Vec::new());
    };
    let all = PerfQuerySpec::default();
    let series = series(&meter, world.kind(), &all, interval);
    Ok(series.iter().map(|series| series.id(&meter)).collect())
}

fn query_perf(
    call: &mut Call<'_>,
    request: &QueryPerf,
) -> Result<Vec<Poly<PerfEntityMetricBase>>, SoapFault> {
    let world = &call.state.world;
    let now = world.clock.seconds();
    let mut queries = Vec::new();
    let mut historical = 0;
    for spec in &request.query_spec {
        check_entity(world, &spec.entity)?;
        let format = spec.format.as_deref().unwrap_or("normal");
        if !matches!(format, "normal" | "csv") {
            return Err(fault::invalid_argument("querySpec.format"));
        }
        let interval = interval(world, spec.interval_id, "querySpec.interval")?;
        let Some(meter) = Meter::of(world, &spec.entity) else { continue };
        let series = series(&meter, world.kind(), spec, interval);
        if interval != REFRESH {
            historical += series.len();
        }
        let times = times(spec, &meter, interval, now)?;
        if series.is_empty() || times.is_empty() {
            continue;
        }
        queries.push(Query {
            spec,
            world,
            meter,
            series,
            times,
            interval,
        });
    }
    if most_metrics(world).is_some_and(|most| historical > most) {
        return Err(fault::restricted_by_administrator(MAX_QUERY_METRICS));
    }
    // Servers answer in an order of their own.
    queries.sort_by(|a, b| a.spec.entity.value.cmp(&b.spec.entity.value));
    Ok(queries.iter().map(Query::answer).collect())
}

/// What one specification asks for.
struct Query<'a> {
    spec: &'a PerfQuerySpec,
    world: &'a World,
    meter: Meter,
    series: Vec<Series>,
    /// The ends of the intervals.
    times: Vec<i64>,
    interval: i64,
}

/// An instance of a counter.
struct Series {
    counter: &'static Counter,
    part: Part,
}

impl Series {
    fn id(&self, meter: &Meter) -> PerfMetricId {
        PerfMetricId {
            counter_id: self.counter.id,
            instance: meter.instance_name(self.counter, self.part).to_owned(),
            ..PerfMetricId::default()
        }
    }

    fn base(&self, meter: &Meter) -> PerfMetricSeries {
        PerfMetricSeries {
            id: self.id(meter),
            ..PerfMetricSeries::default()
        }
    }
}

impl Query<'_> {
    /// The value that a test has set.
    fn fixed(&self, series: &Series) -> Option<i64> {
        let fixed = &self.world.fixed_values;
        if fixed.is_empty() {
            return None;
        }
        let instance = self.meter.instance_name(series.counter, series.part);
        let key = (
            self.spec.entity.clone(),
            series.counter.full_name(),
            instance.to_owned(),
        );
        fixed.get(&key).copied()
    }

    fn answer(&self) -> Poly<PerfEntityMetricBase> {
        let base = PerfEntityMetricBase {
            entity: self.spec.entity.clone(),
            ..PerfEntityMetricBase::default()
        };
        let values = |series: &Series| -> Vec<i64> {
            let fixed = self.fixed(series);
            let value = |at: &i64| {
                let measured =
                    || self.meter.value(series.counter, series.part, *at, self.interval);
                fixed.unwrap_or_else(measured)
            };
            self.times.iter().map(value).collect()
        };
        if self.spec.format.as_deref() == Some("csv") {
            let sample = |at: &i64| {
                let time = DateTime::from_epoch_seconds(*at);
                format!("{},{time}", self.interval)
            };
            let samples: Vec<_> = self.times.iter().map(sample).collect();
            let value = |series: &Series| {
                let values: Vec<_> = values(series).iter().map(i64::to_string).collect();
                PerfMetricSeriesCsv {
                    base: series.base(&self.meter),
                    value: Some(values.join(",")),
                    ..PerfMetricSeriesCsv::default()
                }
            };
            return PerfEntityMetricCsv {
                base,
                sample_info_csv: samples.join(","),
                value: self.series.iter().map(value).collect(),
                ..PerfEntityMetricCsv::default()
            }
            .into();
        }
        let sample = |at: &i64| PerfSampleInfo {
            timestamp: DateTime::from_epoch_seconds(*at),
            interval: i32::try_from(self.interval).unwrap_or(i32::MAX),
            ..PerfSampleInfo::default()
        };
        let value = |series: &Series| {
            let series = PerfMetricIntSeries {
                base: series.base(&self.meter),
                value: values(series),
                ..PerfMetricIntSeries::default()
            };
            Poly::new(series)
        };
        PerfEntityMetric {
            base,
            sample_info: self.times.iter().map(sample).collect(),
            value: self.series.iter().map(value).collect(),
            ..PerfEntityMetric::default()
        }
        .into()
    }
}

/// What a specification asks for and its entity has, in the order of the counters. What it doesn't have is left out.
fn series(meter: &Meter, kind: ServerKind, spec: &PerfQuerySpec, interval: i64) -> Vec<Series> {
    let known = counters(kind);
    let mut found = BTreeSet::new();
    let mut add = |index: usize, instance: &str| {
        let Some(counter) = known.get(index) else { return };
        for part in meter.instances(counter) {
            let level = match part {
                Part::Whole => counter.level,
                Part::One(_) => counter.part_level,
            };
            let is_wanted = instance == "*" || instance == meter.instance_name(counter, part);
            if is_wanted && (interval == REFRESH || level <= HISTORY_LEVEL) {
                found.insert((index, part));
            }
        }
    };
    for id in &spec.metric_id {
        if let Ok(index) = known.binary_search_by_key(&id.counter_id, |counter| counter.id) {
            add(index, &id.instance);
        }
    }
    if spec.metric_id.is_empty() {
        (0..known.len()).for_each(|index| add(index, "*"));
    }
    let found = found.into_iter();
    found
        .filter_map(|(index, part)| Some(Series { counter: known.get(index)?, part }))
        .collect()
}

/// The ends of the intervals that a specification asks for: after its start, and not after its end.
fn times(
    spec: &PerfQuerySpec,
    meter: &Meter,
    interval: i64,
    now: i64,
) -> Result<Vec<i64>, SoapFault> {
    let is_current = interval == REFRESH;
    let known = HISTORY.iter().find(|known| known.seconds == interval);
    let kept = known.map_or(KEPT, |known| known.length);
    let complete = match interval < SUMMARY_DELAY {
        true => now,
        false => now - SUMMARY_DELAY,
    };
    let floor = |time: i64| time.div_euclid(interval) * interval;
    let seconds = |time: &Option<DateTime>| time.as_ref()?.epoch_seconds().ok();
    let start = seconds(&spec.start_time).unwrap_or(i64::MIN);
    let end = seconds(&spec.end_time).unwrap_or(i64::MAX);
    if start > end {
        return Err(fault::invalid_argument("querySpec.startTime, querySpec.endTime"));
    }
    let first = floor(start.max(now - kept)) + interval;
    let last = floor(end.min(complete));
    let mut times: Vec<i64> = Vec::new();
    let mut time = first;
    while time <= last {
        if meter.ran(time) {
            times.push(time);
        }
        time += interval;
    }
    // Servers ignore it in historical queries.
    if let Some(most) = spec.max_sample.filter(|_| is_current) {
        let most = usize::try_from(most).ok().filter(|most| *most > 0);
        let most = most.ok_or_else(|| fault::invalid_argument("querySpec.maxSample"))?;
        times.drain(..times.len().saturating_sub(most));
    }
    Ok(times)
}

/// A historical interval.
struct Interval {
    seconds: i64,
    /// How long its samples are kept.
    length: i64,
    name: &'static str,
}

/// Those of a vCenter; an ESX host has the first one.
const HISTORY: &[Interval] = &[
    Interval { seconds: 300, length: 86_400, name: "Past day" },
    Interval { seconds: 1800, length: 604_800, name: "Past week" },
    Interval { seconds: 7200, length: 2_592_000, name: "Past month" },
    Interval { seconds: 86_400, length: 31_536_000, name: "Past year" },
];

/// The interval that a request names.
fn interval(world: &World, id: Option<i32>, argument: &str) -> Result<i64, SoapFault> {
    let id = id.map_or(REFRESH, i64::from);
    let is_historical = intervals(world.kind()).any(|known| known.seconds == id);
    match id == REFRESH || is_historical {
        true => Ok(id),
        false => Err(fault::invalid_argument(argument)),
    }
}

fn intervals(kind: ServerKind) -> impl Iterator<Item = &'static Interval> {
    let count = match kind {
        ServerKind::Esx => 1,
        ServerKind::VCenter => HISTORY.len(),
    };
    HISTORY.iter().take(count)
}

/// The setting of a vCenter that limits the metrics of historical queries, and nothing else.
const MAX_QUERY_METRICS: &str = "config.vpxd.stats.maxQueryMetrics";

/// The limit, as vCenters have it unless somebody changes it.
fn most_metrics(world: &World) -> Option<usize> {
    if world.kind() == ServerKind::Esx || !world.since("6.0") {
        return None;
    }
    Some(if world.since("6.5") { 256 } else { 64 })
}

/// The settings of a server that concern counters.
pub(crate) fn settings(world: &World) -> Vec<Poly<OptionValue>> {
    let most = most_metrics(world).and_then(|most| i32::try_from(most).ok());
    let most = most.map(|most| option_manager::number(MAX_QUERY_METRICS, most));
    most.into_iter().collect()
}

fn check_entity(world: &World, entity: &ManagedObjectReference) -> Result<(), SoapFault> {
    match world.read::<properties::ManagedEntity>(entity) {
        Some(_) => Ok(()),
        None => Err(fault::managed_object_not_found(entity)),
    }
}

fn has_measurements(entity: &ManagedObjectReference) -> bool {
    matches!(entity.r#type.as_str(), "VirtualMachine" | "HostSystem")
}

/// The manager of a server.
pub(crate) fn properties(kind: ServerKind) -> properties::PerformanceManager {
    let elements = |values: &str| values.split_whitespace().map(|key| element(key, key)).collect();
    let intervals = (1..).zip(intervals(kind)).map(|(key, interval)| PerfInterval {
        key,
        sampling_period: i32::try_from(interval.seconds).unwrap_or(i32::MAX),
        name: match kind {
            ServerKind::Esx => "PastDay",
            ServerKind::VCenter => interval.name,
        }
        .to_owned(),
        length: match kind {
            // A host keeps a day and a half.
            ServerKind::Esx => 129_600,
            ServerKind::VCenter => i32::try_from(interval.length).unwrap_or(i32::MAX),
        },
        level: Some(HISTORY_LEVEL),
        enabled: true,
        ..PerfInterval::default()
    });
    properties::PerformanceManager {
        description: Some(
            PerformanceDescription {
                counter_type: elements(PerfSummaryType::VALUES),
                stats_type: elements(PerfStatsType::VALUES),
                ..PerformanceDescription::default()
            }
            .into(),
        ),
        historical_interval: intervals.collect(),
        perf_counter: counters(kind).iter().map(Counter::info).collect(),
        ..properties::PerformanceManager::default()
    }
}
