//! PerformanceManager: counters and their values.

use std::collections::HashMap;
use std::time::Duration;

use esx_sim::{Builder, Simulator};
use vi_types::enums::VirtualMachinePowerState::PoweredOff;
use vi_types::methods::{
    CurrentTime, QueryAvailablePerfMetric, QueryOptions, QueryPerf, QueryPerfCounter,
    QueryPerfCounterByLevel, QueryPerfProviderSummary,
};
use vi_types::objects::{
    HostListSummaryQuickStats, InvalidArgument, InvalidName, ManagedObjectNotFound,
    PerfCounterInfo, PerfEntityMetric, PerfEntityMetricBase, PerfEntityMetricCsv, PerfInterval,
    PerfMetricId, PerfMetricIntSeries, PerfQuerySpec, RestrictedByAdministrator,
    VirtualMachineQuickStats,
};
use vi_types::{Any, DateTime, ManagedObjectReference, Poly, SoapFault};

use crate::client::Client;

/// A time between two measurements: 2026-01-01T00:00:07Z.
const NOW: i64 = 1_767_225_607;

/// A client of a server whose clock stands, and the ids of the counters by their names.
struct Asking {
    client: Client,
    ids: HashMap<String, i32>,
}

impl Asking {
    async fn new(server: Builder) -> Self {
        let simulator = server.build();
        simulator.stop_clock(DateTime::from_epoch_seconds(NOW));
        let client = Client::login(&simulator).await;
        let manager = client.service("perfManager");
        let counters: Vec<PerfCounterInfo> =
            client.value(&manager, "perfCounter").await.cast().unwrap();
        let ids = counters.iter().map(|one| (name(one), one.key)).collect();
        Self { client, ids }
    }

    fn simulator(&self) -> &Simulator {
        &self.client.simulator
    }

    fn vm(&self, name: &str) -> ManagedObjectReference {
        self.simulator().vm(name).unwrap()
    }

    fn host(&self) -> ManagedObjectReference {
        self.simulator().objects("HostSystem").remove(0)
    }

    fn metric(&self, counter: &str, instance: &str) -> PerfMetricId {
        PerfMetricId {
            counter_id: self.ids[counter],
            instance: instance.to_owned(),
            ..PerfMetricId::default()
        }
    }

    /// The latest values of counters, each with an instance.
    fn latest(&self, of: &ManagedObjectReference, metrics: &[(&str, &str)]) -> PerfQuerySpec {
        let metrics = metrics.iter();
        PerfQuerySpec {
            entity: of.clone(),
            interval_id: Some(20),
            max_sample: Some(1),
            metric_id: metrics
                .map(|(counter, part)| self.metric(counter, part))
                .collect(),
            ..PerfQuerySpec::default()
        }
    }

    async fn query(
        &self,
        query_spec: Vec<PerfQuerySpec>,
    ) -> Result<Vec<Poly<PerfEntityMetricBase>>, SoapFault> {
        let request = QueryPerf {
            query_spec,
            ..Default::default()
        };
        self.client.call(&request).await
    }

    /// The samples' times and the series of one entity.
    async fn one(&self, spec: PerfQuerySpec) -> (Vec<i64>, HashMap<(String, String), Vec<i64>>) {
        let answer = self.query(vec![spec]).await.unwrap();
        let Some(metric) = answer.first() else {
            return Default::default();
        };
        let metric = metric.downcast_ref::<PerfEntityMetric>().unwrap();
        let times = metric
            .sample_info
            .iter()
            .map(|sample| sample.timestamp.epoch_seconds().unwrap());
        let series = metric.value.iter().map(|series| {
            let series = series.downcast_ref::<PerfMetricIntSeries>().unwrap();
            let id = &series.base.id;
            let mut names = self.ids.iter();
            let (name, _) = names.find(|(_, known)| **known == id.counter_id).unwrap();
            ((name.clone(), id.instance.clone()), series.value.clone())
        });
        (times.collect(), series.collect())
    }

    /// The latest value of a counter.
    async fn value(&self, of: &ManagedObjectReference, counter: &str, part: &str) -> Option<i64> {
        let (_, series) = self.one(self.latest(of, &[(counter, part)])).await;
        let values = series.get(&(counter.to_owned(), part.to_owned()))?;
        assert_eq!(values.len(), 1);
        values.first().copied()
    }

