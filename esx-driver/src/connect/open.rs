//! Opening a connection, for each kind of server.

use std::{
    future::pending,
    net::IpAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_core::future::BoxFuture;
use futures_util::future::join_all;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::OnceCell;
use tracing::warn;
use vi_client::{
    Client, Options,
    transport::{Endpoint, HttpsTransport, Proxy, Thumbprint, Transport, Verify},
};
use virt_model::ErrorNumber;

use super::{Connect, Inner, VCenterOfHost, product::Product};
use crate::{
    Error, ErrorKind, EsxUri, Result, Scheme, VCenter,
    auth::{self, AuthFile, AuthFileSearch, Authenticate},
    inventory::{self, Place},
    policy::{Policy, Rules},
    store::{MemoryStore, Store},
};

/// Options for opening a connection, where the defaults of [`Connect::open`] do not fit.
///
/// ```no_run
/// # async fn open(transport: vi_client::transport::HttpsTransport) -> esx_driver::Result<()> {
/// use esx_driver::{EsxUri, OpenOptions, auth::NoPrompts};
///
/// let uri: EsxUri = "esx://esx1.example.com/".parse()?;
/// let connect = OpenOptions::new(&NoPrompts).transport(transport).open(&uri).await?;
/// # Ok(()) }
/// ```
pub struct OpenOptions<'a> {
    auth: &'a dyn Authenticate,
    auth_files: AuthFileSearch,
    password: Option<SecretString>,
    transport: Option<Box<dyn Transport>>,
    vcenter_transport: Option<Box<dyn Transport>>,
    client: Options,
    store: Arc<dyn Store>,
    keyring: Option<PathBuf>,
    deadline: Option<Duration>,
    cancelled: Option<BoxFuture<'a, ()>>,
}

