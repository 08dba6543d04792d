//! The property collector: traversal, paging, old servers, sets of properties, views.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use vi_client::retrieve::{PropertyErrorKind, Retrieve, Selection};
use vi_client::transport::{Body, BoxFuture, Transport, TransportError};
use vi_client::{Client, Error, Options, property_set};
use vi_types::ManagedObjectReference;
use vi_types::enums::VirtualMachinePowerState;

use crate::vi::{Call, Vi, fault, result};

fn root() -> ManagedObjectReference {
    ManagedObjectReference::new("Folder", "ha-folder-root")
}

fn names() -> Retrieve {
    Retrieve::from(&root())
        .select_all(Selection::inventory())
        .properties("VirtualMachine", ["name"])
}

fn object(n: usize) -> String {
    format!(
        "<objects><obj type=\"VirtualMachine\">{n}</obj><propSet><name>name</name>\
         <val xsi:type=\"xsd:string\">vm{n}</val></propSet></objects>"
    )
}

/// A server with `total` VMs that gives `page` at a time.
fn paging(total: usize, page: usize) -> Arc<Vi> {
    Vi::new("8.0.1.0", move |call| {
        let from = match call.method.as_str() {
            "RetrievePropertiesEx" => 0,
            "ContinueRetrievePropertiesEx" => token(call).parse().unwrap(),
            _ => return None,
        };
        let to = (from + page).min(total);
        let objects: String = (from..to).map(object).collect();
        let token = match to {
            to if to < total => format!("<token>{to}</token>"),
            _ => String::new(),
        };
        Some(result(
            &call.method,
            &format!("<returnval>{token}{objects}</returnval>"),
        ))
    })
}

fn token(call: &Call) -> &str {
    let (_, after) = call.body.split_once("<token").unwrap();
    let (_, after) = after.split_once('>').unwrap();
    after.split('<').next().unwrap()
}

#[tokio::test]
async fn the_request_is_one_traversal() {
    let vi = paging(1, 10);
    let client = vi.log_in().await;
    let request = Retrieve::from(&root())
        .select(
            Selection::traverse("Folder", "childEntity")
                .named("folder")
                .select(Selection::by_name("folder"))
                .select(
                    Selection::traverse("Datacenter", "vmFolder")
                        .skip()
                        .select(Selection::by_name("folder")),
                ),
        )
        .properties("VirtualMachine", ["name", "runtime.powerState"])
        .page_size(50);
    let mut found = client.retrieve(&request).await.unwrap();
    assert_eq!(found[0].take::<String>("name").unwrap(), "vm0");
    let body = vi.last().body;
    let flat: String = body.split(" xmlns=\"urn:vim25\"").collect();
    for part in [
        "<propSet><type>VirtualMachine</type><all>false</all><pathSet>name</pathSet>\
         <pathSet>runtime.powerState</pathSet></propSet>",
        "<objectSet><obj type=\"Folder\">ha-folder-root</obj><skip>false</skip>",
        "<selectSet xsi:type=\"TraversalSpec\"><name>folder</name><type>Folder</type><path>childEntity</path>\
         <skip>false</skip><selectSet><name>folder</name></selectSet>",
        "<path>vmFolder</path><skip>true</skip>",
        "<options><maxObjects>50</maxObjects></options>",
    ] {
        assert!(flat.contains(part), "{part} in {flat}");
    }
    client.close().await.unwrap();
}

#[tokio::test]
async fn as_many_requests_as_pages() {
    let vi = paging(5000, 1000);
    let client = vi.log_in().await;
    let all = client.retrieve(&names()).await.unwrap();
    assert_eq!(all.len(), 5000);
    assert_eq!(all[4999].object.value, "4999");
    assert_eq!(vi.count("RetrievePropertiesEx"), 1);
    assert_eq!(vi.count("ContinueRetrievePropertiesEx"), 4);
    client.close().await.unwrap();
}

#[tokio::test]
async fn pages_come_one_by_one_and_are_cancelled() {
    let vi = paging(10, 4);
    let client = vi.log_in().await;
    let mut pages = client.pages(names());
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        sizes.push(page.len());
    }
    assert_eq!(sizes, [4, 4, 2]);
    assert!(pages.next().await.unwrap().is_none());
    pages.close().await.unwrap();
    assert_eq!(vi.count("CancelRetrievePropertiesEx"), 0);

    let mut pages = client.pages(names());
    pages.next().await.unwrap();
    pages.close().await.unwrap();
    assert_eq!(vi.last().method, "CancelRetrievePropertiesEx");
    assert_eq!(token(&vi.last()), "4");

    let mut pages = client.pages(names());
    pages.next().await.unwrap();
    drop(pages);
    while vi.count("CancelRetrievePropertiesEx") < 2 {
        tokio::task::yield_now().await;
    }
    client.close().await.unwrap();
}

