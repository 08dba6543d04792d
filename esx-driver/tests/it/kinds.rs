//! Every kind of domain event: what somebody else does on the host or the vCenter, and what is told of it.

use std::time::Duration;

use esx_driver::virt_model::domain::MetadataType;
use esx_driver::virt_model::event::DomainEventId as Id;
use esx_driver::virt_model::flags::ModificationImpact;
use esx_driver::{Connect, DomainEvent, DomainEventDetail, DomainEventStream, QuestionEvent};
use esx_sim::{Effect, Question, Rule, Script, Simulator};
use futures_util::StreamExt as _;
use vi_types::SoapFault;
use vi_types::enums::VirtualMachinePowerState::{PoweredOff, PoweredOn};
use vi_types::objects::NoPermission;

use crate::{host, methods, open};

/// An event as text.
fn line(event: &DomainEvent) -> String {
    let id = event.id();
    let detail = match &event.detail {
        DomainEventDetail::Lifecycle(change) => change.to_string(),
        DomainEventDetail::Watchdog(action) => format!("{id} {action}"),
        DomainEventDetail::IoError {
            path,
            alias,
            action,
        } => {
            format!("{id} {path} ({alias}) {action}")
        }
        DomainEventDetail::IoErrorReason {
            path,
            alias,
            action,
            reason,
        } => {
            format!("{id} {path} ({alias}) {action} {reason}")
        }
        DomainEventDetail::Graphics {
            phase,
            auth_scheme,
            subject,
            ..
        } => {
            let names: Vec<_> = subject.iter().map(|one| one.name.as_str()).collect();
            format!("{id} {phase} {auth_scheme} {}", names.join(" "))
        }
        DomainEventDetail::TrayChange { alias, reason } => format!("{id} {alias} {reason}"),
        DomainEventDetail::BalloonChange { actual } => format!("{id} {actual}"),
        DomainEventDetail::DeviceAdded { alias } | DomainEventDetail::DeviceRemoved { alias } => {
            format!("{id} {alias}")
        }
        DomainEventDetail::AgentLifecycle { state, reason } => format!("{id} {state} {reason}"),
        DomainEventDetail::JobCompleted { params } => {
            let params = params.iter().filter(|param| param.field != "time_elapsed");
            let params = params.map(|param| format!("{}={}", param.field, param.value));
            format!("{id} {}", params.collect::<Vec<_>>().join(" "))
        }
        DomainEventDetail::MetadataChange { kind, uri } => {
            format!("{id} {kind} {}", uri.as_deref().unwrap_or_default())
        }
        DomainEventDetail::Question(QuestionEvent::Raised(question)) => {
            format!("{id} raised {}", question.messages.join(" "))
        }
        DomainEventDetail::Question(QuestionEvent::Answered(question)) => {
            format!("{id} answered {}", question.messages.join(" "))
        }
        _ => id.to_string(),
    };
    let text = format!("{}: {detail}", event.domain.name());
    text.trim_end().to_owned()
}

/// The events that are told until nothing happens for a while.
async fn told(events: &mut DomainEventStream) -> Vec<String> {
    let mut told = Vec::new();
    while let Ok(event) = tokio::time::timeout(Duration::from_secs(2), events.next()).await {
        told.push(line(&event.unwrap().unwrap()));
    }
    told
}

async fn stream(connect: &Connect, ids: &[Id]) -> DomainEventStream {
    let events = connect.domain_events();
    let mut stream = events.stream(None, ids.iter().copied()).await.unwrap();
    assert!(told(&mut stream).await.is_empty());
    stream
}

/// Makes changes and compares what is told of each.
async fn check(simulator: &Simulator, connect: &Connect, ids: &[Id], rows: &[(&str, &[&str])]) {
    let mut events = stream(connect, ids).await;
    for (change, expected) in rows {
        for change in change.split("; ") {
            simulator.apply(&change.parse().unwrap()).unwrap();
        }
        let told = told(&mut events).await;
        assert_eq!(told, *expected, "{change}");
    }
    drop(events);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(simulator.leftovers(), []);
}

