//! Connections: opening and closing them, and what they tell about the server and the host.

pub(crate) mod counters;
mod cpu_models;
mod node;
mod node_stats;
mod open;
mod processor;
mod product;
mod read;
mod sysinfo;
mod systems;

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::OnceCell;
use tracing::warn;
use vi_client::Client;
use vi_types::{DateTime, ManagedObjectReference};
use virt_model::LibVersion;

pub(crate) use self::node::{long_mode, no_host};
pub use self::open::OpenOptions;
use self::product::Product;
pub(crate) use self::product::ProductLine;
pub(crate) use self::systems::no_system;
use crate::{
    EsxUri, Result, Scheme,
    auth::Authenticate,
    inventory::{Inventory, Place},
    policy::Policy,
    store::Store,
};

/// A connection to a host or a vCenter: libvirt's `virConnect`.
///
/// Clones are cheap and share one session. A call that finds that the server has ended the session logs in again and is
/// repeated. (libvirt 9.0.0 checks the session before every call, esxVI_EnsureSession of esx_vi.c.)
///
/// [`close`](Connect::close) logs out. The session of a connection that is dropped stays on the server until the server
/// ends it, usually after half an hour.
#[derive(Clone)]
pub struct Connect(Arc<Inner>, Policy);

/// The vCenter of `vcenter=`.
struct VCenterOfHost {
    client: Client,
    /// Its name, as the URI or the host gives it.
    name: String,
    /// Its address as text.
    address: String,
    /// The host in its inventory.
    place: Place,
}

struct Inner {
    client: Client,
    /// Read when it is first needed, unless opening the connection needs it.
    place: OnceCell<Place>,
    product: Product,
    vcenter: Option<VCenterOfHost>,
    uri: EsxUri,
    store: Arc<dyn Store>,
    keyring: Option<PathBuf>,
    shared: Shared,
}

