//! Measures events at scale: all domains of a simulated vCenter, which is a process of its own, while they change.
//!
//! ```console
//! $ cargo run --release -p esx-driver --example event_load -- --domains 10000 --rate 1000 --seconds 60 --idle 60
//! ```
//!
//! One connection for each of the four hosts of the vCenter, and one callback on each. It prints the delay from a change
//! to the callback, whether the events lead to the state of the server, processor time and memory of the client, and the
//! requests it makes while nothing changes.
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

mod measured;

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use std::{fs, io};

use esx_driver::auth::{AuthFileSearch, NoPrompts};
use esx_driver::virt_model::event::{DefinedDetail, DomainEventId, LifecycleEvent};
use esx_driver::virt_model::flags::DomainFilter;
use esx_driver::{Connect, DomainEventDetail, EsxUri, OpenOptions};
use esx_sim::vi_types::DateTime;
use esx_sim::vi_types::enums::VirtualMachinePowerState;
use esx_sim::vi_types::properties::VirtualMachine;
use esx_sim::{Action, Change, Simulator};

use measured::{Process, memory_mb, number};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The hosts of the simulated vCenter. Together they have all machines.
const HOSTS: [&str; 4] = [
    "Berlin/Production/esx-01.example.com",
    "Berlin/Production/esx-02.example.com",
    "Berlin/Edge/esx-edge.example.com",
    "Europe/Paris/Racks/Row%20A/esx-01.paris.example.com",
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "serve") {
        return serve(number(&arguments, "--domains", 10_000)).await;
    }
    measure(&arguments).await
}

/// Nanoseconds of the clock that both processes read.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_nanos() as u64)
}

fn nanoseconds(time: &DateTime) -> u64 {
    time.epoch_seconds().unwrap_or_default() as u64 * 1_000_000_000
        + u64::from(time.subsecond_nanoseconds())
}

/// What a change leads to: `on`, `off`, `suspended` or a name.
type State = String;

fn is_power(state: &str) -> bool {
    matches!(state, "on" | "off" | "suspended")
}

// The client.

/// A machine at the end: its key, its name and its power state.
type Machine = (String, String, String);

/// A change: of which domain, what it leads to, and when it was made.
struct Made {
    key: String,
    state: State,
    at: u64,
}

/// An event: of which domain, what it led to, when its callback was called, and the time of the server's event that
/// explains it.
struct Told {
    key: String,
    state: State,
    at: u64,
    time: Option<u64>,
}

