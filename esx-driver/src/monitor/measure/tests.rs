use vi_types::Poly;
use vi_types::objects::{
    PerfEntityMetric, PerfEntityMetricBase, PerfEntityMetricCsv, PerfMetricId, PerfMetricIntSeries,
    PerfMetricSeries, PerfMetricSeriesCsv, PerfSampleInfo,
};

use super::*;
use crate::monitor::counters::Wanted;
use crate::monitor::snapshot::{MonitoredDisk, MonitoredInterface};

/// The counters of the tests; a counter's id is its place.
const NAMES: [&str; 9] = [
    "cpu.usage.average",
    "cpu.used.summation",
    "net.bytesRx.average",
    "net.packetsRx.summation",
    "virtualDisk.read.average",
    "virtualDisk.numberReadAveraged.average",
    "virtualDisk.totalReadLatency.average",
    "cpu.ready.summation",
    "virtualDisk.totalWriteLatency.average",
];

fn wanted() -> Wanted {
    let ids = NAMES.iter().map(|name| (*name).to_owned()).zip(0..);
    Wanted::of_domains(&ids.collect())
}

fn id(series: &str) -> PerfMetricId {
    let (name, instance) = series.split_once('/').unwrap();
    let id = NAMES
        .iter()
        .position(|known| known.ends_with(name))
        .unwrap();
    PerfMetricId {
        counter_id: i32::try_from(id).unwrap(),
        instance: instance.to_owned(),
        ..PerfMetricId::default()
    }
}

/// An answer with samples at these seconds, and series `name/instance` with their values.
fn csv(seconds: &[i64], series: &[(&str, &str)]) -> Poly<PerfEntityMetricBase> {
    let time = |seconds: &i64| format!("20,{}", DateTime::from_epoch_seconds(*seconds));
    let times: Vec<_> = seconds.iter().map(time).collect();
    let value = |(series, values): &(&str, &str)| PerfMetricSeriesCsv {
        base: PerfMetricSeries {
            id: id(series),
            ..PerfMetricSeries::default()
        },
        value: Some((*values).to_owned()),
        ..PerfMetricSeriesCsv::default()
    };
    Poly::new(PerfEntityMetricCsv {
        sample_info_csv: times.join(","),
        value: series.iter().map(value).collect(),
        ..PerfEntityMetricCsv::default()
    })
}

/// The same in the other format.
fn normal(seconds: &[i64], series: &[(&str, &[i64])]) -> Poly<PerfEntityMetricBase> {
    let info = |seconds: &i64| PerfSampleInfo {
        timestamp: DateTime::from_epoch_seconds(*seconds),
        interval: 20,
        ..PerfSampleInfo::default()
    };
    let value = |(series, values): &(&str, &[i64])| {
        Poly::new(PerfMetricIntSeries {
            base: PerfMetricSeries {
                id: id(series),
                ..PerfMetricSeries::default()
            },
            value: values.to_vec(),
            ..PerfMetricIntSeries::default()
        })
    };
    Poly::new(PerfEntityMetric {
        sample_info: seconds.iter().map(info).collect(),
        value: series.iter().map(value).collect(),
        ..PerfEntityMetric::default()
    })
}

fn take(measures: &mut Measures, answer: &Poly<PerfEntityMetricBase>) -> u64 {
    measures.take(&Samples::read(answer, &wanted()))
}

/// A domain with a disk and a card, with the measurements.
fn shown(measures: &Measures) -> MonitoredDomain {
    let mut domain = MonitoredDomain {
        disks: vec![MonitoredDisk {
            instance: "scsi0:0".to_owned(),
            ..MonitoredDisk::default()
        }],
        interfaces: vec![MonitoredInterface {
            instance: "4000".to_owned(),
            ..MonitoredInterface::default()
        }],
        ..MonitoredDomain::default()
    };
    measures.show(&mut domain);
    domain
}

fn received(measures: &Measures) -> (Option<f64>, Option<u64>) {
    let domain = shown(measures);
    (
        domain.interfaces[0].rx_bytes_rate,
        domain.interfaces[0].rx_bytes,
    )
}