impl<'a> OpenOptions<'a> {
    /// The defaults. `auth` provides the user and the password if neither the URI nor `auth.conf` does.
    pub fn new(auth: &'a dyn Authenticate) -> OpenOptions<'a> {
        OpenOptions {
            auth,
            auth_files: AuthFileSearch::of_environment(),
            password: None,
            transport: None,
            vcenter_transport: None,
            client: Options::default(),
            store: Arc::new(MemoryStore::default()),
            keyring: None,
            deadline: None,
            cancelled: None,
        }
    }

    /// Searches for `auth.conf` in these places.
    #[must_use]
    pub fn auth_files(mut self, search: AuthFileSearch) -> Self {
        self.auth_files = search;
        self
    }

    /// Logs in with this password. It comes before that of `auth.conf`, which then only provides the user; nobody is asked
    /// for a password.
    #[must_use]
    pub fn password(mut self, password: SecretString) -> Self {
        self.password = Some(password);
        self
    }

    /// Reaches the server over `transport`; the URI's port, proxy and certificate parameters are ignored.
    #[must_use]
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Box::new(transport));
        self
    }

    /// Reaches the vCenter of `vcenter=` over `transport`.
    #[must_use]
    pub fn vcenter_transport(mut self, transport: impl Transport) -> Self {
        self.vcenter_transport = Some(Box::new(transport));
        self
    }

    /// Options of the client: limits, keep-alive, `User-Agent`, parallel calls. They hold for the server and for
    /// the vCenter of `vcenter=`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use esx_driver::{OpenOptions, auth::NoPrompts, vi_client::{Limits, Options}};
    ///
    /// let client = Options::default()
    ///     .limits(Limits::default().deadline(Duration::from_secs(60)))
    ///     .keep_alive(Some(Duration::from_secs(600)))
    ///     .user_agent("backup/1.0");
    /// let options = OpenOptions::new(&NoPrompts).client(client);
    /// ```
    #[must_use]
    pub fn client(mut self, options: Options) -> Self {
        self.client = options;
        self
    }

    /// Keeps in `store` what has to outlive the program; without it, that is lost with the connection.
    ///
    /// ```
    /// use esx_driver::{FolderStore, OpenOptions, auth::NoPrompts};
    ///
    /// let store = FolderStore::new("/var/lib/backup/esx");
    /// let options = OpenOptions::new(&NoPrompts).store(store);
    /// ```
    #[must_use]
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Arc::new(store);
        self
    }

    /// Keeps the connection's [secrets](crate::Secret) in the file at `path`, but for ephemeral ones. Without it, they are
    /// forgotten with the connection.
    ///
    /// The file is made with the mode 0600 when the first secret is defined; one that others may read, or that belongs to
    /// another user, is refused. Nothing is read before a secret is asked for. Several programs may use the file: each
    /// function reads it anew, and writers wait for each other with a lock on `path` with `.lock` behind it. A file is
    /// replaced as a whole, so that a reader or a loss of power never meets half of one.
    ///
    /// The values in the file are not encrypted. Its format (`docs/keyring.md` in the repository) has a version and a
    /// check sum. On systems without modes of files, everything about it fails with
    /// [`ErrorKind::Keyring`](crate::ErrorKind::Keyring).
    #[must_use]
    pub fn keyring(mut self, path: impl Into<PathBuf>) -> Self {
        self.keyring = Some(path.into());
        self
    }

    /// Gives up after `after`, whatever is waited for: a server or a person who is asked for a password. The error is
    /// [`ErrorKind::Timeout`]. Whoever has logged in by then is logged out.
    #[must_use]
    pub fn deadline(mut self, after: Duration) -> Self {
        self.deadline = Some(after);
        self
    }

    /// Gives up when the future `when` ends: [`ErrorKind::Cancelled`]. Whoever has logged in by then is logged out, also if
    /// the server has not answered the login yet, which takes no longer than
    /// [`Limits::logout`](vi_client::Limits::logout). A session stays if the future of [`open`](Self::open) is dropped
    /// instead.
    #[must_use]
    pub fn cancelled_by(mut self, when: impl Future<Output = ()> + Send + 'a) -> Self {
        self.cancelled = Some(Box::pin(when));
        self
    }

    /// Connects.
    ///
    /// # Errors
    /// As [`Connect::open`].
    pub async fn open(mut self, uri: &EsxUri) -> Result<Connect> {
        let given_up = given_up(self.deadline, self.cancelled.take());
        let opened = Opened::default();
        let error = {
            let connecting: BoxFuture<'_, _> = Box::pin(self.connect(uri, &opened));
            tokio::select! {
                biased;
                result = connecting => return result,
                error = given_up => error,
            }
        };
        opened.close().await;
        Err(error)
    }

    async fn connect(self, uri: &EsxUri, opened: &Opened) -> Result<Connect> {
        for warning in uri.warnings() {
            warn!("{warning}");
        }
        let policy = policy(uri)?;
        let auth_file = match self.auth_files.find(uri.authfile()) {
            Some(path) => Some(AuthFile::read(&path)?),
            None => None,
        };
        let login = Login {
            uri,
            sources: auth::Sources {
                user: uri.user(),
                password: self.password.as_ref(),
                file: auth_file.as_ref(),
                questions: self.auth,
            },
            options: &self.client,
            opened,
        };
        let transport = match self.transport {
            Some(transport) => transport,
            None => to_server(uri, uri.server(), uri.thumbprint())?,
        };
        let client = login
            .connect(transport, &[uri.server()], uri.scheme())
            .await?;
        let product = Product::of(client.about())?;
        let place = OnceCell::new();
        let vcenter = {
            let result = surroundings(&login, &client, &place, self.vcenter_transport).await;
            closing_on_error(&client, result).await?
        };
        let inner = Inner {
            client,
            place,
            product,
            vcenter,
            uri: uri.clone(),
            store: self.store,
            keyring: self.keyring,
            shared: super::Shared::default(),
        };
        Ok(Connect(Arc::new(inner), policy))
    }
}

/// Who answers questions, as the URI says.
fn policy(uri: &EsxUri) -> Result<Policy> {
    Ok(match uri.answers() {
        Some(path) => Policy::Rules(Arc::new(Rules::read(path)?)),
        None if uri.auto_answer() => Policy::Default,
        None => Policy::Report,
    })
}

/// All that is needed to log in to the servers of one connection.
struct Login<'a> {
    uri: &'a EsxUri,
    sources: auth::Sources<'a>,
    options: &'a Options,
    opened: &'a Opened,
}

/// The clients that were made while a connection was opened.
#[derive(Default)]
struct Opened(Mutex<Vec<Client>>);

impl Opened {
    fn keep(&self, client: &Client) {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clients.push(client.clone());
    }

    /// Logs all of them out.
    async fn close(self) {
        let clients = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let closing = clients.iter().map(Client::close);
        for result in join_all(closing).await {
            if let Err(error) = result {
                warn!(%error, "could not log out");
            }
        }
    }
}

