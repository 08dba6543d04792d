//! The host's own event history.

use esx_driver::{History, HistoryEvent, HistoryFilter, HistoryValue};
use esx_sim::Simulator;
use vi_types::objects::{EventEx, VmPoweredOnEvent};
use vi_types::{Poly, UnknownObject, objects::Event};

use crate::{host, methods, open, text};

/// Writes so many events about a machine.
fn happen(simulator: &Simulator, vm: &str, count: usize) {
    let vm = simulator.vm(vm).unwrap();
    for _ in 0..count {
        simulator.post_event(&vm, VmPoweredOnEvent::default());
    }
}

fn keys(events: &[HistoryEvent]) -> Vec<i32> {
    events.iter().map(|event| event.key).collect()
}

async fn all(mut history: History) -> Vec<HistoryEvent> {
    let mut events = Vec::new();
    loop {
        let page = history.next_page().await.unwrap();
        if page.is_empty() {
            break;
        }
        events.extend(page);
    }
    history.close().await.unwrap();
    events
}

#[tokio::test]
async fn an_event_has_everything_that_the_server_tells() {
    let (simulator, connect) = host().await;
    let vm = simulator.vm("web01").unwrap();
    let problem = EventEx {
        event_type_id: "esx.problem.net".to_owned(),
        severity: Some("error".to_owned()),
        message: Some("down".to_owned()),
        ..EventEx::default()
    };
    simulator.post_event(&vm, problem);
    let history = connect.history(HistoryFilter::new()).await.unwrap();
    let events = all(history).await;
    assert_eq!(keys(&events), [0, 1]);
    let (login, problem) = (&events[0], &events[1]);
    assert_eq!(
        (&*login.class, &*login.id),
        ("UserLoginSessionEvent", "UserLoginSessionEvent")
    );
    assert_eq!(
        (&*login.user, &login.domain, login.chain),
        ("root", &None, 0)
    );
    assert_eq!(
        (&*problem.class, &*problem.id),
        ("EventEx", "esx.problem.net")
    );
    assert_eq!(problem.domain.as_deref(), Some("web01"));
    assert_eq!(problem.host.as_deref(), Some("esx.example.com"));
    assert_eq!(problem.message.as_deref(), Some("down"));
    let text = |path: &[&str]| {
        let mut value = &problem.properties;
        for name in path {
            value = value.get(name).unwrap();
        }
        value.clone()
    };
    assert_eq!(
        text(&["_typeName"]),
        HistoryValue::Text("EventEx".to_owned())
    );
    assert_eq!(text(&["vm", "vm", "value"]), HistoryValue::Text(vm.value));
    assert_eq!(text(&["key"]), HistoryValue::Int(1));
    connect.close().await.unwrap();
}

#[tokio::test]
async fn properties_of_classes_that_this_build_lacks_are_told() {
    let (simulator, connect) = host().await;
    let vm = simulator.vm("web01").unwrap();
    let unknown = UnknownObject {
        type_name: "VmRestartedOnAlternateHostEvent".to_owned(),
        declared: Box::new(Event::default()),
        element: vi_types::RawElement {
            type_name: Some("VmRestartedOnAlternateHostEvent".to_owned()),
            content:
                "<key>7</key><chainId>7</chainId><createdTime>2024-03-01T08:00:00Z</createdTime>\
                 <userName/><template>false</template><sourceHost><name>esx-02</name>\
                 <host type=\"HostSystem\">host-2</host></sourceHost><tag>a</tag><tag>b</tag>"
                    .to_owned(),
            ..vi_types::RawElement::default()
        },
    };
    let unknown = Poly::from_object(Box::new(unknown)).ok().unwrap();
    simulator.post_event(&vm, unknown);
    let filter = HistoryFilter::new().event_type("VmPoweredOnEvent").unwrap();
    let events = all(connect.history(filter).await.unwrap()).await;
    assert_eq!(events.len(), 1, "a descendant of the class");
    let properties = &events[0].properties;
    let get = |name: &str| properties.get(name).unwrap();
    assert_eq!(
        get("sourceHost").get("name"),
        Some(&HistoryValue::Text("esx-02".to_owned()))
    );
    assert_eq!(
        get("sourceHost").get("host").unwrap().get("type"),
        Some(&HistoryValue::Text("HostSystem".to_owned()))
    );
    assert!(matches!(get("tag"), HistoryValue::List(tags) if tags.len() == 2));
    connect.close().await.unwrap();
}

