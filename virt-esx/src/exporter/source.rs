//! A server that is watched, for as long as the exporter runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use esx_driver::auth::SecretString;
use esx_driver::{Error, Monitor, MonitorOptions, MonitorSnapshot};
use tokio::sync::watch;
use tracing::warn;

use super::metrics::Target;
use crate::connection::{self, Connection, Opening};
use crate::failure::Failure;
use crate::ui::Terminal;

/// The first and the longest pause before a server is tried again.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Polls that may fail before what is known is too old to be told.
const STALE_POLLS: u32 = 3;

/// How a server is reached.
#[derive(Clone)]
pub(crate) struct SourceOptions {
    /// What the metrics call it.
    pub(crate) name: String,
    pub(crate) uri: String,
    pub(crate) terminal: Terminal,
    pub(crate) password: Option<SecretString>,
    pub(crate) monitor: MonitorOptions,
}

/// A server that is watched, or tried again and again.
pub(crate) struct Source {
    name: String,
    interval: Duration,
    state: Arc<Mutex<State>>,
    task: tokio::sync::Mutex<Option<tokio::task::JoinHandle<()>>>,
}

/// What is known of a server.
#[derive(Default)]
struct State {
    snapshot: Option<Arc<MonitorSnapshot>>,
    /// Whether there is a connection.
    is_up: bool,
    errors: u64,
}

impl Source {
    /// Begins to watch a server, until `end` is told.
    pub(crate) fn start(options: SourceOptions, end: watch::Receiver<bool>) -> Self {
        let state = Arc::<Mutex<State>>::default();
        Self {
            name: options.name.clone(),
            interval: options.monitor.interval,
            state: Arc::clone(&state),
            task: tokio::sync::Mutex::new(Some(tokio::spawn(watch_for_ever(options, state, end)))),
        }
    }

    /// What is known now. Asks nobody.
    pub(crate) fn target(&self, now: SystemTime) -> Target {
        let state = lock(&self.state);
        let age = state.snapshot.as_ref().and_then(|known| known.age(now));
        let is_stale = !state.is_up && age.is_none_or(|age| age > self.interval * STALE_POLLS);
        Target {
            name: self.name.clone(),
            is_up: state.is_up,
            errors: state.errors,
            snapshot: state.snapshot.clone(),
            age: age.map(|age| age.as_secs_f64()),
            is_stale,
        }
    }

    /// Waits until it has logged out, after it was told to end.
    pub(crate) async fn ended(&self) {
        let Some(task) = self.task.lock().await.take() else {
            return;
        };
        if let Err(error) = task.await {
            warn!(%error, "watching {} ended early", self.name);
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn watch_for_ever(
    options: SourceOptions,
    state: Arc<Mutex<State>>,
    mut end: watch::Receiver<bool>,
) {
    let mut pause = PAUSES.0;
    loop {
        let opened = open(&options, end.clone()).await;
        if *end.borrow() {
            if let Ok((connection, monitor)) = opened {
                monitor.close().await;
                close(connection, &options.name).await;
            }
            return;
        }
        match opened {
            Ok((connection, monitor)) => {
                pause = PAUSES.0;
                let is_over = follow(&monitor, &state, &mut end, &options.name).await;
                lock(&state).is_up = false;
                monitor.close().await;
                close(connection, &options.name).await;
                if is_over {
                    return;
                }
            }
            Err(failure) => {
                lock(&state).errors += 1;
                warn!("{}: {failure}", options.name);
            }
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSES.1),
            _ = end.wait_for(|is_over| *is_over) => return,
        }
    }
}

async fn close(connection: Connection, name: &str) {
    if let Err(error) = connection.close().await {
        warn!(%error, "cannot log out of {name}");
    }
}

async fn open(
    options: &SourceOptions,
    mut end: watch::Receiver<bool>,
) -> Result<(Connection, Monitor), Failure> {
    let over = async move { drop(end.wait_for(|is_over| *is_over).await) };
    let opening = Opening::new(&options.terminal, over).password(options.password.as_ref());
    let connection = connection::open_uri(&options.uri, opening).await?;
    match Monitor::start(&connection, options.monitor.clone()).await {
        Ok(monitor) => Ok((connection, monitor)),
        Err(error) => {
            // The first error counts.
            let _ = connection.close().await;
            Err(error.into())
        }
    }
}

/// Keeps what a monitor knows, until it ends or `end` is told. Whether `end` was told.
async fn follow(
    monitor: &Monitor,
    state: &Mutex<State>,
    end: &mut watch::Receiver<bool>,
    name: &str,
) -> bool {
    let mut snapshot = monitor.snapshot();
    let mut last_error: Option<Arc<Error>> = None;
    loop {
        let error = snapshot.connection.error();
        if let Some(error) = error
            && !last_error
                .as_ref()
                .is_some_and(|last| Arc::ptr_eq(last, error))
        {
            lock(state).errors += 1;
            warn!("{name}: {error}");
        }
        last_error = error.cloned();
        let number = snapshot.number;
        {
            let mut state = lock(state);
            state.is_up = error.is_none();
            state.snapshot = Some(snapshot);
        }
        let next = tokio::select! {
            next = monitor.changed(number) => next,
            _ = end.wait_for(|is_over| *is_over) => return true,
        };
        match next {
            Some(next) => snapshot = next,
            None => return false,
        }
    }
}