async fn measure(arguments: &[String]) -> Result<()> {
    let domains = number(arguments, "--domains", 10_000);
    let rate = number(arguments, "--rate", 1000);
    let seconds = number(arguments, "--seconds", 60);
    let idle = number(arguments, "--idle", 60);

    let mut server = Process::start(&["serve", "--domains", &domains.to_string()])?;
    let address = server.line()?;
    println!("{domains} domains; {rate} changes a second for {seconds} s");

    let told: Arc<Mutex<Vec<Told>>> = Arc::default();
    let (begun, cpu) = (Instant::now(), cpu_seconds());
    let mut connects = Vec::new();
    let mut known = HashMap::new();
    for host in HOSTS {
        let uri: EsxUri = format!("vpx://{address}/{host}?no_verify=1").parse()?;
        let connect = OpenOptions::new(&NoPrompts)
            .auth_files(AuthFileSearch::default())
            .password("password".to_owned().into())
            .open(&uri)
            .await?;
        let into = Arc::clone(&told);
        connect
            .domain_events()
            .register(None, DomainEventId::Lifecycle, move |event| {
                let DomainEventDetail::Lifecycle(change) = &event.detail else {
                    return;
                };
                let state = match change {
                    LifecycleEvent::Started(_) | LifecycleEvent::Resumed(_) => "on",
                    LifecycleEvent::Suspended(_) | LifecycleEvent::PmSuspended(_) => "suspended",
                    LifecycleEvent::Stopped(_) => "off",
                    LifecycleEvent::Defined(DefinedDetail::Renamed) => event.domain.name(),
                    _ => return,
                };
                let told = Told {
                    key: event.domain.moref().value.clone(),
                    state: state.to_owned(),
                    at: now(),
                    time: event.time.as_ref().map(nanoseconds),
                };
                into.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(told);
            })
            .await?;
        for domain in connect.list_all_domains(DomainFilter::NONE).await?.domains {
            known.insert(
                domain.domain.moref().value.clone(),
                [domain.domain.name().to_owned(), String::new()],
            );
        }
        connects.push(connect);
    }
    println!(
        "start: {:.2} s, {:.2} s of processor time, {} domains known, {} MB",
        begun.elapsed().as_secs_f64(),
        cpu_seconds() - cpu,
        known.len(),
        memory_mb("VmRSS"),
    );

    let before = server.ask("requests")?;
    let cpu = cpu_seconds();
    tokio::time::sleep(Duration::from_secs(idle)).await;
    let spent = cpu_seconds() - cpu;
    let after = server.ask("requests")?;
    println!(
        "idle for {idle} s: {} requests of {} connections, {spent:.2} s of processor time",
        after.parse::<u64>()? - before.parse::<u64>()?,
        connects.len(),
    );

    let (begun, cpu) = (Instant::now(), cpu_seconds());
    let before: u64 = after.parse()?;
    let server_cpu: f64 = server.ask("cpu")?.parse()?;
    server.say(&format!("change {rate} {seconds}"))?;
    // Events arrive in the meantime.
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let (mut count, mut was_over) = (0, false);
    loop {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let so_far = told.lock().unwrap_or_else(PoisonError::into_inner).len();
        // Quiet before the end only says that the server had no time to answer.
        if was_over && so_far == count {
            break;
        }
        (count, was_over) = (so_far, is_over(&mut server));
    }
    let (spent, lasted) = (cpu_seconds() - cpu, begun.elapsed().as_secs_f64());
    let requests = server.ask("requests")?.parse::<u64>()? - before;
    let server_cpu = server.ask("cpu")?.parse::<f64>()? - server_cpu;
    let (changes, last) = dump(&mut server)?;
    let told = std::mem::take(&mut *told.lock().unwrap_or_else(PoisonError::into_inner));
    println!(
        "changes: {} made in {:.1} s, {} events, {requests} requests",
        changes.len(),
        (changes.last().map_or(0, |one| one.at) - changes.first().map_or(0, |one| one.at)) as f64
            / 1e9,
        told.len(),
    );
    let (delays, skipped, strange) = delays(&changes, &told);
    let at = |part: f64| {
        let index = ((delays.len().max(1) - 1) as f64 * part) as usize;
        delays.get(index).copied().unwrap_or(0) as f64 / 1e6
    };
    println!(
        "delay from change to callback in ms: median {:.2}, p90 {:.2}, p99 {:.2}, largest {:.2}",
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0),
    );
    println!(
        "{skipped} changes were overtaken by a later one of the same domain; {strange} events without a change"
    );
    let unexplained = told.iter().filter(|event| event.time.is_none()).count();
    println!("{unexplained} events whose reason did not come in time");
    println!(
        "client: {spent:.2} s of processor time in {lasted:.1} s ({:.1} %), {} MB (at most {} MB)",
        100.0 * spent / lasted,
        memory_mb("VmRSS"),
        memory_mb("VmHWM"),
    );

    let each = |spent: f64| 1e6 * spent / changes.len().max(1) as f64;
    println!(
        "processor time of a change: client {:.0} µs, server {:.0} µs",
        each(spent),
        each(server_cpu),
    );

    // The events put together are what the server has.
    for one in told {
        let state = known.entry(one.key).or_default();
        let index = usize::from(is_power(&one.state));
        state[index] = one.state;
    }
    let mut wrong = 0;
    for (key, name, power) in &last {
        let state = known.get(key);
        let is_right = state.is_some_and(|[known, changed]| {
            known == name && (changed.is_empty() || changed == power)
        });
        wrong += usize::from(!is_right);
    }
    println!(
        "final states: {} of {} right",
        last.len() - wrong,
        last.len()
    );
    let mut listed = 0;
    for connect in connects {
        listed += active(&connect).await?;
        connect.close().await?;
    }
    let on = last.iter().filter(|(_, _, power)| power != "off").count();
    println!("a list afterwards has {listed} active domains, the server {on}");
    println!("left on the server: {}", server.ask("leftovers")?);
    if wrong > 0 || listed != on {
        return Err("the events did not lead to the state of the server".into());
    }
    Ok(())
}

async fn active(connect: &Connect) -> Result<usize> {
    let list = connect.list_all_domains(DomainFilter::ACTIVE).await?;
    Ok(list.domains.len())
}

