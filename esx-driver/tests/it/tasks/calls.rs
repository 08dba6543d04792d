//! Calls that start no task: what they say when their answer is lost.

use std::time::Duration;

use esx_driver::{
    AutostartSettings, DefineFlags, ErrorKind, RebootFlags, ShutdownFlags, UndefineFlags, What,
    virt_model::{DomainXmlFlags, ErrorNumber},
};
use esx_sim::{Effect, Question as Asked, Rule, Simulator};
use vi_types::enums::VirtualMachinePowerState::{PoweredOff, PoweredOn};

use super::*;

/// What an operation on a domain comes to while the answer to its call of `method` is spoiled.
async fn spoiled<T>(
    (simulator, domain): (Simulator, Domain),
    method: &str,
    effect: Effect,
    operate: impl FnOnce(&Domain) -> Operation<'static, T>,
) -> (Simulator, Domain, Result<T>) {
    simulator.inject(Rule::new(method, effect).nth(1));
    let result = operate(&domain).await;
    assert_eq!(calls(&simulator, method), 1, "it is sent once");
    (simulator, domain, result)
}

/// The two ways in which an answer is lost: the host has run the call, or never got it.
const LOST: [(Effect, bool); 2] = [(Effect::DropAfter, true), (Effect::DropBefore, false)];

#[track_caller]
fn done_or_not(result: Result<()>, is_done: bool, could_not: &str) {
    if is_done {
        return result.unwrap();
    }
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotDone);
    assert_eq!(
        error.to_string(),
        format!(
            "operation failed: {could_not}: the connection broke, and the host shows that it was not done"
        )
    );
    assert_eq!(error.advice(), Some("try again"));
}

