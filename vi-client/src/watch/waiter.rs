//! The background task that serves all watches of a client.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_core::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use vi_types::enums::ObjectUpdateKind;
use vi_types::methods::{
    CreateFilter, CreatePropertyCollector, DestroyPropertyCollector, DestroyPropertyFilter,
    WaitForUpdates, WaitForUpdatesEx,
};
use vi_types::objects::{
    InvalidCollectorVersion, ManagedObjectNotFound, ObjectUpdate, PropertyFilterSpec,
    RequestCanceled, UpdateSet, WaitOptions,
};
use vi_types::{ManagedObjectReference, Method};

use crate::{Client, Error};

/// What a watch receives.
pub(super) type Update = Result<Vec<ObjectUpdate>, Arc<Error>>;

/// A watch's command to the waiter.
#[derive(Debug)]
pub(super) enum Command {
    Add {
        id: u64,
        spec: Box<PropertyFilterSpec>,
        updates: mpsc::UnboundedSender<Update>,
        wants_update: Arc<AtomicBool>,
        ready: oneshot::Sender<Result<(), Error>>,
    },
    /// A watch is polled and has no update queued.
    Wait,
    Remove {
        id: u64,
        done: Option<oneshot::Sender<()>>,
    },
}

/// A client's handle of its waiter, which runs only while there are watches.
#[derive(Debug, Default)]
pub(crate) struct WaiterHandle(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    commands: Option<mpsc::UnboundedSender<Command>>,
    /// The id of the last watch.
    last: u64,
}

