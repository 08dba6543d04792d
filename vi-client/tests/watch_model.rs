//! Whatever happens to the server and the connection: the changes that watches tell add up to what the simulator has,
//! nothing is told twice, and nothing is left out of the state.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::time::Duration;

use esx_sim::{Effect, Rule, Simulator};
use proptest::prelude::*;
use vi_client::retrieve::{ObjectProperties, Retrieve, Selection};
use vi_client::transport::InProcess;
use vi_client::{Client, ObjectChange, ObjectWatch, Options, Watch, property_set};
use vi_types::ManagedObjectReference;
use vi_types::enums::{ObjectUpdateKind, VirtualMachinePowerState};
use vi_types::objects::ObjectUpdate;
use vi_types::properties::VirtualMachine;

property_set! {
    #[derive(Debug)]
    struct Machine: VirtualMachine {
        name: String = name,
        state: VirtualMachinePowerState = runtime.power_state,
        uuid: String = config.uuid,
    }
}

/// What happens.
#[derive(Clone, Debug)]
enum Happening {
    Power(usize, VirtualMachinePowerState),
    Rename(usize, u8),
    /// The machine loses a property that it needs, or gets another one.
    Uuid(usize, Option<u8>),
    Remove(usize),
    Expire,
    Restart,
    Forget,
    Limit(Option<usize>),
    /// The next calls of the method fail.
    Fail(&'static str, Effect, usize),
    /// Time passes, in milliseconds.
    Pass(u64),
}

const METHODS: [&str; 8] = [
    "WaitForUpdatesEx",
    "WaitForUpdates",
    "CheckForUpdates",
    "CreateFilter",
    "CreatePropertyCollector",
    "Login",
    "CurrentTime",
    "*",
];

fn happening() -> impl Strategy<Value = Happening> {
    use VirtualMachinePowerState::{PoweredOff, PoweredOn, Suspended};

    let power = prop_oneof![Just(PoweredOff), Just(PoweredOn), Just(Suspended)];
    let effect = prop_oneof![
        Just(Effect::DropBefore),
        Just(Effect::DropAfter),
        Just(Effect::ExpireSession),
        Just(Effect::Truncate(300)),
        Just(Effect::Status(http::StatusCode::SERVICE_UNAVAILABLE)),
        (0..50u64).prop_map(|ms| Effect::Delay(Duration::from_millis(ms))),
    ];
    prop_oneof![
        6 => (0..5usize, power).prop_map(|(vm, state)| Happening::Power(vm, state)),
        2 => (0..5usize, any::<u8>()).prop_map(|(vm, name)| Happening::Rename(vm, name)),
        2 => (0..5usize, any::<Option<u8>>()).prop_map(|(vm, uuid)| Happening::Uuid(vm, uuid)),
        1 => (0..5usize).prop_map(Happening::Remove),
        1 => Just(Happening::Expire),
        1 => Just(Happening::Restart),
        1 => Just(Happening::Forget),
        1 => prop::option::of(1..4usize).prop_map(Happening::Limit),
        3 => (0..METHODS.len(), effect, 1..3usize)
            .prop_map(|(method, effect, times)| Happening::Fail(METHODS[method], effect, times)),
        4 => (0..200u64).prop_map(Happening::Pass),
    ]
}

async fn happen(simulator: &Simulator, vms: &[ManagedObjectReference], happening: Happening) {
    match happening {
        Happening::Power(vm, state) => {
            simulator.set_power_state(&vms[vm], state);
        }
        Happening::Rename(vm, name) => {
            let name = format!("machine{name}");
            simulator.change(&vms[vm], |vm: &mut VirtualMachine| vm.name = Some(name));
        }
        Happening::Uuid(vm, uuid) => {
            simulator.change(&vms[vm], |vm: &mut VirtualMachine| {
                if let Some(config) = &mut vm.config {
                    config.uuid = uuid.map(|uuid| uuid.to_string()).unwrap_or_default();
                }
                if uuid.is_none() {
                    vm.config = None;
                }
            });
        }
        Happening::Remove(vm) => {
            simulator.remove_vm(&vms[vm]);
        }
        Happening::Expire => simulator.expire_sessions(),
        Happening::Restart => simulator.restart(),
        Happening::Forget => simulator.forget_versions(),
        Happening::Limit(most) => simulator.limit_updates(most),
        Happening::Fail(method, effect, times) => {
            simulator.inject(Rule::new(method, effect).times(times));
        }
        Happening::Pass(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
    }
}

/// Name, power state and UUID; those without a UUID are not there as sets.
type Picture = BTreeMap<String, (String, String, Option<String>)>;

fn truth(simulator: &Simulator) -> Picture {
    let vms = simulator.objects("VirtualMachine").into_iter();
    vms.map(|vm| {
        let properties: VirtualMachine = simulator.properties(&vm).unwrap();
        let picture = (
            properties.name.clone().unwrap(),
            properties.runtime.unwrap().power_state.to_string(),
            properties.config.map(|config| config.uuid),
        );
        (vm.value, picture)
    })
    .collect()
}

/// Applies a change, and checks that it follows from what was told before.
fn fold(picture: &mut Picture, change: ObjectChange<Machine>) {
    let text = |set: &Machine| {
        let uuid = Some(set.uuid.clone());
        (set.name.clone(), set.state.to_string(), uuid)
    };
    let before = change.before().map(|before| text(before));
    let now = change.now().map(|now| text(now));
    assert_ne!(before, now, "nothing has changed");
    let object = change.object().value.clone();
    let known = match now {
        Some(now) => picture.insert(object, now),
        None => picture.remove(&object),
    };
    assert_eq!(known, before);
}

/// The same for updates.
fn fold_raw(raw: &mut BTreeMap<String, ObjectProperties>, update: ObjectUpdate) {
    if update.obj.r#type != "VirtualMachine" {
        return;
    }
    let object = update.obj.value.clone();
    match update.kind {
        ObjectUpdateKind::Leave => assert!(raw.remove(&object).is_some(), "it has left before"),
        ObjectUpdateKind::Enter => {
            let mut properties = ObjectProperties::default();
            properties.apply(update);
            assert!(raw.insert(object, properties).is_none(), "it is there");
        }
        _ => {
            let known = raw.get_mut(&object).unwrap();
            for change in &update.change_set {
                let val = change.val.as_ref().filter(|val| !val.is_none());
                assert_ne!(known.get(&change.name), val, "nothing has changed");
            }
            known.apply(update);
        }
    }
}

fn picture(raw: &BTreeMap<String, ObjectProperties>) -> Picture {
    let text = |properties: &ObjectProperties| {
        let mut properties = properties.clone();
        let state: VirtualMachinePowerState = properties.take("runtime.powerState").unwrap();
        (
            properties.take("name").unwrap(),
            state.to_string(),
            properties.take("config.uuid").unwrap(),
        )
    };
    let each = raw.iter();
    each.map(|(object, properties)| (object.clone(), text(properties)))
        .collect()
}

struct Watchers {
    sets: ObjectWatch<Machine>,
    raw: Watch,
    told: Picture,
    told_raw: BTreeMap<String, ObjectProperties>,
}

impl Watchers {
    async fn new(client: &Client, simulator: &Simulator) -> Self {
        let host = &simulator.objects("HostSystem")[0];
        let machines = Retrieve::from(host).select(Selection::traverse("HostSystem", "vm"));
        let sets = client.watch_set::<Machine>(machines.clone()).await.unwrap();
        let request = machines.properties(
            "VirtualMachine",
            ["name", "runtime.powerState", "config.uuid"],
        );
        let raw = client.watch(request.filter()).await.unwrap();
        raw.keep_trying();
        Self {
            sets: sets.keep_trying(),
            raw,
            told: Picture::new(),
            told_raw: BTreeMap::new(),
        }
    }