/// Ends when the caller does not want to wait for the connection any more.
async fn given_up(deadline: Option<Duration>, cancelled: Option<BoxFuture<'_, ()>>) -> Error {
    let passed = async {
        match deadline {
            Some(after) => tokio::time::sleep(after).await,
            None => pending().await,
        }
    };
    let cancelled = async {
        match cancelled {
            Some(cancelled) => cancelled.await,
            None => pending().await,
        }
    };
    tokio::select! {
        biased;
        () = cancelled => Error::new(
            ErrorKind::Cancelled,
            ErrorNumber::OperationAborted,
            "it was cancelled before there was a connection",
        ),
        () = passed => {
            let seconds = deadline.unwrap_or_default().as_secs_f64();
            let message = format!("there was no connection within {seconds} s");
            Error::new(ErrorKind::Timeout, ErrorNumber::OperationTimeout, message)
        }
    }
}

impl Login<'_> {
    /// A client that is logged in to a server of the product that `scheme` means.
    ///
    /// `names` are the server's names: the first is shown in prompts, and `auth.conf` may have a group for any of them.
    async fn connect(
        &self,
        transport: Box<dyn Transport>,
        names: &[&str],
        scheme: Scheme,
    ) -> Result<Client> {
        // Nobody types a password for a server that cannot be reached, is not trusted or is of another kind.
        let client = Client::connect(transport, self.options.clone()).await?;
        self.opened.keep(&client);
        Product::of(client.about())?.expect(scheme, names[0])?;
        let credentials = self.sources.credentials(names, scheme.default_user());
        let (username, password) = credentials.await?;
        client.login(username, password.expose_secret()).await?;
        Ok(client)
    }
}

/// What has to be known of the inventory before there is a connection: the host that a vCenter's URI names, which may not
/// be there, and the vCenter of `vcenter=`, which the host names. A host of its own is found when it is needed.
async fn surroundings(
    login: &Login<'_>,
    client: &Client,
    place: &OnceCell<Place>,
    transport: Option<Box<dyn Transport>>,
) -> Result<Option<VCenterOfHost>> {
    let uri = login.uri;
    let is_vcenter = uri.scheme() == Scheme::Vpx;
    let wanted = uri.vcenter().filter(|_| !is_vcenter);
    if !is_vcenter && wanted.is_none() {
        return Ok(None);
    }
    let place = place.get_or_try_init(|| host_of(client, uri)).await?;
    match wanted {
        Some(wanted) => vcenter(login, wanted, place, transport).await.map(Some),
        None => Ok(None),
    }
}

/// The host that the URI means: one request.
pub(super) async fn host_of(client: &Client, uri: &EsxUri) -> Result<Place> {
    let root = &client.service_content().root_folder;
    let inventory = inventory::read(client).await?;
    match uri.scheme() {
        Scheme::Vpx => inventory.find(root, uri.path_names(), uri.path()),
        Scheme::Esx | Scheme::Gsx => accepted(inventory.only_host(root)?),
    }
}

/// The place of a host that is the server.
pub(super) fn accepted(place: Place) -> Result<Place> {
    match place.host.in_maintenance_mode {
        Some(true) => warn!("The server is in maintenance mode"),
        Some(false) => {}
        None => {
            return Err(Error::new(
                ErrorKind::Property,
                ErrorNumber::InternalError,
                "Missing 'runtime.inMaintenanceMode' property",
            ));
        }
    }
    Ok(place)
}

/// A client of the vCenter that `vcenter=` names.
async fn vcenter(
    login: &Login<'_>,
    wanted: &VCenter,
    host: &Place,
    transport: Option<Box<dyn Transport>>,
) -> Result<VCenterOfHost> {
    let managed_by = host.host.management_server_ip.as_deref();
    let (name, ip) = match (wanted, managed_by) {
        (VCenter::OfHost, None) => {
            return Err(mismatch("This host is not managed by a vCenter".to_owned()));
        }
        (VCenter::OfHost, Some(ip)) => (ip, ip.to_owned()),
        (VCenter::Named(name), _) => {
            let ip = resolve(name).await?.to_string();
            if let Some(managed_by) = managed_by.filter(|managed_by| *managed_by != ip) {
                return Err(mismatch(format!(
                    "This host is managed by a vCenter with IP address {managed_by}, but a \
                     mismatching vCenter '{name}' ({ip}) has been specified"
                )));
            }
            (name.as_str(), ip)
        }
    };
    let host_ip = resolve(login.uri.server()).await?.to_string();
    let transport = match transport {
        Some(transport) => transport,
        // The URI's thumbprint belongs to the host's certificate, not to the vCenter's.
        None => to_server(login.uri, name, None)?,
    };
    let client = login.connect(transport, &[name, &ip], Scheme::Vpx).await?;
    let result = inventory::of_address(&client, name, &host_ip).await;
    let place = closing_on_error(&client, result).await?;
    Ok(VCenterOfHost {
        client,
        name: name.to_owned(),
        address: ip,
        place,
    })
}

