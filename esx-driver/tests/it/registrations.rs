//! What holds for every registration, with events of domains.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc as blocking};
use std::time::Duration;

use esx_driver::{
    CallbackId, Connect, DomainEvent, DomainEventDetail, DomainEvents, ErrorKind, NetworkEvent,
};
use esx_sim::{Effect, Rule, Simulator};
use futures_util::StreamExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;
use vi_types::enums::VirtualMachinePowerState::{PoweredOff, PoweredOn};
use virt_model::event::{DomainEventId, NetworkEventId, SecretEventId};

use crate::{host, methods};

const HOUR: Duration = Duration::from_secs(3600);
const LIFECYCLE: DomainEventId = DomainEventId::Lifecycle;

/// Turns a domain off or on: one event each.
fn turn(simulator: &Simulator, name: &str, on: bool) {
    let vm = simulator.vm(name).unwrap();
    let state = if on { PoweredOn } else { PoweredOff };
    assert!(simulator.set_power_state(&vm, state));
}

/// Turns web01 off and on so often.
async fn toggle(simulator: &Simulator, times: usize) {
    for _ in 0..times {
        turn(simulator, "web01", false);
        pass().await;
        turn(simulator, "web01", true);
        pass().await;
    }
}

/// Lets an hour pass, which it does when everything waits.
async fn pass() {
    tokio::time::sleep(HOUR).await;
}

fn line(event: &DomainEvent) -> String {
    let DomainEventDetail::Lifecycle(happened) = &event.detail else {
        panic!("{event:?}");
    };
    format!("{} {}", event.domain.name(), happened.as_str())
}

/// A callback that passes its events on, as lines.
fn passing() -> (
    impl Fn(&DomainEvent) + Clone + Send + Sync + 'static,
    UnboundedReceiver<String>,
) {
    let (sender, receiver) = unbounded_channel();
    let pass = move |event: &DomainEvent| {
        let _ = sender.send(line(event));
    };
    (pass, receiver)
}

async fn register(
    events: &DomainEvents,
    callback: impl Fn(&DomainEvent) + Send + Sync + 'static,
) -> CallbackId {
    events.register(None, LIFECYCLE, callback).await.unwrap()
}

/// What comes until nothing happens for an hour.
async fn told(receiver: &mut UnboundedReceiver<String>) -> Vec<String> {
    let mut told = Vec::new();
    while let Ok(Some(line)) = timeout(HOUR, receiver.recv()).await {
        told.push(line);
    }
    told
}

#[tokio::test(start_paused = true)]
async fn the_same_callback_twice() {
    let (simulator, connect) = host().await;
    let events = connect.domain_events();
    let (callback, mut receiver) = passing();
    let one = register(&events, callback.clone()).await;
    let two = register(&events, callback).await;
    assert_ne!(one, two);
    turn(&simulator, "web01", false);
    assert_eq!(
        told(&mut receiver).await,
        ["web01 Stopped", "web01 Stopped"]
    );
    events.deregister(one).unwrap();
    turn(&simulator, "web01", true);
    assert_eq!(told(&mut receiver).await, ["web01 Started"]);
    events.deregister(two).unwrap();
    turn(&simulator, "web01", false);
    assert_eq!(receiver.recv().await, None, "the callback is dropped");
    pass().await;
    assert_eq!(simulator.leftovers(), []);
}

