//! Every call that changes something, while each of its requests in turn is spoiled.
//!
//! A row of [`calls`] says how a call is prepared. The harness runs it once undisturbed and counts its requests. Then it
//! runs it again, each time on a new server, for every position of a request and every way to spoil it. Whatever happens,
//!
//! - the call succeeds, and the server is as after the undisturbed run; or there is an error, with a kind that says what is
//!   known: the server is as before, or as after the undisturbed run and the error does not deny that, or what is half-made is
//!   named by the error; a broken connection never is all that it says;
//! - no request that changes something is run more often than in the undisturbed run;
//! - no property filter, collector or view of ours is left.

mod calls;
pub(crate) mod world;

use std::{
    future::IntoFuture,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use esx_driver::{
    Connect, Error, ErrorKind, Operation, Result,
    vi_client::{
        self,
        transport::{BoxFuture, InProcess},
    },
};
use esx_sim::{Effect, Recorded, Rule, Simulator};
use http::StatusCode;
use vi_types::{SoapFault, objects::SystemError};

use self::world::World;
use crate::{open_over, tasks};

/// A server whose requests are counted, and one of them spoiled.
pub(crate) struct Server {
    pub(crate) simulator: Simulator,
    spoiler: Arc<Spoiler>,
}

/// Counts requests and spoils them.
#[derive(Default)]
struct Spoiler {
    /// How many requests there were since it was armed.
    seen: AtomicUsize,
    /// What becomes of which request.
    plan: Mutex<Option<(Spoilt, usize)>>,
    /// The requests that were refused for want of a session.
    refused: Mutex<Vec<usize>>,
}

/// How a request is spoiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spoilt {
    /// The server refuses it with a fault.
    Fault,
    /// The connection breaks before the server gets it.
    Unsent,
    /// The server runs it, and its answer is lost.
    Unanswered,
    /// The session has ended.
    Expired,
    /// The server runs it, its answer is lost, and nothing reaches the server any more.
    Gone,
    /// A proxy answers it with status 503.
    Busy,
    /// A proxy answers it with a page.
    Page,
    /// The server runs it, and a part of its answer arrives.
    Torn,
}

const WAYS: [Spoilt; 8] = [
    Spoilt::Fault,
    Spoilt::Unsent,
    Spoilt::Unanswered,
    Spoilt::Expired,
    Spoilt::Gone,
    Spoilt::Busy,
    Spoilt::Page,
    Spoilt::Torn,
];

impl Spoilt {
    /// Whether the server runs the request.
    fn is_run(self) -> bool {
        match self {
            Spoilt::Unanswered | Spoilt::Expired | Spoilt::Gone | Spoilt::Torn => true,
            Spoilt::Fault | Spoilt::Unsent | Spoilt::Busy | Spoilt::Page => false,
        }
    }

    /// Whether only the answer is missing.
    fn loses_answer(self) -> bool {
        matches!(self, Spoilt::Unanswered | Spoilt::Torn)
    }
}

/// A call that is ready to run.
pub(crate) type Run = BoxFuture<'static, Result<()>>;

/// How a call is prepared on a server.
type Prepare<'p> = &'p dyn for<'s> Fn(&'s Server) -> BoxFuture<'s, Run>;

/// The future of an operation.
pub(crate) fn run<T: Send + 'static>(operation: Operation<'static, T>) -> Run {
    let operation = operation.into_future();
    Box::pin(async move { operation.await.map(drop) })
}

/// What came of a call.
struct Attempt {
    result: Result<()>,
    /// The server before, of the undisturbed run.
    before: Option<World>,
    after: World,
    /// Its requests.
    requests: Vec<Recorded>,
    /// Those that were not run for want of a session, counted from 1.
    refused: Vec<usize>,
    /// Collectors, filters and views that are left.
    left: usize,
}

impl Server {
    fn new(simulator: Simulator) -> Server {
        Server {
            simulator,
            spoiler: Arc::default(),
        }
    }

    /// A connection to the server by a URI, whose requests are counted with those of all others.
    pub(crate) async fn connect(&self, uri: &str) -> Connect {
        let (simulator, spoiler) = (self.simulator.handler(), Arc::clone(&self.spoiler));
        let rules = self.simulator.clone();
        let transport = InProcess::new(move |request| {
            let (handler, spoiler, rules) =
                (simulator.clone(), Arc::clone(&spoiler), rules.clone());
            Box::pin(async move {
                tokio::task::yield_now().await;
                // The handler looks for rules before it waits for anything.
                let number = spoiler.spoil(&rules, &request);
                let answer = handler(request).await;
                if is_unauthenticated(&answer) {
                    spoiler.refused.lock().unwrap().push(number);
                }
                tokio::task::yield_now().await;
                answer
            })
        });
        open_over(transport, uri).await.unwrap()
    }
}

