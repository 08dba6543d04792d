//! Tasks: run, watched, cancelled, and what may happen to a connection meanwhile.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use esx_sim::{Effect, Question, Rule, Script, Simulator};
use vi_client::task::TaskEvent;
use vi_client::transport::InProcess;
use vi_client::{Client, Error, Options};
use vi_types::ManagedObjectReference;
use vi_types::enums::{TaskInfoState, VirtualMachinePowerState};
use vi_types::methods::{AnswerVm, PowerOnVmTask};
use vi_types::objects::{
    InvalidPowerState, InvalidState, ManagedObjectNotFound, NotSupported, RequestCanceled,
};
use vi_types::properties::VirtualMachine;

/// A client of a host, and a virtual machine that is off.
async fn host() -> (Simulator, Client, PowerOnVmTask) {
    let simulator = Simulator::esx().build();
    let client = Client::connect(InProcess::new(simulator.handler()), Options::default())
        .await
        .unwrap();
    client
        .login(simulator.user(), simulator.password())
        .await
        .unwrap();
    let this = simulator.vm("web01").unwrap();
    simulator.set_power_state(&this, VirtualMachinePowerState::PoweredOff);
    simulator.clear_requests();
    (
        simulator,
        client,
        PowerOnVmTask {
            this,
            host: None,
            ..Default::default()
        },
    )
}

fn power(simulator: &Simulator, vm: &ManagedObjectReference) -> VirtualMachinePowerState {
    let vm: VirtualMachine = simulator.properties(vm).unwrap();
    vm.runtime.unwrap().power_state
}

fn methods(simulator: &Simulator) -> Vec<String> {
    let requests = simulator.requests().into_iter();
    requests.filter_map(|request| request.method).collect()
}

/// Lets the client clean up.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_task_is_run_to_its_end() {
    let (simulator, client, request) = host().await;
    simulator.script(Script::new("*").steps(3));
    let mut seen = Vec::new();
    client
        .run(&request)
        .on_progress(|info| seen.push((info.state.clone(), info.progress)))
        .await
        .unwrap();
    let running = |percent| (TaskInfoState::Running, Some(percent));
    assert_eq!(
        seen,
        [
            (TaskInfoState::Queued, None),
            running(0),
            running(33),
            running(66)
        ]
    );
    assert_eq!(
        power(&simulator, &request.this),
        VirtualMachinePowerState::PoweredOn
    );
    assert_eq!(simulator.leftovers(), []);
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_task_that_fails_gives_its_fault() {
    let (simulator, client, request) = host().await;
    simulator.script(Script::new("*").fails(InvalidPowerState::default(), "Not now."));
    let error = client.run(&request).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "PowerOnVM_Task: InvalidPowerState - Not now."
    );
    assert!(error.declared::<PowerOnVmTask, InvalidState>().is_some());
    assert_eq!(simulator.leftovers(), []);
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_question_ends_the_waiting() {
    let (simulator, client, request) = host().await;
    simulator.script(
        Script::new("*")
            .steps(4)
            .asks_after(2, Question::serial_port()),
    );
    let error = client
        .run(&request)
        .questions_of(&request.this)
        .await
        .unwrap_err();
    let Error::Question { question, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(question.choice.choice_info.len(), 3);
    assert_eq!(simulator.leftovers(), []);
    client.close().await.unwrap();
}

#[tokio::test]
async fn whoever_has_an_answer_watches_the_task() {
    let (simulator, client, request) = host().await;
    simulator.script(Script::new("*").asks(Question::serial_port()));
    let task = client.call(&request).await.unwrap();
    let mut watch = client
        .watch_task(&task, Some(&request.this), false)
        .await
        .unwrap();
    let mut asked = 0;
    let mut answered = 0;
    let end = loop {
        match watch.next().await.unwrap().unwrap() {
            TaskEvent::Question(question) => {
                asked += 1;
                let answer = AnswerVm {
                    this: request.this.clone(),
                    question_id: question.id,
                    answer_choice: "1".to_owned(),
                    ..Default::default()
                };
                client.call(&answer).await.unwrap();
            }
            TaskEvent::Answered => answered += 1,
            TaskEvent::Done(info) => break info,
            _ => {}
        }
    };
    assert_eq!((asked, answered), (1, 1));
    assert_eq!(end.state, TaskInfoState::Success);
    assert!(watch.next().await.is_none(), "nothing comes after the end");
    watch.close().await;
    assert_eq!(simulator.leftovers(), []);
    client.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_the_waiting() {
    let (simulator, client, request) = host().await;
    simulator.stop_tasks();
    let error = client
        .run(&request)
        .deadline(Duration::from_secs(90))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TaskDeadline { .. }), "{error:?}");
    assert!(
        error
            .to_string()
            .ends_with("is not over after 90 s and goes on"),
        "{error}"
    );
    settle().await;
    assert_eq!(simulator.leftovers(), []);
    assert_eq!(simulator.load().waits, 0);
    client.close().await.unwrap();
}