    async fn stats(&self, vm: &ManagedObjectReference) -> VirtualMachineQuickStats {
        let stats = self.client.value(vm, "summary.quickStats").await;
        stats.cast().unwrap()
    }
}

fn name(counter: &PerfCounterInfo) -> String {
    format!(
        "{}.{}.{}",
        counter.group_info.key,
        counter.name_info.key,
        vi_types::Enum::as_str(&counter.rollup_type)
    )
}

#[tokio::test]
async fn an_esx_host_and_a_vcenter_have_other_ids_and_other_counters() {
    let esx = Asking::new(Simulator::esx()).await;
    let vcenter = Asking::new(Simulator::vcenter()).await;
    for (counter, on_esx, on_vcenter) in [
        ("cpu.usage.average", Some(1), Some(2)),
        ("mem.usage.average", Some(65_537), Some(16)),
        ("net.bytesRx.average", Some(196_612), None),
        ("virtualDisk.read.average", Some(589_825), None),
        ("power.power.average", Some(720_897), None),
        ("sys.heartbeat.latest", Some(262_147), None),
    ] {
        assert_eq!(esx.ids.get(counter).copied(), on_esx, "{counter}");
        if on_vcenter.is_some() {
            assert_eq!(vcenter.ids.get(counter).copied(), on_vcenter, "{counter}");
        }
    }
    assert!(vcenter.ids.contains_key("sys.heartbeat.summation"));
    assert!(!vcenter.ids.contains_key("sys.heartbeat.latest"));
}

#[tokio::test]
async fn counters_are_described_by_id_and_by_level() {
    let asking = Asking::new(Simulator::vcenter()).await;
    let client = &asking.client;
    let request = |ids: &[i32]| QueryPerfCounter {
        counter_id: ids.to_vec(),
        ..Default::default()
    };
    let ids = [
        asking.ids["cpu.ready.summation"],
        asking.ids["cpu.usage.average"],
    ];
    let found = client.call(&request(&ids)).await.unwrap();
    assert_eq!(
        found.iter().map(name).collect::<Vec<_>>(),
        ["cpu.ready.summation", "cpu.usage.average"]
    );
    let ready = &found[0];
    assert_eq!(ready.unit_info.key, "millisecond");
    assert_eq!(vi_types::Enum::as_str(&ready.stats_type), "delta");
    assert_eq!((ready.level, ready.per_device_level), (Some(1), Some(3)));
    assert!(ready.name_info.label.starts_with("Ready"));
    let fault = client.call(&request(&[4711])).await.unwrap_err();
    assert!(fault.is::<InvalidArgument>());

    let mut before = 0;
    for level in 1..=4 {
        let request = QueryPerfCounterByLevel {
            level,
            ..Default::default()
        };
        let found = client.call(&request).await.unwrap();
        assert!(found.iter().all(|counter| counter.level <= Some(level)));
        assert!(found.len() > before, "{level}");
        before = found.len();
    }
    assert_eq!(before, asking.ids.len());
    for level in [0, 5] {
        let request = QueryPerfCounterByLevel {
            level,
            ..Default::default()
        };
        assert!(client.call(&request).await.is_err());
    }
}

#[tokio::test]
async fn machines_and_hosts_are_measured_every_20_seconds_and_other_entities_are_not() {
    let asking = Asking::new(Simulator::vcenter()).await;
    let summary = async |entity: &ManagedObjectReference| {
        let request = QueryPerfProviderSummary {
            entity: entity.clone(),
            ..Default::default()
        };
        asking.client.call(&request).await
    };
    for entity in [asking.vm("web01"), asking.host()] {
        let summary = summary(&entity).await.unwrap();
        assert_eq!(summary.refresh_rate, Some(20));
        assert!(summary.current_supported && summary.summary_supported);
    }
    let store = asking.simulator().objects("Datastore").remove(0);
    let summarised = summary(&store).await.unwrap();
    assert_eq!(summarised.refresh_rate, None);
    assert!(!summarised.current_supported && summarised.summary_supported);
    let manager = asking.client.service("perfManager");
    let fault = summary(&manager).await.unwrap_err();
    assert!(fault.is::<ManagedObjectNotFound>());
    let intervals = asking.client.value(&manager, "historicalInterval").await;
    let intervals: Vec<PerfInterval> = intervals.cast().unwrap();
    let intervals: Vec<_> = intervals.iter().map(|one| one.sampling_period).collect();
    assert_eq!(intervals, [300, 1800, 7200, 86_400]);
}