#[track_caller]
fn in_doubt(result: Result<()>, could_not: &str) {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InDoubt);
    assert_eq!(
        error.to_string(),
        format!(
            "operation failed: {could_not}: the connection broke, and whether the host did it is not known; it was not \
             asked again"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn undefine() {
    for (effect, is_done) in LOST {
        let undefine = |domain: &Domain| domain.undefine(UndefineFlags::NONE);
        let (simulator, domain, result) =
            spoiled(off("").await, "UnregisterVM", effect, undefine).await;
        done_or_not(result, is_done, "Could not undefine domain");
        let is_there = simulator.vm("web01").is_some();
        assert_eq!(is_there, !is_done);
        if !is_done {
            domain.undefine(UndefineFlags::NONE).await.unwrap();
        }
        let error = domain.undefine(UndefineFlags::NONE).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound(What::Domain));
    }
}

#[tokio::test(start_paused = true)]
async fn undefine_when_nobody_answers_any_more() {
    let (simulator, domain) = off("").await;
    let mut undefining = domain.undefine(UndefineFlags::NONE).into_future();
    simulator.inject(Rule::new("UnregisterVM", Effect::DropAfter).nth(1));
    simulator.inject(Rule::new("RetrievePropertiesEx", Effect::DropBefore).from_nth(2));
    in_doubt((&mut undefining).await, "Could not undefine domain");
}

#[tokio::test(start_paused = true)]
async fn shutdown() {
    let shutdown = |domain: &Domain| domain.shutdown(ShutdownFlags::NONE);
    let lost = spoiled(on("").await, "ShutdownGuest", Effect::DropAfter, shutdown);
    let (simulator, domain, result) = lost.await;
    result.unwrap();
    assert_eq!(power(&simulator, &domain), PoweredOff);

    // A guest that still runs may be about to shut down.
    let lost = spoiled(on("").await, "ShutdownGuest", Effect::DropBefore, shutdown);
    let (simulator, domain, result) = lost.await;
    in_doubt(result, "Could not shut down domain");
    assert_eq!(power(&simulator, &domain), PoweredOn);
}

#[tokio::test(start_paused = true)]
async fn reboot() {
    for (effect, _) in LOST {
        let reboot = |domain: &Domain| domain.reboot(RebootFlags::NONE);
        let (_, _, result) = spoiled(on("").await, "RebootGuest", effect, reboot).await;
        in_doubt(result, "Could not reboot domain");
    }
}

#[tokio::test(start_paused = true)]
async fn answer() {
    for (effect, is_done) in LOST {
        let (simulator, domain) = on("").await;
        simulator.ask(domain.moref(), Asked::cdrom_locked());
        let question = domain.question().await.unwrap().unwrap();
        let answer = |domain: &Domain| domain.answer(&question, "yes");
        let lost = spoiled((simulator, domain), "AnswerVM", effect, answer);
        let (_, domain, result) = lost.await;
        done_or_not(result, is_done, "Could not answer the question");
        let asked = domain.question().await.unwrap();
        assert_eq!(asked.is_some(), !is_done);
    }
}

#[tokio::test(start_paused = true)]
async fn autostart() {
    for (effect, is_done) in LOST {
        let mut wanted = AutostartSettings::new(false);
        wanted.start_delay = Some(Duration::from_secs(30));
        let set = |domain: &Domain| domain.set_autostart_settings(wanted.clone());
        let (_, domain, result) = spoiled(off("").await, "ReconfigureAutostart", effect, set).await;
        done_or_not(result, is_done, "Could not set autostart");
        let settings = domain.autostart_settings().await.unwrap();
        assert_eq!(settings == wanted, is_done);
    }
}

/// The answer to a call that starts a task is lost before there is a machine whose tasks could be searched.
#[tokio::test(start_paused = true)]
async fn define() {
    for (effect, is_done) in LOST {
        let (simulator, domain) = off("").await;
        let xml = domain.xml_desc(DomainXmlFlags::SECURE).await.unwrap();
        domain.undefine(UndefineFlags::NONE).await.unwrap();
        // The host gets on with the task between the first search and the second.
        let working = async {
            tokio::time::sleep(Duration::from_millis(700)).await;
            while simulator.step_tasks() {}
        };
        simulator.inject(Rule::new("RegisterVM_Task", effect).nth(1));
        let defining = domain.connect().define_xml(&xml, DefineFlags::NONE);
        let (result, ()) = tokio::join!(defining.into_future(), working);
        assert_eq!(calls(&simulator, "RegisterVM_Task"), 1, "it is sent once");
        assert_eq!(simulator.vm("web01").is_some(), is_done);
        if is_done {
            assert_eq!(result.unwrap().name(), "web01");
            continue;
        }
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InDoubt);
        assert_eq!(
            error.outcome(),
            Some("the file '[ssd] web01/web01.vmx' has been written and stays")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_does_not_wait_for_a_silent_host() {
    let (simulator, domain) = on("").await;
    simulator.inject(Rule::new("ShutdownGuest", Effect::Silence));
    let shutdown = domain.shutdown(ShutdownFlags::NONE);
    let error = shutdown.deadline(Duration::from_secs(7)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InDoubt);
    assert_eq!(
        error.to_string(),
        "Timed out during operation: Could not shut down domain: the host did not answer within 7 s"
    );
    assert_eq!(
        error.outcome(),
        Some("whether the host does it is not known")
    );
    let soon = tokio::time::sleep(Duration::from_secs(7));
    let shutdown = domain.shutdown(ShutdownFlags::NONE);
    let error = shutdown.cancelled_by(soon).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "operation aborted: Could not shut down domain: it was cancelled before the host answered"
    );

    // Before the call nothing has happened.
    simulator.clear_rules();
    simulator.inject(Rule::new("RetrievePropertiesEx", Effect::Silence));
    let shutdown = domain.shutdown(ShutdownFlags::NONE);
    let error = shutdown.deadline(Duration::from_secs(7)).await.unwrap_err();
    assert_eq!(error.outcome(), Some("nothing was started"));
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_never_answered_ends() {
    let (simulator, domain) = off("").await;
    simulator.inject(Rule::new("PowerOnVM_Task", Effect::Silence));
    let begun = tokio::time::Instant::now();
    let operation = start(&domain).deadline(Duration::from_secs(7));
    let error = operation.await.unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), 7);
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::InDoubt, ErrorNumber::OperationTimeout)
    );
    let unknown = "whether the host does it is not known";
    assert_eq!(error.outcome(), Some(unknown));

    // Whoever cancels waits a little for the task's name.
    let begun = tokio::time::Instant::now();
    let soon = tokio::time::sleep(Duration::from_secs(7));
    let error = start(&domain).cancelled_by(soon).await.unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), 9);
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(error.outcome(), Some(unknown));
    nothing_left(&simulator);
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_answered_after_the_cancellation_is_cancelled() {
    let (simulator, domain) = off("").await;
    simulator.script(Script::new("*").cancelable(true));
    simulator.stop_tasks();
    let later = Effect::Delay(Duration::from_secs(1));
    simulator.inject(Rule::new("PowerOnVM_Task", later));
    let soon = tokio::time::sleep(Duration::from_millis(500));
    let error = start(&domain).cancelled_by(soon).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(calls(&simulator, "CancelTask"), 1);
    settle().await;
    nothing_left(&simulator);
}

/// Calls that are never answered while a caller who cancels, or whose time is up, waits.
#[tokio::test(start_paused = true)]
async fn nothing_silent_holds_a_caller_who_cancels() {
    for method in ["CancelTask", "DestroyPropertyCollector", "AnswerVM"] {
        for has_deadline in [false, true] {
            let (simulator, domain) = off("auto_answer=1").await;
            let script = Script::new("*").cancelable(true);
            match method {
                "AnswerVM" => simulator.script(script.asks(Asked::serial_port())),
                _ => {
                    simulator.script(script);
                    simulator.stop_tasks();
                }
            }
            simulator.inject(Rule::new(method, Effect::Silence));
            let begun = tokio::time::Instant::now();
            let soon = Duration::from_secs(7);
            let operation = match has_deadline {
                true => start(&domain).deadline(soon),
                false => start(&domain).cancelled_by(tokio::time::sleep(soon)),
            };
            let error = operation.await.unwrap_err();
            let took = begun.elapsed().as_secs();
            let what = format!("{method} {has_deadline}: {error} after {took} s");
            let longest = if has_deadline { 9 } else { 7 + 5 + 5 + 2 };
            assert!((7..=longest).contains(&took), "{what}");
            let kind = match has_deadline {
                true => ErrorKind::Timeout,
                false => ErrorKind::Cancelled,
            };
            assert_eq!(error.kind(), kind, "{what}");
        }
    }
}