/// The delays of the changes that were told, in order; the number of those that were not, because a later change of the
/// same domain overtook them, and the number of events without a change.
///
/// An event belongs to the last change that leads to its state, of those before the server's event that explains it. Of
/// two changes that a watch sees as one, one is not told: `off` and `on` again is nothing. So it would be wrong to take
/// the first one. Names and power states are told in an order of their own.
fn delays(changes: &[Made], told: &[Told]) -> (Vec<u64>, usize, usize) {
    let mut by_domain: HashMap<(&str, bool), Vec<&Made>> = HashMap::new();
    for change in changes {
        let of = (change.key.as_str(), is_power(&change.state));
        by_domain.entry(of).or_default().push(change);
    }
    let (mut delays, mut strange) = (Vec::new(), 0);
    // From the last one, whose change cannot be that of an earlier event.
    for event in told.iter().rev() {
        let of = (event.key.as_str(), is_power(&event.state));
        // The server's events have microseconds, and one of a name may be that of an earlier name.
        let time = event.time.filter(|_| of.1);
        let until = time.map_or(event.at, |time| time + 1_000);
        let found = by_domain.get_mut(&of).and_then(|before| {
            let is_it = |change: &&Made| change.state == event.state && change.at <= until;
            let index = before.iter().rposition(is_it)?;
            before.drain(index..).next()
        });
        match found {
            Some(change) => delays.push(event.at - change.at),
            None => strange += 1,
        }
    }
    delays.sort_unstable();
    let skipped = changes.len() - delays.len();
    (delays, skipped, strange)
}

/// The processor time of this process so far.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit_once(") ").map_or("", |(_, after)| after);
    let mut fields = after_name.split(' ').skip(11);
    let mut ticks = || {
        fields
            .next()
            .and_then(|field| field.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    // Linux counts in hundredths of a second.
    (ticks() + ticks()) / 100.0
}

/// Whether the server has made all changes.
fn is_over(server: &mut Process) -> bool {
    server.ask("over").is_ok_and(|answer| answer == "true")
}

/// All changes, and the names and power states of the machines.
fn dump(server: &mut Process) -> Result<(Vec<Made>, Vec<Machine>)> {
    server.say("dump")?;
    let (mut changes, mut last) = (Vec::new(), Vec::new());
    loop {
        let line = server.line()?;
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        match &*words {
            [word, at, key, state] if word == "change" => changes.push(Made {
                key: key.clone(),
                state: state.clone(),
                at: at.parse()?,
            }),
            [word, key, name, power] if word == "machine" => {
                last.push((key.clone(), name.clone(), power.clone()));
            }
            _ => return Ok((changes, last)),
        }
    }
}

// The server.

#[derive(Default)]
struct Progress {
    changes: Vec<String>,
    is_over: bool,
}

async fn serve(domains: u64) -> Result<()> {
    let simulator = Simulator::vcenter().vms(domains as usize).build();
    let server = simulator.listen("127.0.0.1:0", true).await?;
    println!("{}@{}", simulator.user().replace('@', "%40"), server.addr());
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in io::stdin().lines().map_while(std::result::Result::ok) {
            let _ = sender.send(line);
        }
    });
    let made: Arc<Mutex<Progress>> = Arc::default();
    while let Some(line) = lines.recv().await {
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        match &*words {
            [word] if word == "requests" => println!("{}", simulator.requests().len()),
            [word] if word == "leftovers" => println!("{}", simulator.leftovers().len()),
            [word] if word == "cpu" => println!("{}", cpu_seconds()),
            [word] if word == "over" => println!("{}", lock(&made).is_over),
            [word, rate, seconds] if word == "change" => {
                let (rate, seconds) = (rate.parse()?, seconds.parse()?);
                tokio::spawn(change(simulator.clone(), rate, seconds, Arc::clone(&made)));
            }
            _ => {
                let mut text = lock(&made).changes.join("");
                for vm in simulator.objects("VirtualMachine") {
                    let machine = simulator.read(&vm, |machine: &VirtualMachine| {
                        (machine.name.clone().unwrap_or_default(), power(machine))
                    });
                    if let Some((name, power)) = machine {
                        text += &format!("machine {} {name} {power}\n", vm.value);
                    }
                }
                println!("{text}end");
            }
        }
    }
    Ok(())
}