impl Spoiler {
    /// Counts a request and spoils it if its turn has come. Returns its number.
    fn spoil<B>(&self, simulator: &Simulator, request: &http::Request<B>) -> usize {
        let seen = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        let Some((way, position)) = *self.plan.lock().unwrap() else {
            return seen;
        };
        let is_file = request.uri().path() != "/sdk";
        let effect = match way {
            Spoilt::Gone if seen > position => Effect::DropBefore,
            _ if seen != position => return seen,
            Spoilt::Fault if is_file => Effect::Status(StatusCode::INTERNAL_SERVER_ERROR),
            Spoilt::Fault => {
                let fault =
                    SoapFault::new(SystemError::default(), "A general system error occurred.");
                Effect::Fault(Box::new(fault))
            }
            Spoilt::Unsent => Effect::DropBefore,
            Spoilt::Unanswered | Spoilt::Gone => Effect::DropAfter,
            Spoilt::Expired => Effect::ExpireSession,
            Spoilt::Busy => Effect::Status(StatusCode::SERVICE_UNAVAILABLE),
            Spoilt::Page => Effect::Html,
            Spoilt::Torn => Effect::Truncate(100),
        };
        let method = if is_file {
            request.method().as_str()
        } else {
            "*"
        };
        simulator.inject(Rule::new(method, effect).nth(1));
        seen
    }

    /// From now on requests are counted and spoiled.
    fn arm(&self, plan: Option<(Spoilt, usize)>) {
        self.seen.store(0, Ordering::Relaxed);
        self.refused.lock().unwrap().clear();
        *self.plan.lock().unwrap() = plan;
    }
}

/// Runs a call on a new server.
async fn attempt(
    simulator: Simulator,
    prepare: Prepare<'_>,
    plan: Option<(Spoilt, usize)>,
) -> Attempt {
    let server = Server::new(simulator);
    let run = prepare(&server).await;
    // The preparation is always the same.
    let before = plan.is_none().then(|| World::of(&server.simulator));
    server.simulator.clear_requests();
    server.spoiler.arm(plan);
    let result = run.await;
    let refused = server.spoiler.refused.lock().unwrap().clone();
    server.spoiler.arm(None);
    let requests = server.simulator.requests();
    // What has begun goes on.
    tasks::settle().await;
    while server.simulator.step_tasks() {}
    Attempt {
        result,
        after: World::of(&server.simulator),
        requests,
        refused,
        left: server.simulator.leftovers().len(),
        before,
    }
}

