//! The host beyond libvirt: health, licences, logs, services, firewall and clock.

use std::time::Duration;

use esx_driver::{
    Connect, ErrorKind, HealthState, HostElementKind, HostFirewallAllowed, HostFirewallDirection,
    HostService, HostServicePolicy, Operation, Result, What,
};
use esx_sim::{Effect, PartHealth, Rule, Simulator};
use vi_types::{DateTime, properties::HostSystem};

use crate::{host, methods, open, text};

const RELEASES: [&str; 11] = [
    "2.5", "4.0", "4.1", "5.0", "5.1", "5.5", "6.0", "6.5", "6.7", "7.0", "8.0",
];

/// A connection to a host of a vCenter.
async fn host_of_vcenter(simulator: &Simulator) -> Connect {
    let uri = "vpx://192.0.2.100/Berlin/Production/esx-01.example.com";
    let connect = open(simulator, uri).await.unwrap();
    simulator.clear_requests();
    connect
}

fn change_host(simulator: &Simulator, change: impl FnOnce(&mut HostSystem)) {
    let host = simulator.objects("HostSystem").remove(0);
    simulator.change(&host, change).unwrap();
}

/// The number of requests that something makes.
async fn counted<T>(simulator: &Simulator, what: impl Future<Output = T>) -> (T, usize) {
    simulator.clear_requests();
    let result = what.await;
    (result, methods(simulator).len())
}

/// What every release tells, on a host and on a vCenter, and in how many requests.
#[tokio::test]
async fn every_release_tells_it_in_few_requests() {
    for release in RELEASES {
        for is_vcenter in [false, true] {
            let builder = match is_vcenter {
                true => Simulator::vcenter(),
                false => Simulator::esx(),
            };
            let simulator = builder.api_version(release).unwrap().build();
            let connect = match is_vcenter {
                true => host_of_vcenter(&simulator).await,
                false => open(&simulator, "esx://esx.example.com/").await.unwrap(),
            };
            let what = format!("{release}, vCenter: {is_vcenter}");

            let (health, requests) = counted(&simulator, connect.host_health()).await;
            assert_eq!(
                (health.unwrap().state, requests),
                (HealthState::Green, 1),
                "{what}"
            );
            let (health, requests) = counted(&simulator, connect.refresh_host_health()).await;
            assert_eq!((health.unwrap().sensors.len(), requests), (4, 3), "{what}");

            let (licenses, requests) = counted(&simulator, connect.host_licenses()).await;
            match (release, is_vcenter) {
                ("2.5", true) => {
                    assert_eq!(licenses.unwrap_err().kind(), ErrorKind::Unsupported);
                    assert_eq!(requests, 0);
                }
                _ => {
                    assert_eq!(licenses.unwrap().len(), 1, "{what}");
                    assert_eq!(requests, 1 + usize::from(is_vcenter), "{what}");
                }
            }

            let (logs, requests) = counted(&simulator, connect.host_logs()).await;
            assert_eq!((logs.unwrap().len(), requests), (4, 1), "{what}");
            let (tail, requests) = counted(&simulator, connect.host_log_tail("vmkernel", 10)).await;
            let tail = tail.unwrap();
            assert_eq!(
                (tail.first, tail.lines.len(), requests),
                (51, 10, 2),
                "{what}"
            );

            let (services, requests) = counted(&simulator, connect.host_services()).await;
            assert_eq!((services.unwrap().len(), requests), (7, 1), "{what}");
            let (firewall, requests) = counted(&simulator, connect.host_firewall()).await;
            assert_eq!(
                (firewall.unwrap().rulesets.len(), requests),
                (9, 1),
                "{what}"
            );
            let (time, requests) = counted(&simulator, connect.host_time()).await;
            let time = time.unwrap();
            assert_eq!((time.ntp_servers.len(), requests), (2, 2), "{what}");
            assert_eq!(
                time.synchronized,
                (release == "8.0").then_some(true),
                "{what}"
            );

            let (started, requests) =
                counted(&simulator, async { connect.start_service("TSM-SSH").await }).await;
            started.unwrap();
            assert_eq!(requests, 2, "{what}");
        }
    }
}

