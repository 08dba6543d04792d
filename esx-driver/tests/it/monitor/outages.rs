//! Servers that are lost and come back.

use esx_driver::MonitorConnection;
use esx_sim::{Effect, Rule};

use super::*;

/// Bytes that web01 has received.
fn received(snapshot: &MonitorSnapshot) -> u64 {
    domain(snapshot, "web01").interfaces[0].rx_bytes.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_lost_server_comes_back() {
    let simulator = Simulator::esx().build();
    let (_, monitor) = monitor_of(&simulator, MonitorOptions::default()).await;
    let before = polled(&simulator, &monitor).await;
    assert!(received(&before) > 0);
    simulator.inject(Rule::new("*", Effect::DropBefore));
    let mut snapshot = before.clone();
    while snapshot.connection.error().is_none() {
        snapshot = monitor.changed(snapshot.number).await.unwrap();
    }
    let MonitorConnection::Lost { since, .. } = snapshot.connection else {
        unreachable!()
    };
    // What was known is still there, and says how old it is.
    assert_eq!(snapshot.domains.len(), 7);
    assert_eq!(received(&snapshot), received(&before));
    assert!(snapshot.age(since + Duration::from_secs(60)).unwrap() >= Duration::from_secs(60));
    // It changes meanwhile.
    let db = simulator.vm("db01").unwrap();
    simulator.set_power_state(&db, VirtualMachinePowerState::PoweredOff);
    assert!(simulator.remove_vm(&simulator.vm("router").unwrap()));
    simulator.advance_clock(Duration::from_secs(100));
    simulator.clear_rules();
    while snapshot.connection.error().is_some() || snapshot.domains.len() == 7 {
        snapshot = monitor.changed(snapshot.number).await.unwrap();
    }
    let snapshot = polled(&simulator, &monitor).await;
    assert_eq!(states(&snapshot)[1], "db01 shutoff");
    assert_eq!(snapshot.domains.len(), 6);
    // The samples of the outage are there.
    let web = domain(&snapshot, "web01");
    assert_eq!(
        web.sampled.as_ref().unwrap().epoch_seconds().unwrap(),
        NOON + 140
    );
    let mean = received(&snapshot) / 7;
    let first = received(&before);
    assert!((first / 10..first * 10).contains(&mean), "{mean} {first}");
    monitor.close().await;
}

#[tokio::test(start_paused = true)]
async fn sessions_and_restarts() {
    let simulator = Simulator::vcenter().build();
    let (_, monitor) = monitor_of(&simulator, MonitorOptions::default()).await;
    let first = polled(&simulator, &monitor).await;
    let mut total = received(&first);
    for lose in [Simulator::expire_sessions, Simulator::restart] {
        lose(&simulator);
        let snapshot = polled(&simulator, &monitor).await;
        let web = simulator.vm("web01").unwrap();
        simulator.set_power_state(&web, VirtualMachinePowerState::Suspended);
        let mut next = monitor.changed(snapshot.number).await.unwrap();
        while domain(&next, "web01").state != esx_driver::virt_model::DomainState::Paused {
            next = monitor.changed(next.number).await.unwrap();
        }
        assert!(received(&next) >= total);
        total = received(&next);
        simulator.set_power_state(&web, VirtualMachinePowerState::PoweredOn);
        let next = polled(&simulator, &monitor).await;
        assert!(next.connection.error().is_none());
    }
    monitor.close().await;
    assert_eq!(simulator.leftovers(), []);
}