    /// Takes what is told within this time.
    async fn take(&mut self, within: Duration) -> usize {
        let end = tokio::time::sleep(within);
        tokio::pin!(end);
        let mut count = 0;
        loop {
            tokio::select! {
                biased;
                changes = self.sets.next_changes() => {
                    for change in changes.unwrap() {
                        fold(&mut self.told, change);
                        count += 1;
                    }
                }
                updates = self.raw.next() => {
                    for update in updates.unwrap() {
                        fold_raw(&mut self.told_raw, update);
                        count += 1;
                    }
                }
                () = &mut end => return count,
            }
        }
    }
}

async fn check(old: bool, happenings: Vec<Happening>) {
    // Before 4.1 sessions share a collector, so a filter whose creation gets no reply stays until the session ends.
    let may_leave_filters = old
        && happenings
            .iter()
            .any(|happening| matches!(happening, Happening::Fail("CreateFilter" | "*", ..)));
    let builder = Simulator::esx().vms(5);
    let simulator = match old {
        true => builder.api_version("4.0").unwrap().build(),
        false => builder.build(),
    };
    let transport = InProcess::new(simulator.handler());
    let client = Client::connect(transport, Options::default())
        .await
        .unwrap();
    client
        .login(simulator.user(), simulator.password())
        .await
        .unwrap();
    let vms = simulator.objects("VirtualMachine");
    let mut watchers = Watchers::new(&client, &simulator).await;
    for happening in happenings {
        tokio::select! {
            biased;
            () = happen(&simulator, &vms, happening) => {}
            _ = watchers.take(Duration::MAX) => {}
        }
    }
    simulator.clear_rules();
    // The longest pause, and a wait that was lost.
    watchers.take(Duration::from_secs(200)).await;
    let truth = truth(&simulator);
    assert_eq!(picture(&watchers.told_raw), truth);
    let complete = truth.into_iter().filter(|(_, (.., uuid))| uuid.is_some());
    let complete: Picture = complete.collect();
    assert_eq!(watchers.told, complete);
    assert_eq!(watchers.sets.objects().len(), complete.len());
    assert!(watchers.sets.connection().state().is_connected());

    // Nothing is told twice, and the server is asked no more often than the wait's own interval.
    simulator.clear_requests();
    assert_eq!(watchers.take(Duration::from_secs(600)).await, 0);
    let requests = simulator.requests().len();
    assert!(requests <= 21, "{requests} in ten minutes");
    watchers.raw.close().await;
    watchers.sets.close().await;
    assert!(may_leave_filters || simulator.leftovers().is_empty());
    client.close().await.unwrap();
}

fn cases() -> u32 {
    let cases = std::env::var("WATCH_MODEL_CASES").ok();
    cases.and_then(|cases| cases.parse().ok()).unwrap_or(150)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_told_adds_up_to_what_there_is(
        old in prop::bool::weighted(0.2),
        happenings in prop::collection::vec(happening(), 1..30),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(check(old, happenings));
    }
}
