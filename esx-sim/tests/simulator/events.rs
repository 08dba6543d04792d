//! The event log: what every action writes, and how clients read it.

use esx_sim::{Question, Script, Simulator};
use vi_types::enums::EventFilterSpecRecursionOption as Recursion;
use vi_types::enums::VirtualMachinePowerState::PoweredOff;
use vi_types::methods::{
    AcquireTicket, CloneVmTask, CreateCollectorForEvents, CreateSnapshotTask, CreateVmTask,
    DestroyCollector, DestroyTask, LogUserEvent, Logout, MigrateVmTask, PostEvent, PowerOffVmTask,
    PowerOnVmTask, QueryEvents, ReadNextEvents, ReadPreviousEvents, RebootGuest, ReconfigVmTask,
    RegisterVmTask, RenameTask, ResetCollector, ResetVmTask, RewindCollector, SetCollectorPageSize,
    ShutdownGuest, SuspendVmTask, UnregisterVm,
};
use vi_types::objects::{
    Event, EventEx, EventFilterSpec, EventFilterSpecByEntity, EventFilterSpecByTime,
    EventFilterSpecByUsername, GeneralUserEvent, InvalidArgument, InvalidState, NotSupported,
    TaskEvent, UserLoginSessionEvent, VirtualMachineCloneSpec, VirtualMachineConfigSpec,
    VirtualMachineFileInfo, VmAcquiredTicketEvent, VmEvent, VmFailedToPowerOnEvent,
    VmGuestOsCrashedEvent, VmMessageEvent, VmMigratedEvent, VmPoweredOnEvent, VmReconfiguredEvent,
    VmRenamedEvent, VmResumingEvent,
};
use vi_types::properties::{EventHistoryCollector, EventManager};
use vi_types::{Any, Array, ManagedObjectReference, Poly};

use crate::client::{Client, moref};
use crate::host::Host;

/// The names of events without `Event` at their ends.
fn names(events: &[Poly<Event>]) -> Vec<&str> {
    let names = events.iter().map(|event| event.type_name());
    names
        .map(|name| name.strip_suffix("Event").unwrap_or(name))
        .collect()
}

fn keys(events: &[Poly<Event>]) -> Vec<i32> {
    events.iter().map(|event| event.key).collect()
}

/// What has been written since a number of events.
struct Since<'a>(&'a Simulator, usize);

impl<'a> Since<'a> {
    fn now(simulator: &'a Simulator) -> Self {
        Self(simulator, simulator.events().len())
    }

    fn events(&mut self) -> Vec<Poly<Event>> {
        let all = self.0.events();
        let new = all[self.1..].to_vec();
        self.1 = all.len();
        new
    }

    #[track_caller]
    fn are(&mut self, expected: &str) -> Vec<Poly<Event>> {
        let events = self.events();
        assert_eq!(names(&events).join(" "), expected);
        events
    }
}

#[tokio::test]
async fn power_and_guest_write_events_in_the_chain_of_their_task() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("web01").unwrap();
    let mut since = Since::now(&host.simulator);
    let this = vm.clone();
    host.succeeds(&PowerOffVmTask {
        this,
        ..Default::default()
    })
    .await;
    let events = since.are("Task VmStopping VmPoweredOff");
    assert!(
        events.iter().all(|event| event.chain_id == events[0].key),
        "{events:?}"
    );
    assert!(events.iter().all(|event| event.user_name == "root"));
    assert_eq!(keys(&events), (events[0].key..).take(3).collect::<Vec<_>>());
    let task = events[0].cast::<TaskEvent>().unwrap();
    assert_eq!(task.info.description_id, "VirtualMachine.powerOff");
    let off = &events[2];
    assert_eq!(
        off.full_formatted_message.as_deref(),
        Some("web01 on esx.example.com in ha-datacenter is powered off")
    );
    assert_eq!(off.vm.as_deref().unwrap().vm, vm);
    assert_eq!(off.host.as_deref().unwrap().host.value, "ha-host");
    assert_eq!(off.datacenter.as_deref().unwrap().name, "ha-datacenter");
    assert!(off.compute_resource.is_some());

    let this = vm.clone();
    host.succeeds(&PowerOnVmTask {
        this,
        ..Default::default()
    })
    .await;
    since.are("Task VmStarting VmPoweredOn");
    let this = vm.clone();
    host.succeeds(&SuspendVmTask {
        this,
        ..Default::default()
    })
    .await;
    since.are("Task VmSuspending VmSuspended");
    let this = vm.clone();
    host.succeeds(&PowerOnVmTask {
        this,
        ..Default::default()
    })
    .await;
    since.are("Task VmResuming VmPoweredOn");
    let this = vm.clone();
    host.succeeds(&ResetVmTask {
        this,
        ..Default::default()
    })
    .await;
    since.are("Task VmResetting");
    let this = vm.clone();
    host.client
        .call(&RebootGuest {
            this,
            ..Default::default()
        })
        .await
        .unwrap();
    since.are("VmGuestReboot");
    let this = vm.clone();
    host.client
        .call(&ShutdownGuest {
            this,
            ..Default::default()
        })
        .await
        .unwrap();
    since.are("VmGuestShutdown VmPoweredOff");
}

