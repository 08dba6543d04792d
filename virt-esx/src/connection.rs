//! Opens connections: to servers, and to simulated ones in this process.

use std::ops::Deref;
use std::path::PathBuf;
use std::time::Duration;

#[cfg(feature = "simulator")]
use esx_driver::auth::{AuthFileSearch, Credentials};
use esx_driver::auth::{BoxFuture, NoPrompts, SecretString};
#[cfg(feature = "simulator")]
use esx_driver::vi_client::transport::InProcess;
use esx_driver::{Connect, EsxUri, FolderStore, OpenOptions};
#[cfg(feature = "simulator")]
use esx_sim::Simulator;

use crate::credentials::{self, Login};
use crate::failure::Failure;
use crate::state;
use crate::ui::{Terminal, Ui};

/// The query parameters of a test URI that the simulator reads.
#[cfg(feature = "simulator")]
const SIMULATOR_PARAMETERS: [&str; 10] = [
    "live",
    "vms",
    "api_version",
    "page_size",
    "licence",
    "health",
    "datastore",
    "iscsi",
    "play",
    "churn",
];

/// The target of a connection.
#[derive(Debug)]
pub(crate) struct ConnectionOptions {
    /// The URI; `None` takes the environment's.
    pub(crate) uri: Option<String>,
    /// Whether the connection refuses to change anything.
    pub(crate) is_readonly: bool,
    /// Whether the password is the first line of the standard input.
    pub(crate) password_stdin: bool,
    /// The file that keeps secrets; `None` takes the environment's.
    pub(crate) keyring: Option<PathBuf>,
}

/// An open connection. Clones share one session.
#[derive(Clone)]
pub(crate) struct Connection {
    connect: Connect,
    is_readonly: bool,
    /// The test URI, for a simulated server.
    simulated: Option<String>,
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

    /// Whether the connection refuses to change anything.
    pub(crate) fn is_readonly(&self) -> bool {
        self.is_readonly
    }

    /// Refuses libvirt's `function`, which changes something, on a read-only connection.
    ///
    /// # Errors
    /// libvirt's text.
    pub(crate) fn check_writable(&self, function: &str) -> Result<(), Failure> {
        match self.is_readonly {
            false => Ok(()),
            true => Err(Failure::new(format!(
                "operation forbidden: read only access prevents {function}"
            ))),
        }
    }

    /// Refuses what has to outlive this run if there is no place to keep it. A simulated server lives no longer than the run.
    ///
    /// # Errors
    /// What to set.
    pub(crate) fn check_keeps_state(&self) -> Result<(), Failure> {
        match self.simulated.is_some() || state::folder().is_some() {
            true => Ok(()),
            false => Err(Failure::new(
                "there is no folder to keep it in: set XDG_STATE_HOME or HOME to an absolute path",
            )),
        }
    }

    /// Logs out.
    pub(crate) async fn close(self) -> Result<(), esx_driver::Error> {
        self.connect.close().await
    }
}

/// Opens the connection that the options or the environment name.
///
/// # Errors
/// virsh's line, and the driver's reason.
pub(crate) async fn open(
    options: &ConnectionOptions,
    ui: &Ui,
    timeout: Option<Duration>,
) -> Result<Connection, Failure> {
    let opened = async {
        let shown = uri(options)?;
        let keyring = keyring(options);
        let (connect, simulated) = match shown.starts_with("test:") {
            true => simulate(shown, keyring).await?,
            false => {
                let password = match options.password_stdin {
                    true => Some(credentials::read_password().await?),
                    false => None,
                };
                let opening = Opening {
                    terminal: ui.terminal(),
                    password: password.as_ref(),
                    keyring,
                    timeout,
                    given_up: Box::pin(ui.interruption().comes()),
                };
                let connect = connect(&shown.parse()?, opening).await;
                ui.end_interruption();
                (connect?, None)
            }
        };
        Ok::<_, Failure>(Connection {
            connect,
            simulated,
            is_readonly: options.is_readonly,
        })
    };
    let failed = |reason| Failure::because("failed to connect to the hypervisor", reason);
    opened.await.map_err(failed)
}

/// A connection to the other side of a migration.
///
/// # Errors
/// The driver's, as virsh prints them.
pub(crate) async fn to(uri: &str, ui: &Ui) -> Result<Connect, Failure> {
    if uri.starts_with("test:") {
        return Ok(simulate(uri.to_owned(), None).await?.0);
    }
    let opening = Opening::new(ui.terminal(), ui.interruption().comes());
    let connect = connect(&uri.parse()?, opening).await;
    ui.end_interruption();
    connect
}

/// Opens a read-only connection to any server.
///
/// # Errors
/// The driver's reason.
pub(crate) async fn open_uri(uri: &str, opening: Opening<'_>) -> Result<Connection, Failure> {
    let (connect, simulated) = match uri.starts_with("test:") {
        true => simulate(uri.to_owned(), None).await?,
        false => (connect(&uri.parse()?, opening).await?, None),
    };
    Ok(Connection {
        connect,
        simulated,
        is_readonly: true,
    })
}

