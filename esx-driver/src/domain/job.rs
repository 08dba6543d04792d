//! Jobs: the tasks of a domain that run or have ended a short time ago.

use std::cmp::Reverse;

use vi_client::property_set;
use vi_client::retrieve::{ObjectProperties, PropertySet as _, Retrieve, Selection};
use vi_types::enums::{TaskInfoState, VirtualMachineConnectionState, VirtualMachinePowerState};
use vi_types::objects::{LocalizedMethodFault, RequestCanceled, VirtualMachineQuestionInfo};
use vi_types::properties::VirtualMachine;
use vi_types::{DateTime, ManagedObjectReference, references};
use virt_model::domain::{ControlState, DomainControlInfo, DomainJobInfo, JobOperation, JobType};
use virt_model::flags::{AbortJobFlags, refuse_unknown};
use virt_model::{ErrorNumber, JobStatsFlags};

use super::{Domain, no_domain_with_uuid, not_running};
use crate::engine::{Change, Effect};
use crate::{Error, ErrorKind, Operation, Result};

property_set! {
    struct Control: VirtualMachine {
        power_state: VirtualMachinePowerState = runtime.power_state,
        connection: Option<VirtualMachineConnectionState> = runtime.connection_state,
        question: Option<VirtualMachineQuestionInfo> = runtime.question,
    }
}

property_set! {
    /// A task, as a job.
    pub(crate) struct Job: Task {
        state: Option<TaskInfoState> = info.state,
        name: Option<String> = info.name,
        description_id: Option<String> = info.description_id,
        is_cancelled: Option<bool> = info.cancelled,
        error: Option<LocalizedMethodFault> = info.error,
        progress: Option<i32> = info.progress,
        queued: Option<DateTime> = info.queue_time,
        started: Option<DateTime> = info.start_time,
        pub(crate) completed: Option<DateTime> = info.complete_time,
    }
}

property_set! {
    struct TaskState: Task {
        state: Option<TaskInfoState> = info.state,
    }
}

impl Domain {
    /// The job that runs on the domain. Without one its type is [`JobType::None`].
    ///
    /// One request, and one for the server's time if a job runs. The API knows neither bytes nor the end of a task, so a
    /// job is [unbounded](JobType::Unbounded); its progress in percent is libvirt's only in spirit. (libvirt's ESX driver
    /// has no such function.)
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such virtual machine any more.
    #[doc(alias = "virDomainGetJobInfo")]
    pub async fn job_info(&self) -> Result<DomainJobInfo> {
        self.job_stats(JobStatsFlags::NONE).await
    }

    /// The job that runs on the domain, or with [`COMPLETED`](JobStatsFlags::COMPLETED) the last one that has ended. The
    /// server keeps ended tasks for some minutes, also after they were read, so
    /// [`KEEP_COMPLETED`](JobStatsFlags::KEEP_COMPLETED) changes nothing.
    ///
    /// # Errors
    /// As [`job_info`](Domain::job_info).
    #[doc(alias = "virDomainGetJobStats")]
    pub async fn job_stats(&self, flags: JobStatsFlags) -> Result<DomainJobInfo> {
        let known = JobStatsFlags::COMPLETED | JobStatsFlags::KEEP_COMPLETED;
        refuse_unknown(flags, known, "esxDomainGetJobStats")?;
        let (_, jobs) = self.jobs().await?;
        if flags.contains(JobStatsFlags::COMPLETED) {
            let ended = jobs.into_iter().filter(|(_, job)| !job.is_pending());
            let last = ended.max_by_key(|(_, job)| job.completed.as_ref().map(millis));
            return Ok(last.map(|(_, job)| job.result()).unwrap_or_default());
        }
        match first_pending(jobs) {
            Some((_, job)) => {
                let now = self.connect.server_time().await?;
                Ok(job.info(Some(&now)))
            }
            None => Ok(DomainJobInfo::default()),
        }
    }

