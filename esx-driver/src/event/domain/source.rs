//! Where the events of domains come from: watches of properties, the server's own events, and a poll.

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::{pending, poll_fn};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use futures_core::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until};
use tracing::debug;
use vi_client::retrieve::{ObjectProperties, PropertySet, Retrieve, Selection, Typed};
use vi_client::{Error as Cause, Watch};
use vi_types::enums::{ObjectUpdateKind, VirtualMachineConnectionState};
use vi_types::objects::{Event, ObjectUpdate, VirtualMachineQuestionInfo, VmRenamedEvent};
use vi_types::properties::{HostSystem, Task, VirtualMachine};
use vi_types::{ManagedObject, ManagedObjectReference, Poly};
use virt_model::event::DomainEventId;

use super::agent::{self, Agent};
use super::balloon::{self, Balloon};
use super::clue::{self, Clue};
use super::devices::{self, Devices};
use super::groups::{Crash, Group, Life, Standby, needs_history};
use super::history::History;
use super::lifecycle::{Observed, Power};
use super::metadata::{self, Metadata};
use super::timeline::{REASON_WAIT, State, Timeline};
use super::{DomainEvent, jobs, questions, speech};
use crate::domain::{Job, unescaped_name};
use crate::event::callbacks::Callbacks;
use crate::{Connect, Domain, Error, Result};

/// Asks the running source of a connection for what another registration needs.
#[derive(Default)]
pub(super) struct Extender(Mutex<Option<mpsc::UnboundedSender<Extension>>>);

type Extension = oneshot::Sender<Result<()>>;

impl Extender {
    fn set(&self, sender: mpsc::UnboundedSender<Extension>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
    }

    /// Returns when the source has what all registrations need.
    pub(super) async fn extend(&self) -> Result<()> {
        let (done, is_done) = oneshot::channel();
        let sender = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if sender.is_some_and(|sender| sender.send(done).is_ok())
            && let Ok(result) = is_done.await
        {
            return result;
        }
        // The source has just failed, which it tells itself.
        Err(Error::from(Cause::Closed {
            method: "WaitForUpdatesEx",
        }))
    }
}

/// The source of a connection's events.
pub(super) struct Source {
    connect: Connect,
    host: ManagedObjectReference,
    callbacks: Callbacks<DomainEvent>,
    extensions: mpsc::UnboundedReceiver<Extension>,
    watches: Vec<Watched>,
    machines: HashMap<ManagedObjectReference, Machine>,
    /// The recent tasks that are over.
    over: HashSet<ManagedObjectReference>,
    /// When domains may have something to tell without anything that happens, in the order of the times.
    due: VecDeque<(Instant, ManagedObjectReference)>,
    balloon: Option<Poller>,
    history: History,
}

/// A group that is watched.
struct Watched {
    group: Group,
    watch: Watch,
    objects: HashMap<ManagedObjectReference, ObjectProperties>,
}

/// A virtual machine, with what is known of it.
#[derive(Default)]
struct Machine {
    timeline: Timeline<Domain>,
    devices: Option<Devices>,
    agent: Option<Agent>,
    question: Option<VirtualMachineQuestionInfo>,
    metadata: Option<Metadata>,
    balloon: Option<u64>,
}

/// The poll of the balloons.
struct Poller {
    interval: Interval,
    reading: Option<BoxFuture<'static, Result<Vec<Typed<Balloon>>, Cause>>>,
    /// Whether the balloons have been read before.
    has_read: bool,
}

/// What the source waits for.
enum Next {
    Extension(Extension),
    Updates(usize, Result<Vec<ObjectUpdate>, Arc<Cause>>),
    Due,
    Registrations,
    Balloons(Result<Vec<Typed<Balloon>>, Cause>),
    Spoken(Option<Poly<Event>>),
}

impl Source {
    /// Subscribes at the server for what is registered.
    pub(super) async fn start(
        connect: Connect,
        callbacks: Callbacks<DomainEvent>,
    ) -> Result<Source> {
        let (sender, extensions) = mpsc::unbounded_channel();
        let mut source = Source {
            host: connect.host_system().await?.clone(),
            connect: connect.clone(),
            callbacks,
            extensions,
            watches: Vec::new(),
            machines: HashMap::new(),
            over: HashSet::new(),
            due: VecDeque::new(),
            balloon: None,
            history: History::Unused,
        };
        source.extend().await?;
        connect.shared::<Extender>().set(sender);
        Ok(source)
    }

