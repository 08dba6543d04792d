//! The background task of a monitor: it asks the server, and tells the picture.

use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until};
use tracing::{debug, warn};
use vi_client::{Error as Cause, Watch};
use vi_types::objects::ObjectUpdate;

use super::picture::Picture;
use super::snapshot::{MonitorConnection, MonitorPoll, MonitorSnapshot};
use super::usage::{self, Usages};
use super::{MonitorOptions, watched};
use crate::{Connect, Error, Result};

/// Pauses before watching is tried again: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Everything that the background task has.
pub(super) struct Runner {
    connect: Connect,
    options: MonitorOptions,
    picture: Picture,
    watch: Option<Watch>,
    snapshots: watch::Sender<Arc<MonitorSnapshot>>,
    requests: u64,
}

/// A poll under way.
type Polling = Pin<Box<dyn Future<Output = Polled> + Send>>;

/// What a poll has found.
struct Polled {
    usages: Result<Usages>,
    duration: Duration,
    requests: u32,
}

/// What the task has waited for.
enum Event {
    Changes(Result<Vec<ObjectUpdate>, Arc<Cause>>),
    Tick,
    Polled(Polled),
    Again,
    Stop,
}

impl Runner {
    /// Subscribes, and reads everything once.
    pub(super) async fn start(connect: Connect, options: MonitorOptions) -> Result<Runner> {
        let request = watched::request(&connect, &options);
        let mut watch = connect.client().watch(request.filter()).await?;
        let first = watch.next().await.map_err(Cause::Shared)?;
        let mut picture = Picture::new(connect.clone());
        picture.apply(first);
        let mut runner = Runner {
            connect,
            options,
            picture,
            watch: Some(watch),
            snapshots: watch::Sender::default(),
            requests: 0,
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
                changes = next(self.watch.as_mut()) => Event::Changes(changes),
                polled = ended(polling.as_mut()) => Event::Polled(polled),
                _ = ticks.tick(), if polling.is_none() => Event::Tick,
                () = sleep_until(again), if self.watch.is_none() => Event::Again,
            };
            match event {
                Event::Stop => break,
                Event::Changes(Ok(changes)) => self.picture.apply(changes),
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
        if let Some(watch) = self.watch.take() {
            watch.close().await;
        }
    }

    async fn watch_again(&mut self) -> Result<()> {
        let request = watched::request(&self.connect, &self.options);
        let mut watch = self.connect.client().watch(request.filter()).await?;
        let first = watch.next().await.map_err(Cause::Shared)?;
        self.picture.keep_only(&first);
        self.picture.apply(first);
        self.picture.connection = MonitorConnection::Connected;
        self.watch = Some(watch);
        Ok(())
    }

    fn lost(&mut self, error: Error) {
        warn!(%error, "the monitored server is lost");
        let since = match self.picture.connection {
            MonitorConnection::Lost { since, .. } => since,
            MonitorConnection::Connected => SystemTime::now(),
        };
        let error = Arc::new(error);
        self.picture.connection = MonitorConnection::Lost { since, error };
    }

    /// A poll, which does not borrow from the picture, so that changes are taken meanwhile.
    fn poll(&self) -> Polling {
        let client = self.connect.client().clone();
        let way = watched::everything(&self.connect);
        Box::pin(async move {
            let begun = Instant::now();
            let usages = usage::read(&client, way).await;
            Polled {
                usages,
                duration: begun.elapsed(),
                requests: 1,
            }
        })
    }

    fn take_polled(&mut self, polled: Polled) {
        self.requests += u64::from(polled.requests);
        match polled.usages {
            Ok(usages) => {
                self.picture.apply_usages(usages);
                self.picture.poll = MonitorPoll {
                    time: Some(SystemTime::now()),
                    duration: polled.duration,
                    requests: polled.requests,
                    ..MonitorPoll::default()
                };
                if self.watch.is_some() {
                    self.picture.connection = MonitorConnection::Connected;
                }
            }
            Err(error) => self.lost(error),
        }
        debug!(requests = polled.requests, duration = ?polled.duration, "polled");
    }

    fn publish(&mut self) {
        let snapshot = self.picture.snapshot(SystemTime::now(), self.requests);
        self.snapshots.send_replace(Arc::new(snapshot));
    }
}

/// The next changes; never, without a watch.
async fn next(watch: Option<&mut Watch>) -> Result<Vec<ObjectUpdate>, Arc<Cause>> {
    match watch {
        Some(watch) => watch.next().await,
        None => pending().await,
    }
}

/// The end of a poll; never, without one.
async fn ended(polling: Option<&mut Polling>) -> Polled {
    match polling {
        Some(polling) => polling.await,
        None => pending().await,
    }
}
