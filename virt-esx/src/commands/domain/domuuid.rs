use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::domain_arg::{DomainArg, NameOrId};
use crate::connection::Connection;
use crate::failure::Failure;

/// convert a domain name or id to domain UUID
#[derive(Debug, clap::Args)]
pub(crate) struct Domuuid {
    #[command(flatten)]
    domain: DomainArg<NameOrId>,
}

/// A domain's UUID.
#[derive(Debug, Serialize)]
pub(crate) struct DomainUuid {
    uuid: String,
}

impl Query for Domuuid {
    type Answer = DomainUuid;

    async fn ask(self, connection: &Connection) -> Result<DomainUuid, Failure> {
        let domain = self.domain.find(connection).await?;
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
