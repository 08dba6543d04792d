use std::path::Path;
use std::process::Command;

use super::peers::Tools;
use super::process;
use super::report::Report;

/// Modules of Ansible's community.vmware read a host's and a vCenter's machines, hosts and datastores, and change the power
/// state of a machine.
pub(crate) fn run(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let servers = [
        ("host", "--esx", "root", "esx.example.com", "ha-datacenter"),
        (
            "vCenter",
            "--vcenter",
            "administrator@vsphere.local",
            "esx-01.example.com",
            "Berlin",
        ),
    ];
    for (server, kind, user, esxi, datacenter) in servers {
        let section = format!("ansible on a simulated {server}");
        let simulator = tools.start_esx_sim(&[kind])?;
        let playbook = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/ansible.yml");
        let home = tools.scratch.join("ansible-home");
        let python = tools.ansible.join("bin/python");
        let mut ansible = Command::new(tools.ansible.join("bin/ansible-playbook"));
        ansible
            .args(["-i", "localhost,"])
            .args(["-e", &format!("esxi={esxi}")])
            .args(["-e", &format!("datacenter={datacenter}")])
            .arg("-e")
            .arg(format!("ansible_python_interpreter={}", python.display()))
            .arg(playbook)
            .env("VMWARE_HOST", "127.0.0.1")
            .env("VMWARE_PORT", simulator.port())
            .env("VMWARE_USER", user)
            .env("VMWARE_PASSWORD", "password")
            .env("VMWARE_VALIDATE_CERTS", "no")
            .env("ANSIBLE_HOME", &home)
            .env("HOME", &home)
            .env("ANSIBLE_LOCALHOST_WARNING", "False")
            .env("ANSIBLE_DEPRECATION_WARNINGS", "False")
            .env("ANSIBLE_NOCOLOR", "1")
            .env("LC_ALL", "C.UTF-8");
        let run = process::run(&mut ansible, "")?;
        let mut task = "the beginning";
        let mut tasks = 0;
        for line in run.stdout.lines() {
            if let Some(name) = line.strip_prefix("TASK [") {
                task = name.split(']').next().unwrap_or(name);
                tasks += 1;
            } else if line.starts_with("ok: ") || line.starts_with("changed: ") {
                report.pass(&section);
            } else if line.starts_with("fatal: ") {
                report.fail(&format!("{section}: {task}"), line);
            }
        }
        let is_well = run.succeeded() && tasks > 10;
        report.check(&section, "ends well", is_well, &run.to_string());
    }
    Ok(())
}
