//! Recorded requests.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method};
use vi_types::ManagedObjectReference;

/// A request as it arrived.
#[derive(Clone)]
#[non_exhaustive]
pub struct Recorded {
    /// The VI method, for example `RetrievePropertiesEx`. `None` if the request is not a VI call.
    pub method: Option<String>,
    /// The managed object the method was called on.
    pub this: Option<ManagedObjectReference>,
    /// The HTTP method.
    pub verb: Method,
    /// Path and query.
    pub path: String,
    /// The HTTP header.
    pub headers: HeaderMap,
    /// The body. The body of a `Login` call has the password in it.
    pub body: Bytes,
}

impl fmt::Debug for Recorded {
    /// Without header and body, which have cookies and passwords in them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.path)?;
        if let Some(method) = &self.method {
            write!(f, " {method}")?;
        }
        if let Some(this) = &self.this {
            write!(f, " on {this}")?;
        }
        Ok(())
    }
}