/// Checks a call; see the module.
async fn check(build: fn() -> Simulator, prepare: Prepare<'_>) {
    let whole = attempt(build(), prepare, None).await;
    whole.result.as_ref().unwrap();
    assert_eq!(whole.left, 0, "undisturbed");
    let mut failures = Vec::new();
    for position in 1..=whole.requests.len() {
        for way in WAYS {
            let spoilt = attempt(build(), prepare, Some((way, position))).await;
            if let Err(what) = spoilt.judge(&whole, way, position) {
                let method = name(&whole.requests[position - 1]);
                failures.push(format!("{position} {method} {way:?}: {what}"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

impl Attempt {
    fn judge(&self, whole: &Attempt, way: Spoilt, position: usize) -> Result<(), String> {
        self.judge_counts(whole, way, position)?;
        let before = whole.before.as_ref();
        let changes = self.after.differences(before.unwrap());
        let missing = self.after.differences(&whole.after);
        let error = match &self.result {
            Ok(()) if missing.is_empty() => return Ok(()),
            Ok(()) => return Err(format!("it is Ok, but not done: {missing:?}")),
            Err(error) => error,
        };
        let told = text(error);
        if matches!(
            error.kind(),
            ErrorKind::Decode | ErrorKind::Property | ErrorKind::UnexpectedValue | ErrorKind::NotVi
        ) {
            return Err(format!("the kind is {:?}: {told}", error.kind()));
        }
        let is_broken = error.cause().is_some_and(vi_client::Error::is_broken);
        let says_what_was_done = error.outcome().is_some()
            || matches!(
                error.kind(),
                ErrorKind::NotDone
                    | ErrorKind::NotStarted
                    | ErrorKind::InDoubt
                    | ErrorKind::Cancelled
            );
        if is_broken && !says_what_was_done {
            return Err(format!("it is a bare failure: {told}"));
        }
        if changes.is_empty() {
            return Ok(());
        }
        if matches!(error.kind(), ErrorKind::NotDone | ErrorKind::NotStarted) {
            return Err(format!("it denies what is done: {told}: {changes:?}"));
        }
        if missing.is_empty() && says_what_was_done {
            return Ok(());
        }
        // Nobody knows, or a part of it is done: the error says that nobody knows, that the task goes on, or what there is.
        let goes_on = ["goes on", "left behind"]
            .iter()
            .any(|words| told.contains(words));
        let in_doubt = error.kind() == ErrorKind::InDoubt || goes_on;
        let is_told = |change: &&String| {
            let is_as_wanted = !missing.contains(*change);
            let is_of_domain = change.starts_with("domain ");
            (in_doubt && (is_as_wanted || is_of_domain))
                || world::names(change).any(|name| told.contains(name))
        };
        let untold: Vec<_> = changes.iter().filter(|change| !is_told(change)).collect();
        match untold.is_empty() {
            true => Ok(()),
            false => Err(format!("it does not tell: {told}: {untold:?}")),
        }
    }

    /// Nothing is run more often than undisturbed, and nothing of ours is left.
    fn judge_counts(&self, whole: &Attempt, way: Spoilt, position: usize) -> Result<(), String> {
        for request in whole.requests.iter().filter(|request| changes(request)) {
            let wanted = name(request);
            let is_it = |other: &Recorded| {
                let is_undone_by_itself = UNDONE_BY_THEMSELVES.contains(&wanted);
                name(other) == wanted && (!is_undone_by_itself || other.body == request.body)
            };
            let of_name = |(_, request): &(usize, &Recorded)| is_it(request);
            let is_run = |(index, _): &(usize, &Recorded)| match way {
                _ if self.refused.contains(&(index + 1)) => false,
                Spoilt::Gone => *index < position,
                _ => way.is_run() || index + 1 != position,
            };
            let all = self.requests.iter().enumerate().filter(of_name);
            let run = all.filter(is_run).count();
            let usual = whole.requests.iter().enumerate().filter(of_name).count();
            if run > usual {
                return Err(format!("{wanted} is run {run} times instead of {usual}"));
            }
        }
        // Nobody can name a collector whose making was not answered, or make a server destroy one.
        let spoilt = name(&self.requests[position - 1]);
        let is_excused = match way {
            Spoilt::Gone => true,
            Spoilt::Fault => spoilt == "DestroyPropertyCollector",
            _ => way.loses_answer() && spoilt == "CreatePropertyCollector",
        };
        match self.left > 0 && !is_excused {
            true => Err(format!("{} objects are left", self.left)),
            false => Ok(()),
        }
    }
}

fn name(request: &Recorded) -> &str {
    request.method.as_deref().unwrap_or(&request.path)
}

/// Whether a request changes more than what belongs to the session.
fn changes(request: &Recorded) -> bool {
    let Some(method) = request.method.as_deref() else {
        return request.verb != "GET";
    };
    !READS.contains(&method) && !QUERIES.iter().any(|query| method.starts_with(query))
}

/// Methods that are taken back by the same method: only requests that are wholly the same are counted.
const UNDONE_BY_THEMSELVES: [&str; 1] = ["UpdateVirtualNic"];

/// How the names of methods begin that change nothing.
const QUERIES: [&str; 4] = ["Find", "Query", "Retrieve", "ContinueRetrieve"];

const READS: [&str; 9] = [
    "Login",
    "SessionIsActive",
    "CreatePropertyCollector",
    "DestroyPropertyCollector",
    "CreateFilter",
    "DestroyPropertyFilter",
    "SearchDatastore_Task",
    "SearchDatastoreSubFolders_Task",
    "WaitForUpdatesEx",
];

/// Whether the server refused a request for want of a session.
fn is_unauthenticated(answer: &http::Response<Bytes>) -> bool {
    let fault = b"NotAuthenticated";
    match answer.status() {
        StatusCode::UNAUTHORIZED => true,
        StatusCode::INTERNAL_SERVER_ERROR => {
            answer.body().windows(fault.len()).any(|part| part == fault)
        }
        _ => false,
    }
}

/// All that an error tells: its text, its advice and its causes.
fn text(error: &Error) -> String {
    let mut text = format!("{error} ({:?})", error.kind());
    for told in [error.outcome(), error.advice()].into_iter().flatten() {
        text += &format!(" [{told}]");
    }
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
