//! The properties of the interface, without a server.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc as blocking};
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;
use virt_model::ErrorNumber;

use super::{CallbackId, CallbackIds, Callbacks, Event, Filter};
use crate::{Error, ErrorKind};

const HOUR: Duration = Duration::from_secs(3600);

/// An event of the object `of` and the kind `kind`.
#[derive(Debug, Clone, PartialEq)]
struct Tick {
    of: char,
    kind: u8,
    number: usize,
}

impl Event for Tick {
    type Object = char;
    type Id = u8;

    fn id(&self) -> u8 {
        self.kind
    }

    fn is_about(&self, object: &char) -> bool {
        self.of == *object
    }
}

fn tick(of: char, kind: u8, number: usize) -> Tick {
    Tick { of, kind, number }
}

/// `count` events of one object and kind, numbered from 0.
fn ticks(callbacks: &Callbacks<Tick>, count: usize) {
    for number in 0..count {
        callbacks.dispatch(tick('a', 0, number));
    }
}

fn all() -> Filter<Tick> {
    Filter {
        object: None,
        ids: vec![0],
    }
}

fn next_id() -> CallbackId {
    static IDS: OnceLock<CallbackIds> = OnceLock::new();
    IDS.get_or_init(CallbackIds::default).next()
}

/// Registers a callback for all events of kind 0.
fn register(
    callbacks: &Callbacks<Tick>,
    limit: usize,
    callback: impl Fn(&Tick) + Send + Sync + 'static,
) -> CallbackId {
    let id = next_id();
    callbacks.add_callback(id, all(), limit, callback);
    id
}

/// Registers a callback that passes the numbers of its events on.
fn register_passing(callbacks: &Callbacks<Tick>) -> (CallbackId, UnboundedReceiver<usize>) {
    let (sender, receiver) = unbounded_channel();
    let pass = move |tick: &Tick| {
        let _ = sender.send(tick.number);
    };
    (register(callbacks, 100, pass), receiver)
}

async fn numbers(receiver: &mut UnboundedReceiver<usize>, count: usize) -> Vec<usize> {
    let mut numbers = Vec::new();
    receiver.recv_many(&mut numbers, count).await;
    while numbers.len() < count {
        numbers.push(receiver.recv().await.unwrap());
    }
    numbers
}

/// Time passes only while no callback runs, so what comes at all comes within it.
async fn is_quiet<T>(receiver: &mut UnboundedReceiver<T>) -> bool {
    timeout(HOUR, receiver.recv()).await.is_err()
}

#[tokio::test(start_paused = true)]
async fn events_come_in_order() {
    let callbacks = Callbacks::default();
    let (_, mut receiver) = register_passing(&callbacks);
    ticks(&callbacks, 100);
    let expected: Vec<_> = (0..100).collect();
    assert_eq!(numbers(&mut receiver, 100).await, expected);
    assert!(is_quiet(&mut receiver).await);
}

