//! Events of domains: what is told of changes, what it costs, and what faults do to a stream.

use std::time::Duration;

use esx_driver::{
    Connect, CreateFlags, DestroyFlags, Domain, DomainEvent, DomainEventDetail, DomainEventStream,
    Error, ErrorKind, UndefineFlags, virt_model::event::DomainEventId,
};
use esx_sim::{Effect, Rule, Simulator};
use futures_util::StreamExt as _;
use vi_types::{
    enums::VirtualMachinePowerState::{self, PoweredOff, PoweredOn, Suspended},
    properties::VirtualMachine,
};

use crate::{host, methods, open, text};

fn set_power(simulator: &Simulator, name: &str, state: VirtualMachinePowerState) {
    let vm = simulator.vm(name).unwrap();
    assert!(simulator.set_power_state(&vm, state));
}

fn remove(simulator: &Simulator, name: &str) {
    assert!(simulator.remove_vm(&simulator.vm(name).unwrap()));
}

fn change<R>(simulator: &Simulator, name: &str, change: impl FnOnce(&mut VirtualMachine) -> R) {
    let vm = simulator.vm(name).unwrap();
    simulator.change(&vm, change).unwrap();
}

/// The lifecycle events of all domains, or of one.
async fn begin(connect: &Connect, domain: Option<&Domain>) -> Result<DomainEventStream, Error> {
    let events = connect.domain_events();
    events.stream(domain, [DomainEventId::Lifecycle]).await
}

async fn all(connect: &Connect) -> DomainEventStream {
    begin(connect, None).await.unwrap()
}

/// Drops the stream, and waits until what it needed on the server is destroyed.
async fn end(events: DomainEventStream) {
    drop(events);
    settle().await;
}

fn line(event: Result<DomainEvent, Error>) -> String {
    let event = event.unwrap();
    match &event.detail {
        DomainEventDetail::Lifecycle(change) => format!("{}: {change}", event.domain.name()),
        other => panic!("{other:?}"),
    }
}

/// Lets everything that can go on do so.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(2)).await;
}

/// The events that are told until nothing happens for a while.
async fn told(events: &mut DomainEventStream) -> Vec<String> {
    let mut told = Vec::new();
    let pause = Duration::from_secs(2);
    while let Ok(event) = tokio::time::timeout(pause, events.next()).await {
        told.push(line(event.unwrap()));
    }
    told
}

#[track_caller]
fn nothing_left(simulator: &Simulator) {
    assert_eq!(simulator.leftovers(), []);
}

#[tokio::test(start_paused = true)]
async fn power_states() {
    let (simulator, connect) = host().await;
    let mut events = all(&connect).await;
    let news = told(&mut events).await;
    assert!(
        news.is_empty(),
        "what is there already is no news: {news:?}"
    );
    for (name, state, expected) in [
        ("web01", Suspended, &["web01: Suspended Paused"][..]),
        ("web01", PoweredOn, &["web01: Resumed Unpaused"]),
        ("web01", PoweredOff, &["web01: Stopped Destroyed"]),
        ("web01", PoweredOff, &[]),
        ("web01", PoweredOn, &["web01: Started Booted"]),
        ("build%2fci", PoweredOn, &["build/ci: Started Booted"]),
        ("build%2fci", Suspended, &["build/ci: Suspended Paused"]),
        ("build%2fci", PoweredOff, &["build/ci: Stopped Destroyed"]),
    ] {
        set_power(&simulator, name, state.clone());
        assert_eq!(told(&mut events).await, expected, "{name} {state:?}");
    }
    end(events).await;
    nothing_left(&simulator);
}

#[tokio::test(start_paused = true)]
async fn the_domain_of_an_event_is_as_it_was_then() {
    let (simulator, connect) = host().await;
    let mut events = all(&connect).await;
    let web = connect.lookup_by_name("web01").await.unwrap();
    for (state, id) in [(PoweredOff, None), (PoweredOn, web.id())] {
        set_power(&simulator, "web01", state);
        let event = events.next().await.unwrap().unwrap();
        assert_eq!(event.domain.id(), id);
        assert_eq!(event.domain.uuid(), web.uuid());
        assert_eq!(event.domain.moref(), web.moref());
    }
}

