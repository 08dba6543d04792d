//! What was asked of a simulator.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, Method};
use vi_types::ManagedObjectReference;

/// A request as it arrived.
#[derive(Clone)]
pub struct Recorded {
    /// The VI method, for example `RetrievePropertiesEx`; none when the request was no VI call.
    pub method: Option<String>,
    /// The managed object the method was called on.
    pub this: Option<ManagedObjectReference>,
    /// The HTTP method.
    pub verb: Method,
    /// Path and query.
    pub path: String,
    /// The HTTP header.
    pub headers: HeaderMap,
    /// The body; that of a login holds the password.
    pub body: Bytes,
}

impl fmt::Debug for Recorded {
    /// Neither body nor header: they hold passwords and cookies.
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
