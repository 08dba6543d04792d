use serde::Serialize;
use virt_model::domain::PmSuspendTarget;

use crate::answer::{Answer, unless_quiet};
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::commands::number::Number;
use crate::commands::options;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// suspend a domain gracefully using power management functions
///
/// Asks the guest, by VMware Tools, to go to standby. The command ends when the guest has been asked. VMware has the
/// target mem only, and no duration.
#[derive(Debug, clap::Args)]
pub(crate) struct Dompmsuspend {
    #[command(flatten)]
    domain: DomainArg,

    /// mem(Suspend-to-RAM), disk(Suspend-to-Disk), hybrid(Hybrid-Suspend)
    #[arg(value_name = "target")]
    target: String,

    /// duration in seconds
    #[arg(long, value_name = "number", value_parser = Number::parser())]
    duration: Option<Number>,
}

/// A domain whose guest was suspended.
#[derive(Debug, Serialize)]
pub(crate) struct Suspended {
    domain: String,
}

impl Query for Dompmsuspend {
    type Answer = Suspended;

    async fn ask(self, connection: &Connection) -> Result<Suspended, Failure> {
        let domain = self.domain.find(connection).await?;
        options::check_text("target", Some(&self.target))?;
        let duration = self.duration.map(|duration| duration.read("duration"));
        let duration: u64 = duration.transpose()?.unwrap_or(0);
        let target = PmSuspendTarget::from_word(&self.target);
        let target = target.ok_or_else(|| Failure::new("Invalid target"))?;
        let name = domain.name();
        let failed =
            |reason| Failure::because(format!("Domain '{name}' could not be suspended"), reason);
        let writable = connection.check_writable("virDomainPMSuspendForDuration");
        writable.map_err(failed)?;
        let suspended = domain.pm_suspend_for_duration(target, duration, 0).await;
        suspended.map_err(|error| failed(error.into()))?;
        Ok(Suspended {
            domain: name.to_owned(),
        })
    }
}

impl Answer for Suspended {
    const SCHEMA: &'static str = "virt-esx/domain-pm-suspended/1";

    fn text(&self, quiet: bool) -> String {
        // virsh ends the line with that of the command's end.
        unless_quiet(quiet, || {
            format!(
                "Domain '{}' successfully suspended",
                foreign::line(&self.domain)
            )
        })
    }
}
