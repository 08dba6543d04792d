//! What the commands share that start, stop and otherwise change domains: which domains, who
//! answers the host's questions, how waiting is shown and ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use esx_driver::{Connect, Domain, DomainEntry, Operation, bulk};
use futures_util::StreamExt as _;
use serde::Serialize;
use virt_model::{DomainFilter, DomainState};

use super::Query;
use super::domain::{self, By};
use crate::answer::Answer;
use crate::answering::Answering;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::progress::{self, Progresses};

/// What a command does to each of its domains.
pub(crate) trait Verb: Send + Sync + 'static {
    /// How a domain may be named.
    fn by(&self) -> By {
        By::ANY
    }

    /// The name of the command.
    fn name(&self) -> &'static str;

    /// The options that all these commands have.
    fn common(&self) -> &Common;

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

    /// Does it.
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
pub(crate) struct Common {
    /// domain name, id or uuid; there may be several
    #[arg(value_name = "domain", num_args = 0..)]
    domain: Vec<String>,

    /// all domains that are in the right state for it
    #[arg(long)]
    all: bool,

    /// so many domains at a time
    #[arg(long, value_name = "number", default_value_t = bulk::DEFAULT_PARALLEL)]
    parallel: usize,

    /// give up after so many seconds
    #[arg(long, value_name = "seconds")]
    timeout: Option<u64>,

    #[command(flatten)]
    answering: Answering,

    #[command(flatten)]
    progress: progress::Options,
}

/// What became of each domain.
#[derive(Debug, Serialize)]
pub(crate) struct Results {
    command: &'static str,
    domains: Vec<DomainResult>,

    #[serde(skip)]
    was_interrupted: bool,
}

/// What became of a domain.
#[derive(Debug, Serialize)]
struct DomainResult {
    /// Its name, or how the command line calls it.
    name: String,
    uuid: Option<String>,
    #[serde(rename = "error")]
    failure: Option<Failure>,

    #[serde(skip)]
    text: String,
}

impl<V: Verb> Query for V {
    type Answer = Results;

    fn check(&self) -> Result<(), Failure> {
        let common = self.common();
        let mut names = common.domain.iter();
        names.try_for_each(|name| domain::check(name))?;
        if common.all && !common.domain.is_empty() {
            return Err(domain::exclusive("domain", "all"));
        }
        if common.parallel == 0 {
            return Err(Failure::new("--parallel must be at least 1"));
        }
        common.answering.check()?;
        Verb::check(self)
    }

    async fn ask(self, connection: &Connection) -> Result<Results, Failure> {
        perform_all(Arc::new(self), connection).await
    }
}

/// Does it to all domains that are meant. There is one of this, and of what follows, for all commands.
async fn perform_all(verb: Arc<dyn Verb>, connection: &Connection) -> Result<Results, Failure> {
    let progresses = Progresses::new(&verb.common().progress);
    let answering = &verb.common().answering;
    let connect = connection.with_policy(answering.policy(connection.policy(), &progresses)?);

    let mut results = Vec::new();
    let mut chosen = Vec::new();
    let found = find(&*verb, &connect).await?;
    let is_one = found.len() == 1;
    for (name, found) in found {
        let refuse = |domain: Domain| match verb.refuse(&domain) {
            Ok(()) => Ok(domain),
            Err(failure) if is_one => Err(failure),
            Err(failure) => Err(Failure::because(verb.failed(domain.name()), failure)),
        };
        let domain = found.and_then(refuse);
        let place = results.len();
        results.push(DomainResult {
            name,
            uuid: domain.as_ref().ok().map(|domain| domain.uuid().to_string()),
            failure: domain.as_ref().err().cloned(),
            text: String::new(),
        });
        chosen.extend(domain.ok().map(|domain| (place, domain)));
    }
    perform(&verb, connection, &progresses, chosen, &mut results).await;
    Ok(Results {
        command: verb.name(),
        domains: results,
        was_interrupted: connection.was_interrupted(),
    })
}

