//! What can be done to a domain, in which state, with which words.

use std::time::Duration;

use esx_driver::{
    AutostartSettings, CreateFlags, DestroyFlags, ErrorKind, ProgressState, RebootFlags,
    ShutdownFlags, What,
};
use esx_sim::Script;
use vi_types::{
    enums::VirtualMachinePowerState::{self, PoweredOff, PoweredOn, Suspended},
    objects::{InvalidPowerState, ToolsUnavailable},
    properties::HostAutoStartManager,
};

use super::*;
use crate::text;

/// What comes of something that is done to a domain in each power state: the next power state, or the error.
async fn check(
    act: impl Fn(&Domain) -> Operation<'static>,
    expected: [Result<VirtualMachinePowerState, &str>; 3],
) {
    for (from, expected) in [PoweredOff, PoweredOn, Suspended].into_iter().zip(expected) {
        let (simulator, domain) = in_state("", from.clone()).await;
        let result = act(&domain).await;
        let result = result
            .map(|()| power(&simulator, &domain))
            .map_err(|error| error.to_string());
        assert_eq!(result, expected.map_err(str::to_owned), "from {from}");
        settle().await;
        nothing_left(&simulator);
    }
}

const NOT_ON: Result<VirtualMachinePowerState, &str> =
    Err("Requested operation is not valid: Domain is not powered on");

#[tokio::test]
async fn every_power_state() {
    let not_off = "Requested operation is not valid: Domain is not powered off";
    let not_suspended = "Requested operation is not valid: Domain is not suspended";
    check(start, [Ok(PoweredOn), Err(not_off), Err(not_off)]).await;
    check(
        |domain| domain.destroy(DestroyFlags::NONE),
        [NOT_ON, Ok(PoweredOff), NOT_ON],
    )
    .await;
    check(Domain::suspend, [NOT_ON, Ok(Suspended), NOT_ON]).await;
    check(
        Domain::resume,
        [Err(not_suspended), Err(not_suspended), Ok(PoweredOn)],
    )
    .await;
    check(Domain::reset, [NOT_ON, Ok(PoweredOn), NOT_ON]).await;
    check(
        |domain| domain.shutdown(ShutdownFlags::NONE),
        [NOT_ON, Ok(PoweredOff), NOT_ON],
    )
    .await;
    check(
        |domain| domain.reboot(RebootFlags::NONE),
        [NOT_ON, Ok(PoweredOn), NOT_ON],
    )
    .await;
}

#[tokio::test]
async fn no_flags_are_supported() {
    let (simulator, domain) = off("").await;
    for (operation, expected) in [
        (
            domain.create(CreateFlags::PAUSED | CreateFlags::FORCE_BOOT),
            "unsupported flags (0x9) in function esxDomainCreateWithFlags",
        ),
        (
            domain.destroy(DestroyFlags::GRACEFUL),
            "unsupported flags (0x1) in function esxDomainDestroyFlags",
        ),
        (
            domain.shutdown(ShutdownFlags::GUEST_AGENT),
            "unsupported flags (0x2) in function esxDomainShutdownFlags",
        ),
        (
            domain.reboot(RebootFlags::from_bits(4)),
            "unsupported flags (0x4) in function esxDomainReboot",
        ),
    ] {
        let error = operation.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnsupportedFlags);
        assert_eq!(error.to_string(), expected);
    }
    assert!(crate::methods(&simulator).is_empty());
}

#[tokio::test]
async fn nothing_is_sent_before_it_is_awaited() {
    let (simulator, domain) = off("").await;
    drop(start(&domain));
    drop(start(&domain).into_future());
    settle().await;
    assert!(crate::methods(&simulator).is_empty());
}

#[tokio::test]
async fn a_failed_task_keeps_its_fault() {
    let fault = InvalidPowerState {
        existing_state: PoweredOn,
        requested_state: Some(PoweredOn),
        ..InvalidPowerState::default()
    };
    let script =
        Script::new("PowerOnVM_Task").fails(fault, "The attempted operation is not possible.");
    let (_, _, result) = started("", script).await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TaskFailed);
    assert_eq!(
        error.to_string(),
        "internal error: Could not start domain: InvalidPowerState - The attempted operation is not possible."
    );
    let fault = error.fault().unwrap().cast::<InvalidPowerState>().unwrap();
    assert_eq!(fault.existing_state, PoweredOn);
}

#[tokio::test]
async fn guests_without_tools_are_not_shut_down() {
    let (simulator, domain) = on("").await;
    simulator.change(domain.moref(), |vm: &mut VirtualMachine| {
        let guest = vm.guest.as_deref_mut().unwrap();
        guest.tools_running_status = Some("guestToolsNotRunning".to_owned());
    });
    let error = domain.shutdown(ShutdownFlags::NONE).await.unwrap_err();
    assert!(error.fault().unwrap().is::<ToolsUnavailable>());
    assert!(
        error.to_string().starts_with(
            "internal error: HTTP response code 500 for call to 'ShutdownGuest'. Fault: ServerFaultCode - "
        ),
        "{error}"
    );
    assert_eq!(
        error.advice(),
        Some("VMware Tools do not run in the guest; destroy stops a domain without them")
    );
}

