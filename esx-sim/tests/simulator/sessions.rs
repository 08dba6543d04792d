//! Login, logout, and what happens without a session.

use crate::client::{Client, moref};
use esx_sim::{Question, Script, Simulator};
use vi_types::enums::VirtualMachinePowerState;
use vi_types::methods::{
    CurrentTime, FindByUuid, Login, Logout, PowerOffVmTask, SessionIsActive, WaitForUpdatesEx,
};
use vi_types::objects::{
    InvalidLogin, ManagedObjectNotFound, NotAuthenticated, TaskReasonUser, UserLoginSessionEvent,
    UserSession,
};
use vi_types::properties::VirtualMachine;
use vi_types::{Any, SoapFault, properties};

fn login(user: &str, password: &str) -> Login {
    Login {
        user_name: user.to_owned(),
        password: password.to_owned(),
        ..Login::default()
    }
}

#[tokio::test]
async fn service_content_needs_no_session() {
    let client = Client::connect(&Simulator::esx().build()).await;
    assert_eq!(client.content.about.api_type, "HostAgent");
    assert_eq!(client.content.about.product_line_id, "embeddedEsx");
    assert_eq!(
        client.content.root_folder,
        moref("Folder", "ha-folder-root")
    );
}

#[tokio::test]
async fn login_begins_a_session_and_logout_ends_it() {
    let simulator = Simulator::esx()
        .credentials("alice", "s3cret & <more>")
        .build();
    let client = Client::connect(&simulator).await;
    assert!(client.call(&CurrentTime::default()).await.is_err());

    let session = client
        .call(&login("alice", "s3cret & <more>"))
        .await
        .unwrap();
    assert_eq!(session.user_name, "alice");
    assert_eq!(simulator.sessions(), 1);
    let manager = client.service("sessionManager");
    let current: UserSession = client
        .value(&manager, "currentSession")
        .await
        .cast()
        .unwrap();
    assert_eq!(current.key, session.key);
    let active = SessionIsActive {
        session_id: session.key.clone(),
        user_name: "alice".to_owned(),
        ..Default::default()
    };
    assert!(client.call(&active).await.unwrap());

    client.call(&Logout::default()).await.unwrap();
    assert_eq!(simulator.sessions(), 0);
    assert_eq!(client.value(&manager, "currentSession").await, Any::None);
}

#[tokio::test]
async fn a_wrong_password_is_an_invalid_login() {
    let simulator = Simulator::esx().build();
    let client = Client::connect(&simulator).await;
    for (user, password) in [("root", "wrong"), ("nobody", "password"), ("root", "")] {
        let fault = client.call(&login(user, password)).await.unwrap_err();
        assert!(fault.is::<InvalidLogin>(), "{fault}");
        assert_eq!(fault.code, "ServerFaultCode");
    }
    assert_eq!(simulator.sessions(), 0);
}

fn assert_not_authenticated<T: std::fmt::Debug>(result: Result<T, SoapFault>) {
    let fault = result.unwrap_err();
    assert!(fault.is::<NotAuthenticated>(), "{fault}");
}

#[tokio::test]
async fn an_expired_session_is_refused_until_the_next_login() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    let find = FindByUuid::default();
    client.call(&find).await.unwrap();

    simulator.expire_sessions();
    assert_not_authenticated(client.call(&find).await);
    // The properties of objects that are named are missing one by one, as on a real server.
    let read = client
        .read(&[vm.clone()], "VirtualMachine", &["name"])
        .await
        .unwrap();
    assert_eq!(read[0].prop_set, []);
    let missing = &read[0].missing_set[0];
    assert_eq!(missing.path, "name");
    assert!(missing.fault.fault.is::<NotAuthenticated>());

    client.call(&login("root", "password")).await.unwrap();
    client.call(&find).await.unwrap();
    assert_eq!(client.value(&vm, "name").await, Any::from("web01"));
}

#[tokio::test]
async fn calls_on_objects_that_are_not_there_say_so() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let wrong = moref("SearchIndex", "SearchIndex-2");
    let fault = client
        .call_on(&wrong, &FindByUuid::default())
        .await
        .unwrap_err();
    assert_eq!(fault.cast::<ManagedObjectNotFound>().unwrap().obj, wrong);
}

