//! The one who waits for all watches of a client.

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

/// What a watch is told.
pub(super) type Update = Result<Vec<ObjectUpdate>, Arc<Error>>;

/// What a watch asks of the waiter.
#[derive(Debug)]
pub(super) enum Command {
    Add {
        id: u64,
        spec: Box<PropertyFilterSpec>,
        updates: mpsc::UnboundedSender<Update>,
        hungry: Arc<AtomicBool>,
        ready: oneshot::Sender<Result<(), Error>>,
    },
    /// Somebody has become hungry.
    Wait,
    Remove {
        id: u64,
        done: Option<oneshot::Sender<()>>,
    },
}

/// Where a client keeps the way to its waiter, which is there only while something is watched.
#[derive(Debug, Default)]
pub(crate) struct Slot(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    commands: Option<mpsc::UnboundedSender<Command>>,
    /// The id of the last watch.
    last: u64,
}

impl Slot {
    /// Gives a new watch to the waiter, which is started if there is none.
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
        // The waiter listens: it leaves only under the lock.
        let _ = commands.send(command(state.last));
        (state.last, commands)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for updates and hands them out.
struct Waiter {
    client: Client,
    commands: mpsc::UnboundedReceiver<Command>,
    collector: Option<Collector>,
    watches: BTreeMap<u64, Entry>,
    /// How often everything had to be made anew.
    generation: u64,
    /// How often in a row there was no answer.
    failures: u32,
}

/// A property collector on the server.
struct Collector {
    reference: ManagedObjectReference,
    /// Whether it is ours alone, so that destroying it destroys its filters.
    is_own: bool,
    /// The version of the last update set; empty at first.
    version: String,
}

struct Entry {
    spec: Box<PropertyFilterSpec>,
    /// The filter on the server, once there is one.
    filter: Option<ManagedObjectReference>,
    /// When the filter was made, until something came of it.
    awaited_since: Option<Instant>,
    /// Updates of answers that the server has truncated: the rest comes with the next answers.
    pending: Vec<ObjectUpdate>,
    /// The objects that the watch knows to be there.
    known: HashSet<ManagedObjectReference>,
    /// Whether the next answer has everything, not only what changed.
    begins_anew: bool,
    updates: mpsc::UnboundedSender<Update>,
    hungry: Arc<AtomicBool>,
    /// Who waits for the first filter.
    ready: Option<oneshot::Sender<Result<(), Error>>>,
}

impl Entry {
    /// The next answer has everything that the filter selects, whatever was told before.
    fn begin_anew(&mut self) {
        self.pending.clear();
        self.begins_anew = true;
    }

