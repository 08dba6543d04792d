//! Performance counters: rates and totals.

use esx_driver::MonitoredDisk;
use esx_sim::{Effect, Rule};
use vi_types::methods::{QueryPerf, QueryPerfCounter};
use vi_types::objects::{
    InvalidArgument, ManagedObjectNotFound, PerfEntityMetric, PerfMetricId, PerfMetricIntSeries,
    PerfQuerySpec, RestrictedByAdministrator,
};
use vi_types::{DataObject, ManagedObjectReference, SoapFault};

use super::*;

/// The samples after `NOON` of a counter, as the server gives them one by one.
async fn samples(
    connect: &Connect,
    entity: &ManagedObjectReference,
    counter_id: i32,
    instance: &str,
) -> Vec<i64> {
    let spec = PerfQuerySpec {
        entity: entity.clone(),
        start_time: Some(DateTime::from_epoch_seconds(NOON)),
        metric_id: vec![PerfMetricId {
            counter_id,
            instance: instance.to_owned(),
            ..PerfMetricId::default()
        }],
        interval_id: Some(20),
        ..PerfQuerySpec::default()
    };
    let request = QueryPerf {
        query_spec: vec![spec],
        ..QueryPerf::default()
    };
    let found = connect.client().call(&request).await.unwrap();
    let metric = found[0].cast::<PerfEntityMetric>().unwrap();
    let series = metric.value[0].cast::<PerfMetricIntSeries>().unwrap();
    series.value.clone()
}

/// The id of a counter, which the simulated host numbers by groups.
async fn counter(connect: &Connect, group: &str, name: &str) -> i32 {
    for first in [0, 65_536, 131_072, 196_608, 589_824] {
        for id in first..first + 40 {
            let request = QueryPerfCounter {
                counter_id: vec![id],
                ..QueryPerfCounter::default()
            };
            let Ok(found) = connect.client().call(&request).await else {
                continue;
            };
            if found[0].group_info.key == group && found[0].name_info.key == name {
                return id;
            }
        }
    }
    panic!("no counter {group}.{name}");
}

#[tokio::test(start_paused = true)]
async fn totals_are_the_sums_of_all_samples() {
    let simulator = Simulator::esx().build();
    let (connect, monitor) = monitor_of(&simulator, MonitorOptions::default()).await;
    let first = monitor.snapshot();
    assert_eq!(
        first.poll.problem.as_ref().map(|error| error.to_string()),
        None
    );
    let web = domain(&first, "web01");
    assert_eq!(web.sampled.as_ref().unwrap().epoch_seconds().unwrap(), NOON);
    assert_eq!(
        (web.cpu_time_ns, web.disks[0].read_bytes),
        (Some(0), Some(0))
    );
    assert!(web.rx_bytes_rate().unwrap() > 0.0, "{web:#?}");

    // One sample, then three at once, then none.
    polled(&simulator, &monitor).await;
    simulator.advance_clock(Duration::from_secs(40));
    let last = polled(&simulator, &monitor).await;
    let web = domain(&last, "web01");
    assert_eq!(
        web.sampled.as_ref().unwrap().epoch_seconds().unwrap(),
        NOON + 80
    );

    let (moref, connect) = (&web.moref, &connect);
    let sum = async |group, name, instance| {
        let id = counter(connect, group, name).await;
        let values = samples(connect, moref, id, instance).await;
        assert_eq!(values.len(), 4, "{group}.{name}");
        u64::try_from(values.iter().sum::<i64>()).unwrap()
    };
    let cpu = sum("cpu", "used", "").await;
    assert_eq!(web.cpu_time_ns, Some(cpu * 1_000_000));
    let first = sum("cpu", "used", "0").await;
    assert_eq!(web.processors[0].time_ns, Some(first * 1_000_000));
    assert_eq!(web.processors.len(), 2);
    let card = &web.interfaces[0];
    let received = sum("net", "bytesRx", "4000").await;
    assert_eq!(card.rx_bytes, Some(received * 1024 * 20));
    let packets = sum("net", "packetsRx", "4000").await;
    assert_eq!(card.rx_packets, Some(packets));
    let disk: &MonitoredDisk = &web.disks[0];
    let read = sum("virtualDisk", "read", "scsi0:0").await;
    assert_eq!(disk.read_bytes, Some(read * 1024 * 20));
    let requests = sum("virtualDisk", "numberReadAveraged", "scsi0:0").await;
    assert_eq!(disk.read_requests, Some(requests * 20));
    assert!(disk.read_time_ns.is_some() && disk.write_time_ns.is_some());
    // The newest sample.
    let id = counter(connect, "net", "bytesTx").await;
    let sent = samples(connect, moref, id, "4000").await;
    assert_eq!(card.tx_bytes_rate, Some(sent[3] as f64 * 1024.0));
    // Hosts have counters too.
    let host = &last.hosts[0];
    assert!(host.counter("cpu.usage.average").is_some(), "{host:#?}");
}

