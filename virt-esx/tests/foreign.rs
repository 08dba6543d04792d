//! What servers and files say does not command a terminal: names, questions and faults with escape sequences, forged lines and
//! changed directions, in the output of all commands.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::fs::File;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use esx_driver::vi_types::{objects, properties};
use esx_sim::{Outcome, Question, Script, Server, Simulator};
use tokio::runtime::Runtime;

/// Sets the title of a terminal, clears it, forges a line, and turns the rest around.
const HOSTILE: &str = "x\x1b]0;owned\x07\x1b[2J\nerror: FORGED\r\u{9b}31m\u{202e}\u{2066}\u{2028}y";

/// A simulator in which everything is called so, which listens.
struct Host {
    server: Server,
    _simulator: Simulator,
    _runtime: Runtime,
}

impl Host {
    fn new(edit: impl FnOnce(&Simulator)) -> Self {
        let simulator = Simulator::esx().build();
        for vm in simulator.objects("VirtualMachine") {
            simulator.change(&vm, |vm: &mut properties::VirtualMachine| {
                let name = format!("{}{HOSTILE}", vm.name.take().unwrap_or_default());
                if let Some(config) = &mut vm.config {
                    config.name.clone_from(&name);
                    config.annotation = Some(HOSTILE.to_owned());
                }
                if let Some(summary) = &mut vm.summary {
                    summary.config.name.clone_from(&name);
                }
                vm.name = Some(name);
            });
        }
        edit(&simulator);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let server = runtime
            .block_on(simulator.listen("127.0.0.1:0", false))
            .unwrap();
        Self {
            server,
            _simulator: simulator,
            _runtime: runtime,
        }
    }

    fn run(&self, args: &[&str]) -> Output {
        let uri = format!("esx://root@{}/?transport=http", self.server.addr());
        virt_esx(&[&["-c", &uri], args].concat()).output().unwrap()
    }
}

fn virt_esx(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_virt-esx"));
    command.env_clear().env("HOME", "/nonexistent").args(args);
    command
        .env("VIRT_ESX_PASSWORD", "password")
        .stdin(Stdio::null());
    command
}

/// Checks that a terminal prints it all, and that no line is forged.
#[track_caller]
fn check(what: &str, stream: &[u8]) {
    let text = String::from_utf8_lossy(stream);
    let is_command = |c: char| {
        c.is_control() && !matches!(c, '\n' | '\t')
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!text.contains(is_command), "{what}: {text:?}");
    let forged = text.lines().find(|line| line.starts_with("error: FORGED"));
    assert_eq!(forged, None, "{what}: {text:?}");
}

#[test]
fn names_do_not_command_the_terminal() {
    let host = Host::new(|_| {});
    let seen = host.run(&["list", "--all"]);
    check("list", &seen.stdout);
    assert!(String::from_utf8_lossy(&seen.stdout).contains(r"\xc2\x9b31m\xe2\x80\xae"));
    for line in [
        "list --all --title",
        "dominfo 1",
        "domname 1",
        "domuuid 1",
        "domstate 1 --reason",
        "domstats",
        "domblklist 1",
        "domiflist 1",
        "dommemstat 1",
        "domhostname 1",
        "domifaddr 1",
        "domblkinfo 1 --all",
        "domjobinfo 1",
        "desc 1 --title",
        "vcpuinfo 1",
        "vcpucount 1",
        "schedinfo 1",
        "snapshot-list 1",
        "snapshot-create-as 1 s1",
        "snapshot-list 1 --tree",
        "snapshot-info 1 s1",
        "snapshot-delete 1 s1",
        "question list",
        "event --list",
        "events --limit 20",
        "node-health",
        "node-maintenance",
        "suspend 1",
        "resume 1",
        "autostart 1",
        "reboot 1",
        "shutdown 1",
        "destroy 1",
        "start --all",
        "start nosuch",
        "dominfo we",
        "setmem 1 1",
        "uri",
        "hostname",
        "net-list",
        "pool-list",
        "iface-list",
        "nodedev-list --tree",
        "managedsave 1",
    ] {
        let words: Vec<_> = line.split(' ').collect();
        for output in ["text", "json", "jsonl"] {
            let found = host.run(&[&words[..], &["--output", output]].concat());
            assert!(found.status.code().is_some(), "{line}: {:?}", found.status);
            check(line, &found.stdout);
            check(line, &found.stderr);
        }
    }
    // JSON says the name exactly.
    let json = host.run(&["list", "--all", "--output", "json"]).stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let name = json["domains"][0]["name"].as_str().unwrap();
    // XML cannot carry U+001B.
    let end = &HOSTILE[HOSTILE.find('\u{9b}').unwrap()..];
    assert!(name.ends_with(end), "{name:?}");
    // Lists for programs are exact, too.
    let names = host.run(&["list", "--all", "--name"]).stdout;
    assert!(String::from_utf8_lossy(&names).contains(end));
}

