//! `virt-esx` as a process against a simulated server on a port: logging in, what goes wrong on the
//! way, Ctrl-C, and what is left on the server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

#[path = "server/completion.rs"]
mod completion;
#[path = "server/endings.rs"]
mod endings;
#[path = "server/requests.rs"]
mod requests;
#[path = "server/side_by_side.rs"]
mod side_by_side;
#[cfg(target_os = "linux")]
#[path = "server/terminals.rs"]
mod terminals;
#[path = "server/volumes.rs"]
mod volumes;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use esx_sim::{Effect, Question, Rule, Script, Server, Simulator};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A simulator that listens, and the URI of its server.
struct Host {
    simulator: Simulator,
    server: Server,
    folder: TempDir,
    _runtime: Runtime,
}

impl Host {
    fn new() -> Self {
        Self::of(Simulator::esx().credentials("root", PASSWORD).build(), true)
    }

    fn of(simulator: Simulator, tls: bool) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let server = runtime
            .block_on(simulator.listen("127.0.0.1:0", tls))
            .unwrap();
        Self {
            simulator,
            server,
            folder: tempfile::tempdir().unwrap(),
            _runtime: runtime,
        }
    }

    /// The server without a user, with these query parameters.
    fn uri(&self, query: &str) -> String {
        format!("esx://{}/?{query}", self.server.addr())
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A command line that knows the password.
    fn virt_esx(&self, args: &[&str]) -> Command {
        let mut command = virt_esx(&["-c", &self.uri("no_verify=1")]);
        command.args(args).env("VIRT_ESX_PASSWORD", PASSWORD);
        command
    }
}

/// A password with what XML, INI files and shells would change.
const PASSWORD: &str = "p&ss <\"wörd'>%41";

