//! Every way to end a command: what it says, how long it takes, and that nothing is left on the server.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use esx_sim::{Effect, Question, Rule, Script};

#[cfg(target_os = "linux")]
use super::terminals;
use super::{Host, calls, text};

/// What a process came to after it was told to end.
struct Ended {
    code: Option<i32>,
    stderr: String,
    took: Duration,
}

/// Sends a signal to a process and waits for its end.
fn told(child: Child, signals: &[&str]) -> Ended {
    let begun = Instant::now();
    for (number, signal) in signals.iter().enumerate() {
        if number > 0 {
            std::thread::sleep(Duration::from_millis(400));
        }
        let id = child.id().to_string();
        let sent = Command::new("kill").args([signal, &*id]).status();
        assert!(sent.unwrap().success());
    }
    let output = child.wait_with_output().unwrap();
    Ended {
        code: output.status.code(),
        stderr: text(&output.stderr).to_owned(),
        took: begun.elapsed(),
    }
}

fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[track_caller]
fn nothing_left(host: &Host, what: &str) {
    assert_eq!(host.simulator.sessions(), 0, "{what}");
    assert_eq!(host.simulator.leftovers(), [], "{what}");
}

/// A command in the middle of something.
struct Moment {
    what: &'static str,
    args: &'static [&'static str],
    /// Prepares the server.
    prepare: fn(&Host),
    /// Whether the command is there.
    is_reached: fn(&Host) -> bool,
}

const MOMENTS: [Moment; 8] = [
    Moment {
        what: "the first request",
        args: &["list"],
        prepare: |host| silence(host, "RetrieveServiceContent", 1),
        is_reached: |host| calls(host, "RetrieveServiceContent") == 1,
    },
    Moment {
        what: "a login that is answered later",
        args: &["list"],
        prepare: |host| {
            let later = Effect::Delay(Duration::from_millis(700));
            host.simulator.inject(Rule::new("Login", later));
        },
        is_reached: |host| calls(host, "Login") == 1,
    },
    Moment {
        what: "the inventory",
        args: &["list"],
        prepare: |host| silence(host, "RetrievePropertiesEx", 1),
        is_reached: |host| calls(host, "RetrievePropertiesEx") == 1,
    },
    Moment {
        what: "a list",
        args: &["list"],
        prepare: |host| silence(host, "RetrievePropertiesEx", 2),
        is_reached: |host| calls(host, "RetrievePropertiesEx") == 2,
    },
    Moment {
        what: "queries side by side",
        args: &["domuuid web01; domuuid db01; domuuid installer"],
        prepare: |host| silence(host, "FindByInventoryPath", 2),
        is_reached: |host| calls(host, "FindByInventoryPath") == 3,
    },
    Moment {
        what: "a document that does not come",
        args: &["define", "/dev/stdin"],
        prepare: |_| {},
        is_reached: |host| host.simulator.sessions() == 1,
    },
    Moment {
        what: "a task",
        args: &["start", "installer"],
        prepare: |host| {
            host.simulator.script(Script::new("*").cancelable(true));
            host.simulator.stop_tasks();
        },
        is_reached: |host| host.simulator.load().waits > 0,
    },
    Moment {
        what: "a new session",
        args: &["event", "--all", "--loop"],
        prepare: |host| {
            host.simulator
                .inject(Rule::new("WaitForUpdatesEx", Effect::ExpireSession).from_nth(2));
            let later = Effect::Delay(Duration::from_millis(700));
            host.simulator.inject(Rule::new("Login", later).from_nth(2));
        },
        is_reached: |host| calls(host, "Login") == 2,
    },
];

fn silence(host: &Host, method: &str, nth: usize) {
    host.simulator
        .inject(Rule::new(method, Effect::Silence).nth(nth));
}

#[test]
fn nothing_is_left_whatever_signal_comes_when() {
    for moment in &MOMENTS {
        for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
            let host = Host::new();
            (moment.prepare)(&host);
            let mut command = host.virt_esx(moment.args);
            let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
            // Open, so that the command does not come to its end.
            let input = child.stdin.take();
            until(moment.what, || (moment.is_reached)(&host));
            let ended = told(child, &[signal]);
            drop(input);
            let what = format!("{} {signal}: {}", moment.what, ended.stderr);
            assert_eq!(ended.code, Some(code), "{what}");
            assert!(ended.took < Duration::from_secs(4), "{what}");
            nothing_left(&host, &what);
        }
    }
}