#[tokio::test]
async fn what_happens_without_a_client_is_done_by_the_host_itself() {
    let host = Host::esx().await;
    let vm = host.simulator.vm("web01").unwrap();
    let mut since = Since::now(&host.simulator);
    host.simulator.set_power_state(&vm, PoweredOff);
    let events = since.are("VmStopping VmPoweredOff");
    assert_eq!(events[0].user_name, "User");
    host.simulator.ask(&vm, Question::disk_full());
    let events = since.are("VmMessage");
    let message = events[0].cast::<VmMessageEvent>().unwrap();
    assert_eq!(message.message_info[0].id, "msg.hbacommon.outofspace");
    assert!(
        message
            .message
            .starts_with("msg.hbacommon.outofspace: There is no more space")
    );
    host.simulator.remove_vm(&vm);
    let events = since.are("VmRemoved");
    assert_eq!(events[0].vm.as_deref().unwrap().name, "web01");
}

#[tokio::test]
async fn machines_come_change_and_go() {
    let host = Host::esx().await;
    let simulator = &host.simulator;
    let vm = simulator.vm("db01").unwrap();
    let state = host.vm(&vm);
    let (folder, pool) = (
        state.parent.clone().unwrap(),
        state.resource_pool.clone().unwrap(),
    );
    let mut since = Since::now(simulator);
    let renamed = RenameTask {
        this: vm.clone(),
        new_name: "db02".to_owned(),
        ..RenameTask::default()
    };
    host.succeeds(&renamed).await;
    let events = since.are("Task VmRenamed");
    let renamed = events[1].cast::<VmRenamedEvent>().unwrap();
    assert_eq!((&*renamed.old_name, &*renamed.new_name), ("db01", "db02"));
    let spec = VirtualMachineConfigSpec {
        annotation: Some("busy".to_owned()),
        ..VirtualMachineConfigSpec::default()
    };
    let this = vm.clone();
    host.succeeds(&ReconfigVmTask {
        this,
        spec: spec.clone(),
        ..Default::default()
    })
    .await;
    let events = since.are("Task VmReconfigured");
    let event = events[1].cast::<VmReconfiguredEvent>().unwrap();
    assert_eq!(event.config_spec.annotation.as_deref(), Some("busy"));
    simulator.set_power_state(&vm, PoweredOff);
    since.events();
    let path = state.config.unwrap().files.vm_path_name.clone().unwrap();
    let this = vm.clone();
    host.client
        .call(&UnregisterVm {
            this,
            ..Default::default()
        })
        .await
        .unwrap();
    since.are("VmRemoved");
    let register = RegisterVmTask {
        this: folder.clone(),
        path,
        pool: Some(pool.clone()),
        ..RegisterVmTask::default()
    };
    let vm = host.made(&register).await;
    since.are("Task VmRegistered");
    let take = CreateSnapshotTask {
        this: vm.clone(),
        name: "base".to_owned(),
        ..CreateSnapshotTask::default()
    };
    host.made(&take).await;
    let events = since.are("Task");
    assert_eq!(
        events[0].full_formatted_message.as_deref(),
        Some("Task: Create virtual machine snapshot")
    );
    host.succeeds(&DestroyTask {
        this: vm,
        ..Default::default()
    })
    .await;
    since.are("Task VmRemoved");
    let create = CreateVmTask {
        this: folder,
        config: VirtualMachineConfigSpec {
            name: Some("new".to_owned()),
            files: Some(
                VirtualMachineFileInfo {
                    vm_path_name: Some("[datastore1]".to_owned()),
                    ..VirtualMachineFileInfo::default()
                }
                .into(),
            ),
            ..VirtualMachineConfigSpec::default()
        },
        pool,
        ..CreateVmTask::default()
    };
    host.made(&create).await;
    since.are("Task VmBeingCreated VmCreated");
}

