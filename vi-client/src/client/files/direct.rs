//! Files at a host of a vCenter: a ticket of the vCenter for each request.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::Method;
use http::header::HeaderValue;
use vi_types::Enum as _;
use vi_types::enums::SessionManagerHttpServiceRequestSpecMethod as HttpMethod;
use vi_types::methods::AcquireGenericServiceTicket;
use vi_types::objects::{SessionManagerGenericServiceTicket, SessionManagerHttpServiceRequestSpec};
use zeroize::Zeroizing;

use super::{DatastoreFile, Files};
use crate::transport::{Thumbprint, Transport};
use crate::{Client, Error};

/// Makes a transport to the host, which accepts the certificate with that thumbprint only, if there is one.
type Opening = dyn Fn(Option<Thumbprint>) -> Box<dyn Transport> + Send + Sync;

/// The transport, and the certificate that it accepts.
type Opened = (Option<Thumbprint>, Arc<dyn Transport>);

/// A host that gives files to who has a ticket.
pub(super) struct Direct {
    /// The beginning of the host's URLs: `https://192.0.2.1`.
    base: String,
    open: Box<Opening>,
    opened: Mutex<Option<Opened>>,
}

impl Direct {
    pub(super) fn url(&self, file: &DatastoreFile) -> String {
        format!("{}{}", self.base, file.url_path_at_host())
    }

    /// A ticket of the vCenter for one request: the transport to the host, and the cookie.
    pub(super) async fn ticket(
        &self,
        vcenter: &Client,
        method: &Method,
        file: &DatastoreFile,
    ) -> Result<(Arc<dyn Transport>, HeaderValue), Error> {
        let spec = SessionManagerHttpServiceRequestSpec {
            method: Some(of(method).as_str().to_owned()),
            url: self.url(file),
            ..Default::default()
        };
        let request = AcquireGenericServiceTicket {
            spec: spec.into(),
            ..Default::default()
        };
        let ticket = vcenter.call(&request).await?;
        let transport = self.transport(thumbprint(&ticket));
        let cookie = Zeroizing::new(format!("vmware_cgi_ticket={}", ticket.id));
        let mut cookie = HeaderValue::from_str(&cookie)
            .map_err(|error| super::unsendable(http::Error::from(error)))?;
        cookie.set_sensitive(true);
        Ok((transport, cookie))
    }

    fn transport(&self, certificate: Option<Thumbprint>) -> Arc<dyn Transport> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        match &*opened {
            Some((accepted, transport)) if *accepted == certificate => Arc::clone(transport),
            _ => {
                let transport: Arc<dyn Transport> = Arc::from((self.open)(certificate));
                *opened = Some((certificate, Arc::clone(&transport)));
                transport
            }
        }
    }
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// The files of datastores at a host of this vCenter, without the way through the vCenter. Every request costs a
    /// ticket: one call to the vCenter.
    ///
    /// `base` is the beginning of the host's URLs, such as `https://192.0.2.1`. `open` makes a transport to the host; if the
    /// vCenter tells the thumbprint of the host's certificate, the transport is to accept that certificate only.
    pub fn files_at_host(
        &self,
        base: impl Into<String>,
        open: impl Fn(Option<Thumbprint>) -> Box<dyn Transport> + Send + Sync + 'static,
    ) -> Files {
        let direct = Direct {
            base: base.into(),
            open: Box::new(open),
            opened: Mutex::new(None),
        };
        Files {
            client: self.clone(),
            direct: Some(Arc::new(direct)),
        }
    }
}

/// SHA-256 before SHA-1, which is all that older vCenters tell.
fn thumbprint(ticket: &SessionManagerGenericServiceTicket) -> Option<Thumbprint> {
    let listed = ticket.cert_thumbprint_list.iter();
    let listed = listed.filter_map(|listed| listed.thumbprint.parse().ok());
    let mut sha1 = None;
    for found in listed.chain(
        ticket
            .ssl_thumbprint
            .as_ref()
            .and_then(|one| one.parse().ok()),
    ) {
        match found {
            Thumbprint::Sha256(_) => return Some(found),
            Thumbprint::Sha1(_) => sha1 = sha1.or(Some(found)),
        }
    }
    sha1
}

fn of(method: &Method) -> HttpMethod {
    match *method {
        Method::HEAD => HttpMethod::HttpHead,
        Method::PUT => HttpMethod::HttpPut,
        Method::DELETE => HttpMethod::HttpDelete,
        _ => HttpMethod::HttpGet,
    }
}
