use std::path::Path;

use super::peers::Tools;
use super::process::{self, Run, Server};
use super::report::Report;

/// `virt-esx` asks vcsim.
pub(crate) fn run(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let auth = tools.auth_file("vcsim.conf", "user", "pass")?;
    host(tools, report, &auth)?;
    vcenter(tools, report, &auth)
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
