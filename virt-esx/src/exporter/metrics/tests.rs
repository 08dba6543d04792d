use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use esx_driver::vi_types::enums::{
    HostSystemConnectionState, HostSystemPowerState, ManagedEntityStatus,
};
use esx_driver::vi_types::{DateTime, ManagedObjectReference};
use esx_driver::virt_model::DomainState;
use esx_driver::{
    CounterValue, MonitorSnapshot, MonitoredAlarm, MonitoredDatastore, MonitoredDisk,
    MonitoredDomain, MonitoredGuestDisk, MonitoredHost, MonitoredInterface, MonitoredResourcePool,
    MonitoredSnapshot, MonitoredVcpu, ResourcePoolUsage,
};

use super::*;
use crate::exporter::format::Kind;

/// 2026-01-01T00:00:00Z.
const NOW: i64 = 1_767_225_600;

/// A value with all fields at their default but those that are named.
macro_rules! with {
    ($ty:ty { $($field:ident: $value:expr,)* }) => {{
        let mut value = <$ty>::default();
        $(value.$field = $value;)*
        value
    }};
}

fn domain(name: &str, number: u32) -> MonitoredDomain {
    with!(MonitoredDomain {
        moref: ManagedObjectReference::new("VirtualMachine", format!("vm-{number}")),
        name: name.to_owned(),
        uuid: format!("564d9758-35de-1c97-1d0b-14e4db0{number:05}")
            .parse()
            .unwrap(),
        state: DomainState::Running,
        host_name: "esx-01.example.com".into(),
        cluster: "Production".into(),
        datacenter: "Berlin".into(),
        folder: "Web".into(),
        resource_pool: "Resources".into(),
        config_file: format!("[ssd] {name}/{name}.vmx"),
        datastore: "ssd".to_owned(),
        vcpus: 2,
        max_memory_kib: 4_194_304,
        memory_kib: 4_194_304,
        guest_os: "Debian GNU/Linux 12 (64-bit)".to_owned(),
        max_cpu_mhz: Some(4788),
    })
}

fn counter(counter: &'static str, value: i64) -> CounterValue {
    with!(CounterValue {
        counter: counter,
        value: value,
    })
}

/// One of everything, with names that have to be escaped.
fn snapshot() -> MonitorSnapshot {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW as u64);
    let mut web = domain("a\"b\\c\nd", 1);
    web.usage.cpu_mhz = Some(250);
    web.usage.guest_memory_kib = Some(1024);
    web.usage.uptime_seconds = Some(86_400);
    web.counters = vec![
        counter("cpu.usage.average", 2550),
        counter("cpu.ready.summation", 123),
        counter("net.received.average", 7),
    ];
    web.sampled = Some(DateTime::from_epoch_seconds(NOW));
    web.boot_time = Some(DateTime::from_epoch_seconds(NOW - 86_400));
    web.cpu_time_ns = Some(1_500_000_000);
    web.guest.tools_status = Some("toolsOk".to_owned());
    let partition = with!(MonitoredGuestDisk {
        path: "C:\\".to_owned(),
        capacity_bytes: 1 << 33,
        free_bytes: 1 << 32,
    });
    web.guest.disks = vec![partition.clone(), partition];
    web.snapshots = vec![with!(MonitoredSnapshot {
        name: "before upgrade".to_owned(),
        created: DateTime::from_epoch_seconds(NOW - 3600),
    })];
    web.alarms = vec![with!(MonitoredAlarm {
        alarm: "alarm-6".to_owned(),
        status: ManagedEntityStatus::Red,
    })];
    web.disks = vec![with!(MonitoredDisk {
        target: "sda".to_owned(),
        source: Some("[ssd] web01/web01.vmdk".to_owned()),
        capacity_bytes: 1 << 34,
        read_bytes: Some(4096),
        read_time_ns: Some(2_000_000),
    })];
    web.interfaces = vec![with!(MonitoredInterface {
        name: "ethernet0".to_owned(),
        source: Some("VM Network".to_owned()),
        rx_bytes: Some(1 << 40),
    })];
    web.processors = vec![with!(MonitoredVcpu {
        number: 0,
        time_ns: Some(750_000_000),
    })];
    let host = with!(MonitoredHost {
        name: "esx-01.example.com".into(),
        cluster: "Production".into(),
        datacenter: "Berlin".into(),
        connection_state: HostSystemConnectionState::Connected,
        power_state: HostSystemPowerState::PoweredOn,
        standby_mode: Some("none".to_owned()),
        version: "8.0.1".to_owned(),
        build: "21495797".to_owned(),
        model: "Rack Server 2U".to_owned(),
        cpu_model: "Xeon".to_owned(),
        cpu_cores: 16,
        core_mhz: 2394,
        memory_bytes: 137_339_867_136,
        cpu_usage_mhz: Some(3171),
        counters: vec![
            counter("net.bytesRx.average", 5),
            counter("mem.latency.average", 100)
        ],
    });
    let store = with!(MonitoredDatastore {
        name: "ssd".into(),
        datacenter: "Berlin".into(),
        kind: "VMFS".to_owned(),
        capacity_bytes: 1000,
        free_bytes: 400,
        uncommitted_bytes: Some(50),
        is_accessible: true,
        maintenance_mode: Some("normal".to_owned()),
        hosts: 2,
        domains: 3,
    });
    let pool = with!(MonitoredResourcePool {
        name: "Resources".into(),
        path: "Resources".into(),
        owner: "Production".into(),
        datacenter: "Berlin".into(),
        cpu_mhz: with!(ResourcePoolUsage {
            usage: 100,
            limit: 5000,
        }),
    });
    let mut snapshot = with!(MonitorSnapshot {
        number: 7,
        time: time,
        requests: 12,
        domains: vec![
            Arc::new(web),
            // Domains that nothing but their references tells apart.
            Arc::new(domain("twin", 2)),
            Arc::new(with!(MonitoredDomain {
                moref: ManagedObjectReference::new("VirtualMachine", "vm-3"),
                name: "twin".to_owned(),
                uuid: domain("twin", 2).uuid,
                state: DomainState::Shutoff,
                host_name: "esx-01.example.com".into(),
                cluster: "Production".into(),
                datacenter: "Berlin".into(),
                datastore: "ssd".to_owned(),
            })),
        ],
        hosts: vec![Arc::new(host)],
        datastores: vec![Arc::new(store)],
        resource_pools: vec![Arc::new(pool)],
    });
    snapshot.poll.time = Some(time);
    snapshot.poll.duration = Duration::from_millis(250);
    snapshot.poll.requests = 3;
    snapshot
}

