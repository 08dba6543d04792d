//! The event history, against the simulator and a server of the test's own.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::future::Future;
use std::sync::Mutex;

use bytes::Bytes;
use esx_sim::{Effect, Rule, Simulator};
use http::{Request, Response};
use vi_client::event_history::{
    EventFilter, EventFollow, event_id, event_type, event_types, is_event, unknown_event,
};
use vi_client::transport::{BoxFuture, InProcess};
use vi_client::{Client, Error, Options};
use vi_types::enums::EventFilterSpecRecursionOption;
use vi_types::methods::ReadNextEvents;
use vi_types::objects::{
    Event, EventEx, ManagedObjectNotFound, NotAuthenticated, VmEventArgument, VmPoweredOffEvent,
    VmPoweredOnEvent,
};
use vi_types::properties::EventHistoryCollector;
use vi_types::wire::{Writer, encode_response_with};
use vi_types::{ManagedObjectReference, Poly, SoapFault};

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

/// Writes so many events.
fn happen(simulator: &Simulator, count: usize) {
    let vm = simulator.vm("web01").unwrap();
    for _ in 0..count {
        simulator.post_event(&vm, VmPoweredOnEvent::default());
    }
}

fn keys(events: &[Poly<Event>]) -> Vec<i32> {
    events.iter().map(|event| event.key).collect()
}

/// Lets everything that can go on do so.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// Polls a future until everything waits for it.
async fn begin(future: impl Future + Unpin) {
    tokio::select! {
        biased;
        _ = future => panic!("it ended"),
        () = settle() => {}
    }
}

/// The keys of the next events.
async fn next(follow: &mut EventFollow, count: usize) -> Vec<i32> {
    let mut keys = Vec::new();
    for _ in 0..count {
        keys.push(follow.next().await.unwrap().unwrap().key);
    }
    keys
}

fn calls(simulator: &Simulator) -> Vec<String> {
    let requests = simulator.requests();
    let methods = requests.into_iter().filter_map(|request| request.method);
    methods.collect()
}

#[tokio::test]
async fn pages_go_forward_and_back() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    happen(&simulator, 24);
    let mut history = client.event_history(EventFilter::new()).await.unwrap();
    assert_eq!(keys(&history.next_page(3).await.unwrap()), [0, 1, 2]);
    assert_eq!(keys(&history.next_page(2).await.unwrap()), [3, 4]);
    assert_eq!(keys(&history.previous_page(3).await.unwrap()), [4, 3, 2]);
    assert_eq!(history.next_page(0).await.unwrap().len(), 1);
    assert_eq!(history.next_page(usize::MAX).await.unwrap().len(), 22);
    assert_eq!(history.next_page(10).await.unwrap(), []);
    history.set_page_size(4).await.unwrap();
    assert_eq!(keys(&history.latest().await.unwrap()), [24, 23, 22, 21]);
    history.reset().await.unwrap();
    assert_eq!(keys(&history.previous_page(2).await.unwrap()), [20, 19]);
    history.rewind().await.unwrap();
    assert_eq!(keys(&history.next_page(1).await.unwrap()), [0]);
    history.close().await.unwrap();
    assert_eq!(simulator.leftovers(), []);
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_dropped_history_is_destroyed_in_the_background() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    drop(client.event_history(EventFilter::new()).await.unwrap());
    settle().await;
    assert_eq!(simulator.leftovers(), []);
    client.close().await.unwrap();
}

