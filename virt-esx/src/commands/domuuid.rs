use serde::Serialize;

use super::Query;
use super::domain::{self, By};
use crate::answer::Answer;
use crate::connection::Connection;
use crate::failure::Failure;

/// convert a domain name or id to domain UUID
#[derive(Debug, clap::Args)]
pub(crate) struct Domuuid {
    /// domain id or name
    #[arg(value_name = "domain")]
    domain: String,
}

/// A domain's UUID.
#[derive(Debug, Serialize)]
pub(crate) struct DomainUuid {
    uuid: String,
}

impl Query for Domuuid {
    type Answer = DomainUuid;

    fn check(&self) -> Result<(), Failure> {
        domain::check(&self.domain)
    }

    async fn ask(self, connection: &Connection) -> Result<DomainUuid, Failure> {
        let domain = domain::find(connection, &self.domain, By::NAME_OR_ID).await?;
        Ok(DomainUuid {
            uuid: domain.uuid().to_string(),
        })
    }
}

impl Answer for DomainUuid {
    const SCHEMA: &'static str = "virt-esx/domain-uuid/1";

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", self.uuid)
    }
}
