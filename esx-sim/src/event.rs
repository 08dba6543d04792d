//! The event log: what the server writes about everything that happens.
//!
//! [`World::log`] writes an event about an object. The properties have changed before, so a client that reads an event finds
//! the objects as the event says. The newest event is also in `EventManager.latestEvent`, and in the latest page of every
//! collector that it fits.

mod about;
mod clock;
mod collector;
mod filter;
pub(crate) mod lifecycle;
mod text;

use std::collections::VecDeque;

use vi_types::objects::{Event, VmEvent};
use vi_types::{ManagedObjectReference, Poly, properties};

pub(crate) use self::about::About;
pub(crate) use self::clock::Clock;
pub(crate) use self::collector::{Collector, LARGEST_PAGE};
pub(crate) use self::filter::Filter;
pub(crate) use self::text::description;
use crate::version::ApiVersion;
use crate::world::World;
use crate::world::inventory::ServerKind;

/// Most events that an ESX host keeps: hosts have them in memory only, some hundreds to a thousand.
const KEPT_BY_ESX: usize = 1_000;

/// Most events that a vCenter keeps. Real ones keep those of 30 days in their database.
const KEPT_BY_VCENTER: usize = 10_000;

/// The events of a server, oldest first.
pub(crate) struct EventLog {
    entries: VecDeque<Entry>,
    /// The key of the next event.
    next: i32,
    most: usize,
    /// Whether events are written; they are not while the inventory is made.
    is_open: bool,
    pub(crate) clock: Clock,
    /// On whose behalf the server acts; nobody's if it acts by itself.
    user: Option<String>,
    /// The key of the event that begins the chain of a task whose work is being done.
    chain: Option<i32>,
    collectors: Vec<(ManagedObjectReference, Collector)>,
}

/// An event with the objects that it is about.
pub(crate) struct Entry {
    pub(crate) event: Poly<Event>,
    /// The object that it is about.
    own: ManagedObjectReference,
    /// The objects above that one.
    above: Vec<ManagedObjectReference>,
}

impl EventLog {
    pub(crate) fn new(kind: ServerKind) -> Self {
        Self {
            entries: VecDeque::new(),
            next: first_key(kind),
            most: match kind {
                ServerKind::Esx => KEPT_BY_ESX,
                ServerKind::VCenter => KEPT_BY_VCENTER,
            },
            is_open: false,
            clock: Clock::default(),
            user: None,
            chain: None,
            collectors: Vec::new(),
        }
    }

    /// Writes events from now on.
    pub(crate) fn open(&mut self, clock: Clock) {
        self.is_open = true;
        self.clock = clock;
    }

    /// Forgets all collectors. An ESX host also forgets its events, and its keys begin again; the events of a vCenter are
    /// in a database.
    fn restart(&mut self, kind: ServerKind) {
        self.collectors.clear();
        if kind == ServerKind::Esx {
            self.entries.clear();
            self.next = first_key(kind);
        }
    }

    /// The events, oldest first.
    pub(crate) fn entries(&self) -> &VecDeque<Entry> {
        &self.entries
    }

    /// From now on, the server acts on behalf of this user, and its events belong to the chain that this event has begun.
    /// Returns what was set before.
    pub(crate) fn act_for(
        &mut self,
        user: Option<String>,
        chain: Option<i32>,
    ) -> (Option<String>, Option<i32>) {
        (
            std::mem::replace(&mut self.user, user),
            std::mem::replace(&mut self.chain, chain),
        )
    }

    /// On whose behalf the server acts.
    pub(crate) fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Keeps the collectors that still exist as objects.
    pub(crate) fn retain_collectors(&mut self, exists: impl Fn(&ManagedObjectReference) -> bool) {
        self.collectors.retain(|(reference, _)| exists(reference));
    }

    pub(crate) fn add_collector(
        &mut self,
        reference: ManagedObjectReference,
        collector: Collector,
    ) {
        self.collectors.push((reference, collector));
    }

