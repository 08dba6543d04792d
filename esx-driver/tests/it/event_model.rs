//! The events of domains put together are always the state of the server, whatever breaks in between.
//!
//! Random sequences of changes, with lost connections, ended sessions, truncated and forgotten updates and restarts of the
//! server. The number of sequences is in the environment variable `EVENT_MODEL_SEQUENCES`, and a number that they follow
//! from in `EVENT_MODEL_SEED`. An optimized build (`cargo test --release`) takes about 2 ms for a sequence.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use esx_driver::{
    Connect, DomainEvent, DomainEventDetail, DomainEventStream,
    virt_model::event::{
        DefinedDetail, DomainEventId,
        LifecycleEvent::{self, *},
        ResumedDetail, StartedDetail, UndefinedDetail,
    },
};
use esx_sim::{Action, Change, Effect, Rule, Simulator, http::StatusCode};
use futures_util::StreamExt as _;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use tokio::runtime::Runtime;
use vi_types::enums::VirtualMachinePowerState;
use vi_types::properties::{HostSystem, VirtualMachine};

use crate::open;

/// Sequences of each test without the environment variable.
const SEQUENCES: u32 = 1000;

/// Sequences that one server and one stream see, one after the other.
const ON_ONE_SERVER: usize = 50;

/// The most machines that a sequence makes.
const MACHINES: usize = 8;

#[derive(Debug, Clone)]
enum Step {
    /// The machine with that number changes, as far as it can.
    Change(usize, Verb),
    Fault(Fault),
    /// The client may go on until it waits.
    Listen,
}

#[derive(Debug, Clone)]
enum Verb {
    PowerOn,
    PowerOff,
    Suspend,
    Reset,
    Shutdown,
    Reboot,
    Standby,
    Crash,
    Rename(u8),
    Annotate(u8),
    Snapshot,
    Revert,
    Create,
    Unregister,
    Destroy,
    /// To one of the first two hosts of a vCenter.
    Migrate(u8),
}

#[derive(Debug, Clone)]
enum Fault {
    /// Something happens to the next call.
    Next(Spoiled),
    /// All connections break.
    Disconnect,
    /// All sessions end.
    Expire,
    Restart,
    /// The versions of updates are forgotten.
    Forget,
    /// Updates have at most so many objects; any number for 0.
    Limit(usize),
}

#[derive(Debug, Clone)]
enum Spoiled {
    DropBefore,
    DropAfter,
    Truncate,
    Expire,
    Unavailable,
    Delay,
}

fn step() -> impl Strategy<Value = Step> {
    let verb = prop_oneof![
        4 => Just(Verb::PowerOn),
        3 => Just(Verb::PowerOff),
        2 => Just(Verb::Suspend),
        1 => Just(Verb::Reset),
        1 => Just(Verb::Shutdown),
        1 => Just(Verb::Reboot),
        1 => Just(Verb::Standby),
        1 => Just(Verb::Crash),
        2 => (0..3u8).prop_map(Verb::Rename),
        1 => (0..3u8).prop_map(Verb::Annotate),
        1 => Just(Verb::Snapshot),
        1 => Just(Verb::Revert),
        2 => Just(Verb::Create),
        1 => Just(Verb::Unregister),
        1 => Just(Verb::Destroy),
        2 => (1..3u8).prop_map(Verb::Migrate),
    ];
    let spoiled = prop_oneof![
        Just(Spoiled::DropBefore),
        Just(Spoiled::DropAfter),
        Just(Spoiled::Truncate),
        Just(Spoiled::Expire),
        Just(Spoiled::Unavailable),
        Just(Spoiled::Delay),
    ];
    let fault = prop_oneof![
        3 => spoiled.prop_map(Fault::Next),
        1 => Just(Fault::Disconnect),
        1 => Just(Fault::Expire),
        1 => Just(Fault::Restart),
        1 => Just(Fault::Forget),
        1 => (0..3usize).prop_map(Fault::Limit),
    ];
    prop_oneof![
        8 => (0..MACHINES, verb).prop_map(|(machine, verb)| Step::Change(machine, verb)),
        2 => fault.prop_map(Step::Fault),
        4 => Just(Step::Listen),
    ]
}

/// The domains by the values of their machines' references.
type Domains = BTreeMap<String, Seen>;

#[derive(Debug, Clone, PartialEq)]
struct Seen {
    name: String,
    power: Power,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Power {
    Off,
    On,
    Suspended,
}

/// A server, and a client that listens.
struct Running {
    simulator: Simulator,
    /// Keeps the session.
    _connect: Connect,
    stream: DomainEventStream,
    domains: Domains,
    /// A domain that lost its name, until it has another one.
    nameless: Option<String>,
    sequences: usize,
    created: usize,
    /// Everything so far.
    history: Vec<String>,
}

impl Running {
    async fn new(simulator: Simulator, uri: &str) -> Self {
        let connect = open(&simulator, uri).await.unwrap();
        let events = connect.domain_events();
        let stream = events.stream(None, [DomainEventId::Lifecycle]);
        Self {
            stream: stream.await.unwrap(),
            domains: there(&simulator),
            simulator,
            _connect: connect,
            nameless: None,
            sequences: 0,
            created: 0,
            history: Vec::new(),
        }
    }