#[tokio::test]
async fn failures_questions_and_tickets_are_written() {
    let host = Host::esx().await;
    let simulator = &host.simulator;
    let vm = simulator.vm("web01").unwrap();
    let mut since = Since::now(simulator);
    let ticket = AcquireTicket {
        this: vm.clone(),
        ticket_type: "webmks".to_owned(),
        ..AcquireTicket::default()
    };
    host.client.call(&ticket).await.unwrap();
    let events = since.are("VmAcquiredTicket");
    let acquired = events[0].cast::<VmAcquiredTicketEvent>().unwrap();
    assert_eq!(acquired.ticket_type, "webmks");
    simulator.set_power_state(&vm, PoweredOff);
    simulator.script(Script::new("PowerOnVM_Task").fails(InvalidState::default(), "no"));
    since.events();
    let this = vm.clone();
    host.client
        .call(&PowerOnVmTask {
            this,
            ..Default::default()
        })
        .await
        .unwrap();
    while simulator.step_tasks() {}
    let events = since.are("Task VmFailedToPowerOn");
    let failed = events[1].cast::<VmFailedToPowerOnEvent>().unwrap();
    assert!(failed.reason.fault.is::<InvalidState>());
    assert_eq!(failed.chain_id, events[0].key);
}

#[tokio::test]
async fn a_vcenter_writes_moves_and_clones() {
    let host = Host::vcenter().await;
    let simulator = &host.simulator;
    let vm = simulator.vm("web01").unwrap();
    let to = simulator.objects("HostSystem").into_iter().nth(1).unwrap();
    let mut since = Since::now(simulator);
    let migrate = MigrateVmTask {
        this: vm.clone(),
        host: Some(to.clone()),
        ..MigrateVmTask::default()
    };
    host.succeeds(&migrate).await;
    let events = since.are("Task VmBeingHotMigrated VmMigrated");
    let migrated = events[2].cast::<VmMigratedEvent>().unwrap();
    assert_ne!(migrated.source_host.host, to);
    assert_eq!(migrated.host.as_deref().unwrap().host, to);
    let clone = CloneVmTask {
        this: vm.clone(),
        folder: host.vm(&vm).parent.clone().unwrap(),
        name: "copy".to_owned(),
        spec: VirtualMachineCloneSpec::default(),
        ..CloneVmTask::default()
    };
    host.made(&clone).await;
    let events = since.are("Task VmBeingCloned VmCloned");
    assert_eq!(
        events[2].full_formatted_message.as_deref(),
        Some("Clone of web01 completed")
    );
}

#[tokio::test]
async fn sessions_are_written_with_their_users() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    client.call(&Logout::default()).await.unwrap();
    let events = simulator.events();
    assert_eq!(names(&events), ["UserLoginSession", "UserLogoutSession"]);
    assert_eq!(keys(&events), [0, 1]);
    assert!(events.iter().all(|event| event.user_name == "root"));
    let login = events[0].cast::<UserLoginSessionEvent>().unwrap();
    assert_eq!(login.ip_address, "127.0.0.1");
}

struct Reader {
    client: Client,
    collector: ManagedObjectReference,
}

impl Reader {
    async fn new(client: Client, filter: EventFilterSpec) -> Self {
        let request = CreateCollectorForEvents {
            filter,
            ..Default::default()
        };
        let collector = client.call(&request).await.unwrap();
        Self { client, collector }
    }

    async fn next(&self, max_count: i32) -> Vec<i32> {
        let this = self.collector.clone();
        let request = ReadNextEvents {
            this,
            max_count,
            ..Default::default()
        };
        keys(&self.client.call(&request).await.unwrap())
    }

    async fn previous(&self, max_count: i32) -> Vec<i32> {
        let this = self.collector.clone();
        let request = ReadPreviousEvents {
            this,
            max_count,
            ..Default::default()
        };
        keys(&self.client.call(&request).await.unwrap())
    }

    async fn rewind(&self) {
        let this = self.collector.clone();
        self.client
            .call(&RewindCollector {
                this,
                ..Default::default()
            })
            .await
            .unwrap();
    }