impl WaiterHandle {
    /// Gives a new watch to the waiter, which is started if it is not running.
    pub(super) fn add(
        &self,
        client: &Client,
        command: impl FnOnce(u64) -> Command,
    ) -> (u64, mpsc::UnboundedSender<Command>) {
        let mut state = self.lock();
        state.last += 1;
        let commands = match &state.commands {
            Some(commands) => commands.clone(),
            None => {
                let (sender, receiver) = mpsc::unbounded_channel();
                tokio::spawn(Waiter::new(client.clone(), receiver).run());
                state.commands = Some(sender.clone());
                sender
            }
        };
        // The waiter receives this, because it ends only under the lock.
        let _ = commands.send(command(state.last));
        (state.last, commands)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for updates and delivers them to the watches.
struct Waiter {
    client: Client,
    commands: mpsc::UnboundedReceiver<Command>,
    collector: Option<Collector>,
    watches: BTreeMap<u64, WatchState>,
    /// How often the collector and all filters were created again.
    generation: u64,
    /// How many waiting calls in a row got no answer.
    failures: u32,
}

/// A property collector on the server.
struct Collector {
    reference: ManagedObjectReference,
    /// Whether only this client uses it, so that destroying it destroys all its filters.
    is_own: bool,
    /// The version of the last update set; empty at first.
    version: String,
}

/// A watch, as the waiter knows it.
struct WatchState {
    spec: Box<PropertyFilterSpec>,
    /// The filter on the server, once it exists.
    filter: Option<ManagedObjectReference>,
    /// When the filter was created; `None` after its first update.
    awaited_since: Option<Instant>,
    /// Updates of truncated answers; the rest comes with the next answers.
    pending: Vec<ObjectUpdate>,
    /// The objects that were reported to the watch and have not left.
    known: HashSet<ManagedObjectReference>,
    /// Whether the next answer has all objects, not only changes.
    is_restarting: bool,
    updates: mpsc::UnboundedSender<Update>,
    wants_update: Arc<AtomicBool>,
    /// Receives the outcome of creating the first filter.
    ready: Option<oneshot::Sender<Result<(), Error>>>,
}

impl WatchState {
    /// Expects all objects of the filter in the next answer, whatever was reported before.
    fn restart(&mut self) {
        self.pending.clear();
        self.is_restarting = true;
    }

    /// Sends the changes to the watch, when the server has reported all of them.
    fn deliver(&mut self) {
        let mut updates = std::mem::take(&mut self.pending);
        if std::mem::take(&mut self.is_restarting) {
            // The server no longer knows what it reported before, so objects that left meanwhile are found here.
            let told: HashSet<_> = updates.iter().map(|update| &update.obj).collect();
            let gone = self.known.iter().filter(|object| !told.contains(object));
            let mut gone: Vec<_> = gone.cloned().collect();
            gone.sort();
            updates.extend(gone.into_iter().map(leave));
        }
        if updates.is_empty() {
            return;
        }
        for update in &updates {
            match update.kind {
                ObjectUpdateKind::Leave => self.known.remove(&update.obj),
                _ => self.known.insert(update.obj.clone()),
            };
        }
        self.wants_update.store(false, Ordering::Release);
        // Sending fails if the watch was dropped.
        let _ = self.updates.send(Ok(updates));
    }

    /// Sends the error to the watch, which ends it.
    fn fail(self, error: Error) {
        // Sending fails if the watch was dropped.
        match self.ready {
            Some(ready) => drop(ready.send(Err(error))),
            None => drop(self.updates.send(Err(Arc::new(error)))),
        }
    }
}

type Waiting = BoxFuture<'static, Result<Option<UpdateSet>, Error>>;

/// How long the server may wait before it answers without changes. Proxies close connections that are idle longer.
const LONGEST: Duration = Duration::from_secs(60);

/// How long a server may take to report the objects of a new filter. ESX does it at once; govmomi's simulator does it
/// only for a call without a version.
const PATIENCE: Duration = Duration::from_secs(1);

/// How many waiting calls in a row may fail because of the connection.
const FAILURES: u32 = 5;

/// How often in a row the session may end while filters are created.
const LOSSES: u32 = 3;

impl Waiter {
    fn new(client: Client, commands: mpsc::UnboundedReceiver<Command>) -> Self {
        Self {
            client,
            commands,
            collector: None,
            watches: BTreeMap::new(),
            generation: 0,
            failures: 0,
        }
    }

    async fn run(mut self) {
        let mut waiting: Option<Waiting> = None;
        loop {
            if waiting.is_none() && self.is_update_wanted() {
                waiting = self.wait();
            }
            let overdue = self.overdue();
            let command = match &mut waiting {
                None => self.commands.recv().await,
                Some(answer) => tokio::select! {
                    command = self.commands.recv() => command,
                    () = until(overdue) => {
                        waiting = None;
                        self.restart();
                        continue;
                    }
                    result = answer => {
                        waiting = None;
                        self.take(result).await;
                        continue;
                    }
                },
            };
            let mut next = command;
            while let Some(command) = next.take() {
                self.handle_command(command, &mut waiting).await;
                if self.watches.is_empty() {
                    waiting = None;
                    match self.leave() {
                        None => return,
                        more => next = more,
                    }
                }
            }
        }
    }

    /// When to give up waiting for the objects of a new filter.
    fn overdue(&self) -> Option<Instant> {
        let awaited = self
            .watches
            .values()
            .filter_map(|watch_state| watch_state.awaited_since);
        awaited.min().map(|since| since + PATIENCE)
    }

    /// Makes the next waiting call report all objects of all filters.
    fn restart(&mut self) {
        if let Some(collector) = &mut self.collector {
            collector.version.clear();
        }
        for watch_state in self.watches.values_mut() {
            watch_state.awaited_since = None;
            watch_state.restart();
        }
    }

    /// Ends the waiter, unless another command has arrived.
    fn leave(&mut self) -> Option<Command> {
        let mut slot = self.client.waiter().lock();
        let command = self.commands.try_recv().ok();
        if command.is_none() {
            slot.commands = None;
        }
        command
    }

    async fn handle_command(&mut self, command: Command, waiting: &mut Option<Waiting>) {
        match command {
            Command::Wait => {}
            Command::Add {
                id,
                spec,
                updates,
                wants_update,
                ready,
            } => {
                let watch_state = WatchState {
                    spec,
                    filter: None,
                    awaited_since: None,
                    pending: Vec::new(),
                    known: HashSet::new(),
                    is_restarting: false,
                    updates,
                    wants_update,
                    ready: Some(ready),
                };
                self.watches.insert(id, watch_state);
                let before = self.generation;
                if let Err(error) = self.subscribe().await {
                    self.fail(error).await;
                }
                if before != self.generation {
                    // The call waits for filters that no longer exist.
                    *waiting = None;
                }
            }
            Command::Remove { id, done } => {
                let watch_state = self.watches.remove(&id);
                let filter = watch_state.and_then(|watch_state| watch_state.filter);
                if self.watches.is_empty() {
                    // Dropped before the collector is destroyed, so that the call does not fail.
                    *waiting = None;
                }
                self.destroy(filter).await;
                drop(done);
            }
        }
    }

    /// Destroys a filter, or the collector after the last watch.
    async fn destroy(&mut self, filter: Option<ManagedObjectReference>) {
        match (filter, self.watches.is_empty()) {
            (filter, true) => self.destroy_collector(filter).await,
            (Some(filter), false) => self.destroy_filter(filter).await,
            (None, false) => {}
        }
    }

    /// Destroys the collector with all its filters, or only `filter` in the collector that the session shares.
    async fn destroy_collector(&mut self, filter: Option<ManagedObjectReference>) {
        match (self.collector.take(), filter) {
            (Some(collector), _) if collector.is_own => {
                let request = DestroyPropertyCollector::default();
                retry_destroy(|| {
                    self.client
                        .call_on_in_this_session(&collector.reference, &request)
                })
                .await;
            }
            (Some(_), Some(filter)) => self.destroy_filter(filter).await,
            (Some(_) | None, _) => {}
        }
    }

    async fn destroy_filter(&self, this: ManagedObjectReference) {
        let request = DestroyPropertyFilter {
            this,
            ..Default::default()
        };
        retry_destroy(|| self.client.call_in_this_session(&request)).await;
    }

    /// Creates what is missing: the collector, and a filter for each watch.
    ///
    /// If the session ends meanwhile, the server has dropped all of them, so all are created again. If a connection
    /// breaks, the server may have created a filter without our knowledge, so the collector is destroyed with its
    /// filters, and all are created again.
    async fn subscribe(&mut self) -> Result<(), Error> {
        let (mut losses, mut failures) = (0, 0);
        loop {
            let Err(error) = self.try_to_subscribe().await else {
                return Ok(());
            };
            if losses < LOSSES && is_lost(&error, self.collector.as_ref()) {
                losses += 1;
            } else if failures < FAILURES && error.is_broken() {
                tracing::debug!(%error, "creating the filters again");
                pause(failures).await;
                failures += 1;
                self.destroy_collector(None).await;
            } else {
                return Err(error);
            }
            self.forget();
        }
    }

    /// Fails if the server cannot be reached. If the server refuses a filter, only that watch fails.
    async fn try_to_subscribe(&mut self) -> Result<(), Error> {
        let collector = match &self.collector {
            Some(collector) => collector.reference.clone(),
            None => {
                let collector = self.new_collector().await?;
                self.collector.insert(collector).reference.clone()
            }
        };
        let mut refused = Vec::new();
        for (id, watch_state) in &mut self.watches {
            if watch_state.filter.is_some() {
                continue;
            }
            let request = CreateFilter {
                spec: (*watch_state.spec).clone(),
                partial_updates: false,
                ..CreateFilter::default()
            };
            let made = self
                .client
                .call_on_in_this_session(&collector, &request)
                .await;
            match made {
                Ok(filter) => {
                    watch_state.filter = Some(filter);
                    watch_state.awaited_since = Some(Instant::now());
                    if let Some(ready) = watch_state.ready.take() {
                        // Sending fails if the caller has given up; its watch is removed by a command.
                        let _ = ready.send(Ok(()));
                    }
                }
                Err(error) if error.is_broken() || is_lost(&error, self.collector.as_ref()) => {
                    return Err(error);
                }
                Err(error) => refused.push((*id, error)),
            }
        }
        for (id, error) in refused {
            if let Some(watch_state) = self.watches.remove(&id) {
                watch_state.fail(error);
            }
        }
        if self.watches.is_empty() {
            self.destroy_collector(None).await;
        }
        Ok(())
    }

    /// Ends all watches and destroys their filters.
    async fn fail(&mut self, error: Error) {
        let error = Arc::new(error);
        let mut filters = Vec::new();
        for watch_state in std::mem::take(&mut self.watches).into_values() {
            filters.extend(watch_state.filter.clone());
            watch_state.fail(Error::Shared(Arc::clone(&error)));
        }
        match self.collector.take() {
            Some(collector) if collector.is_own => {
                self.collector = Some(collector);
                self.destroy_collector(None).await;
            }
            Some(_) => {
                for filter in filters {
                    self.destroy_filter(filter).await;
                }
            }
            None => {}
        }
    }

    /// Creates a collector. Servers before 4.1 have only the one of the session.
    async fn new_collector(&self) -> Result<Collector, Error> {
        let is_own = self.has::<CreatePropertyCollector>();
        let reference = match is_own {
            true => {
                self.client
                    .call(&CreatePropertyCollector::default())
                    .await?
            }
            false => self.client.service_content().property_collector.clone(),
        };
        Ok(Collector {
            reference,
            is_own,
            version: String::new(),
        })
    }

    fn has<M: Method>(&self) -> bool {
        self.client.api_version().has(M::INFO.since)
    }

    fn forget(&mut self) {
        self.collector = None;
        self.generation += 1;
        for watch_state in self.watches.values_mut() {
            watch_state.filter = None;
            watch_state.restart();
        }
    }

    fn is_update_wanted(&self) -> bool {
        self.watches
            .values()
            .any(|watch_state| watch_state.wants_update.load(Ordering::Acquire))
    }

    /// The waiting call, if there is a collector.
    fn wait(&self) -> Option<Waiting> {
        let collector = self.collector.as_ref()?;
        let (client, this) = (self.client.clone(), collector.reference.clone());
        let version = Some(collector.version.clone());
        if !self.has::<WaitForUpdatesEx>() {
            let request = WaitForUpdates {
                version,
                ..Default::default()
            };
            return Some(Box::pin(async move {
                let updates = client.call_on_in_this_session(&this, &request).await;
                updates.map(Some)
            }));
        }
        let request = WaitForUpdatesEx {
            version,
            options: Some(Box::new(WaitOptions {
                max_wait_seconds: i32::try_from(LONGEST.as_secs()).ok(),
                ..WaitOptions::default()
            })),
            ..Default::default()
        };
        Some(Box::pin(async move {
            let updates = client.call_on_in_this_session(&this, &request).await;
            updates.map(|updates| updates.map(|updates| *updates))
        }))
    }

    /// Delivers updates, or repairs a failure.
    async fn take(&mut self, result: Result<Option<UpdateSet>, Error>) {
        let error = match result {
            Ok(updates) => {
                self.failures = 0;
                return self.hand_out(updates.unwrap_or_default());
            }
            Err(error) => error,
        };
        let mended = if is_lost(&error, self.collector.as_ref()) {
            self.forget();
            self.subscribe().await
        } else if error.is_fault::<RequestCanceled>() {
            Ok(())
        } else if error.is_broken() && self.failures < FAILURES {
            // The last answer may be lost. A call with the same version reports it again.
            tracing::debug!(%error, "waiting again");
            pause(self.failures).await;
            self.failures += 1;
            Ok(())
        } else {
            Err(error)
        };
        if let Err(error) = mended {
            self.fail(error).await;
        }
    }

    fn hand_out(&mut self, updates: UpdateSet) {
        // An answer without a version means that nothing changed in time.
        if let Some(collector) = &mut self.collector
            && !updates.version.is_empty()
        {
            collector.version = updates.version;
        }
        for set in updates.filter_set {
            let mut watches = self.watches.values_mut();
            let watch =
                watches.find(|watch_state| watch_state.filter.as_ref() == Some(&set.filter));
            if let Some(watch) = watch {
                watch.awaited_since = None;
                watch.pending.extend(set.object_set);
                let missing = set.missing_set.into_iter();
                watch
                    .pending
                    .extend(missing.map(|missing| leave(missing.obj)));
            }
        }
        if updates.truncated != Some(true) {
            self.watches.values_mut().for_each(WatchState::deliver);
        }
    }
}

/// An update which says that the object has left.
fn leave(obj: ManagedObjectReference) -> ObjectUpdate {
    ObjectUpdate {
        kind: ObjectUpdateKind::Leave,
        obj,
        ..ObjectUpdate::default()
    }
}

/// Waits until the instant; forever without one.
async fn until(then: Option<Instant>) {
    match then {
        Some(then) => tokio::time::sleep_until(then).await,
        None => std::future::pending().await,
    }
}

/// Whether the collector or a filter no longer exists, as after the end of a session.
fn is_lost(error: &Error, collector: Option<&Collector>) -> bool {
    if error.is_not_authenticated() || error.is_fault::<InvalidCollectorVersion>() {
        return true;
    }
    let fault = error.fault();
    let gone = fault.and_then(|fault| fault.cast::<ManagedObjectNotFound>());
    gone.is_some_and(|gone| collector.is_some_and(|own| own.reference == gone.obj))
}

/// Sends a request that destroys an object, again if there is no answer: a second request does no harm.
async fn retry_destroy<F: Future<Output = Result<(), Error>>>(mut ask: impl FnMut() -> F) {
    for failures in 0.. {
        match ask().await {
            Ok(()) => return,
            Err(error) if error.is_broken() && failures < FAILURES => pause(failures).await,
            Err(error) => {
                // The server destroys it with the session.
                tracing::debug!(%error, "a property filter could not be destroyed");
                return;
            }
        }
    }
}

/// Pauses before the next attempt, longer after each failure.
async fn pause(failures: u32) {
    tokio::time::sleep(Duration::from_millis(100 << failures)).await;
}
