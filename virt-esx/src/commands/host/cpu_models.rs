use serde::Serialize;

use crate::answer::Answer;
use crate::commands::Query;
use crate::commands::options::check_text;
use crate::connection::Connection;
use crate::failure::Failure;

/// CPU models
///
/// Get the CPU models for an arch: libvirt's names for the EVC modes that domains on the host can have, the oldest first.
/// Only a vCenter knows the modes of its hosts.
#[derive(Debug, clap::Args)]
pub(crate) struct CpuModels {
    /// architecture
    #[arg(value_name = "arch")]
    arch: String,
}

/// The models, the oldest first.
#[derive(Debug, Serialize)]
pub(crate) struct Models {
    arch: String,
    models: Vec<String>,
}

impl Query for CpuModels {
    type Answer = Models;

    fn check(&self) -> Result<(), Failure> {
        check_text("arch", Some(&self.arch))
    }

    async fn ask(self, connection: &Connection) -> Result<Models, Failure> {
        let models = connection.cpu_model_names(&self.arch, 0).await;
        let failed = |error| Failure::because("failed to get CPU model names", error);
        Ok(Models {
            models: models.map_err(failed)?,
            arch: self.arch,
        })
    }
}

impl Answer for Models {
    const SCHEMA: &'static str = "virt-esx/cpu-models/1";

    fn text(&self, _quiet: bool) -> String {
        let models = self.models.iter();
        models.map(|model| format!("{model}\n")).collect()
    }
}