    async fn reset(&self) {
        let this = self.collector.clone();
        self.client
            .call(&ResetCollector {
                this,
                ..Default::default()
            })
            .await
            .unwrap();
    }

    async fn page_size(&self, max_count: i32) -> Result<(), vi_types::SoapFault> {
        let this = self.collector.clone();
        let request = SetCollectorPageSize {
            this,
            max_count,
            ..Default::default()
        };
        self.client.call(&request).await
    }

    fn latest(&self) -> Vec<i32> {
        let state = self
            .client
            .simulator
            .properties::<EventHistoryCollector>(&self.collector);
        keys(&state.unwrap().latest_page)
    }
}

/// A host that has written a number of events; the login is the first.
async fn with_events(count: usize) -> Client {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    for _ in 1..count {
        simulator.post_event(&vm, VmPoweredOnEvent::default());
    }
    client
}

#[tokio::test]
async fn a_collector_reads_forward_from_the_oldest_and_back() {
    let reader = Reader::new(with_events(8).await, EventFilterSpec::default()).await;
    assert_eq!(reader.next(3).await, [0, 1, 2]);
    assert_eq!(reader.next(3).await, [3, 4, 5]);
    assert_eq!(reader.previous(2).await, [5, 4]);
    assert_eq!(reader.next(100).await, [4, 5, 6, 7]);
    assert_eq!(reader.next(100).await, []);
    // What comes later is there to be read.
    let vm = reader.client.simulator.vm("web01").unwrap();
    reader
        .client
        .simulator
        .post_event(&vm, VmResumingEvent::default());
    assert_eq!(reader.next(100).await, [8]);
    reader.rewind().await;
    assert_eq!(reader.previous(5).await, []);
    assert_eq!(reader.next(1).await, [0]);
}

#[tokio::test]
async fn the_latest_page_is_newest_first_and_reset_goes_before_it() {
    let reader = Reader::new(with_events(25).await, EventFilterSpec::default()).await;
    assert_eq!(reader.latest(), (15..25).rev().collect::<Vec<_>>());
    reader.page_size(3).await.unwrap();
    assert_eq!(reader.latest(), [24, 23, 22]);
    reader.reset().await;
    assert_eq!(reader.previous(2).await, [21, 20]);
    let vm = reader.client.simulator.vm("web01").unwrap();
    reader
        .client
        .simulator
        .post_event(&vm, VmResumingEvent::default());
    assert_eq!(reader.latest(), [25, 24, 23]);
    reader.reset().await;
    assert_eq!(reader.next(100).await, [23, 24, 25]);
    for size in [0, -1, 1001] {
        let error = reader.page_size(size).await.unwrap_err();
        assert!(error.is::<InvalidArgument>(), "{size}");
    }
    reader.page_size(1000).await.unwrap();
    assert_eq!(reader.latest().len(), 26);
    let this = reader.collector.clone();
    reader
        .client
        .call(&DestroyCollector {
            this,
            ..Default::default()
        })
        .await
        .unwrap();
    assert_eq!(reader.client.simulator.leftovers(), []);
}

