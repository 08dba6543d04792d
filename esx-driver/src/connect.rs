//! Connections: opening, closing, and what they tell about the server and the host.

mod node;
mod open;
mod processor;
mod product;
mod read;

use std::{fmt, sync::Arc};

use tracing::warn;
use vi_client::Client;
use vi_types::{
    ManagedObject as _, ManagedObjectReference, properties::ServiceInstance, references,
};
use virt_model::LibVersion;

pub(crate) use self::node::no_host;
pub use self::open::OpenOptions;
use self::product::Product;
pub(crate) use self::product::ProductLine;
use crate::{EsxUri, Result, auth::Authenticate, inventory::Place, policy::Policy};

/// A connection to a host or a vCenter: libvirt's `virConnect`.
///
/// A cheap clone that talks to a server; all clones share one session, which is renewed when the
/// server has ended it. (libvirt asks before every call whether the session is still there; here
/// a call that finds it gone logs in again and is repeated.)
///
/// [`close`](Connect::close) logs out. A connection that is dropped without it leaves its session
/// to the server, which ends it after half an hour.
#[derive(Clone)]
pub struct Connect(Arc<Inner>, Policy);

struct Inner {
    client: Client,
    place: Place,
    product: Product,
    vcenter: Option<Client>,
    uri: EsxUri,
}

impl Connect {
    /// Connects to the server that `uri` names. What neither the URI nor `auth.conf` says of user
    /// and password is asked of `auth`.
    ///
    /// Three requests: the service's content, the login, the look at the inventory. Capabilities
    /// are [read when they are asked for](Connect::capabilities).
    ///
    /// # Errors
    /// [`ErrorKind`](crate::ErrorKind) tells them apart: no credentials, no way to the server, no
    /// trust in it, a wrong password, another product than the URI says, no such place in the
    /// inventory.
    pub async fn open(uri: &EsxUri, auth: &dyn Authenticate) -> Result<Connect> {
        OpenOptions::new(auth).open(uri).await
    }

    /// Like [`open`](Connect::open), over a transport of the caller's: a simulator in the same
    /// process, a recording.
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

    /// Logs out, of the vCenter of `vcenter=` too. Every clone is closed.
    ///
    /// # Errors
    /// When a server cannot be told. The connection is closed all the same.
    pub async fn close(&self) -> Result<()> {
        let host = self.0.client.close().await;
        if let Some(vcenter) = &self.0.vcenter {
            vcenter.close().await?;
        }
        Ok(host?)
    }

    /// libvirt's name of the driver: `ESX`, for vCenters too.
    pub fn type_name(&self) -> &'static str {
        "ESX"
    }

    /// The version of the product the URI names: of the vCenter for `vpx://`.
    pub fn version(&self) -> LibVersion {
        self.0.product.version
    }

    /// The URI of the connection, with its port.
    pub fn uri(&self) -> &EsxUri {
        &self.0.uri
    }

    /// Whether nobody can read along: `https`, or within this process.
    pub fn is_encrypted(&self) -> bool {
        self.0.client.is_secure()
    }

    /// The same as [`is_encrypted`](Connect::is_encrypted), as in libvirt.
    pub fn is_secure(&self) -> bool {
        self.0.client.is_secure()
    }

    /// Whether the server answers: it is asked for its time. (libvirt says yes of every connection
    /// that is not closed, without asking.)
    pub async fn is_alive(&self) -> bool {
        // The only object of its type, whose reference is the same on every server.
        let moref = ManagedObjectReference::new(ServiceInstance::TYPE, "ServiceInstance");
        let service = references::ServiceInstance::from(moref);
        match self.0.client.call(&service.current_time()).await {
            Ok(_) => true,
            Err(error) => {
                warn!(%error, "the server does not answer");
                false
            }
        }
    }

    /// Who answers the questions of the domains of this connection: what the URI says (`answers=`, `auto_answer=`),
    /// unless [another](Connect::with_policy) was chosen.
    pub fn policy(&self) -> &Policy {
        &self.1
    }

    /// The same connection with another policy, for the domains that are got from it.
    #[must_use]
    pub fn with_policy(&self, policy: Policy) -> Connect {
        Connect(Arc::clone(&self.0), policy)
    }

    /// The client of the server the URI names, for calls that this crate does not make.
    pub fn client(&self) -> &Client {
        &self.0.client
    }

    /// The client of the vCenter of `vcenter=`.
    pub fn vcenter(&self) -> Option<&Client> {
        self.0.vcenter.as_ref()
    }

    /// The host whose domains these are.
    pub fn host_system(&self) -> &ManagedObjectReference {
        &self.0.place.host_system
    }

    /// What the server the URI names is.
    pub(crate) fn product(&self) -> Product {
        self.0.product
    }

    /// Where the host is.
    pub(crate) fn place(&self) -> &Place {
        &self.0.place
    }

    /// Whether domains are identified by the instance UUID (else by the BIOS UUID): not with
    /// `legacy_uuid=1`, and not on servers before API 4.0, which have no other.
    pub(crate) fn by_instance_uuid(&self) -> bool {
        !self.0.uri.legacy_uuid() && self.0.client.api_version().at_least(4, 0)
    }
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("uri", &self.0.uri.to_string())
            .field("host", &self.0.place.host_system)
            .finish_non_exhaustive()
    }
}