#[tokio::test]
async fn filters_reach_servers_old_and_new() {
    for version in ["2.5", "4.0", "8.0"] {
        let simulator = Simulator::esx().api_version(version).unwrap().build();
        let client = login(&simulator).await;
        let (web, db) = (
            simulator.vm("web01").unwrap(),
            simulator.vm("db01").unwrap(),
        );
        simulator.post_event(&web, VmPoweredOnEvent::default());
        simulator.post_event(&db, VmPoweredOnEvent::default());
        simulator.post_event(&web, VmPoweredOffEvent::default());
        let all = simulator.events();
        let of_web = EventFilter::new().entity(web, EventFilterSpecRecursionOption::All);
        let time = &all[2].created_time;
        for (name, filter, expected) in [
            ("all", EventFilter::new(), vec![0, 1, 2, 3]),
            (
                "type",
                EventFilter::new().types(["VmPoweredOnEvent"]),
                vec![1, 2],
            ),
            ("entity", of_web.clone(), vec![1, 3]),
            ("both", of_web.types(["VmPoweredOnEvent"]), vec![1]),
            ("since", EventFilter::new().since(time.clone()), vec![2, 3]),
            (
                "until",
                EventFilter::new().until(time.clone()),
                vec![0, 1, 2],
            ),
            ("user", EventFilter::new().users(["root"]), vec![0]),
            ("system", EventFilter::new().system_user(), vec![1, 2, 3]),
            ("chain", EventFilter::new().chain(2), vec![2]),
            ("category", EventFilter::new().categories(["error"]), vec![]),
        ] {
            let mut history = client.event_history(filter).await.unwrap();
            let found = history.next_page(100).await.unwrap();
            assert_eq!(keys(&found), expected, "{name} on {version}");
            history.close().await.unwrap();
        }
        client.close().await.unwrap();
    }
}

/// A server whose collector has an event of each type of the API, and of one that it will have.
fn all_types() -> InProcess {
    let answer = |method: &str, returned: &str| {
        format!(
            "<soapenv:Envelope xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"><soapenv:Body>\
             <{method}Response xmlns=\"urn:vim25\">{returned}</{method}Response></soapenv:Body></soapenv:Envelope>"
        )
    };
    let event = |(key, name): (usize, &str)| {
        format!(
            "<returnval xsi:type=\"{name}\"><key>{key}</key><chainId>1</chainId>\
             <createdTime>2024-03-01T08:00:00.5Z</createdTime><userName>root</userName>\
             <vm><name>web01</name><vm type=\"VirtualMachine\">7</vm></vm>\
             <fullFormattedMessage>{name} happened</fullFormattedMessage><sim>{key}</sim></returnval>"
        )
    };
    // What this build has is encoded, because its types have required properties.
    let known = |name: &str| vi_types::registry().object(name);
    let types = event_types().chain(["FutureEvent"]).enumerate();
    let mut encoded = Vec::new();
    let mut events = String::new();
    for (key, name) in types {
        let Some(info) = known(name) else {
            events.push_str(&event((key, name)));
            continue;
        };
        let mut event = Poly::<Event>::from_object((info.new)()).ok().unwrap();
        event.key = i32::try_from(key).unwrap();
        event.user_name = "root".to_owned();
        event.vm = Some(Box::new(VmEventArgument {
            vm: ManagedObjectReference::new("VirtualMachine", "7"),
            ..VmEventArgument::default()
        }));
        encoded.push(event);
    }
    let encoded = encode_response_with::<ReadNextEvents>(Writer::new(), &encoded);
    let end = encoded.rfind("</ReadNextEventsResponse>").unwrap();
    let events = format!("{}{events}{}", &encoded[..end], &encoded[end..]);
    let content = "<returnval><rootFolder type=\"Folder\">root</rootFolder>\
         <propertyCollector type=\"PropertyCollector\">pc</propertyCollector><about><name>VMware ESXi</name>\
         <fullName>VMware ESXi</fullName><vendor>VMware, Inc.</vendor><version>8.0.0</version><build>1</build>\
         <osType>vmnix-x86</osType><productLineId>embeddedEsx</productLineId><apiType>HostAgent</apiType>\
         <apiVersion>8.0.0.0</apiVersion></about><eventManager type=\"EventManager\">em</eventManager></returnval>";
    let collector = "<returnval type=\"EventHistoryCollector\">ec</returnval>";
    InProcess::new(move |request: Request<Bytes>| -> BoxFuture<'static, _> {
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let text = if body.contains("RetrieveServiceContent") {
            answer("RetrieveServiceContent", content)
        } else if body.contains("CreateCollectorForEvents") {
            answer("CreateCollectorForEvents", collector)
        } else if body.contains("ReadNextEvents") {
            events.clone()
        } else {
            answer("DestroyCollector", "")
        };
        Box::pin(async move { Response::new(Bytes::from(text)) })
    })
}

