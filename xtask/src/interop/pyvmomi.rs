use std::fs;
use std::path::Path;
use std::process::Command;

use super::peers::Tools;
use super::process;
use super::report::Report;

/// pyvmomi reads esx-sim's inventory, as a host's and as a vCenter's, makes, changes, copies and removes machines there,
/// reads the event history, tasks in a loop and every property of every object, and watches the machines.
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
        let section = format!("pyvmomi reads the events of a simulated {server}");
        script(tools, report, &section, &[kind], "events.py", &[user])?;
        let section = format!("pyvmomi polls the tasks of a simulated {server}");
        script(tools, report, &section, &[kind], "tasks.py", &[user])?;
        // pyvmomi speaks to no older servers.
        for version in ["5.5", "6.7", "8.0"] {
            let section =
                format!("pyvmomi asks a simulated {server} {version} what machines can be");
            let server = [kind, "--api-version", version];
            script(tools, report, &section, &server, "environment.py", &[user])?;
        }
        for version in ["5.5", "6.7", "8.0"] {
            let section = format!("pyvmomi reads all of a simulated {server} {version}");
            let server = [kind, "--api-version", version, "--vms", "7"];
            script(tools, report, &section, &server, "everything.py", &[user])?;
        }
    }
    updates(tools, report)?;
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

/// What happens on the simulator while pyvmomi and virt-esx watch, and how both see it. One change at a time, since several
/// changes of a machine may be seen as one.
const CHANGES: &[(&str, &str)] = &[
    ("power-off web01", "web01 is off"),
    ("power-on web01", "web01 is on"),
    ("suspend web01", "web01 is suspended"),
    ("power-on web01", "web01 is on"),
    ("rename web01 www", "web01 becomes www"),
    ("create fresh", "fresh enters"),
    ("power-on fresh", "fresh is on"),
    ("power-off fresh", "fresh is off"),
    ("destroy fresh", "fresh leaves"),
];

/// When the changes begin, in seconds: both have to watch then.
const BEGIN: usize = 5;

/// pyvmomi's loop of `WaitForUpdatesEx` sees the changes that virt-esx has as events.
fn updates(tools: &Tools, report: &mut Report) -> Result<(), String> {
    let section = "pyvmomi waits for updates";
    let script = tools.scratch.join("updates.changes");
    let mut text = String::new();
    for (number, (change, _)) in CHANGES.iter().enumerate() {
        text += &format!("{} {change}\n", BEGIN + number);
    }
    fs::write(&script, text).map_err(|error| format!("cannot write {script:?}: {error}"))?;
    let script = script.to_string_lossy();
    let simulator = tools.start_esx_sim(&["--esx", "--update-size", "3", "--play", &script])?;

    let auth = tools.auth_file("updates.conf", "root", "password")?;
    let seconds = (BEGIN + CHANGES.len() + 2).to_string();
    let mut events = tools.client(&tools.virt_esx, &auth);
    events.args([
        "-c",
        &simulator.uri,
        "event",
        "--event",
        "lifecycle",
        "--loop",
    ]);
    events.args(["--timeout", &seconds]);
    let mut python = Command::new(&tools.python);
    python
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/updates.py"))
        .args(["127.0.0.1", simulator.port(), "root"])
        .arg(CHANGES.len().to_string());
    let (events, run) = std::thread::scope(|scope| {
        let events = scope.spawn(|| process::run(&mut events, ""));
        let run = process::run(&mut python, "password\n");
        let events = events.join();
        (events.unwrap_or_else(|_| Err("panicked".to_owned())), run)
    });
    let (events, run) = (events?, run?);
    let mut seen = Vec::new();
    for line in run.stdout.lines() {
        match (line.strip_prefix("ok "), line.strip_prefix("seen ")) {
            (Some(_), _) => report.pass(section),
            (_, Some(change)) => seen.push(change.to_owned()),
            _ => report.fail(section, line),
        }
    }
    report.check(section, "ends well", run.succeeded(), &run.to_string());
    let expected: Vec<_> = CHANGES.iter().map(|(_, seen)| (*seen).to_owned()).collect();
    report.check(
        section,
        "pyvmomi's changes",
        seen == expected,
        &run.to_string(),
    );
    // Events have an order per domain: one may wait for its reason while those of other domains are told.
    let by_domain = |mut changes: Vec<String>| {
        changes.sort_by_key(|change| change.starts_with("fresh"));
        changes
    };
    let told = told(&events.stdout);
    report.check(
        section,
        "virt-esx's events",
        by_domain(told) == by_domain(expected),
        &events.to_string(),
    );
    Ok(())
}

/// The changes in the output of `virt-esx event`.
fn told(events: &str) -> Vec<String> {
    let mut told = Vec::new();
    let mut old_name = "";
    for line in events.lines() {
        let Some(line) = line.strip_prefix("event 'lifecycle' for domain '") else {
            continue;
        };
        let Some((name, event)) = line.split_once("': ") else {
            continue;
        };
        let (event, detail) = event.split_once(' ').unwrap_or((event, ""));
        told.push(match (event, detail) {
            ("Undefined", "Renamed") => {
                old_name = name;
                continue;
            }
            ("Defined", "Renamed") => format!("{old_name} becomes {name}"),
            ("Defined", _) => format!("{name} enters"),
            ("Undefined", _) => format!("{name} leaves"),
            ("Started" | "Resumed", _) => format!("{name} is on"),
            ("Suspended", _) => format!("{name} is suspended"),
            ("Stopped", _) => format!("{name} is off"),
            (event, _) => format!("{name}: {event}"),
        });
    }
    told
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