#[tokio::test]
async fn counters_agree_with_quick_stats() {
    for live in [false, true] {
        let asking = Asking::new(Simulator::esx().live(live)).await;
        let vm = asking.vm("web01");
        for _ in 0..3 {
            let stats = asking.stats(&vm).await;
            for (counter, shown) in [
                ("cpu.usagemhz.average", stats.overall_cpu_usage.unwrap()),
                ("cpu.demand.average", stats.overall_cpu_demand.unwrap()),
                (
                    "mem.active.average",
                    stats.guest_memory_usage.unwrap() * 1024,
                ),
                (
                    "mem.consumed.average",
                    stats.host_memory_usage.unwrap() * 1024,
                ),
                ("mem.granted.average", stats.granted_memory.unwrap() * 1024),
                (
                    "mem.vmmemctl.average",
                    stats.ballooned_memory.unwrap() * 1024,
                ),
                ("mem.swapped.average", stats.swapped_memory.unwrap() * 1024),
                ("sys.uptime.latest", stats.uptime_seconds.unwrap()),
            ] {
                let value = asking.value(&vm, counter, "").await;
                assert_eq!(value, Some(i64::from(shown)), "{counter}, live {live}");
            }
            let host = asking.host();
            let stats = asking.client.value(&host, "summary.quickStats").await;
            let stats: HostListSummaryQuickStats = stats.cast().unwrap();
            let value = asking.value(&host, "cpu.usagemhz.average", "").await;
            assert_eq!(value, stats.overall_cpu_usage.map(i64::from));
            asking.simulator().advance_clock(Duration::from_secs(20));
        }
    }
}

#[tokio::test]
async fn quick_stats_of_a_live_server_change_with_its_clock() {
    for (live, changes) in [(false, 0), (true, 3)] {
        let asking = Asking::new(Simulator::vcenter().live(live)).await;
        let vm = asking.vm("web01");
        let mut before = asking.stats(&vm).await;
        let mut changed = 0;
        for _ in 0..3 {
            asking.simulator().advance_clock(Duration::from_secs(20));
            let now = asking.stats(&vm).await;
            let single = asking
                .client
                .value(&vm, "summary.quickStats.overallCpuUsage")
                .await;
            assert_eq!(single.cast::<i32>().ok(), now.overall_cpu_usage);
            changed += i32::from(now != before);
            before = now;
        }
        assert_eq!(changed, changes, "live {live}");
    }
}

#[tokio::test]
async fn quick_stats_that_a_test_sets_are_what_counters_say() {
    let asking = Asking::new(Simulator::esx()).await;
    let vm = asking.vm("web01");
    let change = |vm: &mut vi_types::properties::VirtualMachine| {
        let summary = vm.summary.as_deref_mut().unwrap();
        summary.quick_stats.overall_cpu_usage = Some(1234);
        summary.quick_stats.ballooned_memory = Some(7);
    };
    asking.simulator().change(&vm, change).unwrap();
    assert_eq!(
        asking.value(&vm, "cpu.usagemhz.average", "").await,
        Some(1234)
    );
    assert_eq!(
        asking.value(&vm, "mem.vmmemctl.average", "").await,
        Some(7168)
    );
}

#[tokio::test]
async fn a_test_can_set_a_value() {
    let asking = Asking::new(Simulator::esx()).await;
    let vm = asking.vm("web01");
    let simulator = asking.simulator();
    simulator.set_counter(&vm, "net.bytesRx.average", "4000", 77);
    assert_eq!(
        asking.value(&vm, "net.bytesRx.average", "4000").await,
        Some(77)
    );
    simulator.advance_clock(Duration::from_secs(20));
    assert_eq!(
        asking.value(&vm, "net.bytesRx.average", "4000").await,
        Some(77)
    );
    assert_ne!(
        asking.value(&vm, "net.bytesTx.average", "4000").await,
        Some(77)
    );
}

