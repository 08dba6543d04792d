mod changes;
mod monitor;
mod networks;
mod storage;

use std::path::Path;

use super::peers::Tools;
use super::process::{self, Run, Server};
use super::report::Report;

/// `virt-esx` asks vcsim.
pub(crate) fn run(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let auth = tools.auth_file("vcsim.conf", "user", "pass")?;
    host(tools, report, &auth)?;
    vcenter(tools, report, &auth)?;
    power_cycles(tools, report, &auth)?;
    changes::run(tools, report, &auth)?;
    storage::run(tools, report, &auth)?;
    networks::run(tools, report, &auth)?;
    monitor::run(tools, report, &auth)
}

/// Domains are stopped and started: one, and a hundred at once.
fn power_cycles(tools: &Tools, report: &mut Report, auth: &Path) -> Result<(), String> {
    let host = Server::start(&tools.vcsim, &["-esx", "-machines", "100"])?;
    let vcenter = Server::start(&tools.vcsim, &["-machines", "100"])?;
    for (section, uri) in [
        (
            "virt-esx on vcsim as a host: power",
            format!("esx://{}/?no_verify=1", host.greeting),
        ),
        (
            "virt-esx on vcsim as a vCenter: power",
            format!("vpx://{}/DC0/DC0_H0?no_verify=1", vcenter.greeting),
        ),
    ] {
        let peer = Peer {
            tools,
            auth,
            uri,
            section,
        };
        let names = peer.run(&["list", "--all", "--name"])?.stdout;
        let names: Vec<_> = names.lines().filter(|name| !name.is_empty()).collect();
        report.check(
            section,
            "has 100 domains",
            names.len() == 100,
            &names.join(" "),
        );
        let Some(first) = names.first() else { continue };
        let done = |words: &str| format!("Domain '{first}' {words}\n\n");
        for (command, words) in [
            ("destroy", "destroyed"),
            ("start", "started"),
            ("suspend", "suspended"),
            ("resume", "resumed"),
            ("reset", "was reset"),
        ] {
            peer.prints(report, &[command, first], &done(words))?;
        }
        for (command, words) in [("destroy", "destroyed"), ("start", "started")] {
            let lines = names
                .iter()
                .map(|name| format!("Domain '{name}' {words}\n"));
            let run = peer.run(&[command, "--all"])?;
            let mut found: Vec<_> = run.stdout.lines().filter(|line| !line.is_empty()).collect();
            let mut expected: Vec<_> = lines.map(|line| line.trim_end().to_owned()).collect();
            found.sort_unstable();
            expected.sort_unstable();
            let held = run.succeeded() && found == expected;
            report.check(section, &format!("{command} --all"), held, &run.to_string());
        }
    }
    Ok(())
}

fn host(tools: &Tools, report: &mut Report, auth: &Path) -> Result<(), String> {
    let server = Server::start(&tools.vcsim, &["-esx"])?;
    let uri = format!("esx://{}/?no_verify=1", server.greeting);
    let peer = Peer {
        tools,
        auth,
        uri,
        section: "virt-esx on vcsim as a host",
    };

    peer.prints(
        report,
        &["list", "--all", "--name"],
        "ha-host_VM0\nha-host_VM1\n\n",
    )?;
    peer.prints(report, &["list", "--inactive", "--name"], "\n")?;
    peer.prints(
        report,
        &["domstate", "ha-host_VM0", "--reason"],
        "running (unknown)\n\n",
    )?;
    peer.prints(report, &["domname", "no such"], "\n")?;
    peer.contains(report, &["version"], "Running hypervisor: ESX 6.5.0\n")?;
    peer.contains(report, &["nodeinfo"], "CPU(s):              2\n")?;
    peer.contains(
        report,
        &["dominfo", "ha-host_VM1"],
        "Name:           ha-host_VM1\n",
    )?;
    peer.contains(report, &["capabilities"], "<arch>x86_64</arch>")?;
    peer.contains(report, &["freecell"], " KiB\n")?;
    peer.contains(report, &["hostname"], "localhost")?;
    peer.contains(report, &["uri"], &peer.uri)?;
    for domain in ["ha-host_VM0", "ha-host_VM1"] {
        peer.round_trip(report, domain)?;
    }
    peer.contains(
        report,
        &["events", "--type", "VmPoweredOnEvent"],
        "VmPoweredOnEvent: ha-host_VM0 on ",
    )?;
    // A class that our program does not have.
    peer.contains(
        report,
        &[
            "--output",
            "json",
            "events",
            "--type",
            "VmUuidAssignedEvent",
        ],
        "\"event\":\"VmUuidAssignedEvent\"",
    )?;
    let wrong = tools.auth_file("vcsim-wrong.conf", "user", "")?;
    Peer {
        auth: &wrong,
        ..peer
    }
    .contains(report, &["uri"], "failed to connect to the hypervisor")
}

