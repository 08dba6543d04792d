use serde::Serialize;

use crate::answer::{Answer, unless_quiet};
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// wakeup a domain from pmsuspended state
///
/// Wakeup a domain that was previously suspended by power management.
#[derive(Debug, clap::Args)]
pub(crate) struct Dompmwakeup {
    #[command(flatten)]
    domain: DomainArg,
}

/// A domain whose guest was woken up.
#[derive(Debug, Serialize)]
pub(crate) struct Woken {
    domain: String,
}

impl Query for Dompmwakeup {
    type Answer = Woken;

    async fn ask(self, connection: &Connection) -> Result<Woken, Failure> {
        let domain = self.domain.find(connection).await?;
        let name = domain.name();
        let failed =
            |reason| Failure::because(format!("Domain '{name}' could not be woken up"), reason);
        let writable = connection.check_writable("virDomainPMWakeup");
        writable.map_err(failed)?;
        let woken = domain.pm_wakeup(0).await;
        woken.map_err(|error| failed(error.into()))?;
        Ok(Woken {
            domain: name.to_owned(),
        })
    }
}

impl Answer for Woken {
    const SCHEMA: &'static str = "virt-esx/domain-pm-woken/1";

    fn text(&self, quiet: bool) -> String {
        // virsh ends the line with that of the command's end.
        unless_quiet(quiet, || {
            format!(
                "Domain '{}' successfully woken up",
                foreign::line(&self.domain)
            )
        })
    }
}
