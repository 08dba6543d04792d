//! Opens connections: to servers, and to simulated ones in this process.

use std::ops::Deref;
use std::path::PathBuf;

use esx_driver::auth::SecretString;
#[cfg(feature = "simulator")]
use esx_driver::auth::{AuthFileSearch, Credentials};
#[cfg(feature = "simulator")]
use esx_driver::vi_client::transport::InProcess;
use esx_driver::{Connect, EsxUri, FolderStore, OpenOptions};
#[cfg(feature = "simulator")]
use esx_sim::Simulator;

use crate::credentials::{self, Login};
use crate::failure::Failure;
use crate::state;

/// The query parameters of a test URI that the simulator reads.
#[cfg(feature = "simulator")]
const SIMULATOR_PARAMETERS: [&str; 8] = [
    "live",
    "vms",
    "api_version",
    "page_size",
    "licence",
    "health",
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

/// An open connection.
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
pub(crate) async fn open(options: &ConnectionOptions) -> Result<Connection, Failure> {
    let opened = async {
        let shown = uri(options)?;
        let keyring = keyring(options);
        let (connect, simulated) = match shown.starts_with("test:") {
            true => simulate(shown, keyring).await?,
            false => {
                let password = options.password_stdin.then(credentials::read_password);
                let password = password.transpose()?;
                let uri = shown.parse()?;
                let connect = connect(&uri, password.as_ref(), keyring).await?;
                (connect, None)
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
pub(crate) async fn to(uri: &str) -> Result<Connect, Failure> {
    let (connect, _) = match uri.starts_with("test:") {
        true => simulate(uri.to_owned(), None).await?,
        false => (connect(&uri.parse()?, None, None).await?, None),
    };
    Ok(connect)
}

/// Opens a read-only connection to any server.
///
/// # Errors
/// The driver's reason.
pub(crate) async fn open_uri(
    uri: &str,
    password: Option<&SecretString>,
) -> Result<Connection, Failure> {
    let (connect, simulated) = match uri.starts_with("test:") {
        true => simulate(uri.to_owned(), None).await?,
        false => (connect(&uri.parse()?, password, None).await?, None),
    };
    Ok(Connection {
        connect,
        simulated,
        is_readonly: true,
    })
}

async fn connect(
    uri: &EsxUri,
    password: Option<&SecretString>,
    keyring: Option<PathBuf>,
) -> Result<Connect, Failure> {
    let login = Login {
        has_password: password.is_some(),
    };
    let mut open = OpenOptions::new(&login);
    if let Some(password) = password {
        open = open.password(password.clone());
    }
    if let Some(folder) = state::folder() {
        open = open.store(FolderStore::new(folder));
    }
    if let Some(keyring) = keyring {
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
    let of_environment = |name| std::env::var(name).ok().filter(|uri| !uri.is_empty());
    let uri = options.uri.clone();
    uri.or_else(|| of_environment("VIRSH_DEFAULT_CONNECT_URI"))
        .or_else(|| of_environment("LIBVIRT_DEFAULT_URI"))
        .ok_or_else(|| Failure::new("there is no URI: give one with -c or in LIBVIRT_DEFAULT_URI"))
}