#[tokio::test(start_paused = true)]
async fn lifecycle() {
    let (simulator, connect) = host().await;
    let rows: &[(&str, &[&str])] = &[
        ("power-off web01", &["web01: Stopped Destroyed"]),
        ("power-on web01", &["web01: Started Booted"]),
        ("suspend web01", &["web01: Suspended Paused"]),
        ("power-on web01", &["web01: Resumed Unpaused"]),
        ("reset web01", &[]),
        (
            "guest-shutdown web01",
            &[
                "web01: Shutdown Finished after host request",
                "web01: Stopped Shutdown",
            ],
        ),
        // The watch sees none of it.
        ("power-on web01; power-off web01", &[]),
        ("power-on web01", &["web01: Started Booted"]),
        ("guest-standby web01", &["web01: PMSuspended Memory"]),
        ("power-on web01", &["web01: Started Event wakeup"]),
        ("guest-crash web01", &["web01: Crashed Panicked"]),
        ("power-off web01", &["web01: Stopped Destroyed"]),
        (
            "rename web01 www",
            &["web01: Undefined Renamed", "www: Defined Renamed"],
        ),
        ("cpus www 2", &["www: Defined Updated"]),
        ("annotation www hello", &["www: Defined Updated"]),
        ("power-on www", &["www: Started Booted"]),
        ("snapshot www one", &[]),
        ("revert www", &["www: Stopped Snapshot"]),
        ("power-on www", &["www: Started Booted"]),
        ("create new", &["new: Defined Added"]),
        ("power-on new", &["new: Started Booted"]),
        (
            "power-off new; destroy new",
            &["new: Stopped Destroyed", "new: Undefined Removed"],
        ),
        (
            "power-off files; unregister files",
            &["files: Stopped Destroyed", "files: Undefined Removed"],
        ),
        ("restart", &[]),
        ("power-off www", &["www: Stopped Destroyed"]),
        ("expire-sessions", &[]),
        ("power-on www", &["www: Started Booted"]),
    ];
    check(&simulator, &connect, &[Id::Lifecycle], rows).await;
}

#[tokio::test(start_paused = true)]
async fn reboots_and_standby() {
    let (simulator, connect) = host().await;
    let ids = [Id::Reboot, Id::PmSuspend, Id::PmWakeup];
    let rows: &[(&str, &[&str])] = &[
        ("reset web01", &["web01: reboot"]),
        ("guest-reboot web01", &["web01: reboot"]),
        ("power-off web01; power-on web01", &[]),
        ("guest-standby web01", &["web01: pm-suspend"]),
        ("power-on web01", &["web01: pm-wakeup"]),
        ("suspend web01", &[]),
        ("power-on web01", &[]),
    ];
    check(&simulator, &connect, &ids, rows).await;
}

#[tokio::test(start_paused = true)]
async fn devices_and_trays() {
    let (simulator, connect) = host().await;
    let ids = [Id::DeviceAdded, Id::DeviceRemoved, Id::TrayChange];
    let rows: &[(&str, &[&str])] = &[
        ("add-disk web01 1024", &["web01: device-added scsi0:1"]),
        (
            "add-nic web01 'VM Network'",
            &["web01: device-added ethernet1"],
        ),
        (
            "remove-device web01 'Network adapter 2'",
            &["web01: device-removed ethernet1"],
        ),
        ("cpus build/ci 2; annotation web01 x", &[]),
        (
            "cdrom web01 connect",
            &["web01: tray-change sata0:0 closed"],
        ),
        // The machine disconnects its drives when it stops, and connects them when it starts.
        ("power-off web01", &[]),
        ("power-on web01", &[]),
        (
            "cdrom web01 disconnect",
            &["web01: tray-change sata0:0 opened"],
        ),
    ];
    check(&simulator, &connect, &ids, rows).await;
}

#[tokio::test(start_paused = true)]
async fn agents() {
    let (simulator, connect) = host().await;
    let rows: &[(&str, &[&str])] = &[
        (
            "tools web01 stopped",
            &["web01: agent-lifecycle disconnected channel event"],
        ),
        (
            "tools web01 running",
            &["web01: agent-lifecycle connected channel event"],
        ),
        (
            "power-off web01",
            &["web01: agent-lifecycle disconnected channel event"],
        ),
        (
            "power-on web01",
            &["web01: agent-lifecycle connected domain started"],
        ),
    ];
    check(&simulator, &connect, &[Id::AgentLifecycle], rows).await;
}