    async fn run(&mut self, steps: &[Step]) -> Result<(), String> {
        self.sequences += 1;
        for step in steps {
            self.history.push(format!("{step:?}"));
            match step {
                Step::Change(machine, verb) => self.change(*machine, verb),
                Step::Fault(fault) => self.fault(fault),
                Step::Listen => self.listen().await?,
            }
        }
        self.simulator.clear_rules();
        loop {
            // Events may lead to the state of the server and away from it: on, off, and on again after a while.
            self.listen().await?;
            if self.domains == there(&self.simulator) {
                return Ok(());
            }
            let next = tokio::time::timeout(Duration::from_secs(600), self.stream.next());
            let Ok(next) = next.await else {
                let there = there(&self.simulator);
                return Err(format!(
                    "events led to {:?}, but there is {there:?}",
                    self.domains
                ));
            };
            self.take(next)?;
        }
    }

    fn change(&mut self, machine: usize, verb: &Verb) {
        let vms = self.simulator.objects("VirtualMachine");
        let action = match verb {
            Verb::Create if vms.len() >= MACHINES => return,
            Verb::Create => {
                self.created += 1;
                let change = Change::new(format!("made{}", self.created), Action::Create(None));
                return self.simulator.apply(&change).unwrap();
            }
            Verb::PowerOn => Action::PowerOn,
            Verb::PowerOff => Action::PowerOff,
            Verb::Suspend => Action::Suspend,
            Verb::Reset => Action::Reset,
            Verb::Shutdown => Action::ShutdownGuest,
            Verb::Reboot => Action::RebootGuest,
            Verb::Standby => Action::StandbyGuest,
            Verb::Crash => Action::CrashGuest,
            Verb::Rename(number) => Action::Rename(format!("name{number} of {machine}")),
            Verb::Annotate(number) => Action::SetAnnotation(number.to_string()),
            Verb::Snapshot => Action::CreateSnapshot("one".to_owned()),
            Verb::Revert => Action::Revert,
            Verb::Unregister => Action::Unregister,
            Verb::Destroy => Action::Destroy,
            Verb::Migrate(host) => Action::Migrate(format!("esx-0{host}.example.com")),
        };
        if let Some(vm) = vms.get(machine % vms.len().max(1)) {
            // Many of these changes are impossible in the machine's state.
            let _ = self.simulator.apply(&Change::new(vm, action));
        }
    }

    fn fault(&self, fault: &Fault) {
        match fault {
            Fault::Next(spoiled) => {
                let effect = match spoiled {
                    Spoiled::DropBefore => Effect::DropBefore,
                    Spoiled::DropAfter => Effect::DropAfter,
                    Spoiled::Truncate => Effect::Truncate(300),
                    Spoiled::Expire => Effect::ExpireSession,
                    Spoiled::Unavailable => Effect::Status(StatusCode::SERVICE_UNAVAILABLE),
                    Spoiled::Delay => Effect::Delay(Duration::from_secs(3)),
                };
                self.simulator.inject(Rule::new("*", effect).times(1));
            }
            Fault::Disconnect => self.simulator.drop_connections(),
            Fault::Expire => self.simulator.expire_sessions(),
            Fault::Restart => self.simulator.restart(),
            Fault::Forget => self.simulator.forget_versions(),
            Fault::Limit(0) => self.simulator.limit_updates(None),
            Fault::Limit(objects) => self.simulator.limit_updates(Some(*objects)),
        }
    }

    /// Takes the events that come until everything waits.
    async fn listen(&mut self) -> Result<(), String> {
        loop {
            let next = tokio::select! {
                biased;
                next = self.stream.next() => next,
                () = settle() => return Ok(()),
            };
            self.take(next)?;
        }
    }

    /// Follows an event, which has to fit the state that the events before it led to.
    fn take(&mut self, event: Option<esx_driver::Result<DomainEvent>>) -> Result<(), String> {
        let event = match event {
            Some(Ok(event)) => event,
            Some(Err(error)) => return Err(format!("the stream failed: {error:?}")),
            None => return Err("the stream ended".to_owned()),
        };
        let DomainEventDetail::Lifecycle(change) = event.detail else {
            return Err(format!("not asked for: {:?}", event.detail));
        };
        let (key, name) = (&event.domain.moref().value, event.domain.name());
        self.history.push(format!("  {key} {name}: {change}"));
        match self.follow(key, name, change) {
            Some(()) => Ok(()),
            None => Err(format!(
                "'{change}' of {key} ('{name}') does not fit {:?}",
                self.domains.get(key)
            )),
        }
    }

