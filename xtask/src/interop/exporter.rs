use std::path::Path;
use std::process::Command;

use super::peers::Tools;
use super::report::Report;

/// Number of intervals that are measured, and their seconds. Hosts renew their numbers every 20 seconds.
const INTERVALS: &str = "3";
const SECONDS: &str = "20";

/// `virt-esx exporter` is read by promtool and by Python's parser of OpenMetrics, and measured beside vmware_exporter, on the
/// same simulated vCenter with 2,000 domains.
///
/// The environment's `VIRT_ESX` names another program to measure, such as a release build, and `INTERVALS` how many intervals.
pub(crate) fn run(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let simulator = tools.start_esx_sim(&["--vcenter", "--live", "--vms", "2000"])?;
    let variable = |name: &str| std::env::var(name).ok();
    let program = variable("VIRT_ESX").unwrap_or_else(|| tools.virt_esx.display().to_string());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/exporter.py");
    let run = Command::new(&tools.python)
        .arg(script)
        .args([simulator.port(), &program])
        .arg(&tools.vmware_exporter)
        .arg(variable("INTERVALS").as_deref().unwrap_or(INTERVALS))
        .arg(SECONDS)
        .output()
        .map_err(|error| format!("cannot run Python: {error}"))?;
    let section = "exporter";
    for line in String::from_utf8_lossy(&run.stdout).lines() {
        match line.split_once(' ') {
            Some(("ok", _)) => report.pass(section),
            Some(("note", text)) => report.note(section, text),
            _ => report.fail(section, line),
        }
    }
    let errors = String::from_utf8_lossy(&run.stderr);
    report.check(section, "ends well", run.status.success(), &errors);
    Ok(())
}
