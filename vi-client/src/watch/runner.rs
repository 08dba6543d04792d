//! The background task that serves all watches of a client: it does what the [state](super::state) asks for.

use std::collections::BTreeMap;
use std::future::pending;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_core::future::BoxFuture;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use vi_types::ManagedObjectReference;
use vi_types::objects::{
    ObjectUpdate, PropertyFilterSpec, PropertyFilterUpdate, RequestCanceled, UpdateSet,
};

use super::difference::leave;
use super::pace::Pace;
use super::server::{self, Answer, Asking, Collector};
use super::state::{
    CheckReply, Idle, Loss, Pausing, Remains, RestReply, Stall, State, SubscribeReply, Trouble,
    WaitReply,
};
use super::subscriber::{Batch, Command, Flags, News, Subscription};
use super::{Connection, ConnectionState};
use crate::{Client, Error};

/// A client's handle of its waiter, which runs only while there are watches.
#[derive(Debug, Default)]
pub(crate) struct WaiterHandle(Mutex<Handle>);

#[derive(Debug, Default)]
struct Handle {
    running: Option<Running>,
    /// The id of the last watch.
    last: u64,
}

#[derive(Debug, Clone)]
struct Running {
    commands: mpsc::UnboundedSender<Command>,
    connection: Connection,
}

/// A watch that was given to the waiter.
pub(super) struct Added {
    pub(super) id: u64,
    pub(super) commands: mpsc::UnboundedSender<Command>,
    pub(super) connection: Connection,
}

