//! Watches, against the simulator.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::future::Future;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use esx_sim::{Effect, Rule, Simulator};
use vi_client::retrieve::{Retrieve, Selection};
use vi_client::transport::InProcess;
use vi_client::{
    Client, ConnectionState, Limits, ObjectChange, ObjectWatch, Options, Watch, property_set,
};
use vi_types::enums::ObjectUpdateKind;
use vi_types::enums::VirtualMachinePowerState::{self, PoweredOff, PoweredOn, Suspended};
use vi_types::objects::{
    InvalidCollectorVersion, InvalidProperty, NotAuthenticated, ObjectSpec, PropertyFilterSpec,
    PropertySpec,
};
use vi_types::{ManagedObjectReference, SoapFault};

async fn login(simulator: &Simulator) -> Client {
    let transport = InProcess::new(simulator.handler());
    let client = Client::connect(transport, Options::default())
        .await
        .unwrap();
    client
        .login(simulator.user(), simulator.password())
        .await
        .unwrap();
    client
}

fn spec(vm: &ManagedObjectReference, path: &str) -> PropertyFilterSpec {
    PropertyFilterSpec {
        prop_set: vec![PropertySpec {
            r#type: "VirtualMachine".to_owned(),
            path_set: vec![path.to_owned()],
            ..PropertySpec::default()
        }],
        object_set: vec![ObjectSpec {
            obj: vm.clone(),
            ..ObjectSpec::default()
        }],
        ..PropertyFilterSpec::default()
    }
}

async fn watch(client: &Client, vm: &ManagedObjectReference) -> Watch {
    client.watch(spec(vm, "runtime.powerState")).await.unwrap()
}

async fn next(watch: &mut Watch) -> VirtualMachinePowerState {
    let mut updates = watch.next().await.unwrap();
    assert_eq!(updates.len(), 1);
    let mut changes = updates.remove(0).change_set;
    assert_eq!(changes.len(), 1);
    changes.remove(0).val.unwrap().cast().unwrap()
}

/// Lets everything that can go on do so.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

/// Polls a future until everything waits for it, without waiting for its end.
async fn begin(future: impl Future + Unpin) {
    tokio::select! {
        biased;
        _ = future => panic!("it ended"),
        () = settle() => {}
    }
}

fn calls(simulator: &Simulator, method: &str) -> usize {
    let requests = simulator.requests();
    let is_it = |request: &&esx_sim::Recorded| request.method.as_deref() == Some(method);
    requests.iter().filter(is_it).count()
}

fn left_over(simulator: &Simulator) -> usize {
    simulator.objects("PropertyFilter").len()
}

#[tokio::test]
async fn changes_come_after_what_there_is() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let mut watch = watch(&client, &vm).await;
    assert_eq!(next(&mut watch).await, PoweredOn);
    let (seen, _) = tokio::join!(next(&mut watch), async {
        settle().await;
        simulator.set_power_state(&vm, Suspended)
    });
    assert_eq!(seen, Suspended);
    watch.close().await;
    assert_eq!(left_over(&simulator), 0);
    client.close().await.unwrap();
}

#[tokio::test]
async fn many_watches_share_one_waiting_call() {
    let simulator = Simulator::esx().vms(200).build();
    let client = login(&simulator).await;
    let vms = simulator.objects("VirtualMachine");
    for vm in &vms {
        simulator.set_power_state(vm, PoweredOn);
    }
    let mut watches = Vec::new();
    for vm in &vms {
        watches.push(watch(&client, vm).await);
    }
    for watch in &mut watches {
        watch.next().await.unwrap();
    }
    simulator.clear_requests();
    let all = watches.iter_mut().map(|watch| Box::pin(watch.next()));
    let mut all: Vec<_> = all.collect();
    for waiting in &mut all {
        begin(waiting.as_mut()).await;
    }
    assert_eq!(calls(&simulator, "WaitForUpdatesEx"), 1);
    for vm in &vms {
        simulator.set_power_state(vm, PoweredOff);
    }
    for waiting in all {
        assert_eq!(waiting.await.unwrap().len(), 1);
    }
    drop(watches);
    settle().await;
    assert_eq!(left_over(&simulator), 0);
    assert_eq!(simulator.objects("PropertyCollector").len(), 1);
    client.close().await.unwrap();
}

