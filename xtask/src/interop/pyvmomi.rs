use std::path::Path;
use std::process::Command;

use super::peers::Tools;
use super::process;
use super::report::Report;

/// pyvmomi reads esx-sim's inventory, as a host's and as a vCenter's, and makes, changes, copies and removes machines there.
pub(crate) fn run(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let servers = [
        ("host", "--esx", "root"),
        ("vCenter", "--vcenter", "administrator@vsphere.local"),
    ];
    for (server, kind, user) in servers {
        let section = format!("pyvmomi on a simulated {server}");
        let few = [kind, "--vms", "7"];
        script(tools, report, &section, &few, "walk.py", &[user, "7"])?;
        let section = format!("pyvmomi changes a simulated {server}");
        script(tools, report, &section, &[kind], "machines.py", &[user])?;
    }
    let free = ["--esx", "--licence", "free"];
    let section = "pyvmomi on a free host";
    script(
        tools,
        report,
        section,
        &free,
        "machines.py",
        &["root", "free"],
    )
}

/// Runs a script on a new simulator. Each line that it prints is a check.
fn script(
    tools: &Tools,
    report: &mut Report,
    section: &str,
    simulator: &[&str],
    name: &str,
    arguments: &[&str],
) -> Result<(), String> {
    let simulator = tools.start_esx_sim(simulator)?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop");
    let mut python = Command::new(&tools.python);
    python
        .arg(folder.join(name))
        .args(["127.0.0.1", simulator.port()])
        .args(arguments);
    let run = process::run(&mut python, "password\n")?;
    for line in run.stdout.lines() {
        match line.strip_prefix("ok ") {
            Some(_) => report.pass(section),
            None => report.fail(section, line),
        }
    }
    report.check(section, "ends well", run.succeeded(), &run.to_string());
    Ok(())
}
