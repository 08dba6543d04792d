//! Opening connections to hosts: sequence, cost, credentials, and what is refused.

use std::fs;
use std::time::Duration;

use esx_driver::{
    Connect, ErrorKind, EsxUri, OpenOptions,
    auth::{
        AuthError, AuthFileSearch, Authenticate, BoxFuture, Credentials, NoPrompts, Prompt,
        SecretString,
    },
    vi_client::transport::InProcess,
    virt_model::ErrorNumber,
};
use esx_sim::{Effect, Rule, Simulator};

use crate::{credentials, methods, open, text};

#[tokio::test]
async fn opening_takes_three_requests_and_closing_one() {
    let simulator = Simulator::esx().build();
    let connect = open(&simulator, "esx://root@esx.example.com/")
        .await
        .unwrap();
    assert_eq!(
        methods(&simulator),
        ["RetrieveServiceContent", "Login", "RetrievePropertiesEx"]
    );
    assert_eq!(simulator.sessions(), 1);
    simulator.clear_requests();
    connect.close().await.unwrap();
    assert_eq!(methods(&simulator), ["Logout"]);
    assert_eq!(simulator.sessions(), 0);
}

#[tokio::test]
async fn what_a_connection_knows_without_asking() {
    let simulator = Simulator::esx().api_version("6.7").unwrap().build();
    let connect = open(&simulator, "esx://esx.example.com/?no_verify=1")
        .await
        .unwrap();
    simulator.clear_requests();
    assert_eq!(connect.type_name(), "ESX");
    assert_eq!(connect.version().to_string(), "6.7.0");
    assert_eq!(
        connect.uri().to_string(),
        "esx://esx.example.com:443/?no_verify=1"
    );
    assert!(connect.is_secure() && connect.is_encrypted());
    assert!(methods(&simulator).is_empty());
}

#[tokio::test]
async fn alive_means_that_the_server_answers() {
    let simulator = Simulator::esx().build();
    let connect = open(&simulator, "esx://h/").await.unwrap();
    assert!(connect.is_alive().await);
    simulator.expire_sessions();
    assert!(
        connect.is_alive().await,
        "a session that has ended is renewed"
    );
    connect.close().await.unwrap();
    assert!(!connect.is_alive().await);
}

#[tokio::test]
async fn closing_ends_every_clone() {
    let simulator = Simulator::esx().build();
    let connect = open(&simulator, "esx://h/").await.unwrap();
    let clone = connect.clone();
    connect.close().await.unwrap();
    assert_eq!(
        clone.hostname().await.unwrap_err().kind(),
        ErrorKind::Closed
    );
}

#[tokio::test]
async fn wrong_password() {
    let simulator = Simulator::esx().credentials("root", "another").build();
    let error = open(&simulator, "esx://h/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Login);
    assert_eq!(error.code(), ErrorNumber::InternalError);
    assert_eq!(
        error.to_string(),
        "internal error: HTTP response code 500 for call to 'Login'. Fault: ServerFaultCode - \
         Cannot complete login due to an incorrect user name or password."
    );
    assert!(
        error
            .advice()
            .unwrap()
            .starts_with("check the user name and the password")
    );
    assert_eq!(
        error.fault().unwrap().type_name().as_deref(),
        Some("InvalidLogin")
    );
    assert_eq!(simulator.sessions(), 0);
}

#[tokio::test]
async fn the_user_of_the_uri_logs_in() {
    let simulator = Simulator::esx().credentials("bob", "password").build();
    assert!(open(&simulator, "esx://bob@h/").await.is_ok());
    assert!(open(&simulator, "esx://h/").await.is_err());
}

#[tokio::test]
async fn credentials_from_auth_conf() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("auth.conf");
    fs::write(
        &path,
        "[credentials-lab]\nusername=eve\npassword=s3cret\n[auth-esx-h]\ncredentials=lab\n",
    )
    .unwrap();
    let simulator = Simulator::esx().credentials("eve", "s3cret").build();
    let uri: EsxUri = format!("esx://h/?authfile={}", path.display())
        .parse()
        .unwrap();
    let connect = OpenOptions::new(&NoPrompts)
        .auth_files(AuthFileSearch::default())
        .transport(InProcess::new(simulator.handler()))
        .open(&uri)
        .await;
    assert!(connect.is_ok());
}

