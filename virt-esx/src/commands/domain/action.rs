//! The common part of commands that start, stop and otherwise change domains: which domains, the answers to the
//! host's questions, progress, deadline and cancellation.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use esx_driver::{Connect, Domain, DomainEntry, Operation, bulk};
use futures_util::StreamExt as _;
use serde::Serialize;
use virt_model::{DomainFilter, DomainState};

use crate::answer::{self, Format};
use crate::answering::Answering;
use crate::commands::Command;
use crate::commands::domain_arg::{self, Any, KeySet, Keys as _};
use crate::commands::options::check_exclusive;
use crate::connection::Connection;
use crate::failure::{Detail, Failure};
use crate::ui::progress::{self, Progresses};
use crate::ui::{Ui, foreign};
use crate::words;

/// What a command does to each of its domains.
pub(crate) trait Action: Send + Sync + 'static {
    /// By what it finds a domain.
    fn keys(&self) -> KeySet {
        Any::KEYS
    }

    /// The name of the command.
    fn name(&self) -> &'static str;

    /// libvirt's function that it calls.
    fn function(&self) -> &'static str;

    /// The options that all these commands have.
    fn options(&self) -> &ActionOptions;

    /// Refuses combinations of options before a connection is made.
    fn check(&self) -> Result<(), Failure> {
        Ok(())
    }

    /// Whether `--all` means a domain in this state.
    fn fits(&self, state: DomainState) -> bool;

    /// Refuses a domain before anything is asked of the host.
    fn refuse(&self, _domain: &Domain) -> Result<(), Failure> {
        Ok(())
    }

    /// The operation on a domain.
    fn perform(&self, domain: &Domain) -> Operation<'static>;

    /// What virsh prints when it is done.
    fn done(&self, name: &str) -> String;

    /// What virsh prints when it failed, above the reason.
    fn failed(&self, name: &str) -> String;

    /// What follows when it is done.
    fn afterwards(&self) -> Result<(), Failure> {
        Ok(())
    }
}

/// The options of all these commands.
#[derive(Debug, clap::Args)]
pub(crate) struct ActionOptions {
    /// domain name, id or uuid; there may be several
    #[arg(value_name = "domain", num_args = 0.., required_unless_present = "all")]
    domain: Vec<String>,

    /// all domains whose state allows it
    #[arg(long)]
    all: bool,

    /// number of domains to process in parallel
    #[arg(long, value_name = "number", default_value_t = bulk::DEFAULT_PARALLEL)]
    parallel: usize,

    /// stop waiting after this many seconds
    #[arg(long, value_name = "seconds")]
    timeout: Option<u64>,

    #[command(flatten)]
    answering: Answering,

    #[command(flatten)]
    progress: progress::Options,
}

/// The results of a command.
#[derive(Debug, Serialize)]
struct Results<'a> {
    command: &'static str,
    domains: Vec<&'a DomainResult>,
}

/// The result for one domain.
#[derive(Debug, Serialize)]
struct DomainResult {
    /// Its name, or how the command line calls it.
    name: String,
    uuid: Option<String>,
    #[serde(rename = "error")]
    failure: Option<Failure>,
    #[serde(flatten)]
    detail: Detail,

    #[serde(skip)]
    text: String,
    #[serde(skip)]
    is_begun: bool,
}

/// So many domains that were not begun are named.
const MOST_NAMES: usize = 10;

/// A line of the results as JSON lines.
#[derive(Debug, Serialize)]
struct ResultLine<'a> {
    command: &'static str,
    #[serde(flatten)]
    result: &'a DomainResult,
}

impl<A: Action> Command for A {
    fn check(&self) -> Result<(), Failure> {
        let options = self.options();
        let mut names = options.domain.iter();
        names.try_for_each(|name| domain_arg::check(name))?;
        check_exclusive([("domain", !options.domain.is_empty()), ("all", options.all)])?;
        if options.parallel == 0 {
            return Err(Failure::new("--parallel must be at least 1"));
        }
        options.answering.check()?;
        Action::check(self)
    }

    fn timeout(&self) -> Option<Duration> {
        self.options().timeout.map(Duration::from_secs)
    }

    async fn run(self, ui: &Ui, connection: &Connection) -> Result<(), Failure> {
        perform_all(Arc::new(self), ui, connection).await
    }
}

