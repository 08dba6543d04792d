//! Answers that a client must survive: not SOAP, broken, hostile, or just newer than we are.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Response;
use vi_client::retrieve::Retrieve;
use vi_client::transport::{BoxFuture, InProcess, TransportError};
use vi_client::{Client, Error, Limits, Options};
use vi_types::enums::VirtualMachinePowerState;
use vi_types::objects::{VirtualDevice, VirtualHardware};
use vi_types::{DecodeErrorKind, Enum as _, ManagedObjectReference, Poly};

use crate::vi::{Vi, answer, envelope, result};

/// What connecting to a server that answers so comes to.
async fn connect(answer: Response<Bytes>) -> Error {
    let transport = InProcess::new(move |_| -> BoxFuture<'static, _> {
        let answer = answer.clone();
        Box::pin(async move { answer })
    });
    let options = Options::default().limits(Limits::default().largest_answer(1 << 20));
    match Client::connect(transport, options).await {
        Ok(client) => panic!("connected to {client:?}"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn other_kinds_of_servers_are_shown_as_what_they_are() {
    for (status, content_type, body, expected) in [
        (
            200,
            "text/html",
            "<!DOCTYPE html>\n<html><title>Welcome to nginx!</title>",
            "this is not a VI server: it answered RetrieveServiceContent with 200 (OK), text/html, \
             beginning with \"<!DOCTYPE html> <html><title>Welcome to nginx!</title>\"",
        ),
        (
            200,
            "application/json",
            "{\"error\": \"no\"}",
            "this is not a VI server: it answered RetrieveServiceContent with 200 (OK), application/json, \
             beginning with \"{\"error\": \"no\"}\"",
        ),
        (
            404,
            "text/html",
            "<html>not found",
            "this is not a VI server: it answered RetrieveServiceContent with 404 (Not Found), text/html, \
             beginning with \"<html>not found\"",
        ),
        (
            200,
            "text/plain",
            "",
            "this is not a VI server: it answered RetrieveServiceContent with 200 (OK), text/plain, nothing in it",
        ),
        (
            503,
            "text/plain",
            "Service Unavailable",
            "HTTP response code 503 for call to 'RetrieveServiceContent' (Service Unavailable)",
        ),
        (
            404,
            "text/plain",
            "",
            "HTTP response code 404 for call to 'RetrieveServiceContent' (Not Found)",
        ),
    ] {
        let error = connect(answer(status, content_type, body)).await;
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn an_answer_cut_in_the_middle_is_an_error_at_every_place() {
    let whole = result("RetrieveServiceContent", "<returnval>x</returnval>").into_body();
    for end in [20, 60, 200, whole.len() - 20, whole.len() - 1] {
        let error = connect(answer(200, "text/xml", whole.slice(..end))).await;
        assert!(matches!(error, Error::Decode { .. }), "{end}: {error}");
    }
    let mut cut = answer(200, "text/xml", "<soapenv:Env");
    cut.headers_mut().insert("content-length", 100.into());
    let error = connect(cut).await;
    assert_eq!(
        error.to_string(),
        "the server closed the connection in the middle of its answer"
    );
}

#[tokio::test]
async fn two_gigabytes_announced_are_refused_at_once() {
    let mut huge = answer(200, "text/xml", "<soapenv:Envelope>");
    huge.headers_mut()
        .insert("content-length", 2_147_483_648_u64.into());
    let error = connect(huge).await;
    assert_eq!(
        error.to_string(),
        "the answer is larger than the 1048576 bytes allowed (2147483648 announced)"
    );
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn gzipped(body: Vec<u8>) -> Response<Bytes> {
    let mut answer = answer(200, "text/xml", body);
    let encoding = http::HeaderValue::from_static("gzip");
    answer.headers_mut().insert("content-encoding", encoding);
    answer
}

#[tokio::test]
async fn compressed_answers_are_read() {
    let vi = Vi::new("8.0.1.0", |call| {
        let plain = result("CurrentTime", "<returnval>2026-11-21T22:00:00Z</returnval>");
        (call.method == "CurrentTime").then(|| gzipped(gzip(plain.body())))
    });
    let client = vi.log_in().await;
    let now = client.call(&clock()).await.unwrap();
    assert_eq!(now.epoch_seconds(), Ok(1_795_298_400));
    client.close().await.unwrap();
}

fn clock() -> vi_types::methods::CurrentTime {
    vi_types::methods::CurrentTime {
        this: ManagedObjectReference::new("ServiceInstance", "ServiceInstance"),
        ..Default::default()
    }
}

#[tokio::test]
async fn a_compression_bomb_ends_at_the_limit() {
    let bomb = gzip(&vec![b' '; 20 << 20]);
    assert!(bomb.len() < 1 << 20);
    let error = connect(gzipped(bomb)).await;
    assert!(
        matches!(
            error,
            Error::Transport(TransportError::TooLarge {
                announced: None,
                ..
            })
        ),
        "{error}"
    );
}

#[tokio::test]
async fn damaged_compression_is_an_error() {
    let whole = gzip(envelope("").as_bytes());
    for damaged in [
        whole[..whole.len() / 2].to_vec(),
        whole[..whole.len() - 4].to_vec(),
        b"no gzip at all, but long enough".to_vec(),
    ] {
        let error = connect(gzipped(damaged)).await;
        assert!(matches!(error, Error::Compression { .. }), "{error}");
    }
}

#[tokio::test]
async fn ten_thousand_levels_are_too_deep() {
    let deep = format!("{}{}", "<a>".repeat(10_000), "</a>".repeat(10_000));
    for body in [deep.clone(), envelope(&deep), result_of(&deep)] {
        let error = connect(answer(200, "text/xml", body)).await;
        let Error::Decode { error, .. } = error else {
            panic!("{error}")
        };
        assert!(
            matches!(
                error.kind(),
                DecodeErrorKind::TooDeep { .. } | DecodeErrorKind::NotSoap(_)
            ),
            "{error}"
        );
    }
}

fn result_of(inside: &str) -> String {
    let whole = result(
        "RetrieveServiceContent",
        &format!("<returnval>{inside}</returnval>"),
    );
    String::from_utf8(whole.into_body().to_vec()).unwrap()
}

#[tokio::test]
async fn a_document_type_is_refused_before_it_laughs() {
    let mut dtd = String::from("<?xml version=\"1.0\"?>\n<!DOCTYPE lolz [<!ENTITY lol0 \"lol\">");
    for level in 1..10 {
        let tenfold = format!("&lol{};", level - 1).repeat(10);
        dtd.push_str(&format!("<!ENTITY lol{level} \"{tenfold}\">"));
    }
    let laughs = envelope("<lolz>&lol9;</lolz>");
    let body = format!("{dtd}]>{}", laughs.split_once('\n').unwrap().1);
    let error = connect(answer(200, "text/xml", body)).await;
    assert_eq!(
        error.to_string(),
        "RetrieveServiceContent: the answer cannot be decoded: \
         the message has a document type declaration, which is refused"
    );
}

#[tokio::test]
async fn an_answer_to_something_else_is_an_error() {
    let error = connect(result("Login", "<returnval/>")).await;
    assert!(matches!(error, Error::Decode { .. }), "{error}");
}

/// The properties of one VM, as the server wrote them.
async fn vm(properties: &'static str) -> vi_client::retrieve::ObjectProperties {
    let vi = Vi::new("8.0.1.0", move |call| {
        let object = "<obj type=\"VirtualMachine\">16</obj>";
        let inside = format!("<returnval><objects>{object}{properties}</objects></returnval>");
        (call.method == "RetrievePropertiesEx").then(|| result("RetrievePropertiesEx", &inside))
    });
    let client = vi.log_in().await;
    let this = ManagedObjectReference::new("VirtualMachine", "16");
    let request = Retrieve::from(&this).properties("VirtualMachine", ["any"]);
    let mut objects = client.retrieve(&request).await.unwrap();
    client.close().await.unwrap();
    objects.remove(0)
}

#[tokio::test]
async fn an_empty_enum_is_no_error() {
    let mut vm = vm(
        "<propSet><name>runtime.powerState</name><val xsi:type=\"VirtualMachinePowerState\"></val></propSet>\
         <propSet><name>runtime</name><val xsi:type=\"VirtualMachineRuntimeInfo\">\
         <connectionState>connected</connectionState><powerState></powerState>\
         <faultToleranceState></faultToleranceState><toolsInstallerMounted>0</toolsInstallerMounted>\
         <numMksConnections>0</numMksConnections></val></propSet>",
    )
    .await;
    let state: VirtualMachinePowerState = vm.take("runtime.powerState").unwrap();
    assert_eq!(state.as_str(), "");
    let runtime: vi_types::objects::VirtualMachineRuntimeInfo = vm.take("runtime").unwrap();
    assert_eq!(runtime.power_state.as_str(), "");
    assert_eq!(vm.problems().count(), 0);
}

#[tokio::test]
async fn an_unknown_enum_value_is_no_error() {
    let mut vm = vm(
        "<propSet><name>a</name><val xsi:type=\"VirtualMachinePowerState\">hibernating</val></propSet>",
    )
    .await;
    let state: VirtualMachinePowerState = vm.take("a").unwrap();
    assert_eq!(
        state,
        VirtualMachinePowerState::Unrecognized("hibernating".to_owned())
    );
}

#[tokio::test]
async fn an_unknown_subtype_is_no_error() {
    let mut vm = vm(
        "<propSet><name>config.hardware</name><val xsi:type=\"VirtualHardware\">\
         <numCPU>1</numCPU><memoryMB>32</memoryMB>\
         <device xsi:type=\"VirtualQuantumDevice\"><key>4000</key><qubits>12</qubits></device>\
         <device xsi:type=\"VirtualPCIController\"><key>100</key><busNumber>0</busNumber></device>\
         </val></propSet>",
    )
    .await;
    let hardware: VirtualHardware = vm.take("config.hardware").unwrap();
    let devices: Vec<Poly<VirtualDevice>> = hardware.device;
    let types: Vec<_> = devices
        .iter()
        .map(|device| (device.type_name(), device.key))
        .collect();
    assert_eq!(
        types,
        [
            ("VirtualQuantumDevice", 4000),
            ("VirtualPCIController", 100)
        ]
    );
}

#[tokio::test]
async fn one_bad_property_costs_itself_only() {
    let mut vm = vm(
        "<propSet><name>a</name><val xsi:type=\"xsd:int\">many</val></propSet>\
         <propSet><name>b</name><val xsi:type=\"xsd:int\">2</val></propSet>\
         <missingSet><path>c</path><fault><fault xsi:type=\"NoPermission\">\
         <object type=\"VirtualMachine\">16</object><privilegeId>System.Read</privilegeId></fault>\
         <localizedMessage>Permission was denied.</localizedMessage></fault></missingSet>",
    )
    .await;
    assert_eq!(vm.take::<i32>("b").unwrap(), 2);
    let problems: Vec<_> = vm.problems().map(|problem| problem.to_string()).collect();
    assert_eq!(problems.len(), 2);
    assert_eq!(
        problems[0],
        "property 'c' of VirtualMachine:16: the server does not give it: NoPermission (object: VirtualMachine:16, privilegeId: System.Read) - Permission was denied."
    );
    let expected = "property 'a' of VirtualMachine:16: cannot be decoded: expected an integer";
    assert!(problems[1].starts_with(expected), "{}", problems[1]);
    for path in ["a", "c"] {
        vm.take::<i32>(path).unwrap_err();
        assert_eq!(vm.take_if_readable::<Option<i32>>(path).unwrap(), None);
    }
    let error = vm.take::<i32>("d").unwrap_err();
    assert_eq!(
        error.to_string(),
        "property 'd' of VirtualMachine:16: not set"
    );
    assert_eq!(vm.take::<Option<i32>>("d").unwrap(), None);
}
