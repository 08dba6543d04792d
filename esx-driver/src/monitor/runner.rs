//! The background task of a monitor: it asks the server, and tells the picture.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tracing::{debug, warn};
use vi_client::{Client, Connection, ConnectionState, Error as Cause, Traffic, Watch};
use vi_types::objects::ObjectUpdate;

use super::counters::{self, Catalogue, KEPT_SAMPLES, SAMPLE_SECONDS};
use super::picture::Picture;
use super::query::{self, Asked, Limits, Question};
use super::snapshot::{MonitorConnection, MonitorPoll, MonitorSnapshot};
use super::usage::{self, Usages};
use super::{MonitorOptions, watched};
use crate::{Connect, Error, Result};

/// Pauses before watching is tried again: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// The length of a sample.
const SAMPLE: Duration = Duration::from_secs(SAMPLE_SECONDS.unsigned_abs() as u64);

/// Everything that the background task has.
pub(super) struct Runner {
    connect: Connect,
    options: MonitorOptions,
    picture: Picture,
    watch: Option<Watched>,
    snapshots: watch::Sender<Arc<MonitorSnapshot>>,
    counting: Counting,
    /// When counters were last read.
    counted: Option<Instant>,
    /// What the connection had cost when the monitor began.
    traffic: Traffic,
}

/// The watch, which repairs its connection by itself.
struct Watched {
    watch: Watch,
    connection: Connection,
}

/// A poll under way.
type Polling = Pin<Box<dyn Future<Output = Box<Polled>> + Send>>;

/// What a poll has found.
struct Polled {
    usages: Result<Usages>,
    /// `None` if counters were not asked for.
    counters: Option<Counted>,
    duration: Duration,
    requests: u64,
    bytes: u64,
}

/// What is asked about counters, and what was found out.
#[derive(Clone, Default)]
struct Counting {
    /// `None` until it is read, and after the server was lost: it may be another one now.
    catalogue: Option<Catalogue>,
    limits: Limits,
}

struct Counted {
    counting: Counting,
    asked: Result<Asked>,
}

/// What the task has waited for.
enum Event {
    Changes(Result<Vec<ObjectUpdate>, Arc<Cause>>),
    Connection(ConnectionState),
    Tick,
    Polled(Box<Polled>),
    Again,
    Stop,
}

impl Runner {
    /// Subscribes, and reads everything once.
    pub(super) async fn start(connect: Connect, options: MonitorOptions) -> Result<Runner> {
        let traffic = connect.client().traffic();
        let (watch, first) = watch(&connect, &options).await?;
        let mut picture = Picture::new(connect.clone());
        picture.apply(first);
        let mut runner = Runner {
            connect,
            options,
            picture,
            watch: Some(watch),
            snapshots: watch::Sender::default(),
            counting: Counting::default(),
            counted: None,
            traffic,
        };
        let polled = runner.poll().await;
        runner.take_polled(polled);
        runner.publish();
        Ok(runner)
    }

    pub(super) fn snapshots(&self) -> watch::Receiver<Arc<MonitorSnapshot>> {
        self.snapshots.subscribe()
    }

