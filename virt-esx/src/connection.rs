//! From a URI to a connection.

use std::ops::Deref;

#[cfg(feature = "simulator")]
use esx_driver::vi_client::transport::InProcess;
use esx_driver::{Connect, EsxUri};
#[cfg(feature = "simulator")]
use esx_sim::Simulator;

use crate::credentials::Login;
use crate::failure::Failure;

/// The query parameters of a test URI that are the simulator's.
#[cfg(feature = "simulator")]
const SIMULATORS: [&str; 3] = ["vms", "api_version", "page_size"];

/// What is connected to, and how.
#[derive(Debug)]
pub(crate) struct ConnectionOptions {
    /// None for the URI of the environment.
    pub(crate) uri: Option<String>,
    /// Whether nothing may be changed through the connection.
    pub(crate) is_readonly: bool,
    /// Whether the password is the first line of the standard input.
    pub(crate) password_stdin: bool,
}

/// An open connection and the URI it goes by.
pub(crate) struct Connection {
    connect: Connect,
    is_readonly: bool,
    /// A simulator's own URI; of a server it is the connection's.
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

    /// Whether nothing may be changed through the connection.
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
        let target = Target::new(options)?;
        let (connect, simulated) = target.open().await?;
        Ok::<_, Failure>(Connection {
            connect,
            simulated,
            is_readonly: options.is_readonly,
        })
    };
    let failed = |reason| Failure::because("failed to connect to the hypervisor", reason);
    opened.await.map_err(failed)
}

/// What is connected to.
enum Target {
    Server {
        uri: EsxUri,
        login: Login,
    },
    #[cfg(feature = "simulator")]
    Simulated {
        shown: String,
        uri: EsxUri,
        simulator: Simulator,
        login: Login,
    },
}

impl Target {
    fn new(options: &ConnectionOptions) -> Result<Self, Failure> {
        let shown = uri(options)?;
        if shown.starts_with("test:") {
            return Self::simulated(shown);
        }
        let uri: EsxUri = shown.parse()?;
        let login = Login::prepare(&uri, options.password_stdin)?;
        Ok(Self::Server { uri, login })
    }

    /// A simulator in this process, and the URI its own server would go by.
    ///
    /// Parameters the simulator knows are its own, all others are the driver's.
    #[cfg(feature = "simulator")]
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

    #[cfg(not(feature = "simulator"))]
    fn simulated(shown: String) -> Result<Self, Failure> {
        Err(Failure::new(format!(
            "no connection driver available for {shown}: this virt-esx was built without the feature 'simulator'"
        )))
    }

    /// The connection, and the URI of a simulator.
    async fn open(self) -> Result<(Connect, Option<String>), esx_driver::Error> {
        match self {
            Self::Server { uri, login } => Ok((login.options().open(&uri).await?, None)),
            #[cfg(feature = "simulator")]
            Self::Simulated {
                shown,
                uri,
                simulator,
                login,
            } => {
                let transport = InProcess::new(simulator.handler());
                let connect = login.options().transport(transport).open(&uri).await?;
                Ok((connect, Some(shown)))
            }
        }
    }
}

/// The URI of -c or of the environment.
fn uri(options: &ConnectionOptions) -> Result<String, Failure> {
    let of_environment = |name| std::env::var(name).ok().filter(|uri| !uri.is_empty());
    let uri = options.uri.clone();
    uri.or_else(|| of_environment("VIRSH_DEFAULT_CONNECT_URI"))
        .or_else(|| of_environment("LIBVIRT_DEFAULT_URI"))
        .ok_or_else(|| Failure::new("there is no URI: give one with -c or in LIBVIRT_DEFAULT_URI"))
}
