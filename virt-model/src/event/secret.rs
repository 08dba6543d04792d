//! Events of secrets.

super::words! {
    /// A kind of secret events (`virSecretEventID`).
    SecretEventId {
        /// A secret is defined or undefined.
        Lifecycle = 0, "lifecycle";
        /// It has another value.
        ValueChanged = 1, "value-changed";
    }
    /// A change in a secret's life cycle (`virSecretEventLifecycleType`). libvirt's detail is always 0.
    SecretLifecycleEvent {
        /// There is a new definition of the secret.
        Defined = 0, "Defined";
        /// The definition is gone.
        Undefined = 1, "Undefined";
    }
}
