use std::path::Path;
use std::process::Command;

use super::peers::Tools;
use super::process::{self, Server};
use super::report::Report;

/// pyvmomi and we encode the same request.
pub(crate) fn requests(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/requests.py");
    let mut command = Command::new(&tools.witness);
    command.arg("requests").args([&tools.python, &script]);
    run(report, "requests as pyvmomi writes them", &mut command)
}

/// vcsim's properties decode and encode unchanged.
pub(crate) fn properties(tools: &Tools, report: &mut Report) -> Result<(), String> {
    for (section, args) in [
        ("all properties of vcsim as a host", &["-esx"][..]),
        ("all properties of vcsim as a vCenter", &[]),
    ] {
        let server = Server::start(&tools.vcsim, args)?;
        let mut command = Command::new(&tools.witness);
        run(report, section, command.args(["vcsim", &server.greeting]))?;
    }
    Ok(())
}

/// What one client changes on vcsim arrives at the watches of another.
pub(crate) fn watches(tools: &Tools, report: &mut Report) -> Result<(), String> {
    for (section, args) in [
        ("watches of vcsim as a host", &["-esx"][..]),
        ("watches of vcsim as a vCenter", &[]),
    ] {
        let server = Server::start(&tools.vcsim, args)?;
        let mut command = Command::new(&tools.witness);
        run(report, section, command.args(["watch", &server.greeting]))?;
    }
    Ok(())
}

/// Captured answers decode and encode unchanged.
pub(crate) fn captures(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let section = "captured answers";
    if !tools.captures.is_dir() {
        let reason = format!("{} is not there", tools.captures.display());
        report.skip(section, &reason);
        return Ok(());
    }
    let mut command = Command::new(&tools.witness);
    run(
        report,
        section,
        command.arg("captures").arg(&tools.captures),
    )
}

fn run(report: &mut Report, section: &str, command: &mut Command) -> Result<(), String> {
    let run = process::run(command, "")?;
    for line in run.stdout.lines() {
        match line.split_once(' ') {
            Some(("ok", _)) => report.pass(section),
            Some(("note", text)) => report.note(section, text),
            Some(("skip", what)) => report.skip(section, what),
            Some(("FAIL", what)) => report.fail(section, what),
            _ => report.fail(section, line),
        }
    }
    report.check(section, "ends well", run.succeeded(), &run.stderr);
    Ok(())
}
