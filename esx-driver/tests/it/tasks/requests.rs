//! What a call costs in requests.

use esx_driver::DestroyFlags;
use esx_sim::Script;

use super::*;

/// The requests of a start and a stop of the same domain.
async fn power_cycle(script: Script) -> Vec<String> {
    let (simulator, domain) = off("").await;
    simulator.script(script);
    start(&domain).await.unwrap();
    domain.destroy(DestroyFlags::NONE).await.unwrap();
    settle().await;
    nothing_left(&simulator);
    crate::methods(&simulator)
}

#[tokio::test(start_paused = true)]
async fn a_power_cycle_that_is_soon_over_takes_eight_requests() {
    let of_each = |start| {
        [
            // Power state, question and recent tasks, with their states.
            "RetrievePropertiesEx",
            start,
            // The task, at once and a moment later.
            "RetrievePropertiesEx",
            "RetrievePropertiesEx",
        ]
    };
    let expected = [of_each("PowerOnVM_Task"), of_each("PowerOffVM_Task")].concat();
    assert_eq!(power_cycle(Script::new("*").steps(1)).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_longer_task_is_watched_whatever_its_length() {
    let of_each = |start| {
        [
            "RetrievePropertiesEx",
            start,
            // The task: at once, and after pauses that grow.
            "RetrievePropertiesEx",
            "RetrievePropertiesEx",
            "RetrievePropertiesEx",
            "CreatePropertyCollector",
            "CreateFilter",
            // How it is by now.
            "WaitForUpdatesEx",
            // Until it is over.
            "WaitForUpdatesEx",
            "DestroyPropertyCollector",
        ]
    };
    let expected = [of_each("PowerOnVM_Task"), of_each("PowerOffVM_Task")].concat();
    for steps in [3, 100] {
        assert_eq!(power_cycle(Script::new("*").steps(steps)).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_short_task_costs_milliseconds() {
    for (steps, most) in [(1, 5), (2, 51)] {
        let (simulator, domain) = off("").await;
        simulator.script(Script::new("*").steps(steps));
        let began = tokio::time::Instant::now();
        start(&domain).await.unwrap();
        let took = began.elapsed().as_millis();
        assert!(took <= most, "{steps} steps took {took} ms");
    }
}