fn virt_esx(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_virt-esx"));
    command.env_clear().env("HOME", "/nonexistent").args(args);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn with_input(mut command: Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[track_caller]
fn succeeds(output: &Output, stdout: &str) {
    assert_eq!((text(&output.stdout), text(&output.stderr)), (stdout, ""));
    assert_eq!(output.status.code(), Some(0));
}

/// Exit status 1, nothing on the standard output but the empty line, this on the standard error.
#[track_caller]
fn fails(output: &Output, stderr: &str) {
    assert_eq!(text(&output.stdout).trim(), "");
    assert!(
        text(&output.stderr).contains(stderr),
        "{}",
        text(&output.stderr)
    );
    assert!(
        text(&output.stderr)
            .lines()
            .all(|line| line.starts_with("error: ") || line.starts_with("hint: "))
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn the_password_comes_from_the_environment() {
    let host = Host::new();
    succeeds(
        &host.virt_esx(&["domname", "1"]).output().unwrap(),
        "web01\n\n",
    );
}

#[test]
fn the_password_comes_from_the_standard_input() {
    let host = Host::new();
    for end in ["\n", "\r\n", ""] {
        let command = virt_esx(&[
            "-c",
            &host.uri("no_verify=1"),
            "--password-stdin",
            "hostname",
        ]);
        let output = with_input(command, &format!("{PASSWORD}{end}"));
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
}

#[test]
fn the_password_comes_from_auth_conf() {
    let host = Host::new();
    let address = host.server.addr().ip();
    let auth = host.file(
        "auth.conf",
        &format!("[credentials-x]\nusername=root\npassword={PASSWORD}\n[auth-esx-{address}]\ncredentials=x\n"),
    );
    let uri = host.uri("no_verify=1");
    let mut command = virt_esx(&["-c", &uri, "hostname"]);
    assert_eq!(
        command
            .env("LIBVIRT_AUTH_FILE", &auth)
            .status()
            .unwrap()
            .code(),
        Some(0)
    );

    // One from the standard input is for this run: it comes first.
    let mut command = virt_esx(&["-c", &uri, "--password-stdin", "hostname"]);
    command.env("LIBVIRT_AUTH_FILE", &auth);
    fails(
        &with_input(command, "wrong\n"),
        "failed to connect to the hypervisor",
    );
}

#[test]
fn a_wrong_password_is_told_and_not_shown() {
    let host = Host::new();
    let mut command = virt_esx(&[
        "-c",
        &host.uri("no_verify=1"),
        "--verbose",
        "--verbose",
        "--verbose",
        "list",
    ]);
    let output = command
        .env("VIRT_ESX_PASSWORD", "not&the<password")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stderr = text(&output.stderr);
    assert!(
        stderr.contains("error: failed to connect to the hypervisor\n"),
        "{stderr}"
    );
    assert!(
        stderr
            .to_lowercase()
            .contains("incorrect user name or password"),
        "{stderr}"
    );
    for secret in ["not&the<password", "not&amp;the&lt;password"] {
        assert!(!stderr.contains(secret), "{stderr}");
    }
}

#[test]
fn the_right_password_is_never_shown() {
    let host = Host::new();
    let output = host
        .virt_esx(&["--verbose", "--verbose", "--verbose", "list", "--all"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0));
    for secret in [PASSWORD, "wörd"] {
        assert!(!text(&output.stdout).contains(secret));
        assert!(!text(&output.stderr).contains(secret));
    }
}

#[test]
fn a_password_in_the_uri_is_refused_and_not_shown() {
    let output = virt_esx(&["-c", "esx://root:hunter2@127.0.0.1/", "list"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        !text(&output.stderr).contains("hunter2"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_self_signed_certificate_needs_trust() {
    let host = Host::new();
    let open = |query: &str| {
        let mut command = virt_esx(&["-c", &host.uri(query), "-q", "hostname"]);
        command.env("VIRT_ESX_PASSWORD", PASSWORD).output().unwrap()
    };
    fails(&open(""), "certificate");
    assert_eq!(
        host.simulator.requests().len(),
        0,
        "nothing was sent before trust was established"
    );

    let pem = host.file("host.pem", &host.server.certificate_pem().unwrap());
    for query in [
        "no_verify=1".to_owned(),
        format!("cacert={pem}"),
        format!("thumbprint={}", host.server.thumbprint().unwrap()),
    ] {
        let output = open(&query);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{query}: {}",
            text(&output.stderr)
        );
    }
    fails(
        &open("thumbprint=00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33"),
        "certificate",
    );
    fails(&open("cacert=/nonexistent.pem"), "/nonexistent.pem");
}

#[test]
fn list_costs_five_requests_at_most() {
    for vms in [1, 300] {
        let simulator = Simulator::esx()
            .vms(vms)
            .credentials("root", PASSWORD)
            .build();
        let host = Host::of(simulator, true);
        let output = host
            .virt_esx(&["list", "--all", "--name"])
            .output()
            .unwrap();
        assert_eq!(text(&output.stdout).lines().count(), vms + 1);
        let methods: Vec<_> = host
            .simulator
            .requests()
            .into_iter()
            .map(|r| r.method)
            .collect();
        assert!(methods.len() <= 5, "{methods:?}");
        assert_eq!(methods.last(), Some(&Some("Logout".to_owned())));
        assert_eq!(host.simulator.sessions(), 0);
    }
}

#[test]
fn a_failed_command_logs_out() {
    let host = Host::new();
    fails(
        &host.virt_esx(&["dominfo", "nosuch"]).output().unwrap(),
        "failed to get domain 'nosuch'",
    );
    assert_eq!(host.simulator.sessions(), 0);
}

#[test]
fn no_server_is_an_error() {
    // A port that was just free.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let mut command = virt_esx(&["-c", &format!("esx://root@{address}/"), "list"]);
    let output = command.env("VIRT_ESX_PASSWORD", "x").output().unwrap();
    fails(
        &output,
        "error: failed to connect to the hypervisor\nerror: ",
    );
}

#[test]
fn without_a_terminal_nothing_is_asked_for() {
    let host = Host::new();
    let address = host.server.addr();
    for (uri, asked) in [
        (format!("esx://{address}/?no_verify=1"), "Username"),
        (format!("esx://root@{address}/?no_verify=1"), "Password"),
    ] {
        let expected = format!(
            "authentication failed: {asked} request failed\n\
             error: there is no terminal to ask on: use auth.conf, --password-stdin, or \
             VIRT_ESX_USER and VIRT_ESX_PASSWORD\n"
        );
        let output = virt_esx(&["-c", &uri, "list"]).output().unwrap();
        fails(&output, &expected);
    }
    assert_eq!(calls(&host, "Login"), 0);
}

#[test]
fn other_servers_are_told_apart() {
    for (effect, expected) in [
        (
            Effect::Html,
            "error: failed to connect to the hypervisor\nerror: ",
        ),
        (
            Effect::Truncate(100),
            "error: failed to connect to the hypervisor\nerror: ",
        ),
        (
            Effect::rewrite(|_| "{\"json\": true}".to_owned()),
            "error: failed to connect",
        ),
    ] {
        let host = Host::new();
        host.simulator
            .inject(Rule::new("RetrieveServiceContent", effect));
        fails(&host.virt_esx(&["list"]).output().unwrap(), expected);
    }
}

/// Starts the command and waits until the simulator was asked for `method`.
fn start_and_wait_for(host: &Host, method: &str) -> Child {
    let child = host.virt_esx(&["list"]).spawn().unwrap();
    let asked = || {
        host.simulator
            .requests()
            .iter()
            .any(|r| r.method.as_deref() == Some(method))
    };
    while !asked() {
        std::thread::yield_now();
    }
    child
}

fn interrupt(mut child: Child) -> (ExitStatus, String) {
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let mut stderr = String::new();
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        stderr.push_str(&line.unwrap());
    }
    (child.wait().unwrap(), stderr)
}

#[test]
fn ctrl_c_logs_out() {
    let host = Host::new();
    host.simulator
        .inject(Rule::new("RetrievePropertiesEx", Effect::Silence).nth(2));
    let child = start_and_wait_for(&host, "Login");
    let retrieves = || {
        let requests = host.simulator.requests();
        requests
            .iter()
            .filter(|r| r.method.as_deref() == Some("RetrievePropertiesEx"))
            .count()
    };
    while retrieves() < 2 {
        std::thread::yield_now();
    }
    let (status, stderr) = interrupt(child);
    assert_eq!((status.code(), &*stderr), (Some(130), ""));
    assert_eq!(host.simulator.sessions(), 0);
}

#[test]
fn ctrl_c_ends_a_connection_that_hangs() {
    let host = Host::new();
    host.simulator
        .inject(Rule::new("RetrieveServiceContent", Effect::Silence));
    let (status, stderr) = interrupt(start_and_wait_for(&host, "RetrieveServiceContent"));
    assert_eq!((status.code(), &*stderr), (Some(130), ""));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let simulator = Simulator::esx()
        .vms(3000)
        .credentials("root", PASSWORD)
        .build();
    let host = Host::of(simulator, false);
    let mut command = virt_esx(&["-c", &host.uri("transport=http"), "list", "--all"]);
    let mut child = command.env("VIRT_ESX_PASSWORD", PASSWORD).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut first)
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

/// A host whose tasks of this method ask for the serial port's file.
fn asking(method: &str, cancelable: bool) -> Host {
    let host = Host::new();
    let script = Script::new(method).asks(Question::serial_port());
    host.simulator.script(script.cancelable(cancelable));
    host
}

/// The simulator's calls of a method.
fn calls(host: &Host, method: &str) -> usize {
    let requests = host.simulator.requests();
    let requests = requests.iter();
    requests
        .filter(|request| request.method.as_deref() == Some(method))
        .count()
}

const BLOCKED: &str =
    "Pending question blocks virtual machine execution, question is 'msg.serial.file.open";

#[test]
fn a_question_is_reported_shown_and_answered() {
    let host = asking("PowerOnVM_Task", false);
    fails(
        &host.virt_esx(&["start", "installer"]).output().unwrap(),
        BLOCKED,
    );

    let listed = host.virt_esx(&["question", "list"]).output().unwrap();
    assert!(
        text(&listed.stdout).contains("\n installer   "),
        "{}",
        text(&listed.stdout)
    );
    let shown = host
        .virt_esx(&["question", "show", "installer"])
        .output()
        .unwrap();
    let answers =
        "Answers:     0 Replace\n             1 Append (default)\n             2 Cancel\n";
    assert!(
        text(&shown.stdout).ends_with(&format!("{answers}\n")),
        "{}",
        text(&shown.stdout)
    );

    let wrong = host
        .virt_esx(&["question", "answer", "installer", "7"])
        .output()
        .unwrap();
    fails(
        &wrong,
        "possible answers are 'Replace' (0), 'Append' (1), 'Cancel' (2)",
    );
    let answered = host
        .virt_esx(&["question", "answer", "installer", "replace"])
        .output()
        .unwrap();
    succeeds(
        &answered,
        "Question of domain 'installer' answered with 'Replace'\n\n",
    );
    let again = host
        .virt_esx(&["question", "answer", "installer", "replace"])
        .output()
        .unwrap();
    fails(&again, "domain 'installer' has no pending question");
    assert_eq!(calls(&host, "PowerOnVM_Task"), 1);
}

#[test]
fn questions_are_answered_as_the_options_say() {
    let host = asking("PowerOnVM_Task", false);
    let rules = host.file(
        "answers.toml",
        "[[rule]]\nmessage = 'msg.serial.*'\nanswer = 'Replace'\n",
    );
    let answers = ["--answers", rules.as_str()];
    for (options, key) in [(&["--auto-answer"][..], "1"), (&answers[..], "0")] {
        host.simulator.clear_requests();
        let mut command = host.virt_esx(&["start", "installer"]);
        succeeds(
            &command.args(options).output().unwrap(),
            "Domain 'installer' started\n\n",
        );
        let requests = host.simulator.requests();
        let answer = requests
            .iter()
            .find(|request| request.method.as_deref() == Some("AnswerVM"))
            .unwrap();
        let body = text(&answer.body);
        assert!(
            body.contains(&format!("<answerChoice>{key}</answerChoice>")),
            "{body}"
        );
        succeeds(
            &host.virt_esx(&["destroy", "installer"]).output().unwrap(),
            "Domain 'installer' destroyed\n\n",
        );
    }
}

#[test]
fn a_person_is_asked_until_there_is_an_answer() {
    let host = asking("PowerOnVM_Task", false);
    let output = with_input(
        host.virt_esx(&["start", "installer", "--ask"]),
        "later\nCancel\n",
    );
    let stderr = text(&output.stderr);
    assert!(
        stderr.contains("Domain 'installer' asks:\n  msg.serial.file.open"),
        "{stderr}"
    );
    assert!(stderr.contains("  [1] Append (default)\n"), "{stderr}");
    assert_eq!(
        stderr.matches("Not one of the answers; try again.").count(),
        1
    );
    // Whoever answers so cancels the start.
    assert!(
        stderr.contains("error: Failed to start domain 'installer'"),
        "{stderr}"
    );
    assert_eq!(output.status.code(), Some(1));

    let output = with_input(host.virt_esx(&["start", "installer", "--ask"]), "\n");
    assert_eq!(
        text(&output.stdout),
        "Domain 'installer' started\n\n",
        "{}",
        text(&output.stderr)
    );
    let output = with_input(host.virt_esx(&["start", "build/ci", "--ask"]), "");
    assert!(text(&output.stderr).contains(BLOCKED));
}

#[test]
fn ctrl_c_cancels_the_task_that_is_awaited() {
    for (cancelable, cancels) in [(true, 1), (false, 0)] {
        let host = Host::new();
        host.simulator
            .script(Script::new("*").cancelable(cancelable));
        host.simulator.stop_tasks();
        let mut command = host.virt_esx(&["start", "installer", "build/ci"]);
        command.args(["--parallel", "1"]);
        let child = command.spawn().unwrap();
        while calls(&host, "PowerOnVM_Task") == 0 || host.simulator.load().waits == 0 {
            std::thread::yield_now();
        }
        let (status, stderr) = interrupt(child);
        assert_eq!(status.code(), Some(130), "{stderr}");
        assert!(
            stderr.contains("error: Failed to start domain 'installer'"),
            "{stderr}"
        );
        assert!(
            stderr.contains("1 failed, 1 not begun: build/ci"),
            "{stderr}"
        );
        assert_eq!(calls(&host, "CancelTask"), cancels, "{stderr}");
        // The second one was never begun.
        assert_eq!(calls(&host, "PowerOnVM_Task"), 1);
        assert_eq!(host.simulator.sessions(), 0);
        assert_eq!(host.simulator.leftovers(), []);
    }
}

#[test]
fn progress_is_told_as_json() {
    let host = Host::new();
    let output = host
        .virt_esx(&["start", "installer", "--progress", "json"])
        .output()
        .unwrap();
    assert_eq!(text(&output.stdout), "Domain 'installer' started\n\n");
    let mut seen = Vec::new();
    for line in text(&output.stderr).lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["domain"], "installer");
        seen.push(line["percent"].as_u64());
    }
    assert_eq!(seen, [None, Some(0), Some(50)]);
}

#[test]
fn a_start_that_takes_too_long_is_given_up() {
    let host = Host::new();
    host.simulator.stop_tasks();
    let output = host
        .virt_esx(&["start", "installer", "--timeout", "1"])
        .output()
        .unwrap();
    fails(&output, "error: Failed to start domain 'installer'");
    assert_eq!(host.simulator.leftovers(), []);
}

#[cfg(unix)]
#[test]
fn a_transaction_outlives_its_run() {
    use std::os::unix::fs::PermissionsExt as _;

    let host = Host::new();
    let state = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| {
        let mut command = host.virt_esx(words);
        command.env("XDG_STATE_HOME", state.path());
        command.output().unwrap()
    };
    let started = "Network config change transaction started\n\n";
    succeeds(&run(&["iface-begin"]), started);
    let files = std::fs::read_dir(state.path().join("virt-esx")).unwrap();
    let file = files.last().unwrap().unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let kept = std::fs::read_to_string(file.path()).unwrap();
    assert!(!kept.contains(PASSWORD));
    fails(
        &run(&["iface-begin"]),
        "Requested operation is not valid: there is another transaction running.",
    );
    succeeds(
        &run(&["iface-undefine", "vmk1"]),
        "Interface vmk1 undefined\n\n",
    );
    fails(&run(&["iface-mac", "vmk1"]), "failed to get interface");
    let rolled_back = "Network config change transaction rolled back\n\n";
    succeeds(&run(&["iface-rollback"]), rolled_back);
    assert_eq!(run(&["iface-mac", "vmk1"]).status.code(), Some(0));
    fails(
        &run(&["iface-commit"]),
        "no transaction running, nothing to be committed.",
    );
    // Without a folder there is nowhere to keep it.
    let mut command = host.virt_esx(&["iface-begin"]);
    fails(
        &command.env_remove("HOME").output().unwrap(),
        "set XDG_STATE_HOME or HOME",
    );
}

#[test]
fn a_domain_is_undefined_and_defined_again() {
    let host = Host::new();
    let described = |name: &str| {
        let output = host.virt_esx(&["-q", "dumpxml", name]).output().unwrap();
        text(&output.stdout).to_owned()
    };
    let xml = described("build/ci");
    let file = host.file("ci.xml", &xml);
    let forgotten = host.virt_esx(&["undefine", "build/ci"]).output().unwrap();
    succeeds(&forgotten, "Domain 'build/ci' has been undefined\n\n");
    assert_eq!(described("build/ci"), "");
    let defined = host.virt_esx(&["define", &file]).output().unwrap();
    let expected = format!("Domain 'build/ci' defined from {file}\n\n");
    succeeds(&defined, &expected);
    let without_identity = |xml: &str| {
        let lines = xml.lines();
        // A SATA controller that nothing is attached to is not written.
        let left_out = ["uuid>", "moref>", "type='sata'"];
        let kept = lines.filter(|line| !left_out.iter().any(|part| line.contains(part)));
        kept.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(
        without_identity(&described("build/ci")),
        without_identity(&xml)
    );
    let again = host.virt_esx(&["define", &file]).output().unwrap();
    succeeds(&again, &expected);
    let renamed = host.file(
        "renamed.xml",
        &without_identity(&xml).replace("<name>build/ci<", "<name>web01<"),
    );
    // Quiet, because the existing domain has a drive that no document can tell.
    let mut command = host.virt_esx(&["-q", "define", &renamed]);
    let refused = command.output().unwrap();
    fails(
        &refused,
        "operation failed: domain 'web01' already exists with uuid",
    );

    let broken = host.file("broken.xml", "<domain type='vmware'>");
    let output = host.virt_esx(&["define", &broken]).output().unwrap();
    fails(
        &output,
        &format!("error: Failed to define domain from {broken}"),
    );
}

#[test]
fn configurations_are_converted_from_files() {
    let host = Host::new();
    let vmx = host.file(
        "a.vmx",
        "config.version = \"8\"\nvirtualHW.version = \"13\"\ndisplayName = \"a\"\nmemsize = \"512\"\n\
         scsi0.present = \"true\"\nscsi0.virtualDev = \"lsilogic\"\nscsi0:0.present = \"true\"\n\
         scsi0:0.deviceType = \"scsi-hardDisk\"\nscsi0:0.fileName = \"/vmfs/volumes/datastore1/a/a.vmdk\"\n",
    );
    let mut command = host.virt_esx(&["-q", "domxml-from-native", "vmware-vmx", &vmx]);
    let output = command.output().unwrap();
    assert!(
        text(&output.stdout).contains("<source file='[datastore1] a/a.vmdk'/>"),
        "{}",
        text(&output.stderr)
    );
    let xml = host.file("a.xml", text(&output.stdout));
    let mut command = host.virt_esx(&["-q", "domxml-to-native", "vmware-vmx", "--xml", &xml]);
    let output = command.output().unwrap();
    assert!(
        text(&output.stdout).contains("scsi0:0.fileName = \"/vmfs/volumes/"),
        "{}",
        text(&output.stderr)
    );
    assert!(text(&output.stdout).contains("/a/a.vmdk\"\n"));
}

#[test]
fn commands_on_the_standard_input_share_a_session() {
    let host = Host::new();
    let names = ["web01", "db01", "files", "router", "desktop"];
    let script: String = (1..=5).map(|id| format!("domname {id}\n")).collect();
    let output = with_input(host.virt_esx(&["--output", "jsonl"]), &script);
    assert_eq!((text(&output.stderr), output.status.code()), ("", Some(0)));
    let mut lines = text(&output.stdout).lines();
    for name in names {
        let line: serde_json::Value = serde_json::from_str(lines.next().unwrap()).unwrap();
        assert_eq!(line["name"], name);
    }
    assert_eq!(lines.next(), None);
    assert_eq!((calls(&host, "Login"), calls(&host, "Logout")), (1, 1));
    assert_eq!(host.simulator.sessions(), 0);
}

#[test]
fn a_session_that_is_lost_between_commands_is_renewed() {
    let host = Host::new();
    let rule = Rule::new("RetrievePropertiesEx", Effect::ExpireSession);
    host.simulator.inject(rule.nth(3));
    let output = with_input(host.virt_esx(&["-q"]), "domname 1\ndomname 2\ndomname 3\n");
    assert_eq!((text(&output.stderr), output.status.code()), ("", Some(0)));
    for name in ["web01", "db01", "files"] {
        assert!(
            text(&output.stdout).contains(&format!("\n{name}\n")),
            "{}",
            text(&output.stdout)
        );
    }
    assert_eq!(calls(&host, "Login"), 2);
    assert_eq!(host.simulator.sessions(), 0);
}

#[test]
fn another_connection_ends_the_first_one() {
    let (one, two) = (Host::new(), Host::new());
    let script = format!("domname 1\nconnect {}\ndomname 2\n", two.uri("no_verify=1"));
    let output = with_input(one.virt_esx(&["-q"]), &script);
    assert_eq!((text(&output.stderr), output.status.code()), ("", Some(0)));
    for host in [one, two] {
        assert_eq!((calls(&host, "Login"), calls(&host, "Logout")), (1, 1));
    }
}

#[test]
fn the_password_stands_in_front_of_the_commands() {
    let host = Host::new();
    let command = virt_esx(&[
        "-c",
        &host.uri("no_verify=1"),
        "--password-stdin",
        "--output",
        "jsonl",
    ]);
    let output = with_input(command, &format!("{PASSWORD}\ndomname 1\n"));
    succeeds(
        &output,
        "{\"schema\":\"virt-esx/domain-name/1\",\"name\":\"web01\"}\n",
    );
}

#[test]
fn ctrl_c_ends_commands_on_the_standard_input() {
    let host = Host::new();
    host.simulator
        .inject(Rule::new("RetrievePropertiesEx", Effect::Silence).nth(2));
    let mut command = host.virt_esx(&[]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(b"domname 1\ndomname 2\nuri\n").unwrap();
    while calls(&host, "RetrievePropertiesEx") < 2 {
        std::thread::yield_now();
    }
    let (status, stderr) = interrupt(child);
    assert_eq!((status.code(), &*stderr), (Some(130), ""));
    assert_eq!(host.simulator.sessions(), 0);
}

/// A disk that is full.
#[cfg(all(target_os = "linux", feature = "simulator"))]
fn full() -> Stdio {
    let file = std::fs::OpenOptions::new().write(true).open("/dev/full");
    file.unwrap().into()
}

/// It ended by a signal when the warning's writer complained about it, where nobody listened either.
#[cfg(all(target_os = "linux", feature = "simulator"))]
#[test]
fn nothing_is_lost_with_the_standard_error() {
    let command = || virt_esx(&["-c", "test:///default", "dumpxml", "web01"]);
    let expected = command().output().unwrap();
    assert!(text(&expected.stderr).contains("warning: "));
    let output = command().stderr(full()).output().unwrap();
    assert_eq!(
        (output.status.code(), output.stdout),
        (Some(0), expected.stdout)
    );
    let output = command().stderr(full()).stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command().stderr(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
}

#[cfg(all(target_os = "linux", feature = "simulator"))]
#[test]
fn a_full_disk_is_an_error() {
    for arguments in [&["list"][..], &["vmx2xml", "--help"], &["--version"]] {
        let mut command = virt_esx(&["-c", "test:///default"]);
        let output = command.args(arguments).stdout(full()).output().unwrap();
        let expected = "error: cannot write the output: No space left on device (os error 28)\n";
        assert_eq!(
            (text(&output.stderr), output.status.code()),
            (expected, Some(1))
        );
    }
}

/// Results are printed while the others are still to come.
#[test]
fn output_comes_as_it_is_there() {
    let host = Host::new();
    let mut command = host.virt_esx(&[]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for name in ["web01", "db01"] {
        let id = if name == "web01" { 1 } else { 2 };
        writeln!(input, "domname {id}").unwrap();
        assert!(lines.any(|line| line.unwrap() == name));
    }
    drop(input);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn events_are_printed_as_they_come() {
    let host = Host::new();
    let mut command = host.virt_esx(&["event", "--event", "lifecycle", "--loop"]);
    let mut child = command.spawn().unwrap();
    while host.simulator.load().waits == 0 {
        std::thread::yield_now();
    }
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for (command, event) in [
        (
            "suspend",
            "event 'lifecycle' for domain 'web01': Suspended Paused",
        ),
        (
            "resume",
            "event 'lifecycle' for domain 'web01': Resumed Unpaused",
        ),
        (
            "destroy",
            "event 'lifecycle' for domain 'web01': Stopped Destroyed",
        ),
        (
            "start",
            "event 'lifecycle' for domain 'web01': Started Booted",
        ),
    ] {
        let output = host.virt_esx(&["-q", command, "web01"]).output().unwrap();
        succeeds(&output, "");
        assert_eq!(lines.next().unwrap().unwrap(), event);
    }
    let (status, stderr) = interrupt(child);
    let rest: Vec<_> = lines.map(Result::unwrap).collect();
    assert_eq!(rest, ["event loop interrupted", "events received: 4", ""]);
    assert_eq!((status.code(), &*stderr), (Some(0), ""));
    assert_eq!(host.simulator.sessions(), 0);
    assert_eq!(host.simulator.leftovers(), []);
}

#[test]
fn an_event_of_a_domain_ends_the_wait_for_one() {
    let host = Host::new();
    let mut command = host.virt_esx(&["--output", "jsonl", "event", "--all", "--domain", "db01"]);
    let child = command.spawn().unwrap();
    while host.simulator.load().waits == 0 {
        std::thread::yield_now();
    }
    for domain in ["web01", "db01"] {
        let output = host.virt_esx(&["-q", "suspend", domain]).output().unwrap();
        succeeds(&output, "");
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let event: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(event["schema"], "virt-esx/domain-event/1");
    assert_eq!(
        (&event["domain"], &event["event"]),
        (&"db01".into(), &"lifecycle".into())
    );
    assert_eq!(
        (&event["type"], &event["detail"]),
        (&"Suspended".into(), &"Paused".into())
    );
    assert!(event["time"].as_str().unwrap().ends_with('Z'), "{event}");
}

#[test]
fn events_of_networks_pools_and_devices() {
    for (command, of, change, event) in [
        (
            "net-event",
            &[][..],
            "add-switch vSwitch7",
            "event 'lifecycle' for network vSwitch7: Defined",
        ),
        (
            "pool-event",
            &["--pool", "ssd"],
            "datastore ssd inaccessible",
            "event 'lifecycle' for storage pool ssd: Stopped",
        ),
        (
            "nodedev-event",
            &[],
            "add-nic-device vmnic7",
            "event 'lifecycle' for node device net_vmnic7_00_1b_21_01_00_02: Created",
        ),
    ] {
        let host = Host::new();
        let args = [&[command, "--event", "lifecycle"], of].concat();
        let child = host.virt_esx(&args).spawn().unwrap();
        while host.simulator.load().waits == 0 {
            std::thread::yield_now();
        }
        host.simulator.apply(&change.parse().unwrap()).unwrap();
        let output = child.wait_with_output().unwrap();
        succeeds(&output, &format!("{event}\nevents received: 1\n\n"));
        assert_eq!(host.simulator.sessions(), 0, "{command}");
    }
}

#[test]
fn ctrl_c_before_an_event_is_a_failure() {
    let host = Host::new();
    let mut command = host.virt_esx(&["event", "--event", "lifecycle", "--timestamp"]);
    let mut child = command.spawn().unwrap();
    while host.simulator.load().waits == 0 {
        std::thread::yield_now();
    }
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let (status, stderr) = interrupt(child);
    let lines: Vec<_> = stdout.lines().map(Result::unwrap).collect();
    assert_eq!(lines, ["event loop interrupted", "events received: 0", ""]);
    assert_eq!((status.code(), &*stderr), (Some(1), ""));
}

#[cfg(unix)]
#[test]
fn a_keyring_keeps_secrets_between_runs() {
    const UUID: &str = "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring");
    let run = |args: &[&str], input: &str| {
        let mut command = virt_esx(&["-c", "test:///default", "-q"]);
        command.args(args).env("VIRT_ESX_KEYRING", &path);
        with_input(command, input)
    };
    let xml = format!("<secret><uuid>{UUID}</uuid></secret>");
    let output = run(&["secret-define", "/dev/stdin"], &xml);
    succeeds(&output, "");
    let output = run(
        &["secret-set-value", UUID, "--file", "/dev/stdin", "--plain"],
        "geheim",
    );
    succeeds(&output, "");
    let output = run(&["secret-list"], "");
    succeeds(&output, &format!(" {UUID}   Unused\n"));
    fails(
        &run(&["secret-get-value", UUID], ""),
        "virt-esx does not print the values of secrets",
    );
    // The option comes before the environment.
    let other = folder.path().join("other");
    let output = run(&["--keyring", other.to_str().unwrap(), "secret-list"], "");
    succeeds(&output, "");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    fails(
        &run(&["secret-list"], ""),
        &format!(
            "error: operation failed: the keyring '{}' has the mode 0644, and not 0600\n",
            path.display()
        ),
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_secret_without_a_terminal_is_the_standard_inputs_first_line() {
    const UUID: &str = "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keyring");
    let xml = format!("<secret><uuid>{UUID}</uuid></secret>");
    let mut define = virt_esx(&["-c", "test:///default", "-q", "secret-define", "/dev/stdin"]);
    define.env("VIRT_ESX_KEYRING", &path);
    succeeds(&with_input(define, &xml), "");
    let without = std::fs::read(&path).unwrap();
    let mut values = Vec::new();
    for input in ["geheim\nmore\n", "geheim", "other\n"] {
        // A session of its own has no terminal.
        let mut set = Command::new("/usr/bin/setsid");
        set.args([
            "--wait",
            env!("CARGO_BIN_EXE_virt-esx"),
            "-c",
            "test:///default",
            "-q",
        ]);
        set.args(["secret-set-value", UUID, "--interactive"]);
        set.env_clear().env("HOME", "/nonexistent");
        set.env("VIRT_ESX_KEYRING", &path);
        set.stdout(Stdio::piped()).stderr(Stdio::piped());
        let output = with_input(set, input);
        assert_eq!(text(&output.stderr), "Enter new value for secret:");
        assert_eq!((text(&output.stdout), output.status.code()), ("", Some(0)));
        values.push(std::fs::read(&path).unwrap());
    }
    assert_ne!(values[0], without);
    assert_eq!(values[0], values[1]);
    assert_ne!(values[1], values[2]);
}

#[test]
fn keys_of_domains_are_listed() {
    let host = Host::new();
    let change = "encrypt web01 key-1 kms".parse().unwrap();
    host.simulator.apply(&change).unwrap();
    let output = host.virt_esx(&["-q", "secret-list"]).output().unwrap();
    let uuid = text(&output.stdout).trim().split(' ').next().unwrap();
    succeeds(&output, &format!(" {uuid}   volume kms/key-1\n"));
    for (args, refused) in [
        (
            ["secret-undefine", uuid].as_slice(),
            "the key 'kms/key-1' is kept by its key provider, and cannot be changed here",
        ),
        (
            &["secret-get-value", uuid],
            "error: Invalid secret: secret is private\n",
        ),
    ] {
        fails(&host.virt_esx(args).output().unwrap(), refused);
    }
    let output = host.virt_esx(&["-q", "secret-dumpxml", uuid]).output();
    assert!(text(&output.unwrap().stdout).contains("<description>encrypts web01</description>"));
}

/// The usage of one processor is a sample, which a recording cannot have.
#[test]
fn one_processor_is_used_in_part() {
    for cpu in ["0", "31"] {
        let output = Command::new(env!("CARGO_BIN_EXE_virt-esx"))
            .args(["-c", "test:///default", "nodecpustats", cpu, "--percent"])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let shares: Vec<u32> = text
            .lines()
            .filter_map(|line| {
                let (name, share) = line.split_once(':')?;
                assert!(matches!(name, "usage" | "idle"), "{text}");
                share.trim().strip_suffix('%')?.parse().ok()
            })
            .collect();
        let [usage, idle] = shares[..] else {
            panic!("{text}")
        };
        assert!(usage > 0 && usage + idle == 100, "{text}");
    }
}
