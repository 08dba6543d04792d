//! The completion scripts in bash, zsh and fish, and the manual in `man`.

use std::fs;
use std::process::Command;

use super::peers::{Tools, cargo};
use super::process;
use super::report::Report;

/// Runs the tests of the scripts, none of which is skipped here, and renders every page.
pub(crate) fn run(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let mut tests = Command::new(cargo());
    // With the features of the whole workspace, as its tests were built before.
    tests.args(["test", "--quiet", "--workspace", "--test", "server"]);
    tests.args(["completion::", "--", "--nocapture"]);
    let run = process::run(&mut tests, "")?;
    let held = run.succeeded() && !run.stderr.contains("skipped:");
    report.check("completion", "bash, zsh and fish", held, &run.to_string());

    let folder = tools.scratch.join("manual");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    process::step(Command::new(&tools.virt_esx).arg("man").arg(&folder))?;
    let pages = fs::read_dir(&folder).map_err(|error| error.to_string())?;
    for page in pages.flatten() {
        for locale in ["C", "C.UTF-8"] {
            let mut man = Command::new("man");
            man.env("LC_ALL", locale).env("MANWIDTH", "80");
            let run = process::run(man.args(["--warnings", "-l"]).arg(page.path()), "")?;
            let held = run.succeeded()
                && run.stderr.is_empty()
                && run.stdout.contains("NAME\n")
                && (locale != "C" || run.stdout.is_ascii());
            let name = format!("{} in {locale}", page.file_name().display());
            report.check("manual", &name, held, &run.to_string());
        }
    }
    Ok(())
}