#[tokio::test]
async fn nothing_found_is_an_empty_answer() {
    let vi = Vi::new("8.0.1.0", |call| {
        (call.method == "RetrievePropertiesEx").then(|| result("RetrievePropertiesEx", ""))
    });
    let client = vi.log_in().await;
    assert!(client.retrieve(&names()).await.unwrap().is_empty());
    client.close().await.unwrap();
}

property_set! {
    #[derive(Debug, PartialEq)]
    struct Machine: VirtualMachine {
        name: String = name,
        uuid: Option<String> = config.uuid,
    }
}

/// What `read` and `read_opt` make of an answer of the property collector: the set's text, or the error.
async fn read(answer: http::Response<Bytes>) -> (String, String) {
    let vi = Vi::new("8.0.1.0", move |call| {
        (call.method == "RetrievePropertiesEx").then(|| answer.clone())
    });
    let client = vi.log_in().await;
    let vm = ManagedObjectReference::new("VirtualMachine", "7");
    let one = match client.read::<Machine>(&vm).await {
        Ok(machine) => format!("{machine:?}"),
        Err(error) => error.to_string(),
    };
    let optional = match client.read_opt::<Machine>(&vm).await {
        Ok(machine) => format!("{machine:?}"),
        Err(error) => error.to_string(),
    };
    client.close().await.unwrap();
    (one, optional)
}

#[tokio::test]
async fn one_object_is_read_as_a_set() {
    let found = format!("<returnval>{}</returnval>", object(7));
    let machine = r#"Machine { name: "vm7", uuid: None }"#;
    assert_eq!(
        read(result("RetrievePropertiesEx", &found)).await,
        (machine.to_owned(), format!("Some({machine})"))
    );
}

#[tokio::test]
async fn an_object_that_does_not_exist_is_none() {
    for (answer, error) in [
        (
            result("RetrievePropertiesEx", ""),
            "the server returned no properties of VirtualMachine:7",
        ),
        (
            fault("ManagedObjectNotFound", "it has been deleted"),
            "RetrievePropertiesEx: ManagedObjectNotFound - it has been deleted",
        ),
    ] {
        assert_eq!(read(answer).await, (error.to_owned(), "None".to_owned()));
    }
}

#[tokio::test]
async fn an_object_without_what_a_set_needs_is_an_error() {
    let found = "<returnval><objects><obj type=\"VirtualMachine\">7</obj></objects></returnval>";
    let error = "property 'name' of VirtualMachine:7: not set";
    assert_eq!(
        read(result("RetrievePropertiesEx", found)).await,
        (error.to_owned(), error.to_owned())
    );
}

#[tokio::test]
async fn old_servers_are_asked_the_old_way() {
    for (version, method) in [
        ("2.5u2", "RetrieveProperties"),
        ("4.0", "RetrieveProperties"),
        ("4.1", "RetrievePropertiesEx"),
    ] {
        let vi = Vi::new(version, |call| match call.method.as_str() {
            "RetrieveProperties" => {
                let object = "<returnval><obj type=\"VirtualMachine\">7</obj></returnval>";
                Some(result(&call.method, object))
            }
            "RetrievePropertiesEx" => Some(result(
                &call.method,
                &format!("<returnval>{}</returnval>", object(7)),
            )),
            _ => None,
        });
        let client = vi.log_in().await;
        let found = client.retrieve(&names().page_size(5)).await.unwrap();
        assert_eq!(found[0].object.value, "7");
        assert_eq!(vi.last().method, method);
        client.close().await.unwrap();
    }
}

const LACKING: &str = "<returnval><objects><obj type=\"VirtualMachine\">1</obj><missingSet><path>name</path>\
    <fault><fault xsi:type=\"NotAuthenticated\"><object type=\"VirtualMachine\">1</object>\
    <privilegeId>System.Read</privilegeId></fault></fault></missingSet></objects></returnval>";

