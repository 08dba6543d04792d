use serde::Serialize;
use virt_model::flags::HostnameFlags;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::check_text;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// print the domain's hostname
///
/// VMware Tools in the guest tell it.
#[derive(Debug, clap::Args)]
pub(crate) struct Domhostname {
    #[command(flatten)]
    domain: DomainArg,

    /// address source: 'lease' or 'agent'
    #[arg(value_name = "source")]
    source: Option<String>,
}

/// A guest's host name.
#[derive(Debug, Serialize)]
pub(crate) struct Hostname {
    domain: String,
    hostname: String,
}

impl Query for Domhostname {
    type Answer = Hostname;

    async fn ask(self, connection: &Connection) -> Result<Hostname, Failure> {
        let domain = self.domain.find(connection).await?;
        check_text("source", self.source.as_deref())?;
        let flags = match self.source.as_deref() {
            None => HostnameFlags::NONE,
            Some("lease") => HostnameFlags::LEASE,
            Some("agent") => HostnameFlags::AGENT,
            Some(other) => return Err(Failure::new(format!("Unknown data source '{other}'"))),
        };
        let hostname = domain.hostname(flags).await;
        let hostname =
            hostname.map_err(|error| Failure::because("failed to get hostname", error))?;
        Ok(Hostname {
            domain: domain.name().to_owned(),
            hostname,
        })
    }
}

impl Answer for Hostname {
    const SCHEMA: &'static str = "virt-esx/domain-hostname/1";

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", foreign::line(&self.hostname))
    }
}