impl WaiterHandle {
    /// Gives a new watch to the waiter, which is started if it is not running.
    pub(super) fn add(
        &self,
        client: &Client,
        subscription: impl FnOnce(u64) -> Subscription,
    ) -> Added {
        let mut handle = self.lock();
        handle.last += 1;
        let id = handle.last;
        let start = || Waiter::start(client);
        let running = handle.running.get_or_insert_with(start).clone();
        // The waiter receives this, because it ends only under the lock.
        let subscription = Box::new(subscription(id));
        let _ = running.commands.send(Command::Add(subscription));
        Added {
            id,
            commands: running.commands,
            connection: running.connection,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Handle> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for updates and delivers them to the watches.
struct Waiter {
    client: Client,
    commands: mpsc::UnboundedReceiver<Command>,
    collector: Option<Collector>,
    watches: BTreeMap<u64, Watched>,
    /// Whether the collector has filters of watches that have ended.
    has_leftovers: bool,
    pace: Pace,
    /// What the last answer told, if that was little.
    told: Vec<PropertyFilterUpdate>,
    connection: watch::Sender<ConnectionState>,
}

/// A watch, as the waiter knows it.
struct Watched {
    spec: PropertyFilterSpec,
    filter: Filter,
    expects: Expects,
    /// Updates of truncated answers; the rest comes with the next answers.
    pending: Vec<ObjectUpdate>,
    news: mpsc::UnboundedSender<News>,
    flags: Arc<Flags>,
    /// Receives the outcome of creating the first filter.
    ready: Option<oneshot::Sender<Result<(), Error>>>,
}

/// The filter of a watch on the server.
enum Filter {
    Missing,
    Created(ManagedObjectReference),
    /// None can be created, because all objects that it starts from are gone.
    Pointless,
}

/// What the next answers have of a watch's filter.
enum Expects {
    /// All objects, once the server begins to tell them. The time is that of adding the filter to a waiting call, which
    /// may not notice it.
    FirstReport(Option<Instant>),
    /// All objects, none if they do not mention the filter: the server was asked for everything.
    All,
    Changes,
}

impl Watched {
    fn new(subscription: Subscription) -> Self {
        Self {
            spec: subscription.spec,
            filter: Filter::Missing,
            expects: Expects::FirstReport(None),
            pending: Vec::new(),
            news: subscription.news,
            flags: subscription.flags,
            ready: Some(subscription.ready),
        }
    }

    fn reference(&self) -> Option<&ManagedObjectReference> {
        match &self.filter {
            Filter::Created(reference) => Some(reference),
            Filter::Missing | Filter::Pointless => None,
        }
    }

    fn is_missing(&self) -> bool {
        matches!(self.filter, Filter::Missing)
    }

    /// Whether the server has not told all objects yet.
    fn is_new(&self) -> bool {
        self.reference().is_some() && !matches!(self.expects, Expects::Changes)
    }

    fn is_awaited(&self) -> bool {
        self.flags.wants_news.load(Ordering::Acquire) || self.is_missing() && self.ready.is_some()
    }

    fn keeps_trying(&self) -> bool {
        self.flags.keeps_trying.load(Ordering::Acquire)
    }

    fn created(&mut self, filter: Filter, is_waiting: bool) {
        self.expects = Expects::FirstReport(is_waiting.then(Instant::now));
        self.pending.clear();
        self.filter = filter;
        if matches!(self.filter, Filter::Pointless) {
            self.expects = Expects::All;
            self.deliver();
        }
        if let Some(ready) = self.ready.take() {
            // Sending fails if the caller has given up; its watch is removed by a command.
            let _ = ready.send(Ok(()));
        }
    }

    /// The server is asked for all objects.
    fn expect_all(&mut self) {
        if self.reference().is_some() {
            self.expects = Expects::All;
            self.pending.clear();
        }
    }

    /// The server has not told the objects in time.
    fn was_overdue(&mut self) {
        if let Expects::FirstReport(since) = &mut self.expects {
            *since = None;
        }
    }

    /// Sends to the watch what the server has told, when that is all.
    fn deliver(&mut self) {
        let is_complete = match self.expects {
            Expects::All => true,
            Expects::FirstReport(_) => !self.pending.is_empty(),
            Expects::Changes => false,
        };
        if !is_complete && self.pending.is_empty() {
            return;
        }
        if is_complete {
            self.expects = Expects::Changes;
        }
        self.flags.wants_news.store(false, Ordering::Release);
        // Sending fails if the watch was dropped.
        let _ = self.news.send(Ok(Batch {
            is_complete,
            updates: std::mem::take(&mut self.pending),
        }));
    }

    /// Sends the error to the watch, which ends it.
    fn fail(self, error: Error) {
        // Sending fails if the watch was dropped.
        match self.ready {
            Some(ready) => drop(ready.send(Err(error))),
            None => drop(self.news.send(Err(Arc::new(error)))),
        }
    }
}

/// How long a server may take to report the objects of a filter that was added to a waiting call. ESX does it at once;
/// govmomi's simulator does it only for a call without a version.
const PATIENCE: Duration = Duration::from_secs(1);

/// A server that says earlier that nothing has changed does not wait.
const HASTY: Duration = Duration::from_secs(1);

/// What an answer brings.
enum Heard {
    Told {
        is_truncated: bool,
    },
    /// What the answer before has told.
    Again {
        is_truncated: bool,
    },
    Nothing,
    Stale,
}

/// So many changes at a time are kept, to see whether they are told again.
const FEW: usize = 16;

/// How many objects a filter tells of.
fn length(set: &PropertyFilterUpdate) -> usize {
    set.object_set.len() + set.missing_set.len()
}

/// What ends an asking.
enum Asked {
    Answered(Heard, Duration),
    Failed(Loss<Error>),
    NotAdded(Loss<Error>),
    Overdue,
    Left,
}

type Shared = Arc<Error>;

impl Waiter {
    /// Starts the task, with the channel to it.
    fn start(client: &Client) -> Running {
        let (sender, commands) = mpsc::unbounded_channel();
        let (connection, states) = watch::channel(ConnectionState::Connected);
        let waiter = Self {
            client: client.clone(),
            commands,
            collector: None,
            watches: BTreeMap::new(),
            has_leftovers: false,
            pace: Pace::new(),
            told: Vec::new(),
            connection,
        };
        tokio::spawn(waiter.run());
        Running {
            commands: sender,
            connection: Connection::new(states),
        }
    }

    async fn run(mut self) {
        let mut state = State::Idle(Idle::default());
        loop {
            tracing::trace!(state = state.name(), "watches");
            state = self.step(state).await;
            while self.watches.is_empty() {
                self.destroy_collector().await;
                state = State::Idle(Idle::default());
                match self.leave() {
                    Some(command) => self.handle(command).await,
                    None => {
                        self.connection.send_replace(ConnectionState::Ended);
                        return;
                    }
                }
            }
        }
    }

    /// Ends the waiter, unless another command has arrived.
    fn leave(&mut self) -> Option<Command> {
        let mut handle = self.client.waiter().lock();
        let command = self.commands.try_recv().ok();
        if command.is_none() {
            handle.running = None;
        }
        command
    }

    /// Does what the state asks for.
    async fn step(&mut self, state: State<Shared>) -> State<Shared> {
        match state {
            State::Idle(idle) => {
                if self.is_awaited() {
                    return idle.next();
                }
                match self.commands.recv().await {
                    Some(command) => self.handle(command).await,
                    // The client's handle has a sender as long as this task runs.
                    None => self.watches.clear(),
                }
                State::Idle(idle)
            }
            State::Subscribing(step) => {
                let reply = self.subscribe(step.from).await;
                step.next(reply)
            }
            State::Checking(step) => {
                if step.is_anew {
                    self.ask_anew();
                }
                let reply = match self.ask(Asking::Check).await {
                    Asked::Answered(
                        Heard::Told { is_truncated } | Heard::Again { is_truncated },
                        _,
                    ) => CheckReply::Told { is_truncated },
                    Asked::Answered(Heard::Nothing, _) | Asked::Overdue | Asked::Left => {
                        let is_new = self.watches.values().any(Watched::is_new);
                        CheckReply::Nothing { is_new }
                    }
                    Asked::Answered(Heard::Stale, _) => CheckReply::Stalled(Stall::Stale),
                    Asked::Failed(loss) | Asked::NotAdded(loss) => CheckReply::Failed(shared(loss)),
                };
                step.next(reply)
            }
            State::Waiting(step) => {
                let reply = match self.ask(Asking::Wait).await {
                    Asked::Answered(Heard::Again { .. }, after) if after < HASTY => {
                        WaitReply::Stalled(Stall::Again)
                    }
                    Asked::Answered(
                        Heard::Told { is_truncated } | Heard::Again { is_truncated },
                        _,
                    ) => WaitReply::Told { is_truncated },
                    Asked::Answered(Heard::Nothing, after) if after < HASTY => {
                        WaitReply::Stalled(Stall::Hasty)
                    }
                    Asked::Answered(Heard::Nothing, _) => WaitReply::Nothing,
                    Asked::Answered(Heard::Stale, _) => WaitReply::Stalled(Stall::Stale),
                    Asked::Overdue => WaitReply::Overdue,
                    Asked::Left => WaitReply::Left,
                    Asked::Failed(loss) => WaitReply::Failed(shared(loss)),
                    Asked::NotAdded(loss) => WaitReply::NotAdded(shared(loss)),
                };
                step.next(reply)
            }
            State::Truncated(step) => {
                let reply = match self.ask(Asking::Check).await {
                    Asked::Answered(Heard::Told { is_truncated }, _) => {
                        RestReply::Told { is_truncated }
                    }
                    Asked::Answered(Heard::Again { .. }, _) => RestReply::Stalled(Stall::Again),
                    Asked::Answered(Heard::Nothing, _) | Asked::Overdue | Asked::Left => {
                        RestReply::Nothing
                    }
                    Asked::Answered(Heard::Stale, _) => RestReply::Stalled(Stall::Stale),
                    Asked::Failed(loss) | Asked::NotAdded(loss) => RestReply::Failed(shared(loss)),
                };
                step.next(reply)
            }
            State::Pausing(step) => {
                self.note(&step);
                match self.pause(step.pause()).await {
                    ControlFlow::Continue(()) => step.next(),
                    ControlFlow::Break(()) => State::Idle(Idle::default()),
                }
            }
            State::GivingUp(step) => {
                let error = stopping(&self.client, &step.0);
                self.fail(&error, |watched| !watched.keeps_trying()).await;
                step.next()
            }
            State::Failed(error) => {
                self.fail(&error, |_| true).await;
                State::Idle(Idle::default())
            }
        }
    }

    /// Publishes why the server is not asked.
    fn note(&self, pausing: &Pausing<Shared>) {
        let Trouble::Lost(error) = &pausing.trouble else {
            tracing::debug!(
                round = pausing.rounds.count(),
                "the server does not wait for changes"
            );
            return;
        };
        tracing::debug!(%error, round = pausing.rounds.count(), "watching again");
        self.connection.send_if_modified(|state| {
            let earlier = match state {
                ConnectionState::Reconnecting { since, .. } => Some(*since),
                _ => None,
            };
            *state = ConnectionState::Reconnecting {
                since: earlier.unwrap_or_else(|| Instant::now().into_std()),
                error: Arc::clone(error),
            };
            earlier.is_none()
        });
    }

    /// Pauses. Breaks off when the last watch leaves.
    async fn pause(&mut self, pause: Duration) -> ControlFlow<()> {
        if pause.is_zero() {
            // A timer would take a millisecond.
            return ControlFlow::Continue(());
        }
        let end = Instant::now() + pause;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(end) => return ControlFlow::Continue(()),
                command = self.commands.recv() => match command {
                    Some(command) => self.handle(command).await,
                    None => self.watches.clear(),
                }
            }
            if self.watches.is_empty() {
                return ControlFlow::Break(());
            }
        }
    }

    async fn handle(&mut self, command: Command) {
        match command {
            Command::Wait => {}
            Command::Add(subscription) => {
                let id = subscription.id;
                self.watches.insert(id, Watched::new(*subscription));
            }
            Command::Remove { id, done } => {
                if let Some(watched) = self.watches.remove(&id) {
                    self.destroy_filter(watched).await;
                }
                drop(done);
            }
        }
    }

    /// Destroys the filter of a watch, or the collector after the last one.
    async fn destroy_filter(&mut self, watched: Watched) {
        let filter = watched.reference().cloned();
        if self.watches.is_empty() {
            if let Some(collector) = self.collector.take() {
                collector.destroy(&self.client, filter).await;
            }
        } else if let Some(filter) = filter {
            server::destroy_filter(&self.client, filter).await;
        }
    }

    async fn destroy_collector(&mut self) {
        if let Some(collector) = self.collector.take() {
            let watches = self.watches.values();
            let filters = watches.filter_map(Watched::reference).cloned();
            let filters: Vec<_> = filters.collect();
            collector.destroy(&self.client, filters).await;
        }
    }

    /// Creates what is missing: the collector, and a filter for each watch.
    async fn subscribe(&mut self, remains: Remains) -> SubscribeReply<Shared> {
        match remains {
            Remains::All if !self.has_leftovers => {}
            Remains::All | Remains::Unknown => {
                self.destroy_collector().await;
                self.forget();
            }
            Remains::Nothing => self.forget(),
        }
        match self.create_filters(false).await {
            Ok(()) if !self.is_awaited() => SubscribeReply::Unawaited,
            Ok(()) => SubscribeReply::Done {
                is_new: self.watches.values().any(Watched::is_new),
            },
            Err(loss) => SubscribeReply::Failed(shared(loss)),
        }
    }

    fn is_awaited(&self) -> bool {
        self.watches.values().any(Watched::is_awaited)
    }

    fn forget(&mut self) {
        self.collector = None;
        self.told = Vec::new();
        self.has_leftovers = false;
        for watched in self.watches.values_mut() {
            watched.filter = Filter::Missing;
            watched.pending.clear();
        }
    }

    /// Fails if the server cannot be reached or has lost what it had. If it refuses a filter, only that watch fails.
    async fn create_filters(&mut self, is_waiting: bool) -> Result<(), Loss<Error>> {
        if !self.watches.values().any(Watched::is_missing) {
            return Ok(());
        }
        let collector = match self.collector.take() {
            Some(collector) => collector,
            None => {
                let created = Collector::create(&self.client).await;
                created.map_err(|error| server::loss(error, None))?
            }
        };
        let collector = self.collector.insert(collector);
        let mut refused = Vec::new();
        for (id, watched) in &mut self.watches {
            if !watched.is_missing() {
                continue;
            }
            let created = create_filter(&self.client, collector, watched).await;
            match created.map_err(|error| server::loss(error, Some(collector))) {
                Ok(filter) => watched.created(filter, is_waiting),
                Err(Loss::Refused(error)) => refused.push((*id, error)),
                Err(loss) => return Err(loss),
            }
        }
        for (id, error) in refused {
            if let Some(watched) = self.watches.remove(&id) {
                watched.fail(error);
            }
        }
        Ok(())
    }

    /// Makes the next call ask for all objects of all filters.
    fn ask_anew(&mut self) {
        if let Some(collector) = &mut self.collector {
            collector.version.clear();
        }
    }

    /// Asks for changes; meanwhile, filters are created and destroyed.
    async fn ask(&mut self, asking: Asking) -> Asked {
        let has_filter = self
            .watches
            .values()
            .any(|watched| watched.reference().is_some());
        let Some(collector) = self.collector.as_ref().filter(|_| has_filter) else {
            // There is nothing to ask for, until there is another watch.
            match self.commands.recv().await {
                Some(command) => self.handle(command).await,
                None => self.watches.clear(),
            }
            return Asked::Left;
        };
        if let Some(loss) = collector.stale(&self.client) {
            return Asked::Failed(loss);
        }
        if collector.version.is_empty() {
            self.watches.values_mut().for_each(Watched::expect_all);
        }
        let (at, answer) = (
            self.pace.next(Instant::now()),
            collector.ask(&self.client, asking),
        );
        let mut call: BoxFuture<'static, _> = Box::pin(async move {
            if let Some(at) = at {
                tokio::time::sleep_until(at).await;
            }
            let begun = Instant::now();
            (answer.await, begun.elapsed())
        });
        loop {
            let overdue = self.overdue();
            tokio::select! {
                command = self.commands.recv() => match command {
                    None => self.watches.clear(),
                    Some(Command::Add(subscription)) => {
                        self.handle(Command::Add(subscription)).await;
                        if let Err(loss) = self.create_filters(true).await {
                            return Asked::NotAdded(loss);
                        }
                    }
                    Some(Command::Remove { id, done }) if self.is_last(id) => {
                        // Dropped before the collector is destroyed, so that the call does not fail.
                        drop(call);
                        self.handle(Command::Remove { id, done }).await;
                        return Asked::Left;
                    }
                    Some(command) => self.handle(command).await,
                },
                () = until(overdue), if asking == Asking::Wait => {
                    self.watches.values_mut().for_each(Watched::was_overdue);
                    return Asked::Overdue;
                }
                (answer, after) = &mut call => return self.take(answer, after),
            }
            if self.watches.is_empty() {
                return Asked::Left;
            }
        }
    }

    fn is_last(&self, id: u64) -> bool {
        self.watches.len() == 1 && self.watches.contains_key(&id)
    }

    /// When to give up waiting for the objects of a new filter.
    fn overdue(&self) -> Option<Instant> {
        let watches = self.watches.values();
        let awaited = watches.filter_map(|watched| match watched.expects {
            Expects::FirstReport(since) => since,
            Expects::All | Expects::Changes => None,
        });
        awaited.min().map(|since| since + PATIENCE)
    }

    fn take(&mut self, answer: Answer, after: Duration) -> Asked {
        let collector = self.collector.as_ref();
        if let Some(loss) = collector.and_then(|collector| collector.stale(&self.client)) {
            // The answer is that of another session's collector.
            return Asked::Failed(loss);
        }
        match answer {
            Ok(updates) => {
                let heard = self.hear(updates.unwrap_or_default());
                match self.excess() {
                    Some(excess) => Asked::Failed(Loss::Refused(excess)),
                    None => Asked::Answered(heard, after),
                }
            }
            // Somebody has cancelled the wait.
            Err(error) if error.is_fault::<RequestCanceled>() => {
                Asked::Answered(Heard::Nothing, after)
            }
            Err(error) => Asked::Failed(server::loss(error, collector)),
        }
    }

    /// Why no more of a truncated answer is kept, if it is too much.
    fn excess(&self) -> Option<Error> {
        let pending = self.watches.values().map(|watched| watched.pending.len());
        let most = self.client.limits().objects;
        (pending.sum::<usize>() > most).then(|| Error::Excess {
            method: server::wait_method(&self.client),
            limit: format!("{most} objects"),
        })
    }

    /// Gives the updates to the watches.
    fn hear(&mut self, updates: UpdateSet) -> Heard {
        self.connection.send_if_modified(|state| {
            let was_lost = !state.is_connected();
            *state = ConnectionState::Connected;
            was_lost
        });
        let Some(collector) = &mut self.collector else {
            return Heard::Nothing;
        };
        let is_truncated = updates.truncated == Some(true);
        let is_empty = updates.filter_set.is_empty();
        // An answer without a version means that nothing changed in time. The same version again means nothing: vcsim has
        // only one.
        if !updates.version.is_empty() {
            collector.version = updates.version;
        }
        let told = match updates.filter_set.iter().map(length).sum::<usize>() {
            0..=FEW => updates.filter_set.clone(),
            _ => Vec::new(),
        };
        let is_again = !is_empty && told == self.told;
        self.told = told;
        for set in updates.filter_set {
            let mut watches = self.watches.values_mut();
            if let Some(watched) = watches.find(|one| one.reference() == Some(&set.filter)) {
                watched.pending.extend(set.object_set);
                let missing = set.missing_set.into_iter();
                let missing = missing.map(|missing| leave(missing.obj));
                watched.pending.extend(missing);
            }
        }
        if !is_truncated {
            self.watches.values_mut().for_each(Watched::deliver);
        }
        match (is_truncated, is_empty) {
            (true, true) => Heard::Stale,
            (false, true) => Heard::Nothing,
            (_, false) if is_again => Heard::Again { is_truncated },
            (_, false) => Heard::Told { is_truncated },
        }
    }

    /// Ends the watches that `is_failing` selects, and destroys their filters.
    async fn fail(&mut self, error: &Shared, is_failing: impl Fn(&Watched) -> bool) {
        let watches = std::mem::take(&mut self.watches).into_iter();
        let (failing, others): (Vec<_>, BTreeMap<_, _>) = watches.fold(
            Default::default(),
            |(mut failing, mut others), (id, watched)| {
                match is_failing(&watched) {
                    true => failing.push(watched),
                    false => drop(others.insert(id, watched)),
                }
                (failing, others)
            },
        );
        self.watches = others;
        let mut filters = Vec::new();
        for watched in failing {
            filters.extend(watched.reference().cloned());
            watched.fail(Error::Shared(Arc::clone(error)));
        }
        match self.collector.take() {
            Some(collector) if self.watches.is_empty() => {
                collector.destroy(&self.client, filters).await;
            }
            collector => {
                self.collector = collector;
                if error.is_broken() {
                    // One attempt for each filter would take long. They are destroyed with the collector, later.
                    self.has_leftovers |= !filters.is_empty();
                } else {
                    for filter in filters {
                        server::destroy_filter(&self.client, filter).await;
                    }
                }
            }
        }
    }
}

