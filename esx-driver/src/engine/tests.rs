//! Changes that no noun of the driver makes yet: on anything, with a result, with and without a machine.

use std::future::IntoFuture as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use esx_sim::{Effect as Spoilt, Question as Asked, Rule, Script, Simulator};
use vi_client::{Client, Options as ClientOptions, transport::InProcess};
use vi_types::{
    ManagedObjectReference, Poly,
    enums::{
        VirtualMachineMovePriority,
        VirtualMachinePowerState::{PoweredOff, PoweredOn},
    },
    methods::{
        CloneVmTask, CreateVirtualDiskTask, DeleteVirtualDiskTask, MigrateVmTask,
        QueryVirtualDiskUuid,
    },
    objects::{FileBackedVirtualDiskSpec, FileFault, FileNotFound, VirtualDiskSpec},
    properties, references,
};
use virt_model::Uuid;

use super::*;
use crate::{Error, ErrorKind, Operation, Result, policy::Policy, question::Asker};

const DISK: &str = "[datastore1] build-ci/second.vmdk";

/// A host, and a client that is logged in.
async fn host() -> (Simulator, Client) {
    let simulator = Simulator::esx().build();
    let transport = InProcess::new(simulator.handler());
    let client = Client::connect(transport, ClientOptions::default());
    let client = client.await.unwrap();
    let (user, password) = (simulator.user(), simulator.password());
    client.login(user, password).await.unwrap();
    simulator.clear_requests();
    (simulator, client)
}

fn methods(simulator: &Simulator) -> Vec<String> {
    let requests = simulator.requests().into_iter();
    requests.filter_map(|request| request.method).collect()
}

fn creation(client: &Client) -> Change<String> {
    let spec = FileBackedVirtualDiskSpec {
        base: VirtualDiskSpec {
            disk_type: "thin".to_owned(),
            adapter_type: "lsiLogic".to_owned(),
            ..Default::default()
        },
        capacity_kb: 1024,
        ..Default::default()
    };
    let request = CreateVirtualDiskTask {
        name: DISK.to_owned(),
        spec: Poly::new(spec),
        ..Default::default()
    };
    let seeing = client.clone();
    Change::task(client, request).verified_by(move || Box::pin(is_there(seeing.clone())))
}

/// Whether the disk is there; its name is what its creation returns.
async fn is_there(client: Client) -> Result<Effect<String>> {
    let request = QueryVirtualDiskUuid {
        name: DISK.to_owned(),
        ..Default::default()
    };
    match client.call(&request).await {
        Ok(_) => Ok(Effect::Done(DISK.to_owned())),
        Err(error)
            if error
                .declared::<QueryVirtualDiskUuid, FileFault>()
                .is_some() =>
        {
            Ok(Effect::NotDone)
        }
        Err(error) => Err(error.into()),
    }
}

fn create(client: &Client) -> Operation<'static, String> {
    Operation::of("Could not create disk", Ok(creation(client)))
}

fn delete(client: &Client) -> Operation<'static> {
    let request = DeleteVirtualDiskTask {
        name: DISK.to_owned(),
        ..Default::default()
    };
    let change = Change::task(client, request);
    Operation::of("Could not delete disk", Ok(change))
}

#[tokio::test(start_paused = true)]
async fn a_task_without_a_machine_returns_its_result() {
    let (simulator, client) = host().await;
    assert_eq!(create(&client).await.unwrap(), DISK);
    // Nothing is read before, since nothing could be in the way.
    let expected = ["CreateVirtualDisk_Task", "RetrievePropertiesEx"];
    assert_eq!(methods(&simulator)[..2], expected);
    assert!(simulator.file(DISK).is_some());
    delete(&client).await.unwrap();
    assert!(simulator.file(DISK).is_none());
    let error = delete(&client).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TaskFailed);
    assert!(
        error
            .message()
            .starts_with("Could not delete disk: FileNotFound - "),
        "{error}"
    );
    assert!(error.fault().unwrap().is::<FileNotFound>());
    assert_eq!(simulator.leftovers(), []);
}