#[tokio::test(start_paused = true)]
async fn questions() {
    let (simulator, connect) = host().await;
    let ids = [Id::Question, Id::IoError, Id::IoErrorReason];
    let rows: &[(&str, &[&str])] = &[
        (
            "ask web01 serial-port",
            &["web01: question raised msg.serial.file.open"],
        ),
        (
            "answer web01 Append",
            &["web01: question answered msg.serial.file.open"],
        ),
        // It names no disk of this machine.
        (
            "ask db01 disk-full",
            &[
                "db01: question raised msg.hbacommon.outofspace",
                "db01: io-error  () pause",
                "db01: io-error-reason  () pause enospc",
            ],
        ),
        (
            "answer db01 Cancel",
            &["db01: question answered msg.hbacommon.outofspace"],
        ),
    ];
    check(&simulator, &connect, &ids, rows).await;

    let mut events = stream(&connect, &[Id::IoErrorReason]).await;
    let text = "msg.hbacommon.outofspace: There is no more space for virtual disk 'web01.vmdk'.";
    simulator.ask(&simulator.vm("web01").unwrap(), Question::new(text));
    assert_eq!(
        told(&mut events).await,
        ["web01: io-error-reason [ssd] web01/web01.vmdk (scsi0:0) pause enospc"]
    );
}