#[tokio::test(start_paused = true)]
async fn filters_by_domain_and_kind() {
    let (simulator, connect) = host().await;
    let events = connect.domain_events();
    let web = connect.lookup_by_name("web01").await.unwrap();
    let (callback, mut of_web) = passing();
    events
        .register(Some(&web), LIFECYCLE, callback)
        .await
        .unwrap();
    let (callback, mut of_all) = passing();
    register(&events, callback).await;
    let (callback, mut of_others) = passing();
    let kind = DomainEventId::BalloonChange;
    events.register(Some(&web), kind, callback).await.unwrap();
    turn(&simulator, "web01", false);
    turn(&simulator, "db01", false);
    assert_eq!(told(&mut of_web).await, ["web01 Stopped"]);
    assert_eq!(told(&mut of_all).await, ["web01 Stopped", "db01 Stopped"]);
    assert!(told(&mut of_others).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_callback_deregisters_itself_and_others() {
    let (simulator, connect) = host().await;
    let events = connect.domain_events();
    let (callback, mut others) = passing();
    let other = register(&events, callback).await;
    let (sender, mut receiver) = unbounded_channel();
    let own = Arc::new(Mutex::new(None));
    let id = {
        let (events, own) = (events.clone(), Arc::clone(&own));
        register(&events.clone(), move |event| {
            let id = own.lock().unwrap().take().unwrap();
            let results = (
                events.deregister(id).is_ok(),
                events.deregister(other).is_ok(),
                events.deregister(id).is_ok(),
            );
            let _ = sender.send((line(event), results));
        })
        .await
    };
    *own.lock().unwrap() = Some(id);
    turn(&simulator, "web01", false);
    let expected = ("web01 Stopped".to_owned(), (true, true, false));
    assert_eq!(receiver.recv().await, Some(expected));
    assert_eq!(receiver.recv().await, None, "the callback is dropped");
    toggle(&simulator, 2).await;
    // Its own first event may have been told before it was taken back.
    let others = told(&mut others).await;
    assert!(others.len() <= 1, "{others:?}");
    assert_eq!(simulator.leftovers(), [], "nobody is registered");
}

/// A callback may wait for the server, and register others, on a runtime of one thread too.
#[tokio::test]
async fn a_callback_uses_the_connection() {
    let (simulator, connect) = host().await;
    let events = connect.network_events();
    let (sender, mut receiver) = unbounded_channel();
    let own = connect.clone();
    let callback = move |event: &NetworkEvent| {
        let runtime = tokio::runtime::Handle::current();
        let found = runtime.block_on(own.network_lookup_by_uuid(event.network.uuid()));
        let secrets = own.secret_events();
        let id = runtime.block_on(secrets.register(None, SecretEventId::Lifecycle, |_| ()));
        let is_registered = secrets.deregister(id.unwrap()).is_ok();
        let _ = sender.send((found.unwrap().name().to_owned(), is_registered));
    };
    events
        .register(None, NetworkEventId::Lifecycle, callback)
        .await
        .unwrap();
    simulator.apply(&"add-switch lab".parse().unwrap()).unwrap();
    for _ in ["Defined", "Started"] {
        assert_eq!(receiver.recv().await, Some(("lab".to_owned(), true)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_harms_nobody() {
    let (simulator, connect) = host().await;
    let events = connect.domain_events();
    let (callback, mut before) = passing();
    register(&events, callback).await;
    let (callback, mut own) = passing();
    register(&events, move |event| {
        callback(event);
        panic!("a callback panics");
    })
    .await;
    let (callback, mut after) = passing();
    register(&events, callback).await;
    toggle(&simulator, 1).await;
    for receiver in [&mut before, &mut own, &mut after] {
        assert_eq!(told(receiver).await, ["web01 Stopped", "web01 Started"]);
    }
}

/// Also in a runtime of one thread, as this one is.
#[tokio::test]
async fn a_slow_callback_delays_only_itself_and_its_loss_is_told() {
    let (simulator, connect) = host().await;
    let events = connect.network_events();
    let line = |event: &NetworkEvent| format!("{} {:?}", event.network.name(), event.detail);
    let line = move |event: &NetworkEvent| {
        let line = line(event);
        line.replace("Lifecycle(", "").replace(')', "")
    };
    let (sender, mut begun) = unbounded_channel();
    let (go_on, wait) = blocking::channel::<()>();
    let wait = Mutex::new(wait);
    let slow = move |event: &NetworkEvent| {
        let _ = sender.send(line(event));
        // An error means that the test is over.
        let _ = wait.lock().unwrap().recv();
    };
    let small = events.clone().queue(2);
    let slow = small
        .register(None, NetworkEventId::Lifecycle, slow)
        .await
        .unwrap();
    let (sender, mut quick) = unbounded_channel();
    let pass = move |event: &NetworkEvent| {
        let _ = sender.send(line(event));
    };
    events
        .register(None, NetworkEventId::Lifecycle, pass)
        .await
        .unwrap();

    for word in ["add-switch", "remove-switch"] {
        simulator
            .apply(&format!("{word} lab").parse().unwrap())
            .unwrap();
        if word == "add-switch" {
            assert_eq!(begun.recv().await.unwrap(), "lab Defined");
        }
    }
    for expected in ["Defined", "Started", "Stopped", "Undefined"] {
        assert_eq!(quick.recv().await.unwrap(), format!("lab {expected}"));
    }
    assert!(begun.try_recv().is_err(), "one call at a time");
    assert_eq!(events.dropped(slow).unwrap(), 1);
    for expected in ["lab Stopped", "lab Undefined"] {
        go_on.send(()).unwrap();
        assert_eq!(begun.recv().await.unwrap(), expected);
    }
    assert_eq!(events.dropped(slow).unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn no_event_after_deregistering() {
    let (simulator, connect) = host().await;
    let events = connect.domain_events();
    let (callback, mut witness) = passing();
    register(&events, callback).await;
    for _ in 0..50 {
        let is_over = Arc::new(AtomicUsize::new(0));
        let late = Arc::new(AtomicUsize::new(0));
        let id = {
            let (is_over, late) = (Arc::clone(&is_over), Arc::clone(&late));
            register(&events, move |_| {
                late.fetch_add(is_over.load(Ordering::SeqCst), Ordering::SeqCst);
            })
            .await
        };
        turn(&simulator, "web01", false);
        turn(&simulator, "db01", false);
        // Events are under way in all places.
        witness.recv().await.unwrap();
        events.deregister(id).unwrap().finished().await;
        is_over.store(1, Ordering::SeqCst);
        turn(&simulator, "web01", true);
        turn(&simulator, "db01", true);
        for _ in 0..3 {
            witness.recv().await.unwrap();
        }
        assert_eq!(Arc::strong_count(&late), 1, "the callback is dropped");
        assert_eq!(late.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn ids_are_unique_whatever_the_events() {
    let (_, connect) = host().await;
    let clone = connect.clone();
    let mut ids = vec![
        register(&connect.domain_events(), |_| ()).await,
        register(&clone.domain_events(), |_| ()).await,
        clone.register_close_callback(|_| ()).await.unwrap(),
    ];
    let networks = connect.network_events();
    let kind = NetworkEventId::Lifecycle;
    ids.push(networks.register(None, kind, |_| ()).await.unwrap());
    let stream = networks.stream(None, [kind]).await.unwrap();
    ids.push(stream.id());
    let domains = connect.domain_events();
    domains.deregister(ids[0]).unwrap();
    ids.push(register(&domains, |_| ()).await);
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "{ids:?}");
    // A clone of the connection knows the registrations, other events do not.
    assert!(clone.domain_events().deregister(ids[1]).is_ok());
    for unknown in [ids[1], stream.id()] {
        let error = domains.deregister(unknown).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Argument);
        assert!(domains.dropped(unknown).is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn the_source_lives_from_the_first_registration_to_the_last() {
    let (simulator, connect) = host().await;
    let events = connect.domain_events();
    assert!(methods(&simulator).is_empty(), "a handle asks nothing");
    let one = register(&events, |_| ()).await;
    let stream = events.stream(None, [LIFECYCLE]).await.unwrap();
    pass().await;
    let asked = methods(&simulator);
    let count = |method: &str| asked.iter().filter(|asked| *asked == method).count();
    assert_eq!(count("CreatePropertyCollector"), 1, "{asked:?}");
    events.deregister(one).unwrap();
    pass().await;
    assert_ne!(simulator.leftovers(), []);
    drop(stream);
    pass().await;
    assert_eq!(simulator.leftovers(), []);
    // And again.
    let (callback, mut receiver) = passing();
    register(&events, callback).await;
    turn(&simulator, "web01", false);
    assert_eq!(told(&mut receiver).await, ["web01 Stopped"]);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_does_not_start_leaves_nothing() {
    let (simulator, connect) = host().await;
    let events = connect.domain_events();
    let garbage = Effect::rewrite(|_| "<this is not".to_owned());
    simulator.inject(Rule::new("CreateFilter", garbage));
    let (callback, mut receiver) = passing();
    let error = events
        .register(None, LIFECYCLE, callback)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert_eq!(receiver.recv().await, None, "the callback is dropped");
    pass().await;
    assert_eq!(simulator.leftovers(), []);
    simulator.clear_rules();
    let (callback, mut receiver) = passing();
    register(&events, callback).await;
    turn(&simulator, "web01", false);
    assert_eq!(told(&mut receiver).await, ["web01 Stopped"]);
}

#[tokio::test(start_paused = true)]
async fn registering_can_be_given_up() {
    let (simulator, connect) = host().await;
    let events = connect.domain_events();
    for polls in 0..20 {
        let (callback, mut receiver) = passing();
        let mut registering = Box::pin(events.register(None, LIFECYCLE, callback));
        let mut registered = None;
        for _ in 0..polls {
            registered = futures_util::FutureExt::now_or_never(&mut registering);
            if registered.is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(registering);
        if let Some(id) = registered {
            events.deregister(id.unwrap()).unwrap();
        }
        assert_eq!(receiver.recv().await, None, "the callback is dropped");
        pass().await;
        assert_eq!(simulator.leftovers(), [], "{polls}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_connection_ends_streams_and_leaves_callbacks() {
    let (_, connect) = host().await;
    let events = connect.domain_events();
    let id = register(&events, |_| ()).await;
    let mut streams = Vec::new();
    for _ in 0..2 {
        streams.push(events.stream(None, [LIFECYCLE]).await.unwrap());
    }
    connect.close().await.unwrap();
    for stream in &mut streams {
        let error = stream.next().await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
        assert!(stream.next().await.is_none());
    }
    assert!(events.register(None, LIFECYCLE, |_| ()).await.is_err());
    events.deregister(id).unwrap();
}

/// Connections to the same server do not share registrations.
#[tokio::test(start_paused = true)]
async fn connections_are_apart() {
    let (simulator, connect) = host().await;
    let other: Connect = crate::open(&simulator, "esx://h/").await.unwrap();
    let (callback, mut one) = passing();
    let id = register(&connect.domain_events(), callback).await;
    let (callback, mut two) = passing();
    register(&other.domain_events(), callback).await;
    turn(&simulator, "web01", false);
    assert_eq!(told(&mut one).await, ["web01 Stopped"]);
    assert_eq!(told(&mut two).await, ["web01 Stopped"]);
    connect.domain_events().deregister(id).unwrap();
    turn(&simulator, "web01", true);
    assert_eq!(told(&mut two).await, ["web01 Started"]);
}