#[test]
fn numbers_have_libvirts_units() {
    let mut measures = Measures::default();
    take(&mut measures, &csv(&[20], &[]));
    let answer = csv(
        &[40],
        &[
            ("cpu.usage.average/", "2500"),
            ("cpu.used.summation/", "9000"),
            ("cpu.used.summation/1", "5000"),
            ("cpu.ready.summation/1", "100"),
            ("net.bytesRx.average/4000", "3"),
            ("net.packetsRx.summation/4000", "40"),
            ("virtualDisk.read.average/scsi0:0", "10"),
            ("numberReadAveraged.average/scsi0:0", "7"),
            ("totalReadLatency.average/scsi0:0", "2"),
        ],
    );
    assert_eq!(take(&mut measures, &answer), 1);
    let domain = shown(&measures);
    assert_eq!(domain.counter("cpu.usage.average"), Some(2500));
    assert_eq!(domain.cpu_ratio(), Some(0.25));
    assert_eq!(domain.cpu_time_ns, Some(9_000_000_000));
    assert_eq!(domain.sampled, Some(DateTime::from_epoch_seconds(40)));
    let vcpu = MonitoredVcpu {
        number: 1,
        usage_ratio: Some(0.25),
        time_ns: Some(5_000_000_000),
        ready_ns: Some(100_000_000),
        idle_ns: None,
        wait_ns: None,
    };
    assert_eq!(domain.processors, [vcpu]);
    let card = &domain.interfaces[0];
    assert_eq!(
        (card.rx_bytes_rate, card.rx_bytes),
        (Some(3072.0), Some(61_440))
    );
    assert_eq!(
        (card.rx_packets_rate, card.rx_packets),
        (Some(2.0), Some(40))
    );
    // What the server does not have is not 0.
    assert_eq!((card.tx_bytes_rate, card.tx_bytes), (None, None));
    let disk = &domain.disks[0];
    assert_eq!(
        (disk.read_bytes_rate, disk.read_bytes),
        (Some(10_240.0), Some(204_800))
    );
    assert_eq!(
        (disk.read_requests_rate, disk.read_requests),
        (Some(7.0), Some(140))
    );
    // 140 requests of 2 ms.
    assert_eq!(
        (disk.read_latency_seconds, disk.read_time_ns),
        (Some(0.002), Some(280_000_000))
    );
    assert_eq!((disk.write_requests, disk.write_time_ns), (None, None));
    assert_eq!(domain.read_bytes_rate(), Some(10_240.0));
}

#[test]
fn totals_begin_at_zero_and_have_each_sample_once() {
    let mut measures = Measures::default();
    let net = "net.bytesRx.average/4000";
    // What happened before does not count.
    assert_eq!(take(&mut measures, &csv(&[20], &[(net, "100")])), 1);
    assert_eq!(received(&measures), (Some(102_400.0), Some(0)));
    assert_eq!(take(&mut measures, &csv(&[40], &[(net, "1")])), 1);
    assert_eq!(received(&measures), (Some(1024.0), Some(20_480)));
    // The same again, and one that overlaps.
    assert_eq!(take(&mut measures, &csv(&[40], &[(net, "1")])), 0);
    assert_eq!(
        take(&mut measures, &csv(&[20, 40, 60], &[(net, "100,1,2")])),
        1
    );
    assert_eq!(received(&measures), (Some(2048.0), Some(61_440)));
    // Nothing new: the rate stays.
    assert_eq!(take(&mut measures, &csv(&[], &[])), 0);
    assert_eq!(received(&measures), (Some(2048.0), Some(61_440)));
}

#[test]
fn a_gap_makes_no_spike() {
    let mut measures = Measures::default();
    let net = "net.bytesRx.average/4000";
    take(&mut measures, &csv(&[20], &[(net, "1")]));
    // Two hours later, only the last two samples are there.
    take(&mut measures, &csv(&[7220, 7240], &[(net, "3,1")]));
    assert_eq!(received(&measures), (Some(1024.0), Some(81_920)));
}

