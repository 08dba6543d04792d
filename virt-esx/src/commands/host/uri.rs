use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// print the hypervisor canonical URI
#[derive(Debug, clap::Args)]
pub(crate) struct Uri {}

/// The connection's URI.
#[derive(Debug, Serialize)]
pub(crate) struct Canonical {
    uri: String,
}

impl Query for Uri {
    type Answer = Canonical;

    async fn ask(self, connection: &Connection) -> Result<Canonical, Failure> {
        Ok(Canonical {
            uri: connection.shown_uri(),
        })
    }
}

impl Answer for Canonical {
    const SCHEMA: &'static str = "virt-esx/uri/1";

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", foreign::line(&self.uri))
    }
}
