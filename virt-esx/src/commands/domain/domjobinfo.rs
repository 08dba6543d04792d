use serde::Serialize;
use virt_model::JobStatsFlags;
use virt_model::domain::{DomainJobInfo, JobOperation, JobType};

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// domain job information
///
/// Returns information about jobs running on a domain: the host's tasks. The host forgets a completed one after some
/// minutes, whether or not it was read.
#[derive(Debug, clap::Args)]
pub(crate) struct Domjobinfo {
    #[command(flatten)]
    domain: DomainArg,

    /// return statistics of a recently completed job
    #[arg(long)]
    completed: bool,

    /// don't destroy statistics of a recently completed job when reading
    #[arg(long)]
    keep_completed: bool,

    /// print statistics for any kind of job (even failed ones)
    #[arg(long)]
    anystats: bool,

    /// print the raw data returned by libvirt
    #[arg(long)]
    rawstats: bool,
}

/// A domain's job.
#[derive(Debug, Serialize)]
pub(crate) struct Job {
    domain: String,
    /// `none`, `unbounded`, `completed`, `failed` or `cancelled`.
    #[serde(rename = "type", serialize_with = "lower")]
    kind: &'static str,
    #[serde(serialize_with = "lower")]
    operation: &'static str,
    time_elapsed_ms: u64,
    progress_percent: Option<u8>,
    error: Option<String>,

    #[serde(skip)]
    info: DomainJobInfo,
    #[serde(skip)]
    shown: Shown,
}

/// What the text shows.
#[derive(Debug, Clone, Copy)]
struct Shown {
    is_completed: bool,
    any: bool,
    raw: bool,
}

impl Query for Domjobinfo {
    type Answer = Job;

    fn check(&self) -> Result<(), Failure> {
        if self.keep_completed && !self.completed {
            let line = "Option --completed is required by option --keep-completed";
            return Err(Failure::new(line));
        }
        Ok(())
    }

    async fn ask(self, connection: &Connection) -> Result<Job, Failure> {
        let domain = self.domain.find(connection).await?;
        let flags = [
            (self.completed, JobStatsFlags::COMPLETED),
            (self.keep_completed, JobStatsFlags::KEEP_COMPLETED),
        ];
        let flags = options::flags(JobStatsFlags::NONE, flags);
        let info = domain.job_stats(flags).await?;
        let shown = Shown {
            is_completed: self.completed,
            any: self.anystats,
            raw: self.rawstats,
        };
        Ok(Job::new(domain.name(), info, shown))
    }
}

impl Job {
    fn new(domain: &str, info: DomainJobInfo, shown: Shown) -> Self {
        Self {
            domain: domain.to_owned(),
            kind: kind(info.job_type),
            operation: operation(info.operation),
            time_elapsed_ms: info.time_elapsed,
            progress_percent: info.progress,
            error: info.error.clone(),
            info,
            shown,
        }
    }
}

impl Answer for Job {
    const SCHEMA: &'static str = "virt-esx/domain-job/1";

    fn text(&self, _quiet: bool) -> String {
        let is_none = self.info.job_type == JobType::None;
        if self.shown.raw {
            let mut text = format!("Job type: {}\n\n", self.info.job_type as u32);
            if !is_none {
                text += &format!("operation: {}\n", self.info.operation as u32);
                text += &format!("time_elapsed: {}\n", self.info.time_elapsed);
                let error = self.error.iter();
                text.extend(error.map(|error| format!("errmsg: {}\n", foreign::line(error))));
            }
            return text;
        }
        let mut text = format!("{:<17} {:<12}\n", "Job type:", self.kind);
        let is_shown = match self.info.job_type {
            JobType::Bounded | JobType::Unbounded => true,
            JobType::Completed => self.shown.is_completed || self.shown.any,
            JobType::None => false,
            _ => self.shown.any,
        };
        if is_shown {
            text += &format!("{:<17} {:<12}\n", "Operation:", self.operation);
            text += &format!(
                "{:<17} {:<12} ms\n",
                "Time elapsed:", self.info.time_elapsed
            );
            let error = self.error.iter();
            text.extend(error.map(|error| format!("{:<17} {error}\n", "Error message:")));
        }
        text
    }
}

/// virsh's word.
fn kind(job_type: JobType) -> &'static str {
    match job_type {
        JobType::Bounded => "Bounded",
        JobType::Unbounded => "Unbounded",
        JobType::Completed => "Completed",
        JobType::Failed => "Failed",
        JobType::Cancelled => "Cancelled",
        _ => "None",
    }
}

/// virsh's words.
fn operation(operation: JobOperation) -> &'static str {
    match operation {
        JobOperation::Start => "Start",
        JobOperation::Save => "Save",
        JobOperation::Restore => "Restore",
        JobOperation::MigrationIn => "Incoming migration",
        JobOperation::MigrationOut => "Outgoing migration",
        JobOperation::Snapshot => "Snapshot",
        JobOperation::SnapshotRevert => "Snapshot revert",
        JobOperation::Dump => "Dump",
        JobOperation::Backup => "Backup",
        JobOperation::SnapshotDelete => "Snapshot delete",
        _ => "Unknown",
    }
}

fn lower<S: serde::Serializer>(word: &&'static str, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&word.to_lowercase())
}

#[cfg(test)]
mod tests {
    use virt_model::domain::{DomainJobInfo, JobOperation, JobType};

    use super::{Job, Shown};
    use crate::answer::Answer as _;

    /// The text of a job; `options` are those of the command line.
    fn text(job_type: JobType, options: &str) -> String {
        let info = DomainJobInfo {
            job_type,
            operation: JobOperation::Snapshot,
            time_elapsed: 1234,
            progress: Some(40),
            error: (job_type == JobType::Failed).then(|| "disk full".to_owned()),
        };
        let shown = Shown {
            is_completed: options.contains("--completed"),
            any: options.contains("--anystats"),
            raw: options.contains("--rawstats"),
        };
        Job::new("web", info, shown).text(false)
    }

    #[test]
    fn jobs() {
        let more = "Operation:        Snapshot    \nTime elapsed:     1234         ms\n";
        let of = |word: &str, more: &str| format!("Job type:         {word:<12}\n{more}");
        assert_eq!(text(JobType::None, ""), of("None", ""));
        assert_eq!(text(JobType::Unbounded, ""), of("Unbounded", more));
        assert_eq!(
            text(JobType::Completed, "--completed"),
            of("Completed", more)
        );
        assert_eq!(text(JobType::Failed, "--completed"), of("Failed", ""));
        let failed = format!("{more}Error message:    disk full\n");
        let options = "--completed --anystats";
        assert_eq!(text(JobType::Failed, options), of("Failed", &failed));
        assert_eq!(text(JobType::Cancelled, options), of("Cancelled", more));
    }

    #[test]
    fn raw() {
        assert_eq!(text(JobType::None, "--rawstats"), "Job type: 0\n\n");
        let expected = "Job type: 5\n\noperation: 6\ntime_elapsed: 1234\n";
        assert_eq!(text(JobType::Cancelled, "--rawstats"), expected);
    }
}
