//! The command on terminals: who is asked for a password there, and that what is printed fits narrow, plain and dumb ones.
//!
//! The pseudo-terminals are those of util-linux' `script`; `vt100` keeps what a screen shows.

use std::fmt::Write as _;
use std::io::Read as _;
use std::num::NonZero;
use std::process::{Command, Stdio};

use esx_sim::{Effect, Question, Rule, Script, Simulator};
use unicode_width::UnicodeWidthStr as _;

use super::{Host, PASSWORD};

/// The command under a pseudo-terminal with 24 lines of so many columns.
pub(super) fn on_a_terminal(columns: u16, uri: &str, args: &[&str]) -> Command {
    let mut line = format!("stty cols {columns} rows 24 && exec");
    let words = [env!("CARGO_BIN_EXE_virt-esx"), "-c", uri];
    for word in words.iter().chain(args) {
        write!(line, " '{word}'").unwrap();
    }
    let mut command = Command::new("script");
    command.args(["-qefc", &line, "/dev/null"]);
    command.env_clear().env("HOME", "/nonexistent");
    command.env("SHELL", "/bin/sh").env("PATH", "/usr/bin:/bin");
    command.env("TERM", "xterm");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command.stderr(Stdio::piped());
    command
}

/// All that such a command prints, and its exit status.
fn printed(mut command: Command) -> (String, Option<i32>) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    (text, output.status.code())
}

/// A server that is not what it should be, and what is said of it.
struct Wrong {
    uri: String,
    told: &'static str,
}

#[test]
fn nobody_is_asked_for_the_password_of_a_server_that_is_wrong() {
    let host = Host::new();
    let vcenter = Host::of(Simulator::vcenter().build(), true);
    let web = Host::new();
    let page = Rule::new("RetrieveServiceContent", Effect::Html).times(100);
    web.simulator.inject(page);
    let address = host.server.addr();
    let other = format!("thumbprint=SHA256:{}", "AB".repeat(32));
    let known = host.file(
        "auth.conf",
        &format!(
            "[credentials-h]\nusername=root\npassword={PASSWORD}\n[auth-esx-127.0.0.1]\ncredentials=h\n"
        ),
    );
    let wrong = |uri: String, told| Wrong { uri, told };
    let of_vcenter =
        |vcenter: &str| host.uri(&format!("no_verify=1&authfile={known}&vcenter={vcenter}"));
    for Wrong { uri, told } in [
        wrong("esx://root@nohost.invalid/".into(), "nohost.invalid"),
        wrong("esx://nohost.invalid/".into(), "nohost.invalid"),
        wrong("vpx://nohost.invalid/dc/host".into(), "nohost.invalid"),
        wrong("esx://root@127.0.0.1:1/".into(), "connection refused"),
        wrong(format!("esx://root@{address}/"), "thumbprint"),
        wrong(format!("esx://root@{address}/?{other}"), "certificate"),
        wrong(
            format!("esx://root@{address}/?cacert=/nonexistent.pem"),
            "/nonexistent.pem",
        ),
        wrong(
            format!("esx://root@{address}/?no_verify=1&proxy=http://127.0.0.1:1"),
            "connection refused",
        ),
        wrong(format!("esx://root@{address}/?transport=http"), "error: "),
        wrong(
            format!("vpx://root@{address}/dc/host?no_verify=1"),
            "to be a vCenter/VPX host but found a ESX(i) host",
        ),
        wrong(vcenter.uri("no_verify=1"), "use vpx://"),
        wrong(web.uri("no_verify=1"), "this is not a VI server"),
        wrong(of_vcenter("nohost.invalid"), "nohost.invalid"),
        wrong(of_vcenter("127.0.0.2"), "connection refused"),
        wrong(of_vcenter("127.0.0.1"), "to be a vCenter/VPX host"),
    ] {
        let (text, code) = printed(on_a_terminal(80, &uri, &["list"]));
        assert!(text.contains(told), "{uri}: {text}");
        assert!(!text.contains("Enter "), "{uri}: {text}");
        assert_eq!(code, Some(1), "{uri}: {text}");
    }
    assert_eq!(host.simulator.sessions(), 0);
}

const WIDTHS: [u16; 4] = [30, 40, 60, 80];

#[track_caller]
fn fits(text: &str, columns: u16, what: &str) {
    for line in text.lines() {
        let width = line.trim_end_matches('\r').width();
        assert!(
            width <= columns.into(),
            "{what}: {width} columns: {line:?}\n{text}"
        );
    }
}

