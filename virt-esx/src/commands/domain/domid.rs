use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::domain_arg::{DomainArg, NameOrUuid};
use crate::connection::Connection;
use crate::failure::Failure;

/// convert a domain name or UUID to domain id
#[derive(Debug, clap::Args)]
pub(crate) struct Domid {
    #[command(flatten)]
    domain: DomainArg<NameOrUuid>,
}

/// A domain's id.
#[derive(Debug, Serialize)]
pub(crate) struct DomainId {
    /// Null for an inactive domain.
    id: Option<i32>,
}

impl Query for Domid {
    type Answer = DomainId;

    async fn ask(self, connection: &Connection) -> Result<DomainId, Failure> {
        let domain = self.domain.find(connection).await?;
        Ok(DomainId { id: domain.id() })
    }
}

impl Answer for DomainId {
    const SCHEMA: &'static str = "virt-esx/domain-id/1";

    fn text(&self, _quiet: bool) -> String {
        self.id
            .map_or_else(|| "-\n".to_owned(), |id| format!("{id}\n"))
    }
}