#[test]
fn faults_and_questions_do_not_command_the_terminal() {
    let failure = Outcome::fail(objects::InvalidState::default(), HOSTILE);
    let asked = Question::new(HOSTILE).choice(HOSTILE, failure);
    let host = Host::new(|simulator| {
        simulator.script(Script::new("PowerOnVM_Task").asks_at_once(asked));
        for method in ["SuspendVM_Task", "ResetVM_Task"] {
            let script = Script::new(method);
            simulator.script(script.fails(objects::InvalidState::default(), HOSTILE));
        }
    });
    for line in [
        "suspend 1",
        "reset 1",
        "start 6",
        "question list",
        "question show 6",
        "question answer 6 nosuch",
        "--verbose --verbose --verbose suspend 1",
    ] {
        let words: Vec<_> = line.split(' ').collect();
        let found = host.run(&words);
        check(line, &found.stdout);
        check(line, &found.stderr);
    }
}

#[test]
fn what_the_user_says_does_not_command_the_terminal() {
    for args in [
        ["-c", "test:///default", "dominfo", HOSTILE].as_slice(),
        &["-c", HOSTILE, "list"],
        &["-c", &format!("esx://{HOSTILE}@h/"), "list"],
        &["-c", &format!("test:///{HOSTILE}"), "list"],
        &[
            "-c",
            &format!("test:///default?{HOSTILE}=1"),
            "domname",
            "1",
        ],
        &[HOSTILE],
        &["list", &format!("--{HOSTILE}")],
        &["-c", "test:///default", "define", HOSTILE],
        &["vmx2xml", HOSTILE],
        &["xml2vmx", HOSTILE],
        &["help", HOSTILE],
        &[
            "-c",
            "test:///default",
            "start",
            "web01",
            "--answers",
            HOSTILE,
        ],
        &["-c", "test:///default", "--keyring", HOSTILE, "secret-list"],
        &[
            "-c",
            "test:///default",
            "snapshot-create-as",
            "web01",
            HOSTILE,
        ],
        &["-c", "test:///default", "pool-info", HOSTILE],
        &["-c", "test:///default", "net-info", HOSTILE],
    ] {
        let found = virt_esx(args).output().unwrap();
        check(&format!("{args:?}"), &found.stdout);
        check(&format!("{args:?}"), &found.stderr);
    }
}

#[test]
fn files_do_not_command_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let vmx = format!(
        "config.version = \"8\"\nvirtualHW.version = \"13\"\ndisplayName = \"{HOSTILE}\"\nmemsize = \"{HOSTILE}\"\n{HOSTILE} = \"1\"\n"
    );
    let xml = "<domain type='vmware'><name>a\u{9b}31m</name><memory>4096</memory><os><type>hvm</type></os>\
               <title>x\u{9b}\u{202e}</title><x\u{b7}y/></domain>";
    for (name, text) in [("a\x1b[31m.vmx", vmx.as_str()), ("a.xml", xml)] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let path = path.to_str().unwrap();
        for args in [
            ["vmx2xml", path].as_slice(),
            &["vmx2xml", "--strict", path],
            &["xml2vmx", path],
            &["xml2vmx", "--strict", path],
            &["-c", "test:///default", "define", path],
            &["-c", "test:///default", "start", "web01", "--answers", path],
        ] {
            // The standard output is a document.
            check(
                &format!("{args:?}"),
                &virt_esx(args).output().unwrap().stderr,
            );
        }
    }
}

/// A stream that is there, or that cannot be written.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stream {
    Read,
    Full,
    Gone,
}