    /// Tells the watch what changed, now that the server has told all of it.
    fn deliver(&mut self) {
        let mut updates = std::mem::take(&mut self.pending);
        if std::mem::take(&mut self.begins_anew) {
            // The server no longer knows what it told before, so nobody else notices what has left meanwhile.
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
        self.hungry.store(false, Ordering::Release);
        // Nobody listens when the caller has given up.
        let _ = self.updates.send(Ok(updates));
    }

    /// Tells its watch that nothing comes any more.
    fn fail(self, error: Error) {
        // Nobody listens when the caller has given up.
        match self.ready {
            Some(ready) => drop(ready.send(Err(error))),
            None => drop(self.updates.send(Err(Arc::new(error)))),
        }
    }
}

type Waiting = BoxFuture<'static, Result<Option<UpdateSet>, Error>>;

/// How long the server may wait before it answers that nothing changed: less than proxies do.
const LONGEST: Duration = Duration::from_secs(60);

/// How long a server may take to tell what a new filter selects. ESX does it at once; govmomi's simulator only to those
/// who ask from the beginning.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often in a row waiting may fail for want of a connection.
const FAILURES: u32 = 5;

/// How often in a row a session may end while it is subscribed to something.
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
            if waiting.is_none() && self.is_anybody_hungry() {
                waiting = self.wait();
            }
            let overdue = self.overdue();
            let command = match &mut waiting {
                None => self.commands.recv().await,
                Some(answer) => tokio::select! {
                    command = self.commands.recv() => command,
                    () = until(overdue) => {
                        waiting = None;
                        self.begin_anew();
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
                self.obey(command, &mut waiting).await;
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

    /// When to lose patience with the server for the sake of a new filter.
    fn overdue(&self) -> Option<Instant> {
        let awaited = self
            .watches
            .values()
            .filter_map(|entry| entry.awaited_since);
        awaited.min().map(|since| since + PATIENCE)
    }

    /// The next call that waits is told everything, of all filters; once for each filter.
    fn begin_anew(&mut self) {
        if let Some(collector) = &mut self.collector {
            collector.version.clear();
        }
        for entry in self.watches.values_mut() {
            entry.awaited_since = None;
            entry.begin_anew();
        }
    }

    /// Ends, unless there is another command by now.
    fn leave(&mut self) -> Option<Command> {
        let mut slot = self.client.waiter().lock();
        let command = self.commands.try_recv().ok();
        if command.is_none() {
            slot.commands = None;
        }
        command
    }

    async fn obey(&mut self, command: Command, waiting: &mut Option<Waiting>) {
        match command {
            Command::Wait => {}
            Command::Add {
                id,
                spec,
                updates,
                hungry,
                ready,
            } => {
                let entry = Entry {
                    spec,
                    filter: None,
                    awaited_since: None,
                    pending: Vec::new(),
                    known: HashSet::new(),
                    begins_anew: false,
                    updates,
                    hungry,
                    ready: Some(ready),
                };
                self.watches.insert(id, entry);
                let before = self.generation;
                if let Err(error) = self.subscribe().await {
                    self.fail(error).await;
                }
                if before != self.generation {
                    // The call waits for filters that are no more.
                    *waiting = None;
                }
            }
            Command::Remove { id, done } => {
                let entry = self.watches.remove(&id);
                let filter = entry.and_then(|entry| entry.filter);
                if self.watches.is_empty() {
                    // Before its collector goes, so that the server has nobody to disappoint.
                    *waiting = None;
                }
                self.destroy(filter).await;
                drop(done);
            }
        }
    }

    /// Destroys a filter, or with the last watch the whole collector.
    async fn destroy(&mut self, filter: Option<ManagedObjectReference>) {
        match (filter, self.watches.is_empty()) {
            (filter, true) => self.destroy_collector(filter).await,
            (Some(filter), false) => self.destroy_filter(filter).await,
            (None, false) => {}
        }
    }

    /// Destroys the collector with all its filters; of one that is not ours, only the filter.
    async fn destroy_collector(&mut self, filter: Option<ManagedObjectReference>) {
        match (self.collector.take(), filter) {
            (Some(collector), _) if collector.is_own => {
                let request = DestroyPropertyCollector::default();
                surely(|| {
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
        surely(|| self.client.call_in_this_session(&request)).await;
    }

    /// Makes whatever is missing: the collector, and a filter for each watch.
    ///
    /// A session that ends in the middle takes everything with it, so that all is made anew. So is everything when a
    /// connection breaks: there may be a filter then of which we don't know, and it goes with its collector.
    async fn subscribe(&mut self) -> Result<(), Error> {
        let (mut losses, mut failures) = (0, 0);
        loop {
            let Err(error) = self.try_to_subscribe().await else {
                return Ok(());
            };
            if losses < LOSSES && is_lost(&error, self.collector.as_ref()) {
                losses += 1;
            } else if failures < FAILURES && error.is_broken() {
                tracing::debug!(%error, "watching is tried again");
                pause(failures).await;
                failures += 1;
                self.destroy_collector(None).await;
            } else {
                return Err(error);
            }
            self.forget();
        }
    }

    /// Fails when there is no way to the server; a filter that the server refuses only costs its own watch.
    async fn try_to_subscribe(&mut self) -> Result<(), Error> {
        let collector = match &self.collector {
            Some(collector) => collector.reference.clone(),
            None => {
                let collector = self.new_collector().await?;
                self.collector.insert(collector).reference.clone()
            }
        };
        let mut refused = Vec::new();
        for (id, entry) in &mut self.watches {
            if entry.filter.is_some() {
                continue;
            }
            let request = CreateFilter {
                spec: (*entry.spec).clone(),
                partial_updates: false,
                ..CreateFilter::default()
            };
            let made = self
                .client
                .call_on_in_this_session(&collector, &request)
                .await;
            match made {
                Ok(filter) => {
                    entry.filter = Some(filter);
                    entry.awaited_since = Some(Instant::now());
                    if let Some(ready) = entry.ready.take() {
                        // Nobody listens when the caller has given up; its watch is removed then.
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
            if let Some(entry) = self.watches.remove(&id) {
                entry.fail(error);
            }
        }
        if self.watches.is_empty() {
            self.destroy_collector(None).await;
        }
        Ok(())
    }

    /// Ends all watches, and then what they had on the server.
    async fn fail(&mut self, error: Error) {
        let error = Arc::new(error);
        let mut filters = Vec::new();
        for entry in std::mem::take(&mut self.watches).into_values() {
            filters.extend(entry.filter.clone());
            entry.fail(Error::Shared(Arc::clone(&error)));
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

    /// A collector of our own; servers before 4.1 have one for each session only.
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
        for entry in self.watches.values_mut() {
            entry.filter = None;
            entry.begin_anew();
        }
    }

    fn is_anybody_hungry(&self) -> bool {
        self.watches
            .values()
            .any(|entry| entry.hungry.load(Ordering::Acquire))
    }

    /// The call that waits, if there is something to wait for.
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

    /// Hands out what came, or mends what broke.
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
            // The server doesn't know whether we got its last answer: asked with the same version, it tells.
            tracing::debug!(%error, "waiting is tried again");
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
        // Without a version the time is over, and nothing changed.
        if let Some(collector) = &mut self.collector
            && !updates.version.is_empty()
        {
            collector.version = updates.version;
        }
        for set in updates.filter_set {
            let mut watches = self.watches.values_mut();
            let watch = watches.find(|entry| entry.filter.as_ref() == Some(&set.filter));
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
            self.watches.values_mut().for_each(Entry::deliver);
        }
    }
}

/// The object is there no more.
fn leave(obj: ManagedObjectReference) -> ObjectUpdate {
    ObjectUpdate {
        kind: ObjectUpdateKind::Leave,
        obj,
        ..ObjectUpdate::default()
    }
}

/// Then, or never.
async fn until(then: Option<Instant>) {
    match then {
        Some(then) => tokio::time::sleep_until(then).await,
        None => std::future::pending().await,
    }
}

/// Whether the collector or a filter is no more, as after a session.
fn is_lost(error: &Error, collector: Option<&Collector>) -> bool {
    if error.is_not_authenticated() || error.is_fault::<InvalidCollectorVersion>() {
        return true;
    }
    let fault = error.fault();
    let gone = fault.and_then(|fault| fault.cast::<ManagedObjectNotFound>());
    gone.is_some_and(|gone| collector.is_some_and(|own| own.reference == gone.obj))
}

/// Destroys something: asks again while there is no answer, since asking twice does no harm.
async fn surely<F: Future<Output = Result<(), Error>>>(mut ask: impl FnMut() -> F) {
    for failures in 0.. {
        match ask().await {
            Ok(()) => return,
            Err(error) if error.is_broken() && failures < FAILURES => pause(failures).await,
            Err(error) => {
                // It went with its session, or goes with it.
                tracing::debug!(%error, "a property filter could not be destroyed");
                return;
            }
        }
    }
}

/// Gives the server time before it is asked again: more each time.
async fn pause(failures: u32) {
    tokio::time::sleep(Duration::from_millis(100 << failures)).await;
}