    /// Tells events until the source fails.
    pub(super) async fn run(mut self) -> Arc<Cause> {
        let mut registrations = self.callbacks.changes();
        loop {
            let due = self.due.front().map(|(time, _)| *time);
            let next = tokio::select! {
                biased;
                Some(extension) = self.extensions.recv() => Next::Extension(extension),
                Ok(()) = registrations.changed() => Next::Registrations,
                // What changed, then what is said about it, which need not be late if it has arrived. A domain waits
                // longer for that only while there is always something else to hear.
                (index, updates) = next_updates(&mut self.watches) => Next::Updates(index, updates),
                () = sleep_to(due.map(|due| due + REASON_WAIT)) => Next::Due,
                event = self.history.next(&self.connect, &self.host) => Next::Spoken(event),
                found = next_balloons(&mut self.balloon, &self.connect, &self.host) => Next::Balloons(found),
                () = sleep_to(due) => Next::Due,
            };
            match next {
                Next::Extension(done) => {
                    let result = self.extend().await;
                    // A registration that is given up waits no more.
                    let _ = done.send(result);
                }
                Next::Updates(index, Ok(updates)) => self.apply(index, updates, false),
                Next::Updates(_, Err(error)) => return error,
                Next::Due => self.tell_due(),
                Next::Registrations => self.reduce(),
                Next::Balloons(Ok(found)) => self.compare_balloons(found),
                Next::Spoken(Some(event)) => self.hear(&event),
                // What waits for its reason need not wait any more.
                Next::Spoken(None) => self.tell_all(),
                // The next poll may succeed. If the connection is lost, the watches say so.
                Next::Balloons(Err(error)) => debug!(%error, "the balloons cannot be read"),
            }
        }
    }

    fn needs(&self, group: Group) -> bool {
        group == Group::State
            || DomainEventId::ALL
                .iter()
                .any(|id| group.serves(*id) && self.callbacks.wants(*id))
    }

    fn needs_history(&self) -> bool {
        let mut ids = DomainEventId::ALL.iter();
        ids.any(|id| needs_history(*id) && self.callbacks.wants(*id))
    }

    /// Watches what the registrations need and is not watched yet. The first state is not told.
    async fn extend(&mut self) -> Result<()> {
        if matches!(self.history, History::Unused) && self.needs_history() {
            self.history = History::follow(&self.connect, &self.host).await;
        }
        for group in Group::ALL {
            if !self.needs(group) || self.watches.iter().any(|it| it.group == group) {
                continue;
            }
            let filter = group.request(&self.connect, &self.host).filter();
            let mut watch = self.connect.client().watch(filter).await?;
            let first = watch.next().await.map_err(Cause::Shared)?;
            // From now on: a registration fails if it cannot begin, and lasts if it has begun.
            watch.keep_trying();
            self.watches.push(Watched {
                group,
                watch,
                objects: HashMap::new(),
            });
            self.apply(self.watches.len() - 1, first, true);
        }
        if self.balloon.is_none() && self.callbacks.wants(DomainEventId::BalloonChange) {
            let mut poller = Poller {
                interval: interval_at(Instant::now() + balloon::INTERVAL, balloon::INTERVAL),
                reading: None,
                has_read: false,
            };
            poller
                .interval
                .set_missed_tick_behavior(MissedTickBehavior::Delay);
            let found = read_balloons(self.connect.clone(), self.host.clone()).await?;
            self.balloon = Some(poller);
            self.compare_balloons(found);
        }
        Ok(())
    }

    /// Ends what no registration needs any more.
    fn reduce(&mut self) {
        let unneeded: Vec<_> = Group::ALL
            .into_iter()
            .filter(|group| !self.needs(*group))
            .collect();
        self.watches.retain(|it| !unneeded.contains(&it.group));
        for machine in self.machines.values_mut() {
            for group in &unneeded {
                machine.forget(*group);
            }
        }
        if unneeded.contains(&Group::Tasks) {
            self.over.clear();
        }
        if !self.needs_history() {
            self.history = History::Unused;
            self.tell_all();
        }
        if !self.callbacks.wants(DomainEventId::BalloonChange) {
            self.balloon = None;
            for machine in self.machines.values_mut() {
                machine.balloon = None;
            }
        }
    }

