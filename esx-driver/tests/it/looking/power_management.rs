use esx_driver::{
    Domain, ErrorKind,
    virt_model::{DomainState, domain::PmSuspendTarget},
};
use esx_sim::{Script, Simulator};
use vi_types::{
    enums::VirtualMachinePowerState::{PoweredOff, PoweredOn},
    properties::VirtualMachine,
};

use crate::{host, methods, text};

async fn domain() -> (Simulator, Domain) {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    simulator.clear_requests();
    (simulator, domain)
}

#[tokio::test(start_paused = true)]
async fn to_standby_and_back() {
    let (simulator, domain) = domain().await;
    domain
        .pm_suspend_for_duration(PmSuspendTarget::Mem, 0, 0)
        .await
        .unwrap();
    assert_eq!(
        methods(&simulator),
        ["RetrievePropertiesEx", "StandbyGuest"]
    );
    assert_eq!(domain.state().await.unwrap().0, DomainState::Paused);
    simulator.clear_requests();
    simulator.script(Script::new("*").steps(1));
    domain.pm_wakeup(0).await.unwrap();
    let expected = [
        "RetrievePropertiesEx",
        "RetrievePropertiesEx",
        "PowerOnVM_Task",
        "RetrievePropertiesEx",
        "RetrievePropertiesEx",
    ];
    assert_eq!(methods(&simulator), expected);
    assert_eq!(domain.state().await.unwrap().0, DomainState::Running);
}

#[tokio::test]
async fn what_the_api_has_not() {
    let (simulator, domain) = domain().await;
    let suspend = |target, duration, flags| {
        let domain = domain.clone();
        async move {
            let suspended = domain
                .pm_suspend_for_duration(target, duration, flags)
                .await;
            text(suspended)
        }
    };
    for (target, duration, flags, expected) in [
        (
            PmSuspendTarget::Mem,
            5,
            0,
            "argument unsupported: Duration not supported. Use 0 for now",
        ),
        (
            PmSuspendTarget::Disk,
            0,
            0,
            "argument unsupported: Suspend-to-disk is not supported",
        ),
        (
            PmSuspendTarget::Hybrid,
            0,
            0,
            "argument unsupported: Hybrid suspend is not supported",
        ),
        (
            PmSuspendTarget::Hybrid,
            5,
            1,
            "unsupported flags (0x1) in function esxDomainPMSuspendForDuration",
        ),
    ] {
        assert_eq!(suspend(target, duration, flags).await, expected);
    }
    assert_eq!(methods(&simulator), <[String; 0]>::default());
}

#[tokio::test]
async fn in_other_states() {
    let (simulator, domain) = domain().await;
    let error = domain.pm_wakeup(0).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
    assert_eq!(
        error.to_string(),
        "Requested operation is not valid: domain is not in a suspended state"
    );
    simulator.set_power_state(domain.moref(), PoweredOff);
    let suspended = domain
        .pm_suspend_for_duration(PmSuspendTarget::Mem, 0, 0)
        .await;
    assert_eq!(
        text(suspended),
        "Requested operation is not valid: domain is not running"
    );
    assert_eq!(
        domain.pm_wakeup(0).await.unwrap_err().kind(),
        ErrorKind::WrongState
    );
    // A guest that sleeps on a machine that stays on.
    simulator.set_power_state(domain.moref(), PoweredOn);
    simulator.change(domain.moref(), |vm: &mut VirtualMachine| {
        vm.runtime.as_mut().unwrap().online_standby = Some(true);
    });
    let woken = domain.pm_wakeup(0).await;
    // The simulator's host takes it for a machine that is on already.
    assert_eq!(woken.unwrap_err().kind(), ErrorKind::Fault);
}

#[tokio::test]
async fn without_tools() {
    let (_simulator, connect) = host().await;
    let domain = connect.lookup_by_name("router").await.unwrap();
    let suspended = domain
        .pm_suspend_for_duration(PmSuspendTarget::Mem, 0, 0)
        .await;
    let error = suspended.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Fault);
    assert!(
        error
            .advice()
            .unwrap()
            .starts_with("VMware Tools do not run")
    );
}