#[tokio::test]
async fn a_domain_that_is_gone() {
    let (simulator, domain) = off("").await;
    simulator.remove_vm(domain.moref());
    let error = start(&domain).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Domain));
    let error = domain.shutdown(ShutdownFlags::NONE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound(What::Domain));
}

#[tokio::test]
async fn progress_is_told_as_it_comes() {
    let (simulator, domain) = off("").await;
    simulator.script(Script::new("PowerOnVM_Task").steps(4));
    let seen = std::sync::Mutex::new(Vec::new());
    start(&domain)
        .on_progress(|progress| {
            seen.lock()
                .unwrap()
                .push((progress.state, progress.percent))
        })
        .await
        .unwrap();
    let running = |percent| (ProgressState::Running, Some(percent));
    assert_eq!(
        *seen.lock().unwrap(),
        [
            (ProgressState::Queued, None),
            running(0),
            running(25),
            running(50),
            running(75)
        ]
    );
    settle().await;
    nothing_left(&simulator);
}

#[tokio::test(start_paused = true)]
async fn a_deadline_leaves_the_task_to_the_host() {
    let (simulator, domain) = off("").await;
    simulator.stop_tasks();
    let begun = tokio::time::Instant::now();
    let error = start(&domain)
        .deadline(Duration::from_secs(90))
        .await
        .unwrap_err();
    assert_eq!(begun.elapsed().as_secs(), 90);
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(
        error.to_string(),
        "Timed out during operation: Could not start domain: the task did not finish within 90 s"
    );
    assert!(error.outcome().unwrap().ends_with("goes on"), "{error:?}");
    settle().await;
    nothing_left(&simulator);
    while simulator.step_tasks() {}
    assert_eq!(power(&simulator, &domain), PoweredOn);
}

/// What a start comes to that is cancelled while it runs.
async fn cancelled(script: Script) -> String {
    let (simulator, domain) = off("").await;
    simulator.stop_tasks();
    simulator.script(script);
    let (cancel, cancelled) = tokio::sync::oneshot::channel::<()>();
    let mut starting = start(&domain)
        .cancelled_by(async {
            let _ = cancelled.await;
        })
        .into_future();
    assert!(begin(&mut starting).await.is_none());
    simulator.step_tasks();
    assert!(begin(&mut starting).await.is_none());
    cancel.send(()).unwrap();
    let error = starting.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    settle().await;
    nothing_left(&simulator);
    error.to_string()
}

#[tokio::test(start_paused = true)]
async fn the_caller_may_cancel() {
    assert_eq!(
        cancelled(Script::new("*").cancelable(true)).await,
        "operation aborted: Could not start domain: it was cancelled: RequestCanceled - The request was canceled by a user."
    );
    assert_eq!(
        cancelled(Script::new("*")).await,
        "operation aborted: Could not start domain: it cannot be cancelled, and goes on"
    );
    let (simulator, domain) = off("").await;
    let error = start(&domain).cancelled_by(async {}).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "operation aborted: Could not start domain: it was cancelled before anything was started"
    );
    assert_eq!(calls(&simulator, "PowerOnVM_Task"), 0);
}

#[tokio::test]
async fn autostart() {
    let (simulator, domain) = on("").await;
    let manager = simulator.objects("HostAutoStartManager").remove(0);
    let set_up = |enabled: bool, others: bool| {
        simulator.change(&manager, |manager: &mut HostAutoStartManager| {
            let config = manager.config.as_deref_mut().unwrap();
            config.defaults.as_deref_mut().unwrap().enabled = Some(enabled);
            if !others {
                config.power_info.clear();
            }
        });
    };
    set_up(false, false);
    domain.set_autostart(true).await.unwrap();
    assert!(domain.autostart().await.unwrap());
    let settings = domain.autostart_settings().await.unwrap();
    assert_eq!(settings, AutostartSettings::new(true));
    let second = domain.connect().lookup_by_name("db01").await.unwrap();
    let mut wanted = AutostartSettings::new(true);
    wanted.start_order = Some(2);
    wanted.start_delay = Some(Duration::from_secs(30));
    wanted.stop_delay = Some(Duration::from_secs(20));
    second.set_autostart_settings(wanted.clone()).await.unwrap();
    assert_eq!(second.autostart_settings().await.unwrap(), wanted);
    second.set_autostart(false).await.unwrap();
    assert!(!second.autostart().await.unwrap());

    // What others have would begin to count.
    set_up(false, true);
    let result = domain.set_autostart(true).await;
    assert_eq!(
        text(result),
        "Requested operation is not valid: Cannot enable general autostart option without affecting other domains"
    );
    domain.set_autostart(false).await.unwrap();
    assert!(!domain.autostart().await.unwrap());
}