#[test]
fn a_silent_call_ends_soon_after_ctrl_c_and_at_once_after_a_second() {
    for signals in [&["-INT"][..], &["-INT", "-INT"]] {
        let host = Host::new();
        silence(&host, "PowerOnVM_Task", 1);
        let child = host.virt_esx(&["start", "installer"]).spawn().unwrap();
        until("the start", || calls(&host, "PowerOnVM_Task") == 1);
        let ended = told(child, signals);
        assert!(
            ended
                .stderr
                .starts_with("interrupted: waiting for the server's answer to PowerOnVM_Task;"),
            "{}",
            ended.stderr
        );
        assert_eq!(ended.code, Some(130));
        let longest = if signals.len() == 1 { 4000 } else { 1500 };
        assert!(ended.took.as_millis() < longest, "{:?}", ended.took);
        if signals.len() == 1 {
            assert!(
                ended
                    .stderr
                    .contains("whether the host does it is not known"),
                "{}",
                ended.stderr
            );
        }
        nothing_left(&host, &ended.stderr);
    }
}

#[test]
fn a_timeout_covers_every_call() {
    let silent = |method, nth| (method, nth, 1, "and nothing was started");
    let connecting = |method| (method, 1, 1, "there was no connection within 1 s");
    for (method, nth, code, says) in [
        connecting("RetrieveServiceContent"),
        connecting("Login"),
        silent("FindByInventoryPath", 1),
        silent("RetrievePropertiesEx", 1),
        ("RetrievePropertiesEx", 2, 1, "nothing was started"),
        (
            "PowerOnVM_Task",
            1,
            3,
            "whether the host does it is not known",
        ),
        ("WaitForUpdatesEx", 1, 1, "goes on"),
    ] {
        let host = Host::new();
        host.simulator.stop_tasks();
        silence(&host, method, nth);
        let begun = Instant::now();
        let output = host
            .virt_esx(&["start", "installer", "--timeout", "1"])
            .output()
            .unwrap();
        let (stderr, what) = (text(&output.stderr), format!("{method} {nth}"));
        assert!(stderr.contains(says), "{what}: {stderr}");
        assert_eq!(output.status.code(), Some(code), "{what}: {stderr}");
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(6), "{what}: {took:?}");
        nothing_left(&host, &what);
    }
}

#[test]
fn what_was_done_before_ctrl_c_is_told_in_a_few_lines() {
    let host = Host::new();
    let domains = ["installer", "build/ci"];
    host.simulator.script(Script::new("*").cancelable(true));
    let vms = host.simulator.objects("VirtualMachine");
    for vm in &vms {
        host.simulator.set_power_state(
            vm,
            esx_driver::vi_types::enums::VirtualMachinePowerState::PoweredOff,
        );
    }
    host.simulator.stop_tasks();
    let child = host
        .virt_esx(&["start", "--all", "--parallel", "1"])
        .spawn()
        .unwrap();
    until("the start", || host.simulator.load().waits > 0);
    let ended = told(child, &["-INT"]);
    assert_eq!(ended.code, Some(130));
    let expected = format!(
        "error: interrupted: of {} domains, 0 done, 1 failed, {} not begun: ",
        vms.len(),
        vms.len() - 1
    );
    assert!(ended.stderr.contains(&expected), "{}", ended.stderr);
    let named = domains.iter().any(|name| ended.stderr.contains(name));
    assert!(named, "{}", ended.stderr);
    assert!(ended.stderr.lines().count() <= 5, "{}", ended.stderr);
    assert_eq!(calls(&host, "PowerOnVM_Task"), 1);
    nothing_left(&host, &ended.stderr);
}

/// The command under a pseudo-terminal, without a password in the environment if it is to be asked for.
#[cfg(target_os = "linux")]
fn on_a_terminal(host: &Host, args: &[&str], knows_password: bool) -> Child {
    let mut command = terminals::on_a_terminal(80, &host.uri("no_verify=1"), args);
    if knows_password {
        command.env("VIRT_ESX_PASSWORD", super::PASSWORD);
    }
    command.spawn().unwrap()
}