fn lock(made: &Mutex<Progress>) -> std::sync::MutexGuard<'_, Progress> {
    made.lock().unwrap_or_else(PoisonError::into_inner)
}

fn power(machine: &VirtualMachine) -> &'static str {
    let runtime = machine.runtime.as_deref();
    match runtime.map(|runtime| &runtime.power_state) {
        Some(VirtualMachinePowerState::PoweredOn) => "on",
        Some(VirtualMachinePowerState::Suspended) => "suspended",
        _ => "off",
    }
}

/// Changes power states and, each sixteenth time, names of random machines.
async fn change(simulator: Simulator, rate: u64, seconds: u64, made: Arc<Mutex<Progress>>) {
    let vms = simulator.objects("VirtualMachine");
    let begun = Instant::now();
    let mut random = 1u64;
    let mut rounds = tokio::time::interval(Duration::from_millis(5));
    let mut number = 0;
    while number < rate * seconds {
        rounds.tick().await;
        // A server that is too slow for the rate has to answer its clients nevertheless.
        tokio::task::yield_now().await;
        let due = begun.elapsed().as_secs_f64() * rate as f64;
        let due = (rate * seconds).min(due as u64).min(number + rate / 50 + 1);
        while number < due {
            number += 1;
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let Some(vm) = vms.get((random >> 33) as usize % vms.len().max(1)) else {
                return;
            };
            let is = simulator.read(vm, power);
            let (action, state) = match (number % 16, is) {
                (0, _) => (Action::Rename(format!("r{number}")), format!("r{number}")),
                (1..4, Some("on")) => (Action::Suspend, "suspended".to_owned()),
                (_, Some("on")) => (Action::PowerOff, "off".to_owned()),
                _ => (Action::PowerOn, "on".to_owned()),
            };
            let at = now();
            if simulator.apply(&Change::new(vm, action)).is_ok() {
                let line = format!("change {at} {} {state}\n", vm.value);
                lock(&made).changes.push(line);
            }
        }
    }
    lock(&made).is_over = true;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(words: &str) -> Vec<Made> {
        let made = words.split_whitespace().map(|word| {
            let (state, at) = word.split_once('@').unwrap_or((word, "0"));
            Made {
                key: "vm-1".to_owned(),
                state: state.to_owned(),
                at: at.parse::<u64>().unwrap_or(0) * 1_000_000,
            }
        });
        made.collect()
    }

    /// Events as `STATE@TIME` or `STATE@TIME/TIME OF THE SERVER'S EVENT`.
    fn told(words: &str) -> Vec<Told> {
        let told = words.split_whitespace().map(|word| {
            let (word, time) = word.split_once('/').unzip();
            let event = made(word.unwrap_or(words)).remove(0);
            Told {
                key: event.key,
                state: event.state,
                at: event.at,
                time: time.and_then(|time: &str| Some(time.parse::<u64>().ok()? * 1_000_000)),
            }
        });
        told.collect()
    }

    #[test]
    fn events_belong_to_their_changes() {
        for (changes, events, expected) in [
            ("on@10 off@20", "on@15/11 off@26/21", (vec![5, 6], 0, 0)),
            // The first two are nothing for a watch, and do not wait for an event for ever.
            (
                "on@10 off@11 on@100 off@200",
                "on@103/101 off@204/201",
                (vec![3, 4], 2, 0),
            ),
            // A later change to the same state is not the one that is told.
            ("on@10 off@20 on@30", "on@40/11", (vec![30], 2, 0)),
            ("on@10 off@20 on@30", "on@40/", (vec![10], 2, 0)),
            (
                "on@10 off@20 on@30",
                "on@40/ off@41/ on@42/",
                (vec![12, 21, 30], 0, 0),
            ),
            // Both are one for a watch, and the name is told first.
            ("on@10 r1@20", "r1@25/21 on@26/11", (vec![5, 16], 0, 0)),
            ("on@10", "off@20/", (vec![], 1, 1)),
            ("on@10", "on@20/11 on@30/11", (vec![20], 0, 1)),
        ] {
            let (delays, skipped, strange) = delays(&made(changes), &told(events));
            let milliseconds: Vec<_> = delays.iter().map(|delay| delay / 1_000_000).collect();
            assert_eq!(
                (milliseconds, skipped, strange),
                expected,
                "{changes}: {events}"
            );
        }
    }
}
