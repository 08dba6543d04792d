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

#[tokio::test]
async fn a_power_cycle() {
    println!("{:#?}", power_cycle(Script::new("*").steps(1)).await);
    println!("{:#?}", power_cycle(Script::new("*")).await);
}