    /// A collector with the events that it reads.
    pub(crate) fn collector(
        &mut self,
        reference: &ManagedObjectReference,
    ) -> Option<(&mut Collector, &VecDeque<Entry>)> {
        let mut collectors = self.collectors.iter_mut();
        let (_, collector) = collectors.find(|(one, _)| one == reference)?;
        Some((collector, &self.entries))
    }

    /// The number of collectors.
    pub(crate) fn collectors(&self) -> usize {
        self.collectors.len()
    }
}

/// Keys of an ESX host begin at 0 each time that it starts.
fn first_key(kind: ServerKind) -> i32 {
    match kind {
        ServerKind::Esx => 0,
        ServerKind::VCenter => 1,
    }
}

impl World {
    /// The server restarts: [`EventLog::restart`].
    pub(crate) fn restart_log(&mut self) {
        let kind = self.kind();
        self.events.restart(kind);
        let latest = self.events.entries.back().map(|entry| entry.event.clone());
        self.set_latest(latest);
    }

    /// Writes an event about an object. Returns its key; `None` if the server is older than the event's type.
    pub(crate) fn log(
        &mut self,
        object: &ManagedObjectReference,
        event: impl Into<Poly<Event>>,
    ) -> Option<i32> {
        self.log_about(&self.about(object), event)
    }

    /// The same about an object that is described already, because it may have gone meanwhile.
    ///
    /// Key, chain, time and user are set. The arguments (machine, host, …) and the text are set unless the event has them.
    pub(crate) fn log_about(
        &mut self,
        about: &About,
        event: impl Into<Poly<Event>>,
    ) -> Option<i32> {
        let mut event = event.into();
        // A type that this build does not have says nothing of its version.
        let since = event.as_object().info().since();
        let is_newer = !since.is_empty() && ApiVersion::since(since) > self.release().version();
        if is_newer || !self.events.is_open {
            return None;
        }
        let key = self.events.next;
        self.events.next = self.events.next.wrapping_add(1);
        event.key = key;
        event.chain_id = self.events.chain.unwrap_or(key);
        event.created_time = self.events.clock.now(self.clock.microseconds());
        event.user_name = match (&self.events.user, self.kind()) {
            (Some(user), _) => user.clone(),
            // What an ESX host does by itself is done by "User".
            (None, ServerKind::Esx) => "User".to_owned(),
            (None, ServerKind::VCenter) => String::new(),
        };
        about.complete(&mut event, self.since("4.0"));
        if let Some(event) = event.cast_mut::<VmEvent>() {
            event.template |= about.template;
        }
        if event.full_formatted_message.is_none() {
            event.full_formatted_message = Some(text::message(&event));
        }
        let entry = Entry {
            own: about.own.clone(),
            above: about.above.clone(),
            event,
        };
        self.show(&entry);
        let log = &mut self.events;
        log.entries.push_back(entry);
        if log.entries.len() > log.most {
            log.entries.pop_front();
        }
        Some(key)
    }

    /// Puts a new event into the properties that show it.
    fn show(&mut self, entry: &Entry) {
        let log = &self.events;
        let fitting = log.collectors.iter().filter_map(|(reference, collector)| {
            let fits = collector.filter.fits(entry);
            fits.then(|| {
                (
                    reference.clone(),
                    collector.page_size,
                    collector.filter.shown(entry),
                )
            })
        });
        for (collector, size, event) in fitting.collect::<Vec<_>>() {
            self.change(
                &collector,
                |shown: &mut properties::EventHistoryCollector| {
                    shown.latest_page.insert(0, event);
                    shown.latest_page.truncate(size);
                },
            );
        }
        self.set_latest(Some(entry.event.clone()));
    }

    fn set_latest(&mut self, event: Option<Poly<Event>>) {
        let manager = self.all("EventManager").next().cloned();
        if let Some(manager) = manager {
            self.change(&manager, |manager: &mut properties::EventManager| {
                manager.latest_event = event;
            });
        }
    }
}