#[tokio::test]
async fn nobody_to_ask_for_a_password() {
    let simulator = Simulator::esx().build();
    let result = OpenOptions::new(&NoPrompts)
        .auth_files(AuthFileSearch::default())
        .transport(InProcess::new(simulator.handler()))
        .open(&"esx://h/".parse().unwrap())
        .await;
    assert_eq!(
        text(result),
        "invalid argument: Missing authentication credentials"
    );
    assert_eq!(methods(&simulator), ["RetrieveServiceContent"]);
}

#[tokio::test]
async fn open_with_a_transport() {
    let simulator = Simulator::esx().build();
    let uri: EsxUri = "esx://root@h/?authfile=/dev/null".parse().unwrap();
    let known = Credentials {
        username: None,
        password: "password".into(),
    };
    let transport = InProcess::new(simulator.handler());
    let connect = Connect::open_with(&uri, transport, &known).await.unwrap();
    assert_eq!(connect.host_system().await.unwrap().value, "ha-host");
}

#[tokio::test]
async fn a_vcenter_behind_esx() {
    let simulator = Simulator::vcenter().build();
    let error = open(&simulator, "esx://vc.example.com/").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "internal error: Expecting 'vc.example.com' to be a ESX(i) host but found a vCenter/VPX host"
    );
    assert_eq!(error.kind(), ErrorKind::Product);
    assert_eq!(
        error.advice(),
        Some("use vpx://vc.example.com/DATACENTER/HOST")
    );
    assert_eq!(
        methods(&simulator),
        ["RetrieveServiceContent"],
        "no password was sent"
    );
}

#[tokio::test]
async fn a_host_behind_vpx_and_gsx() {
    let simulator = Simulator::esx().build();
    assert_eq!(
        text(open(&simulator, "vpx://h/dc/c").await),
        "internal error: Expecting 'h' to be a vCenter/VPX host but found a ESX(i) host"
    );
    assert_eq!(
        text(open(&simulator, "gsx://h/").await),
        "internal error: Expecting 'h' to be a Server/GSX host but found a ESX(i) host"
    );
}

/// Opens `scheme://h/` when the service content has `new` in place of `old`.
async fn open_rewritten(scheme: &str, old: &str, new: &str) -> Result<Connect, esx_driver::Error> {
    let simulator = Simulator::esx().build();
    let (old, new) = (old.to_owned(), new.to_owned());
    let rewrite = Effect::rewrite(move |text| {
        assert!(text.contains(&old), "{old} in {text}");
        text.replace(&old, &new)
    });
    simulator.inject(Rule::new("RetrieveServiceContent", rewrite));
    open(&simulator, &format!("{scheme}://h/")).await
}

#[tokio::test]
async fn a_vmware_server() {
    let line = |id| format!("<productLineId>{id}</productLineId>");
    let connect = open_rewritten("gsx", &line("embeddedEsx"), &line("gsx"))
        .await
        .unwrap();
    assert_eq!(connect.uri().port(), 8333);
}

#[tokio::test]
async fn a_product_of_another_line() {
    let line = |id| format!("<productLineId>{id}</productLineId>");
    assert_eq!(
        text(open_rewritten("esx", &line("embeddedEsx"), &line("ws")).await),
        "internal error: Expecting product 'gsx' or 'esx' or 'embeddedEsx' or 'vpx' but found 'ws'"
    );
}

#[tokio::test]
async fn a_host_that_has_no_name_for_its_api() {
    assert_eq!(
        text(open_rewritten("esx", "<apiType>HostAgent<", "<apiType>Agent<").await),
        "internal error: Expecting VI API type 'HostAgent' or 'VirtualCenter' but found 'Agent'"
    );
}

#[tokio::test]
async fn old_hosts() {
    for release in ["2.5", "4.0", "4.1", "5.5"] {
        let simulator = Simulator::esx().api_version(release).unwrap().build();
        let connect = open(&simulator, "esx://h/").await.unwrap();
        assert_eq!(crate::host_of(&connect).value, "ha-host", "{release}");
        connect.close().await.unwrap();
        assert_eq!(simulator.requests().len(), 4, "{release}");
    }
}