#[tokio::test]
async fn a_session_that_ended_may_hide_in_the_missing_set() {
    let ended = Arc::new(AtomicBool::new(true));
    let flag = ended.clone();
    let vi = Vi::new("8.0.1.0", move |call| {
        (call.method == "RetrievePropertiesEx").then(|| match flag.swap(false, Ordering::SeqCst) {
            true => result("RetrievePropertiesEx", LACKING),
            false => result(
                "RetrievePropertiesEx",
                &format!("<returnval>{}</returnval>", object(1)),
            ),
        })
    });
    let client = vi.log_in().await;
    let mut found = client.retrieve(&names()).await.unwrap();
    assert_eq!(found[0].take::<String>("name").unwrap(), "vm1");
    assert_eq!(vi.count("Login"), 2);
    client.close().await.unwrap();

    // and if a new session does not help, it is what it is
    let vi = Vi::new("8.0.1.0", |call| {
        (call.method == "RetrievePropertiesEx").then(|| result("RetrievePropertiesEx", LACKING))
    });
    let client = vi.log_in().await;
    let mut found = client.retrieve(&names()).await.unwrap();
    let error = found[0].take::<String>("name").unwrap_err();
    assert!(matches!(error.kind, PropertyErrorKind::Missing(_)));
    assert_eq!(vi.count("Login"), 2);
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_session_that_ends_between_pages_begins_the_answer_again() {
    let server = paging(10, 4);
    let ended = Arc::new(AtomicBool::new(true));
    let (pages, flag) = (server.clone(), ended.clone());
    let vi = Vi::new("8.0.1.0", move |call| {
        if call.method == "ContinueRetrievePropertiesEx" && flag.swap(false, Ordering::SeqCst) {
            return Some(crate::vi::not_authenticated());
        }
        pages.answer_to(call)
    });
    let client = vi.log_in().await;
    assert_eq!(client.retrieve(&names()).await.unwrap().len(), 10);
    assert_eq!(vi.count("Login"), 2);
    assert_eq!(vi.count("RetrievePropertiesEx"), 2);

    ended.store(true, Ordering::SeqCst);
    let mut pages = client.pages(names());
    pages.next().await.unwrap();
    assert!(pages.next().await.unwrap_err().is_not_authenticated());
    assert!(pages.next().await.unwrap().is_none());
    client.close().await.unwrap();
}

property_set! {
    /// A virtual machine in a list.
    #[derive(Debug)]
    struct Listed: VirtualMachine {
        name: String = "name",
        state: VirtualMachinePowerState = "runtime.powerState",
        uuid: Option<String> = "config.uuid",
        networks: Vec<ManagedObjectReference> = "network",
    }
}

#[tokio::test]
async fn sets_of_properties_are_structs() {
    let vi = Vi::new("8.0.1.0", |call| {
        let state = |state: &str| {
            format!(
                "<propSet><name>runtime.powerState</name><val xsi:type=\"VirtualMachinePowerState\">{state}</val></propSet>"
            )
        };
        let name = "<propSet><name>name</name><val xsi:type=\"xsd:string\">a</val></propSet>";
        let networks = "<propSet><name>network</name><val xsi:type=\"ArrayOfManagedObjectReference\">\
            <ManagedObjectReference type=\"Network\">net-1</ManagedObjectReference></val></propSet>";
        let refused = "<missingSet><path>config.uuid</path><fault><fault xsi:type=\"NoPermission\">\
            <object type=\"VirtualMachine\">1</object><privilegeId>x</privilegeId></fault></fault></missingSet>";
        let inside = format!(
            "<returnval><objects><obj type=\"VirtualMachine\">1</obj>{name}{}{networks}{refused}</objects>\
             <objects><obj type=\"VirtualMachine\">2</obj>{}</objects></returnval>",
            state("poweredOn"),
            state("suspended"),
        );
        (call.method == "RetrievePropertiesEx").then(|| result(&call.method, &inside))
    });
    let client = vi.log_in().await;
    let request = Retrieve::from(&root()).select_all(Selection::inventory());
    let found = client.retrieve_set::<Listed>(request).await.unwrap();
    assert!(vi.last().body.contains("config.uuid"));

    let first = found[0].properties.as_ref().unwrap();
    assert_eq!((first.name.as_str(), first.uuid.as_deref()), ("a", None));
    assert_eq!(first.state, VirtualMachinePowerState::PoweredOn);
    assert_eq!(first.networks[0].value, "net-1");
    let problems: Vec<_> = found[0]
        .problems
        .iter()
        .map(|problem| problem.path.as_str())
        .collect();
    assert_eq!(problems, ["config.uuid"]);

    let error = found[1].properties.as_ref().unwrap_err();
    assert_eq!(
        error.to_string(),
        "property 'name' of VirtualMachine:2: not set"
    );
    client.close().await.unwrap();
}

/// The way to a [`Vi`] whose answers arrive in frames of 1,000 bytes, which are counted.
struct Frames(Arc<Vi>, Arc<AtomicUsize>);

struct Frame(Bytes, Arc<AtomicUsize>);

impl Transport for Frames {
    fn send(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<Body>, TransportError>> {
        let answer = self.0.serve(&request);
        let count = self.1.clone();
        Box::pin(async move { Ok(answer.map(|bytes| Body::streaming(Frame(bytes, count)))) })
    }

    fn is_secure(&self) -> bool {
        true
    }
}

impl http_body::Body for Frame {
    type Data = Bytes;
    type Error = TransportError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, TransportError>>> {
        let length = self.0.len().min(1_000);
        let frame = self.0.split_to(length);
        self.1.fetch_add(1, Ordering::SeqCst);
        Poll::Ready((length > 0).then(|| Ok(http_body::Frame::data(frame))))
    }
}

#[tokio::test]
async fn objects_come_while_the_answer_arrives() {
    let vi = paging(5000, 4000);
    let frames = Arc::new(AtomicUsize::new(0));
    let transport = Frames(vi.clone(), frames.clone());
    let client = Client::connect(transport, Options::default())
        .await
        .unwrap();
    client.login("root", "s3cret<&>").await.unwrap();
    frames.store(0, Ordering::SeqCst);

    let mut objects = client.objects(names());
    let mut found = 0;
    while let Some(mut object) = objects.next().await.unwrap() {
        assert_eq!(object.take::<String>("name").unwrap(), format!("vm{found}"));
        found += 1;
        // An object has some 150 bytes; the first 4096 bytes are awaited, to see what this is.
        let arrived = frames.load(Ordering::SeqCst);
        assert!(arrived <= found * 160 / 1_000 + 6, "{arrived} for {found}");
    }
    assert_eq!(found, 5000);
    assert!(objects.next().await.unwrap().is_none());
    assert_eq!(vi.count("RetrievePropertiesEx"), 1);
    assert_eq!(vi.count("ContinueRetrievePropertiesEx"), 1);

    assert_eq!(client.retrieve(&names()).await.unwrap().len(), 5000);

    let mut objects = client.objects(names());
    objects.next().await.unwrap();
    drop(objects);
    client.close().await.unwrap();
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error_behind_its_objects() {
    let vi = Vi::new("8.0.1.0", |call| {
        (call.method == "RetrievePropertiesEx").then(|| {
            let objects: String = (0..100).map(object).collect();
            let whole = result(&call.method, &format!("<returnval>{objects}</returnval>"));
            whole.map(|bytes| bytes.slice(..bytes.len() - 500))
        })
    });
    let transport = Frames(vi.clone(), Arc::default());
    let client = Client::connect(transport, Options::default())
        .await
        .unwrap();
    client.login("root", "s3cret<&>").await.unwrap();
    let mut objects = client.objects(names());
    let mut found = 0;
    let error = loop {
        match objects.next().await {
            Ok(Some(_)) => found += 1,
            Ok(None) => panic!("it ended well"),
            Err(error) => break error,
        }
    };
    assert!((90..100).contains(&found), "{found}");
    assert!(matches!(error, Error::Decode { .. }), "{error}");
    assert!(objects.next().await.unwrap().is_none());
    let error = client.retrieve(&names()).await.unwrap_err();
    assert!(matches!(error, Error::Decode { .. }), "{error}");
    client.close().await.unwrap();
}

fn views() -> Arc<Vi> {
    Vi::new("8.0.1.0", |call| match call.method.as_str() {
        "CreateContainerView" => Some(result(
            &call.method,
            "<returnval type=\"ContainerView\">session[52]view-1</returnval>",
        )),
        "RetrievePropertiesEx" => Some(fault("NoPermission", "Permission was denied.")),
        _ => None,
    })
}

#[tokio::test]
async fn views_are_destroyed() {
    let vi = views();
    let client = vi.log_in().await;
    let view = client
        .container_view(&root(), ["VirtualMachine"], true)
        .await
        .unwrap();
    let request = view.retrieve().properties("VirtualMachine", ["name"]);
    client.retrieve(&request).await.unwrap_err();
    let body = vi.last().body;
    assert!(
        body.contains("session[52]view-1") && body.contains("<skip>true</skip>"),
        "{body}"
    );
    view.close().await.unwrap();
    assert_eq!(vi.last().method, "DestroyView");

    drop(
        client
            .container_view(&root(), ["VirtualMachine"], true)
            .await
            .unwrap(),
    );
    while vi.count("DestroyView") < 2 {
        tokio::task::yield_now().await;
    }
    client.close().await.unwrap();
}

/// A server that gives first pages only, as vCenter does to users with restricted rights: others are refused with that fault.
fn first_pages_only(total: usize, page: usize, refusal: &'static str) -> Arc<Vi> {
    Vi::new("8.0.1.0", move |call| {
        let (objects, token) = match call.method.as_str() {
            "RetrievePropertiesEx" => (0..page.min(total), page < total),
            "RetrieveProperties" => {
                let objects: String = (0..total).rev().map(object).collect();
                let objects = objects.replace("objects>", "returnval>");
                return Some(result("RetrieveProperties", &objects));
            }
            "ContinueRetrievePropertiesEx" => return Some(fault(refusal, "Not for you.")),
            _ => return None,
        };
        let objects: String = objects.map(object).collect();
        let token = if token { "<token>1</token>" } else { "" };
        Some(result(
            &call.method,
            &format!("<returnval>{token}{objects}</returnval>"),
        ))
    })
}

#[tokio::test]
async fn without_second_pages_everything_is_asked_for_again_and_nothing_given_twice() {
    for refusal in ["NoPermission", "NotSupported"] {
        let vi = first_pages_only(30, 5, refusal);
        let client = vi.log_in().await;
        let sorted = |mut numbers: Vec<usize>| {
            numbers.sort_unstable();
            numbers
        };
        let number = |object: &ManagedObjectReference| object.value.parse::<usize>().unwrap();

        // A stream is the first to find out.
        let mut objects = client.objects(names());
        let mut streamed = Vec::new();
        while let Some(object) = objects.next().await.unwrap() {
            streamed.push(number(&object.object));
        }
        assert_eq!(sorted(streamed), Vec::from_iter(0..30), "{refusal}");
        assert_eq!(vi.count("ContinueRetrievePropertiesEx"), 1);
        assert_eq!(vi.count("RetrieveProperties"), 1);

        // From then on nobody asks for pages.
        let all = client.retrieve(&names()).await.unwrap();
        let all = all.iter().map(|found| number(&found.object)).collect();
        assert_eq!(sorted(all), Vec::from_iter(0..30), "{refusal}");
        assert_eq!(vi.count("RetrievePropertiesEx"), 1);
        assert_eq!(vi.count("RetrieveProperties"), 2);
        client.close().await.unwrap();

        // Pages find out in the same way.
        let vi = first_pages_only(30, 5, refusal);
        let client = vi.log_in().await;
        let mut pages = client.pages(names());
        let mut found = Vec::new();
        while let Some(page) = pages.next().await.unwrap() {
            found.extend(page.iter().map(|found| number(&found.object)));
        }
        assert_eq!(sorted(found), Vec::from_iter(0..30), "{refusal}");
        client.close().await.unwrap();
    }
}

#[tokio::test]
async fn other_faults_of_second_pages_stay_errors() {
    for refusal in ["InvalidArgument", "NotAuthenticated", ""] {
        let vi = first_pages_only(30, 5, refusal);
        let client = vi.log_in().await;
        let mut pages = client.pages(names());
        pages.next().await.unwrap();
        pages.next().await.unwrap_err();
        assert_eq!(vi.count("RetrieveProperties"), 0, "{refusal}");
        client.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_server_that_gave_second_pages_and_refuses_one_is_in_error() {
    let refuses = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&refuses);
    let pages = paging(30, 5);
    let vi = Vi::new("8.0.1.0", move |call| {
        if call.method == "ContinueRetrievePropertiesEx" && flag.load(Ordering::SeqCst) {
            return Some(fault("NoPermission", "Not any more."));
        }
        pages.answer_to(call)
    });
    let client = vi.log_in().await;
    assert_eq!(client.retrieve(&names()).await.unwrap().len(), 30);
    refuses.store(true, Ordering::SeqCst);
    let error = client.retrieve(&names()).await.unwrap_err();
    assert!(error.to_string().contains("NoPermission"), "{error}");
    client.close().await.unwrap();
}