#[test]
fn missed_samples_are_left_out() {
    let mut measures = Measures::default();
    let net = "net.bytesRx.average/4000";
    take(&mut measures, &csv(&[20], &[(net, "1")]));
    // The newest that there is makes the rate.
    take(&mut measures, &csv(&[40, 60, 80], &[(net, "1,-1,")]));
    assert_eq!(received(&measures), (Some(1024.0), Some(20_480)));
    // None at all, or too few values.
    take(&mut measures, &csv(&[100], &[(net, "-1")]));
    assert_eq!(received(&measures), (None, Some(20_480)));
    take(&mut measures, &csv(&[120, 140], &[(net, "1")]));
    assert_eq!(received(&measures), (Some(1024.0), Some(40_960)));
}

#[test]
fn both_formats_say_the_same() {
    let (mut one, mut other) = (Measures::default(), Measures::default());
    for measures in [&mut one, &mut other] {
        take(measures, &csv(&[20], &[]));
    }
    let read = "virtualDisk.read.average/scsi0:0";
    take(
        &mut one,
        &csv(&[40, 60], &[("cpu.usage.average/", "1,2"), (read, "5,-1")]),
    );
    take(
        &mut other,
        &normal(
            &[40, 60],
            &[("cpu.usage.average/", &[1, 2]), (read, &[5, -1])],
        ),
    );
    assert_eq!(shown(&one), shown(&other));
    assert_eq!(shown(&one).disks[0].read_bytes, Some(102_400));
}

#[test]
fn a_domain_that_stops_keeps_its_totals() {
    let mut measures = Measures::default();
    let series = [
        ("net.bytesRx.average/4000", "1"),
        ("cpu.usage.average/", "5"),
    ];
    take(&mut measures, &csv(&[20], &series));
    take(&mut measures, &csv(&[40], &series));
    measures.stop();
    let domain = shown(&measures);
    assert_eq!((domain.sampled, domain.counters.len()), (None, 0));
    assert_eq!(received(&measures), (None, Some(20_480)));
    // It starts again: the samples since then count.
    take(
        &mut measures,
        &csv(&[400, 420], &[("net.bytesRx.average/4000", "1,1")]),
    );
    assert_eq!(received(&measures), (Some(1024.0), Some(61_440)));
}

#[test]
fn an_object_that_comes_later_counts_from_its_beginning() {
    let moref = ManagedObjectReference::new("VirtualMachine", "7");
    let mut first = Measures::default();
    assert_eq!(first.question(&moref, None).after, None);
    let mut later = Measures::default();
    assert_eq!(later.question(&moref, Some(100)).after, Some(100));
    take(
        &mut later,
        &csv(&[100, 120], &[("net.bytesRx.average/4000", "9,1")]),
    );
    assert_eq!(received(&later), (Some(1024.0), Some(20_480)));
    assert_eq!(later.question(&moref, Some(200)).after, Some(120));
}

#[test]
fn a_clock_that_was_set_back_is_noticed() {
    let moref = ManagedObjectReference::new("VirtualMachine", "7");
    let mut measures = Measures::default();
    assert_eq!(measures.question(&moref, None).after, None);
    let net = "net.bytesRx.average/4000";
    take(&mut measures, &csv(&[1000], &[(net, "1")]));
    take(&mut measures, &csv(&[1020], &[(net, "1")]));
    for _ in 0..SILENCE {
        measures.nothing_new();
        assert_eq!(measures.question(&moref, None).after, Some(1020));
    }
    measures.nothing_new();
    assert_eq!(measures.question(&moref, None).after, None);
    assert_eq!(received(&measures), (None, Some(20_480)));
    // The newest by the other clock is a beginning.
    take(&mut measures, &csv(&[40], &[(net, "50")]));
    assert_eq!(received(&measures), (Some(51_200.0), Some(20_480)));
    take(&mut measures, &csv(&[60], &[(net, "1")]));
    assert_eq!(received(&measures), (Some(1024.0), Some(40_960)));
}