#[tokio::test(start_paused = true)]
async fn a_task_without_a_machine_whose_start_got_no_reply() {
    for (effect, is_done) in [(Spoilt::DropAfter, true), (Spoilt::DropBefore, false)] {
        let (simulator, client) = host().await;
        simulator.inject(Rule::new("CreateVirtualDisk_Task", effect).nth(1));
        // The host gets on with the task between the first search and the second.
        let working = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            while simulator.step_tasks() {}
        };
        let (result, ()) = tokio::join!(create(&client).into_future(), working);
        let starts = methods(&simulator);
        let starts = starts
            .iter()
            .filter(|method| *method == "CreateVirtualDisk_Task");
        assert_eq!(starts.count(), 1);
        match is_done {
            true => assert_eq!(result.unwrap(), DISK),
            // The host might have queued it.
            false => assert_eq!(result.unwrap_err().kind(), ErrorKind::InDoubt),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn progress_deadline_and_cancellation_need_no_machine() {
    let (simulator, client) = host().await;
    simulator.script(Script::new("*").steps(4));
    let percents = Mutex::new(Vec::new());
    let told = |progress: Progress| percents.lock().unwrap().push(progress.percent);
    create(&client).on_progress(told).await.unwrap();
    assert!(percents.lock().unwrap().contains(&Some(50)));

    simulator.script(Script::new("*").steps(4).cancelable(true));
    simulator.stop_tasks();
    let error = delete(&client).deadline(Duration::from_secs(5)).await;
    let error = error.unwrap_err();
    assert_eq!(
        (error.kind(), error.message()),
        (
            ErrorKind::Timeout,
            "Could not delete disk: the task did not finish within 5 s"
        )
    );
    let soon = tokio::time::sleep(Duration::from_secs(5));
    let error = delete(&client).cancelled_by(soon).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(simulator.file(DISK).is_some());
}

/// The machine `web01`, as a noun would describe it.
fn machine(simulator: &Simulator, policy: Policy) -> Machine {
    let moref = simulator.vm("web01").unwrap();
    Machine {
        asker: Asker::new("web01", Uuid::NIL, moref.clone()),
        moref,
        policy,
        not_found: |asker| {
            let message = format!("no '{}'", asker.name());
            let kind = ErrorKind::NotFound(crate::What::Domain);
            Error::new(kind, virt_model::ErrorNumber::NoDomain, message)
        },
    }
}

fn snapshot(
    client: &Client,
    machine: Machine,
) -> Operation<'static, references::VirtualMachineSnapshot> {
    let vm = references::VirtualMachine::from(machine.moref.clone());
    let change = Change::task(client, vm.create_snapshot_task("now", false, false)).of(machine);
    Operation::new("Could not create snapshot", move |mut runner| {
        Box::pin(async move { Ok(runner.perform(change).await?.into()) })
    })
}

#[tokio::test(start_paused = true)]
async fn a_task_of_a_machine_in_any_state_returns_a_reference() {
    let (simulator, client) = host().await;
    let machine = machine(&simulator, Policy::Default);
    for power_state in [PoweredOff, PoweredOn] {
        simulator.set_power_state(&machine.moref, power_state);
        let question = Script::new("CreateSnapshot_Task").asks(Asked::serial_port());
        simulator.script(question);
        let created = snapshot(&client, machine.clone()).await.unwrap();
        let vm: properties::VirtualMachine = simulator.properties(&machine.moref).unwrap();
        let current = vm.snapshot.unwrap().current_snapshot;
        assert_eq!(current, Some(created.to_moref()));
    }
    simulator.remove_vm(&machine.moref);
    let error = snapshot(&client, machine).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(crate::What::Domain));
    assert_eq!(simulator.leftovers(), []);
}

#[tokio::test(start_paused = true)]
async fn operations_of_any_type_run_in_bulk() {
    use futures_util::StreamExt as _;

    let (simulator, client) = host().await;
    let machines = simulator.objects("VirtualMachine").into_iter();
    let machines: Vec<_> = machines
        .inspect(|moref| assert!(simulator.set_power_state(moref, PoweredOff)))
        .map(|moref| Machine {
            moref,
            ..machine(&simulator, Policy::Report)
        })
        .collect();
    let count = machines.len();
    let created = crate::bulk::run(machines, 2, move |machine: &Machine| {
        snapshot(&client, machine.clone())
    });
    let created: Vec<_> = created.collect().await;
    assert_eq!(created.len(), count);
    for (machine, snapshot) in created {
        let vm: properties::VirtualMachine = simulator.properties(&machine.moref).unwrap();
        let current = vm.snapshot.unwrap().current_snapshot;
        assert_eq!(current, Some(snapshot.unwrap().to_moref()));
    }
    assert!(simulator.load().most_tasks <= 2);
}

/// The simulator has neither method, but both fit: the machine is that of the server which runs the task, and what the
/// task returns belongs to another machine or another host.
#[tokio::test]
async fn clones_and_migrations_are_changes_like_others() {
    let (simulator, client) = host().await;
    let machine = machine(&simulator, Policy::Report);
    let this = machine.moref.clone();
    let clone: Change<ManagedObjectReference> = Change::task(
        &client,
        CloneVmTask {
            this: this.clone(),
            ..Default::default()
        },
    )
    .of(machine.clone());
    let host = simulator.objects("HostSystem").remove(0);
    let seen = Arc::new(host.clone());
    let vcenter = client.clone();
    let moving = this.clone();
    let migration: Change<()> = Change::task(
        &vcenter,
        MigrateVmTask {
            this,
            host: Some(host),
            priority: VirtualMachineMovePriority::DefaultPriority,
            ..Default::default()
        },
    )
    .of(machine)
    .verified_by(move || {
        let (client, vm, wanted) = (client.clone(), moving.clone(), Arc::clone(&seen));
        Box::pin(async move {
            let placed: Placed = client.read(&vm).await?;
            Ok(match placed.host.as_ref() == Some(&*wanted) {
                true => Effect::Done(()),
                false => Effect::NotDone,
            })
        })
    });
    let clone = Operation::of("Could not clone domain", Ok(clone)).await;
    let migration = Operation::of("Could not migrate domain", Ok(migration)).await;
    for kind in [clone.unwrap_err().kind(), migration.unwrap_err().kind()] {
        assert_eq!(kind, ErrorKind::Fault);
    }
}

vi_client::property_set! {
    struct Placed: VirtualMachine {
        host: Option<ManagedObjectReference> = runtime.host,
    }
}