fn mismatch(message: String) -> Error {
    Error::new(ErrorKind::VCenter, ErrorNumber::InternalError, message)
}

/// A transport to `server` with the port, proxy and certificates of `uri`.
///
/// The vCenter of `vcenter=` is reached on the host's port: libvirt 9.0.0 (esxConnectToVCenter of esx_driver.c) does so, and
/// URIs have no other parameter for it.
fn to_server(uri: &EsxUri, server: &str, pin: Option<Thumbprint>) -> Result<Box<dyn Transport>> {
    // The weakest check wins: with no_verify=1 libvirt 9.0.0 verifies nothing either, whatever cacert= says.
    let verify = match pin {
        Some(thumbprint) if !uri.no_verify() => Verify::Pin(thumbprint),
        _ => verify(uri),
    };
    let endpoint = endpoint(uri, server, uri.port());
    let proxy = proxy(uri, &endpoint)?;
    let transport = HttpsTransport::new(endpoint);
    Ok(Box::new(transport.verify(verify).proxy(proxy)))
}

/// The proxy on the way to a server: that of the URI, or else that of the environment, as libcurl does for libvirt.
fn proxy(uri: &EsxUri, endpoint: &Endpoint) -> Result<Option<Proxy>> {
    match uri.proxy() {
        Some(proxy) => Ok(Some(proxy.clone())),
        None => Proxy::of_environment(endpoint).map_err(|error| {
            Error::new(
                ErrorKind::UriParameter,
                ErrorNumber::InvalidArg,
                error.to_string(),
            )
        }),
    }
}

fn endpoint(uri: &EsxUri, server: &str, port: u16) -> Endpoint {
    match uri.transport() {
        crate::Transport::Https => Endpoint::https(server, port),
        crate::Transport::Http => Endpoint::http(server, port),
    }
}

fn verify(uri: &EsxUri) -> Verify {
    if uri.no_verify() {
        Verify::NoVerify
    } else if let Some(path) = uri.cacert() {
        Verify::CaFile(path.to_owned())
    } else {
        Verify::SystemRoots
    }
}

impl Connect {
    /// The address of another server that this one names, such as a host of a vCenter.
    pub(crate) fn endpoint_beside(&self, server: &str, port: u16) -> Endpoint {
        endpoint(self.uri(), server, port)
    }

    /// A transport to such a server, with the proxy of the URI. The server is to have the certificate with that thumbprint;
    /// without one, the certificate is checked as that of the URI's server.
    pub(crate) fn transport_beside(
        &self,
        endpoint: Endpoint,
        pin: Option<Thumbprint>,
    ) -> Box<dyn Transport> {
        let verify = pin.map_or_else(|| verify(self.uri()), Verify::Pin);
        // The connection itself was opened with these variables, or those of the other scheme.
        let proxy = proxy(self.uri(), &endpoint).unwrap_or_else(|error| {
            warn!(%error, "no proxy is used");
            None
        });
        let transport = HttpsTransport::new(endpoint).verify(verify);
        Box::new(transport.proxy(proxy))
    }
}

/// The first address of a name. libvirt 9.0.0 (esxUtil_ResolveHostname of esx_util.c) takes the first one too.
async fn resolve(host: &str) -> Result<IpAddr> {
    if let Ok(address) = host.parse() {
        return Ok(address);
    }
    let failed = |error| Error::no_address(host, &error).because(error);
    let mut addresses = tokio::net::lookup_host((host, 0)).await.map_err(failed)?;
    let first = addresses.next().map(|address| address.ip());
    first.ok_or_else(|| {
        let message = format!("No IP address for host '{host}' found");
        Error::new(ErrorKind::Resolve, ErrorNumber::InternalError, message)
    })
}

/// The first address of a name, as text; the name itself if it has none.
pub(super) async fn address(host: &str) -> String {
    match resolve(host).await {
        Ok(address) => address.to_string(),
        Err(_) => host.to_owned(),
    }
}

/// Logs out before an error is returned, since the caller gets no connection to close.
async fn closing_on_error<T>(client: &Client, result: Result<T>) -> Result<T> {
    if result.is_err()
        && let Err(error) = client.close().await
    {
        warn!(%error, "could not log out");
    }
    result
}