#[tokio::test]
async fn filters_choose_by_type_entity_time_user_and_chain() {
    let simulator = Simulator::vcenter().build();
    let client = Client::login(&simulator).await;
    let (web, db) = (
        simulator.vm("web01").unwrap(),
        simulator.vm("db01").unwrap(),
    );
    let folder = simulator.objects("Folder").into_iter().next().unwrap();
    let (first, second) = (
        simulator
            .post_event(&web, VmPoweredOnEvent::default())
            .unwrap(),
        simulator
            .post_event(&db, VmResumingEvent::default())
            .unwrap(),
    );
    let problem = EventEx {
        event_type_id: "esx.problem.net".to_owned(),
        severity: Some("error".to_owned()),
        message: Some("down".to_owned()),
        ..EventEx::default()
    };
    let third = simulator.post_event(&web, problem).unwrap();
    let all = simulator.events();
    let spec = EventFilterSpec::default;
    let of = |object: &ManagedObjectReference, recursion| EventFilterSpec {
        entity: Some(
            EventFilterSpecByEntity {
                entity: object.clone(),
                recursion,
                ..EventFilterSpecByEntity::default()
            }
            .into(),
        ),
        ..spec()
    };
    let user = |system_user, user_list: &[&str]| EventFilterSpec {
        user_name: Some(
            EventFilterSpecByUsername {
                system_user,
                user_list: user_list.iter().map(|user| (*user).to_owned()).collect(),
                ..EventFilterSpecByUsername::default()
            }
            .into(),
        ),
        ..spec()
    };
    let time = |begin: Option<usize>, end: Option<usize>| EventFilterSpec {
        time: Some(
            EventFilterSpecByTime {
                begin_time: begin.map(|index| all[index].created_time.clone()),
                end_time: end.map(|index| all[index].created_time.clone()),
                ..EventFilterSpecByTime::default()
            }
            .into(),
        ),
        ..spec()
    };
    let ids = |ids: &[&str]| EventFilterSpec {
        event_type_id: ids.iter().map(|id| (*id).to_owned()).collect(),
        ..spec()
    };
    let types = |names: &[&str]| EventFilterSpec {
        r#type: names.iter().map(|id| (*id).to_owned()).collect(),
        ..spec()
    };
    let chain = EventFilterSpec {
        event_chain_id: Some(second),
        ..spec()
    };
    let errors = EventFilterSpec {
        category: vec!["error".to_owned()],
        ..spec()
    };
    let host = all[1].host.as_deref().unwrap().host.clone();
    let login = all[0].key;
    let cases: Vec<(&str, EventFilterSpec, Vec<i32>)> = vec![
        ("nothing", spec(), vec![login, first, second, third]),
        (
            "ids",
            ids(&["VmPoweredOnEvent", "VmResumingEvent"]),
            vec![first, second],
        ),
        ("an id is no class", ids(&["VmEvent"]), vec![]),
        (
            "the id of an EventEx",
            ids(&["esx.problem.net"]),
            vec![third],
        ),
        ("classes", types(&["VmEvent"]), vec![first, second]),
        ("a machine", of(&web, Recursion::Self_), vec![first, third]),
        (
            "all of a machine",
            of(&web, Recursion::All),
            vec![first, third],
        ),
        ("below a machine", of(&web, Recursion::Children), vec![]),
        ("a host", of(&host, Recursion::Self_), vec![]),
        (
            "below the root",
            of(&folder, Recursion::Children),
            vec![first, second, third],
        ),
        (
            "the root",
            of(&folder, Recursion::All),
            vec![login, first, second, third],
        ),
        (
            "a user",
            user(false, &["administrator@vsphere.local"]),
            vec![login],
        ),
        ("the server", user(true, &[]), vec![first, second, third]),
        ("from", time(Some(2), None), vec![second, third]),
        ("until", time(None, Some(1)), vec![login, first]),
        ("a chain", chain, vec![second]),
        ("a category", errors, vec![third]),
    ];
    for (name, filter, expected) in cases {
        let request = QueryEvents {
            filter: filter.clone(),
            ..Default::default()
        };
        let found = client.call(&request).await.unwrap();
        assert_eq!(keys(&found), expected, "{name}");
        let request = CreateCollectorForEvents {
            filter,
            ..Default::default()
        };
        let collector = client.call(&request).await.unwrap();
        let request = ReadNextEvents {
            this: collector,
            max_count: 100,
            ..Default::default()
        };
        assert_eq!(
            keys(&client.call(&request).await.unwrap()),
            expected,
            "{name}"
        );
    }
    let below = QueryEvents {
        filter: of(&host, Recursion::Children),
        ..Default::default()
    };
    assert!(keys(&client.call(&below).await.unwrap()).contains(&first));
}

#[tokio::test]
async fn the_newest_event_is_a_property() {
    let client = with_events(3).await;
    let manager = client.service("eventManager");
    let latest = client.value(&manager, "latestEvent").await;
    assert_eq!(latest.as_object().unwrap().type_name(), "VmPoweredOnEvent");
    let state: EventManager = client.simulator.properties(&manager).unwrap();
    assert_eq!(state.latest_event.unwrap().key, 2);
    let description = state.description.unwrap();
    let detail = |key: &str| {
        description
            .event_info
            .iter()
            .find(|info| info.key == key)
            .unwrap()
    };
    let on = detail("VmPoweredOnEvent");
    assert_eq!(on.format_on_vm, "Virtual machine is powered on");
    assert_eq!(
        on.full_format,
        "{vm.name} on {host.name} in {datacenter.name} is powered on"
    );
    let page = client.value(&manager, "description.category").await;
    let Any::Array(categories) = page else {
        panic!()
    };
    let Array { items, .. } = *categories;
    assert_eq!(items.len(), 4);
}

