//! References to managed objects.

use std::fmt;

/// The identity of an object that lives on the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ManagedObjectReference {
    /// The managed object's type, such as `VirtualMachine`.
    pub r#type: String,
    /// The server's identifier of the object: `16` on a host, `vm-16` on a vCenter.
    pub value: String,
}

impl ManagedObjectReference {
    /// A reference to the object of that type and value.
    pub fn new(r#type: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            r#type: r#type.into(),
            value: value.into(),
        }
    }
}

impl AsRef<ManagedObjectReference> for ManagedObjectReference {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl From<&ManagedObjectReference> for ManagedObjectReference {
    fn from(reference: &Self) -> Self {
        reference.clone()
    }
}

impl fmt::Display for ManagedObjectReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.r#type, self.value)
    }
}
