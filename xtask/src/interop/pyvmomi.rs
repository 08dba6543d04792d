use std::path::Path;
use std::process::Command;

use super::peers::Tools;
use super::process;
use super::report::Report;

/// pyvmomi reads esx-sim's inventory, as a host's and as a vCenter's.
pub(crate) fn run(tools: &Tools, report: &mut Report) -> Result<(), String> {
    walk(
        tools,
        report,
        "pyvmomi on a simulated host",
        "--esx",
        "root",
    )?;
    walk(
        tools,
        report,
        "pyvmomi on a simulated vCenter",
        "--vcenter",
        "administrator@vsphere.local",
    )
}

fn walk(
    tools: &Tools,
    report: &mut Report,
    section: &str,
    kind: &str,
    user: &str,
) -> Result<(), String> {
    let simulator = tools.start_esx_sim(&[kind, "--vms", "7"])?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/walk.py");
    let mut python = Command::new(&tools.python);
    python
        .arg(script)
        .args(["127.0.0.1", simulator.port(), user, "7"]);
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
