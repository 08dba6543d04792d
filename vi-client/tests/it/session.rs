//! Sessions: login, renewal, keep-alive, close; versions; secrets.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use vi_client::transport::InProcess;
use vi_client::{ApiVersion, Client, Error, Limits, Negotiation, Options, Password};
use vi_types::methods::{CurrentTime, PowerOnVmTask};
use vi_types::{ManagedObjectReference, SoapFault};

use crate::vi::{Vi, answer, fault, not_authenticated, result};

fn clock() -> CurrentTime {
    CurrentTime {
        this: ManagedObjectReference::new("ServiceInstance", "ServiceInstance"),
        ..Default::default()
    }
}

fn power_on() -> PowerOnVmTask {
    PowerOnVmTask {
        this: ManagedObjectReference::new("VirtualMachine", "16"),
        host: None,
        ..Default::default()
    }
}

fn plain(version: &'static str) -> Arc<Vi> {
    Vi::new(version, |_| None)
}

#[tokio::test]
async fn connect_log_in_call_and_close_cost_one_request_each() {
    let vi = plain("8.0.1.0");
    let client = vi.log_in().await;
    assert!(client.is_logged_in());
    assert_eq!(client.about().full_name, "VMware ESXi of the tests");
    let now = client.call(&clock()).await.unwrap();
    assert_eq!(now.to_string(), "2026-11-21T22:00:00Z");
    client.close().await.unwrap();
    assert_eq!(
        vi.methods(),
        ["RetrieveServiceContent", "Login", "CurrentTime", "Logout"]
    );
    assert!(!client.is_logged_in());
    client.close().await.unwrap();
    let error = client.call(&clock()).await.unwrap_err();
    assert_eq!(error.to_string(), "CurrentTime: the connection is closed");
    assert_eq!(vi.methods().len(), 4);
}

#[tokio::test]
async fn a_wrong_password_is_a_typed_fault() {
    let vi = plain("8.0.1.0");
    let client = vi.connect().await;
    let error = client.login("root", "wrong-pass").await.unwrap_err();
    assert!(error.is_invalid_login());
    assert!(!error.is_not_authenticated());
    assert_eq!(
        error.to_string(),
        "Login: InvalidLogin - Cannot complete login due to an incorrect user name or password."
    );
    assert!(!client.is_logged_in());
    // no second try, and nothing to log out
    client.close().await.unwrap();
    assert_eq!(vi.count("Login"), 1);
    assert_eq!(vi.count("Logout"), 0);
}

#[tokio::test]
async fn the_password_is_escaped_and_the_cookie_comes_back() {
    let vi = plain("8.0.1.0");
    let client = vi.log_in().await;
    client.call(&clock()).await.unwrap();
    assert_eq!(vi.last().cookie.unwrap(), "vmware_soap_session=\"s1\"");
    client.close().await.unwrap();
}