#[tokio::test]
async fn values_are_the_same_in_every_run_and_change_with_time() {
    let counters = [
        "net.bytesRx.average",
        "net.bytesTx.average",
        "disk.read.average",
        "disk.write.average",
        "cpu.ready.summation",
    ];
    let all = counters.map(|counter| (counter, ""));
    let one = Asking::new(Simulator::esx()).await;
    let other = Asking::new(Simulator::esx()).await;
    let vm = one.vm("web01");
    let spec = one.latest(&vm, &all);
    let now = one.one(spec.clone()).await;
    assert_eq!(now.0, [NOW / 20 * 20]);
    assert_eq!(now, other.one(spec.clone()).await);
    one.simulator().advance_clock(Duration::from_secs(60));
    let later = one.one(spec).await;
    for counter in counters {
        let key = (counter.to_owned(), String::new());
        assert_ne!(now.1[&key], later.1[&key], "{counter}");
    }
}

#[tokio::test]
async fn the_whole_is_the_sum_of_its_instances() {
    let asking = Asking::new(Simulator::vcenter()).await;
    let mut parts = 0;
    for entity in [asking.vm("web01"), asking.vm("db01"), asking.host()] {
        for counter in [
            "cpu.used.summation",
            "net.bytesRx.average",
            "net.packetsTx.summation",
            "net.droppedRx.summation",
        ] {
            let (_, series) = asking.one(asking.latest(&entity, &[(counter, "*")])).await;
            let whole = &series[&(counter.to_owned(), String::new())];
            let named = series.iter().filter(|((_, part), _)| !part.is_empty());
            let sum: i64 = named.clone().map(|(_, values)| values[0]).sum();
            parts += named.count();
            assert_eq!(whole, &[sum], "{counter} of {entity:?}");
        }
    }
    assert!(parts > 12, "{parts}");
}

#[tokio::test]
async fn instances_are_named_as_servers_name_them() {
    let asking = Asking::new(Simulator::esx()).await;
    for (entity, counter, wanted) in [
        (
            asking.vm("web01"),
            "cpu.used.summation",
            ["", "0", "1"].as_slice(),
        ),
        (asking.vm("web01"), "net.bytesRx.average", &["", "4000"]),
        (asking.vm("web01"), "virtualDisk.read.average", &["scsi0:0"]),
        (asking.vm("web01"), "mem.active.average", &[""]),
        (
            asking.host(),
            "net.bytesRx.average",
            &["", "vmnic0", "vmnic1"],
        ),
    ] {
        let request = QueryAvailablePerfMetric {
            entity: entity.clone(),
            interval_id: Some(20),
            ..Default::default()
        };
        let available = asking.client.call(&request).await.unwrap();
        let id = asking.ids[counter];
        let available = available.iter().filter(|one| one.counter_id == id);
        let available: Vec<_> = available.map(|one| one.instance.as_str()).collect();
        assert_eq!(available, wanted, "{counter}");
        let (_, series) = asking.one(asking.latest(&entity, &[(counter, "*")])).await;
        let mut found: Vec<_> = series.keys().map(|(_, part)| part.as_str()).collect();
        found.sort_unstable();
        assert_eq!(found, wanted, "{counter}");
        for part in wanted {
            let value = asking.value(&entity, counter, part).await;
            assert!(value.is_some(), "{counter} {part:?}");
        }
        assert_eq!(asking.value(&entity, counter, "none").await, None);
    }
}

#[tokio::test]
async fn what_an_entity_does_not_have_is_left_out() {
    let asking = Asking::new(Simulator::esx()).await;
    let vm = asking.vm("web01");
    let mut spec = asking.latest(
        &vm,
        &[("cpu.usage.average", ""), ("cpu.utilization.average", "")],
    );
    spec.metric_id.push(PerfMetricId {
        counter_id: 4711,
        ..PerfMetricId::default()
    });
    let (_, series) = asking.one(spec.clone()).await;
    assert_eq!(series.len(), 1);

    let off = asking.vm("db01");
    asking.simulator().set_power_state(&off, PoweredOff);
    let missing = PerfQuerySpec {
        entity: off.clone(),
        ..spec.clone()
    };
    let answer = asking.query(vec![missing, spec.clone()]).await.unwrap();
    assert_eq!(answer.len(), 1);
    assert_eq!(answer[0].entity, vm);

    let gone = ManagedObjectReference::new("VirtualMachine", "4711");
    let gone = PerfQuerySpec {
        entity: gone,
        ..spec
    };
    let fault = asking.query(vec![gone]).await.unwrap_err();
    assert!(fault.is::<ManagedObjectNotFound>());
}