/// Opens a read-only connection that asks for nothing on the terminal.
///
/// # Errors
/// The driver's reason; that there is no password, if it would have to be asked for.
pub(crate) async fn open_quietly(uri: &str) -> Result<Connection, Failure> {
    let (connect, simulated) = match uri.starts_with("test:") {
        true => simulate(uri.to_owned(), None).await?,
        false => {
            let known = credentials::of_environment();
            let open = match &known {
                Some(known) => OpenOptions::new(known),
                None => OpenOptions::new(&NoPrompts),
            };
            (open.open(&uri.parse()?).await?, None)
        }
    };
    Ok(Connection {
        connect,
        simulated,
        is_readonly: true,
    })
}

/// What belongs to opening a connection to a server.
pub(crate) struct Opening<'a> {
    /// Where people are asked.
    terminal: &'a Terminal,
    password: Option<&'a SecretString>,
    keyring: Option<PathBuf>,
    timeout: Option<Duration>,
    /// When this ends, it is given up.
    given_up: BoxFuture<'a, ()>,
}

impl<'a> Opening<'a> {
    /// Without a limit, a password and a keyring.
    pub(crate) fn new(
        terminal: &'a Terminal,
        given_up: impl Future<Output = ()> + Send + 'a,
    ) -> Self {
        Self {
            terminal,
            password: None,
            keyring: None,
            timeout: None,
            given_up: Box::pin(given_up),
        }
    }

    /// With this password.
    pub(crate) fn password(mut self, password: Option<&'a SecretString>) -> Self {
        self.password = password;
        self
    }
}

async fn connect(uri: &EsxUri, opening: Opening<'_>) -> Result<Connect, Failure> {
    let login = Login {
        has_password: opening.password.is_some(),
        terminal: opening.terminal.clone(),
    };
    let mut open = OpenOptions::new(&login).cancelled_by(opening.given_up);
    if let Some(timeout) = opening.timeout {
        open = open.deadline(timeout);
    }
    if let Some(password) = opening.password {
        open = open.password(password.clone());
    }
    if let Some(folder) = state::folder() {
        open = open.store(FolderStore::new(folder));
    }
    if let Some(keyring) = opening.keyring {
        open = open.keyring(keyring);
    }
    Ok(open.open(uri).await?)
}

/// A connection to a simulator in this process, and its URI.
///
/// The simulator gets the query parameters that it knows; the driver gets the others.
#[cfg(feature = "simulator")]
async fn simulate(
    shown: String,
    keyring: Option<PathBuf>,
) -> Result<(Connect, Option<String>), Failure> {
    let simulator = Simulator::from_test_uri(&shown);
    let simulator = simulator.map_err(|error| {
        let text = error.to_string();
        Failure::new(text.replace(&shown, &EsxUri::without_secrets(&shown)))
    })?;
    let simulator = simulator.build();
    let query = shown.split_once('?').map_or("", |(_, query)| query);
    let is_of_driver = |pair: &&str| {
        let mut names = SIMULATOR_PARAMETERS.iter();
        !names.any(|name| pair.starts_with(&format!("{name}=")))
    };
    let query: Vec<_> = query.split(['&', ';']).filter(is_of_driver).collect();
    let (scheme, path) = (simulator.scheme(), simulator.path());
    let uri = format!("{scheme}://simulator/{path}?{}", query.join("&")).parse()?;
    let credentials = Credentials {
        username: Some(simulator.user().to_owned()),
        password: simulator.password().to_owned().into(),
    };
    let mut open = OpenOptions::new(&credentials)
        .auth_files(AuthFileSearch::default())
        .transport(InProcess::new(simulator.handler()));
    if let Some(keyring) = keyring {
        open = open.keyring(keyring);
    }
    let connect = open.open(&uri).await?;
    Ok((connect, Some(EsxUri::without_secrets(&shown))))
}

#[cfg(not(feature = "simulator"))]
async fn simulate(shown: String, _: Option<PathBuf>) -> Result<(Connect, Option<String>), Failure> {
    Err(Failure::new(format!(
        "no connection driver available for {}: this virt-esx was built without the feature 'simulator'",
        EsxUri::without_secrets(&shown)
    )))
}

/// The file of --keyring or of the environment.
fn keyring(options: &ConnectionOptions) -> Option<PathBuf> {
    let of_environment = || std::env::var_os("VIRT_ESX_KEYRING").filter(|path| !path.is_empty());
    let keyring = options.keyring.clone();
    keyring.or_else(|| of_environment().map(PathBuf::from))
}

/// The URI of -c or of the environment.
///
/// # Errors
/// When there is none.
pub(crate) fn uri(options: &ConnectionOptions) -> Result<String, Failure> {
    uri_or_environment(options.uri.clone())
}

/// This URI, or else that of the environment.
///
/// # Errors
/// When there is none.
pub(crate) fn uri_or_environment(uri: Option<String>) -> Result<String, Failure> {
    let of_environment = |name| std::env::var(name).ok().filter(|uri| !uri.is_empty());
    uri.or_else(|| of_environment("VIRSH_DEFAULT_CONNECT_URI"))
        .or_else(|| of_environment("LIBVIRT_DEFAULT_URI"))
        .ok_or_else(|| Failure::new("there is no URI: give one with -c or in LIBVIRT_DEFAULT_URI"))
}