#[tokio::test]
async fn nobody_waits_while_nobody_listens() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let mut watch = watch(&client, &vm).await;
    settle().await;
    assert_eq!(calls(&simulator, "WaitForUpdatesEx"), 0);
    assert_eq!(next(&mut watch).await, PoweredOn);
    settle().await;
    assert_eq!(calls(&simulator, "WaitForUpdatesEx"), 1);
    drop(watch);
    settle().await;
    assert_eq!(left_over(&simulator), 0);
    client.close().await.unwrap();
}

#[tokio::test]
async fn an_expired_session_is_mended() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let mut watch = watch(&client, &vm).await;
    assert_eq!(next(&mut watch).await, PoweredOn);
    let (seen, ()) = tokio::join!(next(&mut watch), async {
        settle().await;
        simulator.expire_sessions();
        simulator.set_power_state(&vm, PoweredOff);
    });
    assert_eq!(seen, PoweredOff);
    assert_eq!(calls(&simulator, "Login"), 2);
    watch.close().await;
    assert_eq!(left_over(&simulator), 0);
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_session_that_ends_between_two_waits_is_mended() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let mut watch = watch(&client, &vm).await;
    assert_eq!(next(&mut watch).await, PoweredOn);
    simulator.inject(Rule::new("WaitForUpdatesEx", Effect::ExpireSession).nth(1));
    simulator.set_power_state(&vm, PoweredOff);
    assert_eq!(next(&mut watch).await, PoweredOff);
    watch.close().await;
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_watch_that_is_given_up_leaves_nothing_behind() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let mut watch = watch(&client, &vm).await;
    watch.next().await.unwrap();
    let mut waiting = Box::pin(watch.next());
    begin(waiting.as_mut()).await;
    drop(waiting);
    drop(watch);
    settle().await;
    assert_eq!(left_over(&simulator), 0);
    assert_eq!(simulator.objects("PropertyCollector").len(), 1);

    // Given up before it began.
    let mut beginning = Box::pin(client.watch(spec(&vm, "name")));
    tokio::select! {
        biased;
        _ = &mut beginning => {}
        () = std::future::ready(()) => {}
    }
    drop(beginning);
    settle().await;
    assert_eq!(left_over(&simulator), 0);
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_filter_that_the_server_refuses_is_an_error_of_its_own() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let mut good = watch(&client, &vm).await;
    let error = client.watch(spec(&vm, "no.such.path")).await.unwrap_err();
    assert!(error.is_fault::<InvalidProperty>(), "{error}");
    assert_eq!(next(&mut good).await, PoweredOn);
    good.close().await;
    assert_eq!(left_over(&simulator), 0);
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_closed_client_ends_its_watches() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let mut watch = watch(&client, &vm).await;
    watch.next().await.unwrap();
    let (error, closed) = tokio::join!(watch.next(), async {
        settle().await;
        client.close().await
    });
    closed.unwrap();
    assert!(error.is_err());
    assert!(watch.next().await.is_err(), "nothing comes after that");
}

