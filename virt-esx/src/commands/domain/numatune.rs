use serde::Serialize;
use virt_model::CpuSet;
use virt_model::domain::{NumaParameters, NumatuneMemMode};

use super::impact::{Changed, Impact};
use crate::answer::{Answer, property};
use crate::commands::Command;
use crate::commands::domain_arg::DomainArg;
use crate::commands::options::check_text;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// Get or set numa parameters
///
/// Get or set the current numa parameters for a guest domain. ESX knows the mode strict; an empty set is all nodes.
#[derive(Debug, clap::Args)]
pub(crate) struct Numatune {
    #[command(flatten)]
    domain: DomainArg,

    /// NUMA mode, one of strict, preferred and interleave or a number from the virDomainNumatuneMemMode enum
    #[arg(value_name = "mode")]
    mode: Option<String>,

    /// NUMA node selections to set
    #[arg(value_name = "nodeset")]
    nodeset: Option<String>,

    #[command(flatten)]
    impact: Impact,
}

/// A domain's NUMA parameters.
#[derive(Debug, Serialize)]
pub(crate) struct Numa {
    domain: String,
    mode: Option<&'static str>,
    /// Empty: all nodes.
    nodeset: Option<String>,
}

impl Command for Numatune {
    fn check(&self) -> Result<(), Failure> {
        self.impact.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let domain = self.domain.find(connection).await?;
        let flags = self.impact.flags();
        check_text("nodeset", self.nodeset.as_deref())?;
        check_text("mode", self.mode.as_deref())?;
        let mode = self.mode.as_deref().map(mode).transpose()?;
        if mode.is_none() && self.nodeset.is_none() {
            let found = domain.numa_parameters(flags).await.map_err(|error| {
                Failure::because("Unable to get number of memory parameters", error)
            })?;
            return Ok(ui.answer(&Numa {
                domain: domain.name().to_owned(),
                mode: found.mode.map(NumatuneMemMode::as_str),
                nodeset: found.nodeset.map(|nodes| nodes.to_string()),
            })?);
        }
        let failed = |reason: Failure| Failure::because("Unable to change numa parameters", reason);
        let nodeset = self.nodeset.as_deref().map(nodes).transpose();
        let parameters = NumaParameters {
            mode,
            nodeset: nodeset.map_err(failed)?,
            ..NumaParameters::default()
        };
        let writable = connection.check_writable("virDomainSetNumaParameters");
        writable.map_err(failed)?;
        let set = domain.set_numa_parameters(&parameters, flags);
        set.await.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Changed::new("numatune", &domain))?)
    }
}

/// A mode's name or number.
fn mode(text: &str) -> Result<NumatuneMemMode, Failure> {
    let mut all = NumatuneMemMode::ALL.into_iter();
    let found = all.find(|mode| mode.as_str() == text || mode.number().to_string() == text);
    found.ok_or_else(|| Failure::new(format!("Invalid mode: {text}")))
}

fn nodes(text: &str) -> Result<CpuSet, Failure> {
    text.parse()
        .map_err(|_| Failure::new(format!("invalid argument: Failed to parse bitmap '{text}'")))
}

impl Answer for Numa {
    const SCHEMA: &'static str = "virt-esx/numa-parameters/1";

    fn text(&self, _quiet: bool) -> String {
        let line = |name: &str, value: Option<&str>| {
            value.map(|value| property(16, &format!("{name:<15}:"), value))
        };
        let lines = [
            line("numa_mode", self.mode),
            line("numa_nodeset", self.nodeset.as_deref()),
        ];
        lines.into_iter().flatten().collect()
    }
}
