use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::options::check_text;
use crate::connection::Connection;
use crate::failure::Failure;

/// connection vcpu maximum
///
/// Show maximum number of virtual CPUs for guests on this connection.
#[derive(Debug, clap::Args)]
pub(crate) struct Maxvcpus {
    /// domain type
    #[arg(value_name = "type")]
    r#type: Option<String>,
}

/// The most virtual processors of a domain.
#[derive(Debug, Serialize)]
pub(crate) struct MaxVcpus {
    max_vcpus: u32,
}

impl Query for Maxvcpus {
    type Answer = MaxVcpus;

    fn check(&self) -> Result<(), Failure> {
        check_text("type", self.r#type.as_deref())
    }

    async fn ask(self, connection: &Connection) -> Result<MaxVcpus, Failure> {
        Ok(MaxVcpus {
            max_vcpus: connection.max_vcpus(self.r#type.as_deref()).await?,
        })
    }
}

impl Answer for MaxVcpus {
    const SCHEMA: &'static str = "virt-esx/max-vcpus/1";

    fn text(&self, _quiet: bool) -> String {
        format!("{}\n", self.max_vcpus)
    }
}
