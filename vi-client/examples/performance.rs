//! Reads a host's processor and memory use of the last minutes.
//!
//! ```console
//! $ VI_PASSWORD=… cargo run -p vi-client --example performance -- root 127.0.0.1 8443 SHA256-THUMBPRINT
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

mod common;

use std::collections::HashMap;
use std::error::Error;

use vi_client::property_set;
use vi_client::retrieve::{Retrieve, Selection};
use vi_types::methods::{QueryPerf, QueryPerfProviderSummary};
use vi_types::objects::{
    PerfCounterInfo, PerfEntityMetric, PerfMetricId, PerfMetricIntSeries, PerfQuerySpec,
};

property_set! {
    struct Counters: PerformanceManager {
        counters: Vec<PerfCounterInfo> = perf_counter,
    }
}

/// What is read: group, name and rollup of a counter, as servers name them.
const WANTED: [&str; 3] = [
    "cpu.usage.average",
    "cpu.usagemhz.average",
    "mem.usage.average",
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (client, _) = common::connect("").await?;
    let content = client.service_content();
    let manager = content
        .perf_manager
        .clone()
        .ok_or("the server measures nothing")?;

    // Counters have other numbers on each server, so their names come first.
    let Counters { counters } = client.read(&manager).await?;
    let name = |counter: &PerfCounterInfo| {
        let (group, name) = (&counter.group_info.key, &counter.name_info.key);
        format!("{group}.{name}.{}", counter.rollup_type)
    };
    let wanted: HashMap<i32, (String, &PerfCounterInfo)> = counters
        .iter()
        .map(|counter| (counter.key, (name(counter), counter)))
        .filter(|(_, (name, _))| WANTED.contains(&name.as_str()))
        .collect();

    let hosts = Retrieve::from(&content.root_folder)
        .select_all(Selection::inventory())
        .properties("HostSystem", ["name"]);
    for mut host in client.retrieve(&hosts).await? {
        println!("{}", host.take::<String>("name")?);
        let entity = host.object.clone();
        let request = QueryPerfProviderSummary {
            entity: entity.clone(),
            ..Default::default()
        };
        let summary = client.call(&request).await?;
        let spec = PerfQuerySpec {
            entity,
            max_sample: Some(15),
            // Measured every 20 seconds where the server measures now, else as far back as it remembers.
            interval_id: summary.refresh_rate.or(Some(300)),
            metric_id: wanted
                .keys()
                .map(|&counter_id| PerfMetricId {
                    counter_id,
                    // The host as a whole, not its single processors.
                    instance: String::new(),
                    ..Default::default()
                })
                .collect(),
            ..PerfQuerySpec::default()
        };
        let request = QueryPerf {
            query_spec: vec![spec],
            ..Default::default()
        };
        for metric in client.call(&request).await? {
            let Some(metric) = metric.cast::<PerfEntityMetric>() else {
                continue;
            };
            for series in &metric.value {
                let Some((name, counter)) = wanted.get(&series.id.counter_id) else {
                    continue;
                };
                let Some(series) = series.cast::<PerfMetricIntSeries>() else {
                    continue;
                };
                let unit = &counter.unit_info;
                // Servers give hundredths of a percent.
                let scale = if unit.key == "percent" { 100 } else { 1 };
                let values = series.value.iter().map(|value| (value / scale).to_string());
                let values: Vec<_> = values.collect();
                println!("    {name:22} {:>8} {}", unit.label, values.join(" "));
            }
        }
    }
    client.close().await?;
    Ok(())
}