/// A host that tells nothing of it, such as one that is not connected to its vCenter.
#[tokio::test]
async fn a_host_that_tells_nothing_is_an_error_that_says_so() {
    let (simulator, connect) = host().await;
    change_host(&simulator, |host| {
        host.config = None;
        host.runtime.as_mut().unwrap().health_system_runtime = None;
    });
    let errors = [
        connect.host_health().await.map(drop),
        connect.host_services().await.map(drop),
        connect.host_firewall().await.map(drop),
        connect.host_time().await.map(drop),
        connect.start_service("ntpd").await,
        connect.enable_firewall_ruleset("dns").await,
    ];
    for (error, what) in errors.into_iter().zip([
        "health", "services", "firewall", "time", "services", "firewall",
    ]) {
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(
            error
                .to_string()
                .ends_with(&format!("the host does not tell its {what}")),
            "{error}"
        );
    }
    simulator.set_unreadable("HostSystem", "config.service");
    let error = connect.host_services().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Property);
}

#[tokio::test]
async fn health_has_sensors_and_elements_and_the_worst_state() {
    let (simulator, connect) = host().await;
    let health = connect.host_health().await.unwrap();
    let fan = &health.sensors[0];
    assert_eq!(
        (
            fan.name.as_str(),
            fan.condition.as_deref(),
            fan.kind.as_str()
        ),
        ("System Board 1 Fan 1", Some("Normal"), "fan")
    );
    assert_eq!(
        (fan.reading.to_string().as_str(), fan.unit.as_str()),
        ("5040", "RPM")
    );
    assert_eq!(
        (fan.state, fan.label.as_str()),
        (HealthState::Green, "Green")
    );
    let kinds: Vec<_> = health.elements.iter().map(|element| element.kind).collect();
    use HostElementKind::{Memory, Processor, Storage};
    assert_eq!(
        kinds,
        [
            Memory, Memory, Memory, Memory, Processor, Processor, Storage
        ]
    );
    for (part, state) in [
        ("CPU2=unknown", HealthState::Green),
        ("Memory Device 3=yellow", HealthState::Yellow),
        ("System Board 1 Fan 1=red", HealthState::Red),
    ] {
        let part: PartHealth = part.parse().unwrap();
        assert!(simulator.set_health(&part));
        let health = connect.host_health().await.unwrap();
        assert_eq!(health.state, state, "{part:?}");
    }
    let fan = connect.host_health().await.unwrap().sensors.remove(0);
    assert_eq!(
        (fan.name.as_str(), fan.condition.as_deref(), fan.state),
        ("System Board 1 Fan 1", Some("Critical"), HealthState::Red)
    );
}

#[tokio::test]
async fn licenses_have_features_and_limits_and_hide_their_keys() {
    let (_, connect) = host().await;
    let license = connect.host_licenses().await.unwrap().remove(0);
    assert_eq!(license.name, "vSphere Enterprise Plus");
    assert_eq!(license.product.as_deref(), Some("VMware ESX Server 8.0"));
    assert_eq!((license.total, license.used), (None, Some(2)));
    let smp = &license.features[0];
    assert_eq!((smp.key.as_str(), smp.limit), ("vsmp", Some(768)));
    assert_eq!(smp.name, "Up to 768-way virtual SMP");
    assert_eq!(license.facts.len(), 1);
    assert!(!format!("{license:?}").contains("0A1B2"), "{license:?}");
    let key = license.key.unwrap();
    assert_eq!(key.to_string(), "*****-*****-*****-*****-0E1F2");
    assert_eq!(key.expose(), "0A1B2-C3D4E-5F6A7-B8C9D-0E1F2");

    let simulator = Simulator::vcenter().build();
    let connect = host_of_vcenter(&simulator).await;
    let license = connect.host_licenses().await.unwrap().remove(0);
    // Those of all hosts, and what this one uses of them.
    let packages = 2 * u32::try_from(simulator.objects("HostSystem").len()).unwrap();
    assert_eq!((license.total, license.used), (Some(2 * packages), Some(2)));

    let simulator = Simulator::esx().api_version("2.5").unwrap().build();
    let connect = open(&simulator, "esx://esx.example.com/").await.unwrap();
    let license = connect.host_licenses().await.unwrap().remove(0);
    assert_eq!(
        (license.name.as_str(), &license.key),
        ("ESX Server Standard", &None)
    );
    assert_eq!(license.features.len(), 2);
}