impl Stream {
    fn stdio(self) -> Stdio {
        match self {
            Self::Read => Stdio::piped(),
            Self::Full => File::options()
                .write(true)
                .open("/dev/full")
                .unwrap()
                .into(),
            Self::Gone => {
                let (reader, writer) = std::io::pipe().unwrap();
                drop(reader);
                writer.into()
            }
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn streams_that_cannot_be_written_end_nothing() {
    use Stream::{Full, Gone, Read};

    let folder = tempfile::tempdir().unwrap();
    let vmx = folder.path().join("a.vmx");
    std::fs::write(&vmx, "config.version = \"8\"\nmemsize = \"x\"\n").unwrap();
    let vmx = vmx.to_str().unwrap();
    // Commands that warn, fail, show progress and log, with their exit status if all can be written.
    let simulated = ["-c", "test:///default"];
    let commands: [(Vec<&str>, i32); 8] = [
        ([&simulated[..], &["dumpxml", "web01"]].concat(), 0),
        ([&simulated[..], &["list", "--output", "json"]].concat(), 0),
        (
            [
                &simulated[..],
                &["list", "--verbose", "--verbose", "--verbose"],
            ]
            .concat(),
            0,
        ),
        ([&simulated[..], &["dominfo", "nosuch"]].concat(), 1),
        (
            [&simulated[..], &["shutdown", "web01", "--progress", "json"]].concat(),
            0,
        ),
        (
            [
                &simulated[..],
                &[
                    "destroy",
                    "web01",
                    "--progress",
                    "json",
                    "--output",
                    "jsonl",
                ],
            ]
            .concat(),
            0,
        ),
        (vec!["vmx2xml", vmx], 0),
        (vec!["vmx2xml", "--strict", vmx], 1),
    ];
    for (args, usual) in &commands {
        for stdout in [Read, Full, Gone] {
            for stderr in [Read, Full, Gone] {
                let mut command = virt_esx(args);
                let child = command
                    .stdout(stdout.stdio())
                    .stderr(stderr.stdio())
                    .spawn();
                let found = child.unwrap().wait_with_output().unwrap();
                // A full disk is a failure, a reader that has gone is none.
                let printed = *usual == 0 || args[0] == "-c";
                let expected = match stdout {
                    Full if printed => 1,
                    _ => *usual,
                };
                assert_eq!(
                    found.status.code(),
                    Some(expected),
                    "{args:?} {stdout:?} {stderr:?}: {}",
                    String::from_utf8_lossy(&found.stderr)
                );
                assert!(!String::from_utf8_lossy(&found.stderr).contains("panicked"));
            }
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn files_without_an_end_are_not_read_to_it() {
    let simulated = ["-c", "test:///default"];
    let server = ["-c", "esx://root@127.0.0.1:1/"];
    let test = |words: &[&'static str]| [&simulated[..], words].concat();
    let too_large = "Value too large for defined data type";
    let more = "it has more than";
    for (args, expected) in [
        (vec!["xml2vmx", "/dev/zero"], more),
        (vec!["vmx2xml", "/dev/zero"], more),
        (vec!["vmx2xml", "--strict", "/dev/zero"], more),
        (test(&["define", "/dev/zero"]), too_large),
        (test(&["create", "/dev/zero"]), too_large),
        (test(&["attach-device", "web01", "/dev/zero"]), too_large),
        (
            test(&["domxml-from-native", "vmware-vmx", "/dev/zero"]),
            too_large,
        ),
        (
            test(&["domxml-to-native", "vmware-vmx", "/dev/zero"]),
            too_large,
        ),
        (test(&["net-define", "/dev/zero"]), too_large),
        (test(&["pool-define", "/dev/zero"]), too_large),
        (test(&["snapshot-create", "web01", "/dev/zero"]), too_large),
        (test(&["secret-define", "/dev/zero"]), too_large),
        (test(&["define", "/proc/self/mem"]), "Input/output error"),
        (test(&["define", "/"]), "Is a directory"),
        (test(&["start", "web01", "--answers", "/dev/zero"]), more),
        (
            test(&["--keyring", "/dev/zero", "secret-list"]),
            "is no file",
        ),
        (vec!["-c", "test:///default?play=/dev/zero", "list"], more),
        (
            vec!["-c", "test:///default?vms=99999999999", "list"],
            "at most 100000 are simulated",
        ),
        (
            vec!["-c", "esx://root@127.0.0.1:1/?authfile=/dev/zero", "list"],
            more,
        ),
        (
            vec!["-c", "esx://root@127.0.0.1:1/?answers=/dev/zero", "list"],
            more,
        ),
    ] {
        let found = virt_esx(&args).output().unwrap();
        let stderr = String::from_utf8_lossy(&found.stderr);
        assert!(stderr.contains(expected), "{args:?}: {stderr}");
        assert_eq!(found.status.code(), Some(1), "{args:?}");
    }
    for (args, expected) in [
        (vec!["xml2vmx", "-"], more),
        (vec!["vmx2xml", "-"], more),
        ([&server[..], &["--password-stdin", "list"]].concat(), more),
        (
            vec!["-q"],
            "a line of the standard input is longer than 1 MiB",
        ),
    ] {
        let zeros = File::open("/dev/zero").unwrap();
        let found = virt_esx(&args).stdin(zeros).output().unwrap();
        let stderr = String::from_utf8_lossy(&found.stderr);
        assert!(stderr.contains(expected), "{args:?}: {stderr}");
        assert_eq!(found.status.code(), Some(1), "{args:?}");
    }
}

#[test]
#[cfg(unix)]
fn files_that_others_may_write_are_told() {
    use std::os::unix::fs::PermissionsExt as _;

    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"").unwrap();
    let path = file.path().to_str().unwrap();
    for (mode, is_told) in [(0o600, false), (0o644, false), (0o666, true)] {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, permissions).unwrap();
        let uri = format!("esx://root@127.0.0.1:1/?authfile={path}&transport=http");
        for args in [
            ["-c", &uri, "list"].as_slice(),
            &["-c", "test:///default", "start", "files", "--answers", path],
        ] {
            let found = virt_esx(args).output().unwrap();
            let stderr = String::from_utf8_lossy(&found.stderr);
            let warning = format!(
                "warning: '{path}' may be written by others than its owner (mode 0666): chmod go-w"
            );
            assert_eq!(
                stderr.contains(&warning),
                is_told,
                "{args:?} {mode:o}: {stderr}"
            );
        }
    }
}