#[tokio::test]
async fn events_of_all_types_arrive_with_their_types_and_nothing_is_lost() {
    let client = Client::connect(all_types(), Options::default())
        .await
        .unwrap();
    let mut history = client.event_history(EventFilter::new()).await.unwrap();
    let events = history.next_page(1000).await.unwrap();
    let names: Vec<_> = events.iter().map(event_type).collect();
    let expected: Vec<_> = event_types().chain(["FutureEvent"]).collect();
    assert_eq!(names, expected);
    assert_eq!(names.len(), 443);
    let mut left_out = 0;
    for event in &events {
        assert_eq!(event.vm.as_deref().unwrap().vm.value, "7");
        assert_eq!(event.user_name, "root");
        assert!(is_event(event, "Event") && is_event(event, event_type(event)));
        if let Some(unknown) = unknown_event(event) {
            left_out += 1;
            let rest = format!("<sim>{}</sim>", event.key);
            assert!(unknown.element.content.contains(&rest));
        }
    }
    assert!(left_out > 300, "{left_out} types are in families");
    let of = |name: &str| {
        events
            .iter()
            .find(|event| event_type(event) == name)
            .unwrap()
    };
    assert!(is_event(
        of("VmRestartedOnAlternateHostEvent"),
        "VmPoweredOnEvent"
    ));
    assert!(is_event(of("VmRestartedOnAlternateHostEvent"), "VmEvent"));
    assert!(!is_event(of("HostShutdownEvent"), "VmEvent"));
    assert!(!is_event(of("FutureEvent"), "VmEvent"));
}

#[tokio::test]
async fn an_extended_event_is_known_by_its_id() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let problem = EventEx {
        event_type_id: "esx.problem.net".to_owned(),
        ..EventEx::default()
    };
    simulator.post_event(&vm, problem);
    let filter = EventFilter::new().types(["esx.problem.net"]);
    let mut history = client.event_history(filter).await.unwrap();
    let events = history.next_page(10).await.unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!(
        (event_type(&events[0]), event_id(&events[0])),
        ("EventEx", "esx.problem.net")
    );
    let login = simulator.events().remove(0);
    assert_eq!(event_id(&login), "UserLoginSessionEvent");
    history.close().await.unwrap();
    client.close().await.unwrap();
}

#[tokio::test]
async fn what_happens_is_followed_in_order() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    happen(&simulator, 30);
    let history = client.event_history(EventFilter::new()).await.unwrap();
    let mut follow = history.follow();
    {
        let mut first = Box::pin(follow.next());
        begin(first.as_mut()).await;
        happen(&simulator, 1);
        assert_eq!(first.await.unwrap().unwrap().key, 31);
    }
    happen(&simulator, 5);
    assert_eq!(next(&mut follow, 5).await, [32, 33, 34, 35, 36]);
    // More than a page at once.
    happen(&simulator, 150);
    assert_eq!(next(&mut follow, 150).await, (37..187).collect::<Vec<_>>());
    follow.close().await;
    assert_eq!(simulator.leftovers(), []);
    client.close().await.unwrap();
}