/// Creates the filter of a watch. If the server has lost a filter that existed, objects that it started from may be gone.
async fn create_filter(
    client: &Client,
    collector: &Collector,
    watched: &Watched,
) -> Result<Filter, Error> {
    let is_first = watched.ready.is_some();
    let mut spec = watched.spec.clone();
    loop {
        let error = match collector.create_filter(client, spec.clone()).await {
            Ok(filter) => return Ok(Filter::Created(filter)),
            Err(error) => error,
        };
        let starts = spec.object_set.len();
        if let Some(gone) = server::missing(&error).filter(|_| !is_first) {
            spec.object_set.retain(|start| start.obj != *gone);
        }
        if spec.object_set.len() == starts {
            return Err(error);
        }
        if spec.object_set.is_empty() {
            return Ok(Filter::Pointless);
        }
    }
}

/// Why watches end after several rounds that brought nothing.
fn stopping(client: &Client, pausing: &Pausing<Shared>) -> Shared {
    let behaviour = match &pausing.trouble {
        Trouble::Lost(error) => return Arc::clone(error),
        Trouble::Stalled(Stall::Hasty) => "answers at once that nothing has changed",
        Trouble::Stalled(Stall::Stale) => "announces the rest of an answer, which does not come",
        Trouble::Stalled(Stall::Again) => "tells at once what it has told before",
    };
    Arc::new(Error::Stalled {
        method: server::wait_method(client),
        behaviour,
        rounds: pausing.rounds.count(),
    })
}

fn shared(loss: Loss<Error>) -> Loss<Shared> {
    loss.map(Arc::new)
}

/// Waits until the instant; forever without one.
async fn until(then: Option<Instant>) {
    match then {
        Some(then) => tokio::time::sleep_until(then).await,
        None => pending().await,
    }
}