#[tokio::test]
async fn the_power_state_can_be_changed_by_a_test() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    assert!(simulator.set_power_state(&vm, VirtualMachinePowerState::Suspended));
    for path in ["runtime.powerState", "summary.runtime.powerState"] {
        let state = client.value(&vm, path).await;
        assert_eq!(
            state.cast::<VirtualMachinePowerState>().unwrap(),
            VirtualMachinePowerState::Suspended
        );
    }
}

#[tokio::test]
async fn a_restart_breaks_connections_and_ends_sessions_and_tasks() {
    let simulator = Simulator::esx().build();
    let client = Client::login(&simulator).await;
    let vm = simulator.vm("web01").unwrap();
    simulator.stop_tasks();
    simulator.script(Script::new("PowerOffVM_Task").asks(Question::without_default()));
    let task = PowerOffVmTask::default();
    client.call_on(&vm, &task).await.unwrap();
    // It runs, and asks.
    simulator.step_tasks();
    simulator.step_tasks();
    let body = vi_types::wire::encode_request(
        &WaitForUpdatesEx::default(),
        &client.service("propertyCollector"),
    );
    let (broken, ()) = tokio::join!(client.post(body), async {
        while simulator.load().waits == 0 {
            tokio::task::yield_now().await;
        }
        simulator.restart();
    });
    let broken = broken.extensions().get::<std::io::ErrorKind>().copied();
    assert_eq!(broken, Some(std::io::ErrorKind::ConnectionReset));
    assert_eq!(simulator.sessions(), 0);
    assert_eq!(simulator.leftovers(), []);
    assert_eq!(simulator.load().tasks, 0);
    let vm: VirtualMachine = simulator.properties(&vm).unwrap();
    assert_eq!(vm.recent_task, []);
    let runtime = vm.runtime.unwrap();
    assert!(runtime.question.is_some(), "questions stay");
    // The server answers again.
    Client::login(&simulator).await;
}

#[tokio::test]
async fn a_session_says_which_program_began_it_and_its_tasks_and_events_whose_it_is() {
    for (simulator, user) in [
        (Simulator::esx(), "root"),
        (Simulator::esx(), "operator"),
        (Simulator::vcenter(), "administrator@vsphere.local"),
        (Simulator::vcenter(), "EXAMPLE\\alice"),
    ] {
        let simulator = simulator.credentials(user, "secret").build();
        let mut client = Client::connect(&simulator).await;
        client.user_agent = Some("govc/0.53.0 (go1.25; linux)".to_owned());
        let session = client.call(&login(user, "secret")).await.unwrap();
        let manager = client.service("sessionManager");
        let current: UserSession = client
            .value(&manager, "currentSession")
            .await
            .cast()
            .unwrap();
        for session in [&session, &current] {
            let agent = session.user_agent.as_deref();
            assert_eq!(agent, Some("govc/0.53.0 (go1.25; linux)"));
            assert_eq!(session.user_name, user);
        }
        let vm = simulator.vm("web01").unwrap();
        let task = client
            .call_on(&vm, &PowerOffVmTask::default())
            .await
            .unwrap();
        let task: properties::Task = simulator.properties(&task).unwrap();
        let reason = task.info.unwrap().reason;
        assert_eq!(reason.cast::<TaskReasonUser>().unwrap().user_name, user);
        while simulator.step_tasks() {}
        let events = simulator.events();
        assert!(events.len() >= 4, "{events:?}");
        for event in &events {
            assert_eq!(event.user_name, user, "{event:?}");
        }
        let told = events[0].cast::<UserLoginSessionEvent>().unwrap();
        assert_eq!(
            told.user_agent.as_deref(),
            Some("govc/0.53.0 (go1.25; linux)")
        );
    }
}

#[tokio::test]
async fn whoever_logs_in_for_a_file_has_a_session_with_a_program_too() {
    let simulator = Simulator::esx().build();
    let request = http::Request::get("/folder")
        .header("authorization", "Basic cm9vdDpwYXNzd29yZA==")
        .header("user-agent", "curl/8.5.0");
    let answer = (simulator.handler())(request.body(bytes::Bytes::new()).unwrap()).await;
    assert_eq!(answer.status(), 200);
    let client = Client::login(&simulator).await;
    let manager = client.service("sessionManager");
    let sessions: Vec<UserSession> = client.value(&manager, "sessionList").await.cast().unwrap();
    let mut agents: Vec<_> = sessions
        .iter()
        .filter_map(|one| one.user_agent.as_deref())
        .collect();
    agents.sort_unstable();
    assert_eq!(agents, ["", "curl/8.5.0"]);
}