#[tokio::test]
async fn following_continues_what_was_read() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    happen(&simulator, 3);
    let mut history = client.event_history(EventFilter::new()).await.unwrap();
    assert_eq!(history.next_page(2).await.unwrap().len(), 2);
    let mut follow = history.follow();
    happen(&simulator, 1);
    assert_eq!(next(&mut follow, 3).await, [2, 3, 4]);
    follow.close().await;
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_lost_session_loses_no_event() {
    let simulator = Simulator::vcenter().build();
    let client = login(&simulator).await;
    let filter = EventFilter::new().types(["VmPoweredOnEvent"]);
    let history = client.event_history(filter).await.unwrap();
    let mut follow = history.follow();
    begin(Box::pin(follow.next())).await;
    happen(&simulator, 1);
    assert_eq!(next(&mut follow, 1).await, [2]);
    for count in [2, 100] {
        let last = simulator.events().last().unwrap().key;
        simulator.expire_sessions();
        happen(&simulator, count);
        let expected: Vec<_> = (last + 1..).take(count).collect();
        assert_eq!(next(&mut follow, count).await, expected);
    }
    follow.close().await;
    settle().await;
    assert_eq!(simulator.leftovers(), []);
    client.close().await.unwrap();
}

#[tokio::test]
async fn keys_that_begin_again_are_new_events() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    happen(&simulator, 9);
    let filter = EventFilter::new().types(["VmPoweredOnEvent"]);
    let history = client.event_history(filter).await.unwrap();
    let mut follow = history.follow();
    begin(Box::pin(follow.next())).await;
    happen(&simulator, 1);
    assert_eq!(next(&mut follow, 1).await, [10]);
    // Fewer events than before, as many, and more: the keys overlap.
    for count in [3, 30, 200] {
        simulator.restart();
        happen(&simulator, count);
        let expected: Vec<_> = (0..).take(count).collect();
        assert_eq!(next(&mut follow, count).await, expected, "{count}");
    }
    follow.close().await;
    client.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_loses_no_event() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    let filter = EventFilter::new().types(["VmPoweredOnEvent"]);
    let history = client.event_history(filter).await.unwrap();
    let mut follow = history.follow();
    begin(Box::pin(follow.next())).await;
    for method in [
        "*",
        "WaitForUpdatesEx",
        "ReadNextEvents",
        "CreateCollectorForEvents",
    ] {
        for effect in [Effect::DropBefore, Effect::DropAfter] {
            let last = simulator.events().last().unwrap().key;
            simulator.inject(Rule::new(method, effect).times(2));
            happen(&simulator, 40);
            let expected: Vec<_> = (last + 1..).take(40).collect();
            assert_eq!(next(&mut follow, 40).await, expected, "{method}");
            simulator.clear_rules();
        }
    }
    follow.close().await;
    client.close().await.unwrap();
}

#[tokio::test]
async fn following_asks_once_for_each_answer() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    let history = client.event_history(EventFilter::new()).await.unwrap();
    let mut follow = history.follow();
    begin(Box::pin(follow.next())).await;
    simulator.clear_requests();
    for _ in 0..5 {
        happen(&simulator, 2);
        next(&mut follow, 2).await;
    }
    let few = calls(&simulator);
    assert!(
        few.iter().all(|method| method == "WaitForUpdatesEx"),
        "{few:?}"
    );
    assert!(few.len() <= 6, "{few:?}");
    simulator.clear_requests();
    happen(&simulator, 500);
    next(&mut follow, 500).await;
    let mut many = calls(&simulator);
    many.retain(|method| method != "WaitForUpdatesEx");
    assert_eq!(many, ["CreateCollectorForEvents", "ReadNextEvents"]);

    // More than a page again: the collector goes on where it ended, and the latest page only says that there is more.
    simulator.clear_requests();
    for _ in 0..3 {
        happen(&simulator, 500);
        next(&mut follow, 500).await;
    }
    let mut flood = calls(&simulator);
    flood.retain(|method| method != "WaitForUpdatesEx");
    assert_eq!(
        flood,
        [
            "SetCollectorPageSize",
            "ReadNextEvents",
            "ReadNextEvents",
            "ReadNextEvents"
        ]
    );
    let sizes = |simulator: &Simulator| {
        let collectors = simulator.objects("EventHistoryCollector").into_iter();
        let pages = collectors.filter_map(|one| {
            let collector = simulator.properties::<EventHistoryCollector>(&one)?;
            Some(collector.latest_page.len())
        });
        let mut sizes: Vec<_> = pages.collect();
        sizes.sort();
        sizes
    };
    assert_eq!(sizes(&simulator), [1, 10]);

    // The collector is not kept for ever, and the page is large again then.
    for _ in 0..30 {
        happen(&simulator, 1);
        next(&mut follow, 1).await;
    }
    assert!(calls(&simulator).contains(&"DestroyCollector".to_owned()));
    assert_eq!(sizes(&simulator), [20]);
    simulator.clear_requests();
    happen(&simulator, 19);
    next(&mut follow, 19).await;
    let few = calls(&simulator);
    assert!(
        few.iter().all(|method| method == "WaitForUpdatesEx"),
        "{few:?}"
    );
    happen(&simulator, 500);
    next(&mut follow, 500).await;
    follow.close().await;
    assert_eq!(simulator.leftovers(), []);
    client.close().await.unwrap();
}