/// Performs the action on all its domains. The functions from here on are not generic, so that they exist once.
async fn perform_all(
    action: Arc<dyn Action>,
    ui: &Ui,
    connection: &Connection,
) -> Result<(), Failure> {
    let progresses = ui.progresses(&action.options().progress);
    let policy = action.options().answering.policy(connection.policy(), ui)?;
    let connect = connection.with_policy(policy);

    let interruption = ui.interruption();
    let found = tokio::select! {
        found = within(action.options().timeout, find(&*action, &connect)) => found?,
        // The session says how the command has ended.
        () = interruption.comes() => return Ok(()),
    };
    let mut report = Report::new(ui, action.name(), found.len());
    let mut chosen = Vec::new();
    let is_one = found.len() == 1;
    for (place, (name, found)) in found.into_iter().enumerate() {
        let (uuid, refused) = match &found {
            Ok(domain) => (
                Some(domain.uuid().to_string()),
                check(&*action, connection, domain, is_one).err(),
            ),
            Err(failure) => (None, Some(failure.clone())),
        };
        match (found, refused) {
            (Ok(domain), None) => chosen.push((place, domain)),
            (_, failure) => report.add(place, DomainResult::of(name, uuid, failure, String::new())),
        }
    }
    perform(&action, ui, &progresses, chosen, &mut report).await;
    report.end();
    Ok(())
}

/// What is looked up before anything is changed, unless it takes longer than that many seconds.
pub(super) async fn within<T>(
    seconds: Option<u64>,
    looking: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let Some(seconds) = seconds else {
        return looking.await;
    };
    let found = tokio::time::timeout(Duration::from_secs(seconds), looking).await;
    found.unwrap_or_else(|_| {
        Err(Failure::new(format!(
            "Timed out during operation: the server did not answer within {seconds} s, and nothing was started"
        )))
    })
}

/// Refuses a domain before anything is asked of the host. virsh has no line of its own above the reason that
/// [`Action::refuse`] gives; among several domains there has to be one.
fn check(
    action: &dyn Action,
    connection: &Connection,
    domain: &Domain,
    is_one: bool,
) -> Result<(), Failure> {
    let failed = |reason| Failure::because(action.failed(domain.name()), reason);
    let refused = action.refuse(domain);
    refused.map_err(|reason| if is_one { reason } else { failed(reason) })?;
    let writable = connection.check_writable(action.function());
    writable.map_err(failed)
}

/// The domains of the command line, each with its word there. Several are found in one listing.
async fn find(
    action: &dyn Action,
    connect: &Connect,
) -> Result<Vec<(String, Result<Domain, Failure>)>, Failure> {
    let options = action.options();
    if let [name] = options.domain.as_slice() {
        let found = domain_arg::find(connect, name, action.keys()).await;
        return Ok(vec![(name.clone(), found)]);
    }
    let listed = connect.list_all_domains(DomainFilter::default()).await?;
    if options.all {
        let fitting = listed
            .domains
            .iter()
            .filter(|entry| action.fits(entry.state));
        let named =
            |entry: &DomainEntry| (entry.domain.name().to_owned(), Ok(entry.domain.clone()));
        return Ok(fitting.map(named).collect());
    }
    let all: Vec<&Domain> = listed.domains.iter().map(|entry| &entry.domain).collect();
    let mut found: Vec<(String, Result<Domain, Failure>)> = Vec::new();
    for name in &options.domain {
        let domain = domain_arg::find_among(&all, name, action.keys());
        // Two operations on one domain would hinder each other.
        let is_new = |domain: &Domain| {
            let mut others = found.iter().filter_map(|(_, other)| other.as_ref().ok());
            others.all(|other| other.moref() != domain.moref())
        };
        if domain.as_ref().map_or(true, is_new) {
            found.push((name.clone(), domain));
        }
    }
    Ok(found)
}

/// Performs the action on all of `chosen`, each with its place in the report.
async fn perform(
    action: &Arc<dyn Action>,
    ui: &Ui,
    progresses: &Progresses,
    chosen: Vec<(usize, Domain)>,
    report: &mut Report<'_>,
) {
    let place = |(place, domain): &(usize, Domain)| (domain.moref().clone(), *place);
    let places: HashMap<_, _> = chosen.iter().map(place).collect();
    let mut waiting: BTreeMap<_, _> = chosen.iter().cloned().collect();
    let interruption = ui.interruption();
    let domains = {
        let interruption = interruption.clone();
        // None is begun after an interruption.
        let domains = chosen.into_iter().map(|(_, domain)| domain);
        domains.take_while(move |_| !interruption.came())
    };
    let begin = {
        let (action, progresses) = (Arc::clone(action), progresses.clone());
        move |domain: &Domain| {
            let operation = action
                .perform(domain)
                .cancelled_by(interruption.clone().comes());
            // Watching a task costs requests: only if something is shown.
            let operation = match progresses.begin(domain.name()) {
                Some(line) => operation.on_progress(move |progress| line.show(&progress)),
                None => operation,
            };
            match action.options().timeout {
                Some(seconds) => operation.deadline(Duration::from_secs(seconds)),
                None => operation,
            }
        }
    };
    let total = progresses.begin_all(waiting.len());
    let mut finished = bulk::run(domains, action.options().parallel, begin);
    while let Some((domain, result)) = finished.next().await {
        let place = places[domain.moref()];
        waiting.remove(&place);
        if let Some(total) = &total {
            total.advance();
        }
        report.add(place, DomainResult::new(&**action, &domain, result));
    }
    if ui.signal().is_some() {
        report.interrupted(waiting);
    }
}