/// Reads until the terminal shows a text.
#[cfg(target_os = "linux")]
fn shown(child: &mut Child, wanted: &str) -> String {
    let output = child.stdout.as_mut().unwrap();
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains(wanted) {
        let mut byte = [0];
        assert_eq!(
            output.read(&mut byte).unwrap(),
            1,
            "{:?}",
            String::from_utf8_lossy(&seen)
        );
        seen.push(byte[0]);
    }
    String::from_utf8_lossy(&seen).into_owned()
}

#[cfg(target_os = "linux")]
fn type_and_wait(mut child: Child, keys: &[u8]) -> Ended {
    let begun = Instant::now();
    let mut input = child.stdin.take().unwrap();
    input.write_all(keys).unwrap();
    input.flush().unwrap();
    let output = child.wait_with_output().unwrap();
    drop(input);
    Ended {
        code: output.status.code(),
        stderr: String::from_utf8_lossy(&output.stdout).into_owned(),
        took: begun.elapsed(),
    }
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_on_a_terminal_leaves_nothing() {
    for moment in &MOMENTS {
        let host = Host::new();
        (moment.prepare)(&host);
        let child = on_a_terminal(&host, moment.args, true);
        until(moment.what, || (moment.is_reached)(&host));
        let ended = type_and_wait(child, b"\x03");
        let what = format!("{}: {}", moment.what, ended.stderr);
        assert_eq!(ended.code, Some(130), "{what}");
        assert!(ended.took < Duration::from_secs(4), "{what}");
        nothing_left(&host, &what);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_that_goes_away_leaves_nothing() {
    for moment in &MOMENTS {
        let host = Host::new();
        (moment.prepare)(&host);
        let mut child = on_a_terminal(&host, moment.args, true);
        until(moment.what, || (moment.is_reached)(&host));
        // The terminal is gone with the program that has it.
        child.kill().unwrap();
        child.wait().unwrap();
        let begun = Instant::now();
        // A login that is under way gets its session first.
        std::thread::sleep(Duration::from_millis(1000));
        until(moment.what, || host.simulator.sessions() == 0);
        assert!(begun.elapsed() < Duration::from_secs(4), "{}", moment.what);
        nothing_left(&host, moment.what);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_ends_a_prompt() {
    // The user's name and the password, before there is a session.
    let host = Host::new();
    let mut child = on_a_terminal(&host, &["list"], false);
    shown(&mut child, "Enter username for");
    let ended = type_and_wait(child, b"\x03");
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.took < Duration::from_secs(2), "{:?}", ended.took);

    let mut child = on_a_terminal(&host, &["list"], false);
    shown(&mut child, "Enter username for");
    child.stdin.as_mut().unwrap().write_all(b"root\n").unwrap();
    shown(&mut child, "Enter root's password for");
    let ended = type_and_wait(child, b"\x03");
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.took < Duration::from_secs(2), "{:?}", ended.took);

    // What is typed is not shown, and is the password.
    let mut child = on_a_terminal(&host, &["domname", "1"], false);
    shown(&mut child, "Enter username for");
    child.stdin.as_mut().unwrap().write_all(b"root\n").unwrap();
    shown(&mut child, "Enter root's password for");
    shown(&mut child, ": ");
    let ended = type_and_wait(child, format!("{}\n", super::PASSWORD).as_bytes());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("web01"), "{}", ended.stderr);
    assert!(!ended.stderr.contains("ss <"), "{}", ended.stderr);

    // The question of a task.
    let script = Script::new("PowerOnVM_Task").asks(Question::serial_port());
    host.simulator.script(script.cancelable(true));
    let mut child = on_a_terminal(&host, &["start", "installer", "--ask"], true);
    shown(&mut child, "Answer [");
    let ended = type_and_wait(child, b"\x03");
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    assert!(ended.took < Duration::from_secs(4), "{:?}", ended.took);
    assert_eq!(calls(&host, "CancelTask"), 1, "{}", ended.stderr);
    nothing_left(&host, &ended.stderr);
}
