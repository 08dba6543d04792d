//! Whole runs of `virt-esx` against the simulator inside it, as recordings of a terminal.
//!
//! A file `tests/console/NAME.console` holds commands and what they print:
//!
//! ```text
//! # a remark
//! $ VARIABLE=value virt-esx -c test:///default domid web
//! < a line of the standard input
//! | a line of the standard output
//! ! a line of the standard error
//! ? the exit status, when it is not 0
//! ```
//!
//! `cargo xtask interop virsh` runs the command lines of a file whose first line is `# virsh prints the same.` with virsh
//! too. They must not change anything.
//!
//! `UPDATE_CONSOLE=1 cargo test -p virt-esx --test console` writes the files anew.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

macro_rules! recordings {
    ($($name:ident,)*) => {
        $(
            #[test]
            fn $name() {
                check(stringify!($name));
            }
        )*

        #[test]
        fn every_recording_is_a_test() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/console");
            let mut files: Vec<_> = folder
                .read_dir()
                .unwrap()
                .map(|entry| entry.unwrap().path().file_stem().unwrap().to_owned())
                .collect();
            files.sort();
            assert_eq!(
                files,
                [$(stringify!($name)),*],
                "`recordings!` above lists the files of tests/console"
            );
        }
    };
}

recordings! {
    blkdeviotune,
    blkdeviotune_checks,
    capabilities,
    clone,
    connect,
    create,
    definition,
    device_change,
    device_checks,
    device_xml,
    devices,
    display,
    domblkerror,
    domblkinfo,
    domblkinfo_sizes,
    domblklist,
    domhostname,
    domid,
    domif_getlink,
    domiflist,
    dominfo,
    dommemstat,
    domname,
    domstate,
    domstats,
    domuuid,
    edit,
    event,
    freecell,
    help,
    history,
    hostname,
    interface,
    job,
    json,
    lifecycle,
    list,
    maintenance,
    metadata,
    migrate,
    migrate_direct,
    network,
    network_change,
    node,
    node_firewall,
    node_health,
    node_license,
    node_log,
    node_ntp,
    node_service,
    nodedev,
    nodedev_checks,
    nodeinfo,
    object_events,
    password,
    pool,
    pool_change,
    pool_more,
    power_management,
    power_management_checks,
    question,
    schedinfo,
    screenshot,
    secret,
    shell,
    snapshot,
    snapshot_edit,
    snapshot_read,
    tuning,
    undefine,
    unsupported,
    uri,
    usage,
    version,
    vmx2xml,
    volume,
    volume_checks,
    watch,
    wrong_uri,
    xml2vmx,
}

/// The examples of README.md: what stands below a `$ ` in a block of a console is printed by it.
#[cfg(unix)]
#[test]
fn readme() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let recorded = std::fs::read_to_string(&path).unwrap();
    let mut replayed = String::new();
    let mut lines = recorded.lines().peekable();
    let mut is_example = false;
    while let Some(line) = lines.next() {
        writeln!(replayed, "{line}").unwrap();
        if line.starts_with("```") {
            is_example = line == "```console";
        }
        let command = line.strip_prefix("$ ").filter(|_| is_example);
        let Some(command) = command
            .filter(|command| command.contains("virt-esx -c") || command.contains("| virt-esx"))
        else {
            continue;
        };
        while lines
            .next_if(|line| !line.starts_with("$ ") && *line != "```")
            .is_some()
        {}
        replayed.push_str(&run_in_shell(command));
    }
    settle("README.md", "readme", &path, &recorded, replayed);
}

/// The standard output of a shell's command line, in which `virt-esx` is this one.
#[cfg(unix)]
fn run_in_shell(command: &str) -> String {
    let folder = Path::new(env!("CARGO_BIN_EXE_virt-esx")).parent().unwrap();
    let mut shell = Command::new("sh");
    shell
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("LC_ALL", "C.UTF-8");
    shell.env("PATH", format!("{}:/usr/bin:/bin", folder.display()));
    let output = shell
        .args(["-c", command])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(
        (output.status.code(), output.stderr),
        (Some(0), vec![]),
        "{command}"
    );
    String::from_utf8(output.stdout).unwrap()
}

fn check(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/console/{name}.console"));
    let recorded = std::fs::read_to_string(&path).unwrap();
    let replayed = replay(&recorded);
    assert!(
        replayed.contains("\n| ") || replayed.contains("\n! "),
        "{name} records no output"
    );
    settle(&format!("{name}.console"), name, &path, &recorded, replayed);
}

/// Fails if what is printed now is not what was recorded, or records it.
fn settle(file: &str, test: &str, path: &Path, recorded: &str, replayed: String) {
    if std::env::var_os("UPDATE_CONSOLE").is_some() {
        std::fs::write(path, replayed).unwrap();
        return;
    }
    if recorded != replayed {
        let diff = similar::TextDiff::from_lines(recorded, &replayed);
        panic!(
            "{file} is not what is printed now (-recorded, +now):\n{}\n\
             UPDATE_CONSOLE=1 cargo test -p virt-esx --test console {test} records it anew",
            diff.unified_diff().context_radius(3)
        );
    }
}

/// The remarks, commands and inputs of `recorded` with what the commands print now.
fn replay(recorded: &str) -> String {
    let mut text = String::new();
    let mut lines = recorded.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(command) = line.strip_prefix("$ ") else {
            if line.is_empty() || line.starts_with('#') {
                writeln!(text, "{line}").unwrap();
            }
            continue;
        };
        writeln!(text, "{line}").unwrap();
        let mut input = String::new();
        while let Some(line) = lines.next_if(|line| line.starts_with("< ")) {
            writeln!(text, "{line}").unwrap();
            writeln!(input, "{}", &line[2..]).unwrap();
        }
        text.push_str(&run(command, &input));
    }
    text
}

/// Runs a command line of words, of which those with blanks stand in single quotes.
fn run(command: &str, input: &str) -> String {
    let mut words = split(command).into_iter().peekable();
    let mut program = Command::new(env!("CARGO_BIN_EXE_virt-esx"));
    // Nothing of the caller's: credentials, URIs, width of the terminal.
    program
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("LC_ALL", "C.UTF-8");
    while let Some(word) = words.next_if(|word| word != "virt-esx") {
        let (name, value) = word.split_once('=').expect("NAME=VALUE before virt-esx");
        program.env(name, value);
    }
    program.args(words.skip(1));
    program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    // The program need not read its input.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();

    let mut text = String::new();
    for (mark, stream) in [('|', output.stdout), ('!', output.stderr)] {
        let stream = String::from_utf8(stream).unwrap();
        for line in stream.split_inclusive('\n') {
            let line = line
                .strip_suffix('\n')
                .unwrap_or_else(|| panic!("{command}: {line:?} lacks its end"));
            let blank = if line.is_empty() { "" } else { " " };
            writeln!(text, "{mark}{blank}{line}").unwrap();
        }
    }
    match output.status.code() {
        Some(0) => {}
        Some(status) => writeln!(text, "? {status}").unwrap(),
        None => panic!("{command}: {}", output.status),
    }
    text
}

fn split(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = command.trim();
    while !rest.is_empty() {
        let end = match rest.strip_prefix('\'') {
            Some(quoted) => {
                let end = quoted.find('\'').expect("a quote is closed");
                words.push(quoted[..end].to_owned());
                end + 2
            }
            None => {
                let end = rest.find(' ').unwrap_or(rest.len());
                words.push(rest[..end].to_owned());
                end
            }
        };
        rest = rest[end..].trim_start();
    }
    words
}
