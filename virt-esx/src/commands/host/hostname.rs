use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// print the hypervisor hostname
#[derive(Debug, clap::Args)]
pub(crate) struct Hostname {}

/// The host's name.
#[derive(Debug, Serialize)]
pub(crate) struct Name {
    hostname: String,
}

impl Query for Hostname {
    type Answer = Name;

    async fn ask(self, connection: &Connection) -> Result<Name, Failure> {
        let hostname = connection.hostname().await;
        let failed = |error| Failure::because("failed to get hostname", error);
        Ok(Name {
            hostname: hostname.map_err(failed)?,
        })
    }
}

impl Answer for Name {
    const SCHEMA: &'static str = "virt-esx/hostname/1";

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", foreign::line(&self.hostname))
    }
}