#[tokio::test]
async fn without_metrics_everything_is_answered() {
    let asking = Asking::new(Simulator::esx()).await;
    let spec = PerfQuerySpec {
        entity: asking.vm("web01"),
        max_sample: Some(1),
        ..PerfQuerySpec::default()
    };
    let (_, series) = asking.one(spec).await;
    let request = QueryAvailablePerfMetric {
        entity: asking.vm("web01"),
        ..Default::default()
    };
    let available = asking.client.call(&request).await.unwrap();
    assert_eq!(series.len(), available.len());
    assert!(series.len() > 70, "{}", series.len());
}

#[tokio::test]
async fn samples_lie_after_the_start_and_not_after_the_end() {
    let asking = Asking::new(Simulator::esx()).await;
    let last = NOW / 20 * 20;
    let time = |seconds: i64| Some(DateTime::from_epoch_seconds(seconds));
    let all: Vec<i64> = (0..180).map(|index| last - 20 * (179 - index)).collect();
    for (start, end, most, wanted) in [
        (None, None, None, all.clone()),
        (None, None, Some(2), vec![last - 20, last]),
        (time(last - 40), None, None, vec![last - 20, last]),
        (
            time(last - 41),
            time(last - 20),
            None,
            vec![last - 40, last - 20],
        ),
        (time(last - 100), time(last - 20), Some(1), vec![last - 20]),
        (time(last), None, None, vec![]),
        (None, time(last - 3600), None, vec![]),
        (time(last - 7200), None, None, all),
    ] {
        let spec = PerfQuerySpec {
            start_time: start.clone(),
            end_time: end.clone(),
            max_sample: most,
            ..asking.latest(&asking.vm("web01"), &[("cpu.usage.average", "")])
        };
        let (times, series) = asking.one(spec).await;
        assert_eq!(times, wanted, "{start:?} {end:?} {most:?}");
        assert!(series.values().all(|values| values.len() == times.len()));
    }
}

#[tokio::test]
async fn csv_has_the_same_values() {
    let asking = Asking::new(Simulator::esx()).await;
    let spec = PerfQuerySpec {
        max_sample: Some(2),
        ..asking.latest(&asking.vm("web01"), &[("net.bytesRx.average", "*")])
    };
    let (_, normal) = asking.one(spec.clone()).await;
    let csv = PerfQuerySpec {
        format: Some("csv".to_owned()),
        ..spec.clone()
    };
    let answer = asking.query(vec![csv]).await.unwrap();
    let csv = answer[0].downcast_ref::<PerfEntityMetricCsv>().unwrap();
    assert_eq!(
        csv.sample_info_csv,
        "20,2025-12-31T23:59:40Z,20,2026-01-01T00:00:00Z"
    );
    assert_eq!(csv.value.len(), 2);
    for series in &csv.value {
        let key = (
            "net.bytesRx.average".to_owned(),
            series.base.id.instance.clone(),
        );
        let values: Vec<_> = normal[&key].iter().map(i64::to_string).collect();
        assert_eq!(series.value, Some(values.join(",")));
    }
    let unknown = PerfQuerySpec {
        format: Some("json".to_owned()),
        ..spec
    };
    let fault = asking.query(vec![unknown]).await.unwrap_err();
    assert!(fault.is::<InvalidArgument>());
}

#[tokio::test]
async fn the_order_of_answers_is_the_servers() {
    let asking = Asking::new(Simulator::esx()).await;
    let web = asking.latest(
        &asking.vm("web01"),
        &[("mem.active.average", ""), ("cpu.usage.average", "")],
    );
    let host = asking.latest(&asking.host(), &[("cpu.usage.average", "")]);
    let one = asking.query(vec![web.clone(), host.clone()]).await.unwrap();
    let other = asking.query(vec![host, web.clone()]).await.unwrap();
    assert_eq!(one, other);
    let of_web = one
        .iter()
        .find(|metric| metric.entity == web.entity)
        .unwrap();
    let of_web = of_web.downcast_ref::<PerfEntityMetric>().unwrap();
    let ids: Vec<_> = of_web
        .value
        .iter()
        .map(|series| series.id.counter_id)
        .collect();
    assert_eq!(
        ids,
        [
            asking.ids["cpu.usage.average"],
            asking.ids["mem.active.average"]
        ]
    );
}

