//! libvirt's ESX driver: domains of VMware ESX(i) hosts and vCenters.

pub mod auth;
mod error;
mod uri;

pub use error::{Error, ErrorKind, Result};
pub use uri::{EsxUri, Proxy, ProxyKind, Scheme, Transport, VCenter};

pub use virt_model;
