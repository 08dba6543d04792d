use std::fmt::Write as _;

use serde::Serialize;
use virt_model::CpuSet;
use virt_model::domain::{VcpuInfo, VcpuState};

use crate::answer::{Answer, property};
use crate::commands::Query;
use crate::commands::domain_arg::DomainArg;
use crate::connection::Connection;
use crate::failure::Failure;

/// detailed domain vcpu information
///
/// Returns basic information about the domain virtual CPUs. ESX does not tell on which processor of the host one runs, or
/// how much time it has used.
#[derive(Debug, clap::Args)]
pub(crate) struct Vcpuinfo {
    #[command(flatten)]
    domain: DomainArg,

    /// return human readable output
    #[arg(long)]
    pretty: bool,
}

/// A domain's virtual processors.
#[derive(Debug, Serialize)]
pub(crate) struct Vcpus {
    domain: String,
    /// How many processors the host has.
    host_cpus: u32,
    vcpus: Vec<One>,

    #[serde(skip)]
    pretty: bool,
}

/// A virtual processor.
#[derive(Debug, Serialize)]
struct One {
    number: u32,
    /// The host's processor that it runs on; null if it is not known.
    cpu: Option<u32>,
    /// Null for a domain that is off.
    state: Option<&'static str>,
    /// 0 if it is not known.
    cpu_time_ns: u64,
    /// The host's processors that it may run on.
    affinity: String,

    #[serde(skip)]
    map: String,
}

impl Query for Vcpuinfo {
    type Answer = Vcpus;

    async fn ask(self, connection: &Connection) -> Result<Vcpus, Failure> {
        let domain = self.domain.find(connection).await?;
        let (infos, maps) = domain.vcpu_info().await?;
        let host_cpus = super::vcpupin::host_cpus(connection).await?;
        let vcpus = infos.into_iter().zip(&maps);
        Ok(Vcpus {
            domain: domain.name().to_owned(),
            host_cpus,
            vcpus: vcpus
                .map(|(info, map)| one(&info, map, host_cpus))
                .collect(),
            pretty: self.pretty,
        })
    }
}

fn one(info: &VcpuInfo, map: &CpuSet, host_cpus: u32) -> One {
    let mark = |cpu| match map.iter().any(|other| other == cpu) {
        true => 'y',
        false => '-',
    };
    One {
        number: info.number,
        cpu: info.cpu,
        state: match info.state {
            VcpuState::Offline => None,
            VcpuState::Running => Some("running"),
            VcpuState::Blocked => Some("blocked"),
        },
        cpu_time_ns: info.cpu_time,
        affinity: map.to_string(),
        map: (0..host_cpus).map(mark).collect(),
    }
}

impl Answer for Vcpus {
    const SCHEMA: &'static str = "virt-esx/vcpus/1";

    fn text(&self, _quiet: bool) -> String {
        let of = |vcpu: &One| self.text_of(vcpu);
        self.vcpus.iter().map(of).collect::<Vec<_>>().join("\n")
    }
}

impl Vcpus {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    fn text_of(&self, vcpu: &One) -> String {
        let line = |title, value: &str| property(15, title, value);
        let cpu = vcpu
            .cpu
            .map_or_else(|| "N/A".to_owned(), |cpu| cpu.to_string());
        let mut text = line("VCPU:", &vcpu.number.to_string()) + &line("CPU:", &cpu);
        match vcpu.state {
            // virsh forgets a colon here.
            None => text += &(line("State:", "N/A") + &line("CPU time", "N/A")),
            Some(state) => {
                text += &line("State:", state);
                if vcpu.cpu_time_ns != 0 {
                    let seconds = vcpu.cpu_time_ns as f64 / 1e9;
                    // Writing to a string cannot fail.
                    let _ = writeln!(text, "{:<15} {seconds:.1}s", "CPU time:");
                }
            }
        }
        text + &match self.pretty {
            true => {
                let value = format!("{} (out of {})", vcpu.affinity, self.host_cpus);
                line("CPU Affinity:", &value)
            }
            false => line("CPU Affinity:", &vcpu.map),
        }
    }
}

#[cfg(test)]
mod tests {
    use virt_model::domain::{VcpuInfo, VcpuState};

    use super::{Vcpus, one};
    use crate::answer::Answer as _;

    #[track_caller]
    fn check(state: VcpuState, pretty: bool, expected: &str) {
        let info = VcpuInfo {
            state,
            cpu: (state == VcpuState::Running).then_some(15),
            cpu_time: 179_597_512_345_678,
            ..VcpuInfo::default()
        };
        let second = VcpuInfo {
            number: 1,
            ..info.clone()
        };
        let map = "0,2-3".parse().unwrap();
        let vcpus = Vcpus {
            domain: "test".to_owned(),
            host_cpus: 4,
            vcpus: vec![one(&info, &map, 4), one(&second, &map, 4)],
            pretty,
        };
        assert_eq!(vcpus.text(false), expected);
    }

    /// As virsh prints them with `-c test:///default`.
    #[test]
    fn active_and_inactive_domains() {
        check(
            VcpuState::Running,
            false,
            "VCPU:           0\nCPU:            15\nState:          running\nCPU time:       179597.5s\nCPU Affinity:   y-yy\n\n\
             VCPU:           1\nCPU:            15\nState:          running\nCPU time:       179597.5s\nCPU Affinity:   y-yy\n",
        );
        check(
            VcpuState::Offline,
            true,
            "VCPU:           0\nCPU:            N/A\nState:          N/A\nCPU time        N/A\nCPU Affinity:   0,2-3 (out of 4)\n\n\
             VCPU:           1\nCPU:            N/A\nState:          N/A\nCPU time        N/A\nCPU Affinity:   0,2-3 (out of 4)\n",
        );
    }
}
