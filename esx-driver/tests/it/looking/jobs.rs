use esx_driver::{
    Connect, Domain, ErrorKind,
    virt_model::{
        JobStatsFlags,
        domain::{ControlState, DomainControlInfo, DomainJobInfo, JobOperation, JobType},
        flags::AbortJobFlags,
    },
};
use esx_sim::{Question, Script, Simulator};
use vi_types::{
    enums::VirtualMachineConnectionState, objects::FileLocked, properties::VirtualMachine,
};

use crate::{host, methods, text};

/// A domain whose snapshot task runs, as far as one step of it.
async fn busy(script: Script) -> (Simulator, Connect, Domain) {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    simulator.stop_tasks();
    simulator.script(script);
    let vm = vi_types::references::VirtualMachine::from(domain.moref().clone());
    let request = vm.create_snapshot_task("s", false, false);
    connect.client().call(&request).await.unwrap();
    simulator.step_tasks();
    simulator.clear_requests();
    (simulator, connect, domain)
}

fn snapshot() -> Script {
    Script::new("CreateSnapshot_Task").steps(3)
}

#[tokio::test]
async fn without_a_job() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    simulator.clear_requests();
    assert_eq!(domain.job_info().await.unwrap(), DomainJobInfo::default());
    let ok = DomainControlInfo::default();
    assert_eq!(domain.control_info().await.unwrap(), ok);
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"; 2]);
    let error = domain.abort_job(AbortJobFlags::NONE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongState);
    assert_eq!(
        error.to_string(),
        "Requested operation is not valid: no job is active on the domain"
    );
    let flags = AbortJobFlags::POSTCOPY;
    assert_eq!(
        text(domain.abort_job(flags).await),
        "unsupported flags (0x1) in function esxDomainAbortJobFlags"
    );
    let flags = JobStatsFlags::from_bits(8);
    assert_eq!(
        text(domain.job_stats(flags).await),
        "unsupported flags (0x8) in function esxDomainGetJobStats"
    );
}

#[tokio::test]
async fn a_job_that_runs() {
    let (simulator, _connect, domain) = busy(snapshot()).await;
    let job = domain.job_info().await.unwrap();
    // The machine with its tasks, and the server's time.
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx", "CurrentTime"]);
    assert_eq!(job.job_type, JobType::Unbounded);
    assert_eq!(job.operation, JobOperation::Snapshot);
    assert!(job.progress.is_some());
    let control = domain.control_info().await.unwrap();
    assert_eq!(control.state, ControlState::Job);
    let completed = domain.job_stats(JobStatsFlags::COMPLETED).await.unwrap();
    assert_eq!(completed, DomainJobInfo::default());
}

#[tokio::test]
async fn a_job_that_has_ended() {
    let (simulator, _connect, domain) = busy(snapshot()).await;
    while simulator.step_tasks() {}
    assert_eq!(domain.job_info().await.unwrap(), DomainJobInfo::default());
    simulator.clear_requests();
    let flags = JobStatsFlags::COMPLETED | JobStatsFlags::KEEP_COMPLETED;
    let job = domain.job_stats(flags).await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx"]);
    assert_eq!(job.job_type, JobType::Completed);
    assert_eq!(job.operation, JobOperation::Snapshot);
    // Reading it does not make the server forget it.
    assert_eq!(
        domain.job_stats(JobStatsFlags::COMPLETED).await.unwrap(),
        job
    );
}

#[tokio::test]
async fn a_job_that_has_failed() {
    let script = snapshot().fails(FileLocked::default(), "the file is locked");
    let (simulator, _connect, domain) = busy(script).await;
    while simulator.step_tasks() {}
    let job = domain.job_stats(JobStatsFlags::COMPLETED).await.unwrap();
    assert_eq!(job.job_type, JobType::Failed);
    assert_eq!(job.error.as_deref(), Some("the file is locked"));
}

#[tokio::test]
async fn a_job_that_is_cancelled() {
    let (simulator, _connect, domain) = busy(snapshot().cancelable(true)).await;
    domain.abort_job(AbortJobFlags::NONE).await.unwrap();
    assert_eq!(methods(&simulator), ["RetrievePropertiesEx", "CancelTask"]);
    while simulator.step_tasks() {}
    let job = domain.job_stats(JobStatsFlags::COMPLETED).await.unwrap();
    assert_eq!(job.job_type, JobType::Cancelled);
}

#[tokio::test]
async fn a_job_that_cannot_be_cancelled() {
    let (_simulator, _connect, domain) = busy(snapshot()).await;
    let error = domain.abort_job(AbortJobFlags::NONE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Fault);
    assert!(
        error
            .advice()
            .unwrap()
            .starts_with("the host cannot cancel")
    );
}

#[tokio::test]
async fn what_is_in_the_way() {
    let (simulator, connect) = host().await;
    let domain = connect.lookup_by_name("web01").await.unwrap();
    simulator.ask(domain.moref(), Question::moved_or_copied());
    let control = domain.control_info().await.unwrap();
    assert_eq!(control.state, ControlState::Occupied);
    simulator.change(domain.moref(), |vm: &mut VirtualMachine| {
        let runtime = vm.runtime.as_mut().unwrap();
        runtime.connection_state = VirtualMachineConnectionState::Disconnected;
    });
    let control = domain.control_info().await.unwrap();
    assert_eq!(control.state, ControlState::Error);
    let off = connect.lookup_by_name("installer").await.unwrap();
    assert_eq!(
        text(off.control_info().await),
        "Requested operation is not valid: domain is not running"
    );
}