#[tokio::test]
async fn old_servers_have_one_collector_for_each_session() {
    let simulator = Simulator::esx().api_version("4.0").unwrap().build();
    let client = login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let mut watch = watch(&client, &vm).await;
    assert_eq!(next(&mut watch).await, PoweredOn);
    let waited = tokio::time::timeout(Duration::from_millis(5), watch.next()).await;
    assert!(waited.is_err());
    watch.close().await;
    assert_eq!(left_over(&simulator), 0);
    assert_eq!(calls(&simulator, "CreatePropertyCollector"), 0);
    assert_eq!(calls(&simulator, "WaitForUpdatesEx"), 0);
    client.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_tell_of_a_new_filter_is_asked_from_the_beginning() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    let vms = simulator.objects("VirtualMachine");
    simulator.set_power_state(&vms[0], PoweredOn);
    simulator.set_power_state(&vms[1], PoweredOn);
    let mut one = watch(&client, &vms[0]).await;
    assert_eq!(next(&mut one).await, PoweredOn);
    // The waiting call tells nothing of the second watch, nor does the check that follows.
    simulator.inject(Rule::new("WaitForUpdatesEx", Effect::Silence).nth(1));
    let nothing = "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body>\
                   <WaitForUpdatesExResponse xmlns=\"urn:vim25\"/></soapenv:Body></soapenv:Envelope>";
    let nothing = Effect::rewrite(|_| nothing.to_owned());
    simulator.inject(Rule::new("WaitForUpdatesEx", nothing).nth(2));
    let mut waiting = Box::pin(one.next());
    begin(waiting.as_mut()).await;
    let begun = tokio::time::Instant::now();
    let mut two = watch(&client, &vms[1]).await;
    assert_eq!(next(&mut two).await, PoweredOn);
    // Long before the call's own deadline.
    assert!(begun.elapsed() < Duration::from_secs(2));
    // The first watch is not told what it knows.
    begin(waiting.as_mut()).await;
    simulator.set_power_state(&vms[0], PoweredOff);
    assert_eq!(waiting.await.unwrap().len(), 1);
    client.close().await.unwrap();
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_ends_the_watches_and_their_filters() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    let vms = simulator.objects("VirtualMachine");
    let mut one = watch(&client, &vms[0]).await;
    let mut two = watch(&client, &vms[1]).await;
    let garbage = Effect::rewrite(|_| "<this is not".to_owned());
    simulator.inject(Rule::new("WaitForUpdatesEx", garbage));
    let (first, second) = tokio::join!(one.next(), two.next());
    for error in [first.unwrap_err(), second.unwrap_err()] {
        assert!(
            error.to_string().starts_with("WaitForUpdatesEx: "),
            "{error}"
        );
    }
    settle().await;
    assert_eq!(simulator.leftovers(), []);
    drop((one, two));
    client.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_is_made_while_others_wait_may_lose_its_connection() {
    for effect in [Effect::DropBefore, Effect::DropAfter, Effect::ExpireSession] {
        let simulator = Simulator::esx().build();
        let client = login(&simulator).await;
        let vms = simulator.objects("VirtualMachine");
        for vm in &vms[..2] {
            simulator.set_power_state(vm, PoweredOn);
        }
        let mut one = watch(&client, &vms[0]).await;
        assert_eq!(next(&mut one).await, PoweredOn);
        let mut waiting = Box::pin(one.next());
        begin(waiting.as_mut()).await;
        simulator.inject(Rule::new("CreateFilter", effect.clone()).nth(1));
        let mut two = watch(&client, &vms[1]).await;
        assert_eq!(next(&mut two).await, PoweredOn, "{effect:?}");
        // The first one is not told what it knows.
        begin(waiting.as_mut()).await;
        simulator.set_power_state(&vms[0], PoweredOff);
        assert_eq!(waiting.await.unwrap().len(), 1, "{effect:?}");
        one.close().await;
        two.close().await;
        assert_eq!(simulator.leftovers(), [], "{effect:?}");
        client.close().await.unwrap();
    }
}

/// The virtual machines of the host, and the host itself, so that the server always has something to tell.
fn machines(simulator: &Simulator) -> PropertyFilterSpec {
    Retrieve::from(&simulator.objects("HostSystem")[0])
        .select(Selection::traverse("HostSystem", "vm"))
        .properties("HostSystem", ["name"])
        .properties("VirtualMachine", ["runtime.powerState"])
        .filter()
}

/// The kinds of the updates of virtual machines.
async fn kinds(watch: &mut Watch) -> Vec<(ObjectUpdateKind, String)> {
    let updates = watch.next().await.unwrap().into_iter();
    updates
        .filter(|update| update.obj.r#type == "VirtualMachine")
        .map(|update| (update.kind, update.obj.value))
        .collect()
}

#[tokio::test]
async fn what_left_while_there_was_no_session_is_told() {
    use ObjectUpdateKind::Leave;

    // The last time nothing is left.
    for left in [2, 0] {
        let simulator = Simulator::esx().vms(3).build();
        let client = login(&simulator).await;
        let mut watch = client.watch(machines(&simulator)).await.unwrap();
        assert_eq!(kinds(&mut watch).await.len(), 3);
        let vms = simulator.objects("VirtualMachine");
        simulator.expire_sessions();
        for vm in &vms[left..] {
            simulator.remove_vm(vm);
        }
        let gone = vms[left..].iter().map(|vm| (Leave, vm.value.clone()));
        let expected: Vec<_> = gone.collect();
        assert_eq!(kinds(&mut watch).await, expected);
        watch.close().await;
        client.close().await.unwrap();
    }
}

#[tokio::test]
async fn truncated_answers_are_put_together() {
    let simulator = Simulator::esx().vms(5).build();
    let handler = simulator.handler();
    let transport = InProcess::new(move |request: http::Request<Bytes>| {
        let limited = request.map(|body| {
            let body = String::from_utf8(body.to_vec()).unwrap();
            let option = "</maxWaitSeconds><maxObjectUpdates>2</maxObjectUpdates>";
            Bytes::from(body.replace("</maxWaitSeconds>", option))
        });
        handler(limited)
    });
    let client = Client::connect(transport, Options::default())
        .await
        .unwrap();
    let password = simulator.password();
    client.login(simulator.user(), password).await.unwrap();
    let mut watch = client.watch(machines(&simulator)).await.unwrap();
    assert_eq!(kinds(&mut watch).await.len(), 5);
    // The host and five machines, two an answer.
    assert_eq!(calls(&simulator, "WaitForUpdatesEx"), 3);
    simulator.expire_sessions();
    simulator.remove_vm(&simulator.objects("VirtualMachine")[0]);
    assert_eq!(kinds(&mut watch).await.len(), 1, "one leaves");
    watch.close().await;
    client.close().await.unwrap();
}

property_set! {
    #[derive(Debug)]
    struct Machine: VirtualMachine {
        name: String = name,
        state: VirtualMachinePowerState = runtime.power_state,
        uuid: String = config.uuid,
        annotation: Option<String> = config.annotation,
    }
}

async fn watch_machines(client: &Client, simulator: &Simulator) -> ObjectWatch<Machine> {
    let host = &simulator.objects("HostSystem")[0];
    let machines = Retrieve::from(host).select(Selection::traverse("HostSystem", "vm"));
    client.watch_set::<Machine>(machines).await.unwrap()
}

/// Changes as text: `+name state`, `-name`, `name before>now`.
async fn told(watch: &mut ObjectWatch<Machine>) -> Vec<String> {
    let changes = watch.next_changes().await.unwrap().into_iter();
    let mut told: Vec<_> = changes
        .map(|change| match change {
            ObjectChange::Entered { now, .. } => format!("+{} {}", now.name, now.state),
            ObjectChange::Left { last, .. } => format!("-{}", last.name),
            ObjectChange::Modified { before, now, .. } => {
                format!("{} {}>{}", now.name, before.state, now.state)
            }
            _ => unreachable!(),
        })
        .collect();
    told.sort();
    told
}

#[tokio::test]
async fn objects_are_told_as_sets() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    let mut watch = watch_machines(&client, &simulator).await;
    let objects = watch.objects();
    assert!(objects.is_empty(), "nothing is asked yet");
    let all = told(&mut watch).await;
    assert!(all.contains(&"+web01 poweredOn".to_owned()), "{all:?}");
    assert_eq!(objects.len(), all.len());

    let web01 = simulator.vm("web01").unwrap();
    simulator.set_power_state(&web01, Suspended);
    assert_eq!(told(&mut watch).await, ["web01 poweredOn>suspended"]);
    assert_eq!(objects.get(&web01).unwrap().state, Suspended);

    simulator.remove_vm(&web01);
    assert_eq!(told(&mut watch).await, ["-web01"]);
    assert!(objects.get(&web01).is_none());
    watch.close().await;
    assert_eq!(simulator.leftovers(), []);
    client.close().await.unwrap();
}

#[tokio::test]
async fn an_object_that_lacks_a_needed_property_is_not_there() {
    use vi_types::properties::VirtualMachine;

    let simulator = Simulator::esx().vms(1).build();
    let client = login(&simulator).await;
    let mut watch = watch_machines(&client, &simulator).await;
    told(&mut watch).await;
    let vm = &simulator.objects("VirtualMachine")[0];
    let before: VirtualMachine = simulator.properties(vm).unwrap();
    let name = before.name.clone().unwrap();

    simulator.change(vm, |vm: &mut VirtualMachine| vm.config = None);
    assert_eq!(told(&mut watch).await, [format!("-{name}")]);
    assert!(watch.objects().is_empty());
    // Its state changes meanwhile.
    simulator.set_power_state(vm, Suspended);
    simulator.change(vm, |vm: &mut VirtualMachine| vm.config = before.config);
    assert_eq!(told(&mut watch).await, [format!("+{name} suspended")]);
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_session_that_ends_is_no_change_of_objects() {
    let simulator = Simulator::esx().vms(3).build();
    let client = login(&simulator).await;
    let vms = simulator.objects("VirtualMachine");
    for vm in &vms {
        simulator.set_power_state(vm, PoweredOn);
    }
    let mut watch = watch_machines(&client, &simulator).await;
    assert_eq!(told(&mut watch).await.len(), 3);
    simulator.expire_sessions();
    simulator.remove_vm(&vms[0]);
    simulator.set_power_state(&vms[1], Suspended);
    let told = told(&mut watch).await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with('-'), "{told:?}");
    assert!(told[1].ends_with(" poweredOn>suspended"), "{told:?}");
    client.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_wait_is_asked_less_and_less_often() {
    let nothing = |_: String| {
        "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\"><soapenv:Body>\
         <WaitForUpdatesExResponse xmlns=\"urn:vim25\"/></soapenv:Body></soapenv:Envelope>"
            .to_owned()
    };
    for keeps_trying in [false, true] {
        let simulator = Simulator::esx().build();
        let client = login(&simulator).await;
        let vm = simulator.vm("web01").unwrap();
        let mut watch = watch(&client, &vm).await;
        if keeps_trying {
            watch.keep_trying();
        }
        assert_eq!(next(&mut watch).await, PoweredOn);
        // The changes that the server has told in an answer that never was are told again.
        simulator.set_power_state(&vm, PoweredOff);
        simulator.inject(Rule::new("WaitForUpdatesEx", Effect::rewrite(nothing)));
        simulator.clear_requests();
        let waited = tokio::time::timeout(Duration::from_secs(60), watch.next()).await;
        let asked = calls(&simulator, "WaitForUpdatesEx");
        if keeps_trying {
            assert!(waited.is_err());
            assert!((15..25).contains(&asked), "{asked}");
            simulator.clear_rules();
            assert_eq!(next(&mut watch).await, PoweredOff);
        } else {
            assert_eq!(
                waited.unwrap().unwrap_err().to_string(),
                "WaitForUpdatesEx: the server answers at once that nothing has changed, 6 times in a row"
            );
            assert_eq!(asked, 6);
        }
        client.close().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_tells_the_same_again_is_asked_less_and_less_often() {
    for keeps_trying in [false, true] {
        let simulator = Simulator::esx().build();
        let client = login(&simulator).await;
        let vm = simulator.vm("web01").unwrap();
        let mut watch = watch(&client, &vm).await;
        if keeps_trying {
            watch.keep_trying();
        }
        assert_eq!(next(&mut watch).await, PoweredOn);
        simulator.set_power_state(&vm, PoweredOff);
        let told = Mutex::new(None);
        // The first answer again and again, and at once: a version of nothing is told at once.
        simulator.inject(Rule::new(
            "WaitForUpdatesEx",
            Effect::rewrite(move |answer| {
                let begin = answer.find("<version>").unwrap() + "<version>".len();
                let end = answer.find("</version>").unwrap();
                let answer = format!("{}{}", &answer[..begin], &answer[end..]);
                told.lock().unwrap().get_or_insert(answer).clone()
            }),
        ));
        simulator.clear_requests();
        assert_eq!(next(&mut watch).await, PoweredOff);
        let waited = tokio::time::timeout(Duration::from_secs(60), watch.next()).await;
        let asked = calls(&simulator, "WaitForUpdatesEx");
        if keeps_trying {
            assert!(waited.is_err());
            assert!((15..25).contains(&asked), "{asked}");
        } else {
            assert_eq!(
                waited.unwrap().unwrap_err().to_string(),
                "WaitForUpdatesEx: the server tells at once what it has told before, 6 times in a row"
            );
            assert_eq!(asked, 7);
        }
        client.close().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_forgets_what_waits_is_asked_less_and_less_often() {
    let version = SoapFault::new(InvalidCollectorVersion::default(), "");
    let session = SoapFault::new(NotAuthenticated::default(), "");
    let collector = |fault: &SoapFault| Effect::Fault(Box::new(fault.clone()));
    for fault in [version, session] {
        for keeps_trying in [false, true] {
            let simulator = Simulator::esx().build();
            let client = login(&simulator).await;
            let vm = simulator.vm("web01").unwrap();
            let mut watch = watch(&client, &vm).await;
            if keeps_trying {
                watch.keep_trying();
            }
            assert_eq!(next(&mut watch).await, PoweredOn);
            simulator.inject(Rule::new("WaitForUpdatesEx", collector(&fault)));
            simulator.clear_requests();
            let waited = tokio::time::timeout(Duration::from_secs(60), watch.next()).await;
            let requests = simulator.requests().len();
            if keeps_trying {
                assert!(waited.is_err());
                assert!(requests < 60, "{requests}");
            } else {
                waited.unwrap().unwrap_err();
                assert!(requests < 30, "{requests}");
            }
            client.close().await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_truncated_answer_without_an_end_ends() {
    let simulator = Simulator::esx().vms(30).build();
    let transport = InProcess::new(simulator.handler());
    let options = Options::default().limits(Limits::default().objects(100));
    let client = Client::connect(transport, options).await.unwrap();
    let (user, password) = (simulator.user(), simulator.password());
    client.login(user, password).await.unwrap();
    let (objects, first) = (AtomicUsize::new(0), Mutex::new(None));
    simulator.inject(Rule::new(
        "WaitForUpdatesEx",
        Effect::rewrite(move |answer| {
            // The first answer, with other objects each time.
            let mut first = first.lock().unwrap();
            let answer = first.get_or_insert(answer);
            let number = objects.fetch_add(1, Ordering::SeqCst);
            let object = "type=\"VirtualMachine\">";
            let answer = answer.replace(object, &format!("{object}{number}-"));
            answer.replace("</filterSet>", "</filterSet><truncated>true</truncated>")
        }),
    ));
    let mut watch = client.watch(machines(&simulator)).await.unwrap();
    let error = watch.next().await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the server gives more than 100 objects"),
        "{error}"
    );
    client.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_state_of_the_connection_can_be_seen() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let mut watch = watch(&client, &vm).await;
    watch.keep_trying();
    let mut connection = watch.connection();
    assert_eq!(next(&mut watch).await, PoweredOn);
    assert!(connection.state().is_connected());
    simulator.inject(Rule::new("*", Effect::DropBefore));
    simulator.restart();
    let lost = Duration::from_secs(300);
    assert!(tokio::time::timeout(lost, watch.next()).await.is_err());
    let ConnectionState::Reconnecting { since, error } = connection.changed().await else {
        panic!("{:?}", connection.state());
    };
    assert!(error.is_broken(), "{error}");
    let for_long = tokio::time::Instant::now().into_std() - since;
    assert!(for_long > lost - Duration::from_secs(1), "{for_long:?}");
    simulator.clear_rules();
    // Known within the longest pause, although nothing changes.
    let waited = tokio::time::timeout(Duration::from_secs(32), watch.next()).await;
    assert!(waited.is_err());
    assert!(connection.changed().await.is_connected());
    watch.close().await;
    settle().await;
    assert!(matches!(connection.state(), ConnectionState::Ended));
    client.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn watches_that_do_not_keep_trying_end_without_the_others() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let mut patient = watch(&client, &vm).await;
    let mut other = watch(&client, &vm).await;
    patient.keep_trying();
    assert_eq!(next(&mut patient).await, PoweredOn);
    assert_eq!(next(&mut other).await, PoweredOn);
    simulator.inject(Rule::new("WaitForUpdatesEx", Effect::DropBefore).times(8));
    let (told, error) = tokio::join!(next(&mut patient), async {
        let error = other.next().await.unwrap_err();
        simulator.set_power_state(&vm, Suspended);
        error
    });
    assert!(error.is_broken(), "{error}");
    assert_eq!(told, Suspended);
    drop(other);
    patient.close().await;
    assert_eq!(simulator.leftovers(), []);
    client.close().await.unwrap();
}

#[tokio::test]
async fn an_empty_selection_is_told_at_once() {
    let simulator = Simulator::esx().vms(0).build();
    let client = login(&simulator).await;
    let mut machines = watch_machines(&client, &simulator).await;
    assert_eq!(told(&mut machines).await, [""; 0]);
    let host = &simulator.objects("HostSystem")[0];
    let mut hosts = client
        .watch(
            Retrieve::from(host)
                .properties("HostSystem", ["name"])
                .filter(),
        )
        .await
        .unwrap();
    assert_eq!(hosts.next().await.unwrap().len(), 1);
    machines.close().await;
    hosts.close().await;
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_call_does_not_wait_for_a_waiting_call() {
    let simulator = Simulator::esx().build();
    let transport = InProcess::new(simulator.handler());
    let options = Options::default().parallel_calls(1);
    let client = Client::connect(transport, options).await.unwrap();
    let password = simulator.password();
    client.login(simulator.user(), password).await.unwrap();
    let vm = simulator.vm("web01").unwrap();
    let mut watch = watch(&client, &vm).await;
    assert_eq!(next(&mut watch).await, PoweredOn);
    let mut waiting = Box::pin(watch.next());
    begin(waiting.as_mut()).await;
    assert!(client.read::<Machine>(&vm).await.is_ok());
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_forgotten_version_is_no_change() {
    let simulator = Simulator::esx().vms(3).build();
    let client = login(&simulator).await;
    let mut watch = watch_machines(&client, &simulator).await;
    assert_eq!(told(&mut watch).await.len(), 3);
    let vm = &simulator.objects("VirtualMachine")[0];
    simulator.forget_versions();
    simulator.remove_vm(vm);
    assert_eq!(told(&mut watch).await.len(), 1);
    assert_eq!(calls(&simulator, "CreatePropertyCollector"), 1);
    assert_eq!(calls(&simulator, "CreateFilter"), 1);
    watch.close().await;
    assert_eq!(simulator.leftovers(), []);
    client.close().await.unwrap();
}
