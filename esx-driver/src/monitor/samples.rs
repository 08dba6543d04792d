//! Answers of QueryPerf. No I/O.

use std::collections::HashMap;

use vi_types::objects::{
    PerfEntityMetric, PerfEntityMetricBase, PerfEntityMetricCsv, PerfMetricIntSeries,
};
use vi_types::{DateTime, Poly};

use super::counters::{Counter, Scale, Wanted};

/// The samples of one object.
#[derive(Debug, Default)]
pub(super) struct Samples<'a> {
    /// When the samples were taken; a series has a value for each.
    pub(super) times: Vec<Time>,
    pub(super) series: Vec<Series<'a>>,
}

/// The time of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time {
    /// Its end, in seconds since 1970; unset if the server's text is no date. Such a sample is never new.
    pub(super) seconds: Option<i64>,
    /// Its length in seconds.
    pub(super) length: u32,
}

/// The values of a counter for an object or a part of it.
#[derive(Debug)]
pub(super) struct Series<'a> {
    pub(super) counter: &'static Counter,
    pub(super) instance: &'a str,
    pub(super) values: Vec<i64>,
}

impl Series<'_> {
    /// Whether these are the values of the whole object.
    pub(super) fn is_whole(&self) -> bool {
        self.instance.is_empty()
    }
}

impl<'a> Samples<'a> {
    /// Reads what a server says of an object, in either format. Counters that were not asked for, and values that are no
    /// numbers, are left out.
    pub(super) fn read(metric: &'a Poly<PerfEntityMetricBase>, wanted: &Wanted) -> Samples<'a> {
        if let Some(csv) = metric.cast::<PerfEntityMetricCsv>() {
            let series = csv.value.iter().filter_map(|series| {
                Some(Series {
                    counter: wanted.counter(series.base.id.counter_id)?,
                    instance: instance(&series.base.id.instance),
                    values: numbers(series.value.as_deref().unwrap_or_default()),
                })
            });
            return Samples {
                times: times(&csv.sample_info_csv),
                series: series.collect(),
            };
        }
        let Some(normal) = metric.cast::<PerfEntityMetric>() else {
            return Samples::default();
        };
        let times = normal.sample_info.iter().map(|info| Time {
            seconds: info.timestamp.epoch_seconds().ok(),
            length: u32::try_from(info.interval).unwrap_or(0),
        });
        let series = normal.value.iter().filter_map(|series| {
            let series = series.cast::<PerfMetricIntSeries>()?;
            Some(Series {
                counter: wanted.counter(series.base.id.counter_id)?,
                instance: instance(&series.base.id.instance),
                values: series.value.clone(),
            })
        });
        Samples {
            times: times.collect(),
            series: series.collect(),
        }
    }

    /// The series of requests a second, by instance and slot: latencies are those of a request.
    pub(super) fn requests(&self) -> HashMap<(&str, usize), &Series<'a>> {
        let requests = self.series.iter().filter_map(|series| {
            let (_, slot, scale) = series.counter.track?;
            (scale == Scale::PerSecond).then_some(((series.instance, slot), series))
        });
        requests.collect()
    }
}

/// The instance of a series. govmomi's simulator repeats the question for all instances, and answers for the whole.
fn instance(instance: &str) -> &str {
    match instance {
        "*" => "",
        instance => instance,
    }
}

/// The times of `20,2026-01-01T00:00:20Z,20,2026-01-01T00:00:40Z`. One that cannot be read ends the list.
fn times(csv: &str) -> Vec<Time> {
    let mut words = csv.split(',');
    let time = || {
        let length = words.next()?.trim().parse().ok()?;
        let time: DateTime = words.next()?.trim().parse().ok()?;
        Some(Time {
            seconds: Some(time.epoch_seconds().ok()?),
            length,
        })
    };
    std::iter::from_fn(time).collect()
}

/// The numbers of `1,2,,-1`. A sample that was missed is empty or -1.
fn numbers(csv: &str) -> Vec<i64> {
    if csv.is_empty() {
        return Vec::new();
    }
    let words = csv.split(',');
    words
        .map(|word| word.trim().parse().unwrap_or(-1))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_samples() {
        let time = |seconds, length| Time {
            seconds: Some(seconds),
            length,
        };
        for (csv, expected) in [
            ("", vec![]),
            ("20,1970-01-01T00:00:20Z", vec![time(20, 20)]),
            (
                "20,1970-01-01T00:00:20Z,300,1970-01-01T01:05:00+01:00",
                vec![time(20, 20), time(300, 300)],
            ),
            ("20,1970-01-01T00:00:20Z,20", vec![time(20, 20)]),
            ("20,yesterday,20,1970-01-01T00:00:20Z", vec![]),
        ] {
            assert_eq!(times(csv), expected, "{csv}");
        }
    }

    #[test]
    fn values_of_samples() {
        for (csv, expected) in [
            ("", vec![]),
            ("7", vec![7]),
            ("1,-1,,3", vec![1, -1, -1, 3]),
            ("1, 2,x", vec![1, 2, -1]),
        ] {
            assert_eq!(numbers(csv), expected, "{csv}");
        }
    }
}
