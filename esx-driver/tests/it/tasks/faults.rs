//! What breaks on the way: connections, sessions, callers.

use std::time::Duration;

use esx_driver::ErrorKind;
use esx_sim::{Effect, Question as Asked, Rule, Script, Simulator};
use http::StatusCode;
use vi_types::{
    SoapFault,
    enums::VirtualMachinePowerState::{PoweredOff, PoweredOn},
    objects::ManagedObjectNotFound,
};

use super::*;

/// A task that is not over when it is looked at first.
fn slow() -> Script {
    Script::new("PowerOnVM_Task").steps(5)
}

/// Starts a domain while the answer to each single request is spoiled, one position after the other; gives how often
/// each outcome came, and checks what holds for all of them.
async fn everywhere(
    query: &str,
    script: impl Fn() -> Script,
    effect: Effect,
    expected: impl Fn(&str, &Simulator, &Domain, Result<()>),
) {
    let (simulator, domain) = off(query).await;
    simulator.script(script());
    let _ = start(&domain).await;
    settle().await;
    let all = crate::methods(&simulator);
    assert!(all.len() > 5, "{all:?}");
    for (position, method) in all.iter().enumerate() {
        let (simulator, domain) = off(query).await;
        simulator.script(script());
        simulator.inject(Rule::new("*", effect.clone()).nth(position + 1));
        let result = start(&domain).await;
        settle().await;
        assert!(
            simulator.load().tasks_begun <= 1,
            "{position} {method}: started twice"
        );
        // Nobody can name a collector whose making was not answered.
        let lost = usize::from(method == "CreatePropertyCollector" && is_run(&effect));
        assert!(
            simulator.leftovers().len() <= lost,
            "{position} {method}: {:?}",
            simulator.leftovers()
        );
        expected(method, &simulator, &domain, result);
    }
}

/// Whether the call is run although there is no answer.
fn is_run(effect: &Effect) -> bool {
    matches!(effect, Effect::DropAfter | Effect::Truncate(_))
}

