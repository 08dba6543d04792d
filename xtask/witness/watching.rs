//! vcsim: changes that another client makes arrive at watches.

use std::time::Duration;

use vi_client::retrieve::{Retrieve, Selection};
use vi_client::transport::{Endpoint, HttpsTransport, Verify};
use vi_client::{Client, Error, ObjectChange, ObjectWatch, Options, property_set};
use vi_types::ManagedObjectReference;
use vi_types::enums::VirtualMachinePowerState;
use vi_types::objects::{VirtualHardware, VirtualMachineConfigSpec};
use vi_types::references::VirtualMachine;

use crate::check;

property_set! {
    #[derive(Debug)]
    struct Machine: VirtualMachine {
        name: String = name,
        state: VirtualMachinePowerState = runtime.power_state,
        hardware: Option<VirtualHardware> = config.hardware,
    }
}

property_set! {
    struct Host: HostSystem {
        name: String = name,
    }
}

pub(crate) fn run(address: &str) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime
        .block_on(watch(address))
        .map_err(|error| error.to_string())
}

async fn connect(address: &str) -> Result<Client, Error> {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "443"));
    let endpoint = Endpoint::https(host, port.parse().unwrap_or(443));
    let transport = HttpsTransport::new(endpoint).verify(Verify::NoVerify);
    let client = Client::connect(transport, Options::default()).await?;
    client.login("user", "pass").await?;
    Ok(client)
}

async fn watch(address: &str) -> Result<(), Error> {
    let (watching, changing) = (connect(address).await?, connect(address).await?);
    let root = watching.service_content().root_folder.clone();
    let everything = Retrieve::from(&root).select_all(Selection::inventory());
    let mut machines = watching.watch_set::<Machine>(everything.clone()).await?;
    let first = told(&mut machines).await.map_err(Error::Shared)?;
    let entered = |change: &ObjectChange<Machine>| matches!(change, ObjectChange::Entered { .. });
    let all = first.len() >= 2 && first.iter().all(entered);
    check("all machines enter", all, &format!("{first:?}"));
    let Some(object) = first.first().map(|change| change.object().clone()) else {
        return Ok(());
    };

    // A watch that is added while another one waits: vcsim tells of it only in a new collector.
    let waiting = tokio::spawn(async move {
        let changes = told(&mut machines).await;
        (machines, changes)
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut hosts = watching.watch_set::<Host>(everything).await?;
    let found = tokio::time::timeout(PATIENCE, hosts.next_changes()).await;
    let found = found.is_ok_and(|changes| changes.is_ok_and(|changes| !changes.is_empty()));
    let hosts_now = hosts.objects().all();
    let named = hosts_now.iter().all(|(_, host)| !host.name.is_empty());
    check(
        "a second watch is told its objects",
        found && named,
        "nothing in time",
    );
    hosts.close().await;

    let vm = VirtualMachine::from(object.clone());
    changing.run(&vm.power_off_vm_task()).await?;
    let (mut machines, changes) = match waiting.await {
        Ok(waited) => waited,
        Err(error) => {
            check("the watch goes on", false, &error.to_string());
            return Ok(());
        }
    };
    let name = "another client's PowerOffVM_Task arrives, and nothing else";
    let is_off = |machine: &Machine| machine.state == VirtualMachinePowerState::PoweredOff;
    one(name, changes, &object, is_off);

    changing.run(&vm.power_on_vm_task()).await?;
    let is_on = |machine: &Machine| machine.state == VirtualMachinePowerState::PoweredOn;
    let changes = told(&mut machines).await;
    one(
        "another client's PowerOnVM_Task arrives",
        changes,
        &object,
        is_on,
    );

    let spec = VirtualMachineConfigSpec {
        memory_mb: Some(64),
        ..Default::default()
    };
    // vcsim forgets what changes while no call waits, so one waits meanwhile.
    let request = vm.reconfig_vm_task(spec);
    let reconfigured = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        changing.run(&request).await
    };
    // vcsim tells of `config.hardware`, but not of the properties in it, nor of `name`.
    let is_changed = |machine: &Machine| {
        let hardware = machine.hardware.as_ref();
        hardware.is_some_and(|hardware| hardware.memory_mb == 64)
    };
    let end = tokio::time::Instant::now() + PATIENCE;
    let objects = machines.objects();
    let arriving = async {
        while tokio::time::Instant::now() < end && told(&mut machines).await.is_ok() {
            let machine = objects.get(&object);
            if machine.is_some_and(|machine| is_changed(&machine)) {
                return true;
            }
        }
        false
    };
    let (reconfigured, arrived) = tokio::join!(reconfigured, arriving);
    reconfigured?;
    let found = "it has not arrived";
    check("another client's ReconfigVM_Task arrives", arrived, found);

    changing.run(&vm.power_off_vm_task()).await?;
    changing.run(&vm.destroy_task()).await?;
    while machines.objects().get(&object).is_some() && told(&mut machines).await.is_ok() {}
    let is_gone = machines.objects().get(&object).is_none();
    check(
        "another client's Destroy_Task arrives",
        is_gone,
        "it is still there",
    );
    let connection = machines.connection().state();
    let text = format!("{connection:?}");
    check("the connection is there", connection.is_connected(), &text);
    machines.close().await;
    watching.close().await?;
    changing.close().await
}

/// How long a change may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// The next changes; none if there are none in time.
async fn told(
    watch: &mut ObjectWatch<Machine>,
) -> Result<Vec<ObjectChange<Machine>>, std::sync::Arc<Error>> {
    let changes = tokio::time::timeout(PATIENCE, watch.next_changes()).await;
    changes.unwrap_or_else(|_| {
        Err(std::sync::Arc::new(Error::Closed {
            method: "nothing in time",
        }))
    })
}

/// One machine is modified, and is now like that.
fn one(
    name: &str,
    changes: Result<Vec<ObjectChange<Machine>>, std::sync::Arc<Error>>,
    object: &ManagedObjectReference,
    is_right: impl Fn(&Machine) -> bool,
) {
    let held = match &changes {
        Ok(changes) => matches!(
            &changes[..],
            [ObjectChange::Modified { object: changed, now, .. }] if changed == object && is_right(now)
        ),
        Err(_) => false,
    };
    check(name, held, &format!("{changes:?}"));
}