    /// Takes updates over. Those that come first are what is there already.
    fn apply(&mut self, index: usize, updates: Vec<ObjectUpdate>, is_first: bool) {
        let Some(watched) = self.watches.get_mut(index) else {
            return;
        };
        let group = watched.group;
        let mut changed = Vec::new();
        for update in updates {
            let moref = update.obj.clone();
            if ![VirtualMachine::TYPE, Task::TYPE].contains(&moref.r#type.as_str()) {
                continue;
            }
            if update.kind == ObjectUpdateKind::Leave {
                watched.objects.remove(&moref);
                changed.push((moref, None));
            } else if group.is_one_property() {
                let mut object = ObjectProperties::default();
                object.apply(update);
                changed.push((moref, Some(object)));
            } else {
                let object = watched.objects.entry(moref.clone()).or_default();
                object.apply(update);
                changed.push((moref, Some(object.clone())));
            }
        }
        if group == Group::Tasks {
            // Several tasks that ended meanwhile have ended one after the other.
            changed.sort_by_cached_key(|(_, properties)| properties.as_ref().and_then(ended));
        }
        for (moref, properties) in changed {
            match group {
                Group::Tasks => self.change_task(&moref, properties, is_first),
                Group::State => self.change_state(&moref, properties, is_first),
                _ => self.change_group(group, &moref, properties, is_first),
            }
        }
    }

    fn change_state(
        &mut self,
        moref: &ManagedObjectReference,
        properties: Option<ObjectProperties>,
        is_first: bool,
    ) {
        let at = Instant::now();
        let machine = match &properties {
            Some(_) => self.machines.entry(moref.clone()).or_default(),
            None => match self.machines.get_mut(moref) {
                Some(machine) => machine,
                None => return,
            },
        };
        let before = machine.timeline.state();
        let now = match properties {
            Some(properties) => match state(&self.connect, properties, before) {
                Ok(state) => Some(state),
                Err(error) => {
                    // A machine that is being created lacks properties. One that was a domain keeps its last state.
                    debug!(%moref, %error, "a virtual machine that is no domain");
                    return;
                }
            },
            None => None,
        };
        match now {
            Some(state) if is_first => machine.timeline.begin(state),
            now if now.as_ref().map(|state| &state.1) == before.map(|state| &state.1) => {
                // Something of its identity may have changed that is no event.
                if let Some(state) = now {
                    machine.timeline.begin(state);
                }
            }
            now => {
                let is_active = |state: Option<&State<Domain>>| {
                    state.is_some_and(|(_, state)| state.power != Power::Off)
                };
                if !is_active(before)
                    && is_active(now.as_ref())
                    && let Some(agent) = &mut machine.agent
                {
                    agent.has_been = false;
                }
                machine.timeline.change(now, at);
                self.due.push_back((at + REASON_WAIT, moref.clone()));
            }
        }
        self.tell(moref);
    }

    fn change_group(
        &mut self,
        group: Group,
        moref: &ManagedObjectReference,
        properties: Option<ObjectProperties>,
        is_first: bool,
    ) {
        let Some(mut properties) = properties else {
            if let Some(machine) = self.machines.get_mut(moref) {
                machine.forget(group);
            }
            self.tell(moref);
            return;
        };
        let machine = self.machines.entry(moref.clone()).or_default();
        let state = machine.timeline.state();
        let is_active = state.is_some_and(|(_, state)| state.power != Power::Off);
        let events = match group {
            Group::State | Group::Tasks => Vec::new(),
            Group::Devices => {
                let found = devices::Configured::from_properties(&mut properties);
                let Ok(found) = found else { return };
                let now = Devices::new(found, is_active);
                let events = machine
                    .devices
                    .as_ref()
                    .map(|before| devices::events(before, &now));
                machine.devices = Some(now);
                events.unwrap_or_default()
            }
            Group::Tools => {
                let runs = match self.connect.client().api_version().at_least(4, 0) {
                    true => agent::Tools::from_properties(&mut properties).map(|tools| tools.run()),
                    false => {
                        agent::OldTools::from_properties(&mut properties).map(|tools| tools.run())
                    }
                };
                let Ok(runs) = runs else { return };
                let agent = machine.agent.get_or_insert(Agent {
                    is_connected: is_first && runs,
                    // Whether it was connected before is not known.
                    has_been: is_first && is_active,
                });
                agent.connect(runs).into_iter().collect()
            }
            Group::Question => {
                let found = questions::Asked::from_properties(&mut properties);
                let Ok(found) = found else { return };
                let before = std::mem::replace(&mut machine.question, found.question);
                let (now, devices) = (machine.question.as_ref(), machine.devices.as_ref());
                questions::events(before.as_ref(), now, devices)
            }
            Group::Metadata => {
                let found = metadata::Configured::from_properties(&mut properties);
                let Ok(found) = found else { return };
                let now = Metadata::from(found);
                let events = machine
                    .metadata
                    .as_ref()
                    .map(|before| metadata::events(before, &now));
                machine.metadata = Some(now);
                events.unwrap_or_default()
            }
        };
        if is_first {
            return;
        }
        for event in events {
            machine.timeline.event(event, None);
        }
        self.tell(moref);
    }

