use serde::Serialize;
use virt_model::DomainState;

use super::lookup::{self, Current};
use crate::answer::{Answer, property};
use crate::commands::domain_arg::DomainArg;
use crate::commands::{Query, state};
use crate::connection::Connection;
use crate::failure::Failure;

/// snapshot information
///
/// Returns basic information about a snapshot.
#[derive(Debug, clap::Args)]
pub(crate) struct SnapshotInfo {
    #[command(flatten)]
    domain: DomainArg,

    /// snapshot name
    #[arg(value_name = "snapshotname")]
    snapshotname: Option<String>,

    /// info on current snapshot
    #[arg(long)]
    current: bool,
}

/// What is known of a snapshot.
#[derive(Debug, Serialize)]
pub(crate) struct Info {
    name: String,
    domain: String,
    description: String,
    current: bool,
    #[serde(serialize_with = "state::name")]
    state: DomainState,
    /// Where it is stored, in libvirt's words.
    location: &'static str,
    parent: Option<String>,
    children: usize,
    descendants: usize,
    metadata: bool,
    /// Seconds since the epoch.
    creation_time: Option<i64>,
}

impl Query for SnapshotInfo {
    type Answer = Info;

    async fn ask(self, connection: &Connection) -> Result<Info, Failure> {
        let domain = self.domain.find(connection).await?;
        let name = self.snapshotname.as_deref();
        let found = lookup::find(&domain, name, self.current, Current::Alone).await?;
        Ok(Info {
            name: found.snapshot.name().to_owned(),
            domain: domain.name().to_owned(),
            description: found.description,
            current: found.is_current,
            state: found.state,
            location: "internal",
            parent: found.parent,
            children: found.children,
            descendants: found.descendants,
            metadata: false,
            creation_time: found.creation_time,
        })
    }
}

impl Answer for Info {
    const SCHEMA: &'static str = "virt-esx/snapshot-info/1";

    fn text(&self, _quiet: bool) -> String {
        let yes_no = |is: bool| if is { "yes" } else { "no" };
        [
            property(15, "Name:", &self.name),
            property(15, "Domain:", &self.domain),
            property(15, "Current:", yes_no(self.current)),
            property(15, "State:", self.state.as_str()),
            property(15, "Location:", self.location),
            property(15, "Parent:", self.parent.as_deref().unwrap_or("-")),
            property(15, "Children:", self.children),
            property(15, "Descendants:", self.descendants),
            property(15, "Metadata:", yes_no(self.metadata)),
        ]
        .concat()
    }
}
