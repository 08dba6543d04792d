//! Many domains.

use std::time::Duration;

use esx_driver::{DestroyFlags, ErrorKind, What, bulk, virt_model::DomainFilter};
use esx_sim::{Effect, Question as Asked, Rule, Script, Simulator};
use futures_util::StreamExt as _;
use vi_types::enums::VirtualMachinePowerState::{PoweredOff, PoweredOn};

use super::*;

/// A host with so many domains, all off, and the domains.
async fn many(count: usize) -> (Simulator, Vec<Domain>) {
    let simulator = Simulator::esx().vms(count).record(false).build();
    for vm in simulator.objects("VirtualMachine") {
        simulator.set_power_state(&vm, PoweredOff);
    }
    let connect = open(&simulator, "esx://esx.example.com/").await.unwrap();
    let list = connect.list_all_domains(DomainFilter::NONE).await.unwrap();
    let domains = list.domains.into_iter().map(|entry| entry.domain).collect();
    (simulator, domains)
}

/// What comes of something while tasks go on only once everything waits for them.
async fn stepped<F: Future + Unpin>(simulator: &Simulator, mut future: F) -> F::Output {
    loop {
        for _ in 0..60 {
            if let Some(output) = futures_util::FutureExt::now_or_never(&mut future) {
                return output;
            }
            tokio::task::yield_now().await;
        }
        tokio::time::advance(Duration::from_millis(30)).await;
        if simulator.load().waits > 0 {
            simulator.step_tasks();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn connections_may_break_while_many_wait() {
    for effect in [Effect::DropBefore, Effect::DropAfter, Effect::ExpireSession] {
        for method in ["CreateFilter", "WaitForUpdatesEx", "DestroyPropertyFilter"] {
            for nth in 1..4 {
                let (simulator, domains) = many(12).await;
                simulator.stop_tasks();
                simulator.inject(Rule::new(method, effect.clone()).nth(nth));
                let results = bulk::run(domains, bulk::DEFAULT_PARALLEL, start);
                let results = stepped(&simulator, results.collect::<Vec<_>>()).await;
                for (domain, result) in &results {
                    let result = result.as_ref();
                    result.unwrap_or_else(|error| panic!("{effect:?} {method} {nth}: {error:?}"));
                    assert_eq!(power(&simulator, domain), PoweredOn);
                }
                assert_eq!(results.len(), 12);
                assert_eq!(simulator.load().tasks_begun, 12);
                settle().await;
                nothing_left(&simulator);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_domains_are_started_eight_at_a_time() {
    let (simulator, domains) = many(1000).await;
    simulator.stop_tasks();
    let results = bulk::run(domains, bulk::DEFAULT_PARALLEL, start);
    let results = stepped(&simulator, results.collect::<Vec<_>>()).await;
    assert_eq!(results.len(), 1000);
    for (domain, result) in &results {
        assert!(result.is_ok(), "{} {result:?}", domain.name());
        assert_eq!(power(&simulator, domain), PoweredOn);
    }
    let load = simulator.load();
    assert_eq!(load.tasks_begun, 1000);
    assert_eq!(load.most_tasks, 8, "{load:?}");
    assert_eq!(load.most_waits, 1, "{load:?}");
    settle().await;
    nothing_left(&simulator);
}

#[tokio::test(start_paused = true)]
async fn each_result_is_reported_as_soon_as_it_is_there() {
    let (simulator, mut domains) = many(5).await;
    simulator.script(
        Script::new("PowerOnVM_Task")
            .on(domains[0].moref())
            .steps(9),
    );
    simulator.script(
        Script::new("PowerOnVM_Task")
            .on(domains[1].moref())
            .asks(Asked::serial_port()),
    );
    simulator.remove_vm(domains[2].moref());
    let first = domains[0].name().to_owned();
    let names: Vec<_> = domains[..3]
        .iter()
        .map(|domain| domain.name().to_owned())
        .collect();
    let mut failed = Vec::new();
    let mut results = bulk::run(std::mem::take(&mut domains), 0, start);
    let mut count = 0;
    while let Some((domain, result)) = results.next().await {
        count += 1;
        if let Err(error) = result {
            failed.push((domain.name().to_owned(), error.kind()));
        }
    }
    assert_eq!(count, 5);
    assert_eq!(
        failed,
        [
            (names[1].clone(), ErrorKind::Blocked),
            (names[2].clone(), ErrorKind::NotFound(What::Domain))
        ],
        "{first}"
    );
    settle().await;
    nothing_left(&simulator);
}

#[tokio::test(start_paused = true)]
async fn whoever_gives_up_leaves_the_tasks_to_the_host() {
    let (simulator, domains) = many(3).await;
    simulator.stop_tasks();
    let results = bulk::run(domains, 8, start);
    let mut results = results.map(|(domain, _)| domain);
    assert!(begin(&mut results.next()).await.is_none());
    assert_eq!(simulator.load().tasks, 3);
    drop(results);
    settle().await;
    nothing_left(&simulator);
    while simulator.step_tasks() {}
    let connect = open(&simulator, "esx://esx.example.com/").await.unwrap();
    let list = connect
        .list_all_domains(DomainFilter::ACTIVE)
        .await
        .unwrap();
    let domains: Vec<_> = list.domains.into_iter().map(|entry| entry.domain).collect();
    assert_eq!(domains.len(), 3);
    simulator.clear_rules();
}

#[tokio::test(start_paused = true)]
async fn stopping_is_alike() {
    let (simulator, domains) = many(20).await;
    for domain in &domains {
        simulator.set_power_state(domain.moref(), PoweredOn);
    }
    let results = bulk::run(domains, 3, |domain| domain.destroy(DestroyFlags::NONE));
    let results: Vec<_> = results.collect().await;
    assert!(results.iter().all(|(_, result)| result.is_ok()));
    assert!(simulator.load().most_tasks <= 3);
}
