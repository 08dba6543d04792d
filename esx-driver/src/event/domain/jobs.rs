//! Events of jobs that ended.

use vi_client::property_set;
use vi_types::ManagedObjectReference;
use virt_model::domain::{DomainJobInfo, JobType};
use virt_model::{ParamValue, TypedParam};

use super::DomainEventDetail;

property_set! {
    /// Whose task it is.
    pub(super) struct Subject: Task {
        pub(super) entity: Option<ManagedObjectReference> = info.entity,
    }
}

/// The event of a job that ended.
pub(super) fn event(job: DomainJobInfo) -> DomainEventDetail {
    let param = |field: &str, value: ParamValue| TypedParam::new(field, value);
    let is_done = job.job_type == JobType::Completed;
    let mut params = vec![
        param("operation", (job.operation as i32).into()),
        param("time_elapsed", job.time_elapsed.into()),
        param("success", is_done.into()),
    ];
    params.extend(job.error.map(|error| param("errmsg", error.into())));
    DomainEventDetail::JobCompleted { params }
}
