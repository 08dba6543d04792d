use serde::Serialize;
use virt_model::domain::MemoryParameters;

use super::impact::{Changed, Impact};
use crate::answer::{Answer, property};
use crate::commands::Command;
use crate::commands::domain_arg::DomainArg;
use crate::commands::number::Number;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// Get or set memory parameters
///
/// Get or set the current memory parameters for a guest domain. ESX knows the guaranteed minimum; the maximum is set by
/// setmem.
#[derive(Debug, clap::Args)]
pub(crate) struct Memtune {
    #[command(flatten)]
    domain: DomainArg,

    /// Max memory, as scaled integer (default KiB)
    #[arg(long, value_name = "number", value_parser = Number::parser())]
    hard_limit: Option<Number>,

    /// Memory during contention, as scaled integer (default KiB)
    #[arg(long, value_name = "number", value_parser = Number::parser())]
    soft_limit: Option<Number>,

    /// Max memory plus swap, as scaled integer (default KiB)
    #[arg(long, value_name = "number", value_parser = Number::parser())]
    swap_hard_limit: Option<Number>,

    /// Min guaranteed memory, as scaled integer (default KiB)
    #[arg(long, value_name = "number", value_parser = Number::parser())]
    min_guarantee: Option<Number>,

    #[command(flatten)]
    impact: Impact,
}

/// A domain's memory parameters; null where the hypervisor doesn't tell.
#[derive(Debug, Serialize)]
pub(crate) struct Parameters {
    domain: String,
    hard_limit_kib: Option<u64>,
    soft_limit_kib: Option<u64>,
    swap_hard_limit_kib: Option<u64>,
    min_guarantee_kib: Option<u64>,
}

impl Command for Memtune {
    fn check(&self) -> Result<(), Failure> {
        self.impact.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let domain = self.domain.find(connection).await?;
        let wanted = MemoryParameters {
            hard_limit: limit("hard-limit", self.hard_limit.as_ref())?,
            soft_limit: limit("soft-limit", self.soft_limit.as_ref())?,
            swap_hard_limit: limit("swap-hard-limit", self.swap_hard_limit.as_ref())?,
            min_guarantee: limit("min-guarantee", self.min_guarantee.as_ref())?,
            ..MemoryParameters::default()
        };
        let flags = self.impact.flags();
        if wanted == MemoryParameters::default() {
            let found = domain.memory_parameters(flags).await.map_err(|error| {
                Failure::because("Unable to get number of memory parameters", error)
            })?;
            return Ok(ui.answer(&Parameters {
                domain: domain.name().to_owned(),
                hard_limit_kib: found.hard_limit,
                soft_limit_kib: found.soft_limit,
                swap_hard_limit_kib: found.swap_hard_limit,
                min_guarantee_kib: found.min_guarantee,
            })?);
        }
        let failed = |reason| Failure::because("Unable to change memory parameters", reason);
        let writable = connection.check_writable("virDomainSetMemoryParameters");
        writable.map_err(failed)?;
        let set = domain.set_memory_parameters(&wanted, flags);
        set.await.map_err(|error| failed(error.into()))?;
        Ok(ui.answer(&Changed::new("memtune", &domain))?)
    }
}

/// A limit in KiB. A negative number is no limit.
fn limit(option: &str, number: Option<&Number>) -> Result<Option<u64>, Failure> {
    let Some(number) = number else {
        return Ok(None);
    };
    if number.read::<i64>(option).is_ok_and(|number| number < 0) {
        return Ok(Some(MemoryParameters::UNLIMITED));
    }
    let bytes = number.scaled(option, 1024).map_err(|failure| {
        let line = format!("Unable to parse integer parameter {option}");
        // virsh replaces the line about the value; libvirt's reason stays.
        failure.with_first_line(line)
    })?;
    Ok(Some(bytes.div_ceil(1024)))
}

impl Answer for Parameters {
    const SCHEMA: &'static str = "virt-esx/memory-parameters/1";

    fn text(&self, _quiet: bool) -> String {
        let lines = [
            ("hard_limit", self.hard_limit_kib),
            ("soft_limit", self.soft_limit_kib),
            ("min_guarantee", self.min_guarantee_kib),
            ("swap_hard_limit", self.swap_hard_limit_kib),
        ];
        let line = |(name, value): (&str, Option<u64>)| {
            let title = format!("{name:<15}:");
            Some(match value? {
                MemoryParameters::UNLIMITED.. => property(16, &title, "unlimited"),
                value => property(16, &title, value),
            })
        };
        lines.into_iter().filter_map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Parameters;
    use crate::answer::Answer as _;

    #[test]
    fn as_virsh_prints_them() {
        let parameters = Parameters {
            domain: "test".to_owned(),
            hard_limit_kib: Some(9_007_199_254_740_991),
            soft_limit_kib: Some(100),
            swap_hard_limit_kib: None,
            min_guarantee_kib: Some(0),
        };
        assert_eq!(
            parameters.text(false),
            "hard_limit     : unlimited\nsoft_limit     : 100\nmin_guarantee  : 0\n"
        );
    }
}
