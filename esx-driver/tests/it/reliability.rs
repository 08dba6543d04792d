//! The table of faults in docs/reliability.md: every command of the table, while each of its requests in turn meets each
//! fault, from connecting to logging out.
//!
//! `UPDATE_RELIABILITY=1 cargo test -p esx-driver reliability` writes the table; without it, the test compares.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use esx_driver::{
    Connect, CreateFlags, DefineFlags, Error, ErrorKind, Result, ShutdownFlags, UndefineFlags,
    vi_client::transport::{BoxFuture, InProcess},
    virt_model::{
        Document as _, DomainFilter, DomainXmlFlags, SnapshotDef, event::DomainEventId,
        flags::SnapshotCreateFlags,
    },
};
use esx_sim::{Effect, Rule, Simulator};
use futures_util::StreamExt as _;
use http::StatusCode;
use vi_types::enums::VirtualMachinePowerState::{PoweredOff, PoweredOn};

use crate::positions::world::World;
use crate::{open, open_over, tasks};

/// A fault: its name as in `esx-sim --fault`, and what it does.
const FAULTS: [(&str, Effect); 7] = [
    ("drop-before", Effect::DropBefore),
    ("drop-after", Effect::DropAfter),
    ("truncate", Effect::Truncate(100)),
    ("503", Effect::Status(StatusCode::SERVICE_UNAVAILABLE)),
    ("html", Effect::Html),
    ("expire", Effect::ExpireSession),
    ("silence", Effect::Silence),
];

/// A command of the table.
struct Command {
    name: &'static str,
    /// Whether it changes something.
    changes: bool,
    run: fn(Simulator, Connect) -> BoxFuture<'static, Result<String>>,
}

macro_rules! commands {
    ($($name:literal $kind:ident |$simulator:ident, $connect:ident| $run:expr;)*) => {
        [$(Command {
            name: $name,
            changes: commands!(@$kind),
            run: |$simulator, $connect| {
                let _ = &$simulator;
                Box::pin(async move { $run })
            },
        }),*]
    };
    (@reads) => { false };
    (@changes) => { true };
}

/// The commands of the issue, and the three slices of the frame: an operation with a result, a second kind of document,
/// and a stream.
fn commands() -> [Command; 10] {
    commands! {
        "list" reads |simulator, connect| {
            let listed = connect.list_all_domains(DomainFilter::NONE).await?;
            let names = listed.domains.iter().map(|entry| entry.domain.name());
            Ok(names.collect::<Vec<_>>().join(" "))
        };
        "dumpxml" reads |simulator, connect| {
            let domain = connect.lookup_by_name("web01").await?;
            domain.xml_desc(DomainXmlFlags::NONE).await
        };
        "start" changes |simulator, connect| {
            let domain = connect.lookup_by_name("installer").await?;
            domain.create(CreateFlags::NONE).await?;
            Ok(String::new())
        };
        "define" changes |simulator, connect| {
            let xml = simulator.file("[ssd] defined.xml").unwrap_or_default();
            let xml = String::from_utf8_lossy(&xml).into_owned();
            connect.define_xml(&xml, DefineFlags::NONE).await?;
            Ok(String::new())
        };
        "undefine" changes |simulator, connect| {
            let domain = connect.lookup_by_name("installer").await?;
            domain.undefine(UndefineFlags::NONE).await?;
            Ok(String::new())
        };
        "shutdown" changes |simulator, connect| {
            let domain = connect.lookup_by_name("web01").await?;
            domain.shutdown(ShutdownFlags::NONE).await?;
            Ok(String::new())
        };
        "autostart" changes |simulator, connect| {
            let domain = connect.lookup_by_name("installer").await?;
            domain.set_autostart(true).await?;
            Ok(String::new())
        };
        "snapshot-create" changes |simulator, connect| {
            let domain = connect.lookup_by_name("web01").await?;
            let xml = SnapshotDef::new("s").to_xml(Default::default());
            domain.snapshot_create_xml(&xml, SnapshotCreateFlags::NONE).await?;
            Ok(String::new())
        };
        "net-dumpxml" reads |simulator, connect| {
            let network = connect.network_lookup_by_name("vSwitch0").await?;
            network.xml_desc(Default::default()).await
        };
        "event" reads |simulator, connect| {
            let events = connect.domain_events();
            let mut events = events.stream(None, [DomainEventId::Lifecycle]).await?;
            let stopping = async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                let vm = simulator.vm("web01").unwrap();
                simulator.set_power_state(&vm, PoweredOff);
                std::future::pending::<()>().await
            };
            let event = tokio::select! {
                event = events.next() => event,
                () = stopping => None,
            };
            let event = event.transpose()?;
            Ok(event.map(|event| event.domain.name().to_owned()).unwrap_or_default())
        };
    }
}

