//! Questions: before a task, in the middle, and when nothing can be done about them.

use std::sync::Arc;

use esx_driver::{
    ErrorKind,
    policy::{Policy, Rules},
};
use esx_sim::{Effect, Outcome, Question as Asked, Rule, Script, Simulator};
use vi_types::{
    enums::{
        TaskInfoState::{Error as Failed, Queued, Running, Success},
        VirtualMachinePowerState::{PoweredOff, PoweredOn, Suspended},
    },
    methods::{AnswerVm, PowerOnVmTask, SuspendVmTask},
    objects::{ConcurrentAccess, InvalidPowerState, RequestCanceled},
};

use super::*;
use crate::text;

#[tokio::test(start_paused = true)]
async fn a_question_is_reported_with_its_text_and_its_labels() {
    let (simulator, domain, result) = started("", asking(Asked::serial_port())).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Blocked);
    assert_eq!(error.to_string(), SERIAL_PORT);
    let question = error.question().unwrap();
    let labels: Vec<_> = question
        .choices
        .iter()
        .map(|choice| &choice.label)
        .collect();
    assert_eq!(labels, ["Replace", "Append", "Cancel"]);
    assert_eq!(question.default, Some(1));
    assert_eq!(question.messages, ["msg.serial.file.open"]);
    assert_eq!(
        error.advice(),
        Some(
            "answer the question of 'web01', or choose who answers; the blocked task cannot be cancelled and is left \
             behind"
        )
    );
    assert_eq!(calls(&simulator, "CancelTask"), 0);
    assert_eq!(calls(&simulator, "AnswerVM"), 0);
    assert_eq!(tasks(&simulator, &domain), [Running]);
}

