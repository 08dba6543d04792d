use serde::Serialize;

use super::Query;
use super::domain::{self, By};
use crate::answer::Answer;
use crate::connection::Connection;
use crate::failure::Failure;

/// convert a domain id or UUID to domain name
#[derive(Debug, clap::Args)]
pub(crate) struct Domname {
    /// domain id or uuid
    #[arg(value_name = "domain")]
    domain: String,
}

/// A domain's name.
#[derive(Debug, Serialize)]
pub(crate) struct DomainName {
    name: String,
}

impl Query for Domname {
    type Answer = DomainName;

    fn check(&self) -> Result<(), Failure> {
        domain::check(&self.domain)
    }

    async fn ask(self, connection: &Connection) -> Result<DomainName, Failure> {
        let domain = domain::find(connection, &self.domain, By::ID_OR_UUID).await?;
        Ok(DomainName {
            name: domain.name().to_owned(),
        })
    }
}

impl Answer for DomainName {
    const SCHEMA: &'static str = "virt-esx/domain-name/1";

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", self.name)
    }
}