    fn follow(&mut self, key: &str, name: &str, change: LifecycleEvent) -> Option<()> {
        let known = self.domains.get_mut(key);
        let is_nameless = self.nameless.as_deref() == Some(key);
        if let Defined(detail) = change {
            match (known, detail) {
                (Some(known), DefinedDetail::Renamed) if is_nameless => {
                    name.clone_into(&mut known.name);
                    self.nameless = None;
                }
                (Some(known), DefinedDetail::Updated | DefinedDetail::FromSnapshot)
                    if known.name == name => {}
                (None, detail) if detail != DefinedDetail::Renamed => {
                    let new = Seen {
                        name: name.to_owned(),
                        power: Power::Off,
                    };
                    self.domains.insert(key.to_owned(), new);
                }
                _ => return None,
            }
            return Some(());
        }
        let known = known.filter(|known| known.name == name && self.nameless.is_none())?;
        known.power = match (change, known.power) {
            (Undefined(UndefinedDetail::Renamed), power) => {
                self.nameless = Some(key.to_owned());
                power
            }
            (Undefined(_), Power::Off) => {
                self.domains.remove(key);
                return Some(());
            }
            (Started(_), Power::Off) | (Resumed(_), Power::Suspended) => Power::On,
            (Started(StartedDetail::Wakeup), Power::Suspended) => Power::On,
            // It came running.
            (Resumed(ResumedDetail::Migrated), Power::On) => Power::On,
            (Suspended(_) | PmSuspended(_), Power::On) => Power::Suspended,
            (Stopped(_), Power::On | Power::Suspended) => Power::Off,
            // They announce that the domain stops, or say that it goes on without its guest.
            (Shutdown(_) | Crashed(_), Power::On) => Power::On,
            _ => return None,
        };
        Some(())
    }
}

/// The machines of the first host.
fn there(simulator: &Simulator) -> Domains {
    let host = &simulator.objects("HostSystem")[0];
    let machines = simulator.read(host, |host: &HostSystem| host.vm.clone());
    let seen = |vm: vi_types::ManagedObjectReference| {
        let seen = simulator.read(&vm, |machine: &VirtualMachine| Seen {
            name: machine.name.clone().unwrap(),
            power: match machine.runtime.as_ref().unwrap().power_state {
                VirtualMachinePowerState::PoweredOn => Power::On,
                VirtualMachinePowerState::Suspended => Power::Suspended,
                _ => Power::Off,
            },
        });
        (vm.value, seen.unwrap())
    };
    machines.unwrap().into_iter().map(seen).collect()
}

/// Lets everything that can go on do so.
async fn settle() {
    for _ in 0..40 {
        tokio::task::yield_now().await;
    }
}

fn check(make: impl Fn() -> Simulator, uri: &str) {
    let runtime = || -> Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
    };
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|number| number.parse().unwrap())
    };
    let sequences = number("EVENT_MODEL_SEQUENCES").and_then(|number| u32::try_from(number).ok());
    let seed = number("EVENT_MODEL_SEED").unwrap_or_else(|| RandomState::new().hash_one(()));
    let mut runner = TestRunner::new(Config {
        cases: sequences.unwrap_or(SEQUENCES),
        rng_seed: RngSeed::Fixed(seed),
        failure_persistence: None,
        ..Config::default()
    });
    // A server serves many sequences. After a failure, sequences that are tried to find a shorter one begin with a new one.
    let last: RefCell<Option<(Runtime, Running)>> = RefCell::new(None);
    let result = runner.run(&prop::collection::vec(step(), 1..16), |steps| {
        let reused = last
            .take()
            .filter(|(_, running)| running.sequences < ON_ONE_SERVER);
        let (runtime, mut running) = reused.unwrap_or_else(|| {
            let runtime = runtime();
            let running = runtime.block_on(Running::new(make(), uri));
            (runtime, running)
        });
        let result = runtime.block_on(running.run(&steps));
        result.map_err(|reason| {
            let history = running.history.join("\n");
            TestCaseError::fail(format!("{reason}\n{history}"))
        })?;
        *last.borrow_mut() = Some((runtime, running));
        Ok(())
    });
    if let Err(failure) = result {
        panic!("EVENT_MODEL_SEED={seed}: {failure}");
    }
}

#[test]
fn events_of_a_host_put_together_are_its_domains() {
    let make = || Simulator::esx().vms(3).record(false).build();
    check(make, "esx://esx.example.com/");
}

#[test]
fn events_of_a_vcenter_put_together_are_its_domains() {
    let make = || Simulator::vcenter().vms(8).record(false).build();
    check(
        make,
        "vpx://vcenter.example.com/Berlin/Production/esx-01.example.com",
    );
}