#[tokio::test]
async fn a_host_on_trial_says_how_long() {
    use vi_types::{Any, objects::KeyAnyValue, properties::LicenseManager};
    let (simulator, connect) = host().await;
    let manager = simulator.objects("LicenseManager").remove(0);
    let changed = simulator.change(&manager, |manager: &mut LicenseManager| {
        let license = &mut manager.licenses[0];
        license.license_key = "00000-00000-00000-00000-00000".to_owned();
        manager.evaluation.as_mut().unwrap().properties = vec![KeyAnyValue {
            key: "expirationHours".to_owned(),
            value: Any::Long(30),
            ..KeyAnyValue::default()
        }];
    });
    changed.unwrap();
    let license = connect.host_licenses().await.unwrap().remove(0);
    assert!(license.is_evaluation);
    assert_eq!(license.expires_in, Some(Duration::from_secs(30 * 3600)));
}

#[tokio::test]
async fn logs_are_read_by_parts() {
    let simulator = Simulator::vcenter().build();
    let connect = host_of_vcenter(&simulator).await;
    for line in 1..=1200 {
        simulator.write_log("vmkernel", &format!("line {line}"));
    }
    // A vCenter gives 500 lines at once.
    let (tail, requests) = counted(&simulator, connect.host_log_tail("vmkernel", 1100)).await;
    let tail = tail.unwrap();
    assert_eq!(
        (tail.first, tail.lines.len(), tail.next()),
        (161, 1100, 1261)
    );
    assert_eq!((tail.lines[0].as_str(), requests), ("line 101", 4));
    assert_eq!(tail.lines[1099], "line 1200");
    let (all, requests) = counted(&simulator, connect.host_log_tail("vmkernel", 5000)).await;
    assert_eq!((all.unwrap().lines.len(), requests), (1260, 4));
    for (first, lines, expected) in [
        (0, 2, 2),
        (1259, 10, 2),
        (1261, 10, 0),
        (5000, 1, 0),
        (3, 0, 0),
    ] {
        let part = connect.host_log("vmkernel", first, lines).await.unwrap();
        assert_eq!(part.lines.len(), expected, "{first}, {lines}");
    }
    simulator.rotate_log("vpxa");
    assert_eq!(connect.host_log_end("vpxa").await.unwrap(), 0);
    assert!(
        connect
            .host_log_tail("vpxa", 9)
            .await
            .unwrap()
            .lines
            .is_empty()
    );

    let error = connect.host_log_tail("vmkernal", 1).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Log));
    assert_eq!(
        error.to_string(),
        "invalid argument: the host has no log 'vmkernal'"
    );
    assert_eq!(error.advice(), Some("did you mean 'vmkernel'?"));
}

#[tokio::test(start_paused = true)]
async fn a_log_is_followed_over_rotations_and_broken_connections() {
    let (simulator, connect) = host().await;
    let mut follow = connect.follow_host_log("vmkernel", 59);
    let lines = follow.next().await.unwrap();
    assert_eq!((lines.first, lines.lines.len()), (59, 2));

    simulator.clear_requests();
    let begin = tokio::time::Instant::now();
    let waited = tokio::time::timeout(Duration::from_secs(60), follow.next()).await;
    waited.unwrap_err();
    assert!(begin.elapsed() >= Duration::from_secs(60));
    // After 1, 2, 4, 8 and then every 10 seconds.
    assert_eq!(methods(&simulator).len(), 8);

    simulator.inject(Rule::new("BrowseDiagnosticLog", Effect::DropBefore).nth(1));
    simulator.inject(Rule::new("BrowseDiagnosticLog", Effect::ExpireSession).nth(2));
    simulator.write_log("vmkernel", "one");
    simulator.write_log("vmkernel", "two");
    let lines = follow.next().await.unwrap();
    assert_eq!(
        (lines.first, lines.lines),
        (61, vec!["one".to_owned(), "two".to_owned()])
    );

    simulator.rotate_log("vmkernel");
    simulator.write_log("vmkernel", "new");
    let lines = follow.next().await.unwrap();
    assert_eq!((lines.first, lines.lines), (1, vec!["new".to_owned()]));

    simulator.inject(Rule::new("BrowseDiagnosticLog", Effect::DropBefore));
    assert_eq!(
        follow.next().await.unwrap_err().kind(),
        ErrorKind::Transport
    );
    simulator.clear_rules();
    let error = connect
        .follow_host_log("nothing", 1)
        .next()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Log));
}