#[tokio::test]
async fn a_vcenter_limits_historical_queries() {
    let vcenter = Asking::new(Simulator::vcenter().vms(200)).await;
    let options = |name: &str| QueryOptions {
        name: Some(name.to_owned()),
        ..Default::default()
    };
    let limit = options("config.vpxd.stats.maxQueryMetrics");
    let found = vcenter.client.call(&limit).await.unwrap();
    assert_eq!(found[0].value, Some(Any::Int(256)));
    let fault = vcenter
        .client
        .call(&options("config.none"))
        .await
        .unwrap_err();
    assert!(fault.is::<InvalidName>());

    let counters = [
        "cpu.usage.average",
        "cpu.usagemhz.average",
        "mem.usage.average",
    ];
    let running = |asking: &Asking| {
        let vms = asking.simulator().objects("VirtualMachine");
        let counters = counters.map(|counter| (counter, ""));
        let specs = vms.iter().map(|vm| asking.latest(vm, &counters));
        specs.collect::<Vec<_>>()
    };
    let real_time = running(&vcenter);
    let answered = vcenter.query(real_time.clone()).await.unwrap().len();
    assert!(answered * counters.len() > 256, "{answered} machines run");
    let historical = |specs: &[PerfQuerySpec]| -> Vec<PerfQuerySpec> {
        let specs = specs.iter().map(|spec| PerfQuerySpec {
            interval_id: Some(300),
            ..spec.clone()
        });
        specs.collect()
    };
    let fault = vcenter.query(historical(&real_time)).await.unwrap_err();
    assert!(fault.is::<RestrictedByAdministrator>());
    assert_eq!(
        fault.string,
        "This operation is restricted by the administrator - 'config.vpxd.stats.maxQueryMetrics'"
    );
    let few = historical(&real_time[..20]);
    let answer = vcenter.query(few).await.unwrap();
    let metric = answer[0].downcast_ref::<PerfEntityMetric>().unwrap();
    // maxSample is ignored.
    assert_eq!(metric.sample_info.len(), 288);

    let esx = Asking::new(Simulator::esx().vms(200)).await;
    let answer = esx.query(historical(&running(&esx))).await.unwrap();
    assert!(answer.len() * counters.len() > 256);
}

#[tokio::test]
async fn mistakes_in_specifications_are_faults() {
    let asking = Asking::new(Simulator::esx()).await;
    let right = asking.latest(&asking.vm("web01"), &[("cpu.usage.average", "")]);
    let time = |seconds: i64| Some(DateTime::from_epoch_seconds(seconds));
    for wrong in [
        PerfQuerySpec {
            interval_id: Some(7200),
            ..right.clone()
        },
        PerfQuerySpec {
            max_sample: Some(0),
            ..right.clone()
        },
        PerfQuerySpec {
            start_time: time(NOW),
            end_time: time(NOW - 60),
            ..right
        },
    ] {
        let fault = asking.query(vec![wrong]).await.unwrap_err();
        assert!(fault.is::<InvalidArgument>());
    }
}

#[tokio::test]
async fn the_clock_can_be_stopped_and_advanced() {
    let asking = Asking::new(Simulator::esx()).await;
    let instance = ManagedObjectReference::new("ServiceInstance", "ServiceInstance");
    let now = async || {
        let request = CurrentTime::default();
        let time = asking.client.call_on(&instance, &request).await.unwrap();
        time.epoch_seconds().unwrap()
    };
    assert_eq!(now().await, NOW);
    asking.simulator().advance_clock(Duration::from_secs(90));
    assert_eq!(now().await, NOW + 90);
    let clock = asking.client.value(&instance, "serverClock").await;
    assert_eq!(clock, Any::DateTime(DateTime::from_epoch_seconds(NOW + 90)));
}