#[tokio::test(start_paused = true)]
async fn metadata() {
    let (simulator, connect) = host().await;
    let web = connect.lookup_by_name("web01").await.unwrap();
    let rows: &[(&str, &[&str])] = &[
        (
            "annotation web01 hello",
            &["web01: metadata-change description"],
        ),
        ("annotation web01 hello", &[]),
        (
            "extra web01 libvirt.title T",
            &["web01: metadata-change title"],
        ),
        ("extra web01 other.key T", &[]),
    ];
    check(&simulator, &connect, &[Id::MetadataChange], rows).await;

    let mut events = stream(&connect, &[Id::MetadataChange]).await;
    let flags = ModificationImpact::NONE;
    for (text, expected) in [
        (
            Some("<a x='1'/>"),
            &["web01: metadata-change element urn:a"][..],
        ),
        (Some("<a x='1'/>"), &[]),
        (
            Some("<a x='2'/>"),
            &["web01: metadata-change element urn:a"],
        ),
        (None, &["web01: metadata-change element urn:a"]),
    ] {
        let key = text.map(|_| "a");
        web.set_metadata(MetadataType::Element, text, key, Some("urn:a"), flags)
            .await
            .unwrap();
        assert_eq!(told(&mut events).await, expected, "{text:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn jobs() {
    let (simulator, connect) = host().await;
    let rows: &[(&str, &[&str])] = &[
        (
            "snapshot web01 one",
            &["web01: job-completed operation=6 success=yes"],
        ),
        (
            "power-off web01",
            &["web01: job-completed operation=0 success=yes"],
        ),
        (
            "power-on web01",
            &["web01: job-completed operation=1 success=yes"],
        ),
        // No task.
        ("guest-reboot web01; guest-shutdown web01", &[]),
        (
            "power-on web01; add-disk web01",
            &[
                "web01: job-completed operation=1 success=yes",
                "web01: job-completed operation=0 success=yes",
            ],
        ),
    ];
    check(&simulator, &connect, &[Id::JobCompleted], rows).await;

    let mut events = stream(&connect, &[Id::JobCompleted]).await;
    let failing = Script::new("CreateSnapshot_Task").fails(NoPermission::default(), "not for you");
    simulator.script(failing);
    let refused = simulator.apply(&"snapshot web01 two".parse().unwrap());
    assert!(refused.is_err());
    assert_eq!(
        told(&mut events).await,
        ["web01: job-completed operation=6 success=no errmsg=not for you"]
    );
}

#[tokio::test(start_paused = true)]
async fn screens() {
    let (simulator, connect) = host().await;
    let rows: &[(&str, &[&str])] = &[
        (
            "console web01 open",
            &[
                "web01: graphics connect mks root",
                "web01: graphics initialize  User",
            ],
        ),
        ("console web01 close", &["web01: graphics disconnect  User"]),
    ];
    check(&simulator, &connect, &[Id::Graphics], rows).await;
}

#[tokio::test(start_paused = true)]
async fn balloons_are_polled_while_somebody_listens() {
    let (simulator, connect) = host().await;
    let minute = Duration::from_secs(61);
    let mut events = stream(&connect, &[Id::BalloonChange]).await;
    simulator.clear_requests();
    simulator
        .apply(&"balloon web01 100".parse().unwrap())
        .unwrap();
    let next = tokio::time::timeout(minute, events.next()).await.unwrap();
    let (text, memory) = (line(&next.unwrap().unwrap()), 4096 - 100);
    assert_eq!(text, format!("web01: balloon-change {}", memory * 1024));
    tokio::time::sleep(minute).await;
    let reads = |simulator: &Simulator| {
        let methods = methods(simulator);
        let reads = methods.iter().filter(|name| name.starts_with("Retrieve"));
        reads.count()
    };
    let polled = reads(&simulator);
    assert!((3..=5).contains(&polled), "{polled}");
    // It does not change without a reason.
    assert!(told(&mut events).await.is_empty());

    let other = stream(&connect, &[Id::Question]).await;
    drop(events);
    simulator.clear_requests();
    tokio::time::sleep(minute).await;
    assert_eq!(reads(&simulator), 0);
    drop(other);
}

/// Connections to two hosts of a vCenter.
async fn two_hosts() -> (Simulator, Connect, Connect) {
    let simulator = Simulator::vcenter().build();
    let first = format!("vpx://vc.example.com/{}", simulator.path());
    let second = first.replace("esx-01", "esx-02");
    let first = open(&simulator, &first).await.unwrap();
    let second = open(&simulator, &second).await.unwrap();
    (simulator, first, second)
}

#[tokio::test(start_paused = true)]
async fn migrations() {
    let (simulator, first, second) = two_hosts().await;
    let mut source = stream(&first, &[Id::Lifecycle]).await;
    let mut target = stream(&second, &[Id::Lifecycle]).await;
    let web = first.lookup_by_name("web01").await.unwrap();
    let migrate = |name: &str| {
        let change = format!("migrate {name} esx-02.example.com");
        simulator.apply(&change.parse().unwrap()).unwrap();
    };
    migrate(&web.moref().value);
    assert_eq!(
        told(&mut source).await,
        [
            "web01: Suspended Migrated",
            "web01: Stopped Migrated",
            "web01: Undefined Removed"
        ]
    );
    assert_eq!(
        told(&mut target).await,
        [
            "web01: Defined Added",
            "web01: Started Migrated",
            "web01: Resumed Migrated"
        ]
    );
    let off = first.lookup_by_name("build/ci").await.unwrap();
    migrate(&off.moref().value);
    assert_eq!(told(&mut source).await, ["build/ci: Undefined Removed"]);
    assert_eq!(told(&mut target).await, ["build/ci: Defined Added"]);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_loses_its_connection_stops_no_domain() {
    let (simulator, connect, _) = two_hosts().await;
    let mut events = stream(&connect, &[Id::Lifecycle, Id::ControlError]).await;
    let web = connect.lookup_by_name("web01").await.unwrap();
    let play = |change: &str| simulator.apply(&change.parse().unwrap()).unwrap();
    play("host esx-01.example.com disconnected");
    let mut lost = told(&mut events).await;
    lost.sort();
    lost.dedup();
    assert!(lost.contains(&"web01: control-error".to_owned()));
    assert!(
        lost.iter().all(|line| line.ends_with(": control-error")),
        "{lost:?}"
    );

    // What the vCenter says meanwhile is a guess; what is there in the end counts.
    simulator.set_power_state(web.moref(), PoweredOff);
    assert!(told(&mut events).await.is_empty());
    simulator.set_power_state(web.moref(), PoweredOn);
    play("host esx-01.example.com connected");
    assert!(told(&mut events).await.is_empty());

    play("host esx-01.example.com disconnected");
    told(&mut events).await;
    simulator.set_power_state(web.moref(), PoweredOff);
    play("host esx-01.example.com connected");
    assert_eq!(told(&mut events).await, ["web01: Stopped Destroyed"]);
}

#[tokio::test(start_paused = true)]
async fn a_domain_is_the_same_after_it_was_renamed() {
    let (simulator, connect) = host().await;
    let web = connect.lookup_by_name("web01").await.unwrap();
    let events = connect.domain_events();
    let mut events = events.stream(Some(&web), [Id::Lifecycle]).await.unwrap();
    for (change, expected) in [
        ("power-off db01", &[][..]),
        (
            "rename web01 www",
            &["web01: Undefined Renamed", "www: Defined Renamed"],
        ),
        ("power-off www", &["www: Stopped Destroyed"]),
        // Another domain that has the name now.
        ("rename db01 web01", &[]),
        ("power-on web01", &[]),
        ("destroy www", &["www: Undefined Removed"]),
    ] {
        simulator.apply(&change.parse().unwrap()).unwrap();
        assert_eq!(told(&mut events).await, expected, "{change}");
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_is_needed_is_read() {
    let (simulator, connect) = host().await;
    let filters = |simulator: &Simulator| {
        let left = simulator.leftovers();
        let count = |ty: &str| left.iter().filter(|object| object.r#type == ty).count();
        (count("PropertyFilter"), count("EventHistoryCollector"))
    };
    // Kinds that are properties need no history.
    let question = stream(&connect, &[Id::Question]).await;
    assert_eq!(filters(&simulator), (2, 0));
    let agent = stream(&connect, &[Id::AgentLifecycle]).await;
    assert_eq!(filters(&simulator), (3, 0));
    let again = stream(&connect, &[Id::AgentLifecycle, Id::Question]).await;
    assert_eq!(filters(&simulator), (3, 0));
    let lifecycle = stream(&connect, &[Id::Lifecycle]).await;
    assert_eq!(filters(&simulator), (4, 1));
    drop((question, lifecycle));
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(filters(&simulator), (3, 0));
    drop(again);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(filters(&simulator), (2, 0));
    drop(agent);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(simulator.leftovers(), []);
}

#[tokio::test(start_paused = true)]
async fn a_registration_gets_what_it_needs_while_others_are_told_events() {
    let (simulator, connect) = host().await;
    let mut lifecycle = stream(&connect, &[Id::Lifecycle]).await;
    let mut devices = stream(&connect, &[Id::DeviceAdded]).await;
    let play = |change: &str| simulator.apply(&change.parse().unwrap()).unwrap();
    play("add-disk web01 10");
    play("power-off web01");
    assert_eq!(told(&mut devices).await, ["web01: device-added scsi0:1"]);
    assert_eq!(
        told(&mut lifecycle).await,
        ["web01: Defined Updated", "web01: Stopped Destroyed"]
    );
}

/// A server whose user may not read its events.
#[tokio::test(start_paused = true)]
async fn without_a_history_the_details_are_the_usual_ones() {
    let (simulator, connect) = host().await;
    let fault = SoapFault::new(NoPermission::default(), "not for you");
    let refused = Rule::new("CreateCollectorForEvents", Effect::Fault(fault.into()));
    simulator.inject(refused.from_nth(1));
    let mut events = stream(&connect, &[Id::Lifecycle, Id::Reboot]).await;
    for (change, expected) in [
        ("power-off web01", &["web01: Stopped Shutdown"][..]),
        ("power-on web01", &["web01: Started Booted"]),
        ("reset web01", &[]),
        ("guest-standby web01", &["web01: Suspended Paused"]),
        ("power-on web01", &["web01: Resumed Unpaused"]),
        ("guest-crash web01", &["web01: Crashed Panicked"]),
        ("cpus build/ci 2", &["build/ci: Defined Updated"]),
    ] {
        simulator.apply(&change.parse().unwrap()).unwrap();
        let begun = tokio::time::Instant::now();
        let mut told = Vec::new();
        for _ in expected {
            told.push(line(&events.next().await.unwrap().unwrap()));
        }
        // Nothing waits for a reason.
        assert!(begun.elapsed() < Duration::from_millis(500), "{change}");
        assert_eq!(told, expected, "{change}");
    }
    // The user may, after a while.
    simulator.clear_rules();
    tokio::time::sleep(Duration::from_secs(61)).await;
    simulator
        .apply(&"power-off web01".parse().unwrap())
        .unwrap();
    assert_eq!(told(&mut events).await, ["web01: Stopped Destroyed"]);
}

#[tokio::test(start_paused = true)]
async fn a_history_that_breaks_off_costs_details_only() {
    for (method, effect) in [
        ("CreateCollectorForEvents", Effect::DropBefore),
        ("CreateCollectorForEvents", Effect::ExpireSession),
        ("WaitForUpdatesEx", Effect::DropAfter),
        ("WaitForUpdatesEx", Effect::ExpireSession),
    ] {
        let (simulator, connect) = host().await;
        let mut events = stream(&connect, &[Id::Lifecycle]).await;
        simulator.inject(Rule::new(method, effect.clone()).nth(1));
        for change in ["expire-sessions", "restart"] {
            let case = format!("{method} {effect:?} {change}");
            simulator.apply(&change.parse().unwrap()).unwrap();
            simulator
                .apply(&"power-off web01".parse().unwrap())
                .unwrap();
            let told_off = told_slowly(&mut events).await;
            assert!(told_off[0].starts_with("web01: "), "{case}: {told_off:?}");
            assert!(told_off.last().unwrap().contains("Stopped"), "{case}");
            simulator.apply(&"power-on web01".parse().unwrap()).unwrap();
            assert_eq!(
                told_slowly(&mut events).await,
                ["web01: Started Booted"],
                "{case}"
            );
        }
    }
}

/// Like `told`, with time to reconnect.
async fn told_slowly(events: &mut DomainEventStream) -> Vec<String> {
    let first = tokio::time::timeout(Duration::from_secs(60), events.next()).await;
    let mut lines = vec![line(&first.unwrap().unwrap().unwrap())];
    lines.extend(told(events).await);
    lines
}