fn vcenter(tools: &Tools, report: &mut Report, auth: &Path) -> Result<(), String> {
    let server = Server::start(&tools.vcsim, &[])?;
    let section = "virt-esx on vcsim as a vCenter";
    let peer = |path: &str| {
        let uri = format!("vpx://{}/{path}?no_verify=1", server.greeting);
        Peer {
            tools,
            auth,
            uri,
            section,
        }
    };
    // vcsim's model: one datacenter with a stand-alone host and a cluster of three.
    let standalone = peer("DC0/DC0_H0");
    standalone.prints(
        report,
        &["list", "--all", "--name"],
        "DC0_H0_VM0\nDC0_H0_VM1\n\n",
    )?;
    standalone.contains(report, &["version"], "Running hypervisor: ESX 6.5.0\n")?;
    standalone.contains(report, &["nodeinfo"], "CPU(s):              2\n")?;
    standalone.contains(report, &["capabilities"], "<arch>x86_64</arch>")?;
    standalone.round_trip(report, "DC0_H0_VM0")?;
    standalone.contains(
        report,
        &["events", "--domain", "DC0_H0_VM0"],
        "VmPoweredOnEvent: DC0_H0_VM0 on DC0_H0 in DC0 is powered on",
    )?;

    let mut machines = 0;
    for host in ["DC0_C0_H0", "DC0_C0_H1", "DC0_C0_H2"] {
        let run = peer(&format!("DC0/DC0_C0/{host}")).run(&["list", "--all", "--name"])?;
        machines += run
            .stdout
            .lines()
            .filter(|line| line.starts_with("DC0_C0_RP0_VM"))
            .count();
    }
    report.check(
        section,
        "the cluster's hosts have its 2 machines",
        machines == 2,
        &machines.to_string(),
    );

    peer("DC0/nowhere").contains(report, &["uri"], "failed to connect to the hypervisor")?;
    peer("nowhere/DC0_H0").contains(report, &["uri"], "failed to connect to the hypervisor")
}

/// `virt-esx` with a URI and credentials.
struct Peer<'a> {
    tools: &'a Tools,
    auth: &'a Path,
    uri: String,
    section: &'a str,
}

impl Peer<'_> {
    fn run(&self, args: &[&str]) -> Result<Run, String> {
        let mut command = self.tools.client(&self.tools.virt_esx, self.auth);
        process::run(command.args(["-c", &self.uri]).args(args), "")
    }

    /// The standard output is `expected`.
    fn prints(&self, report: &mut Report, args: &[&str], expected: &str) -> Result<(), String> {
        let run = self.run(args)?;
        report.check(
            self.section,
            &args.join(" "),
            run.stdout == expected,
            &run.to_string(),
        );
        Ok(())
    }

    /// Either stream contains `expected`.
    fn contains(&self, report: &mut Report, args: &[&str], expected: &str) -> Result<(), String> {
        let run = self.run(args)?;
        let found = run.stdout.contains(expected) || run.stderr.contains(expected);
        report.check(self.section, &args.join(" "), found, &run.to_string());
        Ok(())
    }

    /// Name, UUID and id lead to the same domain.
    fn round_trip(&self, report: &mut Report, name: &str) -> Result<(), String> {
        let uuid = self.run(&["domuuid", name])?.stdout.trim().to_owned();
        let id = self.run(&["domid", &uuid])?.stdout.trim().to_owned();
        self.prints(report, &["domname", &id], &format!("{name}\n\n"))
    }
}
