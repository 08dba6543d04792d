//! The one who waits for all watches of a client.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_core::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
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
    updates: mpsc::UnboundedSender<Update>,
    hungry: Arc<AtomicBool>,
}

type Waiting = BoxFuture<'static, Result<Option<UpdateSet>, Error>>;

/// How long the server may wait before it answers that nothing changed: less than proxies do.
const LONGEST: Duration = Duration::from_secs(60);

/// How often in a row waiting may fail for want of a connection.
const FAILURES: u32 = 5;

impl Waiter {
    fn new(client: Client, commands: mpsc::UnboundedReceiver<Command>) -> Self {
        Self {
            client,
            commands,
            collector: None,
            watches: BTreeMap::new(),
            failures: 0,
        }
    }

    async fn run(mut self) {
        let mut waiting: Option<Waiting> = None;
        loop {
            if waiting.is_none() && self.is_anybody_hungry() {
                waiting = self.wait();
            }
            let command = match &mut waiting {
                None => self.commands.recv().await,
                Some(answer) => tokio::select! {
                    command = self.commands.recv() => command,
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
                    updates,
                    hungry,
                };
                self.watches.insert(id, entry);
                let result = self.subscribe().await;
                if result.is_err() {
                    self.watches.remove(&id);
                }
                // Nobody listens when the caller has given up; its watch is removed then.
                let _ = ready.send(result);
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
        let Some(collector) = &self.collector else {
            return;
        };
        let result = match (filter, self.watches.is_empty() && collector.is_own) {
            (_, true) => {
                let this = &collector.reference;
                let request = DestroyPropertyCollector::default();
                self.client.call_on_in_this_session(this, &request).await
            }
            (Some(this), false) => {
                let request = DestroyPropertyFilter {
                    this,
                    ..Default::default()
                };
                self.client.call_in_this_session(&request).await
            }
            (None, false) => Ok(()),
        };
        if let Err(error) = result {
            // It went with its session, or goes with it.
            tracing::debug!(%error, "a property filter could not be destroyed");
        }
        if self.watches.is_empty() {
            self.collector = None;
        }
    }

    /// Makes whatever is missing: the collector, and a filter for each watch.
    ///
    /// A session that ends in the middle takes everything with it, so that all is made anew.
    async fn subscribe(&mut self) -> Result<(), Error> {
        let mut tries = 3;
        loop {
            tries -= 1;
            match self.try_to_subscribe().await {
                Err(error) if tries > 0 && self.is_lost(&error) => self.forget(),
                result => return result,
            }
        }
    }

    async fn try_to_subscribe(&mut self) -> Result<(), Error> {
        let collector = match &self.collector {
            Some(collector) => collector.reference.clone(),
            None => {
                let collector = self.new_collector().await?;
                self.collector.insert(collector).reference.clone()
            }
        };
        for entry in self.watches.values_mut() {
            if entry.filter.is_none() {
                let request = CreateFilter {
                    spec: (*entry.spec).clone(),
                    partial_updates: false,
                    ..Default::default()
                };
                let made = self
                    .client
                    .call_on_in_this_session(&collector, &request)
                    .await;
                entry.filter = Some(made?);
            }
        }
        Ok(())
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

    /// Whether the collector or a filter is no more, as after a session.
    fn is_lost(&self, error: &Error) -> bool {
        if error.is_not_authenticated() || error.is_fault::<InvalidCollectorVersion>() {
            return true;
        }
        let fault = error.fault();
        let gone = fault.and_then(|fault| fault.cast::<ManagedObjectNotFound>());
        let own = self.collector.as_ref().map(|own| &own.reference);
        gone.is_some_and(|gone| Some(&gone.obj) == own)
    }

    fn forget(&mut self) {
        self.collector = None;
        for entry in self.watches.values_mut() {
            entry.filter = None;
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
        let mended = if self.is_lost(&error) {
            self.forget();
            self.subscribe().await
        } else if error.is_fault::<RequestCanceled>() {
            Ok(())
        } else if matches!(error, Error::Transport(_) | Error::Deadline { .. })
            && self.failures < FAILURES
        {
            // The server doesn't know whether we got its last answer: asked with the same version, it tells.
            tracing::debug!(%error, "waiting is tried again");
            tokio::time::sleep(Duration::from_millis(100 << self.failures)).await;
            self.failures += 1;
            Ok(())
        } else {
            Err(error)
        };
        if let Err(error) = mended {
            let error = Arc::new(error);
            for entry in std::mem::take(&mut self.watches).into_values() {
                let _ = entry.updates.send(Err(Arc::clone(&error)));
            }
            self.collector = None;
        }
    }

    fn hand_out(&mut self, updates: UpdateSet) {
        if updates.version.is_empty() {
            // The time is over, and nothing changed.
            return;
        }
        if let Some(collector) = &mut self.collector {
            collector.version = updates.version;
        }
        for set in updates.filter_set {
            let mut watches = self.watches.values();
            let watch = watches.find(|entry| entry.filter.as_ref() == Some(&set.filter));
            if let Some(watch) = watch {
                watch.hungry.store(false, Ordering::Release);
                let _ = watch.updates.send(Ok(set.object_set));
            }
        }
    }
}