    /// Cancels the job that runs on the domain. The operation is done when the server has been asked; the task may go on
    /// for a while. (libvirt's ESX driver has no such function.)
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if no job runs; [`ErrorKind::Fault`] if the task cannot be cancelled;
    /// [`ErrorKind::UnsupportedFlags`] for any flag.
    #[doc(alias = "virDomainAbortJob")]
    #[doc(alias = "virDomainAbortJobFlags")]
    pub fn abort_job(&self, flags: AbortJobFlags) -> Operation<'static> {
        let domain = self.clone();
        Operation::new("Could not abort job", move |mut runner| {
            Box::pin(async move {
                refuse_unknown(flags, AbortJobFlags::NONE, "esxDomainAbortJobFlags")?;
                let (_, jobs) = runner.prepare(domain.jobs()).await?;
                let Some((task, _)) = first_pending(jobs) else {
                    // qemuDomainAbortJobFlags of libvirt 9.0.0.
                    let message = "no job is active on the domain";
                    let number = ErrorNumber::OperationInvalid;
                    return Err(Error::new(ErrorKind::WrongState, number, message));
                };
                let client = domain.connect.client();
                let request = references::Task::from(task.clone()).cancel_task();
                let change = Change::call(client, request).verified_by({
                    let domain = domain.clone();
                    move || Box::pin(domain.clone().end_of(task.clone()))
                });
                let asked = runner.perform(change).await;
                asked.map_err(|error| match error.kind() {
                    ErrorKind::Fault => {
                        error.advise("the host cannot cancel tasks of every kind, such as power-on")
                    }
                    _ => error,
                })
            })
        })
    }

    /// Whether something else can be done with the active domain: whether a job runs, a question waits, or the host has
    /// lost its connection. One request, and one for the server's time if a job runs. (libvirt's ESX driver has no such
    /// function.)
    ///
    /// # Errors
    /// [`ErrorKind::WrongState`] if the domain is off.
    #[doc(alias = "virDomainGetControlInfo")]
    pub async fn control_info(&self) -> Result<DomainControlInfo> {
        let (control, jobs) = self.jobs().await?;
        if control.power_state == VirtualMachinePowerState::PoweredOff {
            return Err(not_running());
        }
        let is_lost = |connection| connection != VirtualMachineConnectionState::Connected;
        let mut info = DomainControlInfo::default();
        if control.connection.is_some_and(is_lost) {
            info.state = ControlState::Error;
        } else if control.question.is_some() {
            info.state = ControlState::Occupied;
        } else if let Some((_, job)) = first_pending(jobs) {
            let now = self.connect.server_time().await?;
            info.state = ControlState::Job;
            info.state_time = job.info(Some(&now)).time_elapsed;
        }
        Ok(info)
    }

    /// What hinders the domain, and its recent tasks: one request.
    async fn jobs(&self) -> Result<(Control, Vec<(ManagedObjectReference, Job)>)> {
        let request = Retrieve::from(&self.moref)
            .select(Selection::along(|vm: &VirtualMachine| &vm.base.recent_task))
            .set::<Control>()
            .set::<Job>();
        let gone = || no_domain_with_uuid(self.uuid);
        let found = match self.connect.client().retrieve(&request).await {
            Err(error) if error.is_not_found() => return Err(gone()),
            found => found?,
        };
        let mut control = None;
        let mut jobs = Vec::new();
        for mut found in found {
            if found.object == self.moref {
                control = Some(Control::from_properties(&mut found));
            } else {
                jobs.push(job(found)?);
            }
        }
        let control = control.ok_or_else(gone)?.map_err(Error::missing_property)?;
        Ok((control, jobs))
    }

    /// Whether a task has ended.
    async fn end_of(self, task: ManagedObjectReference) -> Result<Effect<()>> {
        let found = self.connect.client().read_opt::<TaskState>(&task).await?;
        Ok(match found.and_then(|found| found.state) {
            Some(TaskInfoState::Queued | TaskInfoState::Running) => Effect::Unknown,
            _ => Effect::Done(()),
        })
    }
}

impl Job {
    /// Whether it is not over.
    pub(crate) fn is_pending(&self) -> bool {
        matches!(
            self.state,
            Some(TaskInfoState::Queued | TaskInfoState::Running)
        )
    }