#[tokio::test(start_paused = true)]
async fn the_blocked_task_is_cancelled_if_it_can_be() {
    let script = asking(Asked::serial_port()).cancelable(true);
    let (simulator, domain, result) = started("", script).await;
    let error = result.unwrap_err();
    assert_eq!(error.to_string(), SERIAL_PORT);
    assert_eq!(
        error.advice(),
        Some(
            "answer the question of 'web01', or choose who answers; the blocked task was cancelled"
        )
    );
    assert_eq!(tasks(&simulator, &domain), [Failed]);
    assert!(domain.question().await.unwrap().is_none());
    assert_eq!(power(&simulator, &domain), PoweredOff);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_that_is_refused_does_not_hide_the_question() {
    let (simulator, domain) = off("").await;
    simulator.script(asking(Asked::serial_port()).cancelable(true));
    let fault = vi_types::SoapFault::new(RequestCanceled::default(), "Not today.");
    simulator.inject(Rule::new("CancelTask", Effect::Fault(Box::new(fault))));
    let error = start(&domain).await.unwrap_err();
    assert_eq!(error.to_string(), SERIAL_PORT);
    let advice = error.advice().unwrap();
    assert!(
        advice.contains(
            "could not be cancelled and is left behind (CancelTask: RequestCanceled - Not today.)"
        ),
        "{advice}"
    );
    settle().await;
    nothing_left(&simulator);
}

#[tokio::test(start_paused = true)]
async fn the_default_answer_is_given() {
    let script = asking(Asked::serial_port());
    let (simulator, domain, result) = started("auto_answer=1", script).await;
    result.unwrap();
    assert_eq!(power(&simulator, &domain), PoweredOn);
    assert_eq!(calls(&simulator, "AnswerVM"), 1);
    assert_eq!(calls(&simulator, "PowerOnVM_Task"), 1);
}

#[tokio::test(start_paused = true)]
async fn several_questions_are_answered_one_after_the_other() {
    let script = Script::new("PowerOnVM_Task")
        .steps(5)
        .asks(Asked::moved_or_copied())
        .asks_after(2, Asked::serial_port())
        .asks_after(2, Asked::without_default().default(0));
    let (simulator, domain, result) = started("auto_answer=1", script).await;
    result.unwrap();
    assert_eq!(power(&simulator, &domain), PoweredOn);
    assert_eq!(calls(&simulator, "AnswerVM"), 3);
}

/// What a start comes to whose question is asked while it is waited for, with no other event.
async fn in_the_middle(query: &str) -> (Simulator, Domain, esx_driver::Result<()>) {
    let (simulator, domain) = off(query).await;
    simulator.stop_tasks();
    simulator.script(
        Script::new("PowerOnVM_Task")
            .steps(4)
            .asks_after(1, Asked::serial_port()),
    );
    let mut starting = start(&domain).into_future();
    assert!(begin(&mut starting).await.is_none());
    simulator.step_tasks();
    assert!(begin(&mut starting).await.is_none());
    simulator.step_tasks();
    assert!(begin(&mut starting).await.is_none());
    let waits = calls(&simulator, "WaitForUpdatesEx");
    // The task's state stays what it is.
    simulator.step_tasks();
    if let Some(result) = begin(&mut starting).await {
        assert_eq!(calls(&simulator, "WaitForUpdatesEx"), waits);
        return (simulator, domain, result);
    }
    while simulator.step_tasks() {
        settle().await;
    }
    let result = starting.await;
    (simulator, domain, result)
}

#[tokio::test(start_paused = true)]
async fn a_question_in_the_middle_of_a_wait_is_seen_at_once() {
    let (simulator, _, result) = in_the_middle("").await;
    assert_eq!(text(result), SERIAL_PORT);
    settle().await;
    nothing_left(&simulator);

    let (simulator, domain, result) = in_the_middle("auto_answer=1").await;
    result.unwrap();
    assert_eq!(power(&simulator, &domain), PoweredOn);
    nothing_left(&simulator);
}

/// Somebody else's task of the domain, which a question blocks.
async fn blocked(simulator: &Simulator, domain: &Domain, method: &str) {
    let vm = domain.moref().clone();
    simulator.script(Script::new(method).asks_at_once(Asked::serial_port()));
    let client = domain.connect().client();
    match method {
        "PowerOnVM_Task" => {
            client
                .call(&PowerOnVmTask {
                    this: vm,
                    host: None,
                    ..Default::default()
                })
                .await
        }
        _ => {
            client
                .call(&SuspendVmTask {
                    this: vm,
                    ..Default::default()
                })
                .await
        }
    }
    .unwrap();
    simulator.clear_requests();
}

#[tokio::test(start_paused = true)]
async fn a_question_before_the_start_is_reported_and_nothing_is_started() {
    let (simulator, domain) = off("").await;
    blocked(&simulator, &domain, "PowerOnVM_Task").await;
    let error = start(&domain).await.unwrap_err();
    assert_eq!(error.to_string(), SERIAL_PORT);
    assert_eq!(
        error.advice(),
        Some("answer the question of 'web01', or choose who answers; nothing was started")
    );
    assert_eq!(crate::methods(&simulator), ["RetrievePropertiesEx"]);
    assert_eq!(tasks(&simulator, &domain), [Running]);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_unblocked_may_do_what_is_wanted() {
    let (simulator, domain) = off("auto_answer=1").await;
    blocked(&simulator, &domain, "PowerOnVM_Task").await;
    start(&domain).await.unwrap();
    assert_eq!(power(&simulator, &domain), PoweredOn);
    assert_eq!(calls(&simulator, "PowerOnVM_Task"), 0);
    assert_eq!(tasks(&simulator, &domain), [Success]);
    nothing_left(&simulator);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_unblocked_may_do_something_else() {
    let (simulator, domain) = on("auto_answer=1").await;
    blocked(&simulator, &domain, "SuspendVM_Task").await;
    let error = domain.destroy(Default::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotStarted);
    assert_eq!(
        error.to_string(),
        "Requested operation is not valid: Could not destroy domain: a question of another task was answered; it is \
         over, and the requested task was not started"
    );
    assert_eq!(power(&simulator, &domain), Suspended);
    assert_eq!(calls(&simulator, "PowerOffVM_Task"), 0);
    nothing_left(&simulator);
}

#[tokio::test(start_paused = true)]
async fn a_question_that_blocks_no_task_is_answered_and_the_task_started() {
    let (simulator, domain) = on("auto_answer=1").await;
    simulator.ask(domain.moref(), Asked::cdrom_locked());
    domain.destroy(Default::default()).await.unwrap();
    assert_eq!(power(&simulator, &domain), PoweredOff);
    assert_eq!(calls(&simulator, "AnswerVM"), 1);

    let (simulator, domain) = on("").await;
    simulator.ask(domain.moref(), Asked::cdrom_locked());
    let error = domain.destroy(Default::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Blocked);
    assert_eq!(power(&simulator, &domain), PoweredOn);
    assert_eq!(calls(&simulator, "PowerOffVM_Task"), 0);
}

#[tokio::test(start_paused = true)]
async fn another_task_is_in_the_way() {
    let (simulator, domain) = off("auto_answer=1").await;
    simulator.stop_tasks();
    let this = domain.moref().clone();
    let other = PowerOnVmTask {
        this,
        host: None,
        ..Default::default()
    };
    domain.connect().client().call(&other).await.unwrap();
    simulator.clear_requests();
    let error = start(&domain).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TaskPending);
    assert_eq!(
        error.to_string(),
        "Requested operation is not valid: Other tasks are pending for this domain"
    );
    assert_eq!(crate::methods(&simulator), ["RetrievePropertiesEx"]);
    assert_eq!(tasks(&simulator, &domain), [Queued]);
}

#[tokio::test(start_paused = true)]
async fn questions_without_a_default_or_without_choices_are_reported() {
    for (question, expected) in [
        (
            Asked::without_default(),
            "internal error: Pending question blocks virtual machine execution, question is 'msg.sim.nodefault: Shall \
             it be this or that?', possible answers are 'This', 'That', but no default answer is specified",
        ),
        (
            Asked::without_default().default(2),
            "internal error: Pending question blocks virtual machine execution, question is 'msg.sim.nodefault: Shall \
             it be this or that?', possible answers are 'This', 'That', but no default answer is specified",
        ),
        (
            Asked::new("msg.sim.none: What now?"),
            "internal error: Pending question blocks virtual machine execution, question is 'msg.sim.none: What now?', \
             no possible answers",
        ),
    ] {
        let script = asking(question);
        let (simulator, _, result) = started("auto_answer=1", script).await;
        assert_eq!(text(result), expected);
        assert_eq!(calls(&simulator, "AnswerVM"), 0);
    }
    let script = asking(Asked::new("msg.sim.none: What now?"));
    let (_, _, result) = started("", script).await;
    assert_eq!(
        text(result),
        "internal error: Pending question blocks virtual machine execution, question is 'msg.sim.none: What now?', no \
         possible answers"
    );
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_the_host_refuses_is_told_with_the_question() {
    let (simulator, domain) = off("auto_answer=1").await;
    simulator.script(asking(Asked::serial_port()).cancelable(true));
    let fault = vi_types::SoapFault::new(InvalidPowerState::default(), "Not like this.");
    simulator.inject(Rule::new("AnswerVM", Effect::Fault(Box::new(fault))));
    let error = start(&domain).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Blocked);
    assert_eq!(
        error.to_string(),
        "internal error: HTTP response code 500 for call to 'AnswerVM'. Fault: ServerFaultCode - Not like this."
    );
    assert!(error.fault().unwrap().is::<InvalidPowerState>());
    assert!(error.question().unwrap().text.starts_with("msg.serial"));
    let advice = error.advice().unwrap();
    assert!(
        advice.ends_with("stays unanswered; the blocked task was cancelled"),
        "{advice}"
    );
    assert_eq!(tasks(&simulator, &domain), [Failed]);
    settle().await;
    nothing_left(&simulator);
}

#[tokio::test(start_paused = true)]
async fn somebody_else_may_answer_first() {
    let (simulator, domain) = off("auto_answer=1").await;
    simulator.script(asking(Asked::serial_port()));
    // The answer of the other one is there before ours, which the host does not know any more.
    let vm = domain.moref().clone();
    let other = crate::open(&simulator, "esx://esx.example.com/")
        .await
        .unwrap();
    let fault = vi_types::SoapFault::new(ConcurrentAccess::default(), "Somebody was faster.");
    simulator.inject(Rule::new("AnswerVM", Effect::Fault(Box::new(fault))).nth(1));
    simulator
        .inject(Rule::new("AnswerVM", Effect::Delay(std::time::Duration::from_secs(1))).nth(1));
    let answering = async {
        let question = loop {
            let mut asked = other.questions().await.unwrap();
            if let Some((_, question)) = asked.pop() {
                break question;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        };
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let request = AnswerVm {
            this: vm,
            question_id: question.id,
            answer_choice: "0".to_owned(),
            ..Default::default()
        };
        other.client().call(&request).await.unwrap();
    };
    let (result, ()) = tokio::join!(start(&domain).into_future(), answering);
    result.unwrap();
    assert_eq!(power(&simulator, &domain), PoweredOn);
    settle().await;
    nothing_left(&simulator);
}

#[tokio::test(start_paused = true)]
async fn a_question_that_comes_back_again_and_again_is_reported() {
    let script = asking(Asked::disk_full());
    let (simulator, _, result) = started("auto_answer=1", script).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Blocked);
    assert!(
        error
            .to_string()
            .ends_with("'Retry', 'Cancel', but it comes back when it is answered"),
        "{error}"
    );
    assert_eq!(calls(&simulator, "AnswerVM"), 5);
}

#[tokio::test(start_paused = true)]
async fn questions_without_an_end_are_reported() {
    for count in [20, 30] {
        let script = (0..count).fold(Script::new("PowerOnVM_Task"), |script, number| {
            let question = Asked::new(format!("msg.{number}: Is {number} all right?"))
                .choice("Yes", Outcome::Proceed)
                .default(0);
            script.asks(question)
        });
        let begun = tokio::time::Instant::now();
        let (simulator, _, result) = started("auto_answer=1", script).await;
        assert_eq!(calls(&simulator, "AnswerVM"), 20);
        let took = begun.elapsed().as_secs();
        assert!((20..60).contains(&took), "{took} s");
        if count == 20 {
            result.unwrap();
            continue;
        }
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Blocked);
        let end = "'Yes', but the host has asked 20 others, which were answered";
        assert!(error.to_string().ends_with(end), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn rules_and_callbacks_answer() {
    let rules = "
        [[rule]]
        message = 'msg.uuid.*'
        answer = 'i MOVED it'
        [[rule]]
        text = 'out of space'
        answer = 'Retry'
    ";
    let rules = || Policy::Rules(Arc::new(Rules::from_toml(rules).unwrap()));
    for (policy, question, expected) in [
        (rules(), Asked::moved_or_copied(), Ok(())),
        (rules(), Asked::serial_port(), Err(SERIAL_PORT.to_owned())),
        (
            Policy::Callback(Arc::new(Says("Append"))),
            Asked::serial_port(),
            Ok(()),
        ),
        (
            Policy::Callback(Arc::new(Says("Delete"))),
            Asked::serial_port(),
            Err(format!(
                "{SERIAL_PORT}, but it was to be answered with 'Delete'"
            )),
        ),
    ] {
        let (simulator, domain) = off("").await;
        let domain = with(&domain, policy).await;
        simulator.script(asking(question));
        let result = start(&domain).await.map_err(|error| error.to_string());
        assert_eq!(result, expected);
        settle().await;
        nothing_left(&simulator);
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_end_the_task() {
    let (simulator, domain) = off("").await;
    let domain = with(&domain, Policy::Callback(Arc::new(Says("Cancel")))).await;
    simulator.script(asking(Asked::serial_port()));
    let error = start(&domain).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TaskFailed);
    assert_eq!(
        error.to_string(),
        "internal error: Could not start domain: RequestCanceled - The operation was canceled."
    );
    assert!(error.fault().unwrap().is::<RequestCanceled>());
    settle().await;
    nothing_left(&simulator);
}

#[tokio::test]
async fn questions_are_listed_and_answered() {
    let (simulator, domain) = on("").await;
    assert!(domain.connect().questions().await.unwrap().is_empty());
    simulator.ask(domain.moref(), Asked::cdrom_locked());
    simulator.ask(
        &simulator.vm("db01").unwrap(),
        Asked::new("?").choice("Ja", Outcome::Proceed),
    );
    simulator.clear_requests();
    let asked = domain.connect().questions().await.unwrap();
    assert_eq!(crate::methods(&simulator), ["RetrievePropertiesEx"]);
    let mut names: Vec<_> = asked.iter().map(|(domain, _)| domain.name()).collect();
    names.sort_unstable();
    assert_eq!(names, ["db01", "web01"]);

    let question = domain.question().await.unwrap().unwrap();
    simulator.clear_requests();
    let error = domain.answer(&question, "Perhaps").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Answer);
    assert_eq!(
        error.to_string(),
        "invalid argument: 'Perhaps' does not answer the question, possible answers are 'Yes', 'No'"
    );
    assert!(crate::methods(&simulator).is_empty());
    domain.answer(&question, "yes").await.unwrap();
    assert!(domain.question().await.unwrap().is_none());
    let error = domain.answer(&question, "yes").await.unwrap_err();
    assert!(error.fault().unwrap().is::<ConcurrentAccess>());
}

#[tokio::test(start_paused = true)]
async fn the_uri_says_who_answers() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("answers.toml");
    std::fs::write(
        &file,
        "[[rule]]\nmessage = 'msg.serial.*'\nanswer = 'Append'\n",
    )
    .unwrap();
    let query = format!("auto_answer=1&answers={}", file.display());
    started(&query, asking(Asked::serial_port()))
        .await
        .2
        .unwrap();
    // What no rule fits is reported, also with auto_answer=1.
    let (_, _, result) = started(&query, asking(Asked::moved_or_copied())).await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Blocked);

    std::fs::write(&file, "[[rule]]\nanswer = 'Append'\n").unwrap();
    let simulator = Simulator::esx().build();
    let uri = format!("esx://esx.example.com/?{query}");
    let error = crate::open(&simulator, &uri).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rules);
    assert!(crate::methods(&simulator).is_empty(), "nothing was sent");
}

/// A program that never makes up its mind.
struct Ponders;

impl Answer for Ponders {
    fn answer<'a>(&'a self, _: &'a Asker, _: &'a Question) -> BoxFuture<'a, Option<String>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn somebody_else_may_answer_while_a_program_thinks() {
    let (simulator, domain) = off("").await;
    let thinking = with(&domain, Policy::Callback(Arc::new(Ponders))).await;
    simulator.script(asking(Asked::serial_port()));
    let mut starting = start(&thinking).into_future();
    assert!(begin(&mut starting).await.is_none());
    let question = domain.question().await.unwrap().unwrap();
    domain.answer(&question, "Append").await.unwrap();
    starting.await.unwrap();
    assert_eq!(power(&simulator, &domain), PoweredOn);

    // Nobody waits for it for ever.
    let (simulator, domain) = off("").await;
    let thinking = with(&domain, Policy::Callback(Arc::new(Ponders))).await;
    simulator.script(asking(Asked::serial_port()).cancelable(true));
    let patience = std::time::Duration::from_secs(60);
    let error = start(&thinking).deadline(patience).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let (simulator_too, domain) = off("").await;
    let thinking = with(&domain, Policy::Callback(Arc::new(Ponders))).await;
    simulator_too.script(asking(Asked::serial_port()).cancelable(true));
    let soon = tokio::time::sleep(patience);
    let error = start(&thinking).cancelled_by(soon).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(tasks(&simulator_too, &domain), [Failed]);
    settle().await;
    nothing_left(&simulator);
    nothing_left(&simulator_too);
}
