use serde::Serialize;
use virt_model::CpuSet;

use super::impact::{Changed, Impact};
use crate::answer::Answer;
use crate::commands::Command;
use crate::commands::domain_arg::DomainArg;
use crate::commands::number::Number;
use crate::commands::options::check_exclusive;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::table::Table;
use crate::ui::Ui;

/// control or query domain vcpu affinity
///
/// Pin domain VCPUs to host physical CPUs. ESX pins all VCPUs of a domain together: one of several is pinned with --all
/// only.
#[derive(Debug, clap::Args)]
pub(crate) struct Vcpupin {
    #[command(flatten)]
    domain: DomainArg,

    /// vcpu number
    #[arg(value_name = "vcpu", value_parser = Number::parser())]
    vcpu: Option<Number>,

    /// host cpu number(s) to set, or omit option to query
    #[arg(value_name = "cpulist")]
    cpulist: Option<String>,

    #[command(flatten)]
    impact: Impact,

    /// pin all VCPUs of the domain
    #[arg(long)]
    all: bool,
}

/// Where virtual processors may run.
#[derive(Debug, Serialize)]
pub(crate) struct Pins {
    domain: String,
    vcpus: Vec<Pin>,
}

#[derive(Debug, Serialize)]
struct Pin {
    number: u32,
    /// The host's processors that it may run on.
    affinity: String,
}

impl Command for Vcpupin {
    fn check(&self) -> Result<(), Failure> {
        self.impact.check()?;
        let config = ("config", self.impact.config);
        check_exclusive([("live", self.impact.live), config])?;
        check_exclusive([("vcpu", self.vcpu.is_some()), ("all", self.all)])?;
        let vcpu = self.vcpu.as_ref().map(|vcpu| vcpu.read::<u32>("vcpu"));
        vcpu.transpose()?;
        match self.cpulist.is_some() && self.vcpu.is_none() && !self.all {
            true => Err(Failure::new("vcpupin: Missing vCPU number in pin mode.")),
            false => Ok(()),
        }
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        let domain = self.domain.find(connection).await?;
        let vcpu = self.vcpu.as_ref().map(|vcpu| vcpu.read::<u32>("vcpu"));
        let vcpu = vcpu.transpose()?;
        let Some(cpulist) = &self.cpulist else {
            let pins = self.pins(&domain, vcpu).await?;
            return Ok(ui.answer(&pins)?);
        };
        let cpus = parse(cpulist, host_cpus(connection).await?)?;
        connection.check_writable(match self.impact.is_given() {
            true => "virDomainPinVcpuFlags",
            false => "virDomainPinVcpu",
        })?;
        let flags = self.impact.flags();
        match vcpu {
            Some(vcpu) => {
                let pinned = domain.pin_vcpu(vcpu, &cpus, flags).await;
                pinned.map_err(|error| {
                    let is_alone = error.code() == virt_model::ErrorNumber::ArgumentUnsupported;
                    let failure = Failure::from(error);
                    match is_alone {
                        true => failure.advise("pin all of them: --all instead of a number"),
                        false => failure,
                    }
                })?;
            }
            None => domain.pin_vcpus(&cpus, flags).await?,
        }
        Ok(ui.answer(&Changed::new("vcpupin", &domain))?)
    }
}

impl Vcpupin {
    async fn pins(&self, domain: &esx_driver::Domain, vcpu: Option<u32>) -> Result<Pins, Failure> {
        let is_active = domain.id().is_some();
        if self.impact.live && !is_active {
            return Err(Failure::new("cannot get vcpupin for offline domain"));
        }
        let maps = domain.vcpu_pin_info(self.impact.flags()).await?;
        let count = maps.len();
        let pins = (0..).zip(&maps).map(|(number, map)| Pin {
            number,
            affinity: map.to_string(),
        });
        let vcpus: Vec<_> = pins
            .filter(|pin| vcpu.is_none_or(|vcpu| vcpu == pin.number))
            .collect();
        if let Some(vcpu) = vcpu.filter(|_| vcpus.is_empty()) {
            let which = match is_active && !self.impact.config {
                true => "live",
                false => "persistent",
            };
            return Err(Failure::new(format!(
                "vcpu {vcpu} is out of range of {which} cpu count {count}"
            )));
        }
        Ok(Pins {
            domain: domain.name().to_owned(),
            vcpus,
        })
    }
}

/// The number of the host's processors.
pub(super) async fn host_cpus(connection: &Connection) -> Result<u32, Failure> {
    let node = connection.node_info().await?;
    Ok(node.cpus * node.threads)
}

/// The host's processors of a list; `r` is all of them.
fn parse(list: &str, host_cpus: u32) -> Result<CpuSet, Failure> {
    if list == "r" {
        return Ok((0..host_cpus).collect());
    }
    let cpus: CpuSet = list.parse().map_err(|_| {
        let reason = format!("invalid argument: Failed to parse bitmap '{list}'");
        Failure::because(format!("Invalid cpulist '{list}'"), Failure::new(reason))
    })?;
    let beyond = cpus.iter().find(|cpu| *cpu >= host_cpus);
    match beyond {
        None => Ok(cpus),
        Some(cpu) => Err(Failure::new(format!(
            "CPU {cpu} in cpulist '{list}' exceed the maxcpu {host_cpus}"
        ))),
    }
}

impl Answer for Pins {
    const SCHEMA: &'static str = "virt-esx/vcpu-pins/1";

    fn text(&self, quiet: bool) -> String {
        let mut table = Table::new(["VCPU", "CPU Affinity"]);
        for pin in &self.vcpus {
            table.push([pin.number.to_string().as_str(), &pin.affinity]);
        }
        table.render(!quiet)
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[track_caller]
    fn check(list: &str, expected: Result<&str, &str>) {
        let found = parse(list, 8).map(|cpus| cpus.to_string());
        let found = found.map_err(|failure| failure.to_string());
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{list}");
    }

    #[test]
    fn lists_of_processors() {
        check("0-3,^1", Ok("0,2-3"));
        check("r", Ok("0-7"));
        check(
            "x",
            Err(
                "error: Invalid cpulist 'x'\nerror: invalid argument: Failed to parse bitmap 'x'\n",
            ),
        );
        check(
            "99",
            Err("error: CPU 99 in cpulist '99' exceed the maxcpu 8\n"),
        );
    }
}