#[tokio::test]
async fn the_log_of_a_host_is_bounded() {
    let client = with_events(1_500).await;
    let events = client.simulator.events();
    assert_eq!((events.len(), events[0].key), (1_000, 500));
    let reader = Reader::new(client, EventFilterSpec::default()).await;
    assert_eq!(reader.next(1).await, [500]);
}

#[tokio::test]
async fn clients_write_events() {
    let host = Host::vcenter().await;
    let vm = host.simulator.vm("web01").unwrap();
    let mut since = Since::now(&host.simulator);
    let log = LogUserEvent {
        entity: vm.clone(),
        msg: "maintenance".to_owned(),
        ..LogUserEvent::default()
    };
    host.client.call(&log).await.unwrap();
    let events = since.are("GeneralUser");
    let event = events[0].cast::<GeneralUserEvent>().unwrap();
    assert_eq!(event.message, "maintenance");
    assert_eq!(
        event.full_formatted_message.as_deref(),
        Some("User logged event: maintenance")
    );
    let event_to_post = EventEx {
        event_type_id: "org.example.backup".to_owned(),
        message: Some("done".to_owned()),
        ..EventEx::default()
    };
    let post = PostEvent {
        event_to_post: event_to_post.into(),
        ..Default::default()
    };
    host.client.call(&post).await.unwrap();
    since.are("EventEx");
    let esx = Host::esx().await;
    let error = esx.client.call(&post).await.unwrap_err();
    assert!(error.is::<NotSupported>());
}

#[tokio::test]
async fn old_servers_have_no_newer_types() {
    for (version, expected) in [("5.5", None), ("6.0", Some(1))] {
        let simulator = Simulator::esx().api_version(version).unwrap().build();
        Client::login(&simulator).await;
        let vm = simulator.vm("web01").unwrap();
        let key = simulator.post_event(&vm, VmGuestOsCrashedEvent::default());
        assert_eq!(key, expected, "{version}");
    }
}

#[tokio::test]
async fn collectors_end_with_their_session() {
    let client = with_events(1).await;
    let filter = EventFilterSpec::default();
    let reader = Reader::new(client, filter).await;
    reader.client.simulator.expire_sessions();
    assert_eq!(reader.client.simulator.leftovers(), []);
    let vm = reader.client.simulator.vm("web01").unwrap();
    let template = VmEvent {
        template: true,
        ..VmEvent::default()
    };
    let posted = VmPoweredOnEvent {
        base: template,
        ..VmPoweredOnEvent::default()
    };
    reader.client.simulator.post_event(&vm, posted);
    let events = reader.client.simulator.events();
    assert!(events[1].cast::<VmEvent>().unwrap().template);
    assert_eq!(
        moref("EventHistoryCollector", "").r#type,
        reader.collector.r#type
    );
}

#[tokio::test]
async fn a_restarted_host_begins_again_and_a_vcenter_goes_on() {
    for (simulator, keys_after) in [
        (Simulator::esx().build(), vec![0]),
        (Simulator::vcenter().build(), vec![1, 2, 3]),
    ] {
        Client::login(&simulator).await;
        let vm = simulator.vm("web01").unwrap();
        simulator.post_event(&vm, VmPoweredOnEvent::default());
        simulator.restart();
        Client::login(&simulator).await;
        assert_eq!(keys(&simulator.events()), keys_after);
    }
}

#[tokio::test]
async fn played_changes_write_events_too() {
    let simulator = Simulator::vcenter().build();
    let mut since = Since::now(&simulator);
    for (change, expected) in [
        ("guest-crash web01", "VmGuestOSCrashed"),
        (
            "console web01 open",
            "VmAcquiredTicket VmRemoteConsoleConnected",
        ),
        ("console web01 close", "VmRemoteConsoleDisconnected"),
        ("power-off web01", "Task VmStopping VmPoweredOff"),
    ] {
        simulator.apply(&change.parse().unwrap()).unwrap();
        let events = since.are(expected);
        let user = events[0].user_name.as_str();
        assert_eq!(
            user.is_empty(),
            matches!(expected, "VmGuestOSCrashed" | "VmRemoteConsoleDisconnected")
        );
    }
}
