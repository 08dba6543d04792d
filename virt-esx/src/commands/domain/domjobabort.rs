use serde::Serialize;
use virt_model::flags::AbortJobFlags;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::connection::Connection;
use crate::failure::Failure;

/// abort active domain job
///
/// Asks the host to cancel the task that runs on the domain. Tasks of some kinds cannot be cancelled.
#[derive(Debug, clap::Args)]
pub(crate) struct Domjobabort {
    #[command(flatten)]
    domain: DomainArg,

    /// interrupt post-copy migration
    #[arg(long)]
    postcopy: bool,
}

/// A domain whose job is being cancelled.
#[derive(Debug, Serialize)]
pub(crate) struct Aborted {
    domain: String,
}

impl Query for Domjobabort {
    type Answer = Aborted;

    async fn ask(self, connection: &Connection) -> Result<Aborted, Failure> {
        let domain = self.domain.find(connection).await?;
        let (function, flags) = match self.postcopy {
            true => ("virDomainAbortJobFlags", AbortJobFlags::POSTCOPY),
            false => ("virDomainAbortJob", AbortJobFlags::NONE),
        };
        connection.check_writable(function)?;
        domain.abort_job(flags).await?;
        Ok(Aborted {
            domain: domain.name().to_owned(),
        })
    }
}

impl Answer for Aborted {
    const SCHEMA: &'static str = "virt-esx/domain-job-aborted/1";

    fn text(&self, _quiet: bool) -> String {
        String::new()
    }
}