/// What the nouns keep once for a connection (registrations of events), by its type: the connection is below the nouns and
/// cannot name their types.
#[derive(Default)]
struct Shared(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Connect {
    /// Connects to the server that `uri` names. `auth` provides the user and the password if neither the URI nor `auth.conf`
    /// does.
    ///
    /// Two requests: the service content and the login. The host's place in the inventory is read when it is first needed,
    /// in one request; a vCenter's when the connection is opened, as is that of a host with `vcenter=`. Capabilities are
    /// [read when they are asked for](Connect::capabilities).
    ///
    /// # Errors
    /// [`Credentials`](crate::ErrorKind::Credentials), [`Resolve`](crate::ErrorKind::Resolve),
    /// [`Transport`](crate::ErrorKind::Transport), [`Tls`](crate::ErrorKind::Tls), [`Login`](crate::ErrorKind::Login);
    /// [`Product`](crate::ErrorKind::Product) if the server is another product than the URI says;
    /// [`InventoryPath`](crate::ErrorKind::InventoryPath) if a vCenter's inventory has no such host.
    #[doc(alias("virConnectOpen", "virConnectOpenAuth"))]
    pub async fn open(uri: &EsxUri, auth: &dyn Authenticate) -> Result<Connect> {
        OpenOptions::new(auth).open(uri).await
    }

    /// Like [`open`](Connect::open), over the caller's transport, such as a simulator in the same process or a recording.
    ///
    /// # Errors
    /// As [`open`](Connect::open).
    pub async fn open_with(
        uri: &EsxUri,
        transport: impl vi_client::transport::Transport,
        auth: &dyn Authenticate,
    ) -> Result<Connect> {
        OpenOptions::new(auth).transport(transport).open(uri).await
    }

    /// Logs out of the server, and of the vCenter of `vcenter=`. All clones are closed.
    ///
    /// # Errors
    /// If a server does not get the request. The connection is closed nevertheless.
    #[doc(alias = "virConnectClose")]
    pub async fn close(&self) -> Result<()> {
        let host = self.0.client.close();
        let Some(vcenter) = &self.0.vcenter else {
            return Ok(host.await?);
        };
        let (vcenter, host) = tokio::join!(vcenter.client.close(), host);
        vcenter?;
        Ok(host?)
    }

    /// libvirt's name of the driver: `ESX`, also for vCenters.
    #[doc(alias = "virConnectGetType")]
    pub fn type_name(&self) -> &'static str {
        "ESX"
    }

    /// The version of the server's product: for `vpx://` that of the vCenter.
    #[doc(alias = "virConnectGetVersion")]
    pub fn version(&self) -> LibVersion {
        self.0.product.version
    }

    /// The URI of the connection, with its port.
    #[doc(alias = "virConnectGetURI")]
    pub fn uri(&self) -> &EsxUri {
        &self.0.uri
    }

    /// Whether the transport is encrypted (`https`) or stays within this process.
    #[doc(alias = "virConnectIsEncrypted")]
    pub fn is_encrypted(&self) -> bool {
        self.0.client.is_secure()
    }

    /// The same as [`is_encrypted`](Connect::is_encrypted), as in libvirt.
    #[doc(alias = "virConnectIsSecure")]
    pub fn is_secure(&self) -> bool {
        self.0.client.is_secure()
    }

    /// Whether the server answers: one request, for its time. (libvirt 9.0.0, esxConnectIsAlive, asks nothing.)
    #[doc(alias = "virConnectIsAlive")]
    pub async fn is_alive(&self) -> bool {
        match self.server_time().await {
            Ok(_) => true,
            Err(error) => {
                warn!(%error, "the server does not answer");
                false
            }
        }
    }

    /// The time by the server's clock. One request.
    ///
    /// # Errors
    /// The server cannot be reached.
    pub async fn server_time(&self) -> Result<DateTime> {
        let client = self.client();
        Ok(client
            .call(&client.service_instance().current_time())
            .await?)
    }

    /// Who answers the questions of this connection's domains: as the URI says (`answers=`, `auto_answer=`), unless
    /// [another policy](Connect::with_policy) was chosen.
    pub fn policy(&self) -> &Policy {
        &self.1
    }

    /// The same connection with another policy, which holds for the domains that it finds.
    #[must_use]
    pub fn with_policy(&self, policy: Policy) -> Connect {
        Connect(Arc::clone(&self.0), policy)
    }

    /// The client of the server, for calls that this crate does not make.
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// The client of the vCenter of `vcenter=`.
    pub fn vcenter(&self) -> Option<&Client> {
        self.0.vcenter.as_ref().map(|vcenter| &vcenter.client)
    }

    /// The vCenter that manages the host, as the server of `vpx://` or by `vcenter=`: its client, and the host there.
    pub(crate) async fn managed_by(&self) -> Result<Option<(&Client, &Place)>> {
        Ok(match (&self.0.vcenter, self.0.uri.scheme()) {
            (Some(vcenter), _) => Some((&vcenter.client, &vcenter.place)),
            (None, Scheme::Vpx) => Some((&self.0.client, self.place().await?)),
            (None, _) => None,
        })
    }

    /// Whether there is such a vCenter.
    pub(crate) fn is_managed(&self) -> bool {
        self.0.vcenter.is_some() || self.0.uri.scheme() == Scheme::Vpx
    }

    /// The server that knows the host's cluster, if there is one, and the host there.
    pub(crate) async fn keeper(&self) -> Result<(Client, ManagedObjectReference)> {
        let (client, place) = match self.managed_by().await? {
            Some(managed) => managed,
            None => (self.client(), self.place().await?),
        };
        Ok((client.clone(), place.host_system.clone()))
    }

    /// The name of that vCenter, as the URI or the host gives it; empty without one.
    pub(crate) fn vcenter_name(&self) -> &str {
        match (&self.0.vcenter, self.0.uri.scheme()) {
            (Some(vcenter), _) => &vcenter.name,
            (None, Scheme::Vpx) => self.0.uri.server(),
            (None, _) => "",
        }
    }

    /// The address of that vCenter, as libvirt writes it into migration URIs; its name if the name has no address.
    pub(crate) async fn vcenter_address(&self) -> String {
        match &self.0.vcenter {
            Some(vcenter) => vcenter.address.clone(),
            None => self.address_of(self.0.uri.server()).await,
        }
    }

    /// The address of a server as text; the name itself if it has none.
    pub(crate) async fn address_of(&self, server: &str) -> String {
        open::address(server).await
    }

    /// The server's reference of the host: one request if nothing has needed the host before.
    ///
    /// # Errors
    /// [`InventoryPath`](crate::ErrorKind::InventoryPath) if the server does not show the host.
    pub async fn host_system(&self) -> Result<&ManagedObjectReference> {
        Ok(&self.place().await?.host_system)
    }

    /// The server's product.
    pub(crate) fn product(&self) -> Product {
        self.0.product
    }

    /// The connection's only value of that type, which is made when it is first asked for and shared by all clones.
    pub(crate) fn shared<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut shared = self
            .0
            .shared
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let value = shared
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Arc::new(T::default()));
        match Arc::clone(value).downcast() {
            Ok(value) => value,
            // The key is the type.
            Err(_) => Arc::new(T::default()),
        }
    }

    /// Where the connection keeps what has to outlive a program.
    pub(crate) fn store(&self) -> &dyn Store {
        &*self.0.store
    }

    /// The file that keeps the connection's secrets, if one was named.
    pub(crate) fn keyring(&self) -> Option<&Path> {
        self.0.keyring.as_deref()
    }

    /// The host and its surroundings in the inventory: one request, the first time.
    pub(crate) async fn place(&self) -> Result<&Place> {
        let reading = || open::host_of(&self.0.client, &self.0.uri);
        self.0.place.get_or_try_init(reading).await
    }

    /// The same, if it is known.
    pub(crate) fn known_place(&self) -> Option<&Place> {
        self.0.place.get()
    }

    /// Keeps the place of the server's only host, if an inventory that was read with something else has it.
    pub(crate) fn learn_place(&self, inventory: &Inventory, host: &ManagedObjectReference) {
        if self.0.place.initialized() {
            return;
        }
        let place = inventory.of_host(host).and_then(open::accepted);
        // Who needs the place reads it, and gets the error.
        if let Ok(place) = place {
            let _ = self.0.place.set(place);
        }
    }

    /// Whether domains are identified by the instance UUID. They are identified by the BIOS UUID if the URI says so, and
    /// on servers older than API 4.0, which have no instance UUIDs.
    pub(crate) fn by_instance_uuid(&self) -> bool {
        !self.0.uri.legacy_uuid() && self.0.client.api_version().at_least(4, 0)
    }
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("uri", &self.0.uri.to_string())
            .field("host", &self.0.place.get().map(|place| &place.host_system))
            .finish_non_exhaustive()
    }
}