    fn change_task(
        &mut self,
        task: &ManagedObjectReference,
        properties: Option<ObjectProperties>,
        is_first: bool,
    ) {
        // The server forgets tasks a while after they have ended.
        let Some(mut properties) = properties else {
            self.over.remove(task);
            return;
        };
        let subject = jobs::Subject::from_properties(&mut properties.clone());
        let subject = subject.ok().and_then(|subject| subject.entity);
        let (Some(moref), Ok(job)) = (subject, Job::from_properties(&mut properties)) else {
            return;
        };
        if job.is_pending() || !self.over.insert(task.clone()) || is_first {
            return;
        }
        if let Some(machine) = self.machines.get_mut(&moref) {
            machine
                .timeline
                .event(jobs::event(job.result()), job.completed);
            self.tell(&moref);
        }
    }

    fn compare_balloons(&mut self, found: Vec<Typed<Balloon>>) {
        let Some(poller) = &mut self.balloon else {
            return;
        };
        let is_first = !std::mem::replace(&mut poller.has_read, true);
        for typed in found {
            let Ok(balloon) = typed.properties else {
                continue;
            };
            let Some(machine) = self.machines.get_mut(&typed.object) else {
                continue;
            };
            let before = std::mem::replace(&mut machine.balloon, balloon.actual());
            if let Some(actual) = machine.balloon
                && before.is_some_and(|before| before != actual)
                && !is_first
            {
                let event = super::DomainEventDetail::BalloonChange { actual };
                machine.timeline.event(event, None);
                self.tell(&typed.object);
            }
        }
    }

    /// Hears what the server says.
    fn hear(&mut self, event: &Poly<Event>) {
        let Some(moref) = clue::subject(event) else {
            return;
        };
        let (at, time) = (Instant::now(), Some(event.created_time.clone()));
        let clues = Clue::of(event);
        // What is said about a machine that is not there yet is kept for a short time.
        let is_known = self.machines.contains_key(&moref);
        if !is_known && clues.iter().all(|clue| *clue == Clue::OtherTask) {
            return;
        }
        let machine = self.machines.entry(moref.clone()).or_default();
        let is_told = event.cast::<VmRenamedEvent>().is_some_and(|event| {
            let name = unescaped_name(&event.new_name);
            name.is_ok_and(|name| machine.timeline.has_told_name(&name))
        });
        for clue in clues.into_iter().filter(|_| !is_told) {
            machine.timeline.clue(clue, time.clone(), at);
        }
        for detail in speech::events(event, machine.devices.as_ref()) {
            machine.timeline.event(detail, time.clone());
        }
        if !is_known {
            self.due.push_back((at + REASON_WAIT, moref.clone()));
        }
        self.tell(&moref);
    }

    /// Tells what a domain has to tell.
    fn tell(&mut self, moref: &ManagedObjectReference) {
        let (has_history, now) = (self.history.is_told(), Instant::now());
        let Some(machine) = self.machines.get_mut(moref) else {
            return;
        };
        for happened in machine.timeline.tell(has_history, now) {
            self.callbacks.dispatch(DomainEvent {
                domain: happened.domain,
                time: happened.time,
                detail: happened.detail,
            });
        }
        if machine.is_gone() {
            self.machines.remove(moref);
        }
    }

