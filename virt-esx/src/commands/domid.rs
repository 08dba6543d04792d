use serde::Serialize;

use super::Query;
use super::domain::{self, By};
use crate::answer::Answer;
use crate::connection::Connection;
use crate::failure::Failure;

/// convert a domain name or UUID to domain id
#[derive(Debug, clap::Args)]
pub(crate) struct Domid {
    /// domain name or uuid
    #[arg(value_name = "domain")]
    domain: String,
}

/// A domain's id.
#[derive(Debug, Serialize)]
pub(crate) struct DomainId {
    /// Null for an inactive domain.
    id: Option<i32>,
}

impl Query for Domid {
    type Answer = DomainId;

    fn check(&self) -> Result<(), Failure> {
        domain::check(&self.domain)
    }

    async fn ask(self, connection: &Connection) -> Result<DomainId, Failure> {
        let domain = domain::find(connection, &self.domain, By::NAME_OR_UUID).await?;
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
