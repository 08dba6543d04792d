//! Updates put together are what there is, whatever happens in between.

use std::collections::BTreeMap;

use esx_sim::{Change, Churn, Simulator};
use vi_types::enums::{ObjectUpdateKind, PropertyChangeOp};
use vi_types::methods::{CreateContainerView, CreateFilter, WaitForUpdatesEx};
use vi_types::objects::{InvalidCollectorVersion, PropertyFilterSpec, UpdateSet, WaitOptions};
use vi_types::{ManagedObjectReference, SoapFault};

use crate::client::{Client, at, moref, named, properties, step};

/// Paths of machines, each of which changes by some change.
const PATHS: &[&str] = &[
    "name",
    "runtime.powerState",
    "config.annotation",
    "runtime.host",
];

/// What a client knows of the machines by updates.
#[derive(Default)]
struct Known {
    version: String,
    machines: BTreeMap<String, BTreeMap<String, String>>,
    /// Objects in the largest answer.
    most: usize,
}

impl Known {
    fn apply(&mut self, set: UpdateSet) {
        self.version = set.version;
        let updates = set.filter_set.into_iter();
        let updates: Vec<_> = updates.flat_map(|filter| filter.object_set).collect();
        self.most = self.most.max(updates.len());
        for update in updates {
            let key = update.obj.value.clone();
            match update.kind {
                ObjectUpdateKind::Enter => {
                    let before = self.machines.insert(key.clone(), BTreeMap::new());
                    assert_eq!(before, None, "{key} enters twice");
                }
                ObjectUpdateKind::Leave => {
                    let before = self.machines.remove(&key);
                    assert!(before.is_some(), "{key} leaves, but was not there");
                    continue;
                }
                _ => {}
            }
            let machine = self.machines.get_mut(&key).expect("it entered before");
            for change in update.change_set {
                assert_eq!(change.op, PropertyChangeOp::Assign);
                let before = match &change.val {
                    None => machine.remove(&change.name),
                    Some(val) => machine.insert(change.name.clone(), format!("{val:?}")),
                };
                let now = change.val.map(|val| format!("{val:?}"));
                assert_ne!(before, now, "{key} {}: nothing has changed", change.name);
            }
        }
    }
}

async fn wait(client: &Client, version: &str) -> Result<Option<UpdateSet>, SoapFault> {
    let request = WaitForUpdatesEx {
        version: Some(version.to_owned()),
        options: Some(
            WaitOptions {
                max_wait_seconds: Some(0),
                ..WaitOptions::default()
            }
            .into(),
        ),
        ..Default::default()
    };
    Ok(client.call(&request).await?.map(|set| *set))
}

/// Watches all machines through a view, or by the way from the root folder.
async fn watch(client: &Client, with_view: bool) {
    let object = if with_view {
        let view = CreateContainerView {
            container: client.content.root_folder.clone(),
            r#type: vec!["VirtualMachine".to_owned()],
            recursive: true,
            ..Default::default()
        };
        let view = client.call(&view).await.unwrap();
        at(
            &view,
            true,
            vec![step(None, "ContainerView", "view", vec![])],
        )
    } else {
        let root = client.content.root_folder.clone();
        let all = || vec![named("folder"), named("datacenter")];
        let datacenter = step(
            Some("datacenter"),
            "Datacenter",
            "vmFolder",
            vec![named("folder")],
        );
        at(
            &root,
            true,
            vec![
                step(Some("folder"), "Folder", "childEntity", all()),
                datacenter,
            ],
        )
    };
    let request = CreateFilter {
        spec: PropertyFilterSpec {
            prop_set: vec![properties("VirtualMachine", PATHS)],
            object_set: vec![object],
            ..PropertyFilterSpec::default()
        },
        partial_updates: false,
        ..Default::default()
    };
    client.call(&request).await.unwrap();
}

/// The machines there are.
async fn there(
    client: &Client,
    simulator: &Simulator,
) -> BTreeMap<String, BTreeMap<String, String>> {
    let vms = simulator.objects("VirtualMachine");
    let read = client.read(&vms, "VirtualMachine", PATHS).await.unwrap();
    let machine = |content: vi_types::objects::ObjectContent| {
        let properties = content.prop_set.into_iter();
        let properties = properties.map(|one| (one.name, format!("{:?}", one.val)));
        (content.obj.value, properties.collect())
    };
    read.into_iter().map(machine).collect()
}

