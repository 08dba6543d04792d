use serde::Serialize;

use super::lookup::{self, Current};
use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::connection::Connection;
use crate::failure::Failure;

/// Get the name of the parent of a snapshot
///
/// Extract the snapshot's parent, if any
#[derive(Debug, clap::Args)]
pub(crate) struct SnapshotParent {
    #[command(flatten)]
    domain: DomainArg,

    /// find parent of snapshot name
    #[arg(value_name = "snapshotname")]
    snapshotname: Option<String>,

    /// find parent of current snapshot
    #[arg(long)]
    current: bool,
}

/// A snapshot's parent.
#[derive(Debug, Serialize)]
pub(crate) struct Parent {
    domain: String,
    name: String,
    parent: String,
}

impl Query for SnapshotParent {
    type Answer = Parent;

    async fn ask(self, connection: &Connection) -> Result<Parent, Failure> {
        let domain = self.domain.find(connection).await?;
        let name = self.snapshotname.as_deref();
        let found = lookup::find(&domain, name, self.current, Current::Alone).await?;
        let name = found.snapshot.name().to_owned();
        match found.parent {
            Some(parent) => Ok(Parent {
                domain: domain.name().to_owned(),
                name,
                parent,
            }),
            None => Err(Failure::new(format!("snapshot '{name}' has no parent"))),
        }
    }
}

impl Answer for Parent {
    const SCHEMA: &'static str = "virt-esx/snapshot-parent/1";

    /// Without a line's end, like virsh.
    fn text(&self, _quiet: bool) -> String {
        self.parent.clone()
    }
}