    fn tell_due(&mut self) {
        let now = Instant::now();
        while self.due.front().is_some_and(|(time, _)| *time <= now) {
            if let Some((_, moref)) = self.due.pop_front() {
                if let Some(machine) = self.machines.get_mut(&moref) {
                    machine.timeline.expire(now);
                }
                self.tell(&moref);
            }
        }
    }

    /// Tells everything that waits, if it can be told.
    fn tell_all(&mut self) {
        let waiting: Vec<_> = self.due.iter().map(|(_, moref)| moref.clone()).collect();
        for moref in waiting {
            self.tell(&moref);
        }
    }
}

impl Machine {
    /// Forgets what a group has shown.
    fn forget(&mut self, group: Group) {
        match group {
            Group::State | Group::Tasks => {}
            Group::Devices => self.devices = None,
            Group::Tools => self.agent = None,
            Group::Question => self.question = None,
            Group::Metadata => self.metadata = None,
        }
    }

    /// Whether there is nothing to remember.
    fn is_gone(&self) -> bool {
        self.timeline.is_over()
            && self.devices.is_none()
            && self.agent.is_none()
            && self.question.is_none()
            && self.metadata.is_none()
    }
}

/// The state of a domain that these properties show.
fn state(
    connect: &Connect,
    mut properties: ObjectProperties,
    before: Option<&State<Domain>>,
) -> Result<State<Domain>> {
    let life = Life::from_properties(&mut properties).map_err(Error::missing_property)?;
    let standby = Standby::from_properties(&mut properties).map_err(Error::missing_property)?;
    let crash = Crash::from_properties(&mut properties).map_err(Error::missing_property)?;
    let (domain, power_state) = connect.identify_with_state(properties)?;
    let before = before.map(|(_, state)| state.power);
    let power = Power::new(&power_state, before);
    let is_lost =
        |state: &VirtualMachineConnectionState| *state != VirtualMachineConnectionState::Connected;
    let is_known = !life.connection.as_ref().is_some_and(is_lost);
    // What a vCenter says of a host that it has lost is old, or a guess.
    let power = match (is_known, before) {
        (false, Some(before)) => before,
        _ => power,
    };
    let is_asleep =
        standby.is_online == Some(true) || life.guest_state.as_deref() == Some("standby");
    let observed = Observed {
        name: domain.name().to_owned(),
        power,
        is_asleep: is_asleep && power == Power::On,
        is_known,
        has_crashed: crash.has_crashed == Some(true),
        configuration: life.configuration,
    };
    Ok((domain, observed))
}

/// When a task ended.
fn ended(task: &ObjectProperties) -> Option<(i64, u32)> {
    let job = Job::from_properties(&mut task.clone()).ok()?;
    let time = job.completed?;
    Some((time.epoch_seconds().ok()?, time.subsecond_nanoseconds()))
}

/// The next updates of any watch. The state's watch is the first one.
async fn next_updates(watches: &mut [Watched]) -> (usize, Result<Vec<ObjectUpdate>, Arc<Cause>>) {
    poll_fn(|context| {
        for (index, watched) in watches.iter_mut().enumerate() {
            if let Poll::Ready(updates) = watched.watch.poll_next(context) {
                return Poll::Ready((index, updates));
            }
        }
        Poll::Pending
    })
    .await
}

async fn sleep_to(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

/// The balloons, when they are read the next time.
async fn next_balloons(
    poller: &mut Option<Poller>,
    connect: &Connect,
    host: &ManagedObjectReference,
) -> Result<Vec<Typed<Balloon>>, Cause> {
    let Some(poller) = poller else {
        return pending().await;
    };
    // The call is kept while something else happens.
    let reading = match &mut poller.reading {
        Some(reading) => reading,
        None => {
            poller.interval.tick().await;
            poller
                .reading
                .insert(Box::pin(read_balloons(connect.clone(), host.clone())))
        }
    };
    let found = reading.await;
    poller.reading = None;
    found
}

async fn read_balloons(
    connect: Connect,
    host: ManagedObjectReference,
) -> Result<Vec<Typed<Balloon>>, Cause> {
    let request = Retrieve::from(&host).select(Selection::along(|host: &HostSystem| &host.vm));
    connect.client().retrieve_set(request).await
}