#[tokio::test(start_paused = true)]
async fn nothing_is_started_twice() {
    for effect in [
        Effect::DropBefore,
        Effect::DropAfter,
        Effect::Truncate(100),
        Effect::Status(StatusCode::SERVICE_UNAVAILABLE),
        Effect::Html,
    ] {
        let spoilt = effect.clone();
        everywhere("", slow, effect, move |method, simulator, domain, result| {
            assert_eq!(calls(simulator, "PowerOnVM_Task"), 1, "{spoilt:?} {method}");
            match (method, is_run(&spoilt)) {
                ("PowerOnVM_Task", false) => {
                    let error = result.unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::InDoubt);
                    assert_eq!(
                        error.to_string(),
                        "operation failed: Could not start domain: the connection broke, and whether the host began is \
                         not known; it was not asked again"
                    );
                    assert_eq!(simulator.load().tasks_begun, 0);
                    assert_eq!(power(simulator, domain), PoweredOff);
                }
                _ => {
                    result.unwrap_or_else(|error| panic!("{spoilt:?} {method}: {error:?}"));
                    assert_eq!(power(simulator, domain), PoweredOn);
                }
            }
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_may_end_anywhere() {
    for query in ["", "auto_answer=1"] {
        let script = || match query {
            "" => slow(),
            _ => slow().asks_after(2, Asked::serial_port()),
        };
        everywhere(
            query,
            script,
            Effect::ExpireSession,
            |method, simulator, domain, result| {
                result.unwrap_or_else(|error| panic!("{method}: {error:?}"));
                assert_eq!(power(simulator, domain), PoweredOn);
            },
        )
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn questions_survive_lost_connections() {
    for effect in [Effect::DropBefore, Effect::DropAfter, Effect::ExpireSession] {
        let spoilt = effect.clone();
        let script = || slow().asks_after(2, Asked::serial_port());
        everywhere(
            "auto_answer=1",
            script,
            effect.clone(),
            |method, simulator, domain, result| {
                if method == "PowerOnVM_Task" && matches!(spoilt, Effect::DropBefore) {
                    assert_eq!(result.unwrap_err().kind(), ErrorKind::InDoubt);
                } else {
                    result.unwrap_or_else(|error| panic!("{spoilt:?} {method}: {error:?}"));
                    assert_eq!(power(simulator, domain), PoweredOn);
                }
            },
        )
        .await;
        let script = || slow().cancelable(true).asks_after(2, Asked::serial_port());
        everywhere("", script, effect, |method, simulator, domain, result| {
            let error = result.unwrap_err();
            if method == "PowerOnVM_Task" && matches!(spoilt, Effect::DropBefore) {
                assert_eq!(error.kind(), ErrorKind::InDoubt);
                return;
            }
            assert_eq!(error.to_string(), SERIAL_PORT, "{spoilt:?} {method}");
            assert_eq!(power(simulator, domain), PoweredOff);
            assert_eq!(
                simulator.load().tasks,
                0,
                "{spoilt:?} {method}: it was cancelled"
            );
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stays_away_is_told() {
    let (simulator, domain) = off("").await;
    simulator.stop_tasks();
    let mut starting = start(&domain).into_future();
    assert!(begin(&mut starting).await.is_none());
    simulator.inject(Rule::new("*", Effect::DropBefore));
    simulator.step_tasks();
    let error = starting.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InDoubt);
    let task = "operation failed: Could not start domain: the host accepted it as the task '";
    let told = error.to_string();
    assert!(told.starts_with(task), "{told}");
    assert!(
        told.contains("', which goes on; what comes of it is not known: "),
        "{told}"
    );
    // What is left is the server's until the session ends.
    simulator.expire_sessions();
    nothing_left(&simulator);
}

/// Drops a start after each number of polls.
async fn dropped_everywhere(query: &str, script: impl Fn() -> Script) {
    let mut polls = 0;
    loop {
        let (simulator, domain) = off(query).await;
        simulator.script(script());
        let mut starting = start(&domain).into_future();
        let mut output = None;
        for _ in 0..polls {
            output = futures_util::FutureExt::now_or_never(&mut starting);
            if output.is_some() {
                break;
            }
            tokio::time::advance(Duration::from_millis(10)).await;
        }
        drop(starting);
        settle().await;
        nothing_left(&simulator);
        assert_eq!(simulator.load().waits, 0, "nobody waits any more");
        assert!(calls(&simulator, "PowerOnVM_Task") <= 1);
        if output.is_some() {
            break;
        }
        polls += 1;
    }
    assert!(polls > 5, "{polls} polls");
}

#[tokio::test(start_paused = true)]
async fn whoever_gives_up_leaves_nothing_behind() {
    dropped_everywhere("", slow).await;
    dropped_everywhere("auto_answer=1", || {
        slow()
            .asks(Asked::moved_or_copied())
            .asks_after(3, Asked::serial_port())
    })
    .await;
    dropped_everywhere("", || {
        slow().cancelable(true).asks_after(2, Asked::serial_port())
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_the_host_forgets() {
    for (turns_on, expected) in [(true, None), (false, Some(ErrorKind::InDoubt))] {
        let (simulator, domain) = off("").await;
        simulator.stop_tasks();
        let mut starting = start(&domain).into_future();
        assert!(begin(&mut starting).await.is_none());
        let vm: VirtualMachine = simulator.properties(domain.moref()).unwrap();
        let fault = ManagedObjectNotFound {
            obj: vm.recent_task[0].clone(),
            ..ManagedObjectNotFound::default()
        };
        let fault = SoapFault::new(fault, "The object has already been deleted.");
        simulator.inject(Rule::new("CreateFilter", Effect::Fault(Box::new(fault))));
        if turns_on {
            simulator.set_power_state(domain.moref(), PoweredOn);
        }
        simulator.expire_sessions();
        let result = starting.await;
        assert_eq!(result.err().map(|error| error.kind()), expected);
        settle().await;
        nothing_left(&simulator);
    }
}

#[tokio::test(start_paused = true)]
async fn two_clients_at_once() {
    let (simulator, domain) = off("").await;
    let other = crate::open(&simulator, "esx://esx.example.com/")
        .await
        .unwrap();
    let other = other.lookup_by_name("web01").await.unwrap();
    let (one, two) = tokio::join!(start(&domain).into_future(), start(&other).into_future());
    let results = [one, two].map(|result| result.map_err(|error| error.kind()));
    assert!(results.contains(&Ok(())), "{results:?}");
    for result in results {
        if let Err(kind) = result {
            assert!(
                matches!(kind, ErrorKind::TaskPending | ErrorKind::WrongState),
                "{kind:?}"
            );
        }
    }
    assert_eq!(simulator.load().tasks_begun, 1);

    let (one, two) = tokio::join!(
        domain.destroy(Default::default()).into_future(),
        start(&other).into_future()
    );
    assert!(one.is_ok() || two.is_ok(), "{one:?} {two:?}");
    settle().await;
    nothing_left(&simulator);
}