/// The two commands that go on from a question which blocked `command` for the domain `name`.
fn ways_on(command: &str, name: &str, error: &esx_driver::Error) -> Option<String> {
    let question = error.question()?;
    if question.choices.is_empty() {
        return None;
    }
    let name = words::quoted(name);
    Some(match error.leaves_question() {
        true => format!("virt-esx question show {name}\nvirt-esx question answer {name} ANSWER"),
        false => {
            format!("virt-esx {command} {name} --ask\nvirt-esx {command} {name} --auto-answer")
        }
    })
}

impl DomainResult {
    fn of(name: String, uuid: Option<String>, failure: Option<Failure>, text: String) -> Self {
        let detail = failure.as_ref().map(Failure::detail);
        Self {
            name,
            uuid,
            failure,
            detail: detail.unwrap_or_default(),
            text,
            is_begun: true,
        }
    }

    fn new(action: &dyn Action, domain: &Domain, result: esx_driver::Result<()>) -> Self {
        let name = domain.name();
        let (text, failure) = match result {
            Ok(()) => (action.done(&foreign::line(name)), action.afterwards().err()),
            Err(error) => {
                let ways = ways_on(action.name(), name, &error);
                let failure = Failure::because(action.failed(name), error);
                let failure = match ways {
                    Some(ways) => failure.advise_also(&ways),
                    None => failure,
                };
                (String::new(), Some(failure))
            }
        };
        Self::of(
            name.to_owned(),
            Some(domain.uuid().to_string()),
            failure,
            text,
        )
    }

    /// A domain with which nothing was begun when the interruption came.
    fn left(domain: &Domain) -> Self {
        let failure = Failure::new("interrupted before it was begun");
        let uuid = Some(domain.uuid().to_string());
        Self {
            is_begun: false,
            ..Self::of(domain.name().to_owned(), uuid, Some(failure), String::new())
        }
    }
}

/// The results, printed as they come but in the order of the command line.
struct Report<'a> {
    ui: &'a Ui,
    command: &'static str,
    results: Vec<Option<DomainResult>>,
    /// How many were printed.
    printed: usize,
}

impl<'a> Report<'a> {
    fn new(ui: &'a Ui, command: &'static str, domains: usize) -> Self {
        Self {
            ui,
            command,
            results: (0..domains).map(|_| None).collect(),
            printed: 0,
        }
    }

    /// Adds the result at `place`, and prints all results up to the first that is missing.
    fn add(&mut self, place: usize, result: DomainResult) {
        self.results[place] = Some(result);
        while let Some(Some(result)) = self.results.get(self.printed) {
            // The operations go on even if nobody reads any more.
            let _ = self.print(result);
            self.printed += 1;
        }
    }

    /// Adds the domains that were not begun, and says how far the command was.
    fn interrupted(&mut self, left: BTreeMap<usize, Domain>) {
        let names: Vec<_> = left
            .values()
            .map(|domain| domain.name().to_owned())
            .collect();
        for (place, domain) in left {
            self.add(place, DomainResult::left(&domain));
        }
        if self.results.len() < 2 {
            return;
        }
        let done = self.results.iter().flatten();
        let done = done.filter(|result| result.failure.is_none()).count();
        let mut line = format!(
            "interrupted: of {} domains, {done} done, {} failed, {} not begun",
            self.results.len(),
            self.results.len() - done - names.len(),
            names.len(),
        );
        if !names.is_empty() {
            line += ": ";
            line += &names[..names.len().min(MOST_NAMES)].join(", ");
        }
        if names.len() > MOST_NAMES {
            line += &format!(" and {} more", names.len() - MOST_NAMES);
        }
        self.ui.failure(&Failure::new(line));
    }

    fn print(&self, result: &DomainResult) -> Result<(), Failure> {
        // What was not begun is told at the end.
        if let Some(failure) = result.failure.as_ref().filter(|_| result.is_begun) {
            self.ui.failure(failure);
        }
        match self.ui.format() {
            Format::Text if self.ui.is_quiet() || result.text.is_empty() => {}
            Format::Text => self.ui.line(&result.text)?,
            Format::Json => {}
            Format::Jsonl => {
                let command = self.command;
                let line = ResultLine { command, result };
                self.ui
                    .print(&answer::json_line("virt-esx/domain-result/1", &line))?;
            }
        }
        Ok(())
    }

    /// Prints the document of all results, if they were not printed one by one.
    fn end(self) {
        if self.ui.format() == Format::Json {
            let results = Results {
                command: self.command,
                domains: self.results.iter().flatten().collect(),
            };
            // What was done is done, whoever reads it.
            let document = answer::json("virt-esx/domain-results/1", &results);
            let _ = self.ui.print(&document);
        }
    }
}