#[tokio::test(start_paused = true)]
async fn what_this_connection_does_itself() {
    let (simulator, connect) = host().await;
    let mut events = all(&connect).await;
    let web = connect.lookup_by_name("web01").await.unwrap();
    web.destroy(DestroyFlags::NONE).await.unwrap();
    assert_eq!(told(&mut events).await, ["web01: Stopped Destroyed"]);
    web.create(CreateFlags::NONE).await.unwrap();
    assert_eq!(told(&mut events).await, ["web01: Started Booted"]);
    web.suspend().await.unwrap();
    assert_eq!(told(&mut events).await, ["web01: Suspended Paused"]);
    web.undefine(UndefineFlags::NONE).await.unwrap();
    assert_eq!(
        told(&mut events).await,
        ["web01: Stopped Destroyed", "web01: Undefined Removed"]
    );
    end(events).await;
    nothing_left(&simulator);
}

#[tokio::test(start_paused = true)]
async fn names() {
    let (simulator, connect) = host().await;
    let mut events = all(&connect).await;
    change(&simulator, "web01", |vm| vm.name = Some("www".to_owned()));
    assert_eq!(
        told(&mut events).await,
        ["web01: Undefined Renamed", "www: Defined Renamed"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_lacks_something_for_a_while() {
    let (simulator, connect) = host().await;
    let name = |vm: &mut VirtualMachine| vm.name.take();
    let mut events = all(&connect).await;
    // It was a domain before, and counts as it was.
    let vm = simulator.vm("web01").unwrap();
    change(&simulator, "web01", name);
    assert!(told(&mut events).await.is_empty());
    simulator.set_power_state(&vm, PoweredOff);
    assert!(told(&mut events).await.is_empty());
    let back = |vm: &mut VirtualMachine| vm.name = Some("web01".to_owned());
    simulator.change(&vm, back).unwrap();
    assert_eq!(told(&mut events).await, ["web01: Stopped Destroyed"]);

    // It was none when the events began.
    end(events).await;
    change(&simulator, "web01", name);
    let mut later = all(&connect).await;
    simulator.change(&vm, back).unwrap();
    assert_eq!(told(&mut later).await, ["web01: Defined Added"]);
}

#[tokio::test(start_paused = true)]
async fn a_power_state_that_nobody_knows_is_no_event() {
    let (simulator, connect) = host().await;
    let mut events = all(&connect).await;
    let unknown = VirtualMachinePowerState::Unrecognized("hibernating".to_owned());
    set_power(&simulator, "web01", unknown);
    assert!(told(&mut events).await.is_empty());
    set_power(&simulator, "web01", PoweredOff);
    assert_eq!(told(&mut events).await, ["web01: Stopped Shutdown"]);
}

#[tokio::test(start_paused = true)]
async fn one_domain() {
    let (simulator, connect) = host().await;
    let web = connect.lookup_by_name("web01").await.unwrap();
    let mut events = begin(&connect, Some(&web)).await.unwrap();
    set_power(&simulator, "db01", PoweredOff);
    assert!(told(&mut events).await.is_empty());
    set_power(&simulator, "web01", PoweredOff);
    assert_eq!(told(&mut events).await, ["web01: Stopped Destroyed"]);
    remove(&simulator, "web01");
    assert_eq!(told(&mut events).await, ["web01: Undefined Removed"]);
    end(events).await;
    nothing_left(&simulator);

    // One that is gone has no events.
    let mut events = begin(&connect, Some(&web)).await.unwrap();
    set_power(&simulator, "db01", PoweredOn);
    assert!(told(&mut events).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn several_streams_have_one_waiting_call() {
    let (simulator, connect) = host().await;
    let mut one = all(&connect).await;
    assert_eq!(
        methods(&simulator),
        [
            "CreateCollectorForEvents",
            "RetrievePropertiesEx",
            "CreatePropertyCollector",
            "CreateFilter",
            "WaitForUpdatesEx"
        ]
    );
    simulator.clear_requests();
    assert!(told(&mut one).await.is_empty());
    // Then it follows the server's events; the waiting call is sent meanwhile.
    let begun = methods(&simulator);
    for method in ["SetCollectorPageSize", "CreateFilter"] {
        assert!(begun.iter().any(|name| name == method), "{begun:?}");
    }
    simulator.clear_requests();
    let mut two = all(&connect).await;
    assert!(
        methods(&simulator)
            .iter()
            .all(|name| name == "WaitForUpdatesEx")
    );
    let waits = |simulator: &Simulator| simulator.load().waits;
    assert!(told(&mut one).await.is_empty());
    assert!(told(&mut two).await.is_empty());
    assert_eq!(waits(&simulator), 1);
    simulator.clear_requests();
    set_power(&simulator, "web01", PoweredOff);
    assert_eq!(told(&mut one).await, ["web01: Stopped Destroyed"]);
    assert_eq!(told(&mut two).await, ["web01: Stopped Destroyed"]);
    end(one).await;
    set_power(&simulator, "web01", PoweredOn);
    assert_eq!(told(&mut two).await, ["web01: Started Booted"]);
    drop(two);
    settle().await;
    nothing_left(&simulator);
}

#[tokio::test(start_paused = true)]
async fn a_host_without_domains() {
    let simulator = Simulator::esx().vms(0).build();
    let connect = open(&simulator, "esx://h/").await.unwrap();
    let mut events = all(&connect).await;
    assert!(told(&mut events).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn streams_that_are_given_up_leave_nothing_behind() {
    let (simulator, connect) = host().await;
    for polls in 0..20 {
        let mut beginning = Box::pin(begin(&connect, None));
        for _ in 0..polls {
            if let Some(events) = futures_util::FutureExt::now_or_never(&mut beginning) {
                // It began; the stream is dropped here.
                events.unwrap();
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(beginning);
        settle().await;
        nothing_left(&simulator);
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_that_ends_costs_no_event_and_repeats_none() {
    let (simulator, connect) = host().await;
    let mut events = all(&connect).await;
    assert!(told(&mut events).await.is_empty());
    simulator.expire_sessions();
    assert!(told(&mut events).await.is_empty());
    simulator.expire_sessions();
    // What happens while nobody waits is told as the difference.
    set_power(&simulator, "db01", PoweredOff);
    set_power(&simulator, "db01", PoweredOn);
    set_power(&simulator, "web01", Suspended);
    remove(&simulator, "files");
    change(&simulator, "router", |vm| vm.name = Some("gate".to_owned()));
    // The order is that of each domain.
    let mut news = told(&mut events).await;
    news.sort_by_key(|line| {
        line.split(':')
            .next()
            .map(|name| name.replace("gate", "router"))
    });
    assert_eq!(
        news,
        [
            "files: Stopped Shutdown",
            "files: Undefined Removed",
            "router: Undefined Renamed",
            "gate: Defined Renamed",
            "web01: Suspended Paused",
        ]
    );
    end(events).await;
    nothing_left(&simulator);
}

#[tokio::test(start_paused = true)]
async fn connections_that_break() {
    for method in [
        "CreatePropertyCollector",
        "CreateFilter",
        "WaitForUpdatesEx",
    ] {
        for effect in [
            Effect::DropBefore,
            Effect::DropAfter,
            Effect::ExpireSession,
            Effect::Silence,
        ] {
            for nth in [1, 2, 3] {
                let case = format!("{method} {effect:?} {nth}");
                let (simulator, connect) = host().await;
                simulator.inject(Rule::new(method, effect.clone()).nth(nth));
                let Ok(mut events) = begin(&connect, None).await else {
                    // The client did not get an answer in time.
                    assert!(matches!(effect, Effect::Silence), "{case}");
                    continue;
                };
                set_power(&simulator, "web01", PoweredOff);
                let event = events.next().await.unwrap();
                // The reason may be lost with the connection.
                assert!(line(event).starts_with("web01: Stopped "), "{case}");
                remove(&simulator, "files");
                let event = events.next().await.unwrap();
                assert_eq!(line(event), "files: Stopped Shutdown", "{case}");
                let event = events.next().await.unwrap();
                assert_eq!(line(event), "files: Undefined Removed", "{case}");
                end(events).await;
                // A collector whose making had no answer stays until the session ends.
                if method != "CreatePropertyCollector" {
                    nothing_left(&simulator);
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_garbage_end_nothing() {
    let (simulator, connect) = host().await;
    let mut events = all(&connect).await;
    let garbage = Effect::rewrite(|_| "<this is not".to_owned());
    simulator.inject(Rule::new("WaitForUpdatesEx", garbage));
    set_power(&simulator, "web01", PoweredOff);
    assert!(told(&mut events).await.is_empty());
    simulator.clear_rules();
    let pause = Duration::from_secs(120);
    let event = tokio::time::timeout(pause, events.next()).await.unwrap();
    assert!(line(event.unwrap()).starts_with("web01: Stopped "));
    end(events).await;
    nothing_left(&simulator);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_closed_ends_its_streams() {
    let (_, connect) = host().await;
    let mut events = all(&connect).await;
    let (event, closed) = tokio::join!(events.next(), async {
        settle().await;
        connect.close().await
    });
    closed.unwrap();
    assert!(event.unwrap().is_err());
    assert!(events.next().await.is_none());
    let error = text(begin(&connect, None).await);
    assert!(error.contains("closed"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_domains_of_a_vcenters_host() {
    let simulator = Simulator::vcenter().build();
    let uri = format!("vpx://vc.example.com/{}", simulator.path());
    let connect = open(&simulator, &uri).await.unwrap();
    let list = connect.list_all_domains(Default::default()).await.unwrap();
    let domain: Domain = list.domains[0].domain.clone();
    let mut events = all(&connect).await;
    for state in [PoweredOff, PoweredOn, Suspended] {
        simulator.set_power_state(domain.moref(), state);
    }
    let news = told(&mut events).await;
    let name = domain.name();
    assert_eq!(news.last(), Some(&format!("{name}: Suspended Paused")));
    // Domains of other hosts are none of this connection's.
    let of_host: Vec<_> = list
        .domains
        .iter()
        .map(|entry| entry.domain.moref())
        .collect();
    let vms = simulator.objects("VirtualMachine");
    let other = vms.iter().find(|vm| !of_host.contains(vm)).unwrap();
    for state in [PoweredOff, PoweredOn] {
        simulator.set_power_state(other, state);
    }
    assert!(told(&mut events).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn old_servers() {
    for version in ["2.5", "4.0", "4.1"] {
        let simulator = Simulator::esx().api_version(version).unwrap().build();
        let connect = open(&simulator, "esx://h/").await.unwrap();
        let mut events = all(&connect).await;
        set_power(&simulator, "web01", PoweredOff);
        assert_eq!(
            told(&mut events).await,
            ["web01: Stopped Destroyed"],
            "{version}"
        );
        end(events).await;
        nothing_left(&simulator);
    }
}

#[tokio::test(start_paused = true)]
async fn a_callback_is_called_until_it_is_deregistered() {
    let (simulator, connect) = host().await;
    let events = connect.domain_events();
    let (sender, mut told) = tokio::sync::mpsc::unbounded_channel();
    let callback = move |event: &DomainEvent| sender.send(line(Ok(event.clone()))).unwrap();
    let id = events
        .register(None, DomainEventId::Lifecycle, callback)
        .await
        .unwrap();
    set_power(&simulator, "web01", PoweredOff);
    assert_eq!(told.recv().await.unwrap(), "web01: Stopped Destroyed");
    events.deregister(id).unwrap();
    // The callback is gone, and the sender with it.
    assert_eq!(told.recv().await, None);
    let error = events.deregister(id).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    settle().await;
    nothing_left(&simulator);
}