async fn service(connect: &Connect, key: &str) -> HostService {
    let services = connect.host_services().await.unwrap().into_iter();
    services
        .into_iter()
        .find(|service| service.key == key)
        .unwrap()
}

#[tokio::test]
async fn services_are_started_stopped_and_set() {
    let (_, connect) = host().await;
    let ssh = service(&connect, "TSM-SSH").await;
    assert_eq!((ssh.label.as_str(), ssh.running), ("SSH", false));
    assert_eq!(
        (ssh.policy, ssh.rulesets),
        (HostServicePolicy::Off, vec!["sshServer".to_owned()])
    );
    connect.start_service("TSM-SSH").await.unwrap();
    connect.restart_service("TSM-SSH").await.unwrap();
    connect
        .set_service_policy("TSM-SSH", HostServicePolicy::On)
        .await
        .unwrap();
    let ssh = service(&connect, "TSM-SSH").await;
    assert_eq!((ssh.running, ssh.policy), (true, HostServicePolicy::On));
    connect.stop_service("TSM-SSH").await.unwrap();
    assert!(!service(&connect, "TSM-SSH").await.running);
}

#[tokio::test]
async fn rulesets_are_enabled_disabled_and_limited() {
    let (simulator, connect) = host().await;
    let ruleset = async |key: &str| {
        let firewall = connect.host_firewall().await.unwrap();
        let mut rulesets = firewall.rulesets.into_iter();
        rulesets.find(|ruleset| ruleset.key == key).unwrap()
    };
    let nfs = ruleset("nfsClient").await;
    assert_eq!(
        (nfs.label.as_str(), nfs.enabled, &nfs.service),
        ("NFS Client", false, &None)
    );
    assert_eq!(nfs.allowed, Some(HostFirewallAllowed::All));
    let rule = &nfs.rules[0];
    assert_eq!(
        (rule.port, rule.end_port, rule.protocol.as_str()),
        (2049, 2049, "tcp")
    );
    assert_eq!(rule.direction, HostFirewallDirection::Outbound);

    connect.enable_firewall_ruleset("nfsClient").await.unwrap();
    assert!(ruleset("nfsClient").await.enabled);
    let again = async { connect.enable_firewall_ruleset("nfsClient").await };
    let (again, requests) = counted(&simulator, again).await;
    again.unwrap();
    assert_eq!(requests, 1);
    let only = ["192.0.2.1", "2001:db8::/32"].map(str::to_owned).to_vec();
    let only = HostFirewallAllowed::Only(only);
    connect
        .set_firewall_allowed("nfsClient", only.clone())
        .await
        .unwrap();
    assert_eq!(ruleset("nfsClient").await.allowed, Some(only.clone()));
    connect
        .set_firewall_allowed("nfsClient", HostFirewallAllowed::All)
        .await
        .unwrap();
    connect.disable_firewall_ruleset("nfsClient").await.unwrap();
    assert_eq!(ruleset("nfsClient").await, nfs);

    change_host(&simulator, |host| {
        let firewall = host.config.as_mut().unwrap().firewall.as_mut().unwrap();
        for ruleset in &mut firewall.ruleset {
            ruleset.required = ruleset.key == "dns";
            ruleset.user_controllable = Some(ruleset.key == "dns");
            ruleset.ip_list_user_configurable = Some(false);
        }
    });
    let refused = [
        (
            connect.disable_firewall_ruleset("dns").await,
            ErrorKind::WrongState,
        ),
        (
            connect.disable_firewall_ruleset("snmp").await,
            ErrorKind::Unsupported,
        ),
        (
            connect.enable_firewall_ruleset("syslog").await,
            ErrorKind::Unsupported,
        ),
        (
            connect.set_firewall_allowed("dns", only.clone()).await,
            ErrorKind::Unsupported,
        ),
    ];
    for (result, kind) in refused {
        assert_eq!(result.unwrap_err().kind(), kind);
    }
    let old = Simulator::esx().api_version("4.1").unwrap().build();
    let connect = open(&old, "esx://esx.example.com/").await.unwrap();
    let error = connect.set_firewall_allowed("dns", only).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

/// What cannot be done, before anything is sent that would change something.
#[tokio::test]
async fn mistakes_are_named() {
    let (simulator, connect) = host().await;
    let none = || HostFirewallAllowed::Only(vec!["example.com".to_owned()]);
    let odd = || "sometimes".parse::<HostServicePolicy>().unwrap();
    let cases: [(Operation<'static>, &str, Option<&str>); 10] = [
        (
            connect.start_service("nptd"),
            "invalid argument: the host has no service 'nptd'",
            Some("did you mean 'ntpd'?"),
        ),
        (
            connect.start_service("telnet/%2f 漢"),
            "invalid argument: the host has no service 'telnet/%2f 漢'",
            None,
        ),
        (
            connect.start_service("ntpd"),
            "Requested operation is not valid: service 'ntpd' runs already",
            None,
        ),
        (
            connect.stop_service("TSM"),
            "Requested operation is not valid: service 'TSM' does not run",
            None,
        ),
        (
            connect.restart_service("TSM"),
            "Requested operation is not valid: service 'TSM' does not run",
            None,
        ),
        (
            connect.set_service_policy("TSM", odd()),
            "invalid argument: 'sometimes' is no policy of a service",
            Some("it is on, off or automatic"),
        ),
        (
            connect.enable_firewall_ruleset("sshserver"),
            "invalid argument: the host has no ruleset of the firewall 'sshserver'",
            Some("did you mean 'sshServer'?"),
        ),
        (
            connect.set_firewall_allowed("dns", none()),
            "invalid argument: 'example.com' is neither an address nor a network",
            Some("write 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32"),
        ),
        (
            connect.set_firewall_allowed("dns", HostFirewallAllowed::Only(Vec::new())),
            "invalid argument: no address is given that may connect",
            Some("disable the ruleset to allow nobody"),
        ),
        (
            connect.set_ntp_servers(vec!["a b".to_owned()]),
            "invalid argument: 'a b' is no name of a server",
            None,
        ),
    ];
    for (operation, expected, advice) in cases {
        let error = operation.await.unwrap_err();
        assert_eq!(
            (error.to_string().as_str(), error.advice()),
            (expected, advice)
        );
    }
    assert!(
        methods(&simulator)
            .iter()
            .all(|method| method.starts_with("Retrieve"))
    );

    // What the server refuses has the name of the thing.
    let fault = "StartService=fault:HostConfigFault"
        .parse::<Rule>()
        .unwrap();
    simulator.inject(fault);
    let refused: Result<()> = connect.start_service("TSM").await;
    let refused = text(refused);
    assert!(
        refused.contains("service 'TSM': HostConfigFault"),
        "{refused}"
    );
}

#[tokio::test]
async fn the_clock_is_compared_and_its_servers_are_set() {
    let (simulator, connect) = host().await;
    let time = connect.host_time().await.unwrap();
    assert!(
        time.clock.ahead_ns.unsigned_abs()
            <= u64::try_from(time.clock.uncertainty.as_nanos()).unwrap() + 1_000_000,
        "{:?}",
        time.clock
    );
    assert!(
        time.clock.uncertainty < Duration::from_millis(500),
        "{:?}",
        time.clock
    );
    assert_eq!(
        (time.time_zone.as_str(), time.protocol.as_deref()),
        ("UTC", Some("ntp"))
    );
    assert_eq!(time.remote_server.as_deref(), Some("192.0.2.123"));
    assert!(time.service.unwrap().running);
    simulator.advance_clock(Duration::from_secs(90));
    let clock = connect.host_time().await.unwrap().clock;
    assert!(
        (89_000_000_000..91_000_000_000).contains(&clock.ahead_ns),
        "{clock:?}"
    );
    simulator.stop_clock(DateTime::from_epoch_seconds(0));
    assert!(connect.host_time().await.unwrap().clock.ahead_ns < 0);

    assert!(connect.test_host_time().await.unwrap().works);
    let servers = vec!["ntp.example.org".to_owned(), "2001:db8::123".to_owned()];
    connect.set_ntp_servers(servers.clone()).await.unwrap();
    assert_eq!(connect.host_time().await.unwrap().ntp_servers, servers);
    connect.set_ntp_servers(Vec::new()).await.unwrap();
    let test = connect.test_host_time().await.unwrap();
    assert_eq!((test.works, test.report.len()), (false, 2));

    let old = Simulator::esx().api_version("6.7").unwrap().build();
    let connect = open(&old, "esx://esx.example.com/").await.unwrap();
    let error = connect.test_host_time().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}