#[tokio::test(start_paused = true)]
async fn the_same_callback_twice() {
    let callbacks = Callbacks::default();
    let calls = Arc::new(AtomicUsize::new(0));
    let (sender, mut receiver) = unbounded_channel();
    let callback = {
        let calls = Arc::clone(&calls);
        move |tick: &Tick| {
            calls.fetch_add(1, Ordering::Relaxed);
            let _ = sender.send(tick.number);
        }
    };
    let (one, two) = (
        register(&callbacks, 100, callback.clone()),
        register(&callbacks, 100, callback),
    );
    assert_ne!(one, two);
    callbacks.dispatch(tick('a', 0, 1));
    assert_eq!(numbers(&mut receiver, 2).await, [1, 1]);
    assert!(callbacks.remove(one).is_some());
    callbacks.dispatch(tick('a', 0, 2));
    assert_eq!(numbers(&mut receiver, 1).await, [2]);
    assert!(is_quiet(&mut receiver).await);
    assert_eq!(calls.load(Ordering::Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn filters() {
    let callbacks = Callbacks::default();
    let (sender, mut receiver) = unbounded_channel();
    for (name, object, ids) in [
        ("all of 0", None, vec![0]),
        ("a of 0", Some('a'), vec![0]),
        ("b of 0 and 1", Some('b'), vec![0, 1]),
        ("none", None, vec![]),
    ] {
        let filter = Filter { object, ids };
        let sender = sender.clone();
        callbacks.add_callback(next_id(), filter, 100, move |tick: &Tick| {
            let _ = sender.send(format!("{name}: {}{}", tick.of, tick.kind));
        });
    }
    for (of, kind) in [('a', 0), ('a', 1), ('b', 0), ('b', 1), ('b', 2)] {
        callbacks.dispatch(tick(of, kind, 0));
    }
    let mut told = Vec::new();
    while let Ok(Some(line)) = timeout(HOUR, receiver.recv()).await {
        told.push(line);
    }
    told.sort();
    assert_eq!(
        told,
        [
            "a of 0: a0",
            "all of 0: a0",
            "all of 0: b0",
            "b of 0 and 1: b0",
            "b of 0 and 1: b1",
        ]
    );
}

/// Lets a callback begin and holds it back.
struct Gate {
    begun: UnboundedReceiver<usize>,
    go_on: blocking::Sender<()>,
}

impl Gate {
    async fn has_begun(&mut self) -> usize {
        self.begun.recv().await.unwrap()
    }

    fn open(&self) {
        self.go_on.send(()).unwrap();
    }
}

/// Registers a callback whose every call waits for the gate.
fn register_gated(callbacks: &Callbacks<Tick>, limit: usize) -> (CallbackId, Gate) {
    let (sender, begun) = unbounded_channel();
    let (go_on, wait) = blocking::channel();
    let wait = Mutex::new(wait);
    let id = register(callbacks, limit, move |tick| {
        let _ = sender.send(tick.number);
        // An error means that the test is over.
        let _ = wait.lock().unwrap().recv();
    });
    (id, Gate { begun, go_on })
}

#[tokio::test]
async fn no_call_begins_after_deregistering() {
    let callbacks = Callbacks::default();
    let (id, mut gate) = register_gated(&callbacks, 100);
    ticks(&callbacks, 10);
    assert_eq!(gate.has_begun().await, 0);
    let mut finished = Box::pin(callbacks.remove(id).unwrap().finished());
    assert!(callbacks.remove(id).is_none());
    ticks(&callbacks, 10);
    assert!(
        finished.as_mut().now_or_never().is_none(),
        "a call is in progress"
    );
    gate.open();
    finished.await;
    // The callback is dropped, and its sender with it.
    assert_eq!(gate.begun.recv().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_callback_takes_itself_and_another_back() {
    let callbacks = Callbacks::default();
    let (other, mut others) = register_passing(&callbacks);
    let (sender, mut receiver) = unbounded_channel();
    let (give_id, take_id) = blocking::channel();
    let take_id = Mutex::new(take_id);
    let id = {
        let callbacks = callbacks.clone();
        register(&callbacks.clone(), 100, move |tick| {
            let id = take_id.lock().unwrap().recv().unwrap();
            let own = callbacks.remove(id).unwrap();
            // Waiting for itself would never end.
            let is_over = own.finished().now_or_never().is_some();
            let other = callbacks.remove(other).is_some();
            let _ = sender.send((tick.number, is_over, other));
        })
    };
    give_id.send(id).unwrap();
    ticks(&callbacks, 5);
    assert_eq!(receiver.recv().await, Some((0, true, true)));
    assert_eq!(receiver.recv().await, None, "the callback is dropped");
    ticks(&callbacks, 5);
    let mut told = 0;
    while others.recv().await.is_some() {
        told += 1;
    }
    assert!(told <= 5, "{told}");
    assert!(callbacks.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_panic_harms_nobody() {
    let callbacks = Callbacks::default();
    let (before, after) = (register_passing(&callbacks), {
        let (sender, receiver) = unbounded_channel();
        let panicking = register(&callbacks, 100, move |tick| {
            let _ = sender.send(tick.number);
            match tick.number {
                1 => panic!("a text"),
                2 => std::panic::panic_any(2),
                number => assert_ne!(number, 3, "{number} is formatted"),
            }
        });
        ((panicking, receiver), register_passing(&callbacks))
    });
    let (panicking, last) = after;
    ticks(&callbacks, 5);
    for (_, mut receiver) in [before, panicking, last] {
        // The one that panicked goes on, too.
        assert_eq!(numbers(&mut receiver, 5).await, [0, 1, 2, 3, 4]);
    }
}

#[tokio::test]
async fn a_callback_that_blocks_delays_only_itself() {
    let callbacks = Callbacks::default();
    let (_, mut gate) = register_gated(&callbacks, 100);
    let (_, mut receiver) = register_passing(&callbacks);
    ticks(&callbacks, 3);
    // The test's runtime has one thread: if the callback blocked it, this would not be reached.
    assert_eq!(gate.has_begun().await, 0);
    assert_eq!(numbers(&mut receiver, 3).await, [0, 1, 2]);
    assert!(gate.begun.try_recv().is_err(), "one call at a time");
    gate.open();
    assert_eq!(gate.has_begun().await, 1);
    gate.open();
    assert_eq!(gate.has_begun().await, 2);
    gate.open();
}

#[tokio::test]
async fn what_a_slow_callback_misses_is_counted() {
    let callbacks = Callbacks::default();
    let (id, mut gate) = register_gated(&callbacks, 3);
    callbacks.dispatch(tick('a', 0, 0));
    assert_eq!(gate.has_begun().await, 0);
    assert_eq!(callbacks.dropped(id), Some(0));
    for number in 1..10 {
        callbacks.dispatch(tick('a', 0, number));
    }
    assert_eq!(callbacks.dropped(id), Some(6));
    for expected in 7..10 {
        gate.open();
        assert_eq!(gate.has_begun().await, expected);
    }
    gate.open();
    assert_eq!(callbacks.dropped(id), Some(6));
    callbacks.remove(id);
    assert_eq!(callbacks.dropped(id), None);
}

fn lost() -> Error {
    Error::new(ErrorKind::Transport, ErrorNumber::InternalError, "lost")
}

#[tokio::test]
async fn streams() {
    let callbacks = Callbacks::default();
    let mut stream = callbacks.add_stream(next_id(), all(), 3);
    assert!(stream.next().now_or_never().is_none());
    // It is woken.
    let (first, ()) = tokio::join!(stream.next(), async {
        tokio::task::yield_now().await;
        callbacks.dispatch(tick('a', 0, 7));
    });
    assert_eq!(first.unwrap().unwrap(), tick('a', 0, 7));
    callbacks.dispatch(tick('a', 1, 0));
    assert!(stream.next().now_or_never().is_none());
    ticks(&callbacks, 5);
    assert_eq!(stream.dropped(), 2);
    assert_eq!(callbacks.dropped(stream.id()), Some(2));
    callbacks.fail(lost);
    ticks(&callbacks, 5);
    for expected in 2..5 {
        assert_eq!(stream.next().await.unwrap().unwrap().number, expected);
    }
    let error = stream.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert!(stream.next().await.is_none());
    assert!(stream.next().await.is_none());
    assert_eq!(stream.dropped(), 2);
}

#[tokio::test]
async fn an_error_wakes_and_ends_streams_and_leaves_callbacks() {
    let callbacks = Callbacks::default();
    let (id, mut receiver) = register_passing(&callbacks);
    let mut streams = [(); 2].map(|()| callbacks.add_stream(next_id(), all(), 3));
    let [one, two] = &mut streams;
    let (one, two, ()) = tokio::join!(one.next(), two.next(), async {
        tokio::task::yield_now().await;
        callbacks.fail(lost);
    });
    assert!(one.unwrap().is_err());
    assert!(two.unwrap().is_err());
    ticks(&callbacks, 1);
    assert_eq!(numbers(&mut receiver, 1).await, [0]);
    assert!(callbacks.remove(id).is_some());
    assert!(callbacks.is_empty());
}

#[tokio::test]
async fn a_dropped_stream_is_deregistered() {
    let callbacks = Callbacks::default();
    let mut changes = callbacks.changes();
    let stream = callbacks.add_stream(next_id(), all(), 3);
    assert!(changes.has_changed().unwrap());
    assert!(!callbacks.is_empty());
    changes.mark_unchanged();
    drop(stream);
    assert!(changes.has_changed().unwrap());
    assert!(callbacks.is_empty());
}

#[test]
fn ids_are_unique() {
    let ids = Arc::new(CallbackIds::default());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let ids = Arc::clone(&ids);
            std::thread::spawn(move || (0..1000).map(|_| ids.next()).collect::<Vec<_>>())
        })
        .collect();
    let mut all: Vec<_> = threads
        .into_iter()
        .flat_map(|thread| thread.join().unwrap())
        .collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 4000);
}

/// Registrations come and go on several threads while events are dispatched: no event comes twice or out of order, and
/// none after [`finished`](super::Deregistered::finished).
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_threads() {
    let callbacks = Callbacks::default();
    let users: Vec<_> = (0..8)
        .map(|_| {
            let callbacks = callbacks.clone();
            tokio::spawn(async move {
                for _ in 0..50 {
                    let seen = Arc::new(Mutex::new(Vec::new()));
                    let is_over = Arc::new(AtomicUsize::new(0));
                    let (sender, mut receiver) = unbounded_channel();
                    let id = {
                        let (seen, is_over) = (Arc::clone(&seen), Arc::clone(&is_over));
                        register(&callbacks, 10_000, move |tick| {
                            assert_eq!(is_over.load(Ordering::SeqCst), 0);
                            seen.lock().unwrap().push(tick.number);
                            let _ = sender.send(());
                        })
                    };
                    for _ in 0..5 {
                        receiver.recv().await.unwrap();
                    }
                    callbacks.remove(id).unwrap().finished().await;
                    is_over.store(1, Ordering::SeqCst);
                    let seen = std::mem::take(&mut *seen.lock().unwrap());
                    assert!(
                        seen.windows(2).all(|pair| pair[0] + 1 == pair[1]),
                        "{seen:?}"
                    );
                }
            })
        })
        .collect();
    let mut number = 0;
    while !users.iter().all(tokio::task::JoinHandle::is_finished) {
        callbacks.dispatch(tick('a', 0, number));
        number += 1;
        tokio::task::yield_now().await;
    }
    for user in users {
        user.await.unwrap();
    }
    assert!(callbacks.is_empty());
}