/// The domains that the command line means, with what it calls them; several are looked for in one
/// listing.
async fn find(
    verb: &dyn Verb,
    connect: &Connect,
) -> Result<Vec<(String, Result<Domain, Failure>)>, Failure> {
    let common = verb.common();
    if let [name] = common.domain.as_slice() {
        let found = domain::find(connect, name, verb.by()).await;
        return Ok(vec![(name.clone(), found)]);
    }
    let listed = connect.list_all_domains(DomainFilter::default()).await?;
    if common.all {
        let fitting = listed.domains.iter().filter(|entry| verb.fits(entry.state));
        let named =
            |entry: &DomainEntry| (entry.domain.name().to_owned(), Ok(entry.domain.clone()));
        return Ok(fitting.map(named).collect());
    }
    let all: Vec<&Domain> = listed.domains.iter().map(|entry| &entry.domain).collect();
    let mut found: Vec<(String, Result<Domain, Failure>)> = Vec::new();
    for name in &common.domain {
        let domain = domain::find_among(&all, name, verb.by());
        // Twice the same would be in its own way.
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

/// Does it to all of `chosen`, and writes down at its place what became of each.
async fn perform(
    verb: &Arc<dyn Verb>,
    connection: &Connection,
    progresses: &Progresses,
    chosen: Vec<(usize, Domain)>,
    results: &mut [DomainResult],
) {
    let place = |(place, domain): &(usize, Domain)| (domain.moref().clone(), *place);
    let places: HashMap<_, _> = chosen.iter().map(place).collect();
    let domains: Vec<_> = chosen.into_iter().map(|(_, domain)| domain).collect();
    let begin = {
        let (verb, progresses) = (Arc::clone(verb), progresses.clone());
        let interruption = connection.interruption();
        move |domain: &Domain| {
            let operation = verb
                .perform(domain)
                .cancelled_by(interruption.clone().comes());
            // Watching a task costs requests that nobody needs to whom nothing is shown.
            let operation = match progresses.begin(domain.name()) {
                Some(line) => operation.on_progress(move |progress| line.show(&progress)),
                None => operation,
            };
            match verb.common().timeout {
                Some(seconds) => operation.deadline(Duration::from_secs(seconds)),
                None => operation,
            }
        }
    };
    let mut finished = bulk::run(domains, verb.common().parallel, begin);
    while let Some((domain, result)) = finished.next().await {
        results[places[domain.moref()]] = DomainResult::new(&**verb, &domain, result);
    }
}

impl DomainResult {
    fn new(verb: &dyn Verb, domain: &Domain, result: esx_driver::Result<()>) -> Self {
        let name = domain.name();
        let text = verb.done(name);
        let result = match result {
            Ok(()) => verb.afterwards().map_err(|failure| (text.clone(), failure)),
            Err(error) => Err((String::new(), Failure::because(verb.failed(name), error))),
        };
        let (text, failure) = match result {
            Ok(()) => (text, None),
            Err((text, failure)) => (text, Some(failure)),
        };
        Self {
            name: name.to_owned(),
            uuid: Some(domain.uuid().to_string()),
            failure,
            text,
        }
    }
}

impl Answer for Results {
    const SCHEMA: &'static str = "virt-esx/domain-results/1";

    fn text(&self, quiet: bool) -> String {
        if quiet {
            return String::new();
        }
        let lines = self.domains.iter().map(|result| result.text.as_str());
        lines
            .filter(|line| !line.is_empty())
            .map(|line| format!("{line}\n"))
            .collect()
    }

    fn failures(&self) -> Vec<&Failure> {
        let failures = self.domains.iter().map(|result| result.failure.as_ref());
        failures.flatten().collect()
    }

    fn was_interrupted(&self) -> bool {
        self.was_interrupted
    }
}