#[test]
fn tables_fit_narrow_terminals() {
    let host = Host::new();
    let uri = host.uri("no_verify=1");
    for args in [
        &["list", "--all", "--title"][..],
        &["-q", "list", "--all"],
        &["pool-list", "--details"],
        &["-q", "pool-list", "--details"],
        &["vol-list", "datastore1", "--details"],
        &["snapshot-list", "db01"],
        &["domblklist", "web01", "--details"],
        &["-q", "domiflist", "web01"],
        &["domblkerror", "web01"],
        &["net-list"],
        &["iface-list"],
        &["node-service"],
        &["help", "list"],
    ] {
        for columns in WIDTHS {
            let mut command = on_a_terminal(columns, &uri, args);
            let (text, code) = printed({
                command.env("VIRT_ESX_PASSWORD", PASSWORD);
                command
            });
            let what = format!("{args:?} on {columns} columns");
            assert_eq!(code, Some(0), "{what}: {text}");
            fits(&text, columns, &what);
        }
    }
}

#[test]
fn questions_fit_narrow_terminals() {
    let host = Host::new();
    let script = Script::new("PowerOnVM_Task").asks(Question::serial_port());
    host.simulator.script(script.cancelable(false));
    let _ = host.virt_esx(&["start", "installer"]).output().unwrap();
    for columns in WIDTHS {
        let mut command = on_a_terminal(columns, &host.uri("no_verify=1"), &["question", "list"]);
        command.env("VIRT_ESX_PASSWORD", PASSWORD);
        let (text, code) = printed(command);
        assert_eq!(code, Some(0), "{text}");
        fits(&text, columns, "question list");
        assert!(text.contains("installer"), "{text}");
        assert!(text.contains("exists"), "{text}");
    }
}

/// Starts many domains on a terminal, and looks at its screen after each piece that is printed.
fn start_many(
    columns: u16,
    variables: &[(&str, &str)],
    mut look: impl FnMut(&vt100::Screen, &[u8]),
) {
    let host = Host::of(
        Simulator::esx()
            .vms(150)
            .credentials("root", PASSWORD)
            .build(),
        true,
    );
    let args = ["start", "--all", "--parallel", "40"];
    let mut command = on_a_terminal(columns, &host.uri("no_verify=1"), &args);
    command.env("VIRT_ESX_PASSWORD", PASSWORD);
    command.envs(variables.iter().copied());
    let mut child = command.spawn().unwrap();
    let mut screen = vt100::Parser::new(
        const { NonZero::new(24).unwrap() },
        NonZero::new(columns).unwrap(),
        1000,
    );
    let mut output = child.stdout.take().unwrap();
    let mut piece = [0; 4096];
    loop {
        let read = output.read(&mut piece).unwrap();
        if read == 0 {
            break;
        }
        screen.process(&piece[..read]);
        look(screen.screen(), &piece[..read]);
    }
    assert!(child.wait().unwrap().success());
}

#[test]
fn progress_fits_narrow_terminals() {
    for columns in WIDTHS {
        let mut totals = 0;
        let mut most = 0;
        start_many(columns, &[("LC_ALL", "C.UTF-8")], |screen, _| {
            let rows: Vec<_> = screen.rows(0, columns).collect();
            let total = |row: &String| {
                row.contains(" of ") && row.trim_end().ends_with(|end: char| end.is_ascii_digit())
            };
            let shown = rows.iter().filter(|row| total(row)).count();
            // Whoever looks in the middle of a drawing sees the old line and the new one.
            totals += usize::from(shown == 1);
            most = most.max(rows.iter().filter(|row| row.contains("% ")).count());
            for row in rows.iter().filter(|row| row.contains("% ")) {
                // A bar begins at the first column, so none is broken into two lines.
                assert!(!row.starts_with(' '), "{columns}: {rows:#?}");
            }
        });
        assert!(totals > 3, "{columns}: {totals}");
        assert!((2..24).contains(&most), "{columns}: {most}");
    }
}

#[test]
fn plain_and_dumb_terminals_get_ascii() {
    let plain = [("LC_ALL", "C"), ("TERM", "xterm")];
    let dumb = [("LC_ALL", "C.UTF-8"), ("TERM", "dumb")];
    for variables in [plain, dumb] {
        start_many(80, &variables, |_, piece| {
            let text = String::from_utf8_lossy(piece);
            assert!(piece.is_ascii(), "{variables:?}: {text}");
            let commands = piece.contains(&0x1b);
            assert!(!commands || variables == plain, "{variables:?}: {text:?}");
        });
        let host = Host::new();
        let file = host.file("a.vmx", "displayName = \"a\"\nvirtualHW.version = \"x\"\n");
        for args in [
            &["list", "--all"][..],
            &["snapshot-list", "db01", "--tree"],
            &["nodedev-list", "--tree"],
            &["dominfo", "wob01"],
            &["vmx2xml", &file],
            &["watch"],
            &["help"],
            &["man", "virt-esx"],
        ] {
            if args == ["watch"] && variables == plain {
                continue;
            }
            let mut command = on_a_terminal(80, &host.uri("no_verify=1"), args);
            command.env("VIRT_ESX_PASSWORD", PASSWORD).envs(variables);
            let (text, _) = printed(command);
            assert!(text.is_ascii(), "{args:?}: {text}");
            let commands = text.contains('\x1b');
            assert!(!commands || variables == plain, "{args:?}: {text:?}");
        }
    }
}