    /// Runs until it is told to stop, or nobody can tell any more.
    pub(super) async fn run(mut self, mut stop: oneshot::Receiver<()>) {
        let period = self.options.interval.max(Duration::from_millis(100));
        let mut ticks = interval_at(Instant::now() + period, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut polling: Option<Polling> = None;
        let mut pause = PAUSES.0;
        let mut again = Instant::now();
        loop {
            let event = tokio::select! {
                biased;
                _ = &mut stop => Event::Stop,
                event = next(self.watch.as_mut()) => event,
                polled = ended(polling.as_mut()) => Event::Polled(polled),
                _ = ticks.tick(), if polling.is_none() => Event::Tick,
                () = sleep_until(again), if self.watch.is_none() => Event::Again,
            };
            match event {
                Event::Stop => break,
                Event::Changes(Ok(changes)) => self.picture.apply(changes),
                Event::Connection(state) => self.connection_changed(state),
                Event::Changes(Err(error)) => {
                    self.watch = None;
                    again = Instant::now() + pause;
                    self.lost(Error::from(Cause::Shared(error)));
                }
                Event::Tick => {
                    polling = Some(self.poll());
                    continue;
                }
                Event::Polled(polled) => {
                    polling = None;
                    self.take_polled(polled);
                }
                Event::Again => match self.watch_again().await {
                    Ok(()) => pause = PAUSES.0,
                    Err(error) => {
                        pause = (pause * 2).min(PAUSES.1);
                        again = Instant::now() + pause;
                        self.lost(error);
                    }
                },
            }
            self.publish();
        }
        if let Some(watched) = self.watch.take() {
            watched.watch.close().await;
        }
    }

    /// Watches again after a failure that the watch could not repair.
    async fn watch_again(&mut self) -> Result<()> {
        let (watch, first) = watch(&self.connect, &self.options).await?;
        self.picture.keep_only(&first);
        self.picture.apply(first);
        self.picture.connection = MonitorConnection::Connected;
        self.watch = Some(watch);
        Ok(())
    }

    fn connection_changed(&mut self, state: ConnectionState) {
        match state {
            ConnectionState::Connected => {
                self.picture.connection = MonitorConnection::Connected;
            }
            ConnectionState::Reconnecting { error, .. } => self.lost(Cause::Shared(error).into()),
            // The watch itself says why.
            _ => {}
        }
    }

    fn lost(&mut self, error: Error) {
        warn!(%error, "the monitored server is lost");
        let since = match self.picture.connection {
            MonitorConnection::Lost { since, .. } => since,
            MonitorConnection::Connected => SystemTime::now(),
        };
        let error = Arc::new(error);
        self.counting.catalogue = None;
        self.picture.connection = MonitorConnection::Lost { since, error };
    }

    /// A poll, which does not borrow from the picture, so that changes are taken meanwhile.
    fn poll(&mut self) -> Polling {
        let client = self.connect.client().clone();
        let way = watched::everything(&self.connect);
        let devices = self.options.devices;
        let counting = self.questions();
        Box::pin(async move {
            let (begun, before) = (Instant::now(), client.traffic());
            let usages = usage::read(&client, way).await;
            let mut counters = None;
            if let (Ok(_), Some((mut counting, questions, samples))) = (&usages, counting) {
                let asked = count(&client, &mut counting, questions, samples, devices).await;
                counters = Some(Counted { counting, asked });
            }
            let traffic = client.traffic();
            Box::new(Polled {
                usages,
                counters,
                duration: begun.elapsed(),
                requests: traffic.requests - before.requests,
                bytes: traffic.received - before.received,
            })
        })
    }

    /// What to ask about counters, if it is time, and about how many samples there will be of each object.
    fn questions(&mut self) -> Option<(Counting, Vec<Question>, usize)> {
        // A little early is on time.
        let early = SAMPLE - SAMPLE / 10;
        let elapsed = self.counted.map(|counted| counted.elapsed());
        let is_due = elapsed.is_none_or(|elapsed| elapsed >= early);
        if !self.options.counters || !is_due {
            return None;
        }
        let samples = elapsed.map_or(0, |elapsed| elapsed.as_secs() / SAMPLE.as_secs());
        let samples = usize::try_from(samples)
            .unwrap_or(usize::MAX)
            .saturating_add(1);
        let kept = usize::try_from(KEPT_SAMPLES).unwrap_or(samples);
        Some((
            self.counting.clone(),
            self.picture.questions(),
            samples.min(kept),
        ))
    }

    fn take_polled(&mut self, polled: Box<Polled>) {
        let usages = match polled.usages {
            Ok(usages) => usages,
            Err(error) => return self.lost(error),
        };
        self.picture.apply_usages(usages);
        let mut poll = MonitorPoll {
            number: self.picture.poll.number + 1,
            time: Some(SystemTime::now()),
            duration: polled.duration,
            requests: polled.requests,
            bytes: polled.bytes,
            samples: 0,
            problem: self.picture.poll.problem.clone(),
        };
        if let Some(Counted { counting, asked }) = polled.counters {
            self.counting = counting;
            let problem = match (asked, &self.counting.catalogue) {
                (Ok(asked), Some(catalogue)) => {
                    poll.samples = self.picture.apply_samples(&asked, catalogue);
                    if asked.problem.is_none() {
                        self.counted = Some(Instant::now());
                    }
                    asked.problem
                }
                (Ok(_), None) => None,
                (Err(error), _) => Some(error),
            };
            poll.problem = problem.map(Arc::new);
        }
        debug!(poll.requests, poll.bytes, poll.samples, duration = ?poll.duration, "polled");
        self.picture.poll = poll;
        if self.watch.is_some() {
            self.picture.connection = MonitorConnection::Connected;
        }
    }

    fn publish(&mut self) {
        let requests = self.connect.client().traffic().requests - self.traffic.requests;
        let snapshot = self.picture.snapshot(SystemTime::now(), requests);
        self.snapshots.send_replace(Arc::new(snapshot));
    }
}

/// Asks about counters; first about their ids, if they are not known.
async fn count(
    client: &Client,
    counting: &mut Counting,
    questions: Vec<Question>,
    samples: usize,
    devices: bool,
) -> Result<Asked> {
    let Counting { catalogue, limits } = counting;
    let catalogue = match catalogue {
        Some(catalogue) => catalogue,
        None => catalogue.insert(counters::read(client, devices).await?),
    };
    Ok(query::ask(client, questions, samples, catalogue, limits).await)
}

/// Watches, and waits for the first state.
async fn watch(
    connect: &Connect,
    options: &MonitorOptions,
) -> Result<(Watched, Vec<ObjectUpdate>)> {
    let request = watched::request(connect, options);
    let mut watch = connect.client().watch(request.filter()).await?;
    let first = watch.next().await.map_err(Cause::Shared)?;
    watch.keep_trying();
    let connection = watch.connection();
    Ok((Watched { watch, connection }, first))
}

/// What the watch tells next; nothing, without one.
async fn next(watched: Option<&mut Watched>) -> Event {
    let Some(Watched { watch, connection }) = watched else {
        return pending().await;
    };
    tokio::select! {
        biased;
        changes = watch.next() => Event::Changes(changes),
        state = connection.changed() => Event::Connection(state),
    }
}

/// The end of a poll; never, without one.
async fn ended(polling: Option<&mut Polling>) -> Box<Polled> {
    match polling {
        Some(polling) => polling.await,
        None => pending().await,
    }
}