#[tokio::test]
async fn filters_choose_events() {
    let (simulator, connect) = host().await;
    happen(&simulator, "web01", 2);
    happen(&simulator, "db01", 1);
    let web = connect.lookup_by_name("web01").await.unwrap();
    let time = simulator.events()[2].created_time.clone();
    for (name, filter, expected) in [
        ("all", HistoryFilter::new(), vec![0, 1, 2, 3]),
        ("a domain", HistoryFilter::new().domain(&web), vec![1, 2]),
        (
            "since",
            HistoryFilter::new().since(time.clone()),
            vec![2, 3],
        ),
        (
            "until",
            HistoryFilter::new().until(time.clone()),
            vec![0, 1, 2],
        ),
        (
            "a class",
            HistoryFilter::new().event_type("SessionEvent").unwrap(),
            vec![0],
        ),
    ] {
        let history = connect.history(filter).await.unwrap();
        assert_eq!(keys(&all(history).await), expected, "{name}");
    }
    let unknown = text(HistoryFilter::new().event_type("VmPoweredOnEvnt"));
    assert!(
        unknown.contains("unknown event type 'VmPoweredOnEvnt'"),
        "{unknown}"
    );
    let extended = HistoryFilter::new().event_type("esx.problem.none").unwrap();
    assert_eq!(all(connect.history(extended).await.unwrap()).await, []);
    connect.close().await.unwrap();
}

#[tokio::test]
async fn the_newest_events_come_with_few_requests() {
    let simulator = Simulator::vcenter().build();
    let uri = format!("vpx://vc.example.com/{}", simulator.path());
    let connect = open(&simulator, &uri).await.unwrap();
    happen(&simulator, "web01", 2_500);
    let last = simulator.events().last().unwrap().key;
    for (most, requests) in [(0, 2), (3, 4), (1_000, 4), (2_100, 7)] {
        simulator.clear_requests();
        let mut history = connect.history(HistoryFilter::new()).await.unwrap();
        let newest = history.newest(most).await.unwrap();
        history.close().await.unwrap();
        let from = last + 1 - i32::try_from(most).unwrap();
        assert_eq!(keys(&newest), (from..=last).collect::<Vec<_>>(), "{most}");
        assert_eq!(
            methods(&simulator).len(),
            requests,
            "{:?}",
            methods(&simulator)
        );
    }
    connect.close().await.unwrap();
    assert_eq!(simulator.leftovers(), []);
}

#[tokio::test]
async fn a_connection_to_a_vcenter_has_the_history_of_its_host() {
    let simulator = Simulator::vcenter().build();
    let uri = format!("vpx://vc.example.com/{}", simulator.path());
    let connect = open(&simulator, &uri).await.unwrap();
    let host = crate::host_of(&connect).clone();
    let other = simulator.objects("HostSystem");
    let other = other.into_iter().find(|one| *one != host).unwrap();
    let mine = simulator.post_event(&host, EventEx::default()).unwrap();
    simulator.post_event(&other, EventEx::default());
    happen(&simulator, "web01", 1);
    let events = all(connect.history(HistoryFilter::new()).await.unwrap()).await;
    assert_eq!(keys(&events), [mine, mine + 2]);
    connect.close().await.unwrap();
}

#[tokio::test]
async fn following_goes_on_where_reading_ended() {
    let (simulator, connect) = host().await;
    happen(&simulator, "web01", 2);
    let mut history = connect.history(HistoryFilter::new()).await.unwrap();
    assert_eq!(history.next_page().await.unwrap().len(), 3);
    let mut follow = history.follow();
    happen(&simulator, "web01", 30);
    for key in 3..33 {
        assert_eq!(follow.next().await.unwrap().unwrap().key, key);
    }
    follow.close().await;
    assert_eq!(simulator.leftovers(), []);
    connect.close().await.unwrap();
}