/// Always the first answer that has events.
fn the_same_again() -> Effect {
    let first = Mutex::new(None);
    Effect::rewrite(move |answer| {
        let mut first = first.lock().unwrap();
        match answer.contains("<returnval") {
            true => first.get_or_insert(answer).clone(),
            false => first.clone().unwrap_or(answer),
        }
    })
}

#[tokio::test(start_paused = true)]
async fn a_history_without_an_end_ends() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    happen(&simulator, 4);
    let expected = "the server gives a page of events that it has given before, 6 times in a row";
    for method in ["ReadNextEvents", "ReadPreviousEvents"] {
        simulator.clear_rules();
        simulator.inject(Rule::new(method, the_same_again()));
        let mut history = client.event_history(EventFilter::new()).await.unwrap();
        let is_next = method == "ReadNextEvents";
        if !is_next {
            history.set_page_size(2).await.unwrap();
            history.reset().await.unwrap();
        }
        let mut pages = 0;
        let error = loop {
            let page = match is_next {
                true => history.next_page(2).await,
                false => history.previous_page(2).await,
            };
            match page {
                Ok(page) => assert!(!page.is_empty()),
                Err(error) => break error,
            }
            pages += 1;
        };
        assert_eq!(error.to_string(), format!("{method}: {expected}"));
        assert_eq!(pages, 6);
        history.close().await.unwrap();
    }
    client.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_server_that_forgets_its_collectors_is_not_followed_for_ever() {
    let gone = ManagedObjectNotFound::default();
    let unknown = NotAuthenticated::default();
    let faults = [
        SoapFault::new(gone, "gone"),
        SoapFault::new(unknown, "who are you"),
    ];
    for fault in faults {
        let simulator = Simulator::esx().build();
        let client = login(&simulator).await;
        let history = client.event_history(EventFilter::new()).await.unwrap();
        let mut follow = history.follow();
        simulator.inject(Rule::new(
            "SetCollectorPageSize",
            Effect::Fault(Box::new(fault)),
        ));
        simulator.clear_requests();
        let error = follow.next().await.unwrap().unwrap_err();
        assert_eq!(
            error.to_string(),
            "CreateCollectorForEvents: the server forgets the collector at once, 6 times in a row"
        );
        let created = calls(&simulator);
        let created = created
            .iter()
            .filter(|method| *method == "CreateCollectorForEvents");
        assert_eq!(created.count(), 5);
        client.close().await.unwrap();
    }
}

#[tokio::test]
async fn what_cannot_be_read_ends_the_stream() {
    let simulator = Simulator::esx().build();
    let client = login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let filter = EventFilter::new().entity(vm.clone(), EventFilterSpecRecursionOption::All);
    simulator.remove_vm(&vm);
    let error = client.event_history(filter).await.unwrap_err();
    assert!(error.is_fault::<ManagedObjectNotFound>());
    let history = client.event_history(EventFilter::new()).await.unwrap();
    let mut follow = history.follow();
    client.close().await.unwrap();
    let ended = follow.next().await.unwrap();
    assert!(
        matches!(ended, Err(Error::Closed { .. } | Error::Shared(_))),
        "{ended:?}"
    );
    assert!(follow.next().await.is_none());
}