#[tokio::test]
async fn an_ended_session_is_renewed_once_for_all_who_notice() {
    let vi = plain("8.0.1.0");
    let client = vi.log_in().await;
    for _ in 0..3 {
        vi.expire();
        let mut calls = JoinSet::new();
        for _ in 0..20 {
            let client = client.clone();
            calls.spawn(async move { client.call(&clock()).await });
        }
        for result in calls.join_all().await {
            result.unwrap();
        }
    }
    assert_eq!(vi.count("Login"), 4);
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_call_that_changes_something_is_repeated_only_on_the_servers_word() {
    let vi = plain("8.0.1.0");
    let client = vi.log_in().await;
    vi.expire();
    // The answer to the repeated call has no task in it; what counts is that it was sent twice: the fault says that
    // the first one was not run.
    let _ = client.call(&power_on()).await;
    assert_eq!(vi.count("PowerOnVM_Task"), 2);
    assert_eq!(vi.count("Login"), 2);
    client.close().await.unwrap();

    let vi = Vi::new("8.0.1.0", |call| {
        (call.method == "PowerOnVM_Task").then(|| fault("NoPermission", "Permission denied"))
    });
    let client = vi.log_in().await;
    let error = client.call(&power_on()).await.unwrap_err();
    assert_eq!(
        error.fault().and_then(SoapFault::type_name).unwrap(),
        "NoPermission"
    );
    assert_eq!(vi.count("PowerOnVM_Task"), 1);
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_session_that_cannot_be_renewed_does_not_try_for_ever() {
    let changed = Arc::new(AtomicBool::new(false));
    let password_changed = changed.clone();
    let vi = Vi::new("8.0.1.0", move |call| {
        (call.method == "Login" && password_changed.load(Ordering::SeqCst))
            .then(|| fault("InvalidLogin", "Cannot complete login"))
    });
    let client = vi.log_in().await;
    changed.store(true, Ordering::SeqCst);
    vi.expire();
    let mut calls = JoinSet::new();
    for _ in 0..10 {
        let client = client.clone();
        calls.spawn(async move { client.call(&clock()).await });
    }
    for result in calls.join_all().await {
        let error = result.unwrap_err();
        assert!(
            error.is_invalid_login() || error.is_not_authenticated(),
            "{error}"
        );
    }
    client.call(&clock()).await.unwrap_err();
    // Accounts are locked after a few wrong passwords.
    assert_eq!(vi.count("Login"), 2);
    assert!(!client.is_logged_in());
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_on_the_way_can_be_tried_again() {
    let down = Arc::new(AtomicBool::new(false));
    let is_down = down.clone();
    let vi = Vi::new("8.0.1.0", move |call| {
        (call.method == "Login" && is_down.load(Ordering::SeqCst))
            .then(|| answer(503, "text/plain", "Service Unavailable"))
    });
    let client = vi.log_in().await;
    vi.expire();
    down.store(true, Ordering::SeqCst);
    let error = client.call(&clock()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the session has ended and cannot be renewed: \
         HTTP response code 503 for call to 'Login' (Service Unavailable)"
    );
    down.store(false, Ordering::SeqCst);
    client.call(&clock()).await.unwrap();
    client.close().await.unwrap();
}

#[tokio::test]
async fn hosts_without_a_fault_detail_are_understood() {
    let first = AtomicBool::new(true);
    let vi = Vi::new("5.0", move |call| {
        (call.method == "CurrentTime" && first.swap(false, Ordering::SeqCst))
            .then(|| fault("", "The session is not authenticated."))
    });
    let client = vi.log_in().await;
    client.call(&clock()).await.unwrap();
    assert_eq!(vi.count("Login"), 2);
    client.close().await.unwrap();
}

#[tokio::test]
async fn without_a_login_the_fault_comes_through() {
    let vi = plain("8.0.1.0");
    let client = vi.connect().await;
    let error = client.call(&clock()).await.unwrap_err();
    assert!(error.is_not_authenticated());
    assert_eq!(vi.count("CurrentTime"), 1);
}

#[tokio::test]
async fn a_server_that_never_believes_us_is_asked_twice() {
    let vi = Vi::new("8.0.1.0", |call| {
        (call.method == "CurrentTime").then(not_authenticated)
    });
    let client = vi.log_in().await;
    assert!(
        client
            .call(&clock())
            .await
            .unwrap_err()
            .is_not_authenticated()
    );
    assert_eq!(vi.count("CurrentTime"), 2);
    assert_eq!(vi.count("Login"), 2);
    client.close().await.unwrap();
}

#[tokio::test]
async fn logging_out_of_an_ended_session_is_no_error() {
    let vi = plain("8.0.1.0");
    let client = vi.log_in().await;
    vi.expire();
    client.close().await.unwrap();
    assert_eq!(vi.count("Login"), 1);
}

#[tokio::test(start_paused = true)]
async fn keep_alive_reads_the_clock_until_the_client_is_gone() {
    let vi = plain("8.0.1.0");
    let options = Options::default().keep_alive(Some(Duration::from_secs(600)));
    let client = Client::connect(vi.transport(), options).await.unwrap();
    client.login("root", "s3cret<&>").await.unwrap();
    tokio::time::sleep(Duration::from_secs(3601)).await;
    assert_eq!(vi.count("CurrentTime"), 6);
    vi.expire();
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(vi.count("Login"), 2);
    let calls = vi.methods().len();
    client.close().await.unwrap();
    drop(client);
    tokio::time::sleep(Duration::from_secs(36_000)).await;
    assert_eq!(vi.methods().len(), calls + 1);
    // the task holds nothing that would keep the server alive
    assert_eq!(Arc::strong_count(&vi), 1);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_answer_meets_the_deadline() {
    let silent = InProcess::new(|_| Box::pin(std::future::pending()));
    let options = Options::default().limits(Limits::default().deadline(Duration::from_secs(7)));
    let error = Client::connect(silent, options).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "RetrieveServiceContent: no answer after 7 s"
    );
}

#[tokio::test]
async fn no_more_calls_at_a_time_than_allowed() {
    let vi = plain("8.0.1.0");
    let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (server, now, peak) = (vi.clone(), under_way.clone(), most.clone());
    let transport = InProcess::new(move |request| {
        let (server, now, peak) = (server.clone(), now.clone(), peak.clone());
        Box::pin(async move {
            peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            now.fetch_sub(1, Ordering::SeqCst);
            server.serve(&request)
        })
    });
    let client = Client::connect(transport, Options::default().parallel_calls(3))
        .await
        .unwrap();
    client.login("root", "s3cret<&>").await.unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..20 {
        let client = client.clone();
        calls.spawn(async move { client.call(&clock()).await.map(|_| ()) });
    }
    for result in calls.join_all().await {
        result.unwrap();
    }
    assert_eq!(most.load(Ordering::SeqCst), 3);
    client.close().await.unwrap();
}

#[tokio::test]
async fn the_version_comes_from_about() {
    for (about, action) in [
        ("8.0.1.0", Some("\"urn:vim25/8.0.1.0\"")),
        ("6.7.3", Some("\"urn:vim25/6.7.3\"")),
        ("2.5u2", Some("\"urn:vim25/2.5u2\"")),
        ("42.0.0.0", Some("\"urn:vim25/9.1.1.0\"")),
        ("unreleased", None),
    ] {
        let vi = plain(about);
        let client = vi.log_in().await;
        client.call(&clock()).await.unwrap();
        assert_eq!(vi.last().action.as_deref(), action);
        assert_eq!(vi.calls.lock().unwrap()[0].action, None);
        client.close().await.unwrap();
    }
}

const LIST: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<namespaces version=\"1.0\"><namespace>\
    <name>urn:vim25</name><version>7.0.3.0</version><priorVersions><version>6.7</version></priorVersions>\
    </namespace></namespaces>";

async fn connect_with(vi: &Arc<Vi>, negotiation: Negotiation) -> Client {
    let options = Options::default().negotiation(negotiation);
    Client::connect(vi.transport(), options).await.unwrap()
}

#[tokio::test]
async fn the_version_can_come_from_the_servers_list() {
    let vi = Vi::new("7.0.3.0", |call| {
        call.method
            .ends_with("vimServiceVersions.xml")
            .then(|| answer(200, "text/xml", LIST))
    });
    let client = connect_with(&vi, Negotiation::Listed).await;
    assert_eq!(
        vi.methods(),
        ["/sdk/vimServiceVersions.xml", "RetrieveServiceContent"]
    );
    assert_eq!(vi.last().action.unwrap(), "\"urn:vim25/7.0.3.0\"");
    assert_eq!(client.api_version().as_str(), "7.0.3.0");

    for nothing in [
        answer(404, "text/html", "<html>"),
        answer(200, "text/html", "<html>"),
    ] {
        let vi = Vi::new("7.0.3.0", move |call| {
            call.method
                .ends_with("vimServiceVersions.xml")
                .then(|| nothing.clone())
        });
        let client = connect_with(&vi, Negotiation::Listed).await;
        assert_eq!(vi.last().action, None);
        assert_eq!(client.api_version().as_str(), "2.5");
    }
}

#[tokio::test]
async fn the_version_can_be_given_or_left_out() {
    let vi = plain("8.0.1.0");
    let version = ApiVersion::parse("5.5").unwrap();
    let client = connect_with(&vi, Negotiation::Exactly(version)).await;
    assert_eq!(vi.last().action.unwrap(), "\"urn:vim25/5.5\"");
    assert_eq!(client.api_version().as_str(), "5.5");

    let client = connect_with(&vi, Negotiation::Unversioned).await;
    client.login("root", "s3cret<&>").await.unwrap();
    assert_eq!(vi.last().action, None);
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_refused_version_is_replaced_by_a_listed_one() {
    let vi = Vi::new("7.0.9.9", |call| match call.action.as_deref() {
        Some("\"urn:vim25/7.0.9.9\"") => Some(fault(
            "",
            "Unsupported version URI \"urn:vim25/7.0.9.9\" while parsing SOAP body",
        )),
        _ if call.method.ends_with("vimServiceVersions.xml") => Some(answer(200, "text/xml", LIST)),
        _ => None,
    });
    let client = vi.connect().await;
    client.login("root", "s3cret<&>").await.unwrap();
    assert_eq!(client.api_version().as_str(), "7.0.3.0");
    client.call(&clock()).await.unwrap();
    let methods = [
        "RetrieveServiceContent",
        "Login",
        "/sdk/vimServiceVersions.xml",
        "Login",
        "CurrentTime",
    ];
    assert_eq!(vi.methods(), methods);
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_service_that_came_after_2_5_is_looked_up_when_needed() {
    let later = |call: &crate::vi::Call| -> Option<_> {
        let versioned = call.action.is_some();
        (call.method == "RetrieveServiceContent" && versioned).then(|| {
            let about = "<about><name>a</name><fullName>a</fullName><vendor>a</vendor><version>a</version>\
                <build>a</build><osType>a</osType><productLineId>a</productLineId><apiType>a</apiType>\
                <apiVersion>8.0.1.0</apiVersion></about>";
            result(
                "RetrieveServiceContent",
                &format!(
                    "<returnval><rootFolder type=\"Folder\">f</rootFolder>\
                     <propertyCollector type=\"PropertyCollector\">p</propertyCollector>{about}\
                     <searchIndex type=\"SearchIndex\">later</searchIndex></returnval>"
                ),
            )
        })
    };
    let vi = Vi::new("8.0.1.0", later);
    let client = vi.log_in().await;
    for _ in 0..2 {
        let find = vi_types::methods::FindByIp {
            datacenter: None,
            ip: "192.0.2.1".to_owned(),
            vm_search: false,
            ..Default::default()
        };
        client.call(&find).await.unwrap();
        assert!(vi.last().body.contains(">later</_this>"));
    }
    assert_eq!(vi.count("RetrieveServiceContent"), 2);
    client.close().await.unwrap();

    let vi = plain("8.0.1.0");
    let client = vi.log_in().await;
    let find = vi_types::methods::FindByIp::default();
    let error = client.call(&find).await.unwrap_err();
    assert_eq!(error.to_string(), "FindByIp: the server has no searchIndex");
    client.close().await.unwrap();
}

#[tokio::test]
async fn secrets_are_not_shown() {
    let vi = plain("8.0.1.0");
    let client = vi.connect().await;
    let wrong = client.login("root", "wr0ng-secret").await.unwrap_err();
    client.login("root", "s3cret<&>").await.unwrap();
    let shown = format!(
        "{client:?} {wrong:?} {wrong} {:?}",
        Password::from("wr0ng-secret")
    );
    for secret in ["s3cret", "wr0ng-secret", "vmware_soap_session", "52aa-key"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    client.close().await.unwrap();
}

#[tokio::test]
async fn errors_match_by_kind() {
    let vi = Vi::new("8.0.1.0", |call| {
        (call.method == "CurrentTime")
            .then(|| answer(301, "text/html", "moved"))
            .map(|mut moved| {
                let to = http::HeaderValue::from_static("https://elsewhere/sdk");
                moved.headers_mut().insert("location", to);
                moved
            })
    });
    let client = vi.log_in().await;
    let error = client.call(&clock()).await.unwrap_err();
    assert!(matches!(error, Error::Redirect { .. }));
    assert_eq!(
        error.to_string(),
        "the server redirects from '/sdk' to 'https://elsewhere/sdk'"
    );
    client.close().await.unwrap();
}

/// What is traced on this thread while it lives.
#[derive(Clone, Default)]
struct Traces(Arc<Mutex<Vec<u8>>>);

impl Traces {
    fn begin(&self) -> tracing::subscriber::DefaultGuard {
        let sink = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || sink.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Traces {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn traces_show_calls_but_no_secrets() {
    let traces = Traces::default();
    let _guard = traces.begin();
    let vi = plain("8.0.1.0");
    let client = vi.log_in().await;
    vi.expire();
    client.call(&clock()).await.unwrap();
    client.close().await.unwrap();
    let text = traces.text();
    for part in [
        "soap.call",
        "method=\"Login\"",
        "<password>(blanked)</password>",
        "<key>(blanked)</key>",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    for secret in ["s3cret", "52aa-key", "\"s1\""] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(!text.contains("without close()"));
}

#[tokio::test]
async fn a_client_dropped_with_its_session_is_warned_of() {
    let traces = Traces::default();
    let _guard = traces.begin();
    let vi = plain("8.0.1.0");
    drop(vi.log_in().await);
    assert!(
        traces
            .text()
            .contains("WARN vi_client::client::session: a client was dropped without close()")
    );
    assert_eq!(vi.count("Logout"), 0);
}
