//! Events of questions, and of what they say about disks.

use vi_client::property_set;
use vi_types::objects::VirtualMachineQuestionInfo;
use virt_model::event::IoErrorAction;

use super::devices::Devices;
use super::{DomainEventDetail, QuestionEvent};
use crate::domain::{OUT_OF_SPACE, disk_problem, is_about};
use crate::question::Question;

property_set! {
    pub(super) struct Asked: VirtualMachine {
        pub(super) question: Option<VirtualMachineQuestionInfo> = runtime.question,
    }
}

/// The events that lead from one question to another, or none.
pub(super) fn events(
    before: Option<&VirtualMachineQuestionInfo>,
    now: Option<&VirtualMachineQuestionInfo>,
    devices: Option<&Devices>,
) -> Vec<DomainEventDetail> {
    let id = |question: Option<&VirtualMachineQuestionInfo>| question.map(|it| it.id.clone());
    let mut events = Vec::new();
    if id(before) == id(now) {
        return events;
    }
    if let Some(question) = before {
        let answered = QuestionEvent::Answered(Question::from(question.clone()));
        events.push(DomainEventDetail::Question(answered));
    }
    if let Some(question) = now {
        let raised = QuestionEvent::Raised(Question::from(question.clone()));
        events.push(DomainEventDetail::Question(raised));
        if let Some(problem) = disk_problem(question) {
            events.extend(io_error(question, problem, devices));
        }
    }
    events
}

/// The events of a disk's failure, for which the host has stopped the guest until the question is answered.
fn io_error(
    question: &VirtualMachineQuestionInfo,
    problem: &str,
    devices: Option<&Devices>,
) -> [DomainEventDetail; 2] {
    let mut disks = devices.into_iter().flat_map(Devices::disks);
    let disk = disks.find(|(_, file)| is_about(question, file));
    let (alias, path) = disk
        .map(|(alias, file)| (alias, file.to_owned()))
        .unwrap_or_default();
    failed(path, alias, IoErrorAction::Pause, disk_reason(problem))
}

/// libvirt's word for a problem with a disk (qemuMonitorJSONHandleIOError of 9.0.0), or the host's.
pub(super) fn disk_reason(problem: &str) -> &str {
    match problem {
        OUT_OF_SPACE => "enospc",
        other => other,
    }
}

/// The two events of a disk's failure.
pub(super) fn failed(
    path: String,
    alias: String,
    action: IoErrorAction,
    reason: &str,
) -> [DomainEventDetail; 2] {
    [
        DomainEventDetail::IoError {
            path: path.clone(),
            alias: alias.clone(),
            action,
        },
        DomainEventDetail::IoErrorReason {
            path,
            alias,
            action,
            reason: reason.to_owned(),
        },
    ]
}