#[tokio::test]
async fn the_session_is_not_left_behind_when_opening_fails() {
    let simulator = Simulator::esx().build();
    simulator.inject(Rule::new("RetrievePropertiesEx", Effect::Truncate(100)));
    let error = open(&simulator, "esx://h/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    assert_eq!(simulator.sessions(), 0);
}

#[tokio::test]
async fn an_inventory_that_nobody_may_see() {
    for (ty, missing) in [
        ("Datacenter", "Datacenter"),
        ("ComputeResource", "ComputeResource"),
        ("HostSystem", "HostSystem"),
    ] {
        let simulator = Simulator::esx().build();
        simulator.set_unreadable(ty, "name");
        let error = open(&simulator, "esx://h/").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("internal error: Could not find {missing}")
        );
    }
    let simulator = Simulator::esx().build();
    simulator.set_unreadable("ComputeResource", "resourcePool");
    assert_eq!(
        text(open(&simulator, "esx://h/").await),
        "internal error: Could not retrieve resource pool"
    );
    let simulator = Simulator::esx().build();
    simulator.set_unreadable("HostSystem", "runtime");
    assert_eq!(
        text(open(&simulator, "esx://h/").await),
        "internal error: Missing 'runtime.inMaintenanceMode' property"
    );
}

#[tokio::test]
async fn connections_move_between_threads() {
    let simulator = Simulator::esx().build();
    let opening = open(&simulator, "esx://h/");
    fn assert_send<T: Send>(value: T) -> T {
        value
    }
    let connect = assert_send(opening).await.unwrap();
    let listed = connect.list_all_domains(esx_driver::virt_model::DomainFilter::NONE);
    assert_eq!(assert_send(listed).await.unwrap().domains.len(), 7);
    let domain = assert_send(connect.lookup_by_name("web01")).await.unwrap();
    assert!(assert_send(domain.info()).await.is_ok());
}

/// Nobody answers.
struct Nobody;

impl Authenticate for Nobody {
    fn username<'a>(&'a self, prompt: &'a Prompt) -> BoxFuture<'a, Result<String, AuthError>> {
        Box::pin(std::future::ready(Ok(prompt.default.clone())))
    }

    fn password<'a>(&'a self, _: &'a Prompt) -> BoxFuture<'a, Result<SecretString, AuthError>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn an_opening_that_is_given_up_leaves_no_session() {
    let later = Effect::Delay(Duration::from_secs(1));
    for (method, effect) in [
        ("nobody answers", Effect::Silence),
        ("RetrieveServiceContent", Effect::Silence),
        ("Login", Effect::Silence),
        ("Login", later.clone()),
        ("RetrievePropertiesEx", Effect::Silence),
        ("RetrievePropertiesEx", later),
    ] {
        for has_deadline in [false, true] {
            // Only the inventory of a vCenter is read while a connection is opened.
            let is_inventory = method == "RetrievePropertiesEx";
            let simulator = match is_inventory {
                true => Simulator::vcenter().build(),
                false => Simulator::esx().build(),
            };
            simulator.inject(Rule::new(method, effect.clone()));
            let known = credentials();
            let auth: &dyn Authenticate = match method {
                "nobody answers" => &Nobody,
                _ => &known,
            };
            let options = OpenOptions::new(auth)
                .auth_files(AuthFileSearch::default())
                .transport(InProcess::new(simulator.handler()));
            let soon = Duration::from_millis(500);
            let options = match has_deadline {
                true => options.deadline(soon),
                false => options.cancelled_by(tokio::time::sleep(soon)),
            };
            let begun = tokio::time::Instant::now();
            let uri = match is_inventory {
                true => format!("vpx://vc.example.com/{}", simulator.path()),
                false => "esx://esx.example.com/".to_owned(),
            };
            let error = options.open(&uri.parse().unwrap()).await.unwrap_err();
            let kind = match has_deadline {
                true => ErrorKind::Timeout,
                false => ErrorKind::Cancelled,
            };
            assert_eq!(error.kind(), kind, "{method}");
            // The end, and a logout.
            let took = begun.elapsed();
            assert!(took < Duration::from_secs(3), "{method}: {took:?}");
            assert_eq!(simulator.sessions(), 0, "{method}");
            assert_eq!(simulator.leftovers(), [], "{method}");
        }
    }
}