fn scrape() -> Scrape {
    let target = |name: &str, snapshot: Option<MonitorSnapshot>| Target {
        name: name.to_owned(),
        is_up: snapshot.is_some(),
        errors: u64::from(snapshot.is_none()),
        age: snapshot.as_ref().map(|_| 1.25),
        is_stale: snapshot.is_none(),
        snapshot: snapshot.map(Arc::new),
    };
    Scrape {
        started: SystemTime::UNIX_EPOCH + Duration::from_millis(NOW as u64 * 1000 + 500),
        cpu_seconds: Some(0.5),
        resident_bytes: Some(1024),
        targets: vec![target("vcenter", Some(snapshot())), target("dead", None)],
    }
}

fn in_crate(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Compares a text with a file, or writes the file if the environment has `UPDATE_METRICS`.
fn check(text: &str, path: &str) {
    let file = in_crate(path);
    if std::env::var_os("UPDATE_METRICS").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    let update = "UPDATE_METRICS=1 cargo test -p virt-esx metrics";
    assert!(
        text == expected,
        "{path} is not up to date: run `{update}`\n{text}"
    );
}

#[test]
fn the_text_format_is_written() {
    check(
        &render(&scrape(), Format::Text, 0),
        "src/exporter/metrics/tests/text.txt",
    );
}

#[test]
fn openmetrics_is_written() {
    check(
        &render(&scrape(), Format::OpenMetrics, 0),
        "src/exporter/metrics/tests/openmetrics.txt",
    );
}

#[test]
fn nothing_is_told_of_a_server_whose_numbers_are_too_old() {
    let mut scrape = scrape();
    scrape.targets.truncate(1);
    for target in &mut scrape.targets {
        target.is_stale = true;
        target.is_up = false;
    }
    let text = render(&scrape, Format::Text, 0);
    assert!(
        text.contains("libvirt_up{connection=\"vcenter\"} 0\n"),
        "{text}"
    );
    assert!(
        text.contains("virt_esx_data_age_seconds{connection=\"vcenter\"} 1.25\n"),
        "{text}"
    );
    assert!(
        !text.contains("domain=") && !text.contains("host_name="),
        "{text}"
    );
}

#[test]
fn no_series_is_there_twice() {
    for format in [Format::Text, Format::OpenMetrics] {
        let text = render(&scrape(), format, 0);
        let mut seen = HashSet::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (series, _) = line.rsplit_once(' ').unwrap();
            assert!(seen.insert(series), "{series}");
        }
        assert!(seen.len() > 100, "{}", seen.len());
    }
}