    /// What libvirt says of the task that is over.
    pub(crate) fn result(&self) -> DomainJobInfo {
        self.info(self.completed.as_ref())
    }

    /// What libvirt says of the task that has run until that time.
    fn info(&self, until: Option<&DateTime>) -> DomainJobInfo {
        let error = self.error.as_ref();
        let was_cancelled = self.is_cancelled == Some(true)
            || error.is_some_and(|error| error.fault.is::<RequestCanceled>());
        let job_type = match self.state {
            Some(TaskInfoState::Queued | TaskInfoState::Running) => JobType::Unbounded,
            Some(TaskInfoState::Success) => JobType::Completed,
            _ if was_cancelled => JobType::Cancelled,
            _ => JobType::Failed,
        };
        let begun = self.started.as_ref().or(self.queued.as_ref());
        let elapsed = begun
            .zip(until)
            .map(|(begun, until)| millis(until).saturating_sub(millis(begun)));
        let names = [&self.name, &self.description_id];
        let names = names.into_iter().filter_map(|name| name.as_deref());
        DomainJobInfo {
            job_type,
            operation: operation(names),
            time_elapsed: elapsed
                .and_then(|elapsed| u64::try_from(elapsed).ok())
                .unwrap_or(0),
            progress: self.progress.and_then(|percent| u8::try_from(percent).ok()),
            error: error.map(message).filter(|text| !text.is_empty()),
        }
    }
}

fn job(mut found: ObjectProperties) -> Result<(ManagedObjectReference, Job)> {
    let job = Job::from_properties(&mut found).map_err(Error::missing_property)?;
    Ok((found.object, job))
}

/// The task that runs, or else the one that waits for the longest time.
fn first_pending(
    jobs: Vec<(ManagedObjectReference, Job)>,
) -> Option<(ManagedObjectReference, Job)> {
    let pending = jobs.into_iter().filter(|(_, job)| job.is_pending());
    pending.min_by_key(|(_, job)| {
        let is_running = job.state == Some(TaskInfoState::Running);
        (Reverse(is_running), job.queued.as_ref().map(millis))
    })
}

/// What a task does, by the name of its method (`PowerOnVM_Task`) or its description (`VirtualMachine.powerOn`).
fn operation<'a>(names: impl Iterator<Item = &'a str>) -> JobOperation {
    let known = [
        ("poweron", JobOperation::Start),
        ("suspend", JobOperation::Save),
        ("createsnapshot", JobOperation::Snapshot),
        ("createsnapshotex", JobOperation::Snapshot),
        ("reverttosnapshot", JobOperation::SnapshotRevert),
        ("reverttocurrentsnapshot", JobOperation::SnapshotRevert),
        ("revert", JobOperation::SnapshotRevert),
        ("removesnapshot", JobOperation::SnapshotDelete),
        ("removeallsnapshots", JobOperation::SnapshotDelete),
        ("remove", JobOperation::SnapshotDelete),
        ("migrate", JobOperation::MigrationOut),
        ("relocate", JobOperation::MigrationOut),
    ];
    let verb = |text: &str| {
        let text = text.rsplit('.').next().unwrap_or_default();
        let text = text.strip_suffix("_Task").unwrap_or(text);
        text.strip_suffix("VM").unwrap_or(text).to_lowercase()
    };
    let mut found = names.filter_map(|name| {
        let verb = verb(name);
        known
            .iter()
            .find_map(|(known, operation)| (*known == verb).then_some(*operation))
    });
    found.next().unwrap_or_default()
}

fn message(error: &LocalizedMethodFault) -> String {
    error.localized_message.clone().unwrap_or_default()
}

/// Milliseconds since the epoch; 0 if the server's text is no date.
fn millis(time: &DateTime) -> i64 {
    let fraction = i64::from(time.subsecond_nanoseconds() / 1_000_000);
    time.epoch_seconds()
        .unwrap_or_default()
        .saturating_mul(1000)
        .saturating_add(fraction)
}