/// A small generator of numbers.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[tokio::test]
async fn updates_put_together_are_what_there_is() {
    for seed in 0..12 {
        let mut numbers = Numbers(seed);
        let simulator = Simulator::vcenter().record(false).build();
        let client = Client::login(&simulator).await;
        watch(&client, seed % 2 == 0).await;
        let mut churn = Churn::new(1.0).seed(seed);
        let mut known = Known::default();
        let mut made = Vec::new();
        for number in 0..150 {
            let change: Option<Change> = match numbers.below(8) {
                0 => {
                    made.push(format!("made{number}"));
                    Some(format!("create made{number}").parse().unwrap())
                }
                1 => made
                    .pop()
                    .map(|name| format!("destroy {name}").parse().unwrap()),
                2 => {
                    let host = 1 + numbers.below(2);
                    let line = format!("migrate web01 esx-0{host}.example.com");
                    Some(line.parse().unwrap())
                }
                _ => churn.next(&simulator),
            };
            // Those with a new name are lost for `destroy`.
            change.map(|change| simulator.apply(&change));
            match numbers.below(16) {
                0 => simulator.limit_updates(Some(1 + number)),
                1 => simulator.limit_updates(None),
                // An answer that is lost, and asked for again.
                2 => {
                    let lost = wait(&client, &known.version).await.unwrap();
                    let again = wait(&client, &known.version).await.unwrap();
                    if !known.version.is_empty() {
                        assert_eq!(lost, again);
                    }
                    again.into_iter().for_each(|set| known.apply(set));
                }
                3..8 => {
                    let set = wait(&client, &known.version).await.unwrap();
                    set.into_iter().for_each(|set| known.apply(set));
                }
                _ => {}
            }
        }
        while let Some(set) = wait(&client, &known.version).await.unwrap() {
            known.apply(set);
        }
        assert_eq!(
            known.machines,
            there(&client, &simulator).await,
            "seed {seed}"
        );
    }
}

#[tokio::test]
async fn the_server_limits_the_objects_in_an_answer() {
    let simulator = Simulator::esx().vms(10).build();
    let client = Client::login(&simulator).await;
    watch(&client, true).await;
    simulator.limit_updates(Some(4));
    let mut known = Known::default();
    let mut truncated = Vec::new();
    while let Some(set) = wait(&client, &known.version).await.unwrap() {
        truncated.push(set.truncated);
        known.apply(set);
    }
    assert_eq!(truncated, [Some(true), Some(true), None]);
    assert_eq!((known.machines.len(), known.most), (10, 4));
}

#[tokio::test]
async fn as_many_versions_are_kept_as_is_said_and_then_they_are_forgotten() {
    for kept in 0..3 {
        let simulator = Simulator::esx().build();
        simulator.keep_versions(kept);
        let client = Client::login(&simulator).await;
        watch(&client, true).await;
        let mut sets = vec![wait(&client, "").await.unwrap().unwrap()];
        for change in ["rename web01 a", "rename a b", "rename b c"] {
            simulator.apply(&change.parse().unwrap()).unwrap();
            let last = sets.last().unwrap().version.clone();
            sets.push(wait(&client, &last).await.unwrap().unwrap());
        }
        for (behind, set) in sets.iter().rev().enumerate() {
            let again = wait(&client, &set.version).await;
            if behind == 0 {
                assert_eq!(again, Ok(None));
            } else if behind <= kept {
                assert_eq!(again.unwrap().unwrap(), sets[sets.len() - behind]);
            } else {
                assert!(again.unwrap_err().is::<InvalidCollectorVersion>());
            }
        }
        simulator.forget_versions();
        for set in &sets {
            let fault = wait(&client, &set.version).await.unwrap_err();
            assert!(fault.is::<InvalidCollectorVersion>());
        }
        // From the beginning it goes on.
        let mut known = Known::default();
        known.apply(wait(&client, "").await.unwrap().unwrap());
        assert_eq!(known.machines, there(&client, &simulator).await);
    }
}

#[tokio::test]
async fn an_object_that_was_missing_is_told_when_it_comes() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let wanted: ManagedObjectReference = moref("VirtualMachine", "8");
    let request = CreateFilter {
        spec: PropertyFilterSpec {
            prop_set: vec![properties("VirtualMachine", PATHS)],
            object_set: vec![at(&wanted, false, vec![])],
            report_missing_objects_in_results: Some(true),
            ..PropertyFilterSpec::default()
        },
        partial_updates: false,
        ..Default::default()
    };
    client.call(&request).await.unwrap();
    let set = wait(&client, "").await.unwrap().unwrap();
    assert_eq!(set.filter_set[0].missing_set[0].obj, wanted);
    simulator.apply(&"create fresh".parse().unwrap()).unwrap();
    assert_eq!(simulator.vm("fresh"), Some(wanted.clone()));
    let mut known = Known::default();
    known.apply(wait(&client, &set.version).await.unwrap().unwrap());
    simulator
        .apply(&"unregister fresh".parse().unwrap())
        .unwrap();
    known.apply(wait(&client, &known.version).await.unwrap().unwrap());
    assert_eq!(known.machines, BTreeMap::new());
}
