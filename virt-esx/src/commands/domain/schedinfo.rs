use serde::Serialize;
use virt_model::domain::SchedulerParameters;

use super::impact::Impact;
use crate::answer::{self, Format, property};
use crate::commands::Command;
use crate::commands::domain_arg::DomainArg;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::ui::Ui;

/// show/set scheduler parameters
///
/// Show/Set scheduler parameters: reservation and limit in MHz (a limit of -1 is none), and shares (-1 is low, -2 normal,
/// -3 high).
#[derive(Debug, clap::Args)]
pub(crate) struct Schedinfo {
    #[command(flatten)]
    domain: DomainArg,

    /// weight for XEN_CREDIT
    #[arg(long, value_name = "number")]
    weight: Option<String>,

    /// cap for XEN_CREDIT
    #[arg(long, value_name = "number")]
    cap: Option<String>,

    #[command(flatten)]
    impact: Impact,

    /// parameter=value
    #[arg(value_name = "set", num_args = 0..)]
    set: Vec<String>,
}

/// A domain's scheduler; null where the hypervisor doesn't tell.
#[derive(Debug, Serialize)]
pub(crate) struct Scheduler {
    domain: String,
    scheduler: &'static str,
    reservation_mhz: Option<i64>,
    limit_mhz: Option<i64>,
    shares: Option<i32>,
}

impl Command for Schedinfo {
    fn check(&self) -> Result<(), Failure> {
        self.impact.check()
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let domain = self.domain.find(connection).await?;
        let (scheduler, _) = domain.scheduler_type();
        ui.line(format!("{:<15}: {scheduler}", "Scheduler"))?;
        let flags = self.impact.flags();
        if self.weight.is_some() || self.cap.is_some() || !self.set.is_empty() {
            let known = domain.scheduler_parameters(flags).await?;
            let wanted = self.wanted(&known)?;
            connection.check_writable(match self.impact.is_given() {
                true => "virDomainSetSchedulerParametersFlags",
                false => "virDomainSetSchedulerParameters",
            })?;
            domain.set_scheduler_parameters(&wanted, flags).await?;
        }
        let found = domain.scheduler_parameters(flags).await?;
        let scheduler = Scheduler {
            domain: domain.name().to_owned(),
            scheduler,
            reservation_mhz: found.reservation,
            limit_mhz: found.limit,
            shares: found.shares,
        };
        ui.print(&match ui.format() {
            Format::Text => scheduler.text(),
            Format::Json => answer::json(SCHEMA, &scheduler),
            Format::Jsonl => answer::json_line(SCHEMA, &scheduler),
        })?;
        Ok(())
    }
}

const SCHEMA: &str = "virt-esx/scheduler/1";

impl Schedinfo {
    /// The parameters that were given; only those that the domain has can be.
    fn wanted(&self, known: &SchedulerParameters) -> Result<SchedulerParameters, Failure> {
        let mut wanted = SchedulerParameters::default();
        for set in &self.set {
            let Some((name, value)) = set.split_once('=') else {
                return Err(Failure::new(
                    "Invalid syntax for --set, expecting name=value",
                ));
            };
            match name {
                "reservation" if known.reservation.is_some() => {
                    put(&mut wanted.reservation, name, value, "long long")?;
                }
                "limit" if known.limit.is_some() => {
                    put(&mut wanted.limit, name, value, "long long")?;
                }
                "shares" if known.shares.is_some() => {
                    put(&mut wanted.shares, name, value, "int")?;
                }
                _ => return Err(invalid(name)),
            }
        }
        match (&self.weight, &self.cap) {
            (Some(_), _) => Err(invalid("weight")),
            (_, Some(_)) => Err(invalid("cap")),
            _ => Ok(wanted),
        }
    }
}

/// Sets a parameter, which must not be set yet.
fn put<N: std::str::FromStr>(
    to: &mut Option<N>,
    name: &str,
    value: &str,
    kind: &str,
) -> Result<(), Failure> {
    if to.is_some() {
        return Err(Failure::new(format!(
            "invalid argument: parameter '{name}' occurs multiple times"
        )));
    }
    let number = crate::commands::options::number(value).map_err(|_| {
        Failure::new(format!(
            "invalid argument: Invalid value for field '{name}': expected {kind}"
        ))
    })?;
    *to = Some(number);
    Ok(())
}

fn invalid(name: &str) -> Failure {
    Failure::new(format!("invalid scheduler option: {name}"))
}

impl Scheduler {
    /// The parameters, below the line of the scheduler.
    fn text(&self) -> String {
        let line = |name: &str, value: Option<String>| {
            value.map(|value| property(16, &format!("{name:<15}:"), value))
        };
        let lines = [
            line("reservation", self.reservation_mhz.map(|n| n.to_string())),
            line("limit", self.limit_mhz.map(|n| n.to_string())),
            line("shares", self.shares.map(|n| n.to_string())),
        ];
        lines.into_iter().flatten().collect()
    }
}