#[tokio::test]
async fn a_task_is_cancelled_if_it_can_be() {
    for cancelable in [true, false] {
        let (simulator, client, request) = host().await;
        simulator.stop_tasks();
        simulator.script(Script::new("*").cancelable(cancelable));
        let run = client.run(&request).cancelled_by(settle());
        let error = run.await.unwrap_err();
        match cancelable {
            true => assert!(error.is_fault::<RequestCanceled>(), "{error:?}"),
            false => assert!(error.is_fault::<NotSupported>(), "{error:?}"),
        }
        assert_eq!(simulator.leftovers(), []);
        client.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_task_that_is_not_there() {
    let (simulator, client, _) = host().await;
    let task = ManagedObjectReference::new("Task", "task-1");
    let error = client.watch_task(&task, None, false).await;
    let mut watch = error.unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap(), TaskEvent::Gone);
    assert!(watch.next().await.is_none());
    watch.close().await;
    assert_eq!(simulator.leftovers(), []);
    client.close().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn connections_and_sessions_may_end_anywhere() {
    for effect in [Effect::DropBefore, Effect::DropAfter, Effect::ExpireSession] {
        let (simulator, client, request) = host().await;
        client.run(&request).await.unwrap();
        client.close().await.unwrap();
        let all = methods(&simulator);
        for position in 1..all.len() {
            let method = &all[position - 1];
            let (simulator, client, request) = host().await;
            simulator.inject(Rule::new("*", effect.clone()).nth(position));
            let result = client.run(&request).await;
            settle().await;
            let is_start = method == "PowerOnVM_Task";
            match (&effect, is_start) {
                (Effect::DropBefore | Effect::DropAfter, true) => {
                    assert!(result.unwrap_err().is_broken());
                }
                _ => {
                    result.unwrap_or_else(|error| panic!("{effect:?} {method}: {error:?}"));
                    assert_eq!(
                        power(&simulator, &request.this),
                        VirtualMachinePowerState::PoweredOn
                    );
                }
            }
            assert!(simulator.load().tasks_begun <= 1);
            // Nobody can name a collector whose making was not answered.
            let lost = usize::from(
                method == "CreatePropertyCollector" && matches!(effect, Effect::DropAfter),
            );
            let left = simulator.leftovers();
            assert!(left.len() <= lost, "{effect:?} {method}: {left:?}");
            client.close().await.unwrap();
        }
    }
}

#[tokio::test]
async fn an_object_that_is_gone_costs_its_own_watch_only() {
    let (simulator, client, request) = host().await;
    simulator.stop_tasks();
    let other = PowerOnVmTask {
        this: simulator.vm("db01").unwrap(),
        host: None,
        ..Default::default()
    };
    simulator.set_power_state(&other.this, VirtualMachinePowerState::PoweredOff);
    let tasks = [
        client.call(&request).await.unwrap(),
        client.call(&other).await.unwrap(),
    ];
    let mut one = client.watch_task(&tasks[0], None, false).await.unwrap();
    let mut two = client.watch_task(&tasks[1], None, false).await.unwrap();
    for watch in [&mut one, &mut two] {
        let event = watch.next().await.unwrap().unwrap();
        assert!(matches!(event, TaskEvent::Progress(_)), "{event:?}");
    }
    let fault = ManagedObjectNotFound {
        obj: tasks[0].clone(),
        ..ManagedObjectNotFound::default()
    };
    let fault = vi_types::SoapFault::new(fault, "It has been deleted.");
    simulator.inject(Rule::new("CreateFilter", Effect::Fault(Box::new(fault))).nth(1));
    simulator.expire_sessions();
    assert_eq!(one.next().await.unwrap().unwrap(), TaskEvent::Gone);
    while simulator.step_tasks() {}
    let end = loop {
        match two.next().await.unwrap().unwrap() {
            TaskEvent::Done(info) => break info.state,
            TaskEvent::Progress(_) => {}
            event => panic!("{event:?}"),
        }
    };
    assert_eq!(end, TaskInfoState::Success);
    one.close().await;
    two.close().await;
    assert_eq!(simulator.leftovers(), []);
    client.close().await.unwrap();
}