/// The server before a command.
async fn server(command: &Command) -> Simulator {
    let simulator = Simulator::esx().build();
    let vm = simulator.vm("web01").unwrap();
    simulator.set_power_state(&vm, PoweredOn);
    if command.name == "define" {
        let connect = open(&simulator, URI).await.unwrap();
        let domain = connect.lookup_by_name("installer").await.unwrap();
        let xml = domain.xml_desc(DomainXmlFlags::SECURE).await.unwrap();
        domain.undefine(UndefineFlags::NONE).await.unwrap();
        connect.close().await.unwrap();
        simulator.delete_file("[ssd] installer/installer.vmx");
        simulator.write_file("[ssd] defined.xml", xml);
    }
    simulator.clear_requests();
    simulator
}

const URI: &str = "esx://esx.example.com/";

/// How a command ended.
struct Run {
    result: Result<String>,
    /// Whether it failed before there was a connection.
    is_unconnected: bool,
    /// The server before, of the undisturbed run: it is always the same.
    before: Option<World>,
    after: World,
    /// The requests, in order.
    requests: Vec<String>,
}

/// Runs a command on a new server whose answer to the request with that number is spoiled.
async fn run(command: &Command, spoilt: Option<(Effect, usize)>) -> Run {
    let simulator = server(command).await;
    let before = spoilt.is_none().then(|| World::of(&simulator));
    let (handler, rules) = (simulator.handler(), simulator.clone());
    let seen = Arc::new(AtomicUsize::new(0));
    let transport = InProcess::new(move |request| {
        let (handler, rules) = (handler.clone(), rules.clone());
        let number = seen.fetch_add(1, Ordering::Relaxed) + 1;
        let spoilt = spoilt.clone().filter(|(_, position)| *position == number);
        Box::pin(async move {
            tokio::task::yield_now().await;
            // The handler looks for rules before it waits for anything.
            if let Some((effect, _)) = spoilt {
                let method = match request.uri().path() {
                    "/sdk" => "*",
                    _ => request.method().as_str(),
                };
                rules.inject(Rule::new(method, effect).nth(1));
            }
            let answer = handler(request).await;
            tokio::task::yield_now().await;
            answer
        })
    });
    let connected = open_over(transport, URI).await;
    let is_unconnected = connected.is_err();
    let result = match connected {
        Err(error) => Err(error),
        Ok(connect) => {
            let result = (command.run)(simulator.clone(), connect.clone()).await;
            // A logout that fails is a warning: what was done is done.
            let _ = connect.close().await;
            result
        }
    };
    let requests = simulator.requests().into_iter();
    let requests =
        requests.map(|request| request.method.unwrap_or_else(|| request.verb.to_string()));
    let mut requests: Vec<_> = requests.collect();
    // What is tidied up in the background comes in any order.
    if let Some(last) = requests.iter().position(|method| method == "Logout") {
        requests.truncate(last + 1);
    }
    tasks::settle().await;
    while simulator.step_tasks() {}
    Run {
        result,
        is_unconnected,
        before,
        after: World::of(&simulator),
        requests,
    }
}

