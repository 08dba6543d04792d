//! From a URI to a connection and back: opening, Ctrl-C, logging out.

use std::cell::OnceCell;
use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use esx_driver::vi_client::transport::InProcess;
use esx_driver::{Connect, EsxUri};
use esx_sim::Simulator;
use futures_util::future::LocalBoxFuture;
use tokio::runtime;
use tokio::sync::Notify;
use tracing::warn;

use crate::cli::Global;
use crate::credentials::Login;
use crate::failure::Failure;
use crate::outcome::Outcome;

/// The query parameters of a test URI that are the simulator's.
const SIMULATORS: [&str; 3] = ["vms", "api_version", "page_size"];

/// How long logging out may take after Ctrl-C.
const FAREWELL: Duration = Duration::from_secs(2);

/// An open connection and the URI it goes by.
pub(crate) struct Connection {
    connect: Connect,
    /// A simulator's own URI; of a server it is the connection's.
    simulated: Option<String>,
    interruption: Interruption,
}

/// Ctrl-C, for commands that don't want to be ended at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interruption(Arc<Interrupt>);

#[derive(Debug, Default)]
struct Interrupt {
    /// Whether somebody wants to be told.
    is_awaited: AtomicBool,
    came: AtomicBool,
    notify: Notify,
}

impl Deref for Connection {
    type Target = Connect;

    fn deref(&self) -> &Connect {
        &self.connect
    }
}

impl Connection {
    /// The URI as the user would write it, with the port.
    pub(crate) fn shown_uri(&self) -> String {
        self.simulated
            .clone()
            .unwrap_or_else(|| self.connect.uri().to_string())
    }

    /// For a command that deals with the first Ctrl-C itself; the second one ends it.
    pub(crate) fn interruption(&self) -> Interruption {
        let interruption = self.interruption.clone();
        interruption.0.is_awaited.store(true, Ordering::Relaxed);
        interruption
    }

    /// Whether there was a Ctrl-C that didn't end the command.
    pub(crate) fn was_interrupted(&self) -> bool {
        self.interruption.0.came.load(Ordering::Relaxed)
    }
}

impl Interruption {
    /// Ends when it has come.
    pub(crate) async fn comes(self) {
        let notified = self.0.notify.notified();
        if !self.0.came.load(Ordering::Relaxed) {
            notified.await;
        }
    }

    /// Tells those who want to be told; whether there are any, and it is the first time.
    fn tell(&self) -> bool {
        let is_first = !self.0.came.swap(true, Ordering::Relaxed);
        self.0.notify.notify_waiters();
        is_first && self.0.is_awaited.load(Ordering::Relaxed)
    }
}

/// How a connection's use ended.
pub(crate) enum Ended {
    /// Whatever was to be done was tried.
    Done(Outcome),
    /// There was nothing to try it with.
    NotConnected(Failure),
    /// Ctrl-C.
    Interrupted,
}

/// What is done with a connection. Behind a pointer, so that the program has one runtime for all commands
/// instead of one for each.
pub(crate) type Work = Box<dyn for<'c> FnOnce(&'c Connection) -> LocalBoxFuture<'c, Outcome>>;

/// Opens the connection `global` names, does `work` and logs out; Ctrl-C ends all but the last,
/// unless `work` [deals with it](Connection::interruption).
pub(crate) fn with(global: &Global, work: Work) -> Ended {
    let not_connected = |reason| {
        Ended::NotConnected(Failure::because(
            "failed to connect to the hypervisor",
            reason,
        ))
    };
    let target = match Target::new(global) {
        Ok(target) => target,
        Err(reason) => return not_connected(reason),
    };
    let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return not_connected(Failure::because("cannot start", error)),
    };
    runtime.block_on(async {
        let opened = OnceCell::new();
        let mut session = pin!(async {
            match target.open().await {
                Ok(connection) => {
                    let connection = opened.get_or_init(|| connection);
                    let done = work(connection).await;
                    log_out(connection).await;
                    Ended::Done(done)
                }
                Err(reason) => not_connected(reason.into()),
            }
        });
        loop {
            tokio::select! {
                biased;
                ended = &mut session => return ended,
                _ = tokio::signal::ctrl_c() => {
                    let connection = opened.get();
                    if connection.is_some_and(|connection| connection.interruption.tell()) {
                        continue;
                    }
                    if let Some(connection) = connection {
                        let _ = tokio::time::timeout(FAREWELL, log_out(connection)).await;
                    }
                    return Ended::Interrupted;
                }
            }
        }
    })
}

async fn log_out(connection: &Connection) {
    if let Err(error) = connection.connect.clone().close().await {
        warn!("Failed to disconnect from the hypervisor: {error}");
    }
}

/// What is connected to.
enum Target {
    Server {
        uri: EsxUri,
        login: Login,
    },
    Simulated {
        shown: String,
        uri: EsxUri,
        simulator: Simulator,
        login: Login,
    },
}

impl Target {
    fn new(global: &Global) -> Result<Self, Failure> {
        let shown = uri(global)?;
        if shown.starts_with("test:") {
            return Self::simulated(shown);
        }
        let uri: EsxUri = shown.parse()?;
        let login = Login::prepare(&uri, global.password_stdin)?;
        Ok(Self::Server { uri, login })
    }

    /// A simulator in this process, and the URI its own server would go by.
    ///
    /// Parameters the simulator knows are its own, all others are the driver's.
    fn simulated(shown: String) -> Result<Self, Failure> {
        let simulator =
            Simulator::from_test_uri(&shown).map_err(|error| Failure::new(error.to_string()))?;
        let simulator = simulator.build();
        let query = shown.split_once('?').map_or("", |(_, query)| query);
        let of_driver = |pair: &&str| {
            !SIMULATORS
                .iter()
                .any(|name| pair.starts_with(&format!("{name}=")))
        };
        let query: Vec<_> = query.split(['&', ';']).filter(of_driver).collect();
        let (scheme, path) = (simulator.scheme(), simulator.path());
        let uri = format!("{scheme}://simulator/{path}?{}", query.join("&")).parse()?;
        let login = Login::known(simulator.user(), simulator.password());
        Ok(Self::Simulated {
            shown,
            uri,
            simulator,
            login,
        })
    }

    async fn open(self) -> Result<Connection, esx_driver::Error> {
        match self {
            Self::Server { uri, login } => {
                let connect = login.options().open(&uri).await?;
                Ok(Connection {
                    connect,
                    simulated: None,
                    interruption: Interruption::default(),
                })
            }
            Self::Simulated {
                shown,
                uri,
                simulator,
                login,
            } => {
                let transport = InProcess::new(simulator.handler());
                let connect = login.options().transport(transport).open(&uri).await?;
                Ok(Connection {
                    connect,
                    simulated: Some(shown),
                    interruption: Interruption::default(),
                })
            }
        }
    }
}

/// The URI of -c or of the environment.
fn uri(global: &Global) -> Result<String, Failure> {
    let of_environment = |name| std::env::var(name).ok().filter(|uri| !uri.is_empty());
    let uri = global.connect.clone();
    uri.or_else(|| of_environment("VIRSH_DEFAULT_CONNECT_URI"))
        .or_else(|| of_environment("LIBVIRT_DEFAULT_URI"))
        .ok_or_else(|| Failure::new("there is no URI: give one with -c or in LIBVIRT_DEFAULT_URI"))
}
