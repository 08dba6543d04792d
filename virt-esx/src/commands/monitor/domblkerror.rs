use serde::Serialize;
use virt_model::domain::{DiskErrorCode, DomainDiskError};

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::foreign;

/// Show errors on block devices
///
/// Show block device errors: disks whose datastore is full, and disks with a file that the host cannot reach.
#[derive(Debug, clap::Args)]
pub(crate) struct Domblkerror {
    #[command(flatten)]
    domain: DomainArg,
}

/// The disks of a domain that have errors.
#[derive(Debug, Serialize)]
pub(crate) struct DiskErrors {
    domain: String,
    disks: Vec<DiskError>,
}

/// A disk with an error.
#[derive(Debug, Serialize)]
struct DiskError {
    target: String,
    /// virsh's words.
    error: &'static str,
}

impl Query for Domblkerror {
    type Answer = DiskErrors;

    async fn ask(self, connection: &Connection) -> Result<DiskErrors, Failure> {
        let domain = self.domain.find(connection).await?;
        let errors = domain.disk_errors(0).await?;
        let disk = |DomainDiskError { disk, error }| DiskError {
            target: disk,
            error: match error {
                DiskErrorCode::None => "no error",
                DiskErrorCode::NoSpace => "no space",
                _ => "unspecified error",
            },
        };
        Ok(DiskErrors {
            domain: domain.name().to_owned(),
            disks: errors.into_iter().map(disk).collect(),
        })
    }
}

impl Answer for DiskErrors {
    const SCHEMA: &'static str = "virt-esx/domain-disk-errors/1";

    fn text(&self, _quiet: bool) -> String {
        if self.disks.is_empty() {
            return "No errors found\n".to_owned();
        }
        let lines = self.disks.iter();
        lines
            .map(|disk| format!("{}: {}\n", foreign::line(&disk.target), disk.error))
            .collect()
    }
}