/// The cell: what the command says, and whether it is so. `Err` if it says too little, or what is not so.
fn cell(command: &Command, whole: &Run, spoilt: &Run) -> Result<&'static str, String> {
    let before = whole.before.as_ref().unwrap();
    let is_as_before = spoilt.after.differences(before).is_empty();
    let is_done = spoilt.after.differences(&whole.after).is_empty();
    let error = match &spoilt.result {
        Ok(value) if value == whole.result.as_ref().unwrap() && is_done => return Ok("done"),
        Ok(value) => return Err(format!("it says done: '{value}', done: {is_done}")),
        Err(error) => error,
    };
    let told = told(error);
    if spoilt.is_unconnected {
        return match is_as_before {
            true => Ok("no connection"),
            false => Err(format!(
                "something was changed without a connection: {told}"
            )),
        };
    }
    if !command.changes {
        return Ok("failed");
    }
    let says_unchanged = error.kind() == ErrorKind::NotDone
        || error
            .outcome()
            .is_some_and(|outcome| outcome == "nothing was changed");
    match error.kind() {
        // What the server refuses, it has not done.
        _ if is_as_before && error.fault().is_some() => Ok("not done"),
        _ if says_unchanged && is_as_before => Ok("not done"),
        _ if says_unchanged => Err(format!("it denies what was done: {told}")),
        ErrorKind::InDoubt if is_done => Ok("not known (done)"),
        ErrorKind::InDoubt => Ok("not known (not done)"),
        // A look-up before the operation: there is nothing that it could have changed.
        _ if is_as_before && error.outcome().is_none() => Ok("not found"),
        _ if error.outcome().is_none() => Err(format!("it is a bare failure: {told}")),
        _ if is_done => Ok("done, then failed"),
        _ => Ok("partly done, named"),
    }
}

fn told(error: &Error) -> String {
    format!("{error} ({:?}) [{:?}]", error.kind(), error.outcome())
}

#[tokio::test(start_paused = true)]
async fn faults_by_request_and_command() {
    let mut page = String::new();
    let mut wrong = Vec::new();
    let mut totals = BTreeMap::<_, usize>::new();
    for command in &commands() {
        let whole = run(command, None).await;
        whole.result.as_ref().unwrap();
        let names = FAULTS.map(|(name, _)| name).join(" | ");
        writeln!(page, "\n`{}`\n\n| request | {names} |", command.name).unwrap();
        writeln!(page, "|---|{}", "---|".repeat(FAULTS.len())).unwrap();
        for (index, method) in whole.requests.iter().enumerate() {
            write!(page, "| {} {method} |", index + 1).unwrap();
            for (fault, effect) in FAULTS {
                let spoilt = run(command, Some((effect, index + 1))).await;
                let cell = cell(command, &whole, &spoilt).unwrap_or_else(|what| {
                    wrong.push(format!("{} {index} {method} {fault}: {what}", command.name));
                    "WRONG"
                });
                *totals.entry(cell).or_default() += 1;
                write!(page, " {cell} |").unwrap();
            }
            page.push('\n');
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let totals = totals.iter().map(|(cell, count)| format!("{count} {cell}"));
    let totals = totals.collect::<Vec<_>>().join(", ");
    section("faults", &format!("\n{totals}.\n{page}\n"));
}

/// Compares a section of the page with `text`, or writes it.
fn section(name: &str, text: &str) {
    let path = page();
    let page = std::fs::read_to_string(&path).unwrap();
    let (begin, end) = (
        format!("<!-- {name}: begin -->\n"),
        format!("<!-- {name}: end -->\n"),
    );
    let (before, rest) = page.split_once(&begin).unwrap();
    let (present, after) = rest.split_once(&end).unwrap();
    if std::env::var_os("UPDATE_RELIABILITY").is_some() {
        std::fs::write(&path, format!("{before}{begin}{text}{end}{after}")).unwrap();
        return;
    }
    for (line, (is, was)) in text.lines().zip(present.lines()).enumerate() {
        assert_eq!(
            is,
            was,
            "line {} of the section; UPDATE_RELIABILITY=1 writes it",
            line + 1
        );
    }
    assert_eq!(text.lines().count(), present.lines().count());
}

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reliability.md")
}