/// The head, the further labels, the name and the source of every metric, by table.
fn all() -> Vec<(&'static str, &'static str, Vec<Row>)> {
    fn rows<T>(families: &[Family<T>]) -> Vec<Row> {
        let rows = families.iter();
        rows.map(|family| (family.head, family.labels, family.name, family.source))
            .collect()
    }
    vec![
        ("The exporter", "", rows(connection::PROCESS)),
        ("Connections", "connection", rows(connection::CONNECTION)),
        ("Domains", "connection, domain, uuid", rows(domain::DOMAIN)),
        (
            "Disks of domains",
            "connection, domain, uuid, source_file, target_device",
            rows(domain::DISK),
        ),
        (
            "Network interfaces of domains",
            "connection, domain, uuid, source_bridge, target_device",
            rows(domain::INTERFACE),
        ),
        (
            "Processors of domains",
            "connection, domain, uuid, vcpu",
            rows(domain::VCPU),
        ),
        (
            "Virtual machines",
            "connection, vm_name, ds_name, host_name, dc_name, cluster_name",
            rows(domain::MACHINE),
        ),
        (
            "Hosts",
            "connection, host_name, dc_name, cluster_name",
            rows(host::HOST),
        ),
        (
            "Datastores",
            "connection, ds_name, dc_name, ds_cluster",
            rows(storage::DATASTORE),
        ),
        (
            "Resource pools",
            "connection, resource_pool, owner, dc_name",
            rows(storage::POOL),
        ),
    ]
}

type Row = (Head, &'static str, Name, &'static str);

#[test]
fn names_follow_prometheus_conventions() {
    let mut seen = HashSet::new();
    for (head, ..) in all().into_iter().flat_map(|(_, _, rows)| rows) {
        let name = head.name;
        assert!(seen.insert(name), "{name} is there twice");
        assert!(
            name.chars()
                .all(|char| char.is_ascii_lowercase() || char == '_'),
            "{name} is in snake case"
        );
        assert_eq!(
            head.kind == Kind::Counter,
            name.ends_with("_total"),
            "{name}"
        );
        assert_eq!(head.kind == Kind::Info, name.ends_with("_info"), "{name}");
        for unit in ["_mhz", "_kib", "_kb", "_mb", "_ms", "_percent"] {
            assert!(!name.ends_with(unit), "{name} is in a base unit");
        }
        assert!(
            head.help.ends_with('.') && !head.help.contains(['"', '\\', '\n']),
            "{name}"
        );
    }
}

#[test]
fn the_page_of_metrics_lists_them_all() {
    const MARK: &str =
        "\n<!-- The rest is written by `UPDATE_METRICS=1 cargo test -p virt-esx metrics`. -->\n";
    let path = "../docs/metrics.md";
    let page = std::fs::read_to_string(in_crate(path)).unwrap();
    let (by_hand, _) = page.split_once(MARK).unwrap();
    let mut text = format!("{by_hand}{MARK}");
    for (title, labels, rows) in all() {
        let _ = write!(text, "\n## {title}\n\n");
        if !labels.is_empty() {
            let labels: Vec<_> = labels
                .split(", ")
                .map(|label| format!("`{label}`"))
                .collect();
            let _ = write!(text, "Labels: {}.\n\n", labels.join(", "));
        }
        text.push_str("| metric | type | unit | what | from | name |\n|---|---|---|---|---|---|\n");
        for (head, labels, name, source) in rows {
            let kind = match head.kind {
                Kind::Gauge => "gauge",
                Kind::Counter => "counter",
                Kind::Info => "info",
            };
            let labels = match labels.is_empty() {
                true => String::new(),
                false => format!(" {{{labels}}}"),
            };
            let name = match name {
                Name::Same if head.name.starts_with("libvirt_") => "libvirt-exporter's".to_owned(),
                Name::Same if head.name.starts_with("vmware_") => "vmware_exporter's".to_owned(),
                Name::Same => "that of all exporters".to_owned(),
                Name::Instead(other) => format!("instead of `{other}`"),
                Name::Ours => "ours".to_owned(),
            };
            let _ = writeln!(
                text,
                "| `{}`{labels} | {kind} | {} | {} | {source} | {name} |",
                head.name,
                head.unit().unwrap_or_default(),
                head.help.trim_end_matches('.'),
            );
        }
    }
    check(&text, path);
}