/// At any number of domains, but for questions that are too long for one request (`query.rs` counts those).
#[tokio::test(start_paused = true)]
async fn a_poll_takes_two_requests() {
    let simulator = Simulator::vcenter().vms(200).build();
    let (_, monitor) = monitor_of(&simulator, MonitorOptions::default()).await;
    simulator.clear_requests();
    for _ in 0..3 {
        let snapshot = polled(&simulator, &monitor).await;
        assert!(snapshot.poll.samples >= 100, "{:?}", snapshot.poll);
        assert!(snapshot.poll.bytes > 100_000, "{:?}", snapshot.poll);
    }
    let mut sent = methods(&simulator);
    sent.retain(|sent| sent != "WaitForUpdatesEx");
    assert_eq!(sent, ["RetrievePropertiesEx", "QueryPerf"].repeat(3));
}

fn refuses(simulator: &Simulator, times: usize, fault: impl DataObject) {
    let fault = SoapFault::new(fault, "refused");
    let rule = Rule::new("QueryPerf", Effect::Fault(Box::new(fault)));
    simulator.inject(rule.times(times));
}

#[tokio::test(start_paused = true)]
async fn servers_that_refuse() {
    let simulator = Simulator::esx().build();
    let (_, monitor) = monitor_of(&simulator, MonitorOptions::default()).await;
    simulator.clear_requests();
    // Less at a time, from then on: half of what was refused, in whole objects.
    refuses(&simulator, 1, RestrictedByAdministrator::default());
    let snapshot = polled(&simulator, &monitor).await;
    assert!(snapshot.poll.problem.is_none());
    assert_eq!(queries(&simulator), 4);
    polled(&simulator, &monitor).await;
    assert_eq!(queries(&simulator), 7);

    // An object that is gone is not asked about again.
    let gone = ManagedObjectNotFound {
        obj: simulator.vm("web01").unwrap(),
        ..ManagedObjectNotFound::default()
    };
    refuses(&simulator, 1, gone);
    let snapshot = polled(&simulator, &monitor).await;
    assert!(snapshot.poll.problem.is_none());
    let sampled = |name| {
        domain(&snapshot, name)
            .sampled
            .as_ref()
            .unwrap()
            .epoch_seconds()
            .unwrap()
            - NOON
    };
    assert_eq!((sampled("web01"), sampled("db01")), (40, 60));
    // The next time, nothing is missing.
    let snapshot = polled(&simulator, &monitor).await;
    assert_eq!(
        domain(&snapshot, "web01")
            .sampled
            .as_ref()
            .unwrap()
            .epoch_seconds()
            .unwrap(),
        NOON + 80
    );

    // Counters that it does not know.
    simulator.clear_requests();
    refuses(&simulator, 1, InvalidArgument::default());
    let snapshot = polled(&simulator, &monitor).await;
    assert!(snapshot.poll.problem.is_none());
    let sent = methods(&simulator);
    assert!(
        sent.contains(&"QueryAvailablePerfMetric".to_owned()),
        "{sent:?}"
    );
    assert!(domain(&snapshot, "db01").rx_bytes_rate().is_some());

    // Without end: the rest goes on.
    refuses(&simulator, usize::MAX, InvalidArgument::default());
    let snapshot = polled(&simulator, &monitor).await;
    let problem = snapshot.poll.problem.as_ref().unwrap();
    assert_eq!(
        problem.to_string(),
        "internal error: HTTP response code 500 for call to 'QueryPerf'. Fault: ServerFaultCode - refused"
    );
    assert!(snapshot.connection.error().is_none());
    assert!(domain(&snapshot, "db01").usage.cpu_mhz.is_some());
}

fn queries(simulator: &Simulator) -> usize {
    let sent = methods(simulator);
    sent.iter().filter(|sent| *sent == "QueryPerf").count()
}
